/* Tensors: sizes that cannot be, sharing, copying and converting over all types and strides, and
 * every allocation failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "runtime/tensor/loop.h"
#include "runtime/tensor/tensor.h"

static tg_ctx c;

static int set_up(void **state) {
    (void)state;
    return tg_ctx_init(&c) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    tg_alloc_fail_at(0);
    tg_ctx_free(&c);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static tg_tensor *make(tg_dtype t, int rank, const int64_t *dim) {
    tg_tensor *x = tg_tensor_new(&c, t, rank, dim);
    assert_non_null(x);
    return x;
}

/* 0, 1, 2, ... (modulo what a byte holds) */
static tg_tensor *counting(tg_dtype t, int rank, const int64_t *dim) {
    tg_tensor *x = make(t, rank, dim);
    for (int64_t i = 0; i < tg_view_count(&x->v); i++) tg_view_set(&x->v, i, (double)(i % 251));
    return x;
}

static tg_view transposed(const tg_view *v, int a, int b) {
    tg_view w = *v;
    w.dim[a] = v->dim[b], w.dim[b] = v->dim[a];
    w.stride[a] = v->stride[b], w.stride[b] = v->stride[a];
    return w;
}

static tg_view flipped(const tg_view *v, int a) {
    tg_view w = *v;
    w.data = (char *)v->data + (v->dim[a] - 1) * v->stride[a] * (int64_t)tg_dtype_size(v->dtype);
    w.stride[a] = -v->stride[a];
    return w;
}

/* ---- creation ---- */

