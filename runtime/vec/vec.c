/* The levels that there are, and which of them the processor can run. */
#include "runtime/vec/vec.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
extern const tg_vec tg_vec_sse2, tg_vec_avx2, tg_vec_avx512;
static const tg_vec *const level[] = {&tg_vec_sse2, &tg_vec_avx2, &tg_vec_avx512};

static bool can_run(const tg_vec *l) {
    if (l == &tg_vec_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    if (l == &tg_vec_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return true;
}
#else
extern const tg_vec tg_vec_neon;
static const tg_vec *const level[] = {&tg_vec_neon};

static bool can_run(const tg_vec *l) {
    (void)l;
    return true;
}
#endif
enum { LEVELS = sizeof level / sizeof level[0] };

/* Each level needs what the one before it does. */
const tg_vec *tg_vec_at(int i) {
    return i < LEVELS && can_run(level[i]) ? level[i] : NULL;
}

static const tg_vec *choose(const char *name) {
    const tg_vec *best = NULL;
    for (int i = 0; tg_vec_at(i); i++) {
        best = level[i];
        if (name && strcmp(name, best->name) == 0) return best;
    }
    return name ? NULL : best;
}

/* Two threads that ask first at once find the same. */
static const tg_vec *_Atomic now;

const tg_vec *tg_vec_now(void) {
    const tg_vec *v = atomic_load_explicit(&now, memory_order_relaxed);
    if (v) return v;
    v = choose(getenv("TG_CPU"));
    if (!v) v = choose(NULL);
    atomic_store_explicit(&now, v, memory_order_relaxed);
    return v;
}

bool tg_vec_use(const char *name) {
    const tg_vec *v = choose(name);
    if (v) atomic_store_explicit(&now, v, memory_order_relaxed);
    return v != NULL;
}
