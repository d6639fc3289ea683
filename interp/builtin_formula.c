/* Builtins about formulas: variables, values, gradients. */
#include "base/alloc.h"
#include "base/nearest.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/store.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/graph/recompute.h"
#include "runtime/plan/plan.h"

#include <stdio.h>
#include <string.h>

/* ---- var, value, eval, fresh ---- */

static bool make_var(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)user;
    tg_tensor *t;
    if (!tg_to_tensor(in, v, "the value of a var", &t)) return false;
    bool typed = v.tag == TG_V_TENSOR || (v.tag == TG_V_FORMULA && t->v.rank > 0);
    tg_dtype want = tg_dtype_is_float(t->v.dtype) && typed ? t->v.dtype : in->rt.precision;
    tg_tensor *own = tg_tensor_convert(&in->rt.c, &t->v, want);
    tg_tensor_drop(t);
    if (!own) return false;
    tg_type type = tg_type_of((tg_value){.tag = TG_V_TENSOR, .as.tensor = own});
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_VAR, NULL, &type, own);
    tg_tensor_drop(own);
    tg_node *n = c ? tg_node_cell(&in->rt, c) : NULL;
    tg_cell_drop(c);
    if (!n) return false;
    *out = tg_value_formula(n, 0);
    return true;
}

static bool run_var(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    if (args[1].ast || args[2].ast) { /* var(x, axis=1): the variance */
        tg_value *variance = tg_env_find(in->library, tg_intern(&in->rt.c, "variance", 8));
        tg_argument moved[3] = {args[0], args[1], args[2]};
        for (int i = 0; i < 3; i++) moved[i].name = NULL;
        if (!moved[2].ast) moved[2].value = tg_value_bool(false);
        return variance ? tg_call_value(in, *variance, 3, moved, out)
                        : tg_fail(&in->rt.c, TG_ERR_NAME, "the standard library is missing");
    }
    return tg_map_leaves(in, args[0].value, make_var, NULL, out);
}

static bool run_value(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return tg_value_now(in, args[0].value, out);
}

static bool run_live(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)in;
    (void)n;
    *out = tg_value_bool(tg_is_live(args[0].value));
    return true;
}

static bool run_fresh(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)in;
    (void)n;
    *out = tg_value_hold(args[0].value);
    return true;
}

/* What eval can be given data for, nearest to the name. */
static void help_cell(tg_interp *in, const char *name) {
    tg_nearest near = tg_nearest_of_few(name ? name : "");
    for (size_t i = 0; i < in->globals->n; i++)
        if (tg_value_cell(in->globals->items[i].value))
            tg_nearest_offer(&near, in->globals->items[i].name);
    if (near.best)
        tg_help(&in->rt.c, "did you mean %s?", near.best);
    else
        tg_help(&in->rt.c, "for example eval(cost, X=xb, Y=yb)");
}

/* eval(e, X=xb, Y=yb): each name must be a var or an input. */
static bool run_eval(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    enum { MOST = 32 };
    tg_cell *cell[MOST] = {0};
    tg_tensor *value[MOST] = {0};
    int count = 0;
    bool ok =
        n - 1 <= MOST || tg_fail(&in->rt.c, TG_ERR_VALUE, "eval takes at most %d values", MOST);
    for (int i = 1; ok && i < n; i++) {
        tg_value *v = args[i].name ? tg_env_find(in->globals, args[i].name) : NULL;
        tg_cell *c = v ? tg_value_cell(*v) : NULL;
        if (!c) {
            ok = tg_fail(&in->rt.c, TG_ERR_NAME,
                         "eval gives data to inputs and vars by name; %s is none",
                         args[i].name ? args[i].name : "a value without a name");
            help_cell(in, args[i].name);
            break;
        }
        tg_tensor *t;
        ok = tg_to_tensor(in, args[i].value, args[i].name, &t);
        if (!ok) break;
        if (t->v.dtype != c->type.dtype) {
            tg_tensor *converted = tg_tensor_convert(&in->rt.c, &t->v, c->type.dtype);
            tg_tensor_drop(t);
            t = converted;
            if (!t) ok = false;
        }
        if (ok) {
            cell[count] = c;
            value[count++] = t;
        }
    }
    uint32_t on = 0;
    for (int i = 0; i < count; i++) on |= tg_assume_on_cell(&in->rt, cell[i]);
    ok = ok && tg_assume_check(&in->rt, on, count, cell, value) &&
         tg_value_now_with(in, args[0].value, count, cell, value, out);
    while (count > 0) tg_tensor_drop(value[--count]);
    return ok;
}

