/* Rules of the user's own: the statement, and calls of a function that has one.
 *
 * A call with a live argument runs the body and the rule at once, on the same parameters: each live
 * number or tensor among the arguments, in containers too, behind a node of its own (ruled.h). The
 * rule sees g and out as slots. What comes out is one node, and the graph needs the interpreter no
 * more: differentiating it is substitution. A rule is run again for each call, but gives nodes that
 * are there already.
 *
 * The rule is compared with differences when a derivative first goes through it: rule_check.c. */
#include "interp/rule.h"
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/journal.h"
#include "interp/resolve.h"
#include "interp/show.h"
#include "runtime/graph/ruled.h"
#include "runtime/graph/substitute.h"

#include <stdio.h>
#include <string.h>

/* ---- the statement ---- */

static bool wrong_parameters(tg_interp *in, const tg_ast *s, const tg_function *f) {
    tg_str own = {0};
    for (int i = 0; i < f->def->n - 1; i++)
        tg_str_addf(&own, "%s%s", i ? ", " : "", f->def->kids[i]->name);
    tg_fail(&in->rt.c, TG_ERR_TYPE, "the rule of %s must have the parameters of %s, (%s)", s->name,
            s->name, tg_str_text(&own));
    tg_help(&in->rt.c, "rule %s(%s) = ...", s->name, tg_str_text(&own));
    tg_str_free(&own);
    return false;
}

static bool check_parameters(tg_interp *in, const tg_ast *s, const tg_function *f) {
    if (s->n != f->def->n) return wrong_parameters(in, s, f);
    for (int i = 0; i < s->n - 1; i++) {
        const tg_ast *p = s->kids[i];
        if (strcmp(p->name, "g") == 0 || strcmp(p->name, "out") == 0) {
            tg_fail(&in->rt.c, TG_ERR_NAME, "in a rule %s is %s, so no parameter can have the name",
                    p->name, p->name[0] == 'g' ? "the incoming cotangent" : "the function's value");
            tg_help(&in->rt.c, "give the parameter of %s another name", s->name);
            return tg_blame(in, p);
        }
        if (p->name != f->def->kids[i]->name) return wrong_parameters(in, s, f);
        if (p->n > 0 && p->kids[0]) {
            tg_fail(&in->rt.c, TG_ERR_TYPE,
                    "a default stands in the definition of %s, not in its "
                    "rule",
                    s->name);
            return tg_blame(in, p);
        }
    }
    return true;
}

static bool find_function(tg_interp *in, tg_env *env, const tg_ast *s, tg_function **out) {
    const tg_value *v = tg_lookup_own(in, env, s->name);
    if (v && v->tag == TG_V_FUNCTION && v->as.function->def) {
        *out = v->as.function;
        return true;
    }
    if (!v && !tg_lookup(in, env, s->name)) {
        tg_fail(&in->rt.c, TG_ERR_NAME, "there is no function %s to give a rule to", s->name);
        return tg_help(&in->rt.c, "define it first: %s(...) = ...", s->name);
    }
    tg_fail(&in->rt.c, TG_ERR_TYPE, "%s is %s: a rule is for a function of your own", s->name,
            !v                        ? "part of tg"
            : v->tag == TG_V_FUNCTION ? "the derivative of a function"
                                      : tg_value_kind(*v));
    return v && v->tag != TG_V_FUNCTION && v->tag != TG_V_OP && v->tag != TG_V_BUILTIN
               ? false
               : tg_help(&in->rt.c, "give it a name of its own: f(x) = %s(x), then rule f(x) = ...",
                         s->name);
}

/* What can never be a derivative, as far as the text alone tells. */
static const char *no_result(const tg_ast *e) {
    switch (e->kind) {
    case TG_AST_STRING: return "a string";
    case TG_AST_LAMBDA: return "a function";
    case TG_AST_BOOL: return "a truth value";
    case TG_AST_RANGE: return "a range";
    default: return NULL;
    }
}

