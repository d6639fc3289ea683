/* Products in normal form: a number, as a fraction, times powers of different factors.
 *
 * mul, div, neg and powers with a number as exponent are taken apart into that form and built again
 * in one fixed order: the number, scalars, names, powers and sums, calls, and the denominator last:
 * 2 * lam * x, X' @ (P - Y) / N. The order within a class is that of the formula. Integer numbers
 * stay fractions, so that 2 * x / 3 keeps its 2 and its 3.
 *
 * A factor may be smaller than the product: scalars, and what broadcasting stretches. The product
 * is built to the shape asked for, with an expand only where no factor has that shape. */
#include "runtime/graph/simplifier.h"
#include "base/alloc.h"
#include "runtime/graph/number.h"
#include "runtime/graph/sign.h"

#include <math.h>

enum { NEST = 24, SMALL = 16, NEGATE_DEPTH = 6 };

/* ---- fractions ---- */

static bool is_whole(double x) {
    return tg_number_is_whole(x);
}

/* Is the decimal q as good to read as n / d? */
static bool is_short(double q, double n) {
    enum { LONG = 13 };
    int digits = tg_number_digits(n);
    return digits >= LONG || tg_number_digits(q) <= digits + 1;
}

static tg_ratio reduced(double n, double d) {
    if (d < 0) n = -n, d = -d;
    if (!is_whole(d)) return tg_ratio_of(tg_number_tidy(n / d, 0));
    if (d != 1 && !is_whole(n)) { /* 1.5/3, 0.7/2 */
        double q = tg_number_tidy(n / d, 0);
        if (is_whole(1024 * q) || is_short(q, n)) return tg_ratio_of(q);
    }
    if (d == 1 || !is_whole(n)) return (tg_ratio){n, d};
    double a = fabs(n), b = d;
    while (b != 0) {
        double r = fmod(a, b);
        a = b;
        b = r;
    }
    return a > 0 ? (tg_ratio){n / a, d / a} : (tg_ratio){n, d};
}

tg_ratio tg_ratio_of(double x) {
    tg_ratio r = {x, 1};
    return tg_number_fraction(x, &r.n, &r.d) ? r : (tg_ratio){x, 1};
}
tg_ratio tg_ratio_mul(tg_ratio a, tg_ratio b) {
    bool whole = is_whole(a.n) && is_whole(b.n); /* sqrt(2) * sqrt(2) is 2 */
    return reduced(whole ? a.n * b.n : tg_number_tidy(a.n * b.n, 0), a.d * b.d);
}
tg_ratio tg_ratio_div(tg_ratio a, tg_ratio b) {
    return a.d == b.d ? reduced(a.n, b.n) : reduced(a.n * b.d, a.d * b.n);
}

/* Of numbers that are not whole, a sum without its rounding error. */
static double sum_of(double a, double b) {
    double scale = fmax(fabs(a), fabs(b));
    return is_whole(a) && is_whole(b) ? a + b : tg_number_tidy(a + b, scale);
}

tg_ratio tg_ratio_add(tg_ratio a, tg_ratio b) {
    if (a.d == b.d) return reduced(sum_of(a.n, b.n), a.d);
    if (is_whole(a.n) && is_whole(b.n)) return reduced(a.n * b.d + b.n * a.d, a.d * b.d);
    return tg_ratio_of(sum_of(a.n / a.d, b.n / b.d));
}

/* r^p; d = 0 marks what is no number. */
static tg_ratio power_of(double x, double p) {
    if (p == 1) return tg_ratio_of(x);
    if (p == -1) return x == 0 ? (tg_ratio){1, 0} : reduced(1, x);
    return tg_ratio_of(pow(x, p));
}

/* ---- taking apart ---- */

void tg_product_free(tg_product *p) {
    tg_free(p->f);
    *p = (tg_product){0};
}

/* Is a = x - y and b = y - x? */
static bool is_opposite(const tg_simp *s, const tg_node *a, const tg_node *b) {
    return a->op == s->sub && b->op == s->sub && a->arg[0] == b->arg[1] && a->arg[1] == b->arg[0] &&
           !tg_simp_is_closed(s, a) && !tg_simp_is_closed(s, b);
}

