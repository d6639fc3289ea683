/* The polynomials of index_form.c: collecting like terms.
 *
 * A term is brought to one order: bound labels are told apart by what they connect, as in the
 * refinement of colours for graphs, and numbered in that order. Where that does not tell them apart
 * an order is chosen; then equal terms may be missed, but unequal ones are never taken for equal,
 * because the whole term is compared. */
#include "runtime/graph/index_poly.h"
#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The budget of a proof. */
enum { MOST_TERMS = 96, MOST_MADE = 12000 };
#define EXACT 9007199254740992.0 /* larger whole numbers lose their last digits */

void *tg_index_take(tg_former *w, size_t bytes) {
    void *p = w->failed ? NULL : tg_arena_alloc(&w->arena, bytes ? bytes : 1);
    if (!p && !w->failed) w->failed = !tg_fail_memory(&w->s->rt->c);
    return p;
}

/* ---- atoms ---- */

/* The number of what that text describes. -1: no memory. */
int tg_index_intern(tg_former *w, tg_str *key) {
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
        if (own) w->atoms[found = (int)w->n++] = (tg_index_atom){.key = own};
    }
    tg_str_free(key);
    return w->failed ? -1 : found;
}

/* ---- one term ---- */

static int compare_factors(const void *x, const void *y) {
    const tg_index_factor *a = x, *b = y;
    if (a->atom != b->atom) return a->atom < b->atom ? -1 : 1;
    if (a->power != b->power) return a->power < b->power ? -1 : 1;
    return memcmp(a->at, b->at, sizeof a->at);
}

static int compare_terms(const tg_index_term *a, const tg_index_term *b) {
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    if (a->bound != b->bound) return a->bound < b->bound ? -1 : 1;
    for (int i = 0; i < a->n; i++) {
        int c = compare_factors(&a->f[i], &b->f[i]);
        if (c) return c;
    }
    return memcmp(a->dim, b->dim, (size_t)a->bound * sizeof *a->dim);
}

static void relabel(tg_index_term *t, int from, int to, int but) {
    for (int i = 0; i < t->n; i++) {
        if (i == but) continue;
        for (int k = 0; k < t->f[i].rank; k++)
            if (t->f[i].at[k] == from) t->f[i].at[k] = (signed char)to;
    }
}

static void remove_factor(tg_index_term *t, int i) {
    t->f[i] = t->f[--t->n];
}

static int label_of(const tg_index_factor *f, int axis) {
    return f->at[axis];
}

/* A delta goes where a label of it is bound; of two axes, the first stands for both elsewhere. */
static bool settle_deltas(tg_index_term *t) {
    for (int i = 0; i < t->n; i++) {
        tg_index_factor *f = &t->f[i];
        if (f->atom != TG_DELTA) continue;
        int a = label_of(f, 0), b = label_of(f, 1);
        if (f->power <= 0) return false;
        f->power = 1;
        if (a > b) f->at[0] = (signed char)b, f->at[1] = (signed char)a;
        a = label_of(f, 0), b = label_of(f, 1);
        bool goes = a == b || b >= TG_BOUND;
        relabel(t, b, a, goes ? -1 : i);
        if (!goes) continue;
        remove_factor(t, i);
        i = -1;
        if (a == b) continue;
        t->dim[b - TG_BOUND] = t->dim[--t->bound]; /* b is no more */
        relabel(t, TG_BOUND + t->bound, b, -1);
    }
    return true;
}

static void merge_factors(tg_index_term *t) {
    for (int i = 0; i < t->n; i++)
        for (int k = t->n - 1; k > i; k--)
            if (t->f[i].atom == t->f[k].atom &&
                memcmp(t->f[i].at, t->f[k].at, sizeof t->f[i].at) == 0) {
                t->f[i].power = t->f[i].atom == TG_DELTA ? 1 : t->f[i].power + t->f[k].power;
                remove_factor(t, k);
            }
    for (int i = t->n - 1; i >= 0; i--)
        if (t->f[i].power == 0) remove_factor(t, i);
}

