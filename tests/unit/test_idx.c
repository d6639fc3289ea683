/* IDX files: every type, plain and gzip; every way to be wrong; every allocation failing once; the
 * MNIST loader over small files of the same form; and the search for the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "runtime/io/idx.h"
#include "runtime/io/mnist.h"
#include "runtime/io/paths.h"

enum { ROOM = 1 << 16 };

/* Only the context: the readers use nothing else of the runtime. */
static tg_rt rt;

static int set_up(void **state) {
    (void)state;
    rt = (tg_rt){0};
    return tg_ctx_init(&rt.c) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    tg_ctx_free(&rt.c);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

/* ---- making files ---- */

typedef struct bytes {
    unsigned char at[ROOM];
    size_t len;
} bytes;

static void put(bytes *b, const void *p, size_t n) {
    assert_true(b->len + n <= ROOM);
    memcpy(b->at + b->len, p, n);
    b->len += n;
}

static void put_number(bytes *b, uint64_t x, int size) {
    for (int i = size - 1; i >= 0; i--) put(b, &(unsigned char){(unsigned char)(x >> (8 * i))}, 1);
}

static bytes header(int type, int rank, const uint32_t *dim) {
    bytes b = {.len = 0};
    put_number(&b, (uint64_t)(type << 8 | rank), 4);
    for (int i = 0; i < rank; i++) put_number(&b, dim[i], 4);
    return b;
}

static bytes gzip(const bytes *b) {
    bytes out = {.len = 0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)b->at;
    z.avail_in = (uInt)b->len;
    z.next_out = out.at;
    z.avail_out = ROOM;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.len = z.total_out;
    deflateEnd(&z);
    return out;
}

/* 2 x 3 bytes: 0 1 2 3 4 255 */
static bytes small(void) {
    bytes b = header(0x08, 2, (uint32_t[]){2, 3});
    put(&b, (unsigned char[]){0, 1, 2, 3, 4, 255}, 6);
    return b;
}

static tg_tensor *parse(const bytes *b) {
    tg_clear(&rt.c);
    return tg_idx_parse(&rt.c, "f.idx", b->at, b->len);
}

static void refused(const bytes *b, const char *message) {
    assert_null(parse(b));
    assert_string_equal(rt.c.diag.msg, message);
    assert_int_equal(rt.c.diag.kind, TG_ERR_FILE);
}

/* Both the file and its gzip form give these values. */
static void gives(const bytes *b, tg_dtype dtype, int n, const double *want) {
    bytes packed = gzip(b);
    const bytes *forms[] = {b, &packed};
    for (int form = 0; form < 2; form++) {
        tg_tensor *t = parse(forms[form]);
        if (!t) fail_msg("%s", rt.c.diag.msg);
        assert_int_equal(t->v.dtype, dtype);
        assert_int_equal(tg_view_count(&t->v), n);
        for (int i = 0; i < n; i++) assert_true(tg_view_get(&t->v, i) == want[i]);
        tg_tensor_drop(t);
    }
}

/* ---- right files ---- */

static void every_type(void **state) {
    (void)state;
    bytes b = small();
    gives(&b, TG_U8, 6, (double[]){0, 1, 2, 3, 4, 255});
    b = header(0x09, 1, (uint32_t[]){3});
    put(&b, (signed char[]){-128, -1, 127}, 3);
    gives(&b, TG_I32, 3, (double[]){-128, -1, 127});
    b = header(0x0B, 1, (uint32_t[]){2});
    put(&b, "\xFF\xFE\x12\x34", 4);
    gives(&b, TG_I32, 2, (double[]){-2, 0x1234});
    b = header(0x0C, 1, (uint32_t[]){2});
    put(&b, "\xFF\xFF\xFF\xFE\x12\x34\x56\x78", 8);
    gives(&b, TG_I32, 2, (double[]){-2, 0x12345678});
    b = header(0x0D, 1, (uint32_t[]){2});
    put_number(&b, 0x3FC00000, 4);
    put_number(&b, 0xC0000000, 4);
    gives(&b, TG_F32, 2, (double[]){1.5, -2});
    b = header(0x0E, 1, (uint32_t[]){2});
    put_number(&b, 0x3FF8000000000000, 8);
    put_number(&b, 0xC000000000000000, 8);
    gives(&b, TG_F64, 2, (double[]){1.5, -2});
}

static void every_rank(void **state) {
    (void)state;
    for (int rank = 0; rank <= 8; rank++) {
        uint32_t dim[8];
        for (int i = 0; i < 8; i++) dim[i] = i < 3 ? 2 : 1;
        bytes b = header(0x08, rank, dim);
        int n = rank < 3 ? 1 << rank : 8;
        put(&b, "01234567", (size_t)n);
        tg_tensor *t = parse(&b);
        assert_non_null(t);
        assert_int_equal(t->v.rank, rank);
        assert_int_equal(tg_view_count(&t->v), n);
        assert_true(tg_view_get(&t->v, n - 1) == '0' + n - 1);
        tg_tensor_drop(t);
    }
}

static void empty_tensor(void **state) {
    (void)state;
    bytes b = header(0x08, 3, (uint32_t[]){0, 28, 28});
    gives(&b, TG_U8, 0, NULL);
}

static void joined_gzip_members(void **state) {
    (void)state;
    bytes whole = small(), first = whole, rest = {.len = 0};
    first.len = 7; /* the border lies inside the header */
    put(&rest, whole.at + 7, whole.len - 7);
    bytes both = gzip(&first), tail = gzip(&rest), none = gzip(&(bytes){.len = 0});
    put(&both, none.at, none.len);
    put(&both, tail.at, tail.len);
    tg_tensor *t = parse(&both);
    assert_non_null(t);
    assert_true(tg_view_get(&t->v, 5) == 255);
    tg_tensor_drop(t);
}

/* Zeros compress by 1000, so the result starts small and grows. */
static void well_compressed(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    unsigned char *big = tg_alloc_array(N + 8, 1);
    bytes out = header(0x08, 1, (uint32_t[]){N});
    memcpy(big, out.at, 8);
    big[N + 7] = 7;
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = big;
    z.avail_in = N + 8;
    z.next_out = out.at;
    z.avail_out = ROOM;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.len = z.total_out;
    deflateEnd(&z);
    tg_free(big);
    tg_tensor *t = parse(&out);
    assert_non_null(t);
    assert_true(tg_view_get(&t->v, 0) == 0 && tg_view_get(&t->v, N - 1) == 7);
    tg_tensor_drop(t);
}

/* ---- wrong files ---- */

static void wrong_headers(void **state) {
    (void)state;
    bytes b = {.len = 0};
    refused(&b, "f.idx: the file is empty, not an IDX file");
    put(&b, "hello", 5);
    refused(&b, "f.idx: not an IDX file: it begins with 68 65 6c 6c");
    b = small();
    b.at[2] = 0x0A;
    refused(&b, "f.idx: not an IDX file: unknown element type 0x0a");
    b = small();
    b.at[3] = 9;
    refused(&b, "f.idx: rank 9; at most 8 is supported");
    b = small();
    b.len = 11;
    refused(&b, "f.idx: truncated: the file ends inside the IDX header");
}

static void wrong_length(void **state) {
    (void)state;
    bytes b = small();
    b.len -= 2;
    refused(&b, "f.idx: truncated: the header promises 2 x 3 bytes, the file ends after 4");
    bytes packed = gzip(&b);
    refused(&packed, "f.idx: truncated: the header promises 2 x 3 bytes, the file ends after 4");
    b = small();
    put(&b, "xyz", 3);
    refused(&b, "f.idx: more data than the header promises: 2 x 3 bytes");
    assert_string_equal(rt.c.diag.notes, "3 bytes follow\n");
    packed = gzip(&b);
    refused(&packed, "f.idx: more data than the header promises: 2 x 3 bytes");
    b = header(0x0E, 2, (uint32_t[]){2, 3});
    put(&b, "12345678", 8);
    refused(
        &b,
        "f.idx: truncated: the header promises 2 x 3 doubles (48 bytes), the file ends after 8");
}

static void truncated_anywhere(void **state) {
    (void)state;
    bytes whole = small(), packed = gzip(&whole);
    const bytes *forms[] = {&whole, &packed};
    for (int form = 0; form < 2; form++) {
        for (size_t len = 0; len < forms[form]->len; len++) {
            bytes cut = *forms[form];
            cut.len = len;
            assert_null(parse(&cut));
            assert_int_equal(rt.c.diag.kind, TG_ERR_FILE);
            assert_non_null(strstr(rt.c.diag.msg, len == 0 ? "empty" : "truncated"));
        }
    }
}

static void damaged_anywhere(void **state) {
    (void)state;
    bytes whole = small(), packed = gzip(&whole);
    for (size_t i = 0; i < packed.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes bad = packed;
            bad.at[i] ^= (unsigned char)(1 << bit);
            tg_tensor *t = parse(&bad);
            if (t) { /* a bit that means nothing: the time stamp, padding */
                assert_true(tg_view_get(&t->v, 5) == 255);
                tg_tensor_drop(t);
            } else {
                assert_int_equal(rt.c.diag.kind, TG_ERR_FILE);
            }
        }
    }
    bytes bad = packed;
    bad.at[bad.len - 8] ^= 1;
    assert_null(parse(&bad));
    assert_non_null(strstr(rt.c.diag.msg, "damaged gzip data: incorrect data check"));
    bad = packed;
    put(&bad, "garbage", 7);
    refused(&bad, "f.idx: damaged gzip data: 7 bytes follow its end");
}

