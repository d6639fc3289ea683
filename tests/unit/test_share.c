/* Nodes of one value: what a plan computes once though it is written twice, in the number of steps
 * that a run takes, and that the values stay what they are when each formula is computed alone, bit
 * by bit. */
#include "runtime/plan/plan.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/rule.h"
#include "session.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* A variable of these sizes. */
static tg_node *node_of(const char *name, int rank, const int64_t *dim) {
    tg_cell *c = variable(name, rank, dim, nnames + 1);
    assert_non_null(c);
    return c->leaf;
}

/* The steps of a run that computes these; out[i] is their values. */
static uint64_t run(int n, tg_node **roots, tg_tensor **out) {
    const uint64_t before = tg_plans_stats(&rt).steps;
    memset(out, 0, (size_t)n * sizeof(tg_tensor *));
    if (!tg_plan_eval(&rt, n, roots, out)) fail_msg("%s", rt.c.diag.msg);
    return tg_plans_stats(&rt).steps - before;
}

static uint64_t steps(int n, tg_node **roots) {
    enum { MOST = 8 };
    tg_tensor *out[MOST];
    uint64_t count = run(n, roots, out);
    for (int i = 0; i < n; i++) tg_tensor_drop(out[i]);
    return count;
}

/* NaNs count as equal. */
static void assert_same_bits(const tg_tensor *a, const tg_tensor *b) {
    assert_true(tg_shape_equal(a->v.rank, a->v.dim, b->v.rank, b->v.dim));
    assert_int_equal(a->v.dtype, b->v.dtype);
    for (int64_t i = 0; i < tg_view_count(&a->v); i++) {
        double x = tg_view_get(&a->v, i), y = tg_view_get(&b->v, i);
        if (x != x && y != y) continue;
        if (x != y || signbit(x) != signbit(y)) fail_msg("%.17g and %.17g differ", x, y);
    }
}

/* Computes both in one plan, and each in its own: the same bits. More steps than for the first
 * alone: those are given back. */
static uint64_t more_for_second(tg_node *a, tg_node *b) {
    tg_node *roots[2] = {a, b};
    tg_tensor *both[2], *alone[2];
    uint64_t together = run(2, roots, both), first = run(1, &roots[0], &alone[0]);
    run(1, &roots[1], &alone[1]);
    for (int i = 0; i < 2; i++) {
        assert_same_bits(both[i], alone[i]);
        tg_tensor_drop(both[i]);
        tg_tensor_drop(alone[i]);
    }
    assert_true(together >= first);
    return together - first;
}

/* ---- what is one value ---- */

static void ways_of_writing_one_value(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"exp(1 + A)", "exp(A + 1)"},
        {"exp(A * B) @ v", "exp(B * A) @ v"},
        {"exp(A - B)", "exp(-B + A)"},
        {"exp(-(A * B))", "exp(A * -B)"},
        {"exp(-A / -B)", "exp(A / B)"},
        {"exp(-2 * A)", "exp(-(A * 2))"},
        {"exp(A'')", "exp(A)"},
        {"exp(A' @ v) * 1", "exp(A' @ v)"},
        {"exp(v @ u)", "exp(u @ v)"},
        {"exp(reshape(reshape(A, 9), 9, 1))", "exp(reshape(A, 9, 1))"},
        {"exp(A + (B + 1)) @ v", "exp((1 + B) + A) @ v"},
        {"exp((A - B) @ v)", "exp(-((B - A) @ v))"},
        {"exp(-A @ B)", "exp(-(A @ B))"},
    };
    node_of("A", 2, (int64_t[]){3, 3});
    node_of("B", 2, (int64_t[]){3, 3});
    node_of("u", 1, (int64_t[]){3});
    node_of("v", 1, (int64_t[]){3});
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        tg_node *a = sure_formula(same[i][0]), *b = sure_formula(same[i][1]);
        assert_ptr_not_equal(a, b);
        if (more_for_second(a, b) > 1) /* the copy into the second result */
            fail_msg("%s and %s are computed apart", same[i][0], same[i][1]);
    }
}

