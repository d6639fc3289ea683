/* Variables that are updated in place: when their memory is written over and when it must not be,
 * and that a statement which fails leaves them as they were. */
#include "runtime/plan/plan.h"

#include "session.h"
#include "runtime/graph/rule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { N = 80, K = 7 };

/* A matrix; a number where it has no columns. */
static tg_cell *matrix(const char *name, int64_t rows, int64_t cols, double from) {
    const int64_t dim[] = {rows, cols};
    tg_cell *c = variable(name, cols ? 2 : 0, dim, from);
    assert_non_null(c);
    return c;
}

/* W, V and what updates them. */
static tg_cell *w, *v, *x, *d, *rate;

static void declare_all(void) {
    w = matrix("W", N, N, 1);
    v = matrix("V", N, N, 2);
    x = matrix("X", K, N, 3);
    d = matrix("D", K, N, 4);
    rate = matrix("rate", 0, 0, 0.5);
}

/* The value that the formula has without any update, to be compared with. */
static tg_tensor *expected(tg_node *n) {
    tg_tensor *t = NULL;
    assert_true(tg_plan_eval(&rt, 1, &n, &t));
    return t;
}

static void assert_close(const tg_tensor *a, const tg_tensor *b) {
    for (int64_t i = 0; i < tg_view_count(&a->v); i++)
        assert_true(fabs(tg_view_get(&a->v, i) - tg_view_get(&b->v, i)) < 1e-12);
}

static void put(tg_cell *c, tg_tensor *t) {
    tg_tensor_drop(c->value);
    c->value = t;
    c->version++;
}

/* Stores the formula in the cell, and checks it. True: it was computed in the cell's own memory. */
static bool update(tg_cell *c, tg_node *n) {
    const void *memory = c->value->v.data;
    tg_tensor *out = NULL, *right = expected(n);
    assert_true(tg_plan_update(&rt, 1, &n, &c, &out));
    bool in_place = out == c->value;
    assert_true(in_place == (out->v.data == memory));
    put(c, out);
    assert_close(c->value, right);
    tg_tensor_drop(right);
    return in_place;
}

static void a_product_is_added_in_place(void **state) {
    (void)state;
    declare_all();
    for (int i = 0; i < 6; i++) assert_true(update(w, sure_formula("W - rate * (X' @ D) / 3")));
    assert_true(update(w, sure_formula("D' @ X + W")));
    assert_false(update(v, sure_formula("W - rate * (X' @ D)"))); /* another's formula */
    assert_false(update(w, sure_formula("W - rate * (W @ V)")));  /* it reads what it would write */
    assert_false(update(w, sure_formula("W' - rate * (X' @ D)")));
}

static void what_others_hold_is_not_written(void **state) {
    (void)state;
    declare_all();
    tg_node *n = sure_formula("W - rate * (X' @ D)");
    assert_true(update(w, n));
    tg_tensor *old = tg_tensor_hold(w->value);
    double was = tg_view_get(&old->v, 5);
    assert_false(update(w, n));
    assert_true(tg_view_get(&old->v, 5) == was);
    assert_true(update(w, n));
    tg_tensor_drop(old);
    tg_view row = w->value->v;
    row.rank = 1;
    row.dim[0] = row.dim[1];
    row.stride[0] = row.stride[1];
    tg_tensor *look = tg_tensor_share(&rt.c, w->value, &row);
    assert_false(update(w, n));
    tg_tensor_drop(look);
}

static void readers_come_before(void **state) {
    (void)state;
    declare_all();
    tg_cell *into[] = {w, v};
    const char *text[][2] = {
        {"W - X' @ D", "V + X' @ (D @ W)"},   /* V reads W on the way to its product ... */
        {"W - X' @ D", "V - rate * (W @ W)"}, /* ... or as an operand of it */
        {"W + V @ V", "V + W @ W"},           {"W - X' @ D", "W"}, {"W - X' @ D", "W - X' @ D"},
    };
    for (size_t k = 0; k < sizeof text / sizeof *text; k++) {
        tg_node *n[] = {sure_formula(text[k][0]), sure_formula(text[k][1])};
        tg_tensor *right[] = {expected(n[0]), expected(n[1])}, *out[2] = {0};
        assert_true(tg_plan_update(&rt, 2, n, into, out));
        for (int i = 0; i < 2; i++) put(into[i], out[i]);
        for (int i = 0; i < 2; i++) {
            assert_close(into[i]->value, right[i]);
            tg_tensor_drop(right[i]);
        }
    }
}

/* Infinity is told of with the values that led to it, which must still be there. */
static void what_is_not_finite_leaves_the_old_values(void **state) {
    (void)state;
    declare_all();
    tg_node *n = sure_formula("W - rate * (X' @ D)");
    tg_tensor *out = NULL;
    assert_true(update(w, n));
    tg_view_set(&x->value->v, 3, 1e300);
    tg_view_set(&d->value->v, 3, 1e300);
    double was = tg_view_get(&w->value->v, 0);
    assert_true(tg_plan_update(&rt, 1, &n, &w, &out));
    assert_true(out != w->value && tg_view_get(&w->value->v, 0) == was);
    tg_tensor_drop(out);
    tg_view_set(&x->value->v, 3, NAN);
    tg_view_set(&d->value->v, 3, 0);
    out = NULL;
    assert_true(tg_plan_update(&rt, 1, &n, &w, &out));
    assert_true(out != w->value);
    tg_tensor_drop(out);
    /* it is another root that is not */
    tg_view_set(&x->value->v, 3, 0);
    tg_view_set(&v->value->v, 7, INFINITY);
    tg_node *two[] = {n, sure_formula("V * 2")};
    tg_cell *into[] = {w, v};
    tg_tensor *pair[2] = {0};
    assert_true(tg_plan_update(&rt, 2, two, into, pair));
    assert_true(pair[0] != w->value);
    tg_tensor_drop(pair[0]);
    tg_tensor_drop(pair[1]);
}

