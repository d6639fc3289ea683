/* Tensors as text. Small ones are written whole, in the form that parses back:
 *
 *     [1, 2, 3]        [[1, 0.50],
 *                       [2, 0.25]]
 *
 * the columns of a matrix aligned. Large ones, and those too wide for the line, are described by
 * shape, type and range (show_summary.c), with their corners below; of more than two axes, the
 * corners of the first and the last matrix. The prompt may be shown a tensor of any size: what is
 * allocated here is for the elements that are written. */
#include "interp/show_tensor.h"
#include "base/alloc.h"
#include "base/paint.h"

#include <string.h>

enum {
    WHOLE_MOST = 200, /* elements written whole */
    WIDTH_MOST = 100, /* columns of a line, where nobody knows better */
    BRIEF_MOST = 12,  /* elements written whole within a container */
    HEAD = 3,
    TAIL = 2,       /* elements and rows kept at the ends of a large one */
    ROWS_SEEN = 6,  /* rows of a matrix whose shape is plain to see, */
    ITEMS_SEEN = 12 /* and elements of a vector, or columns */
};

static const char dots[] = "...";

static int width_of(const tg_layout *l) {
    return l->width > 0 ? l->width : WIDTH_MOST;
}

static void newline(tg_str *out, int indent) {
    tg_str_addc(out, '\n');
    tg_str_repeat(out, ' ', indent);
}

/* ---- what is shown of an axis ---- */

typedef struct picks {
    int64_t n, head, tail; /* of n places the first and the last; all, where they make n */
} picks;

static picks pick_all(int64_t n) {
    return (picks){n, n, 0};
}

static picks pick_ends(int64_t n) {
    return n <= HEAD + TAIL + 1 ? pick_all(n) : (picks){n, HEAD, TAIL};
}

static int64_t picked(const picks *p) {
    return p->head + p->tail;
}

static int64_t place_of(const picks *p, int64_t i) {
    return i < p->head ? i : p->n - picked(p) + i;
}

/* Do dots stand before the i-th that is shown? */
static bool after_gap(const picks *p, int64_t i) {
    return i == p->head && picked(p) < p->n && i > 0;
}

/* ---- a grid of texts ---- */

typedef struct grid {
    const tg_view *v;
    picks rows, columns; /* of v, all axes but the last taken as one */
    double *x;           /* the elements, [rows, columns] of those picked */
    tg_str text;         /* theirs one behind the other, */
    size_t *end;         /* and where each ends */
    int *width;          /* of each column */
} grid;

static void grid_free(grid *g) {
    tg_free(g->x);
    tg_free(g->end);
    tg_free(g->width);
    tg_str_free(&g->text);
}

static const char *cell_text(const grid *g, int64_t i, size_t *n) {
    size_t lo = i ? g->end[i - 1] : 0;
    *n = g->end[i] - lo;
    return tg_str_text(&g->text) + lo;
}

static int cell_width(const grid *g, int64_t i) {
    size_t n;
    const char *s = cell_text(g, i, &n);
    return tg_utf8_width(s, n);
}

static bool grid_alloc(tg_rt *rt, grid *g) {
    int64_t rows = picked(&g->rows), columns = picked(&g->columns);
    size_t cells = (size_t)(rows * columns);
    g->x = tg_alloc_array(cells, sizeof *g->x);
    g->end = tg_alloc_array(cells, sizeof *g->end);
    g->width = tg_alloc_array((size_t)columns, sizeof *g->width);
    if (!g->x || !g->end || !g->width) return tg_fail_memory(&rt->c);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            g->x[r * columns + c] =
                tg_view_get(g->v, place_of(&g->rows, r) * g->columns.n + place_of(&g->columns, c));
    return true;
}

/* One way for each column, or one for all elements. */
typedef enum manner { BY_COLUMN, ALIKE, AS_IS } manner;

static bool grid_fill(tg_rt *rt, grid *g, const tg_layout *l, manner how) {
    int64_t rows = picked(&g->rows), columns = picked(&g->columns), cells = rows * columns;
    tg_dtype type = g->v->dtype;
    tg_column all = {.decimals = -1}, *of = tg_alloc_array((size_t)columns, sizeof *of);
    if (!of) return tg_fail_memory(&rt->c);
    if (how == ALIKE) all = tg_column_choose(l, type, g->x, 1, cells);
    for (int64_t c = 0; c < columns; c++)
        of[c] = how == BY_COLUMN ? tg_column_choose(l, type, g->x + c, columns, rows) : all;
    bool ok = true;
    for (int64_t i = 0; i < cells && ok; i++) {
        ok = tg_column_add(rt, l, of[i % columns], type, g->x[i], &g->text);
        g->end[i] = g->text.len;
    }
    tg_free(of);
    if (ok && g->text.failed) return tg_fail_memory(&rt->c);
    memset(g->width, 0, (size_t)columns * sizeof *g->width);
    for (int64_t i = 0; i < cells && ok; i++) {
        int w = cell_width(g, i);
        if (w > g->width[i % columns]) g->width[i % columns] = w;
    }
    return ok;
}

