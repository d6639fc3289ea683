/* The IDX reader (format: the description on the MNIST page of LeCun, Cortes and Burges).
 *
 * The bytes come through tg_gz in pieces, and each piece is converted to the host's type at its
 * place in the result. The header is not believed: the result starts at a size that the length of
 * the input makes plausible and grows only as data arrive, so a short file that promises 2^60 bytes
 * costs no memory. For an honest file the first guess is the promised size itself and nothing is
 * ever copied. */
#include "runtime/io/idx.h"
#include "base/alloc.h"
#include "base/file.h"
#include "runtime/io/gz.h"

#include <stdio.h>
#include <string.h>

enum {
    PIECE = 1 << 16,  /* bytes read at a time: a multiple of every element size */
    PLAUSIBLE = 8,    /* data seldom compress by more than this */
    TEXT = 256,       /* room for the promise in words: 8 sizes of 10 digits and a type */
    HEADER_FIRST = 4, /* two zeros, type, rank */
};

/* The types of IDX: code, bytes in the file, what they become. */
typedef struct idx_type {
    unsigned char code, size;
    tg_dtype dtype;
    const char *name;
} idx_type;

static const idx_type types[] = {
    {0x08, 1, TG_U8, "bytes"},
    {0x09, 1, TG_I32, "signed bytes"},
    {0x0B, 2, TG_I32, "16-bit integers"},
    {0x0C, 4, TG_I32, "32-bit integers"},
    {0x0D, 4, TG_F32, "singles"},
    {0x0E, 8, TG_F64, "doubles"},
};

typedef struct reader {
    tg_ctx *c;
    const char *name;
    tg_gz gz;
    const idx_type *type;
    tg_dtype dtype; /* of the result */
    float divisor;  /* not 0: ubyte becomes single, divided by this */
    int rank;
    int64_t dim[TG_MAX_RANK];
    size_t count;       /* elements promised */
    size_t bytes;       /* bytes promised, behind the header */
    char promise[TEXT]; /* "60000 x 28 x 28 bytes", "2 x 3 doubles (48 bytes)" */
} reader;

/* ---- conversion of one piece: n elements, big endian at `in`, to the host's type at `out` ---- */

static uint64_t big_endian(const unsigned char *in, unsigned size) {
    uint64_t x = 0;
    for (unsigned i = 0; i < size; i++) x = x << 8 | in[i];
    return x;
}

static void convert_scaled(float *restrict out, const unsigned char *restrict in, size_t n,
                           float divisor) {
    for (size_t i = 0; i < n; i++) out[i] = (float)in[i] / divisor;
}

static void convert(const reader *r, char *out, const unsigned char *in, size_t n) {
    int32_t *whole = (int32_t *)(void *)out;
    switch (r->type->code) {
    case 0x08: memcpy(out, in, n); break;
    case 0x09:
        for (size_t i = 0; i < n; i++) whole[i] = in[i] < 0x80 ? in[i] : in[i] - 0x100;
        break;
    case 0x0B:
        for (size_t i = 0; i < n; i++) whole[i] = (int16_t)big_endian(in + 2 * i, 2);
        break;
    case 0x0E:
        for (size_t i = 0; i < n; i++) {
            uint64_t bits = big_endian(in + 8 * i, 8);
            memcpy(out + 8 * i, &bits, 8);
        }
        break;
    default:
        for (size_t i = 0; i < n; i++) {
            uint32_t bits = (uint32_t)big_endian(in + 4 * i, 4);
            memcpy(out + 4 * i, &bits, 4);
        }
    }
}

/* ---- the header ---- */

/* Reads `n` bytes of the header; a gzip error keeps its own message. */
static bool read_header_part(reader *r, unsigned char *out, size_t n) {
    size_t got;
    if (!tg_gz_read(&r->gz, out, n, &got)) return false;
    if (got == n) return true;
    if (r->gz.size == 0)
        return tg_fail(r->c, TG_ERR_FILE, "%s: the file is empty, not an IDX file", r->name);
    return tg_fail(r->c, TG_ERR_FILE, "%s: truncated: the file ends inside the IDX header",
                   r->name);
}

