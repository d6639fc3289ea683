/* Memory for a program: offsets by liveness.
 *
 * A value in the workspace lives from the step that makes it to the last one that reads it. One
 * pass over the steps, as in linear-scan register allocation (Poletto & Sarkar 1999): a value takes
 * the smallest free region that fits, or else the workspace grows; regions are given back after the
 * last reading. An elementwise step may write over its argument when that dies there: then both are
 * one region. Offsets are multiples of 64. Kept storage is simply laid out in a row, and never
 * given back. */
#include "runtime/plan/region.h"

#include "base/alloc.h"

#include <string.h>

typedef struct region {
    size_t at, size;
} region;

typedef struct workspace {
    size_t n, cap;
    region *free; /* by address; neighbours are always joined */
    size_t top;   /* how far the workspace reaches */
} workspace;

static size_t rounded(size_t bytes) {
    return bytes ? (bytes + 63) & ~(size_t)63 : 64;
}

static void remove_region(workspace *w, size_t i) {
    memmove(w->free + i, w->free + i + 1, (--w->n - i) * sizeof *w->free);
}

static size_t take(workspace *w, size_t bytes) {
    size_t size = rounded(bytes), best = w->n;
    for (size_t i = 0; i < w->n; i++)
        if (w->free[i].size >= size && (best == w->n || w->free[i].size < w->free[best].size))
            best = i;
    if (best < w->n) {
        size_t at = w->free[best].at;
        w->free[best].at += size;
        w->free[best].size -= size;
        if (w->free[best].size == 0) remove_region(w, best);
        return at;
    }
    /* a free region at the end is part of the new one */
    size_t at = w->top;
    if (w->n && w->free[w->n - 1].at + w->free[w->n - 1].size == w->top) at = w->free[--w->n].at;
    w->top = at + size;
    return at;
}

static bool give_back(tg_rt *rt, workspace *w, size_t at, size_t bytes) {
    void *items = w->free;
    if (!tg_grow(&items, &w->cap, w->n + 1, sizeof *w->free)) return tg_fail_memory(&rt->c);
    w->free = items;
    size_t i = w->n, size = rounded(bytes);
    while (i > 0 && w->free[i - 1].at > at) i--;
    memmove(w->free + i + 1, w->free + i, (w->n++ - i) * sizeof *w->free);
    w->free[i] = (region){at, size};
    if (i + 1 < w->n && at + size == w->free[i + 1].at) {
        w->free[i].size += w->free[i + 1].size;
        remove_region(w, i + 1);
    }
    if (i > 0 && w->free[i - 1].at + w->free[i - 1].size == at) {
        w->free[i - 1].size += w->free[i].size;
        remove_region(w, i);
    }
    return true;
}

static bool same_look(const tg_slot *a, const tg_slot *b) {
    return a->storage == b->storage && a->offset == b->offset && a->v.rank == b->v.rank &&
           memcmp(a->v.dim, b->v.dim, (size_t)a->v.rank * sizeof *a->v.dim) == 0 &&
           memcmp(a->v.stride, b->v.stride, (size_t)a->v.rank * sizeof *a->v.stride) == 0;
}

/* May step t write its result over its k-th argument? The argument must die here, be the whole of
 * its storage, look like the result, and meet no other look at the same memory, unless element by
 * element. */
static bool fits_in_place(const tg_plan *p, int t, int k) {
    const tg_step *s = &p->steps[t];
    const int *arg = p->args + s->arg;
    const tg_slot *a = &p->slots[arg[k]], *out = &p->slots[s->out];
    const tg_storage *mine = &p->storage[a->storage], *its = &p->storage[out->storage];
    if (mine->home != TG_HOME_WORK || its->home != TG_HOME_WORK || mine->last != t ||
        mine->bytes != its->bytes)
        return false;
    if (a->offset != 0 || a->v.dtype != out->v.dtype || !tg_view_is_contiguous(&a->v) ||
        !tg_shape_equal(a->v.rank, a->v.dim, out->v.rank, out->v.dim))
        return false;
    for (int i = 0; i < s->n; i++)
        if (i != k && p->slots[arg[i]].storage == a->storage &&
            (s->product >= 0 || !same_look(&p->slots[arg[i]], a)))
            return false;
    return true;
}

/* The argument to write over, or -1. Arguments of a commuting operation may change places for it.
 */
static int choose_in_place(tg_plan *p, int t) {
    const tg_step *s = &p->steps[t];
    if (s->in_place < 0) return -1;
    if (fits_in_place(p, t, s->in_place)) return s->in_place;
    if (s->op && s->op->commutes && s->n == 2 && fits_in_place(p, t, 1)) {
        int *arg = p->args + s->arg, first = arg[0];
        arg[0] = arg[1];
        arg[1] = first;
        return 0;
    }
    return -1;
}

/* The storage that a result of a region may be written over, which dies here; -1: none. */
static int region_over(const tg_plan *p, const tg_step *s, int t, int out) {
    const tg_region *r = s->region >= 0 ? p->regions[s->region] : NULL;
    for (size_t i = 0; r && i < r->novers; i++)
        if (r->over[i].out == out && p->storage[r->over[i].storage].last == t)
            return r->over[i].storage;
    return -1;
}

/* A place for result `out` of step t: that of `over`, which lives on in it, or a new one. */
static void place_result(tg_plan *p, workspace *w, int out, int over) {
    tg_storage *s = &p->storage[p->slots[out].storage];
    if (over >= 0) {
        s->offset = p->storage[over].offset;
        p->storage[over].last = -1;
    } else if (s->home == TG_HOME_WORK) {
        s->offset = take(w, s->bytes);
    }
}

static bool assign_step(tg_rt *rt, tg_plan *p, workspace *w, int t) {
    const tg_step *s = &p->steps[t];
    int k = choose_in_place(p, t);
    place_result(p, w, s->out,
                 k >= 0 ? p->slots[p->args[s->arg + k]].storage : region_over(p, s, t, s->out));
    for (int i = 0; i < s->more; i++) {
        int out = p->args[s->arg + s->n + i];
        place_result(p, w, out, region_over(p, s, t, out));
    }
    for (int i = 0; i < s->n; i++) {
        tg_storage *a = &p->storage[p->slots[p->args[s->arg + i]].storage];
        if (a->home != TG_HOME_WORK || a->last != t) continue;
        a->last = -1;
        if (!give_back(rt, w, a->offset, a->bytes)) return false;
    }
    return true;
}

static void lay_out_kept(tg_plan *p) {
    for (size_t i = 0; i < p->nstorage; i++) {
        tg_storage *s = &p->storage[i];
        if (s->home != TG_HOME_KEPT) continue;
        size_t align = s->bytes > sizeof(double) ? 64 : sizeof(double);
        s->offset = (p->kept_bytes + align - 1) & ~(align - 1);
        p->kept_bytes = s->offset + (s->bytes ? s->bytes : align);
    }
}

bool tg_plan_assign_buffers(tg_rt *rt, tg_plan *p) {
    workspace w = {0};
    p->kept_bytes = 0;
    lay_out_kept(p);
    for (size_t t = 0; t < p->nsteps; t++) {
        const tg_step *s = &p->steps[t];
        for (int i = 0; i < s->n; i++)
            p->storage[p->slots[p->args[s->arg + i]].storage].last = (int)t;
    }
    bool ok = true;
    for (size_t t = 0; ok && t < p->nsteps; t++) ok = assign_step(rt, p, &w, (int)t);
    p->work_bytes = w.top;
    tg_free(w.free);
    return ok;
}
