/* The prompt without a line editor: the terminal's own way to correct a line, and no history. */
#include "command/prompt/prompt.h"

#if !defined TG_HAVE_READLINE && !defined TG_HAVE_LIBEDIT

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char tg_editor_name[] = "none";

void tg_editor_open(tg_state *s) {
    (void)s;
}
void tg_editor_remember(const char *text) {
    (void)text;
}
void tg_editor_close(void) {}

void tg_editor_preset(const char *text) {
    if (text) printf("%s\n", text); /* to be seen; it cannot be edited here */
}

bool tg_editor_more_waits(void) {
    return false;
}

tg_edit tg_editor_read(const char *prompt, const char *before, char **line) {
    char *got = NULL;
    size_t room = 0;
    (void)before;
    tg_command_interrupted = 0;
    fputs(prompt, stdout);
    fflush(stdout);
    ssize_t n = getline(&got, &room, stdin);
    if (n > 0 && got[n - 1] == '\n') n--;
    *line = n >= 0 ? tg_paste_clean(got, (size_t)n) : NULL;
    free(got);
    if (*line) return TG_EDIT_LINE;
    bool end = feof(stdin);
    clearerr(stdin);
    if (tg_command_interrupted) {
        putchar('\n');
        return TG_EDIT_INTERRUPT;
    }
    return n < 0 && end ? TG_EDIT_END : TG_EDIT_FAILED;
}

#endif
