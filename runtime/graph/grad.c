/* Reverse mode, as a transformation of formulas. The nodes under y are walked once by descending
 * id, so that every consumer of a node has been passed before the node itself; the adjoint of a
 * node is the sum of what its consumers contributed, each by the rule text of its operation. The
 * adjoints are formulas like any other: differentiating again needs nothing new.
 *
 * Invariants. Only nodes that depend on some x are passed, so constants cost nothing. Contributions
 * are added by ascending id of the consumer, whatever the order they were found in: the result does
 * not depend on the walk. A contribution has the shape of the argument when it is stored: what
 * broadcasting stretched is summed up here, and rules know nothing of it. Where an adjoint is
 * where(c, g, 0), the rule is applied to g alone and the choice put around the result, so that an
 * infinite slope on the side not taken never meets the zero (0 * inf). Further down, where the zero
 * has gone through sums, views and products, a mask tells where it is (grad_mask.h).
 *
 * A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. 2008, chapters 3 and 6. */
#include "runtime/graph/assume.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/recompute.h"
#include "base/alloc.h"
#include "runtime/graph/grad_mask.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/ruled.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/spelling.h"

#include <string.h>

enum { MOST_LAYERS = 16 }; /* of where(c, ., 0) around an adjoint that are looked through */

typedef struct piece {    /* one contribution */
    tg_node *node, *mask; /* mask NULL: it may be other than 0 everywhere */
    const tg_node *user;  /* whose rule it comes from, NULL: the seed */
    int arg;              /* ... for this argument */
    size_t next;          /* index + 1 of the next in the list of the same argument, 0: the last */
} piece;

typedef struct sweep {
    tg_rt *rt;
    int nx; /* differentiated by */
    tg_node *const *x;
    const tg_grad_options *opt;
    bool within;    /* of a function's body: nothing passes beyond x */
    tg_node **node; /* all under y, ascending id */
    size_t count;
    bool *active;      /* depends on some x through float-typed nodes */
    size_t *first;     /* list of contributions: index + 1 into piece, 0: none */
    tg_node **adjoint; /* the finished sums */
    bool *wild;        /* it, or what is under it, may be infinite (grad_mask.h); NULL: no where */
    tg_node **mask;    /* of the adjoint; NULL: none */
    tg_node *open;     /* the mask of the seed, or NULL */
    piece *pieces;
    size_t npieces, cap;
    const tg_grad_trace *trace;
} sweep;

static void end_sweep(sweep *s) {
    tg_free(s->node);
    tg_free(s->active);
    tg_free(s->first);
    tg_free(s->adjoint);
    tg_free(s->wild);
    tg_free(s->mask);
    tg_free(s->pieces);
}

static bool is_among(const tg_node *n, int count, tg_node *const *set) {
    for (int i = 0; i < count; i++)
        if (set[i] == n) return true;
    return false;
}

/* The place of n among the nodes, by its id; count when it is not there. */
static size_t place(const sweep *s, const tg_node *n) {
    return tg_nodes_find(s->node, s->count, n);
}

static bool begin_sweep(sweep *s, tg_rt *rt, tg_node *y) {
    *s = (sweep){.rt = rt};
    if (!tg_node_collect(rt, 1, &y, &s->node, &s->count)) return false;
    s->active = tg_alloc_array(s->count, sizeof *s->active);
    s->first = tg_alloc_array(s->count, sizeof *s->first);
    s->adjoint = tg_alloc_array(s->count, sizeof *s->adjoint);
    if (s->active && s->first && s->adjoint) return true;
    end_sweep(s);
    return tg_fail_memory(&rt->c);
}

/* The node that argument k of `node` passes a derivative to: the argument itself, except of a call
 * with a rule of the user's own. NULL: the derivative is zero. */
static tg_node *passes_to(const tg_node *node, int k) {
    if (tg_node_is_ruled(node)) return tg_ruled_into(node, k);
    const char *rule = tg_grad_rule(node, k);
    return rule && strcmp(rule, TG_GRAD_ZERO) == 0 ? NULL : node->arg[k];
}

static void mark_active(sweep *s, int n, tg_node *const *x, const tg_grad_options *opt) {
    s->nx = n, s->x = x, s->opt = opt;
    for (int i = 0; i < n; i++) {
        size_t k = place(s, x[i]);
        if (k < s->count) s->active[k] = true;
    }
    for (size_t i = 0; i < s->count; i++) {
        const tg_node *node = s->node[i];
        if (s->active[i] || !tg_dtype_is_float(node->type.dtype)) continue;
        if (is_among(node, opt->nhold, opt->hold)) continue;
        for (int k = 0; k < node->n && !s->active[i]; k++) {
            const tg_node *to = passes_to(node, k);
            s->active[i] = to && s->active[place(s, to)];
        }
    }
}

