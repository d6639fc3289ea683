/* Systems of linear equations: inverse, determinant, and solutions, by LU with partial pivoting, by
 * triangles, and by Cholesky's square root. Golub & Van Loan, Matrix Computations, 4th ed. 2013,
 * chapters 3 and 4.
 *
 * The gradients are those of the Matrix Cookbook (Petersen & Pedersen 2012, sections 2.1 and 2.2)
 * and of M. Giles, An extended collection of matrix derivative results, 2008; that of cholesky is
 * in I. Murray, Differentiation of the Cholesky decomposition, 2016, equation 10. All are written
 * so that leading axes are a batch, as in matmul.
 *
 * A matrix is singular when a pivot is exactly 0; that is an error where a result does not exist
 * (inv, solve), and a value where it does (det is 0, logdet -inf). cholesky takes the symmetric
 * part of its argument, (x + x') / 2, so that its gradient is the derivative by each element. */
#include "runtime/ops/lapack.h"
#include "runtime/ops/structure.h"

#include <math.h>
#include <string.h>

/* ---- shape rules ---- */

static bool check_square(tg_rt *rt, const tg_op *op, int i, const tg_type *t, bool invertible) {
    if (t->rank >= 2 && t->dim[t->rank - 1] == t->dim[t->rank - 2]) return true;
    tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants a square matrix, but {%d} has shape %s", op->name, i,
            tg_shape_text(rt, t->rank, t->dim));
    if (t->rank >= 2 && invertible)
        tg_help(&rt->c, "pinv and lstsq serve matrices that are not square");
    return false;
}

static bool is_inverting(const tg_op *op) {
    return strcmp(op->name, "inv") == 0 || strcmp(op->name, "solve") == 0;
}

static bool infer_square(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    (void)at;
    if (!check_square(rt, op, 0, &in[0], is_inverting(op))) return false;
    *out = in[0];
    out->dtype = want[0] = tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

/* One number for each matrix. */
static bool infer_number(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    if (!infer_square(rt, op, n, in, at, out, want)) return false;
    out->rank -= 2;
    return true;
}

static bool infer_solve(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)at;
    const tg_type *a = &in[0], *b = &in[1];
    if (!check_square(rt, op, 0, a, is_inverting(op))) return false;
    if (b->rank == 0)
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "%s wants a vector or a matrix on the right side, but {1} is a scalar",
                       op->name);
    if (b->rank == 1 && a->rank > 2) {
        tg_fail(&rt->c, TG_ERR_SHAPE,
                "%s of a batch of matrices wants a batch of right sides, but "
                "{1} is a vector",
                op->name);
        return tg_help(&rt->c, "unsqueeze({1}, 1) is a matrix of one column");
    }
    tg_size rows = b->dim[b->rank > 1 ? b->rank - 2 : 0];
    if (rows != a->dim[a->rank - 1])
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "%s wants a right side of %s rows, as {0} has, but {1} "
                       "has %s",
                       op->name, tg_size_word(rt, a->dim[a->rank - 1]).text,
                       tg_size_word(rt, rows).text);
    *out = *b;
    if (b->rank > 1) {
        int batch_a = a->rank - 2, batch_b = b->rank - 2,
            batch = batch_a > batch_b ? batch_a : batch_b;
        for (int i = 0; i < batch; i++) {
            int ia = i - batch + batch_a, ib = i - batch + batch_b;
            tg_size da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
            if (da != db && da != 1 && db != 1)
                return tg_fail(
                    &rt->c, TG_ERR_SHAPE, "the batches %s of {0} and %s of {1} do not fit",
                    tg_shape_text(rt, batch_a, a->dim), tg_shape_text(rt, batch_b, b->dim));
            out->dim[i] = da == 1 ? db : da;
        }
        out->rank = batch + 2;
        out->dim[batch] = rows;
        out->dim[batch + 1] = b->dim[b->rank - 1];
    }
    out->dtype = want[0] = want[1] = tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

/* ---- errors ---- */

