/* The parser: text to tree, by hand, a Pratt parser for expressions (Pratt 1973). Its result has
 * three ways to end: a tree; text that so far is right but goes on (an open bracket, a trailing
 * operator), by which the prompt knows to ask for another line; or an error, recorded in the
 * context with its span. */
#ifndef TG_GRAMMAR_PARSE_H
#define TG_GRAMMAR_PARSE_H

#include "grammar/ast.h"

typedef enum tg_parse_status { TG_PARSE_OK, TG_PARSE_INCOMPLETE, TG_PARSE_ERROR } tg_parse_status;

/* Parses a whole program. OK: *out is owned by the caller. INCOMPLETE also records an error that
 * says where the unclosed bracket, string or block was opened, for when the text really ends there.
 */
tg_parse_status tg_parse(tg_ctx *c, tg_source *src, tg_unit **out);
/* Parses text that must be exactly one expression (a rule, a hole of a string). */
tg_parse_status tg_parse_expression(tg_ctx *c, tg_source *src, tg_unit **out);

/* The words that cannot be names, ending with NULL; for completion and the grammar test. */
extern const char *const tg_keywords[];
bool tg_is_keyword(const char *word);
/* The words that begin a declaration, and are names everywhere else; ending with NULL. */
extern const char *const tg_declaring_words[];

#endif
