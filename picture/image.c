/* Images in characters. With colours a cell is two pixels, the upper half block in one colour on
 * the other. Without, a cell is a shade, and where that is too coarse for the columns there are,
 * dots of braille: dithered as Floyd and Steinberg do (1976). Several images stand in rows, each
 * row a strip that is drawn as one. */
#include "base/alloc.h"
#include "base/paint.h"
#include "picture/parts.h"

#include <math.h>
#include <string.h>

/* The images first .. first + n - 1 in rows of `across`, `gap` pixels apart. */
static double *join(tg_ctx *c, const tg_images *m, int first, int n, int gap, int *w, int *h) {
    int rows = (n + m->across - 1) / m->across;
    *w = m->across * (m->w + gap) - gap;
    *h = rows * (m->h + gap) - gap;
    double *all = tg_alloc_array((size_t)*w, (size_t)*h * sizeof *all);
    if (!all) {
        tg_fail_memory(c);
        return NULL;
    }
    for (size_t i = 0; i < (size_t)*w * (size_t)*h; i++) all[i] = NAN;
    for (int k = 0; k < n; k++) {
        const double *from = m->pixel + (size_t)(first + k) * (size_t)m->w * (size_t)m->h;
        int left = k % m->across * (m->w + gap), top = k / m->across * (m->h + gap);
        for (int i = 0; i < m->h; i++)
            memcpy(all + (size_t)(top + i) * (size_t)*w + (size_t)left,
                   from + (size_t)i * (size_t)m->w, (size_t)m->w * sizeof *all);
    }
    return all;
}

double *tg_images_join(tg_ctx *c, const tg_images *m, int gap, int *w, int *h) {
    return join(c, m, 0, m->n, gap, w, h);
}

/* ---- the size that fits ---- */

double *tg_image_resize(tg_ctx *c, const double *from, int w, int h, int tw, int th) {
    double *to = tg_alloc_array((size_t)tw, (size_t)th * sizeof *to);
    if (!to) {
        tg_fail_memory(c);
        return NULL;
    }
    for (int i = 0; i < th; i++)
        for (int j = 0; j < tw; j++) {
            int top = (int)((int64_t)i * h / th), foot = (int)((int64_t)(i + 1) * h / th);
            int left = (int)((int64_t)j * w / tw), right = (int)((int64_t)(j + 1) * w / tw);
            double sum = 0;
            int n = 0;
            for (int y = top; y < (foot > top ? foot : top + 1); y++)
                for (int x = left; x < (right > left ? right : left + 1); x++) {
                    double v = from[(size_t)y * (size_t)w + (size_t)x];
                    if (isnan(v)) continue;
                    sum += v;
                    n++;
                }
            to[(size_t)i * (size_t)tw + (size_t)j] = n ? sum / n : NAN;
        }
    return to;
}

/* ---- shades ---- */

/* From 0, black, to 1; nan: none. */
static double shade(const tg_images *m, double x) {
    double s = m->hi > m->lo ? (x - m->lo) / (m->hi - m->lo) : 0.5;
    return s < 0 ? 0 : s > 1 ? 1 : s;
}

/* Blue, white and red for signs (ColorBrewer's RdBu), else grey: 0 to 255 each. */
static void rgb_of(const tg_images *m, double s, int *rgb) {
    static const int low[] = {33, 102, 172}, high[] = {178, 24, 43}, mid[] = {247, 247, 247};
    for (int k = 0; k < 3; k++)
        rgb[k] = !m->signs ? (int)(s * 255 + 0.5)
                 : s < 0.5 ? (int)(low[k] + (mid[k] - low[k]) * 2 * s + 0.5)
                           : (int)(mid[k] + (high[k] - mid[k]) * (2 * s - 1) + 0.5);
}

