/* Operations along axes: reductions against their naive references over shapes, masks, strides and
 * types; empties, NaN and ties; sums that keep their digits; recurrences and sorting. */
#include "kernels.h"

/* ---- along axes: against the reference ---- */

static const shape bodies[] = {
    {0},
    {1, {1}},
    {1, {17}},
    {1, {257}},
    {1, {4099}},
    {2, {3, 5}},
    {2, {70, 131}},
    {2, {200, 3}},
    {2, {1, 9}},
    {2, {9, 1}},
    {3, {4, 19, 6}},
    {3, {2, 1, 3}},
    {4, {3, 2, 5, 4}},
    {8, {2, 1, 2, 1, 3, 2, 2, 2}},
    {1, {0}},
    {2, {0, 3}},
    {2, {3, 0}},
};

/* The reference, which writes doubles. */
static tg_tensor *naive(const tg_op *op, tg_tensor *x, const tg_attrs *at, const tg_tensor *like) {
    tg_tensor *y = make(TG_F64, like->v.rank, like->v.dim);
    tg_call call = {.rt = &rt, .op = op, .n = 1, .in = &x->v, .out = &y->v, .at = at};
    assert_true(op->reference(&call));
    return y;
}

static void check_against_reference(const tg_op *op, const shape *s, tg_dtype t, int64_t mask,
                                    bool keep) {
    bool product =
        strcmp(op->name, "prod") == 0; /* of thousands: must stay in the range of single */
    tg_tensor *x =
        random_tensor(t, s->rank, s->dim, product ? 0.97 : op->lo, product ? 1.03 : op->hi);
    tg_attrs at = {.n = 2, .v = {mask, keep}};
    tg_clear(&rt.c);
    tg_tensor *y = tg_op_apply(&rt, op, 1, &x, NULL, &at);
    if (!y) { /* the largest of nothing */
        assert_int_equal(rt.c.diag.kind, TG_ERR_VALUE);
        assert_non_null(strstr(rt.c.diag.msg, "has size 0"));
        tg_tensor_drop(x);
        return;
    }
    tg_tensor *z = naive(op, x, &at, y);
    for (int64_t i = 0; i < tg_view_count(&y->v); i++) {
        double got = tg_view_get(&y->v, i), expected = tg_view_get(&z->v, i);
        if (!close_to(got, expected, t == TG_F32 ? 1e-5 : 1e-13))
            fail_msg("%s of rank %d, axes %d: %.17g is not %.17g", op->name, s->rank, (int)mask,
                     got, expected);
    }
    tg_tensor *all[] = {x, y, z};
    for (int k = 0; k < 3; k++) tg_tensor_drop(all[k]);
}

static void test_reductions_against_reference(void **state) {
    (void)state;
    const tg_op *op;
    int checked = 0;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        if (op->class != TG_CLASS_REDUCE || !op->reference) continue;
        checked++;
        for (size_t k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
            int masks = 1 << bodies[k].rank, step = bodies[k].rank > 4 ? 37 : 1;
            bool large =
                bodies[k].rank == 2 && bodies[k].dim[0] > 50; /* the reference is quadratic */
            if (large && strstr(op->name, "softmax")) continue;
            for (int mask = 0; mask < masks; mask += step) {
                if (large && mask == 0) continue;
                check_against_reference(op, &bodies[k], TG_F64, mask, mask % 2);
                check_against_reference(op, &bodies[k], TG_F32, mask, mask % 3 == 0);
            }
        }
    }
    assert_true(checked >= 9);
}

static void test_empty_reductions(void **state) {
    (void)state;
    int64_t none = 0;
    assert_true(item(along("sum", make(TG_F32, 1, &none), 1, false)) == 0);
    assert_true(item(along("prod", make(TG_F32, 1, &none), 1, false)) == 1);
    assert_true(isnan(item(along("mean", make(TG_F32, 1, &none), 1, false))));
    assert_true(item(along("any", make(TG_F32, 1, &none), 1, false)) == 0);
    assert_true(item(along("all", make(TG_F32, 1, &none), 1, false)) == 1);
    assert_true(item(along("norm", make(TG_F32, 1, &none), 1, false)) == 0);
    assert_true(item(along("logsumexp", make(TG_F32, 1, &none), 1, false)) == -INFINITY);
    static const char *const undefined[] = {"max", "min", "argmax", "argmin"};
    for (int i = 0; i < 4; i++) {
        assert_null(along(undefined[i], make(TG_F32, 2, (int64_t[]){3, 0}), 2, false));
        assert_non_null(strstr(rt.c.diag.msg, "axis 1 of the shape [3, 0] has size 0"));
        tg_tensor *y = along(undefined[i], make(TG_F32, 2, (int64_t[]){3, 0}), 1,
                             false); /* no result: nothing is missing */
        assert_non_null(y);
        tg_tensor_drop(y);
    }
}

