// Attention, one head of one row after the other: products too small for a library, kept in the innermost cache.
#include "common.h"

// c[m, n] = sum over k of a[m, k] b[k, n] for M lines and 8 N columns, all kept in registers.
INLINE void tile(
    const int M, const int N, integer K, const float *a, integer am, integer ak, const float *b, integer bk, float *c,
    integer cm
) {
    floats sums[6][2];
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) sums[m][n] = _mm256_setzero_ps();
    for (integer k = 0; k < K; k++, a += ak, b += bk) {
        floats line[2];
        for (int n = 0; n < N; n++) line[n] = load(b + 8 * n);
        for (int m = 0; m < M; m++) {
            floats x = _mm256_broadcast_ss(a + m * am);
            for (int n = 0; n < N; n++) sums[m][n] = _mm256_fmadd_ps(x, line[n], sums[m][n]);
        }
    }
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) store(c + m * cm + 8 * n, sums[m][n]);
}

INLINE void tiles(
    const int N, integer M, integer K, const float *a, integer am, integer ak, const float *b, integer bk, float *c,
    integer cm
) {
    for (integer m = 0; m < M; m += 6, a += 6 * am, c += 6 * cm) switch (M - m) {
            case 1: tile(1, N, K, a, am, ak, b, bk, c, cm); break;
            case 2: tile(2, N, K, a, am, ak, b, bk, c, cm); break;
            case 3: tile(3, N, K, a, am, ak, b, bk, c, cm); break;
            case 4: tile(4, N, K, a, am, ak, b, bk, c, cm); break;
            case 5: tile(5, N, K, a, am, ak, b, bk, c, cm); break;
            default: tile(6, N, K, a, am, ak, b, bk, c, cm);
        }
}

// c = a b for M x K and K x N numbers, N a multiple of 8; a may lie either way round, lines of b and c have no gaps.
static void product(
    integer M, integer N, integer K, const float *a, integer am, integer ak, const float *b, integer bk, float *c,
    integer cm
) {
    integer n = 0;
    for (; n + 16 <= N; n += 16) tiles(2, M, K, a, am, ak, b + n, bk, c + n, cm);
    if (n < N) tiles(1, M, K, a, am, ak, b + n, bk, c + n, cm);
}

// A head's numbers, taken out of wider lines: a product that walks over those would find them in few sets of the cache.
static const float *head_of(integer lines, integer depth, const float *x, integer stride, float scale, float *to) {
    for (integer i = 0; i < lines; i++)
        for (integer j = 0; j < depth; j += 8) store(to + i * depth + j, mul(load(x + i * stride + j), ALL(scale)));
    return to;
}

// The same turned round, [depth, padded], with zeros behind the last line; eight lines by eight columns at a time.
static const float *turned(integer lines, integer padded, integer depth, const float *x, integer stride, float *to) {
    for (integer i = 0; i < padded; i += 8)
        for (integer j = 0; j < depth; j += 8) {
            floats a[8], b[8];
            for (int k = 0; k < 8; k++) a[k] = i + k < lines ? load(x + (i + k) * stride + j) : _mm256_setzero_ps();
            for (int k = 0; k < 8; k += 2) {
                b[k] = _mm256_unpacklo_ps(a[k], a[k + 1]);
                b[k + 1] = _mm256_unpackhi_ps(a[k], a[k + 1]);
            }
            for (int k = 0; k < 8; k += 4)
                for (int l = 0; l < 2; l++) {
                    a[k + 2 * l] = _mm256_shuffle_ps(b[k + l], b[k + l + 2], 0x44);
                    a[k + 2 * l + 1] = _mm256_shuffle_ps(b[k + l], b[k + l + 2], 0xEE);
                }
            for (int k = 0; k < 4; k++) {
                store(to + (j + k) * padded + i, _mm256_permute2f128_ps(a[k], a[k + 4], 0x20));
                store(to + (j + k + 4) * padded + i, _mm256_permute2f128_ps(a[k], a[k + 4], 0x31));
            }
        }
    return to;
}

enum { HEAD_LINES = 65536 };  // lines of masks that each head has for its queries

INLINE integer padded_to(integer lines) { return (lines + 7) / 8 * 8; }

// The masks of a head's queries: that of query i is line first + i * step.
typedef struct {
    integer key, site, row, first, step, limit;
    float scale;
} Masks;

INLINE Line line_at(const Masks *masks, integer i) {
    return line_of(masks->key, masks->site, masks->row, masks->first + i * masks->step, masks->limit);
}

