/* The options of pictures, and giving them out: as text between the other output of the session, or
 * into a file whose name says what it is. */
#include "interp/plot.h"
#include "base/alloc.h"
#include "base/file.h"
#include "interp/blame.h"
#include "interp/convert.h"

#include <math.h>
#include <string.h>

bool tg_plot_given(const tg_argument *a) {
    return a && a->value.tag != TG_V_NONE;
}

/* The string given for an option; NULL in *text: none was. */
static bool string_option(tg_interp *in, const tg_argument *a, const char *what,
                          const char **text) {
    *text = NULL;
    if (!tg_plot_given(a)) return true;
    if (a->value.tag != TG_V_STRING)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s must be a string, not %s", what,
                       tg_value_kind(a->value));
    *text = a->value.as.text->bytes;
    return true;
}

/* ---- ranges ---- */

bool tg_plot_is_interval(tg_value v) {
    if (v.tag == TG_V_RANGE) return true;
    if (v.tag == TG_V_TENSOR) return v.as.tensor->v.rank == 1 && v.as.tensor->v.dim[0] == 2;
    return (v.tag == TG_V_TUPLE || v.tag == TG_V_LIST) && v.as.items->n == 2;
}

bool tg_plot_interval(tg_interp *in, tg_value v, const char *what, double *lo, double *hi) {
    if (!tg_plot_is_interval(v)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s must be two numbers, not %s", what, tg_value_kind(v));
        return tg_help(&in->rt.c, "write -3..3 or (-3, 3)");
    }
    if (v.tag == TG_V_RANGE) {
        *lo = v.as.range->lo;
        *hi = v.as.range->hi;
    } else if (v.tag == TG_V_TENSOR) {
        *lo = tg_view_get(&v.as.tensor->v, 0);
        *hi = tg_view_get(&v.as.tensor->v, 1);
    } else if (!tg_to_number(in, v.as.items->v[0], what, lo) ||
               !tg_to_number(in, v.as.items->v[1], what, hi)) {
        return false;
    }
    if (!isfinite(*lo) || !isfinite(*hi) || !isfinite(*hi - *lo))
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "%s must be two finite numbers", what);
    if (!(*lo < *hi) || *hi - *lo < 1e-12 * fmax(fabs(*lo), fabs(*hi)))
        return tg_fail(&in->rt.c, TG_ERR_VALUE,
                       "%s must go from a smaller to a larger number, not from %.6g to %.6g", what,
                       *lo, *hi);
    return true;
}

/* ---- names ---- */

void tg_plot_source(const tg_ast *e, char *out) {
    out[0] = 0;
    if (!e || e->kind == TG_AST_BRACKET || e->kind == TG_AST_TUPLE || !e->span.src ||
        e->span.hi > e->span.src->len || e->span.lo >= e->span.hi)
        return;
    size_t n = e->span.hi - e->span.lo;
    const char *text = e->span.src->text + e->span.lo;
    if (n >= TG_PLOT_NAME / 2 || memchr(text, '\n', n) || memchr(text, '"', n)) return;
    memcpy(out, text, n);
    out[n] = 0;
}

bool tg_plot_name(tg_interp *in, char **to, const tg_argument *a) {
    char text[TG_PLOT_NAME];
    tg_plot_source(a->ast, text);
    return !text[0] || tg_figure_text(&in->rt.c, to, text);
}

const tg_ast *tg_plot_item(const tg_ast *e, int i, int n) {
    bool literal = e && (e->kind == TG_AST_BRACKET || e->kind == TG_AST_TUPLE) && e->n == n;
    return literal ? e->kids[i] : NULL;
}

bool tg_plot_doubles(tg_interp *in, tg_value v, const char *what, tg_tensor **out) {
    tg_tensor *t;
    if (!tg_to_tensor(in, v, what, &t)) return false;
    *out = t->v.dtype == TG_F64 && tg_view_is_contiguous(&t->v)
               ? tg_tensor_hold(t)
               : tg_tensor_convert(&in->rt.c, &t->v, TG_F64);
    tg_tensor_drop(t);
    return *out != NULL;
}

/* ---- the options ---- */

bool tg_plot_begin(tg_interp *in, const tg_plot_options *o, tg_figure *f) {
    const char *log;
    if (!string_option(in, o->log, "log", &log)) return false;
    if (log) {
        f->x.log = strcmp(log, "x") == 0 || strcmp(log, "xy") == 0;
        f->y.log = strcmp(log, "y") == 0 || strcmp(log, "xy") == 0;
        if (!f->x.log && !f->y.log)
            return tg_fail(&in->rt.c, TG_ERR_VALUE,
                           "log must be \"x\", \"y\" or \"xy\", not \"%s\"", log);
    }
    if (tg_plot_given(o->range)) {
        if (!tg_plot_interval(in, o->range->value, "range", &f->y.lo, &f->y.hi)) return false;
        if (f->y.log && f->y.lo <= 0)
            return tg_fail(&in->rt.c, TG_ERR_VALUE, "a logarithmic axis has positive numbers only");
    }
    return true;
}

