/* Loops in a plan. The body of a loop is a plan of its own, whose cells are the slots of the record
 * (graph/loop.h): compiled once for the shapes of a row, whatever the number of turns, and shared
 * by all plans that run it. A step of the plan around it, tg_step_loop, runs the body's steps once
 * for each turn. The body's workspace is a part of the outer plan's, and so are the states.
 *
 * What depends on invariants alone is computed with the first turn of each run. A state's value at
 * the end of a turn is written to where the next turn reads it: into the stack of results if it is
 * one, else into one of two places in turn; nothing is copied from turn to turn.
 *
 * Less memory for a second run (Griewank & Walther 2000; Chen et al. 2016): of what the backward
 * loop wants to know of the forward one only states are kept, one in so many turns. When the
 * backward loop comes to a segment, it runs the forward body again from the state that the segment
 * began with, and has the stacks of one segment at a time in its scratch memory. */
#ifndef TG_RUNTIME_PLAN_LOOP_H
#define TG_RUNTIME_PLAN_LOOP_H

#include "runtime/plan/lower.h"

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
    int mark;     /* of a state: the output that stacks what it is when a segment begins, or -1 */
    int part;     /* of a row that the rerun makes: which of its outputs, or -1 */
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
} tg_turn_root;

/* An output that is the last value of a state. */
typedef struct tg_turn_last {
    int out, cell;
} tg_turn_last;

struct tg_turns {
    tg_body *body;
    int64_t turns;
    bool reverse;
    int64_t every;   /* turns in a segment; 0: there are none */
    tg_turns *rerun; /* of a backward loop with segments: the forward one, or NULL */
    bool again;      /* this is such a rerun: outputs are of one segment, in the scratch memory */
    int ncells, nroots, nouts, nlast;
    tg_turn_cell *cell; /* one a cell of the body */
    tg_turn_root *root; /* one a root */
    tg_turn_last *last;
    int *out;            /* outer slots of the outputs, ... */
    size_t *segment;     /* ... or, of a rerun, offsets in the scratch memory */
    int scratch;         /* the outer slot of the scratch memory */
    size_t work;         /* where in it the body's workspace begins */
    uint64_t outer_key;  /* of live draws around the loop, while it runs */
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

/* ---- while a plan is made ---- */

/* What a forward loop leaves to be computed again, for the backward loops that come later. */
typedef struct tg_rerun {
    const tg_node *bundle;
    int64_t turns, every;
    int *arg; /* the outer slots of the bundle's arguments */
    size_t nitems;
    tg_node **item; /* stacks that the backward loop makes, a segment at a time */
    int *mark;      /* of each state: the outer slot of its values when segments begin, or -1 */
} tg_rerun;

/* loop_again.c: the stacks of the bundle, among the n items, that need not be made as wholes, and
 * the turns in a segment. *out NULL: all are made. `arg`: the outer slots of its arguments. */
bool tg_rerun_decide(tg_lowering *l, const tg_node *bundle, int64_t turns, const int *arg, size_t n,
                     tg_node *const *item, tg_rerun **out);
/* The rerun that has the stack; NULL: it is made as a whole. */
tg_rerun *tg_rerun_of(const tg_lowering *l, const tg_node *item);

#endif
