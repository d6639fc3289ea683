/* Source in C99: one function that needs libm only. Arrays of one type, the widest float type of
 * the formula, go in and come out in row-major order; numbers are passed as such, and sizes are
 * parameters. Elementwise operations become loops, all others calls of short functions over views,
 * which the source brings along, those that it needs. A view is a look at elements through sizes
 * and strides, as in tg itself, so a transpose or a slice moves nothing. */
#include "runtime/export/c_helpers.h"
#include "runtime/export/emit_c.h"
#include "runtime/graph/print.h"
#include "runtime/ops/attrs.h"
#include "base/alloc.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static const char *c_of(const tg_op *op) {
    return op->c;
}

/* Into the loop of its one user, if that has the same shape. */
static bool inlines(const tg_emitter *e, const tg_node *n) {
    const tg_node *user = tg_emit_info_of(e, n)->user;
    return tg_c_is_elementwise(n) && user && tg_c_is_elementwise(user) &&
           tg_shape_equal(n->type.rank, n->type.dim, user->type.rank, user->type.dim);
}

static tg_c_writer *writer_of(tg_emit_writer *w) {
    return (tg_c_writer *)(void *)w;
}

/* ---- attributes and words ---- */

static void put_longs(const tg_emitter *e, tg_str *s, const tg_attrs *at, int first, int n) {
    tg_str_add(s, "(const long[]){");
    for (int i = 0; i < n; i++) {
        if (i > 0) tg_str_add(s, ", ");
        if (at->sizes >> (first + i) & 1)
            tg_emit_size_text(e, s, at->v[first + i], true);
        else
            tg_str_addf(s, "%lld", (long long)at->v[first + i]);
    }
    tg_str_add(s, n ? "}" : "0}");
}

static bool attribute(tg_emit_writer *w, tg_str *s, const tg_node *n, int k) {
    int count, at = tg_op_values(n->op, n->at, k, &count);
    const int64_t *v = n->at->v + at;
    bool size = n->at->sizes >> at & 1;
    switch (n->op->param[k].kind) {
    case TG_P_AXES: tg_str_addf(s, "%lluu", (unsigned long long)*v); break;
    case TG_P_SHAPE:
    case TG_P_PERM:
    case TG_P_SPEC: put_longs(w->e, s, n->at, at, count); break;
    case TG_P_SIZE: tg_emit_size_text(w->e, s, *v, true); break;
    case TG_P_REAL:
        if (size) tg_str_add(s, "(double)");
        if (size)
            tg_emit_size_text(w->e, s, *v, false);
        else
            tg_c_put_number(w->e, s, tg_attr_real(n->at, at));
        break;
    default: tg_str_addf(s, "%lld", (long long)*v); break;
    }
    return true;
}

static int param_named(const tg_op *op, const char *name) {
    for (int i = 0; op->param[i].name; i++)
        if (strcmp(op->param[i].name, name) == 0) return i;
    return -1;
}

static bool is_word(const char *word, size_t len, const char *is) {
    return strlen(is) == len && memcmp(word, is, len) == 0;
}

static bool argument(tg_emit_writer *w, tg_str *s, const tg_node *n, int i, int min);

/* {out}: what is filled, or the view that is made. */
static void put_out(tg_emit_writer *w, tg_str *s, const tg_node *n) {
    const char *name = tg_emit_info_of(w->e, n)->name;
    tg_c_kind kind = tg_c_spot_of(writer_of(w), n)->kind;
    if (kind == TG_C_VIEW) {
        tg_str_add(s, name);
        return;
    }
    tg_str_addf(s, kind == TG_C_NUMBER ? "tg_fresh(&%s, " : "tg_fresh(%s, ", name);
    tg_c_put_shape(w->e, s, &n->type);
    tg_str_addc(s, ')');
}

static bool put_list(tg_emit_writer *w, tg_str *s, const tg_node *n) {
    tg_str_add(s, "(const tg_view[]){");
    for (int i = 0; i < n->n; i++) {
        if (i > 0) tg_str_add(s, ", ");
        if (!argument(w, s, n, i, 0)) return false;
    }
    tg_str_addc(s, '}');
    return true;
}

