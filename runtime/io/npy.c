/* Reading .npy: the header by npy_header.c, then the elements, which come in pieces; each piece is
 * turned into the host's types at its place in the result. The result starts at a size that the
 * bytes there are make plausible and grows as they come, so that a lie costs no memory; for an
 * honest file that is its own size at once. */
#include "runtime/io/npy.h"
#include "base/alloc.h"
#include "runtime/io/npy_header.h"

#include <math.h>
#include <string.h>

enum {
    PIECE = 1 << 16, /* bytes read at a time: a multiple of every element size */
    MAGIC = 6,
};

static const char magic[MAGIC] = "\x93NUMPY";

bool tg_npy_is(const void *buf, size_t len) {
    return len >= MAGIC && memcmp(buf, magic, MAGIC) == 0;
}

static bool pull(tg_npy_source *s, void *out, size_t want, size_t *got) {
    bool ok = s->read(s, out, want, got);
    s->at += *got;
    return ok;
}

/* ---- the header ---- */

/* Exactly `want` bytes. */
static bool pull_header(tg_npy_source *s, void *out, size_t want) {
    size_t got, from = s->at;
    if (!pull(s, out, want, &got)) return false;
    if (got == want) return true;
    if (s->at == 0) return tg_fail(s->c, TG_ERR_FILE, "%s: it is empty, no .npy file", s->name);
    return tg_fail(s->c, TG_ERR_FILE,
                   "%s: truncated: it ends at offset %zu, within the header's %zu bytes from %zu",
                   s->name, s->at, want, from);
}

static bool read_header(tg_npy_source *s, tg_npy_header_t *h) {
    unsigned char first[MAGIC + 2], length[4] = {0};
    if (!pull_header(s, first, sizeof first)) return false;
    if (!tg_npy_is(first, sizeof first)) {
        tg_fail(s->c, TG_ERR_FILE, "%s: no .npy file: it begins with %02x %02x %02x %02x", s->name,
                first[0], first[1], first[2], first[3]);
        return tg_help(s->c, "a .npy file begins with 93 4e 55 4d 50 59");
    }
    int version = first[MAGIC];
    if (version < 1 || version > 3)
        return tg_fail(s->c, TG_ERR_FILE,
                       "%s: offset %d: version %d.%d of the format; 1 to 3 are "
                       "known",
                       s->name, MAGIC, version, first[MAGIC + 1]);
    if (!pull_header(s, length, version == 1 ? 2 : 4)) return false;
    size_t n = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 |
               (size_t)length[3] << 24;
    if (n > TG_NPY_LONGEST)
        return tg_fail(s->c, TG_ERR_FILE,
                       "%s: offset 8: a header of %zu bytes; more than %d are "
                       "not believed",
                       s->name, n, TG_NPY_LONGEST);
    size_t from = s->at;
    char *text = tg_alloc(n + 1);
    if (!text) return tg_fail_memory(s->c);
    bool ok = pull_header(s, text, n);
    if (ok) ok = tg_npy_header_parse(s->c, s->name, from, text, n, h);
    tg_free(text);
    if (!ok) return false;
    size_t left = s->size - s->at;
    if (s->size < s->at || left == h->bytes) return true;
    if (left < h->bytes)
        return tg_fail(s->c, TG_ERR_FILE,
                       "%s: truncated: the header promises %s, %zu bytes from "
                       "offset %zu, and %zu are there",
                       s->name, h->promise, h->bytes, s->at, left);
    return tg_fail(s->c, TG_ERR_FILE,
                   "%s: the header promises %s, which end at offset %zu, and "
                   "%zu bytes follow",
                   s->name, h->promise, s->at + h->bytes, left - h->bytes);
}

/* ---- elements ---- */

static bool host_is_big(void) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

static void turn(unsigned char *p, size_t n, size_t size) {
    for (; n > 0; n--, p += size)
        for (size_t i = 0, k = size - 1; i < k; i++, k--) {
            unsigned char b = p[i];
            p[i] = p[k];
            p[k] = b;
        }
}

/* IEEE 754's binary16, exactly. */
static float half(uint16_t x) {
    int sign = x >> 15 ? -1 : 1, exponent = x >> 10 & 31, fraction = x & 1023;
    if (exponent == 31) return fraction ? (float)NAN : (float)sign * (float)INFINITY;
    float value = exponent == 0 ? ldexpf((float)fraction, -24)
                                : ldexpf((float)(1024 + fraction), exponent - 25);
    return (float)sign * value;
}

/* n elements of the host's endianness at `in` to their type in tg at `out`. False: *bad is too
 * large for that. */
