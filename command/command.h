/* The tg command: main.c reads the options, prompt/ talks to a person, colon/ has the prompt's
 * commands, check.c replays transcripts, play.c performs one, check_file.c
 * is `tg check`. All of it stands on include/tg.h, and
 * on base/ for memory and files; only examples.c looks into the library's tables. */
#ifndef TG_COMMAND_H
#define TG_COMMAND_H

#include "tg.h"

#include <signal.h>
#include <stdbool.h>

enum { EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* Set by Ctrl-C; whoever answers it clears it. */
extern volatile sig_atomic_t tg_command_interrupted;
/* The session that Ctrl-C stops; NULL: none. */
void tg_command_watch(tg_state *s);
/* The last error of the session to stderr, behind all that was printed so far. */
void tg_command_complain(const tg_state *s);

/* Each returns an exit status. */
int tg_prompt(tg_state *s, bool init);      /* init: run init.tg first */
int tg_play(tg_state *s, const char *path); /* a transcript */
int tg_check(const tg_options *options, int nfiles, char *const *files, bool update);
int tg_check_examples(const tg_options *options);
int tg_check_command(const tg_options *options, int n, char *const *args); /* tg check files */
int tg_fmt_command(const tg_options *options, int n, char *const *args);   /* tg fmt files */

/* All of a program in a file, or of standard input for "-", with a 0 behind it; owned: tg_free.
 * NULL: the reason was told, or tg_command_interrupted is set. */
char *tg_command_read(const char *path, size_t *len);

extern const char tg_editor_name[]; /* readline, libedit or none */

#endif
