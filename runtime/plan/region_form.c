/* Which steps become regions.
 *
 * Steps are taken from the last to the first. Each begins as a group of its own and is merged with
 * the groups of its readers where these take its elements as they come: then a value that only they
 * read is never stored. Two groups that read one value are so merged too. A merger must leave the
 * program an order: no step outside may depend on the group and the group on it (the convexity of
 * loop fusion: Kennedy & McKinley 1993), which a bounded search decides.
 *
 * Groups of one iteration shape merge. So do a group of rows with one of the rows' results, such as
 * softmax or the sum of each row, whose members then become row values of the larger one. The
 * program is put into an order again at the end: what stands outside keeps its place where it can,
 * and a region comes when its last member did, or when it is wanted. */
#include "runtime/plan/region.h"

#include "base/alloc.h"

#include <string.h>

enum {
    LONGEST_ROW = 8192,     /* columns of a row that a block can hold */
    MOST_COLUMNS = 1 << 16, /* of a reduction over the rows: its accumulators are held */
    MOST_LOOKED_AT = 192,   /* steps and groups in one search for a dependency */
};

typedef struct former {
    tg_rt *rt;
    tg_plan *p;
    tg_grouping all;
    int *user_at, *users; /* the steps that read storage i: users[user_at[i] .. user_at[i + 1]) */
    uint32_t *seen;       /* of each step, or of a group at its first member: the last search */
    uint32_t search;
    int *stack;
    bool *needed; /* of each storage: it is read outside of the group that writes it */
} former;

/* ---- what a step is ---- */

static const tg_view *view_of(const tg_plan *p, int slot) {
    return &p->slots[slot].v;
}

static bool is_map(const tg_step *s) {
    if (s->run == tg_step_copy) return true;
    return s->run == tg_step_kernel && s->op->class == TG_CLASS_ELEMENTWISE && s->n > 0 &&
           (s->n == 1 || tg_elementwise_inner(s->op, TG_F64));
}

static bool is_reduction(const tg_step *s) {
    return s->run == tg_step_kernel && s->op->lines && s->n == 1;
}

/* A group of one: the step's iteration shape, and what its result is there. */
static bool begin_reduction(const tg_plan *p, const tg_step *s, tg_group *g, tg_space *space) {
    const tg_view *in = view_of(p, p->args[s->arg]), *out = view_of(p, s->out);
    const tg_attrs *at = s->attrs >= 0 ? &p->attrs[s->attrs] : s->node->at;
    uint64_t mask = (uint64_t)at->v[0];
    int reduced_first = -1, reduced_last = -1, kept_first = -1, kept_last = -1;
    for (int i = 0; i < in->rank; i++) {
        if (in->dim[i] == 1) continue;
        bool reduced = mask >> i & 1;
        int *first = reduced ? &reduced_first : &kept_first;
        if (*first < 0) *first = i;
        *(reduced ? &reduced_last : &kept_last) = i;
    }
    if (reduced_first < 0) return false;
    g->rank = in->rank;
    memcpy(g->dim, in->dim, sizeof g->dim);
    if (s->op->pieces && kept_first < 0) {
        *space = TG_SPACE_TOTAL;
        return true;
    }
    if (s->op->pieces && reduced_last < kept_first) {
        g->split = kept_first;
        *space = TG_SPACE_COLUMNS;
        return tg_view_count(out) <= MOST_COLUMNS;
    }
    if (kept_last > reduced_first) return false;
    int64_t length = 1;
    for (int i = reduced_first; i < in->rank; i++) length *= in->dim[i];
    g->split = reduced_first;
    g->whole = true;
    *space = tg_shape_equal(in->rank, in->dim, out->rank, out->dim) ? TG_SPACE_FULL : TG_SPACE_ROW;
    return length <= LONGEST_ROW;
}

