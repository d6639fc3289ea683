/* The session asked about itself (include/tg.h): its names, what an expression is, what it takes,
 * and where a definition stands. Expressions are evaluated to formulas, their tensors as constants
 * of them, so that nothing is computed. */
#include "base/alloc.h"
#include "interp/api.h"
#include "interp/foreign.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/help_shapes.h"
#include "interp/source.h"
#include "runtime/graph/print.h"
#include "runtime/ops/document.h"

#include <stdlib.h>
#include <string.h>

void tg_more_help(tg_state *s, int (*row)(int i, tg_help_row *out)) {
    s->in.more_help = row;
}

void tg_api_forget_answers(tg_state *s) {
    tg_names_free(&s->names);
    tg_str_free(&s->answer);
    tg_free(s->counted);
    s->counted = NULL;
}

tg_status tg_names_table(tg_state *s, size_t links, const tg_name_info **rows, size_t *n) {
    tg_interp *in = tg_api_enter(s);
    tg_api_forget_answers(s);
    bool ok = tg_names_list(in, links, &s->names);
    *rows = s->names.row;
    *n = s->names.n;
    return tg_api_leave(s, ok);
}

/* ---- an expression, not computed ---- */

static bool wants_expression(tg_interp *in, const tg_unit *unit) {
    if (unit->n == 1 && tg_api_is_expression(unit->statements[0])) return true;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "an expression is wanted, and this is %s",
            unit->n == 0   ? "nothing"
            : unit->n == 1 ? "a statement"
                           : "several statements");
    return unit->n == 1 ? tg_help(&in->rt.c, "ask for what stands behind the = or :=")
                        : tg_help(&in->rt.c, "ask for one at a time");
}

/* Evaluates the expression to what the prompt would show, its plain tensors taken for formulas. */
static bool look(tg_interp *in, const tg_unit *unit, tg_value *out) {
    const tg_ast *e = unit->statements[0];
    tg_unit *outer = in->unit;
    in->unit = (tg_unit *)unit;
    in->writing_out = true;
    bool ok = tg_eval(in, in->globals, e, out);
    in->writing_out = false;
    in->unit = outer;
    return ok || tg_blame(in, e);
}

static bool read_and_look(tg_interp *in, const char *text, size_t len, tg_reading *r,
                          tg_value *out) {
    *out = TG_NONE_VALUE;
    return tg_api_read(in, text, len, r) && wants_expression(in, r->unit) && look(in, r->unit, out);
}

/* ---- :type ---- */

static void add_dtype(tg_interp *in, const tg_type *t, tg_str *out) {
    const bool derived = tg_dtype_is_float(t->dtype) && t->weak;
    tg_str_addf(out, ", %s", derived ? tg_dtype_name(in->rt.precision) : tg_dtype_name(t->dtype));
}

static void add_type(tg_interp *in, tg_value v, int depth, tg_str *out);

static void add_items(tg_interp *in, const tg_items *items, int depth, tg_str *out) {
    enum { MOST = 40, DEEPEST = 8 };
    for (int i = 0; i < items->n && i < MOST && depth < DEEPEST; i++) {
        tg_str_addc(out, '\n');
        tg_str_repeat(out, ' ', 2 * depth + 2);
        if (items->field)
            tg_str_addf(out, "%s: ", items->field[i]);
        else
            tg_str_addf(out, "[%d] ", i);
        add_type(in, items->v[i], depth + 1, out);
    }
    if (items->n > MOST) tg_str_addf(out, "\n%*s... %d more", 2 * depth + 2, "", items->n - MOST);
}

static void add_function_type(tg_interp *in, tg_value v, tg_str *out) {
    if (v.tag == TG_V_OP) {
        tg_str_add(out, "operation ");
        tg_op_signature(out, v.as.op);
    } else if (v.tag == TG_V_BUILTIN) {
        tg_str_addf(out, "function %s", v.as.builtin->signature);
    } else {
        const tg_function *f = v.as.function;
        if (f->primal || !f->def) tg_str_add(out, "derivative, a ");
        while (f->primal) f = f->primal;
        tg_str_add(out, "function ");
        if (f->def) tg_function_signature(out, f);
        tg_str shapes = {0};
        tg_shape_rule_tried(in, v.as.function, &shapes);
        if (shapes.len) tg_str_addf(out, "\n  %.*s", (int)shapes.len - 1, tg_str_text(&shapes));
        tg_str_free(&shapes);
    }
}

