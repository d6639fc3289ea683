/* The numbers of a column, written alike: with one number of decimals, so that their points stand
 * below each other, or, where that would take too many columns, with exponents and one number of
 * digits before them. Whole numbers stay whole where all of a column are; nan and infinities have
 * no say. A scale common to all, as Octave writes above a matrix, is not used: what is shown parses
 * back. */
#include "interp/show_tensor.h"
#include "base/paint.h"

#include <math.h>
#include <string.h>

/* Columns of a number with its point, at most: beyond that exponents are easier to read. */
static int room_of(tg_style style) {
    return style == TG_STYLE_LONG ? 20 : style == TG_STYLE_SINGLE ? 14 : 10;
}

/* Digits behind the point of a mantissa, at most. */
static int mantissa_most(tg_style style) {
    return style == TG_STYLE_LONG ? 16 : style == TG_STYLE_SINGLE ? 8 : 4;
}

/* The number's own style. */
static tg_style style_of(const tg_layout *l, tg_dtype type) {
    bool full = l->style == TG_STYLE_FULL || l->style == TG_STYLE_LONG;
    return type == TG_F32 && full ? TG_STYLE_SINGLE : l->style;
}

/* Decimals of a mantissa that says what `text` says. */
static int mantissa_of(const char *text) {
    int digits = 0, zeros = 0; /* significant ones, and those at the end of a whole number */
    bool pointed = false;
    for (; *text && *text != 'e'; text++) {
        pointed = pointed || *text == '.';
        if (*text < '0' || *text > '9' || (digits == 0 && *text == '0')) continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    if (!pointed) digits -= zeros;
    return digits > 0 ? digits - 1 : 0;
}

tg_column tg_column_choose(const tg_layout *l, tg_dtype type, const double *x, int64_t step,
                           int64_t count) {
    tg_column asis = {.decimals = -1};
    tg_style style = style_of(l, type);
    int decimals = 0, digits = 1, mantissa = style == TG_STYLE_SCI ? mantissa_most(style) : 0;
    bool exponents = false;
    if (l->spec || l->style == TG_STYLE_FULL || !tg_dtype_is_float(type)) return asis;
    for (int64_t i = 0; i < count; i++) {
        char s[TG_NUMBER_ROOM];
        if (!isfinite(x[i * step])) continue;
        tg_number_text(s, x[i * step], style);
        const char *point = strchr(s, '.');
        int after = point ? (int)strlen(point + 1) : 0;
        int before = (int)(point ? (size_t)(point - s) : strlen(s)), m = mantissa_of(s);
        exponents = exponents || strchr(s, 'e');
        if (after > decimals) decimals = after;
        if (before > digits) digits = before;
        if (m > mantissa) mantissa = m;
    }
    if (mantissa > mantissa_most(style)) mantissa = mantissa_most(style);
    if (exponents || (decimals > 0 && decimals + digits > room_of(style)))
        return (tg_column){.decimals = mantissa, .exponents = true};
    return (tg_column){.decimals = decimals > 0 ? decimals : -1};
}

bool tg_column_add(tg_rt *rt, const tg_layout *l, tg_column column, tg_dtype type, double x,
                   tg_str *out) {
    if (type == TG_BOOL && (!l->spec || !l->spec->type)) {
        const char *word = x != 0 ? "true" : "false";
        if (l->spec) return tg_spec_text(&rt->c, l->spec, word, strlen(word), out);
        tg_str_add(out, word);
        return true;
    }
    tg_style style = style_of(l, type);
    if (l->spec) return tg_spec_number(&rt->c, l->spec, x, style, out);
    if (column.decimals < 0 || !isfinite(x) || (column.exponents && x == 0))
        tg_format_painted(out, x, style, l->colours);
    else
        tg_str_addf(out, column.exponents ? "%.*e" : "%.*f", column.decimals, x + 0.0);
    return true;
}
