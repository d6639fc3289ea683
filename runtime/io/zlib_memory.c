/* The two functions that zlib asks for memory: n things of a size, whose product may not overflow.
 */
#include "runtime/io/zlib_memory.h"
#include "base/alloc.h"

static void *take(void *unused, uInt n, uInt size) {
    (void)unused;
    size_t bytes;
    return tg_size_mul(n, size, &bytes) ? tg_alloc(bytes) : NULL;
}

static void give_back(void *unused, void *p) {
    (void)unused;
    tg_free(p);
}

z_stream tg_zlib_stream(void) {
    return (z_stream){.zalloc = take, .zfree = give_back};
}
