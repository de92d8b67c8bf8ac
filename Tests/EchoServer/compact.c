// The simulated server's calls and its queue; see compact.h.
#include "compact.h"

#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CTritonProtocol.h"

CompactModel compactModel = {.model = "spo_compact", .predicates = 56, .maxBatch = 24,
                             .instances = 1, .factors = {1}, .factorCount = 1};

static bool setFactors(const char *list) {
  compactModel.factorCount = 0;
  for (const char *text = list; compactModel.factorCount < FACTORS_MAX; text++) {
    char *end;
    double factor = strtod(text, &end);
    if (end == text || factor <= 0) return false;
    compactModel.factors[compactModel.factorCount++] = factor;
    if (*end != ',') return *end == 0;
    text = end;
  }
  return false;
}

bool SetCompactOption(const char *name, const char *value) {
  struct { const char *name; int *value, least, most; } counts[] = {
      {"--predicates", &compactModel.predicates, 1, 100000},
      {"--max-batch", &compactModel.maxBatch, 1, 65536},
      {"--instances", &compactModel.instances, 1, INSTANCES_MAX},
      {"--queue", &compactModel.queue, 0, 1 << 20},
  };
  char *end;
  double number = strtod(value, &end);
  bool isNumber = *value && *end == 0 && number >= 0;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    if (strcmp(name, counts[i].name) != 0) continue;
    *counts[i].value = (int)number;
    return isNumber && number >= counts[i].least && number <= counts[i].most;
  }
  if (strcmp(name, "--model") == 0) return compactModel.model = value, *value != 0;
  if (strcmp(name, "--slow-factor") == 0) return setFactors(value);
  if (strcmp(name, "--service-ms") == 0) return compactModel.serviceMs = number, isNumber;
  if (strcmp(name, "--per-row-us") == 0) return compactModel.perRowMicros = number, isNumber;
  if (strcmp(name, "--down-after") == 0) return compactModel.downAfter = (long)number, isNumber;
  return false;
}

static void finishWell(Call *call) { Finish(call, GRPC_STATUS_OK, ""); }

// Every yes of Triton's is one Boolean field of number 1.
static void sendYes(Call *call, grpc_byte_buffer *message) {
  if (message) grpc_byte_buffer_destroy(message);
  Send(call, Buffer(grpc_slice_from_static_buffer("\x08\x01", 2)));
}

typedef Inference__ModelInferRequest Request;

// The raw bytes of an input, which must have `size` bytes; null when it is not so.
static const void *rawInput(const Request *request, const char *name, size_t size) {
  for (size_t i = 0; i < request->n_inputs && i < request->n_raw_input_contents; i++) {
    if (strcmp(request->inputs[i]->name, name) != 0) continue;
    return request->raw_input_contents[i].len == size ? request->raw_input_contents[i].data : NULL;
  }
  return NULL;
}

static bool shapeOf(const Request *request, long *rows, long *length) {
  for (size_t i = 0; i < request->n_inputs; i++) {
    const Inference__ModelInferRequest__InferInputTensor *input = request->inputs[i];
    if (strcmp(input->name, "input_ids") != 0 || input->n_shape != 2) continue;
    (*rows = (long)input->shape[0]), (*length = (long)input->shape[1]);
    return *rows >= 1 && *rows <= compactModel.maxBatch && *length >= 1 && *length <= 65536;
  }
  return false;
}

static grpc_byte_buffer *packed(long rows, void *const tensors[OUTPUTS]) {
  Inference__ModelInferResponse answer = INFERENCE__MODEL_INFER_RESPONSE__INIT;
  Inference__ModelInferResponse__InferOutputTensor list[OUTPUTS], *links[OUTPUTS];
  ProtobufCBinaryData bytes[OUTPUTS];
  int64_t shapes[OUTPUTS][1 + DIMENSIONS_MAX];
  for (int i = 0; i < OUTPUTS; i++) {
    inference__model_infer_response__infer_output_tensor__init(&list[i]);
    links[i] = &list[i];
    const Tensor *tensor = &compactOutputs[i];
    (list[i].name = tensor->name), (list[i].datatype = tensor->datatype);
    (list[i].shape = shapes[i]), (list[i].n_shape = 1 + TensorRank(tensor));
    size_t size = 4 * (size_t)(shapes[i][0] = rows);
    for (size_t d = 0; d < TensorRank(tensor); d++) {
      size *= (size_t)(shapes[i][d + 1] = tensor->dims[d]);
    }
    bytes[i] = (ProtobufCBinaryData){.len = size, .data = tensors[i]};
  }
  (answer.model_name = (char *)compactModel.model), (answer.model_version = "1");
  (answer.n_outputs = OUTPUTS), (answer.outputs = links);
  (answer.n_raw_output_contents = OUTPUTS), (answer.raw_output_contents = bytes);
  return PackMessage(&answer);
}