static bool check_results(tg_interp *in, const tg_ast *s) {
    const tg_ast *body = s->kids[s->n - 1];
    bool several = body->kind == TG_AST_TUPLE;
    for (int i = 0; i < (several ? body->n : 1); i++) {
        const tg_ast *e = several ? body->kids[i] : body;
        const char *what = no_result(e);
        if (!what) continue;
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s is no derivative, so it cannot be the rule of %s", what,
                s->name);
        tg_help(&in->rt.c, "rule %s(...) = g * ..., with g the incoming cotangent", s->name);
        return tg_blame(in, e);
    }
    return true;
}

bool tg_rule_statement(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_function *f;
    tg_value made;
    if (!find_function(in, env, s, &f) || !check_parameters(in, s, f) || !check_results(in, s) ||
        !tg_function_new(in, env, s, &made))
        return false;
    if (in->journal && in->journal->open && in->journal->open->delta &&
        !tg_delta_note_rule(in, in->journal->open->delta, f)) {
        tg_value_drop(made);
        return false;
    }
    made.as.function->name = s->name;
    made.as.function->serial = ++in->rules;
    if (f->rule) tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = f->rule});
    f->rule = made.as.function;
    return true;
}

/* ---- parameters ---- */

typedef struct call {
    tg_interp *in;
    tg_function *f;
    tg_str text, names; /* of the node */
    tg_node **part;     /* held */
    tg_node **result;   /* NULL: no derivative */
    size_t n, cap, cap_results, placed;
    uint32_t assumed;
    const char *param; /* under way */
} call;

static bool is_differentiable(tg_value v) {
    return v.tag == TG_V_FORMULA && tg_dtype_is_float(v.as.node->type.dtype);
}

static bool has_differentiable(tg_value v) {
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (has_differentiable(v.as.items->v[i])) return true;
    return is_differentiable(v);
}

static bool add_part(call *c, tg_node *n, const char *name) {
    void *part = c->part, *result = c->result;
    bool ok = tg_grow(&part, &c->cap, c->n + 1, sizeof *c->part);
    c->part = part;
    ok = ok && tg_grow(&result, &c->cap_results, c->n + 1, sizeof *c->result);
    c->result = result;
    if (!ok) return tg_fail_memory(&c->in->rt.c);
    if (c->n) tg_str_addc(&c->names, ',');
    tg_str_add(&c->names, name);
    c->result[c->n] = NULL;
    c->part[c->n++] = tg_node_hold(n);
    return true;
}

/* A plain argument, as it is to be printed. */
static bool show_plain(call *c, tg_value v) {
    tg_node *n;
    if (v.tag == TG_V_NUMBER || v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA) {
        tg_str_addc(&c->text, 1);
        return tg_to_node(c->in, v, "the argument", &n) && add_part(c, n, c->param);
    }
    const tg_shower s = {.in = c->in, .style = TG_STYLE_FULL, .quoted = true};
    if (v.tag == TG_V_FUNCTION && v.as.function->name)
        return tg_str_add(&c->text, v.as.function->name), true;
    if (v.tag == TG_V_OP) return tg_str_add(&c->text, v.as.op->name), true;
    if (v.tag == TG_V_BUILTIN) return tg_str_add(&c->text, v.as.builtin->name), true;
    return tg_show_with(&s, v, &c->text);
}