/* Where a derivative goes through a where, finds what may be infinite. */
static bool mark_wild(sweep *s) {
    bool any = s->open != NULL;
    for (size_t i = 0; i < s->count && !any; i++)
        any = s->active[i] && tg_node_is(s->node[i], "where");
    if (!any) return true;
    s->wild = tg_alloc_array(s->count, sizeof *s->wild);
    s->mask = tg_alloc_array(s->count, sizeof(tg_node *));
    if (!s->wild || !s->mask) return tg_fail_memory(&s->rt->c);
    for (size_t i = 0; i < s->count; i++) {
        const tg_node *node = s->node[i];
        s->wild[i] = tg_mask_is_wild(node);
        for (int k = 0; k < node->n && !s->wild[i]; k++)
            s->wild[i] = s->wild[place(s, node->arg[k])];
    }
    return true;
}

static bool is_wild(void *sweep_, const tg_node *n) {
    const sweep *s = sweep_;
    return s->wild[place(s, n)];
}

/* ---- contributions ---- */

static bool contribute(sweep *s, size_t to, tg_node *c, tg_node *mask, const tg_node *user,
                       int arg) {
    if (!tg_grow((void **)&s->pieces, &s->cap, s->npieces + 1, sizeof *s->pieces))
        return tg_fail_memory(&s->rt->c);
    s->pieces[s->npieces] =
        (piece){.node = c, .mask = mask, .user = user, .arg = arg, .next = s->first[to]};
    s->first[to] = ++s->npieces;
    return true;
}

static bool is_zero(const tg_node *n) {
    return tg_node_is_number(n) && n->leaf.number == 0;
}

/* The side of where(c, g, 0) that is not 0; 0: there is none, or n is something else. */
static int open_side(const tg_node *n) {
    if (!tg_node_is(n, "where")) return 0;
    return is_zero(n->arg[2]) ? 1 : is_zero(n->arg[1]) ? 2 : 0;
}

/* Where may n, which is where(c, g, 0), be other than 0? */
static tg_node *opening(tg_rt *rt, const tg_node *n) {
    tg_node *all = NULL;
    for (int side, depth = 0; depth < MOST_LAYERS && (side = open_side(n)); depth++) {
        tg_node *c = side == 1 ? n->arg[0] : tg_node_call1(rt, "not", n->arg[0]);
        all = all ? tg_node_call2(rt, "and", all, c) : c;
        if (!c || !all) return NULL;
        n = n->arg[side];
    }
    return all;
}

/* The sum of two contributions to a node. Two choices by the same condition are one choice, and two
 * that are 0 somewhere are, for a node that passes an adjoint on, 0 where both are. */
static tg_node *join(tg_rt *rt, const tg_node *node, tg_node *a, tg_node *b, int depth) {
    static const tg_attrs none;
    if (is_zero(a)) return b;
    if (is_zero(b)) return a;
    tg_node *sum = tg_node_call2(rt, "add", a, b);
    if (!sum || depth == MOST_LAYERS) return sum;
    if (tg_node_is(a, "where") && tg_node_is(b, "where") && a->arg[0] == b->arg[0]) {
        tg_node *branch[3] = {a->arg[0], join(rt, node, a->arg[1], b->arg[1], depth + 1),
                              join(rt, node, a->arg[2], b->arg[2], depth + 1)};
        if (!branch[1] || !branch[2]) return NULL;
        tg_node *made = tg_node_make(rt, a->op, 3, branch, &none);
        if (!made || tg_type_same_shape(&made->type, &sum->type)) return made;
    }
    if (node->op->class != TG_CLASS_ELEMENTWISE || !open_side(a) || !open_side(b)) return sum;
    tg_node *open[2] = {opening(rt, a), opening(rt, b)};
    tg_node *either = open[0] && open[1] ? tg_node_call2(rt, "or", open[0], open[1]) : NULL;
    tg_node *branch[3] = {either, sum, tg_node_number(rt, 0)};
    return either && branch[2] ? tg_node_make(rt, a->op, 3, branch, &none) : NULL;
}

