/* A lesson in the terminal. Each step shows its text and puts its line behind the prompt: Enter
 * runs it, and the student may change it first, as often as is fun; the lesson waits with its own
 * line. A question has an empty prompt. What is typed there runs as at any prompt; if it is an
 * expression, or gives one a name, it is taken for the answer and compared with the lesson's by
 * `same`, which proves what it can: any form of the right formula is right. What the student stored
 * or defined on the way is taken back when the question is over, so that later steps find what they
 * expect. */
#include "command/lesson/lesson.h"

#include "base/alloc.h"
#include "base/paint.h"
#include "base/terminal.h"
#include "base/wrap.h"
#include "command/colon/colon.h"
#include "command/prompt/prompt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH_MOST = 78, WIDTH_LEAST = 20, HINT_AFTER = 2 /* wrong answers */ };

typedef struct walk {
    tg_state *s;
    const tg_lesson *lesson;
    int step, questions; /* so far */
    int right, tries;    /* answered without help; of the present question */
    bool colours;
} walk;

/* Words of the lesson's own, where a question is open. */
typedef enum word { WORD_NONE, WORD_HINT, WORD_SKIP, WORD_QUIT } word;

/* What became of a line that was read. */
typedef enum heard { HEARD_LINE, HEARD_NOTHING, HEARD_END } heard;

/* ---- text ---- */

static int width(void) {
    const int w = tg_terminal_columns(STDOUT_FILENO, WIDTH_MOST);
    return w > WIDTH_MOST ? WIDTH_MOST : w < WIDTH_LEAST ? WIDTH_LEAST : w;
}

/* One paragraph, its words broken into lines. */
static void print_paragraph(const char *text, size_t n) {
    tg_str out = {0};
    if (n > 0 && text[0] == ' ') /* laid out by hand */
        tg_str_addn(&out, text, n);
    else
        tg_wrap_line(&out, text, n, 0, 0, width());
    puts(tg_str_text(&out));
    tg_str_free(&out);
}

/* A blank line between paragraphs, none beside what is laid out by hand. */
static void print_text(const char *text) {
    const char *before = " ";
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        if (before[0] != ' ' && text[0] != ' ') putchar('\n');
        print_paragraph(text, (size_t)(end - text));
        before = text;
    }
}

static void say(const walk *w, tg_ink ink, const char *text) {
    fputs(tg_ink_on(w->colours, ink), stdout);
    print_paragraph(text, strlen(text));
    fputs(tg_ink_off(w->colours), stdout);
}

/* ---- running ---- */

static void show_error(const walk *w) {
    fflush(stdout);
    tg_command_complain(w->s);
}

/* Runs as the prompt does; with TG_ENTRY what a student typed. MORE: nothing has happened yet. */
static tg_status run(const walk *w, const char *code, size_t n, int flags) {
    tg_command_watch(w->s);
    if (tg_command_interrupted) tg_interrupt(w->s);
    tg_status status = tg_colon_or_run(w->s, code, n, TG_ECHO | flags);
    tg_command_watch(NULL);
    fflush(stdout);
    if (status == TG_FAILED || status == TG_INTERRUPTED) show_error(w);
    return status;
}

static bool only_blanks(const char *s) {
    return s[strspn(s, " \t\r\n")] == 0;
}

static word word_of(const char *text) {
    static const struct {
        const char *text;
        word word;
    } words[] = {{"hint", WORD_HINT},
                 {"skip", WORD_SKIP},
                 {"quit", WORD_QUIT},
                 {":quit", WORD_QUIT},
                 {"exit", WORD_QUIT}};
    size_t from = strspn(text, " \t"), n = strcspn(text + from, " \t\r\n");
    if (!only_blanks(text + from + n)) return WORD_NONE;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].text) == n && memcmp(words[i].text, text + from, n) == 0)
            return words[i].word;
    return WORD_NONE;
}

/* One entry of the student's, `offered` standing in the line already. It is run unless it is blank,
 * a word of the lesson's own, or equal to what was offered. */
