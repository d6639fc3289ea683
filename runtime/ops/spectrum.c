/* Eigenvalues of symmetric matrices, singular values, and what rests on them: the pseudoinverse and
 * least squares. Golub & Van Loan, Matrix Computations, 4th ed. 2013, chapters 5 and 8.
 *
 * An operation has one result, so values and vectors are operations of their own; stdlib joins them
 * (eigh, svd). Of any matrix, eigvalsh and eigvecsh take the symmetric part, (x + x') / 2, so that
 * their gradients are derivatives by each element. Vectors are made unique up to what is left open
 * by equal values: of those elements that are near the largest, the first is positive; the right
 * singular vectors take their sign from the left ones.
 *
 * The gradients are those of M. Giles, An extended collection of matrix derivative results for
 * forward and reverse mode algorithmic differentiation, 2008, sections 3.1 and 3.2, with the terms
 * for matrices that are not square. With F[i, j] = 1 / (w[j] - w[i]), which is reciprocal_gaps(w),
 * they hold where values are distinct; where two are equal F is 0 there, which is right for
 * functions that treat both alike (a trace, a norm). pinv and lstsq: G. Golub & V. Pereyra, The
 * differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate,
 * SIAM J. Numer. Anal. 10, 1973; they hold where the rank does not change.
 *
 * A matrix with a NaN or an infinity has results of NaN: LAPACK's iterations may not end on one. */
#include "base/alloc.h"
#include "runtime/ops/lapack.h"
#include "runtime/ops/linear.h"
#include "runtime/ops/structure.h"

#include <math.h>
#include <string.h>

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* ---- shape rules ---- */

static bool want_matrix(tg_rt *rt, const tg_op *op, const tg_type *t, bool square) {
    if (t->rank >= 2 && (!square || t->dim[t->rank - 1] == t->dim[t->rank - 2])) return true;
    return tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants a %smatrix, but {0} has shape %s", op->name,
                   square ? "square " : "", tg_shape_text(rt, t->rank, t->dim));
}

static void take_float(tg_rt *rt, int n, const tg_type *in, tg_type *out, tg_dtype *want) {
    out->dtype = tg_promote(rt, n, in);
    out->weak = false;
    for (int i = 0; i < n; i++) want[i] = out->dtype;
}

static bool infer_eigvalsh(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                           tg_type *out, tg_dtype *want) {
    (void)at;
    if (!want_matrix(rt, op, &in[0], true)) return false;
    *out = in[0];
    out->rank--;
    take_float(rt, n, in, out, want);
    return true;
}

static bool infer_eigvecsh(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                           tg_type *out, tg_dtype *want) {
    (void)at;
    if (!want_matrix(rt, op, &in[0], true)) return false;
    *out = in[0];
    take_float(rt, n, in, out, want);
    return true;
}

static bool infer_gaps(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)at;
    if (in[0].rank == 0 || in[0].rank == TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants a vector, but {0} has rank %d", op->name,
                       in[0].rank);
    *out = in[0];
    out->dim[out->rank] = out->dim[out->rank - 1];
    out->rank++;
    take_float(rt, n, in, out, want);
    return true;
}

/* The number of singular values must be known as a size: the smaller of two sizes that are both
 * symbols has no name. */
static bool smaller(tg_rt *rt, const tg_op *op, const tg_type *t, tg_size *k) {
    tg_size m = t->dim[t->rank - 2], n = t->dim[t->rank - 1];
    *k = m == n || n == 1 ? n : m;
    if (m == n || m == 1 || n == 1) return true;
    bool known = tg_size_known(m) && tg_size_known(n);
    if (known) *k = least(m, n);
    if (known) return true;
    tg_fail(&rt->c, TG_ERR_SHAPE,
            "%s({0}) has as many values as the smaller of %s and %s, which is not known here",
            op->name, tg_size_word(rt, m).text, tg_size_word(rt, n).text);
    return tg_help(&rt->c, "declare the sizes of {0} as numbers; pinv and lstsq need none");
}

static bool infer_svd(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                      tg_type *out, tg_dtype *want) {
    (void)at;
    tg_size k;
    if (!want_matrix(rt, op, &in[0], false) || !smaller(rt, op, &in[0], &k)) return false;
    *out = in[0];
    if (strcmp(op->name, "svdvals") == 0) out->rank--;
    if (strcmp(op->name, "svdright") == 0) out->dim[out->rank - 2] = in[0].dim[out->rank - 1];
    out->dim[out->rank - 1] = k;
    take_float(rt, n, in, out, want);
    return true;
}