static void test_sizes_that_cannot_be(void **state) {
    (void)state;
    static const int64_t huge[] = {INT64_MAX, INT64_MAX}, wide[] = {INT64_MAX / 4, 3},
                         hollow[] = {0, INT64_MAX, INT64_MAX};
    static const int64_t negative[] = {3, -1}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct {
        int rank;
        const int64_t *dim;
        tg_err kind;
        const char *says;
    } cases[] = {
        {2, huge, TG_ERR_VALUE, "too large"},
        {2, wide, TG_ERR_VALUE, "too large"},
        {3, hollow, TG_ERR_VALUE, "too large"},
        {2, negative, TG_ERR_VALUE, "[3, -1] has a negative size"},
        {9, nine, TG_ERR_SHAPE, "at most 8 axes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tg_clear(&c);
        assert_null(tg_tensor_new(&c, TG_F64, cases[i].rank, cases[i].dim));
        assert_int_equal(c.diag.kind, cases[i].kind);
        assert_non_null(strstr(c.diag.msg, cases[i].says));
    }
}

static void test_empty_and_scalar(void **state) {
    (void)state;
    tg_tensor *empty = make(TG_F32, 3, (int64_t[]){2, 0, 3}),
              *one = tg_tensor_scalar(&c, TG_F32, 0.1);
    assert_int_equal(tg_view_count(&empty->v), 0);
    assert_true(tg_view_is_contiguous(&empty->v));
    assert_int_equal(tg_view_count(&one->v), 1);
    assert_int_equal(one->v.rank, 0);
    assert_true(tg_view_get(&one->v, 0) == (double)0.1f);
    tg_tensor *copy = tg_tensor_convert(&c, &empty->v, TG_I64);
    assert_true(tg_shape_equal(copy->v.rank, copy->v.dim, 3, empty->v.dim));
    tg_tensor_drop(copy);
    tg_tensor_drop(empty);
    tg_tensor_drop(one);
    tg_tensor_drop(NULL);
}

static void test_alignment(void **state) {
    (void)state;
    for (int64_t n = 1; n < 100; n += 7) {
        tg_tensor *x = make(TG_U8, 1, &n);
        assert_int_equal((uintptr_t)x->v.data % 64, 0);
        tg_tensor_drop(x);
    }
}

static void test_sharing(void **state) {
    (void)state;
    tg_tensor *x = counting(TG_F64, 2, (int64_t[]){3, 4});
    tg_view v = transposed(&x->v, 0, 1);
    tg_tensor *y = tg_tensor_share(&c, x, &v);
    assert_int_equal(x->buf->refs, 2);
    assert_false(tg_view_is_contiguous(&y->v));
    tg_tensor_drop(x); /* y keeps the elements */
    assert_int_equal(y->buf->refs, 1);
    assert_true(tg_view_get(&y->v, 1) == 4);
    assert_ptr_equal(tg_tensor_hold(y), y);
    tg_tensor_drop(y);
    tg_tensor_drop(y);
}

static void test_no_memory(void **state) {
    (void)state;
    tg_tensor *x = counting(TG_F64, 2, (int64_t[]){3, 4}), *y;
    for (uint64_t n = 1; n <= 2; n++) {
        tg_clear(&c);
        tg_alloc_fail_at(n);
        assert_null(tg_tensor_convert(&c, &x->v, TG_F32));
        assert_int_equal(c.diag.kind, TG_ERR_MEMORY);
    }
    tg_alloc_fail_at(1);
    assert_null(tg_tensor_share(&c, x, &x->v));
    tg_alloc_fail_at(3);
    assert_non_null(y = tg_tensor_convert(&c, &x->v, TG_F32));
    tg_alloc_fail_at(0);
    tg_tensor_drop(y);
    tg_tensor_drop(x);
}

/* ---- views ---- */

static void test_contiguous(void **state) {
    (void)state;
    tg_view v;
    double data[24] = {0};
    tg_view_init(&v, data, TG_F64, 3, (int64_t[]){2, 3, 4});
    assert_true(tg_view_is_contiguous(&v));
    v.dim[1] = 1;
    v.stride[1] = 99; /* of an axis of size 1: never used */
    assert_false(tg_view_is_contiguous(&v));
    v.stride[0] = 4;
    assert_true(tg_view_is_contiguous(&v));
    v.stride[2] = 0;
    assert_false(tg_view_is_contiguous(&v));
}

static void test_step(void **state) {
    (void)state;
    tg_view v = {.rank = 3, .dim = {2, 3, 2}};
    int64_t idx[TG_MAX_RANK] = {0}, n = 0;
    do {
        assert_int_equal(idx[0] * 6 + idx[1] * 2 + idx[2], n);
        n++;
    } while (tg_view_step(&v, idx));
    assert_int_equal(n, 12);
    tg_view scalar = {.rank = 0};
    assert_false(tg_view_step(&scalar, idx));
}

/* Copies v into a contiguous view and a strided one, and compares with a walk element by element.
 */
static void check_copy(const tg_view *v, tg_dtype t) {
    tg_tensor *dense = make(t, v->rank, v->dim);
    tg_view_copy(&dense->v, v);
    int64_t wider[TG_MAX_RANK];
    for (int i = 0; i < v->rank; i++) wider[i] = v->dim[i] * 2;
    tg_tensor *room = make(t, v->rank, wider);
    memset(room->v.data, 0x55, room->buf->bytes);
    tg_view sparse = room->v;
    for (int i = 0; i < v->rank; i++) sparse.dim[i] = v->dim[i], sparse.stride[i] *= 2;
    tg_view_copy(&sparse, v);
    for (int64_t i = 0; i < tg_view_count(v); i++) {
        double x = tg_view_get(v, i);
        if (t == TG_BOOL) x = x != 0;
        assert_true(tg_view_get(&dense->v, i) == x);
        assert_true(tg_view_get(&sparse, i) == x);
    }
    /* what lies between the elements is left alone */
    if (v->rank > 0 && tg_view_count(v) > 0)
        assert_int_equal(((unsigned char *)room->v.data)[tg_dtype_size(t)], 0x55);
    tg_tensor_drop(dense);
    tg_tensor_drop(room);
}

static void test_copies_of_all_types(void **state) {
    (void)state;
    for (tg_dtype from = 0; (int)from < TG_DTYPES; from++)
        for (tg_dtype to = 0; (int)to < TG_DTYPES; to++) {
            tg_tensor *x = counting(from, 3, (int64_t[]){3, 20, 19});
            tg_view a = transposed(&x->v, 1, 2), b = transposed(&x->v, 0, 2), d = flipped(&x->v, 1),
                    e = x->v;
            e.stride[0] = 0; /* repeated */
            const tg_view *views[] = {&x->v, &a, &b, &d, &e};
            for (size_t i = 0; i < 5; i++) check_copy(views[i], to);
            tg_tensor_drop(x);
        }
}

static void test_copies_of_all_ranks(void **state) {
    (void)state;
    static const int64_t dim[TG_MAX_RANK] = {2, 1, 3, 2, 1, 2, 3, 2};
    for (int rank = 0; rank <= TG_MAX_RANK; rank++) {
        tg_tensor *x = counting(TG_F32, rank, dim);
        check_copy(&x->v, TG_F32);
        for (int a = 0; a < rank; a++)
            for (int b = 0; b < a; b++) {
                tg_view v = transposed(&x->v, a, b);
                check_copy(&v, TG_F64);
            }
        tg_tensor_drop(x);
    }
}

static void test_rounding(void **state) {
    (void)state;
    static const double x[] = {0.5,   1.5,    -0.5, -2.5,     254.6,  300, -3,
                               1e300, -1e300, NAN,  INFINITY, 0x1p63, 0.4};
    static const double u8[] = {0, 2, 0, 0, 255, 255, 0, 255, 0, 0, 255, 255, 0};
    static const double i32[] = {0,         2,         0, -2,        255,       300, -3,
                                 INT32_MAX, INT32_MIN, 0, INT32_MAX, INT32_MAX, 0};
    static const int64_t i64[] = {0,         2,         0, -2,        255,       300, -3,
                                  INT64_MAX, INT64_MIN, 0, INT64_MAX, INT64_MAX, 0};
    static const double truth[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    int64_t n = sizeof x / sizeof x[0];
    tg_tensor *t = make(TG_F64, 1, &n);
    memcpy(t->v.data, x, sizeof x);
    tg_tensor *a = tg_tensor_convert(&c, &t->v, TG_U8), *b = tg_tensor_convert(&c, &t->v, TG_I32);
    tg_tensor *d = tg_tensor_convert(&c, &t->v, TG_I64), *e = tg_tensor_convert(&c, &t->v, TG_BOOL);
    for (int64_t i = 0; i < n; i++) {
        assert_true(tg_view_get(&a->v, i) == u8[i]);
        assert_true(tg_view_get(&b->v, i) == i32[i]);
        assert_true(((int64_t *)d->v.data)[i] == i64[i]);
        assert_true(tg_view_get(&e->v, i) == truth[i]);
    }
    tg_tensor *big = tg_tensor_convert(&c, &d->v, TG_I64); /* not by way of double */
    assert_memory_equal(big->v.data, d->v.data, d->buf->bytes);
    tg_tensor *all[] = {t, a, b, d, e, big};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) tg_tensor_drop(all[i]);
}

/* ---- loops ---- */

static void test_loops_merge(void **state) {
    (void)state;
    static float data[2 * 3 * 4];
    tg_view v, row, wide;
    tg_view_init(&v, data, TG_F32, 3, (int64_t[]){2, 3, 4});
    tg_view_init(&row, data, TG_F32, 1, (int64_t[]){4});
    tg_view_init(&wide, data, TG_F32, 2, (int64_t[]){3, 4});
    tg_loop l;
    tg_loop_init(&l, 2, (const tg_view *[]){&v, &v});
    assert_int_equal(l.rank, 0);
    assert_int_equal(l.inner, 24);
    tg_loop_init(&l, 2, (const tg_view *[]){&v, &row});
    assert_int_equal(l.rank, 1);
    assert_int_equal(l.dim[0], 6);
    assert_int_equal(l.inner, 4);
    tg_loop_init(&l, 2, (const tg_view *[]){&v, &wide});
    assert_int_equal(l.dim[0], 2);
    assert_int_equal(l.inner, 12);
    v.dim[1] = 0;
    tg_loop_init(&l, 1, (const tg_view *[]){&v});
    assert_true(l.empty);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sizes_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_and_scalar, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alignment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sharing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_contiguous, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copies_of_all_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copies_of_all_ranks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rounding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loops_merge, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
