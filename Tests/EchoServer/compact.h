// A port that stands for a server with one compact relation model: Triton's answers about it, and
// triples after a service time. What a row is answered depends on its own ids alone.
//   --compact [--model NAME] [--predicates P] [--max-batch ROWS] [--instances K] [--queue N]
//   [--service-ms MS] [--per-row-us US] [--slow-factor F,F,…] [--down-after N]
// A request keeps one of K instances busy for (MS + US · rows) · F, so a port answers
// K / that many requests a second; factors go round over the ports. More than N requests beside
// those being served are refused as Triton's queue refuses them (0: any number waits). After N
// answered requests the process ends, as in a crash.
#pragma once

#include <stdint.h>

#include "call.h"

enum { SPANS = 32, TRIPLES = 64, FACTORS_MAX = 64 };

typedef struct {
  int isOn, predicates, maxBatch, instances, queue;
  long downAfter;
  double serviceMs, perRowMicros;
  const char *model;
  double factors[FACTORS_MAX];
  int factorCount;
} CompactModel;

extern CompactModel compactModel;

// Takes an option and its value; whether there is such an option and the value fits it.
bool SetCompactOption(const char *name, const char *value);
// Triton's method of that name as the model's server answers it; null when the process has none.
const Method *FindCompactMethod(const char *name);

// The model's answer to rows of ids [rows, length], mask 1 for a real token; all tensors [rows, …].
typedef struct {
  int32_t (*triples)[TRIPLES][5];
  float (*scores)[TRIPLES][4];
  int32_t (*spans)[2][SPANS][2];
  float (*spanScores)[2][SPANS];
} CompactTensors;
void AnswerRow(CompactTensors into, long row, const int64_t *ids, const float *mask, long length);

// A tensor of the contract; dims are those behind the batch, 0 ends them.
enum { INPUTS = 3, OUTPUTS = 5, DIMENSIONS_MAX = 4 };
typedef struct {
  char *name, *datatype;
  int type;
  int64_t dims[DIMENSIONS_MAX];
} Tensor;
extern const Tensor compactInputs[INPUTS], compactOutputs[OUTPUTS];
size_t TensorRank(const Tensor *tensor);

// compact_metadata.c: what is told of the server and its model.
grpc_byte_buffer *PackMessage(const void *message);
void SendModelMetadata(Call *call, grpc_byte_buffer *message);
void SendModelConfiguration(Call *call, grpc_byte_buffer *message);
void SendRepositoryIndex(Call *call, grpc_byte_buffer *message);
void SendServerMetadata(Call *call, grpc_byte_buffer *message);
