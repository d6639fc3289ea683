/* The runtime's state is built in the order in which its parts lean on each other, and taken down
 * the other way round: plans and memos point at nodes, nodes at cells and sizes, and all names live
 * in the context. */
#include "runtime/rt.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"
#include "runtime/plan/plan.h"
#include "runtime/pool/pool.h"

#include <cblas.h>

enum {
    SHARE_FROM = 40000
}; /* nanoseconds: a thread that sleeps needs 5 to 50 microseconds to come
    */

/* OpenBLAS is kept on one thread, for the whole process: with more it cuts sums at other places,
 * and nobody could interrupt it. The parts of a large product are spread by runtime/pool. */
bool tg_rt_init(tg_rt *rt) {
    *rt = (tg_rt){.precision = TG_F64, .threads = 1, .share_from = SHARE_FROM};
    openblas_set_num_threads(1);
    bool ok = tg_ctx_init(&rt->c) && tg_sizes_init(rt) && tg_graph_init(rt) && tg_rules_init(rt) &&
              tg_simplify_init(rt) && tg_assume_init(rt) && tg_plans_init(rt) &&
              tg_graph_on_sweep(rt, tg_plans_sweep);
    return ok || tg_fail_memory(&rt->c); /* nothing else can be amiss */
}

/* Each part frees what there is of it, so a state that was built only in part may come here too. */
void tg_rt_free(tg_rt *rt) {
    if (rt->plans) tg_plans_free(rt);
    if (rt->assumed) tg_assume_free(rt);
    if (rt->simplifier) tg_simplify_free(rt);
    if (rt->rules) tg_rules_free(rt);
    tg_graph_free(rt);
    tg_sizes_free(rt);
    tg_pool_end(rt);
    tg_ctx_free(&rt->c);
}
