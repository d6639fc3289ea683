/* ??word: what has to do with a word. */
#ifndef TG_INTERP_HELP_SEARCH_H
#define TG_INTERP_HELP_SEARCH_H

#include "interp/help_page.h"

/* Writes the names, topics and commands that mention the word, the best matches first, or what may
 * have been meant. False: no memory. */
bool tg_help_search(tg_interp *in, const tg_page *p, const char *word);

#endif