static bool word(tg_emit_writer *w, tg_str *s, const tg_node *n, const char *text, size_t len,
                 bool *fits) {
    (void)fits;
    if (is_word(text, len, "out")) {
        put_out(w, s, n);
    } else if (is_word(text, len, "list")) {
        return put_list(w, s, n);
    } else if (is_word(text, len, "rank")) {
        tg_str_addf(s, "%d", n->type.rank);
    } else if (is_word(text, len, "number")) {
        tg_str_addf(s, "%d", n->n);
    } else if (is_word(text, len, "several")) { /* does `before` have an entry for each axis? */
        int count;
        tg_op_values(n->op, n->at, param_named(n->op, "before"), &count);
        tg_str_addf(s, "%d", count > 1);
    } else if (is_word(text, len, "begin")) { /* arange(n) begins at 0 */
        int stop = tg_op_values(n->op, n->at, param_named(n->op, "stop"), NULL);
        if (!(n->at->sizes >> stop & 1) && isnan(tg_attr_real(n->at, stop)))
            tg_str_add(s, "0");
        else
            return attribute(w, s, n, param_named(n->op, "start"));
    } else {
        return false;
    }
    return true;
}

/* ---- arguments of functions: views ---- */

static void put_elements(const tg_emitter *e, tg_str *s, const tg_node *n) {
    const tg_view *v = tg_emit_literal(e, n);
    int64_t count = tg_view_count(v);
    tg_str_addc(s, '{');
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) tg_str_add(s, ", ");
        tg_c_put_number(e, s, tg_view_get(v, i));
    }
    tg_str_add(s, count ? "}" : "0}");
}

static void put_view(tg_c_writer *c, tg_str *s, const tg_node *n) {
    const tg_emitter *e = c->w.e;
    const char *name = tg_emit_info_of(e, n)->name;
    tg_c_kind kind = tg_c_spot_of(c, n)->kind;
    if (kind == TG_C_VIEW) {
        tg_str_add(s, name);
        return;
    }
    tg_str_add(s, "tg_array(");
    if (kind == TG_C_WRITTEN) { /* a number */
        tg_str_addf(s, "(const %s[]){", tg_c_real(e));
        tg_c_put_value(c, s, n);
        tg_str_add(s, "}, ");
    } else {
        tg_str_addf(s, kind == TG_C_NUMBER ? "&%s, " : "%s, ", name);
    }
    tg_c_put_shape(e, s, &n->type);
    tg_str_addc(s, ')');
}

static bool argument(tg_emit_writer *w, tg_str *s, const tg_node *n, int i, int min) {
    (void)min;
    put_view(writer_of(w), s, n->arg[i]);
    return true;
}

/* ---- statements ---- */

/* What may fail goes on at `done`. */
static const char *const or_leave = ") != 0) goto done;\n";

/* A call that fills or makes the value of n. */
static bool put_call(tg_c_writer *c, tg_str *s, const tg_node *n) {
    tg_emitter *e = c->w.e;
    const char *name = tg_emit_info_of(e, n)->name, *text = n->op->c;
    bool look = text[0] == '=', fails = text[look] == '!';
    if (look) {
        tg_str_addf(s, fails ? "    tg_view %s;\n" : "    tg_view %s = ", name);
    } else if (tg_c_spot_of(c, n)->kind == TG_C_NUMBER) {
        tg_str_addf(s, "    %s %s = 0;\n", tg_c_real(e), name);
    }
    tg_str_add(s, fails ? "    if ((status = " : look ? "" : "    ");
    if (!tg_emit_template(&c->w, s, n, text + look + fails)) return false;
    tg_str_add(s, fails ? or_leave : ";\n");
    return true;
}

static bool put_statements(tg_c_writer *c, tg_str *s) {
    tg_emitter *e = c->w.e;
    for (int g = 0; g < c->ngroups; g++) {
        const tg_c_group *group = &c->group[g];
        bool ok = group->loop ? tg_c_put_loop(c, s, group) : put_call(c, s, e->node[group->first]);
        if (!ok || !tg_check_interrupt(&e->rt->c)) return false;
    }
    return true;
}

/* Results that no statement has written: parameters, views, and what is asked for twice. */
static bool put_copies(tg_c_writer *c, tg_str *s) {
    tg_emitter *e = c->w.e;
    for (int i = 0; i < e->ask->n; i++) {
        const tg_node *n = e->root[i];
        if (tg_emit_info_of(e, n)->name == c->result[i]) continue;
        if (n->type.rank == 0 && tg_c_spot_of(c, n)->kind != TG_C_VIEW) {
            tg_str_addf(s, "    %s[0] = ", c->result[i]);
            if (!tg_c_put_value(c, s, n)) return false;
            tg_str_add(s, ";\n");
            continue;
        }
        tg_str_addf(s, "    tg_copy(tg_fresh(%s, ", c->result[i]);
        tg_c_put_shape(e, s, &n->type);
        tg_str_add(s, "), ");
        put_view(c, s, n);
        tg_str_add(s, ");\n");
    }
    return true;
}

