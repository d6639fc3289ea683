/* What a layout arranges: tokens, strings as wholes, and comments, which the lexer does not tell.
 *
 * A string holds expressions, which hold strings: its end is found with a stack of what is open,
 * and no recursion. */
#include "grammar/layout.h"
#include "base/alloc.h"

#include <string.h>

/* ---- strings ---- */

enum { IN_STRING = '"', IN_HOLE = 'h', IN_BRACKET = '(' };

static char top(const tg_str *open) {
    return open->text[open->len - 1];
}

/* One token of a hole. */
static void read_hole(tg_lexer *l, tg_str *open) {
    tg_token t = tg_lex_next(l);
    switch (t.kind) {
    case TG_TOK_QUOTE: tg_str_addc(open, IN_STRING); break;
    case TG_TOK_LPAREN:
    case TG_TOK_LBRACKET:
    case TG_TOK_LBRACE: tg_str_addc(open, IN_BRACKET); break;
    case TG_TOK_RPAREN:
    case TG_TOK_RBRACKET:
    case TG_TOK_RBRACE: open->len--; break;
    case TG_TOK_COLON:
    case TG_TOK_STORE: /* a format goes up to the brace */
        if (top(open) == IN_HOLE)
            while (l->at < l->len && l->text[l->at] != '}') l->at++;
        break;
    case TG_TOK_END: open->len = 0; break;
    default: break;
    }
}

/* One character of text, or what begins a hole or ends the string. */
static void read_text(tg_lexer *l, tg_str *open) {
    char c = l->text[l->at++], next = l->at < l->len ? l->text[l->at] : 0;
    if (c == '"')
        open->len--;
    else if (c == '\\' || ((c == '{' || c == '}') && next == c))
        l->at++;
    else if (c == '{')
        tg_str_addc(open, IN_HOLE);
}

/* Moves the lexer from behind a string's opening quote to behind its end. */
static bool skip_string(tg_ctx *c, tg_lexer *l) {
    tg_str open = {0};
    tg_str_addc(&open, IN_STRING);
    while (!open.failed && open.len > 0 && l->at < l->len) {
        if (top(&open) == IN_STRING)
            read_text(l, &open);
        else
            read_hole(l, &open);
    }
    bool ok = !open.failed;
    tg_str_free(&open);
    return ok || tg_fail_memory(c);
}

/* ---- the list ---- */

typedef struct list {
    tg_ctx *c;
    const tg_source *src;
    tg_layout_item *items;
    size_t n, cap;
} list;

static bool add(list *l, tg_layout_item item) {
    void *items = l->items;
    if (!tg_grow(&items, &l->cap, l->n + 1, sizeof *l->items)) return tg_fail_memory(l->c);
    l->items = items;
    l->items[l->n++] = item;
    return true;
}

static int column_of(const tg_source *src, uint32_t at) {
    uint32_t lo = at;
    int column = 0;
    while (lo > 0 && src->text[lo - 1] != '\n') lo--;
    for (uint32_t i = lo; i < at;) {
        uint32_t end = i;
        while (end < at && src->text[end] != '\t') end++;
        column += tg_utf8_width(src->text + i, end - i);
        if (end < at) column = (column / 8 + 1) * 8;
        i = end + 1;
    }
    return column;
}

/* The comments in [lo, hi), where there is nothing else but white space. *item: what they leave for
 * what follows them. */
static bool add_comments(list *l, uint32_t lo, uint32_t hi, tg_layout_item *item) {
    const char *text = l->src->text;
    item->breaks = 0;
    for (uint32_t at = lo; at < hi;) {
        if (text[at] != '#') {
            item->breaks += text[at++] == '\n';
            continue;
        }
        const char *newline = memchr(text + at, '\n', hi - at);
        uint32_t end = newline ? (uint32_t)(newline - text) : hi, shown = end;
        while (strchr(" \t\r\f\v", text[shown - 1])) shown--;
        if (!add(l, (tg_layout_item){.kind = TG_TOK_COMMENT,
                                     .lo = at,
                                     .hi = shown,
                                     .breaks = item->breaks,
                                     .blank = at > lo,
                                     .column = column_of(l->src, at)}))
            return false;
        item->breaks = 0;
        at = end;
    }
    item->blank = hi > lo;
    return true;
}

/* Behind a `?` that asks, a keyword or sign stands for its own name. */
static bool is_asked(const list *l, const tg_token *t) {
    size_t n = l->n;
    if (n == 0 || l->items[n - 1].kind != TG_TOK_UNKNOWN || t->flags & TG_TOK_AFTER_LINE)
        return false;
    bool size = n > 1 && (l->items[n - 2].kind == TG_TOK_LBRACKET ||
                          l->items[n - 2].kind == TG_TOK_COMMA); /* input X[?, 3] */
    bool word = t->kind >= TG_TOK_TRUE && t->kind <= TG_TOK_RETURN;
    return !size && (word || (t->kind >= TG_TOK_COLON && t->kind != TG_TOK_UNKNOWN));
}

static bool add_all(list *l) {
    tg_lexer lex = tg_lex_start(l->src);
    for (uint32_t end = lex.at;;) {
        tg_token t = tg_lex_next(&lex);
        tg_layout_item item = {.kind = (int)t.kind};
        if (!add_comments(l, end, t.lo, &item)) return false;
        if (t.kind == TG_TOK_END) return true;
        if (t.kind == TG_TOK_QUOTE && !skip_string(l->c, &lex)) return false;
        if (is_asked(l, &t)) item.kind = TG_TOK_NAME;
        item.lo = t.lo;
        item.hi = end = lex.at;
        if (!add(l, item)) return false;
    }
}

bool tg_layout_items(tg_ctx *c, const tg_source *src, tg_layout_item **items, size_t *n) {
    list l = {.c = c, .src = src};
    bool ok = add_all(&l);
    if (!ok) {
        tg_free(l.items);
        l.items = NULL;
    }
    *items = l.items;
    *n = l.n;
    return ok;
}
