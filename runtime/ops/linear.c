/* Products of matrices and vectors, and what belongs to matrices: trace, diagonal, triangles.
 *
 * `@` is four records, one for each pairing of matrix and vector, because each has a derivative of
 * its own that reads as in a textbook. Leading axes of matmul are a batch and broadcast. The
 * kernels hand strided views to tg_linear_gemm; a batch of which the right operand is one matrix is
 * a single product with more rows. */
#include "runtime/ops/linear.h"
#include "runtime/ops/structure.h"
#include "runtime/pool/pool.h"

#include <limits.h>
#include <string.h>

/* ---- shape rules of the products ---- */

typedef enum fit { FIT, FIT_NOT_INNER, FIT_NOT_BATCH, FIT_NOT_RANK } fit;

/* The shape of a @ b, ranks at least 1. Where sizes differ they are put into clash. */
static fit product_shape(const tg_type *a, const tg_type *b, tg_type *out, tg_size clash[2]) {
    if ((a->rank == 1 && b->rank > 2) || (b->rank == 1 && a->rank > 2)) return FIT_NOT_RANK;
    tg_size ka = a->dim[a->rank - 1], kb = b->dim[b->rank > 1 ? b->rank - 2 : 0];
    clash[0] = ka, clash[1] = kb;
    if (ka != kb) return FIT_NOT_INNER;
    int batch_a = a->rank > 2 ? a->rank - 2 : 0, batch_b = b->rank > 2 ? b->rank - 2 : 0;
    int batch = batch_a > batch_b ? batch_a : batch_b;
    for (int i = 0; i < batch; i++) {
        int ia = i - batch + batch_a, ib = i - batch + batch_b;
        tg_size da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
        clash[0] = da, clash[1] = db;
        if (da != db && da != 1 && db != 1) return FIT_NOT_BATCH;
        out->dim[i] = da == 1 ? db : da;
    }
    out->rank = batch;
    if (a->rank > 1) out->dim[out->rank++] = a->dim[a->rank - 2];
    if (b->rank > 1) out->dim[out->rank++] = b->dim[b->rank - 1];
    return FIT;
}

static tg_type turned(const tg_type *t) {
    tg_type r = *t;
    r.dim[r.rank - 1] = t->dim[r.rank - 2];
    r.dim[r.rank - 2] = t->dim[r.rank - 1];
    return r;
}

/* Names a transposition, or the other order, that would fit. */
static void help_fit(tg_rt *rt, const tg_type *a, const tg_type *b) {
    static const struct {
        const char *form;
        bool turn_a, turn_b, swap;
    } tries[] = {
        {"{0} @ {1}'", false, true, false},
        {"{0}' @ {1}", true, false, false},
        {"{1} @ {0}", false, false, true},
        {"{0}' @ {1}'", true, true, false},
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        if ((tries[i].turn_a && a->rank < 2) || (tries[i].turn_b && b->rank < 2)) continue;
        tg_type ta = tries[i].turn_a ? turned(a) : *a, tb = tries[i].turn_b ? turned(b) : *b, out;
        tg_size clash[2];
        bool fits = (tries[i].swap ? product_shape(&tb, &ta, &out, clash)
                                   : product_shape(&ta, &tb, &out, clash)) == FIT;
        if (!fits) continue;
        tg_help(&rt->c, "%s has shape %s", tries[i].form, tg_shape_text(rt, out.rank, out.dim));
        return;
    }
}

static bool fail_product(tg_rt *rt, const tg_type *a, const tg_type *b, fit why,
                         const tg_size clash[2]) {
    if (why == FIT_NOT_RANK) {
        tg_fail(&rt->c, TG_ERR_SHAPE,
                "{0} @ {1} has no meaning: a vector combines with one matrix, not with a batch of "
                "them");
        return a->rank == 1
                   ? tg_help(
                         &rt->c,
                         "squeeze(unsqueeze({0}, 0) @ {1}, axis=-2) multiplies with each matrix")
                   : tg_help(
                         &rt->c,
                         "squeeze({0} @ unsqueeze({1}, 1), axis=-1) multiplies with each matrix");
    }
    tg_fail(&rt->c, TG_ERR_SHAPE, "{0} @ {1} has no meaning: the %s sizes %s and %s differ",
            why == FIT_NOT_BATCH ? "leading" : "inner", tg_size_word(rt, clash[0]).text,
            tg_size_word(rt, clash[1]).text);
    if (why == FIT_NOT_INNER) help_fit(rt, a, b);
    return false;
}

