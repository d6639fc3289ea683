/* The memory of a training step, told before it is run, is what the allocator then counts, to
 * within 5 %: with values of megabytes, beside which formulas and plans are small. So is that of
 * operations whose kernels take memory of their own, and of updates in place. The workspace is
 * hardly larger than what is alive in it at once, and no two values that are share any of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "interp/api.h"
#include "runtime/plan/program.h"
#include "tg.h"

/* A sanitizer's own memory grows, too. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define WATCHED 1
#elif defined __has_feature
#define WATCHED (__has_feature(address_sanitizer) || __has_feature(memory_sanitizer))
#else
#define WATCHED 0
#endif

typedef struct program {
    const char *name, *setup;
    const char *of;   /* what is computed together; NULL: the statement is asked about as it is, and
                         may write in place */
    const char *step; /* the statement that does it */
} program;

#define SOFTMAX                                                                                    \
    "X = randn(4000, 784); Y = onehot(randint(0, 10, 4000), 10); W = var(zeros(784, 10));\n"       \
    "cost = -mean(sum(Y * log(softmax(X @ W)), axis=1)); g = grad(cost, W);"
#define CHAIN                                                                                      \
    "X = randn(512, 256); W = (); for i in 1..24 { W = append(W, var(randn(256, 256) / 16)) }\n"   \
    "h = X; for V in W { h = tanh(h @ V) }\n"                                                      \
    "cost = mean((h - 1)^2);"
#define DESCENT "(cost, W - 0.1 * g)", "c, W := cost, W - 0.1 * g"

static const program programs[] = {
    {"softmax", SOFTMAX, DESCENT},
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
    /* in place */
    {"softmax, in place", SOFTMAX, NULL, "W := W - 0.1 * g"},
    {"chain of two, in place",
     "X = randn(700, 800); W = var(randn(800, 900) / 30); V = var(randn(900, 500) / 30);\n"
     "g, h = grad(mean(tanh(X @ W) @ V), [W, V]);",
     NULL, "W, V := W - 0.1 * g, V - 0.1 * h"},
    /* kernels with room of their own */
    {"solve", "A = var(randn(500, 500) + 500 * eye(500)); B = randn(500, 200);", NULL,
     "C := solve(A, B)"},
    {"cholesky", "A = var(randn(500, 500)); S = A @ A' + eye(500);", NULL, "C := cholesky(S)"},
    {"eigenvectors", "A = var(randn(300, 300)); S = A + A';", NULL, "C := eigvecsh(S)"},
    {"singular values", "A = var(randn(400, 300));", NULL, "C := pinv(A)"},
    {"least squares", "A = var(randn(800, 300)); b = randn(800, 4);", NULL, "C := lstsq(A, b)"},
    {"batch of inverses", "A = var(randn(4, 300, 300));", NULL, "C := inv(A)"},
    {"exponential", "A = var(randn(300, 300));", NULL, "C := expm(A)"},
    {"sort", "A = var(randn(1000000));", NULL, "C := sort(tanh(A))"},
    {"argsort of columns", "A = var(randn(300000, 3));", NULL, "C := argsort(A, axis=0)"},
    {"product of odd strides", "A = var(randn(600, 1400)); B = var(randn(700, 2000));", NULL,
     "C := A[:, ::2] @ B[:, ::4]"},
    {"product of a long axis", "A = var(randn(40000, 60)); B = var(randn(40000, 200));", NULL,
     "C := A' @ B"},
    {"batch of products", "A = var(randn(10, 300, 300)); B = var(randn(10, 300, 400));", NULL,
     "C := A @ B"},
};

static void run(tg_state *s, const char *text) {
    if (tg_run(s, "test", text, TG_QUIET) != TG_DONE) fail_msg("%s\n%s", text, tg_error(s));
}

static double forecast(tg_state *s, const program *p) {
    char text[600];
    double told = 0;
    tg_forecast f;
    if (p->of) {
        snprintf(text, sizeof text, "told = memory(%s).peak", p->of);
        run(s, text);
        assert_int_equal(tg_get_number(s, "told", &told), TG_DONE);
        return told;
    }
    if (tg_forecast_memory(s, p->step, strlen(p->step), TG_QUIET, &f) != TG_DONE)
        fail_msg("%s\n%s", p->step, tg_error(s));
    return (double)f.peak;
}

/* A line of /proc/self/status in bytes; 0: this system has none. */
static double status_bytes(const char *name) {
    char line[200];
    double kilobytes = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0) kilobytes = strtod(line + strlen(name), NULL);
    if (f) fclose(f);
    return 1024 * kilobytes;
}

/* What the system counts is what was told, too: the first test, for only what is above all that
 * came before can be seen. */
