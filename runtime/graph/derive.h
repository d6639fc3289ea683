/* Derivations: how grad comes to its result, a line for each part of y between y and x, in names
 * that a person gives. It watches tg_grad's own sweep (tg_grad_trace): there is no second way to
 * differentiate. Each line is checked by difference quotients at a random point.
 *
 * Ownership: the text and the array of results are the caller's (tg_derivation_free); the nodes in
 * it are the graph's. */
#ifndef TG_RUNTIME_DERIVE_H
#define TG_RUNTIME_DERIVE_H

#include "runtime/graph/node.h"

typedef struct tg_derive_options {
    const char *y_name, *y_shown;            /* "f" and "f(t)"; for a formula the same */
    const char *const *x_name;               /* of the targets */
    bool (*taken)(void *user, const char *); /* is that a name of the user's? May be NULL */
    void *user;
    int width; /* columns of a line */
} tg_derive_options;

typedef struct tg_derivation {
    tg_str text;
    tg_node **result; /* what tg_grad gives for each target */
    int lines;        /* shown */
    int omitted;      /* not shown, as there are too many */
    int wrong;        /* lines that the differences contradict */
    int unchecked;    /* lines that could not be checked */
    uint32_t used;    /* assumptions */
} tg_derivation;

bool tg_derive(tg_rt *rt, tg_node *y, int n, tg_node *const *x, const tg_derive_options *opt,
               tg_derivation *out);
void tg_derivation_free(tg_derivation *d);

#endif
