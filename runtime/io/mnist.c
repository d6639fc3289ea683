/* Loading MNIST: pixels are scaled while they are inflated (runtime/io/idx.h), so the peak is the
 * result itself and the compressed files; those of training and test are read at the same time,
 * where there are threads. Labels are spread to one-hot rows, the form in which a cross entropy
 * wants them. */
#include "runtime/io/mnist.h"
#include "base/file.h"
#include "runtime/io/idx.h"
#include "runtime/pool/pool.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { CLASSES = 10, VALIDATION_PART = 12 };

/* The path of `name` or `name`.gz in the folder. */
static bool find_file(tg_ctx *c, const char *dir, const char *name, char path[PATH_MAX]) {
    const char *slash = *dir && dir[strlen(dir) - 1] == '/' ? "" : "/";
    for (int gz = 0; gz < 2; gz++) {
        int n = snprintf(path, PATH_MAX, "%s%s%s%s", dir, slash, name, gz ? ".gz" : "");
        if (n >= PATH_MAX)
            return tg_fail(c, TG_ERR_FILE, "the folder's name is too long: %.80s...", dir);
        if (tg_file_exists(path)) return true;
    }
    if (!tg_file_exists(dir)) return tg_fail(c, TG_ERR_FILE, "there is no folder %s", dir);
    return tg_fail(c, TG_ERR_FILE, "%s holds neither %s nor %s.gz", dir, name, name);
}

/* The two files of a set. */
typedef struct pair {
    char images[PATH_MAX], labels[PATH_MAX];
    tg_ctx c; /* of the thread that reads the images */
    tg_tensor *image_rows, *label_rows;
} pair;

enum { TRAIN, TEST, SETS };

/* [n, height, width] of the file as [n, height * width] */
static tg_tensor *load_images(tg_ctx *c, const char *path) {
    tg_tensor *t = tg_idx_read_scaled(c, path, 255);
    if (!t) return NULL;
    tg_tensor *rows = NULL;
    if (t->v.rank == 3) {
        int64_t dim[2] = {t->v.dim[0], t->v.dim[1] * t->v.dim[2]};
        tg_view v;
        tg_view_init(&v, t->v.data, t->v.dtype, 2, dim);
        rows = tg_tensor_share(c, t, &v);
    } else {
        tg_fail(c, TG_ERR_FILE, "%s: rank %d, where images have rank 3", path, t->v.rank);
    }
    tg_tensor_drop(t);
    return rows;
}

static bool spread(tg_ctx *c, const char *path, const tg_view *label, float *row) {
    const unsigned char *digit = label->data;
    for (int64_t i = 0; i < label->dim[0]; i++, row += CLASSES) {
        if (digit[i] >= CLASSES)
            return tg_fail(c, TG_ERR_FILE, "%s: label %lld is %d, not one of 0 to %d", path,
                           (long long)i, digit[i], CLASSES - 1);
        for (int k = 0; k < CLASSES; k++) row[k] = digit[i] == k;
    }
    return true;
}

/* [n] of the file as one-hot rows [n, 10] */
static tg_tensor *load_labels(tg_rt *rt, const char *path) {
    tg_tensor *t = tg_idx_read(&rt->c, path), *rows = NULL;
    if (!t) return NULL;
    if (t->v.rank != 1 || t->v.dtype != TG_U8) {
        tg_fail(&rt->c, TG_ERR_FILE, "%s: %s of rank %d, where labels are bytes of rank 1", path,
                tg_dtype_name(t->v.dtype), t->v.rank);
    } else {
        int64_t dim[2] = {t->v.dim[0], CLASSES};
        rows = tg_tensor_new(&rt->c, TG_F32, 2, dim);
        if (rows && !spread(&rt->c, path, &t->v, rows->v.data)) {
            tg_tensor_drop(rows);
            rows = NULL;
        }
    }
    tg_tensor_drop(t);
    return rows;
}

static bool find_pair(tg_ctx *c, const char *dir, const char *set, pair *p) {
    char name[64];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", set);
    if (!find_file(c, dir, name, p->images)) return false;
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", set);
    return find_file(c, dir, name, p->labels);
}

