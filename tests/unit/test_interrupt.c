/* Ctrl-C at random moments, through a pseudo-terminal: whatever is under way, the prompt comes
 * back, and the variables are what they were before the statement, or after it. What a statement
 * stores together is always of the same age: W, b and v in training, n and m in number code, a
 * value and the number of its computations elsewhere. What is typed once the prompt stands is
 * heard, the first time and whole, however many Ctrl-Cs came just before. */
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* GROWTH_BYTES: from when :undo keeps all the entries that it ever does. */
enum { PATIENCE_MS = 20000, GROWTH_BYTES = 64 << 20, OUTPUT_MOST = 1 << 20, MANY = 500, FEW = 60 };

static char command[PATH_MAX + 16], folder[] = "/tmp/tg-interrupt-XXXXXX";
static bool sanitized;
static uint64_t random_state = 20261122;

/* Numbers from 0 to n - 1 (SplitMix64). */
static unsigned draw(unsigned n) {
    uint64_t z = random_state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return (unsigned)((z ^ z >> 31) % n);
}

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wait_us(unsigned us) {
    nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L}, NULL);
}

/* ---- a session ---- */

static pid_t child;
static int terminal;
static char output[OUTPUT_MOST];
static size_t length;

/* tg with a script, or its prompt, or, for "sh", a shell. */
static void start(const char *script) {
    child = forkpty(&terminal, NULL, NULL, NULL);
    length = 0;
    output[0] = 0;
    assert_true(child >= 0);
    if (child > 0) return;
    setenv("TERM", "dumb", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("INPUTRC", "/dev/null", 1);
    setenv("XDG_STATE_HOME", folder, 1);
    setenv("XDG_CONFIG_HOME", folder, 1);
    setenv("TG_NUM_THREADS", "2", 1);
    setenv("PS1", "sh: ", 1);
    unsetenv("ENV");
    if (script && strcmp(script, "sh") == 0)
        execlp("sh", "sh", "-i", (char *)NULL);
    else
        execl(command, "tg", script, (char *)NULL);
    _exit(127);
}

/* Reads what comes until `deadline`, or for one moment; false: nothing came. */
static bool more_output(long deadline) {
    long left = deadline - now_ms();
    struct pollfd in = {.fd = terminal, .events = POLLIN};
    if (poll(&in, 1, left > 0 ? (int)left : 0) <= 0) return false;
    if (length + 4096 > sizeof output) length = 0;
    ssize_t n = read(terminal, output + length, 4095);
    if (n <= 0) return false;
    for (ssize_t i = 0; i < n; i++) /* to be searched as a text */
        if (!output[length + (size_t)i]) output[length + (size_t)i] = ' ';
    length += (size_t)n;
    output[length] = 0;
    return true;
}

static void give_up(const char *what, const char *statement) {
    fprintf(stderr, "%s; the statement was: %s\n<<%s>>\n", what, statement,
            output + (length > 1500 ? length - 1500 : 0));
    kill(child, SIGKILL);
    fail();
}

static void type(const char *keys) {
    for (size_t n = strlen(keys); n > 0;) {
        ssize_t put = write(terminal, keys, n);
        if (put < 0 && errno != EINTR) give_up("the terminal is gone", keys);
        if (put <= 0) continue;
        keys += put;
        n -= (size_t)put;
        more_output(0);
    }
}

/* Until the output ends with the prompt. */
static bool prompt_stands(long deadline) {
    while (length < 4 || strcmp(output + length - 4, "tg> ") != 0)
        if (!more_output(deadline) && now_ms() >= deadline) return false;
    return true;
}

typedef struct state {
    int same, behind; /* all things of one age are; n - m */
    double value, bytes;
} state;

/* What the variables are now. */
static state ask(int number, const char *statement) {
    char line[160], begin[40], sum[8];
    state s = {0};
    int at;
    snprintf(line, sizeof line,
             "print(\"state\", %d, same(), n - m, h + c + d, stats().bytes, 1 + 1)\r", number);
    snprintf(begin, sizeof begin, "\nstate %d ", number);
    length = 0;
    output[0] = 0;
    type(line);
    const long deadline = now_ms() + PATIENCE_MS;
    do {
        const char *found = strstr(output, begin);
        if (!found || !strchr(found + 1, '\r')) continue;
        s.same = strncmp(found + strlen(begin), "true ", 5) == 0;
        at =
            sscanf(found + strlen(begin), "%*s %d %lf %lf %7s", &s.behind, &s.value, &s.bytes, sum);
        if (at != 4 || strcmp(sum, "2") != 0 || !prompt_stands(deadline)) break;
        return s;
    } while (more_output(deadline) || now_ms() < deadline);
    give_up("the prompt does not answer", statement);
    return s;
}

/* ---- what is interrupted ---- */

static const char *const preparations[] = {
    "seed(1); W = var(zeros(40, 40)); b = var(zeros(40)); v = var(0)",
    "n, m, h, c, d, p, t, u, r, k, g = 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0; q = [0, 0]",
    "A = rand(300, 300); D = rand(100000); G = zeros(1); x = var(0.5); y = var(ones(20)); s = \"\"",
    "T = zeros(300, 300); V = zeros(300, 300); R = zeros(100000); K = zeros(100000); S = "
    "zeros(300)",
    "f(n) = if n < 2 { n } else { f(n - 1) + f(n - 2) }",
    "e(n) = if n < 2 { [n, 1] } else { e(n - 1) + e(n - 2) }",
    "deep(n) = { y = x; for i in 1..n { y = sin(y) + y * x / i }; value(grad(y, x)) }",
    "same() = all(W == v) and all(b == v) and q[0] == q[1] and all(T == t) and all(V == u) and "
    "all(R == r) and all(K == k) and all(S == g)",
};

/* h is a derivative, c and d a Fibonacci number and its second: either 0 or the right one. */
static const double right_h = 1, right_c = 6765;

static const struct {
    const char *line;
    unsigned most_us; /* the interrupt comes within so long */
} statements[] = {
    {"repeat 400 { W, b, v := W + 1, b + 1, v + 1 }", 20000},
    {"for i in progress(1..400, v=v) { W, b, v := W + 1, b + 1, v + 1 }", 20000},
    {"n, m := 0, 0; while n < 10^7 { n += 1; m += 1 }", 60000},
    {"n, m := 0, 0; for i in 1..2000 { for j in 1..2000 { n += 1; m += 1 } }", 60000},
    {"n, m := 0, 0; for i in progress(1..10^7, n=n) { n += 1; m += 1 }", 60000},
    {"for i in 1..20000 { q = [i, i] }", 20000},
    {"c := f(20)", 3000},
    {"c := f(30) * 0 + 6765", 60000},
    {"d := e(20)[0]", 30000},
    {"T, t := (A @ A @ A) * 0 + t + 1, t + 1", 8000},
    {"V, u := inv(A) * 0 + u + 1, u + 1", 15000},
    {"S, g := svd(A)[1] * 0 + g + 1, g + 1", 40000},
    {"R, r := sort(D) * 0 + r + 1, r + 1", 20000},
    {"K, k := cumsum(sin(D) * exp(D)) * 0 + k + 1, k + 1", 4000},
    {"max_pool1d(D, 40001, stride=1);", 20000},
    {"h := deep(40) * 0 + 1", 30000},
    {"hessian(sum((y[1:20] - y[0:19]^2)^2 * sin(y[1:20])), y);", 8000},
    {"s = \"{D}\"; s = \"\"", 30000},
    {"print(A)", 5000},
    {"G = idx(\"examples/data/mnist/t10k-images-idx3-ubyte.gz\")", 40000},
    {"use \"FILE\"", 40000},
    {"1 + (2 + ", 500},
    {"x", 300},
    {"?sum", 500},
    {":help", 500},
};
enum { STATEMENTS = sizeof statements / sizeof *statements };

/* A script whose text takes some time to read. Each is used once. */
static void write_script(char *path, size_t size, int number) {
    snprintf(path, size, "%s/long%d.tg", folder, number);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("k, g = k, (g", out);
    for (int i = 0; i < 60000; i++) fputs("\n + 0*(1)", out);
    fputs(")\n", out);
    fclose(out);
}

/* A signal that is sent may overtake what was typed before; the key cannot. */
static void interrupt_once(bool by_key) {
    if (!by_key && draw(4) == 0)
        kill(child, SIGINT);
    else
        type("\x03");
}

static void check(const state *s, const char *statement) {
    double rest = s->value;
    if (!s->same) give_up("values of one statement are of different age", statement);
    if (s->behind != 0 && s->behind != 1) give_up("n and m are apart", statement);
    if (rest >= 2 * right_c) rest -= 2 * right_c;
    if (rest >= right_c) rest -= right_c;
    if (rest != 0 && rest != right_h)
        give_up("a value is neither the old nor the new one", statement);
}

/* Also what the session does not count. */
static double resident_bytes(void) {
    char path[40];
    double pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)child);
    FILE *in = fopen(path, "r");
    if (!in || fscanf(in, "%*s %lf", &pages) != 1) pages = 0;
    if (in) fclose(in);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

