// AdamW in one pass over flat arrays.
#include "common.h"

#include <string.h>

EXPORT double squared_norm(integer n, const float *x) {
    double found = 0.0;
    for (integer start = 0; start < n; start += 1024) {  // short sums of floats, their sum in doubles
        integer i = start, stop = start + 1024 < n ? start + 1024 : n;
        floats a = _mm256_setzero_ps(), b = a;
        for (; i + 16 <= stop; i += 16) {
            a = _mm256_fmadd_ps(load(x + i), load(x + i), a);
            b = _mm256_fmadd_ps(load(x + i + 8), load(x + i + 8), b);
        }
        for (; i < stop; i++) found += (double)x[i] * x[i];
        found += total(add(a, b));
    }
    return found;
}

typedef struct {
    floats kept, beta1, new1, beta2, new2, rate, root, eps, scale;
} Adam;

INLINE void adamw_eight(const Adam *c, float *p, float *g, float *m, float *v) {
    floats d = mul(load(g), c->scale), first = _mm256_fmadd_ps(load(m), c->beta1, mul(d, c->new1));
    floats second = _mm256_fmadd_ps(load(v), c->beta2, mul(mul(d, d), c->new2));
    floats size = _mm256_fmadd_ps(_mm256_sqrt_ps(second), c->root, c->eps);
    store(p, _mm256_fnmadd_ps(c->rate, _mm256_div_ps(first, size), mul(load(p), c->kept)));
    store(m, first);
    store(v, second);
    store(g, _mm256_setzero_ps());
}

// One step of AdamW on p with gradient g * scale; g becomes zero. m, v: the moments; correction1, 2: 1 - beta^step.
EXPORT void adamw(
    integer n, float *p, float *g, float *m, float *v, double rate, double beta1, double beta2, double eps,
    double decay, double correction1, double correction2, double scale
) {
    const Adam c = {
        ALL((float)(1 - rate * decay)), ALL((float)beta1), ALL((float)(1 - beta1)), ALL((float)beta2),
        ALL((float)(1 - beta2)), ALL((float)(rate / correction1)), ALL((float)(1 / sqrt(correction2))), ALL((float)eps),
        ALL((float)scale),
    };
    integer i = 0;
    for (; i + 8 <= n; i += 8) adamw_eight(&c, p + i, g + i, m + i, v + i);
    if (i == n) return;
    float *all[4] = {p + i, g + i, m + i, v + i}, last[4][8] = {{0}};
    for (int k = 0; k < 4; k++) memcpy(last[k], all[k], (size_t)(n - i) * sizeof(float));
    adamw_eight(&c, last[0], last[1], last[2], last[3]);
    for (int k = 0; k < 4; k++) memcpy(all[k], last[k], (size_t)(n - i) * sizeof(float));
}

// Whether this processor can run the rest; made of scalar instructions alone.
EXPORT int supported(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
