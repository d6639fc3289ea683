/* Sums and extremes piece by piece (runtime/ops/pieces.h), for the level that is being compiled. A
 * piece is added in runs of RUN elements, each in LANES lanes of its own type, as folds.h does; the
 * runs' sums meet in a two-sum, whose error does not grow with their number (Knuth, TAOCP
 * 2, 4.2.2). Order and structure depend on the sizes of the pieces only, and so have the same bits
 * at every level. */
#ifndef TG_VEC_PIECES_H
#define TG_VEC_PIECES_H

#include "runtime/vec/folds.h"

enum { RUN = 256, ROWS = 16, TILE = 64 };

/* hi + lo plus x, the rounding error of the addition into lo. An infinity or NaN has no error. */
static inline void two_sum(tg_acc *acc, double x) {
    double s = acc->hi + x, t = s - acc->hi, e = (acc->hi - (s - t)) + (x - t);
    acc->hi = s;
    acc->lo += e - e == 0 ? e : 0;
}

static inline void larger(tg_acc *acc, double x) {
    acc->hi = (acc->hi > x || acc->hi != acc->hi) ? acc->hi : x;
}

static inline void smaller(tg_acc *acc, double x) {
    acc->hi = (acc->hi < x || acc->hi != acc->hi) ? acc->hi : x;
}

#define PIECES(NAME, T, INTO)                                                                      \
    static void NAME##_pieces_##T(int64_t n, const void *elements, tg_acc *acc) {                  \
        const T *x = elements;                                                                     \
        for (int64_t i = 0; i < n; i += RUN) {                                                     \
            T part;                                                                                \
            NAME##_##T##_run(n - i < RUN ? n - i : RUN, x + i, 1, &part);                          \
            INTO(acc, (double)part);                                                               \
        }                                                                                          \
    }                                                                                              \
    /* A tile of columns at a time: ROWS rows are joined in the elements' own type. */             \
    static void NAME##_pieces_rows_##T(int64_t rows, int64_t cols, const void *elements,           \
                                       tg_acc *acc) {                                              \
        const T *x = elements;                                                                     \
        for (int64_t i = 0; i < rows; i += ROWS) {                                                 \
            int64_t end = rows - i < ROWS ? rows : i + ROWS;                                       \
            for (int64_t j = 0; j < cols; j += TILE) {                                             \
                int64_t width = cols - j < TILE ? cols - j : TILE;                                 \
                T part[TILE];                                                                      \
                memcpy(part, x + i * cols + j, (size_t)width * sizeof(T));                         \
                for (int64_t r = i + 1; r < end; r++)                                              \
                    NAME##_##T##_row(width, part, x + r * cols + j, 1);                            \
                for (int64_t k = 0; k < width; k++) INTO(&acc[j + k], (double)part[k]);            \
            }                                                                                      \
        }                                                                                          \
    }
#define JOINED(NAME, INTO)                                                                         \
    PIECES(NAME, float, INTO)                                                                      \
    PIECES(NAME, double, INTO)                                                                     \
    static void NAME##_pieces_join(int64_t n, tg_acc *acc, const tg_acc *other) {                  \
        for (int64_t j = 0; j < n; j++) {                                                          \
            INTO(&acc[j], other[j].hi);                                                            \
            acc[j].lo += other[j].lo;                                                              \
        }                                                                                          \
    }

JOINED(sum, two_sum)
JOINED(max, larger)
JOINED(min, smaller)

#define PIECES_ROW(NAME)                                                                           \
    {                                                                                              \
        {NAME##_pieces_float, NAME##_pieces_double},                                               \
            {NAME##_pieces_rows_float, NAME##_pieces_rows_double}, NAME##_pieces_join              \
    }
static const tg_piece_loops pieces[] = {PIECES_ROW(sum), PIECES_ROW(max), PIECES_ROW(min)};

#endif
