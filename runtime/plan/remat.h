/* Computing again instead of keeping: a plan whose gradients ask for less memory (memory="sqrt",
 * runtime/graph/recompute.h) is made from another graph, in which values of the forward pass that
 * are not kept have a second node, a copy, for the backward pass. */
#ifndef TG_RUNTIME_REMAT_H
#define TG_RUNTIME_REMAT_H

#include "runtime/graph/recompute.h"
#include "runtime/plan/share.h"

/* What is asked of a plan. */
typedef struct tg_remat {
    const tg_recompute *wish; /* NULL: nothing; points into the graph */
    double room;              /* of BYTES: what the estimate may come to; INFINITY: all is kept */
    double estimate; /* of BYTES: what it comes to: above room where nothing takes so little */
} tg_remat;

/* nodes: all under the roots, in an order of evaluation that the computation follows when all is
 * kept, their places noted. shares: what stands among them for the formulas of the notes.
 * targets[i] is what is computed for root i: a root, or a node that nobody holds yet. Changes the
 * walk number and, where it finds that nothing is to be done, nothing else. False: an error. */
bool tg_plan_rematerialise(tg_rt *rt, size_t n, tg_node *const *nodes, int nroots,
                           tg_node *const *roots, const tg_size_binding *sizes,
                           const tg_shares *shares, tg_remat *what, tg_node **targets);

#endif
