/* watch(e): a line about the value of a formula whenever something that it is a part of is
 * computed, such as a gradient of the cost it leads to.
 *
 * What is watched is computed by a plan of its own, of the same data, before the plan that contains
 * it: so the numbers of that are the same to the last bit, watched or not, and what nobody watches
 * costs one comparison. The session owns the list, which holds the formulas. */
#ifndef TG_INTERP_WATCH_H
#define TG_INTERP_WATCH_H

#include "interp/interp.h"

/* Tells of the watched parts of the nodes, which are about to be computed with these values in
 * place of those of some cells. False: an error, such as an interrupt. */
bool tg_watch_tell(tg_interp *in, int n, tg_node *const *nodes, int ncells, tg_cell *const *cells,
                   tg_tensor *const *values);
static inline bool tg_watch_look(tg_interp *in, int n, tg_node *const *nodes, int ncells,
                                 tg_cell *const *cells, tg_tensor *const *values) {
    return in->nwatches == 0 || tg_watch_tell(in, n, nodes, ncells, cells, values);
}
/* Watches nothing any more. */
void tg_watch_forget(tg_interp *in);

#endif
