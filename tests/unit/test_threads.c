/* The promise of runtime/pool: the same bits at any number of threads. Each record of the registry
 * is called at sizes at which work is cut into parts, on operands that start at odd places, skip
 * elements or lie transposed; products over a sweep of sizes; and two networks train. */
#include "op_cases.h"

#include "include/tg.h"
#include "runtime/ops/linear.h"
#include "runtime/pool/pool.h"

#include <ctype.h>

static const int all_counts[] = {1, 2, 3, 4, 8};
static const int few_counts[] = {1, 3}; /* sanitizers look for wrong accesses, and are slow */
enum { COUNTS = sizeof all_counts / sizeof *all_counts };
static const int *counts = all_counts;
static int ncounts = COUNTS;
static bool sanitized;

/* ---- each operation ---- */

enum { MOST_ELEMENTS = 4 << 20, LAYOUTS = 4 };

/* The sizes of the registry's calls are 2 to 7; these make them large. */
static const int64_t factors[] = {60001, 151, 19, 7};
static const int64_t matrix_factors[] = {19, 7}; /* what is cubic, and worse, in its sizes */

/* Writes c.text with its whole numbers from 2 on times f. */
static bool scale_text(const char *text, int64_t f, char *out, size_t room) {
    size_t n = 0;
    for (const char *p = text; *p;) {
        bool number = isdigit((unsigned char)*p) &&
                      (p == text || (!isalnum((unsigned char)p[-1]) && !strchr("._", p[-1])));
        char *end = (char *)(uintptr_t)p + 1;
        long value = number ? strtol(p, &end, 10) : 0;
        if (number && value > 1 && *end != '.')
            n += (size_t)snprintf(out + n, room - n, "%lld", (long long)value * (long long)f);
        else
            n += (size_t)snprintf(out + n, room - n, "%.*s", (int)(end - p), p);
        if (n + 1 >= room) return false;
        p = end;
    }
    return true;
}

static bool scale_case(const op_case *c, int64_t f, bool text_too, op_case *out) {
    *out = *c;
    for (int i = 0; i < c->n; i++) {
        int64_t count = 1;
        for (int k = 0; k < c->leaf[i].rank; k++) {
            int64_t *d = &out->leaf[i].dim[k];
            *d *= *d > 1 ? f : 1;
            count *= *d;
            if (count > MOST_ELEMENTS) return false;
        }
    }
    return !text_too || scale_text(c->text, f, out->text, sizeof out->text);
}

/* A tensor of the same shape and type in other memory: 0 as it was, else one that begins at an odd
 * place, and takes every other element (2) or lies by columns (3). */
static tg_tensor *lay_out(tg_ctx *c, const tg_tensor *t, int how) {
    const tg_view *v = &t->v;
    int64_t skip = how == 2 && v->rank > 0 ? 2 : 1, room = tg_view_count(v) * skip + 1;
    tg_tensor *all = tg_tensor_new(c, v->dtype, 1, &room), *part = NULL;
    tg_view look = *v;
    for (int i = 0; i < v->rank; i++) look.stride[i] *= skip;
    if (how == 3 && v->rank > 1) {
        look.stride[v->rank - 1] = v->dim[v->rank - 2];
        look.stride[v->rank - 2] = 1;
    }
    if (all) {
        memset(all->v.data, 0, (size_t)room * tg_dtype_size(v->dtype));
        look.data = (char *)all->v.data + tg_dtype_size(v->dtype);
        part = tg_tensor_share(c, all, &look);
    }
    tg_tensor_drop(all);
    return part;
}

static bool lay_out_leaves(world *w, int how) {
    for (int i = 0; how && i < w->c.n; i++) {
        tg_cell *cell = w->leaf[i]->leaf.cell;
        tg_tensor *t = lay_out(&w->rt.c, cell->value, how);
        if (!t) return false;
        tg_tensor_drop(cell->value);
        cell->value = t;
    }
    store_values(w, -1, 0, NULL);
    return true;
}

static int64_t result_size(const world *w) {
    int64_t n = 1;
    for (int i = 0; i < w->root->type.rank; i++) {
        if (w->root->type.dim[i] > MOST_ELEMENTS) return INT64_MAX;
        n *= w->root->type.dim[i];
        if (n > MOST_ELEMENTS) return INT64_MAX;
    }
    return n;
}

/* Eagerly, when the root stands on the leaves themselves. */
static tg_tensor *apply_root(world *w) {
    tg_tensor *in[MOST_LEAVES];
    for (int i = 0; i < w->root->n; i++) {
        if (w->root->n > MOST_LEAVES || w->root->arg[i]->op != &tg_op_cell) return NULL;
        in[i] = w->root->arg[i]->leaf.cell->value;
    }
    return tg_op_apply(&w->rt, w->root->op, w->root->n, in, NULL, w->root->at);
}

static bool same_bits(const tg_tensor *a, const tg_tensor *b) {
    if (!a || !b) return a == b;
    return tg_view_is_contiguous(&a->v) && tg_view_is_contiguous(&b->v)
               ? memcmp(a->v.data, b->v.data,
                        (size_t)tg_view_count(&a->v) * tg_dtype_size(a->v.dtype)) == 0
               : true; /* looks compute nothing */
}