static bool begin(const former *f, int t, tg_group *g, tg_space *space) {
    const tg_plan *p = f->p;
    const tg_step *s = &p->steps[t];
    const tg_slot *out = &p->slots[s->out];
    *g = (tg_group){.split = -1, .once = s->once};
    if (s->more || out->offset != 0 || f->all.writer[out->storage] != t ||
        tg_view_count(&out->v) == 0 || !tg_view_is_contiguous(&out->v))
        return false;
    if (is_map(s)) {
        g->rank = out->v.rank;
        memcpy(g->dim, out->v.dim, sizeof g->dim);
        *space = TG_SPACE_FULL;
        return true;
    }
    return is_reduction(s) && tg_view_count(view_of(p, p->args[s->arg])) > 0 &&
           begin_reduction(p, s, g, space);
}

/* ---- who reads whom ---- */

static int64_t count_of(int from, int to, const int64_t *dim) {
    int64_t n = 1;
    for (int i = from; i < to; i++) n *= dim[i];
    return n;
}

/* The strides are those of row-major elements over the axes before `split`, and 0 from there on. */
static bool is_row_major(int rank, const int64_t *dim, int split, const int64_t *stride,
                         int64_t size) {
    for (int i = rank - 1; i >= split; i--)
        if (dim[i] != 1 && stride[i] != 0) return false;
    for (int i = split - 1; i >= 0; i--) {
        if (dim[i] != 1 && stride[i] != size) return false;
        size *= dim[i];
    }
    return true;
}

/* In group g, does the reader (of that space) find each element of the writer's value, through the
 * slot, when the block that makes it is there? */
static bool reads_in_step(const tg_plan *p, const tg_group *g, const tg_step *writer,
                          tg_space wrote, const tg_step *reader, tg_space reads, int slot) {
    const tg_slot *s = &p->slots[slot];
    int64_t stride[TG_MAX_RANK], size = (int64_t)tg_dtype_size(s->v.dtype);
    if (s->offset != 0 || s->v.dtype != view_of(p, writer->out)->dtype) return false;
    if (wrote == TG_SPACE_FULL) {
        if (reads == TG_SPACE_ROWS_TOTAL || (reads == TG_SPACE_ROW && is_map(reader))) return false;
        return tg_shape_equal(s->v.rank, s->v.dim, g->rank, g->dim) && tg_view_is_contiguous(&s->v);
    }
    if (wrote != TG_SPACE_ROW) return false;
    if (reads == TG_SPACE_ROW || reads == TG_SPACE_ROWS_TOTAL)
        return (reads == TG_SPACE_ROWS_TOTAL || is_map(reader)) && tg_view_is_contiguous(&s->v) &&
               tg_view_count(&s->v) == count_of(0, g->split, g->dim);
    if (reads != TG_SPACE_FULL || !is_map(reader) || s->v.rank > g->rank) return false;
    tg_region_strides(&s->v, g->rank, g->dim, stride);
    return is_row_major(g->rank, g->dim, g->split, stride, size);
}

static tg_space space_of(const former *f, int t) {
    return (tg_space)f->all.space[t];
}

static int producer(const former *f, int slot) {
    return f->all.writer[f->p->slots[slot].storage];
}

/* Is all that members of `from` read of members of `of` read in step, once both are g? */
static bool fits(const former *f, const tg_group *g, int from, int of) {
    const tg_group *reader = &f->all.groups[from];
    for (int i = 0; i < reader->n; i++) {
        int t = reader->member[i];
        const tg_step *s = &f->p->steps[t];
        for (int k = 0; k < s->n; k++) {
            int slot = f->p->args[s->arg + k], w = producer(f, slot);
            if (w >= 0 && f->all.group[w] == of &&
                !reads_in_step(f->p, g, &f->p->steps[w], space_of(f, w), s, space_of(f, t), slot))
                return false;
        }
    }
    return true;
}

/* ---- an order must remain ---- */

