/* Formulas as sums over indices of products of elements, in which equal ones are found however
 * their products are spelled: index_form.c. */
#ifndef TG_RUNTIME_INDEX_FORM_H
#define TG_RUNTIME_INDEX_FORM_H

#include "runtime/graph/simplifier.h"

/* Is nothing left of d, a difference, when it is written with indices? *vanishes is true only when
 * that is proved. False: an error. */
bool tg_index_vanishes(tg_simp *s, tg_node *d, bool *vanishes);

#endif
