/* Reductions made piece by piece: for whoever has the elements of one only a block at a time, as a
 * plan that runs several operations over one block after another. What is known of the elements so
 * far is an accumulator of two doubles, so that nothing of single precision is lost between pieces,
 * nor of double: a sum carries along what rounding took from it (two-sum: Knuth, TAOCP 2, 4.2.2).
 */
#ifndef TG_RUNTIME_PIECES_H
#define TG_RUNTIME_PIECES_H

#include "runtime/tensor/tensor.h"

typedef struct tg_acc {
    double hi, lo; /* the value is hi + lo */
} tg_acc;

typedef struct tg_pieces {
    double empty; /* the reduction of nothing */
    bool mean;    /* the result is divided by the number of elements */
    /* acc joined with n elements side by side */
    void (*add_float)(int64_t n, const float *x, tg_acc *acc);
    void (*add_double)(int64_t n, const double *x, tg_acc *acc);
    /* acc[j] joined with x[i * cols + j] for all i */
    void (*rows_float)(int64_t rows, int64_t cols, const float *x, tg_acc *acc);
    void (*rows_double)(int64_t rows, int64_t cols, const double *x, tg_acc *acc);
    /* acc[j] joined with other[j] */
    void (*join)(int64_t n, tg_acc *acc, const tg_acc *other);
} tg_pieces;

extern const tg_pieces tg_pieces_sum, tg_pieces_mean, tg_pieces_max, tg_pieces_min;

#endif