/* The list is in ascending order of consumers: the sweep descends, and each was put in front. */
static tg_node *add_up(sweep *s, size_t i) {
    tg_node *sum = NULL;
    for (size_t k = s->first[i]; k; k = s->pieces[k - 1].next) {
        tg_node *c = s->pieces[k - 1].node;
        sum = sum ? join(s->rt, s->node[i], sum, c, 0) : c;
        if (!sum) return NULL;
    }
    return sum;
}

/* The mask of the sum. */
static bool add_masks(sweep *s, size_t i) {
    size_t k = s->first[i];
    if (!s->mask) return true;
    tg_node *mask = s->pieces[k - 1].mask;
    bool ok = true;
    while (ok && mask && (k = s->pieces[k - 1].next) != 0)
        mask = tg_mask_either(s->rt, mask, s->pieces[k - 1].mask, &ok);
    s->mask[i] = mask;
    return ok;
}

/* The side of an adjoint where(c, g, 0) that is not 0; 0 when the rule must be applied to the
 * whole. */
static int chosen_side(const tg_node *node, const tg_node *g, bool pointwise) {
    int side = open_side(g);
    if (!side || pointwise) return side;
    return g->arg[0]->type.rank == 0 && tg_type_same_shape(&g->arg[side]->type, &node->type) ? side
                                                                                             : 0;
}

/* The layers where(c, ., 0) around an adjoint: a rule is applied to what is inside. */
typedef struct layers {
    int n, side[MOST_LAYERS];
    const tg_node *node[MOST_LAYERS];
} layers;

static tg_node *open_layers(layers *l, const tg_node *node, tg_node *g, bool pointwise) {
    for (l->n = 0; l->n < MOST_LAYERS; l->n++) {
        int side = chosen_side(node, g, pointwise);
        if (!side) break;
        l->node[l->n] = g;
        l->side[l->n] = side;
        g = g->arg[side];
    }
    return g;
}

static tg_node *close_layers(tg_rt *rt, const layers *l, tg_node *made) {
    for (int i = l->n; made && i-- > 0;) {
        const tg_node *g = l->node[i];
        bool first = l->side[i] == 1;
        tg_node *branch[3] = {g->arg[0], first ? made : g->arg[1], first ? g->arg[2] : made};
        made = tg_node_make(rt, g->op, 3, branch, g->at);
    }
    return made;
}

/* What a node's argument gets, and its mask. */
typedef struct passed {
    tg_node *node, *mask;
} passed;

/* The mask that argument k of node gets from m, the node's own (NULL: none). */
static bool pass_mask(sweep *s, const tg_node *node, int k, const tg_node *into, tg_node *m,
                      passed *out) {
    tg_node *c = NULL;
    if (tg_node_is(node, "where"))
        c = k == 1 ? node->arg[0] : tg_node_call1(s->rt, "not", node->arg[0]);
    if (c) m = m ? tg_node_call2(s->rt, "and", m, c) : c;
    if (!m || !s->wild[place(s, into)]) return m || !tg_node_is(node, "where");
    out->mask = tg_mask_reach(s->rt, node, k, m);
    return out->mask != NULL;
}

/* Where the rule of g only moves elements, the choice moves with them: of where(m, h, 0) it makes
 * where(m moved, h moved, 0), which the next rule looks through. out->node stays NULL where it does
 * more. */
static bool turn_choice(sweep *s, const tg_node *node, int k, const tg_rule_names *names,
                        tg_node *g, tg_node *m, passed *out) {
    for (int side; (side = open_side(g)) != 0;) g = g->arg[side];
    tg_rule_names r = *names;
    tg_node *whole = tg_grad_stretch(s->rt, g, &node->type), *moved, *at;
    if (!whole) return false;
    tg_grad_name_node(&r, "g", whole);
    at = moved = tg_rule_build(s->rt, tg_grad_rule(node, k), r.n, r.name);
    while (at && at != whole && at->op->class == TG_CLASS_VIEW && at->n == 1) at = at->arg[0];
    if (!at || at != whole) return at != NULL;
    out->mask = tg_mask_reach(s->rt, node, k, m);
    if (out->mask) out->node = tg_mask_apply(s->rt, out->mask, moved);
    return out->node != NULL;
}

