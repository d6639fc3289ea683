/* Do the data keep to what is assumed of them?
 *
 * Both sides of the condition, as they were written, are evaluated by a plan, which is compiled
 * once for the shapes of the data. An equation holds where it holds exactly, which costs one
 * comparison an element; only where it does not, the tolerance is worked out: the two sides may
 * differ by
 *
 *     16 * eps * sqrt(n) * (the largest absolute value in the sides and in the data)
 *
 * eps being that of the coarsest type of the two, and n the longest axis among the data, or how
 * many of their elements there are to one of the result if that is more: rounding errors of a sum
 * of n terms grow as sqrt(n) (Higham 2002, ch. 4). <= and >= are given the same room, but for
 * names, whose elements are what they are; <, > and != are exact. A NaN breaks everything. */
#include "runtime/graph/assume.h"
#include "runtime/plan/plan.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- the sides ---- */

/* Both sides in the shape of the condition; a side that is a number is never evaluated. */
typedef struct sides {
    tg_tensor *t[2]; /* NULL: a number */
    double number[2];
    tg_view v[2]; /* stretched by strides of 0 */
    int64_t count;
    int rank;
    int64_t dim[TG_MAX_RANK];
} sides;

static void drop(sides *s) {
    tg_tensor_drop(s->t[0]);
    tg_tensor_drop(s->t[1]);
}

/* The shape of what the two broadcast to, and each seen in it. */
static void stretch(sides *s) {
    for (int i = 0; i < 2; i++)
        if (s->t[i] && s->t[i]->v.rank > s->rank) s->rank = s->t[i]->v.rank;
    for (int d = 0; d < s->rank; d++) s->dim[d] = 1;
    for (int i = 0; i < 2; i++) {
        const tg_view *v = s->t[i] ? &s->t[i]->v : NULL;
        for (int d = 0; v && d < v->rank; d++) {
            int64_t *to = &s->dim[d + s->rank - v->rank];
            if (v->dim[d] != 1) *to = v->dim[d];
        }
    }
    s->count = 1;
    for (int d = 0; d < s->rank; d++) s->count *= s->dim[d];
    for (int i = 0; i < 2; i++) {
        if (!s->t[i]) continue;
        const tg_view *v = &s->t[i]->v;
        tg_view *to = &s->v[i];
        *to = (tg_view){.data = v->data, .dtype = v->dtype, .rank = s->rank};
        memcpy(to->dim, s->dim, sizeof to->dim);
        for (int d = 0; d < v->rank; d++)
            if (v->dim[d] != 1) to->stride[d + s->rank - v->rank] = v->stride[d];
    }
}

static double element(const sides *s, int side, int64_t i) {
    if (!s->t[side]) return s->number[side];
    return tg_view_get(s->t[side]->v.rank == 0 ? &s->t[side]->v : &s->v[side],
                       s->t[side]->v.rank == 0 ? 0 : i);
}

/* False with TG_ERR_DATA or TG_ERR_SHAPE: the data are not all there, or do not agree in size. */
static bool evaluate(tg_rt *rt, const tg_fact *f, int ncells, tg_cell *const *cell,
                     tg_tensor *const *value, sides *s) {
    tg_node *root[2];
    tg_tensor *out[2] = {0};
    int n = 0;
    *s = (sides){0};
    for (int i = 0; i < 2; i++)
        if (!tg_node_is_number(f->condition->arg[i])) root[n++] = f->condition->arg[i];
    if (!tg_plan_eval_with(rt, n, root, ncells, cell, value, out)) return false;
    n = 0;
    for (int i = 0; i < 2; i++)
        if (tg_node_is_number(f->condition->arg[i]))
            s->number[i] = f->condition->arg[i]->leaf.number;
        else
            s->t[i] = out[n++];
    stretch(s);
    return true;
}

/* ---- comparing ---- */

static bool holds(const char *op, double a, double b, double room) {
    if (op[0] == '=') return a == b || fabs(a - b) <= room;
    if (op[0] == '!') return a < b || a > b;
    if (op[0] == '<') return op[1] ? a <= b + room : a < b;
    return op[1] ? a >= b - room : a > b;
}

/* The first element at or after `from` that breaks it, or -1. Without room, and on plain memory, by
 * a loop that the compiler can make fast. */
static int64_t first_broken(const sides *s, const char *op, double room, int64_t from) {
    if (room == 0 && op[0] == '=' && s->t[0] && !s->t[1] && tg_view_is_contiguous(&s->v[0])) {
        const double *d = s->v[0].data;
        const float *f = s->v[0].data;
        double want = s->number[1];
        if (s->v[0].dtype == TG_F64)
            while (from < s->count && d[from] == want) from++;
        else if (s->v[0].dtype == TG_F32)
            while (from < s->count && (double)f[from] == want) from++;
    }
    for (; from < s->count; from++)
        if (!holds(op, element(s, 0, from), element(s, 1, from), room)) return from;
    return -1;
}

static double largest(const tg_view *v) {
    double most = 0;
    for (int64_t i = 0, n = tg_view_count(v); i < n; i++) {
        double x = fabs(tg_view_get(v, i));
        if (isfinite(x) && x > most) most = x;
    }
    return most;
}

static bool is_name(const tg_node *n) {
    return n->op->class == TG_CLASS_LEAF;
}

