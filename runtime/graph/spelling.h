/* One value, written a * b here and b * a there: one spelling of it. See spelling.c. */
#ifndef TG_RUNTIME_SPELLING_H
#define TG_RUNTIME_SPELLING_H

#include "runtime/graph/node.h"

/* n with each value under it in one spelling, that of the oldest node; n itself where that is so
 * already. The kept ones stay as they are, with what is under them. NULL: an error. */
tg_node *tg_node_one_spelling(tg_rt *rt, tg_node *n, int nkeep, tg_node *const *keep);

#endif
