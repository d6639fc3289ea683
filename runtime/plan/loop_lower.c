/* A loop becomes one step: which of its states and results are wanted in this plan, the body that
 * computes them, and where each of them lives.
 *
 * Wanted are the items that occur among the nodes of the plan, and the states that they need. Each
 * formula is a root of the body once, though it may be stacked and a state's next value as well. A
 * stack of what a state is when a turn begins is no root: the state lives in it. */
#include "runtime/plan/loop.h"
#include "runtime/plan/lower.h"

#include "base/alloc.h"
#include "runtime/graph/loop.h"

#include <string.h>

typedef struct builder {
    tg_lowering *l;
    const tg_node *bundle;
    const tg_loop *loop;
    int64_t turns;
    int *arg;      /* n: the outer slots of the arguments */
    bool constant; /* the loop is the same in every run */
    size_t nitems;
    tg_node **item; /* those in the plan */
    bool *wanted;   /* of each state */
    bool *used;     /* of each slot of the record */
    int nroots;
    tg_node **root;
    int ncells;
    int *cell_slot; /* of each cell: which slot of the record */
    int *cell_of;   /* of each slot: its cell, or -1 */
    tg_plan_cell *cells;
    tg_tensor *look; /* of each cell: a tensor that looks like its values, without elements */
    tg_tensor **values;
    tg_cell **keys;
    tg_turns *t;
    size_t scratch;
    tg_rerun *left;        /* what is left for a backward loop to make again, or NULL */
    const tg_rerun *again; /* of a backward loop: what it makes again; of that: itself */
    bool is_rerun;
    int base; /* where the arguments begin among those of the step */
} builder;

static const tg_view *view_of(const builder *b, int slot) {
    return &b->l->p->slots[slot].v;
}

/* ---- what is wanted ---- */

/* How argument i looks. One that is left to this loop has no slot: rows side by side. */
static bool look_at(const builder *b, int i, tg_view *v) {
    if (b->arg[i] >= 0) {
        *v = *view_of(b, b->arg[i]);
        return true;
    }
    const tg_type *t = &b->bundle->arg[i]->type;
    int64_t dim[TG_MAX_RANK];
    for (int k = 0; k < t->rank; k++)
        if ((dim[k] = tg_size_eval(b->l->rt, b->l->sizes, t->dim[k])) < 0) return false;
    tg_view_init(v, NULL, t->dtype, t->rank, dim);
    return true;
}

static bool find_turns(builder *b) {
    const tg_node *n = b->bundle;
    tg_view v;
    for (int i = 0; i < b->loop->xs; i++) {
        if (!look_at(b, b->loop->carries + i, &v)) return false;
        if (i > 0 && v.dim[0] != b->turns)
            return tg_fail(&b->l->rt->c, TG_ERR_SHAPE, "the sequences of scan differ in length");
        b->turns = v.dim[0];
    }
    if (!b->loop->xs)
        b->turns = tg_size_known(n->at->v[1]) ? n->at->v[1]
                                              : tg_size_eval(b->l->rt, b->l->sizes, n->at->v[1]);
    return b->turns >= 0;
}

static bool lower_args(builder *b) {
    const tg_node *n = b->bundle;
    b->arg = tg_alloc_array((size_t)n->n, sizeof *b->arg);
    if (!b->arg) return tg_fail_memory(&b->l->rt->c);
    b->constant = !b->loop->draws;
    for (int i = 0; i < n->n; i++) {
        const tg_rerun *again = tg_rerun_of(b->l, n->arg[i]);
        int slot = again ? -1 : tg_lower_slot_of(b->l, n->arg[i]);
        if (again) b->again = again;
        if (slot >= 0) slot = tg_lower_slot_as(b->l, n->arg[i], slot, b->loop->slot[i]->type.dtype);
        if (slot < 0 && !again) return false;
        b->arg[i] = slot;
        b->constant = b->constant && slot >= 0 && b->l->p->slots[slot].constant;
    }
    return find_turns(b);
}

static bool list_items(builder *b) {
    const tg_lowering *l = b->l;
    for (int pass = 0; pass < 2; pass++) {
        size_t n = 0;
        for (size_t i = 0; i < l->n; i++) {
            if (!tg_node_is_item(l->nodes[i]) || l->nodes[i]->arg[0] != b->bundle) continue;
            if (pass) b->item[n] = l->nodes[i];
            n++;
        }
        b->nitems = n;
        if (pass == 0 && !(b->item = tg_alloc_array(n, sizeof *b->item)))
            return tg_fail_memory(&l->rt->c);
    }
    return true;
}

