/* One matrix product on strided views, by BLAS. BLAS knows two layouts, rows or columns one after
 * the other, and calls the second "transposed"; so a view of which either stride is 1 is passed as
 * it is, and A' @ B costs no transposition. A vector is a matrix with one row or column and goes to
 * gemv, which reads the matrix once and packs nothing (Goto & van de Geijn, Anatomy of
 * high-performance matrix multiplication, 2008, on what gemm does instead). Few columns go to
 * skinny.c. */
#include "runtime/ops/linear.h"
#include "base/alloc.h"

#include <cblas.h>
#include <limits.h>
#include <string.h>

/* A matrix by element strides. */
typedef struct matrix {
    void *data;
    int64_t rows, cols, row_step, col_step;
    void *scratch; /* what was allocated for it */
} matrix;

static matrix transposed(matrix m) {
    return (matrix){m.data, m.cols, m.rows, m.col_step, m.row_step, m.scratch};
}

static tg_view as_view(const matrix *m, tg_dtype t) {
    tg_view v = {.data = m->data, .dtype = t, .rank = 2};
    v.dim[0] = m->rows, v.dim[1] = m->cols;
    v.stride[0] = m->row_step, v.stride[1] = m->col_step;
    return v;
}

static bool is_leading(int64_t step, int64_t least) {
    return step >= least && step >= 1 && step <= INT_MAX;
}

/* Can BLAS read it row by row? Then *ld is the distance of rows. With one row or column a step is
 * free to choose. */
static bool by_rows(const matrix *m, int *ld) {
    if (m->cols > 1 && m->col_step != 1) return false;
    int64_t step = m->rows > 1 ? m->row_step : m->cols > 1 ? m->cols : 1;
    *ld = (int)step;
    return is_leading(step, m->cols);
}

/* Moves m to new contiguous memory; with its elements, or without. */
static bool to_scratch(matrix *m, tg_dtype t, bool copy) {
    size_t count;
    if (!tg_size_mul((size_t)m->rows, (size_t)m->cols, &count)) return false;
    matrix to = {NULL, m->rows, m->cols, m->cols, 1, NULL};
    to.data = to.scratch = tg_alloc_array(count, tg_dtype_size(t));
    if (!to.data) return false;
    if (copy) {
        tg_view from_view = as_view(m, t), to_view = as_view(&to, t);
        tg_view_copy(&to_view, &from_view);
    }
    *m = to;
    return true;
}

/* Layout, transposition flag and leading dimension of an operand; copies it where BLAS has none for
 * it. */
static bool layout(matrix *m, tg_dtype t, CBLAS_TRANSPOSE *flag, int *ld) {
    matrix mt = transposed(*m);
    *flag = CblasNoTrans;
    if (by_rows(m, ld)) return true;
    *flag = CblasTrans;
    if (by_rows(&mt, ld)) return true;
    *flag = CblasNoTrans;
    return to_scratch(m, t, true) && by_rows(m, ld);
}

/* out *= beta, and beta = 0 clears whatever was there: what a product over no elements leaves. */
static void scale(const matrix *out, tg_dtype t, double beta) {
    for (int64_t i = 0; i < out->rows; i++)
        for (int64_t j = 0; j < out->cols; j++) {
            int64_t at = i * out->row_step + j * out->col_step;
            if (t == TG_F64) {
                double *p = (double *)out->data + at;
                *p = beta == 0 ? 0 : beta * *p;
            } else {
                float *p = (float *)out->data + at;
                *p = beta == 0 ? 0 : (float)beta * *p;
            }
        }
}

static bool is_increment(int64_t step) {
    return step >= 1 && step <= INT_MAX;
}

/* y = alpha * A @ x + beta * y; x is a column of `step_x`. */
static void gemv(tg_dtype t, CBLAS_TRANSPOSE flag, int rows, int cols, double alpha, const void *a,
                 int lda, const void *x, int64_t step_x, double beta, void *y, int64_t step_y) {
    if (t == TG_F64)
        cblas_dgemv(CblasRowMajor, flag, rows, cols, alpha, a, lda, x, (int)step_x, beta, y,
                    (int)step_y);
    else
        cblas_sgemv(CblasRowMajor, flag, rows, cols, (float)alpha, a, lda, x, (int)step_x,
                    (float)beta, y, (int)step_y);
}

