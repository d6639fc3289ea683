/* Arithmetic on plain numbers: the same to the bit as the rows of elementwise.def, and without a
 * request for memory a turn or a call, whether the tree runs it or number code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "interp/scalar.h"
#include "runtime/ops/elementwise.h"
#include "tg.h"

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* One by the operation's kernel. */
static double by_row(const tg_op *op, double a, double b, bool truth) {
    double x = 0;
    uint8_t t = 0;
    char *p[3] = {truth ? (char *)&t : (char *)&x, (char *)&a, (char *)&b};
    const int64_t step[3] = {truth ? 1 : 8, 8, 8};
    tg_elementwise_inner(op, TG_F64)(1, p, step);
    return truth ? t : x;
}

static void operators_are_the_rows(void **state) {
    (void)state;
    static const char *const row[][2] = {{"+", "add"}, {"-", "sub"}, {"*", "mul"}, {"/", "div"},
                                         {"%", "mod"}, {"^", "pow"}, {"<", "lt"},  {"<=", "le"},
                                         {">", "gt"},  {">=", "ge"}, {"==", "eq"}, {"!=", "ne"}};
    static const double x[] = {0,        -0.0,      1,      -1,  2,    -2,          3,
                               0.5,      -7.25,     1e-300, 1e9, 7e15, -1e9,        4e18,
                               INFINITY, -INFINITY, NAN,    0.1, 10,   4294967295.0};
    enum { ROWS = sizeof row / sizeof *row, COUNT = sizeof x / sizeof *x };
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < COUNT; i++)
            for (int k = 0; k < COUNT; k++) {
                tg_value v = tg_scalar(tg_way_of(row[r][0]), x[i], x[k]);
                bool truth = v.tag == TG_V_BOOL;
                double want = by_row(tg_op_find(row[r][1]), x[i], x[k], truth);
                if (!same_bits(truth ? v.as.truth : v.as.number, want))
                    fail_msg("%g %s %g", x[i], row[r][0], x[k]);
            }
}

/* Powers that are no short products: the kernel computes many at once, and this one. */
static void powers_are_the_row(void **state) {
    (void)state;
    const tg_op *op = tg_op_find("pow");
    for (int i = 1; i < 3000; i++) {
        double a = 0.003 * i, b = 20 * sin(7 * i);
        if (!same_bits(tg_scalar(tg_way_of("^"), a, b).as.number, by_row(op, a, b, false)))
            fail_msg("%.17g ^ %.17g", a, b);
    }
    for (int a = 2; a < 1000; a++) { /* whole powers are exact */
        double p = (double)a * a * a;
        for (int b = 4; (p *= a) < 0x1p53; b++)
            assert_true(tg_scalar(tg_way_of("^"), a, b).as.number == p);
    }
}

static uint64_t requests_of(tg_state *s, const char *body, int turns) {
    char text[300];
    snprintf(text, sizeof text, "for i in 1..%d { %s }", turns, body);
    tg_alloc_reset_stats();
    assert_int_equal(tg_run(s, "test", text, TG_QUIET), TG_DONE);
    return tg_alloc_get_stats().requests;
}

static void turns_take_no_memory(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "s = s + i*0.5 - s*1e-9", /* number code */
        "s += f(i); if s > 9 { s -= 9 }",
        "n := 5; while n > 1 { n -= 1 }",
        "b = i > 3; s = s + x[i % 9] * max(i, 3)",
        "x[i % 9] += 1; b = 1 < i < 9",
        "s = s + i*0.5; none", /* the tree */
        "b = i > 3; s += f(i)",
        "b = i > 3; s += h(i, 2)",
        "b = not b; x[3] := i",
        "b = not b; if b and s > 5 { s = -s } else { s += 1 }",
    };
    tg_state *s = tg_open(NULL);
    assert_non_null(s);
    assert_int_equal(tg_run(s, "test",
                            "s = 0; n = 0; b = true; x = zeros(9); f(x) = 2 * x + 1\n"
                            "h(x, k) = { b = x > k; y = x * k; if b { return y }; y - 1 }",
                            TG_QUIET),
                     TG_DONE);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        requests_of(s, bodies[i], 100);
        uint64_t few = requests_of(s, bodies[i], 100), many = requests_of(s, bodies[i], 10000);
        if (many > few) fail_msg("%s: %d more", bodies[i], (int)(many - few));
    }
    tg_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_are_the_rows),
        cmocka_unit_test(powers_are_the_row),
        cmocka_unit_test(turns_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
