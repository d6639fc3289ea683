/* Entries: taken back and done again a session is as it was, to the bit; saved and run anew it is
 * the same; memory that runs out loses nothing but what could have been taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "tg.h"

static void swallow(void *user, const char *text, size_t len) {
    (void)user;
    (void)text;
    (void)len;
}

static tg_state *session(void) {
    const tg_options options = {.write = swallow, .seed = 7};
    tg_state *s = tg_open(&options);
    assert_non_null(s);
    return s;
}

static tg_status enter(tg_state *s, const char *text) {
    return tg_run(s, "<prompt>", text, TG_ECHO | TG_ENTRY);
}

/* ---- what a session is worth ---- */

static const char *const names[] = {"a", "b", "c", "x", "y", "v", "w", "r", "s", "k"};
enum { NAMES = sizeof names / sizeof *names, MOST = 64 };

/* The elements of all names that have any, with a mark between them. */
static void worth(tg_state *s, tg_str *out) {
    for (int i = 0; i < NAMES; i++) {
        int rank;
        int64_t dim[8];
        double data[MOST];
        size_t n;
        tg_str_addf(out, "%s:", names[i]);
        if (tg_get_tensor(s, names[i], &rank, dim, data, MOST, &n) == TG_DONE)
            for (size_t k = 0; k < n && k < MOST; k++) tg_str_addf(out, " %a", data[k]);
        tg_str_addc(out, '\n');
    }
}

static void assert_worth(tg_state *s, const tg_str *want, const char *what) {
    tg_str have = {0};
    worth(s, &have);
    if (strcmp(tg_str_text(&have), tg_str_text(want)) != 0)
        fail_msg("%s\nbefore:\n%safter:\n%s", what, tg_str_text(want), tg_str_text(&have));
    tg_str_free(&have);
}

/* ---- random sessions ---- */

static uint64_t bits;
static unsigned below(unsigned n) {
    bits = bits * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(bits >> 33) % n;
}

static const char *const entries[] = {
    "x = var(%d)",
    "v = var([1, 2, %d])",
    "a = %d / 7",
    "b = randn(3)",
    "c = [[1, %d], [3, 4]] / 3",
    "y = x^2 + sin(x) * %d",
    "w = v * 2 + %d",
    "x := x + 0.1",
    "v := v / 3 + randn(3)",
    "a := a * 1.1",
    "k = value(x) + %d",
    "s = \"text {1 + %d}\"",
    "r = {p: %d, q: (1, 2)}",
    "r.p := r.p + 1",
    "c[0, 1] := %d",
    "precision single",
    "precision double",
    "seed(%d)",
    "for i in 1..%d { x := x * 1.01; a = i / 3; if i == 3 { error(\"stop\") } }",
    "b = randn(2); oops; a = 3",
    "a = rand() + oops",
    "repeat 3 { v := v + randn(3) * 0.1 }",
    "1 + %d",
    "a = ans + 1",
    "k = _1 * 2",
    "f(t) = t * %d; k = f(2)",
    "# only a comment",
    "x = 3; y = x * 2; b = fresh(randn(2)) + v[0]",
    "v := v + fresh(randn(3))",
    "for i in 1..2 { v := v + fresh(randn(3)); error(\"no\") }",
    "w = single(v) + single([%d, 1, 0.1])",
    "a = -0.0; b = [1e-300, -inf, nan, %d]; error(\"late\")",
    "if true { a = %d; b = bool([1, 0]); c = byte([1, %d]); error(\"late\") }",
};
enum { ENTRIES = sizeof entries / sizeof *entries };

static void one_entry(tg_state *s) {
    char text[200];
    const int n = (int)below(9) + 1;
    snprintf(text, sizeof text, entries[below(ENTRIES)], n, n);
    enter(s, text);
}

static void undone_is_as_before(void **state) {
    (void)state;
    for (uint64_t run = 0; run < 60; run++) {
        tg_state *s = session();
        tg_str was[12] = {{0}};
        int n = 0;
        bits = run;
        for (; n < 12; n++) {
            worth(s, &was[n]);
            one_entry(s);
        }
        tg_str end = {0};
        worth(s, &end);
        int undone = 0;
        while (tg_undo(s)) undone++;
        assert_worth(s, &was[0], "all undone");
        for (int i = 0; i < undone; i++) assert_non_null(tg_redo(s));
        assert_null(tg_redo(s));
        assert_worth(s, &end, "all redone");
        assert_int_equal(tg_reset(s), TG_DONE);
        assert_worth(s, &was[0], "reset");
        assert_non_null(tg_undo(s));
        assert_worth(s, &end, "the reset undone");
        for (int i = 0; i < 12; i++) tg_str_free(&was[i]);
        tg_str_free(&end);
        tg_close(s);
    }
}

static void saved_is_the_same(void **state) {
    (void)state;
    for (uint64_t run = 0; run < 120; run++) {
        tg_state *s = session(), *again = session();
        tg_str want = {0};
        const char *text;
        bits = run + 1000;
        for (int i = 0; i < 12; i++) {
            one_entry(s);
            if (below(6) == 0) tg_undo(s);
            if (below(6) == 0) tg_redo(s);
        }
        worth(s, &want);
        assert_int_equal(tg_save_text(s, NULL, &text), TG_DONE);
        if (tg_run(again, "saved", text, TG_QUIET) != TG_DONE)
            fail_msg("%s\n%s", tg_error(again), text);
        assert_int_equal(tg_save_text(s, NULL, &text), TG_DONE);
        assert_worth(again, &want, text);
        tg_str_free(&want);
        tg_close(s);
        tg_close(again);
    }
}

