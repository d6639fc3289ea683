/* Memory runs out: every allocation of a representative program fails once. Each failure is the
 * error "out of memory" and nothing else: no crash, no leak, and the session goes on to compute
 * what it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "tg.h"

/* Definitions, functions, loops, records, strings, data into inputs, gradients, joint updates,
 * printing, errors. */
static const char program[] =
    "f(t, k=2) = t^3 - k * t\n"
    "print(\"{f'(2)} and {f(3, k=1):.2f}\")\n"
    "input X[N, 3], Y[N, 2]\n"
    "W = var(zeros(3, 2)); b = var(zeros(2))\n"
    "P = softmax(X @ W + b)\n"
    "cost = mean(-sum(Y * log(P), axis=1))\n"
    "gW, gb = grad(cost, [W, b])\n"
    "images = [[1, 2, 3], [4, 5, 6], [0, 1, 0], [1, 1, 1]]\n"
    "labels = [[1, 0], [0, 1], [1, 0], [0, 1]]\n"
    "for epoch in 1..2 {\n"
    "  for X, Y := batches(images, labels, 2) {\n"
    "    c, W, b := cost, W - 0.1 * gW, b - 0.1 * gb\n"
    "  }\n"
    "}\n"
    "print(shape(W), sum(W[0:2, 1]'))\n"
    "r = {lr: 0.1, steps: [1, 2, 3]}\n"
    "if r.lr < 1 { print(max(r.steps) + sort([3, 1, 2])[0]) } else { print(\"no\") }\n"
    "h = var([1, 2, 3]); y = sum(tanh(h) * h)\n"
    "print(grad(grad(y, h)[0], h))\n"
    "g(n) = if n < 2 { 1 } else { n * g(n - 1) }\n"
    "while g(3) < 6 { break }\n"
    "q = [1, 2, 3]; q[0], q[1] := q[1], q[0]; i = var(1); u = 2 * q[i]; a, d = [q, q]\n"
    "p = {v: (var(1), 2)}; p.v[0], p.v[1] := 3, 4; late := (k -> (() -> k * i))(0.5)\n"
    "z = zip([1, 2], (x -> x, append((), u)))\n"
    "n = var([0, 1]); m := sum(log(n)); k = log([0, 1]) + q[0]; \"{log(n)}\"\n"
    "t = R * R where R = h + 1, S = R; show((t, expand(y))); shapes(t @ h); why(grad(y, h))\n"
    "l = raw(grad(y, h)) + raw(log(softmax(h))); show(l); ops((l, t)); deep = h\n"
    "for j in 1..8 { deep = sin(deep) * h + cos(deep) }; \"{expand(deep)}\"; show(deep)\n"
    "show(deep, limit=100)\n"
    "ru(t, k=2) = k * t^2; rule ru(t, k) = (2 * g * out / t, none); value(grad(sum(ru(h)), h))\n"
    "print(jacobian(softmax(h), h), hessian(y, [h, h])[1][0], jvp(y, h, [1, 0, 1]))\n"
    "B = [[2, 1], [1, 3]]; M = var(B); v = var([1, 2])\n"
    "print(same(inv(M) @ v, solve(M, v)), eigvalsh(B), check(sum(solve(M, v)), M))\n"
    "derive(sum((M @ v)^2), v); \"{latex(y)} {dot(y)} {emit(grad(y, h), \"numpy\")}\"\n"
    "print(grad(logdet(M) + sum(eigvalsh(M)), M)); assume i > 0; show(abs(i)); unassume()\n"
    "print(jacobian(k -> k * sum(k), [1, 2]), hvp(y, h, [1, 1, 1]))\n"
    "for t in [\"numpy\", \"torch\", \"c\"] { size(emit((y, {g: grad(y, h)}), t)) }\n"
    "size(emit(sum(softmax(P, axis=1)' @ X), \"c\")); size(latex(grad(y, h), name=\"y\"))\n"
    "size(dot(y, adjoints=true))\n"
    "w = words(\"b a b\"); kinds, often = unique(w, counts=true); places(w, kinds)\n"
    "for ch in \"ab\" { zip(ch, split_text(\"a,b\", \",\")); chars(codes(join(w, ch))) }\n"
    "replace(trim(upper(\" ab \")), \"A\", \"b\"); map_leaves(x -> 2 * x, [p, (h,)]); "
    "lines(\"a\\nb\")\n"
    "s = 6 * g(4)\n";

