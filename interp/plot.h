/* From values to pictures: what the builtins plot, scatter, hist, contour and imshow share. A
 * figure (picture/picture.h) is begun with the options of the call, filled, and given out. */
#ifndef TG_INTERP_PLOT_H
#define TG_INTERP_PLOT_H

#include "interp/interp.h"
#include "picture/picture.h"

/* ---- plot_options.c ---- */

/* The arguments that all of them take; NULL: this one does not have it. */
typedef struct tg_plot_options {
    const tg_argument *title, *xlabel, *ylabel, *log, *range, *to, *size;
} tg_plot_options;
/* Reads log= and range=, which must be known before data are taken, into the figure. */
bool tg_plot_begin(tg_interp *in, const tg_plot_options *o, tg_figure *f);
/* Ends the call, which went well so far if `ok`: puts the labels over those there are, prints the
 * picture or writes it into a file, and frees the figure. An error gets the source text of the
 * first n arguments in the place of {0} and {1}. */
bool tg_plot_finish(tg_interp *in, bool ok, const tg_plot_options *o, tg_figure *f, int n,
                    const tg_argument *args);
bool tg_plot_given(const tg_argument *a);

/* -3..3, (-3, 3) or [-3, 3]; `what` is "the range of x". */
bool tg_plot_interval(tg_interp *in, tg_value v, const char *what, double *lo, double *hi);
bool tg_plot_is_interval(tg_value v);
/* The source text of an argument, of item i of one that is a list; "" where there is none, or where
 * it is long. */
enum { TG_PLOT_NAME = 80 };
void tg_plot_source(const tg_ast *e, char *out);
/* The same as a text of the figure's, unless it is empty. */
bool tg_plot_name(tg_interp *in, char **to, const tg_argument *a);
const tg_ast *tg_plot_item(const tg_ast *e, int i, int n);
/* A tensor of doubles, contiguous: owned. */
bool tg_plot_doubles(tg_interp *in, tg_value v, const char *what, tg_tensor **out);

/* ---- plot_sample.c ---- */

/* A number as a function of one or two: a function, or a formula over variables, whose values are
 * not touched. */
typedef struct tg_curve {
    tg_value what; /* borrowed; held by the caller */
    int n;         /* numbers it depends on */
    tg_node *node; /* of a formula; NULL: a function */
    int ncells;
    tg_cell *cell[2]; /* what is replaced ... */
    tg_tensor *at[2]; /* ... and by what: owned */
    const char *name[2];
} tg_curve;
/* Of a function of n numbers. */
bool tg_curve_of_function(tg_interp *in, tg_value f, int n, tg_curve *c);
/* Of a formula over these variables: n scalars, or one vector of n elements. */
bool tg_curve_of_formula(tg_interp *in, tg_value y, int ncells, tg_cell *const *cells, tg_curve *c);
void tg_curve_free(tg_curve *c);
bool tg_curve_value(tg_interp *in, tg_curve *c, const double *x, double *y);
bool tg_curve_slope(tg_interp *in, tg_curve *c, double x, double *slope);
/* The variables and inputs of a formula. The caller frees *out. */
bool tg_curve_cells(tg_interp *in, tg_value y, tg_cell ***out, size_t *n);

/* Values of a curve along an axis. */
typedef struct tg_samples {
    double *x, *y;
    size_t n, x_cap, y_cap;
    bool pole;     /* it grows beyond all bounds: ... */
    double lo, hi; /* ... so show this much of it */
} tg_samples;
/* Where it jumps there is a gap. Free x and y in any case. */
bool tg_curve_sample(tg_interp *in, tg_curve *c, const tg_scale *along, tg_samples *out);

/* "y = x^2 * sin(x)", "f(t) = t^3 - 2*t"; one line, not too long. */
bool tg_curve_title(tg_interp *in, tg_value what, tg_str *out);
/* As short as a legend wants it, of the title: all, or the part before =. */
void tg_curve_short(const char *title, tg_str *out);

#endif
