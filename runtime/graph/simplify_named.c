/* Products that the user has named: xh = (x - m) / s. Where factors of another product are just
 * these, the name stands for them, as in (a - mean(a) - xh * mean(a * xh)) / s. A difference counts
 * as the negative of its opposite. The names are those under the formula that is being simplified.
 */
#include "runtime/graph/simplifier.h"
#include "base/alloc.h"

#include <math.h>

enum { MOST = 64, FACTORS = 4 };

typedef struct tg_named {
    tg_node *node;
    tg_product p;
} tg_named;

static bool is_product(const tg_simp *s, const tg_node *n) {
    return n->label && (n->op == s->mul || n->op == s->div) && !tg_simp_is_kept(s, n);
}

/* The product without its own name: what n, labelled, is made of. */
static bool take_apart(tg_simp *s, tg_product *p, const tg_node *n) {
    double sign = n->op == s->mul ? 1 : -1;
    return tg_product_add(s, p, n->arg[0], 1, false) &&
           tg_product_add(s, p, n->arg[1], sign, false);
}

bool tg_named_begin(tg_simp *s, tg_node *n) {
    tg_node **node;
    size_t count;
    if (!tg_node_collect(s->rt, 1, &n, &node, &count)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count && s->named_count < MOST; i++) {
        if (!is_product(s, node[i])) continue;
        tg_named one = {.node = node[i]};
        if (!s->named && !(s->named = tg_alloc_array(MOST, sizeof *s->named)))
            ok = tg_fail_memory(&s->rt->c);
        ok = ok && take_apart(s, &one.p, node[i]);
        if (ok && one.p.n > 1 && one.p.n <= FACTORS && one.p.c.n == 1 && one.p.c.d == 1)
            s->named[s->named_count++] = one;
        else
            tg_product_free(&one.p);
    }
    tg_free(node);
    return ok;
}

void tg_named_end(tg_simp *s) {
    for (size_t i = 0; i < s->named_count; i++) tg_product_free(&s->named[i].p);
    tg_free(s->named);
    s->named = NULL;
    s->named_count = 0;
}

static bool is_opposite(const tg_simp *s, const tg_node *a, const tg_node *b) {
    return a->op == s->sub && b->op == s->sub && a->arg[0] == b->arg[1] && a->arg[1] == b->arg[0];
}

/* Takes the factors of `one` out of p, if they are all there; *sign: of the rest. */
static bool remove_all(const tg_simp *s, tg_product *p, const tg_product *one, double *sign) {
    size_t at[FACTORS];
    *sign = 1;
    for (size_t k = 0; k < one->n; k++) {
        const tg_factor *f = &one->f[k];
        size_t i = 0;
        for (; i < p->n; i++) {
            if (p->f[i].power * f->power <= 0 || fabs(p->f[i].power) < fabs(f->power)) continue;
            if (p->f[i].base == f->base) break;
            if (f->power == 1 && p->f[i].power == 1 && is_opposite(s, p->f[i].base, f->base)) {
                *sign = -*sign;
                break;
            }
        }
        if (i == p->n) return false;
        at[k] = i;
    }
    for (size_t k = 0; k < one->n; k++) p->f[at[k]].power -= one->f[k].power;
    return true;
}

bool tg_product_names(tg_simp *s, tg_product *p) {
    for (size_t i = 0; p->n > 1 && p->n <= MOST && i < s->named_count; i++) {
        const tg_named *one = &s->named[i];
        double sign;
        if (one->node == s->under || !remove_all(s, p, &one->p, &sign)) continue;
        p->c.n *= sign;
        tg_simp_note(s, TG_LAW_NAMED_PART);
        if (!tg_product_add(s, p, one->node, 1, false)) return false;
    }
    return true;
}
