/* The inside of a plan: slots, storage and steps. Shared by the files of this folder only.
 *
 * A slot is a value as a kernel sees it: a view of some storage. Storage is where the elements
 * live; its home says who owns the memory, and so when its address becomes known. Several slots may
 * look into one storage: a transpose or a slice is a slot, no step. A step computes one slot from
 * others. All are numbered; nothing points into the arrays, so that they may grow. */
#ifndef TG_RUNTIME_PROGRAM_H
#define TG_RUNTIME_PROGRAM_H

#include "runtime/plan/memory.h"
#include "runtime/plan/plan.h"

typedef struct tg_plan tg_plan;

typedef enum tg_home {
    TG_HOME_WORK,   /* the workspace that all plans share: nothing survives a run */
    TG_HOME_KEPT,   /* the plan's own memory: numbers, and constant parts computed once */
    TG_HOME_RESULT, /* the result of root `index` */
    TG_HOME_CELL,   /* the value of cell `index` */
    TG_HOME_FIXED,  /* a constant tensor of the graph */
} tg_home;

typedef struct tg_storage {
    tg_home home;
    int index; /* of RESULT and CELL */
    size_t bytes;
    size_t offset;     /* of WORK and KEPT, from the start of that memory */
    tg_tensor *tensor; /* of FIXED: borrowed from the node */
    int last;          /* the last step that reads it, -1 if none does */
} tg_storage;

typedef struct tg_slot {
    tg_view v; /* data is set when the address is known: see tg_plan_place */
    int storage;
    int64_t offset; /* bytes from the storage's start to the element at index 0, 0, ... */
    int converted;  /* the next slot that holds the same value in another type, or -1 */
    double number;  /* of a storage that is a number */
    bool is_number; /* a plain number, written when the kept memory is made */
    bool constant;  /* the same in every run, and never in the workspace */
} tg_slot;

typedef struct tg_step tg_step;
typedef bool tg_step_fn(tg_rt *rt, tg_plan *p, const tg_step *s);

struct tg_step {
    tg_step_fn *run;
    const tg_node *node; /* whose value it makes: for error messages */
    const tg_op *op;     /* of a kernel */
    int attrs;    /* number of the step's own attributes with sizes made known, or -1: node->at */
    int product;  /* number of a matrix product's factors, or -1 */
    int region;   /* number of a region (region.h), or -1 */
    int loop;     /* number of a loop (loop.h), or -1 */
    int out;      /* the slot it makes */
    int n, arg;   /* it reads the slots args[arg .. arg + n) ... */
    int more;     /* ... and makes args[arg + n .. arg + n + more) besides */
    int in_place; /* the argument whose memory the result may take over, or -1 */
    bool once;    /* computes a constant: runs with the first run only */
};

enum { TG_MAX_SCALES = 4, TG_MAX_ABSORBED = 12 };

/* out = alpha * (arg 0 @ arg 1) [+ arg 2]; the last nscales arguments are scalars that alpha is
 * multiplied or divided by. */
typedef struct tg_product {
    double alpha;
    bool accumulates; /* there is an addend: arg 2 */
    int nscales;
    bool divides[TG_MAX_SCALES]; /* scale i is a divisor */
} tg_product;

typedef struct tg_region tg_region;
typedef struct tg_turns tg_turns;

/* What a cell looked like when the plan was compiled. */
typedef struct tg_plan_cell {
    tg_cell *cell; /* alive while a root is, when `under`; else only compared */
    uint64_t serial;
    bool present; /* it had a value */
    tg_dtype dtype;
    int rank;
    int64_t dim[TG_MAX_RANK], stride[TG_MAX_RANK];
    uint64_t version;       /* of its value in the last run ... */
    const tg_tensor *value; /* ... only compared, never looked into */
    bool moved;             /* it had several values while the plan watched */
    bool still;             /* compiled as a constant, as long as it keeps its version */
} tg_plan_cell;

typedef struct tg_plan_result {
    tg_dtype dtype;
    int slot;  /* a slot that is handed out as it is, without a copy (the value of a cell, a
                  constant), or -1 */
    bool tail; /* made in the tail, perhaps in the cell's own tensor */
    int rank;
    int64_t dim[TG_MAX_RANK];
} tg_plan_result;

struct tg_plan {
    bool body; /* of a loop (loop.h): its cells are slots, and its results not handed out */
    uint64_t hash;
    tg_plan *chain;         /* next in its bucket */
    tg_plan *newer, *older; /* by last use */
    int nroots;
    tg_node **roots;
    tg_node **targets; /* what is computed for each root: itself, or a node that only the plan holds
                          (remat.h) */
    int ncells, under; /* the first `under` are read; the others only tell sizes */
    tg_plan_cell *cells;
    tg_plan_result *results; /* one a root */
    tg_cell **into; /* the cells that the results are for, or NULL: only compared; NULL: none is */

