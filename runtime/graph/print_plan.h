/* What a text of a formula will be like, found out before it is written: how long each part is, and
 * which parts get names of their own (`where R = ...`). Inside of the printer; print.c and
 * print_plan.c share it. */
#ifndef TG_RUNTIME_PRINT_PLAN_H
#define TG_RUNTIME_PRINT_PLAN_H

#include "runtime/graph/print.h"

typedef struct tg_print_part {
    tg_node *node;
    double len;     /* characters of its text, about; beyond counting where it is shared much */
    uint32_t users; /* places that it is printed at, each shared user counted once */
    int level;      /* labelled parts around it that are written out */
    bool reached;   /* it is printed, as a label or in full */
    bool label;     /* it prints as its label */
    char name[8];   /* chosen for it; "": none */
    const char *outside; /* its name in the formula around a body; NULL: none */
} tg_print_part;

typedef struct tg_print_plan {
    tg_print_part *part; /* all nodes under the root, ascending id; the last is the root */
    size_t n;
    int unfold;
    int names;                          /* parts with a chosen name */
    bool body;                          /* of a loop, whose results may have names too */
    const struct tg_print_plan *around; /* the formula that a body stands in */
} tg_print_plan;

/* The root's operand is written out too where the root is raw. */
bool tg_print_is_open(const tg_node *root, const tg_node *n);
bool tg_print_plan_make(tg_rt *rt, tg_node *root, int unfold, tg_print_plan *plan);
/* Of the body of a loop, of which the roots are the results; what has a name around keeps it. */
bool tg_print_plan_body(tg_rt *rt, int n, tg_node *const *roots, const tg_print_plan *around,
                        tg_print_plan *plan);
/* Chooses the parts that get names: what occurs several times and is long, draws that occur twice.
 */
bool tg_print_plan_name(tg_rt *rt, tg_print_plan *plan, const tg_print_options *o);
/* The part that n is; NULL: none. */
tg_print_part *tg_print_plan_find(const tg_print_plan *plan, const tg_node *n);
void tg_print_plan_free(tg_print_plan *plan);

/* What is printed for n: an argument inside of a function with a rule as what was given, and, where
 * all is unfolded, such a function as its body. */
const tg_node *tg_print_seen(const tg_node *n, int unfold);
/* Breaks what stands in s from `from` on into lines of at most that width, where it can. */
void tg_print_wrap(tg_str *s, size_t from, int width, int indent);

/* A small tensor in full, a large one as <[784, 10] double>. */
void tg_print_tensor(tg_rt *rt, tg_str *s, const tg_view *v);

/* A draw that `fresh` made live. */
bool tg_print_is_fresh(const tg_node *n);

#endif
