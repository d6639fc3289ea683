/* Tensors put side by side, repeated, and framed: concat, stack, tile, pad. Each copies its
 * arguments into parts of the result, seen through the result's strides, so that one copying loop
 * serves all. */
#include "runtime/ops/attrs.h"
#include "runtime/ops/op.h"
#include "runtime/ops/structure.h"

#include <string.h>

/* ---- concat and stack ---- */

/* Argument i has the shape of argument 0, except along `axis` (-1: nowhere)? */
static bool check_like_first(tg_rt *rt, const tg_op *op, const tg_type *in, int i, int axis) {
    bool ok = in[i].rank == in[0].rank;
    for (int k = 0; ok && k < in[0].rank; k++) ok = k == axis || in[i].dim[k] == in[0].dim[k];
    if (ok) return true;
    tg_fail(&rt->c, TG_ERR_SHAPE, "%s: {0} has shape %s, but {%d} has shape %s", op->name,
            tg_shape_text(rt, in[0].rank, in[0].dim), i, tg_shape_text(rt, in[i].rank, in[i].dim));
    return axis < 0 ? tg_help(&rt->c, "stack puts tensors of one shape along a new axis")
                    : tg_help(&rt->c, "concat along axis %d needs the other sizes to agree", axis);
}

static bool infer_concat(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    int axis = (int)at->v[0];
    *out = in[0];
    for (int i = 1; i < n; i++) {
        if (!check_like_first(rt, op, in, i, axis)) return false;
        out->dim[axis] = tg_size_add(rt, out->dim[axis], in[i].dim[axis]);
        if (out->dim[axis] == TG_SIZE_FAIL) return false;
    }
    out->dtype = tg_joint_dtype(rt, n, in);
    out->weak = false;
    for (int i = 0; i < n; i++) want[i] = out->dtype;
    return true;
}

static bool run_concat(const tg_call *call) {
    int axis = (int)call->at->v[0];
    int64_t start = 0;
    for (int i = 0; i < call->n; i++) {
        int64_t count = call->in[i].dim[axis];
        tg_view part = tg_view_narrow(call->out, axis, start, count);
        if (!tg_view_copy_parts(&call->rt->c, &part, &call->in[i])) return false;
        start += count;
    }
    return true;
}

static bool infer_stack(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    int axis = (int)at->v[0];
    for (int i = 1; i < n; i++)
        if (!check_like_first(rt, op, in, i, -1)) return false;
    if (in[0].rank == TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "{0} has %d axes already, the most a tensor can have",
                       TG_MAX_RANK);
    *out = in[0];
    out->rank++;
    for (int i = out->rank - 1; i > axis; i--) out->dim[i] = out->dim[i - 1];
    out->dim[axis] = n;
    out->dtype = tg_joint_dtype(rt, n, in);
    out->weak = false;
    for (int i = 0; i < n; i++) want[i] = out->dtype;
    return true;
}

static bool run_stack(const tg_call *call) {
    int axis = (int)call->at->v[0];
    for (int i = 0; i < call->n; i++) {
        tg_view part = tg_view_narrow(call->out, axis, i, 1);
        tg_view_drop_axis(&part, axis);
        if (!tg_view_copy_parts(&call->rt->c, &part, &call->in[i])) return false;
    }
    return true;
}

/* ---- tile, and untile its adjoint ---- */

/* The shape of x repeated; the shorter of shape and reps gets ones in front. reps begin behind
 * at->v[i]. */
static bool tiled_shape(tg_rt *rt, int rank, const tg_size *dim, const tg_attrs *at, int i,
                        tg_type *out) {
    int n = (int)at->v[i];
    out->rank = rank > n ? rank : n;
    for (int k = 0; k < out->rank; k++) {
        int d = k - out->rank + rank, r = k - out->rank + n;
        tg_size reps = r < 0 ? 1 : at->v[i + 1 + r];
        if (reps == TG_SIZE_INFER)
            return tg_fail(&rt->c, TG_ERR_VALUE, "tile: a count must not be negative");
        out->dim[k] = tg_size_times(rt, d < 0 ? 1 : dim[d], reps);
        if (out->dim[k] == TG_SIZE_FAIL) return false;
    }
    return true;
}

static bool infer_tile(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)op, (void)n;
    tg_keep_type(rt, &in[0], out, want);
    return tiled_shape(rt, in[0].rank, in[0].dim, at, 0, out);
}

static bool infer_untile(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)n;
    tg_type tiled;
    if (!tg_shape_of_attr(rt, op, at, 0, out) ||
        !tiled_shape(rt, out->rank, out->dim, at, out->rank + 1, &tiled))
        return false;
    if (!tg_shape_equal(tiled.rank, tiled.dim, in[0].rank, in[0].dim))
        return tg_fail(&rt->c, TG_ERR_SHAPE, "the tiling has shape %s, but {0} has shape %s",
                       tg_shape_text(rt, tiled.rank, tiled.dim),
                       tg_shape_text(rt, in[0].rank, in[0].dim));
    out->dtype = want[0] = tg_promote(rt, 1, in);
    out->weak = false;
    return true;
}

