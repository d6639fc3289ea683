/* Derivatives and simple forms, as text. The first test is the table of textbook formulas; the
 * others show one behaviour each. */
#include "runtime/rt.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NAMES = 24 };

static tg_rt rt;
static tg_rule_name names[NAMES];
static int nnames;

static void add_name(const char *name, tg_node *node) {
    if (!node) fail_msg("%s: %s", name, rt.c.diag.msg);
    names[nnames++] = (tg_rule_name){.name = name, .node = tg_node_hold(node)};
}

static void add_cell(const char *name, tg_cell_kind kind, int rank, tg_size rows, tg_size columns) {
    tg_type t = {.dtype = TG_F64, .rank = rank, .dim = {rows, columns}};
    tg_cell *c = tg_cell_new(&rt, kind, tg_intern(&rt.c, name, strlen(name)), &t, NULL);
    assert_non_null(c);
    add_name(name, tg_node_cell(&rt, c));
    tg_cell_drop(c);
}

static tg_node *build(const char *text) {
    tg_node *n = tg_rule_build(&rt, text, nnames, names);
    if (!n) fail_msg("%s: %s", text, rt.c.diag.msg);
    return n;
}

static void add_formula(const char *name, const char *text) {
    tg_node *n = build(text);
    n->label = tg_intern(&rt.c, name, strlen(name));
    add_name(name, n);
}