/* v with each live leaf behind a parameter, and its text. *out owned. */
static bool mark(call *c, tg_value v, bool shown, const char *name, tg_value *out) {
    tg_interp *in = c->in;
    *out = TG_NONE_VALUE;
    if (!tg_guard(&in->rt.c)) return false;
    if (is_differentiable(v)) {
        tg_node *p = tg_ruled_parameter(&in->rt, v.as.node);
        if (!p) return false;
        *out = tg_value_formula(p, v.assumed);
        c->assumed |= v.assumed;
        if (shown) tg_str_addc(&c->text, 1);
        return add_part(c, p, name);
    }
    if (!tg_is_container(v)) {
        *out = tg_value_hold(v);
        return shown ? show_plain(c, v) : true;
    }
    static const char *const brackets[] = {
        [TG_V_LIST] = "[]", [TG_V_TUPLE] = "()", [TG_V_RECORD] = "{}"};
    tg_value made;
    if (!tg_value_items(&in->rt.c, v.tag, v.as.items->n, &made)) return false;
    tg_value_nest_like(made, v);
    if (shown) tg_str_addc(&c->text, brackets[v.tag][0]);
    for (int i = 0; i < v.as.items->n; i++) {
        char part[80];
        if (shown && i) tg_str_add(&c->text, ", ");
        if (v.tag == TG_V_RECORD) {
            made.as.items->field[i] = v.as.items->field[i];
            snprintf(part, sizeof part, "%s.%s", name, v.as.items->field[i]);
            if (shown) tg_str_addf(&c->text, "%s: ", v.as.items->field[i]);
        } else {
            snprintf(part, sizeof part, "%s[%d]", name, i);
        }
        if (!mark(c, v.as.items->v[i], shown, part, &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    }
    if (shown && v.tag == TG_V_TUPLE && v.as.items->n == 1) tg_str_addc(&c->text, ',');
    if (shown) tg_str_addc(&c->text, brackets[v.tag][1]);
    *out = made;
    return true;
}

/* Puts the marked arguments into the scope in place of those given. */
static bool mark_parameters(call *c, tg_env *scope, int given) {
    const tg_ast *def = c->f->def;
    tg_str_addf(&c->text, "%s(", c->f->rule->name);
    for (int i = 0; i < def->n - 1; i++) {
        tg_value marked;
        c->param = def->kids[i]->name;
        const tg_value *v = tg_env_find(scope, c->param);
        if (i && i < given) tg_str_add(&c->text, ", ");
        if (!mark(c, *v, i < given, c->param, &marked)) return false;
        if (!tg_env_set(scope, c->param, marked)) return tg_fail_memory(&c->in->rt.c);
    }
    tg_str_addc(&c->text, ')');
    return !(c->text.failed || c->names.failed) || tg_fail_memory(&c->in->rt.c);
}

/* ---- results ---- */

static bool wrong_result(call *c, const char *name, const char *what) {
    return tg_fail(&c->in->rt.c, TG_ERR_TYPE, "the rule of %s gives %s for %s", c->f->rule->name,
                   what, name);
}

/* Lays the rule's result r beside the parameter p, leaf by leaf. */
static bool place(call *c, tg_value p, tg_value r, const char *name) {
    tg_interp *in = c->in;
    if (!tg_guard(&in->rt.c)) return false;
    if (is_differentiable(p)) {
        size_t at = c->placed++;
        while (c->part[at] != p.as.node) at = c->placed++; /* plain parts between */
        if (r.tag == TG_V_NONE) return true;
        if (tg_is_container(r) && r.tag != TG_V_LIST)
            return wrong_result(c, name, tg_value_kind(r));
        tg_node *n;
        if (!tg_to_node(in, r, "the result of a rule", &n)) return false;
        if (!tg_ruled_fits(&n->type, &p.as.node->type)) {
            tg_fail(&in->rt.c, TG_ERR_SHAPE,
                    "the rule of %s gives the shape %s for %s, which has the shape %s",
                    c->f->rule->name, tg_shape_text(&in->rt, n->type.rank, n->type.dim), name,
                    tg_shape_text(&in->rt, p.as.node->type.rank, p.as.node->type.dim));
            return tg_help(&in->rt.c,
                           "g has the shape of %s(...); the result for an argument has "
                           "the shape of the argument",
                           c->f->rule->name);
        }
        c->result[at] = tg_node_hold(n);
        return true;
    }
    if (!tg_is_container(p)) return true;
    bool none = r.tag == TG_V_NONE;
    if (!none && (!tg_is_container(r) || r.as.items->n != p.as.items->n)) {
        if (!has_differentiable(p)) return true;
        wrong_result(c, name, tg_value_kind(r));
        return tg_help(&in->rt.c, "%s is %s of %d: so must be the result for it", name,
                       tg_value_kind(p), p.as.items->n);
    }
    for (int i = 0; i < p.as.items->n; i++) {
        tg_value item = none ? TG_NONE_VALUE : r.as.items->v[i];
        if (p.tag == TG_V_RECORD && r.tag == TG_V_RECORD) {
            const tg_value *field = tg_value_field(r, p.as.items->field[i]);
            char what[80];
            snprintf(what, sizeof what, "no field %s", p.as.items->field[i]);
            if (!field) return wrong_result(c, name, what);
            item = *field;
        }
        if (!place(c, p.as.items->v[i], item, name)) return false;
    }
    return true;
}

static bool place_results(call *c, tg_env *scope, tg_value r) {
    const tg_ast *def = c->f->def;
    int n = def->n - 1;
    bool several = n > 1;
    if (several && (!tg_is_container(r) || r.as.items->n != n)) {
        tg_fail(&c->in->rt.c, TG_ERR_TYPE,
                "%s has %d parameters, so its rule gives a tuple of %d, not %s", c->f->rule->name,
                n, n, r.tag == TG_V_TUPLE ? "one of another length" : tg_value_kind(r));
        return tg_help(&c->in->rt.c, "none stands for an argument without a derivative");
    }
    for (int i = 0; i < n; i++) {
        const char *name = def->kids[i]->name;
        tg_value item = several                                     ? r.as.items->v[i]
                        : r.tag == TG_V_TUPLE && r.as.items->n == 1 ? r.as.items->v[0]
                                                                    : r;
        if (!place(c, *tg_env_find(scope, name), item, name)) return false;
    }
    return true;
}

/* ---- the call ---- */

/* A slot of that type, the same for every rule. */
static tg_node *slot(tg_interp *in, const char *name, const tg_type *type) {
    tg_type t = *type;
    t.weak = false;
    size_t kept = 0;
    tg_cell *found = NULL;
    for (size_t i = 0; i < in->nslots; i++) { /* those that no formula has any more go */
        tg_cell *c = in->slots[i];
        bool same = c->name == name && c->type.dtype == t.dtype &&
                    tg_shape_equal(c->type.rank, c->type.dim, t.rank, t.dim);
        if (same) found = c;
        if (same || c->leaf)
            in->slots[kept++] = c;
        else
            tg_cell_drop(c);
    }
    in->nslots = kept;
    if (found) return tg_node_cell(&in->rt, found);
    void *p = in->slots;
    bool ok = tg_grow(&p, &in->slots_cap, in->nslots + 1, sizeof *in->slots);
    in->slots = p;
    if (!ok) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_SLOT, name, &t, NULL);
    if (!c) return NULL;
    in->slots[in->nslots++] = c;
    return tg_node_cell(&in->rt, c);
}

static bool run_rule(call *c, tg_env *scope, tg_node *g, tg_node *value, const char *names[2],
                     tg_value *out) {
    tg_interp *in = c->in;
    tg_function *rule = c->f->rule;
    const tg_frame *frame = tg_frame_of(in, rule->unit, rule->def);
    tg_env *own = frame ? tg_env_new_call(in, frame, rule->env) : NULL;
    if (!own) return tg_fail_memory(&in->rt.c);
    bool ok = tg_env_set(own, names[0], tg_value_formula(g, 0)) &&
              tg_env_set(own, names[1], tg_value_formula(value, 0));
    for (int i = 0; ok && i < rule->def->n - 1; i++) {
        const char *name = rule->def->kids[i]->name;
        ok = tg_env_set(own, name, tg_value_hold(*tg_env_find(scope, name)));
    }
    if (!ok) tg_fail_memory(&in->rt.c);
    rule->refs++;
    tg_unit *caller = in->unit;
    in->unit = rule->unit;
    ok = ok && tg_function_run(in, rule, own, out);
    in->unit = caller;
    if (!ok) tg_blame_keep(in, rule->unit->src);
    tg_scope_leave(in, own);
    tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = rule});
    return ok;
}

