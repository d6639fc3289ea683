/* Formulas as LaTeX. Each operation's record has a template; this file puts the arguments into it
 * and brackets around them. A template also tells how closely it binds: that of an infix operator
 * by its precedence; one that ends in {0!} takes all products behind it, as a sum does; one with an
 * exponent binds as a power; any other is one thing.
 *
 * Conventions, which docs/export.md states for readers: x * y is x \odot y only where both are
 * tensors; a vector is a column, so that a @ b reads a^\top b; a letter under a sum, i, j, k, ...,
 * stands for the axis summed over, the first, the second, the third.
 *
 * Arguments are written into strings of their own, for what surrounds them depends on how they
 * begin. A formula is a graph and its text may be exponentially longer, so that a count of what was
 * written ends it, as print.c does. */
#include "runtime/graph/loop.h"
#include "runtime/graph/ruled.h"
#include "runtime/export/latex.h"
#include "runtime/graph/print.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { LIMIT = 4000, DEPTH = 200, WIDE = 72 };

/* How closely text binds. Those of infix operators are twice their precedence in op.h; a matrix
 * product, which is written without a sign, binds closer than an elementwise one. */
enum {
    SUM = 10,
    BIG = 11,
    TIMES = 12,
    BESIDE = 13,
    MINUS = 14,
    FRACTION = 15,
    RAISED = 16,
    ONE = 20
};

typedef struct writer {
    tg_rt *rt;
    const tg_node *root;
    size_t written; /* characters of leaves and templates so far */
    bool followed;  /* a term comes behind the next argument, and would read as one of its sum */
    bool cut;
} writer;

static bool write_node(writer *w, tg_str *s, const tg_node *n, int depth);

/* ---- what a node is ---- */

static bool is_leaf(const tg_node *n) {
    return n->op->class == TG_CLASS_LEAF;
}

static const char *name_of(const writer *w, const tg_node *n) {
    if (n->op == &tg_op_cell) return n->leaf.cell->name;
    if (n->op == &tg_op_const) return n->label;
    return is_leaf(n) || n == w->root ? NULL : n->label;
}

