/* Binding names (define.c) and storing values (store.c). */
#ifndef TG_INTERP_STORE_H
#define TG_INTERP_STORE_H

#include "interp/interp.h"

/* name = v: takes v. Labels formulas, names cells, and remarks when formulas keep meaning what the
 * name stood for. */
bool tg_define(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v);
/* targets := values, all or none: takes the values. They must not be live. */
bool tg_store_all(tg_interp *in, tg_env *env, int n, tg_ast *const *targets, tg_value *values);
/* The name is about to stand for something else than `old`: formulas keep the old thing, so it must
 * not print under the name; a remark says which formulas keep a var, input or size. */
void tg_let_go(tg_interp *in, const char *name, tg_value old);
/* The n parts of a tuple, list or tensor into out[], owned; all none after a failure. */
bool tg_unpack(tg_interp *in, tg_value v, int n, tg_value *out);
/* The right sides of that statement, not computed: one, or a tuple of them. *sides is owned. */
bool tg_store_sides(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *sides);
/* Can the cell hold a value of that shape? */
bool tg_store_fits(const tg_cell *c, int rank, const int64_t *dim);
/* While f' is taken, a number computed from the argument would go on without its slope: false, with
 * an error, if storing v would lose it. */
bool tg_store_keeps_slope(tg_interp *in, tg_value v);
/* Where a plain name that is stored to is kept: the innermost scope that has it, else `env`. */
tg_env *tg_store_home(tg_interp *in, tg_env *env, const char *name);
enum { TG_MOST_UPDATED = 64 };
/* The variables and the formulas that are stored in them, of s whose right sides these are.
 * False: the targets are not all vars, each with a formula of its own shape and type. */
bool tg_store_is_update(tg_interp *in, tg_env *env, const tg_ast *s, const tg_value *side,
                        tg_cell *cell[TG_MOST_UPDATED], tg_node *node[TG_MOST_UPDATED]);
/* s, if all its targets are vars and its sides formulas of their shapes: computes and stores them.
 * *done: it was so, and is done or has failed; else nothing has happened. */
bool tg_store_update(tg_interp *in, tg_env *env, const tg_ast *s, tg_value sides, bool *done);
/* The whole statement `targets := exprs`. */
bool tg_store_statement(tg_interp *in, tg_env *env, const tg_ast *s);

#endif