static bool convert(const tg_npy_header_t *h, void *out, const unsigned char *in, size_t n,
                    size_t *bad) {
    int32_t *i32 = out;
    int64_t *i64 = out;
    switch (h->code) {
    case TG_NPY_CODE('b', 1):
        for (size_t i = 0; i < n; i++) ((unsigned char *)out)[i] = in[i] != 0;
        return true;
    case TG_NPY_CODE('i', 1):
        for (size_t i = 0; i < n; i++) i32[i] = in[i] < 0x80 ? in[i] : in[i] - 0x100;
        return true;
    case TG_NPY_CODE('i', 2):
    case TG_NPY_CODE('u', 2):
    case TG_NPY_CODE('f', 2):
        for (size_t i = 0; i < n; i++) {
            uint16_t x;
            memcpy(&x, in + 2 * i, 2);
            if (h->code == TG_NPY_CODE('f', 2))
                ((float *)out)[i] = half(x);
            else
                i32[i] = h->code == TG_NPY_CODE('i', 2) ? (int16_t)x : x;
        }
        return true;
    case TG_NPY_CODE('u', 4):
        for (size_t i = 0; i < n; i++) {
            uint32_t x;
            memcpy(&x, in + 4 * i, 4);
            i64[i] = x;
        }
        return true;
    case TG_NPY_CODE('u', 8):
        memcpy(out, in, 8 * n);
        for (*bad = 0; *bad < n; (*bad)++)
            if (i64[*bad] < 0) return false;
        return true;
    default: memcpy(out, in, n * h->size); return true;
    }
}

/* A flat tensor of `need` elements or more: t itself, or a larger one with its first `used`. Takes
 * t; NULL: no memory. */
static tg_tensor *make_room(const tg_npy_source *s, const tg_npy_header_t *h, tg_tensor *t,
                            size_t used, size_t need) {
    size_t cap = t ? (size_t)t->v.dim[0] : 0;
    if (t && need <= cap) return t;
    size_t want = t ? cap + cap / 2 : s->plausible / h->size + 1;
    if (want < need) want = need;
    if (want > h->count) want = h->count;
    int64_t dim = (int64_t)want;
    tg_tensor *grown = tg_tensor_new(s->c, h->dtype, 1, &dim);
    if (!grown)
        tg_fail(s->c, TG_ERR_MEMORY, "out of memory while reading %s: %s", s->name, h->promise);
    else if (used)
        memcpy(grown->v.data, t->v.data, used * tg_dtype_size(h->dtype));
    tg_tensor_drop(t);
    return grown;
}

/* The next bytes, a whole number of elements, of the host's endianness. */
static bool pull_piece(tg_npy_source *s, const tg_npy_header_t *h, unsigned char *piece,
                       size_t most, size_t *n) {
    size_t want = most * h->size < PIECE ? most * h->size : PIECE / h->size * h->size, got;
    if (!tg_check_interrupt(s->c))
        return tg_came_to(s->c, "%s, at byte %zu of %zu", s->name, s->at, s->size);
    if (!pull(s, piece, want, &got)) return false;
    if (got < want)
        return tg_fail(s->c, TG_ERR_FILE,
                       "%s: truncated: the header promises %s, and it ends at "
                       "offset %zu",
                       s->name, h->promise, s->at);
    *n = want / h->size;
    if (h->big != host_is_big() && h->unit > 1) turn(piece, want / h->unit, h->unit);
    return true;
}

/* The elements in the order of the file, flat. */
static tg_tensor *read_flat(tg_npy_source *s, const tg_npy_header_t *h, unsigned char *piece) {
    tg_tensor *t = make_room(s, h, NULL, 0, 0);
    for (size_t done = 0, n = 0, bad = 0; t && done < h->count; done += n) {
        const size_t from = s->at;
        bool ok = pull_piece(s, h, piece, h->count - done, &n);
        if (ok && !(t = make_room(s, h, t, done, done + n))) return NULL;
        char *out = (char *)t->v.data + done * tg_dtype_size(h->dtype);
        if (ok && !convert(h, out, piece, n, &bad))
            ok = tg_fail(s->c, TG_ERR_FILE, "%s: offset %zu: a uint64 that is too large for int64",
                         s->name, from + 8 * bad);
        if (ok) continue;
        tg_tensor_drop(t);
        return NULL;
    }
    return t;
}

/* The flat elements in their shape, contiguous. Takes flat. */
static tg_tensor *in_shape(tg_ctx *c, const tg_npy_header_t *h, tg_tensor *flat) {
    tg_view v;
    tg_view_init(&v, flat->v.data, h->dtype, h->rank, h->dim);
    int64_t step = 1;
    if (!h->fortran) {
        tg_tensor *t = tg_tensor_share(c, flat, &v);
        tg_tensor_drop(flat);
        return t;
    }
    for (int i = 0; i < h->rank; i++) {
        v.stride[i] = step;
        step *= h->dim[i] > 0 ? h->dim[i] : 1;
    }
    tg_tensor *t = tg_tensor_new(c, h->dtype, h->rank, h->dim);
    if (t && !tg_view_copy_parts(c, &t->v, &v)) {
        tg_tensor_drop(t);
        t = NULL;
    }
    tg_tensor_drop(flat);
    return t;
}

