/* A call is a job, which lies on the caller's stack: a body and the number of the next part.
 * Whoever works on it, the caller among them, takes numbers from an atomic counter until there are
 * no more, so that a thread that the system lets wait holds nobody up. A job is open from when it
 * is posted until the caller has found no further part; threads that wake later do not join it, and
 * the caller waits only for those that did.
 *
 * Idle threads look for the next job for some microseconds, since one operation follows on another,
 * and then sleep on a condition variable. They block all signals: these are for the threads of the
 * program. What else may happen:
 *   - no thread, or not all, can be made: the others do the work
 *   - a fork: the child has none of the threads; it leaves what it inherited of them alone, and
 *     makes new ones
 *   - a part has parts of its own: whoever runs it runs these */
#include "runtime/pool/pool.h"
#include "base/alloc.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MOST_THREADS = 128, /* OpenBLAS has two buffers for each of so many, and ends the process when
                           there is none left */
    STACK = 2 << 20,    /* bytes; bodies recurse over nothing that a user wrote */
    LOOKS = 2000,       /* of an idle thread before it sleeps: about 20 microseconds */
};

typedef struct job {
    tg_pool_body *body;
    void *user;
    int64_t n;
    _Atomic int64_t next; /* the first part that nobody has taken */
    atomic_bool stop;     /* no further part shall be taken */
    atomic_bool failed;   /* a body returned false */
} job;

struct tg_pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* there is a job, or it is time to end */
    pthread_cond_t idle; /* nobody works on the last job any more */
    job *open;           /* may be joined; NULL: none. Under the lock, as what follows */
    int asleep;          /* threads that wait for `work` */
    bool quit;
    _Atomic int joined;     /* threads at work on the job */
    _Atomic uint64_t calls; /* jobs posted; this and `joined` change under the lock */
    uint64_t forks;         /* the value of `forks` in which its threads live */
    int wanted;             /* threads besides the caller's that there should be ... */
    int count;              /* ... and that could be made */
    pthread_t thread[];
};

/* The job of which this thread runs a part. */
static _Thread_local job *inside;
/* The context of whoever called tg_pool_run, on its own thread; NULL on the others. */
static _Thread_local const tg_ctx *caller;

static void pause_briefly(void) {
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* ---- working ---- */

static bool is_interrupted(const tg_ctx *c) {
    return c && c->interrupted && !c->interrupt_waits;
}

bool tg_pool_stops(void) {
    if (!inside) return false;
    if (is_interrupted(caller)) atomic_store(&inside->stop, true);
    return atomic_load_explicit(&inside->stop, memory_order_relaxed);
}

/* Takes parts until there are none. `c` is the caller's context; NULL on the other threads. */
static void work_on(job *j, const tg_ctx *c) {
    job *outer = inside;
    inside = j;
    if (!outer) caller = c;
    while (!atomic_load_explicit(&j->stop, memory_order_relaxed)) {
        int64_t i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed);
        if (i >= j->n) break;
        bool ok = j->body(j->user, i);
        if (!ok) atomic_store(&j->failed, true);
        if (!ok || is_interrupted(c) || (outer && atomic_load(&outer->stop)))
            atomic_store(&j->stop, true);
    }
    inside = outer;
    if (!outer) caller = NULL;
}

/* Was every part run? A part that was taken was run, also after `stop`. */
static bool is_complete(const job *j) {
    return !atomic_load(&j->failed) && atomic_load(&j->next) >= j->n;
}

static void *serve(void *arg) {
    struct tg_pool *p = arg;
    uint64_t seen = 0;
    for (;;) {
        for (int i = 0; i < LOOKS && atomic_load_explicit(&p->calls, memory_order_relaxed) == seen;
             i++)
            pause_briefly();
        pthread_mutex_lock(&p->lock);
        while (p->calls == seen && !p->quit) {
            p->asleep++;
            pthread_cond_wait(&p->work, &p->lock);
            p->asleep--;
        }
        if (p->quit) break;
        seen = p->calls;
        job *j = p->open;
        if (j) p->joined++;
        pthread_mutex_unlock(&p->lock);
        if (!j) continue;
        work_on(j, NULL);
        pthread_mutex_lock(&p->lock);
        if (--p->joined == 0) pthread_cond_signal(&p->idle);
        pthread_mutex_unlock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- making and ending the threads ---- */

static atomic_uint_fast64_t forks; /* of this process and those it comes from */
static atomic_bool counts_forks;

static void count_fork(void) {
    forks++;
}

static void watch_forks(void) {
    counts_forks = pthread_atfork(NULL, NULL, count_fork) == 0;
}

static void start_threads(struct tg_pool *p) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) return;
    pthread_attr_setstacksize(&attr, STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* threads inherit it */
    while (p->count < p->wanted && pthread_create(&p->thread[p->count], &attr, serve, p) == 0)
        p->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
}

static struct tg_pool *make_pool(int wanted) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    if (!counts_forks) return NULL;
    struct tg_pool *p = tg_alloc_array(1, sizeof *p + (size_t)wanted * sizeof *p->thread);
    if (!p) return NULL;
    p->wanted = wanted;
    p->forks = forks;
    pthread_mutex_init(&p->lock, NULL); /* these cannot fail where threads are Linux's */
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->idle, NULL);
    start_threads(p);
    return p;
}

