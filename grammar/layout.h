/* The layout of a program: the same text with blanks, indentation and line ends as the house writes
 * them, for `tg fmt`. Comments stay, and so does the meaning: the new text has been parsed again,
 * and its tree compared with that of the old. */
#ifndef TG_GRAMMAR_LAYOUT_H
#define TG_GRAMMAR_LAYOUT_H

#include "base/ctx.h"
#include "base/str.h"

/* Appends the program to *out. False: the error is recorded; a text that cannot be parsed has no
 * layout. */
bool tg_layout_program(tg_ctx *c, tg_source *src, tg_str *out);

/* ---- layout_items.c, for layout.c ---- */

#include "grammar/token.h"

enum { TG_TOK_COMMENT = TG_TOK_COUNT };

/* A token, a whole string, or a comment. */
typedef struct tg_layout_item {
    int kind;        /* of its token; a string is its QUOTE; or TG_TOK_COMMENT */
    uint32_t lo, hi; /* bytes [lo, hi) of the text */
    int breaks;      /* newlines in front of it */
    bool blank;      /* white space in front of it */
    int column;      /* of a comment: where it began, counted from 0 */
} tg_layout_item;

/* All of a text that parses; owned: tg_free(*items). False: no memory. */
bool tg_layout_items(tg_ctx *c, const tg_source *src, tg_layout_item **items, size_t *n);

#endif
