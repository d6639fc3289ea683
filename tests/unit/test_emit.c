/* Emitted source, run: for every operation's samples, their gradients and second derivatives, in
 * double and in single precision, the functions that emit writes are called with the data that tg
 * has, and must give what tg computes. One process a language takes all cases. Where the language
 * is not installed its test says so and is skipped. */
#include "op_cases.h"

#include <ctype.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/export/emit.h"
#include "tg.h"

enum { TARGETS = 3 };
static const char *const target[TARGETS] = {"numpy", "torch", "c"};

/* What one process reads: of each case the source and, as Python or C, data and values. */
static tg_str cases[TARGETS][2]; /* double, single */
static int counted[TARGETS];

/* ---- writing cases down ---- */

static void put_text(tg_str *s, const char *text) {
    tg_str_addc(s, '"');
    for (; *text; text++) {
        if (*text == '\n')
            tg_str_add(s, "\\n");
        else if (*text == '"' || *text == '\\')
            tg_str_addf(s, "\\%c", *text);
        else
            tg_str_addc(s, *text);
    }
    tg_str_addc(s, '"');
}

static const char *const python_types[] = {"bool", "uint8", "int32", "int64", "float32", "float64"};

/* ([1.0, 2.0], (2,), "float64") */
static void put_array(tg_str *s, const tg_view *v) {
    tg_str_add(s, "([");
    for (int64_t i = 0; i < tg_view_count(v); i++) {
        double x = tg_view_get(v, i);
        tg_str_addf(s, isnan(x) ? "nan," : isinf(x) ? x < 0 ? "-inf," : "inf," : "%.17g,", x);
    }
    tg_str_add(s, "],(");
    for (int i = 0; i < v->rank; i++) tg_str_addf(s, "%lld,", (long long)v->dim[i]);
    tg_str_addf(s, "),\"%s\")", python_types[v->dtype]);
}

/* ---- the same for C: a function that calls the emitted one and compares ---- */

/* Helpers, each once, and functions with what calls them. */
static tg_str c_helpers[2], c_calls[2];

/* Definitions that stand before the function are equal in all sources of a precision. */
static const char *split_source(int single, const char *source) {
    const char *function = strstr(source, "/* out = "), *p = strstr(source, "\n\n");
    assert_non_null(function);
    for (p += 2; p < function;) {
        const char *end = strstr(p, "}\n\n");
        const char *view = strncmp(p, "typedef", 7) == 0 ? strstr(p, ";\n\n") : NULL;
        if (view) end = strchr(view - 1, ';');
        assert_non_null(end);
        char *block = strndup(p, (size_t)(end - p) + 3);
        if (!strstr(tg_str_text(&c_helpers[single]), block)) tg_str_add(&c_helpers[single], block);
        free(block);
        p = strstr(end, "\n\n") + 2;
    }
    return function;
}

static void put_c_array(tg_str *s, const char *name, const tg_view *v, const char *type) {
    tg_str_addf(s, "    static const %s %s[] = {", type, name);
    for (int64_t i = 0; i < tg_view_count(v); i++) {
        double x = tg_view_get(v, i);
        tg_str_addf(s,
                    isnan(x)   ? "(%s)NAN,"
                    : isinf(x) ? x < 0 ? "-(%s)INFINITY," : "(%s)INFINITY,"
                               : "(%s)%.17g,",
                    type, x);
    }
    tg_str_add(s, tg_view_count(v) ? "};\n" : "0};\n");
}

static int leaf_named(const world *w, const char *name, size_t len) {
    for (int i = 0; i < w->c.n; i++)
        if (strncmp(w->c.leaf[i].name, name, strlen(w->c.leaf[i].name)) == 0 &&
            (len == strlen(w->c.leaf[i].name) || name[strlen(w->c.leaf[i].name)] == '_'))
            return i;
    return -1;
}

