/* Pictures of data: points, how often values occur, and heights over a plane. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- scatter ---- */

enum { MOST_GROUPS = 12 };

/* Whole numbers in order of size; false, with an error: too many different ones. */
static bool groups_of(tg_interp *in, const double *label, size_t n, double *group, int *ngroups) {
    *ngroups = 0;
    for (size_t i = 0; i < n; i++) {
        int k = 0;
        while (k < *ngroups && group[k] < label[i]) k++;
        if (isnan(label[i]) || (k < *ngroups && group[k] == label[i])) continue;
        if (*ngroups == MOST_GROUPS) {
            tg_fail(&in->rt.c, TG_ERR_VALUE, "color has more than %d different values",
                    MOST_GROUPS);
            return tg_help(&in->rt.c, "give a few: color = floor(c / 10), or color = c > 0");
        }
        memmove(group + k + 1, group + k, (size_t)(*ngroups - k) * sizeof *group);
        group[k] = label[i];
        ++*ngroups;
    }
    return true;
}

static bool add_group(tg_interp *in, tg_figure *f, const tg_tensor *x, const tg_tensor *y,
                      const double *label, bool truth, double want, int ink) {
    size_t n = (size_t)tg_view_count(&x->v), used = 0;
    const double *px = x->v.data, *py = y->v.data;
    char name[32];
    if (truth)
        snprintf(name, sizeof name, "%s", want != 0 ? "true" : "false");
    else
        snprintf(name, sizeof name, "%.6g", want);
    for (size_t i = 0; i < n; i++) used += !label || label[i] == want;
    tg_series *s = tg_figure_add(&in->rt.c, f, TG_MARK_POINTS, label ? name : NULL, used);
    if (!s) return false;
    s->ink = ink;
    used = 0;
    for (size_t i = 0; i < n; i++) {
        if (label && label[i] != want) continue;
        s->x[used] = px[i];
        s->y[used++] = py[i];
    }
    return true;
}

/* Columns 0 and 1 of a matrix [n, 2]. */
static bool split(tg_interp *in, const tg_tensor *points, tg_tensor **x, tg_tensor **y) {
    if (points->v.rank != 2 || points->v.dim[1] != 2) {
        tg_fail(&in->rt.c, TG_ERR_SHAPE, "points must be a matrix of two columns, [n, 2]");
        return false;
    }
    tg_tensor **const out[2] = {x, y};
    for (int k = 0; k < 2; k++) {
        *out[k] = tg_tensor_new(&in->rt.c, TG_F64, 1, points->v.dim);
        if (!*out[k]) return false;
        for (int64_t i = 0; i < points->v.dim[0]; i++)
            ((double *)(*out[k])->v.data)[i] = ((const double *)points->v.data)[2 * i + k];
    }
    return true;
}

static bool scatter(tg_interp *in, const tg_argument *args, const tg_argument *color,
                    tg_figure *f) {
    tg_tensor *x = NULL, *y = NULL, *c = NULL, *points = NULL;
    double group[MOST_GROUPS + 1] = {0};
    int ngroups = 1;
    bool ok;
    if (tg_plot_given(&args[1])) {
        ok = tg_plot_doubles(in, args[0].value, "x", &x) &&
             tg_plot_doubles(in, args[1].value, "y", &y);
        if (ok && (x->v.rank != 1 || y->v.rank != 1))
            ok = tg_fail(&in->rt.c, TG_ERR_SHAPE, "scatter takes two vectors");
        if (ok && x->v.dim[0] != y->v.dim[0])
            ok = tg_fail(&in->rt.c, TG_ERR_SHAPE, "{0} and {1} differ in length: %lld and %lld",
                         (long long)x->v.dim[0], (long long)y->v.dim[0]);
        ok = ok && tg_plot_name(in, &f->x.name, &args[0]) && tg_plot_name(in, &f->y.name, &args[1]);
    } else {
        ok = tg_plot_doubles(in, args[0].value, "points", &points) && split(in, points, &x, &y);
    }
    if (ok && x->v.dim[0] == 0)
        ok = tg_fail(&in->rt.c, TG_ERR_VALUE, "there is nothing to plot: it is empty");
    bool truth = color->value.tag == TG_V_TENSOR && color->value.as.tensor->v.dtype == TG_BOOL;
    if (ok && tg_plot_given(color)) {
        ok = tg_plot_doubles(in, color->value, "color", &c);
        if (ok && tg_view_count(&c->v) != x->v.dim[0])
            ok = tg_fail(&in->rt.c, TG_ERR_SHAPE,
                         "color must have a number for each of the %lld points, "
                         "not %lld",
                         (long long)x->v.dim[0], (long long)tg_view_count(&c->v));
        ok = ok && groups_of(in, c->v.data, (size_t)x->v.dim[0], group, &ngroups);
    }
    for (int k = 0; ok && k < ngroups; k++)
        ok = add_group(in, f, x, y, c ? c->v.data : NULL, truth, group[k], k);
    tg_tensor_drop(x);
    tg_tensor_drop(y);
    tg_tensor_drop(c);
    tg_tensor_drop(points);
    return ok;
}

