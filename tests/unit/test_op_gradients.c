/* Tests of all gradient rules, generated from the registry: along random directions the derivative
 * of <v, f(x)> agrees with central differences, and so does that of <w, gradient>, which is the
 * rule differentiated once more. Where a record says that the derivative is zero, the differences
 * are; where it has no rule, differentiating is refused with its name. A record with arguments for
 * which nothing of this could be checked fails.
 *
 * Differences are taken to fourth order, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h, in double:
 * with h = 1e-3 truncation and rounding are both near 1e-12 of the values. Where the operation
 * itself rounds to single, h = 1/32 keeps rounding near 1e-6. */
#include "op_cases.h"

#include <stddef.h>

static double step, slack; /* of the case at hand: h, and what tolerances are multiplied by */

static void choose_step(const world *w) {
    bool single = w->root->type.dtype == TG_F32;
    step = single ? 0x1p-5 : 1e-3;
    slack = single ? 100 : 1;
}

/* ---- helpers on formulas ---- */

static tg_node *random_const(world *w, const tg_type *type) {
    tg_tensor *t = tg_tensor_new(&w->rt.c, TG_F64, type->rank, type->dim);
    if (!t) return NULL;
    for (int64_t i = 0; i < tg_view_count(&t->v); i++) tg_view_set(&t->v, i, 2 * draw() - 1);
    tg_node *n = tg_node_const(&w->rt, t, NULL);
    tg_tensor_drop(t);
    return n;
}

/* <v, y> for a random v, the same on each call with equal `lottery`. */
static tg_node *inner(world *w, tg_node *y) {
    tg_node *v = random_const(w, &y->type);
    tg_node *vy = v ? tg_node_call2(&w->rt, "mul", v, y) : NULL;
    return vy ? tg_node_call1(&w->rt, "sum", vy) : NULL;
}

static bool eval_number(world *w, tg_node *n, double *out) {
    tg_tensor *t = NULL;
    if (!tg_plan_eval(&w->rt, 1, &n, &t)) return false;
    *out = tg_view_get(&t->v, 0);
    tg_tensor_drop(t);
    return true;
}

static bool difference(world *w, tg_node *f, int i, const double *u, double *out) {
    static const double at[] = {1, -1, 2, -2}, weight[] = {8, -8, -1, 1};
    *out = 0;
    for (int k = 0; k < 4; k++) {
        double y;
        store_values(w, i, at[k] * step, u);
        if (!eval_number(w, f, &y)) return false;
        *out += weight[k] * y / (12 * step);
    }
    store_values(w, -1, 0, NULL);
    return true;
}

/* <gradient, u> */
static bool along(world *w, tg_node *g, int i, const double *u, double *out) {
    tg_tensor *t = NULL;
    if (!tg_plan_eval(&w->rt, 1, &g, &t)) return false;
    bool fits = tg_view_count(&t->v) == w->count[i];
    *out = 0;
    for (int64_t k = 0; fits && k < w->count[i]; k++) *out += u[k] * tg_view_get(&t->v, k);
    tg_tensor_drop(t);
    return fits ||
           tg_fail(&w->rt.c, TG_ERR_SHAPE, "the gradient has another shape than its argument");
}

static bool is_float_leaf(const world *w, int i) {
    return w->leaf[i]->type.dtype == TG_F64;
}

/* ---- the checks ---- */

/* Gradients g[i] of the scalar f against differences. */
static void compare(report *r, world *w, tg_node *f, tg_node *const *g, double tolerance,
                    const char *order) {
    for (int i = 0; i < w->c.n; i++) {
        if (!is_float_leaf(w, i)) continue;
        double u[512], a, b;
        for (int64_t k = 0; k < w->count[i] && k < 512; k++) u[k] = 2 * draw() - 1;
        if (!along(w, g[i], i, u, &a) || !difference(w, f, i, u, &b)) {
            complain(r, w, "evaluation fails", w->rt.c.diag.msg);
            fprintf(stderr, "%s", w->rt.c.diag.notes);
            tg_clear(&w->rt.c);
        } else if (!close_to(a, b, slack * tolerance)) {
            char text[160];
            snprintf(text, sizeof text, "%s of %s: %.12g by the rule, %.12g by differences", order,
                     w->c.leaf[i].name, a, b);
            complain(r, w, "the gradient is wrong", text);
        }
    }
}

