/* Loops in a plan. The body of a loop is a plan of its own, whose cells are the slots of the record
 * (graph/loop.h): compiled once for the shapes of a row, whatever the number of turns, and shared
 * by all plans that run it. A step of the plan around it, tg_step_loop, runs the body's steps once
 * for each turn. The body's workspace is a part of the outer plan's, and so are the states.
 *
 * What depends on invariants alone is computed with the first turn of each run. A state's value at
 * the end of a turn is written to where the next turn reads it: into the stack of results if it is
 * one, else into one of two places in turn; nothing is copied from turn to turn. */
#ifndef TG_RUNTIME_PLAN_LOOP_H
#define TG_RUNTIME_PLAN_LOOP_H

#include "runtime/plan/program.h"

/* The compiled body; counts its holders. */
typedef struct tg_body {
    struct tg_body *next; /* in the list of the cache */
    int refs;             /* steps that run it */
    tg_plan *plan;
    size_t nsizes; /* what the symbolic sizes in it were */
    int64_t *sizes;
} tg_body;

/* Where a cell of the body has its values. */
typedef enum tg_turn_kind { TG_TURN_STATE, TG_TURN_ROW, TG_TURN_STILL } tg_turn_kind;

typedef struct tg_turn_cell {
    tg_turn_kind kind;
    int arg;      /* which argument of the step: the first state, the rows, or the value itself */
    int root;     /* of a state: which root of the body is its next value */
    int start;    /* of a state: the output that stacks what it is when a turn begins, or -1 */
    bool flat;    /* of a state: the first one can be read where it is, ... */
    size_t first; /* ... or else it is copied to this offset in the scratch memory */
    size_t bytes;
    int64_t step; /* of a row: bytes to the next */
} tg_turn_cell;

typedef struct tg_turn_root {
    int stack; /* the output that stacks it, or -1 */
    int home;  /* the state whose `start` stack it is written into, a turn ahead, or -1 */
    size_t bytes;
    size_t place[2]; /* without a stack: offsets in the scratch memory */
    bool feeds;      /* it is the next value of some state */
} tg_turn_root;

/* An output that is the last value of a state. */
typedef struct tg_turn_last {
    int out, cell;
} tg_turn_last;

struct tg_turns {
    tg_body *body;
    int64_t turns;
    bool reverse;
    int ncells, nroots, nouts, nlast;
    tg_turn_cell *cell; /* one a cell of the body */
    tg_turn_root *root; /* one a root */
    tg_turn_last *last;
    int *out;            /* outer slots of the outputs */
    int scratch;         /* the outer slot of the scratch memory: the body's workspace first */
    char **now;          /* of each cell: its address in this turn */
    char **made;         /* of each root: where this turn puts it */
    int nfixed, nmoving; /* the body's slots on cells that stay, and on others */
    int *fixed, *moving;
};

/* loop_body.c: the body's plan, from the cache or compiled. NULL: an error. Has one more holder. */
tg_body *tg_body_get(tg_rt *rt, int n, tg_node *const *roots, int ncells, const tg_plan_cell *cells,
                     const tg_overrides *o, const tg_size_binding *sizes);
void tg_body_drop(tg_body *b);
/* Forgets bodies that nobody holds: all, or in a sweep those whose formulas die. */
void tg_bodies_forget(tg_plans *all, bool sweep);
void tg_turns_free(tg_turns *t);
size_t tg_turns_bytes(const tg_turns *t);
double tg_turns_cost(const tg_turns *t);

/* loop_run.c */
tg_step_fn tg_step_loop;

#endif
