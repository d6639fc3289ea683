/* Compiling a plan: what the formulas read, the sizes that follow, which of them have the same
 * value (share.c), an order of evaluation (schedule.c), the steps (lower.c), and memory for them
 * (buffers.c).
 *
 * A plan belongs to the shapes that its cells had when it was made: it notes them (note_cells), and
 * the cache compares before each use. It holds no nodes. Its roots keep everything beneath them,
 * and the sweep drops plans whose roots go. */
#include "runtime/plan/region.h"
#include "runtime/plan/remat.h"
#include "runtime/plan/scatter.h"
#include "runtime/plan/schedule.h"
#include "runtime/plan/share.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

tg_tensor *tg_overrides_value(const tg_overrides *o, const tg_cell *cell) {
    for (int i = 0; i < o->n; i++)
        if (o->cells[i] == cell) return o->values[i];
    return cell->value;
}

/* ---- what is read ---- */

bool tg_plan_list_cells(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                        tg_cell ***out, size_t *count, size_t *under) {
    if (!tg_graph_cells(rt, n, roots, out, count, under)) return false;
    size_t cap = *count;
    for (int i = 0; i < o->n; i++) {
        bool listed = o->cells[i]->kind != TG_CELL_INPUT;
        for (size_t k = 0; k < *count; k++) listed = listed || (*out)[k] == o->cells[i];
        if (listed) continue;
        void *items = *out;
        if (!tg_grow(&items, &cap, *count + 1, sizeof **out)) {
            tg_free(*out);
            return tg_fail_memory(&rt->c);
        }
        *out = items;
        (*out)[(*count)++] = o->cells[i];
    }
    return true;
}

static bool note_cells(tg_rt *rt, tg_plan *p, const tg_overrides *o) {
    tg_cell **cells = NULL;
    size_t n = 0, under = 0;
    if (!tg_plan_list_cells(rt, p->nroots, p->roots, o, &cells, &n, &under)) return false;
    p->cells = tg_alloc_array(n, sizeof *p->cells);
    if (!p->cells) {
        tg_free(cells);
        return tg_fail_memory(&rt->c);
    }
    p->ncells = (int)n;
    p->under = (int)under;
    for (size_t i = 0; i < n; i++) {
        tg_plan_cell *c = &p->cells[i];
        const tg_tensor *t = tg_overrides_value(o, cells[i]);
        c->cell = cells[i];
        c->serial = cells[i]->serial;
        c->present = t != NULL;
        if (!t) continue;
        c->dtype = t->v.dtype;
        c->rank = t->v.rank;
        memcpy(c->dim, t->v.dim, sizeof c->dim);
        memcpy(c->stride, t->v.stride, sizeof c->stride);
    }
    tg_free(cells);
    return true;
}

bool tg_plan_lacks_data(tg_rt *rt, const tg_node *root, const tg_str *names) {
    const char *list = tg_str_text(names), *comma = strchr(list, ',');
    int first = comma ? (int)(comma - list) : (int)names->len;
    const char *label = root->label;
    tg_fail(&rt->c, TG_ERR_DATA, "%s needs data for %s", label ? label : "the formula", list);
    return tg_help(&rt->c, "%.*s := ...", first, list);
}

/* Every cell that is read must have a value. */
static bool check_data(tg_rt *rt, const tg_plan *p) {
    tg_str names = {0};
    for (int i = 0; i < p->under; i++) {
        if (p->cells[i].present) continue;
        if (names.len) tg_str_add(&names, ", ");
        const char *name = p->cells[i].cell->name;
        tg_str_add(&names, name ? name : "an input without a name");
    }
    bool ok = names.failed ? tg_fail_memory(&rt->c)
                           : names.len == 0 || tg_plan_lacks_data(rt, p->roots[0], &names);
    tg_str_free(&names);
    return ok;
}

/* A size that nothing tells: says which input would. */
static bool explain_size(tg_rt *rt, const tg_plan *p) {
    if (rt->c.diag.kind != TG_ERR_DATA) return false;
    tg_str names = {0};
    tg_diag was = rt->c.diag;
    bool ok = tg_node_needs(rt, p->nroots, p->roots, &names) && !names.failed;
    rt->c.diag = was;
    if (ok && names.len) tg_plan_lacks_data(rt, p->roots[0], &names);
    tg_str_free(&names);
    return false;
}

/* ---- sizes ---- */

