/* Time that passes: a clock that nobody sets. */
#ifndef TG_BASE_CLOCK_H
#define TG_BASE_CLOCK_H

#include <time.h>

/* Seconds since some moment. */
static inline double tg_clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds that processors spent in this process, in all of its threads; -1: the system cannot tell.
 */
static inline double tg_clock_processor(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return -1;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
