/* What becomes of a tie. An argument of a linear operation is zero unless one of its indices equals
 * that of the batch, as a one-hot seed is. An operation that works row by row hands the tie on:
 * elementwise arithmetic, a softmax along another axis, the rows of a product. A sum over the tied
 * axis has one term that is not zero, which is therefore the result: S @ A with S the identity is
 * A, and no product is computed. Anything else loses the tie: then the zeros are written down, and
 * the operation is done as for any batch. */
#include "runtime/graph/batch_rules.h"
#include "runtime/graph/rule.h"

#include <string.h>

/* ---- changes of shape ---- */

/* The sizes in front of an axis, multiplied. */
static tg_size before(tg_rt *rt, const tg_type *t, int axis) {
    tg_size n = 1;
    for (int i = 0; i < axis && n != TG_SIZE_FAIL; i++) n = tg_size_times(rt, n, t->dim[i]);
    return n;
}

static tg_size behind(tg_rt *rt, const tg_type *t, int axis) {
    tg_size n = 1;
    for (int i = axis + 1; i < t->rank && n != TG_SIZE_FAIL; i++)
        n = tg_size_times(rt, n, t->dim[i]);
    return n;
}

/* In row-major order an axis is the same in another shape when it has the same size, and as many
 * elements before and behind it. */
static int reshaped(tg_rt *rt, const tg_type *in, const tg_type *out, int axis) {
    for (int i = 0; i < out->rank; i++)
        if (out->dim[i] == in->dim[axis] && before(rt, out, i) == before(rt, in, axis) &&
            behind(rt, out, i) == behind(rt, in, axis))
            return i;
    return TG_TIE_LOST;
}

/* The i-th axis of the result whose bit in `skip` is clear. */
static int nth_outside(int64_t skip, int i) {
    int k = 0;
    for (;; k++)
        if (!(skip >> k & 1) && i-- == 0) return k;
}

static int expanded(const tg_node *node, int axis) {
    int more = node->type.rank - node->arg[0]->type.rank;
    int64_t mask = node->at->v[1 + node->at->v[0]];
    if (more <= 0) return axis;
    return nth_outside(mask ? mask : (INT64_C(1) << more) - 1, axis);
}

/* slice, and unslice its adjoint: an axis of the whole tensor that is taken whole. */
static int sliced(const tg_node *node, int axis, bool back) {
    const int64_t *v = node->at->v;
    int r = (int)v[0];
    int64_t drop = v[4 * r + 4], insert = v[4 * r + 5];
    for (int i = 0, part = 0; i < r; i++) {
        if (drop >> i & 1) continue;
        int in_part = nth_outside(insert, part++);
        bool whole = v[r + 2 + i] == 0 && v[2 * r + 3 + i] == v[1 + i] && v[3 * r + 4 + i] == 1;
        if ((back ? in_part : i) == axis) return !whole ? TG_TIE_LOST : back ? i : in_part;
    }
    return TG_TIE_LOST;
}

/* ---- products ---- */

static bool is_product(const tg_node *node) {
    return tg_node_is(node, "matmul") || tg_node_is(node, "matvec") || tg_node_is(node, "vecmat") ||
           tg_node_is(node, "vdot");
}

/* The axis of argument k of a product that is summed over. */
static int inner_axis(const tg_node *node, int k) {
    int r = node->arg[k]->type.rank;
    return k == 0 || r == 1 ? r - 1 : r - 2;
}

static int multiplied(const tg_node *node, int k, int axis) {
    int r = node->arg[k]->type.rank, inner = inner_axis(node, k);
    if (axis == inner) return TG_TIE_SUMMED;
    if (k == 1 && axis == r - 1) return node->type.rank - 1;
    /* rows and the axes of a batch are counted from the right */
    return node->type.rank - (r - axis) + (node->arg[1]->type.rank == 1);
}

/* ---- all operations ---- */

static bool one_of(const tg_node *node, const char *const *names) {
    while (*names && strcmp(node->op->name, *names) != 0) names++;
    return *names != NULL;
}

/* Operations with axes: the tie stays where the axis is none of them. */
static int along_axes(const tg_node *node, int k, int axis) {
    const tg_op *op = node->op;
    const tg_type *in = &node->arg[k]->type;
    for (int p = 0; op->param[p].name; p++) {
        tg_param_kind kind = op->param[p].kind;
        if (kind != TG_P_AXES && kind != TG_P_AXIS && kind != TG_P_NEWAXIS) continue;
        int64_t v = node->at->v[tg_op_values(op, node->at, p, NULL)];
        if (kind == TG_P_AXES) {
            if (v >> axis & 1) return tg_node_is(node, "sum") ? TG_TIE_SUMMED : TG_TIE_LOST;
            bool kept = in->rank == node->type.rank;
            return kept ? axis
                        : axis - __builtin_popcountll((unsigned long long)v & ((1ULL << axis) - 1));
        }
        /* from v on stand `width` axes of the argument in place of those of the result */
        int width = kind == TG_P_NEWAXIS ? 0 : 1;
        if (tg_node_is(node, "scatter_sum") || (tg_node_is(node, "scatter_add") && k == 2))
            width = node->arg[1]->type.rank;
        if (axis < v) return axis;
        return axis < v + width ? TG_TIE_LOST : axis + node->type.rank - in->rank;
    }
    return TG_TIE_LOST;
}

