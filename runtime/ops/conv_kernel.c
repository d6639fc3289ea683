/* The kernels of convolutions: columns and matrix products. What the windows of some rows see is
 * written as the columns of a matrix, and with the kernel as a matrix [o, c * window] each of the
 * three is a product:
 *
 *     out = kernel @ columns      columns = kernel' @ out      kernel = out @ columns'
 *
 * of which the second is folded back into the image. So many rows of windows are taken at a time
 * that the columns stay in a near cache (Chellapilla, Puri & Simard, High performance convolutional
 * neural networks for document processing, 2006); of a line, so many windows. A window of one place
 * needs no columns: they are the image. Where vectors can run along channels without loss,
 * conv_direct.c does without columns.
 *
 * Images are shared out to threads, in parts that depend on sizes alone; the gradient of the kernel
 * is a sum over images, of which each part makes its own, and these are added in their order. */
#include "base/alloc.h"
#include "runtime/ops/conv_direct.h"
#include "runtime/ops/gemm.h"
#include "runtime/ops/structure.h"
#include "runtime/pool/pool.h"

#include <limits.h>
#include <string.h>

#define T float
#define FN(name) name##_float
#include "runtime/ops/conv_typed.h"
#undef T
#undef FN
#define T double
#define FN(name) name##_double
#include "runtime/ops/conv_typed.h"
#undef T
#undef FN

enum {
    COLUMN_BYTES = 1 << 18, /* of the columns at a time */
    PART_WORK = 1 << 21,    /* multiplications in a part, at least */
    PIECES = 4,             /* sums that are made side by side */
    PIECE_WORK = 1 << 26,   /* multiplications in one of them, at most */
    PER_NANOSECOND = 40,    /* multiplications in single precision */
};

tg_conv tg_conv_of(const tg_call *call) {
    bool back = strstr(call->op->name, "transpose"), weights = strstr(call->op->name, "weights");
    tg_conv v = {.call = call,
                 .image = back ? call->out : &call->in[0],
                 .kernel = weights ? call->out : &call->in[1],
                 .out = back      ? &call->in[0]
                        : weights ? &call->in[1]
                                  : call->out,
                 .axes = tg_window_axes(call->op)};
    v.window = tg_window_of(call, v.image, v.out, v.kernel);
    v.n = tg_window_planes(v.image, v.axes + 1);
    v.groups = tg_window_value(call->op, call->at, "groups", 0);
    v.c = v.kernel->dim[1];
    v.o = v.kernel->dim[0] / v.groups;
    return v;
}

/* ---- one convolution, ready to be computed ---- */

typedef struct work {
    tg_conv v;
    tg_dtype t;
    int64_t size;                   /* of an element, in bytes */
    int64_t window, places, pixels; /* of the kernel, of out, of the image, in a channel */
    int64_t strips, strip;          /* rows of windows, or of a line its windows; windows in each */
    int64_t rows;                   /* strips taken at a time */
    int64_t per;                    /* images in a part */
    int64_t from;                   /* the first image of a pass */
    bool plain;                     /* the columns are the image */
    tg_view image, kernel, out;     /* each image of them contiguous; the kernel wholly */
    void *scratch[3];
    char *partial; /* of the kernel's gradient: [pieces - 1, elements of the kernel] */
} work;

static bool is_packed(const tg_view *v, int own) {
    tg_view part = *v;
    part.rank = own;
    for (int i = 0; i < own; i++) {
        part.dim[i] = v->dim[v->rank - own + i];
        part.stride[i] = v->stride[v->rank - own + i];
    }
    return tg_view_is_contiguous(&part);
}

/* v itself, or a copy whose last `own` axes are contiguous. */
static bool pack(const tg_view *v, int own, tg_view *out, void **scratch) {
    *out = *v;
    if (is_packed(v, own)) return true;
    size_t count = (size_t)tg_view_count(v);
    *scratch = tg_alloc_array(count, tg_dtype_size(v->dtype));
    if (!*scratch) return false;
    tg_view_init(out, *scratch, v->dtype, v->rank, v->dim);
    tg_view_copy(out, v);
    return true;
}

static size_t packed_bytes(const tg_view *v, int own) {
    return is_packed(v, own) ? 0 : (size_t)tg_view_count(v) * tg_dtype_size(v->dtype);
}

