/* Cases for the tests that the registry generates: the calls of op_list.h with values. These are
 * spread over the record's interval so that no two elements of a case are close (ties are kinks of
 * max and sort) and none is near a kink. */
#ifndef TG_TESTS_OP_CASES_H
#define TG_TESTS_OP_CASES_H

#include "op_list.h"

#include "base/alloc.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/node.h"
#include "runtime/graph/print.h"
#include "runtime/graph/rule.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- values ---- */

typedef struct world {
    tg_rt rt;
    op_case c;
    tg_node *leaf[MOST_LEAVES]; /* held */
    tg_node *root;              /* held */
    int64_t count[MOST_LEAVES];
    double *x[MOST_LEAVES]; /* the values, in double */
    tg_cell *sizes;         /* an input that tells the symbols D2 to D5, or NULL */
} world;

static void interval(const tg_op *op, double *lo, double *hi) {
    *lo = op->lo < op->hi ? op->lo : -2;
    *hi = op->lo < op->hi ? op->hi : 2;
}

static double away_from_kinks(const tg_op *op, double x, double room) {
    for (int i = 0; i < op->nkinks; i++)
        if (fabs(x - op->kinks[i]) < room) return op->kinks[i] + (x < op->kinks[i] ? -room : room);
    return x;
}

/* Distinct places of the interval, in a random order over all leaves. */
static void draw_values(world *w) {
    double lo, hi;
    int64_t total = 0, at = 0;
    int place[512];
    interval(w->c.op, &lo, &hi);
    for (int i = 0; i < w->c.n; i++) total += w->count[i];
    if (total > 512) total = 512;
    for (int i = 0; i < total; i++) place[i] = i;
    for (int64_t i = total - 1; i > 0; i--) {
        int64_t j = (int64_t)(draw() * (double)(i + 1));
        int t = place[i];
        place[i] = place[j];
        place[j] = t;
    }
    for (int i = 0; i < w->c.n; i++)
        for (int64_t k = 0; k < w->count[i]; k++, at++) {
            double x = lo + (hi - lo) * (place[at % total] + 0.3 + 0.4 * draw()) / (double)total;
            w->x[i][k] = away_from_kinks(w->c.op, x, 0.1 * (hi - lo) / (double)total + 0.01);
        }
    for (int i = 0; i < w->c.n; i++) give_kind(&w->c.leaf[i], w->count[i], w->x[i]);
}

/* ---- building ---- */

/* A size as a symbol named after it: D3 for 3. 0 and 1 stay numbers. */
static tg_size symbol_for(tg_rt *rt, int64_t d) {
    char name[24];
    int n = snprintf(name, sizeof name, "D%d", (int)d);
    const char *interned = tg_intern(&rt->c, name, (size_t)n);
    return d <= 1 ? d : tg_size_symbol(rt, interned);
}

static bool make_leaf(world *w, int i, int symbolic, tg_dtype t) {
    const leaf *l = &w->c.leaf[i];
    tg_type type = {.dtype = t, .rank = l->rank};
    w->count[i] = 1;
    for (int k = 0; k < l->rank; k++) {
        type.dim[k] = k < symbolic ? symbol_for(&w->rt, l->dim[k]) : l->dim[k];
        w->count[i] *= l->dim[k];
    }
    const char *name = tg_intern(&w->rt.c, l->name, strlen(l->name));
    tg_tensor *value = tg_tensor_new(&w->rt.c, t, l->rank, l->dim);
    tg_cell *cell = value ? tg_cell_new(&w->rt, TG_CELL_INPUT, name, &type, value) : NULL;
    tg_tensor_drop(value);
    w->leaf[i] = cell ? tg_node_hold(tg_node_cell(&w->rt, cell)) : NULL;
    tg_cell_drop(cell);
    w->x[i] = realloc(w->x[i], (size_t)w->count[i] * sizeof(double) + 1);
    return w->leaf[i] && w->x[i];
}

/* Writes the values into the cells; element k of leaf i moved by h * u[k] when i == moved. */
static void store_values(world *w, int moved, double h, const double *u) {
    for (int i = 0; i < w->c.n; i++) {
        const tg_view *v = &w->leaf[i]->leaf.cell->value->v;
        for (int64_t k = 0; k < w->count[i]; k++)
            tg_view_set(v, k, w->x[i][k] + (i == moved ? h * u[k] : 0));
    }
}

static tg_node *build_text(world *w, const char *text) {
    static const char *const symbols[] = {"D2", "D3", "D4", "D5"};
    tg_rule_name names[MOST_LEAVES + 4] = {0};
    int n = w->c.n;
    for (int i = 0; i < n; i++)
        names[i] = (tg_rule_name){.name = w->c.leaf[i].name, .node = w->leaf[i]};
    for (int i = 0; i < 4; i++)
        names[n++] = (tg_rule_name){.name = symbols[i],
                                    .node = tg_node_size(&w->rt, symbol_for(&w->rt, i + 2))};
    return tg_rule_build(&w->rt, text, n, names);
}

static bool make_sizes(world *w) {
    const int64_t dim[] = {2, 3, 4, 5};
    tg_type type = {.dtype = TG_BOOL, .rank = 4};
    for (int i = 0; i < 4; i++) type.dim[i] = symbol_for(&w->rt, dim[i]);
    tg_tensor *value = tg_tensor_new(&w->rt.c, TG_BOOL, 4, dim);
    w->sizes =
        value ? tg_cell_new(&w->rt, TG_CELL_INPUT, tg_intern(&w->rt.c, "sizes", 5), &type, value)
              : NULL;
    tg_tensor_drop(value);
    return w->sizes != NULL;
}

