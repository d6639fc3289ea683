/* Did you mean: of several words, the one that a mistyped word was probably meant to be. Words are
 * offered one by one; what is kept is borrowed. */
#ifndef TG_BASE_NEAREST_H
#define TG_BASE_NEAREST_H

#include <stdbool.h>

typedef struct tg_nearest {
    const char *word;    /* as typed */
    const char *best;    /* the nearest so far; NULL: none is near */
    const char *also[2]; /* others that are just as near; or NULL */
    int within;          /* less than so far from the word is what is nearer; see nearest.c */
} tg_nearest;

enum { TG_NEAREST_ONE = 5 }; /* `within` of what is at most one letter away */

/* Nearer than two letters of a longer word, one of a short one, counts as meant. */
tg_nearest tg_nearest_to(const char *word);
/* The same where few words can be meant, so that even a short one is taken for another. */
tg_nearest tg_nearest_of_few(const char *word);
void tg_nearest_offer(tg_nearest *n, const char *candidate);
/* Offers each of the words in the list, which ends with NULL. Returns the nearest or NULL. */
const char *tg_nearest_in(const char *word, const char *const *list);
/* May it stand in a word: a letter, digit or underscore of ASCII? */
bool tg_is_word_byte(char c);
/* Where the word stands in the text, whatever its case; NULL: nowhere. */
const char *tg_text_find(const char *text, const char *word);

#endif
