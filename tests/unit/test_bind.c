/* Binding arguments to parameters: spellings that mean the same, what is encoded, and what each
 * error says. */
#include "calls.h"

#include "runtime/ops/op.h"

#include <stdio.h>

static tg_arg tensor(int operand) {
    return (tg_arg){.kind = TG_ARG_TENSOR, .operand = operand};
}
static tg_arg number(double x) {
    return (tg_arg){.kind = TG_ARG_NUMBER, .number = x};
}
static tg_arg boolean(bool x) {
    return (tg_arg){.kind = TG_ARG_BOOL, .number = x};
}
static tg_arg none(void) {
    return (tg_arg){.kind = TG_ARG_NONE};
}
static tg_arg tuple(int n, const tg_arg *items) {
    return (tg_arg){.kind = TG_ARG_TUPLE, .n = n, .items = items};
}
static tg_arg list(int n, const tg_arg *items) {
    return (tg_arg){.kind = TG_ARG_LIST, .n = n, .items = items};
}
static tg_arg named(const char *name, tg_arg a) {
    a.name = name;
    return a;
}

static int rank_is(void *user, int operand) {
    (void)operand;
    return *(int *)user;
}

static bool bind(const char *op, int rank, int n, const tg_arg *args, tg_bound *b) {
    return tg_op_bind(&rt, tg_op_find(op), n, args, rank_is, &rank, b);
}

#define ARGS(...)                                                                                  \
    (int)(sizeof((tg_arg[]){__VA_ARGS__}) / sizeof(tg_arg)), (tg_arg[]) {                          \
        __VA_ARGS__                                                                                \
    }

/* The call binds to op, and its attributes print so. */
static void binds(const char *op, int rank, int n, const tg_arg *args, const char *to,
                  const char *printed) {
    tg_bound b;
    if (!bind(op, rank, n, args, &b)) fail_msg("%s: %s", op, rt.c.diag.msg);
    assert_string_equal(b.op->name, to);
    tg_str s = {0};
    tg_op_print_attrs(&rt, &s, b.op, rank, &b.at, true);
    assert_string_equal(tg_str_text(&s), printed);
    tg_str_free(&s);
    tg_bound_free(&b);
}

static void refuses(const char *op, int rank, int n, const tg_arg *args, const char *message,
                    const char *help) {
    tg_bound b;
    assert_false(bind(op, rank, n, args, &b));
    if (!strstr(rt.c.diag.msg, message)) fail_msg("%s: '%s'", op, rt.c.diag.msg);
    if (!strstr(rt.c.diag.help, help)) fail_msg("%s: help '%s'", op, rt.c.diag.help);
    tg_clear(&rt.c);
}

static void test_spellings(void **state) {
    (void)state;
    const tg_arg both[] = {number(0), number(1)}, shape[] = {number(2), number(3)},
                 turned[] = {number(1), number(0)};
    binds("sum", 2, ARGS(tensor(0)), "sum", "");
    binds("sum", 2, ARGS(tensor(0), named("axis", none())), "sum", "");
    binds("sum", 2, ARGS(tensor(0), number(-1)), "sum", "axis=1");
    binds("sum", 2, ARGS(tensor(0), named("axis", tuple(2, both))), "sum", "");
    binds("sum", 3, ARGS(tensor(0), named("axis", list(2, both))), "sum", "axis=(0, 1)");
    binds("sum", 2, ARGS(named("keep", boolean(true)), tensor(0)), "sum", "keep=true");
    binds("max", 2, ARGS(tensor(0), tensor(1)), "maximum", "");
    binds("max", 2, ARGS(tensor(0), number(0)), "maximum", "");
    binds("max", 2, ARGS(tensor(0), named("axis", number(0))), "max", "axis=0");
    binds("zeros", 0, ARGS(number(2), number(3)), "zeros", "2, 3");
    binds("zeros", 0, ARGS(tuple(2, shape)), "zeros", "2, 3");
    binds("zeros", 0, 0, NULL, "zeros", "");
    binds("full", 0, ARGS(number(2), number(3), number(0.5)), "full", "(2, 3), 0.5");
    binds("full", 0, ARGS(number(3), number(7)), "full", "3, 7");
    binds("reshape", 2, ARGS(tensor(0), number(-1), number(4)), "reshape", "-1, 4");
    binds("expand", 1, ARGS(tensor(0), tuple(2, shape), number(0)), "expand", "(2, 3)");
    binds("expand", 1, ARGS(tensor(0), tuple(2, shape), number(-1)), "expand", "(2, 3), axis=1");
    binds("expand", 2, ARGS(tensor(0), tuple(2, shape), number(1)), "expand", "(2, 3)");
    binds("transpose", 2, ARGS(tensor(0)), "transpose", "");
    binds("transpose", 2, ARGS(tensor(0), tuple(2, turned)), "transpose", "");
    binds("transpose", 2, ARGS(tensor(0), tuple(2, both)), "transpose", "axes=(0, 1)");
    binds("untranspose", 2, ARGS(tensor(0), tuple(2, turned)), "transpose", "");
    binds("eye", 0, ARGS(number(3), number(3)), "eye", "3");
    binds("arange", 0, ARGS(number(0), number(5)), "arange", "5");
    binds("pad", 2, ARGS(tensor(0), tuple(2, (tg_arg[]){number(1), number(1)}), number(1)), "pad",
          "1");
    binds("randint", 0, ARGS(number(-3), number(3), number(2), number(2)), "randint",
          "-3, 3, 2, 2");
}

