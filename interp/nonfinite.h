/* NaN and infinity, told when they first appear: in what `:=` stores, `=` computes, or the prompt
 * and print show. The remark names the operation that made them, its place in the user's text and
 * the ranges of its operands. While all is finite the cost is one pass over the bits of what is
 * stored. */
#ifndef TG_INTERP_NONFINITE_H
#define TG_INTERP_NONFINITE_H

#include "interp/interp.h"

/* The statement s stores `values` in its targets, computed from `sides` (tuples; one side may serve
 * several targets), and has not written them yet. False: an error. */
bool tg_nonfinite_stored(tg_interp *in, tg_env *env, const tg_ast *s, tg_value sides,
                         tg_value values);
/* `name = e` has given the plain value v. */
bool tg_nonfinite_defined(tg_interp *in, tg_env *env, const char *name, const tg_ast *e,
                          tg_value v);
/* The formula v was shown with the value `now`. The remark goes on a line of its own to `out`;
 * NULL: to where remarks go. */
bool tg_nonfinite_shown(tg_interp *in, tg_value v, tg_value now, tg_str *out);

#endif