/* The template, or NULL where the call is written out. */
static const char *template_of(const tg_node *n) {
    if (n->op->style == TG_PRINT_PRIME && !tg_node_is_prime(n)) return NULL;
    return n->op->latex;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_product(const tg_node *n) {
    return n->op->latex && strcmp(n->op->latex, "{0} \\cdot {1}") == 0;
}

static int level_of(const writer *w, const tg_node *n) {
    while (n->op == &tg_op_parameter) n = n->arg[0];
    if (name_of(w, n)) return ONE;
    if (n->op == &tg_op_number)
        return signbit(n->leaf.number) && !isnan(n->leaf.number) ? SUM : ONE;
    if (n->op == &tg_op_size) return SUM; /* N - 1 */
    if (is_leaf(n)) return ONE;
    const char *t = template_of(n);
    if (n->op->style == TG_PRINT_INDEX) return RAISED;
    if (!t) return ONE;
    if (strcmp(t, "{0}") == 0) return level_of(w, n->arg[0]);
    if (is_product(n) && level_of(w, n->arg[1]) == BIG) return BIG;
    if (is_product(n) && (n->arg[0]->type.rank == 0 || n->arg[1]->type.rank == 0)) return BESIDE;
    if (strstr(t, "\\frac")) return FRACTION;
    if (ends_with(t, "!}")) return BIG;
    if (n->op->style == TG_PRINT_INFIX && !strstr(t, "^{{"))
        return 2 * n->op->precedence + (n->op->class == TG_CLASS_LINEAR);
    if (n->op->style == TG_PRINT_PREFIX) /* -\sum x takes what is behind it, as \sum x does */
        return level_of(w, n->arg[0]) == BIG ? SUM : 2 * n->op->precedence;
    return n->op->class == TG_CLASS_LINEAR && strchr(t, ' ') ? BESIDE
           : strstr(t, "^{")                                 ? RAISED
                                                             : ONE;
}

/* ---- brackets ---- */

static void add(writer *w, tg_str *s, const char *text, size_t n) {
    tg_str_addn(s, text, n);
    w->written += n;
}

/* The argument in brackets if it binds less closely than `min`, or, `after` something, begins with
 * a minus sign. */
static bool write_argument(writer *w, tg_str *s, const tg_node *n, int min, bool after, int depth) {
    tg_str own = {0};
    int level = level_of(w, n);
    bool brackets = (min > 0 && level < min) || (w->followed && level == BIG && !is_product(n));
    w->followed = w->followed && !brackets;
    bool ok = write_node(w, &own, n, depth + 1);
    const char *text = tg_str_text(&own);
    brackets = brackets || (min > 0 && after && text[0] == '-');
    if (brackets) tg_str_add(s, "\\left(");
    tg_str_addn(s, text, own.len);
    if (brackets) tg_str_add(s, "\\right)");
    if (own.failed) s->failed = true;
    tg_str_free(&own);
    return ok;
}

/* ---- attributes ---- */

/* The letters of the axes in the mask. */
static void write_axes(tg_str *s, int64_t mask) {
    static const char letters[] = "ijklmnpq";
    tg_str_add(s, "_{");
    for (int i = 0; i < TG_MAX_RANK; i++)
        if (mask >> i & 1) tg_str_addc(s, letters[i]);
    tg_str_addc(s, '}');
}

static int rank_of(const tg_node *n) {
    return n->n > 0 ? n->arg[0]->type.rank : 0;
}

static void write_size(writer *w, tg_str *s, tg_size size) {
    tg_str t = {0};
    tg_size_print(w->rt, &t, size);
    tg_latex_text(s, tg_str_text(&t));
    if (t.failed) s->failed = true;
    tg_str_free(&t);
}

/* {axis} of a template: nothing where it is at its default. */
static bool write_attribute(writer *w, tg_str *s, const tg_node *n, int i) {
    const tg_op *op = n->op;
    int count, at = tg_op_values(op, n->at, i, &count);
    tg_param_kind kind = op->param[i].kind;
    if (kind == TG_P_AXES || kind == TG_P_AXIS || kind == TG_P_NEWAXIS) {
        int64_t v = n->at->v[at];
        int64_t mask = kind == TG_P_AXES ? v : INT64_C(1) << v;
        int64_t all = (INT64_C(1) << rank_of(n)) - 1;
        bool plain = op->param[i].dflt && strcmp(op->param[i].dflt, "none") == 0
                         ? mask == all
                         : rank_of(n) < 2 && mask == all;
        if (!plain && mask) write_axes(s, mask);
        return true;
    }
    if (kind == TG_P_SHAPE) tg_str_add(s, count == 1 ? "" : "(");
    for (int k = 0; k < count; k++) {
        if (k > 0) tg_str_add(s, ", ");
        if (kind == TG_P_REAL && !(n->at->sizes >> (at + k) & 1))
            tg_latex_number(s, tg_attr_real(n->at, at + k));
        else
            write_size(w, s, n->at->v[at + k]);
    }
    if (kind == TG_P_SHAPE) tg_str_add(s, count == 1 ? "" : ")");
    return true;
}

/* ---- templates ---- */

static int find_parameter(const tg_op *op, const char *name, size_t n) {
    for (int i = 0; op->param[i].name; i++)
        if (strlen(op->param[i].name) == n && memcmp(op->param[i].name, name, n) == 0 &&
            op->param[i].kind != TG_P_TENSOR)
            return i;
    return -1;
}

/* How closely an argument must bind to go without brackets; it stands `right` of something, between
 * `before` and `after`, and `tight` says that the template asks for it. */
static int least(const tg_op *op, char before, const char *after, bool right, bool tight) {
    if (tight) return op->class == TG_CLASS_REDUCE ? TIMES : RAISED;
    if (before == '{' && after[0] == '}') return 0; /* inside of braces */
    if (strncmp(after, "^{", 2) == 0) return ONE;
    if (op->class == TG_CLASS_LINEAR && strchr(op->latex, ' ')) return BESIDE + right;
    if (op->style == TG_PRINT_INFIX) return 2 * op->precedence + (right || op->precedence == 4);
    if (op->style == TG_PRINT_PREFIX) return op->precedence == 7 ? BIG : 2 * op->precedence;
    return 0;
}

static bool write_transposed(writer *w, tg_str *s, const tg_node *n, int depth);

/* 1/3 in an exponent. False: the number is none, or as short in decimals. */
static bool write_fraction(writer *w, tg_str *s, const tg_node *n) {
    if (n->op != &tg_op_number || name_of(w, n)) return false;
    double x = n->leaf.number;
    for (int q = 3; q <= 12 && fabs(x) < 100; q++) {
        double p = round(x * q);
        if (p == 0 || p / q != x || x * 1000 == round(x * 1000)) continue;
        tg_str_addf(s, "%.0f/%d", p, q);
        return true;
    }
    return false;
}

static bool is_sum(const tg_node *n) {
    return n->op->style == TG_PRINT_INFIX && 2 * n->op->precedence == SUM && n->n == 2;
}

/* May what follows n be taken for a part of its last argument? */
static bool passes_on(const tg_node *n) {
    return is_sum(n) || is_product(n) || n->op->style == TG_PRINT_PREFIX;
}

/* What follows the i-th argument of n, if `tail` says whether n itself is followed by a term. */
static bool is_followed(const writer *w, const tg_node *n, int i, bool tail) {
    if (is_sum(n)) return i == 0 ? level_of(w, n->arg[1]) != BIG : tail;
    return n->op->style == TG_PRINT_PREFIX && tail;
}

static bool write_template(writer *w, tg_str *s, const tg_node *n, const char *t, int depth) {
    const char *start = t;
    bool tail = w->followed;
    w->followed = false;
    for (const char *p = t; *p;) {
        bool argument = p[0] == '{' && isdigit((unsigned char)p[1]) &&
                        (p[2] == '}' || (p[2] == '!' && p[3] == '}'));
        if (argument) {
            int i = p[1] - '0';
            bool tight = p[2] == '!';
            const char *after = p + 3 + tight;
            if (i >= n->n) return false;
            if (strncmp(after, "^{\\top}", 7) == 0) {
                if (!write_transposed(w, s, n->arg[i], depth)) return false;
                p = after + 7;
                continue;
            }
            bool right = p > start;
            int min = least(n->op, right ? p[-1] : ' ', after, right, tight);
            bool exponent = p > start + 1 && p[-1] == '{' && p[-2] == '^' && after[0] == '}';
            if (exponent && write_fraction(w, s, n->arg[i])) {
                p = after;
                continue;
            }
            w->followed = is_followed(w, n, i, tail);
            if (!write_argument(w, s, n->arg[i], min, right, depth)) return false;
            w->followed = false;
            p = after;
            continue;
        }
        size_t len = p[0] == '{' ? strcspn(p + 1, "}") : 0;
        int k = len && p[len + 1] ? find_parameter(n->op, p + 1, len) : -1;
        if (k >= 0) {
            if (!write_attribute(w, s, n, k)) return false;
            p += len + 2;
        } else {
            add(w, s, p++, 1);
        }
    }
    return true;
}

/* n as a row, where it is a column: n^\top, without writing two where it is one already. */
static bool write_transposed(writer *w, tg_str *s, const tg_node *n, int depth) {
    bool named = name_of(w, n) != NULL;
    if (!named && !is_leaf(n) && tg_node_is_prime(n))
        return write_argument(w, s, n->arg[0], BESIDE, false, depth);
    if (!named && !is_leaf(n) && n->op->latex_turned)
        return write_template(w, s, n, n->op->latex_turned, depth + 1);
    if (!write_argument(w, s, n, ONE, true, depth)) return false;
    tg_str_add(s, "^{\\top}");
    return true;
}

/* x * y: a dot between numbers, \odot between tensors, nothing but a little room otherwise. */
static bool write_product(writer *w, tg_str *s, const tg_node *n, int depth) {
    const tg_node *a = n->arg[0], *b = n->arg[1];
    tg_str right = {0};
    bool tail = w->followed;
    w->followed = false;
    bool ok = write_argument(w, s, a, TIMES, false, depth);
    w->followed = tail;
    ok = ok && write_argument(w, &right, b, level_of(w, b) == BIG ? BIG : BESIDE, true, depth);
    const char *text = tg_str_text(&right);
    bool tensors = a->type.rank > 0 && b->type.rank > 0;
    tg_str_add(s, tensors ? " \\odot " : isdigit((unsigned char)text[0]) ? " \\cdot " : " \\, ");
    tg_str_addn(s, text, right.len);
    if (right.failed) s->failed = true;
    tg_str_free(&right);
    return ok;
}

/* \operatorname{name}(x, y, axis=1) */
static bool write_call(writer *w, tg_str *s, const tg_node *n, int depth) {
    tg_attrs spelt;
    const tg_op *shorter = n->op->spell ? n->op->spell(w->rt, n->at, &spelt) : NULL;
    const tg_op *op = shorter ? shorter : n->op;
    const char *name = op->shown ? op->shown : op->name;
    tg_str_add(s, "\\operatorname{");
    for (; *name; name++) {
        if (*name == '_') tg_str_addc(s, '\\');
        add(w, s, name, 1);
    }
    tg_str_add(s, "}\\left(");
    for (int i = 0; i < n->n; i++) {
        if (i > 0) tg_str_add(s, ", ");
        if (!write_argument(w, s, n->arg[i], 0, false, depth)) return false;
    }
    tg_str t = {0};
    tg_op_print_attrs(w->rt, &t, op, rank_of(n), shorter ? &spelt : n->at, n->n == 0);
    tg_latex_text(s, tg_str_text(&t));
    if (t.failed) s->failed = true;
    tg_str_free(&t);
    tg_str_add(s, "\\right)");
    return true;
}

/* The call of a function with a rule, by its text: its name, then the arguments, \1 for each that
 * is a formula. */
static bool write_ruled(writer *w, tg_str *s, const tg_node *n, int depth) {
    int part = 0, parts;
    tg_node *const *args = tg_node_shown_arguments(n, &parts);
    const char *text = tg_ruled_of(n).text;
    size_t name = strcspn(text, "(");
    tg_latex_name(s, text, name);
    tg_str plain = {0};
    bool ok = true;
    for (text += name; ok && *text; text++) {
        if (*text != 1) {
            tg_str_addc(&plain, *text);
            continue;
        }
        tg_latex_text(s, tg_str_text(&plain));
        tg_str_free(&plain);
        plain = (tg_str){0};
        ok = write_argument(w, s, args[part++], 0, false, depth);
    }
    tg_latex_text(s, tg_str_text(&plain));
    tg_str_free(&plain);
    return ok;
}

/* A_{0,1}; what has an index by its name is set in braces, for TeX refuses a second one. */
static bool write_index(writer *w, tg_str *s, const tg_node *n, int depth) {
    tg_str t = {0}, base = {0}, bare = {0};
    bool ok = write_argument(w, &base, n->arg[0], ONE, false, depth) &&
              n->op->print(w->rt, &t, n->at, rank_of(n));
    bool twice = strstr(tg_str_text(&base), "_{") != NULL;
    tg_str_addf(s, twice ? "{%s}_{" : "%s_{", tg_str_text(&base));
    for (size_t i = 1; ok && i + 1 < t.len; i++) /* of [0, 1] */
        if (t.text[i] != ' ') tg_str_addc(&bare, t.text[i]);
    tg_latex_text(s, tg_str_text(&bare));
    tg_str_addc(s, '}');
    if (t.failed || base.failed || bare.failed) s->failed = true;
    tg_str_free(&t);
    tg_str_free(&base);
    tg_str_free(&bare);
    return ok;
}

/* ---- leaves ---- */

static void write_element(tg_str *s, const tg_view *v, int64_t flat) {
    double x = tg_view_get(v, flat);
    if (v->dtype == TG_BOOL)
        tg_str_add(s, x != 0 ? "\\text{true}" : "\\text{false}");
    else
        tg_latex_number(s, v->dtype == TG_F32 ? (double)(float)x : x);
}

/* A vector as a column, a matrix as a matrix; anything large by its shape. */
static void write_tensor(writer *w, tg_str *s, const tg_view *v) {
    enum { ELEMENTS = 12, COLUMNS = 6 };
    int64_t count = tg_view_count(v), cols = v->rank == 2 ? v->dim[1] : 1;
    if (v->rank == 0) {
        write_element(s, v, 0);
    } else if (count > 0 && count <= ELEMENTS && v->rank <= 2 && cols <= COLUMNS) {
        tg_str_add(s, "\\begin{pmatrix} ");
        for (int64_t i = 0; i < count; i++) {
            if (i > 0) tg_str_add(s, i % cols ? " & " : " \\\\ ");
            write_element(s, v, i);
        }
        tg_str_add(s, " \\end{pmatrix}");
    } else {
        tg_str_addf(s, "\\langle\\text{%s}", tg_dtype_name(v->dtype));
        for (int i = 0; i < v->rank; i++) {
            tg_str_add(s, i ? " \\times " : "\\ ");
            write_size(w, s, v->dim[i]);
        }
        tg_str_add(s, "\\rangle");
    }
}

static bool write_list(writer *w, tg_str *s, int n, tg_node *const *x, int depth) {
    if (n != 1) tg_str_add(s, "\\left(");
    for (int i = 0; i < n; i++) {
        tg_str_add(s, i ? ", " : "");
        if (!write_argument(w, s, x[i], 0, false, depth)) return false;
    }
    if (n != 1) tg_str_add(s, "\\right)");
    return true;
}

/* A loop as the map of a turn, what it begins with, and what it walks over. */
static bool write_item(writer *w, tg_str *s, const tg_node *n, int depth) {
    const tg_node *bundle = n->arg[0];
    const tg_loop *l = tg_loop_of(bundle);
    const bool stack = tg_item_formula(n) != NULL;
    tg_loop_text t;
    if (!tg_loop_text_open(w->rt, n, &t)) return false;
    tg_str_add(s, "\\operatorname{scan}\\left(\\left(");
    tg_latex_name(s, t.state, strlen(t.state));
    tg_str_add(s, ", ");
    tg_latex_name(s, t.row, strlen(t.row));
    tg_str_add(s, "\\right) \\mapsto \\left(");
    bool ok = write_list(w, s, l->carries, t.next, depth);
    tg_str_add(s, ", ");
    if (!stack) tg_str_add(s, "\\cdot");
    ok = ok && (!stack || write_argument(w, s, t.next[l->carries], 0, false, depth));
    tg_loop_text_close(w->rt, &t);
    tg_str_add(s, "\\right), ");
    ok = ok && write_list(w, s, l->carries, bundle->arg, depth);
    tg_str_add(s, ", ");
    if (l->xs == 0) write_size(w, s, tg_loop_turns(bundle));
    ok = ok && (l->xs == 0 || write_list(w, s, l->xs, bundle->arg + l->carries, depth));
    if (l->reverse) tg_latex_text(s, ", reverse=true");
    tg_str_addf(s, "\\right)_{%d", stack);
    if (!stack && l->carries > 1) tg_str_addf(s, ", %d", tg_item_carry(n));
    tg_str_addc(s, '}');
    return ok;
}

static void write_leaf(writer *w, tg_str *s, const tg_node *n) {
    if (n->op == &tg_op_number)
        tg_latex_number(s, n->leaf.number);
    else if (n->op == &tg_op_size)
        write_size(w, s, n->leaf.size);
    else if (n->op == &tg_op_const)
        write_tensor(w, s, &n->leaf.tensor->v);
    else if (n->leaf.cell->value)
        write_tensor(w, s, &n->leaf.cell->value->v);
    else
        tg_str_add(s, "\\square");
}

static bool write_operation(writer *w, tg_str *s, const tg_node *n, int depth) {
    const char *t = template_of(n);
    if (!passes_on(n)) w->followed = false;
    if (tg_node_is_ruled(n)) return write_ruled(w, s, n, depth);
    if (tg_node_is_item(n)) return write_item(w, s, n, depth);
    if (n->op->style == TG_PRINT_INDEX) return write_index(w, s, n, depth);
    if (!t) return write_call(w, s, n, depth);
    if (is_product(n)) return write_product(w, s, n, depth);
    return write_template(w, s, n, t, depth);
}

static bool write_node(writer *w, tg_str *s, const tg_node *n, int depth) {
    if (w->cut || w->written > LIMIT || depth > DEPTH) {
        tg_str_add(s, "\\cdots");
        w->cut = w->cut || w->written > LIMIT;
        return true;
    }
    if (!tg_guard(&w->rt->c)) return false;
    w->written++;
    while (n->op == &tg_op_parameter) n = n->arg[0];
    const char *name = name_of(w, n);
    size_t before = s->len;
    bool ok = true;
    if (name)
        tg_latex_name(s, name, strlen(name));
    else if (is_leaf(n))
        write_leaf(w, s, n);
    else
        ok = write_operation(w, s, n, depth);
    if (name || is_leaf(n)) w->written += s->len - before;
    return ok;
}

/* ---- lines ---- */

/* About as wide as so many characters: commands count as one, braces as nothing. */
static size_t width_of(const char *text) {
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\\') {
            while (isalpha((unsigned char)p[1])) p++;
            n++;
        } else if (!strchr("{}^_ ", *p)) {
            n++;
        }
    }
    return n;
}