/* f(long D2, const double *x, double y, double *out) is called by its signature. */
static void put_c(tg_str *s, world *w, const char *source, int number, const char *what,
                  const tg_tensor *value, double tolerance) {
    const char *function = split_source(s == &c_calls[1], source);
    const char *type = s == &c_calls[1] ? "float" : "double";
    const char *p = strstr(function, "\nint f");
    int64_t count = tg_view_count(&value->v);
    tg_str call = {0};
    assert_non_null(p);
    tg_str_addf(s, "%s\nstatic int call_%d(void) {\n", function, number);
    for (p = strchr(p, '(') + 1; *p != ')';) {
        size_t len = strcspn(p, ",)");
        const char *name = p + len;
        while (isalnum((unsigned char)name[-1]) || name[-1] == '_') name--;
        bool last = p[len] == ')';
        int which = leaf_named(w, name, (size_t)(p + len - name));
        tg_str_add(&call, call.len ? ", " : "");
        if (strncmp(p, "long", 4) == 0)
            tg_str_addc(&call, name[1]); /* D3 */
        else if (last)
            tg_str_add(&call, "got");
        else if (which < 0)
            fail_msg("%s: a parameter %.*s in C", what, (int)len, p);
        else
            tg_str_addf(&call, name[-1] == '*' ? "%s" : "%s[0]", w->c.leaf[which].name);
        p += len;
        if (*p == ',') p += 2;
    }
    for (int i = 0; i < w->c.n; i++)
        if (strstr(tg_str_text(&call), w->c.leaf[i].name))
            put_c_array(s, w->c.leaf[i].name, &w->leaf[i]->leaf.cell->value->v, type);
    put_c_array(s, "want", &value->v, type);
    tg_str_addf(s, "    %s got[%lld];\n    int status = f%d(%s);\n    return check(", type,
                (long long)count + 1, number, tg_str_text(&call));
    put_text(s, what);
    tg_str_addf(s, ", status, %lld, got, want, %g);\n}\n\n", (long long)count, tolerance);
    tg_str_free(&call);
}

/* The values of parameters that are cells and of sizes that come as numbers, by name. */
static void put_python(tg_str *s, world *w, const char *source, const char *what, tg_tensor *value,
                       double tolerance) {
    tg_str_addf(s, "(");
    put_text(s, source);
    tg_str_addc(s, ',');
    put_text(s, what);
    tg_str_add(s, ",{");
    for (int i = 0; i < w->c.n; i++) {
        for (int twin = 0; twin < 2; twin++) { /* with_symbols makes two cells of one name */
            tg_str_addf(s, "\"%s%s\":", w->c.leaf[i].name, twin ? "_2" : "");
            put_array(s, &w->leaf[i]->leaf.cell->value->v);
            tg_str_addc(s, ',');
        }
    }
    tg_str_addf(s, "\"D2\":2,\"D3\":3,\"D4\":4,\"D5\":5},");
    put_array(s, &value->v);
    tg_str_addf(s, ",%g),\n", tolerance);
}

static void add_case(world *w, tg_node *n, const char *what, double tolerance) {
    tg_tensor *value = NULL;
    tg_clear(&w->rt.c);
    if (!n || !tg_plan_eval(&w->rt, 1, &n, &value)) return;
    for (int t = 0; t < TARGETS; t++) {
        tg_str source = {0};
        tg_clear(&w->rt.c);
        const char *called[1] = {NULL};
        char name[24] = "f";
        bool c = strcmp(target[t], "c") == 0;
        if (c) snprintf(name, sizeof name, "f%d", counted[t]);
        const tg_emit_request ask = {target[t], name, 1, &n, called, "%"};
        if (tg_emit(&w->rt, &source, &ask)) {
            bool single = value->v.dtype == TG_F32 || w->rt.precision == TG_F32;
            if (c)
                put_c(&c_calls[strstr(tg_str_text(&source), "float *out") != NULL], w,
                      tg_str_text(&source), counted[t], what, value, tolerance);
            else
                put_python(&cases[t][single], w, tg_str_text(&source), what, value, tolerance);
            counted[t]++;
        } else if (!strstr(w->rt.c.diag.msg, "cannot be written") &&
                   !strstr(w->rt.c.diag.msg, "does not know the target")) {
            fail_msg("%s in %s: %s", what, target[t], w->rt.c.diag.msg);
        }
        tg_str_free(&source);
    }
    tg_tensor_drop(value);
}

/* ---- the cases ---- */

static tg_node *gradient(world *w, tg_node *of, int by) {
    tg_node *total = of->type.rank ? tg_node_call1(&w->rt, "sum", of) : of, *g = NULL;
    if (total) total = tg_node_call2(&w->rt, "mul", total, total); /* a second derivative for all */
    const tg_grad_options opt = {.simplify = true};
    return total && tg_grad(&w->rt, total, 1, &w->leaf[by], &opt, &g, NULL) ? g : NULL;
}

