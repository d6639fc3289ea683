/* Running other programs.
 *
 * One loop feeds and drains all pipes, so that neither side waits for the other with a full one.
 * The program that is not to see the terminal gets a process group of its own: Ctrl-C then comes to
 * this process alone, which kills the group, children of the program included. What is handed the
 * terminal stays in this group, as in system(3), so that the shell around stops and wakes both.
 *
 * A write into a pipe that nobody reads would raise SIGPIPE. It is blocked for this thread
 * meanwhile and taken back if it came; what the process does on SIGPIPE is never changed. */
#include "base/process.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- SIGPIPE ---- */

typedef struct pipe_guard {
    sigset_t before; /* the thread's mask */
    bool pending;    /* a SIGPIPE of somebody else's waits already */
} pipe_guard;

static pipe_guard guard_begin(void) {
    pipe_guard g;
    sigset_t set;
    sigpending(&set);
    g.pending = sigismember(&set, SIGPIPE) == 1;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &g.before);
    return g;
}

static void guard_end(const pipe_guard *g) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    while (!g->pending && sigtimedwait(&set, NULL, &(struct timespec){0}) < 0 && errno == EINTR) {}
    pthread_sigmask(SIG_SETMASK, &g->before, NULL);
}

/* ---- starting ---- */

/* The ends of the pipes: ours, and the program's. -1: none. */
typedef struct pipes {
    int in[2], out[2], err[2];
} pipes;

