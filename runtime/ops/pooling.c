/* Pooling: what windows that slide over lines and images make of what they see, the largest or the
 * mean.
 *
 * The largest element takes the derivative. Where several are equal they share it, as those of
 * max(x) do. So three operations are closed under differentiation of any order:
 *
 *     max_pool(x)         the largest of each window
 *     max_unpool(g, x)    g of each window, given back in equal parts to the places that have its
 *                         largest; the derivative of max_pool
 *     max_pick(v, x)      the mean of v over these places: the derivative of max_unpool by g, and
 *                         max_unpool is its own
 *
 * and the places are chosen by x, which has no more derivative than the condition of a where. The
 * mean is linear: avg_pool and avg_unpool are each other's derivative.
 *
 * What stands in the padding is -infinity for the largest and 0 for the mean, which counts it: the
 * sum is divided by the size of the window everywhere. */
#include "base/alloc.h"
#include "runtime/ops/structure.h"
#include "runtime/ops/window.h"
#include "runtime/pool/pool.h"

#include <math.h>
#include <string.h>

/* One line or image of the arguments and the result; steps in elements. The result is contiguous.
 */
typedef struct plane {
    const char *x, *image;
    int64_t x_row, x_column, image_row, image_column;
    void *out;
} plane;

enum { LOOK = 1 << 16 }; /* places between two looks for an interrupt */

/* Windows from x on, of n in a row, up to the next look; x itself: the work is to stop. */
static int64_t windows_to(int64_t x, int64_t n, const tg_window *w) {
    int64_t each = w->row.kernel * w->column.kernel, most = each < LOOK ? LOOK / each : 1;
    if (tg_pool_stops()) return x;
    return n - x < most ? n : x + most;
}

static bool are_pairs(const tg_window_axis *a) {
    return a->kernel == 2 && a->stride == 2 && a->dilation == 1 && a->padding == 0;
}

/* Of two vectors side by side every other element, and one of each in turn. */
#define T float
#define INT int32_t
#define LANES 4
#define EVENS(u, v) __builtin_shufflevector(u, v, 0, 2, 4, 6)
#define ODDS(u, v) __builtin_shufflevector(u, v, 1, 3, 5, 7)
#define FIRST(u, v) __builtin_shufflevector(u, v, 0, 4, 1, 5)
#define SECOND(u, v) __builtin_shufflevector(u, v, 2, 6, 3, 7)
#define FN(name) name##_float
#include "runtime/ops/pooling_typed.h"

#define T double
#define INT int64_t
#define LANES 2
#define EVENS(u, v) __builtin_shufflevector(u, v, 0, 2)
#define ODDS(u, v) __builtin_shufflevector(u, v, 1, 3)
#define FIRST(u, v) __builtin_shufflevector(u, v, 0, 2)
#define SECOND(u, v) __builtin_shufflevector(u, v, 1, 3)
#define FN(name) name##_double
#include "runtime/ops/pooling_typed.h"

/* ---- walking the planes ---- */

/* False: the work is to stop. */
typedef bool plane_fn(const tg_window *w, const plane *p, void *room);

typedef struct job {
    const tg_call *call;
    tg_window window;
    plane_fn *f;
    int axes;
    int64_t planes, per; /* in all, and of a part */
    size_t room;
} job;

enum { PART = 1 << 16 }; /* elements in a part, about */

static void steps_of(const job *j, const tg_view *v, int64_t i, const char **at, int64_t *row,
                     int64_t *column) {
    *at = tg_view_place(v, tg_window_plane(v, j->axes, i));
    *column = v->stride[v->rank - 1];
    *row = j->axes == 2 ? v->stride[v->rank - 2] : 0;
}

static bool some_planes(void *user, int64_t part) {
    const job *j = user;
    const tg_call *call = j->call;
    void *room = j->room ? tg_alloc(j->room) : NULL;
    bool ok = !j->room || room;
    int64_t each = 1;
    for (int i = 1; i <= j->axes; i++) each *= call->out->dim[call->out->rank - i];
    for (int64_t i = part * j->per; ok && i < (part + 1) * j->per && i < j->planes; i++) {
        plane p = {.out = tg_view_place(call->out, i * each)};
        steps_of(j, &call->in[0], i, &p.x, &p.x_row, &p.x_column);
        if (call->n > 1) steps_of(j, &call->in[1], i, &p.image, &p.image_row, &p.image_column);
        ok = j->f(&j->window, &p, room);
    }
    tg_free(room);
    return ok;
}

