/* Writing values: a walk over the nesting that makes an entry of each leaf, and beside it writes
 * down the structure, which becomes an entry where the names do not tell it (saved.h). */
#include "interp/saved.h"
#include "base/alloc.h"
#include "interp/convert.h"
#include "interp/saved_structure.h"
#include "runtime/io/npy.h"
#include "runtime/io/zip.h"

#include <stdlib.h>
#include <string.h>

typedef struct saver {
    tg_interp *in;
    tg_zip_writer zip;
    bool compress;
    tg_str path;      /* to the part at hand */
    tg_str structure; /* written so far */
    bool telling;     /* the names tell the structure, so far */
    char **name;      /* of the entries so far */
    size_t n, cap;
} saver;

/* ---- leaves ---- */

/* Where bytes go: an archive, or memory of the right size. */
typedef struct sink {
    tg_ctx *c;
    tg_zip_writer *zip; /* NULL: into at[], which has room */
    const char *entry;
    bool compress;
    unsigned char *own;
    size_t len, size;
} sink;

/* `size` bytes will come. */
static bool begin(sink *k, size_t size) {
    if (k->zip) return tg_zip_add(k->zip, k->entry, size, k->compress);
    k->size = size;
    k->own = tg_alloc(size);
    return k->own || tg_fail_memory(k->c);
}

static bool put(sink *k, const void *p, size_t n) {
    if (k->zip) return tg_zip_write(k->zip, p, n);
    memcpy(k->own + k->len, p, n);
    k->len += n;
    return tg_check_interrupt(k->c);
}

static bool put_tensor(sink *k, const tg_view *v) {
    char header[TG_NPY_HEADER];
    size_t n = tg_npy_header(header, v->dtype, v->rank, v->dim);
    size_t bytes = (size_t)tg_view_count(v) * tg_dtype_size(v->dtype);
    tg_tensor *copy = NULL;
    if (!tg_view_is_contiguous(v)) {
        if (!(copy = tg_tensor_new(k->c, v->dtype, v->rank, v->dim))) return false;
        if (!tg_view_copy_parts(k->c, &copy->v, v)) {
            tg_tensor_drop(copy);
            return false;
        }
        v = &copy->v;
    }
    bool ok = begin(k, n + bytes) && put(k, header, n) && put(k, v->data, bytes);
    tg_tensor_drop(copy);
    return ok;
}

/* One text as UTF-32, filled up to `most` characters. */
static bool put_text(sink *k, const tg_text *t, size_t most) {
    enum { ROOM = 256 };
    uint32_t piece[ROOM];
    size_t at = 0, done = 0;
    while (done < most) {
        size_t n = 0;
        for (; n < ROOM && done < most; n++, done++) {
            unsigned code = 0;
            if (at < t->len) at += (size_t)tg_utf8_next(t->bytes + at, t->len - at, &code);
            piece[n] = code;
        }
        if (!put(k, piece, n * sizeof *piece)) return false;
    }
    return true;
}

static bool put_texts(sink *k, int n, const tg_value *v, bool single) {
    char header[TG_NPY_HEADER];
    size_t most = 1, bytes; /* NumPy has no texts of 0 characters */
    for (int i = 0; i < n; i++) {
        size_t len = (size_t)tg_text_length(v[i].as.text);
        if (len > most) most = len;
    }
    size_t head = tg_npy_header_texts(header, most, single ? 0 : 1, n);
    if (!tg_size_mul(most * sizeof(uint32_t), (size_t)n, &bytes)) return tg_fail_memory(k->c);
    bool ok = begin(k, head + bytes) && put(k, header, head);
    for (int i = 0; ok && i < n; i++) ok = put_text(k, v[i].as.text, most);
    return ok;
}

/* A list of texts is one array, unless filling them up would take much more room than they do. */
static bool is_texts(tg_value v) {
    enum { TIMES = 4, FREE = 4096 };
    size_t most = 0, all = 0;
    if (v.tag != TG_V_LIST || v.as.items->n == 0) return false;
    for (int i = 0; i < v.as.items->n; i++) {
        if (v.as.items->v[i].tag != TG_V_STRING) return false;
        size_t len = v.as.items->v[i].as.text->len;
        all += len;
        if (len > most) most = len;
    }
    return most <= (TIMES * all + FREE) / (size_t)v.as.items->n;
}

static bool is_leaf(tg_value v) {
    return v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL || v.tag == TG_V_STRING ||
           v.tag == TG_V_TENSOR || v.tag == TG_V_RANGE || is_texts(v);
}

static bool put_leaf(tg_interp *in, sink *k, tg_value v) {
    if (v.tag == TG_V_STRING) return put_texts(k, 1, &v, true);
    if (is_texts(v)) return put_texts(k, v.as.items->n, v.as.items->v, false);
    tg_tensor *t;
    if (v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL) {
        double x = v.tag == TG_V_NUMBER ? v.as.number : v.as.truth;
        t = tg_tensor_scalar(&in->rt.c, v.tag == TG_V_NUMBER ? TG_F64 : TG_BOOL, x);
        if (!t) return false;
    } else if (!tg_to_tensor(in, v, "what is saved", &t)) {
        return false;
    }
    bool ok = put_tensor(k, &t->v);
    tg_tensor_drop(t);
    return ok;
}

/* ---- the walk ---- */