/* out [m, 1] = a [m, k] @ b [k, 1] where the strides of the vectors allow. */
static bool try_gemv(tg_dtype t, matrix *a, const matrix *b, const matrix *out, double alpha,
                     double beta, bool *ok) {
    int64_t step_x = b->rows > 1 ? b->row_step : 1, step_y = out->rows > 1 ? out->row_step : 1;
    if (out->cols != 1 || !is_increment(step_x) || !is_increment(step_y)) return false;
    CBLAS_TRANSPOSE flag;
    int lda;
    *ok = layout(a, t, &flag, &lda);
    if (!*ok) return true;
    if (beta == 0) scale(out, t, 0);   /* some versions multiply, and 0 * NaN is NaN */
    bool flipped = flag == CblasTrans; /* BLAS wants the sizes of what lies in memory */
    gemv(t, flag, (int)(flipped ? a->cols : a->rows), (int)(flipped ? a->rows : a->cols), alpha,
         a->data, lda, b->data, step_x, beta, out->data, step_y);
    return true;
}

static bool gemm(tg_dtype t, matrix *a, matrix *b, const matrix *out, double alpha, double beta) {
    CBLAS_TRANSPOSE flag_a, flag_b;
    int lda, ldb, ldc;
    if (!layout(a, t, &flag_a, &lda) || !layout(b, t, &flag_b, &ldb) || !by_rows(out, &ldc))
        return false;
    int m = (int)out->rows, n = (int)out->cols, k = (int)a->cols;
    if (t == TG_F64)
        cblas_dgemm(CblasRowMajor, flag_a, flag_b, m, n, k, alpha, a->data, lda, b->data, ldb, beta,
                    out->data, ldc);
    else
        cblas_sgemm(CblasRowMajor, flag_a, flag_b, m, n, k, (float)alpha, a->data, lda, b->data,
                    ldb, (float)beta, out->data, ldc);
    return true;
}

static bool product(tg_dtype t, matrix *a, matrix *b, const matrix *out, double alpha,
                    double beta) {
    bool ok;
    if (try_gemv(t, a, b, out, alpha, beta, &ok)) return ok;
    matrix at = transposed(*a), bt = transposed(*b), ot = transposed(*out);
    bool row = try_gemv(t, &bt, &at, &ot, alpha, beta, &ok); /* a row: out' = b' @ a' */
    *b = transposed(bt); /* it may have moved to scratch memory */
    if (row) return ok;
    const tg_skinny few = {.dtype = t,
                           .m = out->rows,
                           .n = out->cols,
                           .k = a->cols,
                           .a = a->data,
                           .a_row = a->row_step,
                           .a_col = a->col_step,
                           .b = b->data,
                           .b_row = b->row_step,
                           .b_col = b->col_step,
                           .out = out->data,
                           .out_row = out->row_step,
                           .alpha = alpha,
                           .beta = beta};
    return (out->col_step == 1 && tg_linear_skinny(&few)) || gemm(t, a, b, out, alpha, beta);
}

bool tg_linear_gemm(const tg_view *va, const tg_view *vb, tg_view *vout, double alpha,
                    double beta) {
    tg_dtype t = vout->dtype;
    bool row = va->rank == 1, column = vb->rank == 1;
    matrix a = {va->data,
                row ? 1 : va->dim[0],
                va->dim[va->rank - 1],
                row ? 0 : va->stride[0],
                va->stride[va->rank - 1],
                NULL};
    matrix b = {
        vb->data, vb->dim[0], column ? 1 : vb->dim[1], vb->stride[0], column ? 0 : vb->stride[1],
        NULL};
    matrix out = {vout->data,
                  a.rows,
                  b.cols,
                  row ? 0 : vout->stride[0],
                  column ? 0 : vout->stride[vout->rank - 1],
                  NULL};
    if (a.rows > INT_MAX || a.cols > INT_MAX || b.cols > INT_MAX) return false;
    if (out.rows == 0 || out.cols == 0) return true;
    if (a.cols == 0) {
        scale(&out, t, beta);
        return true;
    }
    int ld;
    matrix target = out, flipped = transposed(out);
    bool ok;
    if (by_rows(&out, &ld)) {
        ok = product(t, &a, &b, &out, alpha, beta);
    } else if (by_rows(&flipped, &ld)) { /* out' = b' @ a' */
        matrix at = transposed(a), bt = transposed(b);
        ok = product(t, &bt, &at, &flipped, alpha, beta);
        a.scratch = at.scratch, b.scratch = bt.scratch;
    } else {
        ok = to_scratch(&target, t, beta != 0) && product(t, &a, &b, &target, alpha, beta);
        if (ok) {
            tg_view from = as_view(&target, t), to = as_view(&out, t);
            tg_view_copy(&to, &from);
        }
    }
    tg_free(a.scratch);
    tg_free(b.scratch);
    tg_free(target.scratch);
    return ok;
}
