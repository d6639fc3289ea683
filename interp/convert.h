/* Conversions between values that other files of the interpreter share; see convert.c. */
#ifndef TG_INTERP_CONVERT_H
#define TG_INTERP_CONVERT_H

#include "interp/interp.h"

bool tg_is_container(tg_value v); /* a list, tuple or record */

/* A container of the same form with f applied to each leaf, in order; a leaf itself when v is none.
 * *out owned. */
typedef bool tg_leaf_fn(tg_interp *in, tg_value v, void *user, tg_value *out);
bool tg_map_leaves(tg_interp *in, tg_value v, tg_leaf_fn *f, void *user, tg_value *out);

/* tg_value_now with other values for some cells. */
bool tg_value_now_with(tg_interp *in, tg_value v, int ncells, tg_cell *const *cells,
                       tg_tensor *const *values, tg_value *out);
/* tg_to_node, told whether the value was written as a literal (never lifted) and by what name it
 * was called. */
bool tg_to_node_of(tg_interp *in, tg_value v, const char *what, bool literal, const char *label,
                   tg_node **out);
/* Lift slots: for the right side of `:=`, and for the argument of a derivative f'. */
tg_node *tg_lift_number(tg_interp *in, double x);
tg_node *tg_lift_tensor(tg_interp *in, tg_tensor *t);

#endif
