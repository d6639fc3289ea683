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
#include "runtime/graph/grad_sweep.h"
#include "base/alloc.h"
#include "runtime/graph/grad_mask.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/ruled.h"

#include <string.h>

enum { MOST_LAYERS = 16 }; /* of where(c, ., 0) around an adjoint that are looked through */

void tg_sweep_end(tg_sweep *s) {
    tg_free(s->node);
    tg_free(s->active);
    tg_free(s->first);
    tg_free(s->adjoint);
    tg_free(s->wild);
    tg_free(s->mask);
    tg_free(s->pieces);
}

bool tg_sweep_is_among(const tg_node *n, int count, tg_node *const *set) {
    for (int i = 0; i < count; i++)
        if (set[i] == n) return true;
    return false;
}

size_t tg_sweep_place(const tg_sweep *s, const tg_node *n) {
    return tg_nodes_find(s->node, s->count, n);
}

bool tg_sweep_begin(tg_sweep *s, tg_rt *rt, int n, tg_node *const *roots) {
    *s = (tg_sweep){.rt = rt};
    if (!tg_node_collect(rt, n, roots, &s->node, &s->count)) return false;
    s->active = tg_alloc_array(s->count, sizeof *s->active);
    s->first = tg_alloc_array(s->count, sizeof *s->first);
    s->adjoint = tg_alloc_array(s->count, sizeof *s->adjoint);
    if (s->active && s->first && s->adjoint) return true;
    tg_sweep_end(s);
    return tg_fail_memory(&rt->c);
}

tg_node *tg_sweep_passes_to(const tg_node *node, int k) {
    if (tg_node_is_ruled(node)) return tg_ruled_into(node, k);
    if (tg_node_is_loop(node) || tg_node_is_item(node)) return node->arg[k];
    const char *rule = tg_grad_rule(node, k);
    return rule && strcmp(rule, TG_GRAD_ZERO) == 0 ? NULL : node->arg[k];
}

void tg_sweep_mark_active(tg_sweep *s, int n, tg_node *const *x, const tg_grad_options *opt) {
    s->nx = n, s->x = x, s->opt = opt;
    for (int i = 0; i < n; i++) {
        size_t k = tg_sweep_place(s, x[i]);
        if (k < s->count) s->active[k] = true;
    }
    for (size_t i = 0; i < s->count; i++) {
        const tg_node *node = s->node[i];
        if (s->active[i] || !tg_dtype_is_float(node->type.dtype)) continue;
        if (tg_sweep_is_among(node, opt->nhold, opt->hold)) continue;
        for (int k = 0; k < node->n && !s->active[i]; k++) {
            const tg_node *to = tg_sweep_passes_to(node, k);
            s->active[i] = to && s->active[tg_sweep_place(s, to)];
        }
    }
}

/* Where a derivative goes through a where, finds what may be infinite. */
static bool mark_wild(tg_sweep *s) {
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
            s->wild[i] = s->wild[tg_sweep_place(s, node->arg[k])];
    }
    return true;
}

static bool is_wild(void *sweep_, const tg_node *n) {
    const tg_sweep *s = sweep_;
    return s->wild[tg_sweep_place(s, n)];
}

/* ---- contributions ---- */

