/* Tensors from nothing but numbers. They have the default precision. Sizes may be symbolic,
 * zeros(N, 10), and then the call is a formula; arange(N) counts the rows of an input. The -like
 * forms take shape and type from a tensor and nothing else: their derivative is zero. */
#include "runtime/ops/attrs.h"
#include "runtime/ops/structure.h"

#include <math.h>
#include <string.h>

/* ---- zeros, ones, full ---- */

static bool infer_shape(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)n, (void)in, (void)want;
    out->dtype = rt->precision;
    out->weak = false;
    return tg_shape_of_attr(rt, op, at, 0, out);
}

static bool infer_like(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)op, (void)at, (void)want; /* the elements are not read */
    *out = in[0];
    out->dtype = in[0].weak ? rt->precision : tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

static bool run_zeros(const tg_call *call) {
    tg_view_clear(call->out);
    return true;
}

static bool run_ones(const tg_call *call) {
    tg_view_fill(call->out, 1);
    return true;
}

/* The value is the last attribute of full and of full_like. */
static bool run_full(const tg_call *call) {
    tg_view_fill(call->out, tg_attr_real(call->at, call->at->n - 1));
    return true;
}

/* ---- eye ---- */

/* A square one is written eye(n). */
static const tg_op *canonical_eye(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    (void)rt, (void)rank;
    if (at->v[1] != at->v[0]) return op;
    at->v[1] = TG_SIZE_NONE;
    at->sizes &= ~(UINT64_C(1) << 1);
    return op;
}

static bool infer_eye(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                      tg_type *out, tg_dtype *want) {
    (void)op, (void)n, (void)in, (void)want;
    out->dtype = rt->precision;
    out->weak = false;
    out->rank = 2;
    out->dim[0] = at->v[0];
    out->dim[1] = at->v[1] == TG_SIZE_NONE ? at->v[0] : at->v[1];
    return true;
}

static bool run_eye(const tg_call *call) {
    tg_view diagonal = *call->out;
    tg_view_clear(call->out);
    diagonal.rank = 1;
    if (diagonal.dim[1] < diagonal.dim[0]) diagonal.dim[0] = diagonal.dim[1];
    diagonal.stride[0] += diagonal.stride[1];
    tg_view_fill(&diagonal, 1);
    return true;
}

/* ---- linspace and arange ---- */

/* v[i] = start + i * step. */
static void fill_ramp(const tg_view *v, double start, double step) {
    int64_t n = v->dim[0];
    if (v->dtype == TG_F64)
        for (int64_t i = 0; i < n; i++) ((double *)v->data)[i] = start + (double)i * step;
    else
        for (int64_t i = 0; i < n; i++) ((float *)v->data)[i] = (float)(start + (double)i * step);
}

static bool infer_linspace(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                           tg_type *out, tg_dtype *want) {
    (void)op, (void)n, (void)in, (void)want;
    out->dtype = rt->precision;
    out->weak = false;
    out->rank = 1;
    out->dim[0] = at->v[2];
    return true;
}

static bool run_linspace(const tg_call *call) {
    double start = tg_attr_real(call->at, 0), stop = tg_attr_real(call->at, 1);
    int64_t n = call->out->dim[0];
    fill_ramp(call->out, start, n > 1 ? (stop - start) / (double)(n - 1) : 0);
    if (n > 1)
        tg_view_set(call->out, n - 1, stop); /* exactly, whatever the rounding of the steps */
    return true;
}

/* arange(0, n) is arange(n): without a stop, start is the stop. */
static const tg_op *canonical_arange(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    (void)rt, (void)rank;
    bool from_zero = at->v[0] == 0; /* the size 0 or the number 0: the bits of both are 0 */
    bool no_stop = !(at->sizes & 2) && isnan(tg_attr_real(at, 1));
    if (!from_zero || no_stop) return op;
    at->v[0] = at->v[1];
    at->sizes = at->sizes & 2 ? (at->sizes & ~UINT64_C(2)) | 1 : at->sizes & ~UINT64_C(1);
    at->v[1] = tg_attr_bits((double)NAN);
    return op;
}

typedef struct bounds {
    int start, stop;
} bounds; /* attribute places; -1: zero */

