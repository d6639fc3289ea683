/* Curves: functions and formulas as numbers over an interval.
 *
 * A formula is computed by its plan, with other values in the place of its variables, which keep
 * their own. Between samples that lie far apart the curve is looked at more closely, by halving: a
 * distance that does not shrink with the interval is a jump, where the curve gets a gap, and a
 * value that grows without end is a pole, beyond which the picture shows the usual values. (So do
 * Mathematica and MATLAB's fplot, with their own measures.) */
#include "base/alloc.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/plot.h"
#include "interp/targets.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is computed ---- */

bool tg_curve_of_function(tg_interp *in, tg_value f, int n, tg_curve *c) {
    int takes = tg_function_arity(f);
    *c = (tg_curve){.what = f, .n = n};
    if (takes >= 0 && takes != n) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "this needs a function of %s, not of %d",
                n == 1 ? "one number" : "two numbers", takes);
        return tg_help(&in->rt.c,
                       n == 1 ? "give the others a value: x -> f(x, 1)" : "write (x, y) -> ...");
    }
    for (int i = 0; i < n && takes > 0; i++) c->name[i] = tg_function_parameter(f, i);
    return true;
}

bool tg_curve_of_formula(tg_interp *in, tg_value y, int ncells, tg_cell *const *cells,
                         tg_curve *c) {
    static const int64_t pair[1] = {2};
    *c = (tg_curve){.what = y, .node = y.as.node, .ncells = ncells, .n = ncells};
    for (int i = 0; i < ncells; i++) {
        const tg_type *type = &cells[i]->type;
        c->cell[i] = cells[i];
        c->name[i] = cells[i]->name;
        c->at[i] = tg_tensor_new(&in->rt.c, type->dtype, type->rank, pair);
        if (!c->at[i]) return false;
        if (type->rank == 1) c->n = 2;
    }
    return true;
}

void tg_curve_free(tg_curve *c) {
    for (int i = 0; i < 2; i++) tg_tensor_drop(c->at[i]);
    c->at[0] = c->at[1] = NULL;
}

bool tg_curve_cells(tg_interp *in, tg_value y, tg_cell ***out, size_t *n) {
    size_t all;
    return tg_graph_cells(&in->rt, 1, &y.as.node, out, &all, n);
}

static bool node_value(tg_interp *in, tg_curve *c, tg_node *node, const double *x, double *y) {
    tg_tensor *t = NULL;
    if (c->ncells == 1 && c->n == 2) {
        tg_view_set(&c->at[0]->v, 0, x[0]);
        tg_view_set(&c->at[0]->v, 1, x[1]);
    } else {
        for (int i = 0; i < 2 && i < c->n; i++) tg_view_set(&c->at[i]->v, 0, x[i]);
    }
    if (!tg_plan_eval_with(&in->rt, 1, &node, c->ncells, c->cell, c->at, &t)) return false;
    *y = tg_view_get(&t->v, 0);
    tg_tensor_drop(t);
    return true;
}

static bool call_value(tg_interp *in, tg_value f, int n, const double *x, double *y) {
    tg_argument arg[2] = {{0}};
    tg_value v, now;
    for (int i = 0; i < 2 && i < n; i++) arg[i].value = tg_value_number(x[i]);
    if (!tg_check_interrupt(&in->rt.c) || !tg_call_value(in, f, n, arg, &v)) return false;
    bool ok = tg_value_now(in, v, &now);
    tg_value_drop(v);
    if (!ok) return false;
    int rank = tg_value_rank(now);
    if (now.tag == TG_V_NUMBER) {
        *y = now.as.number;
    } else if (now.tag == TG_V_BOOL) {
        *y = now.as.truth;
    } else if (rank > 0 || now.tag != TG_V_TENSOR) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "the function gives %s at %.6g, not a number",
                tg_value_kind(now), x[0]);
        ok = false;
    } else {
        *y = tg_view_get(&now.as.tensor->v, 0);
    }
    tg_value_drop(now);
    return ok;
}

bool tg_curve_value(tg_interp *in, tg_curve *c, const double *x, double *y) {
    return c->node ? node_value(in, c, c->node, x, y) : call_value(in, c->what, c->n, x, y);
}

static bool at_one(tg_interp *in, tg_curve *c, double x, double *y) {
    const double both[2] = {x, 0};
    return tg_curve_value(in, c, both, y);
}

bool tg_curve_slope(tg_interp *in, tg_curve *c, double at, double *slope) {
    const double x[2] = {at, 0};
    tg_value prime;
    if (!c->node) {
        if (!tg_function_derivative(in, c->what, &prime)) return false;
        bool ok = call_value(in, prime, 1, x, slope);
        tg_value_drop(prime);
        return ok;
    }
    tg_node *by = tg_node_cell(&in->rt, c->cell[0]), *g;
    return by &&
           tg_grad(&in->rt, c->node, 1, &by, &(tg_grad_options){.simplify = true}, &g, NULL) &&
           node_value(in, c, g, x, slope);
}

/* ---- along an axis ---- */

enum { SAMPLES = 513, LOOKS = 100, HALVINGS = 44 };

