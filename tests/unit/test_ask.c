/* What help tells: the shapes against what the shape rules give for numbers, relatives that exist,
 * advice on other systems' words that is tg; and the interface to a session's names. */
#include "base/alloc.h"
#include "base/nearest.h"
#include "grammar/parse.h"
#include "interp/api.h"
#include "interp/foreign.h"
#include "interp/help_shapes.h"
#include "interp/related.h"
#include "interp/topics.h"
#include "runtime/ops/document.h"
#include "runtime/ops/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- shapes ---- */

/* The sizes in the last shape of the line, "[2*M, N]", as numbers by a session that knows the
 * letters. Their number; -1: they make no sense. */
static int numbers_of(tg_state *s, const char *line, double out[8]) {
    const char *arrow = strstr(line, "-> ["), *p = arrow + 4;
    int n = 0;
    if (!arrow) return -1;
    while (*p != ']') {
        char text[100];
        size_t len = strcspn(p, ",]");
        snprintf(text, sizeof text, "told = %.*s", (int)len, p);
        if (n == 8 || tg_run(s, "size", text, TG_QUIET) != TG_DONE ||
            tg_get_number(s, "told", &out[n++]) != TG_DONE)
            return -1;
        p += len;
        p += strspn(p, ", ");
    }
    return n;
}

/* Gives the letters in the line with symbols the numbers that stand in their places in the other.
 */
static bool bind_letters(tg_state *s, const char *told, const char *counted) {
    while (*told && *counted && strncmp(told, "->", 2) != 0) {
        if (*told == *counted) {
            told++;
            counted++;
            continue;
        }
        char text[40];
        size_t n = strspn(counted, "0123456789");
        if (!strchr("BMKN", *told) || n == 0) return false;
        snprintf(text, sizeof text, "%c = %.*s", *told, (int)n, counted);
        if (tg_run(s, "letter", text, TG_QUIET) != TG_DONE) return false;
        told++;
        counted += n;
    }
    return true;
}

/* Each line about each operation: with letters for sizes it says what it says with numbers. */
static void shapes_are_those_of_the_rules(void **state) {
    (void)state;
    tg_state *s = tg_open(NULL);
    assert_non_null(s);
    int compared = 0;
    const tg_op *op;
    for (int k = 0; (op = tg_op_at(k)); k++) {
        tg_rt rt;
        if (op->class == TG_CLASS_LEAF) continue;
        assert_true(tg_rt_init(&rt));
        int lines = 0;
        for (int i = 0; i < 24; i++) {
            tg_str told = {0}, counted = {0};
            double a[8], b[8];
            if (tg_shape_line(&rt, op, i, true, &told) &&
                tg_shape_line(&rt, op, i, false, &counted)) {
                lines++;
                bool ok = bind_letters(s, tg_str_text(&told), tg_str_text(&counted));
                int n = numbers_of(s, tg_str_text(&told), a);
                int m = numbers_of(s, tg_str_text(&counted), b);
                ok = ok && n >= 0 && n == m;
                for (int j = 0; ok && j < n; j++) ok = a[j] == b[j];
                if (!ok) fail_msg("%s: told %s, found %s", op->name, told.text, counted.text);
                compared++;
            }
            tg_str_free(&told);
            tg_str_free(&counted);
        }
        if (lines == 0) fail_msg("%s: nothing is told of shapes", op->name);
        tg_rt_free(&rt);
    }
    assert_true(compared > 300);
    tg_close(s);
}

/* ---- names in texts ---- */

static bool is_known(tg_state *s, const char *word) {
    tg_completion found;
    assert_int_equal(tg_complete_at(s, word, strlen(word), &found), TG_DONE);
    for (size_t i = 0; i < found.n; i++)
        if (strcmp(found.items[i].text, word) == 0) return true;
    return false;
}

static void relatives_exist(void **state) {
    (void)state;
    tg_state *s = tg_open(NULL);
    assert_non_null(s);
    tg_interp *in = &s->in;
    for (size_t i = 0; i < in->library->n; i++) {
        const char *related[TG_RELATED];
        const struct tg_binding *b = &in->library->items[i];
        int n = tg_related(in, b->name, b->value, related);
        for (int k = 0; k < n; k++) {
            if (!is_known(s, related[k])) fail_msg("%s: %s is no name", b->name, related[k]);
            assert_string_not_equal(related[k], b->name);
        }
    }
    tg_close(s);
}

/* Advice is for what is no name, and what it calls is one, perhaps of a module. */
static void advice_is_tg(void **state) {
    (void)state;
    tg_state *s = tg_open(NULL), *bare = tg_open(NULL);
    assert_non_null(s);
    assert_non_null(bare);
    assert_int_equal(
        tg_run(s, "use", "use optim; use nn; use loss; use metrics; use data", TG_QUIET), TG_DONE);
    for (const tg_foreign *f = tg_foreign_words; f->words; f++) {
        for (const char *at = f->words + 1; *at; at += strcspn(at, " ") + 1) {
            char word[40];
            snprintf(word, sizeof word, "%.*s", (int)strcspn(at, " "), at);
            if (is_known(bare, word)) fail_msg("tg has %s", word);
        }
        for (const char *p = f->here; (p = strchr(p, '(')) != NULL; p++) {
            char word[40];
            const char *from = p;
            while (from > f->here && ((from[-1] >= 'a' && from[-1] <= 'z') || from[-1] == '_' ||
                                      (from[-1] >= '0' && from[-1] <= '9')))
                from--;
            snprintf(word, sizeof word, "%.*s", (int)(p - from), from);
            if (word[0] && strcmp(word, "f") != 0 && !is_known(s, word))
                fail_msg("%s: %s is no name", f->words, word);
        }
    }
    tg_close(s);
    tg_close(bare);
}

