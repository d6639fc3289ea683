/* The functions written in C: their tables, and how a call finds its way into one.
 *
 * A builtin's signature, "grad(y, x, seed=none)", is the text that help shows and the list of its
 * parameters: arguments are matched to it, by place or name, before the function runs. */
#include "base/alloc.h"
#include "base/nearest.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/vmap.h"

#include <stdio.h>
#include <string.h>

/* The tables, and the files that they stand in: a line each, they are added often. */
static const struct {
    const tg_builtin *rows;
    const char *file;
} tables[] = {
    {tg_builtins_jacobian, "interp/builtin_jacobian.c"},
    {tg_builtins_formula, "interp/builtin_formula.c"},
    {tg_builtins_assume, "interp/builtin_assume.c"},
    {tg_builtins_show, "interp/builtin_show.c"},
    {tg_builtins_prove, "interp/builtin_prove.c"},
    {tg_builtins_check, "interp/builtin_check.c"},
    {tg_builtins_derive, "interp/builtin_derive.c"},
    {tg_builtins_scan, "interp/builtin_scan.c"},
    {tg_builtins_data, "interp/builtin_data.c"},
    {tg_builtins_batches, "interp/builtin_batches.c"},
    {tg_builtins_files, "interp/builtin_files.c"},
    {tg_builtins_nest, "interp/builtin_nest.c"},
    {tg_builtins_text, "interp/builtin_text.c"},
    {tg_builtins_unique, "interp/builtin_unique.c"},
    {tg_builtins_einsum, "interp/builtin_einsum.c"},
    {tg_builtins_vmap, "interp/builtin_vmap.c"},
    {tg_builtins_session, "interp/builtin_session.c"},
    {tg_builtins_export, "interp/builtin_export.c"},
    {tg_builtins_progress, "interp/progress.c"},
    {tg_builtins_watch, "interp/watch.c"},
    {tg_builtins_rebind, "interp/rebind.c"},
    {tg_builtins_plot, "interp/builtin_plot.c"},
    {tg_builtins_picture, "interp/builtin_picture.c"},
    {tg_builtins_imshow, "interp/builtin_imshow.c"},
};

const tg_builtin *tg_builtin_at(int i) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const tg_builtin *b = tables[t].rows; b->name; b++)
            if (i-- == 0) return b;
    return NULL;
}

const char *tg_builtin_file(const tg_builtin *which) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const tg_builtin *b = tables[t].rows; b->name; b++)
            if (b == which) return tables[t].file;
    return NULL;
}

enum { MOST = 16 };

typedef struct parameters {
    int n;
    struct {
        const char *name; /* in the signature */
        size_t len;
        bool required;
    } item[MOST];
    bool rest; /* `...` comes last */
} parameters;

/* signature = name "(" [ parameter { ", " parameter } ] ")" ; parameter = name [ "=" default ] |
 * "..." */
static parameters parameters_of(const char *signature) {
    parameters ps = {0};
    const char *p = strchr(signature, '(');
    while (p && *p && *p != ')') {
        p += strspn(p, "(, ");
        size_t len = strcspn(p, ",=)");
        if (strncmp(p, "...", 3) == 0) {
            ps.rest = true;
        } else if (len > 0 && ps.n < MOST) {
            ps.item[ps.n].name = p;
            ps.item[ps.n].len = len;
            ps.item[ps.n++].required = p[len] != '=';
        }
        p += strcspn(p, ",)");
    }
    return ps;
}

static bool misuse(tg_interp *in, const tg_builtin *b, const char *what) {
    tg_fail(&in->rt.c, TG_ERR_TYPE, "%s %s", b->name, what);
    return tg_help(&in->rt.c, "it is called as %s", b->signature);
}

static bool is_absent(const tg_argument *a) {
    return a->value.tag == TG_V_NONE && !a->ast;
}

