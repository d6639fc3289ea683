/* What binds names in a program that is read and not run: definitions, functions, inputs and
 * stores.
 *
 * Stores into vars and inputs bind nothing: only their shapes are compared, by store.c. What `:=`
 * gives to other names is what the right side may be worth: a value of its type. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/store.h"

static const tg_value unknown = {.tag = TG_V_UNKNOWN};

/* name = v; takes v. */
bool tg_check_bind(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v) {
    if (!tg_check_note(in, env, target->name)) {
        tg_value_drop(v);
        return false;
    }
    if (v.tag != TG_V_UNKNOWN) return tg_define(in, env, target, v);
    return tg_env_set(env, target->name, v) || tg_fail_memory(&in->rt.c);
}

bool tg_check_set(tg_interp *in, tg_env *env, const char *name, tg_value v) {
    if (tg_check_note(in, env, name)) return tg_env_set(env, name, v) || tg_fail_memory(&in->rt.c);
    tg_value_drop(v);
    return false;
}

/* The n parts of v, which is taken; all unknown if v is, or cannot be taken apart (which is told,
 * as of e). */
bool tg_check_parts(tg_interp *in, tg_env *env, const tg_ast *e, tg_value v, int n, tg_value *out) {
    for (int i = 0; i < n; i++) out[i] = unknown;
    bool ok = true;
    if (v.tag != TG_V_UNKNOWN && !tg_unpack(in, v, n, out)) {
        for (int i = 0; i < n; i++) out[i] = unknown;
        tg_blame(in, e);
        ok = tg_check_settle(in, env, e);
    }
    tg_value_drop(v);
    return ok;
}

/* The right sides of s, one for each target, into out[]. */
static bool right_sides(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *out) {
    int n = s->ntargets, have = s->n - n;
    tg_value one;
    for (int i = 0; i < n; i++) out[i] = unknown;
    if (have < n)
        return tg_check_value_of(in, env, s->kids[n], &one) &&
               tg_check_parts(in, env, s, one, n, out);
    for (int i = 0; i < n; i++)
        if (!tg_check_value_of(in, env, s->kids[n + i], &out[i])) return false;
    return true;
}

tg_flow tg_check_define(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    int n = s->ntargets;
    tg_value *v = tg_alloc_array((size_t)n, sizeof *v);
    bool ok = v ? right_sides(in, env, s, v) : tg_fail_memory(&in->rt.c);
    tg_value_drop(*last);
    *last = ok && n == 1 ? tg_value_hold(v[0]) : unknown;
    for (int i = 0; v && i < n; i++) {
        bool cell = ok && tg_value_cell(v[i]) != NULL;
        if (ok)
            ok = tg_check_bind(in, env, s->kids[i], v[i]);
        else
            tg_value_drop(v[i]);
        if (ok && cell && n == 1 && s->kids[1]->kind == TG_AST_NAME)
            tg_env_binding(env, s->kids[0]->name)->alias = s->kids[0]->name != s->kids[1]->name;
        if (ok && env == in->globals) ok = tg_check_tell_shape(in, s->kids[i]);
    }
    tg_free(v);
    return ok ? TG_FLOW_NEXT : TG_FLOW_ERROR;
}

tg_flow tg_check_function_statement(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    tg_value f;
    if (!tg_function_new(in, env, s, &f))
        return tg_check_settle(in, env, s) ? TG_FLOW_NEXT : TG_FLOW_ERROR;
    tg_value_drop(*last);
    *last = tg_value_hold(f);
    bool ok = tg_check_keep_function(in, f.as.function);
    return tg_check_bind(in, env, s, f) && ok ? TG_FLOW_NEXT : TG_FLOW_ERROR;
}

/* A declaration with a size that is a number not known makes inputs of which nothing is known. */
static bool has_unknown_size(tg_interp *in, tg_env *env, const tg_ast *s) {
    for (int i = 0; i < s->n; i++)
        for (int j = 1; s->kids[i]->kind == TG_AST_INDEX && j < s->kids[i]->n; j++) {
            const tg_ast *e = s->kids[i]->kids[j];
            const tg_value *v = e->kind == TG_AST_NAME ? tg_lookup_own(in, env, e->name) : NULL;
            if (v && (v->tag == TG_V_UNKNOWN || tg_check_is_stand_in(*v))) return true;
        }
    return false;
}

tg_flow tg_check_input(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    bool ok = true, lost = has_unknown_size(in, env, s);
    for (int i = 0; ok && i < s->n; i++) {
        const tg_ast *d = s->kids[i], *name = d->kind == TG_AST_INDEX ? d->kids[0] : d;
        ok = lost ? tg_check_set(in, env, name->name, unknown) : tg_check_note(in, env, name->name);
        for (int j = 1; ok && !lost && d->kind == TG_AST_INDEX && j < d->n; j++)
            ok = d->kids[j]->kind != TG_AST_NAME || tg_check_note(in, env, d->kids[j]->name);
    }
    if (!ok) return TG_FLOW_ERROR;
    if (lost) return TG_FLOW_NEXT;
    if (tg_exec(in, env, s, last) == TG_FLOW_ERROR) {
        for (int i = 0; ok && i < s->n; i++) {
            const tg_ast *d = s->kids[i];
            ok = tg_check_settle(in, env, s) &&
                 tg_check_set(in, env, d->kind == TG_AST_INDEX ? d->kids[0]->name : d->name,
                              unknown);
        }
        return ok ? TG_FLOW_NEXT : TG_FLOW_ERROR;
    }
    for (int i = 0; ok && env == in->globals && i < s->n; i++)
        ok = tg_check_tell_shape(in, s->kids[i]->kind == TG_AST_INDEX ? s->kids[i]->kids[0]
                                                                      : s->kids[i]);
    return ok ? TG_FLOW_NEXT : TG_FLOW_ERROR;
}

