/* Ranges of formulas: interval arithmetic (Moore 1966) on the graph, with the assumptions as ranges
 * of the nodes that they are about. What is known of single operations stands in signs.def; here
 * are the operations of arithmetic, and products.
 *
 * A walk looks at most at MOST nodes, and goes at most DEPTH deep, so that it costs little where a
 * rule asks in vain, and shared parts, met again and again, cannot make it exponential. */
#include "runtime/graph/sign.h"
#include "runtime/graph/assume.h"

#include <math.h>
#include <string.h>

enum { MOST = 400, DEPTH = 40 };

typedef struct walk {
    tg_rt *rt;
    uint32_t allowed, used;
    int left; /* nodes that may still be looked at */
} walk;

static const tg_bounds all = {.lo = -INFINITY, .hi = INFINITY};

static tg_bounds exactly(double x) {
    return isnan(x) ? all : (tg_bounds){.lo = x, .hi = x, .nonzero = x != 0};
}

/* ---- ranges ---- */

tg_bounds tg_bounds_meet(tg_bounds a, tg_bounds b) {
    tg_bounds r = a;
    if (b.lo > a.lo || (b.lo == a.lo && b.lo_open)) r.lo = b.lo, r.lo_open = b.lo_open;
    if (b.hi < a.hi || (b.hi == a.hi && b.hi_open)) r.hi = b.hi, r.hi_open = b.hi_open;
    r.nonzero = a.nonzero || b.nonzero;
    return r;
}

bool tg_bounds_has(tg_bounds r, double x) {
    if (x == 0 && r.nonzero) return false;
    return (r.lo_open ? x > r.lo : x >= r.lo) && (r.hi_open ? x < r.hi : x <= r.hi);
}

bool tg_bounds_is_empty(tg_bounds r) {
    return r.lo > r.hi || (r.lo == r.hi && !tg_bounds_has(r, r.lo));
}

static bool without_0(tg_bounds r) {
    return !tg_bounds_has(r, 0);
}

/* All numbers of both, and those between. */
static tg_bounds hull(tg_bounds a, tg_bounds b) {
    tg_bounds r = a;
    if (b.lo < a.lo || (b.lo == a.lo && !b.lo_open)) r.lo = b.lo, r.lo_open = b.lo_open;
    if (b.hi > a.hi || (b.hi == a.hi && !b.hi_open)) r.hi = b.hi, r.hi_open = b.hi_open;
    r.nonzero = without_0(a) && without_0(b);
    return r;
}

static tg_bounds negated(tg_bounds a) {
    return (tg_bounds){-a.hi, -a.lo, a.hi_open, a.lo_open, a.nonzero};
}

static tg_bounds plus(tg_bounds a, tg_bounds b) {
    tg_bounds r = {a.lo + b.lo, a.hi + b.hi, a.lo_open || b.lo_open, a.hi_open || b.hi_open, false};
    if (isnan(r.lo)) r.lo = -INFINITY;
    if (isnan(r.hi)) r.hi = INFINITY;
    return r;
}

/* One end of a product: 0 * inf is 0, as an infinite end is not reached. An open end of a factor is
 * one of the product, unless the other factor may be 0 there. */
typedef struct end {
    double x;
    bool open;
} end;

static end product_end(end a, end b) {
    if (a.x == 0 || b.x == 0) {
        bool reached = (a.x == 0 && !a.open) || (b.x == 0 && !b.open);
        return (end){0, !reached};
    }
    return (end){a.x * b.x, a.open || b.open};
}

static tg_bounds times(tg_bounds a, tg_bounds b) {
    end ea[2] = {{a.lo, a.lo_open}, {a.hi, a.hi_open}},
        eb[2] = {{b.lo, b.lo_open}, {b.hi, b.hi_open}};
    end lo = {INFINITY, true}, hi = {-INFINITY, true};
    for (int i = 0; i < 4; i++) {
        end e = product_end(ea[i & 1], eb[i >> 1]);
        if (e.x < lo.x || (e.x == lo.x && !e.open)) lo = e;
        if (e.x > hi.x || (e.x == hi.x && !e.open)) hi = e;
    }
    return (tg_bounds){lo.x, hi.x, lo.open, hi.open, without_0(a) && without_0(b)};
}

/* 1 / a. */
static tg_bounds inverse(tg_bounds a) {
    if (a.lo >= 0 && without_0(a))
        return (tg_bounds){1 / a.hi, a.lo == 0 ? INFINITY : 1 / a.lo, a.hi_open || isinf(a.hi),
                           a.lo_open, true};
    if (a.hi <= 0 && without_0(a)) return negated(inverse(negated(a)));
    tg_bounds r = all;
    r.nonzero = true;
    return r;
}

