/* The side of a where that is not taken has no part in a derivative of any order, whatever slope it
 * has there: none is infinite, none NaN. Random formulas are written twice: once with guards as a
 * user writes them, where(e > 0, log(e), 0), once with the guarded side kept at harmless points,
 * log(where(e > 0, e, 1)). At data on the guards, derivatives to the third order are the same. What
 * is guarded may be turned, cut, reduced by rows, multiplied and normalised before it is chosen. */
#include "base/str.h"
#include "tg.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t lottery = 1;

static int below(int n) { /* Numerical Recipes' quick generator */
    lottery = lottery * 1664525u + 1013904223u;
    return (int)((lottery >> 8) % (uint32_t)n);
}

static void swallow(void *user, const char *text, size_t len) {
    (void)user, (void)text, (void)len;
}

typedef struct pair { /* the formula as written, and with harmless points */
    tg_str written, safe;
} pair;

static void add(pair *p, const char *text) {
    tg_str_add(&p->written, text);
    tg_str_add(&p->safe, text);
}

/* {0}, {1} are the parts, {g} the guarded side's argument. */
static void fill(pair *p, const char *pattern, const pair *part, const char *guard) {
    for (const char *c = pattern; *c; c++) {
        if (*c != '{') {
            tg_str_addc(&p->written, *c);
            tg_str_addc(&p->safe, *c);
            continue;
        }
        if (c[1] == 'g') {
            tg_str_addf(&p->written, "(%s)", tg_str_text((tg_str *)&part[0].written));
            tg_str_add(&p->safe, "where(");
            for (const char *q = guard; *q; q++) {
                if (*q == '{')
                    tg_str_addf(&p->safe, "(%s)", tg_str_text((tg_str *)&part[0].safe)), q += 2;
                else
                    tg_str_addc(&p->safe, *q);
            }
            tg_str_addf(&p->safe, ", %s, 0.5)", tg_str_text((tg_str *)&part[0].safe));
        } else {
            int k = c[1] - '0';
            tg_str_addf(&p->written, "(%s)", tg_str_text((tg_str *)&part[k].written));
            tg_str_addf(&p->safe, "(%s)", tg_str_text((tg_str *)&part[k].safe));
        }
        c += 2;
    }
}

static void vector(pair *p, int depth) {
    static const char *const leaves[] = {"x", "x^2", "relu(x)", "abs(x)", "x * u", "x - 1", "-x"};
    static const char *const plain[] = {
        "sin({0})",
        "tanh({0})",
        "sigmoid({0})",
        "{0} + {1}",
        "{0} * {1}",
        "softmax({0})",
        "M @ {0}",
        "{0} @ M",
        "{0} / (1 + {1}^2)",
        "max({0}, 0)",
        "cumsum({0}, 0)",
        "{0} - mean({1})",
        "f({0})",
        "exp(-{0}^2)",
        "flip({0}, 0)",
        "{0} * sum({1})",
        "where(u > 0, {0}, {1})",
        "clip({0}, -1, 1)",
        "where(sum({0}) > 100, log(-1 - {1}^2), {1})",
    };
    static const char *const guarded[][2] = {
        {"where({0} > 0, log({g}), {1})", "{0} > 0"},
        {"where({0} > 0, sqrt({g}), {1})", "{0} > 0"},
        {"where({0} > 0, {g}^1.5, {1})", "{0} > 0"},
        {"where({0} <= 0, {1}, {g}^0.5)", "not ({0} <= 0)"},
        {"where({0} == 0, 1, sin({g}) / {g})", "not ({0} == 0)"},
        {"where({0} != 0, 1 / {g}, {1})", "{0} != 0"},
        {"where({0} > 0, {g} * log({g}), 0)", "{0} > 0"},
        {"where(abs({0}) < 1, asin({g}), {1})", "abs({0}) < 1"},
        {"where({0} > 0, log({g}) * {1}, 0)", "{0} > 0"},
        {"where({0} > 0, {1}^2 / {g}, 0)", "{0} > 0"},
        {"where({0} > 0, where({0} > 0.1, 1 / {g}, log({g})), 0)", "{0} > 0"},
        {"where({0} > 0, exp(-1 / {g}), 0)", "{0} > 0"},
        {"where({0} > 0, softplus(log({g})), {1})", "{0} > 0"},
        {"where(flip({0} > 0, 0), flip(log({g}), 0), {1})", "{0} > 0"},
        {"where(flip({0}, 0) > 0, 1 / flip({g}, 0), {1})", "{0} > 0"},
        {"where({0}[P] > 0, sqrt({g})[P], {1})", "{0} > 0"},
        {"where({0} > 0, concat([log({g}[0:2]), sqrt({g})[2:5]]), {1})", "{0} > 0"},
        {"where({0} > 0, stack([log({g}), {1}])[0], {1})", "{0} > 0"},
        {"where({0} > 0, sum(log(outer({g}, q)), axis=1), {1})", "{0} > 0"},
        {"where({0} > 0, mean(1 / outer(q, {g}), axis=0), {1})", "{0} > 0"},
        {"where({0} > 0, log(outer({g}, q)) @ q, {1})", "{0} > 0"},
        {"where({0} > 0, q @ sqrt(outer(q, {g})), {1})", "{0} > 0"},
        {"where({0} > 0, (Q @ log(outer({g}, q))')[1], {1})", "{0} > 0"},
        {"where({0} > 0, sum(softmax(log(outer({g}, q)), axis=1)^2, axis=1), {1})", "{0} > 0"},
        {"where({0} > 0, logsumexp(sqrt(outer({g}, q)), axis=1), 0)", "{0} > 0"},
        {"where({0} > 0, max(log(outer({g}, q)), axis=1), {1})", "{0} > 0"},
        {"where({0} > 0, prod(sqrt(outer({g}, q)), axis=1), {1})", "{0} > 0"},
        {"where({0} > 0, norm(log(outer({g}, q)), axis=1), {1})", "{0} > 0"},
        {"where({0} > 0, var(log(outer({g}, q) + 1 / outer({g}, q)), axis=1), {1})", "{0} > 0"},
        {"where({0} > 0, cumsum(log(outer({g}, q)), axis=1)[:, 1], {1})", "{0} > 0"},
        {"where({0} > 0, sort(log(outer({g}, q)), axis=1)[:, 2], {1})", "{0} > 0"},
        {"sum(where(unsqueeze({0} > 0, axis=1), log(outer({g}, q)), outer({1}, q)), axis=1)",
         "{0} > 0"},
        {"where(min({0}) > 0, sum(log({g})) * {1}, {1})", "min({0}) > 0"},
        {"{1} * where(min({0}) > 0, flip(1 / {g}, 0), 0)", "min({0}) > 0"},
        {"where({0} > 0, h(log({g})), {1})", "{0} > 0"},
    };
    enum { PLAIN = sizeof plain / sizeof *plain, GUARDED = sizeof guarded / sizeof *guarded };
    if (depth == 0) {
        add(p, leaves[below(sizeof leaves / sizeof *leaves)]);
        return;
    }
    pair part[2];
    memset(part, 0, sizeof part);
    bool guard = below(2);
    vector(&part[0], guard && below(2) ? 0 : depth - 1);
    vector(&part[1], below(depth));
    if (guard) {
        int k = below(GUARDED);
        fill(p, guarded[k][0], part, guarded[k][1]);
    } else {
        fill(p, plain[below(PLAIN)], part, "");
    }
    for (int i = 0; i < 2; i++) {
        tg_str_free(&part[i].written);
        tg_str_free(&part[i].safe);
    }
}

