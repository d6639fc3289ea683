/* Views: shapes, strides, single elements, and the one loop that copies and converts.
 *
 * The copy runs over a loop nest (loop.h) whose innermost loop is one of 36 functions, one for each
 * pair of types. Two cases get special care: equal types that are contiguous in both become memcpy,
 * and a transposition is done in tiles of 16 by 16, so that each cache line fetched is used before
 * it is evicted. Floats become integers by rounding to nearest and saturating, NaN becomes 0;
 * anything becomes bool by `!= 0`. */
#include "runtime/tensor/loop.h"
#include "runtime/tensor/tensor.h"

#include <math.h>
#include <string.h>

/* ---- shapes ---- */

void tg_view_init(tg_view *v, void *data, tg_dtype t, int rank, const int64_t *dim) {
    v->data = data;
    v->dtype = t;
    v->rank = rank;
    int64_t stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
        v->dim[i] = dim[i];
        v->stride[i] = stride;
        if (dim[i] > 0) stride *= dim[i];
    }
    for (int i = rank; i < TG_MAX_RANK; i++) v->dim[i] = v->stride[i] = 0;
}

int64_t tg_view_count(const tg_view *v) {
    int64_t n = 1;
    for (int i = 0; i < v->rank; i++) {
        if (v->dim[i] == 0) return 0;
        n *= v->dim[i];
    }
    return n;
}

bool tg_view_is_contiguous(const tg_view *v) {
    int64_t stride = 1;
    for (int i = v->rank - 1; i >= 0; i--) {
        if (v->dim[i] == 0) return true;
        if (v->dim[i] != 1 && v->stride[i] != stride) return false;
        stride *= v->dim[i];
    }
    return true;
}

bool tg_shape_equal(int rank_a, const int64_t *a, int rank_b, const int64_t *b) {
    return rank_a == rank_b && (rank_a == 0 || memcmp(a, b, (size_t)rank_a * sizeof *a) == 0);
}

void tg_view_add_place(const tg_view *v, int64_t flat, tg_str *out) {
    int64_t at[TG_MAX_RANK];
    if (v->rank == 0) return;
    for (int d = v->rank - 1; d >= 0; d--) {
        at[d] = flat % v->dim[d];
        flat /= v->dim[d];
    }
    for (int d = 0; d < v->rank; d++) tg_str_addf(out, "%s%lld", d ? ", " : "[", (long long)at[d]);
    tg_str_addc(out, ']');
}

bool tg_view_step(const tg_view *v, int64_t *idx) {
    for (int i = v->rank - 1; i >= 0; i--) {
        if (++idx[i] < v->dim[i]) return true;
        idx[i] = 0;
    }
    return false;
}

/* ---- conversion of one element ---- */

static inline int64_t nearest(double x) {
    x = rint(x);
    if (x >= 0x1p63) return INT64_MAX;
    if (x < -0x1p63) return INT64_MIN;
    return x == x ? (int64_t)x : 0;
}

static inline uint8_t fit_u8(int64_t x) {
    return x < 0 ? 0 : x > UINT8_MAX ? UINT8_MAX : (uint8_t)x;
}

static inline int32_t fit_i32(int64_t x) {
    return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (int32_t)x;
}

/* An element of source type as int64 ... */
#define WHOLE_BOOL(x) ((int64_t)(x))
#define WHOLE_U8(x) ((int64_t)(x))
#define WHOLE_I32(x) ((int64_t)(x))
#define WHOLE_I64(x) (x)
#define WHOLE_F32(x) nearest((double)(x))
#define WHOLE_F64(x) nearest(x)
/* ... and as the destination type. */
#define AS_BOOL(S, x) ((uint8_t)((x) != 0))
#define AS_U8(S, x) fit_u8(WHOLE_##S(x))
#define AS_I32(S, x) fit_i32(WHOLE_##S(x))
#define AS_I64(S, x) WHOLE_##S(x)
#define AS_F32(S, x) ((float)(x))
#define AS_F64(S, x) ((double)(x))

typedef uint8_t elem_BOOL;
typedef uint8_t elem_U8;
typedef int32_t elem_I32;
typedef int64_t elem_I64;
typedef float elem_F32;
typedef double elem_F64;

/* ---- the inner loops; ds and ss are steps in elements ---- */

typedef void copy_fn(int64_t n, void *dst, int64_t ds, const void *src, int64_t ss);

#define COPY(D, S)                                                                                 \
    static void copy_##D##_##S(int64_t n, void *dst, int64_t ds, const void *src, int64_t ss) {    \
        elem_##D *restrict d = dst;                                                                \
        const elem_##S *restrict s = src;                                                          \
        if (ds == 1 && ss == 1)                                                                    \
            for (int64_t i = 0; i < n; i++) d[i] = AS_##D(S, s[i]);                                \
        else                                                                                       \
            for (int64_t i = 0; i < n; i++) d[i * ds] = AS_##D(S, s[i * ss]);                      \
    }
#define COPY_TO(D) COPY(D, BOOL) COPY(D, U8) COPY(D, I32) COPY(D, I64) COPY(D, F32) COPY(D, F64)
COPY_TO(BOOL)
COPY_TO(U8)
COPY_TO(I32)
COPY_TO(I64)
COPY_TO(F32)
COPY_TO(F64)

#define ROW(D)                                                                                     \
    {                                                                                              \
        copy_##D##_BOOL, copy_##D##_U8, copy_##D##_I32, copy_##D##_I64, copy_##D##_F32,            \
            copy_##D##_F64                                                                         \
    }
static copy_fn *const copy[TG_DTYPES][TG_DTYPES] = {ROW(BOOL), ROW(U8),  ROW(I32),
                                                    ROW(I64),  ROW(F32), ROW(F64)};

