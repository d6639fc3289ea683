/* What this machine can do at best: the measure against which :profile holds each operation. */
#ifndef TG_RUNTIME_MACHINE_H
#define TG_RUNTIME_MACHINE_H

#include "runtime/rt.h"

/* Each a second, with the threads the session uses. */
typedef struct tg_machine {
    double flops[2]; /* single and double: of a product whose operands fit in the cache */
    double cached;   /* bytes read and written that lie in the nearest caches */
    double memory;   /* and in memory */
} tg_machine;

/* Measures, in some 50 ms. Where there is no memory for a measurement its figure is 0. False: an
 * interrupt. */
bool tg_machine_measure(tg_rt *rt, tg_machine *out);

/* The least time, in seconds, in which so many operations and bytes can be done: whichever of the
 * two binds (Williams, Waterman & Patterson, Roofline: an insightful visual performance model for
 * multicore architectures, 2009). 0: not known. */
double tg_machine_least(const tg_machine *m, tg_dtype t, double flops, double bytes);

#endif
