/* Calls and what they share with indexing; see call.c and function.c. */
#ifndef TG_INTERP_CALL_H
#define TG_INTERP_CALL_H

#include "interp/interp.h"

/* A size for an attribute or an index: a whole number, or a symbolic one (N, N - 1). */
bool tg_to_size(tg_interp *in, tg_value v, const char *what, tg_size *out);
/* A call as it stands in the source: evaluates the arguments. */
bool tg_eval_call(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out);
/* [a, b]: a tensor where that is possible if `settle`, else always the list. */
bool tg_eval_bracket(tg_interp *in, tg_env *env, const tg_ast *e, bool settle, tg_value *out);
/* == and != of tuples, records, functions and none, which give one answer. */
bool tg_compares_whole(tg_value a, tg_value b);
bool tg_compare_whole(tg_interp *in, tg_value a, tg_value b, bool equal, tg_value *out);
/* The value of an index expression. */
bool tg_eval_index(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out);
/* base with the elements that the index names replaced by `value`: for x[i] := e. */
bool tg_index_replace(tg_interp *in, tg_env *env, const tg_ast *index, tg_value base,
                      tg_value value, tg_value *out);
/* f' of a function value. */
bool tg_function_derivative(tg_interp *in, tg_value f, tg_value *out);
/* A function value for a definition or lambda. */
bool tg_function_new(tg_interp *in, tg_env *env, const tg_ast *def, tg_value *out);

#endif
