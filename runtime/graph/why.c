/* What the simplifier did, told from its memo. The memo has for each node its simple form and the
 * laws that this owes to, those of its operands included. So a law was first applied at the first
 * node, in order of evaluation, that has it and whose operands do not; there stood the operation on
 * the simple forms of the operands. */
#include "runtime/graph/simplifier.h"
#include "base/alloc.h"
#include "runtime/graph/print.h"

#include <string.h>

enum { LONGEST = 70, PLACES = 20 }; /* characters of a side; places of stable forms that are told */

/* The operation n on other operands; n itself where they are its own. */
static tg_node *rebuilt(tg_rt *rt, const tg_node *n, tg_node *(*form)(tg_rt *, tg_node *)) {
    tg_node **arg = tg_alloc_array((size_t)n->n + 1, sizeof *arg), *made = NULL;
    bool same = true, ok = arg ? true : tg_fail_memory(&rt->c);
    for (int i = 0; ok && i < n->n; i++) {
        ok = (arg[i] = form(rt, n->arg[i])) != NULL;
        same = same && arg[i] == n->arg[i];
    }
    if (ok) made = same ? (tg_node *)(uintptr_t)n : tg_node_make(rt, n->op, n->n, arg, n->at);
    tg_free(arg);
    return made;
}

/* "    before = after" */
static bool add_place(tg_rt *rt, const tg_node *before, const tg_node *after, tg_str *out) {
    const tg_print_options o = {.limit = LONGEST};
    tg_str_add(out, "    ");
    if (!tg_node_print_with(rt, out, before, &o)) return false;
    tg_str_add(out, " = ");
    if (!tg_node_print_with(rt, out, after, &o)) return false;
    tg_str_addc(out, '\n');
    return true;
}

/* ---- laws ---- */

static tg_node *simple_form(tg_rt *rt, tg_node *n) {
    const tg_memo_entry *e = tg_memo_at(rt, tg_simplify_memo(rt), n);
    return !e ? NULL : e->val ? e->val : n;
}

/* The laws of n that its operands do not have. */
static bool own_laws(tg_rt *rt, tg_node *n, tg_laws *own) {
    tg_laws inner = {{0}};
    for (int i = 0; i < n->n; i++) {
        const tg_memo_entry *e = tg_memo_at(rt, tg_simplify_memo(rt), n->arg[i]);
        if (!e) return false;
        tg_laws_add(&inner, &e->why);
    }
    const tg_memo_entry *e = tg_memo_at(rt, tg_simplify_memo(rt), n);
    if (!e) return false;
    for (size_t i = 0; i < sizeof own->w / sizeof *own->w; i++)
        own->w[i] = e->why.w[i] & ~inner.w[i];
    return true;
}

/* The laws of n not told yet, each with n as its place. */
static bool tell(tg_rt *rt, tg_node *n, const tg_laws *all, tg_laws *told, tg_str *out) {
    tg_laws own;
    if (!own_laws(rt, n, &own)) return false;
    for (int i = 0; i < TG_LAWS; i++) {
        if (!tg_laws_has(&own, i) || !tg_laws_has(all, i) || tg_laws_has(told, i)) continue;
        told->w[i / 64] |= UINT64_C(1) << i % 64;
        tg_str_addf(out, "  %s\n", tg_simp_law_name(i));
        tg_node *before = rebuilt(rt, n, simple_form), *after = before ? simple_form(rt, n) : NULL;
        if (!after) { /* the operands' simple forms may not fit together: n as it is, then */
            if (rt->c.diag.kind == TG_ERR_MEMORY) return false;
            tg_clear(&rt->c);
            before = n;
            after = simple_form(rt, n);
        }
        if (after && before != after && !add_place(rt, before, after, out)) return false;
    }
    return true;
}

bool tg_why_simple(tg_rt *rt, tg_node *n, tg_str *out, bool *any) {
    *any = false;
    tg_simplify_forget(rt); /* so that the laws are found again, and the budget is */
    if (!tg_simplify(rt, n, NULL)) return false;
    const tg_memo_entry *e = tg_memo_at(rt, tg_simplify_memo(rt), n);
    if (!e) return false;
    tg_laws all = e->why, told = {{0}};
    tg_node **node;
    size_t count, before = out->len;
    if (!tg_node_collect(rt, 1, &n, &node, &count)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) ok = tell(rt, node[i], &all, &told, out);
    tg_free(node);
    for (int i = 0; ok && i < TG_LAWS; i++) /* applied between the steps, at no node of n */
        if (tg_laws_has(&all, i) && !tg_laws_has(&told, i))
            tg_str_addf(out, "  %s\n", tg_simp_law_name(i));
    tg_node *after = ok ? simple_form(rt, n) : NULL;
    if (after && after != n && out->len == before) {
        tg_str_add(out, "  numbers are computed, terms and factors put in order\n");
        ok = add_place(rt, n, after, out);
    }
    *any = out->len > before;
    return ok && (!out->failed || tg_fail_memory(&rt->c));
}

/* ---- stable forms ---- */

static tg_node *computed_form(tg_rt *rt, tg_node *n) {
    (void)rt;
    return n->stable ? n->stable : n;
}

/* Marks with a new walk what of the nodes, ascending by id, the last one reaches other than through
 * raw. */
static void mark_rewritable(tg_rt *rt, size_t count, tg_node *const *node) {
    uint64_t walk = tg_graph_walk(rt);
    node[count - 1]->seen = walk;
    for (size_t i = count; i-- > 0;)
        for (int k = 0; k < node[i]->n; k++)
            if (node[i]->seen == walk && !node[i]->op->opaque) node[i]->arg[k]->seen = walk;
}

bool tg_why_stable(tg_rt *rt, tg_node *n, tg_str *out, bool *any) {
    tg_node **node;
    size_t count, kept = 0;
    int places = 0;
    *any = false;
    if (!tg_node_stable(rt, n) || !tg_node_collect(rt, 1, &n, &node, &count)) return false;
    mark_rewritable(rt, count, node);
    for (size_t i = 0; i < count; i++)
        if (node[i]->seen == n->seen && !node[i]->op->opaque) node[kept++] = node[i];
    bool ok = true;
    for (size_t i = 0; ok && i < kept; i++) {
        if (!node[i]->stable || node[i]->stable == node[i]) continue;
        tg_node *before = rebuilt(rt, node[i], computed_form);
        ok = before != NULL;
        if (ok && before != node[i]->stable && places++ < PLACES)
            ok = add_place(rt, before, node[i]->stable, out);
    }
    if (places > PLACES) tg_str_addf(out, "    and %d more\n", places - PLACES);
    *any = places > 0;
    tg_free(node);
    return ok && (!out->failed || tg_fail_memory(&rt->c));
}
