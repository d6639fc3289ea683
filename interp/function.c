/* Calls: of functions written in tg, of derivatives of functions, and as they stand in the source.
 *
 * f' is made by calling f on a slot (a nameless variable), differentiating the formula that comes
 * out, and putting the argument in the slot's place. So it works for whatever f does, and f'' is
 * the same again. */
#include "base/alloc.h"
#include "base/nearest.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/code.h"
#include "interp/convert.h"
#include "interp/resolve.h"
#include "interp/rule.h"
#include "interp/vmap.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/substitute.h"

#include <stdio.h>
#include <string.h>

bool tg_function_new(tg_interp *in, tg_env *env, const tg_ast *def, tg_value *out) {
    for (int i = 0; i < def->n - 1; i++)
        for (int k = 0; k < i; k++)
            if (def->kids[k]->name == def->kids[i]->name) {
                tg_fail(&in->rt.c, TG_ERR_NAME, "the argument %s is named twice",
                        def->kids[i]->name);
                return tg_blame(in, def->kids[i]);
            }
    tg_function *f = tg_alloc_array(1, sizeof *f);
    if (!f) return tg_fail_memory(&in->rt.c);
    f->refs = 1;
    f->id = ++in->functions;
    f->name = def->kind == TG_AST_FUNCTION ? def->name : NULL;
    f->unit = tg_unit_hold(in->unit);
    f->def = def;
    f->env = env == in->globals ? NULL : tg_env_hold(env);
    tg_env_join_ring(in, f->env);
    *out = (tg_value){.tag = TG_V_FUNCTION, .as.function = f};
    return true;
}

bool tg_function_derivative(tg_interp *in, tg_value v, tg_value *out) {
    tg_function *f = tg_alloc_array(1, sizeof *f);
    if (!f) return tg_fail_memory(&in->rt.c);
    f->refs = 1;
    if (v.tag == TG_V_FUNCTION) {
        f->primal = v.as.function;
        v.as.function->refs++;
        f->name = v.as.function->name;
    } else {
        f->native = v;
    }
    *out = (tg_value){.tag = TG_V_FUNCTION, .as.function = f};
    return true;
}

/* ---- functions written in tg ---- */

static const char *name_of(const tg_function *f) {
    return f->name ? f->name : "the function";
}

static int params_of(const tg_ast *def) {
    return def->n - 1;
}

void tg_function_signature(tg_str *s, const tg_function *f) {
    tg_str_addf(s, "%s(", f->name ? f->name : "");
    for (int i = 0; i < params_of(f->def); i++) {
        const tg_ast *p = f->def->kids[i];
        tg_str_addf(s, "%s%s", i ? ", " : "", p->name);
        if (p->n > 0 && p->kids[0]) {
            tg_span d = p->kids[0]->span;
            tg_str_add(s, "=");
            tg_str_addn(s, d.src->text + d.lo, d.hi - d.lo);
        }
    }
    tg_str_addc(s, ')');
}

static TG_APART bool wrong_arguments(tg_interp *in, const tg_function *f, const char *what) {
    tg_fail(&in->rt.c, TG_ERR_TYPE, "%s %s", name_of(f), what);
    tg_str s = {0};
    tg_function_signature(&s, f);
    tg_help(&in->rt.c, "it is called as %s", tg_str_text(&s));
    tg_str_free(&s);
    return false;
}

static TG_APART bool unknown_argument(tg_interp *in, const tg_function *f, const char *name) {
    char what[160];
    tg_nearest near = tg_nearest_of_few(tg_param_elsewhere(name));
    for (int i = 0; i < params_of(f->def); i++) tg_nearest_offer(&near, f->def->kids[i]->name);
    snprintf(what, sizeof what, "has no argument named %s%s%s%s", name,
             near.best ? "; did you mean " : "", near.best ? near.best : "", near.best ? "?" : "");
    return wrong_arguments(in, f, what);
}

/* Parameters without an argument take their default, which sees those before it. */
static TG_APART bool bind_defaults(tg_interp *in, const tg_function *f, tg_env *scope) {
    char what[160];
    for (int i = 0; i < params_of(f->def); i++) {
        const tg_ast *p = f->def->kids[i];
        tg_value v;
        if (tg_env_find(scope, p->name)) continue;
        snprintf(what, sizeof what, "needs its argument %s", p->name);
        if (p->n == 0 || !p->kids[0]) return wrong_arguments(in, f, what);
        if (!tg_eval(in, scope, p->kids[0], &v)) return false;
        if (!tg_env_set(scope, p->name, v)) return tg_fail_memory(&in->rt.c);
    }
    return true;
}

