/* The parser: trees, spans, the three ways to end, the wording of errors, and that no text, no lack
 * of memory and no depth of nesting brings it down. */
#include "base/alloc.h"
#include "base/str.h"
#include "grammar/advice.h"
#include "grammar/parse.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tg_ctx ctx;

static tg_parse_status parse_n(const char *text, size_t len, tg_unit **unit) {
    tg_source *src = tg_source_new("<test>", text, len);
    assert_non_null(src);
    tg_parse_status status = tg_parse(&ctx, src, unit);
    tg_source_drop(src);
    return status;
}

static tg_parse_status status_of(const char *text, size_t len) {
    tg_unit *unit;
    tg_parse_status status = parse_n(text, len, &unit);
    assert_true((status == TG_PARSE_OK) == (unit != NULL));
    assert_true((status == TG_PARSE_OK) == (ctx.diag.kind == TG_ERR_NONE));
    tg_unit_drop(unit);
    return status;
}

/* ---- trees as text ---- */

static void dump(tg_str *s, const tg_ast *x);

static void dump_kids(tg_str *s, const tg_ast *x, int from) {
    for (int i = from; i < x->n; i++) {
        tg_str_addc(s, ' ');
        dump(s, x->kids[i]);
    }
    tg_str_addc(s, ')');
}

static void dump_list(tg_str *s, const char *head, const tg_ast *x) {
    tg_str_addf(s, "(%s", head);
    dump_kids(s, x, 0);
}

static void dump_compare(tg_str *s, const tg_ast *x) {
    tg_str_add(s, "(chain ");
    dump(s, x->kids[0]);
    for (int i = 1; i < x->n; i++) {
        tg_str_addf(s, " %s ", x->ops[i - 1]);
        dump(s, x->kids[i]);
    }
    tg_str_addc(s, ')');
}

static void dump_leaf(tg_str *s, const tg_ast *x) {
    switch (x->kind) {
    case TG_AST_NUMBER: tg_str_addf(s, "%.17g", x->number); break;
    case TG_AST_BOOL: tg_str_add(s, x->number != 0 ? "true" : "false"); break;
    case TG_AST_NONE: tg_str_add(s, "none"); break;
    case TG_AST_TEXT: tg_str_addf(s, "'%.*s'", (int)x->len, x->name); break;
    case TG_AST_NAME: tg_str_add(s, x->name); break;
    case TG_AST_REST: tg_str_add(s, "..."); break;
    case TG_AST_BREAK: tg_str_add(s, "break"); break;
    case TG_AST_CONTINUE: tg_str_add(s, "continue"); break;
    case TG_AST_HELP: tg_str_addf(s, "(? %s)", x->name); break;
    case TG_AST_PRECISION: tg_str_addf(s, "(precision %s)", x->name); break;
    case TG_AST_USE:
        tg_str_addf(s, x->flags & TG_AST_QUOTED ? "(use '%s')" : "(use %s)", x->name);
        break;
    default: fail_msg("unknown kind %d", x->kind);
    }
}

static void dump(tg_str *s, const tg_ast *x) {
    static const char *const heads[] = {
        [TG_AST_STRING] = "string", [TG_AST_BRACKET] = "list",  [TG_AST_TUPLE] = "tuple",
        [TG_AST_RECORD] = "record", [TG_AST_RANGE] = "..",      [TG_AST_PRIME] = "'",
        [TG_AST_CALL] = "call",     [TG_AST_INDEX] = "index",   [TG_AST_SLICE] = ":",
        [TG_AST_LAMBDA] = "->",     [TG_AST_BLOCK] = "block",   [TG_AST_DEFINE] = "=",
        [TG_AST_INPUT] = "input",   [TG_AST_ASSUME] = "assume", [TG_AST_WHILE] = "while",
        [TG_AST_REPEAT] = "repeat", [TG_AST_IF] = "if",         [TG_AST_RETURN] = "return",
        [TG_AST_FOR] = "for",       [TG_AST_RETURN + 1] = NULL,
    };
    if (!x) {
        tg_str_addc(s, '_');
        return;
    }
    switch (x->kind) {
    case TG_AST_COMPARE: dump_compare(s, x); return;
    case TG_AST_UNARY:
    case TG_AST_BINARY: dump_list(s, x->op, x); return;
    case TG_AST_HOLE:
        tg_str_addf(s, "(hole%s%s", x->name ? ":" : "", x->name ? x->name : "");
        break;
    case TG_AST_ARG: tg_str_addf(s, "(%s=", x->name); break;
    case TG_AST_FIELD: tg_str_addf(s, "(.%s", x->name); break;
    case TG_AST_STORE: tg_str_addf(s, "(%s=", x->op ? x->op : ":"); break;
    case TG_AST_FUNCTION: tg_str_addf(s, "(def %s", x->name); break;
    case TG_AST_RULE: tg_str_addf(s, x->flags ? "(rule! %s" : "(rule %s", x->name); break;
    case TG_AST_FOR: tg_str_add(s, x->flags & TG_AST_STORES ? "(for:=" : "(for"); break;
    default:
        if (heads[x->kind])
            dump_list(s, heads[x->kind], x);
        else
            dump_leaf(s, x);
        return;
    }
    dump_kids(s, x, 0);
}

