/* Names that nothing defines, wherever they stand: also in branches not taken, and in bodies that
 * nothing calls. A name is known if the text around it ever gives it a meaning, before or behind;
 * what is used too early is found by walking the program. Definitions that a function never uses
 * are told besides. */
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

/* Is the name read, or stored into, in e? */
static bool uses(tg_interp *in, const tg_ast *e, const char *name) {
    if (!tg_guard(&in->rt.c)) {
        tg_clear(&in->rt.c);
        return true;
    }
    if (e->kind == TG_AST_NAME && e->name == name) return true;
    for (int i = e->kind == TG_AST_DEFINE ? e->ntargets : 0; i < e->n; i++)
        if (e->kids[i] && uses(in, e->kids[i], name)) return true;
    return false;
}

/* Definitions in the body of a function that nothing in it uses; the last of a block may be its
 * value, and a name that begins with _ is meant to be unused. */
static bool look_for_unused(tg_interp *in, const tg_ast *def, const tg_ast *e) {
    for (int i = 0; i < e->n; i++) {
        const tg_ast *s = e->kids[i];
        if (!s) continue;
        if (s->kind == TG_AST_BLOCK || s->kind == TG_AST_IF || s->kind == TG_AST_FOR ||
            s->kind == TG_AST_WHILE || s->kind == TG_AST_REPEAT) {
            if (!tg_guard(&in->rt.c)) {
                tg_clear(&in->rt.c);
                return true;
            }
            if (!look_for_unused(in, def, s)) return false;
        }
        if (e->kind != TG_AST_BLOCK || i + 1 == e->n || s->kind != TG_AST_DEFINE ||
            s->ntargets > 1 || s->kids[0]->name[0] == '_' || uses(in, def, s->kids[0]->name))
            continue;
        tg_fail(&in->rt.c, TG_ERR_NAME, "%s is defined and never used", s->kids[0]->name);
        tg_blame(in, s->kids[0]);
        if (!tg_check_tell(in, TG_FINDING_WARNING)) return false;
    }
    return true;
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
        if (!look_for_unused(in, e, e)) return false;
        /* fall through */
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