static void lying_headers(void **state) {
    (void)state;
    const uint32_t most = 0xFFFFFFFF;
    bytes b = header(0x0E, 8, (uint32_t[]){most, most, most, most, most, most, most, most});
    assert_null(parse(&b));
    assert_non_null(strstr(rt.c.diag.msg, "4294967295 doubles: more than any memory"));
    b = header(0x0E, 3, (uint32_t[]){0, most, most}); /* nothing in it, but its strides overflow */
    assert_null(parse(&b));
    b = header(0x08, 2, (uint32_t[]){1u << 31, 1u << 30}); /* 2^61 bytes */
    put(&b, "1234", 4);
    bytes packed = gzip(&b);
    const bytes *forms[] = {&b, &packed};
    for (int form = 0; form < 2; form++) {
        tg_alloc_reset_stats();
        refused(forms[form], "f.idx: truncated: the header promises 2147483648 x 1073741824 bytes, "
                             "the file ends after 4");
        assert_true(tg_alloc_get_stats().peak_bytes - tg_alloc_get_stats().live_bytes < 1 << 18);
    }
}

static void unreadable(void **state) {
    (void)state;
    assert_null(tg_idx_read(&rt.c, "/nowhere/f.idx"));
    assert_string_equal(rt.c.diag.msg, "cannot read /nowhere/f.idx: No such file or directory");
    assert_null(tg_idx_read(&rt.c, "/"));
    assert_int_equal(rt.c.diag.kind, TG_ERR_FILE);
}

