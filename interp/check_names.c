/* Names that nothing defines, wherever they stand: also in branches not taken, and in bodies that
 * nothing calls. A name is known if the text around it ever gives it a meaning, before or behind;
 * what is used too early is found by walking the program. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/check.h"
#include "interp/resolve.h"

#include <string.h>

typedef struct scope {
    const tg_frame *frame;
    const struct scope *outer;
} scope;

static bool is_known(tg_interp *in, const scope *s, const char *name) {
    for (; s; s = s->outer)
        for (int i = 0; i < s->frame->n; i++)
            if (s->frame->name[i] == name) return true;
    return tg_env_find(in->globals, name) || tg_env_find(in->library, name);
}

static bool is_word(const tg_ast *e) {
    return strcmp(e->name, "assume") == 0 || strcmp(e->name, "format") == 0;
}

static bool look(tg_interp *in, tg_unit *unit, const scope *around, const tg_ast *e) {
    if (!tg_guard(&in->rt.c)) {
        tg_clear(&in->rt.c); /* evaluating it told, or could not tell */
        return true;
    }
    scope own = {NULL, around};
    switch (e->kind) {
    case TG_AST_NAME:
        if (is_known(in, around, e->name) || is_word(e)) return true;
        tg_blame_name(in, in->globals, e->name);
        tg_blame(in, e);
        return tg_check_tell(in, TG_FINDING_ERROR);
    case TG_AST_HELP:
    case TG_AST_USE:
    case TG_AST_INPUT:
    case TG_AST_PRECISION: return true;
    case TG_AST_FUNCTION:
    case TG_AST_LAMBDA:
    case TG_AST_RULE:
    case TG_AST_WHERE:
        if (!(own.frame = tg_frame_of(in, unit, e))) return false;
        around = &own;
        break;
    default: break;
    }
    for (int i = 0; i < e->n; i++)
        if (e->kids[i] && !look(in, unit, around, e->kids[i])) return false;
    return true;
}

bool tg_check_names(tg_interp *in, tg_unit *unit) {
    tg_ast all = {.kind = TG_AST_BLOCK, .n = unit->n, .kids = unit->statements}, *body = &all;
    const tg_ast text = {.kind = TG_AST_LAMBDA, .n = 1, .kids = &body};
    const scope own = {tg_frame_of(in, unit, &text), NULL};
    return own.frame && look(in, unit, &own, &all);
}
