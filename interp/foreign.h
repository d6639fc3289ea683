/* What other systems call a thing, and how tg says it. */
#ifndef TG_INTERP_FOREIGN_H
#define TG_INTERP_FOREIGN_H

#include <stdbool.h>

typedef struct tg_foreign {
    const char *words; /* of NumPy, PyTorch, TensorFlow, Octave, Julia, R or a shell, separated by
                          spaces, with one at each end */
    const char *here;  /* as tg writes it */
} tg_foreign;

extern const tg_foreign tg_foreign_words[]; /* ends with a row without words */

/* How tg says it; NULL: the word is not known. */
const char *tg_foreign_word(const char *word);
/* np, torch and the like: names that stand before functions elsewhere. */
bool tg_foreign_module(const char *word);

#endif