/* Factors of one base are joined; long products look the base up only among the latest. */
static bool add_factor(tg_simp *s, tg_product *p, tg_node *base, double power) {
    size_t first = p->n > 4 * SMALL ? p->n - 4 * SMALL : 0;
    for (size_t i = first; i < p->n; i++) {
        if (p->f[i].base != base) {
            if (!is_opposite(s, p->f[i].base, base) || !is_whole(power) || !is_whole(p->f[i].power))
                continue;
            bool older = base->id < p->f[i].base->id; /* the one that was there first stays */
            double turned = older ? p->f[i].power : power;
            if (fmod(turned, 2) != 0) p->c.n = -p->c.n; /* (a - b) * (b - a) */
            if (older) p->f[i].base = base;
        }
        bool cancels = p->f[i].power * power < 0;
        p->f[i].power = sum_of(p->f[i].power, power);
        tg_simp_note(s, cancels ? TG_LAW_CANCEL : TG_LAW_POWERS);
        return true;
    }
    if (!tg_grow((void **)&p->f, &p->cap, p->n + 1, sizeof *p->f)) return tg_fail_memory(&s->rt->c);
    p->f[p->n++] = (tg_factor){base, power};
    return true;
}

typedef struct item {
    tg_node *node;
    double power;
    bool raw;
    int nest; /* levels of simple products that may still be taken apart: bounds the work on shared
                 ones */
} item;

typedef struct work {
    item *items;
    size_t n, cap;
} work;

static bool push(tg_simp *s, work *w, tg_node *n, double power, bool raw, int nest) {
    if (raw) {
        n = tg_simp_arg(s, n, &raw);
        if (!n) return false;
    }
    if (!tg_grow((void **)&w->items, &w->cap, w->n + 1, sizeof *w->items))
        return tg_fail_memory(&s->rt->c);
    w->items[w->n++] = (item){n, power, raw, nest};
    return true;
}

/* A power of something that is taken apart no further. */
static bool add_atom(tg_simp *s, tg_product *p, tg_node *n, double power) {
    tg_node *scalar = tg_simp_scalar_of(s, n);
    if (scalar) n = scalar;
    if (tg_node_is_number(n)) {
        p->c = tg_ratio_mul(p->c, power_of(n->leaf.number, power));
        return true;
    }
    n = tg_simp_unexpand(s, n);
    return n && add_factor(s, p, n, power);
}

/* n of the number 1. */
static tg_node *with_one(tg_simp *s, const tg_node *n) {
    tg_node *one = tg_node_number(s->rt, 1);
    return one ? tg_node_make(s->rt, n->op, 1, &one, n->at) : NULL;
}

static bool is_number(const tg_node *n, double x) {
    return tg_node_is_number(n) && n->leaf.number == x;
}

/* An exponent without the rounding error of y - 1: 1/3 - 1 is -2/3. */
static double exponent_of(const tg_node *n) {
    double k = n->leaf.number;
    return fabs(k) > 1e-3 ? tg_number_tidy(k, 1) : k;
}

