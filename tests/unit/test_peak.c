/* The memory of a training step, told before it is run, is what the allocator then counts, to
 * within 5 %: with values of megabytes, beside which formulas and plans are small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"
#include "tg.h"

typedef struct program {
    const char *name, *setup;
    const char *of;   /* what is computed together */
    const char *step; /* the statement that does it */
} program;

#define CHAIN                                                                                      \
    "X = randn(512, 256); W = (); for i in 1..24 { W = append(W, var(randn(256, 256) / 16)) }\n"   \
    "h = X; for V in W { h = tanh(h @ V) }\n"                                                      \
    "cost = mean((h - 1)^2);"
#define DESCENT "(cost, W - 0.1 * g)", "c, W := cost, W - 0.1 * g"

static const program programs[] = {
    {"softmax",
     "X = randn(4000, 784); Y = onehot(randint(0, 10, 4000), 10); W = var(zeros(784, 10));\n"
     "cost = -mean(sum(Y * log(softmax(X @ W)), axis=1)); g = grad(cost, W);",
     DESCENT},
    {"MLP with Adam",
     "X = randn(1000, 300); Y = randn(1000, 10);\n"
     "W = var({a: randn(300, 400) / 20, b: randn(400, 300) / 20, c: randn(300, 10) / 20});\n"
     "m = var({a: zeros(300, 400), b: zeros(400, 300), c: zeros(300, 10)});\n"
     "v = var({a: zeros(300, 400), b: zeros(400, 300), c: zeros(300, 10)});\n"
     "cost = mean((relu(relu(X @ W.a) @ W.b) @ W.c - Y)^2); g = grad(cost, W);\n"
     "m1 = 0.9 * m + 0.1 * g; v1 = 0.99 * v + 0.01 * g^2;",
     "(cost, m1, v1, W - 0.01 * m1 / (sqrt(v1) + 1e-8))",
     "c, m, v, W := cost, m1, v1, W - 0.01 * m1 / (sqrt(v1) + 1e-8)"},
    {"chain", CHAIN "g = grad(cost, W);", DESCENT},
    {"chain, sqrt", CHAIN "g = grad(cost, W, memory=\"sqrt\");", DESCENT},
    {"elementwise",
     "W = var(randn(1000000)); s = cumsum(tanh(W) * sigmoid(W)); cost = sum(s * exp(-W^2));\n"
     "g = grad(cost, W);",
     DESCENT},
};

static void run(tg_state *s, const char *text) {
    if (tg_run(s, "test", text, TG_QUIET) != TG_DONE) fail_msg("%s\n%s", text, tg_error(s));
}

static void forecasts_hold(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const program *p = &programs[i];
        char text[600];
        double told = 0;
        tg_state *s = tg_open(NULL);
        assert_non_null(s);
        run(s, p->setup);
        size_t before = tg_alloc_get_stats().live_bytes;
        snprintf(text, sizeof text, "told = memory(%s).peak", p->of);
        run(s, text);
        assert_int_equal(tg_get_number(s, "told", &told), TG_DONE);
        tg_alloc_reset_stats();
        run(s, p->step);
        double found = (double)(tg_alloc_get_stats().peak_bytes - before);
        print_message("%s: told %.0f, found %.0f, ratio %.4f\n", p->name, told, found,
                      found / told);
        assert_true(told > 5e5);
        assert_true(found < 1.05 * told && found > 0.95 * told);
        tg_close(s);
    }
    assert_int_equal(tg_alloc_get_stats().live_blocks, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(forecasts_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
