/* A growing string. Failure to allocate is remembered in `failed` and later appends do nothing, so
 * that a printer checks once, at its end. The text is always terminated by 0 (an empty builder has
 * "" as text). */
#ifndef TG_BASE_STR_H
#define TG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tg_str {
    char *text; /* NULL until something is appended: use tg_str_text */
    size_t len, cap;
    bool failed;
} tg_str;

void tg_str_add(tg_str *s, const char *text);
void tg_str_addn(tg_str *s, const char *text, size_t n);
void tg_str_addc(tg_str *s, char c);
void tg_str_addf(tg_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tg_str_repeat(tg_str *s, char c, int n);
const char *tg_str_text(const tg_str *s);
void tg_str_free(tg_str *s);

/* Columns that UTF-8 text takes on a terminal (CJK characters take two, combining marks and the
 * codes of colours none). */
int tg_utf8_width(const char *text, size_t n);
/* Bytes of the character at text[0] (1 to 4); an invalid byte counts as one. n > 0. *code may be
 * NULL. */
int tg_utf8_next(const char *text, size_t n, unsigned *code);
/* How many of the n bytes fit in so many columns: whole characters and colour codes. */
size_t tg_utf8_fit(const char *text, size_t n, int columns);
/* Where the character begins that the byte at text[at] belongs to: the text may be cut there. */
size_t tg_utf8_start(const char *text, size_t at);

#endif
