/* The header of a .npy file, which is a Python dictionary such as
 *
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }
 *
 * A small strict parser takes the literals that NumPy writes and has ever written (keys in any
 * order, 1L for one) and nothing else; there is no evaluation of anything. */
#include "runtime/io/npy_header.h"
#include "base/alloc.h"
#include "runtime/io/npy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct parser {
    tg_ctx *c;
    const char *name;
    size_t offset; /* of text in the file */
    const char *text;
    size_t at, n;
    char descr[32];
    bool had[3]; /* descr, fortran_order, shape */
    bool fortran;
    int rank;
    int64_t dim[TG_MAX_RANK];
} parser;

static const char *const keys[] = {"descr", "fortran_order", "shape"};

#define FAIL(p, ...) fail_at(p, (p)->at, __VA_ARGS__)

__attribute__((format(printf, 3, 4))) static bool fail_at(const parser *p, size_t at,
                                                          const char *fmt, ...) {
    char what[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return tg_fail(p->c, TG_ERR_FILE, "%s: offset %zu: %s", p->name, p->offset + at, what);
}

/* ---- tokens ---- */

static void skip(parser *p) {
    while (p->at < p->n && p->text[p->at] && strchr(" \t\r\n", p->text[p->at])) p->at++;
}

/* The next character that is no blank; 0 at the end. */
static char peek(parser *p) {
    skip(p);
    return p->at < p->n ? p->text[p->at] : 0;
}

static bool take(parser *p, char c) {
    if (peek(p) != c) return false;
    p->at++;
    return true;
}

static bool expect(parser *p, char c, const char *where) {
    return take(p, c) || FAIL(p, "the header is damaged: expected '%c' %s", c, where);
}

/* string = "'" { character } "'" | '"' { character } '"' ; without escapes */
static bool string(parser *p, char *out, size_t room, const char *what) {
    char quote = peek(p);
    if (quote != '\'' && quote != '"')
        return FAIL(p, "the header is damaged: expected %s, a string", what);
    size_t from = ++p->at, n = 0;
    for (; p->at < p->n && p->text[p->at] != quote; p->at++) {
        unsigned char b = (unsigned char)p->text[p->at];
        if (b < ' ' || b == '\\' || b > 0x7E || n + 1 >= room)
            return fail_at(p, from, "the header is damaged: %s is no string that NumPy writes",
                           what);
        out[n++] = (char)b;
    }
    out[n] = 0;
    if (p->at >= p->n) return FAIL(p, "the header is damaged: it ends within %s", what);
    p->at++;
    return true;
}

static bool word(parser *p, const char *w) {
    size_t n = strlen(w);
    skip(p);
    if (p->n - p->at < n || memcmp(p->text + p->at, w, n) != 0) return false;
    p->at += n;
    return true;
}

/* size = digit { digit } [ "L" ] */
static bool size(parser *p, int64_t *out) {
    char c = peek(p);
    size_t from = p->at;
    *out = 0;
    if (c == '-') return FAIL(p, "the shape has a negative size");
    if (c < '0' || c > '9') return FAIL(p, "the header is damaged: expected a size in the shape");
    for (; p->at < p->n && p->text[p->at] >= '0' && p->text[p->at] <= '9'; p->at++)
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, p->text[p->at] - '0', out))
            return fail_at(p, from, "the shape has a size that is larger than any memory");
    if (p->at < p->n && p->text[p->at] == 'L') p->at++; /* Python 2 */
    return true;
}

/* shape = "(" [ size "," [ size { "," size } [ "," ] ] ] ")" */
static bool shape(parser *p) {
    if (!expect(p, '(', "before the shape")) return false;
    while (peek(p) != ')') {
        int64_t n;
        size_t from = p->at;
        if (!size(p, &n)) return false;
        if (p->rank == TG_MAX_RANK)
            return fail_at(p, from, "an array of more than %d axes", TG_MAX_RANK);
        p->dim[p->rank++] = n;
        bool comma = take(p, ',');
        if (!comma && p->rank == 1)
            return FAIL(p, "the header is damaged: expected ',' in the shape: (3,) is a tuple");
        if (!comma) break;
    }
    return expect(p, ')', "behind the shape");
}

