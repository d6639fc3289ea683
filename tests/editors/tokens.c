/* The tokens of a program as the lexer has them, for the comparison with what editors show
 * (tests/editors/check.py): a line for each, with its line, its column in bytes and in characters,
 * its class and its text. Strings and comments are one token. */
#include "base/alloc.h"
#include "base/file.h"
#include "grammar/layout.h"

#include <stdio.h>

static const char *class_of(const tg_layout_item *items, size_t n, size_t i) {
    int kind = items[i].kind;
    switch (kind) {
    case TG_TOK_COMMENT: return "comment";
    case TG_TOK_QUOTE: return "string";
    case TG_TOK_NUMBER: return "number";
    case TG_TOK_PRIME: return "prime";
    case TG_TOK_NAME:
        if (i > 0 && items[i - 1].kind == TG_TOK_DOT) return "field";
        return i + 1 < n && items[i + 1].kind == TG_TOK_ASSIGN ? "named" : "word";
    default: break;
    }
    if (kind >= TG_TOK_TRUE && kind <= TG_TOK_RETURN) return "word";
    if (kind >= TG_TOK_ARROW && kind < TG_TOK_COUNT && kind != TG_TOK_UNKNOWN) return "sign";
    return "other";
}

static void print(const tg_source *src, const tg_layout_item *items, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int line, column;
        size_t lo, hi;
        tg_source_place(src, items[i].lo, &line, &column, &lo, &hi);
        size_t end = items[i].hi < hi ? items[i].hi : hi;
        printf("%d %zu %d %s %.*s\n", line, items[i].lo - lo + 1, column, class_of(items, n, i),
               (int)(end - items[i].lo), src->text + items[i].lo);
    }
}

int main(int argc, char **argv) {
    tg_ctx c;
    size_t len, n;
    tg_layout_item *items = NULL;
    if (argc != 2 || !tg_ctx_init(&c)) return 2;
    tg_guard_enter(&c);
    char *text = tg_file_read(&c, argv[1], &len);
    tg_source *src = text ? tg_source_new(argv[1], text, len) : NULL;
    bool ok = src && tg_layout_items(&c, src, &items, &n);
    if (ok) print(src, items, n);
    tg_free(items);
    tg_source_drop(src);
    tg_free(text);
    tg_ctx_free(&c);
    return ok ? 0 : 1;
}
