/* Tensors as text. Small ones are written whole, in the form that parses back:
 *
 *     [1, 2, 3]        [[1, 0.50],
 *                       [2, 0.25]]
 *
 * the columns of a matrix aligned, each with one number of decimals. Large ones are described by
 * shape, type and range, with their corners; those whose elements are all equal by what would make
 * them, `zeros(784, 10)`. The range is found in one pass over rows, without an allocation, since
 * the prompt may be shown a tensor of any size. */
#include "base/alloc.h"
#include "interp/format.h"
#include "runtime/rt.h"

#include <math.h>
#include <string.h>

enum {
    WHOLE_MOST = 200, /* elements written whole */
    WIDTH_MOST = 100, /* columns of a matrix written whole, and of a line of a vector */
    INLINE_MOST = 12, /* elements written whole within a container */
    HEAD = 3,
    TAIL = 2 /* elements and rows kept at the ends of a large one */
};

/* ---- elements ---- */

static bool add_element(tg_rt *rt, const tg_layout *l, tg_dtype type, double x, tg_str *out) {
    if (type == TG_BOOL && (!l->spec || !l->spec->type)) {
        const char *word = x != 0 ? "true" : "false";
        if (l->spec) return tg_spec_text(&rt->c, l->spec, word, strlen(word), out);
        tg_str_add(out, word);
        return true;
    }
    tg_style style = type == TG_F32 && l->style == TG_STYLE_FULL ? TG_STYLE_SINGLE : l->style;
    if (l->spec) return tg_spec_number(&rt->c, l->spec, x, style, out);
    tg_format_painted(out, x, style, l->colours);
    return true;
}

/* Decimals that make the numbers of a column line up; -1: leave each as it is. */
static int column_decimals(const tg_view *v, const tg_layout *l, int64_t column) {
    int64_t columns = v->dim[v->rank - 1], rows = tg_view_count(v) / columns;
    int decimals = 0, digits = 1;
    if (l->spec || l->style != TG_STYLE_SHORT || !tg_dtype_is_float(v->dtype)) return -1;
    for (int64_t r = 0; r < rows; r++) {
        char s[TG_NUMBER_ROOM];
        tg_number_text(s, tg_view_get(v, r * columns + column), l->style);
        const char *point = strchr(s, '.');
        int after = point ? (int)strlen(point + 1) : 0;
        int before = (int)(point ? (size_t)(point - s) : strlen(s));
        if (strpbrk(s, "en")) return -1; /* an exponent, inf or nan */
        if (after > decimals) decimals = after;
        if (before > digits) digits = before;
    }
    return decimals > 0 && decimals + digits <= 10 ? decimals : -1;
}

/* ---- whole ---- */

/* The elements' texts one behind the other, and where each ends. */
typedef struct cells {
    tg_str text;
    size_t *end;
} cells;

static bool fill_cells(tg_rt *rt, const tg_view *v, const tg_layout *l, const int *decimals,
                       cells *cs) {
    int64_t count = tg_view_count(v), columns = v->dim[v->rank - 1];
    for (int64_t i = 0; i < count; i++) {
        double x = tg_view_get(v, i);
        if (decimals && decimals[i % columns] >= 0)
            tg_str_addf(&cs->text, "%.*f", decimals[i % columns], x + 0.0);
        else if (!add_element(rt, l, v->dtype, x, &cs->text))
            return false;
        cs->end[i] = cs->text.len;
    }
    return !cs->text.failed || tg_fail_memory(&rt->c);
}