/* ---- grad ---- */

typedef struct targets {
    tg_node **node, **grad;
    const char **cut;
    size_t n, cap, next;
    uint32_t assumed;
} targets;

static bool keep_node(tg_interp *in, targets *t, tg_node *n) {
    void *p = t->node;
    bool ok = tg_grow(&p, &t->cap, t->n + 1, sizeof *t->node);
    t->node = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    t->node[t->n++] = n;
    return true;
}

/* The name of a node, or its text when that is short. */
static const char *name_of_node(tg_interp *in, const tg_node *n, char *room, size_t size) {
    const char *name = tg_node_name(n);
    tg_str s = {0};
    if (!name && tg_node_print(&in->rt, &s, n, false) && s.len < size) {
        snprintf(room, size, "%s", tg_str_text(&s));
        name = room;
    }
    tg_str_free(&s);
    return name ? name : "the variable";
}

/* A whole number or truth value has no neighbours to compare with. */
static bool may_be_target(tg_interp *in, const tg_node *n) {
    char room[40];
    bool size = n->op == &tg_op_size;
    if (!size && tg_dtype_is_float(n->type.dtype)) return true;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "there is no derivative by %s, which %s",
            name_of_node(in, n, room, sizeof room),
            size                       ? "is a size"
            : n->type.dtype == TG_BOOL ? "is true or false"
                                       : "holds whole numbers");
    return size ? false : tg_help(&in->rt.c, "a var or an input of real numbers has one");
}

static bool add_target(tg_interp *in, tg_value v, void *user, tg_value *out) {
    targets *t = user;
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "a gradient is taken with respect to a var, an input or a named formula, not %s",
                tg_value_kind(v));
        return tg_help(&in->rt.c, "make it a variable: x = var(...)");
    }
    return may_be_target(in, v.as.node) && keep_node(in, t, v.as.node);
}

static bool place_gradient(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)in;
    (void)v;
    targets *t = user;
    tg_node *g = t->grad[t->next++];
    *out = tg_node_is_number(g) ? tg_value_number(g->leaf.number) : tg_value_formula(g, t->assumed);
    out->derived = out->tag == TG_V_FORMULA && g->origin;
    return true;
}

/* Zero gradients are told of, with the reason: `held` is whether hold= cut anything. */
static bool report_cuts(tg_interp *in, const targets *t, const tg_argument *y, bool held,
                        bool strict) {
    char what[40] = "the formula", why[240], room[60];
    if (y->ast && y->ast->kind == TG_AST_NAME) snprintf(what, sizeof what, "%s", y->ast->name);
    for (size_t i = 0; i < t->n; i++) {
        if (!t->cut[i]) continue;
        const char *x = name_of_node(in, t->node[i], room, sizeof room);
        bool element = t->node[i]->op->style == TG_PRINT_INDEX;
        if (held)
            snprintf(why, sizeof why, "%s reaches %s only through what is held", x, what);
        else if (t->cut[i][0])
            snprintf(why, sizeof why, "%s reaches %s only through %s", x, what, t->cut[i]);
        else if (element)
            snprintf(why, sizeof why, "%s has no part %s (its slope there is %s of grad(y, x))",
                     what, x, strrchr(x, '[') ? strrchr(x, '[') : "that part");
        else
            snprintf(why, sizeof why, "%s does not depend on %s", what, x);
        if (strict) return tg_fail(&in->rt.c, TG_ERR_VALUE, "%s, so the gradient is zero", why);
        tg_remark(in, "%s, so the gradient is zero", why);
    }
    return true;
}