static int place_of(const former *f, int t) {
    int g = f->all.group[t];
    return g >= 0 ? f->all.groups[g].first : t;
}

typedef struct search {
    int a, b; /* the groups looked for */
    int from; /* nothing before this step can depend on them */
    int n, met;
} search;

/* Notes what step t reads, to be looked at. False: that is the groups again, or too much. */
static bool look_at_args(former *f, search *s, int t, bool outside) {
    const tg_step *step = &f->p->steps[t];
    for (int k = 0; k < step->n; k++) {
        int w = producer(f, f->p->args[step->arg + k]), g = w >= 0 ? f->all.group[w] : -1;
        if (w < 0) continue;
        if (g >= 0 && (g == s->a || g == s->b)) {
            if (outside) return false;
            continue;
        }
        int place = place_of(f, w), last = g >= 0 ? f->all.groups[g].last : w;
        if (last < s->from || f->seen[place] == f->search) continue;
        if (++s->met > MOST_LOOKED_AT) return false;
        f->seen[place] = f->search;
        f->stack[s->n++] = place;
    }
    return true;
}

/* Does something outside depend on group a or b, and one of them on it? */
static bool is_convex(former *f, int a, int b) {
    const tg_group *pair[2] = {&f->all.groups[a], &f->all.groups[b]};
    search s = {a, b, pair[0]->first < pair[1]->first ? pair[0]->first : pair[1]->first, 0, 0};
    f->search++;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < pair[k]->n; i++)
            if (!look_at_args(f, &s, pair[k]->member[i], false)) return false;
    while (s.n > 0) {
        int t = f->stack[--s.n], g = f->all.group[t];
        const tg_group one = {.n = 1, .member = &t}, *all = g >= 0 ? &f->all.groups[g] : &one;
        for (int i = 0; i < all->n; i++)
            if (!look_at_args(f, &s, all->member[i], true)) return false;
    }
    return true;
}

/* ---- merging ---- */

/* Do the axes of a, but those of size 1, have the sizes of the first `split` axes of g? */
static bool is_row_shape(const tg_group *a, const tg_group *g, int split) {
    int j = 0;
    for (int i = 0; i < a->rank; i++) {
        if (a->dim[i] == 1) continue;
        while (j < split && g->dim[j] == 1) j++;
        if (j == split || g->dim[j++] != a->dim[i]) return false;
    }
    while (j < split && g->dim[j] == 1) j++;
    return j == split;
}

/* Can the members of group `small` be row values? Their other operands must move on by one distance
 * from row to row. */
static bool can_be_rows(const former *f, const tg_group *small) {
    if (small->split >= 0 || small->whole) return false;
    for (int i = 0; i < small->n; i++) {
        const tg_step *s = &f->p->steps[small->member[i]];
        for (int k = 0; k < s->n; k++) {
            const tg_view *v = view_of(f->p, f->p->args[s->arg + k]), *out = view_of(f->p, s->out);
            int64_t stride[TG_MAX_RANK];
            tg_region_axes axes;
            if (space_of(f, small->member[i]) == TG_SPACE_TOTAL) {
                if (!tg_view_is_contiguous(v)) return false;
                continue;
            }
            tg_region_strides(v, out->rank, out->dim, stride);
            tg_region_merge(0, out->rank, out->dim, stride, &axes);
            if (axes.n > 1) return false;
        }
    }
    return true;
}

/* Where the columns of `large` begin when the members of `small` are its row values; -1: no. */
static int split_for(const tg_group *large, const tg_group *small) {
    if (large->split >= 0) return is_row_shape(small, large, large->split) ? large->split : -1;
    for (int s = large->rank - 1; s > 0; s--)
        if (large->dim[s] != 1 && is_row_shape(small, large, s)) return s;
    return -1;
}

