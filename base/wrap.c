/* Greedy filling. Columns of a row stand apart by two blanks or more; one blank is between words.
 */
#include "base/wrap.h"

#include <string.h>

void tg_wrap_line(tg_str *out, const char *line, size_t n, int at, int indent, int width) {
    bool first = true;
    for (size_t i = 0; i < n;) {
        size_t gap = 0, word;
        while (i + gap < n && line[i + gap] == ' ') gap++;
        for (word = gap; i + word < n && line[i + word] != ' ';) word++;
        int wide = tg_utf8_width(line + i, word);
        if (!first && at + wide > width) {
            tg_str_addc(out, '\n');
            tg_str_repeat(out, ' ', indent);
            at = indent;
            i += gap;
            word -= gap;
            wide -= (int)gap;
        }
        tg_str_addn(out, line + i, word);
        at += wide;
        i += word;
        first = false;
    }
}

/* The column in which the last column of a row begins; where there is too little room for that, or
 * the line is indented, a little more than its own indentation. Plain text has none. */
static int hanging(const char *line, size_t n, int width) {
    enum { ROOM = 24, DEEPER = 2 };
    const size_t blank = strspn(line, " ");
    size_t last = blank;
    for (size_t i = blank; i + 2 < n; i++)
        if (line[i] == ' ' && line[i + 1] == ' ' && line[i + 2] != ' ') last = i + 2;
    const int column = tg_utf8_width(line, last);
    if (last == 0) return 0;
    return last > blank && column + ROOM <= width ? column : (int)blank + DEEPER;
}

void tg_wrap_text(tg_str *out, const char *text, int width) {
    while (*text) {
        const size_t n = strcspn(text, "\n");
        if (width > 0 && tg_utf8_width(text, n) > width)
            tg_wrap_line(out, text, n, 0, hanging(text, n, width), width);
        else
            tg_str_addn(out, text, n);
        if (text[n]) tg_str_addc(out, '\n');
        text += n + (text[n] == '\n');
    }
}
