/* The cache of plans, and the workspace they share.
 *
 * Plans are found by the ids of their roots, then told apart by the shapes of the cells they read:
 * one comparison of a few numbers for each cell, no walk over the graph. Plans whose sizes come
 * from inputs that they do not read (the gradient of sum(X) is ones(N)) are rare; for them the
 * graph is asked again which inputs these are. At most MOST_PLANS are cached, and of most_bytes
 * together, but the newest always; the least recently used go first.
 *
 * Nothing in the workspace outlives a run, and runs do not nest, so one workspace as large as the
 * largest plan serves all. It is cut down after many runs that needed far less. */
#include "runtime/plan/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "runtime/ops/profile.h"
#include "runtime/graph/simplify.h"

#include <string.h>

enum { BUCKETS = 256, MOST_PLANS = 128, SMALL_RUNS = 256, FEW = 8 };
static const size_t most_bytes = (size_t)256 << 20; /* of all plans together */
static const size_t never_cut = (size_t)4 << 20;    /* a workspace up to this size is left alone */

/* ---- the table ---- */

static uint64_t hash_roots(int n, tg_node *const *roots) {
    uint64_t h = tg_hash_bytes(NULL, 0);
    for (int i = 0; i < n; i++) h = tg_hash_mix(h, roots[i]->id);
    return h;
}

static void unlink_plan(tg_plans *all, tg_plan *p) {
    *(p->newer ? &p->newer->older : &all->newest) = p->older;
    *(p->older ? &p->older->newer : &all->oldest) = p->newer;
    p->newer = p->older = NULL;
}

static void link_newest(tg_plans *all, tg_plan *p) {
    p->older = all->newest;
    *(p->older ? &p->older->newer : &all->oldest) = p;
    all->newest = p;
}

static void forget(tg_plans *all, tg_plan *p) {
    tg_plan **at = &all->bucket[p->hash % BUCKETS];
    while (*at != p) at = &(*at)->chain;
    *at = p->chain;
    unlink_plan(all, p);
    all->count--;
    all->bytes -= p->bytes;
    tg_plan_free(p);
}

static void remember(tg_plans *all, tg_plan *p) {
    while (all->count >= MOST_PLANS || (all->count && all->bytes + p->bytes > most_bytes))
        forget(all, all->oldest);
    p->chain = all->bucket[p->hash % BUCKETS];
    all->bucket[p->hash % BUCKETS] = p;
    link_newest(all, p);
    all->count++;
    all->bytes += p->bytes;
}

/* ---- looking up ---- */

/* Strides along axes of size 1 mean nothing. */
static bool looks_as_before(const tg_plan_cell *c, const tg_tensor *t) {
    if (!t || !c->present) return !t && !c->present;
    if (t->v.dtype != c->dtype || t->v.rank != c->rank) return false;
    for (int i = 0; i < c->rank; i++)
        if (t->v.dim[i] != c->dim[i] || (t->v.stride[i] != c->stride[i] && c->dim[i] > 1))
            return false;
    return true;
}

static bool same_roots(const tg_plan *p, int n, tg_node *const *roots) {
    return p->nroots == n && memcmp(p->roots, roots, (size_t)n * sizeof *roots) == 0;
}

static bool same_targets(const tg_plan *p, const tg_overrides *o) {
    if (!p->into || !o->into) return !p->into && !o->into;
    return memcmp(p->into, o->into, (size_t)p->nroots * sizeof *p->into) == 0;
}

static bool cells_match(const tg_plan *p, int n, const tg_overrides *o) {
    for (int i = 0; i < n; i++)
        if (!looks_as_before(&p->cells[i], tg_overrides_value(o, p->cells[i].cell))) return false;
    return true;
}

static bool same_cells(const tg_plan *p, tg_cell *const *cells, size_t n) {
    if ((size_t)p->ncells != n) return false;
    for (size_t i = 0; i < n; i++)
        if (p->cells[i].cell != cells[i] || p->cells[i].serial != cells[i]->serial) return false;
    return true;
}

