/* jacobian, hessian, vjp, jvp, hvp: derivatives that are more than a gradient, and products with
 * them.
 *
 * All five take what to differentiate, by what, and the products a v. What to differentiate by may
 * be a nest of variables; results have its form, a Hessian that of a nest of nests. Where a
 * function is given, its argument is a nest of values: each leaf gets a slot (a nameless variable),
 * the function is called on the slots, and in the result the values are put in the slots' places.
 */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/store.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/jacobian.h"
#include "runtime/graph/substitute.h"

#include <stdio.h>
#include <string.h>

typedef enum kind { JACOBIAN, HESSIAN, VJP, JVP, HVP } kind;

typedef struct work {
    kind kind;
    tg_node **x, **v; /* the leaves of x, and of v where it has their form */
    size_t n, cap_x, cap_v, nv;
    tg_node **out;
    const char **cut;
    size_t next, row; /* the leaf that is being placed */
    uint32_t used;
    tg_value like;
} work;

static void free_work(work *w) {
    tg_free(w->x);
    tg_free(w->v);
    tg_free(w->out);
    tg_free(w->cut);
}

/* ---- leaves ---- */

static bool push(tg_interp *in, tg_node ***list, size_t *cap, size_t *n, tg_node *node) {
    void *p = *list;
    bool ok = tg_grow(&p, cap, *n + 1, sizeof **list);
    *list = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    (*list)[(*n)++] = node;
    return true;
}

static bool add_x(tg_interp *in, tg_value v, void *user, tg_value *out) {
    work *w = user;
    *out = TG_NONE_VALUE;
    if (v.tag == TG_V_FORMULA) return push(in, &w->x, &w->cap_x, &w->n, v.as.node);
    tg_fail(&in->rt.c, TG_ERR_TYPE,
            "a derivative is taken with respect to a var, an input or a named formula, not %s",
            tg_value_kind(v));
    return tg_help(&in->rt.c, "make it a variable: x = var(...)");
}

static bool check_v(tg_interp *in, const char *name, const tg_node *like, const tg_node *v) {
    const tg_type *a = &like->type, *b = &v->type;
    if (tg_shape_equal(a->rank, a->dim, b->rank, b->dim)) return true;
    return tg_fail(&in->rt.c, TG_ERR_SHAPE, "v must have the shape of %s, %s, not %s", name,
                   tg_shape_text(&in->rt, a->rank, a->dim),
                   tg_shape_text(&in->rt, b->rank, b->dim));
}

/* Adds the leaves of v, which must have the form of x. */
static bool add_v(tg_interp *in, work *w, tg_value x, tg_value v) {
    if (!tg_guard(&in->rt.c)) return false;
    if (tg_is_container(x)) {
        if (!tg_is_container(v) || v.as.items->n != x.as.items->n)
            return tg_fail(&in->rt.c, TG_ERR_TYPE,
                           "v must have the form of x, a part for each of its %d", x.as.items->n);
        for (int i = 0; i < x.as.items->n; i++)
            if (!add_v(in, w, x.as.items->v[i], v.as.items->v[i])) return false;
        return true;
    }
    tg_node *node;
    if (!tg_to_node(in, v, "v", &node) || !check_v(in, "x", w->x[w->nv], node)) return false;
    return push(in, &w->v, &w->cap_v, &w->nv, node);
}

/* ---- results ---- */

static tg_value as_value(const work *w, tg_node *n) {
    return tg_node_is_number(n) ? tg_value_number(n->leaf.number) : tg_value_formula(n, w->used);
}

static bool place(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)in, (void)v;
    work *w = user;
    *out = as_value(w, w->out[w->next++]);
    return true;
}

static bool place_nest(tg_interp *in, tg_value like, work *w, tg_value *out) {
    if (!tg_map_leaves(in, like, place, w, out)) return false;
    if (out->tag == TG_V_LIST) out->tag = TG_V_TUPLE; /* several shapes: not to be stacked */
    return true;
}

static bool place_row(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)v;
    work *w = user;
    return place_nest(in, w->like, w, out);
}

static bool give(tg_interp *in, tg_value x, work *w, tg_value *out) {
    if (w->kind == JVP) {
        *out = as_value(w, w->out[0]);
        return true;
    }
    if (w->kind != HESSIAN) return place_nest(in, x, w, out);
    tg_value made;
    if (!tg_map_leaves(in, x, place_row, w, &made)) return false;
    if (made.tag == TG_V_LIST) made.tag = TG_V_TUPLE;
    if (tg_is_container(made)) return tg_value_seal(&in->rt.c, made, out); /* deeper than x */
    *out = made;
    return true;
}

