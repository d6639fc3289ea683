/* A statement happens or does not. Statements of every kind run in one session again and again,
 * each time with a later allocation failing, until one run is not reached by the failure. After
 * every failure the error is "out of memory", what the session knew before is as it was, and the
 * session computes on; at the end nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "tg.h"

/* `parts`: made of several statements (a loop), of which some may have happened. `wrong`: fails
 * anyway, with this in its message. */
typedef struct statement {
    const char *text;
    bool parts;
    const char *wrong;
} statement;

static const statement statements[] = {
    {.text = "a = 2 + 3 * 4 - 1 / 8"},
    {.text = "s = \"{a:.2f} and {a} {[1, 2, 3]} {{}} \" + \"more\""},
    {.text = "x = var(2)"},
    {.text = "y = x^2 * sin(x) + a"},
    {.text = "grad(y, x)"},
    {.text = "show(grad(grad(y, x), x))"},
    {.text = "y"},
    {.text = "x := x + 1"},
    {.text = "x += y * 0"},
    {.text = "n := 4; n *= 2", .parts = true},
    {.text = "p, q = 1, [2, 3]"},
    {.text = "p, q := q, p"},
    {.text = "f(t, k=2) = t^3 - k * t"},
    {.text = "f'(2) + f''(x) + f(3, k=1)"},
    {.text = "g = (u, v) -> u * v + a"},
    {.text = "g(2, x)"},
    {.text = "fact(n) = if n < 2 { 1 } else { n * fact(n - 1) }"},
    {.text = "fact(6)"},
    {.text = "h(n) = { t = n + 1; k(m) = m * t; if t > 100 { return 0 }; k(t) }"},
    {.text = "h(5) + map(v -> v + 1, [1, 2, 3])[1]"},
    {.text = "input X[N, 3], Y[N, 2]"},
    {.text = "input A1[K], A2[K, a]", .wrong = "whole number"},
    {.text = "W = var(zeros(3, 2)); b = var(zeros(2))", .parts = true},
    {.text = "P = softmax(X @ W + b)"},
    {.text = "cost = mean(-sum(Y * log(P), axis=1))"},
    {.text = "gW, gb = grad(cost, [W, b])"},
    {.text = "gW"},
    {.text = "assume sum(Y, axis=1) == 1"},
    {.text = "show(grad(cost, W))"},
    {.text = "input S1[m, m], s1[m]; assume S1 == S1', s1 > 0 and s1 < 9", .parts = true},
    {.text = "show(S1' @ abs(s1))"},
    {.text = "assume s1 > 2, s1 < 1", .wrong = "contradicts"},
    {.text = "s1 := [3, 11]", .wrong = "does not hold"},
    {.text = "assume s1 < 7; unassume(s1 < 7)", .parts = true},
    {.text = "images = [[1, 2, 3], [4, 5, 6], [0, 1, 0], [1, 1, 1], [9, 8, 7]]"},
    {.text = "labels = [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]]"},
    {.text = "X, Y := images[0:3], labels[0:3]"},
    {.text = "W, b := W - 0.1 * gW, b - 0.1 * gb"},
    {.text = "for i in 1..2 { for X, Y := batches(images, labels, 2, shuffle=true) { W, b := W - "
             "0.1 * gW, b - 0.1 * gb } }",
     .parts = true},
    {.text = "eval(cost, X=images, Y=labels)"},
    {.text = "v = [1, 2, 3, 4, 5, 6]"},
    {.text = "v[1] := 20"},
    {.text = "v[2:4] := [7, 8]"},
    {.text = "W[0, 1] := 5"},
    {.text = "v[::-1][[0, 2]] + v[v > 4][0:2]"},
    {.text = "sum(W[0:2, 1] * x) + W'[0, 2]"},
    {.text = "r = {lr: 0.1, m: {k: [1, 2], t: (1, \"two\", x)}}"},
    {.text = "r.lr := 0.2"},
    {.text = "r.m.k[1] := 9"},
    {.text = "plain = {lr: 0.1}"},
    {.text = "plain.fresh := 1"},
    {.text = "r"},
    {.text = "params = {A: var([1, 2]), c: var(3)}"},
    {.text = "params := params - 0.1 * grad(sum(params.A^2) + params.c^2, params)"},
    {.text = "z = fresh(randn(2, 2)) + x"},
    {.text = "z"},
    {.text = "where(x > 0, x, 0) + max(x, 1) + min([3, 1, 2]) + sort([3, 1, 2])[0]"},
    {.text = "concat([[x, 1], [2, 3]]) @ ones(4)"},
    {.text = "stack([x, 1])'"},
    {.text = "var(outer([1, 2], [3, 4]))"},
    {.text = "variance(v) + std(v, axis=0) + split(v, 3)[1][0] + median(v)"},
    {.text = "i = 0; while i < 3 { i += 1; if i == 2 { continue }; print(i, [i, x]) }",
     .parts = true},
    {.text = "repeat 2 { print(\"{x}\") }", .parts = true},
    {.text = "1 < x < 5 and not (x == 4) or a >= 3"},
    {.text = "precision double"},
    {.text = "use optim", .parts = true},
    {.text = "zip([1, 2], [3, 4])"},
    {.text = "for name, t in r { print(name) }"},
    {.text = "shape(W), size(X, 0)"},
    {.text = "l = var([1, 2, 3]); d = sum(tanh(l) * l); grad(grad(d, l)[0], l)", .parts = true},
    {.text = "X @ Y", .wrong = "has no meaning"},
    {.text = "a +", .wrong = "expected"},
    {.text = "unheard_of(1)", .wrong = "there is no name"},
    {.text = "f(1, 2, 3)", .wrong = "takes 2 arguments"},
    {.text = "W := [1, 2]", .wrong = "shape"},
    {.text = "error(\"stop {a}\")", .wrong = "stop"},
    {.text = "h(1)[3] + [1, 2][9]", .wrong = ""},
};

