/* Elements chosen by a tensor of indices, and the sums that are the adjoints of such choices.
 *
 * gather takes whole slices of x, one for each index, along an axis; scatter_sum adds slices up in
 * the places that indices name, an index that occurs twice counting twice: each is the other's
 * adjoint. Indices count from 0, negative ones from the end, and are checked by the kernels, for
 * only the values tell. Sums run in the order of the indices, so that results do not depend on the
 * machine. */
#include "runtime/ops/structure.h"
#include "runtime/pool/pool.h"
#include "runtime/tensor/loop.h"

#include <math.h>
#include <string.h>

/* ---- shared ---- */

static bool index_at(const tg_call *call, int64_t offset, int axis, int64_t size, int64_t *place) {
    int64_t i = ((const int64_t *)call->in[1].data)[offset];
    *place = i < 0 ? i + size : i;
    if (*place >= 0 && *place < size) return true;
    return tg_fail(&call->rt->c, TG_ERR_VALUE,
                   "index %lld is out of range for axis %d of size %lld", (long long)i, axis,
                   (long long)size);
}

static int64_t offset_of(const int64_t *idx, int rank, const int64_t *stride) {
    int64_t offset = 0;
    for (int i = 0; i < rank; i++) offset += idx[i] * stride[i];
    return offset;
}

/* to += from, n elements side by side. */
static void add_run(void *to, const void *from, int64_t n, tg_dtype t) {
    if (t == TG_F64) {
        double *restrict x = to;
        const double *restrict y = from;
        for (int64_t i = 0; i < n; i++) x[i] += y[i];
    } else {
        float *restrict x = to;
        const float *restrict y = from;
        for (int64_t i = 0; i < n; i++) x[i] += y[i];
    }
}

/* The same of any views of one shape and float type. */
static void add_into(const tg_view *to, const tg_view *from) {
    const tg_view *views[2] = {to, from};
    tg_loop l;
    char *p[TG_LOOP_OPERANDS];
    int64_t idx[TG_MAX_RANK];
    tg_loop_init(&l, 2, views);
    for (bool more = tg_loop_start(&l, idx, p); more; more = tg_loop_next(&l, idx, p)) {
        int64_t a = l.inner_step[0], b = l.inner_step[1];
        if (to->dtype == TG_F64)
            for (int64_t i = 0; i < l.inner; i++)
                *(double *)(p[0] + i * a) += *(const double *)(p[1] + i * b);
        else
            for (int64_t i = 0; i < l.inner; i++)
                *(float *)(p[0] + i * a) += *(const float *)(p[1] + i * b);
    }
}

/* Slices of one tensor along `axis`, and the slices of another that has the indices' axes in its
 * place. */
typedef struct slabs {
    tg_view one, many;              /* one slice of each */
    int64_t step;                   /* of `axis` */
    int64_t many_step[TG_MAX_RANK]; /* of the indices' axes */
    bool flat;                      /* both lie in one piece */
    size_t bytes;
} slabs;

enum { AHEAD = 8 }; /* rows that are asked of the memory before they are needed */

static slabs slabs_of(const tg_view *one, const tg_view *many, const tg_view *idx, int axis) {
    slabs s = {.one = *one, .many = *many, .step = one->stride[axis]};
    tg_view_drop_axis(&s.one, axis);
    for (int i = 0; i < idx->rank; i++) {
        s.many_step[i] = many->stride[axis + i];
        tg_view_drop_axis(&s.many, axis);
    }
    s.flat = tg_view_is_contiguous(&s.one) && tg_view_is_contiguous(&s.many);
    s.bytes = (size_t)tg_view_count(&s.one) * tg_dtype_size(one->dtype);
    return s;
}

/* Are slices rows, and those of `many` one behind the other in the order of the indices? */
static bool are_rows(const slabs *s, const tg_view *many, const tg_view *idx, int axis) {
    return s->flat && axis == 0 && tg_view_is_contiguous(idx) && tg_view_is_contiguous(many);
}

/* Row `place` of a table of so many. */
static char *row_of(const slabs *s, int64_t place, int64_t rows) {
    return (char *)s->one.data + (place < 0 ? place + rows : place) * (int64_t)s->bytes;
}

static tg_view moved(const tg_view *v, int64_t offset) {
    tg_view m = *v;
    m.data = tg_view_place(v, offset);
    return m;
}

/* ---- gather ---- */

static bool infer_gather(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)op, (void)n;
    int axis = (int)at->v[0], r = 0;
    if (in[0].rank - 1 + in[1].rank > TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "the result would have %d axes; tensors have at most %d",
                       in[0].rank - 1 + in[1].rank, TG_MAX_RANK);
    for (int i = 0; i < axis; i++) out->dim[r++] = in[0].dim[i];
    for (int i = 0; i < in[1].rank; i++) out->dim[r++] = in[1].dim[i];
    for (int i = axis + 1; i < in[0].rank; i++) out->dim[r++] = in[0].dim[i];
    out->rank = r;
    tg_keep_type(rt, &in[0], out, want);
    want[1] = TG_I64;
    return true;
}

