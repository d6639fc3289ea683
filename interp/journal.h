/* The entries of a session: what was typed, one after the other, with the way back from each.
 *
 * An entry is the text of a run that asked for it (TG_ENTRY). Those that did something are kept,
 * with their text for good, from which a script is made (script.c), and with what going back takes
 * (snapshot.h) as long as that is not too much. What changes a session between entries becomes one
 * without a text. */
#ifndef TG_INTERP_JOURNAL_H
#define TG_INTERP_JOURNAL_H

#include "interp/snapshot.h"

typedef enum tg_entry_kind {
    TG_ENTRY_TYPED,
    TG_ENTRY_FILE,
    TG_ENTRY_MODULE, /* of the library, read again: a script reads it as it is then */
    TG_ENTRY_RESET,
    TG_ENTRY_OUTSIDE, /* values that were there before, or were set from outside */
} tg_entry_kind;

/* `use "file"`, bytes [lo, hi) of the entry's text. */
typedef struct tg_entry_use {
    uint32_t lo, hi;
    char *path; /* absolute */
} tg_entry_use;

/* A line of the script: the text, then the tensor's elements, then `close`. */
typedef struct tg_entry_left {
    tg_str text;
    tg_tensor *tensor; /* held; NULL: none */
    const char *close;
} tg_entry_left;

typedef struct tg_entry {
    tg_entry_kind kind;
    tg_source *src; /* held; NULL: there is no text */
    size_t len;     /* of its text, what has come to its end */
    size_t nanswers, answers_cap, nuses, uses_cap, nleft, left_cap;
    uint32_t *answer; /* where the statements begin that were answered */
    tg_entry_use *use;
    tg_entry_left *left;   /* by a statement that did not come to its end */
    bool drawn, counted;   /* and it drew, or computed `:=` */
    tg_setting after;      /* how it left the random generator */
    tg_delta *delta;       /* NULL: nothing changed, or it can no longer be gone back */
    bool changed, answers; /* something did; but answers only */
    size_t bytes;          /* held by the delta alone */
} tg_entry;

typedef struct tg_journal {
    tg_shadow *shadow; /* NULL: to be made again */
    size_t n, cap, nundone, undone_cap, ndeltas, bytes;
    size_t bare; /* the first entries, of which none can be taken back any more */
    tg_entry **done, **undone;
    tg_entry *open;     /* under way; NULL: none */
    tg_setting before;  /* the statement that runs */
    tg_setting opening; /* the first entry */
    bool lost;          /* there was no memory to go on remembering */
} tg_journal;

/* Begins an entry. False: no memory, and nothing has happened. */
bool tg_journal_open(tg_interp *in, tg_entry_kind kind);
/* Is this text the entry's, the first since it was opened? Then it is the entry's from now on.
 * *failed: there is no memory. */
bool tg_journal_takes(tg_interp *in, const tg_unit *unit, bool *failed);
/* A statement of that text is about to run, and was answered. */
void tg_journal_statement(tg_interp *in, const tg_ast *s);
void tg_journal_answered(tg_interp *in, const tg_ast *s);
/* Ends it. The pending error stays. */
void tg_journal_close(tg_interp *in, bool ok);
/* What changed since the last entry becomes one. False: no memory. */
bool tg_journal_settle(tg_interp *in);

/* Takes the last entry back, or does the last one taken back again, along with what was only
 * answered. Returns that entry; NULL: there is none. tg_journal_settle comes before. */
const tg_entry *tg_journal_undo(tg_interp *in);
const tg_entry *tg_journal_redo(tg_interp *in);
void tg_journal_free(tg_interp *in);

/* ---- script.c ---- */

/* What the names and cells are worth becomes lines of the entry. */
bool tg_script_leave(tg_interp *in, tg_entry *e, const tg_news *news);
/* The script that does again what was done; `folder`, where it will stand, may be NULL. */
bool tg_script_write(tg_interp *in, const char *folder, tg_str *out);

#endif
