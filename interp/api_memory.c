/* Memory: what is held (include/tg.h). */
#include "base/alloc.h"
#include "interp/api.h"
#include "interp/convert.h"
#include "runtime/plan/plan.h"

/* ---- what is held ---- */

/* The buffers seen so far: several tensors may look into one. */
typedef struct seen {
    const tg_buffer **items;
    size_t n, cap, bytes;
    bool failed;
} seen;

static void see(seen *s, const tg_tensor *t) {
    if (!t || !t->buf || s->failed) return;
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i] == t->buf) return;
    void *items = s->items;
    s->failed = !tg_grow(&items, &s->cap, s->n + 1, sizeof(tg_buffer *));
    s->items = items;
    if (s->failed) return;
    s->items[s->n++] = t->buf;
    s->bytes += t->buf->bytes;
}

/* Containers are as deep as the program made them: those too deep for the stack are left out. */
static void see_value(tg_interp *in, seen *s, tg_value v) {
    const tg_cell *c = tg_value_cell(v);
    if (c) see(s, c->value);
    if (v.tag == TG_V_TENSOR) see(s, v.as.tensor);
    if (!tg_is_container(v) || !tg_guard(&in->rt.c)) return;
    for (int i = 0; i < v.as.items->n; i++) see_value(in, s, v.as.items->v[i]);
}

void tg_memory_held(tg_state *s, tg_holdings *out) {
    tg_interp *in = tg_api_enter(s);
    seen all = {0};
    for (size_t i = 0; i < in->globals->n; i++) see_value(in, &all, in->globals->items[i].value);
    tg_clear(&in->rt.c);
    tg_free(all.items);
    const tg_plan_stats p = tg_plans_stats(&in->rt);
    const tg_alloc_stats a = tg_alloc_get_stats();
    *out = (tg_holdings){.names = all.bytes,
                         .plans = p.bytes,
                         .nplans = p.cached,
                         .workspace = p.work_bytes,
                         .total = a.live_bytes,
                         .peak = a.peak_bytes};
}
