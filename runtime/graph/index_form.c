/* Equality of formulas by their indices. Products of matrices and vectors, traces, sums over axes,
 * outer products, transposes and diagonals all say the same kind of thing: a sum over some indices
 * of a product of elements. Written with the indices,
 *
 *     trace(A' @ B) = sum_ij A[i, j] B[i, j] = sum(A * B),
 *
 * formulas that are equal by the laws of such products are one, however they were bracketed, turned
 * or spelled. So here each node becomes a polynomial: terms, each a number times powers of atoms
 * that carry labels. A label is an axis of the node, or bound: summed over. Sums are multiplied
 * out, the identity matrix is a delta that goes when one of its labels is bound, exp of a sum is a
 * product of powers of exp, and everything else is an atom, known by its operation and the
 * polynomials of its arguments.
 *
 * A term is brought to one order: bound labels are told apart by what they connect, as in the
 * refinement of colours for graphs, and numbered in that order. Where that does not tell them apart
 * an order is chosen; then equal terms may be missed, but unequal ones are never taken for equal,
 * because the whole term is compared. */
#include "runtime/graph/index_form.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "runtime/graph/ruled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Labels: the axes of the node, from 0; what is bound, from BOUND; the only place of an axis. */
enum { BOUND = 16, ONLY = -1, DELTA = 0 };
enum { MOST_FACTORS = 16, MOST_BOUND = 12, MOST_TERMS = 96, MOST_NODES = 600, MOST_MADE = 12000 };

#define EXACT 9007199254740992.0 /* larger whole numbers lose their last digits */

typedef struct factor {
    int atom, rank;
    double power;
    signed char at[TG_MAX_RANK];
} factor;

typedef struct term {
    tg_ratio c;
    int n, bound;
    factor f[MOST_FACTORS];
    tg_size dim[MOST_BOUND]; /* of the bound labels */
} term;

typedef struct poly {
    term **t;
    int n, cap;
    bool failed; /* too large */
} poly;

typedef struct atom {
    const char *key;
    const poly *whole; /* it stands for this, which has its labels; else NULL */
    const poly *under; /* exp of this */
} atom;

typedef struct former {
    tg_simp *s;
    tg_arena arena;
    atom *atoms;
    size_t n, cap;
    int made;    /* terms so far */
    bool failed; /* no memory: recorded */
} former;

static void *take(former *w, size_t bytes) {
    void *p = w->failed ? NULL : tg_arena_alloc(&w->arena, bytes ? bytes : 1);
    if (!p && !w->failed) w->failed = !tg_fail_memory(&w->s->rt->c);
    return p;
}

/* ---- atoms ---- */

/* The number of what that text describes. -1: no memory. */
static int intern(former *w, tg_str *key) {
    const char *text = tg_str_text(key);
    int found = -1;
    for (size_t i = 0; i < w->n && found < 0; i++)
        if (strcmp(w->atoms[i].key, text) == 0) found = (int)i;
    if (key->failed ||
        (found < 0 && !tg_grow((void **)&w->atoms, &w->cap, w->n + 1, sizeof *w->atoms))) {
        w->failed = !tg_fail_memory(&w->s->rt->c);
    } else if (found < 0) {
        char *own = w->failed ? NULL : tg_arena_copy(&w->arena, text, strlen(text));
        if (!own && !w->failed) w->failed = !tg_fail_memory(&w->s->rt->c);
        if (own) w->atoms[found = (int)w->n++] = (atom){.key = own};
    }
    tg_str_free(key);
    return w->failed ? -1 : found;
}

/* ---- one term ---- */

static int compare_factors(const void *x, const void *y) {
    const factor *a = x, *b = y;
    if (a->atom != b->atom) return a->atom < b->atom ? -1 : 1;
    if (a->power != b->power) return a->power < b->power ? -1 : 1;
    return memcmp(a->at, b->at, sizeof a->at);
}

static int compare_terms(const term *a, const term *b) {
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    if (a->bound != b->bound) return a->bound < b->bound ? -1 : 1;
    for (int i = 0; i < a->n; i++) {
        int c = compare_factors(&a->f[i], &b->f[i]);
        if (c) return c;
    }
    return memcmp(a->dim, b->dim, (size_t)a->bound * sizeof *a->dim);
}

