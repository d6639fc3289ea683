/* The formula graph. A node is an operation applied to nodes; equal formulas are one node (hash
 * consing: Ershov 1958), so common parts are shared from the start. Each node knows its type when
 * built. Ids grow, and arguments are made before their users: ascending id is an order of
 * evaluation, and no walk over a graph needs recursion.
 *
 * Ownership: nodes belong to the graph. Whoever keeps one over a statement holds it (tg_node_hold /
 * tg_node_drop count outside holders); tg_graph_collect, called between statements only, sweeps all
 * nodes that no held node reaches. */
#ifndef TG_RUNTIME_NODE_H
#define TG_RUNTIME_NODE_H

#include "runtime/ops/op.h"

typedef struct tg_node tg_node;

typedef enum tg_cell_kind {
    TG_CELL_VAR,   /* var(...): a value to differentiate and update */
    TG_CELL_INPUT, /* input X[N, 784]: data to come */
    TG_CELL_LIFT,  /* a plain value met while computing a `:=`: a slot, so that each turn of a loop
                      is the same formula */
    TG_CELL_SLOT,  /* `g` or `out` in the rule of a user's function: never has a value (ruled.h) */
    TG_CELL_TURN,  /* a state, row or invariant in the body of a loop: has one in each turn (loop.h)
                    */
} tg_cell_kind;

/* A place that formulas refer to and `:=` writes. */
typedef struct tg_cell {
    int refs;
    tg_cell_kind kind;
    const char *name;            /* interned; NULL until a name is given (W = var(...)) */
    const char *was;             /* the name that it had until that came to mean something else */
    tg_type type;                /* as declared; sizes of an input may be symbolic */
    tg_tensor *value;            /* NULL: no data yet */
    uint64_t version;            /* grows with each store */
    tg_node *leaf;               /* its node while one exists; not held */
    uint64_t serial;             /* order of declaration */
    struct tg_cell *prev, *next; /* all cells of the graph, in order of declaration */
} tg_cell;

struct tg_node {
    uint64_t id; /* strictly growing, never used again */
    uint32_t hash;
    const tg_op *op;
    int n;       /* arguments */
    int holders; /* outside holders */
    tg_type type;
    bool mark; /* of the collector */
    bool live; /* depends on a var, an input, a symbolic size or a fresh draw: a definition stays a
                  formula */
    uint32_t place;                 /* in the order of a plan, while that is being made */
    uint64_t seen;                  /* the last walk that met it (tg_graph_walk) */
    const char *label;              /* the user's name for this formula (interned), or NULL */
    tg_node *chain;                 /* next in its hash bucket */
    struct tg_origin *origin;       /* of a gradient: of what (grad.h); else NULL */
    struct tg_recompute *recompute; /* of a gradient: what is kept in memory, or NULL */
    tg_span written; /* where the user wrote it; its text is held. src NULL: not known */
    bool spelt; /* nothing under it is written in another way in a result (simplify_spell.c); false:
                   not known */
    bool backward;   /* part of a derivative, made by differentiating what stands there */
    tg_node *stable; /* what is computed in its place (tg_node_stable); NULL: not known yet */
    union {
        double number;     /* tg_op_number: a plain number */
        tg_tensor *tensor; /* tg_op_const: a tensor known now (held) */
        tg_cell *cell;     /* tg_op_cell (held) */
        tg_size size;      /* tg_op_size: a size used as a number */
    } leaf;
    const tg_attrs *at; /* interned; never NULL for a non-leaf */
    tg_node *arg[];
};

/* Leaf operations: not in the registry. */
extern const tg_op tg_op_number, tg_op_const, tg_op_cell, tg_op_size;

bool tg_graph_init(tg_rt *rt);
void tg_graph_free(tg_rt *rt);

/* All return a node owned by the graph, or NULL with an error in rt. Constant arguments are not
 * folded here. */
tg_node *tg_node_make(tg_rt *rt, const tg_op *op, int n, tg_node *const *args, const tg_attrs *at);
/* A further node of the same formula over other values: one that is not found when the formula is
 * written again, and so not shared. For what a plan computes twice on purpose. */
tg_node *tg_node_again(tg_rt *rt, const tg_node *of, tg_node *const *args);
tg_node *tg_node_number(tg_rt *rt, double x);                       /* weak scalar */
tg_node *tg_node_const(tg_rt *rt, tg_tensor *t, const char *label); /* one node a tensor object */
tg_node *tg_node_of_const(const tg_rt *rt, const tg_tensor *t);     /* that one; NULL: none yet */
tg_node *tg_node_cell(tg_rt *rt, tg_cell *cell);
tg_node *tg_node_size(tg_rt *rt, tg_size s); /* weak scalar; a known size becomes a number */
/* By name, attributes at their defaults: convenience for the simplifier and the grad driver. */
tg_node *tg_node_call1(tg_rt *rt, const char *op, tg_node *a);
tg_node *tg_node_call2(tg_rt *rt, const char *op, tg_node *a, tg_node *b);

/* Notes for n, and for what it is made of, that they were written there; for those only that know
 * no place yet. False: no memory. */
