/* Rules: tg expressions as text, built into formula nodes. The parse is kept, so a text is parsed once a session. Names in the text
 * stand for nodes or attribute lists given by the caller; calls are registry operations; shape(x), size(x, axis) and rank(x) give attribute
 * values. */
#ifndef TG_RUNTIME_RULE_H
#define TG_RUNTIME_RULE_H

#include "runtime/graph/node.h"

typedef struct tg_rule_name {
    const char *name;
    tg_node *node;        /* a formula, or NULL: */
    int n; int64_t v[TG_MAX_ATTRS]; /* ... an attribute value */
    tg_param_kind kind;   /* of the attribute */
    bool sizes;           /* the values are sizes */
} tg_rule_name;

bool tg_rules_init(tg_rt *rt);
void tg_rules_free(tg_rt *rt);
/* Builds `text` with the given names. NULL: an error (a faulty rule is a defect of the record; the message shows the text). */
tg_node *tg_rule_build(tg_rt *rt, const char *text, int n, const tg_rule_name *names);

#endif