/* ---- texts ---- */

static size_t put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c);
    return n;
}

/* Texts under way: the characters of one element after the other, each filled up with zeros. */
typedef struct writing {
    tg_str all;
    size_t units; /* of the element at hand, so far */
    bool ended;   /* it had a zero */
} writing;

/* The n units of a piece; false: the one at *bad is no character. */
static bool add_units(const tg_npy_header_t *h, writing *w, const unsigned char *in, size_t n,
                      size_t *bad) {
    for (*bad = 0; *bad < n; (*bad)++) {
        uint32_t c = in[*bad];
        char utf8[4];
        if (h->unit == 4) memcpy(&c, in + 4 * *bad, 4);
        uint32_t most = h->unit == 4 ? 0x10FFFF : 0x7F;
        if (c && (w->ended || c > most || (c >= 0xD800 && c < 0xE000))) return false;
        w->ended = c == 0;
        if (c) tg_str_addn(&w->all, utf8, put_utf8(utf8, c));
        if (++w->units < h->size / h->unit) continue;
        tg_str_addc(&w->all, 0);
        w->units = 0;
        w->ended = false;
    }
    return true;
}

static bool read_texts(tg_npy_source *s, const tg_npy_header_t *h, unsigned char *piece,
                       tg_npy *out) {
    writing w = {0};
    bool ok = true;
    tg_npy_header_t units = *h; /* the same bytes, a unit at a time */
    units.size = h->unit;
    units.count = h->bytes / h->unit;
    for (size_t done = 0, n = 0, bad = 0; ok && done < units.count; done += n) {
        size_t from = s->at;
        ok = pull_piece(s, &units, piece, units.count - done, &n);
        if (ok && !add_units(h, &w, piece, n, &bad))
            ok = tg_fail(s->c, TG_ERR_FILE, "%s: offset %zu: this is no character of a text",
                         s->name, from + bad * h->unit);
    }
    for (size_t i = 0; h->size == 0 && i < h->count; i++) tg_str_addc(&w.all, 0);
    if (ok && w.all.failed) ok = tg_fail_memory(s->c);
    if (!ok) {
        tg_str_free(&w.all);
        return false;
    }
    *out = (tg_npy){.texts = w.all.text, .bytes = w.all.len, .count = (int64_t)h->count};
    out->single = h->rank == 0;
    return true;
}

/* ---- the whole ---- */

/* Reading to the end lets a source look at its checksum. */
static bool read_end(tg_npy_source *s, const tg_npy_header_t *h) {
    char byte;
    size_t got;
    if (!pull(s, &byte, 1, &got)) return false;
    return got == 0 || tg_fail(s->c, TG_ERR_FILE,
                               "%s: the header promises %s, which end at offset "
                               "%zu, and more follows",
                               s->name, h->promise, s->at - 1);
}

static bool is_wide(const tg_view *v) {
    int64_t x, most = INT64_C(1) << 53;
    if (v->rank > 0 || v->dtype != TG_I64) return false;
    memcpy(&x, v->data, sizeof x);
    return x > most || x < -most;
}

bool tg_npy_read(tg_npy_source *s, tg_npy *out) {
    tg_npy_header_t h;
    *out = (tg_npy){0};
    if (!read_header(s, &h)) return false;
    unsigned char *piece = tg_alloc(PIECE);
    if (!piece) return tg_fail_memory(s->c);
    if (h.text) {
        bool ok = read_texts(s, &h, piece, out) && read_end(s, &h);
        tg_free(piece);
        if (!ok) tg_npy_free(out);
        return ok;
    }
    tg_tensor *t = read_flat(s, &h, piece);
    tg_free(piece);
    if (t && !read_end(s, &h)) {
        tg_tensor_drop(t);
        return false;
    }
    out->tensor = t ? in_shape(s->c, &h, t) : NULL;
    if (!out->tensor) return false;
    out->wide = is_wide(&out->tensor->v);
    return true;
}

void tg_npy_free(tg_npy *a) {
    tg_tensor_drop(a->tensor);
    tg_free(a->texts);
    *a = (tg_npy){0};
}

static bool read_memory(tg_npy_source *s, void *out, size_t want, size_t *got) {
    *got = want < s->size - s->at ? want : s->size - s->at;
    if (*got) memcpy(out, (const char *)s->user + s->at, *got);
    return true;
}

bool tg_npy_parse(tg_ctx *c, const char *name, const void *buf, size_t len, tg_npy *out) {
    tg_npy_source s = {.c = c, .name = name, .read = read_memory, .size = len, .plausible = len};
    s.user = (void *)(uintptr_t)buf; /* it is only read */
    return tg_npy_read(&s, out);
}
