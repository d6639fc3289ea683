/* Tracing NaN and infinity: the summary of a tensor, and the node where they begin, in deep and
 * large formulas, with symbolic sizes and other values for cells. */
#include "calls.h"

#include "runtime/plan/trace.h"

#include <stdio.h>

static tg_cell *cell(const char *name, int rank, const tg_size *dim, tg_tensor *value) {
    tg_type type = {.dtype = TG_F64, .rank = rank};
    if (rank) memcpy(type.dim, dim, (size_t)rank * sizeof *dim);
    tg_cell *c =
        tg_cell_new(&rt, TG_CELL_INPUT, tg_intern(&rt.c, name, strlen(name)), &type, value);
    assert_non_null(c);
    return c;
}

static tg_node *over(const char *text, tg_cell *x) {
    tg_rule_name name = {.name = "x", .node = tg_node_cell(&rt, x)};
    tg_node *n = tg_rule_build(&rt, text, 1, &name);
    if (!n) fail_msg("%s: %s", text, rt.c.diag.msg);
    return n;
}

/* The name of the operation where it begins; "" for nothing, "leaf" for data. */
static const char *begins(tg_node *root, tg_cell *x, tg_tensor *stand_in) {
    tg_culprit o;
    if (!tg_trace_culprit(&rt, root, stand_in ? 1 : 0, &x, &stand_in, &o))
        fail_msg("%s", rt.c.diag.msg);
    return !o.node ? "" : o.node->n == 0 ? "leaf" : o.node->op->name;
}

static void summaries(void **state) {
    (void)state;
    tg_tensor *t = vector(TG_F32, 6, VALUES(1, NAN, 3, INFINITY, -INFINITY, NAN));
    tg_view turned = t->v;
    turned.rank = 2;
    turned.dim[0] = 2, turned.stride[0] = 1; /* column by column */
    turned.dim[1] = 3, turned.stride[1] = 2;
    tg_summary s;
    tg_view_summary(&turned, &s);
    assert_int_equal(s.nan, 2);
    assert_int_equal(s.pos, 1);
    assert_int_equal(s.neg, 1);
    assert_true(s.lo == 1 && s.hi == 3);
    assert_int_equal(s.first[0], 0); /* of [[1, 3, -inf], [nan, inf, nan]] */
    assert_int_equal(s.first[1], 2);
    tg_tensor_drop(t);
}

/* Every kind of bits, at every place of a short vector: both loops, the vector part and the rest.
 */
static void finite_or_not(void **state) {
    (void)state;
    const double bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    const double good[] = {0, -0.0, 1, -1.5, 3e38, 1e-45, -3e38};
    for (int type = 0; type < 2; type++)
        for (int64_t n = 1; n < 40; n++) {
            tg_tensor *t = tg_tensor_new(&rt.c, type ? TG_F64 : TG_F32, 1, &n);
            assert_non_null(t);
            for (int64_t i = 0; i < n; i++) tg_view_set(&t->v, i, good[i % 7]);
            assert_true(tg_view_is_finite(&t->v));
            for (int64_t i = 0; i < n; i++) {
                tg_view_set(&t->v, i, bad[i % 4]);
                assert_false(tg_view_is_finite(&t->v));
                tg_view_set(&t->v, i, good[i % 7]);
            }
            tg_tensor_drop(t);
        }
}

static void origins(void **state) {
    (void)state;
    tg_tensor *v = vector(TG_F64, 3, VALUES(0, 1, 1000));
    tg_cell *x = cell("x", 1, (tg_size[]){3}, v);
    assert_string_equal(begins(over("sum(sqrt(x - 0.5) * 2)", x), x, NULL), "sqrt");
    assert_string_equal(begins(over("sum(1 / x)", x), x, NULL), "div");
    assert_string_equal(begins(over("exp(x) / (2 + exp(x))", x), x, NULL), "exp");
    assert_string_equal(begins(over("sum(x)", x), x, NULL), "");
    assert_string_equal(begins(over("sum(x + 1 / 0)", x), x, NULL), ""); /* given so */
    assert_string_equal(begins(over("(x + 1 / 0) - (x + 1 / 0) * 2", x), x, NULL), "sub");
    assert_string_equal(begins(over("where(x > 0, log(x), 0) / 0", x), x, NULL), "div");
    assert_string_equal(begins(over("log(softmax(x))", x), x, NULL), ""); /* by its stable form */
    tg_tensor *holed = vector(TG_F64, 3, VALUES(0, NAN, 1));
    assert_string_equal(begins(over("sum(x^2)", x), x, holed), "leaf");
    assert_string_equal(begins(over("sum(sqrt(x - 0.5) * 2)", x), x, holed), "leaf");
    tg_tensor_drop(holed);
    tg_tensor_drop(v);
    tg_cell_drop(x);
}

/* More nodes than are evaluated together, and a size that the stand-in decides. */
static void long_chains(void **state) {
    (void)state;
    tg_cell *x = cell("x", 1, (tg_size[]){tg_size_symbol(&rt, tg_intern(&rt.c, "N", 1))}, NULL);
    tg_node *n = tg_node_call1(&rt, "log", over("x", x));
    for (int i = 0; i < 500; i++) n = tg_node_call2(&rt, "add", n, over(i % 2 ? "sin(x)" : "x", x));
    tg_tensor *v = vector(TG_F64, 4, VALUES(1, 2, -1, 3));
    assert_string_equal(begins(n, x, v), "log");
    tg_tensor *w = vector(TG_F64, 2, VALUES(1, 2));
    assert_string_equal(begins(n, x, w), "");
    tg_tensor_drop(v);
    tg_tensor_drop(w);
    tg_cell_drop(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(summaries, open_runtime, close_runtime),
        cmocka_unit_test_setup_teardown(finite_or_not, open_runtime, close_runtime),
        cmocka_unit_test_setup_teardown(origins, open_runtime, close_runtime),
        cmocka_unit_test_setup_teardown(long_chains, open_runtime, close_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