static void assert_tree(const char *text, const char *tree) {
    tg_unit *unit;
    if (parse_n(text, strlen(text), &unit) != TG_PARSE_OK)
        fail_msg("%s\ndoes not parse: %s", text, ctx.diag.msg);
    tg_str s = {0};
    for (int i = 0; i < unit->n; i++) {
        if (i) tg_str_addc(&s, '\n');
        dump(&s, unit->statements[i]);
        if (unit->statements[i]->flags & TG_AST_SILENT) tg_str_addc(&s, ';');
    }
    if (strcmp(tg_str_text(&s), tree) != 0)
        fail_msg("%s\ngives  %s\nnot    %s", text, tg_str_text(&s), tree);
    tg_str_free(&s);
    tg_unit_drop(unit);
}

typedef struct pair {
    const char *text, *want;
} pair;

static void assert_trees(const pair *p, size_t n) {
    for (size_t i = 0; i < n; i++) assert_tree(p[i].text, p[i].want);
}

#define ASSERT_TREES(...)                                                                          \
    do {                                                                                           \
        static const pair pairs[] = {__VA_ARGS__};                                                 \
        assert_trees(pairs, sizeof pairs / sizeof *pairs);                                         \
    } while (0)

static void operators_bind_as_documented(void **state) {
    (void)state;
    ASSERT_TREES(
        {"a + b * c", "(+ a (* b c))"}, {"a - b - c", "(- (- a b) c)"},
        {"a / b @ c % d", "(% (@ (/ a b) c) d)"}, {"-x^2", "(- (^ x 2))"}, {"2^-1", "(^ 2 (- 1))"},
        {"2^3^4", "(^ 2 (^ 3 4))"}, {"2^-x^3", "(^ 2 (- (^ x 3)))"}, {"-a * b", "(* (- a) b)"},
        {"a * -b", "(* a (- b))"}, {"--x", "(- (- x))"}, {"+x", "x"}, {"a - +b", "(- a b)"},
        {"x'^2", "(^ (' x) 2)"}, {"-x'", "(- (' x))"}, {"f''(2)", "(call (' (' f)) 2)"},
        {"A' @ B", "(@ (' A) B)"}, {"f(x)[0].a'", "(' (.a (index (call f x) 0)))"},
        {"not a == b", "(not (== a b))"}, {"not a and b or c", "(or (and (not a) b) c)"},
        {"a or b and not c", "(or a (and b (not c)))"}, {"a < b", "(< a b)"},
        {"a < b <= c == d", "(chain a < b <= c == d)"}, {"(a < b) < c", "(< (< a b) c)"},
        {"a < (b < c)", "(< a (< b c))"}, {"1..n + 1", "(.. 1 (+ n 1))"},
        {"1..3 == r", "(== (.. 1 3) r)"}, {"x -> x + 1", "(-> (x= _) (+ x 1))"},
        {"x -> y -> x", "(-> (x= _) (-> (y= _) x))"});
}