static bool infer_pinv(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)at;
    if (!want_matrix(rt, op, &in[0], false)) return false;
    *out = in[0];
    out->dim[out->rank - 2] = in[0].dim[out->rank - 1];
    out->dim[out->rank - 1] = in[0].dim[out->rank - 2];
    take_float(rt, n, in, out, want);
    return true;
}

static bool infer_lstsq(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    const tg_type *a = &in[0], *b = &in[1];
    tg_type turned = *a;
    if (!want_matrix(rt, op, a, false)) return false;
    turned.dim[a->rank - 2] = a->dim[a->rank - 1], turned.dim[a->rank - 1] = a->dim[a->rank - 2];
    const tg_type factors[2] = {turned, *b};
    if (b->rank == 0 || (b->rank == 1 && a->rank > 2))
        return tg_fail(
            &rt->c, TG_ERR_SHAPE,
            "%s wants a vector for one matrix, or matrices, on the right side, but {1} has "
            "rank %d",
            op->name, b->rank);
    tg_size rows = b->dim[b->rank > 1 ? b->rank - 2 : 0];
    if (rows != a->dim[a->rank - 2])
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "%s wants a right side of %s rows, as {0} has, but {1} has %s", op->name,
                       tg_size_word(rt, a->dim[a->rank - 2]).text, tg_size_word(rt, rows).text);
    /* the shape of pinv(a) @ b */
    const tg_op *product = tg_op_matmul_for(a->rank, b->rank);
    return product->infer(rt, product, n, factors, at, out, want);
}

/* ---- eigenvalues ---- */

/* Turns the columns of v (n rows) so that the first of their large elements is positive; the rows
 * of `along` (k of them, ld apart) turn too. */
static void choose_signs(tg_dtype t, int64_t n, int64_t k, void *v, void *along, int64_t cols) {
    for (int64_t j = 0; j < k; j++) {
        void *column = tg_lapack_at(t, v, j * n);
        double large = 0.62 * tg_lapack_largest(t, column, n);
        int64_t i = 0;
        while (i < n - 1 && fabs(tg_lapack_get(t, column, i)) < large) i++;
        if (n == 0 || tg_lapack_get(t, column, i) >= 0) continue;
        for (i = 0; i < n; i++) tg_lapack_set(t, column, i, -tg_lapack_get(t, column, i));
        for (i = 0; i < cols; i++)
            tg_lapack_set(t, along, i * k + j, -tg_lapack_get(t, along, i * k + j));
    }
}

static bool is_finite(tg_dtype t, const void *data, int64_t n) {
    return isfinite(tg_lapack_largest(t, data, n));
}

static bool fail_to_converge(const tg_part *p) {
    return tg_fail(&p->call->rt->c, TG_ERR_VALUE, "%s({0}) does not converge%s", p->call->op->name,
                   tg_part_place(p).text);
}

static bool eigen_part(const tg_part *p) {
    tg_dtype t = p->in[0].dtype;
    int64_t n = p->in[0].dim[0], lwork = 1 + 6 * n + 2 * n * n, liwork = 3 + 5 * n;
    void *w = tg_lapack_at(t, p->work, n * n), *work = tg_lapack_at(t, w, n);
    bool vectors = p->out.rank == 2;
    if (n == 0) return true;
    tg_lapack_load(p->work, n, &p->in[0]);
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j + 1; i < n; i++)
            tg_lapack_set(t, p->work, j * n + i,
                          tg_lapack_get(t, p->work, j * n + i) / 2 +
                              tg_lapack_get(t, p->work, i * n + j) / 2);
    if (!is_finite(t, p->work, n * n)) {
        tg_view_fill(&p->out, (double)NAN);
        return true;
    }
    if (tg_syevd(t, vectors, (int)n, p->work, w, work, (int)lwork, p->ints, (int)liwork))
        return fail_to_converge(p);
    if (vectors) choose_signs(t, n, n, p->work, NULL, 0);
    tg_lapack_store(&p->out, vectors ? p->work : w, n);
    return true;
}

