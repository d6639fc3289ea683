/* same(a, b): are two formulas equal?
 *
 * "Proved" means that the simplifier brings both to one normal form, or their difference to 0, with
 * the names of parts unfolded; nothing else is called a proof. What cannot be proved is sampled
 * (runtime/graph/sample.h): the formulas are computed in double precision at random points of their
 * common domain, and then where formulas are likely to part (sample_probe.c); the first point where
 * they differ is the counterexample. What is proved is tried at some points too: laws like
 * sqrt(x)^2 = x say nothing where a side is not defined.
 *
 * When do two computed numbers differ? Each step rounds to 16 digits relative to what it computes,
 * so a sum of terms of size S carries an error of the order 1e-16 S however small the sum is. The
 * difference is therefore held against the largest magnitude met on the way to both values, S:
 * below 1e-10 S it is taken for rounding.
 *
 * That would hide a small term beside a large one, x + 1e12 and 1.5 x + 1e12. So where no
 * difference was found the simplified difference of the formulas, in which the large terms have
 * cancelled, is sampled too, and held against the magnitudes on its own way. What its numbers have
 * lost in cancelling, of the order 1e-16 S, is no difference: it must be above 1e-13 S. */
#include "base/alloc.h"
#include "interp/answer.h"
#include "interp/convert.h"
#include "interp/show.h"
#include "interp/targets.h"
#include "runtime/graph/ruled.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/sample.h"
#include "runtime/graph/simplify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 20, PROBES = 400, DOMAIN_POINTS = 6, DOMAIN_LAYOUTS = 3 };
static const double most_work = 2e7; /* elements computed at all points together */
static const double rounding = 1e-10, cancelling = 1e-13;

typedef struct verdict {
    bool equal, proved;
    bool open;   /* not equal, as it cannot be told */
    bool partly; /* proved, but not defined everywhere */
    int points;  /* the fewest for any part that was sampled */
    double difference;
    uint32_t used;    /* assumptions */
    tg_str domain;    /* ", with x from 0.1 to 2" */
    tg_str how;       /* why not equal */
    tg_str remark;    /* what else is to be said */
    const char *part; /* of a container: the first field that differs */
} verdict;

static void verdict_free(verdict *v) {
    tg_str_free(&v->domain);
    tg_str_free(&v->how);
    tg_str_free(&v->remark);
}

/* ---- proof ---- */

static bool is_zero(const tg_node *n) {
    while (tg_node_is(n, "expand")) n = n->arg[0];
    if (tg_node_is(n, "zeros")) return true;
    return tg_node_is_number(n) && n->leaf.number == 0;
}

static bool prove(tg_rt *rt, tg_node *a, tg_node *b, bool *proved, uint32_t *used) {
    *used = 0;
    *proved = a == b;
    if (*proved) return true;
    if (!tg_simplify_same(rt, a, b, proved, used)) return false;
    if (*proved) return true;
    tg_node **node;
    size_t count;
    if (!tg_node_collect(rt, 2, (tg_node *[]){a, b}, &node, &count)) return false;
    const char **label = tg_alloc_array(count, sizeof *label);
    bool ok = label ? true : tg_fail_memory(&rt->c), any = false;
    for (size_t i = 0; ok && i < count; i++) {
        label[i] = node[i]->label;
        if (label[i] && node[i]->op->class != TG_CLASS_LEAF) {
            any = true;
            node[i]->label = NULL;
        }
    }
    /* a memo of its own: what was remembered with the names does not hold without */
    tg_node *none = ok && any ? tg_node_number(rt, 0) : NULL;
    tg_node *d = none ? tg_node_call2(rt, "sub", a, b) : NULL;
    tg_node *simple = d ? tg_simplify_around(rt, d, 1, &none, used) : NULL;
    if (ok && any) ok = simple != NULL;
    if (simple) *proved = is_zero(simple);
    for (size_t i = 0; label && i < count; i++) node[i]->label = label[i];
    tg_free(label);
    tg_free(node);
    return ok;
}

/* ---- text ---- */

/* The shortest text that reads back as x. */
static void all_digits(char *out, double x) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, TG_NUMBER_ROOM, "%.*g", digits, x);
        if (strtod(out, NULL) == x) return;
    }
}

static void add_both(double x, double y, tg_str *out) {
    char first[TG_NUMBER_ROOM], second[TG_NUMBER_ROOM];
    tg_number_text(first, x, TG_STYLE_SHORT);
    tg_number_text(second, y, TG_STYLE_SHORT);
    if (strcmp(first, second) == 0) {
        tg_number_text(first, x, TG_STYLE_FULL);
        tg_number_text(second, y, TG_STYLE_FULL);
    }
    if (strcmp(first, second) == 0) {
        all_digits(first, x);
        all_digits(second, y);
    }
    tg_str_addf(out, "the first is %s and the second %s", first, second);
}

