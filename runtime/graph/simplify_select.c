/* One place of an axis, x[:, k], however it was said: as a slice, or as the part of length 1
 * without its axis, which is how the derivatives of stack and split say it. What is taken out of
 * something known is known: a column of the identity is a one-hot vector, a part of stack([a, b])
 * is a or b, and what was put between zeros is there again. So the derivative of a list of
 * elements comes out as numbers in their places (simplify_elements.c). */
#include "runtime/graph/simplifier.h"
#include "runtime/ops/view.h"

/* The parameters of slice and unslice. */
enum { SHAPE = 1, START, COUNT, STEP, DROP, INSERT };

static const int64_t *values(const tg_node *n, int param) {
    return n->at->v + tg_op_values(n->op, n->at, param, NULL);
}

/* Is t the shape of `of` without that axis? */
static bool lacks_axis(const tg_type *t, const tg_type *of, int axis) {
    if (t->rank != of->rank - 1) return false;
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] != of->dim[i < axis ? i : i + 1]) return false;
    return true;
}

/* The axis of which a slice, or what unslice undoes, takes one place, all others whole; -1: it is
 * none of these. */
static int single_axis(const tg_node *n) {
    const int64_t *shape = values(n, SHAPE), *start = values(n, START), *count = values(n, COUNT),
                  *step = values(n, STEP), drop = *values(n, DROP);
    int rank = (int)shape[-1], axis = -1;
    if (*values(n, INSERT) || !drop || (drop & (drop - 1))) return -1;
    for (int i = 0; i < rank; i++) {
        if (drop >> i & 1)
            axis = i;
        else if (start[i] != 0 || count[i] != shape[i] || step[i] != 1)
            return -1;
    }
    return axis;
}

/* n = base[..., *at, ...] at *axis; NULL: it is something else. */
static tg_node *selected(const tg_simp *s, const tg_node *n, int *axis, tg_size *at) {
    tg_node *x = n->arg[0];
    if (tg_node_is(n, "slice")) {
        *axis = single_axis(n);
        if (*axis >= 0) *at = values(n, START)[*axis];
        return *axis >= 0 ? x : NULL;
    }
    if (!tg_node_is(x, "narrow") || tg_simp_is_closed(s, x)) return NULL;
    *axis = (int)*values(x, 1);
    *at = *values(x, 2);
    bool one = *values(x, 3) == 1 && lacks_axis(&n->type, &x->type, *axis);
    return one ? x->arg[0] : NULL;
}

/* x[..., at, ...] */
static tg_node *select_place(tg_simp *s, tg_node *x, int axis, tg_size at) {
    static const tg_slice_bound open = {0};
    tg_slice_item items[TG_MAX_RANK];
    tg_attrs attrs;
    for (int i = 0; i < axis; i++) items[i] = (tg_slice_item){TG_SLICE_RANGE, open, open, 1};
    items[axis] = (tg_slice_item){TG_SLICE_INDEX, {true, false, at}, open, 1};
    if (!tg_slice_attrs(s->rt, &x->type, axis + 1, items, &attrs)) return NULL;
    return tg_node_make(s->rt, tg_op_slice(), 1, &x, &attrs);
}

static tg_node *onehot(tg_simp *s, tg_size at, tg_size size) {
    const tg_rule_name names[] = {
        {.name = "i", .kind = TG_P_SIZE, .n = 1, .v = {at}, .sizes = 1},
        {.name = "n", .kind = TG_P_SIZE, .n = 1, .v = {size}, .sizes = 1}};
    return tg_rule_build(s->rt, "onehot(i, n)", 2, names);
}

/* Of what was put in place `there` of that axis, the place `at`; NULL without an error: not known.
 */
static tg_node *from_place(tg_simp *s, const tg_node *x, int axis, tg_size at, const tg_type *t) {
    if (single_axis(x) != axis) return NULL;
    tg_size there = values(x, START)[axis];
    if (there == at) return x->arg[0];
    return tg_size_known(there) && tg_size_known(at) ? tg_simp_uniform_number(s, 0, t) : NULL;
}

