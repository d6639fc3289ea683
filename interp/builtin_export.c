/* Builtins that hand formulas to other programs: LaTeX, drawn graphs, and source in other
 * languages. Each gives a text, which the prompt shows bare, ready to be copied, and with to="file"
 * writes it into a file instead. */
#include "base/alloc.h"
#include "base/file.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/blame.h"
#include "runtime/export/dot.h"
#include "runtime/export/emit.h"
#include "runtime/export/latex.h"

#include <ctype.h>
#include <string.h>

/* A text to be copied. */
static bool give_text(tg_interp *in, tg_str *s, tg_value *out) {
    bool ok = s->failed ? tg_fail_memory(&in->rt.c)
                        : tg_value_string(&in->rt.c, tg_str_text(s), s->len, out);
    if (ok) out->as.text->bare = true;
    tg_str_free(s);
    return ok;
}

/* The string given for an option; NULL in *text: none was. */
static bool text_option(tg_interp *in, const tg_argument *a, const char *what, const char **text) {
    *text = NULL;
    if (a->value.tag == TG_V_NONE) return true;
    if (a->value.tag != TG_V_STRING)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s must be a string, not %s", what,
                       tg_value_kind(a->value));
    *text = a->value.as.text->bytes;
    return true;
}

/* ---- latex ---- */

/* f'(x, y) = ..., by parameters of these names. */
static bool latex_function(tg_interp *in, tg_value v, tg_str *s) {
    tg_value at[TG_SHOWN_ARGUMENTS], y;
    tg_argument arg[TG_SHOWN_ARGUMENTS] = {{0}};
    const tg_function *f = v.as.function;
    int n = tg_function_arguments(in, f, true, at), primes = 0;
    if (n == 0) {
        if (in->rt.c.diag.kind) return false;
        tg_fail(&in->rt.c, TG_ERR_TYPE, "this function has no formula to write");
        return tg_help(&in->rt.c, "write latex(f(x)), with x a var or an input");
    }
    for (int i = 0; i < n; i++) arg[i].value = at[i];
    bool ok = tg_call_value(in, v, n, arg, &y);
    if (!ok && in->rt.c.diag.kind == TG_ERR_DATA) { /* if x > 0 { ... }: no formula in x */
        tg_clear(&in->rt.c);
        tg_fail(&in->rt.c, TG_ERR_TYPE, "this function has no formula: it asks for a value");
        tg_help(&in->rt.c, "where(c, a, b) chooses within a formula");
    }
    for (; f->primal; f = f->primal) primes++;
    if (ok && f->name && !f->by) {
        tg_latex_name(s, f->name, strlen(f->name));
        while (primes-- > 0) tg_str_addc(s, '\'');
        for (int i = 0; i < n; i++) {
            const char *name = at[i].as.node->leaf.cell->name;
            tg_str_add(s, i ? ", " : "\\left(");
            tg_latex_name(s, name, strlen(name));
        }
        tg_str_add(s, "\\right) = ");
    }
    tg_node *node;
    if (ok) {
        ok = tg_to_node(in, y, "the function's value", &node) && tg_latex(&in->rt, s, node, NULL);
        tg_value_drop(y);
    }
    for (int i = 0; i < n; i++) tg_value_drop(at[i]);
    return ok;
}

/* A line for each formula in v; those of a record after their fields' names. */
static bool add_latex(tg_interp *in, tg_value v, const char *name, tg_str *s) {
    tg_node *n;
    if (tg_is_container(v) && (v.tag != TG_V_LIST || tg_is_live(v))) {
        if (!tg_guard(&in->rt.c)) return false;
        const tg_items *items = v.as.items;
        for (int i = 0; i < items->n; i++) {
            if (i) tg_str_addc(s, '\n');
            if (!add_latex(in, items->v[i], items->field ? items->field[i] : name, s)) return false;
        }
        return true;
    }
    if (v.tag == TG_V_FUNCTION) return latex_function(in, v, s);
    return tg_to_node(in, v, "the argument of latex", &n) && tg_latex(&in->rt, s, n, name);
}

