/* What the user can see of a session, and the ways back to how it was.
 *
 * A tg_shadow remembers how everything stood when it was last looked at: what names stand for, the
 * values of vars and inputs, what is assumed, the precision, the random generator. Looking again
 * puts what has changed since into a tg_delta, and to exchange the two is to go back, or forth
 * again. Values are shared, not copied; a tensor that the shadow holds is nobody's alone, so that
 * the first update of a variable after a look makes a new one (runtime/plan/update.c) and those
 * after it are in place again.
 *
 * Shadows and deltas hold what they mention, and belong to one session. */
#ifndef TG_INTERP_SNAPSHOT_H
#define TG_INTERP_SNAPSHOT_H

#include "interp/interp.h"
#include "runtime/graph/assume.h"

/* What a session has besides names, values and assumptions. */
typedef struct tg_setting {
    tg_dtype precision;
    uint64_t seed, stream, tick;
    tg_style format;
} tg_setting;
tg_setting tg_setting_now(const tg_interp *in);
void tg_setting_restore(tg_interp *in, const tg_setting *s);

typedef struct tg_changed_name {
    tg_env *env; /* held */
    size_t at;   /* among its items */
    struct tg_binding old;
    const char *label; /* that its formula had */
} tg_changed_name;

typedef struct tg_changed_scope {
    tg_env *env; /* held */
    size_t n;
    const tg_frame *frame;
} tg_changed_scope;

typedef struct tg_changed_cell {
    tg_cell *cell; /* held */
    tg_tensor *value;
    const char *name, *was;
} tg_changed_cell;

typedef struct tg_changed_rule {
    tg_function *function, *rule;
} tg_changed_rule;

typedef struct tg_delta {
    uint64_t number; /* of the entry that it belongs to */
    tg_setting setting;
    size_t nnames, names_cap, nscopes, scopes_cap, ncells, cells_cap, nrules, rules_cap;
    tg_changed_name *name;
    tg_changed_scope *scope;
    tg_changed_cell *cell;
    tg_changed_rule *rule;
    tg_assumed *assumed; /* NULL: nothing new is assumed */
    int used;            /* how many files had been used */
    int ntail;           /* the names of those used since, while this has been gone back */
    size_t tail_cap;
    char **tail;
} tg_delta;

typedef struct tg_shadow tg_shadow;

/* How the session stands now. NULL: no memory. */
tg_shadow *tg_shadow_new(tg_interp *in);
void tg_shadow_free(tg_shadow *s);

/* What one look found: names[] are places among the user's names, cells[] vars and inputs. */
typedef struct tg_news {
    size_t n, cap, ncells, cells_cap;
    size_t *name;
    tg_cell **cell;
} tg_news;
void tg_news_free(tg_news *news);

/* To be called before anything changes: what is assumed is copied only then. False: no memory. */
bool tg_shadow_begin(tg_interp *in, tg_shadow *s, tg_delta *d);
/* Looks what has changed. The way back is added to d, of which the first one to each thing counts;
 * `news` may be NULL. False: no memory, and neither the shadow nor d is worth anything; the session
 * is as it was. */
bool tg_shadow_look(tg_interp *in, tg_shadow *s, tg_delta *d, tg_news *news);
/* The rule of f is about to become another. False: no memory. */
bool tg_delta_note_rule(tg_interp *in, tg_delta *d, tg_function *f);
/* Makes room for the names of the files used since the first n. False: no memory. */
bool tg_delta_reserve_used(tg_interp *in, tg_delta *d, int n);
/* The session and d change places: goes back, and the next time forth again. Cannot fail. The
 * shadow must have looked. */
void tg_delta_exchange(tg_interp *in, tg_shadow *s, tg_delta *d);
void tg_delta_free(tg_delta *d);
/* Has nothing changed that could be gone back to? To be asked before the two change places. */
bool tg_delta_is_empty(const tg_interp *in, const tg_delta *d);
/* Nothing but what the prompt has answered? */
bool tg_delta_is_answer(const tg_interp *in, const tg_delta *d);
/* About how many bytes of tensors are held by d alone. */
size_t tg_delta_bytes(tg_interp *in, const tg_delta *d);

#endif
