/* Numbers as text, and the mini-language of formats: see format.h. The displays promise two things:
 * a whole number looks whole, and a number that is not never does (1.9999999 is shown as 2.0000).
 * Formats follow the "Format Specification Mini-Language" of the Python library reference, without
 * its rarer types. */
#include "interp/format.h"
#include "base/paint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MOST = 10000, PRECISION_MOST = 100 };

/* Room for the longest double in %f with PRECISION_MOST decimals, its commas and its sign. */
enum { DIGITS_MOST = 640 };

/* ---- default displays ---- */

static bool whole(double x) {
    return x == floor(x) && fabs(x) < 1e15;
}

static bool looks_whole(const char *s) {
    return !strpbrk(s, ".en");
}

static void print_short(char *buf, size_t size, double x) {
    snprintf(buf, size, "%.5g", x);
    if (!looks_whole(buf)) return;
    if (fabs(x) < 9999.95)
        snprintf(buf, size, "%#.5g", x);
    else
        snprintf(buf, size, "%.1f", x);
}

static void print_single(char *buf, size_t size, double x) {
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(buf, size, "%.*g", digits, x);
        if (strtof(buf, NULL) == (float)x) return;
    }
}

static void print_full(char *buf, size_t size, double x) {
    for (int digits = 12; digits <= 17; digits++) {
        snprintf(buf, size, "%.*g", digits, x);
        if (fabs(x) >= 1e15 || !looks_whole(buf)) return;
    }
}

static void print_long(char *buf, size_t size, double x) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, size, "%.*g", digits, x);
        if (strtod(buf, NULL) == x) return;
    }
}

void tg_number_text(char *buf, double x, tg_style style) {
    const size_t room = TG_NUMBER_ROOM;
    if (isnan(x))
        strcpy(buf, "nan");
    else if (isinf(x))
        strcpy(buf, x > 0 ? "inf" : "-inf");
    else if (style == TG_STYLE_SCI && !(x == floor(x) && fabs(x) < 1e5))
        snprintf(buf, room, "%.4e", x);
    else if (whole(x))
        snprintf(buf, room, "%.0f", x + 0.0); /* + 0.0: no -0 */
    else if (style == TG_STYLE_SHORT && fabs(x) >= 1e15)
        snprintf(buf, room, "%.5g", x);
    else if (style == TG_STYLE_SHORT)
        print_short(buf, room, x);
    else if (style == TG_STYLE_SINGLE)
        print_single(buf, room, x);
    else if (style == TG_STYLE_LONG)
        print_long(buf, room, x);
    else
        print_full(buf, room, x);
}

void tg_format_number(tg_str *out, double x, tg_style style) {
    char buf[TG_NUMBER_ROOM];
    tg_number_text(buf, x, style);
    tg_str_add(out, buf);
}

void tg_format_painted(tg_str *out, double x, tg_style style, bool colours) {
    bool odd = colours && !isfinite(x);
    tg_str_add(out, tg_ink_on(odd, TG_INK_WARNING));
    tg_format_number(out, x, style);
    tg_str_add(out, tg_ink_off(odd));
}

/* ---- parsing a format ---- */

static bool bad(tg_ctx *c, const char *text, const char *why) {
    tg_fail(c, TG_ERR_VALUE, "the format `:%s` %s", text, why);
    return tg_help(c, "a format is as in Python: {x:.3f} {n:04d} {s:>10} {x:8.3e} {n:,} {x:.1%%}");
}

static bool is_align(char ch) {
    return ch && strchr("<>^=", ch) != NULL;
}

/* Digits at *s; false: the number passes `most`. Without digits *value stays. */
static bool read_count(const char **s, int most, int *value) {
    if (**s < '0' || **s > '9') return true;
    int n = 0;
    for (; **s >= '0' && **s <= '9'; ++*s)
        if ((n = n * 10 + (**s - '0')) > most) return false;
    *value = n;
    return true;
}

bool tg_spec_parse(tg_ctx *c, const char *text, tg_spec *out) {
    *out = (tg_spec){.text = text, .fill = " ", .precision = -1};
    const char *s = text;
    size_t first = *s ? (size_t)tg_utf8_next(s, strlen(s), NULL) : 0;
    if (first && is_align(s[first])) {
        memcpy(out->fill, s, first);
        out->fill[first] = 0;
        out->align = s[first];
        s += first + 1;
    } else if (is_align(*s)) {
        out->align = *s++;
    }
    if (*s == '+' || *s == '-' || *s == ' ') out->sign = *s++;
    if (*s == '0') {
        s++;
        if (!out->align) {
            out->align = '=';
            strcpy(out->fill, "0");
        }
    }
    if (!read_count(&s, WIDTH_MOST, &out->width))
        return bad(c, text, "is wider than 10000 columns");
    if (*s == ',') {
        out->group = true;
        s++;
    }
    if (*s == '.') {
        s++;
        if (*s < '0' || *s > '9') return bad(c, text, "has no number after the point");
        if (!read_count(&s, PRECISION_MOST, &out->precision))
            return bad(c, text, "has more than 100 digits");
    }
    if (*s && strchr("defgs%", *s)) out->type = *s++;
    return *s ? bad(c, text, "is not one that tg knows") : true;
}

