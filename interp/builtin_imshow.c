/* imshow: matrices as images, and many images in a grid.
 *
 * Data often keep an image as a row, weights as a column. A matrix with a side of 784 is taken for
 * images of 28 x 28, and so is any side that is a square number of 256 or more and four times the
 * other; shape= says it otherwise. */
#include "base/alloc.h"
#include "interp/convert.h"
#include "interp/plot.h"

#include <math.h>

enum { MOST_IMAGES = 400, MOST_SIDE = 20000 };

static int64_t root_of(int64_t n) {
    int64_t r = (int64_t)(sqrt((double)n) + 0.5);
    return r * r == n ? r : 0;
}

static bool given_shape(tg_interp *in, const tg_argument *a, int64_t *h, int64_t *w) {
    tg_tensor *t = NULL;
    double x[2] = {0, 0};
    if (a->value.tag == TG_V_TUPLE && a->value.as.items->n == 2) {
        if (!tg_to_number(in, a->value.as.items->v[0], "shape", &x[0]) ||
            !tg_to_number(in, a->value.as.items->v[1], "shape", &x[1]))
            return false;
    } else {
        if (!tg_plot_doubles(in, a->value, "shape", &t)) return false;
        for (int i = 0; i < 2 && tg_view_count(&t->v) == 2; i++) x[i] = tg_view_get(&t->v, i);
        tg_tensor_drop(t);
    }
    if (!(x[0] >= 1 && x[1] >= 1 && x[0] <= MOST_SIDE && x[1] <= MOST_SIDE))
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "shape must be (height, width) of one image");
    *h = (int64_t)x[0];
    *w = (int64_t)x[1];
    return true;
}

/* How a tensor is images: pixel (k, i, j) stands at k * by_k + (i * w + j) * by_p. */
typedef struct lay {
    int64_t n, h, w, by_k, by_p;
} lay;

static bool find_lay(tg_interp *in, const tg_view *v, const tg_argument *shape, lay *l) {
    int64_t h = 0, w = 0;
    bool asked = tg_plot_given(shape);
    if (asked && !given_shape(in, shape, &h, &w)) return false;
    if (v->rank == 3 && !asked) {
        *l = (lay){v->dim[0], v->dim[1], v->dim[2], v->dim[1] * v->dim[2], 1};
        return true;
    }
    int64_t rows = v->rank == 2 ? v->dim[0] : 1, columns = v->rank > 0 ? v->dim[v->rank - 1] : 1;
    if (v->rank < 1 || v->rank > 2) {
        tg_fail(&in->rt.c, TG_ERR_SHAPE,
                "imshow takes a matrix, images [n, height, width], or images "
                "that are rows or columns");
        return false;
    }
    int64_t long_side = columns >= rows ? columns : rows, r = root_of(long_side);
    if (!asked && r >= 16 && (columns >= 4 * rows || rows >= 4 * columns || r == 28)) h = w = r;
    if (h == 0) {
        *l = (lay){1, rows, columns, 0, 1};
        return true;
    }
    if (columns == h * w)
        *l = (lay){rows, h, w, columns, 1};
    else if (rows == h * w)
        *l = (lay){columns, h, w, 1, columns};
    else
        return tg_fail(
            &in->rt.c, TG_ERR_SHAPE,
            "images of shape [%lld, %lld] have %lld pixels, which is no side of [%lld, %lld]",
            (long long)h, (long long)w, (long long)(h * w), (long long)rows, (long long)columns);
    return true;
}

/* Black and white: the range given, or the smallest and largest pixel; around 0 where there are
 * both signs. */
static bool shades_of(tg_interp *in, const tg_figure *f, tg_images *m) {
    double lo = INFINITY, hi = -INFINITY;
    size_t all = (size_t)m->n * (size_t)m->h * (size_t)m->w;
    for (size_t i = 0; i < all; i++) {
        if (!isfinite(m->pixel[i])) continue;
        lo = fmin(lo, m->pixel[i]);
        hi = fmax(hi, m->pixel[i]);
    }
    if (!(lo <= hi))
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "there is nothing to see: no number is finite");
    bool asked = f->y.lo != 0 || f->y.hi != 0;
    m->signs = !asked && lo < 0 && hi > 0;
    m->lo = asked ? f->y.lo : m->signs ? -fmax(-lo, hi) : lo;
    m->hi = asked ? f->y.hi : m->signs ? fmax(-lo, hi) : hi;
    if (m->lo == m->hi) m->hi = m->lo + 1;
    return true;
}

