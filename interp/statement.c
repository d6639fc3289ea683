/* Statements. A block's value is its last statement's; loops open no scope, functions do. */
#include "base/alloc.h"
#include "base/str.h"
#include "interp/assume.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/code.h"
#include "interp/convert.h"
#include "interp/help.h"
#include "interp/index.h"
#include "interp/module.h"
#include "interp/nonfinite.h"
#include "interp/progress.h"
#include "interp/resolve.h"
#include "interp/rule.h"
#include "interp/store.h"
#include "interp/turns.h"
#include "interp/vmap.h"

#include <math.h>
#include <string.h>

static TG_APART tg_flow fail_at(tg_interp *in, const tg_ast *s) {
    tg_blame(in, s);
    return TG_FLOW_ERROR;
}

/* ---- definitions ---- */

/* The right sides of a definition, one for each target, as a tuple. */
static bool right_sides(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *out) {
    int n = s->ntargets, have = s->n - n;
    tg_value one, values;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, n, &values)) return false;
    bool ok = true;
    if (have < n) {
        ok = tg_eval(in, env, s->kids[n], &one);
        if (ok) {
            ok = tg_unpack(in, one, n, values.as.items->v);
            tg_value_drop(one);
        }
    } else {
        for (int i = 0; ok && i < n; i++)
            ok = tg_eval(in, env, s->kids[n + i], &values.as.items->v[i]);
    }
    if (ok) return tg_value_seal(&in->rt.c, values, out);
    tg_value_drop(values);
    return false;
}

/* A finite number under a name that is a number already, or a call's own and not defined yet: what
 * tg_define does for others has nothing to do. False: not that. */
static inline bool define_number(tg_interp *in, tg_env *env, const tg_ast *name, tg_value v) {
    if (v.tag != TG_V_NUMBER || v.as.number - v.as.number != 0) return false;
    struct tg_binding *b =
        env == in->globals ? tg_resolve_global(env, name) : tg_resolve_place(env, name);
    if (!b || (b->name ? b->value.tag != TG_V_NUMBER : env == in->globals)) return false;
    *b = (struct tg_binding){.name = name->name, .value = v};
    return true;
}

/* All values are computed before the first name is bound. What the user's own names stand for
 * outlives the `:=` that a block may be part of, and holds none of its lift slots. */
static TG_APART tg_flow define(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    int n = s->ntargets;
    bool computing = in->computing;
    tg_value made;
    in->computing = computing && env != in->globals;
    bool ok = n == 1 ? tg_eval(in, env, s->kids[1], &made) : right_sides(in, env, s, &made);
    in->computing = computing;
    if (!ok) return fail_at(in, s);
    if (n == 1 && define_number(in, env, s->kids[0], made)) {
        tg_value_drop(*last);
        *last = made;
        return TG_FLOW_NEXT;
    }
    for (int i = 0; ok && i < n && s->n == 2 * n; i++)
        ok = tg_nonfinite_defined(in, env, s->kids[i]->name, s->kids[n + i],
                                  n == 1 ? made : made.as.items->v[i]);
    tg_value_drop(*last);
    *last = made;
    ok = ok && (tg_env_reserve(env, (size_t)n) || tg_fail_memory(&in->rt.c));
    for (int i = 0; ok && i < n; i++)
        ok = tg_define(in, env, s->kids[i], tg_value_hold(n == 1 ? made : made.as.items->v[i]));
    if (ok && n == 1 && s->kids[1]->kind == TG_AST_NAME && tg_value_cell(made))
        tg_env_binding(env, s->kids[0]->name)->alias = s->kids[0]->name != s->kids[1]->name;
    return ok ? TG_FLOW_NEXT : fail_at(in, s);
}

static TG_APART tg_flow function(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    tg_value f;
    if (!tg_function_new(in, env, s, &f)) return fail_at(in, s);
    tg_value_drop(*last);
    *last = tg_value_hold(f);
    return tg_define(in, env, s, f) ? TG_FLOW_NEXT : fail_at(in, s);
}

/* One size of a declaration: a number, the name of a known number, a size symbol (which the name
 * then stands for in `made`), or `?`. */
