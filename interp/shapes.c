/* Formulas with the shapes of their parts:
 *
 *     softmax(X       @ W        + b   )      [N,10]
 *             [N,784]   [784,10]   [10]
 *     [N,10]
 *
 * The printer tells where each part stands. A part that is closed, by brackets or because it is a
 * name or a call, gets its shape below its first character: names in the first row, what encloses
 * them in the rows below. Where a shape is wider than its part, blanks follow the part, so that
 * nothing below is in the way of its neighbour; the line is still the formula. What is wider than
 * the terminal becomes a table: a line for each part, indented as deep as it stands. */
#include "interp/show.h"
#include "base/alloc.h"
#include "runtime/graph/print.h"

#include <string.h>

enum {
    USUAL = 90,    /* columns where the output is no terminal */
    GAP = 6,       /* between the formula and its shape */
    LIMIT = 20000, /* characters of a formula */
    LINES = 100,   /* of a table */
    CELL = 50      /* columns of a part in a table */
};

typedef struct part {
    const tg_node *node;
    size_t lo, hi; /* in the text */
    bool shown;    /* has a shape below it */
    int row;
    int pad;      /* blanks behind it */
    int width;    /* columns, with the blanks behind the parts in it */
    int depth;    /* in a table */
    size_t shape; /* where its shape begins in `shapes` */
} part;

typedef struct layout {
    tg_interp *in;
    tg_str text, shapes;
    part *part; /* in the order of their ends: what is inside comes first */
    size_t n, cap;
    bool failed;
} layout;

static void add_part(void *user, const tg_node *n, size_t lo, size_t hi, bool closed) {
    layout *l = user;
    void *parts = l->part;
    if (!tg_grow(&parts, &l->cap, l->n + 1, sizeof *l->part)) {
        l->failed = true;
        return;
    }
    l->part = parts;
    l->part[l->n++] = (part){.node = n, .lo = lo, .hi = hi, .shown = closed && n->type.rank > 0};
}

/* "[784,N]" into l->shapes, where texts end with 0. */
static void add_shape(layout *l, part *p) {
    tg_str s = {0};
    tg_shape_print(&l->in->rt, &s, p->node->type.rank, p->node->type.dim);
    p->shape = l->shapes.len;
    for (const char *t = tg_str_text(&s); *t; t++)
        if (*t != ' ' || t[-1] != ',') tg_str_addc(&l->shapes, *t);
    tg_str_addc(&l->shapes, 0);
    l->failed = l->failed || s.failed;
    tg_str_free(&s);
}

static const char *shape_of(const layout *l, const part *p) {
    return tg_str_text(&l->shapes) + p->shape;
}

static bool is_within(const part *a, const part *b) {
    return b->lo <= a->lo && a->hi <= b->hi;
}

/* Of x' and x[0] only the whole has a shape, and the root has its own behind the line. The parts
 * inside of part i end just before it: those back to the first that begins before it does. */
static void place(layout *l) {
    for (size_t i = 0; i < l->n; i++) {
        part *p = &l->part[i];
        tg_print_style style = p->node->op->style;
        bool postfix = style == TG_PRINT_PRIME || style == TG_PRINT_INDEX;
        if (i + 1 == l->n) p->shown = false;
        p->width = tg_utf8_width(l->text.text + p->lo, p->hi - p->lo);
        for (size_t k = i; k-- > 0 && is_within(&l->part[k], p);) {
            part *inner = &l->part[k];
            if (postfix && p->shown && p->node->n > 0 && inner->node == p->node->arg[0] &&
                inner->lo == p->lo && inner->node->op->class == TG_CLASS_LEAF)
                inner->shown = false, inner->pad = 0;
            p->width += inner->pad;
            if (inner->shown && inner->row >= p->row) p->row = inner->row + 1;
        }
        if (!p->shown) continue;
        add_shape(l, p);
        int least = (int)strlen(shape_of(l, p));
        if (p->width < least) p->pad = least - p->width;
    }
}

static void trim(tg_str *out) {
    while (out->len > 0 && out->text[out->len - 1] == ' ') out->text[--out->len] = 0;
}

/* The column at which byte `at` of the text stands; opening: before the blanks of what ends there.
 */
static int column_of(const layout *l, size_t at) {
    int column = tg_utf8_width(l->text.text, at);
    for (size_t i = 0; i < l->n; i++)
        if (l->part[i].hi <= at) column += l->part[i].pad;
    return column;
}

static void draw_text(const layout *l, tg_str *out) {
    size_t at = 0;
    for (size_t i = 0; i < l->n; i++) {
        const part *p = &l->part[i];
        if (p->pad == 0) continue;
        tg_str_addn(out, l->text.text + at, p->hi - at);
        tg_str_repeat(out, ' ', p->pad);
        at = p->hi;
    }
    tg_str_addn(out, l->text.text + at, l->text.len - at);
    trim(out);
}

