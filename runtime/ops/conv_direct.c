/* Convolutions without columns. Each of the three sums is a product with a gathered operand
 * (conv_gather.h), where an element that a window sees is found in the image by the sum of two
 * offsets: where the window begins, and where in the window it is. The image is copied for this,
 * some rows of windows at a time and with its padding, so that no offset leaves it; with a stride
 * s, its columns are sorted by their remainder by s. (J. Zhang, F. Franchetti & T. M. Low, High
 * performance zero-memory overhead direct convolutions, 2018.)
 *
 *     conv            rows are windows, the inner axis goes over a window and channels, lanes are
 *                     channels of out
 *     conv_transpose  of stride 1: the convolution of out with the kernel turned by half a circle
 *     conv_weights    rows are the places of a window and channels, the inner axis goes over
 *                     windows, lanes are channels of out
 *
 * Lanes are taken in chunks of a few vectors; what has lanes as its last axis lies chunk after
 * chunk. Work is shared out in units of some rows of one image, which depend on sizes alone. */
#include "runtime/ops/conv_direct.h"
#include "base/alloc.h"
#include "runtime/ops/conv_gather.h"
#include "runtime/ops/structure.h"
#include "runtime/pool/pool.h"

#include <string.h>

enum {
    BLOCK_BYTES = 1 << 18, /* of the rows of windows of a unit, with all their lanes */
    PART_WORK = 1 << 21,   /* multiplications in a part, at least */
    PIECES = 4,            /* sums over images that are made side by side */
    PIECE_WORK = 1 << 27,  /* multiplications in one of them, at most */
    MOST_PLANE = 1 << 30,  /* elements of a channel of the copy */
    PER_NANOSECOND = 50,   /* multiplications in single precision */
};

typedef struct direct {
    const tg_conv *v;
    tg_dtype t;
    int64_t size;               /* of an element, in bytes */
    bool weights, turned;       /* conv_weights, conv_transpose */
    tg_window window;           /* from `seen` to `made` */
    const tg_view *seen, *made; /* what is gathered from, and the other, with an element a window */
    int64_t channels, lanes;    /* of seen, and of made, in a group */
    int64_t padded;             /* lanes, to whole vectors */
    int vector, together;       /* lanes of a vector, and vectors of a chunk at most */
    int64_t depth;              /* places of a window in all channels */
    int64_t rows, blocks;       /* of windows in a unit, and units in an image */
    int64_t pitch, plane, side; /* of the copy: of rows, of channels, of remainders */
    int64_t units, per, first;  /* in all, in a part, and the first of this pass */
    int64_t *offset, *base;     /* [depth], [rows * columns] */
    char *panel;                /* [groups][chunks][depth, lanes of a chunk] */
    char *sums;                 /* of conv_weights: [pieces] panels */
} direct;

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t parts_of(int64_t n, int64_t per) {
    return per > 0 ? (n + per - 1) / per : 0;
}

static double multiplications(const direct *d) {
    return (double)d->v->n * (double)d->v->groups * (double)d->lanes * (double)d->depth *
           (double)d->window.row.out * (double)d->window.column.out;
}

/* The window of a transposed convolution of stride 1, as that of a convolution. */
static tg_window_axis turned_axis(tg_window_axis a) {
    return (tg_window_axis){.image = a.out,
                            .kernel = a.kernel,
                            .out = a.image,
                            .stride = 1,
                            .padding = a.dilation * (a.kernel - 1) - a.padding,
                            .dilation = a.dilation};
}