static bool load_part(void *user, int64_t i) {
    pair *p = (pair *)user + i;
    p->image_rows = load_images(&p->c, p->images);
    return true; /* what went wrong stands in p->c */
}

static bool check_pair(tg_rt *rt, const pair *p) {
    if (!p->image_rows) {
        rt->c.diag = p->c.diag;
        return false;
    }
    int64_t images = p->image_rows->v.dim[0], labels = p->label_rows->v.dim[0];
    return images == labels ||
           tg_fail(&rt->c, TG_ERR_FILE, "%s holds %lld images, but %s holds %lld labels", p->images,
                   (long long)images, p->labels, (long long)labels);
}

/* Labels first: they are small, and the wrong folder is noticed at once. */
static bool load_pairs(tg_rt *rt, const char *dir, pair *p) {
    static const char *const set[SETS] = {"train", "t10k"};
    const double cost = 1.5e8;
    bool ok = true;
    for (int i = 0; ok && i < SETS; i++)
        ok = find_pair(&rt->c, dir, set[i], &p[i]) &&
             (p[i].label_rows = load_labels(rt, p[i].labels)) != NULL;
    ok = ok && tg_pool_run(rt, SETS, cost, load_part, p);
    for (int i = 0; ok && i < SETS; i++) ok = check_pair(rt, &p[i]);
    return ok;
}

/* Rows [from, to) of t, on the same buffer. */
static tg_tensor *share_rows(tg_rt *rt, tg_tensor *t, int64_t from, int64_t to) {
    tg_view v = t->v;
    v.data = (char *)v.data + (size_t)(from * v.stride[0]) * tg_dtype_size(v.dtype);
    v.dim[0] = to - from;
    return tg_tensor_share(&rt->c, t, &v);
}

static bool split(tg_rt *rt, tg_tensor *whole, tg_tensor **validation, tg_tensor **train) {
    int64_t n = whole->v.dim[0], first = n / VALIDATION_PART;
    *validation = share_rows(rt, whole, 0, first);
    *train = share_rows(rt, whole, first, n);
    return *validation && *train;
}

static bool divide(tg_rt *rt, const char *dir, pair *p, tg_mnist *out) {
    const tg_view *train = &p[TRAIN].image_rows->v, *test = &p[TEST].image_rows->v;
    if (train->dim[1] != test->dim[1])
        return tg_fail(&rt->c, TG_ERR_FILE,
                       "%s: training images have %lld pixels, test images %lld", dir,
                       (long long)train->dim[1], (long long)test->dim[1]);
    out->test_images = tg_tensor_hold(p[TEST].image_rows);
    out->test_labels = tg_tensor_hold(p[TEST].label_rows);
    return split(rt, p[TRAIN].image_rows, &out->validation_images, &out->train_images) &&
           split(rt, p[TRAIN].label_rows, &out->validation_labels, &out->train_labels);
}

bool tg_mnist_load(tg_rt *rt, const char *dir, tg_mnist *out) {
    pair p[SETS] = {0};
    *out = (tg_mnist){0};
    bool ok = true;
    for (int i = 0; i < SETS; i++) {
        ok = tg_ctx_init(&p[i].c) && ok;
        p[i].c.outer = &rt->c;
    }
    if (!ok) tg_fail_memory(&rt->c);
    ok = ok && load_pairs(rt, dir, p) && divide(rt, dir, p, out);
    for (int i = 0; i < SETS; i++) {
        tg_tensor_drop(p[i].image_rows);
        tg_tensor_drop(p[i].label_rows);
        tg_ctx_free(&p[i].c);
    }
    if (!ok) tg_mnist_free(out);
    return ok;
}

void tg_mnist_free(tg_mnist *m) {
    tg_tensor_drop(m->train_images);
    tg_tensor_drop(m->train_labels);
    tg_tensor_drop(m->validation_images);
    tg_tensor_drop(m->validation_labels);
    tg_tensor_drop(m->test_images);
    tg_tensor_drop(m->test_labels);
    *m = (tg_mnist){0};
}
