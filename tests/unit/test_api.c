/* The embedding interface: values in and out, statuses, and what a session promises: a failed line
 * changes nothing, and a loop neither grows the graph nor compiles again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "tg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char output[4096];

static void collect(void *user, const char *text, size_t len) {
    (void)user;
    size_t used = strlen(output);
    if (used + len >= sizeof output) len = sizeof output - used - 1;
    memcpy(output + used, text, len);
    output[used + len] = 0;
}

static tg_state *session(void) {
    output[0] = 0;
    tg_state *s = tg_open(&(tg_options){.write = collect});
    assert_non_null(s);
    assert_string_equal(tg_error(s), "");
    return s;
}

static double number(tg_state *s, const char *name) {
    double x = NAN;
    if (tg_get_number(s, name, &x) != TG_DONE) print_message("%s\n", tg_error(s));
    return x;
}

static void run(tg_state *s, const char *text) {
    if (tg_run(s, "test", text, TG_QUIET) == TG_DONE) return;
    print_message("%s\n", tg_error(s));
    fail();
}

static void test_values(void **state) {
    (void)state;
    tg_state *s = session();
    run(s, "x = var(2); g = grad(x^3, x); A = [[1, 2, 3], [4, 5, 6]]");
    assert_true(number(s, "g") == 12);
    assert_int_equal(tg_set_number(s, "x", 3), TG_DONE);
    assert_true(number(s, "g") == 27);
    int rank;
    int64_t dim[8];
    double data[4] = {0};
    size_t count;
    assert_int_equal(tg_get_tensor(s, "A", &rank, dim, data, 4, &count), TG_DONE);
    assert_int_equal(rank, 2);
    assert_int_equal(dim[0], 2);
    assert_int_equal(dim[1], 3);
    assert_int_equal(count, 6);
    assert_true(data[3] == 4);
    assert_int_equal(tg_set_tensor(s, "v", 1, (int64_t[]){3}, (double[]){1, 2, 4}), TG_DONE);
    run(s, "total = sum(v)");
    assert_true(number(s, "total") == 7);
    assert_int_equal(tg_set_tensor(s, "x", 1, (int64_t[]){3}, (double[]){1, 2, 4}), TG_FAILED);
    assert_non_null(strstr(tg_error(s), "x is a number, but the value has shape [3]"));
    assert_int_equal(tg_get_number(s, "nothing", data), TG_FAILED);
    assert_int_equal(tg_set_number(s, "1x", 3), TG_FAILED);
    assert_int_equal(tg_set_number(s, "", 3), TG_FAILED);
    tg_close(s);
}

static void test_statuses(void **state) {
    (void)state;
    tg_state *s = session();
    assert_int_equal(tg_run(s, "test", "f(x) = {", TG_MAY_GO_ON), TG_MORE);
    assert_int_equal(tg_run(s, "test", "f(x) = {", TG_QUIET), TG_FAILED);
    assert_int_equal(tg_run(s, "test", "f(x) = )", TG_MAY_GO_ON), TG_FAILED);
    assert_int_equal(tg_run(s, "test", "a = 1\nb = nowhere", TG_QUIET), TG_FAILED);
    assert_non_null(strstr(tg_error(s), "test:2:5"));
    assert_true(number(s, "a") == 1);
    assert_int_equal(tg_run_file(s, "/nowhere/file.tg", TG_QUIET), TG_FAILED);
    assert_non_null(strstr(tg_error(s), "/nowhere/file.tg"));
    tg_interrupt(s);
    assert_int_equal(tg_run(s, "test", "while true { }", TG_QUIET), TG_INTERRUPTED);
    run(s, "a = 2");
    assert_int_equal(tg_run(s, "<prompt>", "a; a + 1;\na + 2", TG_ECHO), TG_DONE);
    assert_string_equal(output, "4\n");
    tg_close(s);
}

/* Every way in which a line fails leaves names, variables and inputs as they were. */
static void test_a_failed_line_changes_nothing(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "a, W := 5, [1, 2, 3]",          /* the second shape does not fit */
        "W, a := [5, 5], nowhere",       /* the second side fails */
        "a, nowhere.x := 5, 6",          /* the second target fails */
        "X, Y := zeros(3, 2), zeros(4)", /* the sizes disagree */
        "a, b := (5, 6, 7)",             /* too many values */
        "r.W, a := [1, 1, 1], 5",        /* inside a record */
        "a, W[7] := 5, 1",               /* no such place */
    };
    tg_state *s = session();
    run(s, "a = 1; b = 2; W = var([1, 2]); input X[N, 2], Y[N]; X, Y := ones(2, 2), ones(2); r = "
           "var({W: [1, 2]})");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(tg_run(s, "test", wrong[i], TG_QUIET), TG_FAILED);
        run(s, "same = a == 1 and b == 2 and all(W == [1, 2]) and sum(X) == 4 and sum(Y) == 2 and "
               "all(r.W == [1, 2])");
        if (number(s, "same") != 1) fail_msg("changed by: %s", wrong[i]);
    }
    tg_close(s);
}

