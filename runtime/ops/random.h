/* The random generator: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy
 * as 1, 2, 3; SC 2011). It is counter-based: a draw is a pure function of (seed, stream, element),
 * so that the order of computation does not matter and one seed reproduces a run. */
#ifndef TG_RUNTIME_RANDOM_H
#define TG_RUNTIME_RANDOM_H

#include "runtime/ops/op.h"

/* One block: out = Philox4x32-10(counter, key). */
void tg_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Appends the stream and the live flag to a random operation's attributes; the stream is a fresh
 * one. tg_op_bind does it, with rt->live_draws. A live draw is keyed by rt->tick too. */
void tg_random_attrs(tg_rt *rt, tg_attrs *at, bool live);

extern const tg_op_table tg_ops_random;

#endif