static bool infer_product(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    for (int i = 0; i < n; i++)
        if (in[i].rank == 0) {
            tg_fail(&rt->c, TG_ERR_SHAPE, "{0} @ {1} has no meaning: {%d} is a scalar", i);
            return tg_help(&rt->c, "{0} * {1} multiplies by a scalar");
        }
    tg_size clash[2];
    fit how = product_shape(&in[0], &in[1], out, clash);
    if (how != FIT) return fail_product(rt, &in[0], &in[1], how, clash);
    out->dtype = want[0] = want[1] = tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

/* ---- kernels of the products ---- */

static bool check_blas_sizes(const tg_call *call) {
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < call->in[i].rank; k++)
            if (call->in[i].dim[k] > INT_MAX)
                return tg_fail(&call->rt->c, TG_ERR_VALUE,
                               "{0} @ {1} is too large: the size %lld is above the limit %d",
                               (long long)call->in[i].dim[k], INT_MAX);
    return true;
}

/* Can the leading axes of v and its rows be walked as one axis? Then *flat is that matrix. */
static bool flatten_rows(const tg_view *v, tg_view *flat) {
    int last = v->rank - 1;
    int64_t rows = v->dim[last - 1], step = v->stride[last - 1];
    for (int i = last - 2; i >= 0; i--) {
        if (v->dim[i] == 1) continue;
        if (rows == 1)
            step = v->stride[i];
        else if (v->stride[i] != step * rows)
            return false;
        rows *= v->dim[i];
    }
    *flat = (tg_view){.data = v->data, .dtype = v->dtype, .rank = 2};
    flat->dim[0] = rows, flat->stride[0] = step;
    flat->dim[1] = v->dim[last], flat->stride[1] = v->stride[last];
    return true;
}

/* The matrix of v at a place of the batch (the leading axes of the result). */
static tg_view batch_matrix(const tg_view *v, const int64_t *idx, int batch) {
    tg_view m = {.dtype = v->dtype, .rank = 2};
    int own = v->rank - 2;
    int64_t offset = 0;
    for (int i = 0; i < own; i++)
        if (v->dim[i] > 1) offset += idx[batch - own + i] * v->stride[i];
    m.data = tg_view_place(v, offset);
    for (int i = 0; i < 2; i++) m.dim[i] = v->dim[own + i], m.stride[i] = v->stride[own + i];
    return m;
}

static bool is_one_matrix(const tg_view *v) {
    for (int i = 0; i < v->rank - 2; i++)
        if (v->dim[i] > 1) return false;
    return true;
}

enum { BATCH_WORK = 1 << 20, TOGETHER = 32 << 20 }; /* multiplications */

/* A batch of products, cut into parts of `group` matrices each. */
typedef struct batch_job {
    const tg_call *call;
    tg_view batches; /* the leading axes of the result */
    int64_t count, group;
} batch_job;

/* The product, or the room that it takes. */
static bool multiply(const tg_call *call, const tg_view *a, const tg_view *b, tg_view *out) {
    if (!call->room) return tg_linear_gemm(call->rt, a, b, out, 1, 0);
    *call->room = tg_linear_gemm_room(a, b, out);
    return true;
}

static bool multiply_one(const tg_call *call, const int64_t *idx, int batch) {
    tg_view ma = batch_matrix(&call->in[0], idx, batch),
            mb = batch_matrix(&call->in[1], idx, batch), mo = batch_matrix(call->out, idx, batch);
    return multiply(call, &ma, &mb, &mo);
}