static void add_root(builder *b, tg_node *formula) {
    for (int i = 0; i < b->nroots; i++)
        if (b->root[i] == formula) return;
    b->root[b->nroots++] = formula;
}

static int state_of(const builder *b, const tg_node *formula) {
    for (int i = 0; i < b->loop->carries; i++)
        if (b->loop->slot[i] == formula) return i;
    return -1;
}

/* Marks the slots that the roots reach, and the states among them as wanted. */
static bool mark_used(builder *b, bool *more) {
    tg_node **node;
    size_t count;
    *more = false;
    if (!tg_node_collect(b->l->rt, b->nroots, b->root, &node, &count)) return false;
    for (int i = 0; i < b->loop->n; i++) {
        if (tg_nodes_find(node, count, b->loop->slot[i]) == count) continue;
        b->used[i] = true;
        if (i >= b->loop->carries || b->wanted[i]) continue;
        b->wanted[i] = *more = true;
    }
    tg_free(node);
    return true;
}

/* With the items, all that they need. */
static bool close_wanted(builder *b) {
    for (bool more = true; more;) {
        for (int i = 0; i < b->loop->carries; i++)
            if (b->wanted[i]) add_root(b, b->loop->next[i]);
        if (!mark_used(b, &more)) return false;
    }
    return true;
}

static void want(builder *b, size_t n, tg_node *const *item) {
    for (size_t i = 0; i < n; i++) {
        tg_node *formula = tg_item_formula(item[i]);
        int state = formula ? state_of(b, formula) : tg_item_carry(item[i]);
        if (state >= 0)
            b->wanted[state] = true;
        else
            add_root(b, formula);
    }
}

/* What is left to be made again needs its states to be marked: their slots in left->mark become
 * known as 0 here. */
static bool want_marks(builder *b) {
    want(b, b->left->nitems, b->left->item);
    if (!close_wanted(b)) return false;
    for (int k = 0; k < b->loop->carries; k++) b->left->mark[k] = b->wanted[k] ? 0 : -1;
    b->nroots = 0;
    memset(b->used, 0, (size_t)b->loop->n * sizeof *b->used);
    return true;
}

static bool find_wanted(builder *b) {
    size_t states = (size_t)b->loop->carries, left = b->left ? b->left->nitems : 0;
    b->wanted = tg_alloc_array(states, sizeof *b->wanted);
    b->used = tg_alloc_array((size_t)b->loop->n, sizeof *b->used);
    b->root = tg_alloc_array(states + b->nitems + left, sizeof *b->root);
    if (!b->wanted || !b->used || !b->root) return tg_fail_memory(&b->l->rt->c);
    if (b->left && !want_marks(b)) return false;
    want(b, b->nitems, b->item);
    if (!close_wanted(b)) return false;
    for (int i = 0; i < b->loop->carries; i++) b->used[i] = b->used[i] || b->wanted[i];
    return true;
}

/* ---- the body ---- */

static bool set_cell(builder *b, int k, int slot) {
    tg_view seen;
    const tg_view *v = &seen;
    if (!look_at(b, slot, &seen)) return false;
    tg_cell *cell = b->loop->slot[slot]->leaf.cell;
    tg_plan_cell *c = &b->cells[k];
    bool row = slot >= b->loop->carries && slot < b->loop->carries + b->loop->xs;
    int from = row;
    tg_view look;
    tg_view_init(&look, NULL, v->dtype, v->rank - from, v->dim + from);
    if (slot >= b->loop->carries)
        for (int i = 0; i < look.rank; i++) look.stride[i] = v->stride[from + i];
    *c = (tg_plan_cell){.cell = cell,
                        .serial = cell->serial,
                        .present = true,
                        .dtype = look.dtype,
                        .rank = look.rank,
                        .still = slot >= b->loop->carries + b->loop->xs};
    memcpy(c->dim, look.dim, sizeof c->dim);
    memcpy(c->stride, look.stride, sizeof c->stride);
    b->cell_slot[k] = slot;
    b->look[k] = (tg_tensor){.refs = 1, .v = look};
    b->values[k] = &b->look[k];
    b->keys[k] = cell;
    return true;
}

