/* Reading a script: one line a step, the words of a step in a table. */
#include "tests/screen/script.h"

#include "tests/screen/terminal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum operands { NOTHING, TEXT, KEYS, SIZE, NUMBER, PLACE, LOOK, MAYBE_TEXT } operands;

static const struct word {
    const char *name;
    step_kind kind;
    operands operands;
    bool block; /* lines may follow */
} words[] = {
    {"size", STEP_SIZE, SIZE, false},      {"env", STEP_ENV, TEXT, false},
    {"file", STEP_FILE, TEXT, true},       {"start", STEP_START, MAYBE_TEXT, false},
    {"type", STEP_TYPE, KEYS, false},      {"wait", STEP_WAIT, TEXT, false},
    {"see", STEP_SEE, TEXT, false},        {"screen", STEP_SCREEN, NOTHING, true},
    {"cursor", STEP_CURSOR, PLACE, false}, {"attr", STEP_LOOK, LOOK, false},
    {"signal", STEP_SIGNAL, TEXT, false},  {"resize", STEP_RESIZE, SIZE, false},
    {"close", STEP_CLOSE, NOTHING, false}, {"ended", STEP_ENDED, NUMBER, false},
    {"exit", STEP_EXIT, NUMBER, false},    {"run", STEP_RUN, TEXT, false},
};

static const struct key {
    const char *name, *bytes;
} keys[] = {
    {"Enter", "\r"},        {"Tab", "\t"},           {"Esc", "\x1B"},
    {"Space", " "},         {"Backspace", "\x7F"},   {"Up", "\x1B[A"},
    {"Down", "\x1B[B"},     {"Right", "\x1B[C"},     {"Left", "\x1B[D"},
    {"Home", "\x1B[H"},     {"End", "\x1B[F"},       {"Delete", "\x1B[3~"},
    {"PageUp", "\x1B[5~"},  {"PageDown", "\x1B[6~"}, {"BackTab", "\x1B[Z"},
    {"Paste", "\x1B[200~"}, {"/Paste", "\x1B[201~"}, {"lt", "<"},
};

static bool complain(const script *s, int line, const char *what, const char *detail) {
    fprintf(stderr, "%s:%d: %s%s\n", s->path, line, what, detail);
    return false;
}

/* ---- keys ---- */

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The bytes of the key `name`, n characters; returns how many, 0 for none of that name. */
static size_t key_bytes(const char *name, size_t n, char out[16]) {
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strlen(keys[i].name) == n && strncmp(keys[i].name, name, n) == 0)
            return (size_t)snprintf(out, 16, "%s", keys[i].bytes);
    if (n == 3 && name[0] == 'C' && name[1] == '-') {
        out[0] = (char)(toupper((unsigned char)name[2]) & 0x1F);
        return 1;
    }
    if (n == 3 && name[0] == 'M' && name[1] == '-') {
        out[0] = '\x1B';
        out[1] = name[2];
        return 2;
    }
    if (n == 3 && name[0] == 'x' && isxdigit((unsigned char)name[1]) &&
        isxdigit((unsigned char)name[2])) {
        out[0] = (char)(hex(name[1]) * 16 + hex(name[2]));
        return 1;
    }
    return 0;
}

/* Replaces <...> in the step's text. */
static bool read_keys(const script *s, step *p, const char *text) {
    size_t cap = strlen(text) + 64;
    p->text = malloc(cap);
    p->length = 0;
    for (const char *at = text; *at;) {
        char bytes[16] = {*at};
        const char *from = bytes, *end = *at == '<' ? strchr(at, '>') : NULL;
        size_t n = 1;
        unsigned long times = 1;
        if (*at == '<') {
            if (!end) return complain(s, p->line, "a key without its end: ", at);
            char *star;
            size_t length = (size_t)(end - at - 1);
            times = strtoul(at + 1, &star, 10);
            if (isdigit((unsigned char)at[1]) && *star == '*' && star + 1 < end && times > 0) {
                from = star + 1; /* <1000*ab> */
                n = (size_t)(end - from);
            } else {
                times = 1;
                n = key_bytes(at + 1, length, bytes);
                if (n == 0) return complain(s, p->line, "no such key: ", at);
            }
        }
        if (p->length + n * times > cap) {
            cap = 2 * (p->length + n * times) + 64;
            p->text = realloc(p->text, cap);
        }
        for (; times > 0; times--) {
            memcpy(p->text + p->length, from, n);
            p->length += n;
        }
        at = end ? end + 1 : at + 1;
    }
    return true;
}

/* ---- steps ---- */

static bool read_looks(const script *s, const step *p) {
    char *copy = strdup(p->text), *rest = NULL;
    bool ok = copy[0] != 0;
    for (char *w = strtok_r(copy, " ", &rest); w && ok; w = strtok_r(NULL, " ", &rest))
        ok = terminal_knows_look(w);
    free(copy);
    return ok || complain(s, p->line, "no such look: ", p->text);
}