/* How far apart the sides may be. */
static double room_for(const tg_fact *f, const char *op, const sides *s, int ncells,
                       tg_cell *const *cell, tg_tensor *const *value) {
    if (op[0] == '!' || (op[0] != '=' && !op[1])) return 0;
    if (op[0] != '=' && is_name(f->condition->arg[0]) && is_name(f->condition->arg[1])) return 0;
    double eps = 0, scale = 0, longest = 1;
    for (int i = 0; i < 2; i++) {
        if (s->t[i]) scale = fmax(scale, largest(&s->t[i]->v));
        if (!s->t[i] && isfinite(s->number[i])) scale = fmax(scale, fabs(s->number[i]));
        if (s->t[i] && s->t[i]->v.dtype == TG_F64) eps = fmax(eps, DBL_EPSILON);
        if (s->t[i] && s->t[i]->v.dtype == TG_F32) eps = fmax(eps, FLT_EPSILON);
    }
    for (size_t k = 0; k < f->ncells; k++) {
        const tg_tensor *t = f->cell[k]->value;
        for (int i = 0; i < ncells; i++)
            if (cell[i] == f->cell[k]) t = value[i];
        if (!t) continue;
        scale = fmax(scale, largest(&t->v));
        for (int d = 0; d < t->v.rank; d++) longest = fmax(longest, (double)t->v.dim[d]);
        if (s->count > 0) longest = fmax(longest, (double)tg_view_count(&t->v) / (double)s->count);
    }
    return 16 * eps * sqrt(longest) * scale;
}

/* ---- saying so ---- */

/* "row 17", of what sums over the columns; "element [3, 4]". */
static void add_place(const tg_fact *f, const sides *s, int64_t at, tg_str *out) {
    const tg_node *n = f->condition->arg[s->t[0] && s->t[0]->v.rank == s->rank ? 0 : 1];
    bool lines = s->rank == 1 && n->op->class == TG_CLASS_REDUCE && n->arg[0]->type.rank == 2;
    if (s->rank == 1) {
        const char *what = !lines ? "element" : n->at->v[0] == 2 ? "row" : "column";
        tg_str_addf(out, "%s %lld", what, (long long)at);
        return;
    }
    tg_view whole = {.rank = s->rank};
    memcpy(whole.dim, s->dim, sizeof whole.dim);
    tg_str_add(out, "element ");
    tg_view_add_place(&whole, at, out);
}

static bool complain(tg_rt *rt, const tg_fact *f, const sides *s, int64_t at) {
    tg_str place = {0};
    double a = element(s, 0, at), b = element(s, 1, at);
    if (isnan(a)) a = NAN; /* without a sign */
    if (isnan(b)) b = NAN;
    bool one = !s->t[0] || !s->t[1];
    if (s->rank > 0) add_place(f, s, at, &place);
    if (place.failed) {
        tg_str_free(&place);
        return tg_fail_memory(&rt->c);
    }
    const char *where = tg_str_text(&place);
    if (one && s->rank == 0)
        tg_fail(&rt->c, TG_ERR_VALUE, "%s does not hold: it is %.6g", f->text, s->t[0] ? a : b);
    else if (one)
        tg_fail(&rt->c, TG_ERR_VALUE, "%s does not hold: %s %s %.6g", f->text, where,
                where[0] == 'e' ? "is" : "has", s->t[0] ? a : b);
    else
        tg_fail(&rt->c, TG_ERR_VALUE,
                "%s does not hold: %s%s%.6g on the left and %.6g on the right", f->text, where,
                s->rank ? " has " : "it is ", a, b);
    tg_str_free(&place);
    return tg_help(&rt->c, "data must keep to what is assumed; unassume(%s) drops it", f->text);
}

/* ---- the interface ---- */

/* Has each cell under f data? */
static bool has_data(const tg_fact *f, int ncells, tg_cell *const *cell, bool *touched) {
    *touched = ncells == 0;
    for (size_t k = 0; k < f->ncells; k++) {
        bool given = false;
        for (int i = 0; i < ncells; i++) given = given || cell[i] == f->cell[k];
        *touched = *touched || given;
        if (!given && !f->cell[k]->value) return false;
    }
    return true;
}

int tg_assume_holds(tg_rt *rt, int number, int ncells, tg_cell *const *cell,
                    tg_tensor *const *value, bool complaining) {
    const tg_fact *f = &rt->assumed->fact[number];
    const char *op = f->condition->op->symbol;
    bool touched;
    sides s;
    if (!has_data(f, ncells, cell, &touched) || !touched) return TG_ASSUME_WAITS;
    if (!evaluate(rt, f, ncells, cell, value, &s)) {
        tg_err kind = rt->c.diag.kind;
        if (kind != TG_ERR_DATA && kind != TG_ERR_SHAPE) return TG_ASSUME_ERROR;
        tg_clear(&rt->c);
        return TG_ASSUME_WAITS;
    }
    int64_t at = first_broken(&s, op, 0, 0);
    if (at >= 0) {
        double room = room_for(f, op, &s, ncells, cell, value);
        if (room > 0) at = first_broken(&s, op, room, at);
    }
    if (at >= 0 && complaining) complain(rt, f, &s, at);
    drop(&s);
    return at < 0 ? TG_ASSUME_HOLDS : TG_ASSUME_BREAKS;
}

bool tg_assume_check(tg_rt *rt, uint32_t which, int ncells, tg_cell *const *cell,
                     tg_tensor *const *value) {
    which &= rt->assumed->in_force;
    for (int i = 0; which; i++, which >>= 1) {
        if (!(which & 1)) continue;
        int how = tg_assume_holds(rt, i, ncells, cell, value, true);
        if (how == TG_ASSUME_BREAKS || how == TG_ASSUME_ERROR) return false;
    }
    return true;
}
