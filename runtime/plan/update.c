/* Updates in place: W := W - rate * (X' @ D) adds the product to W's own memory, by gemm's beta,
 * instead of copying W first; and E := E - rate * grad(cost, E) of an embedding, which scatter.c
 * has made scatter_add(E, idx, ...), adds to the rows that were looked up.
 *
 * A statement changes all its variables or none. So what is written in place is written at the end
 * of the run, when nothing can fail any more: the steps that do it are moved behind all others and
 * form the tail. A product may be there when its result is a root that nobody else reads, and its
 * addend is the very cell that the root is for. All memory is had before the tail begins, and an
 * interrupt waits until it is over; a tail that would take longer than TAIL_MOST is not made.
 *
 * There is one more way to fail: the result may not be finite, and then the user is told where that
 * began (interp/nonfinite.c), which needs the values as they were. So before the tail its operands
 * are looked at: |W| + alpha * K * |A| * |B|, by their largest elements, bounds the result; of an
 * embedding the rows that are changed, and all that is added to them together. If that may
 * overflow, an index is out of range, or if another root is not finite already, the tail writes to
 * new memory as any other step does. The same happens when somebody else holds W's tensor (old =
 * value(W)).
 *
 * Waiting for the tail keeps operands alive that could have gone before. Where that costs more
 * memory than the new values would have, there is no tail. */
#include "runtime/plan/program.h"
#include "runtime/ops/structure.h"
#include "runtime/plan/trace.h"

#include "base/alloc.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const size_t least_bytes = 32 << 10; /* below, a copy costs less than the look at operands */
static const double tail_most = 50e6;       /* nanoseconds */

/* ---- which ---- */

/* BLAS reads it as it stands. */
static bool is_matrix(const tg_view *v) {
    if (v->rank > 2 || v->rank < 1) return false;
    int64_t rows = v->rank > 1 ? v->stride[0] : INT64_MAX, cols = v->stride[v->rank - 1];
    return (cols == 1 && rows >= v->dim[v->rank - 1]) || (rows == 1 && cols >= v->dim[0]);
}

static bool reads(const tg_plan *p, const tg_step *s, int n, int storage) {
    for (int i = 0; i < n; i++)
        if (p->slots[p->args[s->arg + i]].storage == storage) return true;
    return false;
}

/* Does it add slices to some places along axis 0? */
static bool is_scatter(const tg_step *s) {
    return s->op && s->run == tg_step_kernel && strcmp(s->op->name, "scatter_add") == 0 &&
           s->node->at->v[0] == 0;
}

/* The argument that a step adds to; -1: it adds to none. */
static int addend_of(const tg_plan *p, const tg_step *s) {
    if (is_scatter(s)) return 0;
    return s->product >= 0 && s->n >= 3 && p->products[s->product].accumulates ? 2 : -1;
}

/* The cell that the step adds to and whose root it is; -1: it is none of that kind. */
static int cell_of(const tg_plan *p, const tg_step *s) {
    const int *arg = p->args + s->arg, addend = addend_of(p, s);
    if (addend < 0) return -1;
    const tg_slot *out = &p->slots[s->out], *to = &p->slots[arg[addend]];
    const tg_storage *result = &p->storage[out->storage], *cell = &p->storage[to->storage];
    if (result->home != TG_HOME_RESULT || cell->home != TG_HOME_CELL || to->offset != 0 ||
        p->cells[cell->index].cell != p->into[result->index] || result->bytes < least_bytes)
        return -1;
    if (to->v.dtype != out->v.dtype || !tg_view_is_contiguous(&to->v) ||
        !tg_shape_equal(to->v.rank, to->v.dim, out->v.rank, out->v.dim))
        return -1;
    for (int i = 0; i < s->n; i++)
        if (i != addend && p->slots[arg[i]].storage == to->storage) return -1;
    bool fits = addend == 0 ? tg_view_is_contiguous(&p->slots[arg[2]].v)
                            : is_matrix(&p->slots[arg[0]].v) && is_matrix(&p->slots[arg[1]].v);
    return fits ? cell->index : -1;
}

/* Is the storage handed out, or read by another step of the tail or by a step behind? */
static bool is_wanted(const tg_plan *p, const bool *in_tail, size_t but, int storage) {
    for (int i = 0; i < p->nroots; i++)
        if (p->results[i].slot >= 0 && p->slots[p->results[i].slot].storage == storage) return true;
    for (size_t t = 0; t < p->nsteps; t++)
        if (in_tail[t] && t != but && reads(p, &p->steps[t], p->steps[t].n, storage)) return true;
    return false;
}