    size_t nslots, cap_slots;
    tg_slot *slots;
    size_t nstorage, cap_storage;
    tg_storage *storage;
    size_t nsteps, cap_steps;
    tg_step *steps; /* those that run once come first */
    size_t first;   /* the first step of every run */
    size_t tail;    /* the first that may write into a cell's value (update.c) */
    size_t nargs, cap_args;
    int *args;
    size_t nattrs, cap_attrs;
    tg_attrs *attrs;
    size_t nproducts, cap_products;
    tg_product *products;

    size_t nregions, cap_regions;
    tg_region **regions;
    size_t nloops, cap_loops;
    tg_turns **loops;

    size_t nmoving;
    int *moving; /* slots on results and cells: their address is new in each run */
    int most_args;
    tg_view *in;     /* room for the arguments of one step */
    tg_tensor **out; /* room for the results of one run */

    size_t work_bytes, kept_bytes;
    size_t live_bytes; /* the most of the workspace that holds values at once */
    size_t bytes;      /* all that the plan holds */
    char *kept;
    bool kept_ready; /* the constants have been computed, from the values that cells have now */
    int watch;       /* how many runs to watch the cells before a look at what moved */
    int watched;     /* runs so far; `stale` of them found a still cell moved */
    int stale;
    const char *work; /* the workspace that the slots were placed in; NULL: not yet */
};

/* The cache (cache.c). */
typedef struct tg_plans {
    tg_plan *bucket[256];
    tg_plan *newest, *oldest;
    size_t count, bytes;
    char *work; /* the workspace */
    size_t work_bytes;
    struct tg_body *bodies; /* of loops (loop.h), found again by plans for other lengths */
    int small_runs;         /* runs in a row that needed less than a quarter of it */
    tg_plan_stats stats;
} tg_plans;

/* What one evaluation is told: values that stand in for those of some cells; and cells that the
 * results are about to be stored in. */
typedef struct tg_overrides {
    int n;
    tg_cell *const *cells;
    tg_tensor *const *values;
    tg_cell *const *into; /* one a root, or NULL; NULL: no result is stored */
} tg_overrides;

tg_tensor *tg_overrides_value(const tg_overrides *o, const tg_cell *cell);

/* The cells that values and sizes under the roots come from: the *under ones that are read, those
 * that only tell sizes, then the inputs with a stand-in that are neither. *out: tg_free. */
bool tg_plan_list_cells(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                        tg_cell ***out, size_t *count, size_t *under);

/* compile.c: a plan for the shapes that the cells have now; NULL with an error. The cells that did
 * not move in `seen`, a plan of the same roots and shapes, count as constants; NULL: none does. */
tg_plan *tg_plan_compile(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                         const tg_plan *seen);
void tg_plan_free(tg_plan *p);
/* Gives back the room that growing arrays have left, and counts what is held. */
void tg_plan_trim(tg_plan *p);

/* The plan of a loop's body: ncells cells, by serial, whose values look like those in o. */
tg_plan *tg_plan_compile_body(tg_rt *rt, int n, tg_node *const *roots, int ncells,
                              const tg_plan_cell *cells, const tg_overrides *o,
                              const tg_size_binding *sizes);

/* lower.c: nodes (arguments before users) into slots and steps of p; p->cells and the sizes are
 * known. */
bool tg_plan_lower(tg_rt *rt, tg_plan *p, tg_node *const *nodes, size_t n, const tg_overrides *o,
                   const tg_size_binding *sizes);
/* To the error pending: puts the arguments' formulas for {0}, {1}, and notes the formula that
 * failed. Returns false. */
bool tg_plan_explain(tg_rt *rt, const tg_node *node);

/* program.c: parts of a program under construction. The number of the new part, or -1 with an
 * error. */
int tg_plan_add_storage(tg_rt *rt, tg_plan *p, tg_home home, int index, size_t bytes);
int tg_plan_add_slot(tg_rt *rt, tg_plan *p, int storage, const tg_view *v, int64_t offset);
int tg_plan_add_number(tg_rt *rt, tg_plan *p, tg_dtype t, double x);
int tg_plan_add_step(tg_rt *rt, tg_plan *p, const tg_step *s, const int *args);
/* A new contiguous slot with its own storage. */
int tg_plan_add_value(tg_rt *rt, tg_plan *p, tg_home home, int index, tg_dtype t, int rank,
                      const int64_t *dim);

