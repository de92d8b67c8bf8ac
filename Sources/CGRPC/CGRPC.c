#include "CGRPC.h"

#include <stdlib.h>
#include <string.h>

gpr_timespec CGRPCDeadline(int64_t nanoseconds) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(nanoseconds, GPR_TIMESPAN));
}

CGRPCCall *CGRPCCallCreate(grpc_channel *channel, grpc_completion_queue *queue, grpc_slice method,
                           int64_t nanoseconds) {
  CGRPCCall *made = calloc(1, sizeof *made);
  if (!made) abort();
  made->call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, method,
                                        NULL, CGRPCDeadline(nanoseconds), NULL);
  made->details = grpc_empty_slice();
  grpc_metadata_array_init(&made->initial);
  grpc_metadata_array_init(&made->trailing);
  return made;
}

void CGRPCCallDestroy(CGRPCCall *call) {
  for (size_t i = 0; i < call->sentCount; i++) {
    grpc_slice_unref(call->sent[i].key);
    grpc_slice_unref(call->sent[i].value);
  }
  free(call->sent);
  grpc_metadata_array_destroy(&call->initial);
  grpc_metadata_array_destroy(&call->trailing);
  if (call->received) grpc_byte_buffer_destroy(call->received);
  grpc_slice_unref(call->details);
  gpr_free((void *)call->debug);
  grpc_call_unref(call->call);
  free(call);
}

void CGRPCCallSend(CGRPCCall *call, const void *key, size_t keyCount, const void *value,
                   size_t valueCount) {
  if (call->sentCount == call->sentCapacity) {
    call->sentCapacity = call->sentCapacity ? call->sentCapacity * 2 : 4;
    call->sent = realloc(call->sent, call->sentCapacity * sizeof *call->sent);
    if (!call->sent) abort();
  }
  grpc_metadata *entry = &call->sent[call->sentCount++];
  memset(entry, 0, sizeof *entry);
  entry->key = grpc_slice_from_copied_buffer(key, keyCount);
  entry->value = grpc_slice_from_copied_buffer(value, valueCount);
}

static grpc_op sendMetadata(CGRPCCall *call, uint32_t flags) {
  grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = flags};
  op.data.send_initial_metadata.count = call->sentCount;
  op.data.send_initial_metadata.metadata = call->sent;
  return op;
}

static grpc_op receiveMetadata(CGRPCCall *call) {
  grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};
  op.data.recv_initial_metadata.recv_initial_metadata = &call->initial;
  return op;
}

static grpc_op sendMessage(grpc_byte_buffer *message) {
  grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
  op.data.send_message.send_message = message;
  return op;
}

static grpc_op receiveMessage(CGRPCCall *call) {
  grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
  op.data.recv_message.recv_message = &call->received;
  return op;
}

static grpc_op receiveStatus(CGRPCCall *call) {
  grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
  op.data.recv_status_on_client.trailing_metadata = &call->trailing;
  op.data.recv_status_on_client.status = &call->status;
  op.data.recv_status_on_client.status_details = &call->details;
  op.data.recv_status_on_client.error_string = &call->debug;
  return op;
}

static grpc_call_error start(CGRPCCall *call, const grpc_op *ops, size_t count, void *tag) {
  return grpc_call_start_batch(call->call, ops, count, tag, NULL);
}

grpc_call_error CGRPCStartUnary(CGRPCCall *call, grpc_byte_buffer *request, uint32_t flags,
                                void *tag) {
  grpc_op ops[] = {sendMetadata(call, flags), sendMessage(request),
                   {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, receiveMetadata(call),
                   receiveMessage(call), receiveStatus(call)};
  return start(call, ops, sizeof ops / sizeof *ops, tag);
}

grpc_call_error CGRPCStartStream(CGRPCCall *call, uint32_t flags, void *tag) {
  grpc_op ops[] = {sendMetadata(call, flags), receiveMetadata(call)};
  return start(call, ops, 2, tag);
}

grpc_call_error CGRPCStartStatus(CGRPCCall *call, void *tag) {
  grpc_op op = receiveStatus(call);
  return start(call, &op, 1, tag);
}

grpc_call_error CGRPCStartSend(CGRPCCall *call, grpc_byte_buffer *message, void *tag) {
  grpc_op op = sendMessage(message);
  return start(call, &op, 1, tag);
}

grpc_call_error CGRPCStartClose(CGRPCCall *call, void *tag) {
  grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
  return start(call, &op, 1, tag);
}

grpc_call_error CGRPCStartReceive(CGRPCCall *call, void *tag) {
  grpc_op op = receiveMessage(call);
  return start(call, &op, 1, tag);
}

grpc_call_error CGRPCPost(CGRPCCall *call, void *tag) { return start(call, NULL, 0, tag); }
