/* Assumptions: what the user says of data that tg cannot know. Each is a condition, a formula such
 * as sum(Y, axis=1) == 1 or x > 0, and has a number; a result that rests on some of them carries
 * their numbers as a bit mask. The simplifier asks here what it may take for granted
 * (simplify_assume.c, sign.c), a store whether the data keep to it (assume_check.c), and who draws
 * random values how they can (assume_project.c).
 *
 * Facts, and the nodes in them, belong to the session (rt->assumed); arguments are borrowed. A
 * dropped assumption keeps its number and text for the results that carry it; the number of one
 * that no result carries is given to the next. */
#ifndef TG_RUNTIME_ASSUME_H
#define TG_RUNTIME_ASSUME_H

#include "runtime/graph/node.h"
#include "runtime/graph/sign.h"

enum { TG_FACTS = 32 };

typedef enum tg_fact_kind {
    TG_FACT_EQUAL, /* `key` is replaced by `to` */
    TG_FACT_BOUND, /* the elements of `key` are in `range`; without a key, those of left - right are
                    */
    TG_FACT_MIRROR,     /* key' is sign * key */
    TG_FACT_ORTHOGONAL, /* left @ right is the identity, and left is right' */
} tg_fact_kind;

typedef struct tg_fact {
    char *text;            /* of the condition, for the reader; NULL: this number is free */
    tg_node *condition;    /* as it was given; holds its sides. NULL: dropped */
    tg_node *left, *right; /* its sides in simple form */
    tg_fact_kind kind;
    tg_node *raw, *key, *to; /* raw: the side that key was simplified from */
    tg_bounds range;
    double sign;
    tg_cell **cell; /* the vars and inputs that it is about */
    size_t ncells;
} tg_fact;

typedef struct tg_assumed {
    tg_fact fact[TG_FACTS];
    uint32_t in_force;
    uint32_t noted;   /* some result carries the number */
    uint32_t barred;  /* not to be used now: see tg_assume_bar */
    uint64_t changes; /* grows when any of the above but `barred` changes */
} tg_assumed;

bool tg_assume_init(tg_rt *rt);
void tg_assume_free(tg_rt *rt);

typedef enum tg_assume_outcome {
    TG_ASSUME_FAILED, /* an error: it contradicts, makes no sense, or no memory */
    TG_ASSUME_ADDED,
    TG_ASSUME_KNOWN, /* it follows from the assumptions in *by, perhaps from none */
} tg_assume_outcome;

/* Takes the comparison for granted from now on. Nothing is checked on data. */
tg_assume_outcome tg_assume_add(tg_rt *rt, tg_node *condition, uint32_t *by);
/* Back to the assumptions that were in force, a mask: those that came since are dropped as if they
 * had never been. */
void tg_assume_restore(tg_rt *rt, uint32_t in_force);
/* All there is of them, as it is now; NULL: no memory. */
tg_assumed *tg_assume_copy(tg_rt *rt);
void tg_assume_copy_free(tg_assumed *a);
/* What is assumed and what the copy holds change places. */
void tg_assume_exchange(tg_rt *rt, tg_assumed *copy);
/* Those whose condition is that one; drops assumptions. */
uint32_t tg_assume_find(const tg_rt *rt, const tg_node *condition);
void tg_assume_drop(tg_rt *rt, uint32_t which);
uint32_t tg_assume_in_force(const tg_rt *rt);
/* Those in force that are about the cell. */
uint32_t tg_assume_on_cell(const tg_rt *rt, const tg_cell *cell);
/* What is printed after "assuming"; NULL: there is none of that number. */
const char *tg_assume_text(const tg_rt *rt, int number);
/* Is it about a var or input that has lost its name to another? */
bool tg_assume_is_orphan(const tg_rt *rt, int number);
/* Notes that a result carries these. */
void tg_assume_note(tg_rt *rt, uint32_t which);

/* An equality that x keeps to does not hold beside x, where a derivative by x looks: until
 * tg_assume_unbar, given what this returned, equations about what n nodes reach are not used. */
uint32_t tg_assume_bar(tg_rt *rt, int n, tg_node *const *x);
void tg_assume_unbar(tg_rt *rt, uint32_t before);
/* Those that may be used now. */
uint32_t tg_assume_usable(const tg_rt *rt);
/* Equations among `which` that are about something that x reaches, or that reaches x. */
uint32_t tg_assume_equations_on(tg_rt *rt, uint32_t which, const tg_node *x);

/* For sign.c: the assumptions that bound the elements of n; the bounds of one of them; and what one
 * says of `a op b` as a whole, as tg_prove does. */
uint32_t tg_assume_about(const tg_rt *rt, const tg_node *n);
tg_bounds tg_assume_range(const tg_rt *rt, int number, const tg_node *n);
int tg_assume_says(const tg_rt *rt, const char *op, const tg_node *a, const tg_node *b,
                   uint32_t allowed, uint32_t *used);

/* Holds what of `which` is about the cells on their data, value[i] standing in for the data of
 * cell[i]? ncells == 0: on the data that there are. Assumptions that wait for more data, or for
 * data that agree in size, are passed over. False: an error that shows the first element that
 * breaks one. assume_check.c says how close is equal. */
bool tg_assume_check(tg_rt *rt, uint32_t which, int ncells, tg_cell *const *cell,
                     tg_tensor *const *value);

/* The same for one of them; complaining: with an error where it breaks. */
enum { TG_ASSUME_HOLDS, TG_ASSUME_BREAKS, TG_ASSUME_WAITS, TG_ASSUME_ERROR };
int tg_assume_holds(tg_rt *rt, int number, int ncells, tg_cell *const *cell,
                    tg_tensor *const *value, bool complaining);

/* Makes random values obey what is assumed of their cells: value[i], of cell[i], contiguous and
 * nobody else's, is changed in place. *unmet (may be NULL) gets the assumptions on these cells that
 * do not hold afterwards; tg_assume_text says what they are. False: an error. */
bool tg_assume_project(tg_rt *rt, int ncells, tg_cell *const *cell, tg_tensor *const *value,
                       uint32_t *unmet);

#endif
