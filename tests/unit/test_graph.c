/* The formula graph: one node a formula, collection, walks, sizes of inputs, and formulas as text.
 * The operations are this file's own, so that what is tested does not depend on the registry. */
#include "runtime/graph/node.h"
#include "runtime/graph/print.h"
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include <stdio.h>

static tg_rt rt;

/* ---- operations ---- */

/* The shape of the argument of the highest rank. */
static bool infer_largest(tg_rt *r, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    (void)op, (void)at, (void)want;
    *out = (tg_type){.dtype = r->precision};
    for (int i = 0; i < n; i++)
        if (in[i].rank >= out->rank)
            memcpy(out->dim, in[i].dim, sizeof out->dim), out->rank = in[i].rank;
    return true;
}

static bool infer_refuse(tg_rt *r, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)op, (void)n, (void)in, (void)at, (void)out, (void)want;
    return tg_fail(&r->c, TG_ERR_SHAPE, "{0} has no meaning");
}

static bool print_index(tg_rt *r, tg_str *s, const tg_attrs *at, int rank) {
    (void)r, (void)rank;
    tg_str_addf(s, "[%lld]", (long long)at->v[0]);
    return true;
}

#define INFIX(word, sym, prec)                                                                     \
    static const tg_op word = {.name = #word,                                                      \
                               .class = TG_CLASS_ELEMENTWISE,                                      \
                               .infer = infer_largest,                                             \
                               .style = TG_PRINT_INFIX,                                            \
                               .symbol = (sym),                                                    \
                               .precedence = (prec),                                               \
                               .param = {{"a", TG_P_TENSOR, NULL}, {"b", TG_P_TENSOR, NULL}}}
#define PREFIX(word, sym, prec)                                                                    \
    static const tg_op word = {.name = #word,                                                      \
                               .class = TG_CLASS_ELEMENTWISE,                                      \
                               .infer = infer_largest,                                             \
                               .style = TG_PRINT_PREFIX,                                           \
                               .symbol = (sym),                                                    \
                               .precedence = (prec),                                               \
                               .param = {{"x", TG_P_TENSOR, NULL}}}
INFIX(add, "+", 5);
INFIX(sub, "-", 5);
INFIX(mul, "*", 6);
INFIX(quo, "/", 6);
INFIX(matmul, "@", 6);
INFIX(power, "^", 8);
INFIX(less, "<", 4);
INFIX(both, "and", 2);
PREFIX(neg, "-", 7);
PREFIX(not, "not", 3);
static const tg_op sine = {
    .name = "sin", .infer = infer_largest, .param = {{"x", TG_P_TENSOR, NULL}}};
static const tg_op largest = {.name = "maximum",
                              .shown = "max",
                              .infer = infer_largest,
                              .param = {{"a", TG_P_TENSOR, NULL}, {"b", TG_P_TENSOR, NULL}}};
static const tg_op sum = {
    .name = "sum",
    .class = TG_CLASS_REDUCE,
    .infer = infer_largest,
    .param = {{"x", TG_P_TENSOR, NULL}, {"axis", TG_P_AXES, "none"}, {"keep", TG_P_FLAG, "false"}}};
static const tg_op concat = {.name = "concat",
                             .infer = infer_largest,
                             .param = {{"xs", TG_P_LIST, NULL}, {"axis", TG_P_AXIS, "0"}}};
static const tg_op reshape = {.name = "reshape",
                              .infer = infer_largest,
                              .param = {{"x", TG_P_TENSOR, NULL}, {"shape", TG_P_SHAPE, NULL}}};
static const tg_op transpose = {.name = "transpose",
                                .infer = infer_largest,
                                .style = TG_PRINT_PRIME,
                                .param = {{"x", TG_P_TENSOR, NULL}, {"axes", TG_P_PERM, "none"}}};
static const tg_op item = {.name = "slice",
                           .infer = infer_largest,
                           .style = TG_PRINT_INDEX,
                           .print = print_index,
                           .param = {{"x", TG_P_TENSOR, NULL}}};
static const tg_op randn = {.name = "randn",
                            .class = TG_CLASS_RANDOM,
                            .infer = infer_largest,
                            .param = {{"shape", TG_P_SHAPE, NULL}}};
static const tg_op faulty = {
    .name = "faulty", .infer = infer_refuse, .param = {{"x", TG_P_TENSOR, NULL}}};

