/* Loops over elements in emitted C. An elementwise operation is its kernel, the text in its record,
 * with arguments in place of the parameters; a kernel that names a parameter twice, or the element
 * type, becomes a function. A value with the shape of the loop is read at the loop's place, one
 * that is stretched where its own axes say. */
#include "runtime/export/emit_c.h"
#include "runtime/graph/print.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <string.h>

const char *tg_c_real(const tg_emitter *e) {
    return e->precision == TG_F32 ? "float" : "double";
}

void tg_c_put_number(const tg_emitter *e, tg_str *s, double x) {
    bool narrow = e->precision == TG_F32;
    if (isnan(x)) {
        tg_str_add(s, "NAN");
        return;
    }
    if (isinf(narrow ? (double)(float)x : x)) {
        tg_str_add(s, x < 0 ? "(-INFINITY)" : "INFINITY");
        return;
    }
    tg_str t = {0};
    if (fabs(x) == 3.14159265358979323846)
        tg_str_add(&t, x < 0 ? "-3.141592653589793" : "3.141592653589793");
    else
        tg_number_print(&t, x == 0 ? 0 : x);
    const char *text = tg_str_text(&t);
    tg_str_addf(s, text[0] == '-' ? "(%s%s%s)" : "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0",
                narrow ? "f" : "");
    if (t.failed) s->failed = true;
    tg_str_free(&t);
}

void tg_c_put_shape(const tg_emitter *e, tg_str *s, const tg_type *t) {
    if (t->rank == 0) {
        tg_str_add(s, "0, NULL");
        return;
    }
    tg_str_addf(s, "%d, (const long[]){", t->rank);
    for (int i = 0; i < t->rank; i++) {
        if (i > 0) tg_str_add(s, ", ");
        tg_emit_size_text(e, s, t->dim[i], true);
    }
    tg_str_addc(s, '}');
}

/* ---- kernels ---- */

static size_t word_at(const char *p) {
    size_t k = 0;
    while (isalnum((unsigned char)p[k]) || p[k] == '_') k++;
    return k;
}

static bool is_word(const char *word, size_t len, const char *is) {
    return strlen(is) == len && memcmp(word, is, len) == 0;
}

/* How often `word` is in the text. */
static int occurrences(const char *text, const char *word) {
    int n = 0;
    for (const char *p = text; *p;) {
        size_t k = word_at(p);
        n += k && is_word(p, k, word);
        p += k ? k : 1;
    }
    return n;
}

bool tg_c_is_function(const tg_op *op) {
    bool all = occurrences(op->c, "T") == 0;
    for (int i = 0; op->param[i].name; i++) all = all && occurrences(op->c, op->param[i].name) == 1;
    return !all;
}

/* Is the kernel one call, f(x)? */
static bool is_call(const char *text) {
    size_t k = word_at(text);
    return k > 0 && text[k] == '(' && strcspn(text, ")") + 1 == strlen(text);
}

/* A word of a kernel that is no parameter: the element type, a function of the library or ours. */
static void put_word(const tg_emitter *e, tg_str *s, const char *p, size_t len) {
    if (is_word(p, len, "T")) {
        tg_str_add(s, tg_c_real(e));
    } else if (p[len] == '(' && isalpha((unsigned char)*p)) {
        bool ours = is_word(p, len, "floored_mod") || is_word(p, len, "clipped");
        if (ours) tg_str_add(s, "tg_");
        tg_str_addn(s, p, len);
        if (!ours && e->precision == TG_F32) tg_str_addc(s, 'f');
    } else {
        tg_str_addn(s, p, len);
    }
}

/* static double tg_relu(double x) { return x <= 0 ? 0 : x; } */
void tg_c_put_kernels(const tg_emitter *e, tg_str *s, const char *text) {
    const char *real = tg_c_real(e);
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        if (op->class != TG_CLASS_ELEMENTWISE || !op->c || !tg_c_is_function(op)) continue;
        tg_str call = {0};
        tg_str_addf(&call, "tg_%s", op->name);
        bool used = tg_emit_mentions(text, tg_str_text(&call));
        if (call.failed) s->failed = true;
        tg_str_free(&call);
        if (!used) continue;
        tg_str_addf(s, "static %s tg_%s(", real, op->name);
        for (int k = 0; op->param[k].name; k++)
            tg_str_addf(s, k ? ", %s %s" : "%s %s", real, op->param[k].name);
        tg_str_addf(s, ") {\n    return (%s)(", real);
        for (const char *p = op->c; *p;) {
            size_t k = word_at(p);
            if (k)
                put_word(e, s, p, k);
            else
                tg_str_addc(s, *p);
            p += k ? k : 1;
        }
        tg_str_add(s, ");\n}\n\n");
    }
}

/* ---- elements ---- */

typedef struct loop {
    int rank;
    bool flat; /* one counter over all elements */
} loop;

