/* Tokens and the lexer. The lexer is pulled by the parser one token at a time and never fails: what
 * it cannot read is a token TG_TOK_BAD, which the parser explains (grammar/advice.h). It holds no
 * memory; a copy of the struct is a place to come back to. Newlines are not tokens but a flag on
 * what follows them: only the parser knows where they count. Of a string only the opening quote is
 * a token; grammar/parse_string.c reads on from there. */
#ifndef TG_GRAMMAR_TOKEN_H
#define TG_GRAMMAR_TOKEN_H

#include "base/ctx.h"

typedef enum tg_token_kind {
    TG_TOK_END, /* of the text */
    TG_TOK_BAD, /* a character or spelling that tg does not have */
    TG_TOK_NUMBER,
    TG_TOK_NAME,
    TG_TOK_QUOTE, /* the " that opens a string */
    TG_TOK_SUPER, /* superscript digits, as in x² or x⁻¹ */

    /* keywords, in the order of tg_keywords */
    TG_TOK_TRUE,
    TG_TOK_FALSE,
    TG_TOK_NONE,
    TG_TOK_AND,
    TG_TOK_OR,
    TG_TOK_NOT,
    TG_TOK_IF,
    TG_TOK_ELSE,
    TG_TOK_FOR,
    TG_TOK_IN,
    TG_TOK_WHILE,
    TG_TOK_REPEAT,
    TG_TOK_BREAK,
    TG_TOK_CONTINUE,
    TG_TOK_RETURN,

    TG_TOK_LPAREN,
    TG_TOK_RPAREN,
    TG_TOK_LBRACKET,
    TG_TOK_RBRACKET,
    TG_TOK_LBRACE,
    TG_TOK_RBRACE,
    TG_TOK_COMMA,
    TG_TOK_SEMICOLON,
    TG_TOK_COLON,
    TG_TOK_DOT,
    TG_TOK_RANGE,   /* .. */
    TG_TOK_REST,    /* ... */
    TG_TOK_ARROW,   /* -> */
    TG_TOK_PRIME,   /* ' */
    TG_TOK_UNKNOWN, /* ?, a size of an input */
    TG_TOK_ASSIGN,  /* = */
    TG_TOK_STORE,   /* := */
    TG_TOK_ADD_STORE,
    TG_TOK_SUB_STORE,
    TG_TOK_MUL_STORE,
    TG_TOK_DIV_STORE,
    TG_TOK_ADD,
    TG_TOK_SUB,
    TG_TOK_MUL,
    TG_TOK_DIV,
    TG_TOK_MOD,
    TG_TOK_MATMUL,
    TG_TOK_POW,
    TG_TOK_EQ,
    TG_TOK_NE,
    TG_TOK_LT,
    TG_TOK_LE,
    TG_TOK_GT,
    TG_TOK_GE,
    TG_TOK_COUNT
} tg_token_kind;

enum {
    TG_TOK_AFTER_LINE = 1,  /* a newline stands between the token before and this one */
    TG_TOK_AFTER_SPACE = 2, /* some white space or comment does */
};

typedef struct tg_token {
    tg_token_kind kind;
    int flags;
    uint32_t lo, hi; /* bytes [lo, hi) of the text */
} tg_token;

typedef struct tg_lexer {
    const char *text; /* valid UTF-8 without NUL: tg_lex_check has seen it */
    uint32_t len;
    uint32_t at; /* where the next token is looked for */
} tg_lexer;

/* False, with an error recorded: a NUL byte or a byte that is not UTF-8. */
bool tg_lex_check(tg_ctx *c, const tg_source *src);
/* Starts behind the byte order mark, if there is one. */
tg_lexer tg_lex_start(const tg_source *src);
tg_token tg_lex_next(tg_lexer *l);

#endif
