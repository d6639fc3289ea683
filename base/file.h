/* Files: reading one whole, and writing one so that it is either the old or the new, never half. */
#ifndef TG_BASE_FILE_H
#define TG_BASE_FILE_H

#include "base/ctx.h"

/* The file's bytes with a 0 behind them (*len does not count it); free with tg_free. NULL: an error
 * that names the file and the reason (missing, a folder, no permission, too large, no memory). */
char *tg_file_read(tg_ctx *c, const char *path, size_t *len);
/* Temporary file in the target's folder, write, fsync, rename, fsync of the folder. A link stays
 * one, and what it points to is replaced; a device or pipe is written to. */
bool tg_file_save_atomic(tg_ctx *c, const char *path, const void *data, size_t len);
/* Writes behind what the file holds; there need be none. It is not atomic: where the disk is full,
 * a part may have been written. */
bool tg_file_append(tg_ctx *c, const char *path, const void *data, size_t len);
bool tg_file_exists(const char *path);

#endif
