/* Zip archives by minizip (PKWARE's APPNOTE is the format). minizip sees the archive through
 * functions that read and write memory, so that every offset it goes to is known: an error tells
 * the last one. */
#include "runtime/io/zip.h"
#include "base/alloc.h"

#include <minizip/unzip.h>
#include <minizip/zip.h>
#include <string.h>

enum { PIECE = 1 << 18 }; /* bytes between two looks at the interrupt flag */

/* ---- memory as a file ---- */

static voidpf memory_open(voidpf user, const void *name, int mode) {
    (void)name, (void)mode;
    return user;
}

static uLong memory_read(voidpf user, voidpf stream, void *out, uLong want) {
    tg_zip_memory *m = stream;
    (void)user;
    size_t left = m->at < m->len ? m->len - m->at : 0, n = want < left ? want : left;
    if (n) memcpy(out, m->read + m->at, n);
    m->at += n;
    m->past = n < want; /* for minizip the end of the file alone is no error */
    return n;
}

static uLong memory_write(voidpf user, voidpf stream, const void *p, uLong n) {
    tg_zip_memory *m = stream;
    (void)user;
    if (!m->failed && m->at + n > m->cap) {
        size_t cap = m->cap + m->cap / 2;
        if (cap < m->at + n) cap = m->at + n;
        if (cap < PIECE) cap = PIECE;
        unsigned char *grown = tg_realloc(m->own, cap);
        m->failed = !grown;
        if (grown) m->own = grown;
        if (grown) m->cap = cap;
    }
    /* minizip loses memory when a write fails: it goes on writing, into nothing */
    if (!m->failed) memcpy(m->own + m->at, p, n);
    m->at += n;
    if (m->at > m->len) m->len = m->at;
    return n;
}

static ZPOS64_T memory_tell(voidpf user, voidpf stream) {
    (void)user;
    return ((tg_zip_memory *)stream)->at;
}

static long memory_seek(voidpf user, voidpf stream, ZPOS64_T offset, int origin) {
    tg_zip_memory *m = stream;
    (void)user;
    size_t from = origin == ZLIB_FILEFUNC_SEEK_SET   ? 0
                  : origin == ZLIB_FILEFUNC_SEEK_CUR ? m->at
                                                     : m->len;
    if (offset > m->len || from > m->len - offset) return -1;
    m->at = from + offset;
    return 0;
}

static int memory_close(voidpf user, voidpf stream) {
    (void)user, (void)stream;
    return 0;
}

static int memory_error(voidpf user, voidpf stream) {
    (void)user;
    return ((const tg_zip_memory *)stream)->past;
}

static zlib_filefunc64_def functions(tg_zip_memory *m) {
    return (zlib_filefunc64_def){.zopen64_file = memory_open,
                                 .zread_file = memory_read,
                                 .zwrite_file = memory_write,
                                 .ztell64_file = memory_tell,
                                 .zseek64_file = memory_seek,
                                 .zclose_file = memory_close,
                                 .zerror_file = memory_error,
                                 .opaque = m};
}

/* ---- reading ---- */

bool tg_zip_is(const void *buf, size_t len) {
    return len >= 4 && (memcmp(buf, "PK\x03\x04", 4) == 0 || memcmp(buf, "PK\x05\x06", 4) == 0);
}

/* What is wrong with the entry at hand. */
static bool fail(tg_zip *z, const char *what) {
    return tg_fail(z->c, TG_ERR_FILE, "%s, entry %.200s, near offset %zu: %s", z->name,
                   tg_str_text(&z->entry), z->m.at, what);
}

static bool fail_status(tg_zip *z, int status) {
    if (status == UNZ_INTERNALERROR) return tg_fail_memory(z->c);
    return fail(z, status == UNZ_CRCERROR   ? "its checksum is another than the archive says"
                   : status == Z_BUF_ERROR  ? "its compressed data end too early"
                   : status == Z_DATA_ERROR ? "its compressed data are damaged"
                                            : "the archive is damaged or ends too early");
}