/* What is held: formulas. Plain values among them are constant anyway. */
static bool add_held(tg_interp *in, tg_value v, void *user, tg_value *out) {
    *out = TG_NONE_VALUE;
    if (v.tag == TG_V_FORMULA) return keep_node(in, user, v.as.node);
    if (v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL || v.tag == TG_V_TENSOR) return true;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "hold= takes formulas that count as constants, not %s",
            tg_value_kind(v));
    return tg_help(&in->rt.c, "for example hold=[h, W]");
}

static bool held_nodes(tg_interp *in, tg_value hold, targets *t) {
    tg_value skeleton = TG_NONE_VALUE;
    if (hold.tag == TG_V_NONE) return true;
    bool ok = tg_map_leaves(in, hold, add_held, t, &skeleton);
    tg_value_drop(skeleton);
    return ok;
}

/* unconnected="error" or "zero". */
static bool read_unconnected(tg_interp *in, tg_value v, bool *strict) {
    const char *word = v.tag == TG_V_STRING ? v.as.text->bytes : NULL;
    *strict = word && strcmp(word, "error") == 0;
    if (v.tag == TG_V_NONE || *strict || (word && strcmp(word, "zero") == 0)) return true;
    tg_fail(&in->rt.c, TG_ERR_VALUE, "unconnected= is \"zero\" or \"error\", not %s%s%s",
            word ? "\"" : "", word ? word : tg_value_kind(v), word ? "\"" : "");
    static const char *const choices[] = {"zero", "error", NULL};
    return tg_help_choice(in, word, choices,
                          "\"zero\", the default, gives zeros and a note with the reason");
}

/* What memory= lists: values that the cost is computed by. */
static bool add_kept(tg_interp *in, tg_value v, void *user, tg_value *out) {
    *out = TG_NONE_VALUE;
    if (v.tag == TG_V_FORMULA) return keep_node(in, user, v.as.node);
    tg_fail(&in->rt.c, TG_ERR_TYPE, "memory= lists parts of the formula, and this is %s",
            tg_value_kind(v));
    return tg_help(&in->rt.c, "for example memory=[h1, h2] for h1 = tanh(X @ W1)");
}

static bool check_kept(tg_interp *in, tg_node *y, const targets *keep) {
    char room[40];
    for (size_t i = 0; i < keep->n; i++) {
        tg_node *k = keep->node[i];
        if (k->n == 0) {
            tg_fail(&in->rt.c, TG_ERR_VALUE, "%s is there anyway: it is not computed",
                    name_of_node(in, k, room, sizeof room));
            return tg_help(&in->rt.c, "memory= lists values on the way to the formula");
        }
        if (!tg_node_depends(&in->rt, y, k)) {
            if (in->rt.c.diag.kind != TG_ERR_NONE) return false;
            tg_fail(&in->rt.c, TG_ERR_VALUE, "%s is no part of the formula, so it cannot be kept",
                    name_of_node(in, k, room, sizeof room));
            return tg_help(&in->rt.c, "memory= lists values on the way to the formula");
        }
    }
    return true;
}

