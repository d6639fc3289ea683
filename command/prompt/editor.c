/* The line editor: GNU readline, libedit, or nothing but the terminal's own. The first two are
 * driven through their callback interface, one character at a time behind poll(), so that Ctrl-C is
 * an ordinary event of this loop: no long jump leaves the library.
 *
 * The history is one entry a statement, kept in $XDG_STATE_HOME/tg (by default ~/.local/state/tg),
 * readable by its owner only; that it cannot be read or written is no reason to complain. */
#include "command/command.h"
#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *copy(const char *s) {
    size_t n = strlen(s) + 1;
    char *p = tg_alloc(n);
    return p ? memcpy(p, s, n) : NULL;
}

#if defined TG_HAVE_READLINE || defined TG_HAVE_LIBEDIT

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>

#ifdef TG_HAVE_READLINE
#include <readline/history.h>
#include <readline/readline.h>
#else
#include <editline/readline.h>
#endif

enum { HISTORY_MOST = 5000 };

#ifdef TG_HAVE_READLINE
const char tg_editor_name[] = "readline";
#else
const char tg_editor_name[] = "libedit";
#endif

static tg_state *session;  /* whose names Tab completes */
static char *history_path; /* NULL: there is none */
static int remembered;     /* entries added by this session */
static char *received;     /* the line that the callback was given; of malloc */
static bool received_any, ended;
static const char *preset; /* stands in the next line from the start; NULL: nothing */

/* ---- completion ---- */

/* Called again and again for one word; readline frees each result. */
static char *next_name(const char *text, int state) {
    static int i;
    if (state == 0) i = 0;
    const char *name = tg_complete(session, text, i++);
    return name ? strdup(name) : NULL;
}

static char **complete(const char *text, int start, int end) {
    (void)end;
    bool quoted = false;
    for (int i = 0; i < start && rl_line_buffer[i]; i++) {
        if (rl_line_buffer[i] == '"') quoted = !quoted;
        if (rl_line_buffer[i] == '\\' && quoted && rl_line_buffer[i + 1]) i++;
    }
    if (quoted) return NULL; /* within text: file names */
    rl_attempted_completion_over = 1;
    rl_completion_append_character = '\0'; /* set anew for each word by the library */
    return rl_completion_matches(text, next_name);
}

/* ---- history ---- */

/* Makes the folders of `path`, for the user alone. */
static void make_folders(char *path) {
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        mkdir(path, 0700);
        *p = '/';
    }
}

static char *find_history(void) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char path[PATH_MAX];
    int n = -1;
    if (state && state[0] == '/')
        n = snprintf(path, sizeof path, "%s/tg/", state);
    else if (home && home[0] == '/')
        n = snprintf(path, sizeof path, "%s/.local/state/tg/", home);
    if (n < 0 || (size_t)n + 20 >= sizeof path) return NULL;
#ifdef TG_HAVE_READLINE
    strcat(path, "history");
#else
    strcat(path, "history-libedit"); /* another format */
#endif
    return copy(path);
}

static void save_history(void) {
    if (!history_path || !remembered) return;
    make_folders(history_path);
    int file = open(history_path, O_WRONLY | O_CREAT | O_APPEND,
                    0600); /* makes it private from the start */
    if (file < 0) return;
    close(file);
#ifdef TG_HAVE_READLINE
    if (append_history(remembered, history_path) == 0)
        history_truncate_file(history_path, HISTORY_MOST);
#else
    write_history(history_path);
#endif
}

/* ---- reading ---- */

static void on_line(char *line) {
    received = line;
    received_any = true;
    ended = line == NULL;
    rl_callback_handler_remove(); /* no prompt before the line was answered */
}

void tg_editor_open(tg_state *s) {
    session = s;
    rl_readline_name = "tg";
    rl_attempted_completion_function = complete;
    rl_basic_word_break_characters = " \t\n\"\\'`@$><=;|&{}()[]+-*/%^,:.!~?";
    using_history();
    stifle_history(HISTORY_MOST);
#ifdef TG_HAVE_READLINE
    rl_persistent_signal_handlers =
        1; /* also between two characters: Ctrl-Z leaves a sane terminal */
    rl_variable_bind("enable-bracketed-paste", "on");
    history_comment_char = '#'; /* time stamps keep the lines of one entry together in the file */
    history_write_timestamps = 1;
#endif
    history_path = find_history();
    if (history_path) read_history(history_path);
}

