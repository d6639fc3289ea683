/* The prompt, driven through a pseudo-terminal as by a person: what is typed, what must then
 * appear. The command is the tg that was built beside this test; one without a line editor is only
 * asked what it can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, OUTPUT_MOST = 1 << 18 };

static char command[PATH_MAX + 16], state_dir[] = "/tmp/tg-prompt-XXXXXX";
static bool has_editor, has_paste;

/* A session under way. */
static pid_t child;
static int terminal;
static char output[OUTPUT_MOST];
static size_t seen, length; /* output before `seen` has been looked at */

static void start(unsigned short columns) {
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    child = forkpty(&terminal, NULL, NULL, &size);
    assert_true(child >= 0);
    if (child == 0) {
        setenv("TERM", "xterm", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("INPUTRC", "/dev/null", 1);
        setenv("XDG_STATE_HOME", state_dir, 1);
        execl(command, "tg", (char *)NULL);
        _exit(127);
    }
    seen = length = 0;
    output[0] = 0;
}

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Appends a byte of output, without what only moves the cursor: carriage returns and escape
 * sequences. */
static void keep(char ch) {
    static enum { TEXT, ESCAPE, SEQUENCE } at;
    if (at == ESCAPE)
        at = ch == '[' ? SEQUENCE : TEXT;
    else if (at == SEQUENCE)
        at = ch >= '@' && ch <= '~' ? TEXT : SEQUENCE;
    else if (ch == '\x1B')
        at = ESCAPE;
    else if (ch != '\r' && ch != '\a')
        output[length++] = ch;
}

/* More output; false: none came in time, or the child has ended. */
static bool more_output(long deadline) {
    long left = deadline - now_ms();
    struct pollfd in = {.fd = terminal, .events = POLLIN};
    if (left <= 0 || length + 1 >= sizeof output || poll(&in, 1, (int)left) <= 0) return false;
    char raw[512];
    ssize_t n = read(terminal, raw, sizeof raw);
    for (ssize_t i = 0; i < n && length + 1 < sizeof output; i++) keep(raw[i]);
    output[length] = 0;
    return n > 0;
}

/* Waits until `text` appears behind what was expected before. */
static void expect(const char *text) {
    long deadline = now_ms() + PATIENCE_MS;
    for (;;) {
        const char *at = strstr(output + seen, text);
        if (at) {
            seen = (size_t)(at - output) + strlen(text);
            return;
        }
        if (!more_output(deadline)) {
            fprintf(stderr, "expected <<%s>> in <<%s>>\n", text, output + seen);
            kill(child, SIGKILL);
            fail();
        }
    }
}

static void type(const char *keys) {
    size_t n = strlen(keys);
    assert_int_equal(write(terminal, keys, n), (ssize_t)n);
}

/* Types a line at the prompt and waits for its answer. */
static void ask(const char *line, const char *answer) {
    expect("tg> ");
    type(line);
    expect(answer);
}

/* Waits for the end of the session and returns its exit status. */
static int finish(void) {
    int status = -1;
    long deadline = now_ms() + PATIENCE_MS;
    while (more_output(deadline)) {}
    close(terminal);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int find_command(void **state) {
    (void)state;
    char version[256] = "";
    ssize_t n = readlink("/proc/self/exe", command, PATH_MAX);
    if (n < 0 || !mkdtemp(state_dir)) return -1;
    command[n] = 0;
    for (int up = 0; up < 2; up++) *strrchr(command, '/') = 0; /* build/tests/test_prompt */
    strcat(command, "/tg");
    const char *given = getenv("TG_COMMAND");
    if (given) snprintf(command, sizeof command, "%s", given);
    char line[PATH_MAX + 40];
    snprintf(line, sizeof line, "'%s' --version", command);
    FILE *f = popen(line, "r");
    if (!f) return -1;
    size_t got = fread(version, 1, sizeof version - 1, f);
    version[got] = 0;
    has_editor = strstr(version, "line editor: none") == NULL;
    has_paste = strstr(version, "line editor: readline") != NULL;
    return pclose(f) == 0 ? 0 : -1;
}

static int clean(void **state) {
    (void)state;
    char line[PATH_MAX];
    snprintf(line, sizeof line, "rm -rf '%s'", state_dir);
    return system(line);
}

/* ---- what a person does ---- */

static void a_line_is_answered(void **state) {
    (void)state;
    start(80);
    expect("tg ");
    ask("x = 1 + 1\r", "\nx = 2\n");
    ask("nothing_of_that_name\r", "error: ");
    ask("x\r", "\nx = 2\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

static void an_open_bracket_asks_for_more(void **state) {
    (void)state;
    start(80);
    ask("(1 +\r", "...> ");
    type("2) * 5\r");
    expect("\n15\n");
    ask("[1,\r", "...> ");
    type("\x04"); /* the end of the input within a text is an error */
    expect("error: ");
    ask("(2,\r", "...> ");
    type("\x03"); /* Ctrl-C drops it */
    ask("6 * 7\r", "\n42\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

static void ctrl_c_drops_the_line(void **state) {
    (void)state;
    start(80);
    expect("tg> ");
    type("x = 99999");
    expect("x = 99999");
    type("\x03");
    ask("2 + 3\r", "\n5\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

static void ctrl_c_stops_a_loop(void **state) {
    (void)state;
    start(80);
    ask("i = 0\r", "\ni = 0\n");
    expect("tg> ");
    type("while true { i += 1 }\r");
    expect("\n");
    usleep(300000);
    type("\x03");
    expect("interrupted");
    ask("i > 0\r", "\ntrue\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

static void tab_completes_names(void **state) {
    (void)state;
    if (!has_editor) skip();
    start(80);
    ask("a_long_name = 12\r", "a_long_name = 12\n");
    ask("a_lo\t * 2\r", "\n24\n");
    ask("logsumex\t([0, 0]) > 0\r", "\ntrue\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

static void a_pasted_block_runs_as_one(void **state) {
    (void)state;
    if (!has_paste) skip();
    start(80);
    expect("tg> ");
    type("\x1B[200~p = 4\nq = p * 2\x1B[201~\r");
    expect("p = 4\n");
    expect("q = 8\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

static void the_history_is_kept(void **state) {
    (void)state;
    if (!has_editor) skip();
    start(80);
    ask("first = 11\r", "\nfirst = 11\n");
    ask("second = (20 +\r", "...> ");
    type("2)\r");
    expect("second = 22");
    expect("tg> ");
    type("\x1B[A\x1B[A\r"); /* up, up */
    expect("\nfirst = 11\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);

    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/tg/history", state_dir);
    if (stat(path, &st) != 0) {
        strcat(path, "-libedit");
        assert_int_equal(stat(path, &st), 0);
    }
    assert_int_equal(st.st_mode & 0777, 0600);

    start(80);
    expect("tg> ");
    type("\x1B[A\x1B[A\r"); /* another session: the entry of two lines is still one */
    expect("second = 22");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

static void a_narrow_window_changes_nothing(void **state) {
    (void)state;
    start(16);
    ask("10 + 10 + 10 + 10 + 10 + 10 + 10 + 10 + 10 + 10 + 10\r", "\n110\n");
    struct winsize size = {.ws_row = 10, .ws_col = 40};
    ioctl(terminal, TIOCSWINSZ, &size);
    ask("1000 + 1\r", "\n1001\n");
    expect("tg> ");
    type("\x04");
    assert_int_equal(finish(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_answered),    cmocka_unit_test(an_open_bracket_asks_for_more),
        cmocka_unit_test(ctrl_c_drops_the_line), cmocka_unit_test(ctrl_c_stops_a_loop),
        cmocka_unit_test(tab_completes_names),   cmocka_unit_test(a_pasted_block_runs_as_one),
        cmocka_unit_test(the_history_is_kept),   cmocka_unit_test(a_narrow_window_changes_nothing),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, find_command, clean);
}
