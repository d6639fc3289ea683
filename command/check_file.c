/* tg check: errors and shapes of programs, without running them.
 *
 * Errors and warnings go to standard error in the form that gcc and Clang made common,
 * file:line:column: error: message, with the source line and carets below, so that any editor can
 * jump to them; shapes go to standard output. Each file is read in a session of its own. Exit
 * status: 0 nothing is wrong, 1 there are errors or a file cannot be read, 2 wrong usage. */
#include "base/alloc.h"
#include "base/str.h"
#include "command/command.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tg check [--quiet | --shapes | --json] files\n"
    "Tells errors and shapes of programs without running them. `-` is standard input.\n"
    "\n"
    "  --quiet    errors and warnings only\n"
    "  --shapes   shapes only, in the order of the definitions\n"
    "  --json     each finding as one line of JSON on standard output\n";

typedef struct listing {
    bool quiet, shapes, json;
    int errors;
} listing;

/* The text as a string of JSON; bytes that are no UTF-8 become U+FFFD. */
static void put_string(const char *s) {
    size_t len = strlen(s);
    putchar('"');
    for (size_t i = 0; i < len;) {
        unsigned code;
        size_t n = (size_t)tg_utf8_next(s + i, len - i, &code);
        if (n == 1 && (unsigned char)s[i] >= 0x80)
            fputs("\\ufffd", stdout);
        else if (code == '"' || code == '\\')
            printf("\\%c", (int)code);
        else if (code == '\n')
            fputs("\\n", stdout);
        else if (code < 0x20)
            printf("\\u%04x", code);
        else
            fwrite(s + i, 1, n, stdout);
        i += n;
    }
    putchar('"');
}

static void put_json(const tg_finding *f) {
    static const char *const kind[] = {[TG_FINDING_ERROR] = "error",
                                       [TG_FINDING_WARNING] = "warning",
                                       [TG_FINDING_SHAPE] = "shape"};
    printf("{\"kind\": \"%s\", \"file\": ", kind[f->kind]);
    put_string(f->file ? f->file : "");
    printf(", \"line\": %d, \"column\": %d, \"last_column\": %d, \"message\": ", f->line, f->column,
           f->last_column);
    put_string(f->message);
    fputs(", \"help\": ", stdout);
    put_string(f->help);
    puts("}");
}

static void tell(void *user, const tg_finding *f) {
    listing *l = user;
    bool shape = f->kind == TG_FINDING_SHAPE;
    l->errors += f->kind == TG_FINDING_ERROR;
    if (shape ? l->quiet : l->shapes) return;
    if (l->json) {
        put_json(f);
    } else if (shape) {
        puts(f->report);
    } else {
        fflush(stdout);
        fprintf(stderr, "%s\n", f->report);
    }
}

static int check_file(const tg_options *options, const char *path, listing *l) {
    size_t len;
    char *text = tg_command_read(path, &len);
    if (!text) return tg_command_interrupted ? EXIT_INTERRUPTED : EXIT_ERROR;
    tg_state *s = tg_open(options);
    if (!s) {
        fputs("tg: out of memory\n", stderr);
        tg_free(text);
        return EXIT_ERROR;
    }
    tg_command_watch(s);
    if (tg_error(s)[0]) tg_command_complain(s);
    l->errors = 0;
    tg_status status =
        tg_check_text(s, strcmp(path, "-") == 0 ? "<stdin>" : path, text, len, tell, l);
    if (status != TG_DONE) tg_command_complain(s);
    tg_command_watch(NULL);
    tg_close(s);
    tg_free(text);
    return status == TG_INTERRUPTED             ? EXIT_INTERRUPTED
           : status != TG_DONE || l->errors > 0 ? EXIT_ERROR
                                                : EXIT_DONE;
}

int tg_check_command(const tg_options *options, int n, char *const *args) {
    listing l = {0};
    int files = 0, status = EXIT_DONE;
    for (int i = 0; i < n; i++) {
        const char *a = args[i];
        if (strcmp(a, "--quiet") == 0) {
            l.quiet = true;
        } else if (strcmp(a, "--shapes") == 0) {
            l.shapes = true;
        } else if (strcmp(a, "--json") == 0) {
            l.json = true;
        } else if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
            fputs(usage, stdout);
            return EXIT_DONE;
        } else if (a[0] == '-' && a[1]) {
            fprintf(stderr, "tg check: unknown option: %s\nTry `tg check --help`.\n", a);
            return EXIT_USAGE;
        } else {
            files++;
        }
    }
    if (files == 0 || (l.quiet && l.shapes)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    for (int i = 0; i < n && status != EXIT_INTERRUPTED; i++) {
        if (args[i][0] == '-' && args[i][1]) continue;
        int one = check_file(options, args[i], &l);
        if (one != EXIT_DONE) status = one;
    }
    return status;
}