static bool add(tg_interp *in, tg_samples *s, double x, double y) {
    void *px = s->x, *py = s->y;
    bool ok = tg_grow(&px, &s->x_cap, s->n + 1, sizeof *s->x);
    s->x = px;
    ok = ok && tg_grow(&py, &s->y_cap, s->n + 1, sizeof *s->y);
    s->y = py;
    if (!ok) return tg_fail_memory(&in->rt.c);
    s->x[s->n] = x;
    s->y[s->n++] = y;
    return true;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The usual values: what 90 of 100 lie within. */
static bool usual(const double *y, double *lo, double *hi) {
    *lo = *hi = 0;
    double sorted[SAMPLES];
    int n = 0;
    for (int i = 0; i < SAMPLES; i++)
        if (isfinite(y[i])) sorted[n++] = y[i];
    if (n == 0) return false;
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    *lo = sorted[n / 20];
    *hi = sorted[n - 1 - n / 20];
    return true;
}

typedef struct gap {
    double a, ya, b, yb;
    bool is, pole;
} gap;

/* Does the curve jump between two samples? Then g holds both sides of it. */
static bool look_closer(tg_interp *in, tg_curve *c, gap *g) {
    double far = fabs(g->yb - g->ya), most = fmax(fabs(g->ya), fabs(g->yb));
    for (int k = 0; k < HALVINGS; k++) {
        double m = g->a + (g->b - g->a) / 2, ym;
        if (!(m > g->a && m < g->b)) break;
        if (!at_one(in, c, m, &ym)) return false;
        if (!isfinite(ym)) {
            g->is = true;
            g->pole = g->pole || isinf(ym);
            return true;
        }
        if (fabs(ym - g->ya) > fabs(g->yb - ym)) {
            g->b = m;
            g->yb = ym;
        } else {
            g->a = m;
            g->ya = ym;
        }
        if (fabs(g->yb - g->ya) < far / 4) return true;
    }
    g->is = true;
    g->pole = fmax(fabs(g->ya), fabs(g->yb)) > 50 * most + far;
    return true;
}

/* Is the largest sample on the way to a pole? Goes uphill around it. */
static bool climb(tg_interp *in, tg_curve *c, double a, double b, double top, bool *pole) {
    double x = a + (b - a) / 2, step = (b - a) / 4, best = top;
    for (int k = 0; k < HALVINGS; k++) {
        double side[2] = {x - step, x + step}, y;
        for (int i = 0; i < 2; i++) {
            if (side[i] < a || side[i] > b) continue;
            if (!at_one(in, c, side[i], &y)) return false;
            if (isinf(y)) *pole = true;
            if (!(fabs(y) > best)) continue;
            best = fabs(y);
            x = side[i];
        }
        step /= 2;
    }
    if (best > 50 * top) *pole = true;
    return true;
}

bool tg_curve_sample(tg_interp *in, tg_curve *c, const tg_scale *along, tg_samples *out) {
    double x[SAMPLES], y[SAMPLES], lo, hi;
    int looks = 0, top = -1;
    for (int i = 0; i < SAMPLES; i++) {
        double t = i / (double)(SAMPLES - 1);
        x[i] = along->log ? along->lo * pow(along->hi / along->lo, t)
                          : along->lo * (1 - t) + along->hi * t;
        if (!at_one(in, c, x[i], &y[i])) return false;
        if (isinf(y[i])) out->pole = true;
        if (isfinite(y[i]) && (top < 0 || fabs(y[i]) > fabs(y[top]))) top = i;
    }
    bool any = usual(y, &lo, &hi);
    for (int i = 0; i < SAMPLES; i++) {
        if (!add(in, out, x[i], y[i])) return false;
        if (i + 1 == SAMPLES || looks == LOOKS) continue;
        gap g = {x[i], y[i], x[i + 1], y[i + 1], false, false};
        if (!(fabs(g.yb - g.ya) > (hi - lo) / 8)) continue;
        looks++;
        if (!look_closer(in, c, &g)) return false;
        out->pole = out->pole || g.pole;
        if (g.is && !(add(in, out, g.a, g.ya) && add(in, out, NAN, NAN) && add(in, out, g.b, g.yb)))
            return false;
    }
    bool high = any && top >= 0 && fabs(y[top]) > 3 * fmax(fabs(lo), fabs(hi));
    if (high && !out->pole &&
        !climb(in, c, x[top > 0 ? top - 1 : 0], x[top + 1 < SAMPLES ? top + 1 : top], fabs(y[top]),
               &out->pole))
        return false;
    out->lo = INFINITY;
    out->hi = -INFINITY;
    double more = 0.6 * (hi - lo);
    for (int i = 0; any && i < SAMPLES; i++) {
        if (!isfinite(y[i]) || (out->pole && (y[i] < lo - more || y[i] > hi + more))) continue;
        out->lo = fmin(out->lo, y[i]);
        out->hi = fmax(out->hi, y[i]);
    }
    return true;
}

/* ---- what it is called ---- */

bool tg_curve_title(tg_interp *in, tg_value what, tg_str *out) {
    enum { LIMIT = 200 };
    tg_str text = {0};
    bool ok, echo = in->echo;
    if (what.tag == TG_V_FORMULA) {
        const char *label = what.as.node->label;
        if (label) tg_str_addf(&text, "%s = ", label);
        ok = tg_node_print_with(&in->rt, &text, what.as.node, &(tg_print_options){.limit = LIMIT});
    } else {
        in->echo = false; /* no colours */
        ok = tg_show_echo(in, NULL, what, &text);
        in->echo = echo;
    }
    const char *all = tg_str_text(&text);
    size_t line = strcspn(all, "\n");
    const char *brace = memchr(all, '{', line), *equals = brace ? strstr(all, " = ") : NULL;
    if (equals && equals < brace) line = (size_t)(equals - all); /* f(x) = { ... */
    tg_str_addn(out, all, line);
    if (text.failed) out->failed = true;
    tg_str_free(&text);
    return ok && (!out->failed || tg_fail_memory(&in->rt.c));
}

void tg_curve_short(const char *title, tg_str *out) {
    enum { SHORT = 24 };
    const char *equals = strstr(title, " = ");
    bool all = tg_utf8_width(title, strlen(title)) <= SHORT || !equals;
    tg_str_addn(out, title, all ? strlen(title) : (size_t)(equals - title));
}