static void a_failure_changes_nothing(void **state) {
    (void)state;
    declare_all();
    tg_node *n[] = {sure_formula("W - rate * (X' @ D)"),
                    sure_formula("V - rate * (D' @ X) + V / 2")};
    tg_cell *into[] = {w, v};
    tg_tensor *out[2] = {0};
    double was[] = {tg_view_get(&w->value->v, 9), tg_view_get(&v->value->v, 9)};
    bool through = false;
    for (uint64_t k = 1; !through && k < 1000; k++) {
        tg_alloc_fail_at(k);
        through = tg_plan_update(&rt, 2, n, into, out);
        tg_alloc_fail_at(0);
        if (through) break;
        assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
        tg_clear(&rt.c);
        assert_true(!out[0] && !out[1]);
        assert_true(tg_view_get(&w->value->v, 9) == was[0]);
        assert_true(tg_view_get(&v->value->v, 9) == was[1]);
    }
    assert_true(through);
    assert_true(out[0] == w->value);
    for (int i = 0; i < 2; i++) put(into[i], out[i]);
    was[0] = tg_view_get(&w->value->v, 9);
    out[0] = out[1] = NULL;
    rt.c.interrupted = 1;
    assert_false(tg_plan_update(&rt, 2, n, into, out));
    assert_int_equal(rt.c.diag.kind, TG_ERR_INTERRUPT);
    assert_true(tg_view_get(&w->value->v, 9) == was[0]);
    tg_clear(&rt.c);
}

/* The rows of an embedding that were looked up are added to, some of them twice. */
static tg_cell *places(void) {
    static const double at[K] = {3, -1, 3, 0, 79, 12, 3};
    const int64_t dim[] = {K};
    tg_cell *k = variable("k", 1, dim, 0);
    assert_non_null(k);
    for (int i = 0; i < K; i++) tg_view_set(&k->value->v, i, at[i]);
    return k;
}

static void rows_are_added_in_place(void **state) {
    (void)state;
    declare_all();
    tg_cell *k = places();
    static const char *const in_place[] = {
        "W - rate * scatter_sum(X, k, 80)",
        "W + scatter_sum(X, k, 80) / 3",
        "-(rate * scatter_sum(X, k, 80)) + W",
        "W - rate * (2 * scatter_sum(X, k, 80) - scatter_sum(D * rate, k, 80) / rate)",
        "W - scatter_sum(gather(W, k) * D, k, 80)", /* what is read of it is read before */
        "scatter_add(W, k, X)",
    };
    static const char *const not [] = {
        "W - rate * scatter_sum(X', k, 80, axis=1)",
        "V - rate * scatter_sum(X, k, 80)",
        "W - rate * (scatter_sum(X, k, 80) + V)",
        "W - scatter_sum(X, k, 80) * V",
        "W - scatter_sum(X, k, 80) * sum(scatter_sum(X, k, 80))",
    };
    for (size_t i = 0; i < sizeof in_place / sizeof *in_place; i++) {
        if (!update(w, sure_formula(in_place[i]))) fail_msg("%s", in_place[i]);
        assert_true(update(w, sure_formula(in_place[i])));
    }
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        if (update(w, sure_formula(not [i]))) fail_msg("in place: %s", not [i]);
    tg_tensor *old = tg_tensor_hold(w->value);
    assert_false(update(w, sure_formula(in_place[0])));
    tg_tensor_drop(old);

    /* what was computed for all of W is the same */
    tg_tensor *right = expected(sure_formula("W - rate * (scatter_sum(X, k, 80) + 0 * V)"));
    assert_true(update(w, sure_formula(in_place[0])));
    assert_close(w->value, right);
    tg_tensor_drop(right);

    tg_node *n = sure_formula(in_place[0]);
    tg_tensor *out = NULL;
    double was = tg_view_get(&w->value->v, 3 * N);
    tg_view_set(&k->value->v, 6, N); /* out of range, after others were added */
    k->version++;
    assert_false(tg_plan_update(&rt, 1, &n, &w, &out));
    tg_clear(&rt.c);
    assert_true(tg_view_get(&w->value->v, 3 * N) == was);
    tg_view_set(&k->value->v, 6, 3);
    k->version++;
    x->version++;
    tg_view_set(&x->value->v, 5, INFINITY);
    assert_true(tg_plan_update(&rt, 1, &n, &w, &out));
    assert_true(out != w->value && tg_view_get(&w->value->v, 3 * N) == was);
    tg_tensor_drop(out);
}

int main(void) {
#define IN_SESSION(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_SESSION(a_product_is_added_in_place),
        IN_SESSION(what_others_hold_is_not_written),
        IN_SESSION(readers_come_before),
        IN_SESSION(rows_are_added_in_place),
        IN_SESSION(what_is_not_finite_leaves_the_old_values),
        IN_SESSION(a_failure_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