/* "at x = 0.31 the first is 1.2 and the second 1.3" */
static bool add_counterexample(tg_interp *in, const tg_sample *s, int64_t worst, tg_str *out) {
    const tg_view *a = &s->value[0]->v, *b = &s->value[1]->v;
    if (s->ncells > 0 || s->sizes.n > 0) {
        tg_str_add(out, "at ");
        if (!tg_answer_point(in, s, false, out)) return false;
        tg_str_addc(out, ' ');
    }
    if (a->rank > 0) {
        tg_str_add(out, "in place ");
        tg_view_add_place(a, worst, out);
        tg_str_addc(out, ' ');
    }
    add_both(tg_view_get(a, worst), tg_view_get(b, worst), out);
    return true;
}

/* ", with x from 0.12 to 1.9": cells for which the usual interval would not do. */
static void add_domain(const tg_sample *s, tg_str *out) {
    bool first = out->len == 0;
    for (size_t i = 0; i < s->ncells; i++) {
        const tg_sample_cell *c = &s->cells[i];
        char lo[TG_NUMBER_ROOM], hi[TG_NUMBER_ROOM];
        if (!c->narrowed && !c->below) continue;
        tg_number_text(lo, c->lo, TG_STYLE_SHORT);
        tg_number_text(hi, c->hi, TG_STYLE_SHORT);
        tg_str_add(out, first ? ", with " : ", ");
        first = false;
        const char *name = c->cell->name ? c->cell->name : "a variable";
        if (c->matrix)
            tg_str_addf(out, "%s positive definite", name);
        else
            tg_str_addf(out, "%s from %s to %s", name, lo, hi);
    }
}

/* ---- sampling ---- */

/* The greatest difference and its place; relative to the values where these are above 1. */
static double compare(const tg_view *a, const tg_view *b, int64_t *worst) {
    int64_t count = tg_view_count(a);
    double most = 0;
    *worst = 0;
    for (int64_t i = 0; i < count; i++) {
        double x = tg_view_get(a, i), y = tg_view_get(b, i);
        double d = fabs(x - y) / fmax(1, fmax(fabs(x), fabs(y)));
        if (d > most) most = d, *worst = i;
    }
    return most;
}

/* How many points the formulas' sizes allow, of so many. */
static int points_for(const tg_sample *s, int most) {
    double n = most_work / (1 + tg_sample_work(s));
    return n > most ? most : n < 3 ? 3 : (int)n;
}

/* probe: this is no random point. */
static bool at_point(tg_interp *in, tg_sample *s, bool probe, verdict *v) {
    const tg_view *a = &s->value[0]->v, *b = &s->value[1]->v;
    int64_t worst;
    double d = compare(a, b, &worst), scale = 1, waver = 0;
    if (d > 1e-13) { /* asking for the scale costs: only where it may matter */
        if (!tg_sample_scale(s, NULL, &scale)) return false;
        double off = fabs(tg_view_get(a, worst) - tg_view_get(b, worst));
        v->equal = off <= rounding * scale;
        if (!v->equal && probe && !tg_sample_waver(s, worst, &waver)) return false;
        v->equal = v->equal || off <= 10 * waver;
        if (!v->equal) return add_counterexample(in, s, worst, &v->how);
    }
    if (d > v->difference && !probe) v->difference = d;
    return true;
}

/* Where the formulas may part, from the last random point on. */
static bool by_probes(tg_interp *in, tg_sample *s, int most, verdict *v) {
    bool finite;
    for (int k = 0, done = 0; k >= 0 && v->equal && done < most; done++) {
        if (!tg_check_interrupt(&in->rt.c) || !tg_sample_probe(s, &k, &finite)) return false;
        if (finite && !at_point(in, s, true, v)) return false;
    }
    return true;
}

static bool add_split(tg_interp *in, const tg_sample *s, tg_str *out) {
    tg_str_add(out, "at ");
    if (!tg_answer_point(in, s, true, out)) return false;
    tg_str_addf(out, " only the %s is a finite number", s->split_root == 0 ? "second" : "first");
    return true;
}

