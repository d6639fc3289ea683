/* Completion: which kind of thing stands at the cursor, and what it could become. A line with : is
 * for the table of commands, one with ! for files, \word for the table of symbols; all else the
 * session answers (tg_complete_at), which knows names, fields and arguments, and says when it is
 * within a string. What is found is text to put in place; how it is shown is the editor's. */
#include "command/prompt/prompt.h"

#include "base/alloc.h"
#include "command/colon/colon.h"

#include <stdint.h>
#include <string.h>

void tg_choices_add(tg_choices *c, const char *name, const char *behind, const char *rest,
                    const char *more) {
    void *items = c->items;
    if (!tg_grow(&items, &c->cap, c->n + 1, sizeof *c->items)) {
        c->failed = true;
        return;
    }
    c->items = items;
    const size_t n = strlen(name), nbehind = strlen(behind), nmore = strlen(more);
    const bool there = nbehind && strncmp(rest, behind, nbehind) == 0;
    char *block = tg_alloc(n + nbehind + 1 + n + 1 + nmore + 1);
    if (!block) {
        c->failed = true;
        return;
    }
    tg_choice *one = &c->items[c->n++];
    *one = (tg_choice){block, block + n + nbehind + 1, block + n + nbehind + 1 + n + 1};
    memcpy(one->text, name, n);
    memcpy(one->text + n, behind, nbehind + 1);
    memcpy(one->name, name, n + 1);
    memcpy(one->more, more, nmore + 1);
    if (there) one->text[n] = 0;
}

void tg_choices_free(tg_choices *c) {
    for (size_t i = 0; i < c->n; i++) tg_free(c->items[i].text);
    tg_free(c->items);
    tg_free(c->call);
    *c = (tg_choices){0};
}

/* ---- what the session knows ---- */

/* The text `line[skip..]`, which goes on from `before`. `calls`: functions get their bracket. */
static void from_session(tg_state *s, const char *before, const char *line, size_t skip,
                         size_t cursor, bool calls, tg_choices *out) {
    tg_str text = {0};
    tg_completion found;
    tg_str_add(&text, before);
    if (text.len) tg_str_addc(&text, '\n');
    const size_t offset = text.len;
    tg_str_addn(&text, line + skip, cursor - skip);
    out->failed = text.failed || tg_complete_at(s, tg_str_text(&text), text.len, &found) != TG_DONE;
    tg_str_free(&text);
    if (out->failed || found.from < offset) return; /* it began on a line before */
    out->from = found.from - offset + skip;
    if (found.call[0]) out->call = tg_alloc_text(found.call, strlen(found.call));
    if (found.what == TG_COMPLETE_FILE)
        tg_files_find(line + out->from, cursor - out->from, true, line + cursor, out);
    if (found.what != TG_COMPLETE_NAMES) return;
    for (size_t i = 0; i < found.n; i++) {
        const tg_candidate *c = &found.items[i];
        const bool bare = c->behind[0] == '(' && !calls;
        tg_choices_add(out, c->text, bare ? "" : c->behind, line + cursor,
                       c->signature[0] ? c->signature : c->kind);
    }
}

/* ---- commands ---- */

static void command_names(const char *word, size_t n, const char *rest, tg_choices *out) {
    const tg_colon *c;
    for (int i = 0; (c = tg_colon_at(i)); i++)
        if (strncmp(c->name, word, n) == 0)
            tg_choices_add(out, c->name, c->arguments[0] ? " " : "", rest, c->doc);
}

/* The command that the word is, or is short for; NULL: none, or several. */
static const tg_colon *command_of(const char *word, size_t n) {
    const tg_colon *c, *found = NULL;
    int alike = 0;
    for (int i = 0; (c = tg_colon_at(i)); i++) {
        if (strncmp(c->name, word, n) != 0) continue;
        if (c->name[n] == 0) return c;
        found = c;
        alike++;
    }
    return alike == 1 ? found : NULL;
}

/* A name that is asked about, with its colon or without. */
static void help_on_command(const char *line, size_t at, size_t cursor, tg_choices *out) {
    const tg_colon *c;
    out->from = at += at < cursor && line[at] == ':';
    for (int i = 0; (c = tg_colon_at(i)); i++)
        if (strncmp(c->name, line + at, cursor - at) == 0)
            tg_choices_add(out, c->name, "", line + cursor, c->doc);
}

static void of_command(tg_state *s, const char *line, size_t colon, size_t cursor,
                       tg_choices *out) {
    const size_t word = colon + 1, n = strcspn(line + word, " \t");
    if (word + n >= cursor) {
        out->from = word;
        command_names(line + word, cursor - word, line + cursor, out);
        return;
    }
    const tg_colon *c = command_of(line + word, n);
    if (!c) return;
    size_t at = word + n;
    at += strspn(line + at, " \t");
    if (at > cursor) at = cursor;
    out->from = at;
    if (strstr(c->arguments, "file") || strstr(c->arguments, "folder"))
        tg_files_find(line + at, cursor - at, false, line + cursor, out);
    else if (strstr(c->arguments, "command"))
        help_on_command(line, at, cursor, out);
    else if (c->arguments[0])
        from_session(s, "", line, at, cursor, strstr(c->arguments, "name") == NULL, out);
}

void tg_choices_find(tg_state *s, const char *before, const char *line, size_t cursor,
                     tg_choices *out) {
    *out = (tg_choices){.from = cursor};
    const size_t first = strspn(line, " \t"), symbol = tg_symbol_start(line, cursor);
    const char sign = first < cursor && !before[0] ? line[first] : '\0';
    if (symbol != SIZE_MAX) {
        out->from = symbol;
        tg_symbols_find(line + symbol + 1, cursor - symbol - 1, out);
        if (out->n) return;
        tg_choices_free(out);
        out->from = cursor;
    }
    if (sign == ':') {
        of_command(s, line, first, cursor, out);
    } else if (sign == '?' && first + 1 < cursor && line[first + 1] == ':') {
        help_on_command(line, first + 1, cursor, out);
    } else if (sign == '!') {
        while (out->from > first + 1 && !strchr(" \t", line[out->from - 1])) out->from--;
        tg_files_find(line + out->from, cursor - out->from, false, line + cursor, out);
    } else {
        from_session(s, before, line, 0, cursor, sign != '?', out);
    }
    if (out->failed) tg_choices_free(out);
}
