/* :who, :deps, :type, :ops and :source. What they tell comes from the session (include/tg.h); here
 * it is chosen, sorted and laid out. */
#include "command/colon/typed.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* ---- a table: columns as wide as their widest text ---- */

enum { COLUMNS = 7, GAP = 2 };

static int width_of(const char *text) {
    return tg_utf8_width(text, strlen(text));
}

static void add_cell(tg_str *out, const char *text, int width, bool right) {
    const int pad = width - width_of(text);
    if (right) tg_str_repeat(out, ' ', pad > 0 ? pad : 0);
    tg_str_add(out, text);
    if (!right) tg_str_repeat(out, ' ', pad > 0 ? pad : 0);
}

/* ---- which names ---- */

/* Does the text match a pattern with * and ? ? */
static bool matches(const char *pattern, const char *text) {
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return !*pattern;
}

static bool is_kind(const tg_name_info *r, const char *word) {
    const size_t n = strlen(r->kind);
    return strncmp(r->kind, word, n) == 0 && (!word[n] || strcmp(word + n, "s") == 0);
}

/* By a pattern, the name's beginning, or the kind. Answers _1 to _9 are left out unless asked for.
 */
static bool is_wanted(const tg_name_info *r, const char *pattern) {
    if (!r->name[0]) return false;
    if (!pattern[0]) return r->name[0] != '_';
    if (strpbrk(pattern, "*?")) return matches(pattern, r->name);
    return is_kind(r, pattern) || strncmp(r->name, pattern, strlen(pattern)) == 0;
}

/* Data first, then what is made of them, functions last. */
static int order_of(const tg_name_info *r) {
    static const char *const kinds[] = {
        "input", "size",  "var",    "formula", "gradient", "number", "bool",     "tensor", "string",
        "list",  "tuple", "record", "range",   "batches",  "none",   "function", NULL};
    int i = 0;
    while (kinds[i] && strcmp(kinds[i], r->kind) != 0) i++;
    return i;
}

static int by_kind(const void *a, const void *b) {
    const tg_name_info *x = *(const tg_name_info *const *)a, *y = *(const tg_name_info *const *)b;
    const int d = order_of(x) - order_of(y);
    return d ? d : (x > y) - (x < y); /* rows are in order of definition */
}

/* ---- :who ---- */

enum { LINKS = 4, SHAPE_MOST = 28 };

static void add_links(tg_str *out, const tg_name_info *rows, const tg_name_links *links) {
    for (size_t i = 0; i < links->n; i++)
        tg_str_addf(out, "%s%s", i ? ", " : "", rows[links->at[i]].name);
    if (links->more) tg_str_add(out, ", ...");
}

static void add_bytes(tg_str *out, size_t bytes) {
    if (bytes) tg_colon_add_bytes(out, (double)bytes);
}

static void cells_of(const tg_name_info *rows, const tg_name_info *r, tg_str cell[COLUMNS]) {
    const char *const texts[] = {r->name, r->kind, r->shape, r->type};
    for (int i = 0; i < 4; i++) {
        tg_str_free(&cell[i]);
        tg_str_add(&cell[i], texts[i]);
    }
    if (width_of(r->shape) > SHAPE_MOST) { /* a record with many fields */
        tg_str_free(&cell[2]);
        tg_str_addn(&cell[2], r->shape, tg_utf8_fit(r->shape, strlen(r->shape), SHAPE_MOST - 3));
        tg_str_add(&cell[2], "...");
    }
    for (int i = 4; i < COLUMNS; i++) tg_str_free(&cell[i]);
    add_bytes(&cell[4], r->bytes);
    add_links(&cell[5], rows, &r->needs);
    add_links(&cell[6], rows, &r->users);
}

/* The columns' widths where a line may have `most`: lists of names and shapes are cut first, then
 * whole columns go. */
