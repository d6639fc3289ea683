/* The inner loops of the rows of elementwise.def, for the level that is being compiled.
 *
 * Plain rows are a loop around their kernel, written once as an inlined body over strides and
 * called with the strides 1 and 0 as constants in the common cases, which the compiler turns into
 * vector code. Rows of the CURVE kinds call their vector function (functions.h) on one vector of
 * elements after another; what is left at the end, and what does not stand side by side, goes
 * through a vector filled up with copies of an element, so that all elements meet the same code.
 * Element i is read before result i is written, which may stand in its place. */
#ifndef TG_VEC_ELEMENTWISE_H
#define TG_VEC_ELEMENTWISE_H

#include "runtime/vec/lanes.h"
#include "runtime/vec/vec.h"

#include <math.h>
#include <tgmath.h>

#define T float
#define IS_SINGLE 1
#define FN(name) name##_float
#include "runtime/vec/functions.h"
#undef T
#undef IS_SINGLE
#undef FN
#define T double
#define IS_SINGLE 0
#define FN(name) name##_double
#include "runtime/vec/functions.h"
#undef T
#undef IS_SINGLE
#undef FN

/* No iteration reads what another one wrote, although results may stand in the memory of argument
 * 0. */
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

/* ---- helpers that need more than an expression ---- */

#define HELPERS(T)                                                                                 \
    /* fmod has the sign of a; Python's % and ours that of b */                                    \
    INLINE T floored_mod_##T(T a, T b) {                                                           \
        T m = fmod(a, b);                                                                          \
        return m != 0 && (m < 0) != (b < 0) ? m + b : m;                                           \
    }                                                                                              \
    INLINE T clipped_##T(T x, T lo, T hi) {                                                        \
        T m = x < lo ? lo : x; /* a NaN of x stays */                                              \
        return m > hi ? hi : m;                                                                    \
    }
HELPERS(float)
HELPERS(double)
#define floored_mod(a, b)                                                                          \
    _Generic((a), float : floored_mod_float, double : floored_mod_double)(a, b)
#define clipped(x, lo, hi) _Generic((x), float : clipped_float, double : clipped_double)(x, lo, hi)

/* ---- plain rows ---- */

/* A repeated argument is read once, before results can overwrite it. */
#define EACH(T, A, i) const T A = s_##A == 0 ? first_##A : p_##A[i * s_##A]
#define STRIDE(T, k) (step[k] / (int64_t)sizeof(T))
#define DENSE(T, k) (step[k] == (int64_t)sizeof(T))

#define UNARY(NAME, T, R, X, EXPR)                                                                 \
    INLINE void NAME##_##T##_body(int64_t n, R *out, int64_t so, const T *p_##X, int64_t s_##X) {  \
        const T first_##X = *p_##X;                                                                \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                              \
            EACH(T, X, i);                                                                         \
            out[i * so] = (R)(EXPR);                                                               \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_##T(int64_t n, char *const *p, const int64_t *step) {                       \
        R *out = (R *)p[0];                                                                        \
        const T *x = (const T *)p[1];                                                              \
        if (DENSE(R, 0) && DENSE(T, 1))                                                            \
            NAME##_##T##_body(n, out, 1, x, 1);                                                    \
        else                                                                                       \
            NAME##_##T##_body(n, out, STRIDE(R, 0), x, STRIDE(T, 1));                              \
    }

#define BINARY(NAME, T, R, A, B, EXPR)                                                             \
    INLINE void NAME##_##T##_body(int64_t n, R *out, int64_t so, const T *p_##A, int64_t s_##A,    \
                                  const T *p_##B, int64_t s_##B) {                                 \
        const T first_##A = *p_##A, first_##B = *p_##B;                                            \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                              \
            EACH(T, A, i);                                                                         \
            EACH(T, B, i);                                                                         \
            out[i * so] = (R)(EXPR);                                                               \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_##T(int64_t n, char *const *p, const int64_t *step) {                       \
        R *out = (R *)p[0];                                                                        \
        const T *a = (const T *)p[1], *b = (const T *)p[2];                                        \
        if (DENSE(R, 0) && DENSE(T, 1) && DENSE(T, 2))                                             \
            NAME##_##T##_body(n, out, 1, a, 1, b, 1);                                              \
        else if (DENSE(R, 0) && DENSE(T, 1) && step[2] == 0)                                       \
            NAME##_##T##_body(n, out, 1, a, 1, b, 0);                                              \
        else if (DENSE(R, 0) && step[1] == 0 && DENSE(T, 2))                                       \
            NAME##_##T##_body(n, out, 1, a, 0, b, 1);                                              \
        else                                                                                       \
            NAME##_##T##_body(n, out, STRIDE(R, 0), a, STRIDE(T, 1), b, STRIDE(T, 2));             \
    }