/* The column or row `at` of outer(a, b). */
static tg_node *from_outer(tg_simp *s, const tg_node *x, int axis, tg_size at) {
    tg_node *one = select_place(s, x->arg[axis], 0, at);
    one = one ? tg_simp_again(s, one) : NULL;
    return one ? tg_simp_make(s, s->mul, one, x->arg[1 - axis]) : NULL;
}

/* base[..., at, ...], if that is known; NULL without an error: it is not. */
static tg_node *known_place(tg_simp *s, tg_node *base, int axis, tg_size at, const tg_type *t) {
    if (tg_simp_is_closed(s, base)) return NULL;
    bool square = base->type.rank == 2 && base->type.dim[0] == base->type.dim[1];
    if (base->op == s->eye && square) return onehot(s, at, base->type.dim[0]);
    if (tg_node_is(base, "stack") && *values(base, 1) == axis && tg_size_known(at) && at >= 0 &&
        at < base->n)
        return base->arg[at];
    if (tg_node_is(base, "unslice")) return from_place(s, base, axis, at, t);
    if (tg_node_is(base, "onehot") && base->type.rank == 1 && tg_node_is_number(base->arg[0]) &&
        tg_size_known(at))
        return tg_node_number(s->rt, base->arg[0]->leaf.number == (double)at);
    if (base->op == s->transpose && base->type.rank == 2)
        return select_place(s, base->arg[0], 1 - axis, at);
    return tg_node_is(base, "outer") ? from_outer(s, base, axis, at) : NULL;
}

/* Are all axes whole, and those that go of size 1? Then nothing but the shape changes. */
bool tg_simp_only_shapes(const tg_node *n) {
    if (!tg_node_is(n, "slice") && !tg_node_is(n, "unslice")) return false;
    const int64_t *shape = values(n, SHAPE), *start = values(n, START), *count = values(n, COUNT),
                  *step = values(n, STEP);
    for (int i = 0; i < (int)shape[-1]; i++)
        if (start[i] != 0 || count[i] != shape[i] || step[i] != 1) return false;
    return true;
}

tg_node *tg_simp_select(tg_simp *s, tg_node *n) {
    int axis;
    if (tg_simp_only_shapes(n) && n->arg[0]->type.rank > 0) {
        tg_node *made = tg_simp_reshaped(s, n->arg[0], &n->type);
        return made ? tg_simp_again(s, made) : NULL;
    }
    if (tg_node_is(n, "unslice")) return n;
    tg_size at;
    tg_node *base = n->n == 1 ? selected(s, n, &axis, &at) : NULL, *made = NULL;
    if (!base) return n;
    bool had = s->rt->c.diag.kind != TG_ERR_NONE;
    made = known_place(s, base, axis, at, &n->type);
    if (!made && !had && s->rt->c.diag.kind != TG_ERR_NONE) return NULL;
    if (made) {
        tg_simp_note(s, TG_LAW_SELECT);
        return tg_simp_again(s, made);
    }
    return tg_node_is(n, "slice") ? n : select_place(s, base, axis, at);
}

/* embed(reshape(v, n, 1), axis=1, i, m) is place(v, (n, m), i, axis=1). */
tg_node *tg_simp_placed(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    int axis = (int)*values(n, 1);
    bool added = (tg_node_is(x, "reshape") || tg_node_is(x, "unsqueeze")) &&
                 !tg_simp_is_closed(s, x) && x->type.dim[axis] == 1 &&
                 lacks_axis(&x->arg[0]->type, &x->type, axis);
    if (!added) return n;
    tg_rule_name names[] = {
        {.name = "x", .node = x->arg[0]},
        {.name = "to", .kind = TG_P_SHAPE, .n = n->type.rank, .sizes = ~UINT64_C(0)},
        {.name = "i", .kind = TG_P_SHAPE, .n = 1, .v = {*values(n, 2)}, .sizes = 1},
        {.name = "axis", .kind = TG_P_AXES, .n = 1, .v = {INT64_C(1) << axis}}};
    for (int i = 0; i < n->type.rank; i++) names[1].v[i] = n->type.dim[i];
    tg_simp_note(s, TG_LAW_SELECT);
    return tg_rule_build(s->rt, "place(x, to, i, axis=axis)", 4, names);
}
