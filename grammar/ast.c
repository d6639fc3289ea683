/* Units: a parsed text with the arena of its tree. Functions hold the unit they were written in, so
 * that the tree of a line typed at the prompt lives exactly as long as something defined on it.
 * Trees are walked and compared with a stack, since a long sum is as deep as it is long. */
#include "grammar/ast.h"
#include "base/alloc.h"

#include <string.h>

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

/* ---- all of a tree ---- */

bool tg_ast_walk(tg_ctx *c, const tg_ast *e, bool (*visit)(void *user, const tg_ast *e),
                 void *user) {
    const tg_ast **stack = NULL;
    size_t n = 0, cap = 0;
    bool ok = true;
    for (const tg_ast *at = e; ok && at; at = n ? stack[--n] : NULL) {
        void *p = (void *)stack;
        ok = tg_grow(&p, &cap, n + (size_t)at->n, sizeof *stack) || tg_fail_memory(c);
        stack = p;
        ok = ok && visit(user, at);
        for (int i = at->n; ok && i-- > 0;)
            if (at->kids[i]) stack[n++] = at->kids[i];
    }
    tg_free((void *)stack);
    return ok;
}

/* ---- equal trees ---- */

typedef struct pairs {
    tg_ctx *c;
    const tg_ast *(*items)[2];
    size_t n, cap;
} pairs;

static bool push(pairs *p, const tg_ast *a, const tg_ast *b) {
    void *items = p->items;
    if (!tg_grow(&items, &p->cap, p->n + 1, sizeof *p->items)) return tg_fail_memory(p->c);
    p->items = items;
    p->items[p->n][0] = a;
    p->items[p->n++][1] = b;
    return true;
}

static bool same_text(const char *a, const char *b, size_t len) {
    if (!a || !b) return a == b;
    return len ? memcmp(a, b, len) == 0 : strcmp(a, b) == 0;
}

/* But for their children. */
static bool same_node(const tg_ast *a, const tg_ast *b) {
    if (a->kind != b->kind || a->flags != b->flags || a->n != b->n || a->len != b->len ||
        a->ntargets != b->ntargets || a->number != b->number)
        return false;
    if (!same_text(a->name, b->name, a->len) || !same_text(a->op, b->op, 0)) return false;
    for (int i = 0; a->ops && i + 1 < a->n; i++)
        if (strcmp(a->ops[i], b->ops[i]) != 0) return false;
    return true;
}

bool tg_unit_same(tg_ctx *c, const tg_unit *a, const tg_unit *b, bool *same) {
    pairs p = {.c = c};
    bool ok = true;
    *same = a->n == b->n;
    for (int i = 0; ok && *same && i < a->n; i++) ok = push(&p, a->statements[i], b->statements[i]);
    while (ok && *same && p.n > 0) {
        const tg_ast *x = p.items[--p.n][0], *y = p.items[p.n][1];
        *same = x && y ? same_node(x, y) : x == y;
        for (int i = 0; ok && *same && x && i < x->n; i++) ok = push(&p, x->kids[i], y->kids[i]);
    }
    tg_free(p.items);
    return ok;
}
