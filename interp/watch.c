/* Which of the watched formulas a set of roots contains is found by a walk over the graph, and
 * remembered under the ids of the roots, for training computes the same ones again and again. Parts
 * that are watched are computed together. One that cannot be is left out: computing what contains
 * it will say why. */
#include "interp/watch.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "interp/show_tensor.h"
#include "runtime/plan/plan.h"

#include <string.h>

enum { MOST = 64, KNOWN = 64, NAME_MOST = 40 };

typedef struct watch {
    tg_node *node; /* held */
    char name[NAME_MOST + 4];
    int64_t every, runs; /* it is told of each so many times; how often it was computed */
} watch;

typedef struct tg_watches {
    watch item[MOST];
    struct {
        uint64_t roots; /* hash of their ids; 0: free */
        uint64_t parts; /* bit i: they contain item i */
    } known[KNOWN];
    bool busy; /* with telling */
} tg_watches;

/* ---- telling ---- */

static bool find_parts(tg_interp *in, int n, tg_node *const *nodes, uint64_t *parts) {
    tg_node **all;
    size_t count;
    *parts = 0;
    if (!tg_node_collect(&in->rt, n, nodes, &all, &count)) return false;
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < in->nwatches; k++)
            if (in->watches->item[k].node == all[i]) *parts |= (uint64_t)1 << k;
    tg_free(all);
    return true;
}

static bool parts_of(tg_interp *in, int n, tg_node *const *nodes, uint64_t *parts) {
    uint64_t h = tg_hash_bytes(NULL, 0);
    for (int i = 0; i < n; i++) h = tg_hash_mix(h, nodes[i]->id);
    h += h == 0;
    uint64_t *key = &in->watches->known[h % KNOWN].roots,
             *known = &in->watches->known[h % KNOWN].parts;
    if (*key == h) {
        *parts = *known;
        return true;
    }
    if (!find_parts(in, n, nodes, parts)) return false;
    *key = h;
    *known = *parts;
    return true;
}

/* cost: 0.4127      P (run 300): [100, 10] double, min 0.01, mean 0.1, max 0.8, std 0.2 */
static bool tell(tg_interp *in, const watch *w, const tg_tensor *t) {
    const tg_layout layout = {.style = TG_STYLE_SHORT, .inlined = true};
    tg_summary sum;
    tg_str s = {0};
    bool ok = true;
    tg_str_add(&s, w->name);
    if (w->every > 1) tg_str_addf(&s, " (run %lld)", (long long)w->runs);
    tg_str_add(&s, ": ");
    if (t->v.rank == 0) {
        tg_format_number(&s, tg_view_get(&t->v, 0), TG_STYLE_SHORT);
    } else {
        ok = tg_summary_gather(&in->rt, &t->v, &sum);
        if (ok) tg_summary_add(&t->v, &sum, &layout, 0, &s);
    }
    tg_str_addc(&s, '\n');
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return ok;
}

static bool compute_and_tell(tg_interp *in, uint64_t parts, int ncells, tg_cell *const *cells,
                             tg_tensor *const *values) {
    tg_node *node[MOST];
    tg_tensor *value[MOST] = {0};
    const watch *of[MOST];
    int n = 0;
    for (int k = 0; k < in->nwatches; k++) {
        watch *w = &in->watches->item[k];
        if (!(parts >> k & 1) || w->runs++ % w->every != 0) continue;
        node[n] = w->node;
        of[n++] = w;
    }
    bool ok = n == 0 || tg_plan_eval_with(&in->rt, n, node, ncells, cells, values, value);
    if (!ok && in->rt.c.diag.kind != TG_ERR_INTERRUPT && in->rt.c.diag.kind != TG_ERR_MEMORY) {
        tg_clear(&in->rt.c);
        return true;
    }
    for (int i = 0; ok && i < n; i++) ok = tell(in, of[i], value[i]);
    for (int i = 0; i < n; i++) tg_tensor_drop(value[i]);
    return ok;
}

bool tg_watch_tell(tg_interp *in, int n, tg_node *const *nodes, int ncells, tg_cell *const *cells,
                   tg_tensor *const *values) {
    uint64_t parts;
    if (in->watches->busy || in->unwatched > 0) return true;
    if (!parts_of(in, n, nodes, &parts)) return false;
    in->watches->busy = true; /* print may compute */
    bool ok = parts == 0 || compute_and_tell(in, parts, ncells, cells, values);
    in->watches->busy = false;
    return ok;
}

/* ---- the list ---- */

