/* The gradient of a loop is a loop the other way round (backpropagation through time: Werbos 1990;
 * Griewank & Walther 2008, ch. 3). Its states are the adjoints of the loop's states, and its body
 * is the derivative of the body, by the usual driver (grad.c) over the slots.
 *
 * What this body needs to know of the turn it undoes is cut off where the forward body ends: such a
 * value becomes one more stack of the forward loop, and a row of it an argument of the backward
 * turn. Cheap operations and looks at values that are there anyway are done again instead. The
 * state at the beginning of a turn, when it is needed, is a stack like the others.
 *
 * An invariant, such as a matrix of weights, gets a sum over all turns. As a state of the backward
 * loop that sum would be a product of small matrices in each turn; where it is linear in values
 * that can be stacked it is taken out of the loop instead (loop_hoist.c): one large product.
 *
 * All of this are formulas: the backward loop is differentiated again as any other is. */
#include "runtime/graph/loop_grad.h"
#include "base/alloc.h"
#include "runtime/graph/grad_rule.h"
#include "runtime/graph/grad_sweep.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/substitute.h"

#include <string.h>

/* ---- lists ---- */

static bool push(tg_rt *rt, tg_node_list *l, tg_node *n) {
    void *p = l->item;
    bool ok = tg_grow(&p, &l->cap, l->n + 1, sizeof(tg_node *));
    l->item = p;
    if (!ok) return tg_fail_memory(&rt->c);
    l->item[l->n++] = n;
    return true;
}

static size_t find(const tg_node_list *l, const tg_node *n) {
    size_t i = 0;
    while (i < l->n && l->item[i] != n) i++;
    return i;
}

static tg_node *fresh_slot(tg_loop_back *b, const tg_type *type) {
    tg_type t = *type;
    t.weak = false;
    return tg_loop_slot(b->rt, b->level + 1, b->numbers++, &t, NULL);
}

/* ---- which states matter ---- */

static bool *flags(tg_loop_back *b, size_t n) {
    bool *p = tg_alloc_array(n, sizeof *p);
    if (!p) tg_fail_memory(&b->rt->c);
    return p;
}

static bool reaches_any(tg_loop_back *b, tg_node *n, const bool *which) {
    for (int i = 0; i < b->loop->n; i++)
        if (which[i] && tg_node_depends(b->rt, n, b->slot[i])) return true;
    return false;
}

/* A state's adjoint is carried where the state depends on what is differentiated by, and something
 * that has an adjoint depends on the state. */
static bool find_active(tg_loop_back *b) {
    const tg_loop *l = b->loop;
    b->varied = flags(b, (size_t)l->n);
    b->active = flags(b, (size_t)l->carries);
    if (!b->varied || !b->active) return false;
    memcpy(b->varied, b->wanted, (size_t)l->n * sizeof *b->varied);
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < l->carries; k++) {
            bool real = tg_dtype_is_float(l->slot[k]->type.dtype);
            if (b->varied[k] || !real || !reaches_any(b, b->next[k], b->varied)) continue;
            b->varied[k] = more = true;
        }
    }
    for (int i = 0; i < b->nitems; i++)
        if (!tg_item_formula(b->item[i])) b->active[tg_item_carry(b->item[i])] = true;
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < l->carries; k++) {
            bool reached = b->active[k];
            for (size_t i = 0; i < b->outs.n && !reached; i++)
                reached = tg_node_depends(b->rt, b->outs.item[i], b->slot[k]);
            for (int j = 0; j < l->carries && !reached; j++)
                reached = b->active[j] && tg_node_depends(b->rt, b->next[j], b->slot[k]);
            more = more || reached != b->active[k];
            b->active[k] = reached;
        }
    }
    for (int k = 0; k < l->carries; k++) b->active[k] = b->active[k] && b->varied[k];
    return true;
}

/* ---- the derivative of the body ---- */

/* The adjoint of a last state, or NULL. */
static tg_node *adjoint_of_last(const tg_loop_back *b, int carry) {
    for (int i = 0; i < b->nitems; i++)
        if (!tg_item_formula(b->item[i]) && tg_item_carry(b->item[i]) == carry)
            return b->adjoint[i];
    return NULL;
}

