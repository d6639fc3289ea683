/* What the prompt answers. A value is written after its name; a formula with its value below, the
 * `=` of both in one column; a formula that cannot be evaluated yet with its shape and the names of
 * the inputs it waits for, which is not an error:
 *
 *     y = x^2 * sin(x)
 *       = 3.6372
 *     P = softmax(X @ W + b)      [N, 10]   needs X
 *
 * A var or input is shown by its name and value. A formula in a container is echoed on a line of
 * its own. */
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/nonfinite.h"
#include "interp/show.h"
#include "interp/watch.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/print.h"
#include "runtime/graph/simplify.h"
#include "runtime/plan/plan.h"

#include <string.h>

enum { NOTE_GAP = 3 }; /* blanks between remarks */

/* Between two remarks behind a formula: [N, 10]   needs X */
static void next_remark(tg_str *remarks) {
    if (remarks->len > 0) tg_str_repeat(remarks, ' ', NOTE_GAP);
}

/* The remarks behind what begins at `from` in out: behind several lines, and where they do not fit
 * the terminal, on a line of their own. */
static void add_remarks_text(tg_interp *in, const char *remarks, size_t from, int indent,
                             tg_str *out) {
    const char *text = tg_str_text(out) + from;
    size_t n = out->len - from;
    int most = tg_terminal_width(in, 0);
    int width = indent + tg_utf8_width(text, n) + TG_NOTES_GAP;
    bool below = n > 0 && memchr(text, '\n', n);
    if (most > 0 && width + tg_utf8_width(remarks, strlen(remarks)) > most) below = true;
    if (below) tg_str_addc(out, '\n');
    tg_str_repeat(out, ' ', below ? indent + 2 : TG_NOTES_GAP);
    tg_ink_add(tg_echo_colours(in), TG_INK_NOTE, remarks, out);
}

/* `from` is where the formula begins in out. */
static void add_remarks(tg_interp *in, tg_value v, const char *needs, size_t from, int indent,
                        tg_str *out) {
    tg_str remarks = {0};
    const tg_type *type = &v.as.node->type;
    if (type->rank > 0) tg_shape_print(&in->rt, &remarks, type->rank, type->dim);
    if (needs) {
        next_remark(&remarks);
        tg_str_addf(&remarks, needs[0] ? "needs %s" : "needs data", needs);
    }
    bool first = true;
    for (int i = 0; i < TG_FACTS; i++) {
        if (!(v.assumed >> i & 1)) continue;
        const char *text = tg_assume_text(&in->rt, i);
        if (!text) continue;
        if (first) next_remark(&remarks);
        tg_str_addf(&remarks, "%s%s", first ? "assuming " : ", ", text);
        first = false;
    }
    if (remarks.len > 0) add_remarks_text(in, tg_str_text(&remarks), from, indent, out);
    if (remarks.failed) out->failed = true;
    tg_str_free(&remarks);
}

/* The name that is being shown. */
static void add_name(tg_interp *in, const char *name, tg_str *out) {
    tg_ink_add(tg_echo_colours(in), TG_INK_NAME, name, out);
}

static bool add_plain(tg_interp *in, tg_value v, int indent, tg_str *out) {
    tg_shower s = tg_show_at_prompt(in, indent);
    return tg_show_with(&s, v, out);
}

/* A formula's shape stands behind the formula. */
static bool add_tensor(tg_interp *in, tg_tensor *t, int indent, bool shaped, tg_str *out) {
    tg_layout layout = {.style = in->format,
                        .indent = indent,
                        .width = tg_terminal_width(in, 0),
                        .colours = tg_echo_colours(in),
                        .shaped = shaped,
                        .typed = true};
    return tg_format_tensor(&in->rt, t, &layout, out);
}

/* `indent` columns, "= " and the value. */
static bool value_below(tg_interp *in, tg_tensor *t, int indent, tg_str *out) {
    tg_str_addc(out, '\n');
    tg_str_repeat(out, ' ', indent);
    tg_str_add(out, "= ");
    return add_tensor(in, t, indent + 2, false, out);
}

/* A formula that is one cell is shown as the cell's name and value; *name becomes that name where
 * none was given. NULL: it is more than that, or has another name. */
static const tg_cell *named_cell(const tg_node *n, const char **name) {
    if (n->op != &tg_op_cell || !n->leaf.cell->name) return NULL;
    if (*name && strcmp(*name, n->leaf.cell->name) != 0) return NULL;
    *name = n->leaf.cell->name;
    return n->leaf.cell;
}

static bool is_named_size(tg_interp *in, const tg_node *n, const char *name) {
    if (n->op != &tg_op_size || !name) return false;
    const char *symbol = tg_size_symbol_name(&in->rt, n->leaf.size);
    return symbol && strcmp(symbol, name) == 0;
}

