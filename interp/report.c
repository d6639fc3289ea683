/* Errors as people read them: where, what, the source line with carets, notes, the likely fix, the
 * calls under way.
 *
 *     softmax.tg:7:15: error: X @ W' has no meaning: the inner sizes 784 and 10 differ
 *       7 | P = softmax(X @ W' + b)
 *         |             ~~^~~~
 *         |   X  : [N, 784]      W' : [10, 784]
 *       help: X @ W has shape [N, 10]
 *
 * The culprit stands over ^, its operands over ~. Columns are those of a terminal: wide characters
 * count two, combining marks none, tabs are expanded, and bytes that a terminal would act on or
 * cannot show become U+FFFD. A span over several lines is shown by its first; a line too long for
 * the terminal is cut to a window around the caret, and words are wrapped. What is typed at the
 * prompt needs no place: the line stands just above. The form is that of Clang's diagnostics. */
#include "base/paint.h"
#include "base/wrap.h"
#include "interp/interp.h"
#include "interp/show.h"

#include <stdio.h>
#include <string.h>

enum {
    TAB = 4,         /* columns between tab stops */
    LINE_MOST = 120, /* columns of source shown whole, where the terminal has as many */
    WINDOW = 100,    /* columns shown of a longer line */
    DOTS = 3,        /* columns of what stands for the rest of it */
    LEAST = 16,      /* columns of source in the narrowest terminal */
};

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* A stretch of bytes with the mark that goes below it. */
typedef struct stretch {
    size_t lo, hi;
    char mark;
} stretch;

/* One line of the source and what is marked in it. */
typedef struct excerpt {
    const char *text;
    size_t lo, hi; /* the line's bytes */
    stretch marks[3];
    int nmarks;
    int most; /* columns of the line that can be shown */
    bool colours;
    tg_ink caret;
} excerpt;

static char mark_at(const excerpt *x, size_t at) {
    for (int i = 0; i < x->nmarks; i++)
        if (at >= x->marks[i].lo && at < x->marks[i].hi) return x->marks[i].mark;
    return ' ';
}

/* A character of the line: its bytes, its columns, and what to show in its place (NULL: itself). */
static size_t next_char(const excerpt *x, size_t at, int column, int *width, const char **shown) {
    unsigned code;
    size_t n = (size_t)tg_utf8_next(x->text + at, x->hi - at, &code);
    bool broken = n == 1 && (unsigned char)x->text[at] >= 0x80;
    *shown = NULL;
    if (code == '\t') {
        *width = TAB - column % TAB;
        *shown = "        ";
    } else if (broken || code < 0x20 || (code >= 0x7F && code < 0xA0)) {
        *width = 1;
        *shown = replacement;
    } else {
        *width = tg_utf8_width(x->text + at, n);
    }
    return n;
}

static int columns_to(const excerpt *x, size_t end) {
    int column = 0;
    for (size_t i = x->lo; i < end && i < x->hi;) {
        int width;
        const char *shown;
        i += next_char(x, i, column, &width, &shown);
        column += width;
    }
    return column;
}

/* The columns [*lo, *hi) to show: all of them, or a window with the caret in its middle. */
static void choose_window(const excerpt *x, int *lo, int *hi) {
    int total = columns_to(x, x->hi), caret = columns_to(x, x->marks[0].lo);
    *lo = 0;
    *hi = total;
    if (total <= x->most) return;
    int window = x->most - 2 * DOTS < WINDOW ? x->most - 2 * DOTS : WINDOW;
    *lo = caret - window / 2;
    if (*lo + window > total) *lo = total - window;
    if (*lo < 0) *lo = 0;
    if (*lo + window < total) *hi = *lo + window;
}

/* The marks, without blanks behind them; in colours each stretch of one kind in its own. */
static void add_marks(const excerpt *x, const char *marks, size_t n, tg_str *out) {
    while (n > 0 && marks[n - 1] == ' ') n--;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && marks[end] == marks[i];) end++;
        bool paint = x->colours && marks[i] != ' ';
        tg_str_add(out, tg_ink_on(paint, marks[i] == '^' ? x->caret : TG_INK_MARK));
        tg_str_addn(out, marks + i, end - i);
        tg_str_add(out, tg_ink_off(paint));
    }
}