static tg_node *zeros(tg_rt *rt, const tg_type *t) {
    tg_node *zero = tg_node_number(rt, 0);
    if (t->rank == 0 || !zero) return zero;
    tg_rule_name to = {.name = "to", .kind = TG_P_SHAPE, .n = t->rank, .sizes = ~UINT64_C(0)};
    memcpy(to.v, t->dim, (size_t)t->rank * sizeof *t->dim);
    tg_node *n = tg_rule_build(rt, "zeros(to)", 1, &to);
    return n ? tg_loop_fit(rt, n, t) : NULL;
}

/* The simple form of an adjoint that comes from around the loop. */
static tg_node *simple(tg_rt *rt, tg_node *n, const tg_type *t) {
    uint32_t used;
    n = tg_simplify(rt, n, &used);
    return n ? tg_loop_fit(rt, n, t) : NULL;
}

/* The slots of the adjoints, and their values around the loop. */
static bool name_adjoints(tg_loop_back *b) {
    const tg_loop *l = b->loop;
    for (int k = 0; k < l->carries; k++) {
        if (!b->active[k]) continue;
        tg_type t = l->slot[k]->type;
        t.weak = false;
        tg_node *slot = fresh_slot(b, &t), *first = adjoint_of_last(b, k);
        first = first ? simple(b->rt, first, &t) : zeros(b->rt, &t);
        if (!slot || !first || !push(b->rt, &b->carry, slot) || !push(b->rt, &b->init, first) ||
            !push(b->rt, &b->root, b->next[k]) || !push(b->rt, &b->seed, slot))
            return false;
    }
    for (int i = 0, at = 0; i < b->nitems; i++) {
        if (!tg_item_formula(b->item[i])) continue;
        tg_node *out = b->outs.item[at++];
        tg_type t = b->item[i]->type, row;
        tg_type_row(&t, &row);
        if (!reaches_any(b, out, b->varied)) continue;
        tg_node *slot = fresh_slot(b, &row), *rows = simple(b->rt, b->adjoint[i], &t);
        if (!slot || !rows || !push(b->rt, &b->row, slot) || !push(b->rt, &b->rows, rows) ||
            !push(b->rt, &b->root, out) || !push(b->rt, &b->seed, slot))
            return false;
    }
    return true;
}

/* The adjoint of each slot in a turn, simplified around the values of the forward body. NULL:
 * nothing gets there. */
static bool differentiate(tg_loop_back *b) {
    static const tg_grad_options usual;
    const tg_loop *l = b->loop;
    tg_sweep s;
    size_t nkeep = 0;
    tg_node **keep = NULL;
    b->into = tg_alloc_array((size_t)l->n, sizeof *b->into);
    if (!b->into) return tg_fail_memory(&b->rt->c);
    if (b->root.n == 0) return true;
    if (!tg_sweep_begin(&s, b->rt, (int)b->root.n, b->root.item)) return false;
    tg_node **x = tg_alloc_array((size_t)l->n, sizeof *x);
    int nx = 0;
    bool ok = x ? true : tg_fail_memory(&b->rt->c);
    for (int i = 0; ok && i < l->n; i++)
        if (i < l->carries ? b->active[i] : b->wanted[i]) x[nx++] = b->slot[i];
    if (ok) tg_sweep_mark_active(&s, nx, x, &usual);
    ok = ok && tg_sweep_run(&s, (int)b->root.n, b->root.item, b->seed.item);
    keep = ok ? tg_alloc_array(s.count, sizeof *keep) : NULL;
    ok = ok && (keep || tg_fail_memory(&b->rt->c));
    for (size_t i = 0; ok && i < s.count; i++)
        if (s.node[i]->n > 0 && !tg_node_is_loop(s.node[i])) keep[nkeep++] = s.node[i];
    for (int i = 0; ok && i < l->n; i++) {
        size_t at = tg_sweep_place(&s, b->slot[i]);
        bool asked = i < l->carries ? b->active[i] : b->wanted[i];
        if (!asked || at == s.count || !s.adjoint[at]) continue;
        uint32_t used;
        b->into[i] = tg_simplify_around(b->rt, s.adjoint[at], (int)nkeep, keep, &used);
        if (b->into[i]) b->into[i] = tg_loop_fit(b->rt, b->into[i], &b->slot[i]->type);
        ok = b->into[i] != NULL;
    }
    tg_free(keep);
    tg_free(x);
    tg_sweep_end(&s);
    return ok;
}

