/* The peak is what a plain product of matrices in the cache reaches, by the same gemm as all
 * others, and what a copy of memory reaches. The best of several short runs counts: the machine may
 * be busy with other things. */
#include "runtime/ops/machine.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "runtime/ops/linear.h"
#include "runtime/pool/pool.h"

#include <math.h>
#include <string.h>

enum {
    SIDE = 256,               /* of the matrices: three of them are 0.75 or 1.5 MB */
    FEW = 10,                 /* columns of the narrow ones */
    PARTS = 16,               /* of a pass over memory */
    CACHED_BYTES = 128 << 10, /* that a part copies over and over */
    MEMORY_BYTES = 2 << 20,   /* that a part copies once: 64 MB are touched in all */
    NEAR_BYTES = 2 << 20,     /* an operation on less finds its operands in a cache, perhaps */
};
static const double patience = 0.008; /* seconds for one figure */

/* ---- products ---- */

/* The best of products [SIDE, SIDE] @ [SIDE, cols]. */
static bool time_product(tg_rt *rt, tg_dtype t, int64_t cols, double *flops) {
    const int64_t square[2] = {SIDE, SIDE}, other[2] = {SIDE, cols};
    tg_tensor *m[3] = {NULL};
    bool made = true;
    for (int i = 0; i < 3; i++) {
        made = (m[i] = tg_tensor_new(&rt->c, t, 2, i ? other : square)) && made;
        if (m[i]) memset(m[i]->v.data, 0, (size_t)tg_view_count(&m[i]->v) * tg_dtype_size(t));
    }
    double best = 0, begun = tg_clock_now();
    while (made && (best == 0 || tg_clock_now() - begun < patience)) {
        double from = tg_clock_now();
        made = tg_linear_gemm(rt, &m[0]->v, &m[1]->v, &m[2]->v, 1, 0);
        double took = tg_clock_now() - from;
        if (best == 0 || took < best) best = took;
    }
    for (int i = 0; i < 3; i++) tg_tensor_drop(m[i]);
    if (!made && rt->c.diag.kind == TG_ERR_INTERRUPT) return false;
    if (!made) tg_clear(&rt->c); /* the figure stays unknown */
    if (made && best > 0) *flops = fmax(*flops, 2.0 * SIDE * SIDE * (double)cols / best);
    return tg_check_interrupt(&rt->c);
}

/* Few columns have kernels of their own, which are the faster ones on some processors. */
static bool measure_product(tg_rt *rt, tg_dtype t, double *flops) {
    return time_product(rt, t, SIDE, flops) && time_product(rt, t, FEW, flops);
}

/* ---- memory ---- */

typedef struct pass {
    char *from, *to;
    size_t bytes; /* of a part */
    int times;
} pass;

static bool copy_part(void *user, int64_t i) {
    const pass *p = user;
    for (int k = 0; k < p->times; k++)
        memcpy(p->to + (size_t)i * p->bytes, p->from + (size_t)i * p->bytes, p->bytes);
    return true;
}

static bool measure_copy(tg_rt *rt, size_t bytes, int times, double *out) {
    pass p = {.bytes = bytes, .times = times};
    const double moved = 2.0 * PARTS * (double)bytes * times;
    p.from = tg_alloc_array(PARTS, bytes);
    p.to = tg_alloc_array(PARTS, bytes);
    double best = 0, begun = tg_clock_now();
    bool ok = true;
    while (ok && p.from && p.to && (best == 0 || tg_clock_now() - begun < patience)) {
        double from = tg_clock_now();
        ok = tg_pool_run(rt, PARTS, moved * 0.1, copy_part, &p);
        double took = tg_clock_now() - from;
        if (best == 0 || took < best) best = took;
    }
    tg_free(p.from);
    tg_free(p.to);
    *out = best > 0 ? moved / best : 0;
    return ok;
}

/* ---- together ---- */

bool tg_machine_measure(tg_rt *rt, tg_machine *out) {
    *out = (tg_machine){0};
    return measure_product(rt, TG_F32, &out->flops[0]) &&
           measure_product(rt, TG_F64, &out->flops[1]) &&
           measure_copy(rt, CACHED_BYTES, 8, &out->cached) &&
           measure_copy(rt, MEMORY_BYTES, 1, &out->memory);
}

double tg_machine_least(const tg_machine *m, tg_dtype t, double flops, double bytes) {
    double peak = m->flops[t == TG_F32 ? 0 : 1], wide = bytes < NEAR_BYTES ? m->cached : m->memory;
    double computing = peak > 0 ? flops / peak : 0, moving = wide > 0 ? bytes / wide : 0;
    return computing > moving ? computing : moving;
}