static bool take_apart(tg_simp *s, tg_product *p, work *w, item it, bool top) {
    tg_node *n = it.node;
    if (tg_node_is_number(n) || (!top && tg_simp_is_closed(s, n)) || (!it.raw && it.nest == 0) ||
        !tg_simp_step(s, 1))
        return add_atom(s, p, n, it.power);
    if (!top && !it.raw && tg_simp_is_shared(s, n)) return add_atom(s, p, n, it.power);
    int nest = it.raw ? NEST : it.nest - 1;
    bool unit = it.power == 1 || it.power == -1;
    if (n->op == s->neg && is_whole(it.power)) {
        if (fmod(it.power, 2) != 0) p->c.n = -p->c.n;
        return push(s, w, n->arg[0], it.power, it.raw, nest);
    }
    if (unit && (n->op == s->mul || n->op == s->div))
        return push(s, w, n->arg[1], n->op == s->mul ? it.power : -it.power, it.raw, nest) &&
               push(s, w, n->arg[0], it.power, it.raw, nest);
    if (n->op == s->div && tg_node_is_number(n->arg[0]) && is_whole(it.power)) /* (1 / x)^2 */
        return push(s, w, n->arg[1], -it.power, it.raw, nest) &&
               push(s, w, n->arg[0], it.power, it.raw, nest);
    if (n->op == s->pow && tg_node_is_number(n->arg[1])) {
        double k = exponent_of(n->arg[1]);
        if (unit || (is_whole(k) && is_whole(it.power)))
            return push(s, w, n->arg[0], tg_number_tidy(k * it.power, 0), it.raw, nest);
    }
    double single = it.power == 1 ? tg_simp_single(s, n) : 0;
    if (single != 0 && single != 1) {
        p->c = tg_ratio_mul(p->c, tg_ratio_of(single));
        n = tg_simp_frame(s, with_one(s, n));
        return n && add_atom(s, p, n, 1);
    }
    if (n->op == s->where && n->arg[0]->type.dtype == TG_BOOL && !it.raw &&
        is_number(n->arg[1], 1) && is_number(n->arg[2], 0))
        return push(s, w, n->arg[0], it.power, false, nest); /* a truth value counts as 1 or 0 */
    tg_node *scalar = tg_simp_scalar_of(s, n);
    if (scalar && scalar != n && unit) return push(s, w, scalar, it.power, false, nest);
    tg_node *inner = tg_simp_unexpand(s, n);
    if (!inner) return false;
    if (inner != n && unit && (inner->op == s->mul || inner->op == s->div || inner->op == s->neg))
        return push(s, w, inner, it.power, false, nest);
    return add_atom(s, p, n, it.power);
}

bool tg_product_add(tg_simp *s, tg_product *p, tg_node *n, double power, bool raw) {
    work w = {0};
    if (p->c.d == 0 && p->n == 0) p->c = (tg_ratio){1, 1};
    bool ok = tg_grow((void **)&w.items, &w.cap, 8, sizeof *w.items), top = raw;
    if (!ok) return tg_fail_memory(&s->rt->c);
    w.items[w.n++] = (item){n, power, raw, NEST};
    while (ok && w.n) {
        ok = take_apart(s, p, &w, w.items[--w.n], top);
        top = false;
    }
    tg_free(w.items);
    return ok;
}

/* ---- building ---- */

/* Where a factor stands: scalars before tensors, then names, powers and sums, calls. */
static int rank_of_factor(const tg_simp *s, const tg_factor *f, int rank) {
    const tg_node *n = f->base;
    int group = rank > 0 && n->type.rank > 0 ? 4 : 0;
    bool name = n->label || n->op->class == TG_CLASS_LEAF || n->op == s->transpose;
    if (fabs(f->power) == 1 && name) return group;
    if (fabs(f->power) != 1 || n->op == s->add || n->op == s->sub || n->op == s->pow)
        return group + 1;
    return group + 2;
}

static void sort_factors(const tg_simp *s, tg_product *p, int rank) {
    if (p->n > 64) return; /* a product that long is no textbook's */
    for (size_t i = 1; i < p->n; i++) {
        tg_factor f = p->f[i];
        int key = rank_of_factor(s, &f, rank);
        size_t k = i;
        for (; k > 0 && rank_of_factor(s, &p->f[k - 1], rank) > key; k--) p->f[k] = p->f[k - 1];
        p->f[k] = f;
    }
}

static void sort_by_id(tg_product *p) {
    for (size_t i = 1; i < p->n && p->n <= 64; i++) {
        tg_factor f = p->f[i];
        size_t k = i;
        for (; k > 0 && p->f[k - 1].base->id > f.base->id; k--) p->f[k] = p->f[k - 1];
        p->f[k] = f;
    }
}

/* Broadcasting wants one operand of the full shape at each step: where smaller tensors are among
 * the factors of one sign, one of the full shape comes first. */
static void lead_with_full(tg_product *p, const tg_type *t, double sign) {
    size_t tensor = p->n, full = p->n;
    bool small = false;
    for (size_t i = 0; i < p->n; i++) {
        const tg_type *b = &p->f[i].base->type;
        if (b->rank == 0 || p->f[i].power * sign < 0) continue;
        if (tensor == p->n) tensor = i;
        bool is_full = tg_shape_equal(b->rank, b->dim, t->rank, t->dim);
        if (is_full && full == p->n) full = i;
        if (!is_full) small = true;
    }
    if (!small || full == p->n || full == tensor) return;
    tg_factor f = p->f[full];
    for (size_t i = full; i > tensor; i--) p->f[i] = p->f[i - 1];
    p->f[tensor] = f;
}

