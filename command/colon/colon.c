/* Commands are rows of tables. A name may be cut short as long as it is clear which is meant;
 * one that is not known is answered with those that it may stand for. What a command says goes
 * where the session writes, so that a transcript with commands is checked as any other. */
#include "command/colon/colon.h"
#include "command/colon/typed.h"

#include "base/nearest.h"
#include "base/str.h"
#include "base/wrap.h"

#include <stdio.h>
#include <string.h>

static tg_status help(const tg_colon_call *call);

static const tg_colon colons_help[] = {
    {"help", "[command]",
     "What the commands are.\n"
     "    :help          all of them, a line each\n"
     "    :help :load    one of them in full",
     help},
    {0},
};

static const struct {
    const char *title;
    const tg_colon *rows;
} tables[] = {
    {"Help", colons_help},      {"The session", tg_colons_session}, {"Asking", tg_colons_ask},
    {"Files", tg_colons_files}, {"Measuring", tg_colons_measure},   {"Showing", tg_colons_page},
};

enum { TABLES = sizeof tables / sizeof *tables };

const tg_colon *tg_colon_at(int i) {
    for (size_t t = 0; t < TABLES; t++)
        for (const tg_colon *c = tables[t].rows; c->name; c++)
            if (i-- == 0) return c;
    return NULL;
}

/* For ?:name and ??word. */
static int help_row(int i, tg_help_row *out) {
    static char name[32];
    const tg_colon *c = tg_colon_at(i);
    if (!c) return 0;
    snprintf(name, sizeof name, ":%s", c->name);
    *out = (tg_help_row){name, c->arguments, c->doc};
    return 1;
}

/* ---- finding ---- */

static bool begins(const char *name, const char *word, size_t n) {
    return strncmp(name, word, n) == 0;
}

/* The command that the word means. *alike: how many begin with it, where none is meant. */
static const tg_colon *find(const char *word, size_t n, int *alike) {
    const tg_colon *found = NULL;
    *alike = 0;
    if (n == 0) return NULL;
    const tg_colon *c;
    for (int i = 0; (c = tg_colon_at(i)); i++) {
        if (!begins(c->name, word, n)) continue;
        if (strlen(c->name) == n) return c;
        found = c;
        ++*alike;
    }
    return *alike == 1 ? found : NULL;
}

static tg_status unknown(tg_state *s, const char *word, size_t n, int alike) {
    tg_str typed = {0}, message = {0}, advice = {0};
    tg_str_addn(&typed, word, n);
    tg_nearest near = tg_nearest_of_few(tg_str_text(&typed));
    const tg_colon *c;
    for (int i = 0; (c = tg_colon_at(i)); i++) {
        tg_nearest_offer(&near, c->name);
        if (n == 0 || !begins(c->name, word, n)) continue;
        tg_str_addf(&advice, advice.len ? ", :%s" : "do you mean :%s", c->name);
    }
    const char *here = advice.len || n == 0 ? NULL : tg_advice(tg_str_text(&typed));
    if (here)
        tg_str_addf(&advice, "in tg: %s", here);
    else if (!advice.len && near.best)
        tg_str_addf(&advice, "did you mean :%s", near.best);
    if (!here) tg_str_addf(&advice, "%s:help lists all", advice.len ? "? " : "");
    if (n == 0)
        tg_str_add(&message, "behind the colon stands the name of a command");
    else
        tg_str_addf(&message, alike ? ":%s can be several commands" : "there is no command :%s",
                    tg_str_text(&typed));
    tg_status status = tg_refuse(s, tg_str_text(&message), tg_str_text(&advice));
    tg_str_free(&typed);
    tg_str_free(&message);
    tg_str_free(&advice);
    return status;
}

static tg_status say_within(tg_state *s, tg_str *text, int width) {
    tg_status status = TG_DONE;
    tg_str out = {0};
    tg_wrap_text(&out, tg_str_text(text), width);
    if (text->failed || out.failed)
        status = tg_refuse(s, "out of memory", NULL);
    else
        tg_print(s, tg_str_text(&out));
    tg_str_free(&out);
    tg_str_free(text);
    return status;
}

tg_status tg_colon_say(tg_state *s, tg_str *out) {
    return say_within(s, out, tg_columns(s));
}

void tg_colon_pass_on(const tg_output *to, const char *text, size_t len) {
    if (to->write)
        to->write(to->user, text, len);
    else
        fwrite(text, 1, len, stdout);
}

/* ---- help ---- */

enum { HELP_COLUMN = 24, HELP_WIDTH = 100 };

/* The first line of what is said of a command, or all of it: lines of prose, which are filled to
 * the terminal, and indented ones, which stay. */