static void remember_nothing(tg_interp *in) {
    memset(in->watches->known, 0, sizeof in->watches->known);
}

void tg_watch_forget(tg_interp *in) {
    for (int i = 0; i < in->nwatches; i++) tg_node_drop(in->watches->item[i].node);
    tg_free(in->watches);
    in->watches = NULL;
    in->nwatches = 0;
}

static int place_of(const tg_interp *in, const tg_node *node) {
    int k = 0;
    while (k < in->nwatches && in->watches->item[k].node != node) k++;
    return k;
}

/* The formula as it was written. */
static void name_it(const tg_ast *e, char name[NAME_MOST + 4]) {
    size_t n = e && e->span.src ? e->span.hi - e->span.lo : 0;
    const char *text = n ? e->span.src->text + e->span.lo : "a formula";
    if (n == 0) n = strlen(text);
    size_t kept = n > NAME_MOST ? tg_utf8_start(text, NAME_MOST) : n;
    for (size_t i = 0; i < kept; i++) name[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
    strcpy(name + kept, kept < n ? "..." : "");
}

static bool fail_kind(tg_interp *in, const char *what, tg_value v) {
    tg_fail(&in->rt.c, TG_ERR_TYPE, "%s wants a formula, not %s", what, tg_value_kind(v));
    return tg_help(&in->rt.c,
                   "what does not depend on a var or an input is computed once, where it "
                   "stands: print it");
}

static bool list(tg_interp *in) {
    tg_str s = {0};
    for (int i = 0; i < in->nwatches; i++) {
        const watch *w = &in->watches->item[i];
        tg_str_add(&s, w->name);
        if (w->every > 1) tg_str_addf(&s, ", every %lld", (long long)w->every);
        tg_str_addf(&s, "      computed %lld time%s\n", (long long)w->runs,
                    w->runs == 1 ? "" : "s");
    }
    if (in->nwatches == 0) tg_str_add(&s, "nothing is watched\n");
    bool ok = !s.failed || tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return ok;
}

static bool run_watch(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    int64_t every = 1;
    tg_value v = args[0].value;
    *out = TG_NONE_VALUE;
    if (!args[0].ast && v.tag == TG_V_NONE) return list(in);
    if (v.tag != TG_V_FORMULA) return fail_kind(in, "watch", v);
    if (args[1].value.tag != TG_V_NONE && !tg_to_int(in, args[1].value, "every", &every))
        return false;
    if (every < 1) return tg_fail(&in->rt.c, TG_ERR_VALUE, "every must be at least 1");
    if (!in->watches) in->watches = tg_alloc_array(1, sizeof *in->watches);
    if (!in->watches) return tg_fail_memory(&in->rt.c);
    int k = place_of(in, v.as.node);
    if (k == MOST)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "no more than %d formulas are watched at once",
                       MOST);
    watch *w = &in->watches->item[k];
    if (k == in->nwatches) {
        in->nwatches++;
        w->node = tg_node_hold(v.as.node);
    }
    w->every = every;
    w->runs = 0;
    name_it(args[0].ast, w->name);
    remember_nothing(in);
    return true;
}

static bool run_unwatch(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value v = args[0].value;
    *out = TG_NONE_VALUE;
    if (!args[0].ast && v.tag == TG_V_NONE) {
        tg_watch_forget(in);
        return true;
    }
    if (v.tag != TG_V_FORMULA) return fail_kind(in, "unwatch", v);
    int k = place_of(in, v.as.node);
    if (k == in->nwatches) {
        tg_fail(&in->rt.c, TG_ERR_VALUE, "this formula is not watched");
        return tg_help(&in->rt.c, "watch() lists what is");
    }
    watch *item = in->watches->item;
    tg_node_drop(item[k].node);
    memmove(item + k, item + k + 1, (size_t)(--in->nwatches - k) * sizeof *item);
    remember_nothing(in);
    return true;
}

const tg_builtin tg_builtins_watch[] = {
    {"watch", "watch(e=none, every=1)",
     "From now on, whenever a formula is computed that e is a part of, a line tells e's shape, "
     "least, "
     "mean and largest element, and what is not finite; with every=100 each hundredth time. The "
     "numbers are the same as without. watch() lists what is watched.",
     "x = var(2); y = x^2; z = y + 1; watch(y); x := 3; print(z)", "y: 9\n10", run_watch, false,
     false},
    {"unwatch", "unwatch(e=none)", "Ends watch(e); unwatch() ends all.",
     "x = var(2); y = x^2; watch(y); unwatch(y); print(y)", "4", run_unwatch, false, false},
    {0},
};
