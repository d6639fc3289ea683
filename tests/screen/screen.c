/* Screen tests: the real tg behind a pseudo-terminal with a terminal emulator, and a script that
 * types and says what must then be seen.
 *
 *     screen [--update] SCRIPT...
 *
 * --update writes the screens as they are now into the scripts. A script:
 *
 *     # what this shows, in a sentence
 *     any editor                  # it holds also where tg was built without readline
 *     size 80x24                  # columns and rows, for the next start; this is the default
 *     env NO_COLOR=1              # also `env HOME`, which unsets it
 *     file init.tg                # a file in the working folder (or by an absolute path, in which
 *     | a = 1                     # $HOME and the like are put in); its lines follow
 *     run shell-command           # in the working folder, with tg's environment; must succeed
 *     start [arguments]           # tg itself; what is typed next waits for the prompt
 *     type x = var(2)<Enter>      # keys; no Enter is added
 *     wait Epoch                  # until this text stands on the cursor's line; a text that ends
 *                                 # in > is a prompt and must stand right before the cursor
 *     see interrupted             # until this text stands anywhere
 *     screen                      # the screen must become this; blanks at the ends of lines and
 *     | tg> x = var(2)            # empty lines at the end do not matter
 *     ~ took ... s                # in such a line ... stands for anything
 *     cursor 3 6                  # the cursor must be in this row and column, counted from 1
 *     attr 2 1 5 red bold         # row, from and to column, and how they must look (terminal.h)
 *     signal INT                  # to tg
 *     resize 40x24
 *     close                       # the terminal goes away: SIGHUP
 *     exit 0                      # types Ctrl-D; tg must end with this status
 *     ended 0                     # tg must end by itself; 129 is death by signal 1
 *
 * A script whose tg still runs at the end closes with `exit 0`. Several starts, one after the
 * other's end, share folders. Keys: <Enter> <Tab> <Space> <Up> <Down> <Left> <Right> <Home> <End>
 * <PageUp> <PageDown> <Delete> <Backspace> <BackTab> <Esc> <C-c> <M-b> <xFF> (a byte), <1000*ab>
 * (often), <Paste>..</Paste> (a bracketed paste), <lt>.
 *
 * HOME and XDG_*_HOME are fresh empty folders beside the working folder, TERM is xterm-256color,
 * the locale C.UTF-8, INPUTRC /dev/null, TG_NUM_THREADS 1; little else of the environment is passed
 * on. Nothing sleeps for a fixed time: `type` returns when what was typed was worked off
 * (child.c), and whatever is expected may take 20 s to come. Exit status: 0, 1 a screen was
 * another, 2 wrong usage or a script that cannot be read, 77 this tg has no readline. */
#include "tests/screen/child.h"
#include "tests/screen/script.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_SKIP = 77 };

typedef struct test {
    const script *script;
    child child;
    int columns, rows;
    bool update, waited; /* for the prompt, or for something in its place */
    char folder[PATH_MAX], work[PATH_MAX + 8];
    char **new_lines; /* [script->nlines]: what --update puts in place of a line; "" for nothing */
} test;

static char command[PATH_MAX + 16];

/* ---- reports ---- */

static void print_lines(const char *title, const char *text, const char *other) {
    fprintf(stderr, "  %s:\n", title);
    if (!*text) fputs("    (empty)\n", stderr);
    while (*text) {
        size_t n = strcspn(text, "\n"), m = strcspn(other, "\n");
        bool same = n == m && strncmp(text, other, n) == 0;
        fprintf(stderr, "  %c | %.*s\n", same ? ' ' : '!', (int)n, text);
        text += n + (text[n] != 0);
        other += m + (other[m] != 0);
    }
}

static bool fail_at(const test *t, const step *p, const char *what, const char *detail,
                    const char *expected) {
    fprintf(stderr, "%s:%d: %s%s\n", t->script->path, p->line, what, detail);
    const child *c = &t->child;
    if (!c->screen) return false;
    char *actual = terminal_text(c->screen);
    if (expected) print_lines("expected", expected, actual);
    print_lines("on the screen (! marks what differs)", actual, expected ? expected : actual);
    int row, column;
    terminal_cursor(c->screen, &row, &column);
    fprintf(stderr, "  the cursor is in row %d, column %d; tg ", row, column);
    if (c->ended)
        fprintf(stderr, "has ended with status %d\n", c->status);
    else
        fputs("runs\n", stderr);
    free(actual);
    return false;
}