static void swallow(void *user, const char *text, size_t len) {
    (void)text;
    *(size_t *)user += len;
}

static tg_state *session(size_t *printed) {
    const tg_options options = {.write = swallow, .user = printed, .seed = 1};
    return tg_open(&options);
}

/* The sanitizers slow this down by ten: past some seconds of our own only every 7th, then every
 * 49th allocation is tried. */
static uint64_t stride(clock_t began) {
    clock_t spent = (clock() - began) / CLOCKS_PER_SEC;
    return spent < 20 ? 1 : spent < 40 ? 7 : 49;
}

/* Makes the n-th allocation from now fail; then says whether it came to that. */
static void arm(uint64_t n) {
    tg_alloc_reset_stats();
    tg_alloc_fail_at(n);
}

static bool fired(uint64_t n) {
    tg_alloc_fail_at(0);
    return tg_alloc_get_stats().requests >= n;
}

static void goes_on(tg_state *s) {
    double x = 0;
    if (tg_run(s, "again", program, TG_QUIET) != TG_DONE) fail_msg("%s", tg_error(s));
    assert_int_equal(tg_get_number(s, "s", &x), TG_DONE);
    assert_true(x == 144);
}

static void while_running(void **state) {
    (void)state;
    clock_t began = clock();
    size_t before = tg_alloc_get_stats().live_blocks, printed = 0;
    bool reached = true;
    for (uint64_t n = 1; reached; n += stride(began)) {
        tg_state *s = session(&printed);
        assert_non_null(s);
        arm(n);
        tg_status status = tg_run(s, "program", program, TG_QUIET);
        reached = fired(n);
        assert_true(reached || n > 100); /* the program is no trifle */
        /* A failure may be absorbed, where memory was wanted for a cache; the result is right then.
         */
        if (status != TG_DONE && (!reached || !strstr(tg_error(s), "out of memory")))
            fail_msg("allocation %d: %s", (int)n, tg_error(s));
        goes_on(s);
        tg_close(s);
        size_t left = tg_alloc_get_stats().live_blocks - before;
        if (left) fail_msg("allocation %d: %zu blocks leak", (int)n, left);
    }
    assert_true(printed > 0);
}

static void while_opening(void **state) {
    (void)state;
    clock_t began = clock();
    size_t before = tg_alloc_get_stats().live_blocks, printed = 0;
    bool reached = true;
    for (uint64_t n = 1; reached; n += stride(began)) {
        arm(n);
        tg_state *s = session(&printed);
        reached = fired(n);
        if (s && tg_error(s)[0] && (!reached || !strstr(tg_error(s), "out of memory")))
            fail_msg("allocation %d: %s", (int)n, tg_error(s));
        assert_true(s || reached);
        tg_close(s);
        size_t left = tg_alloc_get_stats().live_blocks - before;
        if (left) fail_msg("allocation %d: %zu blocks leak", (int)n, left);
    }
}

/* A limit instead of one fault: a result that is too large is refused, and a smaller one still
 * fits. */
static void limited(void **state) {
    (void)state;
    size_t printed = 0;
    tg_state *s = session(&printed);
    tg_alloc_limit(tg_alloc_get_stats().live_bytes + (1 << 22));
    assert_int_equal(tg_run(s, "big", "a = zeros(10000, 10000)", TG_QUIET), TG_FAILED);
    assert_non_null(strstr(tg_error(s), "out of memory"));
    if (tg_run(s, "small", "a = sum(ones(100, 100))", TG_QUIET) != TG_DONE)
        fail_msg("%s", tg_error(s));
    tg_alloc_limit(0);
    goes_on(s);
    tg_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_opening),
        cmocka_unit_test(while_running),
        cmocka_unit_test(limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