/* The place of the parameter with that name; ps->n: there is none. */
static int place_of(const parameters *ps, const char *name) {
    int k = 0;
    while (k < ps->n &&
           !(strncmp(name, ps->item[k].name, ps->item[k].len) == 0 && !name[ps->item[k].len]))
        k++;
    return k;
}

static bool unknown_name(tg_interp *in, const tg_builtin *b, const parameters *ps,
                         const char *name) {
    char room[MOST][32], what[160];
    tg_nearest near = tg_nearest_of_few(tg_param_elsewhere(name));
    for (int i = 0; i < ps->n; i++) {
        snprintf(room[i], sizeof room[i], "%.*s", (int)ps->item[i].len, ps->item[i].name);
        tg_nearest_offer(&near, room[i]);
    }
    snprintf(what, sizeof what, "has no argument named %s%s%s%s", name,
             near.best ? "; did you mean " : "", near.best ? near.best : "", near.best ? "?" : "");
    return misuse(in, b, what);
}

/* Puts each argument into the slot of its parameter, those for `...` behind all; *used: slots in
 * all. Where `...` takes positional arguments, optional parameters are given by name only. */
static bool match(tg_interp *in, const tg_builtin *b, const parameters *ps, int n,
                  const tg_argument *args, tg_argument *slot, int *used) {
    char what[160];
    int next = 0;
    *used = ps->n;
    for (int i = 0; i < n; i++) {
        const char *name = args[i].name;
        int k = name ? place_of(ps, name) : next;
        bool named_only = !name && ps->rest && k < ps->n && !ps->item[k].required;
        if (k < ps->n && !named_only) {
            if (!is_absent(&slot[k])) {
                snprintf(what, sizeof what, "got its argument %.*s twice", (int)ps->item[k].len,
                         ps->item[k].name);
                return misuse(in, b, what);
            }
            slot[k] = args[i];
            next += !name;
        } else if (ps->rest) {
            slot[(*used)++] = args[i];
        } else {
            if (name) return unknown_name(in, b, ps, name);
            snprintf(what, sizeof what, "takes %d argument%s, not %d", ps->n, ps->n == 1 ? "" : "s",
                     n);
            return misuse(in, b, what);
        }
    }
    for (int k = 0; k < ps->n; k++) {
        if (!ps->item[k].required || !is_absent(&slot[k])) continue;
        snprintf(what, sizeof what, "needs its argument %.*s", (int)ps->item[k].len,
                 ps->item[k].name);
        return misuse(in, b, what);
    }
    return true;
}

/* Does it compute, and nothing else? */
static bool is_quiet(const tg_builtin *b) {
    static const char *const quiet[] = {"shape",     "rank", "size", "dtype",  "append", "zip",
                                        "enumerate", "map",  "vmap", "einsum", "grad",   "jacobian",
                                        "hessian",   "vjp",  "jvp",  "hvp",    NULL};
    int i = 0;
    while (quiet[i] && strcmp(quiet[i], b->name) != 0) i++;
    return quiet[i] != NULL;
}

TG_APART bool tg_call_builtin(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                              tg_value *out) {
    parameters ps = parameters_of(b->signature);
    tg_argument *slot = tg_alloc_array((size_t)(ps.n + n), sizeof *slot);
    if (!slot) return tg_fail_memory(&in->rt.c);
    int used, held = 0;
    bool ok = match(in, b, &ps, n, args, slot, &used);
    for (; ok && held < ps.n; held++) {
        tg_value *v = &slot[held].value;
        tg_value_hold(*v);
        ok = b->raw_lists || tg_list_settle(in, *v, v);
    }
    *out = TG_NONE_VALUE;
    ok = ok && (!in->tracing || is_quiet(b) || tg_vmap_effect(in));
    ok = ok &&
         (in->checking ? tg_check_builtin(in, b, used, slot, out) : b->run(in, used, slot, out));
    if (!ok) *out = TG_NONE_VALUE; /* what it began is dropped already */
    for (int k = 0; k < held; k++) tg_value_drop(slot[k].value);
    tg_free(slot);
    return ok;
}
