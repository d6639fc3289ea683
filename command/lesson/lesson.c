/* tg lesson: the list of lessons, and which one is meant. */
#include "command/lesson/lesson.h"

#include "base/alloc.h"
#include "base/terminal.h"
#include "base/wrap.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct lessons {
    tg_lesson *item;
    int n;
} lessons;

static void print_list(const lessons *l) {
    int widest = 0;
    tg_str all = {0}, fitting = {0};
    for (int i = 0; i < l->n; i++) {
        int w = tg_utf8_width(l->item[i].name, strlen(l->item[i].name));
        if (w > widest) widest = w;
    }
    tg_str_add(&all, "Lessons:\n\n");
    for (int i = 0; i < l->n; i++) {
        const tg_lesson *one = &l->item[i];
        tg_str_addf(&all, "  %2d  %-*s  %s\n", i + 1, widest, one->name, one->title);
    }
    tg_str_add(&all, "\n`tg lesson 1` walks through the first, `tg lesson NAME` through another, "
                     "and `tg lesson FILE.tgt` through one of your own.\n");
    tg_wrap_text(&fitting, tg_str_text(&all), tg_terminal_columns(STDOUT_FILENO, 100));
    fputs(tg_str_text(&fitting), stdout);
    tg_str_free(&all);
    tg_str_free(&fitting);
}

/* The lesson of that number or name; -1: none. A name may be cut short while it is clear. */
static int find(const lessons *l, const char *word) {
    char *end;
    long number = strtol(word, &end, 10);
    if (*word && *end == 0) return number >= 1 && number <= l->n ? (int)number - 1 : -1;
    int found = -1, alike = 0;
    for (int i = 0; i < l->n; i++) {
        if (strcmp(l->item[i].name, word) == 0) return i;
        if (strncmp(l->item[i].name, word, strlen(word)) != 0) continue;
        found = i;
        alike++;
    }
    return alike == 1 ? found : -1;
}

static int complain(const tg_ctx *c) {
    fprintf(stderr, "tg: %s\n", c->diag.msg);
    return EXIT_ERROR;
}

/* Steps count from 1; *from from 0. */
static bool read_step(const char *text, const tg_lesson *l, int *from) {
    char *end;
    long step = strtol(text, &end, 10);
    *from = (int)step - 1;
    return *text && *end == 0 && step >= 1 && step <= l->nsteps;
}

/* Steps that are skipped over print nothing. */
static void drop(void *user, const char *text, size_t len) {
    (void)user;
    (void)text;
    (void)len;
}

/* The steps that later ones build on. False: interrupted. */
static bool run_before(tg_state *s, const tg_lesson *l, int from) {
    bool on = true;
    tg_command_watch(s);
    for (int i = 0; on && i < from; i++)
        on = tg_run(s, l->name, l->steps[i].code, TG_QUIET) != TG_INTERRUPTED;
    tg_command_watch(NULL);
    return on;
}

static int walk(tg_state *s, const tg_options *options, const tg_lesson *l, const char *step,
                const char *next) {
    int from = 0;
    if (step && !read_step(step, l, &from)) {
        fprintf(stderr, "tg: the lesson %s has the steps 1 to %d\n", l->name, l->nsteps);
        return EXIT_USAGE;
    }
    tg_output before = tg_redirect(s, (tg_output){.write = drop});
    bool ready = run_before(s, l, from);
    tg_redirect(s, before);
    if (!ready) return EXIT_INTERRUPTED;
    return tg_lesson_walk(s, l, from, next, (options->colours & TG_COLOURS_ECHO) != 0);
}

/* A file is meant where the word looks like one. */
static bool is_file(const char *word) {
    return strchr(word, '/') || tg_has_suffix(word, ".tgt");
}

static int walk_file(tg_ctx *c, tg_state *s, const tg_options *options, char *const *argv) {
    tg_lesson one;
    if (!tg_lesson_read(c, argv[0], &one)) return complain(c);
    int status = walk(s, options, &one, argv[1], NULL);
    tg_lesson_free(&one);
    return status;
}

static int list_or_walk(tg_ctx *c, tg_state *s, const tg_options *options, int argc,
                        char *const *argv) {
    char folder[PATH_MAX];
    lessons l;
    if (argc > 0 && is_file(argv[0])) return walk_file(c, s, options, argv);
    if (tg_lessons_folder(s, folder, sizeof folder) != TG_DONE) {
        tg_command_complain(s);
        return EXIT_ERROR;
    }
    if (!tg_lessons_list(c, folder, &l.item, &l.n)) return complain(c);
    int status = EXIT_DONE, at = argc > 0 ? find(&l, argv[0]) : 0;
    if (argc == 0) {
        print_list(&l);
    } else if (at < 0) {
        fprintf(stderr, "tg: there is no lesson %s; `tg lesson` lists them\n", argv[0]);
        status = EXIT_USAGE;
    } else {
        status = walk(s, options, &l.item[at], argv[1], at + 1 < l.n ? l.item[at + 1].name : NULL);
    }
    for (int i = 0; i < l.n; i++) tg_lesson_free(&l.item[i]);
    tg_free(l.item);
    return status;
}

static const char usage[] =
    "usage: tg lesson [name or number or file.tgt [step]]\n"
    "Lists the lessons, or walks through one of them, from its beginning or from a step.\n";

int tg_lesson_command(const tg_options *options, int argc, char *const *argv) {
    tg_ctx c;
    bool asked = argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0);
    if (asked || argc > 2) {
        fputs(usage, asked ? stdout : stderr);
        return asked ? EXIT_DONE : EXIT_USAGE;
    }
    if (!tg_ctx_init(&c)) return EXIT_ERROR;
    tg_state *s = tg_open(options);
    int status = EXIT_ERROR;
    if (s)
        status = list_or_walk(&c, s, options, argc, argv);
    else
        fputs("tg: out of memory\n", stderr);
    if (s) tg_close(s);
    tg_ctx_free(&c);
    return status;
}