static void squeeze(int width[COLUMNS], int most) {
    enum { SHAPE = 2, TYPE, BYTES, NEEDS, USERS, LINKS_LEAST = 12, SHAPE_LEAST = 14 };
    static const int gone[] = {USERS, NEEDS, TYPE, BYTES, SHAPE};
    int natural[COLUMNS], over = 1;
    memcpy(natural, width, sizeof natural);
    for (int n = 0; over > 0 && n <= 5; n++) {
        memcpy(width, natural, sizeof natural);
        for (int i = 0; i < n; i++) width[gone[i]] = 0;
        over = -GAP - most;
        for (int k = 0; k < COLUMNS; k++) over += width[k] ? width[k] + GAP : 0;
        for (; over > 0; over--) {
            int *widest = width[NEEDS] > width[USERS] ? &width[NEEDS] : &width[USERS];
            if (*widest <= LINKS_LEAST) widest = &width[SHAPE];
            if (widest == &width[SHAPE] && *widest <= SHAPE_LEAST) break;
            --*widest;
        }
    }
}

/* Cuts a cell: a list between its items, if one fits. */
static void fit(tg_str *cell, int width) {
    static const char dots[] = "...";
    const char *text = tg_str_text(cell);
    size_t keep = 0, item = 0;
    if (width == 0 || cell->failed || width_of(text) <= width) return;
    while (width_of(text) > 0 && tg_utf8_width(text, keep) + (int)strlen(dots) <= width) {
        if (keep >= 2 && text[keep - 2] == ',') item = keep;
        keep += (size_t)tg_utf8_next(text + keep, cell->len - keep, NULL);
    }
    while (keep > 0 && tg_utf8_width(text, keep) + (int)strlen(dots) > width) do
            keep--;
        while (keep > 0 && ((unsigned char)text[keep] & 0xC0) == 0x80);
    cell->len = item ? item : keep;
    cell->text[cell->len] = 0;
    tg_str_add(cell, dots);
}

static void add_line(tg_str *out, const char *const cell[COLUMNS], const int width[COLUMNS]) {
    const size_t from = out->len;
    for (int i = 0; i < COLUMNS; i++) {
        if (width[i] == 0) continue;
        add_cell(out, cell[i], width[i], i == 4);
        tg_str_repeat(out, ' ', GAP);
    }
    while (out->len > from && out->text[out->len - 1] == ' ') out->text[--out->len] = 0;
    tg_str_addc(out, '\n');
}

static void add_table(tg_str *out, const tg_name_info *rows, const tg_name_info **chosen, size_t n,
                      int most) {
    static const char *const heads[COLUMNS] = {"name",  "kind",    "shape",  "type",
                                               "bytes", "made of", "used by"};
    tg_str cell[COLUMNS] = {{0}};
    const char *text[COLUMNS];
    int width[COLUMNS] = {0};
    for (size_t i = 0; i < n; i++) {
        cells_of(rows, chosen[i], cell);
        for (int k = 0; k < COLUMNS; k++)
            if (width_of(tg_str_text(&cell[k])) > width[k])
                width[k] = width_of(tg_str_text(&cell[k]));
    }
    for (int k = 0; k < COLUMNS; k++)
        if (width[k] && width_of(heads[k]) > width[k]) width[k] = width_of(heads[k]);
    if (most > 0) squeeze(width, most);
    add_line(out, heads, width);
    for (size_t i = 0; i < n; i++) {
        cells_of(rows, chosen[i], cell);
        for (int k = 0; k < COLUMNS; k++) {
            fit(&cell[k], width[k]);
            text[k] = tg_str_text(&cell[k]);
            if (cell[k].failed) out->failed = true;
        }
        add_line(out, text, width);
    }
    for (int k = 0; k < COLUMNS; k++) tg_str_free(&cell[k]);
}

