/* rebind(x): formulas that mean what x was mean what it is.
 *
 * A formula is made of nodes, not of names: after x = var(3) a second time, y = x^2 still means the
 * first x. That var knows what it was called (define.c), so the formulas under the user's names
 * that read it can be told, and made anew with the leaf exchanged. This is right for one of the
 * same type and shape only: what a gradient or a mean was made of depends on the shape. All new
 * formulas are there before the first name is given one. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/module.h"
#include "interp/store.h"
#include "runtime/graph/substitute.h"

#include <string.h>

typedef struct rebinding {
    tg_node **from, **to; /* leaves of what the name was, and what stands for each */
    size_t n, cap, cap_to;
    bool changed; /* by the last value looked at */
} rebinding;

static bool add_leaf(tg_interp *in, rebinding *r, tg_node *from, tg_node *to) {
    void *p = r->from, *q = r->to;
    bool ok = tg_grow(&p, &r->cap, r->n + 1, sizeof(tg_node *));
    r->from = p;
    ok = ok && tg_grow(&q, &r->cap_to, r->n + 1, sizeof(tg_node *));
    r->to = q;
    if (!ok) return tg_fail_memory(&in->rt.c);
    r->from[r->n] = from;
    r->to[r->n++] = to;
    return true;
}

/* v with the leaves exchanged; *out owned. */
static bool exchange(tg_interp *in, tg_value v, void *user, tg_value *out) {
    rebinding *r = user;
    bool reads = false;
    *out = tg_value_hold(v);
    if (v.tag != TG_V_FORMULA) return true;
    for (size_t i = 0; i < r->n; i++)
        reads = reads || tg_node_depends(&in->rt, v.as.node, r->from[i]);
    tg_node *n = v.as.node;
    if (reads) n = tg_node_substitute_all(&in->rt, n, (int)r->n, r->from, r->to);
    if (!n || in->rt.c.diag.kind != TG_ERR_NONE) {
        tg_value_drop(*out);
        *out = TG_NONE_VALUE;
        return false;
    }
    if (!reads) return true;
    r->changed = true;
    tg_value made = v, now;
    made.as.node = tg_node_hold(n);
    tg_value_drop(*out);
    *out = made;
    if (n->live) return true;
    bool ok = tg_value_now(in, made, &now);
    tg_value_drop(made);
    *out = ok ? now : TG_NONE_VALUE;
    return ok;
}

static bool same_type(tg_interp *in, const char *name, const tg_type *was, const tg_type *is) {
    if (was->dtype == is->dtype && tg_shape_equal(was->rank, was->dim, is->rank, is->dim))
        return true;
    tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s was of shape %s (%s), and is of shape %s (%s)", name,
            tg_shape_text(&in->rt, was->rank, was->dim), tg_dtype_name(was->dtype),
            tg_shape_text(&in->rt, is->rank, is->dim), tg_dtype_name(is->dtype));
    return tg_help(&in->rt.c, "formulas can be made anew only for the same; enter them again");
}

/* The vars and inputs that had the name. */
static bool find_leaves(tg_interp *in, const char *name, tg_value now, rebinding *r) {
    tg_node *to = NULL;
    for (tg_cell *c = tg_cell_newest(&in->rt); c; c = tg_cell_before(&in->rt, c)) {
        if (c->was != name || c->name || !c->leaf || c == tg_value_cell(now)) continue;
        if (!to && !tg_to_node(in, now, name, &to)) return false;
        tg_type type = to->type;
        if (type.weak) { /* a plain number is of any float type */
            type.weak = false;
            type.dtype = c->type.dtype;
        }
        if (!same_type(in, name, &c->type, &type) || !add_leaf(in, r, c->leaf, to)) return false;
    }
    return true;
}

/* The new values, for the names that have any; *changed of so many. */
static bool make_values(tg_interp *in, const char *name, rebinding *r, tg_value *made, size_t n,
                        size_t *changed) {
    for (size_t i = 0; i < n; i++) {
        const struct tg_binding *b = &in->globals->items[i];
        if (!b->name || b->name == name || !tg_is_live(b->value)) continue;
        r->changed = false;
        if (!tg_map_leaves(in, b->value, exchange, r, &made[i])) return false;
        if (r->changed) {
            ++*changed;
        } else {
            tg_value_drop(made[i]);
            made[i] = TG_NONE_VALUE;
        }
    }
    return true;
}

static bool bind_all(tg_interp *in, tg_value *made, size_t n) {
    tg_str said = {0};
    bool ok = tg_env_reserve(in->globals, 1) || tg_fail_memory(&in->rt.c);
    for (size_t i = 0; ok && i < n; i++) {
        const char *name = in->globals->items[i].name;
        if (made[i].tag == TG_V_NONE) continue;
        const tg_value v = made[i];
        made[i] = TG_NONE_VALUE;
        if (tg_module_names_answer(name)) {
            tg_env_set(in->globals, name, v);
            continue;
        }
        const tg_ast target = {.kind = TG_AST_NAME, .name = name};
        tg_str_addf(&said, "%s%s", said.len ? ", " : "made anew: ", name);
        ok = tg_define(in, in->globals, &target, v);
    }
    tg_str_addc(&said, '\n');
    if (ok && !said.failed) tg_write(in, tg_str_text(&said), said.len);
    tg_str_free(&said);
    return ok;
}

static bool run_rebind(tg_interp *in, int nargs, const tg_argument *args, tg_value *out) {
    (void)nargs;
    const tg_ast *e = args[0].ast;
    rebinding r = {0};
    size_t changed = 0;
    *out = TG_NONE_VALUE;
    if (!e || e->kind != TG_AST_NAME || !tg_env_find(in->globals, e->name)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "rebind wants a name of yours");
        return tg_help(&in->rt.c, "rebind(x): formulas that mean what x was mean what it is");
    }
    const size_t n = in->globals->n;
    tg_value *made = tg_alloc_array(n, sizeof *made);
    bool ok = (made || tg_fail_memory(&in->rt.c)) &&
              find_leaves(in, e->name, *tg_env_find(in->globals, e->name), &r) &&
              make_values(in, e->name, &r, made, n, &changed);
    if (ok && changed == 0)
        ok = tg_fail(&in->rt.c, TG_ERR_VALUE, "no formula means an earlier %s", e->name);
    ok = ok && bind_all(in, made, n);
    for (size_t i = 0; made && i < n; i++) tg_value_drop(made[i]);
    tg_free(made);
    tg_free(r.from);
    tg_free(r.to);
    return ok;
}

const tg_builtin tg_builtins_rebind[] = {
    {"rebind", "rebind(x)",
     "Formulas that still mean an earlier x, from before it was defined again, mean the one of "
     "now. "
     "Its type and shape must be the same. Says which names they have.",
     "x = var(2); y = x^2; x = var(3); rebind(x); value(y)", "...", run_rebind, false, false},
    {0},
};