/* *found stays NULL when there is none; false: an error. */
static bool find(tg_rt *rt, uint64_t hash, int n, tg_node *const *roots, const tg_overrides *o,
                 tg_plan **found) {
    bool ask = false, ok = true;
    for (tg_plan *p = rt->plans->bucket[hash % BUCKETS]; p; p = p->chain) {
        if (p->hash != hash || !same_roots(p, n, roots) || !same_targets(p, o)) continue;
        if (p->ncells > p->under) {
            ask = true;
        } else if (cells_match(p, p->under, o)) {
            *found = p;
            return true;
        }
    }
    if (!ask) return true;
    tg_cell **cells;
    size_t count, under;
    if (!tg_plan_list_cells(rt, n, roots, o, &cells, &count, &under)) return false;
    for (tg_plan *p = rt->plans->bucket[hash % BUCKETS]; p && !*found; p = p->chain)
        if (p->hash == hash && same_roots(p, n, roots) && same_targets(p, o) &&
            same_cells(p, cells, count) && cells_match(p, p->ncells, o))
            *found = p;
    tg_free(cells);
    return ok;
}

/* ---- the workspace ---- */

void tg_plans_rest(tg_rt *rt) {
    tg_plans *all = rt->plans;
    for (tg_plan *p = all->newest; p; p = p->older) p->work = NULL; /* the address may come back */
    tg_free(all->work);
    all->work = NULL;
    all->work_bytes = 0;
}

bool tg_plans_reserve(tg_rt *rt, size_t bytes) {
    tg_plans *all = rt->plans;
    all->small_runs =
        bytes < all->work_bytes / 4 && all->work_bytes > never_cut ? all->small_runs + 1 : 0;
    if (bytes <= all->work_bytes && all->small_runs < SMALL_RUNS) return true;
    tg_plans_rest(rt); /* first, so that the old and the new one need not fit together */
    all->work = tg_alloc(bytes);
    all->work_bytes = all->work ? bytes : 0;
    if (!all->work) return tg_fail_memory(&rt->c);
    all->small_runs = 0;
    return true;
}

/* ---- plans that are compiled again ---- */

/* p, or the plan that takes its place; NULL with an error. */
static tg_plan *revise(tg_rt *rt, tg_plan *p, const tg_overrides *o, tg_plan_advice advice) {
    bool splits = advice == TG_PLAN_SPLITS;
    tg_plan *q = tg_plan_compile(rt, p->nroots, p->roots, o, splits ? p : NULL);
    if (!q) return NULL;
    if (splits && !tg_plan_gains(p, q)) {
        tg_plan_free(q);
        tg_plan_wait_longer(p, p);
        return p;
    }
    q->hash = p->hash;
    tg_plan_wait_longer(q, p);
    forget(rt->plans, p);
    remember(rt->plans, q);
    rt->plans->stats.split += splits;
    return q;
}

/* ---- the interface ---- */

/* The plan that computes the roots; *made: there was none. NULL: an error. */
static tg_plan *plan_for(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                         bool *made) {
    tg_plans *all = rt->plans;
    uint64_t hash = hash_roots(n, roots);
    tg_plan *p = NULL;
    if (!find(rt, hash, n, roots, o, &p)) return NULL;
    *made = !p;
    if (*made) {
        const double begun = tg_clock_now();
        p = tg_plan_compile(rt, n, roots, o, NULL);
        all->stats.compiling += tg_clock_now() - begun;
        if (!p) return NULL;
        p->hash = hash;
        remember(all, p);
        all->stats.compiled++;
    } else if (p != all->newest) {
        unlink_plan(all, p);
        link_newest(all, p);
    }
    return p;
}

