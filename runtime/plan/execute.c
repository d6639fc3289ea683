/* Running a plan. Addresses come first: slots in the workspace are placed again only when it has
 * moved; slots on cells and results each time, for a `:=` gives a cell another tensor. Then the
 * steps run in order, with a look at the interrupt flag between them. A repeated run allocates its
 * results only, and those not where the caller brings tensors to write into. */
#include "runtime/plan/program.h"

#include "base/alloc.h"
#include "runtime/ops/linear.h"

#include <string.h>

/* ---- steps ---- */

bool tg_plan_call_kernel(tg_rt *rt, tg_plan *p, const tg_step *s, size_t *room) {
    const int *arg = p->args + s->arg;
    for (int i = 0; i < s->n; i++) p->in[i] = p->slots[arg[i]].v;
    const tg_call call = {.rt = rt,
                          .op = s->op,
                          .n = s->n,
                          .in = p->in,
                          .out = &p->slots[s->out].v,
                          .at = s->attrs >= 0 ? &p->attrs[s->attrs] : s->node->at,
                          .room = room};
    return s->op->run(&call) || tg_plan_explain(rt, s->node);
}

bool tg_step_kernel(tg_rt *rt, tg_plan *p, const tg_step *s) {
    return tg_plan_call_kernel(rt, p, s, NULL);
}

bool tg_step_copy(tg_rt *rt, tg_plan *p, const tg_step *s) {
    return tg_view_copy_parts(&rt->c, &p->slots[s->out].v, &p->slots[p->args[s->arg]].v);
}

/* A factor that is 0 or not finite must meet each element of the product, which gemm's alpha does
 * not. */
static bool multiply_slowly(tg_rt *rt, const tg_view *a, const tg_view *b, tg_view *out,
                            double alpha, bool accumulates) {
    tg_tensor *t = tg_tensor_new(&rt->c, out->dtype, out->rank, out->dim);
    if (!t) return false;
    bool ok = tg_linear_gemm(rt, a, b, &t->v, 1, 0);
    int64_t n = ok ? tg_view_count(out) : 0;
    for (int64_t i = 0; i < n; i++)
        tg_view_set(out, i,
                    alpha * tg_view_get(&t->v, i) + (accumulates ? tg_view_get(out, i) : 0));
    tg_tensor_drop(t);
    return ok;
}

double tg_plan_alpha(const tg_plan *p, const tg_step *s) {
    const tg_product *f = &p->products[s->product];
    double alpha = f->alpha;
    for (int i = 0; i < f->nscales; i++) {
        double x = tg_view_get(&p->slots[p->args[s->arg + s->n - f->nscales + i]].v, 0);
        alpha = f->divides[i] ? alpha / x : alpha * x;
    }
    return alpha;
}

bool tg_step_product(tg_rt *rt, tg_plan *p, const tg_step *s) {
    const tg_product *f = &p->products[s->product];
    const int *arg = p->args + s->arg;
    const tg_view *a = &p->slots[arg[0]].v, *b = &p->slots[arg[1]].v;
    tg_view *out = &p->slots[s->out].v;
    double alpha = tg_plan_alpha(p, s);
    if (f->accumulates && p->slots[arg[2]].v.data != out->data)
        tg_view_copy(out, &p->slots[arg[2]].v);
    bool plain = alpha != 0 && alpha - alpha == 0;
    bool ok = plain ? tg_linear_gemm(rt, a, b, out, alpha, f->accumulates ? 1 : 0)
                    : multiply_slowly(rt, a, b, out, alpha, f->accumulates);
    return ok || tg_plan_explain(rt, s->node);
}

/* ---- addresses ---- */

void tg_plan_place_workspace(tg_plan *p, char *work) {
    if (p->work == work) return;
    for (size_t i = 0; i < p->nslots; i++) {
        const tg_storage *s = &p->storage[p->slots[i].storage];
        if (s->home == TG_HOME_WORK) p->slots[i].v.data = work + s->offset + p->slots[i].offset;
    }
    p->work = work;
}

