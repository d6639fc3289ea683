/* Matrices as BLAS sees them, and one product of them on the calling thread. tile.c cuts large
 * products into such ones. */
#ifndef TG_RUNTIME_GEMM_H
#define TG_RUNTIME_GEMM_H

#include "runtime/tensor/tensor.h"

/* A matrix by element strides. */
typedef struct tg_matrix {
    void *data;
    int64_t rows, cols, row_step, col_step;
    void *scratch; /* what was allocated for it: the owner frees it */
} tg_matrix;

static inline tg_matrix tg_matrix_transposed(tg_matrix m) {
    return (tg_matrix){m.data, m.cols, m.rows, m.col_step, m.row_step, m.scratch};
}

tg_view tg_matrix_view(const tg_matrix *m, tg_dtype t);
/* Can BLAS read and write it row by row? */
bool tg_matrix_is_by_rows(const tg_matrix *m);
/* Moves m to new contiguous memory; with its elements, or without. False: no memory. */
bool tg_matrix_to_scratch(tg_matrix *m, tg_dtype t, bool copy);
/* Can BLAS read it, by rows or by columns? */
bool tg_matrix_is_laid_out(const tg_matrix *m);
/* Makes m one that BLAS can read, by rows or by columns, as each part of it then is: copies it
 * where need be. False: no memory. */
bool tg_matrix_lay_out(tg_matrix *m, tg_dtype t);
/* out *= beta, and beta = 0 clears whatever was there: what a product over no elements leaves. */
void tg_matrix_scale(const tg_matrix *out, tg_dtype t, double beta);

/* out = alpha * a @ b + beta * out; out lies by rows. False: no memory (nothing is recorded). */
bool tg_matrix_multiply(tg_dtype t, const tg_matrix *a, const tg_matrix *b, const tg_matrix *out,
                        double alpha, double beta);

#endif
