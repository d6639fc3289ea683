/* The pool of threads: each part once, on several threads, and what may go wrong. */
#include "base/alloc.h"
#include "runtime/pool/pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARTS = 1000, WORK = 1000 * 1000 * 1000 };

static bool open_state(tg_rt *rt, int threads) {
    if (!tg_rt_init(rt)) return false;
    tg_runtime_set_threads(rt, threads);
    rt->share_from = -1;
    return true;
}

/* ---- parts ---- */

typedef struct tally {
    tg_rt *rt;
    atomic_int runs[PARTS];
    atomic_int present, others;
    pthread_t caller;
    int64_t fails; /* the part that does */
    int want;      /* threads to wait for */
} tally;

static void new_tally(tally *t, tg_rt *rt) {
    memset(t, 0, sizeof *t);
    t->rt = rt;
    t->fails = -1;
    t->caller = pthread_self();
}

static bool count_part(void *user, int64_t i) {
    tally *t = user;
    t->runs[i]++;
    if (!pthread_equal(pthread_self(), t->caller)) t->others++;
    return i != t->fails;
}

static void assert_once(const tally *t, int64_t n) {
    for (int64_t i = 0; i < PARTS; i++) assert_int_equal(t->runs[i], i < n);
}

static void each_part_runs_once(void **state) {
    (void)state;
    static tally t;
    for (int threads = 1; threads <= 8; threads++) {
        tg_rt rt;
        assert_true(open_state(&rt, threads));
        for (int64_t n = 0; n <= PARTS; n = n < 10 ? n + 1 : n * 3) {
            new_tally(&t, &rt);
            assert_true(tg_pool_run(&rt, n, WORK, count_part, &t));
            assert_once(&t, n);
        }
        assert_true((tg_pool_shared(&rt) > 0) == (threads > 1));
        tg_rt_free(&rt);
    }
}

/* Nobody goes on before `want` parts have begun: this ends only if they run on as many threads. */
static bool meet(void *user, int64_t i) {
    tally *t = user;
    t->present++;
    while (t->present < t->want) usleep(50);
    return count_part(user, i);
}

static void parts_run_at_the_same_time(void **state) {
    (void)state;
    static tally t;
    tg_rt rt;
    assert_true(open_state(&rt, 4));
    for (int turn = 0; turn < 50; turn++) { /* of threads that look for work, or sleep */
        new_tally(&t, &rt);
        t.want = 2 + turn % 3;
        if (turn % 5 == 0) usleep(3000);
        assert_true(tg_pool_run(&rt, t.want, WORK, meet, &t));
        assert_once(&t, t.want);
        assert_true(t.others >= 1);
    }
    tg_rt_free(&rt);
}

static void little_work_stays_with_the_caller(void **state) {
    (void)state;
    static tally t;
    tg_rt rt;
    assert_true(open_state(&rt, 4));
    rt.share_from = 1000;
    new_tally(&t, &rt);
    assert_true(tg_pool_run(&rt, 10, 999, count_part, &t));
    assert_once(&t, 10);
    assert_int_equal(t.others, 0);
    assert_null(rt.pool);
    assert_int_equal(tg_pool_shared(&rt), 0);
    tg_rt_free(&rt);
}

/* ---- errors ---- */

static void a_part_without_memory_is_an_error(void **state) {
    (void)state;
    static tally t;
    for (int threads = 1; threads <= 3; threads++) {
        tg_rt rt;
        assert_true(open_state(&rt, threads));
        new_tally(&t, &rt);
        t.fails = 17;
        assert_false(tg_pool_run(&rt, PARTS, WORK, count_part, &t));
        assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
        assert_int_equal(t.runs[17], 1);
        new_tally(&t, &rt); /* and the next call knows nothing of it */
        assert_true(tg_pool_run(&rt, PARTS, WORK, count_part, &t));
        assert_once(&t, PARTS);
        tg_rt_free(&rt);
    }
}

static bool interrupt_on_caller(void *user, int64_t i) {
    tally *t = user;
    if (pthread_equal(pthread_self(), t->caller)) t->rt->c.interrupted = 1;
    usleep(100);
    return count_part(user, i);
}

static void an_interrupt_stops_between_parts(void **state) {
    (void)state;
    static tally t;
    for (int threads = 1; threads <= 3; threads++) {
        tg_rt rt;
        assert_true(open_state(&rt, threads));
        new_tally(&t, &rt);
        assert_false(tg_pool_run(&rt, PARTS, WORK, interrupt_on_caller, &t));
        assert_int_equal(rt.c.diag.kind, TG_ERR_INTERRUPT);
        assert_int_equal(rt.c.interrupted, 0);
        assert_int_equal(t.runs[PARTS - 1], 0);
        tg_rt_free(&rt);
    }
}

/* ---- parts of parts ---- */

static bool run_inner(void *user, int64_t i) {
    tally *t = user;
    (void)i;
    return tg_pool_run(t->rt, 10, WORK, count_part, t);
}

static void parts_of_a_part_run_where_it_runs(void **state) {
    (void)state;
    static tally t;
    tg_rt rt;
    assert_true(open_state(&rt, 3));
    new_tally(&t, &rt);
    assert_true(tg_pool_run(&rt, 20, WORK, run_inner, &t));
    for (int i = 0; i < 10; i++) assert_int_equal(t.runs[i], 20);
    new_tally(&t, &rt);
    t.fails = 3;
    assert_false(tg_pool_run(&rt, 20, WORK, run_inner, &t));
    assert_int_equal(rt.c.diag.kind, TG_ERR_MEMORY);
    assert_int_equal(t.runs[9], 0);
    tg_rt_free(&rt);
}

/* ---- the process ---- */