/* The places of + and - between the terms: outside of all brackets and braces. */
static bool is_break(const char *text, const char *p, int depth) {
    return depth == 0 && p > text && (*p == '+' || *p == '-') && p[-1] == ' ' && p[1] == ' ';
}

/* Breaks what is too wide before its terms, as many on a line as fit. */
static void add_broken(tg_str *s, const char *name, const char *text) {
    tg_str_add(s, "\\begin{aligned} ");
    if (name) tg_str_add(s, name);
    tg_str_add(s, name ? " ={} & " : "& ");
    int depth = 0;
    const char *line = text;
    for (const char *p = text; *p; p++) {
        depth += (*p == '{') - (*p == '}');
        if (strncmp(p, "\\left", 5) == 0 && !isalpha((unsigned char)p[5])) depth++;
        if (strncmp(p, "\\right", 6) == 0 && !isalpha((unsigned char)p[6])) depth--;
        if (strncmp(p, "\\begin", 6) == 0) depth++;
        if (strncmp(p, "\\end", 4) == 0) depth--;
        if (!is_break(text, p, depth)) continue;
        int inner = 0; /* would the term that begins here still fit? */
        const char *q = p + 1;
        for (; *q; q++) {
            inner += (*q == '{') - (*q == '}');
            if (strncmp(q, "\\left", 5) == 0 && !isalpha((unsigned char)q[5])) inner++;
            if (strncmp(q, "\\right", 6) == 0 && !isalpha((unsigned char)q[6])) inner--;
            if (is_break(text, q, inner)) break;
        }
        tg_str so_far = {0};
        tg_str_addn(&so_far, line, (size_t)(q - line));
        bool fits = width_of(tg_str_text(&so_far)) <= WIDE;
        if (so_far.failed) s->failed = true;
        tg_str_free(&so_far);
        if (fits) continue;
        tg_str_addn(s, line, (size_t)(p - line));
        tg_str_add(s, "\\\\ & {}");
        line = p;
    }
    tg_str_add(s, line);
    tg_str_add(s, " \\end{aligned}");
}

bool tg_latex(tg_rt *rt, tg_str *s, const tg_node *n, const char *name) {
    writer w = {.rt = rt, .root = n};
    tg_str text = {0}, left = {0};
    if (name) tg_latex_name(&left, name, strlen(name));
    bool ok = write_node(&w, &text, n, 0);
    if (ok && width_of(tg_str_text(&text)) > WIDE) {
        add_broken(s, name ? tg_str_text(&left) : NULL, tg_str_text(&text));
    } else if (ok) {
        if (name) tg_str_addf(s, "%s = ", tg_str_text(&left));
        tg_str_add(s, tg_str_text(&text));
    }
    bool failed = s->failed || text.failed || left.failed;
    tg_str_free(&text);
    tg_str_free(&left);
    return failed ? tg_fail_memory(&rt->c) : ok;
}
