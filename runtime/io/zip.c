/* Reading zip archives (PKWARE's APPNOTE.TXT, version 6.3; deflate by zlib).
 *
 * An archive ends with a record that tells where its directory is, and the directory tells where
 * each entry begins: a header of its own and the data. Large archives have the same in wider
 * numbers (zip64), in records and extra fields of their own. Nothing of that is believed before it
 * was held against the length of the file. Why not a library: that of zlib (minizip 1.1) takes the
 * end of a file for zeros and does not read the wider sizes where a long has 64 bits, and libzip
 * brings the libraries for encryption along. */
#include "runtime/io/zip.h"
#include "runtime/io/zlib_memory.h"

#include <string.h>

enum {
    PIECE = 1 << 18, /* bytes between two looks at the interrupt flag */
    LOCAL = 30,      /* bytes of the records, without names and extra fields */
    CENTRAL = 46,
    END = 22,
    LOCATOR = 20,
    END_WIDE = 56,
    COMMENT = 65535, /* the longest */
};
static const uint32_t wide = 0xFFFFFFFF; /* in place of a number that stands elsewhere */

/* ---- numbers: little endian ---- */

static uint32_t u16(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const unsigned char *p) {
    return u16(p) | u16(p + 2) << 16;
}

static uint64_t u64(const unsigned char *p) {
    return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static bool is(const unsigned char *p, unsigned char a, unsigned char b) {
    return p[0] == 'P' && p[1] == 'K' && p[2] == a && p[3] == b;
}

bool tg_zip_is(const void *buf, size_t len) {
    return len >= 4 && (is(buf, 3, 4) || is(buf, 5, 6));
}

/* ---- the directory ---- */

static bool fail_directory(tg_zip *z, size_t at, const char *what) {
    return tg_fail(z->c, TG_ERR_FILE, "%s: offset %zu: %s", z->name, at, what);
}

/* Where the record of the end is: the last place that has its sign and room for its comment. */
static bool find_end(const tg_zip *z, size_t *at) {
    if (z->len < END) return false;
    size_t from = z->len - END, least = from > COMMENT ? from - COMMENT : 0;
    for (size_t i = from;; i--) {
        const unsigned char *p = z->buf + i;
        if (is(p, 5, 6) && u16(p + 20) <= from - i) {
            *at = i;
            return true;
        }
        if (i == least) return false;
    }
}

/* The directory's place in wider numbers, where the record at `end` has no room for them. */
static bool find_wide(tg_zip *z, size_t end, uint64_t *n, uint64_t *size, uint64_t *first) {
    if (end < LOCATOR || !is(z->buf + end - LOCATOR, 6, 7)) return true;
    uint64_t at = u64(z->buf + end - LOCATOR + 8);
    if (at > end - LOCATOR || end - LOCATOR - at < END_WIDE || !is(z->buf + at, 6, 6))
        return fail_directory(z, end - LOCATOR, "it points to no directory");
    *n = u64(z->buf + at + 32);
    *size = u64(z->buf + at + 40);
    *first = u64(z->buf + at + 48);
    return true;
}

bool tg_zip_open(tg_zip *z, tg_ctx *c, const char *name, const void *buf, size_t len) {
    size_t end;
    *z = (tg_zip){.c = c, .name = name, .buf = buf, .len = len};
    if (!find_end(z, &end)) {
        tg_fail(c, TG_ERR_FILE,
                "%s: truncated: a zip archive of %zu bytes without the directory at its end", name,
                len);
        return tg_help(c, "was it copied or downloaded whole?");
    }
    const unsigned char *p = z->buf + end;
    uint64_t n = u16(p + 10), size = u32(p + 12), first = u32(p + 16);
    if (!find_wide(z, end, &n, &size, &first)) return false;
    if (first > end || size > end - first || n > size / CENTRAL)
        return fail_directory(z, end, "the directory of the archive is not where it is said to be");
    z->at = z->first = first;
    z->end = first + size;
    z->left = n;
    if (n > 0 || size == 0) return true;
    return fail_directory(z, end, "the directory of the archive has entries that are not counted");
}

/* ---- an entry in the directory ---- */

/* What is wrong with the entry at hand. */
static bool fail(tg_zip *z, size_t at, const char *what) {
    return tg_fail(z->c, TG_ERR_FILE, "%s, entry %.200s, offset %zu: %s", z->name,
                   tg_str_text(&z->entry), at, what);
}

/* Valid UTF-8, and nothing that is no character to be seen. */
static bool is_name(const char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        unsigned char b = (unsigned char)s[i];
        size_t more = b < 0x80 ? 1 : (size_t)tg_utf8_next(s + i, n - i, NULL);
        if (b < ' ' || b == 0x7F || (b >= 0x80 && more == 1)) return false;
        i += more;
    }
    return n > 0;
}

/* The numbers that had no room, from the extra field e[0..n) of that sign. */
static bool widen(tg_zip *z, const unsigned char *e, size_t n, uint64_t *const number[3]) {
    for (size_t i = 0; i + 4 <= n;) {
        size_t len = u16(e + i + 2), at = i + 4;
        if (len > n - at) break;
        for (int k = 0; u16(e + i) == 1 && k < 3; k++) {
            if (*number[k] != wide) continue;
            if (at + 8 > i + 4 + len) return fail(z, z->record, "a size is missing");
            *number[k] = u64(e + at);
            at += 8;
        }
        i += 4 + len;
    }
    return true;
}