static bool eigen(const tg_call *call, int out) {
    int64_t n = call->in[0].dim[call->in[0].rank - 1];
    const tg_walk w = {{2}, out, tg_lapack_room(3 * n + 7, n, 1), (size_t)(3 + 5 * n)};
    return tg_lapack_check_sizes(call, true) && tg_lapack_each(call, &w, eigen_part);
}
static bool run_eigvalsh(const tg_call *call) {
    return eigen(call, 1);
}
static bool run_eigvecsh(const tg_call *call) {
    return eigen(call, 2);
}

static bool gaps_part(const tg_part *p) {
    int64_t n = p->in[0].dim[0];
    tg_dtype t = p->in[0].dtype;
    tg_lapack_load(p->work, n, &p->in[0]);
    double rounding = (double)n * tg_lapack_epsilon(t) * tg_lapack_largest(t, p->work, n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double gap = tg_lapack_get(t, p->work, j) - tg_lapack_get(t, p->work, i);
            tg_view_set(&p->out, i * n + j, fabs(gap) <= rounding ? 0 : 1 / gap);
        }
    return true;
}

static bool run_gaps(const tg_call *call) {
    int64_t n = call->in[0].dim[call->in[0].rank - 1];
    const tg_walk w = {{1}, 2, (size_t)n, 0};
    return tg_lapack_each(call, &w, gaps_part);
}

/* ---- singular values ---- */

/* Scratch, one after the other: the matrix [m, n], s [k], U [m, k], V' [k, n], then LAPACK's. */
typedef struct svd {
    int64_t m, n, k;
    void *a, *s, *u, *vt, *work;
    int lwork;
} svd;

static svd svd_of(const tg_view *x, void *scratch) {
    svd d = {.m = x->dim[x->rank - 2], .n = x->dim[x->rank - 1], .a = scratch};
    d.k = least(d.m, d.n);
    d.s = tg_lapack_at(x->dtype, d.a, d.m * d.n);
    d.u = tg_lapack_at(x->dtype, d.s, d.k);
    d.vt = tg_lapack_at(x->dtype, d.u, d.m * d.k);
    d.work = tg_lapack_at(x->dtype, d.vt, d.k * d.n);
    d.lwork = (int)((4 * d.k + 7) * d.k + most(d.m, d.n) * (d.k < 64 ? 2 * d.k + 1 : 65) + 64);
    return d;
}

/* The four parts, in scratch. *finite: there is nothing but finite numbers in x. */
static bool decompose(const tg_part *p, bool vectors, svd *d, bool *finite) {
    tg_dtype t = p->in[0].dtype;
    *d = svd_of(&p->in[0], p->work);
    *finite = true;
    if (d->k == 0) return true;
    tg_lapack_load(d->a, d->m, &p->in[0]);
    *finite = is_finite(t, d->a, d->m * d->n);
    if (!*finite) return true;
    if (tg_gesdd(t, vectors, (int)d->m, (int)d->n, d->a, d->s, d->u, d->vt, d->work, d->lwork,
                 p->ints))
        return fail_to_converge(p);
    if (vectors) choose_signs(t, d->m, d->k, d->u, d->vt, d->n);
    return true;
}

static bool svd_part(const tg_part *p) {
    svd d;
    bool finite, values = p->out.rank == 1;
    if (!decompose(p, !values, &d, &finite)) return false;
    if (!finite) {
        tg_view_fill(&p->out, (double)NAN);
    } else if (strcmp(p->call->op->name, "svdright") == 0) {
        tg_view v = tg_lapack_view(p->in[0].dtype, d.vt, d.n, d.k, 1);
        v.stride[0] = d.k;
        if (d.k) tg_view_copy(&p->out, &v);
    } else if (d.k) {
        tg_lapack_store(&p->out, values ? d.s : d.u, values ? d.k : d.m);
    }
    return true;
}

/* x+ = V diag(1 / s) U', without the s that are 0 up to rounding. */
static bool pinv_part(const tg_part *p) {
    svd d;
    bool finite;
    tg_dtype t = p->in[0].dtype;
    if (!decompose(p, true, &d, &finite)) return false;
    if (!finite || d.k == 0) {
        tg_view_fill(&p->out, finite ? 0 : (double)NAN);
        return true;
    }
    double limit = tg_lapack_epsilon(t) * (double)most(d.m, d.n) * tg_lapack_get(t, d.s, 0);
    for (int64_t j = 0; j < d.k; j++) {
        double s = tg_lapack_get(t, d.s, j);
        for (int64_t i = 0; i < d.m; i++) {
            double u = tg_lapack_get(t, d.u, j * d.m + i);
            tg_lapack_set(t, d.u, j * d.m + i, s > limit ? u / s : 0);
        }
    }
    tg_view v = tg_lapack_view(t, d.vt, d.n, d.k, 1), ut = tg_lapack_view(t, d.u, d.k, d.m, 1);
    v.stride[0] = d.k, ut.stride[0] = d.m;
    tg_view out = p->out;
    return tg_linear_gemm(p->call->rt, &v, &ut, &out, 1, 0);
}

