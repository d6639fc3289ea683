/* The size comes from the driver (TIOCGWINSZ), which counts no columns where nobody has told it;
 * the kind is what TERM says. */
#include "base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool tg_terminal_measure(int fd, tg_terminal *out) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return false;
    *out = (tg_terminal){size.ws_col, size.ws_row, size.ws_xpixel, size.ws_ypixel};
    return true;
}

int tg_terminal_columns(int fd, int usual) {
    tg_terminal t;
    return tg_terminal_measure(fd, &t) ? t.columns : usual;
}

bool tg_terminal_obeys(int fd) {
    const char *term = getenv("TERM");
    return isatty(fd) && term && term[0] && strcmp(term, "dumb") != 0;
}
