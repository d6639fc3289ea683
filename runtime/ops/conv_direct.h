/* Convolutions without columns: vectors run along channels, and what windows see is gathered from a
 * padded copy of the image. */
#ifndef TG_RUNTIME_CONV_DIRECT_H
#define TG_RUNTIME_CONV_DIRECT_H

#include "runtime/ops/conv.h"

/* Is this the better way? It depends on sizes and the processor. */
bool tg_conv_direct_fits(const tg_conv *v);
/* As tg_kernel_fn. Image and out lie in memory as tg_conv_pack makes them, and the kernel is
 * contiguous. */
bool tg_conv_direct_run(const tg_conv *v);

#endif
