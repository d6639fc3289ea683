/* What keys do at tg's prompt beyond what readline has for them. All is bound before the user's
 * inputrc is read, in the keymaps of both editing modes, so that what stands there wins; and the
 * functions have names (tg-previous, tg-next, tg-paste, tg-newline, tg-open, tg-close) to be bound
 * by.
 *
 *   Up, Down    through the entries that begin as the line does up to the cursor; within an entry
 *               of several lines, from line to line, unless Up or Down was the key before
 *   Tab         completes, and shows what it found with kinds and signatures
 *   (           typed behind the bracket that Tab has put there is that bracket
 *   ) ] }       at the beginning of a line, go back to where their bracket's line begins
 *   Ctrl-O      runs what was recalled, and recalls what was entered behind it
 *   Alt-Enter   a new line within the entry
 *   a paste     is put in as it will be run: without prompts and answers
 *
 * A recalled entry is put in as an edit of the line: undo brings back what was typed, and the
 * history itself is never changed. Characters come from a buffer of ours, as reading them one by
 * one is slow; while more wait, nothing is drawn. */
#include "command/prompt/prompt.h"

#ifdef TG_HAVE_READLINE

#include "base/alloc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

static tg_state *session;
static const char *lines_before = ""; /* the lines that this one goes on from */
static const char *stands_there;      /* in the line from the start; NULL: nothing */
static bool gone;

static const char paste_begin[] = "\033[200~", paste_end[] = "\033[201~";

/* ---- characters ---- */

static unsigned char waiting[4096];
static size_t waiting_at, waiting_end;
static cc_t interrupt_key = _POSIX_VDISABLE, stop_key = _POSIX_VDISABLE;
static bool never_sleeps; /* reading from the terminal */

/* Makes the keys that send signals, and those that stop the output, characters like others, in
 * their place among them, and no reason for the terminal to drop what waits: what is pasted may
 * hold any of them. Where they do, between the wait and the read, that does not sleep. */
static void prepare_terminal(int meta) {
    const bool prepared = RL_ISSTATE(RL_STATE_TERMPREPPED);
    struct termios modes;
    rl_prep_terminal(meta);
    if (prepared || tcgetattr(STDIN_FILENO, &modes) != 0) return;
    const bool heard = modes.c_lflag & ISIG;
    interrupt_key = heard ? modes.c_cc[VINTR] : (cc_t)_POSIX_VDISABLE;
    stop_key = heard ? modes.c_cc[VSUSP] : (cc_t)_POSIX_VDISABLE;
    modes.c_lflag &= ~(tcflag_t)ISIG;
    modes.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
    modes.c_cc[VMIN] = modes.c_cc[VTIME] = 0;
    never_sleeps = tcsetattr(STDIN_FILENO, TCSADRAIN, &modes) == 0;
}

static bool hung_up(void) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, 0) < 0 || in.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/* Is `c` the last byte of a mark, `*matched` of whose bytes came before it? */
static bool ends_mark(const char *mark, size_t *matched, unsigned char c) {
    if (c != (unsigned char)mark[*matched]) *matched = 0;
    *matched += c == (unsigned char)mark[*matched];
    if (mark[*matched]) return false;
    *matched = 0;
    return true;
}

static bool within_paste;

/* Looks for Ctrl-C among what was read: what stands before the last is dropped. Within a paste it
 * is a byte like any, but for one that comes alone, from a person whose paste has no end. */
static void find_interrupt(void) {
    static size_t matched;
    if (interrupt_key == _POSIX_VDISABLE) return;
    if (waiting_end == 1 && waiting[0] == interrupt_key) within_paste = false;
    for (size_t i = 0; i < waiting_end; i++) {
        if (ends_mark(within_paste ? paste_end : paste_begin, &matched, waiting[i]))
            within_paste = !within_paste;
        if (within_paste || waiting[i] != interrupt_key) continue;
        waiting_at = i + 1;
        tg_command_interrupted = 1;
    }
}