/* 38;... or 48;...: the colour of a half. */
static void add_color(const tg_images *m, const tg_canvas *on, int code, double x, tg_str *out) {
    int rgb[3];
    double s = shade(m, x);
    rgb_of(m, s, rgb);
    if (on->rich)
        tg_str_addf(out, "\033[%d;2;%d;%d;%dm", code, rgb[0], rgb[1], rgb[2]);
    else if (m->signs)
        tg_str_addf(out, "\033[%d;5;%dm", code,
                    16 + 36 * ((rgb[0] * 5 + 127) / 255) + 6 * ((rgb[1] * 5 + 127) / 255) +
                        (rgb[2] * 5 + 127) / 255);
    else
        tg_str_addf(out, "\033[%d;5;%dm", code, 232 + (int)(s * 23 + 0.5));
}

static void halves(const tg_images *m, const tg_canvas *on, const double *p, int w, int h, int row,
                   tg_str *out) {
    for (int j = 0; j < w; j++) {
        double up = p[(size_t)row * (size_t)w + (size_t)j];
        double down = row + 1 < h ? p[(size_t)(row + 1) * (size_t)w + (size_t)j] : NAN;
        if (isnan(up) && isnan(down)) {
            tg_str_addc(out, ' ');
            continue;
        }
        add_color(m, on, 38, isnan(up) ? down : up, out);
        if (!isnan(up) && !isnan(down)) add_color(m, on, 48, down, out);
        tg_str_add(out, isnan(up) ? "▄" : "▀");
        tg_str_add(out, tg_ink_off(true));
    }
}

static void shades(const tg_images *m, const tg_canvas *on, const double *p, int w, int h, int row,
                   tg_str *out) {
    static const char *const block[] = {" ", "░", "▒", "▓", "█"}, ascii[] = " .:-=+*#%@";
    for (int j = 0; j < w; j++) {
        double up = p[(size_t)row * (size_t)w + (size_t)j];
        double down = row + 1 < h ? p[(size_t)(row + 1) * (size_t)w + (size_t)j] : NAN;
        double s = isnan(up)     ? shade(m, down)
                   : isnan(down) ? shade(m, up)
                                 : shade(m, up / 2 + down / 2);
        if (isnan(up) && isnan(down))
            tg_str_addc(out, ' ');
        else if (on->unicode)
            tg_str_add(out, block[(int)(s * 4 + 0.5)]);
        else
            tg_str_addc(out, ascii[(int)(s * 9 + 0.5)]);
    }
}

/* Dots where the error carried so far passes a half. */
static void dither(double *p, int w, int h) {
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            double *at = p + (size_t)i * (size_t)w + (size_t)j;
            if (isnan(*at)) continue;
            double s = *at, on = s >= 0.5, error = s - on;
            *at = on;
            if (j + 1 < w) at[1] += error * 7 / 16;
            if (i + 1 < h && j > 0) at[w - 1] += error * 3 / 16;
            if (i + 1 < h) at[w] += error * 5 / 16;
            if (i + 1 < h && j + 1 < w) at[w + 1] += error * 1 / 16;
        }
}

