/* The order in which the nodes of a plan are evaluated. Any order with arguments before users gives
 * the same values; this one is chosen so that little memory is needed at once. */
#ifndef TG_RUNTIME_SCHEDULE_H
#define TG_RUNTIME_SCHEDULE_H

#include "runtime/graph/node.h"

/* Brings the nodes, all that the roots reach, arguments before users, into the order of evaluation,
 * and notes in each its place in it (node->place). Sizes that `sizes` does not tell count as 0. The
 * most bytes of intermediate values that are alive at once, as far as can be told before products
 * and regions are formed: *peak, where not NULL. False: no memory, with the error recorded. */
bool tg_plan_schedule(tg_rt *rt, size_t n, tg_node **nodes, int nroots, tg_node *const *roots,
                      const tg_size_binding *sizes, double *peak);

#endif