/* fuse.c: a node that is one call of gemm, alpha * (a @ b) + addend. */
typedef struct tg_fusion {
    const tg_node *product; /* the matrix product */
    tg_node *operand[2];    /* its operands, without the scalars that joined alpha */
    double alpha;
    int nscales;
    tg_node *scale[TG_MAX_SCALES];
    bool divides[TG_MAX_SCALES];
    tg_node *addend; /* or NULL */
    bool failed;     /* an operand's scalar changes its type: not to be fused */
    int nabsorbed;   /* nodes that are not computed by themselves, the product among them */
    const tg_node *absorbed[TG_MAX_ABSORBED];
} tg_fusion;
/* False: the node is computed as it stands. uses(user, x) tells how often x is used in the program,
 * as argument or root. */
bool tg_plan_fuse(const tg_node *node, int (*uses)(void *user, const tg_node *x), void *user,
                  tg_fusion *out);

/* invariant.c: which of the steps that could run once shall, and which of their values are kept. */
bool tg_plan_settle_constants(tg_rt *rt, tg_plan *p);
typedef enum tg_plan_advice {
    TG_PLAN_STAYS,
    TG_PLAN_SPLITS, /* compile it again with the cells that did not move as constants */
    TG_PLAN_JOINS,  /* compile it again without: they move too often */
} tg_plan_advice;
/* Before each run: notes which cells have other values than in the run before, and whether kept
 * parts must be computed anew. */
tg_plan_advice tg_plan_watch(tg_plan *p, const tg_overrides *o);
void tg_plan_mark_still(tg_plan *p, const tg_plan *seen);
/* Is a run of `split` worth its memory? */
bool tg_plan_gains(const tg_plan *p, const tg_plan *split);
/* p watches four times as long as `as` did. */
void tg_plan_wait_longer(tg_plan *p, const tg_plan *as);

/* buffers.c: offsets of all WORK and KEPT storage. */
bool tg_plan_assign_buffers(tg_rt *rt, tg_plan *p);

/* memory.c: what running p takes. False: an error, as a kernel refuses sizes. */
bool tg_plan_measure(tg_rt *rt, tg_plan *p, const tg_overrides *o, tg_memory *out);

/* update.c: assigns buffers, and moves the steps that update a cell in place into the tail. */
bool tg_plan_find_updates(tg_rt *rt, tg_plan *p);
/* Everything before the tail has run: says where each step of it writes. After this nothing fails.
 */
bool tg_plan_place_tail(tg_rt *rt, tg_plan *p, const tg_overrides *o);
/* The tensor of the cell that a step of the tail updates, if it may be written into as nobody else
 * sees it; else NULL. */
tg_tensor *tg_plan_own_tensor(const tg_plan *p, const tg_step *s, const tg_overrides *o);

/* cache.c: tg_plan_eval_with, without a look for stable forms: the roots are what is computed. */
bool tg_plan_eval_as_is(tg_rt *rt, int n, tg_node *const *roots, const tg_overrides *o,
                        tg_tensor **out);
/* cache.c: room for `bytes` in the workspace. */
bool tg_plans_reserve(tg_rt *rt, size_t bytes);

/* trace_loop.c: looks into the body of the loop whose item is not finite. False: an error. */
struct tg_culprit;
bool tg_trace_turn(tg_rt *rt, tg_node *item, const tg_overrides *with, struct tg_culprit *out);

/* execute.c */
/* The slots in the workspace, which begins there. */
void tg_plan_place_workspace(tg_plan *p, char *work);
/* invariant.c: nanoseconds, roughly. */
double tg_plan_cost(const tg_plan *p, size_t from, size_t to);
/* memory.c: the most that one kernel of those steps takes while it runs. */
bool tg_plan_room(tg_rt *rt, tg_plan *p, size_t *room);
tg_step_fn tg_step_kernel, tg_step_copy, tg_step_product;
/* Runs the kernel of s, or asks it what room it takes (tg_call.room). */
bool tg_plan_call_kernel(tg_rt *rt, tg_plan *p, const tg_step *s, size_t *room);
/* The factor of a product, with the scalars that are known at run time. */
double tg_plan_alpha(const tg_plan *p, const tg_step *s);
/* profile.c: what the step is called, by its operation. */
const char *tg_step_kind(const tg_step *s);
/* The same as running the steps, each timed and counted in rt->profile. */
bool tg_plan_profile_steps(tg_rt *rt, tg_plan *p, size_t from, size_t to);
/* p's shapes are those of the cells now. */
bool tg_plan_run(tg_rt *rt, tg_plan *p, const tg_overrides *o, tg_tensor **out);

#endif
