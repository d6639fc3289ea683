/* Programs to be looked at or run, from a file or from standard input. A person may type at the
 * latter: Ctrl-C ends it. */
#include "base/alloc.h"
#include "base/file.h"
#include "command/command.h"
#include "command/transcript.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* All of standard input; NULL: an error, reported. */
static char *read_stdin(size_t *len) {
    char *text = NULL;
    size_t cap = 0;
    *len = 0;
    for (;;) {
        void *p = text;
        if (!tg_grow(&p, &cap, *len + 65536, 1)) {
            fputs("tg: standard input: out of memory\n", stderr);
            break;
        }
        text = p;
        ssize_t n = read(STDIN_FILENO, text + *len, cap - *len);
        if (n == 0) {
            text[*len] = 0; /* there is room: it grew before the read */
            return text;
        }
        if (n > 0) {
            *len += (size_t)n;
        } else if (errno != EINTR || tg_command_interrupted) {
            if (!tg_command_interrupted)
                fprintf(stderr, "tg: standard input: %s\n", strerror(errno));
            break;
        }
    }
    tg_free(text);
    return NULL;
}

static char *read_file(const char *path, size_t *len) {
    tg_ctx c;
    if (!tg_ctx_init(&c)) {
        fputs("tg: out of memory\n", stderr);
        return NULL;
    }
    char *text = tg_file_read(&c, path, len);
    if (!text) fprintf(stderr, "error: %s\n", c.diag.msg);
    tg_ctx_free(&c);
    return text;
}

char *tg_command_read(const char *path, size_t *len) {
    if (strcmp(path, "-") == 0) return read_stdin(len);
    if (!tg_has_suffix(path, ".tgt")) return read_file(path, len);
    fprintf(stderr,
            "error: %s is a transcript, no program\n  help: tg --check %s performs it and "
            "compares\n",
            path, path);
    return NULL;
}
