/* Rule texts at a node, for the driver of the derivatives (grad.c) alone. */
#ifndef TG_RUNTIME_GRAPH_GRAD_RULE_H
#define TG_RUNTIME_GRAPH_GRAD_RULE_H

#include "runtime/graph/rule.h"

typedef struct tg_rule_names {
    tg_rule_name name[TG_MAX_PARAMS + 5];
    int n;
} tg_rule_names;

/* The rule of argument k of a node; NULL: none. */
const char *tg_grad_rule(const tg_node *node, int k);
/* Fills r with what the rule of argument k may name, all but g. */
bool tg_grad_name(tg_rt *rt, const tg_node *node, int k, tg_rule_names *r);
void tg_grad_name_node(tg_rule_names *r, const char *name, tg_node *n);

/* c, which has a shape that t broadcasts to, or that broadcasts to t, brought to the shape of t. */
tg_node *tg_grad_fit(tg_rt *rt, tg_node *c, const tg_type *t);
/* c, expanded to the shape of t. */
tg_node *tg_grad_stretch(tg_rt *rt, tg_node *c, const tg_type *t);

#endif