/* A sum over a label that nothing carries counts. */
static bool count_unused(tg_former *w, tg_index_term *t) {
    for (int b = t->bound - 1; b >= 0; b--) {
        bool used = false;
        for (int i = 0; i < t->n; i++)
            for (int k = 0; k < t->f[i].rank; k++) used = used || t->f[i].at[k] == TG_BOUND + b;
        if (used) continue;
        tg_size size = t->dim[b];
        t->dim[b] = t->dim[--t->bound];
        relabel(t, TG_BOUND + t->bound, TG_BOUND + b, -1);
        if (tg_size_known(size)) {
            t->c = tg_ratio_mul(t->c, tg_ratio_of((double)size));
            continue;
        }
        tg_str key = {0};
        tg_str_addf(&key, "size %lld", (long long)size);
        int id = tg_index_intern(w, &key);
        if (id < 0 || t->n == TG_TERM_FACTORS) return false;
        t->f[t->n] = (tg_index_factor){.atom = id, .power = 1};
        memset(t->f[t->n++].at, 0, TG_MAX_RANK);
    }
    return true;
}

static uint64_t mix(uint64_t h, uint64_t x) {
    h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

/* Bound labels by what they connect. */
static void refine(const tg_index_term *t, uint64_t *colour) {
    for (int round = 0; round < t->bound + 1; round++) {
        uint64_t next[TG_TERM_BOUND] = {0};
        for (int i = 0; i < t->n; i++) {
            const tg_index_factor *f = &t->f[i];
            uint64_t power, whole = mix(17, (uint64_t)f->atom);
            memcpy(&power, &f->power, sizeof power);
            whole = mix(whole, power);
            for (int k = 0; k < f->rank; k++)
                whole = mix(whole, f->at[k] >= TG_BOUND ? colour[f->at[k] - TG_BOUND]
                                                        : (uint64_t)(f->at[k] + 2));
            for (int k = 0; k < f->rank; k++)
                if (f->at[k] >= TG_BOUND) next[f->at[k] - TG_BOUND] += mix(whole, (uint64_t)k + 1);
        }
        for (int b = 0; b < t->bound; b++) colour[b] = mix(colour[b], next[b]);
    }
}

static void order_labels(tg_index_term *t) {
    uint64_t colour[TG_TERM_BOUND];
    int place[TG_TERM_BOUND] = {0};
    bool taken[TG_TERM_BOUND] = {false};
    for (int b = 0; b < t->bound; b++) colour[b] = mix(1, (uint64_t)t->dim[b]);
    for (int next = 0; next < t->bound; next++) {
        refine(t, colour);
        int least = 0;
        while (taken[least]) least++;
        for (int b = least + 1; b < t->bound; b++)
            if (!taken[b] && colour[b] < colour[least]) least = b;
        taken[least] = true; /* it is then a colour of its own */
        place[least] = next;
        colour[least] = mix(99, (uint64_t)next + 1);
    }
    tg_size dim[TG_TERM_BOUND] = {0};
    for (int b = 0; b < t->bound; b++) dim[place[b]] = t->dim[b];
    memcpy(t->dim, dim, (size_t)t->bound * sizeof *dim);
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < t->f[i].rank; k++)
            if (t->f[i].at[k] >= TG_BOUND)
                t->f[i].at[k] = (signed char)(TG_BOUND + place[t->f[i].at[k] - TG_BOUND]);
    qsort(t->f, (size_t)t->n, sizeof *t->f, compare_factors);
}

/* Brings t to its order. False: it cannot be. */
static bool settle(tg_former *w, tg_index_term *t) {
    if (!settle_deltas(t)) return false;
    merge_factors(t);
    if (!count_unused(w, t)) return false;
    merge_factors(t);
    order_labels(t);
    return true;
}

/* ---- polynomials ---- */

tg_index_term *tg_term_new(tg_former *w) {
    tg_index_term *t = ++w->made <= MOST_MADE ? tg_index_take(w, sizeof *t) : NULL;
    if (t) t->c = (tg_ratio){1, 1};
    return t;
}