/* memory="sqrt", "speed", a list of values to keep, or a number of bytes. */
static bool read_memory(tg_interp *in, tg_value v, tg_node *y, tg_recompute **out) {
    tg_recompute_mode mode = TG_KEEP_LISTED;
    double bytes = 0;
    targets keep = {0};
    bool ok = true;
    *out = NULL;
    if (v.tag == TG_V_NONE) return true;
    if (v.tag == TG_V_STRING) {
        const char *word = v.as.text->bytes;
        mode = strcmp(word, "sqrt") == 0 ? TG_KEEP_SQRT : TG_KEEP_ALL;
        if (mode == TG_KEEP_ALL && strcmp(word, "speed") != 0) {
            tg_fail(&in->rt.c, TG_ERR_VALUE, "memory= is \"sqrt\" or \"speed\", not \"%s\"", word);
            static const char *const choices[] = {"sqrt", "speed", NULL};
            return tg_help_choice(in, word, choices,
                                  "or a number of bytes, or a list of values to keep");
        }
    } else if (v.tag == TG_V_NUMBER) {
        mode = TG_KEEP_BYTES;
        bytes = v.as.number;
        if (!(bytes > 0))
            return tg_fail(&in->rt.c, TG_ERR_VALUE, "memory= is a number of bytes above 0");
    } else {
        tg_value skeleton = TG_NONE_VALUE;
        ok = tg_map_leaves(in, v, add_kept, &keep, &skeleton) && check_kept(in, y, &keep);
        tg_value_drop(skeleton);
    }
    if (ok) *out = tg_recompute_new(&in->rt, mode, bytes, (int)keep.n, keep.node);
    tg_free(keep.node);
    return ok && *out;
}

/* grad(f) is f', grad(f, x) is f'(x). */
static bool slope(tg_interp *in, tg_value f, const tg_argument *x, tg_value *out) {
    tg_value derivative;
    if (!tg_function_derivative(in, f, &derivative)) return false;
    if (!x->ast) {
        *out = derivative;
        return true;
    }
    bool ok =
        tg_call_value(in, derivative, 1, &(tg_argument){.value = x->value, .ast = x->ast}, out);
    tg_value_drop(derivative);
    return ok;
}

/* An equation that x keeps to, put into y, has no slope beside it: y as it was before, in *whole,
 * where that is known. */
static bool before_equations(tg_interp *in, tg_value y, const targets *t, tg_value *whole) {
    uint32_t on = 0;
    for (size_t i = 0; y.tag == TG_V_FORMULA && y.assumed && i < t->n; i++)
        on |= tg_assume_equations_on(&in->rt, y.assumed, t->node[i]);
    if (!on) return true;
    if (!tg_raw_origin(in, y, whole)) return false;
    if (whole->as.node != y.as.node) return true;
    tg_remark(in, "the formula was simplified by an equation about the variable: its derivative "
                  "holds only along that equation");
    return true;
}