bool tg_plan_eval_as_is(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                        tg_tensor **out) {
    bool made;
    tg_plan *p = plan_for(rt, n, roots, o, &made);
    if (!p) return false;
    tg_plan_advice advice = tg_plan_watch(p, o);
    if (!made && advice != TG_PLAN_STAYS && !(p = revise(rt, p, o, advice))) return false;
    rt->plans->stats.run++;
    return tg_plan_run(rt, p, o, out);
}

/* The stable forms of the roots: in `few` where they fit, else allocated. NULL: an error. */
static tg_node **stable_roots(tg_rt *rt, int n, tg_node *const *roots, tg_node **few) {
    tg_node **stable = n > FEW ? tg_alloc_array((size_t)n, sizeof *stable) : few;
    bool ok = stable ? true : tg_fail_memory(&rt->c);
    for (int i = 0; ok && i < n; i++) ok = (stable[i] = tg_node_stable(rt, roots[i])) != NULL;
    if (ok) return stable;
    if (stable != few) tg_free(stable);
    return NULL;
}

static bool eval_stable(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                        tg_tensor **out) {
    tg_node *few[FEW] = {0}, **stable;
    if (n == 0) return true;
    if (!(stable = stable_roots(rt, n, roots, few))) return false;
    bool ok = tg_plan_eval_as_is(rt, n, stable, o, out);
    if (stable != few) tg_free(stable);
    return ok;
}

bool tg_plan_eval_with(tg_rt *rt, int n, tg_node *const *roots, int ncells, tg_cell *const *cells,
                       tg_tensor *const *values, tg_tensor **out) {
    return eval_stable(rt, n, roots, &(tg_overrides){ncells, cells, values, NULL}, out);
}

bool tg_plan_update(tg_rt *rt, int n, tg_node *const *roots, tg_cell *const *into,
                    tg_tensor **out) {
    return eval_stable(rt, n, roots, &(tg_overrides){.into = into}, out);
}

bool tg_plan_forecast(tg_rt *rt, int n, tg_node *const *roots, tg_cell *const *into,
                      tg_memory *out) {
    const tg_overrides o = {.into = into};
    bool made;
    tg_node *few[FEW] = {0}, **stable = stable_roots(rt, n, roots, few);
    tg_plan *p = stable ? plan_for(rt, n, stable, &o, &made) : NULL;
    bool ok = p && tg_plan_measure(rt, p, &o, out);
    if (stable && stable != few) tg_free(stable);
    return ok;
}

bool tg_plan_eval(tg_rt *rt, int n, tg_node *const *roots, tg_tensor **out) {
    return tg_plan_eval_with(rt, n, roots, 0, NULL, NULL, out);
}

void tg_plans_forget(tg_rt *rt) {
    while (rt->plans->newest) forget(rt->plans, rt->plans->newest);
    tg_bodies_forget(rt->plans, false);
}

void tg_plans_sweep(tg_rt *rt) {
    for (tg_plan *p = rt->plans->newest, *older; p; p = older) {
        older = p->older;
        for (int i = 0; i < p->nroots; i++)
            if (!tg_node_survives(p->roots[i])) {
                forget(rt->plans, p);
                break;
            }
    }
    tg_bodies_forget(rt->plans, true);
}

tg_plan_stats tg_plans_stats(const tg_rt *rt) {
    const tg_plans *all = rt->plans;
    tg_plan_stats stats = all->stats;
    stats.cached = all->count;
    stats.bytes = all->bytes;
    stats.work_bytes = all->work_bytes;
    return stats;
}

bool tg_plans_init(tg_rt *rt) {
    rt->plans = tg_alloc_array(1, sizeof *rt->plans);
    return rt->plans || tg_fail_memory(&rt->c);
}

void tg_plans_free(tg_rt *rt) {
    if (!rt->plans) return;
    tg_plans_forget(rt);
    tg_free(rt->plans->work);
    tg_free(rt->plans);
    rt->plans = NULL;
}