static bool apply_rule(sweep *s, const tg_node *node, int k, tg_rule_names *r, tg_node *g,
                       tg_node *m, passed *out) {
    if (m && s->wild[place(s, node->arg[k])] && node->op->class == TG_CLASS_VIEW &&
        opening(s->rt, g) == m) {
        if (!turn_choice(s, node, k, r, g, m, out)) return false;
        if (out->node) return true;
    }
    layers l;
    bool wrap = false;
    tg_node *inside = open_layers(&l, node, g, node->op->class == TG_CLASS_ELEMENTWISE);
    if (m && tg_mask_matters(node, k, is_wild, s)) {
        bool all = l.n > 0 && opening(s->rt, g) == m;
        if (!all && !tg_mask_guard(s->rt, node, k, m, r, &wrap)) return false;
    }
    tg_grad_name_node(r, "g", inside);
    tg_node *made = tg_rule_build(s->rt, tg_grad_rule(node, k), r->n, r->name);
    made = made ? close_layers(s->rt, &l, made) : NULL;
    if (made && wrap) {
        tg_node *reach =
            node->op->class == TG_CLASS_ELEMENTWISE ? m : tg_mask_reach(s->rt, node, k, m);
        made = reach ? tg_mask_apply(s->rt, reach, made) : NULL;
    }
    out->node = made;
    return made && (!s->mask || pass_mask(s, node, k, node->arg[k], m, out));
}

static bool no_rule(tg_rt *rt, const tg_node *node) {
    const char *name = node->op->shown ? node->op->shown : node->op->name;
    tg_fail(&rt->c, TG_ERR_TYPE, "there is no derivative rule for %s", name);
    return tg_help(&rt->c, "stop(...) around it, or hold=[...], treats it as a constant; `rule` "
                           "gives it a derivative");
}

/* What a call with a rule of the user's own contributes through argument k. Elementwise rules keep
 * the mask; of others every element counts where any does. */
static bool apply_own_rule(sweep *s, tg_node *node, int k, const tg_node *into, tg_node *g,
                           tg_node *m, passed *out) {
    bool pointwise = false;
    if ((m || tg_node_is(g, "where")) && !tg_ruled_is_pointwise(s->rt, node, k, &pointwise))
        return false;
    layers l;
    out->node = tg_ruled_adjoint(s->rt, node, k, open_layers(&l, node, g, pointwise));
    if (out->node) out->node = close_layers(s->rt, &l, out->node);
    if (!out->node || !m || !s->wild[place(s, node)]) return out->node != NULL;
    if (!pointwise && !(m = tg_mask_any(s->rt, m))) return false;
    if (opening(s->rt, g) != m) out->node = tg_mask_apply(s->rt, m, out->node);
    out->mask = s->wild[place(s, into)] ? tg_grad_fit(s->rt, m, &into->type) : NULL;
    return out->node && (out->mask || !s->wild[place(s, into)]);
}

static bool run(sweep *s, tg_node *seed);

/* What the body of such a call takes from elsewhere is differentiated as usual, in a sweep of its
 * own: a formula over the parameters, and so over the arguments. */
static bool pass_captured(sweep *s, tg_node *node, tg_node *g, tg_node *mask) {
    sweep t;
    tg_ruled r = tg_ruled_of(node);
    if (!s->active[place(s, r.body)]) return true;
    if (!tg_guard(&s->rt->c) || !begin_sweep(&t, s->rt, r.body)) return false;
    t.within = true;
    t.open = mask;
    mark_active(&t, s->nx, s->x, s->opt);
    bool ok = run(&t, r.g);
    for (int i = 0; ok && i < s->nx; i++) {
        size_t at = place(&t, s->x[i]);
        if (at == t.count || !t.adjoint[at]) continue;
        tg_node *c = tg_ruled_instance(s->rt, node, t.adjoint[at], g);
        ok = c && contribute(s, place(s, s->x[i]), c, NULL, node, 0);
    }
    end_sweep(&t);
    return ok;
}

/* Passes the adjoint g of node i on to its arguments. The last argument first: each goes in front
 * of its list. */
static bool pass(sweep *s, size_t i, tg_node *g) {
    tg_node *node = s->node[i];
    bool own = tg_node_is_ruled(node);
    if (own && s->rt->check_rule && !s->rt->check_rule(s->rt, node)) return false;
    tg_rule_names r;
    tg_node *mask = s->mask ? s->mask[i] : NULL;
    for (int k = node->n - 1; k >= own; k--) {
        tg_node *into = passes_to(node, k);
        size_t to = into ? place(s, into) : s->count;
        if (!into || !s->active[to]) continue;
        passed c = {NULL, NULL};
        bool ok;
        if (own) {
            ok = apply_own_rule(s, node, k, into, g, mask, &c);
        } else {
            if (!tg_grad_rule(node, k)) return no_rule(s->rt, node);
            ok = tg_grad_name(s->rt, node, k, &r) && apply_rule(s, node, k, &r, g, mask, &c);
        }
        if (ok) c.node = tg_grad_fit(s->rt, c.node, &into->type);
        if (!ok || !c.node || !contribute(s, to, c.node, c.mask, node, k)) return false;
    }
    return own ? pass_captured(s, node, g, mask) : true;
}

