// Loops of the embedded engine that the Swift compiler does not vectorise well.
//
// All matrices are row-major. A weight matrix is [n, k] as PyTorch's Linear keeps it, so every
// product is C[m, n] = A[m, k] * W[n, k]^T. Nothing here allocates or checks its arguments: the
// Swift wrappers in BLAS do.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#define SPO_CPU_BASE 0
#define SPO_CPU_AVX512 1
#define SPO_CPU_AVX512_BF16 2
#define SPO_F32 0
#define SPO_F16 1
#define SPO_BF16 2

// What this processor can run: one of SPO_CPU_*.
int spo_cpu_level(void);

// ---- conversion ----------------------------------------------------------------------------
// Widens `count` values of `type` at `source`, of any alignment, to floats.
void spo_widen(const void *source, int type, size_t count, float *out);
// Whether none of the `count` values of `type` at `source`, aligned, is a NaN or an infinity.
int spo_is_finite(const void *source, int type, size_t count);

// ---- packed products (AVX-512 only) --------------------------------------------------------
// Bytes of a packed [n, k] matrix; `bf16` asks for BF16 instead of FP32 storage.
size_t spo_packed_bytes(size_t n, size_t k, int bf16);
// Packs rows of floats; `transposed` reads the source as [k, n] instead of [n, k].
void spo_pack(const float *source, size_t stride, size_t n, size_t k, int transposed, int bf16,
              void *packed);
// Bytes of scratch that spo_gemm_packed needs for products over k.
size_t spo_gemm_scratch_bytes(size_t k);
// C = A * W^T + bias; bias may be null.
void spo_gemm_packed(size_t m, size_t n, size_t k, const float *a, size_t lda, const void *packed,
                     int bf16, const float *bias, float *c, size_t ldc, void *scratch);

// ---- element-wise, compiled for each instruction set and chosen at run time -------------------
// x = 0.5 x (1 + erf(x / sqrt 2)), absolute error of erf below 2e-7.
void spo_gelu(float *x, size_t count);
// out = LayerNorm(x + residual) over rows of `width`; residual may be null, out may be x.
void spo_add_layer_norm(const float *x, const float *residual, const float *gamma,
                        const float *beta, float epsilon, size_t rows, size_t width, float *out);
// Each row of x [rows, stride], its first `width` values: softmax(scale * x).
void spo_softmax(float *x, size_t rows, size_t width, size_t stride, float scale);
// Adds `bias` [n] to each row of c [m, ldc].
void spo_add_bias(float *c, size_t m, size_t n, size_t ldc, const float *bias);
// Sum of a[i] * b[i].
float spo_dot(const float *a, const float *b, size_t count);

#endif