/* The next character; READERR: the terminal is gone; EOF: Ctrl-C was pressed. */
static int next_byte(void) {
    while (waiting_at == waiting_end) {
        const int there = tg_editor_wait();
        ssize_t n = there > 0 ? read(STDIN_FILENO, waiting, sizeof waiting) : -1;
        if (n > 0) {
            waiting_at = 0;
            waiting_end = (size_t)n;
            find_interrupt();
        } else if (there < 0 || (there > 0 && n == 0 && (!never_sleeps || hung_up())) ||
                   (there > 0 && n < 0 && errno != EINTR && errno != EAGAIN)) {
            gone = true;
            return READERR;
        }
        if (tg_command_interrupted) return EOF;
    }
    return waiting[waiting_at++];
}

static int indented; /* blanks that this line was given at its beginning */

/* In a search a key that begins others ends it first: readline 8 would follow a null pointer behind
 * it (Ctrl-R Ctrl-X and any key). Escape ends it anyway. */
static int end_search(int c) {
    if (c < 0 || c > 127 || c == 033 || rl_get_keymap()[c].type != ISKMAP) return c;
    if (rl_variable_value("isearch-terminators")) return 033; /* those of the user's own inputrc */
    waiting_at--;
    return '\n';
}

/* For readline. What stops stops the whole job, as the terminal does. Where a line goes on, Ctrl-D
 * behind the blanks that it was given is one on an empty line. */
static int next_key(FILE *f) {
    (void)f;
    int c;
    while ((c = next_byte()) == stop_key && stop_key != _POSIX_VDISABLE) kill(0, SIGTSTP);
    if (c == ('D' & 31) && indented && rl_end == indented &&
        strspn(rl_line_buffer, " ") == (size_t)indented)
        rl_replace_line("", 1);
    if (RL_ISSTATE(RL_STATE_ISEARCH)) c = end_search(c);
    return c == EOF ? 0 : c; /* the wait's loop sees the interrupt */
}

static int more_available(void) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return waiting_at < waiting_end || poll(&in, 1, 0) > 0;
}

bool tg_keys_more_waits(void) {
    return waiting_at < waiting_end;
}

void tg_keys_drop(void) {
    waiting_at = waiting_end;
}

bool tg_keys_gone(void) {
    return gone;
}

/* ---- drawing ---- */

/* While characters wait the line is drawn only where it is about to be left. */
static void redraw(void) {
    const bool pending = RL_ISSTATE(RL_STATE_INPUTPENDING) || rl_pending_input;
    if (!pending && waiting_at < waiting_end && !strchr("\r\n\004\017", waiting[waiting_at]))
        return;
    rl_redisplay();
}

/* ---- the history ---- */

static char *typed;   /* what Up and Down look for the beginning of; NULL: not looking */
static size_t ntyped; /* bytes of it that count */
static int at_entry;  /* the one shown; history_length: the line as it was typed */

static void show(const char *text) {
    rl_begin_undo_group();
    rl_delete_text(0, rl_end);
    rl_point = 0;
    rl_insert_text(text);
    rl_end_undo_group();
}

static int previous(int count, int key);
static int next(int count, int key);

/* Goes on with what was looked for, or begins to look. */
static bool begin_search(void) {
    if (typed && (rl_last_func == previous || rl_last_func == next)) return true;
    tg_free(typed);
    typed = tg_alloc((size_t)rl_end + 1);
    if (!typed) return false;
    memcpy(typed, rl_line_buffer, (size_t)rl_end + 1);
    ntyped = (size_t)rl_point;
    at_entry = where_history();
    return true;
}

static int walk(int step) {
    HIST_ENTRY **all = history_list();
    if (!begin_search()) return rl_ding();
    for (int i = at_entry + step; all && i >= 0 && i < history_length; i += step) {
        if (strncmp(all[i]->line, typed, ntyped) != 0 || strcmp(all[i]->line, rl_line_buffer) == 0)
            continue;
        at_entry = i;
        show(all[i]->line);
        return 0;
    }
    if (step < 0 || at_entry == history_length) return rl_ding();
    at_entry = history_length;
    show(typed);
    return 0;
}

/* The entry behind the one that was recalled, to be there when this one was run; owned; NULL: none.
 */
static char *follows;

