/* A script of a screen test, read: its steps in order, each with its line. What cannot be read is
 * reported with file and line, and there is no script then. */
#ifndef TG_SCREEN_SCRIPT_H
#define TG_SCREEN_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum step_kind {
    STEP_SIZE,
    STEP_ENV,
    STEP_FILE,
    STEP_START,
    STEP_TYPE,
    STEP_WAIT,
    STEP_SEE,
    STEP_SCREEN,
    STEP_CURSOR,
    STEP_LOOK,
    STEP_SIGNAL,
    STEP_RESIZE,
    STEP_CLOSE,
    STEP_ENDED,
    STEP_EXIT,
    STEP_RUN
} step_kind;

typedef struct step {
    step_kind kind;
    int line;      /* of the file, from 1 */
    char *text;    /* what stands behind the word; keys are bytes by now */
    size_t length; /* of text */
    int number[3];
    char **block; /* the lines below, with their mark (`| ` or `~ `) */
    int blocks;
} step;

typedef struct script {
    char *path, *content;
    char **lines; /* of the file, without their ends */
    int nlines;
    step *steps;
    int nsteps;
    bool any_editor; /* it holds with another line editor than readline, or without one */
} script;

/* NULL: reported on stderr. */
script *script_read(const char *path);
void script_free(script *s);

#endif
