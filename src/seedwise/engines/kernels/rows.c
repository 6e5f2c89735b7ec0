// Kernels that work line by line: embeddings, residuals with their normalisation, GELU.
#include "common.h"

// ---- Normalisation ----

// row = normal * gamma + beta, where normal = (row - mean) * inverse; normal is stored unless it is NULL.
INLINE float normalise(integer width, float *row, const float *gamma, const float *beta, float eps, float *normal) {
    floats sum = _mm256_setzero_ps(), squares = sum;
    for (integer j = 0; j < width; j += 8) sum = add(sum, load(row + j));
    floats mean = ALL(total(sum) / (float)width);
    for (integer j = 0; j < width; j += 8) {
        floats x = _mm256_sub_ps(load(row + j), mean);
        squares = _mm256_fmadd_ps(x, x, squares);
    }
    float inverse = 1.0f / sqrtf(total(squares) / (float)width + eps);
    for (integer j = 0; j < width; j += 8) {
        floats x = mul(_mm256_sub_ps(load(row + j), mean), ALL(inverse));
        if (normal) store(normal + j, x);
        store(row + j, _mm256_fmadd_ps(x, load(gamma + j), load(beta + j)));
    }
    return inverse;
}

// row: the gradient of what came out becomes that of what went in.
INLINE void normalise_backward(
    integer width, float *row, const float *normal, float inverse, const float *gamma, float *dgamma, float *dbeta
) {
    floats sum = _mm256_setzero_ps(), product = sum;
    for (integer j = 0; j < width; j += 8) {
        floats d = load(row + j), x = load(normal + j), t = mul(d, load(gamma + j));
        store(dgamma + j, _mm256_fmadd_ps(d, x, load(dgamma + j)));
        increase(dbeta + j, d);
        store(row + j, t);
        sum = add(sum, t);
        product = _mm256_fmadd_ps(t, x, product);
    }
    floats mean = ALL(total(sum) / (float)width), slope = ALL(total(product) / (float)width);
    for (integer j = 0; j < width; j += 8) {
        floats centred = _mm256_sub_ps(load(row + j), _mm256_fmadd_ps(load(normal + j), slope, mean));
        store(row + j, mul(centred, ALL(inverse)));
    }
}

// out = dropout(norm(words + positions + segments)); types and segments may be NULL: every token of type 0, no types.
EXPORT void embed_forward(
    integer rows, const integer *starts, const integer *slots, integer width, const integer *ids, const integer *types,
    const float *words, const float *positions, const float *segments, const float *gamma, const float *beta, float eps,
    integer key, integer site, integer limit, float scale, float *normal, float *inverse, float *out
) {
    for (integer r = 0; r < rows; r++)
        for (integer t = starts[r], place = 0; t < starts[r + 1]; t++, place++) {
            const float *word = words + ids[t] * width, *position = positions + place * width;
            const float *segment = segments ? segments + (types ? types[t] : 0) * width : NULL;
            float *o = out + t * width;
            for (integer j = 0; j < width; j += 8) {
                floats x = segment ? add(load(word + j), load(segment + j)) : load(word + j);
                store(o + j, add(x, load(position + j)));
            }
            float found = normalise(width, o, gamma, beta, eps, normal ? normal + t * width : NULL);
            if (normal) inverse[t] = found;
            if (limit > INT16_MIN) drop(width, line_of(key, site, slots[r], place, limit), scale, o, NULL, o);
        }
}

// d: the gradient of out, overwritten; dwords, dpositions and dsegments may be NULL.
EXPORT void embed_backward(
    integer rows, const integer *starts, const integer *slots, integer width, const integer *ids, const integer *types,
    const float *gamma, integer key, integer site, integer limit, float scale, const float *normal,
    const float *inverse, float *d, float *dgamma, float *dbeta, float *dwords, float *dpositions, float *dsegments
) {
    for (integer r = 0; r < rows; r++)
        for (integer t = starts[r], place = 0; t < starts[r + 1]; t++, place++) {
            float *row = d + t * width;
            drop(width, line_of(key, site, slots[r], place, limit), scale, row, NULL, row);
            normalise_backward(width, row, normal + t * width, inverse[t], gamma, dgamma, dbeta);
            for (integer j = 0; j < width; j += 8) {
                floats x = load(row + j);
                if (dwords) increase(dwords + ids[t] * width + j, x);
                if (dpositions) increase(dpositions + place * width + j, x);
                if (dsegments) increase(dsegments + (types ? types[t] : 0) * width + j, x);
            }
        }
}