/* Runs what was recalled, and puts what was entered behind it into the next line. */
static int run_and_next(int count, int key) {
    HIST_ENTRY **all = history_list();
    const bool recalled = typed && all && at_entry + 1 < history_length;
    tg_free(follows);
    follows =
        recalled ? tg_alloc_text(all[at_entry + 1]->line, strlen(all[at_entry + 1]->line)) : NULL;
    return rl_newline(count, key);
}

static void follow(void) {
    HIST_ENTRY **all = history_list();
    at_entry = history_length;
    for (int i = history_length; all && i-- > 0 && at_entry == history_length;)
        if (strcmp(all[i]->line, follows) == 0) at_entry = i;
    rl_insert_text(follows);
    tg_free(follows);
    follows = NULL;
    typed = tg_alloc_text("", 0);
    ntyped = 0;
}

/* Where the cursor's line begins, and where it ends. */
static int line_begin(int at) {
    while (at > 0 && rl_line_buffer[at - 1] != '\n') at--;
    return at;
}

static int line_end(int at) {
    while (at < rl_end && rl_line_buffer[at] != '\n') at++;
    return at;
}

/* Moves the cursor into the line above or below, to the same column or the line's end. */
static void move_line(int step) {
    const int begin = line_begin(rl_point);
    const int column = tg_utf8_width(rl_line_buffer + begin, (size_t)(rl_point - begin));
    int at = step < 0 ? line_begin(begin - 1) : line_end(rl_point) + 1;
    const int end = line_end(at), first = at;
    while (at < end && tg_utf8_width(rl_line_buffer + first, (size_t)(at - first)) < column)
        at += tg_utf8_next(rl_line_buffer + at, (size_t)(end - at), NULL);
    rl_point = at;
}

static int previous(int count, int key) {
    const bool walking = rl_last_func == previous || rl_last_func == next;
    (void)count, (void)key;
    if (!(walking && typed) && line_begin(rl_point) > 0) {
        move_line(-1);
        tg_free(typed);
        typed = NULL;
        return 0;
    }
    return walk(-1);
}

static int next(int count, int key) {
    const bool walking = rl_last_func == previous || rl_last_func == next;
    (void)count, (void)key;
    if (!(walking && typed) && line_end(rl_point) < rl_end) {
        move_line(1);
        tg_free(typed);
        typed = NULL;
        return 0;
    }
    return walk(1);
}

/* ---- lines and brackets ---- */

/* All before the cursor's line; owned. */
static char *text_above(void) {
    tg_str s = {0};
    tg_str_add(&s, lines_before);
    if (s.len) tg_str_addc(&s, '\n');
    tg_str_addn(&s, rl_line_buffer, (size_t)line_begin(rl_point));
    if (s.failed) tg_str_free(&s);
    return s.text;
}

static void insert_blanks(size_t n) {
    for (; n > 0; n--) rl_insert_text(" ");
}

static int new_line(int count, int key) {
    (void)count, (void)key;
    rl_begin_undo_group();
    rl_insert_text("\n");
    char *above = text_above();
    if (above) {
        tg_scan scan = {.text = above, .len = strlen(above)};
        while (tg_scan_next(&scan) != TG_SCAN_END) {}
        insert_blanks(scan.depth ? tg_indent_of(above) : 0);
    }
    tg_free(above);
    rl_end_undo_group();
    return 0;
}

static bool blink;

static int close_bracket(int count, int key) {
    const int begin = line_begin(rl_point);
    bool blank = rl_point > begin;
    for (int i = begin; i < rl_point; i++) blank = blank && rl_line_buffer[i] == ' ';
    char *above = blank ? text_above() : NULL;
    rl_begin_undo_group();
    if (above && above[0]) {
        const int want = begin + (int)tg_indent_closing(above);
        if (want < rl_point) rl_delete_text(want, rl_point);
        if (want < rl_point) rl_point = want;
    }
    tg_free(above);
    int status = rl_insert(count, key);
    rl_end_undo_group();
    if (blink && status == 0) { /* the library's own, which puts it in again and shows its pair */
        rl_delete_text(rl_point - 1, rl_point);
        rl_point--;
        status = rl_insert_close(count, key);
    }
    return status;
}

