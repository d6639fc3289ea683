/* An interrupt passes through the loops under way, the innermost first, and each says how far it
 * came: its turn, how many there are, and what its names stand for, those of a `for`, or of a
 * `while` those that its condition asks. The text goes in front of what is said already
 * (tg_came_to), so that the outermost loop is read first. */
#include "interp/turns.h"
#include "interp/format.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 3, DEPTH = 6, ROOM = 160, MOST_TEXT = 24 };

typedef struct teller {
    tg_interp *in;
    tg_env *env;
    const char *told[MOST_NAMES];
    int n;
    size_t used;
    char text[ROOM];
} teller;

/* A name with its value, if that is short. */
static void tell_name(teller *t, const char *name) {
    char value[TG_NUMBER_ROOM];
    const tg_value *v = tg_lookup_own(t->in, t->env, name);
    if (!v || t->n == MOST_NAMES) return;
    for (int i = 0; i < t->n; i++)
        if (t->told[i] == name) return;
    if (v->tag == TG_V_NUMBER)
        tg_number_text(value, v->as.number, TG_STYLE_SHORT);
    else if (v->tag == TG_V_BOOL)
        snprintf(value, sizeof value, "%s", v->as.truth ? "true" : "false");
    else if (v->tag == TG_V_STRING && v->as.text->len <= MOST_TEXT)
        snprintf(value, sizeof value, "\"%s\"", v->as.text->bytes);
    else
        return;
    int n = snprintf(t->text + t->used, sizeof t->text - t->used, "%s%s = %s", t->n ? ", " : " (",
                     name, value);
    if (n < 0 || (size_t)n >= sizeof t->text - t->used - 1) {
        t->text[t->used] = 0;
        return;
    }
    t->used += (size_t)n;
    t->told[t->n++] = name;
}

/* The names in e, to some depth. */
static void tell_names(teller *t, const tg_ast *e, int depth) {
    if (e->kind == TG_AST_NAME) tell_name(t, e->name);
    for (int i = 0; depth < DEPTH && i < e->n; i++)
        if (e->kids[i]) tell_names(t, e->kids[i], depth + 1);
}

void tg_turns_tell(tg_interp *in, tg_env *env, const tg_ast *loop, int64_t turn, int64_t n) {
    teller t = {.in = in, .env = env};
    tg_ctx *c = &in->rt.c;
    if (c->diag.kind != TG_ERR_INTERRUPT) return;
    c->diag.turns = c->diag.turns || turn != 1;
    if (loop->kind == TG_AST_WHILE) tell_names(&t, loop->kids[0], 0);
    for (int i = 0; loop->kind == TG_AST_FOR && i < loop->ntargets; i++)
        if (loop->kids[i]->kind == TG_AST_NAME) tell_name(&t, loop->kids[i]->name);
    if (t.n > 0) t.text[t.used] = ')', t.text[t.used + 1] = 0;
    if (turn <= 0)
        tg_came_to(c, "a loop%s", t.text);
    else if (n < 0)
        tg_came_to(c, "turn %lld%s", (long long)turn, t.text);
    else
        tg_came_to(c, "turn %lld of %lld%s", (long long)turn, (long long)n, t.text);
}
