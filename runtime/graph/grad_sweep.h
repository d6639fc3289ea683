/* One sweep of the driver of derivatives: what grad.c walks and builds, for those who begin it
 * (grad_result.c, loop_grad.c). */
#ifndef TG_RUNTIME_GRAPH_GRAD_SWEEP_H
#define TG_RUNTIME_GRAPH_GRAD_SWEEP_H

#include "runtime/graph/grad.h"

typedef struct tg_sweep_piece { /* one contribution */
    tg_node *node, *mask;       /* mask NULL: it may be other than 0 everywhere */
    const tg_node *user;        /* whose rule it comes from, NULL: the seed */
    int arg;                    /* ... for this argument */
    size_t next; /* index + 1 of the next in the list of the same argument, 0: the last */
} tg_sweep_piece;

typedef struct tg_sweep {
    tg_rt *rt;
    int nx; /* differentiated by */
    tg_node *const *x;
    const tg_grad_options *opt;
    bool within;    /* of a function's body: nothing passes beyond x */
    tg_node **node; /* all under y, ascending id */
    size_t count;
    bool *active;      /* depends on some x through float-typed nodes */
    size_t *first;     /* list of contributions: index + 1 into piece, 0: none */
    tg_node **adjoint; /* the finished sums */
    bool *wild;        /* it, or what is under it, may be infinite (grad_mask.h); NULL: no where */
    tg_node **mask;    /* of the adjoint; NULL: none */
    tg_node *open;     /* the mask of the seed, or NULL */
    tg_sweep_piece *pieces;
    size_t npieces, cap;
    const tg_grad_trace *trace;
} tg_sweep;

/* The nodes under the roots. False: no memory, and nothing to end. */
bool tg_sweep_begin(tg_sweep *s, tg_rt *rt, int n, tg_node *const *roots);
void tg_sweep_end(tg_sweep *s);
void tg_sweep_mark_active(tg_sweep *s, int n, tg_node *const *x, const tg_grad_options *opt);
/* Each root gets its seed, and all adjoints are built: s->adjoint. */
bool tg_sweep_run(tg_sweep *s, int n, tg_node *const *roots, tg_node *const *seeds);
/* The place of n among the nodes, by its id; count when it is not there. */
size_t tg_sweep_place(const tg_sweep *s, const tg_node *n);
/* The node that argument k of `node` passes a derivative to: the argument itself, except of a call
 * with a rule of the user's own. NULL: the derivative is zero. */
tg_node *tg_sweep_passes_to(const tg_node *node, int k);
bool tg_sweep_is_among(const tg_node *n, int count, tg_node *const *set);

#endif
