/* check(y, x): the gradient that grad gives against difference quotients, in double precision,
 * where the data are now, or at random points where there are none. Each element of each target is
 * moved by itself; where these are too many, a random choice of them, and then all together along
 * random directions. What counts as a difference is more than the difference quotient itself may be
 * off by (runtime/graph/difference.h). At a kink no quotient tells the slope: the gradient must lie
 * between those on both sides, and the kink is named. */
#include "base/alloc.h"
#include "interp/answer.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/format.h"
#include "interp/targets.h"
#include "runtime/graph/difference.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/ruled.h"

#include <math.h>
#include <string.h>

enum { DIRECTIONS = 4, FEWEST = 8, MOST = 200, KINKS_TOLD = 3, EVALS = 26 };
static const double most_work = 4e7; /* elements computed for one target */

/* Of one target, at all points. */
typedef struct target {
    int64_t checked;   /* derivatives */
    double difference; /* the largest, relative, */
    double step;       /* ... found with this step, */
    int64_t worst;     /* ... in this place; -1: along a direction, -2: none yet */
} target;

typedef struct report {
    bool right;
    int points, kinks, edges;
    target *now;    /* the target under way */
    double largest; /* of all targets */
    int64_t total;  /* of all targets */
    bool noise;     /* the last point is one where rounding hides that there is no value */
    tg_str wrong;   /* the first that is wrong */
    tg_str remarks; /* kinks */
    tg_str lines;   /* one a target */
} report;

static const char *text(char *buf, double x) {
    tg_number_text(buf, x, TG_STYLE_SHORT);
    return buf;
}

/* One derivative g against what moving by `direction`, or the element k, says. */
static bool compare(tg_interp *in, report *r, const tg_sample *s, tg_difference *d, tg_node *y,
                    tg_node *x, const char *yname, const char *xname, const double *direction,
                    int64_t k, double g) {
    tg_slope m;
    char first[TG_NUMBER_ROOM], second[TG_NUMBER_ROOM], third[TG_NUMBER_ROOM];
    if (!tg_check_interrupt(&in->rt.c) || !tg_difference_slope(d, direction, k, &m)) return false;
    if (!m.finite) {
        if (r->edges++ || direction) return true;
        tg_str_addf(&r->remarks, "; %s", xname);
        tg_view_add_place(&d->base->v, k, &r->remarks);
        tg_str_add(&r->remarks, " is at the edge of the domain");
        return true;
    }
    r->now->checked++;
    double size = fmax(fabs(g), fabs(m.slope)), off = fabs(g - m.slope);
    double slack = 1e-6 * size + 20 * m.error + 1e-11 * fmax(1, fabs(d->value));
    bool right = off <= slack;
    if (m.kink) {
        double lo = fmin(m.left, m.right), hi = fmax(m.left, m.right),
               room = 1e-3 * fmax(fabs(lo), fabs(hi)) + slack;
        right = g >= lo - room && g <= hi + room;
        if (!direction && r->kinks++ < KINKS_TOLD) {
            const tg_op *op;
            if (!tg_difference_kink(d, s, y, x, k, &op)) return false;
            tg_str_addf(&r->remarks, "; %s", xname);
            tg_view_add_place(&d->base->v, k, &r->remarks);
            tg_str_addf(&r->remarks,
                        " is at a kink%s%s, between the slopes %s and %s the gradient "
                        "takes %s",
                        op ? " of " : "", op ? (op->shown ? op->shown : op->name) : "",
                        text(first, rint(m.left * 1e4) / 1e4),
                        text(second, rint(m.right * 1e4) / 1e4), text(third, g));
        }
    } else {
        double relative = off / fmax(size, 1e-3 * fmax(1, fabs(d->value)));
        if (r->now->worst < -1 || relative > r->now->difference)
            *r->now = (target){r->now->checked, relative, m.step, direction ? -1 : k};
    }
    if (right || !r->right) return true;
    r->right = false;
    tg_str_addf(&r->wrong, "d%s/d%s", yname, xname);
    if (!direction) tg_view_add_place(&d->base->v, k, &r->wrong);
    tg_str_addf(&r->wrong, "%s is %s, but central differences give %s (step %s)",
                direction ? " along a random direction" : "", text(first, g), text(second, m.slope),
                text(third, m.step));
    return true;
}

static bool along_directions(tg_interp *in, report *r, tg_sample *s, tg_difference *d,
                             const tg_targets *t, size_t i, const tg_view *g) {
    double *direction = tg_alloc_array((size_t)d->count, sizeof *direction);
    bool ok = direction ? true : tg_fail_memory(&in->rt.c);
    for (int j = 0; ok && j < DIRECTIONS; j++) {
        double sum = 0;
        for (int64_t k = 0; k < d->count; k++) {
            direction[k] = 2 * tg_sample_uniform(s) - 1;
            sum += direction[k] * tg_view_get(g, k);
        }
        ok = compare(in, r, s, d, t->y, t->x[i], t->name, t->x_name[i], direction, 0, sum);
    }
    tg_free(direction);
    return ok;
}

