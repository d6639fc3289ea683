/* What becomes of shapes, as help tells it: sizes M, N and K in place of numbers, and the shape
 * that the operation's own rule gives for them. */
#ifndef TG_INTERP_HELP_SHAPES_H
#define TG_INTERP_HELP_SHAPES_H

#include "interp/interp.h"

/* Appends the i-th line, "[M, K] @ [K, N] -> [M, N]", from the samples of the record. `rt` is one
 * of its own, in which nodes may be made. `symbolic` false: with the numbers of the sample. False:
 * there is no such line; no error. */
bool tg_shape_line(tg_rt *rt, const tg_op *op, int i, bool symbolic, tg_str *out);
/* The lines that help shows of an operation, all different, one below the other. */
void tg_shape_rule(const tg_op *op, tg_str *out);
/* The same of a function written in tg, found by calling it on inputs without data; nothing where
 * that tells nothing. It is called only if it can be without being noticed. */
void tg_shape_rule_tried(tg_interp *in, const tg_function *f, tg_str *out);
/* Can f be called without being noticed: does it nothing but compute, and come to an end? */
bool tg_function_is_quiet(tg_interp *in, const tg_function *f);

#endif