static bool run_grad(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value y = args[0].value, x = args[1].value, like = TG_NONE_VALUE;
    if (tg_value_is_function(y)) return slope(in, y, &args[1], out);
    if (!args[1].ast && x.tag == TG_V_NONE) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "grad needs the variable to differentiate by");
        return tg_help(&in->rt.c, "grad(y, x), grad(y, [a, b]), or grad(f) for a function f");
    }
    if (!tg_is_live(y)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "%s is %s, not a formula: it does not depend on any variable", "the first argument",
                tg_value_kind(y));
        return tg_help(&in->rt.c, "define it with = over vars or inputs: x = var(2); y = x^2");
    }
    if (y.tag == TG_V_TUPLE || y.tag == TG_V_RECORD) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "grad needs one number to differentiate, not %s",
                tg_value_kind(y));
        return tg_help(&in->rt.c, "take the gradient of each part, or of their sum");
    }
    targets t = {0}, hold = {0};
    tg_value whole = TG_NONE_VALUE; /* y as it was before what is assumed went into it */
    tg_node *yn, *seed = NULL;
    tg_recompute *recompute = NULL;
    bool strict, changed = false;
    bool ok = read_unconnected(in, args[4].value, &strict) &&
              tg_to_node(in, y, "the formula", &yn) &&
              tg_map_leaves(in, x, add_target, &t, &like) && held_nodes(in, args[3].value, &hold) &&
              before_equations(in, y, &t, &whole);
    if (ok && whole.tag == TG_V_FORMULA) yn = whole.as.node;
    tg_value_drop(like);
    if (ok && args[2].value.tag != TG_V_NONE) ok = tg_to_node(in, args[2].value, "the seed", &seed);
    ok = ok && read_memory(in, args[5].value, yn, &recompute);
    if (ok) {
        t.grad = tg_alloc_array(t.n + 1, sizeof(tg_node *));
        t.cut = tg_alloc_array(t.n + 1, sizeof(char *));
        ok = t.grad && t.cut ? true : tg_fail_memory(&in->rt.c);
    }
    tg_grad_options opt = {.seed = seed,
                           .nhold = (int)hold.n,
                           .hold = hold.node,
                           .simplify = !in->raw,
                           .remember = !in->raw,
                           .recompute = recompute,
                           .changed = &changed,
                           .used = &t.assumed};
    ok = ok && tg_grad(&in->rt, yn, (int)t.n, t.node, &opt, t.grad, t.cut);
    if (changed) tg_plans_forget(&in->rt);
    tg_recompute_drop(recompute);
    if (!ok) tg_blame_operands(in, 1, &(int){0}, args);
    ok = ok && report_cuts(in, &t, &args[0], hold.n > 0, strict);
    bool anew = whole.tag == TG_V_FORMULA && whole.as.node != y.as.node;
    t.assumed |= y.tag == TG_V_FORMULA && !anew ? y.assumed : 0;
    if (ok) ok = tg_map_leaves(in, x, place_gradient, &t, out);
    if (ok) tg_lists_to_tuples(out); /* to be taken apart, or computed with one by one */
    tg_free(t.node);
    tg_free(t.grad);
    tg_free(t.cut);
    tg_free(hold.node);
    tg_value_drop(whole);
    return ok;
}

const tg_builtin tg_builtins_formula[] = {
    {"var", "var(value, axis=none, keep=false)",
     "A variable that starts with this value: formulas over it are live, `:=` changes it. A tuple "
     "or record gives variables "
     "of the same form. With axis or keep it is the variance of the value instead, as variance(x, "
     "axis, keep).",
     "x = var(2)", "x = 2", run_var, false, false},
    {"live", "live(x)",
     "Is x a formula, which a var, an input or a fresh draw can change? Of a nesting: is any part?",
     "x = var(2); (live(2 * x), live(value(x)))", "(true, false)", run_live, false, false},
    {"value", "value(e)",
     "What a formula is worth now, as a plain number or tensor that no longer changes.",
     "value(var(3)^2)", "9", run_value, false, false},
    {"eval", "eval(e, ...)",
     "What a formula is worth for given data, which are not stored: eval(cost, X=xb, Y=yb).",
     "eval(2 + 3)", "5", run_eval, false, false},
    {"fresh", "fresh(e)",
     "Random draws in e become live: they are drawn again at each `:=` that computes them, and "
     "stay the same in between.",
     "shape(fresh(randn(2, 3)))", "(2, 3)", run_fresh, false, true},
    {"grad", "grad(y, x=none, seed=none, hold=none, unconnected=none, memory=none)",
     "The gradient of the scalar formula y with respect to x, shaped like x: a formula again. x "
     "may be a var, an input, a named "
     "formula, or a list, tuple or record of them; hold=[...] are treated as constants; where y "
     "does "
     "not depend on x the gradient is zero, with a note, or an error with unconnected=\"error\". "
     "memory=\"sqrt\" computes values of y again rather than keep them all (also \"speed\", a list "
     "of "
     "values to keep, or a number of bytes). "
     "grad(f) is the derivative of a function, grad(f, x) its value at x.",
     "x = var(3); grad(x^2, x)", "2 * x\n  = 6", run_grad, true, false},
    {0},
};