static void the_process_grows_so(void **state) {
    static const program p = {"process", "A = var(rand(16000000));", NULL,
                              "C := cumsum(tanh(A)) * exp(-A)"};
    (void)state;
    tg_state *s = tg_open(NULL);
    assert_non_null(s);
    run(s, p.setup);
    double told = forecast(s, &p), before = status_bytes("VmRSS:");
    run(s, p.step);
    double found = status_bytes("VmHWM:") - before;
    print_message("told %.0f, found %.0f, ratio %.4f\n", told, found, found / told);
    tg_close(s);
    assert_true(told > 2e8);
    if (before == 0 || WATCHED) skip();
    assert_true(found < 1.05 * told && found > 0.95 * told);
}

/* Where a value in the workspace lies, and the steps that make it and read it last. */
typedef struct stay {
    size_t from, to;
    size_t first, last;
} stay;

static void note_stay(const tg_plan *p, stay *all, int slot, size_t step, bool made) {
    const tg_storage *s = &p->storage[p->slots[slot].storage];
    stay *x = &all[p->slots[slot].storage];
    if (s->home != TG_HOME_WORK) return;
    if (made && x->to == 0)
        *x = (stay){s->offset, s->offset + s->bytes, step, step};
    else
        x->last = step;
}

/* A result may take the place of what its step reads last. */
static void check_layout(const tg_plan *p) {
    stay *all = tg_alloc_array(p->nstorage, sizeof *all);
    assert_non_null(all);
    for (size_t t = 0; t < p->nsteps; t++) {
        const tg_step *s = &p->steps[t];
        for (int i = 0; i < s->n; i++) note_stay(p, all, p->args[s->arg + i], t, false);
        note_stay(p, all, s->out, t, true);
        for (int i = 0; i < s->more; i++) note_stay(p, all, p->args[s->arg + s->n + i], t, true);
    }
    for (size_t i = 0; i < p->nstorage; i++)
        for (size_t k = 0; k < i; k++)
            if (all[i].first < all[k].last && all[k].first < all[i].last)
                assert_true(all[i].from >= all[k].to || all[k].from >= all[i].to);
    tg_free(all);
}

static void workspaces_have_few_holes(void **state) {
    static const program more[] = {
        {"critic",
         "input R[64, 784], F[64, 784], t[64, 1]; R, F, t := randn(64, 784), randn(64, 784), "
         "rand(64, 1);\n"
         "U = var(randn(784, 256) / 20); V = var(randn(256, 256) / 10); w = var(randn(256, 1) / "
         "10);\n"
         "critic(x) = tanh(tanh(x @ U) @ V) @ w; B = t * R + (1 - t) * F;\n"
         "slope = grad(sum(critic(B)), B);\n"
         "cost = mean(critic(F)) - mean(critic(R)) + 10 * mean((sqrt(sum(slope^2, axis=1)) - "
         "1)^2);\n"
         "a, b, c = grad(cost, [U, V, w]);",
         NULL, "k, U, V, w := cost, U - 0.1 * a, V - 0.1 * b, w - 0.1 * c"},
        {"recurrent",
         "X = randn(20, 32, 40); U = var(randn(40, 256) / 10); V = var(randn(64, 256) / 10);\n"
         "h = zeros(32, 64); c = h;\n"
         "for t in 0..19 { z = X[t] @ U + h @ V\n"
         "  c = sigmoid(z[:, 64:128]) * c + sigmoid(z[:, :64]) * tanh(z[:, 192:])\n"
         "  h = sigmoid(z[:, 128:192]) * tanh(c) }\n"
         "cost = mean(h^2); a, b = grad(cost, [U, V]);",
         NULL, "k, U, V := cost, U - 0.1 * a, V - 0.1 * b"}};
    const size_t count = sizeof programs / sizeof *programs;
    (void)state;
    for (size_t i = 0; i < count + 2; i++) {
        const program *p = i < count ? &programs[i] : &more[i - count];
        tg_state *s = tg_open(NULL);
        assert_non_null(s);
        run(s, p->setup);
        run(s, p->step);
        const tg_plan *plan = tg_api_enter(s)->rt.plans->newest;
        print_message("%s: %zu bytes, %zu live\n", p->name, plan->work_bytes, plan->live_bytes);
        assert_true((double)plan->work_bytes <= 1.03 * (double)plan->live_bytes);
        check_layout(plan);
        tg_close(s);
    }
}

static void forecasts_hold(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const program *p = &programs[i];
        double told;
        tg_state *s = tg_open(NULL);
        assert_non_null(s);
        run(s, "q = var([1, 2]); memory(grad(sum(tanh(q)), q));"); /* the laws are read once */
        run(s, p->setup);
        size_t before = tg_alloc_get_stats().live_bytes;
        told = forecast(s, p);
        tg_alloc_reset_stats();
        run(s, p->step);
        double found = (double)(tg_alloc_get_stats().peak_bytes - before);
        print_message("%s: told %.0f, found %.0f, ratio %.4f\n", p->name, told, found,
                      found / told);
        assert_true(told > 3e5);
        assert_true(found < 1.05 * told && found > 0.95 * told);
        tg_close(s);
    }
    assert_int_equal(tg_alloc_get_stats().live_blocks, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_process_grows_so),
                                       cmocka_unit_test(workspaces_have_few_holes),
                                       cmocka_unit_test(forecasts_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
