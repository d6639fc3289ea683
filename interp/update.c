/* Variables updated by formulas, the statement that training consists of:
 *
 *     W, b := W - rate*gW, b - rate*gb
 *
 * Each target is a var, and each right side a formula of its type and shape. Then nothing is left
 * to be checked once the values are there, as store.c must for other targets, and the runtime may
 * compute them in the place of the old ones (runtime/plan/update.c). Where it has done so, all of
 * them are finite; else they are looked at, as the values of any other `:=`.
 *
 * What a function stores while it is being differentiated or mapped would lose what it is made of:
 * that is refused here too. */
#include "interp/store.h"

#include "interp/convert.h"
#include "interp/nonfinite.h"
#include "interp/watch.h"
#include "runtime/graph/assume.h"
#include "runtime/plan/plan.h"

/* The var that the target names; NULL: it is something else. */
static tg_cell *updated_cell(tg_interp *in, tg_env *env, const tg_ast *target) {
    if (target->kind != TG_AST_NAME) return NULL;
    const struct tg_binding *b = tg_env_binding(tg_store_home(in, env, target->name), target->name);
    tg_cell *c = b && !b->alias ? tg_value_cell(b->value) : NULL;
    return c && c->kind == TG_CELL_VAR ? c : NULL;
}

static bool fits(const tg_cell *c, const tg_node *n) {
    return c->value && c->type.dtype == n->type.dtype && tg_type_same_shape(&c->type, &n->type);
}

bool tg_store_is_update(tg_interp *in, tg_env *env, const tg_ast *s, const tg_value *side,
                        tg_cell *cell[TG_MOST_UPDATED], tg_node *node[TG_MOST_UPDATED]) {
    int n = s->ntargets;
    if (s->n != 2 * n || n > TG_MOST_UPDATED || tg_assume_in_force(&in->rt)) return false;
    for (int i = 0; i < n; i++) {
        cell[i] = updated_cell(in, env, s->kids[i]);
        if (!cell[i] || side[i].tag != TG_V_FORMULA || !fits(cell[i], side[i].as.node))
            return false;
        for (int k = 0; k < i; k++)
            if (cell[k] == cell[i]) return false;
        node[i] = side[i].as.node;
    }
    return true;
}

bool tg_store_update(tg_interp *in, tg_env *env, const tg_ast *s, tg_value sides, bool *done) {
    tg_cell *cell[TG_MOST_UPDATED];
    tg_node *node[TG_MOST_UPDATED];
    tg_tensor *value[TG_MOST_UPDATED] = {0};
    int n = s->ntargets;
    tg_value values;
    *done = tg_store_is_update(in, env, s, sides.as.items->v, cell, node);
    if (!*done) return true;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, n, &values)) return false;
    bool ok =
        tg_watch_look(in, n, node, 0, NULL, NULL) && tg_plan_update(&in->rt, n, node, cell, value);
    bool in_place = false; /* then all are known to be finite */
    for (int i = 0; ok && i < n; i++) {
        in_place = in_place || value[i] == cell[i]->value;
        values.as.items->v[i] = tg_value_tensor(tg_tensor_hold(value[i]));
    }
    ok = ok && (in_place || tg_nonfinite_stored(in, env, s, sides, values));
    for (int i = 0; i < n; i++) {
        tg_tensor *old = ok ? cell[i]->value : value[i];
        if (ok) {
            cell[i]->value = value[i];
            cell[i]->version++;
        }
        tg_tensor_drop(old);
    }
    tg_value_drop(values);
    return ok;
}

bool tg_store_keeps_slope(tg_interp *in, tg_value v) {
    for (int i = 0; in->slot && tg_is_container(v) && i < v.as.items->n; i++)
        if (!tg_store_keeps_slope(in, v.as.items->v[i])) return false;
    for (const tg_slot_var *s = in->slot; s && v.tag == TG_V_FORMULA; s = s->outer)
        if (tg_node_depends(&in->rt, v.as.node, s->node)) {
            if (s->mapped)
                tg_fail(&in->rt.c, TG_ERR_DATA,
                        "vmap calls the function once for all, and there is no value to store");
            else
                tg_fail(&in->rt.c, TG_ERR_TYPE,
                        "the function being differentiated stores a number here, and loses the "
                        "slope");
            return tg_help(&in->rt.c, "= keeps the formula: s = s + x, not s += x or s := s + x");
        }
    return in->rt.c.diag.kind == TG_ERR_NONE;
}
