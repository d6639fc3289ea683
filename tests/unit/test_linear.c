/* Matrix products: every layout of operands and result against the definition, in both precisions;
 * batches and their broadcasting; sizes of zero; what the errors say; memory that runs out. */
#include "calls.h"

#include "runtime/ops/linear.h"
#include "runtime/vec/vec.h"

/* ---- one product on views ---- */

typedef enum layout { ROWS, COLUMNS, PADDED, BACKWARDS, SCATTERED, REPEATED, LAYOUTS } layout;

/* A view of rows x cols in `memory`, whose elements are all set to random numbers. */
static tg_view lay_out(layout how, tg_dtype t, int64_t rows, int64_t cols, double *memory,
                       int64_t room) {
    static uint64_t state = 1;
    tg_view all, v = {.dtype = t, .rank = 2, .dim = {rows, cols}, .data = memory};
    tg_view_init(&all, memory, t, 1, &room);
    for (int64_t i = 0; i < room; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        tg_view_set(&all, i, (double)(state >> 40) / 16777216.0 - 0.5);
    }
    int64_t step[LAYOUTS][2] = {{cols, 1},   {1, rows},         {cols + 3, 1},
                                {-cols, -1}, {2 * cols + 1, 2}, {0, 1}};
    v.stride[0] = step[how][0];
    v.stride[1] = step[how][1];
    if (how == BACKWARDS && rows > 0 && cols > 0)
        v.data = (char *)memory + (size_t)(rows * cols - 1) * tg_dtype_size(t);
    return v;
}

static double element(const tg_view *v, int64_t i, int64_t j) {
    int64_t at = i * v->stride[0] + j * v->stride[1];
    return v->dtype == TG_F64 ? ((const double *)v->data)[at]
                              : (double)((const float *)v->data)[at];
}

enum { ROOM = 2048, LARGE_ROOM = 1 << 16 };
static double memory_a[LARGE_ROOM], memory_b[LARGE_ROOM], memory_c[LARGE_ROOM],
    expected[LARGE_ROOM];
static int64_t room = ROOM; /* what a case fills */

static void check_product(tg_dtype t, const int64_t size[3], layout la, layout lb, layout lc,
                          double alpha, double beta) {
    int64_t m = size[0], n = size[1], k = size[2];
    tg_view a = lay_out(la, t, m, k, memory_a, room), b = lay_out(lb, t, k, n, memory_b, room);
    tg_view c = lay_out(lc, t, m, n, memory_c, room);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++) sum += element(&a, i, l) * element(&b, l, j);
            expected[i * n + j] = alpha * sum + (beta == 0 ? 0 : beta * element(&c, i, j));
        }
    assert_true(tg_linear_gemm(&rt, &a, &b, &c, alpha, beta));
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            if (!(fabs(element(&c, i, j) - expected[i * n + j]) <
                  (t == TG_F64 ? 1e-13 : 2e-5) * (1 + (double)k / 64)))
                fail_msg("[%d,%d] @ [%d,%d], layouts %d %d %d: element %d, %d", (int)m, (int)k,
                         (int)k, (int)n, la, lb, lc, (int)i, (int)j);
}

static void test_layouts(void **state) {
    (void)state;
    static const int64_t sizes[][3] = {{5, 3, 7}, {1, 4, 3},    {4, 1, 3}, {3, 2, 1}, {1, 1, 6},
                                       {1, 5, 1}, {17, 13, 11}, {1, 1, 1}, {6, 1, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int la = 0; la < LAYOUTS; la++)
            for (int lb = 0; lb < LAYOUTS; lb++)
                for (int lc = 0; lc < REPEATED; lc++) {
                    tg_dtype t = (la + lb + lc) % 2 ? TG_F64 : TG_F32;
                    check_product(t, sizes[s], (layout)la, (layout)lb, (layout)lc, 1, 0);
                    check_product(t == TG_F64 ? TG_F32 : TG_F64, sizes[s], (layout)la, (layout)lb,
                                  (layout)lc, -0.5, 2);
                }
}

/* Few columns have kernels of their own: odd rows, more inner elements than are packed at once,
 * both sides of the limits. */
static void few_columns(void) {
    static const int64_t sizes[][3] = {{16, 2, 16},  {33, 10, 16},   {17, 16, 600}, {40, 3, 17},
                                       {15, 10, 20}, {20, 10, 1030}, {35, 17, 16},  {16, 10, 15},
                                       {67, 7, 131}, {100, 11, 64},  {81, 13, 50}};
    static const layout operands[] = {ROWS, COLUMNS, PADDED, SCATTERED};
    room = LARGE_ROOM;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int la = 0; la < 4; la++)
            for (int lb = 0; lb < 4; lb++)
                for (int t = TG_F32; t <= TG_F64; t++) {
                    check_product((tg_dtype)t, sizes[s], operands[la], operands[lb], ROWS, 1, 0);
                    check_product((tg_dtype)t, sizes[s], operands[la], operands[lb], PADDED, -0.5,
                                  2);
                }
    room = ROOM;
}

