/* Calls of functions for which the user wrote a derivative: `rule f(x) = g * ...`. Such a call is
 * one node. It holds the body (its value), the slots `g` and `out`, the parts that it shows, and
 * for each part the rule's result: a formula over these slots. Evaluation takes the body; a
 * derivative takes the results, with the adjoint in place of g and the call itself in place of out.
 *
 * The body and the results are built over parameters: each live argument behind an operation of its
 * own, tg_op_parameter, that is worth its argument and passes no derivative. So what the body takes
 * from elsewhere (f(x) = w * x) is told from its arguments, and differentiated as usual. */
#ifndef TG_RUNTIME_RULED_H
#define TG_RUNTIME_RULED_H

#include "runtime/graph/node.h"

extern const tg_op tg_op_ruled, tg_op_parameter;

/* The first part among the arguments: the body, g and out stand before it. */
enum { TG_RULED_PARTS = 3 };

typedef struct tg_ruled {
    const char *text;  /* interned: how the call prints, with \1 for each shown part in turn */
    const char *names; /* interned: "x,y,p.w", the names of the parts */
    uint64_t serial;   /* of the rule */
    bool unchecked;
    tg_node *body;
    tg_node *g, *out; /* slots */
    int n;            /* parts: parameters, and plain arguments that are only shown */
    tg_node *const *part;
    tg_node *const *result; /* one a part; NULL in tg_ruled_make, or no derivative */
} tg_ruled;

tg_node *tg_ruled_parameter(tg_rt *rt, tg_node *argument);
/* The node of the call. NULL: an error. */
tg_node *tg_ruled_make(tg_rt *rt, const tg_ruled *r);
static inline bool tg_node_is_ruled(const tg_node *n) {
    return n->op == &tg_op_ruled;
}
/* What the node holds. `result` of a part without a derivative is no NULL here: ask tg_ruled_into.
 */
tg_ruled tg_ruled_of(const tg_node *n);
/* The argument that argument k of the node passes a derivative to; NULL: none. k = 0 is the body
 * itself: what it takes from elsewhere. */
tg_node *tg_ruled_into(const tg_node *n, int k);
/* What argument k > 0 contributes to tg_ruled_into(n, k), for the adjoint g. NULL: an error. */
tg_node *tg_ruled_adjoint(tg_rt *rt, tg_node *n, int k, tg_node *g);
/* A formula over the parameters, g and out of the call n: over its arguments, the adjoint g and n.
 */
tg_node *tg_ruled_instance(tg_rt *rt, tg_node *n, tg_node *formula, tg_node *g);
/* Is the parameter one of n's own? Then nothing in n may be put in its place. */
bool tg_ruled_owns(const tg_node *n, const tg_node *part);
/* Is the result of argument k made of elementwise operations on operands of the call's own shape?
 * Then where the adjoint is 0 it may be applied elsewhere. */
bool tg_ruled_is_pointwise(tg_rt *rt, const tg_node *n, int k, bool *yes);
/* The arguments of any node that a reader sees: of such a call those that it was written with, of a
 * value of a loop (loop.h) those of the loop. */
tg_node *const *tg_node_shown_arguments(const tg_node *node, int *n);
/* n itself, or, of a parameter, the argument that it stands for. */
static inline tg_node *tg_node_behind_parameters(tg_node *n) {
    while (n->op == &tg_op_parameter) n = n->arg[0];
    return n;
}
/* n with the bodies in place of such calls: what is computed. NULL: an error. */
tg_node *tg_ruled_bodies(tg_rt *rt, tg_node *n);
/* May a rule's result of the type `have` be the derivative by an argument of the type `want`: the
 * same shape, or one that broadcasting leads to or from? */
bool tg_ruled_fits(const tg_type *have, const tg_type *want);

#endif
