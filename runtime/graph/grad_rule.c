/* What a rule text of the records means at one node: which text serves argument k, and what the
 * names in it stand for. The driver applies it (grad.c), and asks what it sees (grad_mask.c). */
#include "runtime/graph/grad_rule.h"

#include <string.h>

const char *tg_grad_rule(const tg_node *node, int k) {
    if (node->op->param[0].kind == TG_P_LIST) return node->op->grad[0];
    return k < TG_MAX_TENSORS ? node->op->grad[k] : NULL;
}

/* Several elements of one that was stretched: their sum; of a condition, whether any holds. */
static tg_node *gather_axes(tg_rt *rt, tg_node *n, int64_t mask, bool keep) {
    tg_attrs at = {.n = 2, .v = {mask, keep}};
    const tg_op *op = tg_op_find(n->type.dtype == TG_BOOL ? "any" : "sum");
    return tg_node_make(rt, op, 1, &n, &at);
}

tg_node *tg_grad_stretch(tg_rt *rt, tg_node *c, const tg_type *t) {
    if (tg_shape_equal(c->type.rank, c->type.dim, t->rank, t->dim)) return c;
    tg_rule_name names[2] = {
        {.name = "c", .node = c},
        {.name = "to", .kind = TG_P_SHAPE, .n = t->rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[1].v, t->dim, (size_t)t->rank * sizeof *t->dim);
    return tg_rule_build(rt, "expand(c, to)", 2, names);
}

tg_node *tg_grad_fit(tg_rt *rt, tg_node *c, const tg_type *t) {
    int extra = c->type.rank - t->rank;
    if (extra > 0) {
        c = gather_axes(rt, c, (INT64_C(1) << extra) - 1, false);
        if (!c) return NULL;
    }
    int64_t stretched = 0;
    bool smaller = c->type.rank < t->rank;
    for (int i = 0; i < c->type.rank && !smaller; i++) {
        if (t->dim[i] == c->type.dim[i]) continue;
        if (t->dim[i] == 1)
            stretched |= INT64_C(1) << i;
        else if (c->type.dim[i] == 1)
            smaller = true;
    }
    if (stretched) c = gather_axes(rt, c, stretched, true);
    if (!c || !smaller) return c;
    return tg_grad_stretch(rt, c, t);
}

void tg_grad_name_node(tg_rule_names *r, const char *name, tg_node *n) {
    r->name[r->n++] = (tg_rule_name){.name = name, .node = n};
}

bool tg_grad_name(tg_rt *rt, const tg_node *node, int k, tg_rule_names *r) {
    const tg_op *op = node->op;
    bool variadic = op->param[0].kind == TG_P_LIST;
    int axis = -1, tensor = 0;
    r->n = 0;
    for (int i = 0; op->param[i].name; i++) {
        tg_param_kind kind = op->param[i].kind;
        if (kind == TG_P_LIST) continue;
        if (kind == TG_P_TENSOR) {
            tg_grad_name_node(r, op->param[i].name, node->arg[tensor++]);
        } else {
            tg_rule_attr(op, node->at, i, &r->name[r->n]);
            if (kind == TG_P_AXIS || kind == TG_P_NEWAXIS) axis = r->n;
            r->n++;
        }
    }
    tg_grad_name_node(r, "out", (tg_node *)node);
    if (!variadic) return true;
    tg_size start = k, count = 1;
    if (axis >= 0 && op->param[1].kind == TG_P_AXIS) { /* concat: the parts' sizes add up */
        int64_t a = r->name[axis].v[0];
        start = 0;
        for (int i = 0; i < k; i++) {
            start = tg_size_add(rt, start, node->arg[i]->type.dim[a]);
            if (start == TG_SIZE_FAIL) return false;
        }
        count = node->arg[k]->type.dim[a];
    }
    tg_grad_name_node(r, "x", node->arg[k]);
    r->name[r->n++] =
        (tg_rule_name){.name = "start", .n = 1, .v = {start}, .kind = TG_P_SIZE, .sizes = 1};
    r->name[r->n++] =
        (tg_rule_name){.name = "count", .n = 1, .v = {count}, .kind = TG_P_SIZE, .sizes = 1};
    return true;
}
