/* IDX files, the format of MNIST and its kin: two zero bytes, a type, a rank, the sizes as 32-bit
 * numbers, then the elements; all big endian. Plain or gzip, recognised by content. Every way in
 * which a file can be wrong is an error of its own that names the file. Results are owned by the
 * caller; NULL: an error. */
#ifndef TG_RUNTIME_IO_IDX_H
#define TG_RUNTIME_IO_IDX_H

#include "runtime/tensor/tensor.h"

/* The elements keep their type: ubyte -> byte, sbyte, short and int -> int32, float -> single,
 * double -> double. */
tg_tensor *tg_idx_read(tg_ctx *c, const char *path);
/* The same from memory; `name` appears in errors. */
tg_tensor *tg_idx_parse(tg_ctx *c, const char *name, const void *buf, size_t len);
/* A file of ubyte elements as singles, each divided by `divisor` on the way in: no copy of the
 * bytes is ever whole in memory. Another element type is an error. */
tg_tensor *tg_idx_read_scaled(tg_ctx *c, const char *path, float divisor);

#endif
