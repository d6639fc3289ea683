/* Measuring statements: time, where it goes, and memory ("measuring" in include/tg.h).
 *
 * A statement is run as at the prompt, but not echoed. An expression is timed many times only when
 * its first run was seen to change nothing: no `:=` ran, nothing was written; draws begin again
 * from the same place of the generator. */
#include "base/alloc.h"
#include "base/clock.h"
#include "interp/api.h"
#include "interp/blame.h"
#include "interp/journal.h"
#include "interp/convert.h"
#include "runtime/plan/plan.h"

#include <stdlib.h>
#include <string.h>

static const double patience = 0.3; /* seconds of repetitions */
enum { MOST_RUNS = 100000 };

/* ---- a text, parsed ---- */

bool tg_api_read(tg_interp *in, const char *text, size_t len, tg_reading *r) {
    *r = (tg_reading){.src = tg_source_new("<prompt>", text, len)};
    if (!r->src) return tg_fail_memory(&in->rt.c);
    r->src->first_line = 1;
    tg_parse_status how = tg_parse(&in->rt.c, r->src, &r->unit);
    if (how == TG_PARSE_OK) return true;
    r->more = how == TG_PARSE_INCOMPLETE;
    tg_blame_keep(in, r->src);
    return false;
}

tg_status tg_api_done(tg_state *s, tg_reading *r, bool ok, int flags) {
    tg_interp *in = &s->in;
    if (r->unit) tg_unit_drop(r->unit);
    if (!ok && r->src && r->unit) tg_blame_keep(in, r->src);
    bool more = !ok && r->more && flags & TG_MAY_GO_ON;
    if (more) tg_clear(&in->rt.c);
    tg_status status = more ? TG_MORE : tg_api_leave(s, ok);
    tg_source_drop(r->src);
    return status;
}

bool tg_api_is_expression(const tg_ast *e) {
    return e->kind != TG_AST_BLOCK && !tg_ast_is_statement(e);
}

/* ---- running ---- */

static bool run_statement(tg_interp *in, const tg_ast *e) {
    tg_value last = TG_NONE_VALUE, now = TG_NONE_VALUE;
    if (!tg_check_interrupt(&in->rt.c)) return tg_blame(in, e);
    tg_flow flow = tg_exec(in, in->globals, e, &last);
    bool ok = flow == TG_FLOW_NEXT;
    if (flow == TG_FLOW_BREAK || flow == TG_FLOW_CONTINUE) ok = tg_stray(in, flow);
    if (ok && tg_api_is_expression(e)) { /* what the prompt would show */
        ok = tg_value_now(in, last, &now);
        if (ok) tg_value_drop(now);
    }
    tg_value_drop(last);
    return ok || tg_blame(in, e);
}

static bool run_unit(tg_interp *in, tg_unit *unit) {
    tg_unit *outer = in->unit;
    bool ok = true;
    in->unit = unit;
    bool failed;
    const bool entry = tg_journal_takes(in, unit, &failed);
    ok = !failed;
    for (int i = 0; ok && i < unit->n; i++) {
        if (entry) tg_journal_statement(in, unit->statements[i]);
        ok = run_statement(in, unit->statements[i]);
    }
    in->unit = outer;
    return ok;
}

/* ---- time ---- */

typedef struct listener {
    void (*write)(void *user, const char *text, size_t len);
    void *user;
    bool heard;
} listener;

static void hear(void *user, const char *text, size_t len) {
    listener *l = user;
    l->heard = true;
    l->write(l->user, text, len);
}

/* One run, timed. The peak that the process has seen is kept up. */
static bool time_run(tg_interp *in, tg_unit *unit, double *seconds, size_t *bytes) {
    const tg_alloc_stats before = tg_alloc_get_stats();
    tg_alloc_reset_stats();
    const double from = tg_clock_now();
    bool ok = run_unit(in, unit);
    *seconds = tg_clock_now() - from;
    *bytes = tg_alloc_get_stats().peak_bytes - before.live_bytes;
    tg_alloc_note_peak(before.peak_bytes);
    return ok;
}

