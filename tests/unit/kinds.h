/* Formulas whose values are of a kind that an operation wants (op_list.h), whatever they are made
 * of.
 */
#ifndef TG_TESTS_KINDS_H
#define TG_TESTS_KINDS_H

#include "op_list.h"

#include "runtime/graph/rule.h"

/* A square matrix of a kind, which an x of that shape can be multiplied by from the left; or a
 * stack. */
static inline leaf square_of(const leaf *shape, const char *kind) {
    leaf l = *shape;
    int64_t n = l.rank ? l.dim[l.rank > 1 ? l.rank - 2 : 0] : 2;
    if (l.rank < 2) l.rank = 2;
    l.dim[l.rank - 2] = l.dim[l.rank - 1] = n;
    snprintf(l.kind, sizeof l.kind, "%s", kind);
    return l;
}

/* A matrix of the leaf's kind, from any one of its shape. NULL: an error. */
static tg_node *into_kind(tg_rt *rt, const leaf *l, tg_node *x) {
    bool spd = strcmp(l->kind, "spd") == 0;
    tg_tensor *d = tg_tensor_new(&rt->c, TG_F64, l->rank, l->dim);
    if (!d) return NULL;
    for (int64_t k = 0; k < tg_view_count(&d->v); k++) tg_view_set(&d->v, k, diagonal_of(l, k));
    const tg_rule_name names[] = {{.name = "x", .node = x},
                                  {.name = "d", .node = tg_node_const(rt, d, NULL)},
                                  {.name = "part", .node = tg_node_number(rt, 1.0 / SMALL_PART)}};
    tg_tensor_drop(d);
    return tg_rule_build(rt, spd ? "part * (tanh(x) + tanh(x)') + d" : "2 * part * tanh(x) + d", 3,
                         names);
}

#endif
