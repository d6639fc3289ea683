/* Plans: what is cached and when it is compiled anew, that a repeated run allocates nothing, that
 * errors leave everything as it was, and that random formulas have the values which evaluation node
 * by node gives them. */
#include "runtime/plan/plan.h"
#include "eager.h"
#include "session.h"

#include "runtime/graph/grad.h"
#include "runtime/graph/rule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- making things ---- */

static tg_size symbol(const char *name) {
    return tg_size_symbol(&rt, tg_intern(&rt.c, name, strlen(name)));
}

static void store(tg_cell *c, tg_tensor *t) {
    tg_tensor_drop(c->value);
    c->value = t;
    c->version++;
}

static double first(const tg_tensor *t) {
    return tg_view_get(&t->v, 0);
}

static double number_of(tg_node *n) {
    tg_tensor *t = NULL;
    assert_true(tg_plan_eval(&rt, 1, &n, &t));
    double x = first(t);
    tg_tensor_drop(t);
    return x;
}

static void assert_agrees(const tg_tensor *a, const tg_tensor *b, double tolerance) {
    assert_true(tg_shape_equal(a->v.rank, a->v.dim, b->v.rank, b->v.dim));
    assert_int_equal(a->v.dtype, b->v.dtype);
    for (int64_t i = 0; i < tg_view_count(&a->v); i++) {
        double x = tg_view_get(&a->v, i), y = tg_view_get(&b->v, i);
        if (x != x && y != y) continue;
        if (!(x == y || fabs(x - y) <= tolerance * (1 + fabs(x))))
            fail_msg("%.17g and %.17g differ", x, y);
    }
}

/* The plan's value is that of evaluation node by node. */
static void assert_as_eager(tg_node *n, double tolerance) {
    eager e;
    tg_tensor *t = NULL;
    assert_true(tg_plan_eval(&rt, 1, &n, &t));
    assert_true(eager_eval(&rt, n, &e));
    assert_agrees(t, e.value[e.n - 1], tolerance);
    tg_tensor_drop(t);
    eager_free(&e);
}

/* ---- the cache ---- */

static void a_plan_is_compiled_once_for_its_shapes(void **state) {
    (void)state;
    const tg_size shape[] = {symbol("N"), 3};
    tg_cell *x =
        declare(TG_CELL_INPUT, "x", TG_F64, 2, shape, filled(TG_F64, 2, (int64_t[]){2, 3}, 0));
    tg_node *n = formula("sum(exp(x) * 2)");
    for (int i = 0; i < 5; i++) {
        store(x, filled(TG_F64, 2, (int64_t[]){2, 3}, i));
        number_of(n);
    }
    assert_int_equal(tg_plans_stats(&rt).compiled, 1);
    store(x, filled(TG_F64, 2, (int64_t[]){4, 3}, 0));
    number_of(n);
    assert_int_equal(tg_plans_stats(&rt).compiled, 2);
    store(x, filled(TG_F64, 2, (int64_t[]){2, 3}, 0));
    number_of(n);
    assert_int_equal(tg_plans_stats(&rt).compiled, 2);
    assert_int_equal(tg_plans_stats(&rt).run, 7);
    store(x,
          filled(TG_F32, 2, (int64_t[]){2, 3}, 0)); /* another type is converted by another plan */
    number_of(n);
    assert_int_equal(tg_plans_stats(&rt).compiled, 3);
}

static void a_transposed_value_has_a_plan_of_its_own(void **state) {
    (void)state;
    tg_cell *x = variable("x", 2, (int64_t[]){3, 3}, 0);
    tg_node *n = formula("sum(cumsum(x, axis=0) * x)");
    assert_as_eager(n, 1e-12);
    tg_view v = x->value->v;
    v.stride[0] = 1, v.stride[1] = 3;
    store(x, tg_tensor_share(&rt.c, x->value, &v));
    assert_as_eager(n, 1e-12);
    assert_int_equal(tg_plans_stats(&rt).compiled, 2);
}

static void the_cache_is_bounded_and_swept(void **state) {
    (void)state;
    variable("x", 0, NULL, 0);
    char text[64];
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "x * %d + sin(x)", i + 2);
        number_of(formula(text));
    }
    assert_int_equal(tg_plans_stats(&rt).cached, 128);
    tg_graph_collect(&rt, true);
    assert_int_equal(tg_plans_stats(&rt).cached, 0);
}

/* ---- runs ---- */

