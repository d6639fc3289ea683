/* Labels in their column, and text wrapped beside them (base/wrap.h). */
#include "interp/help_page.h"

#include "base/wrap.h"
#include "interp/show.h"

#include <string.h>

enum { WIDEST = 80, NARROWEST = 30, LABEL = 12, INDENT = 2 };

tg_page tg_page_begin(const tg_interp *in, tg_str *out) {
    int width = tg_terminal_width(in, WIDEST);
    if (width > WIDEST) width = WIDEST;
    return (tg_page){out, tg_echo_colours(in), width < NARROWEST ? NARROWEST : width};
}

static void wrap(const tg_page *p, const char *line, size_t n, int at) {
    tg_wrap_line(p->out, line, n, at, at, p->width);
    tg_str_addc(p->out, '\n');
}

void tg_page_head(const tg_page *p, const char *text) {
    tg_ink_add(p->colours, TG_INK_NAME, text, p->out);
    tg_str_addc(p->out, '\n');
}

void tg_page_text(const tg_page *p, const char *text) {
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        wrap(p, line, n, 0);
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
            wrap(p, line, n, INDENT + LABEL);
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
