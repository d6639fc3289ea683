/* tg file.tgt: a transcript performed. Its text is printed as it stands, its lines are run, and
 * what they give now takes the place of the answers. So a lesson in examples/class is a document to
 * read, a test (tg --check) and a program at once. An error is an answer like any other, as it is
 * at the prompt. */
#include "command/colon/colon.h"
#include "command/command.h"
#include "command/transcript.h"

#include <stdio.h>
#include <string.h>

static void print_lines(const tg_transcript *t, int first, int last) {
    for (int i = first; i < last; i++) printf("%.*s\n", (int)t->lines[i].n, t->lines[i].text);
}

static tg_status perform(tg_state *s, const tg_transcript *t) {
    int printed = 0;
    for (size_t i = 0; i < t->n; i++) {
        const tg_exchange *x = &t->items[i];
        print_lines(t, printed, x->first);
        printed = x->last;
        fflush(stdout);
        tg_status status = tg_colon_or_run(s, tg_str_text(&x->code), x->code.len, TG_ECHO);
        if (status == TG_INTERRUPTED) return status;
        if (status != TG_DONE) printf("%s\n", tg_error(s));
    }
    print_lines(t, printed, (int)t->nlines);
    return TG_DONE;
}

int tg_play(tg_state *s, const char *path) {
    tg_ctx c;
    tg_transcript t;
    if (!tg_ctx_init(&c)) return EXIT_ERROR;
    int status = EXIT_ERROR;
    if (!tg_transcript_read(&c, path, &t)) {
        fprintf(stderr, "%s: %s\n", path, c.diag.msg);
    } else {
        if (t.n == 0)
            fprintf(stderr, "%s: there is no line `tg> ...` in it\n", path);
        else
            status = perform(s, &t) == TG_DONE ? EXIT_DONE : EXIT_INTERRUPTED;
        tg_transcript_free(&t);
    }
    tg_ctx_free(&c);
    return status;
}
