/* Loading MNIST: pixels are scaled while they are inflated (runtime/io/idx.h), so the peak is the
 * result itself and one compressed file. Labels are spread to one-hot rows, the form in which a
 * cross entropy wants them. */
#include "runtime/io/mnist.h"
#include "base/file.h"
#include "runtime/io/idx.h"

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

/* [n, height, width] of the file as [n, height * width] */
static tg_tensor *load_images(tg_rt *rt, const char *path) {
    tg_tensor *t = tg_idx_read_scaled(rt, path, 255);
    if (!t) return NULL;
    tg_tensor *rows = NULL;
    if (t->v.rank == 3) {
        int64_t dim[2] = {t->v.dim[0], t->v.dim[1] * t->v.dim[2]};
        tg_view v;
        tg_view_init(&v, t->v.data, t->v.dtype, 2, dim);
        rows = tg_tensor_share(&rt->c, t, &v);
    } else {
        tg_fail(&rt->c, TG_ERR_FILE, "%s: rank %d, where images have rank 3", path, t->v.rank);
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
    tg_tensor *t = tg_idx_read(rt, path), *rows = NULL;
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

static bool load_pair(tg_rt *rt, const char *dir, const char *set, tg_tensor **images,
                      tg_tensor **labels) {
    char name[64], image_path[PATH_MAX], label_path[PATH_MAX];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", set);
    if (!find_file(&rt->c, dir, name, image_path)) return false;
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", set);
    if (!find_file(&rt->c, dir, name, label_path)) return false;
    /* Labels first: they are small, and the wrong folder is noticed at once. */
    if (!(*labels = load_labels(rt, label_path)) || !(*images = load_images(rt, image_path)))
        return false;
    if ((*images)->v.dim[0] == (*labels)->v.dim[0]) return true;
    return tg_fail(&rt->c, TG_ERR_FILE, "%s holds %lld images, but %s holds %lld labels",
                   image_path, (long long)(*images)->v.dim[0], label_path,
                   (long long)(*labels)->v.dim[0]);
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

bool tg_mnist_load(tg_rt *rt, const char *dir, tg_mnist *out) {
    *out = (tg_mnist){0};
    tg_tensor *images = NULL, *labels = NULL;
    bool ok = load_pair(rt, dir, "train", &images, &labels) &&
              load_pair(rt, dir, "t10k", &out->test_images, &out->test_labels);
    if (ok && images->v.dim[1] != out->test_images->v.dim[1])
        ok = tg_fail(&rt->c, TG_ERR_FILE, "%s: training images have %lld pixels, test images %lld",
                     dir, (long long)images->v.dim[1], (long long)out->test_images->v.dim[1]);
    ok = ok && split(rt, images, &out->validation_images, &out->train_images) &&
         split(rt, labels, &out->validation_labels, &out->train_labels);
    tg_tensor_drop(images);
    tg_tensor_drop(labels);
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