/* The cells of the body, by serial. */
static bool list_cells(builder *b) {
    size_t n = (size_t)b->loop->n;
    b->cell_slot = tg_alloc_array(n, sizeof *b->cell_slot);
    b->cell_of = tg_alloc_array(n, sizeof *b->cell_of);
    b->cells = tg_alloc_array(n, sizeof *b->cells);
    b->look = tg_alloc_array(n, sizeof *b->look);
    b->values = tg_alloc_array(n, sizeof(tg_tensor *));
    b->keys = tg_alloc_array(n, sizeof(tg_cell *));
    if (!b->cell_slot || !b->cell_of || !b->cells || !b->look || !b->values || !b->keys)
        return tg_fail_memory(&b->l->rt->c);
    for (int i = 0; i < b->loop->n; i++) {
        b->cell_of[i] = -1;
        if (!b->used[i]) continue;
        uint64_t serial = b->loop->slot[i]->leaf.cell->serial;
        int at = b->ncells++;
        for (; at > 0 && b->loop->slot[b->cell_slot[at - 1]]->leaf.cell->serial > serial; at--)
            b->cell_slot[at] = b->cell_slot[at - 1];
        b->cell_slot[at] = i;
    }
    for (int k = 0; k < b->ncells; k++) {
        b->cell_of[b->cell_slot[k]] = k;
        if (!set_cell(b, k, b->cell_slot[k])) return false;
    }
    return true;
}

static bool make_body(builder *b) {
    const tg_overrides o = {b->ncells, b->keys, b->values, NULL};
    tg_turns *t = b->t;
    t->body = tg_body_get(b->l->rt, b->nroots, b->root, b->ncells, b->cells, &o, b->l->sizes);
    /* a number may be in the body and around it, and has its place here */
    for (size_t i = 0; i < b->l->n; i++) b->l->nodes[i]->place = (uint32_t)i;
    return t->body != NULL;
}

/* ---- where things are ---- */

