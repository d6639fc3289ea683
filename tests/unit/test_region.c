/* Regions: random formulas of elementwise operations, broadcasts, operations on rows and reductions
 * have the values that evaluation node by node gives, to the last bit where nothing is summed; the
 * regions are there; what they make unnecessary is not stored; threads change no bit. */
#include "runtime/plan/region.h"
#include "eager.h"

#include "runtime/graph/grad.h"
#include "runtime/graph/rule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static tg_rt rt;

static int setup(void **state) {
    (void)state;
    return tg_rt_init(&rt) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    tg_rt_free(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static uint64_t dice = 1;
static int roll(int n) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (int)((dice >> 33) % (uint64_t)n);
}

/* ---- making things ---- */

static tg_tensor *filled(tg_dtype t, int rank, const int64_t *dim) {
    tg_tensor *x = tg_tensor_new(&rt.c, t, rank, dim);
    assert_non_null(x);
    double scale = tg_dtype_is_float(t) ? 1 : 3;
    for (int64_t i = 0; i < tg_view_count(&x->v); i++)
        tg_view_set(&x->v, i, scale * sin((double)(i * 7 + roll(1000))));
    return x;
}

/* A variable with that value, which it takes over. */
static tg_node *variable(tg_tensor *value) {
    tg_type type = {.dtype = value->v.dtype, .rank = value->v.rank};
    memcpy(type.dim, value->v.dim, sizeof type.dim);
    tg_cell *c = tg_cell_new(&rt, TG_CELL_VAR, NULL, &type, value);
    assert_non_null(c);
    tg_node *n = tg_node_cell(&rt, c);
    tg_cell_drop(c);
    tg_tensor_drop(value);
    assert_non_null(n);
    return n;
}

/* A value of that shape whose elements do not stand in a row: transposed, every second one, or
 * backwards. */
static tg_tensor *scattered(tg_dtype t, int rank, const int64_t *dim) {
    int64_t wide[TG_MAX_RANK] = {0};
    int kind = roll(3), last = rank - 1;
    for (int i = 0; i < rank; i++) wide[i] = kind == 0 ? dim[last - i] : dim[i];
    if (kind == 1 && rank) wide[last] *= 2;
    tg_tensor *x = filled(t, rank, wide);
    tg_view v = x->v;
    for (int i = 0; i < rank; i++) {
        v.dim[i] = dim[i];
        if (kind == 0) v.stride[i] = x->v.stride[last - i];
    }
    if (kind == 1 && rank) v.stride[last] = 2;
    if (kind == 2 && rank && dim[0] > 0) {
        v.data = (char *)v.data + (dim[0] - 1) * v.stride[0] * (int64_t)tg_dtype_size(t);
        v.stride[0] = -v.stride[0];
    }
    tg_tensor *look = tg_tensor_share(&rt.c, x, &v);
    assert_non_null(look);
    tg_tensor_drop(x);
    return look;
}

static tg_node *build(const char *text, tg_node *x, tg_node *y) {
    const tg_rule_name names[] = {{.name = "x", .node = x}, {.name = "y", .node = y}};
    tg_node *n = tg_rule_build(&rt, text, 2, names);
    if (!n) fail_msg("%s: %s", text, rt.c.diag.msg);
    return n;
}

/* ---- comparing ---- */

static void assert_agrees(const tg_tensor *a, const tg_tensor *b, double tolerance) {
    assert_true(tg_shape_equal(a->v.rank, a->v.dim, b->v.rank, b->v.dim));
    assert_int_equal(a->v.dtype, b->v.dtype);
    for (int64_t i = 0; i < tg_view_count(&a->v); i++) {
        double x = tg_view_get(&a->v, i), y = tg_view_get(&b->v, i);
        if ((x != x && y != y) || x == y || fabs(x - y) <= tolerance * (1 + fabs(x))) continue;
        fail_msg("%.17g and %.17g differ, element %d", x, y, (int)i);
    }
}

static void assert_as_eager(int n, tg_node *const *roots, double tolerance) {
    tg_tensor *out[8] = {0};
    if (!tg_plan_eval(&rt, n, roots, out)) fail_msg("%s", rt.c.diag.msg);
    for (int i = 0; i < n; i++) {
        eager e;
        assert_true(eager_eval(&rt, roots[i], &e));
        assert_agrees(out[i], e.value[eager_find(&e, roots[i])], tolerance);
        eager_free(&e);
        tg_tensor_drop(out[i]);
    }
}

static const tg_plan *newest(void) {
    return rt.plans->newest;
}

static int count_regions(const tg_plan *p) {
    int n = 0;
    for (size_t i = 0; i < p->nsteps; i++) n += p->steps[i].region >= 0;
    return n;
}

/* ---- random formulas ---- */

static const int64_t sizes[] = {1, 2, 3, 5, 8, 33, 64, 130, 257, 600, 1500};

/* The iteration shape of one turn: rows and columns, with an axis more in front sometimes. */
static int random_shape(int64_t *dim) {
    int rank = 1 + roll(3), r = 0;
    if (rank == 3) dim[r++] = 1 + roll(3);
    if (rank >= 2) dim[r++] = sizes[roll(8)];
    dim[r++] = sizes[roll(11)];
    if (roll(20) == 0) dim[roll(r)] = 0;
    return r;
}

enum { LEAVES = 9, MOST = 40 };

static void make_leaves(tg_node **pool, int rank, const int64_t *dim) {
    static const tg_dtype types[] = {TG_F32, TG_F64};
    int64_t column[TG_MAX_RANK];
    memcpy(column, dim, sizeof column);
    if (rank > 1) column[rank - 1] = 1;
    tg_dtype t = types[roll(2)], u = roll(4) ? t : types[roll(2)];
    pool[0] = variable(filled(t, rank, dim));
    pool[1] = variable(filled(u, rank, dim));
    pool[2] = variable(scattered(t, rank, dim));
    pool[3] = variable(filled(t, 1, dim + rank - 1));
    pool[4] = variable(filled(t, rank, rank > 1 ? column : dim));
    pool[5] = variable(filled(t, 0, NULL));
    pool[6] = variable(filled(TG_I32, rank, dim));
    pool[7] = variable(filled(TG_BOOL, rank, dim));
    pool[8] = variable(scattered(u, rank, dim));
}

static const char *const plain[] = {
    "x + y",
    "x * y",
    "x - y",
    "tanh(x)",
    "sin(x) * y",
    "where(x > y, x, y)",
    "max(x, 0.5)",
    "x * 0.5 - 2",
    "exp(-x^2)",
    "abs(y) + x",
    "single(x)",
    "double(x) - y",
    "-x",
    "where(y < 0.3, 1, x)",
    "sigmoid(x) + 1",
};
static const char *const summing[] = {
    "softmax(x)",
    "logsoftmax(x) * 0.1",
    "x - mean(x, axis=-1, keep=true)",
    "y * sum(x, axis=-1, keep=true) / size(x)",
    "tanh(x / (0.5 + norm(x, axis=-1, keep=true)))",
    "x * max(y, axis=-1, keep=true)",
    "tanh(sum(x)) + y",
    "x - mean(x, axis=0)",
    "x + tanh(logsumexp(y, axis=-1, keep=true))",
    "tanh(sum(x * y, axis=0)) + x",
};
static const char *const ends[] = {
    "sum(x * y)",
    "mean(x)",
    "sum(x, axis=0)",
    "mean(x * x, axis=-1)",
    "sum(x, axis=-1)^2",
    "max(x)",
    "min(x, axis=0)",
    "mean(-sum(x * y, axis=-1))",
    "sum(x - y, axis=0) * 2",
    "logsumexp(x, axis=-1) - 1",
    "argmax(x, axis=-1)",
    "any(x > 0.5, axis=-1)",
};
#define PICK(list) list[roll((int)(sizeof(list) / sizeof *(list)))]

static void random_turn(bool sums) {
    int64_t dim[TG_MAX_RANK] = {0};
    int rank = random_shape(dim), n = LEAVES, until = LEAVES + 3 + roll(20), nroots = 1 + roll(4);
    tg_node *pool[MOST], *roots[4];
    bool empty = false;
    for (int i = 0; i < rank; i++) empty = empty || dim[i] == 0;
    make_leaves(pool, rank, dim);
    /* the first is as wide as the result, so that anything combines with it */
    pool[n++] = build("tanh(x) + y", pool[0], pool[roll(LEAVES)]);
    while (n < until) {
        tg_node *x = pool[LEAVES + roll(n - LEAVES)], *y = pool[roll(n)];
        const char *text = PICK(plain);
        if (sums && !empty && roll(4) == 0) {
            text = PICK(summing);
            y = pool[LEAVES + roll(n - LEAVES)];
        }
        tg_node *z = build(text, x, y);
        pool[n++] = roll(3) ? z : build("tanh(x)", z, y); /* keeps values small */
    }
    for (int i = 0; i < nroots; i++) {
        roots[i] = pool[n - 1 - roll(n - LEAVES < 6 ? n - LEAVES : 6)];
        if (sums && !empty && roll(2)) roots[i] = build(PICK(ends), roots[i], pool[LEAVES]);
    }
    /* sums of single precision may differ by their order; what is chosen by a comparison with them
     * may then differ by all */
    assert_as_eager(nroots, roots, sums ? 2e-3 : 0);
}

static void random_formulas_have_the_same_bits(void **state) {
    (void)state;
    for (int turn = 0; turn < 250; turn++) {
        random_turn(false);
        tg_graph_collect(&rt, true);
    }
}

static void random_sums_have_the_same_values(void **state) {
    (void)state;
    for (int turn = 0; turn < 250; turn++) {
        random_turn(true);
        tg_graph_collect(&rt, true);
    }
}

/* ---- what is formed ---- */

static void a_formula_and_its_gradient_are_one_step(void **state) {
    (void)state;
    rt.precision = TG_F32;
    const int64_t n = 1000000;
    tg_node *v = tg_node_hold(variable(filled(TG_F32, 1, &n))), *g = NULL;
    tg_node *f = tg_node_hold(build("sum(tanh(x) * sigmoid(x) + x * exp(-x^2))", v, v));
    const tg_grad_options opt = {0};
    assert_true(tg_grad(&rt, f, 1, &v, &opt, &g, NULL));
    tg_node *roots[] = {f, g};
    assert_as_eager(2, roots, 2e-5);
    assert_int_equal(newest()->nsteps, 1);
    assert_true(newest()->work_bytes < 2 << 20); /* no value of 4 MB is stored */
    tg_node_drop(f);
    tg_node_drop(v);
}

static void softmax_with_its_loss_and_gradient_are_two_steps(void **state) {
    (void)state;
    tg_node *z = tg_node_hold(variable(filled(TG_F64, 2, (int64_t[]){100, 10})));
    tg_node *y = variable(filled(TG_F64, 2, (int64_t[]){100, 10})), *g = NULL;
    tg_node *f = tg_node_hold(build("mean(-sum(y * log(softmax(x)), axis=1))", z, y));
    const tg_grad_options opt = {0};
    assert_true(tg_grad(&rt, f, 1, &z, &opt, &g, NULL));
    tg_node *roots[] = {f, g, build("sum(x, axis=0)", g, y)};
    assert_as_eager(3, roots, 1e-12);
    assert_int_equal(newest()->nsteps - newest()->first, 2);
    tg_node_drop(f);
    tg_node_drop(z);
}

static void an_update_of_adam_is_one_step(void **state) {
    (void)state;
    const int64_t shape[] = {30, 40};
    tg_node *g = variable(filled(TG_F64, 2, shape)), *m = variable(filled(TG_F64, 2, shape));
    tg_node *v = build("x^2", variable(filled(TG_F64, 2, shape)), g);
    tg_node *w = variable(filled(TG_F64, 2, shape));
    tg_node *mm = build("0.9 * x + 0.1 * y", m, g), *vv = build("0.999 * x + 0.001 * y^2", v, g);
    tg_node *roots[] = {mm, vv, build("x - y", w, build("0.01 * x / (sqrt(y) + 1e-8)", mm, vv))};
    assert_as_eager(3, roots, 0);
    assert_int_equal(newest()->nsteps, 1);
}

/* A value that is needed inside and, by way of a product, outside and back, must not close a
 * circle. */
static void what_must_wait_is_not_joined(void **state) {
    (void)state;
    const int64_t shape[] = {20, 20};
    tg_node *x = variable(filled(TG_F64, 2, shape)), *w = variable(filled(TG_F64, 2, shape));
    tg_node *h = build("tanh(x + y)", x, w), *p = build("x @ y", h, w);
    tg_node *roots[] = {build("x * y + sin(x)", h, p), build("exp(x) - y", h, w)};
    assert_as_eager(2, roots, 1e-12);
    assert_true(count_regions(newest()) >= 2);
}

/* Layer upon layer, each result of a region may stand where its operand did. */
static void results_take_the_place_of_operands(void **state) {
    (void)state;
    const int64_t shape[] = {200, 200}, bytes = 200 * 200 * 8;
    tg_node *w = variable(filled(TG_F64, 2, shape)), *x = variable(filled(TG_F64, 2, shape));
    for (int i = 0; i < 6; i++)
        x = build("tanh(x) * 0.1 + sigmoid(y) * 0.2", build("x @ y", x, w), x);
    tg_node *root = build("sum(x * y)", x, w);
    assert_as_eager(1, &root, 1e-9);
    assert_int_equal(count_regions(newest()), 6);
    assert_true(newest()->work_bytes < 5 * bytes / 2); /* two values, and scratch */
}

static void numbers_are_one_step(void **state) {
    (void)state;
    tg_node *s = variable(filled(TG_F64, 0, NULL));
    tg_node *root = build("sin(x) * x^2 + exp(-x) * cos(x)", s, s);
    assert_as_eager(1, &root, 0);
    assert_int_equal(newest()->nsteps, 1);
}

/* ---- threads and interrupts ---- */

static void threads_change_no_bit(void **state) {
    (void)state;
    static const int64_t shapes[][2] = {{700, 1301}, {100003, 7}, {3, 400001}};
    static const int threads[] = {1, 2, 3, 8};
    for (int k = 0; k < 3; k++) {
        tg_node *x = tg_node_hold(variable(filled(TG_F32, 2, shapes[k])));
        tg_node *y = build("tanh(x) * exp(-x^2) - 0.3", x, x);
        tg_node *roots[] = {build("sum(x) + mean(x * y)", y, x), build("sum(x, axis=0)", y, x), y};
        tg_tensor *first[3] = {0};
        for (int i = 0; i < 4; i++) {
            tg_runtime_set_threads(&rt, threads[i]);
            tg_tensor *out[3] = {0};
            assert_true(tg_plan_eval(&rt, 3, roots, out));
            for (int j = 0; j < 3; j++) {
                if (i == 0) first[j] = tg_tensor_hold(out[j]);
                assert_memory_equal(out[j]->v.data, first[j]->v.data, out[j]->buf->bytes);
                tg_tensor_drop(out[j]);
            }
        }
        assert_true(newest()->regions[0]->parts > 1);
        for (int j = 0; j < 3; j++) tg_tensor_drop(first[j]);
        tg_node_drop(x);
        tg_graph_collect(&rt, true);
    }
}

static void an_interrupt_is_seen_between_parts(void **state) {
    (void)state;
    const int64_t n = 1000000;
    tg_node *x = variable(filled(TG_F32, 1, &n)), *root = build("sum(exp(-x^2) * tanh(x))", x, x);
    tg_tensor *out = NULL;
    assert_true(tg_plan_eval(&rt, 1, &root, &out));
    tg_plan *p = rt.plans->newest;
    const tg_step *s = &p->steps[p->nsteps - 1];
    assert_true(s->region >= 0 && p->regions[s->region]->parts > 1);
    rt.c.interrupted = 1;
    assert_false(s->run(&rt, p, s));
    assert_int_equal(rt.c.diag.kind, TG_ERR_INTERRUPT);
    tg_clear(&rt.c);
    tg_tensor_drop(out);
}

/* ---- accuracy ---- */

static void a_fused_sum_is_as_good_as_exact(void **state) {
    (void)state;
    const int64_t n = 10000000;
    tg_tensor *t = tg_tensor_new(&rt.c, TG_F32, 1, &n);
    assert_non_null(t);
    for (int64_t i = 0; i < n; i++) ((float *)t->v.data)[i] = 0.1F;
    tg_node *x = variable(t), *root = build("sum(abs(x))", x, x);
    tg_tensor *out = NULL;
    assert_true(tg_plan_eval(&rt, 1, &root, &out));
    double want = (double)n * (double)0.1F, got = tg_view_get(&out->v, 0);
    if (!(fabs(got - want) <= 3e-7 * want)) fail_msg("%.10g for %.10g", got, want);
    tg_tensor_drop(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(random_formulas_have_the_same_bits),
        TEST(random_sums_have_the_same_values),
        TEST(a_formula_and_its_gradient_are_one_step),
        TEST(softmax_with_its_loss_and_gradient_are_two_steps),
        TEST(an_update_of_adam_is_one_step),
        TEST(what_must_wait_is_not_joined),
        TEST(results_take_the_place_of_operands),
        TEST(numbers_are_one_step),
        TEST(threads_change_no_bit),
        TEST(an_interrupt_is_seen_between_parts),
        TEST(a_fused_sum_is_as_good_as_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