static void each_operation(void **state) {
    const tg_op *op = *state;
    static op_case c[MOST_CASES];
    char what[260];
    world w;
    assert_true(world_open(&w));
    int n = list_cases(op, c);
    for (int i = 0; i < n; i++) {
        for (int variant = 0; variant < 3; variant++) { /* double, symbolic sizes, single */
            tg_dtype t = variant == 2 ? TG_F32 : TG_F64;
            double tolerance = variant == 2 ? 1e-4 : 1e-10;
            snprintf(what, sizeof what, "%s %d%s %s", op->name, i, variant == 1 ? " symbolic" : "",
                     c[i].text);
            if (world_build(&w, &c[i], variant == 1 ? SYMBOLIC_TOO : 0, t) && w.root) {
                if (w.root->type.dtype == TG_F32) tolerance = 1e-4; /* single(x) too */
                add_case(&w, w.root, what, tolerance);
                bool floats = tg_dtype_is_float(w.root->type.dtype);
                floats = floats && (variant == 0 || i < 2);
                for (int k = 0; floats && k < w.c.n; k++) {
                    if (!tg_dtype_is_float(w.leaf[k]->type.dtype)) continue;
                    tg_node *g = gradient(&w, w.root, k);
                    if (!g) continue;
                    double looser = variant == 2 ? 10 : 1; /* slopes magnify rounding errors */
                    add_case(&w, g, what, looser * tolerance);
                    if (variant == 0 || i == 0)
                        add_case(&w, gradient(&w, g, k), what, 10 * looser * tolerance);
                }
            }
            world_clear(&w);
        }
    }
    world_close(&w);
}

/* Every operation says how it is spelt in each language, or that it is not. */
static void has_spellings(void **state) {
    const tg_op *op = *state;
    assert_non_null(op->numpy);
    assert_non_null(op->torch);
    assert_non_null(op->c);
    bool none = strcmp(op->numpy, TG_NO_SPELLING) == 0;
    assert_int_equal(none, strcmp(op->c, TG_NO_SPELLING) == 0);
    assert_int_equal(none, strcmp(op->torch, TG_NO_SPELLING) == 0);
    if (!none) assert_true(op->class != TG_CLASS_RANDOM);
}

/* ---- running them ---- */

static const char driver[] =
    "import sys, warnings\n"
    "import numpy as np\n"
    "nan, inf = float('nan'), float('inf')\n"
    "def array(a):\n"
    "    return np.array(a[0], dtype=a[2]).reshape(a[1])\n"
    "def check(cases, wrap, plain):\n"
    "    bad = 0\n"
    "    for source, what, data, expected, tolerance in cases:\n"
    "        ns = {}\n"
    "        want = array(expected)\n"
    "        try:\n"
    "            exec(source, ns)\n"
    "            f = ns['f']\n"
    "            names = f.__code__.co_varnames[:f.__code__.co_argcount]\n"
    "            args = [data[n] if isinstance(data[n], int) else wrap(array(data[n])) for n in "
    "names]\n"
    "            with warnings.catch_warnings():\n"
    "                warnings.simplefilter('ignore')\n"
    "                got = plain(f(*args))\n"
    "            problem = None\n"
    "            if got.shape != want.shape:\n"
    "                problem = 'shape %s, not %s' % (got.shape, want.shape)\n"
    "            elif got.dtype != want.dtype and not (want.ndim == 0 and want.dtype.kind == "
    "'f'):\n"
    "                problem = 'type %s, not %s' % (got.dtype, want.dtype)\n"
    "            elif not (np.abs(np.float64(got) - np.float64(want)) <= tolerance * max(1, "
    "np.max(np.abs(np.float64(want)), initial=0, where=np.isfinite(np.float64(want))))).all():\n"
    "                problem = 'values %s, not %s' % (got, want)\n"
    "        except Exception as e:\n"
    "            problem = repr(e)\n"
    "        if problem:\n"
    "            bad += 1\n"
    "            if bad <= 5:\n"
    "                print(what, problem, source, sep='\\n')\n"
    "    if bad: print(bad, 'of', len(cases), 'are wrong')\n"
    "    return bad\n";

static const char numpy_end[] = "sys.exit(check(cases, lambda a: a, np.asarray) > 0)\n";
static const char torch_end[] =
    "import torch\n"
    "sys.exit(check(cases, torch.from_numpy, lambda r: r.detach().numpy()) > 0)\n";

static bool has(const char *command) {
    return system(command) == 0;
}

static void save(const char *path, const tg_str *s) {
    tg_ctx c;
    assert_false(s->failed);
    assert_true(tg_ctx_init(&c));
    assert_true(tg_file_save_atomic(&c, path, s->text, s->len));
    tg_ctx_free(&c);
}