/* The body's value without its parameters: nothing is to be differentiated. */
static bool plain_value(call *c, tg_value y, tg_value *out) {
    tg_node *n = y.as.node;
    for (size_t i = 0; n && i < c->n; i++)
        if (c->part[i]->op == &tg_op_parameter)
            n = tg_node_substitute(&c->in->rt, n, c->part[i], c->part[i]->arg[0]);
    if (n) *out = tg_value_formula(n, y.assumed);
    return n != NULL;
}

/* y, the body's value, as one node with the rule. */
static bool with_rule(call *c, tg_env *scope, tg_value y, tg_value *out) {
    tg_interp *in = c->in;
    const char *names[2] = {tg_intern(&in->rt.c, "g", 1), tg_intern(&in->rt.c, "out", 3)};
    const tg_type *type = &y.as.node->type;
    tg_value r = TG_NONE_VALUE;
    tg_node *g = names[0] && names[1] ? tg_node_hold(slot(in, names[0], type)) : NULL;
    tg_node *value = g ? tg_node_hold(slot(in, names[1], type)) : NULL, *made = NULL;
    bool ok = value && run_rule(c, scope, g, value, names, &r) && place_results(c, scope, r);
    if (!ok && in->rt.c.diag.kind) tg_blame(in, c->f->rule->def);
    const char *text = ok ? tg_intern(&in->rt.c, tg_str_text(&c->text), c->text.len) : NULL;
    const char *parts = ok ? tg_intern(&in->rt.c, tg_str_text(&c->names), c->names.len) : NULL;
    if (text && parts)
        made = tg_ruled_make(&in->rt,
                             &(tg_ruled){.text = text,
                                         .names = parts,
                                         .serial = c->f->rule->serial,
                                         .unchecked = c->f->rule->def->flags & TG_AST_UNCHECKED,
                                         .body = y.as.node,
                                         .g = g,
                                         .out = value,
                                         .n = (int)c->n,
                                         .part = c->part,
                                         .result = c->result});
    if (made) *out = tg_value_formula(made, c->assumed | y.assumed);
    tg_node_drop(g);
    tg_node_drop(value);
    tg_value_drop(r);
    return made != NULL;
}

