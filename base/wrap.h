/* Prose for a terminal: lines that are too long are broken at blanks. What stands below the first
 * line is indented as far as the text behind its label: under the last column of a table's row,
 * where that leaves room. A word that is longer than the line stays whole, as what is cut could not
 * be copied. */
#ifndef TG_BASE_WRAP_H
#define TG_BASE_WRAP_H

#include "base/str.h"

/* The line's n bytes, without an end of line: `at` columns stand before it already, and the lines
 * after the first begin in column `indent`. */
void tg_wrap_line(tg_str *out, const char *line, size_t n, int at, int indent, int width);
/* Lines, each wrapped as its own columns tell; a width of 0 leaves them as they are. */
void tg_wrap_text(tg_str *out, const char *text, int width);

#endif
