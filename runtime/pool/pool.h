/* Parts of one computation on several threads.
 *
 * Whoever has much to compute cuts it into parts that write to disjoint memory, and hands them over
 * together; the call returns when all are done. How the work is cut depends on its size alone,
 * never on the number of threads, so that a result has the same bits at any number of them; where
 * parts give partial sums, the caller adds these up in the order of the parts.
 *
 * Each tg_rt has threads of its own, which it owns: made when they are first of use, asleep when
 * there is nothing to do, ended by tg_rt_free. */
#ifndef TG_RUNTIME_POOL_H
#define TG_RUNTIME_POOL_H

#include "runtime/rt.h"

/* Computes part i. False: no memory, or tg_pool_stops said so. It may run on any thread, and
 * therefore touches neither rt->c nor anything else that another part writes. */
typedef bool tg_pool_body(void *user, int64_t i);

/* Runs body(user, i) for each i of 0 .. n - 1, once, on up to rt->threads threads, the caller's
 * among them; returns when all are done. In which order and where they run is not fixed. Between
 * parts the interrupt flag is looked at. `cost` is about how many nanoseconds all parts take
 * together: little work stays with the caller. False: interrupted or no memory, with the error
 * recorded; parts may then be missing.
 *
 * A body may call it too: the parts then run one after the other where they are, and an error is
 * returned but not recorded; the body returns false as well, and the outermost call records it. */
bool tg_pool_run(tg_rt *rt, int64_t n, double cost, tg_pool_body *body, void *user);

/* Is the work of which this thread runs a part to stop, interrupted or failed elsewhere? A part
 * that may take long asks about every 65,536 values and returns false then. */
bool tg_pool_stops(void);

/* What a function that may run within a part returns for want of memory: false, recorded unless it
 * does. */
bool tg_pool_no_memory(tg_rt *rt);

/* How many threads there are to use when nobody says: the environment's TG_NUM_THREADS, else its
 * OMP_NUM_THREADS, else the processors that the process may run on. At least 1. */
int tg_pool_default_threads(void);

/* How many calls of tg_pool_run other threads were asked to help with. */
uint64_t tg_pool_shared(const tg_rt *rt);

/* Ends the threads; the next use makes new ones. */
void tg_pool_end(tg_rt *rt);

#endif