static bool run_scatter(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    enum { X, Y, COLOR, TITLE, XLABEL, YLABEL, LOG, RANGE, TO, SIZE };
    (void)n;
    *out = TG_NONE_VALUE;
    tg_figure f = {0};
    tg_plot_options o = {&args[TITLE], &args[XLABEL], &args[YLABEL], &args[LOG],
                         &args[RANGE], &args[TO],     &args[SIZE]};
    bool ok = tg_plot_begin(in, &o, &f) && scatter(in, &args[X], &args[COLOR], &f);
    return tg_plot_finish(in, ok, &o, &f, 2, args);
}

/* ---- hist ---- */

enum { MOST_BINS = 10000, PIECE = 1 << 16 };

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Merges x[0..m) and x[m..n) into to. */
static bool merge(tg_ctx *c, const double *x, size_t m, size_t n, double *to) {
    for (size_t i = 0, j = m, k = 0; k < n; k++) {
        if (k % PIECE == 0 && !tg_check_interrupt(c)) return false;
        to[k] = i < m && (j == n || x[i] <= x[j]) ? x[i++] : x[j++];
    }
    return true;
}

/* Sorts *x piece by piece, and hears Ctrl-C between them. *x and *spare are exchanged at will. */
static bool sort(tg_ctx *c, double **x, double **spare, size_t n) {
    for (size_t i = 0; i < n; i += PIECE) {
        if (!tg_check_interrupt(c)) return false;
        qsort(*x + i, n - i < PIECE ? n - i : PIECE, sizeof **x, by_size);
    }
    for (size_t width = PIECE; width < n; width *= 2) {
        for (size_t i = 0; i < n; i += 2 * width) {
            const size_t left = n - i, end = left < 2 * width ? left : 2 * width;
            if (!merge(c, *x + i, end < width ? end : width, end, *spare + i)) return false;
        }
        double *sorted = *spare;
        *spare = *x;
        *x = sorted;
    }
    return true;
}

/* How many bins show the shape: by the spread of the middle half (Freedman and Diaconis 1981), at
 * least as Sturges (1926). */
static int usual_bins(const double *sorted, size_t n) {
    double wide = sorted[n - 1] - sorted[0];
    double half = sorted[n - 1 - n / 4] - sorted[n / 4];
    double bins = half > 0 ? wide / (2 * half / cbrt((double)n)) : 0;
    double least = ceil(log2((double)n)) + 1;
    return (int)fmin(fmax(bins, least), 60);
}

/* A bin for each number where all are whole and lie close together. */
static bool are_whole(const double *sorted, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (sorted[i] != floor(sorted[i])) return false;
    return sorted[n - 1] - sorted[0] <= 40;
}