static heard listen(const walk *w, const char *prompt, const char *offered, tg_str *text,
                    tg_status *status) {
    bool more = false;
    *status = TG_DONE;
    tg_str_free(text);
    do {
        char *line = NULL;
        fflush(stdout);
        if (offered && !more) tg_editor_preset(offered);
        tg_edit got = tg_editor_read(more ? "...> " : prompt, tg_str_text(text), &line);
        if (got == TG_EDIT_INTERRUPT) return HEARD_NOTHING;
        if (got != TG_EDIT_LINE) {
            putchar('\n');
            return HEARD_END;
        }
        if (more) tg_str_addc(text, '\n');
        tg_str_add(text, line);
        tg_free(line);
        if (text->failed) return HEARD_END;
        if (!more && offered && strcmp(tg_str_text(text), offered) == 0) return HEARD_LINE;
        if (!more && (only_blanks(tg_str_text(text)) || word_of(tg_str_text(text)) != WORD_NONE))
            return HEARD_LINE;
        *status = run(w, tg_str_text(text), text->len, TG_MAY_GO_ON | TG_ENTRY);
        more = *status == TG_MORE;
    } while (more);
    tg_editor_remember(tg_str_text(text));
    return HEARD_LINE;
}

/* ---- steps ---- */

/* A line of the lesson, which waits until it is run as it stands. False: the student leaves. */
static bool walk_line(const walk *w, const tg_lesson_step *step) {
    tg_str text = {0};
    bool done = false, left = false;
    while (!done && !left) {
        tg_status status;
        heard h = listen(w, "tg> ", step->code, &text, &status);
        bool said = h == HEARD_LINE;
        left = h == HEARD_END || (said && word_of(tg_str_text(&text)) == WORD_QUIT);
        done = said && strcmp(tg_str_text(&text), step->code) == 0;
    }
    tg_str_free(&text);
    if (done) run(w, step->code, strlen(step->code), 0);
    return !left;
}

/* The lesson's own answer, and what it gives: later steps build on it. */
static void show_answer(const walk *w, const tg_lesson_step *step) {
    for (const char *line = step->code;; line++) {
        int n = (int)strcspn(line, "\n");
        printf("%s%.*s\n", line == step->code ? "tg> " : "...> ", n, line);
        line += n;
        if (!*line) break;
    }
    run(w, step->code, strlen(step->code), 0);
}

static void give_hint(const walk *w, const tg_lesson_step *step) {
    if (!step->hint.len) {
        say(w, TG_INK_NOTE, "There is no hint. `skip` shows the answer.");
        return;
    }
    print_text(tg_str_text(&step->hint));
}

/* Text with other words in the place of some. */
static void add_reworded(const char *text, const char *const (*words)[2], tg_str *out) {
    while (*text) {
        int w = 0;
        while (words[w][0] && strncmp(text, words[w][0], strlen(words[w][0])) != 0) w++;
        if (words[w][0])
            tg_str_add(out, words[w][1]);
        else
            tg_str_addc(out, *text);
        text += words[w][0] ? strlen(words[w][0]) : 1;
    }
}

/* What the two answers differ by, as a student reads it: the first is hers. Where the right one is
 * a plain value, its value would be the answer. */
static void add_difference(const tg_comparison *found, tg_str *out) {
    static const char *const at_a_point[][2] = {
        {"different: ", ""}, {"the first ", "yours "}, {"the second ", "the right one "}, {NULL}};
    static const char *const of_kinds[][2] = {{"different: shapes ", "yours has the shape "},
                                              {"different: a ", "yours is a "},
                                              {"different: ", "yours has "},
                                              {" and ", ", the right one "},
                                              {NULL}};
    if (found->tells)
        tg_str_add(out, "it has another value");
    else
        add_reworded(found->said, strstr(found->said, "the first ") ? at_a_point : of_kinds, out);
}

/* Compares what was typed, and says so, unless it was no answer but something to try: a name given
 * to something else is not yet wrong. */
