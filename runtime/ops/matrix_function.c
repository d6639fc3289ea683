/* Functions of a square matrix, the exponential and whole powers, and the Kronecker product.
 *
 * expm: scaling and squaring with a Pade approximant (N. Higham, The scaling and squaring method
 * for the matrix exponential revisited, SIAM J. Matrix Anal. Appl. 26, 2005). matpow: by squaring,
 * of the inverse when the power is negative.
 *
 * The derivative of f at x in the direction e is a corner of f of a matrix twice as large,
 *
 *     f([x e; 0 x]) = [f(x) L(x, e); 0 f(x)],
 *
 * (Higham, Functions of Matrices, 2008, theorem 3.6); L is linear in e, and its adjoint is L(x',
 * g). So expm_frechet and matpow_frechet are that corner, and their own gradients the same identity
 * once more: all orders. Everything is computed in double, and rounded to single at the end. */
#include "base/alloc.h"
#include "runtime/ops/lapack.h"
#include "runtime/ops/linear.h"
#include "runtime/ops/structure.h"

#include <math.h>
#include <string.h>

/* ---- shape rules ---- */

static bool infer_function(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                           tg_type *out, tg_dtype *want) {
    (void)at;
    for (int i = 0; i < n; i++)
        if (in[i].rank < 2 || in[i].dim[in[i].rank - 1] != in[i].dim[in[i].rank - 2])
            return tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants a square matrix, but {%d} has shape %s",
                           op->name, i, tg_shape_text(rt, in[i].rank, in[i].dim));
    if (n == 2 && !tg_shape_equal(in[0].rank, in[0].dim, in[1].rank, in[1].dim))
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants {0} and {1} of one shape, not %s and %s",
                       op->name, tg_shape_text(rt, in[0].rank, in[0].dim),
                       tg_shape_text(rt, in[1].rank, in[1].dim));
    *out = in[0];
    out->dtype = tg_promote(rt, n, in);
    out->weak = false;
    for (int i = 0; i < n; i++) want[i] = out->dtype;
    return true;
}

/* ---- matrices of one size, in double, by rows ---- */

typedef struct square {
    const tg_part *p;
    int64_t n;
    double *room[8]; /* n * n each */
} square;

static tg_view view_of(const square *s, double *x) {
    tg_view v = tg_lapack_view(TG_F64, x, s->n, s->n, 1);
    v.stride[0] = s->n;
    return v;
}

/* out = a @ b, or out += a @ b */
static bool multiply(const square *s, double *out, double *a, double *b, bool add) {
    tg_view va = view_of(s, a), vb = view_of(s, b), vo = view_of(s, out);
    return tg_check_interrupt(&s->p->call->rt->c) &&
           tg_linear_gemm(s->p->call->rt, &va, &vb, &vo, 1, add);
}

static void set_identity(const square *s, double *x) {
    memset(x, 0, (size_t)(s->n * s->n) * sizeof *x);
    for (int64_t i = 0; i < s->n; i++) x[i * s->n + i] = 1;
}

/* x += c * y */
static void add_multiple(const square *s, double *x, double c, const double *y) {
    for (int64_t i = 0; i < s->n * s->n; i++) x[i] += c * y[i];
}

/* b = a^-1 b by LU, a is destroyed: the transposes of both, as LAPACK reads them, are solved for
 * from the right, so a and b must commute. Returns the first pivot that is 0, from 1. */
static int divide(const square *s, double *a, double *b) {
    int n = (int)s->n, zero = tg_getrf(TG_F64, n, n, a, n, s->p->ints);
    if (!zero) tg_getrs(TG_F64, n, n, a, n, s->p->ints, b, n);
    return zero;
}

/* ---- the exponential ---- */

static double norm_1(const square *s, const double *x) {
    double most = 0;
    for (int64_t j = 0; j < s->n; j++) {
        double sum = 0;
        for (int64_t i = 0; i < s->n; i++) sum += fabs(x[i * s->n + j]);
        if (!(sum <= most)) most = sum; /* a NaN stays */
    }
    return most;
}

