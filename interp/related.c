/* What has to do with a name. Records and definitions say it already: "sinh(x) / cosh(x)" in the
 * text of tanh names two relatives, a definition names what it calls, and in a table of operations
 * what is alike stands side by side. */
#include "interp/related.h"
#include "base/nearest.h"
#include "interp/source.h"

#include <string.h>

typedef struct found {
    tg_interp *in;
    const char *self;
    const char **name;
    int n;
} found;

static void add(found *f, const char *name) {
    const char *known = f->n < TG_RELATED ? tg_intern(&f->in->rt.c, name, strlen(name)) : NULL;
    if (!known || known == f->self || !tg_env_find(f->in->library, known)) return;
    for (int i = 0; i < f->n; i++)
        if (f->name[i] == known) return;
    f->name[f->n++] = known;
}

/* The names that are called in the text: what stands right before a bracket. */
static void add_called(found *f, const char *text) {
    for (const char *p = text; p && (p = strchr(p, '(')) != NULL; p++) {
        const char *from = p;
        char word[32];
        while (from > text && tg_is_word_byte(from[-1])) from--;
        size_t n = (size_t)(p - from);
        if (n == 0 || n >= sizeof word) continue;
        memcpy(word, from, n);
        word[n] = 0;
        add(f, word);
    }
}

/* Does the text call the name? */
static bool calls(const char *text, const char *name) {
    size_t n = strlen(name);
    for (const char *p = text; p && (p = strstr(p, name)) != NULL; p++)
        if (p[n] == '(' && (p == text || !tg_is_word_byte(p[-1]))) return true;
    return false;
}

/* Those whose texts call it. */
static void add_callers(found *f) {
    const tg_op *op;
    const tg_builtin *b;
    for (int i = 0; (op = tg_op_at(i)); i++)
        if (op->class != TG_CLASS_LEAF && calls(op->doc, f->self)) add(f, op->name);
    for (int i = 0; (b = tg_builtin_at(i)); i++)
        if (calls(b->doc, f->self)) add(f, b->name);
}

/* Those beside it in its table: one before, one behind, and so on. */
static void add_beside_op(found *f, const tg_op *op) {
    enum { FARTHEST = 2 };
    int at = 0;
    while (tg_op_at(at) != op) at++;
    for (int d = 1; d <= FARTHEST; d++)
        for (int side = 1; side >= -1; side -= 2) {
            const tg_op *other = at + side * d >= 0 ? tg_op_at(at + side * d) : NULL;
            if (other && other->class == op->class) add(f, other->name);
        }
}

static void add_beside_builtin(found *f, const tg_builtin *b) {
    enum { FARTHEST = 2 };
    int at = 0;
    while (tg_builtin_at(at) != b) at++;
    for (int d = 1; d <= FARTHEST; d++)
        for (int side = 1; side >= -1; side -= 2) {
            const tg_builtin *other = at + side * d >= 0 ? tg_builtin_at(at + side * d) : NULL;
            if (other && tg_builtin_file(other) == tg_builtin_file(b)) add(f, other->name);
        }
}

/* What the definition calls, then the library's functions written under the same comment. */
static void add_of_function(found *f, const tg_function *g) {
    tg_str body = {0}, own = {0};
    if (!g->def) return;
    const tg_ast *e = g->def->kids[g->def->n - 1];
    tg_source_add(&e->span, &body);
    add_called(f, tg_str_text(&body));
    tg_str_free(&body);
    tg_source_comment(g, &own);
    for (size_t i = 0; own.len && i < f->in->library->n; i++) {
        const struct tg_binding *b = &f->in->library->items[i];
        const tg_function *other = b->value.tag == TG_V_FUNCTION ? b->value.as.function : NULL;
        if (!other || !other->def || other->def->span.src != g->def->span.src) continue;
        tg_str theirs = {0};
        tg_source_comment(other, &theirs);
        if (strcmp(tg_str_text(&theirs), tg_str_text(&own)) == 0) add(f, b->name);
        tg_str_free(&theirs);
    }
    tg_str_free(&own);
}

int tg_related(tg_interp *in, const char *name, tg_value v, const char *out[TG_RELATED]) {
    found f = {in, name, out, 0};
    if (v.tag == TG_V_OP) {
        add_called(&f, v.as.op->doc);
        add_callers(&f);
        add_beside_op(&f, v.as.op);
    } else if (v.tag == TG_V_BUILTIN) {
        add_called(&f, v.as.builtin->doc);
        add_callers(&f);
        add_beside_builtin(&f, v.as.builtin);
    } else if (v.tag == TG_V_FUNCTION) {
        add_of_function(&f, v.as.function);
    }
    return f.n;
}

int tg_related_in_text(tg_interp *in, const char *text, const char *out[TG_RELATED]) {
    found f = {in, NULL, out, 0};
    add_called(&f, text);
    return f.n;
}
