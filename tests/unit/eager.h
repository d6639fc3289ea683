/* Evaluating formulas node by node with tg_op_apply: what plans are compared with. */
#ifndef TG_TESTS_EAGER_H
#define TG_TESTS_EAGER_H

#include "base/alloc.h"
#include "runtime/graph/node.h"

typedef struct eager {
    size_t n;
    tg_node **node;
    tg_tensor **value;
} eager;

static void eager_free(eager *e) {
    for (size_t i = 0; e->value && i < e->n; i++) tg_tensor_drop(e->value[i]);
    tg_free(e->value);
    tg_free(e->node);
}

static size_t eager_find(const eager *e, const tg_node *x) {
    size_t i = 0;
    while (e->node[i] != x) i++;
    return i;
}

static tg_tensor *leaf_value(tg_rt *rt, const tg_node *x) {
    if (x->op == &tg_op_number) return tg_tensor_scalar(&rt->c, TG_F64, x->leaf.number);
    if (x->op == &tg_op_const) return tg_tensor_hold(x->leaf.tensor);
    return x->op == &tg_op_cell ? tg_tensor_hold(x->leaf.cell->value) : NULL;
}

/* Every node under the root, which is the last one. */
static bool eager_eval(tg_rt *rt, tg_node *root, eager *e) {
    *e = (eager){0};
    if (!tg_node_collect(rt, 1, &root, &e->node, &e->n)) return false;
    e->value = tg_alloc_array(e->n, sizeof *e->value);
    for (size_t i = 0; e->value && i < e->n; i++) {
        const tg_node *x = e->node[i];
        tg_tensor *in[16];
        bool weak[16];
        for (int k = 0; k < x->n; k++) {
            in[k] = e->value[eager_find(e, x->arg[k])];
            weak[k] = x->arg[k]->type.weak;
        }
        e->value[i] = x->op->class == TG_CLASS_LEAF ? leaf_value(rt, x)
                                                    : tg_op_apply(rt, x->op, x->n, in, weak, x->at);
        if (!e->value[i]) return false;
    }
    return e->value != NULL;
}

#endif
