/* A program behind a pseudo-terminal. There is one at a time: it is started, typed to, waited for,
 * and ends or is ended. Waiting is by what can be seen, within a patience that a heavily loaded
 * machine does not exhaust. */
#ifndef TG_SCREEN_CHILD_H
#define TG_SCREEN_CHILD_H

#include "tests/screen/terminal.h"

#include <sys/types.h>

enum { PATIENCE_MS = 20000 };

typedef struct child {
    terminal *screen; /* NULL: nothing was started yet */
    pid_t pid;
    int master;      /* the pseudo-terminal; -1: closed */
    bool ended;      /* and was waited for */
    int status;      /* as a shell tells it: 128 + the number of a signal */
    long last_ms;    /* when it wrote last, or was typed to */
    bool entered;    /* what was typed last ended a line */
    bool was_editor; /* and a line editor read it */
} child;

long child_now_ms(void);

/* Starts `sh -c "exec $0 arguments"` with $0 = `command` in `folder`, with the environment of this
 * process. */
void child_start(child *c, const char *command, const char *arguments, const char *folder, int rows,
                 int columns);
/* Takes in what was written, waiting at most so long for it. */
void child_listen(child *c, int ms);
/* Types bytes and listens until what follows from them seems to stand on the screen. False: the
 * program has ended before they were all read. */
bool child_type(child *c, const char *bytes, size_t n);
/* Waits until a line can be typed: the prompt stands, or an editor reads. False: patience ended. */
bool child_wait_prompt(child *c);
/* Nothing more is to be expected: what was typed has been read, the program sleeps, and has written
 * nothing for a while. */
void child_settle(child *c);
void child_resize(child *c, int rows, int columns);
void child_close(child *c);
bool child_wait_end(child *c);
/* Frees the screen, and ends a program that still runs. */
void child_forget(child *c);

#endif
