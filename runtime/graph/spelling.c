/* One spelling. Hash consing makes equal formulas one node, but a * b and b * a are two. The user
 * writes one; the simplifier puts factors in its own order, but leaves what has a name as it was
 * written, and what stands in it. So a simplified cost may hold a forward pass twice, up to a name
 * in the one way and beside it in the other, and its gradient would have two backward passes, which
 * nothing could make one again: each carries a part of the adjoints.
 *
 * Each node is numbered by its operation and the numbers of its arguments, in either order where
 * the operation commutes (value numbering: Cocke & Schwartz 1970); of those with one number the
 * oldest, which is the user's, takes the place of the others. (Plans know more of what is the same
 * to the last bit, but they come after differentiation: plan/share.c.) */
#include "runtime/graph/spelling.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/ruled.h"

#include <string.h>

typedef struct numbering {
    tg_node *const *nodes;
    int nkeep;
    tg_node *const *keep; /* these stay what they are */
    uint32_t *same;       /* of each node: the place of the one that is computed for it */
    uint32_t *head, *chain;
    uint32_t mask;
} numbering;

#define NONE UINT32_MAX

static uint32_t number_of(const numbering *all, const tg_node *x) {
    return all->same[x->place];
}

/* The places of the two arguments, the smaller first where they may change places. */
static void pair_of(const numbering *all, const tg_node *x, uint32_t pair[2]) {
    pair[0] = number_of(all, x->arg[0]);
    pair[1] = number_of(all, x->arg[1]);
    if (!x->op->commutes || x->op->zero_sided || pair[0] <= pair[1]) return;
    uint32_t first = pair[0];
    pair[0] = pair[1];
    pair[1] = first;
}

static uint32_t hash_of(const numbering *all, const tg_node *x) {
    uint64_t h = (uint64_t)(uintptr_t)x->op ^ (uint64_t)(uintptr_t)x->at << 1;
    uint32_t pair[2];
    if (x->n == 2) {
        pair_of(all, x, pair);
        h = tg_hash_mix(tg_hash_mix(h, pair[0]), pair[1]);
    } else {
        for (int i = 0; i < x->n; i++) h = tg_hash_mix(h, number_of(all, x->arg[i]));
    }
    return (uint32_t)(h ^ h >> 32) & all->mask;
}

static bool is_same(const numbering *all, const tg_node *x, const tg_node *y) {
    if (x->op != y->op || x->at != y->at || x->n != y->n || x->type.dtype != y->type.dtype)
        return false;
    if (x->n == 2) {
        uint32_t a[2], b[2];
        pair_of(all, x, a);
        pair_of(all, y, b);
        return a[0] == b[0] && a[1] == b[1];
    }
    for (int i = 0; i < x->n; i++)
        if (number_of(all, x->arg[i]) != number_of(all, y->arg[i])) return false;
    return true;
}

/* What must remain the node that it is: those kept, and calls with a rule of the user's own. */
static bool is_kept(int nkeep, tg_node *const *keep, const tg_node *x) {
    if (x->op->opaque || tg_node_is_ruled(x) || x->op == &tg_op_parameter || tg_node_is_loop(x))
        return true;
    for (int i = 0; i < nkeep; i++)
        if (keep[i] == x) return true;
    return x->n == 0;
}

static void number(numbering *all, uint32_t k) {
    const tg_node *x = all->nodes[k];
    all->same[k] = k;
    if (x->op->class == TG_CLASS_RANDOM || is_kept(all->nkeep, all->keep, x)) return;
    uint32_t *head = &all->head[hash_of(all, x)];
    for (uint32_t i = *head; i != NONE; i = all->chain[i])
        if (is_same(all, x, all->nodes[i])) {
            all->same[k] = i;
            return;
        }
    all->chain[k] = *head;
    *head = k;
}

static uint32_t *number_all(tg_rt *rt, tg_node *const *nodes, size_t n, int nkeep,
                            tg_node *const *keep) {
    size_t buckets = 64;
    while (buckets < n) buckets *= 2;
    numbering all = {.nodes = nodes, .nkeep = nkeep, .keep = keep, .mask = (uint32_t)buckets - 1};
    all.same = tg_alloc_array(n, sizeof *all.same);
    all.chain = tg_alloc_array(n, sizeof *all.chain);
    all.head = tg_alloc_array(buckets, sizeof *all.head);
    bool ok = all.same && all.chain && all.head;
    if (ok) {
        memset(all.head, 0xff, buckets * sizeof *all.head);
        for (size_t k = 0; k < n; k++) nodes[k]->place = (uint32_t)k;
        for (size_t k = 0; k < n; k++) number(&all, (uint32_t)k);
    } else {
        tg_fail_memory(&rt->c);
        tg_free(all.same);
    }
    tg_free(all.chain);
    tg_free(all.head);
    return ok ? all.same : NULL;
}

/* x over the first spellings of its arguments; `now` are those of the nodes before it. */
static tg_node *respelled(tg_rt *rt, tg_node *x, tg_node *const *now, tg_node **arg) {
    bool changed = false;
    for (int i = 0; i < x->n; i++) {
        arg[i] = now[x->arg[i]->place];
        changed = changed || arg[i] != x->arg[i];
    }
    if (!changed) return x;
    tg_node *made = tg_node_make(rt, x->op, x->n, arg, x->at);
    if (made) tg_recompute_inherit(made, x);
    return made;
}

static bool respell_all(tg_rt *rt, tg_node *const *node, size_t n, const uint32_t *same, int nkeep,
                        tg_node *const *keep, tg_node **now) {
    size_t most = 1;
    for (size_t k = 0; k < n; k++)
        if ((size_t)node[k]->n > most) most = (size_t)node[k]->n;
    tg_node **arg = tg_alloc_array(most, sizeof *arg);
    if (!arg) return tg_fail_memory(&rt->c);
    bool ok = true;
    for (size_t k = 0; ok && k < n; k++) {
        bool kept = is_kept(nkeep, keep, node[k]);
        now[k] = same[k] != k ? now[same[k]] : kept ? node[k] : respelled(rt, node[k], now, arg);
        ok = now[k] != NULL;
    }
    tg_free(arg);
    return ok;
}

tg_node *tg_node_one_spelling(tg_rt *rt, tg_node *n, int nkeep, tg_node *const *keep) {
    tg_node **node, *made = NULL;
    size_t count;
    if (!tg_node_collect(rt, 1, &n, &node, &count)) return NULL;
    uint32_t *same = number_all(rt, node, count, nkeep, keep);
    size_t k = 0;
    while (same && k < count && same[k] == k) k++;
    if (same && k == count) {
        made = n;
    } else if (same) {
        tg_node **now = tg_alloc_array(count, sizeof *now);
        if (!now)
            tg_fail_memory(&rt->c);
        else if (respell_all(rt, node, count, same, nkeep, keep, now))
            made = now[count - 1];
        tg_free(now);
    }
    tg_free(same);
    tg_free(node);
    return made;
}
