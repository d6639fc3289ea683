/* Memory for nodes. A block of the allocator costs a cache line of its own; nodes are small and
 * many, so those with up to four arguments are cut from slabs and kept on free lists by size. Under
 * the address sanitizer every node is a block of its own, so that the use of a swept node is
 * caught. */
#include "runtime/graph/graph.h"
#include "base/alloc.h"

#include <string.h>

enum { SLAB_NODES = 128 };

#if defined(__SANITIZE_ADDRESS__)
#define POOLED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOLED 0
#endif
#endif
#ifndef POOLED
#define POOLED 1
#endif

static size_t bytes_of(int n) {
    return sizeof(tg_node) + (size_t)n * sizeof(tg_node *);
}

static bool add_slab(tg_graph *g, int n) {
    size_t size = (bytes_of(n) + 15) & ~(size_t)15, head = 16;
    struct tg_pool_slab *slab = tg_alloc(head + SLAB_NODES * size);
    if (!slab) return false;
    slab->next = g->slabs;
    g->slabs = slab;
    for (size_t i = SLAB_NODES; i-- > 0;) { /* so that the lowest address is taken first */
        tg_node *node = (tg_node *)(void *)((char *)slab + head + i * size);
        node->chain = g->free[n];
        g->free[n] = node;
    }
    return true;
}

tg_node *tg_pool_get(tg_graph *g, int n) {
    tg_node *node;
    if (!POOLED || n > TG_POOL_ARGS) {
        node = tg_alloc(bytes_of(n));
        if (!node) return NULL;
    } else {
        if (!g->free[n] && !add_slab(g, n)) return NULL;
        node = g->free[n];
        g->free[n] = node->chain;
    }
    memset(node, 0, bytes_of(n));
    return node;
}

void tg_pool_put(tg_graph *g, tg_node *node) {
    int n = node->n;
    if (!POOLED || n > TG_POOL_ARGS) {
        tg_free(node);
        return;
    }
    node->op = NULL; /* whoever still uses the node fails at once */
    node->chain = g->free[n];
    g->free[n] = node;
}

void tg_pool_free(tg_graph *g) {
    for (struct tg_pool_slab *s = g->slabs, *next; s; s = next) {
        next = s->next;
        tg_free(s);
    }
    g->slabs = NULL;
    memset(g->free, 0, sizeof g->free);
}
