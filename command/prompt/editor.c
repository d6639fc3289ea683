/* The line editor: GNU readline or libedit, driven through their callback interface, one character
 * at a time behind a wait of our own, so that Ctrl-C is an ordinary event of this loop: no long
 * jump leaves the library. What the keys of tg do beyond the library's stands in keys.c.
 *
 * Signals are blocked but for the wait itself, so that one that comes just before is not slept
 * over; main.c sees to it that no other thread takes them. One that came is answered before what
 * waits to be read, which was typed after it: the terminal drops what was typed before. */
#include "command/prompt/prompt.h"

#if defined TG_HAVE_READLINE || defined TG_HAVE_LIBEDIT

#include "base/alloc.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef TG_HAVE_READLINE
#include <readline/history.h>
#include <readline/readline.h>
const char tg_editor_name[] = "readline";
#else
#include <editline/readline.h>
const char tg_editor_name[] = "libedit";
#endif

static char *received; /* the line that the callback was given; of malloc */
static bool received_any, ended;
static const char *preset; /* stands in the next line from the start; NULL: nothing */
static sigset_t heard;     /* the signal mask of the wait */

/* ---- history ---- */

#ifdef TG_HAVE_READLINE
/* By hashes: which entries there may be. Of what was never entered before, as most is, the history
 * need not be looked through. */
static unsigned char may_be_there[1 << 16];

/* Was it possibly noted before? */
static bool note(const char *text) {
    const uint64_t hash = tg_hash_text(text);
    unsigned char *at = &may_be_there[hash >> 3 & (sizeof may_be_there - 1)];
    const unsigned char bit = (unsigned char)(1U << (hash & 7));
    const bool was = *at & bit;
    *at |= bit;
    return was;
}
#endif

void tg_editor_remember(const char *text) {
    text += strspn(text, " \t\n");
    if (!*text) return;
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
    if (last && strcmp(last->line, text) == 0) return;
#ifdef TG_HAVE_READLINE
    HIST_ENTRY **all = history_list();
    for (int i = note(text) ? history_length : 0; all && i-- > 0;)
        if (strcmp(all[i]->line, text) == 0) free_history_entry(remove_history(i));
#endif
    add_history(text);
    tg_history_append(text);
}

static void add_old(const char *entry) {
#ifdef TG_HAVE_READLINE
    note(entry);
#endif
    add_history(entry);
}

/* ---- reading ---- */

static void on_line(char *line) {
    received = line;
    received_any = true;
    ended = line == NULL;
    rl_callback_handler_remove(); /* no prompt before the line was answered */
}

/* Lets the editor do what signals ask of it: it catches them all, and raises again those that are
 * not its own. One that stopped tg has let a shell write in between: the line is drawn again. */
static void serve_signals(void) {
#ifdef TG_HAVE_READLINE
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, &heard, &blocked);
    const bool stops = rl_pending_signal() == SIGTSTP;
    /* Where the drawing is not its own, it does not look for the line that a new size has moved. */
    rl_voidfunc_t *draws = rl_redisplay_function;
    rl_redisplay_function = rl_redisplay;
    rl_check_signals();
    rl_redisplay_function = draws;
    if (stops) rl_forced_update_display();
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    if (!stops) return;
    rl_on_new_line(); /* goes on below what the shell has written */
    rl_redisplay();
#endif
}

/* Caught by the editor while it worked on the last character? */
static bool signal_waits(void) {
#ifdef TG_HAVE_READLINE
    return rl_pending_signal() != 0;
#else
    return false;
#endif
}

static const int meant[] = {SIGINT, SIGTSTP, SIGWINCH, SIGTERM, SIGHUP};
enum { MEANT = sizeof meant / sizeof *meant };

/* The editor may have opened them. */
static void block_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < MEANT; i++) sigaddset(&set, meant[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool signal_is_blocked(void) {
    sigset_t set;
    bool any = false;
    sigpending(&set);
    for (int i = 0; i < MEANT; i++) any = any || sigismember(&set, meant[i]) == 1;
    return any;
}

int tg_editor_wait(void) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    block_signals();
    if (tg_command_interrupted) return 0;
    int n = signal_waits() ? -1 : ppoll(&in, 1, NULL, &heard);
    if (n < 0 ? signal_waits() || errno == EINTR : signal_is_blocked()) {
        serve_signals();
        return 0;
    }
    return n < 0 || in.revents & POLLNVAL ? -1 : 1;
}

/* Waits for one character and gives it to the editor. False: standard input is broken. */
static bool pump(void) {
    int n = tg_keys_more_waits() ? 1 : tg_editor_wait();
    if (n > 0) rl_callback_read_char();
    return n >= 0;
}

/* Leaves the line as it stands on the screen and the terminal as it was before. */
static void abandon_line(void) {
#ifdef TG_HAVE_READLINE
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_point = rl_end;
    rl_redisplay();
#endif
    fputs("^C\n", rl_outstream); /* before the library goes back to the first column */
    rl_callback_handler_remove();
}

void tg_editor_preset(const char *text) {
    preset = text;
}

tg_edit tg_editor_read(const char *prompt, const char *before, char **line) {
    /* What would end the session with a core file while nothing hangs, and may stand in what is
     * pasted, is not heard. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, quit, interrupt;
    tg_edit got = TG_EDIT_LINE;
    received_any = ended = false;
    received = NULL;
    if (tg_command_interrupted) tg_keys_drop();
    tg_command_interrupted = 0;
    sigaction(SIGQUIT, &ignore, &quit);
    sigaction(SIGINT, NULL, &interrupt);
    sigprocmask(SIG_BLOCK, NULL, &heard);
    tg_keys_line(before, preset);
    preset = NULL;
    rl_callback_handler_install(prompt, on_line);
    sigaction(SIGINT, &interrupt, NULL); /* the library's would write a second ^C */
    while (!received_any && got == TG_EDIT_LINE) {
        bool ok = pump();
        if (received_any) break;
        if (tg_command_interrupted) {
            abandon_line();
            tg_command_interrupted = 0; /* it is answered */
            got = TG_EDIT_INTERRUPT;
        } else if (!ok) {
            rl_callback_handler_remove();
            got = TG_EDIT_FAILED;
        }
    }
    sigaction(SIGQUIT, &quit, NULL);
    sigprocmask(SIG_SETMASK, &heard, NULL);
    if (got != TG_EDIT_LINE) return got;
    if (ended) return tg_keys_gone() ? TG_EDIT_FAILED : TG_EDIT_END;
    *line = tg_alloc_text(received, strlen(received));
    free(received);
    return *line ? TG_EDIT_LINE : TG_EDIT_FAILED;
}

bool tg_editor_more_waits(void) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return tg_keys_more_waits() || poll(&in, 1, 0) > 0;
}

void tg_editor_open(tg_state *s) {
    rl_readline_name = "tg";
    using_history();
    stifle_history(TG_HISTORY_MOST);
    tg_keys_open(s);
    tg_history_open(add_old);
}

void tg_editor_close(void) {
    tg_history_close();
    clear_history();
}

#endif