static bool declared_size(tg_interp *in, tg_env *made, const tg_ast *e, tg_size *out) {
    if (e->kind == TG_AST_REST) {
        *out = tg_size_symbol(&in->rt, NULL);
        return *out != TG_SIZE_FAIL;
    }
    const tg_value *v = e->kind == TG_AST_NAME ? tg_lookup_own(in, made, e->name) : NULL;
    bool fresh = e->kind == TG_AST_NAME &&
                 (!v || (v->tag != TG_V_NUMBER &&
                         !(v->tag == TG_V_FORMULA && v->as.node->op == &tg_op_size)));
    if (fresh) {
        *out = tg_size_symbol(&in->rt, e->name);
        tg_node *n = *out == TG_SIZE_FAIL ? NULL : tg_node_size(&in->rt, *out);
        if (!n) return false;
        return v ? tg_fail(&in->rt.c, TG_ERR_TYPE, "%s is %s, so it cannot name a size", e->name,
                           tg_value_kind(*v))
                 : tg_env_set(made, e->name, tg_value_formula(n, 0)) || tg_fail_memory(&in->rt.c);
    }
    tg_value x;
    if (!tg_eval(in, made, e, &x)) return false;
    bool ok = tg_to_size(in, x, "a size", out);
    if (ok && *out < 0 && x.tag == TG_V_NUMBER)
        ok = tg_fail(&in->rt.c, TG_ERR_VALUE, "a size cannot be negative");
    tg_value_drop(x);
    return ok || tg_blame(in, e);
}

/* Declares one input, and the sizes it names, in the scope `made`. */
static bool declare(tg_interp *in, tg_env *made, const tg_ast *d) {
    const tg_ast *name = d->kind == TG_AST_INDEX ? d->kids[0] : d;
    tg_type type = {.dtype = in->rt.precision};
    if (d->kind == TG_AST_INDEX) {
        type.rank = d->n - 1;
        if (type.rank > TG_MAX_RANK)
            return tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s has %d sizes; a tensor has at most %d",
                           name->name, type.rank, TG_MAX_RANK);
        for (int k = 0; k < type.rank; k++)
            if (!declared_size(in, made, d->kids[k + 1], &type.dim[k])) return false;
    }
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_INPUT, NULL, &type, NULL);
    tg_node *n = c ? tg_node_cell(&in->rt, c) : NULL;
    tg_cell_drop(c);
    return n && (tg_env_set(made, name->name, tg_value_formula(n, 0)) || tg_fail_memory(&in->rt.c));
}

/* All declarations are made in a scope of their own first: one that fails leaves nothing behind. */
static TG_APART tg_flow input(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_env *made = tg_env_new(env);
    bool ok = made || tg_fail_memory(&in->rt.c);
    for (int i = 0; ok && i < s->n; i++)
        ok = declare(in, made, s->kids[i]) || tg_blame(in, s->kids[i]);
    ok = ok && (tg_env_reserve(env, made->n) || tg_fail_memory(&in->rt.c));
    for (size_t i = 0; ok && i < made->n; i++) {
        tg_value v = tg_value_hold(made->items[i].value);
        const tg_ast name = {.kind = TG_AST_NAME, .name = made->items[i].name};
        tg_cell *c = tg_value_cell(v);
        ok = tg_define(in, env, &name, v);
        if (ok && c && !c->name) c->name = name.name;
    }
    tg_env_drop(made);
    return ok ? TG_FLOW_NEXT : fail_at(in, s);
}

/* ---- loops ---- */

/* What a `for` walks over. */
typedef struct walk {
    tg_value over;
    int64_t at, n;
    size_t byte; /* of a text: where the next character begins */
} walk;

bool tg_walk_refuse(tg_interp *in, tg_value v) {
    tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be walked over", tg_value_kind(v));
    return v.tag == TG_V_NUMBER &&
           tg_help(&in->rt.c, "write 1..%.15g, or repeat %.15g { ... }", v.as.number, v.as.number);
}

