/* Binding names and storing values; see store.c. */
#ifndef TG_INTERP_STORE_H
#define TG_INTERP_STORE_H

#include "interp/interp.h"

/* name = v: takes v. Labels formulas, names cells, and remarks when formulas keep meaning what the
 * name stood for. */
bool tg_define(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v);
/* targets := values, all or none: takes the values. They must not be live. */
bool tg_store_all(tg_interp *in, tg_env *env, int n, tg_ast *const *targets, tg_value *values);
/* The n parts of a tuple, list or tensor into out[], owned; all none after a failure. */
bool tg_unpack(tg_interp *in, tg_value v, int n, tg_value *out);
/* The whole statement `targets := exprs`, with a list of the values for the echo (may be NULL). */
bool tg_store_statement(tg_interp *in, tg_env *env, const tg_ast *s);
/* The cell a value is, if it is a var or an input; else NULL. */
tg_cell *tg_value_cell(tg_value v);

#endif