static int64_t extent(const tg_window_axis *a, int64_t windows) {
    return (windows - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
}

static direct direct_of(const tg_conv *v) {
    const char *name = v->call->op->name;
    direct d = {.v = v,
                .t = v->call->out->dtype,
                .weights = strstr(name, "weights"),
                .turned = strstr(name, "transpose"),
                .window = v->window,
                .vector = tg_gather_lanes(v->call->out->dtype),
                .together = tg_gather_together()};
    d.size = (int64_t)tg_dtype_size(d.t);
    d.seen = d.turned ? v->out : v->image, d.made = d.turned ? v->image : v->out;
    d.channels = d.turned ? v->o : v->c, d.lanes = d.turned ? v->c : v->o;
    if (d.turned) {
        d.window.row = turned_axis(v->window.row);
        d.window.column = turned_axis(v->window.column);
    }
    const tg_window_axis *r = &d.window.row, *k = &d.window.column;
    d.padded = parts_of(d.lanes, d.vector) * d.vector;
    d.depth = d.channels * r->kernel * k->kernel;
    d.rows = least(BLOCK_BYTES / (d.padded * k->out * d.size + 1) + 1, r->out);
    d.blocks = r->out > 0 ? parts_of(r->out, d.rows) : 0;
    d.side = parts_of(extent(k, k->out), k->stride);
    d.pitch = d.side * k->stride;
    double plane = (double)d.pitch * (double)extent(r, d.rows);
    d.plane = plane < MOST_PLANE ? (int64_t)plane : MOST_PLANE;
    d.units = v->n * d.blocks;
    double one = multiplications(&d) / ((double)d.units + 1);
    d.per = one < PART_WORK ? (int64_t)(PART_WORK / (one + 1)) + 1 : 1;
    return d;
}

bool tg_conv_direct_fits(const tg_conv *v) {
    direct d = direct_of(v);
    const tg_window_axis *r = &v->window.row, *k = &v->window.column;
    if (d.turned && (r->stride > 1 || k->stride > 1)) return false;
    if (r->kernel * k->kernel == 1 && r->stride == 1 && k->stride == 1) return false;
    if (d.vector * d.size < 32) return false; /* BLAS has better kernels there */
    /* not where the copy is mostly padding, or places that no window sees */
    if (d.plane >= MOST_PLANE || d.plane > 4 * d.window.row.image * d.window.column.image + 4096)
        return false;
    return 5 * d.lanes >= 3 * d.padded && d.depth > 0 && d.units > 0;
}

/* ---- chunks of lanes ---- */

typedef struct chunk {
    int64_t from, lanes; /* the first lane, and how many there are but for the last vector's rest */
    int vectors;
} chunk;

static bool next_chunk(const direct *d, chunk *c) {
    c->from += c->vectors * d->vector;
    int64_t left = d->padded - c->from;
    if (left <= 0) return false;
    c->vectors = (int)least(left / d->vector, d->together);
    c->lanes = least(d->lanes - c->from, c->vectors * d->vector);
    return true;
}

/* Where the chunk begins in [chunks][rows, lanes]. */
static char *chunk_at(const direct *d, char *p, const chunk *c, int64_t rows) {
    return p + c->from * rows * d->size;
}

static size_t panel_bytes(const direct *d) {
    return (size_t)(d->depth * d->padded * d->size);
}

/* ---- tables ---- */

static void fill_tables(const direct *d) {
    const tg_window_axis *r = &d->window.row, *k = &d->window.column;
    int64_t *to = d->offset;
    for (int64_t c = 0; c < d->channels; c++)
        for (int64_t i = 0; i < r->kernel; i++)
            for (int64_t j = 0; j < k->kernel; j++) {
                int64_t x = j * k->dilation;
                *to++ = c * d->plane + i * r->dilation * d->pitch + x % k->stride * d->side +
                        x / k->stride;
            }
    to = d->base;
    for (int64_t y = 0; y < d->rows; y++)
        for (int64_t x = 0; x < k->out; x++) *to++ = y * r->stride * d->pitch + x;
}

#define TURN_KERNEL(T)                                                                             \
    for (int64_t s = 0; s < d->channels; s++)                                                      \
        for (int64_t k = 0; k < window; k++)                                                       \
            for (int64_t i = 0; i < c.lanes; i++)                                                  \
    ((T *)to)[(s * window + k) * c.vectors * d->vector + i] =                                      \
        ((const T *)from)[(s * d->lanes + c.from + i) * window + window - 1 - k]

/* The kernel of each group with its lanes last. */
static void fill_panel(const direct *d) {
    const tg_view *w = d->v->kernel;
    int64_t window = d->window.row.kernel * d->window.column.kernel;
    memset(d->panel, 0, (size_t)d->v->groups * panel_bytes(d));
    for (int64_t g = 0; g < d->v->groups; g++) {
        char *panel = d->panel + (size_t)g * panel_bytes(d);
        const char *from = tg_view_place(w, g * d->lanes * d->depth);
        for (chunk c = {0}; next_chunk(d, &c);) {
            char *to = chunk_at(d, panel, &c, d->depth);
            if (!d->turned)
                tg_gather_turn(d->t, c.lanes, d->depth, from + c.from * d->depth * d->size,
                               d->depth, to, c.vectors * d->vector);
            else if (d->t == TG_F32)
                TURN_KERNEL(float);
            else
                TURN_KERNEL(double);
        }
    }
}

/* ---- the copy of an image ---- */

#define COPY(T)                                                                                    \
    for (int64_t c = 0; c < d->channels; c++)                                                      \
        for (int64_t i = 0; i < height; i++) {                                                     \
            T *line = (T *)to + c * d->plane + i * d->pitch;                                       \
            int64_t y = i + top;                                                                   \
            memset(line, 0, (size_t)d->pitch * sizeof(T));                                         \
            if (y < 0 || y >= r->image) continue;                                                  \
            const T *in = (const T *)from + (c * r->image + y) * k->image;                         \
            if (k->stride == 1)                                                                    \
                memcpy(line + first, in + first - k->padding, (size_t)(end - first) * sizeof(T));  \
            else                                                                                   \
                for (int64_t x = first; x < end; x++)                                              \
                    line[x % k->stride * d->side + x / k->stride] = in[x - k->padding];            \
        }

/* What `rows` rows of windows from row `at` on see of a group's channels. */
static void copy_image(const direct *d, const char *from, int64_t at, int64_t rows, char *to) {
    const tg_window_axis *r = &d->window.row, *k = &d->window.column;
    int64_t height = extent(r, rows), width = extent(k, k->out), top = at * r->stride - r->padding;
    int64_t first = k->padding > 0 ? k->padding : 0, end = least(width, k->image + k->padding);
    if (end < first) end = first = 0;
    if (d->t == TG_F32) {
        COPY(float)
    } else {
        COPY(double)
    }
}

/* ---- units ---- */

/* The scratch memory of a part. */
typedef struct scratch {
    char *image, *lanes; /* the copy; [rows * columns, padded] in chunks */
} scratch;

static size_t image_bytes(const direct *d) {
    return (size_t)(d->channels * d->plane * d->size + 63) / 64 * 64;
}

static size_t lanes_bytes(const direct *d) {
    return (size_t)(d->rows * d->window.column.out * d->padded * d->size);
}

static bool open_room(const direct *d, scratch *r) {
    r->image = tg_alloc(image_bytes(d) + lanes_bytes(d));
    if (!r->image) return false;
    r->lanes = r->image + image_bytes(d);
    return true;
}

/* Where a group's channels begin of an image. */
static char *channels_at(const direct *d, const tg_view *v, int64_t n, int64_t channel,
                         int64_t plane) {
    return tg_view_place(v, tg_window_plane(v, d->v->axes + 1, n) + channel * plane);
}

/* Some rows of windows of an image, in one group: the result, or what is added to `sums`. */
static void run_unit(const direct *d, int64_t unit, int64_t g, const scratch *room, char *sums,
                     bool add) {
    const tg_window_axis *r = &d->window.row, *k = &d->window.column;
    int64_t n = unit / d->blocks, at = unit % d->blocks * d->rows,
            rows = least(d->rows, r->out - at);
    int64_t windows = rows * k->out, plane = r->out * k->out;
    char *made = channels_at(d, d->made, n, g * d->lanes, plane) + at * k->out * d->size;
    copy_image(d, channels_at(d, d->seen, n, g * d->channels, r->image * k->image), at, rows,
               room->image);
    for (chunk c = {0}; next_chunk(d, &c);) {
        int64_t wide = c.vectors * d->vector;
        char *there = made + c.from * plane * d->size,
             *lanes = chunk_at(d, room->lanes, &c, windows);
        tg_gather job = {.image = room->image, .add = add};
        if (d->weights) {
            if (c.lanes < wide) memset(lanes, 0, (size_t)(windows * wide * d->size));
            tg_gather_turn(d->t, c.lanes, windows, there, plane, lanes, wide);
            job.base = d->offset, job.rows = d->depth, job.offset = d->base, job.depth = windows;
            job.panel = lanes;
            job.out = chunk_at(d, sums, &c, d->depth);
            tg_gather_run(d->t, c.vectors, &job);
            continue;
        }
        job.base = d->base, job.rows = windows, job.offset = d->offset, job.depth = d->depth;
        job.panel = chunk_at(d, d->panel + (size_t)g * panel_bytes(d), &c, d->depth);
        job.out = lanes;
        tg_gather_run(d->t, c.vectors, &job);
        tg_gather_turn(d->t, windows, c.lanes, lanes, wide, there, plane);
    }
}

static bool some_units(void *user, int64_t part) {
    const direct *d = user;
    scratch room;
    if (!open_room(d, &room)) return false;
    int64_t begin = d->first + part * d->per, end = least(begin + d->per, d->units);
    char *sums = d->sums + (d->weights ? (size_t)(part * d->v->groups) * panel_bytes(d) : 0);
    bool added = d->weights && part == 0 && d->first > 0; /* the first piece goes on */
    bool stops = false;
    for (int64_t g = 0; g < d->v->groups && !stops; g++)
        for (int64_t unit = begin; unit < end && !(stops = tg_pool_stops()); unit++)
            run_unit(d, unit, g, &room, d->weights ? sums + (size_t)g * panel_bytes(d) : NULL,
                     d->weights && (added || unit > begin));
    tg_free(room.image);
    return !stops;
}

/* ---- the sums of conv_weights ---- */

static void add_pieces(const direct *d, int64_t pieces) {
    int64_t count = d->v->groups * d->depth * d->padded;
    for (int64_t p = 1; p < pieces; p++) {
        const char *from = d->sums + p * count * d->size;
        if (d->t == TG_F32)
            for (int64_t i = 0; i < count; i++) ((float *)d->sums)[i] += ((const float *)from)[i];
        else
            for (int64_t i = 0; i < count; i++) ((double *)d->sums)[i] += ((const double *)from)[i];
    }
}

static void store_sums(const direct *d) {
    for (int64_t g = 0; g < d->v->groups; g++)
        for (chunk c = {0}; next_chunk(d, &c);)
            tg_gather_turn(d->t, d->depth, c.lanes,
                           chunk_at(d, d->sums + (size_t)g * panel_bytes(d), &c, d->depth),
                           c.vectors * d->vector,
                           tg_view_place(d->v->kernel, (g * d->lanes + c.from) * d->depth),
                           d->depth);
}

/* How many sums are made side by side, each of how many units. */
static int64_t cut_pieces(direct *d) {
    double one = multiplications(d) / ((double)d->units + 1);
    int64_t fair = parts_of(d->units, PIECES), most = (int64_t)(PIECE_WORK / (one + 1)) + 1;
    if (d->per < fair) d->per = least(fair, most);
    return least(parts_of(d->units, d->per), PIECES);
}

/* ---- the call ---- */

static size_t table_bytes(const direct *d) {
    return (size_t)(d->depth + d->rows * d->window.column.out) * sizeof(int64_t);
}

bool tg_conv_direct_run(const tg_conv *v) {
    direct d = direct_of(v);
    tg_rt *rt = v->call->rt;
    int64_t parts = d.weights ? cut_pieces(&d) : parts_of(d.units, d.per);
    size_t panel = (size_t)v->groups * panel_bytes(&d) * (size_t)(d.weights ? parts : 1);
    if (v->call->room) {
        size_t threads = (size_t)least(parts, rt->threads);
        *v->call->room += table_bytes(&d) + panel + threads * (image_bytes(&d) + lanes_bytes(&d));
        return true;
    }
    d.offset = tg_alloc(table_bytes(&d) + 64);
    char *lanes = tg_alloc(panel);
    bool ok = d.offset && lanes;
    if (!ok) tg_pool_no_memory(rt);
    if (ok) {
        d.base = d.offset + d.depth;
        fill_tables(&d);
    }
    double cost = multiplications(&d) / (d.t == TG_F32 ? PER_NANOSECOND : PER_NANOSECOND / 2);
    if (ok && !d.weights) {
        d.panel = lanes;
        fill_panel(&d);
        ok = tg_pool_run(rt, parts, cost, some_units, &d);
    } else if (ok) {
        d.sums = lanes;
        for (; ok && d.first < d.units; d.first += parts * d.per) {
            int64_t left = least(parts_of(d.units - d.first, d.per), parts);
            ok = tg_pool_run(rt, left, cost * (double)(left * d.per) / (double)d.units, some_units,
                             &d);
            if (ok) add_pieces(&d, left);
        }
        if (ok) store_sums(&d);
    }
    tg_free(d.offset);
    tg_free(lanes);
    return ok;
}