static void spellings_of_operators(void **state) {
    (void)state;
    ASSERT_TREES({"a .* b ⊙ c × d", "(* (* (* a b) c) d)"}, {"a ./ b ÷ c", "(/ (/ a b) c)"},
                 {"a .^ b", "(^ a b)"}, {"a ** b", "(^ a b)"}, {"a · b ⋅ c", "(@ (@ a b) c)"},
                 {"a − b", "(- a b)"}, {"−a", "(- a)"}, {"a ≤ b", "(<= a b)"},
                 {"a ≥ b", "(>= a b)"}, {"a ≠ b", "(!= a b)"}, {"Xᵀ @ y′", "(@ (' X) (' y))"},
                 {"x² + x⁻¹³", "(+ (^ x 2) (^ x -13))"}, {"-x²", "(- (^ x 2))"},
                 {"2^x²", "(^ 2 (^ x 2))"}, {"x¹⁰'", "(' (^ x 10))"}, {"π * ∞", "(* pi inf)"},
                 {"x → x", "(-> (x= _) x)"}, {"αβ₂ + 数 + é", "(+ (+ αβ₂ 数) é)"}, {"∂x", "∂x"},
                 {"a\u00a0+\u2009b", "(+ a b)"});
}

static void literals(void **state) {
    (void)state;
    ASSERT_TREES({"1", "1"}, {"0.5", "0.5"}, {".5", "0.5"}, {"1.", "1"}, {"1e-3", "0.001"},
                 {"1.5E+2", "150"}, {"0.1", "0.10000000000000001"},
                 {"123456789012345678901234567890", "1.2345678901234568e+29"}, {"1e-400", "0"},
                 {"4.9e-324", "4.9406564584124654e-324"},
                 {"0.000000000000000000000000000001e30", "1"}, {"1..10", "(.. 1 10)"},
                 {"2.*x", "(* 2 x)"}, {"true", "true"}, {"false", "false"}, {"none", "none"},
                 {"[]", "(list)"}, {"[1, [2], ]", "(list 1 (list 2))"}, {"()", "(tuple)"},
                 {"(a)", "a"}, {"(a,)", "(tuple a)"}, {"(a, b,)", "(tuple a b)"},
                 {"{}", "(record)"}, {"{a: 1, b: {c: 2},}", "(record (a= 1) (b= (record (c= 2))))"},
                 {"{\n a:\n 1\n ,\n b: 2\n}", "(record (a= 1) (b= 2))"});
}

static void strings(void **state) {
    (void)state;
    ASSERT_TREES(
        {"\"\"", "(string)"}, {"\"abc\"", "(string 'abc')"},
        {"\"a\\n\\t\\r\\\"\\\\b\"", "(string 'a\n\t\r\"\\b')"},
        {"\"\\u{3B1}\\u{1F600}\"", "(string 'α😀')"}, {"\"{{x}} {x}\"", "(string '{x} ' (hole x))"},
        {"\"{a + b:.3f}{c}\"", "(string (hole:.3f (+ a b)) (hole c))"},
        {"\"{x:=+5}\"", "(string (hole:=+5 x))"},
        {"\"{ {a: 1}.a }\"", "(string (hole (.a (record (a= 1)))))"},
        {"\"a{\"b{c}\"}d\"", "(string 'a' (hole (string 'b' (hole c))) 'd')"},
        {"\"{x[1:2]:d}\"", "(string (hole:d (index x (: 1 2 _))))"},
        {"\"two\nlines\"", "(string 'two\nlines')"}, {"\"two\r\nlines\"", "(string 'two\nlines')"},
        {"\"{a\n+ b}\"", "(string (hole (+ a b)))"},
        {"\"# no comment\"", "(string '# no comment')"});
    tg_unit *unit;
    assert_int_equal(parse_n("\"a\\u{0}b\"", 9, &unit), TG_PARSE_OK);
    assert_int_equal(unit->statements[0]->kids[0]->len, 3);
    assert_memory_equal(unit->statements[0]->kids[0]->name, "a\0b", 4);
    tg_unit_drop(unit);
}

static void calls_and_indices(void **state) {
    (void)state;
    ASSERT_TREES(
        {"f()", "(call f)"}, {"f(a, k=2)", "(call f a (k= 2))"}, {"f(a,\n b\n)", "(call f a b)"},
        {"f (a)", "(call f a)"}, {"f(x -> x, y)", "(call f (-> (x= _) x) y)"},
        {"x[0]", "(index x 0)"}, {"x[2:5, :, ::2]", "(index x (: 2 5 _) (: _ _ _) (: _ _ 2))"},
        {"x[-1, ..., none]", "(index x (- 1) ... none)"},
        {"x[:n, 1:, 1::2, :3:2, ]", "(index x (: _ n _) (: 1 _ _) (: 1 _ 2) (: _ 3 2))"},
        {"x[a..b]", "(index x (.. a b))"}, {"r.a.b", "(.b (.a r))"},
        {"f(x)(y)", "(call (call f x) y)"}, {"\"a\"[0]", "(index (string 'a') 0)"},
        {"() -> 1", "(-> 1)"}, {"(x, y=2) -> { x }", "(-> (x= _) (y= 2) (block x))"},
        {"x -> {}", "(-> (x= _) (record))"}, {"x -> {a: x}", "(-> (x= _) (record (a= x)))"});
}

