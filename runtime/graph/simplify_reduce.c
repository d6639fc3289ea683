/* Sums over axes, and means: a sum of equal elements is their number times one of them, what is the
 * same along the axes leaves the sum, a sum of what was moved is a sum of what it was moved from.
 * Each function gives its node or something with fewer operations; arguments are in simple form. */
#include "runtime/graph/simplify_sum.h"

static bool is_open(const tg_simp *s, const tg_node *n, const tg_op *op) {
    return n->op == op && !tg_simp_is_kept(s, n);
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

static tg_node *count(tg_simp *s, const tg_type *t, int64_t axes) {
    tg_size size = 1;
    for (int i = 0; i < t->rank && size != TG_SIZE_FAIL; i++)
        if (axes >> i & 1) size = tg_size_times(s->rt, size, t->dim[i]);
    return size == TG_SIZE_FAIL ? NULL : tg_node_size(s->rt, size);
}

/* c * x in the shape t. */
tg_node *tg_simp_multiple(tg_simp *s, tg_node *c, tg_node *x, const tg_type *t) {
    tg_product p = {.c = {1, 1}};
    tg_node *made = NULL;
    if (c && tg_product_add(s, &p, c, 1, false) && tg_product_add(s, &p, x, 1, false))
        made = tg_product_build(s, &p, t);
    tg_product_free(&p);
    return made;
}

tg_node *tg_simp_mean(tg_simp *s, tg_node *n) {
    tg_node *scalar = tg_simp_scalar_of(s, n->arg[0]);
    if (!scalar) return n;
    tg_simp_note(s, TG_LAW_UNIFORM);
    return tg_simp_uniform(s, scalar, &n->type);
}

/* Only a transpose, flip or reshape of what is summed whole changes nothing. */
static bool keeps_elements(const tg_simp *s, const tg_node *n) {
    return !tg_simp_is_closed(s, n) &&
           (n->op == s->transpose || tg_simp_is_reshape(n) || tg_node_is(n, "flip"));
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

/* sum(X * w, axis=1) = X @ w */
static tg_node *sum_of_rows(tg_simp *s, tg_node *n, int64_t axes) {
    tg_node *x = n->arg[0], *made = n;
    if (x->type.rank != 2 || axes != 2 || n->at->v[1] || x->op != s->mul || tg_simp_is_closed(s, x))
        return n;
    tg_product all = {0}, matrix = {.c = {1, 1}}, vector = {.c = {1, 1}};
    bool ok = tg_product_add(s, &all, x, 1, false), full = false;
    for (size_t i = 0; ok && i < all.n; i++) {
        const tg_factor *f = &all.f[i];
        full = full || tg_type_same_shape(&f->base->type, &x->type);
        ok = tg_product_add(s, f->base->type.rank == 1 ? &vector : &matrix, f->base, f->power,
                            false);
    }
    bool above = false;
    for (size_t i = 0; i < vector.n; i++) above = above || vector.f[i].power > 0;
    if (ok && full && above && all.c.d != 0) {
        tg_type row = {.dtype = x->type.dtype, .rank = 1, .dim = {x->type.dim[1]}};
        matrix.c = all.c;
        tg_node *m = tg_product_build(s, &matrix, &x->type),
                *v = m ? tg_product_build(s, &vector, &row) : NULL;
        made = tg_simp_make(s, s->matvec, m, v);
        if (made) tg_simp_note(s, TG_LAW_ROWS);
        made = made ? tg_simp_again(s, made) : NULL;
    }
    tg_product_free(&all);
    tg_product_free(&matrix);
    tg_product_free(&vector);
    return ok ? made : NULL;
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
    while (i < all.n && !(tg_simp_is_eye(s, all.f[i].base) && all.f[i].power > 0)) i++;
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
    if (left == 1 && tg_type_same_shape(&rest->type, &x->type)) {
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

/* The axes along which x, with a name or without, sums to 1; *law says why. 0: there are none. */
static int64_t sums_to_one(const tg_simp *s, const tg_node *x, int *law) {
    if (tg_simp_is_kept(s, x)) return 0;
    *law = tg_node_is(x, "softmax") ? TG_LAW_SUM_SOFTMAX : TG_LAW_SUM_ONEHOT;
    return tg_node_is(x, "softmax")  ? x->at->v[0]
           : tg_node_is(x, "onehot") ? INT64_C(1) << x->at->v[1]
                                     : 0;
}

tg_node *tg_simp_sum_over(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0], *made;
    int64_t axes = n->at->v[0], single = 0, all = (INT64_C(1) << x->type.rank) - 1;
    tg_node *scalar = tg_simp_scalar_of(s, x);
    int law;
    int64_t ones = sums_to_one(s, x, &law);
    if (ones && (ones & ~axes) == 0) {
        tg_simp_note(s, law);
        return tg_simp_multiple(s, count(s, &x->type, axes & ~ones), tg_node_number(s->rt, 1),
                                &n->type);
    }
    if (scalar) {
        tg_simp_note(s, TG_LAW_COUNT);
        return tg_simp_multiple(s, count(s, &x->type, axes), scalar, &n->type);
    }
    if (tg_simp_is_eye(s, x) && axes != 3 && !tg_simp_is_closed(s, x)) {
        tg_simp_note(s, TG_LAW_UNIFORM);
        return tg_simp_uniform_number(s, 1, &n->type);
    }
    for (int i = 0; i < x->type.rank; i++)
        if ((axes >> i & 1) && x->type.dim[i] == 1) single |= INT64_C(1) << i;
    if (single == axes) return tg_simp_reshaped(s, x, &n->type);
    if (is_open(s, x, s->expand) && !x->label && (stretched(x) & axes) == axes) {
        tg_type t = n->type; /* all that is summed was stretched: what remains is the argument,
                                perhaps stretched elsewhere */
        if (stretched(x) == axes) {
            tg_node *base = tg_simp_reshaped(s, x->arg[0], &t);
            tg_simp_note(s, TG_LAW_COUNT);
            return base ? tg_simp_multiple(s, count(s, &x->type, axes), base, &t) : NULL;
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
    if ((made = sum_of_rows(s, n, axes)) != n || (made = sum_of_named(s, n, axes)) != n ||
        (made = sum_of_diagonal(s, n, axes)) != n || (made = sum_of_sum(s, n)) != n)
        return made;
    if (is_open(s, x, s->transpose) && !x->label && !n->at->v[1])
        return sum_of_transpose(s, n, axes);
    return sum_of_product(s, n, axes);
}
