/* Attributes, as bind.c makes and attrs.c prints them; the conventions are those of tg_attrs in
 * op.h. */
#ifndef TG_RUNTIME_ATTRS_H
#define TG_RUNTIME_ATTRS_H

#include "runtime/ops/op.h"

bool tg_param_is_tensor(tg_param_kind k);
/* Does param[i] gather several numbers given one after the other, zeros(2, 3)? A SHAPE that is the
 * op's only one does. */
bool tg_param_spreads(const tg_op *op, int i);
/* Appends one value. There must be room: the operation tables are checked by the tests. */
void tg_attr_push(tg_attrs *at, int64_t v, bool is_size);
/* Appends the values of a parameter's default; rank is the one that axes are relative to. */
void tg_attr_default(const tg_param *p, int rank, tg_attrs *at);
/* Is param[i], no tensor, at its default? rank as above. */
bool tg_attr_is_default(const tg_op *op, int i, int rank, const tg_attrs *at);
int64_t tg_attr_bits(double x); /* for REAL */

#endif
