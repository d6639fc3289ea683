/* Texts that nearly are tg. Programs from the tests and the examples are cut, doubled, swapped and
 * spliced, word by word and byte by byte, and run under a limit on memory and on time. Whatever
 * they say, the session must not crash, must end each with a result or an error that has a text,
 * must still know that 1 + 1 is 2, and must leave nothing behind.
 *
 * The generator is seeded: a run is repeated exactly by the same number in TG_FUZZ_SEED, and
 * TG_FUZZ_SECONDS says how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "grammar/parse.h"
#include "runtime/ops/op.h"
#include "tg.h"

enum {
    MOST_TEXTS = 4000,
    MOST_WORDS = 20000,
    LONGEST = 2000,
    MEMORY = 64 << 20,
    PATIENCE_MS = 200,
    SESSION_RUNS = 200
};

static char *texts[MOST_TEXTS]; /* single programs */
static char *words[MOST_WORDS]; /* tokens of all of them, and the names of all operations */
static size_t ntexts, nwords;

/* ---- numbers that look random: splitmix64 ---- */

static uint64_t randomness;

static size_t draw(size_t n) {
    uint64_t z = randomness += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (size_t)((z ^ (z >> 31)) % (n ? n : 1));
}

/* ---- the corpus ---- */

static void add_word(const char *s, size_t n) {
    if (nwords < MOST_WORDS && n > 0 && (words[nwords] = strndup(s, n))) nwords++;
}

static size_t word_length(const char *s) {
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    return n ? n : *s != 0;
}

static void add_text(const char *s, size_t n) {
    if (ntexts == MOST_TEXTS || n == 0 || n > LONGEST || !(texts[ntexts] = strndup(s, n))) return;
    for (const char *p = texts[ntexts++]; *p; p += word_length(p))
        if (*p != ' ') add_word(p, word_length(p));
}

/* Of a transcript the lines after the prompts; of a program all of it. */
static void add_file(const char *path) {
    static char buf[1 << 16];
    FILE *f = fopen(path, "r");
    if (!f) return;
    buf[fread(buf, 1, sizeof buf - 1, f)] = 0;
    (void)fclose(f);
    if (!strstr(buf, "tg> ")) {
        add_text(buf, strlen(buf));
        return;
    }
    char program[LONGEST + 1] = "";
    size_t used = 0, lines = 0;
    for (char *line = strtok(buf, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "tg> ", 4) != 0 && strncmp(line, "...> ", 5) != 0) continue;
        const char *code = strchr(line, '>') + 2;
        if (used + strlen(code) + 2 > LONGEST || lines == 6) {
            add_text(program, used);
            used = lines = 0;
        }
        if (strlen(code) + 2 > LONGEST) continue;
        used += (size_t)snprintf(program + used, sizeof program - used, "%s\n", code);
        lines++;
    }
    add_text(program, used);
}

static void read_corpus(void) {
    static const char *const patterns[] = {"tests/lang/*.tgt", "tests/errors/*.tgt", "stdlib/*.tg",
                                           "docs/*.md", "examples/*/*.tg*"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char path[512];
        glob_t found;
        (void)snprintf(path, sizeof path, "%s/%s", TG_SOURCE_DIR, patterns[i]);
        if (glob(path, 0, NULL, &found) != 0) continue;
        for (size_t k = 0; k < found.gl_pathc; k++) add_file(found.gl_pathv[k]);
        globfree(&found);
    }
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        add_word(op->name, strlen(op->name));
        if (op->example) add_text(op->example, strlen(op->example));
    }
    for (int i = 0; tg_keywords[i]; i++) add_word(tg_keywords[i], strlen(tg_keywords[i]));
    static const char *const odd[] = {
        "1e308", "-1",  "0",     "nan", "inf",           "1e18",     "[]",    "()",
        "none",  "''",  "\"{\"", "}",   "9999999999999", "\xC3\xA9", "\xFF",  "\t",
        "\r\n",  "0.5", "..",    ":=",  "x[:, ::-1]",    "var(",     "grad(", "->"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) add_word(odd[i], strlen(odd[i]));
}

/* ---- mutation ---- */

