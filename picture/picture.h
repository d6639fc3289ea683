/* Pictures: what is to be seen, and the back ends that draw it.
 *
 * A tg_figure says what is on a picture and nothing about how it is drawn: axes with names and
 * ranges, curves, points, bars, contours of a grid, or images. The back ends turn it into text for
 * a terminal, a PNG, an SVG, or a PNG wrapped for terminals that show one. gnuplot draws; what it
 * draws in characters is packed into braille here, with a frame around.
 *
 * A figure owns all that it points to: tg_figure_free. The functions take what they need of the
 * context (base/ctx.h) for errors and Ctrl-C, and know nothing of values or formulas. */
#ifndef TG_PICTURE_H
#define TG_PICTURE_H

#include "base/ctx.h"
#include "base/str.h"

/* ---- what is to be seen ---- */

typedef enum tg_mark {
    TG_MARK_LINE,
    TG_MARK_DASHED, /* a line that accompanies another: a tangent */
    TG_MARK_POINTS,
    TG_MARK_PATH, /* a line with its points */
    TG_MARK_SPOT, /* single points that must not be missed */
    TG_MARK_BARS, /* from x[i] to x[i + 1], y[i] high: n bars, n + 1 places */
} tg_mark;

typedef struct tg_series {
    tg_mark mark;
    char *name;    /* for the legend; NULL: none */
    double *x, *y; /* nan: a gap */
    size_t n;
    int ink; /* which of the colours, 0, 1, ...: those of one ink belong together */
} tg_series;

typedef struct tg_scale {
    char *name;    /* of the axis; NULL: none */
    double lo, hi; /* both 0: by the data (tg_figure_fit) */
    bool log;
} tg_scale;

/* Heights over a grid of points that divide the axes' ranges evenly; a contour at each level. */
typedef struct tg_grid {
    double *z; /* [ny, nx], the first row at y.lo */
    int nx, ny;
    double *level; /* rising */
    int nlevels;
} tg_grid;

/* Images of one size in rows of `across`, light where a pixel is large. */
typedef struct tg_images {
    double *pixel; /* [n, h, w] */
    int n, h, w, across;
    double lo, hi; /* what is black and what is white */
    bool signs;    /* lo = -hi: negative and positive in two colours where there are any */
    char **label;  /* n, or NULL */
} tg_images;

typedef struct tg_figure {
    char *title; /* NULL: none */
    tg_scale x, y;
    tg_series *series;
    size_t nseries, series_cap;
    tg_grid grid;     /* z NULL: none */
    tg_images images; /* pixel NULL: none; else there is nothing but them and the title */
} tg_figure;

void tg_figure_free(tg_figure *f);
/* A further series of n points whose x (one more for bars) and y are allocated but not set. `name`
 * (may be NULL) is copied. NULL: no memory, recorded. */
tg_series *tg_figure_add(tg_ctx *c, tg_figure *f, tg_mark mark, const char *name, size_t n);
/* A text of the figure's: copied into *to in place of what is there. */
bool tg_figure_text(tg_ctx *c, char **to, const char *text);
/* Gives the axes without a range one that shows the data. False, nothing recorded: there is no
 * finite number among them. */
bool tg_figure_fit(tg_figure *f);

/* ---- where it goes ---- */

typedef enum tg_display {
    TG_DISPLAY_TEXT,
    TG_DISPLAY_SIXEL,
    TG_DISPLAY_KITTY,
} tg_display;

typedef struct tg_canvas {
    tg_display display;
    int columns, rows; /* in characters: the text, all of it, is not larger */
    int width, height; /* in pixels, for the other displays */
    bool colours;
    bool rich;    /* colours of 24 bits */
    bool unicode; /* else ASCII */
} tg_canvas;

/* What does for standard output: its size, and what the environment says it can show; the variable
 * TG_PICTURES (text, sixel, kitty) has the last word. Without a terminal 80 columns of text. */
tg_canvas tg_canvas_of(bool terminal, bool colours);

/* Appends the picture for the canvas; lines of text end in newlines. */
bool tg_picture_show(tg_ctx *c, const tg_figure *f, const tg_canvas *on, tg_str *out);

typedef enum tg_picture_format { TG_PICTURE_PNG, TG_PICTURE_SVG } tg_picture_format;
/* Appends the picture as such a file, width by height pixels. */
bool tg_picture_draw(tg_ctx *c, const tg_figure *f, tg_picture_format format, int width, int height,
                     tg_str *out);

#endif