/* v with axes of size 1 in front, up to that rank. */
static tg_view with_rank(const tg_view *v, int rank) {
    tg_view w = {.data = v->data, .dtype = v->dtype, .rank = rank};
    int extra = rank - v->rank;
    for (int i = 0; i < rank; i++) {
        w.dim[i] = i < extra ? 1 : v->dim[i - extra];
        w.stride[i] = i < extra ? 0 : v->stride[i - extra];
    }
    return w;
}

static bool run_tile(const tg_call *call) {
    const tg_view *out = call->out;
    tg_view x = with_rank(&call->in[0], out->rank), tiles = {.rank = out->rank};
    if (tg_view_count(out) == 0) return true;
    for (int i = 0; i < out->rank; i++) tiles.dim[i] = out->dim[i] / x.dim[i];
    int64_t idx[TG_MAX_RANK] = {0};
    do {
        tg_view part = *out;
        for (int i = 0; i < out->rank; i++)
            part = tg_view_narrow(&part, i, idx[i] * x.dim[i], x.dim[i]);
        tg_view_copy(&part, &x);
    } while (tg_view_step(&tiles, idx));
    return true;
}

/* Each element is added where it came from, in row-major order. */
static bool run_untile(const tg_call *call) {
    const tg_view *g = &call->in[0];
    tg_view_clear(call->out);
    if (tg_view_count(g) == 0) return true;
    tg_view out = with_rank(call->out, g->rank);
    int64_t idx[TG_MAX_RANK] = {0};
    do {
        int64_t from = 0, to = 0;
        for (int i = 0; i < g->rank; i++)
            from += idx[i] * g->stride[i], to += idx[i] % out.dim[i] * out.stride[i];
        if (out.dtype == TG_F64)
            ((double *)out.data)[to] += ((const double *)g->data)[from];
        else
            ((float *)out.data)[to] += ((const float *)g->data)[from];
    } while (tg_view_step(g, idx));
    return true;
}

/* ---- pad ---- */

/* How much is added before (k = 0) or behind (k = 1) an axis. */
static tg_size padding(const tg_op *op, const tg_attrs *at, int axis, int k) {
    int n, v = tg_op_values(op, at, 1 + k, &n);
    if (n == 0) v = tg_op_values(op, at, 1, &n); /* behind as before */
    return at->v[v + (n == 1 ? 0 : axis)];
}

/* Of equal paddings the shortest spelling: one number for all axes, and `after` only where it
 * differs. */
static const tg_op *canonical_pad(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    tg_attrs full = {0};
    bool differs = false;
    for (int k = 0; k < 2; k++) {
        int n, v = tg_op_values(op, at, 1 + k, &n);
        if (rank == 0 || (n != rank && n != 1 && !(n == 0 && k == 1))) {
            tg_fail(&rt->c, TG_ERR_VALUE, "pad: %s has %d entries, but {0} has %d axes",
                    k ? "after" : "before", n, rank);
            return NULL;
        }
        bool equal = true;
        for (int i = 0; i < n; i++) {
            equal = equal && at->v[v + i] == at->v[v];
            if (at->v[v + i] != TG_SIZE_INFER) continue;
            tg_fail(&rt->c, TG_ERR_VALUE, "pad: a width must not be negative");
            return NULL;
        }
        for (int i = 0; i < rank; i++)
            differs = differs || padding(op, at, i, 0) != padding(op, at, i, 1);
        int m = k == 1 && !differs ? 0 : equal && n > 0 ? 1 : n;
        tg_attr_push(&full, m, false);
        for (int i = 0; i < m; i++) tg_attr_push(&full, at->v[v + i], at->sizes >> (v + i) & 1);
    }
    int value = tg_op_values(op, at, 3, NULL);
    tg_attr_push(&full, at->v[value], at->sizes >> value & 1);
    *at = full;
    return op;
}

static bool infer_pad(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                      tg_type *out, tg_dtype *want) {
    (void)n;
    *out = in[0];
    tg_keep_type(rt, &in[0], out, want);
    for (int i = 0; i < out->rank; i++) {
        tg_size more = tg_size_add(rt, padding(op, at, i, 0), padding(op, at, i, 1));
        out->dim[i] = tg_size_add(rt, out->dim[i], more);
        if (out->dim[i] == TG_SIZE_FAIL) return false;
    }
    return true;
}

static bool run_pad(const tg_call *call) {
    const tg_view *x = &call->in[0];
    double value = tg_attr_real(call->at, tg_op_values(call->op, call->at, 3, NULL));
    tg_view part = *call->out;
    for (int i = 0; i < x->rank; i++)
        part = tg_view_narrow(&part, i, padding(call->op, call->at, i, 0), x->dim[i]);
    tg_view_fill(call->out, value);
    tg_view_copy(&part, x);
    return true;
}

