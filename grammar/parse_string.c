/* Strings: "text {expression:format} text". The pieces of text are read here, byte by byte; an
 * expression in a hole is parsed by the parser itself, on the spot, so that its spans lie in the
 * source.
 *
 *   string = '"' { text | hole } '"'
 *   hole   = "{" expression [ ":" format ] "}"
 *
 * A string may span lines. Escapes: \n \t \r \" \\ \u{hex}; {{ and }} are braces. */
#include "grammar/parser.h"

#include <string.h>

static uint32_t rest(const tg_parser *p) {
    return p->lex.len - p->lex.at;
}

static void add_utf8(tg_str *s, unsigned code) {
    if (code < 0x80) {
        tg_str_addc(s, (char)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned lead[] = {0, 0xC0, 0xE0, 0xF0};
    tg_str_addc(s, (char)(lead[more] | code >> (6 * more)));
    while (more-- > 0) tg_str_addc(s, (char)(0x80 | ((code >> (6 * more)) & 0x3F)));
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Behind `\u`: "{" 1 to 6 hex digits "}". */
static bool unicode_escape(tg_parser *p, uint32_t lo) {
    const char *text = p->lex.text;
    uint32_t at = p->lex.at, len = p->lex.len, first = at + 1;
    unsigned code = 0;
    if (at < len && text[at] == '{')
        for (at++; at < len && at < first + 6 && hex_digit(text[at]) >= 0; at++)
            code = code * 16 + (unsigned)hex_digit(text[at]);
    if (at == len) return tg_parser_incomplete(p, "the end of the string") != NULL;
    p->lex.at = at + 1;
    if (at <= first || text[at] != '}') {
        tg_parser_fail(p, lo, at, "a character by its number is written \\u{3B1}");
        return false;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        tg_parser_fail(p, lo, at + 1, "there is no character U+%04X", code);
        return false;
    }
    add_utf8(&p->text, code);
    return true;
}

/* Behind a backslash at `lo`. */
static bool escape(tg_parser *p, uint32_t lo) {
    static const char names[] = "ntr\"\\", meanings[] = "\n\t\r\"\\";
    if (rest(p) == 0) return tg_parser_incomplete(p, "the end of the string") != NULL;
    char c = p->lex.text[p->lex.at];
    const char *at = c ? strchr(names, c) : NULL;
    int n = tg_utf8_next(p->lex.text + p->lex.at, rest(p), NULL);
    p->lex.at += (uint32_t)n;
    if (at) {
        tg_str_addc(&p->text, meanings[at - names]);
        return true;
    }
    if (c == 'u') return unicode_escape(p, lo);
    tg_parser_fail(p, lo, p->lex.at, "\"%.*s\" is not an escape", n + 1, p->lex.text + lo);
    tg_help(p->c,
            c == '{' || c == '}'
                ? "write %c%c for a brace"
                : "there are \\n \\t \\r \\\" \\\\ and \\u{3B1}; a backslash is \\\\",
            c, c);
    return false;
}

/* Moves from the lexer's place to the end of the piece: a quote, a single brace or the end of the
 * source. */
static bool piece(tg_parser *p) {
    const char *text = p->lex.text;
    while (rest(p) > 0) {
        uint32_t at = p->lex.at, run = at;
        while (run < p->lex.len && !strchr("\"\\{}\r", text[run])) run++;
        tg_str_addn(&p->text, text + at, run - at);
        p->lex.at = run;
        if (rest(p) == 0 || text[run] == '"') break;
        char c = text[run];
        bool twice = rest(p) > 1 && text[run + 1] == c;
        if (c == '{' && !twice) break;
        p->lex.at++;
        if (c == '\\') {
            if (!escape(p, run)) return false;
        } else if (c == '\r') { /* a line's end is \n, whatever the file has */
            if (rest(p) == 0 || text[p->lex.at] != '\n') tg_str_addc(&p->text, c);
        } else if (twice) {
            tg_str_addc(&p->text, c);
            p->lex.at++;
        } else {
            tg_parser_fail(p, run, run + 1, "a single \"}\" in a string closes nothing");
            tg_help(p->c, "write }} for a brace");
            return false;
        }
    }
    return true;
}

/* Pushes the piece of text from the lexer's place on, if it is not empty. */
static bool text_part(tg_parser *p) {
    uint32_t lo = p->lex.at;
    p->text.len = 0;
    if (!piece(p)) return false;
    if (p->text.failed) return tg_parser_no_memory(p) != NULL;
    if (p->text.len == 0) return true;
    tg_ast *node = tg_parser_node(p, TG_AST_TEXT, lo, p->lex.at, 0);
    if (!tg_parser_push(p, node)) return false;
    node->name = tg_arena_copy(&p->unit->arena, p->text.text, p->text.len);
    node->len = p->text.len;
    return node->name || tg_parser_no_memory(p) != NULL;
}

/* At the colon of a hole, or at the ":=" it makes with a format that begins with "=": printable
 * ASCII up to the brace. */
static bool format(tg_parser *p, tg_ast *hole) {
    uint32_t lo = p->tok.lo + 1, hi = lo;
    const char *text = p->src->text;
    while (text[hi] >= ' ' && text[hi] < 0x7F && !strchr("{}\"", text[hi])) hi++;
    p->lex.at = hi;
    tg_parser_advance(p);
    if (hi == lo && p->tok.kind != TG_TOK_END) {
        tg_parser_expected(p, "a format after \":\"");
        return tg_help(p->c, "as in {x:.3f}");
    }
    hole->len = hi - lo;
    hole->name = tg_arena_copy(&p->unit->arena, text + lo, hi - lo);
    return hole->name || tg_parser_no_memory(p) != NULL;
}

/* At the `{` of a hole, which the lexer has not read yet; ends behind the `}`. */
static tg_ast *hole(tg_parser *p) {
    tg_open open;
    uint32_t lo = p->lex.at;
    tg_parser_advance(p);
    tg_parser_open(p, &open, TG_BRACKET_HOLE);
    if (p->tok.kind == TG_TOK_RBRACE) {
        tg_parser_fail(p, lo, p->tok.hi, "an expression is missing between the braces");
        tg_help(p->c, "for braces themselves write {{ and }}");
        return NULL;
    }
    tg_ast *x = tg_parse_level(p, TG_LEVEL_EXPRESSION);
    tg_ast *node = x ? tg_parser_node(p, TG_AST_HOLE, lo, 0, 1) : NULL;
    if (!node) return NULL;
    node->kids[0] = x;
    bool formatted = p->tok.kind == TG_TOK_COLON || p->tok.kind == TG_TOK_STORE;
    if (formatted && !format(p, node)) return NULL;
    if (p->tok.kind != TG_TOK_RBRACE) return tg_parser_close(p) ? node : NULL;
    p->open = open.outer; /* the text behind the brace is not a token: do not advance */
    node->span.hi = p->lex.at = p->tok.hi;
    return node;
}

tg_ast *tg_parse_string(tg_parser *p) {
    size_t mark = p->count;
    uint32_t lo = p->tok.lo;
    tg_open open = {TG_BRACKET_STRING, lo, p->open};
    p->open = &open;
    for (;;) {
        if (!text_part(p)) return NULL;
        if (rest(p) == 0) return tg_parser_incomplete(p, "the end of the string");
        if (p->lex.text[p->lex.at] == '"') break;
        if (!tg_parser_push(p, hole(p))) return NULL;
    }
    p->open = open.outer;
    tg_parser_advance(p); /* the quote, */
    tg_parser_advance(p); /* and what follows */
    if (memchr(p->src->text + lo, '\n', p->prev.hi - lo)) {
        p->string_lo = lo;
        p->string_hi = p->prev.hi;
    }
    return tg_parser_collect(p, TG_AST_STRING, lo, p->prev.hi, mark);
}