int tg_batch_tie(tg_rt *rt, const tg_node *node, int k, int axis) {
    static const char *const reshapes[] = {"reshape", "flatten", "squeeze", "unsqueeze", NULL};
    const tg_op *op = node->op;
    const tg_type *in = &node->arg[k]->type;
    const char *rule = op->param[0].kind == TG_P_LIST ? op->grad[0] : op->grad[k];
    if (!rule || strcmp(rule, TG_GRAD_ZERO) == 0) return TG_TIE_LOST;
    if (op->class == TG_CLASS_ELEMENTWISE) return axis + node->type.rank - in->rank;
    if (is_product(node)) return multiplied(node, k, axis);
    if (tg_batch_is_window(op)) return tg_batch_window_tie(node, k, axis);
    if (tg_node_is(node, "outer")) return k;
    if (tg_node_is(node, "diag")) return 0;
    if (tg_node_is(node, "diag_part")) return axis < in->rank - 1 ? axis : axis - 1;
    if (tg_node_is(node, "diag_embed") || tg_node_is(node, "tril") || tg_node_is(node, "triu"))
        return axis;
    if (one_of(node, reshapes)) return reshaped(rt, in, &node->type, axis);
    if (tg_node_is(node, "transpose")) {
        for (int i = 0; i < in->rank; i++)
            if (node->at->v[1 + i] == axis) return i;
        return TG_TIE_LOST;
    }
    if (tg_node_is(node, "expand")) return expanded(node, axis);
    if (tg_node_is(node, "slice")) return sliced(node, axis, false);
    if (tg_node_is(node, "unslice")) return sliced(node, axis, true);
    return along_axes(node, k, axis);
}

/* ---- the sum over a tied axis ---- */

/* x with its axes of size n at place p of `lead` axes, the others of size 1, and behind them its
 * own. x has that axis first. */
static tg_node *as_lead(tg_rt *rt, tg_node *x, int lead, int p) {
    x = tg_batch_stretch(rt, x, 1, lead - 1 - p);
    return x ? tg_batch_stretch(rt, x, 0, p) : NULL;
}

tg_node *tg_batch_contract(tg_rt *rt, const tg_node *node, int k, int axis, tg_node *x,
                           tg_node *other, int e, int p) {
    int lead = e + 1;
    bool ones = tg_node_is(x, "ones"); /* the seed itself: nothing to multiply by */
    tg_size full[2 * TG_MAX_RANK];
    x = tg_batch_move(rt, x, e + axis, p);
    if (x && tg_node_is(node, "sum")) return x;
    if (x) other = tg_batch_move(rt, other, inner_axis(node, 1 - k), 0);
    if (x && other) other = as_lead(rt, other, lead, p);
    if (!x || !other) return NULL;
    memcpy(full, x->type.dim, (size_t)lead * sizeof *full);
    memcpy(full + lead, node->type.dim, (size_t)node->type.rank * sizeof *full);
    int rx = x->type.rank - lead, ro = other->type.rank - lead;
    if (!tg_node_is(node, "matmul")) { /* one of them has no axes left, or both */
        x = tg_batch_stretch(rt, x, lead, ro > rx ? ro - rx : 0);
        other = x ? tg_batch_stretch(rt, other, lead, rx > ro ? rx - ro : 0) : NULL;
        if (!other) return NULL;
        return ones ? tg_batch_expand(rt, other, lead + node->type.rank, full)
                    : tg_batch_mul(rt, x, other);
    }
    /* columns times rows, after their own batch axes are aligned */
    x = tg_batch_stretch(rt, x, lead, ro > rx ? ro - rx : 0);
    other = x ? tg_batch_stretch(rt, other, lead, rx > ro ? rx - ro : 0) : NULL;
    int last = lead + (rx > ro ? rx : ro) - 1;
    x = other ? tg_batch_stretch(rt, x, k == 0 ? last + 1 : last, 1) : NULL;
    other = x ? tg_batch_stretch(rt, other, k == 0 ? last : last + 1, 1) : NULL;
    if (!other) return NULL;
    if (ones) return tg_batch_expand(rt, other, lead + node->type.rank, full);
    return tg_node_call2(rt, "matmul", k == 0 ? x : other, k == 0 ? other : x);
}