static void test_sums_keep_their_digits(void **state) {
    (void)state;
    int64_t n = 10000000;
    tg_tensor *x = make(TG_F32, 1, &n);
    for (int64_t i = 0; i < n; i++) ((float *)x->v.data)[i] = 0.1f;
    tg_tensor_hold(x);
    assert_true(fabs(item(along("sum", x, 1, false)) - 1e6) < 0.2);
    assert_true(fabs(item(along("mean", tg_tensor_hold(x), 1, false)) - 0.1) < 2e-8);
    /* the same as the columns of a matrix, and as a strided line */
    tg_view_init(&x->v, x->v.data, TG_F32, 2, (int64_t[]){n / 10, 10});
    tg_tensor *columns = along("sum", tg_tensor_hold(x), 1, false);
    for (int i = 0; i < 10; i++) assert_true(fabs(tg_view_get(&columns->v, i) - 1e5) < 0.02);
    tg_tensor_drop(columns);
    x->v.dim[1] = 1;
    assert_true(fabs(item(along("sum", x, 3, false)) - 1e5) < 0.02);
}

static void test_nan_and_ties(void **state) {
    (void)state;
    double x[100];
    for (int i = 0; i < 100; i++) x[i] = i % 10;
    assert_true(item(along("argmax", from_doubles(TG_F32, 100, x), 1, false)) == 9);
    assert_true(item(along("argmin", from_doubles(TG_F64, 100, x), 1, false)) == 0);
    for (int i = 0; i < 100; i += 7) {
        double kept = x[i];
        x[i] = NAN;
        static const char *const ops[] = {"max", "min", "logsumexp", "norm", "sum"};
        for (int k = 0; k < 5; k++) {
            assert_true(isnan(item(along(ops[k], from_doubles(TG_F64, 100, x), 1, false))));
            assert_true(isnan(item(along(ops[k], from_doubles(TG_F32, 100, x), 1, true))));
        }
        assert_true(item(along("argmax", from_doubles(TG_F32, 100, x), 1, false)) == i);
        x[i] = kept;
    }
    /* a whole tensor: the place counts row-major, whatever the strides */
    tg_tensor *m = make(TG_F64, 2, (int64_t[]){3, 4});
    for (int64_t i = 0; i < 12; i++) tg_view_set(&m->v, i, (double)(i == 6));
    m->v.dim[0] = 4, m->v.dim[1] = 3, m->v.stride[0] = 1, m->v.stride[1] = 4;
    assert_true(item(along("argmax", m, 3, false)) == 7);
}

static void test_large_exponents(void **state) {
    (void)state;
    for (int single = 0; single < 2; single++) {
        tg_dtype t = single ? TG_F32 : TG_F64;
        static const double x[] = {1000, 0, -1000, 1000};
        tg_tensor *p =
            apply("softmax", 1, (tg_tensor *[]){from_doubles(t, 4, x)}, 1, (int64_t[]){1});
        tg_tensor *l =
            apply("logsoftmax", 1, (tg_tensor *[]){from_doubles(t, 4, x)}, 1, (int64_t[]){1});
        double half = tg_view_get(&p->v, 0), last = tg_view_get(&l->v, 2);
        assert_true(half == 0.5 && tg_view_get(&p->v, 1) == 0);
        assert_true(close_to(last, -2000 - M_LN2, 1e-6));
        assert_true(close_to(item(along("logsumexp", from_doubles(t, 4, x), 1, false)),
                             1000 + M_LN2, 1e-6));
        tg_tensor_drop(p);
        tg_tensor_drop(l);
    }
    static const double nothing[] = {-INFINITY, -INFINITY}, all[] = {INFINITY, 1};
    assert_true(item(along("logsumexp", from_doubles(TG_F64, 2, nothing), 1, false)) == -INFINITY);
    assert_true(item(along("logsumexp", from_doubles(TG_F64, 2, all), 1, false)) == INFINITY);
}