/* ---- what the backward body needs to know ---- */

/* What a node of the backward body is made of. */
enum { OUTSIDE = 0, FORWARD = 1, BACKWARD = 2 };

typedef struct cutting {
    tg_loop_back *b;
    tg_node **node;
    size_t count;
    unsigned char *of; /* of each node: FORWARD and BACKWARD, as bits */
    bool *save;        /* as a stack of the forward loop */
    bool *had;         /* see tell_had */
} cutting;

static bool is_turned(const tg_loop_back *b, const tg_node *n) { /* a state or row */
    for (int i = 0; i < b->loop->carries + b->loop->xs; i++)
        if (b->slot[i] == n) return true;
    return false;
}

static void tell_origins(cutting *c) {
    for (size_t i = 0; i < c->count; i++) {
        const tg_node *n = c->node[i];
        if (is_turned(c->b, n)) c->of[i] = FORWARD;
        if (find(&c->b->carry, n) < c->b->carry.n || find(&c->b->row, n) < c->b->row.n)
            c->of[i] = BACKWARD;
        for (int k = 0; k < n->n; k++)
            c->of[i] |= c->of[tg_nodes_find(c->node, c->count, n->arg[k])];
    }
}

static bool is_look(const tg_node *n) {
    return n->op->class == TG_CLASS_VIEW && n->n == 1;
}

static bool is_row(const tg_loop_back *b, const tg_node *n) {
    for (int i = 0; i < b->loop->xs; i++)
        if (b->slot[b->loop->carries + i] == n) return true;
    return false;
}

/* Costs no more than reading a stack. */
static bool is_cheap(const tg_node *n) {
    if (n->op->class != TG_CLASS_ELEMENTWISE || n->n > 2 || n->type.dtype == TG_BOOL) return false;
    if (n->n == 2 && tg_node_is(n, "pow") && tg_node_is_number(n->arg[1]))
        return n->arg[1]->leaf.number == 2;
    return n->op->effort <= 1;
}

/* Can it be had in the backward body without a stack of its own? What is saved, rows, states that
 * are saved; and what is cheap to make of these. */
static void tell_had(cutting *c, const bool *needed) {
    for (size_t i = 0; i < c->count; i++) {
        const tg_node *n = c->node[i];
        bool all = n->n > 0 && (is_look(n) || is_cheap(n));
        for (int k = 0; k < n->n && all; k++) {
            size_t a = tg_nodes_find(c->node, c->count, n->arg[k]);
            all = !(c->of[a] & FORWARD) || c->had[a];
        }
        c->had[i] = all || c->save[i] || (n->n == 0 && (needed[i] || is_row(c->b, n)));
    }
}

/* What is needed of the forward body, users first: looks and cheap operations hand the need on,
 * where that asks for no more stacks. */
static void choose_saved(cutting *c, bool *needed) {
    for (size_t i = 0; i < c->count; i++) {
        const tg_node *n = c->node[i];
        c->save[i] = needed[i] && n->n > 0 && !is_look(n) && !is_cheap(n);
    }
    for (size_t i = c->count; i-- > 0;)
        if (needed[i] && is_look(c->node[i]) && c->node[i]->n > 0)
            needed[tg_nodes_find(c->node, c->count, c->node[i]->arg[0])] = true;
    for (size_t i = 0; i < c->count; i++) { /* what a look looks at */
        const tg_node *n = c->node[i];
        c->save[i] = needed[i] && n->n > 0 && !is_look(n) && !is_cheap(n);
    }
    tell_had(c, needed);
    for (size_t i = 0; i < c->count; i++) {
        if (!needed[i] || c->had[i]) continue;
        c->save[i] = true;
        tell_had(c, needed);
    }
}