static double multiplications(const work *w) {
    return (double)w->v.n * (double)w->v.groups * (double)w->v.o * (double)w->v.c *
           (double)w->window * (double)w->places;
}

static work work_of(const tg_call *call) {
    work w = {.v = tg_conv_of(call), .t = call->out->dtype};
    const tg_window_axis *r = &w.v.window.row, *k = &w.v.window.column;
    w.size = (int64_t)tg_dtype_size(w.t);
    w.window = r->kernel * k->kernel;
    w.places = r->out * k->out;
    w.pixels = r->image * k->image;
    w.plain = w.window == 1 && r->stride == 1 && k->stride == 1 && !r->padding && !k->padding &&
              w.places == w.pixels;
    w.strips = r->out == 1 ? k->out : r->out;
    w.strip = r->out == 1 ? 1 : k->out;
    int64_t row = w.v.c * w.window * w.strip * w.size;
    w.rows = row > 0 ? COLUMN_BYTES / row : w.strips;
    if (w.rows < 1) w.rows = 1;
    if (w.rows > w.strips) w.rows = w.strips;
    double one = multiplications(&w) / (w.v.n ? (double)w.v.n : 1);
    w.per = one < PART_WORK ? (int64_t)(PART_WORK / (one + 1)) + 1 : 1;
    w.image = *w.v.image, w.kernel = *w.v.kernel, w.out = *w.v.out;
    return w;
}

static size_t column_bytes(const work *w) {
    if (w->plain) return 0;
    return (size_t)(w->v.c * w->window * w->rows * w->strip * w->size);
}

static double cost_of(const work *w) {
    return multiplications(w) / (w->t == TG_F32 ? PER_NANOSECOND : PER_NANOSECOND / 2);
}

static bool prepare(work *w) {
    int own = w->v.axes + 1;
    return pack(w->v.image, own, &w->image, &w->scratch[0]) &&
           pack(w->v.kernel, w->kernel.rank, &w->kernel, &w->scratch[1]) &&
           pack(w->v.out, own, &w->out, &w->scratch[2]);
}

static void finish(work *w) {
    for (int i = 0; i < 3; i++) tg_free(w->scratch[i]);
    tg_free(w->partial);
}

static int64_t parts_of(int64_t n, int64_t per) {
    return per > 0 ? (n + per - 1) / per : 0;
}

static size_t copied_bytes(const work *w) {
    int own = w->v.axes + 1;
    return packed_bytes(w->v.image, own) + packed_bytes(w->v.kernel, w->kernel.rank) +
           packed_bytes(w->v.out, own);
}

/* The room of a call: what is copied, and columns for each thread. */
static size_t room_of(const work *w, int64_t parts) {
    int threads = w->v.call->rt->threads;
    return copied_bytes(w) + column_bytes(w) * (size_t)(parts < threads ? parts : threads);
}

/* ---- the matrices of an image and group ---- */

static char *place(const work *w, const tg_view *v, int64_t n, int64_t channel, int64_t plane) {
    int64_t offset = tg_window_plane(v, w->v.axes + 1, n) + channel * plane;
    return (char *)v->data + offset * w->size;
}

static char *image_of(const work *w, int64_t n, int64_t g) {
    return place(w, &w->image, n, g * w->v.c, w->pixels);
}

/* The strips of windows from `from` on: [o, rows * strip] */
static tg_matrix out_of(const work *w, int64_t n, int64_t g, int64_t from, int64_t rows) {
    char *data = place(w, &w->out, n, g * w->v.o, w->places) + from * w->strip * w->size;
    return (tg_matrix){data, w->v.o, rows * w->strip, w->places, 1, NULL};
}

/* [o, c * window] */
static tg_matrix kernel_of(const work *w, char *data, int64_t g) {
    int64_t k = w->v.c * w->window;
    return (tg_matrix){data + g * w->v.o * k * w->size, w->v.o, k, k, 1, NULL};
}

/* The windows of some strips, as rows of windows: those of a line are windows of a line that begins
 * further on. */
static tg_window windows_at(const work *w, int64_t *from, int64_t *rows) {
    tg_window some = w->v.window;
    if (some.row.out != 1) return some;
    some.column.padding -= *from * some.column.stride;
    some.column.out = *rows;
    *from = 0, *rows = 1;
    return some;
}