static bool time_unit(tg_interp *in, tg_unit *unit, tg_timing *t) {
    listener l = {in->write, in->user, false};
    const uint64_t tick = in->rt.tick, stream = in->rt.stream;
    const double compiled = tg_plans_stats(&in->rt).compiling;
    in->write = hear;
    in->user = &l;
    bool ok = time_run(in, unit, &t->first, &t->bytes);
    const uint64_t drawn = in->rt.stream;
    t->runs = 1;
    t->best = t->first;
    t->compiling = tg_plans_stats(&in->rt).compiling - compiled;
    bool again = ok && unit->n == 1 && tg_api_is_expression(unit->statements[0]) && !l.heard &&
                 in->rt.tick == tick;
    for (double spent = 0; again && spent < patience && t->runs < MOST_RUNS;) {
        double took;
        in->rt.stream = stream;
        again = ok = time_run(in, unit, &took, &t->bytes);
        if (took < t->best || t->runs == 1) t->best = took;
        spent += t->runs++ == 1 ? took + t->first : took;
    }
    in->rt.stream = drawn;
    in->write = l.write;
    in->user = l.user;
    return ok;
}

tg_status tg_time(tg_state *s, const char *text, size_t len, int flags, tg_timing *out) {
    tg_interp *in = tg_api_enter(s);
    tg_reading r;
    *out = (tg_timing){0};
    const bool entry = flags & TG_ENTRY;
    bool ok = tg_api_read(in, text, len, &r) && (!entry || tg_journal_open(in, TG_ENTRY_TYPED));
    const bool open = ok && entry;
    ok = ok && time_unit(in, r.unit, out);
    if (open) tg_journal_close(in, ok);
    return tg_api_done(s, &r, ok, flags);
}

/* ---- profile ---- */

static int slowest_first(const void *a, const void *b) {
    const tg_profile_row *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

void tg_api_forget_profile(tg_state *s) {
    tg_free(s->rows);
    s->rows = NULL;
    tg_profile_free(&s->profile);
}

static bool list_rows(tg_state *s, tg_profile_report *out) {
    const tg_profile *p = &s->profile;
    s->rows = tg_alloc_array(p->n, sizeof *s->rows);
    if (!s->rows) return tg_fail_memory(&s->in.rt.c);
    for (size_t i = 0; i < p->n; i++) {
        const tg_profile_entry *e = &p->entries[i];
        s->rows[i] = (tg_profile_row){.kind = e->kind,
                                      .formula = tg_str_text(&e->formula),
                                      .calls = e->calls,
                                      .seconds = e->seconds,
                                      .flops = e->flops,
                                      .bytes = e->bytes,
                                      .peak = e->seconds > 0 ? e->least / e->seconds : 0};
        out->inside += e->seconds;
    }
    qsort(s->rows, p->n, sizeof *s->rows, slowest_first);
    out->rows = s->rows;
    out->n = p->n;
    return true;
}

static bool profile_unit(tg_state *s, tg_unit *unit, tg_profile_report *out) {
    tg_rt *rt = &s->in.rt;
    tg_profile *p = &s->profile;
    if (!s->measured) {
        const tg_alloc_stats before = tg_alloc_get_stats();
        if (!tg_machine_measure(rt, &s->machine)) return false;
        tg_alloc_reset_stats(); /* what that took is none of the session's */
        tg_alloc_note_peak(before.peak_bytes);
        s->measured = true;
    }
    p->machine = s->machine;
    const double compiled = tg_plans_stats(rt).compiling;
    rt->profile = p;
    const double from = tg_clock_now();
    bool ok = run_unit(&s->in, unit);
    out->seconds = tg_clock_now() - from - p->aside;
    rt->profile = NULL;
    out->compiling = tg_plans_stats(rt).compiling - compiled;
    out->flops_single = p->machine.flops[0];
    out->flops_double = p->machine.flops[1];
    out->bytes_cached = p->machine.cached;
    out->bytes_memory = p->machine.memory;
    return ok && list_rows(s, out);
}

tg_status tg_profile_run(tg_state *s, const char *text, size_t len, int flags,
                         tg_profile_report *out) {
    tg_interp *in = tg_api_enter(s);
    tg_reading r;
    *out = (tg_profile_report){0};
    tg_api_forget_profile(s);
    const bool entry = flags & TG_ENTRY;
    bool ok = tg_api_read(in, text, len, &r) && (!entry || tg_journal_open(in, TG_ENTRY_TYPED));
    const bool open = ok && entry;
    ok = ok && profile_unit(s, r.unit, out);
    if (open) tg_journal_close(in, ok);
    return tg_api_done(s, &r, ok, flags);
}
