/* The formula graph in the DOT language (Gansner & North 2000). Arguments stand above their users.
 * Values of all nodes come from one evaluation, of all of them as roots, so that they are those
 * that the formula really passes through; adjoints likewise from one walk of the differentiator. */
#include "runtime/graph/ruled.h"
#include "runtime/export/dot.h"
#include "base/alloc.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <string.h>

enum { MOST = 300, TEXT = 60 };

typedef struct drawing {
    tg_rt *rt;
    size_t n, left_out;
    tg_node **node;    /* ascending id; the last is the root */
    tg_tensor **value; /* NULL: no data */
    tg_node **adjoint; /* NULL entries: none */
    tg_tensor **slope; /* their values */
} drawing;

/* Text within a quoted label: \n stands for itself. */
static void put_quoted(tg_str *s, const char *text) {
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') tg_str_addc(s, '\\');
        if (*text == '\n')
            tg_str_add(s, "\\n");
        else
            tg_str_addc(s, *text);
    }
}

static void put_short(tg_str *s, double x) {
    tg_str_addf(s, "%.5g", x);
}

/* "= 2.5", or "in [0, 1], mean 0.5" */
static void put_value(tg_str *s, const tg_tensor *t) {
    int64_t n = tg_view_count(&t->v);
    if (n == 0) return;
    double low = INFINITY, high = -INFINITY, sum = 0;
    bool nan = false;
    for (int64_t i = 0; i < n; i++) {
        double x = tg_view_get(&t->v, i);
        nan = nan || isnan(x);
        low = x < low ? x : low;
        high = x > high ? x : high;
        sum += x;
    }
    tg_str_add(s, "\\n");
    if (t->v.rank == 0) {
        tg_str_add(s, "= ");
        put_short(s, sum);
        return;
    }
    tg_str_add(s, nan ? "has nan, in [" : "in [");
    put_short(s, low);
    tg_str_add(s, ", ");
    put_short(s, high);
    tg_str_add(s, "], mean ");
    put_short(s, sum / (double)n);
}

/* A formula, cut where it is long. */
static bool put_formula(tg_rt *rt, tg_str *s, const tg_node *n) {
    tg_str t = {0};
    bool ok = tg_node_print(rt, &t, n, false);
    if (ok && t.len > TEXT) {
        t.text[t.len = tg_utf8_start(t.text, TEXT)] = 0;
        tg_str_add(&t, " ...");
    }
    put_quoted(s, tg_str_text(&t));
    if (t.failed) s->failed = true;
    tg_str_free(&t);
    return ok;
}

static bool is_leaf(const tg_node *n) {
    return n->op->class == TG_CLASS_LEAF;
}

static const char *name_of(const tg_node *n) {
    return n->op == &tg_op_cell ? n->leaf.cell->name : n->label;
}

static void put_operation(const drawing *d, tg_str *s, const tg_node *n) {
    const tg_op *op = n->op;
    if (tg_node_is_ruled(n)) {
        const char *text = tg_ruled_of(n).text;
        for (; *text && *text != '('; text++) tg_str_addc(s, *text);
        return;
    }
    put_quoted(s, op->style == TG_PRINT_INFIX || op->style == TG_PRINT_PREFIX ? op->symbol
                  : op->shown                                                 ? op->shown
                                                                              : op->name);
    tg_op_print_attrs(d->rt, s, op, n->n ? n->arg[0]->type.rank : 0, n->at, true);
}

static bool put_node(const drawing *d, tg_str *s, size_t i) {
    const tg_node *n = d->node[i];
    const char *name = name_of(n), *shape = is_leaf(n) ? "box" : "ellipse";
    tg_str_addf(s, "  n%zu [shape=%s, label=\"", i, shape);
    bool plain = is_leaf(n) && n->op != &tg_op_cell;
    if (name) put_quoted(s, name);
    if (!is_leaf(n)) {
        tg_str_add(s, name ? " = " : "");
        put_operation(d, s, n);
    } else if (!name && !put_formula(d->rt, s, n)) {
        return false;
    }
    if (n->type.rank) {
        tg_str_add(s, "\\n");
        tg_shape_print(d->rt, s, n->type.rank, n->type.dim);
    }
    if (d->value && d->value[i] && !(plain && n->type.rank == 0)) put_value(s, d->value[i]);
    tg_str_add(s, i + 1 == d->n ? "\", penwidth=2];\n" : "\"];\n");
    return true;
}

static size_t index_of(const drawing *d, const tg_node *n) {
    for (size_t i = 0; i < d->n; i++)
        if (d->node[i] == n) return i;
    return d->n;
}