/* The approximant of degree m, from the even powers of a: odd part times a, and even part. */
static bool pade(const square *s, int m, double *a, double *odd, double *even) {
    static const double b3[] = {120, 60, 12, 1}, b5[] = {30240, 15120, 3360, 420, 30, 1},
                        b7[] = {17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1},
                        b9[] = {17643225600, 8821612800, 2075673600, 302702400, 30270240,
                                2162160,     110880,     3960,       90,        1};
    const double *b = m == 3 ? b3 : m == 5 ? b5 : m == 7 ? b7 : b9;
    double *a2 = s->room[3], *power = s->room[4], *next = s->room[5], *u = s->room[6];
    if (!multiply(s, a2, a, a, false)) return false;
    set_identity(s, power);
    memset(u, 0, (size_t)(s->n * s->n) * sizeof *u);
    memset(even, 0, (size_t)(s->n * s->n) * sizeof *even);
    for (int k = 0; k <= m; k += 2) {
        add_multiple(s, even, b[k], power);
        add_multiple(s, u, b[k + 1], power);
        if (k + 2 > m) break;
        if (!multiply(s, next, power, a2, false)) return false;
        double *t = power;
        power = next;
        next = t;
    }
    return multiply(s, odd, a, u, false);
}

static bool pade_13(const square *s, double *a, double *odd, double *even) {
    static const double b[] = {64764752532480000,
                               32382376266240000,
                               7771770303897600,
                               1187353796428800,
                               129060195264000,
                               10559470521600,
                               670442572800,
                               33522128640,
                               1323241920,
                               40840800,
                               960960,
                               16380,
                               182,
                               1};
    double *a2 = s->room[3], *a4 = s->room[4], *a6 = s->room[5], *u = s->room[6], *w = s->room[7];
    size_t bytes = (size_t)(s->n * s->n) * sizeof *u;
    if (!multiply(s, a2, a, a, false) || !multiply(s, a4, a2, a2, false) ||
        !multiply(s, a6, a4, a2, false))
        return false;
    for (int part = 1; part >= 0; part--) { /* the odd coefficients, then the even ones */
        double *out = part ? u : even;
        memset(w, 0, bytes);
        add_multiple(s, w, b[12 + part], a6);
        add_multiple(s, w, b[10 + part], a4);
        add_multiple(s, w, b[8 + part], a2);
        set_identity(s, out);
        for (int64_t i = 0; i < s->n; i++) out[i * s->n + i] = b[part];
        add_multiple(s, out, b[6 + part], a6);
        add_multiple(s, out, b[4 + part], a4);
        add_multiple(s, out, b[2 + part], a2);
        if (!multiply(s, out, a6, w, true)) return false;
    }
    return multiply(s, odd, a, u, false);
}

/* room[0] = expm(room[0]) */
static bool exponential(square *s) {
    static const struct {
        int degree;
        double limit;
    } small[] = {{3, 1.495585217958292e-2},
                 {5, 2.539398330063230e-1},
                 {7, 9.504178996162932e-1},
                 {9, 2.097847961257068}};
    double *a = s->room[0], *odd = s->room[1], *even = s->room[2], norm = norm_1(s, a);
    int64_t count = s->n * s->n;
    int degree = 13, squarings = 0;
    if (!isfinite(norm)) {
        for (int64_t i = 0; i < count; i++) a[i] = (double)NAN;
        return true;
    }
    for (int i = 3; i >= 0; i--)
        if (norm <= small[i].limit) degree = small[i].degree;
    if (degree == 13) {
        frexp(norm / 5.371920351148152, &squarings);
        if (squarings < 0) squarings = 0;
        for (int64_t i = 0; i < count; i++) a[i] = ldexp(a[i], -squarings);
    }
    if (!(degree == 13 ? pade_13(s, a, odd, even) : pade(s, degree, a, odd, even))) return false;
    for (int64_t i = 0; i < count; i++) { /* (even - odd)^-1 (even + odd) */
        double e = even[i], o = odd[i];
        even[i] = e - o, a[i] = e + o;
    }
    divide(s, even, a); /* regular: the scaled norm is small */
    for (int k = 0; k < squarings; k++) {
        if (!multiply(s, odd, a, a, false)) return false;
        memcpy(a, odd, (size_t)count * sizeof *a);
    }
    return true;
}

