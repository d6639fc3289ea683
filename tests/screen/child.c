/* A program behind a pseudo-terminal.
 *
 * When is what was typed worked off? A line editor turns the terminal's own line discipline off
 * while it reads, which can be seen from here: then the program is at a prompt, and when it also
 * has read all that was typed, sleeps, and is silent for a moment, it is done. While the discipline
 * is on, the program computes (or reads without an editor), and only silence can tell; this is why
 * a line that is typed next waits for the editor to come back. */
#include "tests/screen/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SILENCE_MS = 30, LONG_SILENCE_MS = 150 };

long child_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What the terminal answers by itself. */
static void answer(const char *bytes, size_t n, void *context) {
    const child *c = context;
    if (c->master >= 0 && write(c->master, bytes, n) < 0) return; /* it has gone */
}

void child_start(child *c, const char *command, const char *arguments, const char *folder, int rows,
                 int columns) {
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    char line[8192];
    snprintf(line, sizeof line, "exec \"$0\" %s", arguments);
    child_forget(c);
    *c = (child){.screen = terminal_new(rows, columns, answer, c), .last_ms = child_now_ms()};
    c->pid = forkpty(&c->master, NULL, NULL, &size);
    if (c->pid < 0) {
        perror("forkpty");
        exit(1);
    }
    if (c->pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        if (chdir(folder) == 0) execl("/bin/sh", "sh", "-c", line, command, (char *)NULL);
        _exit(127);
    }
    fcntl(c->master, F_SETFL, O_NONBLOCK);
    fcntl(c->master, F_SETFD, FD_CLOEXEC);
}

static void notice_end(child *c, int options) {
    int status;
    if (c->ended || waitpid(c->pid, &status, options) != c->pid) return;
    c->ended = true;
    c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* True: there was something. */
static bool take_in(child *c) {
    char bytes[4096];
    ssize_t n = c->master >= 0 ? read(c->master, bytes, sizeof bytes) : -1;
    if (n <= 0) return false;
    terminal_feed(c->screen, bytes, (size_t)n);
    c->last_ms = child_now_ms();
    return true;
}

void child_listen(child *c, int ms) {
    struct pollfd p = {.fd = c->master, .events = POLLIN};
    if (c->master < 0 || c->ended) {
        while (take_in(c)) {}
        if (!c->ended) {
            poll(NULL, 0, ms);
            notice_end(c, WNOHANG);
        }
        return;
    }
    int n = poll(&p, 1, ms);
    if (n > 0 && !take_in(c)) { /* the last holder of the terminal has gone */
        poll(NULL, 0, 1);
        notice_end(c, WNOHANG);
    }
}

/* Bytes typed that nobody has read. */
static int unread(const child *c) {
    char name[64];
    int n = 0;
    if (ptsname_r(c->master, name, sizeof name) != 0) return 0;
    int fd = open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    ioctl(fd, FIONREAD, &n);
    close(fd);
    return n;
}

static bool in_editor(const child *c) {
    struct termios modes;
    return c->master >= 0 && tcgetattr(c->master, &modes) == 0 && !(modes.c_lflag & ICANON);
}

static bool sleeps(const child *c) {
    char path[40], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)c->pid);
    FILE *f = fopen(path, "r");
    if (!f) return true;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    const char *state = strrchr(text, ')'); /* behind the name, which may hold anything */
    return !state || !state[1] || (state[2] != 'R' && state[2] != 'D');
}

void child_settle(child *c) {
    long deadline = child_now_ms() + PATIENCE_MS, busy = child_now_ms();
    while (!c->ended && c->master >= 0) {
        child_listen(c, 5);
        long now = child_now_ms();
        bool editor = in_editor(c);
        if (c->last_ms > busy) busy = c->last_ms;
        if (editor && (!sleeps(c) || unread(c) > 0)) busy = now;
        if (now - busy >= (editor ? SILENCE_MS : LONG_SILENCE_MS) || now > deadline) return;
    }
}

bool child_wait_prompt(child *c) {
    long deadline = child_now_ms() + PATIENCE_MS;
    while (!c->ended && c->master >= 0 && child_now_ms() < deadline) {
        char *row = terminal_cursor_row(c->screen, false);
        size_t n = strlen(row);
        bool prompt = (n >= 3 && strcmp(row + n - 3, "tg>") == 0) ||
                      (n >= 4 && strcmp(row + n - 4, "...>") == 0);
        free(row);
        if (prompt || in_editor(c)) {
            child_settle(c);
            return !c->ended;
        }
        child_listen(c, 5);
    }
    return false;
}

bool child_type(child *c, const char *bytes, size_t n) {
    size_t done = 0;
    c->was_editor = in_editor(c);
    c->entered = n > 0 && bytes[n - 1] == '\r';
    while (done < n) {
        struct pollfd p = {.fd = c->master, .events = POLLIN | POLLOUT};
        if (c->ended || c->master < 0) return false;
        ssize_t got = poll(&p, 1, 100) > 0 && p.revents & POLLOUT
                          ? write(c->master, bytes + done, n - done)
                          : 0;
        if (got > 0) done += (size_t)got;
        child_listen(c, got > 0 ? 0 : 5);
    }
    c->last_ms = child_now_ms();
    child_settle(c);
    return true;
}

void child_resize(child *c, int rows, int columns) {
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    terminal_resize(c->screen, rows, columns);
    ioctl(c->master, TIOCSWINSZ, &size);
    c->last_ms = child_now_ms();
    child_settle(c);
}

void child_close(child *c) {
    if (c->master >= 0) close(c->master);
    c->master = -1;
}

bool child_wait_end(child *c) {
    long deadline = child_now_ms() + PATIENCE_MS;
    while (!c->ended && child_now_ms() < deadline) {
        child_listen(c, 10);
        notice_end(c, WNOHANG);
    }
    while (take_in(c)) {}
    return c->ended;
}

void child_forget(child *c) {
    if (!c->screen) return;
    if (!c->ended) {
        kill(c->pid, SIGKILL);
        notice_end(c, 0);
    }
    child_close(c);
    terminal_free(c->screen);
    c->screen = NULL;
}
