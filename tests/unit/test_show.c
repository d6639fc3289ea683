/* Numbers, formats, tensors and error reports as text: the widths and roundings that a transcript
 * would show but not explain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "interp/format.h"
#include "interp/interp.h"

#include <math.h>
#include <string.h>

static tg_interp in;

static int setup(void **state) {
    (void)state;
    return tg_ctx_init(&in.rt.c) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    tg_ctx_free(&in.rt.c);
    return 0;
}

static void expect(tg_str *got, const char *want) {
    assert_string_equal(tg_str_text(got), want);
    tg_str_free(got);
}

static void expect_number(double x, tg_style style, const char *want) {
    tg_str s = {0};
    tg_format_number(&s, x, style);
    expect(&s, want);
}

static void short_numbers_have_five_digits(void **state) {
    (void)state;
    static const struct {
        double x;
        const char *want;
    } cases[] = {
        {3.63718971, "3.6372"},
        {1.97262e-7, "1.9726e-07"},
        {1.0 / 3, "0.33333"},
        {0.5, "0.5"},
        {10, "10"},
        {1e6, "1000000"},
        {1e20, "1e+20"},
        {123456789012345, "123456789012345"},
        {-2, "-2"},
        {-0.0, "0"},
        {0.1 + 0.2, "0.3"},
        {1.9999999, "2.0000"},
        {12345.678, "12345.7"},
        {99999.97, "1e+05"},
        {123456.789, "1.2346e+05"},
        {-9999.96, "-10000.0"},
        {1e-300, "1e-300"},
        {NAN, "nan"},
        {-INFINITY, "-inf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_number(cases[i].x, TG_STYLE_SHORT, cases[i].want);
}

static void full_numbers_have_twelve_digits(void **state) {
    (void)state;
    expect_number(1.0 / 3, TG_STYLE_FULL, "0.333333333333");
    expect_number(0.1 + 0.2, TG_STYLE_FULL, "0.3");
    expect_number(0.1, TG_STYLE_FULL, "0.1");
    expect_number(1e100, TG_STYLE_FULL, "1e+100");
    expect_number(0.99999999999999989, TG_STYLE_FULL, "0.9999999999999999");
    expect_number((double)0.1f, TG_STYLE_SINGLE, "0.1");
    expect_number((double)16777.217f, TG_STYLE_SINGLE, "16777.217");
}

static void expect_spec(const char *spec, double x, const char *want) {
    tg_spec parsed;
    tg_str s = {0};
    assert_true(tg_spec_parse(&in.rt.c, spec, &parsed));
    assert_true(tg_spec_number(&in.rt.c, &parsed, x, TG_STYLE_FULL, &s));
    expect(&s, want);
}

/* The results are those of Python 3, but for nan and inf, which are not padded with zeros. */
static void formats_are_as_in_python(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        double x;
        const char *want;
    } cases[] = {
        {".3f", 3.14159, "3.142"},
        {"04d", 7, "0007"},
        {"04d", -7, "-007"},
        {"8.3e", 12345.678, "1.235e+04"},
        {"12.3e", 12345.678, "   1.235e+04"},
        {",", 1234567, "1,234,567"},
        {",d", -123, "-123"},
        {",.2f", 1234567.891, "1,234,567.89"},
        {".1%", 0.1234, "12.3%"},
        {"%", 0.5, "50.000000%"},
        {"+.1f", 2, "+2.0"},
        {" .1f", 2, " 2.0"},
        {"-.1f", 2, "2.0"},
        {"<6d", 42, "42    "},
        {"^6d", 42, "  42  "},
        {">6d", 42, "    42"},
        {"*^7d", 42, "**42***"},
        {"=+6d", 42, "+   42"},
        {"06.1f", -2.25, "-002.2"},
        {"g", 0.0001, "0.0001"},
        {".3g", 1234567, "1.23e+06"},
        {"6", 2, "     2"},
        {".3", 2.0 / 3, "0.667"},
        {"05", 1.5, "001.5"},
        {"", 0.1, "0.1"},
        {"_>5d", 3, "____3"},
        {"05.1f", INFINITY, "  inf"},
        {"6.1f", NAN, "   nan"},
        {"\xCF\x80>4d", 1,
         "\xCF\x80\xCF\x80\xCF\x80"
         "1"},
        {".0f", -0.4, "-0"},
        {"6", -2, "    -2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_spec(cases[i].spec, cases[i].x, cases[i].want);
}

static void formats_of_text(void **state) {
    (void)state;
    static const struct {
        const char *spec, *text, *want;
    } cases[] = {
        {">5", "ab", "   ab"},
        {"5", "ab", "ab   "},
        {"^6s", "ab", "  ab  "},
        {".1", "ab", "a"},
        {">4", "\xE4\xBD\xA0", "  \xE4\xBD\xA0"},
        {"2", "abc", "abc"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_spec parsed;
        tg_str s = {0};
        assert_true(tg_spec_parse(&in.rt.c, cases[i].spec, &parsed));
        assert_true(tg_spec_text(&in.rt.c, &parsed, cases[i].text, strlen(cases[i].text), &s));
        expect(&s, cases[i].want);
    }
}

static void bad_formats_are_errors(void **state) {
    (void)state;
    static const char *const bad[] = {"q",     ".",  ".x", "5q", "99999999999",
                                      ".101f", "d5", ">",  "{",  "5.f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tg_spec parsed;
        bool ok = tg_spec_parse(&in.rt.c, bad[i], &parsed);
        if (strcmp(bad[i], ">") == 0)
            assert_true(ok); /* an alignment without a width: nothing to do */
        else
            assert_false(ok);
    }
    tg_spec whole;
    tg_str s = {0};
    assert_true(tg_spec_parse(&in.rt.c, "d", &whole));
    assert_false(tg_spec_number(&in.rt.c, &whole, 2.5, TG_STYLE_FULL, &s));
    assert_false(tg_spec_text(&in.rt.c, &whole, "a", 1, &s));
    assert_int_equal(s.len, 0);
}

static void expect_tensor(tg_dtype type, int rank, const int64_t *dim, double (*at)(int64_t),
                          const tg_layout *layout, const char *want) {
    tg_str s = {0};
    tg_tensor *t = tg_tensor_new(&in.rt.c, type, rank, dim);
    assert_non_null(t);
    for (int64_t i = 0; i < tg_view_count(&t->v); i++) tg_view_set(&t->v, i, at(i));
    assert_true(tg_format_tensor(&in.rt, t, layout, &s));
    tg_tensor_drop(t);
    expect(&s, want);
}

static double counting(int64_t i) {
    return (double)i + 1;
}
static double quarters(int64_t i) {
    return (double)i / 4;
}
static double none(int64_t i) {
    return (double)(i * 0);
}
static double ends(int64_t i) {
    return i == 0 ? NAN : i == 1 ? 0.25 : -1;
}
static double odd(int64_t i) {
    return (double)(i % 2);
}

static void tensors(void **state) {
    (void)state;
    const tg_layout plain = {.style = TG_STYLE_SHORT},
                    named = {.style = TG_STYLE_SHORT, .indent = 4},
                    inlined = {.style = TG_STYLE_SHORT, .inlined = true};
    expect_tensor(TG_F64, 1, (int64_t[]){3}, counting, &plain, "[1, 2, 3]");
    expect_tensor(TG_F64, 1, (int64_t[]){0}, counting, &plain, "[]");
    expect_tensor(TG_F64, 2, (int64_t[]){0, 3}, counting, &plain, "zeros(0, 3)");
    expect_tensor(TG_F64, 2, (int64_t[]){2, 2}, counting, &plain, "[[1, 2],\n [3, 4]]");
    expect_tensor(TG_F64, 2, (int64_t[]){2, 2}, counting, &named, "[[1, 2],\n     [3, 4]]");
    expect_tensor(TG_F64, 2, (int64_t[]){2, 2}, counting, &inlined, "[[1, 2], [3, 4]]");
    expect_tensor(TG_F32, 2, (int64_t[]){2, 2}, quarters, &plain, "[[0.0, 0.25],\n [0.5, 0.75]]");
    expect_tensor(TG_F64, 2, (int64_t[]){5, 2}, counting, &plain,
                  "[[1,  2],\n [3,  4],\n [5,  6],\n [7,  8],\n [9, 10]]");
    expect_tensor(TG_F64, 3, (int64_t[]){2, 2, 1}, counting, &plain,
                  "[[[1],\n  [2]],\n [[3],\n  [4]]]");
    expect_tensor(TG_BOOL, 1, (int64_t[]){3}, odd, &plain, "[false, true, false]");
    expect_tensor(TG_F64, 2, (int64_t[]){784, 10}, none, &plain, "zeros(784, 10)");
    expect_tensor(TG_U8, 2, (int64_t[]){784, 10}, none, &inlined, "[784, 10] byte, all 0");
    expect_tensor(TG_F64, 1, (int64_t[]){300}, ends, &plain,
                  "[300] double, min -1, mean -0.99582, max 0.25, std 0.072168, 1 nan\n"
                  "[nan, 0.25, -1, ..., -1, -1]");
    expect_tensor(
        TG_F32, 2, (int64_t[]){100, 3}, counting, &plain,
        "[100, 3] single, min 1, mean 150.5, max 300, std 86.602\n"
        "[[  1,   2,   3],\n [  4,   5,   6],\n [  7,   8,   9],\n ...\n [295, 296, 297],\n "
        "[298, 299, 300]]");
    expect_tensor(TG_BOOL, 3, (int64_t[]){10, 10, 10}, odd, &plain,
                  "[10, 10, 10] bool, 500 of 1000 true\n"
                  "[0, :, :] = [[false, true, false, ..., false, true],\n"
                  "             [false, true, false, ..., false, true],\n"
                  "             [false, true, false, ..., false, true],\n"
                  "             ...\n"
                  "             [false, true, false, ..., false, true],\n"
                  "             [false, true, false, ..., false, true]]\n"
                  "...\n"
                  "[9, :, :] = [[false, true, false, ..., false, true],\n"
                  "             [false, true, false, ..., false, true],\n"
                  "             [false, true, false, ..., false, true],\n"
                  "             ...\n"
                  "             [false, true, false, ..., false, true],\n"
                  "             [false, true, false, ..., false, true]]");
}

/* ---- reports ---- */

static void report(const char *name, const char *text, tg_span at, tg_span left, tg_span right,
                   const char *want) {
    tg_str s = {0};
    tg_source *src = tg_source_new(name, text, strlen(text));
    assert_non_null(src);
    tg_fail(&in.rt.c, TG_ERR_SHAPE, "no");
    tg_note(&in.rt.c, "X : [2]");
    tg_help(&in.rt.c, "do");
    in.rt.c.diag.at = at;
    in.rt.c.diag.at.src = src;
    if (left.hi) in.rt.c.diag.with[0] = (tg_span){src, left.lo, left.hi};
    if (right.hi) in.rt.c.diag.with[1] = (tg_span){src, right.lo, right.hi};
    assert_true(tg_report(&in, &s));
    expect(&s, want);
    tg_source_drop(src);
    tg_clear(&in.rt.c);
}

#define NOWHERE ((tg_span){0})

static void reports_show_the_line_with_carets(void **state) {
    (void)state;
    report("a.tg", "x = 1\ny = X @ W'\n", (tg_span){NULL, 12, 13}, (tg_span){NULL, 10, 11},
           (tg_span){NULL, 14, 16},
           "a.tg:2:7: error: no\n  2 | y = X @ W'\n    |     ~~^~~~\n    |   X : [2]\n  help: do");
    report("<prompt>", "X @ W", (tg_span){NULL, 2, 3}, NOWHERE, NOWHERE,
           "error: no\n  | X @ W\n  |   ^\n  |   X : [2]\n  help: do");
    report("<prompt>", "(1 +\n2", (tg_span){NULL, 0, 1}, NOWHERE, NOWHERE,
           "error: no\n  1 | (1 +\n    | ^\n    |   X : [2]\n  help: do");
    report("a.tg", "f(\n\t\xE4\xBD\xA0 + b)", (tg_span){NULL, 8, 9}, (tg_span){NULL, 4, 7}, NOWHERE,
           "a.tg:2:4: error: no\n  2 |     \xE4\xBD\xA0 + b)\n    |     ~~~^\n    |   X : [2]\n  "
           "help: do");
    report("a.tg", "1 +", (tg_span){NULL, 3, 3}, NOWHERE, NOWHERE,
           "a.tg:1:4: error: no\n  1 | 1 +\n    |    ^\n    |   X : [2]\n  help: do");
    report("a.tg", "a\x1B[2Jb\xFF", (tg_span){NULL, 5, 6}, NOWHERE, NOWHERE,
           "a.tg:1:6: error: no\n  1 | a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD\n    |      ^\n    |   X : "
           "[2]\n  help: do");
}

static void reports_cut_long_lines(void **state) {
    (void)state;
    char text[401];
    tg_str s = {0};
    memset(text, 'a', 400);
    text[400] = 0;
    text[200] = '@';
    tg_source *src = tg_source_new("a.tg", text, 400);
    tg_fail(&in.rt.c, TG_ERR_NAME, "no");
    in.rt.c.diag.at = (tg_span){src, 200, 201};
    assert_true(tg_report(&in, &s));
    const char *line = strchr(tg_str_text(&s), '\n') + 1, *caret = strchr(line, '\n') + 1;
    assert_true(caret - line < 120);
    assert_int_equal(strchr(line, '@') - line, strchr(caret, '^') - caret);
    assert_non_null(strstr(line, "  1 | ...aaa"));
    assert_non_null(strstr(line, "aaa...\n"));
    tg_str_free(&s);
    tg_source_drop(src);
    tg_clear(&in.rt.c);
}

static void reports_tell_the_calls(void **state) {
    (void)state;
    tg_str s = {0};
    tg_source *src = tg_source_new("a.tg", "f(x)\ng(1)", 9);
    tg_fail(&in.rt.c, TG_ERR_USER, "bad luck");
    tg_diag *d = &in.rt.c.diag;
    d->ntrace = 2;
    d->nframes = 5;
    d->trace[0] = (tg_span){src, 0, 4};
    d->trace_name[0] = "f";
    d->trace[1] = (tg_span){src, 5, 9};
    d->trace_name[1] = NULL;
    assert_true(tg_report(&in, &s));
    expect(&s, "error: bad luck\n  in f, called at a.tg:1:1\n  in a function, called at a.tg:2:1\n "
               " ... and 3 more calls");
    tg_source_drop(src);
    tg_clear(&in.rt.c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_numbers_have_five_digits),
        cmocka_unit_test(full_numbers_have_twelve_digits),
        cmocka_unit_test(formats_are_as_in_python),
        cmocka_unit_test(formats_of_text),
        cmocka_unit_test(bad_formats_are_errors),
        cmocka_unit_test(tensors),
        cmocka_unit_test(reports_show_the_line_with_carets),
        cmocka_unit_test(reports_cut_long_lines),
        cmocka_unit_test(reports_tell_the_calls),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