#define TERNARY(NAME, T, TA, A, B, C, EXPR)                                                        \
    INLINE void NAME##_##T##_body(int64_t n, T *out, int64_t so, const TA *p_##A, int64_t s_##A,   \
                                  const T *p_##B, int64_t s_##B, const T *p_##C, int64_t s_##C) {  \
        const TA first_##A = *p_##A;                                                               \
        const T first_##B = *p_##B, first_##C = *p_##C;                                            \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                              \
            EACH(TA, A, i);                                                                        \
            EACH(T, B, i);                                                                         \
            EACH(T, C, i);                                                                         \
            out[i * so] = EXPR;                                                                    \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_##T(int64_t n, char *const *p, const int64_t *step) {                       \
        T *out = (T *)p[0];                                                                        \
        const TA *a = (const TA *)p[1];                                                            \
        const T *b = (const T *)p[2], *c = (const T *)p[3];                                        \
        bool dense = DENSE(T, 0) && DENSE(TA, 1);                                                  \
        if (dense && DENSE(T, 2) && DENSE(T, 3))                                                   \
            NAME##_##T##_body(n, out, 1, a, 1, b, 1, c, 1);                                        \
        else if (dense && DENSE(T, 2) && step[3] == 0)                                             \
            NAME##_##T##_body(n, out, 1, a, 1, b, 1, c, 0);                                        \
        else if (dense && step[2] == 0 && DENSE(T, 3))                                             \
            NAME##_##T##_body(n, out, 1, a, 1, b, 0, c, 1);                                        \
        else if (dense && step[2] == 0 && step[3] == 0)                                            \
            NAME##_##T##_body(n, out, 1, a, 1, b, 0, c, 0);                                        \
        else                                                                                       \
            NAME##_##T##_body(n, out, STRIDE(T, 0), a, STRIDE(TA, 1), b, STRIDE(T, 2), c,          \
                              STRIDE(T, 3));                                                       \
    }

/* ---- curves: through vector functions ---- */

