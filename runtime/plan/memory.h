/* What evaluating formulas takes in memory, told before it is done. */
#ifndef TG_RUNTIME_PLAN_MEMORY_H
#define TG_RUNTIME_PLAN_MEMORY_H

#include "runtime/graph/node.h"

/* In bytes. */
typedef struct tg_memory {
    size_t workspace; /* for intermediate values; all plans share one, as large as the largest */
    size_t kept;      /* constants, and the plan itself: stays for the next time */
    size_t results;   /* new tensors for the values of the roots */
    size_t scratch;   /* the most that one kernel takes while it runs */
    size_t inputs;    /* the values of cells that are read: there already */
    size_t peak;      /* the most at once, inputs not counted */
} tg_memory;

/* Of the values of the roots, as tg_plan_eval computes them; the plan is made, and cached, but not
 * run. With `into`, as tg_plan_update computes them, of which what is written in place is no
 * result. False: an error, those of tg_plan_eval before the first kernel. */
bool tg_plan_forecast(tg_rt *rt, int n, tg_node *const *roots, tg_cell *const *into,
                      tg_memory *out);

#endif
