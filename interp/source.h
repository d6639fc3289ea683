/* Where a function comes from, and what is written above it. */
#ifndef TG_INTERP_SOURCE_H
#define TG_INTERP_SOURCE_H

#include "interp/interp.h"

/* Appends "stdlib/core.tg:10", "net.tg:3" or "at the prompt". */
void tg_source_where(const tg_span *at, tg_str *out);
/* Appends the prose of the comment above the definition, its lines joined; nothing: there is none.
 * In the library several definitions under one comment share it. */
void tg_source_comment(const tg_function *f, tg_str *out);
/* Appends the lines "tg> f(1)" of that comment which use the function, without the prompt, each
 * with its answer. */
void tg_source_examples(const tg_function *f, tg_str *out);
/* Appends comment, definition and rule as they were written. */
void tg_source_whole(const tg_function *f, tg_str *out);
/* Appends the line that the span begins in; nothing if that is the library's. */
void tg_source_line(const tg_span *at, tg_str *out);
/* Appends the text of the span. */
void tg_source_add(const tg_span *at, tg_str *out);

#endif
