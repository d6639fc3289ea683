/* The runtime's state: one a session. Holds the context, the table of symbolic sizes, the formula
 * graph, the cache of plans, and the random generator. Passed to every function of runtime that can
 * fail or make a formula. */
#ifndef TG_RUNTIME_RT_H
#define TG_RUNTIME_RT_H

#include "base/ctx.h"
#include "runtime/tensor/tensor.h"

struct tg_node;
struct tg_profile;

typedef struct tg_rt {
    tg_ctx c;
    tg_dtype precision;     /* TG_F64, or TG_F32 after `precision single`: the default float type */
    struct tg_sizes *sizes; /* runtime/graph/size.h */
    struct tg_graph *graph; /* runtime/graph/node.h */
    struct tg_rules *rules; /* runtime/graph/rule.h: parsed rule texts */
    struct tg_simplifier *simplifier; /* runtime/graph/simplify.h */
    struct tg_assumed *assumed;       /* runtime/graph/assume.h */
    struct tg_plans *plans;           /* runtime/plan/plan.h */
    uint64_t seed;                    /* of the counter-based generator */
    uint64_t stream;                  /* the next unused stream: each draw takes one */
    uint64_t tick;   /* moves on at every `:=`; live draws (`fresh`) are keyed by it */
    uint64_t turn;   /* of the loop that is running: live draws are keyed by it too; 0: none is */
    bool drew_live;  /* there was such a draw */
    bool live_draws; /* binding a random operation makes it draw anew at each tick: set inside
                        fresh(...) */
    int threads;     /* the most that one operation may use */
    struct tg_pool
        *pool;         /* runtime/pool/pool.h: the threads besides the caller's; NULL: none yet */
    double share_from; /* nanoseconds of work that are worth waking other threads for; negative, in
                          tests: always, and the caller waits until they have come */
    uint64_t shared;   /* how often that was done */
    bool forks;        /* long calls of LAPACK may have a process of their own (ops/apart.h) */
    struct tg_profile *profile; /* runtime/ops/profile.h: what runs is timed; NULL: it is not */
    /* Called when a derivative goes through a call with a rule of the user's own; false: the rule
     * is wrong. NULL: rules are taken as they are. */
    bool (*check_rule)(struct tg_rt *rt, struct tg_node *call);
} tg_rt;

bool tg_rt_init(tg_rt *rt); /* false: no memory; what was built is freed by tg_rt_free */
void tg_rt_free(tg_rt *rt);
/* Lets an operation use up to n threads; 1 to begin with. What is computed is the same to the last
 * bit for every n. */
void tg_runtime_set_threads(tg_rt *rt, int n);

#endif
