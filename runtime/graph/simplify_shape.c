/* Operations that move elements, and what sums and products make of them: transposes cancel and
 * change sides in products, several changes of shape are one, a sum of equal elements is their
 * number times one of them, the identity matrix is the unit of @. Each function gives its node or
 * something with fewer operations; arguments are in simple form. */
#include "runtime/graph/simplify_sum.h"

#include <string.h>

static bool same_shape(const tg_type *a, const tg_type *b) {
    return tg_shape_equal(a->rank, a->dim, b->rank, b->dim);
}

static bool is_open(const tg_simp *s, const tg_node *n, const tg_op *op) {
    return n->op == op && !tg_simp_is_kept(s, n);
}

/* ---- transposes ---- */

/* Swaps the last two axes and no others. */
static bool is_prime(const tg_simp *s, const tg_node *n) {
    int rank = n->type.rank;
    if (!is_open(s, n, s->transpose) || rank < 2) return false;
    for (int i = 0; i < rank; i++)
        if (n->at->v[i + 1] != (i < rank - 2 ? i : 2 * rank - 3 - i)) return false;
    return true;
}

static tg_node *prime(tg_simp *s, tg_node *n) {
    if (is_prime(s, n)) return n->arg[0];
    return n->type.rank < 2 ? n : tg_node_call1(s->rt, "transpose", n);
}

/* The identity matrix; at->v holds its two sizes. */
static bool is_eye(const tg_simp *s, const tg_node *n) {
    return n->op == s->eye && n->type.rank == 2 && n->type.dim[0] == n->type.dim[1];
}

static tg_node *transpose(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    int rank = n->type.rank;
    bool still = true;
    for (int i = 0; i < rank; i++) still = still && n->at->v[i + 1] == i;
    bool diagonal = tg_node_is(x, "diag") && rank == 2 && !tg_simp_is_kept(s, x);
    if (still || is_eye(s, x) || diagonal) return x;
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

static bool is_reshape(const tg_node *n) {
    static const char *const names[] = {"reshape", "flatten", "squeeze", "unsqueeze"};
    if (n->op->class != TG_CLASS_VIEW) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tg_node_is(n, names[i])) return true;
    return false;
}

/* x in the shape t. */
static tg_node *reshaped(tg_simp *s, tg_node *x, const tg_type *t) {
    if (same_shape(&x->type, t)) return x;
    tg_rule_name names[2] = {
        {.name = "x", .node = x},
        {.name = "to", .kind = TG_P_SHAPE, .n = t->rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[1].v, t->dim, (size_t)t->rank * sizeof *t->dim);
    return tg_rule_build(s->rt, "reshape(x, to)", 2, names);
}

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
    if (!same_shape(&rest, t)) return NULL;
    tg_attrs at = {.n = 2, .v = {n->at->v[0], 0}};
    return tg_node_make(s->rt, n->op, 1, n->arg, &at);
}

static tg_node *reshape(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    if (same_shape(&x->type, &n->type)) return x;
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
    while (is_reshape(base) && !tg_simp_is_closed(s, base)) base = base->arg[0];
    if (base == x) return n;
    tg_simp_note(s, TG_LAW_RESHAPE);
    return reshaped(s, base, &n->type);
}

/* The axes of the result that expand stretches or adds. */
static int64_t stretched(const tg_node *n) {
    const tg_type *x = &n->arg[0]->type, *t = &n->type;
    int64_t added = n->at->v[n->at->n - 1], axes = 0;
    int extra = t->rank - x->rank;
    if (extra == 0)
        added = 0;
    else if (added == 0)
        added = (INT64_C(1) << extra) - 1;
    for (int i = 0, k = 0; i < t->rank; i++) {
        if (added >> i & 1)
            axes |= INT64_C(1) << i;
        else if (x->dim[k++] != t->dim[i])
            axes |= INT64_C(1) << i;
    }
    return axes;
}

