/* Convolutions of sizes at which their kernels part: columns and gathered panels, blocks of rows,
 * chunks of lanes, groups, strides and dilations, views of any layout; each against the definition,
 * at every level of the processor, and with the same bits at any number of threads. */
#include "calls.h"

#include "runtime/vec/vec.h"

typedef struct shape {
    int64_t n, groups, c, o, image[2], kernel[2], stride[2], padding[2], dilation[2];
} shape;

static tg_tensor *noise(tg_dtype t, int rank, const int64_t *dim) {
    static uint64_t state = 1;
    tg_tensor *x = tg_tensor_new(&rt.c, t, rank, dim);
    assert_non_null(x);
    for (int64_t i = 0; i < tg_view_count(&x->v); i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        tg_view_set(&x->v, i, (double)(state >> 40) / 16777216.0 - 0.5);
    }
    return x;
}

/* The same elements in memory that is laid out the other way round. */
static tg_view scattered(const tg_tensor *x, tg_tensor **owner) {
    int64_t turned[4];
    for (int i = 0; i < 4; i++) turned[i] = x->v.dim[3 - i];
    *owner = tg_tensor_new(&rt.c, x->v.dtype, 4, turned);
    assert_non_null(*owner);
    tg_view v = (*owner)->v;
    for (int i = 0; i < 4; i++) {
        v.dim[i] = x->v.dim[i];
        v.stride[i] = (*owner)->v.stride[3 - i];
    }
    tg_view_copy(&v, &x->v);
    return v;
}

static void push_pair(tg_attrs *at, const int64_t *v) {
    at->v[at->n++] = 2;
    at->v[at->n++] = v[0];
    at->v[at->n++] = v[1];
}

static void check_call(const char *name, const shape *s, tg_tensor *const *in, const int64_t *dim,
                       bool turned) {
    tg_attrs at = {0};
    const int64_t none[2] = {0, 0};
    const tg_op *op = tg_op_find(name);
    if (strstr(name, "weights")) push_pair(&at, s->kernel);
    push_pair(&at, s->stride);
    push_pair(&at, s->padding);
    if (strstr(name, "transpose")) push_pair(&at, none);
    push_pair(&at, s->dilation);
    at.v[at.n++] = s->groups;
    tg_dtype t = in[0]->v.dtype;
    tg_tensor *owner[2] = {NULL, NULL}, *want = tg_tensor_new(&rt.c, t, 4, dim),
              *one = tg_tensor_new(&rt.c, t, 4, dim), *two = tg_tensor_new(&rt.c, t, 4, dim);
    assert_true(want && one && two);
    tg_view view[2] = {in[0]->v, in[1]->v};
    for (int i = 0; turned && i < 2; i++) view[i] = scattered(in[i], &owner[i]);
    tg_call call = {.rt = &rt, .op = op, .n = 2, .in = view, .out = &want->v, .at = &at};
    assert_true(op->reference(&call));
    size_t room = 0;
    call.out = &one->v, call.room = &room;
    assert_true(op->run(&call)); /* tells its room */
    call.room = NULL, rt.threads = 1;
    assert_true(op->run(&call));
    call.out = &two->v, rt.threads = 3;
    assert_true(op->run(&call));
    rt.threads = 1;
    size_t bytes = (size_t)tg_view_count(&one->v) * tg_dtype_size(t);
    assert_memory_equal(one->v.data, two->v.data, bytes);
    double tolerance = t == TG_F64 ? 1e-11 : 2e-4;
    for (int64_t i = 0; i < tg_view_count(&one->v); i++)
        if (!(fabs(tg_view_get(&one->v, i) - tg_view_get(&want->v, i)) <= tolerance))
            fail_msg("%s at %s, [%d,%d,%d,%d]: element %d is %g, not %g", name, tg_vec_now()->name,
                     (int)s->n, (int)s->c, (int)s->o, (int)s->image[0], (int)i,
                     tg_view_get(&one->v, i), tg_view_get(&want->v, i));
    for (int i = 0; i < 2; i++) tg_tensor_drop(owner[i]);
    tg_tensor_drop(want);
    tg_tensor_drop(one);
    tg_tensor_drop(two);
}

