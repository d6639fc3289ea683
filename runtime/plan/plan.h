/* Plans: a set of formulas, compiled for the shapes their inputs have now, into a list of kernel
 * calls over one block of memory. Compiled once for each (roots, shapes) and cached; running a
 * cached plan allocates nothing but its results. Shared parts are computed once; buffers are
 * assigned by liveness; transposes of matrix products become flags of gemm, scale factors its
 * alpha. */
#ifndef TG_RUNTIME_PLAN_H
#define TG_RUNTIME_PLAN_H

#include "runtime/graph/node.h"

bool tg_plans_init(tg_rt *rt);
void tg_plans_free(tg_rt *rt);

/* Evaluates the roots, in their stable forms (tg_node_stable), in one pass over the shared graph.
 * out[i] is owned by the caller, contiguous, its shape and type the root's; on failure none are
 * set. Where out[i] comes in non-NULL it is written into if nobody else refers to it or its buffer
 * and type and shape are right, else dropped; it must not be the value of a cell that a root reads.
 * A root that is a cell or constant, or a contiguous look at one, gives that tensor itself, shared.
 * Errors: an input without data (TG_ERR_DATA, lists them), sizes that disagree, a kernel's error,
 * an interrupt (checked between kernels), no memory. */
bool tg_plan_eval(tg_rt *rt, int n, tg_node *const *roots, tg_tensor **out);
/* The same with other values for some cells, not stored: eval(e, X=xb). */
bool tg_plan_eval_with(tg_rt *rt, int n, tg_node *const *roots, int ncells, tg_cell *const *cells,
                       tg_tensor *const *values, tg_tensor **out);
/* The same for results that are about to be stored: out[i] in into[i], where that is not NULL; they
 * have its type and shape, and the cells differ. A cell's tensor that nobody else holds may be
 * written into then, which is the last thing done: out[i] is into[i]->value if so, and every result
 * is finite. Nothing is changed on failure. out[] comes in as NULL. */
bool tg_plan_update(tg_rt *rt, int n, tg_node *const *roots, tg_cell *const *into, tg_tensor **out);
/* The error "cost needs data for X, Y"; names: comma separated. Returns false. */
bool tg_plan_lacks_data(tg_rt *rt, const tg_node *root, const tg_str *names);
/* Forget all plans: what they were made from has changed. */
void tg_plans_forget(tg_rt *rt);
/* Gives the workspace back; the next run takes what it needs anew. */
void tg_plans_rest(tg_rt *rt);
/* Forget plans whose roots do not survive the sweep under way. */
void tg_plans_sweep(tg_rt *rt);

typedef struct tg_plan_stats {
    uint64_t compiled;   /* formulas met for the first time in these shapes */
    uint64_t split;      /* plans compiled again for what moves and what stays (invariant.c) */
    uint64_t run, steps; /* plans and kernels run */
    size_t cached;
    size_t bytes, work_bytes; /* held by plans, and by the workspace that they share */
    double compiling;         /* seconds spent in it so far */
} tg_plan_stats;
tg_plan_stats tg_plans_stats(const tg_rt *rt);

#endif