static void relabel(term *t, int from, int to, int but) {
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < t->f[i].rank && i != but; k++)
            if (t->f[i].at[k] == from) t->f[i].at[k] = (signed char)to;
}

static void remove_factor(term *t, int i) {
    t->f[i] = t->f[--t->n];
}

/* A delta goes where a label of it is bound; of two axes, the first stands for both elsewhere. */
static bool settle_deltas(term *t) {
    for (int i = 0; i < t->n; i++) {
        factor *f = &t->f[i];
        if (f->atom != DELTA) continue;
        int a = f->at[0], b = f->at[1];
        if (f->power <= 0) return false;
        f->power = 1;
        if (a > b) f->at[0] = (signed char)b, f->at[1] = (signed char)a;
        a = f->at[0], b = f->at[1];
        bool goes = a == b || b >= BOUND;
        relabel(t, b, a, goes ? -1 : i);
        if (!goes) continue;
        remove_factor(t, i);
        i = -1;
        if (a == b) continue;
        t->dim[b - BOUND] = t->dim[--t->bound]; /* b is no more */
        relabel(t, BOUND + t->bound, b, -1);
    }
    return true;
}

static void merge_factors(term *t) {
    for (int i = 0; i < t->n; i++)
        for (int k = t->n - 1; k > i; k--)
            if (t->f[i].atom == t->f[k].atom &&
                memcmp(t->f[i].at, t->f[k].at, sizeof t->f[i].at) == 0) {
                t->f[i].power = t->f[i].atom == DELTA ? 1 : t->f[i].power + t->f[k].power;
                remove_factor(t, k);
            }
    for (int i = t->n - 1; i >= 0; i--)
        if (t->f[i].power == 0) remove_factor(t, i);
}

/* A sum over a label that nothing carries counts. */
static bool count_unused(former *w, term *t) {
    for (int b = t->bound - 1; b >= 0; b--) {
        bool used = false;
        for (int i = 0; i < t->n; i++)
            for (int k = 0; k < t->f[i].rank; k++) used = used || t->f[i].at[k] == BOUND + b;
        if (used) continue;
        tg_size size = t->dim[b];
        t->dim[b] = t->dim[--t->bound];
        relabel(t, BOUND + t->bound, BOUND + b, -1);
        if (tg_size_known(size)) {
            t->c = tg_ratio_mul(t->c, tg_ratio_of((double)size));
            continue;
        }
        tg_str key = {0};
        tg_str_addf(&key, "size %lld", (long long)size);
        int id = intern(w, &key);
        if (id < 0 || t->n == MOST_FACTORS) return false;
        t->f[t->n] = (factor){.atom = id, .power = 1};
        memset(t->f[t->n++].at, 0, TG_MAX_RANK);
    }
    return true;
}

static uint64_t mix(uint64_t h, uint64_t x) {
    h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

/* Bound labels by what they connect. */
static void refine(const term *t, uint64_t *colour) {
    for (int round = 0; round < t->bound + 1; round++) {
        uint64_t next[MOST_BOUND] = {0};
        for (int i = 0; i < t->n; i++) {
            const factor *f = &t->f[i];
            uint64_t power, whole = mix(17, (uint64_t)f->atom);
            memcpy(&power, &f->power, sizeof power);
            whole = mix(whole, power);
            for (int k = 0; k < f->rank; k++)
                whole = mix(whole, f->at[k] >= BOUND ? colour[f->at[k] - BOUND]
                                                     : (uint64_t)(f->at[k] + 2));
            for (int k = 0; k < f->rank; k++)
                if (f->at[k] >= BOUND) next[f->at[k] - BOUND] += mix(whole, (uint64_t)k + 1);
        }
        for (int b = 0; b < t->bound; b++) colour[b] = mix(colour[b], next[b]);
    }
}

static void order_labels(term *t) {
    uint64_t colour[MOST_BOUND];
    int place[MOST_BOUND], taken = 0;
    for (int b = 0; b < t->bound; b++) colour[b] = mix(1, (uint64_t)t->dim[b]), place[b] = -1;
    while (taken < t->bound) { /* the least, which is then a colour of its own */
        int least = -1;
        refine(t, colour);
        for (int b = 0; b < t->bound; b++)
            if (place[b] < 0 && (least < 0 || colour[b] < colour[least])) least = b;
        place[least] = taken++;
        colour[least] = mix(99, (uint64_t)taken);
    }
    tg_size dim[MOST_BOUND];
    for (int b = 0; b < t->bound; b++) dim[place[b]] = t->dim[b];
    memcpy(t->dim, dim, (size_t)t->bound * sizeof *dim);
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < t->f[i].rank; k++)
            if (t->f[i].at[k] >= BOUND)
                t->f[i].at[k] = (signed char)(BOUND + place[t->f[i].at[k] - BOUND]);
    qsort(t->f, (size_t)t->n, sizeof *t->f, compare_factors);
}