/* ---- applying it ---- */

/* Pads `sign` and `body` to the width. */
static void add_padded(const tg_spec *spec, char align, const char *sign, const char *body,
                       size_t n, tg_str *out) {
    int pad = spec->width - tg_utf8_width(body, n) - (int)strlen(sign);
    int before = pad <= 0 ? 0 : align == '>' ? pad : align == '^' ? pad / 2 : 0;
    int within = pad > 0 && align == '=' ? pad : 0;
    int after = pad > 0 ? pad - before - within : 0;
    for (int i = 0; i < before; i++) tg_str_add(out, spec->fill);
    tg_str_add(out, sign);
    for (int i = 0; i < within; i++) tg_str_add(out, spec->fill);
    tg_str_addn(out, body, n);
    for (int i = 0; i < after; i++) tg_str_add(out, spec->fill);
}

/* 1234567.5 becomes 1,234,567.5 */
static void add_commas(char *digits, size_t size) {
    size_t whole_part = strspn(digits, "0123456789"), len = strlen(digits);
    for (size_t at = whole_part; at > 3;) {
        at -= 3;
        if (len + 2 > size) return;
        memmove(digits + at + 1, digits + at, len - at + 1);
        digits[at] = ',';
        len++;
    }
}

bool tg_spec_number(tg_ctx *c, const tg_spec *spec, double x, tg_style style, tg_str *out) {
    char digits[DIGITS_MOST];
    int precision = spec->precision < 0 ? 6 : spec->precision;
    double size = fabs(x);
    char sign[2] = {signbit(x) && !isnan(x) ? '-' : spec->sign == '-' ? 0 : spec->sign, 0};
    switch (spec->type) {
    case 's': return bad(c, spec->text, "is for text; this is a number");
    case 'd':
        if (isfinite(x) && x != floor(x)) {
            tg_fail(c, TG_ERR_VALUE, "the format `:%s` wants a whole number, and this is %.12g",
                    spec->text, x);
            return tg_help(c, "{x:.0f} rounds");
        }
        if (spec->precision >= 0) return bad(c, spec->text, "has decimals for a whole number");
        snprintf(digits, sizeof digits, "%.0f", size);
        break;
    case 'e': snprintf(digits, sizeof digits, "%.*e", precision, size); break;
    case 'f': snprintf(digits, sizeof digits, "%.*f", precision, size); break;
    case '%': snprintf(digits, sizeof digits, "%.*f%%", precision, size * 100); break;
    case 'g': snprintf(digits, sizeof digits, "%.*g", precision ? precision : 1, size); break;
    default:
        if (spec->precision >= 0) {
            snprintf(digits, sizeof digits, "%.*g", precision ? precision : 1, size);
        } else {
            tg_number_text(digits, size, style == TG_STYLE_SHORT ? TG_STYLE_FULL : style);
            if (x == 0) sign[0] = spec->sign == '-' ? 0 : spec->sign;
        }
    }
    if (spec->group) add_commas(digits, sizeof digits);
    char align = spec->align ? spec->align : '>';
    if (!isfinite(x) && align == '=') {
        tg_spec blanks = *spec;
        strcpy(blanks.fill, " "); /* 00nan would be odd */
        add_padded(&blanks, '>', sign, digits, strlen(digits), out);
    } else {
        add_padded(spec, align, sign, digits, strlen(digits), out);
    }
    return true;
}

bool tg_spec_text(tg_ctx *c, const tg_spec *spec, const char *text, size_t n, tg_str *out) {
    if (spec->type && spec->type != 's') return bad(c, spec->text, "is for numbers; this is text");
    if (spec->sign || spec->group || spec->align == '=')
        return bad(c, spec->text, "is for numbers; this is text");
    size_t end = 0;
    for (int chars = 0; end < n && (spec->precision < 0 || chars < spec->precision); chars++)
        end += (size_t)tg_utf8_next(text + end, n - end, NULL);
    add_padded(spec, spec->align ? spec->align : '<', "", text, end, out);
    return true;
}
