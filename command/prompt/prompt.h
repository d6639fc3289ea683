/* What the files of the prompt share: the editor (editor.c, or bare.c where there is none) reads a
 * line, history.c keeps what was entered, complete.c says what could follow, paste.c and indent.c
 * look at text. Only editor.c and keys.c know the library that edits. Texts are borrowed; what a
 * function returns as `char *` is owned: tg_free. */
#ifndef TG_PROMPT_H
#define TG_PROMPT_H

#include "base/str.h"
#include "command/command.h"

#include <stddef.h>

/* ---- editor.c or bare.c ---- */

typedef enum tg_edit { TG_EDIT_LINE, TG_EDIT_END, TG_EDIT_INTERRUPT, TG_EDIT_FAILED } tg_edit;

void tg_editor_open(tg_state *s);
/* One line, or several if they were pasted or recalled. `before`: the lines that it goes on from;
 * "": none. END: Ctrl-D on an empty line; INTERRUPT: Ctrl-C; FAILED: the terminal is gone. */
tg_edit tg_editor_read(const char *prompt, const char *before, char **line);
/* The next line read begins with this text, which is borrowed until then. */
void tg_editor_preset(const char *text);
/* Makes `text`, perhaps of several lines, one entry of the history. */
void tg_editor_remember(const char *text);
void tg_editor_close(void);

/* Do characters wait that were not looked at yet? Then more of a text that is being pasted, or was
 * typed ahead, is likely. */
bool tg_editor_more_waits(void);

/* Waits for a character with the signals heard that are blocked else. > 0: one is there; 0: a
 * signal came; < 0: standard input is broken. */
int tg_editor_wait(void);

/* ---- keys.c, and keys_libedit.c ---- */

void tg_keys_open(tg_state *s);
/* A line begins: `before` as in tg_editor_read, and borrowed until the next; `preset` stands in it,
 * or NULL. */
void tg_keys_line(const char *before, const char *preset);
/* Were characters read that the editor has not been given? */
bool tg_keys_more_waits(void);
/* Forgets them: they were typed before a Ctrl-C. */
void tg_keys_drop(void);
/* Did the last line end because there is no terminal any more? */
bool tg_keys_gone(void);

/* ---- history.c ---- */

/* Calls `add` with the entries of the file, the oldest first, each once. Where there is no history
 * file, or none that can be read, with none. */
void tg_history_open(void (*add)(const char *entry));
/* Adds an entry to the file at once, so that it outlives a session that is killed. */
void tg_history_append(const char *entry);
/* Makes the file short again if it has grown. */
void tg_history_close(void);

enum { TG_HISTORY_MOST = 10000 }; /* entries */

/* ---- complete.c ---- */

/* What the bytes from `from` to the cursor could become. The texts are one block. */
typedef struct tg_choice {
    char *text; /* in their place, with what belongs behind it */
    char *name; /* in a list, ... */
    char *more; /* ... with what it is */
} tg_choice;
typedef struct tg_choices {
    size_t from;
    tg_choice *items;
    size_t n, cap;
    char *call; /* the signature of the call around the cursor; NULL: none */
    bool failed;
} tg_choices;
/* `line` goes on from the lines `before`; the cursor stands behind its first `cursor` bytes. */
void tg_choices_find(tg_state *s, const char *before, const char *line, size_t cursor,
                     tg_choices *out);
/* `behind` is left out where it stands behind the cursor already, at `rest`. */
void tg_choices_add(tg_choices *c, const char *name, const char *behind, const char *rest,
                    const char *more);
void tg_choices_free(tg_choices *c);

/* ---- files.c ---- */

/* Names of files that begin with the n bytes at `path`, ~ at its beginning being the home folder;
 * `quoted`: within a string. */
void tg_files_find(const char *path, size_t n, bool quoted, const char *rest, tg_choices *out);

/* ---- symbols.c ---- */

/* Where a `\word` begins that ends at the cursor; SIZE_MAX: there is none. */
size_t tg_symbol_start(const char *line, size_t cursor);
/* The signs whose names begin with the n letters at `word`. */
void tg_symbols_find(const char *word, size_t n, tg_choices *out);

/* ---- indent.c ---- */

/* Blanks before a line that goes on from `before`. */
size_t tg_indent_of(const char *before);
/* Blanks before a line that begins with what closes the innermost bracket. */
size_t tg_indent_closing(const char *before);

/* ---- paste.c ---- */

/* Text from a clipboard as text to be run: lines end in \n, bytes that no text has are gone; and
 * what was copied from a session loses its prompts and answers. NULL: no memory. */
char *tg_paste_clean(const char *text, size_t len);

#endif
