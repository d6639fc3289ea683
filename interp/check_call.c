/* Calls of functions written in tg, in a program that is read and not run.
 *
 * The body is walked at each call, with what is known of the arguments; what a recursion gives is
 * unknown. Bodies that nothing called are walked in the end, with arguments of which nothing is
 * known: unknown names and wrong calls are found there too. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/resolve.h"

enum { MOST_ACTIVE = 2 }; /* calls of one function in each other */

static const tg_value unknown = {.tag = TG_V_UNKNOWN};

/* One to be walked in the end, if nothing calls it. */
bool tg_check_keep_function(tg_interp *in, tg_function *f) {
    tg_checker *k = in->checking;
    void *p = k->functions;
    if (tg_is_library_text(f->def->span.src)) return true;
    bool ok = tg_grow(&p, &k->functions_cap, k->nfunctions + 1, sizeof(tg_function *));
    k->functions = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    f->refs++;
    k->functions[k->nfunctions++] = f;
    return true;
}

static bool is_seen(const tg_checker *k, const tg_ast *def) {
    for (size_t i = k->nseen; i-- > 0;)
        if (k->seen[i] == def) return true;
    return false;
}

static bool saw(tg_interp *in, const tg_ast *def) {
    tg_checker *k = in->checking;
    void *p = (void *)k->seen;
    if (tg_is_library_text(def->span.src) || is_seen(k, def)) return true;
    bool ok = tg_grow(&p, &k->seen_cap, k->nseen + 1, sizeof *k->seen);
    k->seen = p;
    if (ok) k->seen[k->nseen++] = def;
    return ok || tg_fail_memory(&in->rt.c);
}

static int calls_of(const tg_checker *k, const tg_ast *def) {
    int n = 0;
    for (size_t i = 0; i < k->nactive; i++) n += k->active[i] == def;
    return n;
}

static bool run_body(tg_interp *in, tg_env *scope, const tg_ast *body, tg_value *out) {
    tg_checker *k = in->checking;
    tg_value last = TG_NONE_VALUE, both = unknown;
    tg_flow flow = tg_check_exec(in, scope, body, &last);
    bool ok = flow != TG_FLOW_ERROR;
    if (ok && flow == TG_FLOW_NEXT && !k->returns)
        both = tg_value_hold(last);
    else if (ok && flow == TG_FLOW_NEXT)
        ok = tg_check_join(in, k->returned, last, &both);
    else if (ok && k->returns)
        both = tg_value_hold(k->returned);
    tg_value_drop(last);
    if (!ok) return false;
    *out = both;
    return both.tag != TG_V_UNKNOWN || tg_check_give_up(in);
}

bool tg_check_function(tg_interp *in, const tg_function *f, tg_env *scope, tg_value *out) {
    tg_checker *k = in->checking;
    const tg_ast *def = f->def, *body = def->kids[def->n - 1];
    if (++k->steps > TG_CHECK_STEPS || k->nactive >= TG_CHECK_CALLS ||
        calls_of(k, def) >= MOST_ACTIVE)
        return tg_check_give_up(in);
    if (!saw(in, def)) return false;
    tg_value returned = k->returned;
    bool returns = k->returns;
    int unsure = k->unsure, loops = k->loops;
    size_t mark = k->loop_mark;
    k->returned = TG_NONE_VALUE;
    k->returns = false;
    k->loops = 0;
    k->calls++;
    k->active[k->nactive++] = def;
    bool ok =
        body->kind == TG_AST_BLOCK ? run_body(in, scope, body, out) : tg_eval(in, scope, body, out);
    k->nactive--;
    k->calls--;
    k->loops = loops;
    k->loop_mark = mark;
    k->unsure = unsure;
    tg_value_drop(k->returned);
    k->returned = returned;
    k->returns = returns;
    return ok;
}

/* The body of f with arguments of which nothing is known: each statement's own errors are told. */
static bool walk_uncalled(tg_interp *in, const tg_function *f) {
    tg_checker *k = in->checking;
    const tg_ast *def = f->def, *body = def->kids[def->n - 1];
    const tg_frame *frame = tg_frame_of(in, f->unit, def);
    tg_env *scope = frame ? tg_env_new_call(in, frame, f->env) : NULL;
    tg_unit *unit = in->unit;
    tg_value last = TG_NONE_VALUE;
    if (!scope) return tg_fail_memory(&in->rt.c);
    bool ok = true;
    for (int i = 0; ok && i < def->n - 1; i++) {
        ok = tg_env_set(scope, def->kids[i]->name, unknown) || tg_fail_memory(&in->rt.c);
        if (ok && def->kids[i]->n > 0 && def->kids[i]->kids[0]) {
            tg_value v;
            ok = tg_check_value_of(in, scope, def->kids[i]->kids[0], &v);
            if (ok) tg_value_drop(v);
        }
    }
    in->unit = f->unit;
    k->unsure++;
    k->loose++;
    k->regions++; /* what it binds outside is taken back */
    ok = ok && tg_check_exec(in, scope, body, &last) != TG_FLOW_ERROR && tg_check_take_back(in, 0);
    tg_check_leave_region(in);
    k->loose--;
    k->unsure--;
    k->returns = false;
    tg_value_drop(k->returned);
    k->returned = TG_NONE_VALUE;
    in->unit = unit;
    tg_value_drop(last);
    tg_scope_leave(in, scope);
    return ok;
}

bool tg_check_uncalled(tg_interp *in) {
    tg_checker *k = in->checking;
    for (size_t i = 0; i < k->nfunctions; i++) /* walking may find more */
        if (!is_seen(k, k->functions[i]->def) &&
            (!saw(in, k->functions[i]->def) || !walk_uncalled(in, k->functions[i])))
            return false;
    return true;
}
