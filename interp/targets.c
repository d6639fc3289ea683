/* Targets. A function is called on fresh variables with the names of its arguments; the one that x
 * is given for holds x, so that data can be checked at. A function with elements as a result is
 * taken as their sum, as f' is. */
#include "interp/targets.h"
#include "base/alloc.h"
#include "interp/convert.h"

#include <stdio.h>
#include <string.h>

/* By which the user called the i-th target: its own name, or else what was written. */
static const char *name_of(const tg_node *x, const tg_ast *ast, size_t i) {
    const char *name = tg_node_name(x);
    if (name) return name;
    if (ast && ast->kind == TG_AST_BRACKET) ast = i < (size_t)ast->n ? ast->kids[i] : NULL;
    return ast && ast->kind == TG_AST_NAME ? ast->name : "x";
}

static bool name_all(tg_interp *in, tg_targets *t, const tg_ast *ast) {
    t->x_name = tg_alloc_array(t->n, sizeof *t->x_name);
    if (!t->x_name) return tg_fail_memory(&in->rt.c);
    for (size_t i = 0; i < t->n; i++) t->x_name[i] = name_of(t->x[i], ast, i);
    return true;
}

static bool add(tg_interp *in, tg_value v, void *user, tg_value *out) {
    tg_targets *t = user;
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "a derivative is taken with respect to a var, an input or a named formula, not %s",
                tg_value_kind(v));
        return tg_help(&in->rt.c, "make it a variable: x = var(...)");
    }
    if (!tg_grow((void **)&t->x, &t->cap, t->n + 1, sizeof *t->x)) return tg_fail_memory(&in->rt.c);
    t->x[t->n++] = v.as.node;
    return true;
}

int tg_function_arity(tg_value f) {
    int n = 0;
    if (f.tag == TG_V_OP) {
        while (f.as.op->param[n].name && f.as.op->param[n].kind == TG_P_TENSOR) n++;
        return n;
    }
    if (f.tag != TG_V_FUNCTION) return -1;
    const tg_function *g = f.as.function;
    while (g->primal) g = g->primal;
    if (!g->def) return tg_function_arity(g->native);
    while (n < g->def->n - 1 && (g->def->kids[n]->n == 0 || !g->def->kids[n]->kids[0])) n++;
    return n;
}

const char *tg_function_parameter(tg_value f, int i) {
    if (f.tag == TG_V_OP) return f.as.op->param[i].name;
    const tg_function *g = f.as.function;
    while (g->primal) g = g->primal;
    return g->def ? g->def->kids[i]->name : tg_function_parameter(g->native, i);
}

/* A variable with that name, holding the tensor (NULL: a number to come). */
static bool variable(tg_interp *in, const char *name, tg_tensor *value, tg_value *out) {
    const char *own = tg_intern(&in->rt.c, name, strlen(name));
    tg_type type = {.dtype = TG_F64};
    if (value) {
        type.rank = value->v.rank;
        memcpy(type.dim, value->v.dim, sizeof type.dim);
    }
    tg_cell *c = own ? tg_cell_new(&in->rt, TG_CELL_VAR, own, &type, value) : NULL;
    tg_node *n = c ? tg_node_cell(&in->rt, c) : NULL;
    tg_cell_drop(c);
    if (n) *out = tg_value_formula(n, 0);
    return n || (!own && tg_fail_memory(&in->rt.c));
}

bool tg_function_apply(tg_interp *in, tg_value f, int n, const tg_value *value, tg_value *out) {
    tg_argument arg[8] = {{0}};
    for (int i = 0; i < n; i++) arg[i].value = value[i];
    return tg_call_value(in, f, n, arg, out);
}

bool tg_function_variables(tg_interp *in, const char *what, tg_value f, const tg_argument *x,
                           int *n, tg_value *made) {
    *n = tg_function_arity(f);
    if (*n < 1 || *n > TG_MOST_PARAMETERS) {
        int wanted = *n;
        *n = 0;
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       "%s takes functions of 1 to %d arguments that are written in tg, or "
                       "operations%s",
                       what, TG_MOST_PARAMETERS, wanted == 0 ? "; this one has none" : "");
    }
    int count = *n;
    for (*n = 0; *n < count; ++*n) {
        tg_tensor *t = NULL, *wide = NULL;
        bool given = x && x->ast && *n == 0;
        bool ok = !given || tg_to_tensor(in, x->value, "the argument", &t);
        if (ok && t) ok = (wide = tg_tensor_convert(&in->rt.c, &t->v, TG_F64)) != NULL;
        ok = ok && variable(in, tg_function_parameter(f, *n), wide, &made[*n]);
        tg_tensor_drop(t);
        tg_tensor_drop(wide);
        if (!ok) return false;
    }
    return true;
}