static bool is_bound(const tg_size_binding *b, tg_size symbol) {
    for (size_t i = 0; i < b->n; i++)
        if (b->items[i].symbol == symbol) return true;
    return false;
}

/* Does the cell's declared shape have a size that is not known yet? */
static bool tells_more(tg_rt *rt, const tg_size_binding *b, const tg_cell *cell, bool *more) {
    tg_size_binding set = {0};
    bool ok = true;
    for (int i = 0; ok && i < cell->type.rank; i++)
        ok = tg_size_symbols(rt, &set, cell->type.dim[i]);
    *more = false;
    for (size_t i = 0; i < set.n; i++) *more = *more || !is_bound(b, set.items[i].symbol);
    tg_size_binding_free(&set);
    return ok;
}

static bool bind(tg_rt *rt, const tg_plan_cell *c, tg_size_binding *b) {
    const tg_cell *cell = c->cell;
    if (cell->kind != TG_CELL_INPUT || !c->present) return true;
    return tg_size_bind(rt, b, cell->name, cell->type.rank, cell->type.dim, c->rank, c->dim);
}

/* What is read binds first; then stand-ins; then other inputs, for sizes that none of these tells.
 */
static bool bind_sizes(tg_rt *rt, const tg_plan *p, const tg_overrides *o, tg_size_binding *b) {
    for (int pass = 0; pass < 2; pass++) /* the second checks what the first had to leave open */
        for (int i = 0; i < p->under; i++)
            if (!bind(rt, &p->cells[i], b)) return false;
    for (int stored = 0; stored < 2; stored++)
        for (int i = p->under; i < p->ncells; i++) {
            const tg_plan_cell *c = &p->cells[i];
            bool given = false, more = true;
            for (int k = 0; k < o->n; k++) given = given || o->cells[k] == c->cell;
            if (given == stored) continue;
            if (stored && !tells_more(rt, b, c->cell, &more)) return false;
            if (more && !bind(rt, c, b)) return false;
        }
    return true;
}

/* ---- putting it together ---- */

/* Steps that run once go before the others; the order within each kind stays. */
static bool order_steps(tg_rt *rt, tg_plan *p) {
    size_t at = 0;
    for (size_t i = 0; i < p->nsteps; i++) p->first += p->steps[i].once;
    if (p->first == 0) return true;
    tg_step *steps = tg_alloc_array(p->nsteps, sizeof *steps);
    if (!steps) return tg_fail_memory(&rt->c);
    for (int once = 1; once >= 0; once--)
        for (size_t i = 0; i < p->nsteps; i++)
            if (p->steps[i].once == once) steps[at++] = p->steps[i];
    tg_free(p->steps);
    p->steps = steps;
    p->cap_steps = p->nsteps;
    return true;
}

static bool is_moving(const tg_plan *p, const tg_slot *s) {
    tg_home home = p->storage[s->storage].home;
    return home == TG_HOME_RESULT || home == TG_HOME_CELL;
}

static bool list_moving(tg_rt *rt, tg_plan *p) {
    for (size_t i = 0; i < p->nslots; i++) p->nmoving += is_moving(p, &p->slots[i]);
    p->moving = tg_alloc_array(p->nmoving, sizeof *p->moving);
    if (!p->moving) return tg_fail_memory(&rt->c);
    size_t n = 0;
    for (size_t i = 0; i < p->nslots; i++)
        if (is_moving(p, &p->slots[i])) p->moving[n++] = (int)i;
    return true;
}

/* The plan's own memory, and the slots in it; numbers are written. */
static bool keep_constants(tg_rt *rt, tg_plan *p) {
    p->kept = tg_alloc_array(p->kept_bytes, 1);
    if (!p->kept) return tg_fail_memory(&rt->c);
    for (size_t i = 0; i < p->nslots; i++) {
        tg_slot *s = &p->slots[i];
        const tg_storage *where = &p->storage[s->storage];
        if (where->home == TG_HOME_FIXED) s->v.data = (char *)where->tensor->v.data + s->offset;
        if (where->home == TG_HOME_KEPT) s->v.data = p->kept + where->offset + s->offset;
        if (s->is_number) tg_view_set(&s->v, 0, s->number);
    }
    return true;
}

static bool collect(tg_rt *rt, int n, tg_node *const *roots, const tg_size_binding *sizes,
                    tg_node ***nodes, size_t *count) {
    tg_free(*nodes);
    *nodes = NULL;
    return tg_node_collect(rt, n, roots, nodes, count) &&
           tg_plan_schedule(rt, *count, *nodes, n, roots, sizes, NULL);
}