/* The same for what is done with formulas, in a session of its own. */
static const statement explaining[] = {
    {.text = "a = [[2, 1], [1, 3]]; A = var(a); v = var([1, 2]); b = [1, 0]; x = var(2); y = "
             "sum((A @ v - b)^2)",
     .parts = true},
    {.text = "same(sin(x)^2 + cos(x)^2, 1)"},
    {.text = "same(sum(A @ v), sum(v' @ A))"},
    {.text = "same(exp(x) * 1.5, exp(x + log(1.5)))"},
    {.text = "derive(y, v)"},
    {.text = "check(y, v)"},
    {.text = "latex(grad(y, v))"},
    {.text = "latex({one: y, two: (x, 2)})"},
    {.text = "dot(y)"},
    {.text = "dot(y, adjoints=true)"},
    {.text = "dot(b, b)"},
    {.text = "emit({c: y, g: grad(y, A)}, \"numpy\")"},
    {.text = "emit(grad(y, v), \"torch\", name=\"slope\")"},
    {.text = "emit(y, \"basic\")", .wrong = "basic"},
    {.text = "shapes(grad(y, v))"},
    {.text = "why(grad(log(softmax(v))[0], v))"},
    {.text = "raw(grad(y, v))"},
    {.text = "ops((y, grad(y, v)))"},
    {.text = "expand(y)"},
    {.text = "show(y, limit=5)"},
    {.text = "w = y where y = x^2"},
    {.text = "jacobian(softmax(A @ v), v)"},
    {.text = "hessian(y, v)"},
    {.text = "h1 = tanh(A @ v); h2 = tanh(A @ h1); h4 = sum(tanh(A @ tanh(A @ h2)))",
     .parts = true},
    {.text = "value(grad(h4, v, memory=\"sqrt\"))"},
    {.text = "value(grad(h4, v, memory=[h2]))"},
    {.text = "value(grad(h4, v, memory=1e6)); memory(grad(h4, v)).peak > 0"},
    {.text = "value(grad(h4, v, memory=5))", .wrong = "too little"},
    {.text = "hessian(y, [x, v])"},
    {.text = "jacobian(t -> t * sum(t), b)"},
    {.text = "jvp(A @ v, v, b) + vjp(A @ v, v, b) + hvp(y, v, b)"},
    {.text = "jacobian(y, 3)", .wrong = ""},
    {.text = "q = inv(A) @ v + solve(A, b)"},
    {.text = "n = [det(a), logdet(a), sum(eigvalsh(a)), norm(expm(a)), sum(pinv(a))]"},
    {.text = "p = cholesky(a) + eigh(a)[1]"},
    {.text = "grad(logdet(A' @ A) + sum(eigvalsh(A + A')) + sum(svdvals(A)), A)"},
    {.text = "inv([[1, 2], [2, 4]])", .wrong = "singular"},
    {.text = "f(t) = log(1 + exp(t))"},
    {.text = "rule f(t) = g * sigmoid(t)"},
    {.text = "cost = sum(f(v))"},
    {.text = "grad(cost, v)"},
    {.text = "h(t) = t^3; rule h(t) = 2 * g * t^2", .parts = true},
    {.text = "grad(h(x), x)", .wrong = "rule"},
    {.text = "k(t) = t^2; rule k(t) = value(g)", .parts = true},
    {.text = "k(x)", .wrong = "has no value"},
    {.text = "assume x > 1"},
    {.text = "sqrt(x^2) + abs(x)"},
    {.text = "assume x < 0", .wrong = "x"},
    {.text = "x := 0", .wrong = "does not hold"},
    {.text = "assume x < 5; unassume(x < 5)", .parts = true},
    {.text = "unassume()"},
    {.text = "?kinks"},
    {.text = "?jacobian"},
    {.text = "i = log(x - 2)"},
    {.text = "i := log(x - 2)"},
};

