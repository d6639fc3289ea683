/* A terminal without glass: libvterm, asked for text. A cell of its screen has a base character and
 * the marks combined with it; a wide character fills two, the second of which holds no character of
 * its own. Dim it does not know: it is told that such text blinks. */
#include "tests/screen/terminal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vterm.h>

struct terminal {
    VTerm *vt;
    VTermScreen *screen;
    int rows, columns;
    char sequence[32]; /* what has come of an escape sequence, which may come in pieces */
    size_t length;
};

enum { CELL_MOST = 4 * VTERM_MAX_CHARS_PER_CELL, LOOK_MOST = 80 };

static const uint32_t behind_wide = UINT32_MAX;
static const char *const colours[] = {"black", "red",     "green", "yellow",
                                      "blue",  "magenta", "cyan",  "white"};
enum { BASIC = sizeof colours / sizeof colours[0] };

terminal *terminal_new(int rows, int columns, terminal_answer *answer, void *context) {
    terminal *t = calloc(1, sizeof *t);
    t->vt = vterm_new(rows, columns);
    t->rows = rows;
    t->columns = columns;
    vterm_set_utf8(t->vt, 1);
    vterm_output_set_callback(t->vt, answer, context);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
    return t;
}

void terminal_free(terminal *t) {
    if (!t) return;
    vterm_free(t->vt);
    free(t);
}

/* A whole sequence: where it is ESC [ parameters m, 2 (dim) becomes 5 (blink), and 22 (neither bold
 * nor dim) 22;25. */
static void pass_on(terminal *t) {
    char *s = t->sequence;
    size_t n = t->length;
    t->length = 0;
    for (size_t i = 2; n > 3 && s[1] == '[' && s[n - 1] == 'm' && i + 1 < n; i++) {
        bool begins = s[i - 1] == '[' || s[i - 1] == ';';
        if (begins && s[i] == '2' && (s[i + 1] == ';' || s[i + 1] == 'm')) s[i] = '5';
        if (begins && strncmp(s + i, "22", 2) == 0 && i + 2 < n && n + 3 < sizeof t->sequence) {
            memmove(s + i + 5, s + i + 2, n - i - 2);
            memcpy(s + i + 2, ";25", 3);
            n += 3;
        }
        if (begins && (s[i] == '3' || s[i] == '4') && s[i + 1] == '8') break; /* 38;5;N */
    }
    vterm_input_write(t->vt, s, n);
}

void terminal_feed(terminal *t, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (t->length == 0 && bytes[i] != '\x1B') {
            const char *escape = memchr(bytes + i, '\x1B', n - i);
            size_t text = escape ? (size_t)(escape - bytes) - i : n - i;
            vterm_input_write(t->vt, bytes + i, text);
            i += text - 1;
            continue;
        }
        t->sequence[t->length++] = bytes[i];
        bool goes_on = t->length == 1 || (t->length == 2 && bytes[i] == '[') ||
                       (t->length > 2 && bytes[i] && strchr("0123456789;?>", bytes[i]));
        if (!goes_on || t->length + 1 == sizeof t->sequence) pass_on(t);
    }
}

void terminal_resize(terminal *t, int rows, int columns) {
    vterm_set_size(t->vt, rows, columns);
    t->rows = rows;
    t->columns = columns;
}

static size_t put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* Writes columns [0, columns) of a row, without the blanks at its end; returns the length. */
static size_t put_row(const terminal *t, int row, int columns, char *out) {
    size_t n = 0, kept = 0;
    for (int column = 0; column < columns; column++) {
        VTermScreenCell cell;
        VTermPos at = {.row = row, .col = column};
        if (!vterm_screen_get_cell(t->screen, at, &cell) || cell.chars[0] == behind_wide) continue;
        if (cell.chars[0] == 0 || cell.chars[0] == ' ') {
            out[n++] = ' ';
            continue;
        }
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
            n += put_utf8(out + n, cell.chars[i]);
        kept = n;
    }
    out[kept] = 0;
    return kept;
}

char *terminal_text(const terminal *t) {
    char *text = malloc((size_t)t->rows * ((size_t)t->columns * CELL_MOST + 1) + 1);
    size_t n = 0, kept = 0;
    for (int row = 0; row < t->rows; row++) {
        size_t length = put_row(t, row, t->columns, text + n);
        n += length;
        text[n++] = '\n';
        if (length) kept = n;
    }
    text[kept] = 0;
    return text;
}

void terminal_cursor(const terminal *t, int *row, int *column) {
    VTermPos at;
    vterm_state_get_cursorpos(vterm_obtain_state(t->vt), &at);
    *row = at.row + 1;
    *column = at.col + 1;
}

char *terminal_cursor_row(const terminal *t, bool whole) {
    char *text = malloc((size_t)t->columns * CELL_MOST + 1);
    int row, column;
    terminal_cursor(t, &row, &column);
    put_row(t, row - 1, whole ? t->columns : column - 1, text);
    return text;
}

static void add_word(char *look, const char *format, const char *word) {
    size_t n = strlen(look);
    if (n) look[n++] = ' ';
    snprintf(look + n, LOOK_MOST - n, format, word);
}

char *terminal_look(const terminal *t, int row, int column) {
    VTermScreenCell cell;
    VTermPos at = {.row = row - 1, .col = column - 1};
    char *look = calloc(1, LOOK_MOST), number[8];
    if (!vterm_screen_get_cell(t->screen, at, &cell)) return look;
    if (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg) && VTERM_COLOR_IS_INDEXED(&cell.fg)) {
        int index = cell.fg.indexed.idx;
        snprintf(number, sizeof number, "%d", index);
        if (index < BASIC)
            add_word(look, "%s", colours[index]);
        else if (index < 2 * BASIC)
            add_word(look, "bright-%s", colours[index - BASIC]);
        else
            add_word(look, "colour%s", number);
    }
    if (cell.attrs.bold) add_word(look, "%s", "bold");
    if (cell.attrs.blink) add_word(look, "%s", "dim");
    if (cell.attrs.italic) add_word(look, "%s", "italic");
    if (cell.attrs.underline) add_word(look, "%s", "underline");
    if (cell.attrs.reverse) add_word(look, "%s", "reverse");
    if (!look[0]) add_word(look, "%s", "plain");
    return look;
}

bool terminal_knows_look(const char *word) {
    static const char *const others[] = {"bold", "dim", "italic", "underline", "reverse", "plain"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(word, others[i]) == 0) return true;
    if (strncmp(word, "colour", 6) == 0) return word[6 + strspn(word + 6, "0123456789")] == 0;
    if (strncmp(word, "bright-", 7) == 0) word += 7;
    for (size_t i = 0; i < BASIC; i++)
        if (strcmp(word, colours[i]) == 0) return true;
    return false;
}