/* Brings t to its order. False: it cannot be. */
static bool settle(former *w, term *t) {
    if (!settle_deltas(t)) return false;
    merge_factors(t);
    if (!count_unused(w, t)) return false;
    merge_factors(t);
    order_labels(t);
    return true;
}

/* ---- polynomials ---- */

static term *new_term(former *w) {
    term *t = ++w->made <= MOST_MADE ? take(w, sizeof *t) : NULL;
    if (t) t->c = (tg_ratio){1, 1};
    return t;
}

/* Adds t, which is settled, or lets p fail. */
static void collect(former *w, poly *p, term *t) {
    for (int i = 0; i < p->n; i++)
        if (compare_terms(p->t[i], t) == 0) {
            p->t[i]->c = tg_ratio_add(p->t[i]->c, t->c);
            if (fabs(p->t[i]->c.n) > EXACT || p->t[i]->c.d > EXACT) p->failed = true;
            if (p->t[i]->c.n == 0) p->t[i] = p->t[--p->n];
            return;
        }
    if (t->c.n == 0) return;
    if (p->n == p->cap) {
        int cap = p->cap ? 2 * p->cap : 4;
        term **more = p->n < MOST_TERMS ? take(w, (size_t)cap * sizeof(term *)) : NULL;
        if (!more) {
            p->failed = true;
            return;
        }
        if (p->n) memcpy(more, p->t, (size_t)p->n * sizeof *more);
        p->t = more;
        p->cap = cap;
    }
    p->t[p->n++] = t;
}

/* Appends the factors of t to `to`: axis i of t is to_label[i], its bound labels follow those of
 * `to`. */
static bool append(term *to, const term *t, const signed char *to_label) {
    if (to->n + t->n > MOST_FACTORS || to->bound + t->bound > MOST_BOUND) return false;
    for (int i = 0; i < t->n; i++) {
        factor f = t->f[i];
        for (int k = 0; k < f.rank; k++)
            if (f.at[k] >= BOUND)
                f.at[k] = (signed char)(f.at[k] + to->bound);
            else if (f.at[k] >= 0)
                f.at[k] = to_label[(int)f.at[k]];
        to->f[to->n++] = f;
    }
    memcpy(to->dim + to->bound, t->dim, (size_t)t->bound * sizeof *t->dim);
    to->bound += t->bound;
    to->c = tg_ratio_mul(to->c, t->c);
    return true;
}

/* Adds t, with whole atoms in it written out, such as norm(x)^2. */
static void add_unfolded(former *w, poly *p, term *t, int nest) {
    if (p->failed || !settle(w, t)) {
        p->failed = true;
        return;
    }
    int i = 0;
    while (i < t->n && !(w->atoms[t->f[i].atom].whole && t->f[i].power >= 1)) i++;
    if (i == t->n || nest == 0) {
        collect(w, p, t);
        return;
    }
    const factor f = t->f[i];
    const poly *whole = w->atoms[f.atom].whole;
    t->f[i].power -= 1;
    if (t->f[i].power == 0) remove_factor(t, i);
    for (int k = 0; k < whole->n; k++) {
        term *made = new_term(w);
        if (!made) {
            p->failed = true;
            return;
        }
        *made = *t;
        if (!append(made, whole->t[k], f.at)) p->failed = true;
        add_unfolded(w, p, made, nest - 1);
    }
}

/* What an operation does with labels: axis i of argument k is at[k][i]; `bound` labels are summed
 * over, and delta joins two. */