static bool multiply_group(void *user, int64_t i) {
    const batch_job *job = user;
    int64_t idx[TG_MAX_RANK], at = i * job->group, rest = at;
    for (int k = job->batches.rank - 1; k >= 0; k--) {
        idx[k] = rest % job->batches.dim[k];
        rest /= job->batches.dim[k];
    }
    for (int64_t left = job->group; left > 0 && at < job->count; left--, at++) {
        if (!multiply_one(job->call, idx, job->batches.rank)) return false;
        tg_view_step(&job->batches, idx);
    }
    return true;
}

/* Small products are shared out as they are, several a part; each of the large ones is itself. */
static bool multiply_batch(const tg_call *call) {
    const tg_view *a = &call->in[0], *out = call->out;
    int batch = out->rank - 2;
    batch_job job = {.call = call, .batches = *out};
    job.batches.rank = batch;
    job.count = tg_view_count(&job.batches);
    double one =
        (double)out->dim[batch] * (double)out->dim[batch + 1] * (double)a->dim[a->rank - 1];
    const int64_t first[TG_MAX_RANK] = {0};
    if (call->room && !multiply_one(call, first, batch)) return false;
    if (one < TOGETHER) {
        job.group = one < 1 ? BATCH_WORK : (int64_t)(BATCH_WORK / one) + 1;
        int64_t parts = (job.count + job.group - 1) / job.group;
        if (call->room) {
            *call->room *= (size_t)(parts < call->rt->threads ? parts : call->rt->threads);
            return true;
        }
        return tg_pool_run(call->rt, parts, one * (double)job.count / 20, multiply_group, &job);
    }
    if (call->room) return true;
    int64_t idx[TG_MAX_RANK] = {0};
    do {
        if (!tg_check_interrupt(&call->rt->c) || !multiply_one(call, idx, batch)) return false;
    } while (tg_view_step(&job.batches, idx));
    return true;
}

static bool run_product(const tg_call *call) {
    if (!check_blas_sizes(call)) return false;
    const tg_view *a = &call->in[0], *b = &call->in[1];
    if (tg_view_count(call->out) == 0) return true;
    if (a->rank < 3 && b->rank < 3) return multiply(call, a, b, call->out);

    const int64_t first[TG_MAX_RANK] = {0};
    tg_view fa, fo, fb = batch_matrix(b, first, call->out->rank - 2);
    if (is_one_matrix(b) && flatten_rows(a, &fa) && flatten_rows(call->out, &fo) &&
        fa.dim[0] == fo.dim[0] && fa.dim[0] <= INT_MAX)
        return multiply(call, &fa, &fb, &fo);
    return multiply_batch(call);
}

static double load(const tg_view *v, int64_t offset) {
    return v->dtype == TG_F64 ? ((const double *)v->data)[offset]
                              : (double)((const float *)v->data)[offset];
}

static void store(const tg_view *v, int64_t offset, double x) {
    if (v->dtype == TG_F64)
        ((double *)v->data)[offset] = x;
    else
        ((float *)v->data)[offset] = (float)x;
}

/* The definition: each element of the result is a sum over the inner axis. */
static bool reference_product(const tg_call *call) {
    const tg_view *a = &call->in[0], *b = &call->in[1];
    tg_view *out = call->out;
    if (tg_view_count(out) == 0) return true;
    int rows = a->rank > 1, cols = b->rank > 1, batch = out->rank - rows - cols;
    int64_t idx[TG_MAX_RANK] = {0}, inner = a->dim[a->rank - 1], flat = 0;
    do {
        int64_t pa = 0, pb = 0;
        for (int i = 0; i < a->rank - 2; i++)
            if (a->dim[i] > 1) pa += idx[batch - (a->rank - 2) + i] * a->stride[i];
        for (int i = 0; i < b->rank - 2; i++)
            if (b->dim[i] > 1) pb += idx[batch - (b->rank - 2) + i] * b->stride[i];
        if (rows) pa += idx[batch] * a->stride[a->rank - 2];
        if (cols) pb += idx[batch + rows] * b->stride[b->rank - 1];
        int64_t step_a = a->stride[a->rank - 1], step_b = b->stride[cols ? b->rank - 2 : 0];
        double sum = 0;
        for (int64_t k = 0; k < inner; k++)
            sum += load(a, pa + k * step_a) * load(b, pb + k * step_b);
        store(out, flat++, sum);
    } while (tg_view_step(out, idx));
    return true;
}