/* A 0 in the diagonal of U at `pivot`, counted from 1. */
static bool fail_singular(const tg_part *p, int pivot, const char *help) {
    tg_ctx *c = &p->call->rt->c;
    if (pivot == 1)
        tg_fail(c, TG_ERR_VALUE, "{0} is singular%s: its column 0 is all zeros",
                tg_part_place(p).text);
    else
        tg_fail(c, TG_ERR_VALUE,
                "{0} is singular%s: its column %d is a linear combination of the columns before it",
                tg_part_place(p).text, pivot - 1);
    return tg_help(c, "%s; or add 1e-6 * eye(%lld) to {0}", help, (long long)p->in[0].dim[0]);
}

/* ---- LU ---- */

/* x = P L U in scratch; returns the first pivot that is 0, counted from 1, or 0. */
static int factor(const tg_part *p) {
    int n = (int)p->in[0].dim[0];
    if (n == 0) return 0;
    tg_lapack_load(p->work, n, &p->in[0]);
    return tg_getrf(p->in[0].dtype, n, n, p->work, n, p->ints);
}

static tg_walk square_walk(const tg_call *call, int out) {
    int64_t n = call->in[0].dim[call->in[0].rank - 1];
    return (tg_walk){{2, 2}, out, tg_lapack_room(n, n, 0), (size_t)n};
}

/* The inverse of the factored matrix, in its place. The scratch has 64 rows more. */
static void invert(const tg_part *p) {
    int n = (int)p->in[0].dim[0];
    tg_dtype t = p->in[0].dtype;
    tg_getri(t, n, p->work, n, p->ints, tg_lapack_at(t, p->work, (int64_t)n * n), 64 * n);
}

static bool inv_part(const tg_part *p) {
    int n = (int)p->in[0].dim[0], zero = factor(p);
    if (n == 0) return true;
    if (zero) return fail_singular(p, zero, "pinv({0}) is the pseudoinverse");
    invert(p);
    tg_lapack_store(&p->out, p->work, n);
    return true;
}

static tg_walk inverse_walk(const tg_call *call) {
    tg_walk w = square_walk(call, 2);
    int64_t n = call->in[0].dim[call->in[0].rank - 1];
    w.elements = tg_lapack_room(n, n + 64, 0);
    return w;
}

static bool run_inv(const tg_call *call) {
    const tg_walk w = inverse_walk(call);
    return tg_lapack_check_sizes(call, true) && tg_lapack_each(call, &w, inv_part);
}

/* The sign of the determinant and the logarithm of its absolute value; 0 and -inf: singular. */
static int sign_and_log(const tg_part *p, double *log_abs) {
    int n = (int)p->in[0].dim[0], sign = 1;
    *log_abs = 0;
    factor(p);
    for (int i = 0; i < n; i++) {
        double u = tg_lapack_get(p->in[0].dtype, p->work, (int64_t)i * n + i);
        if ((u < 0) != (p->ints[i] != i + 1)) sign = -sign;
        if (u == 0) sign = 0;
        *log_abs += log(fabs(u));
        if (u == 0) return *log_abs = -INFINITY, 0;
    }
    return sign;
}

static bool det_part(const tg_part *p) {
    int n = (int)p->in[0].dim[0];
    double det = 1;
    factor(p);
    for (int i = 0; i < n; i++) {
        double u = tg_lapack_get(p->in[0].dtype, p->work, (int64_t)i * n + i);
        det *= p->ints[i] == i + 1 ? u : -u;
    }
    tg_view_set(&p->out, 0, det);
    return true;
}

static bool logabsdet_part(const tg_part *p) {
    double x;
    sign_and_log(p, &x);
    tg_view_set(&p->out, 0, x);
    return true;
}

static bool signdet_part(const tg_part *p) {
    double x;
    int sign = sign_and_log(p, &x);
    tg_view_set(&p->out, 0, x == x ? (double)sign : (double)NAN);
    return true;
}