static size_t rounded(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

static bool take_scratch(builder *b, size_t bytes, size_t *at) {
    *at = b->scratch;
    if (bytes < PTRDIFF_MAX / 4 && b->scratch < PTRDIFF_MAX / 4) {
        b->scratch += rounded(bytes);
        return true;
    }
    return tg_fail(&b->l->rt->c, TG_ERR_VALUE, "a loop's state is too large");
}

static size_t bytes_of(tg_dtype t, int rank, const int64_t *dim) {
    size_t bytes = tg_dtype_size(t);
    for (int i = 0; i < rank; i++) bytes *= (size_t)dim[i];
    return bytes;
}

static int root_of(const builder *b, const tg_node *formula) {
    for (int i = 0; i < b->nroots; i++)
        if (b->root[i] == formula) return i;
    return -1;
}

static bool describe_cells(builder *b) {
    tg_turns *t = b->t;
    for (int k = 0; k < b->ncells; k++) {
        int slot = b->cell_slot[k];
        tg_turn_cell *c = &t->cell[k];
        tg_view v;
        const tg_plan_cell *p = &b->cells[k];
        *c = (tg_turn_cell){.arg = b->base + slot,
                            .root = -1,
                            .start = -1,
                            .mark = -1,
                            .part = -1,
                            .kind = TG_TURN_STILL};
        c->bytes = bytes_of(p->dtype, p->rank, p->dim);
        if (!look_at(b, slot, &v)) return false;
        if (slot < b->loop->carries) {
            c->kind = TG_TURN_STATE;
            c->root = root_of(b, b->loop->next[slot]);
            c->flat = tg_view_is_contiguous(&v);
            if (b->is_rerun) c->arg = b->base + b->bundle->n + slot; /* where it is marked */
            if (!b->is_rerun && !c->flat && !take_scratch(b, c->bytes, &c->first)) return false;
        } else if (slot < b->loop->carries + b->loop->xs) {
            c->kind = TG_TURN_ROW;
            c->step = v.stride[0] * (int64_t)tg_dtype_size(v.dtype);
        }
    }
    return true;
}

static bool describe_roots(builder *b) {
    tg_turns *t = b->t;
    const tg_plan *p = t->body->plan;
    for (int k = 0; k < b->nroots; k++) {
        const tg_plan_result *r = &p->results[k];
        t->root[k] =
            (tg_turn_root){.stack = -1, .home = -1, .bytes = bytes_of(r->dtype, r->rank, r->dim)};
        for (int i = 0; i < 2; i++)
            if (!take_scratch(b, t->root[k].bytes, &t->root[k].place[i])) return false;
    }
    return true;
}

/* The outer slot for an item's value. */
static int add_out(builder *b, const tg_node *item, tg_dtype dtype, int rank, const int64_t *dim) {
    tg_lowered *i = &b->l->info[item->place];
    tg_type type = {.dtype = dtype, .rank = rank};
    memcpy(type.dim, dim, (size_t)rank * sizeof *dim);
    if (b->is_rerun) {
        size_t bytes = (size_t)b->again->every * bytes_of(dtype, rank - 1, dim + 1);
        return take_scratch(b, bytes, &b->t->segment[b->t->nouts]) ? b->t->nouts++ : -1;
    }
    i->slot = tg_lower_out(b->l, i, b->constant, &type);
    if (i->slot >= 0) b->t->out[b->t->nouts] = i->slot;
    return i->slot < 0 ? -1 : b->t->nouts++;
}

static bool add_stack(builder *b, const tg_node *item) {
    tg_node *formula = tg_item_formula(item);
    const int state = state_of(b, formula), root = state < 0 ? root_of(b, formula) : -1;
    tg_turns *t = b->t;
    const tg_plan_cell *c = state >= 0 ? &b->cells[b->cell_of[state]] : NULL;
    const tg_plan_result *r = &t->body->plan->results[root >= 0 ? root : 0];
    int64_t dim[TG_MAX_RANK] = {b->turns};
    int rank = c ? c->rank : r->rank;
    int *to = c ? &t->cell[b->cell_of[state]].start : &t->root[root].stack;
    if (*to >= 0) { /* the same formula, written twice */
        if (!b->is_rerun) b->l->info[item->place].slot = t->out[*to];
        return true;
    }
    memcpy(dim + 1, c ? c->dim : r->dim, (size_t)rank * sizeof *dim);
    return (*to = add_out(b, item, c ? c->dtype : r->dtype, rank + 1, dim)) >= 0;
}

static bool add_last(builder *b, const tg_node *item) {
    tg_turns *t = b->t;
    int cell = b->cell_of[tg_item_carry(item)];
    const tg_plan_cell c = b->cells[cell];
    int out = add_out(b, item, c.dtype, c.rank, c.dim);
    if (out >= 0) t->last[t->nlast++] = (tg_turn_last){out, cell};
    return out >= 0;
}

static bool add_outs(builder *b) {
    tg_turns *t = b->t;
    for (size_t i = 0; i < b->nitems; i++)
        if (!(tg_item_formula(b->item[i]) ? add_stack(b, b->item[i]) : add_last(b, b->item[i])))
            return false;
    for (int k = 0; k < b->ncells; k++) {
        const tg_turn_cell *c = &t->cell[k];
        if (c->kind != TG_TURN_STATE || c->start < 0) continue;
        tg_turn_root *r = &t->root[c->root];
        if (r->stack < 0 && r->home < 0) r->home = k;
    }
    return true;
}

/* The body's slots whose addresses change from turn to turn, and from run to run. */
static bool list_slots(builder *b) {
    tg_turns *t = b->t;
    const tg_plan *p = t->body->plan;
    t->fixed = tg_alloc_array(p->nmoving, sizeof *t->fixed);
    t->moving = tg_alloc_array(p->nmoving, sizeof *t->moving);
    if (!t->fixed || !t->moving) return tg_fail_memory(&b->l->rt->c);
    for (size_t i = 0; i < p->nmoving; i++) {
        const tg_storage *s = &p->storage[p->slots[p->moving[i]].storage];
        bool still = s->home == TG_HOME_CELL && t->cell[s->index].kind == TG_TURN_STILL;
        *(still ? &t->fixed[t->nfixed++] : &t->moving[t->nmoving++]) = p->moving[i];
    }
    return true;
}

static bool make_turns(builder *b) {
    size_t cells = (size_t)b->ncells, roots = (size_t)b->nroots,
           outs = b->nitems + (size_t)b->loop->carries;
    tg_turns *t = b->t;
    *t = (tg_turns){.turns = b->turns,
                    .reverse = b->loop->reverse,
                    .again = b->is_rerun,
                    .ncells = b->ncells,
                    .nroots = b->nroots};
    t->every = b->is_rerun ? b->again->every : b->left ? b->left->every : 0;
    t->cell = tg_alloc_array(cells, sizeof *t->cell);
    t->root = tg_alloc_array(roots, sizeof *t->root);
    t->last = tg_alloc_array(b->nitems, sizeof *t->last);
    t->out = tg_alloc_array(outs, sizeof *t->out);
    t->segment = tg_alloc_array(b->is_rerun ? outs : 0, sizeof *t->segment);
    t->now = tg_alloc_array(cells, sizeof(char *));
    t->made = tg_alloc_array(roots, sizeof(char *));
    return (t->cell && t->root && t->last && t->out && t->segment && t->now && t->made) ||
           tg_fail_memory(&b->l->rt->c);
}

static bool add_turns(builder *b, int *number) {
    tg_plan *p = b->l->p;
    void *items = p->loops;
    if (!tg_grow(&items, &p->cap_loops, p->nloops + 1, sizeof *p->loops))
        return tg_fail_memory(&b->l->rt->c);
    p->loops = items;
    b->t = tg_alloc_array(1, sizeof *b->t);
    if (!b->t) return tg_fail_memory(&b->l->rt->c);
    *number = (int)p->nloops;
    p->loops[p->nloops++] = b->t;
    return make_turns(b);
}

/* ---- segments ---- */

/* The states that are marked, one row for each segment. */
static bool add_marks(builder *b) {
    tg_turns *t = b->t;
    for (int k = 0; b->left && k < b->loop->carries; k++) {
        if (b->left->mark[k] < 0) continue;
        const tg_plan_cell c = b->cells[b->cell_of[k]];
        int64_t dim[2] = {(b->turns + t->every - 1) / t->every};
        dim[1] = (int64_t)bytes_of(c.dtype, c.rank, c.dim);
        int slot = tg_plan_add_value(b->l->rt, b->l->p, TG_HOME_WORK, 0, TG_U8, 2, dim);
        if (slot < 0) return false;
        b->left->mark[k] = slot;
        t->cell[b->cell_of[k]].mark = t->nouts;
        t->out[t->nouts++] = slot;
    }
    return true;
}

static void free_lists(builder *b) {
    tg_free(b->arg);
    tg_free(b->item);
    tg_free(b->wanted);
    tg_free(b->used);
    tg_free(b->root);
    tg_free(b->cell_slot);
    tg_free(b->cell_of);
    tg_free(b->cells);
    tg_free(b->look);
    tg_free(b->values);
    tg_free(b->keys);
}

static bool build_rerun(builder *b) {
    if (!find_wanted(b) || !list_cells(b) || !make_turns(b) || !make_body(b)) return false;
    if (!take_scratch(b, b->t->body->plan->work_bytes, &b->t->work) || !describe_roots(b) ||
        !describe_cells(b) || !add_outs(b) || !list_slots(b))
        return false;
    return true;
}

/* The part of the forward loop that this backward one runs again. */
static bool add_rerun(builder *b) {
    if (!b->again) return true;
    builder f = {.l = b->l,
                 .bundle = b->again->bundle,
                 .loop = tg_loop_of(b->again->bundle),
                 .turns = b->again->turns,
                 .again = b->again,
                 .is_rerun = true,
                 .scratch = b->scratch,
                 .base = b->bundle->n + 1};
    size_t n = (size_t)f.bundle->n;
    b->t->rerun = f.t = tg_alloc_array(1, sizeof *f.t);
    f.arg = tg_alloc_array(n, sizeof *f.arg);
    f.item = tg_alloc_array(b->again->nitems, sizeof *f.item);
    bool ok = f.t && f.arg && f.item ? true : tg_fail_memory(&b->l->rt->c);
    if (ok && n) memcpy(f.arg, b->again->arg, n * sizeof *f.arg);
    for (int i = 0; ok && i < b->bundle->n; i++) /* those that are read, each once */
        if (b->arg[i] < 0 && b->cell_of[i] >= 0) {
            size_t at = 0;
            while (at < f.nitems && f.item[at] != b->bundle->arg[i]) at++;
            if (at == f.nitems) f.item[f.nitems++] = b->bundle->arg[i];
        }
    ok = ok && build_rerun(&f);
    for (int i = 0; ok && i < b->bundle->n; i++) {
        if (b->arg[i] >= 0 || b->cell_of[i] < 0) continue;
        tg_node *formula = tg_item_formula(b->bundle->arg[i]);
        int state = state_of(&f, formula);
        b->t->cell[b->cell_of[i]].part =
            state >= 0 ? f.t->cell[f.cell_of[state]].start : f.t->root[root_of(&f, formula)].stack;
    }
    b->scratch = f.scratch;
    free_lists(&f);
    return ok;
}

/* ---- the step ---- */

/* Arguments of the step: those of the loop, the scratch memory, and for a rerun those of the
 * forward loop and its marked states. The scratch memory is read and written: it lives as long as
 * the step. */
static bool add_step(builder *b, int number) {
    tg_lowering *l = b->l;
    tg_turns *t = b->t;
    const tg_rerun *again = b->again;
    int n = b->bundle->n, more = again ? again->bundle->n : 0,
        marks = again ? tg_loop_of(again->bundle)->carries : 0, reads = n + 1 + more + marks;
    int *args = tg_alloc_array((size_t)(reads + t->nouts + 1), sizeof *args);
    int64_t bytes = (int64_t)(b->scratch ? b->scratch : 64);
    if (!args) return tg_fail_memory(&l->rt->c);
    t->scratch = tg_plan_add_value(l->rt, l->p, TG_HOME_WORK, 0, TG_U8, 1, &bytes);
    bool ok = t->scratch >= 0;
    for (int i = 0; i < n; i++) args[i] = b->arg[i] < 0 ? t->scratch : b->arg[i];
    args[n] = t->scratch;
    for (int i = 0; i < more; i++) args[n + 1 + i] = again->arg[i] < 0 ? t->scratch : again->arg[i];
    for (int i = 0; i < marks; i++)
        args[n + 1 + more + i] = again->mark[i] < 0 ? t->scratch : again->mark[i];
    memcpy(args + reads, t->out + 1, (size_t)(t->nouts - 1) * sizeof *args);
    args[reads + t->nouts - 1] = t->scratch;
    const tg_step s = {.run = tg_step_loop,
                       .node = b->item[0],
                       .attrs = -1,
                       .product = -1,
                       .region = -1,
                       .loop = number,
                       .out = t->out[0],
                       .n = reads,
                       .more = t->nouts,
                       .in_place = -1,
                       .once = b->constant && l->p->slots[t->out[0]].constant};
    ok = ok && tg_plan_add_step(l->rt, l->p, &s, args) >= 0;
    tg_free(args);
    return ok;
}

/* The items that are made as wholes stay in the list. */
static bool leave_some(builder *b) {
    if (b->again) return true; /* it reads what is made again itself */
    if (!tg_rerun_decide(b->l, b->bundle, b->turns, b->arg, b->nitems, b->item, &b->left))
        return false;
    size_t n = 0;
    for (size_t i = 0; b->left && i < b->nitems; i++)
        if (!tg_rerun_of(b->l, b->item[i])) b->item[n++] = b->item[i];
    if (b->left) b->nitems = n;
    if (b->left && n == 0) b->item[0] = b->left->item[0]; /* for what the step is called */
    return true;
}

/* Who asks for the value of the loop itself, as one of all nodes of a formula, gets zeros. */
static bool lower_value(builder *b) {
    tg_view v;
    int number = tg_plan_add_number(b->l->rt, b->l->p, TG_F64, 0);
    if (number < 0) return false;
    tg_view_init(&v, NULL, TG_F64, 1, &b->turns);
    v.stride[0] = 0;
    int slot = tg_plan_add_slot(b->l->rt, b->l->p, b->l->p->slots[number].storage, &v, 0);
    b->l->info[b->bundle->place].slot = slot;
    return slot >= 0;
}

static bool build(builder *b) {
    int number;
    if (!lower_args(b) || !list_items(b)) return false;
    if (b->l->info[b->bundle->place].root >= 0 && !lower_value(b)) return false;
    if (b->nitems == 0) return true;
    if (!leave_some(b) || !find_wanted(b) || !list_cells(b)) return false;
    b->constant = b->constant && !b->left;
    for (size_t i = 0; i < b->nitems; i++) /* results are no constants */
        b->constant = b->constant && b->l->info[b->item[i]->place].root < 0;
    return add_turns(b, &number) && make_body(b) &&
           take_scratch(b, b->t->body->plan->work_bytes, &b->t->work) && describe_roots(b) &&
           describe_cells(b) && add_outs(b) && add_marks(b) && list_slots(b) && add_rerun(b) &&
           add_step(b, number);
}

bool tg_lower_loop(tg_lowering *l, const tg_node *bundle) {
    builder b = {.l = l, .bundle = bundle, .loop = tg_loop_of(bundle)};
    bool ok = tg_guard(&l->rt->c) && build(&b);
    free_lists(&b);
    return ok;
}
