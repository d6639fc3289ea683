/* A figure as a script for gnuplot.
 *
 * One script serves two ends. For files gnuplot draws all of it. For text its terminal `dumb` is
 * used as a raster: as many characters as there are dots in the braille to come, no frame, no
 * ticks, and a character for each ink by which text.c tells whose the dot is. Curves, clipping and
 * contours are gnuplot's work in both.
 *
 * What is more than can be seen is not sent. Of consecutive points of a line that fall into one
 * column the first, lowest, highest and last are all that shows; of points those that hit the same
 * dot are one. */
#include "base/alloc.h"
#include "picture/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The colours of Okabe and Ito (2008), which the colour-blind tell apart, in order of the inks. */
static const char *const color[TG_INKS] = {"#0072B2", "#D55E00", "#009E73",
                                           "#CC79A7", "#E69F00", "#56B4E9"};
/* `dumb` draws lines of the types 1, 2, ... so, and points of these types as letters. */
static const char line_char[] = "*#$%@&";
enum { SPOT_TYPE = 14 }; /* 'N' and following */
enum { HEAD = 5 };       /* lines of text above images with labels */

int tg_plate_ink(char dot, bool *spot) {
    const char *at = dot ? strchr(line_char, dot) : NULL;
    *spot = false;
    if (at) return (int)(at - line_char);
    if (dot >= 'A' && dot < 'A' + TG_INKS) return dot - 'A';
    *spot = dot >= 'A' + SPOT_TYPE - 1 && dot < 'A' + SPOT_TYPE - 1 + TG_INKS;
    return *spot ? dot - ('A' + SPOT_TYPE - 1) : -1;
}

int tg_plate_level(int k, int n) {
    static const int order[] = {0, 5, 2, 4, 1};
    return order[n > 1 ? k * 4 / (n - 1) : 2];
}

/* ---- data ---- */

static void add_point(const tg_figure *f, double x, double y, tg_str *out) {
    bool shown = tg_scale_shows(&f->x, x) && tg_scale_shows(&f->y, y);
    if (shown)
        tg_str_addf(out, "%.9g %.9g\n", x, y);
    else if (out->len < 2 || out->text[out->len - 2] != '\n')
        tg_str_add(out, "\n"); /* one empty line: the curve has a gap; two would begin another */
}

/* Which column of so many x is in; -2: none. */
static double column_of(const tg_figure *f, double x, double columns) {
    double at = tg_scale_place(&f->x, x);
    return at >= -0.01 && at <= 1.01 ? floor(at * columns)
           : isfinite(at)            ? (at < 0 ? -1 : 1e9)
                                     : -2;
}

/* How many points from i on count as one place: those in one column, or, where a line goes to and
 * fro more than can be drawn, a block of `block`. A place ends before what is no number. */
static size_t place_end(const tg_figure *f, const tg_series *s, size_t i, double columns,
                        size_t block) {
    double column = column_of(f, s->x[i], columns);
    size_t end = i + 1;
    while (end < s->n && isfinite(s->y[end]) &&
           (block ? end - i < block : column_of(f, s->x[end], columns) == column))
        end++;
    return end;
}

static void add_line(const tg_figure *f, const tg_series *s, double columns, tg_str *out) {
    enum { PLACES = 6000 };
    size_t places = 0, block = 0;
    for (size_t i = 0; i < s->n; i = place_end(f, s, i, columns, 0)) places++;
    if (places > PLACES) block = s->n / PLACES * 4 + 1;
    for (size_t i = 0; i < s->n;) {
        size_t end = place_end(f, s, i, columns, block), low = i, high = i;
        if (!isfinite(s->y[i])) {
            add_point(f, NAN, NAN, out);
            i++;
            continue;
        }
        for (size_t k = i; k < end; k++) {
            if (s->y[k] < s->y[low]) low = k;
            if (s->y[k] > s->y[high]) high = k;
        }
        const size_t pick[4] = {i, low < high ? low : high, low < high ? high : low, end - 1};
        for (int k = 0; k < 4; k++)
            if (k == 0 || pick[k] != pick[k - 1]) add_point(f, s->x[pick[k]], s->y[pick[k]], out);
        i = end;
    }
}

/* Without memory for the raster all points are sent. */
static void add_points(const tg_figure *f, const tg_series *s, const tg_plate *p, tg_str *out) {
    size_t across = (size_t)p->width + 1, rows = (size_t)p->height + 1;
    unsigned char *met = tg_alloc_array(across, rows);
    for (size_t i = 0; i < s->n; i++) {
        double x = tg_scale_place(&f->x, s->x[i]), y = tg_scale_place(&f->y, s->y[i]);
        if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) continue;
        size_t at = (size_t)(y * p->height) * across + (size_t)(x * p->width);
        if (met && met[at]) continue;
        if (met) met[at] = 1;
        add_point(f, s->x[i], s->y[i], out);
    }
    tg_free(met);
}