/* What must be as it was after a failure. */
static const char *const watched[] = {"a", "x", "y", "n", "p",    "q", "v",
                                      "W", "b", "X", "Y", "cost", "i"};

enum { NWATCHED = sizeof watched / sizeof *watched, MOST = 64 };

typedef struct snapshot {
    bool there[NWATCHED];
    size_t count[NWATCHED];
    double data[NWATCHED][MOST];
} snapshot;

static void take(tg_state *s, snapshot *out) {
    memset(out, 0, sizeof *out);
    for (int i = 0; i < NWATCHED; i++) {
        int rank;
        int64_t dim[8];
        out->there[i] =
            tg_get_tensor(s, watched[i], &rank, dim, out->data[i], MOST, &out->count[i]) == TG_DONE;
    }
}

static void swallow(void *user, const char *text, size_t len) {
    (void)text;
    *(size_t *)user += len;
}

/* Sanitizers slow this down by ten: as our own time passes fewer places are tried. */
static uint64_t stride(clock_t began) {
    clock_t spent = (clock() - began) / CLOCKS_PER_SEC;
    return spent < 20 ? 1 : spent < 40 ? 7 : 49;
}

/* One run with the n-th allocation failing; true when it came to that. A statement that is echoed
 * may have happened when there is no memory left to show it. */
static bool run_once(tg_state *s, const statement *one, uint64_t n, int flags) {
    snapshot before, after;
    take(s, &before);
    tg_alloc_reset_stats();
    tg_alloc_fail_at(n);
    tg_status status = tg_run(s, "test", one->text, flags);
    tg_alloc_fail_at(0);
    bool reached = tg_alloc_get_stats().requests >= n;
    const char *error = tg_error(s);
    bool memory = strstr(error, "out of memory") != NULL;
    if (status == TG_DONE && one->wrong) fail_msg("%s: no error", one->text);
    if (status != TG_DONE && !(memory && reached) && !(one->wrong && strstr(error, one->wrong)))
        fail_msg("%s, allocation %d: %s", one->text, (int)n,
                 error[0] ? error : "an error without a text");
    if (status != TG_DONE && !one->parts && flags == TG_QUIET) {
        take(s, &after);
        for (int i = 0; i < NWATCHED; i++)
            if (before.there[i] != after.there[i] || before.count[i] != after.count[i] ||
                memcmp(before.data[i], after.data[i], sizeof before.data[i]) != 0)
                fail_msg("%s, allocation %d: failed, but changed %s", one->text, (int)n,
                         watched[i]);
    }
    double two;
    if (tg_run(s, "test", "two = 1 + 1", TG_QUIET) != TG_DONE ||
        tg_get_number(s, "two", &two) != TG_DONE || two != 2)
        fail_msg("%s, allocation %d: the session does not go on: %s", one->text, (int)n,
                 tg_error(s));
    return reached;
}

static void run_each(size_t count, const statement *list) {
    clock_t began = clock();
    size_t before = tg_alloc_get_stats().live_blocks, printed = 0;
    tg_options options = {.write = swallow, .user = &printed};
    tg_state *s = tg_open(&options);
    assert_non_null(s);
    for (size_t k = 0; k < count; k++) {
        uint64_t n = 1;
        while (run_once(s, &list[k], n, TG_QUIET)) n += stride(began);
        n = 1;
        while (run_once(s, &list[k], n, TG_ECHO)) n += stride(began);
    }
    tg_close(s);
    size_t left = tg_alloc_get_stats().live_blocks - before;
    if (left) fail_msg("%zu blocks leak", left);
    assert_true(printed > 0);
}

static void each_statement(void **state) {
    (void)state;
    run_each(sizeof statements / sizeof *statements, statements);
}

static void each_explanation(void **state) {
    (void)state;
    run_each(sizeof explaining / sizeof *explaining, explaining);
}