/* The types that the kernel wants: a bool argument gets bools. */
static void wanted_types(world *w, tg_dtype t, tg_dtype *want) {
    tg_type in[MOST_LEAVES], out = {0};
    static const tg_attrs none;
    for (int i = 0; i < MOST_LEAVES; i++) want[i] = t;
    if (w->c.text[0]) return;
    for (int i = 0; i < w->c.n; i++) {
        in[i] = (tg_type){.dtype = t, .rank = w->c.leaf[i].rank};
        memcpy(in[i].dim, w->c.leaf[i].dim, sizeof in[i].dim);
    }
    w->c.op->infer(&w->rt, w->c.op, w->c.n, in, &none, &out, want);
}

/* The root again, with symbols in place of the sizes among its attributes: expand(x, 2, 3) as
 * expand(x, D2, D3). */
static tg_node *with_symbols(world *w, const tg_node *x) {
    tg_attrs at = *x->at;
    tg_node *arg[MOST_LEAVES];
    if (x->n > MOST_LEAVES) return NULL;
    for (int i = 0; i < at.n; i++)
        if (at.sizes >> i & 1) at.v[i] = symbol_for(&w->rt, at.v[i]);
    for (int i = 0; i < x->n; i++) {
        if (x->arg[i]->op != &tg_op_cell) return NULL;
        const tg_cell *cell = x->arg[i]->leaf.cell;
        tg_type type = cell->type;
        for (int k = 0; k < type.rank; k++) type.dim[k] = symbol_for(&w->rt, type.dim[k]);
        tg_cell *made = tg_cell_new(&w->rt, TG_CELL_INPUT, cell->name, &type, cell->value);
        arg[i] = made ? tg_node_cell(&w->rt, made) : NULL;
        tg_cell_drop(made);
        if (!arg[i]) return NULL;
        for (int k = 0; k < w->c.n; k++) {
            if (w->leaf[k] != x->arg[i]) continue;
            tg_node_drop(w->leaf[k]);
            w->leaf[k] = tg_node_hold(arg[i]);
        }
    }
    return tg_node_make(&w->rt, x->op, x->n, arg, &at);
}

/* Makes leaves and root; the first `symbolic` axes of each leaf have symbolic sizes. */
enum {
    SYMBOLIC_TOO = -1
}; /* `symbolic`: all axes, and the sizes among the attributes of the root */
static bool world_build(world *w, const op_case *c, int symbolic, tg_dtype t) {
    tg_dtype want[MOST_LEAVES];
    static const tg_attrs none;
    w->c = *c;
    w->rt.precision = t;
    wanted_types(w, t, want);
    for (int i = 0; i < c->n; i++)
        if (!make_leaf(w, i, symbolic, want[i])) return false;
    draw_values(w);
    for (int i = 0; i < c->n; i++)
        for (int64_t k = 0; want[i] == TG_BOOL && k < w->count[i]; k++) w->x[i][k] = draw() < 0.5;
    store_values(w, -1, 0, NULL);
    w->root = tg_node_hold(c->text[0] ? build_text(w, c->text)
                                      : tg_node_make(&w->rt, c->op, c->n, w->leaf, &none));
    if (w->root && symbolic == SYMBOLIC_TOO) {
        if (!make_sizes(w)) return false;
        tg_node *known = w->root;
        w->root = tg_node_hold(with_symbols(w, known));
        tg_node_drop(known);
    }
    return w->root != NULL;
}

static void world_clear(world *w) {
    tg_clear(&w->rt.c);
    tg_node_drop(w->root);
    w->root = NULL;
    if (w->sizes) tg_cell_drop(w->sizes);
    w->sizes = NULL;
    for (int i = 0; i < MOST_LEAVES; i++) {
        tg_node_drop(w->leaf[i]);
        w->leaf[i] = NULL;
    }
    tg_graph_collect(&w->rt, true);
}

static bool world_open(world *w) {
    memset(w, 0, sizeof *w);
    lottery = 42;
    return tg_rt_init(&w->rt);
}

static void world_close(world *w) {
    world_clear(w);
    tg_rt_free(&w->rt);
    for (int i = 0; i < MOST_LEAVES; i++) free(w->x[i]);
}

/* ---- reporting ---- */

typedef struct report {
    const tg_op *op;
    int failures;
} report;

__attribute__((unused)) static void complain(report *r, const world *w, const char *what,
                                             const char *detail) {
    r->failures++;
    fprintf(stderr, "%s: %s", r->op->name, what);
    if (detail && *detail) fprintf(stderr, ": %s", detail);
    if (w) {
        fprintf(stderr, "  [%s] on", w->c.text);
        for (int i = 0; i < w->c.n; i++) {
            fprintf(stderr, " %s[", w->c.leaf[i].name);
            for (int k = 0; k < w->c.leaf[i].rank; k++)
                fprintf(stderr, "%s%d", k ? "," : "", (int)w->c.leaf[i].dim[k]);
            fprintf(stderr, "]");
        }
    }
    fprintf(stderr, "\n");
}

__attribute__((unused)) static bool close_to(double a, double b, double tolerance) {
    if (a == b || (a != a && b != b)) return true;
    double size = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
    return fabs(a - b) <= tolerance * (size > 1 ? size : 1);
}

/* ---- running ---- */

/* A cmocka group with one test for each record of the registry, which is its initial state. */
static int test_each_record(const char *group, void (*check)(void **state)) {
    static struct CMUnitTest tests[512];
    size_t n = 0;
    for (const tg_op *op; (op = tg_op_at((int)n)) && n < 512; n++)
        tests[n] = (struct CMUnitTest){
            .name = op->name, .test_func = check, .initial_state = (void *)(uintptr_t)op};
    return _cmocka_run_group_tests(group, tests, n, NULL, NULL);
}

#endif