/* All slices that the indices name, in parts of `group` of them. */
typedef struct gathering {
    const tg_call *call;
    slabs s;
    int64_t group;
    bool rows;
} gathering;

static bool gather_rows(const gathering *g, int64_t first) {
    const tg_view *x = &g->call->in[0], *idx = &g->call->in[1];
    const int64_t *place = idx->data, n = tg_view_count(idx), rows = x->dim[0];
    const size_t bytes = g->s.bytes;
    char *to = (char *)g->call->out->data + first * (int64_t)bytes;
    int64_t end = first + g->group < n ? first + g->group : n;
    for (int64_t i = first; i < end; i++, to += bytes) {
        if (i + AHEAD < end) __builtin_prefetch(row_of(&g->s, place[i + AHEAD], rows));
        memcpy(to, row_of(&g->s, place[i], rows), bytes);
    }
    return true;
}

static bool gather_group(void *user, int64_t part) {
    const gathering *g = user;
    const slabs *s = &g->s;
    if (g->rows) return gather_rows(g, part * g->group);
    const tg_view *x = &g->call->in[0], *idx = &g->call->in[1];
    int64_t size = x->dim[g->call->at->v[0]], rest = part * g->group, pos[TG_MAX_RANK] = {0};
    for (int i = idx->rank - 1; i >= 0; i--) {
        pos[i] = rest % idx->dim[i];
        rest /= idx->dim[i];
    }
    int64_t left = g->group;
    do {
        int64_t place = ((const int64_t *)idx->data)[offset_of(pos, idx->rank, idx->stride)];
        tg_view from = moved(&s->one, (place < 0 ? place + size : place) * s->step),
                to = moved(&s->many, offset_of(pos, idx->rank, s->many_step));
        if (s->flat)
            memcpy(to.data, from.data, s->bytes);
        else
            tg_view_copy(&to, &from);
    } while (--left > 0 && tg_view_step(idx, pos));
    return true;
}

static bool run_gather(const tg_call *call) {
    enum { PART_BYTES = 1 << 18, PER_SLICE = 20 }; /* PER_SLICE: nanoseconds */
    const tg_view *x = &call->in[0], *idx = &call->in[1];
    int axis = (int)call->at->v[0];
    int64_t count = tg_view_count(idx), pos[TG_MAX_RANK] = {0}, place;
    bool flat = tg_view_is_contiguous(idx);
    if (count == 0) return true;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = flat ? i : offset_of(pos, idx->rank, idx->stride);
        if (!index_at(call, at, axis, x->dim[axis], &place)) return false;
        if (!flat) tg_view_step(idx, pos);
    }
    gathering g = {.call = call, .s = slabs_of(x, call->out, idx, axis)};
    g.rows = are_rows(&g.s, call->out, idx, axis) &&
             g.s.step * (int64_t)tg_dtype_size(x->dtype) == (int64_t)g.s.bytes;
    g.group = PART_BYTES / ((int64_t)g.s.bytes + PER_SLICE) + 1;
    double cost = (double)count * (PER_SLICE + (double)g.s.bytes / 8);
    return tg_pool_run(call->rt, (count + g.group - 1) / g.group, cost, gather_group, &g);
}

/* ---- scatter_sum and scatter_add ---- */

/* Do the axes of `many` from `axis` on begin with those of the indices? */
static bool check_slices(tg_rt *rt, const tg_type *many, int operand, const tg_type *idx,
                         int axis) {
    bool ok = axis + idx->rank <= many->rank;
    for (int i = 0; ok && i < idx->rank; i++) ok = many->dim[axis + i] == idx->dim[i];
    return ok || tg_fail(&rt->c, TG_ERR_SHAPE,
                         "{%d} of shape %s does not have the indices' shape %s from axis %d on",
                         operand, tg_shape_text(rt, many->rank, many->dim),
                         tg_shape_text(rt, idx->rank, idx->dim), axis);
}

static bool infer_scatter_sum(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                              const tg_attrs *at, tg_type *out, tg_dtype *want) {
    (void)op, (void)n;
    int axis = (int)at->v[1], r = 0;
    if (!check_slices(rt, &in[0], 0, &in[1], axis)) return false;
    if (in[0].rank - in[1].rank + 1 > TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "the result would have %d axes; tensors have at most %d", in[0].rank + 1,
                       TG_MAX_RANK);
    for (int i = 0; i < axis; i++) out->dim[r++] = in[0].dim[i];
    out->dim[r++] = at->v[0];
    for (int i = axis + in[1].rank; i < in[0].rank; i++) out->dim[r++] = in[0].dim[i];
    out->rank = r;
    out->dtype = want[0] = tg_promote(rt, 1, in);
    out->weak = false;
    want[1] = TG_I64;
    return true;
}