void tg_pool_end(tg_rt *rt) {
    struct tg_pool *p = rt->pool;
    rt->pool = NULL;
    if (p && p->forks == forks) {
        pthread_mutex_lock(&p->lock);
        p->quit = true;
        p->calls++; /* for those that are not asleep yet */
        pthread_cond_broadcast(&p->work);
        pthread_mutex_unlock(&p->lock);
        for (int i = 0; i < p->count; i++) pthread_join(p->thread[i], NULL);
        pthread_cond_destroy(&p->idle);
        pthread_cond_destroy(&p->work);
        pthread_mutex_destroy(&p->lock);
    }
    tg_free(p);
}

/* The pool, with its threads; NULL: there are none. */
static struct tg_pool *pool_of(tg_rt *rt) {
    int wanted = rt->threads - 1;
    if (rt->pool && (rt->pool->forks != forks || rt->pool->wanted != wanted)) tg_pool_end(rt);
    if (!rt->pool) rt->pool = make_pool(wanted);
    return rt->pool && rt->pool->count > 0 ? rt->pool : NULL;
}

/* ---- a call ---- */

static void post(struct tg_pool *p, job *j) {
    int64_t helpers = j->n - 1 < p->count ? j->n - 1 : p->count;
    pthread_mutex_lock(&p->lock);
    p->open = j;
    p->calls++;
    for (int64_t i = p->count - p->asleep; i < helpers; i++) pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

/* Tests: lets the others come before there is a part left for the caller alone. */
static void await_all(struct tg_pool *p, const job *j) {
    int64_t helpers = j->n - 1 < p->count ? j->n - 1 : p->count;
    while (p->joined < helpers && atomic_load(&j->next) < j->n && !atomic_load(&j->stop))
        sched_yield();
}

static void finish(struct tg_pool *p) {
    pthread_mutex_lock(&p->lock);
    p->open = NULL;
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < LOOKS && p->joined > 0; i++) pause_briefly();
    pthread_mutex_lock(&p->lock);
    while (p->joined > 0) pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

bool tg_pool_run(tg_rt *rt, int64_t n, double cost, tg_pool_body *body, void *user) {
    job j = {.body = body, .user = user, .n = n};
    if (inside) {
        work_on(&j, NULL);
        return is_complete(&j);
    }
    bool share = rt->threads > 1 && n > 1 && cost >= rt->share_from;
    struct tg_pool *p = share ? pool_of(rt) : NULL;
    if (p) {
        rt->shared++;
        post(p, &j);
        if (rt->share_from < 0) await_all(p, &j);
    }
    work_on(&j, &rt->c);
    if (p) finish(p);
    return is_complete(&j) || (tg_check_interrupt(&rt->c) && tg_fail_memory(&rt->c));
}

bool tg_pool_no_memory(tg_rt *rt) {
    return !inside && tg_fail_memory(&rt->c);
}

uint64_t tg_pool_shared(const tg_rt *rt) {
    return rt->shared;
}

/* ---- how many ---- */

/* A number at the beginning of the variable ("4" or, for nested levels, "4,2"); 0: none. */
static int number_in(const char *variable) {
    const char *text = getenv(variable);
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;
    if (n < 1 || (*end && *end != ',')) return 0;
    return n < INT_MAX ? (int)n : INT_MAX;
}

int tg_pool_default_threads(void) {
    int n = number_in("TG_NUM_THREADS");
    if (n == 0) n = number_in("OMP_NUM_THREADS");
    if (n == 0) {
        cpu_set_t set; /* of 1024 processors; with more the call fails */
        bool known = sched_getaffinity(0, sizeof set, &set) == 0;
        n = known ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    }
    return n < 1 ? 1 : n < MOST_THREADS ? n : MOST_THREADS;
}

void tg_runtime_set_threads(tg_rt *rt, int n) {
    rt->threads = n < 1 ? 1 : n < MOST_THREADS ? n : MOST_THREADS;
}
