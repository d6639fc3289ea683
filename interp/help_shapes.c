/* Shape rules, told by example. Nothing about shapes is written down for the reader: a sample call
 * of the record is taken, its sizes are replaced by letters, equal sizes by equal ones, and the
 * shape rule of the record is asked. So what help says cannot differ from what is computed
 * (tests/unit/test_ask.c compares all the same). Where the rule wants numbers, the sample's own
 * remain. */
#include "interp/help_shapes.h"
#include "interp/blame.h"
#include "runtime/graph/rule.h"
#include "runtime/ops/samples.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MOST_SIZES = 4, MOST_LINES = 3 };

/* ---- the sample, and letters for its sizes ---- */

static bool is_tensor(const tg_param *p) {
    return p->kind == TG_P_TENSOR;
}

/* The i-th call of an elementwise operation: arguments of one shape, then one that is repeated. */
static bool elementwise_sample(const tg_op *op, int i, tg_op_sample *s) {
    static const char *const names[] = {"x", "y", "z"};
    int n = 0;
    while (n < 3 && op->param[n].name && is_tensor(&op->param[n])) n++;
    if (n == 0 || i > (n == 2)) return false;
    *s = (tg_op_sample){.op = op, .n = n};
    for (int k = 0; k < n; k++)
        s->leaf[k] = tg_op_sample_leaf(names[k], i == 1 && k == 1 ? "4" : "3,4");
    const char *name = op->shown ? op->shown : op->name;
    if (op->style == TG_PRINT_INFIX)
        snprintf(s->text, sizeof s->text, "x %s y", op->symbol);
    else
        snprintf(s->text, sizeof s->text, "%s(x%s%s)", name, n > 1 ? ", y" : "",
                 n > 2 ? ", z" : "");
    return true;
}

static bool sample_at(const tg_op *op, int i, tg_op_sample *s) {
    if (op->class == TG_CLASS_ELEMENTWISE) return elementwise_sample(op, i, s);
    const char *p = op->samples;
    for (*s = (tg_op_sample){.op = op}; tg_op_sample_next(&p, s); *s = (tg_op_sample){.op = op})
        if (i-- == 0) return true;
    return false;
}

/* The different sizes above 1 in the order in which they come; -1: too many for letters. */
static int sizes_of(const tg_op_sample *s, int64_t size[MOST_SIZES]) {
    int n = 0;
    for (int i = 0; i < s->n; i++)
        for (int k = 0; k < s->leaf[i].rank; k++) {
            int at = 0;
            while (at < n && size[at] != s->leaf[i].dim[k]) at++;
            if (at < n || s->leaf[i].dim[k] <= 1) continue;
            if (n == MOST_SIZES) return -1;
            size[n++] = s->leaf[i].dim[k];
        }
    return n;
}

static tg_size letter_for(tg_rt *rt, int64_t d, const int64_t *size, int n) {
    static const char *const letters[] = {"N", "MN", "MKN", "BMKN"};
    for (int i = 0; i < n; i++)
        if (size[i] == d) {
            const char *name = tg_intern(&rt->c, &letters[n - 1][i], 1);
            return name ? tg_size_symbol(rt, name) : TG_SIZE_FAIL;
        }
    return d;
}

/* ---- the call ---- */

/* The types that the kernel wants: of a bool argument, bool. */
static void wanted(tg_rt *rt, const tg_op_sample *s, tg_dtype *want) {
    tg_type in[TG_SAMPLE_LEAVES], out = {0};
    static const tg_attrs none;
    for (int i = 0; i < TG_SAMPLE_LEAVES; i++) want[i] = TG_F64;
    if (s->op->class != TG_CLASS_ELEMENTWISE) return;
    for (int i = 0; i < s->n; i++) {
        in[i] = (tg_type){.dtype = TG_F64, .rank = s->leaf[i].rank};
        memcpy(in[i].dim, s->leaf[i].dim, sizeof in[i].dim);
    }
    s->op->infer(rt, s->op, s->n, in, &none, &out, want);
    tg_clear(&rt->c);
}

/* Without a name it is none that a size could wait for. */
static tg_node *nameless_input(tg_rt *rt, const tg_type *type) {
    tg_cell *c = tg_cell_new(rt, TG_CELL_INPUT, NULL, type, NULL);
    tg_node *n = c ? tg_node_cell(rt, c) : NULL;
    if (c) tg_cell_drop(c);
    return n;
}

