/* What makes a sum shorter as a whole: multiplying out where terms then cancel, and pulling out
 * what all terms share.
 *
 * Multiplying out is tried on the side: the result is taken only if it has fewer operations than
 * the sum without it, and sums inside are then not multiplied out again. That finds y * (1 - s) -
 * (1 - y) * s = y - s, which no local rule does. Here sigmoid(-z) counts as 1 - sigmoid(z). */
#include "runtime/graph/simplify_sum.h"
#include "base/alloc.h"
#include "runtime/graph/number.h"

#include <math.h>

enum { MOST_TERMS = 16, MOST_FACTORS = 16 };

/* ---- the products of the terms ---- */

typedef struct products {
    tg_product *p; /* one a term, its number included */
    size_t n;
} products;

static void free_products(products *all) {
    for (size_t i = 0; i < all->n; i++) tg_product_free(&all->p[i]);
    tg_free(all->p);
}

static bool make_products(tg_simp *s, const tg_terms *a, products *all) {
    *all = (products){.p = tg_alloc_array(a->n, sizeof *all->p), .n = a->n};
    if (!all->p) return tg_fail_memory(&s->rt->c);
    for (size_t i = 0; i < a->n; i++) {
        all->p[i].c = (tg_ratio){1, 1};
        if (a->t[i].core && !tg_product_add(s, &all->p[i], a->t[i].core, 1, false)) {
            free_products(all);
            return false;
        }
        all->p[i].c = tg_ratio_mul(all->p[i].c, a->t[i].c);
    }
    return true;
}

/* The shape that the factors have together. */
static tg_type natural(const tg_product *p, const tg_type *t) {
    tg_type own = {.dtype = t->dtype};
    for (size_t i = 0; i < p->n; i++) {
        const tg_type *b = &p->f[i].base->type;
        int shift = b->rank - own.rank;
        if (shift > 0) {
            for (int k = b->rank - 1; k >= 0; k--) own.dim[k] = k >= shift ? own.dim[k - shift] : 1;
            own.rank = b->rank;
        }
        for (int k = 0; k < b->rank; k++) {
            tg_size *d = &own.dim[own.rank - b->rank + k];
            if (*d == 1) *d = b->dim[k];
        }
    }
    return own;
}

static bool add_product(tg_simp *s, tg_terms *a, tg_product *p, const tg_type *t) {
    tg_type own = natural(p, t);
    tg_ratio c = p->c;
    p->c = (tg_ratio){1, 1};
    tg_node *n = p->n ? tg_product_build(s, p, &own) : tg_node_number(s->rt, 1);
    return n && tg_terms_add(s, a, c, n, false);
}

static bool copy_product(tg_simp *s, tg_product *to, const tg_product *from, size_t but) {
    *to = (tg_product){.c = from->c};
    if (!tg_grow((void **)&to->f, &to->cap, from->n + 1, sizeof *to->f))
        return tg_fail_memory(&s->rt->c);
    for (size_t i = 0; i < from->n; i++)
        if (i != but) to->f[to->n++] = from->f[i];
    return true;
}

/* ---- multiplying out ---- */

/* The first factor that is a sum, or counts as one; p->n: none. */
static size_t sum_factor(tg_simp *s, const tg_product *p) {
    for (size_t i = 0; i < p->n; i++) {
        tg_node *n = p->f[i].base;
        if (p->f[i].power != 1 || tg_simp_is_kept(s, n)) continue;
        if (!n->label && (n->op == s->add || n->op == s->sub) && !tg_simp_is_shared(s, n)) return i;
        if (!n->label && n->op == s->sigmoid && n->arg[0]->op == s->neg) return i;
    }
    return p->n;
}

static bool sum_terms(tg_simp *s, tg_node *n, tg_terms *a) {
    if (n->op != s->sigmoid) return tg_terms_add(s, a, (tg_ratio){1, 1}, n, false);
    static const tg_attrs none;
    tg_node *turned = tg_node_make(s->rt, s->sigmoid, 1, &n->arg[0]->arg[0], &none),
            *one = tg_node_number(s->rt, 1);
    return turned && one && tg_terms_add(s, a, (tg_ratio){1, 1}, one, false) &&
           tg_terms_add(s, a, (tg_ratio){-1, 1}, turned, false);
}