static bool add_rows(const tg_call *call, const slabs *s) {
    const tg_view *idx = &call->in[1], *out = call->out;
    const int64_t *place = idx->data, n = tg_view_count(idx), rows = out->dim[0],
                  length = tg_view_count(&s->one);
    const char *from = s->many.data;
    int64_t at;
    for (int64_t i = 0; i < n; i++, from += s->bytes) {
        if (!index_at(call, i, 0, rows, &at)) return false;
        if (i + AHEAD < n && place[i + AHEAD] < rows && place[i + AHEAD] >= -rows)
            __builtin_prefetch(row_of(s, place[i + AHEAD], rows), 1);
        add_run(row_of(s, at, rows), from, length, out->dtype);
    }
    return true;
}

/* out[..., idx, ...] += many, along axis. */
static bool add_slices(const tg_call *call, const tg_view *many, int axis) {
    const tg_view *idx = &call->in[1], *out = call->out;
    if (tg_view_count(idx) == 0) return true;
    slabs s = slabs_of(out, many, idx, axis);
    if (are_rows(&s, many, idx, axis)) return add_rows(call, &s);
    int64_t pos[TG_MAX_RANK] = {0}, place;
    do {
        if (!index_at(call, offset_of(pos, idx->rank, idx->stride), axis, out->dim[axis], &place))
            return false;
        tg_view to = moved(&s.one, place * s.step),
                from = moved(&s.many, offset_of(pos, idx->rank, s.many_step));
        if (s.one.rank > 0)
            add_into(&to, &from);
        else
            add_run(to.data, from.data, 1, to.dtype);
    } while (tg_view_step(idx, pos));
    return true;
}

static bool run_scatter_sum(const tg_call *call) {
    tg_view_clear(call->out);
    return add_slices(call, &call->in[0], (int)call->at->v[1]);
}

static bool infer_scatter_add(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                              const tg_attrs *at, tg_type *out, tg_dtype *want) {
    tg_type slices;
    if (!infer_gather(rt, op, n, in, at, &slices, want)) return false;
    if (!tg_shape_equal(slices.rank, slices.dim, in[2].rank, in[2].dim))
        return tg_fail(
            &rt->c, TG_ERR_SHAPE, "the places that {1} names have shape %s, but {2} has shape %s",
            tg_shape_text(rt, slices.rank, slices.dim), tg_shape_text(rt, in[2].rank, in[2].dim));
    const tg_type both[2] = {in[0], in[2]};
    *out = in[0];
    out->dtype = want[0] = want[2] = tg_promote(rt, 2, both);
    out->weak = false;
    return true;
}

static bool run_scatter_add(const tg_call *call) {
    bool in_place = call->out->data == call->in[0].data;
    if (!in_place && !tg_view_copy_parts(&call->rt->c, call->out, &call->in[0])) return false;
    return add_slices(call, &call->in[2], (int)call->at->v[0]);
}

/* ---- onehot ---- */

static bool infer_onehot(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)op, (void)n;
    int axis = (int)at->v[1];
    if (in[0].rank == TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "{0} has %d axes already, the most a tensor can have",
                       TG_MAX_RANK);
    *out = in[0];
    out->rank++;
    for (int i = out->rank - 1; i > axis; i--) out->dim[i] = out->dim[i - 1];
    out->dim[axis] = at->v[0];
    out->dtype = rt->precision;
    out->weak = false;
    want[0] = tg_dtype_is_float(in[0].dtype) ? TG_F64 : TG_I64;
    return true;
}

/* Labels are often among real numbers: read from a file, or an input's. */
static bool read_label(const tg_call *call, const tg_view *v, int64_t at, int64_t classes,
                       int64_t *label) {
    double x =
        v->dtype == TG_F64 ? ((const double *)v->data)[at] : (double)((const int64_t *)v->data)[at];
    if (x >= 0 && x < (double)classes && x == floor(x)) {
        *label = (int64_t)x;
        return true;
    }
    if (x == floor(x))
        return tg_fail(&call->rt->c, TG_ERR_VALUE, "onehot: the label %.15g is not among 0 to %lld",
                       x, (long long)classes - 1);
    tg_fail(&call->rt->c, TG_ERR_VALUE, "onehot: a label must be a whole number, not %g",
            isnan(x) ? fabs(x) : x); /* nan without a sign */
    return tg_help(&call->rt->c, "labels count the classes, from 0 to %lld",
                   (long long)classes - 1);
}

