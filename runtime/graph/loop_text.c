/* Loops as text: the body over slots that have names, s and x or what the user called them, s[0],
 * s[1] where there are several states; the invariants in it are what stands around the loop. A name
 * that something else in the formula has gets a number behind it. */
#include "runtime/graph/loop.h"
#include "base/alloc.h"
#include "runtime/graph/ruled.h"
#include "runtime/graph/substitute.h"

#include <stdio.h>
#include <string.h>

/* Is there something of that name, or a part of it, among the nodes? */
static bool is_taken(tg_node *const *node, size_t count, const char *name) {
    const size_t n = strlen(name);
    for (size_t i = 0; i < count; i++) {
        const char *its = tg_node_name(node[i]);
        if (its && strncmp(its, name, n) == 0 && (!its[n] || its[n] == '[')) return true;
    }
    return false;
}

static void choose(tg_node *const *node, size_t count, const char *like, const char *other,
                   char *out) {
    snprintf(out, 32, "%.20s", like);
    for (int i = 1; is_taken(node, count, out) || strcmp(out, other) == 0; i++)
        snprintf(out, 32, "%.20s%d", like, i);
}

static bool choose_names(tg_rt *rt, const tg_node *bundle, tg_loop_text *t) {
    const tg_loop *l = tg_loop_of(bundle);
    tg_node **node;
    size_t count;
    if (!tg_node_collect_shown(rt, bundle->n, bundle->arg, &node, &count)) return false;
    t->row[0] = 0;
    choose(node, count, l->state_name ? l->state_name : "s", "", t->state);
    choose(node, count, l->row_name ? l->row_name : "x", t->state, t->row);
    tg_free(node);
    return true;
}

static bool name_slots(tg_rt *rt, const tg_loop *l, int level, const tg_loop_text *t,
                       tg_node **slot) {
    for (int i = 0; i < l->carries + l->xs; i++) {
        char text[48];
        const bool state = i < l->carries;
        const int of = state ? l->carries : l->xs;
        if (of == 1)
            snprintf(text, sizeof text, "%s", state ? t->state : t->row);
        else
            snprintf(text, sizeof text, "%s[%d]", state ? t->state : t->row,
                     state ? i : i - l->carries);
        const char *name = tg_intern(&rt->c, text, strlen(text));
        if (!name) return tg_fail_memory(&rt->c);
        slot[i] = tg_loop_slot(rt, level, i, &l->slot[i]->type, name);
        if (!slot[i]) return false;
    }
    return true;
}

bool tg_loop_text_open(tg_rt *rt, const tg_node *item, tg_loop_text *t) {
    const tg_node *bundle = item->arg[0];
    const tg_loop *l = tg_loop_of(bundle);
    tg_node *formula = tg_item_formula(item);
    if (!tg_guard(&rt->c)) return false;
    int level = tg_loop_enter(rt);
    if (!level) return false;
    tg_node **slot = t->slot = tg_alloc_array((size_t)l->n, sizeof *slot);
    t->next = tg_alloc_array((size_t)l->carries + 1, sizeof *t->next);
    bool ok = slot && t->next ? true : tg_fail_memory(&rt->c);
    ok = ok && choose_names(rt, bundle, t) && name_slots(rt, l, level, t, slot);
    for (int i = l->carries + l->xs; ok && i < l->n; i++) slot[i] = bundle->arg[i];
    for (int i = 0; ok && i < l->carries + (formula != NULL); i++) {
        tg_node *n = i < l->carries ? l->next[i] : formula;
        ok = (t->next[i] = tg_node_substitute_all(rt, n, l->n, l->slot, slot)) != NULL;
    }
    if (ok) return true;
    tg_free(t->slot);
    tg_free(t->next);
    tg_loop_leave(rt);
    return false;
}

void tg_loop_text_close(tg_rt *rt, tg_loop_text *t) {
    tg_free(t->slot);
    tg_free(t->next);
    tg_loop_leave(rt);
}