static void statements(void **state) {
    (void)state;
    ASSERT_TREES(
        {"a = 1", "(= a 1)"}, {"a, b = e", "(= a b e)"}, {"a, b = b, a", "(= a b b a)"},
        {"a =\n 1", "(= a 1)"}, {"a := 1", "(:= a 1)"},
        {"x[0], r.f := 1, 2", "(:= (index x 0) (.f r) 1 2)"},
        {"x += 1; x -= 2; x *= 3; x /= 4", "(+= x 1);\n(-= x 2);\n(*= x 3);\n(/= x 4)"},
        {"f(x, k=2) = x", "(def f (x= _) (k= 2) x)"}, {"a, b", "(tuple a b)"},
        {"f() = { a = 1; a }", "(def f (block (= a 1) a))"}, {"assume (a) > 1", "(assume (> a 1))"},
        {"input X[N, 784],\n  Y[N, ?], s", "(input (index X N 784) (index Y N ...) s)"},
        {"assume a == 1, b > 0", "(assume (== a 1) (> b 0))"},
        {"rule f(x) unchecked = g", "(rule! f (x= _) g)"}, {"?a", "(? a)"},
        {"precision single", "(precision single)"},
        {"use nn; use \"a b.tg\"", "(use nn);\n(use 'a b.tg')"}, {"input = 3", "(= input 3)"},
        {"input(3)", "(call input 3)"}, {"use", "use"}, {"precision + 1", "(+ precision 1)"},
        {"assume[0]", "(index assume 0)"}, {"for i in 1..3 { i }", "(for i (.. 1 3) (block i))"},
        {"for a, b := e {}", "(for:= a b e (block))"},
        {"while a { break; continue }", "(while a (block break continue))"}, {"return", "(return)"},
        {"repeat 3 { }", "(repeat 3 (block))"}, {"return a, b", "(return (tuple a b))"},
        {"if a { b } else if c { d } else { e }", "(if a (block b) (if c (block d) (block e)))"},
        {"if a { b }\n\n else { c }", "(if a (block b) (block c))"},
        {"y = if a { 1 } else { 2 } + 1", "(= y (+ (if a (block 1) (block 2)) 1))"},
        {"if a\n{ b }", "(if a (block b))"}, {"{ x }", "(block x)"},
        {"{ x := 1 }", "(block (:= x 1))"});
}

static void lines(void **state) {
    (void)state;
    ASSERT_TREES({"", ""}, {"\n\n;;\n", ""}, {"# only a comment", ""},
                 {"#!/usr/bin/env tg\nx", "x"}, {"\xEF\xBB\xBFx", "x"}, {"a\r\nb\r\n", "a\nb"},
                 {"a; b;", "a;\nb;"}, {"a # one\nb # two", "a\nb"}, {"a +\nb", "(+ a b)"},
                 {"a\n-b", "a\n(- b)"}, {"a\n(b)", "a\nb"}, {"f(a\n-b)", "(call f (- a b))"},
                 {"[a\n,b\n]", "(list a b)"}, {"(a +\n{ b\n c }\n+ d)", "(+ (+ a (block b c)) d)"},
                 {"a = # comment\n\n 1", "(= a 1)"}, {"a,\nb = c", "(= a b c)"},
                 {"x ->\n x", "(-> (x= _) x)"}, {"not\na", "(not a)"});
}

/* ---- spans ---- */

static void assert_span(const tg_ast *x, bool of_operator, const char *want) {
    tg_span at = of_operator ? x->op_span : x->span;
    const char *text = at.src->text + at.lo;
    if (strlen(want) != at.hi - at.lo || memcmp(text, want, strlen(want)) != 0)
        fail_msg("the span is <%.*s>, not <%s>", (int)(at.hi - at.lo), text, want);
}