/* The call with shapes in the places of the leaves. */
static void add_call(tg_rt *rt, const tg_op_sample *s, tg_node *const *leaf, tg_str *out) {
    for (const char *p = s->text; *p;) {
        size_t n = 0;
        while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
        int k = 0;
        while (k < s->n && !(strlen(s->leaf[k].name) == n && strncmp(s->leaf[k].name, p, n) == 0))
            k++;
        if (n > 0 && k < s->n && leaf[k] && p[n] != '(' && p[n] != '=')
            tg_shape_print(rt, out, leaf[k]->type.rank, leaf[k]->type.dim);
        else
            tg_str_addn(out, p, n ? n : 1);
        p += n ? n : 1;
    }
}

static bool add_line(tg_rt *rt, const tg_op_sample *s, bool symbolic, tg_str *out) {
    int64_t size[MOST_SIZES];
    int n = symbolic ? sizes_of(s, size) : 0;
    tg_node *leaf[TG_SAMPLE_LEAVES] = {NULL};
    tg_rule_name names[TG_SAMPLE_LEAVES] = {{0}};
    tg_dtype want[TG_SAMPLE_LEAVES];
    if (n < 0) return false;
    wanted(rt, s, want);
    for (int i = 0; i < s->n; i++) {
        tg_type type = {.dtype = want[i], .rank = s->leaf[i].rank};
        for (int k = 0; k < type.rank; k++)
            if ((type.dim[k] = letter_for(rt, s->leaf[i].dim[k], size, n)) == TG_SIZE_FAIL)
                return false;
        if (!(leaf[i] = nameless_input(rt, &type))) return false;
        names[i] = (tg_rule_name){.name = s->leaf[i].name, .node = leaf[i]};
    }
    const tg_node *root = tg_rule_build(rt, s->text, s->n, names);
    if (!root) return false;
    add_call(rt, s, leaf, out);
    tg_str_add(out, " -> ");
    tg_shape_print(rt, out, root->type.rank, root->type.dim);
    return true;
}

bool tg_shape_line(tg_rt *rt, const tg_op *op, int i, bool symbolic, tg_str *out) {
    tg_op_sample s;
    const size_t before = out->len;
    if (!sample_at(op, i, &s)) return false;
    bool ok = add_line(rt, &s, symbolic, out);
    if (!ok && out->text) out->text[out->len = before] = 0;
    tg_clear(&rt->c);
    return ok || (symbolic && tg_shape_line(rt, op, i, false, out));
}

/* Is the line among those before it in the text? */
static bool said_before(const char *text, const char *line) {
    size_t n = strlen(line);
    for (const char *at = text; n > 0 && (at = strstr(at, line)) != NULL; at++)
        if ((at == text || at[-1] == '\n') && at[n] == '\n') return true;
    return false;
}

/* Neither of many axes nor with sizes of 1: what is shown where there is such a sample. */
static bool is_plain(const tg_op_sample *s) {
    enum { FEW = 3 };
    for (int i = 0; i < s->n; i++) {
        if (s->leaf[i].rank > FEW) return false;
        for (int k = 0; k < s->leaf[i].rank; k++)
            if (s->leaf[i].dim[k] <= 1) return false;
    }
    return true;
}

static int add_lines(tg_rt *rt, const tg_op *op, bool plain, tg_str *out) {
    tg_op_sample s;
    int lines = 0;
    for (int i = 0; lines < MOST_LINES && sample_at(op, i, &s); i++) {
        tg_str line = {0};
        bool ok = (!plain || is_plain(&s)) && tg_shape_line(rt, op, i, true, &line);
        out->failed = out->failed || line.failed;
        if (ok && line.len > 0 && !said_before(tg_str_text(out), tg_str_text(&line))) {
            tg_str_addf(out, "%s\n", tg_str_text(&line));
            lines++;
        }
        tg_str_free(&line);
    }
    return lines;
}

void tg_shape_rule(const tg_op *op, tg_str *out) {
    tg_rt rt;
    if (!tg_rt_init(&rt)) {
        tg_rt_free(&rt);
        out->failed = true;
        return;
    }
    tg_guard_enter(&rt.c);
    if (add_lines(&rt, op, true, out) == 0) add_lines(&rt, op, false, out);
    tg_rt_free(&rt);
}

/* ---- functions written in tg ---- */

static bool is_quiet(tg_interp *in, const tg_ast *e, int depth);

