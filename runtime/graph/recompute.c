/* Notes on gradients: what to keep in memory. recompute.h says what they are. */
#include "runtime/graph/recompute.h"

#include "base/alloc.h"
#include "runtime/graph/graph.h"

#include <string.h>

tg_recompute *tg_recompute_new(tg_rt *rt, tg_recompute_mode mode, double bytes, int n,
                               tg_node *const *keep) {
    tg_recompute *r = tg_alloc(sizeof *r + (size_t)n * sizeof *keep);
    if (!r) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    tg_node **list = (tg_node **)(r + 1);
    if (n) memcpy(list, keep, (size_t)n * sizeof *keep);
    *r = (tg_recompute){.refs = 1,
                        .serial = rt->graph->next_id, /* grows, as the formulas do */
                        .mode = mode,
                        .bytes = bytes,
                        .n = n,
                        .keep = list};
    return r;
}

void tg_recompute_drop(tg_recompute *r) {
    if (r && --r->refs == 0) tg_free(r);
}

static bool same(const tg_recompute *a, const tg_recompute *b) {
    if (!a || !b) return (a ? a : b)->mode == TG_KEEP_ALL;
    return a->mode == b->mode && a->bytes == b->bytes && a->n == b->n && a->from == b->from &&
           (a->n == 0 || memcmp(a->keep, b->keep, (size_t)a->n * sizeof *a->keep) == 0);
}

static void put(tg_node *n, tg_recompute *r) {
    r->refs++;
    tg_recompute_drop(n->recompute);
    n->recompute = r;
}

void tg_recompute_attach(tg_node *n, tg_recompute *r, bool *changed) {
    if (n->n == 0) return;
    if (!same(n->recompute, r)) *changed = true;
    put(n, r);
    if (n->stable && n->stable != n && n->stable->n > 0) put(n->stable, r);
}

void tg_recompute_inherit(tg_node *stable, const tg_node *n) {
    if (n->recompute && n->recompute != stable->recompute && stable->n > 0)
        put(stable, n->recompute);
}
