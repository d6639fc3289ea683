/* The plans of loops' bodies, and where plans find them again. A body is told by its roots and by
 * how its slots look: types, shapes and strides of a state, of a row, of an invariant. The length
 * of the loop is no part of that. */
#include "runtime/plan/loop.h"

#include "base/alloc.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/loop.h"

#include <string.h>

enum { MOST_IDLE = 32 };

/* ---- sizes ---- */

typedef struct values {
    int64_t *item;
    size_t n, cap;
} values;

static bool add_size(tg_rt *rt, const tg_size_binding *sizes, tg_size s, values *v) {
    void *p = v->item;
    bool ok = tg_grow(&p, &v->cap, v->n + 1, sizeof *v->item);
    v->item = p;
    if (!ok) return tg_fail_memory(&rt->c);
    int64_t x = tg_size_eval(rt, sizes, s);
    if (x < 0) return false;
    v->item[v->n++] = x;
    return true;
}

static bool add_sizes(tg_rt *rt, const tg_size_binding *sizes, int n, tg_node *const *roots,
                      values *v) {
    tg_node **node;
    size_t count;
    if (!tg_guard(&rt->c) || !tg_node_collect(rt, n, roots, &node, &count)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const tg_node *x = node[i];
        if (x->op == &tg_op_size) ok = add_size(rt, sizes, x->leaf.size, v);
        for (int k = 0; ok && k < x->at->n; k++)
            if (x->at->sizes >> k & 1 && x->at->v[k] < 0) ok = add_size(rt, sizes, x->at->v[k], v);
        if (ok && tg_node_is_loop(x) && tg_loop_of(x)->open_sizes)
            ok = add_sizes(rt, sizes, tg_loop_of(x)->carries, tg_loop_of(x)->next, v);
        tg_node *formula = ok && tg_node_is_item(x) ? tg_item_formula(x) : NULL;
        if (formula) ok = add_sizes(rt, sizes, 1, &formula, v);
    }
    tg_free(node);
    return ok;
}

/* ---- the list ---- */

static bool same_cell(const tg_plan_cell *a, const tg_plan_cell *b) {
    if (a->cell != b->cell || a->dtype != b->dtype || a->rank != b->rank || a->still != b->still)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i] || a->stride[i] != b->stride[i]) return false;
    return true;
}

static bool is_body(const tg_body *b, int n, tg_node *const *roots, int ncells,
                    const tg_plan_cell *cells, const values *v) {
    const tg_plan *p = b->plan;
    if (p->nroots != n || p->ncells != ncells || b->nsizes != v->n) return false;
    if (n && memcmp(p->roots, roots, (size_t)n * sizeof *roots) != 0) return false;
    if (v->n && memcmp(b->sizes, v->item, v->n * sizeof *b->sizes) != 0) return false;
    for (int i = 0; i < ncells; i++)
        if (!same_cell(&p->cells[i], &cells[i])) return false;
    return true;
}

static void free_body(tg_body *b) {
    tg_plan_free(b->plan);
    tg_free(b->sizes);
    tg_free(b);
}

static bool dies(const tg_body *b) {
    for (int i = 0; i < b->plan->nroots; i++)
        if (!tg_node_survives(b->plan->roots[i])) return true;
    return false;
}

void tg_bodies_forget(tg_plans *all, bool sweep) {
    for (bool again = true; again;) { /* a body may hold another */
        again = false;
        for (tg_body **link = &all->bodies, *b; (b = *link);) {
            if (b->refs > 0 || (sweep && !dies(b))) {
                link = &b->next;
                continue;
            }
            *link = b->next;
            free_body(b);
            again = true;
            break; /* others may have gone with it */
        }
    }
}

static void forget_idle(tg_plans *all) {
    int idle = 0;
    for (const tg_body *b = all->bodies; b; b = b->next) idle += b->refs == 0;
    if (idle > MOST_IDLE) tg_bodies_forget(all, false);
}

tg_body *tg_body_get(tg_rt *rt, int n, tg_node *const *roots, int ncells, const tg_plan_cell *cells,
                     const tg_overrides *o, const tg_size_binding *sizes) {
    tg_plans *all = rt->plans;
    values v = {0};
    if (!add_sizes(rt, sizes, n, roots, &v)) {
        tg_free(v.item);
        return NULL;
    }
    for (tg_body *b = all->bodies; b; b = b->next)
        if (is_body(b, n, roots, ncells, cells, &v)) {
            tg_free(v.item);
            b->refs++;
            return b;
        }
    forget_idle(all);
    tg_body *b = tg_alloc_array(1, sizeof *b);
    if (b) b->plan = tg_plan_compile_body(rt, n, roots, ncells, cells, o, sizes);
    if (!b || !b->plan) {
        if (!b) tg_fail_memory(&rt->c);
        tg_free(b);
        tg_free(v.item);
        return NULL;
    }
    b->sizes = v.item;
    b->nsizes = v.n;
    b->refs = 1;
    b->next = all->bodies;
    all->bodies = b;
    return b;
}

void tg_body_drop(tg_body *b) {
    if (b) b->refs--;
}

/* ---- the record of a step ---- */

void tg_turns_free(tg_turns *t) {
    if (!t) return;
    tg_body_drop(t->body);
    tg_turns_free(t->rerun);
    tg_free(t->segment);
    tg_free(t->cell);
    tg_free(t->root);
    tg_free(t->last);
    tg_free(t->out);
    tg_free(t->now);
    tg_free(t->made);
    tg_free(t->fixed);
    tg_free(t->moving);
    tg_free(t);
}

size_t tg_turns_bytes(const tg_turns *t) {
    return sizeof *t + (t->rerun ? tg_turns_bytes(t->rerun) : 0) + t->body->plan->bytes +
           (size_t)t->ncells * sizeof *t->cell + (size_t)t->nroots * sizeof *t->root;
}

double tg_turns_cost(const tg_turns *t) {
    const tg_plan *p = t->body->plan;
    return (t->rerun ? tg_turns_cost(t->rerun) : 0) + tg_plan_cost(p, 0, p->first) +
           (double)t->turns * (50 + tg_plan_cost(p, p->first, p->nsteps));
}