/* A dashed line is cut into dashes where gnuplot cannot. */
static void add_dashes(const tg_figure *f, const tg_series *s, const tg_plate *p, tg_str *out) {
    int dashes = p->width / 6;
    for (size_t i = 0; i + 1 < s->n; i++)
        for (int k = 0; k < dashes; k++) {
            double a = k / (double)dashes, b = (k + 0.5) / dashes;
            add_point(f, s->x[i] + a * (s->x[i + 1] - s->x[i]),
                      s->y[i] + a * (s->y[i + 1] - s->y[i]), out);
            add_point(f, s->x[i] + b * (s->x[i + 1] - s->x[i]),
                      s->y[i] + b * (s->y[i + 1] - s->y[i]), out);
            add_point(f, NAN, NAN, out);
        }
}

/* Columns of dots from the frame up to a bar's height. */
static void add_bars_of_dots(const tg_figure *f, const tg_series *s, const tg_plate *p,
                             tg_str *out) {
    double foot = f->y.lo > 0 ? f->y.lo : f->y.hi < 0 ? f->y.hi : 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->y[i]) || s->y[i] == foot) continue;
        double first = round(tg_scale_place(&f->x, s->x[i]) * p->width);
        double last = round(tg_scale_place(&f->x, s->x[i + 1]) * p->width) - 1 - p->bar_gap;
        if (first < 0) first = 0;
        if (last > p->width - 1) last = p->width - 1;
        if (last < first && first < p->width) last = first;
        int end = last < p->width ? (int)last : p->width - 1;
        for (int k = (int)fmin(first, p->width); k <= end; k++) {
            double x = f->x.lo + (f->x.hi - f->x.lo) * (k / (p->width - 1.0));
            tg_str_addf(out, "%.12g %.9g\n%.12g %.9g\n\n", x, foot, x, s->y[i]);
        }
    }
}

static void add_bars(const tg_series *s, tg_str *out) {
    for (size_t i = 0; i < s->n; i++)
        if (isfinite(s->y[i]))
            tg_str_addf(out, "%.9g %.9g %.9g\n", s->x[i] / 2 + s->x[i + 1] / 2, s->y[i],
                        s->x[i + 1] - s->x[i]);
}

static void add_series(const tg_figure *f, const tg_series *s, size_t k, const tg_plate *p,
                       tg_str *out) {
    tg_str_addf(out, "$D%zu << END\n", k);
    size_t before = out->len;
    switch (s->mark) {
    case TG_MARK_BARS:
        if (p->dots)
            add_bars_of_dots(f, s, p, out);
        else
            add_bars(s, out);
        break;
    case TG_MARK_POINTS: add_points(f, s, p, out); break;
    case TG_MARK_DASHED:
        if (p->dots) {
            add_dashes(f, s, p, out);
            break;
        } /* fallthrough */
    case TG_MARK_LINE: add_line(f, s, 2.0 * p->width, out); break;
    default:
        for (size_t i = 0; i < s->n; i++) add_point(f, s->x[i], s->y[i], out);
    }
    if (out->len == before) tg_str_add(out, "NaN NaN NaN\n");
    tg_str_add(out, "END\n");
}

/* ---- how it is drawn ---- */

/* In quotes, as gnuplot reads them: nothing in it is special but the quote. That comes from a
 * text of its own, joined by a dot: of quotes that are doubled gnuplot reads one pair only. */
static void add_text(const char *text, tg_str *out) {
    tg_str_addc(out, '\'');
    for (const char *p = text; *p; p++)
        if (*p == '\'')
            tg_str_add(out, "'.\"'\".'");
        else
            tg_str_addc(out, (unsigned char)*p < 32 ? ' ' : *p);
    tg_str_addc(out, '\'');
}

static void add_name(const tg_series *s, const tg_plate *p, tg_str *out) {
    if (!s->name || p->dots) {
        tg_str_add(out, " notitle");
        return;
    }
    tg_str_add(out, " title ");
    add_text(s->name, out);
}

