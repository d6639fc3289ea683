/* Products with few columns: X @ W with ten classes, and its gradient X' @ D. gemm is made for wide
 * results, which it builds in tiles from packed copies of both operands; here a whole row of the
 * result fits in the processor's registers, so each element of the left operand is read once, where
 * it lies, and only the small right operand is packed, its rows filled up with zeros to one width.
 * (Heinecke et al., LIBXSMM: accelerating small matrix multiplications by runtime code generation,
 * 2016, on why small products want kernels of their own.)
 *
 * The kernel is written once with vectors of the compiler and compiled for what the processor turns
 * out to have. Elsewhere, and where the shape does not suit, the answer is false, and BLAS does it.
 * Sums run over the inner axis in order: the same bits at any number of threads. */
#include "runtime/ops/linear.h"

#if defined __x86_64__ && defined __GNUC__

enum {
    WIDTH = 16,  /* columns of the packed operand */
    DEPTH = 512, /* inner elements at a time: what is packed stays in the nearest cache */
    LEAST = 16,  /* rows and inner elements for which packing pays */
};

/* Rows `first` to `last` of the result. `c` has room for a row of WIDTH. */
#define KERNEL(NAME, T, TARGET, ROWS)                                                              \
    typedef T NAME##_row __attribute__((vector_size(WIDTH * sizeof(T)), aligned(sizeof(T))));      \
    __attribute__((target(TARGET))) static void NAME(const tg_skinny *s, const void *packed,       \
                                                     int64_t p0, int64_t depth, double beta) {     \
        const T *b = packed;                                                                       \
        const NAME##_row zero = {0};                                                               \
        int64_t i = 0;                                                                             \
        while (i < s->m) {                                                                         \
            NAME##_row sum[ROWS];                                                                  \
            const int64_t rows = s->m - i >= ROWS ? ROWS : 1;                                      \
            const T *a = (const T *)s->a + i * s->a_row + p0 * s->a_col;                           \
            for (int r = 0; r < ROWS; r++) sum[r] = zero;                                          \
            if (rows == ROWS)                                                                      \
                for (int64_t p = 0; p < depth; p++) {                                              \
                    const NAME##_row bp = *(const NAME##_row *)(b + p * WIDTH);                    \
                    for (int r = 0; r < ROWS; r++)                                                 \
                        sum[r] += (a[r * s->a_row + p * s->a_col] - zero) * bp;                    \
                }                                                                                  \
            else                                                                                   \
                for (int64_t p = 0; p < depth; p++)                                                \
                    sum[0] += (a[p * s->a_col] - zero) * *(const NAME##_row *)(b + p * WIDTH);     \
            for (int64_t r = 0; r < rows; r++) {                                                   \
                T *out = (T *)s->out + (i + r) * s->out_row;                                       \
                for (int64_t j = 0; j < s->n; j++)                                                 \
                    out[j] = (T)s->alpha * sum[r][j] + (beta == 0 ? 0 : (T)beta * out[j]);         \
            }                                                                                      \
            i += rows;                                                                             \
        }                                                                                          \
    }

KERNEL(float_avx512, float, "avx512f", 16)
KERNEL(float_avx2, float, "avx2,fma", 4)
KERNEL(double_avx512, double, "avx512f", 8)
KERNEL(double_avx2, double, "avx2,fma", 2)

typedef void kernel_fn(const tg_skinny *s, const void *packed, int64_t p0, int64_t depth,
                       double beta);

static kernel_fn *kernel_for(tg_dtype t) {
    if (__builtin_cpu_supports("avx512f")) return t == TG_F32 ? float_avx512 : double_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return t == TG_F32 ? float_avx2 : double_avx2;
    return NULL;
}

#define PACK(T)                                                                                    \
    for (int64_t p = 0; p < depth; p++)                                                            \
        for (int64_t j = 0; j < WIDTH; j++)                                                        \
            ((T *)packed)[p * WIDTH + j] =                                                         \
                j < s->n ? ((const T *)s->b)[(p0 + p) * s->b_row + j * s->b_col] : 0;

bool tg_linear_skinny(const tg_skinny *s) {
    kernel_fn *kernel =
        s->n >= 2 && s->n <= WIDTH && s->m >= LEAST && s->k >= LEAST ? kernel_for(s->dtype) : NULL;
    if (!kernel) return false;
    _Alignas(64) char packed[DEPTH * WIDTH * sizeof(double)];
    for (int64_t p0 = 0; p0 < s->k; p0 += DEPTH) {
        int64_t depth = s->k - p0 < DEPTH ? s->k - p0 : DEPTH;
        if (s->dtype == TG_F32) {
            PACK(float)
        } else {
            PACK(double)
        }
        kernel(s, packed, p0, depth, p0 == 0 ? s->beta : 1);
    }
    return true;
}

#else

bool tg_linear_skinny(const tg_skinny *s) {
    (void)s;
    return false;
}

#endif