static bool save_leaf(saver *s, tg_value v) {
    tg_ctx *c = &s->in->rt.c;
    void *names = s->name;
    if (s->path.len == 0) { /* the whole is one leaf: NumPy's name for what has none */
        tg_str_add(&s->path, "arr_0");
        s->telling = false;
    }
    const size_t len = s->path.len;
    if (len > TG_SAVED_NAME)
        return tg_fail(c, TG_ERR_VALUE, "a path of %zu bytes is too long for a .npz file", len);
    bool ok = tg_grow(&names, &s->cap, s->n + 1, sizeof *s->name);
    s->name = names;
    char *name = ok ? tg_alloc_text(tg_str_text(&s->path), len) : NULL;
    if (!name) return tg_fail_memory(c);
    s->name[s->n++] = name;
    tg_str_add(&s->path, ".npy");
    sink k = {.c = c, .zip = &s->zip, .entry = tg_str_text(&s->path), .compress = s->compress};
    ok = s->path.failed ? tg_fail_memory(c) : put_leaf(s->in, &k, v) && tg_zip_end_entry(&s->zip);
    s->path.len = len;
    if (s->path.text) s->path.text[len] = 0;
    return ok;
}

static bool refuse(saver *s, tg_value v) {
    tg_ctx *c = &s->in->rt.c;
    tg_fail(c, TG_ERR_TYPE, "%s is %s, which cannot be saved",
            s->path.len ? tg_str_text(&s->path) : "the value", tg_value_kind(v));
    return tg_help(c, "a file keeps numbers, tensors, texts, true, false and none, in records, "
                      "lists and tuples");
}

static bool save_part(saver *s, tg_value v) {
    tg_ctx *c = &s->in->rt.c;
    if (v.tag == TG_V_NONE || is_leaf(v)) {
        tg_str_add(&s->structure, v.tag == TG_V_NONE ? "none" : "_");
        s->telling = s->telling && v.tag != TG_V_NONE;
        return v.tag == TG_V_NONE || save_leaf(s, v);
    }
    if (!tg_is_container(v)) return refuse(s, v);
    if (!tg_guard(c)) return false;
    const tg_items *items = v.as.items;
    const size_t len = s->path.len;
    bool record = v.tag == TG_V_RECORD, tuple = v.tag == TG_V_TUPLE, ok = true;
    s->telling = s->telling && items->n > 0 && !tuple;
    tg_str_addc(&s->structure, record ? '{' : tuple ? '(' : '[');
    for (int i = 0; ok && i < items->n; i++) {
        const char *field = record ? items->field[i] : NULL;
        if (i) tg_str_add(&s->structure, ", ");
        if (len) tg_str_addc(&s->path, '.');
        if (record) {
            tg_str_add(&s->path, field);
            tg_structure_add_name(&s->structure, field);
            s->telling = s->telling && tg_structure_plain_name(field);
        } else {
            tg_str_addf(&s->path, "%d", i);
        }
        ok = s->path.failed ? tg_fail_memory(c) : save_part(s, items->v[i]);
        s->path.len = len;
        if (s->path.text) s->path.text[len] = 0;
    }
    tg_str_addc(&s->structure, record ? '}' : tuple ? ')' : ']');
    return ok && (!s->structure.failed || tg_fail_memory(c));
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names with dots may make two paths one. */
static bool all_differ(saver *s) {
    if (s->n) qsort(s->name, s->n, sizeof *s->name, by_name);
    for (size_t i = 1; i < s->n; i++)
        if (strcmp(s->name[i - 1], s->name[i]) == 0)
            return tg_fail(&s->in->rt.c, TG_ERR_VALUE, "two parts would both be saved as %.200s",
                           s->name[i]);
    return true;
}

static bool save_structure(saver *s) {
    tg_value text;
    if (!tg_value_string(&s->in->rt.c, tg_str_text(&s->structure), s->structure.len, &text))
        return false;
    sink k = {.c = &s->in->rt.c, .zip = &s->zip, .entry = TG_STRUCTURE ".npy", .compress = true};
    bool ok = put_texts(&k, 1, &text, true) && tg_zip_end_entry(&s->zip);
    tg_value_drop(text);
    return ok;
}

bool tg_saved_npz(tg_interp *in, tg_value v, bool compress, unsigned char **bytes, size_t *len) {
    saver s = {.in = in, .compress = compress, .telling = true};
    tg_zip_create(&s.zip, &in->rt.c);
    bool ok = save_part(&s, v);
    ok = ok && (s.telling || (all_differ(&s) && save_structure(&s)));
    ok = ok && tg_zip_finish(&s.zip);
    if (ok) {
        *bytes = s.zip.out.at;
        *len = s.zip.out.len;
        s.zip.out.at = NULL;
    }
    tg_zip_free(&s.zip);
    tg_str_free(&s.path);
    tg_str_free(&s.structure);
    for (size_t i = 0; i < s.n; i++) tg_free(s.name[i]);
    tg_free(s.name);
    return ok;
}

bool tg_saved_npy(tg_interp *in, tg_value v, unsigned char **bytes, size_t *len) {
    sink k = {.c = &in->rt.c};
    if (!is_leaf(v)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "a .npy file holds one tensor, and this is %s",
                tg_value_kind(v));
        return tg_is_container(v) ? tg_help(&in->rt.c, "save it as .npz") : false;
    }
    if (!put_leaf(in, &k, v)) {
        tg_free(k.own);
        return false;
    }
    *bytes = k.own;
    *len = k.len;
    return true;
}