static TG_APART bool bind_parameters(tg_interp *in, const tg_function *f, tg_env *scope, int n,
                                     const tg_argument *args) {
    int nparams = params_of(f->def), next = 0;
    char what[160];
    for (int i = 0; i < n; i++) {
        const char *name = args[i].name;
        if (!name) {
            if (next == nparams) {
                snprintf(what, sizeof what, "takes %d argument%s, not %d", nparams,
                         nparams == 1 ? "" : "s", n);
                return wrong_arguments(in, f, what);
            }
            name = f->def->kids[next++]->name;
        } else {
            int k = 0;
            while (k < nparams && f->def->kids[k]->name != name) k++;
            if (k == nparams) return unknown_argument(in, f, name);
            snprintf(what, sizeof what, "got its argument %s twice", name);
            if (tg_env_find(scope, name)) return wrong_arguments(in, f, what);
        }
        tg_value v;
        if (!tg_list_settle(in, tg_value_hold(args[i].value), &v)) return false;
        if (!tg_env_set(scope, name, v)) return tg_fail_memory(&in->rt.c);
    }
    return bind_defaults(in, f, scope);
}

/* A function defined inside a call is kept by that call's scope, and keeps the scope: a ring that
 * counting alone never frees. When nobody outside holds the scope any more, empty it. */
static TG_APART void break_ring(tg_env *scope) {
    int own = 0;
    for (size_t i = 0; scope->refs > 1 && i < scope->n; i++) {
        tg_value v = scope->items[i].value;
        if (v.tag != TG_V_FUNCTION || v.as.function->refs != 1) continue;
        const tg_function *rule = v.as.function->rule;
        own += v.as.function->env == scope;
        own += rule && rule->refs == 1 && rule->env == scope;
    }
    if (own > 0 && scope->refs - 1 == own) {
        tg_env *keep = tg_env_hold(scope);
        tg_env_clear(scope);
        tg_env_drop(keep);
    }
}

void tg_scope_leave(tg_interp *in, tg_env *scope) {
    if (scope->refs > 1) break_ring(scope);
    tg_env_give_back(in, scope);
}

bool tg_function_run(tg_interp *in, const tg_function *f, tg_env *scope, tg_value *out) {
    const tg_ast *body = f->def->kids[f->def->n - 1];
    if (in->checking) return tg_check_function(in, f, scope, out);
    if (body->kind != TG_AST_BLOCK) return tg_eval(in, scope, body, out);
    tg_value last = TG_NONE_VALUE;
    tg_flow flow = tg_exec(in, scope, body, &last);
    switch (flow) {
    case TG_FLOW_ERROR: tg_value_drop(last); return false;
    case TG_FLOW_RETURN:
        tg_value_drop(last);
        *out = in->returned;
        in->returned = TG_NONE_VALUE;
        return true;
    case TG_FLOW_NEXT: *out = last; return true;
    case TG_FLOW_BREAK:
    case TG_FLOW_CONTINUE: break;
    }
    tg_value_drop(last);
    tg_stray(in, flow);
    return tg_blame(in, body);
}

/* How many parameters a printed call must name: up to the last that was given. */
static int shown(const tg_function *f, int n, const tg_argument *args) {
    int most = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < params_of(f->def); k++)
            if ((args[i].name ? f->def->kids[k]->name == args[i].name : k == i) && k >= most)
                most = k + 1;
    return most;
}

static TG_APART bool call_function(tg_interp *in, tg_function *f, int n, const tg_argument *args,
                                   tg_value *out) {
    if (!tg_guard(&in->rt.c) || !tg_check_interrupt(&in->rt.c)) return false;
    const tg_frame *frame = tg_frame_of(in, f->unit, f->def);
    tg_env *scope = frame ? tg_env_new_call(in, frame, f->env) : NULL;
    if (!scope) return tg_fail_memory(&in->rt.c);
    tg_unit *caller = in->unit;
    f->refs++; /* it may be redefined by its own body */
    in->unit = f->unit;
    bool ok = bind_parameters(in, f, scope, n, args) &&
              (f->rule ? tg_rule_call(in, f, scope, shown(f, n, args), out)
                       : tg_function_run(in, f, scope, out));
    in->unit = caller;
    if (!ok) tg_blame_keep(in, f->unit->src);
    tg_scope_leave(in, scope);
    tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = f});
    return ok;
}

