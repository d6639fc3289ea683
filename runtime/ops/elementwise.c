/* Elementwise operations: the rows of elementwise.def as records of the registry, and their driver.
 * The same rows make the inner loops in runtime/vec.
 *
 * An inner loop computes one run of results. The driver (run) puts the arguments into the result's
 * shape with steps of 0 where they are repeated, merges axes (tensor/loop.h) and calls the inner
 * loop for each run, in parts for several threads where they are many; it allocates nothing. The
 * result may take over argument 0's memory: element i is read before it is written.
 *
 * Comparisons of integers are made in double: exact up to 2^53. */
#include "runtime/ops/elementwise.h"
#include "runtime/pool/pool.h"
#include "runtime/tensor/loop.h"

#include <assert.h>

/* stop: the argument itself. */
static bool look(const tg_call *call) {
    *call->out = call->in[0];
    return true;
}

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
#define CURVE1 ARITH1
#define CURVE2 ARITH2
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

/* ---- the driver ---- */

tg_inner_fn *tg_elementwise_inner(const tg_op *op, tg_dtype t) {
    if (op->run != run) return NULL;
    return tg_vec_now()->elementwise[op - ops][t == TG_F32 ? 0 : 1];
}

/* A long innermost loop, or many of them, in parts that other threads may take. */
typedef struct job {
    tg_inner_fn *f;
    const tg_loop *l;
    int64_t size; /* elements of the innermost loop in a part, or turns of the outermost */
} job;

enum { PART = 1 << 15 };

static bool part_of_run(void *user, int64_t i) {
    const job *b = user;
    int64_t from = i * b->size, n = b->l->inner - from < b->size ? b->l->inner - from : b->size;
    char *p[TG_LOOP_OPERANDS];
    for (int k = 0; k < b->l->n; k++) p[k] = b->l->base[k] + from * b->l->inner_step[k];
    b->f(n, p, b->l->inner_step);
    return true;
}

static bool some_runs(void *user, int64_t i) {
    const job *b = user;
    tg_loop l = *b->l;
    int64_t from = i * b->size;
    if (l.dim[0] - from < b->size)
        l.dim[0] -= from;
    else
        l.dim[0] = b->size;
    for (int k = 0; k < l.n; k++) l.base[k] += from * l.step[0][k];
    int64_t idx[TG_MAX_RANK];
    char *p[TG_LOOP_OPERANDS];
    for (bool more = tg_loop_start(&l, idx, p); more; more = tg_loop_next(&l, idx, p))
        b->f(l.inner, p, l.inner_step);
    return true;
}

static bool run(const tg_call *call) {
    const tg_view *v[TG_LOOP_OPERANDS] = {call->out};
    for (int i = 0; i < call->n; i++) v[i + 1] = &call->in[i];
    tg_loop l;
    tg_loop_init(&l, call->n + 1, v);
    if (l.empty) return true;
    job b = {.f = tg_elementwise_inner(call->op, call->in[call->n - 1].dtype), .l = &l};
    assert(b.f);
    if (l.rank == 0 && l.inner <= PART) {
        b.f(l.inner, l.base, l.inner_step);
        return true;
    }
    int64_t count = tg_view_count(call->out);
    if (l.rank == 0) {
        b.size = PART;
        return tg_pool_run(call->rt, (l.inner + PART - 1) / PART, (double)count, part_of_run, &b);
    }
    b.size = PART / (count / l.dim[0]) + 1;
    return tg_pool_run(call->rt, (l.dim[0] + b.size - 1) / b.size, (double)count, some_runs, &b);
}
