/* Builtins about the session: printing, errors, time, the seed. */
#include "base/alloc.h"
#include "base/clock.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "runtime/plan/memory.h"
#include "runtime/plan/plan.h"

#include <stdlib.h>
#include <string.h>

static bool run_print(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    tg_str s = {0};
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        if (args[i].name) {
            tg_fail(&in->rt.c, TG_ERR_TYPE, "print has no argument named %s", args[i].name);
            ok = tg_help(&in->rt.c, "print(\"x = {x:.3f}\") writes x with three decimals");
            break;
        }
        if (i) tg_str_addc(&s, ' ');
        tg_value v;
        ok = tg_list_settle(in, tg_value_hold(args[i].value), &v) && tg_show_value(in, v, NULL, &s);
        tg_value_drop(v);
        if (!ok) tg_blame(in, args[i].ast);
    }
    tg_str_addc(&s, '\n');
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    *out = TG_NONE_VALUE;
    return ok;
}

static bool run_error(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    (void)out;
    tg_str s = {0};
    if (tg_show_value(in, args[0].value, NULL, &s))
        tg_fail(&in->rt.c, TG_ERR_USER, "%s", tg_str_text(&s));
    tg_str_free(&s);
    return false;
}

static bool run_assert(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    (void)out;
    bool holds;
    if (!tg_to_truth(in, args[0].value, "what is asserted", &holds)) return false;
    if (holds) return true;
    if (args[1].value.tag == TG_V_STRING)
        return tg_fail(&in->rt.c, TG_ERR_USER, "%s", args[1].value.as.text->bytes);
    const tg_ast *e = args[0].ast;
    if (!e || !e->span.src) return tg_fail(&in->rt.c, TG_ERR_USER, "the assertion does not hold");
    return tg_fail(&in->rt.c, TG_ERR_USER, "the assertion does not hold: %.*s",
                   (int)(e->span.hi - e->span.lo), e->span.src->text + e->span.lo);
}

/* A state as random_state gives it. */
static bool set_state(tg_interp *in, tg_value v) {
    tg_tensor *t;
    if (!tg_to_tensor(in, v, "the seed", &t)) return false;
    bool ok = t->v.rank == 1 && t->v.dim[0] == 3 && t->v.dtype == TG_I64;
    for (int i = 0; ok && i < 3; i++) {
        uint64_t *part[] = {&in->rt.seed, &in->rt.stream, &in->rt.tick};
        memcpy(part[i], (int64_t *)t->v.data + i * t->v.stride[0], sizeof **part);
    }
    tg_tensor_drop(t);
    if (ok) return true;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "the seed must be a whole number or a state of the generator");
    return tg_help(&in->rt.c, "random_state() is one: three numbers of type int64");
}

static bool run_random_state(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n, (void)args;
    const int64_t three = 3;
    const uint64_t part[] = {in->rt.seed, in->rt.stream, in->rt.tick};
    tg_tensor *t = tg_tensor_new(&in->rt.c, TG_I64, 1, &three);
    if (!t) return false;
    memcpy(t->v.data, part, sizeof part);
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    return true;
}

static bool run_seed(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    (void)out;
    int64_t seed, draws = 0, stores = 0;
    if (tg_value_rank(args[0].value) > 0) {
        if (!args[1].ast && !args[2].ast) return set_state(in, args[0].value);
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "a state has its draws and stores in it");
    }
    if (!tg_to_int(in, args[0].value, "the seed", &seed)) return false;
    if (args[1].ast && !tg_to_int(in, args[1].value, "the number of draws", &draws)) return false;
    if (args[2].ast && !tg_to_int(in, args[2].value, "the number of stores", &stores)) return false;
    if (draws < 0 || stores < 0)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "there cannot be %lld draws",
                       (long long)(draws < 0 ? draws : stores));
    in->rt.seed = (uint64_t)seed;
    in->rt.stream = (uint64_t)draws;
    in->rt.tick = (uint64_t)stores;
    return true;
}

static bool run_clock(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const bool given = args[0].value.tag != TG_V_NONE;
    if (given && args[0].value.tag != TG_V_BOOL)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "processor is true or false, not %s",
                       tg_value_kind(args[0].value));
    *out = tg_value_number(given && args[0].value.as.truth ? tg_clock_processor() : tg_clock_now());
    return true;
}

/* A record of numbers. */
static bool numbers(tg_interp *in, int n, const char *const *field, const double *number,
                    tg_value *out) {
    tg_value made;
    if (!tg_value_items(&in->rt.c, TG_V_RECORD, n, &made)) return false;
    for (int i = 0; i < n; i++) {
        made.as.items->v[i] = tg_value_number(number[i]);
        if (!(made.as.items->field[i] = tg_intern(&in->rt.c, field[i], strlen(field[i])))) {
            tg_value_drop(made);
            return false;
        }
    }
    return tg_value_seal(&in->rt.c, made, out);
}

static bool run_stats(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    (void)args;
    static const char *const field[] = {"nodes", "plans", "compiled", "runs", "bytes", "peak"};
    tg_graph_collect(&in->rt, true);
    tg_plan_stats p = tg_plans_stats(&in->rt);
    tg_alloc_stats a = tg_alloc_get_stats();
    double number[] = {(double)tg_graph_count(&in->rt),
                       (double)p.cached,
                       (double)p.compiled,
                       (double)p.run,
                       (double)a.live_bytes,
                       (double)a.peak_bytes};
    return numbers(in, sizeof field / sizeof *field, field, number, out);
}

