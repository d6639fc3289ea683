/* Work that nobody can interrupt, in a process of its own.
 *
 * Eigenvalues, factors and their like are single calls of LAPACK, which run for seconds and look at
 * no flag. Where the session may (tg_rt.forks), a long one is computed in a child process, which
 * has all that this one has; an interrupt ends it. The numbers are the same. */
#ifndef TG_RUNTIME_APART_H
#define TG_RUNTIME_APART_H

#include "runtime/rt.h"

/* Computes `bytes` at `out`, with errors recorded in rt->c. */
typedef bool tg_apart_body(void *user, void *out);

/* Runs body(user, out), in a child process if it takes that many floating-point operations and a
 * child can be had; out is then filled with what it made. False: the body's error, or an
 * interrupt. */
bool tg_apart_run(tg_rt *rt, double flops, void *out, size_t bytes, tg_apart_body *body,
                  void *user);

#endif