/* ---- powers ---- */

static bool fail_power(const square *s, int zero) {
    tg_ctx *c = &s->p->call->rt->c;
    tg_fail(c, TG_ERR_VALUE, "{0} is singular%s (pivot %d is 0): it has no negative power",
            tg_part_place(s->p).text, zero - 1);
    return tg_help(c, "pinv({0}) is the pseudoinverse");
}

/* room[0] = room[0]^power */
static bool raise_to(square *s, int64_t power) {
    double *x = s->room[0], *made = s->room[1], *spare = s->room[2];
    size_t bytes = (size_t)(s->n * s->n) * sizeof *x;
    uint64_t k = power < 0 ? 0 - (uint64_t)power : (uint64_t)power;
    set_identity(s, made);
    if (power < 0) {
        int zero = divide(s, x, made);
        if (zero) return fail_power(s, zero);
        memcpy(x, made, bytes);
        set_identity(s, made);
    }
    for (; k; k >>= 1) {
        if (k & 1) {
            if (!multiply(s, spare, made, x, false)) return false;
            memcpy(made, spare, bytes);
        }
        if (k < 2) break;
        if (!multiply(s, spare, x, x, false)) return false;
        memcpy(x, spare, bytes);
    }
    memcpy(x, made, bytes);
    return true;
}

/* ---- kernels ---- */

static bool has_direction(const tg_op *op) {
    return op->param[1].name && op->param[1].kind == TG_P_TENSOR;
}

/* Scratch is of doubles, whatever the type. */
static bool function_part(const tg_part *p) {
    bool corner = has_direction(p->call->op);
    int64_t n = p->in[0].dim[0];
    square s = {.p = p, .n = corner ? 2 * n : n};
    if (n == 0) return true;
    for (int i = 0; i < 8; i++) s.room[i] = (double *)p->work + i * s.n * s.n;
    memset(s.room[0], 0, (size_t)(s.n * s.n) * sizeof(double));
    tg_view all = view_of(&s, s.room[0]);
    for (int i = 0; i < 2 && corner; i++) { /* [x e; 0 x] */
        tg_view own = tg_view_narrow(&all, 0, i * n, n), block = tg_view_narrow(&own, 1, i * n, n);
        tg_view_copy(&block, &p->in[0]);
    }
    tg_view rows = tg_view_narrow(&all, 0, 0, n), result = tg_view_narrow(&rows, 1, s.n - n, n);
    tg_view_copy(&result, &p->in[corner]);
    bool power = p->call->op->param[corner + 1].name != NULL;
    if (!(power ? raise_to(&s, p->call->at->v[0]) : exponential(&s))) return false;
    tg_view_copy(&p->out, &result);
    return true;
}

static bool run_function(const tg_call *call) {
    int64_t n = call->in[0].dim[call->in[0].rank - 1], size = has_direction(call->op) ? 2 * n : n;
    int64_t squares = call->in[0].dtype == TG_F64 ? 8 : 16;
    const tg_walk w = {{2, 2}, 2, tg_lapack_room(squares * size, size, 0), (size_t)size};
    return tg_lapack_check_sizes(call, true) && tg_lapack_each(call, &w, function_part);
}

/* ---- the Kronecker product ---- */

static bool infer_kron(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    if (in[0].rank != in[1].rank || in[0].rank < 1 || in[0].rank > 2)
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "kron wants two matrices or two vectors, but {0} has shape %s and {1} %s",
                       tg_shape_text(rt, in[0].rank, in[0].dim),
                       tg_shape_text(rt, in[1].rank, in[1].dim));
    *out = in[0];
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = tg_size_times(rt, in[0].dim[i], in[1].dim[i]);
        if (out->dim[i] == TG_SIZE_FAIL) return false;
    }
    out->dtype = want[0] = want[1] = tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