static bool value(parser *p, int key) {
    if (key == 2) return shape(p);
    if (key == 1) {
        p->fortran = word(p, "True");
        return p->fortran || word(p, "False") || FAIL(p, "fortran_order must be True or False");
    }
    if (peek(p) == '[' || peek(p) == '(') {
        FAIL(p, "an array of structures");
        return tg_help(p->c,
                       "save its fields as arrays of their own: numpy.savez(path, a=x[\"a\"])");
    }
    return string(p, p->descr, sizeof p->descr, "the element type");
}

/* header = "{" { key ":" value "," } "}" ; the last "," may be missing */
static bool dictionary(parser *p) {
    char name[32];
    if (!expect(p, '{', "at its beginning")) return false;
    while (peek(p) != '}') {
        size_t from = p->at;
        int key = 0;
        if (!string(p, name, sizeof name, "a key")) return false;
        while (key < 3 && strcmp(keys[key], name) != 0) key++;
        if (key == 3) return fail_at(p, from, "the header has an unknown key '%s'", name);
        if (p->had[key]) return fail_at(p, from, "the header has the key '%s' twice", name);
        p->had[key] = true;
        if (!expect(p, ':', "behind a key") || !value(p, key)) return false;
        if (!take(p, ',')) break;
    }
    if (!expect(p, '}', "at its end")) return false;
    if (peek(p)) return FAIL(p, "the header is damaged: something follows its end");
    if (p->at < p->n) return FAIL(p, "the header is damaged: it has a zero byte");
    for (int k = 0; k < 3; k++)
        if (!p->had[k]) return FAIL(p, "the header lacks the key '%s'", keys[k]);
    return true;
}

/* ---- what it says ---- */

static const struct {
    int code;
    tg_dtype dtype;
} types[] = {
    {TG_NPY_CODE('b', 1), TG_BOOL}, {TG_NPY_CODE('u', 1), TG_U8},  {TG_NPY_CODE('i', 1), TG_I32},
    {TG_NPY_CODE('i', 2), TG_I32},  {TG_NPY_CODE('u', 2), TG_I32}, {TG_NPY_CODE('i', 4), TG_I32},
    {TG_NPY_CODE('u', 4), TG_I64},  {TG_NPY_CODE('i', 8), TG_I64}, {TG_NPY_CODE('u', 8), TG_I64},
    {TG_NPY_CODE('f', 2), TG_F32},  {TG_NPY_CODE('f', 4), TG_F32}, {TG_NPY_CODE('f', 8), TG_F64},
};

static bool refuse(const parser *p, char letter) {
    if (letter == 'O') {
        fail_at(p, 0, "an array of Python objects (element type '%s'), which only Python can read",
                p->descr);
        return tg_help(p->c, "save numbers: numpy.save(path, x.astype(float))");
    }
    if (letter == 'c') {
        fail_at(p, 0, "complex numbers (element type '%s'), which tg does not have", p->descr);
        return tg_help(p->c, "save x.real and x.imag");
    }
    if (letter == 'm' || letter == 'M') {
        fail_at(p, 0, "dates or times (element type '%s'), which tg does not have", p->descr);
        return tg_help(p->c, "save numbers: x.astype('int64')");
    }
    fail_at(p, 0, "the element type '%s' is not one that tg reads", p->descr);
    return tg_help(p->c, "save numbers: numpy.save(path, x.astype(float))");
}

/* type = [ "<" | ">" | "=" | "|" ] letter bytes */
static bool element_type(const parser *p, tg_npy_header_t *h) {
    const char *d = p->descr;
    const uint16_t one = 1;
    unsigned char low;
    memcpy(&low, &one, 1);
    h->big = *d == '>' || (*d != '<' && low == 0);
    if (*d && strchr("<>=|", *d)) d++;
    char letter = *d;
    if (letter) d++;
    size_t digits = strspn(d, "0123456789"), n = 0;
    if (d[digits] || digits > 9) return refuse(p, letter);
    for (size_t i = 0; i < digits; i++) n = n * 10 + (size_t)(d[i] - '0');
    if (letter == 'U' || letter == 'S' || letter == 'a') {
        h->text = true;
        h->unit = letter == 'U' ? 4 : 1;
        h->size = n * h->unit;
        return true;
    }
    if (letter == '?' && digits == 0) letter = 'b', n = 1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (n < 256 && types[i].code == TG_NPY_CODE(letter, (int)n)) {
            h->code = types[i].code;
            h->dtype = types[i].dtype;
            h->size = h->unit = n;
            return true;
        }
    return refuse(p, letter);
}