/* The gradients of f; on failure a complaint. */
static bool gradients(report *r, world *w, tg_node *f, bool simplify, tg_node **g) {
    const tg_grad_options opt = {.simplify = simplify};
    if (tg_grad(&w->rt, f, w->c.n, w->leaf, &opt, g, NULL)) return true;
    complain(r, w, "no gradient", w->rt.c.diag.msg);
    tg_clear(&w->rt.c);
    return false;
}

static void check_orders(report *r, world *w, bool simplify) {
    tg_node *g[MOST_LEAVES], *h[MOST_LEAVES], *f = inner(w, w->root), *second = NULL;
    if (!f || !gradients(r, w, f, simplify, g)) return;
    compare(r, w, f, g, 1e-6, simplify ? "order 1, simplified," : "order 1");
    for (int i = 0; i < w->c.n; i++) {
        tg_node *part = inner(w, g[i]);
        second = second && part ? tg_node_call2(&w->rt, "add", second, part) : part;
    }
    if (!second || !gradients(r, w, second, simplify, h)) return;
    compare(r, w, second, h, 1e-4, simplify ? "order 2, simplified," : "order 2");
}

/* A missing rule must be an error that names the operation. */
static bool refused_by_name(report *r, world *w) {
    tg_node *g[MOST_LEAVES], *f = inner(w, w->root);
    const tg_grad_options opt = {0};
    if (f && tg_grad(&w->rt, f, w->c.n, w->leaf, &opt, g, NULL)) {
        complain(r, w, "has no rule, but can be differentiated", NULL);
    } else {
        const char *name = r->op->shown ? r->op->shown : r->op->name;
        if (!strstr(w->rt.c.diag.msg, name))
            complain(r, w, "the error does not name it", w->rt.c.diag.msg);
    }
    tg_clear(&w->rt.c);
    return true;
}

/* Has some tensor argument no rule? Only then may differentiating be refused. */
static bool lacks_rule(const tg_op *op) {
    for (int i = 0; op->param[i].name; i++)
        if ((op->param[i].kind == TG_P_TENSOR || op->param[i].kind == TG_P_LIST) &&
            i < TG_MAX_TENSORS && !op->grad[i])
            return true;
    return false;
}

/* What stops derivatives has none, and none of second order. */
static void check_stops(report *r, world *w) {
    tg_node *g[MOST_LEAVES], *f = inner(w, w->root);
    if (!f || !gradients(r, w, f, false, g)) return;
    for (int i = 0; i < w->c.n; i++) {
        tg_tensor *t = NULL;
        bool zero = tg_plan_eval(&w->rt, 1, &g[i], &t);
        for (int64_t k = 0; zero && k < tg_view_count(&t->v); k++)
            zero = tg_view_get(&t->v, k) == 0;
        tg_tensor_drop(t);
        if (!zero) complain(r, w, "passes a derivative", NULL);
    }
}

static void check_record(void **state) {
    report r = {.op = *state};
    size_t blocks = tg_alloc_get_stats().live_blocks;
    op_case cases[MOST_CASES];
    int n = list_cases(r.op, cases), checked = 0;
    bool has_arguments = r.op->param[0].name &&
                         (r.op->param[0].kind == TG_P_TENSOR || r.op->param[0].kind == TG_P_LIST);
    for (int i = 0; i < n; i++) {
        world w;
        if (cases[i].n == 0) continue;
        if (!world_open(&w) || !world_build(&w, &cases[i], 0, TG_F64)) {
            complain(&r, &w, "cannot be built", w.rt.c.diag.msg);
        } else if (lacks_rule(r.op)) {
            checked += refused_by_name(&r, &w);
        } else if (r.op->stops) {
            check_stops(&r, &w);
            checked++;
        } else {
            choose_step(&w);
            check_orders(&r, &w, false);
            check_orders(&r, &w, true);
            checked++;
        }
        world_close(&w);
    }
    if (has_arguments && checked == 0) complain(&r, NULL, "nothing was checked", NULL);
    if (!has_arguments && r.op->class != TG_CLASS_CREATE && r.op->class != TG_CLASS_RANDOM)
        complain(&r, NULL, "has no tensor arguments, but is neither created nor drawn", NULL);
    assert_int_equal(tg_alloc_get_stats().live_blocks, blocks);
    assert_int_equal(r.failures, 0);
}

int main(void) {
    return test_each_record("op_gradients", check_record);
}
