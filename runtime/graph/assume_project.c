/* Random values that keep to what is assumed of them.
 *
 * Each assumption about a single var or input has a projection of its own: bounds reflect or fold
 * numbers into the interval, a sum or mean along axes is set by scaling where the numbers are
 * positive and by shifting otherwise, a symmetric matrix is the mean of one and its mirror image,
 * an orthogonal one comes of Gram and Schmidt's process, done twice for the digits (Giraud et al.
 * 2005). Several are gone through in turns, as in Dykstra's alternating projections. What has no
 * projection is left to luck: at the end each assumption is checked, and those that do not hold are
 * told. */
#include "runtime/graph/assume.h"
#include "base/alloc.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct point {
    tg_rt *rt;
    int n;
    tg_cell *const *cell;
    tg_tensor *const *value;
} point;

static tg_tensor *value_of(const point *p, const tg_node *n) {
    for (int i = 0; n->op == &tg_op_cell && i < p->n; i++)
        if (p->cell[i] == n->leaf.cell) return p->value[i];
    return NULL;
}

/* ---- bounds ---- */

static tg_bounds negated(tg_bounds r) {
    return (tg_bounds){-r.hi, -r.lo, r.hi_open, r.lo_open, r.nonzero};
}

static double into(tg_bounds r, double x) {
    double width = r.hi - r.lo;
    if (x == 0 && r.nonzero) x = 0.5;
    if (tg_bounds_has(r, x)) return x;
    if (isfinite(width)) { /* folded, a little away from the ends */
        double t = fmod(fabs(x), 2);
        return r.lo + width * (0.02 + 0.96 * (t > 1 ? 2 - t : t));
    }
    if (isfinite(r.lo)) return r.lo + fmax(fabs(x - r.lo), r.lo_open || r.nonzero ? 1e-3 : 0);
    return r.hi - fmax(fabs(x - r.hi), r.hi_open || r.nonzero ? 1e-3 : 0);
}

static void bound(tg_tensor *t, tg_bounds r) {
    for (int64_t i = 0, n = tg_view_count(&t->v); i < n; i++)
        tg_view_set(&t->v, i, into(r, tg_view_get(&t->v, i)));
}

/* left op right of two names: the left one moves. */
static void bound_by(tg_tensor *a, const tg_tensor *b, tg_bounds difference) {
    int64_t n = tg_view_count(&a->v), m = tg_view_count(&b->v);
    if (m != n && m != 1) return;
    for (int64_t i = 0; i < n; i++) {
        double y = tg_view_get(&b->v, m == 1 ? 0 : i);
        tg_view_set(&a->v, i, y + into(difference, tg_view_get(&a->v, i) - y));
    }
}

/* ---- sums ---- */

/* Each line along the axes of the mask is made to sum to the total. */
static bool fix_lines(point *p, tg_tensor *t, int64_t axes, double total) {
    const tg_view *v = &t->v;
    int64_t count = tg_view_count(v), lines = 1;
    for (int d = 0; d < v->rank; d++)
        if (!(axes >> d & 1)) lines *= v->dim[d];
    double *sum = tg_alloc_array((size_t)(2 * lines + 1), sizeof *sum);
    if (!sum) return tg_fail_memory(&p->rt->c);
    double *low = sum + lines;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < count; i++) {
            int64_t line = 0, rest = i, step = 1;
            for (int d = v->rank; d-- > 0;) {
                if (!(axes >> d & 1)) {
                    line += rest % v->dim[d] * step;
                    step *= v->dim[d];
                }
                rest /= v->dim[d];
            }
            int64_t length = count / lines;
            double x = tg_view_get(v, i), each = (double)length;
            if (pass == 0)
                sum[line] += x, low[line] = fmin(low[line], x);
            else if (low[line] >= 0 && sum[line] > 0 && total > 0)
                tg_view_set(v, i, x * (total / sum[line]));
            else
                tg_view_set(v, i, x + (total - sum[line]) / each);
        }
    }
    tg_free(sum);
    return true;
}

static bool fix_sum(point *p, const tg_fact *f, tg_tensor *t) {
    const tg_node *key = f->key;
    if (!tg_node_is_number(f->to)) return true;
    double total = f->to->leaf.number;
    for (int d = 0; tg_node_is(key, "mean") && d < t->v.rank; d++)
        if (key->at->v[0] >> d & 1) total *= (double)t->v.dim[d];
    return tg_view_count(&t->v) == 0 || fix_lines(p, t, key->at->v[0], total);
}

/* ---- matrices ---- */

static void mirror(tg_tensor *t, double sign) {
    int r = t->v.rank;
    int64_t n = r >= 2 ? t->v.dim[r - 1] : 0;
    if (n == 0 || t->v.dim[r - 2] != n) return;
    for (int64_t at = 0, count = tg_view_count(&t->v); at < count; at += n * n)
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = 0; k <= i; k++) {
                int64_t a = at + i * n + k, b = at + k * n + i;
                double x = (tg_view_get(&t->v, a) + sign * tg_view_get(&t->v, b)) / 2;
                tg_view_set(&t->v, a, x);
                tg_view_set(&t->v, b, sign * x);
            }
}

/* Lines of a matrix: the i-th element of the k-th column, or row. */
static int64_t place(const tg_view *v, bool columns, int64_t k, int64_t i) {
    return columns ? i * v->dim[1] + k : k * v->dim[1] + i;
}

