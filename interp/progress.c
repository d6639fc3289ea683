/* The bar stands on standard error, on the line below what the program printed, and is wiped before
 * the program prints again. It is drawn at most thirty times a second, and first after that time,
 * so that a loop that is over in a moment shows none. */
#include "interp/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double EVERY = 1.0 / 30; /* seconds */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

tg_progress tg_progress_begin(tg_interp *in, const char *title, int64_t count) {
    const char *term = getenv("TERM");
    bool able = title && count > 0 && isatty(2) && term && strcmp(term, "dumb") != 0;
    tg_progress p = {.in = in, .title = able ? title : NULL, .count = count};
    if (able) p.begun = p.shown = now();
    return p;
}

void tg_progress_show(tg_progress *p, int64_t done) {
    if (!p->title) return;
    double t = now();
    if (t - p->shown < EVERY) return;
    p->shown = t;
    struct winsize size;
    int width = ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    double left = done > 0 ? (t - p->begun) * (double)(p->count - done) / (double)done : 0;
    char tail[80];
    int used = snprintf(tail, sizeof tail, " %lld/%lld  %.0f s left", (long long)done,
                        (long long)p->count, left);
    int room = width - used - (int)strlen(p->title) - 5;
    if (room > 50) room = 50;
    if (room < 4) return;
    int full = (int)(done * room / p->count);
    fprintf(stderr, "\r%s [%.*s%c%*s]%s\033[K", p->title, full,
            "==================================================", '>',
            room - full > 0 ? room - full - 1 : 0, "", tail);
    fflush(stderr);
    p->in->bar_shown = true;
}

void tg_progress_clear(tg_interp *in) {
    if (!in->bar_shown) return;
    in->bar_shown = false;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

void tg_progress_end(tg_progress *p) {
    if (p->title) tg_progress_clear(p->in);
}