static tg_bounds magnitude(tg_bounds a) {
    if (a.lo >= 0) return a;
    if (a.hi <= 0) return negated(a);
    tg_bounds r = {0, fmax(-a.lo, a.hi), a.nonzero, false, a.nonzero};
    return r;
}

static double raised(double x, double y) {
    return x == 0 && y < 0 ? INFINITY : pow(x, y);
}

/* a^b for a >= 0: the ends of a tell, as the power is monotone in the base. */
static tg_bounds power_of_positive(tg_bounds a, double b) {
    if (b == 0) return exactly(1);
    tg_bounds r = {raised(a.lo, b), raised(a.hi, b), a.lo_open, a.hi_open, without_0(a) || b < 0};
    if (b > 0) return r;
    return (tg_bounds){r.hi, r.lo, a.hi_open || isinf(a.hi), a.lo_open, true};
}

static tg_bounds power(tg_bounds a, tg_bounds b) {
    if (b.lo == b.hi) {
        double y = b.lo;
        bool whole = y == floor(y), even = whole && fmod(y, 2) == 0;
        if (a.lo >= 0 || !whole)
            return power_of_positive(
                tg_bounds_meet(a, (tg_bounds){0, INFINITY, false, false, false}), y);
        if (even) return power_of_positive(magnitude(a), y);
        tg_bounds r = all;
        r.nonzero = y < 0 || without_0(a);
        if (a.hi <= 0) r.hi = 0, r.hi_open = r.nonzero;
        return r;
    }
    if (a.lo < 0) return all;
    tg_bounds r = {0, INFINITY, a.lo > 0 || a.lo_open, false, without_0(a)};
    if (a.lo >= 1 && b.lo >= 0) r.lo = 1, r.lo_open = false;
    if (a.hi <= 1 && b.lo >= 0) r.hi = 1;
    return r;
}

/* ---- comparisons ---- */

tg_bounds tg_bounds_of_comparison(const char *op, tg_bounds r) {
    tg_bounds x = all;
    if (strcmp(op, "==") == 0) return r;
    if (strcmp(op, "!=") == 0)
        x.nonzero = r.lo == 0 && r.hi == 0;
    else if (op[0] == '>')
        x.lo = r.lo, x.lo_open = op[1] != '=' || r.lo_open;
    else
        x.hi = r.hi, x.hi_open = op[1] != '=' || r.hi_open;
    if (x.lo > 0 || x.hi < 0) x.nonzero = true;
    return x;
}

static int less(tg_bounds a, tg_bounds b, bool or_equal) {
    bool touch_up = a.hi_open || b.lo_open, touch_down = a.lo_open || b.hi_open;
    if (a.hi < b.lo || (a.hi == b.lo && (or_equal || touch_up))) return 1;
    if (a.lo > b.hi || (a.lo == b.hi && (!or_equal || touch_down))) return -1;
    return 0;
}

int tg_bounds_compare(const char *op, tg_bounds a, tg_bounds b) {
    if (isinf(a.lo) && isinf(a.hi) && !a.nonzero) return 0;
    if (op[0] == '<') return less(a, b, op[1] == '=');
    if (op[0] == '>') return less(b, a, op[1] == '=');
    int equal = 0;
    if (a.lo == a.hi && b.lo == b.hi && a.lo == b.lo) equal = 1;
    if (less(a, b, false) == 1 || less(b, a, false) == 1) equal = -1;
    if ((b.lo == 0 && b.hi == 0 && without_0(a)) || (a.lo == 0 && a.hi == 0 && without_0(b)))
        equal = -1;
    return op[0] == '=' ? equal : -equal;
}

/* ---- nodes ---- */

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

