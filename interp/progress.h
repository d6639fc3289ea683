/* Bars that show how far loops came: `for x in progress(1..100, cost=c)`, and loops over batches.
 *
 * A loop owns its bar, on its own frame; bars of loops within loops stand below each other. On a
 * terminal they are drawn on standard error, wiped before the program prints, and the outermost
 * loop with `progress` leaves a line when it ends. Where standard error is no terminal, a line is
 * written every few seconds. */
#ifndef TG_INTERP_PROGRESS_H
#define TG_INTERP_PROGRESS_H

#include "interp/interp.h"

typedef struct tg_progress {
    tg_interp *in;
    tg_env *env;        /* of the loop */
    const tg_ast *call; /* progress(...), whose named arguments are shown; NULL: none was written */
    tg_value title;
    int64_t count;     /* of turns; negative: nobody knows */
    bool on, bar;      /* something is shown; as a bar, not as lines */
    bool drawn;        /* it was already */
    int skip, pending; /* turns from one look at the clock to the next, and until that */
    int64_t done, at;  /* turns so far, and at the last drawing */
    double begun, looked, shown, valued; /* when: seconds */
    double rate;                         /* turns a second, smoothed */
    double value_time;                   /* that the named arguments took */
    tg_str values;                       /* " cost=0.41", as they were last */
    struct tg_progress *outer;
} tg_progress;

/* e, if it is a call of progress in the head of a loop; else NULL. */
const tg_ast *tg_progress_call(tg_interp *in, tg_env *env, const tg_ast *e);
/* What that call's loop walks over, or counts by, as written; NULL with an error. */
const tg_ast *tg_progress_subject(tg_interp *in, const tg_ast *call);
/* `title` is used where the call has none; NULL: none, and without a call there is no bar then.
 * False: an error. In any case tg_progress_end is to be called. */
bool tg_progress_begin(tg_progress *p, tg_interp *in, tg_env *env, const tg_ast *call,
                       const char *title, int64_t count);
/* Looks at the clock, and draws if it is time. False: an error of a named argument, such as an
 * interrupt. */
bool tg_progress_look(tg_progress *p, int64_t done);
/* Before each turn. */
static inline bool tg_progress_turn(tg_progress *p, int64_t done) {
    return !p->on || --p->pending > 0 || tg_progress_look(p, done);
}
/* `finished`: with no error. */
void tg_progress_end(tg_progress *p, int64_t done, bool finished);
/* Takes standing bars off the terminal: before anything else is written. */
void tg_progress_clear(tg_interp *in);

#endif