/* Places of the bins' ends, nbins + 1, evenly between lo and hi. */
static bool even_bins(tg_interp *in, tg_figure *f, double lo, double hi, int nbins, tg_series **s) {
    *s = tg_figure_add(&in->rt.c, f, TG_MARK_BARS, NULL, (size_t)nbins);
    for (int i = 0; *s && i <= nbins; i++) {
        double t = i / (double)nbins;
        (*s)->x[i] = lo * (1 - t) + hi * t;
    }
    return *s != NULL;
}

static bool make_bins(tg_interp *in, tg_figure *f, tg_value bins, const double *sorted, size_t n,
                      tg_series **s) {
    double lo = sorted[0], hi = sorted[n - 1];
    tg_tensor *t;
    if (bins.tag == TG_V_NONE && are_whole(sorted, n))
        return even_bins(in, f, lo - 0.5, hi + 0.5, (int)(hi - lo) + 1, s);
    if (!(hi > lo)) {
        double more = lo != 0 ? fabs(lo) / 2 : 0.5;
        lo -= more;
        hi += more;
    }
    if (bins.tag == TG_V_NONE) return even_bins(in, f, lo, hi, usual_bins(sorted, n), s);
    if (!tg_plot_doubles(in, bins, "bins", &t)) return false;
    const double *edge = t->v.data;
    int64_t count = tg_view_count(&t->v);
    bool ok = true;
    if (count == 1) {
        ok =
            (edge[0] >= 1 && edge[0] <= MOST_BINS && edge[0] == floor(edge[0])) ||
            tg_fail(&in->rt.c, TG_ERR_VALUE, "bins must be a whole number from 1 to %d", MOST_BINS);
        ok = ok && even_bins(in, f, lo, hi, (int)edge[0], s);
    } else {
        for (int64_t i = 0; ok && i < count; i++)
            ok = (isfinite(edge[i]) && (i == 0 || edge[i - 1] < edge[i])) ||
                 tg_fail(&in->rt.c, TG_ERR_VALUE, "the ends of bins must be finite and rising");
        ok = ok && (count > 1 || tg_fail(&in->rt.c, TG_ERR_VALUE, "bins is empty"));
        *s = ok ? tg_figure_add(&in->rt.c, f, TG_MARK_BARS, NULL, (size_t)count - 1) : NULL;
        ok = *s != NULL;
        if (ok) memcpy((*s)->x, edge, (size_t)count * sizeof *edge);
    }
    tg_tensor_drop(t);
    return ok;
}

/* Each bin has its lower end, the last both. */
static void count_into(tg_series *s, const double *sorted, size_t n) {
    size_t k = 0;
    for (size_t i = 0; i < s->n; i++) s->y[i] = 0;
    for (size_t i = 0; i < n; i++) {
        if (sorted[i] < s->x[0] || sorted[i] > s->x[s->n]) continue;
        while (k + 1 < s->n && sorted[i] >= s->x[k + 1]) k++;
        s->y[k]++;
    }
}

static bool hist(tg_interp *in, const tg_argument *v, const tg_argument *bins, tg_figure *f) {
    tg_tensor *t;
    if (!tg_plot_doubles(in, v->value, "what is counted", &t)) return false;
    size_t all = (size_t)tg_view_count(&t->v), n = 0;
    double *sorted = tg_alloc_array(all + 1, sizeof *sorted);
    double *spare = tg_alloc_array(all + 1, sizeof *spare);
    const double *from = t->v.data;
    for (size_t i = 0; sorted && spare && i < all; i++)
        if (isfinite(from[i])) sorted[n++] = from[i];
    tg_tensor_drop(t);
    tg_series *s = NULL;
    bool ok = (sorted && spare) || tg_fail_memory(&in->rt.c);
    ok = ok && (n > 0 || tg_fail(&in->rt.c, TG_ERR_VALUE,
                                 all ? "there is nothing to count: no number is finite"
                                     : "there is nothing to count: it is empty"));
    ok = ok && sort(&in->rt.c, &sorted, &spare, n) && make_bins(in, f, bins->value, sorted, n, &s);
    if (ok) count_into(s, sorted, n);
    tg_free(sorted);
    tg_free(spare);
    return ok && tg_plot_name(in, &f->x.name, v) && tg_figure_text(&in->rt.c, &f->y.name, "count");
}

