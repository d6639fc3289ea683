/* Builtins that show formulas. */
#include "base/alloc.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/show.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/substitute.h"

#include <string.h>

/* ---- the formulas in a value ---- */

typedef struct formulas {
    tg_node **node;
    size_t n, cap;
} formulas;

static bool add_formula(tg_interp *in, tg_value v, void *user, tg_value *out) {
    formulas *f = user;
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) return true;
    void *p = f->node;
    bool ok = tg_grow(&p, &f->cap, f->n + 1, sizeof *f->node);
    f->node = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    f->node[f->n++] = v.as.node;
    return true;
}

/* The formulas in v, which may be a container; the caller frees f->node, also on failure. */
static bool formulas_of(tg_interp *in, tg_value v, formulas *f) {
    tg_value skeleton = TG_NONE_VALUE;
    bool ok = tg_map_leaves(in, v, add_formula, f, &skeleton);
    tg_value_drop(skeleton);
    return ok;
}

/* ---- show, expand, ops ---- */

static bool simplify_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)user;
    *out = tg_value_hold(v);
    if (v.tag != TG_V_FORMULA) return true;
    uint32_t used;
    tg_node *simple = tg_simplify(&in->rt, v.as.node, &used);
    tg_value_drop(v);
    *out = TG_NONE_VALUE;
    if (!simple) return false;
    *out = tg_value_formula(simple, v.assumed | used);
    out->unfold = v.unfold;
    return true;
}

/* limit=: how many characters of a formula are written; 0: the usual. */
static bool limit_of(tg_interp *in, const tg_argument *a, size_t *limit) {
    double x;
    *limit = 0;
    if (a->value.tag == TG_V_NONE) return true;
    if (!tg_to_number(in, a->value, "limit", &x)) return false;
    if (!(x >= 1)) return tg_fail(&in->rt.c, TG_ERR_VALUE, "limit must be 1 or more characters");
    *limit = x > 1e8 ? 100000000 : (size_t)x;
    return true;
}

static bool run_show(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value v;
    tg_str s = {0};
    size_t limit;
    if (!limit_of(in, &args[1], &limit) ||
        !tg_map_leaves(in, args[0].value, simplify_leaf, NULL, &v))
        return false;
    const tg_shower within = tg_show_at_prompt(in, 0);
    bool ok = tg_is_container(v) ? tg_show_with(&within, v, &s) : tg_show_formula(in, v, limit, &s);
    tg_value_drop(v);
    tg_str_addc(&s, '\n');
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    *out = TG_NONE_VALUE;
    return ok;
}

static bool unfold_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)in;
    *out = tg_value_hold(v);
    if (v.tag == TG_V_FORMULA) out->unfold = *(const unsigned *)user & TG_UNFOLD_MOST;
    return true;
}

/* expand(e) unfolds names; with a shape it is the operation. */
static bool run_expand(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    enum { E, DEPTH, REST };
    if (n > REST) {
        tg_argument *moved = tg_alloc_array((size_t)n, sizeof *moved);
        if (!moved) return tg_fail_memory(&in->rt.c);
        moved[0] = args[E];
        memcpy(moved + 1, args + REST, (size_t)(n - REST) * sizeof *moved);
        bool ok = tg_call_op(in, tg_op_find("expand"), n - REST + 1, moved, out);
        tg_free(moved);
        return ok;
    }
    unsigned levels = TG_UNFOLD_MOST;
    if (args[DEPTH].value.tag != TG_V_NONE) {
        int64_t depth;
        if (!tg_to_int(in, args[DEPTH].value, "depth", &depth)) return false;
        if (depth < 0) return tg_fail(&in->rt.c, TG_ERR_VALUE, "depth must not be negative");
        if (depth < TG_UNFOLD_MOST) levels = (unsigned)depth;
    }
    return tg_map_leaves(in, args[E].value, unfold_leaf, &levels, out);
}

static bool run_ops(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    formulas f = {0};
    size_t ops;
    bool ok = formulas_of(in, args[0].value, &f) && tg_nodes_ops(&in->rt, (int)f.n, f.node, &ops);
    tg_free(f.node);
    if (ok) *out = tg_value_number((double)ops);
    return ok;
}

static bool run_shapes(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_str s = {0};
    tg_value skeleton = TG_NONE_VALUE;
    bool ok = tg_map_leaves(in, args[0].value, tg_shapes_leaf, &s, &skeleton);
    tg_value_drop(skeleton);
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    *out = TG_NONE_VALUE;
    return ok;
}

/* ---- raw ---- */

/* Is the label of n a name that stands for it as a gradient? */
static bool names_gradient(tg_interp *in, const tg_node *n) {
    const tg_value *v = n->label && n->origin ? tg_env_find(in->globals, n->label) : NULL;
    return v && v->tag == TG_V_FORMULA && v->as.node == n && v->derived;
}

/* The largest gradient under n that a name stands for; NULL: there is none, or an error. */
static tg_node *named_gradient(tg_interp *in, tg_node *n) {
    tg_node **node, *found = NULL;
    size_t count;
    if (!tg_node_collect(&in->rt, 1, &n, &node, &count)) return NULL;
    for (size_t i = count; i-- > 0 && !found;)
        if (node[i] != n && names_gradient(in, node[i])) found = node[i];
    tg_free(node);
    return found;
}

