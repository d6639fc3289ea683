/* The collector: mark and sweep over the formula graph (McCarthy 1960).
 *
 * Arguments have lower ids than their users, so one pass from the highest id down marks all that
 * held nodes reach, and needs neither recursion nor a stack nor any memory: a collection cannot
 * fail. Between the two passes the registered sweepers let plans and memos forget the dying nodes.
 * It runs when the graph has outgrown twice the survivors of the last time, in nodes or in the
 * bytes of its tensors, so that its cost is a constant share of making them. */
#include "runtime/graph/graph.h"
#include "base/alloc.h"
#include "runtime/graph/loop.h"

#include <string.h>

bool tg_graph_on_sweep(tg_rt *rt, void (*f)(tg_rt *rt)) {
    tg_graph *g = rt->graph;
    for (int i = 0; i < TG_GRAPH_SWEEPERS; i++) {
        if (g->sweeper[i] == f) return true;
        if (g->sweeper[i]) continue;
        g->sweeper[i] = f;
        return true;
    }
    return tg_fail(&rt->c, TG_ERR_VALUE, "too many sweepers");
}

bool tg_node_survives(const tg_node *n) {
    return n->mark;
}

size_t tg_node_bytes(const tg_node *node) {
    if (node->op != &tg_op_const) return 0;
    const tg_tensor *t = node->leaf.tensor;
    const size_t shown = (size_t)tg_view_count(&t->v) * tg_dtype_size(t->v.dtype);
    return shown < t->buf->bytes ? shown : t->buf->bytes;
}

void tg_node_destroy(tg_graph *g, tg_node *node) {
    tg_free(node->origin);
    tg_recompute_drop(node->recompute);
    if (node->op == &tg_op_const) tg_tensor_drop(node->leaf.tensor);
    if (node->op == &tg_op_cell) {
        node->leaf.cell->leaf = NULL;
        tg_cell_drop(node->leaf.cell);
    }
    if (node->written.src) tg_source_drop((tg_source *)node->written.src);
    tg_pool_put(g, node);
}

/* A gradient keeps what it was taken of, which may be younger than the gradient (that was a formula
 * already): true when the pass has left such a node behind. */
static bool mark_origin(const tg_node *n) {
    const tg_origin *o = n->origin;
    bool behind = false;
    for (int i = o->nhold + 2; i >= 0; i--) {
        tg_node *from = i == 0 ? o->y : i == 1 ? o->x : i == 2 ? o->seed : o->hold[i - 3];
        if (!from || from->mark) continue;
        from->mark = true;
        behind = behind || from->id > n->id;
    }
    return behind;
}

/* The same for what is to be kept of the formula that was differentiated. */
static bool mark_recompute(const tg_node *n) {
    const tg_recompute *r = n->recompute;
    bool behind = false;
    for (int i = r->n + 1; i >= 0; i--) {
        tg_node *from = i == 0 ? r->y : i == 1 ? r->from : r->keep[i - 2];
        if (from->mark) continue;
        from->mark = true;
        behind = behind || from->id > n->id;
    }
    return behind;
}

static void mark(tg_graph *g) {
    for (bool again = true; again;) {
        again = false;
        for (size_t i = g->count; i-- > 0;) {
            tg_node *n = g->all[i];
            if (n->holders > 0) n->mark = true;
            if (!n->mark) continue;
            tg_attrs_entry_of(n->at)->mark = true;
            for (int k = 0; k < n->n; k++) n->arg[k]->mark = true;
            if (tg_node_is_loop(n) || tg_node_is_item(n)) tg_loop_mark(n);
            if (n->origin && mark_origin(n)) again = true;
            if (n->recompute && mark_recompute(n)) again = true;
        }
    }
}

static void sweep_nodes(tg_graph *g) {
    size_t kept = 0;
    g->bytes = 0;
    memset(g->bucket, 0, g->nbucket * sizeof(tg_node *));
    for (size_t i = 0; i < g->count; i++) {
        tg_node *n = g->all[i];
        if (!n->mark) {
            tg_node_destroy(g, n);
            continue;
        }
        n->mark = false;
        g->bytes += tg_node_bytes(n);
        tg_node **head = &g->bucket[n->hash & (g->nbucket - 1)];
        n->chain = *head;
        *head = n;
        g->all[kept++] = n;
    }
    g->count = g->survivors = kept;
    g->bytes_survived = g->bytes;
}

static void sweep_attrs(tg_graph *g) {
    for (size_t i = 0; i < g->nat_bucket; i++)
        for (tg_attrs_entry **link = &g->at_bucket[i], *e; (e = *link);) {
            if (e->mark) {
                e->mark = false;
                link = &e->chain;
            } else {
                *link = e->chain;
                tg_free(e);
                g->at_count--;
            }
        }
}

void tg_graph_collect(tg_rt *rt, bool always) {
    enum { FEW = 50000, FEW_BYTES = 64 << 20 };
    tg_graph *g = rt->graph;
    if (!always && g->count <= 2 * g->survivors + FEW &&
        g->bytes <= 2 * g->bytes_survived + FEW_BYTES)
        return;
    mark(g);
    for (int i = 0; i < TG_GRAPH_SWEEPERS && g->sweeper[i]; i++) g->sweeper[i](rt);
    sweep_nodes(g);
    sweep_attrs(g);
    tg_loops_sweep(rt);
}
