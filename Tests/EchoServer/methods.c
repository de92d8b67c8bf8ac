// What the test server can be asked for, by the last part of the path.
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "compact.h"

uint8_t *ReadAll(grpc_byte_buffer *message, size_t *count) {
  grpc_byte_buffer_reader reader;
  *count = 0;
  uint8_t *bytes = gpr_zalloc(grpc_byte_buffer_length(message) + 1);
  if (!grpc_byte_buffer_reader_init(&reader, message)) return bytes;
  grpc_slice slice;
  while (grpc_byte_buffer_reader_next(&reader, &slice)) {
    memcpy(bytes + *count, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
    *count += GRPC_SLICE_LENGTH(slice);
    grpc_slice_unref(slice);
  }
  grpc_byte_buffer_reader_destroy(&reader);
  return bytes;
}

// A small message as text; the message is destroyed.
static void readText(grpc_byte_buffer *message, char *into, size_t capacity) {
  grpc_byte_buffer_reader reader;
  into[0] = 0;
  if (message && grpc_byte_buffer_reader_init(&reader, message)) {
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    size_t count = GRPC_SLICE_LENGTH(all) < capacity ? GRPC_SLICE_LENGTH(all) : capacity - 1;
    memcpy(into, GRPC_SLICE_START_PTR(all), count);
    into[count] = 0;
    grpc_slice_unref(all);
    grpc_byte_buffer_reader_destroy(&reader);
  }
  if (message) grpc_byte_buffer_destroy(message);
}

grpc_byte_buffer *Buffer(grpc_slice owned) {
  grpc_byte_buffer *made = grpc_raw_byte_buffer_create(&owned, 1);
  grpc_slice_unref(owned);
  return made;
}

static grpc_byte_buffer *textBuffer(const char *text) {
  return Buffer(grpc_slice_from_copied_string(text));
}

static void finishWell(Call *call) { Finish(call, GRPC_STATUS_OK, ""); }

static void echo(Call *call, grpc_byte_buffer *message) {
  if (message) return Send(call, message);
  Finish(call, GRPC_STATUS_INVALID_ARGUMENT, "there is no message");
}

// "MILLISECONDS": the same text, so many milliseconds later.
static void slow(Call *call, grpc_byte_buffer *message) {
  readText(message, call->text, sizeof call->text);
  Wait(call, strtol(call->text, NULL, 10));
}
static void slowOver(Call *call) { Send(call, textBuffer(call->text)); }

// "COUNT": so many bytes, byte i being i * 31 + i / 256 in its low eight bits.
static void large(Call *call, grpc_byte_buffer *message) {
  readText(message, call->text, sizeof call->text);
  size_t count = strtoull(call->text, NULL, 10);
  grpc_slice slice = grpc_slice_malloc_large(count);
  uint8_t *bytes = GRPC_SLICE_START_PTR(slice);
  for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(i * 31 + i / 256);
  Send(call, Buffer(slice));
}

// "BYTES ALGORITHM" of the message as it came; compressed only for a server that leaves it so.
static void length(Call *call, grpc_byte_buffer *message) {
  if (!message) return Finish(call, GRPC_STATUS_INVALID_ARGUMENT, "there is no message");
  snprintf(call->text, sizeof call->text, "%zu %d", grpc_byte_buffer_length(message),
           (int)message->data.raw.compression);
  grpc_byte_buffer_destroy(message);
  Send(call, textBuffer(call->text));
}

// "CODE TEXT": that status.
static void fail(Call *call, grpc_byte_buffer *message) {
  readText(message, call->text, sizeof call->text);
  char *text = call->text;
  int code = (int)strtol(call->text, &text, 10);
  Finish(call, code, *text == ' ' ? text + 1 : text);
}

static void ignore(Call *call, grpc_byte_buffer *message) {
  (void)call;
  if (message) grpc_byte_buffer_destroy(message);
}

static void endAtOnce(Call *call, grpc_byte_buffer *message) {
  ignore(call, message);
  finishWell(call);
}

static void echoStream(Call *call, grpc_byte_buffer *message) {
  if (message) return Send(call, message);
  finishWell(call);
}

// "COUNT CODE TEXT": so many messages, numbered from 0, then that status.
static void sendNext(Call *call) {
  if (call->next == call->count) return Finish(call, call->code, call->text);
  char number[32];
  snprintf(number, sizeof number, "%ld", call->next++);
  Send(call, textBuffer(number));
}
static void messages(Call *call, grpc_byte_buffer *message) {
  char wish[256];
  readText(message, wish, sizeof wish);
  char *rest = wish;
  call->count = strtol(wish, &rest, 10);
  call->code = (int)strtol(rest, &rest, 10);
  snprintf(call->text, sizeof call->text, "%s", *rest == ' ' ? rest + 1 : rest);
  sendNext(call);
}

// Reads until the client has finished; then "MESSAGES BYTES".
static void swallow(Call *call, grpc_byte_buffer *message) {
  if (message) {
    call->count++;
    call->bytes += (long)grpc_byte_buffer_length(message);
    grpc_byte_buffer_destroy(message);
    return Receive(call);
  }
  snprintf(call->text, sizeof call->text, "%ld %ld", call->count, call->bytes);
  Send(call, textBuffer(call->text));
}

static void unknown(Call *call) {
  Finish(call, GRPC_STATUS_UNIMPLEMENTED, "the test server has no such method");
}

static const Method methods[] = {
    {.name = "Echo", .reads = true, .received = echo, .sent = finishWell},
    {.name = "EchoCompressed", .reads = true, .received = echo, .sent = finishWell,
     .compresses = true},
    {.name = "Slow", .reads = true, .received = slow, .woken = slowOver, .sent = finishWell},
    {.name = "Large", .reads = true, .received = large, .sent = finishWell},
    {.name = "Length", .reads = true, .received = length, .sent = finishWell},
    {.name = "Fail", .reads = true, .received = fail},
    {.name = "Empty", .reads = true, .received = endAtOnce},
    {.name = "Silent", .reads = true, .received = ignore},
    {.name = "Deaf"},
    {.name = "EarlyEnd", .begin = finishWell},
    {.name = "EchoStream", .reads = true, .received = echoStream, .sent = Receive},
    {.name = "Messages", .reads = true, .received = messages, .sent = sendNext},
    {.name = "Swallow", .reads = true, .received = swallow, .sent = finishWell},
};

// Triton's methods: see scripted.c, and compact.c for a server that is a model.
static const Method scripted = {.name = "", .reads = true, .received = ScriptedReceived,
                                .woken = ScriptedWoken, .sent = ScriptedSent};

const Method *FindMethod(const char *name) {
  static const Method none = {.name = "", .begin = unknown};
  const Method *compact = FindCompactMethod(name);
  if (compact) return compact;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (strcmp(methods[i].name, name) == 0) return &methods[i];
  }
  static const char *const triton[] = {"Model", "Server", "Repository", "SystemShared", "CudaShared"};
  for (size_t i = 0; i < sizeof triton / sizeof *triton; i++) {
    if (strncmp(name, triton[i], strlen(triton[i])) == 0) return &scripted;
  }
  return &none;
}