static void run_python(int t, const char *end) {
    char dir[] = "/tmp/tg-emit-XXXXXX", path[80], command[200];
    assert_non_null(mkdtemp(dir));
    tg_str all = {0};
    tg_str_addf(&all, "%scases = [\n%s%s]\n%s", driver, tg_str_text(&cases[t][0]),
                tg_str_text(&cases[t][1]), end);
    snprintf(path, sizeof path, "%s/all.py", dir);
    save(path, &all);
    tg_str_free(&all);
    snprintf(command, sizeof command, "/usr/bin/python3 %s >&2", path);
    int result = system(command);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (!getenv("TG_KEEP")) assert_int_equal(system(command), 0);
    print_message("%d functions in %s\n", counted[t], target[t]);
    assert_int_equal(result, 0);
    assert_true(counted[t] > 1000);
}

static void in_numpy(void **state) {
    (void)state;
    if (!has("/usr/bin/python3 -c 'import numpy' >/dev/null 2>&1")) {
        print_message(
            "no NumPy here, so emitted NumPy is not run: apt-get install python3-numpy\n");
        skip();
    }
    run_python(0, numpy_end);
}

static void in_torch(void **state) {
    (void)state;
    if (!has("/usr/bin/python3 -c 'import torch' >/dev/null 2>&1")) {
        print_message("no PyTorch here, so emitted PyTorch is not run: apt-get install "
                      "python3-torch\n");
        skip();
    }
    run_python(1, torch_end);
}

static const char c_head[] = "#include <math.h>\n"
                             "#include <stdio.h>\n"
                             "#include <stdlib.h>\n\n";

static const char c_check[] =
    "static int bad;\n"
    "static int check(const char *what, int status, int n, const REAL *got, const REAL *want,\n"
    "                 double tolerance) {\n"
    "    double size = 1;\n"
    "    int wrong = status;\n"
    "    for (int i = 0; i < n; i++)\n"
    "        if (fabs((double)want[i]) > size && !isinf(want[i])) size = fabs((double)want[i]);\n"
    "    for (int i = 0; i < n && !status; i++) {\n"
    "        int same = got[i] == want[i] || (isnan(got[i]) && isnan(want[i]));\n"
    "        if (same || fabs((double)got[i] - (double)want[i]) <= tolerance * size) continue;\n"
    "        if (!wrong++ && bad < 5)\n"
    "            fprintf(stderr, \"%s: element %d is %.17g, not %.17g\\n\", what, i,\n"
    "                    (double)got[i], (double)want[i]);\n"
    "    }\n"
    "    if (status && bad < 5) fprintf(stderr, \"%s: it returns %d\\n\", what, status);\n"
    "    bad += wrong != 0;\n"
    "    return wrong != 0;\n"
    "}\n\n";

/* One translation unit a precision, without a single warning. */
static void in_c(void **state) {
    (void)state;
    if (!has("cc --version >/dev/null 2>&1")) {
        print_message("no C compiler here, so emitted C is not run: apt-get install gcc\n");
        skip();
    }
    char dir[] = "/tmp/tg-emit-XXXXXX", path[80], command[400];
    assert_non_null(mkdtemp(dir));
    int result = 0;
    for (int single = 0; single < 2; single++) {
        tg_str all = {0};
        const char *calls = tg_str_text(&c_calls[single]);
        tg_str_addf(&all, "%s#define REAL %s\n%s%s%s", c_head, single ? "float" : "double",
                    tg_str_text(&c_helpers[single]), c_check, calls);
        tg_str_add(&all, "int main(void) {\n");
        for (const char *p = calls; (p = strstr(p, "static int call_")); p += 16)
            tg_str_addf(&all, "    %.*s();\n", (int)strcspn(p + 11, "("), p + 11);
        tg_str_add(&all, "    if (bad) fprintf(stderr, \"%d are wrong\\n\", bad);\n"
                         "    return bad > 0;\n}\n");
        snprintf(path, sizeof path, "%s/%d.c", dir, single);
        save(path, &all);
        tg_str_free(&all);
        snprintf(command, sizeof command,
                 "cc -std=c99 -Wall -Wextra -Wconversion -Werror %s -o %s.out -lm && %s.out", path,
                 path, path);
        result |= system(command);
    }
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (!getenv("TG_KEEP")) assert_int_equal(system(command), 0);
    print_message("%d functions in C\n", counted[2]);
    assert_int_equal(result, 0);
    assert_true(counted[2] > 1000);
}

int main(void) {
    int failed = test_each_record("spellings", has_spellings);
    failed += test_each_record("writing", each_operation);
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_numpy), cmocka_unit_test(in_torch),
                                       cmocka_unit_test(in_c)};
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    for (int t = 0; t < TARGETS; t++)
        for (int k = 0; k < 2; k++) tg_str_free(&cases[t][k]);
    for (int k = 0; k < 2; k++) {
        tg_str_free(&c_helpers[k]);
        tg_str_free(&c_calls[k]);
    }
    return failed;
}
