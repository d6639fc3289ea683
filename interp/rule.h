/* Derivatives that users give for their own functions: `rule f(x) = g * ...`. */
#ifndef TG_INTERP_RULE_H
#define TG_INTERP_RULE_H

#include "interp/interp.h"

/* The statement: gives a function its rule, in place of one it has. */
bool tg_rule_statement(tg_interp *in, tg_env *env, const tg_ast *s);
/* A call of f, which has a rule, with its parameters bound in `scope`; the first `given` of them
 * are to be shown. Where an argument is live the result is one node that keeps the rule. */
bool tg_rule_call(tg_interp *in, tg_function *f, tg_env *scope, int given, tg_value *out);
/* Compares the rule of a call with differences, the first time for its types (rule_check.c): what
 * tg_rt.check_rule is set to. */
bool tg_rule_check(tg_rt *rt, tg_node *call);

#endif