static void interrupted(void **state) {
    (void)state;
    bytes b = small();
    rt.c.interrupted = 1;
    assert_null(parse(&b));
    assert_int_equal(rt.c.diag.kind, TG_ERR_INTERRUPT);
}

static void every_allocation_fails(void **state) {
    (void)state;
    bytes whole = small(), packed = gzip(&whole);
    const bytes *forms[] = {&whole, &packed};
    for (int form = 0; form < 2; form++) {
        size_t before = tg_alloc_get_stats().live_blocks;
        tg_tensor *t = NULL;
        for (uint64_t n = 1; !t; n++) {
            assert_true(n < 100);
            tg_alloc_fail_at(n);
            t = parse(forms[form]);
            tg_alloc_fail_at(0);
            if (!t) {
                assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
                assert_int_equal(tg_alloc_get_stats().live_blocks, before);
            }
        }
        tg_tensor_drop(t);
    }
}

/* ---- the data set ---- */

static char folder[64];

static void write_part(const char *name, const bytes *b) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(tg_file_save_atomic(&rt.c, path, b->at, b->len));
}

/* 24 training and 6 test pictures of 2 x 2; picture i has label i % 10 and first pixel i. */
static void write_set(int labels, int top_label) {
    const char *set[] = {"train", "t10k"};
    strcpy(folder, "/tmp/tg-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (int s = 0; s < 2; s++) {
        int n = s ? 6 : 24;
        char name[64];
        bytes images = header(0x08, 3, (uint32_t[]){(uint32_t)n, 2, 2});
        for (int i = 0; i < n; i++)
            put(&images, (unsigned char[]){(unsigned char)i, 51, 0, 255}, 4);
        bytes packed = gzip(&images);
        snprintf(name, sizeof name, "%s-images-idx3-ubyte.gz", set[s]);
        write_part(name, &packed);
        if (s == 0) n = labels;
        bytes label = header(0x08, 1, (uint32_t[]){(uint32_t)n});
        for (int i = 0; i < n; i++) put_number(&label, (uint64_t)(i == 3 ? top_label : i % 10), 1);
        snprintf(name, sizeof name, "%s-labels-idx1-ubyte", set[s]);
        write_part(name, &label);
    }
}