static void the_number_may_change(void **state) {
    (void)state;
    static tally t;
    tg_rt rt;
    assert_true(open_state(&rt, 1));
    for (int turn = 0; turn < 20; turn++) {
        tg_runtime_set_threads(&rt, 1 + turn * 7 % 5);
        new_tally(&t, &rt);
        assert_true(tg_pool_run(&rt, 100, WORK, count_part, &t));
        assert_once(&t, 100);
    }
    tg_rt_free(&rt);
}

static void states_do_not_share_threads(void **state) {
    (void)state;
    static tally t;
    tg_rt a, b;
    assert_true(open_state(&a, 2) && open_state(&b, 3));
    for (int turn = 0; turn < 10; turn++) {
        tg_rt *rt = turn % 2 ? &a : &b;
        new_tally(&t, rt);
        t.want = rt->threads;
        assert_true(tg_pool_run(rt, t.want, WORK, meet, &t));
    }
    tg_rt_free(&a);
    new_tally(&t, &b);
    assert_true(tg_pool_run(&b, 100, WORK, count_part, &t));
    assert_once(&t, 100);
    tg_rt_free(&b);
}

/* Runs `act` in a child process and gives its exit status. */
static int in_child(int (*act)(tg_rt *rt), tg_rt *rt) {
    pid_t child = fork();
    if (child == 0) _exit(act(rt));
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Several threads again; 0: all is well. */
static int use_pool(tg_rt *rt) {
    static tally t;
    new_tally(&t, rt);
    t.want = rt->threads;
    bool ok = tg_pool_run(rt, t.want, WORK, meet, &t) && t.others >= 1;
    for (int i = 0; i < t.want; i++) ok = ok && t.runs[i] == 1;
    tg_rt_free(rt);
    return ok ? 0 : 1;
}

static void a_forked_process_has_threads_too(void **state) {
    (void)state;
    static tally t;
    tg_rt rt;
    assert_true(open_state(&rt, 3));
    new_tally(&t, &rt);
    assert_true(tg_pool_run(&rt, 100, WORK, count_part, &t));
    assert_int_equal(in_child(use_pool, &rt), 0);
    assert_int_equal(use_pool(&rt), 0);
}

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* they want much address space  \
                                                                   */

/* No room for the stack of a thread, beyond those that OpenBLAS's threads had before the fork. */
static int use_fewer_threads(tg_rt *rt) {
    static tally t;
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld", &pages) != 1) return 2;
    fclose(f);
    rlim_t now = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
    struct rlimit most = {now + (1 << 20), now + (1 << 20)};
    if (setrlimit(RLIMIT_AS, &most) != 0) return 3;
    new_tally(&t, rt);
    bool ok = tg_pool_run(rt, PARTS, WORK, count_part, &t);
    for (int i = 0; i < PARTS; i++) ok = ok && t.runs[i] == 1;
    tg_rt_free(rt);
    return ok ? 0 : 1;
}

static void the_work_is_done_by_fewer_threads(void **state) {
    (void)state;
    tg_rt rt;
    assert_true(open_state(&rt, 128));
    assert_int_equal(in_child(use_fewer_threads, &rt), 0);
    tg_rt_free(&rt);
}

#endif

static void without_memory_for_the_pool_the_caller_does_the_work(void **state) {
    (void)state;
    static tally t;
    tg_rt rt;
    assert_true(open_state(&rt, 3));
    new_tally(&t, &rt);
    tg_alloc_fail_at(1);
    assert_true(tg_pool_run(&rt, 100, WORK, count_part, &t));
    tg_alloc_fail_at(0);
    assert_once(&t, 100);
    assert_int_equal(t.others, 0);
    tg_rt_free(&rt);
}

static void threads_leave_signals_to_the_program(void **state) {
    (void)state;
    static tally t;
    tg_rt rt;
    sigset_t before, after;
    assert_true(open_state(&rt, 3));
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    new_tally(&t, &rt);
    assert_true(tg_pool_run(&rt, 10, WORK, count_part, &t));
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int i = 1; i < 32; i++) assert_int_equal(sigismember(&before, i), sigismember(&after, i));
    tg_rt_free(&rt);
}

static void the_environment_says_how_many(void **state) {
    (void)state;
    unsetenv("TG_NUM_THREADS");
    unsetenv("OMP_NUM_THREADS");
    assert_true(tg_pool_default_threads() >= 1);
    setenv("OMP_NUM_THREADS", "3,2", 1);
    assert_int_equal(tg_pool_default_threads(), 3);
    setenv("TG_NUM_THREADS", "5", 1);
    assert_int_equal(tg_pool_default_threads(), 5);
    setenv("TG_NUM_THREADS", "many", 1);
    assert_int_equal(tg_pool_default_threads(), 3);
    setenv("OMP_NUM_THREADS", "-1", 1);
    assert_true(tg_pool_default_threads() >= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
/* first: the stacks of ended threads would be used again */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
        cmocka_unit_test(the_work_is_done_by_fewer_threads),
#endif
        cmocka_unit_test(each_part_runs_once),
        cmocka_unit_test(parts_run_at_the_same_time),
        cmocka_unit_test(little_work_stays_with_the_caller),
        cmocka_unit_test(a_part_without_memory_is_an_error),
        cmocka_unit_test(an_interrupt_stops_between_parts),
        cmocka_unit_test(parts_of_a_part_run_where_it_runs),
        cmocka_unit_test(the_number_may_change),
        cmocka_unit_test(states_do_not_share_threads),
        cmocka_unit_test(a_forked_process_has_threads_too),
        cmocka_unit_test(without_memory_for_the_pool_the_caller_does_the_work),
        cmocka_unit_test(threads_leave_signals_to_the_program),
        cmocka_unit_test(the_environment_says_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