static void spans_cover_the_text(void **state) {
    (void)state;
    const char *text = "y = (a - b) * f(x, k=2)[1:3]' + \"é {r.lr:.1f}\"  # end\nif u < v <= w { z "
                       "} else if q {\n}";
    tg_unit *unit;
    assert_int_equal(parse_n(text, strlen(text), &unit), TG_PARSE_OK);
    const tg_ast *def = unit->statements[0], *sum = def->kids[1], *mul = sum->kids[0],
                 *prime = mul->kids[1];
    const tg_ast *index = prime->kids[0], *call = index->kids[0], *hole = sum->kids[1]->kids[1],
                 *cond = unit->statements[1];
    assert_span(def, false, "y = (a - b) * f(x, k=2)[1:3]' + \"é {r.lr:.1f}\"");
    assert_span(def, true, "=");
    assert_span(sum, true, "+");
    assert_span(mul, false, "(a - b) * f(x, k=2)[1:3]'");
    assert_span(mul->kids[0], false, "(a - b)");
    assert_span(mul->kids[0], true, "-");
    assert_true(mul->kids[0]->flags & TG_AST_PARENS);
    assert_span(prime, false, "f(x, k=2)[1:3]'");
    assert_span(prime, true, "'");
    assert_span(index, true, "[1:3]");
    assert_span(index->kids[1], false, "1:3");
    assert_span(call, false, "f(x, k=2)");
    assert_span(call, true, "(x, k=2)");
    assert_span(call->kids[2], false, "k=2");
    assert_span(sum->kids[1]->kids[0], false, "é ");
    assert_span(hole, false, "{r.lr:.1f}");
    assert_span(hole->kids[0], false, "r.lr");
    assert_span(hole->kids[0], true, "lr");
    assert_span(cond, false, "if u < v <= w { z } else if q {\n}");
    assert_span(cond->kids[0], false, "u < v <= w");
    assert_span(cond->kids[2], false, "if q {\n}");
    tg_unit_drop(tg_unit_hold(unit));
    tg_unit_drop(unit);
}

static void one_expression(void **state) {
    (void)state;
    tg_unit *unit;
    tg_source *src = tg_source_new("rule", "a\n  + b", 7), *two = tg_source_new("rule", "a; b", 4),
              *none = tg_source_new("rule", "a +", 3);
    assert_int_equal(tg_parse_expression(&ctx, src, &unit), TG_PARSE_OK);
    assert_int_equal(unit->n, 1);
    assert_int_equal(unit->statements[0]->kind, TG_AST_BINARY);
    tg_unit_drop(unit);
    assert_int_equal(tg_parse_expression(&ctx, two, &unit), TG_PARSE_ERROR);
    assert_int_equal(tg_parse_expression(&ctx, none, &unit), TG_PARSE_INCOMPLETE);
    tg_source_drop(src);
    tg_source_drop(two);
    tg_source_drop(none);
}

/* ---- errors ---- */

typedef struct wrong {
    const char *text;
    const char *at;   /* the text under the carets */
    const char *msg;  /* a part of the message */
    const char *help; /* a part of the help line; NULL: not looked at */
} wrong;

static void assert_wrong(const wrong *w, tg_parse_status status) {
    tg_parse_status got = status_of(w->text, strlen(w->text));
    const tg_diag *d = &ctx.diag;
    if (got != status) fail_msg("%s\nstatus %d: %s", w->text, got, d->msg);
    const char *under = w->text + d->at.lo;
    if (strlen(w->at) != d->at.hi - d->at.lo || memcmp(under, w->at, strlen(w->at)) != 0)
        fail_msg("%s\nthe carets stand under <%.*s>", w->text, (int)(d->at.hi - d->at.lo), under);
    if (!strstr(d->msg, w->msg)) fail_msg("%s\nsays: %s", w->text, d->msg);
    if (w->help && !strstr(d->help, w->help))
        fail_msg("%s\nsays: %s\nhelp: %s", w->text, d->msg, d->help);
}