/* Evaluates at each number of threads. False: not at all, with these sizes. */
static bool compare_counts(report *r, world *w) {
    tg_tensor *planned[COUNTS] = {NULL}, *applied[COUNTS] = {NULL};
    bool ok = true;
    for (int i = 0; ok && i < ncounts; i++) {
        tg_runtime_set_threads(&w->rt, counts[i]);
        ok = tg_plan_eval(&w->rt, 1, &w->root, &planned[i]);
        if (ok) applied[i] = apply_root(w);
        if (ok && !same_bits(planned[0], planned[i])) complain(r, w, "a plan gives other bits", "");
        if (ok && !same_bits(applied[0], applied[i]))
            complain(r, w, "a kernel gives other bits", "");
    }
    for (int i = 0; i < ncounts; i++) {
        tg_tensor_drop(planned[i]);
        tg_tensor_drop(applied[i]);
    }
    return ok;
}

/* True when the case could be computed with sizes times f. */
static bool check_scaled(report *r, world *w, const op_case *c, int64_t f, bool text_too, int how,
                         tg_dtype t) {
    op_case large;
    bool ok = scale_case(c, f, text_too, &large) && world_build(w, &large, 0, t) &&
              result_size(w) <= MOST_ELEMENTS && lay_out_leaves(w, how) && compare_counts(r, w);
    world_clear(w);
    return ok;
}

static bool is_of_matrices(const op_case *c) {
    for (int i = 0; i < c->n; i++)
        if (*c->leaf[i].kind) return true;
    return false;
}

static bool check_case(report *r, world *w, const op_case *c, int how, tg_dtype t) {
    bool slow = is_of_matrices(c);
    const int64_t *f = slow ? matrix_factors : factors;
    int n = slow ? sizeof matrix_factors / sizeof *f : sizeof factors / sizeof *f;
    for (int i = 0; i < n; i++)
        for (int text = 0; text < 2; text++) /* the powers of matrices stay as they are */
            if (check_scaled(r, w, c, f[i], (text == 0) != slow, how, t)) return true;
    return false;
}

static void same_bits_of_each_record(void **state) {
    report r = {.op = *state};
    static world w;
    static op_case cases[MOST_CASES];
    int n = list_cases(r.op, cases), checked = 0;
    assert_true(n >= 0 && world_open(&w));
    w.rt.share_from = -1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < (sanitized ? 1 : 2); j++)
            checked +=
                check_case(&r, &w, &cases[i], (i + j) % LAYOUTS, (i + j) % 2 ? TG_F64 : TG_F32);
    if (n > 0 && checked == 0) complain(&r, NULL, "no call could be made large", NULL);
    world_close(&w);
    if (r.failures) fail_msg("%d failures", r.failures);
}

/* ---- products ---- */

typedef struct sizes {
    int64_t m, n, k;
} sizes;

/* Matrix i of a product: by rows or by columns, from an odd place on. */
static tg_view operand(tg_dtype t, void *memory, int64_t rows, int64_t cols, bool by_columns) {
    tg_view v = {.data = (char *)memory + tg_dtype_size(t), .dtype = t, .rank = 2};
    v.dim[0] = rows, v.dim[1] = cols;
    v.stride[0] = by_columns ? 1 : cols + 1;
    v.stride[1] = by_columns ? rows + 1 : 1;
    return v;
}

static void fill(tg_dtype t, void *memory, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        double x = draw() - 0.5;
        if (t == TG_F64)
            ((double *)memory)[i] = x;
        else
            ((float *)memory)[i] = (float)x;
    }
}

static double exact(const tg_view *a, const tg_view *b, int64_t i, int64_t j) {
    double sum = 0;
    for (int64_t p = 0; p < a->dim[1]; p++)
        sum += tg_view_get(a, i * a->dim[1] + p) * tg_view_get(b, p * b->dim[1] + j);
    return sum;
}

static void check_product(tg_rt *rt, tg_dtype t, sizes s, int layouts) {
    int64_t room = (s.m + 1) * (s.n + 1) + 1;
    double *ma = malloc((size_t)((s.m + 1) * (s.k + 1) + 1) * sizeof *ma),
           *mb = malloc((size_t)((s.k + 1) * (s.n + 1) + 1) * sizeof *mb),
           *mc = malloc((size_t)room * sizeof *mc), *first = malloc((size_t)room * sizeof *mc);
    assert_true(ma && mb && mc && first);
    fill(t, ma, (s.m + 1) * (s.k + 1) + 1);
    fill(t, mb, (s.k + 1) * (s.n + 1) + 1);
    tg_view a = operand(t, ma, s.m, s.k, layouts & 1), b = operand(t, mb, s.k, s.n, layouts & 2),
            c = operand(t, mc, s.m, s.n, layouts & 4);
    uint64_t shared = rt->shared;
    for (int i = 0; i < ncounts; i++) {
        tg_runtime_set_threads(rt, counts[i]);
        memset(mc, 0, (size_t)room * sizeof *mc);
        assert_true(tg_linear_gemm(rt, &a, &b, &c, 0.5, layouts & 1 ? 0 : 1));
        if (i == 0) memcpy(first, mc, (size_t)room * sizeof *mc);
        assert_memory_equal(first, mc, (size_t)room * sizeof *mc);
    }
    assert_true(rt->shared > shared); /* the sizes are large enough */
    for (int i = 0; i < 20; i++) {
        int64_t row = (int64_t)(draw() * (double)s.m), col = (int64_t)(draw() * (double)s.n);
        double got = tg_view_get(&c, row * s.n + col), want = 0.5 * exact(&a, &b, row, col);
        assert_true(close_to(got, want, (t == TG_F64 ? 1e-14 : 1e-5) * (double)(s.k + 100)));
    }
    free(ma);
    free(mb);
    free(mc);
    free(first);
}