/* [c * window, rows * strip]; written, unless they are the image. */
static tg_matrix columns_of(const work *w, char *image, char *room, int64_t from, int64_t rows,
                            bool fill) {
    int64_t width = rows * w->strip, k = w->v.c * w->window;
    if (w->plain)
        return (tg_matrix){image + from * w->strip * w->size, k, width, w->pixels, 1, NULL};
    const tg_window some = windows_at(w, &from, &rows);
    if (fill && w->t == TG_F32)
        unfold_float(&some, w->v.c, (const float *)image, from, rows, (float *)room);
    else if (fill)
        unfold_double(&some, w->v.c, (const double *)image, from, rows, (double *)room);
    return (tg_matrix){room, k, width, width, 1, NULL};
}

/* Adds the columns to the image. */
static void fold(const work *w, char *image, const char *room, int64_t from, int64_t rows) {
    const tg_window some = windows_at(w, &from, &rows);
    if (w->t == TG_F32)
        fold_float(&some, w->v.c, (float *)image, from, rows, (const float *)room);
    else
        fold_double(&some, w->v.c, (double *)image, from, rows, (const double *)room);
}

static int64_t rows_at(const work *w, int64_t from) {
    int64_t left = w->strips - from;
    return left < w->rows ? left : w->rows;
}

/* ---- conv ---- */

static bool convolve(const work *w, int64_t n, char *room) {
    for (int64_t g = 0; g < w->v.groups; g++) {
        tg_matrix kernel = kernel_of(w, w->kernel.data, g);
        for (int64_t from = 0; from < w->strips; from += w->rows) {
            int64_t rows = rows_at(w, from);
            tg_matrix columns = columns_of(w, image_of(w, n, g), room, from, rows, true),
                      out = out_of(w, n, g, from, rows);
            if (tg_pool_stops() || !tg_matrix_multiply(w->t, &kernel, &columns, &out, 1, 0))
                return false;
        }
    }
    return true;
}

/* ---- conv_transpose ---- */

static bool spread(const work *w, int64_t n, char *room) {
    for (int64_t g = 0; g < w->v.groups; g++) {
        tg_matrix kernel = tg_matrix_transposed(kernel_of(w, w->kernel.data, g));
        char *image = image_of(w, n, g);
        if (!w->plain) memset(image, 0, (size_t)(w->v.c * w->pixels * w->size));
        for (int64_t from = 0; from < w->strips; from += w->rows) {
            int64_t rows = rows_at(w, from);
            tg_matrix columns = columns_of(w, image, room, from, rows, false),
                      out = out_of(w, n, g, from, rows);
            if (tg_pool_stops() || !tg_matrix_multiply(w->t, &kernel, &out, &columns, 1, 0))
                return false;
            if (!w->plain) fold(w, image, room, from, rows);
        }
    }
    return true;
}

/* ---- conv_weights ---- */

static bool collect(const work *w, int64_t n, char *room, char *sum, bool first) {
    for (int64_t g = 0; g < w->v.groups; g++) {
        tg_matrix kernel = kernel_of(w, sum, g);
        for (int64_t from = 0; from < w->strips; from += w->rows) {
            int64_t rows = rows_at(w, from);
            tg_matrix columns = tg_matrix_transposed(
                          columns_of(w, image_of(w, n, g), room, from, rows, true)),
                      out = out_of(w, n, g, from, rows);
            if (tg_pool_stops() ||
                !tg_matrix_multiply(w->t, &out, &columns, &kernel, 1, first && from == 0 ? 0 : 1))
                return false;
        }
    }
    return true;
}

/* ---- parts ---- */

static bool some_images(void *user, int64_t i) {
    const work *w = user;
    char *room = w->plain ? NULL : tg_alloc(column_bytes(w));
    bool ok = w->plain || room, back = strstr(w->v.call->op->name, "transpose");
    for (int64_t n = i * w->per; ok && n < (i + 1) * w->per && n < w->v.n; n++)
        ok = back ? spread(w, n, room) : convolve(w, n, room);
    tg_free(room);
    return ok;
}

static bool is_empty(const work *w) {
    return w->v.n == 0 || w->v.o == 0 || w->v.c == 0 || w->places == 0 || w->pixels == 0;
}

