/* A figure in characters. gnuplot's raster (plate.c) has 2 x 4 dots for each cell, which are one
 * character of Unicode's braille block; in ASCII a cell is a dot. Around it stand the axes, their
 * ticks and names, the title, and at the right of each curve's end its name: so that curves can be
 * told apart without colours too.
 *
 *                    title
 *     y name
 *      1.0 ┤ cells ...            name of a curve
 *          │
 *      0.0 ┤
 *          └┬─────────┬─────
 *           0         5
 *                x name
 */
#include "base/alloc.h"
#include "base/paint.h"
#include "picture/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST = 12, NAMES_MOST = 26, FEW = 150 };

typedef struct page {
    const tg_figure *f;
    const tg_canvas *on;
    tg_str *out;
    int left;   /* columns of the ticks' numbers */
    int right;  /* of the names at the right, with the gap before them; 0: none */
    int w, h;   /* cells inside the frame */
    int dx, dy; /* dots in a cell */
    tg_ticks x, y;
    char *dot;         /* [h * dy, w * dx] */
    bool bars;         /* dots of bars are blocks */
    const char *point; /* few points are characters of their own; else NULL: dots */
    bool told_apart;   /* by characters, as there are several kinds and no colours */
} page;

void tg_text_cut(const char *text, int columns, bool unicode, tg_str *out) {
    const size_t n = strlen(text);
    if (tg_utf8_width(text, n) <= columns) {
        tg_str_add(out, text);
        return;
    }
    const int dots = unicode ? 1 : 3;
    tg_str_addn(out, text, tg_utf8_fit(text, n, columns - dots));
    if (columns >= dots) tg_str_add(out, unicode ? "…" : "...");
}

static const char *ink_on(const tg_canvas *on, int ink) {
    static const char *const code[TG_INKS] = {"\033[34m", "\033[31m", "\033[32m",
                                              "\033[35m", "\033[33m", "\033[36m"};
    return on->colours ? code[ink % TG_INKS] : "";
}

static const char *off(const page *p) {
    return tg_ink_off(p->on->colours);
}

/* A text in the middle of `columns`, after `left` blanks; nothing behind it. */
static void add_centered(const page *p, const char *text, int left, int columns, tg_ink ink) {
    tg_str cut = {0};
    int all = p->on->columns;
    tg_text_cut(text, all, p->on->unicode, &cut);
    int wide = tg_utf8_width(tg_str_text(&cut), cut.len);
    int before = left + (columns - wide) / 2;
    if (before + wide > all) before = all - wide;
    if (before < 0) before = 0;
    tg_str_repeat(p->out, ' ', before);
    tg_ink_add(p->on->colours, ink, tg_str_text(&cut), p->out);
    if (cut.failed) p->out->failed = true;
    tg_str_free(&cut);
}

/* ---- names at the right ---- */

typedef struct tag {
    const char *text;
    int ink, row;
    char number[TG_TICK_TEXT];
} tag;

static bool is_curve(const tg_series *s) {
    return s->mark == TG_MARK_LINE || s->mark == TG_MARK_DASHED || s->mark == TG_MARK_PATH;
}

/* The row of the curve's last point that is seen. */
static int end_row(const page *p, const tg_series *s) {
    for (size_t i = s->n; i-- > 0;) {
        double x = tg_scale_place(&p->f->x, s->x[i]), y = tg_scale_place(&p->f->y, s->y[i]);
        if (x >= 0 && x <= 1 && y >= 0 && y <= 1)
            return (int)((1 - y) * (p->h * p->dy - 1) + 0.5) / p->dy;
    }
    return p->h / 2;
}

/* All names, those of levels from the highest; the number of tags, at most `most`. */
static int find_tags(const page *p, tag *tags, int most) {
    const tg_figure *f = p->f;
    int n = 0;
    for (int k = f->grid.z ? f->grid.nlevels : 0; k-- > 0 && n < most;) {
        tag *t = &tags[n++];
        *t = (tag){.ink = tg_plate_level(k, f->grid.nlevels), .row = n - 1};
        snprintf(t->number, sizeof t->number, "%.4g", f->grid.level[k]);
    }
    for (size_t k = 0; k < f->nseries && n < most; k++) {
        const tg_series *s = &f->series[k];
        if (!s->name || !is_curve(s)) continue;
        tags[n] = (tag){.text = s->name, .ink = s->ink, .row = f->grid.z ? n : end_row(p, s)};
        n++;
    }
    return n;
}

