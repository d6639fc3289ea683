/* Names that have to do with a name: "see also". */
#ifndef TG_INTERP_RELATED_H
#define TG_INTERP_RELATED_H

#include "interp/interp.h"

enum { TG_RELATED = 6 };

/* At most TG_RELATED names that a user can ask for, the nearest first; how many. They are found,
 * not written down: what the documentation of one mentions of the other, what a definition calls,
 * and what stands beside it among its like. */
int tg_related(tg_interp *in, const char *name, tg_value v, const char *out[TG_RELATED]);
/* The same of a topic: the names in its text. */
int tg_related_in_text(tg_interp *in, const char *text, const char *out[TG_RELATED]);

#endif
