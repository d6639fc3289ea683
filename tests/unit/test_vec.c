/* The vector functions: at every level that this processor has, in single and double, each CURVE
 * row of elementwise.def is within 2 units in the last place of its kernel evaluated in
 * long double, and gives the same bits wherever an element stands. Arguments: special values and
 * their neighbours, all exponents, random points where the function does something, large angles.
 *
 * With TG_VEC_TABLE set, the largest error of each is printed; TG_VEC_POINTS sets the number of
 * points, for long looks. */
#include "runtime/vec/vec.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#include <cmocka.h>

enum { BLOCK = 1024 };

typedef long double reference1(long double x);
typedef long double reference2(long double a, long double b);

/* gelu's own constant has the digits of a double, and erfc magnifies what is missing. */
#define SLOPE 1.12837916709551257389615890312154517L
static long double exact_gelu(long double x) {
    const long double high = 0x1.6a09e64p-1L, low = 0x1.3f9de6484597ep-28L; /* of sqrt(1/2) */
    long double xh = (long double)(float)x, xl = x - xh; /* all products below but the last exact */
    long double t = -x * (high + low);
    if (fabs(x) > 60) return x > 0 ? x : 0 * x;
    long double lost = ((-xh * high - t) - xl * high) - xh * low - xl * low;
    return x * ((erfc(t) - SLOPE * exp(-t * t) * lost) / 2);
}

#define T long double
#define ARITH1(...)
#define ARITH2(...)
#define ARITH3(...)
#define COMPARE(...)
#define CHOOSE(...)
#define LOGIC1(...)
#define LOGIC2(...)
#define CURVE1(NAME, X, EXPR, ...)                                                                 \
    static long double exact1_##NAME(long double X) {                                              \
        return EXPR;                                                                               \
    }
#define CURVE2(NAME, A, B, EXPR, ...)                                                              \
    static long double exact2_##NAME(long double A, long double B) {                               \
        return EXPR;                                                                               \
    }
#include "runtime/ops/elementwise.def"
#include "runtime/ops/elementwise_undef.h"

typedef struct row {
    const char *name;
    reference1 *one;
    reference2 *two;
} row;
#define ARITH1(NAME, ...) {#NAME, NULL, NULL},
#define ARITH2(NAME, ...) {#NAME, NULL, NULL},
#define ARITH3(NAME, ...) {#NAME, NULL, NULL},
#define COMPARE(NAME, ...) {#NAME, NULL, NULL},
#define CHOOSE(NAME, ...) {#NAME, NULL, NULL},
#define LOGIC1(NAME, ...) {#NAME, NULL, NULL},
#define LOGIC2(NAME, ...) {#NAME, NULL, NULL},
#define CURVE1(NAME, ...) {#NAME, exact1_##NAME, NULL},
#define CURVE2(NAME, ...) {#NAME, NULL, exact2_##NAME},
static const row rows[] = {
#include "runtime/ops/elementwise.def"
};
#include "runtime/ops/elementwise_undef.h"
#undef T
enum { ROWS = sizeof rows / sizeof rows[0] };

/* ---- arguments ---- */

static uint64_t state_of_random = 88172645463325252u;

static uint64_t draw(void) {
    uint64_t x = state_of_random;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return state_of_random = x;
}

static double between(double lo, double hi) {
    return lo + (hi - lo) * ((double)(draw() >> 11) * 0x1p-53);
}

static const double special[] = {
    0.0,      -0.0,    1,       -1,      0.5,       -0.5,      2,         -2,
    INFINITY, NAN,     DBL_MIN, DBL_MAX, 5e-324,    FLT_MIN,   FLT_MAX,   1.4e-45,
    709.78,   -745.13, -708.4,  88.72,   -103.97,   -87.33,    710.47,    89.41,
    1e5,      1e10,    1e22,    1e300,   1e38,      3.1415927, 1.5707963, 0.78539816,
    1e-8,     1e-16,   0.625,   0.70711, 1.41421,   0.41421,   -0.29289,  1e-300,
    -1e-8,    37.5,    -37.5,   13.3,    -13.3,     9.2,       27.2,      -38.4,
    19.06,    0x1p53,  0x1p24,  -0x1p53, 3,         -3,        0x1p-1022, 0x1p-126,
    4194304,  1e15,    39000,   1.1e7,   -INFINITY, 15,        26.5,      6.02e23};
enum { SPECIAL = sizeof special / sizeof special[0] };

/* The i-th argument, in double: one of four kinds by turns. */
static double argument(int64_t i, bool single) {
    switch (i % 4) {
    case 0: { /* around a special value */
        double x = special[draw() % SPECIAL];
        int steps = (int)(draw() % 9) - 4;
        for (; steps > 0; steps--)
            x = single ? (double)nextafterf((float)x, INFINITY) : nextafter(x, INFINITY);
        for (; steps < 0; steps++)
            x = single ? (double)nextafterf((float)x, -INFINITY) : nextafter(x, -INFINITY);
        return x;
    }
    case 1: { /* any exponent */
        double x = between(1, 2) * (draw() & 1 ? 1 : -1);
        return ldexp(x, (int)between(single ? -149 : -1074, single ? 128 : 1024));
    }
    case 2: return between(-1, 1) * pow(2, between(-8, 10));
    default: return between(-10, 10);
    }
}

