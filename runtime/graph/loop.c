/* Loops: their records, slots, bundles and items. loop.h says what they are.
 *
 * A body is traced over slots of its maker's own. Closing it (tg_loop_make) finds the invariants:
 * the largest parts that no slot reaches. They become arguments of the bundle, in the order in
 * which a walk down from the results meets them, so that bodies which are alike get the same record
 * whatever was there before. Numbers, sizes and what is made of them alone stay in the body. So do
 * live draws, which are made anew in each turn, and slots of rules (ruled.h).
 *
 * The method of closing a body over what it takes from outside is lambda lifting (Johnsson 1985);
 * slots that are numbered instead of named are de Bruijn's (1972). */
#include "runtime/graph/loop.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/graph/grad_rule.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/substitute.h"

#include <string.h>

/* ---- the operations ---- */

static bool infer_loop(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)op;
    const tg_loop *l = (const tg_loop *)(intptr_t)at->v[0];
    tg_size turns = l->xs ? in[l->carries].dim[0] : at->v[1];
    for (int i = 0; i < n; i++) {
        const tg_type *s = &l->slot[i]->type;
        bool row = i >= l->carries && i < l->carries + l->xs;
        tg_type t = in[i];
        bool fits = row ? tg_type_row(&in[i], &t) && in[i].dim[0] == turns : true;
        if (!fits || !tg_type_same_shape(&t, s))
            return tg_fail(&rt->c, TG_ERR_SHAPE,
                           "the loop was made for %s there, and this has the shape %s",
                           tg_shape_text(rt, s->rank, s->dim), tg_shape_text(rt, t.rank, t.dim));
        want[i] = s->dtype;
    }
    *out = (tg_type){.dtype = TG_F64, .rank = 1, .dim = {turns}};
    return true;
}

static bool infer_item(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)op, (void)n, (void)want;
    const tg_node *formula = (const tg_node *)(intptr_t)at->v[0];
    if (!formula) {
        *out = ((const tg_node *)(intptr_t)at->v[2])->type; /* the carry's slot */
        return true;
    }
    if (tg_type_rows(&formula->type, in[0].dim[0], out)) return true;
    return tg_fail(&rt->c, TG_ERR_SHAPE, "a stack of %s has more than %d axes",
                   tg_shape_text(rt, formula->type.rank, formula->type.dim), TG_MAX_RANK);
}

const tg_op tg_op_loop = {.name = "scan",
                          .class = TG_CLASS_INDEX,
                          .infer = infer_loop,
                          TG_NO_SPELLINGS,
                          .doc = "A loop."};
const tg_op tg_op_item = {.name = "scan",
                          .class = TG_CLASS_INDEX,
                          .infer = infer_item,
                          TG_NO_SPELLINGS,
                          .doc = "What a loop computes."};

bool tg_type_row(const tg_type *t, tg_type *row) {
    *row = *t;
    row->weak = false;
    if (t->rank == 0) return false;
    row->rank--;
    memmove(row->dim, t->dim + 1, (size_t)row->rank * sizeof *row->dim);
    return true;
}

bool tg_type_rows(const tg_type *row, tg_size n, tg_type *t) {
    *t = *row;
    t->weak = false;
    if (row->rank == TG_MAX_RANK) return false;
    t->rank++;
    memmove(t->dim + 1, row->dim, (size_t)row->rank * sizeof *row->dim);
    t->dim[0] = n;
    return true;
}

tg_node *tg_loop_fit(tg_rt *rt, tg_node *n, const tg_type *t) {
    if (n && !tg_type_same_shape(&n->type, t)) n = tg_grad_stretch(rt, n, t);
    if (!n || n->type.dtype == t->dtype) return n;
    return tg_node_call1(rt, tg_dtype_name(t->dtype), n);
}

/* ---- slots ---- */

typedef struct entry {
    tg_cell *cell;
    int level, number;
} entry;

struct tg_loops {
    tg_loop *first; /* all records */
    entry *slots;
    size_t nslots, cap;
    int level; /* the last that is taken */
};

static struct tg_loops *loops_of(tg_rt *rt) {
    tg_graph *g = rt->graph;
    if (!g->loops) g->loops = tg_alloc_array(1, sizeof *g->loops);
    if (!g->loops) tg_fail_memory(&rt->c);
    return g->loops;
}

