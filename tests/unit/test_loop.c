/* Loops as nodes, against the same loops written out: values, gradients, and products with second
 * derivatives, of bodies of several kinds, both ways round, whatever is kept in memory. Then memory
 * runs out under one of them, and somebody interrupts a long one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "tg.h"

static char written[4096];
static size_t length;

static void keep(void *user, const char *text, size_t len) {
    (void)user;
    if (len >= sizeof written - length) return;
    memcpy(written + length, text, len);
    written[length += len] = 0;
}

static tg_state *session(void) {
    const tg_options options = {.write = keep, .seed = 1};
    length = 0;
    written[0] = 0;
    return tg_open(&options);
}

static void run(tg_state *s, const char *text) {
    if (tg_run(s, "test", text, TG_QUIET) == TG_DONE) return;
    fail_msg("%s\nin\n%s", tg_error(s), text);
}

/* What a turn does, over the state h [2, 3], the row x [2, 3], and A [3, 3], b [3]. */
static const char *const body[] = {
    "(tanh(h @ A + x + b), h * x)",
    "(h * sigmoid(x) + tanh(x @ A), sum(h, axis=1))",
    "(h / 2 + x * b, h @ A')",
    "(where(h > x, h - x, h * b), relu(h @ A))",
    "(h - 0.1 * (softmax(h @ A) - x), log(1 + h^2))",
    "(concat([h[:, 1:], x[:, :1]], axis=1) * b, h[0])",
    "(x, h)",
    "(h + exp(-h^2) @ A, x @ (A * A'))",
    "(h + outer(sum(h, axis=1), b @ A), trace(A) * x)",
    "(h + scan((s, y) -> (s * y + b, s), b, x @ A)[0], scan((s, y) -> (s + y, s), 0 * b, h)[1])",
};

static const char *const program =
    "A = var(0.4 * randn(3, 3)); b = var(randn(3)); X = var(randn(5, 2, 3)); h0 = var(randn(2, "
    "3))\n"
    "v = randn(3, 3)\n"
    "f(h, x) = %s\n"
    "last, outs = scan(f, h0, X, reverse=%s, memory=%s)\n"
    "written() = {\n"
    "  h = h0; all = []\n"
    "  for i in 0..4 {\n"
    "    pair = f(h, X[if %s { 4 - i } else { i }])\n"
    "    h = pair[0]; all = append(all, pair[1])\n"
    "  }\n"
    "  (h, if %s { stack([all[4], all[3], all[2], all[1], all[0]]) } else { stack(all) })\n"
    "}\n"
    "last2, outs2 = written()\n"
    "near(a, b, what) = assert(max(abs(flatten(value(a) - value(b)))) <= \n"
    "                          1e-9 * (1 + max(abs(flatten(value(b))))), what)\n"
    "near(last, last2, \"the last state\"); near(outs, outs2, \"the stack\")\n"
    "cost(l, o) = sum(l^2) + sum(cos(o))\n"
    "c = cost(last, outs); c2 = cost(last2, outs2)\n"
    "g = grad(c, [A, b, h0, X], unconnected=\"zero\")\n"
    "g2 = grad(c2, [A, b, h0, X], unconnected=\"zero\")\n"
    "for i in 0..3 { near(g[i], g2[i], \"gradient {i}\") }\n"
    "near(hvp(c, A, v), hvp(c2, A, v), \"the second derivative\")\n"
    "d = grad(sum(g[3]^2), [b, h0]); d2 = grad(sum(g2[3]^2), [b, h0])\n"
    "near(d[0], d2[0], \"b again\"); near(d[1], d2[1], \"h0 again\")\n";