/* The bits of a row of the result depend on its operands alone, not on where it stands. */
static void few_columns_by_rows(void) {
    enum { ROWS_ALL = 99, COLS = 10, INNER = 150, SKIPPED = 29 };
    const layout operands[] = {ROWS, COLUMNS};
    static double parts[ROWS_ALL * COLS];
    for (int l = 0; l < 2; l++)
        for (int t = TG_F32; t <= TG_F64; t++) {
            size_t size = tg_dtype_size((tg_dtype)t), skip = SKIPPED * COLS * size;
            tg_view a = lay_out(operands[l], (tg_dtype)t, ROWS_ALL, INNER, memory_a, LARGE_ROOM);
            tg_view b = lay_out(ROWS, (tg_dtype)t, INNER, COLS, memory_b, LARGE_ROOM);
            tg_view c = lay_out(ROWS, (tg_dtype)t, ROWS_ALL, COLS, memory_c, LARGE_ROOM);
            assert_true(tg_linear_gemm(&rt, &a, &b, &c, 1, 0));
            a.data = (char *)a.data + SKIPPED * (size_t)a.stride[0] * size;
            a.dim[0] = c.dim[0] = ROWS_ALL - SKIPPED;
            c.data = parts;
            assert_true(tg_linear_gemm(&rt, &a, &b, &c, 1, 0));
            assert_memory_equal(parts, (char *)memory_c + skip, ROWS_ALL * COLS * size - skip);
        }
}

static void test_few_columns_at_each_level(void **state) {
    (void)state;
    const tg_vec *v;
    for (int i = 0; (v = tg_vec_at(i)); i++) {
        assert_true(tg_vec_use(v->name));
        few_columns();
        few_columns_by_rows();
    }
    assert_true(tg_vec_use(NULL));
}

static void test_no_inner_elements(void **state) {
    (void)state;
    static const int64_t sizes[][3] = {{3, 2, 0}, {0, 2, 3}, {3, 0, 2}, {0, 0, 0}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int lc = 0; lc < REPEATED; lc++) {
            check_product(TG_F64, sizes[s], ROWS, ROWS, (layout)lc, 1, 0);
            check_product(TG_F32, sizes[s], COLUMNS, SCATTERED, (layout)lc, 1, 0.5);
        }
}

static void test_beta_zero_overwrites(void **state) {
    (void)state;
    double a[4] = {1, 2, 3, 4}, b[4] = {1, 0, 0, 1},
           c[4] = {(double)NAN, (double)NAN, (double)INFINITY, 0};
    const int64_t two[2] = {2, 2};
    tg_view va, vb, vc;
    tg_view_init(&va, a, TG_F64, 2, two);
    tg_view_init(&vb, b, TG_F64, 2, two);
    tg_view_init(&vc, c, TG_F64, 2, two);
    assert_true(tg_linear_gemm(&rt, &va, &vb, &vc, 1, 0));
    assert_memory_equal(a, c, sizeof a);
    tg_view row = va, out = vc; /* and by gemv */
    row.rank = out.rank = 1;
    row.stride[0] = out.stride[0] = 1;
    c[0] = c[1] = (double)NAN;
    assert_true(tg_linear_gemm(&rt, &row, &vb, &out, 1, 0));
    assert_true(c[0] == 1 && c[1] == 2);
}

static void test_memory(void **state) {
    (void)state;
    const int64_t size[3] = {5, 3, 7};
    size_t live = tg_alloc_get_stats().live_blocks;
    for (uint64_t n = 1;; n++) {
        tg_view a = lay_out(SCATTERED, TG_F64, size[0], size[2], memory_a, ROOM);
        tg_view b = lay_out(REPEATED, TG_F64, size[2], size[1], memory_b, ROOM);
        tg_view c = lay_out(SCATTERED, TG_F64, size[0], size[1], memory_c, ROOM);
        tg_alloc_fail_at(n);
        bool ok = tg_linear_gemm(&rt, &a, &b, &c, 1, 1);
        tg_alloc_fail_at(0);
        assert_int_equal(tg_alloc_get_stats().live_blocks, live);
        assert_int_equal(ok, n > 3);
        if (ok) break;
    }
}

/* ---- the operations ---- */