typedef struct wiring {
    signed char at[2][TG_MAX_RANK];
    int bound;
    tg_size dim[2 * TG_MAX_RANK];
    bool delta;
    signed char join[2];
} wiring;

enum { UNFOLD = 4 };

/* out += c * a * b, wired; b NULL: 1. */
static void multiply(former *w, poly *out, tg_ratio c, const poly *a, const poly *b,
                     const wiring *x) {
    out->failed = out->failed || a->failed || (b && b->failed) || x->bound > MOST_BOUND;
    for (int i = 0; i < a->n && !out->failed; i++)
        for (int k = 0; k < (b ? b->n : 1) && !out->failed; k++) {
            term *t = new_term(w);
            if (!t) {
                out->failed = true;
                return;
            }
            t->c = c;
            t->bound = x->bound;
            memcpy(t->dim, x->dim, (size_t)x->bound * sizeof *t->dim);
            bool ok = append(t, a->t[i], x->at[0]) && (!b || append(t, b->t[k], x->at[1]));
            if (ok && x->delta && (ok = t->n < MOST_FACTORS)) {
                factor *f = &t->f[t->n++];
                *f = (factor){.atom = DELTA, .rank = 2, .power = 1};
                f->at[0] = x->join[0], f->at[1] = x->join[1];
            }
            out->failed = out->failed || !ok;
            if (ok) add_unfolded(w, out, t, UNFOLD);
        }
}

static int by_terms(const void *x, const void *y) {
    return compare_terms(*(term *const *)x, *(term *const *)y);
}

/* Writes p so that equal ones are written alike. */
static void write_poly(const poly *p, tg_str *out) {
    qsort(p->t, (size_t)p->n, sizeof *p->t, by_terms);
    for (int i = 0; i < p->n; i++) {
        const term *t = p->t[i];
        tg_str_addf(out, "%a/%a", t->c.n, t->c.d);
        for (int b = 0; b < t->bound; b++) tg_str_addf(out, "s%lld", (long long)t->dim[b]);
        for (int k = 0; k < t->n; k++) {
            tg_str_addf(out, "*%d^%a", t->f[k].atom, t->f[k].power);
            for (int j = 0; j < t->f[k].rank; j++) tg_str_addf(out, ",%d", t->f[k].at[j]);
        }
        tg_str_addc(out, '+');
    }
}

/* A factor that stands for p as a whole: for its own power, or `what` of it. Axes that p does not
 * have are no labels of the factor. */
static bool as_factor(former *w, const poly *p, const char *what, factor *out) {
    signed char to[BOUND];
    bool used[BOUND] = {0};
    *out = (factor){.power = 1};
    for (int i = 0; i < p->n; i++)
        for (int k = 0; k < p->t[i]->n; k++)
            for (int j = 0; j < p->t[i]->f[k].rank; j++)
                if (p->t[i]->f[k].at[j] >= 0 && p->t[i]->f[k].at[j] < BOUND)
                    used[(int)p->t[i]->f[k].at[j]] = true;
    for (int i = 0; i < BOUND; i++) {
        to[i] = (signed char)out->rank;
        if (used[i] && out->rank == TG_MAX_RANK) return false;
        if (used[i]) out->at[out->rank++] = (signed char)i;
    }
    poly *own = take(w, sizeof *own);
    wiring x = {0};
    memcpy(x.at[0], to, sizeof x.at[0]);
    for (int i = 0; own && i < p->n; i++) {
        term *t = new_term(w);
        if (!t || !append(t, p->t[i], to) || !settle(w, t)) return false;
        collect(w, own, t);
    }
    if (!own || own->failed) return false;
    tg_str key = {0};
    tg_str_addf(&key, "%s:", what);
    write_poly(own, &key);
    if ((out->atom = intern(w, &key)) < 0) return false;
    if (strcmp(what, "exp") == 0)
        w->atoms[out->atom].under = own;
    else
        w->atoms[out->atom].whole = own;
    return true;
}

static void add_factor(former *w, poly *out, tg_ratio c, const factor *f) {
    term *t = new_term(w);
    if (!t) {
        out->failed = true;
        return;
    }
    t->c = c;
    t->f[t->n++] = *f;
    add_unfolded(w, out, t, UNFOLD);
}

static bool is_exp(const former *w, const factor *f) {
    return w->atoms[f->atom].under != NULL;
}

