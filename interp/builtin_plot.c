/* plot: curves of functions, of formulas over a variable, and of data. What is given decides which;
 * several of one kind stand in a list, tuple or record, or behind each other.
 *
 *     plot(f, -3, 3)          a function of one number
 *     plot(y, x=-3..3)        a formula over the variable x, which keeps its value
 *     plot(losses)            numbers in their order; of a matrix each column
 *     plot(xs, ys)            numbers over others */
#include "base/alloc.h"
#include "base/nearest.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WHAT, TANGENT, TITLE, XLABEL, YLABEL, LOG, RANGE, TO, SIZE, REST };
enum { MOST_CURVES = 50 };

/* The things to be drawn, in order, with the names of a record and the text that wrote them. */
typedef struct things {
    int n;
    tg_value v[MOST_CURVES]; /* borrowed */
    const char *field[MOST_CURVES];
    const tg_ast *ast[MOST_CURVES];
} things;

static bool add_thing(tg_interp *in, tg_value v, const char *field, const tg_ast *ast, things *t) {
    if (t->n == MOST_CURVES)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "one picture has at most %d curves", MOST_CURVES);
    t->v[t->n] = v;
    t->field[t->n] = field;
    t->ast[t->n++] = ast;
    return true;
}

static bool is_plain_list(tg_value v) {
    if (v.tag != TG_V_LIST) return false;
    for (int i = 0; i < v.as.items->n; i++) {
        tg_tag tag = v.as.items->v[i].tag;
        if (tag != TG_V_NUMBER && tag != TG_V_BOOL) return false;
    }
    return true;
}

/* An argument, or the items of one: [f, g], (a, b), {train: a, test: b}. */
static bool add_things(tg_interp *in, tg_value v, const tg_ast *ast, things *t) {
    if (!tg_is_container(v) || is_plain_list(v)) return add_thing(in, v, NULL, ast, t);
    const tg_items *items = v.as.items;
    for (int i = 0; i < items->n; i++)
        if (!add_thing(in, items->v[i], items->field ? items->field[i] : NULL,
                       tg_plot_item(ast, i, items->n), t))
            return false;
    return true;
}

/* ---- curves ---- */

typedef struct request {
    tg_interp *in;
    tg_figure *f;
    const tg_argument *tangent;
    bool single; /* the only curve */
    bool pole;   /* of any curve: the range is that of the usual values */
    double lo, hi;
    tg_str title, y_name;
} request;

static bool is_off(const tg_argument *a) {
    return a->value.tag == TG_V_BOOL && !a->value.as.truth;
}

static bool line_of(request *r, const tg_samples *s, const char *name, int ink) {
    tg_series *line = tg_figure_add(&r->in->rt.c, r->f, TG_MARK_LINE, name, s->n);
    if (!line) return false;
    memcpy(line->x, s->x, s->n * sizeof *s->x);
    memcpy(line->y, s->y, s->n * sizeof *s->y);
    line->ink = ink;
    r->pole = r->pole || s->pole;
    r->lo = fmin(r->lo, s->lo);
    r->hi = fmax(r->hi, s->hi);
    return true;
}