/* X[i0 * D + i1], or t.p[i0 * t.s[0] + ...] of a view */
static void put_element(const tg_c_writer *c, tg_str *s, const tg_node *n, const loop *l) {
    const tg_emitter *e = c->w.e;
    const char *name = tg_emit_info_of(e, n)->name;
    const tg_c_spot *spot = tg_c_spot_of(c, n);
    const tg_type *t = &n->type;
    if (spot->kind == TG_C_NUMBER) {
        tg_str_add(s, name);
        return;
    }
    tg_str_addf(s, spot->kind == TG_C_VIEW ? "%s.p[" : "%s[", name);
    if (l->flat && t->rank) {
        tg_str_add(s, "i]");
        return;
    }
    tg_str index = {0};
    for (int k = 0; k < t->rank; k++) {
        int axis = k + l->rank - t->rank;
        if (t->dim[k] == 1) continue;
        if (spot->kind == TG_C_VIEW) {
            tg_str_addf(&index, index.len ? " + i%d * %s.s[%d]" : "i%d * %s.s[%d]", axis, name, k);
            continue;
        }
        if (index.len) { /* (i0 * M + i1) * K + i2 */
            tg_str before = {0};
            tg_str_addf(&before, strchr(index.text, ' ') ? "(%s) * " : "%s * ", index.text);
            tg_emit_size_text(e, &before, t->dim[k], false);
            tg_str_addf(&before, " + i%d", axis);
            tg_str_free(&index);
            index = before;
        } else {
            tg_str_addf(&index, "i%d", axis);
        }
    }
    tg_str_addf(s, "%s]", index.len ? tg_str_text(&index) : "0");
    if (index.failed) s->failed = true;
    tg_str_free(&index);
}

/* Does the kernel give an int, true or false? */
static bool is_truth(const tg_node *n) {
    return tg_c_is_elementwise(n) && n->type.dtype == TG_BOOL && !tg_c_is_function(n->op);
}

/* Is argument i taken as true or false? */
static bool wants_truth(const tg_emitter *e, const tg_node *n, int i) {
    tg_type in[TG_MAX_TENSORS], out = {0};
    tg_dtype want[TG_MAX_TENSORS];
    for (int k = 0; k < n->n; k++) in[k] = n->arg[k]->type, want[k] = in[k].dtype;
    return n->op->infer(e->rt, n->op, n->n, in, n->at, &out, want) && want[i] == TG_BOOL &&
           strcmp(n->op->name, "bool") != 0;
}

static bool put_value(tg_c_writer *c, tg_str *s, const tg_node *n, const loop *l);

static bool is_arithmetic(const tg_op *op) {
    return op->class == TG_CLASS_ELEMENTWISE && !tg_c_is_function(op) && !is_call(op->c) &&
           (op->style == TG_PRINT_INFIX || op->style == TG_PRINT_PREFIX) &&
           op->precedence >= TG_EMIT_SUM;
}

/* May argument a stand without brackets? `first`: on the left of the operator. */
static bool is_tight(const tg_c_writer *c, const tg_node *n, const tg_node *a, bool first,
                     bool between) {
    const tg_emitter *e = c->w.e;
    if (between || tg_emit_is_leaf(a) || tg_emit_info_of(e, a)->name) return true;
    if (tg_c_is_function(a->op) || is_call(a->op->c)) return true;
    if (!is_arithmetic(n->op) || !is_arithmetic(a->op) || n->op->style == TG_PRINT_PREFIX)
        return false;
    return a->op->style == TG_PRINT_INFIX && first
               ? a->op->precedence >= n->op->precedence
               : a->op->style == TG_PRINT_INFIX && a->op->precedence > n->op->precedence;
}

static bool put_operand(tg_c_writer *c, tg_str *s, const tg_node *n, int i, bool first,
                        bool between, const loop *l) {
    const tg_emitter *e = c->w.e;
    const tg_node *a = n->arg[i];
    bool inside = !tg_emit_is_leaf(a) && !tg_emit_info_of(e, a)->name;
    bool wants = wants_truth(e, n, i), is = inside && is_truth(a);
    if (wants && !is) { /* a number as a truth */
        tg_str_addc(s, '(');
        if (!put_value(c, s, a, l)) return false;
        tg_str_add(s, " != 0)");
        return true;
    }
    bool cast = (is && !wants) || (inside && between && e->precision == TG_F32);
    bool tight = !cast && is_tight(c, n, a, first, between);
    if (cast) tg_str_addf(s, "(%s)", tg_c_real(e));
    tg_str_add(s, tight ? "" : "(");
    if (!put_value(c, s, a, l)) return false;
    tg_str_add(s, tight ? "" : ")");
    return true;
}

