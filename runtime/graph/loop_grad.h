/* What the files that differentiate loops share (loop_grad.c, loop_hoist.c). */
#ifndef TG_RUNTIME_GRAPH_LOOP_GRAD_H
#define TG_RUNTIME_GRAPH_LOOP_GRAD_H

#include "runtime/graph/loop.h"

typedef struct tg_node_list {
    tg_node **item;
    size_t n, cap;
} tg_node_list;

/* A loop that is being differentiated. Its body has been opened: `slot` are those of a level of its
 * own. The slots of the backward loop are of the level above. */
typedef struct tg_loop_back {
    tg_rt *rt;
    tg_node *bundle;
    const tg_loop *loop;
    int level, numbers; /* the next number of a slot of the backward loop */
    int nitems;
    tg_node *const *item, *const *adjoint; /* of the forward loop, with adjoints */
    const bool *wanted;                    /* of each argument of the bundle */
    tg_recompute_mode memory;
    tg_node **slot, **next;  /* of the open body */
    tg_node_list outs;       /* the formulas of the items that are stacks */
    bool *varied, *active;   /* of each slot: depends on what is wanted; of each state: its adjoint
                                is carried */
    tg_node_list root, seed; /* what is differentiated in a turn, and the adjoints' slots */
    tg_node **into;          /* of each slot: its adjoint in a turn, or NULL */
    tg_node **outside;       /* of each invariant whose sum is taken out: that, over asked_as */
    tg_node_list asked, asked_as; /* values of the backward body that are stacked for it; slots of
                                     the types of the stacks */
    int *sum;                     /* of other invariants: the state that adds up */
    tg_node_list known, known_as; /* forward values that the backward body reads, and its slots */
    tg_node_list carry, init, next_back; /* of the backward loop */
    tg_node_list row, rows, out_back;
    tg_node **last, **stacked;
} tg_loop_back;

/* The stack of the forward value n, which is over the open slots. NULL: an error. */
tg_node *tg_loop_saved(tg_loop_back *b, tg_node *n);

/* loop_hoist.c: takes out of the loop the sums that can be. */
bool tg_loop_hoist(tg_loop_back *b);

#endif