/* Lets the editor do what signals ask of it: it catches them all, and raises again those that are
 * not its own. */
static void serve_signals(const sigset_t *open) {
#ifdef TG_HAVE_READLINE
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, open, &blocked);
    rl_check_signals();
    sigprocmask(SIG_SETMASK, &blocked, NULL);
#else
    (void)open;
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

/* Waits for one character and gives it to the editor. False: standard input is broken. SIGINT is
 * blocked but for the wait itself, where `open` is the mask: one that came just before would else
 * be slept over. BLAS has threads of its own that do not block it; one that is caught there wakes
 * nobody here, so the wait is short, and its end a look at what was caught. */
static bool pump(const sigset_t *open) {
    static const struct timespec short_wait = {.tv_nsec = 50 * 1000 * 1000};
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL); /* the editor may have opened it */
    bool waits = signal_waits() || tg_command_interrupted;
    int n = waits ? -1 : ppoll(&in, 1, &short_wait, open);
    if (waits || (n < 0 && errno == EINTR)) {
        serve_signals(open);
        return true;
    }
    if (n < 0) return false;
    if (n == 0) return true;
    rl_callback_read_char();
    return true;
}

/* Leaves the line as it stands on the screen and the terminal as it was before. */
static void abandon_line(void) {
#ifdef TG_HAVE_READLINE
    rl_free_line_state();
    rl_callback_sigcleanup();
#endif
    rl_callback_handler_remove();
    fputs("^C\n", stdout);
}

/* Puts the preset text into the line that begins. */
static int insert_preset(void) {
    if (preset) rl_insert_text(preset);
    preset = NULL;
    return 0;
}

void tg_editor_preset(const char *text) {
    preset = text;
}

static tg_edit read_line(const char *prompt, const sigset_t *open, char **line) {
    received_any = ended = false;
    received = NULL;
    rl_startup_hook = insert_preset;
    rl_callback_handler_install(prompt, on_line);
    while (!received_any) {
        bool ok = pump(open);
        if (tg_command_interrupted && !received_any) {
            abandon_line();
            return TG_EDIT_INTERRUPT;
        }
        if (!ok) {
            rl_callback_handler_remove();
            return TG_EDIT_FAILED;
        }
    }
    if (ended) return TG_EDIT_END;
    *line = copy(received);
    free(received);
    return *line ? TG_EDIT_LINE : TG_EDIT_FAILED;
}

tg_edit tg_editor_read(const char *prompt, char **line) {
    sigset_t open;
    sigprocmask(SIG_BLOCK, NULL, &open);
    tg_edit got = read_line(prompt, &open, line);
    sigprocmask(SIG_SETMASK, &open, NULL);
    return got;
}

void tg_editor_remember(const char *text) {
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
    if (last && strcmp(last->line, text) == 0) return;
    add_history(text);
    remembered++;
}

void tg_editor_close(void) {
    save_history();
    clear_history();
    tg_free(history_path);
    history_path = NULL;
}

#else

const char tg_editor_name[] = "none";

void tg_editor_open(tg_state *s) {
    (void)s;
}
void tg_editor_remember(const char *text) {
    (void)text;
}
void tg_editor_close(void) {}
void tg_editor_preset(const char *text) {
    if (text) printf("%s\n", text); /* to be seen; it cannot be edited here */
}

tg_edit tg_editor_read(const char *prompt, char **line) {
    char *got = NULL;
    size_t room = 0;
    fputs(prompt, stdout);
    fflush(stdout);
    ssize_t n = getline(&got, &room, stdin);
    if (n > 0 && got[n - 1] == '\n') got[n - 1] = 0;
    *line = n >= 0 ? copy(got) : NULL;
    free(got);
    if (*line) return TG_EDIT_LINE;
    bool end = feof(stdin);
    clearerr(stdin);
    if (tg_command_interrupted) {
        putchar('\n');
        return TG_EDIT_INTERRUPT;
    }
    return n < 0 && end ? TG_EDIT_END : TG_EDIT_FAILED;
}

#endif
