/* Indexing and rearranging: slices against the definition (that of Python's slice.indices),
 * symbolic sizes, operations with their adjoints (<f(x), y> = <x, f*(y)>), selection by truth
 * values, and what the errors say. */
#include "calls.h"

#include "runtime/graph/print.h"
#include "runtime/ops/view.h"

/* ---- slices ---- */

static int64_t clip(int64_t i, int64_t n, int64_t low, int64_t high) {
    if (i < 0) i += n;
    return i < low ? low : i > high ? high : i;
}

/* The places start:stop:step names; NONE where a bound is left out. Returns their number. */
enum { NONE = 99 };
static int places(int64_t n, int64_t start, int64_t stop, int64_t step, int64_t *out) {
    int64_t i = start == NONE ? (step > 0 ? 0 : n - 1)
                : step > 0    ? clip(start, n, 0, n)
                              : clip(start, n, -1, n - 1);
    int64_t end = stop == NONE ? (step > 0 ? n : -1)
                  : step > 0   ? clip(stop, n, 0, n)
                               : clip(stop, n, -1, n - 1);
    int count = 0;
    for (; step > 0 ? i < end : i > end; i += step) out[count++] = i;
    return count;
}

static tg_slice_item range(int64_t start, int64_t stop, int64_t step) {
    tg_slice_item item = {.kind = TG_SLICE_RANGE, .step = step};
    if (start != NONE) item.start = tg_slice_at(start);
    if (stop != NONE) item.stop = tg_slice_at(stop);
    return item;
}

static tg_type type_of(const tg_tensor *x) {
    tg_type t = {.dtype = x->v.dtype, .rank = x->v.rank};
    memcpy(t.dim, x->v.dim, sizeof t.dim);
    return t;
}

/* What is printed must be read back as the same node. */
static void check_printed(tg_tensor *x, const tg_attrs *at) {
    tg_node *leaf = tg_node_const(&rt, x, NULL),
            *node = tg_node_make(&rt, tg_op_slice(), 1, &leaf, at);
    tg_str s = {0};
    assert_non_null(node);
    tg_str_add(&s, "x");
    assert_true(tg_op_slice()->print(&rt, &s, at, 1));
    const tg_rule_name name = {.name = "x", .node = leaf};
    tg_node *back = tg_rule_build(&rt, tg_str_text(&s), 1, &name);
    if (back != node) fail_msg("%s is read as another slice", tg_str_text(&s));
    tg_str_free(&s);
}

static void test_every_slice(void **state) {
    (void)state;
    for (int64_t n = 0; n <= 4; n++) {
        tg_tensor *x = counted(TG_F64, n, -1, -1, -1);
        tg_type type = type_of(x);
        for (int64_t start = -6; start <= 7; start++)
            for (int64_t stop = -6; stop <= 7; stop++)
                for (int64_t step = -3; step <= 3; step++) {
                    if (step == 0) continue;
                    int64_t a = start == 7 ? NONE : start, b = stop == 7 ? NONE : stop, want[8];
                    tg_slice_item item = range(a, b, step);
                    tg_attrs at;
                    assert_true(tg_slice_attrs(&rt, &type, 1, &item, &at));
                    tg_tensor *got = tg_op_apply(&rt, tg_op_slice(), 1, &x, NULL, &at);
                    assert_non_null(got);
                    int count = places(n, a, b, step, want);
                    assert_int_equal(got->v.dim[0], count);
                    for (int k = 0; k < count; k++)
                        assert_true(tg_view_get(&got->v, k) == (double)want[k] + 1);
                    tg_tensor_drop(got);
                    check_printed(x, &at);
                }
        tg_tensor_drop(x);
    }
}

static void test_mixed_entries(void **state) {
    (void)state;
    tg_tensor *x = counted(TG_F64, 2, 3, 4, -1);
    gives("x[1, 2, 3]", x, NULL, "[]", VALUES(24));
    gives("x[-1, 0]", x, NULL, "[4]", VALUES(13, 14, 15, 16));
    gives("x[..., 0]", x, NULL, "[2, 3]", VALUES(1, 5, 9, 13, 17, 21));
    gives("x[0, ..., ::-2]", x, NULL, "[3, 2]", VALUES(4, 2, 8, 6, 12, 10));
    gives("x[1, 1:, none, 0]", x, NULL, "[2, 1]", VALUES(17, 21));
    gives("x[:, 0, :2]", x, NULL, "[2, 2]", VALUES(1, 2, 13, 14));
    gives("x[none, 0, 0, 1]", x, NULL, "[1]", VALUES(2));
    gives("x[5:, 0]", x, NULL, "[0, 4]", NULL);
    gives("sum(x[1, :, 2:4] + 1)", x, NULL, "[]", VALUES(15 + 16 + 19 + 20 + 23 + 24 + 6));
    tg_tensor_drop(x);
}