static tg_node *power(tg_simp *s, tg_node *base, double p) {
    return p == 1 ? base : tg_simp_make(s, s->pow, base, tg_node_number(s->rt, p));
}

/* acc * n, where acc may be missing. */
static tg_node *times(tg_simp *s, tg_node *acc, tg_node *n, const tg_type *t) {
    return acc ? tg_simp_combine(s, s->mul, acc, n, t) : n;
}

/* The factors whose power has that sign, after `acc`. *none: there are none and acc is NULL. */
static tg_node *multiply(tg_simp *s, const tg_product *p, double sign, tg_node *acc,
                         const tg_type *t, bool *none) {
    *none = acc == NULL;
    for (size_t i = 0; i < p->n; i++) {
        if (p->f[i].power * sign <= 0) continue;
        tg_node *n = power(s, p->f[i].base, fabs(p->f[i].power));
        acc = n ? times(s, acc, n, t) : NULL;
        if (!acc) return NULL;
        *none = false;
    }
    return acc;
}

/* A minus sign disappears in a factor that is a difference: -(Y - P) is P - Y. */
static bool absorb_sign(tg_simp *s, tg_product *p) {
    if (p->c.n >= 0 || p->c.n != -1) return true;
    for (size_t i = p->n; i-- > 0;) {
        if (p->f[i].power != 1) continue;
        bool had = s->rt->c.diag.kind != TG_ERR_NONE;
        tg_node *n = tg_simp_negated(s, p->f[i].base, NEGATE_DEPTH);
        if (n) {
            p->f[i].base = n;
            p->c.n = 1;
            return true;
        }
        if (!had && s->rt->c.diag.kind != TG_ERR_NONE) return false;
    }
    return true;
}

static void drop_ones(tg_product *p) {
    size_t left = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->f[i].power != 0) p->f[left++] = p->f[i];
    p->n = left;
}

/* ones(3) / 3 rather than expand(0.3333333333333333, 3). */
static tg_node *uniform_ratio(tg_simp *s, tg_ratio c, const tg_type *t) {
    if (t->rank == 0 || c.d == 1 || !is_whole(c.n))
        return tg_simp_uniform_number(s, tg_ratio_value(c), t);
    tg_node *top = tg_simp_uniform_number(s, c.n, t);
    return top ? tg_simp_make(s, s->div, top, tg_node_number(s->rt, c.d)) : NULL;
}

/* A truth value as a float: where(x > 0, 1, 0). */
static tg_node *as_float(tg_simp *s, tg_node *n, const tg_type *t) {
    static const tg_attrs none;
    tg_node *in[3] = {n, tg_node_number(s->rt, 1), tg_node_number(s->rt, 0)};
    if (!in[1] || !in[2]) return NULL;
    if (n->type.dtype != TG_BOOL) return times(s, in[1], n, t);
    return tg_node_make(s->rt, s->where, 3, in, &none);
}

/* Two factors that a rule for products or quotients puts together. */
static bool join_factors(tg_simp *s, tg_product *p) {
    enum { MOST = 8 };
    for (size_t i = 0; i < p->n && p->n <= MOST; i++)
        for (size_t k = 0; k < p->n; k++) {
            tg_factor *a = &p->f[i], *b = &p->f[k];
            bool over = a->power == 1 && b->power == -1, failed = false;
            if (i == k || !(over || (i < k && a->power > 0 && b->power > 0))) continue;
            /* abs(x)^0.5 * sign(x) is not x / abs(x)^0.5, which is not defined at 0 */
            if (!over && (a->power < 1 || b->power < 1 || (a->power != 1 && b->power != 1)))
                continue;
            tg_node *made = tg_simp_factors(s, a->base, b->base, over, &failed);
            if (failed) return false;
            if (!made) continue;
            a->power -= 1;
            b->power -= over ? -1 : 1;
            drop_ones(p);
            if (!tg_product_add(s, p, made, 1, false)) return false;
            i = (size_t)-1; /* from the start */
            break;
        }
    return true;
}