static void add_no_data(tg_interp *in, tg_str *out) {
    tg_str_repeat(out, ' ', NOTE_GAP);
    tg_ink_add(tg_echo_colours(in), TG_INK_NOTE, "no data yet", out);
}

/* Behind "name": what the cell holds, or what it waits for. */
static bool cell_echo(tg_interp *in, const char *name, const tg_cell *c, tg_str *out) {
    if (c->value) {
        tg_str_add(out, " = ");
        return add_tensor(in, c->value, tg_utf8_width(name, strlen(name)) + 3, true, out);
    }
    tg_str_add(out, c->type.rank ? " : " : " : a number");
    if (c->type.rank) tg_shape_print(&in->rt, out, c->type.rank, c->type.dim);
    add_no_data(in, out);
    return true;
}

static bool size_echo(tg_interp *in, tg_node *n, tg_str *out) {
    tg_tensor *t = NULL;
    if (tg_plan_eval(&in->rt, 1, &n, &t)) {
        tg_str_add(out, " = ");
        bool ok = add_tensor(in, t, 0, true, out);
        tg_tensor_drop(t);
        return ok;
    }
    if (in->rt.c.diag.kind != TG_ERR_DATA) return false;
    tg_clear(&in->rt.c);
    tg_str_add(out, " : a size");
    add_no_data(in, out);
    return true;
}

/* The formula, then what became of its evaluation. */
static bool formula_and_value(tg_interp *in, tg_value v, int indent, tg_str *out) {
    tg_node *n = v.as.node;
    tg_tensor *t = NULL;
    size_t from = out->len;
    if (!tg_watch_look(in, 1, &n, 0, NULL, NULL)) return false;
    if (tg_plan_eval(&in->rt, 1, &n, &t)) {
        bool ok = tg_show_node(in, v, indent, 0, out);
        add_remarks(in, v, NULL, from, indent, out);
        ok = ok && value_below(in, t, indent, out) &&
             tg_nonfinite_shown(in, v, (tg_value){.tag = TG_V_TENSOR, .as.tensor = t}, out);
        tg_tensor_drop(t);
        return ok;
    }
    if (in->rt.c.diag.kind != TG_ERR_DATA) return false;
    tg_clear(&in->rt.c);
    tg_str needs = {0};
    bool ok = tg_show_node(in, v, indent, 0, out) && tg_node_needs(&in->rt, 1, &n, &needs);
    add_remarks(in, v, tg_str_text(&needs), from, indent, out);
    if (needs.failed) out->failed = true;
    tg_str_free(&needs);
    return ok;
}

static bool formula_echo(tg_interp *in, const char *name, tg_value v, tg_str *out) {
    tg_node *n = v.as.node;
    const tg_cell *cell = named_cell(n, &name);
    if (name) add_name(in, name, out);
    if (cell) return cell_echo(in, name, cell, out);
    if (is_named_size(in, n, name)) return size_echo(in, n, out);
    int indent = 2; /* of a nameless formula's value */
    if (name) {
        tg_str_add(out, " = ");
        indent = tg_utf8_width(name, strlen(name)) + 1;
    }
    if (tg_node_is_number(n)) return add_plain(in, tg_value_number(n->leaf.number), 0, out);
    if (n->op == &tg_op_const && !n->label)
        return add_tensor(in, n->leaf.tensor, name ? indent + 2 : 0, true, out);
    return formula_and_value(in, v, indent, out);
}

/* `text` behind two blanks a line. */
static void add_indented(const tg_str *text, tg_str *out) {
    tg_str_add(out, "  ");
    for (size_t i = 0; i < text->len; i++) {
        tg_str_addc(out, text->text[i]);
        if (text->text[i] == '\n') tg_str_add(out, "  ");
    }
    if (text->failed) out->failed = true;
}

static bool echo(tg_interp *in, const char *name, tg_value v, tg_str *out);

/* A container with formulas: an echo for each item. */
static bool container_echo(tg_interp *in, const char *name, tg_value v, tg_str *out) {
    const tg_items *items = v.as.items;
    if (name) add_name(in, name, out);
    if (name) tg_str_add(out, " = ");
    tg_str_add(out, v.tag == TG_V_RECORD ? "{\n" : v.tag == TG_V_TUPLE ? "(\n" : "[\n");
    for (int i = 0; i < items->n; i++) {
        tg_str one = {0};
        in->margin += 2;
        bool ok = echo(in, items->field ? items->field[i] : NULL, items->v[i], &one);
        in->margin -= 2;
        add_indented(&one, out);
        tg_str_addc(out, '\n');
        tg_str_free(&one);
        if (!ok) return false;
    }
    tg_str_addc(out, v.tag == TG_V_RECORD ? '}' : v.tag == TG_V_TUPLE ? ')' : ']');
    return true;
}