/* Takes v; formulas are walked as they are now. */
static bool walk_begin(tg_interp *in, tg_value v, walk *w) {
    *w = (walk){.over = v};
    if (v.tag == TG_V_FORMULA) {
        bool ok = tg_value_now(in, v, &w->over);
        tg_value_drop(v);
        if (!ok) {
            w->over = TG_NONE_VALUE;
            return false;
        }
    }
    switch (w->over.tag) {
    case TG_V_RANGE: return tg_range_count(&in->rt.c, w->over.as.range, &w->n);
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD: w->n = w->over.as.items->n; return true;
    case TG_V_TENSOR: w->n = w->over.as.tensor->v.dim[0]; return true;
    case TG_V_STRING: w->n = tg_text_length(w->over.as.text); return true;
    case TG_V_STREAM: {
        tg_value pass;
        if (!w->over.as.stream->begin(in, w->over.as.stream, &pass)) return false;
        tg_value_drop(w->over);
        w->over = pass;
        w->n = pass.as.stream->count;
        return true;
    }
    default: return tg_walk_refuse(in, w->over);
    }
}

/* Of the bar of a loop over batches; NULL: others have none of their own. */
static const char *title_of(const walk *w) {
    if (w->over.tag != TG_V_STREAM) return NULL;
    tg_value title = w->over.as.stream->title;
    return title.tag == TG_V_STRING ? title.as.text->bytes : "batches";
}

static bool walk_next(tg_interp *in, walk *w, tg_value *out) {
    int64_t i = w->at++;
    switch (w->over.tag) {
    case TG_V_STREAM: return w->over.as.stream->next(in, w->over.as.stream, i, out);
    case TG_V_STRING: {
        const tg_text *t = w->over.as.text;
        const char *here = t->bytes + w->byte;
        size_t len = (size_t)tg_utf8_next(here, t->len - w->byte, NULL);
        w->byte += len;
        return tg_value_string(&in->rt.c, here, len, out);
    }
    case TG_V_RECORD: {
        const char *field = w->over.as.items->field[i];
        tg_value pair;
        if (!tg_value_items(&in->rt.c, TG_V_TUPLE, 2, &pair)) return false;
        if (!tg_value_string(&in->rt.c, field, strlen(field), &pair.as.items->v[0])) {
            tg_value_drop(pair);
            return false;
        }
        pair.as.items->v[1] = tg_value_hold(w->over.as.items->v[i]);
        return tg_value_seal(&in->rt.c, pair, out);
    }
    default: return tg_item_at(in, w->over, i, out);
    }
}

/* One turn's value into the loop's targets. Takes v. */
static bool bind_targets(tg_interp *in, tg_env *env, const tg_ast *s, tg_value v) {
    int n = s->ntargets;
    tg_value parts, now;
    if (n == 1 && !(s->flags & TG_AST_STORES)) return tg_define(in, env, s->kids[0], v);
    if (s->flags & TG_AST_STORES) { /* `:=` stores what a formula is worth */
        bool known = tg_value_now(in, v, &now);
        tg_value_drop(v);
        if (!known) return false;
        v = now;
    }
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, n, &parts)) {
        tg_value_drop(v);
        return false;
    }
    bool ok = true;
    if (n == 1) {
        parts.as.items->v[0] = v;
    } else {
        ok = tg_unpack(in, v, n, parts.as.items->v);
        tg_value_drop(v);
    }
    if (ok && s->flags & TG_AST_STORES) {
        in->rt.tick++;
        ok = tg_store_all(in, env, n, s->kids, parts.as.items->v);
    } else {
        ok = ok && (tg_env_reserve(env, (size_t)n) || tg_fail_memory(&in->rt.c));
        for (int i = 0; ok && i < n; i++)
            ok = tg_define(in, env, s->kids[i], tg_value_hold(parts.as.items->v[i]));
    }
    tg_value_drop(parts);
    return ok;
}

/* What a loop makes of how its body ended. True: go on. */
static bool next_turn(tg_flow *flow) {
    if (*flow == TG_FLOW_NEXT || *flow == TG_FLOW_CONTINUE) return true;
    if (*flow == TG_FLOW_BREAK) *flow = TG_FLOW_NEXT;
    return false;
}

static tg_flow turn(tg_interp *in, tg_env *env, const tg_ast *body) {
    tg_value last = TG_NONE_VALUE;
    tg_flow flow = tg_exec(in, env, body, &last);
    tg_value_drop(last);
    return flow;
}

