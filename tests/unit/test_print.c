/* Formulas over the real operations: built from text, printed, and built again. The text must come
 * out as it went in, and both must be the same node. */
#include "runtime/rt.h"
#include "runtime/graph/print.h"
#include "runtime/graph/rule.h"
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { NAMES = 6 };

static tg_rt rt;
static tg_rule_name names[NAMES] = {{.name = "A"}, {.name = "X"}, {.name = "Y"},
                                    {.name = "a"}, {.name = "b"}, {.name = "v"}};

static int setup(void **state) {
    (void)state;
    if (!tg_rt_init(&rt)) return -1;
    tg_size N = tg_size_symbol(&rt, "N");
    const tg_type square = {.dtype = TG_F64, .rank = 2, .dim = {3, 3}},
                  batch = {.dtype = TG_F64, .rank = 2, .dim = {N, 3}}, scalar = {.dtype = TG_F64},
                  vector = {.dtype = TG_F64, .rank = 1, .dim = {3}};
    const tg_type *type[NAMES] = {&square, &batch, &batch, &scalar, &scalar, &vector};
    for (int i = 0; i < NAMES; i++) {
        tg_cell *c = tg_cell_new(&rt, type[i] == &batch ? TG_CELL_INPUT : TG_CELL_VAR,
                                 names[i].name, type[i], NULL);
        names[i].node = tg_node_hold(tg_node_cell(&rt, c));
        tg_cell_drop(c);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    tg_rt_free(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static tg_node *build(const char *text) {
    tg_node *n = tg_rule_build(&rt, text, NAMES, names);
    if (!n) fail_msg("%s: %s", text, rt.c.diag.msg);
    return n;
}

static void same(const char *const *text, size_t count) {
    for (size_t i = 0; i < count; i++) {
        tg_str s = {0};
        tg_node *n = build(text[i]);
        assert_true(tg_node_print(&rt, &s, n, false));
        assert_string_equal(tg_str_text(&s), text[i]);
        assert_ptr_equal(build(tg_str_text(&s)), n);
        tg_str_free(&s);
    }
}

#define SAME(...)                                                                                  \
    do {                                                                                           \
        static const char *const text[] = {__VA_ARGS__};                                           \
        same(text, sizeof text / sizeof *text);                                                    \
    } while (0)

static void operators_read_back(void **state) {
    (void)state;
    SAME("2 * a * sin(a) + a^2 * cos(a)", "a - b - a", "a - (b - a)", "a + (b + a)", "(a + b) * a",
         "a / (b * a)", "a / b / a", "a % b", "-a^2", "(-a)^2", "a^b^a", "(a^b)^a", "a^(-1)",
         "a^(b - 1)", "a - (-b)", "a + (-b)", "-(a * b)", "-a * b", "-2 * a", "a * (-2)", "-(-a)",
         "a < -1", "(a < b) == (b < a)", "not a < b and a == b", "not (a < b and a == b)",
         "a < b or b < a and a != b", "(a < b or b < a) and a != b", "1e-12 * a");
}

static void products_and_transposes_read_back(void **state) {
    (void)state;
    SAME("X' @ (X - Y)", "(A + A')'", "A'^2", "A @ v", "v @ A @ v", "v @ v", "-X' @ Y",
         "2 * A' @ (A @ v - v)", "transpose(A, axes=(0, 1))", "outer(v, v)", "trace(A)",
         "sum(A, axis=0, keep=true)'");
}

static void calls_read_back(void **state) {
    (void)state;
    SAME("sum(X)", "sum(Y, axis=1, keep=true)", "mean(X, keep=true)", "max(a, b)", "max(X, axis=0)",
         "softmax(X)", "softmax(X, axis=0)", "where(a < b, a, b)", "clip(a, 0, 1)", "reshape(A, 9)",
         "reshape(X, -1)", "expand(v, (3, 3))", "tril(A, k=-1)", "argmax(X, axis=1)",
         "concat([A, A], axis=1)", "stack([v, v])", "zeros(3, 3) + A", "tile(A, 2, 1)",
         "place(a, 3, 0)", "place(a, (2, 3), (1, 0))", "place(v, (3, 3), 2)",
         "place(v, (3, 3), 2, axis=1)", "embed(v, 0, 1, 5)", "a + pi", "-pi * a");
}

static void indices_read_back(void **state) {
    (void)state;
    SAME("A[0]", "A[1:, 0]", "X[:, ::2]", "X[1:]", "X[:-1]", "X[::-1]", "v[::2]", "A'[0]^2",
         "(A + A)[0]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_read_back),
        cmocka_unit_test(products_and_transposes_read_back),
        cmocka_unit_test(calls_read_back),
        cmocka_unit_test(indices_read_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