/* Moves on by the entry's record; it has been seen to be there. */
static bool read_record(tg_zip *z) {
    const unsigned char *p = z->buf + z->at;
    size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
    uint64_t size = u32(p + 24), packed = u32(p + 20), header = u32(p + 42);
    z->record = z->at;
    if (name + extra + comment > z->end - z->at - CENTRAL)
        return fail_directory(z, z->at, "the directory of the archive is damaged");
    z->entry.len = 0;
    if (!is_name((const char *)p + CENTRAL, name))
        return fail_directory(z, z->at, "the name of an entry is empty or not UTF-8");
    tg_str_addn(&z->entry, (const char *)p + CENTRAL, name);
    if (z->entry.failed) return tg_fail_memory(z->c);
    if (!widen(z, p + CENTRAL + name, extra, (uint64_t *const[]){&size, &packed, &header}))
        return false;
    unsigned method = u16(p + 10);
    if (u16(p + 8) & 1) return fail(z, z->at, "it is encrypted");
    if (method != 0 && method != Z_DEFLATED)
        return fail(z, z->at, "it is compressed in a way other than deflate");
    z->deflated = method == Z_DEFLATED;
    z->crc = u32(p + 16);
    z->size = size;
    z->packed = packed;
    z->header = header;
    if (packed > z->first - z->taken)
        return fail(z, z->at, "the entries are said to take more bytes than the file has");
    if (!z->deflated && packed != size) return fail(z, z->at, "its two sizes differ");
    z->taken += packed;
    z->at += CENTRAL + name + extra + comment;
    return true;
}

bool tg_zip_next(tg_zip *z, bool *there) {
    *there = z->left > 0;
    if (!*there) return true;
    *there = false;
    if (z->end - z->at < CENTRAL || !is(z->buf + z->at, 1, 2))
        return fail_directory(z, z->at, "the directory of the archive is damaged");
    z->left--;
    *there = read_record(z);
    return *there;
}

/* ---- the content ---- */

static void stop_inflating(tg_zip *z) {
    if (z->inflating) inflateEnd(&z->z);
    z->inflating = false;
}

bool tg_zip_begin(tg_zip *z) {
    const size_t len = z->entry.len;
    bool inside = z->header <= z->first && z->first - z->header >= LOCAL;
    const unsigned char *p = z->buf + (inside ? z->header : 0);
    stop_inflating(z);
    if (!inside || !is(p, 3, 4) || u16(p + 26) != len ||
        (size_t)u16(p + 26) + u16(p + 28) > z->first - z->header - LOCAL ||
        memcmp(p + LOCAL, tg_str_text(&z->entry), len) != 0)
        return fail(z, z->record, "it is not where the directory says");
    if (u16(p + 8) != (z->deflated ? Z_DEFLATED : 0))
        return fail(z, z->header, "it is compressed in another way than the directory says");
    z->data = z->header + LOCAL + u16(p + 26) + u16(p + 28);
    z->unread = z->packed;
    if (z->packed > z->first - z->data) return fail(z, z->header, "its data end too early");
    z->given = 0;
    z->sum = (uint32_t)crc32(0, NULL, 0);
    z->ended = false;
    if (!z->deflated) return true;
    z->z = tg_zlib_stream();
    z->inflating = inflateInit2(&z->z, -MAX_WBITS) == Z_OK; /* negative: without zlib's wrapper */
    return z->inflating || tg_fail_memory(z->c);
}

/* Some bytes, at most `want`; *got 0: the end. */
static bool inflate_piece(tg_zip *z, unsigned char *out, size_t want, size_t *got) {
    enum { MOST = 1 << 30 };
    *got = 0;
    while (!z->ended && *got == 0) {
        size_t feed = z->unread < MOST ? z->unread : MOST;
        z->z.next_in = (unsigned char *)(uintptr_t)(z->buf + z->data); /* zlib only reads it */
        z->z.avail_in = (uInt)feed;
        z->z.next_out = out;
        z->z.avail_out = (uInt)want;
        int status = inflate(&z->z, Z_NO_FLUSH);
        size_t used = feed - z->z.avail_in;
        z->data += used;
        z->unread -= used;
        *got = want - z->z.avail_out;
        z->ended = status == Z_STREAM_END;
        if (status == Z_MEM_ERROR) return tg_fail_memory(z->c);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return fail(z, z->data, "its compressed data are damaged");
        if (!z->ended && *got == 0 && used == 0)
            return fail(z, z->data, "its compressed data end too early");
    }
    return true;
}

static bool read_piece(tg_zip *z, unsigned char *out, size_t want, size_t *got) {
    if (z->deflated) return inflate_piece(z, out, want, got);
    *got = want < z->unread ? want : z->unread;
    if (*got) memcpy(out, z->buf + z->data, *got);
    z->data += *got;
    z->unread -= *got;
    return true;
}

bool tg_zip_read(tg_zip *z, void *out, size_t want, size_t *got) {
    size_t more = 1;
    for (*got = 0; *got < want && more > 0; *got += more) {
        size_t n = want - *got < PIECE ? want - *got : PIECE;
        unsigned char *to = (unsigned char *)out + *got;
        more = 0;
        if (!tg_check_interrupt(z->c))
            return tg_came_to(z->c, "%s, entry %s, at byte %zu of %zu", z->name,
                              tg_str_text(&z->entry), z->given, z->size);
        if (!read_piece(z, to, n, &more)) return false;
        z->sum = (uint32_t)crc32(z->sum, to, (uInt)more);
        z->given += more;
        if (z->given > z->size) return fail(z, z->data, "it is longer than the directory says");
    }
    return true;
}

bool tg_zip_end(tg_zip *z) {
    stop_inflating(z);
    if (z->given != z->size || z->unread > 0)
        return fail(z, z->data, "it is not as long as the directory says");
    return z->sum == z->crc ||
           fail(z, z->record, "its checksum is another than the directory says");
}

void tg_zip_close(tg_zip *z) {
    stop_inflating(z);
    tg_str_free(&z->entry);
    *z = (tg_zip){0};
}