/* The axes by the curve, then the tangent, which may leave them. */
static bool add_tangent(request *r, tg_curve *c) {
    tg_ctx *ctx = &r->in->rt.c;
    double x, y, slope;
    bool wanted = r->tangent->value.tag != TG_V_NONE, number = r->tangent->value.tag != TG_V_BOOL;
    if (is_off(r->tangent)) return true;
    if (wanted && number) {
        if (!tg_to_number(r->in, r->tangent->value, "tangent", &x)) return false;
    } else if (!c->node) {
        if (!wanted) return true;
        tg_fail(ctx, TG_ERR_VALUE, "a function has no present value to take the tangent at");
        return tg_help(ctx, "tangent=2 draws it there");
    } else {
        const tg_tensor *now = c->cell[0]->value;
        x = now ? tg_view_get(&now->v, 0) : NAN;
        if (wanted && !now)
            return tg_fail(ctx, TG_ERR_DATA, "%s has no value to take the tangent at", c->name[0]);
    }
    const tg_scale *along = &r->f->x;
    if (wanted && !(x >= along->lo && x <= along->hi))
        return tg_fail(ctx, TG_ERR_VALUE, "the tangent at %.6g is not in the picture", x);
    if (!(x >= along->lo && x <= along->hi) || r->f->x.log || r->f->y.log) return true;
    if (!tg_curve_value(r->in, c, &x, &y)) return false;
    if (!tg_curve_slope(r->in, c, x, &slope)) {
        if (wanted || ctx->diag.kind == TG_ERR_INTERRUPT || ctx->diag.kind == TG_ERR_MEMORY)
            return false;
        tg_clear(ctx); /* no derivative: the curve alone */
        return true;
    }
    if (!isfinite(y) || !isfinite(slope) || !tg_figure_fit(r->f)) return true;
    char name[80];
    snprintf(name, sizeof name, "slope %.5g at %.12s = %.5g", slope, c->name[0] ? c->name[0] : "x",
             x);
    tg_series *line = tg_figure_add(ctx, r->f, TG_MARK_DASHED, name, 2);
    if (!line) return false;
    for (int i = 0; i < 2; i++) {
        line->x[i] = i ? along->hi : along->lo;
        line->y[i] = y + slope * (line->x[i] - x);
    }
    line->ink = 1;
    tg_series *spot = tg_figure_add(ctx, r->f, TG_MARK_SPOT, NULL, 1);
    if (!spot) return false;
    spot->x[0] = x;
    spot->y[0] = y;
    spot->ink = 1;
    return true;
}

/* "f(t)" of "f(t) = t^3", "y" of "y = x^2". */
static bool name_axes(request *r, const tg_curve *c, const char *title) {
    const char *equals = strstr(title, " = ");
    char left[TG_PLOT_NAME] = "";
    size_t n = equals ? (size_t)(equals - title) : 0;
    if (n > 0 && n < sizeof left) memcpy(left, title, n);
    left[n < sizeof left ? n : 0] = 0;
    tg_ctx *ctx = &r->in->rt.c;
    if (r->single && (!tg_figure_text(ctx, &r->f->title, title) ||
                      (left[0] && !tg_figure_text(ctx, &r->f->y.name, left))))
        return false;
    return r->f->x.name || !c->name[0] || tg_figure_text(ctx, &r->f->x.name, c->name[0]);
}

static bool draw_curve(request *r, tg_curve *c, const char *field, int ink) {
    tg_interp *in = r->in;
    tg_samples s = {0};
    tg_str title = {0}, name = {0};
    bool ok = tg_curve_title(in, c->what, &title);
    if (ok && field)
        tg_str_add(&name, field);
    else if (ok)
        tg_curve_short(tg_str_text(&title), &name);
    ok = ok && tg_curve_sample(in, c, &r->f->x, &s) &&
         line_of(r, &s, r->single ? NULL : tg_str_text(&name), ink) &&
         name_axes(r, c, tg_str_text(&title));
    if (ok && (title.failed || name.failed)) ok = tg_fail_memory(&in->rt.c);
    tg_free(s.x);
    tg_free(s.y);
    tg_str_free(&title);
    tg_str_free(&name);
    return ok;
}

/* The usual values of curves that leave all bounds, unless a range was asked for. */
static void show_usual(request *r) {
    tg_scale *y = &r->f->y;
    if (!r->pole || y->log || y->lo != 0 || y->hi != 0 || !(r->lo < r->hi)) return;
    double more = (r->hi - r->lo) / 20;
    y->lo = r->lo - more;
    y->hi = r->hi + more;
}

/* ---- over an interval ---- */