static bool from_function(tg_interp *in, const char *what, tg_value f, const tg_argument *x,
                          tg_targets *t) {
    if (!tg_function_variables(in, what, f, x, &t->nmade, t->made)) return false;
    if (!tg_function_apply(in, f, t->nmade, t->made, &t->y_value)) return false;
    tg_value ignored;
    for (int i = 0; i < t->nmade; i++)
        if (!add(in, t->made[i], t, &ignored)) return false;
    if (!tg_is_live(t->y_value))
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       "the function's value does not depend on its "
                       "argument");
    if (!tg_to_node(in, t->y_value, "the function's value", &t->y)) return false;
    if (t->y->type.rank > 0) {
        t->y = tg_node_call1(&in->rt, "sum", t->y);
        if (!t->y) return false;
        tg_value sum = tg_value_formula(t->y, t->y_value.assumed);
        tg_value_drop(t->y_value);
        t->y_value = sum;
    }
    const char *name = f.tag == TG_V_FUNCTION ? f.as.function->name
                       : f.tag == TG_V_OP     ? f.as.op->name
                                              : NULL;
    snprintf(t->name, sizeof t->name, "%s", name ? name : "f");
    return name_all(in, t, NULL);
}

bool tg_targets_taken(tg_interp *in, const char *name) {
    const char *own = tg_intern(&in->rt.c, name, strlen(name));
    return own && tg_lookup(in, in->globals, own) != NULL;
}

/* A name for y that nothing else has: neither of the user's nor in the formula. */
static bool name_result(tg_interp *in, tg_targets *t) {
    static const char *const usual[] = {"y", "z", "f", "q", "s"};
    enum { USUAL = sizeof usual / sizeof *usual };
    const char *name = tg_node_name(t->y);
    tg_node **node;
    size_t count;
    if (name) {
        snprintf(t->name, sizeof t->name, "%s", name);
        return true;
    }
    if (!tg_node_collect(&in->rt, 1, &t->y, &node, &count)) return false;
    bool used = true;
    for (int i = 0; used; i++) {
        const char *one = usual[i % USUAL];
        snprintf(t->name, sizeof t->name, i < USUAL ? "%s" : "%s%d", one, i / USUAL);
        used = tg_targets_taken(in, t->name);
        for (size_t k = 0; k < t->n && !used; k++) used = strcmp(t->x_name[k], t->name) == 0;
        for (size_t k = 0; k < count && !used; k++) {
            const char *own = tg_node_name(node[k]);
            used = own && strcmp(own, t->name) == 0;
        }
    }
    tg_free(node);
    return true;
}

bool tg_targets_find(tg_interp *in, const char *what, const tg_argument *y, const tg_argument *x,
                     tg_targets *t) {
    *t = (tg_targets){.y_value = TG_NONE_VALUE};
    if (tg_value_is_function(y->value)) return from_function(in, what, y->value, x, t);
    if (!x->ast && x->value.tag == TG_V_NONE) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s needs the variable to differentiate by", what);
        return tg_help(&in->rt.c, "%s(y, x), %s(y, [a, b]), or %s(f) for a function f", what, what,
                       what);
    }
    if (!tg_is_live(y->value)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "the first argument is %s, not a formula: it does not depend on any variable",
                tg_value_kind(y->value));
        return tg_help(&in->rt.c, "define it with = over vars or inputs: x = var(2); y = x^2");
    }
    if (!tg_to_node(in, y->value, "the formula", &t->y)) return false;
    t->y_value = tg_value_formula(t->y, y->value.tag == TG_V_FORMULA ? y->value.assumed : 0);
    tg_value skeleton = TG_NONE_VALUE;
    bool ok = tg_map_leaves(in, x->value, add, t, &skeleton);
    tg_value_drop(skeleton);
    return ok && name_all(in, t, x->ast) && name_result(in, t);
}

bool tg_targets_scalar(tg_interp *in, const char *what, const tg_targets *t) {
    const tg_type *type = &t->y->type;
    if (type->rank == 0) return true;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "%s needs a scalar, and {0} has the shape %s", what,
            tg_shape_text(&in->rt, type->rank, type->dim));
    return tg_help(&in->rt.c,
                   "%s(sum({0}), {1}) for the sum of its elements; jacobian({0}, {1}) is the "
                   "derivatives of all of them",
                   what);
}

void tg_targets_free(tg_targets *t) {
    for (int i = 0; i < t->nmade; i++) tg_value_drop(t->made[i]);
    tg_value_drop(t->y_value);
    tg_free(t->x);
    tg_free(t->x_name);
    *t = (tg_targets){0};
}