int tg_loop_enter(tg_rt *rt) {
    struct tg_loops *all = loops_of(rt);
    return all ? ++all->level : 0;
}

void tg_loop_leave(tg_rt *rt) {
    rt->graph->loops->level--;
}

bool tg_loop_is_open(const tg_rt *rt) {
    return rt->graph->loops && rt->graph->loops->level > 0;
}

static bool same_type(const tg_type *a, const tg_type *b) {
    return a->dtype == b->dtype && a->weak == b->weak && tg_type_same_shape(a, b);
}

tg_node *tg_loop_slot(tg_rt *rt, int level, int number, const tg_type *type, const char *name) {
    struct tg_loops *all = loops_of(rt);
    if (!all) return NULL;
    tg_cell *found = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < all->nslots; i++) { /* those that no formula has any more go */
        const entry s = all->slots[i];
        bool same = s.level == level && s.number == number && same_type(&s.cell->type, type);
        if (same) found = s.cell;
        if (same || s.cell->leaf)
            all->slots[kept++] = s;
        else
            tg_cell_drop(s.cell);
    }
    all->nslots = kept;
    if (!found) {
        void *p = all->slots;
        bool ok = tg_grow(&p, &all->cap, all->nslots + 1, sizeof *all->slots);
        all->slots = p;
        if (!ok) {
            tg_fail_memory(&rt->c);
            return NULL;
        }
        found = tg_cell_new(rt, TG_CELL_TURN, NULL, type, NULL);
        if (!found) return NULL;
        all->slots[all->nslots++] = (entry){found, level, number};
    }
    if (name) found->name = name;
    return tg_node_cell(rt, found);
}

/* ---- records ---- */

static void free_loop(tg_loop *l) {
    tg_free(l->slot);
    tg_free(l->next);
    tg_free(l);
}

static bool same_loop(const tg_loop *a, const tg_loop *b) {
    return a->reverse == b->reverse && a->again == b->again && a->memory == b->memory &&
           a->bytes == b->bytes && a->carries == b->carries && a->xs == b->xs && a->n == b->n &&
           (a->n == 0 || memcmp(a->slot, b->slot, (size_t)a->n * sizeof *a->slot) == 0) &&
           (a->carries == 0 || memcmp(a->next, b->next, (size_t)a->carries * sizeof *a->next) == 0);
}

static bool has_open_size(const tg_node *n) {
    if (n->op == &tg_op_size) return true;
    for (int i = 0; i < n->at->n; i++)
        if (n->at->sizes >> i & 1 && n->at->v[i] < 0) return true;
    return false;
}

static bool is_live_draw(const tg_node *n) {
    return n->op->class == TG_CLASS_RANDOM && n->at->n > 0 && n->at->v[n->at->n - 1] == 1;
}

/* The one record that is equal to l, whose arrays are taken. NULL: an error. */
static tg_loop *intern(tg_rt *rt, const tg_loop *l) {
    struct tg_loops *all = loops_of(rt);
    tg_loop *found = NULL;
    for (tg_loop *p = all ? all->first : NULL; p && !found; p = p->chain)
        if (same_loop(p, l)) found = p;
    if (all && !found && (found = tg_alloc_array(1, sizeof *found))) {
        *found = *l;
        found->chain = all->first;
        all->first = found;
        return found;
    }
    if (!found) tg_fail_memory(&rt->c);
    tg_free(l->slot);
    tg_free(l->next);
    return found;
}

void tg_loop_mark(const tg_node *n) {
    if (tg_node_is_item(n)) {
        if (tg_item_formula(n)) tg_item_formula(n)->mark = true;
        return;
    }
    tg_loop *l = tg_loop_of(n);
    l->mark = true;
    for (int i = 0; i < l->n; i++) l->slot[i]->mark = true;
    for (int i = 0; i < l->carries; i++) l->next[i]->mark = true;
}

void tg_loops_sweep(tg_rt *rt) {
    struct tg_loops *all = rt->graph->loops;
    for (tg_loop **link = all ? &all->first : NULL, *l; link && (l = *link);) {
        if (l->mark) {
            l->mark = false;
            link = &l->chain;
        } else {
            *link = l->chain;
            free_loop(l);
        }
    }
}

