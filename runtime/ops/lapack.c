/* The walk over a batch of matrices, and LAPACK's routines by one name for single and double.
 *
 * LAPACK is Fortran: arguments are passed by address, names end with an underscore, and each
 * character argument has its length as a further argument at the end, of type size_t with gfortran
 * since version 8 (the C routines of OpenBLAS ignore them). Integers are int.
 *
 * E. Anderson et al., LAPACK Users' Guide, 3rd ed. 1999. */
#include "runtime/ops/lapack.h"
#include "base/alloc.h"
#include "runtime/ops/apart.h"
#include "runtime/ops/profile.h"
#include "runtime/ops/structure.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

/* ---- the walk ---- */

/* The part of v at a place of the batch: its last `own` axes. */
static tg_view part_of(const tg_view *v, int own, const int64_t *idx, int batch) {
    tg_view m = {.dtype = v->dtype, .rank = own};
    int lead = v->rank - own;
    int64_t offset = 0;
    for (int i = 0; i < lead; i++)
        if (v->dim[i] > 1) offset += idx[batch - lead + i] * v->stride[i];
    m.data = tg_view_place(v, offset);
    for (int i = 0; i < own; i++) m.dim[i] = v->dim[lead + i], m.stride[i] = v->stride[lead + i];
    return m;
}

typedef struct apart {
    tg_part part;
    tg_part_fn *fn;
} apart;

/* The part with its result at `out`, in row-major order. */
static bool run_apart(void *user, void *out) {
    apart *a = user;
    tg_part p = a->part;
    tg_view_init(&p.out, out, a->part.out.dtype, a->part.out.rank, a->part.out.dim);
    return a->fn(&p);
}

/* The part, in a process of its own if it is long and its result lies in one piece. */
static bool run_part(const tg_part *p, double flops, tg_part_fn *fn) {
    apart a = {*p, fn};
    size_t bytes = (size_t)tg_view_count(&p->out) * tg_dtype_size(p->out.dtype);
    return tg_view_is_contiguous(&p->out)
               ? tg_apart_run(p->call->rt, flops, p->out.data, bytes, run_apart, &a)
               : fn(p);
}

bool tg_lapack_each(const tg_call *call, const tg_walk *walk, tg_part_fn *fn) {
    int64_t idx[TG_MAX_RANK] = {0};
    tg_view batches = *call->out;
    batches.rank -= walk->out;
    if (tg_view_count(&batches) == 0) return true;
    if (call->room) {
        *call->room = tg_lapack_room((int64_t)tg_dtype_size(call->in[0].dtype),
                                     (int64_t)walk->elements, walk->ints * sizeof(int));
        return true;
    }
    const double flops =
        tg_op_flops(call->op, call->n, call->in, call->out) / (double)tg_view_count(&batches);
    tg_part p = {.call = call, .idx = idx, .batch = batches.rank};
    p.work = tg_alloc_array(walk->elements, tg_dtype_size(call->in[0].dtype));
    p.ints = tg_alloc_array(walk->ints, sizeof *p.ints);
    bool ok = p.work && p.ints ? true : tg_fail_memory(&call->rt->c);
    while (ok) {
        for (int i = 0; i < call->n; i++)
            p.in[i] = part_of(&call->in[i], walk->in[i], idx, p.batch);
        p.out = part_of(call->out, walk->out, idx, p.batch);
        ok = tg_check_interrupt(&call->rt->c) && run_part(&p, flops, fn);
        if (!tg_view_step(&batches, idx)) break;
    }
    tg_free(p.work);
    tg_free(p.ints);
    return ok;
}

bool tg_lapack_check_sizes(const tg_call *call, bool square) {
    int64_t most = square ? 16000 : INT_MAX; /* 8 * 16000^2 is an int */
    for (int i = 0; i < call->n; i++)
        for (int k = call->in[i].rank > 2 ? call->in[i].rank - 2 : 0; k < call->in[i].rank; k++)
            if (call->in[i].dim[k] > most)
                return tg_fail(&call->rt->c, TG_ERR_VALUE,
                               "{%d} is too large for %s: the size %lld is above the limit %lld", i,
                               call->op->name, (long long)call->in[i].dim[k], (long long)most);
    return true;
}

size_t tg_lapack_room(int64_t a, int64_t b, size_t c) {
    size_t n;
    if (!tg_size_mul((size_t)a, (size_t)b, &n) || n > SIZE_MAX - c) return SIZE_MAX;
    return n + c;
}

tg_part_words tg_part_place(const tg_part *p) {
    tg_part_words w = {""};
    if (p->batch > 0)
        snprintf(w.text, sizeof w.text, " at %s of the batch",
                 tg_shape_text(p->call->rt, p->batch, p->idx));
    return w;
}

/* ---- scratch ---- */

tg_view tg_lapack_view(tg_dtype t, void *data, int64_t rows, int64_t cols, int64_t ld) {
    return (tg_view){.data = data, .dtype = t, .rank = 2, .dim = {rows, cols}, .stride = {1, ld}};
}

/* The scratch in the shape of v. */
static tg_view like(const tg_view *v, const void *data, int64_t ld) {
    tg_view m = tg_lapack_view(v->dtype, (void *)(uintptr_t)data, v->dim[0],
                               v->rank > 1 ? v->dim[1] : 1, ld);
    m.rank = v->rank;
    return m;
}

void tg_lapack_load(void *to, int64_t ld, const tg_view *from) {
    tg_view m = like(from, to, ld);
    tg_view_copy(&m, from);
}