/* Has p but one term, of which powers can be taken factor by factor? */
static bool is_monomial(const former *w, const poly *p, double power) {
    if (p->n != 1 || p->t[0]->bound) return false;
    const term *t = p->t[0];
    bool whole = power == floor(power), positive = t->c.n == 1 && t->c.d == 1;
    for (int i = 0; i < t->n; i++) {
        if (t->f[i].atom == DELTA) return false;
        positive = positive && is_exp(w, &t->f[i]);
    }
    bool single = t->n == 1 && t->f[0].power == 1 && t->c.n == 1 && t->c.d == 1;
    return whole || positive || single;
}

/* base^power */
static void raise_to(former *w, poly *out, const poly *base, double power, int rank) {
    wiring same = {0};
    for (int i = 0; i < rank; i++) same.at[0][i] = same.at[1][i] = (signed char)i;
    if ((out->failed = base->failed || base->n == 0)) return;
    if (is_monomial(w, base, power)) {
        term *t = new_term(w);
        if (!t) {
            out->failed = true;
            return;
        }
        *t = *base->t[0];
        bool over = power < 0;
        double n = pow(t->c.n, fabs(power)), d = pow(t->c.d, fabs(power));
        if (t->c.n != 1 || t->c.d != 1)
            t->c = tg_ratio_div(tg_ratio_of(over ? d : n), tg_ratio_of(over ? n : d));
        for (int i = 0; i < t->n; i++) t->f[i].power *= power;
        add_unfolded(w, out, t, UNFOLD);
    } else if (power == 1) {
        multiply(w, out, (tg_ratio){1, 1}, base, NULL, &same);
    } else if (power == floor(power) && power > 1 && power <= 4) {
        poly less = {0};
        raise_to(w, &less, base, power - 1, rank);
        multiply(w, out, (tg_ratio){1, 1}, &less, base, &same);
    } else {
        factor f;
        if (as_factor(w, base, "whole", &f)) {
            f.power = power;
            add_factor(w, out, (tg_ratio){1, 1}, &f);
        } else {
            out->failed = true;
        }
    }
}

/* exp of a sum is the product of powers of exp. */
static void exp_of(former *w, poly *out, const poly *p) {
    term *made = new_term(w);
    if ((out->failed = !made || p->failed || p->n > MOST_FACTORS / 2)) return;
    for (int i = 0; i < p->n; i++) {
        term one = *p->t[i], *list = &one;
        poly core = {.t = &list, .n = 1, .cap = 1};
        one.c = (tg_ratio){1, 1};
        if (!as_factor(w, &core, "exp", &made->f[made->n])) {
            out->failed = true;
            return;
        }
        made->f[made->n++].power = tg_ratio_value(p->t[i]->c);
    }
    add_unfolded(w, out, made, UNFOLD);
}

/* log of powers of exp is a sum. False: it is something else. */
static bool log_of(former *w, poly *out, const poly *p) {
    if (p->failed || p->n != 1 || p->t[0]->bound || !(p->t[0]->c.n > 0)) return false;
    const term *t = p->t[0];
    if (t->n == 0) return false;
    for (int i = 0; i < t->n; i++)
        if (!is_exp(w, &t->f[i])) return false;
    for (int i = 0; i < t->n; i++) {
        wiring x = {0};
        memcpy(x.at[0], t->f[i].at, sizeof x.at[0]);
        multiply(w, out, tg_ratio_of(t->f[i].power), w->atoms[t->f[i].atom].under, NULL, &x);
    }
    term *number = t->c.n != t->c.d ? new_term(w) : NULL;
    if (number) {
        number->c = tg_ratio_of(log(tg_ratio_value(t->c)));
        collect(w, out, number);
    }
    return true;
}

/* ---- nodes ---- */

static poly *poly_of(poly *all, tg_node *const *node, size_t count, const tg_node *n) {
    size_t lo = 0, hi = count;
    while (lo + 1 < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (node[mid]->id <= n->id)
            lo = mid;
        else
            hi = mid;
    }
    return &all[lo];
}

