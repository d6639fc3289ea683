/* Products with few columns: X @ W with ten classes, and its gradient X' @ D. gemm is made for wide
 * results, which it builds in tiles from packed copies of both operands; here the left operand is
 * nearly all there is to read, so it is read where it lies, and only the small right one is packed.
 * (Heinecke et al., LIBXSMM: accelerating small matrix multiplications by runtime code generation,
 * 2016, on why small products want kernels of their own.)
 *
 * There are two ways, for the two ways in which a matrix lies in memory. Along: the rows of A are
 * contiguous; a vector runs along the inner axis, and a sum is folded once at its end. Across: the
 * columns of A are contiguous, it is X'; a vector runs over rows of the result, and each element of
 * B is spread over one. Neither wastes lanes, whatever the number of columns.
 *
 * The kernels are written once (skinny_kernel.h) with vectors of the compiler and compiled for each
 * instruction set; the level in use (runtime/vec) tells which one runs. A sum goes over the inner
 * axis in blocks of fixed size, and a row's does not depend on where the row stands or who computes
 * it: the same bits however the rows are shared out. */
#include "runtime/ops/linear.h"
#include "runtime/vec/vec.h"

#include <string.h>

enum {
    MOST = 16,          /* columns */
    LEAST = 16,         /* rows and inner elements for which this pays: a vector of any kind fits */
    WIDE = 5,           /* columns that are computed together, at most */
    ALONG_DEPTH = 1024, /* inner elements at a time: the packed columns stay in the nearest cache */
    ACROSS_DEPTH = 128, /* the same for the left operand's tile, read once for each WIDE columns */
};

/* The inner elements `from` to `from + depth`. */
typedef struct tg_skinny_block {
    int64_t from, depth;
    double beta;        /* of what is in the result before them */
    const void *packed; /* along: these of B, column by column: [n, depth] */
} tg_skinny_block;

/* How many of the columns left to take next: groups of about the same size, WIDE at most, and never
 * one alone where there were two. */
static inline int group(int64_t left) {
    int64_t groups = (left + WIDE - 1) / WIDE;
    return (int)((left + groups - 1) / groups);
}

#define T float
#define BYTES 16
#define NAME(x) float_plain_##x
#define TARGET
#define TALL 2
#include "runtime/ops/skinny_kernel.h"

#define T double
#define BYTES 16
#define NAME(x) double_plain_##x
#define TARGET
#define TALL 2
#include "runtime/ops/skinny_kernel.h"

#if defined __x86_64__ && defined __GNUC__

#define T float
#define BYTES 32
#define NAME(x) float_avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define TALL 2
#include "runtime/ops/skinny_kernel.h"

#define T double
#define BYTES 32
#define NAME(x) double_avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define TALL 2
#include "runtime/ops/skinny_kernel.h"

#define T float
#define BYTES 64
#define NAME(x) float_avx512_##x
#define TARGET __attribute__((target("avx512f")))
#define TALL 4
#include "runtime/ops/skinny_kernel.h"

#define T double
#define BYTES 64
#define NAME(x) double_avx512_##x
#define TARGET __attribute__((target("avx512f")))
#define TALL 4
#include "runtime/ops/skinny_kernel.h"

#endif

/* Computes the rows `from` to `to` of the result over one block of the inner axis. */
typedef void kernel_fn(const tg_skinny *s, const tg_skinny_block *k, int64_t from, int64_t to);

typedef struct kernels {
    kernel_fn *along, *across;
} kernels;

static kernels kernels_for(tg_dtype t) {
    bool f = t == TG_F32;
    switch (tg_vec_now()->bytes) {
#if defined __x86_64__ && defined __GNUC__
    case 64:
        return f ? (kernels){float_avx512_along, float_avx512_across}
                 : (kernels){double_avx512_along, double_avx512_across};
    case 32:
        return f ? (kernels){float_avx2_along, float_avx2_across}
                 : (kernels){double_avx2_along, double_avx2_across};
#endif
    default:
        return f ? (kernels){float_plain_along, float_plain_across}
                 : (kernels){double_plain_along, double_plain_across};
    }
}

#define PACK(T)                                                                                    \
    for (int64_t p = 0; p < depth; p++)                                                            \
        for (int64_t j = 0; j < s->n; j++)                                                         \
            ((T *)packed)[j * depth + p] = ((const T *)s->b)[(p0 + p) * s->b_row + j * s->b_col];

bool tg_linear_skinny(const tg_skinny *s) {
    if (s->n < 2 || s->n > MOST || s->m < LEAST || s->k < LEAST) return false;
    if (s->a_col != 1 && s->a_row != 1) return false;
    const bool along = s->a_col == 1;
    const kernels with = kernels_for(s->dtype);
    const int64_t most = along ? s->dtype == TG_F32 ? ALONG_DEPTH : ALONG_DEPTH / 2 : ACROSS_DEPTH;
    _Alignas(64) char packed[ALONG_DEPTH * MOST * sizeof(float)];
    for (int64_t p0 = 0; p0 < s->k; p0 += most) {
        const int64_t depth = s->k - p0 < most ? s->k - p0 : most;
        const tg_skinny_block k = {p0, depth, p0 == 0 ? s->beta : 1, packed};
        if (along && s->dtype == TG_F32) {
            PACK(float)
        } else if (along) {
            PACK(double)
        }
        (along ? with.along : with.across)(s, &k, 0, s->m);
    }
    return true;
}
