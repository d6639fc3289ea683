/* Walks over formulas, all iterative: a formula may be a million operations deep.
 *
 * A walk takes a new number and stamps the nodes it meets (`seen`), so nothing has to be cleaned up
 * after it. What a walk has met is its own work list: nodes are appended as they are met and
 * scanned from the front. Since ids ascend from arguments to users, sorting the list by id gives an
 * order of evaluation; the sort is by radix and therefore linear. */
#include "runtime/graph/graph.h"
#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/ruled.h"

#include <string.h>

/* ---- lists of nodes ---- */

typedef struct list {
    tg_node **item;
    size_t n, cap;
} list;

static bool push(tg_rt *rt, list *l, tg_node *node, uint64_t walk) {
    if (node->seen == walk) return true;
    void *items = l->item;
    if (!tg_grow(&items, &l->cap, l->n + 1, sizeof(tg_node *))) return tg_fail_memory(&rt->c);
    l->item = items;
    l->item[l->n++] = node;
    node->seen = walk;
    return true;
}

/* Appends all that the roots reach and whose id is at least `from`. */
static bool reach(tg_rt *rt, list *l, int n, tg_node *const *roots, uint64_t from) {
    uint64_t walk = tg_graph_walk(rt);
    for (int i = 0; i < n; i++)
        if (roots[i]->id >= from && !push(rt, l, roots[i], walk)) return false;
    for (size_t at = 0; at < l->n; at++) {
        tg_node *node = l->item[at];
        for (int k = 0; k < node->n; k++)
            if (node->arg[k]->id >= from && !push(rt, l, node->arg[k], walk)) return false;
    }
    return true;
}

/* Appends the nodes of the bodies of loops in the list, and what those reach. */
static bool reach_bodies(tg_rt *rt, list *l) {
    const uint64_t walk = rt->graph->walk;
    for (size_t at = 0; at < l->n; at++) {
        tg_node *node = l->item[at];
        const tg_loop *loop = tg_node_is_loop(node) ? tg_loop_of(node) : NULL;
        for (int k = 0; k < node->n; k++)
            if (!push(rt, l, node->arg[k], walk)) return false;
        for (int k = 0; loop && k < loop->carries; k++)
            if (!push(rt, l, loop->next[k], walk)) return false;
        if (tg_node_is_item(node) && tg_item_formula(node) &&
            !push(rt, l, tg_item_formula(node), walk))
            return false;
    }
    return true;
}

/* Appends what a reader sees of the roots: of a call with a rule its arguments alone. */
static bool reach_shown(tg_rt *rt, list *l, int n, tg_node *const *roots) {
    uint64_t walk = tg_graph_walk(rt);
    for (int i = 0; i < n; i++)
        if (!push(rt, l, tg_node_behind_parameters(roots[i]), walk)) return false;
    for (size_t at = 0; at < l->n; at++) {
        tg_node *node = l->item[at];
        int shown;
        tg_node *const *args = tg_node_shown_arguments(node, &shown);
        for (int k = 0; k < shown; k++)
            if (!push(rt, l, tg_node_behind_parameters(args[k]), walk)) return false;
    }
    return true;
}

static void insertion_sort(tg_node **a, size_t n) {
    for (size_t i = 1; i < n; i++) {
        tg_node *x = a[i];
        size_t j = i;
        for (; j > 0 && a[j - 1]->id > x->id; j--) a[j] = a[j - 1];
        a[j] = x;
    }
}

/* Ascending id: counting sorts over digits of 11 bits, from the lowest (Knuth, TAOCP 3, 5.2.5). */
static bool sort(tg_rt *rt, list *l) {
    enum { BITS = 11, DIGITS = 1 << BITS, SMALL = 64 };
    if (l->n <= SMALL) {
        insertion_sort(l->item, l->n);
        return true;
    }
    tg_node **from = l->item, **to = tg_alloc_array(l->n, sizeof(tg_node *));
    if (!to) return tg_fail_memory(&rt->c);
    uint64_t low = from[0]->id, high = low;
    for (size_t i = 0; i < l->n; i++) {
        if (from[i]->id < low) low = from[i]->id;
        if (from[i]->id > high) high = from[i]->id;
    }
    for (int shift = 0; shift < 64 && (high - low) >> shift != 0; shift += BITS) {
        size_t start[DIGITS + 1] = {0};
        for (size_t i = 0; i < l->n; i++)
            start[((from[i]->id - low) >> shift & (DIGITS - 1)) + 1]++;
        for (int d = 0; d < DIGITS; d++) start[d + 1] += start[d];
        for (size_t i = 0; i < l->n; i++)
            to[start[(from[i]->id - low) >> shift & (DIGITS - 1)]++] = from[i];
        tg_node **swap = from;
        from = to;
        to = swap;
    }
    tg_free(to);
    l->item = from;
    l->cap = l->n;
    return true;
}

