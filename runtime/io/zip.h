/* Zip archives in memory, by the library minizip, which comes with zlib: entries stored or
 * deflated, also of more than 4 GB (zip64).
 *
 * Reading walks over the entries in the order of the archive's directory. Encrypted entries, other
 * ways of compression and entries that overlap are refused, and so is a content that is not as long
 * as the directory says or has another checksum; every error names the file, the entry and the
 * offset in the file where it was met. What is written depends on nothing but what is put in. */
#ifndef TG_RUNTIME_IO_ZIP_H
#define TG_RUNTIME_IO_ZIP_H

#include "base/ctx.h"
#include "base/str.h"

/* Bytes in memory as a file: minizip reads, writes and seeks. */
typedef struct tg_zip_memory {
    unsigned char *own;        /* of an archive that is written: tg_alloc's */
    const unsigned char *read; /* of one that is read, borrowed */
    size_t len, cap, at;
    bool failed; /* no memory */
    bool past;   /* the last read was past the end */
} tg_zip_memory;

typedef struct tg_zip {
    tg_ctx *c;
    const char *name; /* of the file, for errors; borrowed */
    tg_zip_memory m;
    void *unz;
    bool begun;    /* the first entry was looked at */
    tg_str entry;  /* the name of the one at hand */
    size_t size;   /* of its content */
    size_t packed; /* bytes that it takes in the archive */
    size_t taken;  /* by all entries so far */
    bool deflated;
} tg_zip;

/* Does it begin as a zip archive? */
bool tg_zip_is(const void *buf, size_t len);
/* False: it is none, or damaged. Close it in either case. buf is borrowed. */
bool tg_zip_open(tg_zip *z, tg_ctx *c, const char *name, const void *buf, size_t len);
/* To the next entry; *there: there is one. */
bool tg_zip_next(tg_zip *z, bool *there);
/* Reading the content of the entry at hand: begin, read, end, which looks at the checksum of what
 * was read to its end. */
bool tg_zip_begin(tg_zip *z);
bool tg_zip_read(tg_zip *z, void *out, size_t want, size_t *got);
bool tg_zip_end(tg_zip *z);
void tg_zip_close(tg_zip *z);

typedef struct tg_zip_writer {
    tg_ctx *c;
    tg_zip_memory m; /* m.own[0..m.len) is the archive, once it is finished */
    void *zip;
} tg_zip_writer;

bool tg_zip_create(tg_zip_writer *w, tg_ctx *c);
/* Begins an entry whose content will have `size` bytes; then write them, and end it. */
bool tg_zip_add(tg_zip_writer *w, const char *name, size_t size, bool compress);
bool tg_zip_write(tg_zip_writer *w, const void *p, size_t n);
bool tg_zip_end_entry(tg_zip_writer *w);
bool tg_zip_finish(tg_zip_writer *w);
void tg_zip_free(tg_zip_writer *w); /* after a failure too */

#endif