/* Sorted by row, each in a row of its own: pushed down where two want one, and up at the foot. */
static void part_tags(tag *tags, int n, int rows) {
    for (int i = 1; i < n; i++) {
        tag t = tags[i];
        int k = i;
        for (; k > 0 && tags[k - 1].row > t.row; k--) tags[k] = tags[k - 1];
        tags[k] = t;
    }
    for (int i = 1; i < n; i++)
        if (tags[i].row <= tags[i - 1].row) tags[i].row = tags[i - 1].row + 1;
    for (int i = n - 1, most = rows - 1; i >= 0; i--, most--)
        if (tags[i].row > most) tags[i].row = most;
}

static const char *tag_text(const tag *t) {
    return t->text ? t->text : t->number;
}

static int tags_width(const page *p) {
    int widest = 0;
    for (int k = 0; p->f->grid.z && k < p->f->grid.nlevels; k++) {
        char text[TG_TICK_TEXT];
        int n = snprintf(text, sizeof text, "%.4g", p->f->grid.level[k]);
        if (n > widest) widest = n;
    }
    for (size_t k = 0; k < p->f->nseries; k++) {
        const tg_series *s = &p->f->series[k];
        if (!s->name || !is_curve(s)) continue;
        int n = tg_utf8_width(s->name, strlen(s->name));
        if (n > widest) widest = n;
    }
    if (widest == 0) return 0;
    int most = p->on->columns / 3 < NAMES_MOST ? p->on->columns / 3 : NAMES_MOST;
    return (widest < most ? widest : most) + 1;
}

/* ---- cells ---- */

typedef struct cell {
    int ink;
    char text[8]; /* "" : nothing */
} cell;

/* The points of ink k where they are characters. */
static const char *point_of(const page *p, int ink) {
    static const char *const signs[TG_INKS] = {"o", "+", "x", "*", "#", "@"};
    return p->told_apart ? signs[ink % TG_INKS] : p->point;
}

/* One of the block elements: `rows` of 4 dots, from the foot or the top of the cell. */
static const char *block(int rows, bool from_top) {
    static const char *const foot[] = {"", "▂", "▄", "▆", "█"}, *const top[] = {"", "▔", "▀", "▀",
                                                                                "█"};
    return from_top ? top[rows] : foot[rows];
}

static void put_braille(unsigned mask, char *text) {
    text[0] = (char)0xE2;
    text[1] = (char)(0xA0 | mask >> 6);
    text[2] = (char)(0x80 | (mask & 63));
    text[3] = 0;
}