static bool by_points(tg_interp *in, tg_sample *s, verdict *v) {
    bool fits, found = true;
    int done = 0;
    if (!tg_sample_resize(s, 0, &fits)) return false;
    int all = fits ? points_for(s, POINTS) : 0, probes = fits ? points_for(s, PROBES) : 0;
    while (fits && done < all && v->equal) {
        if (!tg_sample_next(s, &found)) return false;
        if (found && !at_point(in, s, false, v)) return false;
        done += found;
        bool turn = s->sizes.n > 0 && (done == all / 2 || !found);
        if (!found && (done > 0 || !turn)) break;
        if (turn && v->equal && !tg_sample_resize(s, s->layout + 1, &fits)) return false;
    }
    if (v->points > done || !v->points) v->points = done;
    if (v->equal && done && !by_probes(in, s, probes, v)) return false;
    if (!v->equal) return true;
    if (done == 0) {
        v->equal = false;
        if (s->nsplit) return add_split(in, s, &v->how);
        v->open = true;
        tg_str_add(&v->how, s->obeyed ? "no point was found where both are finite"
                                      : "no point was found that keeps to what is assumed");
        return true;
    }
    add_domain(s, &v->domain);
    if (!s->nsplit || v->remark.len) return true;
    tg_str_add(&v->remark, "; ");
    return add_split(in, s, &v->remark);
}

/* Looks at the simplified difference, root 2, at points where all three are finite. */
static bool by_difference(tg_interp *in, tg_sample *s, verdict *v) {
    const tg_node *difference = s->root[2];
    bool fits, found = true;
    if (!tg_sample_resize(s, 0, &fits)) return false;
    int all = fits ? points_for(s, POINTS) : 0;
    for (int done = 0; done < all && found && v->equal; done++) {
        if (!tg_sample_next(s, &found)) return false;
        double own, whole, most = 0;
        int64_t worst = 0;
        for (int64_t i = 0; found && i < tg_view_count(&s->value[2]->v); i++) {
            double x = fabs(tg_view_get(&s->value[2]->v, i));
            if (x > most) most = x, worst = i;
        }
        if (most == 0) continue;
        if (!tg_sample_scale(s, difference, &own) || !tg_sample_scale(s, NULL, &whole))
            return false;
        v->equal = most <= rounding * own || most <= cancelling * whole;
        if (!v->equal && !add_counterexample(in, s, worst, &v->how)) return false;
    }
    return true;
}

/* A proof goes from formula to formula and does not ask where they are defined: some points do. */
static bool where_proved(tg_interp *in, tg_sample *s, verdict *v) {
    bool fits, found = true, noise = false;
    int done = 0, tried = 0;
    if (!tg_sample_resize(s, 0, &fits)) return false;
    int all = fits ? points_for(s, DOMAIN_POINTS) : 0;
    while (fits && tried < all) {
        if (!tg_sample_next(s, &found)) return false;
        tried += found;
        if (found && !done && !tg_sample_noise(s, &noise)) return false;
        done += found && !noise;
        if (found) continue;
        if (tried || s->sizes.n == 0 || s->layout + 1 >= DOMAIN_LAYOUTS) break;
        if (!tg_sample_resize(s, s->layout + 1, &fits)) return false;
    }
    if (done == 0 && tried) { /* the inverse of a singular matrix, as rounding has it */
        v->equal = false;
        v->open = true;
        tg_str_add(&v->how, "no point was found that rounding does not spoil");
    } else if (done == 0 && s->obeyed && !(s->met[0] && s->met[1])) {
        v->equal = false;
        v->open = true;
        tg_str_addf(&v->how, "no point was found where %s finite",
                    s->met[0]   ? "the second is"
                    : s->met[1] ? "the first is"
                                : "either of them is");
    } else if (s->nsplit && !v->partly) {
        v->partly = true;
        tg_str_add(&v->remark, "; ");
        return add_split(in, s, &v->remark);
    }
    return true;
}

static bool sample_nodes(tg_interp *in, tg_node *a, tg_node *b, verdict *v) {
    tg_rt *rt = &in->rt;
    tg_sample s;
    if (!tg_sample_begin(&s, rt, 2, (tg_node *[]){a, b})) return false;
    s.assumed |= v->used;
    v->used |= s.assumed;
    uint32_t used = 0;
    bool ok = by_points(in, &s, v);
    tg_sample_end(&s);
    if (!ok || !v->equal || !tg_dtype_is_float(a->type.dtype)) return ok;
    tg_node *d = tg_node_call2(rt, "sub", a, b);
    d = d ? tg_simplify(rt, d, &used) : NULL;
    if (!d || !tg_sample_begin(&s, rt, 3, (tg_node *[]){a, b, d})) return false;
    s.assumed |= v->used | used;
    v->used |= used;
    ok = by_difference(in, &s, v);
    tg_sample_end(&s);
    return ok;
}

