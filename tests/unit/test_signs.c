/* The bounds that are inferred for formulas, on random formulas over variables of known and unknown
 * sign: every element that is a finite number lies within. And projections keep what is assumed. */
#include "eager.h"

#include "runtime/graph/assume.h"
#include "runtime/graph/print.h"
#include "runtime/graph/rule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static tg_rt rt;

static uint64_t lottery;

static double draw(void) { /* in 0..1: SplitMix64 (Steele et al. 2014) */
    uint64_t z = lottery += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

enum { VARS = 6, SIZE = 4 };

static tg_node *var[VARS];
static const char *const name[VARS] = {"a", "b", "p", "q", "u", "s"};

static tg_node *build(const char *text) {
    tg_rule_name names[VARS];
    for (int i = 0; i < VARS; i++) names[i] = (tg_rule_name){.name = name[i], .node = var[i]};
    tg_node *n = tg_rule_build(&rt, text, VARS, names);
    if (!n) fail_msg("%s: %s", text, rt.c.diag.msg);
    return n;
}

/* a, b of any sign, p > 0, q >= 0, 0 < u < 1, s a symmetric matrix. */
static int open_session(void **state) {
    (void)state;
    lottery = 7;
    if (!tg_rt_init(&rt)) return -1;
    tg_guard_enter(&rt.c);
    for (int i = 0; i < VARS; i++) {
        tg_type type = {.dtype = TG_F64, .rank = i == VARS - 1 ? 2 : 1, .dim = {SIZE, SIZE}};
        tg_tensor *t = tg_tensor_new(&rt.c, TG_F64, type.rank, type.dim);
        for (int64_t k = 0; k < tg_view_count(&t->v); k++) tg_view_set(&t->v, k, 0.5);
        tg_cell *c = tg_cell_new(&rt, TG_CELL_VAR, name[i], &type, t);
        var[i] = tg_node_hold(tg_node_cell(&rt, c));
        tg_cell_drop(c);
        tg_tensor_drop(t);
    }
    static const char *const facts[] = {"p > 0", "q >= 0", "u > 0", "u < 1", "s == s'"};
    uint32_t by;
    for (int i = 0; i < 5; i++)
        if (tg_assume_add(&rt, build(facts[i]), &by) != TG_ASSUME_ADDED)
            fail_msg("%s: %s", facts[i], rt.c.diag.msg);
    return 0;
}

static int close_session(void **state) {
    (void)state;
    for (int i = 0; i < VARS; i++) tg_node_drop(var[i]);
    tg_rt_free(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static void draw_point(void) {
    tg_cell *cell[VARS];
    tg_tensor *value[VARS];
    uint32_t unmet;
    for (int i = 0; i < VARS; i++) {
        cell[i] = var[i]->leaf.cell;
        value[i] = cell[i]->value;
        for (int64_t k = 0; k < tg_view_count(&value[i]->v); k++)
            tg_view_set(&value[i]->v, k, draw() < 0.1 ? 0 : 6 * draw() - 3);
    }
    assert_true(tg_assume_project(&rt, VARS, cell, value, &unmet));
    assert_int_equal(unmet, 0);
}

static const char *const forms[] = {"-x",
                                    "abs(x)",
                                    "exp(x)",
                                    "log(x)",
                                    "sqrt(x)",
                                    "x^2",
                                    "x^3",
                                    "x^-1",
                                    "x^0.5",
                                    "sin(x)",
                                    "tanh(x)",
                                    "sigmoid(x)",
                                    "softmax(x)",
                                    "relu(x)",
                                    "sign(x)",
                                    "floor(x)",
                                    "softplus(x)",
                                    "log1p(x)",
                                    "x + y",
                                    "x - y",
                                    "x * y",
                                    "x / y",
                                    "max(x, y)",
                                    "min(x, y)",
                                    "x + 1",
                                    "2 - x",
                                    "x * x",
                                    "3 * x",
                                    "x - 2",
                                    "clip(x, 0, 1)",
                                    "where(x > y, x, y)",
                                    "expand(sum(x), 4)",
                                    "expand(mean(x), 4)",
                                    "expand(norm(x), 4)",
                                    "expand(max(x), 4)",
                                    "expand(x @ y, 4)",
                                    "expand(x @ x, 4)",
                                    "expand(prod(x), 4)",
                                    "cumsum(x)",
                                    "sort(x)",
                                    "expm1(x)",
                                    "atan(x)",
                                    "x^y",
                                    "unit(x)",
                                    "outer(x, y) @ x",
                                    "tril(outer(x, y)) @ y",
                                    "round(x)",
                                    "ceil(x)",
                                    "cosh(x)",
                                    "gelu(x)"};
enum { FORMS = sizeof forms / sizeof *forms };

static tg_node *random_formula(int depth) {
    if (depth == 0 || draw() < 0.1)
        return draw() < 0.1 ? build("ones(4)") : var[(int)(draw() * (VARS - 1))];
    tg_rule_name names[] = {{.name = "x", .node = random_formula(depth - 1)},
                            {.name = "y", .node = random_formula(depth - 1)}};
    const char *form = forms[(int)(draw() * FORMS)];
    tg_node *n = tg_rule_build(&rt, form, 2, names);
    if (!n) fail_msg("%s: %s", form, rt.c.diag.msg);
    return n;
}

/* Rounding may carry a value a little over a bound, and underflow onto an open one. */
static bool within(tg_bounds r, double x) {
    double room = 1e-9 * (1 + fabs(x));
    return x >= r.lo - room && x <= r.hi + room;
}

/* Was the way to the result one of real numbers? Not with an infinity on it, nor where a part was
 * rounded onto a bound that it does not reach, as exp(-1000) is to 0. */
static bool is_real(const eager *e) {
    for (size_t m = 0; m < e->n; m++) {
        tg_bounds r = tg_bounds_of(&rt, e->node[m], tg_assume_usable(&rt), NULL);
        for (int64_t j = 0; j < tg_view_count(&e->value[m]->v); j++) {
            double x = tg_view_get(&e->value[m]->v, j);
            if (!isfinite(x) || (m + 1 < e->n && within(r, x) && !tg_bounds_has(r, x)))
                return false;
        }
    }
    return true;
}

static void bounds_hold(void **state) {
    (void)state;
    int told = 0, signs = 0;
    enum { FORMULAS = 4000, POINTS = 3 };
    for (int i = 0; i < FORMULAS; i++) {
        tg_node *n = random_formula(1 + i % 4);
        uint32_t used;
        tg_bounds r = tg_bounds_of(&rt, n, tg_assume_usable(&rt), &used);
        told += isfinite(r.lo) || isfinite(r.hi);
        signs += r.lo >= 0 || r.hi <= 0;
        for (int k = 0; k < POINTS; k++) {
            draw_point();
            eager e;
            if (!eager_eval(&rt, n, &e)) {
                tg_clear(&rt.c);
                eager_free(&e);
                continue;
            }
            const tg_view *v = &e.value[e.n - 1]->v;
            bool finite = is_real(&e);
            for (int64_t j = 0; finite && j < tg_view_count(v); j++)
                if (!within(r, tg_view_get(v, j))) {
                    tg_str s = {0};
                    tg_node_print(&rt, &s, n, false);
                    fail_msg("%s is %g, not in %g..%g", tg_str_text(&s), tg_view_get(v, j), r.lo,
                             r.hi);
                }
            eager_free(&e);
        }
        if (i % 500 == 499) tg_graph_collect(&rt, true);
    }
    assert_true(told > FORMULAS / 3 && signs > FORMULAS / 4);
}

static void signs_are_known(void **state) {
    (void)state;
    static const struct {
        const char *a, *op;
        double b;
        int says;
        uint32_t used;
    } rows[] = {
        {"exp(a)", ">", 0, 1, 0},
        {"a^2 + 1", ">=", 1, 1, 0},
        {"a^2", ">", 0, 0, 0},
        {"p", ">", 0, 1, 1},
        {"q", ">", 0, 0, 0},
        {"p * q", ">=", 0, 1, 3},
        {"p * exp(q)", ">", 0, 1, 1},
        {"p + q", ">", 0, 1, 3},
        {"u", "<", 1, 1, 8},
        {"1 - u", ">", 0, 1, 8},
        {"u * (1 - u)", ">", 0, 1, 12},
        {"sigmoid(a)", "<", 1, 1, 0},
        {"softmax(a)", ">=", 0, 1, 0},
        {"norm(a)", ">=", 0, 1, 0},
        {"sum(p)", ">", 0, 1, 1},
        {"mean(abs(a))", ">=", 0, 1, 0},
        {"-p", ">", 0, -1, 1},
        {"sqrt(p) / p", "!=", 0, 1, 1},
        {"a @ a", ">=", 0, 1, 0},
        {"a @ b", ">=", 0, 0, 0},
        {"log(u)", "<", 0, 1, 8},
        {"p^-2", ">", 0, 1, 0},
        {"max(a, 1)", ">=", 1, 1, 0},
        {"relu(a) + p", ">", 0, 1, 1},
        {"exp(-q)", "<=", 1, 1, 2},
        {"a - a", "==", 0, 1, 0},
        {"where(a > 0, p, u)", ">", 0, 1, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t used;
        int says = tg_prove(&rt, rows[i].op, build(rows[i].a), tg_node_number(&rt, rows[i].b),
                            tg_assume_usable(&rt), &used);
        if (says != rows[i].says || used != (says ? rows[i].used : 0))
            fail_msg("%s %s %g: %d by %u", rows[i].a, rows[i].op, rows[i].b, says, used);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signs_are_known, open_session, close_session),
        cmocka_unit_test_setup_teardown(bounds_hold, open_session, close_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