/* What is to be evaluated for the roots, all nodes of it, in the order to do it in. shared,
 * targets: as many as there are roots, for the two stages of rewriting. */
static bool rewrite(tg_rt *rt, const tg_plan *p, const tg_size_binding *sizes, tg_remat *remat,
                    tg_node **shared, tg_node **targets, tg_node ***nodes, size_t *count) {
    const int n = p->nroots;
    tg_shares shares = {0};
    bool ok = tg_plan_scatter(rt, n, p->roots, targets) &&
              tg_plan_share(rt, n, targets, sizes, shared, &shares) &&
              collect(rt, n, shared, sizes, nodes, count) &&
              tg_plan_rematerialise(rt, *count, *nodes, n, shared, sizes, &shares, remat, targets);
    tg_shares_free(&shares);
    if (!ok || memcmp(shared, targets, (size_t)n * sizeof *targets) == 0) return ok;
    return collect(rt, n, targets, sizes, nodes, count);
}

static bool order_nodes(tg_rt *rt, tg_plan *p, const tg_size_binding *sizes, tg_remat *remat,
                        tg_node ***nodes, size_t *count) {
    const size_t n = (size_t)p->nroots;
    tg_node **few = tg_alloc_array(2 * n, sizeof *few);
    if (!few) return tg_fail_memory(&rt->c);
    bool ok = rewrite(rt, p, sizes, remat, few, few + n, nodes, count);
    for (size_t i = 0; ok && i < n; i++) {
        p->targets[i] = few[n + i];
        if (p->targets[i] != p->roots[i]) tg_node_hold(p->targets[i]);
    }
    tg_free(few);
    return ok;
}

/* The rest of a plan whose steps are there. */
static bool finish(tg_rt *rt, tg_plan *p) {
    p->in = tg_alloc_array((size_t)p->most_args, sizeof *p->in);
    if (!p->in) return tg_fail_memory(&rt->c);
    if (!order_steps(rt, p) || !tg_plan_find_updates(rt, p) || !list_moving(rt, p) ||
        !keep_constants(rt, p))
        return false;
    tg_plan_trim(p);
    return true;
}

static bool allocate_roots(tg_rt *rt, tg_plan *p, int n, tg_node *const *roots) {
    size_t nroots = (size_t)n;
    p->roots = tg_alloc_array(nroots, sizeof *p->roots);
    p->targets = tg_alloc_array(nroots, sizeof *p->targets);
    p->results = tg_alloc_array(nroots, sizeof *p->results);
    p->out = tg_alloc_array(nroots, sizeof *p->out);
    if (!p->roots || !p->targets || !p->results || !p->out) return tg_fail_memory(&rt->c);
    p->nroots = n;
    if (n) memcpy(p->roots, roots, nroots * sizeof *roots);
    return true;
}

static bool build(tg_rt *rt, tg_plan *p, int n, tg_node *const *roots, const tg_overrides *o,
                  const tg_plan *seen, tg_remat *remat) {
    if (!allocate_roots(rt, p, n, roots)) return false;
    if (o->into) {
        p->into = tg_alloc_array((size_t)n, sizeof *p->into);
        if (!p->into) return tg_fail_memory(&rt->c);
        memcpy(p->into, o->into, (size_t)n * sizeof *p->into);
    }
    if (!note_cells(rt, p, o) || !check_data(rt, p)) return false;
    if (seen) tg_plan_mark_still(p, seen);

    tg_size_binding sizes = {0};
    tg_node **nodes = NULL;
    size_t count = 0;
    bool ok = bind_sizes(rt, p, o, &sizes) && order_nodes(rt, p, &sizes, remat, &nodes, &count) &&
              tg_plan_lower(rt, p, nodes, count, o, &sizes) && tg_plan_settle_constants(rt, p) &&
              tg_plan_form_regions(rt, p);
    tg_free(nodes);
    tg_size_binding_free(&sizes);
    return ok ? finish(rt, p) : explain_size(rt, p);
}

/* Looking for the plan that computes least again within the bytes that were asked for. What the
 * estimate of rematerialisation does not know of (remat_budget.c) is much the same for all plans of
 * a formula: the room for the next is what would have been right for the last. */
typedef struct search {
    double fits, fails; /* the most room whose plan fits, the least whose does not */
    double least;       /* bytes of the smallest plan seen; 0: none */
    int tries;
} search;