static void a_repeated_run_allocates_nothing(void **state) {
    (void)state;
    rt.precision = TG_F32;
    variable("X", 2, (int64_t[]){10, 4}, 1);
    variable("Y", 2, (int64_t[]){10, 3}, 2);
    variable("W", 2, (int64_t[]){4, 3}, 3);
    variable("b", 1, (int64_t[]){3}, 4);
    variable("rate", 0, NULL, 1);
    tg_node *roots[] = {formula("mean(-sum(Y * log(softmax(X @ W + b, axis=1)), axis=1))"),
                        formula("W - rate * (X' @ (softmax(X @ W + b, axis=1) - Y)) / 10"),
                        formula("b - rate * sum(softmax(X @ W + b, axis=1) - Y, axis=0) / 10")};
    tg_tensor *out[3] = {0};
    assert_true(tg_plan_eval(&rt, 3, roots, out));
    assert_true(tg_plan_eval(&rt, 3, roots, out));
    tg_alloc_reset_stats();
    for (int i = 0; i < 10; i++) assert_true(tg_plan_eval(&rt, 3, roots, out));
    assert_int_equal(tg_alloc_get_stats().requests, 0);
    for (int i = 0; i < 3; i++) {
        eager e;
        assert_true(eager_eval(&rt, roots[i], &e));
        assert_agrees(out[i], e.value[e.n - 1], 1e-5);
        eager_free(&e);
        tg_tensor_drop(out[i]);
    }
}

static void results_that_others_see_are_not_written_into(void **state) {
    (void)state;
    variable("x", 1, (int64_t[]){3}, 1);
    tg_node *n = formula("x + 1");
    tg_tensor *out = NULL;
    assert_true(tg_plan_eval(&rt, 1, &n, &out));
    tg_tensor *kept = tg_tensor_hold(out);
    assert_true(tg_plan_eval(&rt, 1, &n, &out));
    assert_ptr_not_equal(out, kept);
    tg_tensor *look = tg_tensor_share(&rt.c, out, &out->v);
    assert_true(tg_plan_eval(&rt, 1, &n, &out));
    assert_ptr_not_equal(out->v.data, look->v.data);
    tg_tensor_drop(look);
    tg_tensor_drop(kept);
    tg_tensor_drop(out);
}

static void cells_and_looks_at_them_are_shared(void **state) {
    (void)state;
    tg_cell *x = variable("x", 2, (int64_t[]){2, 3}, 1);
    tg_node *roots[] = {formula("x"), formula("flatten(x)"), formula("x'"), formula("x")};
    tg_tensor *out[4] = {0};
    assert_true(tg_plan_eval(&rt, 4, roots, out));
    assert_ptr_equal(out[0], x->value);
    assert_ptr_equal(out[3], x->value);
    assert_ptr_equal(out[1]->buf, x->value->buf);
    assert_int_equal(out[1]->v.rank, 1);
    assert_ptr_not_equal(out[2]->buf, x->value->buf);
    assert_true(tg_view_is_contiguous(&out[2]->v));
    for (int i = 0; i < 4; i++) tg_tensor_drop(out[i]);
}

static void equal_roots_are_computed_once(void **state) {
    (void)state;
    variable("x", 1, (int64_t[]){3}, 1);
    tg_node *n = formula("exp(x)"), *roots[] = {n, n, formula("exp(x) + 1")};
    tg_tensor *out[3] = {0};
    assert_true(tg_plan_eval(&rt, 3, roots, out));
    assert_ptr_not_equal(out[0], out[1]);
    assert_agrees(out[0], out[1], 0);
    assert_true(first(out[2]) == first(out[0]) + 1);
    for (int i = 0; i < 3; i++) tg_tensor_drop(out[i]);
}

static void stand_ins_are_not_stored(void **state) {
    (void)state;
    const tg_size shape[] = {symbol("N")};
    tg_cell *x = declare(TG_CELL_INPUT, "x", TG_F64, 1, shape, NULL);
    tg_node *n = formula("sum(x) + 0 * size(x)"), *ones = NULL;
    const tg_grad_options opt = {0};
    assert_true(tg_grad(&rt, n, 1, &names[0].node, &opt, &ones, NULL));
    tg_tensor *with = filled(TG_F64, 1, (int64_t[]){5}, 1), *out = NULL, *g = NULL;
    assert_true(tg_plan_eval_with(&rt, 1, &n, 1, &x, &with, &out));
    assert_null(x->value);
    assert_true(
        tg_plan_eval_with(&rt, 1, &ones, 1, &x, &with, &g)); /* only the size of x matters */
    assert_int_equal(g->v.dim[0], 5);
    assert_false(tg_plan_eval(&rt, 1, &ones, &g));
    assert_int_equal(rt.c.diag.kind, TG_ERR_DATA);
    tg_tensor_drop(with);
    tg_tensor_drop(out);
    tg_tensor_drop(g);
}

