/* What is said of a large tensor in a line, against the same computed plainly: any type, strides of
 * any kind, whatever is not finite, sums that would drown in rounding, and Ctrl-C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "interp/show_tensor.h"

#include <math.h>
#include <string.h>

static tg_rt rt;

static int setup(void **state) {
    (void)state;
    return tg_ctx_init(&rt.c) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    tg_ctx_free(&rt.c);
    return 0;
}

static double random_number(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 40) / (double)(1 << 24);
}

static bool close_to(double a, double b) {
    return fabs(a - b) <= 1e-12 * (fabs(a) + fabs(b));
}

static void assert_summary(const tg_view *v) {
    tg_summary s, want = {.lo = INFINITY, .hi = -INFINITY};
    long double sum = 0, squares = 0;
    for (int64_t i = 0; i < tg_view_count(v); i++) {
        double x = tg_view_get(v, i);
        want.nans += isnan(x);
        want.ups += isinf(x) && x > 0;
        want.downs += isinf(x) && x < 0;
        want.zeros += x == 0;
        if (!isfinite(x)) continue;
        want.n++;
        sum += x;
        if (x < want.lo) want.lo = x;
        if (x > want.hi) want.hi = x;
    }
    sum /= (long double)want.n;
    for (int64_t i = 0; i < tg_view_count(v); i++) {
        long double x = tg_view_get(v, i);
        if (isfinite(x)) squares += (x - sum) * (x - sum);
    }
    assert_true(tg_summary_gather(&rt, v, &s));
    assert_int_equal(s.n, want.n);
    assert_int_equal(s.zeros, want.zeros);
    assert_int_equal(s.nans, want.nans);
    assert_int_equal(s.ups, want.ups);
    assert_int_equal(s.downs, want.downs);
    if (want.n == 0) return;
    assert_true(s.lo == want.lo && s.hi == want.hi);
    assert_true(close_to(s.mean, (double)sum));
    assert_true(close_to(s.std, (double)sqrtl(squares / (long double)want.n)));
}

static void any_type_and_stride(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int type = 0; type < TG_DTYPES; type++) {
        for (int64_t columns = 1; columns < 2000; columns = columns * 3 + 1) {
            const int64_t dim[] = {7, columns, 3};
            tg_tensor *t = tg_tensor_new(&rt.c, (tg_dtype)type, 3, dim);
            assert_non_null(t);
            for (int64_t i = 0; i < tg_view_count(&t->v); i++) {
                double x = floor(200 * random_number(&seed)) / (type >= TG_F32 ? 8 : 1);
                bool odd = type >= TG_F32 && x < 0.5;
                tg_view_set(&t->v, i,
                            !odd      ? x
                            : x == 0  ? NAN
                            : x < 0.2 ? INFINITY
                            : x < 0.3 ? -INFINITY
                                      : 0);
            }
            assert_summary(&t->v);
            tg_view turned = t->v; /* the last axis first, and backwards */
            turned.dim[0] = 3, turned.stride[0] = t->v.stride[2];
            turned.dim[2] = 7, turned.stride[2] = -t->v.stride[0];
            turned.data =
                (char *)t->v.data + 6 * t->v.stride[0] * (int64_t)tg_dtype_size((tg_dtype)type);
            assert_summary(&turned);
            turned.stride[1] = 0; /* repeated */
            assert_summary(&turned);
            tg_tensor_drop(t);
        }
    }
}

static void rounding_takes_nothing(void **state) {
    (void)state;
    tg_summary s;
    tg_tensor *t = tg_tensor_new(&rt.c, TG_F64, 1, (int64_t[]){3000});
    assert_non_null(t);
    double *x = t->v.data;
    for (int i = 0; i < 3000; i++) x[i] = i % 3 == 0 ? 1e16 : i % 3 == 1 ? 1 : -1e16;
    assert_true(tg_summary_gather(&rt, &t->v, &s));
    assert_true(s.mean == 1000.0 / 3000);
    for (int i = 0; i < 3000; i++) x[i] = 1e9 + i % 2; /* a deviation of a half */
    assert_true(tg_summary_gather(&rt, &t->v, &s));
    assert_true(s.mean == 1e9 + 0.5 && close_to(s.std, 0.5));
    tg_tensor_drop(t);
}

static void stops_when_interrupted(void **state) {
    (void)state;
    tg_summary s;
    const double one = 1; /* as many as one likes of it */
    tg_view many = {.data = (void *)(uintptr_t)&one,
                    .dtype = TG_F64,
                    .rank = 2,
                    .dim = {1 << 30, 1 << 30},
                    .stride = {0, 0}};
    rt.c.interrupted = 1;
    assert_false(tg_summary_gather(&rt, &many, &s));
    assert_int_equal(rt.c.diag.kind, TG_ERR_INTERRUPT);
    tg_clear(&rt.c);
}

static void expect_line(const tg_view *v, const tg_layout *l, int width, const char *want) {
    tg_summary s;
    tg_str out = {0};
    assert_true(tg_summary_gather(&rt, v, &s));
    tg_summary_add(v, &s, l, width, &out);
    assert_string_equal(tg_str_text(&out), want);
    tg_str_free(&out);
}

static void lines_are_broken(void **state) {
    (void)state;
    double x[] = {0, -1.5, NAN, 3, INFINITY, 0};
    tg_view v;
    tg_view_init(&v, x, TG_F64, 2, (int64_t[]){2, 3});
    expect_line(&v, &(tg_layout){.style = TG_STYLE_SHORT}, 100,
                "[2, 3] double, min -1.5, mean 0.375, max 3, std 1.6346, 1 nan, 1 inf, 50% zeros");
    expect_line(&v, &(tg_layout){.style = TG_STYLE_SHORT, .indent = 4}, 40,
                "[2, 3] double, min -1.5, mean 0.375,\n      max 3, std 1.6346, 1 nan, 1 inf,\n"
                "      50% zeros");
    expect_line(&v, &(tg_layout){.style = TG_STYLE_SHORT, .inlined = true}, 10,
                "[2, 3] double, min -1.5, mean 0.375, max 3, std 1.6346, 1 nan, 1 inf, 50% zeros");
    expect_line(&v, &(tg_layout){.style = TG_STYLE_SCI, .colours = true}, 100,
                "[2, 3] double, min -1.5000e+00, mean 3.7500e-01, max 3, std 1.6346e+00, "
                "\033[33m1 nan\033[0m, \033[33m1 inf\033[0m, 50% zeros");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_type_and_stride),
        cmocka_unit_test(rounding_takes_nothing),
        cmocka_unit_test(stops_when_interrupted),
        cmocka_unit_test(lines_are_broken),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
