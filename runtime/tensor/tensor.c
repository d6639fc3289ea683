/* Tensors: creation, sharing and reference counts. A buffer's header and its elements are one
 * block, 64 bytes apart, so that a tensor costs two allocations and its elements keep the alignment
 * of the block. Sizes are checked here, once: a tensor that exists has a count and a size in bytes
 * that fit in 63 bits. */
#include "runtime/tensor/tensor.h"

#include "base/alloc.h"

#include <assert.h>
#include <string.h>

enum { HEADER = 64 }; /* bytes before the elements */
_Static_assert(sizeof(tg_buffer) <= HEADER, "a buffer's header must fit before its elements");

size_t tg_dtype_size(tg_dtype t) {
    static const size_t size[TG_DTYPES] = {1, 1, 4, 8, 4, 8};
    return size[t];
}

const char *tg_dtype_name(tg_dtype t) {
    static const char *const name[TG_DTYPES] = {"bool",  "byte",   "int32",
                                                "int64", "single", "double"};
    return name[t];
}

/* Appends the shape to the error under way as a note. */
static bool fail_shape(tg_ctx *c, tg_err kind, const char *why, int rank, const int64_t *dim) {
    tg_str s = {0};
    for (int i = 0; i < rank; i++) tg_str_addf(&s, i ? ", %lld" : "%lld", (long long)dim[i]);
    tg_fail(c, kind, "a tensor of shape [%s] %s", tg_str_text(&s), why);
    tg_str_free(&s);
    return false;
}

/* The bytes of a tensor; false with an error when there can be none of that shape. Sizes of 0 count
 * as 1, so that strides cannot overflow either. */
static bool measure(tg_ctx *c, tg_dtype t, int rank, const int64_t *dim, size_t *bytes) {
    if (rank < 0 || rank > TG_MAX_RANK)
        return tg_fail(c, TG_ERR_SHAPE, "a tensor has at most %d axes, not %d", TG_MAX_RANK, rank);
    size_t total = tg_dtype_size(t);
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0) return fail_shape(c, TG_ERR_VALUE, "has a negative size", rank, dim);
        if (dim[i] == 0)
            empty = true;
        else if (!tg_size_mul(total, (size_t)dim[i], &total))
            return fail_shape(c, TG_ERR_VALUE, "is too large", rank, dim);
    }
    if (total > PTRDIFF_MAX - HEADER) return fail_shape(c, TG_ERR_VALUE, "is too large", rank, dim);
    *bytes = empty ? 0 : total;
    return true;
}

static void drop_buffer(tg_buffer *b) {
    assert(b->refs > 0);
    if (--b->refs == 0) tg_free(b);
}

tg_tensor *tg_tensor_new(tg_ctx *c, tg_dtype t, int rank, const int64_t *dim) {
    size_t bytes = 0;
    if (!measure(c, t, rank, dim, &bytes)) return NULL;
    tg_tensor *x = tg_alloc(sizeof *x);
    tg_buffer *b = x ? tg_alloc(HEADER + bytes) : NULL;
    if (!b) {
        tg_free(x);
        if (bytes < ((size_t)1 << 30))
            tg_fail_memory(c);
        else
            tg_fail(c, TG_ERR_MEMORY, "out of memory: a tensor of %.0f GB is wanted",
                    (double)bytes / 1e9);
        return NULL;
    }
    *b = (tg_buffer){.refs = 1, .bytes = bytes, .data = (char *)b + HEADER};
    x->refs = 1;
    x->buf = b;
    tg_view_init(&x->v, b->data, t, rank, dim);
    return x;
}

tg_tensor *tg_tensor_scalar(tg_ctx *c, tg_dtype t, double value) {
    tg_tensor *x = tg_tensor_new(c, t, 0, NULL);
    if (x) tg_view_set(&x->v, 0, value);
    return x;
}

tg_tensor *tg_tensor_share(tg_ctx *c, tg_tensor *t, const tg_view *v) {
    tg_tensor *x = tg_alloc(sizeof *x);
    if (!x) {
        tg_fail_memory(c);
        return NULL;
    }
    t->buf->refs++;
    *x = (tg_tensor){.refs = 1, .v = *v, .buf = t->buf};
    return x;
}

tg_tensor *tg_tensor_convert(tg_ctx *c, const tg_view *v, tg_dtype t) {
    tg_tensor *x = tg_tensor_new(c, t, v->rank, v->dim);
    if (!x || tg_view_copy_parts(c, &x->v, v)) return x;
    tg_tensor_drop(x);
    return NULL;
}

tg_tensor *tg_tensor_hold(tg_tensor *t) {
    if (t) t->refs++;
    return t;
}

void tg_tensor_drop(tg_tensor *t) {
    if (!t) return;
    assert(t->refs > 0);
    if (--t->refs > 0) return;
    drop_buffer(t->buf);
    tg_free(t);
}

tg_tensor *tg_tensor_row(tg_ctx *c, tg_tensor *t, int64_t i) {
    tg_view v = t->v;
    v.data = (char *)v.data + i * v.stride[0] * (int64_t)tg_dtype_size(v.dtype);
    v.rank--;
    memmove(v.dim, v.dim + 1, sizeof v.dim - sizeof v.dim[0]);
    memmove(v.stride, v.stride + 1, sizeof v.stride - sizeof v.stride[0]);
    return tg_tensor_share(c, t, &v);
}
