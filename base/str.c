/* The string builder, and what little of Unicode a terminal program needs. */
#include "base/str.h"
#include "base/alloc.h"

#include <stdint.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static bool reserve(tg_str *s, size_t more) {
    if (s->failed) return false;
    if (more >= SIZE_MAX - s->len) return !(s->failed = true);
    void *p = s->text;
    if (!tg_grow(&p, &s->cap, s->len + more + 1, 1)) return !(s->failed = true);
    s->text = p;
    return true;
}

void tg_str_addn(tg_str *s, const char *text, size_t n) {
    if (!reserve(s, n)) return;
    if (n) memcpy(s->text + s->len, text, n);
    s->len += n;
    s->text[s->len] = 0;
}

void tg_str_add(tg_str *s, const char *text) {
    tg_str_addn(s, text, strlen(text));
}
void tg_str_addc(tg_str *s, char c) {
    tg_str_addn(s, &c, 1);
}

void tg_str_addf(tg_str *s, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && reserve(s, (size_t)n)) {
        vsnprintf(s->text + s->len, (size_t)n + 1, fmt, again);
        s->len += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void tg_str_repeat(tg_str *s, char c, int n) {
    if (n <= 0 || !reserve(s, (size_t)n)) return;
    memset(s->text + s->len, c, (size_t)n);
    s->len += (size_t)n;
    s->text[s->len] = 0;
}

const char *tg_str_text(const tg_str *s) {
    return s->text ? s->text : "";
}

void tg_str_free(tg_str *s) {
    tg_free(s->text);
    *s = (tg_str){0};
}

/* The length that a first byte announces; 0 for one that begins no character. */
static int announced(unsigned char first) {
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

int tg_utf8_next(const char *text, size_t n, unsigned *code) {
    static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const unsigned least[] = {0, 0, 0x80, 0x800,
                                     0x10000}; /* smaller ones have a shorter form */
    const unsigned char *t = (const unsigned char *)text;
    int len = announced(t[0]);
    unsigned c = t[0] & lead[len];
    bool ok = len > 0 && (size_t)len <= n;
    for (int i = 1; ok && i < len; i++) {
        ok = (t[i] & 0xC0) == 0x80;
        c = c << 6 | (t[i] & 0x3Fu);
    }
    ok = ok && c >= least[len] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    if (code) *code = ok ? c : t[0];
    return ok ? len : 1;
}

/* Unicode ranges that take two columns (East Asian Wide) or none (combining marks): the common
 * ones. */
static int width_of(unsigned c) {
    if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F))
        return 0;
    if ((c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
        (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
        (c >= 0xFE30 && c <= 0xFE4F) || (c >= 0xFF00 && c <= 0xFF60) ||
        (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
        (c >= 0x20000 && c <= 0x3FFFD))
        return 2;
    return 1;
}

/* Bytes of a code such as ESC [ 1 ; 3 1 m, which colours what follows; 0: none begins here. */
static size_t colour_code(const char *text, size_t n) {
    size_t i = 2;
    if (n < 3 || text[0] != '\033' || text[1] != '[') return 0;
    while (i < n && (text[i] == ';' || (text[i] >= '0' && text[i] <= '9'))) i++;
    return i < n && text[i] == 'm' ? i + 1 : 0;
}

/* Bytes of the character or colour code at text[0], and its columns. */
static size_t step(const char *text, size_t n, int *columns) {
    unsigned c;
    size_t code = text[0] == '\033' ? colour_code(text, n) : 0;
    *columns = 0;
    if (code) return code;
    size_t bytes = (size_t)tg_utf8_next(text, n, &c);
    *columns = width_of(c);
    return bytes;
}

int tg_utf8_width(const char *text, size_t n) {
    int width = 0, columns;
    for (size_t i = 0; i < n; width += columns) i += step(text + i, n - i, &columns);
    return width;
}

size_t tg_utf8_fit(const char *text, size_t n, int columns) {
    size_t i = 0;
    for (int used = 0, more; i < n;) {
        size_t bytes = step(text + i, n - i, &more);
        used += more;
        if (used > columns) break;
        i += bytes;
    }
    return i;
}

size_t tg_utf8_start(const char *text, size_t at) {
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80) at--;
    return at;
}
