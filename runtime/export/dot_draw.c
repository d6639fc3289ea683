/* Running graphviz. Its `dot` reads the text from one pipe and writes the picture into another;
 * both are served in one loop, so that neither side waits for the other with a full pipe. No shell
 * is involved, and what dot has to say goes to the user's own standard error. */
#include "runtime/export/dot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void close_pair(int *p) {
    for (int i = 0; i < 2; i++)
        if (p[i] >= 0) close(p[i]);
}

/* Starts it with `in` as its input and `out` as its output. 0, or an errno. */
static int start(const char *format, const int *in, const int *out, pid_t *pid) {
    char option[16] = "-T";
    strncat(option, format, sizeof option - 3);
    char name[] = "dot";
    char *const argv[] = {name, option, NULL};
    posix_spawn_file_actions_t actions;
    int status = posix_spawn_file_actions_init(&actions);
    if (status) return status;
    status = posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    if (!status) status = posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (!status) status = posix_spawnp(pid, "dot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

/* Feeds and drains until the picture ends. */
static bool serve(tg_rt *rt, int to, int from, const tg_str *dot, tg_str *picture) {
    size_t sent = 0;
    char buffer[8192];
    for (;;) {
        struct pollfd p[2] = {{from, POLLIN, 0}, {to, POLLOUT, 0}};
        if (!tg_check_interrupt(&rt->c)) break;
        if (poll(p, to >= 0 ? 2 : 1, 200) < 0 && errno != EINTR) break;
        if (to >= 0 && p[1].revents) {
            ssize_t n = write(to, dot->text + sent, dot->len - sent);
            if (n > 0) sent += (size_t)n;
            if ((n < 0 && errno != EAGAIN && errno != EINTR) || sent == dot->len) {
                close(to);
                to = -1;
            }
        }
        if (p[0].revents) {
            ssize_t n = read(from, buffer, sizeof buffer);
            if (n == 0) break;
            if (n > 0) tg_str_addn(picture, buffer, (size_t)n);
        }
    }
    if (to >= 0) close(to);
    return rt->c.diag.kind == TG_ERR_NONE;
}

bool tg_dot_draw(tg_rt *rt, const tg_str *dot, const char *format, tg_str *picture, bool *missing) {
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    pid_t pid = 0;
    *missing = false;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        close_pair(in);
        return tg_fail(&rt->c, TG_ERR_FILE, "cannot run dot: %s", strerror(errno));
    }
    int status = start(format, in, out, &pid);
    close(in[0]);
    close(out[1]);
    if (status) {
        close(in[1]);
        close(out[0]);
        *missing = status == ENOENT;
        return *missing || tg_fail(&rt->c, TG_ERR_FILE, "cannot run dot: %s", strerror(status));
    }
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    bool ok = serve(rt, in[1], out[0], dot, picture);
    close(out[0]);
    if (!ok) kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    signal(SIGPIPE, old);
    if (ok && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return tg_fail(&rt->c, TG_ERR_FILE, "graphviz's dot failed");
    return ok && picture->failed ? tg_fail_memory(&rt->c) : ok;
}
