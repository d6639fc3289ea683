/* What the files of picture/ share: places of ticks, the script for gnuplot, and running it. */
#ifndef TG_PICTURE_PARTS_H
#define TG_PICTURE_PARTS_H

#include "picture/picture.h"

/* ---- ticks.c ---- */

enum { TG_TICKS = 32, TG_TICK_TEXT = 24 };
typedef struct tg_ticks {
    int n;
    double at[TG_TICKS];
    char text[TG_TICKS][TG_TICK_TEXT];
} tg_ticks;
/* Round numbers within [lo, hi], at most `most` (1 to TG_TICKS), as far apart as 1, 2 or 5 times a
 * power of ten; of a logarithmic axis powers of ten, where there are enough. */
void tg_ticks_find(const tg_scale *s, int most, tg_ticks *out);
/* Where x stands on the axis: 0 at lo, 1 at hi; nan where a logarithm has no place for it. */
double tg_scale_place(const tg_scale *s, double x);

/* ---- figure.c ---- */

/* Has that number a place on such an axis, wherever it begins and ends? */
bool tg_scale_shows(const tg_scale *s, double x);

/* ---- plate.c ---- */

/* What gnuplot is to draw for: dots, a raster of characters, one for each dot, without any frame;
 * or a whole picture. */
typedef struct tg_plate {
    const char *terminal; /* "dumb", "pngcairo", "svg", "sixelgd" */
    int width, height;
    bool dots;
    double bar_gap; /* of dots: how many stay free at the right of a bar */
} tg_plate;
bool tg_plate_write(tg_ctx *c, const tg_figure *f, const tg_plate *p, tg_str *out);
/* The character that stands for a dot of these: a line's, a point's. */
enum { TG_INKS = 6 };
/* The ink of a dot; -1: there is none. *spot: it is one that must not be missed. */
int tg_plate_ink(char dot, bool *spot);
/* The ink of the k-th of n levels: blue, cyan, green, yellow, red. */
int tg_plate_level(int k, int n);

/* ---- gnuplot.c ---- */

bool tg_gnuplot_run(tg_ctx *c, const tg_str *script, tg_str *out);

/* ---- text.c, image.c ---- */

bool tg_text_figure(tg_ctx *c, const tg_figure *f, const tg_canvas *on, tg_str *out);
bool tg_text_images(tg_ctx *c, const tg_figure *f, const tg_canvas *on, tg_str *out);
/* All images side by side as one, with `gap` pixels between, which are nan, as is what stays free.
 * Owned by the caller; NULL: no memory, recorded. */
double *tg_images_join(tg_ctx *c, const tg_images *m, int gap, int *w, int *h);
/* An image, w by h, as one of tw by th: means over what a pixel covers. Owned; NULL as above. */
double *tg_image_resize(tg_ctx *c, const double *from, int w, int h, int tw, int th);
/* What fits into so many columns: cut at the end, with dots. */
void tg_text_cut(const char *text, int columns, bool unicode, tg_str *out);

#endif
