/* Checking the lines of a derivation. At a random point each part is moved along a random direction
 * D, and y is computed on both sides: the slope must be the sum of the line's formula times D. So a
 * line is checked by itself, with no use of the lines around it. */
#include "base/alloc.h"
#include "runtime/graph/derive_steps.h"
#include "runtime/graph/difference.h"

#include <math.h>

enum { TRIES = 3 };
static const double most_work =
    3e6; /* elements of a formula that is still computed 30 times a line */

/* The formula of the line at the point, times the direction. */
static double along(const tg_tensor *g, const double *direction, double *size) {
    int64_t count = tg_view_count(&g->v);
    double sum = 0;
    *size = 0;
    for (int64_t k = 0; k < count; k++) {
        double part = tg_view_get(&g->v, k) * direction[k];
        sum += part;
        *size += fabs(part);
    }
    return sum;
}

static bool agree(double a, double b, double size, double error, double y) {
    return fabs(a - b) <= 1e-6 * fmax(size, fabs(b)) + 20 * error + 1e-10 * fmax(1, fabs(y));
}

/* The line that roots first and first + 1 of the sampler belong to. *kink: ask elsewhere. */
static bool check_line(tg_sample *p, tg_steps *s, tg_derive_step *x, int first, int roots,
                       bool *kink) {
    tg_difference d;
    bool usable;
    *kink = false;
    if (!tg_difference_begin(&d, p, s->y, x->node, &usable)) return false;
    double *direction = usable ? tg_alloc_array((size_t)d.count, sizeof *direction) : NULL;
    bool ok = !usable || direction ? true : tg_fail_memory(&s->rt->c);
    if (ok && usable && tg_view_count(&p->value[first]->v) == d.count) {
        tg_slope m;
        for (int64_t k = 0; k < d.count; k++) direction[k] = 2 * tg_sample_uniform(p) - 1;
        ok = tg_difference_slope(&d, direction, 0, &m);
        x->reason = !m.finite ? "not finite nearby" : NULL;
        if (ok && m.finite && m.kink) {
            *kink = true;
            x->reason = "at a kink";
        } else if (ok && m.finite) {
            x->tick = TG_TICK_RIGHT;
            for (int i = first; i < first + roots; i++) {
                double size, g = along(p->value[i], direction, &size);
                bool right = agree(g, m.slope, size, m.error, d.value);
                bool steep = size * m.step > 10 * fmax(1, fabs(d.value)); /* a chaotic net */
                if (!right && steep) x->reason = "too steep for difference quotients";
                if (!right) x->tick = steep ? TG_TICK_NONE : TG_TICK_WRONG;
                if (!right) break;
            }
        }
    } else {
        x->reason = "it is not computed in floating point";
    }
    tg_free(direction);
    tg_difference_end(&d);
    return ok;
}

static void excuse(tg_steps *s, const char *reason) {
    for (size_t i = 0; i < s->n; i++)
        if (s->step[i].shown && s->step[i].tick == TG_TICK_NONE && !s->step[i].reason)
            s->step[i].reason = reason;
}

static bool check_all(tg_sample *p, tg_steps *s) {
    bool fits, found = true, again = true;
    if (!tg_sample_resize(p, 0, &fits)) return false;
    if (!fits) {
        excuse(s, "no sizes were found that fit");
        return true;
    }
    if (tg_sample_work(p) > most_work) {
        excuse(s, "too large");
        return true;
    }
    for (int t = 0; t < TRIES && again && found; t++) {
        if (!tg_sample_next(p, &found)) return false;
        again = false;
        for (size_t i = 0, at = 1; found && i < s->n; i++) {
            tg_derive_step *x = &s->step[i];
            bool kink = false;
            if (!x->shown) continue;
            int roots = x->full ? 2 : 1;
            if (x->tick == TG_TICK_NONE && !check_line(p, s, x, (int)at, roots, &kink))
                return false;
            again = again || kink;
            at += (size_t)roots;
        }
    }
    if (!found) excuse(s, "no point found");
    return true;
}

bool tg_derive_check(tg_steps *s) {
    tg_node **root = tg_alloc_array(2 * s->n + 1, sizeof *root);
    if (!root) return tg_fail_memory(&s->rt->c);
    tg_sample p = {0};
    int n = 0;
    uint32_t used = 0;
    root[n++] = s->y;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->step[i].shown) continue;
        root[n++] = s->step[i].raw;
        if (s->step[i].full) root[n++] = s->step[i].full;
        used |= s->step[i].used;
    }
    bool ok = tg_sample_begin(&p, s->rt, n, root);
    tg_free(root);
    if (!ok) return false;
    p.assumed |= used;
    ok = check_all(&p, s);
    tg_sample_end(&p);
    return ok;
}