static const char *cell_text(const cells *cs, int64_t i, size_t *n) {
    size_t lo = i ? cs->end[i - 1] : 0;
    *n = cs->end[i] - lo;
    return tg_str_text(&cs->text) + lo;
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

static void newline(tg_str *out, int indent) {
    tg_str_addc(out, '\n');
    tg_str_repeat(out, ' ', indent);
}

static void add_vector(const cells *cs, int64_t count, const tg_layout *l, tg_str *out) {
    int column = l->indent + 1;
    tg_str_addc(out, '[');
    for (int64_t i = 0; i < count; i++) {
        size_t n;
        const char *s = cell_text(cs, i, &n);
        int width = tg_utf8_width(s, n);
        if (i > 0) {
            tg_str_addc(out, ',');
            if (column + width + 3 > WIDTH_MOST && !l->inlined) {
                newline(out, l->indent + 1);
                column = l->indent + 1;
            } else {
                tg_str_addc(out, ' ');
                column += 2;
            }
        }
        tg_str_addn(out, s, n);
        column += width;
    }
    tg_str_addc(out, ']');
}

static void add_rows(const tg_view *v, const cells *cs, const int *width, const tg_layout *l,
                     tg_str *out) {
    int64_t columns = v->dim[v->rank - 1], rows = tg_view_count(v) / columns;
    for (int64_t r = 0; r < rows; r++) {
        int open = brackets(v, r, false);
        if (r > 0 && l->inlined)
            tg_str_addc(out, ' ');
        else if (r > 0)
            newline(out, l->indent + v->rank - open);
        tg_str_repeat(out, '[', open);
        for (int64_t c = 0; c < columns; c++) {
            size_t n;
            const char *s = cell_text(cs, r * columns + c, &n);
            if (c > 0) tg_str_add(out, ", ");
            if (!l->inlined) tg_str_repeat(out, ' ', width[c] - tg_utf8_width(s, n));
            tg_str_addn(out, s, n);
        }
        tg_str_repeat(out, ']', brackets(v, r, true));
        if (r + 1 < rows) tg_str_addc(out, ',');
    }
}

/* False without an error: too wide. */
static bool add_matrix(const tg_view *v, const cells *cs, int *width, const tg_layout *l,
                       tg_str *out) {
    int64_t columns = v->dim[v->rank - 1], count = tg_view_count(v);
    int64_t total = l->indent + 2 * v->rank;
    memset(width, 0, (size_t)columns * sizeof *width);
    for (int64_t i = 0; i < count; i++) {
        size_t n;
        const char *s = cell_text(cs, i, &n);
        int w = tg_utf8_width(s, n);
        if (w > width[i % columns]) width[i % columns] = w;
    }
    for (int64_t c = 0; c < columns; c++) total += width[c] + 2;
    if (total - 2 > WIDTH_MOST) return false;
    add_rows(v, cs, width, l, out);
    return true;
}

/* Writes all elements. *done stays false when the rows are too wide. */
static bool add_whole(tg_rt *rt, const tg_view *v, const tg_layout *l, tg_str *out, bool *done) {
    int64_t columns = v->dim[v->rank - 1];
    cells cs = {.end = tg_alloc_array((size_t)tg_view_count(v), sizeof *cs.end)};
    int *per_column = tg_alloc_array((size_t)columns, sizeof *per_column);
    bool ok = cs.end && per_column;
    *done = false;
    if (!ok) {
        tg_fail_memory(&rt->c);
    } else if (v->rank == 1 || l->inlined) {
        ok = fill_cells(rt, v, l, NULL, &cs);
        if (ok && v->rank == 1)
            add_vector(&cs, columns, l, out);
        else if (ok)
            add_rows(v, &cs, per_column, l, out);
        *done = ok;
    } else {
        for (int64_t c = 0; c < columns; c++) per_column[c] = column_decimals(v, l, c);
        ok = fill_cells(rt, v, l, per_column, &cs);
        *done = ok && add_matrix(v, &cs, per_column, l, out);
    }
    tg_str_free(&cs.text);
    tg_free(cs.end);
    tg_free(per_column);
    return ok;
}

/* ---- described ---- */

typedef struct range {
    double lo, hi, sum;
    int64_t n, nans; /* numbers, and elements that are none */
} range;

/* The elements of one row into the range, by type. */
#define GATHER(type)                                                                               \
    for (int64_t i = 0; i < n; i++) {                                                              \
        double x = (double)((const type *)data)[i * stride];                                       \
        if (x != x) r->nans++;                                                                     \
        if (x < r->lo) r->lo = x;                                                                  \
        if (x > r->hi) r->hi = x;                                                                  \
        if (x == x) r->sum += x;                                                                   \
    }                                                                                              \
    break

static void gather_row(const void *data, tg_dtype type, int64_t n, int64_t stride, range *r) {
    switch (type) {
    case TG_BOOL:
    case TG_U8: GATHER(uint8_t);
    case TG_I32: GATHER(int32_t);
    case TG_I64: GATHER(int64_t);
    case TG_F32: GATHER(float);
    case TG_F64: GATHER(double);
    }
}

static range gather(const tg_view *v) {
    range r = {.lo = INFINITY, .hi = -INFINITY};
    int64_t at[TG_MAX_RANK] = {0};
    tg_view rows = *v;
    rows.rank--;
    do {
        int64_t offset = 0;
        for (int axis = 0; axis < rows.rank; axis++) offset += at[axis] * v->stride[axis];
        const char *data = (const char *)v->data + offset * (int64_t)tg_dtype_size(v->dtype);
        gather_row(data, v->dtype, v->dim[rows.rank], v->stride[rows.rank], &r);
    } while (rows.rank > 0 && tg_view_step(&rows, at));
    r.n = tg_view_count(v) - r.nans;
    return r;
}

static void add_shape(const tg_view *v, char open, char close, tg_str *out) {
    tg_str_addc(out, open);
    for (int i = 0; i < v->rank; i++)
        tg_str_addf(out, "%s%lld", i ? ", " : "", (long long)v->dim[i]);
    tg_str_addc(out, close);
}

/* zeros(784, 10), where all elements are one number. */
static bool add_constant(const tg_view *v, const range *r, tg_str *out) {
    if (v->dtype < TG_F32 || r->nans > 0 || r->lo != r->hi) return false;
    if (r->lo == 0)
        tg_str_add(out, "zeros");
    else if (r->lo == 1)
        tg_str_add(out, "ones");
    else
        return false;
    add_shape(v, '(', ')', out);
    return true;
}

static void add_range(const tg_view *v, const range *r, tg_str *out) {
    add_shape(v, '[', ']', out);
    tg_str_addf(out, " %s", tg_dtype_name(v->dtype));
    if (v->dtype == TG_BOOL) {
        tg_str_addf(out, ", %.0f of %lld true", r->sum, (long long)r->n);
        return;
    }
    if (r->n > 0 && r->lo == r->hi) {
        tg_str_add(out, ", all ");
        tg_format_number(out, r->lo, TG_STYLE_SHORT);
    } else if (r->n > 0) {
        tg_str_add(out, ", min ");
        tg_format_number(out, r->lo, TG_STYLE_SHORT);
        tg_str_add(out, ", mean ");
        tg_format_number(out, r->sum / (double)r->n, TG_STYLE_SHORT);
        tg_str_add(out, ", max ");
        tg_format_number(out, r->hi, TG_STYLE_SHORT);
    }
    if (r->nans > 0) tg_str_addf(out, ", %lld nan", (long long)r->nans);
}

/* The i-th that is shown of n; -1 stands for the dots. */
static int64_t shown_index(int64_t i, int64_t n) {
    if (n <= HEAD + TAIL + 1 || i < HEAD) return i;
    return i == HEAD ? -1 : n - HEAD - TAIL - 1 + i;
}

static int64_t shown_count(int64_t n) {
    return n <= HEAD + TAIL + 1 ? n : HEAD + TAIL + 1;
}

static bool add_corner_row(tg_rt *rt, const tg_view *v, int64_t row, const tg_layout *l,
                           tg_str *out) {
    int64_t n = v->dim[v->rank - 1];
    tg_str_addc(out, '[');
    for (int64_t i = 0; i < shown_count(n); i++) {
        int64_t at = shown_index(i, n);
        if (i > 0) tg_str_add(out, ", ");
        if (at < 0)
            tg_str_add(out, "...");
        else if (!add_element(rt, l, v->dtype, tg_view_get(v, row * n + at), out))
            return false;
    }
    tg_str_addc(out, ']');
    return true;
}

static bool add_corners(tg_rt *rt, const tg_view *v, const tg_layout *l, tg_str *out) {
    newline(out, l->indent);
    if (v->rank == 1) return add_corner_row(rt, v, 0, l, out);
    for (int64_t i = 0; i < shown_count(v->dim[0]); i++) {
        int64_t row = shown_index(i, v->dim[0]);
        if (i == 0)
            tg_str_addc(out, '[');
        else
            newline(out, l->indent + 1);
        if (row < 0)
            tg_str_add(out, "...");
        else if (!add_corner_row(rt, v, row, l, out))
            return false;
        if (row >= 0) tg_str_addc(out, i + 1 < shown_count(v->dim[0]) ? ',' : ']');
    }
    return true;
}

bool tg_format_tensor(tg_rt *rt, const tg_tensor *t, const tg_layout *layout, tg_str *out) {
    const tg_view *v = &t->v;
    int64_t count = tg_view_count(v);
    if (v->rank == 0) return add_element(rt, layout, v->dtype, tg_view_get(v, 0), out);
    if (count == 0) {
        tg_str_add(out, v->rank == 1 ? "[]" : "zeros");
        if (v->rank > 1) add_shape(v, '(', ')', out);
        return true;
    }
    bool done = false;
    if (count <= (layout->inlined ? INLINE_MOST : WHOLE_MOST) &&
        !add_whole(rt, v, layout, out, &done))
        return false;
    if (done) return true;
    range r = gather(v);
    if (add_constant(v, &r, out)) return true;
    add_range(v, &r, out);
    if (layout->inlined || v->rank > 2 || r.lo == r.hi) return true;
    return add_corners(rt, v, layout, out);
}