static bounds bounds_of(const tg_attrs *at) {
    bool no_stop = !(at->sizes & 2) && isnan(tg_attr_real(at, 1));
    return no_stop ? (bounds){-1, 0} : (bounds){0, 1};
}

static double bound_value(const tg_attrs *at, int i) {
    return i < 0 ? 0 : tg_attr_real(at, i);
}

/* A bound as a size; TG_SIZE_FAIL when it is none. */
static tg_size bound_size(const tg_attrs *at, int i) {
    if (i >= 0 && (at->sizes >> i & 1)) return at->v[i];
    double x = bound_value(at, i);
    return x >= 0 && x < 9e15 && x == floor(x) ? (tg_size)x : TG_SIZE_FAIL;
}

static bool infer_arange(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)op, (void)n, (void)in, (void)want;
    out->dtype = rt->precision;
    out->weak = false;
    out->rank = 1;
    bounds b = bounds_of(at);
    double step = tg_attr_real(at, 2);
    tg_size lo = bound_size(at, b.start), hi = bound_size(at, b.stop);
    if ((lo != TG_SIZE_FAIL && lo < 0) || (hi != TG_SIZE_FAIL && hi < 0)) {
        if (lo == TG_SIZE_FAIL || hi == TG_SIZE_FAIL || step < 1 || step != floor(step) ||
            step > 9e15)
            return tg_fail(&rt->c, TG_ERR_VALUE,
                           "arange: with a size that is not known yet, the bounds and the step "
                           "must be whole numbers");
        tg_size span = tg_size_sub(rt, hi, lo);
        out->dim[0] = span == TG_SIZE_FAIL ? span : tg_size_ceil_div(rt, span, (int64_t)step);
        return out->dim[0] != TG_SIZE_FAIL;
    }
    double count = ceil((bound_value(at, b.stop) - bound_value(at, b.start)) / step);
    if (step == 0 || isnan(count) || count > 9e15)
        return tg_fail(&rt->c, TG_ERR_VALUE,
                       step == 0 ? "arange: the step must not be 0"
                                 : "arange: that are too many numbers");
    out->dim[0] = count > 0 ? (int64_t)count : 0;
    return true;
}

static bool run_arange(const tg_call *call) {
    fill_ramp(call->out, bound_value(call->at, bounds_of(call->at).start),
              tg_attr_real(call->at, 2));
    return true;
}

/* ---- the records ---- */

#define SHAPE                                                                                      \
    { "shape", TG_P_SHAPE, "()" }
#define X                                                                                          \
    { "x", TG_P_TENSOR, NULL }

