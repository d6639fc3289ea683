/* LAPACK, as tg's operations on matrices use it: the few routines wanted, for single and double by
 * one name each, and the walk over a batch of matrices. The symbols stand in libopenblas; they are
 * declared here in lapack.c, for not every package of it brings lapacke.h.
 *
 * LAPACK reads matrices by columns, one after the other, and overwrites them. So each matrix is
 * copied into scratch memory (tg_lapack_load) and results are copied out; arguments are never
 * written, and may have any strides. Scratch belongs to the walk. */
#ifndef TG_RUNTIME_LAPACK_H
#define TG_RUNTIME_LAPACK_H

#include "runtime/ops/op.h"

/* One matrix of a batch: the parts of the arguments and of the result, and scratch of its own. */
typedef struct tg_part {
    const tg_call *call;
    tg_view in[2], out;
    void *work; /* elements of the type of the first argument, not cleared */
    int *ints;
    const int64_t *idx; /* its place in the batch, of `batch` numbers */
    int batch;
} tg_part;
typedef bool tg_part_fn(const tg_part *p);

/* What a kernel needs of the walk. */
typedef struct tg_walk {
    int in[2]; /* how many last axes of an argument belong to one part */
    int out;   /* and of the result; the axes before them are the batch, and broadcast */
    size_t elements, ints; /* scratch */
} tg_walk;
/* Calls fn for each part, in row-major order, and looks for interrupts between. */
bool tg_lapack_each(const tg_call *call, const tg_walk *walk, tg_part_fn *fn);

/* The sizes of the last axes, once it is known that LAPACK can count them: n^2 must be an int where
 * `square` says so (its work arrays). */
bool tg_lapack_check_sizes(const tg_call *call, bool square);
/* a * b + c elements of scratch; an overflow gives a number that no memory can hold. */
size_t tg_lapack_room(int64_t a, int64_t b, size_t c);

/* Copies a matrix (or vector, as a column) between a view and columns in scratch; ld is the
 * distance of columns. */
void tg_lapack_load(void *to, int64_t ld, const tg_view *from);
void tg_lapack_store(const tg_view *to, const void *from, int64_t ld);
/* The scratch as a matrix view. */
tg_view tg_lapack_view(tg_dtype t, void *data, int64_t rows, int64_t cols, int64_t ld);
/* The place of element i in scratch. */
void *tg_lapack_at(tg_dtype t, void *data, int64_t i);
double tg_lapack_get(tg_dtype t, const void *data, int64_t i);
void tg_lapack_set(tg_dtype t, void *data, int64_t i, double x);
/* The largest absolute value; NaN when one is NaN. */
double tg_lapack_largest(tg_dtype t, const void *data, int64_t n);
/* The distance of 1 to the next number. */
double tg_lapack_epsilon(tg_dtype t);
/* " at [2] of the batch", or nothing. */
typedef struct tg_part_words {
    char text[96];
} tg_part_words;
tg_part_words tg_part_place(const tg_part *p);

/* ---- the routines; matrices by columns. They return info: 0 is success. ---- */

int tg_getrf(tg_dtype t, int m, int n, void *a, int lda, int *pivot);
int tg_getri(tg_dtype t, int n, void *a, int lda, const int *pivot, void *work, int lwork);
int tg_getrs(tg_dtype t, int n, int nrhs, const void *a, int lda, const int *pivot, void *b,
             int ldb);
int tg_potrf_lower(tg_dtype t, int n, void *a, int lda);
int tg_trtrs(tg_dtype t, bool lower, int n, int nrhs, const void *a, int lda, void *b, int ldb);
/* Eigenvalues w of the symmetric matrix in the lower triangle of a; with vectors these replace a.
 */
int tg_syevd(tg_dtype t, bool vectors, int n, void *a, void *w, void *work, int lwork, int *iwork,
             int liwork);
/* Singular values s, and with vectors the first min(m, n) columns of U and rows of V'. Destroys a.
 * lwork = -1 asks for the size of work, which is left in work[0]; iwork has 8 * min(m, n). */
int tg_gesdd(tg_dtype t, bool vectors, int m, int n, void *a, void *s, void *u, void *vt,
             void *work, int lwork, int *iwork);
/* The solution of least squares and least norm; b has max(m, n) rows. lwork = -1 asks for the sizes
 * of work and iwork. */
int tg_gelsd(tg_dtype t, int m, int n, int nrhs, void *a, void *b, void *s, double rcond,
             void *work, int lwork, int *iwork);

#endif