/* Block [i, j] of the result is a[i, j] * b. */
static bool run_kron(const tg_call *call) {
    tg_view a = call->in[0], b = call->in[1], out = *call->out;
    if (a.rank == 1) { /* rows */
        tg_view *v[3] = {&a, &b, &out};
        for (int i = 0; i < 3; i++) {
            v[i]->rank = 2;
            v[i]->dim[1] = v[i]->dim[0], v[i]->stride[1] = v[i]->stride[0];
            v[i]->dim[0] = 1;
        }
    }
    enum { LOOK = 1 << 16 }; /* values from one look for an interrupt to the next */
    tg_dtype t = out.dtype;
    int64_t width = out.dim[1];
    for (int64_t i = 0; i < out.dim[0]; i++)
        for (int64_t j = 0; j < width; j++) {
            if ((i * width + j) % LOOK == 0 && !tg_check_interrupt(&call->rt->c)) return false;
            int64_t pa = i / b.dim[0] * a.stride[0] + j / b.dim[1] * a.stride[1];
            int64_t pb = i % b.dim[0] * b.stride[0] + j % b.dim[1] * b.stride[1];
            tg_lapack_set(t, out.data, i * width + j,
                          tg_lapack_get(t, a.data, pa) * tg_lapack_get(t, b.data, pb));
        }
    return true;
}

/* ---- records ---- */

#define DIRECTION                                                                                  \
    .class = TG_CLASS_LINEAR, .infer = infer_function, .run = run_function, .takes_room = true
/* The block of a matrix of 2 by 2 blocks that are shaped like x. */
#define BLOCK(m, i, j)                                                                             \
    "narrow(narrow(" m ", -2, " #i " * size(x, -2), size(x, -2)), -1, " #j                         \
    " * size(x, -1), size(x, -1))"
#define BLOCKS(a, b, c, d)                                                                         \
    "concat([concat([" a ", " b "], axis=-1), concat([" c ", " d "], axis=-1)], axis=-2)"
/* By the identity above for the matrix [x e; 0 x] in the direction [0 g; 0 0]. */
#define TWICE(f, rest)                                                                             \
    f "(" BLOCKS("x'", "zeros(shape(x))", "e'", "x'") ", " BLOCKS(                                 \
        "zeros(shape(x))", "g", "zeros(shape(x))", "zeros(shape(x))") rest ")"
#define SECOND(f, rest) BLOCK(TWICE(f, rest), 0, 0) " + " BLOCK(TWICE(f, rest), 1, 1)
/* g by the four axes of a and b, [a0, a1] and [b0, b1] side by side */
#define UNKRON                                                                                     \
    "reshape(transpose(reshape(g, size(a, 0), size(b, 0), size(a, 1), size(b, 1)), (0, 2, 1, "     \
    "3)), "                                                                                        \
    "size(a), size(b))"

