/* Substitution: rebuild, in order of evaluation, the nodes that reach the exchanged part; share the
 * rest. */
#include "runtime/graph/substitute.h"
#include "base/alloc.h"
#include "runtime/graph/ruled.h"

#include <stdlib.h>

/* What stands for x; NULL: nothing. */
static tg_node *stand_in(const tg_node *x, int pairs, tg_node *const *from, tg_node *const *to) {
    for (int i = 0; i < pairs; i++)
        if (from[i] == x) return to[i];
    return NULL;
}

/* A call with a rule is closed: its own parameters stay what they are. */
static bool is_closed(const tg_node *x, int pairs, tg_node *const *from) {
    for (int i = 0; i < pairs; i++)
        if (tg_ruled_owns(x, from[i])) return true;
    return false;
}

tg_node *tg_node_substitute(tg_rt *rt, tg_node *n, const tg_node *from, tg_node *to) {
    tg_node *part = (tg_node *)(uintptr_t)from;
    return tg_node_substitute_all(rt, n, 1, &part, &to);
}

tg_node *tg_node_substitute_all(tg_rt *rt, tg_node *n, int pairs, tg_node *const *from,
                                tg_node *const *to) {
    tg_node **node, **made = NULL, **arg = NULL;
    size_t count, most = 1;
    if (!tg_node_collect(rt, 1, &n, &node, &count)) return NULL;
    for (size_t i = 0; i < count; i++)
        if ((size_t)node[i]->n > most) most = (size_t)node[i]->n;
    made = tg_alloc_array(count, sizeof(tg_node *));
    arg = tg_alloc_array(most, sizeof(tg_node *));
    tg_node *out = NULL;
    if (!made || !arg) {
        tg_fail_memory(&rt->c);
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        bool changed = false;
        for (int k = 0; k < node[i]->n; k++) {
            arg[k] = made[tg_nodes_find(node, count, node[i]->arg[k])];
            changed = changed || arg[k] != node[i]->arg[k];
        }
        made[i] = is_closed(node[i], pairs, from) ? node[i] : stand_in(node[i], pairs, from, to);
        if (!made[i])
            made[i] =
                changed ? tg_node_make(rt, node[i]->op, node[i]->n, arg, node[i]->at) : node[i];
        if (!made[i]) goto done;
    }
    out = made[count - 1];
done:
    tg_free(arg);
    tg_free(made);
    tg_free(node);
    return out;
}

bool tg_node_reads_cells(tg_rt *rt, tg_node *n, const tg_node *except, bool *reads) {
    tg_node **node;
    size_t count;
    *reads = false;
    if (!tg_node_collect(rt, 1, &n, &node, &count)) return false;
    for (size_t i = 0; i < count; i++)
        if (node[i] != except && !tg_node_is_slot(node[i]) &&
            (node[i]->op == &tg_op_cell || node[i]->op == &tg_op_size))
            *reads = true;
    tg_free(node);
    return true;
}
