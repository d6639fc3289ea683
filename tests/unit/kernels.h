/* What the tests of kernels share: a small runtime, tensors of random elements with all kinds of
 * strides, and applying by name. */
#ifndef TG_TESTS_KERNELS_H
#define TG_TESTS_KERNELS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/op.h"

static tg_rt rt;

static inline int set_up(void **state) {
    (void)state;
    rt = (tg_rt){.precision = TG_F64};
    return tg_ctx_init(&rt.c) && tg_sizes_init(&rt) ? 0 : -1;
}

static inline int tear_down(void **state) {
    (void)state;
    tg_alloc_fail_at(0);
    tg_sizes_free(&rt);
    tg_ctx_free(&rt.c);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

/* ---- tools ---- */

static inline tg_tensor *make(tg_dtype t, int rank, const int64_t *dim) {
    tg_tensor *x = tg_tensor_new(&rt.c, t, rank, dim);
    assert_non_null(x);
    return x;
}

static uint64_t lottery = 1;

static inline double draw(void) { /* in 0..1 */
    lottery = lottery * 6364136223846793005u + 1442695040888963407u;
    return (double)(lottery >> 11) * 0x1p-53;
}

/* Random elements, and every third tensor with its last two axes swapped, every fifth running
 * backwards. */
static inline tg_tensor *random_tensor(tg_dtype t, int rank, const int64_t *dim, double lo,
                                       double hi) {
    static int turn;
    int64_t stored[TG_MAX_RANK];
    for (int i = 0; i < rank; i++) stored[i] = dim[i];
    bool swap = rank >= 2 && turn++ % 3 == 0, back = rank >= 1 && turn % 5 == 0;
    if (swap) stored[rank - 1] = dim[rank - 2], stored[rank - 2] = dim[rank - 1];
    tg_tensor *x = make(t, rank, stored);
    for (int64_t i = 0; i < tg_view_count(&x->v); i++)
        tg_view_set(&x->v, i, lo + (hi - lo) * draw());
    if (swap) {
        int64_t *d = x->v.dim + rank - 2, *s = x->v.stride + rank - 2, d0 = d[0], s0 = s[0];
        d[0] = d[1], d[1] = d0;
        s[0] = s[1], s[1] = s0;
    }
    if (back && x->v.dim[0] > 0) {
        x->v.data =
            (char *)x->v.data + (x->v.dim[0] - 1) * x->v.stride[0] * (int64_t)tg_dtype_size(t);
        x->v.stride[0] = -x->v.stride[0];
    }
    return x;
}

static inline tg_tensor *from_doubles(tg_dtype t, int64_t n, const double *x) {
    tg_tensor *y = make(t, 1, &n);
    for (int64_t i = 0; i < n; i++) tg_view_set(&y->v, i, x[i]);
    return y;
}

/* Arguments are dropped. Attributes are those given, in order. */
static inline tg_tensor *apply(const char *name, int n, tg_tensor **in, int nat,
                               const int64_t *at) {
    tg_attrs attrs = {.n = nat};
    for (int i = 0; i < nat; i++) attrs.v[i] = at[i];
    const tg_op *op = tg_op_find(name);
    assert_non_null(op);
    tg_tensor *y = tg_op_apply(&rt, op, n, in, NULL, &attrs);
    for (int i = 0; i < n; i++) tg_tensor_drop(in[i]);
    return y;
}

static inline tg_tensor *apply1(const char *name, tg_tensor *x) {
    return apply(name, 1, &x, 0, NULL);
}

/* Reductions: axes as a mask. */
static inline tg_tensor *along(const char *name, tg_tensor *x, int64_t mask, bool keep) {
    return apply(name, 1, &x, 2, (int64_t[]){mask, keep});
}

static inline double item(tg_tensor *x) {
    assert_non_null(x);
    assert_int_equal(tg_view_count(&x->v), 1);
    double y = tg_view_get(&x->v, 0);
    tg_tensor_drop(x);
    return y;
}

static inline double value1(const char *name, double x) {
    return item(apply1(name, tg_tensor_scalar(&rt.c, TG_F64, x)));
}

static inline double value2(const char *name, double a, double b) {
    tg_tensor *in[] = {tg_tensor_scalar(&rt.c, TG_F64, a), tg_tensor_scalar(&rt.c, TG_F64, b)};
    return item(apply(name, 2, in, 0, NULL));
}

static inline bool close_to(double a, double b, double tolerance) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b)) return a == b;
    return fabs(a - b) <= tolerance * (1 + fabs(b));
}

typedef struct shape {
    int rank;
    int64_t dim[TG_MAX_RANK];
} shape;

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