static void same_bits_of_products(void **state) {
    (void)state;
    static const sizes sweep[] = {
        {128, 512, 129}, {129, 511, 784},  {784, 511, 128},  {333, 335, 337}, {1031, 67, 131},
        {65, 1033, 129}, {2051, 1025, 17}, {17, 2049, 515},  {9001, 10, 97},  {97, 10, 9001},
        {63, 65, 20001}, {3, 5, 300001},   {1, 1, 700001},   {9001, 1, 101},  {101, 1, 9001},
        {1, 9001, 101},  {1, 101, 9001},   {257, 129, 5003}, {2, 3001, 401},  {1201, 1203, 41},
    };
    static tg_rt rt;
    assert_true(tg_rt_init(&rt));
    rt.share_from = -1;
    lottery = 7;
    for (size_t i = 0; i < sizeof sweep / sizeof *sweep; i++)
        for (int layouts = sanitized ? (int)i % 4 : 0; layouts < 8; layouts += sanitized ? 4 : 1)
            check_product(&rt, (i + (size_t)layouts) % 2 ? TG_F64 : TG_F32, sweep[i], layouts);
    tg_rt_free(&rt);
}

/* ---- training ---- */

static const char softmax_program[] =
    "X = randn(1001, 300); Y = onehot(argmax(X @ randn(300, 10), axis=1), 10)\n"
    "W = var(zeros(300, 10)); b = var(zeros(10))\n"
    "cost = mean(-sum(Y * logsoftmax(X @ W + b), axis=1)) + 1e-4*sum(W^2)\n"
    "gW, gb = grad(cost, [W, b])\n"
    "repeat 100 { W, b := W - 0.1*gW, b - 0.1*gb }\n"
    "first = value(W); last = value(cost)\n";

static const char network_program[] =
    "X = randn(129, 257); Y = onehot(argmax(X[:, :10], axis=1), 10)\n"
    "A = var(0.1*randn(257, 255)); a = var(zeros(255))\n"
    "B = var(0.1*randn(255, 10)); b = var(zeros(10))\n"
    "H = tanh(X @ A + a)\n"
    "cost = mean(-sum(Y * logsoftmax(H @ B + b), axis=1))\n"
    "gA, ga, gB, gb = grad(cost, [A, a, B, b])\n"
    "repeat 100 { A, a, B, b := A - 0.5*gA, a - 0.5*ga, B - 0.5*gB, b - 0.5*gb }\n"
    "first = value(A); last = value(cost)\n";

enum { MOST_WEIGHTS = 257 * 255 };

static void train(const char *program, int threads, int single, double *weights, double *cost) {
    const tg_options o = {.threads = threads, .single = single, .seed = 3};
    tg_state *s = tg_open(&o);
    assert_non_null(s);
    if (tg_run(s, "training", program, TG_QUIET) != TG_DONE) fail_msg("%s", tg_error(s));
    int rank;
    int64_t dim[8];
    size_t count;
    assert_int_equal(tg_get_tensor(s, "first", &rank, dim, weights, MOST_WEIGHTS, &count), TG_DONE);
    assert_int_equal(tg_get_number(s, "last", cost), TG_DONE);
    tg_close(s);
}

static void check_training(const char *program) {
    static double weights[COUNTS][MOST_WEIGHTS];
    double cost[COUNTS];
    for (int single = 0; single < 2; single++)
        for (int i = 0; i < ncounts; i++) {
            train(program, counts[i], single, weights[i], &cost[i]);
            assert_memory_equal(weights[0], weights[i], sizeof *weights);
            assert_memory_equal(&cost[0], &cost[i], sizeof *cost);
            assert_true(cost[i] > 0 && cost[i] < 1); /* it has learnt: chance is log(10) */
        }
}

static void same_bits_after_training(void **state) {
    (void)state;
    check_training(softmax_program);
    check_training(network_program);
}

int main(void) {
    const char *slow = getenv("TG_SANITIZED");
    sanitized = slow && slow[0] == '1';
    if (sanitized) counts = few_counts, ncounts = sizeof few_counts / sizeof *few_counts;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_of_products),
        cmocka_unit_test(same_bits_after_training),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + test_each_record("threads", same_bits_of_each_record);
}