static void sizes_follow_an_input_that_is_not_read(void **state) {
    (void)state;
    const tg_size shape[] = {symbol("N"), 2};
    tg_cell *x =
        declare(TG_CELL_INPUT, "x", TG_F64, 2, shape, filled(TG_F64, 2, (int64_t[]){3, 2}, 0));
    tg_node *n = formula("sum(x)"), *g = NULL;
    const tg_grad_options opt = {0};
    assert_true(tg_grad(&rt, n, 1, &names[0].node, &opt, &g, NULL));
    tg_tensor *t = NULL;
    assert_true(tg_plan_eval(&rt, 1, &g, &t));
    assert_int_equal(t->v.dim[0], 3);
    store(x, filled(TG_F64, 2, (int64_t[]){4, 2}, 0));
    assert_true(tg_plan_eval(&rt, 1, &g, &t));
    assert_int_equal(t->v.dim[0], 4);
    tg_tensor_drop(t);
}

/* ---- errors ---- */

static void missing_data_are_named(void **state) {
    (void)state;
    const tg_size shape[] = {symbol("N")};
    declare(TG_CELL_INPUT, "x", TG_F64, 1, shape, NULL);
    declare(TG_CELL_INPUT, "y", TG_F64, 1, shape, NULL);
    tg_node *n = formula("sum(x * y)");
    n->label = "cost";
    tg_tensor *out = NULL;
    assert_false(tg_plan_eval(&rt, 1, &n, &out));
    assert_null(out);
    assert_int_equal(rt.c.diag.kind, TG_ERR_DATA);
    assert_string_equal(rt.c.diag.msg, "cost needs data for x, y");
    assert_string_equal(rt.c.diag.help, "x := ...");
}

static void sizes_that_disagree_are_an_error(void **state) {
    (void)state;
    const tg_size shape[] = {symbol("N")};
    declare(TG_CELL_INPUT, "x", TG_F64, 1, shape, filled(TG_F64, 1, (int64_t[]){3}, 0));
    declare(TG_CELL_INPUT, "y", TG_F64, 1, shape, filled(TG_F64, 1, (int64_t[]){4}, 0));
    tg_node *n = formula("x * y");
    tg_tensor *out = NULL;
    assert_false(tg_plan_eval(&rt, 1, &n, &out));
    assert_int_equal(rt.c.diag.kind, TG_ERR_SHAPE);
}

static void an_interrupt_stops_between_steps(void **state) {
    (void)state;
    variable("x", 1, (int64_t[]){3}, 1);
    tg_node *n = formula("exp(x)");
    tg_tensor *out = NULL;
    rt.c.interrupted = 1;
    assert_false(tg_plan_eval(&rt, 1, &n, &out));
    assert_null(out);
    assert_int_equal(rt.c.diag.kind, TG_ERR_INTERRUPT);
    tg_clear(&rt.c);
    assert_true(tg_plan_eval(&rt, 1, &n, &out));
    tg_tensor_drop(out);
}

/* ---- products ---- */

static void products_take_up_factors_and_addends(void **state) {
    (void)state;
    variable("A", 2, (int64_t[]){4, 3}, 1);
    variable("B", 2, (int64_t[]){3, 5}, 2);
    variable("C", 2, (int64_t[]){4, 5}, 3);
    variable("b", 1, (int64_t[]){5}, 4);
    variable("v", 1, (int64_t[]){3}, 4);
    variable("w", 1, (int64_t[]){4}, 4);
    variable("s", 0, NULL, 5);
    static const char *const text[] = {"A @ B + b",
                                       "b + A @ B",
                                       "C - 0.5 * (A @ B)",
                                       "C - A @ B / s",
                                       "-(s * (A @ B)) / 3 + C",
                                       "2 * (A @ B) + 1",
                                       "A @ B + A @ B",
                                       "A @ B * 2 + A @ B",
                                       "(A @ B + C) @ B'",
                                       "exp(C) - s * (A @ B) / 2",
                                       "A @ v + w",
                                       "w - s * (A @ v)",
                                       "w @ A * s + v",
                                       "C * (A @ B) + A @ B",
                                       "(B' @ A')' + C",
                                       "A @ B + s"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        tg_node *n = formula(text[i]);
        assert_non_null(n);
        assert_as_eager(n, 1e-12);
    }
}