static void report_cuts(tg_interp *in, const work *w, const tg_argument *y) {
    const char *what = y->ast && y->ast->kind == TG_AST_NAME ? y->ast->name : "the formula";
    for (size_t i = 0; i < w->n; i++) {
        const tg_node *x = w->x[i];
        const char *name = tg_node_name(x);
        if (!w->cut[i]) continue;
        if (!name) name = "the variable";
        if (w->cut[i][0])
            tg_remark(in, "%s reaches %s only through %s, so the derivative is zero", name, what,
                      w->cut[i]);
        else
            tg_remark(in, "%s does not depend on %s, so the derivative is zero", what, name);
    }
}

/* ---- the derivatives ---- */

static bool compute(tg_interp *in, work *w, tg_node *y, tg_node *seed) {
    tg_rt *rt = &in->rt;
    int n = (int)w->n;
    const tg_grad_options opt = {.seed = seed, .simplify = true, .used = &w->used};
    switch (w->kind) {
    case JACOBIAN: return tg_jacobian(rt, y, n, w->x, &w->used, w->out, w->cut);
    case HESSIAN: return tg_hessian(rt, y, n, w->x, &w->used, w->out, w->cut);
    case VJP: return tg_grad(rt, y, n, w->x, &opt, w->out, w->cut);
    case JVP: return tg_jvp(rt, y, n, w->x, w->v, &w->used, w->out, w->cut);
    case HVP: break;
    }
    if (y->type.rank == 0) return tg_hvp(rt, y, n, w->x, w->v, &w->used, w->out, w->cut);
    tg_fail(&rt->c, TG_ERR_TYPE, "hvp needs a scalar, and this has the shape %s",
            tg_shape_text(rt, y->type.rank, y->type.dim));
    return tg_help(&rt->c, "sum(y) for the Hessian of the sum");
}

/* The derivative of y by the leaves of x. */
static bool derive(tg_interp *in, kind what, tg_value y, tg_value x, tg_value v,
                   const tg_argument *args, bool remarks, tg_value *out) {
    work w = {.kind = what, .like = x};
    tg_value skeleton = TG_NONE_VALUE;
    tg_node *yn, *seed = NULL;
    bool ok = tg_to_node(in, y, "the formula", &yn) && tg_map_leaves(in, x, add_x, &w, &skeleton);
    tg_value_drop(skeleton);
    if (ok && what == VJP) ok = tg_to_node(in, v, "v", &seed) && check_v(in, "y", yn, seed);
    if (ok && (what == JVP || what == HVP)) ok = add_v(in, &w, x, v);
    if (ok) {
        w.out = tg_alloc_array(what == HESSIAN ? w.n * w.n + 1 : w.n + 1, sizeof(tg_node *));
        w.cut = tg_alloc_array(w.n + 1, sizeof(char *));
        ok = w.out && w.cut ? true : tg_fail_memory(&in->rt.c);
    }
    ok = ok && compute(in, &w, yn, seed);
    if (!ok) tg_blame_operands(in, 1, &(int){0}, args);
    if (ok && remarks) report_cuts(in, &w, args);
    w.used |= y.tag == TG_V_FORMULA ? y.assumed : 0;
    ok = ok && give(in, x, &w, out);
    free_work(&w);
    return ok;
}

/* ---- of functions ---- */

typedef struct slots {
    tg_slot_var *var;
    tg_node **target;
    size_t n, cap_var, cap_target, ntarget;
} slots;

static bool add_slot(tg_interp *in, tg_value v, void *user, tg_value *out) {
    slots *s = user;
    tg_node *slot, *target;
    if (!tg_slot_make(in, v, &slot, &target)) return false;
    *out = tg_value_formula(slot, 0);
    void *p = s->var;
    bool ok = tg_grow(&p, &s->cap_var, s->n + 1, sizeof *s->var);
    s->var = p;
    if (ok) s->var[s->n] = (tg_slot_var){.node = slot};
    ok = ok && push(in, &s->target, &s->cap_target, &s->ntarget, target);
    if (!ok) {
        tg_value_drop(*out);
        return tg_fail_memory(&in->rt.c);
    }
    tg_node_hold(target); /* the function may run statements */
    s->n++;
    return true;
}

/* The values in the slots' places; what nothing live is left in is computed. */
static bool fill_slots(tg_interp *in, tg_value v, void *user, tg_value *out) {
    const slots *s = user;
    if (v.tag != TG_V_FORMULA) {
        *out = tg_value_hold(v);
        return true;
    }
    tg_node *n = v.as.node;
    for (size_t i = 0; n && i < s->n; i++)
        n = tg_node_substitute(&in->rt, n, s->var[i].node, s->target[i]);
    if (!n) return false;
    tg_value formula = tg_value_formula(n, v.assumed);
    if (n->live) {
        *out = formula;
        return true;
    }
    bool ok = tg_value_now(in, formula, out);
    tg_value_drop(formula);
    return ok;
}