static bool logdet_part(const tg_part *p) {
    double x;
    bool negative = sign_and_log(p, &x) < 0 && x == x;
    if (negative && !p->call->at->v[0]) {
        tg_ctx *c = &p->call->rt->c;
        tg_fail(c, TG_ERR_VALUE, "the determinant of {0}%s is negative, %.5g: it has no logarithm",
                tg_part_place(p).text, -exp(x));
        return tg_help(c, "logabsdet({0}) is the logarithm of its absolute value");
    }
    tg_view_set(&p->out, 0, negative ? NAN : x);
    return true;
}

static bool run_number(const tg_call *call, tg_part_fn *fn) {
    const tg_walk w = square_walk(call, 0);
    return tg_lapack_check_sizes(call, true) && tg_lapack_each(call, &w, fn);
}
static bool run_det(const tg_call *call) {
    return run_number(call, det_part);
}
static bool run_logabsdet(const tg_call *call) {
    return run_number(call, logabsdet_part);
}
static bool run_signdet(const tg_call *call) {
    return run_number(call, signdet_part);
}
static bool run_logdet(const tg_call *call) {
    return run_number(call, logdet_part);
}

/* The element of scratch at row i and column j, counted around. */
static double around(const tg_part *p, int64_t i, int64_t j) {
    int64_t n = p->in[0].dim[0];
    return tg_lapack_get(p->in[0].dtype, p->work, (j % n) * n + i % n);
}

/* By the definition: small determinants. */
static void small_cofactors(const tg_part *p) {
    int64_t n = p->in[0].dim[0];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double x = 1;
            if (n == 2) x = around(p, i + 1, j + 1) * (i == j ? 1 : -1);
            if (n == 3)
                x = around(p, i + 1, j + 1) * around(p, i + 2, j + 2) -
                    around(p, i + 1, j + 2) * around(p, i + 2, j + 1);
            tg_view_set(&p->out, i * n + j, x);
        }
}

/* det(x) * inv(x)' is a polynomial in the elements of x, and so moves by rounding errors only when
 * a pivot that is 0 is made as small as a rounding error. */
static bool cofactor_part(const tg_part *p) {
    int64_t n = p->in[0].dim[0];
    tg_dtype t = p->in[0].dtype;
    if (n == 0) return true;
    tg_lapack_load(p->work, n, &p->in[0]);
    double largest = tg_lapack_largest(t, p->work, n * n), det = 1;
    if (n <= 3) {
        small_cofactors(p);
        return true;
    }
    if (largest == 0) {
        tg_view_fill(&p->out, 0);
        return true;
    }
    factor(p);
    for (int64_t i = 0; i < n; i++) {
        double u = tg_lapack_get(t, p->work, i * n + i);
        if (u == 0) tg_lapack_set(t, p->work, i * n + i, u = largest * tg_lapack_epsilon(t));
        det *= p->ints[i] == i + 1 ? u : -u;
    }
    invert(p);
    for (int64_t i = 0; i < n * n; i++)
        tg_lapack_set(t, p->work, i, det * tg_lapack_get(t, p->work, i));
    tg_view turned = tg_lapack_view(t, p->work, n, n, n);
    turned.stride[0] = n, turned.stride[1] = 1;
    tg_view_copy(&p->out, &turned);
    return true;
}

static bool run_cofactor(const tg_call *call) {
    const tg_walk w = inverse_walk(call);
    return tg_lapack_check_sizes(call, true) && tg_lapack_each(call, &w, cofactor_part);
}

/* ---- solve ---- */

static int64_t columns(const tg_view *b) {
    return b->rank > 1 ? b->dim[1] : 1;
}

static bool solve_part(const tg_part *p) {
    int n = (int)p->in[0].dim[0], k = (int)columns(&p->in[1]), zero = factor(p);
    tg_dtype t = p->in[0].dtype;
    void *b = tg_lapack_at(t, p->work, (int64_t)n * n);
    if (n == 0 || k == 0) return true;
    if (zero) return fail_singular(p, zero, "lstsq({0}, {1}) gives the solution of least squares");
    tg_lapack_load(b, n, &p->in[1]);
    tg_getrs(t, n, k, p->work, n, p->ints, b, n);
    tg_lapack_store(&p->out, b, n);
    return true;
}