/* Counts the elements, and writes the promise in words. */
static bool measure(const parser *p, tg_npy_header_t *h) {
    size_t most = 1; /* a size of 0 counts as 1: the strides must not overflow either */
    bool fits = true;
    int used = 0;
    h->count = 1;
    for (int i = 0; i < h->rank; i++) {
        size_t n = (size_t)h->dim[i];
        fits = fits && tg_size_mul(most, n ? n : 1, &most);
        used += snprintf(h->promise + used, sizeof h->promise - (size_t)used, "%s%zu",
                         i ? " x " : "", n);
        if (n == 0) h->count = 0;
    }
    if (h->rank == 0) used = snprintf(h->promise, sizeof h->promise, "1");
    snprintf(h->promise + used, sizeof h->promise - (size_t)used, " of '%s'", p->descr);
    size_t widest = h->text ? h->size : tg_dtype_size(h->dtype);
    if (widest < h->size) widest = h->size;
    if (!fits || !tg_size_mul(most, widest ? widest : 1, &most) || most > (size_t)PTRDIFF_MAX / 2)
        return fail_at(p, 0, "the header promises %s: more than any memory", h->promise);
    for (int i = 0; h->count && i < h->rank; i++) h->count *= (size_t)h->dim[i];
    h->bytes = h->count * h->size;
    if (h->text && h->rank > 1)
        return fail_at(p, 0, "texts in %d axes; tg reads one text or a list of them", h->rank);
    if (h->text && h->size == 0 && h->count > (1 << 24)) /* nothing in the file bears them out */
        return fail_at(p, 0, "the header promises %s, all of them empty", h->promise);
    return true;
}

bool tg_npy_header_parse(tg_ctx *c, const char *name, size_t offset, const char *text, size_t n,
                         tg_npy_header_t *h) {
    parser p = {.c = c, .name = name, .offset = offset, .text = text, .n = n};
    *h = (tg_npy_header_t){0};
    if (!dictionary(&p)) return false;
    h->fortran = p.fortran;
    h->rank = p.rank;
    memcpy(h->dim, p.dim, sizeof p.dim);
    return element_type(&p, h) && measure(&p, h);
}

/* ---- writing ---- */

/* Version 1.0. NumPy leaves room for the first size to grow to 21 digits, and fills up with blanks
 * so that the elements begin at a multiple of 64. */
static size_t write_header(char *out, const char *descr, int rank, const int64_t *dim) {
    enum { FIRST = 10, ALIGN = 64, GROWTH = 21 };
    char *text = out + FIRST;
    const size_t room = TG_NPY_HEADER - FIRST;
    size_t n =
        (size_t)snprintf(text, room, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    size_t first = 0;
    for (int i = 0; i < rank; i++) {
        size_t more =
            (size_t)snprintf(text + n, room - n, i ? ", %lld" : "%lld", (long long)dim[i]);
        if (i == 0) first = more;
        n += more;
    }
    n += (size_t)snprintf(text + n, room - n, rank == 1 ? ",), }" : "), }");
    if (rank > 0 && first < GROWTH)
        for (size_t i = first; i < GROWTH; i++) text[n++] = ' ';
    text[n++] = ' '; /* NumPy writes one at least before the newline */
    do text[n++] = ' ';
    while ((FIRST + n) % ALIGN != 0);
    text[n - 1] = '\n';
    static const char version_1[8] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
    memcpy(out, version_1, sizeof version_1);
    out[8] = (char)(n & 0xFF);
    out[9] = (char)(n >> 8);
    return FIRST + n;
}

static char order(void) {
    const uint16_t one = 1;
    unsigned char low;
    memcpy(&low, &one, 1);
    return low ? '<' : '>';
}

size_t tg_npy_header(char out[TG_NPY_HEADER], tg_dtype t, int rank, const int64_t *dim) {
    static const char *const type[TG_DTYPES] = {"b1", "u1", "i4", "i8", "f4", "f8"};
    char descr[8];
    snprintf(descr, sizeof descr, "%c%s", tg_dtype_size(t) > 1 ? order() : '|', type[t]);
    return write_header(out, descr, rank, dim);
}

size_t tg_npy_header_texts(char out[TG_NPY_HEADER], size_t most, int rank, int64_t n) {
    char descr[32];
    snprintf(descr, sizeof descr, "%cU%zu", order(), most);
    return write_header(out, descr, rank, &n);
}