static void factors_of_zero_and_infinity_meet_each_element(void **state) {
    (void)state;
    tg_cell *a = variable("A", 2, (int64_t[]){2, 2}, 1), *s = variable("s", 0, NULL, 5);
    variable("C", 2, (int64_t[]){2, 2}, 3);
    tg_node *n = formula("C - s * (A @ A)"), *m = formula("A @ A / s");
    const double values[] = {0, INFINITY, NAN, 1};
    tg_view_set(&a->value->v, 0, INFINITY);
    for (int i = 0; i < 4; i++) {
        tg_view_set(&s->value->v, 0, values[i]);
        assert_as_eager(n, 1e-12);
        assert_as_eager(m, 1e-12);
    }
}

/* ---- random formulas ---- */

static uint64_t dice = 1;
static int roll(int n) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (int)((dice >> 33) % (uint64_t)n);
}

static tg_node *random_node(tg_node **pool, int n) {
    static const char *const one[] = {"neg", "sin", "tanh", "transpose", "abs"};
    static const char *const two[] = {"add", "sub", "mul", "matmul", "add", "maximum"};
    tg_node *x = pool[roll(n)], *y = pool[roll(n)];
    switch (roll(4)) {
    case 0: return tg_node_call1(&rt, one[roll(5)], x);
    case 1: return tg_node_call2(&rt, "mul", tg_node_number(&rt, roll(5) - 2), x);
    default: return tg_node_call2(&rt, two[roll(6)], x, y);
    }
}

static void random_formulas_have_the_right_values(void **state) {
    (void)state;
    variable("a", 2, (int64_t[]){3, 3}, 1);
    variable("b", 2, (int64_t[]){3, 3}, 2);
    variable("c", 2, (int64_t[]){1, 3}, 3);
    for (int turn = 0; turn < 300; turn++) {
        tg_node *pool[40] = {names[0].node, names[1].node,
                             tg_node_call2(&rt, "add", names[0].node, names[2].node)};
        int n = 3, nroots = 1 + roll(3);
        while (n < 12 + turn % 28) {
            pool[n] = tg_node_call1(&rt, "tanh", random_node(pool, n)); /* keeps values small */
            assert_non_null(pool[n]);
            if (roll(2)) pool[n] = random_node(pool, n);
            n++;
        }
        tg_node *roots[3];
        tg_tensor *out[3] = {0};
        for (int i = 0; i < nroots; i++) roots[i] = pool[n - 1 - roll(6)];
        assert_true(tg_plan_eval(&rt, nroots, roots, out));
        for (int i = 0; i < nroots; i++) {
            eager e;
            assert_true(eager_eval(&rt, roots[i], &e));
            assert_agrees(out[i], e.value[e.n - 1], 1e-9);
            eager_free(&e);
            tg_tensor_drop(out[i]);
        }
    }
}

/* ---- what stays the same ---- */

/* Kernels of one evaluation, whose value is compared with that of evaluation node by node. */
static uint64_t steps_of(tg_node *n) {
    uint64_t before = tg_plans_stats(&rt).steps;
    number_of(n);
    uint64_t steps = tg_plans_stats(&rt).steps - before;
    eager e;
    assert_true(eager_eval(&rt, n, &e));
    tg_tensor *t = NULL;
    assert_true(tg_plan_eval(&rt, 1, &n, &t)); /* again, of the same cells */
    assert_agrees(t, e.value[e.n - 1], 1e-12);
    tg_tensor_drop(t);
    eager_free(&e);
    return steps;
}

static const int64_t tall[] = {60, 5}, few[] = {5};

static void what_does_not_move_is_computed_once(void **state) {
    (void)state;
    tg_cell *x = variable("x", 2, tall, 1), *w = variable("w", 1, few, 2);
    tg_node *n = formula("sum(exp((x - mean(x, axis=0))' @ x / 60 @ w))");
    uint64_t all = steps_of(n), less = 0;
    for (int i = 0; i < 8; i++) {
        store(w, filled(TG_F64, 1, few, i));
        less = steps_of(n);
    }
    assert_true(less + 3 <= all);
    assert_int_equal(tg_plans_stats(&rt).compiled, 1);
    assert_int_equal(tg_plans_stats(&rt).split, 1);
    store(x, filled(TG_F64, 2, tall, 7)); /* then what is kept is computed anew, once */
    assert_true(steps_of(n) >= all);
    store(w, filled(TG_F64, 1, few, 30));
    assert_int_equal(steps_of(n), less);
    tg_tensor *stand_in = filled(TG_F64, 2, tall, 3), *out = NULL;
    double now = number_of(n);
    assert_true(tg_plan_eval_with(&rt, 1, &n, 1, &x, &stand_in, &out));
    assert_true(first(out) != now);
    assert_true(number_of(n) == now);
    tg_tensor_drop(out);
    tg_tensor_drop(stand_in);
}

