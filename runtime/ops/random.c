/* Random tensors. Element i of a draw comes from block i / 2 of its own stream (see random.h), so
 * that it does not matter who computes which part when. Uniform numbers are the top bits of a
 * block; normal ones come in pairs by Box & Muller (1958); a permutation is Fisher & Yates's
 * shuffle as Durstenfeld (1964) has it, with its own stream as the source. A single is the double
 * cut to fewer bits, never rounded up to 1. */
#include "runtime/ops/random.h"
#include "runtime/ops/structure.h"
#include "runtime/pool/pool.h"

#include <math.h>
#include <string.h>

/* ---- Philox4x32-10 ---- */

static void multiply(uint32_t a, uint32_t b, uint32_t *high, uint32_t *low) {
    uint64_t product = (uint64_t)a * b;
    *high = (uint32_t)(product >> 32);
    *low = (uint32_t)product;
}

void tg_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint32_t high0, low0, high1, low1;
        multiply(0xD2511F53u, c[0], &high0, &low0);
        multiply(0xCD9E8D57u, c[2], &high1, &low1);
        c[0] = high1 ^ c[1] ^ k0;
        c[1] = low1;
        c[2] = high0 ^ c[3] ^ k1;
        c[3] = low0;
        k0 += 0x9E3779B9u; /* the golden ratio and sqrt(3) - 1, as Weyl sequences */
        k1 += 0xBB67AE85u;
    }
    memcpy(out, c, sizeof c);
}

/* ---- streams ---- */

typedef struct source {
    uint32_t key[2];
    uint64_t stream;
} source;

/* Steele, Lea, Flood 2014: mixes 64 bits so that near keys become far ones. */
static uint64_t splitmix(uint64_t x) {
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* The attributes end with stream and live flag where tg_random_attrs has been called: `own` are the
 * operation's. */
static source source_of(const tg_call *call, int own) {
    const tg_attrs *at = call->at;
    bool drawn = at->n >= own + 2, live = drawn && at->v[at->n - 1];
    uint64_t key = call->rt->seed;
    if (live) key = splitmix(key ^ splitmix(call->rt->tick));
    if (live && call->rt->turn) key = splitmix(key ^ splitmix(call->rt->turn));
    return (source){{(uint32_t)key, (uint32_t)(key >> 32)}, drawn ? (uint64_t)at->v[at->n - 2] : 0};
}

/* 128 bits: two words of 64. */
static void draw(const source *s, int64_t block, uint64_t word[2]) {
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)((uint64_t)block >> 32), (uint32_t)s->stream,
                           (uint32_t)(s->stream >> 32)};
    uint32_t out[4];
    tg_philox(counter, s->key, out);
    word[0] = (uint64_t)out[1] << 32 | out[0];
    word[1] = (uint64_t)out[3] << 32 | out[2];
}

void tg_random_attrs(tg_rt *rt, tg_attrs *at, bool live) {
    at->v[at->n++] = (int64_t)rt->stream++;
    at->v[at->n++] = live;
}

/* ---- kernels ---- */

static double unit(uint64_t word) {
    return (double)(word >> 11) * 0x1p-53;
} /* in [0, 1) */

static void put(const tg_view *out, int64_t i, double x) {
    if (out->dtype == TG_F64)
        ((double *)out->data)[i] = x;
    else
        ((float *)out->data)[i] = (float)x;
}

static int own_attrs(const tg_call *call, int shape) {
    return shape + 1 + (int)call->at->v[shape];
}

static bool infer_uniform(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    (void)n, (void)in, (void)want;
    out->dtype = rt->precision;
    out->weak = false;
    return tg_shape_of_attr(rt, op, at, 0, out);
}

/* A draw in parts of PART elements, which begin with a block. */
enum { PART = 1 << 14 };

typedef struct drawing {
    source s;
    tg_view *out;
    int64_t n;
    int64_t lo; /* randint: the least number, and how many there are */
    uint64_t range;
} drawing;

static int64_t end_of(const drawing *d, int64_t part) {
    return d->n - part * PART < PART ? d->n : (part + 1) * PART;
}

static bool run_drawing(const tg_call *call, drawing *d, double nanoseconds, tg_pool_body *body) {
    d->out = call->out;
    d->n = tg_view_count(call->out);
    return tg_pool_run(call->rt, (d->n + PART - 1) / PART, nanoseconds * (double)d->n, body, d);
}

static bool fill_rand(void *user, int64_t part) {
    const drawing *d = user;
    uint64_t word[2];
    bool single = d->out->dtype == TG_F32;
    for (int64_t i = part * PART, end = end_of(d, part); i < end; i++) {
        if (i % 2 == 0) draw(&d->s, i / 2, word);
        uint64_t w = word[i % 2];
        put(d->out, i, single ? (double)(w >> 40) * 0x1p-24 : unit(w));
    }
    return true;
}

static bool run_rand(const tg_call *call) {
    drawing d = {.s = source_of(call, own_attrs(call, 0))};
    return run_drawing(call, &d, 6, fill_rand);
}

static bool fill_randn(void *user, int64_t part) {
    const drawing *d = user;
    for (int64_t i = part * PART, end = end_of(d, part); i < end; i += 2) {
        uint64_t word[2];
        draw(&d->s, i / 2, word);
        double radius = sqrt(-2 * log(1 - unit(word[0]))); /* 1 - [0, 1) is never 0 */
        double angle = 2 * 3.141592653589793 * unit(word[1]);
        put(d->out, i, radius * cos(angle));
        if (i + 1 < end) put(d->out, i + 1, radius * sin(angle));
    }
    return true;
}