static const tg_op ops[] = {
    {.name = "zeros",
     .class = TG_CLASS_CREATE,
     .param = {SHAPE},
     .infer = infer_shape,
     .run = run_zeros,
     .latex = "0",
     .numpy = "np.zeros({shape}, dtype={dtype})",
     .torch = "torch.zeros({shape}, dtype={dtype})",
     .c = "tg_fill({out}, 0)",
     .doc = "A tensor of zeros.",
     .example = "zeros(3)",
     .value = "[0, 0, 0]",
     .samples = "zeros(2, 3) | zeros()"},
    {.name = "ones",
     .class = TG_CLASS_CREATE,
     .param = {SHAPE},
     .infer = infer_shape,
     .run = run_ones,
     .latex = "\\mathbf 1",
     .numpy = "np.ones({shape}, dtype={dtype})",
     .torch = "torch.ones({shape}, dtype={dtype})",
     .c = "tg_fill({out}, 1)",
     .doc = "A tensor of ones.",
     .example = "ones(3)",
     .value = "[1, 1, 1]",
     .samples = "ones(2, 3)"},
    {.name = "full",
     .class = TG_CLASS_CREATE,
     .param = {{"shape", TG_P_SHAPE, NULL}, {"value", TG_P_REAL, NULL}},
     .infer = infer_shape,
     .run = run_full,
     .numpy = "np.full({shape}, {value}, dtype={dtype})",
     .torch = "torch.full({shape}, {value}, dtype={dtype})",
     .c = "tg_fill({out}, {value})",
     .doc = "A tensor of which every element is one number.",
     .example = "full(3, 7)",
     .value = "[7, 7, 7]",
     .samples = "full((2, 3), 0.5) | full(2, 3, 7)"},
    {.name = "eye",
     .class = TG_CLASS_CREATE,
     .param = {{"n", TG_P_SIZE, NULL}, {"m", TG_P_SIZE, "none"}},
     .infer = infer_eye,
     .run = run_eye,
     .canonical = canonical_eye,
     .latex = "I",
     .numpy = "np.eye({n}{, M=m}, dtype={dtype})",
     .torch = "torch.eye({n}{, m=m}, dtype={dtype})",
     .c = "tg_eye({out})",
     .doc = "The unit matrix with n rows and m columns, by default n.",
     .example = "eye(2)",
     .value = "[[1, 0], [0, 1]]",
     .samples = "eye(3) | eye(2, 3) | eye(3, 2)"},
    {.name = "linspace",
     .class = TG_CLASS_CREATE,
     .param = {{"start", TG_P_REAL, NULL}, {"stop", TG_P_REAL, NULL}, {"n", TG_P_SIZE, "50"}},
     .infer = infer_linspace,
     .run = run_linspace,
     .numpy = "np.linspace({start}, {stop}, {n}, dtype={dtype})",
     .torch = "torch.linspace({start}, {stop}, {n}, dtype={dtype})",
     .c = "tg_linspace({out}, {start}, {stop})",
     .doc = "n evenly spaced numbers from start to stop, both included.",
     .example = "linspace(0, 1, 5)",
     .value = "[0, 0.25, 0.5, 0.75, 1]",
     .samples = "linspace(-1, 2, 7) | linspace(0, 1, n=1)"},
    {.name = "arange",
     .class = TG_CLASS_CREATE,
     .param = {{"start", TG_P_REAL, NULL}, {"stop", TG_P_REAL, "none"}, {"step", TG_P_REAL, "1"}},
     .infer = infer_arange,
     .run = run_arange,
     .canonical = canonical_arange,
     .numpy = "_arange({start}, {stop}, {step}, {dtype})",
     .torch = "_arange({start}, {stop}, {step}, {dtype})",
     .c = "tg_ramp({out}, {begin}, {step})",
     .doc = "The numbers from start on, in steps, below stop; arange(n) is 0, 1, ..., n - 1.",
     .example = "arange(5)",
     .value = "[0, 1, 2, 3, 4]",
     .samples = "arange(4) | arange(1, 4) | arange(1, 0, step=-0.25)"},
    {.name = "zeros_like",
     .class = TG_CLASS_INDEX,
     .param = {X},
     .infer = infer_like,
     .run = run_zeros,
     .grad = {TG_GRAD_ZERO},
     .numpy = "np.zeros({result}, dtype={dtype})",
     .torch = "torch.zeros({result}, dtype={dtype})",
     .c = "tg_fill({out}, 0)",
     .doc = "Zeros in the shape and type of x.",
     .example = "zeros_like([1, 2])",
     .value = "[0, 0]",
     .samples = "x[2,3]: zeros_like(x)"},
    {.name = "ones_like",
     .class = TG_CLASS_INDEX,
     .param = {X},
     .infer = infer_like,
     .run = run_ones,
     .grad = {TG_GRAD_ZERO},
     .numpy = "np.ones({result}, dtype={dtype})",
     .torch = "torch.ones({result}, dtype={dtype})",
     .c = "tg_fill({out}, 1)",
     .doc = "Ones in the shape and type of x.",
     .example = "ones_like([1, 2])",
     .value = "[1, 1]",
     .samples = "x[2,3]: ones_like(x)"},
    {.name = "full_like",
     .class = TG_CLASS_INDEX,
     .param = {X, {"value", TG_P_REAL, NULL}},
     .infer = infer_like,
     .run = run_full,
     .grad = {TG_GRAD_ZERO},
     .numpy = "np.full({result}, {value}, dtype={dtype})",
     .torch = "torch.full({result}, {value}, dtype={dtype})",
     .c = "tg_fill({out}, {value})",
     .doc = "One number in the shape and type of x.",
     .example = "full_like([1, 2], 7)",
     .value = "[7, 7]",
     .samples = "x[2,3]: full_like(x, 0.5)"},
};

const tg_op_table tg_ops_create = {ops, sizeof ops / sizeof *ops};