static void add_line(const excerpt *x, const char *head, const char *gutter, tg_str *out) {
    int from, to, column = 0;
    tg_str below = {0};
    choose_window(x, &from, &to);
    tg_str_addf(out, "\n%s%s", head, from > 0 ? "..." : "");
    tg_str_repeat(&below, ' ', from > 0 ? DOTS : 0);
    size_t i = x->lo;
    while (i < x->hi && column < to) {
        int width;
        const char *shown;
        size_t n = next_char(x, i, column, &width, &shown);
        if (column >= from) {
            if (!shown)
                tg_str_addn(out, x->text + i, n);
            else
                tg_str_addn(out, shown, shown == replacement ? strlen(shown) : (size_t)width);
            tg_str_repeat(&below, mark_at(x, i), width);
        }
        column += width;
        i += n;
    }
    if (i < x->hi)
        tg_str_add(out, "...");
    else
        tg_str_addc(&below,
                    mark_at(x, x->hi)); /* a caret past the end: "here something is missing" */
    tg_str_addf(out, "\n%s", gutter);
    add_marks(x, tg_str_text(&below), below.len, out);
    if (below.failed) out->failed = true;
    tg_str_free(&below);
}

static bool blank(const char *s, size_t lo, size_t hi) {
    for (; lo < hi; lo++)
        if (s[lo] != ' ' && s[lo] != '\t') return false;
    return true;
}

/* The marks on the line of d->at. Blanks between an operand and the operator are marked with the
 * operand. */
static void mark_line(const tg_diag *d, excerpt *x) {
    size_t lo = d->at.lo, hi = d->at.hi;
    if (lo > x->hi) lo = x->hi;
    if (hi > x->hi) hi = x->hi;
    if (hi <= lo) hi = lo + 1;
    x->marks[x->nmarks++] = (stretch){lo, hi, '^'};
    for (int k = 0; k < 2; k++) {
        const tg_span *w = &d->with[k];
        if (w->src != d->at.src || w->hi <= w->lo || w->lo >= x->hi || w->hi <= x->lo) continue;
        stretch s = {w->lo, w->hi, '~'};
        if (s.hi < lo && blank(x->text, s.hi, lo)) s.hi = lo;
        if (s.lo > hi && blank(x->text, hi, s.lo)) s.lo = hi;
        if (s.hi > x->hi) s.hi = x->hi;
        x->marks[x->nmarks++] = s;
    }
}

/* Columns beside what stands at a line's beginning; the last one stays free. */
static int room(int width, size_t taken) {
    return width - (int)taken > LEAST ? width - (int)taken - 1 : LEAST;
}

/* Each line of `text` on a line of its own behind `gutter`. */
static void add_lines(const char *whole, const char *gutter, int width, tg_str *out) {
    tg_str wrapped = {0};
    tg_wrap_text(&wrapped, whole, width > 0 ? room(width, strlen(gutter)) : 0);
    const char *text = tg_str_text(&wrapped);
    while (*text) {
        size_t n = strcspn(text, "\n");
        tg_str_addf(out, "\n%s", gutter);
        tg_str_addn(out, text, n);
        text += n + (text[n] == '\n');
    }
    if (wrapped.failed) out->failed = true;
    tg_str_free(&wrapped);
}

static bool typed(const tg_source *s) {
    return strcmp(s->name, "<prompt>") == 0;
}

static bool one_line(const tg_source *s) {
    const char *end = memchr(s->text, '\n', s->len);
    return !end || (size_t)(end - s->text) + 1 >= s->len;
}

static bool same_call(const tg_diag *d, int i, int j) {
    const tg_span *a = &d->trace[i], *b = &d->trace[j];
    return a->src == b->src && a->lo == b->lo && a->hi == b->hi &&
           d->trace_name[i] == d->trace_name[j];
}