static double softplus(double x) {
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

typedef enum kind { IS_WITHIN, IS_RISING, IS_AMONG, IS_AMONG_OR_0, IS_SUM } kind;

typedef struct row {
    const char *op;
    kind kind;
    double (*f)(double);
    tg_bounds range; /* of the values, or where f is defined */
    bool strict;
} row;

static const row rows[] = {
#define WITHIN(op, lo, lo_open, hi, hi_open)                                                       \
    {op, IS_WITHIN, NULL, {lo, hi, lo_open, hi_open, false}, false},
#define RISING(op, f, lo, hi, strict) {op, IS_RISING, f, {lo, hi, false, false, false}, strict},
#define AMONG(op) {op, IS_AMONG, NULL, {0, 0, false, false, false}, false},
#define AMONG_OR_0(op) {op, IS_AMONG_OR_0, NULL, {0, 0, false, false, false}, false},
#define SUMS(op) {op, IS_SUM, NULL, {0, 0, false, false, false}, false},
#include "runtime/graph/signs.def"
};

static tg_bounds range_at(walk *w, const tg_node *n, int depth);

static tg_bounds of_tensor(const tg_view *v) {
    enum { FEW = 4096 };
    int64_t count = tg_view_count(v);
    if (count == 0 || count > FEW) return all;
    tg_bounds r = exactly(tg_view_get(v, 0));
    for (int64_t i = 1; i < count; i++) r = hull(r, exactly(tg_view_get(v, i)));
    return r;
}

static tg_bounds rising(const row *r, tg_bounds a) {
    a = tg_bounds_meet(a, r->range);
    tg_bounds out = {r->f(a.lo), r->f(a.hi), a.lo_open && r->strict, a.hi_open && r->strict, false};
    if (isnan(out.lo)) out.lo = -INFINITY;
    if (isnan(out.hi)) out.hi = INFINITY;
    return out;
}

/* How many elements of argument 0 are in each of the result; -1: not known. */
static double elements_in_one(const tg_node *n) {
    double in = 1, out = 1;
    const tg_type *t = &n->arg[0]->type;
    for (int i = 0; i < t->rank; i++) {
        if (!tg_size_known(t->dim[i])) return -1;
        in *= (double)t->dim[i];
    }
    for (int i = 0; i < n->type.rank; i++) {
        if (!tg_size_known(n->type.dim[i])) return -1;
        out *= (double)n->type.dim[i];
    }
    bool running = tg_shape_equal(t->rank, t->dim, n->type.rank, n->type.dim); /* cumsum */
    return n->op->class == TG_CLASS_REDUCE && out > 0 && !running ? in / out : -1;
}

/* A sum of `count` numbers of the range, or, count < 0, of any number of them. */
static tg_bounds sum_of(tg_bounds a, double count) {
    if (count == 0) return exactly(0);
    if (count > 0) return times(a, exactly(count));
    tg_bounds r = all;
    if (a.lo >= 0) r.lo = 0;
    if (a.hi <= 0) r.hi = 0;
    return r;
}

static tg_bounds product_of_two(walk *w, const tg_node *n, int depth) {
    const tg_type *t = &n->arg[0]->type;
    tg_bounds a = range_at(w, n->arg[0], depth), b = range_at(w, n->arg[1], depth);
    tg_bounds p = times(a, b);
    if (n->arg[0] == n->arg[1] && t->rank == 1) /* v @ v */
        p = tg_bounds_meet(p, (tg_bounds){.lo = 0, .hi = INFINITY, .nonzero = a.nonzero});
    int64_t inner = t->dim[t->rank - 1];
    if (strcmp(n->op->name, "outer") == 0) return p;
    return sum_of(p, tg_size_known(inner) ? (double)inner : -1);
}

static tg_bounds largest(tg_bounds a, tg_bounds b) {
    tg_bounds r = {fmax(a.lo, b.lo), fmax(a.hi, b.hi), false, false, false};
    r.lo_open = (a.lo == r.lo && a.lo_open) || (b.lo == r.lo && b.lo_open);
    r.hi_open = (a.hi < r.hi || a.hi_open) && (b.hi < r.hi || b.hi_open);
    return r;
}

static tg_bounds smallest(tg_bounds a, tg_bounds b) {
    return negated(largest(negated(a), negated(b)));
}

static bool is(const tg_node *n, const char *name) {
    return strcmp(n->op->name, name) == 0;
}

/* Arithmetic: the operations whose range several arguments decide. */
static tg_bounds of_arithmetic(walk *w, const tg_node *n, int depth) {
    if (n->n == 0 || n->n > 3) return all;
    if (is(n, "matmul") || is(n, "matvec") || is(n, "vecmat") || is(n, "vdot") || is(n, "outer"))
        return product_of_two(w, n, depth);
    if (n->op->class != TG_CLASS_ELEMENTWISE)
        return is(n, "prod")
                   ? power(range_at(w, n->arg[0], depth), (tg_bounds){.lo = 0, .hi = INFINITY})
                   : all;
    tg_bounds a[3] = {all, all, all};
    for (int i = 0; i < n->n; i++) a[i] = range_at(w, n->arg[i], depth);
    if (is(n, "neg")) return negated(a[0]);
    if (is(n, "abs")) return magnitude(a[0]);
    if (is(n, "add")) return plus(a[0], a[1]);
    if (is(n, "sub")) return n->arg[0] == n->arg[1] ? exactly(0) : plus(a[0], negated(a[1]));
    if (is(n, "mul")) return n->arg[0] == n->arg[1] ? power(a[0], exactly(2)) : times(a[0], a[1]);
    if (is(n, "div")) return times(a[0], inverse(a[1]));
    if (is(n, "pow")) return power(a[0], a[1]);
    if (is(n, "maximum")) return largest(a[0], a[1]);
    if (is(n, "minimum")) return smallest(a[0], a[1]);
    if (is(n, "clip")) return smallest(largest(a[0], a[1]), a[2]);
    if (is(n, "where")) return hull(a[1], a[2]);
    if (is(n, "relu")) return largest(a[0], exactly(0));
    if (is(n, "sign"))
        return (tg_bounds){.lo = a[0].lo > 0 || (a[0].lo == 0 && without_0(a[0])) ? 1
                                 : a[0].lo == 0                                   ? 0
                                                                                  : -1,
                           .hi = a[0].hi < 0 || (a[0].hi == 0 && without_0(a[0])) ? -1
                                 : a[0].hi == 0                                   ? 0
                                                                                  : 1,
                           .nonzero = without_0(a[0])};
    return all;
}

static tg_bounds of_rows(walk *w, const tg_node *n, int depth) {
    tg_bounds r = all;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *known = &rows[i];
        if (!is(n, known->op)) continue;
        if (known->kind == IS_WITHIN) {
            r = tg_bounds_meet(r, known->range);
            continue;
        }
        if (n->n == 0) continue;
        tg_bounds a = range_at(w, n->arg[0], depth);
        for (int k = 1; k < n->n && n->op->param[0].kind == TG_P_LIST; k++)
            a = hull(a, range_at(w, n->arg[k], depth));
        if (known->kind == IS_RISING) a = rising(known, a);
        if (known->kind == IS_AMONG_OR_0) a = hull(a, exactly(0));
        if (known->kind == IS_SUM) a = sum_of(a, elements_in_one(n));
        r = tg_bounds_meet(r, a);
    }
    return r;
}