/* No part of it comes from differentiating: a session notes that of what stands in a text. */
static void as_written(tg_node *formula) {
    tg_node **node;
    size_t count;
    assert_true(tg_node_collect(&rt, 1, &formula, &node, &count));
    for (size_t i = 0; i < count; i++) node[i]->backward = false;
    tg_free(node);
}

/* The simplifier writes x / r * s + t in the gradient in its own order. */
static void what_is_simplified(void **state) {
    (void)state;
    node_of("x", 2, (int64_t[]){3, 3});
    tg_node *w = node_of("w", 2, (int64_t[]){3, 3}), *slope;
    node_of("s", 1, (int64_t[]){3});
    node_of("t", 1, (int64_t[]){3});
    tg_node *cost =
        sure_formula("sum(exp((x / sqrt(mean(x^2, axis=1, keep=true) + 1) * s + t) @ w))");
    const tg_grad_options options = {.simplify = true};
    assert_true(tg_grad(&rt, cost, 1, &w, &options, &slope, NULL));
    as_written(cost);
    const uint64_t alone = steps(1, &slope);
    if (steps(2, (tg_node *[]){slope, cost}) > alone + 1)
        fail_msg("the forward pass is computed apart in its gradient");
}

static void what_only_looks_alike(void **state) {
    (void)state;
    static const char *const other[][2] = {
        {"exp(A - B)", "exp(B - A)"},    {"exp(A / B)", "exp(B / A)"},
        {"exp(A @ B)", "exp(B @ A)"},    {"exp(A')", "exp(A)"},
        {"1 / (A - A)", "1 / -(A - A)"}, {"1 / max(0 * A, -0 * A)", "1 / max(-0 * A, 0 * A)"},
        {"A - (B + A)", "(A - B) + A"},  {"sum(A, axis=0)", "sum(A, axis=1)"},
        {"1 / (-0 * v)", "1 / (0 * v)"},
    };
    node_of("A", 2, (int64_t[]){3, 3});
    node_of("B", 2, (int64_t[]){3, 3});
    node_of("v", 1, (int64_t[]){3});
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        more_for_second(sure_formula(other[i][0]), sure_formula(other[i][1]));
}

/* ---- costs and their gradients ---- */

/* The cost is written in two ways. With its gradients it takes the same number of steps. */
static void a_gradient_shares_the_forward_pass(void **state) {
    (void)state;
    static const char *const cost[][2] = {
        {"sum(log(1 + exp(-(X @ w + 1))))", "sum(log(exp(-(1 + X @ w)) + 1))"},
        {"sum((1 + X @ W)^2 / (2 + (1 + X @ W)^2))", "sum((X @ W + 1)^2 / ((X @ W + 1)^2 + 2))"},
        {"sum(tanh(X @ W * D * 2) * (1 + tanh(X @ W * D * 2)))",
         "sum((tanh(2 * (D * (X @ W))) + 1) * tanh(2 * (D * (X @ W))))"},
    };
    node_of("X", 2, (int64_t[]){4, 3});
    node_of("W", 2, (int64_t[]){3, 5});
    node_of("D", 2, (int64_t[]){4, 5});
    node_of("w", 1, (int64_t[]){3});
    for (size_t i = 0; i < sizeof cost / sizeof cost[0]; i++) {
        uint64_t count[2];
        for (int k = 1; k >= 0;
             k--) { /* the simple form last: its parts are in the other's gradient */
            tg_node *roots[2] = {sure_formula(cost[i][k])};
            tg_node *x = names[i == 0 ? 3 : 1].node;
            assert_true(tg_grad(&rt, roots[0], 1, &x, NULL, &roots[1], NULL));
            as_written(roots[0]);
            uint64_t apart = steps(1, &roots[0]) + steps(1, &roots[1]);
            count[k] = steps(2, roots);
            assert_true(count[k] < apart);
        }
        /* the simplifier's forms are known of one of them, and may save it a step more */
        assert_true(count[0] <= count[1] + 1 && count[1] <= count[0] + 1);
    }
}