typedef struct text {
    char bytes[LONGEST + 1];
    size_t n;
} text;

/* Bytes [at, at + gone) become `with`. */
static void replace(text *t, size_t at, size_t gone, const char *with, size_t n) {
    if (at > t->n) at = t->n;
    if (gone > t->n - at) gone = t->n - at;
    if (t->n - gone + n > LONGEST) return;
    memmove(t->bytes + at + n, t->bytes + at + gone, t->n - at - gone);
    memcpy(t->bytes + at, with, n);
    t->n += n - gone;
}

/* The place of a word drawn at random. */
static size_t place(const text *t, size_t *length) {
    size_t at = draw(t->n);
    while (at > 0 && word_length(t->bytes + at - 1) > 1) at--;
    *length = word_length(t->bytes + at);
    return at;
}

static int kind_of(char c) {
    return c >= '0' && c <= '9' ? 0 : (c | 32) >= 'a' && (c | 32) <= 'z' ? 1 : 2;
}

/* Mostly a word of the same kind, so that programs stay programs. */
static const char *word_like(char c) {
    const char *word = words[draw(nwords)];
    for (int i = 0; i < 12 && draw(8) && kind_of(word[0]) != kind_of(c); i++)
        word = words[draw(nwords)];
    return word;
}

static void mutate(text *t) {
    size_t n, m, at = place(t, &n), to = place(t, &m);
    const char *word = word_like(t->bytes[at]);
    char copy[LONGEST + 1], byte = (char)draw(256);
    switch (draw(10)) {
    case 0: replace(t, at, n, "", 0); break;
    case 1:
    case 2:
    case 3: replace(t, at, n, word, strlen(word)); break;
    case 4: replace(t, at, 0, word, strlen(word)); break;
    case 5:
        memcpy(copy, t->bytes + at, n);
        replace(t, to, m, copy, n);
        break;
    case 6: { /* a stretch of another program */
        const char *other = texts[draw(ntexts)];
        size_t from = draw(strlen(other)), many = draw(strlen(other) - from + 1);
        replace(t, at, draw(2) ? many : 0, other + from, many);
        break;
    }
    case 7: replace(t, draw(t->n), draw(3), &byte, 1); break;
    case 8: t->n = at + 1 < t->n && draw(4) == 0 ? at + 1 : t->n; break;
    default: /* a stretch doubled */
        m = draw(40);
        if (m > t->n - at) m = t->n - at;
        memcpy(copy, t->bytes + at, m);
        replace(t, at, 0, copy, m);
    }
    t->bytes[t->n] = 0;
}

/* ---- a clock beside the session ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tg_state *watched;
static _Atomic long started_ms; /* of the run under way; 0: none */
static _Atomic bool over;

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *watch(void *unused) {
    (void)unused;
    while (!over) {
        long since = started_ms;
        pthread_mutex_lock(&lock);
        if (watched && since && now_ms() - since > PATIENCE_MS) tg_interrupt(watched);
        pthread_mutex_unlock(&lock);
        usleep(20000);
    }
    return NULL;
}

static void watch_session(tg_state *s) {
    pthread_mutex_lock(&lock);
    watched = s;
    pthread_mutex_unlock(&lock);
}

static void swallow(void *user, const char *bytes, size_t len) {
    (void)bytes;
    *(size_t *)user += len;
}

static void fail_with(const text *t, const char *what) {
    (void)fprintf(stderr, "---- the text ----\n%.*s\n----\n", (int)t->n, t->bytes);
    fail_msg("%s", what);
}

static size_t setting(const char *name, size_t otherwise) {
    const char *s = getenv(name);
    return s ? strtoul(s, NULL, 10) : otherwise;
}

/* `use` and file names must not reach anything, and programs do not wait for what is typed. What is
 * written all the same stays in the folder made for it. */
static bool harmless(const text *t) {
    return !strstr(t->bytes, "use") && !strstr(t->bytes, "idx") && !strstr(t->bytes, "save") &&
           !strstr(t->bytes, "mnist") && !strstr(t->bytes, "fashion") &&
           !strstr(t->bytes, "load") && !strstr(t->bytes, "write") && !strstr(t->bytes, "to=") &&
           !strstr(t->bytes, "\"/") && !strstr(t->bytes, "..\"") && !strstr(t->bytes, "../");
}