static bool quiet_callee(tg_interp *in, const tg_ast *callee, int depth) {
    const tg_value *v =
        callee->kind == TG_AST_NAME ? tg_lookup(in, in->globals, callee->name) : NULL;
    if (!v) return false;
    if (v->tag == TG_V_OP) return v->as.op->class != TG_CLASS_RANDOM;
    if (v->tag != TG_V_FUNCTION) return false;
    const tg_ast *def = v->as.function->def;
    return def && is_quiet(in, def->kids[def->n - 1], depth - 1);
}

/* Loops may take long, stores and calls of builtins may be noticed. */
static bool is_quiet(tg_interp *in, const tg_ast *e, int depth) {
    if (!e) return true;
    if (depth <= 0) return false;
    bool harmless = e->kind == TG_AST_DEFINE || e->kind == TG_AST_IF || e->kind == TG_AST_RETURN;
    if (e->kind == TG_AST_LAMBDA || (tg_ast_is_statement(e) && !harmless)) return false;
    if (e->kind == TG_AST_CALL && !quiet_callee(in, e->kids[0], depth)) return false;
    for (int i = e->kind == TG_AST_CALL; i < e->n; i++)
        if (!is_quiet(in, e->kids[i], depth - 1)) return false;
    return true;
}

bool tg_function_is_quiet(tg_interp *in, const tg_function *f) {
    enum { DEEPEST = 60 };
    return f->def && (!f->env || f->env == in->library) &&
           is_quiet(in, f->def->kids[f->def->n - 1], DEEPEST);
}

/* Shapes of the required arguments that are tried one after the other. */
static const char *const tried[][3] = {
    {"MN", "MN", "MN"}, {"MK", "KN", "N"}, {"MN", "N", "M"}, {"MN", "N", "N"}, {"MN", "M", "M"},
    {"NN", "NN", "NN"}, {"NN", "N", "N"},  {"N", "N", "N"},  {"", "", ""},
};

static int required(const tg_function *f) {
    int n = 0;
    for (int i = 0; i < f->def->n - 1; i++) {
        const tg_ast *p = f->def->kids[i];
        n += p->n == 0 || !p->kids[0];
    }
    return n;
}

static bool try_call(tg_interp *in, const tg_function *f, const char *const *shape, tg_str *out) {
    tg_argument arg[3] = {{0}};
    int n = 0;
    tg_value v = TG_NONE_VALUE;
    tg_str line = {0};
    bool ok = true;
    tg_str_addf(&line, "%s(", f->name);
    for (int i = 0; ok && i < f->def->n - 1; i++) {
        const tg_ast *p = f->def->kids[i];
        if (p->n > 0 && p->kids[0]) continue;
        tg_type type = {.dtype = in->rt.precision, .rank = (int)strlen(shape[n])};
        for (int k = 0; k < type.rank; k++)
            type.dim[k] = tg_size_symbol(&in->rt, tg_intern(&in->rt.c, &shape[n][k], 1));
        tg_node *node = nameless_input(&in->rt, &type);
        ok = node != NULL;
        if (!ok) break;
        arg[n] = (tg_argument){.name = p->name, .value = tg_value_formula(node, 0)};
        tg_str_add(&line, n++ ? ", " : "");
        tg_shape_print(&in->rt, &line, type.rank, type.dim);
    }
    ok = ok && tg_call_value(in, (tg_value){.tag = TG_V_FUNCTION, .as.function = (tg_function *)f},
                             n, arg, &v);
    for (int i = 0; i < n; i++) tg_value_drop(arg[i].value);
    if (ok && (ok = v.tag == TG_V_FORMULA)) {
        tg_str_addf(out, "%s) -> ", tg_str_text(&line));
        tg_shape_print(&in->rt, out, v.as.node->type.rank, v.as.node->type.dim);
        tg_str_addc(out, '\n');
    }
    tg_value_drop(v);
    tg_str_free(&line);
    return ok;
}

void tg_shape_rule_tried(tg_interp *in, const tg_function *f, tg_str *out) {
    int n = f->def && f->name ? required(f) : 0;
    if (n < 1 || n > 3 || !tg_function_is_quiet(in, f)) return;
    bool ok = false;
    for (size_t i = 0; !ok && i < sizeof tried / sizeof *tried; i++) {
        ok = try_call(in, f, tried[i], out);
        tg_clear(&in->rt.c);
        tg_blame_release(in);
    }
}