static bool of_function(tg_interp *in, kind what, const tg_argument *args, tg_value *out) {
    slots s = {0};
    tg_value at = TG_NONE_VALUE, y = TG_NONE_VALUE, made = TG_NONE_VALUE, x;
    if (!tg_list_settle(in, tg_value_hold(args[1].value), &x)) return false;
    bool ok = tg_map_leaves(in, x, add_slot, &s, &at);
    const tg_slot_var *outer = in->slot;
    for (size_t i = 0; ok && i < s.n; i++) {
        s.var[i].outer = in->slot;
        in->slot = &s.var[i];
    }
    ok = ok && tg_call_value(in, args[0].value, 1, &(tg_argument){.value = at}, &y);
    in->slot = outer;
    if (ok && !derive(in, what, y, at, args[2].value, args, false, &made))
        made = TG_NONE_VALUE, ok = false;
    ok = ok && tg_map_leaves(in, made, fill_slots, &s, out);
    tg_value_drop(made);
    tg_value_drop(y);
    tg_value_drop(at);
    tg_value_drop(x);
    for (size_t i = 0; i < s.n; i++) tg_node_drop(s.target[i]);
    tg_free(s.var);
    tg_free(s.target);
    return ok;
}

/* ---- the builtins ---- */

static bool run(tg_interp *in, kind what, const tg_builtin *self, const tg_argument *given,
                tg_value *out) {
    tg_argument args[3] = {given[0], given[1]};
    bool product = what != JACOBIAN && what != HESSIAN;
    bool function = tg_value_is_function(args[0].value);
    bool no_x = !args[1].ast && args[1].value.tag == TG_V_NONE;
    if (product) args[2] = given[2];
    if (function && no_x) return tg_function_by(in, self, args[0].value, out);
    if (no_x) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s needs the variable to differentiate by", self->name);
        return tg_help(&in->rt.c, "%s(y, x), %s(y, [a, b]), or %s(f) for a function f", self->name,
                       self->name, self->name);
    }
    if (!function && !tg_is_live(args[0].value)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "the first argument is %s, not a formula: it does not depend on any variable",
                tg_value_kind(args[0].value));
        return tg_help(&in->rt.c, "define it with = over vars or inputs: x = var(2); y = x^2");
    }
    if (product && !tg_is_container(args[1].value)) { /* [1, 2] is a vector */
        if (!tg_list_settle(in, tg_value_hold(args[2].value), &args[2].value)) return false;
    } else {
        tg_value_hold(args[2].value);
    }
    bool ok = function
                  ? of_function(in, what, args, out)
                  : derive(in, what, args[0].value, args[1].value, args[2].value, args, true, out);
    tg_value_drop(args[2].value);
    return ok;
}

static bool run_jacobian(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return run(in, JACOBIAN, &tg_builtins_jacobian[0], args, out);
}
static bool run_hessian(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return run(in, HESSIAN, &tg_builtins_jacobian[1], args, out);
}
static bool run_vjp(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return run(in, VJP, &tg_builtins_jacobian[2], args, out);
}
static bool run_jvp(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return run(in, JVP, &tg_builtins_jacobian[3], args, out);
}
static bool run_hvp(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return run(in, HVP, &tg_builtins_jacobian[4], args, out);
}

const tg_builtin tg_builtins_jacobian[] = {
    {"jacobian", "jacobian(y, x=none)",
     "All first derivatives of y, of shape shape(y) + shape(x): a formula. x may be a var, an "
     "input, "
     "a named formula, or a list, tuple or record of them. Of a vector of losses it is the "
     "gradient "
     "of each, in one pass. jacobian(f) is a function, jacobian(f, x) its value at x.",
     "x = var([1, 2]); jacobian(x^2, x)", "2 * diag(x)      [2, 2]\n  = [[2, 0],\n     [0, 4]]",
     run_jacobian, true, false},
    {"hessian", "hessian(y, x=none)",
     "All second derivatives of y, of shape shape(y) + shape(x) + shape(x). Of a list, tuple or "
     "record of variables it has a block for each pair.",
     "x = var([1, 2]); hessian(sum(x^3), x)",
     "6 * diag(x)      [2, 2]\n  = [[6,  0],\n     [0, 12]]", run_hessian, true, false},
    {"vjp", "vjp(y, x, v)",
     "v times the Jacobian of y, shaped like x: the gradient of y weighed with v, which is shaped "
     "like y.",
     "x = var([1, 2]); vjp(x^2, x, [1, 10])", "2 * [1, 10] * x      [2]\n  = [2, 40]", run_vjp,
     true, false},
    {"jvp", "jvp(y, x, v)",
     "The Jacobian of y times v, shaped like y: how y changes when x moves along v, which is "
     "shaped "
     "like x.",
     "x = var([1, 2]); jvp(x^2, x, [1, 10])", "2 * [1, 10] * x      [2]\n  = [2, 40]", run_jvp,
     true, false},
    {"hvp", "hvp(y, x, v)",
     "The Hessian of the scalar y times v, shaped like x: the Hessian itself is not built.",
     "x = var([1, 2]); hvp(sum(x^3), x, [1, 10])", "6 * [1, 10] * x      [2]\n  = [6, 120]",
     run_hvp, true, false},
    {0},
};