static const tg_op ops[] = {
    {.name = "expm",
     .cubic = {20, 0},
     DIRECTION,
     .param = {{"x", TG_P_TENSOR, NULL}},
     .grad = {"expm_frechet(x', g)"},
     .latex = "e^{{0}}",
     .numpy = "_expm({0})",
     .torch = "torch.linalg.matrix_exp({0})",
     .c = "!tg_expm({out}, {number}, {list})",
     .doc = "The exponential of a square matrix, the sum of its powers over factorials.",
     .example = "expm([[0, 1], [0, 0]])",
     .value = "[[1, 1], [0, 1]]",
     .samples = "x[3,3] small: expm(x) | x[1,1]: expm(x) | x[2,2,2] small: expm(x) | x[4,4] small: "
                "expm(x * 8)"},
    {.name = "expm_frechet",
     .cubic = {60, 0},
     DIRECTION,
     .param = {{"x", TG_P_TENSOR, NULL}, {"e", TG_P_TENSOR, NULL}},
     .grad = {SECOND("expm_frechet", ""), "expm_frechet(x', g)"},
     .numpy = "_frechet(_expm, {0}, {1})",
     .torch = "_frechet(torch.linalg.matrix_exp, {0}, {1})",
     .c = "!tg_expm({out}, {number}, {list})",
     .doc = "The derivative of expm at x in the direction e.",
     .example = "expm_frechet(eye(2), [[1, 2], [3, 4]])",
     .value = "[[2.7183,  5.4366], [8.1548, 10.8731]]",
     .samples =
         "x[3,3] small, y[3,3]: expm_frechet(x, y) | x[2,2,2] small, y[2,2,2]: expm_frechet(x, y)"},
    {.name = "matpow",
     .cubic = {10, 0},
     DIRECTION,
     .param = {{"x", TG_P_TENSOR, NULL}, {"n", TG_P_INT, NULL}},
     .grad = {"matpow_frechet(x', g, n)"},
     .latex = "{0}^{{n}}",
     .numpy = "np.linalg.matrix_power({0}, {n})",
     .torch = "torch.linalg.matrix_power({0}, {n})",
     .c = "!tg_matpow({out}, {number}, {list}, {n})",
     .doc = "The n-th power of a square matrix, for a whole n; matpow(x, -1) is the inverse.",
     .example = "matpow([[1, 1], [0, 1]], 5)",
     .value = "[[1, 5], [0, 1]]",
     .samples =
         "x[3,3]: matpow(x, 3) | x[3,3] regular: matpow(x, -2) | x[3,3]: matpow(x, 0) | x[2,2,2]: "
         "matpow(x, 5) | x[2,2]: matpow(x, 1)"},
    {.name = "matpow_frechet",
     .cubic = {30, 0},
     DIRECTION,
     .param = {{"x", TG_P_TENSOR, NULL}, {"e", TG_P_TENSOR, NULL}, {"n", TG_P_INT, NULL}},
     .grad = {SECOND("matpow_frechet", ", n"), "matpow_frechet(x', g, n)"},
     .numpy = "_frechet(lambda x: np.linalg.matrix_power(x, {n}), {0}, {1})",
     .torch = "_frechet(lambda x: torch.linalg.matrix_power(x, {n}), {0}, {1})",
     .c = "!tg_matpow({out}, {number}, {list}, {n})",
     .doc =
         "The derivative of matpow at x in the direction e: the sum of x^k @ e @ x^(n-1-k) over k.",
     .example = "matpow_frechet(eye(2), [[1, 2], [3, 4]], 3)",
     .value = "[[3,  6], [9, 12]]",
     .samples =
         "x[3,3], y[3,3]: matpow_frechet(x, y, 3) | x[2,2] regular, y[2,2]: matpow_frechet(x, y, "
         "-2) | x[2,2,2], y[2,2,2]: matpow_frechet(x, y, 2)"},
    {.name = "kron",
     .effort = 1,
     .class = TG_CLASS_LINEAR,
     .param = {{"a", TG_P_TENSOR, NULL}, {"b", TG_P_TENSOR, NULL}},
     .infer = infer_kron,
     .run = run_kron,
     .grad = {"where(rank(a) == 1, reshape(g, size(a), size(b)) @ b, reshape(" UNKRON
              " @ flatten(b), shape(a)))",
              "where(rank(a) == 1, a @ reshape(g, size(a), size(b)), reshape(flatten(a) @ " UNKRON
              ", shape(b)))"},
     .latex = "{0} \\otimes {1}",
     .numpy = "np.kron({0}, {1})",
     .torch = "torch.kron({0}, {1})",
     .c = "tg_kron({out}, {0}, {1})",
     .doc =
         "The Kronecker product: the matrix of blocks a[i, j] * b; of vectors, a[i] * b one after "
         "the other.",
     .example = "kron([[1, 2]], [[1], [1]])",
     .value = "[[1, 2], [1, 2]]",
     .samples = "x[2,3], y[3,2]: kron(x, y) | x[2], y[3]: kron(x, y) | x[1,2], y[2,1]: kron(x, y)"},
};

const tg_op_table tg_ops_matrix_function = {ops, sizeof ops / sizeof *ops};
