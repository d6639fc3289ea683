/* Statements of a program that is read and not run.
 *
 * An error among the text's own statements is told, and what the statement should have bound is
 * unknown from there on; inside a function it goes up to the call, as in a run, so that its words
 * are those of a run. Inside the library, on a path that may never be taken, it is no error. */
#include "interp/check.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/module.h"
#include "interp/rule.h"

#include <string.h>

enum { MOST_EXPLORED = 12 }; /* levels of an expression looked into once the whole is unknown */

static const tg_value unknown = {.tag = TG_V_UNKNOWN};

/* ---- expressions ---- */

static bool explore(tg_interp *in, tg_env *env, const tg_ast *e, int depth);

/* What a failure means: true, with no error pending, if the walk goes on and the value is unknown.
 */
bool tg_check_settle(tg_interp *in, tg_env *env, const tg_ast *e) {
    tg_checker *k = in->checking;
    tg_err kind = in->rt.c.diag.kind;
    bool library = k->unsure > 0 && tg_is_library_text(e->span.src);
    if (kind == TG_ERR_MEMORY || kind == TG_ERR_INTERRUPT) return false;
    if (kind == TG_ERR_UNKNOWN || kind == TG_ERR_DEPTH) {
        tg_clear(&in->rt.c);
        return k->stopped || explore(in, env, e, 0);
    }
    if (library) {
        tg_clear(&in->rt.c);
        return true;
    }
    return k->calls == 0 && tg_check_tell(in, TG_FINDING_ERROR);
}

/* The errors within an expression that as a whole is unknown. What stands behind `and` and `or` may
 * not be evaluated, and what opens a scope cannot be from here. */
static bool explore(tg_interp *in, tg_env *env, const tg_ast *e, int depth) {
    bool logical = e->kind == TG_AST_BINARY && (e->op[0] == 'a' || e->op[0] == 'o');
    int n = logical ? 1 : e->n;
    if (depth == MOST_EXPLORED || e->kind == TG_AST_LAMBDA || e->kind == TG_AST_WHERE ||
        e->kind == TG_AST_BLOCK || tg_ast_is_statement(e))
        return true;
    for (int i = 0; i < n; i++) {
        const tg_ast *kid = e->kids[i];
        tg_value v;
        if (kid && (kid->kind == TG_AST_ARG || kid->kind == TG_AST_HOLE)) kid = kid->kids[0];
        if (!kid || kid->kind == TG_AST_TEXT || kid->kind == TG_AST_REST ||
            kid->kind == TG_AST_NUMBER)
            continue;
        if (kid->kind == TG_AST_SLICE) {
            if (!explore(in, env, kid, depth + 1)) return false;
            continue;
        }
        if (++in->checking->steps > TG_CHECK_STEPS) return true;
        if (tg_eval(in, env, kid, &v)) {
            tg_value_drop(v);
            continue;
        }
        tg_err kind = in->rt.c.diag.kind;
        if (kind == TG_ERR_UNKNOWN || kind == TG_ERR_DEPTH) {
            tg_clear(&in->rt.c);
            if (!explore(in, env, kid, depth + 1)) return false;
        } else if (!tg_check_settle(in, env, kid)) {
            return false;
        }
    }
    return true;
}

/* [a, b] of numbers that are not known is a vector as well. Takes v. */
static bool as_array(tg_interp *in, tg_value v, tg_value *out) {
    tg_type type;
    *out = v;
    if (v.tag != TG_V_LIST || !tg_check_has_stand_in(v) || !tg_check_type(in, v, &type))
        return true;
    tg_node *n;
    bool ok = tg_to_node(in, v, "the value", &n);
    *out = ok ? tg_value_formula(n, 0) : unknown;
    tg_value_drop(v);
    return ok;
}

/* What e is worth, TG_V_UNKNOWN if that is not known. False: the walk ends. *out is owned. */
bool tg_check_value_of(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value v;
    *out = unknown;
    if (tg_eval(in, env, e, &v)) return as_array(in, v, out);
    return tg_check_settle(in, env, e);
}

/* ---- statements ---- */

static tg_flow give_back(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_checker *k = in->checking;
    tg_value v = TG_NONE_VALUE, both, none = TG_NONE_VALUE;
    if (k->calls == 0 && k->loose == 0) /* outside any function */
        return tg_exec(in, env, s, &none) == TG_FLOW_ERROR && tg_check_settle(in, env, s)
                   ? TG_FLOW_NEXT
                   : TG_FLOW_ERROR;
    if (s->n > 0 && !tg_check_value_of(in, env, s->kids[0], &v)) return TG_FLOW_ERROR;
    if (k->stopped) {
        tg_value_drop(v);
        return TG_FLOW_NEXT;
    }
    if (k->returns) {
        bool ok = tg_check_join(in, k->returned, v, &both);
        tg_value_drop(v);
        if (!ok) return TG_FLOW_ERROR;
        v = both;
        tg_value_drop(k->returned);
    }
    k->returned = v;
    k->returns = true;
    return TG_FLOW_RETURN;
}