// scores: the n scores of each query, padded, become weights after dropout; before it, they go to weights unless that
// is NULL. shares: room for a number for each query. Every pass goes over all queries, because a line alone is too
// short for its sums to be found while others are on their way.
INLINE void softmax(
    integer queries, integer n, integer padded, const Masks *masks, float *scores, float *weights, float *shares
) {
    const integer end = padded - 8;  // of the last eight scores, some are none
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const floats real = _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - end)), places));
    for (integer i = 0; i < queries; i++) {
        const float *own = scores + i * padded;
        floats top = _mm256_blendv_ps(ALL(-INFINITY), load(own + end), real);
        for (integer j = 0; j < end; j += 8) top = _mm256_max_ps(top, load(own + j));
        shares[i] = largest(top);
    }
    for (integer i = 0; i < queries; i++) {
        float *own = scores + i * padded;
        floats top = ALL(shares[i]), last = _mm256_and_ps(real, exponential(_mm256_sub_ps(load(own + end), top)));
        floats sum = last;
        for (integer j = 0; j < end; j += 8) {
            floats e = exponential(_mm256_sub_ps(load(own + j), top));
            store(own + j, e);
            sum = add(sum, e);
        }
        store(own + end, last);
        shares[i] = 1.0f / total(sum);
    }
    for (integer i = 0; i < queries; i++) {
        Line line = line_at(masks, i);
        floats share = ALL(shares[i]), s = ALL(masks->scale);
        float *own = scores + i * padded, *kept_weights = weights ? weights + i * padded : own;
        for (integer j = 0; j < padded; j += 16) {
            __m256i mask = kept(&line);
            floats w = mul(load(own + j), share);
            store(kept_weights + j, w);
            store(own + j, first_half(mask, mul(w, s)));
            if (j == end) break;
            w = mul(load(own + j + 8), share);
            store(kept_weights + j + 8, w);
            store(own + j + 8, second_half(mask, mul(w, s)));
        }
    }
}

// d: the gradient of the dropped weights becomes that of the scores, times size; dropped: those weights again.
INLINE void softmax_backward(
    integer queries, integer padded, const Masks *masks, float size, const float *weights, float *d, float *dropped,
    float *means
) {
    floats s = ALL(masks->scale);
    for (integer i = 0; i < queries; i++) {
        Line line = line_at(masks, i);
        const float *own = weights + i * padded;
        float *to = d + i * padded, *again = dropped + i * padded;
        floats sum = _mm256_setzero_ps();
        for (integer j = 0; j < padded; j += 16) {
            __m256i mask = kept(&line);
            floats w = load(own + j), x = first_half(mask, mul(load(to + j), s));
            store(to + j, x);
            store(again + j, first_half(mask, mul(w, s)));
            sum = _mm256_fmadd_ps(x, w, sum);
            if (j + 8 == padded) break;
            w = load(own + j + 8);
            x = second_half(mask, mul(load(to + j + 8), s));
            store(to + j + 8, x);
            store(again + j + 8, second_half(mask, mul(w, s)));
            sum = _mm256_fmadd_ps(x, w, sum);
        }
        means[i] = total(sum);
    }
    for (integer i = 0; i < queries; i++) {
        floats mean = ALL(means[i]);
        float *to = d + i * padded;
        for (integer j = 0; j < padded; j += 8)
            store(to + j, mul(mul(load(weights + i * padded + j), ALL(size)), _mm256_sub_ps(load(to + j), mean)));
    }
}

// out = dropout(softmax(q k' / sqrt(depth))) v, head by head; lines of q, k and v lie stride numbers apart.
// weights: what softmax gave, for the backward pass, or NULL. space: 3 L depth + depth P + 2 L P + L numbers for
// the longest row of L tokens, where P is L rounded up to a multiple of 8.
EXPORT void attention_forward(
    integer rows, const integer *starts, const integer *slots, integer heads, integer depth, const float *q,
    const float *k, const float *v, integer stride, integer key, integer site, integer limit,
    float scale, float *space, float *weights, float *out
) {
    integer width = heads * depth;
    for (integer r = 0; r < rows; r++)
        for (integer h = 0; h < heads; h++) {
            integer L = starts[r + 1] - starts[r], P = padded_to(L);
            integer at = starts[r] * stride + h * depth, from = starts[r] * width + h * depth;
            float *queries = space, *values = queries + L * depth, *keys = values + L * depth;
            float *scores = keys + P * depth, *shares = scores + L * P;
            const Masks masks = {key, site, slots[r], h * HEAD_LINES, 1, limit, scale};
            head_of(L, depth, q + at, stride, 1.0f / sqrtf((float)depth), queries);
            head_of(L, depth, v + at, stride, 1.0f, values);
            turned(L, P, depth, k + at, stride, keys);
            product(L, P, depth, queries, depth, 1, keys, P, scores, P);
            softmax(L, L, P, &masks, scores, weights, shares);
            product(L, depth, L, scores, P, 1, values, depth, out + from, width);
            if (weights) weights += L * P;
        }
}