static bool triangle_part(const tg_part *p) {
    int n = (int)p->in[0].dim[0], k = (int)columns(&p->in[1]);
    tg_dtype t = p->in[0].dtype;
    void *b = tg_lapack_at(t, p->work, (int64_t)n * n);
    if (n == 0 || k == 0) return true;
    tg_lapack_load(p->work, n, &p->in[0]);
    tg_lapack_load(b, n, &p->in[1]);
    bool lower = strcmp(p->call->op->name, "solve_lower") == 0;
    int zero = tg_trtrs(t, lower, n, k, p->work, n, b, n);
    if (zero)
        return tg_fail(&p->call->rt->c, TG_ERR_VALUE,
                       "{0} is singular%s: its diagonal element [%d, %d] is 0",
                       tg_part_place(p).text, zero - 1, zero - 1);
    tg_lapack_store(&p->out, b, n);
    return true;
}

static bool solve(const tg_call *call, tg_part_fn *fn) {
    bool vector = call->in[1].rank == 1;
    int64_t n = call->in[0].dim[call->in[0].rank - 1];
    int64_t k = vector ? 1 : call->in[1].dim[call->in[1].rank - 1];
    const tg_walk w = {{2, vector ? 1 : 2}, vector ? 1 : 2, tg_lapack_room(n, n + k, 0), (size_t)n};
    return tg_lapack_check_sizes(call, false) && tg_lapack_each(call, &w, fn);
}
static bool run_solve(const tg_call *call) {
    return solve(call, solve_part);
}
static bool run_triangle(const tg_call *call) {
    return solve(call, triangle_part);
}

/* ---- cholesky ---- */

static bool cholesky_part(const tg_part *p) {
    int64_t n = p->in[0].dim[0];
    tg_dtype t = p->in[0].dtype;
    if (n == 0) return true;
    tg_lapack_load(p->work, n, &p->in[0]);
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j + 1; i < n; i++) {
            double low = tg_lapack_get(t, p->work, j * n + i),
                   high = tg_lapack_get(t, p->work, i * n + j);
            tg_lapack_set(t, p->work, j * n + i, low / 2 + high / 2);
            tg_lapack_set(t, p->work, i * n + j, 0);
        }
    if (isnan(tg_lapack_largest(t, p->work, n * n))) {
        tg_view_fill(&p->out, NAN);
        return true;
    }
    int minor = tg_potrf_lower(t, (int)n, p->work, (int)n);
    if (minor) {
        tg_ctx *c = &p->call->rt->c;
        tg_fail(c, TG_ERR_VALUE,
                "{0} is not positive definite%s: its leading minor of size %d is not positive",
                tg_part_place(p).text, minor);
        return tg_help(c, "eigvalsh({0}) shows its eigenvalues; {0} + c * eye(%lld) adds c to each",
                       (long long)n);
    }
    tg_lapack_store(&p->out, p->work, n);
    return true;
}

static bool run_cholesky(const tg_call *call) {
    const tg_walk w = square_walk(call, 2);
    return tg_lapack_check_sizes(call, true) && tg_lapack_each(call, &w, cholesky_part);
}

/* ---- records ---- */

#define MATRIX .class = TG_CLASS_LINEAR, .param = {{"x", TG_P_TENSOR, NULL}}, .infer = infer_square
#define NUMBER .class = TG_CLASS_LINEAR, .param = {{"x", TG_P_TENSOR, NULL}}, .infer = infer_number
#define SOLVE                                                                                      \
    .class = TG_CLASS_LINEAR, .param = {{"a", TG_P_TENSOR, NULL}, {"b", TG_P_TENSOR, NULL}},       \
    .infer = infer_solve
/* A number for each matrix, in front of matrices. */
#define EACH(number)                                                                               \
    "where(rank(x) == 2, " number ", unsqueeze(unsqueeze(" number ", axis=-1), axis=-1))"
