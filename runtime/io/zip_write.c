/* Writing zip archives. The header of an entry is written with its sizes open, and filled in at its
 * end; the directory grows beside and comes last. Sizes and places that do not fit into 32 bits
 * stand in extra fields (zip64). All dates are the first of 1980, the earliest that the format has,
 * and all entries are files that everyone may read. */
#include "base/alloc.h"
#include "runtime/io/zip.h"
#include "runtime/io/zlib_memory.h"

#include <string.h>

enum {
    PIECE = 1 << 18, /* bytes between two looks at the interrupt flag */
    VERSION = 20,    /* of the format, that is needed to read it: 2.0, ... */
    VERSION_WIDE = 45,
    UNIX = 3 << 8,
    UTF8 = 1 << 11,
    DATE = 1 << 5 | 1, /* 1980-01-01 */
    EXTRA = 20,        /* bytes of the extra field of a header */
    ROOM = 96,         /* of any record */
};
static const uint32_t wide = 0xFFFFFFFF;

static bool reserve(tg_zip_writer *w, tg_zip_bytes *b, size_t n) {
    if (n <= b->cap - b->len) return true;
    if (n > SIZE_MAX / 2 - b->len) return tg_fail_memory(w->c);
    size_t cap = b->cap + b->cap / 2;
    if (cap < b->len + n) cap = b->len + n;
    unsigned char *grown = tg_realloc(b->at, cap);
    if (!grown) return tg_fail_memory(w->c);
    b->at = grown;
    b->cap = cap;
    return true;
}

static bool put(tg_zip_writer *w, tg_zip_bytes *b, const void *p, size_t n) {
    if (!reserve(w, b, n)) return false;
    if (n) memcpy(b->at + b->len, p, n);
    b->len += n;
    return true;
}

/* A record under way. */
typedef struct record {
    unsigned char at[ROOM];
    size_t n;
} record;

static void add(record *r, uint64_t x, int bytes) {
    for (int i = 0; i < bytes; i++) r->at[r->n++] = (unsigned char)(x >> (8 * i));
}

static void add_sign(record *r, unsigned char a, unsigned char b) {
    const unsigned char sign[4] = {'P', 'K', a, b};
    memcpy(r->at + r->n, sign, sizeof sign);
    r->n += sizeof sign;
}

static uint32_t narrow(uint64_t x) {
    return x >= wide ? wide : (uint32_t)x;
}

void tg_zip_create(tg_zip_writer *w, tg_ctx *c) {
    *w = (tg_zip_writer){.c = c};
}

/* What a header and a record of the directory have in common: from the version to the name's
 * length. */
static void add_common(record *r, const tg_zip_writer *w, bool large, bool deflated,
                       uint32_t packed, uint32_t size) {
    add(r, large ? VERSION_WIDE : VERSION, 2);
    add(r, UTF8, 2);
    add(r, deflated ? Z_DEFLATED : 0, 2);
    add(r, 0, 2); /* midnight */
    add(r, DATE, 2);
    add(r, w->crc, 4);
    add(r, packed, 4);
    add(r, size, 4);
    add(r, w->name, 2);
}

static record header_of(const tg_zip_writer *w, bool deflated, size_t packed) {
    record r = {.n = 0};
    add_sign(&r, 3, 4);
    bool large = w->wide;
    add_common(&r, w, large, deflated, large ? wide : (uint32_t)packed,
               large ? wide : (uint32_t)w->size);
    add(&r, w->wide ? EXTRA : 0, 2);
    return r;
}

static record extra_of(const tg_zip_writer *w, size_t packed) {
    record r = {.n = 0};
    add(&r, 1, 2);
    add(&r, EXTRA - 4, 2);
    add(&r, w->size, 8);
    add(&r, packed, 8);
    return r;
}

