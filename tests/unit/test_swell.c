/* How the simplifier grows with what it is given. Large graphs take a number of steps that grows as
 * they do; the derivatives of a deep network stay bounded from order to order; and no formula,
 * however it is nested, keeps it busy: it has a budget, and says so when it meets it. Steps and
 * node counts are asserted; times are only printed. */
#include "runtime/rt.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static tg_rt rt;

static int setup(void **state) {
    (void)state;
    if (!tg_rt_init(&rt)) return -1;
    tg_guard_enter(&rt.c);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    tg_rt_free(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

/* Milliseconds of this process's own time. */
static double now(void) {
    return 1e3 * (double)clock() / CLOCKS_PER_SEC;
}

static tg_node *variable(const char *name, int rank, tg_size rows, tg_size columns) {
    tg_type t = {.dtype = TG_F64, .rank = rank, .dim = {rows, columns}};
    tg_cell *c = tg_cell_new(&rt, TG_CELL_VAR, tg_intern(&rt.c, name, strlen(name)), &t, NULL);
    assert_non_null(c);
    tg_node *n = tg_node_hold(tg_node_cell(&rt, c));
    tg_cell_drop(c);
    return n;
}

static tg_node *call(const char *op, tg_node *a, tg_node *b) {
    tg_node *n = b ? tg_node_call2(&rt, op, a, b) : tg_node_call1(&rt, op, a);
    if (!n) fail_msg("%s: %s", op, rt.c.diag.msg);
    return n;
}

/* ---- large graphs ---- */

/* A residual chain, h + tanh(a * h + i), whose every step is used twice. */
static tg_node *residual(tg_node *x, tg_node *a, int nodes) {
    for (int i = 0; i < nodes / 4; i++)
        x = call("add", x,
                 call("tanh", call("add", call("mul", a, x), tg_node_number(&rt, i)), NULL));
    return x;
}

/* A sum of different products. */
static tg_node *sum(tg_node *x, tg_node *a, int nodes) {
    tg_node *all = x;
    for (int i = 0; i < nodes / 5; i++) {
        tg_node *k = tg_node_number(&rt, i + 0.5);
        all = call("add", all,
                   call("mul", call("sin", call("mul", k, x), NULL),
                        call("mul", a, call("cos", call("mul", x, k), NULL))));
    }
    return all;
}

/* exp(-x * x * ... ) nested, products of calls. */
static tg_node *tower(tg_node *x, tg_node *a, int nodes) {
    tg_node *t = x;
    for (int i = 0; i < nodes / 4; i++)
        t = call("mul", call("exp", call("neg", t, NULL), NULL), call("add", t, a));
    return t;
}

static void steps_grow_as_the_graph(void **state) {
    (void)state;
    static const int sizes[] = {1000, 2000, 4000, 10000};
    tg_node *(*const make[])(tg_node *, tg_node *, int) = {residual, sum, tower};
    static const char *const names[] = {"residual chain", "sum of products", "nested products"};
    tg_node *x = variable("x", 0, 0, 0), *a = variable("a", 0, 0, 0);
    for (size_t k = 0; k < 3; k++) {
        double first = 0;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            tg_node *n = make[k](x, a, sizes[i]), *g;
            double begin = now();
            assert_non_null(tg_simplify(&rt, n, NULL));
            double middle = now(), steps = (double)tg_simplify_steps(&rt) / sizes[i];
            tg_str met = {0};
            assert_false(tg_simplify_budget_met(&rt, &met));
            tg_str_free(&met);
            assert_true(tg_grad(&rt, n, 1, &x, NULL, &g, NULL));
            print_message("%-16s %6d nodes: %6.2f ms, %5.2f steps a node; its gradient %7.2f ms, "
                          "%zu operations\n",
                          names[k], sizes[i], middle - begin, steps, now() - middle,
                          tg_node_ops(&rt, g));
            if (i == 0) first = steps;
            assert_true(steps <= 1.5 * first + 1);
            assert_true(tg_node_ops(&rt, g) < 4 * (size_t)sizes[i]);
            tg_graph_collect(&rt, true);
        }
    }
    tg_node_drop(x);
    tg_node_drop(a);
}

/* ---- derivatives of derivatives ---- */

/* sum(h^2) of a network of five layers, then twice the sum of the squares of its gradient by W1. */
static void orders_stay_bounded(void **state) {
    (void)state;
    enum { LAYERS = 5, ORDERS = 3 };
    static const size_t most[ORDERS] = {80, 200, 700};
    static const char *const names[LAYERS] = {"W1", "W2", "W3", "W4", "W5"};
    tg_size N = tg_size_symbol(&rt, tg_intern(&rt.c, "N", 1));
    tg_node *X = variable("X", 2, N, 8), *W[LAYERS], *h = X, *g[LAYERS];
    for (int i = 0; i < LAYERS; i++) {
        W[i] = variable(names[i], 2, 8, 8);
        h = call("tanh", call("matmul", h, W[i]), NULL);
    }
    const tg_rule_name name = {.name = "h", .node = h};
    tg_node *y = tg_rule_build(&rt, "sum(h^2)", 1, &name);
    for (int order = 0; order < ORDERS; order++) {
        double begin = now();
        assert_true(tg_grad(&rt, y, LAYERS, W, NULL, g, NULL));
        size_t ops = 0;
        tg_node *all = NULL;
        for (int i = 0; i < LAYERS; i++) {
            tg_rule_name one = {.name = "g", .node = g[i]};
            tg_node *square = tg_rule_build(&rt, "sum(g^2)", 1, &one);
            assert_non_null(square);
            all = all ? call("add", all, square) : square;
        }
        ops = tg_node_ops(&rt, all);
        print_message("order %d: %zu operations in the squares of all five gradients, %.1f ms\n",
                      order + 1, ops, now() - begin);
        assert_true(ops <= most[order]);
        y = all;
    }
    tg_node_drop(X);
    for (int i = 0; i < LAYERS; i++) tg_node_drop(W[i]);
}

/* ---- what is nested on purpose ---- */

static void settles(const char *what, tg_node *n) {
    tg_str met = {0};
    double begin = now();
    if (!tg_simplify(&rt, n, NULL)) fail_msg("%s: %s", what, rt.c.diag.msg);
    double ms = now() - begin;
    bool spent = tg_simplify_budget_met(&rt, &met);
    print_message("%-28s %8.1f ms, %8llu steps%s%s\n", what, ms,
                  (unsigned long long)tg_simplify_steps(&rt), spent ? ": " : "", tg_str_text(&met));
    assert_true(tg_simplify_steps(&rt) < 3000000);
    tg_str_free(&met);
    tg_graph_collect(&rt, true);
}

static void nothing_hangs(void **state) {
    (void)state;
    enum { DEEP = 2000 };
    tg_node *x = variable("x", 0, 0, 0), *a = variable("a", 0, 0, 0), *A = variable("A", 2, 3, 3),
            *n = x;
    for (int i = 0; i < DEEP; i++) n = call("mul", n, call("add", x, tg_node_number(&rt, i)));
    settles("a product of sums", n);
    n = x;
    for (int i = 0; i < DEEP; i++) n = call(i % 2 ? "mul" : "add", n, i % 3 ? x : a);
    settles("+ and * by turns", n);
    n = x;
    for (int i = 0; i < DEEP; i++) n = call("pow", x, n);
    settles("x^(x^(x^...))", n);
    n = x;
    for (int i = 0; i < DEEP; i++) n = call("pow", call("add", n, a), tg_node_number(&rt, 2));
    settles("squares of sums", n);
    n = x;
    for (int i = 0; i < 200; i++)
        n = call("sub", call("mul", n, n), call("mul", call("add", n, a), call("sub", n, a)));
    settles("n * n - (n + a) * (n - a)", n);
    n = A;
    for (int i = 0; i < 400; i++) n = call("add", call("matmul", A, n), call("transpose", n, NULL));
    settles("A @ n + n'", n);
    n = A;
    for (int i = 0; i < 400; i++)
        n = call("transpose", call("matmul", n, call("transpose", n, NULL)), NULL);
    settles("(n @ n')'", n);
    n = x;
    for (int i = 0; i < DEEP; i++)
        n = call("div", call("add", n, x), call("sub", n, call("mul", a, tg_node_number(&rt, i))));
    settles("quotients of sums", n);
    n = x;
    for (int i = 0; i < DEEP; i++)
        n = call("log", call("add", tg_node_number(&rt, 1), call("exp", n, NULL)), NULL);
    settles("log(1 + exp(...))", n);
    tg_node_drop(x);
    tg_node_drop(a);
    tg_node_drop(A);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(steps_grow_as_the_graph),
        TEST(orders_stay_bounded),
        TEST(nothing_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
