/* Formulas over a batch: from a formula over x one over many x at once, which stand side by side
 * along leading axes. Each operation becomes one operation over the whole batch, as its record says
 * (which parameters are axes, which shapes); there is no loop.
 *
 * Two uses. tg_batch_map is the map of a formula over given leading axes. tg_batch_onehot is the
 * heart of jacobian: a formula linear in a seed is mapped over all one-hot seeds, of which the
 * structure is known, so that they are never written down where it can be helped. */
#ifndef TG_RUNTIME_BATCH_H
#define TG_RUNTIME_BATCH_H

#include "runtime/graph/node.h"

/* out[i] is root i with the cell `seed` standing for each one-hot tensor of its shape in turn: it
 * has the shape of the seed in front of its own. The roots must be linear in the seed, as adjoints
 * are. Errors: more axes than a tensor can have, an operation that no batch can be carried through
 * (it is named). */
bool tg_batch_onehot(tg_rt *rt, int n, tg_node *const *roots, tg_node *seed, tg_node **out);

/* out[i] is root i with each from[k] replaced by to[k], which has the axes `dim` in front of the
 * shape of from[k]: so has the result, in front of its own. */
bool tg_batch_map(tg_rt *rt, int naxes, const tg_size *dim, int nfrom, tg_node *const *from,
                  tg_node *const *to, int n, tg_node *const *roots, tg_node **out);

/* Axis `from` becomes axis `to`; the others keep their order. x itself where nothing changes. */
tg_node *tg_batch_move(tg_rt *rt, tg_node *x, int from, int to);

#endif