/* ---- formulas ---- */

static tg_node *A, *X, *Y, *a, *b; /* matrices [N, 3] (inputs X, Y; A a var) and scalar vars */
static tg_cell *cell_X, *cell_Y;

static tg_node *two(const tg_op *op, tg_node *l, tg_node *r) {
    return tg_node_make(&rt, op, 2, (tg_node *[]){l, r}, NULL);
}
static tg_node *one(const tg_op *op, tg_node *x) {
    return tg_node_make(&rt, op, 1, &x, NULL);
}
static tg_node *num(double x) {
    return tg_node_number(&rt, x);
}
static tg_node *prime(tg_node *x) {
    return tg_node_make(&rt, &transpose, 1, &x, &(tg_attrs){.n = 3, .v = {2, 1, 0}});
}
static tg_node *sum_of(tg_node *x, int mask, bool keep) {
    return tg_node_make(&rt, &sum, 1, &x, &(tg_attrs){.n = 2, .v = {mask, keep}});
}

static bool start(tg_rt *r) {
    *r = (tg_rt){.precision = TG_F64};
    return tg_ctx_init(&r->c) && tg_sizes_init(r) && tg_graph_init(r);
}

static void stop(tg_rt *r) {
    tg_graph_free(r);
    tg_sizes_free(r);
    tg_ctx_free(&r->c);
}

static tg_cell *cell(tg_cell_kind kind, const char *name, int rank, tg_size rows, tg_size columns) {
    tg_type type = {.dtype = TG_F64, .rank = rank, .dim = {rows, columns}};
    return tg_cell_new(&rt, kind, name, &type, NULL);
}

static tg_node *leaf(tg_cell *c) {
    tg_node *n = tg_node_hold(tg_node_cell(&rt, c));
    tg_cell_drop(c);
    return n;
}

