/* Elementwise operations: the rows of elementwise.def, expanded three times, into inner loops for
 * float and double, into the records of the registry, and into the table of inner loops beside
 * them.
 *
 * An inner loop computes one run of results. The driver (run) puts the arguments into the result's
 * shape with steps of 0 where they are repeated, merges axes (tensor/loop.h) and calls the inner
 * loop for each run; it allocates nothing. Each loop is written once, as an inlined body over
 * strides, and called with the strides 1 and 0 as constants in the common cases, which the compiler
 * turns into vector code. The result may take over argument 0's memory: element i is read before it
 * is written.
 *
 * Comparisons of integers are made in double: exact up to 2^53. */
#include "runtime/ops/elementwise.h"
#include "runtime/tensor/loop.h"

#include <string.h>
#include <tgmath.h>

/* No iteration reads what another one wrote, although results may stand in the memory of argument
 * 0. */
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif
#define INLINE static inline __attribute__((always_inline))

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

/* stop: the argument itself. */
static bool look(const tg_call *call) {
    *call->out = call->in[0];
    return true;
}

/* ---- inner loops ---- */

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

/* The rows' T is a macro for the type; these let it expand before names are pasted from it. */
#define UNARY_OF(...) UNARY(__VA_ARGS__)
#define BINARY_OF(...) BINARY(__VA_ARGS__)
#define TERNARY_OF(...) TERNARY(__VA_ARGS__)

#define ARITH1(NAME, X, EXPR, ...) UNARY_OF(NAME, T, T, X, EXPR)
#define ARITH2(NAME, A, B, EXPR, ...) BINARY_OF(NAME, T, T, A, B, EXPR)
#define ARITH3(NAME, A, B, C, EXPR, ...) TERNARY_OF(NAME, T, T, A, B, C, EXPR)
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
#define COMPARE(NAME, EXPR, ...)
#define CHOOSE(NAME, A, B, C, EXPR, ...)
#define LOGIC1(NAME, EXPR, ...) UNARY(NAME, uint8_t, uint8_t, x, EXPR)
#define LOGIC2(NAME, EXPR, ...) BINARY(NAME, uint8_t, uint8_t, a, b, EXPR)
#include "runtime/ops/elementwise.def"
#include "runtime/ops/elementwise_undef.h"

/* ---- types ---- */

/* Broadcasts, and asks for all arguments from `first` on in the type `t`. */
static bool agree(tg_rt *rt, int n, const tg_type *in, int first, tg_dtype t, tg_dtype result,
                  tg_type *out, tg_dtype *want) {
    if (!tg_broadcast(rt, n, in, out)) return false;
    for (int i = first; i < n; i++) want[i] = t;
    out->dtype = result;
    out->weak = false;
    return true;
}

static bool all_weak(int n, const tg_type *in) {
    for (int i = 0; i < n; i++)
        if (!in[i].weak) return false;
    return true;
}

static bool infer_arith(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    tg_dtype t = tg_promote(rt, n, in);
    if (!agree(rt, n, in, 0, t, t, out, want)) return false;
    out->weak = all_weak(n, in);
    return true;
}

static bool infer_compare(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    /* whole numbers are compared in double, whatever the default: single would take 2^24 for 2^24 +
     * 1 */
    bool floats = false;
    for (int i = 0; i < n; i++) floats = floats || (!in[i].weak && tg_dtype_is_float(in[i].dtype));
    return agree(rt, n, in, 0, floats ? tg_promote(rt, n, in) : TG_F64, TG_BOOL, out, want);
}

static bool infer_logic(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    return agree(rt, n, in, 0, TG_BOOL, TG_BOOL, out, want);
}

static bool infer_choose(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    bool numbers = all_weak(n - 1, in + 1); /* chosen by a tensor they make a tensor */
    tg_dtype t = numbers && in[0].rank > 0 ? rt->precision : tg_promote(rt, n - 1, in + 1);
    if (!agree(rt, n, in, 1, t, t, out, want)) return false;
    want[0] = TG_BOOL;
    out->weak = out->rank == 0 && numbers;
    return true;
}

/* ---- records ---- */

static bool run(const tg_call *call);

