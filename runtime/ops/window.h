/* Windows that slide over the last one or two axes of a tensor: what convolution and pooling share.
 * A window covers `kernel` places along an axis, `dilation` apart; the next one begins `stride`
 * places on; `padding` places in front and behind are not in the tensor. An operation's name says
 * over how many axes, conv1d or conv2d. A line is an image of one row. */
#ifndef TG_RUNTIME_WINDOW_H
#define TG_RUNTIME_WINDOW_H

#include "runtime/ops/op.h"

/* One axis, all known. Window o covers the places o * stride - padding + k * dilation. */
typedef struct tg_window_axis {
    int64_t image, kernel, out, stride, padding, dilation;
} tg_window_axis;

typedef struct tg_window {
    tg_window_axis row, column;
} tg_window;

/* How many axes the windows of op have: 1 or 2. */
int tg_window_axes(const tg_op *op);
/* The value of a parameter for one of these axes. */
int64_t tg_window_value(const tg_op *op, const tg_attrs *at, const char *param, int axis);
/* The windows of a call, between an image and what has an element for each window, both given by
 * views of which the last axes count; `kernel` has the sizes of the kernel in its last axes, and
 * NULL takes them from the parameter `size`. */
tg_window tg_window_of(const tg_call *call, const tg_view *image, const tg_view *out,
                       const tg_view *kernel);

/* tg_op.canonical: one entry for each axis, checked; a stride of none is the size. */
const tg_op *tg_window_canonical(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at);
/* For tg_op.spell: a pair of equal numbers is the number, and a default is left out. */
const tg_op *tg_window_spell(const tg_op *op, const tg_attrs *at, tg_attrs *spelt);

/* How many windows there are along axis `axis` of them, of an image of that size; symbolic sizes
 * too. TG_SIZE_FAIL, with the error: none fits. */
tg_size tg_window_count(tg_rt *rt, const tg_op *op, const tg_attrs *at, int axis, tg_size image,
                        int64_t kernel);
/* The least image that so many windows fill: (out - 1) * stride + the extent of the kernel - 2 *
 * padding. */
tg_size tg_window_extent(tg_rt *rt, const tg_op *op, const tg_attrs *at, int axis, tg_size out,
                         int64_t kernel);

/* How many lines or images the axes before the last `own` make, and where, in elements, the i-th of
 * them begins. */
int64_t tg_window_planes(const tg_view *v, int own);
int64_t tg_window_plane(const tg_view *v, int own, int64_t i);

#endif