/* ---- expectations ---- */

static bool alike(const char *pattern, const char *text, size_t n) {
    const char *dots = strstr(pattern, "...");
    if (!dots) return strlen(pattern) == n && strncmp(pattern, text, n) == 0;
    size_t before = (size_t)(dots - pattern);
    if (n < before || strncmp(pattern, text, before) != 0) return false;
    for (size_t skip = before; skip <= n; skip++)
        if (alike(dots + 3, text + skip, n - skip)) return true;
    return false;
}

/* Does a line of a script, with its mark, say this? */
static bool line_says(const char *line, const char *text, size_t n) {
    char want[4096];
    snprintf(want, sizeof want, "%s", line[1] ? line + 2 : "");
    size_t end = strlen(want);
    while (end > 0 && want[end - 1] == ' ') want[--end] = 0;
    return line[0] == '~' ? alike(want, text, n) : end == n && strncmp(want, text, n) == 0;
}

static bool block_says(const step *p, const char *text) {
    for (int i = 0; i < p->blocks; i++) {
        size_t n = strcspn(text, "\n");
        if (!line_says(p->block[i], text, n)) return false;
        text += n + (text[n] != 0);
    }
    return *text == 0;
}

static char *block_text(const step *p) {
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    for (int i = 0; i < p->blocks; i++) fprintf(f, "%s\n", p->block[i][1] ? p->block[i] + 2 : "");
    fclose(f);
    return text;
}

/* Does it hold now? */
static bool holds(const test *t, const step *p) {
    const terminal *screen = t->child.screen;
    char *text = NULL;
    bool yes = true;
    int row, column;
    switch (p->kind) {
    case STEP_SCREEN:
        text = terminal_text(screen);
        yes = block_says(p, text);
        break;
    case STEP_SEE:
        text = terminal_text(screen);
        yes = strstr(text, p->text) != NULL;
        break;
    case STEP_WAIT: {
        bool prompt = p->text[p->length - 1] == '>';
        text = terminal_cursor_row(screen, !prompt);
        size_t n = strlen(text);
        yes = prompt ? n >= p->length && strcmp(text + n - p->length, p->text) == 0
                     : strstr(text, p->text) != NULL;
        break;
    }
    case STEP_CURSOR:
        terminal_cursor(screen, &row, &column);
        return row == p->number[0] && column == p->number[1];
    default:
        for (column = p->number[1]; column <= p->number[2] && yes; column++) {
            free(text);
            text = terminal_look(screen, p->number[0], column);
            yes = strcmp(text, p->text) == 0;
        }
    }
    free(text);
    return yes;
}

static bool comes_to_hold(test *t, const step *p) {
    long deadline = child_now_ms() + PATIENCE_MS;
    for (;;) {
        if (holds(t, p)) return true;
        if (child_now_ms() > deadline) return false;
        child_listen(&t->child, 20);
        if (t->child.ended) {
            child_listen(&t->child, 0);
            return holds(t, p);
        }
    }
}

/* Notes the screen as it is for the script's new text. */
static void renew(test *t, const step *p) {
    child_settle(&t->child);
    char *text = terminal_text(t->child.screen), *all = NULL;
    size_t size;
    FILE *f = open_memstream(&all, &size);
    const char *at = text;
    for (int i = 0; *at; i++) {
        size_t n = strcspn(at, "\n");
        if (i < p->blocks && line_says(p->block[i], at, n))
            fprintf(f, "%s\n", p->block[i]);
        else
            fprintf(f, n ? "| %.*s\n" : "|\n", (int)n, at);
        at += n + 1;
    }
    fclose(f);
    free(text);
    for (int i = 0; i < p->blocks; i++) t->new_lines[p->line + i] = strdup("");
    char *head = NULL;
    if (asprintf(&head, "%s\n%s", t->script->lines[p->line - 1], all) < 0) exit(1);
    t->new_lines[p->line - 1] = head;
    free(all);
}

static bool look_at_failure(const test *t, const step *p) {
    char *expected = NULL, *look;
    bool ok = false;
    switch (p->kind) {
    case STEP_SCREEN:
        expected = block_text(p);
        ok = fail_at(t, p, "the screen did not become this", "", expected);
        free(expected);
        return ok;
    case STEP_LOOK:
        look = terminal_look(t->child.screen, p->number[0], p->number[1]);
        ok = fail_at(t, p, "another look, at first: ", look, NULL);
        free(look);
        return ok;
    case STEP_CURSOR: return fail_at(t, p, "the cursor is elsewhere", "", NULL);
    default: return fail_at(t, p, "this did not appear: ", p->text, NULL);
    }
}