static int setup(void **state) {
    (void)state;
    if (!tg_rt_init(&rt)) return -1;
    tg_guard_enter(&rt.c);
    nnames = 0;
    tg_size N = tg_size_symbol(&rt, tg_intern(&rt.c, "N", 1));
    add_cell("x", TG_CELL_VAR, 0, 0, 0);
    add_cell("lam", TG_CELL_VAR, 0, 0, 0);
    add_cell("X", TG_CELL_INPUT, 2, N, 784);
    add_cell("Y", TG_CELL_INPUT, 2, N, 10);
    add_cell("W", TG_CELL_VAR, 2, 784, 10);
    add_cell("b", TG_CELL_VAR, 1, 10, 0);
    add_cell("w", TG_CELL_VAR, 1, 784, 0);
    add_cell("y", TG_CELL_INPUT, 1, N, 0);
    add_cell("A", TG_CELL_VAR, 2, 5, 5);
    add_cell("B", TG_CELL_VAR, 2, 5, 5);
    add_cell("Q", TG_CELL_VAR, 2, 5, 5);
    add_cell("a", TG_CELL_VAR, 1, 5, 0);
    add_cell("u", TG_CELL_VAR, 1, 5, 0);
    add_cell("v", TG_CELL_VAR, 1, 5, 0);
    add_cell("M", TG_CELL_VAR, 2, 5, 7);
    add_cell("U", TG_CELL_VAR, 2, 5, 3);
    add_cell("V", TG_CELL_VAR, 2, 3, 7);
    add_formula("P", "softmax(X @ W + b)");
    add_formula("s", "sigmoid(X @ w)");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    tg_rt_free(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static void prints(const char *from, tg_node *n, const char *text) {
    tg_str s = {0};
    if (!n) fail_msg("%s: %s", from, rt.c.diag.msg);
    assert_true(tg_node_print(&rt, &s, n, false));
    if (strcmp(tg_str_text(&s), text) != 0)
        fail_msg("%s gave %s instead of %s", from, tg_str_text(&s), text);
    tg_str_free(&s);
}

static tg_node *gradient(const char *y, const char *x, const tg_grad_options *opt,
                         const char **cut) {
    tg_node *by = build(x), *g = NULL;
    return tg_grad(&rt, build(y), 1, &by, opt, &g, cut) ? g : NULL;
}

/* rows of y, x, dy/dx */
static void derive(const char *const (*rows)[3], size_t n) {
    for (size_t i = 0; i < n; i++)
        prints(rows[i][0], gradient(rows[i][0], rows[i][1], NULL, NULL), rows[i][2]);
}

/* rows of a formula and its simple form, which is its own simple form */
static void simplify(const char *const (*rows)[2], size_t n) {
    for (size_t i = 0; i < n; i++) {
        tg_node *made = tg_simplify(&rt, build(rows[i][0]), NULL);
        prints(rows[i][0], made, rows[i][1]);
        assert_ptr_equal(tg_simplify(&rt, made, NULL), made);
    }
}

#define DERIVE(...)                                                                                \
    do {                                                                                           \
        static const char *const rows[][3] = {__VA_ARGS__};                                        \
        derive(rows, sizeof rows / sizeof *rows);                                                  \
    } while (0)
#define SIMPLIFY(...)                                                                              \
    do {                                                                                           \
        static const char *const rows[][2] = {__VA_ARGS__};                                        \
        simplify(rows, sizeof rows / sizeof *rows);                                                \
    } while (0)

static void textbook(void **state) {
    (void)state;
    DERIVE({"x^2 * sin(x)", "x", "2 * x * sin(x) + x^2 * cos(x)"}, {"a @ v", "v", "a"},
           {"v @ A @ v", "v", "(A + A') @ v"}, {"sum((A @ v - u)^2)", "v", "2 * A' @ (A @ v - u)"},
           {"mean((X @ w - y)^2)", "w", "2 * X' @ (X @ w - y) / N"},
           {"sum((A @ v - u)^2) + lam * sum(v^2)", "v", "2 * (A' @ (A @ v - u) + lam * v)"},
           {"trace(A @ Q @ B)", "Q", "A' @ B'"}, {"trace(Q' @ Q)", "Q", "2 * Q"},
           {"trace(Q @ A @ Q')", "Q", "Q @ (A + A')"}, {"norm(v)", "v", "v / norm(v)"},
           {"sum(exp(v))", "v", "exp(v)"}, {"logsumexp(v)", "v", "softmax(v)"},
           {"-mean(y * log(s) + (1 - y) * log(1 - s))", "w", "X' @ (s - y) / N"},
           {"sum((M - U @ V)^2)", "U", "-2 * (M - U @ V) @ V'"}, {"x^7", "x", "7 * x^6"},
           {"x^lam", "x", "lam * x^(lam - 1)"}, {"sin(x)^2 + cos(x)^2", "x", "0"},
           {"log(sigmoid(x))", "x", "sigmoid(-x)"}, {"tanh(x)", "x", "1 - tanh(x)^2"},
           {"x * log(x)", "x", "log(x) + 1"});
}

static const char cost[] = "-mean(sum(Y * log(P), axis=1))",
                  same_cost[] = "mean(-sum(Y * log(P), axis=1))";

static void cross_entropy(void **state) {
    (void)state;
    DERIVE({cost, "W", "X' @ (P * sum(Y, axis=1, keep=true) - Y) / N"},
           {same_cost, "W", "X' @ (P * sum(Y, axis=1, keep=true) - Y) / N"},
           {cost, "P", "-Y / (N * P)"});
}

static void textbooks_write_it_so(void **state) {
    (void)state;
    DERIVE({"mean(v)", "v", "ones(5) / 5"}, {"mean(X)", "X", "expand(1 / (784*N), (N, 784))"},
           {"relu(x)", "x", "where(x > 0, 1, 0)"},
           {"sum(v * relu(v))", "v", "v * (v > 0) + relu(v)"},
           {"softmax(v)[0]", "v", "(onehot(0, 5) - softmax(v)[0]) * softmax(v)"},
           {"-log(softmax(v))[1]", "v", "softmax(v) - onehot(1, 5)"},
           {"v[0] * v[1]", "v", "place(v[1], 5, 0) + place(v[0], 5, 1)"},
           {"X[0, 1]^2", "X", "2 * place(X[0, 1], (N, 784), (0, 1))"},
           {"sum(M[:, 2]^2)", "M", "2 * place(M[:, 2], (5, 7), 2, axis=1)"},
           {"sum(X[1:]^2)", "X", "2 * embed(X[1:], 0, 1, N)"},
           {"sum(M[1:, 1:]^2)", "M", "pad(2 * M[1:, 1:], 1, after=0)"},
           {"sum(sort(v))", "v", "ones(5)"},
           {"sqrt(mean((v - mean(v))^2))", "v", "(v - mean(v)) / norm(v - mean(v)) / sqrt(5)"},
           {"norm(v)^2", "v", "2 * v"}, {"lam * norm(v)", "v", "lam * (v / norm(v))"},
           {"norm(A @ v - u)", "v", "A' @ ((A @ v - u) / norm(A @ v - u))"});
    SIMPLIFY({"sum(M - mean(M, axis=0, keep=true), axis=0)", "zeros(7)"},
             {"sum(M / sum(M, axis=0), axis=0)", "ones(7)"}, {"3 * norm(v) * unit(v)", "3 * v"},
             {"2 * v / norm(v)", "2 * (v / norm(v))"},
             {"sum(where(a > 0, 1, 0) * a)", "sum(a * (a > 0))"});
}

static void add_tensor(const char *name, int64_t count, const char *label) {
    tg_tensor *t = tg_tensor_new(&rt.c, TG_F64, 1, &count);
    assert_non_null(t);
    for (int64_t i = 0; i < count; i++) tg_view_set(&t->v, i, i == 0);
    add_name(name, tg_node_const(&rt, t, label));
    tg_tensor_drop(t);
}

static void small_tensors_are_computed(void **state) {
    (void)state;
    add_tensor("t", 2, NULL);
    add_tensor("large", 9, NULL);
    add_tensor("named", 2, "named");
    SIMPLIFY({"sum(t) * x", "x"}, {"x + max(t)", "x + 1"}, {"t[0] * x", "x"},
             {"sum(large)", "sum(<[9] double>)"}, {"sum(named)", "sum(named)"});
}

static void assumptions_are_used_and_reported(void **state) {
    (void)state;
    gradient(cost, "W", NULL, NULL); /* what was found before must not be what is found after */
    uint32_t by;
    assert_int_equal(tg_assume_add(&rt, build("sum(Y, axis=1) == 1"), &by), TG_ASSUME_ADDED);
    DERIVE({cost, "W", "X' @ (P - Y) / N"}, {same_cost, "b", "sum(P - Y, axis=0) / N"});
    uint32_t used;
    tg_grad_options opt = {.simplify = true, .used = &used};
    gradient(cost, "W", &opt, NULL);
    assert_int_equal(used, 1);
    gradient("sum(exp(v))", "v", &opt, NULL);
    assert_int_equal(used, 0);
    assert_string_equal(tg_assume_text(&rt, 0), "sum(Y, axis=1) == 1");
}

static void sums(void **state) {
    (void)state;
    SIMPLIFY({"x + 0", "x"}, {"x - x", "0"}, {"x + x + 1 + 2", "2 * x + 3"}, {"-Y + P", "P - Y"},
             {"1 + x", "x + 1"}, {"-x - lam", "-(x + lam)"}, {"x - (lam - x)", "2 * x - lam"},
             {"x / 3 + x / 3", "2 * x / 3"}, {"x / lam + 1 / lam", "(x + 1) / lam"},
             {"x * lam - lam * x", "0"}, {"x * (1 - lam) + lam * x", "x"},
             {"2 * a + 2 * v", "2 * (a + v)"}, {"0.25 * a + 0.5 * a - 0.75 * v", "0.75 * (a - v)"},
             {"0.5 * (a / 3) - 0.25 * (v / 3)", "(0.5 * a - 0.25 * v) / 3"},
             {"v + a * sum(v * 0)", "v"});
}

static void products(void **state) {
    (void)state;
    SIMPLIFY({"0 * x", "0"}, {"1 * x", "x"}, {"x * x", "x^2"}, {"x^2 / x", "x"}, {"x / x", "1"},
             {"-(-x)", "x"}, {"2 * x * 3", "6 * x"}, {"2 * x / 3", "2 * x / 3"},
             {"1 / (1 / x)", "x"}, {"(-v)^2", "v^2"}, {"-(v * a)", "-v * a"},
             {"v * (-a) * 2", "-2 * v * a"}, {"0 * v", "zeros(5)"}, {"v^0", "ones(5)"},
             {"x / 0", "x / 0"}, {"sin(x) * x * 2", "2 * x * sin(x)"});
}

static void linear_operations(void **state) {
    (void)state;
    SIMPLIFY({"A''", "A"}, {"(A @ B')'", "B @ A'"}, {"(A + B)'", "(A + B)'"},
             {"sum(2 * Y)", "2 * sum(Y)"}, {"sum(M')", "sum(M)"},
             {"sum(Y', axis=0)", "sum(Y, axis=1)"}, {"eye(5) @ A", "A"},
             {"sum(expand(v, (5, 5)), axis=0)", "5 * v"}, {"mean(ones(4, 5))", "1"},
             {"v @ A'", "A @ v"}, {"2 * lam * (A @ v)", "2 * lam * A @ v"},
             {"tanh(2 * (A @ v))", "tanh(2 * (A @ v))"}, {"A @ (v / 5)", "A @ v / 5"},
             {"A @ v + A @ u", "A @ (v + u)"}, {"diag(2 * lam * v)", "2 * diag(lam * v)"});
}

static void stable_forms(void **state) {
    (void)state;
    SIMPLIFY({"log(softmax(v))", "logsoftmax(v)"},
             {"log(sum(exp(A), axis=1))", "logsumexp(A, axis=1)"}, {"log(1 + x)", "log(x + 1)"},
             {"log(1 + exp(x))", "softplus(x)"}, {"x + exp(x) - 1", "x + exp(x) - 1"},
             {"exp(A) / sum(exp(A))", "softmax(A, axis=(0, 1))"},
             {"exp(A - logsumexp(A, axis=1))", "exp(A - logsumexp(A, axis=1))"},
             {"log(sigmoid(x))", "-softplus(-x)"}, {"log(1 - s)", "-softplus(X @ w)"},
             {"exp(logsoftmax(v))", "softmax(v)"}, {"exp(v) / sum(exp(v))", "softmax(v)"},
             {"sin(x)^2 + cos(x)^2", "1"}, {"2 * sin(x)^2 + lam + 2 * cos(x)^2", "lam + 2"});
}

static void laws_are_named(void **state) {
    (void)state;
    tg_str s = {0};
    assert_non_null(tg_simplify(&rt, build("log(softmax(v)) + 0"), NULL));
    tg_simplify_why(&rt, &s);
    assert_non_null(strstr(tg_str_text(&s), "log(softmax(x)) = logsoftmax(x)\n"));
    tg_str_free(&s);
}

static void zeros_and_cut_paths(void **state) {
    (void)state;
    const char *cut;
    prints("argmax", gradient("sum(argmax(A, axis=1) * v)", "A", NULL, &cut), "zeros(5, 5)");
    assert_string_equal(cut, "argmax");
    prints("nothing", gradient("x^2", "lam", NULL, &cut), "0");
    assert_string_equal(cut, "");
    prints("x", gradient("x - x", "x", NULL, &cut), "0");
    assert_null(cut);
    tg_node *hold = build("sin(x)");
    tg_grad_options opt = {.simplify = true, .nhold = 1, .hold = &hold};
    prints("hold", gradient("x * sin(x)", "x", &opt, NULL), "sin(x)");
}

static void untaken_sides_do_not_poison(void **state) {
    (void)state;
    DERIVE({"where(x > 0, log(x), 0)", "x", "where(x > 0, 1 / x, 0)"},
           {"sum(where(v > 0, sqrt(v), 0))", "v", "where(v > 0, 1 / (2 * sqrt(v)), 0)"});
}

static void what_cannot_be_derived_is_an_error(void **state) {
    (void)state;
    assert_null(gradient("2 * v", "v", NULL, NULL));
    assert_non_null(strstr(rt.c.diag.help, "seed="));
    tg_clear(&rt.c);
}

static void seeds_weigh(void **state) {
    (void)state;
    tg_grad_options opt = {.simplify = true, .seed = build("a")};
    prints("seed", gradient("v^2", "v", &opt, NULL), "2 * a * v");
}

/* A sum of n different terms, n - 1 nodes deep, and a chain of calls: about n steps, and no
 * recursion. */
static void large_formulas(void **state) {
    (void)state;
    enum { MANY = 20000 };
    tg_node *x = build("x"), *sum = x, *chain = x, *g;
    for (int i = 0; i < MANY; i++) {
        tg_node *k = tg_node_number(&rt, i + 0.5);
        sum = tg_node_call2(&rt, "add", sum,
                            tg_node_call1(&rt, "sin", tg_node_call2(&rt, "mul", k, x)));
        chain = tg_node_call1(&rt, "tanh", chain);
    }
    assert_ptr_equal(tg_simplify(&rt, sum, NULL), sum);
    assert_true(tg_grad(&rt, sum, 1, &x, NULL, &g, NULL));
    assert_true(tg_grad(&rt, chain, 1, &x, NULL, &g, NULL));
    tg_node *shared = x;
    for (int i = 0; i < 200; i++)
        shared = tg_node_call2(&rt, "add", tg_node_call2(&rt, "mul", shared, shared), shared);
    assert_true(tg_grad(&rt, shared, 1, &x, NULL, &g, NULL));
    assert_true(tg_node_ops(&rt, g) < 2000);
}

/* Every request for memory fails once: an error each time, and nothing is lost. */
/* Each allocation on the way to the gradients fails once. */
static void memory_runs_out(void **state) {
    (void)state;
    static const char *const formulas[] = {
        cost, "mean((X @ W + 2 * b)^2)", "softmax(b)[0] + norm(b)^2 / lam * norm(W)",
        "sum(relu(b[2:]) + sum(t)) + sqrt(mean((W - mean(W, axis=0))^2))"};
    add_tensor("t", 2, NULL);
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        bool done = false;
        for (uint64_t n = 1; !done && n < 20000; n++) {
            tg_graph_collect(&rt, true);
            tg_node *x[2] = {build("W"), build("b")}, *out[2], *y = build(formulas[i]);
            tg_alloc_fail_at(n);
            done = tg_grad(&rt, y, 2, x, NULL, out, NULL);
            tg_alloc_fail_at(0);
            if (!done) assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
            tg_clear(&rt.c);
        }
        assert_true(done);
    }
    DERIVE({cost, "W", "X' @ (P * sum(Y, axis=1, keep=true) - Y) / N"});
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(textbook),
        TEST(cross_entropy),
        TEST(textbooks_write_it_so),
        TEST(small_tensors_are_computed),
        TEST(assumptions_are_used_and_reported),
        TEST(sums),
        TEST(products),
        TEST(linear_operations),
        TEST(stable_forms),
        TEST(laws_are_named),
        TEST(zeros_and_cut_paths),
        TEST(untaken_sides_do_not_poison),
        TEST(what_cannot_be_derived_is_an_error),
        TEST(seeds_weigh),
        TEST(large_formulas),
        TEST(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
