/* What the files of the embedding interface share: api.c, and api_measure.c. */
#ifndef TG_INTERP_API_H
#define TG_INTERP_API_H

#include "interp/interp.h"
#include "interp/names.h"
#include "interp/snapshot.h"
#include "runtime/ops/profile.h"

struct tg_state {
    tg_interp in;
    tg_str error;         /* text of the last error */
    tg_str document;      /* of tg_operations_document */
    tg_profile profile;   /* of the last tg_profile_run */
    tg_profile_row *rows; /* the same for the caller */
    tg_machine machine;
    bool measured;       /* machine is known */
    tg_names names;      /* the answers of tg_names_table, ... */
    tg_str answer;       /* ... of what gives a text, */
    tg_ops_row *counted; /* and of tg_count_ops */
    /* as the session was opened, and tg_reset makes it */
    tg_setting opening;
    size_t opening_names; /* of the library */
    int opening_used;
    tg_str script;                          /* of tg_save_text */
    struct tg_completing_store *completing; /* of tg_complete_at; NULL: never asked */
};

/* Each entry from outside: the stack guard measures from here, the last error is forgotten. */
tg_interp *tg_api_enter(tg_state *s);
/* And each way out: an error becomes the last error. */
tg_status tg_api_leave(tg_state *s, bool ok);
void tg_api_forget_profile(tg_state *s);
void tg_api_forget_answers(tg_state *s);
void tg_api_forget_completion(tg_state *s);

/* A text, parsed. */
typedef struct tg_reading {
    tg_source *src;
    tg_unit *unit; /* NULL: it could not be parsed */
    bool more;     /* right so far, but it goes on */
} tg_reading;
bool tg_api_read(tg_interp *in, const char *text, size_t len, tg_reading *r);
/* tg_api_leave for what was read; TG_MORE where `flags` allow it. */
tg_status tg_api_done(tg_state *s, tg_reading *r, bool ok, int flags);
/* Could the statement be evaluated twice, as far as its form tells? */
bool tg_api_is_expression(const tg_ast *e);

#endif
