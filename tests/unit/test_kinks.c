/* The conventions at kinks, as ?kinks states them: each spelling has the stated gradient, written
 * in a session, through a function, as the derivative of a function, and unsimplified; and the
 * gradient of its gradient. */
#include "interp/kinks.h"
#include "tg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void swallow(void *user, const char *text, size_t len) {
    (void)user, (void)text, (void)len;
}

static bool holds(tg_state *s, const char *setup, const char *condition) {
    char text[1000];
    double truth = 0;
    snprintf(text, sizeof text, "%s\ntruth = number(all(%s))", setup, condition);
    if (tg_run(s, "test", text, TG_QUIET) != TG_DONE) {
        print_error("%s\n", tg_error(s));
        return false;
    }
    return tg_get_number(s, "truth", &truth) == TG_DONE && truth == 1;
}

static int check(tg_state *s, const tg_kink *k, const char *spelling) {
    static const char *const ways[] = {
        "y = %s; d = grad(y, x)",
        "f(x) = %s; y = f(x); d = grad(y, x)",
        "f(x) = { part = %s; part }; d = f'(x)",
        "y = 2 * (%s) / 2 + 1; d = grad(y, x)",
    };
    int failures = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char setup[500], way[300], condition[200];
        snprintf(way, sizeof way, ways[i], spelling);
        snprintf(setup, sizeof setup, "x = var(%s)\n%s", k->at, way);
        snprintf(condition, sizeof condition, "value(d) == %s", k->slope);
        if (!holds(s, setup, condition)) {
            print_error("%s: %s has another slope than %s at %s: %s\n", k->what, spelling, k->slope,
                        k->at, way);
            failures++;
        }
        if (!k->second) continue;
        snprintf(setup, sizeof setup, "x = var(%s)\n%s\ne = grad(sum(d) + sum(0 * x), x)", k->at,
                 way);
        snprintf(condition, sizeof condition, "abs(value(e) - %s) < 1e-12", k->second);
        if (!holds(s, setup, condition)) {
            print_error("%s: %s has another second derivative than %s: %s\n", k->what, spelling,
                        k->second, way);
            failures++;
        }
    }
    return failures;
}

static void spellings_agree(void **state) {
    (void)state;
    int failures = 0;
    tg_state *s = tg_open(&(tg_options){.write = swallow});
    assert_non_null(s);
    for (const tg_kink *k = tg_kinks; k->what; k++) {
        char all[600];
        snprintf(all, sizeof all, "%s", k->spelled);
        for (char *at = all, *end; at; at = end) {
            if ((end = strstr(at, " | "))) {
                *end = 0;
                end += 3;
            }
            failures += check(s, k, at);
        }
    }
    tg_close(s);
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(spellings_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