static bool read_operands(const script *s, step *p, operands kind, const char *text) {
    int end = -1;
    p->text = strdup(text);
    p->length = strlen(text);
    int *n = p->number;
    switch (kind) {
    case NOTHING:
        return text[0] == 0 || complain(s, p->line, "nothing may stand behind it: ", text);
    case TEXT: return text[0] != 0 || complain(s, p->line, "something must stand behind it", "");
    case MAYBE_TEXT: return true;
    case KEYS: free(p->text); return read_keys(s, p, text);
    case SIZE:
        sscanf(text, "%4dx%4d%n", &n[0], &n[1], &end);
        return (end >= 0 && text[end] == 0 && n[0] > 0 && n[1] > 0) ||
               complain(s, p->line, "a size is COLUMNSxROWS, not ", text);
    case NUMBER:
        sscanf(text, "%4d%n", &n[0], &end);
        return (end >= 0 && text[end] == 0) || complain(s, p->line, "no exit status: ", text);
    case PLACE:
        sscanf(text, "%4d %4d%n", &n[0], &n[1], &end);
        return (end >= 0 && text[end] == 0) || complain(s, p->line, "not ROW COLUMN: ", text);
    case LOOK:
        sscanf(text, "%4d %4d %4d %n", &n[0], &n[1], &n[2], &end);
        if (end < 0 || n[1] > n[2]) return complain(s, p->line, "not ROW FROM TO LOOK: ", text);
        memmove(p->text, p->text + end, strlen(p->text + end) + 1);
        return read_looks(s, p);
    }
    return false;
}

static bool read_step(script *s, int line) {
    const char *text = s->lines[line - 1];
    size_t n = strcspn(text, " ");
    const struct word *w = NULL;
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !w; i++)
        if (strlen(words[i].name) == n && strncmp(words[i].name, text, n) == 0) w = &words[i];
    if (!w) return complain(s, line, "no such step: ", text);
    step *p = &s->steps[s->nsteps++];
    *p = (step){.kind = w->kind, .line = line};
    text += n + strspn(text + n, " ");
    if (!read_operands(s, p, w->operands, text)) return false;
    if (!w->block) return true;
    p->block = &s->lines[line];
    while (line + p->blocks < s->nlines) {
        const char *below = p->block[p->blocks];
        bool mark = below[0] == '|' || (below[0] == '~' && w->kind == STEP_SCREEN);
        if (!mark) break;
        if (below[1] && below[1] != ' ')
            return complain(s, line + p->blocks + 1, "a blank is missing behind the mark: ", below);
        p->blocks++;
    }
    return true;
}

/* What the order of the steps must be. */
static bool check_order(const script *s) {
    bool started = false, expects = false;
    for (int i = 0; i < s->nsteps; i++) {
        const step *p = &s->steps[i];
        switch (p->kind) {
        case STEP_START: started = true; break;
        case STEP_SIZE:
        case STEP_ENV:
        case STEP_FILE:
        case STEP_RUN: break;
        default:
            if (!started) return complain(s, p->line, "`start` must come first", "");
            if (p->kind == STEP_SCREEN || p->kind == STEP_SEE || p->kind == STEP_LOOK ||
                p->kind == STEP_CURSOR || p->kind == STEP_ENDED || p->kind == STEP_EXIT)
                expects = true;
        }
    }
    return expects || complain(s, s->nlines, "the script expects nothing", "");
}

static bool read_content(script *s) {
    size_t n = 0, cap = 1 << 20;
    FILE *f = fopen(s->path, "r");
    s->content = malloc(cap);
    if (f) n = fread(s->content, 1, cap - 1, f);
    if (!f || ferror(f) || n == cap - 1) {
        fprintf(stderr, "%s: %s\n", s->path, f && !ferror(f) ? "too long" : strerror(errno));
        if (f) fclose(f);
        return false;
    }
    fclose(f);
    s->content[n] = 0;
    for (size_t i = 0; i < n; i++) s->nlines += s->content[i] == '\n';
    s->lines = calloc((size_t)s->nlines + 2, sizeof *s->lines);
    s->nlines = 0;
    char *rest = s->content;
    while (*rest) s->lines[s->nlines++] = strsep(&rest, "\n"), rest = rest ? rest : s->content + n;
    return true;
}

void script_free(script *s) {
    for (int i = 0; i < s->nsteps; i++) free(s->steps[i].text);
    free(s->steps);
    free(s->lines);
    free(s->content);
    free(s->path);
    free(s);
}

static bool read_lines(script *s) {
    if (!read_content(s)) return false;
    s->steps = calloc((size_t)s->nlines + 1, sizeof *s->steps);
    for (int i = 0; i < s->nlines; i++) {
        const char *line = s->lines[i];
        if (line[0] == 0 || line[0] == '#') continue;
        if (line[0] == '|' || line[0] == '~')
            return complain(s, i + 1, "this line belongs to no `screen` and no `file`", "");
        if (strcmp(line, "any editor") == 0) {
            s->any_editor = true;
            continue;
        }
        if (!read_step(s, i + 1)) return false;
        i += s->steps[s->nsteps - 1].blocks;
    }
    return check_order(s);
}

script *script_read(const char *path) {
    script *s = calloc(1, sizeof *s);
    s->path = strdup(path);
    if (read_lines(s)) return s;
    script_free(s);
    return NULL;
}
