/* Formulas with a part exchanged. */
#ifndef TG_RUNTIME_SUBSTITUTE_H
#define TG_RUNTIME_SUBSTITUTE_H

#include "runtime/graph/node.h"

/* The formula n with every occurrence of `from` replaced by `to`, which must have from's rank.
 * NULL: an error. */
tg_node *tg_node_substitute(tg_rt *rt, tg_node *n, const tg_node *from, tg_node *to);
/* The same for several parts at once; what is put in is not looked into again. */
tg_node *tg_node_substitute_all(tg_rt *rt, tg_node *n, int pairs, tg_node *const *from,
                                tg_node *const *to);
/* Sets *reads to whether n reads any cell besides `except` (NULL: none). False: no memory. */
bool tg_node_reads_cells(tg_rt *rt, tg_node *n, const tg_node *except, bool *reads);

#endif
