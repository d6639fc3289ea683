/* A large tensor in a line: shape, type, range, mean, standard deviation, what is not finite, and
 * the share of zeros where that tells something.
 *
 * The numbers are read once, in blocks that stay in the first cache: a block is widened to doubles,
 * then its lanes are summed. The sum is kept with its rounding errors (Knuth's TwoSum), so that the
 * mean of 1e16, 1, -1e16 is a third; the squares are merged block by block as Chan, Golub and
 * LeVeque do ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979),
 * so that a large mean does not drown a small deviation. A block with a nan or an infinity takes a
 * slower way that counts and leaves them out. */
#include "interp/show_tensor.h"
#include "base/paint.h"

#include <math.h>

enum { BLOCK = 512, LANES = 8, LOOK = 2048 /* blocks between two looks for Ctrl-C */ };

static const double TELLING = 0.2; /* a share of zeros worth a word */

typedef struct lanes {
    double sum[LANES], error[LANES]; /* so far, and what rounding took from it */
    double lo[LANES], hi[LANES];
} lanes;

typedef struct gathering {
    tg_summary *s;
    lanes lanes;
    double centre, squares; /* the mean so far, and the squares of the distances from it */
} gathering;

static inline void add_exactly(double *sum, double *error, double x) {
    double t = *sum + x, took = t - *sum;
    *error += (*sum - (t - took)) + (x - took);
    *sum = t;
}

/* Sum of n numbers, a multiple of LANES; zeros are counted in *zeros. Two loops, each of which fits
 * the registers. */
static double take_lanes(gathering *g, const double *x, int n, double *zeros) {
    double plain[LANES] = {0}, none[LANES] = {0}, sum = 0;
    lanes a = g->lanes; /* a copy of its own, which x cannot lie in */
    for (int i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++) add_exactly(&a.sum[k], &a.error[k], x[i + k]);
    for (int i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            double y = x[i + k];
            plain[k] += y;
            a.lo[k] = y < a.lo[k] ? y : a.lo[k];
            a.hi[k] = y > a.hi[k] ? y : a.hi[k];
            none[k] += y == 0 ? 1.0 : 0.0;
        }
    g->lanes = a;
    for (int k = 0; k < LANES; k++) {
        sum += plain[k];
        *zeros += none[k];
    }
    return sum;
}

static double squares_about(const double *x, int n, double centre) {
    double squares[LANES] = {0}, sum = 0;
    for (int i = 0; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) squares[k] += (x[i + k] - centre) * (x[i + k] - centre);
    for (int i = n - n % LANES; i < n; i++) sum += (x[i] - centre) * (x[i] - centre);
    for (int k = 0; k < LANES; k++) sum += squares[k];
    return sum;
}

/* n finite numbers. */
static void take_finite(gathering *g, const double *x, int n) {
    int whole = n - n % LANES;
    double zeros = 0, sum = take_lanes(g, x, whole, &zeros);
    for (int i = whole; i < n; i++) {
        sum += x[i];
        add_exactly(&g->lanes.sum[0], &g->lanes.error[0], x[i]);
        if (x[i] < g->lanes.lo[0]) g->lanes.lo[0] = x[i];
        if (x[i] > g->lanes.hi[0]) g->lanes.hi[0] = x[i];
        if (x[i] == 0) zeros++;
    }
    if (n == 0) return;
    double before = (double)g->s->n, all = before + n, centre = sum / n;
    double apart = centre - g->centre;
    g->squares += squares_about(x, n, centre) + apart * apart * before * (n / all);
    g->centre += apart * (n / all);
    g->s->n += n;
    g->s->zeros += (int64_t)zeros;
}

static bool all_finite(const double *x, int n) {
    double probe[LANES] = {0}, sum = 0; /* 0 stays 0, or nan for what is not finite */
    for (int i = 0; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) probe[k] += x[i + k] - x[i + k];
    for (int i = n - n % LANES; i < n; i++) sum += x[i] - x[i];
    for (int k = 0; k < LANES; k++) sum += probe[k];
    return sum == 0;
}

static void take_block(gathering *g, double *x, int n) {
    if (all_finite(x, n)) {
        take_finite(g, x, n);
        return;
    }
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (isfinite(x[i]))
            x[kept++] = x[i];
        else if (isnan(x[i]))
            g->s->nans++;
        else if (x[i] > 0)
            g->s->ups++;
        else
            g->s->downs++;
    }
    take_finite(g, x, kept);
}

#define WIDEN(type)                                                                                \
    if (stride == 1)                                                                               \
        for (int i = 0; i < n; i++) x[i] = (double)((const type *)data)[i];                        \
    else                                                                                           \
        for (int i = 0; i < n; i++) x[i] = (double)((const type *)data)[i * stride];               \
    break

static void widen(const void *data, tg_dtype type, int64_t stride, int n, double *x) {
    switch (type) {
    case TG_BOOL:
    case TG_U8: WIDEN(uint8_t);
    case TG_I32: WIDEN(int32_t);
    case TG_I64: WIDEN(int64_t);
    case TG_F32: WIDEN(float);
    case TG_F64: WIDEN(double);
    }
}