/* One target at the point where the sampler stands. */
static bool check_target(tg_interp *in, report *r, tg_sample *s, const tg_targets *t, size_t i) {
    tg_difference d;
    bool usable;
    if (!tg_difference_begin(&d, s, t->y, t->x[i], &usable)) return false;
    const tg_view *g = &s->value[1 + i]->v;
    /* what a step costs however small it is: 200 */
    double fit = most_work / ((1 + tg_sample_work(s) + 200 * (double)s->count) * EVALS);
    int64_t n = fit > MOST ? MOST : fit < FEWEST ? FEWEST : (int64_t)fit;
    bool all = d.count <= n, ok = true;
    for (int64_t j = 0; ok && usable && j < (all ? d.count : n); j++) {
        int64_t k = all ? j : (int64_t)(tg_sample_uniform(s) * (double)d.count);
        ok =
            compare(in, r, s, &d, t->y, t->x[i], t->name, t->x_name[i], NULL, k, tg_view_get(g, k));
    }
    if (ok && usable && !all) ok = along_directions(in, r, s, &d, t, i, g);
    tg_difference_end(&d);
    return ok;
}

/* "largest relative difference 2e-12 at x[1], 3 derivatives, step 0.01" */
static void add_line(const target *best, const tg_sample *s, const tg_node *x, const char *name,
                     tg_str *out) {
    tg_node *c = tg_sample_copy(s, x);
    tg_str_add(out, "largest relative difference ");
    tg_str_addf(out, best->difference == 0 ? "0" : "%.0e", best->difference);
    if (best->worst >= 0 && c && c->type.rank > 0) {
        tg_view v = {.rank = c->type.rank};
        memcpy(v.dim, c->type.dim, sizeof v.dim);
        tg_str_addf(out, " at %s", name);
        tg_view_add_place(&v, best->worst, out);
    }
    tg_str_addf(out, ", %lld derivative%s", (long long)best->checked,
                best->checked == 1 ? "" : "s");
    if (best->worst > -2) tg_str_addf(out, ", step %.1g", best->step);
}

/* The next point. Near a singular matrix there is no slope to be told, though all is finite: then
 * other sizes, or another point. */
static bool next_point(report *r, tg_sample *s, bool at_data, bool *found) {
    enum { TRIES = 6 };
    r->noise = false;
    for (int t = 0; t < TRIES; t++) {
        bool fits = false;
        if (!(at_data ? tg_sample_eval(s, found) : tg_sample_next(s, found))) return false;
        if (*found && !tg_sample_noise(s, &r->noise)) return false;
        if (*found && !r->noise) return true;
        *found = false;
        if (at_data || (s->sizes.n == 0 && !r->noise)) return true;
        if (s->sizes.n && (!tg_sample_resize(s, s->layout + 1, &fits) || !fits))
            return s->rt->c.diag.kind == TG_ERR_NONE;
    }
    return true;
}

/* All points for all targets. at_data: at the data alone. */
static bool check_points(tg_interp *in, report *r, tg_sample *s, const tg_targets *t, int points,
                         bool at_data) {
    bool found = true, fits = true, ok = true;
    if (!at_data && !tg_sample_resize(s, 0, &fits)) return false;
    target *best = tg_alloc_array(t->n, sizeof *best);
    if (!best) return tg_fail_memory(&in->rt.c);
    for (size_t i = 0; i < t->n; i++) best[i].worst = -2;
    for (int p = 0; ok && fits && r->right && p < points; p++) {
        ok = next_point(r, s, at_data, &found);
        if (!ok || !found) break;
        r->points++;
        for (size_t i = 0; i < t->n && ok && r->right; i++) {
            r->now = &best[i];
            ok = check_target(in, r, s, t, i);
        }
        if (ok && !r->right && !at_data && (s->ncells || s->sizes.n)) {
            tg_str_add(&r->wrong, ", at ");
            ok = tg_answer_point(in, s, false, &r->wrong);
        }
    }
    for (size_t i = 0; ok && i < t->n && r->points; i++) {
        r->largest = fmax(r->largest, best[i].difference);
        r->total += best[i].checked;
        if (t->n > 1) tg_str_addf(&r->lines, "\n  d%s/d%s: ", t->name, t->x_name[i]);
        add_line(&best[i], s, t->x[i], t->x_name[i], &r->lines);
    }
    tg_free(best);
    return ok;
}