static bool run_hist(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    enum { V, BINS, TITLE, XLABEL, YLABEL, RANGE, TO, SIZE };
    (void)n;
    *out = TG_NONE_VALUE;
    tg_figure f = {0};
    tg_plot_options o = {&args[TITLE], &args[XLABEL], &args[YLABEL], NULL,
                         &args[RANGE], &args[TO],     &args[SIZE]};
    bool ok = tg_plot_begin(in, &o, &f) && hist(in, &args[V], &args[BINS], &f);
    return tg_plot_finish(in, ok, &o, &f, 1, args);
}

/* ---- contour ---- */

enum { GRID = 121, LEVELS = 9, EVEN = 12, MOST_LEVELS = 40 };

static bool fill_grid(tg_interp *in, tg_curve *c, tg_figure *f) {
    tg_grid *g = &f->grid;
    g->nx = g->ny = GRID;
    g->z = tg_alloc_array((size_t)GRID * GRID, sizeof *g->z);
    if (!g->z) return tg_fail_memory(&in->rt.c);
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            double x[2] = {f->x.lo + (f->x.hi - f->x.lo) * j / (GRID - 1),
                           f->y.lo + (f->y.hi - f->y.lo) * i / (GRID - 1)};
            if (!tg_curve_value(in, c, x, &g->z[i * GRID + j])) return false;
        }
    return true;
}

/* 1, 2, 5, 10, ... times a power of ten: the k-th, 0 being 1. */
static double round_step(int k) {
    static const double step[] = {1, 2, 5};
    int power = (int)floor(k / 3.0);
    return step[k - 3 * power] * pow(10, power);
}

/* Even heights, or where most of the plane is low, as around the bottom of a steep valley, heights
 * that grow by 2 and 2.5 in turn. */
static bool usual_levels(tg_interp *in, tg_grid *g) {
    size_t n = 0, all = (size_t)g->nx * (size_t)g->ny;
    double *sorted = tg_alloc_array(all, sizeof *sorted);
    g->level = tg_alloc_array(MOST_LEVELS, sizeof *g->level);
    if (!sorted || !g->level) {
        tg_free(sorted);
        return tg_fail_memory(&in->rt.c);
    }
    for (size_t i = 0; i < all; i++)
        if (isfinite(g->z[i])) sorted[n++] = g->z[i];
    qsort(sorted, n, sizeof *sorted, by_size);
    double lo = n ? sorted[0] : 0, hi = n ? sorted[n - 1] : 0, mid = n ? sorted[n / 2] : 0;
    tg_free(sorted);
    if (n == 0)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "there is nothing to see: no number is finite");
    if (!(hi - lo > 1e-12 * fmax(fabs(hi), fabs(lo))))
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "there are no contours: it is %.6g everywhere", lo);
    if (mid - lo > 0.15 * (hi - lo)) {
        double step = 0;
        for (int k = (int)floor(3 * log10(hi - lo)) - 6; step * EVEN < hi - lo; k++)
            step = round_step(k);
        double first = ceil(lo / step);
        for (int i = 0; (first + i) * step < hi && g->nlevels < MOST_LEVELS; i++)
            if ((first + i) * step > lo) g->level[g->nlevels++] = (first + i) * step;
        return true;
    }
    double foot = lo > 0 && lo < (hi - lo) / 100 ? 0 : lo;
    int top = (int)floor(3 * log10(hi - foot)) + 1;
    while (round_step(top) >= hi - foot) top--;
    for (int k = top - LEVELS + 1; k <= top; k++) g->level[g->nlevels++] = foot + round_step(k);
    return true;
}