static void test_slice_errors(void **state) {
    (void)state;
    tg_tensor *x = counted(TG_F64, 5, 2, -1, -1), *s = tg_tensor_scalar(&rt.c, TG_F64, 1);
    fails_with("x[7]", x, NULL, TG_ERR_VALUE, "index 7 is out of range for axis 0 of size 5", "");
    fails_with("x[0, -3]", x, NULL, TG_ERR_VALUE, "index -3 is out of range for axis 1 of size 2",
               "");
    fails_with("x[0, 0, 0]", x, NULL, TG_ERR_SHAPE, "3 indices are too many: {0} has 2 axes", "");
    fails_with("x[..., 0, ...]", x, NULL, TG_ERR_VALUE, "once", "");
    fails_with("x[::0]", x, NULL, TG_ERR_VALUE, "must not be 0", "");
    fails_with("x[0]", s, NULL, TG_ERR_SHAPE, "is a scalar", "");
    fails_with("x[none, none, none, none, none, none, none]", x, NULL, TG_ERR_SHAPE, "9 axes", "");
    tg_tensor_drop(x);
    tg_tensor_drop(s);
}

/* x[N] with the given number of rows bound to it. */
static void symbolic(const char *text, const char *shape, int64_t rows, const char *printed,
                     const char *message, const double *values) {
    tg_tensor *x = counted(TG_F64, rows, -1, -1, -1), *out = NULL;
    tg_type type = {
        .dtype = TG_F64, .rank = 1, .dim = {tg_size_symbol(&rt, tg_intern(&rt.c, "N", 1))}};
    tg_cell *cell = tg_cell_new(&rt, TG_CELL_INPUT, tg_intern(&rt.c, "x", 1), &type, x);
    assert_non_null(cell);
    const tg_rule_name name = {.name = "x", .node = tg_node_cell(&rt, cell)};
    tg_node *node = tg_rule_build(&rt, text, 1, &name);
    if (!node) fail_msg("%s: %s", text, rt.c.diag.msg);
    assert_string_equal(tg_shape_text(&rt, node->type.rank, node->type.dim), shape);
    tg_str s = {0};
    assert_true(tg_node_print(&rt, &s, node, true));
    assert_string_equal(tg_str_text(&s), printed);
    tg_str_free(&s);
    bool ok = tg_plan_eval(&rt, 1, &node, &out);
    assert_int_equal(ok, message == NULL);
    if (message && !strstr(rt.c.diag.msg, message)) fail_msg("%s: '%s'", text, rt.c.diag.msg);
    for (int64_t i = 0; ok && i < tg_view_count(&out->v); i++)
        assert_true(tg_view_get(&out->v, i) == values[i]);
    tg_clear(&rt.c);
    tg_tensor_drop(out);
    tg_tensor_drop(x);
    tg_cell_drop(cell);
}

