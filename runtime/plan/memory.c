/* The memory of a plan. All of it is known when the plan has been made: the workspace and what is
 * kept have been laid out, the results have their shapes, and kernels that need room of their own
 * say how much (tg_op.takes_room). */
#include "runtime/plan/memory.h"

#include "base/alloc.h"
#include "runtime/ops/linear.h"
#include "runtime/plan/loop.h"
#include "runtime/plan/program.h"

/* The room that a step takes while it runs. */
static bool room_of(tg_rt *rt, tg_plan *p, const tg_step *s, size_t *room) {
    const int *arg = p->args + s->arg;
    *room = 0;
    if (s->loop >= 0) return tg_plan_room(rt, p->loops[s->loop]->body->plan, room);
    if (s->product >= 0) {
        *room = tg_linear_gemm_room(&p->slots[arg[0]].v, &p->slots[arg[1]].v, &p->slots[s->out].v);
        return true;
    }
    return !s->op || !s->op->takes_room || tg_plan_call_kernel(rt, p, s, room);
}

bool tg_plan_room(tg_rt *rt, tg_plan *p, size_t *room) {
    *room = 0;
    for (size_t i = 0; i < p->nsteps; i++) {
        size_t bytes;
        if (!room_of(rt, p, &p->steps[i], &bytes)) return false;
        if (bytes > *room) *room = bytes;
    }
    return true;
}

static size_t bytes_of(tg_dtype t, int rank, const int64_t *dim) {
    size_t bytes = tg_dtype_size(t);
    for (int i = 0; i < rank; i++) bytes *= (size_t)dim[i];
    return bytes;
}

/* Results of the tail that go to where the variable is already. */
static size_t own_bytes(const tg_plan *p, const tg_overrides *o) {
    size_t bytes = 0;
    for (size_t t = p->tail; t < p->nsteps; t++)
        if (tg_plan_own_tensor(p, &p->steps[t], o))
            bytes += p->storage[p->slots[p->steps[t].out].storage].bytes;
    return bytes;
}

bool tg_plan_measure(tg_rt *rt, tg_plan *p, const tg_overrides *o, tg_memory *out) {
    *out = (tg_memory){.workspace = p->work_bytes, .kept = p->bytes};
    for (int i = 0; i < p->nroots; i++) {
        const tg_plan_result *r = &p->results[i];
        if (r->slot < 0) out->results += bytes_of(r->dtype, r->rank, r->dim);
    }
    out->results -= own_bytes(p, o);
    for (int i = 0; i < p->under; i++) {
        const tg_plan_cell *c = &p->cells[i];
        if (c->present) out->inputs += bytes_of(c->dtype, c->rank, c->dim);
    }
    if (!tg_plan_room(rt, p, &out->scratch)) return false;
    out->peak = out->workspace + out->kept + out->results + out->scratch;
    return true;
}