/* A factor of that name with the axes of n. */
static void add_atom(former *w, poly *out, const tg_node *n, int id) {
    factor f = {.atom = id, .rank = n->type.rank, .power = 1};
    for (int i = 0; i < f.rank; i++) f.at[i] = (signed char)(n->type.dim[i] == 1 ? ONLY : i);
    if (id < 0)
        out->failed = true;
    else
        add_factor(w, out, (tg_ratio){1, 1}, &f);
}

/* A constant of few elements is known by them, any other leaf by itself. */
static void leaf_atom(former *w, poly *out, const tg_node *n) {
    enum { FEW = 64 };
    tg_str key = {0};
    bool few = n->op == &tg_op_const && tg_view_count(&n->leaf.tensor->v) <= FEW;
    if (few) {
        const tg_view *v = &n->leaf.tensor->v;
        tg_str_addf(&key, "const %d", (int)v->dtype);
        for (int i = 0; i < v->rank; i++) tg_str_addf(&key, "[%lld", (long long)v->dim[i]);
        for (int64_t i = 0; i < tg_view_count(v); i++) tg_str_addf(&key, " %a", tg_view_get(v, i));
    } else if (n->op == &tg_op_size) {
        tg_str_addf(&key, "size %lld", (long long)n->leaf.size);
    } else {
        tg_str_addf(&key, "node %llu", (unsigned long long)n->id);
    }
    add_atom(w, out, n, intern(w, &key));
}

/* The operation as it is, known by the polynomials of its arguments. */
static void call_atom(former *w, poly *out, const tg_node *n, poly *const *arg) {
    tg_str key = {0};
    bool own = n->op->opaque || n->op->class == TG_CLASS_RANDOM || tg_node_is_ruled(n);
    for (int k = 0; k < n->n && !own; k++) own = arg[k]->failed;
    if (own) {
        leaf_atom(w, out, n);
        return;
    }
    tg_str_addf(&key, "call %s %p", n->op->name, (const void *)n->at);
    for (int k = 0; k < n->n; k++) {
        const tg_type *t = &n->arg[k]->type;
        tg_str_addf(&key, "(%d", (int)t->dtype);
        for (int i = 0; i < t->rank; i++) tg_str_addf(&key, "[%lld", (long long)t->dim[i]);
        tg_str_addc(&key, ' ');
        write_poly(arg[k], &key);
        tg_str_addc(&key, ')');
    }
    add_atom(w, out, n, intern(w, &key));
}

/* The last axes of argument k are those of the result. */
static void from_right(const tg_node *n, int k, wiring *x) {
    int extra = n->type.rank - n->arg[k]->type.rank;
    for (int i = 0; i < n->arg[k]->type.rank; i++) x->at[k][i] = (signed char)(i + extra);
}

static void bind(wiring *x, tg_size size) {
    x->dim[x->bound++] = size;
}

/* @ and outer, as sums over what they share. False: n is none of these. */
static bool wire_product(const tg_simp *s, const tg_node *n, wiring *x) {
    const tg_type *a = &n->arg[0]->type, *b = n->n > 1 ? &n->arg[1]->type : a;
    if (tg_node_is(n, "outer") && a->rank == 1 && b->rank == 1) {
        x->at[1][0] = 1;
    } else if (n->op == s->vdot) {
        bind(x, a->dim[0]);
        x->at[0][0] = x->at[1][0] = BOUND;
    } else if (n->op == s->matvec && a->rank == 2 && b->rank == 1) {
        bind(x, b->dim[0]);
        x->at[0][1] = x->at[1][0] = BOUND;
    } else if (n->op == s->vecmat && a->rank == 1 && b->rank == 2) {
        bind(x, a->dim[0]);
        x->at[0][0] = x->at[1][0] = BOUND;
        x->at[1][1] = 0;
    } else if (n->op == s->matmul && a->rank >= 2 && b->rank >= 2) {
        bind(x, a->dim[a->rank - 1]);
        from_right(n, 0, x);
        from_right(n, 1, x);
        x->at[0][a->rank - 1] = x->at[1][b->rank - 2] = BOUND;
    } else {
        return false;
    }
    return true;
}