static void loops_are_what_they_say(void **state) {
    (void)state;
    static const char *const memory[] = {"\"speed\"", "\"sqrt\"", "700"};
    for (size_t i = 0; i < sizeof body / sizeof *body; i++)
        for (int k = 0; k < 3; k++) {
            char text[4096];
            const char *back = (i + (size_t)k) % 2 ? "true" : "false";
            tg_state *s = session();
            assert_non_null(s);
            snprintf(text, sizeof text, program, body[i], back, memory[k], back, back);
            run(s, text);
            tg_close(s);
        }
}

/* What is shown of a loop is read as the node that is there already: but for a last state, with
 * which the stacks are not shown, where these alone read some invariant. */
static void what_is_shown_is_the_same_loop(void **state) {
    (void)state;
    tg_state *s = session();
    char text[sizeof written + 1200];
    run(s,
        "A = var(0.4 * randn(3, 3)); b = var(randn(3)); h0 = var(randn(2, 3)); input X[N, 2, 3]\n"
        "again() = assert(stats().nodes == before, \"the formula is another\")");
    for (size_t i = 0; i < sizeof body / sizeof *body; i++)
        for (int k = i < 2 || (i > 3 && i < 7) ? 0 : 1; k < 2; k++) {
            char loop[1000];
            snprintf(loop, sizeof loop,
                     "pair = scan((h, x) -> %s, h0, X, reverse=%s); e = pair[%d]", body[i],
                     i % 2 ? "true" : "false", k);
            run(s, loop);
            length = 0;
            run(s, "show(e)");
            char *shape = strstr(written, "      ["); /* stands behind the formula */
            if (shape) *shape = 0;
            snprintf(text, sizeof text, "%s; f = 0; before = stats().nodes; f = %s; again()", loop,
                     written);
            run(s, text);
        }
    tg_close(s);
}

/* All requests of a program, one after the other, are refused. */
static void memory_runs_out(void **state) {
    (void)state;
    static const char *const text =
        "A = var([[1, 2], [3, 4]]); input X[N, 2]; X := [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]\n"
        "f(s, x) = ({h: tanh(s.h @ A + x), n: s.n + 1}, s.h * s.n)\n"
        "last, outs = scan(f, {h: [0, 0], n: 0}, X, memory=\"sqrt\")\n"
        "g = grad(sum(outs) + sum(last.h), A)\n"
        "x = value(g); y = value(outs); z = text(g)\n";
    const size_t before = tg_alloc_get_stats().live_blocks;
    bool reached = true;
    for (uint64_t n = 1; reached; n += 1 + n / 24) {
        tg_state *s = session();
        assert_non_null(s);
        tg_alloc_reset_stats();
        tg_alloc_fail_at(n);
        tg_status status = tg_run(s, "test", text, TG_QUIET);
        tg_alloc_fail_at(0);
        reached = tg_alloc_get_stats().requests >= n;
        if (status != TG_DONE) assert_true(reached);
        run(s, "q = scan((s, x) -> (s + x, s), 0, [1, 2])");
        tg_close(s);
        if (tg_alloc_get_stats().live_blocks != before) fail_msg("allocation %d leaks", (int)n);
    }
}

static void *interrupt_soon(void *session_) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    tg_interrupt(session_);
    return NULL;
}

static void a_long_loop_is_interrupted(void **state) {
    (void)state;
    tg_state *s = session();
    pthread_t other;
    run(s, "x = var(0.5)");
    assert_int_equal(pthread_create(&other, NULL, interrupt_soon, s), 0);
    assert_int_not_equal(
        tg_run(s, "test", "print(scan((s, i) -> (sin(s + x), none), 0, length=1e9)[0])", TG_QUIET),
        TG_DONE);
    pthread_join(other, NULL);
    assert_non_null(strstr(tg_error(s), "of 1000000000 of scan"));
    run(s, "print(scan((s, i) -> (s + x, none), 0, length=4)[0])");
    assert_non_null(strstr(written, "2"));
    tg_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_are_what_they_say),
        cmocka_unit_test(what_is_shown_is_the_same_loop),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(a_long_loop_is_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
