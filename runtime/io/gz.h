/* A stream of bytes from memory that may be gzip: the content decides, not the name. gzip is
 * inflated piece by piece into the caller's memory, so that nothing is held twice. The input is
 * borrowed until tg_gz_close. */
#ifndef TG_RUNTIME_IO_GZ_H
#define TG_RUNTIME_IO_GZ_H

#include <zlib.h>

#include "base/ctx.h"

typedef struct tg_gz {
    tg_ctx *c;
    const char *name;        /* of the file, for errors */
    const unsigned char *in; /* what has not been read yet */
    size_t left;             /* bytes at `in` */
    size_t size;             /* bytes of the whole input */
    z_stream z;
    bool packed;  /* gzip; otherwise `in` is the content itself */
    bool between; /* at the border of two gzip members */
    bool broken;  /* an error was reported: nothing more comes */
    bool cut;     /* that error: the gzip data end too early */
} tg_gz;

/* False: no memory. Close it in either case. `name` and `buf` are borrowed. */
bool tg_gz_open(tg_gz *g, tg_ctx *c, const char *name, const void *buf, size_t len);
/* Reads `want` bytes to `out`; *got is smaller only at the end of the content. False: the data are
 * damaged or end too early (TG_ERR_FILE, naming the file), no memory, or an interrupt; *got bytes
 * came before that. */
bool tg_gz_read(tg_gz *g, void *out, size_t want, size_t *got);
void tg_gz_close(tg_gz *g);

#endif