static bool give(tg_rt *rt, list *from, bool ok, tg_node ***out, size_t *count) {
    list l = *from;
    *out = NULL;
    *count = 0;
    if (!ok || !sort(rt, &l)) {
        tg_free(l.item);
        return false;
    }
    *out = l.item;
    *count = l.n;
    return true;
}

bool tg_node_collect(tg_rt *rt, int n, tg_node *const *roots, tg_node ***out, size_t *count) {
    list l = {0};
    bool ok = reach(rt, &l, n, roots, 0);
    return give(rt, &l, ok, out, count);
}

bool tg_node_collect_unless(tg_rt *rt, tg_node *root, bool (*skip)(const tg_node *), tg_node ***out,
                            size_t *count) {
    list l = {0};
    const uint64_t walk = tg_graph_walk(rt);
    bool ok = skip(root) || push(rt, &l, root, walk);
    for (size_t at = 0; ok && at < l.n; at++) {
        const tg_node *node = l.item[at];
        for (int k = 0; ok && k < node->n; k++)
            ok = skip(node->arg[k]) || push(rt, &l, node->arg[k], walk);
    }
    return give(rt, &l, ok, out, count);
}

bool tg_node_collect_shown(tg_rt *rt, int n, tg_node *const *roots, tg_node ***out, size_t *count) {
    list l = {0};
    bool ok = reach_shown(rt, &l, n, roots);
    return give(rt, &l, ok, out, count);
}

bool tg_node_is_prime(const tg_node *n) {
    if (n->op->style != TG_PRINT_PRIME) return false;
    int rank = n->arg[0]->type.rank;
    if (rank < 2 || n->at->n != rank + 1) return false;
    for (int i = 0; i < rank; i++)
        if (n->at->v[i + 1] != (i < rank - 2 ? i : 2 * rank - 3 - i)) return false;
    return true;
}

