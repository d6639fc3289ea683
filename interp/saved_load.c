/* Reading values: the entries of an archive become leaves under their names, and a nesting is built
 * of them, as the entry .structure says, or without one from the names alone: what stands before a
 * dot is a record, or a list where its parts are 0, 1, 2, ... That is also how files of NumPy's,
 * which name their arrays as they like, become records; where the names contradict that (a and a.b)
 * each stays the name of a field as it is. */
#include "base/alloc.h"
#include "interp/convert.h"
#include "interp/saved.h"
#include "interp/saved_structure.h"
#include "runtime/io/npy.h"
#include "runtime/io/zip.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct leaf {
    char *name;
    tg_value value;
    size_t order; /* in the archive */
    bool used;
} leaf;

typedef struct loader {
    tg_interp *in;
    const char *name; /* of the file */
    leaf *leaf;       /* sorted by name */
    size_t n, cap;
} loader;

/* ---- leaves ---- */

static bool texts_value(tg_ctx *c, const tg_npy *a, tg_value *out) {
    const char *p = a->texts;
    if (a->single) return tg_value_string(c, p, strlen(p), out);
    if (a->count > TG_MAX_ITEMS)
        return tg_fail(c, TG_ERR_VALUE, "a list holds at most %d things", TG_MAX_ITEMS);
    tg_value made;
    if (!tg_value_items(c, TG_V_LIST, (int)a->count, &made)) return false;
    for (int i = 0; i < (int)a->count; i++, p += strlen(p) + 1)
        if (!tg_value_string(c, p, strlen(p), &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    return tg_value_seal(c, made, out);
}

/* Takes what `a` has. */
static bool value_of(tg_ctx *c, const char *name, tg_npy *a, tg_value *out) {
    bool ok = true;
    if (a->wide) {
        int64_t x;
        memcpy(&x, a->tensor->v.data, sizeof x);
        tg_fail(c, TG_ERR_FILE,
                "%s: the single number %lld needs more than the 53 bits of a double", name,
                (long long)x);
        ok = tg_help(c, "an array keeps it: save it with the shape (1,)");
    } else if (a->tensor) {
        *out = tg_value_tensor(a->tensor);
        a->tensor = NULL;
    } else {
        ok = texts_value(c, a, out);
    }
    tg_npy_free(a);
    return ok;
}

static bool read_entry(tg_npy_source *s, void *out, size_t want, size_t *got) {
    return tg_zip_read(s->user, out, want, got);
}

/* The entry at hand. */
static bool load_entry(loader *l, tg_zip *z) {
    enum { PLAUSIBLE = 8, FREE = 1 << 16 }; /* data seldom compress by more */
    static const char ending[] = ".npy";
    tg_ctx *c = &l->in->rt.c;
    const char *entry = tg_str_text(&z->entry);
    size_t len = z->entry.len, bare = sizeof ending - 1;
    if (entry[len - 1] == '/') return true; /* a folder */
    bool ended = len > bare && strcmp(entry + len - bare, ending) == 0;
    void *leaves = l->leaf;
    bool ok = tg_grow(&leaves, &l->cap, l->n + 1, sizeof *l->leaf);
    l->leaf = leaves;
    char *name = ok ? tg_alloc_text(entry, ended ? len - bare : len) : NULL;
    if (!name) return tg_fail_memory(c);
    leaf *one = &l->leaf[l->n];
    *one = (leaf){.name = name, .value = TG_NONE_VALUE, .order = l->n};
    l->n++;
    tg_str what = {0};
    tg_str_addf(&what, "%s, entry %.200s", l->name, entry);
    size_t most = z->packed < SIZE_MAX / PLAUSIBLE - FREE ? PLAUSIBLE * z->packed + FREE : SIZE_MAX;
    tg_npy_source s = {.c = c,
                       .name = tg_str_text(&what),
                       .read = read_entry,
                       .size = z->size,
                       .plausible = z->deflated && z->size > most ? most : z->size,
                       .user = z};
    tg_npy a;
    ok = what.failed ? tg_fail_memory(c)
                     : tg_zip_begin(z) && tg_npy_read(&s, &a) &&
                           value_of(c, tg_str_text(&what), &a, &one->value) && tg_zip_end(z);
    if (!ok && !ended && c->diag.kind == TG_ERR_FILE)
        tg_help(c, "a .npz file holds .npy arrays: numpy.savez(path, W=W, b=b) writes one");
    tg_str_free(&what);
    return ok;
}

/* ---- names ---- */

/* A dot comes before all else, so that what begins alike up to a dot stands together. */
static int compare(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    int x = *a == '.' ? 1 : (unsigned char)*a, y = *b == '.' ? 1 : (unsigned char)*b;
    return x - y;
}

static int by_name(const void *a, const void *b) {
    return compare(((const leaf *)a)->name, ((const leaf *)b)->name);
}

static leaf *find(loader *l, const char *name) {
    const leaf key = {.name = (char *)(uintptr_t)name}; /* it is only read */
    return l->n ? bsearch(&key, l->leaf, l->n, sizeof key, by_name) : NULL;
}

/* ---- a nesting from the names ---- */

/* The leaves first..last-1, whose names agree up to `at`, where a part begins. */
typedef struct group {
    size_t first, last, at;
    size_t order; /* of its first leaf in the archive */
} group;

static int by_order(const void *a, const void *b) {
    size_t x = ((const group *)a)->order, y = ((const group *)b)->order;
    return (x > y) - (x < y);
}

/* Is `name` a place in a list of n, written as numbers are? */
static bool is_place(const char *name, size_t len, size_t n, size_t *place) {
    *place = 0;
    if (len == 0 || len > 9 || (len > 1 && name[0] == '0')) return false;
    for (size_t i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9') return false;
        *place = *place * 10 + (size_t)(name[i] - '0');
    }
    return *place < n;
}

/* Can the names be taken apart at their dots? No part is empty or has parts and is a leaf, and the
 * nesting is not absurd. */
static bool nests(const loader *l) {
    enum { DEEPEST = 100 };
    for (size_t i = 0; i < l->n; i++) {
        const char *a = l->leaf[i].name, *b = i + 1 < l->n ? l->leaf[i + 1].name : "";
        size_t len = strlen(a);
        int dots = 0;
        for (const char *p = strchr(a, '.'); p; p = strchr(p + 1, '.'), dots++)
            if (p == a || p[1] == '.' || p[1] == 0) return false;
        if (len == 0 || dots > DEEPEST) return false;
        if (strncmp(a, b, len) == 0 && b[len] == '.') return false;
    }
    return true;
}

static bool build(loader *l, group g, tg_value *out);

/* The groups of g, by the part of the name that begins at g.at; *n of them. NULL: no memory. */
static group *groups_of(loader *l, group g, size_t *n) {
    group *made = tg_alloc_array(g.last - g.first, sizeof *made);
    *n = 0;
    for (size_t i = g.first; made && i < g.last;) {
        const char *name = l->leaf[i].name + g.at;
        size_t len = strcspn(name, ".");
        group *one = &made[(*n)++];
        *one = (group){i, i, g.at + len + 1, l->leaf[i].order};
        for (; i < g.last; i++) {
            const char *other = l->leaf[i].name + g.at;
            if (strncmp(other, name, len) != 0 || (other[len] && other[len] != '.')) break;
            if (l->leaf[i].order < one->order) one->order = l->leaf[i].order;
        }
        one->last = i;
    }
    return made;
}

/* Are the groups the places 0 to n - 1? Then their order is that. */
static bool are_places(const loader *l, size_t at, group *made, size_t n) {
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        size_t place;
        ok = is_place(l->leaf[made[i].first].name + at, made[i].at - at - 1, n, &place);
    }
    for (size_t i = 0; ok && i < n; i++) /* different names below n: each is there once */
        is_place(l->leaf[made[i].first].name + at, made[i].at - at - 1, n, &made[i].order);
    return ok;
}

static bool build_items(loader *l, group g, group *made, size_t n, tg_value *out) {
    tg_ctx *c = &l->in->rt.c;
    tg_value items;
    if (n > TG_MAX_ITEMS)
        return tg_fail(c, TG_ERR_VALUE, "a record holds at most %d things", TG_MAX_ITEMS);
    bool list = are_places(l, g.at, made, n);
    qsort(made, n, sizeof *made, by_order);
    if (!tg_value_items(c, list ? TG_V_LIST : TG_V_RECORD, (int)n, &items)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        const char *name = l->leaf[made[i].first].name + g.at;
        if (!list) {
            items.as.items->field[i] = tg_intern(c, name, made[i].at - g.at - 1);
            ok = items.as.items->field[i] != NULL;
        }
        ok = ok && build(l, made[i], &items.as.items->v[i]);
    }
    if (ok) return tg_value_seal(c, items, out);
    tg_value_drop(items);
    return false;
}

static bool build(loader *l, group g, tg_value *out) {
    size_t n;
    if (!tg_guard(&l->in->rt.c)) return false;
    if (g.last - g.first == 1 && g.at > strlen(l->leaf[g.first].name)) {
        *out = tg_value_hold(l->leaf[g.first].value);
        return true;
    }
    group *made = groups_of(l, g, &n);
    bool ok = made ? build_items(l, g, made, n, out) : tg_fail_memory(&l->in->rt.c);
    tg_free(made);
    return ok;
}

/* A record with the names as they are. */
static bool build_flat(loader *l, tg_value *out) {
    group *made = tg_alloc_array(l->n, sizeof *made);
    for (size_t i = 0; made && i < l->n; i++)
        made[i] = (group){i, i + 1, strlen(l->leaf[i].name) + 1, l->leaf[i].order};
    bool ok = made ? build_items(l, (group){0, l->n, 0, 0}, made, l->n, out)
                   : tg_fail_memory(&l->in->rt.c);
    tg_free(made);
    return ok;
}

/* ---- the whole ---- */

static bool use_leaf(tg_interp *in, void *user, const char *path, tg_value *out) {
    loader *l = user;
    leaf *one = find(l, path);
    if (!one)
        return tg_fail(&in->rt.c, TG_ERR_FILE,
                       "%s: its structure has %.200s, and there is no such "
                       "entry",
                       l->name, path);
    one->used = true;
    *out = tg_value_hold(one->value);
    return true;
}

static bool build_told(loader *l, leaf *structure, tg_value *out) {
    tg_ctx *c = &l->in->rt.c;
    if (structure->value.tag != TG_V_STRING)
        return tg_fail(c, TG_ERR_FILE, "%s, entry " TG_STRUCTURE ".npy: it must be a text",
                       l->name);
    structure->used = true;
    if (!tg_structure_build(l->in, l->name, structure->value.as.text, use_leaf, l, out))
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (!l->leaf[i].used) {
            tg_fail(c, TG_ERR_FILE, "%s, entry %.200s.npy: its structure does not have it", l->name,
                    l->leaf[i].name);
            tg_help(c, "without the entry " TG_STRUCTURE ".npy entries are nested by their names");
            tg_value_drop(*out);
            *out = TG_NONE_VALUE;
            return false;
        }
    return true;
}

static bool build_all(loader *l, tg_value *out) {
    if (l->n == 0) {
        tg_value empty;
        return tg_value_items(&l->in->rt.c, TG_V_RECORD, 0, &empty) &&
               tg_value_seal(&l->in->rt.c, empty, out);
    }
    qsort(l->leaf, l->n, sizeof *l->leaf, by_name);
    for (size_t i = 1; i < l->n; i++)
        if (strcmp(l->leaf[i - 1].name, l->leaf[i].name) == 0)
            return tg_fail(&l->in->rt.c, TG_ERR_FILE, "%s: two entries are named %.200s.npy",
                           l->name, l->leaf[i].name);
    leaf *structure = find(l, TG_STRUCTURE);
    if (structure) return build_told(l, structure, out);
    return nests(l) ? build(l, (group){0, l->n, 0, 0}, out) : build_flat(l, out);
}

static bool load_zip(tg_interp *in, const char *name, const void *buf, size_t len, tg_value *out) {
    loader l = {.in = in, .name = name};
    tg_zip z;
    bool there = true, ok = tg_zip_open(&z, &in->rt.c, name, buf, len);
    while (ok && there) ok = tg_zip_next(&z, &there) && (!there || load_entry(&l, &z));
    tg_zip_close(&z);
    ok = ok && build_all(&l, out);
    for (size_t i = 0; i < l.n; i++) {
        tg_free(l.leaf[i].name);
        tg_value_drop(l.leaf[i].value);
    }
    tg_free(l.leaf);
    return ok;
}

bool tg_saved_load(tg_interp *in, const char *name, const void *buf, size_t len, tg_value *out) {
    tg_ctx *c = &in->rt.c;
    const unsigned char *b = buf;
    *out = TG_NONE_VALUE;
    if (tg_zip_is(buf, len)) return load_zip(in, name, buf, len, out);
    if (tg_npy_is(buf, len)) {
        tg_npy a;
        return tg_npy_parse(c, name, buf, len, &a) && value_of(c, name, &a, out);
    }
    if (len == 0) return tg_fail(c, TG_ERR_FILE, "%s: the file is empty", name);
    if (len < 4)
        tg_fail(c, TG_ERR_FILE, "%s: neither .npy nor .npz: it has %zu bytes", name, len);
    else
        tg_fail(c, TG_ERR_FILE, "%s: neither .npy nor .npz: it begins with %02x %02x %02x %02x",
                name, b[0], b[1], b[2], b[3]);
    return tg_help(c, "read(path) is for texts, idx(path) for IDX files, use \"file.tg\" for "
                      "programs");
}
