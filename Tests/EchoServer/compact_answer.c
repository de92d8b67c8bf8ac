// A row's triples out of a hash of its real tokens: about 2.1 a sentence, each span within it.
#include <float.h>

#include "compact.h"

enum { SPAN_TOKENS = 4 };

static uint64_t mixed(uint64_t state) {
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EBu;
  return state ^ (state >> 31);
}

typedef struct {
  int32_t first, last;
  float score;
} Span;

// A span of the row's tokens 1...inside: neither the first nor the last real one.
static Span drawn(uint64_t hash, long inside) {
  long first = 1 + (long)(hash % (uint64_t)inside);
  long last = first + (long)((hash >> 32) % SPAN_TOKENS);
  if (last > inside) last = inside;
  return (Span){(int32_t)first, (int32_t)last, 1 + (float)((hash >> 48) & 1023) / 256};
}

// Lists a span once; the score is that of its first listing, so that all mentions agree.
static Span listed(CompactTensors into, long row, int kind, int *count, Span span) {
  int32_t(*spans)[2] = into.spans[row][kind];
  float *scores = into.spanScores[row][kind];
  for (int i = 0; i < *count; i++) {
    if (spans[i][0] == span.first && spans[i][1] == span.last) {
      span.score = scores[i];
      return span;
    }
  }
  (spans[*count][0] = span.first), (spans[*count][1] = span.last);
  scores[(*count)++] = span.score;
  return span;
}

static void clear(CompactTensors into, long row) {
  for (int i = 0; i < TRIPLES; i++) {
    for (int part = 0; part < 4; part++) into.scores[row][i][part] = -FLT_MAX;
  }
  for (int i = 0; i < 2 * SPANS; i++) into.spanScores[row][i / SPANS][i % SPANS] = -FLT_MAX;
}

static void put(CompactTensors into, long row, int place, int predicate, Span subject,
                Span object) {
  int32_t *triple = into.triples[row][place];
  float *scores = into.scores[row][place];
  triple[0] = predicate;
  (triple[1] = subject.first), (triple[2] = subject.last);
  (triple[3] = object.first), (triple[4] = object.last);
  (scores[0] = subject.score), (scores[1] = object.score), (scores[2] = 2), (scores[3] = 2);
}

void AnswerRow(CompactTensors into, long row, const int64_t *ids, const float *mask, long length) {
  static const int counts[] = {1, 2, 2, 2, 3, 2, 1, 3, 2, 3};
  uint64_t hash = 0x9E3779B97F4A7C15u;
  long tokens = 0;
  for (long i = 0; i < length; i++) {
    if (mask[i] <= 0) continue;
    hash = mixed(hash + (uint64_t)ids[i]);
    tokens++;
  }
  clear(into, row);
  if (tokens < 3) return;
  int wanted = counts[hash % 10], subjects = 0, objects = 0;
  if (wanted > compactModel.predicates) wanted = compactModel.predicates;
  for (int i = 0; i < wanted; i++) {
    Span subject = drawn(mixed(hash + 3), tokens - 2);
    Span object = drawn(mixed(hash + 7 + (uint64_t)i), tokens - 2);
    subject = listed(into, row, 0, &subjects, subject);
    object = listed(into, row, 1, &objects, object);
    // Neighbors of the first predicate are others: no triple stands twice.
    int predicate = (int)((hash / 10 + (uint64_t)i) % (uint64_t)compactModel.predicates);
    put(into, row, i, predicate, subject, object);
  }
}