/* Adds t, which is settled, or lets p fail. */
void tg_poly_collect(tg_former *w, tg_poly *p, tg_index_term *t) {
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
        tg_index_term **more =
            p->n < MOST_TERMS ? tg_index_take(w, (size_t)cap * sizeof(tg_index_term *)) : NULL;
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
static bool append(tg_index_term *to, const tg_index_term *t, const signed char *to_label) {
    if (to->n + t->n > TG_TERM_FACTORS || to->bound + t->bound > TG_TERM_BOUND) return false;
    for (int i = 0; i < t->n; i++) {
        tg_index_factor f = t->f[i];
        for (int k = 0; k < f.rank; k++)
            if (f.at[k] >= TG_BOUND)
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
static void add_unfolded(tg_former *w, tg_poly *p, tg_index_term *t, int nest) {
    if (p->failed || !settle(w, t)) {
        p->failed = true;
        return;
    }
    int i = 0;
    while (i < t->n && !(w->atoms[t->f[i].atom].whole && t->f[i].power >= 1)) i++;
    if (i == t->n || nest == 0) {
        tg_poly_collect(w, p, t);
        return;
    }
    const tg_index_factor f = t->f[i];
    const tg_poly *whole = w->atoms[f.atom].whole;
    t->f[i].power -= 1;
    if (t->f[i].power == 0) remove_factor(t, i);
    for (int k = 0; k < whole->n; k++) {
        tg_index_term *made = tg_term_new(w);
        if (!made) {
            p->failed = true;
            return;
        }
        *made = *t;
        if (!append(made, whole->t[k], f.at)) p->failed = true;
        add_unfolded(w, p, made, nest - 1);
    }
}

enum { UNFOLD = 4 };

/* out += c * a * b, wired; b NULL: 1. */
void tg_poly_multiply(tg_former *w, tg_poly *out, tg_ratio c, const tg_poly *a, const tg_poly *b,
                      const tg_wiring *x) {
    out->failed = out->failed || a->failed || (b && b->failed) || x->bound > TG_TERM_BOUND;
    for (int i = 0; i < a->n && !out->failed; i++)
        for (int k = 0; k < (b ? b->n : 1) && !out->failed; k++) {
            tg_index_term *t = tg_term_new(w);
            if (!t) {
                out->failed = true;
                return;
            }
            t->c = c;
            t->bound = x->bound;
            memcpy(t->dim, x->dim, (size_t)x->bound * sizeof *t->dim);
            bool ok = append(t, a->t[i], x->at[0]) && (!b || append(t, b->t[k], x->at[1]));
            if (ok && x->delta && (ok = t->n < TG_TERM_FACTORS)) {
                tg_index_factor *f = &t->f[t->n++];
                *f = (tg_index_factor){.atom = TG_DELTA, .rank = 2, .power = 1};
                f->at[0] = x->join[0], f->at[1] = x->join[1];
            }
            out->failed = out->failed || !ok;
            if (ok) add_unfolded(w, out, t, UNFOLD);
        }
}

static int by_terms(const void *x, const void *y) {
    return compare_terms(*(tg_index_term *const *)x, *(tg_index_term *const *)y);
}

/* Writes p so that equal ones are written alike. */
void tg_poly_write(const tg_poly *p, tg_str *out) {
    if (p->n > 1) qsort(p->t, (size_t)p->n, sizeof *p->t, by_terms);
    for (int i = 0; i < p->n; i++) {
        const tg_index_term *t = p->t[i];
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
static bool as_factor(tg_former *w, const tg_poly *p, const char *what, tg_index_factor *out) {
    signed char to[TG_BOUND];
    bool used[TG_BOUND] = {0};
    *out = (tg_index_factor){.power = 1};
    for (int i = 0; i < p->n; i++)
        for (int k = 0; k < p->t[i]->n; k++)
            for (int j = 0; j < p->t[i]->f[k].rank; j++)
                if (p->t[i]->f[k].at[j] >= 0 && p->t[i]->f[k].at[j] < TG_BOUND)
                    used[(int)p->t[i]->f[k].at[j]] = true;
    for (int i = 0; i < TG_BOUND; i++) {
        to[i] = (signed char)out->rank;
        if (used[i] && out->rank == TG_MAX_RANK) return false;
        if (used[i]) out->at[out->rank++] = (signed char)i;
    }
    tg_poly *own = tg_index_take(w, sizeof *own);
    tg_wiring x = {0};
    memcpy(x.at[0], to, sizeof x.at[0]);
    for (int i = 0; own && i < p->n; i++) {
        tg_index_term *t = tg_term_new(w);
        if (!t || !append(t, p->t[i], to) || !settle(w, t)) return false;
        tg_poly_collect(w, own, t);
    }
    if (!own || own->failed) return false;
    tg_str key = {0};
    tg_str_addf(&key, "%s:", what);
    tg_poly_write(own, &key);
    if ((out->atom = tg_index_intern(w, &key)) < 0) return false;
    if (strcmp(what, "exp") == 0)
        w->atoms[out->atom].under = own;
    else
        w->atoms[out->atom].whole = own;
    return true;
}

void tg_poly_add_factor(tg_former *w, tg_poly *out, tg_ratio c, const tg_index_factor *f) {
    tg_index_term *t = tg_term_new(w);
    if (!t) {
        out->failed = true;
        return;
    }
    t->c = c;
    t->f[t->n++] = *f;
    add_unfolded(w, out, t, UNFOLD);
}

static bool is_exp(const tg_former *w, const tg_index_factor *f) {
    return w->atoms[f->atom].under != NULL;
}

/* Has p but one term, of which powers can be taken factor by factor? */
static bool is_monomial(const tg_former *w, const tg_poly *p, double power) {
    if (p->n != 1 || p->t[0]->bound) return false;
    const tg_index_term *t = p->t[0];
    bool whole = power == floor(power), positive = t->c.n == 1 && t->c.d == 1;
    for (int i = 0; i < t->n; i++) {
        if (t->f[i].atom == TG_DELTA) return false;
        positive = positive && is_exp(w, &t->f[i]);
    }
    bool single = t->n == 1 && t->f[0].power == 1 && t->c.n == 1 && t->c.d == 1;
    return whole || positive || single;
}

/* base^power */
void tg_poly_raise(tg_former *w, tg_poly *out, const tg_poly *base, double power, int rank) {
    tg_wiring same = {0};
    for (int i = 0; i < rank; i++) same.at[0][i] = same.at[1][i] = (signed char)i;
    if ((out->failed = base->failed || base->n == 0)) return;
    if (is_monomial(w, base, power)) {
        tg_index_term *t = tg_term_new(w);
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
        tg_poly_multiply(w, out, (tg_ratio){1, 1}, base, NULL, &same);
    } else if (power == floor(power) && power > 1 && power <= 4) {
        tg_poly less = {0};
        tg_poly_raise(w, &less, base, power - 1, rank);
        tg_poly_multiply(w, out, (tg_ratio){1, 1}, &less, base, &same);
    } else {
        tg_index_factor f;
        if (as_factor(w, base, "whole", &f)) {
            f.power = power;
            tg_poly_add_factor(w, out, (tg_ratio){1, 1}, &f);
        } else {
            out->failed = true;
        }
    }
}

/* exp of a sum is the product of powers of exp. */
void tg_poly_exp(tg_former *w, tg_poly *out, const tg_poly *p) {
    tg_index_term *made = tg_term_new(w);
    if ((out->failed = !made || p->failed || p->n > TG_TERM_FACTORS / 2)) return;
    for (int i = 0; i < p->n; i++) {
        tg_index_term one = *p->t[i], *list = &one;
        tg_poly core = {.t = &list, .n = 1, .cap = 1};
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
bool tg_poly_log(tg_former *w, tg_poly *out, const tg_poly *p) {
    if (p->failed || p->n != 1 || p->t[0]->bound || !(p->t[0]->c.n > 0)) return false;
    const tg_index_term *t = p->t[0];
    if (t->n == 0) return false;
    for (int i = 0; i < t->n; i++)
        if (!is_exp(w, &t->f[i])) return false;
    for (int i = 0; i < t->n; i++) {
        tg_wiring x = {0};
        memcpy(x.at[0], t->f[i].at, sizeof x.at[0]);
        tg_poly_multiply(w, out, tg_ratio_of(t->f[i].power), w->atoms[t->f[i].atom].under, NULL,
                         &x);
    }
    tg_index_term *number = t->c.n != t->c.d ? tg_term_new(w) : NULL;
    if (number) {
        number->c = tg_ratio_of(log(tg_ratio_value(t->c)));
        tg_poly_collect(w, out, number);
    }
    return true;
}