static void remove_set(void) {
    const char *names[] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte",
                           "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"};
    for (int i = 0; i < 4; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void data_set(void **state) {
    (void)state;
    write_set(24, 3);
    tg_mnist m;
    if (!tg_mnist_load(&rt, folder, &m)) fail_msg("%s", rt.c.diag.msg);
    assert_int_equal(m.validation_images->v.dim[0], 2);
    assert_int_equal(m.train_images->v.dim[0], 22);
    assert_int_equal(m.train_images->v.dim[1], 4);
    assert_int_equal(m.test_images->v.dim[0], 6);
    assert_int_equal(m.train_images->v.dtype, TG_F32);
    assert_true(m.train_images->buf == m.validation_images->buf);
    const float *first = m.train_images->v.data;
    assert_true(first[0] == 2.0f / 255.0f && first[1] == 0.2f && first[2] == 0 && first[3] == 1);
    assert_int_equal(m.train_labels->v.dim[1], 10);
    for (int k = 0; k < 10; k++) assert_true(tg_view_get(&m.train_labels->v, k) == (k == 2));
    tg_mnist_free(&m);
    remove_set();
}

static void data_set_refused(int labels, int top_label, const char *message) {
    tg_mnist m;
    write_set(labels, top_label);
    assert_false(tg_mnist_load(&rt, folder, &m));
    assert_non_null(strstr(rt.c.diag.msg, message));
    assert_null(m.train_images);
    remove_set();
}

static void wrong_data_sets(void **state) {
    (void)state;
    data_set_refused(23, 3, "train-images-idx3-ubyte.gz holds 24 images, but ");
    data_set_refused(24, 10, "train-labels-idx1-ubyte: label 3 is 10, not one of 0 to 9");
    tg_mnist m;
    assert_false(tg_mnist_load(&rt, "/nowhere", &m));
    assert_string_equal(rt.c.diag.msg, "there is no folder /nowhere");
    assert_false(tg_mnist_load(&rt, "/tmp", &m));
    assert_string_equal(
        rt.c.diag.msg, "/tmp holds neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz");
}

static void data_set_allocations(void **state) {
    (void)state;
    write_set(24, 3);
    size_t before = tg_alloc_get_stats().live_blocks;
    bool ok = false;
    for (uint64_t n = 1; !ok; n++) {
        assert_true(n < 1000);
        tg_mnist m;
        tg_alloc_fail_at(n);
        ok = tg_mnist_load(&rt, folder, &m);
        tg_alloc_fail_at(0);
        if (ok)
            tg_mnist_free(&m);
        else
            assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
        assert_int_equal(tg_alloc_get_stats().live_blocks, before);
    }
    remove_set();
}

/* ---- the search ---- */

static void search(void **state) {
    (void)state;
    char found[4096];
    unsetenv("TG_DATA");
    assert_true(tg_data_find(&rt, "mnist", found, sizeof found)); /* the build tree's */
    assert_string_equal(found, TG_SOURCE_DIR "/examples/data/mnist");
    write_set(24, 3);
    setenv("TG_DATA", folder, 1);
    assert_true(tg_data_find(&rt, "mnist", found, sizeof found));
    assert_string_equal(found, folder);
    remove_set();
    setenv("TG_DATA", TG_SOURCE_DIR "/examples/data", 1);
    assert_true(tg_data_find(&rt, "mnist", found, sizeof found));
    assert_string_equal(found, TG_SOURCE_DIR "/examples/data/mnist");
    setenv("TG_DATA", "/nowhere", 1);
    assert_false(tg_data_find(&rt, "letters", found, sizeof found));
    assert_string_equal(rt.c.diag.msg, "cannot find the data set letters; looked in");
    assert_non_null(strstr(rt.c.diag.notes, "  /nowhere/letters\n"));
    unsetenv("TG_DATA");

    strcpy(folder, "/tmp/tg-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    bytes nothing = {.len = 0};
    write_part("own.tg", &nothing);
    setenv("TG_STDLIB", folder, 1);
    assert_true(tg_stdlib_find(&rt, "own.tg", found, sizeof found));
    assert_int_equal(strncmp(found, folder, strlen(folder)), 0);
    assert_string_equal(found + strlen(folder), "/own.tg");
    unlink(found);
    assert_false(tg_stdlib_find(&rt, "own.tg", found, sizeof found));
    assert_string_equal(rt.c.diag.msg, "cannot find the library file own.tg; looked in");
    assert_int_equal(rmdir(folder), 0);
    unsetenv("TG_STDLIB");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_type),
        CASE(every_rank),
        CASE(empty_tensor),
        CASE(joined_gzip_members),
        CASE(well_compressed),
        CASE(wrong_headers),
        CASE(wrong_length),
        CASE(truncated_anywhere),
        CASE(damaged_anywhere),
        CASE(lying_headers),
        CASE(unreadable),
        CASE(interrupted),
        CASE(every_allocation_fails),
        CASE(data_set),
        CASE(wrong_data_sets),
        CASE(data_set_allocations),
        CASE(search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
