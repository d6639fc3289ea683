/* Expressions that can be evaluated a second time without being noticed: names, numbers, operators,
 * indices and calls of operations that do not draw. */
#ifndef TG_INTERP_PLAIN_H
#define TG_INTERP_PLAIN_H

#include "interp/interp.h"

bool tg_is_plain(tg_interp *in, tg_env *env, const tg_ast *e);
/* The formula of the plain value v, which e gave: 1 - y for a known y, so that in `(1 - y) * w` it
 * prints and is differentiated as it was written. NULL: v is better taken as it is; no error. Such
 * parts of a formula are computed once a plan, not at each run. */
tg_node *tg_written_out(tg_interp *in, const tg_ast *e, tg_value v);
/* The name under which a tensor of that name prints: the name, if it is the user's for that tensor
 * everywhere; else NULL. */
const char *tg_label_of(tg_interp *in, const char *name, const tg_tensor *t);

#endif
