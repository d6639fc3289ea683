/* derive(y, x): the derivation of a gradient as text (runtime/graph/derive.h). */
#include "base/alloc.h"
#include "interp/answer.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/show.h"
#include "interp/targets.h"
#include "runtime/graph/derive.h"

#include <string.h>

static bool taken(void *user, const char *name) {
    return tg_targets_taken(user, name);
}

/* "f(a, b)" */
static void shown_name(const tg_targets *t, tg_str *out) {
    tg_str_add(out, t->name);
    for (int i = 0; i < t->nmade; i++) tg_str_addf(out, "%s%s", i ? ", " : "(", t->x_name[i]);
    if (t->nmade) tg_str_addc(out, ')');
}

/* What grad gives: one formula, or a tuple of them. */
static bool result_of(tg_interp *in, const tg_derivation *d, size_t n, tg_value *out) {
    tg_value made;
    if (n == 1) {
        *out = tg_value_formula(d->result[0], d->used);
        return true;
    }
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, (int)n, &made)) return false;
    for (size_t i = 0; i < n; i++) made.as.items->v[i] = tg_value_formula(d->result[i], d->used);
    return tg_value_seal(&in->rt.c, made, out);
}

static bool run_derive(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_targets t;
    tg_derivation d = {0};
    tg_answer a = {0};
    tg_str shown = {0};
    tg_value result = TG_NONE_VALUE;
    bool ok = tg_targets_find(in, "derive", &args[0], &args[1], &t) &&
              tg_targets_scalar(in, "derive", &t);
    if (ok) {
        shown_name(&t, &shown);
        tg_derive_options opt = {.y_name = t.name,
                                 .y_shown = tg_str_text(&shown),
                                 .x_name = t.x_name,
                                 .taken = taken,
                                 .user = in,
                                 .width = tg_terminal_width(in, 100)};
        ok = shown.failed ? tg_fail_memory(&in->rt.c)
                          : tg_derive(&in->rt, t.y, (int)t.n, t.x, &opt, &d);
    }
    if (!ok) tg_blame_operands(in, args[1].ast ? 2 : 1, (int[]){0, 1}, args);
    ok = ok && result_of(in, &d, t.n, &result);
    a.said = d.text;
    d.text = (tg_str){0};
    tg_answer_add(&a, "right", tg_value_bool(ok && d.wrong == 0));
    tg_answer_add(&a, "result", result);
    tg_answer_add(&a, "lines", tg_value_number(d.lines));
    tg_answer_add(&a, "unchecked", tg_value_number(d.unchecked));
    tg_derivation_free(&d);
    tg_str_free(&shown);
    tg_targets_free(&t);
    return tg_answer_give(in, &a, ok, out);
}

const tg_builtin tg_builtins_derive[] = {
    {"derive", "derive(y, x=none)",
     "The derivation of grad(y, x), one rule a line: the parts of y by their names, the derivative "
     "by each of them, its shape, the rule, and a tick when difference quotients at a random point "
     "agree with the line. x may be several variables; derive(f) is of a function. The answer has "
     "the fields right, result, lines and unchecked.",
     "x = var(3); derive(x^2, x)", "y = x^2\ndy/dx = 2 * x   \u2713  power rule", run_derive, true,
     false},
    {0},
};