static bool across_of(tg_interp *in, const tg_argument *grid, tg_images *m) {
    int64_t across;
    m->across = m->n <= 5 ? m->n : (int)ceil(sqrt((double)m->n));
    if (m->n == 10) m->across = 5;
    if (!tg_plot_given(grid)) return true;
    tg_value v = grid->value;
    if (v.tag == TG_V_TUPLE && v.as.items->n == 2) v = v.as.items->v[1]; /* (rows, columns) */
    if (!tg_to_int(in, v, "grid", &across)) return false;
    if (across < 1 || across > MOST_IMAGES)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "grid must be how many images stand in a row");
    m->across = across < m->n ? (int)across : m->n;
    return true;
}

static bool labels_of(tg_interp *in, const tg_argument *a, tg_images *m) {
    if (!tg_plot_given(a)) return true;
    tg_value v;
    tg_tensor *t = NULL;
    bool texts = a->value.tag == TG_V_LIST && a->value.as.items->n == m->n;
    if (!texts && !tg_plot_doubles(in, a->value, "labels", &t)) return false;
    if (t && tg_view_count(&t->v) != m->n) {
        tg_fail(&in->rt.c, TG_ERR_SHAPE, "labels must be one for each of the %d images, not %lld",
                m->n, (long long)tg_view_count(&t->v));
        tg_tensor_drop(t);
        return false;
    }
    m->label = tg_alloc_array((size_t)m->n, sizeof *m->label);
    bool ok = m->label || tg_fail_memory(&in->rt.c);
    for (int i = 0; ok && i < m->n; i++) {
        tg_str text = {0};
        v = texts ? a->value.as.items->v[i] : tg_value_number(tg_view_get(&t->v, i));
        ok = tg_show_value(in, v, NULL, &text) &&
             tg_figure_text(&in->rt.c, &m->label[i], tg_str_text(&text));
        tg_str_free(&text);
    }
    tg_tensor_drop(t);
    return ok;
}

static bool imshow(tg_interp *in, const tg_argument *what, const tg_argument *grid,
                   const tg_argument *shape, const tg_argument *labels, tg_figure *f) {
    tg_tensor *t;
    lay l;
    tg_images *m = &f->images;
    if (!tg_plot_doubles(in, what->value, "what is shown", &t)) return false;
    bool ok = find_lay(in, &t->v, shape, &l);
    if (ok && tg_view_count(&t->v) == 0)
        ok = tg_fail(&in->rt.c, TG_ERR_VALUE, "there is nothing to see: it is empty");
    if (ok && l.n > MOST_IMAGES) {
        tg_fail(&in->rt.c, TG_ERR_VALUE, "one picture has at most %d images, and these are %lld",
                MOST_IMAGES, (long long)l.n);
        ok = tg_help(&in->rt.c, "take some: imshow({0}[0:25])");
    }
    if (ok && (l.h > MOST_SIDE || l.w > MOST_SIDE))
        ok =
            tg_fail(&in->rt.c, TG_ERR_VALUE, "an image has at most %d rows and columns", MOST_SIDE);
    if (ok) {
        size_t pixels = (size_t)(l.h * l.w);
        *m = (tg_images){.n = (int)l.n, .h = (int)l.h, .w = (int)l.w};
        m->pixel = tg_alloc_array((size_t)l.n, pixels * sizeof *m->pixel);
        ok = m->pixel || tg_fail_memory(&in->rt.c);
        const double *from = t->v.data;
        for (int64_t k = 0; ok && k < l.n; k++)
            for (size_t p = 0; p < pixels; p++)
                m->pixel[(size_t)k * pixels + p] = from[k * l.by_k + (int64_t)p * l.by_p];
    }
    tg_tensor_drop(t);
    return ok && shades_of(in, f, m) && across_of(in, grid, m) && labels_of(in, labels, m) &&
           tg_plot_name(in, &f->title, what);
}

static bool run_imshow(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    enum { WHAT, GRID_OF, SHAPE, LABELS, RANGE, TITLE, TO, SIZE };
    (void)n;
    *out = TG_NONE_VALUE;
    tg_figure f = {0};
    tg_plot_options o = {&args[TITLE], NULL, NULL, NULL, &args[RANGE], &args[TO], &args[SIZE]};
    bool ok = tg_plot_begin(in, &o, &f) &&
              imshow(in, &args[WHAT], &args[GRID_OF], &args[SHAPE], &args[LABELS], &f);
    return tg_plot_finish(in, ok, &o, &f, 1, args);
}

const tg_builtin tg_builtins_imshow[] = {
    {"imshow",
     "imshow(what, grid=none, shape=none, labels=none, range=none, title=none, to=none, size=none)",
     "A matrix as an image; images [n, height, width], or of shape=(28, 28) in rows or columns, in "
     "a "
     "grid with so many in a row. labels=[...] stand above them, range=(lo, hi) is black and "
     "white.",
     "imshow([[0, 1, 0], [1, 1, 1], [0, 1, 0]], size=(20, 6))",
     "  ██\n"
     "██████\n"
     "  ██",
     run_imshow, false, false},
    {0},
};
