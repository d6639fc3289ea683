/* Sorting along an axis, and moving elements by a sorted order: sort, argsort, take_along and its
 * adjoint put_along; and searching in what is sorted.
 *
 * A line is copied into scratch as pairs of key and place, sorted by merging (stable: equal
 * elements keep their order; Knuth, TAOCP 3, section 5.2.4) and written back as keys or places. NaN
 * counts as larger than everything, as in NumPy. The gradient of sort puts each element's cotangent
 * back where the element came from. */
#include "runtime/ops/reduce.h"

#include "base/alloc.h"

#include <string.h>

/* ---- merge sort ---- */

typedef struct item {
    double key;
    int64_t place;
} item;

static inline bool comes_before(item a, item b) {
    return a.key < b.key || (b.key != b.key && a.key == a.key);
}

static void insertion_sort(item *x, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        item moved = x[i];
        int64_t j = i;
        for (; j > 0 && comes_before(moved, x[j - 1]); j--) x[j] = x[j - 1];
        x[j] = moved;
    }
}

enum { LOOK = 1 << 20 }; /* items between two looks for an interrupt */

/* Merges the sorted x[0..m) and x[m..n) into to[0..n). False: interrupted. */
static bool merge(tg_ctx *c, const item *x, int64_t m, int64_t n, item *to) {
    int64_t i = 0, j = m;
    for (int64_t k = 0; k < n;) {
        for (int64_t end = n - k < LOOK ? n : k + LOOK; k < end; k++)
            to[k] = i < m && (j >= n || !comes_before(x[j], x[i])) ? x[i++] : x[j++];
        if (k < n && !tg_check_interrupt(c)) return false;
    }
    return true;
}

/* Sorts x; `spare` has room for n items. Returns where the result stands: x or spare; NULL:
 * interrupted. */
static item *merge_sort(tg_ctx *c, item *x, item *spare, int64_t n) {
    enum { SHORT = 16 };
    for (int64_t i = 0; i < n; i += SHORT) {
        insertion_sort(x + i, n - i < SHORT ? n - i : SHORT);
        if (i % LOOK == 0 && !tg_check_interrupt(c)) return NULL;
    }
    for (int64_t width = SHORT; width < n; width *= 2) {
        for (int64_t i = 0; i < n; i += 2 * width) {
            int64_t end = n - i < 2 * width ? n - i : 2 * width;
            if (!merge(c, x + i, end < width ? end : width, end, spare + i) ||
                (i % LOOK == 0 && !tg_check_interrupt(c)))
                return NULL;
        }
        item *sorted = spare;
        spare = x;
        x = sorted;
    }
    return x;
}

/* ---- walking lines that have different lengths in each view ---- */

typedef struct lines {
    tg_loop outer;              /* over the other axes */
    int64_t length[3], step[3]; /* along the axis, of each view; steps in elements */
} lines;

static void lines_init(lines *l, int axis, int n, const tg_view *const *v) {
    tg_view kept[3], along;
    const tg_view *others[3];
    for (int i = 0; i < n; i++) {
        tg_axes_split(v[i], (uint64_t)1 << axis, &kept[i], &along);
        l->length[i] = along.dim[0];
        l->step[i] = along.stride[0];
        others[i] = &kept[i];
    }
    tg_loop_init(&l->outer, n, others);
}

/* ---- sort, argsort ---- */

static double element(const char *p, tg_dtype t, int64_t i) {
    return t == TG_F32 ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

/* Sorts one line from p[0] into p[1], as places when the result is of whole numbers. False:
 * interrupted. */
static bool sort_line(const lines *l, const tg_call *call, char *const *p, item *work) {
    tg_ctx *c = &call->rt->c;
    tg_dtype t = call->in->dtype, result = call->out->dtype;
    int64_t n = l->length[0];
    for (int64_t i = 0; i < n; i++) {
        work[i] = (item){element(p[0], t, i * l->step[0]), i};
        if (i % LOOK == 0 && !tg_check_interrupt(c)) return false;
    }
    const item *sorted = merge_sort(c, work, work + n, n);
    if (!sorted) return false;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i * l->step[1];
        if (result == TG_I64)
            ((int64_t *)p[1])[at] = sorted[i].place;
        else if (result == TG_F32)
            ((float *)p[1])[at] = (float)sorted[i].key;
        else
            ((double *)p[1])[at] = sorted[i].key;
        if (i % LOOK == 0 && !tg_check_interrupt(c)) return false;
    }
    return true;
}