/* ---- random formulas ---- */

static uint64_t dice = 1;

static int roll(int n) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (int)((dice >> 33) % (uint64_t)n);
}

/* One more formula, and the same in another way of writing. No matrix products: what is added to
 * one in its own step (fuse.c) depends on who else uses it, and with that the rounding. */
static void grow(tg_node **a, tg_node **b, int n) {
    static const char *const one[] = {"sin", "tanh", "abs", "transpose"};
    static const char *const two[] = {"add", "mul", "sub", "div", "atan2", "maximum"};
    const int i = roll(n), k = roll(n), what = roll(6);
    switch (roll(4)) {
    case 0:
        a[n] = tg_node_call1(&rt, one[what % 4], a[i]);
        b[n] = tg_node_call1(&rt, one[what % 4], b[i]);
        break;
    case 1:
        a[n] = tg_node_call1(&rt, "neg", tg_node_call2(&rt, "mul", a[i], a[k]));
        b[n] = tg_node_call2(&rt, "mul", b[k], tg_node_call1(&rt, "neg", b[i]));
        break;
    case 2:
        a[n] = tg_node_call2(&rt, "sub", a[i], a[k]);
        b[n] = tg_node_call2(&rt, "add", tg_node_call1(&rt, "neg", b[k]), b[i]);
        break;
    default:
        a[n] = tg_node_call2(&rt, two[what], a[i], a[k]);
        b[n] = tg_node_call2(&rt, two[what], what < 2 ? b[k] : b[i], what < 2 ? b[i] : b[k]);
        break;
    }
    assert_non_null(a[n]);
    assert_non_null(b[n]);
}

static void random_formulas(void **state) {
    (void)state;
    enum { MOST = 24 };
    node_of("A", 2, (int64_t[]){3, 3});
    node_of("B", 2, (int64_t[]){3, 3});
    for (int turn = 0; turn < 300; turn++) {
        tg_node *a[MOST] = {names[0].node, names[1].node}, *b[MOST] = {a[0], a[1]};
        int n = 2;
        for (; n < 5 + turn % (MOST - 5); n++) grow(a, b, n);
        assert_true(more_for_second(a[n - 1], b[n - 1]) <= 1);
        const int other = 2 + roll(n - 2);
        more_for_second(a[n - 1], b[other]);
        more_for_second(b[n - 1], a[other]);
    }
}

/* ---- memory ---- */

static void every_allocation_may_fail(void **state) {
    (void)state;
    bool reached = true;
    node_of("A", 2, (int64_t[]){3, 3});
    node_of("B", 2, (int64_t[]){3, 3});
    for (uint64_t n = 1; reached; n++) {
        tg_plans_forget(&rt);
        tg_node *roots[2] = {sure_formula("exp(A * B + 1)"), sure_formula("exp(1 + B * A)")};
        tg_tensor *out[2] = {0};
        tg_alloc_reset_stats();
        tg_alloc_fail_at(n);
        bool ok = tg_plan_eval(&rt, 2, roots, out);
        tg_alloc_fail_at(0);
        reached = tg_alloc_get_stats().requests >= n;
        if (ok) assert_same_bits(out[0], out[1]);
        if (!ok) assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
        for (int i = 0; i < 2; i++) tg_tensor_drop(out[i]);
        tg_clear(&rt.c);
    }
}

#define IN_SESSION(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_SESSION(ways_of_writing_one_value), IN_SESSION(what_is_simplified),
        IN_SESSION(what_only_looks_alike),     IN_SESSION(a_gradient_shares_the_forward_pass),
        IN_SESSION(random_formulas),           IN_SESSION(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
