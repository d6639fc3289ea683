/* How long a formula is and how exactly it can be computed, for tests of what makes it shorter. */
#ifndef TG_TESTS_TREE_SIZE_H
#define TG_TESTS_TREE_SIZE_H

#include "eager.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

/* The operations of a formula written out as a tree; unit(x) stands for two, x / norm(x). */
static double tree_size(tg_rt *rt, tg_node *n) {
    tg_node **node;
    size_t count;
    assert_true(tg_node_collect(rt, 1, &n, &node, &count));
    double *size = calloc(count, sizeof *size), result;
    assert_non_null(size);
    for (size_t i = 0; i < count; i++) {
        size[i] = node[i]->op->class != TG_CLASS_LEAF;
        for (int k = 0; k < node[i]->n; k++) {
            size_t at = i;
            while (node[at] != node[i]->arg[k]) at--;
            size[i] += size[at];
        }
        if (node[i]->op == tg_op_find("unit")) size[i] += fmin(size[i], 2); /* x / norm(x) */
    }
    result = size[count - 1];
    free(size);
    tg_free(node);
    return result;
}

/* What rounding may do to a value of size 1. */
static double rounding(tg_rt *rt, tg_node *n) {
    tg_node **node;
    size_t count;
    double most = 1e-11;
    assert_true(tg_node_collect(rt, 1, &n, &node, &count));
    for (size_t i = 0; i < count; i++)
        if (node[i]->type.dtype == TG_F32) most = 1e-5;
    tg_free(node);
    return most;
}

#endif
