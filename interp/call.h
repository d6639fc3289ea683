/* Parts of expressions that one file of the interpreter has and others need: calls (call.c,
 * function.c), operators, brackets and fields (eval.c), comparison (equal.c). */
#ifndef TG_INTERP_CALL_H
#define TG_INTERP_CALL_H

#include "interp/interp.h"

/* Is there a size among the attributes that only data will tell? Then the call is a formula, even
 * of known operands. */
bool tg_attrs_open(const tg_attrs *at);
/* A call as it stands in the source: evaluates the arguments. */
bool tg_eval_call(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out);
/* [a, b]: a tensor where that is possible if `settle`, else always the list. */
bool tg_eval_bracket(tg_interp *in, tg_env *env, const tg_ast *e, bool settle, tg_value *out);
/* a symbol b, for the operator or store e, whose first two kids were a and b. */
bool tg_operate(tg_interp *in, const tg_ast *e, const char *symbol, tg_value a, tg_value b,
                tg_value *out);
/* Drops the scope of a call that ends; functions that it alone keeps, and that keep it, go too. */
void tg_scope_leave(tg_interp *in, tg_env *scope);
/* The builtin raw, whose argument is evaluated without rewrites. */
tg_builtin_fn tg_run_raw;
/* The formula v with the gradients in it, under the names that stand for them, as they were before
 * they were simplified (builtin_show.c). */
bool tg_raw_origin(tg_interp *in, tg_value v, tg_value *out);
/* e where R = e1, S = e2 (where.c). */
bool tg_eval_where(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out);
/* The field that e names, of its base. */
bool tg_field_of(tg_interp *in, const tg_ast *e, tg_value base, tg_value *out);
/* == and != of tuples, records, functions and none, which give one answer. */
bool tg_compares_whole(tg_value a, tg_value b);
bool tg_compare_whole(tg_interp *in, tg_value a, tg_value b, bool equal, tg_value *out);
bool tg_call_builtin(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                     tg_value *out);
/* The arguments to show a function f as a formula by, each named as the parameter is: numbers, for
 * hessian(f) and its kin a vector. The parameters with defaults keep those. At most
 * TG_SHOWN_ARGUMENTS; 0, perhaps with an error pending: f cannot be shown so. `any`: not of
 * derivatives only. */
enum { TG_SHOWN_ARGUMENTS = 6 };
int tg_function_arguments(tg_interp *in, const tg_function *f, bool any, tg_value *out);
/* "f(x, k=2)", of a function written in tg. */
void tg_function_signature(tg_str *s, const tg_function *f);
/* Runs f's body in a scope where the parameters are bound. */
bool tg_function_run(tg_interp *in, const tg_function *f, tg_env *scope, tg_value *out);
/* The slot for an argument x of a function to be differentiated, and the node to put in its place
 * afterwards. */
bool tg_slot_make(tg_interp *in, tg_value x, tg_node **slot, tg_node **target);
/* The function x -> by(of, x). */
bool tg_function_by(tg_interp *in, const tg_builtin *by, tg_value of, tg_value *out);
/* f' of a function value. */
bool tg_function_derivative(tg_interp *in, tg_value f, tg_value *out);
/* A function value for a definition or lambda. */
bool tg_function_new(tg_interp *in, tg_env *env, const tg_ast *def, tg_value *out);

#endif