static bool given_levels(tg_interp *in, const tg_argument *a, tg_grid *g) {
    tg_tensor *t;
    if (!tg_plot_doubles(in, a->value, "levels", &t)) return false;
    int64_t n = tg_view_count(&t->v);
    const double *level = t->v.data;
    bool ok = (n >= 1 && n <= MOST_LEVELS) ||
              tg_fail(&in->rt.c, TG_ERR_VALUE, "levels must be 1 to %d numbers", MOST_LEVELS);
    for (int64_t i = 0; ok && i < n; i++)
        ok = (isfinite(level[i]) && (i == 0 || level[i - 1] < level[i])) ||
             tg_fail(&in->rt.c, TG_ERR_VALUE, "levels must be finite and rising");
    if (ok) {
        g->level = tg_alloc_array((size_t)n, sizeof *g->level);
        ok = g->level || tg_fail_memory(&in->rt.c);
    }
    if (ok) memcpy(g->level, level, (size_t)n * sizeof *level);
    g->nlevels = ok ? (int)n : 0;
    tg_tensor_drop(t);
    return ok;
}

static bool add_path(tg_interp *in, const tg_argument *a, tg_figure *f) {
    tg_tensor *points, *x = NULL, *y = NULL;
    if (!tg_plot_doubles(in, a->value, "path", &points)) return false;
    bool ok = split(in, points, &x, &y);
    size_t n = ok ? (size_t)points->v.dim[0] : 0;
    tg_series *s = ok ? tg_figure_add(&in->rt.c, f, TG_MARK_PATH, "path", n) : NULL;
    if (s) {
        memcpy(s->x, x->v.data, n * sizeof(double));
        memcpy(s->y, y->v.data, n * sizeof(double));
        s->ink = 3;
    }
    tg_tensor_drop(points);
    tg_tensor_drop(x);
    tg_tensor_drop(y);
    return s != NULL;
}

/* The rows of one matrix, as points. */
static bool add_cloud(tg_interp *in, tg_value v, const char *name, int ink, tg_figure *f) {
    tg_tensor *points, *x = NULL, *y = NULL;
    if (!tg_plot_doubles(in, v, "points", &points)) return false;
    bool ok = split(in, points, &x, &y);
    const size_t n = ok ? (size_t)points->v.dim[0] : 0;
    tg_series *s = ok ? tg_figure_add(&in->rt.c, f, TG_MARK_POINTS, name, n) : NULL;
    if (s) {
        memcpy(s->x, x->v.data, n * sizeof(double));
        memcpy(s->y, y->v.data, n * sizeof(double));
        s->ink = ink;
    }
    tg_tensor_drop(points);
    tg_tensor_drop(x);
    tg_tensor_drop(y);
    return s != NULL;
}

/* A matrix [n, 2], or several in a record, whose names the legend has, a list or a tuple. */
static bool add_clouds(tg_interp *in, const tg_argument *a, tg_figure *f) {
    static const int inks[] = {4, 1, 3, 2, 5, 0};
    const int most = sizeof inks / sizeof *inks;
    if (!tg_is_container(a->value)) return add_cloud(in, a->value, NULL, inks[0], f);
    const tg_items *items = a->value.as.items;
    if (items->n > most)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "points are at most %d matrices", most);
    for (int i = 0; i < items->n; i++)
        if (!add_cloud(in, items->v[i], items->field ? items->field[i] : NULL, inks[i], f))
            return false;
    return true;
}

/* The variables that the two ranges are of: by the names in the call, or the only ones there are.
 */
