/* The bar that a loop over batches shows on a terminal; nothing in a pipe or log. */
#ifndef TG_INTERP_PROGRESS_H
#define TG_INTERP_PROGRESS_H

#include "interp/interp.h"

typedef struct tg_progress {
    tg_interp *in;
    const char *title; /* NULL: no bar */
    int64_t count;
    double begun, shown; /* seconds */
} tg_progress;

tg_progress tg_progress_begin(tg_interp *in, const char *title, int64_t count);
void tg_progress_show(tg_progress *p, int64_t done); /* at most 30 times a second */
void tg_progress_end(tg_progress *p);
/* Takes a standing bar off the line: before anything else is written. */
void tg_progress_clear(tg_interp *in);

#endif
