/* Reductions through exponentials, softmax, logsoftmax and logsumexp, and the 2-norm with its
 * companion `unit`.
 *
 * The exponentials are taken of differences from the largest element, so that none overflows and at
 * least one is 1 (Blanchard, Higham & Higham 2021). Sums run in double for both element types. The
 * norm adds plain squares, in double; where these leave the range of double or come near its lower
 * end, they are added again, scaled by the largest element (after Blue 1978).
 *
 * The gradient of the norm is x / norm(x), and 0 where the norm is 0: that is `unit`, an operation
 * of its own, since the quotient would be 0 / 0 there and a `where` around it would hide the
 * formula. */
#include "runtime/ops/reduce.h"
#include "runtime/pool/pool.h"
#include "runtime/vec/vec.h"

#include <tgmath.h>

#define SAFE_LEAST 1e-280 /* below, squares may have lost digits */

#define T float
#define IS_DOUBLE 0
#define FN(name) name##_float
#include "runtime/ops/softmax_typed.h"
#undef T
#undef FN
#undef IS_DOUBLE
#define T double
#define IS_DOUBLE 1
#define FN(name) name##_double
#include "runtime/ops/softmax_typed.h"
#undef T
#undef FN

#define EACH_LINE(NAME)                                                                            \
    static bool run_##NAME(const tg_call *call) {                                                  \
        tg_each_line(call, (uint64_t)call->at->v[0],                                               \
                     call->in->dtype == TG_F32 ? NAME##_float : NAME##_double);                    \
        return true;                                                                               \
    }
EACH_LINE(logsumexp)
EACH_LINE(norm)
EACH_LINE(unit)

/* Short lines that are one run each, many at a time. */
typedef struct job {
    const tg_exponents *f;
    const tg_loop *outer, *line;
    const char *in;
    char *out;
    int64_t size; /* lines in a part */
    int64_t width;
    bool logs;
} job;

static bool some_lines(void *user, int64_t i) {
    const job *b = user;
    int64_t from = i * b->size, n = b->outer->inner - from, si = b->outer->inner_step[0],
            so = b->outer->inner_step[1], w = b->width;
    b->f->short_lines(n < b->size ? n : b->size, b->line->inner, b->in + from * si, si / w,
                      b->line->inner_step[0] / w, b->out + from * so, so / w,
                      b->line->inner_step[1] / w, b->logs);
    return true;
}

static bool run_exponents(const tg_call *call, bool logs, tg_line_fn *single, tg_line_fn *twice) {
    uint64_t mask = (uint64_t)call->at->v[0];
    bool is_double = call->in->dtype == TG_F64;
    tg_view kept[2], reduced[2];
    tg_axes_split(call->in, mask, &kept[0], &reduced[0]);
    tg_axes_split(call->out, mask, &kept[1], &reduced[1]);
    const tg_view *lines[2] = {&kept[0], &kept[1]}, *along[2] = {&reduced[0], &reduced[1]};
    tg_loop outer, line;
    tg_loop_init(&outer, 2, lines);
    tg_loop_init(&line, 2, along);
    if (line.rank > 0 || line.empty || line.inner > TG_SHORT) {
        tg_each_line(call, mask, is_double ? twice : single);
        return true;
    }
    job b = {.f = &tg_vec_now()->exponents[is_double],
             .outer = &outer,
             .line = &line,
             .size = (1 << 14) / line.inner + 1,
             .width = is_double ? 8 : 4,
             .logs = logs};
    TG_RUNS(&outer, p) {
        b.in = p[0], b.out = p[1];
        if (!tg_pool_run(call->rt, (outer.inner + b.size - 1) / b.size,
                         (double)(outer.inner * line.inner), some_lines, &b))
            return false;
    }
    return true;
}

static bool run_softmax(const tg_call *call) {
    return run_exponents(call, false, softmax_float, softmax_double);
}
static bool run_logsoftmax(const tg_call *call) {
    return run_exponents(call, true, logsoftmax_float, logsoftmax_double);
}

/* ---- records ---- */

#define AXES(dflt)                                                                                 \
    .class = TG_CLASS_REDUCE, .lines = true,                                                       \
    .param = {{"x", TG_P_TENSOR, NULL}, {"axis", TG_P_AXES, dflt}}
#define AXIS_KEEP                                                                                  \
    .class = TG_CLASS_REDUCE, .lines = true,                                                       \
    .param = {{"x", TG_P_TENSOR, NULL}, {"axis", TG_P_AXES, "none"}, {"keep", TG_P_FLAG, "false"}}
#define LENGTH "norm(x, axis=axis, keep=true)"