static bool check_proof(tg_interp *in, tg_node *a, tg_node *b, verdict *v) {
    tg_sample s;
    if (!tg_sample_begin(&s, &in->rt, 2, (tg_node *[]){a, b})) return false;
    s.assumed |= v->used;
    bool ok = where_proved(in, &s, v);
    tg_sample_end(&s);
    return ok;
}

static bool same_nodes(tg_interp *in, tg_node *a, tg_node *b, verdict *v) {
    tg_rt *rt = &in->rt;
    if (!tg_shape_equal(a->type.rank, a->type.dim, b->type.rank, b->type.dim)) {
        v->equal = false;
        tg_str_addf(&v->how, "shapes %s and %s", tg_shape_text(rt, a->type.rank, a->type.dim),
                    tg_shape_text(rt, b->type.rank, b->type.dim));
        return true;
    }
    bool proved;
    uint32_t used;
    if (!prove(rt, a, b, &proved, &used)) return false;
    if (!proved) { /* by what calls with a rule of the user's own compute */
        tg_node *x = tg_ruled_bodies(rt, a), *z = x ? tg_ruled_bodies(rt, b) : NULL;
        if (!z || ((x != a || z != b) && !prove(rt, x, z, &proved, &used))) return false;
    }
    if (proved) {
        v->used |= used;
        return check_proof(in, a, b, v);
    }
    v->proved = false;
    return sample_nodes(in, a, b, v);
}

/* ---- values ---- */

static bool same_plain(tg_interp *in, tg_value a, tg_value b, verdict *v) {
    tg_tensor *x = NULL, *y = NULL;
    bool ok = tg_to_tensor(in, a, "the first", &x) && tg_to_tensor(in, b, "the second", &y);
    if (ok && !tg_shape_equal(x->v.rank, x->v.dim, y->v.rank, y->v.dim)) {
        v->equal = false;
        tg_str_addf(&v->how, "shapes %s and %s", tg_shape_text(&in->rt, x->v.rank, x->v.dim),
                    tg_shape_text(&in->rt, y->v.rank, y->v.dim));
    }
    int64_t count = ok && v->equal ? tg_view_count(&x->v) : 0;
    for (int64_t i = 0; i < count && v->equal; i++) {
        double p = tg_view_get(&x->v, i), q = tg_view_get(&y->v, i);
        v->equal = p == q || (isnan(p) && isnan(q));
        if (v->equal) continue;
        if (x->v.rank > 0) {
            tg_str_add(&v->how, "in place ");
            tg_view_add_place(&x->v, i, &v->how);
            tg_str_addc(&v->how, ' ');
        }
        add_both(p, q, &v->how);
    }
    tg_tensor_drop(x);
    tg_tensor_drop(y);
    return ok;
}

static bool same_values(tg_interp *in, tg_value a, tg_value b, verdict *v);

static bool same_items(tg_interp *in, tg_value a, tg_value b, verdict *v) {
    const tg_items *p = a.as.items, *q = b.as.items;
    if (!tg_guard(&in->rt.c)) return false;
    if (p->n != q->n) {
        v->equal = false;
        tg_str_addf(&v->how, "%d and %d items", p->n, q->n);
        return true;
    }
    for (int i = 0; i < p->n && v->equal; i++) {
        tg_value y = q->v[i];
        if (p->field) {
            const tg_value *f = tg_value_field(b, p->field[i]);
            if (!f) {
                v->equal = false;
                tg_str_addf(&v->how, "the second has no %s", p->field[i]);
                return true;
            }
            y = *f;
        }
        if (!same_values(in, p->v[i], y, v)) return false;
        if (!v->equal && p->field && !v->part) v->part = p->field[i];
    }
    return true;
}

/* Both on the same variables. */
static bool same_functions(tg_interp *in, tg_value f, tg_value g, verdict *v) {
    int n = tg_function_arity(f), m = tg_function_arity(g), made = 0;
    if (n != m) {
        v->equal = false;
        tg_str_addf(&v->how, "%d and %d arguments", n, m);
        return true;
    }
    tg_value var[TG_MOST_PARAMETERS], a = TG_NONE_VALUE, b = TG_NONE_VALUE;
    bool ok = tg_function_variables(in, "same", f.tag == TG_V_FUNCTION ? f : g, NULL, &made, var) &&
              tg_function_apply(in, f, n, var, &a) && tg_function_apply(in, g, n, var, &b) &&
              same_values(in, a, b, v);
    tg_value_drop(a);
    tg_value_drop(b);
    for (int i = 0; i < made; i++) tg_value_drop(var[i]);
    return ok;
}

