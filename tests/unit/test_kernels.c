/* Elementwise kernels: every row over broadcast shapes, strides and types; the shape and type
 * rules; and the values that naive formulas get wrong. */
#include "kernels.h"

#include "runtime/ops/elementwise.h"

/* ---- elementwise: the driver ---- */

static int arity(const tg_op *op) {
    int n = 0;
    while (op->param[n].name) n++;
    return n;
}

/* The element of v for the result's element idx. */
static double broadcast_element(const tg_view *v, const tg_view *out, const int64_t *idx) {
    int64_t flat = 0;
    for (int i = 0; i < v->rank; i++) {
        int64_t k = idx[i + out->rank - v->rank];
        flat = flat * v->dim[i] + (v->dim[i] == 1 ? 0 : k);
    }
    return tg_view_get(v, flat);
}

/* Every element of op(in...) is op of the elements. */
static void check_elements(const tg_op *op, int n, tg_tensor **in) {
    tg_tensor *y = tg_op_apply(&rt, op, n, in, NULL, NULL);
    assert_non_null(y);
    int64_t idx[TG_MAX_RANK] = {0}, flat = 0;
    if (tg_view_count(&y->v) > 0) do {
            tg_tensor *one[TG_MAX_TENSORS];
            for (int k = 0; k < n; k++)
                one[k] = tg_tensor_scalar(&rt.c, in[k]->v.dtype,
                                          broadcast_element(&in[k]->v, &y->v, idx));
            double got = tg_view_get(&y->v, flat),
                   expected = item(tg_op_apply(&rt, op, n, one, NULL, NULL));
            /* vector code may round a multiplication and an addition as one */
            if (!close_to(got, expected, y->v.dtype == TG_F32 ? 1e-6 : 1e-14))
                fail_msg("%s at %d: %.17g is not %.17g", op->name, (int)flat, got, expected);
            flat++;
            for (int k = 0; k < n; k++) tg_tensor_drop(one[k]);
        } while (tg_view_step(&y->v, idx));
    for (int k = 0; k < n; k++) tg_tensor_drop(in[k]);
    tg_tensor_drop(y);
}

static const shape triples[][3] = {
    {{0}, {0}, {0}},
    {{1, {37}}, {1, {37}}, {1, {37}}},
    {{1, {37}}, {0}, {0}},
    {{0}, {1, {37}}, {0}},
    {{0}, {0}, {1, {37}}},
    {{2, {5, 7}}, {1, {7}}, {2, {5, 1}}},
    {{2, {5, 1}}, {2, {5, 7}}, {1, {1}}},
    {{1, {7}}, {2, {5, 7}}, {2, {5, 7}}},
    {{3, {4, 1, 5}}, {3, {4, 3, 5}}, {2, {3, 5}}},
    {{8, {2, 1, 2, 3, 1, 2, 1, 3}}, {8, {2, 1, 2, 3, 1, 2, 1, 3}}, {4, {1, 2, 1, 3}}},
    {{2, {0, 3}}, {2, {0, 3}}, {1, {3}}},
};

static void test_every_row_over_shapes(void **state) {
    (void)state;
    const tg_op *op;
    int rows = 0;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        if (op->class != TG_CLASS_ELEMENTWISE) continue;
        rows++;
        for (size_t k = 0; k < sizeof triples / sizeof triples[0]; k++)
            for (int single = 0; single < 2; single++) {
                tg_tensor *in[TG_MAX_TENSORS];
                int n = arity(op), widest = 0;
                for (int j = 0; j < n; j++) {
                    const shape *s = &triples[k][j];
                    if (s->rank > triples[k][widest].rank) widest = j;
                    in[j] =
                        random_tensor(single ? TG_F32 : TG_F64, s->rank, s->dim, op->lo, op->hi);
                }
                check_elements(op, n, in);
            }
    }
    assert_true(rows >= 45);
}

static void test_result_in_place(void **state) {
    (void)state;
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        if (!op->in_place || op->class != TG_CLASS_ELEMENTWISE || arity(op) > 2 || op->lo == 0)
            continue;
        int64_t n = 67;
        tg_tensor *x = random_tensor(TG_F32, 1, &n, op->lo, op->hi),
                  *y = random_tensor(TG_F32, 0, NULL, op->lo, op->hi);
        tg_tensor *in[] = {x, y};
        tg_tensor *apart = tg_op_apply(&rt, op, arity(op), in, NULL, NULL);
        tg_tensor *work = tg_tensor_convert(&rt.c, &x->v, TG_F32);
        tg_view views[] = {work->v, y->v};
        tg_call call = {.rt = &rt, .op = op, .n = arity(op), .in = views, .out = &work->v};
        assert_true(op->run(&call));
        assert_memory_equal(work->v.data, apart->v.data, work->buf->bytes);
        tg_tensor *all[] = {x, y, apart, work};
        for (int k = 0; k < 4; k++) tg_tensor_drop(all[k]);
    }
}

