/* What a line editor asks of a text that is still being typed: its tokens, whether it goes on, and
 * what could stand at the cursor; for texts of any bytes, and without memory. */
#include "base/alloc.h"
#include "base/str.h"
#include "tg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static uint32_t drawn = 1;

static uint32_t draw(uint32_t below) {
    drawn = drawn * 1664525U + 1013904223U;
    return (uint32_t)((uint64_t)drawn * below >> 32);
}

/* Bytes of any kind, or pieces of the language put together wrongly; ended by 0. */
static size_t draw_text(char *out, size_t most) {
    static const char *const pieces[] = {
        "a",   "sum(", "axis=", "r.",   "theta", "(",  ")",    "[",  "]",  "{",   "}",
        "\"",  "{{",   "}}",    "\\",   "# x",   "\n", "1.5e", "..", ":=", "for", " in ",
        "if ", ",",    " ",     "\xCE", "α",     "²",  ":",    ";",  "'",  "use", "?",
    };
    const bool bytes = draw(3) == 0;
    size_t n = 0;
    for (uint32_t left = draw(30); left > 0; left--) {
        const char any[] = {(char)(1 + draw(255)), 0};
        const char *piece = bytes ? any : pieces[draw(sizeof pieces / sizeof *pieces)];
        if (n + strlen(piece) >= most) break;
        memcpy(out + n, piece, strlen(piece));
        n += strlen(piece);
    }
    out[n] = 0;
    return n;
}

/* ---- tokens ---- */

/* A letter for each token: n(ame) k(eyword) 1 t(ext) # ( ) s(ign) ?, and behind them the depth. */
static const char *tokens(const char *text) {
    static const char letters[] = "$nk1t#()s?";
    static char out[100];
    tg_scan scan = {.text = text, .len = strlen(text)};
    size_t n = 0;
    for (tg_scan_kind kind; (kind = tg_scan_next(&scan)) != TG_SCAN_END;) out[n++] = letters[kind];
    snprintf(out + n, sizeof out - n, " %d", scan.depth);
    return out;
}

static void tokens_of_texts(void **state) {
    (void)state;
    assert_string_equal(tokens(""), " 0");
    assert_string_equal(tokens("y = sum(x, axis=0) # all"), "nsn(nsns1)# 0");
    assert_string_equal(tokens("for i in [1, 2] {"), "knk(1s1)( 1");
    assert_string_equal(tokens("\"a {x:.3} b\" + 1"), "t(ns)ts1 0");
    assert_string_equal(tokens("\"a {{x}} \\\" b\""), "t 0");
    assert_string_equal(tokens("\"a {f(\"b"), "t(n(t 4");
    assert_string_equal(tokens(") ] }"), "))) 0");
    assert_string_equal(tokens("(]"), "() 1");
    assert_string_equal(tokens("# (\n("), "#( 1");
}

/* Tokens come one behind the other, are not empty, and leave nothing out but blanks. */
static void tokens_of_anything(void **state) {
    (void)state;
    char text[200];
    for (int i = 0; i < 20000; i++) {
        tg_scan scan = {.text = text, .len = draw_text(text, sizeof text)};
        size_t at = 0;
        while (tg_scan_next(&scan) != TG_SCAN_END) {
            assert_true(scan.lo >= at && scan.lo < scan.hi && scan.hi <= scan.len);
            assert_true(scan.depth >= 0);
            for (; at < scan.lo; at++)
                assert_true(text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r'));
            at = scan.hi;
        }
    }
}

static void brackets_deeper_than_are_known(void **state) {
    (void)state;
    char text[2 * 3 * TG_SCAN_DEEPEST + 1];
    const int deep = 3 * TG_SCAN_DEEPEST;
    memset(text, '[', (size_t)deep);
    memset(text + deep, ']', (size_t)deep);
    tg_scan scan = {.text = text, .len = (size_t)deep};
    while (tg_scan_next(&scan) != TG_SCAN_END) {}
    assert_int_equal(scan.depth, deep);
    scan.len = 2 * (size_t)deep;
    while (tg_scan_next(&scan) != TG_SCAN_END) {}
    assert_int_equal(scan.depth, 0);
}

/* Each sign that \name is completed to is text of the language: a name or an operator, or goes
 * behind a name. */
static void signs_are_of_the_language(void **state) {
    static const char *const signs[] = {
#define TG_SYMBOL(name, sign) sign,
#include "command/prompt/symbols.def"
#undef TG_SYMBOL
    };
    (void)state;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        char text[40];
        snprintf(text, sizeof text, strcmp(signs[i], "⁻") ? "x%s" : "x%s¹", signs[i]);
        tg_scan alone = {.text = signs[i], .len = strlen(signs[i])};
        tg_scan behind = {.text = text, .len = strlen(text)};
        tg_scan_kind kind = tg_scan_next(&alone);
        const bool token = kind == TG_SCAN_NAME || kind == TG_SCAN_SIGN;
        bool fits = token && alone.hi == alone.len;
        kind = tg_scan_next(&behind);
        if (behind.hi < behind.len) kind = tg_scan_next(&behind);
        fits = fits || ((kind == TG_SCAN_NAME || kind == TG_SCAN_SIGN) && behind.hi == behind.len);
        if (!fits) fail_msg("%s is nothing that tg has", signs[i]);
    }
}