/* Parameters: every formula in v is a cell that has a value. Containers are at most TG_MAX_NESTING
 * deep. */
static bool only_cells(tg_value v) {
    if (v.tag == TG_V_FORMULA) return v.as.node->op == &tg_op_cell && v.as.node->leaf.cell->value;
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (!only_cells(v.as.items->v[i])) return false;
    return true;
}

/* A definition f(t) = ..., or a signature sum(x, ...): no `f = ` before it. */
static bool says_its_name(tg_value v, const char *name) {
    if (v.tag == TG_V_FUNCTION)
        return v.as.function->def && v.as.function->def->kind == TG_AST_FUNCTION;
    if (v.tag == TG_V_OP) return strcmp(v.as.op->name, name) == 0;
    return v.tag == TG_V_BUILTIN && strcmp(v.as.builtin->name, name) == 0;
}

/* f'(t) = 3 * t^2 - 2, or g(t) = ... under a name of its own: a derivative as the formula that it
 * is. False, and nothing written, where it has none. */
static bool slope_echo(tg_interp *in, const char *name, tg_value f, tg_str *out) {
    tg_value at[TG_SHOWN_ARGUMENTS], slope;
    tg_argument arg[TG_SHOWN_ARGUMENTS] = {{0}};
    if (f.tag != TG_V_FUNCTION) return false;
    bool vector = f.as.function->by != NULL;
    int n = tg_function_arguments(in, f.as.function, false, at);
    for (int i = 0; i < n; i++) arg[i].value = at[i];
    bool ok = n > 0 && tg_call_value(in, f, n, arg, &slope);
    if (ok) {
        size_t before = out->len;
        ok = slope.tag == TG_V_FORMULA || slope.tag == TG_V_NUMBER;
        if (ok && name)
            tg_str_add(out, name);
        else if (ok && vector && f.as.function->native.as.function->name)
            tg_str_addf(out, "%s(%s)", f.as.function->by->name,
                        f.as.function->native.as.function->name);
        else
            ok = ok && add_plain(in, f, 0, out);
        for (int i = 0; ok && i < n; i++)
            tg_str_addf(out, "%s%s", i ? ", " : "(", at[i].as.node->leaf.cell->name);
        if (ok) {
            tg_str_add(out, ") = ");
            ok = slope.tag == TG_V_NUMBER ? add_plain(in, slope, 0, out)
                                          : tg_show_node(in, slope, 0, 0, out);
            if (ok && vector) {
                tg_str_addf(out, "      %s : ", at[0].as.node->leaf.cell->name);
                tg_shape_print(&in->rt, out, 1, at[0].as.node->type.dim);
            }
        }
        if (!ok && out->text) out->text[out->len = before] = 0;
        tg_value_drop(slope);
    }
    for (int i = 0; i < n; i++) tg_value_drop(at[i]);
    if (!ok) tg_clear(&in->rt.c);
    return ok;
}

static bool echo(tg_interp *in, const char *name, tg_value v, tg_str *out) {
    if (!tg_guard(&in->rt.c)) return false;
    if (slope_echo(in, name, v, out)) return true;
    if (v.tag == TG_V_FORMULA) return formula_echo(in, name, v, out);
    tg_value now = v;
    bool live = tg_is_live(v) && !tg_value_said(v);
    if (live) {
        if (!only_cells(v)) return container_echo(in, name, v, out);
        if (!tg_value_now(in, v, &now)) return false;
    }
    int indent = 0;
    if (name && !says_its_name(now, name)) {
        add_name(in, name, out);
        tg_str_add(out, " = ");
        indent = tg_utf8_width(name, strlen(name)) + 3;
    }
    bool ok = add_plain(in, now, indent, out);
    if (live) tg_value_drop(now);
    return ok;
}

bool tg_show_slope(tg_interp *in, tg_value f, tg_str *out) {
    return slope_echo(in, NULL, f, out);
}

bool tg_show_echo(tg_interp *in, const char *name, tg_value v, tg_str *out) {
    if (v.tag == TG_V_NONE && !name) return true;
    if (!echo(in, name, v, out)) return false;
    tg_str_addc(out, '\n');
    return !out->failed || tg_fail_memory(&in->rt.c);
}

bool tg_show_formula(tg_interp *in, tg_value v, size_t limit, tg_str *out) {
    if (v.tag != TG_V_FORMULA) return echo(in, NULL, v, out);
    size_t from = out->len;
    bool ok = tg_show_node(in, v, 0, limit, out);
    add_remarks(in, v, NULL, from, 0, out);
    return ok;
}