void tg_loops_free(tg_rt *rt) {
    struct tg_loops *all = rt->graph->loops;
    if (!all) return;
    for (tg_loop *l = all->first, *next; l; l = next) {
        next = l->chain;
        free_loop(l);
    }
    for (size_t i = 0; i < all->nslots; i++) tg_cell_drop(all->slots[i].cell);
    tg_free(all->slots);
    tg_free(all);
    rt->graph->loops = NULL;
}

/* ---- closing a body ---- */

/* What a node of a body is. */
typedef enum part {
    FREE,   /* made of numbers and sizes */
    KNOWN,  /* from outside: an invariant, if it is as large as can be */
    BOUND,  /* reaches a slot of a rule: stays where it is */
    VARYING /* reaches a slot of the loop, or draws */
} part;

typedef struct closing {
    tg_rt *rt;
    const tg_loop_spec *spec;
    int nroots;
    tg_node **root; /* the results: next states, then what is stacked */
    tg_node **node; /* all under them, ascending id */
    size_t count;
    part *part;
    tg_node **made; /* of each node: what stands for it in the body */
    size_t ninv, cap;
    tg_node **inv;
    tg_loop loop;
} closing;

static size_t place(const closing *c, const tg_node *n) {
    return tg_nodes_find(c->node, c->count, n);
}

static bool is_slot_of(const tg_loop_spec *s, const tg_node *n) {
    for (int i = 0; i < s->carries; i++)
        if (s->carry[i] == n) return true;
    for (int i = 0; i < s->xs; i++)
        if (s->row[i] == n) return true;
    return false;
}

static part part_of_leaf(const closing *c, const tg_node *n) {
    if (is_slot_of(c->spec, n)) return VARYING;
    if (tg_node_is_slot(n) && n->leaf.cell->kind == TG_CELL_SLOT) return BOUND;
    return n->op == &tg_op_number || n->op == &tg_op_size ? FREE : KNOWN;
}

static void tell_parts(closing *c) {
    for (size_t i = 0; i < c->count; i++) {
        const tg_node *n = c->node[i];
        if (n->op->class == TG_CLASS_LEAF) {
            c->part[i] = part_of_leaf(c, n);
            continue;
        }
        bool draw = is_live_draw(n);
        c->part[i] = draw ? VARYING : n->op->class == TG_CLASS_RANDOM ? KNOWN : FREE;
        for (int k = 0; k < n->n; k++) {
            part of = c->part[place(c, n->arg[k])];
            if (of > c->part[i]) c->part[i] = of;
        }
        if (c->part[i] < VARYING) continue;
        c->loop.draws = c->loop.draws || draw;
        if (tg_node_is_loop(n)) c->loop.draws = c->loop.draws || tg_loop_of(n)->draws;
    }
}

static bool add_invariant(closing *c, tg_node *n) {
    size_t i = place(c, n);
    if (c->made[i]) return true;
    void *p = c->inv;
    bool ok = tg_grow(&p, &c->cap, c->ninv + 1, sizeof *c->inv);
    c->inv = p;
    if (!ok) return tg_fail_memory(&c->rt->c);
    int number = c->spec->carries + c->spec->xs + (int)c->ninv;
    c->inv[c->ninv++] = n;
    return (c->made[i] = tg_loop_slot(c->rt, TG_LOOP_CANONICAL, number, &n->type, NULL)) != NULL;
}

/* Depth first from the results, in the order of arguments. */
static bool find_invariants(closing *c) {
    bool *seen = tg_alloc_array(c->count, sizeof *seen);
    tg_node **stack = NULL;
    size_t cap = 0, top = 0;
    bool ok = seen ? true : tg_fail_memory(&c->rt->c);
    for (int r = 0; ok && r < c->nroots; r++) {
        ok = tg_grow((void **)&stack, &cap, top + 1, sizeof *stack) || tg_fail_memory(&c->rt->c);
        if (ok) stack[top++] = c->root[r];
        while (ok && top > 0) {
            tg_node *n = stack[--top];
            size_t i = place(c, n);
            if (seen[i] || c->part[i] == FREE) continue;
            seen[i] = true;
            if (c->part[i] == KNOWN) {
                ok = add_invariant(c, n);
                continue;
            }
            ok = tg_grow((void **)&stack, &cap, top + (size_t)n->n + 1, sizeof *stack) ||
                 tg_fail_memory(&c->rt->c);
            for (int k = n->n; ok && k-- > 0;) stack[top++] = n->arg[k];
        }
    }
    tg_free(stack);
    tg_free(seen);
    return ok;
}

