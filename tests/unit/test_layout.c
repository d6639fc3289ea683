/* The layout of programs: what becomes of blanks, brackets, comments and lines; that a second time
 * changes nothing; that the programs of this repository are laid out so; and, with the blanks of
 * all of them and of all transcripts drawn at random, that what they mean stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "grammar/layout.h"
#include "grammar/parse.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tg_ctx ctx;

static bool lay_out(const char *text, size_t len, tg_str *out) {
    tg_source *src = tg_source_new("<test>", text, len);
    assert_non_null(src);
    bool ok = tg_layout_program(&ctx, src, out);
    tg_source_drop(src);
    return ok;
}

/* Layouts are compared after the tree has been: tg_layout_program does that. */
static void assert_stable(const char *text, size_t len) {
    tg_str once = {0}, twice = {0};
    if (!lay_out(text, len, &once)) fail_msg("%s\nin: %.*s", ctx.diag.msg, (int)len, text);
    if (!lay_out(tg_str_text(&once), once.len, &twice))
        fail_msg("%s\nin: %s", ctx.diag.msg, tg_str_text(&once));
    assert_string_equal(tg_str_text(&twice), tg_str_text(&once));
    tg_str_free(&once);
    tg_str_free(&twice);
}

static void assert_layout(const char *text, const char *expected) {
    tg_str out = {0};
    if (!lay_out(text, strlen(text), &out)) fail_msg("%s in %s", ctx.diag.msg, text);
    assert_string_equal(tg_str_text(&out), expected);
    tg_str_free(&out);
    assert_stable(text, strlen(text));
}

/* ---- cases ---- */

static void blanks_follow_from_the_tokens(void **state) {
    (void)state;
    assert_layout("", "");
    assert_layout("a=1;b =  2 ;", "a = 1; b = 2;\n");
    assert_layout("f( x,y = 2 )=x ^ 2+ y/ 3", "f(x, y=2) = x^2 + y / 3\n");
    assert_layout("- x- -x^ - 2", "-x - -x^-2\n");
    assert_layout("2*x+1;2 *x+1;2* x+1", "2*x + 1; 2 * x + 1; 2 * x + 1\n");
    assert_layout("x ( 1 ) [ 2 ,: ] .y'", "x(1)[2, :].y'\n");
    assert_layout("M[ 1 : -1,: :2,... ] := 0", "M[1:-1, ::2, ...] := 0\n");
    assert_layout("r={a:1 ,b : ( 2, ) };{}", "r = {a: 1, b: (2,)}; {}\n");
    assert_layout("g=(x,y=1)->{x;y}", "g = (x, y=1) -> { x; y }\n");
    assert_layout("if not(a<b)and-a>0{-1}else{[ ]}",
                  "if not (a < b) and -a > 0 { -1 } else { [] }\n");
    assert_layout("for i,j in 0 .. n-1{break}", "for i, j in 0..n - 1 { break }\n");
    assert_layout("for X,Y:=batches(a,b){x+=1}", "for X, Y := batches(a, b) { x += 1 }\n");
    assert_layout("input X[N ,?],y", "input X[N, ?], y\n");
    assert_layout("assume -a<0;assume (a)>0\nassume[0]",
                  "assume -a < 0; assume (a) > 0\nassume[0]\n");
    assert_layout("rule f( x )unchecked=g", "rule f(x) unchecked = g\n");
    assert_layout("z=a@b where a=1,b = 2", "z = a@b where a = 1, b = 2\n");
    assert_layout("? sum\n?? sum\n?->\n?if\n?\na", "?sum\n??sum\n?->\n?if\n?\na\n");
    assert_layout("x ²+a · b' ≤ ∞", "x² + a · b' ≤ ∞\n");
}

static void tokens_stay_apart(void **state) {
    (void)state;
    assert_layout("0 .. .5", "0.. .5\n");
    assert_layout("1. .. 2", "1. ..2\n");
    assert_layout("- - x + + y", "- -x + +y\n");
    assert_layout("2 .^ x", "2 .^x\n");
}

static void strings_are_left_alone(void **state) {
    (void)state;
    assert_layout("print( \"a {b :03d} {f( 1,{c:2},\"{x}\" )} }} {{ \\\" #\" )#c",
                  "print(\"a {b :03d} {f( 1,{c:2},\"{x}\" )} }} {{ \\\" #\")  #c\n");
    assert_layout("x=\"two\n   lines {y:#x}\"   # c\r\n", "x = \"two\n   lines {y:#x}\"   # c\n");
}

static void lines_are_indented_by_brackets(void **state) {
    (void)state;
    assert_layout("while a{\nif b {\nc\n} else {\nd }\n}\ne",
                  "while a {\n  if b {\n    c\n  } else {\n"
                  "    d }\n}\ne\n");
    assert_layout("A=[[1,2],\n[3,4]]", "A = [[1, 2],\n     [3, 4]]\n");
    assert_layout("A=[\n[1,2],\n[3,4]\n]", "A = [\n  [1, 2],\n  [3, 4]\n]\n");
    assert_layout("f(g(x->{\ny\n}),\nz)", "f(g(x -> {\n  y\n}),\n  z)\n");
    assert_layout("f = (x) -> {\n\n  x\n\n}\n", "f = (x) -> {\n  x\n}\n");
    assert_layout("r={a:1,\nb:2}", "r = {a: 1,\n     b: 2}\n");
}

