/* Running along axes: what reductions, softmax, sorting and recurrences have in common. A mask of
 * axes splits a tensor into lines; each result depends on one line. tg_each_line visits them one
 * after the other; the folds of reduce.c, which are worth more care, have their own driver. */
#include "runtime/ops/reduce.h"

void tg_axes_split(const tg_view *v, uint64_t mask, tg_view *kept, tg_view *reduced) {
    *kept = *reduced = (tg_view){.data = v->data, .dtype = v->dtype};
    tg_view *const to[2] = {kept, reduced};
    for (int i = 0; i < v->rank; i++) {
        tg_view *w = to[mask >> i & 1];
        w->dim[w->rank] = v->dim[i];
        w->stride[w->rank++] = v->stride[i];
    }
}

/* The view of a reduction's result over the kept axes, whether it has axes of size 1 for the others
 * or not. */
static tg_view over_kept(const tg_view *out, int rank_in, uint64_t mask) {
    tg_view kept = *out, reduced;
    if (out->rank == rank_in) tg_axes_split(out, mask, &kept, &reduced);
    return kept;
}

void tg_each_line(const tg_call *call, uint64_t mask, tg_line_fn *f) {
    const tg_view *in = call->in, *out = call->out;
    bool full = tg_shape_equal(in->rank, in->dim, out->rank, out->dim);
    tg_view in_kept, in_reduced, out_kept, out_reduced;
    tg_axes_split(in, mask, &in_kept, &in_reduced);
    if (full)
        tg_axes_split(out, mask, &out_kept, &out_reduced);
    else
        out_kept = over_kept(out, in->rank, mask);

    const tg_view *lines[2] = {&in_kept, &out_kept}, *along[2] = {&in_reduced, &out_reduced};
    tg_loop outer, line;
    tg_loop_init(&outer, 2, lines);
    tg_loop_init(&line, full ? 2 : 1, along);
    TG_RUNS(&outer, p) {
        for (int64_t j = 0; j < outer.inner; j++) {
            line.base[0] = p[0] + j * outer.inner_step[0];
            line.base[1] = p[1] + j * outer.inner_step[1];
            f(call, &line, line.base[1]);
        }
    }
}

/* ---- shape rules ---- */

static bool drop_axes(const tg_type *in, const tg_attrs *at, tg_dtype dtype, tg_type *out) {
    uint64_t mask = (uint64_t)at->v[0];
    bool keep = at->v[1] != 0;
    out->rank = 0;
    for (int i = 0; i < in->rank; i++) {
        bool reduced = mask >> i & 1;
        if (!reduced || keep) out->dim[out->rank++] = reduced ? 1 : in->dim[i];
    }
    out->dtype = dtype;
    out->weak = false;
    return true;
}

bool tg_infer_reduce(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                     tg_type *out, tg_dtype *want) {
    (void)op;
    want[0] = tg_promote(rt, n, in);
    drop_axes(in, at, want[0], out);
    out->weak = in->weak;
    return true;
}

bool tg_infer_test(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                   tg_type *out, tg_dtype *want) {
    (void)rt, (void)op, (void)n;
    want[0] = TG_BOOL;
    return drop_axes(in, at, TG_BOOL, out);
}

bool tg_infer_place(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                    tg_type *out, tg_dtype *want) {
    (void)op;
    want[0] = tg_promote(rt, n, in);
    return drop_axes(in, at, TG_I64, out);
}

bool tg_infer_along(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                    tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    want[0] = tg_promote(rt, n, in);
    *out = in[0];
    out->dtype = want[0];
    return true;
}

bool tg_check_lines(const tg_call *call, uint64_t mask) {
    const tg_view *in = call->in;
    if (tg_view_count(in) > 0 || tg_view_count(call->out) == 0) return true;
    tg_str shape = {0};
    int axis = 0;
    for (int i = in->rank - 1; i >= 0; i--)
        if (mask >> i & 1 && in->dim[i] == 0) axis = i;
    for (int i = 0; i < in->rank; i++)
        tg_str_addf(&shape, i ? ", %lld" : "%lld", (long long)in->dim[i]);
    tg_fail(&call->rt->c, TG_ERR_VALUE, "%s of nothing: axis %d of the shape [%s] has size 0",
            call->op->name, axis, tg_str_text(&shape));
    tg_str_free(&shape);
    return false;
}