/* The kernel with its arguments in place of its parameters. */
static bool put_kernel(tg_c_writer *c, tg_str *s, const tg_node *n, const loop *l) {
    const tg_op *op = n->op;
    if (tg_c_is_function(op)) {
        tg_str_addf(s, "tg_%s(", op->name);
        for (int i = 0; i < n->n; i++) {
            if (i > 0) tg_str_add(s, ", ");
            if (!put_operand(c, s, n, i, true, true, l)) return false;
        }
        tg_str_addc(s, ')');
        return true;
    }
    for (const char *p = op->c; *p;) {
        size_t k = word_at(p);
        int which = -1;
        for (int i = 0; k && i < n->n; i++)
            if (is_word(p, k, op->param[i].name)) which = i;
        if (which >= 0) {
            bool opens = p > op->c && (p[-1] == '(' || (p[-1] == ' ' && p[-2] == ','));
            bool between = opens && (p[k] == ')' || p[k] == ',');
            if (!put_operand(c, s, n, which, p == op->c, between, l)) return false;
        } else if (k) {
            put_word(c->w.e, s, p, k);
        } else {
            tg_str_addc(s, *p);
        }
        p += k ? k : 1;
    }
    return true;
}

static bool put_value(tg_c_writer *c, tg_str *s, const tg_node *n, const loop *l) {
    const tg_emitter *e = c->w.e;
    if (!tg_guard(&e->rt->c)) return false;
    if (tg_emit_info_of(e, n)->name) {
        put_element(c, s, n, l);
    } else if (n->op == &tg_op_number) {
        tg_c_put_number(e, s, n->leaf.number);
    } else if (n->op == &tg_op_size) {
        tg_str_addf(s, "(%s)", tg_c_real(e));
        tg_emit_size_text(e, s, n->leaf.size, false);
    } else if (tg_emit_is_leaf(n)) {
        tg_c_put_number(e, s, tg_view_get(tg_emit_literal(e, n), 0));
    } else {
        return put_kernel(c, s, n, l);
    }
    return true;
}

bool tg_c_put_value(tg_c_writer *c, tg_str *s, const tg_node *n) {
    static const loop none;
    return put_value(c, s, n, &none);
}

/* ---- loops ---- */

/* Do all values that n reads lie as the loop goes, or have no axes? */
static bool is_flat(const tg_c_writer *c, const tg_node *n, const tg_type *shape) {
    const tg_emitter *e = c->w.e;
    for (int i = 0; i < n->n; i++) {
        const tg_node *a = n->arg[i];
        if (tg_emit_info_of(e, a)->name) {
            bool same = tg_shape_equal(a->type.rank, a->type.dim, shape->rank, shape->dim);
            if (a->type.rank && (!same || tg_c_spot_of(c, a)->kind == TG_C_VIEW)) return false;
        } else if (!tg_emit_is_leaf(a) && (!tg_guard(&e->rt->c) || !is_flat(c, a, shape))) {
            return false;
        }
    }
    return true;
}

static bool put_assignment(tg_c_writer *c, tg_str *s, const tg_node *n, int indent, const loop *l) {
    const tg_emitter *e = c->w.e;
    bool narrow = e->precision == TG_F32, number = tg_c_spot_of(c, n)->kind == TG_C_NUMBER;
    tg_str_repeat(s, ' ', indent);
    if (number) tg_str_addf(s, "const %s ", tg_c_real(e));
    put_element(c, s, n, l);
    tg_str_add(s, narrow ? " = (float)(" : " = ");
    if (!put_kernel(c, s, n, l)) return false;
    tg_str_add(s, narrow ? ");\n" : ";\n");
    return true;
}

bool tg_c_put_loop(tg_c_writer *c, tg_str *s, const tg_c_group *g) {
    const tg_emitter *e = c->w.e;
    const tg_type *t = &e->node[g->first]->type;
    loop l = {t->rank, t->rank > 0};
    int depth = 0;
    for (int i = g->first; i >= 0 && l.flat; i = c->spot[i].next)
        l.flat = is_flat(c, e->node[i], t);
    for (int k = 0; k < t->rank && !l.flat; k++) {
        if (t->dim[k] == 1) continue;
        tg_str_repeat(s, ' ', 4 + 4 * depth++);
        tg_str_addf(s, "for (long i%d = 0; i%d < ", k, k);
        tg_emit_size_text(e, s, t->dim[k], true);
        tg_str_addf(s, "; i%d++) {\n", k);
    }
    if (l.flat) {
        depth = 1;
        tg_str_add(s, "    for (long i = 0; i < ");
        bool several = false; /* factors */
        for (int k = 0; k < t->rank; k++) {
            if (t->dim[k] == 1 && (several || k + 1 < t->rank)) continue;
            if (several) tg_str_add(s, " * ");
            tg_emit_size_text(e, s, t->dim[k], t->rank == 1);
            several = true;
        }
        tg_str_add(s, "; i++) {\n");
    }
    for (int i = g->first; i >= 0; i = c->spot[i].next)
        if (!put_assignment(c, s, e->node[i], 4 + 4 * depth, &l)) return false;
    while (depth > 0) {
        tg_str_repeat(s, ' ', 4 * depth--);
        tg_str_add(s, "}\n");
    }
    return true;
}
