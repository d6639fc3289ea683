/* The layout of a program: where its blanks and line ends are.
 *
 * Lines stay lines: what somebody broke in two stays broken, and a long line stays long. Within a
 * line the blanks follow from pairs of neighbours (`spaced`); the one choice left to the writer is
 * that a product may stand tight (2*x + 1). A line is indented by two columns for the bracket it
 * stands in, or, where something follows the bracket on its line, to below that; by two more where
 * a statement goes on. Comments behind code keep their column, and a column of them stays one,
 * moved right together where the code needs the room. At most one blank line stays.
 *
 * The decisions hang on the tokens alone, not on the blanks found (but for those around a product,
 * and columns of comments, which are left as they are), and so a second time changes nothing. That
 * the meaning is kept is not argued but looked at: the new text is parsed, and the trees compared.
 */
#include "grammar/layout.h"
#include "base/alloc.h"
#include "grammar/parse.h"

#include <string.h>

enum { STEP = 2 };

typedef struct bracket {
    int kind;     /* of the token that opened it */
    bool record;  /* a { of a record, not of a block */
    int line;     /* the indentation of the line it stands in */
    int contents; /* and of the lines within it */
} bracket;

typedef struct line {
    size_t lo, hi;  /* its code, indentation included: bytes of `code` */
    size_t comment; /* the item behind it, or alone in it; `none` */
    int width;      /* of its code, on the screen; of several lines, of the last */
    int column;     /* where the comment goes */
    bool lone;      /* no code */
    bool after_blank;
} line;

typedef struct layout {
    tg_ctx *c;
    const tg_source *src;
    tg_layout_item *items;
    size_t n;
    bracket *brackets;
    size_t depth, brackets_cap;
    tg_str code;
    line *lines;
    size_t nlines, lines_cap;
    size_t last; /* the last item that is no comment; `none` */
    bool words;  /* that item is the word assume, which begins a declaration */
} layout;

static const size_t none = SIZE_MAX;

/* ---- kinds of items ---- */

static bool ends_operand(int kind) {
    switch (kind) {
    case TG_TOK_NUMBER:
    case TG_TOK_NAME:
    case TG_TOK_QUOTE:
    case TG_TOK_SUPER:
    case TG_TOK_TRUE:
    case TG_TOK_FALSE:
    case TG_TOK_NONE:
    case TG_TOK_RPAREN:
    case TG_TOK_RBRACKET:
    case TG_TOK_RBRACE:
    case TG_TOK_PRIME:
    case TG_TOK_UNKNOWN: return true;
    default: return false;
    }
}

static bool opens(int kind) {
    return kind == TG_TOK_LPAREN || kind == TG_TOK_LBRACKET || kind == TG_TOK_LBRACE;
}

static bool closes(int kind) {
    return kind == TG_TOK_RPAREN || kind == TG_TOK_RBRACKET || kind == TG_TOK_RBRACE;
}

static bool is_sign(int kind) {
    return kind == TG_TOK_ADD || kind == TG_TOK_SUB;
}

static bool is_product(int kind) {
    return kind == TG_TOK_MUL || kind == TG_TOK_DIV || kind == TG_TOK_MOD || kind == TG_TOK_MATMUL;
}

static int kind_at(const layout *l, size_t i) {
    return i < l->n ? l->items[i].kind : TG_TOK_END;
}

/* The next item that is no comment. */
static size_t behind(const layout *l, size_t i) {
    do i++;
    while (i < l->n && l->items[i].kind == TG_TOK_COMMENT);
    return i;
}

static bool is_word(const layout *l, size_t i, const char *word) {
    size_t n = strlen(word);
    return kind_at(l, i) == TG_TOK_NAME && l->items[i].hi - l->items[i].lo == n &&
           memcmp(l->src->text + l->items[i].lo, word, n) == 0;
}

static bool in_block(const layout *l) {
    if (l->depth == 0) return true;
    const bracket *b = &l->brackets[l->depth - 1];
    return b->kind == TG_TOK_LBRACE && !b->record;
}

static bool in(const layout *l, int kind, bool record) {
    const bracket *b = l->depth ? &l->brackets[l->depth - 1] : NULL;
    return b && b->kind == kind && b->record == record;
}

