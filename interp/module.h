/* Files of tg code: `use "file.tg"`, `use nn`, and the standard library. */
#ifndef TG_INTERP_MODULE_H
#define TG_INTERP_MODULE_H

#include "interp/interp.h"

/* Runs the file once a session. Quoted: a user's file, looked for beside the running script, then
 * in the current folder; its names become the user's. Otherwise a module of the standard library;
 * its names join the library's. */
bool tg_module_use(tg_interp *in, const char *name, bool quoted);
/* Puts the names of the library's modules, in order and at most so many, into name; each is owned:
 * tg_free. Returns how many; 0 also where the library is not found. */
int tg_module_names(tg_interp *in, char *name[], int most);
/* Parses and runs the statements of a text in env. *status (may be NULL): how parsing ended. The
 * unit lives as long as its functions. */
bool tg_module_run(tg_interp *in, tg_env *env, tg_source *src, tg_parse_status *status);

/* The folder of a path, with its slash, for files that the file uses; tg_free. NULL: no memory. */
char *tg_module_folder(const char *path);
/* Reads and runs a file; errors call it `shown`. */
bool tg_module_run_file(tg_interp *in, tg_env *env, const char *path, const char *shown);
/* What the prompt shows after the statement s, whose value was `last`. */
bool tg_module_echo(tg_interp *in, const tg_ast *s, tg_value last);
/* ans, or one of _1 to _9: a name that the prompt gives to what it showed. */
bool tg_module_names_answer(const char *name);

#endif