#define COMMON(NAME, INFER) .name = #NAME, .class = TG_CLASS_ELEMENTWISE, .infer = INFER, .run = run
#define TENSOR(NAME)                                                                               \
    { #NAME, TG_P_TENSOR, NULL }

#define ARITH1(NAME, X, EXPR, ...)                                                                 \
    {COMMON(NAME, infer_arith), .c = #EXPR, .in_place = true, .param = {TENSOR(X)}, __VA_ARGS__},
#define ARITH2(NAME, A, B, EXPR, ...)                                                              \
    {COMMON(NAME, infer_arith), .c = #EXPR, .in_place = true, .param = {TENSOR(A), TENSOR(B)},     \
     __VA_ARGS__},
#define ARITH3(NAME, A, B, C, EXPR, ...)                                                           \
    {COMMON(NAME, infer_arith), .c = #EXPR, .in_place = true,                                      \
     .param = {TENSOR(A), TENSOR(B), TENSOR(C)}, __VA_ARGS__},
#define CHOOSE(NAME, A, B, C, EXPR, ...)                                                           \
    {COMMON(NAME, infer_choose), .c = #EXPR, .param = {TENSOR(A), TENSOR(B), TENSOR(C)},           \
     __VA_ARGS__},
#define COMPARE(NAME, EXPR, ...)                                                                   \
    {COMMON(NAME, infer_compare),                                                                  \
     .c = #EXPR,                                                                                   \
     .param = {TENSOR(a), TENSOR(b)},                                                              \
     .grad = {TG_GRAD_ZERO, TG_GRAD_ZERO},                                                         \
     .lo = -2,                                                                                     \
     .hi = 2,                                                                                      \
     .style = TG_PRINT_INFIX,                                                                      \
     .precedence = 4,                                                                              \
     __VA_ARGS__},
#define LOGIC1(NAME, EXPR, ...)                                                                    \
    {COMMON(NAME, infer_logic),                                                                    \
     .c = #EXPR,                                                                                   \
     .in_place = true,                                                                             \
     .param = {TENSOR(x)},                                                                         \
     .grad = {TG_GRAD_ZERO},                                                                       \
     .lo = 0,                                                                                      \
     .hi = 1,                                                                                      \
     .style = TG_PRINT_PREFIX,                                                                     \
     __VA_ARGS__},
#define LOGIC2(NAME, EXPR, ...)                                                                    \
    {COMMON(NAME, infer_logic),                                                                    \
     .c = #EXPR,                                                                                   \
     .in_place = true,                                                                             \
     .param = {TENSOR(a), TENSOR(b)},                                                              \
     .grad = {TG_GRAD_ZERO, TG_GRAD_ZERO},                                                         \
     .lo = 0,                                                                                      \
     .hi = 1,                                                                                      \
     .style = TG_PRINT_INFIX,                                                                      \
     __VA_ARGS__},
static const tg_op ops[] = {
#include "runtime/ops/elementwise.def"
};
#include "runtime/ops/elementwise_undef.h"

enum { COUNT = sizeof ops / sizeof ops[0] };
const tg_op_table tg_ops_elementwise = {ops, COUNT};

/* The inner loops of ops[i], single and double. */
#define ARITH1(NAME, ...) {NAME##_float, NAME##_double},
#define ARITH2(NAME, ...) {NAME##_float, NAME##_double},
#define ARITH3(NAME, ...) {NAME##_float, NAME##_double},
#define CHOOSE(NAME, ...) {NAME##_float, NAME##_double},
#define COMPARE(NAME, ...) {NAME##_float, NAME##_double},
#define LOGIC1(NAME, ...) {NAME##_uint8_t, NAME##_uint8_t},
#define LOGIC2(NAME, ...) {NAME##_uint8_t, NAME##_uint8_t},
static tg_inner_fn *const inner[COUNT][2] = {
#include "runtime/ops/elementwise.def"
};
#include "runtime/ops/elementwise_undef.h"

/* ---- the driver ---- */

tg_inner_fn *tg_elementwise_inner(const tg_op *op, tg_dtype t) {
    if (op->run != run) return NULL;
    return inner[op - ops][t == TG_F32 ? 0 : 1];
}

static bool run(const tg_call *call) {
    const tg_view *v[TG_LOOP_OPERANDS] = {call->out};
    for (int i = 0; i < call->n; i++) v[i + 1] = &call->in[i];
    tg_inner_fn *f = tg_elementwise_inner(call->op, call->in[call->n - 1].dtype);
    tg_loop l;
    tg_loop_init(&l, call->n + 1, v);
    int64_t idx[TG_MAX_RANK];
    char *p[TG_LOOP_OPERANDS];
    for (bool more = tg_loop_start(&l, idx, p); more; more = tg_loop_next(&l, idx, p))
        f(l.inner, p, l.inner_step);
    return true;
}