static tg_status who_command(const tg_colon_call *call) {
    const tg_name_info *rows;
    size_t n, chosen = 0, bytes = 0;
    tg_str pattern = {0}, out = {0};
    tg_status status = tg_names_table(call->s, LINKS, &rows, &n);
    if (status != TG_DONE) return status;
    const tg_name_info **list = calloc(n + 1, sizeof(tg_name_info *));
    tg_str_addn(&pattern, call->text, call->len);
    for (size_t i = 0; list && i < n; i++) {
        if (!is_wanted(&rows[i], tg_str_text(&pattern))) continue;
        list[chosen++] = &rows[i];
        bytes += rows[i].bytes;
    }
    if (!list) {
        out.failed = true;
    } else if (chosen == 0) {
        tg_str_add(&out, call->len ? "no name is like " : "there are no names yet");
        tg_str_addf(&out, "%s\n", tg_str_text(&pattern));
    } else {
        qsort(list, chosen, sizeof *list, by_kind);
        add_table(&out, rows, list, chosen, tg_columns(call->s));
        tg_holdings held;
        tg_memory_held(call->s, &held);
        if (call->len == 0 && held.names < bytes) bytes = held.names; /* what is shared, once */
        tg_str_addf(&out, "%zu name%s", chosen, chosen == 1 ? "" : "s");
        if (bytes) {
            tg_str_add(&out, ", ");
            tg_colon_add_bytes(&out, (double)bytes);
        }
        tg_str_addc(&out, '\n');
    }
    free(list);
    tg_str_free(&pattern);
    return tg_colon_say(call->s, &out);
}

/* ---- :deps ---- */

enum { TREE_LINKS = 32, TREE_LINES = 60, DEEPEST = 24, INDENT = 2 };

typedef struct tree {
    const tg_name_info *rows;
    bool *seen; /* shown with all below it already */
    bool up;    /* towards those that are made of it */
    int lines, left_out;
    tg_str *out;
} tree;

static void add_branch(tree *t, size_t row, int depth) {
    const tg_name_info *r = &t->rows[row];
    const tg_name_links *links = t->up ? &r->users : &r->needs;
    if (t->lines >= TREE_LINES || depth > DEEPEST) {
        t->left_out++;
        return;
    }
    t->lines++;
    tg_str_repeat(t->out, ' ', INDENT * depth);
    tg_str_addf(t->out, "%s  %s", r->name, r->kind);
    if (r->shape[0]) tg_str_addf(t->out, " %s", r->shape);
    const bool again = t->seen[row] && links->n > 0;
    tg_str_add(t->out, again ? "  (as above)\n" : "\n");
    if (again) return;
    t->seen[row] = true;
    for (size_t i = 0; i < links->n; i++) add_branch(t, links->at[i], depth + 1);
    if (links->more) {
        tg_str_repeat(t->out, ' ', INDENT * (depth + 1));
        tg_str_add(t->out, "... and others\n");
    }
}

static bool add_tree(tg_str *out, const tg_name_info *rows, size_t n, size_t row, bool up) {
    tree t = {.rows = rows, .seen = calloc(n, sizeof *t.seen), .up = up, .out = out};
    const tg_name_links *links = up ? &rows[row].users : &rows[row].needs;
    if (!t.seen) return false;
    if (links->n == 0)
        tg_str_add(out, up ? "nothing is made of it\n" : "it is made of no other name\n");
    else
        tg_str_add(out, up ? "used by\n" : "made of\n");
    for (size_t i = 0; i < links->n; i++) add_branch(&t, links->at[i], 1);
    if (links->more) tg_str_add(out, "  ... and others\n");
    if (t.left_out)
        tg_str_addf(out, "  ... cut after %d lines; ask :deps of a name in it\n", t.lines);
    free(t.seen);
    return true;
}

