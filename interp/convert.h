/* Conversions between values that other files of the interpreter share; see convert.c. */
#ifndef TG_INTERP_CONVERT_H
#define TG_INTERP_CONVERT_H

#include "interp/interp.h"

bool tg_is_container(tg_value v); /* a list, tuple or record */
/* The cell a value is, if it is a var or an input; else NULL. */
tg_cell *tg_value_cell(tg_value v);

/* A container of the same form with f applied to each leaf, in order; a leaf itself when v is none.
 * *out owned; none after a failure. */
typedef bool tg_leaf_fn(tg_interp *in, tg_value v, void *user, tg_value *out);
bool tg_map_leaves(tg_interp *in, tg_value v, tg_leaf_fn *f, void *user, tg_value *out);

/* tg_value_now with other values for some cells. */
bool tg_value_now_with(tg_interp *in, tg_value v, int ncells, tg_cell *const *cells,
                       tg_tensor *const *values, tg_value *out);
/* tg_to_node, told whether the value was written as a literal (never lifted) and by what name it
 * was called. */
bool tg_to_node_of(tg_interp *in, tg_value v, const char *what, bool literal, const char *label,
                   tg_node **out);
/* An array, of rank 0 or more: a formula where v is live, else a tensor. *out owned. */
bool tg_to_array(tg_interp *in, tg_value v, const char *what, tg_value *out);
/* All lists in the nesting v become tuples; nobody else may hold it yet. */
void tg_lists_to_tuples(tg_value *v);
/* The list of the characters of a text, each a string. */
bool tg_text_characters(tg_interp *in, const tg_text *t, tg_value *out);
/* Of a tensor or formula; of other things the rank is 0. */
int tg_value_rank(tg_value v);
tg_type tg_type_of(tg_value v);

/* The size that a formula of sizes and whole numbers is (N - 1); TG_SIZE_FAIL without an error if
 * it is none. */
tg_size tg_size_of_node(tg_interp *in, const tg_node *n);
/* A size for an attribute or an index: a whole number, or a symbolic one. Other formulas are taken
 * as they are now. */
bool tg_to_size(tg_interp *in, tg_value v, const char *what, tg_size *out);
/* A size as a number or formula. */
bool tg_value_size(tg_interp *in, tg_size s, tg_value *out);

/* Lift slots: for the right side of `:=`, and for the argument of a derivative f'. */
tg_node *tg_lift_number(tg_interp *in, double x);
tg_node *tg_lift_tensor(tg_interp *in, tg_tensor *t);
/* Gives up the slots used so far, as a formula that holds them outlives its statement. */
void tg_lift_retire(tg_interp *in);

#endif
