/* Gradients as they are asked for: what is differentiated is simplified first, then a sweep
 * (grad.c) builds the adjoints, and each result is simplified and remembers what it came from.
 * Where a result is zero, the paths tell why. */
#include "runtime/graph/grad_sweep.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/recompute.h"
#include "base/alloc.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/ruled.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/spelling.h"

#include <string.h>

/* ---- paths that are cut ---- */

static const char *name_of_cut(const tg_node *node) {
    if (tg_node_is_ruled(node) || node->op == &tg_op_parameter) return "a rule without it";
    return node->op->symbol ? node->op->symbol : node->op->shown ? node->op->shown : node->op->name;
}

/* Why y does not reach x: "" no path; an operation's name; NULL: it does. */
static bool find_cut(tg_rt *rt, tg_node *y, tg_node *x, const tg_grad_options *opt,
                     const char **cut) {
    tg_sweep s;
    if (!tg_sweep_begin(&s, rt, 1, &y)) return false;
    *cut = "";
    size_t at = tg_sweep_place(&s, x);
    if (at < s.count) {
        for (size_t i = 0; i < s.count; i++) { /* active: reaches x, by any kind of path */
            s.active[i] = i == at;
            for (int k = 0; k < s.node[i]->n && !s.active[i]; k++)
                s.active[i] = s.active[tg_sweep_place(&s, s.node[i]->arg[k])];
        }
        s.first[s.count - 1] = 1; /* first: reached from y by differentiable steps */
        for (size_t i = s.count; i-- > 0;) {
            const tg_node *node = s.node[i];
            if (!s.first[i] || !s.active[i] || i == at) continue;
            bool held = tg_sweep_is_among(node, opt->nhold, opt->hold) ||
                        !tg_dtype_is_float(node->type.dtype);
            for (int k = 0; k < node->n; k++) {
                const tg_node *into = tg_sweep_passes_to(node, k);
                if (!s.active[tg_sweep_place(&s, into ? into : node->arg[k])]) continue;
                if (held || !into) {
                    if (!**cut) *cut = name_of_cut(node);
                } else {
                    s.first[tg_sweep_place(&s, into)] = 1;
                }
            }
        }
        if (s.first[at]) *cut = NULL;
    }
    tg_sweep_end(&s);
    return true;
}