/* ---- stores ---- */

static bool has_cells(tg_value v) {
    if (tg_value_cell(v)) return true;
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (has_cells(v.as.items->v[i])) return true;
    return false;
}

/* A part of what the name holds is stored into: its shape stays, its elements are not known any
 * more. */
static bool blur(tg_interp *in, tg_env *env, const char *name) {
    tg_env *home = tg_store_home(in, env, name);
    const tg_value *old = tg_env_find(home, name);
    tg_type type;
    tg_value v = unknown;
    if (!old || has_cells(*old) || old->tag == TG_V_FORMULA) return true;
    if (old->tag == TG_V_TENSOR &&
        (!tg_check_type(in, *old, &type) || !tg_check_stand_in(in, &type, &v)))
        return false;
    return tg_check_set(in, home, name, v);
}

/* target := v, which is taken. */
static bool store_one(tg_interp *in, tg_env *env, tg_ast *target, tg_value v) {
    tg_value now;
    if (target->kind != TG_AST_NAME) {
        const tg_ast *root = target;
        tg_value_drop(v);
        while (root->kind != TG_AST_NAME) root = root->kids[0];
        if (!tg_check_value_of(in, env, target->kids[0], &now)) return false;
        bool reads = target->kind == TG_AST_INDEX
                         ? now.tag != TG_V_UNKNOWN && now.tag != TG_V_RECORD
                         : now.tag == TG_V_RECORD && has_cells(now); /* no new fields there */
        tg_value_drop(now);
        if (reads) {
            if (!tg_check_value_of(in, env, target, &now)) return false;
            tg_value_drop(now);
        }
        return blur(in, env, root->name);
    }
    tg_env *home = tg_store_home(in, env, target->name);
    const tg_value *old = tg_env_find(home, target->name);
    const tg_cell *c = old ? tg_value_cell(*old) : NULL;
    if (c && c->kind == TG_CELL_INPUT && !tg_check_give_data(in, c)) {
        tg_value_drop(v);
        return false;
    }
    if (v.tag == TG_V_UNKNOWN)
        return (old && has_cells(*old)) || tg_check_set(in, home, target->name, unknown);
    if (!tg_check_note(in, home, target->name)) {
        tg_value_drop(v);
        return false;
    }
    return tg_store_all(in, env, 1, &target, &v) ||
           (tg_blame(in, target), tg_check_settle(in, env, target));
}

/* Of s the right side with its operator: x += e. */
static bool combined(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *out) {
    tg_value now, side;
    *out = unknown;
    if (!tg_check_value_of(in, env, s->kids[1], &side)) return false;
    bool ok = tg_check_value_of(in, env, s->kids[0], &now);
    if (ok && now.tag != TG_V_UNKNOWN && side.tag != TG_V_UNKNOWN &&
        !tg_operate(in, s, s->op, now, side, out)) {
        *out = unknown;
        ok = tg_check_settle(in, env, s);
    }
    if (ok) tg_value_drop(now);
    tg_value_drop(side);
    return ok;
}

/* Sizes that one statement binds must agree: X[N, ..] and Y[N, ..] of the same length. */
static bool sizes_agree(tg_interp *in, tg_env *env, int n, tg_ast *const *targets,
                        const tg_value *v) {
    tg_size_binding b = {0};
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        tg_type type;
        const char *name = targets[i]->kind == TG_AST_NAME ? targets[i]->name : NULL;
        const tg_value *old = name ? tg_env_find(tg_store_home(in, env, name), name) : NULL;
        const tg_cell *c = old ? tg_value_cell(*old) : NULL;
        if (c && c->kind == TG_CELL_INPUT && tg_check_type(in, v[i], &type) &&
            tg_store_fits(c, type.rank, type.dim)) /* else that is told */
            ok = tg_size_bind(&in->rt, &b, c->name ? c->name : "the input", c->type.rank,
                              c->type.dim, type.rank, type.dim);
    }
    tg_size_binding_free(&b);
    return ok;
}

/* The values as they are stored: worth what they are now. */
static bool compute(tg_interp *in, int n, tg_value *v) {
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        tg_value frozen;
        ok = tg_store_keeps_slope(in, v[i]) && tg_check_has_data(in, v[i]) &&
             tg_check_freeze(in, v[i], &frozen);
        if (!ok) break;
        tg_value_drop(v[i]);
        v[i] = frozen;
    }
    return ok;
}

bool tg_check_store_values(tg_interp *in, tg_env *env, const tg_ast *s, int n,
                           tg_ast *const *targets, tg_value *v) {
    bool ok = true;
    if (!compute(in, n, v) || !sizes_agree(in, env, n, targets, v)) {
        tg_blame(in, s);
        ok = tg_check_settle(in, env, s);
        for (int i = 0; i < n; i++) {
            tg_value_drop(v[i]);
            v[i] = unknown;
        }
    }
    for (int i = 0; i < n; i++) {
        if (ok)
            ok = store_one(in, env, targets[i], v[i]);
        else
            tg_value_drop(v[i]);
    }
    return ok;
}

bool tg_check_store(tg_interp *in, tg_env *env, const tg_ast *s) {
    tg_value *v = tg_alloc_array((size_t)s->ntargets, sizeof *v);
    if (!v) return tg_fail_memory(&in->rt.c);
    bool ok = s->op ? combined(in, env, s, &v[0]) : right_sides(in, env, s, v);
    if (ok)
        ok = tg_check_store_values(in, env, s, s->ntargets, s->kids, v);
    else
        for (int i = 0; i < s->ntargets; i++) tg_value_drop(v[i]);
    tg_free(v);
    return ok;
}
