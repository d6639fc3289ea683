/* What libedit can do of keys.c: completion, the library's own history search and little more. */
#include "command/prompt/prompt.h"

#ifdef TG_HAVE_LIBEDIT

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <editline/readline.h>

static tg_state *session;
static const char *lines_before = "", *stands_there;
static tg_choices choices;
static size_t word_start;

/* The choices as what the word, which libedit cuts out by itself, could become. */
static char *next_match(const char *text, int state) {
    static size_t i;
    if (state == 0) i = 0;
    while (i < choices.n) {
        char *choice = choices.items[i++].text;
        size_t len = strlen(choice);
        if (len && choice[len - 1] == '(') choice[len - 1] = 0; /* who types on would have two */
        if (choices.from >= word_start) {
            const size_t keep = choices.from - word_start, n = strlen(choice);
            char *match = keep <= strlen(text) ? malloc(keep + n + 1) : NULL;
            if (!match) return NULL;
            memcpy(match, text, keep);
            memcpy(match + keep, choice, n + 1);
            return match;
        }
        const size_t skip = word_start - choices.from;
        if (strlen(choice) >= skip && strncmp(choice, rl_line_buffer + choices.from, skip) == 0)
            return strdup(choice + skip);
    }
    return NULL;
}

static char **complete(const char *text, int start, int end) {
    rl_attempted_completion_over = 1;
    rl_completion_append_character = '\0';
    word_start = (size_t)start;
    tg_choices_free(&choices);
    tg_choices_find(session, lines_before, rl_line_buffer, (size_t)end, &choices);
    return choices.n ? rl_completion_matches(text, next_match) : NULL;
}

void tg_keys_line(const char *before, const char *preset) {
    lines_before = before;
    stands_there = preset;
}

bool tg_keys_more_waits(void) {
    return false;
}

void tg_keys_drop(void) {}

bool tg_keys_gone(void) {
    return false;
}

static int begin_line(void) {
    if (stands_there) rl_insert_text(stands_there);
    return 0;
}

void tg_keys_open(tg_state *s) {
    session = s;
    rl_startup_hook = begin_line;
    rl_attempted_completion_function = complete;
    rl_basic_word_break_characters = " \t\n\"\\'`@$><=;|&{}()[]+-*/%^,:.!~?";
}

#endif