size_t tg_nodes_find(tg_node *const *node, size_t count, const tg_node *n) {
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (node[mid]->id < n->id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && node[lo] == n ? lo : count;
}

/* ---- questions ---- */

/* A walk whose list nobody wants uses the graph's own. */
static bool reach_scratch(tg_rt *rt, list *l, int n, tg_node *const *roots, uint64_t from) {
    *l = (list){rt->graph->stack, 0, rt->graph->stack_cap};
    bool ok = reach(rt, l, n, roots, from);
    rt->graph->stack = l->item;
    rt->graph->stack_cap = l->cap;
    return ok;
}

bool tg_node_depends(tg_rt *rt, tg_node *n, const tg_node *on) {
    if (!on) return n->live;
    if (n->id <= on->id) return n == on;
    list l;
    return reach_scratch(rt, &l, 1, &n, on->id) && on->seen == rt->graph->walk;
}

bool tg_node_uses(tg_rt *rt, tg_node *root, const tg_node *x, size_t *uses) {
    list l;
    *uses = 0;
    if (!reach_scratch(rt, &l, 1, &root, x->id)) return false;
    for (size_t i = 0; i < l.n; i++)
        for (int k = 0; k < l.item[i]->n; k++) *uses += l.item[i]->arg[k] == x;
    return true;
}

bool tg_nodes_ops(tg_rt *rt, int n, tg_node *const *roots, size_t *ops) {
    list l = {rt->graph->stack, 0, rt->graph->stack_cap};
    *ops = 0;
    bool ok = reach_shown(rt, &l, n, roots);
    rt->graph->stack = l.item;
    rt->graph->stack_cap = l.cap;
    if (!ok) return false;
    for (size_t i = 0; i < l.n; i++) *ops += l.item[i]->op->class != TG_CLASS_LEAF;
    return true;
}

size_t tg_node_ops(tg_rt *rt, tg_node *n) {
    size_t ops;
    return tg_nodes_ops(rt, 1, &n, &ops) ? ops : 0;
}

/* ---- cells and sizes ---- */

typedef struct cells {
    tg_cell **item;
    size_t n, cap;
} cells;

static bool push_cell(tg_rt *rt, cells *l, tg_cell *c) {
    void *items = l->item;
    if (!tg_grow(&items, &l->cap, l->n + 1, sizeof(tg_cell *))) return tg_fail_memory(&rt->c);
    l->item = items;
    l->item[l->n++] = c;
    return true;
}

/* Ascending serial: heap sort, since cells can be many and are few as a rule. */
static void sift(tg_cell **a, size_t at, size_t n) {
    for (size_t kid; (kid = 2 * at + 1) < n; at = kid) {
        if (kid + 1 < n && a[kid + 1]->serial > a[kid]->serial) kid++;
        if (a[at]->serial >= a[kid]->serial) return;
        tg_cell *swap = a[at];
        a[at] = a[kid];
        a[kid] = swap;
    }
}

static void sort_cells(tg_cell **a, size_t n) {
    for (size_t i = n / 2; i-- > 0;) sift(a, i, n);
    for (size_t i = n; i-- > 1;) {
        tg_cell *swap = a[0];
        a[0] = a[i];
        a[i] = swap;
        sift(a, 0, i);
    }
}

static bool declares(tg_rt *rt, const tg_cell *c, tg_size symbol, bool *out) {
    tg_size_binding set = {0};
    bool ok = true;
    *out = false;
    for (int i = 0; ok && i < c->type.rank; i++) ok = tg_size_symbols(rt, &set, c->type.dim[i]);
    for (size_t i = 0; i < set.n; i++) *out = *out || set.items[i].symbol == symbol;
    tg_size_binding_free(&set);
    return ok;
}

/* The latest input that declares the symbol, one with data if there is any. NULL in *out: none. */
static bool find_input(tg_rt *rt, tg_size symbol, tg_cell **out) {
    tg_graph *g = rt->graph;
    bool yes;
    *out = NULL;
    for (tg_cell *c = g->cells.prev; c != &g->cells; c = c->prev) {
        if (c->kind != TG_CELL_INPUT || (*out && !c->value)) continue;
        if (!declares(rt, c, symbol, &yes)) return false;
        if (yes) *out = c;
        if (yes && c->value) return true;
    }
    return true;
}

/* The cells under the roots, in order of declaration, and the size symbols that those declare or
 * that are used without. */
typedef struct survey {
    cells under;
    tg_size_binding declared, used;
} survey;

static void survey_free(survey *v) {
    tg_free(v->under.item);
    tg_size_binding_free(&v->declared);
    tg_size_binding_free(&v->used);
}

static bool survey_make(tg_rt *rt, int n, tg_node *const *roots, survey *v) {
    list l;
    *v = (survey){0};
    bool ok = reach_scratch(rt, &l, n, roots, 0) && reach_bodies(rt, &l);
    rt->graph->stack = l.item;
    rt->graph->stack_cap = l.cap;
    if (!ok) return false;
    for (size_t i = 0; i < l.n; i++) {
        const tg_node *node = l.item[i];
        if (node->op == &tg_op_cell && !tg_node_is_slot(node) &&
            !push_cell(rt, &v->under, node->leaf.cell))
            return false;
        if (node->op == &tg_op_size && !tg_size_symbols(rt, &v->used, node->leaf.size))
            return false;
        for (int k = 0; k < node->at->n; k++)
            if (node->at->sizes >> k & 1 && node->at->v[k] < 0 &&
                !tg_size_symbols(rt, &v->used, node->at->v[k]))
                return false;
    }
    sort_cells(v->under.item, v->under.n);
    for (size_t i = 0; i < v->under.n; i++)
        for (int k = 0; k < v->under.item[i]->type.rank; k++)
            if (!tg_size_symbols(rt, &v->declared, v->under.item[i]->type.dim[k])) return false;
    return true;
}

static bool has(const tg_size_binding *set, tg_size symbol) {
    for (size_t i = 0; i < set->n; i++)
        if (set->items[i].symbol == symbol) return true;
    return false;
}

static bool has_cell(const cells *l, const tg_cell *c) {
    for (size_t i = 0; i < l->n; i++)
        if (l->item[i] == c) return true;
    return false;
}

bool tg_graph_cells(tg_rt *rt, int n, tg_node *const *roots, tg_cell ***out, size_t *count,
                    size_t *under) {
    survey v;
    bool ok = survey_make(rt, n, roots, &v);
    *under = v.under.n;
    for (size_t i = 0; ok && i < v.used.n; i++) {
        tg_cell *c = NULL;
        if (has(&v.declared, v.used.items[i].symbol)) continue;
        ok = find_input(rt, v.used.items[i].symbol, &c);
        if (ok && c && c->value && !has_cell(&v.under, c)) ok = push_cell(rt, &v.under, c);
    }
    *out = NULL;
    *count = 0;
    if (ok) {
        *out = v.under.item;
        *count = v.under.n;
        v.under.item = NULL;
    }
    survey_free(&v);
    return ok;
}

bool tg_graph_bind_sizes(tg_rt *rt, int n, tg_node *const *roots, int ncells, tg_cell *const *given,
                         tg_tensor *const *values, tg_size_binding *out) {
    tg_cell **cell;
    size_t count, under;
    *out = (tg_size_binding){0};
    if (!tg_graph_cells(rt, n, roots, &cell, &count, &under)) return false;
    bool ok = true;
    for (int pass = 0; ok && pass < 2; pass++) /* the second checks what the first left open */
        for (size_t i = 0; ok && i < count; i++) {
            const tg_tensor *t = cell[i]->value;
            for (int k = 0; k < ncells; k++)
                if (given[k] == cell[i] && values[k]) t = values[k];
            if (cell[i]->kind == TG_CELL_INPUT && t)
                ok = tg_size_bind(rt, out, cell[i]->name, cell[i]->type.rank, cell[i]->type.dim,
                                  t->v.rank, t->v.dim);
        }
    tg_free(cell);
    return ok;
}

static void add_name(tg_str *names, const char *name) {
    if (names->len > 0) tg_str_add(names, ", ");
    tg_str_add(names, name ? name : "?");
}

/* Do several inputs declare it? Then it is no single one that is waited for. */
static bool declared_twice(tg_rt *rt, tg_size symbol, bool *out) {
    tg_graph *g = rt->graph;
    int n = 0;
    bool yes;
    for (tg_cell *c = g->cells.next; n < 2 && c != &g->cells; c = c->next) {
        if (c->kind != TG_CELL_INPUT || !c->name) continue;
        if (!declares(rt, c, symbol, &yes)) return false;
        n += yes;
    }
    *out = n > 1;
    return true;
}

/* "the size n (X or S)": only a size is missing, which any of these inputs decides. */
static bool add_size(tg_rt *rt, tg_str *names, tg_size symbol) {
    enum { MOST = 3 };
    tg_graph *g = rt->graph;
    int said = 0;
    bool yes;
    if (names->len > 0) tg_str_add(names, ", ");
    tg_str_addf(names, "the size %s", tg_size_symbol_name(rt, symbol));
    for (tg_cell *c = g->cells.next; c != &g->cells; c = c->next) {
        if (c->kind != TG_CELL_INPUT || !c->name) continue;
        if (!declares(rt, c, symbol, &yes)) return false;
        if (!yes || said > MOST) continue;
        tg_str_add(names, said ? " or " : " (");
        tg_str_add(names, said == MOST ? "others" : c->name);
        said++;
    }
    if (said) tg_str_addc(names, ')');
    return true;
}

bool tg_node_needs(tg_rt *rt, int n, tg_node *const *roots, tg_str *names) {
    survey v;
    bool ok = survey_make(rt, n, roots, &v);
    size_t under = v.under.n;
    for (size_t i = 0; ok && i < under; i++)
        if (v.under.item[i]->kind == TG_CELL_INPUT && !v.under.item[i]->value)
            add_name(names, v.under.item[i]->name);
    for (size_t i = 0; ok && i < v.used.n; i++) {
        tg_cell *c = NULL;
        tg_size symbol = v.used.items[i].symbol;
        if (has(&v.declared, symbol)) continue;
        ok = find_input(rt, symbol, &c);
        if (!ok || (c && (c->value || has_cell(&v.under, c)))) continue;
        bool several;
        ok = declared_twice(rt, symbol, &several);
        if (!ok) break;
        if (several) {
            ok = add_size(rt, names, symbol);
            continue;
        }
        add_name(names, c ? c->name : tg_size_symbol_name(rt, symbol));
        if (c) ok = push_cell(rt, &v.under, c); /* names it once */
    }
    survey_free(&v);
    if (ok && names->failed) ok = tg_fail_memory(&rt->c);
    return ok;
}

/* ---- where formulas were written ---- */

static bool is_placed(const tg_node *n) {
    return n->n == 0 || n->written.src;
}

static bool note(tg_rt *rt, tg_node *n, const tg_span *at) {
    list l = {0};
    bool ok = is_placed(n) || push(rt, &l, n, tg_graph_walk(rt));
    for (size_t i = 0; ok && i < l.n; i++) {
        tg_node *node = l.item[i];
        if (at) {
            node->written = *at;
            tg_source_hold((tg_source *)at->src);
        } else {
            if (node->backward) continue;
            node->backward = true;
        }
        for (int k = 0; ok && k < node->n; k++)
            if (!is_placed(node->arg[k])) ok = push(rt, &l, node->arg[k], rt->graph->walk);
    }
    tg_free(l.item);
    return ok;
}

bool tg_node_place(tg_rt *rt, tg_node *n, tg_span at) {
    return !at.src || note(rt, n, &at);
}

void tg_node_place_again(tg_node *n, tg_span at) {
    tg_source_hold((tg_source *)at.src);
    tg_source_drop((tg_source *)n->written.src);
    n->written = at;
}

bool tg_node_set_backward(tg_rt *rt, tg_node *n) {
    return note(rt, n, NULL);
}