static void turn_to_rows(former *f, const tg_group *g, bool rows) {
    for (int i = 0; i < g->n; i++) {
        unsigned char *space = &f->all.space[g->member[i]];
        if (rows)
            *space = *space == TG_SPACE_FULL ? TG_SPACE_ROW : TG_SPACE_ROWS_TOTAL;
        else
            *space = *space == TG_SPACE_ROW ? TG_SPACE_FULL : TG_SPACE_TOTAL;
    }
}

/* The shape of both together into *g; *rows: the group that becomes row values, or -1. */
static bool join_shapes(const former *f, int a, int b, tg_group *g, int *rows) {
    const tg_group *x = &f->all.groups[a], *y = &f->all.groups[b];
    *rows = -1;
    *g = *x;
    if (x->once != y->once) return false;
    g->whole = x->whole || y->whole;
    if (tg_shape_equal(x->rank, x->dim, y->rank, y->dim)) {
        if (x->split >= 0 && y->split >= 0 && x->split != y->split) return false;
        g->split = x->split >= 0 ? x->split : y->split;
    } else {
        int64_t nx = count_of(0, x->rank, x->dim), ny = count_of(0, y->rank, y->dim);
        if (nx == ny) return false;
        const tg_group *large = nx > ny ? x : y, *small = nx > ny ? y : x;
        if (!can_be_rows(f, small)) return false;
        *rows = nx > ny ? b : a;
        *g = *large;
        g->whole = true;
        g->split = split_for(large, small);
        if (g->split < 0) return false;
    }
    return !g->whole || count_of(g->split, g->rank, g->dim) <= LONGEST_ROW;
}

static int weight_of(const former *f, const tg_group *g) {
    int weight = 0;
    for (int i = 0; i < g->n; i++) weight += 1 + f->p->steps[g->member[i]].n;
    return weight;
}

static bool move_members(former *f, int from, int to, const tg_group *shape) {
    tg_group *a = &f->all.groups[from], *b = &f->all.groups[to];
    int n = a->n + b->n, i = a->n, j = b->n;
    void *items = b->member;
    size_t cap = (size_t)b->cap;
    if (!tg_grow(&items, &cap, (size_t)n, sizeof *b->member)) return tg_fail_memory(&f->rt->c);
    b->member = items;
    for (int k = n; k-- > 0;) {
        bool left = j == 0 || (i > 0 && a->member[i - 1] > b->member[j - 1]);
        if (left) f->all.group[a->member[i - 1]] = to;
        b->member[k] = left ? a->member[--i] : b->member[--j];
    }
    int *members = b->member;
    *b = *shape;
    b->member = members;
    b->n = n;
    b->cap = (int)cap;
    b->first = members[0];
    b->last = members[n - 1];
    tg_free(a->member);
    *a = (tg_group){0};
    return true;
}

/* Makes a and b one group, `a` if that can be. False: an error; that they cannot be one is none. */
static bool merge(former *f, int a, int b, bool only_reader, int *into) {
    tg_group *x = &f->all.groups[a], *y = &f->all.groups[b], shape;
    int rows;
    *into = a;
    if (x->n + y->n > TG_REGION_MEMBERS ||
        weight_of(f, x) + weight_of(f, y) > TG_REGION_VALUES - 2 ||
        !join_shapes(f, a, b, &shape, &rows))
        return true;
    if (rows >= 0) turn_to_rows(f, &f->all.groups[rows], true);
    if (!fits(f, &shape, a, b) || !fits(f, &shape, b, a) || !(only_reader || is_convex(f, a, b))) {
        if (rows >= 0) turn_to_rows(f, &f->all.groups[rows], false);
        return true;
    }
    *into = b;
    return move_members(f, a, b, &shape);
}

/* ---- all steps ---- */

static bool start_group(former *f, int t, const tg_group *like, tg_space space) {
    tg_group *g = &f->all.groups[f->all.ngroups];
    *g = *like;
    g->member = tg_alloc_array(4, sizeof *g->member);
    if (!g->member) return tg_fail_memory(&f->rt->c);
    g->cap = 4;
    g->n = 1;
    g->member[0] = g->first = g->last = t;
    f->all.space[t] = (unsigned char)space;
    f->all.group[t] = f->all.ngroups++;
    return true;
}