static bool same_values(tg_interp *in, tg_value a, tg_value b, verdict *v) {
    bool fields = a.tag == b.tag && (a.tag == TG_V_RECORD || a.tag == TG_V_TUPLE);
    if (a.tag == TG_V_FORMULA) v->used |= a.assumed;
    if (b.tag == TG_V_FORMULA) v->used |= b.assumed;
    if (fields || (a.tag == TG_V_LIST && b.tag == TG_V_LIST)) return same_items(in, a, b, v);
    if (tg_value_is_function(a) && tg_value_is_function(b)) return same_functions(in, a, b, v);
    if (a.tag == TG_V_STRING && b.tag == TG_V_STRING) {
        v->equal = a.as.text->len == b.as.text->len &&
                   memcmp(a.as.text->bytes, b.as.text->bytes, a.as.text->len) == 0;
        if (!v->equal) tg_str_add(&v->how, "two texts");
        return true;
    }
    bool mixed = tg_value_is_function(a) || tg_value_is_function(b) || a.tag == TG_V_TUPLE ||
                 b.tag == TG_V_TUPLE || a.tag == TG_V_RECORD || b.tag == TG_V_RECORD ||
                 a.tag == TG_V_STRING || b.tag == TG_V_STRING || a.tag == TG_V_NONE ||
                 b.tag == TG_V_NONE;
    if (mixed) {
        v->equal = a.tag == b.tag;
        if (!v->equal) tg_str_addf(&v->how, "%s and %s", tg_value_kind(a), tg_value_kind(b));
        return true;
    }
    if (!tg_is_live(a) && !tg_is_live(b)) return same_plain(in, a, b, v);
    tg_node *x, *y;
    return tg_to_node(in, a, "the first", &x) && tg_to_node(in, b, "the second", &y) &&
           same_nodes(in, x, y, v);
}

static void add_assumed(tg_interp *in, uint32_t used, const char *before, tg_str *out) {
    for (int i = 0; i < TG_FACTS; i++) {
        const char *text = used >> i & 1 ? tg_assume_text(&in->rt, i) : NULL;
        if (!text) continue;
        tg_str_addf(out, "%s%s", before, text);
        before = ", ";
    }
}

static void word(tg_interp *in, const verdict *v, tg_str *out) {
    if (!v->equal) {
        tg_str_add(out, v->open ? "undecided" : "different");
        if (v->part) tg_str_addf(out, " in %s", v->part);
        tg_str_addf(out, ": %s", tg_str_text(&v->how));
    } else if (v->proved) {
        tg_str_add(out, "equal (proved");
        add_assumed(in, v->used, ", assuming ", out);
        tg_str_add(out, v->partly ? ") where both are defined" : ")");
        tg_str_add(out, tg_str_text(&v->remark));
    } else {
        tg_str_addf(out, "equal on %d random points%s, largest difference ", v->points,
                    tg_str_text(&v->domain));
        if (v->difference == 0)
            tg_str_addc(out, '0');
        else
            tg_str_addf(out, "%.0e", v->difference);
        add_assumed(in, v->used, ", assuming ", out);
        tg_str_add(out, tg_str_text(&v->remark));
    }
}

static bool run_same(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    verdict v = {.equal = true, .proved = true};
    tg_answer a = {0};
    bool ok = same_values(in, args[0].value, args[1].value, &v);
    if (!v.equal) v.proved = false;
    if (ok) word(in, &v, &a.said);
    tg_answer_add(&a, "equal", tg_value_bool(v.equal));
    tg_answer_add(&a, "proved", tg_value_bool(v.proved));
    tg_answer_add(&a, "points", tg_value_number(v.points));
    tg_answer_add(&a, "difference", tg_value_number(v.difference));
    ok = ok && !(v.domain.failed || v.how.failed || v.remark.failed) ? true
         : ok                                                        ? tg_fail_memory(&in->rt.c)
                                                                     : false;
    verdict_free(&v);
    return tg_answer_give(in, &a, ok, out);
}

const tg_builtin tg_builtins_prove[] = {
    {"same", "same(a, b)",
     "Are two formulas equal? Proved by their normal form, or compared at random points; where "
     "they "
     "differ, with a point that shows it. The answer can stand in a condition, and has the fields "
     "equal, proved, points and difference.",
     "x = var(2); same(x^2 * x, x^3)", "equal (proved)", run_same, false, false},
    {0},
};