static bool describe(reader *r) {
    size_t most = 1; /* a size of 0 counts as 1: the strides must not overflow either */
    r->count = 1;
    bool fits = true;
    int used = 0;
    for (int i = 0; i < r->rank; i++) {
        size_t n = (size_t)r->dim[i];
        fits = fits && tg_size_mul(most, n ? n : 1, &most);
        used += snprintf(r->promise + used, sizeof r->promise - (size_t)used, "%s%zu",
                         i ? " x " : "", n);
        if (n == 0) r->count = 0;
    }
    if (r->rank == 0) used += snprintf(r->promise, sizeof r->promise, "1 of");
    used += snprintf(r->promise + used, sizeof r->promise - (size_t)used, " %s", r->type->name);
    size_t widest =
        tg_dtype_size(r->dtype) > r->type->size ? tg_dtype_size(r->dtype) : r->type->size;
    if (!fits || !tg_size_mul(most, widest, &most) || most > (size_t)PTRDIFF_MAX)
        return tg_fail(r->c, TG_ERR_FILE, "%s: the header promises %s: more than any memory",
                       r->name, r->promise);
    if (r->count) {
        for (int i = 0; i < r->rank; i++) r->count *= (size_t)r->dim[i];
    }
    r->bytes = r->count * r->type->size;
    if (r->type->size > 1)
        snprintf(r->promise + used, sizeof r->promise - (size_t)used, " (%zu bytes)", r->bytes);
    return true;
}

static bool read_header(reader *r) {
    unsigned char first[HEADER_FIRST], size[4];
    if (!read_header_part(r, first, sizeof first)) return false;
    if (first[0] || first[1]) {
        tg_fail(r->c, TG_ERR_FILE, "%s: not an IDX file: it begins with %02x %02x %02x %02x",
                r->name, first[0], first[1], first[2], first[3]);
        return tg_help(r->c,
                       "an IDX file, plain or gzip, begins with 00 00, its type and its rank");
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].code == first[2]) r->type = &types[i];
    }
    if (!r->type)
        return tg_fail(r->c, TG_ERR_FILE, "%s: not an IDX file: unknown element type 0x%02x",
                       r->name, first[2]);
    r->rank = first[3];
    if (r->rank > TG_MAX_RANK)
        return tg_fail(r->c, TG_ERR_FILE, "%s: rank %d; at most %d is supported", r->name, r->rank,
                       TG_MAX_RANK);
    for (int i = 0; i < r->rank; i++) {
        if (!read_header_part(r, size, sizeof size)) return false;
        r->dim[i] = (int64_t)big_endian(size, 4);
    }
    if (r->divisor != 0 && r->type->code != 0x08)
        return tg_fail(r->c, TG_ERR_FILE, "%s: holds %s, where bytes are expected", r->name,
                       r->type->name);
    r->dtype = r->divisor != 0 ? TG_F32 : r->type->dtype;
    return describe(r);
}

/* ---- the elements ---- */

static bool fail_truncated(reader *r, size_t bytes) {
    return tg_fail(r->c, TG_ERR_FILE,
                   "%s: truncated: the header promises %s, the file ends after %zu", r->name,
                   r->promise, bytes);
}

/* A flat tensor with room for `need` elements: t itself, or a larger one with its first `used`
 * elements. t is consumed; NULL: no memory. */
static tg_tensor *make_room(reader *r, tg_tensor *t, size_t used, size_t need) {
    size_t cap = t ? (size_t)t->v.dim[0] : 0;
    if (t && need <= cap) return t;
    size_t plausible = r->gz.size / r->type->size + 1;
    if (r->gz.packed)
        plausible = plausible < r->count / PLAUSIBLE ? plausible * PLAUSIBLE : r->count;
    size_t want = t ? cap + cap / 2 : plausible;
    if (want < need) want = need;
    if (want > r->count) want = r->count;
    int64_t dim = (int64_t)want;
    tg_tensor *grown = tg_tensor_new(r->c, r->dtype, 1, &dim);
    if (!grown)
        tg_fail(r->c, TG_ERR_MEMORY, "out of memory while reading %s: %s", r->name, r->promise);
    else if (used)
        memcpy(grown->v.data, t->v.data, used * tg_dtype_size(r->dtype));
    tg_tensor_drop(t);
    return grown;
}

