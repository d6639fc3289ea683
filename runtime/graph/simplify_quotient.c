/* Quotients: what of a product cancels although no two of its factors are the same. Roots against
 * their squares, x / sqrt(x)^3; the two halves of a logistic function, exp(x) / (1 + exp(x)); and a
 * sum whose terms are divided by another factor, p * (1 - y / p). */
#include "runtime/graph/simplify_sum.h"
#include "runtime/graph/number.h"

#include <math.h>

enum { MOST = 16 };

static bool is_number(const tg_node *n, double x) {
    return tg_node_is_number(n) && n->leaf.number == x;
}

/* ---- roots ---- */

bool tg_product_roots(tg_simp *s, tg_product *p) {
    for (size_t i = 0; p->n <= MOST && i < p->n; i++) {
        tg_factor *root = &p->f[i];
        if (!tg_node_is(root->base, "sqrt") || tg_simp_is_closed(s, root->base)) continue;
        for (size_t k = 0; k < p->n; k++) {
            tg_factor *x = &p->f[k];
            if (x->base != root->base->arg[0] || x->power * root->power >= 0) continue;
            double all = 2 * x->power + root->power;
            if (!tg_number_is_whole(all)) continue;
            bool even = fmod(all, 2) == 0;
            x->power = even ? all / 2 : 0;
            root->power = even ? 0 : all;
            tg_simp_note(s, TG_LAW_ROOTS);
            break;
        }
    }
    return true;
}

/* ---- the logistic function ---- */

/* The argument of exp in 1 + exp(x), or NULL. */
static tg_node *raised(const tg_simp *s, const tg_node *n) {
    if (n->op != s->add || tg_simp_is_closed(s, n)) return NULL;
    for (int i = 0; i < 2; i++) {
        const tg_node *e = n->arg[i];
        if (is_number(n->arg[1 - i], 1) && tg_node_is(e, "exp") && !tg_simp_is_closed(s, e))
            return e->arg[0];
    }
    return NULL;
}

bool tg_product_logistic(tg_simp *s, tg_product *p) {
    for (size_t i = 0; p->n <= MOST && i < p->n; i++) {
        double k = -p->f[i].power, both = 0;
        tg_node *x = k > 0 && tg_number_is_whole(k) ? raised(s, p->f[i].base) : NULL;
        if (!x) continue;
        p->f[i].power = 0;
        for (size_t j = 0; j < p->n && both == 0; j++) {
            tg_factor *e = &p->f[j];
            if (!tg_node_is(e->base, "exp") || e->base->arg[0] != x || !(e->power >= 1)) continue;
            both = fmin(floor(e->power), k);
            e->power -= both;
        }
        tg_node *up = tg_node_call1(s->rt, "sigmoid", x);
        tg_node *minus = tg_simp_make(s, s->neg, x, NULL);
        tg_node *down = minus ? tg_node_call1(s->rt, "sigmoid", minus) : NULL;
        if (!up || !down || !(down = tg_simp_again(s, down))) return false;
        tg_simp_note(s, TG_LAW_LOGISTIC);
        if (k > both && !tg_product_add(s, p, down, k - both, false)) return false;
        if (both > 0 && !tg_product_add(s, p, up, both, false)) return false;
    }
    return true;
}

/* ---- a factor that divides terms of another ---- */

/* Is a term of the sum n divided by x? */
static bool divides(tg_simp *s, tg_node *n, const tg_node *x, bool *found) {
    tg_terms a = {0};
    bool ok = tg_terms_add(s, &a, (tg_ratio){1, 1}, n, false);
    for (size_t i = 0; ok && i < a.n && a.n <= MOST; i++) {
        tg_product p = {.c = {1, 1}};
        if (a.t[i].core) ok = tg_product_add(s, &p, a.t[i].core, 1, false);
        for (size_t k = 0; k < p.n; k++) *found = *found || (p.f[k].base == x && p.f[k].power < 0);
        tg_product_free(&p);
    }
    tg_terms_free(&a);
    return ok;
}

/* The factors of p above (sign 1) or below the line (-1), multiplied out where they cancel so. */
static bool cancel(tg_simp *s, tg_product *p, double sign, const tg_type *t) {
    size_t sum = p->n;
    bool found = false;
    for (size_t i = 0; i < p->n && !found; i++) {
        tg_node *n = p->f[i].base;
        if (p->f[i].power != sign || (n->op != s->add && n->op != s->sub) ||
            tg_simp_is_closed(s, n) || tg_simp_is_shared(s, n))
            continue;
        tg_node *simple = tg_simp_again(s, n);
        if (!simple) return false;
        if (tg_simp_scalar_of(s, simple)) continue; /* x - x, which something was divided by */
        sum = i;
        for (size_t k = 0; k < p->n && !found; k++)
            if (k != i && p->f[k].power * sign > 0 && !divides(s, n, p->f[k].base, &found))
                return false;
    }
    if (!found) return true;
    tg_product q = {.c = {1, 1}};
    tg_terms a = {0};
    tg_node *made = NULL, *narrow = NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < p->n; i++)
        if (p->f[i].power * sign > 0)
            ok = tg_product_add(s, &q, p->f[i].base, fabs(p->f[i].power), false);
    if (ok) ok = (narrow = tg_product_build(s, &q, t)) != NULL;
    ok = ok && tg_terms_add(s, &a, (tg_ratio){1, 1}, narrow, false) &&
         tg_terms_expand(s, &a, t, &made);
    if (ok && made && made != narrow && sum < p->n) {
        double old = tg_simp_part_cost(s, narrow), new = tg_simp_part_cost(s, made);
        ok = old >= 0 && new >= 0;
        if (ok && new < old && !tg_simp_scalar_of(s, made)) {
            for (size_t i = 0; i < p->n; i++)
                if (p->f[i].power * sign > 0) p->f[i].power = 0;
            ok = tg_product_add(s, p, made, sign, false);
        }
    }
    tg_terms_free(&a);
    tg_product_free(&q);
    return ok;
}

bool tg_product_cancel(tg_simp *s, tg_product *p, const tg_type *t) {
    if (s->expanding || p->n < 2 || p->n > MOST || p->c.n == 0) return true;
    return cancel(s, p, 1, t) && cancel(s, p, -1, t);
}