/* ---- names ---- */

/* Results are called as in their record, by their label, or out; what is computed straight into
 * one has its name. */
static bool name_results(tg_c_writer *c) {
    tg_emitter *e = c->w.e;
    c->result = tg_alloc_array((size_t)e->ask->n + 1, sizeof *c->result);
    if (!c->result) return tg_fail_memory(&e->rt->c);
    for (int i = 0; i < e->ask->n; i++) {
        tg_emit_info *info = tg_emit_info_of(e, e->root[i]);
        bool made = !tg_emit_is_leaf(e->root[i]) && !tg_c_is_look(e->root[i]);
        for (int k = 0; k < i && made; k++) made = e->root[k] != e->root[i];
        const char *called = e->ask->called[i];
        if (made && info->label && info->name)
            c->result[i] = info->name;
        else
            c->result[i] = tg_emit_name(e, called ? called : "out");
        if (!c->result[i]) return false;
        if (made)
            info->name = c->result[i];
        else if (!tg_emit_is_leaf(e->root[i]) && !info->name)
            info->name = tg_emit_name(e, "t");
    }
    return e->rt->c.diag.kind == TG_ERR_NONE;
}

/* Small tensors in the formula get a name. */
static bool name_tables(tg_emitter *e) {
    for (size_t i = 0; i < e->count; i++) {
        const tg_node *n = e->node[i];
        bool leaf = tg_emit_is_leaf(n) && n->op != &tg_op_number && n->op != &tg_op_size;
        const tg_view *v = leaf ? tg_emit_literal(e, n) : NULL;
        if (v && v->rank > 0 && !(e->info[i].name = tg_emit_name(e, "constant"))) return false;
    }
    return true;
}

/* ---- the function ---- */

/* The text, without what would end or begin a comment. */
static void put_remark(tg_str *s, const char *text) {
    for (const char *p = text; *p; p++) {
        tg_str_addc(s, *p);
        if ((*p == '*' && p[1] == '/') || (*p == '/' && p[1] == '*')) tg_str_addc(s, ' ');
        if (*p == '\n') tg_str_add(s, " * ");
    }
}

static void put_shape_remark(const tg_emitter *e, tg_str *s, const char *name, const tg_type *t,
                             bool constant) {
    tg_str_addf(s, " * %s: ", name);
    if (t->rank)
        tg_shape_print(e->rt, s, t->rank, t->dim);
    else
        tg_str_add(s, "a number");
    tg_str_add(s, constant ? ", a constant of the formula\n" : "\n");
}

static bool put_comment(const tg_c_writer *c, tg_str *s) {
    const tg_emitter *e = c->w.e;
    tg_str_add(s, "/*");
    for (int i = 0; i < e->ask->n; i++) {
        tg_str t = {0};
        bool ok = tg_node_print(e->rt, &t, e->ask->root[i], false);
        tg_str_addf(s, i ? " * %s = " : " %s = ", c->result[i]);
        put_remark(s, tg_str_text(&t));
        tg_str_addc(s, '\n');
        if (t.failed) s->failed = true;
        tg_str_free(&t);
        if (!ok) return false;
    }
    tg_str_add(s, " *\n");
    for (int i = 0; i < e->nparams; i++)
        put_shape_remark(e, s, e->param[i].name, &e->param[i].node->type,
                         e->param[i].node->op == &tg_op_const);
    for (int i = 0; i < e->ask->n; i++)
        put_shape_remark(e, s, c->result[i], &e->root[i]->type, false);
    tg_str_add(s, " *\n * Returns 0; 1: no memory, 2: an index or a size out of range, 3: a matrix "
                  "that is singular\n * or not positive definite. */\n");
    return true;
}

/* int f(long N, const double *X, double lambda, double *out) { */
static void put_signature(const tg_c_writer *c, tg_str *s) {
    const tg_emitter *e = c->w.e;
    const char *real = tg_c_real(e);
    int n = 0;
    tg_str_addf(s, "int %s(", e->function);
    for (int i = 0; i < e->nsizes; i++)
        tg_str_addf(s, n++ ? ", long %s" : "long %s", e->size[i].name);
    for (int i = 0; i < e->nparams; i++) {
        tg_str_add(s, n++ ? ", " : "");
        tg_str_addf(s, e->param[i].node->type.rank ? "const %s *%s" : "%s %s", real,
                    e->param[i].name);
    }
    for (int i = 0; i < e->ask->n; i++)
        tg_str_addf(s, n++ ? ", %s *%s" : "%s *%s", real, c->result[i]);
    tg_str_add(s, n ? ") {\n" : "void) {\n");
}