/* The calls under way, innermost first; of a recursion's equal ones the first. */
static void add_trace(const tg_diag *d, tg_str *out) {
    int told = 0;
    for (int i = 0; i < d->ntrace; i++) {
        const tg_span *at = &d->trace[i];
        if (i > 0 && same_call(d, i - 1, i)) continue;
        told++;
        tg_str_addf(out, "\n  in %s", d->trace_name[i] ? d->trace_name[i] : "a function");
        if (!at->src) continue;
        if (typed(at->src)) {
            if (i + 1 == d->nframes)
                tg_str_add(out, ", called at the prompt");
            else if (i + 1 < d->ntrace && d->trace_name[i + 1])
                tg_str_addf(out, ", called in %s", d->trace_name[i + 1]);
            continue;
        }
        int line, column;
        size_t lo, hi;
        tg_source_place(at->src, at->lo, &line, &column, &lo, &hi);
        tg_str_addf(out, ", called at %s:%d:%d", at->src->name, line, column);
    }
    if (d->nframes > told) {
        int more = d->nframes - told;
        tg_str_addf(out, "\n  ... and %d more call%s", more, more == 1 ? "" : "s");
    }
}

static void add_help(const char *help, bool colours, int width, tg_str *out) {
    static const char under[] = "        ";
    tg_str lines = {0};
    add_lines(help, under, width, &lines);
    tg_str_add(out, "\n  ");
    tg_ink_add(colours, TG_INK_HELP, "help:", out);
    tg_str_addc(out, ' ');
    if (lines.len) tg_str_add(out, tg_str_text(&lines) + strlen(under) + 1);
    if (lines.failed) out->failed = true;
    tg_str_free(&lines);
}

/* What is wrong, behind "error: ". */
static void add_message(const char *text, int at, int width, tg_str *out) {
    enum { UNDER = 4 };
    if (width > 0)
        tg_wrap_line(out, text, strlen(text), at, UNDER, width);
    else
        tg_str_add(out, text);
}

/* "softmax.tg:7:15: " */
static void add_place(const tg_source *src, int line, int column, bool colours, tg_str *out) {
    tg_str_add(out, tg_ink_on(colours, TG_INK_NAME));
    tg_str_addf(out, "%s:%d:%d:%s ", src->name, line, column, tg_ink_off(colours));
}

bool tg_report(tg_interp *in, tg_str *out) {
    bool colours = in->colours & TG_COLOURS_ERROR;
    if (in->rt.c.diag.kind == TG_ERR_INTERRUPT)
        return tg_report_as(in, "", TG_INK_WARNING, colours, out);
    return tg_report_as(in, "error:", TG_INK_ERROR, colours, out);
}

bool tg_report_as(tg_interp *in, const char *word, tg_ink ink, bool colours, tg_str *out) {
    const tg_diag *d = &in->rt.c.diag;
    const tg_source *src = d->at.src;
    bool bare = src && typed(src) && d->kind == TG_ERR_INTERRUPT;
    excerpt x = {.colours = colours, .caret = ink};
    char head[32] = "  | ", gutter[32] = "  | ";
    const int width = tg_terminal_width(in, 0);
    const size_t from = out->len;
    if (d->kind == TG_ERR_NONE) return true;
    if (src && !bare) {
        int line, column;
        x.text = src->text;
        tg_source_place(src, d->at.lo, &line, &column, &x.lo, &x.hi);
        if (x.hi > x.lo && x.text[x.hi - 1] == '\r') x.hi--;
        if (!typed(src)) add_place(src, line, column, colours, out);
        if (!typed(src) || !one_line(src)) {
            int digits = snprintf(head, sizeof head, "  %d | ", line) - 5;
            snprintf(gutter, sizeof gutter, "  %*s | ", digits, "");
        }
    }
    if (word[0] && !bare) {
        tg_ink_add(colours, ink, word, out);
        tg_str_addc(out, ' ');
    }
    tg_str message = {0};
    tg_str_add(&message, d->msg);
    if (bare && d->turns)
        tg_str_add(&message, "; what the turns before stored stays, :undo takes it back");
    add_message(tg_str_text(&message),
                tg_utf8_width(tg_str_text(out) + from, out->len - from) + (bare ? 2 : 0), width,
                out);
    if (message.failed) out->failed = true;
    tg_str_free(&message);
    if (src && !bare) {
        x.most = width > 0 ? room(width, strlen(head)) : LINE_MOST;
        if (x.most > LINE_MOST) x.most = LINE_MOST;
        mark_line(d, &x);
        add_line(&x, head, gutter, out);
        strcat(gutter, "  ");
        add_lines(d->notes, gutter, width, out);
    } else if (!bare) {
        add_lines(d->notes, "  ", width, out);
    }
    if (d->help[0]) add_help(d->help, colours, width, out);
    add_trace(d, out);
    return !out->failed;
}