/* The k-th vector of n elements: up to W of them from p on, the first one again in lanes beyond. */
#define CURVES(T)                                                                                  \
    INLINE v_##T gather_##T(int64_t n, const char *p, int64_t step) {                              \
        T lane[W_##T];                                                                             \
        for (int64_t k = 0; k < W_##T; k++) lane[k] = *(const T *)(p + (k < n ? k : 0) * step);    \
        return load_##T(lane);                                                                     \
    }                                                                                              \
    INLINE void scatter_##T(int64_t n, char *p, int64_t step, v_##T v) {                           \
        T lane[W_##T];                                                                             \
        store_##T(lane, v);                                                                        \
        for (int64_t k = 0; k < n && k < W_##T; k++) *(T *)(p + k * step) = lane[k];               \
    }                                                                                              \
    INLINE void each1_##T(int64_t n, char *const *p, const int64_t *step, curve1_##T *f) {         \
        const int64_t so = step[0], s = step[1];                                                   \
        int64_t i = 0;                                                                             \
        if (s == 0) {                                                                              \
            const v_##T y = f(splat_##T(*(const T *)p[1]));                                        \
            for (; i < n; i++) *(T *)(p[0] + i * so) = y[0];                                       \
        } else if (s == sizeof(T) && so == sizeof(T)) {                                            \
            for (; i + W_##T <= n; i += W_##T)                                                     \
                store_##T((T *)p[0] + i, f(load_##T((const T *)p[1] + i)));                        \
        }                                                                                          \
        for (; i < n; i += W_##T)                                                                  \
            scatter_##T(n - i, p[0] + i * so, so, f(gather_##T(n - i, p[1] + i * s, s)));          \
    }                                                                                              \
    INLINE void each2_##T(int64_t n, char *const *p, const int64_t *step, curve2_##T *f) {         \
        const int64_t so = step[0], sa = step[1], sb = step[2], dense = sizeof(T);                 \
        int64_t i = 0;                                                                             \
        if (so == dense && sa == dense && sb == dense)                                             \
            for (; i + W_##T <= n; i += W_##T)                                                     \
                store_##T((T *)p[0] + i,                                                           \
                          f(load_##T((const T *)p[1] + i), load_##T((const T *)p[2] + i)));        \
        else if (so == dense && sa == dense && sb == 0) {                                          \
            const v_##T b = splat_##T(*(const T *)p[2]);                                           \
            for (; i + W_##T <= n; i += W_##T)                                                     \
                store_##T((T *)p[0] + i, f(load_##T((const T *)p[1] + i), b));                     \
        } else if (so == dense && sa == 0 && sb == dense) {                                        \
            const v_##T a = splat_##T(*(const T *)p[1]);                                           \
            for (; i + W_##T <= n; i += W_##T)                                                     \
                store_##T((T *)p[0] + i, f(a, load_##T((const T *)p[2] + i)));                     \
        }                                                                                          \
        for (; i < n; i += W_##T)                                                                  \
            scatter_##T(                                                                           \
                n - i, p[0] + i * so, so,                                                          \
                f(gather_##T(n - i, p[1] + i * sa, sa), gather_##T(n - i, p[2] + i * sb, sb)));    \
    }
CURVES(float)
CURVES(double)

#define CURVE(N, NAME, T)                                                                          \
    static void NAME##_##T(int64_t n, char *const *p, const int64_t *step) {                       \
        each##N##_##T(n, p, step, v_##NAME##_##T);                                                 \
    }
#define CURVE_OF(...) CURVE(__VA_ARGS__)

/* ---- the rows ---- */

/* The rows' T is a macro for the type; these let it expand before names are pasted from it. */
#define UNARY_OF(...) UNARY(__VA_ARGS__)
#define BINARY_OF(...) BINARY(__VA_ARGS__)
#define TERNARY_OF(...) TERNARY(__VA_ARGS__)

#define ARITH1(NAME, X, EXPR, ...) UNARY_OF(NAME, T, T, X, EXPR)
#define ARITH2(NAME, A, B, EXPR, ...) BINARY_OF(NAME, T, T, A, B, EXPR)
#define ARITH3(NAME, A, B, C, EXPR, ...) TERNARY_OF(NAME, T, T, A, B, C, EXPR)
#define CURVE1(NAME, X, EXPR, ...) CURVE_OF(1, NAME, T)
#define CURVE2(NAME, A, B, EXPR, ...) CURVE_OF(2, NAME, T)
#define COMPARE(NAME, EXPR, ...) BINARY_OF(NAME, T, uint8_t, a, b, EXPR)
#define CHOOSE(NAME, A, B, C, EXPR, ...) TERNARY_OF(NAME, T, uint8_t, A, B, C, EXPR)
#define LOGIC1(NAME, EXPR, ...)
#define LOGIC2(NAME, EXPR, ...)
#define T float
#include "runtime/ops/elementwise.def"
#undef T
#define T double
#include "runtime/ops/elementwise.def"
#undef T
#include "runtime/ops/elementwise_undef.h"

#define ARITH1(NAME, X, EXPR, ...)
#define ARITH2(NAME, A, B, EXPR, ...)
#define ARITH3(NAME, A, B, C, EXPR, ...)
#define CURVE1(NAME, X, EXPR, ...)
#define CURVE2(NAME, A, B, EXPR, ...)
#define COMPARE(NAME, EXPR, ...)
#define CHOOSE(NAME, A, B, C, EXPR, ...)
#define LOGIC1(NAME, EXPR, ...) UNARY(NAME, uint8_t, uint8_t, x, EXPR)
#define LOGIC2(NAME, EXPR, ...) BINARY(NAME, uint8_t, uint8_t, a, b, EXPR)
#include "runtime/ops/elementwise.def"
#include "runtime/ops/elementwise_undef.h"

/* The inner loops of the i-th row, single and double. */
#define ARITH1(NAME, ...) {NAME##_float, NAME##_double},
#define ARITH2(NAME, ...) {NAME##_float, NAME##_double},
#define ARITH3(NAME, ...) {NAME##_float, NAME##_double},
#define CURVE1(NAME, ...) {NAME##_float, NAME##_double},
#define CURVE2(NAME, ...) {NAME##_float, NAME##_double},
#define CHOOSE(NAME, ...) {NAME##_float, NAME##_double},
#define COMPARE(NAME, ...) {NAME##_float, NAME##_double},
#define LOGIC1(NAME, ...) {NAME##_uint8_t, NAME##_uint8_t},
#define LOGIC2(NAME, ...) {NAME##_uint8_t, NAME##_uint8_t},
static tg_inner_fn *const elementwise[][2] = {
#include "runtime/ops/elementwise.def"
};
#include "runtime/ops/elementwise_undef.h"

#endif
