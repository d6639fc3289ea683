/* The names that a text can define, and looking names up by place.
 *
 * The frame of a scope is found by one walk over the text that opens it, when it first runs.
 * Nothing depends on the walk's being complete: a scope that gets a name which was not foreseen
 * gives up its frame (tg_env_set), and is searched by name from then on. */
#include "interp/resolve.h"
#include "base/alloc.h"

#include <string.h>

/* ---- frames ---- */

typedef struct survey {
    const char **name; /* found so far, each once */
    size_t n, cap;
    const tg_ast **todo;
    size_t left, room;
} survey;

static bool add_name(survey *s, const char *name) {
    for (size_t i = 0; i < s->n; i++)
        if (s->name[i] == name) return true;
    void *p = (void *)s->name;
    bool ok = tg_grow(&p, &s->cap, s->n + 1, sizeof *s->name);
    s->name = p;
    if (ok) s->name[s->n++] = name;
    return ok;
}

static bool add_todo(survey *s, const tg_ast *e) {
    if (!e) return true;
    void *p = (void *)s->todo;
    bool ok = tg_grow(&p, &s->room, s->left + 1, sizeof *s->todo);
    s->todo = p;
    if (ok) s->todo[s->left++] = e;
    return ok;
}

static const char *root_of(const tg_ast *target) {
    while (target->kind == TG_AST_INDEX || target->kind == TG_AST_FIELD) target = target->kids[0];
    return target->kind == TG_AST_NAME ? target->name : NULL;
}

/* The names that e itself defines, not its parts. */
static bool defined_by(survey *s, const tg_ast *e) {
    bool ok = true;
    switch (e->kind) {
    case TG_AST_DEFINE:
    case TG_AST_STORE:
    case TG_AST_FOR:
        for (int i = 0; ok && i < e->ntargets; i++) {
            const char *name = root_of(e->kids[i]);
            ok = !name || add_name(s, name);
        }
        return ok;
    case TG_AST_FUNCTION:
    case TG_AST_RULE: return add_name(s, e->name);
    case TG_AST_INPUT: /* the inputs, and the names of their sizes */
        for (int i = 0; ok && i < e->n; i++) {
            const tg_ast *d = e->kids[i];
            if (d->kind == TG_AST_NAME) ok = add_name(s, d->name);
            for (int k = 0; ok && d->kind == TG_AST_INDEX && k < d->n; k++)
                ok = d->kids[k]->kind != TG_AST_NAME || add_name(s, d->kids[k]->name);
        }
        return ok;
    default: return true;
    }
}

static bool opens_scope(const tg_ast *e) {
    return e->kind == TG_AST_FUNCTION || e->kind == TG_AST_LAMBDA || e->kind == TG_AST_RULE ||
           e->kind == TG_AST_WHERE;
}

/* All that is evaluated in the scope that `opener` opens; a rule is given two names besides. */
static bool look_over(survey *s, const tg_ast *opener, const char *const in_rule[2]) {
    bool where = opener->kind == TG_AST_WHERE, ok = true;
    for (int i = where; ok && i < opener->n - !where; i++) ok = add_name(s, opener->kids[i]->name);
    for (int i = 0; ok && i < opener->n; i++) ok = add_todo(s, opener->kids[i]);
    if (opener->kind == TG_AST_RULE) ok = ok && add_name(s, in_rule[0]) && add_name(s, in_rule[1]);
    while (ok && s->left > 0) {
        const tg_ast *e = s->todo[--s->left];
        ok = defined_by(s, e);
        for (int i = 0; ok && i < e->n && !opens_scope(e); i++) ok = add_todo(s, e->kids[i]);
    }
    return ok;
}

static TG_APART const tg_frame *make_frame(tg_interp *in, tg_unit *unit, const tg_ast *opener) {
    survey s = {0};
    tg_frame *l = NULL;
    const char *in_rule[2] = {tg_intern(&in->rt.c, "g", 1), tg_intern(&in->rt.c, "out", 3)};
    if (in_rule[0] && in_rule[1] && look_over(&s, opener, in_rule))
        l = tg_arena_alloc(&unit->arena, sizeof *l + s.n * sizeof(char *));
    if (l) {
        l->n = (int)s.n;
        if (s.n) memcpy((void *)l->name, (const void *)s.name, s.n * sizeof *s.name);
        tg_seen(opener)->frame = l;
    } else {
        tg_fail_memory(&in->rt.c);
    }
    tg_free((void *)s.name);
    tg_free((void *)s.todo);
    return l;
}

const tg_frame *tg_frame_of(tg_interp *in, tg_unit *unit, const tg_ast *opener) {
    return opener->seen.frame ? opener->seen.frame : make_frame(in, unit, opener);
}

/* ---- names ---- */

struct tg_binding *tg_resolve_place(tg_env *env, const tg_ast *e) {
    tg_ast_seen *seen = tg_seen(e);
    const tg_frame *l = env->frame;
    if (!l) return NULL;
    if (seen->frame != l) {
        seen->frame = l;
        seen->slot = l->n - 1;
        while (seen->slot >= 0 && l->name[seen->slot] != e->name) seen->slot--;
    }
    return seen->slot < 0 ? NULL : &env->items[seen->slot];
}

static inline bool is_at_place(const tg_env *env, const tg_ast *e) {
    return e->seen.place < env->n && env->items[e->seen.place].name == e->name;
}

/* The binding of e in one of the two scopes that only grow. */
static struct tg_binding *binding_in(tg_env *env, const tg_ast *e) {
    if (is_at_place(env, e)) return &env->items[e->seen.place];
    struct tg_binding *b = tg_env_binding(env, e->name);
    if (b) tg_seen(e)->place = (uint32_t)(b - env->items);
    return b;
}

struct tg_binding *tg_resolve_global(tg_env *globals, const tg_ast *e) {
    return binding_in(globals, e);
}

struct tg_binding *tg_resolve_stored(tg_interp *in, tg_env *env, const tg_ast *e) {
    struct tg_binding *b = env->frame ? tg_resolve_place(env, e) : NULL;
    tg_env *around = env->frame ? env->parent : env;
    if (b && b->name) return b;
    return !around || around == in->globals ? tg_resolve_global(in->globals, e) : NULL;
}

tg_value *tg_resolve(tg_interp *in, tg_env *env, const tg_ast *e) {
    tg_env *globals = in->globals, *library = in->library;
    tg_value *v;
    if (env->frame) {
        struct tg_binding *own = tg_resolve_place(env, e);
        if (own && own->name) return &own->value;
        env = env->parent;
    }
    for (; env && env != globals && env != library; env = env->parent)
        if ((v = tg_env_find(env, e->name))) return v;
    struct tg_binding *b = NULL;
    if (env && env == library)
        b = binding_in(library, e); /* what the library's own functions mean */
    if (!b && is_at_place(globals, e)) b = &globals->items[e->seen.place];
    if (!b && e->seen.among == globals->changes + 1 && is_at_place(library, e))
        b = &library->items[e->seen.place];
    if (!b && !(b = binding_in(globals, e)) && (b = binding_in(library, e)))
        tg_seen(e)->among = globals->changes + 1; /* until the user has another name */
    return b ? &b->value : NULL;
}
