// What the kernels share: eight numbers at a time for one x86-64 thread with AVX2 and FMA, and the masks of dropout.
//
// Tokens lie end to end: row r of the batch has those from starts[r] to starts[r + 1]. Where the last block looks at
// first tokens alone, starts counts 0, 1, 2, ... All widths are multiples of 8. Gradients of parameters are added to what
// is there; all else is overwritten.
//
// Dropout is four arguments: key, site, limit and scale (see seedwise.training.hashed_masks). A mask is hashed again in the
// backward pass, which costs less than storing it.
#pragma once

#include <immintrin.h>
#include <math.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))
#define ALL(x) _mm256_set1_ps(x)

typedef __m256 floats;  // eight numbers
typedef int64_t integer;

INLINE floats load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, floats x) { _mm256_storeu_ps(p, x); }
INLINE floats add(floats x, floats y) { return _mm256_add_ps(x, y); }
INLINE floats mul(floats x, floats y) { return _mm256_mul_ps(x, y); }
INLINE void increase(float *p, floats x) { store(p, add(load(p), x)); }

INLINE float total(floats x) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

INLINE float largest(floats x) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

// exp(x) for x <= 0, to 1e-7 of its value; below -87 it is exp(-87), which is next to the smallest normal number.
// exp(x) = 2^n exp(r) with |r| <= log(2) / 2, and exp(r) = 1 + r + r^2 q(r) with q fitted to 3e-9.
INLINE floats exponential(floats x) {
    x = _mm256_max_ps(ALL(-87.0f), x);  // in this order, so that nan stays nan
    floats n = _mm256_round_ps(mul(x, ALL(1.442695041f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    floats r = _mm256_fnmadd_ps(n, ALL(0.693359375f), x);  // log(2) in two parts, of which the first is exact
    r = _mm256_fnmadd_ps(n, ALL(-2.12194440e-4f), r);
    floats q = _mm256_fmadd_ps(ALL(0.001381454f), r, ALL(0.00836874511f));
    q = _mm256_fmadd_ps(q, r, ALL(0.0416683908f));
    q = _mm256_fmadd_ps(q, r, ALL(0.166665204f));
    q = _mm256_fmadd_ps(q, r, ALL(0.499999934f));
    q = _mm256_fmadd_ps(q, mul(r, r), add(r, ALL(1.0f)));
    __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return mul(q, _mm256_castsi256_ps(power));
}

// ---- Masks: as in seedwise.training.hashed_masks ----

typedef struct {
    __m256i next, high, below;
    int whole;  // nothing is dropped
} Line;

INLINE Line line_of(integer key, integer site, integer row, integer line, integer limit) {
    uint64_t x = (uint64_t)key + (uint64_t)(line + (row << 28) + (site << 48)) * 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    __m256i pairs = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)0x9E3779B1u));
    return (Line){
        .next = _mm256_add_epi32(pairs, _mm256_set1_epi32((int)x)),
        .high = _mm256_set1_epi32((int)(x >> 32)),
        .below = _mm256_set1_epi16((short)(limit - 1)),
        .whole = limit <= INT16_MIN,
    };
}

// The next 16 numbers of a line: 16 bits each, all set where the number is kept.
INLINE __m256i kept(Line *line) {
    if (line->whole) return _mm256_set1_epi16(-1);
    __m256i x = line->next;
    line->next = _mm256_add_epi32(x, _mm256_set1_epi32((int)(8 * 0x9E3779B1u)));
    x = _mm256_mullo_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(x, 16)), _mm256_set1_epi32(0x7FEB352D));
    x = _mm256_xor_si256(x, line->high);
    x = _mm256_mullo_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(x, 15)), _mm256_set1_epi32((int)0x846CA68Bu));
    return _mm256_cmpgt_epi16(_mm256_xor_si256(x, _mm256_srli_epi32(x, 16)), line->below);
}

INLINE floats first_half(__m256i mask, floats x) {
    return _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(mask))));
}

INLINE floats second_half(__m256i mask, floats x) {
    return _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(mask, 1))));
}

// One line of dropout: to = mask * (from + shift) * scale; shift may be NULL, and to may be from.
INLINE void drop(integer width, Line line, float scale, const float *from, const float *shift, float *to) {
    floats s = ALL(scale), none = _mm256_setzero_ps();
    for (integer j = 0; j < width; j += 16) {
        __m256i mask = kept(&line);
        floats x = add(load(from + j), shift ? load(shift + j) : none);
        store(to + j, first_half(mask, mul(x, s)));
        if (j + 8 == width) break;
        floats y = add(load(from + j + 8), shift ? load(shift + j + 8) : none);
        store(to + j + 8, second_half(mask, mul(y, s)));
    }
}