/* ---- derivatives ---- */

static bool call_primal(tg_interp *in, tg_function *f, int n, const tg_argument *args,
                        tg_value *out) {
    tg_value primal =
        f->primal ? (tg_value){.tag = TG_V_FUNCTION, .as.function = f->primal} : f->native;
    return tg_call_value(in, primal, n, args, out);
}

/* d f / d slot as a node, for f's value at the slot. A function that maps elements to elements is
 * differentiated element by element: its result has the argument's shape. */
static bool derivative_at(tg_interp *in, const tg_function *f, tg_value y, tg_node *slot,
                          tg_node **out) {
    tg_node *yn;
    if (!tg_to_node(in, y, "the function's value", &yn)) return false;
    tg_grad_options opt = {.simplify = !in->raw};
    if (yn->type.rank > 0) {
        if (!tg_type_same_shape(&yn->type, &slot->type))
            return tg_fail(&in->rt.c, TG_ERR_SHAPE,
                           "%s' needs a function with a scalar value, or with one of its "
                           "argument's shape %s; this one has %s",
                           name_of(f), tg_shape_text(&in->rt, slot->type.rank, slot->type.dim),
                           tg_shape_text(&in->rt, yn->type.rank, yn->type.dim));
        yn = tg_node_call1(&in->rt, "sum", yn);
        if (!yn) return false;
    }
    return tg_grad(&in->rt, yn, 1, &slot, &opt, out, NULL);
}

bool tg_slot_make(tg_interp *in, tg_value x, tg_node **slot, tg_node **target) {
    tg_type type = {.dtype = TG_F64};
    bool plain = x.tag == TG_V_NUMBER || x.tag == TG_V_BOOL;
    if (!tg_to_node(in, x, "the argument", target)) return false;
    if (!plain) type = (*target)->type;
    if (!tg_dtype_is_float(type.dtype)) type.dtype = in->rt.precision;
    tg_tensor *value = NULL;
    if (!tg_is_live(x) && !tg_to_tensor(in, x, "the argument", &value)) return false;
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_VAR, NULL, &type, value);
    tg_tensor_drop(value);
    if (!c) return false;
    *slot = tg_node_cell(&in->rt, c);
    tg_cell_drop(c); /* the node holds it */
    return *slot != NULL;
}

/* Known arguments and nothing else live: the value now. Otherwise a formula. */
static bool finish_derivative(tg_interp *in, tg_value x, tg_node *d, tg_node *slot, tg_node *target,
                              tg_value *out) {
    bool open;
    if (!tg_node_reads_cells(&in->rt, d, slot, &open)) return false;
    if (open || tg_is_live(x)) {
        d = tg_node_substitute(&in->rt, d, slot, target);
        if (!d) return false;
        *out = tg_value_formula(d, x.assumed);
        return true;
    }
    tg_value formula = tg_value_formula(d, 0);
    bool ok = tg_value_now(in, formula, out);
    tg_value_drop(formula);
    return ok;
}

static TG_APART bool call_derivative(tg_interp *in, tg_function *f, int n, const tg_argument *args,
                                     tg_value *out) {
    enum { MOST = 16 };
    tg_argument moved[MOST];
    if (n == 0 || n > MOST)
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       "%s' takes 1 to %d arguments, and is the slope in the first", name_of(f),
                       MOST);
    if (!tg_guard(&in->rt.c)) return false;
    memcpy(moved, args, (size_t)n * sizeof *args);
    tg_value x, at = TG_NONE_VALUE, y = TG_NONE_VALUE;
    tg_node *slot = NULL, *target = NULL, *d = NULL;
    if (!tg_list_settle(in, tg_value_hold(args[0].value), &x)) return false;
    bool ok = tg_slot_make(in, x, &slot, &target);
    tg_value kept =
        target ? tg_value_formula(target, 0) : TG_NONE_VALUE; /* f may run statements: hold it */
    if (ok) {
        at = tg_value_formula(slot, 0);
        moved[0] = (tg_argument){.name = args[0].name, .value = at};
        const tg_slot_var own = {.node = slot, .outer = in->slot};
        in->slot = &own;
        ok = call_primal(in, f, n, moved, &y);
        in->slot = own.outer;
        ok = ok && derivative_at(in, f, y, slot, &d) &&
             finish_derivative(in, x, d, slot, target, out);
    }
    tg_value_drop(kept);
    tg_value_drop(y);
    tg_value_drop(at);
    tg_value_drop(x);
    return ok;
}

