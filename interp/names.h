/* The user's names, with what each is, what it is made of and what is made of it: for :who, :deps
 * and ?name. Formulas say it by the graph, functions by their text; a plain value remembers
 * nothing. */
#ifndef TG_INTERP_NAMES_H
#define TG_INTERP_NAMES_H

#include "base/arena.h"
#include "interp/interp.h"

typedef struct tg_names {
    tg_name_info *row; /* in order of definition */
    size_t n;
    tg_arena arena; /* holds the texts and links */
} tg_names;

/* Lists them all, with at most `links` names in each direction. Takes time in proportion to names
 * and formulas together. Free it also after a failure. */
bool tg_names_list(tg_interp *in, size_t links, tg_names *out);
void tg_names_free(tg_names *t);
/* Appends the names at the links, "X, W and others". */
void tg_names_add(const tg_names *t, const tg_name_links *links, tg_str *out);

#endif
