/* The parser's frame: tokens, nodes, errors, and the two entries. The grammar itself is in
 * parse_expression.c and parse_statement.c; tg.ebnf states it, and tests/unit/test_grammar.c holds
 * the two together.
 *
 * An error is "incomplete" exactly when the parser wanted something and met the end of the text. */
#include "grammar/parser.h"
#include "base/alloc.h"
#include "base/str.h"
#include "grammar/advice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- tokens ---- */

void tg_parser_advance(tg_parser *p) {
    p->prev = p->tok;
    p->tok = tg_lex_next(&p->lex);
}

tg_token tg_parser_peek(const tg_parser *p) {
    tg_lexer ahead = p->lex;
    return tg_lex_next(&ahead);
}

bool tg_parser_line_ended(const tg_parser *p) {
    if (!(p->tok.flags & TG_TOK_AFTER_LINE)) return false;
    return p->open ? p->open->what == TG_BRACKET_BLOCK : !p->lone;
}

bool tg_parser_is_word(const tg_parser *p, tg_token t, const char *word) {
    size_t n = t.hi - t.lo;
    return t.kind == TG_TOK_NAME && strlen(word) == n && memcmp(p->src->text + t.lo, word, n) == 0;
}

/* ---- nodes ---- */

tg_span tg_parser_span(const tg_parser *p, uint32_t lo, uint32_t hi) {
    return (tg_span){p->src, lo, hi};
}

static int line_of(const tg_parser *p, uint32_t at) {
    int line, col;
    size_t lo, hi;
    tg_source_place(p->src, at, &line, &col, &lo, &hi);
    return line;
}

tg_ast *tg_parser_node(tg_parser *p, tg_ast_kind kind, uint32_t lo, uint32_t hi, size_t n) {
    size_t bytes;
    if (!tg_check_interrupt(p->c)) {
        p->status = TG_PARSE_ERROR;
        tg_came_to(p->c, "line %d of the text", line_of(p, lo));
        return NULL;
    }
    if (n > INT32_MAX || !tg_size_mul(n, sizeof(tg_ast *), &bytes)) return tg_parser_no_memory(p);
    tg_ast *node = tg_arena_alloc(&p->unit->arena, sizeof *node + bytes);
    if (!node) return tg_parser_no_memory(p);
    node->kind = kind;
    node->span = tg_parser_span(p, lo, hi);
    node->n = (int)n;
    node->kids = n ? (tg_ast **)(node + 1) : NULL;
    return node;
}

bool tg_parser_push(tg_parser *p, tg_ast *node) {
    if (!node) return false;
    void *items = p->stack;
    if (!tg_grow(&items, &p->cap, p->count + 1, sizeof *p->stack))
        return tg_parser_no_memory(p) != NULL;
    p->stack = items;
    p->stack[p->count++] = node;
    return true;
}

tg_ast *tg_parser_collect(tg_parser *p, tg_ast_kind kind, uint32_t lo, uint32_t hi, size_t mark) {
    size_t n = p->count - mark;
    tg_ast *node = tg_parser_node(p, kind, lo, hi, n);
    if (node && n) memcpy(node->kids, p->stack + mark, n * sizeof *p->stack);
    p->count = mark;
    return node;
}

const char *tg_parser_name(tg_parser *p, tg_token t) {
    static const struct { const char *sign, *name; } signs[] = {{"π", "pi"}, {"∞", "inf"}};
    const char *text = p->src->text + t.lo;
    size_t n = t.hi - t.lo;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (strlen(signs[i].sign) != n || memcmp(text, signs[i].sign, n) != 0) continue;
        text = signs[i].name;
        n = strlen(text);
        break;
    }
    const char *name = tg_intern(p->c, text, n);
    return name ? name : tg_parser_no_memory(p);
}

/* ---- errors ---- */

void *tg_parser_no_memory(tg_parser *p) {
    p->status = TG_PARSE_ERROR;
    tg_fail_memory(p->c);
    return NULL;
}

bool tg_parser_guard(tg_parser *p) {
    if (tg_guard(p->c)) return true;
    p->status = TG_PARSE_ERROR;
    p->c->diag.at = tg_parser_span(p, p->tok.lo, p->tok.hi);
    tg_help(p->c, "give parts names of their own, or raise the limit with `ulimit -s`");
    return false;
}

/* A quote that was forgotten makes a string of the lines up to the next quote, and the error then
 * stands far away: say so. */
static void suspect_string(tg_parser *p, uint32_t at) {
    if (p->string_hi == 0 || at < p->string_hi || line_of(p, at) != line_of(p, p->string_hi))
        return;
    tg_note(p->c, "the string before this began at line %d: is its closing quote missing there?",
            line_of(p, p->string_lo));
}

