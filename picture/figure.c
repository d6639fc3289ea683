/* Figures: building them, and the ranges that show what is on them.
 *
 * A range that nobody gave is that of the data and a little more, so that a curve does not lie on
 * the frame; data that are all one number get room on both sides. Points that no axis can show
 * (nan, infinities, what has no logarithm) do not count. */
#include "base/alloc.h"
#include "picture/parts.h"

#include <math.h>
#include <string.h>

bool tg_figure_text(tg_ctx *c, char **to, const char *text) {
    tg_free(*to);
    *to = NULL;
    if (!text) return true;
    size_t n = strlen(text) + 1;
    *to = tg_alloc(n);
    if (!*to) return tg_fail_memory(c);
    memcpy(*to, text, n);
    return true;
}

void tg_figure_free(tg_figure *f) {
    for (size_t i = 0; i < f->nseries; i++) {
        tg_free(f->series[i].name);
        tg_free(f->series[i].x);
        tg_free(f->series[i].y);
    }
    for (int i = 0; f->images.label && i < f->images.n; i++) tg_free(f->images.label[i]);
    void *const owned[] = {f->series, f->title,      f->x.name,       f->y.name,
                           f->grid.z, f->grid.level, f->images.pixel, f->images.label};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) tg_free(owned[i]);
    *f = (tg_figure){0};
}

tg_series *tg_figure_add(tg_ctx *c, tg_figure *f, tg_mark mark, const char *name, size_t n) {
    void *p = f->series;
    bool ok = tg_grow(&p, &f->series_cap, f->nseries + 1, sizeof *f->series);
    f->series = p;
    if (!ok) {
        tg_fail_memory(c);
        return NULL;
    }
    tg_series *s = &f->series[f->nseries++];
    *s = (tg_series){.mark = mark, .n = n, .x = tg_alloc_array(n + 1, sizeof(double))};
    s->y = tg_alloc_array(n + 1, sizeof(double));
    if (!s->x || !s->y) {
        tg_fail_memory(c);
        return NULL;
    }
    return tg_figure_text(c, &s->name, name) ? s : NULL;
}

/* ---- ranges ---- */

typedef struct extent {
    double lo, hi;
} extent;

bool tg_scale_shows(const tg_scale *s, double x) {
    return fabs(x) < 1e300 && (!s->log || x > 1e-300); /* gnuplot computes with margins */
}

static void take(extent *e, double x) {
    if (x < e->lo) e->lo = x;
    if (x > e->hi) e->hi = x;
}

/* The data of one axis that the other can show. */
static extent extent_of(const tg_figure *f, bool along_x) {
    const tg_scale *own = along_x ? &f->x : &f->y, *other = along_x ? &f->y : &f->x;
    bool ranged = other->lo != 0 || other->hi != 0;
    extent e = {INFINITY, -INFINITY};
    for (size_t k = 0; k < f->nseries; k++) {
        const tg_series *s = &f->series[k];
        const double *a = along_x ? s->x : s->y, *b = along_x ? s->y : s->x;
        bool bars = s->mark == TG_MARK_BARS;
        for (size_t i = 0; i < s->n + (bars && along_x); i++) {
            if (!tg_scale_shows(own, a[i]) || (!bars && !tg_scale_shows(other, b[i]))) continue;
            if (!bars && ranged && (b[i] < other->lo || b[i] > other->hi)) continue;
            take(&e, a[i]);
        }
        if (bars && !along_x && !own->log) take(&e, 0);
    }
    return e;
}

static bool has_bars(const tg_figure *f) {
    for (size_t k = 0; k < f->nseries; k++)
        if (f->series[k].mark == TG_MARK_BARS) return true;
    return false;
}

static bool fit(tg_scale *s, extent e, double margin) {
    if (s->lo != 0 || s->hi != 0) return true;
    if (!(e.lo <= e.hi)) return false;
    if (s->log) {
        double wide = e.hi / e.lo;
        double more = wide > 1 && isfinite(wide) ? pow(wide, margin) : 3;
        s->lo = e.lo / more;
        s->hi = e.hi * more;
        return true;
    }
    double wide = e.hi - e.lo;
    double size = fmax(fabs(e.hi), fabs(e.lo));
    /* Rounding errors of one number are not to be looked at. */
    double more = wide > 1e-12 * size ? wide * margin : size > 0 ? size / 2 : 1;
    s->lo = e.lo - more;
    s->hi = e.hi + more;
    return true;
}

bool tg_figure_fit(tg_figure *f) {
    if (f->grid.z || f->images.pixel) return true;
    bool bars = has_bars(f), lines = true;
    for (size_t k = 0; k < f->nseries; k++) lines = lines && f->series[k].mark != TG_MARK_POINTS;
    if (!fit(&f->x, extent_of(f, true), lines || bars ? 0 : 0.04)) return false;
    extent e = extent_of(f, false);
    if (!fit(&f->y, e, 0.05)) return false;
    if (bars && e.lo >= 0 && !f->y.log) f->y.lo = 0;
    if (bars && e.hi <= 0 && !f->y.log) f->y.hi = 0;
    return true;
}
