// gRPC's C core as Swift can use it: unions, macros and out-parameters become functions, and one
// struct owns all that the core may touch while a call is in flight. Decisions are made in Swift.
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/slice_buffer.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stddef.h>
#include <stdint.h>

// A call, the metadata it sends and every place the core writes its answers to.
// Lives on the heap at one address from CGRPCCallCreate to CGRPCCallDestroy.
typedef struct CGRPCCall {
  grpc_call *_Nonnull call;
  grpc_metadata *_Nullable sent;
  size_t sentCount;
  size_t sentCapacity;
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_byte_buffer *_Nullable received;
  grpc_status_code status;
  grpc_slice details;
  const char *_Nullable debug;
} CGRPCCall;

// nanoseconds: from now on the monotonic clock.
CGRPCCall *_Nonnull CGRPCCallCreate(grpc_channel *_Nonnull channel,
                                    grpc_completion_queue *_Nonnull queue, grpc_slice method,
                                    int64_t nanoseconds);
// So many nanoseconds from now on the monotonic clock.
gpr_timespec CGRPCDeadline(int64_t nanoseconds);
// Only when no batch is in flight: metadata and status die with the call.
void CGRPCCallDestroy(CGRPCCall *_Nonnull call);
// Copies both; before the first batch only.
void CGRPCCallSend(CGRPCCall *_Nonnull call, const void *_Nonnull key, size_t keyCount,
                   const void *_Nullable value, size_t valueCount);

// Each of these is one batch with one tag; anything but GRPC_CALL_OK means that the tag stays here.
// The request stays the caller's until the tag returns.
grpc_call_error CGRPCStartUnary(CGRPCCall *_Nonnull call, grpc_byte_buffer *_Nonnull request,
                                uint32_t flags, void *_Nonnull tag);
grpc_call_error CGRPCStartStream(CGRPCCall *_Nonnull call, uint32_t flags, void *_Nonnull tag);
grpc_call_error CGRPCStartStatus(CGRPCCall *_Nonnull call, void *_Nonnull tag);
grpc_call_error CGRPCStartSend(CGRPCCall *_Nonnull call, grpc_byte_buffer *_Nonnull message,
                               void *_Nonnull tag);
grpc_call_error CGRPCStartClose(CGRPCCall *_Nonnull call, void *_Nonnull tag);
grpc_call_error CGRPCStartReceive(CGRPCCall *_Nonnull call, void *_Nonnull tag);
// Nothing to send or receive: the tag is back at once, whatever the call's state.
grpc_call_error CGRPCPost(CGRPCCall *_Nonnull call, void *_Nullable tag);

// The slices of a received buffer, where they lie; up to 23 bytes live inside the struct itself.
static inline grpc_slice *_Nullable CGRPCSlices(grpc_byte_buffer *_Nonnull buffer,
                                                size_t *_Nonnull count) {
  *count = buffer->data.raw.slice_buffer.count;
  return buffer->data.raw.slice_buffer.slices;
}
static inline const uint8_t *_Nonnull CGRPCSliceBytes(const grpc_slice *_Nonnull slice) {
  return GRPC_SLICE_START_PTR(*slice);
}
static inline size_t CGRPCSliceCount(const grpc_slice *_Nonnull slice) {
  return GRPC_SLICE_LENGTH(*slice);
}

// A channel argument; the value of a string is not copied.
static inline grpc_arg CGRPCInteger(char *_Nonnull key, int value) {
  return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = key, .value.integer = value};
}
static inline grpc_arg CGRPCString(char *_Nonnull key, char *_Nonnull value) {
  return (grpc_arg){.type = GRPC_ARG_STRING, .key = key, .value.string = value};
}