static void test_symbolic_slices(void **state) {
    (void)state;
    symbolic("x[2:5]", "[3]", 6, "x[2:5]", NULL, VALUES(3, 4, 5));
    symbolic("x[2:5]", "[3]", 3, "x[2:5]",
             "the slice 2:5 needs at least 5 places along axis 0, but its size is 3", NULL);
    symbolic("x[1:]", "[N - 1]", 3, "x[1:]", NULL, VALUES(2, 3));
    symbolic("x[:-1]", "[N - 1]", 3, "x[:-1]", NULL, VALUES(1, 2));
    symbolic("x[-2:]", "[2]", 3, "x[-2:]", NULL, VALUES(2, 3));
    symbolic("x[-1]", "[]", 3, "x[-1]", NULL, VALUES(3));
    symbolic("x[4]", "[]", 3, "x[4]", "index 4 is out of range for axis 0 of size 3", NULL);
    symbolic("x[::-1]", "[N]", 3, "x[::-1]", NULL, VALUES(3, 2, 1));
    symbolic("x[::-1]", "[N]", 0, "x[::-1]", NULL, NULL);
    symbolic("x[-3:-5]", "[0]", 6, "x[:0]", NULL, NULL);
    symbolic("x[-2::-1]", "[N - 1]", 4, "x[-2::-1]", NULL, VALUES(3, 2, 1));
    symbolic("x[-1:-2:-1]", "[1]", 4, "x[-1:]", NULL, VALUES(4));
    symbolic("x[-1:-4:-2]", "[2]", 4, "x[-1:-4:-2]", NULL, VALUES(4, 2));
    symbolic("x[none, 1:3]", "[1, 2]", 4, "x[none, 1:3]", NULL, VALUES(2, 3));
    symbolic("reshape(x, -1, 1)", "[N, 1]", 2, "reshape(x, -1, 1)", NULL, VALUES(1, 2));
    symbolic("flatten(tile(x, 2, 1))", "[2*N]", 1, "flatten(tile(x, 2, 1))", NULL, VALUES(1, 1));
    symbolic("concat([x, x[1:]])", "[2*N - 1]", 2, "concat([x, x[1:]])", NULL, VALUES(1, 2, 2));
    symbolic("arange(size(x))", "[N]", 2, "arange(N)", NULL, VALUES(0, 1));
    symbolic("arange(1, size(x) + 1)", "[N]", 2, "arange(1, stop=N + 1)", NULL, VALUES(1, 2));
    symbolic("zeros(size(x), 2)", "[N, 2]", 1, "zeros(N, 2)", NULL, VALUES(0, 0));
    symbolic("expand(sum(x), shape(x))", "[N]", 2, "expand(sum(x), N)", NULL, VALUES(3, 3));
    symbolic("pad(x, 1)", "[N + 2]", 1, "pad(x, 1)", NULL, VALUES(0, 1, 0));
}

/* ---- adjoints ---- */

static tg_tensor *random_like(const tg_tensor *x) {
    static uint64_t state = 7;
    tg_tensor *t = tg_tensor_new(&rt.c, TG_F64, x->v.rank, x->v.dim);
    assert_non_null(t);
    for (int64_t i = 0; i < tg_view_count(&t->v); i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        tg_view_set(&t->v, i, (double)(state >> 40) / 16777216.0 - 0.5);
    }
    return t;
}

/* <forward(x), u> = <x, backward(u)> for random x and u; y are indices. */
static void adjoint(const char *forward, const char *backward, const tg_tensor *shape,
                    const tg_tensor *y) {
    tg_tensor *x = random_like(shape), *fx = compute(forward, x, y, NULL);
    if (!fx) fail_msg("%s: %s", forward, rt.c.diag.msg);
    tg_tensor *u = random_like(fx), *bu = compute(backward, u, y, NULL);
    if (!bu) fail_msg("%s: %s", backward, rt.c.diag.msg);
    if (!(fabs(dot_of(fx, u) - dot_of(x, bu)) < 1e-12))
        fail_msg("%s is not the adjoint of %s", backward, forward);
    tg_tensor *all[] = {x, fx, u, bu};
    for (int i = 0; i < 4; i++) tg_tensor_drop(all[i]);
}

static void test_adjoints(void **state) {
    (void)state;
    tg_tensor *m = counted(TG_F64, 4, 5, -1, -1), *c = counted(TG_F64, 2, 3, 4, -1);
    tg_tensor *twice = vector(TG_F64, 6, VALUES(3, 0, -1, 3, -4, 0));
    adjoint("gather(x, y)", "scatter_sum(x, y, 4)", m, twice);
    adjoint("gather(x, y, axis=1)", "scatter_sum(x, y, 5, axis=1)", m, twice);
    adjoint("gather(x, y, axis=2)", "scatter_sum(x, y, 4, axis=2)", c, twice);
    adjoint("slice(x, (4, 5), (1, 5), (2, 3), (2, -2))",
            "unslice(x, (4, 5), (1, 5), (2, 3), (2, -2))", m, NULL);
    adjoint("narrow(x, 1, 1, 3)", "embed(x, 1, 1, 5)", m, NULL);
    adjoint("pad(x, (1, 0), after=(0, 2))", "slice(x, (5, 7), (1, 0), (4, 5), 1)", m, NULL);
    adjoint("tile(x, 2, 3)", "untile(x, (4, 5), (2, 3))", m, NULL);
    adjoint("transpose(x, axes=(2, 0, 1))", "untranspose(x, axes=(2, 0, 1))", c, NULL);
    adjoint("flip(x, axis=0)", "flip(x, axis=0)", c, NULL);
    adjoint("tril(x, k=1)", "tril(x, k=1)", m, NULL);
    tg_tensor_drop(m);
    tg_tensor_drop(c);
    tg_tensor_drop(twice);
}