static grpc_byte_buffer *answer(const Request *request, long rows, long length) {
  size_t cells = (size_t)rows * (size_t)length;
  const int64_t *ids = rawInput(request, "input_ids", cells * sizeof *ids);
  const float *mask = rawInput(request, "attention_mask", cells * sizeof *mask);
  if (!ids || !mask) return NULL;
  CompactTensors made;
  made.triples = gpr_zalloc((size_t)rows * sizeof *made.triples);
  made.scores = gpr_malloc((size_t)rows * sizeof *made.scores);
  made.spans = gpr_zalloc((size_t)rows * sizeof *made.spans);
  made.spanScores = gpr_malloc((size_t)rows * sizeof *made.spanScores);
  int32_t *notFinite = gpr_zalloc((size_t)rows * sizeof *notFinite);
  for (long row = 0; row < rows; row++) {
    AnswerRow(made, row, ids + row * length, mask + row * length, length);
  }
  void *tensors[OUTPUTS] = {made.triples, made.scores, made.spans, made.spanScores, notFinite};
  grpc_byte_buffer *buffer = packed(rows, tensors);
  for (int i = 0; i < OUTPUTS; i++) gpr_free(tensors[i]);
  return buffer;
}

// When a request that comes now is served: by the instance that is free first, which goes on where
// its last request ended, however late the loop is.
static gpr_timespec served(Port *port, long rows) {
  gpr_timespec *first = &port->busyUntil[0];
  for (int i = 1; i < compactModel.instances; i++) {
    if (gpr_time_cmp(port->busyUntil[i], *first) < 0) first = &port->busyUntil[i];
  }
  double micros = compactModel.serviceMs * 1000 + compactModel.perRowMicros * (double)rows;
  gpr_timespec start = gpr_time_max(gpr_now(GPR_CLOCK_MONOTONIC), *first);
  gpr_timespec time = gpr_time_from_nanos((int64_t)(micros * port->factor * 1000), GPR_TIMESPAN);
  return *first = gpr_time_add(start, time);
}

static void infer(Call *call, const Request *request) {
  long rows = 0, length = 0;
  if (!request || !shapeOf(request, &rows, &length)) {
    return Finish(call, GRPC_STATUS_INVALID_ARGUMENT, "input_ids must be [rows, tokens]");
  }
  if (strcmp(request->model_name, compactModel.model) != 0) {
    snprintf(call->text, sizeof call->text, "Request for unknown model: '%.99s' is not found",
             request->model_name);
    return Finish(call, GRPC_STATUS_NOT_FOUND, call->text);
  }
  if (compactModel.queue > 0 && call->port->waiting >= compactModel.queue + compactModel.instances) {
    return Finish(call, GRPC_STATUS_UNAVAILABLE, "Exceeds maximum queue size");
  }
  call->kept = answer(request, rows, length);
  if (!call->kept) {
    return Finish(call, GRPC_STATUS_INVALID_ARGUMENT, "input_ids and attention_mask do not agree");
  }
  call->port->waiting++;
  WaitUntil(call, served(call->port, rows));
}

static void received(Call *call, grpc_byte_buffer *message) {
  if (!message) return Finish(call, GRPC_STATUS_INVALID_ARGUMENT, "there is no message");
  size_t count;
  uint8_t *bytes = ReadAll(message, &count);
  grpc_byte_buffer_destroy(message);
  Request *request = inference__model_infer_request__unpack(NULL, count, bytes);
  gpr_free(bytes);
  infer(call, request);
  if (request) inference__model_infer_request__free_unpacked(request, NULL);
}

static void over(Call *call) { call->port->waiting--; }

static void woken(Call *call) {
  grpc_byte_buffer *kept = call->kept;
  call->kept = NULL;
  Send(call, kept);
}

static void sent(Call *call) {
  static long answered;
  finishWell(call);
  if (++answered == compactModel.downAfter) _exit(1);
}

const Method *FindCompactMethod(const char *name) {
  static const Method methods[] = {
      {.name = "ServerLive", .reads = true, .received = sendYes, .sent = finishWell},
      {.name = "ServerReady", .reads = true, .received = sendYes, .sent = finishWell},
      {.name = "ModelReady", .reads = true, .received = sendYes, .sent = finishWell},
      {.name = "Check", .reads = true, .received = sendYes, .sent = finishWell},
      {.name = "ServerMetadata", .reads = true, .received = SendServerMetadata, .sent = finishWell},
      {.name = "ModelMetadata", .reads = true, .received = SendModelMetadata, .sent = finishWell},
      {.name = "ModelConfig", .reads = true, .received = SendModelConfiguration,
       .sent = finishWell},
      {.name = "RepositoryIndex", .reads = true, .received = SendRepositoryIndex,
       .sent = finishWell},
      {.name = "ModelInfer", .reads = true, .received = received, .over = over, .woken = woken,
       .sent = sent},
  };
  if (!compactModel.isOn) return NULL;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (strcmp(methods[i].name, name) == 0) return &methods[i];
  }
  return NULL;
}
