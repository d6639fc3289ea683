/* Checking through tg.h: what a program that embeds tg is told, that the session neither writes nor
 * draws nor stores for it, and that it survives a failure of every allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "tg.h"

typedef struct told {
    int errors, warnings, shapes, written;
    int line, column, last_column; /* of the last error */
    char message[200], help[200];
} told;

static void tell(void *user, const tg_finding *f) {
    told *t = user;
    t->errors += f->kind == TG_FINDING_ERROR;
    t->warnings += f->kind == TG_FINDING_WARNING;
    t->shapes += f->kind == TG_FINDING_SHAPE;
    assert_string_equal(f->file, "text");
    assert_memory_equal(f->report, "text:", 5);
    if (f->kind != TG_FINDING_ERROR) return;
    t->line = f->line;
    t->column = f->column;
    t->last_column = f->last_column;
    strncpy(t->message, f->message, sizeof t->message - 1);
    strncpy(t->help, f->help, sizeof t->help - 1);
}

static void count(void *user, const char *text, size_t len) {
    (void)text;
    ((told *)user)->written += (int)len;
}

static told check(const char *text) {
    told t = {0};
    tg_state *s = tg_open(&(tg_options){.write = count, .user = &t});
    assert_non_null(s);
    assert_int_equal(tg_check_text(s, "text", text, strlen(text), tell, &t), TG_DONE);
    tg_close(s);
    assert_int_equal(t.written, 0);
    return t;
}

static void wrong(const char *text, int line, int column, const char *message) {
    told t = check(text);
    if (t.errors != 1 || strcmp(t.message, message) != 0 || t.line != line || t.column != column)
        fail_msg("%d errors in `%s`, the last at %d:%d: %s", t.errors, text, t.line, t.column,
                 t.message);
}

static void right(const char *text) {
    told t = check(text);
    if (t.errors || t.warnings) fail_msg("`%s`: %s", text, t.message);
}

static void findings(void **state) {
    (void)state;
    told t = check("x = var(2); y = x^2\nsin = 3\nprint(y)\nz = é + [1, 2]\n");
    assert_int_equal(t.shapes, 4);
    assert_int_equal(t.warnings, 1);
    assert_int_equal(t.errors, 1);
    assert_int_equal(t.line, 4);
    assert_int_equal(t.column, 5);
    assert_int_equal(t.last_column, 6);
    assert_string_equal(t.message, "there is no name é");
    assert_int_equal(check("f(x) = { a = x; b = a; _c = 3; x }; f(1)").warnings, 1);
    assert_int_equal(check("f(x) = { a = x; if x > 1 { b = 2 }; \"{a}\" }; f(1)").warnings, 0);
    assert_int_equal(check("").errors, 0);
    assert_int_equal(check("(((").errors, 1);
}

/* What is not known is accepted everywhere. */
static void unknown(void **state) {
    (void)state;
    right("n = number(args[0]); A = zeros(n, 3); A @ ones(4, 5); A[7, 2]; A.field; A(3)");
    right("a = if size(args) > 0 { 1 } else { \"text\" }; a + 1; a + \"x\"; for i in a { i @ i }");
    right("x = [1, 2]; while sum(rand(2)) > 1 { x = concat([x, [1]]) }; x + ones(7)");
    right("x = 0; for i in 1..10 { if i > 5 { x = ones(3); break }; x = ones(4) }; x + ones(9)");
    right("f(x) = if rank(x) == 2 { x @ ones(3) } else { x }; f(ones(2, 3)) + ones(2); f(ones(5))");
    right("f(n) = if n < 2 { 1 } else { n * f(n - 1) }; zeros(f(4), 2) @ ones(3)");
    right("r = {a: 1}; for k, v in r { v + 1 }; r.b := 2; r.b + 1; r = (1, 2); r[1]");
    right("input X[N, 3]; for X := batches(rand(10, 3), 4) { print(sum(X)) }; y := X; y + ones(7, "
          "7)");
    right("h = ones(4, 4); repeat 3 { h = h @ h }; h @ ones(4)");
    right("x = none; for i in 1..3 { if x == none { x = i } else { x = x + i } }; x + 1");
    right("f(x, y=none) = { if y == none { return x }; x @ y }; f(ones(2)); f(ones(2), ones(2))");
    right("g() = late(3); late(x) = x + 1; g()");
    right("y = error; if rand() > 2 { error(\"no\") }; assert(rand() < 2); 1");
    right("a = 1; f() = { a := ones(3) }; if rand() > 0.5 { f() }; a + ones(5)");
    right("m = [1, 2, 3] > 2; x = randn(3); x[x > 0]; x[m]; where(m, x, 0)");
}