/* size=(w, h): pixels of a file, characters of text. */
static bool size_option(tg_interp *in, const tg_argument *a, bool file, int *w, int *h) {
    if (!tg_plot_given(a)) return true;
    tg_tensor *t;
    tg_value v = a->value;
    double x[2] = {NAN, NAN};
    if (v.tag == TG_V_TUPLE && v.as.items->n == 2) {
        if (!tg_to_number(in, v.as.items->v[0], "size", &x[0]) ||
            !tg_to_number(in, v.as.items->v[1], "size", &x[1]))
            return false;
    } else {
        if (!tg_to_tensor(in, v, "size", &t)) return false;
        for (int i = 0; i < 2 && tg_view_count(&t->v) == 2; i++) x[i] = tg_view_get(&t->v, i);
        tg_tensor_drop(t);
    }
    const int least[2] = {file ? 80 : 20, file ? 60 : 6},
              most[2] = {file ? 8000 : 500, file ? 8000 : 200};
    for (int i = 0; i < 2; i++)
        if (!(x[i] >= least[i] && x[i] <= most[i]))
            return tg_fail(&in->rt.c, TG_ERR_VALUE,
                           "size must be (width, height) in %s, from (%d, %d) to (%d, %d)",
                           file ? "pixels" : "characters", least[0], least[1], most[0], most[1]);
    *w = (int)x[0];
    *h = (int)x[1];
    return true;
}

static bool ends_in(const char *path, const char *ending) {
    size_t n = strlen(path), k = strlen(ending);
    return n > k && strcmp(path + n - k, ending) == 0;
}

static bool save(tg_interp *in, const tg_plot_options *o, const char *path, const tg_figure *f) {
    int w = 800, h = f->images.pixel ? 600 : 500;
    bool svg = ends_in(path, ".svg");
    if (!svg && !ends_in(path, ".png")) {
        tg_fail(&in->rt.c, TG_ERR_VALUE, "\"%s\" does not say what kind of file to write", path);
        return tg_help(&in->rt.c, "its name must end in .svg or .png");
    }
    tg_str picture = {0};
    bool ok =
        size_option(in, o->size, true, &w, &h) &&
        tg_picture_draw(&in->rt.c, f, svg ? TG_PICTURE_SVG : TG_PICTURE_PNG, w, h, &picture) &&
        tg_file_save_atomic(&in->rt.c, path, picture.text, picture.len);
    tg_str_free(&picture);
    return ok;
}

static bool print(tg_interp *in, const tg_plot_options *o, const tg_figure *f) {
    tg_canvas on = tg_canvas_of(in->on_stdout && in->terminal,
                                in->on_stdout && (in->colours & TG_COLOURS_ECHO) != 0);
    if (f->images.pixel) on.rows *= 2;                /* they may be looked at in parts */
    if (!in->on_stdout) on.display = TG_DISPLAY_TEXT; /* it is kept, or compared */
    tg_str text = {0};
    bool ok = size_option(in, o->size, false, &on.columns, &on.rows) &&
              tg_picture_show(&in->rt.c, f, &on, &text);
    if (ok) tg_write(in, tg_str_text(&text), text.len);
    tg_str_free(&text);
    return ok;
}

static bool end(tg_interp *in, const tg_plot_options *o, tg_figure *f) {
    const tg_argument *const from[] = {o->title, o->xlabel, o->ylabel};
    char **const to[] = {&f->title, &f->x.name, &f->y.name};
    const char *const what[] = {"title", "xlabel", "ylabel"};
    const char *text;
    for (int i = 0; i < 3; i++) {
        if (!string_option(in, from[i], what[i], &text)) return false;
        if (text && !tg_figure_text(&in->rt.c, to[i], text[0] ? text : NULL)) return false;
    }
    if (!tg_figure_fit(f)) {
        bool log = f->x.log || f->y.log;
        tg_fail(&in->rt.c, TG_ERR_VALUE,
                log ? "there is nothing to see: a logarithmic axis shows positive numbers only"
                    : "there is nothing to see: no number is finite");
        return false;
    }
    if (!string_option(in, o->to, "to", &text)) return false;
    return text ? save(in, o, text, f) : print(in, o, f);
}

bool tg_plot_finish(tg_interp *in, bool ok, const tg_plot_options *o, tg_figure *f, int n,
                    const tg_argument *args) {
    if (!ok && in->rt.c.diag.kind != TG_ERR_INTERRUPT) {
        const int operand[2] = {0, 1};
        tg_blame_operands(in, n < 2 ? n : 2, operand, args);
    }
    ok = ok && end(in, o, f);
    tg_figure_free(f);
    return ok;
}