/* The formula over canonical slots. */
static tg_node *canonical(tg_loop_back *b, tg_node *n) {
    return tg_node_substitute_all(b->rt, n, b->loop->n, b->slot, b->loop->slot);
}

tg_node *tg_loop_saved(tg_loop_back *b, tg_node *n) {
    for (int i = 0; i < b->loop->xs; i++)
        if (b->slot[b->loop->carries + i] == n) return b->bundle->arg[b->loop->carries + i];
    tg_node *formula = canonical(b, n);
    return formula ? tg_loop_stack(b->rt, b->bundle, formula) : NULL;
}

/* A row of the forward value n is read by the backward body through a slot of its own. */
static bool read_row(tg_loop_back *b, tg_node *n) {
    if (find(&b->known, n) < b->known.n) return true;
    tg_type t = n->type;
    tg_node *slot = fresh_slot(b, &t), *rows = slot ? tg_loop_saved(b, n) : NULL;
    return rows && push(b->rt, &b->known, n) && push(b->rt, &b->known_as, slot) &&
           push(b->rt, &b->row, slot) && push(b->rt, &b->rows, rows);
}

/* Cuts the formulas of the backward body off from the forward body. */
static bool cut(tg_loop_back *b, int n, tg_node *const *roots) {
    cutting c = {.b = b};
    if (n == 0) return true;
    if (!tg_node_collect(b->rt, n, roots, &c.node, &c.count)) return false;
    c.of = tg_alloc_array(c.count, 1);
    c.save = tg_alloc_array(c.count, sizeof *c.save);
    c.had = tg_alloc_array(c.count, sizeof *c.had);
    bool *needed = tg_alloc_array(c.count, sizeof *needed);
    bool ok = c.of && c.save && c.had && needed ? true : tg_fail_memory(&b->rt->c);
    if (ok) tell_origins(&c);
    for (int i = 0; ok && i < n; i++) {
        size_t at = tg_nodes_find(c.node, c.count, roots[i]);
        needed[at] = c.of[at] == FORWARD;
    }
    for (size_t i = 0; ok && i < c.count; i++)
        for (int k = 0; c.of[i] & BACKWARD && k < c.node[i]->n; k++) {
            size_t at = tg_nodes_find(c.node, c.count, c.node[i]->arg[k]);
            if (c.of[at] == FORWARD) needed[at] = true;
        }
    if (ok) choose_saved(&c, needed);
    /* from the users down, through what is done again */
    for (size_t i = c.count; ok && i-- > 0;) {
        tg_node *x = c.node[i];
        if (!needed[i]) continue;
        if (c.save[i] || is_turned(b, x)) {
            ok = read_row(b, x);
            continue;
        }
        for (int k = 0; k < x->n; k++) {
            size_t at = tg_nodes_find(c.node, c.count, x->arg[k]);
            if (c.of[at] == FORWARD) needed[at] = true;
        }
    }
    tg_free(needed);
    tg_free(c.had);
    tg_free(c.save);
    tg_free(c.of);
    tg_free(c.node);
    return ok;
}

/* ---- the backward loop ---- */

/* n over the slots of the backward loop and the invariants themselves. */
static tg_node *settle(tg_loop_back *b, tg_node *n) {
    int inv = b->loop->invariants, first = b->loop->n - inv, known = (int)b->known.n;
    tg_node **from = tg_alloc_array((size_t)(inv + known) * 2, sizeof *from),
            **to = from ? from + inv + known : NULL, *made = NULL;
    if (!from) {
        tg_fail_memory(&b->rt->c);
        return NULL;
    }
    for (int i = 0; i < known; i++) from[i] = b->known.item[i], to[i] = b->known_as.item[i];
    for (int i = 0; i < inv; i++) {
        from[known + i] = b->slot[first + i];
        to[known + i] = b->bundle->arg[first + i];
    }
    made = tg_node_substitute_all(b->rt, n, known + inv, from, to);
    tg_free(from);
    return made;
}