#define SQUARES(name)                                                                              \
    "x[3,3] regular: " name "(x) | x[1,1] regular: " name "(x) | x[2,3,3] regular: " name          \
    "(x) | x[5,5] regular: " name "(x)"

static const tg_op ops[] = {
    {.name = "inv",
     .cubic = {2, 0},
     MATRIX,
     .run = run_inv,
     .takes_room = true,
     .grad = {"-out' @ g @ out'"},
     .latex = "{0}^{-1}",
     .numpy = "np.linalg.inv({0})",
     .torch = "torch.linalg.inv({0})",
     .c = "!tg_inverse({out}, {0})",
     .doc = "The inverse of a square matrix; a singular one is an error.",
     .example = "inv([[0, 1], [2, 0]])",
     .value = "[[0, 0.5], [1, 0.0]]",
     .samples = SQUARES("inv")},
    {.name = "det",
     .cubic = {2.0 / 3, 0},
     NUMBER,
     .run = run_det,
     .takes_room = true,
     .grad = {EACH("(g * out)") " * inv(x)'"},
     .latex = "\\det {0}",
     .numpy = "np.linalg.det({0})",
     .torch = "torch.linalg.det({0})",
     .c = "!tg_determinant({out}, {0}, 0)",
     .doc = "The determinant of a square matrix.",
     .example = "det([[1, 2], [3, 4]])",
     .value = "-2",
     .samples = SQUARES("det")},
    {.name = "logdet",
     .cubic = {2.0 / 3, 0},
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}, {"nan", TG_P_FLAG, "false"}},
     .infer = infer_number,
     .run = run_logdet,
     .takes_room = true,
     .grad = {EACH("g") " * inv(x)'"},
     .latex = "\\log\\det {0}",
     .numpy = "_logdet({0})",
     .torch = "torch.logdet({0})",
     .c = "!tg_determinant({out}, {0}, {nan} ? 1 : 4)",
     .doc = "The logarithm of the determinant, without overflow; a negative determinant is an "
            "error, or "
            "NaN with nan=true.",
     .example = "logdet([[2, 0], [0, 3]])",
     .value = "1.7918",
     .samples = SQUARES("logdet") " | x[2,2] regular: logdet(x, nan=true)"},
    {.name = "logabsdet",
     .cubic = {2.0 / 3, 0},
     NUMBER,
     .run = run_logabsdet,
     .takes_room = true,
     .grad = {EACH("g") " * inv(x)'"},
     .latex = "\\log\\left|\\det {0}\\right|",
     .numpy = "np.linalg.slogdet({0})[1]",
     .torch = "torch.linalg.slogdet({0})[1]",
     .c = "!tg_determinant({out}, {0}, 2)",
     .doc = "The logarithm of the absolute value of the determinant, without overflow.",
     .example = "logabsdet([[1, 2], [3, 4]])",
     .value = "0.69315",
     .samples = SQUARES("logabsdet")},
    {.name = "signdet",
     .cubic = {2.0 / 3, 0},
     NUMBER,
     .run = run_signdet,
     .takes_room = true,
     .grad = {TG_GRAD_ZERO},
     .numpy = "np.linalg.slogdet({0})[0]",
     .torch = "torch.linalg.slogdet({0})[0]",
     .c = "!tg_determinant({out}, {0}, 3)",
     .doc = "The sign of the determinant, without overflow: -1, 0 or 1.",
     .example = "signdet([[1, 2], [3, 4]])",
     .value = "-1",
     .samples = SQUARES("signdet")},
    {.name = "cofactor",
     .cubic = {8.0 / 3, 0},
     MATRIX,
     .run = run_cofactor,
     .takes_room = true,
     .grad = {"sum(g * out, axis=(-2, -1), keep=true) * inv(x)' - out @ g' @ inv(x)'"},
     .numpy = "_cofactor({0})",
     .torch = "_cofactor({0})",
     .c = "!tg_cofactor({out}, {0})",
     .doc = "The matrix of cofactors, which is the gradient of det and is det(x) * inv(x)' where x "
            "has "
            "an inverse.",
     .example = "cofactor([[1, -2], [-2, 4]])",
     .value = "[[4, 2], [2, 1]]",
     .samples = SQUARES("cofactor")},
    {.name = "solve",
     .cubic = {2.0 / 3, 2},
     SOLVE,
     .run = run_solve,
     .takes_room = true,
     .grad = {"where(rank(b) == 1, -outer(solve(a', g), out), -solve(a', g) @ out')",
              "solve(a', g)"},
     .latex = "{0}^{-1} {1}",
     .numpy = "_solve({0}, {1})",
     .torch = "_solve({0}, {1})",
     .c = "!tg_solve({out}, {0}, {1}, 0)",
     .doc =
         "The solution x of a @ x = b, for a vector or the columns of a matrix; leading axes are a "
         "batch.",
     .example = "solve([[2, 0], [0, 4]], [2, 2])",
     .value = "[1, 0.5]",
     .samples =
         "x[3,3] regular, y[3]: solve(x, y) | x[3,3] regular, y[3,2]: solve(x, y) | x[2,3,3] "
         "regular, y[3,2]: solve(x, y) | x[3,3] regular, y[2,3,2]: solve(x, y)"},
    {.name = "solve_lower",
     .cubic = {0, 1},
     SOLVE,
     .run = run_triangle,
     .takes_room = true,
     .grad =
         {"where(rank(b) == 1, -tril(outer(solve_upper(a', g), out)), -tril(solve_upper(a', g) @ "
          "out'))",
          "solve_upper(a', g)"},
     .numpy = "_solve(np.tril({0}), {1})",
     .torch = "_solve(torch.tril({0}), {1})",
     .c = "!tg_solve({out}, {0}, {1}, 1)",
     .doc = "The solution x of tril(a) @ x = b; what is above the diagonal of a is not read.",
     .example = "solve_lower([[2, 0], [1, 4]], [2, 5])",
     .value = "[1, 1]",
     .samples =
         "x[3,3] regular, y[3]: solve_lower(x, y) | x[3,3] regular, y[3,2]: solve_lower(x, y) | "
         "x[2,3,3] regular, y[3,2]: solve_lower(x, y)"},
    {.name = "solve_upper",
     .cubic = {0, 1},
     SOLVE,
     .run = run_triangle,
     .takes_room = true,
     .grad =
         {"where(rank(b) == 1, -triu(outer(solve_lower(a', g), out)), -triu(solve_lower(a', g) @ "
          "out'))",
          "solve_lower(a', g)"},
     .numpy = "_solve(np.triu({0}), {1})",
     .torch = "_solve(torch.triu({0}), {1})",
     .c = "!tg_solve({out}, {0}, {1}, 2)",
     .doc = "The solution x of triu(a) @ x = b; what is below the diagonal of a is not read.",
     .example = "solve_upper([[2, 1], [0, 4]], [3, 4])",
     .value = "[1, 1]",
     .samples =
         "x[3,3] regular, y[3]: solve_upper(x, y) | x[3,3] regular, y[3,2]: solve_upper(x, y) | "
         "x[2,3,3] regular, y[3,2]: solve_upper(x, y)"},
    {.name = "cholesky",
     .cubic = {1.0 / 3, 0},
     MATRIX,
     .run = run_cholesky,
     .takes_room = true,
     .grad = {"solve_upper(out', solve_upper(out', tril(out' @ g) + tril(out' @ g, k=-1)')') / 2"},
     .numpy = "_cholesky({0})",
     .torch = "_cholesky({0})",
     .c = "!tg_cholesky({out}, {0})",
     .doc =
         "The lower triangle L with L @ L' = x, for a positive definite x; of any x, its symmetric "
         "part is taken.",
     .example = "cholesky([[4, 2], [2, 5]])",
     .value = "[[2, 0], [1, 2]]",
     .samples = "x[3,3] spd: cholesky(x) | x[1,1] spd: cholesky(x) | x[2,3,3] spd: cholesky(x)"},
};

const tg_op_table tg_ops_solve = {ops, sizeof ops / sizeof *ops};