static void test_record_by_ranks(void **state) {
    (void)state;
    assert_string_equal(tg_op_matmul_for(2, 2)->name, "matmul");
    assert_string_equal(tg_op_matmul_for(3, 2)->name, "matmul");
    assert_string_equal(tg_op_matmul_for(2, 1)->name, "matvec");
    assert_string_equal(tg_op_matmul_for(1, 2)->name, "vecmat");
    assert_string_equal(tg_op_matmul_for(1, 1)->name, "vdot");
    assert_non_null(tg_op_matmul_for(0, 2));
}

/* The kernel against the reference, on views with swapped and reversed axes. */
static void check_batches(const tg_type *in) {
    static const tg_attrs none;
    const tg_op *op = tg_op_matmul_for(in[0].rank, in[1].rank);
    tg_type out = {0};
    tg_dtype want[2] = {TG_F64, TG_F64};
    assert_true(op->infer(&rt, op, 2, in, &none, &out, want));
    tg_tensor *x[2], *got = tg_tensor_new(&rt.c, out.dtype, out.rank, out.dim);
    tg_tensor *ref = tg_tensor_new(&rt.c, out.dtype, out.rank, out.dim);
    for (int turn = 0; turn < 3; turn++) {
        tg_view v[2];
        for (int i = 0; i < 2; i++) {
            int64_t dim[TG_MAX_RANK];
            memcpy(dim, in[i].dim, sizeof dim);
            int r = in[i].rank;
            if (turn == 1 && r > 1) dim[r - 1] = in[i].dim[r - 2], dim[r - 2] = in[i].dim[r - 1];
            if (turn == 2 && r > 2) dim[0] = in[i].dim[r - 2], dim[r - 2] = in[i].dim[0];
            x[i] = tg_tensor_new(&rt.c, TG_F64, r, dim);
            assert_non_null(x[i]);
            for (int64_t k = 0; k < tg_view_count(&x[i]->v); k++)
                tg_view_set(&x[i]->v, k, sin((double)(k * (i + 2))));
            v[i] = x[i]->v;
            int p = r - 1, q = r - 2;
            if (turn == 2) p = 0;
            if ((turn == 1 && r > 1) || (turn == 2 && r > 2)) {
                int64_t s = v[i].stride[p];
                v[i].stride[p] = v[i].stride[q];
                v[i].stride[q] = s;
                memcpy(v[i].dim, in[i].dim, sizeof dim);
            }
        }
        tg_call call = {.rt = &rt, .op = op, .n = 2, .in = v, .out = &got->v, .at = &none};
        assert_true(op->run(&call));
        call.out = &ref->v;
        assert_true(op->reference(&call));
        for (int64_t k = 0; k < tg_view_count(&ref->v); k++)
            assert_true(fabs(tg_view_get(&got->v, k) - tg_view_get(&ref->v, k)) < 1e-12);
        tg_tensor_drop(x[0]);
        tg_tensor_drop(x[1]);
    }
    tg_tensor_drop(got);
    tg_tensor_drop(ref);
}

#define MATRIX(r, ...)                                                                             \
    {                                                                                              \
        .dtype = TG_F64, .rank = (r), .dim = { __VA_ARGS__ }                                       \
    }

