/* Where a line begins that goes on from others: two blanks behind the beginning of the line in
 * which the innermost open bracket stands; and where what closes that bracket begins: under that
 * line. Text within a string is left alone. */
#include "command/prompt/prompt.h"

#include <string.h>

enum { STEP = 2 };

/* Blanks at the beginning of the line that holds byte `at`. */
static size_t blanks(const char *text, size_t at) {
    while (at > 0 && text[at - 1] != '\n') at--;
    return strspn(text + at, " ");
}

/* The blanks of the innermost bracket's line. False: no bracket is open. */
static bool innermost(const char *before, size_t *indent, bool *string) {
    tg_scan scan = {.text = before, .len = strlen(before)};
    while (tg_scan_next(&scan) != TG_SCAN_END) {}
    if (scan.depth == 0) return false;
    const int top = (scan.depth < TG_SCAN_DEEPEST ? scan.depth : TG_SCAN_DEEPEST) - 1;
    *string = scan.open[top].by == '"';
    *indent = blanks(before, scan.open[top].at);
    return true;
}

size_t tg_indent_of(const char *before) {
    size_t indent = 0;
    bool string = false;
    if (!before[0]) return 0;
    if (innermost(before, &indent, &string)) return string ? 0 : indent + STEP;
    return blanks(before, 0) + STEP; /* behind an operator */
}

size_t tg_indent_closing(const char *before) {
    size_t indent = 0;
    bool string = false;
    return innermost(before, &indent, &string) ? indent : 0;
}
