/* x[...], read and stored into: tensors and formulas in index.c, containers and strings in item.c.
 */
#ifndef TG_INTERP_INDEX_H
#define TG_INTERP_INDEX_H

#include "interp/interp.h"
#include "runtime/ops/view.h"

/* The value of an index expression e; of one whose base is known already. */
bool tg_eval_index(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out);
bool tg_index_of(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, tg_value *out);
/* A tensor with the elements that the index e names replaced by `value`: for x[i] := v. */
bool tg_index_replace(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, tg_value value,
                      tg_value *out);
/* The place in a container that e names. In a record *field is its name, and the place of a new one
 * is behind the last. */
bool tg_index_place(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, int *at,
                    const char **field);

/* The i-th thing of a container, range or tensor, 0 <= i < its count: an item, a number, a row that
 * shares the tensor's memory. */
bool tg_item_at(tg_interp *in, tg_value v, int64_t i, tg_value *out);
/* tg_index_of for a tuple, list, string or record. */
bool tg_index_item(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, tg_value *out);
/* A place or an end of a slice: a number of either sign, or a size; e NULL: not given. */
bool tg_index_bound(tg_interp *in, tg_env *env, const tg_ast *e, const char *what,
                    tg_slice_bound *out);

#endif
