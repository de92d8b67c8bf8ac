// Chooses among the builds of elementwise.inc once, by what the processor reports.
#include "CKernels.h"

struct spo_elementwise {
  void (*gelu)(float *, size_t);
  void (*add_layer_norm)(const float *, const float *, const float *, const float *, float, size_t,
                         size_t, float *);
  void (*softmax)(float *, size_t, size_t, size_t, float);
  void (*add_bias)(float *, size_t, size_t, size_t, const float *);
  float (*dot)(const float *, const float *, size_t);
};

#define SPO_NAME(x) base_##x
#define SPO_TARGET
#include "elementwise.inc"
#undef SPO_NAME
#undef SPO_TARGET

#if defined(__x86_64__)
#define SPO_NAME(x) avx2_##x
#define SPO_TARGET __attribute__((target("avx2,fma")))
#include "elementwise.inc"
#undef SPO_NAME
#undef SPO_TARGET

#define SPO_NAME(x) avx512_##x
#define SPO_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"), min_vector_width(512)))
#include "elementwise.inc"
#endif

static const struct spo_elementwise *chosen(void) {
#if defined(__x86_64__)
  if (spo_cpu_level() >= SPO_CPU_AVX512) return &avx512_table;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2_table;
#endif
  return &base_table;
}

void spo_gelu(float *x, size_t count) { chosen()->gelu(x, count); }

void spo_add_layer_norm(const float *x, const float *residual, const float *gamma,
                        const float *beta, float epsilon, size_t rows, size_t width, float *out) {
  chosen()->add_layer_norm(x, residual, gamma, beta, epsilon, rows, width, out);
}

void spo_softmax(float *x, size_t rows, size_t width, size_t stride, float scale) {
  chosen()->softmax(x, rows, width, stride, scale);
}

void spo_add_bias(float *c, size_t m, size_t n, size_t ldc, const float *bias) {
  chosen()->add_bias(c, m, n, ldc, bias);
}

float spo_dot(const float *a, const float *b, size_t count) { return chosen()->dot(a, b, count); }
