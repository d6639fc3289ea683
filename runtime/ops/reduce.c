/* Folds: sum, mean, prod, max, min, any, all, and the places argmax, argmin.
 *
 * A fold combines elements pairwise (Higham 2002, section 4.2): blocks of a few hundred elements
 * are folded in 16 lanes, and the blocks' results are combined as a binary counter adds one: level
 * i holds the fold of 2^i blocks. The rounding error of a sum so grows with the logarithm of the
 * number of elements, in single precision too, and nothing is allocated.
 *
 * Two loop orders serve all strides. Where the reduced axes lie closest together, each result is
 * folded from runs of elements. Where a kept axis does (the column sums of a matrix), whole rows
 * are folded into a tile of 64 results at a time. The inner loops are those of
 * runtime/vec. Long work is cut into parts for other threads, by shape and strides only, so that
 * the bits do not depend on their number. */
#include "runtime/ops/reduce.h"
#include "runtime/ops/pieces.h"
#include "runtime/pool/pool.h"
#include "runtime/vec/vec.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256, ROWS = 16, TILE = 64, LEVELS = 60 };

/* ---- combining blocks as a counter does ---- */

/* Bit i of `count` is set while level i holds the fold of 2^i blocks. A level is `width`
 * accumulators wide. */
typedef struct counter {
    const tg_fold *f;
    int64_t width;
    uint64_t count;
    double level[LEVELS][TILE]; /* of f's type: a double is the widest */
} counter;