static bool is_pool(const tg_op *op) {
    return strstr(op->name, "_pool");
}

/* `image` and `windows` are the views with the shapes of these. */
static bool run_planes(const tg_call *call, const tg_view *image, const tg_view *windows,
                       plane_fn *single, plane_fn *twice) {
    job j = {.call = call,
             .window = tg_window_of(call, image, windows, NULL),
             .f = call->out->dtype == TG_F32 ? single : twice,
             .axes = tg_window_axes(call->op)};
    const tg_window_axis *r = &j.window.row, *k = &j.window.column;
    int64_t each = r->image * k->image;
    j.planes = tg_window_planes(call->out, j.axes);
    j.per = PART / (each > 0 ? each : 1) + 1;
    if (is_pool(call->op)) j.room = (size_t)k->image * tg_dtype_size(call->out->dtype);
    int64_t parts = (j.planes + j.per - 1) / j.per;
    if (call->room) {
        *call->room = j.room * (size_t)(parts < call->rt->threads ? parts : call->rt->threads);
        return true;
    }
    if (tg_view_count(call->out) == 0) return true;
    double seen = (double)(r->out * r->kernel) * (double)(k->out * k->kernel);
    return tg_pool_run(call->rt, parts, seen * (double)j.planes, some_planes, &j);
}

static bool run_max_pool(const tg_call *call) {
    return run_planes(call, &call->in[0], call->out, max_pool_float, max_pool_double);
}
static bool run_max_unpool(const tg_call *call) {
    return run_planes(call, call->out, &call->in[0], max_unpool_float, max_unpool_double);
}
static bool run_max_pick(const tg_call *call) {
    return run_planes(call, &call->in[0], call->out, max_pick_float, max_pick_double);
}
static bool run_avg_pool(const tg_call *call) {
    return run_planes(call, &call->in[0], call->out, avg_pool_float, avg_pool_double);
}
static bool run_avg_unpool(const tg_call *call) {
    return run_planes(call, call->out, &call->in[0], avg_unpool_float, avg_unpool_double);
}

/* ---- shape rules ---- */

static bool check_planes(tg_rt *rt, const tg_op *op, const tg_type *x, int which) {
    int axes = tg_window_axes(op);
    return x->rank >= axes ||
           tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants %s, but {%d} has shape %s", op->name,
                   axes == 1 ? "lines [..., places]" : "images [..., rows, columns]", which,
                   tg_shape_text(rt, x->rank, x->dim));
}

/* Padding beyond half of the window makes windows that see nothing. */
static bool check_padding(tg_rt *rt, const tg_op *op, const tg_attrs *at) {
    for (int i = 0; i < tg_window_axes(op); i++) {
        int64_t padding = tg_window_value(op, at, "padding", i),
                size = tg_window_value(op, at, "size", i),
                covers = tg_window_value(op, at, "dilation", i) * (size - 1) + 1;
        if (2 * padding > covers)
            return tg_fail(&rt->c, TG_ERR_VALUE,
                           "%s: padding must be at most half of the window, which covers %lld, but "
                           "is %lld",
                           op->name, (long long)covers, (long long)padding);
    }
    return true;
}

/* The shape of image's windows. */
static bool windows_of(tg_rt *rt, const tg_op *op, const tg_attrs *at, const tg_type *image,
                       tg_type *out) {
    int axes = tg_window_axes(op);
    *out = *image;
    if (!check_padding(rt, op, at)) return false;
    for (int i = 0; i < axes; i++) {
        tg_size *d = &out->dim[out->rank - axes + i];
        *d = tg_window_count(rt, op, at, i, *d, tg_window_value(op, at, "size", i));
        if (*d == TG_SIZE_FAIL) return false;
    }
    return true;
}

static void float_type(tg_rt *rt, int n, const tg_type *in, tg_type *out, tg_dtype *want) {
    out->dtype = tg_promote(rt, n, in);
    for (int i = 0; i < n; i++) want[i] = out->dtype;
    out->weak = false;
}

static bool infer_pool(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    if (!check_planes(rt, op, &in[0], 0) || !windows_of(rt, op, at, &in[0], out)) return false;
    float_type(rt, n, in, out, want);
    return true;
}

static bool fail_windows(tg_rt *rt, const tg_op *op, const tg_type *x, const tg_type *windows) {
    return tg_fail(&rt->c, TG_ERR_SHAPE,
                   "%s: {0} must have the shape of the windows, %s, but has %s", op->name,
                   tg_shape_text(rt, windows->rank, windows->dim),
                   tg_shape_text(rt, x->rank, x->dim));
}

