/* tg --check-examples: the example of every operation, builtin and topic is run, each in a fresh
 * session, and must show the value that stands beside it in its record. One that is missing is a
 * failure: a record without an example is not documented. */
#include "base/str.h"
#include "command/colon/colon.h"
#include "command/command.h"
#include "interp/interp.h"
#include "interp/topics.h"

#include <stdio.h>
#include <string.h>

typedef struct tally {
    tg_options options;
    tg_str answer;
    int run, wrong;
} tally;

static void collect(void *user, const char *text, size_t len) {
    tally *k = user;
    tg_str_addn(&k->answer, text, len);
}

static bool blank(char ch) {
    return ch == ' ' || ch == '\n';
}

/* Equal, where any blanks are as good as any others: a record has its matrices on one line. */
static bool same_text(const char *a, const char *b) {
    for (;;) {
        bool gap_a = blank(*a), gap_b = blank(*b);
        while (blank(*a)) a++;
        while (blank(*b)) b++;
        if (!*a || !*b) return *a == *b;
        if (gap_a != gap_b || *a++ != *b++) return false;
    }
}

/* Runs the example into k->answer. False: no memory. */
static bool run(tally *k, const char *example) {
    tg_str_free(&k->answer);
    tg_state *s = tg_open(&k->options);
    if (!s) return false;
    tg_command_watch(s);
    if (tg_colon_or_run(s, example, strlen(example), TG_ECHO) != TG_DONE)
        tg_str_add(&k->answer, tg_error(s));
    tg_command_watch(NULL);
    tg_close(s);
    return !k->answer.failed;
}

static void check(tally *k, const char *name, const char *example, const char *value) {
    k->run++;
    if (!example || !value) {
        printf("%s: has no example\n", name);
        k->wrong++;
    } else if (!run(k, example)) {
        printf("%s: out of memory\n", name);
        k->wrong++;
    } else {
        if (strcmp(value, "...") == 0 || same_text(tg_str_text(&k->answer), value)) return;
        printf("%s\n  tg> %s\n- %s\n+ %s\n", name, example, value, tg_str_text(&k->answer));
        k->wrong++;
    }
}

int tg_check_examples(const tg_options *options) {
    tally k = {.options = *options};
    k.options.write = collect;
    k.options.user = &k;
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)) && !tg_command_interrupted; i++)
        check(&k, op->name, op->example, op->value);
    const tg_builtin *b;
    for (int i = 0; (b = tg_builtin_at(i)) && !tg_command_interrupted; i++)
        check(&k, b->name, b->example, b->value);
    for (const tg_topic *t = tg_topics; t->words && !tg_command_interrupted; t++)
        check(&k, t->words, t->example, t->value);
    tg_str_free(&k.answer);
    if (tg_command_interrupted) return EXIT_INTERRUPTED;
    printf("%d examples, %d wrong\n", k.run, k.wrong);
    return k.wrong ? EXIT_ERROR : EXIT_DONE;
}
