/* Where names are found, remembered in the tree.
 *
 * A call's scope has a place for each name that its function can ever define, and a name in the
 * function's text knows its place after it was looked up once. A name that is not there, or not
 * defined yet, is looked for outside: so a name that is the function's own in one branch only still
 * means the user's in the other. Of the user's names and the library's, which only grow in number,
 * the place is remembered and checked. */
#ifndef TG_INTERP_RESOLVE_H
#define TG_INTERP_RESOLVE_H

#include "interp/interp.h"

/* The frame of the scopes that a function, lambda, rule or where opens: the names they may have.
 * `unit` holds its tree. NULL: no memory. */
const tg_frame *tg_frame_of(tg_interp *in, tg_unit *unit, const tg_ast *opener);
/* What the name e stands for, as tg_lookup finds it. NULL: unknown. */
tg_value *tg_resolve(tg_interp *in, tg_env *env, const tg_ast *e);
/* The place for e in the scope env, a call's, whether or not it is defined; NULL: it has none. */
struct tg_binding *tg_resolve_place(tg_env *env, const tg_ast *e);

/* The binding of e among the user's names, `globals`; NULL: it has none. */
struct tg_binding *tg_resolve_global(tg_env *globals, const tg_ast *e);

/* The binding that `e := ...` in env stores into, where that is easily told; else NULL. */
struct tg_binding *tg_resolve_stored(tg_interp *in, tg_env *env, const tg_ast *e);

static inline tg_ast_seen *tg_seen(const tg_ast *e) {
    return &((tg_ast *)e)->seen; /* trees are otherwise only read */
}

/* The same as tg_resolve; without a call for a call's own names. */
static inline tg_value *tg_resolve_fast(tg_interp *in, tg_env *env, const tg_ast *e) {
    if (env->frame && e->seen.frame == env->frame && e->seen.slot >= 0) {
        struct tg_binding *b = &env->items[e->seen.slot];
        if (b->name) return &b->value;
    }
    return tg_resolve(in, env, e);
}

#endif
