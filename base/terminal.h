/* What a stream tells of itself, if it is a terminal. It is asked each time, since a window may
 * have another size by now. */
#ifndef TG_BASE_TERMINAL_H
#define TG_BASE_TERMINAL_H

#include <stdbool.h>

typedef struct tg_terminal {
    int columns, rows;
    int width, height; /* in pixels; 0: it does not tell */
} tg_terminal;

/* False: it is none, or does not tell. */
bool tg_terminal_measure(int fd, tg_terminal *out);
/* Its columns, `usual` where it does not tell. */
int tg_terminal_columns(int fd, int usual);
/* Is it a terminal that understands codes, such as those of colours? A dumb one does not. */
bool tg_terminal_obeys(int fd);

#endif
