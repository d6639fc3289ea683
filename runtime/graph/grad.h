/* Symbolic reverse-mode differentiation (Griewank & Walther 2008, ch. 3; the adjoint of each node
 * is itself a formula). The rules are the `grad` texts of the operations, built into nodes by
 * rule.c. */
#ifndef TG_RUNTIME_GRAD_H
#define TG_RUNTIME_GRAD_H

#include "runtime/graph/node.h"

/* One contribution to an adjoint: what its consumer `user` sends to its argument `arg`. The seed
 * has no user. */
typedef struct tg_grad_part {
    const tg_node *user;
    int arg;
    tg_node *node;
} tg_grad_part;

/* Someone who watches the sweep, for a derivation (derive.h). `finished` is told of each adjoint as
 * soon as all its parts are added, from y down, and returns what is passed on in its place: the
 * adjoint itself, or a name for it. NULL: an error. */
typedef struct tg_grad_trace {
    void *user;
    tg_node *(*finished)(void *user, tg_node *node, tg_node *adjoint, int n,
                         const tg_grad_part *part);
} tg_grad_trace;

typedef struct tg_grad_options {
    tg_node *seed; /* cotangent of y, shaped like y; NULL: 1, y must be a scalar */
    int nhold;     /* nodes treated as constants */
    tg_node *const *hold;
    bool simplify; /* simplify y before and each result after (the default for users) */
    bool remember; /* each result keeps what it is the gradient of, for tg_grad_raw */
    const tg_grad_trace *trace;     /* or NULL */
    struct tg_recompute *recompute; /* what the results keep in memory (recompute.h), or NULL: y and
                                       from are set; *changed as tg_recompute_attach */
    bool *changed;
    uint32_t *used; /* if not NULL, gets the bit mask of assumptions that simplifying used */
} tg_grad_options;

/* out[i] = d y / d x[i], shaped like x[i]; x may be any node. Where y does not reach x[i], a zero
 * of the right shape, and cut[i] (if cut is not NULL) says why: NULL when connected, "" when there
 * is no path at all, else the operation through which the only paths run (argmax). Errors: y not a
 * scalar (and no seed), an operation without a rule. */
bool tg_grad(tg_rt *rt, tg_node *y, int n, tg_node *const *x, const tg_grad_options *opt,
             tg_node **out, const char **cut);

/* The gradient n, made with `remember`, before anything was simplified; n itself when it is none.
 * NULL: an error. */
tg_node *tg_grad_raw(tg_rt *rt, tg_node *n);
/* What the simplifier was given for that gradient: the formula that was differentiated, and the
 * gradient of its simple form before that was simplified. False: an error. */
bool tg_grad_parts(tg_rt *rt, tg_node *n, tg_node **y, tg_node **g);
/* raw(n); n itself where there is nothing to rewrite. NULL: an error. */
tg_node *tg_node_raw(tg_rt *rt, tg_node *n);

#endif
