/* .npy and .npz: what NumPy wrote, every type and order; what tg writes, to the byte as NumPy does;
 * nestings there and back; and files that lie, end too early or are damaged, within little memory
 * and with every allocation failing once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "interp/interp.h"
#include "interp/saved.h"
#include "runtime/io/npy.h"
#include "runtime/io/zip.h"

static tg_state *session;
static tg_interp *in; /* the interpreter in it, its first member */

static int set_up(void **state) {
    (void)state;
    session = tg_open(NULL);
    in = (tg_interp *)(void *)session;
    return session ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    tg_close(session);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

/* ---- helpers ---- */

typedef struct bytes {
    unsigned char *at;
    size_t len;
} bytes;

static bytes read_data(const char *name) {
    char path[512];
    bytes b;
    snprintf(path, sizeof path, "%s/tests/data/%s", TG_SOURCE_DIR, name);
    b.at = (unsigned char *)tg_file_read(&in->rt.c, path, &b.len);
    assert_non_null(b.at);
    return b;
}

/* The value of an expression of tg's; owned. */
static tg_value value_of(const char *text) {
    char line[2048];
    snprintf(line, sizeof line, "saved_test := %s", text);
    if (tg_run(session, "test", line, TG_QUIET) != TG_DONE) fail_msg("%s: %s", text, line);
    tg_value *v = tg_env_find(in->globals, tg_intern(&in->rt.c, "saved_test", 10));
    assert_non_null(v);
    return tg_value_hold(*v);
}

static bytes saved(const char *text, bool compress) {
    tg_value v = value_of(text);
    bytes b;
    if (!tg_saved_npz(in, v, compress, &b.at, &b.len)) fail_msg("%s", in->rt.c.diag.msg);
    tg_value_drop(v);
    return b;
}

static bool load(const bytes *b, tg_value *out) {
    tg_clear(&in->rt.c);
    return tg_saved_load(in, "f.npz", b->at, b->len, out);
}

/* Loading fails, and the message has this in it. */
static void refused(const void *at, size_t len, const char *message) {
    tg_value v;
    if (load(&(bytes){(unsigned char *)(uintptr_t)at, len}, &v))
        fail_msg("%zu bytes are loaded, where this was to be said: %s", len, message);
    if (!strstr(in->rt.c.diag.msg, message)) fail_msg("%s", in->rt.c.diag.msg);
    assert_int_equal(in->rt.c.diag.kind, TG_ERR_FILE);
    assert_int_equal(v.tag, TG_V_NONE);
}

/* As tg shows it. */
static void shows(tg_value v, const char *want) {
    tg_str s = {0};
    assert_true(tg_show_value(in, v, NULL, &s));
    assert_string_equal(tg_str_text(&s), want);
    tg_str_free(&s);
}

/* A .npy file with that dictionary and n bytes behind it. */
static bytes npy(int version, const char *dictionary, size_t n, const void *data) {
    size_t len = strlen(dictionary), from = version == 1 ? 10 : 12;
    bytes b = {tg_alloc_array(from + len + n, 1), from + len + n};
    assert_non_null(b.at);
    memcpy(b.at, "\x93NUMPY", 6);
    b.at[6] = (unsigned char)version;
    b.at[8] = (unsigned char)len;
    b.at[9] = (unsigned char)(len >> 8);
    memcpy(b.at + from, dictionary, len);
    if (n) memcpy(b.at + from + len, data, n);
    return b;
}

static void npy_refused(const char *dictionary, size_t n, const char *message) {
    static const char zeros[64];
    bytes b = npy(1, dictionary, n, zeros);
    refused(b.at, b.len, message);
    tg_free(b.at);
}

static void npy_shows(const char *dictionary, size_t n, const char *data, const char *want) {
    bytes b = npy(2, dictionary, n, data);
    tg_value v;
    if (!load(&b, &v)) fail_msg("%s: %s", dictionary, in->rt.c.diag.msg);
    shows(v, want);
    tg_value_drop(v);
    tg_free(b.at);
}

/* ---- right files ---- */

/* Every array of types.npz is 0 1 2 3 4 5, for signed ones from -2, for floats by eighths. */
static void every_type(void **state) {
    (void)state;
    static const char *const files[] = {"numpy.npz", "numpy_deflated.npz"};
    static const struct {
        const char *name;
        tg_dtype dtype;
    } types[] = {{"b1", TG_BOOL}, {"i1", TG_I32}, {"i2", TG_I32}, {"i4", TG_I32},
                 {"i8", TG_I64},  {"u1", TG_U8},  {"u2", TG_I32}, {"u4", TG_I64},
                 {"u8", TG_I64},  {"f2", TG_F32}, {"f4", TG_F32}, {"f8", TG_F64}};
    static const char *const forms[] = {"", "_fortran", "_big", "_big_fortran"};
    for (size_t f = 0; f < 2; f++) {
        bytes b = read_data(files[f]);
        tg_value all;
        if (!load(&b, &all)) fail_msg("%s", in->rt.c.diag.msg);
        int seen = 0;
        for (size_t t = 0; t < sizeof types / sizeof *types; t++)
            for (size_t k = 0; k < 4; k++) {
                char name[32];
                snprintf(name, sizeof name, "%s%s", types[t].name, forms[k]);
                const tg_value *v = tg_value_field(all, tg_intern(&in->rt.c, name, strlen(name)));
                if (!v) continue; /* one byte has no endianness */
                seen++;
                assert_int_equal(v->tag, TG_V_TENSOR);
                const tg_view *x = &v->as.tensor->v;
                assert_int_equal(x->dtype, types[t].dtype);
                assert_int_equal(x->dim[0], 2);
                assert_int_equal(x->dim[1], 3);
                char letter = types[t].name[0];
                for (int i = 0; i < 6; i++) {
                    double want = letter == 'b' ? i > 0 : letter == 'u' ? i : i - 2;
                    if (letter == 'f') want /= 8;
                    assert_true(tg_view_get(x, i) == want);
                }
            }
        assert_int_equal(seen, 42);
        tg_value_drop(all);
        tg_free(b.at);
    }
}

static void versions(void **state) {
    (void)state;
    for (int i = 1; i <= 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "version%d.npy", i);
        bytes b = read_data(name);
        tg_value v;
        assert_true(load(&b, &v));
        shows(v, "[0, 1, 2]");
        tg_value_drop(v);
        tg_free(b.at);
    }
}