static void at_random_moments(void **unused) {
    (void)unused;
    int many = sanitized ? FEW : MANY;
    double bytes = 0, resident = 0;
    start(NULL);
    assert_true(prompt_stands(now_ms() + PATIENCE_MS));
    for (size_t i = 0; i < sizeof preparations / sizeof *preparations; i++) {
        length = 0;
        type(preparations[i]);
        type("\r");
        more_output(now_ms() + PATIENCE_MS);
        assert_true(prompt_stands(now_ms() + PATIENCE_MS));
    }
    for (int i = 0; i < many; i++) {
        char line[PATH_MAX], path[PATH_MAX - 32];
        unsigned which = draw(STATEMENTS);
        snprintf(line, sizeof line, "%s", statements[which].line);
        if (strstr(line, "FILE")) {
            write_script(path, sizeof path, i);
            snprintf(line, sizeof line, "use \"%s\"", path);
        }
        type(line);
        const bool entered = line[0] != '1' && line[1];
        if (entered) type("\r");
        wait_us(draw(statements[which].most_us));
        int times = draw(8) == 0 ? 10 : draw(6) == 0 ? 2 : 1;
        while (times-- > 0) interrupt_once(!entered);
        more_output(now_ms() + 5);
        if (!prompt_stands(now_ms() + PATIENCE_MS)) give_up("no prompt", line);
        state s = ask(i, line);
        check(&s, line);
        if (i == many / 2) {
            bytes = s.bytes;
            resident = resident_bytes();
        }
        if (i == many - 1 && s.bytes > bytes + GROWTH_BYTES) give_up("memory grows", line);
        if (i == many - 1 && !sanitized && resident_bytes() > resident + GROWTH_BYTES)
            give_up("the process grows", line);
        if (strstr(line, "use \"")) unlink(path);
    }
    type("\x04");
    int status = -1;
    while (more_output(now_ms() + PATIENCE_MS)) {}
    assert_int_equal(waitpid(child, &status, 0), child);
    close(terminal);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- job control ---- */

/* Types, and waits for what is not the echo of it. */
static void expect(const char *keys, const char *text) {
    const long deadline = now_ms() + PATIENCE_MS;
    length = 0;
    output[0] = 0;
    type(keys);
    while (!strstr(output, text))
        if (!more_output(deadline) && now_ms() >= deadline) give_up(text, keys);
    while (more_output(now_ms() + 20)) {}
}

static void ctrl_z_gives_the_terminal_back(void **unused) {
    (void)unused;
    int status;
    start("sh");
    expect("", "sh: ");
    expect(command, command);
    expect("\r", "tg> ");
    expect("6 *", "6 *");
    expect("\x1a", "sh: ");
    expect("stty -a\r", " icanon");
    assert_non_null(strstr(output, "intr = ^C; quit = ^\\;"));
    assert_non_null(strstr(output, " echo "));
    expect("fg\r", "6 *");
    expect(" 7\r", "\r\n42\r\n");
    expect("print(\"be\", \"gun\"); while true { }\r", "be gun");
    expect("\x1a", "sh: ");
    expect("stty -a\r", " icanon");
    expect("fg\r", "\r\n");
    expect("\x03", "interrupted");
    expect("6 * 8\r", "\r\n48\r\n");
    expect("\x04", "sh: ");
    type("exit\r");
    while (more_output(now_ms() + PATIENCE_MS)) {}
    assert_int_equal(waitpid(child, &status, 0), child);
    close(terminal);
}

/* ---- scripts ---- */

static void a_script_ends_and_says_where(void **unused) {
    (void)unused;
    char path[PATH_MAX];
    int status = -1;
    snprintf(path, sizeof path, "%s/script.tg", folder);
    FILE *script = fopen(path, "w");
    assert_non_null(script);
    fputs("x = [0]\nfor i in 1..3 {\n  for j in 1..10^9 { x = x + [1]; if j == 5 { print(\"here\") "
          "} }\n}\n",
          script);
    fclose(script);
    start(path);
    expect("", "here\r\n");
    type("\x03");
    while (more_output(now_ms() + PATIENCE_MS)) {}
    assert_int_equal(waitpid(child, &status, 0), child);
    close(terminal);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 130);
    assert_non_null(strstr(output, "script.tg:3:"));
    assert_non_null(strstr(output, "interrupted in turn 1 of 3 (i = 1), turn "));
    unlink(path);
}

/* ---- */

static int set_up(void **unused) {
    (void)unused;
    const char *s = getenv("TG_SANITIZED");
    sanitized = s && strcmp(s, "1") == 0;
    ssize_t n = readlink("/proc/self/exe", command, PATH_MAX);
    if (n <= 0) return 1;
    command[n] = 0;
    for (int up = 0; up < 2; up++) *strrchr(command, '/') = 0;
    strcat(command, "/tg");
    signal(SIGPIPE, SIG_IGN);
    return access(command, X_OK) == 0 && mkdtemp(folder) ? 0 : 1;
}

static int take_down(void **unused) {
    (void)unused;
    char line[PATH_MAX];
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    return system(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_random_moments),
        cmocka_unit_test(ctrl_z_gives_the_terminal_back),
        cmocka_unit_test(a_script_ends_and_says_where),
    };
    return cmocka_run_group_tests(tests, set_up, take_down);
}