static double product(const tg_view *v, bool columns, int64_t a, int64_t b, int64_t n) {
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += tg_view_get(v, place(v, columns, a, i)) * tg_view_get(v, place(v, columns, b, i));
    return s;
}

static void orthonormal(tg_tensor *t, bool columns) {
    const tg_view *v = &t->v;
    if (v->rank != 2) return;
    int64_t lines = v->dim[columns ? 1 : 0], n = v->dim[columns ? 0 : 1];
    if (lines > n) return; /* there are no so many */
    for (int64_t k = 0; k < lines; k++) {
        for (int turn = 0; turn < 2; turn++)
            for (int64_t j = 0; j < k; j++) {
                double s = product(v, columns, k, j, n);
                for (int64_t i = 0; i < n; i++) {
                    int64_t at = place(v, columns, k, i);
                    double q = tg_view_get(v, place(v, columns, j, i));
                    tg_view_set(v, at, tg_view_get(v, at) - s * q);
                }
            }
        double length = sqrt(product(v, columns, k, k, n));
        for (int64_t i = 0; i < n && length > 0; i++) {
            int64_t at = place(v, columns, k, i);
            tg_view_set(v, at, tg_view_get(v, at) / length);
        }
    }
}

/* ---- one assumption ---- */

static bool project(point *p, const tg_fact *f, int turn) {
    assert(f->key || f->kind == TG_FACT_BOUND || f->kind == TG_FACT_ORTHOGONAL);
    tg_tensor *t = f->key ? value_of(p, f->key) : NULL, *u;
    switch (f->kind) {
    case TG_FACT_BOUND:
        if (t) bound(t, f->range);
        t = f->key ? NULL : value_of(p, f->left);
        u = f->key ? NULL : value_of(p, f->right);
        if (t && u && turn % 2 == 0) bound_by(t, u, f->range);
        if (t && u && turn % 2 == 1) bound_by(u, t, negated(f->range));
        return true;
    case TG_FACT_MIRROR:
        if (t) mirror(t, f->sign);
        return true;
    case TG_FACT_ORTHOGONAL:
        if ((t = value_of(p, f->right)))
            orthonormal(t, true);
        else if ((t = value_of(p, f->left)))
            orthonormal(t, false);
        return true;
    case TG_FACT_EQUAL: break;
    }
    if (t && tg_node_is_number(f->to)) {
        for (int64_t i = 0, n = tg_view_count(&t->v); i < n; i++)
            tg_view_set(&t->v, i, f->to->leaf.number);
    } else if (t && (u = value_of(p, f->to))) {
        bound_by(t, u, (tg_bounds){0});
    } else if (tg_node_is(f->key, "sum") || tg_node_is(f->key, "mean")) {
        t = value_of(p, f->key->arg[0]);
        return !t || fix_sum(p, f, t);
    } else if (tg_node_is(f->key, "norm") && tg_node_is_number(f->to) &&
               (t = value_of(p, f->key->arg[0]))) {
        double s = 0, want = f->to->leaf.number;
        int64_t n = tg_view_count(&t->v);
        if (f->key->at->v[0] != (INT64_C(1) << t->v.rank) - 1) return true;
        for (int64_t i = 0; i < n; i++) s += tg_view_get(&t->v, i) * tg_view_get(&t->v, i);
        for (int64_t i = 0; i < n && s > 0; i++)
            tg_view_set(&t->v, i, tg_view_get(&t->v, i) * (want / sqrt(s)));
    }
    return true;
}

/* Which of them hold: the values as their cells would store them. */
static bool review(point *p, uint32_t which, uint32_t *unmet) {
    tg_tensor **stored = tg_alloc_array((size_t)p->n + 1, sizeof *stored);
    bool ok = stored ? true : tg_fail_memory(&p->rt->c);
    for (int i = 0; ok && i < p->n; i++)
        ok = (stored[i] = tg_tensor_convert(&p->rt->c, &p->value[i]->v, p->cell[i]->type.dtype)) !=
             NULL;
    for (int i = 0; ok && i < TG_FACTS; i++) {
        if (!(which >> i & 1)) continue;
        int how = tg_assume_holds(p->rt, i, p->n, p->cell, stored, false);
        ok = how != TG_ASSUME_ERROR;
        if (how != TG_ASSUME_HOLDS) *unmet |= UINT32_C(1) << i;
    }
    for (int i = 0; stored && i < p->n; i++) tg_tensor_drop(stored[i]);
    tg_free(stored);
    return ok;
}

bool tg_assume_project(tg_rt *rt, int ncells, tg_cell *const *cell, tg_tensor *const *value,
                       uint32_t *unmet) {
    enum { TURNS = 6 };
    point p = {rt, ncells, cell, value};
    uint32_t which = 0, open = 0;
    for (int i = 0; i < ncells && rt->assumed->in_force; i++)
        which |= tg_assume_on_cell(rt, cell[i]);
    bool ok = true;
    for (int turn = 0; ok && which && turn < TURNS; turn++) {
        for (int i = 0; ok && i < TG_FACTS; i++)
            if (which >> i & 1) ok = project(&p, &rt->assumed->fact[i], turn);
        open = 0;
        ok = ok && review(&p, which, &open);
        if (ok && !open) break;
    }
    if (unmet) *unmet = open;
    return ok;
}
