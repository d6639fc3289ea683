/* Commands are rows of tables. A name may be cut short as long as it is clear which is meant;
 * one that is not known is answered with those that begin alike. What a command says goes where the
 * session writes, so that a transcript with commands is checked as any other. */
#include "command/colon/colon.h"

#include "base/str.h"

#include <string.h>

static tg_status help(const tg_colon_call *call);

static const tg_colon colons_help[] = {
    {"help", "[command]", "What the commands are.", help},
    {0},
};

static const tg_colon *const tables[] = {colons_help, tg_colons_measure};

const tg_colon *tg_colon_at(int i) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const tg_colon *c = tables[t]; c->name; c++)
            if (i-- == 0) return c;
    return NULL;
}

/* ---- finding ---- */

static bool begins(const char *name, const char *word, size_t n) {
    return strncmp(name, word, n) == 0;
}

static const tg_colon *find(const char *word, size_t n) {
    const tg_colon *found = NULL;
    int alike = 0;
    if (n == 0) return NULL;
    const tg_colon *c;
    for (int i = 0; (c = tg_colon_at(i)); i++) {
        if (!begins(c->name, word, n)) continue;
        if (strlen(c->name) == n) return c;
        found = c;
        alike++;
    }
    return alike == 1 ? found : NULL;
}

/* How many letters both begin with. */
static size_t common(const char *name, const char *word, size_t n) {
    size_t i = 0;
    while (i < n && name[i] && name[i] == word[i]) i++;
    return i;
}

static tg_status unknown(tg_state *s, const char *word, size_t n) {
    tg_str message = {0}, advice = {0};
    size_t most = 0;
    tg_str_addf(&message, "there is no command :%.*s", (int)n, word);
    const tg_colon *c;
    for (int i = 0; (c = tg_colon_at(i)); i++) {
        size_t k = common(c->name, word, n);
        if (k > most) most = k;
    }
    for (int i = 0; most > 0 && (c = tg_colon_at(i)); i++)
        if (common(c->name, word, n) == most)
            tg_str_addf(&advice, advice.len ? ", :%s" : "do you mean :%s", c->name);
    if (advice.len) tg_str_add(&advice, "? ");
    tg_str_add(&advice, ":help lists all");
    tg_status status = tg_refuse(s, tg_str_text(&message), tg_str_text(&advice));
    tg_str_free(&message);
    tg_str_free(&advice);
    return status;
}

/* ---- help ---- */

static tg_status help(const tg_colon_call *call) {
    const char *word = call->text + (call->len && call->text[0] == ':');
    size_t n = call->len - (size_t)(word - call->text);
    const tg_colon *one = find(word, n);
    if (n && !one) return unknown(call->s, word, n);
    tg_str out = {0};
    const tg_colon *c;
    for (int i = 0; (c = tg_colon_at(i)); i++) {
        if (one && c != one) continue;
        size_t from = out.len;
        tg_str_addf(&out, ":%s%s%s", c->name, c->arguments[0] ? " " : "", c->arguments);
        while (out.len - from < 22) tg_str_addc(&out, ' ');
        tg_str_addf(&out, "%s\n", c->doc);
    }
    if (!one) tg_str_add(&out, "A name may be cut short: :t 1 + 1. What tg itself knows: ?\n");
    tg_print(call->s, tg_str_text(&out));
    tg_str_free(&out);
    return TG_DONE;
}

/* ---- running ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '?';
}

tg_status tg_colon_or_run(tg_state *s, const char *text, size_t len, int flags) {
    size_t at = 0, end = len;
    while (at < len && is_blank(text[at])) at++;
    if (at == len || text[at] != ':') return tg_run_bytes(s, "<prompt>", text, len, 1, flags);
    const char *word = text + ++at;
    size_t n = 0;
    while (at + n < len && is_letter(word[n])) n++;
    const tg_colon *c = find(word, n);
    if (!c) return unknown(s, word, n);
    at += n;
    while (at < end && is_blank(text[at])) at++;
    while (end > at && is_blank(text[end - 1])) end--;
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