static double time_of(const tg_plan *p, const tg_step *s) {
    if (is_scatter(s)) return 2 * (double)tg_view_count(&p->slots[p->args[s->arg + 2]].v);
    const tg_view *a = &p->slots[p->args[s->arg]].v;
    return 0.04 * (double)tg_view_count(&p->slots[s->out].v) * (double)a->dim[a->rank - 1];
}

/* Marks the steps of the tail; how many. */
static size_t choose(tg_plan *p, bool *in_tail, const bool *read) {
    size_t n = 0;
    double time = 0;
    for (size_t t = p->first; t < p->nsteps; t++)
        in_tail[t] = !read[p->slots[p->steps[t].out].storage] && cell_of(p, &p->steps[t]) >= 0;
    for (size_t t = p->first; t < p->nsteps; t++) {
        if (!in_tail[t]) continue;
        const tg_step *s = &p->steps[t];
        time += time_of(p, s);
        in_tail[t] = time <= tail_most &&
                     !is_wanted(p, in_tail, t, p->slots[p->args[s->arg + addend_of(p, s)]].storage);
        n += in_tail[t];
    }
    return n;
}

/* ---- at compile time ---- */

/* The steps of the tail behind the others; the order within each kind stays. */
static void reorder(const tg_plan *p, const bool *in_tail, tg_step *to) {
    size_t at = 0;
    for (int tail = 0; tail <= 1; tail++)
        for (size_t t = 0; t < p->nsteps; t++)
            if (in_tail[t] == tail) to[at++] = p->steps[t];
}

static bool make_tail(tg_rt *rt, tg_plan *p, const bool *in_tail, size_t n) {
    tg_step *was = p->steps, *steps = tg_alloc_array(p->nsteps, sizeof *steps);
    if (!steps) return tg_fail_memory(&rt->c);
    size_t cap = p->cap_steps, before, saved = 0;
    reorder(p, in_tail, steps);
    if (!tg_plan_assign_buffers(rt, p)) {
        tg_free(steps);
        return false;
    }
    before = p->work_bytes;
    p->steps = steps;
    p->cap_steps = p->nsteps;
    p->tail = p->nsteps - n;
    for (size_t t = p->tail; t < p->nsteps; t++)
        saved += p->storage[p->slots[steps[t].out].storage].bytes;
    bool ok = tg_plan_assign_buffers(rt, p);
    if (ok && p->work_bytes > before + saved) {
        p->steps = was;
        p->cap_steps = cap;
        p->tail = p->nsteps;
        was = steps;
        ok = tg_plan_assign_buffers(rt, p);
    }
    tg_free(was);
    return ok;
}

bool tg_plan_find_updates(tg_rt *rt, tg_plan *p) {
    p->tail = p->nsteps;
    if (!p->into) return tg_plan_assign_buffers(rt, p);
    bool *in_tail = tg_alloc_array(p->nsteps, sizeof *in_tail),
         *read = tg_alloc_array(p->nstorage, sizeof *read);
    bool ok = in_tail && read ? true : tg_fail_memory(&rt->c);
    for (size_t t = 0; ok && t < p->nsteps; t++)
        for (int i = 0; i < p->steps[t].n; i++)
            read[p->slots[p->args[p->steps[t].arg + i]].storage] = true;
    size_t n = ok ? choose(p, in_tail, read) : 0;
    ok = ok && (n ? make_tail(rt, p, in_tail, n) : tg_plan_assign_buffers(rt, p));
    for (size_t t = p->tail; ok && t < p->nsteps; t++)
        p->results[p->storage[p->slots[p->steps[t].out].storage].index].tail = true;
    tg_free(in_tail);
    tg_free(read);
    return ok;
}

/* ---- at the end of a run ---- */