static bool put_edges(const drawing *d, tg_str *s, size_t i) {
    const tg_node *n = d->node[i];
    int shown;
    tg_node *const *args = tg_node_shown_arguments(n, &shown);
    for (int k = 0; k < shown; k++) {
        size_t from = index_of(d, tg_node_behind_parameters(args[k]));
        if (from == d->n) {
            tg_str_addf(s, "  rest -> n%zu [style=dashed];\n", i);
            continue;
        }
        const tg_type *t = &args[k]->type;
        tg_str_addf(s, "  n%zu -> n%zu [label=\"", from, i);
        tg_shape_print(d->rt, s, t->rank, t->dim);
        if (d->adjoint && d->adjoint[from]) {
            tg_str_add(s, "\\nadjoint ");
            if (!put_formula(d->rt, s, d->adjoint[from])) return false;
            if (d->slope && d->slope[from]) put_value(s, d->slope[from]);
        }
        tg_str_add(s, "\"];\n");
    }
    return true;
}

/* Values of nodes, or NULL where data are missing; other errors fail. */
static bool evaluate(drawing *d, tg_node *const *node, tg_tensor ***out) {
    size_t n = 0;
    *out = tg_alloc_array(d->n, sizeof **out);
    tg_node **some = tg_alloc_array(d->n, sizeof *some);
    tg_tensor **got = tg_alloc_array(d->n, sizeof *got);
    bool ok = *out && some && got ? true : tg_fail_memory(&d->rt->c);
    for (size_t i = 0; ok && i < d->n; i++)
        if (node[i]) some[n++] = node[i];
    if (ok && n > 0 && tg_plan_eval(d->rt, (int)n, some, got)) {
        for (size_t i = 0, k = 0; i < d->n; i++)
            if (node[i]) (*out)[i] = got[k++];
    } else if (ok && d->rt->c.diag.kind == TG_ERR_DATA) {
        tg_clear(&d->rt->c);
    } else if (ok && n > 0) {
        ok = false;
    }
    tg_free(some);
    tg_free(got);
    return ok;
}

/* The adjoints of all nodes that depend on a var or an input. */
static bool differentiate(drawing *d) {
    tg_node **some = tg_alloc_array(d->n, sizeof *some), **got = tg_alloc_array(d->n, sizeof *got);
    const char **cut = tg_alloc_array(d->n, sizeof *cut);
    d->adjoint = tg_alloc_array(d->n, sizeof *d->adjoint);
    bool ok = some && got && cut && d->adjoint ? true : tg_fail_memory(&d->rt->c);
    int n = 0;
    for (size_t i = 0; ok && i < d->n; i++)
        if (d->node[i]->live && tg_dtype_is_float(d->node[i]->type.dtype) &&
            d->node[i]->op != &tg_op_size)
            some[n++] = d->node[i];
    const tg_grad_options opt = {.simplify = true};
    ok = ok && tg_grad(d->rt, d->node[d->n - 1], n, some, &opt, got, cut);
    for (size_t i = 0, k = 0; ok && i < d->n; i++)
        if (k < (size_t)n && d->node[i] == some[k]) {
            if (!cut[k]) d->adjoint[i] = got[k];
            k++;
        }
    tg_free(some);
    tg_free(got);
    tg_free((void *)(uintptr_t)cut);
    return ok && evaluate(d, d->adjoint, &d->slope);
}

static void drop(drawing *d, tg_tensor **t) {
    for (size_t i = 0; t && i < d->n; i++) tg_tensor_drop(t[i]);
    tg_free(t);
}

bool tg_dot(tg_rt *rt, tg_str *s, const tg_dot_request *ask) {
    drawing d = {.rt = rt};
    tg_node **all, *root = ask->root;
    size_t count;
    if (!tg_node_collect_shown(rt, 1, &root, &all, &count)) return false;
    d.left_out = count > MOST ? count - MOST : 0;
    d.n = count - d.left_out;
    d.node = all + d.left_out;
    bool ok = evaluate(&d, d.node, &d.value) && (!ask->adjoints || differentiate(&d));
    tg_str_add(s, "digraph formula {\n  rankdir=BT;\n  node [fontname=\"monospace\"];\n  edge "
                  "[fontname=\"monospace\", fontsize=10];\n");
    if (d.left_out)
        tg_str_addf(s, "  rest [shape=plaintext, label=\"%zu more nodes\"];\n", d.left_out);
    for (size_t i = 0; ok && i < d.n; i++) ok = put_node(&d, s, i);
    for (size_t i = 0; ok && i < d.n; i++) ok = put_edges(&d, s, i);
    tg_str_add(s, "}\n");
    drop(&d, d.value);
    drop(&d, d.slope);
    tg_free(d.adjoint);
    tg_free(all);
    return ok && s->failed ? tg_fail_memory(&rt->c) : ok;
}