/* A bracket typed behind the one that completion has just put there is that one. */
static int open_bracket(int count, int key) {
    if (rl_last_func == rl_complete && rl_point > 0 && rl_line_buffer[rl_point - 1] == key)
        return 0;
    return rl_insert(count, key);
}

/* A line that goes on begins under the one before, unless it comes from a clipboard, which has
 * blanks of its own. */
static int begin_line(void) {
    if (stands_there) rl_insert_text(stands_there);
    indented = 0;
    if (follows && !stands_there) {
        follow();
    } else {
        if (lines_before[0] && !more_available()) insert_blanks(tg_indent_of(lines_before));
        if (!stands_there) indented = rl_end;
    }
    return 0;
}

/* ---- Ctrl-] ---- */

/* To the next place of the character that is typed, or to the one before. The library's own waits
 * for it in a way that an unbound key behind it ends in memory that is not there (readline 8.2). */
static int find_character(int count, int step) {
    char c[4] = {0};
    int n = 0, more = 0, at = rl_point;
    do {
        c[n] = (char)rl_read_key();
        const unsigned char b = (unsigned char)c[n++];
        if (n == 1) more = b >= 0xF0 ? 3 : b >= 0xE0 ? 2 : b >= 0xC0;
    } while (n <= more && !tg_command_interrupted);
    for (; count > 0; count--) {
        do at += step;
        while (at >= 0 && at + n <= rl_end && memcmp(rl_line_buffer + at, c, (size_t)n) != 0);
        if (at < 0 || at + n > rl_end) return rl_ding();
    }
    rl_point = at;
    return 0;
}

static int find_next(int count, int key) {
    (void)key;
    return find_character(count, 1);
}

static int find_previous(int count, int key) {
    (void)key;
    return find_character(count, -1);
}

/* ---- paste ---- */

static int paste(int count, int key) {
    enum { END = sizeof paste_end - 1 };
    tg_str text = {0};
    (void)count, (void)key;
    for (int c; (c = next_byte()) >= 0;) {
        tg_str_addc(&text, (char)c);
        if (c == '~' && text.len >= END &&
            memcmp(text.text + text.len - END, paste_end, END) == 0) {
            text.text[text.len -= END] = 0;
            break;
        }
    }
    char *clean =
        tg_command_interrupted || text.failed ? NULL : tg_paste_clean(tg_str_text(&text), text.len);
    if (clean)
        rl_insert_text(clean);
    else
        rl_ding();
    tg_free(clean);
    tg_str_free(&text);
    return 0;
}

/* ---- completion ---- */

static tg_choices choices;

/* readline sees the whole line up to the cursor as the word: where the part that is completed
 * begins is for the language to say. */
static char *whole_line(void) {
    static char no_breaks[] = "";
    return no_breaks;
}

static char *next_match(const char *text, int state) {
    static size_t i;
    if (state == 0) i = 0;
    if (i >= choices.n) return NULL;
    const char *choice = choices.items[i++].text;
    const size_t n = strlen(choice);
    char *match = malloc(choices.from + n + 1);
    if (!match) return NULL;
    memcpy(match, text, choices.from);
    memcpy(match + choices.from, choice, n + 1);
    return match;
}

/* Writes below the line, which is then drawn again. */
static void show_call(void) {
    rl_crlf();
    fprintf(rl_outstream, "%s", choices.call);
    rl_crlf();
    rl_forced_update_display();
}

static char **complete(const char *text, int start, int end) {
    (void)start;
    rl_attempted_completion_over = 1;
    rl_completion_append_character = '\0';
    rl_completion_suppress_append = 1;
    rl_sort_completion_matches = 0;
    if (rl_completion_type == '*') return NULL; /* all of them in one line: of no use */
    tg_choices_free(&choices);
    tg_choices_find(session, lines_before, text, (size_t)end, &choices);
    if (choices.call && choices.from == (size_t)end && choices.n != 1) {
        show_call(); /* between brackets, with nothing typed yet */
        return NULL;
    }
    return choices.n ? rl_completion_matches(text, next_match) : NULL;
}

static int width_of(const char *s) {
    return tg_utf8_width(s, strlen(s));
}

