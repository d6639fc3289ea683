/* Parts, one after the other. */
#include "runtime/pool/pool.h"

bool tg_pool_run(tg_rt *rt, int64_t n, double cost, tg_pool_body *body, void *user) {
    (void)cost;
    for (int64_t i = 0; i < n; i++) {
        if (!body(user, i)) return tg_fail_memory(&rt->c);
        if (n > 1 && !tg_check_interrupt(&rt->c)) return false;
    }
    return true;
}