static bool infer_max_unpool(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                             const tg_attrs *at, tg_type *out, tg_dtype *want) {
    tg_type windows;
    if (!check_planes(rt, op, &in[1], 1) || !windows_of(rt, op, at, &in[1], &windows)) return false;
    if (!tg_type_same_shape(&windows, &in[0])) return fail_windows(rt, op, &in[0], &windows);
    *out = in[1];
    float_type(rt, n, in, out, want);
    return true;
}

static bool infer_max_pick(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                           tg_type *out, tg_dtype *want) {
    if (!check_planes(rt, op, &in[1], 1)) return false;
    if (!tg_type_same_shape(&in[0], &in[1]))
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%s: the shapes %s of {0} and %s of {1} differ",
                       op->name, tg_shape_text(rt, in[0].rank, in[0].dim),
                       tg_shape_text(rt, in[1].rank, in[1].dim));
    if (!windows_of(rt, op, at, &in[1], out)) return false;
    float_type(rt, n, in, out, want);
    return true;
}

static bool infer_avg_unpool(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                             const tg_attrs *at, tg_type *out, tg_dtype *want) {
    if (!check_planes(rt, op, &in[0], 0)) return false;
    int axes = tg_window_axes(op), count;
    int v = tg_op_values(op, at, 1, &count);
    tg_type windows;
    *out = in[0];
    for (int i = 0; i < axes; i++) out->dim[out->rank - axes + i] = at->v[v + i];
    if (!windows_of(rt, op, at, out, &windows)) return false;
    if (!tg_type_same_shape(&windows, &in[0])) return fail_windows(rt, op, &in[0], &windows);
    float_type(rt, n, in, out, want);
    return true;
}

/* ---- the records ---- */