/* `s` cut to `room` columns. */
static void write_cut(const char *s, int room) {
    fwrite(s, 1, tg_utf8_fit(s, strlen(s), room), rl_outstream);
}

/* A few with what they are, a line for each; many in columns. */
static void show_matches(char **matches, int n, int longest) {
    int rows, columns, widest = 0;
    (void)matches, (void)n, (void)longest;
    rl_get_screen_size(&rows, &columns);
    for (size_t i = 0; i < choices.n; i++)
        if (width_of(choices.items[i].name) > widest) widest = width_of(choices.items[i].name);
    const size_t few = rows > 12 ? (size_t)rows / 2 : 6;
    const bool listed = choices.n <= few && columns > widest + 10;
    const int cell = widest + 2, across = listed || cell >= columns ? 1 : columns / cell;
    const size_t down = (choices.n + (size_t)across - 1) / (size_t)across;
    rl_crlf();
    for (size_t row = 0; row < down; row++) {
        for (size_t i = row; i < choices.n; i += down) {
            const tg_choice *c = &choices.items[i];
            write_cut(c->name, columns - 1);
            if (!listed && i + down >= choices.n) break;
            fprintf(rl_outstream, "%*s", cell - width_of(c->name), "");
            if (listed) write_cut(c->more, columns - cell - 1);
        }
        rl_crlf();
    }
    rl_forced_update_display();
}

/* ---- binding ---- */

static void bind(const char *keys, const char *name, rl_command_func_t *function) {
    static const char *const arrows[] = {"\033[", "\033O"};
    Keymap maps[] = {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap};
    char sequence[8];
    if (name) rl_add_defun(name, function, -1);
    for (int m = 0; m < 3; m++) {
        const bool arrow = keys[0] >= 'A' && keys[0] <= 'D' && !keys[1];
        if (m == 2 && !arrow && keys[0] != '\033') continue; /* vi's commands stay */
        for (int i = 0; i < (arrow ? 2 : 1); i++) {
            snprintf(sequence, sizeof sequence, "%s%s", arrow ? arrows[i] : "", keys);
            rl_bind_keyseq_in_map(sequence, function, maps[m]);
        }
    }
}

void tg_keys_line(const char *before, const char *preset) {
    lines_before = before;
    stands_there = preset;
    gone = false;
    tg_free(typed);
    typed = NULL;
}

void tg_keys_open(tg_state *s) {
    session = s;
    bind("A", "tg-previous", previous);
    bind("B", "tg-next", next);
    bind(paste_begin, "tg-paste", paste);
    bind("\033\r", "tg-newline", new_line);
    bind("\033\n", NULL, new_line);
    bind("(", "tg-open", open_bracket);
    bind(")", "tg-close", close_bracket);
    bind("]", NULL, close_bracket);
    bind("}", NULL, close_bracket);
    rl_bind_key_in_map('P' & 31, previous, emacs_standard_keymap);
    rl_bind_key_in_map('N' & 31, next, emacs_standard_keymap);
    rl_bind_key_in_map('O' & 31, run_and_next, emacs_standard_keymap);
    rl_bind_key_in_map(']' & 31, find_next, emacs_standard_keymap);
    rl_bind_key_in_map(']' & 31, find_previous, emacs_meta_keymap);
    rl_persistent_signal_handlers =
        1; /* also between two characters: Ctrl-Z leaves a sane terminal */
    rl_prep_term_function = prepare_terminal;
    rl_getc_function = next_key;
    rl_input_available_hook = more_available;
    rl_startup_hook = begin_line;
    rl_attempted_completion_function = complete;
    rl_completion_word_break_hook = whole_line;
    rl_completion_display_matches_hook = show_matches;
    rl_ignore_completion_duplicates = 0; /* there are none, and to look for them takes a while */
    rl_initialize();
    rl_redisplay_function = redraw; /* were it set before, the terminal would count as a dumb one */
    blink = rl_function_of_keyseq(")", NULL, NULL) == rl_insert_close;
    if (blink) {
        bind(")", NULL, close_bracket);
        bind("]", NULL, close_bracket);
        bind("}", NULL, close_bracket);
    }
}

#endif
