/* Bindings made while it is not known whether, or how often, a statement runs.
 *
 * Each is noted with what the name stood for before. So a branch can be taken back before the other
 * is walked, and where ways meet, the names that any of them bound stand for what is true of all.
 * A name that only one way binds stands for what it was bound to: the others, if they come by, do
 * not reach the place that reads it, or a run tells. */
#include "interp/check.h"
#include "base/alloc.h"
#include "interp/convert.h"

static const tg_value unknown = {.tag = TG_V_UNKNOWN};

static bool push(tg_interp *in, tg_check_write **item, size_t *n, size_t *cap, tg_check_write one) {
    void *p = *item;
    bool ok = tg_grow(&p, cap, *n + 1, sizeof **item);
    *item = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    tg_env_hold(one.env);
    tg_value_hold(one.old);
    (*item)[(*n)++] = one;
    return true;
}

static void drop(tg_check_write *w) {
    tg_value_drop(w->old);
    tg_env_drop(w->env);
}

bool tg_check_note(tg_interp *in, tg_env *env, const char *name) {
    tg_checker *k = in->checking;
    if (k->regions == 0) return true;
    const tg_value *old = tg_env_find(env, name);
    const tg_check_write one = {env, name, old ? *old : unknown, old != NULL};
    return push(in, &k->writes, &k->nwrites, &k->writes_cap, one);
}

/* A name that was not bound cannot be taken back: it is unknown then. */
bool tg_check_take_back(tg_interp *in, size_t mark) {
    tg_checker *k = in->checking;
    bool ok = true;
    while (k->nwrites > mark) {
        tg_check_write *w = &k->writes[--k->nwrites];
        ok = ok && tg_env_set(w->env, w->name, tg_value_hold(w->old));
        drop(w);
    }
    return ok || tg_fail_memory(&in->rt.c);
}

void tg_check_leave_region(tg_interp *in) {
    tg_checker *k = in->checking;
    if (--k->regions > 0) return;
    while (k->nwrites > 0) drop(&k->writes[--k->nwrites]);
}

static const tg_check_write *find(const tg_check_list *l, const tg_env *env, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (l->item[i].env == env && l->item[i].name == name) return &l->item[i];
    return NULL;
}

bool tg_check_gather(tg_interp *in, size_t mark, bool now, tg_check_list *l) {
    const tg_checker *k = in->checking;
    for (size_t i = mark; i < k->nwrites; i++) {
        tg_check_write one = k->writes[i];
        if (find(l, one.env, one.name)) continue;
        const tg_value *v = now ? tg_env_find(one.env, one.name) : NULL;
        if (v) one.old = *v;
        if (!push(in, &l->item, &l->n, &l->cap, one)) return false;
    }
    return true;
}

void tg_check_forget(tg_check_list *l) {
    while (l->n > 0) drop(&l->item[--l->n]);
    tg_free(l->item);
}

static tg_value now(tg_env *env, const char *name) {
    const tg_value *v = tg_env_find(env, name);
    return v ? *v : unknown;
}

/* One name where the ways meet: `one` and `other` are what it stands for at their ends. A way that
 * has returned does not come here; what it bound outside the scope may still be seen. */
static bool meet(tg_interp *in, tg_env *scope, const tg_check_write *w, tg_value one, tg_flow first,
                 tg_value other, tg_flow second) {
    tg_value both;
    bool own = w->env == scope;
    if (own && first == TG_FLOW_RETURN && second != TG_FLOW_RETURN)
        both = tg_value_hold(other);
    else if (own && second == TG_FLOW_RETURN && first != TG_FLOW_RETURN)
        both = tg_value_hold(one);
    else if (!tg_check_join(in, one, other, &both))
        return false;
    return tg_check_set(in, w->env, w->name, both);
}

bool tg_check_meet(tg_interp *in, tg_env *scope, const tg_check_list *a, tg_flow first,
                   const tg_check_list *b, tg_flow second) {
    bool ok = true;
    for (size_t i = 0; ok && i < a->n; i++) { /* bound by the first way, perhaps by both */
        const tg_check_write *w = &a->item[i], *too = find(b, w->env, w->name);
        if (!w->had && !too)
            ok = tg_check_set(in, w->env, w->name, tg_value_hold(w->old));
        else
            ok = meet(in, scope, w, w->old, first, now(w->env, w->name), second);
    }
    for (size_t i = 0; ok && i < b->n; i++) {
        const tg_check_write *w = &b->item[i];
        if (!find(a, w->env, w->name) && w->had)
            ok = meet(in, scope, w, w->old, first, now(w->env, w->name), second);
    }
    return ok;
}

/* ---- loops ---- */

bool tg_check_widen(tg_interp *in, size_t mark, bool last) {
    tg_check_list l = {0};
    bool ok = tg_check_gather(in, mark, false, &l);
    for (size_t i = 0; ok && i < l.n; i++) {
        const tg_check_write *w = &l.item[i];
        tg_value both;
        if (!w->had) continue;
        ok = tg_check_join(in, w->old, now(w->env, w->name), &both);
        if (ok && last && !tg_check_alike(w->old, both)) { /* a third turn would find more */
            tg_value_drop(both);
            both = unknown;
        }
        ok = ok && tg_check_set(in, w->env, w->name, both);
    }
    tg_check_forget(&l);
    return ok;
}

bool tg_check_shapes_changed(tg_interp *in, size_t mark) {
    const tg_checker *k = in->checking;
    for (size_t i = mark; i < k->nwrites; i++) {
        const tg_check_write *w = &k->writes[i];
        const tg_value v = now(w->env, w->name);
        if (w->had && w->old.tag != TG_V_UNKNOWN && v.tag != TG_V_UNKNOWN &&
            tg_value_rank(w->old) + tg_value_rank(v) > 0 && !tg_check_alike(w->old, v))
            return true;
    }
    return false;
}

bool tg_check_note_exit(tg_interp *in) {
    tg_checker *k = in->checking;
    tg_check_list l = {0};
    bool ok = tg_check_gather(in, k->loop_mark, true, &l);
    for (size_t i = 0; ok && i < l.n; i++)
        ok = push(in, &k->exits, &k->nexits, &k->exits_cap, l.item[i]);
    tg_check_forget(&l);
    return ok;
}

bool tg_check_meet_exits(tg_interp *in, size_t from) {
    const tg_checker *k = in->checking;
    bool ok = true;
    for (size_t i = from; ok && i < k->nexits; i++) {
        const tg_check_write *w = &k->exits[i];
        tg_value both;
        ok = tg_check_join(in, w->old, now(w->env, w->name), &both) &&
             tg_check_set(in, w->env, w->name, both);
    }
    return ok;
}

void tg_check_drop_exits(tg_interp *in, size_t from) {
    tg_checker *k = in->checking;
    while (k->nexits > from) drop(&k->exits[--k->nexits]);
}
