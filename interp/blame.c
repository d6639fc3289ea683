/* Errors in the user's own terms. The runtime says "{0} @ {1} has no meaning"; here {0} becomes
 * what stands in the source, and the shapes of the operands are listed under the carets. */
#include "interp/blame.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "grammar/advice.h"
#include "interp/convert.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool tg_blame(tg_interp *in, const tg_ast *e) {
    if (!in->rt.c.diag.at.src && e) in->rt.c.diag.at = e->span;
    return false;
}

bool tg_blame_operator(tg_interp *in, const tg_ast *e) {
    tg_diag *d = &in->rt.c.diag;
    if (d->at.src) return false;
    d->at = e->op_span;
    d->with[0] = e->kids[0]->span;
    if (e->n > 1) d->with[1] = e->kids[1]->span;
    return false;
}

enum { LONGEST_NAME = 32 };

/* What the user wrote for the operand, if that is short; else what kind of thing it is. */
static void operand_text(const tg_argument *a, int number, char *buf, size_t size) {
    const tg_span *s = a && a->ast ? &a->ast->span : NULL;
    if (s && s->src && s->hi > s->lo && s->hi - s->lo <= LONGEST_NAME &&
        !memchr(s->src->text + s->lo, '\n', s->hi - s->lo))
        snprintf(buf, size, "%.*s", (int)(s->hi - s->lo), s->src->text + s->lo);
    else
        snprintf(buf, size, "%s",
                 number == 0   ? "the first operand"
                 : number == 1 ? "the second operand"
                               : "an operand");
}

static void substitute(char *text, size_t size, int n, char names[][LONGEST_NAME + 8]) {
    char out[TG_DIAG_MSG];
    size_t used = 0;
    for (const char *p = text; *p && used + 1 < size && used + 1 < sizeof out;) {
        if (p[0] == '{' && isdigit((unsigned char)p[1]) && p[2] == '}' && p[1] - '0' < n) {
            const char *name = names[p[1] - '0'];
            size_t len = strlen(name);
            bool primed = p[3] == '\'',
                 twice = primed && len > 0 && name[len - 1] == '\''; /* W'' is W */
            bool loose = !twice && strpbrk(name, "+-*/%@^<>= ") && (primed || p[3] == '[');
            int put = snprintf(out + used, size - used, loose ? "(%.*s)" : "%.*s",
                               (int)(len - twice), name);
            used += (size_t)put < size - used ? (size_t)put : size - used - 1;
            p += twice ? 4 : 3;
        } else {
            out[used++] = *p++;
        }
    }
    out[used] = 0;
    memcpy(text, out, used + 1);
}

static bool shape_of(tg_interp *in, tg_value v, const char **out) {
    if (v.tag == TG_V_TENSOR)
        *out = tg_shape_text(&in->rt, v.as.tensor->v.rank, v.as.tensor->v.dim);
    else if (v.tag == TG_V_FORMULA)
        *out = tg_shape_text(&in->rt, v.as.node->type.rank, v.as.node->type.dim);
    else if (v.tag == TG_V_NUMBER)
        *out = "a number";
    else
        return false;
    return true;
}

bool tg_blame_operands(tg_interp *in, int n, const int *operand, const tg_argument *args) {
    tg_diag *d = &in->rt.c.diag;
    char names[TG_MAX_TENSORS][LONGEST_NAME + 8];
    if (n > TG_MAX_TENSORS) n = TG_MAX_TENSORS;
    for (int i = 0; i < n; i++) operand_text(&args[operand[i]], i, names[i], sizeof names[i]);
    substitute(d->msg, sizeof d->msg, n, names);
    substitute(d->help, sizeof d->help, n, names);
    if (d->kind != TG_ERR_SHAPE || d->notes[0]) return false;
    char line[256] = "";
    size_t used = 0;
    for (int i = 0; i < n; i++) {
        const char *shape;
        if (!shape_of(in, args[operand[i]].value, &shape) || used + 64 > sizeof line) continue;
        int put = snprintf(line + used, sizeof line - used, "%s%s : %s", used ? "      " : "",
                           names[i], shape);
        used += put > 0 ? (size_t)put : 0;
        if (used >= sizeof line) used = sizeof line - 1;
    }
    return line[0] ? tg_note(&in->rt.c, "%s", line) : false;
}