static void test_inner_loops_are_reachable(void **state) {
    (void)state;
    assert_non_null(tg_elementwise_inner(tg_op_find("add"), TG_F32));
    assert_true(tg_elementwise_inner(tg_op_find("add"), TG_F32) !=
                tg_elementwise_inner(tg_op_find("add"), TG_F64));
    assert_null(tg_elementwise_inner(tg_op_find("sum"), TG_F64));
}

static void test_registry(void **state) {
    (void)state;
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++) assert_ptr_equal(tg_op_find(op->name), op);
    assert_null(tg_op_find("no_such_operation"));
    assert_null(tg_op_find(""));
}

/* ---- shapes and types ---- */

static bool broadcasts(shape a, shape b, shape *out) {
    tg_type in[2] = {{.dtype = TG_F64, .rank = a.rank}, {.dtype = TG_F64, .rank = b.rank}}, y = {0};
    memcpy(in[0].dim, a.dim, sizeof a.dim);
    memcpy(in[1].dim, b.dim, sizeof b.dim);
    tg_clear(&rt.c);
    bool ok = tg_broadcast(&rt, 2, in, &y);
    out->rank = y.rank;
    memcpy(out->dim, y.dim, sizeof y.dim);
    return ok;
}

static void test_one_operand_has_the_shape(void **state) {
    (void)state;
    shape y, N1 = {2, {6, 1}}, N = {1, {6}}, NM = {2, {6, 4}}, M = {1, {4}}, M1 = {2, {1, 4}};
    assert_true(broadcasts(N1, NM, &y) && y.rank == 2 && y.dim[0] == 6 && y.dim[1] == 4);
    assert_true(broadcasts(M, NM, &y) && broadcasts(M1, NM, &y) && broadcasts((shape){0}, NM, &y));
    assert_true(broadcasts((shape){1, {1}}, N, &y) && y.dim[0] == 6);
    assert_false(broadcasts(N1, N, &y));
    assert_int_equal(rt.c.diag.kind, TG_ERR_SHAPE);
    assert_non_null(strstr(rt.c.diag.msg, "[6, 1]"));
    assert_non_null(strstr(rt.c.diag.msg, "[6, 6]"));
    assert_non_null(strstr(rt.c.diag.help, "outer"));
    assert_non_null(strstr(rt.c.diag.help, "flatten({0})"));
    assert_non_null(strstr(rt.c.diag.help, "expand"));
    assert_false(broadcasts(N1, M1, &y));
    assert_false(broadcasts(NM, N, &y));
    assert_non_null(strstr(rt.c.diag.msg, "4 and 6 differ"));
    assert_non_null(strstr(rt.c.diag.help, "expand({1}, shape({0}), axis=1)"));
    assert_non_null(strstr(rt.c.diag.help, "keep=true"));
}

static void test_promotion(void **state) {
    (void)state;
    const tg_type weak = {.dtype = TG_F64, .weak = true}, f32 = {.dtype = TG_F32, .rank = 1},
                  f64 = {.dtype = TG_F64, .rank = 1}, f64_scalar = {.dtype = TG_F64},
                  f32_scalar = {.dtype = TG_F32}, bytes = {.dtype = TG_U8, .rank = 1};
    struct {
        tg_type a, b;
        tg_dtype in_double, in_single;
    } cases[] = {
        {weak, weak, TG_F64, TG_F64},        {weak, f32, TG_F32, TG_F32},
        {weak, f64, TG_F64, TG_F64},         {f32, f64, TG_F64, TG_F64},
        {f32, f64_scalar, TG_F32, TG_F32},   {f32_scalar, f64_scalar, TG_F64, TG_F64},
        {weak, f32_scalar, TG_F32, TG_F32},  {bytes, weak, TG_F64, TG_F32},
        {bytes, bytes, TG_F64, TG_F32},      {bytes, f32, TG_F32, TG_F32},
        {bytes, f32_scalar, TG_F64, TG_F32},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int swap = 0; swap < 2; swap++) {
            tg_type in[2] = {swap ? cases[i].b : cases[i].a, swap ? cases[i].a : cases[i].b};
            rt.precision = TG_F64;
            assert_int_equal(tg_promote(&rt, 2, in), cases[i].in_double);
            rt.precision = TG_F32;
            assert_int_equal(tg_promote(&rt, 2, in), cases[i].in_single);
        }
}

