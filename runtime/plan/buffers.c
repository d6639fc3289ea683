/* Memory for a program: offsets by liveness.
 *
 * A value in the workspace lives from the step that makes it to the last one that reads it. One
 * pass over the steps, as in linear-scan register allocation (Poletto & Sarkar 1999): a value takes
 * the smallest free region that fits, or else the workspace grows; regions are given back after the
 * last reading. An elementwise step may write over its argument when that dies there: then both are
 * one region. Offsets are multiples of 64. Kept storage is simply laid out in a row, and never
 * given back.
 *
 * Where holes make that noticeably larger than what is alive at once, all is placed a second time,
 * the largest values first, each into the smallest hole among those that live at the same time
 * (Pisarchyk & Lee, Efficient memory management for deep neural net inference, 2020); the better of
 * the two is kept. */
#include "runtime/plan/region.h"

#include "base/alloc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct region {
    size_t at, size;
} region;

/* The memory of a value, and of those that are written over it: it is taken at step `first` and
 * free again behind step `last`. */
typedef struct block {
    size_t at, size;
    int first, last;
} block;

enum { MOST_BLOCKS = 8192 }; /* that are placed twice: the time grows with the square */

typedef struct workspace {
    size_t n, cap;
    region *free;           /* by address; neighbours are always joined */
    size_t top;             /* how far the workspace reaches */
    size_t live, most_live; /* bytes taken now, and the most so far: no layout needs less */
    size_t nblocks;
    block *block;
    int *block_of; /* of each storage, -1: none */
} workspace;

static size_t rounded(size_t bytes) {
    return bytes ? (bytes + 63) & ~(size_t)63 : 64;
}

static void remove_region(workspace *w, size_t i) {
    memmove(w->free + i, w->free + i + 1, (--w->n - i) * sizeof *w->free);
}

static size_t take(workspace *w, size_t bytes) {
    size_t size = rounded(bytes), best = w->n;
    w->live += size;
    if (w->live > w->most_live) w->most_live = w->live;
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
    w->live -= size;
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
static void place_result(tg_plan *p, workspace *w, int t, int out, int over) {
    const int storage = p->slots[out].storage;
    tg_storage *s = &p->storage[storage];
    if (over >= 0) {
        s->offset = p->storage[over].offset;
        p->storage[over].last = -1;
        w->block_of[storage] = w->block_of[over];
    } else if (s->home == TG_HOME_WORK) {
        s->offset = take(w, s->bytes);
        w->block_of[storage] = (int)w->nblocks;
        w->block[w->nblocks++] = (block){s->offset, rounded(s->bytes), t, INT_MAX};
    }
}

static bool assign_step(tg_rt *rt, tg_plan *p, workspace *w, int t) {
    const tg_step *s = &p->steps[t];
    int k = choose_in_place(p, t);
    place_result(p, w, t, s->out,
                 k >= 0 ? p->slots[p->args[s->arg + k]].storage : region_over(p, s, t, s->out));
    for (int i = 0; i < s->more; i++) {
        int out = p->args[s->arg + s->n + i];
        place_result(p, w, t, out, region_over(p, s, t, out));
    }
    for (int i = 0; i < s->n; i++) {
        const int storage = p->slots[p->args[s->arg + i]].storage;
        tg_storage *a = &p->storage[storage];
        if (a->home != TG_HOME_WORK || a->last != t) continue;
        a->last = -1;
        w->block[w->block_of[storage]].last = t;
        if (!give_back(rt, w, a->offset, a->bytes)) return false;
    }
    return true;
}

/* ---- the second way ---- */

static int by_size(const void *a, const void *b) {
    const block *x = *(const block *const *)a, *y = *(const block *const *)b;
    return x->size != y->size ? (x->size < y->size) - (x->size > y->size) : (x > y) - (x < y);
}

/* The smallest hole for b among the n placed ones, which stand by address, that live when it does.
 */
static size_t find_hole(const block *b, size_t n, block *const *placed) {
    size_t end = 0, best = SIZE_MAX, at = 0;
    for (size_t i = 0; i < n; i++) {
        const block *x = placed[i];
        if (x->last < b->first || x->first > b->last) continue;
        if (x->at > end && x->at - end >= b->size && x->at - end < best) {
            best = x->at - end;
            at = end;
        }
        if (x->at + x->size > end) end = x->at + x->size;
    }
    return best < SIZE_MAX ? at : end;
}

/* Places the blocks anew, and the storage with them where that is better. */
static bool place_by_size(tg_rt *rt, tg_plan *p, workspace *w) {
    block **order = tg_alloc_array(2 * w->nblocks, sizeof *order);
    if (!order) return tg_fail_memory(&rt->c);
    block **placed = order + w->nblocks; /* by address */
    size_t top = 0;
    for (size_t i = 0; i < w->nblocks; i++) order[i] = &w->block[i];
    qsort(order, w->nblocks, sizeof *order, by_size);
    for (size_t i = 0; i < w->nblocks; i++) {
        block *b = order[i];
        b->at = find_hole(b, i, placed);
        if (b->at + b->size > top) top = b->at + b->size;
        size_t k = i;
        for (; k > 0 && placed[k - 1]->at > b->at; k--) placed[k] = placed[k - 1];
        placed[k] = b;
    }
    tg_free(order);
    if (top >= w->top) return true;
    w->top = top;
    for (size_t i = 0; i < p->nstorage; i++)
        if (w->block_of[i] >= 0) p->storage[i].offset = w->block[w->block_of[i]].at;
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
    w.block = tg_alloc_array(p->nstorage, sizeof *w.block);
    w.block_of = tg_alloc_array(p->nstorage, sizeof *w.block_of);
    bool ok = w.block && w.block_of ? true : tg_fail_memory(&rt->c);
    for (size_t i = 0; ok && i < p->nstorage; i++) w.block_of[i] = -1;
    for (size_t t = 0; ok && t < p->nsteps; t++) ok = assign_step(rt, p, &w, (int)t);
    if (ok && w.top - w.most_live > w.most_live / 64 && w.nblocks <= MOST_BLOCKS)
        ok = place_by_size(rt, p, &w);
    p->work_bytes = w.top;
    p->live_bytes = w.most_live;
    tg_free(w.free);
    tg_free(w.block);
    tg_free(w.block_of);
    return ok;
}
