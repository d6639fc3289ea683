/* Products with a gathered operand, written once (conv_gather_kernel.h) with vectors of the
 * compiler and compiled for each instruction set; the level in use (runtime/vec) tells which one
 * runs. Each step of the inner axis takes a few vectors of the panel and spreads one element of the
 * image for each row of the result, so that what is loaded is used as often as registers allow. The
 * inner axis goes in blocks of which the panel stays in the nearest cache; the order of additions
 * depends on sizes alone. (Georganas et al., Anatomy of high-performance deep learning convolutions
 * on SIMD architectures, 2018.) */
#include "runtime/ops/conv_gather.h"
#include "runtime/vec/vec.h"

enum { PANEL_BYTES = 24 << 10 };

#define T float
#define BYTES 16
#define NAME(x) float_plain_##x
#define TARGET
#define TALL(v) ((v) > 2 ? 2 : 6)
#include "runtime/ops/conv_gather_kernel.h"

#define T double
#define BYTES 16
#define NAME(x) double_plain_##x
#define TARGET
#define TALL(v) ((v) > 2 ? 2 : 6)
#include "runtime/ops/conv_gather_kernel.h"

#if defined __x86_64__ && defined __GNUC__

#define T float
#define BYTES 32
#define NAME(x) float_avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define TALL(v) ((v) > 2 ? 2 : (v) == 2 ? 6 : 8)
#include "runtime/ops/conv_gather_kernel.h"

#define T double
#define BYTES 32
#define NAME(x) double_avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define TALL(v) ((v) > 2 ? 2 : (v) == 2 ? 6 : 8)
#include "runtime/ops/conv_gather_kernel.h"

#define T float
#define BYTES 64
#define NAME(x) float_avx512_##x
#define TARGET __attribute__((target("avx512f")))
#define TALL(v) ((v) == 4 ? 6 : 8)
#include "runtime/ops/conv_gather_kernel.h"

#define T double
#define BYTES 64
#define NAME(x) double_avx512_##x
#define TARGET __attribute__((target("avx512f")))
#define TALL(v) ((v) == 4 ? 6 : 8)
#include "runtime/ops/conv_gather_kernel.h"

#endif

int tg_gather_lanes(tg_dtype t) {
    int bytes = tg_vec_now()->bytes;
    return (bytes == 32 || bytes == 64 ? bytes : 16) / (int)tg_dtype_size(t);
}

/* As many as leave registers for six rows of sums. */
int tg_gather_together(void) {
    return tg_vec_now()->bytes == 64 ? TG_GATHER_VECTORS : 2;
}

void tg_gather_run(tg_dtype t, int vectors, const tg_gather *g) {
    bool f = t == TG_F32;
    switch (tg_vec_now()->bytes) {
#if defined __x86_64__ && defined __GNUC__
    case 64: (f ? float_avx512_run : double_avx512_run)(g, vectors); break;
    case 32: (f ? float_avx2_run : double_avx2_run)(g, vectors); break;
#endif
    default: (f ? float_plain_run : double_plain_run)(g, vectors);
    }
}

/* Squares of lanes are turned in registers, some of them at a time that share lines of the cache.
 */
enum { SQUARE = 16 };

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
typedef double two __attribute__((vector_size(16), aligned(8), may_alias));

static void turn_float(const float *from, int64_t from_step, float *to, int64_t to_step) {
    const four a = *(const four *)from, b = *(const four *)(from + from_step),
               c = *(const four *)(from + 2 * from_step), d = *(const four *)(from + 3 * from_step);
    const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
               cd = __builtin_shufflevector(c, d, 0, 4, 1, 5),
               ba = __builtin_shufflevector(a, b, 2, 6, 3, 7),
               dc = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(four *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(four *)(to + to_step) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(four *)(to + 2 * to_step) = __builtin_shufflevector(ba, dc, 0, 1, 4, 5);
    *(four *)(to + 3 * to_step) = __builtin_shufflevector(ba, dc, 2, 3, 6, 7);
}

static void turn_double(const double *from, int64_t from_step, double *to, int64_t to_step) {
    const two a = *(const two *)from, b = *(const two *)(from + from_step);
    *(two *)to = __builtin_shufflevector(a, b, 0, 2);
    *(two *)(to + to_step) = __builtin_shufflevector(a, b, 1, 3);
}

#define TURN(T, SIDE)                                                                              \
    for (int64_t i0 = 0; i0 < n; i0 += SQUARE)                                                     \
        for (int64_t j0 = 0; j0 < m; j0 += SQUARE) {                                               \
            const int64_t i1 = i0 + SQUARE < n ? i0 + SQUARE : n,                                  \
                          j1 = j0 + SQUARE < m ? j0 + SQUARE : m,                                  \
                          ie = i0 + (i1 - i0) / (SIDE) * (SIDE),                                   \
                          je = j0 + (j1 - j0) / (SIDE) * (SIDE);                                   \
            const T *in = from;                                                                    \
            T *out = to;                                                                           \
            for (int64_t i = i0; i < ie; i += (SIDE))                                              \
                for (int64_t j = j0; j < je; j += (SIDE))                                          \
                    turn_##T(in + i * from_step + j, from_step, out + j * to_step + i, to_step);   \
            for (int64_t j = j0; j < j1; j++)                                                      \
                for (int64_t i = j < je ? ie : i0; i < i1; i++)                                    \
                    out[j * to_step + i] = in[i * from_step + j];                                  \
        }

void tg_gather_turn(tg_dtype t, int64_t n, int64_t m, const void *from, int64_t from_step, void *to,
                    int64_t to_step) {
    if (t == TG_F32) {
        TURN(float, 4)
    } else {
        TURN(double, 2)
    }
}
