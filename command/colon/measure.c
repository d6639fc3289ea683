/* :time, :profile and :mem. */
#include "command/colon/typed.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* ---- quantities, three digits of each ---- */

/* x in the largest of the units (each 1000 times the one before) that leaves at least 1. */
static void add_scaled(tg_str *out, double x, const char *const *unit, int n) {
    int i = 0;
    while (i + 1 < n && x >= 999.5) {
        x /= 1000;
        i++;
    }
    tg_str_addf(out, x < 9.995 ? "%.2f %s" : x < 99.95 ? "%.1f %s" : "%.0f %s", x, unit[i]);
}

static void add_time(tg_str *out, double seconds) {
    static const char *const unit[] = {"ns", "us", "ms", "s"};
    add_scaled(out, seconds * 1e9, unit, 4);
}

void tg_colon_add_bytes(tg_str *out, double bytes) {
    static const char *const unit[] = {"B", "KB", "MB", "GB", "TB"};
    if (bytes < 999.5)
        tg_str_addf(out, "%.0f B", bytes);
    else
        add_scaled(out, bytes, unit, 5);
}

void tg_colon_add_flops(tg_str *out, double flops) {
    static const char *const unit[] = {"", "k", "M", "G", "T"};
    if (flops < 999.5)
        tg_str_addf(out, "%.0f", flops);
    else
        add_scaled(out, flops, unit, 5);
}

/* ---- :time ---- */

static tg_status time_command(const tg_colon_call *call) {
    tg_timing t;
    tg_str out = {0};
    tg_status status = tg_time(call->s, call->text, call->len, call->flags, &t);
    if (status != TG_DONE) return status;
    add_time(&out, t.best);
    if (t.runs > 1) {
        tg_str_addf(&out, " (best of %lld runs; the first ", (long long)(t.runs - 1));
        add_time(&out, t.first);
    } else {
        tg_str_add(&out, " (one run");
    }
    if (t.compiling > 0) {
        tg_str_add(&out, ", of which compiling ");
        add_time(&out, t.compiling);
    }
    tg_str_add(&out, "), memory ");
    tg_colon_add_bytes(&out, (double)t.bytes);
    tg_str_addc(&out, '\n');
    return tg_colon_say(call->s, &out);
}

/* ---- :profile ---- */

enum { KIND = 12, FORMULA = 44 };

/* Text in n columns, the last of them blank; longer text is cut between characters. */
static void add_column(tg_str *out, const char *text, int n) {
    const size_t len = strlen(text);
    const bool whole = tg_utf8_width(text, len) < n;
    const size_t kept = whole ? len : tg_utf8_fit(text, len, n - 2);
    for (size_t i = 0; i < kept; i++) tg_str_addc(out, text[i] == '\n' ? ' ' : text[i]);
    if (!whole) tg_str_addc(out, '~');
    tg_str_repeat(out, ' ', n - tg_utf8_width(text, kept) - !whole);
}

/* The text that `add` makes of x, at the right of n columns. */
static void add_right(tg_str *out, void (*add)(tg_str *, double), double x, int n) {
    tg_str one = {0};
    add(&one, x);
    tg_str_addf(out, "%*s", n, tg_str_text(&one));
    tg_str_free(&one);
}

static void add_rate(tg_str *out, double x) {
    tg_str_addf(out, x <= 0 ? "-" : x < 99.5e9 ? "%.1f" : "%.0f", x * 1e-9);
}

static void add_percent(tg_str *out, double x) {
    tg_str_addf(out, "%.0f%%", 100 * x);
}

static void add_row(tg_str *out, const tg_profile_row *r, double total) {
    add_column(out, r->kind, KIND);
    add_column(out, r->formula, FORMULA);
    tg_str_addf(out, "%7lld", (long long)r->calls);
    add_right(out, add_time, r->seconds, 10);
    add_right(out, add_percent, total > 0 ? r->seconds / total : 0, 7);
    add_right(out, tg_colon_add_bytes, r->bytes, 10);
    add_right(out, tg_colon_add_flops, r->flops, 8);
    add_right(out, add_rate, r->seconds > 0 ? r->flops / r->seconds : 0, 9);
    add_right(out, add_rate, r->seconds > 0 ? r->bytes / r->seconds : 0, 7);
    add_right(out, add_percent, r->peak, 9);
    tg_str_addc(out, '\n');
}