static bool run_sort(const tg_call *call) {
    const tg_view *v[2] = {call->in, call->out};
    lines l;
    lines_init(&l, (int)call->at->v[0], 2, v);
    size_t items, bytes;
    if (l.outer.empty || l.length[0] == 0) return true;
    if (!tg_size_mul(2, (size_t)l.length[0], &items) || !tg_size_mul(items, sizeof(item), &bytes))
        return tg_fail_memory(&call->rt->c);
    if (call->room) {
        *call->room = bytes;
        return true;
    }
    item *work = tg_alloc(bytes); /* not cleared, which alone would take long */
    if (!work) return tg_fail_memory(&call->rt->c);
    bool ok = true;
    TG_RUNS(&l.outer, p) {
        for (int64_t j = 0; ok && j < l.outer.inner; j++) {
            char *line[2] = {p[0] + j * l.outer.inner_step[0], p[1] + j * l.outer.inner_step[1]};
            ok = sort_line(&l, call, line, work);
        }
    }
    tg_free(work);
    return ok;
}

static bool infer_argsort(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    tg_infer_along(rt, op, n, in, at, out, want);
    out->dtype = TG_I64;
    out->weak = false;
    return true;
}

/* ---- take_along, put_along ---- */

/* x and idx must have equal sizes but for the axis. */
static bool check_along(tg_rt *rt, const tg_type *in, int axis) {
    bool fits = in[0].rank == in[1].rank;
    for (int i = 0; fits && i < in[0].rank; i++) fits = i == axis || in[0].dim[i] == in[1].dim[i];
    if (fits) return true;
    return tg_fail(
        &rt->c, TG_ERR_SHAPE, "the shapes %s of {0} and %s of {1} may differ in axis %d only",
        tg_shape_text(rt, in[0].rank, in[0].dim), tg_shape_text(rt, in[1].rank, in[1].dim), axis);
}

static bool infer_take(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)op, (void)n;
    if (!check_along(rt, in, (int)at->v[0])) return false;
    *out = in[1];
    out->dtype = want[0] = tg_promote(rt, 1, in);
    out->weak = false;
    want[1] = TG_I64;
    return true;
}

static bool infer_put(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                      tg_type *out, tg_dtype *want) {
    if (!infer_take(rt, op, n, in, at, out, want)) return false;
    if (in[0].dim[at->v[0]] != in[1].dim[at->v[0]])
        return tg_fail(&rt->c, TG_ERR_SHAPE, "the shapes %s of {0} and %s of {1} differ",
                       tg_shape_text(rt, in[0].rank, in[0].dim),
                       tg_shape_text(rt, in[1].rank, in[1].dim));
    out->dim[at->v[0]] = at->v[1];
    return true;
}

static bool move_along(const tg_call *call, bool put) {
    const tg_view *v[3] = {put ? call->in : call->out, &call->in[1], put ? call->out : call->in};
    lines l; /* 0: one element an index, 1: the indices, 2: the elements they name */
    lines_init(&l, (int)call->at->v[0], 3, v);
    bool single = call->out->dtype == TG_F32;
    TG_RUNS(&l.outer, p) {
        for (int64_t j = 0; j < l.outer.inner; j++) {
            char *one = p[0] + j * l.outer.inner_step[0], *named = p[2] + j * l.outer.inner_step[2];
            const int64_t *idx = (const int64_t *)(p[1] + j * l.outer.inner_step[1]);
            for (int64_t i = 0; i < l.length[1]; i++) {
                int64_t k = idx[i * l.step[1]], place = k < 0 ? k + l.length[2] : k;
                if (place < 0 || place >= l.length[2])
                    return tg_fail(&call->rt->c, TG_ERR_VALUE,
                                   "index %lld is out of range for axis %d of size %lld",
                                   (long long)k, (int)call->at->v[0], (long long)l.length[2]);
                int64_t from = i * l.step[0], to = place * l.step[2];
                if (put && single)
                    ((float *)named)[to] += ((float *)one)[from];
                else if (put)
                    ((double *)named)[to] += ((double *)one)[from];
                else if (single)
                    ((float *)one)[from] = ((float *)named)[to];
                else
                    ((double *)one)[from] = ((double *)named)[to];
            }
        }
    }
    return true;
}