static void what_moves_often_is_not_kept(void **state) {
    (void)state;
    tg_cell *x = variable("x", 2, tall, 1), *w = variable("w", 1, few, 2);
    tg_node *n = formula("sum(exp((x - mean(x, axis=0))' @ x / 60 @ w))");
    uint64_t all = steps_of(n);
    for (int i = 0; i < 8; i++) {
        store(w, filled(TG_F64, 1, few, i));
        steps_of(n);
    }
    assert_int_equal(tg_plans_stats(&rt).split, 1);
    for (int i = 0; i < 200; i++) {
        store(x, filled(TG_F64, 2, tall, i));
        store(w, filled(TG_F64, 1, few, i));
        number_of(n);
    }
    assert_int_equal(tg_plans_stats(&rt).split, 1);
    assert_int_equal(steps_of(n), all);
}

static void large_values_are_not_kept(void **state) {
    (void)state;
    const int64_t large[] = {3000000};
    variable("x", 1, large, 1);
    tg_cell *w = variable("w", 0, NULL, 2);
    tg_node *n = formula("sum(exp(x) * w)");
    size_t before = tg_alloc_get_stats().live_bytes;
    for (int i = 0; i < 8; i++) {
        store(w, filled(TG_F64, 0, NULL, i));
        number_of(n);
    }
    size_t work = tg_alloc_get_stats().live_bytes - before;
    assert_true(work < 3 * 24000000);
}

/* ---- without memory ---- */

/* A session from nothing, which stops at the first failure. True: it came through. */
static bool session(void) {
    bool ok = tg_rt_init(&rt);
    const int64_t square[] = {3, 3};
    ok = ok && variable("A", 2, square, 1) && variable("s", 0, NULL, 2);
    tg_node *roots[2] = {ok ? formula("sum(A @ A * s + exp(A)') + 2 * 3") : NULL,
                         ok ? formula("A' - s * (A @ A)") : NULL};
    tg_tensor *out[2] = {0};
    ok = ok && roots[0] && roots[1];
    for (int i = 0; ok && i < 6; i++) { /* often enough for A to count as constant */
        ok = tg_plan_eval(&rt, 2, roots, out);
        names[1].node->leaf.cell->version++;
    }
    if (!ok && rt.c.diag.kind != TG_ERR_NONE) assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
    if (!ok) assert_true(!out[0] || out[1]);
    if (ok) tg_graph_collect(&rt, true);
    tg_tensor_drop(out[0]);
    tg_tensor_drop(out[1]);
    close_session();
    return ok;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    bool through = false;
    for (uint64_t n = 1; !through && n < 5000; n++) {
        tg_alloc_fail_at(n);
        through = session();
        tg_alloc_fail_at(0);
        assert_int_equal(tg_alloc_get_stats().live_blocks, 0);
    }
    assert_true(through);
}

int main(void) {
#define IN_SESSION(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_SESSION(a_plan_is_compiled_once_for_its_shapes),
        IN_SESSION(a_transposed_value_has_a_plan_of_its_own),
        IN_SESSION(the_cache_is_bounded_and_swept),
        IN_SESSION(a_repeated_run_allocates_nothing),
        IN_SESSION(results_that_others_see_are_not_written_into),
        IN_SESSION(cells_and_looks_at_them_are_shared),
        IN_SESSION(equal_roots_are_computed_once),
        IN_SESSION(stand_ins_are_not_stored),
        IN_SESSION(sizes_follow_an_input_that_is_not_read),
        IN_SESSION(missing_data_are_named),
        IN_SESSION(sizes_that_disagree_are_an_error),
        IN_SESSION(an_interrupt_stops_between_steps),
        IN_SESSION(products_take_up_factors_and_addends),
        IN_SESSION(factors_of_zero_and_infinity_meet_each_element),
        IN_SESSION(random_formulas_have_the_right_values),
        IN_SESSION(what_does_not_move_is_computed_once),
        IN_SESSION(what_moves_often_is_not_kept),
        IN_SESSION(large_values_are_not_kept),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