/* The parts of a row do not overlap, and they come in the order of the text. */
static bool draw_row(const layout *l, int row, tg_str *out) {
    int column = 0;
    bool any = false;
    for (size_t i = 0; i < l->n; i++) {
        const part *p = &l->part[i];
        if (!p->shown || p->row != row) continue;
        int to = column_of(l, p->lo);
        tg_str_repeat(out, ' ', to - column);
        tg_str_add(out, shape_of(l, p));
        column = to + (int)strlen(shape_of(l, p));
        any = true;
    }
    if (any) tg_str_addc(out, '\n');
    return any;
}

static void draw(const layout *l, const char *whole, tg_str *out) {
    draw_text(l, out);
    if (whole[0]) {
        tg_str_repeat(out, ' ', GAP);
        tg_str_add(out, whole);
    }
    tg_str_addc(out, '\n');
    for (int row = 0; row < (int)l->n; row++)
        if (!draw_row(l, row, out) && row > 0) break;
}

/* ---- the table ---- */

/* Parts that begin at the same place: the larger first. */
static void order(layout *l) {
    for (size_t i = 1; i < l->n; i++) {
        part x = l->part[i];
        size_t k = i;
        for (; k > 0 && (l->part[k - 1].lo > x.lo ||
                         (l->part[k - 1].lo == x.lo && l->part[k - 1].hi <= x.hi));
             k--)
            l->part[k] = l->part[k - 1];
        l->part[k] = x;
    }
}

static void add_line(const layout *l, const part *p, int depth, tg_str *out) {
    const char *text = l->text.text + p->lo;
    size_t n = p->hi - p->lo, take = 0;
    int most = CELL - 2 * depth < 20 ? 20 : CELL - 2 * depth, width;
    while (take < n && tg_utf8_width(text, take) < most)
        take += (size_t)tg_utf8_next(text + take, n - take, NULL);
    tg_str_repeat(out, ' ', 2 * depth);
    tg_str_addn(out, text, take);
    if (take < n) tg_str_add(out, " ...");
    width = 2 * depth + tg_utf8_width(text, take) + (take < n ? 4 : 0);
    tg_str_repeat(out, ' ', width < CELL + 6 ? CELL + 6 - width : 1);
    tg_str_add(out, shape_of(l, p));
    tg_str_addc(out, '\n');
}

static void table(layout *l, tg_str *out) {
    size_t open[64];
    int depth = 0, lines = 0;
    for (size_t i = 0; i < l->n; i++)
        if (i + 1 == l->n && l->part[i].node->type.rank > 0) {
            add_shape(l, &l->part[i]);
            l->part[i].shown = true;
        }
    order(l);
    for (size_t i = 0; i < l->n; i++) {
        const part *p = &l->part[i];
        if (!p->shown) continue;
        while (depth > 0 && !is_within(p, &l->part[open[depth - 1]])) depth--;
        if (lines++ < LINES) add_line(l, p, depth, out);
        if (depth < 64) open[depth++] = i;
    }
    if (lines > LINES) tg_str_addf(out, "... %d more parts\n", lines - LINES);
}

static bool show_shapes(layout *l, tg_value v, tg_str *out) {
    tg_interp *in = l->in;
    tg_print_options o = {.unfold = v.unfold == TG_UNFOLD_MOST ? TG_UNFOLD_ALL : (int)v.unfold,
                          .limit = LIMIT,
                          .mark = add_part,
                          .user = l};
    if (!tg_node_print_with(&in->rt, &l->text, v.as.node, &o)) return false;
    if (l->failed || l->text.failed || l->n == 0) return tg_fail_memory(&in->rt.c);
    place(l);
    const part *root = &l->part[l->n - 1];
    if (root->width <= tg_terminal_width(in, USUAL)) {
        size_t whole = l->shapes.len;
        if (root->node->type.rank > 0)
            add_shape(l, &l->part[l->n - 1]);
        else
            tg_str_addc(&l->shapes, 0);
        draw(l, tg_str_text(&l->shapes) + whole, out);
    } else {
        table(l, out);
    }
    return !l->failed && !l->shapes.failed ? true : tg_fail_memory(&in->rt.c);
}

bool tg_shapes_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) {
        tg_str *s = user;
        bool ok = tg_show_formula(in, v, 0, s);
        tg_str_addc(s, '\n');
        return ok;
    }
    layout l = {.in = in};
    bool ok = show_shapes(&l, v, user);
    tg_str_free(&l.text);
    tg_str_free(&l.shapes);
    tg_free(l.part);
    return ok;
}
