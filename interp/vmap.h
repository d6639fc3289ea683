/* Functions over an axis: vmap, and what map does with a tensor (builtin_vmap.c). */
#ifndef TG_INTERP_VMAP_H
#define TG_INTERP_VMAP_H

#include "interp/interp.h"

/* A call of what vmap(f, axis, out) gave, where `given` is (axis, out). */
bool tg_vmap_call(tg_interp *in, tg_value f, tg_value given, int n, const tg_argument *args,
                  tg_value *out);
/* map(f, x) for a tensor x by one formula, where the result is the same as of f on each in turn:
 * true with *done false, and no error, where it is not known to be. */
bool tg_vmap_try(tg_interp *in, tg_value f, tg_value x, tg_value *out, bool *done);
/* Is the formula to be evaluated one that a mapped argument is in, whose value nobody knows? False:
 * it is, and an error says so. */
bool tg_vmap_may_look(tg_interp *in, const tg_node *n);
/* Something is done that only a call for each element would do often enough: while map tries to do
 * without, an error. */
bool tg_vmap_effect(tg_interp *in);

#endif
