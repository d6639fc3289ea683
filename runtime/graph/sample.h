/* Random points for formulas: values for the vars and inputs under some formulas at which these are
 * finite, and the formulas' values there, in double precision whatever they are computed in
 * otherwise. same, check and derive ask them what a proof cannot tell.
 *
 * A sampler copies the formulas over cells of its own (twins), with numbers in the place of
 * symbolic sizes; nothing of the user's changes, the random stream neither. The draws are the same
 * in every run.
 *
 * Ownership: the sampler owns its arrays, twins and values; nodes are borrowed, and made ones are
 * held by nobody: a sampler lives within one statement. */
#ifndef TG_RUNTIME_SAMPLE_H
#define TG_RUNTIME_SAMPLE_H

#include "runtime/graph/node.h"

typedef struct tg_sample_cell {
    tg_cell *cell; /* the user's */
    tg_cell *twin; /* its value is the point's */
    int64_t below; /* an index: whole numbers from 0, below this; 0: any numbers */
    int way;       /* how its numbers of this point were drawn, a row of the table in sample.c */
    int good;      /* how those of the last point were */
    double lo, hi; /* of all numbers that were used so far */
    bool narrowed; /* the usual interval would not do */
    bool matrix;   /* positive definite matrices were drawn */
} tg_sample_cell;

enum { TG_SAMPLE_NUMBERS = 8 };

typedef struct tg_sample {
    tg_rt *rt;
    int n;
    tg_node **root; /* the formulas */
    size_t count;
    tg_node **node, **made; /* all under them, ascending id, and their copies over the twins */
    size_t ncells;
    tg_sample_cell *cells; /* in order of declaration */
    tg_size_binding sizes; /* as chosen */
    int layout;            /* which choice */
    uint32_t assumed;      /* assumptions that points must obey: those about the cells */
    uint64_t state;        /* of the generator */
    double wide;           /* how far to look at times: beyond the numbers in the formulas */
    double number[TG_SAMPLE_NUMBERS]; /* magnitudes that stand in the formulas */
    int nnumbers;
    int points;        /* found so far */
    int rejected;      /* draws from the usual interval that would not do */
    int obeyed;        /* draws that keep to what is assumed */
    tg_tensor **value; /* of the roots at this point; NULL: not finite, or not computable */
    int nsplit; /* points where some of the roots are finite and others not; of the first of these
                 */
    int split_root;      /* one that is not, and */
    tg_tensor **split;   /* the values of the cells, and */
    int64_t *split_size; /* of the sizes */
    bool quiet;          /* such points are not noted now */
    bool *met;           /* of each root: it was finite at some point */
    tg_tensor **base; /* the cells at the last point that was found; NULLs: none with these sizes */
} tg_sample;

/* Roots are borrowed. False: an error; there is nothing to free then. */
bool tg_sample_begin(tg_sample *s, tg_rt *rt, int n, tg_node *const *roots);
void tg_sample_end(tg_sample *s);
/* Chooses sizes for the symbolic ones, from the layout-th of a list of choices on, the first with
 * which the formulas can be built. *fits: false when none is left. */
bool tg_sample_resize(tg_sample *s, int layout, bool *fits);
/* The next point at which all roots are finite. *found: false when there seems to be none. */
bool tg_sample_next(tg_sample *s, bool *found);
/* Puts the sampler where the data are: sizes and values as they are now. *complete: every cell has
 * a value. Without, nothing has changed but the choice of sizes. */
bool tg_sample_at_data(tg_sample *s, bool *complete);
/* The values of the roots with the twins as they are. *finite: all are finite numbers. */
bool tg_sample_eval(tg_sample *s, bool *finite);
/* The copy of a node that the roots reach; NULL: they do not. */
tg_node *tg_sample_copy(const tg_sample *s, const tg_node *n);
/* A value for a cell: the twin takes it over. */
void tg_sample_set(tg_sample_cell *c, tg_tensor *value);
/* The largest magnitude of anything that is computed on the way to the roots at this point, or to
 * `root` alone where that is not NULL: what a rounding error is relative to. */
bool tg_sample_scale(tg_sample *s, const tg_node *root, double *scale);
/* How many elements are computed for the roots at one point. */
double tg_sample_work(const tg_sample *s);
/* Makes the point obey what is assumed of its cells. *obeys: it does. */
bool tg_sample_project(tg_sample *s, bool *obeys);
/* The next of the points around the last that was found: one element of one cell is put on, beside
 * and beyond a number that stands in the formulas, and far out, to both sides. *k counts them from
 * 0 and is less than 0 when there are no more. *finite: all roots are finite there. */
bool tg_sample_probe(tg_sample *s, int *k, bool *finite);
/* By how much the difference of the first two roots wavers in place `at`, where the point moves by
 * a few rounding errors: what is no larger than that proves nothing. */
bool tg_sample_waver(tg_sample *s, int64_t at, double *waver);
/* *noise: a root is not finite at a point next to this one, or what is computed on the way to them
 * is huge and not the same there: the inverse of a singular matrix, which rounding hides. */
bool tg_sample_noise(tg_sample *s, bool *noise);
/* A number from 0 to 1 of the sampler's own stream. */
double tg_sample_uniform(tg_sample *s);

#endif