/* Whether a statement is complete where a line ends behind item i. */
static bool ends_statement(const layout *l, size_t i) {
    int kind = i == none ? TG_TOK_SEMICOLON : kind_at(l, i);
    return ends_operand(kind) || kind == TG_TOK_SEMICOLON || kind == TG_TOK_BREAK ||
           kind == TG_TOK_CONTINUE || kind == TG_TOK_RETURN || kind == TG_TOK_LBRACE;
}

static bool begins_line(const layout *l, size_t i) {
    return l->last == none || l->items[i].breaks > 0 || kind_at(l, i - 1) == TG_TOK_COMMENT;
}

static bool begins_statement(const layout *l, size_t i) {
    int before = l->last == none ? TG_TOK_SEMICOLON : kind_at(l, l->last);
    if (!in_block(l)) return false;
    return before == TG_TOK_SEMICOLON || before == TG_TOK_LBRACE ||
           (begins_line(l, i) && ends_statement(l, l->last));
}

/* `where` at the beginning of a line, when it names parts of the expression before it. */
static bool begins_parts(const layout *l, size_t i) {
    return is_word(l, i, "where") && kind_at(l, i + 1) == TG_TOK_NAME &&
           kind_at(l, i + 2) == TG_TOK_ASSIGN && !l->items[i + 1].breaks && !l->items[i + 2].breaks;
}

/* The word assume in front of a condition that could be taken for an operand of it. */
static bool is_assume(const layout *l, size_t i) {
    if (!is_word(l, i, "assume") || !begins_statement(l, i) || i + 1 >= l->n) return false;
    int next = kind_at(l, i + 1);
    return !l->items[i + 1].breaks && (is_sign(next) || next == TG_TOK_LPAREN ||
                                       (next == TG_TOK_LBRACKET && l->items[i + 1].blank));
}

/* Whether item i, a sign, has one operand only. */
static bool is_unary(const layout *l, size_t i) {
    return l->last == none || l->words || !ends_operand(kind_at(l, l->last)) ||
           begins_statement(l, i);
}

/* ---- blanks ---- */

/* Would the two be other tokens, if nothing stood between them? */
static bool glued(layout *l, const tg_layout_item *a, const tg_layout_item *b, bool *out) {
    *out = false;
    if (a->kind == TG_TOK_QUOTE || opens(b->kind) || closes(b->kind)) return true;
    tg_str both = {0};
    tg_str_addn(&both, l->src->text + a->lo, a->hi - a->lo);
    tg_str_addn(&both, l->src->text + b->lo, b->hi - b->lo);
    if (both.failed) {
        tg_str_free(&both);
        return tg_fail_memory(l->c);
    }
    tg_lexer lex = {both.text, (uint32_t)both.len, 0};
    *out = tg_lex_next(&lex).hi != a->hi - a->lo;
    tg_str_free(&both);
    return true;
}

static bool is_tight_product(const layout *l, size_t i) {
    return i + 1 < l->n && !l->items[i].blank && !l->items[i + 1].blank;
}

/* Whether a blank belongs between item i and l->last, in the same line. `unary`: the last is a sign
 * with one operand. */
static bool spaced(const layout *l, size_t i, bool unary) {
    int a = kind_at(l, l->last), b = kind_at(l, i);
    if (b == TG_TOK_COMMA || b == TG_TOK_SEMICOLON) return false;
    if (a == TG_TOK_LBRACE || b == TG_TOK_RBRACE)
        return a != TG_TOK_LBRACE || b != TG_TOK_RBRACE ? in_block(l) : false;
    if (a == TG_TOK_LPAREN || a == TG_TOK_LBRACKET || b == TG_TOK_RPAREN || b == TG_TOK_RBRACKET)
        return false;
    if (a == TG_TOK_COMMA || a == TG_TOK_SEMICOLON) return true;
    if (a == TG_TOK_DOT || b == TG_TOK_DOT || b == TG_TOK_PRIME || b == TG_TOK_SUPER) return false;
    if (a == TG_TOK_RANGE || b == TG_TOK_RANGE || a == TG_TOK_POW || b == TG_TOK_POW) return false;
    if (a == TG_TOK_COLON) return in(l, TG_TOK_LBRACE, true);
    if (b == TG_TOK_COLON || a == TG_TOK_UNKNOWN) return false;
    if (a == TG_TOK_ASSIGN || b == TG_TOK_ASSIGN) return !in(l, TG_TOK_LPAREN, false);
    if (unary) return is_sign(b) && a == b; /* x++ has no meaning */
    if (b == TG_TOK_LPAREN || b == TG_TOK_LBRACKET)
        if (ends_operand(a) && !l->words) return false;
    if (is_product(a)) return !is_tight_product(l, l->last);
    if (is_product(b)) return !is_tight_product(l, i);
    return true;
}

