/* assume and unassume.
 *
 *     assume sum(Y, axis=1) == 1        from now on
 *     assume 0 < x and x < 1            two assumptions
 *     assume                            lists them
 *     unassume(x < 1)                   drops one, unassume() or `assume none` all
 *
 * The statement evaluates its conditions as any expression. What is a plain truth value then is no
 * assumption: true says nothing, false is an error. The rest is told to the runtime, and checked on
 * the data that are there. A statement that fails leaves no assumption behind. */
#include "base/alloc.h"
#include "interp/assume.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/print.h"

#include <string.h>

static bool add_texts(tg_interp *in, uint32_t which, tg_str *out) {
    for (int i = 0, n = 0; i < TG_FACTS; i++)
        if (which >> i & 1)
            tg_str_addf(out, "%s%s", n++ ? " and " : "", tg_assume_text(&in->rt, i));
    return !out->failed || tg_fail_memory(&in->rt.c);
}

/* Why there was nothing to assume. */
static bool tell_known(tg_interp *in, const char *text, uint32_t by) {
    tg_str s = {0};
    bool ok = add_texts(in, by, &s);
    if (ok && by && strcmp(tg_str_text(&s), text) == 0)
        tg_remark(in, "%s is assumed already", text);
    else if (ok && by)
        tg_remark(in, "nothing to assume: %s follows from %s", text, tg_str_text(&s));
    else if (ok)
        tg_remark(in, "nothing to assume: %s always holds", text);
    tg_str_free(&s);
    return ok;
}

/* all(c) of everything is c. */
static tg_node *unwrapped(tg_node *n) {
    while (tg_node_is(n, "all") && n->type.rank == 0) n = n->arg[0];
    return n;
}

static bool add(tg_interp *in, tg_node *condition) {
    if (!tg_guard(&in->rt.c)) return false;
    condition = unwrapped(condition);
    if (tg_node_is(condition, "and"))
        return add(in, condition->arg[0]) && add(in, condition->arg[1]);
    uint32_t by;
    tg_assume_outcome outcome = tg_assume_add(&in->rt, condition, &by);
    if (outcome != TG_ASSUME_KNOWN) return outcome == TG_ASSUME_ADDED;
    tg_str text = {0};
    bool ok = tg_node_print(&in->rt, &text, condition, false) &&
              (!text.failed || tg_fail_memory(&in->rt.c)) && tell_known(in, tg_str_text(&text), by);
    tg_str_free(&text);
    return ok;
}

/* A condition without formulas is true or false now. */
static bool check_plain(tg_interp *in, const tg_ast *e, tg_value v) {
    int n = (int)(e->span.hi - e->span.lo);
    const char *text = e->span.src->text + e->span.lo;
    bool truth = v.tag == TG_V_BOOL && v.as.truth;
    if (v.tag == TG_V_TENSOR && v.as.tensor->v.dtype == TG_BOOL) {
        truth = true;
        for (int64_t i = 0; truth && i < tg_view_count(&v.as.tensor->v); i++)
            truth = tg_view_get(&v.as.tensor->v, i) != 0;
    } else if (v.tag != TG_V_BOOL) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "an assumption is an equation or a comparison, not %s",
                tg_value_kind(v));
        return tg_help(&in->rt.c, "for example: assume sum(Y, axis=1) == 1, or assume x > 0");
    }
    if (!truth) return tg_fail(&in->rt.c, TG_ERR_VALUE, "%.*s is false", n, text);
    tg_remark(in, "nothing to assume: %.*s is true", n, text);
    return true;
}

static bool assume_all(tg_interp *in, tg_env *env, const tg_ast *s) {
    for (int i = 0; i < s->n; i++) {
        tg_value v;
        if (!tg_eval(in, env, s->kids[i], &v)) return false;
        bool ok = v.tag == TG_V_FORMULA ? add(in, v.as.node) : check_plain(in, s->kids[i], v);
        tg_value_drop(v);
        if (!ok) return tg_blame(in, s->kids[i]);
    }
    return true;
}

bool tg_assume_list(tg_interp *in) {
    tg_str s = {0};
    for (int i = 0; i < TG_FACTS; i++)
        if (tg_assume_in_force(&in->rt) >> i & 1) {
            const char *lost =
                tg_assume_is_orphan(&in->rt, i) ? "   (of what had the name before)" : "";
            tg_str_addf(&s, "%s%s\n", tg_assume_text(&in->rt, i), lost);
        }
    bool ok = !s.failed || tg_fail_memory(&in->rt.c);
    if (ok && s.len == 0) tg_str_add(&s, "nothing is assumed\n");
    if (ok) tg_write(in, tg_str_text(&s), strlen(tg_str_text(&s)));
    tg_str_free(&s);
    return ok;
}

bool tg_assume_statement(tg_interp *in, tg_env *env, const tg_ast *s) {
    uint32_t before = tg_assume_in_force(&in->rt);
    if (s->n == 1 && s->kids[0]->kind == TG_AST_NONE) {
        tg_assume_drop(&in->rt, before);
        return true;
    }
    bool computing = in->computing;
    in->computing = false; /* no slots of a `:=` in what is assumed */
    bool ok = assume_all(in, env, s);
    in->computing = computing;
    if (ok && !tg_assume_check(&in->rt, ~before, 0, NULL, NULL)) {
        if (in->rt.c.diag.kind == TG_ERR_VALUE)
            tg_help(&in->rt.c, "nothing was assumed: it must hold for the data that are there");
        ok = tg_blame(in, s);
    }
    if (!ok) tg_assume_restore(&in->rt, before);
    return ok;
}

static uint32_t found_in(tg_interp *in, tg_node *condition, uint32_t *missing) {
    condition = unwrapped(condition);
    if (tg_node_is(condition, "and") && tg_guard(&in->rt.c))
        return found_in(in, condition->arg[0], missing) | found_in(in, condition->arg[1], missing);
    uint32_t found = tg_assume_find(&in->rt, condition);
    *missing += found == 0;
    return found;
}

static bool run_unassume(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)out;
    uint32_t which = n == 0 ? UINT32_MAX : 0, missing = 0;
    for (int i = 0; i < n; i++) {
        tg_value v = args[i].value;
        which |= v.tag == TG_V_FORMULA ? found_in(in, v.as.node, &missing) : 0;
        if (v.tag == TG_V_FORMULA && !missing) continue;
        tg_fail(&in->rt.c, TG_ERR_VALUE, "that is not assumed");
        return tg_help(&in->rt.c, "`assume` alone lists what is; unassume() drops all");
    }
    tg_assume_drop(&in->rt, which);
    return true;
}

const tg_builtin tg_builtins_assume[] = {
    {"unassume", "unassume(...)",
     "Drops assumptions, given by their conditions; without any, all of them. Results computed "
     "before keep their note.",
     "x = var(2); assume x > 0; unassume(x > 0); show(abs(x))", "abs(x)", run_unassume, false,
     false},
    {0},
};