static void word(const report *r, const tg_targets *t, bool at_data, tg_str *out) {
    if (r->points == 0 && r->noise) {
        tg_str_addf(out,
                    "not checked: %s only rounding makes the formula or its gradient finite (the "
                    "inverse of a singular matrix)",
                    at_data ? "where the data are," : "at the points that were tried,");
    } else if (r->points == 0) {
        tg_str_addf(out, "undecided: %s",
                    at_data ? "the formula or its gradient is not finite where the data are"
                            : "no point was found where the formula and its gradient are finite");
    } else if (!r->right) {
        tg_str_addf(out, "wrong: %s", tg_str_text(&r->wrong));
    } else if (r->total == 0) {
        tg_str_add(out, "undecided: no difference quotient is finite");
    } else {
        tg_str_add(out, "right");
        if (!at_data)
            tg_str_addf(out, " at %d random point%s", r->points, r->points == 1 ? "" : "s");
        if (t->n == 1) tg_str_add(out, ": ");
        tg_str_add(out, tg_str_text(&r->lines));
    }
    tg_str_add(out, tg_str_text(&r->remarks));
}

/* Rules that need not be the slope: "rule r(x) unchecked = ...". */
static void tell_unchecked(const tg_sample *s, tg_str *out) {
    for (size_t i = 0; i < s->count; i++) {
        if (!tg_node_is_ruled(s->node[i]) || !tg_ruled_of(s->node[i]).unchecked) continue;
        const char *text = tg_ruled_of(s->node[i]).text;
        tg_str_addf(out, "; the rule of %.*s is unchecked: it may be meant to differ",
                    (int)strcspn(text, "("), text);
        return;
    }
}

static bool check(tg_interp *in, tg_targets *t, int points, double seed, bool *at_data, report *r) {
    tg_node **root = tg_alloc_array(t->n + 1, sizeof *root);
    if (!root) return tg_fail_memory(&in->rt.c);
    tg_grad_options opt = {.simplify = true};
    tg_sample s = {0};
    bool sampling = false;
    bool ok = tg_grad(&in->rt, t->y, (int)t->n, t->x, &opt, root + 1, NULL);
    root[0] = t->y;
    ok = ok && (sampling = tg_sample_begin(&s, &in->rt, (int)t->n + 1, root));
    tg_free(root);
    if (ok && seed >= 0) s.state = (uint64_t)seed;
    *at_data = false;
    if (ok && points == 0) ok = tg_sample_at_data(&s, at_data);
    ok = ok && check_points(in, r, &s, t, points ? points : 1, *at_data);
    if (ok && !r->right) tell_unchecked(&s, &r->remarks);
    if (sampling) tg_sample_end(&s);
    return ok;
}

static bool run_check(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_targets t;
    report r = {.right = true};
    tg_answer a = {0};
    int64_t points = 0, seed = -1;
    bool at_data = false;
    bool ok = args[2].value.tag == TG_V_NONE ||
              tg_to_int(in, args[2].value, "the number of points", &points);
    ok = ok && (args[3].value.tag == TG_V_NONE || tg_to_int(in, args[3].value, "the seed", &seed));
    if (ok && (points < 0 || points > 1000))
        ok = tg_fail(&in->rt.c, TG_ERR_VALUE, "the number of points must be from 0 to 1000");
    if (!ok) return false;
    ok = tg_targets_find(in, "check", &args[0], &args[1], &t) &&
         tg_targets_scalar(in, "check", &t) &&
         check(in, &t, (int)points, (double)seed, &at_data, &r);
    if (!ok) tg_blame_operands(in, args[1].ast ? 2 : 1, (int[]){0, 1}, args);
    if (ok) word(&r, &t, at_data, &a.said);
    if (r.wrong.failed || r.remarks.failed || r.lines.failed) a.said.failed = true;
    tg_answer_add(&a, "right", tg_value_bool(r.right && r.points > 0 && r.total > 0));
    tg_answer_add(&a, "difference", tg_value_number(r.largest));
    tg_answer_add(&a, "checked", tg_value_number((double)r.total));
    tg_answer_add(&a, "kinks", tg_value_number(r.kinks));
    tg_str_free(&r.wrong);
    tg_str_free(&r.remarks);
    tg_str_free(&r.lines);
    tg_targets_free(&t);
    return tg_answer_give(in, &a, ok, out);
}

const tg_builtin tg_builtins_check[] = {
    {"check", "check(y, x=none, points=none, seed=none)",
     "Compares the gradient of y by x with central differences in double precision: where the data "
     "are now, or at random points, of which points= gives the number and seed= another choice. x "
     "may be several variables; check(f) and check(f, x) are of a function. The answer can stand "
     "in a condition, and has the fields right, difference, checked and kinks.",
     "x = var(2); check(x^2, x).right", "true", run_check, true, false},
    {0},
};