#define SPELL(word)                                                                                \
    static const tg_op *spell_##word(tg_rt *rt, const tg_attrs *at, tg_attrs *spelt) {             \
        (void)rt;                                                                                  \
        return tg_window_spell(tg_op_find(#word), at, spelt);                                      \
    }
SPELL(max_pool1d)
SPELL(max_unpool1d)
SPELL(max_pick1d)
SPELL(avg_pool1d)
SPELL(avg_unpool1d)
SPELL(max_pool2d)
SPELL(max_unpool2d)
SPELL(max_pick2d)
SPELL(avg_pool2d)
SPELL(avg_unpool2d)

#define STEPS                                                                                      \
    {"size", TG_P_SPEC, NULL}, {"stride", TG_P_SPEC, "none"}, {                                    \
        "padding", TG_P_SPEC, "0"                                                                  \
    }
#define SAME "size, stride=stride, padding=padding"
#define SAME_MAX SAME ", dilation=dilation)"
#define POOLING                                                                                    \
    .class = TG_CLASS_REDUCE, .canonical = tg_window_canonical, .takes_room = true, .effort = 1,   \
    .lo = -2, .hi = 2
#define MAX_PLACES                                                                                 \
    .param = {{"x", TG_P_TENSOR, NULL},                                                            \
              {"image", TG_P_TENSOR, NULL},                                                        \
              STEPS,                                                                               \
              {"dilation", TG_P_SPEC, "1"}}
#define MAX_CALL "{stride}, {padding}, {dilation})"

#define RECORDS(D, N, KIND)                                                                        \
    {.name = "max_pool" D,                                                                         \
     POOLING,                                                                                      \
     .param = {{"x", TG_P_TENSOR, NULL}, STEPS, {"dilation", TG_P_SPEC, "1"}},                     \
     .infer = infer_pool,                                                                          \
     .run = run_max_pool,                                                                          \
     .spell = spell_max_pool##N,                                                                   \
     .grad = {"max_unpool" D "(g, x, " SAME_MAX},                                                  \
     .numpy = "_max_pool({0}, {size}, " MAX_CALL,                                                  \
     .torch = "_max_pool({0}, {size}, " MAX_CALL,                                                  \
     .c =                                                                                          \
         "tg_max_pool({out}, {0}, {0}, " AXES_##N ", {size}, {stride}, {padding}, {dilation}, 0)", \
     DOC_MAX_POOL_##KIND},                                                                         \
        {.name = "max_unpool" D,                                                                   \
         POOLING,                                                                                  \
         MAX_PLACES,                                                                               \
         .infer = infer_max_unpool,                                                                \
         .run = run_max_unpool,                                                                    \
         .spell = spell_max_unpool##N,                                                             \
         .grad = {"max_pick" D "(g, image, " SAME_MAX, TG_GRAD_ZERO},                              \
         .numpy = "_max_unpool({0}, {1}, {size}, " MAX_CALL,                                       \
         .torch = "_max_unpool({0}, {1}, {size}, " MAX_CALL,                                       \
         .c = "tg_max_pool({0}, {1}, {out}, " AXES_##N                                             \
         ", {size}, {stride}, {padding}, {dilation}, 1)",                                          \
         DOC_MAX_UNPOOL_##KIND},                                                                   \
        {.name = "max_pick" D,                                                                     \
         POOLING,                                                                                  \
         MAX_PLACES,                                                                               \
         .infer = infer_max_pick,                                                                  \
         .run = run_max_pick,                                                                      \
         .spell = spell_max_pick##N,                                                               \
         .grad = {"max_unpool" D "(g, image, " SAME_MAX, TG_GRAD_ZERO},                            \
         .numpy = "_max_pick({0}, {1}, {size}, " MAX_CALL,                                         \
         .torch = "_max_pick({0}, {1}, {size}, " MAX_CALL,                                         \
         .c = "tg_max_pool({out}, {1}, {0}, " AXES_##N                                             \
         ", {size}, {stride}, {padding}, {dilation}, 2)",                                          \
         DOC_MAX_PICK_##KIND},                                                                     \
        {.name = "avg_pool" D,                                                                     \
         POOLING,                                                                                  \
         .param = {{"x", TG_P_TENSOR, NULL}, STEPS},                                               \
         .infer = infer_pool,                                                                      \
         .run = run_avg_pool,                                                                      \
         .spell = spell_avg_pool##N,                                                               \
         .grad = {"avg_unpool" D "(g, shape(x), " SAME ")"},                                       \
         .numpy = "_avg_pool({0}, {size}, {stride}, {padding})",                                   \
         .torch = "_avg_pool({0}, {size}, {stride}, {padding})",                                   \
         .c = "tg_avg_pool({out}, {0}, " AXES_##N ", {size}, {stride}, {padding}, 0)",             \
         DOC_AVG_POOL_##KIND},                                                                     \
    {                                                                                              \
        .name = "avg_unpool" D, POOLING,                                                           \
        .param = {{"x", TG_P_TENSOR, NULL}, {"image", TG_P_SHAPE, NULL}, STEPS},                   \
        .infer = infer_avg_unpool, .run = run_avg_unpool, .spell = spell_avg_unpool##N,            \
        .grad = {"avg_pool" D "(g, " SAME ")"},                                                    \
        .numpy = "_avg_unpool({0}, {image}, {size}, {stride}, {padding})",                         \
        .torch = "_avg_unpool({0}, {image}, {size}, {stride}, {padding})",                         \
        .c = "tg_avg_pool({0}, {out}, " AXES_##N ", {size}, {stride}, {padding}, 1)",              \
        DOC_AVG_UNPOOL_##KIND                                                                      \
    }

#define AXES_1d "1"
#define AXES_2d "2"
#define DOC_MAX_POOL_LINE                                                                          \
    .doc = "The largest element of each window of `size` places along the last axis; windows "     \
           "stand side by side unless `stride` says otherwise.",                                   \
    .example = "max_pool1d([1, 3, 2, 5, 4], 2)", .value = "[3, 5]",                                \
    .samples =                                                                                     \
        "x[2,6]: max_pool1d(x, 2) | x[7]: max_pool1d(x, 3, stride=2, padding=1, dilation=2)"
#define DOC_MAX_UNPOOL_LINE                                                                        \
    .doc = "Each x given back, in equal parts, to the places of its window of the image that "     \
           "have the largest element; the gradient of max_pool1d.",                                \
    .example = "max_unpool1d([10, 20], [1, 3, 2, 5, 4], 2)", .value = "[0, 10, 0, 20, 0]",         \
    .samples = "x[2,3], y[2,6]: max_unpool1d(x, y, 2) | x[3], y[5]: max_unpool1d(x, y, 3, "        \
               "stride=2, padding=1)"
#define DOC_MAX_PICK_LINE                                                                          \
    .doc = "In each window the mean of x over the places where the image has its largest "         \
           "element; the adjoint of max_unpool1d.",                                                \
    .example = "max_pick1d([10, 20, 30, 40], [1, 3, 5, 5], 2)", .value = "[20, 35]",               \
    .samples = "x[2,4], y[2,4]: max_pick1d(x, y, 2) | x[5], y[5]: max_pick1d(x, y, 3, stride=2, "  \
               "padding=1)"
#define DOC_AVG_POOL_LINE                                                                          \
    .doc = "The mean of each window of `size` places along the last axis; places in the padding "  \
           "count as zeros.",                                                                      \
    .example = "avg_pool1d([1, 3, 2, 6, 4], 2)", .value = "[2, 4]",                                \
    .samples = "x[2,6]: avg_pool1d(x, 2) | x[5]: avg_pool1d(x, 3, stride=2, padding=1)"
#define DOC_AVG_UNPOOL_LINE                                                                        \
    .doc = "Each x given in equal parts to the places of its window, of lines of the size "        \
           "`image`; the gradient of avg_pool1d.",                                                 \
    .example = "avg_unpool1d([2, 4], 5, 2)", .value = "[1, 1, 2, 2, 0]",                           \
    .samples = "x[2,3]: avg_unpool1d(x, 2 * size(x, -1), 2) | x[3]: avg_unpool1d(x, 5, 3, "        \
               "stride=2, padding=1)"
#define DOC_MAX_POOL_IMAGE                                                                         \
    .doc = "The largest element of each window over the last two axes; windows stand side by "     \
           "side unless `stride` says otherwise; each number may be a pair (rows, columns).",      \
    .example = "max_pool2d([[1, 2, 3, 4], [5, 6, 7, 8]], 2)", .value = "[[6, 8]]",                 \
    .samples = "x[2,4,5]: max_pool2d(x, 2) | x[5,4]: max_pool2d(x, (3, 2), stride=(2, 1), "        \
               "padding=1, dilation=(1, 2))"
#define DOC_MAX_UNPOOL_IMAGE                                                                       \
    .doc = "Each x given back, in equal parts, to the places of its window of the image that "     \
           "have the largest element; the gradient of max_pool2d.",                                \
    .example = "max_unpool2d([[4, 8]], [[1, 2, 3, 4], [5, 6, 8, 8]], 2)",                          \
    .value = "[[0, 0, 0, 0], [0, 4, 4, 4]]",                                                       \
    .samples = "x[2,2,2], y[2,4,4]: max_unpool2d(x, y, 2) | x[2,4], y[4,3]: max_unpool2d(x, y, "   \
               "(3, 2), stride=(2, 1), padding=1)"
#define DOC_MAX_PICK_IMAGE                                                                         \
    .doc = "In each window the mean of x over the places where the image has its largest "         \
           "element; the adjoint of max_unpool2d.",                                                \
    .example = "max_pick2d([[10, 20], [30, 40]], [[1, 2], [3, 4]], 2)", .value = "[[40]]",         \
    .samples = "x[2,4,5], y[2,4,5]: max_pick2d(x, y, 2) | x[4,3], y[4,3]: max_pick2d(x, y, (3, "   \
               "2), stride=(2, 1), padding=1)"
#define DOC_AVG_POOL_IMAGE                                                                         \
    .doc = "The mean of each window over the last two axes; places in the padding count as "       \
           "zeros.",                                                                               \
    .example = "avg_pool2d([[1, 2, 3, 4], [5, 6, 7, 8]], 2)", .value = "[[3.5, 5.5]]",             \
    .samples = "x[2,4,5]: avg_pool2d(x, 2) | x[4,3]: avg_pool2d(x, (3, 2), stride=(2, 1), "        \
               "padding=1)"
#define DOC_AVG_UNPOOL_IMAGE                                                                       \
    .doc = "Each x given in equal parts to the places of its window, of images of the size "       \
           "`image`; the gradient of avg_pool2d.",                                                 \
    .example = "avg_unpool2d([[4, 8]], (2, 4), 2)", .value = "[[1, 1, 2, 2], [1, 1, 2, 2]]",       \
    .samples = "x[2,2,2]: avg_unpool2d(x, (2 * size(x, -2), 2 * size(x, -1)), 2) | x[2,4]: "       \
               "avg_unpool2d(x, (4, 3), (3, 2), "                                                  \
               "stride=(2, 1), padding=1)"

static const tg_op ops[] = {
    RECORDS("1d", 1d, LINE),
    RECORDS("2d", 2d, IMAGE),
};

const tg_op_table tg_ops_pooling = {ops, sizeof ops / sizeof *ops};