/* What NumPy wrote is loaded and saved again: the same bytes. */
static void as_numpy_writes(void **state) {
    (void)state;
    bytes b = read_data("same.npz");
    tg_zip z;
    bool there = true;
    assert_true(tg_zip_open(&z, &in->rt.c, "same.npz", b.at, b.len));
    int seen = 0;
    while (tg_zip_next(&z, &there) && there) {
        bytes want = {tg_alloc(z.size), z.size}, got = {0};
        size_t n = 0;
        tg_value v;
        assert_true(tg_zip_begin(&z) && tg_zip_read(&z, want.at, want.len, &n) && tg_zip_end(&z));
        assert_int_equal(n, want.len);
        assert_true(load(&want, &v));
        assert_true(tg_saved_npy(in, v, &got.at, &got.len));
        if (got.len != want.len || memcmp(got.at, want.at, got.len) != 0)
            fail_msg("%s is written in another way", tg_str_text(&z.entry));
        tg_value_drop(v);
        tg_free(want.at);
        tg_free(got.at);
        seen++;
    }
    assert_int_equal(seen, 12);
    tg_zip_close(&z);
    tg_free(b.at);
}

static void headers(void **state) {
    (void)state;
    const char *two = "\1\0\0\0\2\0\0\0";
    npy_shows("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", 8, two, "[1, 2]");
    npy_shows("{'shape':(2L,),'fortran_order':True,\"descr\":\"<i4\"}", 8, two, "[1, 2]");
    npy_shows(" {\n'shape' : ( 1 , 2 , ) ,'fortran_order': False, 'descr': '<i4' , } \n", 8, two,
              "[[1, 2]]");
    npy_shows("{'descr': '>i4', 'fortran_order': False, 'shape': (2,)}", 8, two,
              "[16777216, 33554432]");
    npy_shows("{'descr': '?', 'fortran_order': False, 'shape': (2,)}", 2, "\0\5", "[false, true]");
    npy_shows("{'descr': '<i8', 'fortran_order': False, 'shape': ()}", 8, "\7\0\0\0\0\0\0\0", "7");
    npy_shows("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 0)}", 0, "", "zeros(3, 0)");
    npy_shows("{'descr': '|S3', 'fortran_order': False, 'shape': (2,)}", 6, "abca\0\0",
              "[\"abc\", \"a\"]");
    npy_shows("{'descr': '>U1', 'fortran_order': False, 'shape': ()}", 4, "\0\0\x8a\x69", "詩");
    npy_shows("{'descr': '<U0', 'fortran_order': False, 'shape': (2,)}", 0, "", "[\"\", \"\"]");
}