static bool run_latex(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const char *name;
    if (!text_option(in, &args[1], "name", &name)) return false;
    if (name && (!name[0] || strpbrk(name, "\\{}$&#%~^ \n")))
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "name must be a name, not \"%s\"", name);
    tg_str s = {0};
    if (add_latex(in, args[0].value, name, &s)) return give_text(in, &s, out);
    tg_str_free(&s);
    return false;
}

/* ---- emit ---- */

/* The formulas in a value, in order, and how its containers are written. */
typedef struct results {
    int n, cap, called_cap;
    tg_node **root;
    const char **called;
    tg_str form;
} results;

static bool add_result(tg_interp *in, tg_value v, const char *called, results *r) {
    void *roots = r->root, *names = (void *)(uintptr_t)r->called;
    size_t cap = (size_t)r->cap, called_cap = (size_t)r->called_cap, need = (size_t)r->n + 1;
    bool ok = tg_grow(&roots, &cap, need, sizeof *r->root);
    r->root = roots;
    r->cap = (int)cap;
    ok = ok && tg_grow(&names, &called_cap, need, sizeof *r->called);
    r->called = names;
    r->called_cap = (int)called_cap;
    if (!ok) return tg_fail_memory(&in->rt.c);
    if (!tg_to_node(in, v, "the argument of emit", &r->root[r->n])) return false;
    r->called[r->n++] = called;
    tg_str_addc(&r->form, '%');
    return true;
}

static bool add_results(tg_interp *in, tg_value v, const char *called, results *r) {
    if (!tg_is_container(v)) return add_result(in, v, called, r);
    if (!tg_guard(&in->rt.c)) return false;
    const tg_items *items = v.as.items;
    tg_str_addc(&r->form, v.tag == TG_V_RECORD ? '{' : '(');
    for (int i = 0; i < items->n; i++) {
        if (i > 0) tg_str_add(&r->form, ", ");
        if (items->field) tg_str_addf(&r->form, "'%s': ", items->field[i]);
        if (!add_results(in, items->v[i], items->field ? items->field[i] : NULL, r)) return false;
    }
    tg_str_add(&r->form, v.tag == TG_V_RECORD ? "}" : items->n == 1 ? ",)" : ")");
    return true;
}

/* Gives the text, or saves it and gives nothing. */
static bool give_or_save(tg_interp *in, tg_str *s, const char *path, tg_value *out) {
    if (!path || s->failed) return give_text(in, s, out);
    bool ok = tg_file_save_atomic(&in->rt.c, path, tg_str_text(s), s->len);
    tg_str_free(s);
    return ok;
}

static bool is_identifier(const char *s) {
    if (!isalpha((unsigned char)*s) && *s != '_') return false;
    while (isalnum((unsigned char)*s) || *s == '_') s++;
    return *s == 0;
}

static bool run_emit(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_emit_request ask = {0};
    const char *path;
    if (!text_option(in, &args[1], "the target", &ask.target) ||
        !text_option(in, &args[2], "name", &ask.name) || !text_option(in, &args[3], "to", &path))
        return false;
    if (ask.name && !is_identifier(ask.name))
        return tg_fail(&in->rt.c, TG_ERR_VALUE,
                       "\"%s\" is no name for a function: letters, digits and _", ask.name);
    results r = {0};
    tg_str s = {0};
    bool ok = add_results(in, args[0].value, NULL, &r);
    if (ok && r.form.failed) ok = tg_fail_memory(&in->rt.c);
    ask.n = r.n;
    ask.root = r.root;
    ask.called = r.called;
    ask.form = tg_str_text(&r.form);
    ok = ok && tg_emit(&in->rt, &s, &ask) && give_or_save(in, &s, path, out);
    if (!ok) tg_str_free(&s);
    tg_free(r.root);
    tg_free((void *)(uintptr_t)r.called);
    tg_str_free(&r.form);
    return ok;
}

/* ---- dot ---- */