static bool find_plane(tg_interp *in, const tg_argument *y, const tg_argument *const range[2],
                       tg_curve *c) {
    tg_cell **cells = NULL, *plane[2] = {NULL, NULL};
    size_t n = 0, fit = 0;
    bool named = range[0]->name != NULL;
    bool ok = tg_curve_cells(in, y->value, &cells, &n);
    for (size_t i = 0; ok && i < n; i++) {
        bool pair = cells[i]->type.rank == 1 && cells[i]->type.dim[0] == 2;
        if (named) {
            for (int k = 0; k < 2; k++)
                if (cells[i]->name && strcmp(cells[i]->name, range[k]->name) == 0 &&
                    cells[i]->type.rank == 0)
                    plane[k] = cells[i];
        } else if (cells[i]->type.rank == 0 || pair) {
            if (pair && fit == 0) plane[0] = cells[i];
            if (!pair && fit < 2 && !(plane[0] && plane[0]->type.rank)) plane[fit] = cells[i];
            fit++;
        }
    }
    tg_free(cells);
    if (!ok) return false;
    bool vector = plane[0] && plane[0]->type.rank == 1;
    if (named && (!plane[0] || !plane[1])) {
        tg_fail(&in->rt.c, TG_ERR_NAME, "{0} does not depend on a number called %s",
                range[plane[0] ? 1 : 0]->name);
        return tg_help(&in->rt.c, "over a vector w of two elements: contour(e, (-2, 2), (-1, 3))");
    }
    if (!named && fit != (vector ? 1 : 2)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "{0} must depend on two numbers, or on a vector of two elements");
        return tg_help(&in->rt.c, "say which: contour(e, x=-2..2, y=-1..3)");
    }
    return tg_curve_of_formula(in, y->value, vector ? 1 : 2, plane, c);
}

static bool name_plane(tg_interp *in, const tg_curve *c, tg_figure *f) {
    char text[TG_PLOT_NAME];
    char **const to[2] = {&f->x.name, &f->y.name};
    for (int k = 0; k < 2; k++) {
        bool vector = c->ncells == 1 && c->n == 2;
        const char *name = vector ? c->name[0] : c->name[k];
        snprintf(text, sizeof text, vector ? "%s[%d]" : "%s", name ? name : k ? "y" : "x", k);
        if (!tg_figure_text(&in->rt.c, to[k], text)) return false;
    }
    tg_str title = {0};
    bool ok = tg_curve_title(in, c->what, &title) &&
              tg_figure_text(&in->rt.c, &f->title, tg_str_text(&title));
    tg_str_free(&title);
    return ok;
}

static bool contour(tg_interp *in, const tg_argument *y, const tg_argument *const range[2],
                    const tg_argument *points, const tg_argument *path, const tg_argument *levels,
                    tg_figure *f) {
    tg_scale *const scale[2] = {&f->x, &f->y};
    char what[96];
    for (int k = 0; k < 2; k++) {
        snprintf(what, sizeof what, "the range of %s",
                 range[k]->name ? range[k]->name
                 : k            ? "the second number"
                                : "the first number");
        if (!tg_plot_interval(in, range[k]->value, what, &scale[k]->lo, &scale[k]->hi))
            return false;
    }
    tg_curve c = {0};
    bool ok;
    if (tg_value_is_function(y->value)) {
        ok = tg_curve_of_function(in, y->value, 2, &c);
    } else if (y->value.tag != TG_V_FORMULA) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "contour takes a function of two numbers or a formula, not %s",
                tg_value_kind(y->value));
        return tg_help(&in->rt.c, "imshow shows a matrix");
    } else if (y->value.as.node->type.rank != 0) {
        return tg_fail(&in->rt.c, TG_ERR_SHAPE, "contour needs a number for each place");
    } else {
        ok = find_plane(in, y, range, &c);
    }
    ok =
        ok && name_plane(in, &c, f) && fill_grid(in, &c, f) &&
        (tg_plot_given(levels) ? given_levels(in, levels, &f->grid) : usual_levels(in, &f->grid)) &&
        (!tg_plot_given(points) || add_clouds(in, points, f)) &&
        (!tg_plot_given(path) || add_path(in, path, f));
    tg_curve_free(&c);
    return ok;
}

