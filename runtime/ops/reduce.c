/* Folds: sum, mean, prod, max, min, any, all, and the places argmax, argmin.
 *
 * A fold combines elements pairwise (Higham 2002, section 4.2): blocks of a few hundred elements
 * are folded in 16 lanes, and the blocks' results are combined as a binary counter adds one: level
 * i holds the fold of 2^i blocks. The rounding error of a sum so grows with the logarithm of the
 * number of elements, in single precision too, and nothing is allocated.
 *
 * Two loop orders serve all strides. Where the reduced axes lie closest together, each result is
 * folded from runs of elements. Where a kept axis does (the column sums of a matrix), whole rows
 * are folded into a tile of 64 results at a time. The order depends on shape and strides only,
 * never on threads. */
#include "runtime/ops/reduce.h"
#include "runtime/ops/pieces.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, BLOCK = 256, ROWS = 16, TILE = 64, LEVELS = 60 };

/* The inner loops of a fold over elements of one type. */
typedef struct fold {
    size_t size;
    void (*fill)(int64_t n, void *acc); /* the fold of nothing */
    void (*run)(int64_t n, const void *p, int64_t s,
                void *acc); /* *acc = fold of n >= 1 elements */
    void (*row)(int64_t n, void *acc, const void *p, int64_t s); /* acc[j] joined with p[j * s] */
} fold;

#define FOLD(NAME, T, EMPTY, JOIN)                                                                 \
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
        if (s == 1)                                                                                \
            for (; i + LANES <= n; i += LANES)                                                     \
                for (int k = 0; k < LANES; k++) lane[k] = NAME##_##T##_join(lane[k], p[i + k]);    \
        else                                                                                       \
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
    static const fold NAME##_##T = {sizeof(T), NAME##_##T##_fill, NAME##_##T##_run,                \
                                    NAME##_##T##_row};
#define FLOAT_FOLD(NAME, EMPTY, JOIN) FOLD(NAME, float, EMPTY, JOIN) FOLD(NAME, double, EMPTY, JOIN)

FLOAT_FOLD(sum, 0, a + b)
FLOAT_FOLD(prod, 1, a *b)
FLOAT_FOLD(max, -INFINITY, (a > b || a != a) ? a : b)
FLOAT_FOLD(min, INFINITY, (a < b || a != a) ? a : b)
FOLD(any, uint8_t, 0, a | b)
FOLD(all, uint8_t, 1, a &b)

/* ---- combining blocks as a counter does ---- */

/* Bit i of `count` is set while level i holds the fold of 2^i blocks. A level is `width`
 * accumulators wide. */
typedef struct counter {
    const fold *f;
    int64_t width;
    uint64_t count;
    double level[LEVELS][TILE]; /* of f's type: a double is the widest */
} counter;

static void counter_start(counter *c, const fold *f, int64_t width) {
    c->f = f;
    c->width = width;
    c->count = 0;
}

/* Where the next block is to be put. */
static void *counter_next(counter *c) {
    uint64_t carried = c->count & ~(c->count + 1);
    int top = 0; /* the level in which the new block ends */
    while (carried >> top & 1) top++;
    return c->level[top];
}

/* The block is there: adds the full levels below it. */
static void counter_add(counter *c) {
    double *block = counter_next(c);
    for (int i = 0; c->level[i] != block; i++) c->f->row(c->width, block, c->level[i], 1);
    c->count++;
}

/* The fold of all blocks, at least one. */
static void *counter_total(counter *c) {
    void *total = NULL;
    for (int i = 0; i < LEVELS; i++) {
        if (!(c->count >> i & 1)) continue;
        if (total) c->f->row(c->width, c->level[i], total, 1);
        total = c->level[i];
    }
    return total;
}

/* ---- the two loop orders ---- */

