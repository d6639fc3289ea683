/* What :time, :profile and :mem stand on: which statements run again, the counts of calls, bytes
 * and operations of known formulas, and what is left behind: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/ops/machine.h"
#include "runtime/ops/op.h"
#include "tg.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void ignore(void *user, const char *text, size_t len) {
    (void)user;
    (void)text;
    (void)len;
}

static tg_state *session(const char *text) {
    tg_state *s = tg_open(&(tg_options){.write = ignore});
    assert_non_null(s);
    if (tg_run(s, "test", text, TG_QUIET) != TG_DONE) fail_msg("%s", tg_error(s));
    return s;
}

static tg_timing time_of(tg_state *s, const char *text) {
    tg_timing t;
    if (tg_time(s, text, strlen(text), 0, &t) != TG_DONE) fail_msg("%s", tg_error(s));
    assert_true(t.best > 0 && t.best <= t.first && t.compiling <= t.first);
    return t;
}

static void test_what_runs_again(void **state) {
    (void)state;
    tg_state *s = session("x = var(1); n = 0; f() = { n := n + 1; n }; A = rand(40, 40)");
    double n;
    assert_true(time_of(s, "A @ A").runs > 2);
    assert_true(time_of(s, "x^2 + 1").runs > 2);
    assert_int_equal(time_of(s, "x := x + 1").runs, 1);
    assert_int_equal(time_of(s, "y = x^2").runs, 1);
    assert_int_equal(time_of(s, "f()").runs, 1);
    assert_int_equal(time_of(s, "print(x)").runs, 1);
    assert_int_equal(time_of(s, "1; 2").runs, 1);
    tg_get_number(s, "n", &n);
    assert_true(n == 1);
    tg_get_number(s, "x", &n);
    assert_true(n == 2);
    tg_close(s);
}

/* Two matrices of 40 x 40 doubles live at the most: A is there, A @ A and its exp are new. */
static void test_memory_of_a_run(void **state) {
    (void)state;
    tg_state *s = session("A = rand(40, 40)");
    const size_t matrix = 40 * 40 * sizeof(double);
    size_t bytes = time_of(s, "exp(A @ A)").bytes;
    assert_in_range(bytes, 2 * matrix, 2 * matrix + 8192);
    tg_close(s);
}

static void test_unfinished(void **state) {
    (void)state;
    tg_state *s = session("");
    tg_timing t;
    tg_profile_report p;
    assert_int_equal(tg_time(s, "f(", 2, TG_MAY_GO_ON, &t), TG_MORE);
    assert_string_equal(tg_error(s), "");
    assert_int_equal(tg_time(s, "f(", 2, 0, &t), TG_FAILED);
    assert_int_equal(tg_profile_run(s, "[1", 2, TG_MAY_GO_ON, &p), TG_MORE);
    assert_int_equal(tg_profile_run(s, "nobody", 6, 0, &p), TG_FAILED);
    assert_int_equal(p.n, 0);
    tg_close(s);
}

/* ---- profile ---- */

static tg_profile_report profile_of(tg_state *s, const char *text) {
    tg_profile_report p;
    if (tg_profile_run(s, text, strlen(text), 0, &p) != TG_DONE) fail_msg("%s", tg_error(s));
    double seconds = 0;
    for (size_t i = 0; i < p.n; i++) {
        assert_true(p.rows[i].calls > 0 && p.rows[i].seconds >= 0);
        if (i) assert_true(p.rows[i - 1].seconds >= p.rows[i].seconds);
        seconds += p.rows[i].seconds;
    }
    assert_true(seconds <= p.inside * 1.000001 && p.inside <= p.seconds);
    return p;
}

/* The row of that kind, the only one. */
static const tg_profile_row *row_of(const tg_profile_report *p, const char *kind) {
    const tg_profile_row *found = NULL;
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->rows[i].kind, kind) == 0) {
            if (found) fail_msg("two rows of %s", kind);
            found = &p->rows[i];
        }
    if (!found) fail_msg("no row of %s", kind);
    return found;
}

static void test_counts_on_values(void **state) {
    (void)state;
    tg_state *s = session("A = rand(30, 20); B = rand(20, 10); C = rand(25, 25)");
    tg_profile_report p = profile_of(s, "repeat 7 { A @ B }");
    const tg_profile_row *r = row_of(&p, "matmul");
    assert_int_equal(r->calls, 7);
    assert_true(r->flops == 7 * 2.0 * 30 * 20 * 10);
    assert_true(r->bytes == 7 * 8.0 * (30 * 20 + 20 * 10 + 30 * 10));
    assert_string_equal(r->formula, "[30, 20], [20, 10]");
    p = profile_of(s, "inv(C)");
    assert_true(row_of(&p, "inv")->flops == 2.0 * 25 * 25 * 25);
    p = profile_of(s, "sum(C, axis=1)");
    r = row_of(&p, "sum");
    assert_true(r->flops == 25 * 25 && r->bytes == 8 * (25 * 25 + 25));
    p = profile_of(s, "C + 1");
    r = row_of(&p, "add"); /* the number counts once */
    assert_true(r->flops == 25 * 25 && r->bytes == 8 * (2 * 25 * 25 + 1));
    tg_close(s);
}