/* The variable that is called so, under the formulas: NULL, with an error, if there is none. */
static tg_cell *variable_named(tg_interp *in, const things *t, const char *name) {
    tg_cell *found = NULL;
    tg_str others = {0};
    bool before = false; /* another variable was called so */
    for (int i = 0; i < t->n && !found; i++) {
        tg_cell **cells = NULL;
        size_t n = 0;
        if (t->v[i].tag != TG_V_FORMULA) continue;
        if (!tg_curve_cells(in, t->v[i], &cells, &n)) {
            tg_free(cells);
            tg_str_free(&others);
            return NULL;
        }
        for (size_t k = 0; k < n; k++) {
            if (cells[k]->was && strcmp(cells[k]->was, name) == 0) before = true;
            if (!cells[k]->name) continue;
            if (strcmp(cells[k]->name, name) == 0) found = cells[k];
            if (!strstr(tg_str_text(&others), cells[k]->name))
                tg_str_addf(&others, "%s%s", others.len ? ", " : "", cells[k]->name);
        }
        tg_free(cells);
    }
    if (!found) {
        tg_fail(&in->rt.c, TG_ERR_NAME, "{0} does not depend on a variable called %s", name);
        if (before)
            tg_help(&in->rt.c, "it depends on what %s was before; :rebind %s makes it mean %s",
                    name, name, name);
        else if (others.len)
            tg_help(&in->rt.c, "it depends on %s", tg_str_text(&others));
    }
    tg_str_free(&others);
    return found;
}

/* The only number that the formulas depend on. */
static tg_cell *only_variable(tg_interp *in, const things *t) {
    tg_cell *found = NULL;
    for (int i = 0; i < t->n; i++) {
        tg_cell **cells = NULL;
        size_t n = 0;
        if (t->v[i].tag != TG_V_FORMULA) continue;
        bool ok = tg_curve_cells(in, t->v[i], &cells, &n);
        for (size_t k = 0; ok && k < n; k++) {
            if (cells[k]->type.rank != 0) continue;
            if (found && found != cells[k]) {
                tg_fail(&in->rt.c, TG_ERR_NAME, "{0} depends on %s and on %s", found->name,
                        cells[k]->name);
                tg_help(&in->rt.c, "say along which: plot(..., %s=-3..3)", found->name);
                ok = false;
            }
            found = cells[k];
        }
        tg_free(cells);
        if (!ok) return NULL;
    }
    if (!found) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "{0} does not depend on a variable that is a number");
        tg_help(&in->rt.c, "plot wants a formula over one: x = var(2); plot(x^2, x=-3..3)");
    }
    return found;
}

static bool scalar_only(tg_interp *in, tg_value v) {
    if (v.tag != TG_V_FORMULA || v.as.node->type.rank == 0) return true;
    tg_str shape = {0};
    tg_shape_print(&in->rt, &shape, v.as.node->type.rank, v.as.node->type.dim);
    tg_fail(&in->rt.c, TG_ERR_SHAPE, "a curve needs a number for each place, not %s",
            tg_str_text(&shape));
    tg_str_free(&shape);
    return tg_help(&in->rt.c, "plot its elements: plot([y[0], y[1]], ...)");
}

static bool draw_curves(request *r, const things *t, tg_cell *along) {
    tg_interp *in = r->in;
    if (r->f->x.log && r->f->x.lo <= 0)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "a logarithmic axis has positive numbers only");
    r->single = t->n == 1;
    if (along && along->type.rank != 0) {
        tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s is not a number", along->name);
        return tg_help(&in->rt.c, "contour shows a formula over a vector of two elements");
    }
    for (int i = 0; i < t->n; i++) {
        tg_curve c = {0};
        tg_value v = t->v[i];
        bool ok;
        if (tg_value_is_function(v)) {
            ok = tg_curve_of_function(in, v, 1, &c);
        } else if (v.tag == TG_V_FORMULA && along) {
            ok = scalar_only(in, v) && tg_curve_of_formula(in, v, 1, &along, &c);
        } else {
            tg_fail(&in->rt.c, TG_ERR_TYPE,
                    "over an interval a curve must be a function or a formula, not %s",
                    tg_value_kind(v));
            return tg_help(&in->rt.c, "curves in a list, the interval behind: plot([f, g], -3, 3)");
        }
        ok = ok && draw_curve(r, &c, t->field[i], i);
        if (ok && t->n == 1) {
            show_usual(r);
            ok = add_tangent(r, &c);
        }
        tg_curve_free(&c);
        if (!ok) return false;
    }
    show_usual(r);
    return true;
}