/* The same from a fresh session each time, where nothing is cached yet: the statement follows all
 * those before it. Only leaks and crashes count here, so a few statements that prepare much are
 * enough. */
static void each_fresh(void **state) {
    (void)state;
    static const char *const program =
        "input X[N, 3], Y[N, 2]\nW = var(ones(3, 2)); b = var(zeros(2))\ncost = mean(-sum(Y * "
        "log(softmax(X @ W + b)), axis=1))\n"
        "X, Y := [[1, 2, 3], [4, 5, 6]], [[1, 0], [0, 1]]\n"
        "k() = { u = W * 2; m(t) = t * u; l = (m, m); sum(m(W)) }\n"
        "print(k(), grad(k(), W)[0], sum(grad(cost, b)), \"{cost:.3f}\")\n"
        "W, b := W - grad(cost, W), b - 1\n"
        "r = {a: (W, [b, b]), t: \"x\"}; r.t := (1, 2)\n"
        "w = [1, 2, 3]; w[[0, 2]] := [5, 6]; w[w > 5] := 0\n"
        "h = x -> sum(x^3); print(h'(w), h''(2))\n"
        "print(bad + 1)\n";
    clock_t began = clock();
    size_t before = tg_alloc_get_stats().live_blocks, printed = 0;
    tg_options options = {.write = swallow, .user = &printed};
    bool reached = true;
    for (uint64_t n = 1; reached; n += stride(began)) {
        tg_state *s = tg_open(&options);
        assert_non_null(s);
        tg_alloc_reset_stats();
        tg_alloc_fail_at(n);
        tg_status status = tg_run(s, "test", program, TG_ECHO);
        tg_alloc_fail_at(0);
        reached = tg_alloc_get_stats().requests >= n;
        assert_int_equal(status, TG_FAILED);
        if (!strstr(tg_error(s), "out of memory") && !strstr(tg_error(s), "bad"))
            fail_msg("allocation %d: %s", (int)n, tg_error(s));
        tg_close(s);
        size_t left = tg_alloc_get_stats().live_blocks - before;
        if (left) fail_msg("allocation %d: %zu blocks leak", (int)n, left);
    }
}

/* A limit stands: whatever is computed, the session stays within it, and lives. */
static void within_limit(void **state) {
    (void)state;
    static const char *const hungry[] = {
        "a = zeros(3000, 3000)",
        "a = [1, 2]; for i in 1..40 { a = concat([a, a]) }",
        "s = \"x\"; repeat 40 { s := s + s }",
        "x = var(ones(2000)); y = outer(x, x) @ outer(x, x)",
        "value(y)",
        "grad(sum(y), x)",
        "t = (1, 2); repeat 40 { t = (t, t) }; print(t)",
        "f(n) = f(n + 1) + sum(ones(1000))\nf(0)",
        "l = []; for i in 1..1000000 { l = append(l, ones(100)) }",
        "ones(1000, 1000) @ ones(1000, 1000)",
        "a = 1..1e7; sum(a)",
        "eye(4000)",
        "randn(1e4, 1e4)",
        "sort(rand(1e7))",
        "input Z[K, K]; Z := ones(900, 900); q = Z @ Z @ Z",
        "value(q)",
    };
    size_t before = tg_alloc_get_stats().live_blocks, printed = 0;
    tg_options options = {.write = swallow, .user = &printed};
    tg_state *s = tg_open(&options);
    assert_non_null(s);
    for (size_t mb = 1; mb <= 16; mb *= 4) {
        size_t limit = tg_alloc_get_stats().live_bytes + (mb << 20);
        tg_alloc_limit(limit);
        for (size_t k = 0; k < sizeof hungry / sizeof *hungry; k++) {
            tg_alloc_reset_stats();
            tg_status status = tg_run(s, "test", hungry[k], TG_ECHO);
            if (tg_alloc_get_stats().peak_bytes > limit)
                fail_msg("%s: passes the limit", hungry[k]);
            if (status != TG_DONE && !tg_error(s)[0])
                fail_msg("%s: an error without a text", hungry[k]);
        }
        tg_alloc_limit(0);
        if (tg_run(s, "test", "a = 0; s = 0; l = 0; t = 0; two = 1 + 1", TG_QUIET) != TG_DONE)
            fail_msg("%s", tg_error(s));
    }
    tg_close(s);
    assert_int_equal(tg_alloc_get_stats().live_blocks, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement),
        cmocka_unit_test(each_explanation),
        cmocka_unit_test(each_fresh),
        cmocka_unit_test(within_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