static void add_type(tg_interp *in, tg_value v, int depth, tg_str *out) {
    const tg_cell *c = tg_value_cell(v);
    switch (v.tag) {
    case TG_V_TENSOR:
    case TG_V_FORMULA: {
        const tg_type t = tg_type_of(v);
        const char *kind = c                      ? (c->kind == TG_CELL_INPUT ? "input" : "var")
                           : v.tag == TG_V_TENSOR ? "tensor"
                           : v.as.node->live      ? "formula"
                           : v.as.node->type.rank ? "tensor"
                                                  : "number";
        tg_str_add(out, kind);
        if (t.rank) tg_str_addc(out, ' ');
        if (t.rank) tg_shape_print(&in->rt, out, t.rank, t.dim);
        add_dtype(in, &t, out);
        if (v.tag == TG_V_FORMULA) {
            tg_str needs = {0};
            tg_node *n = v.as.node;
            if (tg_node_needs(&in->rt, 1, &n, &needs) && needs.len)
                tg_str_addf(out, ", needs %s", tg_str_text(&needs));
            tg_str_free(&needs);
        }
        break;
    }
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD:
        tg_str_addf(out, "%s of %d",
                    v.tag == TG_V_LIST    ? "list"
                    : v.tag == TG_V_TUPLE ? "tuple"
                                          : "record",
                    v.as.items->n);
        add_items(in, v.as.items, depth, out);
        break;
    case TG_V_FUNCTION:
    case TG_V_OP:
    case TG_V_BUILTIN: add_function_type(in, v, out); break;
    case TG_V_NUMBER: tg_str_add(out, "number, double"); break;
    default: {
        const char *kind = tg_value_kind(v); /* "a text" */
        tg_str_add(out, strncmp(kind, "a ", 2) == 0 ? kind + 2 : kind);
    }
    }
}

tg_status tg_describe_type(tg_state *s, const char *text, size_t len, int flags, const char **out) {
    tg_interp *in = tg_api_enter(s);
    tg_reading r;
    tg_value v;
    tg_api_forget_answers(s);
    bool ok = read_and_look(in, text, len, &r, &v);
    if (ok) {
        add_type(in, v, 0, &s->answer);
        tg_str_addc(&s->answer, '\n');
        tg_clear(&in->rt.c);
        ok = !s->answer.failed || tg_fail_memory(&in->rt.c);
    }
    tg_value_drop(v);
    *out = tg_str_text(&s->answer);
    return tg_api_done(s, &r, ok, flags);
}

/* ---- :ops ---- */

typedef struct counter {
    tg_interp *in;
    tg_node **root, **node;
    size_t nroots, cap, count;
    tg_size_binding sizes;
    bool known; /* all sizes are */
} counter;

static bool add_root(tg_interp *in, tg_value v, void *user, tg_value *out) {
    counter *k = user;
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) return true;
    void *p = k->root;
    bool ok = tg_grow(&p, &k->cap, k->nroots + 1, sizeof *k->root);
    k->root = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    k->root[k->nroots++] = v.as.node;
    return true;
}

/* The sizes from the data that there are; where these do not tell, the flops stay unknown. */
static bool bind_sizes(counter *k) {
    tg_rt *rt = &k->in->rt;
    tg_cell **cell = NULL;
    size_t n, under;
    if (!tg_graph_cells(rt, (int)k->nroots, k->root, &cell, &n, &under)) return false;
    tg_tensor **none = tg_alloc_array(n + 1, sizeof *none);
    k->known =
        none && tg_graph_bind_sizes(rt, (int)k->nroots, k->root, (int)n, cell, none, &k->sizes);
    tg_free(none);
    tg_free(cell);
    tg_clear(&rt->c);
    return true;
}

static bool view_of(counter *k, const tg_type *t, tg_view *v) {
    int64_t dim[TG_MAX_RANK];
    for (int i = 0; i < t->rank; i++) {
        dim[i] = tg_size_eval(&k->in->rt, &k->sizes, t->dim[i]);
        if (dim[i] == TG_SIZE_FAIL) {
            tg_clear(&k->in->rt.c);
            return false;
        }
    }
    tg_view_init(v, NULL, t->dtype, t->rank, dim);
    return true;
}

/* Of one node; negative: its sizes are not known. */
static double flops_of(counter *k, const tg_node *n) {
    enum { MOST = 16 };
    tg_view in[MOST], out;
    const int args = n->n < MOST ? n->n : MOST;
    if (!k->known || !view_of(k, &n->type, &out)) return -1;
    for (int i = 0; i < args; i++)
        if (!view_of(k, &n->arg[i]->type, &in[i])) return -1;
    return tg_op_flops(n->op, args, in, &out);
}