/* ---- going on ---- */

static void what_goes_on(void **state) {
    static const char *const whole[] = {"",      "1",          "1 +) 2", "f(x) = x^2", "\"a\"",
                                        "x = 3", "nonsense ]", "\xFF(",  "# (",        "if"};
    static const char *const begun[] = {"f(",   "[1, 2,",    "1 +",    "y = ",       "\"a {b",
                                        "if x", "for i in ", "f(x) =", "while a < ", "{"};
    tg_state *s = *state;
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++)
        if (!tg_goes_on(s, begun[i], strlen(begun[i]))) fail_msg("%s does not go on", begun[i]);
    for (size_t i = 0; i + 1 < sizeof whole / sizeof *whole; i++)
        if (tg_goes_on(s, whole[i], strlen(whole[i]))) fail_msg("%s goes on", whole[i]);
}

/* ---- completing ---- */

/* The candidates, each with what belongs behind it, and a blank between them. */
static const char *completed(tg_state *s, const char *text) {
    static char out[4000];
    tg_completion c;
    size_t n = 0;
    out[0] = 0;
    assert_int_equal(tg_complete_at(s, text, strlen(text), &c), TG_DONE);
    if (c.what == TG_COMPLETE_FILE) return "a file";
    for (size_t i = 0; i < c.n && n < sizeof out - 100; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s%s", i ? " " : "", c.items[i].text,
                              c.items[i].behind);
    return out;
}

static void what_could_stand_there(void **state) {
    tg_state *s = *state;
    assert_string_equal(completed(s, "the"), "theta theta_dot(");
    assert_string_equal(completed(s, "theta_"), "theta_dot(");
    assert_string_equal(completed(s, "wei."), "bias weights");
    assert_string_equal(completed(s, "1 + wei.w"), "weights");
    assert_string_equal(completed(s, "theta_dot(1, sec"), "second=");
    assert_string_equal(completed(s, "read(\"x"), "a file");
    assert_string_equal(completed(s, "\"a {thet"), "theta theta_dot(");
    assert_string_equal(completed(s, "# the"), "");
    assert_string_equal(completed(s, "1.5"), "");
    assert_string_equal(completed(s, "nothing_is_called_so"), "");
    assert_string_equal(completed(s, "nothing.wei"), "");
    assert_string_equal(completed(s, "use li"), "linalg");
    assert_string_equal(completed(s, "a = 1; use op"), "optim");
    assert_string_equal(completed(s, "use \"op"), "a file");
    assert_non_null(strstr(completed(s, ""), "theta "));
}

/* Whatever the text and wherever the cursor: candidates begin with what stands there. */
static void candidates_anywhere(void **state) {
    tg_state *s = *state;
    char text[200];
    for (int i = 0; i < 3000; i++) {
        const size_t len = draw_text(text, sizeof text), cursor = draw((uint32_t)len + 1);
        tg_completion c;
        assert_int_equal(tg_complete_at(s, text, cursor, &c), TG_DONE);
        assert_true(c.from <= cursor && c.call);
        for (size_t k = 0; k < c.n; k++)
            assert_memory_equal(c.items[k].text, text + c.from, cursor - c.from);
        tg_goes_on(s, text, len);
    }
}

static void candidates_without_memory(void **state) {
    static const char *const texts[] = {"the", "wei.", "theta_dot(", "s", "\"a", "use "};
    tg_state *s = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tg_status status = TG_FAILED;
        int n = 0;
        for (; status != TG_DONE && n < 1000; n++) {
            tg_completion c;
            tg_alloc_fail_at((uint64_t)n + 1);
            status = tg_complete_at(s, texts[i], strlen(texts[i]), &c);
            tg_alloc_fail_at(0);
            if (status != TG_DONE) assert_non_null(strstr(tg_error(s), "memory"));
        }
        assert_int_equal(status, TG_DONE);
    }
    for (int n = 1; n < 100; n++) {
        tg_alloc_fail_at((uint64_t)n);
        tg_goes_on(s, "y = f(1, [2, \"a {x", 18);
        tg_alloc_fail_at(0);
    }
    assert_string_equal(completed(s, "the"), "theta theta_dot(");
}

/* ---- a session ---- */

static int setup(void **state) {
    tg_state *s = tg_open(NULL);
    *state = s;
    return s && tg_run(s, "setup",
                       "theta = 1; theta_dot(first_arg, second=2) = first_arg\n"
                       "weights_and_bias = {weights: 1, bias: 2}; wei = weights_and_bias\n",
                       TG_QUIET) == TG_DONE
               ? 0
               : -1;
}

static int teardown(void **state) {
    tg_close(*state);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_texts),
        cmocka_unit_test(tokens_of_anything),
        cmocka_unit_test(brackets_deeper_than_are_known),
        cmocka_unit_test(signs_are_of_the_language),
        cmocka_unit_test_setup_teardown(what_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(what_could_stand_there, setup, teardown),
        cmocka_unit_test_setup_teardown(candidates_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(candidates_without_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
