/* Symbolic sizes: normal form, exact division, binding, evaluation and how they print. */
#include "runtime/graph/size.h"
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static tg_rt rt;
static tg_size N, M;

static int setup(void **state) {
    (void)state;
    rt = (tg_rt){.precision = TG_F64};
    if (!tg_ctx_init(&rt.c) || !tg_sizes_init(&rt)) return -1;
    N = tg_size_symbol(&rt, "N");
    M = tg_size_symbol(&rt, "M");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    tg_sizes_free(&rt);
    tg_ctx_free(&rt.c);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static tg_size add(tg_size a, tg_size b) {
    return tg_size_add(&rt, a, b);
}
static tg_size sub(tg_size a, tg_size b) {
    return tg_size_sub(&rt, a, b);
}
static tg_size times(tg_size a, tg_size b) {
    return tg_size_times(&rt, a, b);
}
static tg_size divide(tg_size a, tg_size b) {
    return tg_size_divide(&rt, a, b);
}

static void prints(tg_size s, const char *want) {
    tg_str text = {0};
    tg_size_print(&rt, &text, s);
    assert_string_equal(tg_str_text(&text), want);
    tg_str_free(&text);
}

static void equal_sizes_are_the_same_number(void **state) {
    (void)state;
    assert_int_equal(tg_size_symbol(&rt, "N"), N);
    assert_int_not_equal(N, M);
    assert_int_equal(add(N, M), add(M, N));
    assert_int_equal(times(add(N, 1), add(N, 1)), add(times(N, N), add(times(2, N), 1)));
    assert_int_equal(sub(add(N, M), M), N);
    assert_int_equal(sub(N, N), 0);
    assert_int_equal(sub(add(N, 3), N), 3);
    assert_int_equal(times(N, 0), 0);
    assert_int_equal(add(2, 3), 5);
    assert_int_not_equal(tg_size_symbol(&rt, NULL), tg_size_symbol(&rt, NULL));
}

static void quotients_are_exact_or_refused(void **state) {
    (void)state;
    assert_int_equal(divide(times(784, N), N), 784);
    assert_int_equal(divide(times(784, N), 784), N);
    assert_int_equal(divide(times(28, times(N, M)), times(4, M)), times(7, N));
    assert_int_equal(divide(times(add(N, 1), add(N, M)), add(N, 1)), add(N, M));
    assert_int_equal(divide(0, N), 0);
    assert_int_equal(divide(N, M), TG_SIZE_FAIL);
    assert_int_equal(divide(add(N, 1), 2), TG_SIZE_FAIL);
    assert_int_equal(divide(N, 0), TG_SIZE_FAIL);
    assert_int_equal(divide(7, 2), TG_SIZE_FAIL);
    assert_int_equal(rt.c.diag.kind, TG_ERR_NONE);
}

static void sizes_print_as_written(void **state) {
    (void)state;
    prints(N, "N");
    prints(784, "784");
    prints(add(N, 1), "N + 1");
    prints(add(times(2, N), 1), "2*N + 1");
    prints(sub(5, N), "5 - N");
    prints(times(N, times(N, M)), "N^2*M");
    prints(tg_size_symbol(&rt, NULL), "?");
    prints(tg_size_ceil_div(&rt, add(times(2, N), 3), 2), "N + 2");
    prints(tg_size_ceil_div(&rt, N, 2), "ceil(N / 2)");
    prints(tg_size_ceil_div(&rt, add(N, 1), 2), "ceil((N + 1) / 2)");
    prints(tg_size_ceil_div(&rt, tg_size_ceil_div(&rt, N, 2), 3), "ceil(N / 6)");
    assert_string_equal(tg_shape_text(&rt, 2, (tg_size[]){N, 784}), "[N, 784]");
    assert_string_equal(tg_shape_text(&rt, 0, NULL), "[]");
}

static void data_bind_symbols(void **state) {
    (void)state;
    tg_size_binding b = {0};
    assert_true(tg_size_bind(&rt, &b, "X", 2, (tg_size[]){N, 784}, 2, (int64_t[]){100, 784}));
    assert_int_equal(tg_size_eval(&rt, &b, add(times(2, N), 1)), 201);
    assert_int_equal(tg_size_eval(&rt, &b, tg_size_ceil_div(&rt, add(N, 1), 2)), 51);
    assert_int_equal(tg_size_eval(&rt, NULL, 7), 7);
    assert_false(tg_size_bind(&rt, &b, "Y", 2, (tg_size[]){N, 10}, 2, (int64_t[]){50, 10}));
    assert_string_equal(rt.c.diag.msg, "N is 100 in X but 50 in Y");
    assert_false(tg_size_bind(&rt, &b, "X", 2, (tg_size[]){N, 784}, 2, (int64_t[]){100, 10}));
    assert_string_equal(rt.c.diag.msg, "X is declared [N, 784] but the data are [100, 10]");
    assert_false(tg_size_bind(&rt, &b, "X", 2, (tg_size[]){N, 784}, 1, (int64_t[]){100}));
    assert_string_equal(rt.c.diag.msg, "X is declared [N, 784] but the data are [100]");
    assert_int_equal(rt.c.diag.kind, TG_ERR_SHAPE);
    assert_int_equal(tg_size_eval(&rt, &b, M), TG_SIZE_FAIL);
    assert_int_equal(rt.c.diag.kind, TG_ERR_DATA);
    assert_int_equal(tg_size_eval(&rt, &b, sub(N, 101)), TG_SIZE_FAIL);
    assert_int_equal(rt.c.diag.kind, TG_ERR_SHAPE);
    tg_clear(&rt.c);
    tg_size_binding_free(&b);
}

static void compound_dims_are_solved_or_checked(void **state) {
    (void)state;
    tg_size_binding b = {0};
    tg_size shape[] = {add(times(2, N), 1), N};
    assert_true(tg_size_bind(&rt, &b, "X", 1, shape, 1, (int64_t[]){21}));
    assert_int_equal(tg_size_eval(&rt, &b, N), 10);
    assert_true(tg_size_bind(&rt, &b, "Y", 2, shape, 2, (int64_t[]){21, 10}));
    tg_size_binding_free(&b);
    assert_false(tg_size_bind(&rt, &b, "X", 1, shape, 1, (int64_t[]){22}));
    assert_string_equal(rt.c.diag.msg, "X is declared [2*N + 1] but the data are [22]");
    assert_false(tg_size_bind(&rt, &b, "X", 2, shape, 2, (int64_t[]){21, 9}));
    tg_clear(&rt.c);
    tg_size_binding_free(&b);
}

static void symbols_are_listed_once(void **state) {
    (void)state;
    tg_size_binding set = {0};
    assert_true(tg_size_symbols(&rt, &set, add(times(N, M), tg_size_ceil_div(&rt, add(N, 1), 2))));
    assert_true(tg_size_symbols(&rt, &set, M));
    assert_int_equal(set.n, 2);
    assert_string_equal(tg_size_symbol_name(&rt, set.items[0].symbol), "N");
    tg_size_binding_free(&set);
}

static void overflow_is_an_error(void **state) {
    (void)state;
    tg_size_binding b = {0};
    assert_int_equal(times(INT64_MAX, 2), TG_SIZE_FAIL);
    assert_int_equal(rt.c.diag.kind, TG_ERR_SHAPE);
    assert_int_equal(add(INT64_MAX, 1), TG_SIZE_FAIL);
    assert_int_equal(times(times(INT64_MAX, N), 2), TG_SIZE_FAIL);
    assert_int_equal(sub(3, 5), TG_SIZE_FAIL);
    assert_true(tg_size_bind(&rt, &b, "X", 1, &N, 1, (int64_t[]){INT64_MAX / 2}));
    assert_int_equal(tg_size_eval(&rt, &b, times(3, N)), TG_SIZE_FAIL);
    tg_size_binding_free(&b);
    tg_size s = N;
    for (int i = 0; i < 40 && s != TG_SIZE_FAIL; i++) s = times(s, s);
    assert_int_equal(s, TG_SIZE_FAIL);
    tg_clear(&rt.c);
}

static void nested_ceils_cost_their_parts(void **state) {
    (void)state;
    tg_size_binding b = {0};
    tg_size s = N;
    for (int i = 0; i < 200; i++) s = tg_size_ceil_div(&rt, add(times(3, s), add(s, 1)), 7);
    assert_int_not_equal(s, TG_SIZE_FAIL);
    assert_true(tg_size_bind(&rt, &b, "X", 1, &N, 1, (int64_t[]){1000}));
    assert_int_equal(tg_size_eval(&rt, &b, s), 2); /* ceil((4 * 2 + 1) / 7) */
    tg_size_binding_free(&b);
}

static void no_memory_is_an_error(void **state) {
    (void)state;
    for (uint64_t n = 1; n < 40; n++) {
        tg_rt r = {.precision = TG_F64};
        tg_size_binding b = {0};
        assert_true(tg_ctx_init(&r.c));
        tg_alloc_fail_at(n);
        bool ok = tg_sizes_init(&r);
        tg_size a = ok ? tg_size_symbol(&r, "A") : TG_SIZE_FAIL, s = a;
        for (int i = 0; i < 70 && s != TG_SIZE_FAIL; i++) s = tg_size_add(&r, s, a);
        ok = ok && s != TG_SIZE_FAIL && tg_size_bind(&r, &b, "X", 1, &a, 1, (int64_t[]){3});
        ok = ok && tg_size_eval(&r, &b, s) == 71 * 3;
        tg_alloc_fail_at(0);
        if (!ok) assert_int_equal(r.c.diag.kind, TG_ERR_MEMORY);
        tg_size_binding_free(&b);
        tg_sizes_free(&r);
        tg_ctx_free(&r.c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sizes_are_the_same_number),
        cmocka_unit_test(quotients_are_exact_or_refused),
        cmocka_unit_test(sizes_print_as_written),
        cmocka_unit_test(data_bind_symbols),
        cmocka_unit_test(compound_dims_are_solved_or_checked),
        cmocka_unit_test(symbols_are_listed_once),
        cmocka_unit_test(overflow_is_an_error),
        cmocka_unit_test(nested_ceils_cost_their_parts),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
