/* Parts of a plan that come out the same in many runs, computed once.
 *
 * What has no cells beneath it is constant. What reads only cells that stay as they are is as good
 * as constant until one of them is written: in a loop that changes W alone, X' @ X, mean(X, axis=0)
 * and the count of each class in Y need not be computed again. Which cells those are is not known
 * from the formula but seen: a plan watches the versions of its cells for a few runs (WATCH), and
 * where some moved and some stayed it is compiled again with the latter as constants. Their
 * versions are compared before each run, which costs nothing beside the comparison of shapes; when
 * one has moved, the kept parts are computed anew. A plan that must do so often goes back to what
 * it was, and watches four times as long before it tries again, so that no program pays for more
 * than a few compilations. (Loop-invariant code motion, with versions in the place of a proof.)
 *
 * Kept is only the frontier: values that later steps read. What is needed on the way to them
 * alone lives in the workspace. Values above KEPT_MOST are computed in each run after all. */
#include "runtime/plan/program.h"

#include "base/alloc.h"
#include "runtime/plan/loop.h"

enum {
    WATCH = 3,            /* runs before the first look at what has moved */
    WATCH_MOST = 1 << 20, /* the longest wait between two */
    KEPT_MOST = 16 << 20, /* bytes of one value */
    TRIAL = 16,           /* runs after which a split plan is judged */
};

/* ---- what a step costs ---- */

static double bytes_of(const tg_view *v) {
    return (double)tg_view_count(v) * (double)tg_dtype_size(v->dtype);
}

/* Nanoseconds, roughly: 50 for the call, 10 bytes a nanosecond, and 50 flops in a product. */
static double cost_of(const tg_plan *p, const tg_step *s) {
    const int *arg = p->args + s->arg;
    const tg_view *out = &p->slots[s->out].v;
    double cost = 50 + 0.1 * bytes_of(out);
    if (s->loop >= 0) return tg_turns_cost(p->loops[s->loop]);
    for (int i = 0; i < s->n; i++) cost += 0.1 * bytes_of(&p->slots[arg[i]].v);
    bool product = s->product >= 0 || (s->op && s->op->class == TG_CLASS_LINEAR);
    if (product && s->n > 0) {
        const tg_view *a = &p->slots[arg[0]].v;
        int64_t inner = a->rank ? a->dim[a->rank - 1] : 1;
        cost += 0.04 * (double)tg_view_count(out) * (double)inner;
    }
    return cost;
}

double tg_plan_cost(const tg_plan *p, size_t from, size_t to) {
    double cost = 0;
    for (size_t t = from; t < to; t++) cost += cost_of(p, &p->steps[t]);
    return cost;
}

/* ---- the frontier ---- */

/* The storage of the i-th value that a step makes. */
static int made_by(const tg_plan *p, const tg_step *s, int i) {
    return p->slots[i ? p->args[s->arg + s->n + i - 1] : s->out].storage;
}

/* From the last step to the first, each knows by then whether a step of every run reads it. */
bool tg_plan_settle_constants(tg_rt *rt, tg_plan *p) {
    bool *read = tg_alloc_array(p->nstorage, sizeof *read);
    if (!read) return tg_fail_memory(&rt->c);
    for (size_t t = p->nsteps; t-- > 0;) {
        tg_step *s = &p->steps[t];
        for (int i = 0; i <= s->more; i++) {
            int out = made_by(p, s, i);
            if (s->once && read[out] && p->storage[out].bytes > KEPT_MOST) s->once = false;
        }
        for (int i = 0; i <= s->more; i++) {
            int out = made_by(p, s, i);
            tg_storage *to = &p->storage[out];
            if (!s->once && to->home == TG_HOME_KEPT) to->home = TG_HOME_WORK;
            if (s->once && !read[out] && to->home == TG_HOME_KEPT) to->home = TG_HOME_WORK;
        }
        for (int i = 0; !s->once && i < s->n; i++)
            read[p->slots[p->args[s->arg + i]].storage] = true;
    }
    tg_free(read);
    return true;
}

/* ---- watching ---- */

static bool is_replaced(const tg_overrides *o, const tg_cell *cell) {
    for (int i = 0; i < o->n; i++)
        if (o->cells[i] == cell) return true;
    return false;
}

/* Has the cell another value than in the last run? */
static bool has_moved(tg_plan_cell *c, const tg_overrides *o) {
    bool replaced = is_replaced(o, c->cell);
    bool moved = replaced || c->version != c->cell->version || c->value != c->cell->value;
    c->version = c->cell->version;
    c->value = replaced ? NULL : c->cell->value; /* what stands in is never taken for the same */
    return moved;
}

static void watch_anew(tg_plan *p, int runs) {
    p->watch = runs < WATCH_MOST ? runs : WATCH_MOST;
    p->watched = 0;
    for (int i = 0; i < p->under; i++) p->cells[i].moved = false;
}

static bool any_still(const tg_plan *p) {
    for (int i = 0; i < p->under; i++)
        if (p->cells[i].still) return true;
    return false;
}

tg_plan_advice tg_plan_watch(tg_plan *p, const tg_overrides *o) {
    int moving = 0;
    bool stale = false, first = p->watched == 0;
    if (p->watch == 0) watch_anew(p, WATCH);
    for (int i = 0; i < p->under; i++) {
        tg_plan_cell *c = &p->cells[i];
        bool moved = has_moved(c, o);
        if (!first) c->moved = c->moved || moved;
        stale = stale || (moved && c->still);
        moving += c->moved;
    }
    p->watched++;
    if (any_still(p)) {
        if (stale) {
            p->kept_ready = false;
            p->stale++;
        }
        if (p->watched <= TRIAL) return TG_PLAN_STAYS;
        bool often = p->stale * 4 > p->watched;
        p->watched = 1;
        p->stale = 0;
        return often ? TG_PLAN_JOINS : TG_PLAN_STAYS;
    }
    if (p->watched <= p->watch) return TG_PLAN_STAYS;
    bool some = moving > 0 && moving < p->under;
    if (!some) watch_anew(p, 4 * p->watch);
    return some ? TG_PLAN_SPLITS : TG_PLAN_STAYS;
}

void tg_plan_mark_still(tg_plan *p, const tg_plan *seen) {
    for (int i = 0; i < p->under; i++) {
        p->cells[i].still = !seen->cells[i].moved;
        p->cells[i].version = seen->cells[i].version;
        p->cells[i].value = seen->cells[i].value;
    }
}

bool tg_plan_gains(const tg_plan *p, const tg_plan *split) {
    double all = tg_plan_cost(p, p->first, p->nsteps),
           left = tg_plan_cost(split, split->first, split->nsteps);
    return left < 0.97 * all;
}

void tg_plan_wait_longer(tg_plan *p, const tg_plan *as) {
    watch_anew(p, as->watch > WATCH_MOST / 4 ? WATCH_MOST : 4 * as->watch);
}