static const tg_op ops[] = {
    {.name = "softmax",
     .effort = 14,
     .taught = "softmax rule",
     AXES("-1"),
     .infer = tg_infer_along,
     .run = run_softmax,
     .reference = tg_reference_softmax,
     .grad = {"out * (g - sum(g * out, axis=axis, keep=true))"},
     .lo = -2,
     .hi = 2,
     .latex = "\\operatorname{softmax}{axis}\\left({0}\\right)",
     .numpy = "_softmax({0}, {axis})",
     .torch = "_softmax({0}, {axis})",
     .c = "tg_softmax({out}, {0}, {axis}, 0)",
     .doc = "exp(x) divided by its sum along the axes, by default the last: positive numbers that "
            "sum to 1.",
     .example = "softmax([0, 1000])",
     .value = "[0, 1]",
     .samples = "x[5]: softmax(x) | x[3,4]: softmax(x) | x[3,4]: softmax(x, axis=0) | x[2,3,2]: "
                "softmax(x, axis=(0, 2))"},
    {.name = "logsoftmax",
     .effort = 14,
     AXES("-1"),
     .infer = tg_infer_along,
     .run = run_logsoftmax,
     .reference = tg_reference_logsoftmax,
     .grad = {"g - softmax(x, axis=axis) * sum(g, axis=axis, keep=true)"},
     .lo = -2,
     .hi = 2,
     .latex = "\\log\\operatorname{softmax}{axis}\\left({0}\\right)",
     .numpy = "_logsoftmax({0}, {axis})",
     .torch = "_logsoftmax({0}, {axis})",
     .c = "tg_softmax({out}, {0}, {axis}, 1)",
     .doc = "The logarithm of softmax(x), without overflow or loss.",
     .example = "logsoftmax([0, 1000])",
     .value = "[-1000, 0]",
     .samples = "x[5]: logsoftmax(x) | x[3,4]: logsoftmax(x) | x[3,4]: logsoftmax(x, axis=0)"},
    {.name = "logsumexp",
     .effort = 12,
     AXIS_KEEP,
     .infer = tg_infer_reduce,
     .run = run_logsumexp,
     .reference = tg_reference_logsumexp,
     .grad = {"expand(g, shape(x), axis=axis) * softmax(x, axis=axis)"},
     .lo = -2,
     .hi = 2,
     .latex = "\\operatorname{logsumexp}{axis}\\left({0}\\right)",
     .numpy = "_logsumexp({0}, {axis}, {keep})",
     .torch = "torch.logsumexp({0}, dim={axis}{, keepdim=keep})",
     .c = "tg_logsumexp({out}, {0}, {axis})",
     .doc = "log(sum(exp(x))), without overflow.",
     .example = "logsumexp([1000, 0])",
     .value = "1000",
     .samples = "x[5]: logsumexp(x) | x[3,4]: logsumexp(x, axis=1) | x[3,4]: logsumexp(x, axis=0, "
                "keep=true)"},
    {.name = "norm",
     .effort = 2,
     AXIS_KEEP,
     .infer = tg_infer_reduce,
     .run = run_norm,
     .reference = tg_reference_norm,
     .grad = {"expand(g, shape(x), axis=axis) * unit(x, axis=axis)"},
     .lo = 0.3,
     .hi = 2,
     .latex = "\\left\\|{0}\\right\\|{axis}",
     .numpy = "_norm({0}, {axis}, {keep})",
     .torch = "torch.linalg.vector_norm({0}{, dim=axis}{, keepdim=keep})",
     .c = "tg_norm({out}, {0}, {axis})",
     .doc =
         "The Euclidean norm, sqrt(sum(x^2)), without overflow; its gradient at 0 is taken as 0.",
     .example = "norm([3, 4])",
     .value = "5",
     .samples = "x[5]: norm(x) | x[3,4]: norm(x) | x[3,4]: norm(x, axis=1) | x[3,4]: norm(x, "
                "axis=0, keep=true)"},
    {.name = "unit",
     .effort = 4,
     AXES("none"),
     .infer = tg_infer_along,
     .run = run_unit,
     .grad = {"where(" LENGTH " > 0, (g - out * sum(g * out, axis=axis, keep=true)) / " LENGTH
              ", 0)"},
     .lo = 0.3,
     .hi = 2,
     .latex = "\\operatorname{unit}{axis}\\left({0}\\right)",
     .numpy = "_unit({0}, {axis})",
     .torch = "_unit({0}, {axis})",
     .c = "tg_unit({out}, {0}, {axis})",
     .doc = "x / norm(x), the vector of length 1 in the direction of x; 0 where the norm is 0.",
     .example = "unit([3, 4])",
     .value = "[0.6, 0.8]",
     .samples = "x[5]: unit(x) | x[3,4]: unit(x) | x[3,4]: unit(x, axis=1)"},
};

const tg_op_table tg_ops_softmax = {ops, sizeof ops / sizeof ops[0]};
