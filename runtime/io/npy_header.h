/* The header of a .npy file: the dictionary, parsed and judged. */
#ifndef TG_RUNTIME_IO_NPY_HEADER_H
#define TG_RUNTIME_IO_NPY_HEADER_H

#include "runtime/tensor/tensor.h"

enum {
    TG_NPY_LONGEST = 1 << 16, /* bytes of a header that is believed */
    TG_NPY_PROMISE = 256,
};
/* An element type: NumPy's letter and the bytes of an element. */
#define TG_NPY_CODE(letter, size) ((letter) << 8 | (size))

typedef struct tg_npy_header_t {
    int code;       /* TG_NPY_CODE('f', 8), of numbers */
    bool text;      /* texts: unit 4 (UTF-32) or 1 (bytes) */
    bool big;       /* big endian */
    bool fortran;   /* the first index runs fastest */
    size_t size;    /* bytes of an element in the file */
    size_t unit;    /* bytes whose order endianness is about */
    tg_dtype dtype; /* what numbers become */
    int rank;
    int64_t dim[TG_MAX_RANK];
    size_t count;                 /* elements */
    size_t bytes;                 /* of all elements in the file */
    char promise[TG_NPY_PROMISE]; /* "2 x 3 of '<f8'" */
} tg_npy_header_t;

/* Parses text[0..n), which stands at that offset in the file `name`. */
bool tg_npy_header_parse(tg_ctx *c, const char *name, size_t offset, const char *text, size_t n,
                         tg_npy_header_t *h);

#endif
