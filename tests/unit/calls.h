/* Calling operations in tests: text over tensors named x, y, z, built as a rule and evaluated by a
 * plan. */
#ifndef TG_TESTS_CALLS_H
#define TG_TESTS_CALLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/graph/node.h"
#include "runtime/graph/rule.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <string.h>

static tg_rt rt;

static int open_runtime(void **state) {
    (void)state;
    return tg_rt_init(&rt) ? 0 : -1;
}

static int close_runtime(void **state) {
    (void)state;
    tg_rt_free(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

/* A tensor with the elements 1, 2, 3, ... of those sizes, up to four; -1 ends them. */
static inline tg_tensor *counted(tg_dtype t, int64_t a, int64_t b, int64_t c, int64_t d) {
    int64_t dim[] = {a, b, c, d};
    int rank = 0;
    while (rank < 4 && dim[rank] >= 0) rank++;
    tg_tensor *x = tg_tensor_new(&rt.c, t, rank, dim);
    assert_non_null(x);
    for (int64_t i = 0; i < tg_view_count(&x->v); i++) tg_view_set(&x->v, i, (double)(i + 1));
    return x;
}

static inline tg_tensor *vector(tg_dtype t, int64_t n, const double *values) {
    tg_tensor *x = tg_tensor_new(&rt.c, t, 1, &n);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) tg_view_set(&x->v, i, values[i]);
    return x;
}

/* NULL: an error is pending. */
static inline tg_tensor *compute(const char *text, const tg_tensor *x, const tg_tensor *y,
                                 const tg_tensor *z) {
    static const char *const word[] = {"x", "y", "z"};
    const tg_tensor *in[] = {x, y, z};
    tg_rule_name names[3] = {0};
    int n = 0;
    for (int i = 0; i < 3 && in[i]; i++, n++) {
        names[i].name = word[i];
        names[i].node = tg_node_const(&rt, (tg_tensor *)(uintptr_t)in[i], NULL);
        if (!names[i].node) return NULL;
    }
    tg_node *node = tg_rule_build(&rt, text, n, names);
    tg_tensor *out = NULL;
    if (!node || !tg_plan_eval(&rt, 1, &node, &out)) return NULL;
    return out;
}

static inline double dot_of(const tg_tensor *a, const tg_tensor *b) {
    assert_true(tg_shape_equal(a->v.rank, a->v.dim, b->v.rank, b->v.dim));
    double sum = 0;
    for (int64_t i = 0; i < tg_view_count(&a->v); i++)
        sum += tg_view_get(&a->v, i) * tg_view_get(&b->v, i);
    return sum;
}

/* The text fails, and message and help hold these words. */
static inline void fails_with(const char *text, const tg_tensor *x, const tg_tensor *y, tg_err kind,
                              const char *message, const char *help) {
    tg_tensor *t = compute(text, x, y, NULL);
    assert_null(t);
    if (!strstr(rt.c.diag.msg, message)) fail_msg("%s: '%s'", text, rt.c.diag.msg);
    if (!strstr(rt.c.diag.help, help)) fail_msg("%s: help '%s'", text, rt.c.diag.help);
    assert_int_equal(rt.c.diag.kind, kind);
    tg_clear(&rt.c);
}

/* The text gives these elements, in row-major order, in this shape (text as tg_shape_print). */
static inline void gives(const char *text, const tg_tensor *x, const tg_tensor *y,
                         const char *shape, const double *values) {
    tg_tensor *t = compute(text, x, y, NULL);
    if (!t) fail_msg("%s: %s", text, rt.c.diag.msg);
    assert_string_equal(tg_shape_text(&rt, t->v.rank, t->v.dim), shape);
    for (int64_t i = 0; i < tg_view_count(&t->v); i++)
        if (!(fabs(tg_view_get(&t->v, i) - values[i]) < 1e-12))
            fail_msg("%s: element %d is %g", text, (int)i, tg_view_get(&t->v, i));
    tg_tensor_drop(t);
}

#define VALUES(...) ((const double[]){__VA_ARGS__})

#endif