static int most_first(const void *a, const void *b) {
    const tg_ops_row *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void add_row(tg_state *s, size_t *n, const tg_op *op, double flops) {
    const char *name = op->shown ? op->shown : op->name;
    size_t i = 0;
    while (i < *n && strcmp(s->counted[i].name, name) != 0) i++;
    if (i == *n) s->counted[(*n)++] = (tg_ops_row){.name = name};
    tg_ops_row *r = &s->counted[i];
    r->count++;
    r->flops = flops < 0 || r->flops < 0 ? -1 : r->flops + flops;
}

static size_t kinds_of_operations(void) {
    size_t n = 0;
    while (tg_op_at((int)n)) n++;
    return n + 16; /* and those that are in no table */
}

static bool count(tg_state *s, counter *k, tg_ops_report *out) {
    tg_rt *rt = &s->in.rt;
    size_t n = 0;
    s->counted = tg_alloc_array(kinds_of_operations(), sizeof *s->counted);
    unsigned char *uses = tg_alloc_array(k->count + 1, 1);
    bool ok = s->counted && uses;
    for (size_t i = 0; ok && i < k->count; i++)
        for (int a = 0; a < k->node[i]->n; a++) {
            const size_t at = tg_nodes_find(k->node, k->count, k->node[i]->arg[a]);
            if (at < k->count && uses[at] < 2) uses[at]++;
        }
    for (size_t i = 0; ok && i < k->count; i++) {
        const tg_node *x = k->node[i];
        if (x->op->class == TG_CLASS_LEAF) continue;
        const double flops = flops_of(k, x);
        add_row(s, &n, x->op, flops);
        out->count++;
        out->shared += uses[i] > 1;
        out->flops = flops < 0 || out->flops < 0 ? -1 : out->flops + flops;
    }
    tg_free(uses);
    if (!ok) return tg_fail_memory(&rt->c);
    qsort(s->counted, n, sizeof *s->counted, most_first);
    out->rows = s->counted;
    out->n = n;
    return true;
}

tg_status tg_count_ops(tg_state *s, const char *text, size_t len, int flags, tg_ops_report *out) {
    tg_interp *in = tg_api_enter(s);
    tg_reading r;
    tg_value v, skeleton = TG_NONE_VALUE;
    counter k = {.in = in};
    *out = (tg_ops_report){.needs = ""};
    tg_api_forget_answers(s);
    bool ok = read_and_look(in, text, len, &r, &v) && tg_map_leaves(in, v, add_root, &k, &skeleton);
    tg_value_drop(skeleton);
    if (ok && tg_value_is_function(v)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "a function has no operations before it is called");
        ok = tg_help(&in->rt.c, "ask of a call: :ops f(x)");
    }
    if (ok && k.nroots)
        ok = tg_node_collect_shown(&in->rt, (int)k.nroots, k.root, &k.node, &k.count) &&
             bind_sizes(&k) && count(s, &k, out) &&
             tg_node_needs(&in->rt, (int)k.nroots, k.root, &s->answer);
    out->needs = tg_str_text(&s->answer);
    tg_size_binding_free(&k.sizes);
    tg_free(k.root);
    tg_free(k.node);
    tg_value_drop(v);
    return tg_api_done(s, &r, ok, flags);
}

/* ---- :source ---- */

static void add_written_in_c(const char *file, tg_str *out) {
    tg_str_addf(out, "# in C, %s\n", file);
}

static void add_op_source(const tg_op *op, tg_str *out) {
    add_written_in_c(tg_op_file(op), out);
    tg_op_signature(out, op);
    tg_str_addc(out, '\n');
    for (int i = 0; i < TG_MAX_TENSORS && op->param[i].name && op->grad[i]; i++)
        tg_str_addf(out, "derivative for %s: %s\n", op->param[i].name, tg_op_rule_text(op, i));
}

static void add_place(const tg_span *at, tg_str *out) {
    tg_str_add(out, "# ");
    tg_source_where(at, out);
    tg_str_addc(out, '\n');
}

static bool add_source(tg_interp *in, const char *name, tg_value v, tg_str *out) {
    if (v.tag == TG_V_OP) {
        add_op_source(v.as.op, out);
    } else if (v.tag == TG_V_BUILTIN) {
        add_written_in_c(tg_builtin_file(v.as.builtin), out);
        tg_str_addf(out, "%s\n", v.as.builtin->signature);
    } else if (v.tag == TG_V_FUNCTION) {
        const tg_function *f = v.as.function;
        for (; f->primal; f = f->primal) tg_str_add(out, "# the derivative of\n");
        if (!f->def) return tg_show_echo(in, name, v, out);
        add_place(&f->def->span, out);
        tg_source_whole(f, out);
    } else if (v.tag == TG_V_FORMULA && v.as.node->n > 0 && v.as.node->written.src) {
        add_place(&v.as.node->written, out);
        tg_str_addf(out, "%s = ", name);
        tg_source_add(&v.as.node->written, out);
        tg_str_addc(out, '\n');
    } else if (!tg_value_cell(v)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s is %s: a value, which has no source", name,
                tg_value_kind(v));
        return tg_help(&in->rt.c, "formulas and functions have one; ?%s shows what it is", name);
    } else {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s is a variable: its value is stored, not defined", name);
        return tg_help(&in->rt.c, ":deps %s shows what is made of it", name);
    }
    return true;
}

const char *tg_advice(const char *word) {
    return tg_foreign_word(word);
}

tg_status tg_source_of(tg_state *s, const char *name, const char **out) {
    tg_interp *in = tg_api_enter(s);
    tg_api_forget_answers(s);
    const char *key = tg_intern(&in->rt.c, name, strlen(name));
    const tg_value *v = key ? tg_lookup(in, in->globals, key) : NULL;
    bool ok = v ? add_source(in, key, *v, &s->answer) : key && tg_blame_name(in, in->globals, key);
    if (ok && s->answer.failed) ok = tg_fail_memory(&in->rt.c);
    *out = tg_str_text(&s->answer);
    return tg_api_leave(s, ok);
}