/* ---- bounds ---- */

static void only_so_many(void **state) {
    (void)state;
    tg_state *s = session();
    char text[32];
    double x = 0;
    enter(s, "x = 0");
    for (int i = 1; i <= 300; i++) {
        snprintf(text, sizeof text, "x := x + 1");
        assert_int_equal(enter(s, text), TG_DONE);
    }
    int n = 0;
    while (tg_undo(s)) n++;
    assert_int_equal(n, 100);
    assert_int_equal(tg_get_number(s, "x", &x), TG_DONE);
    assert_true(x == 200);
    tg_close(s);
}

/* Values that only undo holds: told, and given up when they are too much. */
static void only_so_much(void **state) {
    (void)state;
    tg_state *s = session();
    tg_holdings h;
    enter(s, "w = var(zeros(1000000))");
    for (int i = 0; i < 3; i++) enter(s, "w := w + 1");
    tg_memory_held(s, &h);
    assert_true(h.undo == 3 * 8000000);
    for (int i = 0; i < 40; i++) enter(s, "w := w + 1");
    tg_memory_held(s, &h);
    assert_true(h.undo <= (size_t)256 << 20 && h.undo > (size_t)200 << 20);
    tg_close(s);
}

/* What was set from outside can be taken back, too. */
static void from_outside(void **state) {
    (void)state;
    tg_state *s = session();
    double x = 0;
    enter(s, "x = var(1)");
    assert_int_equal(tg_set_number(s, "x", 5), TG_DONE);
    assert_non_null(tg_undo(s));
    tg_get_number(s, "x", &x);
    assert_true(x == 1);
    assert_non_null(tg_redo(s));
    tg_get_number(s, "x", &x);
    assert_true(x == 5);
    tg_close(s);
}

/* ---- memory ---- */

static const char *const program[] = {
    "input X[N, 2]; W = var([1, 2]); f(t) = t^2",
    "X := [[1, 2], [3, 4]]; P = sum(X @ W)",
    "assume W > 0",
    "rule f(t) = g * 2 * t",
    "for i in 1..3 { W := W * 1.5; if i == 2 { error(\"stop\") } }",
    "p = {u: var(1), v: [1, 2]}; k = randn(2)",
    "ans + 1; 1 + 1; ans * 2",
};
enum { STEPS = sizeof program / sizeof *program };

/* Each request fails once, whatever is under way; then everything works, and nothing has leaked. */
static void without_memory(void **state) {
    (void)state;
    const size_t before = tg_alloc_get_stats().live_blocks;
    bool reached = true;
    for (uint64_t n = 1; reached; n += 1 + n / 60) {
        tg_state *s = session();
        const char *text;
        double x = 0;
        for (int i = 0; i < STEPS / 2; i++) enter(s, program[i]);
        tg_alloc_reset_stats();
        tg_alloc_fail_at(n);
        for (int i = STEPS / 2; i < STEPS; i++) enter(s, program[i]);
        for (int i = 0; i < 3; i++) tg_undo(s);
        tg_redo(s);
        tg_save_text(s, NULL, &text);
        tg_reset(s);
        tg_undo(s);
        tg_alloc_fail_at(0);
        reached = tg_alloc_get_stats().requests >= n;
        /* what was there before is there, or was reset as it was asked for */
        assert_int_equal(enter(s, "z = 1"), TG_DONE);
        assert_int_equal(enter(s, "z := 2"), TG_DONE);
        assert_string_equal(tg_undo(s), "z := 2");
        assert_int_equal(tg_get_number(s, "z", &x), TG_DONE);
        assert_true(x == 1);
        assert_int_equal(tg_save_text(s, NULL, &text), TG_DONE);
        assert_non_null(strstr(text, "z = 1\n"));
        tg_close(s);
        assert_int_equal(tg_alloc_get_stats().live_blocks, before);
    }
}

/* A sum is as deep as it is long. */
static void of_any_depth(void **state) {
    (void)state;
    tg_state *s = session();
    tg_str sum = {0};
    const char *saved;
    double x;
    assert_int_equal(enter(s, "1 + 1"), TG_DONE);
    tg_str_add(&sum, "a = ans");
    for (int i = 0; i < 100000; i++) tg_str_add(&sum, "+1");
    assert_int_equal(enter(s, tg_str_text(&sum)), TG_DONE);
    assert_int_equal(tg_save_text(s, NULL, &saved), TG_DONE);
    assert_non_null(strstr(saved, "\na = answer_1+1+1"));
    assert_string_equal(tg_undo(s), tg_str_text(&sum));
    assert_non_null(tg_redo(s));
    assert_int_equal(tg_get_number(s, "a", &x), TG_DONE);
    assert_true(x == 100002);
    tg_str_free(&sum);
    tg_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undone_is_as_before), cmocka_unit_test(saved_is_the_same),
        cmocka_unit_test(only_so_many),        cmocka_unit_test(only_so_much),
        cmocka_unit_test(from_outside),        cmocka_unit_test(without_memory),
        cmocka_unit_test(of_any_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