static void nestings(void **state) {
    (void)state;
    static const char *const values[] = {
        "{net: {W: [1, 2], layers: [{b: 1}, {b: [2, 3]}]}, name: \"詩\", on: true}",
        "{a: (1, 2), b: none, c: {}, d: (), e: {f: (none, ({}, \"x\"))}}",
        "(1, [\"a\", \"bc\"])",
        "{words: [\"a\", \"\"], one: [\"x\"]}",
        "2.5",
        "\"text\"",
        "none",
        "{}",
        "{l: [{a: 0}, {a: 1}, {a: 2}, {a: 3}, {a: 4}, {a: 5}, {a: 6}, {a: 7}, {a: 8}, {a: 9}, {}]}",
        "{l: [{a: 0}, {a: 1}, {a: 2}, {a: 3}, {a: 4}, {a: 5}, {a: 6}, {a: 7}, {a: 8}, {a: 9}, 9]}",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int compress = 0; compress < 2; compress++) {
            tg_value v;
            bytes b = saved(values[i], compress), again = saved(values[i], compress);
            assert_int_equal(b.len, again.len); /* nothing but the value is in it */
            assert_memory_equal(b.at, again.at, b.len);
            if (!load(&b, &v)) fail_msg("%s: %s", values[i], in->rt.c.diag.msg);
            tg_value want = value_of(values[i]);
            tg_str text = {0};
            assert_true(tg_show_value(in, want, NULL, &text));
            shows(v, tg_str_text(&text));
            tg_str_free(&text);
            tg_value_drop(v);
            tg_value_drop(want);
            tg_free(b.at);
            tg_free(again.at);
        }
}

/* ---- wrong files ---- */

#define REST ", 'fortran_order': False, 'shape': (2,)}"

static void wrong_headers(void **state) {
    (void)state;
    refused("", 0, "f.npz: the file is empty");
    refused("abc", 3, "f.npz: neither .npy nor .npz: it has 3 bytes");
    refused("hello", 5, "f.npz: neither .npy nor .npz: it begins with 68 65 6c 6c");
    refused("\x93NUMPY\x04\x00", 8, "f.npz: offset 6: version 4.0 of the format; 1 to 3 are known");
    refused("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12, "a header of 4294967295 bytes");
    npy_refused("{'descr': '|O'" REST, 16, "an array of Python objects (element type '|O')");
    npy_refused("{'descr': '<c16'" REST, 32, "complex numbers (element type '<c16')");
    npy_refused("{'descr': '<M8[ns]'" REST, 16, "dates or times");
    npy_refused("{'descr': '<f16'" REST, 32, "the element type '<f16' is not one that tg reads");
    npy_refused("{'descr': '<q8'" REST, 16, "the element type '<q8'");
    npy_refused("{'descr': [('a', '<f8')]" REST, 16, "an array of structures");
    npy_refused("{'descr': '<f8', 'shape': (2,)}", 16, "the header lacks the key 'fortran_order'");
    npy_refused("{'descr': '<f8', 'descr': '<f8'" REST, 16, "has the key 'descr' twice");
    npy_refused("{'x': '<f8'" REST, 16, "f.npz: offset 11: the header has an unknown key 'x'");
    npy_refused("{'descr': '<f8', 'fortran_order': false, 'shape': (2,)}", 16, "True or False");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (2)}", 16, "(3,) is a tuple");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", 16, "a negative size");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (2.0,)}", 16, "expected ','");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 8,
                "an array of more than 8 axes");
    npy_refused("{'descr': '<f8'" REST " x", 16, "something follows its end");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': __import__('os')}", 16,
                "expected '('");
}