/* ---- jacobian(f) and its kin ---- */

bool tg_function_by(tg_interp *in, const tg_builtin *by, tg_value of, tg_value *out) {
    tg_function *f = tg_alloc_array(1, sizeof *f);
    if (!f) return tg_fail_memory(&in->rt.c);
    f->refs = 1;
    f->by = by;
    f->native = tg_value_hold(of);
    *out = (tg_value){.tag = TG_V_FUNCTION, .as.function = f};
    return true;
}

static TG_APART bool call_by(tg_interp *in, tg_function *f, int n, const tg_argument *args,
                             tg_value *out) {
    if (f->given.tag != TG_V_NONE) {
        tg_value of = tg_value_hold(f->native), given = tg_value_hold(f->given);
        bool ok = tg_vmap_call(in, of, given, n, args, out);
        tg_value_drop(of);
        tg_value_drop(given);
        return ok;
    }
    if (n != 1)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s(f) takes 1 argument, not %d", f->by->name, n);
    if (!tg_guard(&in->rt.c)) return false;
    const tg_argument both[2] = {{.value = f->native}, args[0]};
    tg_value kept = tg_value_hold(f->native); /* it may be redefined by its own body */
    bool ok = tg_call_builtin(in, f->by, 2, both, out);
    tg_value_drop(kept);
    return ok;
}

/* ---- any callable ---- */

/* Functions written in tg and builtins take care of what is not known; of others it makes the
 * result unknown. */
static bool lacks_argument(tg_value f, int n, const tg_argument *args) {
    if (f.tag == TG_V_BUILTIN || (f.tag == TG_V_FUNCTION && f.as.function->def)) return false;
    for (int i = 0; i < n; i++)
        if (args[i].value.tag == TG_V_UNKNOWN) return true;
    return false;
}

static bool call_any(tg_interp *in, tg_value f, int n, const tg_argument *args, tg_value *out) {
    if (in->checking && lacks_argument(f, n, args)) return tg_check_give_up(in);
    switch (f.tag) {
    case TG_V_OP: return tg_call_op(in, f.as.op, n, args, out);
    case TG_V_BUILTIN: return tg_call_builtin(in, f.as.builtin, n, args, out);
    case TG_V_FUNCTION:
        if (f.as.function->by) return call_by(in, f.as.function, n, args, out);
        return f.as.function->def ? call_function(in, f.as.function, n, args, out)
                                  : call_derivative(in, f.as.function, n, args, out);
    default:
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be called", tg_value_kind(f));
        if (f.tag == TG_V_RECORD) /* net(X) */
            return tg_help(&in->rt.c, "parameters are no layer: dense(x, net.out) takes both");
        return tg_help(&in->rt.c, "for a product write *");
    }
}

bool tg_call_value(tg_interp *in, tg_value f, int n, const tg_argument *args, tg_value *out) {
    if (call_any(in, f, n, args, out)) return true;
    *out = TG_NONE_VALUE; /* what was there half made is dropped already */
    return false;
}

/* An argument could not be evaluated: of a program that is only read it may be unknown, and the
 * call goes on. */
static TG_APART bool is_only_unknown(tg_interp *in, tg_value *out) {
    if (!in->checking || in->rt.c.diag.kind != TG_ERR_UNKNOWN || in->checking->stopped)
        return false;
    tg_clear(&in->rt.c);
    *out = (tg_value){.tag = TG_V_UNKNOWN};
    return true;
}

/* An argument list as it stands in the source. */
static bool eval_arguments(tg_interp *in, tg_env *env, const tg_ast *e, tg_argument *arg) {
    for (int i = 1; i < e->n; i++) {
        const tg_ast *a = e->kids[i];
        const tg_ast *x = a->kind == TG_AST_ARG ? a->kids[0] : a;
        arg[i - 1] = (tg_argument){.name = a->kind == TG_AST_ARG ? a->name : NULL, .ast = x};
        bool ok = x->kind == TG_AST_BRACKET ? tg_eval_bracket(in, env, x, false, &arg[i - 1].value)
                                            : tg_eval(in, env, x, &arg[i - 1].value);
        if (!ok && !is_only_unknown(in, &arg[i - 1].value)) return false;
    }
    return true;
}

/* A field is wanted of what a function of the library was given: its parameters are in the wrong
 * place, or another layer's. */