static bool run_randn(const tg_call *call) {
    drawing d = {.s = source_of(call, own_attrs(call, 0))};
    return run_drawing(call, &d, 20, fill_randn);
}

/* The high word of a product of 64 bits each: floor(x * n / 2^64), a number below n (Lemire 2019).
 * Its bias is below n / 2^64. */
static uint64_t below(uint64_t x, uint64_t n) {
    uint64_t x0 = x & 0xffffffffu, x1 = x >> 32, n0 = n & 0xffffffffu, n1 = n >> 32;
    uint64_t low = x0 * n0, mid = x1 * n0 + (low >> 32), mid2 = x0 * n1 + (mid & 0xffffffffu);
    return x1 * n1 + (mid >> 32) + (mid2 >> 32);
}

static bool infer_randint(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    (void)n, (void)in, (void)want;
    if (at->v[0] >= at->v[1])
        return tg_fail(&rt->c, TG_ERR_VALUE,
                       "randint: there is no whole number from %lld up to, but without, %lld",
                       (long long)at->v[0], (long long)at->v[1]);
    out->dtype = TG_I64;
    out->weak = false;
    return tg_shape_of_attr(rt, op, at, 2, out);
}

static bool fill_randint(void *user, int64_t part) {
    const drawing *d = user;
    uint64_t word[2];
    for (int64_t i = part * PART, end = end_of(d, part); i < end; i++) {
        if (i % 2 == 0) draw(&d->s, i / 2, word);
        ((int64_t *)d->out->data)[i] = d->lo + (int64_t)below(word[i % 2], d->range);
    }
    return true;
}

static bool run_randint(const tg_call *call) {
    int64_t lo = call->at->v[0];
    drawing d = {.s = source_of(call, own_attrs(call, 2)),
                 .lo = lo,
                 .range = (uint64_t)call->at->v[1] - (uint64_t)lo};
    return run_drawing(call, &d, 6, fill_randint);
}

static bool infer_permutation(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                              const tg_attrs *at, tg_type *out, tg_dtype *want) {
    (void)rt, (void)op, (void)n, (void)in, (void)want;
    out->dtype = TG_I64;
    out->weak = false;
    out->rank = 1;
    out->dim[0] = at->v[0];
    return true;
}

static bool run_permutation(const tg_call *call) {
    enum { LOOK = 1 << 16 }; /* exchanges from one look for an interrupt to the next */
    source s = source_of(call, 1);
    int64_t n = call->out->dim[0], *p = call->out->data;
    for (int64_t i = 0; i < n; i++) {
        p[i] = i;
        if (i % LOOK == 0 && !tg_check_interrupt(&call->rt->c)) return false;
    }
    uint64_t word[2];
    for (int64_t i = n - 1, k = 0; i > 0; i--, k++) {
        if (k % LOOK == 0 && !tg_check_interrupt(&call->rt->c)) return false;
        if (k % 2 == 0) draw(&s, k / 2, word);
        int64_t j = (int64_t)below(word[k % 2], (uint64_t)i + 1), other = p[j];
        p[j] = p[i];
        p[i] = other;
    }
    return true;
}

/* ---- the records ---- */

#define SHAPE                                                                                      \
    { "shape", TG_P_SHAPE, "()" }

static const tg_op ops[] = {
    {.name = "rand",
     .class = TG_CLASS_RANDOM,
     .param = {SHAPE},
     .infer = infer_uniform,
     .run = run_rand,
     TG_NO_SPELLINGS,
     .doc = "Random numbers, uniform from 0 up to, but without, 1.",
     .example = "all(rand(100) < 1)",
     .value = "true",
     .samples = "rand(2, 3)"},
    {.name = "randn",
     .class = TG_CLASS_RANDOM,
     .param = {SHAPE},
     .infer = infer_uniform,
     .run = run_randn,
     TG_NO_SPELLINGS,
     .doc = "Random numbers of the normal distribution with mean 0 and variance 1.",
     .example = "shape(randn(2, 3))",
     .value = "(2, 3)",
     .samples = "randn(2, 3)"},
    {.name = "randint",
     .class = TG_CLASS_RANDOM,
     .param = {{"lo", TG_P_INT, NULL}, {"hi", TG_P_INT, NULL}, SHAPE},
     .infer = infer_randint,
     .run = run_randint,
     TG_NO_SPELLINGS,
     .doc = "Random whole numbers from lo up to, but without, hi, each as likely.",
     .example = "max(randint(0, 10, 100)) < 10",
     .value = "true",
     .samples = "randint(-2, 5, 2, 3)"},
    {.name = "permutation",
     .class = TG_CLASS_RANDOM,
     .param = {{"n", TG_P_SIZE, NULL}},
     .infer = infer_permutation,
     .run = run_permutation,
     TG_NO_SPELLINGS,
     .doc = "The numbers 0 to n - 1 in a random order, each order as likely.",
     .example = "sort(permutation(4))",
     .value = "[0, 1, 2, 3]",
     .samples = "permutation(7)"},
};

const tg_op_table tg_ops_random = {ops, sizeof ops / sizeof *ops};