static bool settle_all(tg_loop_back *b, tg_node_list *l) {
    for (size_t i = 0; i < l->n; i++)
        if (!(l->item[i] = settle(b, l->item[i]))) return false;
    return true;
}

/* Sums that stay in the loop: a state for each. */
static bool add_sums(tg_loop_back *b) {
    const tg_loop *l = b->loop;
    for (int i = l->carries + l->xs; i < l->n; i++) {
        if (!b->into[i] || b->outside[i]) continue;
        tg_type t = b->slot[i]->type;
        t.weak = false;
        tg_node *slot = fresh_slot(b, &t), *first = slot ? zeros(b->rt, &t) : NULL;
        tg_node *sum = first ? tg_node_call2(b->rt, "add", slot, b->into[i]) : NULL;
        if (sum) sum = tg_loop_fit(b->rt, sum, &t);
        b->sum[i] = (int)b->carry.n;
        if (!sum || !push(b->rt, &b->carry, slot) || !push(b->rt, &b->init, first) ||
            !push(b->rt, &b->next_back, sum))
            return false;
    }
    return true;
}

/* Rows that the body does not read after all are left out. */
static bool drop_unread(tg_loop_back *b) {
    size_t n = 0;
    for (size_t i = 0; i < b->row.n; i++) {
        bool read = false;
        for (size_t k = 0; k < b->next_back.n && !read; k++)
            read = tg_node_depends(b->rt, b->next_back.item[k], b->row.item[i]);
        for (size_t k = 0; k < b->out_back.n && !read; k++)
            read = tg_node_depends(b->rt, b->out_back.item[k], b->row.item[i]);
        if (!read) continue;
        b->row.item[n] = b->row.item[i];
        b->rows.item[n++] = b->rows.item[i];
    }
    b->row.n = b->rows.n = n;
    return b->rt->c.diag.kind == TG_ERR_NONE;
}

static bool make_back(tg_loop_back *b) {
    tg_rt *rt = b->rt;
    const tg_loop *l = b->loop;
    tg_node **all = NULL;
    for (int k = 0, at = 0; k < l->carries; k++) {
        if (!b->active[k]) continue;
        tg_node *next = b->into[k] ? b->into[k] : zeros(rt, &b->carry.item[at]->type);
        at++;
        if (next) next = tg_loop_fit(rt, next, &b->carry.item[at - 1]->type);
        if (!next || !push(rt, &b->next_back, next)) return false;
    }
    if (!add_sums(b)) return false;
    for (int i = l->carries; i < l->carries + l->xs; i++)
        if (b->into[i] && !push(rt, &b->out_back, b->into[i])) return false;
    for (size_t i = 0; i < b->asked.n; i++)
        if (!push(rt, &b->out_back, b->asked.item[i])) return false;
    size_t n = b->next_back.n + b->out_back.n;
    if (n == 0) return true;
    all = tg_alloc_array(n, sizeof *all);
    if (!all) return tg_fail_memory(&rt->c);
    if (b->next_back.n) memcpy(all, b->next_back.item, b->next_back.n * sizeof *all);
    if (b->out_back.n) memcpy(all + b->next_back.n, b->out_back.item, b->out_back.n * sizeof *all);
    bool ok = cut(b, (int)n, all) && settle_all(b, &b->next_back) && settle_all(b, &b->out_back) &&
              drop_unread(b);
    tg_free(all);
    if (!ok) return false;
    b->last = tg_alloc_array(b->carry.n, sizeof *b->last);
    b->stacked = tg_alloc_array(b->out_back.n, sizeof *b->stacked);
    if (!b->last || !b->stacked) return tg_fail_memory(&rt->c);
    const tg_loop_spec spec = {.carries = (int)b->carry.n,
                               .xs = (int)b->row.n,
                               .carry = b->carry.item,
                               .row = b->row.item,
                               .init = b->init.item,
                               .sequence = b->rows.item,
                               .next = b->next_back.item,
                               .turns = tg_loop_turns(b->bundle),
                               .reverse = !l->reverse,
                               .again = b->memory != TG_KEEP_ALL,
                               .memory = b->memory,
                               .bytes = l->bytes,
                               .nout = (int)b->out_back.n,
                               .out = b->out_back.item};
    return tg_loop_make(rt, &spec, b->last, b->stacked) != NULL;
}