static bool is_right(walk *w, const tg_lesson_step *step, const char *typed) {
    tg_comparison found;
    if (tg_compare(w->s, typed, step->code, &found) != TG_DONE) return false;
    if (found.other_name && !found.equal) return false;
    tg_str line = {0};
    tg_str_add(&line, found.equal ? "✓ right: " : "✗ not yet: ");
    if (found.equal)
        tg_str_add(&line, found.said);
    else
        add_difference(&found, &line);
    say(w, found.equal ? TG_INK_GOOD : TG_INK_BAD, tg_str_text(&line));
    tg_str_free(&line);
    if (!found.equal && ++w->tries == HINT_AFTER) give_hint(w, step);
    if (found.equal) w->right++;
    return found.equal;
}

/* What is typed at a question. True: the question is over, *left if the student leaves. */
static bool try_answer(walk *w, const tg_lesson_step *step, tg_str *text, bool *left) {
    tg_status status;
    heard h = listen(w, "your turn> ", NULL, text, &status);
    const char *typed = tg_str_text(text);
    word said = h == HEARD_LINE ? word_of(typed) : WORD_NONE;
    *left = h == HEARD_END || said == WORD_QUIT;
    if (*left || said == WORD_SKIP) return true;
    if (h == HEARD_NOTHING) return false;
    if (said == WORD_HINT || only_blanks(typed)) {
        give_hint(w, step);
        return false;
    }
    if (status != TG_DONE) return false;
    return is_right(w, step, typed);
}

/* Undoes the entries of the student's back to `mark`, the one that came before them. The lesson's
 * own lines are entries without text: one that is met, the mark having been undone by hand, is done
 * again. */
static void take_back(const walk *w, const char *mark) {
    for (const char *text; (text = tg_undo(w->s)) && strcmp(text, mark) != 0;)
        if (!text[0]) {
            tg_redo(w->s);
            return;
        }
}

/* False: the student leaves. */
static bool walk_question(walk *w, const tg_lesson_step *step) {
    tg_str text = {0};
    char mark[32];
    bool left = false;
    w->tries = 0;
    w->questions++;
    say(w, TG_INK_NOTE,
        "(Give an expression, or ask for a `hint`, or `skip` it. You may try other things first.)");
    snprintf(mark, sizeof mark, "question = %d", w->questions);
    tg_run(w->s, "lesson", mark, TG_ENTRY);
    while (!try_answer(w, step, &text, &left)) {}
    take_back(w, mark);
    tg_str_free(&text);
    if (!left) show_answer(w, step);
    return !left;
}

static bool walk_step(walk *w) {
    const tg_lesson_step *step = &w->lesson->steps[w->step];
    if (step->text.len) {
        putchar('\n');
        if (step->question) say(w, TG_INK_NAME, "Question");
        print_text(tg_str_text(&step->text));
    }
    return step->question ? walk_question(w, step) : walk_line(w, step);
}

static void say_end(const walk *w, const char *next) {
    if (w->lesson->end.len) {
        putchar('\n');
        print_text(tg_str_text(&w->lesson->end));
    }
    tg_str line = {0};
    putchar('\n');
    tg_str_add(&line, "That is the end of the lesson.");
    if (w->questions)
        tg_str_addf(&line, " %d of %d %s answered.", w->right, w->questions,
                    w->questions == 1 ? "question" : "questions");
    if (next) tg_str_addf(&line, " Next: tg lesson %s", next);
    say(w, TG_INK_NOTE, tg_str_text(&line));
    tg_str_free(&line);
}

int tg_lesson_walk(tg_state *s, const tg_lesson *l, int from, const char *next, bool colours) {
    walk w = {.s = s, .lesson = l, .step = from, .colours = colours};
    say(&w, TG_INK_NAME, l->title);
    say(&w, TG_INK_NOTE,
        "Enter runs the line that stands there. Change it, or clear it (Ctrl-U) and try your own. "
        "Ctrl-D leaves.");
    bool on = true;
    tg_editor_open(s);
    while (on && w.step < l->nsteps)
        if ((on = walk_step(&w))) w.step++;
    tg_editor_close();
    if (on)
        say_end(&w, next);
    else
        printf("To go on here: tg lesson %s %d\n", l->name, w.step + 1);
    return EXIT_DONE;
}
