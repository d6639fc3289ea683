/* same, check and derive on random formulas: pairs that an identity makes equal are found equal,
 * and the same pairs with one side changed a little are found different; gradients are found right,
 * and no line of a derivation is contradicted. Then memory runs out under each of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "tg.h"

enum { PAIRS = 120, GRADIENTS = 40, ROOM = 400 };

static void swallow(void *user, const char *text, size_t len) {
    (void)user, (void)text, (void)len;
}

static tg_state *session(void) {
    const tg_options options = {.write = swallow, .seed = 1};
    return tg_open(&options);
}

static uint32_t random_state = 1;

static int pick(int n) {
    random_state = random_state * 1664525u + 1013904223u;
    return (int)((random_state >> 8) % (uint32_t)n);
}

/* A formula over a and b, of moderate values. */
static void formula(char *out, int depth) {
    static const char *const leaf[] = {"a", "b", "0.5 * b", "(a + b)", "a * b"};
    static const char *const one[] = {"sin(%s)", "cos(%s)",          "tanh(%s)", "(%s)^2",
                                      "abs(%s)", "sqrt(1 + (%s)^2)", "relu(%s)", "sigmoid(%s)"};
    static const char *const two[] = {"(%s) + (%s)", "(%s) - (%s)", "(%s) * (%s)", "max(%s, %s)",
                                      "(%s) / (1 + (%s)^2)"};
    char p[ROOM / 4], q[ROOM / 4];
    if (depth == 0) {
        snprintf(out, ROOM / 4, "%s", leaf[pick(5)]);
        return;
    }
    formula(p, depth - 1);
    formula(q, depth - 1);
    int kind = pick(13);
    snprintf(out, ROOM / 4, kind < 8 ? one[kind] : two[kind - 8], p, q);
}

/* Both sides of identities, over %1$s, %2$s, %3$s. */
static const char *const identity[][2] = {
    {"(%1$s) * ((%2$s) + (%3$s))", "(%1$s) * (%2$s) + (%1$s) * (%3$s)"},
    {"(%1$s)^2 - (%2$s)^2 + 0 * (%3$s)", "((%1$s) - (%2$s)) * ((%1$s) + (%2$s))"},
    {"sin((%1$s) + (%2$s)) - (%3$s)", "sin(%1$s) * cos(%2$s) + cos(%1$s) * sin(%2$s) - (%3$s)"},
    {"exp(tanh(%1$s) + sin(%2$s)) * (%3$s)", "(%3$s) * exp(tanh(%1$s)) * exp(sin(%2$s))"},
    {"log(1 + (%1$s)^2) - log(1 + (%2$s)^2) + (%3$s)",
     "log((1 + (%1$s)^2) / (1 + (%2$s)^2)) + (%3$s)"},
    {"max(%1$s, %2$s) + (%3$s)", "((%1$s) + (%2$s) + abs((%1$s) - (%2$s))) / 2 + (%3$s)"},
};
enum { IDENTITIES = sizeof identity / sizeof *identity };

static double answer(tg_state *s, const char *code) {
    double x = -1;
    if (tg_run(s, "test", code, TG_QUIET) != TG_DONE) fail_msg("%s: %s", code, tg_error(s));
    assert_int_equal(tg_get_number(s, "ok", &x), TG_DONE);
    return x;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void pairs(void **state) {
    (void)state;
    tg_state *s = session();
    answer(s, "a = var(1); b = var(2); ok = 1");
    for (int i = 0; i < PAIRS; i++) {
        char p[ROOM / 4], q[ROOM / 4], r[ROOM / 4], left[3 * ROOM], right[3 * ROOM], code[8 * ROOM];
        formula(p, pick(3));
        formula(q, pick(3));
        formula(r, pick(3));
        snprintf(left, sizeof left, identity[i % IDENTITIES][0], p, q, r);
        snprintf(right, sizeof right, identity[i % IDENTITIES][1], p, q, r);
        snprintf(code, sizeof code, "ok = where(same(%s, %s).equal, 1, 0)", left, right);
        if (answer(s, code) != 1) fail_msg("not found equal: %s", code);
        static const char *const change[] = {"(%s) + 0.0001", "(%s) * 1.00001 + 1e-5",
                                             "(%s) + 0.001 * (a > 1.5) + 1e-7 * sin(a) + 1e-7 * b"};
        char changed[4 * ROOM];
        snprintf(changed, sizeof changed, change[i % 3], right);
        snprintf(code, sizeof code, "ok = where(same(%s, %s).equal, 1, 0)", left, changed);
        if (answer(s, code) != 0) fail_msg("not found different: %s", code);
    }
    tg_close(s);
}

static void gradients(void **state) {
    (void)state;
    tg_state *s = session();
    answer(s, "a = var(0.7); b = var([1.3, -0.4]); ok = 1");
    for (int i = 0; i < GRADIENTS; i++) {
        char p[ROOM / 4], code[4 * ROOM];
        formula(p, 1 + pick(3));
        snprintf(code, sizeof code,
                 "y = sum(%s + 0 * (a * b)); ok = where(check(y, [a, b], points=2), 1, 0)", p);
        if (answer(s, code) != 1) fail_msg("not found right: %s", code);
        snprintf(code, sizeof code, "d = derive(y, [a, b]); ok = where(d, 1, 0) + d.unchecked");
        if (answer(s, code) != 1) fail_msg("not derived: %s", p);
    }
    tg_close(s);
}
#pragma GCC diagnostic pop

/* Past some seconds only a few allocations are tried. */
static uint64_t stride(time_t began) {
    time_t spent = time(NULL) - began;
    return spent < 2 ? 3 : spent < 5 ? 31 : 503;
}

static void memory(void **state) {
    (void)state;
    static const char *const program[] = {
        "ok = where(same(h * x, x^3 + 1e-3), 1, 0) + where(same(log(X @ v), log(v @ X')), 0, 1)",
        "ok = where(check(sum(abs(X @ v)), [X, v]), 0, 1)",
        "ok = where(derive(sum(tanh(X @ v) * h), [x, v]), 0, 1); assert(\"{h}\" == \"4\")",
    };
    for (size_t k = 0; k < sizeof program / sizeof *program; k++) {
        time_t began = time(NULL);
        bool reached = true;
        for (uint64_t n = 1; reached; n += stride(began)) {
            size_t before = tg_alloc_get_stats().live_blocks;
            tg_state *s = session();
            assert_non_null(s);
            answer(s, "x = var(2); h = x^2; input X[N, 2]; v = var([0, 1]); ok = 1");
            tg_alloc_reset_stats();
            tg_alloc_fail_at(n);
            tg_status status = tg_run(s, "test", program[k], TG_QUIET);
            tg_alloc_fail_at(0);
            reached = tg_alloc_get_stats().requests >= n;
            if (status != TG_DONE && (!reached || !strstr(tg_error(s), "out of memory")))
                fail_msg("allocation %d of %s: %s", (int)n, program[k], tg_error(s));
            if (answer(s, program[k]) != 0) fail_msg("wrong after allocation %d", (int)n);
            tg_close(s);
            if (tg_alloc_get_stats().live_blocks != before)
                fail_msg("allocation %d of %s leaks", (int)n, program[k]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs),
        cmocka_unit_test(gradients),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
