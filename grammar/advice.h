/* What a newcomer from another language probably meant: messages and help lines for spellings that
 * are not tg. */
#ifndef TG_GRAMMAR_ADVICE_H
#define TG_GRAMMAR_ADVICE_H

struct tg_parser;

/* Adds a help line to the pending "expected ..., found ..." error at p->tok, or replaces it when
 * p->tok is TG_TOK_BAD. */
void tg_advice_add(struct tg_parser *p);
/* What tg writes for a word of another language ("elif", "null"), for errors about unknown names;
 * NULL: nothing known. */
const char *tg_advice_on_word(const char *word);

#endif
