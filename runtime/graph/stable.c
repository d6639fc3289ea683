/* The stable forms of formulas about to be computed. The user's formula stays as it was written and
 * prints so; computed is its twin, in which the rules marked STABLE and COMPUTED in rules.def have
 * replaced what would overflow or lose its digits. Each node remembers its twin, so that asking
 * again costs nothing, and asking for many formulas no more than for all their nodes once. */
#include "runtime/graph/simplifier.h"
#include "base/alloc.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/recompute.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/ruled.h"

/* A twin may be swept while its node lives on. */
static void forget_dying(tg_rt *rt) {
    tg_graph *g = rt->graph;
    for (size_t i = 0; i < g->count; i++)
        if (g->all[i]->stable && !tg_node_survives(g->all[i]->stable)) g->all[i]->stable = NULL;
}

/* sum(x' @ y) over all axes of a batch is one product of matrices, in which these axes and the
 * inner one are summed over together: the gradient of W in x @ W, where x is a batch of sequences.
 * NULL without an error (*failed): n is nothing of that kind. */
static tg_node *flat_product(tg_rt *rt, tg_node *n, bool *failed) {
    if (!tg_node_is(n, "sum") || !tg_node_is(n->arg[0], "matmul")) return NULL;
    const tg_node *product = n->arg[0], *x = product->arg[0], *y = product->arg[1];
    int rank = product->type.rank, batch = rank - 2;
    if (batch < 1 || n->type.rank != 2 || n->at->v[0] != (1 << batch) - 1) return NULL;
    if (!tg_node_is_prime(x) || y->type.rank != rank) return NULL;
    x = x->arg[0]; /* [batch..., k, m], and y is [batch..., k, n] */
    if (x->type.rank != rank || !tg_shape_equal(rank - 1, x->type.dim, rank - 1, y->type.dim))
        return NULL;
    tg_size count = x->type.dim[batch];
    for (int i = 0; i < batch; i++) count = tg_size_times(rt, count, x->type.dim[i]);
    tg_rule_name names[4] = {{.name = "x", .node = n->arg[0]->arg[0]->arg[0]},
                             {.name = "y", .node = n->arg[0]->arg[1]},
                             {.name = "a", .kind = TG_P_SHAPE, .n = 2, .sizes = 3},
                             {.name = "b", .kind = TG_P_SHAPE, .n = 2, .sizes = 3}};
    names[2].v[0] = names[3].v[0] = count;
    names[2].v[1] = x->type.dim[rank - 1];
    names[3].v[1] = y->type.dim[rank - 1];
    tg_node *made = count == TG_SIZE_FAIL
                        ? NULL
                        : tg_rule_build(rt, "reshape(x, a)' @ reshape(y, b)", 4, names);
    *failed = !made;
    return made;
}

/* n over the twins of its arguments, then by the rules. */
static tg_node *twin(tg_simp *s, tg_node *n, tg_node **arg) {
    if (tg_node_is_ruled(n) || n->op == &tg_op_parameter) return n->arg[0]->stable; /* the body */
    bool changed = false;
    if (n->op->opaque) return tg_ruled_bodies(s->rt, n);
    for (int i = 0; i < n->n; i++) {
        arg[i] = n->arg[i]->stable;
        changed = changed || arg[i] != n->arg[i];
    }
    if (tg_node_is_loop(n)) return tg_loop_stable(s->rt, n, arg);
    if (tg_node_is_item(n) && tg_item_formula(n)) {
        tg_node *formula = tg_node_stable(s->rt, tg_item_formula(n));
        return formula ? tg_loop_stack(s->rt, arg[0], formula) : NULL;
    }
    tg_node *made = changed ? tg_node_make(s->rt, n->op, n->n, arg, n->at) : n;
    if (!made || !(made = tg_simp_stable(s, made))) return NULL;
    bool failed = false;
    tg_node *flat = flat_product(s->rt, made, &failed);
    if (!flat && !failed) flat = tg_stable_pool(s->rt, made, &failed);
    return failed ? NULL : flat ? flat : made;
}

static bool has_twin(const tg_node *n) {
    return n->stable != NULL;
}

tg_node *tg_node_stable(tg_rt *rt, tg_node *n) {
    if (n->stable) return n->stable;
    tg_node **node, **arg = NULL;
    size_t count, most = 1;
    if (!tg_graph_on_sweep(rt, forget_dying) ||
        !tg_node_collect_unless(rt, n, has_twin, &node, &count))
        return NULL;
    for (size_t i = 0; i < count; i++)
        if ((size_t)node[i]->n > most) most = (size_t)node[i]->n;
    tg_simp s = {.rt = rt};
    tg_simp_name_ops(&s);
    arg = tg_alloc_array(most, sizeof(tg_node *));
    bool ok = arg ? true : tg_fail_memory(&rt->c);
    for (size_t i = 0; ok && i < count; i++) {
        ok = (node[i]->stable = twin(&s, node[i], arg)) != NULL;
        if (ok) tg_recompute_inherit(node[i]->stable, node[i]);
    }
    tg_free(arg);
    tg_free(node);
    return ok ? n->stable : NULL;
}
