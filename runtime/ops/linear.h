/* Matrix products. */
#ifndef TG_RUNTIME_LINEAR_H
#define TG_RUNTIME_LINEAR_H

#include "runtime/ops/op.h"

/* The record that `@` means for operands of these ranks: matmul, matvec, vecmat or vdot. Never
 * NULL: where `@` has no meaning, the shape rule of the record says so. */
const tg_op *tg_op_matmul_for(int rank_a, int rank_b);

/* out = alpha * a @ b + beta * out, of rank 2 each, or a vector on either side (out then lacks that
 * axis). The three have the same type, single or double, and fitting sizes, at most INT_MAX each;
 * strides are free. With beta = 0 the old contents of out do not matter. out overlaps neither
 * operand. Transposed operands go to BLAS as flags; others with strides that BLAS cannot take are
 * copied first. Large products are shared by several threads, with the same bits at any number of
 * them (tile.c). False: no memory for copies, or interrupted; recorded, unless within a part of
 * tg_pool_run. */
bool tg_linear_gemm(tg_rt *rt, const tg_view *a, const tg_view *b, tg_view *out, double alpha,
                    double beta);

/* out = alpha * a @ b + beta * out, of shapes [m, k], [k, n], [m, n], by steps in elements; the
 * elements of a row of out lie side by side. With beta = 0 the old contents of out do not matter.
 */
typedef struct tg_skinny {
    tg_dtype dtype; /* single or double */
    int64_t m, n, k;
    const void *a, *b;
    int64_t a_row, a_col, b_row, b_col;
    void *out;
    int64_t out_row;
    double alpha, beta;
} tg_skinny;
/* False: nothing is done, and gemm shall do it: more columns than registers hold, a small product,
 * another processor. */
bool tg_linear_skinny(const tg_skinny *s);

/* The most bytes that the product allocates, of which only shapes and strides are looked at. */
size_t tg_linear_gemm_room(const tg_view *a, const tg_view *b, const tg_view *out);

extern const tg_op_table tg_ops_linear;

#endif
