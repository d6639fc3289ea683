/* Central differences, extrapolated. (y(t) - y(-t)) / 2t is off by c2 t^2 + c4 t^4 + ...; from its
 * values at a row of shrinking t these terms are removed one by one (Ridders 1982), and of all
 * entries of the tableau the one is taken that differs least from its neighbours: a large t has too
 * much curvature, a small one too much rounding, and the tableau finds the middle by itself. Smooth
 * functions come out to 10 or 12 digits.
 *
 * A kink is where the one-sided slopes differ and go on differing as t shrinks a hundredfold, while
 * those of a curved function come together. */
#include "runtime/graph/difference.h"
#include "base/alloc.h"
#include "runtime/graph/substitute.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <string.h>

enum { LEVELS = 10, SHRINKS = 14 };
static const double shrink = 1.6, first_step = 0.02;

/* An error that is about this point only is no error. */
static bool grave(const tg_rt *rt) {
    tg_err e = rt->c.diag.kind;
    return e == TG_ERR_MEMORY || e == TG_ERR_INTERRUPT || e == TG_ERR_DEPTH;
}

static bool scalar_now(tg_rt *rt, tg_node *y, double *out) {
    tg_tensor *t = NULL;
    *out = NAN;
    if (tg_plan_eval(rt, 1, &y, &t)) {
        *out = tg_view_get(&t->v, 0);
        tg_tensor_drop(t);
        return true;
    }
    if (grave(rt)) return false;
    tg_clear(&rt->c);
    return true;
}

static bool put(tg_difference *d, tg_tensor *value) {
    tg_tensor_drop(d->moved->value);
    d->moved->value = value;
    d->moved->version++;
    return true;
}

/* The outermost operation under y that stops derivatives; NULL: there is none, or (*ok) an error.
 */
static tg_node *find_stop(tg_rt *rt, tg_node *y, bool *ok) {
    tg_node **node, *found = NULL;
    size_t count;
    *ok = tg_node_collect(rt, 1, &y, &node, &count);
    for (size_t i = *ok ? count : 0; i-- > 0 && !found;)
        if (node[i]->op->stops) found = node[i];
    if (*ok) tg_free(node);
    return found;
}

/* y with what stop(...) holds as the numbers that it is here: a derivative does not move it, so
 * differences must not. NULL: an error. */
static tg_node *hold_stopped(tg_rt *rt, tg_node *y) {
    bool ok = true;
    for (tg_node *stop; y && (stop = find_stop(rt, y, &ok));) {
        tg_tensor *t = NULL;
        if (!tg_plan_eval(rt, 1, &stop, &t)) return NULL;
        tg_node *held = tg_node_const(rt, t, NULL);
        tg_tensor_drop(t);
        y = held ? tg_node_substitute(rt, y, stop, held) : NULL;
    }
    return ok ? y : NULL;
}

bool tg_difference_begin(tg_difference *d, const tg_sample *s, const tg_node *y, const tg_node *x,
                         bool *usable) {
    tg_rt *rt = s->rt;
    tg_node *yc = tg_sample_copy(s, y), *xc = tg_sample_copy(s, x);
    tg_tensor *t = NULL;
    *d = (tg_difference){.rt = rt};
    *usable = false;
    if (!yc || !xc || yc->type.rank != 0 || !tg_dtype_is_float(xc->type.dtype)) return true;
    if (!tg_plan_eval(rt, 1, &xc, &t)) {
        if (grave(rt)) return false;
        tg_clear(&rt->c);
        return true;
    }
    d->base = tg_tensor_convert(&rt->c, &t->v, TG_F64);
    tg_tensor_drop(t);
    if (!d->base) return false;
    tg_type type = {.dtype = TG_F64, .rank = d->base->v.rank};
    memcpy(type.dim, d->base->v.dim, sizeof type.dim);
    d->count = tg_view_count(&d->base->v);
    d->moved = tg_cell_new(rt, TG_CELL_VAR, NULL, &type, d->base);
    tg_node *cell = d->moved ? tg_node_cell(rt, d->moved) : NULL;
    yc = cell ? hold_stopped(rt, yc) : NULL;
    d->y = yc ? tg_node_substitute(rt, yc, xc, cell) : NULL;
    if (!d->y || !scalar_now(rt, d->y, &d->value)) {
        tg_difference_end(d);
        return false;
    }
    *usable = isfinite(d->value);
    return true;
}

void tg_difference_end(tg_difference *d) {
    tg_cell_drop(d->moved);
    tg_tensor_drop(d->base);
    *d = (tg_difference){0};
}

/* y at x + t * direction. */
static bool at(tg_difference *d, const double *direction, int64_t k, double t, double *out) {
    tg_tensor *x = tg_tensor_convert(&d->rt->c, &d->base->v, TG_F64);
    if (!x) return false;
    double *v = x->v.data;
    if (!direction) v[k] += t;
    for (int64_t i = 0; direction && i < d->count; i++) v[i] += t * direction[i];
    put(d, x);
    return scalar_now(d->rt, d->y, out);
}

static bool central(tg_difference *d, const double *direction, int64_t k, double t, double *out) {
    double up, down;
    if (!at(d, direction, k, t, &up) || !at(d, direction, k, -t, &down)) return false;
    *out = (up - down) / (2 * t);
    return true;
}