bool tg_raw_origin(tg_interp *in, tg_value v, tg_value *out) {
    enum { MOST = 100 };
    tg_node *n = v.as.node, *part;
    if (v.derived && !(n = tg_grad_raw(&in->rt, n))) return false;
    for (int i = 0; i < MOST && (part = named_gradient(in, n)); i++) {
        tg_node *from = tg_grad_raw(&in->rt, part);
        if (!from || !(n = tg_node_substitute(&in->rt, n, part, from))) return false;
    }
    if (in->rt.c.diag.kind != TG_ERR_NONE) return false;
    *out = tg_value_formula(n, n == v.as.node ? v.assumed : 0);
    return true;
}

static bool raw_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)user;
    tg_value from;
    *out = tg_value_hold(v);
    if (v.tag != TG_V_FORMULA) return true;
    if (!tg_raw_origin(in, v, &from)) return false;
    tg_node *n = tg_node_call1(&in->rt, "raw", from.as.node);
    tg_value_drop(v);
    if (n) *out = tg_value_formula(n, 0);
    tg_value_drop(from);
    return n != NULL;
}

bool tg_run_raw(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return tg_map_leaves(in, args[0].value, raw_leaf, NULL, out);
}

/* ---- why ---- */

static void add_heading(tg_str *s, const char *heading, const tg_str *body) {
    tg_str_add(s, heading);
    tg_str_addc(s, '\n');
    tg_str_add(s, tg_str_text(body));
    if (body->failed) s->failed = true;
}

static void add_assumptions(tg_interp *in, uint32_t used, tg_str *s) {
    for (int i = 0; i < TG_FACTS; i++)
        if (used >> i & 1 && tg_assume_text(&in->rt, i))
            tg_str_addf(s, "assuming %s\n", tg_assume_text(&in->rt, i));
}

/* The laws of a gradient, of which what was differentiated and what came of it were simplified; or
 * those that show would apply. */
static bool add_laws(tg_interp *in, tg_value v, tg_str *s) {
    tg_node *y = NULL, *g = v.as.node;
    tg_str body = {0};
    bool any = false, more = false;
    if (v.derived && !tg_grad_parts(&in->rt, v.as.node, &y, &g)) return false;
    bool ok =
        (!y || tg_why_simple(&in->rt, y, &body, &any)) && tg_why_simple(&in->rt, g, &body, &more);
    if (ok && (any || more))
        add_heading(s, v.derived ? "simplified by" : "show simplifies it by", &body);
    tg_str_free(&body);
    tg_str met = {0};
    if (ok && tg_simplify_budget_met(&in->rt, &met)) tg_str_addf(s, "%s\n", tg_str_text(&met));
    tg_str_free(&met);
    return ok;
}

static bool why_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    tg_str *s = user, body = {0};
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) return true;
    size_t before = s->len;
    bool any = false, ok = add_laws(in, v, s) && tg_why_stable(&in->rt, v.as.node, &body, &any);
    if (ok && any) add_heading(s, "computed with", &body);
    tg_str_free(&body);
    if (ok) add_assumptions(in, v.assumed, s);
    if (ok && s->len == before) tg_str_add(s, "nothing was rewritten\n");
    return ok;
}

static bool run_why(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_str s = {0};
    tg_value skeleton = TG_NONE_VALUE;
    bool ok = tg_map_leaves(in, args[0].value, why_leaf, &s, &skeleton);
    tg_value_drop(skeleton);
    if (ok && s.len == 0) tg_str_add(&s, "there is no formula in it\n");
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    *out = TG_NONE_VALUE;
    return ok;
}

const tg_builtin tg_builtins_show[] = {
    {"show", "show(e, limit=2000)",
     "Writes the simplified formula e, with its shape and what it assumes, but not its value. Of a "
     "formula longer than limit characters the largest parts are left out.",
     "x = var(3); show(x + x)", "2 * x", run_show, false, false},
    {"expand", "expand(e, depth=none, ...)",
     "The formula e with its named parts written out, those in them too, or only so many levels of "
     "them as depth says. With a shape it is the operation instead, which stretches a tensor to "
     "that shape: expand(x, 3, 4).",
     "x = var(3); h = sin(x) + 1; expand(h * 2)", "(sin(x) + 1) * 2\n  = 2.2822", run_expand, true,
     false},
    {"shapes", "shapes(e)",
     "Writes the formula e with the shape of each part under it, from names to whole brackets and "
     "calls; a number has no shape. A formula too wide for the terminal is a table, a line for "
     "each part.",
     "A = var(eye(2)); shapes(A @ [1, 2])", "A     @ [1, 2]      [2]\n[2,2]   [2]", run_shapes,
     true, false},
    {"ops", "ops(e)",
     "The number of operations in the formula e, its named parts unfolded: a part that occurs "
     "several times counts once. Of a tuple, list or record: of all its formulas together.",
     "x = var(3); ops(x^2 * sin(x) + x^2)", "4", run_ops, true, false},
    {"why", "why(e)",
     "Writes what was done to the formula e: the laws that simplified it, each with the first "
     "place "
     "where it was applied, the stable forms in which it is computed, and what it assumes. Of a "
     "formula that is no gradient, and stands as it was written, what show would do.",
     "z = var([1, 2]); why(log(softmax(z)))",
     "show simplifies it by\n  log(softmax(x)) = logsoftmax(x)\n    log(softmax(z)) = "
     "logsoftmax(z)\ncomputed with\n    log(softmax(z)) = logsoftmax(z)",
     run_why, true, false},
    {"raw", "raw(e)",
     "The formula e as it is written: neither simplified nor computed in a stable form. A gradient "
     "in it is the one before simplifying.",
     "x = var(3); raw(2 * x + x)", "raw(2 * x + x)\n  = 9", tg_run_raw, false, false},
    {0},
};