static void test_norm_over_the_range(void **state) {
    (void)state;
    static const double scale[] = {1, 1e-200, 1e200, 1e-308, 1e307, 1e-160, 4e-322};
    for (size_t i = 0; i < sizeof scale / sizeof scale[0]; i++) {
        double x[] = {3 * scale[i], -4 * scale[i]};
        double n = item(along("norm", from_doubles(TG_F64, 2, x), 1, false));
        if (scale[i] > 1e-300) assert_true(fabs(n / scale[i] - 5) < 1e-14);
        tg_tensor *u =
            apply("unit", 1, (tg_tensor *[]){from_doubles(TG_F64, 2, x)}, 1, (int64_t[]){1});
        assert_true(close_to(tg_view_get(&u->v, 0), 0.6, 1e-14) &&
                    close_to(tg_view_get(&u->v, 1), -0.8, 1e-14));
        tg_tensor_drop(u);
    }
    assert_true(item(along("norm", from_doubles(TG_F32, 2, (double[]){3e30, 4e30}), 1, false)) ==
                (double)5e30f);
    assert_true(item(along("norm", from_doubles(TG_F64, 2, (double[]){-INFINITY, 1}), 1, false)) ==
                INFINITY);
    tg_tensor *u = apply("unit", 1, (tg_tensor *[]){from_doubles(TG_F64, 2, (double[]){0, 0})}, 1,
                         (int64_t[]){1});
    assert_true(tg_view_get(&u->v, 0) == 0 && tg_view_get(&u->v, 1) == 0);
    tg_tensor_drop(u);
}

/* ---- running results, order ---- */

static void test_cumsum(void **state) {
    (void)state;
    tg_tensor *x = random_tensor(TG_F32, 3, (int64_t[]){5, 7, 3}, -1, 1);
    for (int axis = 0; axis < 3; axis++) {
        tg_tensor *y = apply("cumsum", 1, (tg_tensor *[]){tg_tensor_hold(x)}, 1, (int64_t[]){axis});
        int64_t idx[TG_MAX_RANK] = {0}, flat = 0, behind = y->v.stride[axis];
        do {
            double before = idx[axis] > 0 ? tg_view_get(&y->v, flat - behind) : 0;
            assert_true(
                close_to(tg_view_get(&y->v, flat), before + tg_view_get(&x->v, flat), 1e-6));
            flat++;
        } while (tg_view_step(&y->v, idx));
        tg_tensor_drop(y);
    }
    tg_tensor_drop(x);
}

static void test_recurrences(void **state) {
    (void)state;
    tg_tensor *a = random_tensor(TG_F64, 2, (int64_t[]){4, 9}, -1, 1),
              *b = random_tensor(TG_F64, 2, (int64_t[]){4, 9}, -1, 1);
    double start = 0.5;
    int64_t bits;
    memcpy(&bits, &start, sizeof bits);
    tg_tensor *held[] = {tg_tensor_hold(a), tg_tensor_hold(b)};
    tg_tensor *s = apply("recurrence", 2, held, 2, (int64_t[]){2, bits});
    held[0] = tg_tensor_hold(a), held[1] = tg_tensor_hold(b);
    tg_tensor *r = apply("recurrence_back", 2, held, 2, (int64_t[]){2, bits});
    for (int64_t i = 0; i < 4; i++) {
        double x = start, y = start;
        for (int64_t j = 0; j < 9; j++) {
            int64_t at = i * 9 + j, back = i * 9 + 8 - j;
            assert_true(close_to(tg_view_get(&s->v, at), x, 1e-15));
            assert_true(close_to(tg_view_get(&r->v, back), y, 1e-15));
            x = tg_view_get(&a->v, at) * x + tg_view_get(&b->v, at);
            y = tg_view_get(&a->v, back) * y + tg_view_get(&b->v, back);
        }
    }
    tg_tensor *all[] = {a, b, s, r};
    for (int i = 0; i < 4; i++) tg_tensor_drop(all[i]);
}

