/* gzip by zlib (RFC 1952). A file may consist of several members one after the other, whose
 * contents are joined; each ends in a checksum, which zlib verifies when the end of the member is
 * reached. What follows the last member must be another member or nothing: anything else is damage.
 * Interrupts are looked at between pieces. */
#include "runtime/io/gz.h"
#include "runtime/io/zlib_memory.h"

#include <string.h>

enum { PIECE = 1 << 18 }; /* bytes produced between two looks at the interrupt flag */

static const unsigned char magic[2] = {0x1F, 0x8B};

static bool starts_member(const tg_gz *g) {
    return g->left >= sizeof magic && memcmp(g->in, magic, sizeof magic) == 0;
}

bool tg_gz_open(tg_gz *g, tg_ctx *c, const char *name, const void *buf, size_t len) {
    *g = (tg_gz){.c = c, .name = name, .in = buf, .left = len, .size = len};
    if (!starts_member(g)) return true;
    g->z = tg_zlib_stream();
    if (inflateInit2(&g->z, MAX_WBITS + 16) != Z_OK) { /* + 16: gzip, not zlib's own wrapper */
        g->broken = true;
        return tg_fail(c, TG_ERR_MEMORY, "out of memory while reading %s", name);
    }
    g->packed = true;
    return true;
}

void tg_gz_close(tg_gz *g) {
    if (g->packed) inflateEnd(&g->z);
    *g = (tg_gz){0};
}

static bool fail(tg_gz *g, int status) {
    g->broken = true;
    if (status == Z_MEM_ERROR)
        return tg_fail(g->c, TG_ERR_MEMORY, "out of memory while reading %s", g->name);
    g->cut = status == Z_BUF_ERROR;
    if (g->cut)
        return tg_fail(g->c, TG_ERR_FILE,
                       "%s: truncated: the gzip data end too early, after %zu bytes", g->name,
                       g->size);
    return tg_fail(g->c, TG_ERR_FILE, "%s: damaged gzip data: %s (near byte %zu of %zu)", g->name,
                   g->z.msg ? g->z.msg : "not a gzip stream", g->size - g->left, g->size);
}

/* One call of inflate: fills up to `want` bytes at `out`. At the border of members *got may be 0
 * without the end being reached; the end is `left` == 0 between members. */
static bool inflate_piece(tg_gz *g, unsigned char *out, size_t want, size_t *got) {
    if (g->between) {
        if (!starts_member(g)) {
            g->broken = true;
            return tg_fail(g->c, TG_ERR_FILE, "%s: damaged gzip data: %zu bytes follow its end",
                           g->name, g->left);
        }
        inflateReset(&g->z);
        g->between = false;
    }
    size_t feed = g->left < (1u << 30) ? g->left : 1u << 30;
    g->z.next_in = (unsigned char *)(uintptr_t)g->in; /* zlib only reads it */
    g->z.avail_in = (uInt)feed;
    g->z.next_out = out;
    g->z.avail_out = (uInt)want;
    int status = inflate(&g->z, Z_NO_FLUSH);
    size_t used = feed - g->z.avail_in;
    g->in += used;
    g->left -= used;
    *got = want - g->z.avail_out;
    if (status == Z_STREAM_END) {
        g->between = true;
        return true;
    }
    if (status == Z_OK && (*got > 0 || used > 0)) return true;
    return fail(g, status == Z_OK ? Z_BUF_ERROR : status);
}

static bool came_to(const tg_gz *g) {
    return tg_came_to(g->c, "%s, at byte %zu of %zu", g->name, g->size - g->left, g->size);
}

bool tg_gz_read(tg_gz *g, void *out, size_t want, size_t *got) {
    *got = 0;
    if (g->broken) return false;
    if (!g->packed) {
        *got = want < g->left ? want : g->left;
        if (*got) memcpy(out, g->in, *got);
        g->in += *got;
        g->left -= *got;
        return tg_check_interrupt(g->c) || came_to(g);
    }
    while (*got < want && !(g->between && g->left == 0)) {
        if (!tg_check_interrupt(g->c)) return came_to(g);
        size_t room = want - *got < PIECE ? want - *got : PIECE, more = 0;
        bool ok = inflate_piece(g, (unsigned char *)out + *got, room, &more);
        *got += more;
        if (!ok) return false;
    }
    return true;
}