/* The workspace: one block, of which each buffer has its part. */
static void put_workspace(const tg_c_writer *c, tg_str *s) {
    const tg_emitter *e = c->w.e;
    const char *real = tg_c_real(e);
    if (c->nbuffers == 0) return;
    tg_str_add(s, "    size_t need = 1;\n");
    for (int b = 0; b < c->nbuffers; b++) {
        tg_str_addf(s, "    const size_t at%d = tg_reserve(&need, ", b);
        tg_c_put_shape(e, s, &c->buffer[b]->type);
        tg_str_add(s, ");\n");
    }
    tg_str_addf(s, "    %s *const work = need ? malloc(need * sizeof *work) : NULL;\n", real);
    tg_str_add(s, "    if (!work) return 1;\n");
    for (size_t i = 0; i < e->count; i++)
        if (c->spot[i].buffer >= 0)
            tg_str_addf(s, "    %s *const %s = work + at%d;\n", real, e->info[i].name,
                        c->spot[i].buffer);
}

static void put_declarations(const tg_c_writer *c, tg_str *s, const char *body, bool fails) {
    const tg_emitter *e = c->w.e;
    size_t begin = s->len;
    if (fails) tg_str_add(s, "    int status = 0;\n");
    put_workspace(c, s);
    for (size_t i = 0; i < e->count; i++) {
        const tg_node *n = e->node[i];
        if (!tg_emit_is_leaf(n) || e->info[i].arg >= 0 || !e->info[i].name) continue;
        if (!tg_emit_mentions(body, e->info[i].name)) continue;
        tg_str_addf(s, "    static const %s %s[] = ", tg_c_real(e), e->info[i].name);
        put_elements(e, s, n);
        tg_str_add(s, ";\n");
    }
    tg_str unused = {0};
    for (int i = 0; i < e->nsizes; i++)
        if (!tg_emit_mentions(body, e->size[i].name) &&
            !tg_emit_mentions(tg_str_text(s) + begin, e->size[i].name))
            tg_str_addf(&unused, "    (void)%s;\n", e->size[i].name);
    for (int i = 0; i < e->nparams; i++)
        if (!tg_emit_mentions(body, e->param[i].name))
            tg_str_addf(&unused, "    (void)%s;\n", e->param[i].name);
    tg_str_add(s, tg_str_text(&unused));
    if (unused.failed) s->failed = true;
    tg_str_free(&unused);
}

static bool put_function(tg_c_writer *c, tg_str *s) {
    tg_emitter *e = c->w.e;
    tg_str body = {0};
    bool ok = name_results(c) && name_tables(e) && tg_c_plan(c) && put_statements(c, &body) &&
              put_copies(c, &body) && put_comment(c, s);
    if (ok) {
        const char *text = tg_str_text(&body);
        bool fails = strstr(text, or_leave) != NULL;
        put_signature(c, s);
        put_declarations(c, s, text, fails);
        tg_str_add(s, text);
        tg_str_add(s, fails ? "done:\n" : "");
        tg_str_add(s, c->nbuffers ? "    free(work);\n" : "");
        tg_str_add(s, fails ? "    return status;\n}\n" : "    return 0;\n}\n");
    }
    if (body.failed) s->failed = true;
    tg_str_free(&body);
    return ok;
}

/* ---- what stands before it ---- */

static const tg_c_helper *const tables[] = {tg_c_helpers_lines, tg_c_helpers_places,
                                            tg_c_helpers_matrix, tg_c_helpers_spectrum,
                                            tg_c_helpers_windows};
enum { TABLES = sizeof tables / sizeof *tables, MOST = 128 };

/* The text with the element type in place of the word `real`. */
static void put_typed(const tg_emitter *e, tg_str *s, const char *text) {
    for (const char *p = text; *p;) {
        size_t k = 0;
        while (isalnum((unsigned char)p[k]) || p[k] == '_') k++;
        if (is_word(p, k, "real"))
            tg_str_add(s, tg_c_real(e));
        else
            tg_str_addn(s, p, k ? k : 1);
        p += k ? k : 1;
    }
}

