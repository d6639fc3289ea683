/* Lessons: the transcripts of examples/class, taken one step at a time. A step is some text and
 * then a line to run, or a question. In the file a question is a paragraph of comment that begins
 * with
 * `# ? `; the line behind it is the answer that the student's is compared with, and a paragraph
 * `# hint: ` between the two helps. So a lesson stays a transcript that `tg --check` replays. */
#ifndef TG_LESSON_H
#define TG_LESSON_H

#include "command/command.h"
#include "command/transcript.h"

enum { TG_LESSON_NO_NUMBER = 1 << 20 };

typedef struct tg_lesson_step {
    tg_str
        text; /* paragraphs, a newline behind each; lines that are indented stand by themselves */
    tg_str hint; /* "": none */
    const char *code;
    bool question;
} tg_lesson_step;

typedef struct tg_lesson {
    char *name;  /* "slope" */
    char *title; /* without its number */
    int number;  /* "# 3. Least squares": the order of the list */
    tg_str end;  /* the text behind the last step */
    tg_transcript transcript;
    tg_lesson_step *steps;
    int nsteps, nquestions;
} tg_lesson;

/* Reads a lesson of a file. On false the error is in c, and there is nothing to free. */
bool tg_lesson_read(tg_ctx *c, const char *path, tg_lesson *out);
void tg_lesson_free(tg_lesson *l);
/* All lessons of a folder by their numbers, then by their names; *list and its lessons are owned.
 */
bool tg_lessons_list(tg_ctx *c, const char *folder, tg_lesson **list, int *n);

/* Walks through the lesson from step `from` on, with the student at the terminal. `next`: the name
 * of the lesson behind it, or NULL. Returns an exit status. */
int tg_lesson_walk(tg_state *s, const tg_lesson *l, int from, const char *next, bool colours);

/* tg lesson [name or number or file [step]]: the list, or a walk. Returns an exit status. */
int tg_lesson_command(const tg_options *options, int argc, char *const *argv);

#endif