static void test_sort(void **state) {
    (void)state;
    for (int64_t n = 0; n < 200; n += n < 40 ? 1 : 53) {
        int64_t dim[] = {n, 3};
        tg_tensor *x = random_tensor(TG_F64, 2, dim, -9, 9);
        for (int64_t i = 0; i < tg_view_count(&x->v); i++) /* many ties, some NaN */
            tg_view_set(&x->v, i, i % 11 == 5 ? NAN : floor(tg_view_get(&x->v, i)));
        tg_tensor *y = apply("sort", 1, (tg_tensor *[]){tg_tensor_hold(x)}, 1, (int64_t[]){0});
        tg_tensor *at = apply("argsort", 1, (tg_tensor *[]){tg_tensor_hold(x)}, 1, (int64_t[]){0});
        assert_int_equal(at->v.dtype, TG_I64);
        tg_tensor *taken =
            apply("take_along", 2, (tg_tensor *[]){tg_tensor_hold(x), tg_tensor_hold(at)}, 1,
                  (int64_t[]){0});
        for (int64_t i = 0; i < 3 * n; i++) {
            double v = tg_view_get(&y->v, i),
                   before = i >= 3 ? tg_view_get(&y->v, i - 3) : -INFINITY;
            assert_true(before <= v || isnan(v));
            assert_true(close_to(tg_view_get(&taken->v, i), v, 0));
            if (before == v)
                assert_true(tg_view_get(&at->v, i - 3) < tg_view_get(&at->v, i)); /* stable */
        }
        tg_tensor *back =
            apply("put_along", 2, (tg_tensor *[]){tg_tensor_hold(y), tg_tensor_hold(at)}, 2,
                  (int64_t[]){0, n});
        for (int64_t i = 0; i < 3 * n; i++)
            assert_true(close_to(tg_view_get(&back->v, i), tg_view_get(&x->v, i), 0));
        tg_tensor *all[] = {x, y, at, taken, back};
        for (int i = 0; i < 5; i++) tg_tensor_drop(all[i]);
    }
}

static void test_indices_out_of_range(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3}, good[] = {-1, 0}, bad[] = {0, 3};
    tg_tensor *y = apply("take_along", 2,
                         (tg_tensor *[]){from_doubles(TG_F64, 3, x), from_doubles(TG_F64, 2, good)},
                         1, (int64_t[]){0});
    assert_true(tg_view_get(&y->v, 0) == 3 && tg_view_get(&y->v, 1) == 1);
    tg_tensor_drop(y);
    y = apply("take_along", 2,
              (tg_tensor *[]){from_doubles(TG_F64, 3, x), from_doubles(TG_F64, 2, bad)}, 1,
              (int64_t[]){0});
    assert_null(y);
    assert_non_null(strstr(rt.c.diag.msg, "index 3 is out of range for axis 0 of size 3"));
}

static void test_no_memory(void **state) {
    (void)state;
    static const double x[] = {3, 1, 2};
    tg_tensor *a = from_doubles(TG_I32, 3, x);
    static const char *const ops[] = {"sort", "softmax", "sum"};
    for (int k = 0; k < 3; k++) {
        tg_attrs at = {.n = 2, .v = {k > 0, 0}};
        tg_tensor *y = NULL;
        for (uint64_t n = 1; !y; n++) {
            assert_true(n < 10);
            tg_clear(&rt.c);
            tg_alloc_fail_at(n);
            y = tg_op_apply(&rt, tg_op_find(ops[k]), 1, &a, NULL, &at);
            if (!y) assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
        }
        tg_alloc_fail_at(0);
        tg_tensor_drop(y);
    }
    tg_tensor_drop(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_reductions_against_reference),
        TEST(test_empty_reductions),
        TEST(test_sums_keep_their_digits),
        TEST(test_nan_and_ties),
        TEST(test_large_exponents),
        TEST(test_norm_over_the_range),
        TEST(test_cumsum),
        TEST(test_recurrences),
        TEST(test_sort),
        TEST(test_indices_out_of_range),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
