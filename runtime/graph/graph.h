/* Inside of the formula graph: what node.c, collect.c, walk.c and cell.c share. */
#ifndef TG_RUNTIME_GRAPH_H
#define TG_RUNTIME_GRAPH_H

#include "runtime/graph/node.h"

/* Interned attributes. */
typedef struct tg_attrs_entry {
    struct tg_attrs_entry *chain;
    uint32_t hash;
    bool mark; /* of the collector */
    tg_attrs at;
} tg_attrs_entry;

/* What a gradient was taken of. It keeps these nodes as long as the gradient lives. */
typedef struct tg_origin {
    tg_node *y, *x, *seed; /* seed NULL: y is a scalar */
    int nhold;
    tg_node *hold[];
} tg_origin;

enum { TG_GRAPH_SWEEPERS = 8, TG_POOL_ARGS = 4 };

typedef struct tg_graph {
    tg_node **all; /* every node, ascending id */
    size_t count, all_cap;
    tg_node **bucket;
    size_t nbucket; /* a power of two */
    tg_attrs_entry **at_bucket;
    size_t nat_bucket, at_count;
    tg_attrs_entry empty; /* the attributes of an operation without any */
    uint64_t next_id, next_serial;
    uint64_t walk;
    size_t survivors;             /* of the last sweep */
    size_t bytes, bytes_survived; /* of tensors in the nodes; in those of the last sweep */
    void (*sweeper[TG_GRAPH_SWEEPERS])(tg_rt *);
    tg_cell cells; /* head of the ring of all cells */
    struct tg_pool_slab {
        struct tg_pool_slab *next;
    } * slabs;
    tg_node *free[TG_POOL_ARGS + 1]; /* dead nodes by number of arguments, linked by `chain` */
    tg_node **stack;                 /* scratch of walks that give back no list */
    size_t stack_cap;
    struct tg_loops *loops; /* records and slots of loops (loop.h); NULL: there were none */
} tg_graph;

tg_node *tg_pool_get(tg_graph *g,
                     int n); /* a zeroed node with room for n arguments; NULL: no memory */
void tg_pool_put(tg_graph *g, tg_node *node);
void tg_pool_free(tg_graph *g);

/* Takes back what a dying node owns, and its memory. */
void tg_node_destroy(tg_graph *g, tg_node *node);
size_t tg_node_bytes(const tg_node *node); /* of its tensor, as far as it shows it */
static inline tg_attrs_entry *tg_attrs_entry_of(const tg_attrs *at) {
    return (tg_attrs_entry *)((char *)(uintptr_t)at - offsetof(tg_attrs_entry, at));
}

#endif
