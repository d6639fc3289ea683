/* The order of the steps of a derivation: each stands below the steps whose adjoints it is written
 * with, and among equals the one nearer to the variables comes first. Steps know each other by
 * marks, cells that stand for the adjoints in what is written over them. */
#include "runtime/graph/derive_steps.h"

#include "base/alloc.h"

#include <stdlib.h>

/* The step that the cell is the mark of, or NULL. Marks were declared in the order of the steps. */
static const tg_derive_step *step_of(const tg_steps *s, const tg_cell *mark) {
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->step[mid].mark->serial < mark->serial)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->n && s->step[lo].mark == mark ? &s->step[lo] : NULL;
}

typedef struct walk {
    tg_node **node;
    size_t n, cap;
    uint64_t number;
} walk;

static bool meet(tg_steps *s, walk *w, tg_node *n, uint64_t first) {
    if (n->seen == w->number || n->id < first) return true;
    if (!tg_grow((void **)&w->node, &w->cap, w->n + 1, sizeof *w->node))
        return tg_fail_memory(&s->rt->c);
    n->seen = w->number;
    w->node[w->n++] = n;
    return true;
}

/* The level of each step is one more than that of the steps whose marks it is written over. What is
 * older than all marks, the formula itself, is not walked again for each step. */
static bool set_levels(tg_steps *s) {
    uint64_t first = UINT64_MAX;
    walk w = {0};
    bool ok = true;
    for (size_t i = 0; i < s->n; i++)
        if (s->step[i].mark->leaf && s->step[i].mark->leaf->id < first)
            first = s->step[i].mark->leaf->id;
    for (size_t i = 0; ok && i < s->n; i++) {
        tg_derive_step *x = &s->step[i];
        x->level = 0;
        w.n = 0;
        w.number = tg_graph_walk(s->rt);
        ok = tg_check_interrupt(&s->rt->c) && meet(s, &w, x->local, first);
        for (size_t at = 0; ok && at < w.n; at++) {
            tg_node *n = w.node[at];
            const tg_derive_step *above = n->op == &tg_op_cell ? step_of(s, n->leaf.cell) : NULL;
            if (above && above->level >= x->level) x->level = above->level + 1;
            for (int k = 0; ok && k < n->n; k++) ok = meet(s, &w, n->arg[k], first);
        }
    }
    tg_free(w.node);
    return ok;
}

static int by_level(const void *p, const void *q) {
    const tg_derive_step *a = p, *b = q;
    if (a->level != b->level) return a->level < b->level ? -1 : 1;
    return a->node->id < b->node->id ? -1 : a->node->id > b->node->id;
}

bool tg_derive_order(tg_steps *s) {
    if (!set_levels(s)) return false;
    if (s->n > 0) qsort(s->step, s->n, sizeof *s->step, by_level);
    return true;
}