static void test_lists(void **state) {
    (void)state;
    tg_arg many[6];
    for (int i = 0; i < 6; i++) many[i] = tensor(5 - i);
    tg_bound b;
    assert_true(bind("concat", 2, ARGS(list(6, many), named("axis", number(1))), &b));
    assert_int_equal(b.n, 6);
    for (int i = 0; i < 6; i++) assert_int_equal(b.operand[i], 5 - i);
    assert_int_equal(b.at.v[0], 1);
    tg_bound_free(&b);
    assert_true(bind("stack", 2, ARGS(tensor(3), tensor(4), number(-1)), &b));
    assert_true(b.n == 2 && b.operand[1] == 4 && b.at.v[0] == 2);
    tg_bound_free(&b);
    for (uint64_t n = 1;; n++) {
        tg_alloc_fail_at(n);
        bool ok = bind("concat", 2, ARGS(list(6, many)), &b);
        tg_alloc_fail_at(0);
        if (ok) break;
        assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
        tg_clear(&rt.c);
    }
    tg_bound_free(&b);
    refuses("concat", 2, ARGS(list(0, many)), "x must be a list of at least one tensor",
            "concat([x, ...], axis=0)");
}

static void test_errors(void **state) {
    (void)state;
    const tg_arg twice[] = {number(1), number(-1)};
    refuses("sum", 2, ARGS(tensor(0), named("axes", number(1))),
            "sum has no parameter axes; did you mean axis?", "sum(x, axis=none, keep=false)");
    refuses("sum", 2, ARGS(tensor(0), named("keepdims", number(1))), "has no parameter keepdims",
            "keep=false");
    refuses("sum", 2, ARGS(tensor(0), named("zz", number(1))), "has no parameter zz", "");
    refuses("sum", 2, 0, NULL, "sum needs the argument x", "sum(x");
    refuses("tanh", 2, ARGS(tensor(0), tensor(1)), "tanh takes at most 1 argument", "tanh(x)");
    refuses("sum", 2, ARGS(tensor(0), number(1), named("axis", number(0))), "axis is given twice",
            "");
    refuses("sum", 2, ARGS(tensor(0), named("axis", number(0)), named("axis", number(0))),
            "axis is given twice", "");
    refuses("sum", 2, ARGS(tensor(0), number(2)), "axis 2 is out of range: {0} has rank 2",
            "from 0 to 1, or from -1 back to -2");
    refuses("sum", 0, ARGS(tensor(0), number(0)), "{0} is a scalar and has no axes", "");
    refuses("sum", 2, ARGS(tensor(0), tuple(2, twice)), "axis 1 is named twice", "");
    refuses("sum", 2, ARGS(tensor(0), number(0.5)), "axis must be a whole number", "");
    refuses("sum", 2, ARGS(tensor(0), named("keep", number(2))), "keep must be true or false", "");
    refuses("sum", 2, ARGS(tuple(2, twice)), "x must be a tensor, not a tuple", "");
    refuses("zeros", 0, ARGS(tensor(0)), "known when the line is entered", "zeros(shape...)");
    refuses("zeros", 0, ARGS(number(2.5)), "shape must be a whole number", "");
    refuses("eye", 0, ARGS(number(-2)), "n must not be negative, but is -2", "");
    refuses("transpose", 3, ARGS(tensor(0), tuple(2, twice)),
            "each axis of {0} once: it has 3, not 2", "");
    refuses("transpose", 2, ARGS(tensor(0), tuple(2, twice)), "axis 1 is named twice", "");
    refuses("zeros", 0,
            ARGS(number(1), number(1), number(1), number(1), number(1), number(1), number(1),
                 number(1), number(1)),
            "at most 8 axes", "");
    refuses("pad", 3, ARGS(tensor(0), tuple(2, twice)), "before has 2 entries, but {0} has 3 axes",
            "");
}

/* The attributes of no record may outgrow their room, whatever the call. */
static void test_room(void **state) {
    (void)state;
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        int n = op->class == TG_CLASS_RANDOM ? 2 : 0, params = 0, tensors = 0;
        for (const tg_param *p = op->param; p->name; p++, params++) {
            bool counted = p->kind == TG_P_SHAPE || p->kind == TG_P_PERM || p->kind == TG_P_SPEC;
            bool is_tensor = p->kind == TG_P_TENSOR || p->kind == TG_P_LIST;
            n += is_tensor ? 0 : counted ? 1 + TG_MAX_RANK : 1;
            tensors += is_tensor;
            if (is_tensor && tensors != params + 1) fail_msg("%s: tensors come first", op->name);
        }
        if (n > TG_MAX_ATTRS || params > TG_MAX_PARAMS || tensors > TG_MAX_TENSORS)
            fail_msg("%s has too many parameters", op->name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