/* eye(n) * x is diag(x): a vector along the columns, whatever it is made of. */
static bool join_diagonal(tg_simp *s, tg_product *p, const tg_type *t) {
    size_t eye = 0, vectors = 0;
    while (eye < p->n && !(p->f[eye].base->op == s->eye && p->f[eye].power >= 1)) eye++;
    for (size_t i = 0; i < p->n; i++) vectors += p->f[i].base->type.rank == 1;
    if (eye == p->n || !vectors || t->rank != 2 || tg_simp_is_closed(s, p->f[eye].base) ||
        !tg_shape_equal(2, p->f[eye].base->type.dim, 2, t->dim) || t->dim[0] != t->dim[1])
        return true;
    tg_product v = {.c = {1, 1}};
    tg_type row = {.dtype = t->dtype, .rank = 1, .dim = {t->dim[1]}};
    bool ok = true;
    for (size_t i = 0; ok && i < p->n; i++) {
        if (p->f[i].base->type.rank != 1) continue;
        ok = add_factor(s, &v, p->f[i].base, p->f[i].power);
        p->f[i].power = 0;
    }
    tg_node *made = ok ? tg_product_build(s, &v, &row) : NULL;
    tg_product_free(&v);
    if (made) made = tg_node_call1(s->rt, "diag", made);
    if (!made) return false;
    tg_simp_note(s, TG_LAW_DIAGONAL_ONLY);
    p->f[eye] = (tg_factor){made, 1};
    drop_ones(p);
    return true;
}

tg_node *tg_product_build(tg_simp *s, tg_product *p, const tg_type *t) {
    drop_ones(p);
    if (!join_diagonal(s, p, t)) return NULL;
    if (!tg_product_norms(s, p) || !tg_product_roots(s, p) || !tg_product_logistic(s, p))
        return NULL;
    drop_ones(p);
    if (p->c.n != 0 && (!join_factors(s, p) || !tg_product_names(s, p))) return NULL;
    drop_ones(p);
    if (p->c.n == 0) {
        tg_simp_note(s, TG_LAW_ZERO);
        return tg_simp_uniform_number(s, 0, t);
    }
    if (!absorb_sign(s, p)) return NULL;
    sort_factors(s, p, t->rank);
    lead_with_full(p, t, 1);
    lead_with_full(p, t, -1);
    bool none, over_none;
    double n = p->c.n, d = p->c.d;
    bool above = false, below = d != 1;
    for (size_t i = 0; i < p->n; i++) {
        if (p->f[i].power > 0) above = true;
        if (p->f[i].power < 0) below = true;
    }
    if (!above && !(below && p->n)) return uniform_ratio(s, p->c, t);
    if (!above && d != 1 && fabs(n) == 1 && p->n == 1 && !is_whole(p->f[0].power)) {
        tg_node *root = power(s, p->f[0].base, p->f[0].power); /* x^(-2/3) / 3 */
        if (root && n < 0) root = tg_simp_make(s, s->neg, root, NULL);
        root = tg_simp_make(s, s->div, root, tg_node_number(s->rt, d));
        return root ? tg_simp_expand(s, root, t) : NULL;
    }
    tg_node *start = !above || (n != 1 && n != -1) ? tg_node_number(s->rt, n) : NULL;
    if (!start && (!above || (n != 1 && n != -1))) return NULL;
    tg_node *made = multiply(s, p, 1, start, t, &none);
    if (!made) return NULL;
    if (above && n == -1 && !(made = tg_simp_make(s, s->neg, made, NULL))) return NULL;
    if (below) {
        tg_node *number = d != 1 ? tg_node_number(s->rt, d) : NULL;
        if (d != 1 && !number) return NULL;
        tg_node *over = multiply(s, p, -1, number, t, &over_none);
        made = over ? tg_simp_combine(s, s->div, made, over, t) : NULL;
    }
    if (made && !tg_dtype_is_float(made->type.dtype) && tg_dtype_is_float(t->dtype))
        made = as_float(s, made, t);
    if (!made) return NULL;
    return made->type.rank == 0 ? tg_simp_uniform(s, made, t) : tg_simp_expand(s, made, t);
}

tg_node *tg_product_key(tg_simp *s, tg_product *p, const tg_type *t) {
    sort_by_id(p);
    return tg_product_build(s, p, t);
}

