/* One matrix product on strided matrices, by BLAS and on one thread. BLAS knows two layouts, rows
 * or columns one after the other, and calls the second "transposed"; so a view of which either
 * stride is 1 is passed as it is, and A' @ B costs no transposition. A vector is a matrix with one
 * row or column and goes to gemv, which reads the matrix once and packs nothing (Goto & van de
 * Geijn, Anatomy of high-performance matrix multiplication, 2008, on what gemm does instead). Few
 * columns go to skinny.c. */
#include "runtime/ops/gemm.h"
#include "base/alloc.h"
#include "runtime/ops/linear.h"

#include <cblas.h>
#include <limits.h>
#include <string.h>

typedef tg_matrix matrix;

static matrix transposed(matrix m) {
    return tg_matrix_transposed(m);
}

tg_view tg_matrix_view(const tg_matrix *m, tg_dtype t) {
    tg_view v = {.data = m->data, .dtype = t, .rank = 2};
    v.dim[0] = m->rows, v.dim[1] = m->cols;
    v.stride[0] = m->row_step, v.stride[1] = m->col_step;
    return v;
}

static bool is_leading(int64_t step, int64_t least) {
    return step >= least && step >= 1 && step <= INT_MAX;
}

/* Then *ld is the distance of rows. With one row or column a step is free to choose. */
static bool by_rows(const matrix *m, int *ld) {
    if (m->cols > 1 && m->col_step != 1) return false;
    int64_t step = m->rows > 1 ? m->row_step : m->cols > 1 ? m->cols : 1;
    *ld = (int)step;
    return is_leading(step, m->cols);
}

bool tg_matrix_is_by_rows(const tg_matrix *m) {
    int ld;
    return by_rows(m, &ld);
}

bool tg_matrix_is_laid_out(const tg_matrix *m) {
    matrix mt = transposed(*m);
    int ld;
    return by_rows(m, &ld) || by_rows(&mt, &ld);
}

bool tg_matrix_to_scratch(tg_matrix *m, tg_dtype t, bool copy) {
    size_t count;
    if (!tg_size_mul((size_t)m->rows, (size_t)m->cols, &count)) return false;
    matrix to = {NULL, m->rows, m->cols, m->cols, 1, NULL};
    to.data = to.scratch = tg_alloc_array(count, tg_dtype_size(t));
    if (!to.data) return false;
    if (copy) {
        tg_view from_view = tg_matrix_view(m, t), to_view = tg_matrix_view(&to, t);
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
    return tg_matrix_to_scratch(m, t, true) && by_rows(m, ld);
}

bool tg_matrix_lay_out(tg_matrix *m, tg_dtype t) {
    CBLAS_TRANSPOSE flag;
    int ld;
    return layout(m, t, &flag, &ld);
}

void tg_matrix_scale(const tg_matrix *out, tg_dtype t, double beta) {
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
    if (beta == 0) tg_matrix_scale(out, t, 0); /* some versions multiply, and 0 * NaN is NaN */
    bool flipped = flag == CblasTrans;         /* BLAS wants the sizes of what lies in memory */
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

bool tg_matrix_multiply(tg_dtype t, const tg_matrix *a, const tg_matrix *b, const tg_matrix *out,
                        double alpha, double beta) {
    matrix la = *a, lb = *b;
    la.scratch = lb.scratch = NULL;
    bool ok = product(t, &la, &lb, out, alpha, beta);
    tg_free(la.scratch);
    tg_free(lb.scratch);
    return ok;
}