/* After a first turn, which gave the names of a loop their values, it may go on as number code; if
 * not yet, then later. */
static inline bool is_time_for_code(const tg_interp *in, int64_t turns) {
    return turns > 0 && (turns & (turns - 1)) == 0 && !in->no_code;
}

/* Goes on with the loop s, of n turns, as number code, in stretches between which its bar is shown.
 * False: the tree has the next turn, *at. Else the loop is over, as *flow says. */
static TG_APART bool run_as_code(tg_interp *in, tg_env *env, const tg_ast *s, tg_progress *bar,
                                 double lo, int64_t n, int64_t *at, tg_flow *flow) {
    tg_code *code = tg_code_of_loop(in, env, s);
    tg_code_turns t = {.lo = lo, .at = (double)*at, .n = (double)n};
    int64_t stretch = 64;
    for (bool fine = true; *at < n && !t.left;) {
        double looked = bar->looked;
        t.to = bar->on && n - *at > stretch ? t.at + (double)stretch : t.n;
        if (!tg_code_loop(in, env, code, &t, &fine)) return false;
        *at = (int64_t)t.at;
        if (!fine || (bar->on && !tg_progress_look(bar, *at))) {
            if (fine) tg_turns_tell(in, env, s, *at, n);
            *flow = TG_FLOW_ERROR;
            return true;
        }
        if (bar->looked - looked < 2e-3 && stretch < 1 << 24) stretch *= 2;
        if (bar->looked - looked > 8e-3 && stretch > 1) stretch /= 2;
    }
    return true;
}

static TG_APART tg_flow for_loop(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_value over;
    const tg_ast *what = s->kids[s->ntargets], *body = s->kids[s->ntargets + 1];
    const tg_ast *call = tg_progress_call(in, env, what);
    walk w;
    if (call && !(what = tg_progress_subject(in, call))) return fail_at(in, call);
    if (!tg_eval(in, env, what, &over)) return TG_FLOW_ERROR;
    if (!walk_begin(in, over, &w)) {
        tg_value_drop(w.over);
        return fail_at(in, what);
    }
    tg_flow flow = TG_FLOW_NEXT;
    bool told = false, plain_target = s->ntargets == 1 && !(s->flags & TG_AST_STORES);
    tg_progress bar;
    if (!tg_progress_begin(&bar, in, env, call, title_of(&w), w.n)) {
        flow = fail_at(in, call);
        w.n = 0;
    }
    while (w.at < w.n) {
        tg_value v;
        if (w.over.tag == TG_V_RANGE && is_time_for_code(in, w.at) &&
            (told = run_as_code(in, env, s, &bar, w.over.as.range->lo, w.n, &w.at, &flow))) {
            if (flow == TG_FLOW_ERROR) fail_at(in, what);
            break;
        }
        if (!tg_progress_turn(&bar, w.at) || !walk_next(in, &w, &v) ||
            !(plain_target && define_number(in, env, s->kids[0], v)
                  ? true
                  : bind_targets(in, env, s, v)) ||
            !tg_check_interrupt(&in->rt.c)) {
            flow = fail_at(in, what);
            break;
        }
        flow = turn(in, env, body);
        if (!next_turn(&flow)) break;
        flow = TG_FLOW_NEXT;
    }
    if (flow == TG_FLOW_ERROR && !told) tg_turns_tell(in, env, s, w.at, w.n);
    tg_progress_end(&bar, w.at, flow != TG_FLOW_ERROR);
    tg_value_drop(w.over);
    return flow;
}

static TG_APART bool condition(tg_interp *in, tg_env *env, const tg_ast *e, bool *truth) {
    tg_value v;
    if (!tg_eval(in, env, e, &v)) return false;
    bool ok = tg_to_truth(in, v, "a condition", truth);
    tg_value_drop(v);
    return ok || tg_blame(in, e);
}