/* Merges t's group with those of its readers. */
static bool join_readers(former *f, int t) {
    int storage = f->p->slots[f->p->steps[t].out].storage;
    int from = f->user_at[storage], to = f->user_at[storage + 1];
    bool one = f->p->storage[storage].home == TG_HOME_WORK;
    for (int i = from; i < to; i++)
        one = one && f->all.group[f->users[i]] >= 0 &&
              f->all.group[f->users[i]] == f->all.group[f->users[from]];
    for (int i = from; i < to; i++) {
        int mine = f->all.group[t], its = f->all.group[f->users[i]], into;
        if (its < 0 || its == mine) continue;
        if (!merge(f, mine, its, one, &into)) return false;
    }
    return true;
}

static bool group_steps(former *f) {
    for (int t = (int)f->p->nsteps; t-- > 0;) {
        tg_group like;
        tg_space space = TG_SPACE_FULL;
        if (!begin(f, t, &like, &space)) continue;
        if ((t & 255) == 0 && !tg_check_interrupt(&f->rt->c)) return false;
        if (!start_group(f, t, &like, space) || !join_readers(f, t)) return false;
    }
    for (size_t t = 0; t < f->p->nsteps; t++)
        if (f->all.group[t] >= 0 && f->all.groups[f->all.group[t]].n < 2) f->all.group[t] = -1;
    return true;
}

/* ---- the program again ---- */

static void find_needed(former *f) {
    const tg_plan *p = f->p;
    for (size_t i = 0; i < p->nstorage; i++) {
        int w = f->all.writer[i];
        f->needed[i] = p->storage[i].home != TG_HOME_WORK;
        if (w < 0) continue;
        for (int k = f->user_at[i]; k < f->user_at[i + 1]; k++)
            if (f->all.group[f->users[k]] != f->all.group[w] || f->all.group[w] < 0)
                f->needed[i] = true;
    }
}

/* The first step or group, by its place, that t's step or group waits for; -1: none. */
static int waits_for(const former *f, int t) {
    int g = f->all.group[t];
    const tg_group one = {.n = 1, .member = &t}, *all = g >= 0 ? &f->all.groups[g] : &one;
    for (int i = 0; i < all->n; i++) {
        const tg_step *s = &f->p->steps[all->member[i]];
        for (int k = 0; k < s->n; k++) {
            int w = producer(f, f->p->args[s->arg + k]);
            if (w < 0 || w == all->member[i] || (g >= 0 && f->all.group[w] == g))
                continue; /* a loop reads its own scratch memory */
            int place = place_of(f, w);
            if (f->seen[place] != f->search) return place;
        }
    }
    return -1;
}

static bool emit(former *f, int place, tg_step *out, size_t *n) {
    int g = f->all.group[place];
    f->seen[place] = f->search;
    if (g < 0) {
        out[(*n)++] = f->p->steps[place];
        return true;
    }
    if (!tg_region_build(f->rt, f->p, &f->all, &f->all.groups[g], f->needed)) return false;
    out[(*n)++] = f->p->steps[--f->p->nsteps];
    return true;
}

/* Emits a step or group after all that it waits for. */
static bool emit_with_needs(former *f, int place, tg_step *out, size_t *n) {
    int top = 0;
    f->stack[top++] = place;
    while (top > 0) {
        int next = f->seen[f->stack[top - 1]] == f->search ? -1 : waits_for(f, f->stack[top - 1]);
        if (next >= 0) {
            f->stack[top++] = next;
            continue;
        }
        top--;
        if (f->seen[f->stack[top]] != f->search && !emit(f, f->stack[top], out, n)) return false;
    }
    return true;
}

