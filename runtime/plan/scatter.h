/* What is added at few places of a tensor is added there, and not everywhere: the update of an
 * embedding. */
#ifndef TG_RUNTIME_SCATTER_H
#define TG_RUNTIME_SCATTER_H

#include "runtime/graph/node.h"

/* targets[i] is what is computed for root i: the root itself, or a node that nobody holds yet.
 * False: an error. */
bool tg_plan_scatter(tg_rt *rt, int nroots, tg_node *const *roots, tg_node **targets);

#endif