static void a_statement_that_goes_on_is_indented(void **state) {
    (void)state;
    assert_layout("a=b+\nc\nd", "a = b +\n  c\nd\n");
    assert_layout("a=b+ # why\n# because\nc", "a = b +  # why\n  # because\n  c\n");
    assert_layout("y = R\nwhere R=1,\nS=2\nwhere(a,b,c)",
                  "y = R\n  where R = 1,\n  S = 2\nwhere(a, b, c)\n");
    assert_layout("if a\n{ b }\nelse\n{ c }", "if a\n{ b }\nelse\n{ c }\n");
    assert_layout("a\n-b", "a\n-b\n");
}

static void comments_are_kept(void **state) {
    (void)state;
    assert_layout("#!/usr/bin/env tg\n#a\n\n\n\n# b  \nx", "#!/usr/bin/env tg\n#a\n\n# b\nx\n");
    assert_layout("a=1 # one\nbcd=2 #two", "a = 1  # one\nbcd = 2  #two\n");
    assert_layout("a=1  # one\nbcd=2# two\n# three", "a = 1    # one\nbcd = 2  # two\n# three\n");
    assert_layout("ab=1    # one\nc=2     # two\n        # and more\n",
                  "ab = 1  # one\nc = 2   # two\n        # and more\n");
    assert_layout(
        "ab=1234 # one\nc=2     # two\n        # and more\nd       # three\n",
        "ab = 1234  # one\nc = 2      # two\n           # and more\nd          # three\n");
    assert_layout("a  # one\n\nbbbb=12 # two\n", "a  # one\n\nbbbb = 12  # two\n");
    assert_layout("while a {# why\n# how\nb\n# end\n}",
                  "while a {  # why\n  # how\n  b\n  # end\n}\n");
    assert_layout("äöü=1\t# tab\n", "äöü = 1  # tab\n");
    assert_layout("\xEF\xBB\xBFx\n# end", "x\n# end\n");
}

static void what_is_no_program_is_refused(void **state) {
    (void)state;
    tg_str out = {0};
    assert_false(lay_out("f(1", 3, &out));
    assert_int_equal(ctx.diag.kind, TG_ERR_SYNTAX);
    assert_int_equal(out.len, 0);
    assert_false(lay_out("a = = b", 7, &out));
    assert_int_equal(out.len, 0);
    tg_str_free(&out);
}

static void no_memory_is_an_error(void **state) {
    (void)state;
    static const char text[] = "f(x) = { # c\n\"{x:3}\" + [1,\n2] }";
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        size_t before = tg_alloc_get_stats().live_blocks;
        tg_str out = {0};
        tg_source *src = tg_source_new("<test>", text, sizeof text - 1);
        tg_alloc_fail_at(n);
        done = tg_layout_program(&ctx, src, &out);
        tg_alloc_fail_at(0);
        if (!done) assert_int_equal(ctx.diag.kind, TG_ERR_MEMORY);
        tg_source_drop(src);
        tg_str_free(&out);
        assert_true(tg_alloc_get_stats().live_blocks <= before + 2); /* interned names stay */
        assert_true(n < 1000);
    }
}

static void long_programs_take_little_time(void **state) {
    (void)state;
    tg_str sum = {0}, calls = {0};
    tg_str_add(&sum, "x");
    for (int i = 0; i < 100000; i++) tg_str_add(&sum, " + (x)");
    assert_stable(tg_str_text(&sum), sum.len);
    for (int i = 0; i < 3000; i++) tg_str_add(&calls, "f(x, [1,\n");
    for (int i = 0; i < 3000; i++) tg_str_add(&calls, "])");
    tg_str out = {0};
    lay_out(tg_str_text(&calls), calls.len, &out); /* or too deep: no crash */
    tg_str_free(&out);
    tg_str_free(&sum);
    tg_str_free(&calls);
}

/* ---- all programs and transcripts ---- */

static uint64_t randomness = 1;

static size_t draw(size_t n) {
    randomness = randomness * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(randomness >> 33) % n;
}

/* The text with other blanks: where there were some, others; where there were none, perhaps some.
 * It need not be a program any more: `x '` is none. */