void tg_lapack_store(const tg_view *to, const void *from, int64_t ld) {
    tg_view m = like(to, from, ld);
    tg_view_copy(to, &m);
}

void *tg_lapack_at(tg_dtype t, void *data, int64_t i) {
    return (char *)data + i * (int64_t)tg_dtype_size(t);
}

double tg_lapack_get(tg_dtype t, const void *data, int64_t i) {
    return t == TG_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

void tg_lapack_set(tg_dtype t, void *data, int64_t i, double x) {
    if (t == TG_F64)
        ((double *)data)[i] = x;
    else
        ((float *)data)[i] = (float)x;
}

double tg_lapack_largest(tg_dtype t, const void *data, int64_t n) {
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        double x = fabs(tg_lapack_get(t, data, i));
        if (x != x) return x;
        if (x > most) most = x;
    }
    return most;
}

double tg_lapack_epsilon(tg_dtype t) {
    return t == TG_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

/* ---- the routines ---- */

/* One declaration for both types, and the call of the one meant. */
#define BOTH(name, ...)                                                                            \
    void d##name##_(__VA_ARGS__);                                                                  \
    void s##name##_(__VA_ARGS__);
#define CALL(name, ...)                                                                            \
    if (t == TG_F64)                                                                               \
        d##name##_(__VA_ARGS__);                                                                   \
    else                                                                                           \
        s##name##_(__VA_ARGS__)

typedef const int in; /* by address */

BOTH(getrf, in *m, in *n, void *a, in *lda, int *pivot, int *info)
BOTH(getri, in *n, void *a, in *lda, const int *pivot, void *work, in *lwork, int *info)
BOTH(getrs, const char *trans, in *n, in *nrhs, const void *a, in *lda, const int *pivot, void *b,
     in *ldb, int *info, size_t)
BOTH(potrf, const char *uplo, in *n, void *a, in *lda, int *info, size_t)
BOTH(trtrs, const char *uplo, const char *trans, const char *diag, in *n, in *nrhs, const void *a,
     in *lda, void *b, in *ldb, int *info, size_t, size_t, size_t)
BOTH(syevd, const char *jobz, const char *uplo, in *n, void *a, in *lda, void *w, void *work,
     in *lwork, int *iwork, in *liwork, int *info, size_t, size_t)
BOTH(gesdd, const char *jobz, in *m, in *n, void *a, in *lda, void *s, void *u, in *ldu, void *vt,
     in *ldvt, void *work, in *lwork, int *iwork, int *info, size_t)
BOTH(gelsd, in *m, in *n, in *nrhs, void *a, in *lda, void *b, in *ldb, void *s, const void *rcond,
     int *rank, void *work, in *lwork, int *iwork, int *info)

static int at_least_1(int n) {
    return n > 1 ? n : 1;
}

int tg_getrf(tg_dtype t, int m, int n, void *a, int lda, int *pivot) {
    int info = 0;
    CALL(getrf, &m, &n, a, &lda, pivot, &info);
    return info;
}

int tg_getri(tg_dtype t, int n, void *a, int lda, const int *pivot, void *work, int lwork) {
    int info = 0;
    CALL(getri, &n, a, &lda, pivot, work, &lwork, &info);
    return info;
}

int tg_getrs(tg_dtype t, int n, int nrhs, const void *a, int lda, const int *pivot, void *b,
             int ldb) {
    int info = 0;
    CALL(getrs, "N", &n, &nrhs, a, &lda, pivot, b, &ldb, &info, 1);
    return info;
}

int tg_potrf_lower(tg_dtype t, int n, void *a, int lda) {
    int info = 0;
    CALL(potrf, "L", &n, a, &lda, &info, 1);
    return info;
}

int tg_trtrs(tg_dtype t, bool lower, int n, int nrhs, const void *a, int lda, void *b, int ldb) {
    int info = 0;
    CALL(trtrs, lower ? "L" : "U", "N", "N", &n, &nrhs, a, &lda, b, &ldb, &info, 1, 1, 1);
    return info;
}

int tg_syevd(tg_dtype t, bool vectors, int n, void *a, void *w, void *work, int lwork, int *iwork,
             int liwork) {
    int info = 0, lda = at_least_1(n);
    CALL(syevd, vectors ? "V" : "N", "L", &n, a, &lda, w, work, &lwork, iwork, &liwork, &info, 1,
         1);
    return info;
}

int tg_gesdd(tg_dtype t, bool vectors, int m, int n, void *a, void *s, void *u, void *vt,
             void *work, int lwork, int *iwork) {
    int info = 0, ldu = at_least_1(m), ldvt = at_least_1(m < n ? m : n);
    CALL(gesdd, vectors ? "S" : "N", &m, &n, a, &ldu, s, u, &ldu, vt, &ldvt, work, &lwork, iwork,
         &info, 1);
    return info;
}

int tg_gelsd(tg_dtype t, int m, int n, int nrhs, void *a, void *b, void *s, double rcond,
             void *work, int lwork, int *iwork) {
    int info = 0, rank, lda = at_least_1(m), ldb = at_least_1(m > n ? m : n);
    float single = (float)rcond;
    const void *limit = t == TG_F64 ? (const void *)&rcond : (const void *)&single;
    CALL(gelsd, &m, &n, &nrhs, a, &lda, b, &ldb, s, limit, &rank, work, &lwork, iwork, &info);
    return info;
}
