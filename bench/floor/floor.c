/* floor: the least time that some work can take on this machine, measured with plain products of
 * OpenBLAS and plain passes over memory.
 *
 *   bench_floor THREADS SECONDS ITEM...
 *
 * prints "floor SECONDS ITEM" for each item, the best time of all repetitions within SECONDS (which
 * the items share). An item is
 *
 *   gemm:M,N,K[,TT[,COUNT]]   COUNT products in singles of [M, K] by [K, N]; TT tells of each
 * operand whether it is stored transposed, as in TN gemv:M,N[,T[,COUNT]]      a matrix [M, N], or
 * its transpose, times a vector pass:READ,WRITE           one pass that reads so many bytes of
 * singles and writes so many exp:N,COUNT               COUNT exponentials of each of N singles, on
 * values in the cache, by the compiler's vector functions
 *
 * and bench/lib/rows.py says of which items a row of the bench consists. Passes and exponentials
 * are split among OpenMP's threads where the compiler has them; products by OpenBLAS itself.
 */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int threads = 1;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* n singles between -1 and 1, on a cache line of their own; never freed: the program is short. */
static float *numbers(size_t n) {
    float *x = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64 + 64);
    if (!x) {
        fprintf(stderr, "floor: no memory\n");
        exit(1);
    }
    unsigned state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    return x;
}

/* What an item does once, with its sizes and its memory. */
typedef struct work {
    void (*run)(const struct work *w);
    long m, n, k, count;
    CBLAS_TRANSPOSE left, right;
    float *a, *b, *c;
} work;

static volatile float sink; /* where sums go, so that no compiler leaves them out */

static void products(const work *w) {
    for (long i = 0; i < w->count; i++)
        cblas_sgemm(CblasRowMajor, w->left, w->right, (blasint)w->m, (blasint)w->n, (blasint)w->k,
                    1.0f, w->a, (blasint)(w->left == CblasTrans ? w->m : w->k), w->b,
                    (blasint)(w->right == CblasTrans ? w->k : w->n), 0.0f, w->c, (blasint)w->n);
}

static void vectors(const work *w) {
    for (long i = 0; i < w->count; i++)
        cblas_sgemv(CblasRowMajor, w->left, (blasint)w->m, (blasint)w->n, 1.0f, w->a, (blasint)w->n,
                    w->b, 1, 0.0f, w->c, 1);
}

/* m singles are read and n are written; the longer of the two goes alone where the other ends. */
static void pass(const work *w) {
    const float *restrict a = w->a;
    float *restrict c = w->c;
    long both = w->m < w->n ? w->m : w->n;
    float total = 0;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long i = 0; i < both; i++) c[i] = a[i] * 1.5f;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : total)
    for (long i = both; i < w->m; i++) total += a[i];
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long i = both; i < w->n; i++) c[i] = 1.5f;
    sink = total;
}

enum { BLOCK = 4096 };

static void exponentials(const work *w) {
    const float *restrict a = w->a;
    float total = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : total)
    for (long block = 0; block < w->n * w->count / BLOCK; block++)
        for (long i = 0; i < BLOCK; i++) total += expf(a[i]);
    sink = total;
}

static work read_item(const char *item) {
    work w = {0};
    char left = 'N';
    char right = 'N';
    w.count = 1;
    if (sscanf(item, "gemm:%ld,%ld,%ld,%c%c,%ld", &w.m, &w.n, &w.k, &left, &right, &w.count) >= 3) {
        w.run = products;
        w.a = numbers((size_t)(w.m * w.k));
        w.b = numbers((size_t)(w.k * w.n));
        w.c = numbers((size_t)(w.m * w.n));
    } else if (sscanf(item, "gemv:%ld,%ld,%c,%ld", &w.m, &w.n, &left, &w.count) >= 2) {
        w.run = vectors;
        w.a = numbers((size_t)(w.m * w.n));
        w.b = numbers((size_t)(w.m + w.n));
        w.c = numbers((size_t)(w.m + w.n));
    } else if (sscanf(item, "pass:%ld,%ld", &w.m, &w.n) == 2) {
        w.run = pass;
        w.m /= (long)sizeof(float);
        w.n /= (long)sizeof(float);
        w.a = numbers((size_t)w.m);
        w.c = numbers((size_t)w.n);
    } else if (sscanf(item, "exp:%ld,%ld", &w.n, &w.count) == 2) {
        w.run = exponentials;
        w.a = numbers(BLOCK);
    } else {
        fprintf(stderr, "floor: what is %s?\n", item);
        exit(2);
    }
    w.left = left == 'T' ? CblasTrans : CblasNoTrans;
    w.right = right == 'T' ? CblasTrans : CblasNoTrans;
    return w;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: bench_floor THREADS SECONDS ITEM...\n");
        return 2;
    }
    threads = atoi(argv[1]);
    openblas_set_num_threads(threads);
    printf("openblas %s %s\n", openblas_get_config(), openblas_get_corename());
    double share = argc > 3 ? atof(argv[2]) / (argc - 3) : 0;
    for (int i = 3; i < argc; i++) {
        work w = read_item(argv[i]);
        w.run(&w);
        double finish = now() + share;
        double best = INFINITY;
        do {
            double start = now();
            w.run(&w);
            double took = now() - start;
            best = took < best ? took : best;
        } while (now() < finish);
        printf("floor %.9f %s\n", best, argv[i]);
    }
    return 0;
}
