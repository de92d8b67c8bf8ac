// Triton's methods as a test wishes them, call by call, by headers of the call:
//   answer-bin        the message to answer with
//   fail-key          names a count of calls that this process keeps
//   fail-times        so many calls of that key fail before the first one is answered
//   fail-code, fail-text, fail-delay   how they fail, and after how many milliseconds
//   answer-delay      milliseconds before the answer
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

enum { KEYS_MAX = 64 };

static struct {
  char name[64];
  long calls;
} keys[KEYS_MAX];

static const grpc_slice *header(const Call *call, const char *name) {
  for (size_t i = 0; i < call->metadata.count; i++) {
    if (grpc_slice_str_cmp(call->metadata.metadata[i].key, name) == 0) {
      return &call->metadata.metadata[i].value;
    }
  }
  return NULL;
}

static long number(const Call *call, const char *name) {
  const grpc_slice *value = header(call, name);
  if (!value) return 0;
  char *text = grpc_slice_to_c_string(*value);
  long parsed = strtol(text, NULL, 10);
  gpr_free(text);
  return parsed;
}

// Which call of its key it is; 1 for a call without one.
static long counted(const Call *call) {
  const grpc_slice *value = header(call, "fail-key");
  if (!value) return 1;
  char *name = grpc_slice_to_c_string(*value);
  long calls = 0;
  for (int i = 0; i < KEYS_MAX && calls == 0; i++) {
    if (!keys[i].name[0]) snprintf(keys[i].name, sizeof keys[i].name, "%s", name);
    if (strcmp(keys[i].name, name) == 0) calls = ++keys[i].calls;
  }
  gpr_free(name);
  return calls;
}

static void answer(Call *call) {
  const grpc_slice *bytes = header(call, "answer-bin");
  grpc_slice copy = bytes ? grpc_slice_copy(*bytes) : grpc_empty_slice();
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&copy, 1);
  grpc_slice_unref(copy);
  Send(call, message);
}

static void proceed(Call *call) {
  if (call->count > number(call, "fail-times")) return answer(call);
  const grpc_slice *text = header(call, "fail-text");
  char *words = text ? grpc_slice_to_c_string(*text) : NULL;
  Finish(call, (int)number(call, "fail-code"), words ? words : "");
  gpr_free(words);
}

void ScriptedReceived(Call *call, grpc_byte_buffer *message) {
  if (message) grpc_byte_buffer_destroy(message);
  call->count = counted(call);
  bool fails = call->count <= number(call, "fail-times");
  long delay = number(call, fails ? "fail-delay" : "answer-delay");
  if (delay > 0) return Wait(call, delay);
  proceed(call);
}

void ScriptedWoken(Call *call) { proceed(call); }

void ScriptedSent(Call *call) { Finish(call, GRPC_STATUS_OK, ""); }