/* The next *n elements, as they stand in the file; `done` came before them. */
static bool read_piece(reader *r, unsigned char *piece, size_t done, size_t *n) {
    size_t want = (r->count - done) * r->type->size, got;
    if (want > PIECE) want = PIECE;
    bool ok = tg_gz_read(&r->gz, piece, want, &got);
    *n = got / r->type->size;
    if (ok ? got < want : r->gz.cut) return fail_truncated(r, done * r->type->size + got);
    return ok;
}

/* Nothing may follow the elements. Reaching the end of gzip data also verifies their checksum. */
static bool check_end(reader *r) {
    unsigned char byte;
    size_t more;
    if (!tg_gz_read(&r->gz, &byte, 1, &more)) return false;
    if (!more) return true;
    tg_fail(r->c, TG_ERR_FILE, "%s: more data than the header promises: %s", r->name, r->promise);
    return r->gz.packed ? false : tg_note(r->c, "%zu bytes follow", r->gz.left + 1);
}

/* All elements, in a flat tensor of r->count. */
static tg_tensor *read_elements(reader *r, unsigned char *piece) {
    if (!r->gz.packed && r->gz.left < r->bytes) {
        fail_truncated(r, r->gz.left);
        return NULL;
    }
    tg_tensor *t = make_room(r, NULL, 0, 0);
    for (size_t done = 0, n; t && done < r->count; done += n) {
        if (!read_piece(r, piece, done, &n)) {
            tg_tensor_drop(t);
            return NULL;
        }
        t = make_room(r, t, done, done + n);
        if (!t) return NULL;
        char *out = (char *)t->v.data + done * tg_dtype_size(r->dtype);
        if (r->divisor != 0)
            convert_scaled((float *)(void *)out, piece, n, r->divisor);
        else
            convert(r, out, piece, n);
    }
    if (t && !check_end(r)) {
        tg_tensor_drop(t);
        return NULL;
    }
    return t;
}

static tg_tensor *parse(tg_ctx *c, const char *name, const void *buf, size_t len, float divisor) {
    reader r = {.c = c, .name = name, .divisor = divisor};
    tg_tensor *flat = NULL, *result = NULL;
    unsigned char *piece = tg_alloc(PIECE);
    if (!piece) {
        tg_fail(r.c, TG_ERR_MEMORY, "out of memory while reading %s", name);
        return NULL;
    }
    if (tg_gz_open(&r.gz, r.c, name, buf, len) && read_header(&r)) flat = read_elements(&r, piece);
    if (flat) {
        tg_view shaped;
        tg_view_init(&shaped, flat->v.data, r.dtype, r.rank, r.dim);
        result = tg_tensor_share(r.c, flat, &shaped);
    }
    tg_tensor_drop(flat);
    tg_gz_close(&r.gz);
    tg_free(piece);
    return result;
}

tg_tensor *tg_idx_parse(tg_ctx *c, const char *name, const void *buf, size_t len) {
    return parse(c, name, buf, len, 0);
}

static tg_tensor *read_file(tg_ctx *c, const char *path, float divisor) {
    size_t len;
    char *buf = tg_file_read(c, path, &len);
    if (!buf) return NULL;
    tg_tensor *t = parse(c, path, buf, len, divisor);
    tg_free(buf);
    return t;
}

tg_tensor *tg_idx_read(tg_ctx *c, const char *path) {
    return read_file(c, path, 0);
}

tg_tensor *tg_idx_read_scaled(tg_ctx *c, const char *path, float divisor) {
    return read_file(c, path, divisor);
}