/* ---- outer ---- */

static bool infer_outer(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)op, (void)at;
    for (int i = 0; i < n; i++)
        if (in[i].rank != 1) {
            tg_fail(&rt->c, TG_ERR_SHAPE, "outer({0}, {1}) wants two vectors, but {%d} has rank %d",
                    i, in[i].rank);
            return in[i].rank > 1 ? tg_help(&rt->c, "flatten({%d}) is a vector", i)
                                  : tg_help(&rt->c, "use * to multiply by a scalar");
        }
    out->rank = 2;
    out->dim[0] = in[0].dim[0], out->dim[1] = in[1].dim[0];
    out->dtype = want[0] = want[1] = tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

static bool run_outer(const tg_call *call) {
    const tg_view *a = &call->in[0], *b = &call->in[1];
    int64_t rows = a->dim[0], cols = b->dim[0], step = b->stride[0];
    for (int64_t i = 0; i < rows; i++) {
        if (call->out->dtype == TG_F64) {
            double x = ((const double *)a->data)[i * a->stride[0]],
                   *o = (double *)call->out->data + i * cols;
            for (int64_t j = 0; j < cols; j++) o[j] = x * ((const double *)b->data)[j * step];
        } else {
            float x = ((const float *)a->data)[i * a->stride[0]],
                  *o = (float *)call->out->data + i * cols;
            for (int64_t j = 0; j < cols; j++) o[j] = x * ((const float *)b->data)[j * step];
        }
    }
    return true;
}

/* ---- trace, diagonal, triangles ---- */

static bool check_square(tg_rt *rt, const tg_op *op, const tg_type *t) {
    if (t->rank == 2 && t->dim[0] == t->dim[1]) return true;
    return tg_fail(&rt->c, TG_ERR_SHAPE, "%s({0}) wants a square matrix%s, but {0} has shape %s",
                   op->name, strcmp(op->name, "diag") == 0 ? " or a vector" : "",
                   tg_shape_text(rt, t->rank, t->dim));
}

static bool infer_trace(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)at;
    tg_type last = {.rank = 2};
    if (in[0].rank > 2) memcpy(last.dim, in[0].dim + in[0].rank - 2, 2 * sizeof *last.dim);
    if (!check_square(rt, op, in[0].rank > 2 ? &last : &in[0])) return false;
    *out = in[0];
    out->rank -= 2;
    out->dtype = want[0] = tg_promote(rt, n, in);
    out->weak = false;
    return true;
}

static bool run_trace(const tg_call *call) {
    const tg_view *x = &call->in[0], *out = call->out;
    int64_t n = x->dim[x->rank - 1], step = x->stride[x->rank - 1] + x->stride[x->rank - 2];
    int64_t idx[TG_MAX_RANK] = {0}, flat = 0;
    if (tg_view_count(out) == 0) return true;
    do {
        int64_t place = 0;
        double sum = 0;
        for (int i = 0; i < out->rank; i++) place += idx[i] * x->stride[i];
        for (int64_t i = 0; i < n; i++) sum += load(x, place + i * step);
        store(out, flat++, sum);
    } while (tg_view_step(out, idx));
    return true;
}

static bool infer_diag(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)n, (void)at;
    if (in[0].rank != 1 && !check_square(rt, op, &in[0])) return false;
    out->rank = 3 - in[0].rank;
    out->dim[0] = out->dim[1] = in[0].dim[0];
    tg_keep_type(rt, &in[0], out, want);
    return true;
}

static bool look_diag(const tg_call *call) {
    if (call->in[0].rank == 1) return false;
    *call->out = call->in[0];
    call->out->rank = 1;
    call->out->stride[0] += call->in[0].stride[1];
    return true;
}

static bool run_diag(const tg_call *call) {
    tg_view diagonal = *call->out;
    if (call->in[0].rank == 1) {
        tg_view_clear(call->out);
        diagonal.rank = 1;
        diagonal.stride[0] = call->out->stride[0] + call->out->stride[1];
        tg_view_copy(&diagonal, &call->in[0]);
    } else {
        tg_view source = call->in[0];
        source.rank = 1;
        source.stride[0] += source.stride[1];
        tg_view_copy(&diagonal, &source);
    }
    return true;
}

