/* Points where formulas are known to part. Random points near 0 tell apart what differs nearly
 * everywhere; relu(x + 5) and x + 5 differ below -5, where(x == 3, 0, x) and x in one point. Where
 * a formula changes its course is written in it: so from the last random point one element of one
 * cell is moved to each number that stands in the formulas, to its negative, a little to both
 * sides, and twice as far; and then to several magnitudes that stand nowhere.
 *
 * Far out, rounding is larger than elsewhere (1 - sigmoid(30) has three digits left). A difference
 * there counts only if it is far above what it changes by when the point moves by 1e-10 of itself:
 * that is smooth where the formulas can be computed, and noise where they cannot.
 *
 * The same tells where rounding hides that there is no value: a singular matrix has an inverse as
 * soon as its last pivot is 1e-17 and not 0, and none at the next point. */
#include "runtime/graph/sample.h"
#include "base/alloc.h"

#include <math.h>

enum { PLACES = 8, FAR_PLACES = 6, WAVERS = 3 };
static const double nudge = 1e-10;

/* The place-th around the number c. */
static double around(double c, int place) {
    double step = fmax(0.01, 1e-3 * c);
    const double at[PLACES] = {c, -c, c - step, c + step, step - c, -c - step, 2 * c, -2 * c};
    return at[place];
}

static bool movable(const tg_sample *s, size_t i) {
    const tg_sample_cell *c = &s->cells[i];
    return c->below == 0 && s->base[i] && tg_dtype_is_float(c->twin->type.dtype) &&
           tg_view_count(&s->base[i]->v) > 0;
}

/* All cells where they were, but element `at` of cell i. */
static bool move(tg_sample *s, size_t i, int64_t at, double x) {
    for (size_t k = 0; k < s->ncells; k++) {
        tg_tensor *t = tg_tensor_convert(&s->rt->c, &s->base[k]->v, s->base[k]->v.dtype);
        if (!t) return false;
        if (k == i) tg_view_set(&t->v, at, x);
        tg_sample_set(&s->cells[k], t);
    }
    return true;
}

bool tg_sample_probe(tg_sample *s, int *k, bool *finite) {
    static const double far[FAR_PLACES] = {-20, 20, -1000, 1000, -1e5, 1e5};
    int near = s->nnumbers * PLACES, each = near + FAR_PLACES;
    bool obeys;
    *finite = false;
    while ((size_t)(*k / each) < s->ncells && !movable(s, (size_t)(*k / each)))
        *k += each - *k % each;
    size_t i = (size_t)(*k / each);
    if (i >= s->ncells) {
        *k = -1;
        return true;
    }
    int j = (*k)++ % each;
    double x = j < near ? around(s->number[j / PLACES], j % PLACES) : far[j - near];
    if (!move(s, i, j % tg_view_count(&s->base[i]->v), x) || !tg_sample_project(s, &obeys))
        return false;
    s->quiet = j >= near; /* too far for exp is no news */
    bool ok = !obeys || tg_sample_eval(s, finite);
    s->quiet = false;
    return ok;
}

/* The cells a little further out than `from` has them. */
static bool nudged(tg_sample *s, tg_tensor *const *from, double by) {
    for (size_t i = 0; i < s->ncells; i++) {
        tg_tensor *t = tg_tensor_convert(&s->rt->c, &from[i]->v, from[i]->v.dtype);
        if (!t) return false;
        for (int64_t e = 0; tg_dtype_is_float(t->v.dtype) && e < tg_view_count(&t->v); e++) {
            double x = tg_view_get(&t->v, e);
            tg_view_set(&t->v, e, x == 0 ? by : x * (1 + by));
        }
        tg_sample_set(&s->cells[i], t);
    }
    return true;
}

static bool hold_point(const tg_sample *s, tg_tensor ***held) {
    *held = tg_alloc_array(s->ncells, sizeof **held);
    if (!*held) return tg_fail_memory(&s->rt->c);
    for (size_t i = 0; i < s->ncells; i++) (*held)[i] = tg_tensor_hold(s->cells[i].twin->value);
    return true;
}

static void back_to(tg_sample *s, tg_tensor **held) {
    for (size_t i = 0; i < s->ncells; i++) tg_sample_set(&s->cells[i], held[i]);
    tg_free(held);
}

bool tg_sample_waver(tg_sample *s, int64_t at, double *waver) {
    tg_tensor **here;
    double low = INFINITY, high = -INFINITY;
    bool ok = true, finite = true, was = s->quiet;
    if (!hold_point(s, &here)) return false;
    s->quiet = true;
    for (int k = 1; ok && finite && k <= WAVERS; k++) {
        ok = nudged(s, here, k * nudge) && tg_sample_eval(s, &finite);
        if (!ok || !finite) break;
        double d = tg_view_get(&s->value[0]->v, at) - tg_view_get(&s->value[1]->v, at);
        low = fmin(low, d);
        high = fmax(high, d);
    }
    *waver = finite ? high - low : INFINITY;
    back_to(s, here);
    ok = ok && tg_sample_eval(s, &finite);
    s->quiet = was;
    return ok;
}

/* Is a root not finite at a point next to this one? */
static bool is_lonely(tg_sample *s, tg_tensor *const *here, bool *lonely) {
    enum { NEIGHBOURS = 6 };
    bool finite = true;
    for (int k = 1; finite && k <= NEIGHBOURS; k++)
        if (!nudged(s, here, k * nudge) || !tg_sample_eval(s, &finite)) return false;
    *lonely = !finite;
    return true;
}

bool tg_sample_noise(tg_sample *s, bool *noise) {
    enum { LARGE_GRAPH = 200 };
    static const double huge = 1e12;
    tg_tensor **here;
    double scale = 0, other = 0;
    bool was = s->quiet, finite;
    *noise = false;
    if (s->count > LARGE_GRAPH) return true; /* each node is computed by itself */
    if (!hold_point(s, &here)) return false;
    s->quiet = true;
    bool ok = is_lonely(s, here, noise) && (*noise || tg_sample_scale(s, NULL, &scale));
    if (ok && scale > huge) {
        ok = nudged(s, here, nudge) && tg_sample_scale(s, NULL, &other);
        *noise = fabs(other - scale) > 1e-3 * scale;
    }
    back_to(s, here);
    ok = ok && tg_sample_eval(s, &finite);
    s->quiet = was;
    return ok;
}