static bool contribute(tg_sweep *s, size_t to, tg_node *c, tg_node *mask, const tg_node *user,
                       int arg) {
    if (!tg_grow((void **)&s->pieces, &s->cap, s->npieces + 1, sizeof *s->pieces))
        return tg_fail_memory(&s->rt->c);
    s->pieces[s->npieces] =
        (tg_sweep_piece){.node = c, .mask = mask, .user = user, .arg = arg, .next = s->first[to]};
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
static tg_node *add_up(tg_sweep *s, size_t i) {
    tg_node *sum = NULL;
    for (size_t k = s->first[i]; k; k = s->pieces[k - 1].next) {
        tg_node *c = s->pieces[k - 1].node;
        sum = sum ? join(s->rt, s->node[i], sum, c, 0) : c;
        if (!sum) return NULL;
    }
    return sum;
}

/* The mask of the sum. */
static bool add_masks(tg_sweep *s, size_t i) {
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
static bool pass_mask(tg_sweep *s, const tg_node *node, int k, const tg_node *into, tg_node *m,
                      passed *out) {
    tg_node *c = NULL;
    if (tg_node_is(node, "where"))
        c = k == 1 ? node->arg[0] : tg_node_call1(s->rt, "not", node->arg[0]);
    if (c) m = m ? tg_node_call2(s->rt, "and", m, c) : c;
    if (!m || !s->wild[tg_sweep_place(s, into)]) return m || !tg_node_is(node, "where");
    out->mask = tg_mask_reach(s->rt, node, k, m);
    return out->mask != NULL;
}

/* Where the rule of g only moves elements, the choice moves with them: of where(m, h, 0) it makes
 * where(m moved, h moved, 0), which the next rule looks through. out->node stays NULL where it does
 * more. */
static bool turn_choice(tg_sweep *s, const tg_node *node, int k, const tg_rule_names *names,
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

static bool apply_rule(tg_sweep *s, const tg_node *node, int k, tg_rule_names *r, tg_node *g,
                       tg_node *m, passed *out) {
    if (m && s->wild[tg_sweep_place(s, node->arg[k])] && node->op->class == TG_CLASS_VIEW &&
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
static bool apply_own_rule(tg_sweep *s, tg_node *node, int k, const tg_node *into, tg_node *g,
                           tg_node *m, passed *out) {
    bool pointwise = false;
    if ((m || tg_node_is(g, "where")) && !tg_ruled_is_pointwise(s->rt, node, k, &pointwise))
        return false;
    layers l;
    out->node = tg_ruled_adjoint(s->rt, node, k, open_layers(&l, node, g, pointwise));
    if (out->node) out->node = close_layers(s->rt, &l, out->node);
    if (!out->node || !m || !s->wild[tg_sweep_place(s, node)]) return out->node != NULL;
    if (!pointwise && !(m = tg_mask_any(s->rt, m))) return false;
    if (opening(s->rt, g) != m) out->node = tg_mask_apply(s->rt, m, out->node);
    out->mask = s->wild[tg_sweep_place(s, into)] ? tg_grad_fit(s->rt, m, &into->type) : NULL;
    return out->node && (out->mask || !s->wild[tg_sweep_place(s, into)]);
}

/* What the body of such a call takes from elsewhere is differentiated as usual, in a sweep of its
 * own: a formula over the parameters, and so over the arguments. */
static bool pass_captured(tg_sweep *s, tg_node *node, tg_node *g, tg_node *mask) {
    tg_sweep t;
    tg_ruled r = tg_ruled_of(node);
    if (!s->active[tg_sweep_place(s, r.body)]) return true;
    if (!tg_guard(&s->rt->c) || !tg_sweep_begin(&t, s->rt, 1, &r.body)) return false;
    t.within = true;
    t.open = mask;
    tg_sweep_mark_active(&t, s->nx, s->x, s->opt);
    bool ok = tg_sweep_run(&t, 1, &r.body, &r.g);
    for (int i = 0; ok && i < s->nx; i++) {
        size_t at = tg_sweep_place(&t, s->x[i]);
        if (at == t.count || !t.adjoint[at]) continue;
        tg_node *c = tg_ruled_instance(s->rt, node, t.adjoint[at], g);
        ok = c && contribute(s, tg_sweep_place(s, s->x[i]), c, NULL, node, 0);
    }
    tg_sweep_end(&t);
    return ok;
}

/* Passes the adjoint g of node i on to its arguments. The last argument first: each goes in front
 * of its list. */
static bool pass(tg_sweep *s, size_t i, tg_node *g) {
    tg_node *node = s->node[i];
    bool own = tg_node_is_ruled(node);
    if (tg_node_is_item(node)) /* noted at the loop */
        return contribute(s, tg_sweep_place(s, node->arg[0]), g, NULL, node, 0);
    if (own && s->rt->check_rule && !s->rt->check_rule(s->rt, node)) return false;
    tg_rule_names r;
    tg_node *mask = s->mask ? s->mask[i] : NULL;
    for (int k = node->n - 1; k >= own; k--) {
        tg_node *into = tg_sweep_passes_to(node, k);
        size_t to = into ? tg_sweep_place(s, into) : s->count;
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
static tg_node *tell(tg_sweep *s, size_t i) {
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

/* What the items of a loop got becomes what the loop's arguments get. */
static bool pass_loop(tg_sweep *s, size_t i) {
    tg_node *node = s->node[i];
    size_t items = 0, n = (size_t)node->n;
    for (size_t k = s->first[i]; k; k = s->pieces[k - 1].next) items++;
    tg_node **item = tg_alloc_array(2 * items + n, sizeof *item);
    bool *wanted = tg_alloc_array(n, sizeof *wanted);
    bool ok = item && wanted ? true : tg_fail_memory(&s->rt->c);
    tg_node **adjoint = item + items, **into = adjoint + items;
    items = 0;
    for (size_t k = ok ? s->first[i] : 0; k; k = s->pieces[k - 1].next) {
        item[items] = (tg_node *)(uintptr_t)s->pieces[k - 1].user;
        adjoint[items++] = s->pieces[k - 1].node;
    }
    for (size_t k = 0; ok && k < n; k++) wanted[k] = s->active[tg_sweep_place(s, node->arg[k])];
    ok = ok &&
         tg_loop_adjoint(s->rt, node, s->opt->recompute, (int)items, item, adjoint, wanted, into);
    for (size_t k = n; ok && k-- > 0;) {
        if (!into[k]) continue;
        tg_node *c = tg_grad_fit(s->rt, into[k], &node->arg[k]->type);
        ok = c && contribute(s, tg_sweep_place(s, node->arg[k]), c, NULL, node, (int)k);
    }
    tg_free(item);
    tg_free(wanted);
    return ok;
}

bool tg_sweep_run(tg_sweep *s, int n, tg_node *const *roots, tg_node *const *seeds) {
    bool any = false;
    for (int i = 0; i < n; i++) any = any || s->active[tg_sweep_place(s, roots[i])];
    if (!any) return true;
    if (!mark_wild(s)) return false;
    for (int i = n; i-- > 0;) {
        size_t at = tg_sweep_place(s, roots[i]);
        if (s->active[at] && !contribute(s, at, seeds[i], s->open, NULL, 0)) return false;
    }
    for (size_t i = s->count; i-- > 0;) {
        if (!s->first[i]) continue;
        if ((i & 255) == 0 && !tg_check_interrupt(&s->rt->c)) return false;
        if (tg_node_is_loop(s->node[i])) {
            if (!pass_loop(s, i)) return false;
            continue;
        }
        s->adjoint[i] = add_up(s, i);
        if (!add_masks(s, i)) return false;
        if (s->adjoint[i] && s->trace) s->adjoint[i] = tell(s, i);
        if (!s->adjoint[i]) return false;
        if (s->within && tg_sweep_is_among(s->node[i], s->nx, s->x)) continue;
        if (tg_sweep_is_among(s->node[i], s->opt->nhold, s->opt->hold))
            continue; /* a target, and held */
        if (!pass(s, i, s->adjoint[i])) return false;
    }
    return true;
}