enum { MOST_TRIES = 12 };
static const double near_enough = 0.01; /* of the bytes asked for may be left over */

/* How much room to ask for after a plan of `bytes`. False: it is as good as it gets. */
static bool next_room(search *s, tg_remat *remat, double bytes) {
    const double want = remat->wish->bytes, over = bytes - want, room = remat->room;
    const bool least = remat->estimate > room; /* less is impossible */
    if (s->least == 0 || bytes < s->least) s->least = bytes;
    if (over <= 0 && (isinf(room) || -over <= near_enough * want)) return false;
    if (over > 0 && (least || room == 0)) return false;
    if (over > 0)
        s->fails = fmin(s->fails, fmin(room, remat->estimate));
    else
        s->fits = fmax(s->fits, room);
    if (++s->tries >= MOST_TRIES || (s->fits > 0 && s->fails < 1.005 * s->fits)) {
        remat->room = 0;
        return s->fits == 0 && s->tries <= MOST_TRIES;
    }
    remat->room = fmin(room, remat->estimate) - over;
    if (over > 0) remat->room -= near_enough * want / 2;
    if (remat->room <= s->fits || remat->room >= s->fails)
        remat->room = isinf(s->fails) ? 2 * s->fits : (s->fits + s->fails) / 2;
    return true;
}

/* A plan of what remat asks for, and its peak where that matters. NULL: an error. */
static tg_plan *try_plan(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                         const tg_plan *seen, tg_remat *remat, double *bytes) {
    tg_memory m = {0};
    tg_plan *p = tg_alloc_array(1, sizeof *p);
    if (!p) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    bool ok = build(rt, p, n, roots, o, seen, remat);
    if (ok && remat->wish && remat->wish->mode == TG_KEEP_BYTES) ok = tg_plan_measure(rt, p, o, &m);
    *bytes = (double)m.peak;
    if (ok) return p;
    tg_plan_free(p);
    return NULL;
}

tg_plan *tg_plan_compile(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                         const tg_plan *seen) {
    tg_remat remat = {.room = INFINITY};
    search s = {.fails = INFINITY};
    tg_plan *best = NULL;
    double bytes;
    do {
        tg_plan *p = try_plan(rt, n, roots, o, seen, &remat, &bytes);
        if (p && (!remat.wish || remat.wish->mode != TG_KEEP_BYTES)) return p;
        const bool fits = p && bytes <= remat.wish->bytes;
        if (fits || !p) tg_plan_free(best); /* later ones that fit compute less again */
        if (fits)
            best = p;
        else
            tg_plan_free(p);
        if (!p) return NULL;
        seen = NULL; /* keep no more */
    } while (next_room(&s, &remat, bytes));
    if (!best)
        tg_fail(&rt->c, TG_ERR_VALUE,
                "memory=%.15g is too little: the least possible is %.15g bytes", remat.wish->bytes,
                s.least);
    return best;
}

/* ---- bodies of loops ---- */

static bool build_body(tg_rt *rt, tg_plan *p, int n, tg_node *const *roots, const tg_overrides *o,
                       const tg_size_binding *sizes) {
    tg_remat remat = {0};
    tg_node **nodes = NULL;
    size_t count = 0;
    bool ok = allocate_roots(rt, p, n, roots) &&
              order_nodes(rt, p, sizes, &remat, &nodes, &count) &&
              tg_plan_lower(rt, p, nodes, count, o, sizes) && tg_plan_settle_constants(rt, p) &&
              tg_plan_form_regions(rt, p) && finish(rt, p);
    tg_free(nodes);
    return ok;
}

tg_plan *tg_plan_compile_body(tg_rt *rt, int n, tg_node *const *roots, int ncells,
                              const tg_plan_cell *cells, const tg_overrides *o,
                              const tg_size_binding *sizes) {
    tg_plan *p = tg_alloc_array(1, sizeof *p);
    if (p) p->cells = tg_alloc_array((size_t)ncells, sizeof *p->cells);
    if (!p || !p->cells) {
        tg_free(p);
        tg_fail_memory(&rt->c);
        return NULL;
    }
    p->body = true;
    p->ncells = p->under = ncells;
    if (ncells) memcpy(p->cells, cells, (size_t)ncells * sizeof *cells);
    if (build_body(rt, p, n, roots, o, sizes)) return p;
    tg_plan_free(p);
    return NULL;
}