static void describe(const tg_colon *c, bool whole, tg_str *out) {
    size_t from = out->len;
    tg_str_addf(out, ":%s%s%s", c->name, c->arguments[0] ? " " : "", c->arguments);
    do tg_str_addc(out, ' ');
    while (out->len - from < HELP_COLUMN);
    const char *line = c->doc + strcspn(c->doc, "\n");
    tg_str_addn(out, c->doc, (size_t)(line - c->doc));
    for (bool prose = false; whole && *line; prose = *line != ' ', line += strcspn(line, "\n")) {
        line++;
        tg_str_addc(out, prose && *line != ' ' ? ' ' : '\n');
        tg_str_addn(out, line, strcspn(line, "\n"));
    }
    tg_str_addc(out, '\n');
}

static tg_status help(const tg_colon_call *call) {
    const char *word = call->text + (call->len && call->text[0] == ':');
    size_t n = call->len - (size_t)(word - call->text);
    int alike;
    const tg_colon *one = find(word, n, &alike);
    if (n && !one) return unknown(call->s, word, n, alike);
    tg_str out = {0};
    if (one) describe(one, true, &out);
    for (size_t t = 0; !one && t < TABLES; t++) {
        tg_str_addf(&out, "%s%s\n", t ? "\n" : "", tables[t].title);
        for (const tg_colon *c = tables[t].rows; c->name; c++) describe(c, false, &out);
    }
    if (!one)
        tg_str_addf(&out, "\n%-*s%s", HELP_COLUMN, "!command",
                    "Runs it in a shell; ! alone is a shell.\n"
                    "A name may be cut short: :ti 1 + 1. More of one: :help :load. What tg itself "
                    "knows: ?\n");
    return say_within(call->s, &out, tg_columns(call->s) ? tg_columns(call->s) : HELP_WIDTH);
}

/* ---- running ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '?';
}

/* quit and its like, typed by those who expect them to work: alone or with (). */
static bool is_word(tg_state *s, const char *text, size_t len, const char *word) {
    const size_t n = strlen(word);
    tg_completion known;
    if (len < n || memcmp(text, word, n) != 0) return false;
    if (len != n && !(len == n + 2 && memcmp(text + n, "()", 2) == 0)) return false;
    if (tg_complete_at(s, word, n, &known) != TG_DONE) return true;
    for (size_t k = 0; k < known.n; k++)
        if (strcmp(known.items[k].text, word) == 0) return false; /* the user's own */
    return true;
}

static tg_status run(tg_state *s, const char *text, size_t len, int flags) {
    size_t at = 0, end = len;
    while (at < len && is_blank(text[at])) at++;
    while (end > at && is_blank(text[end - 1])) end--;
    if (at < end && text[at] == '!')
        return tg_colon_shell(&(tg_colon_call){s, text + at + 1, end - at - 1, flags});
    if (is_word(s, text + at, end - at, "quit") || is_word(s, text + at, end - at, "exit"))
        return tg_colon_quit(&(tg_colon_call){.s = s});
    if (is_word(s, text + at, end - at, "help"))
        return tg_run_bytes(s, "<prompt>", "?", 1, 1, flags);
    if (at == len || text[at] != ':') {
        tg_status status = tg_run_bytes(s, "<prompt>", text, len, 1, flags);
        if (status != TG_MORE) tg_colon_entered(text, len);
        return status;
    }
    const char *word = text + ++at;
    size_t n = 0;
    int alike;
    while (at + n < end && is_letter(word[n])) n++;
    const tg_colon *c = find(word, n, &alike);
    if (!c) return unknown(s, word, n, alike);
    at += n;
    while (at < end && is_blank(text[at])) at++;
    if (at < end && text[at] == '#') end = at; /* a comment */
    const tg_colon_call call = {s, text + at, end - at, flags};
    const bool needs = c->arguments[0] && c->arguments[0] != '[';
    if (call.len == 0 ? needs : !c->arguments[0]) {
        tg_str advice = {0};
        tg_str_addf(&advice, ":%s%s%s", c->name, needs ? " " : "", c->arguments);
        tg_status status = tg_refuse(s,
                                     needs ? "the command wants something behind it"
                                           : "nothing stands behind this command",
                                     tg_str_text(&advice));
        tg_str_free(&advice);
        return status;
    }
    return c->run(&call);
}

/* A command may run another, and so on: no deeper than anybody needs. */
tg_status tg_colon_or_run(tg_state *s, const char *text, size_t len, int flags) {
    enum { DEPTH_MOST = 20 };
    static int depth;
    if (depth == DEPTH_MOST) return tg_refuse(s, "too many commands within commands", NULL);
    tg_more_help(s, help_row);
    const bool outermost = depth++ == 0;
    if (outermost) {
        tg_page_listen(s);
        tg_colon_log_begin(s);
    }
    tg_status status = run(s, text, len, flags | TG_ENTRY);
    depth--;
    if (outermost) {
        tg_colon_log_end(s, text, len, status);
        tg_page_rest(s);
    }
    return status;
}