static void shake(const tg_source *src, tg_str *out) {
    tg_layout_item *items;
    size_t n;
    assert_true(tg_layout_items(&ctx, src, &items, &n));
    for (size_t i = 0; i < n; i++) {
        if (items[i].breaks) tg_str_repeat(out, '\n', items[i].breaks + (draw(4) == 0));
        if (items[i].breaks || items[i].blank || draw(8) == 0)
            for (size_t k = draw(4) + !items[i].breaks; k > 0; k--)
                tg_str_addc(out, draw(8) ? ' ' : '\t');
        tg_str_addn(out, src->text + items[i].lo, items[i].hi - items[i].lo);
        bool tail = i + 1 == n || items[i + 1].breaks;
        if (tail && items[i].kind != TG_TOK_COMMENT && draw(16) == 0) tg_str_add(out, "# shaken");
        if (tail && draw(8) == 0) tg_str_addc(out, '\r');
    }
    tg_free(items);
}

/* How many of so many shakings were programs, of the same meaning. */
static size_t assert_shaken(const char *text, size_t len, int times) {
    tg_unit *unit, *other;
    size_t programs = 0;
    tg_source *src = tg_source_new("<test>", text, len);
    if (tg_parse(&ctx, src, &unit) == TG_PARSE_OK) {
        for (int i = 0; i < times; i++) {
            tg_str shaken = {0};
            shake(src, &shaken);
            tg_source *now = tg_source_new("<test>", tg_str_text(&shaken), shaken.len);
            if (tg_parse(&ctx, now, &other) == TG_PARSE_OK) {
                bool same;
                assert_true(tg_unit_same(&ctx, unit, other, &same));
                programs += same;
                tg_unit_drop(other);
                assert_stable(tg_str_text(&shaken), shaken.len);
            }
            tg_source_drop(now);
            tg_str_free(&shaken);
        }
        tg_unit_drop(unit);
    }
    tg_source_drop(src);
    return programs;
}

static void each_file(const char *pattern,
                      void (*visit)(const char *path, char *text, size_t len)) {
    char path[1024];
    glob_t found;
    snprintf(path, sizeof path, "%s/%s", TG_SOURCE_DIR, pattern);
    assert_int_equal(glob(path, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t len;
        char *text = tg_file_read(&ctx, found.gl_pathv[i], &len);
        assert_non_null(text);
        visit(found.gl_pathv[i], text, len);
        tg_free(text);
    }
    globfree(&found);
}

static size_t shaken_programs;

static void visit_program(const char *path, char *text, size_t len) {
    tg_str out = {0};
    if (!lay_out(text, len, &out)) fail_msg("%s: %s", path, ctx.diag.msg);
    if (strcmp(text, tg_str_text(&out)) != 0) fail_msg("%s: tg fmt would change it", path);
    tg_str_free(&out);
    shaken_programs += assert_shaken(text, len, 5);
}

static void programs_are_laid_out(void **state) {
    (void)state;
    static const char *const patterns[] = {"stdlib/*.tg", "examples/*/*.tg", "bench/tg/*.tg"};
    shaken_programs = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        each_file(patterns[i], visit_program);
    assert_true(shaken_programs > 50);
}

/* What was typed at the prompts of a document. */
static void visit_transcript(const char *path, char *text, size_t len) {
    (void)path;
    (void)len;
    tg_str code = {0};
    for (char *line = text, *next; line; line = next) {
        if ((next = strchr(line, '\n'))) *next++ = 0;
        bool goes_on = strncmp(line, "...> ", 5) == 0;
        if (code.len && !goes_on) {
            tg_unit *unit;
            tg_source *src = tg_source_new("<test>", code.text, code.len);
            bool program = tg_parse(&ctx, src, &unit) == TG_PARSE_OK;
            if (program) assert_stable(code.text, code.len);
            if (program) shaken_programs += assert_shaken(code.text, code.len, 1);
            if (program) tg_unit_drop(unit);
            tg_source_drop(src);
            code.len = 0;
        }
        if (strncmp(line, "tg> ", 4) != 0 && !goes_on) continue;
        if (code.len) tg_str_addc(&code, '\n');
        tg_str_add(&code, line + (goes_on ? 5 : 4));
    }
    tg_str_free(&code);
}

static void transcripts_keep_their_meaning(void **state) {
    (void)state;
    static const char *const patterns[] = {"README.md", "docs/*.md", "tests/lang/*.tgt",
                                           "tests/errors/*.tgt", "examples/*/*.tgt"};
    shaken_programs = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        each_file(patterns[i], visit_transcript);
    assert_true(shaken_programs > 2000);
}

static int setup(void **state) {
    (void)state;
    if (!tg_ctx_init(&ctx)) return -1;
    tg_guard_enter(&ctx);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    tg_ctx_free(&ctx);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_follow_from_the_tokens),
        cmocka_unit_test(tokens_stay_apart),
        cmocka_unit_test(strings_are_left_alone),
        cmocka_unit_test(lines_are_indented_by_brackets),
        cmocka_unit_test(a_statement_that_goes_on_is_indented),
        cmocka_unit_test(comments_are_kept),
        cmocka_unit_test(what_is_no_program_is_refused),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(long_programs_take_little_time),
        cmocka_unit_test(programs_are_laid_out),
        cmocka_unit_test(transcripts_keep_their_meaning),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