static void place_moving(tg_plan *p, const tg_overrides *o) {
    for (size_t i = 0; i < p->nmoving; i++) {
        tg_slot *slot = &p->slots[p->moving[i]];
        const tg_storage *s = &p->storage[slot->storage];
        const tg_tensor *t = s->home == TG_HOME_RESULT
                                 ? p->out[s->index]
                                 : tg_overrides_value(o, p->cells[s->index].cell);
        if (t) slot->v.data = (char *)t->v.data + slot->offset; /* the tail's come later */
    }
}

/* ---- results ---- */

/* Nobody else may see the tensor that is written, nor the buffer behind it. */
static bool may_reuse(const tg_tensor *t, const tg_plan_result *r) {
    return t && t->refs == 1 && t->buf && t->buf->refs == 1 && t->v.dtype == r->dtype &&
           tg_shape_equal(t->v.rank, t->v.dim, r->rank, r->dim) && tg_view_is_contiguous(&t->v);
}

static bool make_results(tg_rt *rt, tg_plan *p, tg_tensor *const *out) {
    for (int i = 0; i < p->nroots; i++) {
        const tg_plan_result *r = &p->results[i];
        if (r->slot >= 0 || r->tail) continue;
        p->out[i] =
            may_reuse(out[i], r) ? out[i] : tg_tensor_new(&rt->c, r->dtype, r->rank, r->dim);
        if (!p->out[i]) return false;
    }
    return true;
}

/* Results that are handed out as they are: the value of a cell or a constant, or a look at it. */
static bool share_results(tg_rt *rt, tg_plan *p, const tg_overrides *o) {
    for (int i = 0; i < p->nroots; i++) {
        if (p->results[i].slot < 0) continue;
        const tg_slot *slot = &p->slots[p->results[i].slot];
        const tg_storage *s = &p->storage[slot->storage];
        tg_tensor *t =
            s->home == TG_HOME_FIXED ? s->tensor : tg_overrides_value(o, p->cells[s->index].cell);
        bool whole = slot->v.data == t->v.data &&
                     tg_shape_equal(t->v.rank, t->v.dim, slot->v.rank, slot->v.dim);
        p->out[i] = whole ? tg_tensor_hold(t) : tg_tensor_share(&rt->c, t, &slot->v);
        if (!p->out[i]) return false;
    }
    return true;
}

static void drop_results(tg_plan *p, tg_tensor *const *out) {
    for (int i = 0; i < p->nroots; i++)
        if (p->out[i] != out[i]) tg_tensor_drop(p->out[i]);
}

static void give_results(tg_plan *p, tg_tensor **out) {
    for (int i = 0; i < p->nroots; i++) {
        if (out[i] != p->out[i]) tg_tensor_drop(out[i]);
        out[i] = p->out[i];
    }
}

/* ---- the run ---- */

static bool run_steps(tg_rt *rt, tg_plan *p, size_t from, size_t to) {
    rt->plans->stats.steps += to - from;
    if (rt->profile) return tg_plan_profile_steps(rt, p, from, to);
    for (size_t i = from; i < to; i++) {
        const tg_step *s = &p->steps[i];
        if (!tg_check_interrupt(&rt->c) || !s->run(rt, p, s))
            return tg_came_to(&rt->c, "step %zu of %zu: %s", i + 1, p->nsteps, tg_step_kind(s));
    }
    return true;
}

static bool run(tg_rt *rt, tg_plan *p, const tg_overrides *o, tg_tensor *const *out) {
    if (!tg_plans_reserve(rt, p->work_bytes) || !make_results(rt, p, out)) return false;
    tg_plan_place_workspace(p, rt->plans->work);
    place_moving(p, o);
    if (!p->kept_ready && !run_steps(rt, p, 0, p->first)) return false;
    p->kept_ready = true;
    if (!run_steps(rt, p, p->first, p->tail) || !share_results(rt, p, o)) return false;
    if (p->tail == p->nsteps) return true;
    if (!tg_plan_place_tail(rt, p, o)) return false;
    rt->c.interrupt_waits = true;
    bool ok = run_steps(rt, p, p->tail, p->nsteps);
    rt->c.interrupt_waits = false;
    return ok;
}

bool tg_plan_run(tg_rt *rt, tg_plan *p, const tg_overrides *o, tg_tensor **out) {
    memset(p->out, 0, (size_t)p->nroots * sizeof *p->out);
    bool ok = run(rt, p, o, out);
    if (ok)
        give_results(p, out);
    else
        drop_results(p, out);
    return ok;
}
