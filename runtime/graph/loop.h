/* Loops as nodes: scan(f, init, xs). A loop is one node, its *bundle*: the arguments are the
 * initial state, the sequences that it walks over along axis 0, and its invariants, the parts of
 * f's body that depend on neither state nor row. The body itself is closed: formulas over slots,
 * which a record holds beside the graph (tg_loop), so that walks over formulas never enter it.
 * Slots are canonical, told apart by place and type: two loops with the same body are one record,
 * and two over the same arguments one node.
 *
 * What a loop computes are its *items*, nodes over the bundle: the last state, or the stacked
 * values of any formula over the slots. A formula may ask for further items of a loop that is there
 * already, as a gradient does for what its backward pass wants to know; a plan computes in one pass
 * those that occur in it, and no others. The type of a bundle means nothing but for its first
 * dimension, the number of turns.
 *
 * Whoever opens a record, to trace, differentiate or print a body, takes slots of a level of its
 * own (tg_loop_enter), for arguments around a loop may be made of slots too: of the loop outside.
 */
#ifndef TG_RUNTIME_LOOP_H
#define TG_RUNTIME_LOOP_H

#include "runtime/graph/node.h"
#include "runtime/graph/recompute.h"

extern const tg_op tg_op_loop, tg_op_item;

typedef struct tg_loop {
    struct tg_loop *chain;          /* of all records */
    bool mark;                      /* of the collector */
    bool reverse;                   /* the last row comes first */
    bool draws;                     /* live draws in it: anew in each turn */
    bool open_sizes;                /* sizes in it that data will tell */
    int carries, xs, invariants, n; /* n: all of them */
    tg_recompute_mode memory;       /* of its gradient: TG_KEEP_ALL, _SQRT or _BYTES ... */
    double bytes;
    bool again; /* it is such a gradient: what it reads of the loop it comes from is computed again
                 */
    const char *state_name, *row_name; /* how f calls them, for printing; no part of the identity */
    tg_node **slot;                    /* n: carries, rows, invariants */
    tg_node **next;                    /* one a carry: its value at the end of a turn */
} tg_loop;

static inline bool tg_node_is_loop(const tg_node *n) {
    return n->op == &tg_op_loop;
}
static inline bool tg_node_is_item(const tg_node *n) {
    return n->op == &tg_op_item;
}
/* The record of a bundle. */
static inline tg_loop *tg_loop_of(const tg_node *bundle) {
    return (tg_loop *)(intptr_t)bundle->at->v[0];
}
/* The formula over the bundle's slots that the item stacks; NULL: it is the last state. */
static inline tg_node *tg_item_formula(const tg_node *item) {
    return (tg_node *)(intptr_t)item->at->v[0];
}
/* Of a last state: which carry. */
static inline int tg_item_carry(const tg_node *item) {
    return (int)item->at->v[1];
}
/* The number of turns; may be symbolic. */
static inline tg_size tg_loop_turns(const tg_node *bundle) {
    return bundle->type.dim[0];
}

/* ---- slots ---- */

enum { TG_LOOP_CANONICAL = 0 };
/* The slot of that level, number and type. The name is for messages, NULL: none. */
tg_node *tg_loop_slot(tg_rt *rt, int level, int number, const tg_type *type, const char *name);
/* A level that no one has, until it is left. */
int tg_loop_enter(tg_rt *rt);
void tg_loop_leave(tg_rt *rt);
/* Is a body being traced, differentiated or printed? */
bool tg_loop_is_open(const tg_rt *rt);

/* ---- making ---- */

/* A loop over slots of the maker's own. */
typedef struct tg_loop_spec {
    int carries, xs;
    tg_node *const *carry, *const *row; /* slots */
    tg_node *const *init, *const *sequence;
    tg_node *const *next; /* of the types of the carries' slots */
    tg_size turns;        /* where there are no sequences */
    bool reverse, again;
    tg_recompute_mode memory;
    double bytes;
    const char *state_name, *row_name;
    int nout;
    tg_node *const *out; /* to be stacked */
} tg_loop_spec;
/* The loop: its last states in last[], the stacked values in stacked[]. Either may be NULL. NULL:
 * an error. */
tg_node *tg_loop_make(tg_rt *rt, const tg_loop_spec *spec, tg_node **last, tg_node **stacked);
tg_node *tg_loop_last(tg_rt *rt, tg_node *bundle, int carry);
tg_node *tg_loop_stack(tg_rt *rt, tg_node *bundle, tg_node *formula);

/* n in the shape and type t: a number is repeated, another type converted. NULL: an error. */
tg_node *tg_loop_fit(tg_rt *rt, tg_node *n, const tg_type *t);
/* The type of a row of that, and of n rows. False: there is no axis, or there are too many. */
bool tg_type_row(const tg_type *t, tg_type *row);
bool tg_type_rows(const tg_type *row, tg_size n, tg_type *t);

/* The body of a bundle over the slots of that level: out[i] for each carry, then each of the nmore
 * formulas, in slots of that level. slot: record->n of them. */
bool tg_loop_open(tg_rt *rt, const tg_loop *loop, int level, tg_node **slot, int nmore,
                  tg_node *const *more, tg_node **out);
/* The bundle with the stable forms of its arguments and body (simplify.h). */
tg_node *tg_loop_stable(tg_rt *rt, tg_node *bundle, tg_node *const *args);

/* ---- gradients (loop_grad.c) ---- */

/* What the adjoints of n items of the bundle contribute to its arguments: into[k] for those that
 * are wanted, NULL: nothing. recompute: what the gradient is told to keep, or NULL; it holds where
 * the loop was told nothing. False: an error. */
bool tg_loop_adjoint(tg_rt *rt, tg_node *bundle, const tg_recompute *recompute, int n,
                     tg_node *const *item, tg_node *const *adjoint, const bool *wanted,
                     tg_node **into);

/* ---- printing (loop_text.c) ---- */

/* The body of an item's loop as it is printed: over slots that have names. */
typedef struct tg_loop_text {
    char state[32], row[32]; /* what the parameters are called */
    tg_node **next;          /* the next states, then the item's formula if it has one */
    tg_node **slot;          /* what stands for the slots of the record */
} tg_loop_text;
/* False: an error, and nothing to close. Until it is closed a level is taken. */
bool tg_loop_text_open(tg_rt *rt, const tg_node *item, tg_loop_text *out);
void tg_loop_text_close(tg_rt *rt, tg_loop_text *t);

/* ---- the collector ---- */

void tg_loop_mark(const tg_node *n);
void tg_loops_sweep(tg_rt *rt);
void tg_loops_free(tg_rt *rt);

#endif