/* Tells the observer of the adjoint of node i, and gives what it makes of it. */
static tg_node *tell(sweep *s, size_t i) {
    int n = 0;
    for (size_t k = s->first[i]; k; k = s->pieces[k - 1].next) n++;
    tg_grad_part *part = tg_alloc_array((size_t)n, sizeof *part);
    if (!part) {
        tg_fail_memory(&s->rt->c);
        return NULL;
    }
    n = 0;
    for (size_t k = s->first[i]; k; k = s->pieces[k - 1].next)
        part[n++] =
            (tg_grad_part){s->pieces[k - 1].user, s->pieces[k - 1].arg, s->pieces[k - 1].node};
    tg_node *made = s->trace->finished(s->trace->user, s->node[i], s->adjoint[i], n, part);
    tg_free(part);
    return made;
}

static bool run(sweep *s, tg_node *seed) {
    size_t last = s->count - 1; /* y has the greatest id */
    if (!s->active[last]) return true;
    if (!mark_wild(s) || !contribute(s, last, seed, s->open, NULL, 0)) return false;
    for (size_t i = s->count; i-- > 0;) {
        if (!s->first[i]) continue;
        if ((i & 255) == 0 && !tg_check_interrupt(&s->rt->c)) return false;
        s->adjoint[i] = add_up(s, i);
        if (!add_masks(s, i)) return false;
        if (s->adjoint[i] && s->trace) s->adjoint[i] = tell(s, i);
        if (!s->adjoint[i]) return false;
        if (s->within && is_among(s->node[i], s->nx, s->x)) continue;
        if (is_among(s->node[i], s->opt->nhold, s->opt->hold)) continue; /* a target, and held */
        if (!pass(s, i, s->adjoint[i])) return false;
    }
    return true;
}

/* ---- paths that are cut ---- */

static const char *name_of_cut(const tg_node *node) {
    if (tg_node_is_ruled(node) || node->op == &tg_op_parameter) return "a rule without it";
    return node->op->symbol ? node->op->symbol : node->op->shown ? node->op->shown : node->op->name;
}

/* Why y does not reach x: "" no path; an operation's name; NULL: it does. */
static bool find_cut(tg_rt *rt, tg_node *y, tg_node *x, const tg_grad_options *opt,
                     const char **cut) {
    sweep s;
    if (!begin_sweep(&s, rt, y)) return false;
    *cut = "";
    size_t at = place(&s, x);
    if (at < s.count) {
        for (size_t i = 0; i < s.count; i++) { /* active: reaches x, by any kind of path */
            s.active[i] = i == at;
            for (int k = 0; k < s.node[i]->n && !s.active[i]; k++)
                s.active[i] = s.active[place(&s, s.node[i]->arg[k])];
        }
        s.first[s.count - 1] = 1; /* first: reached from y by differentiable steps */
        for (size_t i = s.count; i-- > 0;) {
            const tg_node *node = s.node[i];
            if (!s.first[i] || !s.active[i] || i == at) continue;
            bool held =
                is_among(node, opt->nhold, opt->hold) || !tg_dtype_is_float(node->type.dtype);
            for (int k = 0; k < node->n; k++) {
                const tg_node *into = passes_to(node, k);
                if (!s.active[place(&s, into ? into : node->arg[k])]) continue;
                if (held || !into) {
                    if (!**cut) *cut = name_of_cut(node);
                } else {
                    s.first[place(&s, into)] = 1;
                }
            }
        }
        if (s.first[at]) *cut = NULL;
    }
    end_sweep(&s);
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
static bool meets_raw(const sweep *s) {
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

static bool finish(tg_rt *rt, const sweep *s, tg_node *y, tg_node *x, const tg_grad_options *opt,
                   tg_node **out, const char **cut) {
    size_t at = place(s, x);
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
    sweep s;
    if (!from || !seed || !begin_sweep(&s, rt, from)) return false;
    s.trace = opt->trace;
    mark_active(&s, n, x, opt);
    bool ok = run(&s, seed);
    if (opt->recompute) {
        opt->recompute->y = y;
        opt->recompute->from = from;
    }
    for (int i = 0; i < n && ok; i++)
        ok = finish(rt, &s, y, x[i], opt, &out[i], cut ? &cut[i] : NULL);
    end_sweep(&s);
    return ok;
}
