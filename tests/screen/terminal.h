/* A terminal without glass: bytes that a program writes go in, and what a person would see on the
 * screen can be asked for. Texts that are returned are owned by the caller (free). Rows and columns
 * count from 1, as terminals count them. */
#ifndef TG_SCREEN_TERMINAL_H
#define TG_SCREEN_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct terminal terminal;

/* What the program asked the terminal (where is the cursor?) is answered through this. */
typedef void terminal_answer(const char *bytes, size_t n, void *context);

terminal *terminal_new(int rows, int columns, terminal_answer *answer, void *context);
void terminal_free(terminal *t);
void terminal_feed(terminal *t, const char *bytes, size_t n);
void terminal_resize(terminal *t, int rows, int columns);

/* The lines on the screen, each ended by a newline, without blanks at the ends of lines and without
 * empty lines at the end. */
char *terminal_text(const terminal *t);
/* The row of the cursor, up to the cursor or whole. */
char *terminal_cursor_row(const terminal *t, bool whole);
void terminal_cursor(const terminal *t, int *row, int *column);

/* How a place looks: a colour (black red green yellow blue magenta cyan white, the same with
 * bright-, colourN) and bold, dim, italic, underline, reverse; or plain. */
char *terminal_look(const terminal *t, int row, int column);
/* Can a place look like this? */
bool terminal_knows_look(const char *word);

#endif
