/* Zip archives in memory: entries stored or deflated (by zlib), also of more than 4 GB (zip64).
 *
 * Reading walks over the entries in the order of the archive's directory. Encrypted entries, other
 * ways of compression and entries that overlap are refused, and so is a content that is not as long
 * as the directory says or has another checksum; every error names the file, the entry and the
 * offset in the file. What is written depends on nothing but what is put in. */
#ifndef TG_RUNTIME_IO_ZIP_H
#define TG_RUNTIME_IO_ZIP_H

#include <zlib.h>

#include "base/ctx.h"
#include "base/str.h"

typedef struct tg_zip {
    tg_ctx *c;
    const char *name; /* of the file, for errors; borrowed */
    const unsigned char *buf;
    size_t len;
    size_t at;     /* in the directory: the next entry */
    size_t first;  /* where the directory begins */
    size_t end;    /* ... and ends */
    uint64_t left; /* entries that are still to come */
    size_t taken;  /* bytes of the file that the entries so far have */
    size_t record; /* where the directory has the entry at hand */
    tg_str entry;  /* its name */
    size_t size;   /* of its content */
    size_t packed; /* bytes that it takes in the archive */
    size_t header; /* where it begins */
    uint32_t crc;  /* of its content */
    bool deflated;
    size_t data;   /* reading: where the next bytes are, ... */
    size_t unread; /* ... how many, */
    size_t given;  /* what came out so far */
    uint32_t sum;  /* and its checksum */
    z_stream z;
    bool inflating; /* z is in use */
    bool ended;     /* the compressed data came to their end */
} tg_zip;

/* Does it begin as a zip archive? */
bool tg_zip_is(const void *buf, size_t len);
/* False: it is none, or damaged. Close it in either case. buf is borrowed. */
bool tg_zip_open(tg_zip *z, tg_ctx *c, const char *name, const void *buf, size_t len);
/* To the next entry; *there: there is one. */
bool tg_zip_next(tg_zip *z, bool *there);
/* Reading the content of the entry at hand: begin, read (*got is smaller than `want` only at the
 * end), and end, which looks whether it was all and has its checksum. */
bool tg_zip_begin(tg_zip *z);
bool tg_zip_read(tg_zip *z, void *out, size_t want, size_t *got);
bool tg_zip_end(tg_zip *z);
void tg_zip_close(tg_zip *z);

/* ---- zip_write.c ---- */

typedef struct tg_zip_bytes {
    unsigned char *at; /* tg_alloc's */
    size_t len, cap;
} tg_zip_bytes;

typedef struct tg_zip_writer {
    tg_ctx *c;
    tg_zip_bytes out; /* the archive, once it is finished; to be taken, or freed by tg_zip_free */
    tg_zip_bytes directory;
    uint64_t entries;
    size_t header; /* of the entry at hand: where it begins, */
    size_t data;   /* ... its data begin, */
    size_t name;   /* and the bytes of its name */
    size_t size;   /* so far */
    uint32_t crc;
    bool wide; /* its sizes have 64 bits */
    bool deflating;
    z_stream z;
} tg_zip_writer;

void tg_zip_create(tg_zip_writer *w, tg_ctx *c);
/* Begins an entry whose content will have `size` bytes; then write them, and end it. */
bool tg_zip_add(tg_zip_writer *w, const char *name, size_t size, bool compress);
bool tg_zip_write(tg_zip_writer *w, const void *p, size_t n);
bool tg_zip_end_entry(tg_zip_writer *w);
bool tg_zip_finish(tg_zip_writer *w);
void tg_zip_free(tg_zip_writer *w); /* after a failure too */

#endif
