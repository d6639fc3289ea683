/* Operations that are linear in an argument: f(c * x) = c * f(x) for a scalar c, so scalar factors
 * travel outward, through products, transposes, sums and changes of shape, until they meet in one
 * place: X' @ ((P - Y) / N) is X' @ (P - Y) / N. Of zeros they are zeros. Operations that rearrange
 * elements are all linear; the others are listed in rules.def. */
#include "runtime/graph/simplifier.h"

#include <math.h>
#include <string.h>

int tg_simp_linear_mask(const tg_node *n) {
    static const struct {
        const char *name;
        int mask;
    } rows[] = {
#define NAMED(id, name, when)
#define RULE(id, name, pattern, replacement, when)
#define STABLE(id, name, pattern, replacement, when)
#define COMPUTED(id, name, pattern, replacement, when)
#define GIVEN(id, name, pattern, replacement, when)
#define LINEAR(op, mask) {op, mask},
#define FRAMED(op) {op, 1},
#include "runtime/graph/rules.def"
    };
    if (n->op->class == TG_CLASS_VIEW) return n->n == 1;
    if (n->op->class == TG_CLASS_ELEMENTWISE || n->n == 0) return 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, n->op->name) == 0) return rows[i].mask;
    return 0;
}

/* f(where(k, x, 0)) = where(k, f(x), 0) for one truth value k. */
static tg_node *out_of_where(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0], *in[3];
    if (n->n != 1 || x->op != s->where || x->arg[0]->type.rank > 0 || tg_simp_is_closed(s, x))
        return n;
    int zero = tg_simp_is_uniform(s, x->arg[2], 0) ? 2 : 1;
    if (!tg_simp_is_uniform(s, x->arg[zero], 0)) return n;
    tg_node *other = x->arg[3 - zero];
    other =
        other->type.rank ? tg_simp_expand(s, other, &x->type) : tg_simp_uniform(s, other, &x->type);
    other = other ? tg_node_make(s->rt, n->op, 1, &other, n->at) : NULL;
    in[0] = x->arg[0];
    in[3 - zero] = other ? tg_simp_again(s, other) : NULL;
    in[zero] = tg_node_number(s->rt, 0);
    if (!in[1] || !in[2]) return NULL;
    tg_simp_note(s, TG_LAW_LINEARITY);
    return tg_node_make(s->rt, s->where, 3, in, x->at);
}

tg_node *tg_simp_linear(tg_simp *s, tg_node *n, int mask) {
    tg_node *in[TG_MAX_TENSORS], *made = NULL, *core;
    tg_product p = {.c = {1, 1}};
    bool changed = false, framed = tg_simp_is_framed(n);
    tg_node *outside = out_of_where(s, n);
    if (outside != n) return outside;
    for (int i = 0; i < n->n; i++) {
        in[i] = n->arg[i];
        if (!(mask >> i & 1)) continue;
        if (tg_simp_is_uniform(s, in[i], 0)) {
            tg_simp_note(s, TG_LAW_ZERO);
            made = tg_simp_uniform_number(s, 0, &n->type);
            goto end;
        }
        in[i] = tg_product_split(s, n->arg[i], framed, &p);
        if (!in[i]) goto end;
        changed = changed || in[i] != n->arg[i];
    }
    core = changed ? tg_node_make(s->rt, n->op, n->n, in, n->at) : n;
    if (core) core = tg_simp_structure(s, core);
    if (!core) goto end;
    if (!changed) {
        made = core;
        goto end;
    }
    tg_simp_note(s, TG_LAW_LINEARITY);
    if (tg_product_add(s, &p, core, 1, false) && p.c.d != 0 && isfinite(p.c.n))
        made = tg_product_build(s, &p, &n->type);
end:
    tg_product_free(&p);
    return made;
}
