/* What a gradient keeps in memory, and what it computes again: grad(cost, W, memory="sqrt"). That
 * is no part of the formula, which is the same whatever is kept, but of how it is evaluated: a note
 * on the node of the gradient, which plans that contain it find there (runtime/plan/remat.h). The
 * stable form of a node has the note of the node. */
#ifndef TG_RUNTIME_RECOMPUTE_H
#define TG_RUNTIME_RECOMPUTE_H

#include "runtime/graph/node.h"

typedef enum tg_recompute_mode {
    TG_KEEP_ALL,    /* "speed" */
    TG_KEEP_SQRT,   /* "sqrt": about the square root of what there is */
    TG_KEEP_LISTED, /* these values of the cost, and no others */
    TG_KEEP_BYTES,  /* as much as fits */
} tg_recompute_mode;

/* Shared by the gradients that were asked for together. */
typedef struct tg_recompute {
    int refs;
    uint64_t serial; /* of two notes in one plan the later tells the mode */
    tg_recompute_mode mode;
    double bytes;         /* of BYTES: for all that one evaluation takes */
    tg_node *y;           /* what was differentiated, as it was written ... */
    tg_node *from;        /* ... and as it was differentiated; both are kept by who has the note */
    int n;                /* of LISTED */
    tg_node *const *keep; /* points behind the record */
} tg_recompute;

/* A note, with one holder. y and from are still to be set. NULL: no memory. */
tg_recompute *tg_recompute_new(tg_rt *rt, tg_recompute_mode mode, double bytes, int n,
                               tg_node *const *keep);
void tg_recompute_drop(tg_recompute *r);
/* Puts the note on n and its stable form; *changed is set when it says something else than the one
 * before. A leaf takes none. */
void tg_recompute_attach(tg_node *n, tg_recompute *r, bool *changed);
/* The stable form of a node gets its note. */
void tg_recompute_inherit(tg_node *stable, const tg_node *n);

#endif
