/* Documentation of the operations, from their records. */
#ifndef TG_RUNTIME_DOCUMENT_H
#define TG_RUNTIME_DOCUMENT_H

#include "base/str.h"

/* Appends docs/ops.md: every operation with its signature, what it does, its derivative rules and
 * an example. False: no memory. */
bool tg_ops_document(tg_str *out);

typedef struct tg_op tg_op;
/* What there is to say of one operation, as ?name shows it. */
void tg_op_describe(tg_str *s, const tg_op *op);

#endif