static void close_end(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void close_all(pipes *io) {
    int *const pair[] = {io->in, io->out, io->err};
    for (int i = 0; i < 3; i++) {
        close_end(&pair[i][0]);
        close_end(&pair[i][1]);
    }
}

/* Signals as a program expects them, whatever this process has made of them. */
static int set_signals(posix_spawnattr_t *attr, bool background) {
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    const int back[] = {SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGTSTP, SIGCHLD, SIGHUP, SIGWINCH};
    for (size_t i = 0; i < sizeof back / sizeof *back; i++) sigaddset(&usual, back[i]);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int status = posix_spawnattr_setsigmask(attr, &none);
    if (!status) status = posix_spawnattr_setsigdefault(attr, &usual);
    if (!status && background) {
        flags |= POSIX_SPAWN_SETPGROUP;
        status = posix_spawnattr_setpgroup(attr, 0);
    }
    return status ? status : posix_spawnattr_setflags(attr, (short)flags);
}

/* 0, or an errno. */
static int start(const tg_process *p, const pipes *io, bool background, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int status = posix_spawn_file_actions_init(&actions);
    if (status) return status;
    status = posix_spawnattr_init(&attr);
    if (status) {
        posix_spawn_file_actions_destroy(&actions);
        return status;
    }
    const int from[3] = {io->in[0], io->out[1], io->err[1]};
    for (int fd = 0; fd < 3 && !status; fd++)
        if (from[fd] >= 0) status = posix_spawn_file_actions_adddup2(&actions, from[fd], fd);
    if (!status) status = set_signals(&attr, background);
    if (!status)
        status = posix_spawnp(pid, p->argv[0], &actions, &attr, (char *const *)(uintptr_t)p->argv,
                              environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

static tg_process_end refused(tg_process *p, int why) {
    p->code = why;
    return why == ENOENT || why == ENOTDIR ? TG_PROCESS_MISSING : TG_PROCESS_REFUSED;
}

static void note_end(tg_process *p, int status) {
    p->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- in the background ---- */

/* What calls for an end before the end; TG_PROCESS_DONE: nothing. */
static tg_process_end called_off(const tg_process *p, double begin) {
    if (p->interrupted && *p->interrupted) return TG_PROCESS_STOPPED;
    return p->seconds > 0 && tg_clock_now() - begin > p->seconds ? TG_PROCESS_LATE
                                                                 : TG_PROCESS_DONE;
}

static void feed(const tg_process *p, int *fd, size_t *sent) {
    ssize_t n = write(*fd, p->input + *sent, p->input_len - *sent);
    if (n > 0) *sent += (size_t)n;
    if (*sent == p->input_len || (n < 0 && errno != EAGAIN && errno != EINTR)) close_end(fd);
}

static void drain(int *fd, tg_str *to) {
    char buffer[16384];
    ssize_t n = read(*fd, buffer, sizeof buffer);
    if (n > 0) tg_str_addn(to, buffer, (size_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) close_end(fd);
}

enum { LOOK = 50 }; /* milliseconds between looks at the flag */

static tg_process_end serve(const tg_process *p, pipes *io, double begin) {
    size_t sent = 0;
    while (io->in[1] >= 0 || io->out[0] >= 0 || io->err[0] >= 0) {
        tg_process_end end = called_off(p, begin);
        if (end != TG_PROCESS_DONE) return end;
        struct pollfd fds[3] = {
            {io->in[1], POLLOUT, 0}, {io->out[0], POLLIN, 0}, {io->err[0], POLLIN, 0}};
        if (poll(fds, 3, LOOK) < 0) continue; /* a signal: look at the flag */
        if (io->in[1] >= 0 && fds[0].revents) feed(p, &io->in[1], &sent);
        if (io->out[0] >= 0 && fds[1].revents) drain(&io->out[0], p->out);
        if (io->err[0] >= 0 && fds[2].revents) drain(&io->err[0], p->err);
    }
    return TG_PROCESS_DONE;
}

/* It has closed its pipes and is about to end; if it is not, the flag is still looked at. */
static tg_process_end wait_for(tg_process *p, pid_t pid, double begin) {
    int status = 0, pause = 1;
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR)) break;
        tg_process_end end = called_off(p, begin);
        if (end != TG_PROCESS_DONE) return end;
        poll(NULL, 0, pause);
        pause = pause < LOOK / 2 ? pause * 2 : LOOK;
    }
    note_end(p, status);
    return TG_PROCESS_DONE;
}

tg_process_end tg_process_run(tg_process *p) {
    pipes io = {{-1, -1}, {-1, -1}, {-1, -1}};
    pid_t pid;
    if (pipe2(io.in, O_CLOEXEC) != 0 || (p->out && pipe2(io.out, O_CLOEXEC) != 0) ||
        (p->err && pipe2(io.err, O_CLOEXEC) != 0)) {
        int why = errno;
        close_all(&io);
        p->code = why;
        return TG_PROCESS_REFUSED;
    }
    int why = start(p, &io, true, &pid);
    close_end(&io.in[0]);
    close_end(&io.out[1]);
    close_end(&io.err[1]);
    if (why) {
        close_all(&io);
        return refused(p, why);
    }
    double begin = tg_clock_now();
    if (!p->input || p->input_len == 0)
        close_end(&io.in[1]);
    else
        fcntl(io.in[1], F_SETFL, O_NONBLOCK);
    pipe_guard g = guard_begin();
    tg_process_end end = serve(p, &io, begin);
    guard_end(&g);
    if (end == TG_PROCESS_DONE) end = wait_for(p, pid, begin);
    close_all(&io);
    if (end != TG_PROCESS_DONE) {
        int status;
        kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    }
    return end;
}

/* ---- in the foreground ---- */

static void write_input(const tg_process *p, int fd) {
    pipe_guard g = guard_begin();
    for (size_t sent = 0; sent < p->input_len;) {
        ssize_t n = write(fd, p->input + sent, p->input_len - sent);
        if (n < 0 && errno != EINTR) break; /* it reads no more: a pager that was left */
        if (n > 0) sent += (size_t)n;
    }
    guard_end(&g);
}

tg_process_end tg_process_hand_over(tg_process *p) {
    pipes io = {{-1, -1}, {-1, -1}, {-1, -1}};
    pid_t pid;
    if (p->input && pipe2(io.in, O_CLOEXEC) != 0) {
        p->code = errno;
        return TG_PROCESS_REFUSED;
    }
    struct termios modes;
    bool terminal = tcgetattr(STDIN_FILENO, &modes) == 0;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, on_int, on_quit;
    sigaction(SIGINT, &ignore, &on_int);
    sigaction(SIGQUIT, &ignore, &on_quit);
    int why = start(p, &io, false, &pid);
    close_end(&io.in[0]);
    if (!why) {
        if (p->input) write_input(p, io.in[1]);
        close_end(&io.in[1]);
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
        note_end(p, status);
        if (terminal) tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
    }
    close_all(&io);
    sigaction(SIGINT, &on_int, NULL);
    sigaction(SIGQUIT, &on_quit, NULL);
    return why ? refused(p, why) : TG_PROCESS_DONE;
}