static tg_status deps_command(const tg_colon_call *call) {
    const tg_name_info *rows;
    size_t n, row = 0;
    tg_str name = {0}, out = {0};
    tg_status status = tg_names_table(call->s, TREE_LINKS, &rows, &n);
    if (status != TG_DONE) return status;
    tg_str_addn(&name, call->text, call->len);
    while (row < n && strcmp(rows[row].name, tg_str_text(&name)) != 0) row++;
    if (row == n) { /* an error of the session's own, with what was meant */
        const char *source;
        status = tg_source_of(call->s, tg_str_text(&name), &source);
        tg_str_free(&name);
        if (status != TG_DONE) return status;
        return tg_refuse(call->s, "that name is tg's own, and depends on nothing of yours",
                         "?name shows what it is");
    }
    tg_str_addf(&out, "%s  %s%s%s\n", rows[row].name, rows[row].kind, rows[row].shape[0] ? " " : "",
                rows[row].shape);
    if (!add_tree(&out, rows, n, row, false) || !add_tree(&out, rows, n, row, true))
        out.failed = true;
    tg_str_free(&name);
    return tg_colon_say(call->s, &out);
}

/* ---- :type, :source ---- */

static tg_status type_command(const tg_colon_call *call) {
    const char *text;
    tg_status status = tg_describe_type(call->s, call->text, call->len, call->flags, &text);
    if (status == TG_DONE) tg_print(call->s, text);
    return status;
}

static tg_status source_command(const tg_colon_call *call) {
    const char *text;
    tg_str name = {0};
    tg_str_addn(&name, call->text, call->len);
    tg_status status = tg_source_of(call->s, tg_str_text(&name), &text);
    tg_str_free(&name);
    if (status == TG_DONE) tg_print(call->s, text);
    return status;
}

/* ---- :ops ---- */

static void add_flops(tg_str *out, double flops) {
    if (flops >= 0)
        tg_colon_add_flops(out, flops);
    else
        tg_str_addc(out, '?');
}

static tg_status ops_command(const tg_colon_call *call) {
    tg_ops_report r;
    tg_str out = {0};
    tg_status status = tg_count_ops(call->s, call->text, call->len, call->flags, &r);
    if (status != TG_DONE) return status;
    int widest = 9;
    for (size_t i = 0; i < r.n; i++)
        if (width_of(r.rows[i].name) > widest) widest = width_of(r.rows[i].name);
    if (r.count) {
        add_cell(&out, "operation", widest, false);
        tg_str_add(&out, "  number     flops\n");
    }
    for (size_t i = 0; i < r.n; i++) {
        tg_str flops = {0};
        add_flops(&flops, r.rows[i].flops);
        add_cell(&out, r.rows[i].name, widest, false);
        tg_str_addf(&out, "%8zu%10s\n", r.rows[i].count, tg_str_text(&flops));
        tg_str_free(&flops);
    }
    tg_str_addf(&out, "%zu operation%s", r.count, r.count == 1 ? "" : "s");
    if (r.shared) tg_str_addf(&out, ", %zu of them used in several places", r.shared);
    if (r.flops >= 0 && r.count) {
        tg_str_add(&out, ", ");
        add_flops(&out, r.flops);
        tg_str_add(&out, " flops");
    }
    if (r.flops < 0 && r.needs[0])
        tg_str_addf(&out, "; flops are known once there are data for %s", r.needs);
    tg_str_addc(&out, '\n');
    return tg_colon_say(call->s, &out);
}

const tg_colon tg_colons_ask[] = {
    {"who", "[pattern]",
     "Your names: what each is, what it is made of, what is made of it.\n"
     "    The pattern is a beginning (:who W), one with * and ? (:who *_loss), or a kind (:who "
     "vars).",
     who_command},
    {"deps", "name",
     "What a name is made of, and what is made of it, as trees.\n"
     "    Formulas depend on the names in them; a plain number or tensor does not remember.",
     deps_command},
    {"type", "expression",
     "Kind, shape and type of an expression, which is not computed.\n"
     "    Of a record or tuple of each part, of a function its arguments.",
     type_command},
    {"ops", "expression",
     "Which operations a formula has, how many, and what they cost.\n"
     "    Common parts count once. Flops are known when sizes are. The number alone: ops(e).",
     ops_command},
    {"source", "name",
     "The text of a definition, and the file and line where it stands.\n"
     "    Of a function with the comment above it, of a formula as it was typed.",
     source_command},
    {0},
};