/* Folds one line into *out. */
static void fold_line(counter *c, const fold *f, const tg_loop *line, void *out) {
    int64_t s = line->inner_step[0] / (int64_t)f->size;
    if (line->rank == 0 && line->inner <= BLOCK) {
        f->run(line->inner, line->base[0], s, out);
        return;
    }
    counter_start(c, f, 1);
    TG_RUNS(line, p) {
        for (int64_t i = 0; i < line->inner; i += BLOCK) {
            int64_t n = line->inner - i < BLOCK ? line->inner - i : BLOCK;
            f->run(n, p[0] + i * line->inner_step[0], s, counter_next(c));
            counter_add(c);
        }
    }
    memcpy(out, counter_total(c), f->size);
}

/* Folds `n` lines side by side, `step` bytes apart: line->base[0] is the first element of the
 * first. */
static void fold_tile(counter *c, const fold *f, const tg_loop *line, int64_t n, int64_t step,
                      char *out, int64_t out_step) {
    int64_t s = step / (int64_t)f->size;
    int rows = 0;
    char *block = NULL;
    counter_start(c, f, n);
    TG_RUNS(line, p) {
        const char *row = p[0];
        for (int64_t i = 0; i < line->inner; i++, row += line->inner_step[0]) {
            if (rows == 0) {
                block = counter_next(c);
                f->fill(n, block);
            }
            f->row(n, block, row, s);
            if (++rows == ROWS) {
                counter_add(c);
                rows = 0;
            }
        }
    }
    if (rows > 0) counter_add(c);
    const char *total = counter_total(c);
    for (int64_t j = 0; j < n; j++)
        memcpy(out + j * out_step, total + (size_t)j * f->size, f->size);
}

static int64_t magnitude(int64_t x) {
    return x < 0 ? -x : x;
}

/* Orders the axes of v, and those of w alike, so that the elements of v that lie closest together
 * come last. */
static void order_axes(tg_view *v, tg_view *w) {
    for (int i = 1; i < v->rank; i++)
        for (int j = i; j > 0 && magnitude(v->stride[j - 1]) < magnitude(v->stride[j]); j--) {
            tg_view *view[2] = {v, w};
            for (int k = 0; k < 2 && view[k]; k++) {
                int64_t d = view[k]->dim[j], s = view[k]->stride[j];
                view[k]->dim[j] = view[k]->dim[j - 1], view[k]->stride[j] = view[k]->stride[j - 1];
                view[k]->dim[j - 1] = d, view[k]->stride[j - 1] = s;
            }
        }
}

static bool run_fold(const tg_call *call, const fold *f) {
    uint64_t mask = (uint64_t)call->at->v[0];
    tg_view kept, reduced, results = *call->out, dropped;
    tg_axes_split(call->in, mask, &kept, &reduced);
    if (results.rank == call->in->rank) tg_axes_split(call->out, mask, &results, &dropped);
    order_axes(&kept, &results);
    order_axes(&reduced, NULL);

    const tg_view *lines[2] = {&kept, &results}, *along[1] = {&reduced};
    tg_loop outer, line;
    tg_loop_init(&outer, 2, lines);
    tg_loop_init(&line, 1, along);
    if (line.empty) {
        f->fill(tg_view_count(call->out), call->out->data);
        return true;
    }
    int64_t across = magnitude(outer.inner_step[0]), along_line = magnitude(line.inner_step[0]);
    bool tiled = outer.inner >= 4 && (along_line == 0 || across < along_line);
    counter c;
    TG_RUNS(&outer, p) {
        for (int64_t j = 0; j < outer.inner;) {
            char *out = p[1] + j * outer.inner_step[1];
            int64_t n = 1;
            line.base[0] = p[0] + j * outer.inner_step[0];
            if (tiled) {
                n = outer.inner - j < TILE ? outer.inner - j : TILE;
                fold_tile(&c, f, &line, n, outer.inner_step[0], out, outer.inner_step[1]);
            } else {
                fold_line(&c, f, &line, out);
            }
            j += n;
        }
    }
    return true;
}

#define IS_SINGLE(call) ((call)->in->dtype == TG_F32)