/* An MMX instruction without its end leaves the x87 registers in use, and what computes with them,
 * the norm of a vector in BLAS for one, gives NaN from then on. */
static bool x87_is_free(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    uint16_t environment[14];
    __asm__ volatile("fnstenv %0\n\tfldenv %0" : "+m"(environment));
    return environment[4] == 0xFFFF;
#else
    return true;
#endif
}

/* Runs the text, as a whole or line by line, sometimes with an allocation that fails. Returns how
 * many parts ran well. */
static size_t run_text(tg_state *s, const text *t) {
    size_t fine = 0, line_by_line = draw(2), n;
    int flags = draw(16) ? TG_ECHO : TG_QUIET;
    long began = now_ms();
    tg_alloc_limit(tg_alloc_get_stats().live_bytes + MEMORY);
    for (const char *p = t->bytes, *end = p + t->n; p < end; p += n) {
        const char *stop = line_by_line ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        n = stop ? (size_t)(stop - p) + 1 : (size_t)(end - p);
        if (draw(4) == 0) tg_alloc_fail_at(1 + draw(1000));
        started_ms = now_ms();
        tg_status status = tg_run_bytes(s, "fuzz", p, n, 1, flags);
        started_ms = 0;
        tg_alloc_fail_at(0);
        if (status != TG_DONE && !tg_error(s)[0]) fail_with(t, "an error without a text");
        fine += status == TG_DONE;
        if (!x87_is_free()) fail_with(t, "left the x87 registers in use");
    }
    tg_alloc_limit(0);
    if (now_ms() - began > 20000) fail_with(t, "not to be interrupted");
    tg_status after = TG_INTERRUPTED; /* of a run before, that came late */
    while (after == TG_INTERRUPTED) after = tg_run(s, "test", "two = 1 + 1", TG_QUIET);
    if (after != TG_DONE) fail_with(t, tg_error(s));
    return fine;
}

static void mutants(void **state) {
    (void)state;
    read_corpus();
    assert_true(ntexts > 20 && nwords > 200);
    randomness = setting("TG_FUZZ_SEED", 1);
    const char *sanitized = getenv("TG_SANITIZED");
    size_t seconds = setting("TG_FUZZ_SECONDS", sanitized && sanitized[0] == '1' ? 30 : 10);
    size_t before = tg_alloc_get_stats().live_blocks, printed = 0, runs = 0, fine = 0;
    long end = now_ms() + 1000 * (long)seconds;
    bool show = getenv("TG_FUZZ_SHOW") != NULL;
    pthread_t clock;
    assert_int_equal(pthread_create(&clock, NULL, watch, NULL), 0);
    while (now_ms() < end) {
        tg_options options = {.write = swallow, .user = &printed};
        tg_state *s = tg_open(&options);
        assert_non_null(s);
        watch_session(s);
        for (int k = 0; k < SESSION_RUNS && now_ms() < end; k++) {
            text t = {.n = 0};
            const char *from = texts[draw(ntexts)];
            replace(&t, 0, 0, from, strlen(from));
            for (size_t times = 1 + draw(4); times > 0; times--) mutate(&t);
            if (!harmless(&t)) continue;
            if (show) (void)fprintf(stderr, "==== %zu\n%s\n", runs, t.bytes);
            fine += run_text(s, &t);
            runs++;
        }
        watch_session(NULL);
        tg_close(s);
        size_t left = tg_alloc_get_stats().live_blocks - before;
        if (left) fail_msg("%zu blocks leak in the session that ends with run %zu", left, runs);
    }
    over = true;
    pthread_join(clock, NULL);
    printf("%zu texts, %zu of their parts ran well\n", runs, fine);
}

static char folder[] = "/tmp/tg-fuzz-XXXXXX";

static int enter_folder(void **state) {
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state) {
    (void)state;
    glob_t left;
    if (glob("*", 0, NULL, &left) == 0) {
        for (size_t i = 0; i < left.gl_pathc; i++) (void)unlink(left.gl_pathv[i]);
        globfree(&left);
    }
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutants)};
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