bool tg_zip_add(tg_zip_writer *w, const char *name, size_t size, bool compress) {
    enum { LEVEL = 6, MEMORY = 8 };
    w->header = w->out.len;
    w->name = strlen(name);
    w->size = 0;
    w->crc = (uint32_t)crc32(0, NULL, 0);
    w->wide = size >= wide - (size >> 10) - 1024; /* deflated, it may be a little longer */
    record r = header_of(w, compress, 0), e = extra_of(w, 0);
    if (!put(w, &w->out, r.at, r.n) || !put(w, &w->out, name, w->name) ||
        (w->wide && !put(w, &w->out, e.at, e.n)))
        return false;
    w->data = w->out.len;
    if (!compress) return reserve(w, &w->out, size);
    w->z = tg_zlib_stream();
    w->deflating =
        deflateInit2(&w->z, LEVEL, Z_DEFLATED, -MAX_WBITS, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    return w->deflating || tg_fail_memory(w->c);
}

/* Deflates p[0..n), and all that is left where `finish`. */
static bool deflate_piece(tg_zip_writer *w, const void *p, size_t n, bool finish) {
    enum { OUT = 1 << 14 };
    unsigned char out[OUT];
    w->z.next_in = (unsigned char *)(uintptr_t)p; /* zlib only reads it */
    w->z.avail_in = (uInt)n;
    int status;
    do {
        w->z.next_out = out;
        w->z.avail_out = OUT;
        status = deflate(&w->z, finish ? Z_FINISH : Z_NO_FLUSH);
        if (!put(w, &w->out, out, OUT - w->z.avail_out)) return false;
    } while (w->z.avail_out == 0 || (finish && status == Z_OK));
    return true;
}

bool tg_zip_write(tg_zip_writer *w, const void *p, size_t n) {
    for (size_t done = 0; done < n;) {
        size_t more = n - done < PIECE ? n - done : PIECE;
        const unsigned char *from = (const unsigned char *)p + done;
        if (!tg_check_interrupt(w->c)) return false;
        w->crc = (uint32_t)crc32(w->crc, from, (uInt)more);
        if (!(w->deflating ? deflate_piece(w, from, more, false) : put(w, &w->out, from, more)))
            return false;
        w->size += more;
        done += more;
    }
    return true;
}

/* The entry's record in the directory; its name is that of its header. */
static bool list_entry(tg_zip_writer *w, bool deflated, size_t packed) {
    const uint64_t number[] = {w->size, packed, w->header};
    const uint64_t readable = UINT64_C(0100644) << 16;
    record r = {.n = 0}, e = {.n = 0};
    for (int i = 0; i < 3; i++)
        if (number[i] >= wide) add(&e, number[i], 8);
    bool large = e.n > 0;
    add_sign(&r, 1, 2);
    add(&r, UNIX | VERSION_WIDE, 2);
    add_common(&r, w, large, deflated, narrow(packed), narrow(w->size));
    add(&r, large ? e.n + 4 : 0, 2);
    add(&r, 0, 2 + 2 + 2); /* no comment, the first disk, no text */
    add(&r, readable, 4);
    add(&r, narrow(w->header), 4);
    record sign = {.n = 0};
    add(&sign, 1, 2);
    add(&sign, e.n, 2);
    w->entries++;
    const unsigned char *name = w->out.at + w->data - w->name - (w->wide ? EXTRA : 0);
    return put(w, &w->directory, r.at, r.n) && put(w, &w->directory, name, w->name) &&
           (!large || (put(w, &w->directory, sign.at, sign.n) && put(w, &w->directory, e.at, e.n)));
}

bool tg_zip_end_entry(tg_zip_writer *w) {
    bool deflated = w->deflating;
    if (deflated && !deflate_piece(w, NULL, 0, true)) return false;
    if (deflated) deflateEnd(&w->z);
    w->deflating = false;
    size_t packed = w->out.len - w->data;
    record r = header_of(w, deflated, packed), e = extra_of(w, packed);
    memcpy(w->out.at + w->header, r.at, r.n);
    if (w->wide) memcpy(w->out.at + w->data - EXTRA, e.at, e.n);
    return list_entry(w, deflated, packed);
}

bool tg_zip_finish(tg_zip_writer *w) {
    enum { MANY = 0xFFFF, END_WIDE = 56 };
    const uint64_t first = w->out.len, size = w->directory.len, n = w->entries;
    const uint64_t end = first + size;
    record r = {.n = 0};
    if (!put(w, &w->out, w->directory.at, w->directory.len)) return false;
    if (first >= wide || size >= wide || n >= MANY) {
        add_sign(&r, 6, 6);
        add(&r, END_WIDE - 12, 8);
        add(&r, UNIX | VERSION_WIDE, 2);
        add(&r, VERSION_WIDE, 2);
        add(&r, 0, 4 + 4); /* the first disk, twice */
        add(&r, n, 8);
        add(&r, n, 8);
        add(&r, size, 8);
        add(&r, first, 8);
        add_sign(&r, 6, 7);
        add(&r, 0, 4);
        add(&r, end, 8);
        add(&r, 1, 4); /* disk in all */
        if (!put(w, &w->out, r.at, r.n)) return false;
        r.n = 0;
    }
    add_sign(&r, 5, 6);
    add(&r, 0, 2 + 2);
    add(&r, n >= MANY ? MANY : n, 2);
    add(&r, n >= MANY ? MANY : n, 2);
    add(&r, narrow(size), 4);
    add(&r, narrow(first), 4);
    add(&r, 0, 2);
    return put(w, &w->out, r.at, r.n);
}

void tg_zip_free(tg_zip_writer *w) {
    if (w->deflating) deflateEnd(&w->z);
    tg_free(w->out.at);
    tg_free(w->directory.at);
    *w = (tg_zip_writer){0};
}
