/* Units: a parsed text with the arena of its tree. Functions hold the unit they were written in, so
 * that the tree of a line typed at the prompt lives exactly as long as something defined on it. */
#include "grammar/ast.h"
#include "base/alloc.h"

tg_unit *tg_unit_hold(tg_unit *u) {
    if (u) u->refs++;
    return u;
}

void tg_unit_drop(tg_unit *u) {
    if (!u || --u->refs > 0) return;
    tg_arena_free(&u->arena);
    tg_source_drop(u->src);
    tg_free(u);
}