static int setup(void **state) {
    (void)state;
    if (!start(&rt)) return -1;
    tg_size N = tg_size_symbol(&rt, "N");
    A = leaf(cell(TG_CELL_VAR, "A", 2, 3, 3));
    X = leaf(cell_X = cell(TG_CELL_INPUT, "X", 2, N, 3));
    Y = leaf(cell_Y = cell(TG_CELL_INPUT, "Y", 2, N, 3));
    a = leaf(cell(TG_CELL_VAR, "a", 0, 0, 0));
    b = leaf(cell(TG_CELL_VAR, "b", 0, 0, 0));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    stop(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static void prints(const tg_node *n, const char *want) {
    tg_str s = {0};
    assert_non_null(n);
    assert_true(tg_node_print(&rt, &s, n, false));
    assert_string_equal(tg_str_text(&s), want);
    tg_str_free(&s);
}

/* ---- making ---- */

static void equal_formulas_are_one_node(void **state) {
    (void)state;
    assert_ptr_equal(two(&add, a, b), two(&add, a, b));
    assert_ptr_not_equal(two(&add, a, b), two(&add, b, a));
    assert_ptr_not_equal(two(&add, a, b), two(&sub, a, b));
    assert_ptr_equal(sum_of(X, 2, true), sum_of(X, 2, true));
    assert_ptr_not_equal(sum_of(X, 2, true), sum_of(X, 2, false));
    assert_ptr_equal(num(0.1), num(0.1));
    assert_ptr_equal(num(NAN), num(-NAN));
    assert_ptr_not_equal(num(0.0), num(-0.0));
    assert_ptr_equal(tg_node_size(&rt, 7), num(7));
    tg_size N = tg_size_symbol(&rt, "N");
    assert_ptr_equal(tg_node_size(&rt, N), tg_node_size(&rt, N));
    assert_null(one(&faulty, a));
    assert_int_equal(rt.c.diag.kind, TG_ERR_SHAPE);
    tg_clear(&rt.c);
}

static void the_type_belongs_to_the_formula(void **state) {
    (void)state;
    tg_node *wide = one(&sine, num(2));
    rt.precision = TG_F32;
    tg_node *narrow = one(&sine, num(2));
    rt.precision = TG_F64;
    assert_ptr_not_equal(wide, narrow);
    assert_int_equal(narrow->type.dtype, TG_F32);
    assert_ptr_equal(one(&sine, num(2)), wide);
}

static void live_formulas_are_known(void **state) {
    (void)state;
    assert_true(two(&add, a, num(1))->live);
    assert_false(one(&sine, num(1))->live);
    assert_true(tg_node_size(&rt, tg_size_symbol(&rt, "N"))->live);
    assert_false(tg_node_make(&rt, &randn, 0, NULL, &(tg_attrs){.n = 4, .v = {1, 3, 7, 0}})->live);
    assert_true(tg_node_make(&rt, &randn, 0, NULL, &(tg_attrs){.n = 4, .v = {1, 3, 7, 1}})->live);
    size_t uses, none;
    assert_true(tg_node_uses(&rt, two(&mul, one(&sine, a), two(&mul, a, a)), a, &uses) &&
                uses == 3);
    assert_true(tg_node_uses(&rt, one(&sine, a), b, &none) && none == 0);
    assert_true(tg_node_depends(&rt, two(&mul, one(&sine, a), b), a));
    assert_false(tg_node_depends(&rt, one(&sine, a), b));
    assert_true(tg_node_depends(&rt, a, NULL));
}

/* ---- collection ---- */

static tg_node *watched;
static int sweeps, survivors;
static void sweeper(tg_rt *r) {
    (void)r;
    sweeps++;
    if (watched && tg_node_survives(watched))
        survivors++;
    else
        watched = NULL; /* as a memo forgets */
}

static void collection_keeps_what_is_held(void **state) {
    (void)state;
    tg_graph_collect(&rt, true);
    size_t before = tg_graph_count(&rt);
    assert_true(tg_graph_on_sweep(&rt, sweeper));
    assert_true(tg_graph_on_sweep(&rt, sweeper));
    watched = tg_node_hold(two(&mul, sum_of(X, 1, false), one(&sine, a)));
    one(&sine, one(&sine, two(&add, a, num(5))));
    tg_graph_collect(&rt, true);
    assert_int_equal(tg_graph_count(&rt), before + 3);
    assert_int_equal(sweeps, 1);
    assert_int_equal(survivors, 1);
    prints(watched, "sum(X, axis=0) * sin(a)");
    assert_ptr_equal(two(&mul, sum_of(X, 1, false), one(&sine, a)), watched);
    tg_node_drop(watched);
    tg_graph_collect(&rt, true);
    assert_int_equal(survivors, 1);
    assert_int_equal(tg_graph_count(&rt), before);
}

static void a_swept_leaf_lets_go_of_its_cell(void **state) {
    (void)state;
    tg_tensor *t = tg_tensor_scalar(&rt.c, TG_F64, 2);
    tg_type scalar = {.dtype = TG_F64};
    tg_cell *c = tg_cell_new(&rt, TG_CELL_VAR, NULL, &scalar, t);
    uint64_t first = tg_node_cell(&rt, c)->id;
    assert_int_equal(c->refs, 2);
    prints(c->leaf, "var(2)");
    tg_node_const(&rt, t, NULL);
    assert_int_equal(t->refs, 3);
    tg_graph_collect(&rt, true);
    assert_null(c->leaf);
    assert_int_equal(c->refs, 1);
    assert_true(tg_node_cell(&rt, c)->id > first);
    tg_cell_drop(c); /* the leaf still holds it */
    tg_graph_collect(&rt, true);
    assert_int_equal(t->refs, 1);
    tg_tensor_drop(t);
}

static void collection_waits_until_it_pays(void **state) {
    (void)state;
    tg_graph_collect(&rt, true);
    size_t base = tg_graph_count(&rt);
    for (int i = 0; i < 40000; i++) num(i + 0.5);
    tg_graph_collect(&rt, false);
    assert_true(tg_graph_count(&rt) >= base + 40000);
    for (int i = 0; i < 120000; i++) num(i + 0.25);
    tg_graph_collect(&rt, false);
    assert_int_equal(tg_graph_count(&rt), base);
}

static void a_million_deep_needs_no_recursion(void **state) {
    (void)state;
    enum { DEEP = 1000000 };
    tg_node *n = a, **list;
    size_t count;
    for (int i = 0; i < DEEP && n; i++) n = two(&add, n, b);
    assert_non_null(n);
    assert_int_equal(tg_node_ops(&rt, n), DEEP);
    assert_true(tg_node_depends(&rt, n, a));
    assert_false(tg_node_depends(&rt, n, X));
    assert_true(tg_node_collect(&rt, 1, &n, &list, &count));
    assert_int_equal(count, DEEP + 2);
    for (size_t i = 1; i < count; i++) assert_true(list[i]->id > list[i - 1]->id);
    tg_free(list);
    tg_str s = {0};
    assert_true(tg_node_print(&rt, &s, n, false));
    assert_true(s.len < 2200);
    unsigned long left_out, shown = 0;
    assert_int_equal(sscanf(tg_str_text(&s), "(... %lu operations) + b + b", &left_out), 1);
    for (const char *at = tg_str_text(&s); (at = strchr(at, '+')); at++) shown++;
    assert_int_equal(left_out + shown, DEEP);
    tg_str_free(&s);
    tg_node_hold(n);
    tg_graph_collect(&rt, true);
    assert_int_equal(tg_node_ops(&rt, n), DEEP);
    tg_node_drop(n);
    tg_graph_collect(&rt, true);
}

/* ---- sizes ---- */

static tg_tensor *zeros(int64_t rows, int64_t columns) {
    return tg_tensor_new(&rt.c, TG_F64, 2, (int64_t[]){rows, columns});
}

static void needs(tg_node *n, const char *want) {
    tg_str s = {0};
    assert_true(tg_node_needs(&rt, 1, &n, &s));
    assert_string_equal(tg_str_text(&s), want);
    tg_str_free(&s);
}

static void sizes_come_from_inputs(void **state) {
    (void)state;
    tg_size N = tg_size_symbol(&rt, "N"), K = tg_size_symbol(&rt, "K");
    tg_size_binding bind;
    tg_node *both_inputs = two(&add, Y, X), *size = tg_node_size(&rt, N),
            *unknown = tg_node_size(&rt, K);
    tg_node *shaped = tg_node_make(
        &rt, &reshape, 1, &a, &(tg_attrs){.n = 2, .sizes = 2, .v = {1, tg_size_times(&rt, 2, N)}});
    needs(both_inputs, "X, Y");
    needs(two(&mul, size, size), "the size N (X or Y)");
    needs(unknown, "K");
    needs(shaped, "the size N (X or Y)");
    needs(a, "");

    cell_X->value = zeros(5, 3);
    needs(both_inputs, "Y");
    needs(shaped, "");
    assert_true(tg_graph_bind_sizes(&rt, 1, &shaped, 0, NULL, NULL, &bind));
    assert_int_equal(tg_size_eval(&rt, &bind, N), 5);
    tg_size_binding_free(&bind);
    tg_cell **cells;
    size_t count, under;
    assert_true(tg_graph_cells(&rt, 1, &shaped, &cells, &count, &under));
    assert_int_equal(under, 1);
    assert_int_equal(count, 2);
    assert_ptr_equal(cells[1], cell_X);
    tg_free(cells);

    cell_Y->value = zeros(6, 3);
    assert_false(tg_graph_bind_sizes(&rt, 1, &both_inputs, 0, NULL, NULL, &bind));
    assert_string_equal(rt.c.diag.msg, "N is 5 in X but 6 in Y");
    tg_size_binding_free(&bind);
    tg_clear(&rt.c);
    tg_tensor *other = zeros(6, 3);
    assert_true(tg_graph_bind_sizes(&rt, 1, &both_inputs, 1, &cell_X, &other, &bind));
    assert_int_equal(tg_size_eval(&rt, &bind, N), 6);
    tg_size_binding_free(&bind);
    tg_tensor_drop(other);
    tg_tensor_drop(cell_X->value);
    tg_tensor_drop(cell_Y->value);
    cell_X->value = cell_Y->value = NULL;
}

/* ---- text ---- */

static void brackets_are_minimal(void **state) {
    (void)state;
    tg_node *x = a, *y = b;
    prints(two(&add, two(&mul, two(&mul, num(2), x), one(&sine, x)),
               two(&mul, two(&power, x, num(2)), one(&sine, x))),
           "2 * a * sin(a) + a^2 * sin(a)");
    prints(two(&sub, two(&sub, x, y), x), "a - b - a");
    prints(two(&sub, x, two(&sub, y, x)), "a - (b - a)");
    prints(two(&add, x, two(&add, y, x)), "a + (b + a)");
    prints(two(&quo, x, two(&mul, y, x)), "a / (b * a)");
    prints(two(&quo, two(&mul, x, y), x), "a * b / a");
    prints(two(&mul, two(&add, x, y), x), "(a + b) * a");
    prints(two(&power, two(&power, x, y), x), "(a^b)^a");
    prints(two(&power, x, two(&power, y, x)), "a^b^a");
    prints(two(&power, x, num(-1)), "a^(-1)");
    prints(two(&power, x, two(&sub, y, num(1))), "a^(b - 1)");
    prints(two(&power, num(-2), x), "(-2)^a");
    prints(one(&neg, two(&power, x, num(2))), "-a^2");
    prints(two(&power, one(&neg, x), num(2)), "(-a)^2");
    prints(one(&neg, two(&mul, x, y)), "-(a * b)");
    prints(two(&mul, one(&neg, x), y), "-a * b");
    prints(one(&neg, one(&neg, x)), "-(-a)");
    prints(one(&neg, sum_of(x, 0, false)), "-sum(a)");
    prints(two(&sub, x, one(&neg, y)), "a - (-b)");
    prints(two(&add, x, two(&mul, one(&neg, y), x)), "a + (-b * a)");
    prints(two(&mul, x, num(-2)), "a * (-2)");
    prints(two(&mul, num(-2), x), "-2 * a");
    prints(two(&less, two(&less, x, y), two(&add, x, y)), "(a < b) < a + b");
    prints(two(&less, x, num(-1)), "a < -1");
    prints(one(&not, two(&both, one(&not, x), two(&less, x, y))), "not (not a and a < b)");
}

static void operations_print_as_called(void **state) {
    (void)state;
    prints(prime(two(&add, A, prime(A))), "(A + A')'");
    prints(two(&quo, two(&matmul, prime(X), two(&sub, X, Y)),
               tg_node_size(&rt, tg_size_symbol(&rt, "N"))),
           "X' @ (X - Y) / N");
    prints(two(&power, prime(A), num(2)), "A'^2");
    prints(tg_node_make(&rt, &transpose, 1, &A, &(tg_attrs){.n = 3, .v = {2, 0, 1}}),
           "transpose(A, axes=(0, 1))");
    prints(sum_of(Y, 2, true), "sum(Y, axis=1, keep=true)");
    prints(sum_of(Y, 3, false), "sum(Y)");
    prints(two(&largest, a, num(0)), "max(a, 0)");
    prints(tg_node_make(&rt, &concat, 2, (tg_node *[]){A, A}, &(tg_attrs){.n = 1, .v = {1}}),
           "concat([A, A], axis=1)");
    prints(
        tg_node_make(&rt, &item, 1, (tg_node *[]){two(&add, A, A)}, &(tg_attrs){.n = 1, .v = {4}}),
        "(A + A)[4]");
    tg_size twice = tg_size_times(&rt, 2, tg_size_symbol(&rt, "N"));
    prints(two(&mul, tg_node_size(&rt, tg_size_add(&rt, twice, 1)), tg_node_size(&rt, twice)),
           "(2*N + 1) * (2*N)");
    prints(tg_node_make(&rt, &randn, 0, NULL, &(tg_attrs){.n = 4, .sizes = 2, .v = {1, 3, 7, 1}}),
           "fresh(randn(3))");
}

static void names_stand_for_formulas(void **state) {
    (void)state;
    tg_node *part = two(&add, a, b), *whole = one(&sine, part);
    part->label = "s";
    prints(whole, "sin(s)");
    prints(part, "a + b");
    tg_str s = {0};
    assert_true(tg_node_print(&rt, &s, whole, true));
    assert_string_equal(tg_str_text(&s), "sin(a + b)");
    tg_str_free(&s);
    part->label = NULL;
}

static void constants_print_by_size(void **state) {
    (void)state;
    tg_tensor *small = zeros(2, 2), *large = zeros(784, 10);
    for (int i = 0; i < 4; i++) tg_view_set(&small->v, i, i - 0.5);
    prints(tg_node_const(&rt, small, NULL), "[[-0.5, 0.5], [1.5, 2.5]]");
    prints(tg_node_const(&rt, large, NULL), "<[784, 10] double>");
    prints(two(&add, tg_node_const(&rt, large, "table"), a), "table + a");
    tg_tensor_drop(small);
    tg_tensor_drop(large);
}

static void numbers_print_shortest(void **state) {
    (void)state;
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        {2, "2"},
        {0.01, "0.01"},
        {1e-12, "1e-12"},
        {0.001, "0.001"},
        {1e20, "1e20"},
        {-0.0, "-0"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e-5, "1e-5"},
        {55000, "55000"},
        {123456789012345, "123456789012345"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
        {1.0 / 3, "0.3333333333333333"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_str s = {0};
        tg_number_print(&s, cases[i].x);
        assert_string_equal(tg_str_text(&s), cases[i].text);
        tg_str_free(&s);
    }
}

static void an_exploding_formula_is_abbreviated(void **state) {
    (void)state;
    tg_node *n = a;
    for (int i = 0; i < 200; i++) n = two(&add, n, n);
    tg_str s = {0};
    assert_true(tg_node_print(&rt, &s, n, false));
    assert_true(s.len < 2600);
    assert_non_null(strstr(tg_str_text(&s), "(... 19"));
    assert_non_null(strstr(tg_str_text(&s), " operations)"));
    tg_str_free(&s);
    tg_print_options o = {.width = 80};
    assert_true(tg_node_print_with(&rt, &s, n, &o)); /* 7 doublings are the least that is named */
    assert_non_null(strstr(tg_str_text(&s), " where\n  "));
    assert_true(s.len < 5000);
    tg_str_free(&s);
    n = a;
    for (int i = 0; i < 100000; i++) n = one(&sine, n);
    assert_true(tg_node_print(&rt, &s, n, false));
    assert_true(s.len < 2600);
    tg_str_free(&s);
}

/* ---- no memory ---- */

static bool build_something(tg_rt *r) {
    tg_type type = {.dtype = TG_F64, .rank = 1, .dim = {tg_size_symbol(r, "N")}};
    if (type.dim[0] == TG_SIZE_FAIL) return false;
    tg_cell *c = tg_cell_new(r, TG_CELL_INPUT, "x", &type, NULL);
    tg_node *x = c ? tg_node_cell(r, c) : NULL, *n = x, **list = NULL;
    tg_cell_drop(c);
    tg_node *many[12];
    for (int i = 0; i < 12 && n; i++) many[i] = n = tg_node_make(r, &sine, 1, &n, NULL);
    if (n) n = tg_node_make(r, &concat, 12, many, &(tg_attrs){.n = 1, .v = {0}});
    for (int i = 0; i < 1200 && n; i++) {
        tg_node *args[] = {n, tg_node_number(r, i)};
        n = args[1] ? tg_node_make(r, &add, 2, args, NULL) : NULL;
    }
    size_t count = 0;
    tg_str s = {0};
    tg_size_binding bind = {0};
    bool ok = n && tg_node_collect(r, 1, &n, &list, &count) && tg_node_print(r, &s, n, false);
    tg_str_free(&s);
    ok = ok && tg_node_needs(r, 1, &n, &s) && tg_graph_bind_sizes(r, 1, &n, 0, NULL, NULL, &bind);
    tg_size_binding_free(&bind);
    tg_str_free(&s);
    tg_free(list);
    if (ok) tg_graph_collect(r, true);
    return ok;
}

static void no_memory_is_an_error(void **state) {
    (void)state;
    tg_rt r;
    tg_alloc_reset_stats();
    assert_true(start(&r) && build_something(&r));
    uint64_t requests = tg_alloc_get_stats().requests;
    stop(&r);
    for (uint64_t n = 1; n <= requests; n++) {
        tg_alloc_fail_at(n);
        bool ok =
            start(&r) && build_something(&r); /* true: a table that could not grow did without */
        tg_alloc_fail_at(0);
        if (!ok && r.graph) assert_int_equal(r.c.diag.kind, TG_ERR_MEMORY);
        stop(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_formulas_are_one_node),
        cmocka_unit_test(the_type_belongs_to_the_formula),
        cmocka_unit_test(live_formulas_are_known),
        cmocka_unit_test(collection_keeps_what_is_held),
        cmocka_unit_test(a_swept_leaf_lets_go_of_its_cell),
        cmocka_unit_test(collection_waits_until_it_pays),
        cmocka_unit_test(a_million_deep_needs_no_recursion),
        cmocka_unit_test(sizes_come_from_inputs),
        cmocka_unit_test(brackets_are_minimal),
        cmocka_unit_test(operations_print_as_called),
        cmocka_unit_test(names_stand_for_formulas),
        cmocka_unit_test(constants_print_by_size),
        cmocka_unit_test(numbers_print_shortest),
        cmocka_unit_test(an_exploding_formula_is_abbreviated),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
