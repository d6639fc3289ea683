/* A formula as text: what is printed parses back to the same formula. */
#ifndef TG_RUNTIME_PRINT_H
#define TG_RUNTIME_PRINT_H

#include "runtime/graph/node.h"

/* Appends the formula. Nodes below the root that have a label print as that name; the root prints
 * unfolded unless it is a leaf. unfold: also unfold labelled parts that are not cells or constants.
 * Of a formula longer than about 2000 characters or more than 500 operations deep, `...` and the
 * number of operations left out are printed. */
bool tg_node_print(tg_rt *rt, tg_str *s, const tg_node *n, bool unfold);
/* A number the shortest way that reads back the same: 2, 0.01, 1e-12. */
void tg_number_print(tg_str *s, double x);

#endif
