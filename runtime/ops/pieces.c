/* Sums, means and extremes piece by piece. A piece is added in runs of RUN elements, each in LANES
 * lanes of its own type, as reduce.c does; the runs' sums meet in a two-sum, whose error does not
 * grow with their number. Order and structure depend on the sizes of the pieces only. */
#include "runtime/ops/pieces.h"

#include <math.h>

enum { RUN = 256, LANES = 16, ROWS = 16, TILE = 64 };

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

#define JOIN_SUM(a, b) ((a) + (b))
#define JOIN_MAX(a, b) (((a) > (b) || (a) != (a)) ? (a) : (b))
#define JOIN_MIN(a, b) (((a) < (b) || (a) != (a)) ? (a) : (b))

/* The lanes of one run, folded by halves. */
#define RUN_OF(NAME, T, JOIN)                                                                      \
    static T NAME##_run_##T(int64_t n, const T *x) {                                               \
        T lane[LANES];                                                                             \
        if (n < LANES) {                                                                           \
            T a = x[0];                                                                            \
            for (int64_t i = 1; i < n; i++) a = JOIN(a, x[i]);                                     \
            return a;                                                                              \
        }                                                                                          \
        for (int k = 0; k < LANES; k++) lane[k] = x[k];                                            \
        int64_t i = LANES;                                                                         \
        for (; i + LANES <= n; i += LANES)                                                         \
            for (int k = 0; k < LANES; k++) lane[k] = JOIN(lane[k], x[i + k]);                     \
        for (int k = 0; i < n; i++, k++) lane[k] = JOIN(lane[k], x[i]);                            \
        for (int width = LANES / 2; width > 0; width /= 2)                                         \
            for (int k = 0; k < width; k++) lane[k] = JOIN(lane[k], lane[k + width]);              \
        return lane[0];                                                                            \
    }

#define ADD_OF(NAME, T, INTO)                                                                      \
    static void NAME##_add_##T(int64_t n, const T *x, tg_acc *acc) {                               \
        for (int64_t i = 0; i < n; i += RUN)                                                       \
            INTO(acc, (double)NAME##_run_##T(n - i < RUN ? n - i : RUN, x + i));                   \
    }

/* A tile of columns at a time: ROWS rows are joined in the elements' own type. */
#define ROWS_OF(NAME, T, JOIN, INTO)                                                               \
    static void NAME##_rows_##T(int64_t rows, int64_t cols, const T *x, tg_acc *acc) {             \
        for (int64_t i = 0; i < rows; i += ROWS) {                                                 \
            int64_t end = rows - i < ROWS ? rows : i + ROWS;                                       \
            for (int64_t j = 0; j < cols; j += TILE) {                                             \
                int64_t width = cols - j < TILE ? cols - j : TILE;                                 \
                T part[TILE];                                                                      \
                for (int64_t k = 0; k < width; k++) part[k] = x[i * cols + j + k];                 \
                for (int64_t r = i + 1; r < end; r++)                                              \
                    for (int64_t k = 0; k < width; k++)                                            \
                        part[k] = JOIN(part[k], x[r * cols + j + k]);                              \
                for (int64_t k = 0; k < width; k++) INTO(&acc[j + k], (double)part[k]);            \
            }                                                                                      \
        }                                                                                          \
    }

#define PIECES(NAME, EMPTY, JOIN, INTO)                                                            \
    RUN_OF(NAME, float, JOIN)                                                                      \
    RUN_OF(NAME, double, JOIN)                                                                     \
    ADD_OF(NAME, float, INTO)                                                                      \
    ADD_OF(NAME, double, INTO)                                                                     \
    ROWS_OF(NAME, float, JOIN, INTO)                                                               \
    ROWS_OF(NAME, double, JOIN, INTO)                                                              \
    static void NAME##_join(int64_t n, tg_acc *acc, const tg_acc *other) {                         \
        for (int64_t j = 0; j < n; j++) {                                                          \
            INTO(&acc[j], other[j].hi);                                                            \
            acc[j].lo += other[j].lo;                                                              \
        }                                                                                          \
    }                                                                                              \
    const tg_pieces tg_pieces_##NAME = {EMPTY,                                                     \
                                        false,                                                     \
                                        NAME##_add_float,                                          \
                                        NAME##_add_double,                                         \
                                        NAME##_rows_float,                                         \
                                        NAME##_rows_double,                                        \
                                        NAME##_join};

PIECES(sum, 0, JOIN_SUM, two_sum)
PIECES(max, -INFINITY, JOIN_MAX, larger)
PIECES(min, INFINITY, JOIN_MIN, smaller)

const tg_pieces tg_pieces_mean = {
    0, true, sum_add_float, sum_add_double, sum_rows_float, sum_rows_double, sum_join};