static void lying_headers(void **state) {
    (void)state;
    tg_alloc_reset_stats();
    size_t before = tg_alloc_get_stats().live_bytes;
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 15, "15 are there");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 17, "1 bytes follow");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}", 16,
                "truncated: the header promises 1000000000000 of '<f8'");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 16,
                "more than any memory");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", 16,
                "larger than any memory");
    npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9223372036854775807)}", 0,
                "more than any memory");
    npy_refused("{'descr': '<U999999999', 'fortran_order': False, 'shape': ()}", 16, "truncated");
    npy_refused("{'descr': '<U0', 'fortran_order': False, 'shape': (99999999999,)}", 0, "empty");
    npy_refused("{'descr': '<U1', 'fortran_order': False, 'shape': (1, 1)}", 4, "texts in 2 axes");
    assert_true(tg_alloc_get_stats().peak_bytes - before < 1 << 18);
    bytes b = npy(1, "{'descr': '<u8'" REST, 16, "12345678\0\0\0\0\0\0\0\x80");
    refused(b.at, b.len, "f.npz: offset 73: a uint64 that is too large for int64");
    tg_free(b.at);
    b = npy(1, "{'descr': '<U2', 'fortran_order': False, 'shape': ()}", 8, "\0\0\0\0a\0\0\0");
    refused(b.at, b.len, "f.npz: offset 67: this is no character of a text");
    tg_free(b.at);
    b = npy(1, "{'descr': '<i8', 'fortran_order': False, 'shape': ()}", 8, "\1\0\0\0\0\0\x20\0");
    refused(b.at, b.len, "the single number 9007199254740993 needs more than the 53 bits");
    tg_free(b.at);
}

static const char nested[] = "{net: {W: [1, 2, 3], l: [{b: 1}, {b: 2}]}, t: (1, \"x\"), w: [\"a\", "
                             "\"b\"]}";

static void truncated_anywhere(void **state) {
    (void)state;
    for (int form = 0; form < 3; form++) {
        bytes b;
        tg_value v = value_of("[1, 2, 3]");
        if (form == 2)
            assert_true(tg_saved_npy(in, v, &b.at, &b.len));
        else
            b = saved(nested, form);
        tg_value_drop(v);
        tg_alloc_reset_stats();
        size_t before = tg_alloc_get_stats().live_bytes;
        for (size_t len = 0; len < b.len; len++) {
            unsigned char *cut = malloc(len + 1); /* so that a sanitizer sees a byte too far */
            memcpy(cut, b.at, len);
            cut = realloc(cut, len ? len : 1);
            refused(cut, len, "f.npz");
            free(cut);
        }
        assert_true(tg_alloc_get_stats().peak_bytes - before < 1 << 20);
        tg_free(b.at);
    }
}

/* Every byte of both forms is changed in a few ways: an error or a value, within little memory. */
static void damaged_anywhere(void **state) {
    (void)state;
    static const unsigned char how[] = {0x01, 0x80, 0xFF};
    for (int form = 0; form < 2; form++) {
        bytes b = saved(nested, form);
        int errors = 0;
        tg_alloc_limit(tg_alloc_get_stats().live_bytes + (4 << 20));
        for (size_t i = 0; i < b.len; i++)
            for (size_t k = 0; k < sizeof how; k++) {
                tg_value v;
                b.at[i] ^= how[k];
                bool ok = load(&b, &v);
                b.at[i] ^= how[k];
                if (ok) {
                    tg_value_drop(v);
                    continue;
                }
                errors++;
                if (in->rt.c.diag.kind != TG_ERR_FILE)
                    fail_msg("byte %zu: %s", i, in->rt.c.diag.msg);
            }
        tg_alloc_limit(0);
        assert_true(errors > (int)b.len);
        tg_free(b.at);
    }
}

/* The place of those bytes, the n-th time they occur. */
static unsigned char *place(const bytes *b, const char *what, size_t len, int nth) {
    for (size_t i = 0; i + len <= b->len; i++)
        if (memcmp(b->at + i, what, len) == 0 && nth-- == 0) return b->at + i;
    fail_msg("not there");
    return NULL;
}

