/* .npy files, NumPy's format of one array: a magic word, a version, a header that is a Python
 * dictionary (element type, order, shape), then the elements (NumPy Enhancement Proposal 1, and
 * numpy/lib/format.py).
 *
 * Versions 1 to 3, C and Fortran order, either endianness. Types that tg has keep theirs, others
 * become one that holds all their values: int8, int16 and uint16 int32, uint32 and uint64 int64 (a
 * uint64 that is too large is an error), half precision single. Strings become UTF-8. Python
 * objects, structures, complex numbers and dates are refused. The header is not believed: nothing
 * is allocated on its word that the number of bytes there are does not bear out. Every error names
 * the file and the offset in it. */
#ifndef TG_RUNTIME_IO_NPY_H
#define TG_RUNTIME_IO_NPY_H

#include "runtime/tensor/tensor.h"

/* Where the bytes of an array come from, in order. */
typedef struct tg_npy_source tg_npy_source;
struct tg_npy_source {
    tg_ctx *c;
    const char *name; /* for errors: "w.npy", or "m.npz, entry W.npy" */
    /* The next `want` bytes to out; *got is smaller only at the end. False: an error. */
    bool (*read)(tg_npy_source *s, void *out, size_t want, size_t *got);
    size_t at;        /* bytes read so far */
    size_t size;      /* of all bytes that are said to be there */
    size_t plausible; /* so many bytes may be allocated before they have come */
    void *user;       /* for read */
};

/* An array: a tensor, or texts. */
typedef struct tg_npy {
    tg_tensor *tensor; /* NULL: texts */
    char *texts;       /* UTF-8, each ends in a 0 */
    size_t bytes;      /* of all texts with their zeros */
    int64_t count;     /* of texts */
    bool single;       /* one text (rank 0), not a list of them */
    bool wide;         /* the tensor is an integer of rank 0 that a double does not hold */
} tg_npy;

/* Reads an array; *out is the caller's, to be freed with tg_npy_free. */
bool tg_npy_read(tg_npy_source *s, tg_npy *out);
/* The same from memory. */
bool tg_npy_parse(tg_ctx *c, const char *name, const void *buf, size_t len, tg_npy *out);
void tg_npy_free(tg_npy *a);
/* Do the bytes begin as a .npy file? */
bool tg_npy_is(const void *buf, size_t len);

/* The header for a tensor, as NumPy writes it: at most TG_NPY_HEADER bytes, a multiple of 64. */
enum { TG_NPY_HEADER = 384 };
size_t tg_npy_header(char out[TG_NPY_HEADER], tg_dtype t, int rank, const int64_t *dim);
/* The same for texts of at most `most` characters, which are to follow as 32-bit numbers, each text
 * filled up with zeros: one text (rank 0) or n. */
size_t tg_npy_header_texts(char out[TG_NPY_HEADER], size_t most, int rank, int64_t n);

#endif
