/* The derivative by the elements of a short vector. The sweep gives a sum of vectors, each zero but
 * for one place: 2 * place(x[0] - 1, 2, 0) + 20 * place(x[1] + 2, 2, 1). A textbook lists the
 * elements, [2 * (x[0] - 1), 20 * (x[1] + 2)], and so does a result here, where every place is
 * named, or nearly. */
#include "runtime/graph/simplifier.h"

enum { LONGEST = 6, MOST_TERMS = 32 };

typedef struct elements {
    tg_simp *s;
    int n, terms;
    tg_node *at[LONGEST]; /* NULL: 0 */
} elements;

/* The place in a vector of length `size` where n, zeros besides, has one number; -1: it is none. */
static int place_of(tg_simp *s, const tg_node *n, int size) {
    if (n->type.rank != 1 || n->type.dim[0] != size || !n->op->spell || n->n != 1 ||
        n->arg[0]->type.rank != 0)
        return -1;
    tg_attrs at;
    const tg_op *place = n->op->spell(s->rt, n->at, &at);
    if (!place || place != tg_op_find("place")) return -1;
    int count, start = tg_op_values(place, &at, 2, &count);
    return count == 1 && at.v[start] >= 0 && at.v[start] < size ? (int)at.v[start] : -1;
}

/* Adds factor * n (factor NULL: 1) to its place. *fits: it has one. False: an error. */
static bool add_term(elements *e, tg_node *n, tg_node *factor, double sign, bool *fits) {
    tg_simp *s = e->s;
    int at = place_of(s, n, e->n);
    *fits = at >= 0;
    if (!*fits) return true;
    tg_node *x = factor ? tg_simp_make(s, s->mul, factor, n->arg[0]) : n->arg[0], *old = e->at[at];
    if (x && old)
        x = tg_simp_make(s, sign < 0 ? s->sub : s->add, old, x);
    else if (x && sign < 0)
        x = tg_simp_make(s, s->neg, x, NULL);
    return (e->at[at] = x) != NULL;
}

static bool add_terms(elements *e, tg_node *n, tg_node *factor, double sign, bool *fits) {
    tg_simp *s = e->s;
    *fits = false;
    if (++e->terms > MOST_TERMS || (n->label && e->terms > 1)) return true;
    if (n->op == s->neg) return add_terms(e, n->arg[0], factor, -sign, fits);
    if (n->op == s->add || n->op == s->sub) {
        bool ok = add_terms(e, n->arg[0], factor, sign, fits);
        if (!ok || !*fits) return ok;
        return add_terms(e, n->arg[1], factor, n->op == s->sub ? -sign : sign, fits);
    }
    bool divides = n->op == s->div && n->arg[1]->type.rank == 0;
    for (int i = 0; i < 2 && (n->op == s->mul || divides); i++) {
        tg_node *scalar = divides ? n->arg[1] : n->arg[i], *rest = n->arg[divides ? 0 : 1 - i];
        if (scalar->type.rank != 0 || rest->type.rank != 1) continue;
        if (divides) scalar = tg_simp_make(s, s->div, tg_node_number(s->rt, 1), scalar);
        if (scalar && factor) scalar = tg_simp_make(s, s->mul, factor, scalar);
        return scalar && add_terms(e, rest, scalar, sign, fits);
    }
    return add_term(e, n, factor, sign, fits);
}

tg_node *tg_simp_elements(tg_simp *s, tg_node *n) {
    if (n->type.rank != 1 || n->type.dim[0] < 2 || n->type.dim[0] > LONGEST ||
        tg_op_find("stack") == n->op)
        return n;
    elements e = {.s = s, .n = (int)n->type.dim[0]};
    bool fits;
    if (!add_terms(&e, n, NULL, 1, &fits)) return NULL;
    int named = 0;
    for (int i = 0; i < e.n; i++) named += e.at[i] != NULL;
    if (!fits || named < 2 || named < e.n - 1) return n;
    for (int i = 0; i < e.n; i++) {
        e.at[i] = e.at[i] ? tg_simp_again(s, e.at[i]) : tg_node_number(s->rt, 0);
        if (e.at[i]) e.at[i] = tg_simp_spell(s, e.at[i]);
        if (!e.at[i]) return NULL;
    }
    tg_node *made = tg_node_make(s->rt, tg_op_find("stack"), e.n, e.at, &(tg_attrs){.n = 1});
    return !made || tg_simp_fits(&made->type, &n->type) ? made : n;
}
