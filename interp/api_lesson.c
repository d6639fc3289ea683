/* What lessons stand on: comparing what two texts say, as the builtin `same` does, and where the
 * lessons are. */
#include "interp/api.h"
#include "interp/blame.h"
#include "runtime/io/paths.h"

#include <string.h>

/* The expression of a statement: itself, or the only right side of `=` or `:=`. NULL: neither. */
static const tg_ast *expression_of(const tg_unit *unit) {
    if (unit->n != 1) return NULL;
    const tg_ast *e = unit->statements[0];
    bool names = e->kind == TG_AST_DEFINE || (e->kind == TG_AST_STORE && !e->op);
    if (names) return e->ntargets == 1 && e->n == 2 ? e->kids[1] : NULL;
    return tg_api_is_expression(e) ? e : NULL;
}

/* Does the first statement give a name, and another one than the second? */
static bool is_other_name(const tg_unit *first, const tg_unit *second) {
    const tg_ast *a = first->statements[0], *b = second->statements[0];
    if (expression_of(first) == a) return false;
    return expression_of(second) == b || a->kids[0]->name != b->kids[0]->name;
}

/* The value that the text stands for; owned. */
static bool evaluate(tg_interp *in, const tg_reading *r, tg_value *out) {
    const tg_ast *e = expression_of(r->unit);
    if (!e) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "this is no expression, nor does it give one a name");
        return r->unit->n > 0 && tg_blame(in, r->unit->statements[0]);
    }
    tg_unit *outer = in->unit;
    in->unit = r->unit;
    bool ok = tg_eval(in, in->globals, e, out) || tg_blame(in, e);
    in->unit = outer;
    return ok;
}

static bool is_plain(tg_value v) {
    return v.tag != TG_V_FORMULA && !tg_value_is_function(v);
}

/* The record that same(a, b) gives, to the caller. */
static bool compare(tg_interp *in, const tg_value v[2], tg_comparison *out, tg_str *said) {
    const char *name = tg_intern(&in->rt.c, "same", 4);
    const tg_value *same = name ? tg_lookup(in, in->library, name) : NULL;
    const tg_argument args[2] = {{.value = v[0]}, {.value = v[1]}};
    tg_value answer = TG_NONE_VALUE;
    if (!same) return name ? tg_fail(&in->rt.c, TG_ERR_NAME, "there is no `same`") : false;
    bool equal = false;
    bool ok = tg_call_value(in, *same, 2, args, &answer) &&
              tg_to_truth(in, answer, "the answer", &equal) &&
              tg_show_value(in, answer, NULL, said);
    tg_value_drop(answer);
    out->equal = equal;
    return ok && (!said->failed || tg_fail_memory(&in->rt.c));
}

tg_status tg_compare(tg_state *s, const char *a, const char *b, tg_comparison *out) {
    tg_interp *in = tg_api_enter(s);
    const char *const text[2] = {a, b};
    tg_reading r[2] = {{0}, {0}};
    tg_value v[2] = {TG_NONE_VALUE, TG_NONE_VALUE};
    *out = (tg_comparison){.said = ""};
    s->document.len = 0;
    bool ok = true;
    for (int i = 0; ok && i < 2; i++)
        ok = tg_api_read(in, text[i], strlen(text[i]), &r[i]) && evaluate(in, &r[i], &v[i]);
    ok = ok && compare(in, v, out, &s->document);
    if (ok) out->said = tg_str_text(&s->document);
    if (ok) out->tells = is_plain(v[1]) && strstr(out->said, "the second ");
    if (ok) out->other_name = is_other_name(r[0].unit, r[1].unit);
    for (int i = 0; i < 2; i++) tg_value_drop(v[i]);
    tg_status status = tg_api_done(s, &r[0], ok, 0);
    if (r[1].unit) tg_unit_drop(r[1].unit);
    tg_source_drop(r[1].src);
    return status;
}

tg_status tg_lessons_folder(tg_state *s, char *out, size_t size) {
    tg_interp *in = tg_api_enter(s);
    return tg_api_leave(s, tg_lessons_find(&in->rt, out, size));
}