__attribute__((noinline)) void *tg_parser_fail(tg_parser *p, uint32_t lo, uint32_t hi,
                                               const char *fmt, ...) {
    char message[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    p->status = TG_PARSE_ERROR;
    tg_fail(p->c, TG_ERR_SYNTAX, "%s", message);
    p->c->diag.at = tg_parser_span(p, lo, hi);
    suspect_string(p, lo);
    return NULL;
}

static const struct {
    const char *opening, *closing;
    tg_token_kind closer;
} brackets[] = {
    [TG_BRACKET_ROUND] = {"(", ")", TG_TOK_RPAREN},
    [TG_BRACKET_SQUARE] = {"[", "]", TG_TOK_RBRACKET},
    [TG_BRACKET_BLOCK] = {"{", "}", TG_TOK_RBRACE},
    [TG_BRACKET_RECORD] = {"{", "}", TG_TOK_RBRACE},
    [TG_BRACKET_HOLE] = {"{", "}", TG_TOK_RBRACE},
    [TG_BRACKET_STRING] = {"\"", "\"", TG_TOK_QUOTE},
};

__attribute__((noinline)) void *tg_parser_incomplete(tg_parser *p, const char *what) {
    tg_open *o = p->open;
    if (o && o->what == TG_BRACKET_STRING) {
        tg_parser_fail(p, o->at, o->at + 1, "this string was never closed");
        tg_help(p->c, "it ends with a \"; inside it, write a quote as \\\"");
    } else if (o) {
        tg_parser_fail(p, o->at, o->at + 1, "this \"%s\" was never closed",
                       brackets[o->what].opening);
    } else {
        tg_token t = p->prev;
        int n = t.hi - t.lo > 30 ? 30 : (int)(t.hi - t.lo);
        tg_parser_fail(p, t.lo, t.hi, "expected %s after \"%.*s\", but the text ends", what, n,
                       p->src->text + t.lo);
    }
    p->status = TG_PARSE_INCOMPLETE;
    return NULL;
}

/* The token as an error names it. */
static void describe(const tg_parser *p, tg_token t, char *out, size_t size) {
    uint32_t n = t.hi - t.lo;
    const char *text = p->src->text + t.lo, *dots = "";
    if (n > 30) {
        n = (uint32_t)tg_utf8_start(text, 27);
        dots = "...";
    }
    if (t.kind == TG_TOK_QUOTE)
        snprintf(out, size, "a string");
    else
        snprintf(out, size, "\"%.*s%s\"", (int)n, text, dots);
}

__attribute__((noinline)) void *tg_parser_expected(tg_parser *p, const char *what) {
    if (p->tok.kind == TG_TOK_END) return tg_parser_incomplete(p, what);
    char found[64];
    describe(p, p->tok, found, sizeof found);
    tg_parser_fail(p, p->tok.lo, p->tok.hi, "expected %s, found %s", what, found);
    tg_advice_add(p);
    return NULL;
}

void tg_parser_open(tg_parser *p, tg_open *o, tg_bracket what) {
    *o = (tg_open){what, p->tok.lo, p->open};
    p->open = o;
    tg_parser_advance(p);
}

static __attribute__((noinline)) bool not_closed(tg_parser *p) {
    tg_open *o = p->open;
    char what[80], place[32] = "";
    int opened = line_of(p, o->at);
    if (opened != line_of(p, p->tok.lo))
        snprintf(place, sizeof place, " opened at line %d", opened);
    snprintf(what, sizeof what, "\"%s\" to close the \"%s\"%s", brackets[o->what].closing,
             brackets[o->what].opening, place);
    tg_parser_expected(p, what);
    if (p->status == TG_PARSE_ERROR) p->c->diag.with[0] = tg_parser_span(p, o->at, o->at + 1);
    return false;
}

bool tg_parser_close(tg_parser *p) {
    if (p->tok.kind != brackets[p->open->what].closer) return not_closed(p);
    p->open = p->open->outer;
    tg_parser_advance(p);
    return true;
}

/* ---- entries ---- */

/* program = [ separators ] [ statement { separators statement } [ separators ] ] */
static bool parse_whole(tg_parser *p) {
    if (!p->lone) return tg_parse_statements(p, TG_TOK_END);
    if (!tg_parser_push(p, tg_parse_level(p, TG_LEVEL_EXPRESSION))) return false;
    return p->tok.kind == TG_TOK_END || tg_parser_expected(p, "the end of the expression") != NULL;
}

static tg_parse_status run(tg_ctx *c, tg_source *src, bool lone, tg_unit **out) {
    *out = NULL;
    tg_clear(c);
    if (!tg_lex_check(c, src)) return TG_PARSE_ERROR;
    tg_unit *u = tg_alloc_array(1, sizeof *u);
    if (!u) {
        tg_fail_memory(c);
        return TG_PARSE_ERROR;
    }
    u->refs = 1;
    u->src = tg_source_hold(src);
    tg_parser p = {.c = c, .src = src, .unit = u, .lex = tg_lex_start(src), .lone = lone};
    tg_parser_advance(&p);
    if (parse_whole(&p) && p.count > INT32_MAX) tg_parser_no_memory(&p);
    if (p.status == TG_PARSE_OK) {
        u->n = (int)p.count;
        u->statements = tg_arena_alloc(&u->arena, p.count * sizeof *u->statements + 1);
        if (!u->statements)
            tg_parser_no_memory(&p);
        else if (p.count)
            memcpy(u->statements, p.stack, p.count * sizeof *u->statements);
    }
    tg_free(p.stack);
    tg_str_free(&p.text);
    if (p.status == TG_PARSE_OK)
        *out = u;
    else
        tg_unit_drop(u);
    return p.status;
}

tg_parse_status tg_parse(tg_ctx *c, tg_source *src, tg_unit **out) {
    return run(c, src, false, out);
}

tg_parse_status tg_parse_expression(tg_ctx *c, tg_source *src, tg_unit **out) {
    return run(c, src, true, out);
}