static bool expect(test *t, const step *p) {
    if (t->update && p->kind == STEP_SCREEN) {
        child_wait_prompt(&t->child);
        renew(t, p);
        return true;
    }
    return comes_to_hold(t, p) || look_at_failure(t, p);
}

/* ---- steps ---- */

static void set_environment(const test *t) {
    static const char *const passed[] = {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
                                         "LD_LIBRARY_PATH"};
    enum { PASSED = sizeof passed / sizeof passed[0] };
    char *kept[PASSED];
    for (size_t i = 0; i < PASSED; i++) {
        const char *value = getenv(passed[i]);
        kept[i] = value ? strdup(value) : NULL;
    }
    clearenv();
    for (size_t i = 0; i < PASSED; i++) {
        if (kept[i]) setenv(passed[i], kept[i], 1);
        free(kept[i]);
    }
    static const char *const folders[][2] = {{"HOME", "home"},
                                             {"XDG_STATE_HOME", "state"},
                                             {"XDG_CONFIG_HOME", "config"},
                                             {"XDG_CACHE_HOME", "cache"},
                                             {"XDG_DATA_HOME", "data"}};
    char path[PATH_MAX + 16];
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", t->folder, folders[i][1]);
        mkdir(path, 0700);
        setenv(folders[i][0], path, 1);
    }
    mkdir(t->work, 0700);
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("INPUTRC", "/dev/null", 1);
    setenv("TG_NUM_THREADS", "1", 1);
}

/* Runs a shell command in the working folder with this text on its standard input. */
static bool shell(const test *t, const char *line, const char *input) {
    char *all = NULL;
    if (asprintf(&all, "cd '%s' && { %s\n}", t->work, line) < 0) exit(1);
    FILE *f = popen(all, "w");
    if (f && input) fputs(input, f);
    free(all);
    return f && pclose(f) == 0;
}

static bool write_file(const test *t, const step *p) {
    char *text = block_text(p), *line = NULL;
    if (asprintf(&line, "mkdir -p \"$(dirname \"%s\")\" && cat >\"%s\"", p->text, p->text) < 0)
        exit(1);
    bool ok = shell(t, line, text);
    free(line);
    free(text);
    return ok || fail_at(t, p, "cannot write ", p->text, NULL);
}

static bool type(test *t, const step *p) {
    child *c = &t->child;
    char first = p->length ? p->text[0] : 0;
    bool to_what_runs = first == 'C' - '@' || first == 'Z' - '@' || first == '\\' - '@';
    if (!t->waited && !child_wait_prompt(c)) return fail_at(t, p, "no prompt came", "", NULL);
    if (c->entered && c->was_editor && !to_what_runs && !child_wait_prompt(c))
        return fail_at(t, p, "the prompt did not come back", "", NULL);
    t->waited = true;
    return child_type(c, p->text, p->length) ||
           fail_at(t, p, "tg ended while it was typed to", "", NULL);
}

static bool send_signal(const test *t, const step *p) {
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"INT", SIGINT},   {"TERM", SIGTERM}, {"HUP", SIGHUP},    {"QUIT", SIGQUIT},
                   {"TSTP", SIGTSTP}, {"CONT", SIGCONT}, {"WINCH", SIGWINCH}};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (strcmp(p->text, signals[i].name) == 0)
            return kill(t->child.pid, signals[i].number) == 0;
    return fail_at(t, p, "no such signal: ", p->text, NULL);
}

static bool wait_end(test *t, const step *p, int status) {
    char text[24];
    if (!child_wait_end(&t->child)) return fail_at(t, p, "tg did not end", "", NULL);
    snprintf(text, sizeof text, "%d", status);
    return t->child.status == status || fail_at(t, p, "another exit status than ", text, NULL);
}

static bool leave(test *t, const step *p, int status) {
    static const char end[] = {'D' - '@'};
    if (!t->child.ended && !child_wait_prompt(&t->child))
        return fail_at(t, p, "no prompt, so that tg cannot be left by Ctrl-D", "", NULL);
    if (!t->child.ended) child_type(&t->child, end, 1);
    return wait_end(t, p, status);
}

static bool start(test *t, const step *p) {
    if (t->child.screen && !t->child.ended && !leave(t, p, 0)) return false;
    child_start(&t->child, command, p->text, t->work, t->rows, t->columns);
    t->waited = false;
    return true;
}