/* By conv_direct.c. */
static bool run_direct(work *w) {
    const tg_call *call = w->v.call;
    if (call->room) {
        *call->room = copied_bytes(w);
        return tg_conv_direct_run(&w->v);
    }
    bool ok = prepare(w);
    if (!ok) tg_pool_no_memory(call->rt);
    w->v.image = &w->image, w->v.kernel = &w->kernel, w->v.out = &w->out;
    ok = ok && tg_conv_direct_run(&w->v);
    finish(w);
    return ok;
}

/* BLAS counts in int. */
static bool check_sizes(const work *w) {
    double k = (double)w->v.c * (double)w->window;
    if (k <= INT_MAX && w->v.o <= INT_MAX && w->v.window.column.out <= INT_MAX) return true;
    return tg_fail(&w->v.call->rt->c, TG_ERR_VALUE, "%s is too large: a size is above the limit %d",
                   w->v.call->op->name, INT_MAX);
}

static bool run_images(const tg_call *call) {
    work w = work_of(call);
    if (!check_sizes(&w)) return false;
    int64_t parts = parts_of(w.v.n, w.per);
    if (!is_empty(&w) && tg_conv_direct_fits(&w.v)) return run_direct(&w);
    if (call->room) {
        *call->room = room_of(&w, parts);
        return true;
    }
    if (is_empty(&w)) {
        tg_view_clear(call->out);
        return true;
    }
    bool ok = prepare(&w) ? tg_pool_run(call->rt, parts, cost_of(&w), some_images, &w)
                          : tg_pool_no_memory(call->rt);
    finish(&w);
    return ok;
}

bool tg_conv_run(const tg_call *call) {
    return run_images(call);
}
bool tg_conv_transpose_run(const tg_call *call) {
    return run_images(call);
}

/* One sum over some images of a pass; the first of them goes into the result. */
static bool one_sum(void *user, int64_t i) {
    const work *w = user;
    size_t bytes = (size_t)tg_view_count(&w->kernel) * (size_t)w->size;
    char *sum = i == 0 ? w->kernel.data : w->partial + (size_t)(i - 1) * bytes;
    char *room = w->plain ? NULL : tg_alloc(column_bytes(w));
    bool ok = w->plain || room;
    int64_t begin = w->from + i * w->per, end = begin + w->per;
    for (int64_t n = begin; ok && n < end && n < w->v.n; n++)
        ok = collect(w, n, room, sum, i > 0 && n == begin);
    tg_free(room);
    return ok;
}

static void add_sum(const work *w, int64_t piece) {
    int64_t count = tg_view_count(&w->kernel);
    const char *from = w->partial + (piece - 1) * count * w->size;
    if (w->t == TG_F32)
        for (int64_t i = 0; i < count; i++)
            ((float *)w->kernel.data)[i] += ((const float *)from)[i];
    else
        for (int64_t i = 0; i < count; i++)
            ((double *)w->kernel.data)[i] += ((const double *)from)[i];
}

bool tg_conv_weights_run(const tg_call *call) {
    work w = work_of(call);
    if (!check_sizes(&w)) return false;
    if (!is_empty(&w) && tg_conv_direct_fits(&w.v)) return run_direct(&w);
    double one = multiplications(&w) / (w.v.n ? (double)w.v.n : 1);
    int64_t fair = parts_of(w.v.n, PIECES), most = (int64_t)(PIECE_WORK / (one + 1)) + 1;
    if (w.per < fair) w.per = fair < most ? fair : most;
    int64_t pieces = parts_of(w.v.n, w.per);
    if (pieces > PIECES) pieces = PIECES;
    size_t bytes = (size_t)tg_view_count(call->out) * (size_t)w.size,
           partial = pieces > 1 ? (size_t)(pieces - 1) * bytes : 0;
    if (call->room) {
        *call->room = room_of(&w, pieces) + partial;
        return true;
    }
    tg_view_clear(call->out);
    if (is_empty(&w)) return true;
    bool ok = prepare(&w) && (!partial || (w.partial = tg_alloc(partial)));
    if (!ok) tg_pool_no_memory(call->rt);
    for (; ok && w.from < w.v.n; w.from += pieces * w.per) {
        int64_t left = parts_of(w.v.n - w.from, w.per);
        if (left > pieces) left = pieces;
        ok = tg_pool_run(call->rt, left, cost_of(&w) * (double)(left * w.per) / (double)w.v.n,
                         one_sum, &w);
        for (int64_t i = 1; ok && i < left; i++) add_sum(&w, i);
    }
    finish(&w);
    return ok;
}