/* The bits of a float without its sign grow with its size; those of NaN are above all others. */
static double largest_float(const float *x, int64_t n) {
    int32_t most = 0;
    float size;
    for (int64_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    memcpy(&size, &most, sizeof size);
    return (double)size;
}

static double largest_double(const double *x, int64_t n) {
    int64_t most = 0;
    double size;
    for (int64_t i = 0; i < n; i++) {
        int64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits &= INT64_MAX;
        most = bits > most ? bits : most;
    }
    memcpy(&size, &most, sizeof size);
    return size;
}

/* The largest absolute value, infinite or NaN if one is. Of a matrix as BLAS reads it: line by
 * line. */
static double largest(const tg_view *v) {
    bool turned = v->rank == 2 && v->stride[1] != 1;
    int64_t n = v->dim[turned ? 0 : v->rank - 1], lines = v->rank == 2 ? v->dim[turned ? 1 : 0] : 1,
            step = v->rank == 2 ? v->stride[turned ? 1 : 0] : 0;
    double most = 0;
    for (int64_t i = 0; i < lines; i++) {
        double x = v->dtype == TG_F64 ? largest_double((const double *)v->data + i * step, n)
                                      : largest_float((const float *)v->data + i * step, n);
        if (!(x <= most)) most = x;
        if (most - most != 0) break;
    }
    return most;
}

/* Are all n elements so small that 2^spare of them make no infinity? */
static bool are_small(const void *data, tg_dtype t, int64_t n, int spare) {
    if (t == TG_F64) {
        const int64_t *x = data, limit = (int64_t)(2040 - spare) << 52;
        int64_t any = 0;
        for (int64_t i = 0; i < n; i++) any |= limit - 1 - (x[i] & INT64_MAX);
        return any >= 0;
    }
    const int32_t *x = data, limit = (250 - spare) << 23;
    int32_t any = 0;
    for (int64_t i = 0; i < n; i++) any |= limit - 1 - (x[i] & INT32_MAX);
    return any >= 0;
}

/* The rows of `to` that are changed, and all that is added to them, are bounded; and all indices
 * are in range. */
static bool is_scatter_bounded(const tg_view *to, const tg_view *idx, const tg_view *added) {
    enum { MANY = 40 }; /* there are fewer than 2^MANY indices */
    const int64_t n = tg_view_count(idx), rows = to->dim[0], *place = idx->data;
    if (idx->dtype != TG_I64 || !tg_view_is_contiguous(idx) || n == 0 || rows == 0) return false;
    if (!are_small(added->data, added->dtype, tg_view_count(added), MANY)) return false;
    const int64_t length = tg_view_count(to) / rows;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = place[i] < 0 ? place[i] + rows : place[i];
        if (at < 0 || at >= rows) return false;
        if (!are_small(tg_view_place(to, at * to->stride[0]), to->dtype, length, 1)) return false;
    }
    return true;
}

static bool is_bounded(const tg_plan *p, const tg_step *s) {
    const int *arg = p->args + s->arg;
    if (is_scatter(s))
        return is_scatter_bounded(&p->slots[arg[0]].v, &p->slots[arg[1]].v, &p->slots[arg[2]].v);
    const tg_view *a = &p->slots[arg[0]].v;
    double alpha = tg_plan_alpha(p, s);
    if (alpha == 0 || alpha - alpha != 0) return false; /* not gemm's: see execute.c */
    double bound = largest(&p->slots[arg[2]].v) + fabs(alpha) * (double)a->dim[a->rank - 1] *
                                                      largest(a) * largest(&p->slots[arg[1]].v);
    return bound < (a->dtype == TG_F64 ? DBL_MAX : (double)FLT_MAX) / 4;
}

static bool others_are_finite(const tg_plan *p) {
    for (int i = 0; i < p->nroots; i++)
        if (p->out[i] && !tg_view_is_finite(&p->out[i]->v)) return false;
    return true;
}

tg_tensor *tg_plan_own_tensor(const tg_plan *p, const tg_step *s, const tg_overrides *o) {
    const int to = p->args[s->arg + addend_of(p, s)];
    const tg_cell *cell = p->cells[p->storage[p->slots[to].storage].index].cell;
    tg_tensor *t = cell->value;
    for (int i = 0; i < o->n; i++)
        if (o->cells[i] == cell) return NULL;
    return t->refs == 1 && t->buf->refs == 1 ? t : NULL;
}

bool tg_plan_place_tail(tg_rt *rt, tg_plan *p, const tg_overrides *o) {
    bool in_place = others_are_finite(p);
    for (size_t t = p->tail; in_place && t < p->nsteps; t++) in_place = is_bounded(p, &p->steps[t]);
    for (size_t t = p->tail; t < p->nsteps; t++) {
        tg_slot *slot = &p->slots[p->steps[t].out];
        int root = p->storage[slot->storage].index;
        const tg_plan_result *r = &p->results[root];
        tg_tensor *own = in_place ? tg_plan_own_tensor(p, &p->steps[t], o) : NULL;
        p->out[root] = own ? tg_tensor_hold(own) : tg_tensor_new(&rt->c, r->dtype, r->rank, r->dim);
        if (!p->out[root]) return false;
        slot->v.data = p->out[root]->v.data;
    }
    return tg_check_interrupt(&rt->c);
}
