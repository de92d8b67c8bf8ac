// What the simulated server tells of itself and of its model, in Triton's words.
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CTritonProtocol.h"
#include "compact.h"

const Tensor compactInputs[INPUTS] = {
    {"input_ids", "INT64", INFERENCE__DATA_TYPE__TYPE_INT64, {-1}},
    {"token_type_ids", "INT64", INFERENCE__DATA_TYPE__TYPE_INT64, {-1}},
    {"attention_mask", "FP32", INFERENCE__DATA_TYPE__TYPE_FP32, {-1}},
};
const Tensor compactOutputs[OUTPUTS] = {
    {"triples", "INT32", INFERENCE__DATA_TYPE__TYPE_INT32, {TRIPLES, 5}},
    {"scores", "FP32", INFERENCE__DATA_TYPE__TYPE_FP32, {TRIPLES, 4}},
    {"spans", "INT32", INFERENCE__DATA_TYPE__TYPE_INT32, {2, SPANS, 2}},
    {"span_scores", "FP32", INFERENCE__DATA_TYPE__TYPE_FP32, {2, SPANS}},
    {"not_finite", "INT32", INFERENCE__DATA_TYPE__TYPE_INT32, {1}},
};

size_t TensorRank(const Tensor *tensor) {
  size_t count = 0;
  while (count < DIMENSIONS_MAX && tensor->dims[count] != 0) count++;
  return count;
}

grpc_byte_buffer *PackMessage(const void *message) {
  grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
  protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
  return Buffer(slice);
}

typedef Inference__ModelMetadataResponse__TensorMetadata TensorMetadata;

static void describe(const Tensor *tensor, TensorMetadata *into, int64_t *shape) {
  inference__model_metadata_response__tensor_metadata__init(into);
  (into->name = tensor->name), (into->datatype = tensor->datatype);
  shape[0] = -1;
  memcpy(shape + 1, tensor->dims, sizeof tensor->dims);
  (into->shape = shape), (into->n_shape = 1 + TensorRank(tensor));
}

void SendModelMetadata(Call *call, grpc_byte_buffer *message) {
  grpc_byte_buffer_destroy(message);
  TensorMetadata tensors[INPUTS + OUTPUTS], *list[INPUTS + OUTPUTS];
  int64_t shapes[INPUTS + OUTPUTS][DIMENSIONS_MAX + 1];
  for (int i = 0; i < INPUTS + OUTPUTS; i++) {
    describe(i < INPUTS ? &compactInputs[i] : &compactOutputs[i - INPUTS], &tensors[i], shapes[i]);
    list[i] = &tensors[i];
  }
  char *versions[] = {"1"};
  Inference__ModelMetadataResponse answer = INFERENCE__MODEL_METADATA_RESPONSE__INIT;
  answer.name = (char *)compactModel.model;
  answer.platform = "onnxruntime_onnx";
  (answer.n_versions = 1), (answer.versions = versions);
  (answer.n_inputs = INPUTS), (answer.inputs = list);
  (answer.n_outputs = OUTPUTS), (answer.outputs = list + INPUTS);
  Send(call, PackMessage(&answer));
}

void SendModelConfiguration(Call *call, grpc_byte_buffer *message) {
  grpc_byte_buffer_destroy(message);
  Inference__ModelInput taken[INPUTS], *takenList[INPUTS];
  Inference__ModelOutput given[OUTPUTS], *givenList[OUTPUTS];
  for (int i = 0; i < INPUTS; i++) {
    inference__model_input__init(&taken[i]);
    taken[i].name = compactInputs[i].name;
    taken[i].data_type = (Inference__DataType)compactInputs[i].type;
    (taken[i].dims = (int64_t *)compactInputs[i].dims), (taken[i].n_dims = TensorRank(&compactInputs[i]));
    takenList[i] = &taken[i];
  }
  for (int i = 0; i < OUTPUTS; i++) {
    inference__model_output__init(&given[i]);
    given[i].name = compactOutputs[i].name;
    given[i].data_type = (Inference__DataType)compactOutputs[i].type;
    (given[i].dims = (int64_t *)compactOutputs[i].dims), (given[i].n_dims = TensorRank(&compactOutputs[i]));
    givenList[i] = &given[i];
  }
  Inference__ModelDynamicBatching batching = INFERENCE__MODEL_DYNAMIC_BATCHING__INIT;
  Inference__ModelInstanceGroup group = INFERENCE__MODEL_INSTANCE_GROUP__INIT, *groups = &group;
  group.count = compactModel.instances;
  group.kind = INFERENCE__MODEL_INSTANCE_GROUP__KIND__KIND_CPU;
  Inference__ModelConfig config = INFERENCE__MODEL_CONFIG__INIT;
  (config.name = (char *)compactModel.model), (config.platform = "onnxruntime_onnx");
  config.max_batch_size = compactModel.maxBatch;
  (config.n_input = INPUTS), (config.input = takenList);
  (config.n_output = OUTPUTS), (config.output = givenList);
  (config.n_instance_group = 1), (config.instance_group = &groups);
  config.scheduling_choice_case = INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_DYNAMIC_BATCHING;
  config.dynamic_batching = &batching;
  Inference__ModelConfigResponse answer = INFERENCE__MODEL_CONFIG_RESPONSE__INIT;
  answer.config = &config;
  Send(call, PackMessage(&answer));
}

void SendRepositoryIndex(Call *call, grpc_byte_buffer *message) {
  grpc_byte_buffer_destroy(message);
  typedef Inference__RepositoryIndexResponse__ModelIndex Entry;
  Entry entry = INFERENCE__REPOSITORY_INDEX_RESPONSE__MODEL_INDEX__INIT, *entries = &entry;
  (entry.name = (char *)compactModel.model), (entry.version = "1"), (entry.state = "READY");
  Inference__RepositoryIndexResponse answer = INFERENCE__REPOSITORY_INDEX_RESPONSE__INIT;
  (answer.n_models = 1), (answer.models = &entries);
  Send(call, PackMessage(&answer));
}

void SendServerMetadata(Call *call, grpc_byte_buffer *message) {
  grpc_byte_buffer_destroy(message);
  Inference__ServerMetadataResponse answer = INFERENCE__SERVER_METADATA_RESPONSE__INIT;
  (answer.name = "simulated"), (answer.version = "1");
  Send(call, PackMessage(&answer));
}