int tg_edit_distance(const char *a, const char *b, int most) {
    enum { LONG = 40 };
    int na = (int)strlen(a), nb = (int)strlen(b), row[3][LONG + 1];
    if (na > LONG || nb > LONG || na - nb > most || nb - na > most) return most + 1;
    for (int j = 0; j <= nb; j++) row[0][j] = j;
    for (int i = 1; i <= na; i++) {
        int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= nb; j++) {
            int best = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < best) best = up[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[na % 3][nb] <= most ? row[na % 3][nb] : most + 1;
}

static void nearest(tg_env *env, const char *name, const char **best, int *distance) {
    for (size_t i = 0; env && i < env->n; i++) {
        if (!env->items[i].name) continue;
        int d = tg_edit_distance(name, env->items[i].name, *distance - 1);
        if (d < *distance) {
            *distance = d;
            *best = env->items[i].name;
        }
    }
}

/* Functions of other languages and what does their work here; words that are no functions are the
 * grammar's advice. */
static const char *const foreign[][2] = {
    {"len", "size(x)"},
    {"length", "size(x)"},
    {"numel", "size(x)"},
    {"ln", "log(x)"},
    {"cat", "concat([a, b])"},
    {"hstack", "concat([a, b], axis=1)"},
    {"vstack", "concat([a, b], axis=0)"},
    {"mm", "a @ b"},
    {"placeholder", "input X[N, 784]"},
    {"vcat", "concat([a, b], axis=0)"},
    {"hcat", "concat([a, b], axis=1)"},
    {"str", "text(x)"},
    {"int", "floor(x) or round(x)"},
    {"float", "number(x) of a text, double(x) of a tensor"},
    {"range", "0..n - 1"},
    {"derivative", "grad(y, x), or f'"},
    {"diff", "grad(y, x), or f'"},
    {"normal", "randn(2, 3)"},
    {"np", "sum(x), without a prefix"},
    {"numpy", "sum(x), without a prefix"},
    {"torch", "sum(x), without a prefix"},
    {"exit", "Ctrl-D leaves the prompt"},
    {"quit", "Ctrl-D leaves the prompt"},
};

bool tg_is_library_text(const tg_source *src) {
    return src && strncmp(src->name, "<stdlib", 7) == 0;
}

static bool place(tg_interp *in, const tg_ast *e, tg_value v) {
    if (v.tag == TG_V_FORMULA) {
        tg_node *n = v.as.node;
        if (n->n == 0 || n->written.src == e->span.src || tg_is_library_text(e->span.src))
            return true;
        if (!n->written.src) return tg_node_place(&in->rt, n, e->span);
        if (e->span.src) tg_node_place_again(n, e->span);
        return true;
    }
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (!place(in, e, v.as.items->v[i])) return false;
    return true;
}

bool tg_place(tg_interp *in, const tg_ast *e, tg_value *v) {
    if (place(in, e, *v)) return true;
    tg_value_drop(*v);
    *v = TG_NONE_VALUE;
    return false;
}

bool tg_blame_name(tg_interp *in, tg_env *env, const char *name) {
    const char *best = NULL;
    int distance = strlen(name) <= 2 ? 1 : strlen(name) <= 4 ? 2 : 3;
    for (tg_env *e = env; e && e != in->globals; e = e->parent) nearest(e, name, &best, &distance);
    nearest(in->globals, name, &best, &distance);
    nearest(in->library, name, &best, &distance);
    tg_fail(&in->rt.c, TG_ERR_NAME, "there is no name %s", name);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strcmp(foreign[i][0], name) == 0) return tg_help(&in->rt.c, "in tg: %s", foreign[i][1]);
    const char *advice = tg_advice_on_word(name);
    if (advice) return tg_help(&in->rt.c, "%s", advice);
    return best ? tg_help(&in->rt.c, "did you mean %s?", best) : false;
}

static bool points_into(const tg_diag *d, const tg_source *src) {
    bool is = d->at.src == src || d->with[0].src == src || d->with[1].src == src;
    for (int i = 0; i < d->ntrace; i++) is = is || d->trace[i].src == src;
    return is;
}

void tg_blame_keep(tg_interp *in, tg_source *src) {
    tg_diag *d = &in->rt.c.diag;
    if (!points_into(d, src)) return;
    for (int i = 0; i < in->nkept; i++)
        if (in->kept[i] == src) return;
    void *p = in->kept;
    size_t cap = (size_t)in->kept_cap;
    bool ok = tg_grow(&p, &cap, (size_t)in->nkept + 1, sizeof *in->kept);
    in->kept = p;
    in->kept_cap = (int)cap;
    if (ok) {
        in->kept[in->nkept++] = tg_source_hold(src);
    } else {
        d->at = d->with[0] = d->with[1] = (tg_span){0};
        d->ntrace = d->nframes = 0;
    }
}

void tg_blame_release(tg_interp *in) {
    for (int i = 0; i < in->nkept; i++) tg_source_drop(in->kept[i]);
    tg_free(in->kept);
    in->kept = NULL;
    in->nkept = in->kept_cap = 0;
}

void tg_remark(tg_interp *in, const char *fmt, ...) {
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (tg_remark_is_new(in, tg_hash_text(text))) tg_remark_text(in, text);
}

/* Once is enough, not at every turn of a loop. */
bool tg_remark_is_new(tg_interp *in, uint64_t key) {
    enum { MOST = sizeof in->remarked / sizeof *in->remarked };
    for (int i = 0; i < in->nremarked && i < MOST; i++)
        if (in->remarked[i] == key) return false;
    in->remarked[in->nremarked++ % MOST] = key;
    return true;
}

void tg_remark_text(tg_interp *in, const char *text) {
    bool colours = tg_remark_colours(in);
    const char *on = tg_ink_on(colours, TG_INK_WARNING), *off = tg_ink_off(colours);
    if (in->echo) {
        const char *part[] = {on, "note:", off, " ", text, "\n"};
        for (size_t i = 0; i < sizeof part / sizeof *part; i++)
            tg_write(in, part[i], strlen(part[i]));
    } else {
        fprintf(stderr, "%snote:%s %s\n", on, off, text);
    }
}
