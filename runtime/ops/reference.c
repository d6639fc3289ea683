/* Naive second implementations of the reductions, for the tests: for each result all elements are
 * visited in row-major order and those of its line are taken, in long double, by the definition. */
#include "runtime/ops/reduce.h"

#include <math.h>

/* The flat position of the result that element idx of the input belongs to. */
static int64_t line_of(const tg_view *in, uint64_t mask, const int64_t *idx) {
    int64_t flat = 0;
    for (int i = 0; i < in->rank; i++)
        if (!(mask >> i & 1)) flat = flat * in->dim[i] + idx[i];
    return flat;
}

typedef long double join_fn(long double acc, long double x);

/* The fold of the elements of one line, and their number. */
static long double fold(const tg_view *in, uint64_t mask, int64_t line, long double start,
                        join_fn *join, int64_t *count) {
    int64_t idx[TG_MAX_RANK] = {0}, flat = 0;
    long double acc = start;
    *count = 0;
    if (tg_view_count(in) == 0) return acc;
    do {
        if (line_of(in, mask, idx) == line) {
            acc = join(acc, (long double)tg_view_get(in, flat));
            ++*count;
        }
        flat++;
    } while (tg_view_step(in, idx));
    return acc;
}

static long double plus(long double a, long double x) {
    return a + x;
}
static long double times(long double a, long double x) {
    return a * x;
}
static long double plus_square(long double a, long double x) {
    return a + x * x;
}
static long double plus_exp(long double a, long double x) {
    return a + expl(x);
}
static long double larger(long double a, long double x) {
    return isnan(a) || a > x ? a : x;
}
static long double smaller(long double a, long double x) {
    return isnan(a) || a < x ? a : x;
}
static long double same(long double a, int64_t n) {
    return (void)n, a;
}
static long double over(long double a, int64_t n) {
    return a / (long double)n;
}
static long double root(long double a, int64_t n) {
    return (void)n, sqrtl(a);
}
static long double logarithm(long double a, int64_t n) {
    return (void)n, logl(a);
}

typedef long double end_fn(long double acc, int64_t count);

static bool reduce(const tg_call *call, long double start, join_fn *join, end_fn *end) {
    int64_t results = tg_view_count(call->out), count;
    for (int64_t i = 0; i < results; i++) {
        long double acc = fold(call->in, (uint64_t)call->at->v[0], i, start, join, &count);
        tg_view_set(call->out, i, (double)end(acc, count));
    }
    return true;
}

bool tg_reference_sum(const tg_call *call) {
    return reduce(call, 0, plus, same);
}
bool tg_reference_mean(const tg_call *call) {
    return reduce(call, 0, plus, over);
}
bool tg_reference_prod(const tg_call *call) {
    return reduce(call, 1, times, same);
}
bool tg_reference_norm(const tg_call *call) {
    return reduce(call, 0, plus_square, root);
}
bool tg_reference_logsumexp(const tg_call *call) {
    return reduce(call, 0, plus_exp, logarithm);
}

bool tg_reference_max(const tg_call *call) {
    return tg_check_lines(call, (uint64_t)call->at->v[0]) && reduce(call, -INFINITY, larger, same);
}

bool tg_reference_min(const tg_call *call) {
    return tg_check_lines(call, (uint64_t)call->at->v[0]) && reduce(call, INFINITY, smaller, same);
}

static bool exponential(const tg_call *call, bool logs) {
    const tg_view *in = call->in;
    uint64_t mask = (uint64_t)call->at->v[0];
    int64_t idx[TG_MAX_RANK] = {0}, flat = 0, count;
    if (tg_view_count(in) == 0) return true;
    do {
        long double x = (long double)tg_view_get(in, flat);
        long double total = fold(in, mask, line_of(in, mask, idx), 0, plus_exp, &count);
        tg_view_set(call->out, flat++, (double)(logs ? x - logl(total) : expl(x) / total));
    } while (tg_view_step(in, idx));
    return true;
}

bool tg_reference_softmax(const tg_call *call) {
    return exponential(call, false);
}
bool tg_reference_logsoftmax(const tg_call *call) {
    return exponential(call, true);
}
