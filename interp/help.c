/* ?name. What is said of an operation or builtin is in its record, of a function written in tg the
 * comment above its definition and the definition itself; here it is only laid out. */
#include "interp/help.h"
#include "interp/blame.h"
#include "interp/kinks.h"
#include "interp/show.h"
#include "runtime/ops/document.h"

#include <string.h>

static void add_kinks(tg_str *s) {
    tg_str_add(s,
               "At a kink the slope is a convention, the same however the function is spelled.\n");
    for (const tg_kink *k = tg_kinks; k->what; k++) {
        tg_str_addf(s, "\n%s: slope %s at x = %s\n  ", k->what, k->slope, k->at);
        for (const char *p = k->spelled; *p; p++) {
            if (strncmp(p, " | ", 3) == 0) {
                tg_str_add(s, "\n  ");
                p += 2;
            } else {
                tg_str_addc(s, *p);
            }
        }
        tg_str_addc(s, '\n');
        if (k->why) tg_str_addf(s, "  (%s)\n", k->why);
    }
}

static void add_builtin(tg_str *s, const tg_builtin *b) {
    tg_str_addf(s, "%s\n%s\n", b->signature, b->doc);
    if (b->example && b->value && strcmp(b->value, "...") != 0) {
        tg_str_addf(s, "Example: %s\n", b->example);
        if (b->value[0]) tg_str_addf(s, "  %s\n", b->value);
    }
}

/* The lines of comment right above the definition. */
static void add_comment(tg_str *s, const tg_span *span) {
    const char *text = span->src->text, *begin = text + span->lo;
    const char *top = begin;
    while (top > text) {
        const char *line = top - 1;
        while (line > text && line[-1] != '\n') line--;
        if (*line != '#') break;
        top = line;
    }
    if (top > text && top[-1] != '\n') return;
    while (top < begin && *top == '#') {
        const char *end = strchr(top, '\n');
        top += strspn(top, "# ");
        if (strncmp(top, "tg> ", 4) == 0) {
            tg_str_add(s, "Example: ");
            top += 4;
        }
        tg_str_addn(s, top, (size_t)(end + 1 - top));
        top = end + 1;
    }
}

static void add_source(tg_str *s, const tg_ast *def) {
    tg_str_addn(s, def->span.src->text + def->span.lo, def->span.hi - def->span.lo);
    tg_str_addc(s, '\n');
}

static void add_function(tg_str *s, const tg_function *f) {
    for (; f->primal; f = f->primal) tg_str_add(s, "The derivative of\n");
    if (!f->def) return;
    add_comment(s, &f->def->span);
    add_source(s, f->def);
    if (f->rule) add_source(s, f->rule->def);
}

bool tg_help_statement(tg_interp *in, tg_env *env, const tg_ast *e) {
    const tg_value *v = tg_lookup(in, env, e->name);
    tg_str s = {0};
    bool ok = true;
    if (!v && strcmp(e->name, "kinks") == 0) {
        add_kinks(&s);
    } else if (!v) {
        ok = tg_blame_name(in, env, e->name);
    } else if (v->tag == TG_V_OP) {
        tg_op_describe(&s, v->as.op);
    } else if (v->tag == TG_V_BUILTIN) {
        add_builtin(&s, v->as.builtin);
    } else if (v->tag == TG_V_FUNCTION) {
        add_function(&s, v->as.function);
    } else {
        ok = tg_show_echo(in, e->name, *v, &s);
    }
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return ok;
}