/* The axes of x that n keeps, in their order, but for those of size 1. */
static bool wire_reshape(const tg_node *n, wiring *x) {
    const tg_type *from = &n->arg[0]->type, *to = &n->type;
    int k = 0;
    for (int i = 0; i < from->rank; i++) {
        if (from->dim[i] == 1) continue;
        while (k < to->rank && to->dim[k] == 1) k++;
        if (k == to->rank || to->dim[k] != from->dim[i]) return false;
        x->at[0][i] = (signed char)k++;
    }
    for (; k < to->rank; k++)
        if (to->dim[k] != 1) return false;
    return true;
}

static void wire_expand(const tg_node *n, wiring *x) {
    int64_t added = n->at->v[n->at->n - 1];
    int extra = n->type.rank - n->arg[0]->type.rank, k = 0;
    if (extra == 0) added = 0;
    if (extra > 0 && added == 0) added = (INT64_C(1) << extra) - 1;
    for (int i = 0; i < n->type.rank; i++)
        if (!(added >> i & 1)) x->at[0][k++] = (signed char)i;
}

/* A reduction: the axes in the mask are bound. */
static void wire_reduce(const tg_node *n, wiring *x) {
    const tg_type *from = &n->arg[0]->type;
    for (int i = 0, k = 0; i < from->rank; i++) {
        if (n->at->v[0] >> i & 1) {
            x->at[0][i] = (signed char)(BOUND + x->bound);
            bind(x, from->dim[i]);
            k += n->at->v[1] != 0;
        } else {
            x->at[0][i] = (signed char)k++;
        }
    }
}

/* Operations of one argument that move, repeat or add up elements. False: n is none of these. */
static bool wire_one(const tg_simp *s, const tg_node *n, wiring *x) {
    int rank = n->type.rank, from = n->arg[0]->type.rank;
    for (int i = 0; i < from; i++) x->at[0][i] = (signed char)i;
    if (n->op == s->transpose) {
        for (int i = 0; i < rank; i++) x->at[0][n->at->v[i + 1]] = (signed char)i;
    } else if (tg_simp_is_reshape(n) || tg_simp_only_shapes(n)) {
        return wire_reshape(n, x);
    } else if (n->op == s->expand) {
        wire_expand(n, x);
    } else if (n->op == s->sum || n->op == s->mean) {
        wire_reduce(n, x);
    } else if (tg_node_is(n, "trace") && from == 2) {
        x->at[0][0] = x->at[0][1] = BOUND;
        bind(x, n->arg[0]->type.dim[0]);
    } else if (tg_node_is(n, "diag_part") || (tg_node_is(n, "diag") && rank == 1)) {
        x->at[0][from - 1] = (signed char)(from - 2);
    } else if (tg_node_is(n, "diag_embed") || (tg_node_is(n, "diag") && rank == 2)) {
        x->delta = n->type.dim[rank - 1] != 1;
        x->join[0] = (signed char)(rank - 2), x->join[1] = (signed char)(rank - 1);
    } else {
        return false;
    }
    return true;
}

static void add_number(former *w, poly *out, double x) {
    term *t = new_term(w);
    if (!t) {
        out->failed = true;
        return;
    }
    t->c = tg_ratio_of(x);
    collect(w, out, t);
}

/* mean is the sum divided by the number of elements. */
static void divide_by_count(former *w, poly *out, const wiring *x) {
    poly sum = *out, count = {0}, over = {0};
    wiring same = {0}, none = {.bound = x->bound};
    memcpy(none.dim, x->dim, sizeof none.dim);
    for (int i = 0; i < TG_MAX_RANK; i++) same.at[0][i] = (signed char)i;
    poly one = {0};
    add_number(w, &one, 1);
    multiply(w, &count, (tg_ratio){1, 1}, &one, NULL, &none);
    raise_to(w, &over, &count, -1, 0);
    *out = (poly){0};
    multiply(w, out, (tg_ratio){1, 1}, &sum, &over, &same);
}

static void norm_of(former *w, poly *out, const tg_node *n, const poly *a) {
    poly squares = {0};
    wiring x = {0};
    wire_reduce(n, &x);
    memcpy(x.at[1], x.at[0], sizeof x.at[1]);
    multiply(w, &squares, (tg_ratio){1, 1}, a, a, &x);
    raise_to(w, out, &squares, 0.5, n->type.rank);
}