/* ---- values ---- */

static void test_index_tensors(void **state) {
    (void)state;
    tg_tensor *x = counted(TG_F64, 3, 2, -1, -1), *i = vector(TG_I32, 3, VALUES(2, 0, -1));
    tg_tensor *one = tg_tensor_scalar(&rt.c, TG_F64, 1);
    gives("gather(x, y)", x, i, "[3, 2]", VALUES(5, 6, 1, 2, 5, 6));
    gives("gather(x', y, axis=1)", x, i, "[2, 3]", VALUES(5, 1, 5, 6, 2, 6));
    gives("gather(x, y)", x, one, "[2]", VALUES(3, 4));
    gives("gather(x, y, axis=1)", x, one, "[3]", VALUES(2, 4, 6));
    gives("scatter_sum(x, y, 3)", x, i, "[3, 2]", VALUES(3, 4, 0, 0, 6, 8));
    gives("scatter_add(x, y, x)", x, i, "[3, 2]", VALUES(4, 6, 3, 4, 11, 14));
    tg_tensor_drop(x);
    tg_tensor_drop(i);
    tg_tensor_drop(one);
}

static void test_index_errors(void **state) {
    (void)state;
    tg_tensor *x = counted(TG_F64, 3, 2, -1, -1), *far = vector(TG_F64, 2, VALUES(0, 3));
    tg_tensor *back = vector(TG_F64, 2, VALUES(-4, 0)), *none = vector(TG_F64, 0, NULL);
    fails_with("gather(x, y)", x, far, TG_ERR_VALUE, "index 3 is out of range for axis 0 of size 3",
               "");
    fails_with("gather(x, y)", x, back, TG_ERR_VALUE, "index -4 is out of range", "");
    fails_with("scatter_sum(x, y, 3)", x, far, TG_ERR_SHAPE, "does not have the indices' shape [2]",
               "");
    fails_with("onehot(y, 3)", x, far, TG_ERR_VALUE, "the label 3 is not among 0 to 2", "");
    fails_with("onehot(y, 3)", x, back, TG_ERR_VALUE, "the label -4", "");
    fails_with("concat([x, y])", x, far, TG_ERR_SHAPE,
               "{0} has shape [3, 2], but {1} has shape [2]", "");
    fails_with("stack([x, x'])", x, NULL, TG_ERR_SHAPE,
               "stack: {0} has shape [3, 2], but {1} has shape [2, 3]", "");
    fails_with("reshape(x, 4, 2)", x, NULL, TG_ERR_SHAPE, "has 8 elements, and {0} has 6", "");
    fails_with("reshape(x, 4, -1)", x, NULL, TG_ERR_SHAPE, "6 elements, which 4 does not divide",
               "");
    fails_with("reshape(x, -1, -1)", x, NULL, TG_ERR_VALUE, "only one size", "");
    fails_with("zeros(-1)", x, NULL, TG_ERR_VALUE, "must not be negative", "");
    fails_with("expand(x, 3, 4)", x, NULL, TG_ERR_SHAPE, "does not expand to [3, 4]", "");
    fails_with("expand(x, (3, 2, 5), axis=(0, 2))", x, NULL, TG_ERR_VALUE,
               "lacks 1 of the shape's 3", "");
    fails_with("squeeze(x, axis=1)", x, NULL, TG_ERR_SHAPE, "axis 1 of {0} has size 2", "");
    fails_with("narrow(x, 0, 2, 2)", x, NULL, TG_ERR_VALUE,
               "places 2 to 3 are out of range for axis 0 of size 3", "");
    gives("gather(x, y)", x, none, "[0, 2]", NULL);
    tg_tensor *all[] = {x, far, back, none};
    for (int i = 0; i < 4; i++) tg_tensor_drop(all[i]);
}