static bool get(tg_state *s, const char *name, double *out, size_t *n) {
    int rank;
    int64_t dim[8];
    return tg_get_tensor(s, name, &rank, dim, out, 8, n) == TG_DONE;
}

/* Derivatives of a formula along random directions, to the third order. */
static bool derivatives(tg_state *s, const char *formula, char name) {
    tg_str text = {0};
    tg_str_addf(&text,
                "y = sum((%s) * v)\n"
                "%c1 = grad(y, x)\n%c2 = grad(sum(%c1 * v) + 0 * sum(x), x)\n"
                "%c3 = grad(sum(%c2 * v) + 0 * sum(x), x)\n"
                "%c1 = value(%c1); %c2 = value(%c2); %c3 = value(%c3)",
                formula, name, name, name, name, name, name, name, name, name, name, name);
    bool ok = tg_run(s, "test", tg_str_text(&text), TG_QUIET) == TG_DONE;
    if (!ok) print_error("%s\n%s\n", formula, tg_error(s));
    tg_str_free(&text);
    return ok;
}

static bool same(tg_state *s, int order) {
    double a[8], b[8];
    size_t na, nb;
    char left[3] = {'a', (char)('0' + order), 0}, right[3] = {'b', (char)('0' + order), 0};
    if (!get(s, left, a, &na) || !get(s, right, b, &nb) || na != nb) return false;
    for (size_t i = 0; i < na; i++) {
        double size = fmax(1, fmax(fabs(a[i]), fabs(b[i])));
        if (!isfinite(b[i]) && !isfinite(a[i])) continue; /* not by a side that is not taken */
        if (!(fabs(a[i] - b[i]) <= 1e-7 * size)) {
            print_error("order %d, element %zu: %.12g, with harmless points %.12g\n", order, i,
                        a[i], b[i]);
            return false;
        }
    }
    return true;
}

static void untaken_sides_stay_out(void **state) {
    (void)state;
    int failures = 0;
    tg_state *s = tg_open(&(tg_options){.write = swallow});
    assert_non_null(s);
    assert_int_equal(
        tg_run(s, "test",
               "x = var([0, -1, 0.5, 1, 2]); u = [1, -1, 2, 0, 0.5]\n"
               "v = [0.3, -0.7, 0.9, 0.5, -0.2]; M = reshape(0.1 * sin(1..25), 5, 5)\n"
               "P = [4, 2, 0, 1, 3]; q = [1, 0.5, 2]; Q = [[1, 2, 0], [0.5, -1, 1], [1, 1, 1]]\n"
               "h(t) = { two = stack([t, t^2]); two[0] * cos(two[1]) }\n"
               "f(t) = { part = where(t > 0, sqrt(t), t); part + t }",
               TG_QUIET),
        TG_DONE);
    for (int i = 0; i < 300 && failures < 5; i++) {
        int depth = 1 + i % 3;
        pair p;
        memset(&p, 0, sizeof p);
        vector(&p, depth);
        bool ok = derivatives(s, tg_str_text(&p.written), 'a') &&
                  derivatives(s, tg_str_text(&p.safe), 'b');
        for (int order = 1; ok && order <= 3; order++) ok = same(s, order);
        if (!ok) {
            print_error("%s\n", tg_str_text(&p.written));
            failures++;
        }
        tg_str_free(&p.written);
        tg_str_free(&p.safe);
    }
    tg_close(s);
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(untaken_sides_stay_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