static bool infer_triangle(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                           tg_type *out, tg_dtype *want) {
    (void)n, (void)at;
    if (in[0].rank < 2)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%s({0}) wants a matrix, but {0} has rank %d",
                       op->name, in[0].rank);
    *out = in[0];
    tg_keep_type(rt, &in[0], out, want);
    return true;
}

/* Copies, then clears the columns of each row that are off the triangle. */
static bool run_triangle(const tg_call *call) {
    const tg_view *out = call->out;
    bool lower = strcmp(call->op->name, "tril") == 0;
    int64_t rows = out->dim[out->rank - 2], cols = out->dim[out->rank - 1], k = call->at->v[0];
    tg_view_copy(out, &call->in[0]);
    int64_t all = cols > 0 ? tg_view_count(out) / cols : 0;
    for (int64_t r = 0; r < all; r++) {
        int64_t edge =
            r % rows + k + lower; /* tril clears columns from the edge on, triu those before it */
        if (edge < 0) edge = 0;
        if (edge > cols) edge = cols;
        int64_t from = lower ? edge : 0, count = lower ? cols - edge : edge;
        memset(tg_view_place(out, r * cols + from), 0, (size_t)count * tg_dtype_size(out->dtype));
    }
    return true;
}

/* ---- the records ---- */

#define PRODUCT                                                                                    \
    .class = TG_CLASS_LINEAR, .param = {{"a", TG_P_TENSOR, NULL}, {"b", TG_P_TENSOR, NULL}},       \
    .infer = infer_product, .run = run_product, .takes_room = true,                                \
    .reference = reference_product, .cubic = {0, 2}, .style = TG_PRINT_INFIX, .symbol = "@",       \
    .precedence = 6

