/* zlib's memory from base/alloc.h, so that it is counted, limited and made to fail as all other is.
 * A z_stream that begins as tg_zlib_stream() owns nothing until it is initialised. */
#ifndef TG_RUNTIME_IO_ZLIB_MEMORY_H
#define TG_RUNTIME_IO_ZLIB_MEMORY_H

#include <zlib.h>

z_stream tg_zlib_stream(void);

#endif