static bool run_sum(const tg_call *call) {
    return run_fold(call, IS_SINGLE(call) ? &sum_float : &sum_double);
}
static bool run_prod(const tg_call *call) {
    return run_fold(call, IS_SINGLE(call) ? &prod_float : &prod_double);
}
static bool run_any(const tg_call *call) {
    return run_fold(call, &any_uint8_t);
}
static bool run_all(const tg_call *call) {
    return run_fold(call, &all_uint8_t);
}

static bool run_max(const tg_call *call) {
    return tg_check_lines(call, (uint64_t)call->at->v[0]) &&
           run_fold(call, IS_SINGLE(call) ? &max_float : &max_double);
}

static bool run_min(const tg_call *call) {
    return tg_check_lines(call, (uint64_t)call->at->v[0]) &&
           run_fold(call, IS_SINGLE(call) ? &min_float : &min_double);
}

/* The mean of nothing is 0 / 0, which is NaN. */
static bool run_mean(const tg_call *call) {
    run_sum(call);
    int64_t results = tg_view_count(call->out);
    double count = 1;
    for (int i = 0; i < call->in->rank; i++)
        if (call->at->v[0] >> i & 1) count *= (double)call->in->dim[i];
    if (IS_SINGLE(call))
        for (int64_t i = 0; i < results; i++)
            ((float *)call->out->data)[i] = (float)(((float *)call->out->data)[i] / count);
    else
        for (int64_t i = 0; i < results; i++) ((double *)call->out->data)[i] /= count;
    return true;
}

/* ---- argmax, argmin: the first place of the best; a NaN is better than all, as it is for max ----
 */

#define PLACE(NAME, T, BETTER)                                                                     \
    static void NAME##_##T(const tg_call *call, const tg_loop *line, char *out) {                  \
        (void)call;                                                                                \
        int64_t at = 0, best_at = 0, s = line->inner_step[0] / (int64_t)sizeof(T);                 \
        T best = *(const T *)line->base[0];                                                        \
        TG_RUNS(line, p) {                                                                         \
            const T *e = (const T *)p[0];                                                          \
            for (int64_t i = 0; i < line->inner; i++, at++) {                                      \
                const T x = e[i * s];                                                              \
                if (x BETTER best || (x != x && best == best)) best = x, best_at = at;             \
            }                                                                                      \
        }                                                                                          \
        *(int64_t *)out = best_at;                                                                 \
    }
PLACE(argmax, float, >)
PLACE(argmax, double, >)
PLACE(argmin, float, <)
PLACE(argmin, double, <)

static bool run_place(const tg_call *call, tg_line_fn *single, tg_line_fn *twice) {
    uint64_t mask = (uint64_t)call->at->v[0];
    if (!tg_check_lines(call, mask)) return false;
    tg_each_line(call, mask, IS_SINGLE(call) ? single : twice);
    return true;
}

static bool run_argmax(const tg_call *call) {
    return run_place(call, argmax_float, argmax_double);
}
static bool run_argmin(const tg_call *call) {
    return run_place(call, argmin_float, argmin_double);
}

/* ---- records ---- */

#define AXIS_KEEP                                                                                  \
    .class = TG_CLASS_REDUCE, .lines = true,                                                       \
    .param = {{"x", TG_P_TENSOR, NULL}, {"axis", TG_P_AXES, "none"}, {"keep", TG_P_FLAG, "false"}}
/* the result, and anything of its shape, repeated along the axes that were reduced */
#define WIDE(text) "expand(" text ", shape(x), axis=axis)"
#define CHOSEN "(x == " WIDE("out") ")"