static bool make_slots(closing *c) {
    const tg_loop_spec *s = c->spec;
    for (int i = 0; i < s->carries + s->xs; i++) {
        const tg_node *own = i < s->carries ? s->carry[i] : s->row[i - s->carries];
        tg_node *n = tg_loop_slot(c->rt, TG_LOOP_CANONICAL, i, &own->type, NULL);
        if (!n) return false;
        c->loop.slot[i] = n;
        size_t at = place(c, own);
        if (at < c->count) c->made[at] = n;
    }
    for (size_t i = 0; i < c->ninv; i++)
        c->loop.slot[s->carries + s->xs + (int)i] = c->made[place(c, c->inv[i])];
    return true;
}

/* The body over the canonical slots. */
static bool rebuild(closing *c) {
    int most = 1;
    for (size_t i = 0; i < c->count; i++)
        if (c->node[i]->n > most) most = c->node[i]->n;
    tg_node **arg = tg_alloc_array((size_t)most, sizeof *arg);
    bool ok = arg ? true : tg_fail_memory(&c->rt->c);
    for (size_t i = 0; ok && i < c->count; i++) {
        tg_node *n = c->node[i];
        if (c->part[i] != KNOWN && has_open_size(n)) c->loop.open_sizes = true;
        if (c->part[i] != KNOWN && tg_node_is_loop(n) && tg_loop_of(n)->open_sizes)
            c->loop.open_sizes = true;
        if (c->made[i] || c->part[i] == KNOWN) continue;
        bool changed = false;
        for (int k = 0; k < n->n; k++) {
            arg[k] = c->made[place(c, n->arg[k])];
            changed = changed || arg[k] != n->arg[k];
        }
        c->made[i] = changed ? tg_node_make(c->rt, n->op, n->n, arg, n->at) : n;
        ok = c->made[i] != NULL;
    }
    tg_free(arg);
    return ok;
}

static bool close_body(closing *c) {
    const tg_loop_spec *s = c->spec;
    c->nroots = s->carries + s->nout;
    c->root = tg_alloc_array((size_t)c->nroots, sizeof *c->root);
    if (!c->root) return tg_fail_memory(&c->rt->c);
    for (int i = 0; i < c->nroots; i++)
        c->root[i] = i < s->carries ? s->next[i] : s->out[i - s->carries];
    if (!tg_node_collect(c->rt, c->nroots, c->root, &c->node, &c->count)) return false;
    c->part = tg_alloc_array(c->count, sizeof *c->part);
    c->made = tg_alloc_array(c->count, sizeof *c->made);
    if (!c->part || !c->made) return tg_fail_memory(&c->rt->c);
    tell_parts(c);
    if (!find_invariants(c)) return false;
    c->loop.invariants = (int)c->ninv;
    c->loop.n = s->carries + s->xs + (int)c->ninv;
    c->loop.slot = tg_alloc_array((size_t)c->loop.n, sizeof *c->loop.slot);
    c->loop.next = tg_alloc_array((size_t)s->carries, sizeof *c->loop.next);
    if (!c->loop.slot || !c->loop.next) return tg_fail_memory(&c->rt->c);
    if (!make_slots(c) || !rebuild(c)) return false;
    for (int i = 0; i < s->carries; i++) c->loop.next[i] = c->made[place(c, s->next[i])];
    return true;
}

static tg_node *make_bundle(tg_rt *rt, const tg_loop *loop, tg_size turns, tg_node *const *args) {
    tg_attrs at = {.n = 2, .v = {(int64_t)(intptr_t)loop, loop->xs ? 0 : turns}};
    if (!loop->xs) at.sizes = 2;
    return tg_node_make(rt, &tg_op_loop, loop->n, args, &at);
}