/* ---- data ---- */

static bool data_line(tg_interp *in, tg_figure *f, const tg_tensor *x, const tg_view *y,
                      int64_t column, const char *name) {
    int64_t n = y->dim[0], across = y->rank == 2 ? y->dim[1] : 1;
    if (x && x->v.dim[0] != n)
        return tg_fail(&in->rt.c, TG_ERR_SHAPE, "{0} and {1} differ in length: %lld and %lld",
                       (long long)x->v.dim[0], (long long)n);
    tg_series *s = tg_figure_add(&in->rt.c, f, TG_MARK_LINE, name, (size_t)n);
    if (!s) return false;
    const double *from = y->data;
    for (int64_t i = 0; i < n; i++) {
        s->x[i] = x ? ((const double *)x->v.data)[i] : (double)i;
        s->y[i] = from[i * across + column];
    }
    s->ink = (int)f->nseries - 1;
    return true;
}

static bool columns(tg_interp *in, tg_figure *f, const tg_tensor *x, const tg_tensor *y,
                    const char *name, bool single) {
    char text[TG_PLOT_NAME + 32];
    if (y->v.rank < 1 || y->v.rank > 2) {
        tg_fail(&in->rt.c, TG_ERR_SHAPE, "plot draws vectors and the columns of matrices, not %s",
                y->v.rank == 0 ? "a single number" : "tensors of more axes");
        return y->v.rank == 0 ? tg_help(&in->rt.c, "a formula over a variable: plot(y, x=-3..3)")
                              : tg_help(&in->rt.c, "imshow shows images");
    }
    if (tg_view_count(&y->v) == 0)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "there is nothing to plot: it is empty");
    if (y->v.rank == 1) return data_line(in, f, x, &y->v, 0, single || !name[0] ? NULL : name);
    if (y->v.dim[1] > MOST_CURVES) {
        tg_fail(&in->rt.c, TG_ERR_VALUE,
                "one picture has at most %d curves, and these are %lld columns", MOST_CURVES,
                (long long)y->v.dim[1]);
        return tg_help(&in->rt.c, "take some, m[:, 0:5], or turn it, m', for its rows");
    }
    for (int64_t k = 0; k < y->v.dim[1]; k++) {
        if (strchr(name, 40) || !name[0])
            snprintf(text, sizeof text, "column %lld", (long long)k);
        else
            snprintf(text, sizeof text, "%s[:, %lld]", name, (long long)k);
        if (!data_line(in, f, x, &y->v, k, text)) return false;
    }
    return true;
}

static bool is_name(const char *text) {
    return text[0] && strlen(text) <= 24;
}

/* things[first..] over x, or over their own indices. */
static bool draw_data(request *r, const things *t, int first, tg_value xv, const tg_ast *x_ast) {
    tg_interp *in = r->in;
    tg_tensor *x = NULL;
    char name[TG_PLOT_NAME], x_name[TG_PLOT_NAME];
    bool ok = true;
    tg_plot_source(x_ast, x_name);
    if (first > 0) {
        ok = tg_plot_doubles(in, xv, "x", &x);
        if (ok && x->v.rank != 1)
            ok = tg_fail(&in->rt.c, TG_ERR_SHAPE, "what is plotted over must be a vector");
    }
    r->single = t->n - first == 1;
    for (int i = first; ok && i < t->n; i++) {
        tg_tensor *y;
        tg_plot_source(t->ast[i], name);
        if (t->field[i]) snprintf(name, sizeof name, "%s", t->field[i]);
        ok = tg_plot_doubles(in, t->v[i], "what is plotted", &y);
        if (!ok) break;
        ok = columns(in, r->f, x, y, name, r->single);
        if (ok && r->single && is_name(name)) ok = tg_figure_text(&in->rt.c, &r->f->y.name, name);
        tg_tensor_drop(y);
    }
    if (ok)
        ok = tg_figure_text(&in->rt.c, &r->f->x.name,
                            first == 0        ? "index"
                            : is_name(x_name) ? x_name
                                              : NULL);
    tg_tensor_drop(x);
    return ok;
}