static void test_result_types(void **state) {
    (void)state;
    double x[] = {16777217, 3};
    rt.precision = TG_F32;
    tg_tensor *a = from_doubles(TG_I32, 2, x),
              *b = from_doubles(TG_I64, 2, (double[]){16777216, 3});
    tg_tensor *y = tg_op_apply(&rt, tg_op_find("eq"), 2, (tg_tensor *[]){a, b}, NULL, NULL);
    assert_int_equal(y->v.dtype, TG_BOOL);
    assert_true(tg_view_get(&y->v, 0) == 0 && tg_view_get(&y->v, 1) == 1);
    tg_tensor_drop(y);
    y = tg_op_apply(&rt, tg_op_find("add"), 2, (tg_tensor *[]){a, b}, NULL, NULL);
    assert_int_equal(y->v.dtype, TG_F32);
    tg_tensor_drop(y);
    y = apply("and", 2, (tg_tensor *[]){a, b}, 0, NULL);
    assert_int_equal(y->v.dtype, TG_BOOL);
    tg_tensor_drop(y);
}

/* ---- elementwise: values ---- */

static void test_values(void **state) {
    (void)state;
    struct {
        const char *op;
        double x, y;
    } one[] = {
        {"sign", -0.0, 0},
        {"sign", NAN, NAN},
        {"relu", NAN, NAN},
        {"relu", -3, 0},
        {"round", 2.5, 2},
        {"round", -0.5, -0.0},
        {"round", 3.5, 4},
        {"softplus", 1000, 1000},
        {"softplus", -1000, 0},
        {"softplus", 0, M_LN2},
        {"softplus", NAN, NAN},
        {"sigmoid", 1000, 1},
        {"sigmoid", -1000, 0},
        {"sigmoid", 0, 0.5},
        {"log1p", 1e-18, 1e-18},
        {"expm1", 1e-18, 1e-18},
        {"gelu", 1, 0.84134474606854293},
        {"gelu", -1000, 0},
        {"gelu", 1000, 1000},
        {"erf", 0.5, 0.52049987781304654},
        {"not", 0, 1},
        {"not", 7, 0},
        {"log", 0, -INFINITY},
        {"sqrt", -1, NAN},
    };
    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++)
        if (!close_to(value1(one[i].op, one[i].x), one[i].y, 1e-15))
            fail_msg("%s(%g)", one[i].op, one[i].x);
    struct {
        const char *op;
        double a, b, y;
    } two[] = {
        {"mod", -7, 3, 2},        {"mod", 7, -3, -2},       {"mod", 6, 3, 0},
        {"mod", 5.5, 2, 1.5},     {"mod", 1, 0, NAN},       {"pow", 2, 10, 1024},
        {"pow", -3, 2, 9},        {"pow", 0, 0, 1},         {"pow", 2, -1, 0.5},
        {"maximum", NAN, 1, NAN}, {"maximum", 1, NAN, NAN}, {"minimum", NAN, 1, NAN},
        {"minimum", 1, NAN, NAN}, {"maximum", -1, 2, 2},    {"minimum", -1, 2, -1},
        {"eq", NAN, NAN, 0},      {"ne", NAN, NAN, 1},      {"le", NAN, 1, 0},
        {"and", 2, 4, 1},         {"or", 0, 0, 0},          {"atan2", 1, -1, 2.356194490192345},
        {"div", 1, 0, INFINITY},  {"div", 0, 0, NAN},
    };
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++)
        if (!close_to(value2(two[i].op, two[i].a, two[i].b), two[i].y, 1e-15))
            fail_msg("%s(%g, %g)", two[i].op, two[i].a, two[i].b);
}

static void test_where_and_clip(void **state) {
    (void)state;
    static const double truth[] = {1, 0, 2}, a[] = {1, NAN, 3}, b[] = {NAN, 5, 6};
    tg_tensor *y = apply("where", 3,
                         (tg_tensor *[]){from_doubles(TG_F64, 3, truth), from_doubles(TG_F64, 3, a),
                                         from_doubles(TG_F64, 3, b)},
                         0, NULL);
    assert_true(tg_view_get(&y->v, 0) == 1 && tg_view_get(&y->v, 1) == 5 &&
                tg_view_get(&y->v, 2) == 3);
    tg_tensor_drop(y);
    y = apply("clip", 3,
              (tg_tensor *[]){from_doubles(TG_F64, 3, (double[]){-2, 0.5, NAN}),
                              tg_tensor_scalar(&rt.c, TG_F64, 0),
                              tg_tensor_scalar(&rt.c, TG_F64, 1)},
              0, NULL);
    assert_true(tg_view_get(&y->v, 0) == 0 && tg_view_get(&y->v, 1) == 0.5 &&
                isnan(tg_view_get(&y->v, 2)));
    tg_tensor_drop(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_every_row_over_shapes),
        TEST(test_result_in_place),
        TEST(test_inner_loops_are_reachable),
        TEST(test_registry),
        TEST(test_one_operand_has_the_shape),
        TEST(test_promotion),
        TEST(test_result_types),
        TEST(test_values),
        TEST(test_where_and_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