static void test_views(void **state) {
    (void)state;
    tg_tensor *x = counted(TG_F64, 2, 3, -1, -1), *v = counted(TG_F64, 3, -1, -1, -1);
    gives("reshape(x', 2, 3)", x, NULL, "[2, 3]", VALUES(1, 4, 2, 5, 3, 6));
    gives("flatten(x')", x, NULL, "[6]", VALUES(1, 4, 2, 5, 3, 6));
    gives("reshape(x, -1)", x, NULL, "[6]", VALUES(1, 2, 3, 4, 5, 6));
    gives("flip(x)", x, NULL, "[2, 3]", VALUES(6, 5, 4, 3, 2, 1));
    gives("flip(x, axis=-1)", x, NULL, "[2, 3]", VALUES(3, 2, 1, 6, 5, 4));
    gives("expand(y, 2, 3)", x, v, "[2, 3]", VALUES(1, 2, 3, 1, 2, 3));
    gives("expand(y, (3, 2), axis=1)", x, v, "[3, 2]", VALUES(1, 1, 2, 2, 3, 3));
    gives("unsqueeze(y, 1)", x, v, "[3, 1]", VALUES(1, 2, 3));
    gives("squeeze(unsqueeze(unsqueeze(y, 0), -1))", x, v, "[3]", VALUES(1, 2, 3));
    gives("concat([x, x], axis=1)", x, v, "[2, 6]", VALUES(1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6));
    gives("stack([y, y], axis=1)", x, v, "[3, 2]", VALUES(1, 1, 2, 2, 3, 3));
    gives("stack([1, 2, 3])", x, v, "[3]", VALUES(1, 2, 3));
    gives("pad(y, 1, value=9)", x, v, "[5]", VALUES(9, 1, 2, 3, 9));
    gives("pad(x, (0, 1), after=0)", x, v, "[2, 4]", VALUES(0, 1, 2, 3, 0, 4, 5, 6));
    gives("tile(y, 2, 1)", x, v, "[2, 3]", VALUES(1, 2, 3, 1, 2, 3));
    gives("eye(2, 3)", x, v, "[2, 3]", VALUES(1, 0, 0, 0, 1, 0));
    gives("linspace(0, 1, 3)", x, v, "[3]", VALUES(0, 0.5, 1));
    gives("arange(3)", x, v, "[3]", VALUES(0, 1, 2));
    gives("arange(1, 2, 0.5)", x, v, "[2]", VALUES(1, 1.5));
    gives("arange(3, 0, -1)", x, v, "[3]", VALUES(3, 2, 1));
    gives("arange(3, 0)", x, v, "[0]", NULL);
    gives("onehot(y, 4)", x, v, "[3, 4]", VALUES(0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1));
    tg_tensor_drop(x);
    tg_tensor_drop(v);
}

static void test_memory(void **state) {
    (void)state;
    static const char *const texts[] = {"x @ gather(x, y)", "concat([x, x, x, x, x, x'])",
                                        "sum(unslice(x[1:], (3, 3), (1, 0), (2, 3), 1))"};
    tg_tensor *x = counted(TG_F64, 3, 3, -1, -1), *y = vector(TG_F64, 3, VALUES(2, 1, 1));
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        for (uint64_t n = 1;; n++) {
            tg_graph_collect(&rt, true);
            tg_alloc_fail_at(n);
            tg_tensor *t = compute(texts[k], x, y, NULL);
            tg_alloc_fail_at(0);
            bool done = t && rt.c.diag.kind == TG_ERR_NONE && n > 400;
            if (!t) assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
            tg_clear(&rt.c);
            tg_tensor_drop(t);
            if (done) break;
        }
    tg_tensor_drop(x);
    tg_tensor_drop(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_slice),  cmocka_unit_test(test_mixed_entries),
        cmocka_unit_test(test_slice_errors), cmocka_unit_test(test_symbolic_slices),
        cmocka_unit_test(test_adjoints),     cmocka_unit_test(test_index_tensors),
        cmocka_unit_test(test_index_errors), cmocka_unit_test(test_views),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
