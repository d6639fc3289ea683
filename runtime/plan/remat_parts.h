/* What the files of rematerialisation share: the graph as they see it (remat.c), where it may be
 * cut (remat_cuts.c), and what is kept within a number of bytes (remat_budget.c). Nothing here is
 * owned by an item; the arrays belong to tg_plan_rematerialise. */
#ifndef TG_RUNTIME_REMAT_PARTS_H
#define TG_RUNTIME_REMAT_PARTS_H

#include "runtime/plan/remat.h"

enum { TG_REMAT_NOWHERE = -1 };

typedef enum tg_remat_part {
    TG_REMAT_OTHER,   /* neither: reads what is there */
    TG_REMAT_FORWARD, /* under the formula that was differentiated */
    TG_REMAT_BACKWARD /* under a gradient and not forward, or over a gradient */
} tg_remat_part;

typedef struct tg_remat_item {
    tg_remat_part part;
    bool wanted; /* in memory by the backward pass: of the owner */
    bool keep;
    bool copied;
    uint32_t owner; /* whose memory the value lives in */
    int last;       /* the last time that the forward pass reads this memory */
    int time;       /* of FORWARD: the how-manieth of these it is */
    double bytes;
    double work;
    bool stays, again; /* scratch of estimate: is kept; is read by what is done again */
    tg_node *copy;     /* what the backward pass reads: the node, or its copy */
} tg_remat_item;

typedef struct tg_remat_graph {
    tg_rt *rt;
    size_t n, m; /* nodes; those of the forward pass */
    tg_node *const *node;
    const tg_shares *shares;
    tg_remat_item *item;
    uint32_t *at;  /* the nodes of the forward pass, in order */
    double work;   /* of all */
    double *cross; /* cross[t]: bytes that cross a cut behind time t, those wanted anyway by half */
    double *upto;  /* upto[t]: bytes that the backward pass wants of what is made up to time t */
    bool *cut;     /* cut[t]: there is a cut behind time t */
} tg_remat_graph;

/* ---- remat_cuts.c ---- */

/* Bytes that the backward pass wants of the value made at time t. */
double tg_remat_wanted(const tg_remat_graph *r, size_t t);
/* segment[t]: the number of the segment that time t lies in. The number of the last. */
int tg_remat_segments(const tg_remat_graph *r, int *segment);
/* Does the value cross one of the cuts? */
bool tg_remat_crosses(const tg_remat_item *o, const int *segment);
/* The work to make again what the backward pass reads of the forward one and `stays` does not say
 * is there. */
double tg_remat_again(tg_remat_graph *r);
/* Among the ways to cut the one of least memory that does not do too much again; of those near to
 * it the one that does least. segment: scratch, one for each time. False: no memory. */
bool tg_remat_cut(tg_remat_graph *r, int *segment);

/* ---- remat_budget.c ---- */

/* Says of each item whether it is kept, such that what is there at once takes no more than
 * what->room bytes by the estimate, or as little as possible where that is too little, and as
 * little as possible is computed again. Sets what->estimate. False: no memory. */
bool tg_remat_fit(tg_remat_graph *r, tg_remat *what, int *segment);

#endif
