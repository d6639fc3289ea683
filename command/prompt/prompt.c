/* The prompt: read, run, show, and never lose anything. Text that is right so far but goes on is
 * asked for line by line; Ctrl-C drops what was typed, or stops what runs; Ctrl-D on an empty line
 * leaves. */
#include "base/alloc.h"
#include "base/str.h"
#include "command/colon/colon.h"
#include "command/command.h"

#include <stdio.h>
#include <string.h>

static bool only_blanks(const char *s) {
    return s[strspn(s, " \t\r\n")] == 0;
}

static void answer(tg_state *s, tg_status status) {
    fflush(stdout);
    if (status == TG_FAILED || status == TG_INTERRUPTED) tg_command_complain(s);
}

/* The text collected so far is all there will be: its error is shown. */
static void run_unfinished(tg_state *s, const tg_str *text) {
    answer(s, tg_colon_or_run(s, tg_str_text(text), text->len, TG_ECHO));
}

/* One line more. True: go on reading the same text. */
static bool run_line(tg_state *s, tg_str *text) {
    tg_command_interrupted = 0;
    tg_command_watch(s);
    tg_status status = tg_colon_or_run(s, tg_str_text(text), text->len, TG_ECHO | TG_MAY_GO_ON);
    tg_command_watch(NULL); /* while a line is edited Ctrl-C belongs to the editor */
    if (status == TG_MORE) return true;
    tg_editor_remember(tg_str_text(text));
    answer(s, status);
    return false;
}

int tg_prompt(tg_state *s) {
    tg_str text = {0};
    tg_edit got = TG_EDIT_LINE;
    bool more = false;
    printf("tg %s. Type `sum` to see how sum is called, Ctrl-D to leave.\n", tg_version());
    tg_editor_open(s);
    tg_command_watch(NULL);
    while (got != TG_EDIT_FAILED && !tg_colon_leaving) {
        char *line = NULL;
        fflush(stdout);
        tg_command_interrupted = 0;
        got = tg_editor_read(more ? "...> " : "tg> ", &line);
        if (got == TG_EDIT_LINE) {
            if (more) tg_str_addc(&text, '\n');
            tg_str_add(&text, line);
            tg_free(line);
            if (text.failed) {
                fputs("error: out of memory: the line is dropped\n", stderr);
                tg_str_free(&text);
                more = false;
            } else if (more || !only_blanks(tg_str_text(&text))) {
                more = run_line(s, &text);
            }
        } else if (got == TG_EDIT_INTERRUPT) {
            more = false;
        } else if (got == TG_EDIT_END && more) {
            putchar('\n');
            run_unfinished(s, &text);
            more = false;
        } else {
            putchar('\n');
            break;
        }
        if (!more) tg_str_free(&text);
    }
    tg_str_free(&text);
    tg_editor_close();
    return EXIT_DONE;
}
