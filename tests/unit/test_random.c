/* The generator: known answers of Philox4x32-10 (the Random123 distribution's kat_vectors), what a
 * draw depends on, and how numbers are distributed, each with a bound that chance passes about once
 * in a million times; the seed is fixed. */
#include "calls.h"

#include "runtime/ops/random.h"

static void test_known_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        tg_philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

/* A draw from a given stream. */
static tg_tensor *draw(const char *name, int nargs, const tg_arg *args, uint64_t stream,
                       bool live) {
    tg_bound b;
    rt.live_draws = live;
    bool ok = tg_op_bind(&rt, tg_op_find(name), nargs, args, NULL, NULL, &b);
    rt.live_draws = false;
    assert_true(ok);
    assert_int_equal(b.at.v[b.at.n - 1], live);
    b.at.v[b.at.n - 2] = (int64_t)stream;
    tg_tensor *t = tg_op_apply(&rt, b.op, 0, NULL, NULL, &b.at);
    assert_non_null(t);
    tg_bound_free(&b);
    return t;
}

static tg_arg number(double x) {
    return (tg_arg){.kind = TG_ARG_NUMBER, .number = x};
}

static tg_tensor *draw_many(const char *name, int64_t n, uint64_t stream) {
    tg_arg size = number((double)n);
    return draw(name, 1, &size, stream, false);
}

static bool equal(const tg_tensor *a, const tg_tensor *b, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (tg_view_get(&a->v, i) != tg_view_get(&b->v, i)) return false;
    return true;
}

static void test_what_a_draw_depends_on(void **state) {
    (void)state;
    static const char *const names[] = {"rand", "randn"};
    for (int k = 0; k < 2; k++) {
        tg_tensor *a = draw_many(names[k], 101, 5), *b = draw_many(names[k], 101, 5);
        tg_tensor *other = draw_many(names[k], 101, 6), *shorter = draw_many(names[k], 50, 5);
        assert_true(equal(a, b, 101));
        assert_true(equal(a, shorter, 50)); /* an element knows nothing of how many there are */
        assert_false(equal(a, other, 3));
        rt.seed++;
        tg_tensor *seeded = draw_many(names[k], 101, 5);
        rt.seed--;
        assert_false(equal(a, seeded, 3));
        rt.precision = TG_F32;
        tg_tensor *single = draw_many(names[k], 101, 5);
        rt.precision = TG_F64;
        assert_int_equal(single->v.dtype, TG_F32);
        for (int64_t i = 0; i < 101; i++)
            assert_true(fabs(tg_view_get(&single->v, i) - tg_view_get(&a->v, i)) < 5e-7);
        tg_tensor *all[] = {a, b, other, shorter, seeded, single};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) tg_tensor_drop(all[i]);
    }
}

static void test_live_draws_follow_the_tick(void **state) {
    (void)state;
    tg_arg size = number(10);
    tg_tensor *a = draw("rand", 1, &size, 5, true), *same = draw("rand", 1, &size, 5, true);
    rt.tick++;
    tg_tensor *next = draw("rand", 1, &size, 5, true), *fixed = draw("rand", 1, &size, 5, false);
    rt.tick--;
    tg_tensor *fixed_before = draw("rand", 1, &size, 5, false);
    assert_true(equal(a, same, 10));
    assert_false(equal(a, next, 10));
    assert_true(equal(fixed, fixed_before, 10));
    assert_false(equal(a, fixed, 10));
    tg_tensor *all[] = {a, same, next, fixed, fixed_before};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tg_tensor_drop(all[i]);
}

static void test_moments(void **state) {
    (void)state;
    enum { N = 100000 };
    tg_tensor *u = draw_many("rand", N, 1), *g = draw_many("randn", N, 2);
    double mean = 0, square = 0, m[5] = {0}, between = 0;
    for (int64_t i = 0; i < N; i++) {
        double x = tg_view_get(&u->v, i), y = tg_view_get(&g->v, i);
        assert_true(x >= 0 && x < 1);
        mean += x / N, square += x * x / N;
        for (int k = 1; k <= 4; k++) m[k] += pow(y, k) / N;
        if (i > 0) between += y * tg_view_get(&g->v, i - 1) / N;
    }
    double bound = 5 / sqrt((double)N); /* in standard deviations of a mean */
    assert_true(fabs(mean - 0.5) < bound * 0.289 && fabs(square - 1.0 / 3) < bound * 0.3);
    assert_true(fabs(m[1]) < bound && fabs(m[2] - 1) < bound * sqrt(2));
    assert_true(fabs(m[3]) < bound * sqrt(15) && fabs(m[4] - 3) < bound * sqrt(96));
    assert_true(fabs(between) < bound);
    tg_tensor_drop(u);
    tg_tensor_drop(g);
}

static void test_whole_numbers(void **state) {
    (void)state;
    enum { N = 60000 };
    tg_arg args[3] = {number(-2), number(4), number(N)};
    tg_tensor *t = draw("randint", 3, args, 3, false);
    assert_int_equal(t->v.dtype, TG_I64);
    int count[6] = {0};
    for (int64_t i = 0; i < N; i++) {
        double x = tg_view_get(&t->v, i);
        assert_true(x >= -2 && x < 4);
        count[(int)x + 2]++;
    }
    double chi = 0;
    for (int i = 0; i < 6; i++) chi += pow(count[i] - N / 6.0, 2) / (N / 6.0);
    assert_true(chi < 36); /* 5 degrees of freedom */
    tg_tensor_drop(t);
    args[1] = number(-2);
    tg_bound b;
    assert_true(tg_op_bind(&rt, tg_op_find("randint"), 2, args, NULL, NULL, &b));
    assert_null(tg_op_apply(&rt, b.op, 0, NULL, NULL, &b.at));
    assert_int_equal(rt.c.diag.kind, TG_ERR_VALUE);
    tg_clear(&rt.c);
    tg_bound_free(&b);
}

static void test_permutations(void **state) {
    (void)state;
    int order[6] = {0};
    for (uint64_t stream = 0; stream < 6000; stream++) {
        tg_tensor *t = draw_many("permutation", 3, stream);
        const int64_t *p = t->v.data;
        assert_int_equal(1 << p[0] | 1 << p[1] | 1 << p[2], 7);
        order[p[0] * 2 + (p[1] > p[2])]++;
        tg_tensor_drop(t);
    }
    double chi = 0;
    for (int i = 0; i < 6; i++) chi += pow(order[i] - 1000.0, 2) / 1000;
    assert_true(chi < 36);
    tg_tensor *none = draw_many("permutation", 0, 1), *one = draw_many("permutation", 1, 1);
    assert_true(none->v.dim[0] == 0 && one->v.dim[0] == 1 && tg_view_get(&one->v, 0) == 0);
    tg_tensor_drop(none);
    tg_tensor_drop(one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_what_a_draw_depends_on),
        cmocka_unit_test(test_live_draws_follow_the_tick),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_permutations),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
