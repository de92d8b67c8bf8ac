// Products with weights packed once: C[m, n] = A[m, k] * W[n, k]^T on AVX-512.
//
// W lies in panels of 32 columns, k-major, so that the inner loop reads it in order; BF16 panels
// hold pairs of k, as VDPBF16PS takes them. A block of rows of A is packed the same way in tiles
// of 12 rows. A tile keeps 12 x 32 sums in 24 registers.
#include "CKernels.h"

#include <string.h>

enum { TILE = 12, PANEL = 32, DEPTH = 768, BLOCK = 96 };

static size_t round_up(size_t x, size_t to) { return (x + to - 1) / to * to; }

static float from_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 0x1F, part = h & 0x3FF;
  union { uint32_t i; float f; } out;
  if (exponent == 0x1F) {
    out.i = sign | 0x7F800000 | part << 13;
  } else if (exponent) {
    out.i = sign | (exponent + 112) << 23 | part << 13;
  } else {
    out.f = (float)part * 0x1p-24f;
    out.i |= sign;
  }
  return out.f;
}

void spo_widen(const void *source, int type, size_t count, float *out) {
  const uint8_t *bytes = source;
  if (type == SPO_F32) {
    memcpy(out, source, count * sizeof(float));
    return;
  }
  for (size_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, bytes + 2 * i, 2);
    union { uint32_t i; float f; } wide = {(uint32_t)half << 16};
    out[i] = type == SPO_BF16 ? wide.f : from_half(half);
  }
}

int spo_is_finite(const void *source, int type, size_t count) {
  uint32_t bad = 0;
  if (type == SPO_F32) {
    const uint32_t *bits = source;
    for (size_t i = 0; i < count; i++) bad |= (bits[i] & 0x7F800000) == 0x7F800000;
  } else {
    const uint16_t *bits = source;
    const uint16_t mask = type == SPO_F16 ? 0x7C00 : 0x7F80;
    for (size_t i = 0; i < count; i++) bad |= (bits[i] & mask) == mask;
  }
  return !bad;
}

int spo_cpu_level(void) {
#if defined(__x86_64__)
  static int level = -1;
  int known = __atomic_load_n(&level, __ATOMIC_RELAXED);
  if (known >= 0) return known;
  __builtin_cpu_init();
  int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  known = !wide ? SPO_CPU_BASE
                : __builtin_cpu_supports("avx512bf16") ? SPO_CPU_AVX512_BF16 : SPO_CPU_AVX512;
  __atomic_store_n(&level, known, __ATOMIC_RELAXED);
  return known;
#else
  return SPO_CPU_BASE;
#endif
}

// BF16 panels and tiles store k in pairs; an odd k gets a zero.
static size_t words(size_t k, int bf16) { return bf16 ? (k + 1) / 2 : k; }

size_t spo_packed_bytes(size_t n, size_t k, int bf16) {
  return round_up(n, PANEL) * words(k, bf16) * sizeof(float);
}

size_t spo_gemm_scratch_bytes(size_t k) {
  return BLOCK * (k < DEPTH ? k + 1 : DEPTH) * sizeof(float);
}

// Round to nearest even, as VCVTNEPS2BF16 does, but for subnormals.
static uint16_t to_bf16(float x) {
  union { float f; uint32_t i; } bits = {x};
  if (x != x) return 0x7FC0;
  return (uint16_t)((bits.i + 0x7FFF + (bits.i >> 16 & 1)) >> 16);
}

