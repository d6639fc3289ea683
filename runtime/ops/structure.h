/* What the operations that rearrange elements share. */
#ifndef TG_RUNTIME_STRUCTURE_H
#define TG_RUNTIME_STRUCTURE_H

#include "runtime/ops/op.h"

#include <string.h>

/* The type in which elements are kept as they are; a plain number becomes a float of the default
 * precision. */
static inline tg_dtype tg_kept_dtype(const tg_rt *rt, const tg_type *t) {
    return t->weak ? rt->precision : t->dtype;
}

/* One type for elements of several tensors put side by side: theirs if they agree, else the float
 * type of arithmetic. */
static inline tg_dtype tg_joint_dtype(tg_rt *rt, int n, const tg_type *in) {
    tg_dtype t = tg_kept_dtype(rt, &in[0]);
    for (int i = 1; i < n; i++)
        if (tg_kept_dtype(rt, &in[i]) != t) {
            t = tg_promote(rt, n, in);
            break;
        }
    return t;
}

/* out becomes a tensor of x's element type and argument 0 stays as it is; the rule sets rank and
 * sizes. */
static inline void tg_keep_type(const tg_rt *rt, const tg_type *in, tg_type *out, tg_dtype *want) {
    out->dtype = want[0] = tg_kept_dtype(rt, in);
    out->weak = false;
}

/* Zeroes a contiguous view. */
static inline void tg_view_clear(const tg_view *v) {
    memset(v->data, 0, (size_t)tg_view_count(v) * tg_dtype_size(v->dtype));
}

/* Every element of v becomes x. */
static inline void tg_view_fill(const tg_view *v, double x) {
    tg_view same = {.data = &x, .dtype = TG_F64, .rank = v->rank}; /* strides 0 */
    memcpy(same.dim, v->dim, sizeof same.dim);
    tg_view_copy(v, &same);
}

/* The element at an offset, counted in elements from the first. */
static inline void *tg_view_place(const tg_view *v, int64_t offset) {
    return (char *)v->data + offset * (int64_t)tg_dtype_size(v->dtype);
}

/* The part of v with `count` places of an axis from `start` on. */
static inline tg_view tg_view_narrow(const tg_view *v, int axis, int64_t start, int64_t count) {
    tg_view r = *v;
    r.data = tg_view_place(v, start * v->stride[axis]);
    r.dim[axis] = count;
    return r;
}

static inline void tg_view_drop_axis(tg_view *v, int axis) {
    v->rank--;
    for (int i = axis; i < v->rank; i++) v->dim[i] = v->dim[i + 1], v->stride[i] = v->stride[i + 1];
}

/* A size in a message. Use as tg_size_word(rt, n).text within one expression. */
typedef struct tg_size_words {
    char text[64];
} tg_size_words;
static inline tg_size_words tg_size_word(tg_rt *rt, tg_size s) {
    tg_size_words w;
    const char *t = tg_shape_text(rt, 1, &s) + 1; /* without the brackets */
    size_t n = strlen(t);
    n = n == 0 ? 0 : n > sizeof w.text ? sizeof w.text - 1 : n - 1;
    memcpy(w.text, t, n);
    w.text[n] = 0;
    return w;
}

/* Copies the sizes of a SHAPE parameter whose count is at->v[i] into out. Errors: a -1 where none
 * may stand. */
bool tg_shape_of_attr(tg_rt *rt, const tg_op *op, const tg_attrs *at, int i, tg_type *out);

#endif
