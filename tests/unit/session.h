/* A session for the tests of plans: a state of the runtime, variables with made-up values, and
 * formulas over them, written as text. */
#ifndef TG_TESTS_SESSION_H
#define TG_TESTS_SESSION_H

#include "base/alloc.h"
#include "runtime/graph/rule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static tg_rt rt;

enum { MOST_NAMES = 16 };
static tg_rule_name names[MOST_NAMES];
static int nnames;

static inline void close_session(void) {
    for (int i = 0; i < nnames; i++) tg_node_drop(names[i].node);
    nnames = 0;
    tg_rt_free(&rt);
}

static inline int setup(void **state) {
    (void)state;
    return tg_rt_init(&rt) ? 0 : -1;
}

static inline int teardown(void **state) {
    (void)state;
    close_session();
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

static inline tg_tensor *filled(tg_dtype t, int rank, const int64_t *dim, double from) {
    tg_tensor *x = tg_tensor_new(&rt.c, t, rank, dim);
    if (x)
        for (int64_t i = 0; i < tg_view_count(&x->v); i++)
            tg_view_set(&x->v, i, sin(from + (double)i));
    return x;
}

/* A cell of that name, its node held and known to `formula`. NULL on failure. */
static inline tg_cell *declare(tg_cell_kind kind, const char *name, tg_dtype t, int rank,
                               const tg_size *dim, tg_tensor *value) {
    tg_type type = {.dtype = t, .rank = rank};
    if (rank) memcpy(type.dim, dim, (size_t)rank * sizeof *dim);
    tg_cell *c = tg_cell_new(&rt, kind, tg_intern(&rt.c, name, strlen(name)), &type, value);
    tg_node *n = c ? tg_node_hold(tg_node_cell(&rt, c)) : NULL;
    tg_cell_drop(c);
    tg_tensor_drop(value);
    if (!n) return NULL;
    names[nnames++] = (tg_rule_name){.name = name, .node = n};
    return n->leaf.cell;
}

static inline tg_cell *variable(const char *name, int rank, const int64_t *dim, double from) {
    tg_tensor *t = filled(rt.precision, rank, dim, from);
    return t ? declare(TG_CELL_VAR, name, rt.precision, rank, dim, t) : NULL;
}

/* NULL on failure. */
static inline tg_node *formula(const char *text) {
    return tg_rule_build(&rt, text, nnames, names);
}

/* The same where nothing is to fail. */
static inline tg_node *sure_formula(const char *text) {
    tg_node *n = formula(text);
    if (!n) fail_msg("%s: %s", text, rt.c.diag.msg);
    return n;
}

#endif