static bool run_onehot(const tg_call *call) {
    const tg_view *idx = &call->in[0];
    int axis = (int)call->at->v[1];
    tg_view first = *call->out; /* class 0 of each label */
    int64_t classes = first.dim[axis], step = first.stride[axis], pos[TG_MAX_RANK] = {0};
    tg_view_clear(call->out);
    tg_view_drop_axis(&first, axis);
    if (tg_view_count(idx) == 0) return true;
    do {
        int64_t label;
        if (!read_label(call, idx, offset_of(pos, idx->rank, idx->stride), classes, &label))
            return false;
        int64_t at = offset_of(pos, first.rank, first.stride) + label * step;
        if (first.dtype == TG_F64)
            ((double *)first.data)[at] = 1;
        else
            ((float *)first.data)[at] = 1;
    } while (tg_view_step(idx, pos));
    return true;
}

/* ---- the records ---- */

#define X                                                                                          \
    { "x", TG_P_TENSOR, NULL }
#define IDX                                                                                        \
    { "idx", TG_P_TENSOR, NULL }

static const tg_op ops[] = {
    {.name = "gather",
     .class = TG_CLASS_INDEX,
     .param = {X, IDX, {"axis", TG_P_AXIS, "0"}},
     .infer = infer_gather,
     .run = run_gather,
     .grad = {"scatter_sum(g, idx, size(x, axis), axis=axis)", TG_GRAD_ZERO},
     .numpy = "np.take({0}, {1}, axis={axis})",
     .torch = "_gather({0}, {1}, {axis})",
     .c = "!tg_gather({out}, {0}, {1}, {axis}, 0)",
     .doc = "The slices of x along an axis that the indices name; the axis is replaced by those of "
            "the indices.",
     .example = "gather([10, 20, 30], [2, 0, 2])",
     .value = "[30, 10, 30]",
     .samples =
         "x[4,3], y[3]: gather(x, argsort(y)) | x[3,4], y[2,2]: gather(x, argsort(y), axis=1)"},
    {.name = "scatter_sum",
     .class = TG_CLASS_INDEX,
     .param = {X, IDX, {"n", TG_P_SIZE, NULL}, {"axis", TG_P_NEWAXIS, "0"}},
     .infer = infer_scatter_sum,
     .run = run_scatter_sum,
     .grad = {"gather(g, idx, axis=axis)", TG_GRAD_ZERO},
     .numpy = "_scatter_sum({0}, {1}, {n}, {axis})",
     .torch = "_scatter_sum({0}, {1}, {n}, {axis})",
     .c = "!tg_scatter_sum({out}, {0}, {1}, {axis})",
     .doc = "Zeros with n places along an axis, and the slices of x added up in the places that "
            "the indices name.",
     .example = "scatter_sum([1, 2, 3], [0, 2, 0], 3)",
     .value = "[4, 0, 2]",
     .samples = "x[3,2], y[3]: scatter_sum(x, argsort(y), 4) | x[3,2,2], y[2,2]: scatter_sum(x, "
                "argsort(y), 5, axis=1)"},
    {.name = "scatter_add",
     .class = TG_CLASS_INDEX,
     .param = {X, IDX, {"updates", TG_P_TENSOR, NULL}, {"axis", TG_P_AXIS, "0"}},
     .infer = infer_scatter_add,
     .run = run_scatter_add,
     .in_place = true,
     .grad = {"g", TG_GRAD_ZERO, "gather(g, idx, axis=axis)"},
     .numpy = "_scatter_add({0}, {1}, {2}, {axis})",
     .torch = "_scatter_add({0}, {1}, {2}, {axis})",
     .c = "!tg_scatter_add({out}, {0}, {1}, {2}, {axis})",
     .doc = "x with the slices of updates added in the places along an axis that the indices name.",
     .example = "scatter_add([1, 1, 1], [0, 2, 0], [1, 2, 3])",
     .value = "[5, 1, 3]",
     .samples = "x[4,2], y[3,2], z[3]: scatter_add(x, argsort(z), y)"},
    {.name = "onehot",
     .class = TG_CLASS_INDEX,
     .param = {IDX, {"n", TG_P_SIZE, NULL}, {"axis", TG_P_NEWAXIS, "-1"}},
     .infer = infer_onehot,
     .run = run_onehot,
     .grad = {TG_GRAD_ZERO},
     .numpy = "_onehot({0}, {n}, {axis}, {dtype})",
     .torch = "_onehot({0}, {n}, {axis}, {dtype})",
     .c = "!tg_onehot({out}, {0}, {axis})",
     .doc = "A new axis of n places, with 1 at the place that the label names and 0 elsewhere.",
     .example = "onehot([2, 0], 3)",
     .value = "[[0, 0, 1], [1, 0, 0]]",
     .samples = "x[3]: onehot(argsort(x), 4) | x[2,3]: onehot(argsort(x), 3, axis=0)"},
};

const tg_op_table tg_ops_index = {ops, sizeof ops / sizeof *ops};