typedef struct roots {
    tg_node **node;
    size_t n, cap;
} roots;

static bool add_root(tg_interp *in, tg_value v, void *user, tg_value *out) {
    roots *r = user;
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) return true;
    void *items = r->node;
    if (!tg_grow(&items, &r->cap, r->n + 1, sizeof *r->node)) return tg_fail_memory(&in->rt.c);
    r->node = items;
    r->node[r->n++] = v.as.node;
    return true;
}

/* What a call of a function took at the most, beyond what was there before: of the workspace all
 * that it needed. The peak that the process has seen is kept up. */
static bool measure_call(tg_interp *in, tg_value f, tg_value *out) {
    static const char *const field[] = {"peak", "left"};
    tg_value result = TG_NONE_VALUE;
    tg_plans_rest(&in->rt);
    const tg_alloc_stats before = tg_alloc_get_stats();
    tg_alloc_reset_stats();
    const bool ok = tg_call_value(in, f, 0, NULL, &result);
    tg_value_drop(result);
    tg_plans_rest(&in->rt);
    const tg_alloc_stats after = tg_alloc_get_stats();
    tg_alloc_note_peak(before.peak_bytes);
    const double number[] = {(double)after.peak_bytes - (double)before.live_bytes,
                             (double)after.live_bytes - (double)before.live_bytes};
    return ok && numbers(in, sizeof field / sizeof *field, field, number, out);
}

/* What computing the formulas in a value takes. */
static bool run_memory(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    static const char *const field[] = {"peak",    "workspace", "kept",
                                        "results", "scratch",   "inputs"};
    roots r = {0};
    tg_memory m = {0};
    tg_value skeleton = TG_NONE_VALUE;
    if (tg_value_is_function(args[0].value)) return measure_call(in, args[0].value, out);
    bool ok = tg_map_leaves(in, args[0].value, add_root, &r, &skeleton) &&
              (r.n == 0 || tg_plan_forecast(&in->rt, (int)r.n, r.node, NULL, &m));
    tg_value_drop(skeleton);
    tg_free(r.node);
    const double number[] = {(double)m.peak,    (double)m.workspace, (double)m.kept,
                             (double)m.results, (double)m.scratch,   (double)m.inputs};
    return ok && numbers(in, sizeof field / sizeof *field, field, number, out);
}

static bool run_text(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_str s = {0};
    bool ok = tg_show_value(in, args[0].value, NULL, &s);
    if (ok)
        ok = s.failed ? tg_fail_memory(&in->rt.c)
                      : tg_value_string(&in->rt.c, tg_str_text(&s), s.len, out);
    tg_str_free(&s);
    return ok;
}

static bool run_number(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value v = args[0].value;
    double x;
    if (v.tag == TG_V_STRING) {
        char *end;
        x = strtod(v.as.text->bytes, &end);
        end += strspn(end, " \t\r\n");
        if (end == v.as.text->bytes || *end)
            return tg_fail(&in->rt.c, TG_ERR_VALUE, "\"%s\" is not a number", v.as.text->bytes);
    } else if (!tg_to_number(in, v, "the argument of number", &x)) {
        return false;
    }
    *out = tg_value_number(x);
    return true;
}

const tg_builtin tg_builtins_session[] = {
    {"print", "print(...)", "Writes its arguments, with blanks between them, and a newline.",
     "print(\"pi is {pi:.2f}\", 1)", "pi is 3.14 1", run_print, false, false},
    {"error", "error(message)", "Stops the program, or the line at the prompt, with this message.",
     "error(\"no data\")", "...", run_error, false, false},
    {"assert", "assert(condition, message=none)", "Stops with an error unless the condition holds.",
     "assert(1 + 1 == 2)", "", run_assert, false, false},
    {"seed", "seed(n, draws=0, stores=0)",
     "Starts the random generator anew: the same seed gives the same draws. With draws, as it is "
     "after so many, and with stores, for fresh(...), after so many :=. Also takes a state that "
     "random_state() gave.",
     "seed(1); a = rand(3); seed(1); all(a == rand(3))", "true", run_seed, false, false},
    {"random_state", "random_state()",
     "Where the random generator is: three int64 numbers, the seed, the draws and the := since. "
     "seed(state) goes back there, in another session too.",
     "s = random_state(); a = rand(3); seed(s); all(a == rand(3))", "true", run_random_state, false,
     false},
    {"clock", "clock(processor=false)",
     "Seconds since some fixed moment, for measuring time; with processor=true those that "
     "processors spent on this program, in all of its threads, which others' work prolongs less.",
     "clock() > 0", "true", run_clock, false, false},
    {"memory", "memory(e)",
     "The bytes that computing a formula, or a tuple or record of them together, would take: a "
     "record with the peak and what it is made of. Of a function of no arguments: calls it, and "
     "gives the bytes that it took at the peak and those that are left, beyond what there was.",
     "memory(2 + 3).peak", "0", run_memory, false, false},
    {"stats", "stats()",
     "What the session holds and did: formula nodes, plans kept, plans compiled and run so far, "
     "bytes allocated now and at the peak.",
     "stats().runs >= 0", "true", run_stats, false, false},
    {"text", "text(x)", "x as a string, as print writes it.", "text(1 + 1)", "\"2\"", run_text,
     false, false},
    {"number", "number(x)", "The number that a string or a tensor of one element holds.",
     "number(\"2.5\")", "2.5", run_number, false, false},
    {0},
};
