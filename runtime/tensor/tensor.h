/* Tensors: a typed block of memory, seen through a shape and strides.
 *
 * A tg_view is a borrowed look at elements (no ownership); kernels see only views. A tg_tensor is a
 * view plus the reference-counted buffer it looks into; slices and transposes share the buffer.
 * Tensors are values: nobody writes into one that has more than one reference. Arguments are
 * borrowed, results are owned. */
#ifndef TG_RUNTIME_TENSOR_H
#define TG_RUNTIME_TENSOR_H

#include "base/ctx.h"
#include "base/str.h"

enum { TG_MAX_RANK = 8 };

typedef enum tg_dtype { TG_BOOL, TG_U8, TG_I32, TG_I64, TG_F32, TG_F64 } tg_dtype;
enum { TG_DTYPES = 6 };

size_t tg_dtype_size(tg_dtype t);
const char *tg_dtype_name(tg_dtype t); /* "bool" "byte" "int32" "int64" "single" "double" */
static inline bool tg_dtype_is_float(tg_dtype t) {
    return t >= TG_F32;
}

typedef struct tg_view {
    void *data; /* of the element at index 0, 0, ... */
    tg_dtype dtype;
    int rank; /* 0 to TG_MAX_RANK; 0 is a scalar */
    int64_t dim[TG_MAX_RANK];
    int64_t stride[TG_MAX_RANK]; /* in elements; 0 repeats, negative runs backwards */
} tg_view;

typedef struct tg_buffer {
    int refs;
    size_t bytes;
    void *data; /* 64-byte aligned */
} tg_buffer;

typedef struct tg_tensor {
    int refs;
    tg_view v;
    tg_buffer *buf;
} tg_tensor;

/* A contiguous tensor with undefined elements. Errors: rank above 8, a negative size, a product
 * that overflows or is too large, no memory. */
tg_tensor *tg_tensor_new(tg_ctx *c, tg_dtype t, int rank, const int64_t *dim);
tg_tensor *tg_tensor_scalar(tg_ctx *c, tg_dtype t, double value);
/* Another tensor on the same buffer, seen through v (v.data must lie in the buffer). */
tg_tensor *tg_tensor_share(tg_ctx *c, tg_tensor *t, const tg_view *v);
/* t[i]: the i-th part along the first axis, 0 <= i < size; shares t's buffer. */
tg_tensor *tg_tensor_row(tg_ctx *c, tg_tensor *t, int64_t i);
/* A contiguous copy, converted to dtype t (round to nearest for integers, x != 0 for bool). */
tg_tensor *tg_tensor_convert(tg_ctx *c, const tg_view *v, tg_dtype t);
tg_tensor *tg_tensor_hold(tg_tensor *t);
void tg_tensor_drop(tg_tensor *t); /* NULL is allowed */

int64_t tg_view_count(const tg_view *v); /* number of elements */
bool tg_view_is_contiguous(const tg_view *v);
/* Fills in dims and row-major strides for given data. */
void tg_view_init(tg_view *v, void *data, tg_dtype t, int rank, const int64_t *dim);
/* Copies src into dst, converting the type; shapes equal (strides any). The one conversion loop. */
void tg_view_copy(const tg_view *dst, const tg_view *src);
/* The same in parts, with a look for interrupts between. False: interrupted. */
bool tg_view_copy_parts(tg_ctx *c, const tg_view *dst, const tg_view *src);
/* Element at a flat row-major position, as a double. */
double tg_view_get(const tg_view *v, int64_t flat);
void tg_view_set(const tg_view *v, int64_t flat, double x);
/* The same for the element `offset` elements behind the first, as strides count. */
double tg_view_load(const tg_view *v, int64_t offset);
void tg_view_store(const tg_view *v, int64_t offset, double x);
/* Appends "[2, 3]": the indices of that position; nothing for a scalar. */
void tg_view_add_place(const tg_view *v, int64_t flat, tg_str *out);
/* Walks index tuples in row-major order: idx starts as zeros; returns false after the last. */
bool tg_view_step(const tg_view *v, int64_t *idx);
bool tg_shape_equal(int rank_a, const int64_t *a, int rank_b, const int64_t *b);

#endif