/* Is f a constant without a finite value, as log(0) and 1 / (2 - 2) are? Times a zero that the
 * operation makes it would be no number. */
static bool is_infinite(tg_simp *s, const tg_factor *f) {
    if (f->base->live) return false;
    const tg_bounds b = tg_bounds_of(s->rt, f->base, 0, NULL);
    return b.lo == b.hi && (isinf(b.lo) || (b.lo == 0 && f->power < 0));
}

/* Is f a scalar that may leave a tensor of that rank? */
static bool is_loose(tg_simp *s, const tg_factor *f, int rank, bool only_fixed) {
    const tg_node *n = f->base;
    return rank > 0 && n->type.rank == 0 && (!only_fixed || !n->live || n->op == &tg_op_size) &&
           !is_infinite(s, f);
}

tg_node *tg_product_split(tg_simp *s, tg_node *n, bool only_fixed, tg_product *p) {
    tg_product all = {0}, rest = {0};
    tg_node *made = NULL;
    if (!tg_product_add(s, &all, n, 1, false)) goto end;
    bool number = all.c.n != 1 || all.c.d != 1, scalars = false;
    for (size_t i = 0; i < all.n; i++)
        scalars = scalars || is_loose(s, &all.f[i], n->type.rank, only_fixed);
    if ((!number && !scalars) || tg_simp_is_closed(s, n) || all.c.d == 0 || !isfinite(all.c.n)) {
        made = n;
        goto end;
    }
    if (p->c.d == 0 && p->n == 0) p->c = (tg_ratio){1, 1};
    p->c = tg_ratio_mul(p->c, all.c);
    rest.c = (tg_ratio){1, 1};
    for (size_t i = 0; i < all.n; i++) {
        bool out = is_loose(s, &all.f[i], n->type.rank, only_fixed);
        if (!add_factor(s, out ? p : &rest, all.f[i].base, all.f[i].power)) goto end;
    }
    made = tg_product_build(s, &rest, &n->type);
end:
    tg_product_free(&all);
    tg_product_free(&rest);
    return made;
}

/* ---- signs ---- */

static tg_node *remade(tg_simp *s, tg_node *n, int i, tg_node *arg) {
    tg_node *in[2] = {n->arg[0], n->n > 1 ? n->arg[1] : NULL};
    in[i] = arg;
    return tg_node_make(s->rt, n->op, n->n, in, n->at);
}

tg_node *tg_simp_negated(tg_simp *s, tg_node *n, int depth) {
    if (depth == 0 || tg_simp_is_closed(s, n)) return NULL;
    if (tg_node_is_number(n))
        return n->leaf.number < 0 ? tg_node_number(s->rt, -n->leaf.number) : NULL;
    if (n->op == s->neg) return n->arg[0];
    if (n->op == s->sub) return tg_simp_make(s, s->sub, n->arg[1], n->arg[0]);
    int mask = n->op == s->mul ? 3 : n->op == s->div ? 1 : tg_simp_linear_mask(n);
    if (n->n < 1 || n->n > 2) return NULL;
    for (int i = n->n - 1; i >= 0; i--) {
        if (!(mask >> i & 1)) continue;
        bool had = s->rt->c.diag.kind != TG_ERR_NONE;
        tg_node *arg = tg_simp_negated(s, n->arg[i], depth - 1);
        if (arg) return remade(s, n, i, arg);
        if (!had && s->rt->c.diag.kind != TG_ERR_NONE) return NULL;
    }
    return NULL;
}

/* ---- the node ---- */

tg_node *tg_simp_product(tg_simp *s, tg_node *n) {
    tg_product p = {0};
    tg_node *made = NULL;
    bool none;
    if (tg_product_add(s, &p, n, 1, true)) {
        if (p.c.d == 0 || !isfinite(p.c.n) || !isfinite(p.c.d)) {
            made = n; /* a division by 0 is left for the evaluation to show */
            for (int i = 0; i < n->n && made; i++)
                if (!tg_simp_arg(s, n->arg[i], &none)) made = NULL;
        } else if (tg_product_cancel(s, &p, &n->type)) {
            made = tg_product_build(s, &p, &n->type);
        }
    }
    tg_product_free(&p);
    return made;
}
