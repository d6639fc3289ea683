/* Running results along axes: cumsum, and the first-order linear recurrence, forwards and
 * backwards.
 *
 *     recurrence(a, b):       s[0] = start,      s[i + 1] = a[i] * s[i] + b[i]
 *     recurrence_back(a, b):  s[n - 1] = start,  s[i - 1] = a[i] * s[i] + b[i]
 *
 * Result i depends on the elements before it (behind it) only. Each is the other's adjoint: when s
 * = recurrence(a, b) gets the cotangent g, then m = recurrence_back(a, g) is the cotangent of b,
 * and m * s that of a. So two operations are closed under differentiation of any order. With b = 0
 * and start = 1 they are the products of all elements before, and behind, each element: their
 * product is the gradient of prod, right where elements are 0. (Blelloch 1990, section 1.4, on
 * recurrences as scans.) */
#include "runtime/ops/reduce.h"

#include <string.h>

/* ---- cumsum: the running sum is kept in double ---- */

#define CUMSUM(T)                                                                                  \
    static void cumsum_##T(const tg_call *call, const tg_loop *line, char *first) {                \
        (void)call, (void)first;                                                                   \
        double total = 0;                                                                          \
        int64_t s = line->inner_step[0] / (int64_t)sizeof(T);                                      \
        int64_t so = line->inner_step[1] / (int64_t)sizeof(T);                                     \
        TG_RUNS(line, p) {                                                                         \
            const T *e = (const T *)p[0];                                                          \
            T *out = (T *)p[1];                                                                    \
            for (int64_t i = 0; i < line->inner; i++) {                                            \
                total += (double)e[i * s];                                                         \
                out[i * so] = (T)total;                                                            \
            }                                                                                      \
        }                                                                                          \
    }
CUMSUM(float)
CUMSUM(double)

static bool run_cumsum(const tg_call *call) {
    tg_each_line(call, (uint64_t)1 << call->at->v[0],
                 call->in->dtype == TG_F32 ? cumsum_float : cumsum_double);
    return true;
}

/* ---- recurrences ---- */

#define RECUR(T)                                                                                   \
    static void recur_##T(const tg_loop *line, double start) {                                     \
        T state = (T)start;                                                                        \
        int64_t so = line->inner_step[0] / (int64_t)sizeof(T);                                     \
        int64_t sa = line->inner_step[1] / (int64_t)sizeof(T);                                     \
        int64_t sb = line->inner_step[2] / (int64_t)sizeof(T);                                     \
        TG_RUNS(line, p) {                                                                         \
            T *out = (T *)p[0];                                                                    \
            const T *a = (const T *)p[1], *b = (const T *)p[2];                                    \
            for (int64_t i = 0; i < line->inner; i++) {                                            \
                out[i * so] = state;                                                               \
                state = a[i * sa] * state + b[i * sb];                                             \
            }                                                                                      \
        }                                                                                          \
    }
RECUR(float)
RECUR(double)

/* v with the axes of `mask` running backwards. */
static tg_view reversed(tg_view v, uint64_t mask) {
    for (int i = 0; i < v.rank; i++) {
        if (!(mask >> i & 1) || v.dim[i] == 0) continue;
        v.data = (char *)v.data + (v.dim[i] - 1) * v.stride[i] * (int64_t)tg_dtype_size(v.dtype);
        v.stride[i] = -v.stride[i];
    }
    return v;
}

/* v seen with the rank and shape of `like`, its own axes aligned at the right. */
static tg_view stretched(const tg_view *v, const tg_view *like) {
    tg_view w = *like;
    w.data = v->data;
    w.dtype = v->dtype;
    for (int i = 0; i < like->rank; i++) {
        int own = i - (like->rank - v->rank);
        w.stride[i] = own < 0 || v->dim[own] == 1 ? 0 : v->stride[own];
    }
    return w;
}

static bool run_scan(const tg_call *call, bool back) {
    uint64_t mask = (uint64_t)call->at->v[0];
    double start = tg_attr_real(call->at, 1);
    tg_view kept[3], reduced[3];
    const tg_view *lines[3], *along[3];
    for (int i = 0; i < 3; i++) {
        tg_view v = i == 0 ? *call->out : stretched(&call->in[i - 1], call->out);
        if (back) v = reversed(v, mask);
        tg_axes_split(&v, mask, &kept[i], &reduced[i]);
        lines[i] = &kept[i];
        along[i] = &reduced[i];
    }
    tg_loop outer, line;
    tg_loop_init(&outer, 3, lines);
    tg_loop_init(&line, 3, along);
    TG_RUNS(&outer, p) {
        for (int64_t j = 0; j < outer.inner; j++) {
            for (int i = 0; i < 3; i++) line.base[i] = p[i] + j * outer.inner_step[i];
            if (call->out->dtype == TG_F32)
                recur_float(&line, start);
            else
                recur_double(&line, start);
        }
    }
    return true;
}