static void errors_name_the_fix(void **state) {
    (void)state;
    static const wrong list[] = {
        {"x = (1 + 2\n\nprint(x)", "print",
         "expected \")\" to close the \"(\" opened at line 1, found \"print\"", ""},
        {"[1, 2)", ")", "expected \"]\" to close the \"[\", found \")\"", ""},
        {"f(a b)", "b", "expected \")\"", "a comma separates"},
        {"[1, 2; 3, 4]", ";", "expected \"]\"", "[[1, 2], [3, 4]]"},
        {"x = 1 y = 2", "y", "expected the end of the statement", "a new line or \";\""},
        {"if x = 3 { }", "=", "expected \"{\"", "did you mean \"==\"?"},
        {"(x = 3)", "=", "\"=\" does not compare", "\"==\""},
        {"x ++", "++", "tg has no \"++\"", "x += 1"},
        {"(x--)", "--", "tg has no \"--\"", "x -= 1"},
        {"a && b", "&&", "means nothing", "write and"},
        {"a || b", "||", "means nothing", "write or"},
        {"!a", "!", "means nothing", "not"},
        {"a // b", "//", "means nothing", "#"},
        {"def f(x): x", "f", "expected the end", "f(x) = "},
        {"function f(x)", "f", "expected the end", "f(x) = "},
        {"lambda x: x", "x", "expected the end", "x -> "},
        {"if a { } elif b { }", "elif", "expected the end", "else if"},
        {"print x", "x", "expected the end", "print(x)"},
        {"print('abc')", "'", "expected an expression", "\"abc\""},
        {"while x:", ":", "expected \"{\"", "{ }"},
        {"for i in 1:10 { }", ":", "expected \"{\"", "1..10"},
        {"for i = 1..3 { }", "=", "expected \"in\"", "for i in 1..10"},
        {"repeat { x }", "repeat", "how many times", "while true"},
        {"2x", "2x", "is not a number", "2 * x"},
        {"1_000", "1_000", "is not a number", "1000"},
        {"1e999", "1e999", "too large", "inf"},
        {"x[0] = 1", "x[0]", "\"=\" needs a name", ":="},
        {"a, b = 1, 2, 3", "=", "2 names, but 3 values", ""},
        {"a = 1, 2", "=", "1 name, but 2 values", "(a, b)"},
        {"a == not b", "not", "binds more loosely", "(not ...)"},
        {"1 + x -> x", "->", "stands in brackets", "(x -> ...)"},
        {"f(a=1, b)", "b", "must stand before \"a = ...\"", "comes last"},
        {"f(2) = 1", "2", "a parameter must be a name", "=="},
        {"1..2..3", "..", "a range has two ends", "arange"},
        {"}", "}", "closes nothing", NULL},
        {"else { }", "else", "without an \"if\"", "} else {"},
        {"\"a}\"", "}", "closes nothing", "}}"},
        {"\"{}\"", "{}", "an expression is missing", "{{"},
        {"\"\\q\"", "\\q", "is not an escape", "\\n"},
        {"\"\\u{D800}\"", "\\u{D800}", "there is no character U+D800", NULL},
        {"a € b", "€", "(U+20AC)", NULL},
        {"a \x01", "\x01", "U+0001", NULL},
        {"a \xFF", "\xFF", "0xFF", "UTF-8"},
        {"input X[2.5]", "2.5", "whole number", NULL},
        {"precision half", "half", "single and double", NULL},
        {"a ? b : c", "?", "expected the end", "where(c, a, b)"},
        {"{\"a\": 1}", ":", "expected the end", "{a: 1}"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) assert_wrong(&list[i], TG_PARSE_ERROR);
    assert_int_equal(status_of("a\0b", 3), TG_PARSE_ERROR);
    assert_non_null(strstr(ctx.diag.msg, "NUL"));
    status_of("x = \"abc\ny = 3\nz = \"foo\"", 23);
    assert_non_null(strstr(ctx.diag.notes, "began at line 1"));
    assert_string_equal(tg_advice_on_word("elif"), "write } else if condition {");
    assert_null(tg_advice_on_word("softmax"));
    assert_null(tg_advice_on_word(""));
}

static void incomplete_says_what_was_opened(void **state) {
    (void)state;
    static const wrong list[] = {
        {"f(1, 2", "(", "this \"(\" was never closed", NULL},
        {"a\n[1, (2)", "[", "this \"[\" was never closed", NULL},
        {"for i in e {\n x\n", "{", "this \"{\" was never closed", NULL},
        {"{a: 1,", "{", "this \"{\" was never closed", NULL},
        {"x = \"abc", "\"", "this string was never closed", "\\\""},
        {"\"\\", "\"", "this string", NULL},
        {"\"\\u{3B", "\"", "this string", NULL},
        {"\"{x", "{", "this \"{\" was never closed", NULL},
        {"\"{x:.3", "{", "this \"{\" was never closed", NULL},
        {"1 +", "+", "expected an expression after \"+\"", NULL},
        {"x = # later\n", "=", "expected an expression after \"=\"", NULL},
        {"a, ", ",", "expected an expression", NULL},
        {"x ->", "->", "expected an expression", NULL},
        {"f(x) =\n", "=", "expected an expression", NULL},
        {"if a", "a", "expected \"{\"", NULL},
        {"if a { } else", "else", "expected \"{\"", NULL},
        {"for i", "i", "expected \"in\"", NULL},
        {"while", "while", "expected an expression", NULL},
        {"input X,", ",", "the name of an input", NULL},
        {"r.", ".", "the name of a field", NULL},
        {"not", "not", "expected an expression", NULL},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        assert_wrong(&list[i], TG_PARSE_INCOMPLETE);
}

/* ---- hard times ---- */

static const char program[] =
    "#!/usr/bin/env tg\nprecision single\ninput X[N, 784], Y[N, 10],\n  s\nW = var(zeros(784, "
    "10)); b = var(zeros(10));\n"
    "P = softmax(X @ W + b)\ncost = mean(-sum(Y * log(P), axis=1))\nassume sum(Y, axis=1) == "
    "1\nuse \"a.tg\"\ngW, gb = grad(cost, [W, b])\n"
    "f(x, k=2) = { a = x² + π; a^-k }\ng = (x, y=1) -> x' @ {a: y}.a\nfor epoch in 1..10 {\n  "
    "total = 0\n"
    "  for X, Y := batches(data.train, 100) {\n    c, W, b := cost, W - 0.01 * gW, b - 0.01 * gb\n "
    "   total += c / 550\n  }\n"
    "  if a < b <= c and not d {\n    break\n  } else if x[2:5, :, ::2, ...] { continue }\n  else "
    "{ return (a, b) }\n"
    "  print(\"Epoch {epoch:04d} \\u{3B1}\\n cost={total:.9f} {{x}} {f(\"in {y}\")}\")\n}\nrepeat "
    "3 { while true { x[0].r *= 2 } }\n";

static void any_prefix_ends_well(void **state) {
    (void)state;
    size_t len = sizeof program - 1;
    assert_int_equal(status_of(program, len), TG_PARSE_OK);
    for (size_t n = 0; n < len; n++) {
        tg_parse_status status = status_of(program, n);
        /* what follows a whole line is another: so far all is right */
        if (program[n] == '\n' && status == TG_PARSE_ERROR)
            fail_msg("cut to %zu bytes: %s\n%.*s", n, ctx.diag.msg, (int)n, program);
    }
}

static void any_byte_may_be_wrong(void **state) {
    (void)state;
    static const char bytes[] = "\0\"{}()[]'\\\n;=:.,#\xFF\xC2 9x";
    char text[sizeof program];
    memcpy(text, program, sizeof program);
    for (size_t i = 0; i + 1 < sizeof program; i++) {
        for (size_t b = 0; b + 1 < sizeof bytes; b++) {
            text[i] = bytes[b];
            status_of(text, sizeof program - 1);
        }
        text[i] = program[i];
    }
}

static void no_memory_is_an_error(void **state) {
    (void)state;
    tg_source *src = tg_source_new("<test>", program, sizeof program - 1);
    assert_non_null(src);
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        tg_ctx c;
        size_t before = tg_alloc_get_stats().live_blocks;
        assert_true(tg_ctx_init(&c));
        tg_unit *unit;
        tg_alloc_fail_at(n);
        tg_parse_status status = tg_parse(&c, src, &unit);
        done = status == TG_PARSE_OK;
        tg_alloc_fail_at(0);
        if (!done) assert_int_equal(c.diag.kind, TG_ERR_MEMORY);
        if (!done) assert_int_equal(tg_parse(&c, src, &unit), TG_PARSE_OK); /* and it goes on */
        tg_unit_drop(unit);
        tg_ctx_free(&c);
        assert_int_equal(tg_alloc_get_stats().live_blocks, before);
        assert_true(n < 1000);
    }
    tg_source_drop(src);
}

/* The status of `head`, `n` times `part`, then `tail`. */
static tg_parse_status repeated(const char *head, const char *part, size_t n, const char *tail) {
    tg_str s = {0};
    tg_str_add(&s, head);
    for (size_t i = 0; i < n; i++) tg_str_add(&s, part);
    tg_str_add(&s, tail);
    assert_false(s.failed);
    tg_parse_status status = status_of(s.text, s.len);
    tg_str_free(&s);
    return status;
}

enum { MILLION = 1000000, THREAD_STACK = 1 << 20, MARGIN = 160 * 1024 };

static void nest_deeply(void) {
    static const char *const parts[] = {"(",      "[",       "-",       "not ",  "f(",  "x[",
                                        "x -> ",  "(x) -> ", "{",       "{a: ",  "\"{", "x^",
                                        "if a {", "if {",    "while {", "x = {", "f(k="};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (repeated("", parts[i], MILLION, "x") != TG_PARSE_ERROR || ctx.diag.kind != TG_ERR_DEPTH)
            fail_msg("a million %s: %s", parts[i], ctx.diag.msg);
        assert_true(ctx.diag.at.src && ctx.diag.at.hi > 0);
    }
    /* a thousand levels are no problem */
    assert_int_equal(repeated("", "(", 1000, ""), TG_PARSE_INCOMPLETE);
}