static tg_status profile_command(const tg_colon_call *call) {
    tg_profile_report p;
    tg_str out = {0};
    tg_status status = tg_profile_run(call->s, call->text, call->len, call->flags, &p);
    if (status != TG_DONE) return status;
    add_column(&out, "operation", KIND);
    add_column(&out, "of", FORMULA);
    tg_str_addf(&out, "%7s%10s%7s%10s%8s%9s%7s%9s\n", "calls", "time", "share", "bytes", "flops",
                "GFLOP/s", "GB/s", "of peak");
    for (size_t i = 0; i < p.n; i++) add_row(&out, &p.rows[i], p.seconds);
    tg_str_add(&out, "total ");
    add_time(&out, p.seconds);
    tg_str_add(&out, "; outside of operations ");
    add_time(&out, p.seconds > p.inside ? p.seconds - p.inside : 0);
    if (p.compiling > 0) {
        tg_str_add(&out, ", of which compiling ");
        add_time(&out, p.compiling);
    }
    tg_str_add(&out, "\npeak: ");
    add_rate(&out, p.flops_single);
    tg_str_add(&out, " GFLOP/s single, ");
    add_rate(&out, p.flops_double);
    tg_str_add(&out, " double; ");
    add_rate(&out, p.bytes_cached);
    tg_str_add(&out, " GB/s in the cache, ");
    add_rate(&out, p.bytes_memory);
    tg_str_add(&out, " in memory\n");
    return tg_colon_say(call->s, &out);
}

/* ---- :mem ---- */

static void add_part(tg_str *out, const char *what, size_t bytes, const char *more) {
    add_column(out, what, 12);
    add_right(out, tg_colon_add_bytes, (double)bytes, 10);
    tg_str_addf(out, "%s%s\n", more[0] ? "   " : "", more);
}

static tg_status held(const tg_colon_call *call) {
    tg_holdings h;
    tg_str out = {0}, plans = {0};
    tg_memory_held(call->s, &h);
    tg_str_addf(&plans, "%zu compiled", h.nplans);
    add_part(&out, "names", h.names, "tensors under names of the session");
    add_part(&out, "plans", h.plans, tg_str_text(&plans));
    add_part(&out, "workspace", h.workspace, "shared by all plans");
    add_part(&out, "undo", h.undo, "for :undo and :redo alone");
    add_part(&out, "in all", h.total, "with formulas, texts and the library");
    add_part(&out, "peak", h.peak, "the most so far");
    tg_str_free(&plans);
    return tg_colon_say(call->s, &out);
}

static tg_status mem_command(const tg_colon_call *call) {
    tg_forecast f;
    tg_str out = {0};
    if (call->len == 0) return held(call);
    tg_status status = tg_forecast_memory(call->s, call->text, call->len, call->flags, &f);
    if (status != TG_DONE) return status;
    add_part(&out, "workspace", f.workspace, "intermediate values");
    add_part(&out, "kept", f.kept, "constants and the plan itself");
    add_part(&out, "results", f.results, "new tensors");
    add_part(&out, "scratch", f.scratch, "the most that one operation takes");
    add_part(&out, "peak", f.peak, "the most at once");
    add_part(&out, "inputs", f.inputs, "there already");
    return tg_colon_say(call->s, &out);
}

const tg_colon tg_colons_measure[] = {
    {"time", "statement", "How long it takes; an expression is run again and again.", time_command},
    {"profile", "statement", "Which operations take the time, and how near they are to the peak.",
     profile_command},
    {"mem", "[statement]", "The memory that an expression or := will take; alone: what is held.",
     mem_command},
    {0},
};