/* ---- errors ---- */

/* How many units in the last place of a number of `digits` bits separate y from the exact value;
 * `least` is the exponent of the smallest normal number. */
static double ulps(double y, long double exact, int digits, int least, double largest) {
    if (exact != exact || y != y) return exact != exact && y != y ? 0 : INFINITY;
    long double top = (long double)largest * (1 + ldexp(1.0L, -digits));
    if (exact == 0) return y == 0 ? 0 : fabs(y) / ldexp(1.0, least - digits + 1);
    long double end = ldexp(1.0L, ilogb((long double)largest) + 1);
    if (fabs(exact) >= top) exact = exact > 0 ? end : -end;
    long double got = isinf(y) ? (y > 0 ? end : -end) : (long double)y;
    int e = ilogb(exact);
    if (e < least) e = least;
    if (fabs(exact) >= end) e = ilogb((long double)largest);
    return (double)(fabs(got - exact) / ldexp(1.0L, e - digits + 1));
}

typedef struct worst {
    double error, a, b, got;
    long double exact;
} worst;

static void look(worst *w, const row *r, double a, double b, double y, bool single) {
    long double exact = r->one ? r->one(a) : r->two(a, b);
    if (strcmp(r->name, "gelu") == 0) exact = exact_gelu(a);
    double e =
        single ? ulps(y, exact, 24, -126, (double)FLT_MAX) : ulps(y, exact, 53, -1022, DBL_MAX);
    if (!(e <= w->error)) *w = (worst){e, a, b, y, exact};
}

static union {
    float f[BLOCK + 64];
    double d[BLOCK + 64];
} in[2], out, moved;

static void fill(int k, int64_t i, double x, bool single) {
    if (single)
        in[k].f[i] = (float)x;
    else
        in[k].d[i] = x;
}