/* The polynomial of n, in which arg[k] is that of its argument k. */
static void form(former *w, poly *out, const tg_node *n, poly *const *arg) {
    const tg_simp *s = w->s;
    wiring x = {0};
    bool number = tg_dtype_is_float(n->type.dtype), done = true;
    tg_ratio one = {1, 1}, minus = {-1, 1};
    if (tg_node_is_number(n) && isfinite(n->leaf.number)) {
        add_number(w, out, n->leaf.number);
    } else if (n->n == 0 && (n->op == s->zeros || n->op == s->ones)) {
        add_number(w, out, n->op == s->ones);
    } else if (n->op == s->eye && n->type.dim[0] == n->type.dim[1] && n->type.dim[0] != 1) {
        factor f = {.atom = DELTA, .rank = 2, .power = 1, .at = {0, 1}};
        add_factor(w, out, one, &f);
    } else if (n->n == 0) {
        leaf_atom(w, out, n);
    } else if (!number || n->n > 2 || n->op->opaque || tg_node_is_ruled(n)) {
        done = false;
    } else if (n->op == s->add || n->op == s->sub || n->op == s->neg) {
        from_right(n, 0, &x);
        multiply(w, out, n->op == s->neg ? minus : one, arg[0], NULL, &x);
        if (n->n == 2) {
            from_right(n, 1, &x);
            memcpy(x.at[0], x.at[1], sizeof x.at[0]);
            multiply(w, out, n->op == s->sub ? minus : one, arg[1], NULL, &x);
        }
    } else if (n->op == s->mul || n->op == s->div) {
        poly over = {0};
        from_right(n, 0, &x);
        from_right(n, 1, &x);
        if (n->op == s->div) raise_to(w, &over, arg[1], -1, n->arg[1]->type.rank);
        multiply(w, out, one, arg[0], n->op == s->div ? &over : arg[1], &x);
    } else if (n->op == s->pow && tg_node_is_number(n->arg[1])) {
        raise_to(w, out, arg[0], n->arg[1]->leaf.number, n->type.rank);
    } else if (tg_node_is(n, "sqrt")) {
        raise_to(w, out, arg[0], 0.5, n->type.rank);
    } else if (tg_node_is(n, "exp")) {
        exp_of(w, out, arg[0]);
    } else if (tg_node_is(n, "log")) {
        done = log_of(w, out, arg[0]);
    } else if (n->op == s->norm) {
        norm_of(w, out, n, arg[0]);
    } else if (n->n == 2 && wire_product(s, n, &x)) {
        multiply(w, out, one, arg[0], arg[1], &x);
    } else if (n->n == 1 && wire_one(s, n, &x)) {
        multiply(w, out, one, arg[0], NULL, &x);
        if (n->op == s->mean && !out->failed) divide_by_count(w, out, &x);
    } else {
        done = false;
    }
    if (done && !out->failed) return;
    *out = (poly){0};
    call_atom(w, out, n, arg);
}

bool tg_index_vanishes(tg_simp *s, tg_node *d, bool *vanishes) {
    former w = {.s = s};
    tg_node **node;
    size_t count;
    *vanishes = false;
    if (!tg_node_collect(s->rt, 1, &d, &node, &count)) return false;
    poly *all = NULL, **arg = NULL;
    tg_str delta = {0};
    tg_str_add(&delta, "delta");
    bool ok = count <= MOST_NODES && intern(&w, &delta) == DELTA;
    if (ok) all = tg_alloc_array(count, sizeof *all);
    if (ok && !all) w.failed = !tg_fail_memory(&s->rt->c);
    for (size_t i = 0; i < count && all && !w.failed; i++) {
        const tg_node *n = node[i];
        arg = take(&w, ((size_t)n->n + 1) * sizeof *arg);
        for (int k = 0; arg && k < n->n; k++) arg[k] = poly_of(all, node, count, n->arg[k]);
        if (!arg || !tg_check_interrupt(&s->rt->c)) break;
        form(&w, &all[i], n, arg);
        if (i == count - 1) *vanishes = !all[i].failed && all[i].n == 0;
    }
    ok = !w.failed && s->rt->c.diag.kind == TG_ERR_NONE;
    if (!ok) *vanishes = false;
    tg_free(all);
    tg_free(node);
    tg_free(w.atoms);
    tg_arena_free(&w.arena);
    return ok;
}