/* ---- lines ---- */

static bool push(layout *l, size_t i, int here) {
    void *brackets = l->brackets;
    if (!tg_grow(&brackets, &l->brackets_cap, l->depth + 1, sizeof *l->brackets))
        return tg_fail_memory(l->c);
    l->brackets = brackets;
    size_t first = behind(l, i);
    bracket *b = &l->brackets[l->depth++];
    *b = (bracket){.kind = kind_at(l, i), .line = here, .contents = here + STEP};
    b->record = b->kind == TG_TOK_LBRACE && kind_at(l, first) == TG_TOK_NAME &&
                kind_at(l, behind(l, first)) == TG_TOK_COLON;
    bool hangs = i + 1 < l->n && first == i + 1 && !l->items[first].breaks;
    if (hangs && (b->kind != TG_TOK_LBRACE || b->record))
        b->contents = l->lines[l->nlines - 1].width;
    return true;
}

/* The indentation of a line that begins with item i. */
static int indentation(const layout *l, size_t i) {
    size_t depth = l->depth;
    int closed = -1;
    for (size_t k = i; closes(kind_at(l, k)) && (k == i || !l->items[k].breaks) && depth > 0; k++)
        closed = l->brackets[--depth].line;
    if (closed >= 0) return closed;
    int base = depth ? l->brackets[depth - 1].contents : 0;
    if (!in_block(l)) return base;
    bool goes_on = !ends_statement(l, l->last) && kind_at(l, i) != TG_TOK_LBRACE;
    return goes_on || begins_parts(l, i) ? base + STEP : base;
}

static bool open_line(layout *l, size_t i) {
    void *lines = l->lines;
    if (!tg_grow(&lines, &l->lines_cap, l->nlines + 1, sizeof *l->lines))
        return tg_fail_memory(l->c);
    l->lines = lines;
    bool after_blank = l->items[i].breaks > 1 && l->nlines > 0 && !opens(kind_at(l, i - 1)) &&
                       !closes(kind_at(l, i));
    l->lines[l->nlines++] = (line){.lo = l->code.len,
                                   .hi = l->code.len,
                                   .comment = none,
                                   .column = indentation(l, i),
                                   .after_blank = after_blank};
    return true;
}

static void add_code(layout *l, size_t i, bool blank) {
    const tg_layout_item *item = &l->items[i];
    line *now = &l->lines[l->nlines - 1];
    const char *text = l->src->text + item->lo;
    size_t n = item->hi - item->lo;
    int blanks = now->lo == now->hi ? now->column : blank;
    tg_str_repeat(&l->code, ' ', blanks);
    tg_str_addn(&l->code, text, n);
    now->hi = l->code.len;
    now->width += blanks;
    for (const char *newline; (newline = memchr(text, '\n', n)); text = newline + 1) {
        n -= (size_t)(newline + 1 - text); /* in a string */
        now->width = 0;
    }
    now->width += tg_utf8_width(text, n);
}

/* Adds a token or string to the line. */
static bool place_code(layout *l, size_t i, bool first, bool unary) {
    const tg_layout_item *item = &l->items[i];
    int here = l->lines[l->nlines - 1].column;
    bool blank = !first && spaced(l, i, unary);
    if (!first && !blank && !glued(l, &l->items[l->last], item, &blank)) return false;
    if (closes(item->kind) && l->depth > 0) l->depth--;
    add_code(l, i, blank);
    if (l->code.failed) return tg_fail_memory(l->c);
    return !opens(item->kind) || push(l, i, here);
}