static TG_APART tg_flow while_loop(tg_interp *in, tg_env *env, const tg_ast *s) {
    const tg_ast *what = s->kids[0], *call = tg_progress_call(in, env, what);
    tg_progress bar;
    tg_flow flow = TG_FLOW_NEXT;
    if (call && !(what = tg_progress_subject(in, call))) return fail_at(in, call);
    bool ok = tg_progress_begin(&bar, in, env, call, NULL, -1) || tg_blame(in, call);
    int64_t turns = 0;
    while (next_turn(&flow)) {
        tg_code_turns none = {0};
        bool truth, fine;
        if (!call && is_time_for_code(in, turns) &&
            tg_code_loop(in, env, tg_code_of_loop(in, env, s), &none, &fine)) {
            flow = fine ? TG_FLOW_NEXT : fail_at(in, s);
            break;
        }
        flow = TG_FLOW_ERROR;
        if (!ok || !tg_progress_turn(&bar, turns) || !tg_check_interrupt(&in->rt.c))
            fail_at(in, s);
        else if (condition(in, env, what, &truth))
            flow = truth ? turn(in, env, s->kids[1]) : TG_FLOW_BREAK;
        turns++;
        if (flow == TG_FLOW_ERROR) tg_turns_tell(in, env, s, turns, -1);
    }
    tg_progress_end(&bar, turns - 1, flow != TG_FLOW_ERROR);
    return flow;
}

static TG_APART tg_flow repeat_loop(tg_interp *in, tg_env *env, const tg_ast *s) {
    const tg_ast *what = s->kids[0], *call = tg_progress_call(in, env, what);
    tg_value v;
    int64_t n, i = 0;
    if (call && !(what = tg_progress_subject(in, call))) return fail_at(in, call);
    if (!tg_eval(in, env, what, &v)) return TG_FLOW_ERROR;
    bool ok = tg_to_int(in, v, "the number of turns", &n);
    tg_value_drop(v);
    if (!ok) return fail_at(in, what);
    tg_progress bar;
    ok = tg_progress_begin(&bar, in, env, call, NULL, n);
    tg_flow flow = ok ? TG_FLOW_NEXT : fail_at(in, call);
    while (i < n && next_turn(&flow)) {
        if (is_time_for_code(in, i) && run_as_code(in, env, s, &bar, 0, n, &i, &flow)) {
            if (flow == TG_FLOW_ERROR) fail_at(in, s);
            break;
        }
        flow = tg_progress_turn(&bar, i) && tg_check_interrupt(&in->rt.c)
                   ? turn(in, env, s->kids[1])
                   : fail_at(in, s);
        i++;
        if (flow == TG_FLOW_ERROR) tg_turns_tell(in, env, s, i, n);
    }
    next_turn(&flow);
    tg_progress_end(&bar, i, flow != TG_FLOW_ERROR);
    return flow == TG_FLOW_CONTINUE ? TG_FLOW_NEXT : flow;
}

/* The branch to take: else if ... else if ...: walked, not recursed into. *branch NULL: none. */
static TG_APART bool choose(tg_interp *in, tg_env *env, const tg_ast *s, const tg_ast **branch) {
    for (; s && s->kind == TG_AST_IF; s = s->n > 2 ? s->kids[2] : NULL) {
        bool truth;
        if (!condition(in, env, s->kids[0], &truth)) return false;
        if (truth) {
            s = s->kids[1];
            break;
        }
    }
    *branch = s;
    return true;
}

/* All statements of a block but the last, which the caller goes on with. */
static TG_APART tg_flow lead_in(tg_interp *in, tg_env *env, const tg_ast *s) {
    for (int i = 0; i + 1 < s->n; i++) {
        tg_value v = TG_NONE_VALUE;
        tg_flow flow = tg_exec(in, env, s->kids[i], &v);
        tg_value_drop(v);
        if (flow != TG_FLOW_NEXT) return flow;
    }
    return TG_FLOW_NEXT;
}

/* The word `assume` or `format` alone, where it is nobody's name. */
static bool is_bare(tg_interp *in, tg_env *env, const tg_ast *s, const char *word) {
    return s->kind == TG_AST_NAME && strcmp(s->name, word) == 0 && !tg_lookup_own(in, env, s->name);
}