/* ---- the records ---- */

#define X                                                                                          \
    { "x", TG_P_TENSOR, NULL }

static const tg_op ops[] = {
    {.name = "concat",
     .class = TG_CLASS_INDEX,
     .param = {{"x", TG_P_LIST, NULL}, {"axis", TG_P_AXIS, "0"}},
     .infer = infer_concat,
     .run = run_concat,
     .grad = {"narrow(g, axis, start, count)"},
     .numpy = "np.concatenate([{args}], axis={axis})",
     .torch = "torch.cat([{args}], dim={axis})",
     .c = "tg_concat({out}, {number}, {list}, {axis})",
     .doc = "The tensors one after the other along an axis; their other sizes agree.",
     .example = "concat([[1, 2], [3]])",
     .value = "[1, 2, 3]",
     .samples = "x[2,3], y[2,3]: concat([x, y]) | x[2,3], y[2,2]: concat([x, y, x], axis=1)"},
    {.name = "stack",
     .class = TG_CLASS_INDEX,
     .param = {{"x", TG_P_LIST, NULL}, {"axis", TG_P_NEWAXIS, "0"}},
     .infer = infer_stack,
     .run = run_stack,
     .grad = {"squeeze(narrow(g, axis, start, 1), axis=axis)"},
     .numpy = "np.stack([{args}], axis={axis})",
     .torch = "torch.stack([{args}], dim={axis})",
     .c = "tg_stack({out}, {number}, {list}, {axis})",
     .doc = "Tensors of one shape side by side along a new axis.",
     .example = "stack([[1, 2], [3, 4]], axis=1)",
     .value = "[[1, 3], [2, 4]]",
     .samples = "x[2,3], y[2,3]: stack([x, y]) | x[3], y[3]: stack([x, y, x], axis=-1)"},
    {.name = "tile",
     .class = TG_CLASS_INDEX,
     .param = {X, {"reps", TG_P_SHAPE, NULL}},
     .lead = {[1] = TG_LEAD_ONES},
     .infer = infer_tile,
     .run = run_tile,
     .grad = {"untile(g, shape(x), reps)"},
     .numpy = "np.tile({0}, {reps})",
     .torch = "torch.tile({0}, {reps})",
     .c = "tg_tile({out}, {0})",
     .doc = "x repeated as often as said along each axis; where there are fewer counts than axes "
            "they are for the last ones.",
     .example = "tile([1, 2], 3)",
     .value = "[1, 2, 1, 2, 1, 2]",
     .samples = "x[2,3]: tile(x, 2, 2) | x[3]: tile(x, 2, 1) | x[2,3]: tile(x, 2)"},
    {.name = "untile",
     .class = TG_CLASS_INDEX,
     .param = {X, {"shape", TG_P_SHAPE, NULL}, {"reps", TG_P_SHAPE, NULL}},
     .lead = {[2] = TG_LEAD_ONES},
     .infer = infer_untile,
     .run = run_untile,
     .grad = {"tile(g, reps)"},
     .numpy = "_untile({0}, {shape}, {reps})",
     .torch = "_untile({0}, {shape}, {reps})",
     .c = "tg_untile({out}, {0})",
     .doc = "The adjoint of tile: the repetitions of a shape that x consists of, added up.",
     .example = "untile([1, 2, 3, 4], 2, 2)",
     .value = "[4, 6]",
     .samples = "x[4,6]: untile(x, (2, 3), (2, 2)) | x[2,3]: untile(x, 3, (2, 1)) | x[2,3]: "
                "untile(x, (2, 3), 1)"},
    {.name = "pad",
     .class = TG_CLASS_INDEX,
     .param = {X,
               {"before", TG_P_SHAPE, NULL},
               {"after", TG_P_SHAPE, "none"},
               {"value", TG_P_REAL, "0"}},
     .lead = {[1] = TG_LEAD_ZEROS, [2] = TG_LEAD_ZEROS},
     .infer = infer_pad,
     .run = run_pad,
     .canonical = canonical_pad,
     .grad = {"slice(g, shape(g), before, shape(x), 1)"},
     .numpy = "_pad({0}, {before}, {after}, {value})",
     .torch = "_pad({0}, {before}, {after}, {value})",
     .c = "!tg_pad({out}, {0}, {before}, {several}, {value})",
     .doc = "x in a frame of a value: that many places before and behind each axis, or one number "
            "for each axis.",
     .example = "pad([1, 2], 1)",
     .value = "[0, 1, 2, 0]",
     .samples = "x[2,3]: pad(x, 1) | x[2,3]: pad(x, (0, 2), after=(1, 0), value=3)"},
};

const tg_op_table tg_ops_join = {ops, sizeof ops / sizeof *ops};
