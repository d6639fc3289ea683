/* Convolutions, as the records of conv.c see the kernels. All three are sums over the same
 * products image * kernel * out, of which one is the result:
 *
 *   conv            out    [n, groups * o, windows]  of image and kernel
 *   conv_transpose  image  [n, groups * c, places]   of out and kernel
 *   conv_weights    kernel [groups * o, c, window]   of image and out */
#ifndef TG_RUNTIME_CONV_H
#define TG_RUNTIME_CONV_H

#include "runtime/ops/window.h"

typedef struct tg_conv {
    const tg_call *call;
    const tg_view *image, *kernel, *out; /* one of them is the result */
    tg_window window;
    int axes;
    int64_t n;            /* images */
    int64_t groups, c, o; /* channels of image and of out, in a group */
} tg_conv;

/* From the views alone; op tells which is the result. */
tg_conv tg_conv_of(const tg_call *call);

tg_kernel_fn tg_conv_run, tg_conv_transpose_run, tg_conv_weights_run; /* conv_kernel.c */
tg_kernel_fn tg_conv_reference;                                       /* conv_reference.c */

#endif
