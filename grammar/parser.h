/* What the files of the parser share; nobody else includes it. A parse function returns its node,
 * or NULL when it failed: then the error is in the context and the kind of failure in p->status.
 *
 * Children are collected on one stack of the parser, above a mark that the function remembers, and
 * copied into the arena when their number is known. The innermost open bracket is a record in the C
 * frame that will close it: it says whether newlines count, and which bracket an error at the end
 * of the text must name. */
#ifndef TG_GRAMMAR_PARSER_H
#define TG_GRAMMAR_PARSER_H

#include "base/str.h"
#include "grammar/parse.h"
#include "grammar/token.h"

typedef enum tg_bracket {
    TG_BRACKET_ROUND,
    TG_BRACKET_SQUARE,
    TG_BRACKET_BLOCK, /* the only one inside which newlines separate */
    TG_BRACKET_RECORD,
    TG_BRACKET_HOLE, /* {expression} of a string */
    TG_BRACKET_STRING,
} tg_bracket;

typedef struct tg_open {
    tg_bracket what;
    uint32_t at;
    struct tg_open *outer;
} tg_open;

/* Binding strengths, loosest first; grammar/tg.ebnf has a rule for each. */
enum tg_level {
    TG_LEVEL_EXPRESSION = 1, /* lambda */
    TG_LEVEL_OR,
    TG_LEVEL_AND,
    TG_LEVEL_NOT,
    TG_LEVEL_COMPARISON,
    TG_LEVEL_RANGE,
    TG_LEVEL_SUM,
    TG_LEVEL_PRODUCT,
    TG_LEVEL_SIGN,
    TG_LEVEL_POWER,
};

typedef struct tg_parser {
    tg_ctx *c;
    tg_source *src;
    tg_unit *unit; /* being made */
    tg_lexer lex;
    tg_token tok;  /* to be parsed next; the lexer stands right behind it */
    tg_token prev; /* the one before */
    tg_open *open; /* the innermost open bracket */
    bool lone;     /* one expression is wanted: newlines do not count */
    tg_parse_status status;
    tg_ast **stack; /* children under way */
    size_t count, cap;
    tg_str text;                   /* the piece of a string under way */
    uint32_t string_lo, string_hi; /* the last string that spans lines: maybe a quote is missing */
} tg_parser;

/* ---- parse.c: tokens, nodes, errors ---- */

void tg_parser_advance(tg_parser *p);
tg_token tg_parser_peek(const tg_parser *p); /* the token behind p->tok */
/* True when a newline that counts stands before p->tok, so that what comes before it is complete.
 */
bool tg_parser_line_ended(const tg_parser *p);
bool tg_parser_is_word(const tg_parser *p, tg_token t, const char *word);

/* Opens the bracket at p->tok and moves behind it. */
void tg_parser_open(tg_parser *p, tg_open *o, tg_bracket what);
/* Expects the closing token of the innermost bracket and moves behind it. */
bool tg_parser_close(tg_parser *p);

bool tg_parser_push(tg_parser *p, tg_ast *node); /* false if node is NULL, too */
/* A node [lo, hi) with room for n children, all NULL. */
tg_ast *tg_parser_node(tg_parser *p, tg_ast_kind kind, uint32_t lo, uint32_t hi, size_t n);
/* A node whose children are what was pushed since `mark`. */
tg_ast *tg_parser_collect(tg_parser *p, tg_ast_kind kind, uint32_t lo, uint32_t hi, size_t mark);
/* The interned name at token t; NULL: no memory. */
const char *tg_parser_name(tg_parser *p, tg_token t);
tg_span tg_parser_span(const tg_parser *p, uint32_t lo, uint32_t hi);

/* Record an error and return NULL. fail: at [lo, hi). expected: `what` is missing at p->tok; this
 * is "incomplete" at the end of the text. */
void *tg_parser_fail(tg_parser *p, uint32_t lo, uint32_t hi, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void *tg_parser_expected(tg_parser *p, const char *what);
void *tg_parser_incomplete(tg_parser *p, const char *what);
void *tg_parser_no_memory(tg_parser *p);
bool tg_parser_guard(tg_parser *p);

/* ---- parse_expression.c, parse_string.c ---- */

tg_ast *tg_parse_level(tg_parser *p, int level);
/* At a number. */
tg_ast *tg_parse_number(tg_parser *p);
/* At a `"`. */
tg_ast *tg_parse_string(tg_parser *p);
/* At a `(`: pushes what stands in the brackets of a call or parameter list, and closes them.
 * *named: the first `x = e`. */
bool tg_parse_arguments(tg_parser *p, bool *comma, tg_ast **named);
/* Turns the arguments pushed since `mark` into parameters. */
bool tg_parse_parameters(tg_parser *p, size_t mark);

/* ---- parse_statement.c ---- */

/* Pushes statements up to `end` (a brace or the end of the text), which is not consumed. */
bool tg_parse_statements(tg_parser *p, tg_token_kind end);
/* At a `{`. */
tg_ast *tg_parse_block(tg_parser *p);
/* The body of `owner`: a block must stand here. */
tg_ast *tg_parse_body(tg_parser *p, const char *owner);
tg_ast *tg_parse_if(tg_parser *p);

#endif