static tg_flow leave_loop(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_flow flow = s->kind == TG_AST_BREAK ? TG_FLOW_BREAK : TG_FLOW_CONTINUE;
    if (in->checking->loops > 0) return flow;
    tg_stray(in, flow);
    tg_blame(in, s);
    return tg_check_settle(in, env, s) ? TG_FLOW_NEXT : TG_FLOW_ERROR;
}

/* Modules of the standard library are run: they only define. */
static tg_flow use(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_checker *k = in->checking;
    bool quoted = s->flags & TG_AST_QUOTED;
    if (!quoted) in->checking = NULL;
    bool ok = tg_module_use(in, s->name, quoted);
    in->checking = k;
    if (ok) return TG_FLOW_NEXT;
    k->lost = true;
    tg_blame(in, s);
    return tg_check_settle(in, env, s) ? TG_FLOW_NEXT : TG_FLOW_ERROR;
}

/* What may never be assumed, or rests on values, is looked at only. */
static tg_flow assume(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    bool known = in->checking->unsure == 0;
    for (int i = 0; i < s->n; i++) {
        tg_value v;
        if (!tg_check_value_of(in, env, s->kids[i], &v)) return TG_FLOW_ERROR;
        known = known && v.tag != TG_V_UNKNOWN && !tg_check_has_stand_in(v);
        tg_value_drop(v);
    }
    if (!known || tg_exec(in, env, s, last) != TG_FLOW_ERROR) return TG_FLOW_NEXT;
    return tg_check_settle(in, env, s) ? TG_FLOW_NEXT : TG_FLOW_ERROR;
}

static tg_flow expression(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    tg_value v;
    static const char *const words[] = {"assume", "format"}; /* alone they ask */
    for (int i = 0; i < 2; i++)
        if (s->kind == TG_AST_NAME && strcmp(s->name, words[i]) == 0) return TG_FLOW_NEXT;
    if (!tg_check_value_of(in, env, s, &v)) return TG_FLOW_ERROR;
    tg_value_drop(*last);
    *last = v;
    return TG_FLOW_NEXT;
}

static tg_flow block(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    for (int i = 0; i < s->n; i++) {
        tg_value v = TG_NONE_VALUE;
        tg_flow flow = tg_check_exec(in, env, s->kids[i], &v);
        tg_value_drop(*last);
        *last = v;
        if (flow != TG_FLOW_NEXT) return flow;
    }
    return TG_FLOW_NEXT;
}

static tg_flow one_statement(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    switch (s->kind) {
    case TG_AST_BLOCK: return block(in, env, s, last);
    case TG_AST_IF: return tg_check_branch(in, env, s, last);
    case TG_AST_DEFINE: return tg_check_define(in, env, s, last);
    case TG_AST_STORE: return tg_check_store(in, env, s) ? TG_FLOW_NEXT : TG_FLOW_ERROR;
    case TG_AST_FUNCTION: return tg_check_function_statement(in, env, s, last);
    case TG_AST_INPUT: return tg_check_input(in, env, s, last);
    case TG_AST_ASSUME: return assume(in, env, s, last);
    case TG_AST_RULE:
        return tg_rule_statement(in, env, s) || (tg_blame(in, s), tg_check_settle(in, env, s))
                   ? TG_FLOW_NEXT
                   : TG_FLOW_ERROR;
    case TG_AST_PRECISION: return tg_exec(in, env, s, last);
    case TG_AST_USE: return use(in, env, s);
    case TG_AST_FOR: return tg_check_for(in, env, s);
    case TG_AST_WHILE: return tg_check_while(in, env, s);
    case TG_AST_REPEAT: return tg_check_repeat(in, env, s);
    case TG_AST_BREAK:
    case TG_AST_CONTINUE: return leave_loop(in, env, s);
    case TG_AST_RETURN: return give_back(in, env, s);
    case TG_AST_HELP:
    case TG_AST_FORMAT: return TG_FLOW_NEXT;
    default: return expression(in, env, s, last);
    }
}

tg_flow tg_check_exec(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    tg_checker *k = in->checking;
    if (!tg_check_interrupt(&in->rt.c)) return TG_FLOW_ERROR;
    if (k->spent || !tg_guard(&in->rt.c)) {
        tg_clear(&in->rt.c);
        return TG_FLOW_NEXT;
    }
    k->spent = ++k->steps > TG_CHECK_STEPS;
    if (k->calls == 0 && s->kind != TG_AST_BLOCK) k->statement = s;
    tg_flow flow = one_statement(in, env, s, last);
    if (!k->stopped || flow == TG_FLOW_ERROR) return flow;
    k->stopped = false;
    return TG_FLOW_RETURN;
}