static void test_counts_in_plans(void **state) {
    (void)state;
    tg_state *s = session("precision single; input X[N, 8]; W = var(ones(8, 3)); X := rand(50, 8);"
                          "P = softmax(X @ W)");
    tg_profile_report p = profile_of(s, "repeat 4 { Q := P }");
    const tg_profile_row *r = row_of(&p, "matmul");
    assert_int_equal(r->calls, 4);
    assert_true(r->flops == 4 * 2.0 * 50 * 8 * 3);
    assert_true(r->bytes == 4 * 4.0 * (50 * 8 + 8 * 3 + 50 * 3));
    assert_string_equal(r->formula, "X @ W");
    assert_true(p.compiling > 0);
    r = row_of(&p, "softmax");
    assert_int_equal(r->calls, 4);
    assert_true(r->bytes == 4 * 4.0 * 2 * 50 * 3);
    p = profile_of(s, "Q := P");
    assert_true(p.compiling == 0); /* it is found compiled */
    tg_close(s);
}

/* Every record gives a count that is no nonsense. */
static void test_records(void **state) {
    (void)state;
    double x[16] = {0};
    const int64_t dim[2] = {4, 4};
    tg_view v[4];
    for (int i = 0; i < 4; i++) tg_view_init(&v[i], x, TG_F64, 2, dim);
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        double flops = tg_op_flops(op, 2, v, &v[2]);
        if (!(flops >= 0 && flops < 16 * 300)) fail_msg("%s: %g", op->name, flops);
        if (op->class == TG_CLASS_ELEMENTWISE && flops < 16) fail_msg("%s: %g", op->name, flops);
        if (op->class == TG_CLASS_VIEW && flops > 0) fail_msg("%s: %g", op->name, flops);
    }
}

static void test_what_binds(void **state) {
    (void)state;
    const tg_machine m = {.flops = {200, 100}, .cached = 50, .memory = 10};
    assert_true(tg_machine_least(&m, TG_F32, 400, 10) == 2);
    assert_true(tg_machine_least(&m, TG_F64, 400, 10) == 4);
    assert_true(tg_machine_least(&m, TG_F64, 100, 100) == 2);
    assert_true(tg_machine_least(&m, TG_F64, 0, 1e9) == 1e8); /* more than a cache holds */
    assert_true(tg_machine_least(&(tg_machine){0}, TG_F64, 1, 1) == 0);
}

static void test_holdings(void **state) {
    (void)state;
    tg_state *s = session("");
    tg_holdings before, after;
    tg_memory_held(s, &before);
    assert_int_equal(before.names, 0);
    tg_run(s, "test", "A = ones(100, 10); B = A; r = {a: A, x: var(ones(5))}; A @ A' * 2;",
           TG_ECHO);
    tg_memory_held(s, &after);
    assert_int_equal(after.names, 8 * (1000 + 5));
    assert_true(after.total > before.total && after.peak >= after.total);
    tg_close(s);
}

static void test_nothing_leaks(void **state) {
    (void)state;
    for (uint64_t n = 1; n < 400; n += 7) {
        size_t live = tg_alloc_get_stats().live_blocks;
        tg_state *s = session("x = var(ones(3)); y = exp(x) * 2");
        tg_profile_report p;
        tg_timing t;
        tg_holdings h;
        tg_alloc_fail_at(n);
        tg_profile_run(s, "y := y + 1; y @ y", 17, 0, &p);
        tg_time(s, "y := y + 1", 10, 0, &t);
        tg_memory_held(s, &h);
        tg_alloc_fail_at(0);
        tg_close(s);
        assert_int_equal(tg_alloc_get_stats().live_blocks, live);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_runs_again), cmocka_unit_test(test_memory_of_a_run),
        cmocka_unit_test(test_unfinished),      cmocka_unit_test(test_counts_on_values),
        cmocka_unit_test(test_counts_in_plans), cmocka_unit_test(test_records),
        cmocka_unit_test(test_what_binds),      cmocka_unit_test(test_holdings),
        cmocka_unit_test(test_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
