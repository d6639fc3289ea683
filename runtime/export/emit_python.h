/* Inside of source in Python: what emit_python.c and emit_python_loop.c share. */
#ifndef TG_RUNTIME_EMIT_PYTHON_H
#define TG_RUNTIME_EMIT_PYTHON_H

#include "runtime/export/emit.h"

bool tg_python_is_torch(const tg_emitter *e);
/* Is n a plain number to Python? */
bool tg_python_is_plain(const tg_emitter *e, const tg_node *n);
void tg_python_dtype(const tg_emitter *e, tg_str *s, tg_dtype t);
void tg_python_shape(const tg_emitter *e, tg_str *s, int n, const tg_size *dim);
/* n as an expression, by its name where it has one. */
bool tg_python_expression(tg_emitter *e, tg_str *s, const tg_node *n);
/* The assignments of all nodes that have names, a line each. */
bool tg_python_lines(tg_emitter *e, tg_str *s);
/* The loop that the bundle is, with what its items are (emit_python_loop.c). */
bool tg_python_loop(tg_emitter *e, tg_str *s, const tg_node *bundle);

#endif
