/* \alpha and its like: symbols.def as choices. A name that is whole gives its sign, and so does the
 * only one that begins so; else the names are shown with their signs, and completed as far as they
 * agree. */
#include "command/prompt/prompt.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct symbol {
    const char *name, *sign;
} symbols[] = {
#define TG_SYMBOL(name, sign) {name, sign},
#include "command/prompt/symbols.def"
#undef TG_SYMBOL
};

enum { SYMBOLS = sizeof symbols / sizeof *symbols };

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

size_t tg_symbol_start(const char *line, size_t cursor) {
    size_t at = cursor;
    if (at > 1 && strchr("+-", line[at - 1]) && strchr("^_", line[at - 2])) at--;
    while (at > 0 && (is_letter(line[at - 1]) || (line[at - 1] >= '0' && line[at - 1] <= '9')))
        at--;
    if (at > 0 && strchr("^_", line[at - 1])) at--;
    return at > 0 && line[at - 1] == '\\' ? at - 1 : SIZE_MAX;
}

void tg_symbols_find(const char *word, size_t n, tg_choices *out) {
    const struct symbol *only = NULL;
    int alike = 0;
    for (int i = 0; i < SYMBOLS; i++) {
        const struct symbol *s = &symbols[i];
        if (strncmp(s->name, word, n) != 0) continue;
        if (alike == 0 || strcmp(only->sign, s->sign) != 0) alike++;
        only = s;
        if (s->name[n] == 0) {
            alike = 1;
            break;
        }
    }
    if (alike == 1) tg_choices_add(out, only->sign, "", "", "");
    for (int i = 0; alike > 1 && i < SYMBOLS; i++) {
        char name[24];
        if (strncmp(symbols[i].name, word, n) != 0) continue;
        snprintf(name, sizeof name, "\\%s", symbols[i].name);
        tg_choices_add(out, name, "", "", symbols[i].sign);
    }
}
