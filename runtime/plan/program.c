/* Building a program: its slots, storage and steps are numbered in growing arrays. */
#include "runtime/plan/region.h"

#include "base/alloc.h"
#include "runtime/plan/loop.h"

#include <limits.h>
#include <string.h>

/* Room for one more part; numbers are ints. */
static bool room(tg_rt *rt, void **items, size_t *cap, size_t count, size_t more, size_t size) {
    if (count + more > INT_MAX) return tg_fail(&rt->c, TG_ERR_VALUE, "the formula is too large");
    return tg_grow(items, cap, count + more, size) || tg_fail_memory(&rt->c);
}

int tg_plan_add_storage(tg_rt *rt, tg_plan *p, tg_home home, int index, size_t bytes) {
    void *items = p->storage;
    if (!room(rt, &items, &p->cap_storage, p->nstorage, 1, sizeof *p->storage)) return -1;
    p->storage = items;
    p->storage[p->nstorage] =
        (tg_storage){.home = home, .index = index, .bytes = bytes, .last = -1};
    return (int)p->nstorage++;
}

int tg_plan_add_slot(tg_rt *rt, tg_plan *p, int storage, const tg_view *v, int64_t offset) {
    void *items = p->slots;
    if (!room(rt, &items, &p->cap_slots, p->nslots, 1, sizeof *p->slots)) return -1;
    p->slots = items;
    p->slots[p->nslots] = (tg_slot){.v = *v, .storage = storage, .offset = offset, .converted = -1};
    p->slots[p->nslots].v.data = NULL;
    return (int)p->nslots++;
}

int tg_plan_add_number(tg_rt *rt, tg_plan *p, tg_dtype t, double x) {
    tg_view v;
    tg_view_init(&v, NULL, t, 0, NULL);
    int storage = tg_plan_add_storage(rt, p, TG_HOME_KEPT, 0, sizeof(double));
    int slot = storage < 0 ? -1 : tg_plan_add_slot(rt, p, storage, &v, 0);
    if (slot < 0) return -1;
    p->slots[slot].number = x;
    p->slots[slot].is_number = p->slots[slot].constant = true;
    return slot;
}

int tg_plan_add_value(tg_rt *rt, tg_plan *p, tg_home home, int index, tg_dtype t, int rank,
                      const int64_t *dim) {
    tg_view v;
    size_t bytes = tg_dtype_size(t);
    for (int i = 0; i < rank; i++) {
        /* an empty axis must not hide the overflow of the others from the strides */
        if (!tg_size_mul(bytes, (size_t)(dim[i] > 0 ? dim[i] : 1), &bytes) ||
            bytes > PTRDIFF_MAX / 2) {
            tg_fail(&rt->c, TG_ERR_VALUE, "a part of the formula of shape %s is too large",
                    tg_shape_text(rt, rank, dim));
            return -1;
        }
    }
    tg_view_init(&v, NULL, t, rank, dim);
    int storage = tg_plan_add_storage(rt, p, home, index, bytes);
    return storage < 0 ? -1 : tg_plan_add_slot(rt, p, storage, &v, 0);
}

int tg_plan_add_step(tg_rt *rt, tg_plan *p, const tg_step *s, const int *args) {
    void *steps = p->steps, *list = p->args;
    size_t n = (size_t)(s->n + s->more);
    if (!room(rt, &steps, &p->cap_steps, p->nsteps, 1, sizeof *p->steps)) return -1;
    p->steps = steps;
    if (!room(rt, &list, &p->cap_args, p->nargs, n, sizeof *p->args)) return -1;
    p->args = list;
    if (n) memcpy(p->args + p->nargs, args, n * sizeof *args);
    p->steps[p->nsteps] = *s;
    p->steps[p->nsteps].arg = (int)p->nargs;
    p->nargs += n;
    if (s->n > p->most_args) p->most_args = s->n;
    return (int)p->nsteps++;
}

/* When there is no memory for the move, the array stays as it is. */
static size_t trim(void **items, size_t *cap, size_t count, size_t size) {
    void *p = count < *cap ? tg_realloc(*items, count * size) : NULL;
    if (p) {
        *items = p;
        *cap = count;
    }
    return *cap * size;
}

void tg_plan_trim(tg_plan *p) {
    void *slots = p->slots, *storage = p->storage, *steps = p->steps, *args = p->args;
    p->bytes = sizeof *p + p->kept_bytes + p->nmoving * sizeof *p->moving +
               (size_t)p->ncells * sizeof *p->cells +
               (size_t)p->nroots * (sizeof *p->roots + sizeof *p->results + 2 * sizeof *p->out) +
               p->cap_attrs * sizeof *p->attrs + p->cap_products * sizeof *p->products +
               p->cap_regions * sizeof *p->regions;
    for (size_t i = 0; i < p->nregions; i++) p->bytes += tg_region_bytes(p->regions[i]);
    for (size_t i = 0; i < p->nloops; i++) p->bytes += tg_turns_bytes(p->loops[i]);
    p->bytes += trim(&slots, &p->cap_slots, p->nslots, sizeof *p->slots);
    p->slots = slots;
    p->bytes += trim(&storage, &p->cap_storage, p->nstorage, sizeof *p->storage);
    p->storage = storage;
    p->bytes += trim(&steps, &p->cap_steps, p->nsteps, sizeof *p->steps);
    p->steps = steps;
    p->bytes += trim(&args, &p->cap_args, p->nargs, sizeof *p->args);
    p->args = args;
}

void tg_plan_free(tg_plan *p) {
    if (!p) return;
    for (int i = 0; p->targets && i < p->nroots; i++)
        if (p->targets[i] != p->roots[i]) tg_node_drop(p->targets[i]);
    tg_free(p->targets);
    tg_free(p->roots);
    tg_free(p->cells);
    tg_free(p->results);
    tg_free(p->into);
    tg_free(p->slots);
    tg_free(p->storage);
    tg_free(p->steps);
    tg_free(p->args);
    tg_free(p->attrs);
    tg_free(p->products);
    for (size_t i = 0; i < p->nregions; i++) tg_region_free(p->regions[i]);
    tg_free(p->regions);
    for (size_t i = 0; i < p->nloops; i++) tg_turns_free(p->loops[i]);
    tg_free(p->loops);
    tg_free(p->moving);
    tg_free(p->in);
    tg_free(p->out);
    tg_free(p->kept);
    tg_free(p);
}