/* How far x is from 0 where it moves: the measure of a small step. */
static double length(const tg_difference *d, const double *direction, int64_t k) {
    const double *x = d->base->v.data;
    double most = 1;
    if (!direction) return fmax(1, fabs(x[k]));
    for (int64_t i = 0; i < d->count; i++)
        if (direction[i] != 0) most = fmax(most, fabs(x[i]));
    return most;
}

static bool extrapolate(tg_difference *d, const double *direction, int64_t k, double t,
                        tg_slope *out) {
    double a[LEVELS][LEVELS];
    out->error = INFINITY;
    for (int i = 0; i < LEVELS; i++) {
        if (!central(d, direction, k, t, &a[0][i])) return false;
        double factor = 1;
        if (i == 0) out->slope = a[0][0], out->step = t;
        for (int j = 1; j <= i; j++) {
            factor *= shrink * shrink;
            a[j][i] = (a[j - 1][i] * factor - a[j - 1][i - 1]) / (factor - 1);
            double off = fmax(fabs(a[j][i] - a[j - 1][i]), fabs(a[j][i] - a[j - 1][i - 1]));
            if (!(off <= out->error)) continue;
            out->error = off;
            out->slope = a[j][i];
            out->step = t;
        }
        t /= shrink;
    }
    return true;
}

static bool one_sided(tg_difference *d, const double *direction, int64_t k, double t,
                      tg_slope *out) {
    double up, down;
    if (!at(d, direction, k, t, &up) || !at(d, direction, k, -t, &down)) return false;
    out->right = (up - d->value) / t;
    out->left = (d->value - down) / t;
    return true;
}

bool tg_difference_slope(tg_difference *d, const double *direction, int64_t k, tg_slope *out) {
    *out = (tg_slope){0};
    double size = length(d, direction, k), t = first_step * size, slope = NAN;
    for (int i = 0; i < SHRINKS && !out->finite; i++) { /* near the edge of the domain */
        if (!central(d, direction, k, t, &slope)) return false;
        out->finite = isfinite(slope);
        if (!out->finite) t /= 4;
    }
    if (!out->finite) return true;
    if (!extrapolate(d, direction, k, t, out)) return false;
    double h = fmin(t, 1e-4 * size);
    if (!one_sided(d, direction, k, h, out)) return false;
    double gap = fabs(out->right - out->left);
    if (!one_sided(d, direction, k, h / 100, out)) return false;
    double still = fabs(out->right - out->left), noise = 1e-13 * fabs(d->value) / h;
    out->kink =
        still > 0.5 * gap && still > 1e-3 * fmax(fabs(out->left), fabs(out->right)) + 100 * noise;
    out->finite = isfinite(out->slope);
    return true;
}

/* ---- whose kink ---- */

/* The values of n at x - t, x and x + t, along one element. False: an error; NULLs: no values. */
static bool around(tg_difference *d, tg_node *n, int64_t k, double t, tg_tensor *value[3]) {
    for (int i = 0; i < 3; i++) value[i] = NULL;
    for (int i = 0; i < 3; i++) {
        tg_tensor *x = tg_tensor_convert(&d->rt->c, &d->base->v, TG_F64);
        if (!x) return false;
        ((double *)x->v.data)[k] += (i - 1) * t;
        put(d, x);
        if (tg_plan_eval(d->rt, 1, &n, &value[i])) continue;
        if (grave(d->rt)) return false;
        tg_clear(&d->rt->c);
        return true;
    }
    return true;
}

/* The greatest difference between the slopes on both sides of any element of n. */
static bool widest_gap(tg_difference *d, tg_node *n, int64_t k, double t, double *gap) {
    tg_tensor *v[3];
    bool ok = around(d, n, k, t, v);
    *gap = 0;
    int64_t count = ok && v[0] && v[1] && v[2] ? tg_view_count(&v[0]->v) : 0;
    for (int64_t i = 0; i < count; i++) {
        double low = tg_view_get(&v[0]->v, i), mid = tg_view_get(&v[1]->v, i),
               high = tg_view_get(&v[2]->v, i);
        double g = fabs(high - 2 * mid + low) / t;
        if (g > *gap) *gap = g;
    }
    for (int i = 0; i < 3; i++) tg_tensor_drop(v[i]);
    return ok;
}

bool tg_difference_kink(tg_difference *d, const tg_sample *s, const tg_node *y, tg_node *x,
                        int64_t k, const tg_op **op) {
    *op = NULL;
    double t = 1e-4 * length(d, NULL, k);
    tg_node *from = tg_sample_copy(s, x), *cell = tg_node_cell(d->rt, d->moved);
    if (!cell) return false;
    for (size_t i = 0; i < s->count && s->node[i]->id <= y->id && !*op; i++) {
        tg_node *n = s->node[i];
        double wide, narrow;
        if (n->id <= x->id || !tg_dtype_is_float(n->type.dtype) || !tg_node_depends(d->rt, n, x))
            continue;
        tg_node *moved = tg_node_substitute(d->rt, s->made[i], from, cell);
        if (!moved || !widest_gap(d, moved, k, t, &wide) ||
            !widest_gap(d, moved, k, t / 100, &narrow))
            return false;
        if (narrow > 0.5 * wide && narrow > 1e-4) *op = n->op;
    }
    return d->rt->c.diag.kind == TG_ERR_NONE;
}