static bool run_by_svd(const tg_call *call, int out, tg_part_fn *fn) {
    if (!tg_lapack_check_sizes(call, true)) return false;
    const svd d = svd_of(&call->in[0], NULL);
    size_t own = tg_lapack_room(most(d.m, d.n) + 1, 3 * d.k + 1, (size_t)d.lwork);
    const tg_walk w = {{2}, out, own, (size_t)(8 * d.k)};
    return tg_lapack_each(call, &w, fn);
}
static bool run_svdvals(const tg_call *call) {
    return run_by_svd(call, 1, svd_part);
}
static bool run_svd(const tg_call *call) {
    return run_by_svd(call, 2, svd_part);
}
static bool run_pinv(const tg_call *call) {
    return run_by_svd(call, 2, pinv_part);
}

/* ---- least squares ---- */

static int64_t right_sides(const tg_view *b) {
    return b->rank > 1 ? b->dim[1] : 1;
}

/* The sizes of LAPACK's own work arrays. */
static void lstsq_work(tg_dtype t, int64_t m, int64_t n, int64_t k, int *lwork, int *liwork) {
    union {
        double wide;
        float narrow;
    } room = {0};
    *liwork = 1;
    tg_gelsd(t, (int)m, (int)n, (int)k, &room, &room, &room, 0, &room, -1, liwork);
    *lwork = (int)(1.01 * (t == TG_F64 ? room.wide : (double)room.narrow)) +
             1; /* a float may have rounded it down */
}

/* The matrix [m, n], right sides [max(m, n), k], singular values, LAPACK's. */
static bool lstsq_part(const tg_part *p) {
    tg_dtype t = p->in[0].dtype;
    int64_t m = p->in[0].dim[0], n = p->in[0].dim[1], k = right_sides(&p->in[1]), rows = most(m, n);
    void *b = tg_lapack_at(t, p->work, m * n), *s = tg_lapack_at(t, b, rows * k),
         *work = tg_lapack_at(t, s, least(m, n) + 1);
    int lwork, liwork;
    if (m == 0 || n == 0 || k == 0) {
        tg_view_fill(&p->out, 0);
        return true;
    }
    tg_lapack_load(p->work, m, &p->in[0]);
    tg_lapack_load(b, rows, &p->in[1]);
    for (int64_t j = 0; j < k; j++) /* what load left between the columns */
        for (int64_t i = m; i < rows; i++) tg_lapack_set(t, b, j * rows + i, 0);
    if (!is_finite(t, p->work, m * n) || !is_finite(t, b, rows * k)) {
        tg_view_fill(&p->out, (double)NAN);
        return true;
    }
    lstsq_work(t, m, n, k, &lwork, &liwork);
    if (tg_gelsd(t, (int)m, (int)n, (int)k, p->work, b, s, tg_lapack_epsilon(t) * (double)rows,
                 work, lwork, p->ints))
        return fail_to_converge(p);
    tg_lapack_store(&p->out, b, rows);
    return true;
}

static bool run_lstsq(const tg_call *call) {
    if (!tg_lapack_check_sizes(call, true)) return false;
    const tg_view *a = &call->in[0], *b = &call->in[1];
    int64_t m = a->dim[a->rank - 2], n = a->dim[a->rank - 1], rows = most(m, n);
    int64_t k = b->rank > 1 ? b->dim[b->rank - 1] : 1;
    int own = b->rank > 1 ? 2 : 1, lwork = 1, liwork = 1;
    if (m && n && k) lstsq_work(a->dtype, m, n, k, &lwork, &liwork);
    tg_walk w = {{2, own}, own, 0, (size_t)liwork};
    w.elements = tg_lapack_room(rows, least(m, n) + k + 1, (size_t)lwork + 1);
    return tg_lapack_each(call, &w, lstsq_part);
}

/* ---- records ---- */