static cell cell_at(const page *p, int column, int row) {
    /* Bits of the braille block: dots 1 2 3 7 in the left column, 4 5 6 8 in the right one. */
    static const unsigned char bit[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    unsigned mask = 0;
    int votes[TG_INKS] = {0}, rows = 0, first = -1;
    const char *sign = NULL;
    cell c = {0};
    for (int i = 0; i < p->dy; i++) {
        bool any = false;
        for (int j = 0; j < p->dx; j++) {
            char dot = p->dot[(size_t)(row * p->dy + i) * (size_t)(p->w * p->dx) +
                              (size_t)(column * p->dx + j)];
            bool spot;
            int ink = tg_plate_ink(dot, &spot);
            if (ink < 0) continue;
            bool letter = dot >= 'A' && dot <= 'Z';
            if (letter && !sign) sign = spot ? (p->on->unicode ? "●" : "O") : point_of(p, ink);
            mask |= bit[i][j];
            votes[ink] += letter ? 100 : 1;
            any = true;
        }
        if (any && first < 0) first = i;
        rows += any;
    }
    if (!mask) return c;
    for (int k = 1; k < TG_INKS; k++)
        if (votes[k] > votes[c.ink]) c.ink = k;
    if (sign)
        strcpy(c.text, sign);
    else if (!p->on->unicode)
        c.text[0] = p->bars ? '#' : "*+ox%@"[c.ink];
    else if (p->bars)
        strcpy(c.text, block(rows, first == 0 && rows < p->dy));
    else
        put_braille(mask, c.text);
    return c;
}

/* A row of cells; the blanks at its end are counted, not written. */
static int add_cells(const page *p, int row) {
    int blanks = 0, ink = -1;
    for (int j = 0; j < p->w; j++) {
        cell c = cell_at(p, j, row);
        if (!c.text[0]) {
            blanks++;
            continue;
        }
        if (p->on->colours && ink >= 0 && c.ink != ink) tg_str_add(p->out, off(p));
        tg_str_repeat(p->out, ' ', blanks);
        blanks = 0;
        if (p->on->colours && c.ink != ink) tg_str_add(p->out, ink_on(p->on, c.ink));
        ink = c.ink;
        tg_str_add(p->out, c.text);
    }
    if (ink >= 0) tg_str_add(p->out, off(p));
    return blanks;
}

/* ---- the frame ---- */

static void add_rows(const page *p) {
    tag tags[64];
    int n = p->right ? find_tags(p, tags, p->h < 64 ? p->h : 64) : 0, next = 0;
    part_tags(tags, n, p->h);
    for (int i = 0; i < p->h; i++) {
        const char *text = "";
        for (int k = 0; k < p->y.n; k++) {
            int at = (int)((1 - tg_scale_place(&p->f->y, p->y.at[k])) * (p->h * p->dy - 1) + 0.5);
            if (at / p->dy == i) text = p->y.text[k];
        }
        tg_str_repeat(p->out, ' ', p->left - (int)strlen(text));
        tg_str_add(p->out, text);
        tg_ink_add(p->on->colours, TG_INK_NOTE,
                   p->on->unicode ? (text[0] ? " ┤" : " │") : (text[0] ? " +" : " |"), p->out);
        int blanks = add_cells(p, i);
        if (next < n && tags[next].row == i) {
            tg_str_repeat(p->out, ' ', blanks + 1);
            tg_str_add(p->out, ink_on(p->on, tags[next].ink));
            tg_text_cut(tag_text(&tags[next]), p->right - 1, p->on->unicode, p->out);
            tg_str_add(p->out, off(p));
            next++;
        }
        tg_str_addc(p->out, '\n');
    }
}

static int tick_column(const page *p, int k) {
    return (int)(tg_scale_place(&p->f->x, p->x.at[k]) * (p->w * p->dx - 1) + 0.5) / p->dx;
}

static void add_foot(const page *p) {
    bool unicode = p->on->unicode;
    tg_str_repeat(p->out, ' ', p->left + 1);
    tg_str_add(p->out, tg_ink_on(p->on->colours, TG_INK_NOTE));
    tg_str_add(p->out, unicode ? "└" : "+");
    for (int j = 0; j < p->w; j++) {
        bool tick = false;
        for (int k = 0; k < p->x.n; k++) tick = tick || tick_column(p, k) == j;
        tg_str_add(p->out, unicode ? (tick ? "┬" : "─") : (tick ? "+" : "-"));
    }
    tg_str_add(p->out, off(p));
    tg_str_addc(p->out, '\n');
    int used = 0; /* columns written */
    for (int k = 0; k < p->x.n; k++) {
        int wide = (int)strlen(p->x.text[k]);
        int at = p->left + 2 + tick_column(p, k) - wide / 2;
        if (p->x.text[k][0] == '-' && wide > 2) at--; /* the digits stand in the middle */
        if (at + wide > p->on->columns) at = p->on->columns - wide;
        if (at < (used ? used + 1 : 0)) continue;
        tg_str_repeat(p->out, ' ', at - used);
        tg_str_add(p->out, p->x.text[k]);
        used = at + wide;
    }
    tg_str_addc(p->out, '\n');
}

/* What has a name but no end to write it at: points and bars. */
static bool has_key(const tg_figure *f) {
    for (size_t k = 0; k < f->nseries; k++)
        if (f->series[k].name && !is_curve(&f->series[k])) return true;
    return false;
}

static void add_key(const page *p) {
    int used = 0, all = p->on->columns;
    for (size_t k = 0; k < p->f->nseries; k++) {
        const tg_series *s = &p->f->series[k];
        if (!s->name || is_curve(s)) continue;
        const char *sign = s->mark == TG_MARK_BARS ? (p->on->unicode ? "█" : "#")
                           : p->told_apart         ? point_of(p, s->ink)
                                                   : (p->on->unicode ? "●" : "o");
        tg_str name = {0};
        tg_text_cut(s->name, all - p->left - 4, p->on->unicode, &name);
        int wide = tg_utf8_width(tg_str_text(&name), name.len) + 2;
        if (used && used + 3 + wide > all) {
            tg_str_addc(p->out, '\n');
            used = 0;
        }
        int gap = used ? 3 : p->left + 2;
        tg_str_repeat(p->out, ' ', gap);
        tg_str_addf(p->out, "%s%s%s ", ink_on(p->on, s->ink), sign, off(p));
        tg_str_add(p->out, tg_str_text(&name));
        if (name.failed) p->out->failed = true;
        tg_str_free(&name);
        used += gap + wide;
    }
    tg_str_addc(p->out, '\n');
}

/* As many as have room for their numbers. */
static void find_x_ticks(page *p) {
    for (int most = p->w / 5 < 10 ? p->w / 5 + 1 : 10; most >= 1; most--) {
        tg_ticks_find(&p->f->x, most, &p->x);
        int wide = 0;
        for (int k = 0; k < p->x.n; k++) wide += (int)strlen(p->x.text[k]) + 2;
        if (wide <= p->w && p->x.n > 0) return;
    }
}

/* ---- all of it ---- */

/* The raster that gnuplot wrote, lines of characters, into the page's dots. */
static bool read_dots(tg_ctx *c, page *p, const tg_str *raster) {
    size_t across = (size_t)(p->w * p->dx), rows = (size_t)(p->h * p->dy), size;
    if (!tg_size_mul(across, rows, &size)) return tg_fail_memory(c);
    p->dot = tg_alloc(size);
    if (!p->dot) return tg_fail_memory(c);
    memset(p->dot, ' ', size);
    const char *at = raster->text;
    while (*at == '\f' || *at == '\n') at++;
    for (size_t i = 0; i < rows && *at; i++) {
        size_t n = strcspn(at, "\n\f");
        memcpy(p->dot + i * across, at, n < across ? n : across);
        at += n + (at[n] == '\n');
    }
    return true;
}

static bool draw_dots(tg_ctx *c, page *p) {
    tg_plate plate = {
        .terminal = "dumb", .width = p->w * p->dx, .height = p->h * p->dy, .dots = true};
    size_t nbars = 0;
    for (size_t k = 0; k < p->f->nseries; k++)
        if (p->f->series[k].mark == TG_MARK_BARS && p->f->series[k].n > nbars)
            nbars = p->f->series[k].n;
    if (nbars && (size_t)p->w / nbars >= 3) plate.bar_gap = p->dx;
    tg_str script = {0}, raster = {0};
    bool ok = tg_plate_write(c, p->f, &plate, &script) && tg_gnuplot_run(c, &script, &raster) &&
              read_dots(c, p, &raster);
    tg_str_free(&script);
    tg_str_free(&raster);
    return ok;
}

/* How points are drawn: as characters where there are few, or where nothing else tells their
 * kinds apart. */
static void choose_points(page *p) {
    size_t points = 0;
    int ink = -1;
    bool several = false;
    for (size_t k = 0; k < p->f->nseries; k++) {
        const tg_series *s = &p->f->series[k];
        if (s->mark == TG_MARK_BARS) p->bars = true;
        if (s->mark != TG_MARK_POINTS) continue;
        points += s->n;
        several = several || (ink >= 0 && s->ink != ink);
        ink = s->ink;
    }
    p->told_apart = several && !p->on->colours;
    p->point = !p->on->unicode ? "o" : points <= FEW ? "•" : NULL;
}

bool tg_text_figure(tg_ctx *c, const tg_figure *f, const tg_canvas *on, tg_str *out) {
    page p = {.f = f, .on = on, .out = out, .dx = on->unicode ? 2 : 1, .dy = on->unicode ? 4 : 1};
    bool above = f->title || f->y.name;
    choose_points(&p);
    p.h = on->rows - 2 - above - (f->x.name != NULL) - has_key(f);
    if (p.h < 3) p.h = 3;
    tg_ticks_find(&f->y, p.h / 3 + 1 > 8 ? 8 : p.h / 3 + 1, &p.y);
    for (int k = 0; k < p.y.n; k++)
        if ((int)strlen(p.y.text[k]) > p.left) p.left = (int)strlen(p.y.text[k]);
    p.right = tags_width(&p);
    p.w = on->columns - p.left - 2 - p.right;
    if (p.w < LEAST && p.right) {
        p.w += p.right;
        p.right = 0;
    }
    if (p.w < LEAST) p.w = LEAST;
    for (size_t k = 0; p.bars && k < f->nseries; k++) { /* all bars of one width */
        int n = f->series[k].n < 1000 ? (int)f->series[k].n : 1000;
        if (f->series[k].mark == TG_MARK_BARS && n > 0 && p.w / n > 0) p.w = p.w / n * n;
    }
    find_x_ticks(&p);
    if (!draw_dots(c, &p)) {
        tg_free(p.dot);
        return false;
    }
    int name = f->y.name ? tg_utf8_width(f->y.name, strlen(f->y.name)) : 0;
    if (f->y.name && name < on->columns / 4) {
        int before = p.left + 2 - name > 0 ? p.left + 2 - name : 0;
        tg_str_repeat(out, ' ', before);
        tg_str_add(out, f->y.name);
        if (f->title) add_centered(&p, f->title, p.left + 2 - before - name, p.w, TG_INK_NAME);
    } else if (above) {
        add_centered(&p, f->title ? f->title : f->y.name, p.left + 2, p.w, TG_INK_NAME);
    }
    if (above) tg_str_addc(out, '\n');
    add_rows(&p);
    add_foot(&p);
    if (f->x.name) {
        add_centered(&p, f->x.name, p.left + 2, p.w, TG_INK_TEXT);
        tg_str_addc(out, '\n');
    }
    if (has_key(f)) add_key(&p);
    tg_free(p.dot);
    return !out->failed || tg_fail_memory(c);
}