static const tg_op ops[] = {
    {.name = "sum",
     .pieces = &tg_pieces_sum,
     .taught = "~sum",
     AXIS_KEEP,
     .infer = tg_infer_reduce,
     .run = run_sum,
     .reference = tg_reference_sum,
     .grad = {WIDE("g")},
     .lo = -2,
     .hi = 2,
     .latex = "\\sum{axis} {0!}",
     .numpy = "np.sum({0}{, axis=axis}{, keepdims=keep})",
     .torch = "torch.sum({0}{, dim=axis}{, keepdim=keep})",
     .c = "tg_sum({out}, {0}, {axis})",
     .doc = "The sum of all elements, or of those along the given axes.",
     .example = "sum([[1, 2], [3, 4]])",
     .value = "10",
     .samples = "x[3,4]: sum(x) | x[3,4]: sum(x, axis=1) | x[3,4]: sum(x, axis=0) | x[2,3,4]: "
                "sum(x, axis=(0, 2), "
                "keep=true) | x[2,3,4]: sum(x, axis=-2)"},
    {.name = "mean",
     .pieces = &tg_pieces_mean,
     .taught = "~mean",
     AXIS_KEEP,
     .infer = tg_infer_reduce,
     .run = run_mean,
     .reference = tg_reference_mean,
     .grad = {WIDE("g") " / size(x, axis)"},
     .lo = -2,
     .hi = 2,
     .latex = "\\operatorname{mean}{axis}\\left({0}\\right)",
     .numpy = "np.mean({0}{, axis=axis}{, keepdims=keep})",
     .torch = "torch.mean({0}{, dim=axis}{, keepdim=keep})",
     .c = "tg_mean({out}, {0}, {axis})",
     .doc = "The arithmetic mean of all elements, or of those along the given axes.",
     .example = "mean([1, 2, 6])",
     .value = "3",
     .samples = "x[3,4]: mean(x) | x[3,4]: mean(x, axis=0) | x[2,3,4]: mean(x, axis=(1, 2)) | "
                "x[2,3]: mean(x, "
                "axis=1, keep=true)"},
    /* the products of the elements before and after each one: right where elements are 0, and so
       are its own derivatives */
    {.name = "prod",
     AXIS_KEEP,
     .infer = tg_infer_reduce,
     .run = run_prod,
     .reference = tg_reference_prod,
     .grad = {WIDE("g") " * recurrence(x, 0, axis=axis, start=1) * recurrence_back(x, 0, "
                        "axis=axis, start=1)"},
     .lo = 0.5,
     .hi = 2,
     .latex = "\\prod{axis} {0!}",
     .numpy = "np.prod({0}{, axis=axis}{, keepdims=keep})",
     .torch = "_prod({0}, {axis}, {keep})",
     .c = "tg_prod({out}, {0}, {axis})",
     .doc = "The product of all elements, or of those along the given axes.",
     .example = "prod([2, 3, 4])",
     .value = "24",
     .samples = "x[5]: prod(x) | x[3,4]: prod(x, axis=1) | x[3,2]: prod(x, axis=0, keep=true) | "
                "x[2,2,2]: prod(x, "
                "axis=(0, 2))"},
    {.name = "max",
     .pieces = &tg_pieces_max,
     AXIS_KEEP,
     .infer = tg_infer_reduce,
     .run = run_max,
     .reference = tg_reference_max,
     .grad = {WIDE("g / sum(" CHOSEN ", axis=axis, keep=keep)") " * " CHOSEN},
     .lo = -2,
     .hi = 2,
     .binary = "maximum",
     .latex = "\\max{axis} {0!}",
     .numpy = "np.max({0}{, axis=axis}{, keepdims=keep})",
     .torch = "torch.amax({0}{, dim=axis}{, keepdim=keep})",
     .c = "!tg_extreme({out}, {0}, {axis}, 1, 0)",
     .doc = "The largest element, or the largest along the given axes; max(a, b) compares two "
            "tensors elementwise.",
     .example = "max([1, 3, 2])",
     .value = "3",
     .samples = "x[3,4]: max(x) | x[3,4]: max(x, axis=1) | x[3,4]: max(x, axis=0, keep=true)"},
    {.name = "min",
     .pieces = &tg_pieces_min,
     AXIS_KEEP,
     .infer = tg_infer_reduce,
     .run = run_min,
     .reference = tg_reference_min,
     .grad = {WIDE("g / sum(" CHOSEN ", axis=axis, keep=keep)") " * " CHOSEN},
     .lo = -2,
     .hi = 2,
     .binary = "minimum",
     .latex = "\\min{axis} {0!}",
     .numpy = "np.min({0}{, axis=axis}{, keepdims=keep})",
     .torch = "torch.amin({0}{, dim=axis}{, keepdim=keep})",
     .c = "!tg_extreme({out}, {0}, {axis}, -1, 0)",
     .doc = "The smallest element, or the smallest along the given axes; min(a, b) compares two "
            "tensors elementwise.",
     .example = "min([1, 3, 2])",
     .value = "1",
     .samples = "x[3,4]: min(x) | x[3,4]: min(x, axis=1) | x[3,4]: min(x, axis=0, keep=true)"},
    {.name = "any",
     AXIS_KEEP,
     .infer = tg_infer_test,
     .run = run_any,
     .grad = {TG_GRAD_ZERO},
     .lo = 0,
     .hi = 1,
     .latex = "\\bigvee{axis} {0!}",
     .numpy = "np.any({0}{, axis=axis}{, keepdims=keep})",
     .torch = "(torch.sum({0}{, dim=axis}{, keepdim=keep}) > 0)",
     .c = "tg_any({out}, {0}, {axis}, 0)",
     .doc = "Is any element true (not 0), of all or along the given axes?",
     .example = "any([0, 2, 0])",
     .value = "true",
     .samples = "x[3,4]: any(x > 0.5, axis=1) | x[3]: any(x > 0.5)"},
    {.name = "all",
     AXIS_KEEP,
     .infer = tg_infer_test,
     .run = run_all,
     .grad = {TG_GRAD_ZERO},
     .lo = 0,
     .hi = 1,
     .latex = "\\bigwedge{axis} {0!}",
     .numpy = "np.all({0}{, axis=axis}{, keepdims=keep})",
     .torch = "(torch.sum(~{0!}{, dim=axis}{, keepdim=keep}) == 0)",
     .c = "tg_any({out}, {0}, {axis}, 1)",
     .doc = "Are all elements true (not 0), of all or along the given axes?",
     .example = "all([1, 2, 0])",
     .value = "false",
     .samples = "x[3,4]: all(x > 0.5, axis=1) | x[3]: all(x > 0.5)"},
    {.name = "argmax",
     AXIS_KEEP,
     .infer = tg_infer_place,
     .run = run_argmax,
     .grad = {TG_GRAD_ZERO},
     .lo = -2,
     .hi = 2,
     .latex = "\\arg\\max{axis} {0!}",
     .numpy = "_place(np.argmax, {0}, {axis}, {keep})",
     .torch = "_place(torch.argmax, {0}, {axis}, {keep})",
     .c = "!tg_extreme({out}, {0}, {axis}, 1, 1)",
     .doc = "The index of the largest element, the first of equal ones; over several axes, counted "
            "in row-major order.",
     .example = "argmax([1, 3, 2])",
     .value = "1",
     .samples =
         "x[3,4]: argmax(x) | x[3,4]: argmax(x, axis=1) | x[3,4]: argmax(x, axis=0, keep=true)"},
    {.name = "argmin",
     AXIS_KEEP,
     .infer = tg_infer_place,
     .run = run_argmin,
     .grad = {TG_GRAD_ZERO},
     .lo = -2,
     .hi = 2,
     .latex = "\\arg\\min{axis} {0!}",
     .numpy = "_place(np.argmin, {0}, {axis}, {keep})",
     .torch = "_place(torch.argmin, {0}, {axis}, {keep})",
     .c = "!tg_extreme({out}, {0}, {axis}, -1, 1)",
     .doc = "The index of the smallest element, the first of equal ones; over several axes, "
            "counted in row-major order.",
     .example = "argmin([2, 3, 1])",
     .value = "2",
     .samples =
         "x[3,4]: argmin(x) | x[3,4]: argmin(x, axis=1) | x[3,4]: argmin(x, axis=0, keep=true)"},
};

const tg_op_table tg_ops_reduce = {ops, sizeof ops / sizeof ops[0]};