/* ---- the call ---- */

static bool is_number(tg_value v) {
    return v.tag == TG_V_NUMBER || (v.tag == TG_V_FORMULA && v.as.node->type.rank == 0);
}

/* The interval at the end of the arguments, as one or two of them; *n: how many those are. */
static bool trailing_interval(tg_interp *in, int count, const tg_argument *args, bool after_curves,
                              double *lo, double *hi, int *n) {
    *n = 0;
    if (count >= 1 && (args[count - 1].value.tag == TG_V_RANGE || after_curves) &&
        tg_plot_is_interval(args[count - 1].value) && !tg_is_live(args[count - 1].value)) {
        *n = 1;
        return tg_plot_interval(in, args[count - 1].value, "the interval", lo, hi);
    }
    if (count >= 2 && args[count - 1].value.tag == TG_V_NUMBER &&
        is_number(args[count - 2].value) && args[count - 2].value.tag == TG_V_NUMBER) {
        double ends[2];
        tg_value pair;
        for (int i = 0; i < 2; i++) ends[i] = args[count - 2 + i].value.as.number;
        *n = 2;
        if (!tg_value_range(&in->rt.c, ends[0], ends[1], &pair)) return false;
        bool ok = tg_plot_interval(in, pair, "the interval", lo, hi);
        tg_value_drop(pair);
        return ok;
    }
    return true;
}

static bool has_curve(const things *t) {
    for (int i = 0; i < t->n; i++)
        if (tg_value_is_function(t->v[i]) ||
            (t->v[i].tag == TG_V_FORMULA && t->v[i].as.node->type.rank == 0))
            return true;
    return false;
}

/* False, with an error: what was named is no variable with its range, but an option misspelt. */
static bool check_option(tg_interp *in, const tg_argument *named) {
    static const char *const options[] = {"tangent", "title", "xlabel", "ylabel", "log",
                                          "range",   "to",    "size",   NULL};
    const tg_value v = named->value;
    const char *meant = tg_plot_is_interval(v) ? NULL : tg_nearest_in(named->name, options);
    if (!meant && v.tag != TG_V_STRING && v.tag != TG_V_BOOL) return true;
    if (meant)
        tg_fail(&in->rt.c, TG_ERR_NAME, "plot has no parameter %s; did you mean %s?", named->name,
                meant);
    else
        tg_fail(&in->rt.c, TG_ERR_NAME, "plot has no parameter %s", named->name);
    return tg_help(&in->rt.c, "?plot lists them; x=-3..3 is the range of a variable x");
}