bool tg_zip_open(tg_zip *z, tg_ctx *c, const char *name, const void *buf, size_t len) {
    *z = (tg_zip){.c = c, .name = name, .m = {.read = buf, .len = len}};
    zlib_filefunc64_def f = functions(&z->m);
    z->unz = unzOpen2_64("", &f);
    if (z->unz) return true;
    tg_fail(c, TG_ERR_FILE,
            "%s: truncated or damaged: a zip archive without its directory (looked at up to offset "
            "%zu of %zu)",
            name, z->m.at, len);
    return tg_help(c, "a .npz file ends with the list of its entries");
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

static bool read_name(tg_zip *z, unz_file_info64 *info) {
    char *room = NULL;
    int status = unzGetCurrentFileInfo64(z->unz, info, NULL, 0, NULL, 0, NULL, 0);
    z->entry.len = 0;
    if (status == UNZ_OK) {
        size_t n = info->size_filename;
        if (!(room = tg_alloc_array(n + 1, 1))) return tg_fail_memory(z->c);
        status = unzGetCurrentFileInfo64(z->unz, info, room, n + 1, NULL, 0, NULL, 0);
        if (status == UNZ_OK && is_name(room, n)) {
            tg_str_addn(&z->entry, room, n);
        } else if (status == UNZ_OK) {
            tg_free(room);
            return tg_fail(z->c, TG_ERR_FILE,
                           "%s, near offset %zu: the name of an entry is empty or not UTF-8",
                           z->name, z->m.at);
        }
        tg_free(room);
    }
    if (status == UNZ_OK) return !z->entry.failed || tg_fail_memory(z->c);
    return tg_fail(z->c, TG_ERR_FILE,
                   "%s, near offset %zu: the directory of the archive is damaged", z->name,
                   z->m.at);
}

bool tg_zip_next(tg_zip *z, bool *there) {
    unz_file_info64 info;
    unz_global_info64 all;
    *there = false;
    if (!z->begun && unzGetGlobalInfo64(z->unz, &all) == UNZ_OK && all.number_entry == 0)
        return true;
    int status = z->begun ? unzGoToNextFile(z->unz) : unzGoToFirstFile(z->unz);
    z->begun = true;
    if (status == UNZ_END_OF_LIST_OF_FILE) return true;
    if (status != UNZ_OK)
        return tg_fail(z->c, TG_ERR_FILE,
                       "%s, near offset %zu: the directory of the archive is damaged", z->name,
                       z->m.at);
    if (!read_name(z, &info)) return false;
    if (info.flag & 1) return fail(z, "it is encrypted");
    if (info.compression_method != 0 && info.compression_method != Z_DEFLATED)
        return fail(z, "it is compressed in a way other than deflate");
    z->deflated = info.compression_method != 0;
    z->size = info.uncompressed_size;
    z->packed = info.compressed_size;
    if (z->packed > z->m.len - z->taken)
        return fail(z, "the entries are said to take more bytes than the file has");
    if (!z->deflated && z->packed != z->size) return fail(z, "its two sizes differ");
    z->taken += z->packed;
    *there = true;
    return true;
}

bool tg_zip_begin(tg_zip *z) {
    int status = unzOpenCurrentFile(z->unz);
    return status == UNZ_OK || fail_status(z, status);
}

bool tg_zip_read(tg_zip *z, void *out, size_t want, size_t *got) {
    for (*got = 0; *got < want;) {
        size_t n = want - *got < PIECE ? want - *got : PIECE;
        if (!tg_check_interrupt(z->c))
            return tg_came_to(z->c, "%s, entry %s", z->name, tg_str_text(&z->entry));
        int more = unzReadCurrentFile(z->unz, (char *)out + *got, (unsigned)n);
        if (more < 0) return fail_status(z, more);
        if (more == 0) return true;
        *got += (size_t)more;
    }
    return true;
}

bool tg_zip_end(tg_zip *z) {
    int status = unzCloseCurrentFile(z->unz);
    return status == UNZ_OK || fail_status(z, status);
}

void tg_zip_close(tg_zip *z) {
    if (z->unz) unzClose(z->unz);
    tg_str_free(&z->entry);
    *z = (tg_zip){0};
}

/* ---- writing ---- */

bool tg_zip_create(tg_zip_writer *w, tg_ctx *c) {
    *w = (tg_zip_writer){.c = c};
    zlib_filefunc64_def f = functions(&w->m);
    w->zip = zipOpen2_64("", APPEND_STATUS_CREATE, NULL, &f);
    return w->zip || tg_fail_memory(c);
}

bool tg_zip_add(tg_zip_writer *w, const char *name, size_t size, bool compress) {
    enum { UNIX = 3 << 8, VERSION = 45, UTF8 = 1 << 11, LEVEL = 6 };
    const uLong first_of_1980 = 0x210000, file_644 = 0100644ul << 16;
    zip_fileinfo info = {.dosDate = first_of_1980, .external_fa = file_644};
    int zip64 = size >= 0xFFFFFFFFu - (size >> 10); /* deflated, it may be a little longer */
    int status = zipOpenNewFileInZip4_64(w->zip, name, &info, NULL, 0, NULL, 0, NULL,
                                         compress ? Z_DEFLATED : 0, LEVEL, 0, -MAX_WBITS, 8,
                                         Z_DEFAULT_STRATEGY, NULL, 0, UNIX | VERSION, UTF8, zip64);
    return (status == ZIP_OK && !w->m.failed) || tg_fail_memory(w->c);
}

bool tg_zip_write(tg_zip_writer *w, const void *p, size_t n) {
    for (size_t done = 0; done < n;) {
        size_t more = n - done < PIECE ? n - done : PIECE;
        if (!tg_check_interrupt(w->c)) return false;
        if (zipWriteInFileInZip(w->zip, (const char *)p + done, (unsigned)more) != ZIP_OK)
            return tg_fail_memory(w->c);
        done += more;
    }
    return !w->m.failed || tg_fail_memory(w->c);
}

bool tg_zip_end_entry(tg_zip_writer *w) {
    return (zipCloseFileInZip(w->zip) == ZIP_OK && !w->m.failed) || tg_fail_memory(w->c);
}

bool tg_zip_finish(tg_zip_writer *w) {
    int status = zipClose(w->zip, NULL);
    w->zip = NULL;
    return (status == ZIP_OK && !w->m.failed) || tg_fail_memory(w->c);
}

void tg_zip_free(tg_zip_writer *w) {
    if (w->zip) zipClose(w->zip, NULL);
    tg_free(w->m.own);
    *w = (tg_zip_writer){0};
}