/* The functions that are called, directly or by others, in the tables' order. */
static void put_helpers(const tg_emitter *e, tg_str *s, const char *body) {
    const tg_c_helper *all[MOST];
    bool needed[MOST] = {false};
    int n = 0;
    for (int t = 0; t < TABLES; t++)
        for (const tg_c_helper *h = tables[t]; h->name && n < MOST; h++) all[n++] = h;
    for (int i = n - 1; i >= 0; i--) {
        needed[i] = tg_emit_mentions(body, all[i]->name);
        for (int k = i + 1; k < n && !needed[i]; k++)
            needed[i] = needed[k] && tg_emit_mentions(all[k]->text, all[i]->name);
    }
    for (int i = 0; i < n; i++) {
        if (!needed[i]) continue;
        put_typed(e, s, all[i]->text);
        tg_str_addc(s, '\n');
    }
}

static bool write_c(tg_emitter *e) {
    tg_c_writer c = {.w = {e, argument, attribute, word}};
    tg_str function = {0}, all = {0}, *out = e->out; /* all: what functions are called from */
    bool ok = put_function(&c, &function);
    if (ok) {
        tg_c_put_kernels(e, &all, tg_str_text(&function));
        tg_str_add(&all, tg_str_text(&function));
        tg_str_add(out, "#include <math.h>\n#include <stdlib.h>\n\n");
        put_helpers(e, out, tg_str_text(&all));
        tg_str_add(out, tg_str_text(&all));
    }
    if (function.failed || all.failed) out->failed = true;
    tg_str_free(&function);
    tg_str_free(&all);
    tg_c_plan_free(&c);
    return ok;
}

/* Keywords, of later standards too, macros that are no functions, and what the function calls. */
static const char *const words[] = {"auto",         "break",    "case",     "char",
                                    "const",        "continue", "default",  "do",
                                    "double",       "else",     "enum",     "extern",
                                    "float",        "for",      "goto",     "if",
                                    "inline",       "int",      "long",     "register",
                                    "restrict",     "return",   "short",    "signed",
                                    "sizeof",       "static",   "struct",   "switch",
                                    "typedef",      "union",    "unsigned", "void",
                                    "volatile",     "while",    "bool",     "true",
                                    "false",        "nullptr",  "typeof",   "constexpr",
                                    "thread_local", "alignas",  "alignof",  "static_assert",
                                    "asm",          "linux",    "unix",     "work",
                                    "need",         "status",   "done",     "NULL",
                                    "NAN",          "INFINITY", "HUGE_VAL", "HUGE_VALF",
                                    "RAND_MAX",     "malloc",   "free",     "size_t",
                                    "exp",          "expf",     "expm1",    "expm1f",
                                    "log",          "logf",     "log2",     "log2f",
                                    "log10",        "log10f",   "log1p",    "log1pf",
                                    "sqrt",         "sqrtf",    "sin",      "sinf",
                                    "cos",          "cosf",     "tan",      "tanf",
                                    "asin",         "asinf",    "acos",     "acosf",
                                    "atan",         "atanf",    "atan2",    "atan2f",
                                    "sinh",         "sinhf",    "cosh",     "coshf",
                                    "tanh",         "tanhf",    "erf",      "erff",
                                    "erfc",         "erfcf",    "pow",      "powf",
                                    "fabs",         "fabsf",    "fmod",     "fmodf",
                                    "floor",        "floorf",   "ceil",     "ceilf",
                                    "rint",         "rintf",    "i",        "i0",
                                    "i1",           "i2",       "i3",       "i4",
                                    "i5",           "i6",       "i7",       NULL};

/* Other functions of the standard library, whose names a function of ours cannot have. */
static const char *const library[] = {
    "main",     "abs",     "labs",    "div",         "ldiv",   "atof",      "atoi",      "atol",
    "rand",     "srand",   "calloc",  "realloc",     "abort",  "exit",      "system",    "getenv",
    "qsort",    "bsearch", "signbit", "gamma",       "lgamma", "tgamma",    "j0",        "j1",
    "jn",       "y0",      "y1",      "yn",          "round",  "lround",    "trunc",     "hypot",
    "cbrt",     "fma",     "fmax",    "fmin",        "fdim",   "logb",      "ilogb",     "scalb",
    "scalbn",   "ldexp",   "frexp",   "modf",        "nan",    "nextafter", "remainder", "remquo",
    "copysign", "drem",    "finite",  "significand", "isnan",  "isinf",     "acosh",     "asinh",
    "atanh",    "exp2",    "exp10",   "pow10",       "random", "select",    "index",     "printf",
    "puts",     "time",    "signal",  "raise",       "read",   "write",     "open",      "close",
    NULL};

const tg_emit_target tg_emit_c = {.name = "c",
                                  .spelling = c_of,
                                  .write = write_c,
                                  .reserved = words,
                                  .sizes_given = true,
                                  .library = library,
                                  .inlines = inlines};