static void lying_archives(void **state) {
    (void)state;
    enum { METHOD = 10, FLAGS = 8, CRC = 16, PACKED = 20, SIZE = 24 }; /* in the directory */
    static const char entry[] = "PK\1\2";
    bytes b = saved("{a: zeros(100), c: ones(100)}", true);
    unsigned char *first = place(&b, entry, 4, 0), keep[46];
    memcpy(keep, first, sizeof keep);
    tg_alloc_reset_stats();
    size_t before = tg_alloc_get_stats().live_bytes;
    memset(first + SIZE, 0xFE, 4);
    refused(b.at, b.len, "entry a.npy");
    memcpy(first, keep, sizeof keep);
    memset(first + PACKED, 0xFE, 4);
    refused(b.at, b.len, "more bytes than the file has");
    memcpy(first, keep, sizeof keep);
    first[CRC] ^= 1;
    refused(b.at, b.len, "entry a.npy");
    memcpy(first, keep, sizeof keep);
    first[FLAGS] |= 1;
    refused(b.at, b.len, "f.npz, entry a.npy, offset 230: it is encrypted");
    memcpy(first, keep, sizeof keep);
    first[METHOD] = 12;
    refused(b.at, b.len, "compressed in a way other than deflate");
    memcpy(first, keep, sizeof keep);
    place(&b, "c.npy", 5, 0)[0] = 'a'; /* in both places where the name stands */
    place(&b, "c.npy", 5, 0)[0] = 'a';
    refused(b.at, b.len, "f.npz: two entries are named a.npy");
    assert_true(tg_alloc_get_stats().peak_bytes - before < 1 << 20);
    tg_free(b.at);
}

/* An archive of the given entries, each a .npy of one double, and a structure. */
static bytes archive(const char *const *names, int n, const char *structure) {
    tg_zip_writer w;
    tg_zip_create(&w, &in->rt.c);
    for (int i = 0; i < n; i++) {
        bool told = strcmp(names[i], ".structure.npy") == 0;
        bytes one;
        tg_value v = told ? TG_NONE_VALUE : tg_value_number(i);
        if (told) assert_true(tg_value_string(&in->rt.c, structure, strlen(structure), &v));
        assert_true(tg_saved_npy(in, v, &one.at, &one.len));
        assert_true(tg_zip_add(&w, names[i], one.len, false) && tg_zip_write(&w, one.at, one.len) &&
                    tg_zip_end_entry(&w));
        tg_value_drop(v);
        tg_free(one.at);
    }
    assert_true(tg_zip_finish(&w));
    bytes b = {w.out.at, w.out.len};
    w.out.at = NULL;
    tg_zip_free(&w);
    return b;
}

static void names_and_structures(void **state) {
    (void)state;
    static const struct {
        const char *names[4];
        const char *structure, *want; /* want: what is shown, or behind "!" said */
    } cases[] = {
        {{"a.b.npy", "a.c.npy", "d.npy"}, NULL, "{a: {b: 0, c: 1}, d: 2}"},
        {{"d.npy", "a.c.npy", "a-x.npy", "a.b.npy"}, NULL, "{d: 0, a: {c: 1, b: 3}, a-x: 2}"},
        {{"1.npy", "0.npy"}, NULL, "[1, 0]"},
        {{"1.npy", "2.npy"}, NULL, "{1: 0, 2: 1}"},
        {{"00.npy", "1.npy"}, NULL, "{00: 0, 1: 1}"},
        {{"a.npy", "a.b.npy"}, NULL, "{a: 0, a.b: 1}"},
        {{"a..b.npy", ".npy"}, NULL, "{a..b: 0, .npy: 1}"},
        {{"../x.npy", "/etc/y.npy"}, NULL, "{../x: 0, /etc/y: 1}"},
        {{"a.npy", ".structure.npy"}, "{a: _}", "{a: 0}"},
        {{"a.0.npy", ".structure.npy"}, "{ a : ( _ , ) }", "!expected _, none or a bracket"},
        {{"a.npy", ".structure.npy"}, "{a: _, b: _}", "!its structure has b, and there is no such"},
        {{"a.npy", "b.npy", ".structure.npy"}, "{a: _}", "!entry b.npy: its structure does not"},
        {{"a.npy", ".structure.npy"}, "{a: _, a: _}", "!a field stands there twice"},
        {{"a.npy", ".structure.npy"}, "{a: _", "!a bracket is not closed"},
        {{"a.npy", ".structure.npy"}, "{a: _} x", "!something follows the end"},
        {{"a.npy", ".structure.npy"}, "{\"a", "!expected the name of a field"},
        {{"a.npy", ".structure.npy"}, "[[[[", "!a bracket is not closed"},
        {{"a \"b.npy", ".structure.npy"}, "{\"a \\\"b\": _}", "{a \"b: 0}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = 0;
        while (n < 4 && cases[i].names[n]) n++;
        bytes b = archive(cases[i].names, n, cases[i].structure);
        const char *want = cases[i].want;
        tg_value v;
        if (*want == '!') {
            refused(b.at, b.len, want + 1);
        } else {
            if (!load(&b, &v)) fail_msg("%s: %s", want, in->rt.c.diag.msg);
            shows(v, want);
            tg_value_drop(v);
        }
        tg_free(b.at);
    }
    enum { DEEP = 3000 };
    char deep[DEEP + 1];
    memset(deep, '[', DEEP);
    deep[DEEP] = 0;
    bytes b = archive((const char *const[]){".structure.npy"}, 1, deep);
    refused(b.at, b.len, "nested too deeply");
    tg_free(b.at);
}

/* An entry that was said to be of more than 4 GB, and more entries than 16 bits count. */
static void large_archives(void **state) {
    (void)state;
    enum { MANY = 65540 };
    tg_zip_writer w;
    tg_zip z;
    bool there = true;
    tg_zip_create(&w, &in->rt.c);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_true(tg_zip_add(&w, name, i == 0 ? (size_t)5 << 30 : 3, i == 0) &&
                    tg_zip_write(&w, "abc", 3) && tg_zip_end_entry(&w));
    }
    assert_true(tg_zip_finish(&w));
    assert_true(tg_zip_open(&z, &in->rt.c, "f.zip", w.out.at, w.out.len));
    int seen = 0;
    while (tg_zip_next(&z, &there) && there) {
        char got[8];
        size_t n = 0;
        assert_true(tg_zip_begin(&z) && tg_zip_read(&z, got, 8, &n) && tg_zip_end(&z));
        assert_int_equal(n, 3);
        assert_memory_equal(got, "abc", 3);
        seen++;
    }
    assert_int_equal(seen, MANY);
    tg_zip_close(&z);
    tg_zip_free(&w);
}