static void help_fields(tg_interp *in, const tg_function *f) {
    const tg_diag *d = &in->rt.c.diag;
    if (strncmp(d->msg, "there is no field ", 18) != 0 && !strstr(d->msg, " has no fields, so "))
        return;
    if (strncmp(d->help, "did you mean", 12) == 0) return;
    char maker[80];
    snprintf(maker, sizeof maker, "%s_init", name_of(f));
    const char *name = tg_intern(&in->rt.c, maker, strlen(maker));
    bool made = name && tg_lookup(in, in->globals, name);
    tg_str s = {0};
    tg_function_signature(&s, f);
    tg_help(&in->rt.c, "it is called as %s%s%s; ?%s tells more", tg_str_text(&s),
            made ? ", with p of " : "", made ? maker : "", name_of(f));
    tg_str_free(&s);
}

/* An error inside the library is shown where the user called it; inside the user's own functions,
 * where it happened, with the calls that led there. */
static TG_APART void trace_call(tg_interp *in, tg_value f, const tg_ast *e) {
    tg_diag *d = &in->rt.c.diag;
    if (!d->at.src || (tg_is_library_text(d->at.src) && !tg_is_library_text(e->span.src))) {
        d->at = e->span;
        d->with[0] = d->with[1] = (tg_span){0};
        d->ntrace = d->nframes = 0;
        if (f.tag == TG_V_FUNCTION && f.as.function->def) help_fields(in, f.as.function);
        return;
    }
    if (f.tag != TG_V_FUNCTION || !f.as.function->def) return;
    if (d->nframes < TG_DIAG_TRACE) {
        d->trace[d->nframes] = e->span;
        d->trace_name[d->nframes] = name_of(f.as.function);
        d->ntrace = d->nframes + 1;
    }
    d->nframes++;
}

static TG_APART bool call_in_general(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    enum { FEW = 4 };
    tg_argument few[FEW] = {{0}}, *arg = few;
    tg_value f;
    if (!tg_eval(in, env, e->kids[0], &f)) return false;
    int n = e->n - 1;
    if (n > FEW && !(arg = tg_alloc_array((size_t)n, sizeof *arg))) {
        tg_value_drop(f);
        return tg_fail_memory(&in->rt.c);
    }
    bool outer = in->rt.live_draws;
    if (f.tag == TG_V_BUILTIN && f.as.builtin->draws)
        in->rt.live_draws = !in->computing || tg_loop_is_open(&in->rt); /* `:=` draws now anyway */
    bool raw = in->raw;
    if (f.tag == TG_V_BUILTIN && f.as.builtin->run == tg_run_raw) in->raw = true;
    bool ok = eval_arguments(in, env, e, arg);
    in->raw = raw;
    in->rt.live_draws = outer;
    in->here = env;
    if (ok && !tg_call_value(in, f, n, arg, out)) {
        ok = false;
        trace_call(in, f, e);
    }
    for (int i = 0; i < n; i++) tg_value_drop(arg[i].value);
    if (arg != few) tg_free(arg);
    tg_value_drop(f);
    return ok;
}

enum { BY_PLACE = 1, IN_GENERAL = 2 }; /* ways to call: only positional arguments; any */

static int way_of_call(const tg_ast *e) {
    int way = BY_PLACE;
    for (int i = 1; i < e->n; i++)
        if (e->kids[i]->kind == TG_AST_ARG) way = IN_GENERAL;
    return tg_seen(e)->way = way;
}

/* The function of tg's own that e calls in the plainest way; NULL: it must be done in general. */
static inline tg_function *plain_callee(tg_interp *in, tg_env *env, const tg_ast *e) {
    if (e->kids[0]->kind != TG_AST_NAME) return NULL;
    const tg_value *v = tg_resolve_fast(in, env, e->kids[0]);
    if (!v || v->tag != TG_V_FUNCTION) return NULL;
    tg_function *f = v->as.function;
    if (!f->def || f->by || f->rule || e->n - 1 > params_of(f->def)) return NULL;
    return (e->seen.way ? e->seen.way : way_of_call(e)) == BY_PLACE ? f : NULL;
}