bool tg_rule_call(tg_interp *in, tg_function *f, tg_env *scope, int given, tg_value *out) {
    bool live = false;
    for (int i = 0; i < f->def->n - 1; i++)
        live = live || has_differentiable(*tg_env_find(scope, f->def->kids[i]->name));
    if (!live) return tg_function_run(in, f, scope, out);
    call c = {.in = in, .f = f};
    tg_value y = TG_NONE_VALUE, array;
    tg_function *rule = f->rule;
    rule->refs++;
    /* the rule reads the parameters as they were given: the body may change its own */
    tg_env *own = tg_env_new(NULL);
    bool ok = (own || tg_fail_memory(&in->rt.c)) && mark_parameters(&c, scope, given);
    for (int i = 0; ok && i < f->def->n - 1; i++) {
        const char *name = f->def->kids[i]->name;
        ok = tg_env_set(own, name, tg_value_hold(*tg_env_find(scope, name))) ||
             tg_fail_memory(&in->rt.c);
    }
    ok = ok && tg_function_run(in, f, scope, &y);
    if (ok && y.tag == TG_V_LIST && tg_is_live(y)) {
        ok = tg_to_array(in, y, "the function's value", &array);
        if (ok) {
            tg_value_drop(y);
            y = array;
        }
    }
    if (ok && tg_is_container(y) && tg_is_live(y)) {
        ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "a rule is for a function with one value; %s gives %s",
                     rule->name, tg_value_kind(y));
        tg_help(&in->rt.c, "write a function with a rule for each part");
    } else if (ok && y.tag != TG_V_FORMULA) {
        *out = y;
        y = TG_NONE_VALUE;
    } else if (ok) {
        ok = is_differentiable(y) ? with_rule(&c, own, y, out) : plain_value(&c, y, out);
    }
    tg_value_drop(y);
    for (size_t i = 0; i < c.n; i++) {
        tg_node_drop(c.part[i]);
        tg_node_drop(c.result[i]);
    }
    tg_free(c.part);
    tg_free(c.result);
    tg_str_free(&c.text);
    tg_str_free(&c.names);
    tg_env_drop(own);
    tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = rule});
    return ok;
}