static bool run_contour(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    enum { WHAT, POINTS, PATH, LEVELS_AT, TITLE, XLABEL, YLABEL, TO, SIZE, REST };
    *out = TG_NONE_VALUE;
    tg_figure f = {0};
    tg_plot_options o = {&args[TITLE], &args[XLABEL], &args[YLABEL], NULL,
                         NULL,         &args[TO],     &args[SIZE]};
    const tg_argument usual = {.value = TG_NONE_VALUE};
    bool ok = true;
    const tg_argument *range[2] = {&usual, &usual};
    if (n - REST == 2) {
        range[0] = &args[REST];
        range[1] = &args[REST + 1];
        if (!range[0]->name != !range[1]->name)
            ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "contour got one range by name and one by place");
    } else {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "contour needs two ranges");
        ok = tg_help(&in->rt.c, "contour(f, (-2, 2), (-1, 3)), or contour(e, x=-2..2, y=-1..3)");
    }
    ok = ok && contour(in, &args[WHAT], range, &args[POINTS], &args[PATH], &args[LEVELS_AT], &f);
    return tg_plot_finish(in, ok, &o, &f, 1, args);
}

const tg_builtin tg_builtins_picture[] = {
    {"scatter",
     "scatter(x, y=none, color=none, title=none, xlabel=none, ylabel=none, log=none, range=none, "
     "to=none, size=none)",
     "Points at (x[i], y[i]), or at the rows of a matrix [n, 2]; color=labels has a number for "
     "each, and each number gets a colour. Options as of plot.",
     "scatter([1, 2, 3], [1, 4, 9], size=(30, 8))",
     "  │                         •\n"
     "  │\n"
     "  │\n"
     "5 ┤             •\n"
     "  │\n"
     "  │ •\n"
     "  └─┬─────┬─────┬─────┬─────┬─\n"
     "   1.0   1.5   2.0   2.5   3.0",
     run_scatter, false, false},
    {"hist",
     "hist(v, bins=none, title=none, xlabel=none, ylabel=none, range=none, to=none, size=none)",
     "How often the elements of v fall into each of equal intervals, of which there are bins, or "
     "between the rising numbers bins. Options as of plot.",
     "hist([1, 2, 2, 3, 3, 3], size=(30, 8))",
     "count\n"
     "  │                  ▆▆▆▆▆▆▆▆\n"
     "2 ┤         ▂▂▂▂▂▂▂▂ ████████\n"
     "  │         ████████ ████████\n"
     "  │▆▆▆▆▆▆▆▆ ████████ ████████\n"
     "0 ┤████████ ████████ ████████\n"
     "  └────┬────────┬────────┬────\n"
     "       1        2        3",
     run_hist, false, false},
    {"contour",
     "contour(what, points=none, path=none, levels=none, title=none, xlabel=none, ylabel=none, "
     "to=none, "
     "size=none, ...)",
     "Lines of equal height: contour(f, (-2, 2), (-1, 3)) of a function of two numbers or a "
     "formula "
     "over a vector of two elements, contour(e, x=-2..2, y=-1..3) of a formula over two numbers. "
     "points=p draws the rows of a matrix [n, 2] as points, points={data: p, made: q} several; "
     "path=p a way through them, levels=[1, 10] the lines of these heights.",
     "contour((x, y) -> x^2 + y^2, (-2, 2), (-2, 2), levels=[1, 2], size=(30, 9))",
     "  y   (x, y) -> x^2 + y^2\n"
     "  │        ⢀⣀⣀⣀⣀⣀⣀⣀⡀         2\n"
     "  │    ⣠⠴⢚⣩⠥⠖⠒⠒⠒⠒⠒⠲⠬⣍⡓⠦⣄     1\n"
     "0 ┤   ⢸⡁ ⢎           ⡱ ⢈⡇\n"
     "  │    ⠙⠲⢬⣙⡒⠦⠤⠤⠤⠤⠤⠴⢒⣋⡥⠖⠋\n"
     "  │        ⠈⠉⠉⠉⠉⠉⠉⠉⠁\n"
     "  └┬─────┬─────┬─────┬─────┬\n"
     "  -2    -1     0     1     2\n"
     "               x",
     run_contour, false, false},
    {0},
};
