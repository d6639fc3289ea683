/* The formula graph as a drawing: DOT text, for graphviz. */
#ifndef TG_RUNTIME_DOT_H
#define TG_RUNTIME_DOT_H

#include "runtime/graph/node.h"

typedef struct tg_dot_request {
    tg_node *root;
    bool adjoints; /* of the scalar root with respect to each node that reaches it */
} tg_dot_request;

/* Appends the DOT text: a node for each operation and leaf, with the user's name, shape and, where
 * data are known, value: a number, or the range and mean of a tensor. Edges carry the shape of what
 * flows along them, and with `adjoints` the adjoint and its value. Of more than 300 nodes the ones
 * farthest from the root are left out, and their number stands in the drawing. */
bool tg_dot(tg_rt *rt, tg_str *s, const tg_dot_request *ask);
/* Runs graphviz: DOT text to a picture of that format ("svg", "png", "pdf"), appended. *missing:
 * there is no graphviz (and no error). An interrupt ends it. */
bool tg_dot_draw(tg_rt *rt, const tg_str *dot, const char *format, tg_str *picture, bool *missing);

#endif