static bool run_recurrence(const tg_call *call) {
    return run_scan(call, false);
}
static bool run_recurrence_back(const tg_call *call) {
    return run_scan(call, true);
}

static bool infer_scan(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    if (!tg_broadcast(rt, n, in, out)) return false;
    if (out->rank != in[0].rank ||
        memcmp(out->dim, in[0].dim, (size_t)out->rank * sizeof out->dim[0]) != 0)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "the shape %s of {0} must be that of {1}, %s",
                       tg_shape_text(rt, in[0].rank, in[0].dim),
                       tg_shape_text(rt, in[1].rank, in[1].dim));
    out->dtype = want[0] = want[1] = tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

/* ---- records ---- */

#define RECURRENCE                                                                                 \
    .class = TG_CLASS_REDUCE, .infer = infer_scan, .lo = -1, .hi = 1,                              \
    .param = {{"a", TG_P_TENSOR, NULL},                                                            \
              {"b", TG_P_TENSOR, NULL},                                                            \
              {"axis", TG_P_AXES, "none"},                                                         \
              {"start", TG_P_REAL, "0"}}

static const tg_op ops[] = {
    {.name = "cumsum",
     .effort = 1,
     .class = TG_CLASS_REDUCE,
     .param = {{"x", TG_P_TENSOR, NULL}, {"axis", TG_P_AXIS, "0"}},
     .infer = tg_infer_along,
     .run = run_cumsum,
     .grad = {"flip(cumsum(flip(g, axis), axis), axis)"},
     .lo = -2,
     .hi = 2,
     .latex = "\\operatorname{cumsum}{axis}\\left({0}\\right)",
     .numpy = "np.cumsum({0}, axis={axis})",
     .torch = "torch.cumsum({0}, dim={axis})",
     .c = "tg_cumsum({out}, {0}, {axis})",
     .doc =
         "The running sums along an axis: element i is the sum of the elements up to and with i.",
     .example = "cumsum([1, 2, 3], 0)",
     .value = "[1, 3, 6]",
     .samples = "x[5]: cumsum(x, 0) | x[3,4]: cumsum(x, axis=1) | x[2,3,4]: cumsum(x, axis=1)"},
    {.name = "recurrence",
     .effort = 2,
     RECURRENCE,
     .run = run_recurrence,
     .grad = {"recurrence_back(a, g, axis=axis) * out", "recurrence_back(a, g, axis=axis)"},
     .numpy = "_recurrence({0}, {1}, {axis}, {start}, False)",
     .torch = "_recurrence({0}, {1}, {axis}, {start}, False)",
     .c = "tg_recurrence({out}, {0}, {1}, {axis}, {start}, 0)",
     .doc = "The states s[0] = start, s[i + 1] = a[i] * s[i] + b[i] of a linear recurrence along "
            "the axes.",
     .example = "recurrence([2, 2, 2], 1)",
     .value = "[0, 1, 3]",
     .samples = "x[5], y[5]: recurrence(x, y) | x[3,4], y[3,4]: recurrence(x, y, axis=1, "
                "start=0.5) | x[3,2]: "
                "recurrence(x, 1, axis=0)"},
    {.name = "recurrence_back",
     .effort = 2,
     RECURRENCE,
     .run = run_recurrence_back,
     .grad = {"recurrence(a, g, axis=axis) * out", "recurrence(a, g, axis=axis)"},
     .numpy = "_recurrence({0}, {1}, {axis}, {start}, True)",
     .torch = "_recurrence({0}, {1}, {axis}, {start}, True)",
     .c = "tg_recurrence({out}, {0}, {1}, {axis}, {start}, 1)",
     .doc = "A linear recurrence that runs backwards: the last state is start, s[i - 1] = a[i] * "
            "s[i] + b[i].",
     .example = "recurrence_back([2, 2, 2], 1)",
     .value = "[3, 1, 0]",
     .samples = "x[5], y[5]: recurrence_back(x, y) | x[3,4], y[3,4]: recurrence_back(x, y, axis=0, "
                "start=0.5)"},
};

const tg_op_table tg_ops_scan = {ops, sizeof ops / sizeof ops[0]};