// out = norm(residual + dropout(x + bias))
EXPORT void residual_forward(
    integer rows, const integer *starts, const integer *slots, integer width, const float *x, const float *bias,
    const float *residual, const float *gamma, const float *beta, float eps, integer key, integer site, integer limit,
    float scale, float *normal, float *inverse, float *out
) {
    for (integer r = 0; r < rows; r++)
        for (integer t = starts[r], place = 0; t < starts[r + 1]; t++, place++) {
            float *o = out + t * width;
            drop(width, line_of(key, site, slots[r], place, limit), scale, x + t * width, bias, o);
            for (integer j = 0; j < width; j += 8) increase(o + j, load(residual + t * width + j));
            float found = normalise(width, o, gamma, beta, eps, normal ? normal + t * width : NULL);
            if (normal) inverse[t] = found;
        }
}

// d: the gradient of out becomes that of residual; dx: that of x.
EXPORT void residual_backward(
    integer rows, const integer *starts, const integer *slots, integer width, const float *gamma, integer key,
    integer site, integer limit, float scale, const float *normal, const float *inverse, float *d, float *dx,
    float *dbias, float *dgamma, float *dbeta
) {
    for (integer r = 0; r < rows; r++)
        for (integer t = starts[r], place = 0; t < starts[r + 1]; t++, place++) {
            float *from = d + t * width, *to = dx + t * width;
            normalise_backward(width, from, normal + t * width, inverse[t], gamma, dgamma, dbeta);
            drop(width, line_of(key, site, slots[r], place, limit), scale, from, NULL, to);
            for (integer j = 0; j < width; j += 8) increase(dbias + j, load(to + j));
        }
}

// out = dropout(x), one line for each row: of first tokens, forward and backward alike
EXPORT void drop_rows(
    integer rows, const integer *slots, integer width, const float *x, integer key, integer site, integer limit,
    float scale, float *out
) {
    for (integer r = 0; r < rows; r++)
        drop(width, line_of(key, site, slots[r], 0, limit), scale, x + r * width, NULL, out + r * width);
}

// ---- GELU: x Phi(x), Phi the normal distribution's function ----

// out = gelu(x + bias), and slope = gelu'(x + bias) unless it is NULL; slope may be x.
// 1 - Phi(|x|) = exp(-x^2 / 2) p(t), t = 1 / (1 + 0.28 |x|), with p fitted so that gelu is within 1.2e-8.
EXPORT void gelu_forward(integer rows, integer width, const float *x, const float *bias, float *slope, float *out) {
    const floats sign = ALL(-0.0f), one = ALL(1.0f);
    for (integer i = 0; i < rows; i++, x += width, out += width)
        for (integer j = 0; j < width; j += 8) {
            floats z = add(load(x + j), load(bias + j));
            floats t = _mm256_div_ps(one, _mm256_fmadd_ps(ALL(0.28f), _mm256_andnot_ps(sign, z), one));
            floats e = exponential(mul(ALL(-0.5f), mul(z, z)));
            floats p = _mm256_fmadd_ps(ALL(-0.106328457f), t, ALL(0.392066608f));
            p = _mm256_fmadd_ps(p, t, ALL(-0.240668766f));
            p = _mm256_fmadd_ps(p, t, ALL(0.271971771f));
            p = _mm256_fmadd_ps(p, t, ALL(0.0662297405f));
            p = _mm256_fmadd_ps(p, t, ALL(0.116729092f));
            p = mul(mul(p, t), e);
            floats phi = _mm256_blendv_ps(_mm256_sub_ps(one, p), p, z);  // p where z is negative
            store(out + j, mul(z, phi));
            if (slope) store(slope + i * width + j, _mm256_fmadd_ps(mul(z, ALL(0.3989422804f)), e, phi));
        }
}

// d: the gradient of out becomes that of x + bias.
EXPORT void gelu_backward(integer rows, integer width, float *d, const float *slope, float *dbias) {
    for (integer i = 0; i < rows; i++, d += width, slope += width)
        for (integer j = 0; j < width; j += 8) {
            floats x = mul(load(d + j), load(slope + j));
            store(d + j, x);
            increase(dbias + j, x);
        }
}

// sums += the sum of all lines of x, which lie stride numbers apart
EXPORT void add_lines(integer lines, integer width, const float *x, integer stride, float *sums) {
    for (integer i = 0; i < lines; i++, x += stride)
        for (integer j = 0; j < width; j += 8) increase(sums + j, load(x + j));
}