static void set_variable(const step *p) {
    char *equals = strchr(p->text, '=');
    if (!equals) {
        unsetenv(p->text);
        return;
    }
    *equals = 0;
    setenv(p->text, equals + 1, 1);
    *equals = '=';
}

static bool perform(test *t, const step *p) {
    switch (p->kind) {
    case STEP_SIZE:
        t->columns = p->number[0];
        t->rows = p->number[1];
        return true;
    case STEP_ENV: set_variable(p); return true;
    case STEP_FILE: return write_file(t, p);
    case STEP_RUN:
        return shell(t, p->text, NULL) || fail_at(t, p, "the command failed: ", p->text, NULL);
    case STEP_START: return start(t, p);
    case STEP_TYPE: return type(t, p);
    case STEP_SIGNAL: return send_signal(t, p);
    case STEP_RESIZE: child_resize(&t->child, p->number[1], p->number[0]); return true;
    case STEP_CLOSE: child_close(&t->child); return true;
    case STEP_ENDED: return wait_end(t, p, p->number[0]);
    case STEP_EXIT: return leave(t, p, p->number[0]);
    default:
        t->waited = true;
        t->child.entered = false;
        return expect(t, p);
    }
}

/* ---- a script ---- */

static bool write_back(const test *t) {
    const script *s = t->script;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s.new", s->path);
    FILE *f = fopen(path, "w");
    for (int i = 0; f && i < s->nlines; i++) {
        if (t->new_lines[i])
            fputs(t->new_lines[i], f);
        else
            fprintf(f, "%s\n", s->lines[i]);
    }
    if (f && fclose(f) == 0 && rename(path, s->path) == 0) return true;
    perror(path);
    return false;
}

static bool run_script(const script *s, bool update) {
    test t = {.script = s, .columns = 80, .rows = 24, .update = update};
    const char *tmp = getenv("TMPDIR");
    snprintf(t.folder, sizeof t.folder, "%s/tg-screen-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(t.folder)) {
        perror(t.folder);
        return false;
    }
    snprintf(t.work, sizeof t.work, "%s/work", t.folder);
    t.new_lines = calloc((size_t)s->nlines + 1, sizeof *t.new_lines);
    set_environment(&t);
    bool ok = true;
    for (int i = 0; i < s->nsteps && ok; i++) ok = perform(&t, &s->steps[i]);
    const step last = {.line = s->nlines};
    if (ok && !t.child.ended) ok = leave(&t, &last, 0);
    child_forget(&t.child);
    if (ok && update) ok = write_back(&t);
    for (int i = 0; i < s->nlines; i++) free(t.new_lines[i]);
    free(t.new_lines);
    return shell(&t, "chmod -R u+w .. && rm -rf ../*", NULL) && rmdir(t.folder) == 0 && ok;
}

/* The tg that was built beside this program, or the one in TG_COMMAND. */
static bool find_command(bool *readline) {
    char line[PATH_MAX + 64], version[256] = "";
    const char *given = getenv("TG_COMMAND");
    ssize_t n = readlink("/proc/self/exe", command, PATH_MAX - 1);
    if (n < 0) return false;
    command[n] = 0;
    for (int up = 0; up < 2; up++) *strrchr(command, '/') = 0; /* build/tests/screen */
    strcat(command, "/tg");
    if (given) snprintf(command, sizeof command, "%s", given);
    snprintf(line, sizeof line, "'%s' --version", command);
    FILE *f = popen(line, "r");
    if (!f) return false;
    version[fread(version, 1, sizeof version - 1, f)] = 0;
    *readline = strstr(version, "line editor: readline") != NULL;
    return pclose(f) == 0;
}

int main(int argc, char **argv) {
    bool update = argc > 1 && strcmp(argv[1], "--update") == 0, readline = false;
    int status = 0;
    if (argc < 2 + update) {
        fputs("usage: screen [--update] SCRIPT...\n", stderr);
        return EXIT_USAGE;
    }
    if (!find_command(&readline)) {
        fprintf(stderr, "screen: %s does not run\n", command);
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1 + update; i < argc; i++) {
        script *s = script_read(argv[i]);
        if (!s) return EXIT_USAGE;
        if (!readline && !s->any_editor)
            status = status ? status : EXIT_SKIP;
        else if (!run_script(s, update))
            status = 1;
        script_free(s);
    }
    return status;
}
