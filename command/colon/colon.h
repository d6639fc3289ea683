/* Commands of the prompt: lines that begin with `:`. They look at a session from outside, and are
 * no part of the language: they work at the prompt, in transcripts and with -e, not in scripts. */
#ifndef TG_COLON_H
#define TG_COLON_H

#include "tg.h"

#include <stddef.h>

/* What follows the command's name, without blanks around it. */
typedef struct tg_colon_call {
    tg_state *s;
    const char *text;
    size_t len;
    int flags; /* of tg_run_bytes */
} tg_colon_call;

typedef struct tg_colon {
    const char *name;      /* without the colon */
    const char *arguments; /* as help shows them: "statement", "[statement]"; "": none */
    const char *doc;       /* one line */
    tg_status (*run)(const tg_colon_call *call);
} tg_colon;

/* The i-th of all, in the order in which :help lists them; NULL past the end. */
const tg_colon *tg_colon_at(int i);
/* The tables, one a file; each ends with a row without a name. To add a command, add a row. */
extern const tg_colon tg_colons_measure[];

/* tg_run_bytes, or the command that the text is. */
tg_status tg_colon_or_run(tg_state *s, const char *text, size_t len, int flags);

#endif
