/* What the printers of tensors share: show_tensor.c lays tensors out, show_column.c writes the
 * numbers of a column alike, show_summary.c describes a large tensor in a line. Views are borrowed,
 * text is appended. */
#ifndef TG_INTERP_SHOW_TENSOR_H
#define TG_INTERP_SHOW_TENSOR_H

#include "interp/format.h"
#include "runtime/rt.h"

/* ---- show_column.c ---- */

/* How the numbers of a column are written, so that their points stand below each other. */
typedef struct tg_column {
    int decimals;   /* -1: each number as it is */
    bool exponents; /* 1.2340e-05, with so many decimals */
} tg_column;

/* The way for the elements x[0], x[step], ..., `count` of them. */
tg_column tg_column_choose(const tg_layout *l, tg_dtype type, const double *x, int64_t step,
                           int64_t count);
/* Appends one element. */
bool tg_column_add(tg_rt *rt, const tg_layout *l, tg_column column, tg_dtype type, double x,
                   tg_str *out);

/* ---- show_summary.c ---- */

/* What a tensor holds. Of the numbers, that is of what is neither nan nor infinite: */
typedef struct tg_summary {
    double lo, hi, mean;
    double std;               /* over n, as std() */
    int64_t n, zeros;         /* how many they are, and how many of them 0 */
    int64_t nans, ups, downs; /* the others: nan, inf, -inf */
} tg_summary;

/* One pass, without an allocation; in long ones Ctrl-C is looked for. */
bool tg_summary_gather(tg_rt *rt, const tg_view *v, tg_summary *out);
/* "[784, 10] single, min -1, mean 0.5, max 2, std 0.8", over several lines where `width` columns do
 * not hold it; or what would make the tensor, "zeros(784, 10)". True: that, and there is no more
 * to say. */
bool tg_summary_add(const tg_view *v, const tg_summary *s, const tg_layout *l, int width,
                    tg_str *out);
/* "[784, 10]", or with other brackets. */
void tg_summary_add_shape(const tg_view *v, char open, char close, tg_str *out);

#endif