static void *on_small_stack(void *unused) {
    char here;
    tg_ctx old = ctx;
    ctx.stack_base = &here;
    ctx.stack_room = THREAD_STACK - MARGIN;
    nest_deeply();
    ctx.stack_base = old.stack_base;
    ctx.stack_room = old.stack_room;
    return unused;
}

static void depth_is_an_error(void **state) {
    (void)state;
    nest_deeply();
    pthread_attr_t attr;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, THREAD_STACK), 0);
    assert_int_equal(pthread_create(&thread, &attr, on_small_stack, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attr);
}

static void length_is_no_depth(void **state) {
    (void)state;
    assert_int_equal(repeated("x", " + x", MILLION, ""), TG_PARSE_OK);
    assert_int_equal(repeated("f", "'", MILLION, ""), TG_PARSE_OK);
    assert_int_equal(repeated("x", "[0]", MILLION, " := 1"), TG_PARSE_OK);
    assert_int_equal(repeated("x", " < x", MILLION, ""), TG_PARSE_OK);
    assert_int_equal(repeated("", "if a {} else ", MILLION / 4, "{}"), TG_PARSE_OK);
    assert_int_equal(repeated("[", "1,", MILLION, "]"), TG_PARSE_OK);
    assert_int_equal(repeated("", "a;", MILLION, ""), TG_PARSE_OK);
    assert_int_equal(repeated("\"", "abc{{", 2 * MILLION, "\""), TG_PARSE_OK);
    assert_int_equal(repeated("", "x", 10 * MILLION, ""), TG_PARSE_OK);
    assert_int_equal(repeated("0.", "1", 10 * MILLION, ""), TG_PARSE_OK);
    assert_int_equal(repeated("", "1", 10 * MILLION, ""), TG_PARSE_ERROR);
    assert_int_equal(repeated("x # ", "#", 10 * MILLION, ""), TG_PARSE_OK);
    assert_int_equal(repeated("x", " ", 10 * MILLION, "="), TG_PARSE_INCOMPLETE);
}

static int start(void **state) {
    (void)state;
    return tg_ctx_init(&ctx) ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    tg_ctx_free(&ctx);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_as_documented),
        cmocka_unit_test(spellings_of_operators),
        cmocka_unit_test(literals),
        cmocka_unit_test(strings),
        cmocka_unit_test(calls_and_indices),
        cmocka_unit_test(statements),
        cmocka_unit_test(lines),
        cmocka_unit_test(spans_cover_the_text),
        cmocka_unit_test(one_expression),
        cmocka_unit_test(errors_name_the_fix),
        cmocka_unit_test(incomplete_says_what_was_opened),
        cmocka_unit_test(any_prefix_ends_well),
        cmocka_unit_test(any_byte_may_be_wrong),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(depth_is_an_error),
        cmocka_unit_test(length_is_no_depth),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
