#include "call.h"

#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 16 };

static void start(Call *call, Step step, const grpc_op *op) {
  call->pending++;
  if (grpc_call_start_batch(call->call, op, 1, &call->tags[step], NULL) != GRPC_CALL_OK) abort();
}

void Accept(Port *port) {
  Call *call = calloc(1, sizeof *call);
  if (!call) abort();
  call->port = port;
  for (int step = 0; step < STEP_COUNT; step++) call->tags[step] = (Tag){call, step};
  grpc_call_details_init(&call->details);
  grpc_metadata_array_init(&call->metadata);
  call->pending = 1;
  grpc_call_error error = grpc_server_request_call(port->server, &call->call, &call->details,
                                                   &call->metadata, port->events, port->events,
                                                   &call->tags[STEP_ACCEPTED]);
  if (error != GRPC_CALL_OK) abort();
}

static bool hasPrefix(grpc_slice slice, const char *prefix) {
  size_t count = strlen(prefix);
  return GRPC_SLICE_LENGTH(slice) >= count &&
         memcmp(GRPC_SLICE_START_PTR(slice), prefix, count) == 0;
}

// The client's headers with a prefix, to be sent back under the same names.
static size_t chosen(Call *call, const char *prefix, grpc_metadata *into) {
  size_t count = 0;
  for (size_t i = 0; i < call->metadata.count && count < HEADERS_MAX - 1; i++) {
    if (hasPrefix(call->metadata.metadata[i].key, prefix)) {
      into[count++] = call->metadata.metadata[i];
    }
  }
  return count;
}

static void sendHeaders(Call *call) {
  grpc_metadata headers[HEADERS_MAX] = {0};
  grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
  op.data.send_initial_metadata.count = chosen(call, "initial-", headers);
  op.data.send_initial_metadata.metadata = headers;
  if (call->method->compresses) {
    grpc_metadata *algorithm = &headers[op.data.send_initial_metadata.count++];
    algorithm->key = grpc_slice_from_static_string("grpc-internal-encoding-request");
    algorithm->value = grpc_slice_from_static_string("gzip");
  }
  start(call, STEP_HEADERS, &op);
}

static void accepted(Call *call) {
  Accept(call->port);
  char *path = grpc_slice_to_c_string(call->details.method);
  const char *slash = strrchr(path, '/');
  call->method = FindMethod(slash ? slash + 1 : path);
  gpr_free(path);
  grpc_op closed = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
  closed.data.recv_close_on_server.cancelled = &call->cancelled;
  start(call, STEP_CLOSED, &closed);
  sendHeaders(call);
  if (call->method->begin) call->method->begin(call);
  if (call->method->reads) Receive(call);
}

void Receive(Call *call) {
  grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
  op.data.recv_message.recv_message = &call->incoming;
  start(call, STEP_RECEIVED, &op);
}

void Send(Call *call, grpc_byte_buffer *owned) {
  grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
  op.data.send_message.send_message = owned;
  start(call, STEP_SENT, &op);
  grpc_byte_buffer_destroy(owned);  // the core holds its slices
}

void Finish(Call *call, int code, const char *text) {
  grpc_metadata trailers[HEADERS_MAX] = {0};
  grpc_slice details = grpc_slice_from_copied_string(text);
  grpc_op op = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
  op.data.send_status_from_server.status = code;
  op.data.send_status_from_server.status_details = &details;
  op.data.send_status_from_server.trailing_metadata_count = chosen(call, "trailing-", trailers);
  op.data.send_status_from_server.trailing_metadata = trailers;
  call->finishing = true;
  start(call, STEP_FINISHED, &op);
  grpc_slice_unref(details);
}

// The core has no timer for C: the loop waits no longer than for the first of these.
static Call *asleep;

void WaitUntil(Call *call, gpr_timespec due) {
  call->due = due;
  Call **link = &asleep;
  while (*link && gpr_time_cmp((*link)->due, due) <= 0) link = &(*link)->nextAsleep;
  call->nextAsleep = *link;
  *link = call;
  call->pending++;
}

void Wait(Call *call, long milliseconds) {
  WaitUntil(call, gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                               gpr_time_from_millis(milliseconds, GPR_TIMESPAN)));
}

// The core counts in milliseconds: it would give back the last of them again and again, empty.
gpr_timespec NextDue(void) {
  if (!asleep) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(asleep->due, gpr_time_from_millis(1, GPR_TIMESPAN));
}

static void destroy(Call *call) {
  grpc_call_details_destroy(&call->details);
  grpc_metadata_array_destroy(&call->metadata);
  if (call->kept) grpc_byte_buffer_destroy(call->kept);
  if (call->call) grpc_call_unref(call->call);
  free(call);
}

// A batch that failed, or a call that the client gave up, goes no further.
static void advance(Call *call, Step step, bool success) {
  bool ended = call->cancelled || call->finishing;
  if (step == STEP_ACCEPTED && success) return accepted(call);
  if (step == STEP_RECEIVED) {
    grpc_byte_buffer *message = call->incoming;
    call->incoming = NULL;
    if (!ended) return call->method->received(call, message);
    if (message) grpc_byte_buffer_destroy(message);
  }
  if (ended || !success) return;
  if (step == STEP_SENT && call->method->sent) call->method->sent(call);
}

static void release(Call *call) {
  if (--call->pending == 0) destroy(call);
}

void Proceed(Tag *tag, bool success) {
  advance(tag->call, tag->step, success);
  release(tag->call);
}

// A call that the client gave up sleeps its time out, and then does nothing.
void WakeDue(void) {
  gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
  while (asleep && gpr_time_cmp(asleep->due, now) <= 0) {
    Call *call = asleep;
    asleep = call->nextAsleep;
    if (call->method->over) call->method->over(call);
    if (!call->cancelled && !call->finishing) call->method->woken(call);
    release(call);
  }
}