/* Short rows share a block, so that a tall thin matrix is no slower. */
static bool take_all(tg_rt *rt, gathering *g, const tg_view *v) {
    double x[BLOCK];
    int n = 0, blocks = 0;
    int64_t at[TG_MAX_RANK] = {0}, size = (int64_t)tg_dtype_size(v->dtype);
    tg_view rows = *v;
    rows.rank--;
    int64_t columns = v->dim[rows.rank], stride = v->stride[rows.rank];
    do {
        const char *data = v->data;
        for (int axis = 0; axis < rows.rank; axis++) data += at[axis] * v->stride[axis] * size;
        for (int64_t i = 0; i < columns;) {
            int take = columns - i < BLOCK - n ? (int)(columns - i) : BLOCK - n;
            widen(data + i * stride * size, v->dtype, stride, take, x + n);
            i += take;
            n += take;
            if (n < BLOCK) break;
            take_block(g, x, n);
            n = 0;
            if (++blocks % LOOK == 0 && !tg_check_interrupt(&rt->c)) return false;
        }
    } while (rows.rank > 0 && tg_view_step(&rows, at));
    take_block(g, x, n);
    return true;
}

bool tg_summary_gather(tg_rt *rt, const tg_view *v, tg_summary *out) {
    gathering g = {.s = out};
    *out = (tg_summary){0};
    for (int k = 0; k < LANES; k++) {
        g.lanes.lo[k] = INFINITY;
        g.lanes.hi[k] = -INFINITY;
    }
    if (!take_all(rt, &g, v)) return false;
    for (int k = 1; k < LANES; k++) {
        add_exactly(&g.lanes.sum[0], &g.lanes.error[0], g.lanes.sum[k]);
        g.lanes.error[0] += g.lanes.error[k];
        if (g.lanes.lo[k] < g.lanes.lo[0]) g.lanes.lo[0] = g.lanes.lo[k];
        if (g.lanes.hi[k] > g.lanes.hi[0]) g.lanes.hi[0] = g.lanes.hi[k];
    }
    double n = (double)out->n;
    out->lo = g.lanes.lo[0];
    out->hi = g.lanes.hi[0];
    out->mean = isfinite(g.lanes.sum[0]) ? (g.lanes.sum[0] + g.lanes.error[0]) / n : g.centre;
    out->std = out->n > 0 ? sqrt(g.squares / n) : 0;
    return true;
}

/* ---- written ---- */

/* Remarks behind one another, a comma between; a new line where the width is passed. */
typedef struct line {
    const tg_layout *l;
    int width, column;
    tg_str *out;
    bool colours;
} line;

static void add_remark(line *to, const char *word, double x, tg_style style, const char *tail) {
    tg_str text = {0};
    tg_str_addf(&text, "%s%s", word, word[0] ? " " : "");
    tg_format_number(&text, x, style);
    tg_str_add(&text, tail);
    int width = tg_utf8_width(tg_str_text(&text), text.len);
    tg_str_addc(to->out, ',');
    if (to->column + width + 3 > to->width && !to->l->inlined) {
        tg_str_addc(to->out, '\n');
        tg_str_repeat(to->out, ' ', to->l->indent + 2);
        to->column = to->l->indent + 2 + width;
    } else {
        tg_str_addc(to->out, ' ');
        to->column += width + 2;
    }
    tg_ink_add(to->colours, TG_INK_WARNING, tg_str_text(&text), to->out);
    if (text.failed) to->out->failed = true;
    tg_str_free(&text);
}

/* How many are not finite: it stands out. */
static void add_odd(line *to, int64_t n, const char *what) {
    to->colours = to->l->colours;
    if (n > 0) add_remark(to, "", (double)n, TG_STYLE_FULL, what);
    to->colours = false;
}

void tg_summary_add_shape(const tg_view *v, char open, char close, tg_str *out) {
    tg_str_addc(out, open);
    for (int i = 0; i < v->rank; i++)
        tg_str_addf(out, "%s%lld", i ? ", " : "", (long long)v->dim[i]);
    tg_str_addc(out, close);
}

static bool all_one_number(const tg_summary *s) {
    return s->n > 0 && s->lo == s->hi && s->nans + s->ups + s->downs == 0;
}

bool tg_summary_add(const tg_view *v, const tg_summary *s, const tg_layout *l, int width,
                    tg_str *out) {
    bool one = all_one_number(s);
    if (tg_dtype_is_float(v->dtype) && one && (s->lo == 0 || s->lo == 1)) {
        tg_str_add(out, s->lo == 0 ? "zeros" : "ones");
        tg_summary_add_shape(v, '(', ')', out);
        return true;
    }
    size_t from = out->len;
    tg_summary_add_shape(v, '[', ']', out);
    tg_str_addf(out, " %s", tg_dtype_name(v->dtype));
    line to = {l, width, l->indent + (int)(out->len - from), out, false};
    if (v->dtype == TG_BOOL) {
        tg_str_addf(out, ", %lld of %lld true", (long long)(s->n - s->zeros), (long long)s->n);
        return one;
    }
    if (one) {
        add_remark(&to, "all", s->lo, l->style, "");
    } else if (s->n > 0) {
        add_remark(&to, "min", s->lo, l->style, "");
        if (isfinite(s->mean)) add_remark(&to, "mean", s->mean, l->style, "");
        add_remark(&to, "max", s->hi, l->style, "");
        if (isfinite(s->std)) add_remark(&to, "std", s->std, l->style, "");
    }
    add_odd(&to, s->nans, " nan");
    add_odd(&to, s->ups, " inf");
    add_odd(&to, s->downs, " -inf");
    double share = s->n > 0 ? (double)s->zeros / (double)s->n : 0;
    if (!one && share >= TELLING)
        add_remark(&to, "", floor(100 * share + 1e-9), TG_STYLE_FULL, "% zeros");
    return one;
}