#define OF_MATRIX .class = TG_CLASS_LINEAR, .param = {{"x", TG_P_TENSOR, NULL}}
/* Scales the columns of matrices by the elements of vectors, in a batch too. */
#define COLUMNS(matrix, by)                                                                        \
    "where(rank(x) == 2, " matrix " * " by ", " matrix " * unsqueeze(" by ", axis=-2))"
#define VECTORS "eigvecsh(x)"
#define EIGEN_F "reciprocal_gaps(eigvalsh(x))"
#define SVD_F "reciprocal_gaps(svdvals(x)^2)"
#define U "svdleft(x)"
#define V "svdright(x)"
/* F * (a - a'), a product of matrices */
#define TURN(f, a, b) "(" f " * (" a "' @ " b " - " b "' @ " a "))"

static const tg_op ops[] = {
    {.name = "eigvalsh",
     .cubic = {4.0 / 3, 0},
     OF_MATRIX,
     .infer = infer_eigvalsh,
     .run = run_eigvalsh,
     .takes_room = true,
     .grad = {COLUMNS(VECTORS, "g") " @ " VECTORS "'"},
     .numpy = "np.linalg.eigvalsh(_symmetric({0}))",
     .torch = "torch.linalg.eigvalsh(_symmetric({0}))",
     .c = "!tg_eigen({out}, {0}, 0)",
     .doc =
         "The eigenvalues of a symmetric matrix, ascending; of any matrix, those of its symmetric "
         "part.",
     .example = "eigvalsh([[1, 2], [2, 5]])",
     .value = "[0.17157, 5.8284]",
     .samples = "x[3,3] spd: eigvalsh(x) | x[3,3] regular: eigvalsh(x) | x[1,1]: eigvalsh(x) | "
                "x[2,3,3] spd: eigvalsh(x)"},
    {.name = "eigvecsh",
     .cubic = {9, 0},
     OF_MATRIX,
     .infer = infer_eigvecsh,
     .run = run_eigvecsh,
     .takes_room = true,
     .grad = {VECTORS " @ " TURN(EIGEN_F, "out", "g") " @ " VECTORS "' / 2"},
     .numpy = "_eigvecsh({0})",
     .torch = "_eigvecsh({0})",
     .c = "!tg_eigen({out}, {0}, 1)",
     .doc = "The eigenvectors of a symmetric matrix as columns, in the order of eigvalsh; the "
            "derivative is for distinct eigenvalues.",
     .example = "eigvecsh([[2, 0], [0, 1]])",
     .value = "[[0, 1], [1, 0]]",
     .samples = "x[3,3] spd: eigvecsh(x) | x[1,1]: eigvecsh(x) | x[2,3,3] spd: eigvecsh(x)"},
    {.name = "reciprocal_gaps",
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}},
     .infer = infer_gaps,
     .run = run_gaps,
     .takes_room = true,
     .grad = {"sum(g * out^2, axis=-1) - sum(g * out^2, axis=-2)"},
     .numpy = "_reciprocal_gaps({0})",
     .torch = "_reciprocal_gaps({0})",
     .c = "tg_reciprocal_gaps({out}, {0})",
     .doc = "The matrix of 1 / (x[j] - x[i]), and 0 where these are equal up to rounding.",
     .example = "reciprocal_gaps([1, 2])",
     .value = "[[ 0, 1], [-1, 0]]",
     .samples = "x[4]: reciprocal_gaps(x) | x[2,3]: reciprocal_gaps(x)"},
    {.name = "svdvals",
     .cubic = {8.0 / 3, 0},
     OF_MATRIX,
     .infer = infer_svd,
     .run = run_svdvals,
     .takes_room = true,
     .grad = {COLUMNS(U, "g") " @ " V "'"},
     .numpy = "np.linalg.svd({0}, compute_uv=False)",
     .torch = "torch.linalg.svdvals({0})",
     .c = "!tg_svd({out}, {0}, 0)",
     .doc = "The singular values of a matrix, descending; the derivative is for distinct ones that "
            "are "
            "not 0.",
     .example = "svdvals([[3, 0], [0, -4]])",
     .value = "[4, 3]",
     .samples =
         "x[3,3] regular: svdvals(x) | x[4,2] regular: svdvals(x) | x[2,3] regular: svdvals(x) "
         "| x[2,3,2] regular: svdvals(x)"},
    {.name = "svdleft",
     .cubic = {14, 0},
     OF_MATRIX,
     .infer = infer_svd,
     .run = run_svd,
     .takes_room = true,
     .grad = {COLUMNS(U " @ " TURN(SVD_F, "out", "g"), "svdvals(x)") " @ " V "' + " COLUMNS(
         "(g - out @ (out' @ g))", "(1 / svdvals(x))") " @ " V "'"},
     .numpy = "_svd({0})[0]",
     .torch = "_svd({0})[0]",
     .c = "!tg_svd({out}, {0}, 1)",
     .doc = "The left singular vectors of a matrix as columns, as many as singular values.",
     .example = "svdleft([[0, 2], [1, 0]])",
     .value = "[[1, 0], [0, 1]]",
     .samples =
         "x[3,3] regular: svdleft(x) | x[4,2] regular: svdleft(x) | x[2,3] regular: svdleft(x) "
         "| x[2,3,2] regular: svdleft(x)"},
    {.name = "svdright",
     .cubic = {14, 0},
     OF_MATRIX,
     .infer = infer_svd,
     .run = run_svd,
     .takes_room = true,
     .grad = {COLUMNS(U, "svdvals(x)") " @ " TURN(SVD_F, "out", "g") " @ " V "' + " COLUMNS(
         U, "(1 / svdvals(x))") " @ (g' - g' @ out @ out')"},
     .numpy = "_svd({0})[1]",
     .torch = "_svd({0})[1]",
     .c = "!tg_svd({out}, {0}, 2)",
     .doc = "The right singular vectors of a matrix as columns, as many as singular values.",
     .example = "svdright([[0, 2], [1, 0]])",
     .value = "[[0, 1], [1, 0]]",
     .samples = "x[3,3] regular: svdright(x) | x[4,2] regular: svdright(x) | x[2,3] regular: "
                "svdright(x) | x[2,3,2] regular: svdright(x)"},
    {.name = "pinv",
     .cubic = {14, 2},
     OF_MATRIX,
     .infer = infer_pinv,
     .run = run_pinv,
     .takes_room = true,
     .grad =
         {"-out' @ g @ out' + (g' - x @ (out @ g')) @ out @ out' + out' @ out @ (g' - g' @ out @ "
          "x)"},
     .latex = "{0}^{+}",
     .numpy = "np.linalg.pinv({0})",
     .torch = "torch.linalg.pinv({0})",
     .c = "!tg_pseudoinverse({out}, {0})",
     .doc =
         "The pseudoinverse of a matrix (Moore, Penrose), which is the inverse where there is one; "
         "the derivative is for a constant rank.",
     .example = "pinv([[2, 0], [0, 0]])",
     .value = "[[0.5, 0], [0.0, 0]]",
     .samples =
         "x[3,3] regular: pinv(x) | x[4,2] regular: pinv(x) | x[2,3] regular: pinv(x) | x[2,3,2] "
         "regular: pinv(x)"},
    {.name = "lstsq",
     .cubic = {2, 4},
     .class = TG_CLASS_LINEAR,
     .param = {{"a", TG_P_TENSOR, NULL}, {"b", TG_P_TENSOR, NULL}},
     .infer = infer_lstsq,
     .run = run_lstsq,
     .takes_room = true,
     .grad =
         {"where(rank(b) == 1, -outer(lstsq(a', g), out) + outer(b - a @ out, lstsq(a, lstsq(a', "
          "g))) + outer(lstsq(a', out), g - a' @ lstsq(a', g)), -lstsq(a', g) @ out' + (b - a @ "
          "out) @ lstsq(a, lstsq(a', g))' + lstsq(a', out) @ (g - a' @ lstsq(a', g))')",
          "lstsq(a', g)"},
     .latex = "{0}^{+} {1}",
     .numpy = "_lstsq({0}, {1})",
     .torch = "_lstsq({0}, {1})",
     .c = "!tg_lstsq({out}, {0}, {1})",
     .doc = "The x with the least norm(a @ x - b), and among those the one of least norm: pinv(a) "
            "@ b.",
     .example = "lstsq([[1], [1], [1]], [1, 1, 3])",
     .value = "[1.6667]",
     .samples = "x[3,3] regular, y[3]: lstsq(x, y) | x[4,2] regular, y[4]: lstsq(x, y) | x[2,3] "
                "regular, y[2,2]: lstsq(x, y) | x[2,3,2] regular, y[3,2]: lstsq(x, y)"},
};

const tg_op_table tg_ops_spectrum = {ops, sizeof ops / sizeof *ops};