void spo_pack(const float *source, size_t stride, size_t n, size_t k, int transposed, int bf16,
              void *packed) {
  size_t depth = words(k, bf16);
  memset(packed, 0, spo_packed_bytes(n, k, bf16));
  for (size_t j = 0; j < n; j++) {
    size_t panel = j / PANEL * PANEL * depth, column = j % PANEL;
    for (size_t i = 0; i < k; i++) {
      float x = transposed ? source[i * stride + j] : source[j * stride + i];
      if (bf16)
        ((uint16_t *)packed)[(panel + i / 2 * PANEL + column) * 2 + i % 2] = to_bf16(x);
      else
        ((float *)packed)[panel + i * PANEL + column] = x;
    }
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define WIDE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define WIDE_BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx512bf16")))
#define UNROLL _Pragma("clang loop unroll(full)")

// Sums of `rows` <= 12 rows by 32 columns. `first` starts from the bias, else from C.
#define DEFINE_TILE(name, target, multiply)                                                       \
  target INLINE void name(const int rows, size_t depth, const float *a, const float *w, float *c, \
                          size_t ldc, size_t columns, const float *bias, int first) {             \
    __mmask16 m0 = columns >= 16 ? 0xFFFF : (__mmask16)((1u << columns) - 1);                     \
    __mmask16 m1 = columns >= 32 ? 0xFFFF                                                         \
                   : columns > 16 ? (__mmask16)((1u << (columns - 16)) - 1) : 0;                  \
    __m512 lo[TILE], hi[TILE];                                                                    \
    UNROLL for (int r = 0; r < rows; r++) {                                                       \
      const float *from = first ? bias : c + r * ldc;                                             \
      lo[r] = from ? _mm512_maskz_loadu_ps(m0, from) : _mm512_setzero_ps();                       \
      hi[r] = from ? _mm512_maskz_loadu_ps(m1, from + 16) : _mm512_setzero_ps();                  \
    }                                                                                             \
    for (size_t i = 0; i < depth; i++, a += TILE, w += PANEL) {                                   \
      __m512 w0 = _mm512_loadu_ps(w), w1 = _mm512_loadu_ps(w + 16);                               \
      UNROLL for (int r = 0; r < rows; r++) {                                                     \
        __m512 x = _mm512_set1_ps(a[r]);                                                          \
        lo[r] = multiply(lo[r], x, w0);                                                           \
        hi[r] = multiply(hi[r], x, w1);                                                           \
      }                                                                                           \
    }                                                                                             \
    UNROLL for (int r = 0; r < rows; r++) {                                                       \
      _mm512_mask_storeu_ps(c + r * ldc, m0, lo[r]);                                              \
      _mm512_mask_storeu_ps(c + r * ldc + 16, m1, hi[r]);                                         \
    }                                                                                             \
  }

#define FUSED(sum, x, w) _mm512_fmadd_ps(x, w, sum)
#define DOTTED(sum, x, w) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(w))
DEFINE_TILE(tile_f32, WIDE, FUSED)
DEFINE_TILE(tile_bf16, WIDE_BF16, DOTTED)

#define CASE(name, n) \
  case n:             \
    name(n, depth, a, w, c, ldc, columns, bias, first); \
    break;
#define DEFINE_TILES(name, target)                                                                \
  target static void name##_rows(size_t rows, size_t depth, const float *a, const float *w,       \
                                 float *c, size_t ldc, size_t columns, const float *bias,         \
                                 int first) {                                                     \
    switch (rows) {                                                                               \
      CASE(name, 1) CASE(name, 2) CASE(name, 3) CASE(name, 4) CASE(name, 5) CASE(name, 6)         \
      CASE(name, 7) CASE(name, 8) CASE(name, 9) CASE(name, 10) CASE(name, 11) CASE(name, 12)      \
    }                                                                                             \
  }
DEFINE_TILES(tile_f32, WIDE)
DEFINE_TILES(tile_bf16, WIDE_BF16)

// Rows of A to tiles [k][12]; unused rows of the last tile are left as they are, never read.
static void pack_rows(const float *a, size_t lda, size_t m, size_t k, float *out) {
  for (size_t at = 0; at < m; at += TILE, out += TILE * k) {
    size_t rows = m - at < TILE ? m - at : TILE;
    for (size_t r = 0; r < rows; r++) {
      const float *row = a + (at + r) * lda;
      for (size_t i = 0; i < k; i++) out[i * TILE + r] = row[i];
    }
  }
}

WIDE_BF16 static void pack_rows_bf16(const float *a, size_t lda, size_t m, size_t k, float *out) {
  size_t depth = (k + 1) / 2;
  uint32_t *pairs = (uint32_t *)out;
  for (size_t at = 0; at < m; at += TILE, pairs += TILE * depth) {
    size_t rows = m - at < TILE ? m - at : TILE;
    for (size_t r = 0; r < rows; r++) {
      const float *row = a + (at + r) * lda;
      for (size_t i = 0; i < k; i += 16) {
        size_t left = k - i;
        __mmask16 mask = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
        union { __m256bh v; uint32_t pair[8]; } half;
        half.v = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, row + i));
        size_t count = left >= 16 ? 8 : (left + 1) / 2;
        for (size_t j = 0; j < count; j++) pairs[(i / 2 + j) * TILE + r] = half.pair[j];
      }
    }
  }
}

void spo_gemm_packed(size_t m, size_t n, size_t k, const float *a, size_t lda, const void *packed,
                     int bf16, const float *bias, float *c, size_t ldc, void *scratch) {
  size_t panel_words = words(k, bf16) * PANEL;
  for (size_t k0 = 0; k0 < k; k0 += DEPTH) {
    size_t part = k - k0 < DEPTH ? k - k0 : DEPTH, depth = words(part, bf16);
    for (size_t m0 = 0; m0 < m; m0 += BLOCK) {
      size_t block = m - m0 < BLOCK ? m - m0 : BLOCK;
      (bf16 ? pack_rows_bf16 : pack_rows)(a + m0 * lda + k0, lda, block, part, scratch);
      for (size_t n0 = 0; n0 < n; n0 += PANEL) {
        const float *w = (const float *)packed + n0 / PANEL * panel_words + words(k0, bf16) * PANEL;
        size_t columns = n - n0 < PANEL ? n - n0 : PANEL;
        for (size_t t = 0; t < block; t += TILE) {
          size_t rows = block - t < TILE ? block - t : TILE;
          (bf16 ? tile_bf16_rows : tile_f32_rows)(
              rows, depth, (const float *)scratch + t * depth, w, c + (m0 + t) * ldc + n0, ldc,
              columns, bias ? bias + n0 : NULL, k0 == 0);
        }
      }
    }
  }
}
#else
void spo_gemm_packed(size_t m, size_t n, size_t k, const float *a, size_t lda, const void *packed,
                     int bf16, const float *bias, float *c, size_t ldc, void *scratch) {
  __builtin_trap();  // never chosen: spo_cpu_level() is SPO_CPU_BASE here
}
#endif
