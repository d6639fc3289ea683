/* LaTeX of formulas: that it says what the formula says is seen in tests/lang/latex.tgt; that it
 * compiles is seen here. One document gets every operation's samples, with known and with symbolic
 * sizes, their gradients, and the formulas of textbooks, and goes through LaTeX where there is one.
 */
#include "op_cases.h"

#include <unistd.h>

#include "base/file.h"
#include "runtime/export/latex.h"
#include "tg.h"

static tg_str document;
static int formulas;

static void add_formula(const char *text) {
    tg_str_addf(&document, "\\[ %s \\]\n", text);
    formulas++;
}

static void add_node(world *w, const tg_node *n) {
    tg_str s = {0};
    if (!tg_latex(&w->rt, &s, n, NULL)) fail_msg("%s: %s", w->c.op->name, w->rt.c.diag.msg);
    int depth = 0;
    for (const char *p = tg_str_text(&s); *p; p++) {
        depth += (*p == '{') - (*p == '}');
        assert_true(depth >= 0);
    }
    assert_int_equal(depth, 0);
    for (const char *p = tg_str_text(&s); (p = strstr(p, "{0}")) != NULL; p++)
        assert_true(p > tg_str_text(&s) && p[-1] == '^'); /* x^{0} is a power, no parameter left */
    add_formula(tg_str_text(&s));
    tg_str_free(&s);
}

static void add_gradients(world *w) {
    tg_node *total = tg_node_call1(&w->rt, "sum", w->root);
    for (int i = 0; total && i < w->c.n; i++) {
        tg_node *g;
        tg_grad_options opt = {.simplify = true};
        tg_clear(&w->rt.c);
        if (tg_grad(&w->rt, total, 1, &w->leaf[i], &opt, &g, NULL)) add_node(w, g);
    }
}

static void each_operation(void **state) {
    const tg_op *op = *state;
    static op_case c[MOST_CASES];
    world w;
    assert_true(world_open(&w));
    int n = list_cases(op, c);
    for (int i = 0; i < n; i++) {
        for (int symbolic = SYMBOLIC_TOO; symbolic < 1; symbolic++) {
            if (world_build(&w, &c[i], symbolic, TG_F64)) {
                add_node(&w, w.root);
                add_gradients(&w);
            }
            world_clear(&w);
        }
    }
    world_close(&w);
}

static void collect(void *user, const char *text, size_t len) {
    tg_str_addn(user, text, len);
}

static void textbook(void **state) {
    (void)state;
    static const char program[] =
        "input X[N, M], Y[N, 10], y[N]; W = var(zeros(3, 10)); b = var(zeros(10)); w = "
        "var(ones(3))\n"
        "A = var(eye(3)); alpha = var(0.1); x_1 = var(2); größe = var(1); θ = var(3); _t = var(1)\n"
        "很 = var(1); x_long_name = var(1); x__ = var(2); Sigma = var(eye(2)); a1b2 = var(1)\n"
        "input Z[N, 3]\n"
        "P = softmax(Z @ W + b)\n"
        "e = [mean(-sum(Y * log(P), axis=1)), grad(mean(-sum(Y * log(P), axis=1)), W),\n"
        "  grad(sum((A @ w - w)^2), w), w @ A @ w, w @ (A @ A') @ w, -(x_1 - 1)^(2^x_1), größe * "
        "θ,\n"
        "  _t + 很 * x_long_name - x__, sum(Sigma^2) * a1b2, (x_1 + 1) % 2 > 3 and not (x_1 < 1),\n"
        "  grad(mean(log(1 + exp(-y * (Z @ w)))), w), where(w > 0, w, alpha * (exp(w) - 1)),\n"
        "  grad(grad(sum(tanh(A @ w)^2), w) @ w, A), norm(A)^2 / sum(A), 1e-12 * x_1 + 1.5e20,\n"
        "  [1, 2, 3] @ w + w[0:2] @ [1, 2], Z[0:2, none, -1] * 3, x_1 + inf - pi * x_1, arange(N) "
        "* N^2]\n"
        "for f in e { print(latex(f)) }\n"
        "t = x_1; for i in 1..3000 { t = t + sin(i * x_1) }\n"
        "print(latex(t)); u = x_1; for i in 1..3000 { u = sin(u) * u }\n"
        "print(latex(u)); print(latex(sum(w * w) + sum(w^2) + sum(w^3) + alpha * sum(w^4) + "
        "sum(w^5) +\n"
        "  sum((w + 1)^2) - sum((w + 2)^3) - sum((w + 4)^5) +\n"
        "  sum((w + 5)^6) - sum(log(w + 6)^7) / x_1 + mean(sqrt(w + 7)) - x_1 * θ, "
        "name=\"loss_0\"))\n";
    tg_str out = {0};
    tg_options options = {.write = collect, .user = &out, .seed = 1};
    tg_state *s = tg_open(&options);
    assert_non_null(s);
    if (tg_run(s, "textbook", program, TG_QUIET) != TG_DONE) fail_msg("%s", tg_error(s));
    int lines = 0;
    for (char *p = out.text; *p; lines++) {
        char *end = strchr(p, '\n');
        *end = 0;
        assert_true(strlen(p) < 20000); /* even of 3000 terms */
        add_formula(p);
        p = end + 1;
    }
    assert_int_equal(lines, 22);
    assert_non_null(strstr(document.text, "\\begin{aligned} \\mathit{loss}_{0} ={} & "));
    tg_close(s);
    tg_str_free(&out);
}

static void compiles(void **state) {
    (void)state;
    if (system("command -v latex >/dev/null 2>&1") != 0) {
        print_message("no latex here, so its %d formulas are not compiled: apt-get install "
                      "texlive-latex-base\n",
                      formulas);
        skip();
    }
    char dir[] = "/tmp/tg-latex-XXXXXX", path[80], command[400];
    assert_non_null(mkdtemp(dir));
    tg_str all = {0};
    tg_str_addf(&all,
                "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{amsmath}\n"
                "\\allowdisplaybreaks\n\\begin{document}\n%s\\end{document}\n",
                document.text);
    assert_false(all.failed);
    snprintf(path, sizeof path, "%s/all.tex", dir);
    tg_ctx c;
    assert_true(tg_ctx_init(&c));
    assert_true(tg_file_save_atomic(&c, path, all.text, all.len));
    snprintf(command, sizeof command,
             "cd %s && latex -interaction=nonstopmode -halt-on-error all.tex >out.txt 2>&1 || "
             "{ grep -a -A 12 '^!' out.txt >&2; exit 1; }",
             dir);
    int result = system(command);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    tg_ctx_free(&c);
    tg_str_free(&all);
    print_message("%d formulas\n", formulas);
    assert_int_equal(result, 0);
    assert_true(formulas > 500);
}

int main(void) {
    int failed = test_each_record("latex", each_operation);
    const struct CMUnitTest tests[] = {cmocka_unit_test(textbook), cmocka_unit_test(compiles)};
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    tg_str_free(&document);
    return failed;
}