static tg_node *close_bundle(closing *c) {
    const tg_loop_spec *s = c->spec;
    size_t n = (size_t)c->loop.n;
    tg_node **arg = tg_alloc_array(n, sizeof *arg), *made = NULL;
    if (!arg) {
        tg_fail_memory(&c->rt->c);
        return NULL;
    }
    for (int i = 0; i < s->carries; i++) arg[i] = s->init[i];
    for (int i = 0; i < s->xs; i++) arg[s->carries + i] = s->sequence[i];
    for (size_t i = 0; i < c->ninv; i++) arg[s->carries + s->xs + (int)i] = c->inv[i];
    const tg_loop *loop = intern(c->rt, &c->loop);
    c->loop.slot = c->loop.next = NULL;
    if (loop) made = make_bundle(c->rt, loop, s->turns, arg);
    tg_free(arg);
    return made;
}

tg_node *tg_loop_last(tg_rt *rt, tg_node *bundle, int carry) {
    tg_attrs at = {.n = 3, .v = {0, carry, (int64_t)(intptr_t)tg_loop_of(bundle)->slot[carry]}};
    return tg_node_make(rt, &tg_op_item, 1, &bundle, &at);
}

tg_node *tg_loop_stack(tg_rt *rt, tg_node *bundle, tg_node *formula) {
    tg_attrs at = {.n = 1, .v = {(int64_t)(intptr_t)formula}};
    return tg_node_make(rt, &tg_op_item, 1, &bundle, &at);
}

tg_node *tg_loop_make(tg_rt *rt, const tg_loop_spec *spec, tg_node **last, tg_node **stacked) {
    closing c = {.rt = rt,
                 .spec = spec,
                 .loop = {.carries = spec->carries,
                          .xs = spec->xs,
                          .reverse = spec->reverse,
                          .again = spec->again,
                          .memory = spec->memory,
                          .bytes = spec->bytes,
                          .state_name = spec->state_name,
                          .row_name = spec->row_name}};
    tg_node *bundle = close_body(&c) ? close_bundle(&c) : NULL;
    bool ok = bundle != NULL;
    for (int i = 0; ok && last && i < spec->carries; i++)
        ok = (last[i] = tg_loop_last(rt, bundle, i)) != NULL;
    for (int i = 0; ok && stacked && i < spec->nout; i++)
        ok = (stacked[i] = tg_loop_stack(rt, bundle, c.made[place(&c, spec->out[i])])) != NULL;
    tg_free(c.loop.slot);
    tg_free(c.loop.next);
    tg_free(c.inv);
    tg_free(c.made);
    tg_free(c.part);
    tg_free(c.node);
    tg_free(c.root);
    return ok ? bundle : NULL;
}

/* ---- opening ---- */

bool tg_loop_open(tg_rt *rt, const tg_loop *loop, int level, tg_node **slot, int nmore,
                  tg_node *const *more, tg_node **out) {
    for (int i = 0; i < loop->n; i++)
        if (!(slot[i] = tg_loop_slot(rt, level, i, &loop->slot[i]->type, NULL))) return false;
    for (int i = 0; i < loop->carries + nmore; i++) {
        tg_node *n = i < loop->carries ? loop->next[i] : more[i - loop->carries];
        out[i] = tg_node_substitute_all(rt, n, loop->n, loop->slot, slot);
        if (!out[i]) return false;
    }
    return true;
}

tg_node *tg_loop_stable(tg_rt *rt, tg_node *bundle, tg_node *const *args) {
    const tg_loop *of = tg_loop_of(bundle);
    tg_loop l = *of;
    if (!tg_guard(&rt->c)) return NULL;
    l.slot = tg_alloc_array((size_t)of->n, sizeof *l.slot);
    l.next = tg_alloc_array((size_t)of->carries, sizeof *l.next);
    bool ok = l.slot && l.next ? true : tg_fail_memory(&rt->c);
    for (int i = 0; ok && i < of->n; i++) l.slot[i] = of->slot[i];
    for (int i = 0; ok && i < of->carries; i++)
        ok = (l.next[i] = tg_node_stable(rt, of->next[i])) != NULL;
    if (!ok) {
        tg_free(l.slot);
        tg_free(l.next);
        return NULL;
    }
    const tg_loop *made = intern(rt, &l);
    return made ? make_bundle(rt, made, tg_loop_turns(bundle), args) : NULL;
}