/* Adds p to `out`, multiplied out; the work list holds what is still to do. *room counts down. */
static bool multiply_out(tg_simp *s, const tg_product *p, const tg_type *t, tg_terms *out,
                         int *room) {
    tg_product list[MOST_TERMS];
    int n = 0;
    bool ok = copy_product(s, &list[n++], p, p->n);
    while (ok && n > 0) {
        tg_product q = list[--n];
        size_t k = sum_factor(s, &q);
        tg_terms inner = {0};
        if (k == q.n) {
            ok = add_product(s, out, &q, t);
            --*room;
        } else {
            ok = sum_terms(s, q.f[k].base, &inner);
            if (ok && (n + (int)inner.n > MOST_TERMS || *room < (int)inner.n)) *room = -1;
        }
        for (size_t i = inner.n; ok && *room >= 0 && i-- > 0;) {
            ok = copy_product(s, &list[n], &q, k);
            if (!ok) break;
            n++;
            tg_product *made = &list[n - 1];
            ok = !inner.t[i].core || tg_product_add(s, made, inner.t[i].core, 1, false);
            made->c = tg_ratio_mul(made->c, inner.t[i].c);
        }
        tg_terms_free(&inner);
        tg_product_free(&q);
        if (*room < 0) break;
    }
    while (n > 0) tg_product_free(&list[--n]);
    return ok;
}

bool tg_terms_expand(tg_simp *s, tg_terms *a, const tg_type *t, tg_node **made) {
    if (s->expanding) return true;
    products all;
    if (!make_products(s, a, &all)) return false;
    bool worth = false;
    for (size_t i = 0; i < all.n; i++)
        worth = worth ||
                (all.p[i].n > 1 && all.p[i].n <= MOST_FACTORS &&
                 sum_factor(s, &all.p[i]) < all.p[i].n) ||
                (all.p[i].n == 1 && sum_factor(s, &all.p[i]) == 0);
    tg_terms out = {0}, as_is = {0};
    int room = MOST_TERMS;
    bool ok = true;
    tg_laws why = s->why, why_wide;
    uint32_t used = s->used, used_wide;
    bool stable = s->stable, stable_wide;
    s->expanding = true;
    for (size_t i = 0; worth && ok && i < all.n && room >= 0; i++)
        ok = multiply_out(s, &all.p[i], t, &out, &room);
    if (worth && ok && room >= 0) {
        tg_node *wide = tg_terms_build(s, &out, t), *narrow = NULL;
        ok = wide != NULL;
        /* only the laws of the form that is taken are laws of the result */
        why_wide = s->why, used_wide = s->used, stable_wide = s->stable;
        s->why = why, s->used = used, s->stable = stable;
        for (size_t i = 0; ok && i < a->n; i++) {
            ok = tg_grow((void **)&as_is.t, &as_is.cap, as_is.n + 1, sizeof *as_is.t) ||
                 tg_fail_memory(&s->rt->c);
            if (ok) as_is.t[as_is.n++] = a->t[i];
        }
        if (ok) ok = (narrow = tg_terms_build(s, &as_is, t)) != NULL;
        if (ok) {
            double w = tg_simp_part_cost(s, wide), n = tg_simp_part_cost(s, narrow);
            ok = w >= 0 && n >= 0;
            if (ok) *made = w < n ? wide : narrow;
            if (ok && w < n) {
                s->why = why_wide, s->used = used_wide, s->stable = stable_wide;
                tg_simp_note(s, TG_LAW_EXPAND);
            }
        }
    }
    s->expanding = false;
    if (!*made) s->why = why, s->used = used, s->stable = stable;
    tg_terms_free(&out);
    tg_terms_free(&as_is);
    free_products(&all);
    return ok;
}

/* ---- one denominator ---- */

/* The denominators of all products, each in its highest power. False: no memory. *whole: may they
 * be multiplied by? Only with a sum among them is it worth it. */
