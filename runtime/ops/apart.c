/* A child has a copy of all memory as it was, so the body finds what it wants; what it makes it
 * writes into a stretch of memory that both share, behind a head that tells how it ended. Its end
 * is seen as the end of a pipe. It hears no signals, as Ctrl-C goes to all processes before a
 * terminal, and ends with its parent.
 *
 * Where there is no child to be had (no memory, too many processes) the work is done here. A parent
 * that collects the ends of all its children itself takes nothing away from this: the pipe tells.
 */
#include "runtime/ops/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static const double least_flops = 1e9; /* about 30 milliseconds: a process costs 1 to 5 */

/* Of the shared memory; the values follow. */
typedef struct head {
    bool ended, ok;
    tg_diag diag; /* its texts are here as well as there */
} head;

enum { HEAD = (sizeof(head) + 63) / 64 * 64 };

static void work(tg_rt *rt, head *h, tg_apart_body *body, void *user) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    rt->c.interrupted = 0;
    h->ok = body(user, (char *)h + HEAD);
    h->diag = rt->c.diag;
    h->ended = true;
    _exit(0);
}

/* Until the child is gone, or there is an interrupt. */
static void await(const tg_rt *rt, int end) {
    struct pollfd in = {.fd = end, .events = POLLIN};
    while (!rt->c.interrupted) {
        int n = poll(&in, 1, 50); /* an interrupt may come just before; then it waits so long */
        if (n > 0 || (n < 0 && errno != EINTR)) break;
    }
}

static pid_t start(tg_rt *rt, int pipe_end[2], head *h, tg_apart_body *body, void *user) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        close(pipe_end[0]);
        work(rt, h, body, user);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return child;
}

bool tg_apart_run(tg_rt *rt, double flops, void *out, size_t bytes, tg_apart_body *body,
                  void *user) {
    int end[2];
    if (!rt->forks || flops < least_flops || bytes > SIZE_MAX - HEAD) return body(user, out);
    head *h = mmap(NULL, HEAD + bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (h == MAP_FAILED) return body(user, out);
    pid_t child = -1;
    if (pipe2(end, O_CLOEXEC) == 0) {
        child = start(rt, end, h, body, user);
        close(end[1]);
        if (child > 0) {
            await(rt, end[0]);
            kill(child, SIGKILL);
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        }
        close(end[0]);
    }
    bool ok, ended = child > 0 && h->ended;
    if (child > 0 && !tg_check_interrupt(&rt->c)) {
        ok = false;
    } else if (!ended) { /* somebody else ended it, or there was none */
        ok = body(user, out);
    } else {
        ok = h->ok;
        if (ok) memcpy(out, (char *)h + HEAD, bytes);
        if (!ok) rt->c.diag = h->diag;
    }
    munmap(h, HEAD + bytes);
    return ok;
}