static void counter_start(counter *c, const tg_fold *f, int64_t width) {
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
static void fold_line(counter *c, const tg_fold *f, const tg_loop *line, void *out) {
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
static void fold_tile(counter *c, const tg_fold *f, const tg_loop *line, int64_t n, int64_t step,
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

/* A fold cut into parts that other threads may take: of the lines, or of one long line. Both cuts
 * depend on the sizes alone. */
typedef struct job {
    const tg_fold *f;
    tg_view kept, reduced, results; /* axes ordered; results have the kept axes */
    bool tiled;
    int64_t size;        /* of a part, along axis 0 of `kept` or of `reduced` */
    double partial[128]; /* results of a long line's parts */
} job;

enum { PART = 1 << 16, PARTS = 100 };

static void fold_lines(const job *b, const tg_view *kept, const tg_view *results) {
    const tg_view *lines[2] = {kept, results}, *along[1] = {&b->reduced};
    tg_loop outer, line;
    tg_loop_init(&outer, 2, lines);
    tg_loop_init(&line, 1, along);
    counter c;
    TG_RUNS(&outer, p) {
        for (int64_t j = 0; j < outer.inner;) {
            char *out = p[1] + j * outer.inner_step[1];
            int64_t n = 1;
            line.base[0] = p[0] + j * outer.inner_step[0];
            if (b->tiled) {
                n = outer.inner - j < TILE ? outer.inner - j : TILE;
                fold_tile(&c, b->f, &line, n, outer.inner_step[0], out, outer.inner_step[1]);
            } else {
                fold_line(&c, b->f, &line, out);
            }
            j += n;
        }
    }
}

/* The part of v from element i * size of axis 0 on. */
static tg_view part_of(const tg_view *v, int64_t i, int64_t size) {
    tg_view w = *v;
    w.data = (char *)v->data + i * size * v->stride[0] * (int64_t)tg_dtype_size(v->dtype);
    w.dim[0] = v->dim[0] - i * size < size ? v->dim[0] - i * size : size;
    return w;
}

static bool some_lines(void *user, int64_t i) {
    const job *b = user;
    tg_view kept = part_of(&b->kept, i, b->size), results = part_of(&b->results, i, b->size);
    fold_lines(b, &kept, &results);
    return true;
}

static bool part_of_line(void *user, int64_t i) {
    job *b = user;
    tg_view along = part_of(&b->reduced, i, b->size);
    const tg_view *only[1] = {&along};
    tg_loop line;
    counter c;
    tg_loop_init(&line, 1, only);
    fold_line(&c, b->f, &line, &b->partial[i]);
    return true;
}

static bool run_fold(const tg_call *call, tg_fold_kind kind) {
    uint64_t mask = (uint64_t)call->at->v[0];
    tg_view dropped;
    job b = {.f = tg_vec_now()->fold[kind][call->in->dtype == TG_F32 ? 0 : 1],
             .results = *call->out};
    tg_axes_split(call->in, mask, &b.kept, &b.reduced);
    if (b.results.rank == call->in->rank) tg_axes_split(call->out, mask, &b.results, &dropped);
    order_axes(&b.kept, &b.results);
    order_axes(&b.reduced, NULL);

    int64_t length = tg_view_count(&b.reduced), lines = tg_view_count(&b.kept);
    if (length == 0) {
        b.f->fill(lines, call->out->data);
        return true;
    }
    const tg_view *outer_views[2] = {&b.kept, &b.results}, *along[1] = {&b.reduced};
    tg_loop outer, line;
    tg_loop_init(&outer, 2, outer_views);
    tg_loop_init(&line, 1, along);
    int64_t across = magnitude(outer.inner_step[0]), along_line = magnitude(line.inner_step[0]);
    b.tiled = outer.inner >= 4 && (along_line == 0 || across < along_line);

    double cost = 0.2 * (double)length * (double)lines;
    if (lines == 1 && line.rank == 0 && length > PART) { /* as one axis */
        b.reduced = (tg_view){.data = line.base[0],
                              .dtype = call->in->dtype,
                              .rank = 1,
                              .dim = {length},
                              .stride = {line.inner_step[0] / (int64_t)b.f->size}};
        b.size = PART;
        while ((length + b.size - 1) / b.size > PARTS) b.size *= 2;
        int64_t parts = (length + b.size - 1) / b.size;
        if (!tg_pool_run(call->rt, parts, cost, part_of_line, &b)) return false;
        counter c;
        counter_start(&c, b.f, 1);
        for (int64_t i = 0; i < parts; i++) {
            memcpy(counter_next(&c), &b.partial[i], b.f->size);
            counter_add(&c);
        }
        memcpy(call->out->data, counter_total(&c), b.f->size);
        return true;
    }
    if (lines > 1 && length * lines > PART && b.kept.dim[0] > 1) {
        /* whole tiles, where axis 0 is the one that lies closest together */
        int64_t unit = b.tiled && b.kept.rank == 1 ? TILE : 1, n = b.kept.dim[0];
        b.size = (n + PARTS - 1) / PARTS;
        int64_t least = PART / (length * lines / n) + 1;
        if (b.size < least) b.size = least;
        b.size = (b.size + unit - 1) / unit * unit;
        return tg_pool_run(call->rt, (n + b.size - 1) / b.size, cost, some_lines, &b);
    }
    fold_lines(&b, &b.kept, &b.results);
    return true;
}

static bool run_sum(const tg_call *call) {
    return run_fold(call, TG_FOLD_SUM);
}
static bool run_prod(const tg_call *call) {
    return run_fold(call, TG_FOLD_PROD);
}
static bool run_any(const tg_call *call) {
    return run_fold(call, TG_FOLD_ANY);
}
static bool run_all(const tg_call *call) {
    return run_fold(call, TG_FOLD_ALL);
}

#define IS_SINGLE(call) ((call)->in->dtype == TG_F32)

static bool run_max(const tg_call *call) {
    return tg_check_lines(call, (uint64_t)call->at->v[0]) && run_fold(call, TG_FOLD_MAX);
}

static bool run_min(const tg_call *call) {
    return tg_check_lines(call, (uint64_t)call->at->v[0]) && run_fold(call, TG_FOLD_MIN);
}

/* The mean of nothing is 0 / 0, which is NaN. */
static bool run_mean(const tg_call *call) {
    if (!run_sum(call)) return false;
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
     .pieces = &(const tg_pieces){TG_PIECES_SUM, 0, false},
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
     .pieces = &(const tg_pieces){TG_PIECES_SUM, 0, true},
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
     .pieces = &(const tg_pieces){TG_PIECES_MAX, -INFINITY, false},
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
     .pieces = &(const tg_pieces){TG_PIECES_MIN, INFINITY, false},
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