static bool denominators(tg_simp *s, const products *all, tg_product *under, bool *may) {
    bool sums = false, whole = true;
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->p[i].n; k++) {
            tg_factor f = all->p[i].f[k];
            if (f.power >= 0) continue;
            tg_node *simple = tg_simp_again(s, f.base);
            if (!simple) return false;
            if (tg_simp_scalar_of(s, simple)) whole = false; /* x - x: not to be multiplied by */
            size_t j = 0;
            while (j < under->n && under->f[j].base != f.base) j++;
            if (j == under->n) {
                if (!tg_grow((void **)&under->f, &under->cap, under->n + 1, sizeof *under->f))
                    return tg_fail_memory(&s->rt->c);
                under->f[under->n++] = (tg_factor){f.base, 0};
            }
            under->f[j].power = fmax(under->f[j].power, -f.power);
            whole = whole && tg_number_is_whole(f.power);
            sums = sums || f.base->op == s->add || f.base->op == s->sub;
        }
    *may = sums && whole && under->n <= 3;
    return true;
}

bool tg_terms_over(tg_simp *s, const tg_terms *a, const tg_type *t, tg_node **made) {
    products all;
    tg_product under = {.c = {1, 1}}, whole = {.c = {1, 1}};
    tg_terms out = {0};
    int room = MOST_TERMS;
    bool may = false, scalar = t->rank == 0;
    if (s->expanding || a->n < 2 || a->n > 6) return true;
    if (!make_products(s, a, &all)) return false;
    bool ok = denominators(s, &all, &under, &may);
    s->expanding = true;
    for (size_t i = 0; ok && may && i < all.n && room >= 0; i++) {
        for (size_t k = 0; ok && k < under.n; k++)
            ok = tg_product_add(s, &all.p[i], under.f[k].base, under.f[k].power, false);
        ok = ok && multiply_out(s, &all.p[i], t, &out, &room);
    }
    if (ok && may && room >= 0) {
        tg_node *top = tg_terms_build(s, &out, t), *one = NULL;
        ok = top && tg_product_add(s, &whole, top, 1, false);
        for (size_t k = 0; ok && k < under.n; k++)
            ok = tg_product_add(s, &whole, under.f[k].base, -under.f[k].power, false);
        if (ok) ok = (one = tg_product_build(s, &whole, t)) != NULL;
        if (ok) {
            double new = tg_simp_part_cost(s, one), old = tg_simp_part_cost(s, *made);
            ok = new >= 0 && old >= 0;
            if (ok && (new < old || (scalar && new == old))) {
                *made = one;
                tg_simp_note(s, TG_LAW_DENOMINATOR);
            }
        }
    }
    s->expanding = false;
    tg_terms_free(&out);
    tg_product_free(&under);
    tg_product_free(&whole);
    free_products(&all);
    return ok;
}

/* ---- common factors ---- */

/* May a factor leave a sum of that rank? Scalars leave a sum of tensors, denominators any sum, and
 * so does what takes an operation to compute, if the sum is shorter then; names stay, as in 2 * x *
 * sin(x) + x^2 * cos(x). */
static bool may_leave(const tg_factor *f, const tg_type *t, bool calls) {
    const tg_node *n = f->base;
    if ((n->type.rank == 0 && t->rank > 0) || f->power < 0) return true;
    return calls && !n->label && n->op->class != TG_CLASS_LEAF;
}

/* The power of that sign in which the base is a factor of p, or 0. */
static double power_in(const tg_product *p, const tg_node *base, double sign) {
    for (size_t i = 0; i < p->n; i++)
        if (p->f[i].base == base && p->f[i].power * sign > 0) return p->f[i].power;
    return 0;
}

static void lower(tg_product *p, const tg_factor *f) {
    for (size_t i = 0; i < p->n; i++)
        if (p->f[i].base == f->base) p->f[i].power -= f->power;
}

/* The power of f that all the products share; 0: none. */
static double shared_power(const products *all, const tg_factor *f, const tg_type *t, bool calls) {
    double least = f->power;
    for (size_t i = 1; i < all->n; i++) {
        double power = power_in(&all->p[i], f->base, f->power);
        if (fabs(power) < fabs(least)) least = power;
    }
    bool even = true;
    for (size_t i = 0; i < all->n; i++)
        even = even && power_in(&all->p[i], f->base, f->power) == least;
    /* of powers that differ the least leaves, if the sum is shorter then */
    return least != 0 && may_leave(f, t, calls) && (even || calls) ? least : 0;
}

