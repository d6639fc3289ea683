/* Reading a program without running it.
 *
 * While tg_interp.checking is set the interpreter's own evaluator walks the program, but nothing is
 * computed: a tensor whose elements are not looked at is a formula over cells that never get a
 * value ("stand-ins"), so that shapes, types and messages are those of a run, made by the same
 * code. What would need a value gives up: the expression fails with TG_ERR_UNKNOWN, which is no
 * error, and the names that it was for stand for TG_V_UNKNOWN, which everything accepts. Statements
 * are walked by check_statement.c in place of statement.c: both branches, each loop until its types
 * rest. */
#ifndef TG_INTERP_CHECK_H
#define TG_INTERP_CHECK_H

#include "interp/interp.h"

typedef struct tg_checker {
    void (*tell)(void *user, const tg_finding *finding);
    void *user;
    tg_str text;    /* of the finding under way */
    uint64_t *told; /* hashes of the places and messages that were told */
    size_t ntold, told_cap;
} tg_checker;

/* ---- check_text.c: the whole, and findings ---- */

/* Tells the pending error, unless it has been told, and forgets it. True, except when no more can
 * be told: out of memory, an interrupt. */
bool tg_check_tell(tg_interp *in, tg_finding_kind kind);
/* Parses and walks a text: one given, or a file of the user's that it uses. */
bool tg_check_source(tg_interp *in, tg_source *src);

#endif
