/* The calls that the registry offers to tests: for each record, the operation on leaves of given
 * shapes. An elementwise record is called on every legal way to broadcast; any other one brings its
 * calls in `samples`. With it the tests' source of random numbers. */
#ifndef TG_TESTS_OP_LIST_H
#define TG_TESTS_OP_LIST_H

#include "runtime/ops/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEAVES = TG_SAMPLE_LEAVES, MOST_CASES = 24 };

typedef tg_op_leaf leaf;
typedef tg_op_sample op_case;

/* ---- listing the cases ---- */

static int tensor_params(const tg_op *op) {
    int n = 0;
    while (op->param[n].name && op->param[n].kind == TG_P_TENSOR) n++;
    return n;
}

/* ---- kinds of matrices ---- */

/* Matrices in the last two axes: "regular" has an inverse far from singular, a positive determinant
 * and distinct singular values; "spd" is symmetric and positive definite besides, with distinct
 * eigenvalues. Both are small parts of what was drawn (at most 2 in size) and a diagonal that grows
 * from element to element. "small" is the small part alone. */
enum { SMALL_PART = 8 }; /* what was drawn is divided by this */

/* What kind adds to element k. */
static inline double diagonal_of(const leaf *l, int64_t k) {
    int64_t cols = l->dim[l->rank - 1], rows = l->dim[l->rank - 2];
    int64_t i = k / cols % rows;
    return i == k % cols && strcmp(l->kind, "small") != 0 ? 1.5 + (double)i : 0;
}

static inline void give_kind(const leaf *l, int64_t count, double *x) {
    if (!*l->kind) return;
    int64_t cols = l->dim[l->rank - 1], size = cols * l->dim[l->rank - 2];
    for (int64_t k = 0; k < count; k++) {
        int64_t i = k % size / cols, j = k % cols;
        if (strcmp(l->kind, "spd") == 0 && i > j) x[k] = x[k - k % size + j * cols + i];
    }
    for (int64_t k = 0; k < count; k++) x[k] = x[k] / SMALL_PART + diagonal_of(l, k);
}

static int elementwise_cases(const tg_op *op, op_case *out) {
    static const char *const one[] = {"", "3", "2,3", "2,1,3", "1"};
    static const char *const two[][2] = {
        {"", ""},       {"", "3"},      {"3", ""},      {"3", "3"},       {"2,3", ""},
        {"", "2,3"},    {"2,3", "2,3"}, {"2,3", "3"},   {"3", "2,3"},     {"1,3", "2,3"},
        {"2,3", "2,1"}, {"2,1", "2,3"}, {"2,3", "1,1"}, {"2,2,3", "2,3"}, {"1", "1"}};
    static const char *const three[][3] = {
        {"", "", ""},    {"3", "3", "3"},     {"2,3", "", ""},       {"", "2,3", ""},
        {"", "", "2,3"}, {"2,3", "3", "2,1"}, {"2,1", "2,3", "1,3"}, {"3", "2,3", "2,3"}};
    static const char *const names[] = {"x", "y", "z"};
    int arity = tensor_params(op), n = arity == 1 ? 5 : arity == 2 ? 15 : arity == 3 ? 8 : 0;
    for (int i = 0; i < n; i++) {
        out[i] = (op_case){.op = op, .n = arity};
        for (int k = 0; k < arity; k++)
            out[i].leaf[k] = tg_op_sample_leaf(names[k], arity == 1   ? one[i]
                                                         : arity == 2 ? two[i][k]
                                                                      : three[i][k]);
    }
    return n;
}

/* The number of cases, or -1: a sample that cannot be read. */
static int list_cases(const tg_op *op, op_case *out) {
    int n = op->class == TG_CLASS_ELEMENTWISE ? elementwise_cases(op, out) : 0;
    for (const char *p = op->samples; p && *p;) {
        if (n == MOST_CASES) return -1;
        out[n] = (op_case){.op = op};
        if (!tg_op_sample_next(&p, &out[n++])) return -1;
    }
    return n;
}

/* ---- random numbers ---- */

static uint64_t lottery;

static double draw(void) { /* in 0..1: SplitMix64 (Steele et al. 2014) */
    uint64_t z = lottery += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

#endif
