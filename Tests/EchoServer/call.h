// One call on the server's side as a machine of steps; methods.c says what each method does.
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Call Call;

enum { INSTANCES_MAX = 64 };

// One port: its server, and until when each instance of its simulated model is busy (compact.h).
typedef struct {
  grpc_server *server;
  grpc_completion_queue *events;
  double factor;
  gpr_timespec busyUntil[INSTANCES_MAX];
  long waiting;
} Port;

// What came back from the completion queue.
typedef enum { STEP_ACCEPTED, STEP_HEADERS, STEP_RECEIVED, STEP_SENT, STEP_FINISHED, STEP_CLOSED,
               STEP_COUNT } Step;

typedef struct {
  const char *name;
  // Whether the first message is awaited before anything else happens.
  bool reads;
  void (*begin)(Call *call);
  // message is null once the client has half-closed; it belongs to the method.
  void (*received)(Call *call, grpc_byte_buffer *message);
  void (*sent)(Call *call);
  // The wait is over, whether or not the client still wants an answer; then what it waited for.
  void (*over)(Call *call);
  void (*woken)(Call *call);
  // Whether the answers are to be compressed.
  bool compresses;
} Method;

typedef struct {
  Call *call;
  Step step;
} Tag;

struct Call {
  Port *port;
  grpc_call *call;
  grpc_call_details details;
  grpc_metadata_array metadata;
  const Method *method;
  Tag tags[STEP_COUNT];
  // Batches that the core has not given back; the call goes with the last.
  int pending;
  int cancelled;
  bool finishing;
  grpc_byte_buffer *incoming;
  // Where it stands among the calls that wait, the first that is due first.
  Call *nextAsleep;
  gpr_timespec due;
  // The method's own.
  grpc_byte_buffer *kept;
  long next, count, bytes;
  int code;
  char text[256];
};

// The method of a path's last part; one that is not known ends with UNIMPLEMENTED.
const Method *FindMethod(const char *name);

// Waits for the next call.
void Accept(Port *port);
// Takes back one batch.
void Proceed(Tag *tag, bool success);
// When the next call that waits is due; and goes on with those that are.
gpr_timespec NextDue(void);
void WakeDue(void);

// What methods do.
void Receive(Call *call);
void Send(Call *call, grpc_byte_buffer *owned);
void Finish(Call *call, int code, const char *text);
void Wait(Call *call, long milliseconds);
void WaitUntil(Call *call, gpr_timespec due);

// Steps of a call whose headers say what happens.
void ScriptedReceived(Call *call, grpc_byte_buffer *message);
void ScriptedWoken(Call *call);
void ScriptedSent(Call *call);

// The bytes of a message, to be freed with gpr_free; and a message that owns its slice.
uint8_t *ReadAll(grpc_byte_buffer *message, size_t *count);
grpc_byte_buffer *Buffer(grpc_slice owned);