static tg_node *expand(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    if (same_shape(&x->type, &n->type)) return x;
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

/* ---- reductions ---- */

static tg_node *count(tg_simp *s, const tg_type *t, int64_t axes) {
    tg_size size = 1;
    for (int i = 0; i < t->rank && size != TG_SIZE_FAIL; i++)
        if (axes >> i & 1) size = tg_size_times(s->rt, size, t->dim[i]);
    return size == TG_SIZE_FAIL ? NULL : tg_node_size(s->rt, size);
}

/* c * x in the shape t. */
static tg_node *multiple(tg_simp *s, tg_node *c, tg_node *x, const tg_type *t) {
    tg_product p = {.c = {1, 1}};
    tg_node *made = NULL;
    if (c && tg_product_add(s, &p, c, 1, false) && tg_product_add(s, &p, x, 1, false))
        made = tg_product_build(s, &p, t);
    tg_product_free(&p);
    return made;
}

static tg_node *reduced_mean(tg_simp *s, tg_node *n) {
    tg_node *scalar = tg_simp_scalar_of(s, n->arg[0]);
    if (!scalar) return n;
    tg_simp_note(s, TG_LAW_UNIFORM);
    return tg_simp_uniform(s, scalar, &n->type);
}

/* Only a transpose, flip or reshape of what is summed whole changes nothing. */
static bool keeps_elements(const tg_simp *s, const tg_node *n) {
    return !tg_simp_is_closed(s, n) &&
           (n->op == s->transpose || is_reshape(n) || tg_node_is(n, "flip"));
}

/* sum(x', axis=0) = sum(x, axis=1), where the axes that remain are in the same order. */
static tg_node *sum_of_transpose(tg_simp *s, tg_node *n, int64_t axes) {
    tg_node *x = n->arg[0];
    tg_attrs at = {.n = 2};
    int64_t last = -1;
    for (int i = 0; i < x->type.rank; i++) {
        int64_t from = x->at->v[i + 1];
        if (axes >> i & 1) {
            at.v[0] |= INT64_C(1) << from;
        } else {
            if (from < last) return n;
            last = from;
        }
    }
    tg_simp_note(s, TG_LAW_TRANSPOSE);
    return tg_node_make(s->rt, s->sum, 1, &x->arg[0], &at);
}

/* Is x, a factor of something of that rank, the same along all these axes? */
static bool is_constant_along(const tg_node *x, int rank, int64_t axes) {
    for (int i = 0; i < x->type.rank; i++)
        if ((axes >> (i + rank - x->type.rank) & 1) && x->type.dim[i] != 1) return false;
    return true;
}

/* sum(x / s, axis=0) = sum(x, axis=0) / s where s is the same along the axis, and still broadcasts
 * to the result: axes are kept, or the first ones. */
static tg_node *sum_of_product(tg_simp *s, tg_node *n, int64_t axes) {
    tg_node *x = n->arg[0], *made = n, *core;
    int rank = x->type.rank;
    bool leading = (axes & (axes + 1)) == 0;
    tg_product all = {0}, out = {.c = {1, 1}};
    if ((x->op != s->mul && x->op != s->div) || tg_simp_is_closed(s, x) || n->type.rank == 0)
        return n;
    if (!n->at->v[1] && !leading) return n;
    if (!tg_product_add(s, &all, x, 1, false)) return NULL;
    for (size_t i = 0; i < all.n; i++) {
        tg_factor f = all.f[i];
        bool fits = n->at->v[1] || f.base->type.rank <= n->type.rank;
        if (!fits || !is_constant_along(f.base, rank, axes)) continue;
        if (!tg_product_add(s, &out, f.base, f.power, false)) goto end;
        all.f[i].power = 0;
    }
    if (out.n > 0 && out.n < all.n) {
        made = NULL;
        tg_simp_note(s, TG_LAW_LINEARITY);
        core = tg_product_build(s, &all, &x->type);
        if (core && (core = tg_node_make(s->rt, s->sum, 1, &core, n->at)) &&
            (core = tg_simp_again(s, core)) && tg_product_add(s, &out, core, 1, false))
            made = tg_product_build(s, &out, &n->type);
    }
end:
    tg_product_free(&all);
    tg_product_free(&out);
    return made;
}

/* sum(x * eye(n)): only the diagonal counts. */
static tg_node *sum_of_diagonal(tg_simp *s, tg_node *n, int64_t axes) {
    tg_node *x = n->arg[0], *made = n;
    tg_product all = {0};
    if (x->type.rank != 2 || (x->op != s->mul && x->op != s->div) || tg_simp_is_closed(s, x) ||
        n->at->v[1])
        return n;
    if (!tg_product_add(s, &all, x, 1, false)) return NULL;
    size_t i = 0;
    while (i < all.n && !(is_eye(s, all.f[i].base) && all.f[i].power > 0)) i++;
    if (i < all.n && all.n > 1) {
        all.f[i].power = 0;
        tg_simp_note(s, TG_LAW_DIAGONAL_ONLY);
        made = tg_product_build(s, &all, &x->type);
        made = made ? tg_node_call1(s->rt, axes == 3 ? "trace" : "diag", made) : NULL;
        if (made) made = tg_simp_again(s, made);
    }
    tg_product_free(&all);
    return made;
}

/* The sum of a product that has a name, where it is 0: sum((x - mean(x)) / s). */
static tg_node *sum_of_named(tg_simp *s, tg_node *n, int64_t axes) {
    tg_node *x = n->arg[0], *made = n, *rest = NULL;
    tg_product all = {0};
    size_t left = 0;
    if (!x->label || (x->op != s->mul && x->op != s->div) || tg_simp_is_kept(s, x)) return n;
    if (!tg_product_add(s, &all, x->arg[0], 1, false) ||
        !tg_product_add(s, &all, x->arg[1], x->op == s->mul ? 1 : -1, false)) {
        tg_product_free(&all);
        return NULL;
    }
    for (size_t i = 0; i < all.n; i++)
        if (!is_constant_along(all.f[i].base, x->type.rank, axes)) {
            left += all.f[i].power == 1 ? 1 : 2;
            rest = all.f[i].base;
        }
    if (left == 1 && same_shape(&rest->type, &x->type)) {
        tg_node *sum = tg_node_make(s->rt, s->sum, 1, &rest, n->at);
        sum = sum ? tg_simp_again(s, sum) : NULL;
        if (!sum)
            made = NULL;
        else if (tg_simp_is_uniform(s, sum, 0))
            made = sum;
    }
    tg_product_free(&all);
    return made;
}

/* sum(x + y), where the sum of a term is a number or a name: the rest is shorter by it. */
static tg_node *sum_of_sum(tg_simp *s, tg_node *n) {
    enum { MOST = 6 };
    tg_node *x = n->arg[0], *made = n;
    if ((x->op != s->add && x->op != s->sub) || tg_simp_is_closed(s, x) ||
        tg_simp_is_shared(s, x) || !tg_simp_step(s, 1))
        return n;
    tg_terms in = {0}, out = {0};
    bool ok = tg_terms_add(s, &in, (tg_ratio){1, 1}, x, false), worth = false;
    if (ok && in.n > 1 && in.n <= MOST) {
        for (size_t i = 0; ok && i < in.n; i++) {
            tg_node *term = in.t[i].core ? in.t[i].core : tg_node_number(s->rt, 1);
            if (term)
                term = term->type.rank ? tg_simp_expand(s, term, &x->type)
                                       : tg_simp_uniform(s, term, &x->type);
            if (term) term = tg_node_make(s->rt, s->sum, 1, &term, n->at);
            if (term) term = tg_simp_again(s, term);
            double cost = term ? tg_simp_part_cost(s, term) : -1;
            worth = worth || cost == 0 || (term && tg_simp_scalar_of(s, term));
            ok = cost >= 0 && tg_terms_add(s, &out, in.t[i].c, term, false);
        }
        if (ok && worth) {
            made = tg_terms_build(s, &out, &n->type);
            if (made)
                made = made->type.rank ? tg_simp_expand(s, made, &n->type)
                                       : tg_simp_uniform(s, made, &n->type);
            double old = tg_simp_cost(s, n), new = made ? tg_simp_part_cost(s, made) : -1;
            ok = old >= 0 && new >= 0;
            if (new >= old)
                made = n;
            else
                tg_simp_note(s, TG_LAW_SUM_OF_SUM);
        }
    }
    tg_terms_free(&in);
    tg_terms_free(&out);
    return ok ? made : NULL;
}

static tg_node *sum(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0], *made;
    int64_t axes = n->at->v[0], single = 0, all = (INT64_C(1) << x->type.rank) - 1;
    tg_node *scalar = tg_simp_scalar_of(s, x);
    if (scalar) {
        tg_simp_note(s, TG_LAW_COUNT);
        return multiple(s, count(s, &x->type, axes), scalar, &n->type);
    }
    if (is_eye(s, x) && axes != 3 && !tg_simp_is_closed(s, x)) {
        tg_simp_note(s, TG_LAW_UNIFORM);
        return tg_simp_uniform_number(s, 1, &n->type);
    }
    for (int i = 0; i < x->type.rank; i++)
        if ((axes >> i & 1) && x->type.dim[i] == 1) single |= INT64_C(1) << i;
    if (single == axes) return reshaped(s, x, &n->type);
    if (is_open(s, x, s->expand) && !x->label && (stretched(x) & axes) == axes) {
        tg_type t = n->type; /* all that is summed was stretched: what remains is the argument,
                                perhaps stretched elsewhere */
        if (stretched(x) == axes) {
            tg_node *base = reshaped(s, x->arg[0], &t);
            tg_simp_note(s, TG_LAW_COUNT);
            return base ? multiple(s, count(s, &x->type, axes), base, &t) : NULL;
        }
    }
    if (axes == all && !n->at->v[1] && keeps_elements(s, x)) {
        tg_attrs at = {.n = 2, .v = {(INT64_C(1) << x->arg[0]->type.rank) - 1, 0}};
        tg_simp_note(s, TG_LAW_RESHAPE);
        return tg_node_make(s->rt, s->sum, 1, &x->arg[0], &at);
    }
    if (axes == all && !n->at->v[1] && x->type.rank > 0) {
        made = tg_simp_sum_of_frame(s, n);
        if (made != n) return made;
    }
    if ((made = sum_of_named(s, n, axes)) != n || (made = sum_of_diagonal(s, n, axes)) != n ||
        (made = sum_of_sum(s, n)) != n)
        return made;
    if (is_open(s, x, s->transpose) && !x->label && !n->at->v[1])
        return sum_of_transpose(s, n, axes);
    return sum_of_product(s, n, axes);
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

static tg_node *product(tg_simp *s, tg_node *n) {
    tg_node *a = n->arg[0], *b = n->arg[1];
    if ((is_diagonal(s, a) && a->type.rank == 2) || is_diagonal(s, b)) return scaled(s, n);
    if (tg_simp_is_uniform(s, a, 1)) return row_sums(s, n, true);
    if (tg_simp_is_uniform(s, b, 1)) return row_sums(s, n, false);
    if (is_eye(s, a) && same_shape(&b->type, &n->type)) {
        tg_simp_note(s, TG_LAW_IDENTITY);
        return b;
    }
    if (is_eye(s, b) && same_shape(&a->type, &n->type)) {
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
    return eye ? multiple(s, scalar, eye, &n->type) : NULL;
}

tg_node *tg_simp_structure(tg_simp *s, tg_node *n) {
    if (n->n == 0) return n;
    if (is_diagonal(s, n)) {
        tg_node *made = uniform_diagonal(s, n);
        if (made != n) return made;
    }
    if (n->op == s->sum) return sum(s, n);
    if (n->op == s->mean) return reduced_mean(s, n);
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
    return is_reshape(n) ? reshape(s, n) : n;
}
