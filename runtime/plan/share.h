/* Nodes of one value: formulas that are written in different ways, but whose values are the same to
 * the last bit, are computed once by a plan. */
#ifndef TG_RUNTIME_SHARE_H
#define TG_RUNTIME_SHARE_H

#include "runtime/graph/node.h"

/* What is computed in the place of what. */
typedef struct tg_shares {
    size_t n;
    tg_node **node; /* all under the roots, ascending id; owned */
    tg_node **to;   /* to[i] is computed for node[i]; NULL: all stay as they are */
} tg_shares;

/* Finds the nodes of one value under the roots. targets[i] is what is computed for root i: the root
 * itself, or a node that nobody holds yet. False: an error; the caller frees `out` in any case. */
bool tg_plan_share(tg_rt *rt, int nroots, tg_node *const *roots, const tg_size_binding *sizes,
                   tg_node **targets, tg_shares *out);
void tg_shares_free(tg_shares *s);
/* What is computed for x; x itself when it is not under the roots. */
tg_node *tg_shares_of(const tg_shares *s, tg_node *x);

#endif