static void check_shape(const shape *s, tg_dtype t, bool turned) {
    int64_t x[4] = {s->n, s->groups * s->c, s->image[0], s->image[1]},
            w[4] = {s->groups * s->o, s->c, s->kernel[0], s->kernel[1]},
            y[4] = {s->n, s->groups * s->o};
    for (int i = 0; i < 2; i++) {
        int64_t room = s->image[i] + 2 * s->padding[i] - s->dilation[i] * (s->kernel[i] - 1) - 1;
        y[2 + i] = room / s->stride[i] + 1;
        x[2 + i] = s->image[i] - room % s->stride[i]; /* no output padding */
    }
    tg_tensor *image = noise(t, 4, x), *kernel = noise(t, 4, w), *out = noise(t, 4, y);
    check_call("conv2d", s, (tg_tensor *[]){image, kernel}, y, turned);
    check_call("conv_transpose2d", s, (tg_tensor *[]){out, kernel}, x, turned);
    check_call("conv_weights2d", s, (tg_tensor *[]){image, out}, w, turned);
    tg_tensor_drop(image);
    tg_tensor_drop(kernel);
    tg_tensor_drop(out);
}

static const shape shapes[] = {
    {2, 1, 3, 16, {9, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {1, 1, 16, 10, {7, 7}, {5, 5}, {1, 1}, {2, 2}, {1, 1}},
    {3, 1, 1, 33, {11, 6}, {3, 2}, {2, 3}, {1, 0}, {1, 1}},
    {1, 2, 8, 16, {8, 9}, {3, 3}, {2, 1}, {2, 1}, {1, 2}},
    {1, 1, 18, 80, {5, 4}, {2, 2}, {1, 1}, {0, 3}, {2, 1}},
    {2, 4, 1, 1, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {1, 1, 1, 16, {4, 4}, {3, 3}, {1 << 30, 1 << 30}, {1 << 30, 1 << 30}, {1, 1}},
    {2, 1, 5, 7, {6, 5}, {1, 1}, {1, 1}, {0, 0}, {1, 1}},
    {40, 1, 2, 16, {12, 12}, {5, 5}, {1, 1}, {2, 2}, {1, 1}},
    {1, 2, 4, 3, {1, 3000}, {1, 7}, {1, 2}, {0, 9}, {1, 2}}, /* columns of a line, in pieces */
};

static void at_every_level(void **state) {
    (void)state;
    const tg_vec *v;
    for (int k = 0; (v = tg_vec_at(k)); k++) {
        assert_true(tg_vec_use(v->name));
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            check_shape(&shapes[i], TG_F32, false);
            if (i + 1 < sizeof shapes / sizeof *shapes) check_shape(&shapes[i], TG_F64, i % 2);
        }
    }
    assert_true(tg_vec_use(NULL));
}

/* Rows of windows in several blocks. */
static void large_image(void **state) {
    (void)state;
    const shape s = {1, 1, 1, 16, {70, 70}, {3, 3}, {1, 1}, {1, 1}, {1, 1}};
    check_shape(&s, TG_F64, false);
}

static void memory_ends(void **state) {
    (void)state;
    const shape *s = &shapes[0];
    int64_t x[4] = {s->n, s->c, s->image[0], s->image[1]},
            w[4] = {s->o, s->c, s->kernel[0], s->kernel[1]};
    tg_tensor *in[2] = {noise(TG_F32, 4, x), noise(TG_F32, 4, w)}, *out = NULL;
    tg_attrs at = {0};
    push_pair(&at, s->stride);
    push_pair(&at, s->padding);
    push_pair(&at, s->dilation);
    at.v[at.n++] = 1;
    size_t k = 1;
    for (; k < 50 && !out; k++) {
        tg_alloc_fail_at(k);
        out = tg_op_apply(&rt, tg_op_find("conv2d"), 2, in, NULL, &at);
        tg_alloc_fail_at(0);
        if (!out) assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
        tg_clear(&rt.c);
    }
    assert_non_null(out);
    assert_true(k > 2);
    tg_tensor_drop(out);
    tg_tensor_drop(in[0]);
    tg_tensor_drop(in[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_every_level, open_runtime, close_runtime),
        cmocka_unit_test_setup_teardown(large_image, open_runtime, close_runtime),
        cmocka_unit_test_setup_teardown(memory_ends, open_runtime, close_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
