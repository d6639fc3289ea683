/* tg fmt: programs in the layout of the house (grammar/layout.h).
 *
 * A file that cannot be parsed is reported and left as it is, and so is one that is laid out well
 * already; others are replaced as a whole. Exit status: 0 done, 1 a file could not be read, parsed
 * or written, or, with --check, is laid out otherwise; 2 wrong usage. */
#include "base/alloc.h"
#include "base/file.h"
#include "command/command.h"

#include <stdio.h>
#include <string.h>

static const char usage[] = "usage: tg fmt [--check] files\n"
                            "Lays programs out: blanks, indentation and line ends. What they mean "
                            "stays. `-` is standard\n"
                            "input, laid out to standard output.\n"
                            "\n"
                            "  --check    change nothing, and tell which files would change\n";

/* The number of the first line that differs. */
static int first_change(const char *a, size_t na, const char *b, size_t nb) {
    int line = 1;
    for (size_t i = 0; i < na && i < nb && a[i] == b[i]; i++) line += a[i] == '\n';
    return line;
}

static bool save(const char *path, const char *text, size_t len) {
    tg_ctx c;
    if (!tg_ctx_init(&c)) {
        fputs("tg: out of memory\n", stderr);
        return false;
    }
    bool ok = tg_file_save_atomic(&c, path, text, len);
    if (!ok) fprintf(stderr, "error: %s\n", c.diag.msg);
    tg_ctx_free(&c);
    return ok;
}

static int format_text(tg_state *s, const char *path, const char *old, size_t len, bool check) {
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "<stdin>" : path, *text;
    size_t n;
    if (tg_format(s, name, old, len, &text, &n) != TG_DONE) {
        tg_command_complain(s);
        return EXIT_ERROR;
    }
    bool same = n == len && memcmp(old, text, n) == 0;
    if (check && !same)
        printf("%s:%d: laid out otherwise\n", name, first_change(old, len, text, n));
    if (check) return same ? EXIT_DONE : EXIT_ERROR;
    if (is_stdin) fwrite(text, 1, n, stdout);
    if (is_stdin || same) return EXIT_DONE;
    return save(path, text, n) ? EXIT_DONE : EXIT_ERROR;
}

static int format_files(tg_state *s, int n, char *const *args, bool check) {
    int status = EXIT_DONE;
    for (int i = 0; i < n && !tg_command_interrupted; i++) {
        size_t len;
        if (args[i][0] == '-' && args[i][1]) continue;
        char *text = tg_command_read(args[i], &len);
        if (!text || format_text(s, args[i], text, len, check) != EXIT_DONE) status = EXIT_ERROR;
        tg_free(text);
    }
    return tg_command_interrupted ? EXIT_INTERRUPTED : status;
}

int tg_fmt_command(const tg_options *options, int n, char *const *args) {
    bool check = false;
    int files = 0;
    for (int i = 0; i < n; i++) {
        const char *a = args[i];
        if (strcmp(a, "--check") == 0) {
            check = true;
        } else if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
            fputs(usage, stdout);
            return EXIT_DONE;
        } else if (a[0] == '-' && a[1]) {
            fprintf(stderr, "tg fmt: unknown option: %s\nTry `tg fmt --help`.\n", a);
            return EXIT_USAGE;
        } else {
            files++;
        }
    }
    if (files == 0) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    tg_state *s = tg_open(options);
    if (!s) {
        fputs("tg: out of memory\n", stderr);
        return EXIT_ERROR;
    }
    int status = format_files(s, n, args, check);
    tg_close(s);
    return status;
}