/* What each argument of the bundle gets. */
static bool give(tg_loop_back *b, tg_node **into) {
    const tg_loop *l = b->loop;
    int last = 0;
    size_t out = 0;
    for (int k = 0; k < l->carries; k++)
        if (b->active[k]) {
            tg_node *g = b->last[last++];
            if (b->wanted[k]) into[k] = g;
        }
    for (int i = l->carries; i < l->carries + l->xs; i++)
        if (b->into[i]) into[i] = b->stacked[out++];
    for (int i = l->carries + l->xs; i < l->n; i++) {
        if (b->outside[i])
            into[i] = tg_node_substitute_all(b->rt, b->outside[i], (int)b->asked.n,
                                             b->asked_as.item, b->stacked + out);
        else if (b->into[i])
            into[i] = b->last[b->sum[i]];
        if (b->outside[i] && into[i]) into[i] = settle(b, into[i]);
        if (b->outside[i] && !into[i]) return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool open_body(tg_loop_back *b) {
    const tg_loop *l = b->loop;
    size_t n = (size_t)l->n, outs = 0;
    b->slot = tg_alloc_array(n, sizeof *b->slot);
    b->outside = tg_alloc_array(n, sizeof *b->outside);
    b->sum = tg_alloc_array(n, sizeof *b->sum);
    b->next = tg_alloc_array((size_t)(l->carries + b->nitems), sizeof *b->next);
    tg_node **more = tg_alloc_array((size_t)b->nitems, sizeof *more);
    bool ok = b->slot && b->outside && b->sum && b->next && more ? true : tg_fail_memory(&b->rt->c);
    for (int i = 0; ok && i < b->nitems; i++)
        if (tg_item_formula(b->item[i])) more[outs++] = tg_item_formula(b->item[i]);
    ok = ok && tg_loop_open(b->rt, l, b->level, b->slot, (int)outs, more, b->next);
    for (size_t i = 0; ok && i < outs; i++)
        ok = push(b->rt, &b->outs, b->next[(size_t)l->carries + i]);
    tg_free(more);
    return ok;
}

static void free_back(tg_loop_back *b) {
    tg_node_list *all[] = {&b->outs,     &b->carry, &b->init,    &b->root,     &b->seed,
                           &b->row,      &b->rows,  &b->known,   &b->known_as, &b->next_back,
                           &b->out_back, &b->asked, &b->asked_as};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tg_free(all[i]->item);
    tg_free(b->slot);
    tg_free(b->outside);
    tg_free(b->sum);
    tg_free(b->next);
    tg_free(b->varied);
    tg_free(b->active);
    tg_free(b->into);
    tg_free(b->last);
    tg_free(b->stacked);
}

bool tg_loop_adjoint(tg_rt *rt, tg_node *bundle, const tg_recompute *recompute, int n,
                     tg_node *const *item, tg_node *const *adjoint, const bool *wanted,
                     tg_node **into) {
    tg_loop_back b = {.rt = rt,
                      .bundle = bundle,
                      .loop = tg_loop_of(bundle),
                      .nitems = n,
                      .item = item,
                      .adjoint = adjoint,
                      .wanted = wanted};
    if (!tg_guard(&rt->c)) return false;
    b.memory = b.loop->memory;
    if (b.memory == TG_KEEP_ALL && recompute && recompute->mode != TG_KEEP_LISTED)
        b.memory = recompute->mode == TG_KEEP_ALL ? TG_KEEP_ALL : TG_KEEP_SQRT;
    b.level = tg_loop_enter(rt);
    if (!b.level || !tg_loop_enter(rt)) return false; /* two: the second for its own slots */
    bool ok = open_body(&b) && find_active(&b) && name_adjoints(&b) && differentiate(&b) &&
              tg_loop_hoist(&b) && make_back(&b) && give(&b, into);
    tg_loop_leave(rt);
    tg_loop_leave(rt);
    free_back(&b);
    return ok;
}
