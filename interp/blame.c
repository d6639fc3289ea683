/* Errors in the user's own terms. The runtime says "{0} @ {1} has no meaning"; here {0} becomes
 * what stands in the source, and the shapes of the operands are listed under the carets. */
#include "interp/blame.h"
#include "base/wrap.h"
#include "interp/show.h"
#include "interp/progress.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "grammar/advice.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/foreign.h"

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

/* ---- names that there are not ---- */

static void offer(tg_nearest *n, const tg_env *env) {
    for (size_t i = 0; env && i < env->n; i++)
        if (env->items[i].name) tg_nearest_offer(n, env->items[i].name);
}

/* dy, of a formula y? */
static bool is_differential(tg_interp *in, const char *name) {
    if (name[0] != 'd' || !name[1]) return false;
    const char *of = tg_intern(&in->rt.c, name + 1, strlen(name + 1));
    const tg_value *v = of ? tg_lookup(in, in->globals, of) : NULL;
    return v && v->tag == TG_V_FORMULA;
}

bool tg_blame_name(tg_interp *in, tg_env *env, const char *name) {
    static const char *const values[] = {"true", "false", "none", NULL};
    tg_nearest near = tg_nearest_to(name);
    for (tg_env *e = env; e && e != in->globals; e = e->parent) offer(&near, e);
    offer(&near, in->globals);
    const char *own = near.best;
    bool sure = own && near.within <= TG_NEAREST_ONE;
    offer(&near, in->library);
    for (const char *const *word = values; *word; word++) tg_nearest_offer(&near, *word);
    tg_fail(&in->rt.c, TG_ERR_NAME, "there is no name %s", name);
    if (is_differential(in, name))
        return tg_help(&in->rt.c, "d%s/dx is written grad(%s, x)", name + 1, name + 1);
    if (sure) return tg_help(&in->rt.c, "did you mean %s?", own);
    const char *here = tg_foreign_word(name);
    if (here) return tg_help(&in->rt.c, "in tg: %s", here);
    if (tg_foreign_module(name))
        return tg_help(&in->rt.c, "functions have no prefix in tg: write sum(x)");
    const char *advice = tg_advice_on_word(name);
    if (advice) return tg_help(&in->rt.c, "%s", advice);
    if (near.also[1])
        return tg_help(&in->rt.c, "did you mean %s, %s or %s?", near.best, near.also[0],
                       near.also[1]);
    if (near.also[0]) return tg_help(&in->rt.c, "did you mean %s or %s?", near.best, near.also[0]);
    return near.best ? tg_help(&in->rt.c, "did you mean %s?", near.best) : false;
}

void tg_blame_prefix(tg_interp *in, const tg_ast *e) {
    const tg_ast *root = e;
    while (root->kind == TG_AST_FIELD) root = root->kids[0];
    if (in->rt.c.diag.kind != TG_ERR_NAME || root->kind != TG_AST_NAME) return;
    if (tg_lookup(in, in->globals, root->name)) return;
    const char *here = tg_foreign_word(e->name);
    bool module = tg_foreign_module(root->name);
    if (!module && !here) return; /* loss.backward(), model.parameters() */
    if (module && tg_env_find(in->library, e->name))
        tg_help(&in->rt.c, "in tg: %s, without a prefix", e->name);
    else if (here)
        tg_help(&in->rt.c, "in tg: %s", here);
}

bool tg_blame_field(tg_interp *in, tg_value record, const char *name) {
    enum { MOST = 12 };
    const tg_items *items = record.as.items;
    tg_nearest near = tg_nearest_of_few(name);
    for (int i = 0; i < items->n; i++) tg_nearest_offer(&near, items->field[i]);
    tg_fail(&in->rt.c, TG_ERR_NAME, "there is no field %s", name);
    tg_str s = {0};
    const char *here =
        near.best ? NULL : tg_foreign_word(name); /* opt.zero_grad(), net.parameters() */
    if (near.best) tg_str_addf(&s, "did you mean %s? ", near.best);
    if (here) tg_str_addf(&s, "in tg: %s; ", here);
    tg_str_add(&s, items->n ? "it has " : "the record has no fields");
    for (int i = 0; i < items->n && i < MOST; i++)
        tg_str_addf(&s, "%s%s", i ? ", " : "", items->field[i]);
    if (items->n > MOST) tg_str_addf(&s, " and %d more", items->n - MOST);
    tg_help(&in->rt.c, "%s", tg_str_text(&s));
    tg_str_free(&s);
    return false;
}

bool tg_help_choice(tg_interp *in, const char *word, const char *const *choices,
                    const char *otherwise) {
    const char *meant = word ? tg_nearest_in(word, choices) : NULL;
    return meant ? tg_help(&in->rt.c, "did you mean \"%s\"?", meant)
                 : tg_help(&in->rt.c, "%s", otherwise);
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
    if (in->checking) {
        tg_check_remark(in, text);
        return;
    }
    enum { LABEL = 6 }; /* columns of "note: " */
    bool colours = tg_remark_colours(in);
    const char *on = tg_ink_on(colours, TG_INK_WARNING), *off = tg_ink_off(colours);
    if (in->echo) {
        tg_str wrapped = {0};
        const int width = tg_terminal_width(in, 0);
        if (width > 0) tg_wrap_line(&wrapped, text, strlen(text), LABEL, LABEL, width);
        const bool whole = width == 0 || wrapped.failed;
        const char *part[] = {on, "note:", off, " ", whole ? text : tg_str_text(&wrapped), "\n"};
        for (size_t i = 0; i < sizeof part / sizeof *part; i++)
            tg_write(in, part[i], strlen(part[i]));
        tg_str_free(&wrapped);
    } else {
        tg_progress_clear(in);
        fprintf(stderr, "%snote:%s %s\n", on, off, text);
    }
}