bool tg_node_place(tg_rt *rt, tg_node *n, tg_span at);
/* n, which was written elsewhere, has been written there too: that is what the user looks at. */
void tg_node_place_again(tg_node *n, tg_span at);
/* Notes for the same nodes that they come from differentiating. */
bool tg_node_set_backward(tg_rt *rt, tg_node *n);

tg_node *tg_node_hold(tg_node *n); /* NULL is allowed */
void tg_node_drop(tg_node *n);
size_t tg_graph_count(tg_rt *rt);
/* Sweeps unreachable nodes when there are many; `always` forces it. Call only where no unheld node
 * is in use. */
void tg_graph_collect(tg_rt *rt, bool always);
/* Registers f to be called in each sweep, after marking and before anything is freed: plans and
 * memos that point at nodes without holding them forget the dying ones there, and must not make
 * nodes. Registering twice does nothing. */
bool tg_graph_on_sweep(tg_rt *rt, void (*f)(tg_rt *rt));
/* For such an f only: true when n survives the sweep under way. */
bool tg_node_survives(const tg_node *n);
/* The number of a new walk: a walk has met the nodes whose `seen` equals it. One walk at a time. */
uint64_t tg_graph_walk(tg_rt *rt);

static inline bool tg_node_is_number(const tg_node *n) {
    return n->op == &tg_op_number;
}
static inline bool tg_node_is_slot(const tg_node *n) {
    return n->op == &tg_op_cell && n->leaf.cell->kind >= TG_CELL_SLOT;
}
static inline bool tg_node_is(const tg_node *n, const char *name);

/* What the user calls n: the name of its cell, or its label; NULL: nothing. */
static inline const char *tg_node_name(const tg_node *n) {
    return n->op == &tg_op_cell ? n->leaf.cell->name : n->label;
}

/* All nodes that the roots reach, arguments before users (ascending id). *out: tg_free. */
bool tg_node_collect(tg_rt *rt, int n, tg_node *const *roots, tg_node ***out, size_t *count);
/* The same of those that a way down from the root reaches without coming to one to be skipped. */
bool tg_node_collect_unless(tg_rt *rt, tg_node *root, bool (*skip)(const tg_node *), tg_node ***out,
                            size_t *count);
/* The same of what a reader sees: of calls with a rule of the user's own (ruled.h) the arguments.
 */
bool tg_node_collect_shown(tg_rt *rt, int n, tg_node *const *roots, tg_node ***out, size_t *count);
/* Is n a transpose that swaps the last two axes and nothing else: x'? */
bool tg_node_is_prime(const tg_node *n);
/* Where n stands in a list of ascending ids; count: it is not there. */
size_t tg_nodes_find(tg_node *const *node, size_t count, const tg_node *n);
/* Appends the names of inputs under the roots that have no data, "X, Y" in order of declaration,
 * then what the sizes used there still want: the input that declares them, or the bare name of a
 * size that none declares. Nothing: all is known. */
bool tg_node_needs(tg_rt *rt, int n, tg_node *const *roots, tg_str *names);
/* The cells that values and sizes under the roots come from: first the *under cells that the roots
 * reach, in order of declaration; then, for each size symbol that none of these declares, the
 * latest input of the graph that declares it and has data. A plan is good while the shapes of all
 * of these stay. *out: tg_free. */
bool tg_graph_cells(tg_rt *rt, int n, tg_node *const *roots, tg_cell ***out, size_t *count,
                    size_t *under);
/* Binds the sizes under the roots from the values of those cells; values[i], where not NULL, stands
 * in for the value of cells[i]. Inputs without data bind nothing. Errors: those of tg_size_bind.
 * The caller frees *out, also on failure. */
bool tg_graph_bind_sizes(tg_rt *rt, int n, tg_node *const *roots, int ncells, tg_cell *const *cells,
                         tg_tensor *const *values, tg_size_binding *out);
/* Does n reach that node? on == NULL: is it live? False with an error in rt when memory is short.
 */
bool tg_node_depends(tg_rt *rt, tg_node *n, const tg_node *on);
/* How often x is an argument of nodes under the root. Looks at what is younger than x only. False
 * with an error in rt when memory is short. */
bool tg_node_uses(tg_rt *rt, tg_node *root, const tg_node *x, size_t *uses);
/* The number of operation nodes under the roots (leaves do not count), shared ones once. False with
 * an error in rt when memory is short. */
bool tg_nodes_ops(tg_rt *rt, int n, tg_node *const *roots, size_t *ops);
/* The same of one; 0 when memory is short. */
size_t tg_node_ops(tg_rt *rt, tg_node *n);

/* All is borrowed: the cell holds the value and copies the type. Only a lifted plain number stays
 * weak. */
tg_cell *tg_cell_new(tg_rt *rt, tg_cell_kind kind, const char *name, const tg_type *type,
                     tg_tensor *value);
tg_cell *tg_cell_hold(tg_cell *c);
void tg_cell_drop(tg_cell *c);
/* The cell declared last, and the one declared before c; NULL: there is none. */
tg_cell *tg_cell_newest(tg_rt *rt);
tg_cell *tg_cell_before(tg_rt *rt, const tg_cell *c);

#include <string.h>
static inline bool tg_node_is(const tg_node *n, const char *name) {
    return strcmp(n->op->name, name) == 0;
}

#endif