/* Positional arguments first, then those with names that plot does not know: its variables. */
static bool draw(request *r, int n, tg_argument *args) {
    tg_interp *in = r->in;
    const tg_argument *named = NULL;
    things t = {0};
    double lo = -5, hi = 5;
    int count = 0, used;
    for (int i = 0; i < n; i++) {
        if (args[i].name) {
            if (!check_option(in, &args[i])) return false;
            if (named)
                return tg_fail(&in->rt.c, TG_ERR_TYPE,
                               "plot draws along one variable, not %s and %s", named->name,
                               args[i].name);
            named = &args[i];
        } else {
            args[count++] = args[i];
        }
    }
    if (!add_things(in, args[0].value, args[0].ast, &t)) return false;
    if (t.n == 0) return tg_fail(&in->rt.c, TG_ERR_VALUE, "there is nothing to plot: it is empty");
    bool curves = has_curve(&t);
    if (!trailing_interval(in, count, args, curves, &lo, &hi, &used)) return false;
    if (count - used < 1) used = 0;
    for (int i = 1; i < count - used; i++)
        if (!add_things(in, args[i].value, args[i].ast, &t)) return false;
    if (!named && !curves && used == 0)
        return draw_data(r, &t, count > 1, args[0].value, args[0].ast);
    char what[96];
    if (named) {
        snprintf(what, sizeof what, "the range of %s", named->name);
        if (used > 0)
            return tg_fail(&in->rt.c, TG_ERR_TYPE, "plot got an interval besides %s", what);
        if (!tg_plot_interval(in, named->value, what, &lo, &hi)) return false;
    }
    tg_cell *along = NULL;
    bool formulas = false;
    for (int i = 0; i < t.n; i++) formulas = formulas || t.v[i].tag == TG_V_FORMULA;
    if (formulas) {
        along = named ? variable_named(in, &t, named->name) : only_variable(in, &t);
        if (!along) return false;
    }
    if (!named && used == 0 && along && along->value && along->type.rank == 0) {
        double x = tg_view_get(&along->value->v, 0);
        if (isfinite(x) && fabs(x) >= 4) { /* its value is in sight */
            lo = x - 5;
            hi = x + 5;
        }
    }
    if (!named && used == 0 && r->f->x.log) {
        lo = 0.01;
        hi = 100;
    }
    r->f->x.lo = lo;
    r->f->x.hi = hi;
    return draw_curves(r, &t, along);
}

static bool run_plot(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    *out = TG_NONE_VALUE;
    int nargs = n - REST + 1;
    tg_figure f = {0};
    tg_plot_options o = {&args[TITLE], &args[XLABEL], &args[YLABEL], &args[LOG],
                         &args[RANGE], &args[TO],     &args[SIZE]};
    tg_argument *given = tg_alloc_array((size_t)nargs, sizeof *given);
    if (!given) return tg_fail_memory(&in->rt.c);
    given[0] = args[WHAT];
    memcpy(given + 1, args + REST, (size_t)(nargs - 1) * sizeof *given);
    request r = {.in = in, .f = &f, .tangent = &args[TANGENT], .lo = INFINITY, .hi = -INFINITY};
    bool ok = tg_plot_begin(in, &o, &f) && draw(&r, nargs, given);
    ok = tg_plot_finish(in, ok, &o, &f, nargs, given);
    tg_free(given);
    return ok;
}

const tg_builtin tg_builtins_plot[] = {
    {"plot",
     "plot(what, tangent=none, title=none, xlabel=none, ylabel=none, log=none, range=none, "
     "to=none, "
     "size=none, ...)",
     "Curves: plot(f, -3, 3) of a function, plot(y, x=-3..3) of a formula over the variable x, "
     "with "
     "its tangent where x is now (tangent=false: without), plot(v) of numbers, plot(xs, ys) of "
     "numbers over others; of a matrix each column. Several: in a list or record. log=\"y\", "
     "range=(lo, hi) of the y axis. In text, or with to=\"name.svg\" or \".png\" as a file.",
     "x = var(2); plot(x^2, x=-3..3, size=(40, 8))",
     "             x^2\n"
     "  │⠲⡀                   ⢀⠖ slope 4 at x…\n"
     "5 ┤ ⠙⠦⡀               ⢀⠴⠋\n"
     "  │   ⠈⠲⢄⡀         ⢀⡠⠖●\n"
     "0 ┤      ⠉⠑⠲⠤⠤⠤⠤⠤⠖⠊⠋\n"
     "  └────┬──────┬───────┬───\n"
     "      -2      0       2\n"
     "              x",
     run_plot, true, false},
    {0},
};
