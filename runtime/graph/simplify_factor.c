/* What makes a sum shorter as a whole: multiplying out where terms then cancel, pulling out what
 * all terms share, and joining matrix products with a common operand.
 *
 * Multiplying out is tried on the side: the result is taken only if it has fewer operations than
 * the sum without it, and sums inside are then not multiplied out again. That finds y * (1 - s) -
 * (1 - y) * s = y - s, which no local rule does. Here sigmoid(-z) counts as 1 - sigmoid(z). */
#include "runtime/graph/simplify_sum.h"
#include "base/alloc.h"

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
            double w = tg_simp_cost(s, wide), n = tg_simp_cost(s, narrow);
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

/* ---- common factors ---- */

/* May a factor leave a sum of that rank? Scalars leave a sum of tensors, and denominators any sum;
 * other factors stay, as in 2 * x * sin(x) + x^2 * cos(x). */
static bool may_leave(const tg_factor *f, const tg_type *t) {
    return (f->base->type.rank == 0 && t->rank > 0) || f->power < 0;
}

static bool has_factor(const tg_product *p, const tg_factor *f) {
    for (size_t i = 0; i < p->n; i++)
        if (p->f[i].base == f->base && p->f[i].power == f->power) return true;
    return false;
}

static void drop_factor(tg_product *p, const tg_factor *f) {
    for (size_t i = 0; i < p->n; i++)
        if (p->f[i].base == f->base) {
            for (; i + 1 < p->n; i++) p->f[i] = p->f[i + 1];
            p->n--;
            return;
        }
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

bool tg_terms_common(tg_simp *s, tg_terms *a, const tg_type *t, tg_node **made) {
    products all;
    if (!make_products(s, a, &all)) return false;
    tg_product out = {.c = common_number(&all)};
    bool ok = true;
    for (size_t i = 0; ok && i < all.p[0].n; i++) {
        tg_factor f = all.p[0].f[i];
        bool shared = may_leave(&f, t);
        for (size_t k = 1; shared && k < all.n; k++) shared = has_factor(&all.p[k], &f);
        if (!shared) continue;
        ok = tg_grow((void **)&out.f, &out.cap, out.n + 1, sizeof *out.f) ||
             tg_fail_memory(&s->rt->c);
        if (ok) out.f[out.n++] = f;
    }
    if (ok && (out.n || out.c.n != 1 || out.c.d != 1)) {
        tg_terms inner = {0};
        tg_simp_note(s, TG_LAW_COMMON);
        for (size_t i = 0; ok && i < all.n; i++) {
            for (size_t k = 0; k < out.n; k++) drop_factor(&all.p[i], &out.f[k]);
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

/* ---- common operands of @ ---- */

/* The core as left @ right, x @ A as A' @ x when `turn`. */
static bool operands(tg_simp *s, tg_node *n, bool turn, tg_node **left, tg_node **right) {
    if (!n || tg_simp_is_closed(s, n)) return true;
    bool product = n->op == s->matmul || n->op == s->matvec || n->op == s->vecmat;
    if (!product) return true;
    *left = n->arg[0];
    *right = n->arg[1];
    if (n->op != s->vecmat || !turn) return true;
    *left = tg_node_call1(s->rt, "transpose", n->arg[1]);
    if (*left && n->arg[1]->op == s->transpose) *left = tg_simp_structure(s, *left);
    *right = n->arg[0];
    return *left != NULL;
}

/* c * x + d * y, simplified. */
static tg_node *joined(tg_simp *s, tg_ratio d, tg_node *x, tg_node *y) {
    tg_terms a = {0};
    tg_node *made = NULL;
    bool expanding = s->expanding;
    s->expanding = true;
    if (tg_terms_add(s, &a, (tg_ratio){1, 1}, x, false) && tg_terms_add(s, &a, d, y, false))
        made = tg_terms_build(s, &a, &x->type);
    s->expanding = expanding;
    tg_terms_free(&a);
    return made ? tg_simp_expand(s, made->type.rank ? made : tg_simp_uniform(s, made, &x->type),
                                 &x->type)
                : NULL;
}

static bool same_type(const tg_node *x, const tg_node *y) {
    return tg_shape_equal(x->type.rank, x->type.dim, y->type.rank, y->type.dim);
}

/* Joins terms i and j if they share an operand. */
static bool join(tg_simp *s, tg_terms *a, size_t i, size_t j, bool *changed) {
    tg_ratio d = tg_ratio_div(a->t[j].c, a->t[i].c);
    tg_node *x = a->t[i].core, *y = a->t[j].core, *made = NULL;
    for (int turn = 0; turn < 2 && !made; turn++) {
        tg_node *l1 = NULL, *r1 = NULL, *l2 = NULL, *r2 = NULL;
        if (!operands(s, x, turn, &l1, &r1) || !operands(s, y, turn, &l2, &r2)) return false;
        if (!l1 || !l2) return true;
        bool left = l1 == l2 && same_type(r1, r2), right = r1 == r2 && same_type(l1, l2);
        if (!left && !right) continue;
        tg_node *sum = left ? joined(s, d, r1, r2) : joined(s, d, l1, l2);
        if (!sum) return false;
        const tg_op *op = left ? (l1->type.rank == 1   ? s->vecmat
                                  : r1->type.rank == 1 ? s->matvec
                                                       : s->matmul)
                               : (r1->type.rank == 1   ? s->matvec
                                  : l1->type.rank == 1 ? s->vecmat
                                                       : s->matmul);
        made = left ? tg_simp_make(s, op, l1, sum) : tg_simp_make(s, op, sum, r1);
        if (!made) return false;
        double before = tg_simp_cost(s, x), more = tg_simp_cost(s, y),
               after = tg_simp_cost(s, made);
        if (before < 0 || more < 0 || after < 0) return false;
        if (after > before + more + 1) made = NULL;
    }
    if (!made) return true;
    tg_ratio c = a->t[i].c;
    a->t[i].c = a->t[j].c = (tg_ratio){0, 1};
    *changed = true;
    tg_simp_note(s, TG_LAW_COMMON_OPERAND);
    /* the joined product takes the place of the first of the two */
    tg_node *again = tg_simp_again(s, made);
    if (!again) return false;
    size_t before = a->n;
    if (!tg_terms_add(s, a, c, again, false)) return false;
    if (a->n == before + 1 && !a->place) {
        tg_term t = a->t[before];
        a->t[before] = a->t[i];
        a->t[i] = t;
    }
    return true;
}

bool tg_terms_operands(tg_simp *s, tg_terms *a, bool *changed) {
    *changed = false;
    for (size_t i = 0; i < a->n && !*changed; i++)
        for (size_t j = i + 1; j < a->n && !*changed; j++)
            if (!join(s, a, i, j, changed)) return false;
    return true;
}
