/* Lists, tuples and records as text: on one line while that is short, otherwise one item a line,
 *
 *     {
 *       W: [[1, 2], [3, 4]],
 *       inner: {lr: 0.1, name: "adam"}
 *     }
 *
 * and a long list of plain things, numbers, words, texts, as many on a line as fit. An item is
 * first tried on the line where it stands, in a text that is given up as soon as it is too long,
 * and only then spread over several: each level is so written twice at most beyond the one in it.
 */
#include "interp/show.h"
#include "interp/convert.h"

#include <string.h>

enum {
    LINE_MOST = 90,   /* columns of a container on one line, where nobody knows better */
    ITEMS_MOST = 100, /* items of a container that are all shown */
    ITEMS_HEAD = 10,  /* of a longer one: from the beginning, */
    ITEMS_TAIL = 3,   /* and from the end */
    DEPTH_MOST = 32,  /* containers within containers; what is deeper is left out */
};

static const char *opening(tg_value v) {
    return v.tag == TG_V_RECORD ? "{" : v.tag == TG_V_TUPLE ? "(" : "[";
}

static const char *closing(tg_value v) {
    return v.tag == TG_V_RECORD ? "}" : v.tag == TG_V_TUPLE ? v.as.items->n == 1 ? ",)" : ")" : "]";
}

static int line_most(const tg_shower *s) {
    return s->width > 0 ? s->width : LINE_MOST;
}

/* From item i to the next that is shown; *gap: dots stand for those between. */
static int next_item(const tg_items *items, int i, bool *gap) {
    *gap = items->n > ITEMS_MOST && i + 1 == ITEMS_HEAD;
    return *gap ? items->n - ITEMS_TAIL : i + 1;
}

/* ---- on one line ---- */

static bool add_flat(const tg_shower *s, tg_value v, tg_str *out) {
    const tg_items *items = v.as.items;
    tg_shower within = *s;
    bool gap;
    within.inlined = within.quoted = true;
    within.depth++;
    tg_str_add(out, opening(v));
    for (int i = 0; i < items->n; i = next_item(items, i, &gap)) {
        if (i > 0) tg_str_add(out, gap ? ", ..., " : ", ");
        if (items->field) tg_str_addf(out, "%s: ", items->field[i]);
        if (!tg_show_with(&within, items->v[i], out)) return false;
        if (s->trial && out->len > s->trial->most) s->trial->over = true;
        if (s->trial && s->trial->over) return true;
    }
    tg_str_add(out, closing(v));
    return true;
}

/* v as it is within a line that has `column` columns already and gets `behind` more. *fits false:
 * it has several lines, or too long a one; `text` is to be freed in any case. */
static bool try_flat(const tg_shower *s, tg_value v, int column, int behind, tg_str *text,
                     bool *fits) {
    tg_shower within = *s;
    int room = line_most(s) - column - behind;
    tg_trial trial = {.most = (size_t)(room < 1 ? 0 : room) * 8}; /* long characters, and colours */
    *fits = false;
    if (room < 1) return true;
    within.inlined = true;
    within.trial = tg_is_container(v) ? &trial : NULL;
    if (!tg_show_with(&within, v, text)) return false;
    *fits = !trial.over && tg_utf8_width(tg_str_text(text), text->len) <= room &&
            !strchr(tg_str_text(text), '\n');
    return true;
}

/* ---- over several lines ---- */

/* The lines of `text` after the first begin with so many blanks more. */
static void add_indented(const tg_str *text, int indent, tg_str *out) {
    for (size_t i = 0; i < text->len; i++) {
        tg_str_addc(out, text->text[i]);
        if (text->text[i] == '\n') tg_str_repeat(out, ' ', indent);
    }
    if (text->failed) out->failed = true;
}

static void newline(tg_str *out, int indent) {
    tg_str_addc(out, '\n');
    tg_str_repeat(out, ' ', indent);
}

/* One item, which begins in column s->indent of a line of its own. */
static bool add_item(const tg_shower *s, tg_value v, tg_str *out) {
    tg_str text = {0};
    bool fits, ok = try_flat(s, v, s->indent, 1, &text, &fits);
    if (ok && fits) {
        tg_str_addn(out, tg_str_text(&text), text.len);
    } else if (ok && (tg_is_container(v) || v.tag == TG_V_TENSOR)) {
        ok = tg_show_with(s, v, out);
    } else if (ok) {
        text.len = 0;
        ok = tg_show_with(s, v, &text);
        add_indented(&text, s->margin, out);
    }
    if (text.failed) out->failed = true;
    tg_str_free(&text);
    return ok;
}

static bool is_plain(tg_value v) {
    return v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL || v.tag == TG_V_STRING || v.tag == TG_V_NONE;
}

/* As many items on a line as fit. */
static bool add_filled(const tg_shower *s, const tg_items *items, tg_str *out) {
    int column = s->margin;
    bool gap = false, ok = true;
    for (int i = 0; ok && i < items->n; i = next_item(items, i, &gap)) {
        tg_str text = {0};
        ok = tg_show_with(s, items->v[i], &text);
        int width = tg_utf8_width(tg_str_text(&text), text.len) + (gap ? 5 : 0);
        if (i > 0) tg_str_addc(out, ',');
        if (i == 0 || column + width + 2 > line_most(s)) {
            newline(out, s->margin);
            column = s->margin;
        } else {
            tg_str_addc(out, ' ');
            column++;
        }
        if (gap) tg_str_add(out, "..., ");
        tg_str_addn(out, tg_str_text(&text), text.len);
        if (text.failed) out->failed = true;
        column += width + 1;
        tg_str_free(&text);
    }
    return ok;
}

static bool add_tall(const tg_shower *s, tg_value v, tg_str *out) {
    const tg_items *items = v.as.items;
    tg_shower within = *s;
    bool gap = false, plain = !items->field, ok = true;
    within.quoted = true;
    within.inlined = false;
    within.trial = NULL;
    within.depth++;
    within.margin += 2;
    for (int i = 0; i < items->n && plain; i++) plain = is_plain(items->v[i]);
    tg_str_add(out, opening(v));
    if (plain) ok = add_filled(&within, items, out);
    for (int i = 0; ok && !plain && i < items->n; i = next_item(items, i, &gap)) {
        if (i > 0) tg_str_addc(out, ',');
        newline(out, within.margin);
        if (gap) {
            tg_str_add(out, "...,");
            newline(out, within.margin);
        }
        within.indent = within.margin;
        if (items->field) {
            tg_str_addf(out, "%s: ", items->field[i]);
            within.indent += tg_utf8_width(items->field[i], strlen(items->field[i])) + 2;
        }
        ok = add_item(&within, items->v[i], out);
    }
    const char *end = closing(v);
    if (end[0] == ',') tg_str_addc(out, *end++);
    newline(out, s->margin);
    tg_str_add(out, end);
    return ok;
}

bool tg_show_items(const tg_shower *s, tg_value v, tg_str *out) {
    if (s->depth == DEPTH_MOST && v.as.items->n > 0) {
        tg_str_addf(out, "%s...%s", opening(v), v.tag == TG_V_TUPLE ? ")" : closing(v));
        return true;
    }
    if (s->inlined) return add_flat(s, v, out);
    tg_str text = {0};
    bool fits, ok = try_flat(s, v, s->indent, 0, &text, &fits);
    if (ok && fits)
        tg_str_addn(out, tg_str_text(&text), text.len);
    else if (ok)
        ok = add_tall(s, v, out);
    if (text.failed) out->failed = true;
    tg_str_free(&text);
    return ok;
}
