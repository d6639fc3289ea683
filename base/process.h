/* Other programs: one that is fed a text and whose output is collected, while Ctrl-C is answered,
 * and one that is given the terminal (an editor, a pager, a shell). Neither goes through a shell of
 * its own, leaks a descriptor into the program, or lets a SIGPIPE out. The caller owns all that a
 * tg_process points to. */
#ifndef TG_BASE_PROCESS_H
#define TG_BASE_PROCESS_H

#include "base/str.h"

#include <signal.h>

typedef enum tg_process_end {
    TG_PROCESS_DONE,    /* it ran to its end: see `code` */
    TG_PROCESS_MISSING, /* there is no such program: say what to install */
    TG_PROCESS_STOPPED, /* *interrupted was set: it was killed; the flag stays set */
    TG_PROCESS_LATE,    /* it took longer than `seconds`: it was killed */
    TG_PROCESS_REFUSED, /* the system would not run it: `code` is an errno */
} tg_process_end;

typedef struct tg_process {
    const char *const *argv; /* ends with NULL; argv[0] is looked for in PATH */
    const char *input;       /* its standard input; NULL: empty, or the terminal handed over */
    size_t input_len;
    tg_str *out, *err; /* what it writes is appended; NULL: it writes where this process does */
    const volatile sig_atomic_t *interrupted; /* looked at 20 times a second; may be NULL */
    double seconds;                           /* at most; 0: no limit */
    int code; /* result: the exit status, or 128 + the signal that ended it, or an errno */
} tg_process;

/* Runs it in the background and returns when it has ended, and nobody holds `out` or `err` open any
 * more. May be called in any thread. */
tg_process_end tg_process_run(tg_process *p);
/* Runs it in the foreground: it shares the terminal, Ctrl-C and Ctrl-\ are its own, Ctrl-Z stops
 * both, and the terminal's modes are put back at its end. `out`, `err`, `interrupted` and `seconds`
 * are not looked at. Changes what signals do in the whole process while it lasts: for the thread
 * that has the prompt. */
tg_process_end tg_process_hand_over(tg_process *p);

#endif
