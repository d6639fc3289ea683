/* Where a value that is not finite comes from: the first node of a formula that made a NaN or an
 * infinity out of finite numbers. Nothing is watched while plans run; only when a result has turned
 * out not to be finite is the formula computed once more, node by node. */
#ifndef TG_RUNTIME_TRACE_H
#define TG_RUNTIME_TRACE_H

#include "runtime/graph/node.h"

/* The elements of a tensor at a glance. */
typedef struct tg_summary {
    double lo, hi; /* of the finite ones; lo > hi: there are none */
    int64_t count, nan, pos, neg;
    int64_t first[TG_MAX_RANK]; /* the index of the first that is not finite */
    int rank;
    int64_t dim[TG_MAX_RANK];
} tg_summary;

/* False when a float element is NaN or infinite. */
bool tg_view_is_finite(const tg_view *v);
void tg_view_summary(const tg_view *v, tg_summary *out);

typedef struct tg_culprit {
    tg_node *node;    /* NULL: nothing to tell, all is finite or was given so */
    tg_node *written; /* the formula as it was written that node computes; or node itself */
    tg_summary whole, out, in[TG_MAX_TENSORS]; /* of the root, the node, its arguments */
    bool has[TG_MAX_TENSORS];                  /* in[i] is known: a float argument */
    tg_node *inside;     /* of a loop: the part of its body, over slots with names; else NULL ... */
    int64_t turn, turns; /* ... and the turn, from 1: out and in are of that part in it */
} tg_culprit;

/* Follows what is not finite from the root down to where it begins. It ends at an operation with
 * finite arguments, or, where NaN is among the data themselves, at the leaf that has them. An
 * infinity that was given (a constant mask) is no culprit until it makes a NaN. The cells may have
 * other values, as with tg_plan_eval_with. False: an error, an interrupt for one. */
bool tg_trace_culprit(tg_rt *rt, tg_node *root, int ncells, tg_cell *const *cells,
                      tg_tensor *const *values, tg_culprit *out);

#endif