static bool run_take(const tg_call *call) {
    return move_along(call, false);
}

static bool run_put(const tg_call *call) {
    memset(call->out->data, 0, (size_t)tg_view_count(call->out) * tg_dtype_size(call->out->dtype));
    return move_along(call, true);
}

/* ---- searchsorted ---- */

static bool infer_search(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    if (in[0].rank != 1)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "{0} must be a vector of ascending numbers, not %s",
                       tg_shape_text(rt, in[0].rank, in[0].dim));
    *out = in[1];
    out->dtype = TG_I64;
    out->weak = false;
    want[0] = want[1] = tg_promote(rt, n, in);
    return true;
}

/* How many of the n ascending numbers come before x; with `right` how many do not come behind it.
 */
static int64_t place_of(const tg_view *sorted, double x, bool right) {
    int64_t lo = 0, hi = sorted->dim[0];
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        item there = {element(sorted->data, sorted->dtype, mid * sorted->stride[0]), 0};
        item here = {x, 0};
        bool before = right ? !comes_before(here, there) : comes_before(there, here);
        if (before)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool run_search(const tg_call *call) {
    const tg_view *v[2] = {&call->in[1], call->out};
    tg_loop l;
    char *p[TG_LOOP_OPERANDS];
    int64_t idx[TG_MAX_RANK], done = 0;
    tg_loop_init(&l, 2, v);
    for (bool more = tg_loop_start(&l, idx, p); more; more = tg_loop_next(&l, idx, p)) {
        for (int64_t i = 0; i < l.inner; i++) {
            if (done++ % (LOOK / 16) == 0 && !tg_check_interrupt(&call->rt->c)) return false;
            double x = element(p[0] + i * l.inner_step[0], v[0]->dtype, 0);
            *(int64_t *)(p[1] + i * l.inner_step[1]) = place_of(call->in, x, call->at->v[0] != 0);
        }
    }
    return true;
}

/* ---- records ---- */

static const tg_op ops[] = {
    {.name = "sort",
     .class = TG_CLASS_REDUCE,
     .param = {{"x", TG_P_TENSOR, NULL}, {"axis", TG_P_AXIS, "-1"}},
     .infer = tg_infer_along,
     .run = run_sort,
     .takes_room = true,
     .grad = {"put_along(g, argsort(x, axis=axis), axis=axis, count=size(x, axis))"},
     .lo = -2,
     .hi = 2,
     .latex = "\\operatorname{sort}{axis}\\left({0}\\right)",
     .numpy = "np.sort({0}, axis={axis})",
     .torch = "torch.sort({0}, dim={axis}, stable=True)[0]",
     .c = "!tg_sort({out}, {0}, {axis}, 0)",
     .doc = "The elements in ascending order along an axis, by default the last; NaN comes last.",
     .example = "sort([3, 1, 2])",
     .value = "[1, 2, 3]",
     .samples = "x[5]: sort(x) | x[3,4]: sort(x) | x[4,3]: sort(x, axis=0)"},
    {.name = "argsort",
     .class = TG_CLASS_REDUCE,
     .param = {{"x", TG_P_TENSOR, NULL}, {"axis", TG_P_AXIS, "-1"}},
     .infer = infer_argsort,
     .run = run_sort,
     .takes_room = true,
     .grad = {TG_GRAD_ZERO},
     .lo = -2,
     .hi = 2,
     .latex = "\\operatorname{argsort}{axis}\\left({0}\\right)",
     .numpy = "np.argsort({0}, axis={axis}, kind='stable')",
     .torch = "torch.sort({0}, dim={axis}, stable=True)[1]",
     .c = "!tg_sort({out}, {0}, {axis}, 1)",
     .doc = "The indices that would sort x along an axis; equal elements keep their order.",
     .example = "argsort([3, 1, 2])",
     .value = "[1, 2, 0]",
     .samples = "x[5]: argsort(x) | x[3,4]: argsort(x) | x[4,3]: argsort(x, axis=0)"},
    {.name = "take_along",
     .class = TG_CLASS_INDEX,
     .param = {{"x", TG_P_TENSOR, NULL}, {"idx", TG_P_TENSOR, NULL}, {"axis", TG_P_AXIS, NULL}},
     .infer = infer_take,
     .run = run_take,
     .grad = {"put_along(g, idx, axis=axis, count=size(x, axis))", TG_GRAD_ZERO},
     .lo = -2,
     .hi = 2,
     .numpy = "np.take_along_axis({0}, {1}, axis={axis})",
     .torch = "_take_along({0}, {1}, {axis})",
     .c = "!tg_take_along({out}, {0}, {1}, {axis})",
     .doc = "In each line along the axis, the elements that the indices of that line name.",
     .example = "take_along([3, 1, 2], [2, 0], 0)",
     .value = "[2, 3]",
     .samples =
         "x[5]: take_along(x, argsort(x), axis=0) | x[3,4]: take_along(x, argsort(x), axis=1)"},
    {.name = "put_along",
     .class = TG_CLASS_INDEX,
     .param = {{"x", TG_P_TENSOR, NULL},
               {"idx", TG_P_TENSOR, NULL},
               {"axis", TG_P_AXIS, NULL},
               {"count", TG_P_SIZE, NULL}},
     .infer = infer_put,
     .run = run_put,
     .grad = {"take_along(g, idx, axis=axis)", TG_GRAD_ZERO},
     .lo = -2,
     .hi = 2,
     .numpy = "_put_along({0}, {1}, {axis}, {count})",
     .torch = "_put_along({0}, {1}, {axis}, {count})",
     .c = "!tg_put_along({out}, {0}, {1}, {axis})",
     .doc =
         "Lines of `count` zeros along the axis, to which each element of x is added at its index.",
     .example = "put_along([1, 2, 3], [0, 0, 2], axis=0, count=4)",
     .value = "[3, 0, 3, 0]",
     .samples = "x[5]: put_along(x, argsort(x), axis=0, count=6) | x[3,4]: put_along(x, "
                "argsort(x), axis=1, count=4)"},
    {.name = "searchsorted",
     .class = TG_CLASS_INDEX,
     .param = {{"sorted", TG_P_TENSOR, NULL},
               {"x", TG_P_TENSOR, NULL},
               {"right", TG_P_FLAG, "false"}},
     .infer = infer_search,
     .run = run_search,
     .grad = {TG_GRAD_ZERO, TG_GRAD_ZERO},
     .lo = -2,
     .hi = 2,
     .numpy = "np.searchsorted({0}, {1}, 'right' if {right} else 'left')",
     .torch = "torch.searchsorted({0}, {1}.contiguous(), right={right})",
     .c = "tg_searchsorted({out}, {0}, {1}, {right})",
     .doc = "Where each element of x belongs among ascending numbers: how many of these are below "
            "it, or with right=true not above it. By halving, so that many take little time.",
     .example = "searchsorted([1, 2, 2, 4], [0, 2, 9])",
     .value = "[0, 1, 4]",
     .samples = "x[4], y[3]: searchsorted(sort(x), y) | x[3], y[2,2]: searchsorted(sort(x), y, "
                "right=true)"},
};

const tg_op_table tg_ops_order = {ops, sizeof ops / sizeof ops[0]};