static void test_loops_neither_grow_nor_recompile(void **state) {
    (void)state;
    tg_state *s = session();
    run(s, "input A[N, 3], y[N]; w = var(zeros(3)); loss = mean((A @ w - y)^2)\n"
           "A, y := ones(5, 3), ones(5); m = zeros(3)\n"
           "turn(k) = { rate = 0.01 / (1 + k); m, w := 0.9 * m + grad(loss, w), w - rate * m }\n"
           "for k in 1..3 { turn(k) }\n"
           "before = stats(); for k in 1..10000 { turn(k) }; after = stats()\n"
           "nodes = after.nodes - before.nodes; compiled = after.compiled - before.compiled");
    assert_true(number(s, "nodes") == 0);
    assert_true(number(s, "compiled") <=
                1); /* counting the nodes swept the plan of the last turn once */
    tg_close(s);
}

static void test_live_draws(void **state) {
    (void)state;
    tg_state *s = session();
    run(s, "n = fresh(randn(4)); s = sum(n); a := s; b := s; shown = value(s); again = value(s)\n"
           "ok = a != b and shown == again\n"
           "seed(7); p = rand(3); seed(7); q = rand(3); ok = ok and all(p == q)");
    assert_true(number(s, "ok") == 1);
    tg_close(s);
}

static void test_a_name_must_be_readable(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "1x", "a b", "if", "true"};
    tg_state *s = session();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tg_set_number(s, wrong[i], 1), TG_FAILED);
    assert_int_equal(tg_set_number(s, "iffy", 1), TG_DONE);
    tg_close(s);
}

static void test_files_echo_when_told(void **state) {
    (void)state;
    static const char text[] = "x = 2\nx + 1\n";
    char path[] = "/tmp/tg_echo_XXXXXX";
    tg_state *s = session();
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    assert_int_equal(tg_run_file(s, path, TG_QUIET), TG_DONE);
    assert_string_equal(output, "");
    assert_int_equal(tg_run_file(s, path, TG_ECHO), TG_DONE);
    assert_string_equal(output, "x = 2\n3\n");
    remove(path);
    tg_close(s);
}

static void test_nothing_leaks(void **state) {
    (void)state;
    size_t before = tg_alloc_get_stats().live_blocks;
    tg_state *s = session();
    run(s, "f(x) = { g(t) = t * x; g(x) }; for i in 1..100 { f(i) }\n"
           "r = {a: [1, 2], b: (1, \"two\")}; r.a[0] := 5; h = x -> (y -> x + y); k = h(1)(2)\n"
           "v = var([1, 2]); z = sum(v^2); d = grad(z, v); t = (); for i in 1..50 { t := (t, i) }");
    tg_run(s, "test", "f(", TG_QUIET);
    tg_run(s, "test", "f(1) + nothing", TG_QUIET);
    tg_close(s);
    assert_int_equal(tg_alloc_get_stats().live_blocks, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_a_failed_line_changes_nothing),
        cmocka_unit_test(test_loops_neither_grow_nor_recompile),
        cmocka_unit_test(test_live_draws),
        cmocka_unit_test(test_a_name_must_be_readable),
        cmocka_unit_test(test_files_echo_when_told),
        cmocka_unit_test(test_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
