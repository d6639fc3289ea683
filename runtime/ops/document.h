/* Documentation of the operations, from their records. */
#ifndef TG_RUNTIME_DOCUMENT_H
#define TG_RUNTIME_DOCUMENT_H

#include "base/str.h"

/* Appends docs/ops.md: every operation with its signature, what it does, its derivative rules and
 * an example. False: no memory. */
bool tg_ops_document(tg_str *out);

typedef struct tg_op tg_op;
/* The file of the sources in which the operation's record stands: "runtime/ops/softmax.c". */
const char *tg_op_file(const tg_op *op);
/* Appends how it is written as an operator, "a + b", if it is. */
void tg_op_operator(tg_str *s, const tg_op *op);
/* "g * b", "none" or "zero": the rule for param[i]. */
const char *tg_op_rule_text(const tg_op *op, int i);
/* A value as the prompt shows it: rows of a matrix below each other. */
void tg_op_add_value(tg_str *s, const char *value);

#endif
