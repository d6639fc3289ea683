/* Other programs: what they are fed and say, how they end, and that nothing is left behind. */
#include "base/alloc.h"
#include "base/process.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int open_descriptors(void) {
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static void output_is_collected(void **state) {
    (void)state;
    int before = open_descriptors();
    tg_str out = {0}, err = {0};
    const char *const argv[] = {"sh", "-c", "cat; echo wrong >&2; exit 3", NULL};
    tg_process p = {.argv = argv, .input = "right", .input_len = 5, .out = &out, .err = &err};
    assert_int_equal(tg_process_run(&p), TG_PROCESS_DONE);
    assert_int_equal(p.code, 3);
    assert_string_equal(tg_str_text(&out), "right");
    assert_string_equal(tg_str_text(&err), "wrong\n");
    tg_str_free(&out);
    tg_str_free(&err);
    assert_int_equal(open_descriptors(), before);
}

enum { MUCH = 1 << 20 };

/* More than pipes hold, both ways; in several threads at once. */
static void *echo_much(void *text) {
    tg_str out = {0};
    const char *const argv[] = {"cat", NULL};
    tg_process p = {.argv = argv, .input = text, .input_len = MUCH, .out = &out};
    bool ok = tg_process_run(&p) == TG_PROCESS_DONE && p.code == 0 && out.len == MUCH &&
              memcmp(out.text, text, MUCH) == 0;
    tg_str_free(&out);
    return ok ? text : NULL;
}

static void threads_do_not_wait_for_each_other(void **state) {
    (void)state;
    char *text = tg_alloc(MUCH);
    assert_non_null(text);
    for (int i = 0; i < MUCH; i++) text[i] = (char)('a' + i % 26);
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, echo_much, text), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(thread[i], &result);
        assert_ptr_equal(result, text);
    }
    tg_free(text);
}

static void a_reader_that_leaves_raises_no_signal(void **state) {
    (void)state;
    char *text = tg_alloc(MUCH);
    assert_non_null(text);
    memset(text, 'x', MUCH);
    const char *const argv[] = {"true", NULL};
    tg_process p = {.argv = argv, .input = text, .input_len = MUCH};
    assert_int_equal(tg_process_run(&p), TG_PROCESS_DONE);
    assert_int_equal(p.code, 0);
    assert_int_equal(tg_process_hand_over(&p), TG_PROCESS_DONE);
    sigset_t pending, mask;
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&pending, SIGPIPE) || sigismember(&mask, SIGPIPE));
    tg_free(text);
}

static void a_missing_program_is_told_apart(void **state) {
    (void)state;
    int before = open_descriptors();
    tg_str out = {0};
    const char *const missing[] = {"no-such-program-anywhere", NULL}, *const folder[] = {"/", NULL};
    tg_process p = {.argv = missing, .input = "a", .input_len = 1, .out = &out};
    assert_int_equal(tg_process_run(&p), TG_PROCESS_MISSING);
    assert_int_equal(tg_process_hand_over(&p), TG_PROCESS_MISSING);
    p.argv = folder;
    assert_int_equal(tg_process_run(&p), TG_PROCESS_REFUSED);
    assert_string_not_equal(strerror(p.code), "Success");
    assert_int_equal(open_descriptors(), before);
}

static void it_is_ended_with_its_children(void **state) {
    (void)state;
    tg_str out = {0};
    const char *const argv[] = {"sh", "-c", "echo $$; sleep 60 & sleep 60", NULL};
    volatile sig_atomic_t flag = 0;
    tg_process p = {.argv = argv, .out = &out, .interrupted = &flag, .seconds = 0.2};
    assert_int_equal(tg_process_run(&p), TG_PROCESS_LATE);
    int group = 0;
    for (const char *s = tg_str_text(&out); *s >= '0' && *s <= '9'; s++)
        group = group * 10 + (*s - '0');
    assert_true(group > 0);
    tg_str_free(&out);
    flag = 1;
    p.seconds = 0;
    assert_int_equal(tg_process_run(&p), TG_PROCESS_STOPPED);
    assert_int_equal(flag, 1);
    tg_str_free(&out);
    const char *const quiet[] = {"sh", "-c", "exec >/dev/null; sleep 60", NULL};
    p.argv = quiet; /* it has closed its pipe: the flag is looked at while it is waited for */
    assert_int_equal(tg_process_run(&p), TG_PROCESS_STOPPED);
    tg_str_free(&out);
}

static void the_foreground_gives_signals_back(void **state) {
    (void)state;
    struct sigaction before, after;
    sigaction(SIGINT, NULL, &before);
    const char *const argv[] = {"sh", "-c", "read a; test \"$a\" = text && kill -INT $$", NULL};
    tg_process p = {.argv = argv, .input = "text\n", .input_len = 5};
    assert_int_equal(tg_process_hand_over(&p), TG_PROCESS_DONE);
    assert_int_equal(p.code, 128 + SIGINT); /* the program is not deaf to Ctrl-C */
    sigaction(SIGINT, NULL, &after);
    assert_true(before.sa_handler == after.sa_handler);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_is_collected),
        cmocka_unit_test(threads_do_not_wait_for_each_other),
        cmocka_unit_test(a_reader_that_leaves_raises_no_signal),
        cmocka_unit_test(a_missing_program_is_told_apart),
        cmocka_unit_test(it_is_ended_with_its_children),
        cmocka_unit_test(the_foreground_gives_signals_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