static void add_style(const tg_series *s, size_t k, const tg_plate *p, tg_str *out) {
    int ink = s->ink % TG_INKS;
    tg_str_addf(out, ", $D%zu ", k);
    if (p->dots) {
        bool spot = s->mark == TG_MARK_SPOT || s->mark == TG_MARK_PATH;
        if (s->mark == TG_MARK_PATH)
            tg_str_addf(out, "with lines lt %d notitle, $D%zu ", ink + 1, k);
        if (s->mark == TG_MARK_POINTS || spot)
            tg_str_addf(out, "with points pt %d", ink + (spot ? SPOT_TYPE : 1));
        else
            tg_str_addf(out, "with lines lt %d", ink + 1);
    } else {
        const char *const style[] = {
            [TG_MARK_LINE] = "with lines lw 2",
            [TG_MARK_DASHED] = "with lines lw 1.5 dt 2",
            [TG_MARK_POINTS] = "with points pt 7 ps 0.6",
            [TG_MARK_PATH] = "with linespoints lw 1.5 pt 7 ps 0.7",
            [TG_MARK_SPOT] = "with points pt 7 ps 1.1",
            [TG_MARK_BARS] = "with boxes fill solid 0.75 border lc '#ffffff'",
        };
        tg_str_addf(out, "%s lc '%s'", style[s->mark], color[ink]);
    }
    add_name(s, p, out);
}

/* A table of lines for each level, so that a level without any does not shift the others'. */
static void add_contours(const tg_figure *f, tg_str *out) {
    const tg_grid *g = &f->grid;
    tg_str_add(out, "$G << END\n");
    for (int i = 0; i < g->ny; i++) {
        for (int j = 0; j < g->nx; j++) {
            double z = g->z[(size_t)i * (size_t)g->nx + (size_t)j];
            if (isfinite(z))
                tg_str_addf(out, "%.9g ", z);
            else
                tg_str_add(out, "NaN ");
        }
        tg_str_addc(out, '\n');
    }
    tg_str_add(out, "END\nset contour base\nunset surface\n");
    for (int k = 0; k < g->nlevels; k++)
        tg_str_addf(out,
                    "set cntrparam levels discrete %.17g\nset table $C%d\n"
                    "splot $G matrix using (%.17g + $1 * %.17g):(%.17g + $2 * %.17g):3\n"
                    "unset table\n",
                    g->level[k], k, f->x.lo, (f->x.hi - f->x.lo) / (g->nx - 1), f->y.lo,
                    (f->y.hi - f->y.lo) / (g->ny - 1));
    tg_str_add(out, "set surface\nunset contour\n");
}

