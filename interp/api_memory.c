/* Memory: what is held, and what a statement will take (include/tg.h). */
#include "base/alloc.h"
#include "interp/api.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/journal.h"
#include "interp/store.h"
#include "runtime/plan/memory.h"
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
                         .undo = in->journal ? in->journal->bytes : 0,
                         .total = a.live_bytes,
                         .peak = a.peak_bytes};
}

/* ---- what is to come ---- */

typedef struct roots {
    tg_node **items;
    size_t n, cap;
} roots;

static bool add_roots(tg_interp *in, roots *r, tg_value v) {
    if (v.tag == TG_V_FORMULA) {
        void *items = r->items;
        bool ok = tg_grow(&items, &r->cap, r->n + 1, sizeof(tg_node *));
        r->items = items;
        if (!ok) return tg_fail_memory(&in->rt.c);
        r->items[r->n++] = v.as.node;
        return true;
    }
    if (!tg_is_container(v)) return true;
    if (!tg_guard(&in->rt.c)) return false;
    for (int i = 0; i < v.as.items->n; i++)
        if (!add_roots(in, r, v.as.items->v[i])) return false;
    return true;
}

/* `many`: statements whose memory depends on what those before them do. */
static bool refuse(tg_interp *in, bool many) {
    if (many) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "what several statements or a loop will take shows only when they run");
        return tg_help(&in->rt.c, ":time runs them and tells it; :mem is for one expression or :=");
    }
    tg_fail(&in->rt.c, TG_ERR_TYPE, "this statement computes nothing that takes memory");
    return tg_help(&in->rt.c, ":mem wants an expression or :=, and alone tells what is held");
}

static bool runs_statements(const tg_ast *e) {
    return e->kind == TG_AST_FOR || e->kind == TG_AST_WHILE || e->kind == TG_AST_REPEAT ||
           e->kind == TG_AST_IF || e->kind == TG_AST_BLOCK || e->kind == TG_AST_DEFINE;
}

/* What the statement is going to compute, as formulas. */
static bool right_sides(tg_interp *in, const tg_ast *e, tg_value *out) {
    if (e->kind == TG_AST_STORE) return tg_store_sides(in, in->globals, e, out);
    if (e->kind == TG_AST_DEFINE && e->n == 2) return tg_eval(in, in->globals, e->kids[1], out);
    if (tg_api_is_expression(e)) return tg_eval(in, in->globals, e, out);
    return refuse(in, runs_statements(e));
}

/* As the statement is about to be computed: variables may be updated in place. */
static bool forecast_sides(tg_interp *in, const tg_ast *e, const tg_value *v, tg_memory *m) {
    tg_cell *cell[TG_MOST_UPDATED];
    tg_node *node[TG_MOST_UPDATED];
    if (e->kind == TG_AST_STORE &&
        tg_store_is_update(in, in->globals, e, e->n == 2 ? v : v->as.items->v, cell, node))
        return tg_plan_forecast(&in->rt, e->ntargets, node, cell, m);
    roots r = {0};
    bool ok = add_roots(in, &r, *v) &&
              (r.n == 0 || tg_plan_forecast(&in->rt, (int)r.n, r.items, NULL, m));
    tg_free(r.items);
    return ok;
}

static bool forecast(tg_interp *in, const tg_ast *e, tg_forecast *out) {
    tg_value v;
    tg_memory m = {0};
    if (!right_sides(in, e, &v)) return false;
    bool ok = forecast_sides(in, e, &v, &m);
    tg_value_drop(v);
    *out = (tg_forecast){m.workspace, m.kept, m.results, m.scratch, m.inputs, m.peak};
    return ok;
}

tg_status tg_forecast_memory(tg_state *s, const char *text, size_t len, int flags,
                             tg_forecast *out) {
    tg_interp *in = tg_api_enter(s);
    tg_reading r;
    *out = (tg_forecast){0};
    bool ok = tg_api_read(in, text, len, &r);
    if (ok && r.unit->n != 1) ok = refuse(in, r.unit->n > 1);
    if (ok) {
        tg_unit *outer = in->unit;
        in->unit = r.unit;
        ok = forecast(in, r.unit->statements[0], out) || tg_blame(in, r.unit->statements[0]);
        in->unit = outer;
    }
    return tg_api_done(s, &r, ok, flags);
}