/* dot(a, b) is the scalar product. */
static bool product(tg_interp *in, const tg_argument *args, tg_value *out) {
    tg_argument factors[2] = {args[0], args[1]};
    tg_value each;
    factors[0].name = factors[1].name = NULL;
    if (!tg_call_op(in, tg_op_find("mul"), 2, factors, &each)) return false;
    bool ok = tg_call_op(in, tg_op_find("sum"), 1, &(tg_argument){.value = each}, out);
    tg_value_drop(each);
    return ok;
}

static const char *ending_of(const char *path) {
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    return dot && (!slash || dot > slash) ? dot + 1 : "";
}

/* Writes the graph as text or as a picture, by the ending of the name. Without graphviz the text
 * goes into a file of its own beside it, and a remark says what to install. */
static bool save_graph(tg_interp *in, tg_str *s, const char *path, tg_value *out) {
    const char *format = ending_of(path);
    bool text = strcmp(format, "dot") == 0 || strcmp(format, "gv") == 0, missing = false;
    if (text) return give_or_save(in, s, path, out);
    if (strcmp(format, "svg") != 0 && strcmp(format, "png") != 0 && strcmp(format, "pdf") != 0) {
        tg_fail(&in->rt.c, TG_ERR_VALUE, "\"%s\" does not say what kind of file to draw", path);
        return tg_help(&in->rt.c, "its name must end in .svg, .png, .pdf or .dot");
    }
    tg_str picture = {0}, other = {0};
    bool ok = tg_dot_draw(&in->rt, s, format, &picture, &missing);
    if (ok && !missing) {
        ok = tg_file_save_atomic(&in->rt.c, path, tg_str_text(&picture), picture.len);
    } else if (ok) {
        tg_str_addf(&other, "%s.dot", path);
        ok = other.failed ? tg_fail_memory(&in->rt.c)
                          : tg_file_save_atomic(&in->rt.c, other.text, tg_str_text(s), s->len);
        if (ok)
            tg_remark(in,
                      "graphviz is not installed, so the graph is written as text into %s; "
                      "apt-get install graphviz draws it",
                      other.text);
    }
    tg_str_free(&picture);
    tg_str_free(&other);
    tg_str_free(s);
    return ok;
}

static bool run_dot(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    if (args[1].ast) return product(in, args, out);
    const char *path;
    tg_dot_request ask = {0};
    tg_str s = {0};
    if (args[2].ast && !tg_to_truth(in, args[2].value, "adjoints", &ask.adjoints)) return false;
    if (!text_option(in, &args[3], "to", &path) ||
        !tg_to_node(in, args[0].value, "the argument of dot", &ask.root))
        return false;
    if (!tg_dot(&in->rt, &s, &ask)) {
        tg_str_free(&s);
        return false;
    }
    if (!path || s.failed) return give_text(in, &s, out);
    bool ok = save_graph(in, &s, path, out);
    if (!ok) tg_str_free(&s);
    return ok;
}

const tg_builtin tg_builtins_export[] = {
    {"latex", "latex(e, name=none)",
     "The formula e as LaTeX, for a document that loads amsmath; with name=\"g\" as the equation g "
     "= "
     "... Of a tuple or record, a line for each formula; of a function f, the equation f(x) = ...",
     "x = var(2); latex(sqrt(x) / 2)", "\\frac{\\sqrt{x}}{2}", run_latex, true, false},
    {"emit", "emit(e, target, name=none, to=none)",
     "Source of a function that computes the formula e, in \"numpy\", \"torch\" or \"c\"; its "
     "parameters are the vars and inputs of e. Of a tuple or record of formulas, one function for "
     "all. "
     "to=\"file\" writes it there.",
     "x = var(2); size(emit(x^2, \"numpy\")) > 0", "true", run_emit, true, false},
    {"dot", "dot(e, b=none, adjoints=false, to=none)",
     "The graph of the formula e in the DOT language, with shapes and values; adjoints=true puts "
     "the "
     "adjoint of each part on its edges. to=\"name.svg\" draws it with graphviz (also .png, .pdf, "
     ".dot). dot(a, b) is the scalar product of two vectors.",
     "dot([1, 2], [3, 4])", "11", run_dot, false, false},
    {0},
};