EXPORT void attention_backward(
    integer rows, const integer *starts, const integer *slots, integer heads, integer depth, const float *q,
    const float *k, const float *v, integer stride, integer key, integer site, integer limit,
    float scale, float *space, const float *weights, const float *d, float *dq, float *dk, float *dv
) {
    integer width = heads * depth;
    for (integer r = 0; r < rows; r++)
        for (integer h = 0; h < heads; h++) {
            integer L = starts[r + 1] - starts[r], P = padded_to(L);
            integer at = starts[r] * stride + h * depth, from = starts[r] * width + h * depth;
            float *queries = space, *keys = queries + L * depth, *outs = keys + L * depth, *values = outs + L * depth;
            float *scores = values + P * depth, *dropped = scores + L * P, *means = dropped + L * P;
            const Masks masks = {key, site, slots[r], h * HEAD_LINES, 1, limit, scale};
            head_of(L, depth, q + at, stride, 1.0f, queries);
            head_of(L, depth, k + at, stride, 1.0f, keys);
            head_of(L, depth, d + from, width, 1.0f, outs);
            turned(L, P, depth, v + at, stride, values);
            product(L, P, depth, outs, depth, 1, values, P, scores, P);
            softmax_backward(L, P, &masks, 1.0f / sqrtf((float)depth), weights, scores, dropped, means);
            weights += L * P;
            product(L, depth, L, dropped, 1, P, outs, depth, dv + at, stride);
            product(L, depth, L, scores, P, 1, keys, depth, dq + at, stride);
            product(L, depth, L, scores, 1, P, queries, depth, dk + at, stride);
        }
}

// Attention of first tokens alone, where keys and values of the other tokens need not be made. With k = W x + b, the
// score q'k is (q'W) x, but for a constant that softmax does not see; with v = W x + b, the sum of w v is W times the
// sum of w x, plus b times the sum of w. So each row has one query u = q'W for each head, and x stands for k and v.
// mass: the sum of w; out: the sum of w x. space: 2 heads width + width P + 2 heads P + heads numbers.
EXPORT void first_forward(
    integer rows, const integer *starts, const integer *slots, integer heads, integer width, const float *x,
    const float *u, float size, integer key, integer site, integer limit, float scale, float *space, float *weights,
    float *mass, float *out
) {
    float *queries = space, *tokens = queries + heads * width;
    for (integer r = 0; r < rows; r++, u += heads * width, out += heads * width) {
        integer L = starts[r + 1] - starts[r], P = padded_to(L);
        float *scores = tokens + width * P, *shares = scores + heads * P;
        const Masks masks = {key, site, slots[r], 0, HEAD_LINES, limit, scale};
        const float *own = x + starts[r] * width;
        head_of(heads, width, u, width, size, queries);
        turned(L, P, width, own, width, tokens);
        product(heads, P, width, queries, width, 1, tokens, P, scores, P);
        softmax(heads, L, P, &masks, scores, weights, shares);
        for (integer h = 0; h < heads; h++) {
            floats sum = _mm256_setzero_ps();
            for (integer j = 0; j < P; j += 8) sum = add(sum, load(scores + h * P + j));
            *mass++ = total(sum);
        }
        product(heads, width, L, scores, P, 1, own, width, out, width);
        if (weights) weights += heads * P;
    }
}

// d: the gradient of out; dmass: that of mass. du, dx: those of u and x.
EXPORT void first_backward(
    integer rows, const integer *starts, const integer *slots, integer heads, integer width, const float *x,
    const float *u, float size, integer key, integer site, integer limit, float scale, float *space,
    const float *weights, const float *d, const float *dmass, float *du, float *dx
) {
    float *outs = space, *queries = outs + heads * width, *tokens = queries + heads * width;
    for (integer r = 0; r < rows; r++, u += heads * width, du += heads * width, d += heads * width) {
        integer L = starts[r + 1] - starts[r], P = padded_to(L);
        float *dropped = tokens + width * P, *scores = dropped + heads * P, *means = scores + heads * P;
        const Masks masks = {key, site, slots[r], 0, HEAD_LINES, limit, scale};
        const float *own = x + starts[r] * width;
        head_of(heads, width, d, width, 1.0f, outs);
        head_of(heads, width, u, width, 1.0f, queries);
        turned(L, P, width, own, width, tokens);
        product(heads, P, width, outs, width, 1, tokens, P, scores, P);
        for (integer h = 0; h < heads; h++, dmass++)
            for (integer j = 0; j < P; j += 8) increase(scores + h * P + j, ALL(*dmass));
        softmax_backward(heads, P, &masks, size, weights, scores, dropped, means);
        weights += heads * P;
        product(heads, width, L, scores, P, 1, own, width, du, width);
        // dropped' d + scores' u in one product: both pairs lie one after the other
        product(L, width, 2 * heads, dropped, 1, P, outs, width, dx + starts[r] * width, width);
    }
}