static void braille(const double *p, int w, int h, int row, tg_str *out) {
    static const unsigned char bit[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    for (int j = 0; j < w; j += 2) {
        unsigned mask = 0;
        for (int i = 0; i < 4 && row + i < h; i++)
            for (int k = 0; k < 2 && j + k < w; k++)
                if (p[(size_t)(row + i) * (size_t)w + (size_t)(j + k)] >= 0.5) mask |= bit[i][k];
        if (mask)
            tg_str_addf(out, "\xE2%c%c", (int)(0xA0 | mask >> 6), (int)(0x80 | (mask & 63)));
        else
            tg_str_addc(out, ' ');
    }
}

/* ---- strips ---- */

typedef enum way { HALVES, SHADES, BRAILLE } way;

typedef struct sheet {
    const tg_figure *f;
    const tg_canvas *on;
    way way;
    int gap, across, w, h; /* of a strip, in pixels of its own ... */
    int tw, th;            /* ... and of those that are drawn */
} sheet;

static void trim(tg_str *out) {
    while (out->len > 0 && out->text && out->text[out->len - 1] == ' ') out->text[--out->len] = 0;
}

/* The captions above a strip, each over the middle of its image. */
static void add_labels(const sheet *s, int first, int n, tg_str *out) {
    int used = 0, dots = s->way == BRAILLE ? 2 : 1;
    for (int k = 0; k < n; k++) {
        const tg_images *m = &s->f->images;
        double scale = s->tw / (double)(s->w * dots);
        int left = (int)(k * (m->w + s->gap) * scale + 0.5), room = (int)(m->w * scale + 0.5);
        tg_str text = {0};
        tg_text_cut(m->label[first + k], room > 1 ? room : 1, s->on->unicode, &text);
        int wide = tg_utf8_width(tg_str_text(&text), text.len);
        int at = left + (room - wide) / 2;
        if (at > used || used == 0) tg_str_repeat(out, ' ', at - used);
        used = at > used ? at : used;
        tg_str_add(out, tg_str_text(&text));
        used += wide;
        out->failed = out->failed || text.failed;
        tg_str_free(&text);
    }
    trim(out);
    tg_str_addc(out, '\n');
}

static bool add_strip(tg_ctx *c, const sheet *s, int first, int n, tg_str *out) {
    tg_images one = s->f->images;
    int w, h;
    one.across = s->across;
    double *from = join(c, &one, first, n, s->gap, &w, &h);
    double *p = from ? tg_image_resize(c, from, w, h, s->tw, s->th) : NULL;
    tg_free(from);
    if (!p) return false;
    if (s->way == BRAILLE) {
        for (size_t i = 0; i < (size_t)s->tw * (size_t)s->th; i++)
            if (!isnan(p[i])) p[i] = shade(&one, p[i]);
        dither(p, s->tw, s->th);
    }
    for (int row = 0; row < s->th; row += s->way == BRAILLE ? 4 : 2) {
        if (s->way == HALVES) halves(&one, s->on, p, s->tw, s->th, row, out);
        if (s->way == SHADES) shades(&one, s->on, p, s->tw, s->th, row, out);
        if (s->way == BRAILLE) braille(p, s->tw, s->th, row, out);
        trim(out);
        tg_str_addc(out, '\n');
    }
    tg_free(p);
    return true;
}

static int at_least_1(double x) {
    return x < 1 ? 1 : (int)x;
}

/* How strips are drawn so that they fit; small ones are enlarged. */
static void choose(sheet *s) {
    const tg_images *m = &s->f->images;
    int columns = s->on->columns, rows = s->on->rows;
    s->across = m->across;
    s->gap = m->n > 1 ? 2 : 0;
    s->w = s->across * (m->w + s->gap) - s->gap;
    s->h = m->h;
    bool fits = s->w <= columns && s->h <= 2 * rows;
    s->way = s->on->colours && s->on->unicode ? HALVES : fits || !s->on->unicode ? SHADES : BRAILLE;
    int most_w = s->way == BRAILLE ? 2 * columns : columns,
        most_h = s->way == BRAILLE ? 4 * rows : 2 * rows;
    double scale = fmin(1, fmin(most_w / (double)s->w, most_h / (double)s->h));
    while (s->way != BRAILLE && 2 * s->w * (scale + 1) <= columns && s->h * (scale + 1) <= rows)
        scale++;
    s->tw = at_least_1(s->w * scale);
    s->th = at_least_1(s->h * scale);
}

bool tg_text_images(tg_ctx *c, const tg_figure *f, const tg_canvas *on, tg_str *out) {
    const tg_images *m = &f->images;
    sheet s = {.f = f, .on = on};
    choose(&s);
    if (f->title) {
        tg_str cut = {0};
        tg_text_cut(f->title, on->columns, on->unicode, &cut);
        tg_ink_add(on->colours, TG_INK_NAME, tg_str_text(&cut), out);
        tg_str_addc(out, '\n');
        out->failed = out->failed || cut.failed;
        tg_str_free(&cut);
    }
    for (int first = 0; first < m->n; first += s.across) {
        int n = m->n - first < s.across ? m->n - first : s.across;
        if (!tg_check_interrupt(c)) return false;
        if (first > 0 && !m->label) tg_str_addc(out, '\n');
        if (m->label) add_labels(&s, first, n, out);
        if (!add_strip(c, &s, first, n, out)) return false;
    }
    return !out->failed || tg_fail_memory(c);
}
