/* Ticks: round numbers on an axis (Heckbert, "Nice numbers for graph labels", 1990). */
#include "picture/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double tg_scale_place(const tg_scale *s, double x) {
    if (!s->log) return x / (s->hi - s->lo) - s->lo / (s->hi - s->lo);
    return x > 0 ? (log(x) - log(s->lo)) / (log(s->hi) - log(s->lo)) : NAN;
}

/* Numbers of one axis have the same decimals, those that their distance needs. */
static void write_tick(double x, double step, double largest, char *text) {
    int decimals = (int)-floor(log10(step) + 1e-9);
    bool plain = largest < 1e5 && decimals <= 4;
    if (fabs(x) < step / 1e3) x = 0;
    if (plain)
        snprintf(text, TG_TICK_TEXT, "%.*f", decimals > 0 ? decimals : 0, x);
    else /* as many digits as tell neighbours apart, at most all */
        snprintf(text, TG_TICK_TEXT, "%.*g",
                 (int)fmin(17, fmax(1, floor(log10(largest)) - floor(log10(step) + 1e-9) + 1)), x);
}

static void even_ticks(const tg_scale *s, int most, tg_ticks *out) {
    double wide = s->hi / most - s->lo / most; /* of 2e308 there is a tenth */
    double power = pow(10, floor(log10(wide))), step;
    const double steps[] = {1, 2, 5, 10, 20, 50};
    double largest = fmax(fabs(s->lo), fabs(s->hi));
    for (int k = 0; k < 6; k++) {
        step = power * steps[k];
        double first = ceil(s->lo / step - 1e-9), last = floor(s->hi / step + 1e-9);
        if (!(last - first + 1 <= most)) continue;
        for (int i = 0; first + i <= last && out->n < TG_TICKS; i++) {
            out->at[out->n] = (first + i) * step;
            write_tick((first + i) * step, step, largest, out->text[out->n++]);
        }
        return;
    }
}

/* Powers of ten, all or every second, third ...; within less than two of them even ticks. */
static void log_ticks(const tg_scale *s, int most, tg_ticks *out) {
    int first = (int)ceil(log10(s->lo) - 1e-9), last = (int)floor(log10(s->hi) + 1e-9), step = 1;
    while ((last - first) / step + 1 > most) step++;
    if (last - first < 1) {
        even_ticks(s, most, out);
        return;
    }
    for (int e = first; e <= last && out->n < TG_TICKS; e++) {
        if (e % step) continue;
        out->at[out->n] = pow(10, e);
        snprintf(out->text[out->n++], TG_TICK_TEXT, e >= -4 && e < 5 ? "%g" : "%.0e", pow(10, e));
    }
}

void tg_ticks_find(const tg_scale *s, int most, tg_ticks *out) {
    out->n = 0;
    if (most < 1 || !(s->lo < s->hi)) return;
    if (most > TG_TICKS) most = TG_TICKS;
    if (s->log)
        log_ticks(s, most, out);
    else
        even_ticks(s, most, out);
}