/* The arguments are evaluated into the places of the parameters. */
static bool fill_places(tg_interp *in, tg_env *env, const tg_ast *e, const tg_function *f,
                        tg_env *scope) {
    for (int i = 1; i < e->n; i++) {
        const tg_ast *x = e->kids[i];
        struct tg_binding *b = &scope->items[i - 1];
        bool ok = x->kind == TG_AST_BRACKET ? tg_eval_bracket(in, env, x, false, &b->value)
                                            : tg_eval(in, env, x, &b->value);
        if (!ok && !is_only_unknown(in, &b->value)) {
            b->value = TG_NONE_VALUE;
            return false;
        }
        b->name = f->def->kids[i - 1]->name;
    }
    return true;
}

static bool settle_places(tg_interp *in, tg_env *scope, int n) {
    for (int i = 0; i < n; i++) {
        tg_value *v = &scope->items[i].value;
        if (v->tag == TG_V_LIST && !tg_list_settle(in, *v, v)) return false;
    }
    return true;
}

/* A call with numbers as number code. False: it is for the tree. */
static inline bool run_code(tg_interp *in, tg_function *f, const tg_env *scope, tg_value *out) {
    if (in->no_code) return false;
    for (int i = 0; i < params_of(f->def); i++)
        if (scope->items[i].value.tag != TG_V_NUMBER) return false;
    return tg_code_call(in, tg_code_of_function(in, f), scope, out);
}

static TG_APART bool call_plainly(tg_interp *in, tg_env *env, const tg_ast *e, tg_function *f,
                                  tg_value *out) {
    const tg_frame *frame = tg_frame_of(in, f->unit, f->def);
    tg_env *scope = frame ? tg_env_new_call(in, frame, f->env) : NULL;
    if (!scope) return tg_fail_memory(&in->rt.c);
    f->refs++; /* it may be redefined by its own body, or its arguments */
    bool ok = fill_places(in, env, e, f, scope);
    if (ok) {
        tg_unit *caller = in->unit;
        in->unit = f->unit;
        ok = tg_guard(&in->rt.c) && tg_check_interrupt(&in->rt.c) &&
             settle_places(in, scope, e->n - 1) &&
             (e->n == f->def->n || bind_defaults(in, f, scope)) &&
             (run_code(in, f, scope, out) || tg_function_run(in, f, scope, out));
        in->unit = caller;
        if (!ok) {
            *out = TG_NONE_VALUE;
            tg_blame_keep(in, f->unit->src);
            trace_call(in, (tg_value){.tag = TG_V_FUNCTION, .as.function = f}, e);
        }
    }
    tg_scope_leave(in, scope);
    if (f->refs > 1)
        f->refs--;
    else
        tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = f});
    return ok;
}

bool tg_eval_call(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_function *f = plain_callee(in, env, e);
    return f ? call_plainly(in, env, e, f, out) : call_in_general(in, env, e, out);
}

static bool argument_named(tg_interp *in, const char *name, const tg_type *type, tg_value *out) {
    tg_cell *c = name ? tg_cell_new(&in->rt, TG_CELL_VAR, name, type, NULL) : NULL;
    tg_node *n = c ? tg_node_cell(&in->rt, c) : NULL;
    tg_cell_drop(c);
    if (n) *out = tg_value_formula(n, 0);
    return n != NULL;
}

int tg_function_arguments(tg_interp *in, const tg_function *f, bool any, tg_value *out) {
    tg_type type = {.dtype = TG_F64};
    if (f->given.tag != TG_V_NONE) return 0;
    if (f->by && f->native.tag == TG_V_FUNCTION && f->native.as.function->def) {
        const char *n = tg_intern(&in->rt.c, "n", 1);
        type.rank = 1;
        if (!n || !(type.dim[0] = tg_size_symbol(&in->rt, n))) return 0;
        f = f->native.as.function;
    } else if (f->by || (!any && !f->primal && f->def)) {
        return 0;
    }
    while (f->primal) f = f->primal;
    int count = 0;
    if (!f->def) {
        if (f->native.tag != TG_V_OP || f->native.as.op->param[1].name) return 0;
        const char *name = f->native.as.op->param[0].name;
        name = tg_intern(&in->rt.c, name, strlen(name));
        return argument_named(in, name, &type, out);
    }
    for (int i = 0; i < f->def->n - 1; i++) {
        const tg_ast *p = f->def->kids[i];
        bool required = p->n == 0 || !p->kids[0];
        if (count > 0 && !required) break;
        if (count == TG_SHOWN_ARGUMENTS || !argument_named(in, p->name, &type, &out[count])) {
            while (count > 0) tg_value_drop(out[--count]);
            return 0;
        }
        count++;
    }
    return count;
}