static TG_APART tg_flow expression(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    tg_value v;
    if (is_bare(in, env, s, "format")) return in->format = TG_STYLE_SHORT, TG_FLOW_NEXT;
    if (is_bare(in, env, s, "assume")) return tg_assume_list(in) ? TG_FLOW_NEXT : fail_at(in, s);
    if (!tg_eval(in, env, s, &v)) return TG_FLOW_ERROR;
    tg_value_drop(*last);
    *last = v;
    return TG_FLOW_NEXT;
}

static TG_APART tg_flow give_back(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_value v = TG_NONE_VALUE;
    if (env == in->globals || env == in->library) {
        tg_fail(&in->rt.c, TG_ERR_SYNTAX, "return stands outside any function");
        return fail_at(in, s);
    }
    if (s->n > 0 && !tg_eval(in, env, s->kids[0], &v)) return TG_FLOW_ERROR;
    tg_value_drop(in->returned);
    in->returned = v;
    return TG_FLOW_RETURN;
}

bool tg_stray(tg_interp *in, tg_flow flow) {
    return tg_fail(&in->rt.c, TG_ERR_SYNTAX, "%s stands outside any loop",
                   flow == TG_FLOW_BREAK ? "break" : "continue");
}

/* Has it an effect on more than the names of the call that it is in? */
static bool changes_more(tg_ast_kind kind) {
    switch (kind) {
    case TG_AST_STORE:
    case TG_AST_INPUT:
    case TG_AST_ASSUME:
    case TG_AST_RULE:
    case TG_AST_HELP:
    case TG_AST_PRECISION:
    case TG_AST_FORMAT:
    case TG_AST_USE: return true;
    default: return false;
    }
}

tg_flow tg_exec(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    if (!tg_guard(&in->rt.c)) return fail_at(in, s);
    while (s->kind == TG_AST_IF ||
           s->kind == TG_AST_BLOCK) { /* no frame for these: a function's body is mostly such */
        tg_flow flow = TG_FLOW_NEXT;
        if (s->kind == TG_AST_IF) {
            if (!choose(in, env, s, &s)) return TG_FLOW_ERROR;
        } else {
            flow = lead_in(in, env, s);
            s = s->n > 0 ? s->kids[s->n - 1] : NULL;
        }
        if (flow != TG_FLOW_NEXT || !s) return flow;
    }
    if (in->tracing && changes_more(s->kind)) {
        tg_vmap_effect(in);
        return fail_at(in, s);
    }
    tg_graph_collect(&in->rt, false); /* all that is in use is held between statements */
    switch (s->kind) {
    case TG_AST_DEFINE: return define(in, env, s, last);
    case TG_AST_STORE: return tg_store_statement(in, env, s) ? TG_FLOW_NEXT : TG_FLOW_ERROR;
    case TG_AST_FUNCTION: return function(in, env, s, last);
    case TG_AST_INPUT: return input(in, env, s);
    case TG_AST_ASSUME: return tg_assume_statement(in, env, s) ? TG_FLOW_NEXT : TG_FLOW_ERROR;
    case TG_AST_RULE: return tg_rule_statement(in, env, s) ? TG_FLOW_NEXT : fail_at(in, s);
    case TG_AST_HELP: return tg_help_statement(in, env, s) ? TG_FLOW_NEXT : fail_at(in, s);
    case TG_AST_PRECISION:
        in->rt.precision = s->name[0] == 's' ? TG_F32 : TG_F64;
        return TG_FLOW_NEXT;
    case TG_AST_FORMAT:
        in->format = s->name[0] == 'l'   ? TG_STYLE_LONG
                     : s->name[1] == 'c' ? TG_STYLE_SCI
                                         : TG_STYLE_SHORT;
        return TG_FLOW_NEXT;
    case TG_AST_USE:
        return tg_module_use(in, s->name, s->flags & TG_AST_QUOTED) ? TG_FLOW_NEXT : fail_at(in, s);
    case TG_AST_FOR: return for_loop(in, env, s);
    case TG_AST_WHILE: return while_loop(in, env, s);
    case TG_AST_REPEAT: return repeat_loop(in, env, s);
    case TG_AST_BREAK: return TG_FLOW_BREAK;
    case TG_AST_CONTINUE: return TG_FLOW_CONTINUE;
    case TG_AST_RETURN: return give_back(in, env, s);
    default: return expression(in, env, s, last);
    }
}