static bool place_all(layout *l) {
    bool unary = false;
    for (size_t i = 0; i < l->n; i++) {
        bool comment = l->items[i].kind == TG_TOK_COMMENT;
        bool first =
            l->nlines == 0 || l->items[i].breaks > 0 || kind_at(l, i - 1) == TG_TOK_COMMENT;
        if (first && !open_line(l, i)) return false;
        if (comment) {
            line *now = &l->lines[l->nlines - 1];
            now->comment = i;
            now->lone = now->lo == now->hi;
            continue;
        }
        bool is_one = is_sign(l->items[i].kind) && is_unary(l, i), assume = is_assume(l, i);
        if (!place_code(l, i, first, unary)) return false;
        unary = is_one;
        l->words = assume;
        l->last = i;
    }
    return true;
}

/* ---- comments ---- */

/* Lines [lo, hi) have comments in one column: may line hi join them? */
static bool joins(const layout *l, size_t lo, size_t hi) {
    const line *a = &l->lines[lo], *b = &l->lines[hi];
    return b->comment != none && !b->after_blank &&
           l->items[a->comment].column == l->items[b->comment].column;
}

static void align_comments(layout *l) {
    for (size_t i = 0, end; i < l->nlines; i = end) {
        end = i + 1;
        if (l->lines[i].comment == none || l->lines[i].lone) continue;
        while (end < l->nlines && joins(l, i, end)) end++;
        int column = l->items[l->lines[i].comment].column;
        for (size_t k = i; k < end; k++)
            if (!l->lines[k].lone && l->lines[k].width + STEP > column)
                column = l->lines[k].width + STEP;
        for (size_t k = i; k < end; k++) l->lines[k].column = column;
    }
}

static void write_lines(const layout *l, tg_str *out) {
    for (size_t i = 0; i < l->nlines; i++) {
        const line *x = &l->lines[i];
        if (x->after_blank) tg_str_addc(out, '\n');
        tg_str_addn(out, tg_str_text(&l->code) + x->lo, x->hi - x->lo);
        if (x->comment != none) {
            const tg_layout_item *item = &l->items[x->comment];
            tg_str_repeat(out, ' ', x->column - x->width);
            tg_str_addn(out, l->src->text + item->lo, item->hi - item->lo);
        }
        tg_str_addc(out, '\n');
    }
}

/* ---- the whole ---- */

static bool arrange(tg_ctx *c, const tg_source *src, tg_str *out) {
    layout l = {.c = c, .src = src, .last = none};
    bool ok = tg_layout_items(c, src, &l.items, &l.n) && place_all(&l);
    if (ok) {
        align_comments(&l);
        write_lines(&l, out);
        if (out->failed) ok = tg_fail_memory(c);
    }
    tg_free(l.items);
    tg_free(l.brackets);
    tg_free(l.lines);
    tg_str_free(&l.code);
    return ok;
}

/* Parses the new text, and compares. */
static bool means_the_same(tg_ctx *c, const tg_unit *old, const char *text, size_t len) {
    tg_unit *unit = NULL;
    bool same = false;
    tg_source *src = tg_source_new(old->src->name, text, len);
    if (!src) return tg_fail_memory(c);
    bool ok = tg_parse(c, src, &unit) == TG_PARSE_OK && tg_unit_same(c, old, unit, &same);
    if (c->diag.kind != TG_ERR_MEMORY && (!ok || !same))
        ok = tg_fail(c, TG_ERR_VALUE,
                     "another layout would change the meaning of %s, which is a "
                     "mistake of tg: it was left as it is",
                     src->name);
    tg_unit_drop(unit);
    tg_source_drop(src);
    return ok;
}

bool tg_layout_program(tg_ctx *c, tg_source *src, tg_str *out) {
    tg_unit *unit;
    size_t from = out->len;
    if (tg_parse(c, src, &unit) != TG_PARSE_OK) return false;
    bool ok =
        arrange(c, src, out) && means_the_same(c, unit, tg_str_text(out) + from, out->len - from);
    tg_unit_drop(unit);
    return ok;
}
