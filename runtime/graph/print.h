/* A formula as text: what is printed parses back to the same formula. */
#ifndef TG_RUNTIME_PRINT_H
#define TG_RUNTIME_PRINT_H

#include "runtime/graph/node.h"

enum { TG_UNFOLD_ALL = -1 };

typedef struct tg_print_options {
    int unfold;   /* how many levels of labelled parts below the root are written out, or
                     TG_UNFOLD_ALL; cells and constants keep their names */
    size_t limit; /* characters, about; 0: the usual */
    int width;    /* of a longer formula, large parts that occur several times stand behind it:
                     `... where`, and a line `R = ...` for each; long lines are broken; 0: one line */
    int indent;   /* columns before those lines */
    /* Told of each part, its operands first, where in s it stands, brackets and all; NULL: nobody
     * is. `closed`: it is in brackets, or needs none. */
    void (*mark)(void *user, const tg_node *n, size_t lo, size_t hi, bool closed);
    bool (*taken)(void *user, const char *name); /* must a part not be called so? NULL: no more
                                                     than what the formula says */
    void *user;
} tg_print_options;

/* Appends the formula. Nodes below the root that have a label print as that name; the root prints
 * unfolded unless it is a leaf. Of a formula longer than the limit the largest parts are left out:
 * `(... 1240 operations)` stands for each, which is no formula and does not parse. */
bool tg_node_print_with(tg_rt *rt, tg_str *s, const tg_node *n, const tg_print_options *o);
/* The same in one line. unfold: also unfold all labelled parts that are not cells or constants. */
bool tg_node_print(tg_rt *rt, tg_str *s, const tg_node *n, bool unfold);
/* A number the shortest way that reads back the same: 2, 0.01, 1e-12. */
void tg_number_print(tg_str *s, double x);

#endif