/* The number that leaves the sum: the sign if all are negative, and numerator or denominator if all
 * share it. */
static tg_ratio common_number(const products *all) {
    tg_ratio c = all->p[0].c;
    double n = fabs(c.n), d = c.d;
    bool negative = true;
    size_t formulas = 0;
    for (size_t i = 0; i < all->n; i++) {
        const tg_product *p = &all->p[i];
        if (fabs(p->c.n) != n) n = 1;
        if (p->c.d != d) d = 1;
        negative = negative && p->c.n < 0;
        formulas += p->n > 0;
    }
    if (formulas < 2) n = d = 1;
    return (tg_ratio){negative ? -n : n, d};
}

/* Where all other terms are divided by norm(x), unit(x) is x / norm(x): they are not defined where
 * it would differ. */
static bool split_units(tg_simp *s, products *all) {
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->p[i].n; k++) {
            const tg_factor f = all->p[i].f[k];
            tg_node *norm = NULL;
            if (f.base->op != s->unit || f.power != 1) continue;
            size_t with = 0;
            for (size_t j = 0; j < all->n; j++)
                for (size_t m = 0; j != i && m < all->p[j].n; m++) {
                    tg_node *b = all->p[j].f[m].base;
                    if (b->op != s->norm || b->arg[0] != f.base->arg[0] ||
                        b->at->v[0] != f.base->at->v[0] || all->p[j].f[m].power >= 0)
                        continue;
                    norm = b;
                    with++;
                    break;
                }
            if (!norm || with != all->n - 1) continue;
            all->p[i].f[k].power = 0;
            if (!tg_product_add(s, &all->p[i], f.base->arg[0], 1, false) ||
                !tg_product_add(s, &all->p[i], norm, -1, false))
                return false;
        }
    return true;
}

/* The sum with its common factors before it; `calls`: those too that leave only if it gets shorter.
 * *made stays NULL where there are none. */
static bool pull_out(tg_simp *s, tg_terms *a, const tg_type *t, bool calls, tg_node **made) {
    products all;
    *made = NULL;
    if (!make_products(s, a, &all)) return false;
    tg_product out = {.c = common_number(&all)};
    bool ok = !calls || split_units(s, &all);
    for (size_t i = 0; ok && i < all.p[0].n; i++) {
        tg_factor f = all.p[0].f[i];
        if (f.power == 0) continue;
        f.power = shared_power(&all, &f, t, calls);
        if (f.power == 0) continue;
        ok = tg_grow((void **)&out.f, &out.cap, out.n + 1, sizeof *out.f) ||
             tg_fail_memory(&s->rt->c);
        if (ok) out.f[out.n++] = f;
    }
    if (ok && (out.n || out.c.n != 1 || out.c.d != 1)) {
        tg_terms inner = {0};
        for (size_t i = 0; ok && i < all.n; i++) {
            for (size_t k = 0; k < out.n; k++) lower(&all.p[i], &out.f[k]);
            all.p[i].c = tg_ratio_div(all.p[i].c, out.c);
            ok = add_product(s, &inner, &all.p[i], t);
        }
        tg_node *sum = ok ? tg_terms_build(s, &inner, t) : NULL;
        tg_terms_free(&inner);
        ok = sum && tg_product_add(s, &out, sum, 1, false);
        if (ok) {
            tg_type own = natural(&out, t);
            *made = tg_product_build(s, &out, &own);
            ok = *made != NULL;
        }
    }
    tg_product_free(&out);
    free_products(&all);
    return ok;
}

bool tg_terms_common(tg_simp *s, tg_terms *a, const tg_type *t, tg_node **made) {
    tg_node *most = NULL, *plain = NULL;
    if (!pull_out(s, a, t, false, made)) return false;
    if (tg_simp_step(s, 1) && !pull_out(s, a, t, true, &most)) return false;
    if (most && most != *made) {
        plain = *made ? *made : tg_terms_plain(s, a, t);
        if (!plain) return false;
        double with = tg_simp_part_cost(s, most), without = tg_simp_part_cost(s, plain);
        if (with < 0 || without < 0) return false;
        if (with < without) *made = most;
    }
    if (*made) tg_simp_note(s, TG_LAW_COMMON);
    return true;
}
