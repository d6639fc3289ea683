/* The entry .structure of a saved nesting:
 *
 *     structure = "_" | "none" | record | list | tuple
 *     record    = "{" [ name ":" structure { "," name ":" structure } ] "}"
 *     list      = "[" [ structure { "," structure } ] "]"      tuple likewise in "(" ")"
 *     name      = letters, digits and "_"  |  '"' { character, '\' before '"' and '\' } '"'
 */
#include "interp/saved_structure.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_bare(const char *name) {
    if (!is_letter(*name)) return false;
    while (is_letter(*name) || is_digit(*name)) name++;
    return *name == 0;
}

bool tg_structure_plain_name(const char *name) {
    bool digits = true;
    for (const char *p = name; *p; p++) {
        if (*p == '.' || (unsigned char)*p < ' ' || *p == 0x7F) return false;
        digits = digits && is_digit(*p);
    }
    return *name && !digits;
}

void tg_structure_add_name(tg_str *out, const char *name) {
    bool bare = is_bare(name);
    if (!bare) tg_str_addc(out, '"');
    for (const char *p = name; *p; p++) {
        if (!bare && (*p == '"' || *p == '\\')) tg_str_addc(out, '\\');
        tg_str_addc(out, *p);
    }
    tg_str_add(out, bare ? ": " : "\": ");
}

typedef struct reader {
    tg_interp *in;
    const char *name;
    const tg_text *text;
    size_t at; /* in text */
    int depth; /* brackets open */
    tg_str path;
    tg_structure_leaf *leaf;
    void *user;
} reader;

static bool fail(reader *r, const char *what) {
    return tg_fail(&r->in->rt.c, TG_ERR_FILE, "%s, entry " TG_STRUCTURE ".npy, character %zu: %s",
                   r->name, r->at, what);
}

static char peek(reader *r) {
    while (r->text->bytes[r->at] == ' ') r->at++;
    return r->text->bytes[r->at];
}

static bool take(reader *r, char c) {
    if (peek(r) != c) return false;
    r->at++;
    return true;
}

/* The next name; NULL with an error. */
static const char *field(reader *r) {
    tg_ctx *c = &r->in->rt.c;
    tg_str s = {0};
    const char *p = r->text->bytes, *interned = NULL;
    bool quoted = take(r, '"');
    if (quoted) {
        for (; p[r->at] && p[r->at] != '"'; r->at++) {
            if (p[r->at] == '\\' && p[r->at + 1]) r->at++;
            tg_str_addc(&s, p[r->at]);
        }
    } else {
        while (is_letter(p[r->at]) || is_digit(p[r->at])) tg_str_addc(&s, p[r->at++]);
    }
    if (s.failed)
        tg_fail_memory(c);
    else if ((quoted && !take(r, '"')) || (!quoted && s.len == 0))
        fail(r, "expected the name of a field");
    else
        interned = tg_intern(c, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return interned;
}

/* How many items the bracket has that begins at r->at, which stays; for room, so no more than there
 * are. */
static int count(const reader *r) {
    int depth = 0, n = 0;
    bool quoted = false;
    for (const char *p = r->text->bytes + r->at; *p && depth >= 0; p++) {
        if (quoted && *p == '\\' && p[1]) {
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            if (strchr("{[(", *p)) depth++;
            if (strchr("}])", *p)) depth--;
            if (depth == 0 && *p == ',' && n < TG_MAX_ITEMS) n++;
        }
        if (depth >= 0 && *p != ' ' && n == 0) n = 1;
    }
    return n;
}

static int by_address(const void *a, const void *b) {
    const uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

/* Names are interned: equal ones have one address. */
static bool all_differ(reader *r, int n, const char *const *field) {
    uintptr_t *sorted = tg_alloc_array((size_t)n, sizeof *sorted);
    if (!sorted) return tg_fail_memory(&r->in->rt.c);
    bool ok = true;
    for (int i = 0; i < n; i++) sorted[i] = (uintptr_t)field[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_address);
    for (int i = 1; ok && i < n; i++) ok = sorted[i - 1] != sorted[i];
    tg_free(sorted);
    return ok || fail(r, "a field stands there twice");
}

static bool part(reader *r, tg_value *out);

static bool container(reader *r, char open, tg_value *out) {
    tg_ctx *c = &r->in->rt.c;
    const char close = open == '{' ? '}' : open == '[' ? ']' : ')';
    const size_t len = r->path.len;
    if (r->depth == TG_MAX_NESTING) return fail(r, "nested too deeply");
    int n = count(r);
    tg_value made;
    if (!tg_value_items(c,
                        open == '{'   ? TG_V_RECORD
                        : open == '[' ? TG_V_LIST
                                      : TG_V_TUPLE,
                        n, &made))
        return false;
    bool ok = true;
    r->depth++;
    for (int i = 0; ok && i < n; i++) {
        if (i) ok = take(r, ',') || fail(r, "expected ','");
        if (len) tg_str_addc(&r->path, '.');
        if (ok && open == '{') {
            const char *name = field(r);
            ok = name && (take(r, ':') || fail(r, "expected ':'"));
            if (name) tg_str_add(&r->path, made.as.items->field[i] = name);
        } else {
            tg_str_addf(&r->path, "%d", i);
        }
        ok = ok && (!r->path.failed || tg_fail_memory(c)) && part(r, &made.as.items->v[i]);
        r->path.len = len;
        if (r->path.text) r->path.text[len] = 0;
    }
    if (ok) ok = take(r, close) || fail(r, "a bracket is not closed");
    if (ok && made.tag == TG_V_RECORD) ok = all_differ(r, n, made.as.items->field);
    r->depth--;
    if (ok) return tg_value_seal(c, made, out);
    for (int i = 0; made.tag == TG_V_RECORD && i < n; i++)
        if (!made.as.items->field[i]) made.as.items->field[i] = "";
    tg_value_drop(made);
    return false;
}

static bool part(reader *r, tg_value *out) {
    *out = TG_NONE_VALUE;
    if (!tg_guard(&r->in->rt.c)) return false;
    char c = peek(r);
    if (c == '{' || c == '[' || c == '(') {
        r->at++;
        return container(r, c, out);
    }
    if (strncmp(r->text->bytes + r->at, "none", 4) == 0) {
        r->at += 4;
        return true;
    }
    if (!take(r, '_')) return fail(r, "expected _, none or a bracket");
    return r->leaf(r->in, r->user, r->path.len ? tg_str_text(&r->path) : "arr_0", out);
}

bool tg_structure_build(tg_interp *in, const char *name, const tg_text *text,
                        tg_structure_leaf *leaf, void *user, tg_value *out) {
    reader r = {.in = in, .name = name, .text = text, .leaf = leaf, .user = user};
    bool ok = part(&r, out);
    if (ok && peek(&r)) {
        tg_value_drop(*out);
        *out = TG_NONE_VALUE;
        ok = fail(&r, "something follows the end");
    }
    tg_str_free(&r.path);
    return ok;
}
