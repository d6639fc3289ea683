/* The inner loops of folds (sum, product, extremes, any, all), for the level that is being
 * compiled. A run is folded in 16 lanes whatever the width of a vector, so that a sum has the same
 * bits at every level; the lanes are folded by halves. */
#ifndef TG_VEC_FOLDS_H
#define TG_VEC_FOLDS_H

#include "runtime/vec/lanes.h"
#include "runtime/vec/vec.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 };

/* A byte has no vectors of its own in lanes.h. */
typedef uint8_t v_uint8_t __attribute__((vector_size(LANES)));
enum { W_uint8_t = LANES };
INLINE v_uint8_t load_uint8_t(const uint8_t *p) {
    v_uint8_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
#define SUM(T, a, b) ((a) + (b))
#define PRODUCT(T, a, b) ((a) * (b))
#define EITHER(T, a, b) ((a) | (b))
#define BOTH(T, a, b) ((a) & (b))
#define LARGER_OF(T, a, b) pick_##T(((a) > (b)) | ((a) != (a)), a, b)
#define SMALLER_OF(T, a, b) pick_##T(((a) < (b)) | ((a) != (a)), a, b)

#define FOLD(NAME, T, EMPTY, JOIN, WIDE_JOIN)                                                      \
    static inline T NAME##_##T##_join(T a, T b) {                                                  \
        return (T)(JOIN);                                                                          \
    }                                                                                              \
    static void NAME##_##T##_fill(int64_t n, void *acc) {                                          \
        for (int64_t i = 0; i < n; i++) ((T *)acc)[i] = (T)(EMPTY);                                \
    }                                                                                              \
    static void NAME##_##T##_run(int64_t n, const void *elements, int64_t s, void *acc) {          \
        const T *p = elements;                                                                     \
        T lane[LANES], *out = acc;                                                                 \
        if (n < LANES) {                                                                           \
            T a = p[0];                                                                            \
            for (int64_t i = 1; i < n; i++) a = NAME##_##T##_join(a, p[i * s]);                    \
            *out = a;                                                                              \
            return;                                                                                \
        }                                                                                          \
        for (int k = 0; k < LANES; k++) lane[k] = p[k * s];                                        \
        int64_t i = LANES;                                                                         \
        if (s == 1) {                                                                              \
            v_##T all[LANES / W_##T];                                                              \
            for (int k = 0; k < LANES / W_##T; k++) all[k] = load_##T(p + k * W_##T);              \
            for (; i + LANES <= n; i += LANES)                                                     \
                for (int k = 0; k < LANES / W_##T; k++)                                            \
                    all[k] = WIDE_JOIN(T, all[k], load_##T(p + i + k * W_##T));                    \
            memcpy(lane, all, sizeof all);                                                         \
        } else                                                                                     \
            for (; i + LANES <= n; i += LANES)                                                     \
                for (int k = 0; k < LANES; k++)                                                    \
                    lane[k] = NAME##_##T##_join(lane[k], p[(i + k) * s]);                          \
        for (int k = 0; i < n; i++, k++) lane[k] = NAME##_##T##_join(lane[k], p[i * s]);           \
        for (int width = LANES / 2; width > 0; width /= 2)                                         \
            for (int k = 0; k < width; k++) lane[k] = NAME##_##T##_join(lane[k], lane[k + width]); \
        *out = lane[0];                                                                            \
    }                                                                                              \
    static void NAME##_##T##_row(int64_t n, void *acc, const void *elements, int64_t s) {          \
        const T *restrict p = elements;                                                            \
        T *restrict a = acc;                                                                       \
        if (s == 1)                                                                                \
            for (int64_t j = 0; j < n; j++) a[j] = NAME##_##T##_join(a[j], p[j]);                  \
        else                                                                                       \
            for (int64_t j = 0; j < n; j++) a[j] = NAME##_##T##_join(a[j], p[j * s]);              \
    }                                                                                              \
    static const tg_fold NAME##_##T = {sizeof(T), NAME##_##T##_fill, NAME##_##T##_run,             \
                                       NAME##_##T##_row};
#define FLOAT_FOLD(NAME, EMPTY, JOIN, WIDE_JOIN)                                                   \
    FOLD(NAME, float, EMPTY, JOIN, WIDE_JOIN) FOLD(NAME, double, EMPTY, JOIN, WIDE_JOIN)

FLOAT_FOLD(sum, 0, a + b, SUM)
FLOAT_FOLD(prod, 1, a *b, PRODUCT)
FLOAT_FOLD(max, -INFINITY, (a > b || a != a) ? a : b, LARGER_OF)
FLOAT_FOLD(min, INFINITY, (a < b || a != a) ? a : b, SMALLER_OF)
FOLD(any, uint8_t, 0, a | b, EITHER)
FOLD(all, uint8_t, 1, a &b, BOTH)

/* In the order of tg_fold_kind; a bool is folded as a byte. */
static const tg_fold *const folds[][2] = {
    {&sum_float, &sum_double}, {&prod_float, &prod_double},  {&max_float, &max_double},
    {&min_float, &min_double}, {&any_uint8_t, &any_uint8_t}, {&all_uint8_t, &all_uint8_t}};

#endif
