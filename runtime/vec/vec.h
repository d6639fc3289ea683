/* Inner loops compiled once for each instruction set, and the choice among them.
 *
 * What is the same source for every processor stands in the headers of this folder; level_*.c
 * compile it with the flags of one level each: what every x86-64 has (SSE2; on ARM, NEON), AVX2
 * with FMA, AVX-512. The best level that the processor has is chosen when it is first asked for.
 * The environment variable TG_CPU (sse2, avx2, avx512) holds it down, and tg_vec_use does.
 *
 * Sums, products, quotients and roots have the same bits at every level, as has all that is built
 * of them alone: no product and sum is contracted. Exponentials and what is made of them, and the
 * functions taken from SLEEF, are the same at AVX2 and AVX-512 and on ARM, which compute with fused
 * multiply-adds; at SSE2 they may differ in the last place. What an element gives never depends on
 * its place or its neighbours. */
#ifndef TG_RUNTIME_VEC_H
#define TG_RUNTIME_VEC_H

#include "runtime/tensor/tensor.h"

/* n results into p[0] from arguments p[1], p[2], ...; step[i] is the distance of p[i]'s elements in
 * bytes (0: one element for all). p[0] may be p[1] when both have the same type and step; no other
 * overlap is allowed. */
typedef void tg_inner_fn(int64_t n, char *const *p, const int64_t *step);

/* The inner loops of a fold over elements of one type. */
typedef struct tg_fold {
    size_t size;
    void (*fill)(int64_t n, void *acc); /* the fold of nothing */
    void (*run)(int64_t n, const void *p, int64_t s,
                void *acc); /* *acc = fold of n >= 1 elements */
    void (*row)(int64_t n, void *acc, const void *p, int64_t s); /* acc[j] joined with p[j * s] */
} tg_fold;
typedef enum tg_fold_kind {
    TG_FOLD_SUM,
    TG_FOLD_PROD,
    TG_FOLD_MAX,
    TG_FOLD_MIN,
    TG_FOLD_ANY,
    TG_FOLD_ALL
} tg_fold_kind;

/* What softmax and logsumexp are made of. Steps are in elements, `step` and `out_step` those from
 * line to line. */
typedef struct tg_exponents {
    /* out (unless NULL) = e^(x - m), or x - m itself when `logs`; returns the sum of the e^(x - m)
     */
    double (*shift)(int64_t n, const void *x, int64_t s, double m, void *out, int64_t so,
                    bool logs);
    /* the softmax of lines of 1 to TG_SHORT elements, or its logarithm */
    void (*short_lines)(int64_t lines, int64_t n, const void *x, int64_t step, int64_t s, void *out,
                        int64_t out_step, int64_t so, bool logs);
} tg_exponents;

enum { TG_SHORT = 256 };

/* What is known of a reduction that is made piece by piece (runtime/ops/pieces.h). */
typedef struct tg_acc {
    double hi, lo; /* the value is hi + lo */
} tg_acc;
typedef enum tg_piece_kind { TG_PIECES_SUM, TG_PIECES_MAX, TG_PIECES_MIN } tg_piece_kind;
typedef struct tg_piece_loops {
    /* acc joined with n elements side by side; in single and double */
    void (*add[2])(int64_t n, const void *x, tg_acc *acc);
    /* acc[j] joined with x[i * cols + j] for all i; in single and double */
    void (*rows[2])(int64_t rows, int64_t cols, const void *x, tg_acc *acc);
    /* acc[j] joined with other[j] */
    void (*join)(int64_t n, tg_acc *acc, const tg_acc *other);
} tg_piece_loops;

typedef struct tg_vec {
    const char *name; /* "sse2", "avx2", "avx512"; "neon" */
    int bytes;        /* of a vector */
    /* of the rows of elementwise.def in their order, in single and double */
    tg_inner_fn *const (*elementwise)[2];
    const tg_fold *const (*fold)[2]; /* by kind; in single and double */
    const tg_exponents *exponents;   /* in single and double */
    const tg_piece_loops *pieces;    /* by kind */
    double (*pow)(double, double);   /* of one number, to the bits that the row `pow` gives */
} tg_vec;

/* The level in use. */
const tg_vec *tg_vec_now(void);
/* Level i of those that this processor can run, the lowest first; NULL after the last. */
const tg_vec *tg_vec_at(int i);
/* From now on, level `name`; NULL: the best. False: the processor has no such level. Not while
 * another thread computes. */
bool tg_vec_use(const char *name);

#endif