static void records_tell_their_file(void **state) {
    (void)state;
    const tg_op *op;
    const tg_builtin *b;
    char path[400];
    for (int i = 0; (op = tg_op_at(i)); i++) {
        FILE *f;
        snprintf(path, sizeof path, "%s/%s", TG_SOURCE_DIR, tg_op_file(op));
        assert_non_null(f = fopen(path, "r"));
        fclose(f);
    }
    for (int i = 0; (b = tg_builtin_at(i)); i++) {
        FILE *f;
        snprintf(path, sizeof path, "%s/%s", TG_SOURCE_DIR, tg_builtin_file(b));
        assert_non_null(f = fopen(path, "r"));
        fclose(f);
    }
}

/* ---- nearness ---- */

static void nearest_words(void **state) {
    (void)state;
    static const char *const words[] = {"softmax", "sum", "Sum", "axis", "learning_rate", NULL};
    assert_string_equal(tg_nearest_in("sofmtax", words), "softmax");
    assert_string_equal(tg_nearest_in("smu", words), "sum");
    assert_string_equal(tg_nearest_in("SUM", words), "sum");
    assert_string_equal(tg_nearest_in("learn", words), "learning_rate");
    assert_string_equal(tg_nearest_in("axes", words), "axis");
    assert_null(tg_nearest_in("zebra", words));
    assert_null(tg_nearest_in("", words));
}

/* ---- the interface ---- */

static const tg_name_info *row_of(const tg_name_info *rows, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    return NULL;
}

/* Two thousand names over one part that has none: what each needs is not walked down to again. */
static void names_are_linear(void **state) {
    (void)state;
    enum { NAMES = 2000 };
    tg_state *s = tg_open(NULL);
    const tg_name_info *rows;
    size_t n;
    char text[100];
    assert_non_null(s);
    assert_int_equal(tg_run(s, "t", "x = var(1); y = var(2)", TG_QUIET), TG_DONE);
    for (int i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "z%d = sin(cos(x) + exp(y)) * %d + 1", i, i + 2);
        assert_int_equal(tg_run(s, "t", text, TG_QUIET), TG_DONE);
    }
    assert_int_equal(tg_names_table(s, 3, &rows, &n), TG_DONE);
    assert_int_equal(n, NAMES + 2);
    const tg_name_info *x = row_of(rows, n, "x"), *z = row_of(rows, n, "z7");
    assert_string_equal(x->kind, "var");
    assert_int_equal(x->users.n, 3);
    assert_true(x->users.more);
    assert_string_equal(z->kind, "formula");
    assert_int_equal(z->needs.n, 2);
    assert_false(z->needs.more);
    assert_string_equal(rows[z->needs.at[1]].name, "y");
    tg_close(s);
}

/* ---- memory ---- */

static void swallow(void *user, const char *text, size_t len) {
    (void)text;
    *(size_t *)user += len;
}

static tg_status ask_all(tg_state *s) {
    static const char *const texts[] = {"?concat", "?f",     "?y",     "?r",       "??soft",
                                        "?@",      "softmx", "?:time", "use optm", "?"};
    const tg_name_info *rows;
    const char *text;
    tg_ops_report ops;
    tg_status status = TG_DONE;
    size_t n;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (tg_run(s, "ask", texts[i], TG_ECHO) != TG_DONE && strstr(tg_error(s), "memory"))
            status = TG_FAILED;
    if (tg_names_table(s, 4, &rows, &n) != TG_DONE) status = TG_FAILED;
    if (tg_describe_type(s, "r", 1, 0, &text) != TG_DONE) status = TG_FAILED;
    if (tg_count_ops(s, "y", 1, 0, &ops) != TG_DONE) status = TG_FAILED;
    if (tg_source_of(s, "f", &text) != TG_DONE) status = TG_FAILED;
    return status;
}

/* Each allocation fails once, every 5th where there are many: nothing leaks, and it works again. */
static void without_memory(void **state) {
    (void)state;
    const tg_options quiet = {.write = swallow, .user = &(size_t){0}};
    const size_t before = tg_alloc_get_stats().live_blocks;
    bool reached = true;
    for (uint64_t n = 1; reached; n += n < 200 ? 1 : 5) {
        tg_state *s = tg_open(&quiet);
        assert_non_null(s);
        assert_int_equal(tg_run(s, "t",
                                "f(x) = sin(x)^2\nx = var([1, 2]); y = sum(f(x)) + 1\n"
                                "r = {a: x, b: (1, y)}",
                                TG_QUIET),
                         TG_DONE);
        tg_alloc_reset_stats();
        tg_alloc_fail_at(n);
        tg_status failed = ask_all(s);
        tg_alloc_fail_at(0);
        reached = tg_alloc_get_stats().requests >= n;
        if (failed != TG_DONE) assert_true(reached);
        assert_int_equal(ask_all(s), TG_DONE);
        tg_close(s);
        const size_t left = tg_alloc_get_stats().live_blocks - before;
        if (left) fail_msg("allocation %d: %zu blocks leak", (int)n, left);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_those_of_the_rules),
        cmocka_unit_test(relatives_exist),
        cmocka_unit_test(advice_is_tg),
        cmocka_unit_test(records_tell_their_file),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(names_are_linear),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
