/* A text as it is being typed, token by token (tg_scan of include/tg.h): the lexer, and what of
 * strings and brackets the parser knows and the lexer does not. Nothing is an error here. Brackets
 * are matched as far as they can be: one that closes nothing leaves the stack as it is. */
#include "grammar/token.h"
#include "tg.h"

#include <stdbool.h>
#include <string.h>

enum { HOLE = '}' };

static void push(tg_scan *s, size_t at, char by) {
    if (s->depth < TG_SCAN_DEEPEST) {
        s->open[s->depth].at = at;
        s->open[s->depth].by = by;
    }
    s->depth++;
}

/* What the innermost is; 0: nothing is open, or too deep to know. */
static char innermost(const tg_scan *s) {
    return s->depth > 0 && s->depth <= TG_SCAN_DEEPEST ? s->open[s->depth - 1].by : '\0';
}

/* A piece of a string, from s->hi on: up to a hole, or past the quote. */
static tg_scan_kind piece(tg_scan *s) {
    size_t at = s->hi;
    while (at < s->len) {
        char c = s->text[at];
        bool twice = at + 1 < s->len && s->text[at + 1] == c;
        if (c == '{' && !twice) break;
        if (c == '"') {
            s->depth--;
            at++;
            break;
        }
        const bool pair = (c == '\\' && at + 1 < s->len) || (c == '{' && twice);
        at += pair ? 2 : 1;
    }
    s->hi = at;
    return TG_SCAN_TEXT;
}

/* The format behind the colon of a hole. */
static void format(tg_scan *s) {
    while (s->hi < s->len && !strchr("{}\"\n", s->text[s->hi])) s->hi++;
}

static tg_scan_kind closing(tg_scan *s, char by) {
    char in = innermost(s);
    if (in == by || (by == '{' && in == HOLE) || s->depth > TG_SCAN_DEEPEST) s->depth--;
    return TG_SCAN_CLOSE;
}

static tg_scan_kind sort(tg_scan *s, tg_token_kind kind) {
    switch (kind) {
    case TG_TOK_END: return TG_SCAN_END;
    case TG_TOK_BAD: return TG_SCAN_BAD;
    case TG_TOK_NUMBER: return TG_SCAN_NUMBER;
    case TG_TOK_NAME: return TG_SCAN_NAME;
    case TG_TOK_QUOTE: push(s, s->lo, '"'); return piece(s);
    case TG_TOK_LPAREN: push(s, s->lo, '('); return TG_SCAN_OPEN;
    case TG_TOK_LBRACKET: push(s, s->lo, '['); return TG_SCAN_OPEN;
    case TG_TOK_LBRACE: push(s, s->lo, '{'); return TG_SCAN_OPEN;
    case TG_TOK_RPAREN: return closing(s, '(');
    case TG_TOK_RBRACKET: return closing(s, '[');
    case TG_TOK_RBRACE: return closing(s, '{');
    case TG_TOK_COLON:
        if (innermost(s) == HOLE) format(s);
        return TG_SCAN_SIGN;
    default: return kind >= TG_TOK_TRUE && kind <= TG_TOK_RETURN ? TG_SCAN_KEYWORD : TG_SCAN_SIGN;
    }
}

tg_scan_kind tg_scan_next(tg_scan *s) {
    s->lo = s->hi;
    if (innermost(s) == '"' && s->hi < s->len) {
        if (s->text[s->hi] != '{' || (s->hi + 1 < s->len && s->text[s->hi + 1] == '{'))
            return piece(s);
        push(s, s->hi++, HOLE);
        return TG_SCAN_OPEN;
    }
    if (s->len - s->hi > UINT32_MAX) return TG_SCAN_END;
    /* The lexer sees the rest as a text of its own: its numbers are 32 bits. */
    tg_lexer lexer = {s->text + s->hi, (uint32_t)(s->len - s->hi), 0};
    tg_token t = tg_lex_next(&lexer);
    const char *comment = memchr(lexer.text, '#', t.lo);
    if (comment) {
        const char *end = memchr(comment, '\n', t.lo - (size_t)(comment - lexer.text));
        s->lo = s->hi + (size_t)(comment - lexer.text);
        s->hi += end ? (size_t)(end - lexer.text) : t.lo;
        return TG_SCAN_COMMENT;
    }
    s->lo = s->hi + t.lo;
    s->hi += t.hi;
    return sort(s, t.kind);
}