static const tg_op ops[] = {
    {.name = "matmul",
     .taught = "matrix product",
     PRODUCT,
     .grad = {"g @ b'", "a' @ g"},
     .latex = "{0} {1}",
     .numpy = "{0} @ {1}",
     .torch = "{0} @ {1}",
     .c = "tg_matmul({out}, {0}, {1})",
     .doc = "The product of two matrices; leading axes are a batch and broadcast.",
     .example = "[[1, 2], [3, 4]] @ [[1], [1]]",
     .value = "[[3], [7]]",
     .samples = "x[3,4], y[4,2]: x @ y | x[2,3,4], y[4,5]: x @ y | x[2,1,3,4], y[5,4,2]: x @ y"},
    {.name = "matvec",
     .taught = "matrix product",
     PRODUCT,
     .grad = {"outer(g, b)", "a' @ g"},
     .latex = "{0} {1}",
     .numpy = "{0} @ {1}",
     .torch = "{0} @ {1}",
     .c = "tg_matmul({out}, {0}, {1})",
     .doc = "The product of a matrix and a vector.",
     .example = "[[1, 2], [3, 4]] @ [1, 1]",
     .value = "[3, 7]",
     .samples = "x[3,4], y[4]: x @ y"},
    {.name = "vecmat",
     .taught = "matrix product",
     PRODUCT,
     .grad = {"b @ g", "outer(a, g)"},
     .latex = "{1}^{\\top} {0}",
     .latex_turned = "{0}^{\\top} {1}",
     .numpy = "{0} @ {1}",
     .torch = "{0} @ {1}",
     .c = "tg_matmul({out}, {0}, {1})",
     .doc = "The product of a vector, taken as a row, and a matrix.",
     .example = "[1, 1] @ [[1, 2], [3, 4]]",
     .value = "[4, 6]",
     .samples = "x[3], y[3,4]: x @ y"},
    {.name = "vdot",
     .taught = "inner product",
     PRODUCT,
     .commutes = true,
     .grad = {"g * b", "g * a"},
     .latex = "{0}^{\\top} {1}",
     .numpy = "{0} @ {1}",
     .torch = "{0} @ {1}",
     .c = "tg_matmul({out}, {0}, {1})",
     .doc = "The inner product of two vectors.",
     .example = "[1, 2, 3] @ [4, 5, 6]",
     .value = "32",
     .samples = "x[5], y[5]: x @ y"},
    {.name = "outer",
     .effort = 1,
     .taught = "outer product",
     .class = TG_CLASS_LINEAR,
     .param = {{"a", TG_P_TENSOR, NULL}, {"b", TG_P_TENSOR, NULL}},
     .infer = infer_outer,
     .run = run_outer,
     .grad = {"g @ b", "a @ g"},
     .latex = "{0} {1}^{\\top}",
     .numpy = "np.outer({0}, {1})",
     .torch = "torch.outer({0}, {1})",
     .c = "tg_outer({out}, {0}, {1})",
     .doc = "The outer product of two vectors: the matrix of a[i] * b[j].",
     .example = "outer([1, 2], [3, 4])",
     .value = "[[3, 4], [6, 8]]",
     .samples = "x[3], y[4]: outer(x, y)"},
    {.name = "trace",
     .taught = "trace",
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}},
     .infer = infer_trace,
     .run = run_trace,
     .grad = {"where(rank(x) == 2, g * eye(size(x, 0)), expand(unsqueeze(unsqueeze(g, axis=-1), "
              "axis=-1), shape(x)) * eye(size(x, -1)))"},
     .latex = "\\operatorname{tr}\\left({0}\\right)",
     .numpy = "np.trace({0}, axis1=-2, axis2=-1)",
     .torch = "torch.sum(torch.diagonal({0}, 0, -2, -1), dim=-1)",
     .c = "tg_trace({out}, {0})",
     .doc = "The sum of the diagonal of a square matrix; leading axes are a batch.",
     .example = "trace([[1, 2], [3, 4]])",
     .value = "5",
     .samples = "x[3,3]: trace(x) | x[2,4,3,3]: trace(x)"},
    {.name = "diag",
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}},
     .infer = infer_diag,
     .run = run_diag,
     .view = look_diag,
     .grad = {"diag(g)"},
     .latex = "\\operatorname{diag}\\left({0}\\right)",
     .numpy = "np.diag({0})",
     .torch = "torch.diag({0})",
     .c = "tg_diag({out}, {0})",
     .doc = "The diagonal of a square matrix; of a vector, the matrix that has it as its diagonal.",
     .example = "diag([[1, 2], [3, 4]])",
     .value = "[1, 4]",
     .samples = "x[3,3]: diag(x) | x[3]: diag(x)"},
    {.name = "tril",
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}, {"k", TG_P_INT, "0"}},
     .infer = infer_triangle,
     .run = run_triangle,
     .grad = {"tril(g, k=k)"},
     .numpy = "np.tril({0}, {k})",
     .torch = "torch.tril({0}, {k})",
     .c = "tg_triangle({out}, {0}, {k}, 1)",
     .doc = "The lower triangle: zero above the k-th diagonal of the last two axes.",
     .example = "tril([[1, 2], [3, 4]])",
     .value = "[[1, 0], [3, 4]]",
     .samples = "x[3,4]: tril(x) | x[2,3,3]: tril(x, k=-1)"},
    {.name = "triu",
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}, {"k", TG_P_INT, "0"}},
     .infer = infer_triangle,
     .run = run_triangle,
     .grad = {"triu(g, k=k)"},
     .numpy = "np.triu({0}, {k})",
     .torch = "torch.triu({0}, {k})",
     .c = "tg_triangle({out}, {0}, {k}, 0)",
     .doc = "The upper triangle: zero below the k-th diagonal of the last two axes.",
     .example = "triu([[1, 2], [3, 4]])",
     .value = "[[1, 2], [0, 4]]",
     .samples = "x[3,4]: triu(x) | x[2,3,3]: triu(x, k=1)"},
};

const tg_op_table tg_ops_linear = {ops, sizeof ops / sizeof *ops};

const tg_op *tg_op_matmul_for(int rank_a, int rank_b) {
    return &ops[(rank_a == 1 ? 2 : 0) + (rank_b == 1 ? 1 : 0)];
}