static bool grid_make(tg_rt *rt, const tg_view *v, picks rows, picks columns, const tg_layout *l,
                      manner how, grid *g) {
    *g = (grid){.v = v, .rows = rows, .columns = columns};
    if (grid_alloc(rt, g) && grid_fill(rt, g, l, how)) return true;
    grid_free(g);
    return false;
}

/* Columns of the line that shows these of the picked columns. */
static int grid_width(const grid *g, const picks *show, const tg_layout *l) {
    int64_t skipped = picked(&g->columns) - picked(show);
    int total = l->indent + 2 * g->v->rank - 2 + (picked(show) < show->n ? 5 : 0);
    for (int64_t c = 0; c < picked(show); c++)
        total += g->width[c < show->head ? c : c + skipped] + 2;
    return total;
}

/* Leaves out columns in the middle until the rest fits. */
static picks grid_cut(const grid *g, const tg_layout *l) {
    picks show = g->columns;
    if (show.tail == 0 && grid_width(g, &show, l) > width_of(l)) {
        show.tail = show.head / 2;
        show.head -= show.tail;
    }
    while (picked(&show) > 1 && grid_width(g, &show, l) > width_of(l)) {
        if (show.head > show.tail)
            show.head--;
        else
            show.tail--;
    }
    return show;
}

/* How many of the last axes begin (or end) at this row: the brackets to open (or close). */
static int brackets(const tg_view *v, int64_t row, bool closing) {
    int n = 1;
    for (int axis = v->rank - 2; axis >= 0; axis--) {
        int64_t at = row % v->dim[axis];
        if (at != (closing ? v->dim[axis] - 1 : 0)) break;
        n++;
        row /= v->dim[axis];
    }
    return n;
}

static void add_cell(const grid *g, int64_t i, int width, tg_str *out) {
    size_t n;
    const char *s = cell_text(g, i, &n);
    tg_str_repeat(out, ' ', width - tg_utf8_width(s, n));
    tg_str_addn(out, s, n);
}

static void add_rows(const grid *g, const picks *show, const tg_layout *l, tg_str *out) {
    int64_t columns = picked(&g->columns), skipped = columns - picked(show);
    int64_t rows = picked(&g->rows);
    for (int64_t r = 0; r < rows; r++) {
        int64_t row = place_of(&g->rows, r);
        int open = brackets(g->v, row, false);
        if (after_gap(&g->rows, r)) {
            newline(out, l->indent + g->v->rank - 1);
            tg_str_add(out, dots);
        }
        if (r > 0 && l->inlined)
            tg_str_addc(out, ' ');
        else if (r > 0)
            newline(out, l->indent + g->v->rank - open);
        tg_str_repeat(out, '[', open);
        for (int64_t c = 0; c < picked(show); c++) {
            int64_t column = c < show->head ? c : c + skipped;
            if (c > 0) tg_str_add(out, ", ");
            if (after_gap(show, c)) tg_str_addf(out, "%s, ", dots);
            add_cell(g, r * columns + column, l->inlined ? 0 : g->width[column], out);
        }
        if (picked(show) < show->n && show->tail == 0) tg_str_addf(out, ", %s", dots);
        tg_str_repeat(out, ']', brackets(g->v, row, true));
        if (r + 1 < rows) tg_str_addc(out, ',');
    }
}

/* ---- whole ---- */

/* Over as many lines as it takes, in columns of one width. */
static void add_wrapped(const grid *g, const tg_layout *l, tg_str *out) {
    int64_t n = picked(&g->columns);
    int widest = 0;
    for (int64_t i = 0; i < n; i++)
        if (g->width[i] > widest) widest = g->width[i];
    int64_t fit = (width_of(l) - l->indent - 1) / (widest + 2);
    if (fit < 1) fit = 1;
    tg_str_addc(out, '[');
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) tg_str_addc(out, ',');
        if (i > 0 && i % fit == 0)
            newline(out, l->indent + 1);
        else if (i > 0)
            tg_str_addc(out, ' ');
        add_cell(g, i, widest, out);
    }
    tg_str_addc(out, ']');
}

/* Behind the last line, where they cannot be seen at a glance. Indices, of type int64, pass for
 * numbers. */
static void add_notes(const tg_rt *rt, const tg_view *v, const tg_layout *l, tg_str *out) {
    int64_t columns = v->dim[v->rank - 1], rows = tg_view_count(v) / columns;
    bool shape = l->shaped && (columns > ITEMS_SEEN || rows > ROWS_SEEN);
    bool type = l->typed && v->dtype != rt->precision && v->dtype != TG_BOOL && v->dtype != TG_I64;
    if (!shape && !type) return;
    tg_str_repeat(out, ' ', TG_NOTES_GAP);
    tg_str_add(out, tg_ink_on(l->colours, TG_INK_NOTE));
    if (shape) tg_summary_add_shape(v, '[', ']', out);
    if (type) tg_str_addf(out, "%s%s", shape ? " " : "", tg_dtype_name(v->dtype));
    tg_str_add(out, tg_ink_off(l->colours));
}