static void known(void **state) {
    (void)state;
    wrong("f(x) = x @ ones(3)\nf(ones(2))", 1, 10,
          "x @ ones(3) has no meaning: the inner sizes 2 and 3 differ");
    wrong("h = ones(4, 4)\nrepeat 3 { h = h @ ones(4, 3) }", 2, 18,
          "h @ ones(4, 3) has no meaning: the inner sizes 3 and 4 differ");
    wrong("if false { prnt(1) }", 1, 12, "there is no name prnt");
    wrong("g(a) = a + bb", 1, 12, "there is no name bb");
    wrong("early = later + 1; later = 2", 1, 9, "there is no name later");
    wrong("input X[N, 3], Y[N]\nX, Y := ones(4, 3), ones(5)", 2, 1, "N is 4 in X but 5 in Y");
    wrong("input X[3]\nprint(\"{sum(X):.2f}\")", 2, 8, "the formula needs data for X");
    wrong("for i in 1..3 { for j in 5 { } }", 1, 26, "a number cannot be walked over");
    wrong("x = [1, 2, 3]; if rand() > 0.5 { x[3] }", 1, 34,
          "index 3 is out of range for axis 0 of size 3");
    wrong("shape(1, 2)", 1, 1, "shape takes 1 argument, not 2");
    wrong("while true { }; return 3", 1, 17, "return stands outside any function");
}

static const char program[] =
    "f(t, k=2) = t^3 - k * t; g(n) = if n < 2 { 1 } else { return n * g(n - 1) }; h(x) = x + zz\n"
    "input X[N, 3], Y[N, 2]; W = var(zeros(3, 2)); cost = mean(sum(Y * log(softmax(X @ W))))\n"
    "gW = grad(cost, W); total = 0\n"
    "for X, Y := batches(rand(10, 3), rand(10, 2), 5) { c, W := cost, W - gW; total += c }\n"
    "a = if total > 1 { x = 1; [1, total] } else { x = (2, {b: W}); [3] }; W := gW'\n"
    "while total < 3 { if total == 2 { break }; x = x; W[0, 1] := g(3); late = f'(total) }\n"
    "print(\"{total:.2f}\", f(1, k=a), f(total), W @ W); assume cost > 0; value(cost + h)\n";

/* Past some seconds only every 7th, then every 49th allocation is tried. */
static uint64_t stride(clock_t began) {
    clock_t spent = (clock() - began) / CLOCKS_PER_SEC;
    return spent < 2 ? 1 : spent < 4 ? 7 : 49;
}

static void without_memory(void **state) {
    (void)state;
    clock_t began = clock();
    bool reached = true;
    told t = check(program);
    assert_int_equal(t.errors, 5);
    for (uint64_t n = 1; reached; n += stride(began)) {
        size_t before = tg_alloc_get_stats().live_blocks;
        tg_state *s = tg_open(NULL);
        assert_non_null(s);
        tg_alloc_reset_stats();
        tg_alloc_fail_at(n);
        tg_status status = tg_check_text(s, "text", program, strlen(program), tell, &t);
        tg_alloc_fail_at(0);
        reached = tg_alloc_get_stats().requests >= n;
        if (status != TG_DONE && (!reached || !strstr(tg_error(s), "out of memory")))
            fail_msg("allocation %d: %s", (int)n, tg_error(s));
        tg_close(s);
        size_t left = tg_alloc_get_stats().live_blocks - before;
        if (left) fail_msg("allocation %d: %zu blocks leak", (int)n, left);
    }
}

static void interrupted(void **state) {
    (void)state;
    told t = {0};
    tg_state *s = tg_open(NULL);
    tg_interrupt(s);
    assert_int_equal(tg_check_text(s, "text", "x = 1", 5, tell, &t), TG_INTERRUPTED);
    assert_int_equal(tg_check_text(s, "text", "x = 1", 5, tell, &t), TG_DONE);
    assert_int_equal(t.shapes, 1);
    tg_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings),       cmocka_unit_test(unknown),     cmocka_unit_test(known),
        cmocka_unit_test(without_memory), cmocka_unit_test(interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
