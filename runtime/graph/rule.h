/* Rules: tg expressions as text, built into formula nodes. The parse is kept, so a text is parsed
 * once a session. Names in the text stand for nodes or attribute lists given by the caller; calls
 * are registry operations. Calls that give attribute values instead: shape(x)             the sizes
 * of x, for SHAPE parameters size(x, axis)        the product of the sizes along axis (a number or
 * an `axis` attribute), as a number; size(x): of all rank(x)              the number of axes
 *   live(x)              1 where x depends on a var or an input, else 0
 * Arithmetic on plain numbers and sizes is done at once, and where(1, a, b) is a, so a rule may
 * choose by rank or live. */
#ifndef TG_RUNTIME_RULE_H
#define TG_RUNTIME_RULE_H

#include "grammar/ast.h"
#include "runtime/graph/node.h"

typedef struct tg_rule_name {
    const char *name;
    tg_node *node; /* a formula, or NULL: */
    int n;
    int64_t v[TG_MAX_ATTRS]; /* ... an attribute value */
    tg_param_kind kind;      /* of the attribute */
    uint64_t sizes;          /* bit i: v[i] is a size (else a plain whole number) */
} tg_rule_name;

bool tg_rules_init(tg_rt *rt);
void tg_rules_free(tg_rt *rt);
/* Builds `text` with the given names. NULL: an error (a faulty rule is a defect of the record; the
 * message shows the text). */
tg_node *tg_rule_build(tg_rt *rt, const char *text, int n, const tg_rule_name *names);
/* The tree of a rule text, kept until tg_rules_free. NULL: an error. */
const tg_ast *tg_rule_parse(tg_rt *rt, const char *text);
/* The operation that a binary operator or unary minus / not stands for; @ needs the ranks. NULL:
 * none. */
const tg_op *tg_rule_operator(const tg_ast *a, int rank_a, int rank_b);
/* Names the attribute of param[i] of a node, as its op->grad rules see it. */
void tg_rule_attr(const tg_op *op, const tg_attrs *at, int i, tg_rule_name *out);

#endif