/* ---- the copy ---- */

enum { TILE = 16 };

static int64_t magnitude(int64_t x) {
    return x < 0 ? -x : x;
}

/* Copies the plane of the innermost loop and the one around it, in tiles. Steps are in elements. */
static void copy_tiles(copy_fn *f, int64_t rows, int64_t cols, char *dst, const int64_t *ds,
                       size_t dsize, const char *src, const int64_t *ss, size_t ssize) {
    for (int64_t i = 0; i < rows; i += TILE)
        for (int64_t j = 0; j < cols; j += TILE) {
            int64_t height = rows - i < TILE ? rows - i : TILE,
                    width = cols - j < TILE ? cols - j : TILE;
            for (int64_t r = i; r < i + height; r++)
                f(width, dst + (r * ds[0] + j * ds[1]) * (int64_t)dsize, ds[1],
                  src + (r * ss[0] + j * ss[1]) * (int64_t)ssize, ss[1]);
        }
}

void tg_view_copy(const tg_view *dst, const tg_view *src) {
    const tg_view *v[2] = {dst, src};
    size_t dsize = tg_dtype_size(dst->dtype), ssize = tg_dtype_size(src->dtype);
    tg_loop l;
    tg_loop_init(&l, 2, v);
    copy_fn *f = copy[dst->dtype][src->dtype];
    int64_t ds = l.inner_step[0] / (int64_t)dsize, ss = l.inner_step[1] / (int64_t)ssize;
    bool same = dst->dtype == src->dtype && ds == 1 && ss == 1;

    /* A transposition: the source is closer together along the next axis than along the innermost.
     */
    bool tiled = l.rank > 0 && l.inner >= TILE / 2 && l.dim[l.rank - 1] >= TILE / 2 && ss != 0 &&
                 magnitude(l.step[l.rank - 1][1]) < magnitude(l.inner_step[1]) &&
                 l.step[l.rank - 1][1] != 0;
    int64_t rows = 1, rs[2] = {0, 0};
    if (tiled) {
        l.rank--;
        rows = l.dim[l.rank];
        rs[0] = l.step[l.rank][0] / (int64_t)dsize;
        rs[1] = l.step[l.rank][1] / (int64_t)ssize;
    }
    int64_t idx[TG_MAX_RANK];
    char *p[TG_LOOP_OPERANDS];
    for (bool more = tg_loop_start(&l, idx, p); more; more = tg_loop_next(&l, idx, p)) {
        if (tiled)
            copy_tiles(f, rows, l.inner, p[0], (int64_t[]){rs[0], ds}, dsize, p[1],
                       (int64_t[]){rs[1], ss}, ssize);
        else if (same)
            memcpy(p[0], p[1], (size_t)l.inner * dsize);
        else
            f(l.inner, p[0], ds, p[1], ss);
    }
}

enum { PART = 1 << 22 }; /* elements copied between two looks for an interrupt, about */

bool tg_view_copy_parts(tg_ctx *c, const tg_view *dst, const tg_view *src) {
    int64_t count = tg_view_count(dst), size = (int64_t)tg_dtype_size(dst->dtype),
            from = (int64_t)tg_dtype_size(src->dtype);
    int axis = 0; /* the longest: a part is a stretch of it */
    for (int i = 1; i < dst->rank; i++)
        if (dst->dim[i] > dst->dim[axis]) axis = i;
    if (count <= PART || dst->rank == 0) {
        tg_view_copy(dst, src);
        return true;
    }
    int64_t each = count / dst->dim[axis] < PART ? PART / (count / dst->dim[axis]) : 1;
    for (int64_t at = 0; at < dst->dim[axis]; at += each) {
        tg_view to = *dst, piece = *src;
        to.dim[axis] = piece.dim[axis] = each < dst->dim[axis] - at ? each : dst->dim[axis] - at;
        to.data = (char *)to.data + at * to.stride[axis] * size;
        piece.data = (char *)piece.data + at * piece.stride[axis] * from;
        tg_view_copy(&to, &piece);
        if (!tg_check_interrupt(c)) return false;
    }
    return true;
}

/* ---- single elements ---- */

static char *element(const tg_view *v, int64_t flat) {
    int64_t at = 0;
    for (int i = v->rank - 1; i >= 0; i--) {
        at += flat % v->dim[i] * v->stride[i];
        flat /= v->dim[i];
    }
    return (char *)v->data + at * (int64_t)tg_dtype_size(v->dtype);
}

double tg_view_get(const tg_view *v, int64_t flat) {
    double x;
    copy[TG_F64][v->dtype](1, &x, 1, element(v, flat), 1);
    return x;
}

void tg_view_set(const tg_view *v, int64_t flat, double x) {
    copy[v->dtype][TG_F64](1, element(v, flat), 1, &x, 1);
}

double tg_view_load(const tg_view *v, int64_t offset) {
    if (v->dtype == TG_F64) return ((const double *)v->data)[offset];
    if (v->dtype == TG_F32) return (double)((const float *)v->data)[offset];
    double x;
    const char *at = (const char *)v->data + offset * (int64_t)tg_dtype_size(v->dtype);
    copy[TG_F64][v->dtype](1, &x, 1, at, 1);
    return x;
}

void tg_view_store(const tg_view *v, int64_t offset, double x) {
    char *at = (char *)v->data + offset * (int64_t)tg_dtype_size(v->dtype);
    if (v->dtype == TG_F64)
        ((double *)v->data)[offset] = x;
    else
        copy[v->dtype][TG_F64](1, at, 1, &x, 1);
}
