/* What languages need to write loops (runtime/graph/loop.h): all nodes that will be written, those
 * of bodies too, and an emitter for a body. */
#include "runtime/export/emit.h"
#include "base/alloc.h"
#include "runtime/graph/loop.h"

#include <string.h>

typedef struct roots {
    tg_node **node;
    size_t n, cap;
} roots;

static bool add(tg_rt *rt, roots *r, tg_node *n) {
    for (size_t i = 0; i < r->n; i++)
        if (r->node[i] == n) return true;
    void *p = r->node;
    bool ok = tg_grow(&p, &r->cap, r->n + 1, sizeof *r->node);
    r->node = p;
    if (!ok) return tg_fail_memory(&rt->c);
    r->node[r->n++] = n;
    return true;
}

/* What of n's loop stands in its body. */
static bool add_bodies(tg_rt *rt, roots *r, const tg_node *n) {
    if (tg_node_is_item(n)) return !tg_item_formula(n) || add(rt, r, tg_item_formula(n));
    if (!tg_node_is_loop(n)) return true;
    const tg_loop *l = tg_loop_of(n);
    for (int i = 0; i < l->carries; i++)
        if (!add(rt, r, l->next[i])) return false;
    return true;
}

bool tg_emit_all_nodes(tg_rt *rt, int n, tg_node *const *root, tg_node ***node, size_t *count) {
    roots r = {0};
    bool ok = true;
    *node = NULL;
    for (int i = 0; ok && i < n; i++) ok = add(rt, &r, root[i]);
    for (size_t was = 0; ok && was != r.n;) {
        was = r.n;
        tg_free(*node);
        *node = NULL;
        ok = tg_node_collect(rt, (int)r.n, r.node, node, count);
        for (size_t i = 0; ok && i < *count; i++) ok = add_bodies(rt, &r, (*node)[i]);
    }
    tg_free(r.node);
    if (!ok) {
        tg_free(*node);
        *node = NULL;
    }
    return ok;
}

bool tg_emit_open_body(tg_emitter *e, const tg_emit_request *ask, tg_emitter *body) {
    *body = *e;
    body->ask = ask;
    body->indent++;
    body->nparams = 0;
    body->param = NULL;
    body->node = NULL;
    body->info = NULL;
    body->root = (tg_node **)(uintptr_t)ask->root;
    if (!tg_node_collect(e->rt, ask->n, ask->root, &body->node, &body->count)) return false;
    body->info = tg_alloc_array(body->count + 1, sizeof *body->info);
    if (!body->info) return tg_fail_memory(&e->rt->c);
    bool ok = tg_emit_look(body);
    body->precision = e->precision;
    return ok;
}

void tg_emit_close_body(tg_emitter *e, tg_emitter *body) {
    tg_free(body->node);
    tg_free(body->info);
    e->used = body->used;
    e->nused = body->nused;
    e->used_cap = body->used_cap;
}
