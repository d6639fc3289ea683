/* How many threads a matrix product uses. Waking a second thread costs some microseconds, so a
 * small product is slower with two (100 x 10 x 784 takes 50 us instead of 37), and a gain shows
 * only from some millions of multiplications on. OpenBLAS keeps one setting for the process; it is
 * changed only when the choice differs from the last one. A product may differ in its last bits
 * with the number of threads, as its sums are then cut at other places: with one thread, the
 * default, results are reproducible. */
#include "runtime/ops/linear.h"

#include <cblas.h>
#include <stdatomic.h>

static const double worth_sharing = 8e6; /* multiplications, about 0.2 ms */

static _Atomic int allowed = 1;
static _Atomic int in_force; /* 0: not yet set by us */

void tg_linear_choose_threads(double multiplications) {
    int want = multiplications >= worth_sharing ? allowed : 1;
    if (want == in_force) return;
    openblas_set_num_threads(want);
    in_force = want;
}

void tg_runtime_set_threads(tg_rt *rt, int n) {
    allowed = rt->threads = n < 1 ? 1 : n;
    tg_linear_choose_threads(0);
}
