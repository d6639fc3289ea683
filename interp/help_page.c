/* Wrapping and labels. Text is broken at blanks where the line would get too long; what has no
 * blank there stands out over the edge, as a formula that is cut could not be copied. */
#include "interp/help_page.h"
#include "interp/show.h"

#include <string.h>

enum { WIDEST = 80, NARROWEST = 30, LABEL = 12, INDENT = 2 };

tg_page tg_page_begin(const tg_interp *in, tg_str *out) {
    int width = tg_terminal_width(in, WIDEST);
    if (width > WIDEST) width = WIDEST;
    return (tg_page){out, tg_echo_colours(in), width < NARROWEST ? NARROWEST : width};
}

/* One line of the text, wrapped: what stands before it takes `at` columns, and lines after the
 * first begin in column `indent`. */
static void wrap(const tg_page *p, const char *line, size_t n, int at, int indent) {
    bool first = true;
    for (size_t i = 0; i < n;) {
        size_t gap = 0, word;
        while (i + gap < n && line[i + gap] == ' ') gap++;
        for (word = gap; i + word < n && line[i + word] != ' ';) word++;
        int wide = tg_utf8_width(line + i, word);
        if (!first && at + wide > p->width) {
            tg_str_addc(p->out, '\n');
            tg_str_repeat(p->out, ' ', indent);
            at = indent;
            i += gap;
            word -= gap;
            wide -= (int)gap;
        }
        tg_str_addn(p->out, line + i, word);
        at += wide;
        i += word;
        first = false;
    }
    tg_str_addc(p->out, '\n');
}

void tg_page_head(const tg_page *p, const char *text) {
    tg_ink_add(p->colours, TG_INK_NAME, text, p->out);
    tg_str_addc(p->out, '\n');
}

void tg_page_text(const tg_page *p, const char *text) {
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        wrap(p, line, n, 0, 0);
        line += n + (line[n] == '\n');
    }
}

static void add_label(const tg_page *p, const char *label) {
    tg_str_repeat(p->out, ' ', INDENT);
    tg_ink_add(p->colours && label[0], TG_INK_NOTE, label, p->out);
    tg_str_repeat(p->out, ' ', LABEL - tg_utf8_width(label, strlen(label)));
}

static void add_row(const tg_page *p, const char *label, const char *text, bool wrapped) {
    for (const char *line = text; *line; label = "") {
        size_t n = strcspn(line, "\n");
        add_label(p, label);
        if (wrapped) {
            wrap(p, line, n, INDENT + LABEL, INDENT + LABEL);
        } else {
            tg_str_addn(p->out, line, n);
            tg_str_addc(p->out, '\n');
        }
        line += n + (line[n] == '\n');
    }
}

void tg_page_row(const tg_page *p, const char *label, const char *text) {
    add_row(p, label, text, true);
}

void tg_page_code(const tg_page *p, const char *label, const char *text) {
    add_row(p, label, text, false);
}