static bool emit_all(former *f) {
    size_t n = 0, count = f->p->nsteps;
    tg_step *out = tg_alloc_array(count, sizeof *out);
    if (!out) return tg_fail_memory(&f->rt->c);
    f->search++;
    for (size_t t = 0; t < count; t++) {
        int g = f->all.group[t], place = place_of(f, (int)t);
        if (f->seen[place] == f->search || (g >= 0 && f->all.groups[g].last != (int)t)) continue;
        if (!emit_with_needs(f, place, out, &n)) {
            tg_free(out);
            return false;
        }
    }
    tg_free(f->p->steps);
    f->p->steps = out;
    f->p->nsteps = n;
    f->p->cap_steps = count;
    return true;
}

/* ---- the whole ---- */

static bool list_users(former *f) {
    const tg_plan *p = f->p;
    for (size_t i = 0; i < p->nstorage; i++) f->all.writer[i] = -1;
    for (size_t t = 0; t < p->nsteps; t++) {
        const tg_step *s = &p->steps[t];
        for (int k = -1; k < s->more; k++) {
            int out = k < 0 ? s->out : p->args[s->arg + s->n + k];
            int *writer = &f->all.writer[p->slots[out].storage];
            if (*writer >= 0) return false; /* written twice: such a program stays as it is */
            *writer = (int)t;
        }
        for (int k = 0; k < s->n; k++) f->user_at[p->slots[p->args[s->arg + k]].storage + 1]++;
    }
    for (size_t i = 0; i < p->nstorage; i++) f->user_at[i + 1] += f->user_at[i];
    const int total = f->user_at[p->nstorage];
    for (size_t t = p->nsteps; t-- > 0;) {
        const tg_step *s = &p->steps[t];
        for (int k = 0; k < s->n; k++) {
            int storage = p->slots[p->args[s->arg + k]].storage;
            f->users[--f->user_at[storage + 1]] = (int)t;
        }
    }
    /* user_at[i + 1] is now where the list of i begins */
    memmove(f->user_at, f->user_at + 1, p->nstorage * sizeof *f->user_at);
    f->user_at[p->nstorage] = total;
    return true;
}

static bool form(former *f) {
    tg_plan *p = f->p;
    size_t steps = p->nsteps;
    f->all.writer = tg_alloc_array(p->nstorage, sizeof(int));
    f->all.group = tg_alloc_array(steps, sizeof(int));
    f->all.space = tg_alloc_array(steps, 1);
    f->all.groups = tg_alloc_array(steps, sizeof(tg_group));
    f->user_at = tg_alloc_array(p->nstorage + 1, sizeof(int));
    f->users = tg_alloc_array(p->nargs, sizeof(int));
    f->seen = tg_alloc_array(steps, sizeof *f->seen);
    f->stack = tg_alloc_array(steps + 1, sizeof(int));
    f->needed = tg_alloc_array(p->nstorage, sizeof(bool));
    if (!f->all.writer || !f->all.group || !f->all.space || !f->all.groups || !f->user_at ||
        !f->users || !f->seen || !f->stack || !f->needed)
        return tg_fail_memory(&f->rt->c);
    for (size_t t = 0; t < steps; t++) f->all.group[t] = -1;
    if (!list_users(f)) return true;
    if (!group_steps(f)) return false;
    find_needed(f);
    return emit_all(f);
}

bool tg_plan_form_regions(tg_rt *rt, tg_plan *p) {
    former f = {.rt = rt, .p = p};
    bool ok = p->nsteps < 2 || form(&f);
    for (int i = 0; i < f.all.ngroups; i++) tg_free(f.all.groups[i].member);
    tg_free(f.all.writer);
    tg_free(f.all.group);
    tg_free(f.all.space);
    tg_free(f.all.groups);
    tg_free(f.user_at);
    tg_free(f.users);
    tg_free(f.seen);
    tg_free(f.stack);
    tg_free(f.needed);
    return ok;
}