/* What the assumptions say of n itself, met with what its form says. */
static tg_bounds with_assumptions(walk *w, const tg_node *n, tg_bounds r) {
    uint32_t left = w->allowed & tg_assume_about(w->rt, n);
    for (int i = 0; left; i++, left >>= 1) {
        if (!(left & 1)) continue;
        tg_bounds more = tg_bounds_meet(r, tg_assume_range(w->rt, i, n));
        if (more.lo == r.lo && more.hi == r.hi && more.lo_open == r.lo_open &&
            more.hi_open == r.hi_open && more.nonzero == r.nonzero)
            continue;
        r = more;
        w->used |= UINT32_C(1) << i;
    }
    return r;
}

static tg_bounds range_at(walk *w, const tg_node *n, int depth) {
    if (depth >= DEPTH || w->left <= 0) return all;
    w->left--;
    tg_bounds r = all;
    if (n->op == &tg_op_number)
        r = exactly(n->leaf.number);
    else if (n->op == &tg_op_const)
        r = of_tensor(&n->leaf.tensor->v);
    else if (n->op == &tg_op_size)
        r.lo = 0;
    else if (n->op->class != TG_CLASS_LEAF)
        r = tg_bounds_meet(of_arithmetic(w, n, depth + 1), of_rows(w, n, depth + 1));
    r = with_assumptions(w, n, r);
    if (without_0(r)) r.nonzero = true;
    if (r.nonzero && r.lo == 0) r.lo_open = true;
    if (r.nonzero && r.hi == 0) r.hi_open = true;
    return r;
}

tg_bounds tg_bounds_of(tg_rt *rt, const tg_node *n, uint32_t allowed, uint32_t *used) {
    walk w = {.rt = rt, .allowed = allowed, .left = MOST};
    tg_bounds r = range_at(&w, n, 0);
    if (used) *used = w.used;
    return r;
}

/* ---- proofs ---- */

static int try(tg_rt *rt, const char *op, const tg_node *a, const tg_node *b, uint32_t allowed,
               uint32_t *used) {
    uint32_t ua = 0, ub = 0;
    int says =
        tg_bounds_compare(op, tg_bounds_of(rt, a, allowed, &ua), tg_bounds_of(rt, b, allowed, &ub));
    *used = ua | ub;
    if (says || !allowed) return says;
    /* a > b may be known as a whole: a - b > 0 */
    return tg_assume_says(rt, op, a, b, allowed, used);
}

int tg_prove(tg_rt *rt, const char *op, const tg_node *a, const tg_node *b, uint32_t allowed,
             uint32_t *used) {
    uint32_t needed, now;
    if (used) *used = 0;
    int says = try(rt, op, a, b, 0, &needed);
    if (says || !allowed) return says;
    says = try(rt, op, a, b, allowed, &needed);
    if (!says) return 0;
    for (int i = 0; i < TG_FACTS; i++) { /* leave out what is not needed */
        uint32_t bit = UINT32_C(1) << i;
        if (needed & bit && try(rt, op, a, b, needed & ~bit, &now) == says) needed = now;
    }
    if (used) *used = needed;
    return says;
}