static void interrupted(void **state) {
    (void)state;
    bytes b = saved(nested, false);
    tg_value v;
    tg_clear(&in->rt.c);
    in->rt.c.interrupted = 1;
    assert_false(tg_saved_load(in, "f.npz", b.at, b.len, &v));
    assert_int_equal(in->rt.c.diag.kind, TG_ERR_INTERRUPT);
    in->rt.c.interrupted = 0;
    tg_free(b.at);
}

static void every_allocation_fails(void **state) {
    (void)state;
    for (int form = 0; form < 2; form++) {
        bytes b = saved(nested, form), again = {0};
        tg_value v = TG_NONE_VALUE;
        bool ok = false;
        for (uint64_t n = 1; !ok; n++) {
            assert_true(n < 1000);
            size_t before = tg_alloc_get_stats().live_blocks;
            tg_alloc_fail_at(n);
            ok = load(&b, &v);
            tg_alloc_fail_at(0);
            if (ok) break;
            if (in->rt.c.diag.kind != TG_ERR_MEMORY) fail_msg("%s", in->rt.c.diag.msg);
            assert_true(tg_alloc_get_stats().live_blocks <= before + 1); /* an interned name */
        }
        for (uint64_t n = 1; !again.at; n++) {
            assert_true(n < 1000);
            size_t before = tg_alloc_get_stats().live_blocks;
            tg_clear(&in->rt.c);
            tg_alloc_fail_at(n);
            ok = tg_saved_npz(in, v, form, &again.at, &again.len);
            tg_alloc_fail_at(0);
            if (ok) break;
            assert_int_equal(in->rt.c.diag.kind, TG_ERR_MEMORY);
            assert_int_equal(tg_alloc_get_stats().live_blocks, before);
        }
        assert_int_equal(again.len, b.len);
        assert_memory_equal(again.at, b.at, b.len);
        tg_value_drop(v);
        tg_free(b.at);
        tg_free(again.at);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),
        cmocka_unit_test(versions),
        cmocka_unit_test(as_numpy_writes),
        cmocka_unit_test(headers),
        cmocka_unit_test(nestings),
        cmocka_unit_test(wrong_headers),
        cmocka_unit_test(lying_headers),
        cmocka_unit_test(truncated_anywhere),
        cmocka_unit_test(damaged_anywhere),
        cmocka_unit_test(lying_archives),
        cmocka_unit_test(names_and_structures),
        cmocka_unit_test(large_archives),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
