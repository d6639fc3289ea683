/* Operations that move elements, and what products make of them: transposes cancel and change sides
 * in products, several changes of shape are one, the identity matrix is the unit of @. Each
 * function gives its node or something with fewer operations; arguments are in simple form. */
#include "runtime/graph/simplifier.h"

#include <string.h>

static bool is_open(const tg_simp *s, const tg_node *n, const tg_op *op) {
    return n->op == op && !tg_simp_is_kept(s, n);
}

bool tg_simp_is_reshape(const tg_node *n) {
    static const char *const names[] = {"reshape", "flatten", "squeeze", "unsqueeze"};
    if (n->op->class != TG_CLASS_VIEW) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tg_node_is(n, names[i])) return true;
    return false;
}

/* x in the shape t. */
tg_node *tg_simp_reshaped(tg_simp *s, tg_node *x, const tg_type *t) {
    if (tg_type_same_shape(&x->type, t)) return x;
    tg_rule_name names[2] = {
        {.name = "x", .node = x},
        {.name = "to", .kind = TG_P_SHAPE, .n = t->rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[1].v, t->dim, (size_t)t->rank * sizeof *t->dim);
    return tg_rule_build(s->rt, "reshape(x, to)", 2, names);
}

/* ---- transposes ---- */

/* Swaps the last two axes and no others. */
static bool is_prime(const tg_simp *s, const tg_node *n) {
    return is_open(s, n, s->transpose) && tg_node_is_prime(n);
}

static tg_node *prime(tg_simp *s, tg_node *n) {
    if (is_prime(s, n)) return n->arg[0];
    return n->type.rank < 2 ? n : tg_node_call1(s->rt, "transpose", n);
}

/* The identity matrix; at->v holds its two sizes. */
bool tg_simp_is_eye(const tg_simp *s, const tg_node *n) {
    return n->op == s->eye && n->type.rank == 2 && n->type.dim[0] == n->type.dim[1];
}

/* What the plain expand x stretches, as it stands in it, axes of size 1 in front; false: x is no
 * such thing. */
static bool stretches(tg_simp *s, tg_node *x, tg_type *aligned) {
    if (!is_open(s, x, s->expand) || x->label || tg_simp_unexpand(s, x) != x->arg[0]) return false;
    const tg_type *y = &x->arg[0]->type;
    *aligned = x->type;
    for (int i = 0, extra = x->type.rank - y->rank; i < x->type.rank; i++)
        aligned->dim[i] = i < extra ? 1 : y->dim[i - extra];
    return y->rank > 0;
}

/* y in that shape, leading axes of size 1 left out, stretched to t. */
static tg_node *stretch_again(tg_simp *s, tg_node *y, const tg_type *shape, const tg_type *t) {
    tg_type rest = *shape;
    int ones = 0;
    while (ones < shape->rank - 1 && shape->dim[ones] == 1) ones++;
    rest.rank -= ones;
    for (int i = 0; i < rest.rank; i++) rest.dim[i] = shape->dim[i + ones];
    y = tg_simp_reshaped(s, y, &rest);
    return y ? tg_simp_expand(s, tg_simp_again(s, y), t) : NULL;
}

/* A transpose of what is stretched, where it moves but axes that were stretched. */
static tg_node *transpose_of_expand(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    tg_type from, to = n->type;
    if (!stretches(s, x, &from)) return n;
    int64_t last = -1;
    for (int i = 0; i < to.rank; i++) {
        int64_t axis = n->at->v[i + 1];
        to.dim[i] = from.dim[axis];
        if (to.dim[i] == 1) continue;
        if (axis < last) return n;
        last = axis;
    }
    tg_simp_note(s, TG_LAW_TRANSPOSE);
    return stretch_again(s, x->arg[0], &to, &n->type);
}

static tg_node *transpose(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    int rank = n->type.rank;
    tg_node *moved = transpose_of_expand(s, n);
    if (moved != n) return moved;
    bool still = true;
    for (int i = 0; i < rank; i++) still = still && n->at->v[i + 1] == i;
    bool diagonal = tg_node_is(x, "diag") && rank == 2 && !tg_simp_is_kept(s, x);
    if (rank == 3 && tg_node_is(x, "diag_embed") && !tg_simp_is_closed(s, x))
        diagonal = tg_node_is(x->arg[0], "diag") || tg_simp_is_eye(s, x->arg[0]);
    if (still || tg_simp_is_eye(s, x) || diagonal) return x;
    if (is_open(s, x, s->transpose)) {
        tg_attrs at = {.n = rank + 1, .v = {rank}};
        still = true;
        for (int i = 0; i < rank; i++) {
            at.v[i + 1] = x->at->v[n->at->v[i + 1] + 1];
            still = still && at.v[i + 1] == i;
        }
        tg_simp_note(s, TG_LAW_TRANSPOSE);
        return still ? x->arg[0] : tg_node_make(s->rt, s->transpose, 1, &x->arg[0], &at);
    }
    if (is_open(s, x, s->matmul) && is_prime(s, n) && !x->label && x->arg[0]->type.rank == rank &&
        x->arg[1]->type.rank == rank && (is_prime(s, x->arg[0]) || is_prime(s, x->arg[1]))) {
        tg_node *b = prime(s, x->arg[1]), *a = b ? prime(s, x->arg[0]) : NULL;
        tg_simp_note(s, TG_LAW_TRANSPOSE);
        return a ? tg_simp_make(s, s->matmul, b, a) : NULL;
    }
    if (rank == 2) return tg_chain_transposes(s, n);
    bool both = is_open(s, x, s->add) || is_open(s, x, s->sub);
    if (both && !x->label && is_prime(s, n) && is_prime(s, x->arg[0]) && is_prime(s, x->arg[1])) {
        tg_simp_note(s, TG_LAW_TRANSPOSE);
        return tg_simp_make(s, x->op, x->arg[0]->arg[0], x->arg[1]->arg[0]);
    }
    return n;
}

/* ---- changes of shape ---- */

/* The reduction n with keep=true, if that has the shape t; else NULL without an error. */
static tg_node *kept_axes(tg_simp *s, tg_node *n, const tg_type *t) {
    const tg_op *op = n->op;
    if (!tg_simp_has_keep(n) || n->label || tg_simp_is_kept(s, n) || n->at->v[1]) return NULL;
    const tg_type *x = &n->arg[0]->type;
    if (x->rank != t->rank) return NULL;
    for (int i = 0; i < x->rank; i++)
        if (t->dim[i] != (n->at->v[0] >> i & 1 ? 1 : x->dim[i])) return NULL;
    tg_attrs at = {.n = 2, .v = {n->at->v[0], 1}};
    return tg_node_make(s->rt, op, 1, n->arg, &at);
}

/* sum(x, axis=1, keep=true) without the axes that it keeps: sum(x, axis=1); else NULL. */
static tg_node *dropped_axes(tg_simp *s, tg_node *n, const tg_type *t) {
    if (!tg_simp_has_keep(n) || tg_simp_is_closed(s, n) || !n->at->v[1]) return NULL;
    tg_type rest = {.rank = 0};
    for (int i = 0; i < n->type.rank; i++)
        if (!(n->at->v[0] >> i & 1)) rest.dim[rest.rank++] = n->type.dim[i];
    if (!tg_type_same_shape(&rest, t)) return NULL;
    tg_attrs at = {.n = 2, .v = {n->at->v[0], 0}};
    return tg_node_make(s->rt, n->op, 1, n->arg, &at);
}

/* What is stretched, with new axes of size 1: these are put in before it is stretched. */
static tg_node *reshape_of_expand(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    tg_type from, to = n->type;
    int k = 0;
    if (!stretches(s, x, &from) || n->type.rank <= x->type.rank) return n;
    for (int i = 0; i < to.rank; i++) {
        bool same = k < x->type.rank && x->type.dim[k] == to.dim[i];
        if (!same && to.dim[i] != 1) return n;
        to.dim[i] = same ? from.dim[k++] : 1;
    }
    if (k < x->type.rank) return n;
    tg_simp_note(s, TG_LAW_RESHAPE);
    return stretch_again(s, x->arg[0], &to, &n->type);
}

static tg_node *reshape(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    if (tg_type_same_shape(&x->type, &n->type)) return x;
    tg_node *stretched_later = reshape_of_expand(s, n);
    if (stretched_later != n) return stretched_later;
    tg_node *narrow = dropped_axes(s, x, &n->type);
    if (narrow || s->rt->c.diag.kind != TG_ERR_NONE) {
        tg_simp_note(s, TG_LAW_RESHAPE);
        return narrow ? tg_simp_again(s, narrow) : NULL;
    }
    tg_node *wide = kept_axes(s, x, &n->type);
    if (wide || s->rt->c.diag.kind != TG_ERR_NONE) {
        tg_simp_note(s, TG_LAW_RESHAPE);
        return wide;
    }
    tg_node *base = x;
    while (tg_simp_is_reshape(base) && !tg_simp_is_closed(s, base)) base = base->arg[0];
    if (base == x) return n;
    tg_simp_note(s, TG_LAW_RESHAPE);
    return tg_simp_reshaped(s, base, &n->type);
}

static tg_node *expand(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    if (tg_type_same_shape(&x->type, &n->type)) return x;
    tg_node *scalar = x->type.rank == 0 ? x : tg_simp_scalar_of(s, x);
    if (scalar) return tg_simp_uniform(s, scalar, &n->type);
    if (is_open(s, x, s->expand) && !x->label && tg_simp_unexpand(s, n) == x &&
        tg_simp_unexpand(s, x) != x) {
        tg_simp_note(s, TG_LAW_RESHAPE);
        return tg_simp_expand(s, x->arg[0], &n->type);
    }
    /* expand(sum(x, axis=1), ..., axis=1) is broadcasting of sum(x, axis=1, keep=true) */
    if (tg_simp_unexpand(s, n) != x && x->type.rank == n->type.rank - 1) {
        tg_type t = n->type;
        int64_t added = n->at->v[n->at->n - 1];
        for (int i = 0; i < t.rank; i++)
            if (added >> i & 1) t.dim[i] = 1;
        tg_node *wide = kept_axes(s, x, &t);
        if (wide) return tg_simp_expand(s, wide, &n->type);
        if (s->rt->c.diag.kind != TG_ERR_NONE) return NULL;
    }
    return n;
}

/* ---- products ---- */

/* A matrix with a vector on its diagonal. */
static bool is_diagonal(const tg_simp *s, const tg_node *n) {
    return tg_node_is(n, "diag") && n->type.rank == 2 && !tg_simp_is_closed(s, n);
}

/* diag(x) @ y scales y, or its rows; y @ diag(x) its columns. */
static tg_node *scaled(tg_simp *s, tg_node *n) {
    tg_node *a = n->arg[0], *b = n->arg[1], *made = NULL;
    if (is_diagonal(s, b) && a->type.rank <= 2)
        made = tg_simp_make(s, s->mul, a, b->arg[0]);
    else if (b->type.rank == 1)
        made = tg_simp_make(s, s->mul, a->arg[0], b);
    else if (b->type.rank == 2) {
        tg_rule_name names[2] = {{.name = "x", .node = a->arg[0]}, {.name = "y", .node = b}};
        made = tg_rule_build(s->rt, "unsqueeze(x, 1) * y", 2, names);
    } else {
        return n;
    }
    tg_simp_note(s, TG_LAW_DIAGONAL);
    return made ? tg_simp_again(s, made) : NULL;
}

/* A product with a matrix or vector of ones is made of sums. */
static tg_node *row_sums(tg_simp *s, tg_node *n, bool left) {
    tg_node *x = n->arg[left];
    bool stretched = n->op == s->matmul && x->type.rank == n->type.rank && n->type.rank > 2 &&
                     x->type.dim[n->type.rank - (left ? 2 : 1)] == 1;
    if (stretched) { /* a sum of one */
        tg_simp_note(s, TG_LAW_ROW_SUMS);
        return tg_simp_expand(s, x, &n->type);
    }
    if (x->type.rank == 0 || x->type.rank > 2 || n->arg[!left]->type.rank > 2) return n;
    tg_rule_name names[3] = {
        {.name = "x", .node = x},
        {.name = "axis", .kind = TG_P_AXES, .n = 1, .v = {left || x->type.rank == 1 ? 1 : 2}},
        {.name = "to", .kind = TG_P_SHAPE, .n = n->type.rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[2].v, n->type.dim, (size_t)n->type.rank * sizeof *n->type.dim);
    const char *text = n->op != s->matmul ? "sum(x, axis=axis)"
                       : left             ? "expand(sum(x, axis=axis), to)"
                                          : "expand(sum(x, axis=axis), to, axis=1)";
    if (x->type.rank == 1 && n->type.rank > 0) text = "expand(sum(x, axis=axis), to)";
    tg_simp_note(s, TG_LAW_ROW_SUMS);
    tg_node *made = tg_rule_build(s->rt, text, 3, names);
    return made ? tg_simp_again(s, made) : NULL;
}

/* Is n a product of two matrices, made for this place only? */
static bool is_inner_product(tg_simp *s, const tg_node *n) {
    return n->op == s->matmul && n->type.rank == 2 && n->arg[0]->type.rank == 2 &&
           n->arg[1]->type.rank == 2 && !tg_simp_is_closed(s, n);
}

/* (A @ B) @ x, and x @ (A @ B), from the side of the vector. */
static tg_node *from_vector(tg_simp *s, tg_node *n) {
    bool right = n->op == s->matvec;
    tg_node *m = n->arg[!right], *v = n->arg[right];
    v = tg_simp_make(s, n->op, right ? m->arg[1] : v, right ? v : m->arg[0]);
    tg_simp_note(s, TG_LAW_REASSOCIATE);
    tg_node *made = v ? tg_simp_make(s, n->op, right ? m->arg[0] : v, right ? v : m->arg[1]) : NULL;
    return made ? tg_simp_again(s, made) : NULL;
}

/* Stacks of matrices are stretched by the product itself. */
static tg_node *unstretched(tg_simp *s, tg_node *n) {
    for (int i = 0; i < 2 && n->op == s->matmul && n->type.rank > 2; i++) {
        tg_node *x = n->arg[i], *in[2] = {n->arg[0], n->arg[1]};
        tg_type from;
        if (!stretches(s, x, &from) || x->arg[0]->type.rank < 2) continue;
        int r = x->type.rank;
        if (from.dim[r - 1] != x->type.dim[r - 1] || from.dim[r - 2] != x->type.dim[r - 2])
            continue;
        const tg_type *other = &n->arg[1 - i]->type;
        bool given = true; /* do the axes that are stretched have their size in the other? */
        for (int k = 0; k < r - 2; k++)
            given = given && (from.dim[k] == n->type.dim[k + n->type.rank - r] ||
                              (k + other->rank - r >= 0 && other->dim[k + other->rank - r] ==
                                                               n->type.dim[k + n->type.rank - r]));
        if (!given) continue;
        in[i] = x->arg[0];
        tg_simp_note(s, TG_LAW_BROADCAST);
        tg_node *made = tg_node_make(s->rt, n->op, 2, in, n->at);
        return made ? tg_simp_again(s, made) : NULL;
    }
    return n;
}

static tg_node *product(tg_simp *s, tg_node *n) {
    tg_node *a = n->arg[0], *b = n->arg[1], *less = unstretched(s, n);
    if (less != n) return less;
    if ((is_diagonal(s, a) && a->type.rank == 2) || is_diagonal(s, b)) return scaled(s, n);
    if (tg_simp_is_uniform(s, a, 1)) return row_sums(s, n, true);
    if (tg_simp_is_uniform(s, b, 1)) return row_sums(s, n, false);
    if (tg_simp_is_eye(s, a) && tg_type_same_shape(&b->type, &n->type)) {
        tg_simp_note(s, TG_LAW_IDENTITY);
        return b;
    }
    if (tg_simp_is_eye(s, b) && tg_type_same_shape(&a->type, &n->type)) {
        tg_simp_note(s, TG_LAW_IDENTITY);
        return a;
    }
    if (n->op == s->vecmat && is_prime(s, b) && !b->label) {
        tg_simp_note(s, TG_LAW_TRANSPOSE);
        return tg_simp_make(s, s->matvec, b->arg[0], a);
    }
    if ((n->op == s->matvec && is_inner_product(s, a)) ||
        (n->op == s->vecmat && is_inner_product(s, b)))
        return from_vector(s, n);
    return a->type.rank <= 2 && b->type.rank <= 2 ? tg_chain_transposes(s, n) : n;
}

/* An operation that rearranges equal elements. */
static tg_node *of_uniform(tg_simp *s, tg_node *n) {
    static const char *const zeros[] = {"embed", "unslice", "pad", "untranspose"};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (tg_node_is(n, zeros[i])) return n;
    tg_node *scalar = tg_simp_scalar_of(s, n->arg[0]);
    if (!scalar || n->arg[0]->type.rank == 0) return n;
    tg_simp_note(s, TG_LAW_UNIFORM);
    return tg_simp_uniform(s, scalar, &n->type);
}

/* Of a matrix: the same for its transpose. */
static bool is_symmetric_op(const tg_node *n) {
    return tg_node_is(n, "trace") || (tg_node_is(n, "diag") && n->type.rank == 1);
}

/* A diagonal of equal numbers is a multiple of the identity. */
static tg_node *uniform_diagonal(tg_simp *s, tg_node *n) {
    tg_node *scalar = n->arg[0]->type.rank == 1 ? tg_simp_scalar_of(s, n->arg[0]) : NULL;
    if (!scalar || n->type.dtype != s->rt->precision) return n;
    const tg_rule_name size = {
        .name = "n", .kind = TG_P_SIZE, .n = 1, .v = {n->type.dim[0]}, .sizes = 1};
    tg_node *eye = tg_rule_build(s->rt, "eye(n)", 1, &size);
    tg_simp_note(s, TG_LAW_UNIFORM);
    return eye ? tg_simp_multiple(s, scalar, eye, &n->type) : NULL;
}

/* The diagonals of diag_embed(x), whichever of its axes they are taken along: x itself, or its
 * diagonal between zeros. */
static tg_node *diagonal_again(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0], *from = x, *scalar = tg_simp_scalar_of(s, x);
    if (scalar) {
        tg_simp_note(s, TG_LAW_UNIFORM);
        return tg_simp_uniform(s, scalar, &n->type);
    }
    if (is_open(s, x, s->transpose) && x->type.rank == 3) from = x->arg[0];
    if (!tg_node_is(from, "diag_embed") || tg_simp_is_closed(s, from)) return n;
    tg_simp_note(s, TG_LAW_DIAGONAL_ONLY);
    if (from == x || x->at->v[1] == 0) return from->arg[0];
    tg_node *vector = tg_node_call1(s->rt, "diag", from->arg[0]);
    vector = vector ? tg_simp_again(s, vector) : NULL;
    return vector ? tg_node_call1(s->rt, "diag", vector) : NULL;
}

tg_node *tg_simp_structure(tg_simp *s, tg_node *n) {
    if (n->n == 0) return n;
    bool part = tg_node_is(n, "diag_part") || (tg_node_is(n, "diag") && n->type.rank == 1);
    if (part) {
        tg_node *made = diagonal_again(s, n);
        if (made != n) return made;
    }
    if (is_diagonal(s, n)) {
        tg_node *made = uniform_diagonal(s, n);
        if (made != n) return made;
    }
    if (n->op == s->sum) return tg_simp_sum_over(s, n);
    if (n->op == s->mean) return tg_simp_mean(s, n);
    if (n->op == s->matmul || n->op == s->matvec || n->op == s->vecmat) return product(s, n);
    if (n->op == s->vdot && tg_simp_is_uniform(s, n->arg[0], 1)) return row_sums(s, n, true);
    if (n->op == s->vdot && tg_simp_is_uniform(s, n->arg[1], 1)) return row_sums(s, n, false);
    if (is_symmetric_op(n) && is_prime(s, n->arg[0]) && n->arg[0]->type.rank == 2) {
        tg_simp_note(s, TG_LAW_TRANSPOSE);
        return tg_node_make(s->rt, n->op, 1, n->arg[0]->arg, n->at);
    }
    tg_node *made = tg_simp_frame(s, n);
    if (made != n || n->op->class != TG_CLASS_VIEW || n->n != 1) return made;
    if (n->op == s->expand) return expand(s, n);
    made = tg_simp_select(s, n);
    if (made != n) return made;
    made = of_uniform(s, n);
    if (made != n) return made;
    if (n->op == s->transpose) return transpose(s, n);
    return tg_simp_is_reshape(n) ? reshape(s, n) : n;
}
