/* Lengths and directions. The derivative of norm(x) is x / norm(x), and 0 where x is 0. Computed as
 * it stands that would be 0 / 0 there; so inside of the simplifier, and in what is evaluated
 * (rules.def), the quotient is the operation unit(x), which keeps to the convention. It is a factor
 * that is not taken apart: a norm that travelled on alone, out of A' @ (x / norm(x)), would divide
 * zero by zero again. Only a result is written with the quotient. */
#include "runtime/graph/simplifier.h"

/* The mask of the axes that n, a norm or a unit, is of. */
static int64_t axes_of(const tg_node *n) {
    return n->at->v[0];
}

/* Does dividing x by the norm n leave directions: does n stretch along its axes by itself? */
static bool is_norm_of(const tg_simp *s, const tg_node *n, const tg_node *x) {
    if (n->op != s->norm || tg_simp_is_kept(s, n) || n->arg[0] != x) return false;
    return n->at->v[1] || axes_of(n) == (INT64_C(1) << x->type.rank) - 1;
}

static tg_node *unit_of(tg_simp *s, const tg_node *norm) {
    tg_attrs at = {.n = 1, .v = {axes_of(norm)}};
    return tg_node_make(s->rt, s->unit, 1, norm->arg, &at);
}

bool tg_product_norms(tg_simp *s, tg_product *p) {
    enum { MOST = 64 };
    for (size_t i = 0; p->n <= MOST && i < p->n; i++) {
        tg_factor *n = &p->f[i];
        if (n->base->op != s->norm || (n->power != -1 && n->power < 1)) continue;
        for (size_t k = 0; k < p->n && n->power != 0; k++) {
            tg_factor *x = &p->f[k];
            bool unit = x->base->op == s->unit && x->base->arg[0] == n->base->arg[0] &&
                        axes_of(x->base) == axes_of(n->base);
            if (n->power == -1 && x->power == 1 && is_norm_of(s, n->base, x->base)) {
                tg_node *made = unit_of(s, n->base);
                if (!made) return false;
                tg_simp_note(s, TG_LAW_UNIT);
                *x = (tg_factor){made, 1};
                n->power = 0;
            } else if (n->power >= 1 && x->power == 1 && unit &&
                       is_norm_of(s, n->base, x->base->arg[0])) {
                tg_simp_note(s, TG_LAW_LENGTH);
                *x = (tg_factor){n->base->arg[0], 1};
                n->power -= 1;
            }
        }
    }
    return true;
}

bool tg_simp_is_short_unit(tg_simp *s, const tg_node *n) {
    enum { SHORT = 2 };
    if (n->op != s->unit || tg_simp_is_closed(s, n)) return false;
    /* of a product, the factors would part from the norm */
    const tg_node *x = n->arg[0];
    if (!x->label && (x->op == s->mul || x->op == s->div || x->op == s->neg || x->op == s->pow))
        return false;
    double cost = tg_simp_part_cost(s, n->arg[0]);
    return cost >= 0 && cost <= SHORT;
}

tg_node *tg_simp_over_norm(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    bool all = axes_of(n) == (INT64_C(1) << x->type.rank) - 1;
    tg_attrs at = {.n = 2, .v = {axes_of(n), !all}};
    return tg_simp_make(s, s->div, x, tg_node_make(s->rt, s->norm, 1, &x, &at));
}