static tg_node *zero_like(tg_rt *rt, tg_node *x) {
    if (x->type.rank == 0) return tg_node_number(rt, 0);
    tg_rule_name names[2] = {
        {.name = "x", .node = x},
        {.name = "to", .kind = TG_P_SHAPE, .n = x->type.rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[1].v, x->type.dim, (size_t)x->type.rank * sizeof *x->type.dim);
    return tg_rule_build(rt, x->type.dtype == rt->precision ? "zeros(to)" : "zeros_like(x)", 2,
                         names);
}

/* ---- the whole ---- */

static bool check(tg_rt *rt, const tg_node *y, const tg_grad_options *opt) {
    const char *shape = tg_shape_text(rt, y->type.rank, y->type.dim);
    if (!opt->seed) {
        if (y->type.rank == 0) return true;
        tg_fail(&rt->c, TG_ERR_TYPE, "grad needs a scalar, and this has the shape %s", shape);
        return tg_help(&rt->c, "sum(y) for the gradient of the sum, jacobian(y, x) for the "
                               "gradients of all, or seed= for a weighted sum");
    }
    if (tg_type_same_shape(&opt->seed->type, &y->type)) return true;
    return tg_fail(&rt->c, TG_ERR_SHAPE, "the seed must have the shape of y, %s, not %s", shape,
                   tg_shape_text(rt, opt->seed->type.rank, opt->seed->type.dim));
}

tg_node *tg_node_raw(tg_rt *rt, tg_node *n) {
    static const tg_attrs none;
    return n->n == 0 || n->op->opaque ? n : tg_node_make(rt, tg_op_find("raw"), 1, &n, &none);
}

/* Does something that must stay as it is written lie on a path from y to some x? */
static bool meets_raw(const tg_sweep *s) {
    for (size_t i = 0; i < s->count; i++)
        if (s->active[i] && s->node[i]->op->opaque) return true;
    return false;
}

/* A formula may be the gradient of several: the one that somebody holds keeps its origin. */
static bool remember(tg_rt *rt, tg_node *g, tg_node *y, tg_node *x, const tg_grad_options *opt) {
    if (g->n == 0 || g == y || (g->origin && g->holders > 0)) return true;
    tg_origin *o = tg_alloc(sizeof *o + (size_t)opt->nhold * sizeof *o->hold);
    if (!o) return tg_fail_memory(&rt->c);
    *o = (tg_origin){.y = y, .x = x, .seed = opt->seed, .nhold = opt->nhold};
    if (opt->nhold) memcpy(o->hold, opt->hold, (size_t)opt->nhold * sizeof *o->hold);
    tg_free(g->origin);
    g->origin = o;
    return true;
}

tg_node *tg_grad_raw(tg_rt *rt, tg_node *n) {
    tg_origin *o = n->origin;
    if (!o) return n;
    if (!tg_guard(&rt->c)) return NULL;
    tg_grad_options opt = {.seed = o->seed, .nhold = o->nhold, .hold = o->hold};
    tg_node *y = tg_grad_raw(rt, o->y), *out; /* y may be a gradient itself, which x is part of */
    if (!y) return NULL;
    if (y != o->y && tg_node_depends(rt, o->y, o->x) && !tg_node_depends(rt, y, o->x)) y = o->y;
    return tg_grad(rt, y, 1, &o->x, &opt, &out, NULL) ? out : NULL;
}

static bool finish(tg_rt *rt, const tg_sweep *s, tg_node *y, tg_node *x, const tg_grad_options *opt,
                   tg_node **out, const char **cut) {
    size_t at = tg_sweep_place(s, x);
    tg_node *g = at < s->count ? s->adjoint[at] : NULL;
    uint32_t used = 0;
    if (cut) *cut = NULL;
    if (!g && cut && !find_cut(rt, y, x, opt, cut)) return false;
    if (!g) g = zero_like(rt, x);
    if (g && meets_raw(s))
        g = tg_node_raw(rt, g);
    else if (g && opt->simplify)
        g = tg_simplify(rt, g, &used);
    if (g && opt->remember && !remember(rt, g, y, x, opt)) return false;
    if (g && opt->recompute) tg_recompute_attach(g, opt->recompute, opt->changed);
    if (opt->used) *opt->used |= used;
    *out = g;
    return g && tg_node_set_backward(rt, g);
}

/* y simplified, with the nodes to differentiate by, and those held, kept as they are. */
static tg_node *prepare(tg_rt *rt, tg_node *y, int n, tg_node *const *x,
                        const tg_grad_options *opt) {
    int nkeep = 0;
    tg_node **keep = tg_alloc_array((size_t)n + (size_t)opt->nhold + 1, sizeof *keep);
    if (!keep) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    for (int i = 0; i < n + opt->nhold; i++) {
        tg_node *k = i < n ? x[i] : opt->hold[i - n];
        if (k->n > 0) keep[nkeep++] = k;
    }
    uint32_t barred = tg_assume_bar(rt, n, x);
    tg_node *made = tg_simplify_around(rt, y, nkeep, keep, opt->used);
    tg_assume_unbar(rt, barred);
    if (made) made = tg_node_one_spelling(rt, made, nkeep, keep);
    tg_free(keep);
    return made;
}

bool tg_grad_parts(tg_rt *rt, tg_node *n, tg_node **y, tg_node **g) {
    tg_origin *o = n->origin;
    tg_grad_options opt = {.seed = o->seed, .nhold = o->nhold, .hold = o->hold};
    tg_node *from = prepare(rt, o->y, 1, &o->x, &opt);
    *y = o->y;
    return from && tg_grad(rt, from, 1, &o->x, &opt, g, NULL);
}

bool tg_grad(tg_rt *rt, tg_node *y, int n, tg_node *const *x, const tg_grad_options *opt,
             tg_node **out, const char **cut) {
    static const tg_grad_options usual = {.simplify = true};
    if (!opt) opt = &usual;
    if (opt->used) *opt->used = 0;
    if (!check(rt, y, opt)) return false;
    tg_node *from = opt->simplify ? prepare(rt, y, n, x, opt) : y;
    tg_node *seed = opt->seed ? opt->seed : tg_node_number(rt, 1);
    tg_sweep s;
    if (!from || !seed || !tg_sweep_begin(&s, rt, 1, &from)) return false;
    s.trace = opt->trace;
    tg_sweep_mark_active(&s, n, x, opt);
    bool ok = tg_sweep_run(&s, 1, &from, &seed);
    if (opt->recompute) {
        opt->recompute->y = y;
        opt->recompute->from = from;
    }
    for (int i = 0; i < n && ok; i++)
        ok = finish(rt, &s, y, x[i], opt, &out[i], cut ? &cut[i] : NULL);
    tg_sweep_end(&s);
    return ok;
}