/* Writes all elements. *done stays false when the rows of a matrix are too wide. */
static bool add_whole(tg_rt *rt, const tg_view *v, const tg_layout *l, tg_str *out, bool *done) {
    int64_t columns = v->dim[v->rank - 1];
    picks rows = pick_all(tg_view_count(v) / columns), all = pick_all(columns);
    bool flat = v->rank == 1 || l->inlined;
    grid g;
    if (!grid_make(rt, v, rows, all, l, flat ? AS_IS : BY_COLUMN, &g)) return false;
    bool fits = l->inlined || grid_width(&g, &all, l) <= width_of(l);
    *done = fits || v->rank == 1;
    if (fits) {
        add_rows(&g, &all, l, out);
    } else if (v->rank == 1) {
        grid_free(&g);
        if (!grid_make(rt, v, rows, all, l, ALIKE, &g)) return false;
        add_wrapped(&g, l, out);
    }
    grid_free(&g);
    if (*done && !l->inlined) add_notes(rt, v, l, out);
    return true;
}

/* ---- corners ---- */

static bool add_corners(tg_rt *rt, const tg_view *v, picks columns, const tg_layout *l,
                        tg_str *out) {
    picks rows = pick_ends(tg_view_count(v) / columns.n);
    grid g;
    if (!grid_make(rt, v, rows, columns, l, BY_COLUMN, &g)) return false;
    picks show = grid_cut(&g, l);
    add_rows(&g, &show, l, out);
    grid_free(&g);
    return true;
}

/* "[0, 3, :, :] = " and the corners of that matrix. */
static bool add_slice(tg_rt *rt, const tg_view *v, int64_t batch, const tg_layout *l, tg_str *out) {
    tg_view m = *v;
    int64_t offset = 0, at[TG_MAX_RANK];
    size_t from = out->len;
    for (int axis = v->rank - 3; axis >= 0; axis--) {
        at[axis] = batch % v->dim[axis];
        batch /= v->dim[axis];
        offset += at[axis] * v->stride[axis];
    }
    tg_str_addc(out, '[');
    for (int axis = 0; axis + 2 < v->rank; axis++) tg_str_addf(out, "%lld, ", (long long)at[axis]);
    tg_str_add(out, ":, :] = ");
    m.data = (char *)v->data + offset * (int64_t)tg_dtype_size(v->dtype);
    m.rank = 2;
    memmove(m.dim, v->dim + v->rank - 2, 2 * sizeof *m.dim);
    memmove(m.stride, v->stride + v->rank - 2, 2 * sizeof *m.stride);
    tg_layout within = *l;
    within.indent += (int)(out->len - from);
    return add_corners(rt, &m, pick_ends(m.dim[1]), &within, out);
}

static bool add_slices(tg_rt *rt, const tg_view *v, const tg_layout *l, tg_str *out) {
    int64_t batches = 1;
    for (int axis = 0; axis + 2 < v->rank; axis++) batches *= v->dim[axis];
    newline(out, l->indent);
    if (!add_slice(rt, v, 0, l, out)) return false;
    if (batches == 1) return true;
    newline(out, l->indent);
    if (batches > 2) {
        tg_str_add(out, dots);
        newline(out, l->indent);
    }
    return add_slice(rt, v, batches - 1, l, out);
}

static bool add_described(tg_rt *rt, const tg_view *v, const tg_layout *layout, tg_str *out) {
    tg_layout l = *layout;
    tg_summary s;
    if (!tg_summary_gather(rt, v, &s)) return false;
    if (tg_summary_add(v, &s, &l, width_of(&l), out) || l.inlined || l.brief) return true;
    if (l.indent > width_of(&l) / 2) l.indent = 2; /* below a long name */
    if (v->rank > 2) return add_slices(rt, v, &l, out);
    int64_t columns = v->dim[v->rank - 1];
    bool small = tg_view_count(v) <= WHOLE_MOST; /* only too wide: as many as fit */
    newline(out, l.indent);
    return add_corners(rt, v, small ? pick_all(columns) : pick_ends(columns), &l, out);
}

bool tg_format_tensor(tg_rt *rt, const tg_tensor *t, const tg_layout *layout, tg_str *out) {
    const tg_view *v = &t->v;
    int64_t count = tg_view_count(v);
    if (v->rank == 0)
        return tg_column_add(rt, layout, (tg_column){.decimals = -1}, v->dtype, tg_view_get(v, 0),
                             out);
    if (count == 0) {
        tg_str_add(out, v->rank == 1 ? "[]" : "zeros");
        if (v->rank > 1) tg_summary_add_shape(v, '(', ')', out);
        return true;
    }
    bool done = false;
    if (count <= (layout->inlined || layout->brief ? BRIEF_MOST : WHOLE_MOST) &&
        !add_whole(rt, v, layout, out, &done))
        return false;
    return done || add_described(rt, v, layout, out);
}
