/* Builtins that hand formulas to other programs: LaTeX, drawn graphs, and source in other
 * languages. Each gives a text, which the prompt shows bare, ready to be copied, and with to="file"
 * writes it into a file instead. */
#include "interp/convert.h"
#include "runtime/export/latex.h"

#include <string.h>

/* A text to be copied. */
static bool give_text(tg_interp *in, tg_str *s, tg_value *out) {
    bool ok = s->failed ? tg_fail_memory(&in->rt.c)
                        : tg_value_string(&in->rt.c, tg_str_text(s), s->len, out);
    if (ok) out->as.text->bare = true;
    tg_str_free(s);
    return ok;
}

/* The string given for an option; NULL in *text: none was. */
static bool text_option(tg_interp *in, const tg_argument *a, const char *what, const char **text) {
    *text = NULL;
    if (a->value.tag == TG_V_NONE) return true;
    if (a->value.tag != TG_V_STRING)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s must be a string, not %s", what,
                       tg_value_kind(a->value));
    *text = a->value.as.text->bytes;
    return true;
}

/* ---- latex ---- */

static bool latex_of(tg_interp *in, tg_value v, void *user, tg_value *out) {
    const char *name = user;
    tg_node *n;
    tg_str s = {0};
    if (!tg_to_node(in, v, "the argument of latex", &n)) return false;
    if (tg_latex(&in->rt, &s, n, name)) return give_text(in, &s, out);
    tg_str_free(&s);
    return false;
}

static bool run_latex(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const char *name;
    if (!text_option(in, &args[1], "name", &name)) return false;
    if (name && (!name[0] || strpbrk(name, "\\{}$&#%~^ \n")))
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "name must be a name, not \"%s\"", name);
    return tg_map_leaves(in, args[0].value, latex_of, (void *)(uintptr_t)name, out);
}

const tg_builtin tg_builtins_export[] = {
    {"latex", "latex(e, name=none)",
     "The formula e as LaTeX, for a document that loads amsmath; with name=\"g\" as the equation g "
     "= "
     "... Of a tuple or record, each formula.",
     "x = var(2); latex(sqrt(x) / 2)", "\\frac{\\sqrt{x}}{2}", run_latex, true, false},
    {0},
};