static void test_batches(void **state) {
    (void)state;
    static const tg_type cases[][2] = {
        {MATRIX(2, 3, 5), MATRIX(2, 5, 4)},
        {MATRIX(3, 2, 3, 5), MATRIX(2, 5, 4)},
        {MATRIX(2, 3, 5), MATRIX(3, 2, 5, 4)},
        {MATRIX(3, 2, 3, 5), MATRIX(3, 2, 5, 4)},
        {MATRIX(4, 2, 1, 3, 5), MATRIX(3, 7, 5, 4)},
        {MATRIX(3, 1, 3, 5), MATRIX(3, 2, 5, 1)},
        {MATRIX(3, 0, 3, 5), MATRIX(2, 5, 4)},
        {MATRIX(3, 2, 3, 0), MATRIX(3, 2, 0, 4)},
        {MATRIX(2, 3, 5), MATRIX(1, 5)},
        {MATRIX(1, 5), MATRIX(2, 5, 4)},
        {MATRIX(1, 5), MATRIX(1, 5)},
        {MATRIX(2, 1, 1), MATRIX(1, 1)},
        {MATRIX(1, 0), MATRIX(1, 0)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_batches(cases[i]);
}

static void test_values(void **state) {
    (void)state;
    tg_tensor *a = counted(TG_F64, 2, 2, -1, -1), *v = counted(TG_F64, 2, -1, -1, -1);
    gives("x @ x", a, NULL, "[2, 2]", VALUES(7, 10, 15, 22));
    gives("x' @ x", a, NULL, "[2, 2]", VALUES(10, 14, 14, 20));
    gives("x @ y", a, v, "[2]", VALUES(5, 11));
    gives("y @ x", a, v, "[2]", VALUES(7, 10));
    gives("y @ y", a, v, "[]", VALUES(5));
    gives("outer(y, y)", a, v, "[2, 2]", VALUES(1, 2, 2, 4));
    gives("trace(x)", a, NULL, "[]", VALUES(5));
    gives("diag(x)", a, NULL, "[2]", VALUES(1, 4));
    gives("diag(y)", a, v, "[2, 2]", VALUES(1, 0, 0, 2));
    gives("tril(x)", a, NULL, "[2, 2]", VALUES(1, 0, 3, 4));
    gives("triu(x)", a, NULL, "[2, 2]", VALUES(1, 2, 0, 4));
    gives("tril(x, k=1)", a, NULL, "[2, 2]", VALUES(1, 2, 3, 4));
    gives("tril(x, k=-5)", a, NULL, "[2, 2]", VALUES(0, 0, 0, 0));
    gives("triu(x, k=1000000000000)", a, NULL, "[2, 2]", VALUES(0, 0, 0, 0));
    tg_tensor_drop(a);
    tg_tensor_drop(v);
}

static void test_integers_become_floats(void **state) {
    (void)state;
    tg_tensor *a = counted(TG_U8, 2, 2, -1, -1), *t;
    rt.precision = TG_F32;
    t = compute("x @ x", a, NULL, NULL);
    rt.precision = TG_F64;
    assert_non_null(t);
    assert_int_equal(t->v.dtype, TG_F32);
    assert_true(tg_view_get(&t->v, 3) == 22);
    tg_tensor_drop(t);
    tg_tensor_drop(a);
}

static void test_errors(void **state) {
    (void)state;
    tg_tensor *a = counted(TG_F64, 3, 4, -1, -1), *b = counted(TG_F64, 2, 4, -1, -1);
    tg_tensor *c = counted(TG_F64, 3, 2, -1, -1), *v = counted(TG_F64, 3, -1, -1, -1);
    tg_tensor *s = tg_tensor_scalar(&rt.c, TG_F64, 2), *w = counted(TG_F64, 2, 5, 4, -1);
    tg_tensor *u = counted(TG_F64, 3, 4, 5, -1);
    fails_with("x @ y", a, b, TG_ERR_SHAPE, "the inner sizes 4 and 2 differ",
               "{0} @ {1}' has shape [3, 2]");
    fails_with("x @ y", a, c, TG_ERR_SHAPE, "the inner sizes 4 and 3 differ",
               "{0}' @ {1} has shape [4, 2]");
    fails_with("x @ y", a, v, TG_ERR_SHAPE, "the inner sizes 4 and 3 differ",
               "{0}' @ {1} has shape [4]");
    fails_with("x @ y", b, c, TG_ERR_SHAPE, "the inner sizes 4 and 3 differ",
               "{1} @ {0} has shape [3, 4]");
    fails_with("x @ y", a, s, TG_ERR_SHAPE, "{1} is a scalar", "{0} * {1}");
    fails_with("x @ y", w, u, TG_ERR_SHAPE, "the leading sizes 2 and 3 differ", "");
    fails_with("x @ y", w, v, TG_ERR_SHAPE, "not with a batch", "unsqueeze({1}, 1)");
    fails_with("outer(x, y)", a, v, TG_ERR_SHAPE, "{0} has rank 2", "flatten({0})");
    fails_with("trace(x)", a, NULL, TG_ERR_SHAPE, "square matrix, but {0} has shape [3, 4]", "");
    fails_with("tril(x)", v, NULL, TG_ERR_SHAPE, "rank 1", "");
    tg_tensor *all[] = {a, b, c, v, s, w, u};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tg_tensor_drop(all[i]);
}

static void test_symbolic_sizes(void **state) {
    (void)state;
    static const tg_attrs none;
    tg_size n = tg_size_symbol(&rt, tg_intern(&rt.c, "N", 1));
    tg_type in[2] = {MATRIX(2, n, 784), MATRIX(2, 784, 10)}, out = {0};
    tg_dtype want[2];
    const tg_op *op = tg_op_matmul_for(2, 2);
    assert_true(op->infer(&rt, op, 2, in, &none, &out, want));
    assert_string_equal(tg_shape_text(&rt, out.rank, out.dim), "[N, 10]");
    in[1].dim[0] = n;
    assert_false(op->infer(&rt, op, 2, in, &none, &out, want));
    assert_non_null(strstr(rt.c.diag.msg, "the inner sizes 784 and N differ"));
    assert_string_equal(rt.c.diag.help, "{0}' @ {1} has shape [784, 10]");
    tg_clear(&rt.c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_few_columns_at_each_level),
        cmocka_unit_test(test_no_inner_elements),
        cmocka_unit_test(test_beta_zero_overwrites),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_record_by_ranks),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_integers_become_floats),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_symbolic_sizes),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