static double at(const void *p, int64_t i, bool single) {
    return single ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

static int64_t points(void) {
    const char *text = getenv("TG_VEC_POINTS");
    return text ? atoll(text) : 40000;
}

static worst sweep(const row *r, tg_inner_fn *f, bool single) {
    worst w = {0};
    int64_t size = single ? 4 : 8, step[3] = {size, size, size};
    char *p[3] = {(char *)&out, (char *)&in[0], (char *)&in[1]};
    for (int64_t i = 0; i < points(); i += BLOCK) {
        for (int64_t k = 0; k < BLOCK; k++) {
            fill(0, k, argument(i / BLOCK + k, single), single);
            fill(1, k, argument((int64_t)(draw() % 4), single), single);
        }
        f(BLOCK, p, step);
        for (int64_t k = 0; k < BLOCK; k++)
            look(&w, r, at(&in[0], k, single), at(&in[1], k, single), at(&out, k, single), single);
    }
    return w;
}

/* ---- tests ---- */

static void test_errors(void **state) {
    (void)state;
    const tg_vec *v;
    int bad = 0;
    for (int level = 0; (v = tg_vec_at(level)); level++)
        for (int i = 0; i < ROWS; i++)
            for (int t = 0; t < 2; t++) {
                if (!rows[i].one && !rows[i].two) continue;
                worst w = sweep(&rows[i], v->elementwise[i][t], t == 0);
                if (getenv("TG_VEC_TABLE") || !(w.error <= 2))
                    print_message("%-7s %-9s %s %5.2f ulp at (%.17g, %.17g): %.17g, not %.20Lg\n",
                                  v->name, rows[i].name, t == 0 ? "single" : "double", w.error, w.a,
                                  w.b, w.got, w.exact);
                bad += !(w.error <= 2);
            }
    assert_int_equal(bad, 0);
}

/* A run of one element, and runs at other places, over other strides and among other neighbours
 * give the same bits. */
static void test_places(void **state) {
    (void)state;
    const tg_vec *v;
    for (int level = 0; (v = tg_vec_at(level)); level++)
        for (int i = 0; i < ROWS; i++)
            for (int t = 0; t < 2; t++) {
                if (!rows[i].one && !rows[i].two) continue;
                bool single = t == 0;
                int64_t size = single ? 4 : 8, n = 333;
                for (int64_t k = 0; k < n; k++)
                    for (int a = 0; a < 2; a++) fill(a, k, argument(k, single), single);
                char *p[3] = {(char *)&out, (char *)&in[0], (char *)&in[1]};
                v->elementwise[i][t](n, p, (int64_t[]){size, size, size});
                for (int64_t k = 0; k < n; k++) {
                    int64_t count = 1 + (int64_t)(draw() % 37), s = 1 + (int64_t)(draw() % 3);
                    while (k + (count - 1) * s >= n) count--;
                    char *q[3] = {(char *)&moved, p[1] + k * size, p[2] + k * size};
                    v->elementwise[i][t](count, q, (int64_t[]){size, s * size, s * size});
                    for (int64_t j = 0; j < count; j++)
                        if (memcmp((char *)&moved + j * size, (char *)&out + (k + j * s) * size,
                                   (size_t)size) != 0)
                            fail_msg("%s %s: element %d differs at another place", v->name,
                                     rows[i].name, (int)(k + j * s));
                    q[1] = p[1] + k * size;
                    v->elementwise[i][t](1, q, (int64_t[]){0, 0, 0});
                    if (memcmp(&moved, (char *)&out + k * size, (size_t)size) != 0)
                        fail_msg("%s %s: element %d differs alone", v->name, rows[i].name, (int)k);
                }
            }
}

/* Lines on both sides of the lengths at which the way changes, more and fewer than are taken at
 * once: right, and the same alone as among others. */
static void check_lines(const tg_vec *v, int64_t n, bool logs) {
    enum { LINES = 19, STEP = 70 };
    static float x[LINES * STEP], made[LINES * STEP], alone[STEP];
    const tg_exponents *f = v->exponents;
    for (int i = 0; i < LINES * STEP; i++) x[i] = (float)(i * 7919 % 257 - 128) / 16;
    f->short_lines(LINES, n, x, STEP, 1, made, STEP, 1, logs);
    for (int64_t i = 0; i < LINES; i++) {
        const float *line = x + i * STEP;
        double sum = 0, most = 0;
        for (int64_t k = 0; k < n; k++) most = fmax(most, (double)line[k]);
        for (int64_t k = 0; k < n; k++) sum += exp((double)line[k] - most);
        for (int64_t k = 0; k < n; k++) {
            double by = (double)line[k] - most - log(sum), right = logs ? by : exp(by);
            if (!(fabs((double)made[i * STEP + k] - right) <= 4e-7 * fmax(fabs(right), logs)))
                fail_msg("%s: %d elements, line %d, element %d: %g, not %g", v->name, (int)n,
                         (int)i, (int)k, (double)made[i * STEP + k], right);
        }
        f->short_lines(1, n, line, STEP, 1, alone, STEP, 1, logs);
        assert_memory_equal(alone, made + i * STEP, (size_t)n * sizeof *alone);
    }
}

static void test_lines(void **state) {
    (void)state;
    static const int64_t lengths[] = {1, 2, 3, 10, 15, 16, 17, 31, 32, 33, 64, 70};
    const tg_vec *v;
    for (int i = 0; (v = tg_vec_at(i)); i++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
            for (int logs = 0; logs <= 1; logs++) check_lines(v, lengths[k], logs);
}

/* Sums and extremes piece by piece: right, and of the same bits at every level. */
static void check_pieces(int64_t height, int64_t cols) {
    enum { MOST = 20 * 70 };
    static float x[MOST];
    tg_acc first[3][71], acc[71];
    const tg_vec *v;
    for (int64_t i = 0; i < height * cols; i++) x[i] = (float)(i * 7919 % 257 - 128) / 17;
    for (int level = 0; (v = tg_vec_at(level)); level++)
        for (int kind = TG_PIECES_SUM; kind <= TG_PIECES_MIN; kind++) {
            double empty = kind == TG_PIECES_SUM ? 0 : kind == TG_PIECES_MAX ? -INFINITY : INFINITY;
            for (int k = 0; k < 71; k++) acc[k] = (tg_acc){empty, 0};
            v->pieces[kind].rows[0](height, cols, x, acc);
            v->pieces[kind].add[0](height * cols, x, &acc[70]);
            for (int64_t j = 0; j < cols; j++) {
                double right = empty;
                for (int64_t i = 0; i < height; i++) {
                    double y = (double)x[i * cols + j];
                    right = kind == TG_PIECES_SUM   ? right + y
                            : kind == TG_PIECES_MAX ? fmax(right, y)
                                                    : fmin(right, y);
                }
                assert_true(fabs(acc[j].hi + acc[j].lo - right) <= 1e-4);
            }
            if (level == 0) memcpy(first[kind], acc, sizeof acc);
            assert_memory_equal(acc, first[kind], sizeof acc);
        }
}

static void test_pieces(void **state) {
    (void)state;
    static const int64_t lengths[] = {1, 3, 15, 16, 17, 64, 70};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (int64_t height = 1; height <= 20; height += 3) check_pieces(height, lengths[k]);
}

static void test_choice(void **state) {
    (void)state;
    const tg_vec *first = tg_vec_now(), *v;
    assert_false(tg_vec_use("no such level"));
    assert_ptr_equal(tg_vec_now(), first);
    for (int i = 0; (v = tg_vec_at(i)); i++) {
        assert_true(tg_vec_use(v->name));
        assert_ptr_equal(tg_vec_now(), v);
    }
    assert_true(tg_vec_use(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_errors), cmocka_unit_test(test_places),
                                       cmocka_unit_test(test_lines), cmocka_unit_test(test_pieces),
                                       cmocka_unit_test(test_choice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