/* From blue, the lowest, through green and yellow (viridis, by van der Walt and Smith). */
static void level_color(int k, int n, char *out) {
    static const unsigned char at[5][3] = {
        {68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {200, 190, 30}};
    double place = n > 1 ? 4.0 * k / (n - 1) : 2, part = place - floor(place);
    int i = (int)floor(place), rgb[3];
    for (int c = 0; c < 3; c++) {
        double next = i < 4 ? at[i + 1][c] : at[4][c];
        rgb[c] = (int)(at[i][c] + part * (next - at[i][c]));
    }
    snprintf(out, 8, "#%02x%02x%02x", rgb[0] & 255, rgb[1] & 255, rgb[2] & 255);
}

static void add_levels(const tg_figure *f, const tg_plate *p, tg_str *out) {
    char rgb[8];
    for (int k = 0; k < f->grid.nlevels; k++) {
        tg_str_addf(out, ", $C%d using 1:2 with lines ", k);
        if (p->dots) {
            tg_str_addf(out, "lt %d notitle", tg_plate_level(k, f->grid.nlevels) + 1);
            continue;
        }
        level_color(k, f->grid.nlevels, rgb);
        tg_str_addf(out, "lw 1.5 lc '%s' title '%.6g'", rgb, f->grid.level[k]);
    }
}

static void set_text(const char *what, const char *text, tg_str *out) {
    if (!text) return;
    tg_str_addf(out, "set %s ", what);
    add_text(text, out);
    tg_str_addc(out, '\n');
}

static void add_frame(const tg_figure *f, const tg_plate *p, tg_str *out) {
    bool named = f->grid.z != NULL;
    for (size_t k = 0; k < f->nseries; k++) named = named || f->series[k].name;
    tg_str_addf(out, "set terminal %s size %d,%d noenhanced%s\nset encoding utf8\n", p->terminal,
                p->width, p->height,
                p->dots                               ? ""
                : strcmp(p->terminal, "svg") == 0     ? " font 'sans-serif,15' background '#ffffff'"
                : strcmp(p->terminal, "sixelgd") == 0 ? " font 'sans,11' truecolor"
                                                      : " font 'Sans,11'");
    if (p->dots) {
        tg_str_add(out, "unset border\nunset tics\nunset key\nset margins 0,0,0,0\n");
        return;
    }
    set_text("title", f->title, out);
    set_text("xlabel", f->x.name, out);
    set_text("ylabel", f->y.name, out);
    tg_str_add(out, "set border 3 lc '#606060'\nset tics nomirror out scale 0.6 tc '#303030'\n"
                    "set grid lc '#e4e4e4' lt 1\nset clip two\n");
    if (!named)
        tg_str_add(out, "unset key\nset rmargin 3\n");
    else if (f->grid.z) /* the highest on top */
        tg_str_add(out, "set key outside right top Left reverse invert samplen 2 spacing 1.2\n");
    else
        tg_str_add(
            out,
            "set key bmargin center horizontal Left reverse samplen 2 height 1\nset rmargin 3\n");
}

static void add_scales(const tg_figure *f, tg_str *out) {
    if (f->x.log) tg_str_add(out, "set logscale x\n");
    if (f->y.log) tg_str_add(out, "set logscale y\n");
    tg_str_addf(out, "set xrange [%.17g:%.17g]\nset yrange [%.17g:%.17g]\n", f->x.lo, f->x.hi,
                f->y.lo, f->y.hi);
}

/* ---- images ---- */

/* In rows from the top; what is no number stays white. */
static void add_image(const tg_figure *f, const double *pixel, int w, int h, double scale, int gap,
                      const tg_plate *p, tg_str *out) {
    const tg_images *m = &f->images;
    tg_str_addf(out,
                "unset border\nunset tics\nunset key\nunset grid\nset size ratio -1\n"
                "set margins 1,1,1,%s\n",
                m->label ? "4.5" : "3");
    tg_str_add(out, m->signs ? "set palette defined (-1 '#2166AC', 0 '#F7F7F7', 1 '#B2182B')\n"
                             : "set palette gray\n");
    tg_str_addf(out, "set cbrange [%.17g:%.17g]\nunset colorbox\n", m->lo, m->hi);
    tg_str_addf(out, "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n", w - 1, h - 1);
    if (m->label) tg_str_add(out, "set title offset 0,1.2\n");
    for (int i = 0; m->label && i < m->n; i++) {
        int column = i % m->across, row = i / m->across;
        tg_str_addf(out, "set label %d ", i + 1);
        add_text(m->label[i], out);
        tg_str_addf(out, " at first %g, first %g center front offset 0,0.7\n",
                    scale * (column * (m->w + gap) + (m->w - 1) / 2.0),
                    scale * row * (m->h + gap) - 0.5);
    }
    tg_str_add(out, "$I << END\n");
    for (int i = 0; i < h; i++) {
        for (int j = 0; j < w; j++) {
            double x = pixel[(size_t)i * (size_t)w + (size_t)j];
            if (isnan(x))
                tg_str_add(out, "NaN ");
            else
                tg_str_addf(out, "%.6g ", fmin(fmax(x, m->lo), m->hi));
        }
        tg_str_addc(out, '\n');
    }
    tg_str_addf(out, "END\nplot $I matrix with image%s\n",
                strcmp(p->terminal, "svg") == 0 ? " pixels" : "");
}

/* ---- all of it ---- */

/* Between images of which the lower one has a label: a quarter of an image, and a line of text. */
static int label_gap(const tg_images *m, const tg_plate *p) {
    const double line = 18;
    const int rows = (m->n + m->across - 1) / m->across, quarter = m->h / 4 + 1;
    double across = m->across, down = rows,
           wide = line * across * m->w / fmax(1, p->width - line * across),
           high = line * down * m->h / fmax(1, p->height - line * (down + HEAD));
    return (int)ceil(fmin(fmax(quarter, fmax(wide, high)), m->h));
}

static bool write_images(tg_ctx *c, const tg_figure *f, const tg_plate *p, tg_str *out) {
    const tg_images *m = &f->images;
    int w, h, gap = m->n == 1 ? 0 : m->label ? label_gap(m, p) : m->h / 14 + 1;
    double *all = tg_images_join(c, m, gap, &w, &h);
    double scale = fmin(1, fmin(p->width / (double)w, p->height / (double)h));
    if (all && scale < 1) { /* more pixels than there will be */
        int tw = (int)fmax(1, w * scale), th = (int)fmax(1, h * scale);
        double *fitting = tg_image_resize(c, all, w, h, tw, th);
        tg_free(all);
        all = fitting;
        w = tw;
        h = th;
    }
    if (!all) return false;
    add_frame(f, p, out);
    add_image(f, all, w, h, scale, gap, p, out);
    tg_free(all);
    return true;
}

bool tg_plate_write(tg_ctx *c, const tg_figure *f, const tg_plate *p, tg_str *out) {
    if (f->images.pixel) return write_images(c, f, p, out);
    add_frame(f, p, out);
    for (size_t k = 0; k < f->nseries; k++) add_series(f, &f->series[k], k, p, out);
    if (f->grid.z) add_contours(f, out);
    add_scales(f, out);
    tg_str_add(out, "plot NaN notitle");
    if (f->grid.z) add_levels(f, p, out);
    for (size_t k = 0; k < f->nseries; k++) add_style(&f->series[k], k, p, out);
    tg_str_addc(out, '\n');
    return !out->failed || tg_fail_memory(c);
}
