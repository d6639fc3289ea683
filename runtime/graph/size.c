/* Symbolic sizes as interned polynomials in normal form.
 *
 * Two polynomials are equal for all values of their symbols exactly when their normal forms are
 * equal (integer polynomials form a domain of characteristic 0), so hash consing the normal form
 * turns "provably equal" into `==` on int64. The order of terms is graded lexicographic, a monomial
 * order, hence division with remainder by leading terms finds every exact quotient (Cox, Little &
 * O'Shea, Ideals, Varieties, and Algorithms, section 2.3). ceil(a / k), which slices with a step
 * need, is not a polynomial: it becomes an atom after all multiples of k have been taken out of a,
 * which makes it unique too.
 *
 * Invariants: a polynomial that is a constant is never interned but stands for itself; atoms are
 * numbered in order of creation, so N + M prints with the symbol declared first in front. All
 * arithmetic on coefficients is checked. */
#include "runtime/graph/poly.h"
#include "base/alloc.h"

#include <assert.h>
#include <string.h>

/* ---- the table ---- */

bool tg_sizes_init(tg_rt *rt) {
    tg_sizes *t = tg_alloc_array(1, sizeof *t);
    if (!t) return tg_fail_memory(&rt->c);
    rt->sizes = t;
    t->nbucket = 64;
    t->bucket = tg_alloc_array(t->nbucket, sizeof(tg_poly *));
    return t->bucket ? true : tg_fail_memory(&rt->c);
}

void tg_sizes_free(tg_rt *rt) {
    tg_sizes *t = rt->sizes;
    if (!t) return;
    for (size_t i = 0; i < t->npoly; i++) tg_free(t->poly[i]);
    tg_free(t->poly);
    tg_free(t->bucket);
    tg_free(t->atom);
    tg_free(t);
    rt->sizes = NULL;
}

static tg_size no_memory(tg_rt *rt) {
    tg_fail_memory(&rt->c);
    return TG_SIZE_FAIL;
}

static tg_size too_large(tg_rt *rt) {
    tg_fail(&rt->c, TG_ERR_SHAPE, "a size is too large");
    return TG_SIZE_FAIL;
}

static uint32_t hash_term(uint32_t h, const tg_term *t) {
    uint64_t x = h ^ (uint64_t)t->coef * 0x9E3779B97F4A7C15u;
    for (int i = 0; i < t->degree; i++) x = (x ^ t->atom[i]) * 0x9E3779B97F4A7C15u + 1;
    return (uint32_t)(x ^ x >> 32);
}

static bool same_product(const tg_term *a, const tg_term *b) {
    return a->degree == b->degree &&
           memcmp(a->atom, b->atom, (size_t)a->degree * sizeof a->atom[0]) == 0;
}

static bool same_terms(const tg_poly *p, int n, const tg_term *t) {
    if (p->n != n) return false;
    for (int i = 0; i < n; i++)
        if (p->term[i].coef != t[i].coef || !same_product(&p->term[i], &t[i])) return false;
    return true;
}

/* Doubling keeps chains short; without memory they just grow longer. */
static void grow_buckets(tg_sizes *t) {
    tg_poly **bucket = tg_alloc_array(t->nbucket * 2, sizeof(tg_poly *));
    if (!bucket) return;
    tg_free(t->bucket);
    t->bucket = bucket;
    t->nbucket *= 2;
    for (size_t i = 0; i < t->npoly; i++) {
        tg_poly *p = t->poly[i];
        tg_poly **head = &bucket[p->hash & (t->nbucket - 1)];
        p->chain = *head;
        *head = p;
    }
}

/* The size of n terms in normal form. */
static tg_size intern(tg_rt *rt, int n, const tg_term *term) {
    tg_sizes *t = rt->sizes;
    if (n == 0) return 0;
    if (n == 1 && term[0].degree == 0) {
        if (term[0].coef >= 0) return term[0].coef;
        tg_fail(&rt->c, TG_ERR_SHAPE, "a size would be negative: %lld", (long long)term[0].coef);
        return TG_SIZE_FAIL;
    }
    if (n > TG_POLY_TERMS) return too_large(rt);
    uint32_t hash = (uint32_t)n;
    for (int i = 0; i < n; i++) hash = hash_term(hash, &term[i]);
    for (tg_poly *p = t->bucket[hash & (t->nbucket - 1)]; p; p = p->chain)
        if (p->hash == hash && same_terms(p, n, term)) return p->name;
    void *items = t->poly;
    if (!tg_grow(&items, &t->poly_cap, t->npoly + 1, sizeof(tg_poly *))) return no_memory(rt);
    t->poly = items;
    tg_poly *p = tg_alloc(sizeof *p + (size_t)n * sizeof *term);
    if (!p) return no_memory(rt);
    if (t->npoly >= t->nbucket) grow_buckets(t);
    tg_poly **head = &t->bucket[hash & (t->nbucket - 1)];
    *p = (tg_poly){.chain = *head, .name = -2 - (tg_size)t->npoly, .hash = hash, .n = n};
    memcpy(p->term, term, (size_t)n * sizeof *term);
    *head = p;
    t->poly[t->npoly++] = p;
    return p->name;
}

static tg_size new_atom(tg_rt *rt, tg_atom a) {
    tg_sizes *t = rt->sizes;
    void *items = t->atom;
    if (t->natom >= UINT32_MAX) return no_memory(rt);
    if (!tg_grow(&items, &t->atom_cap, t->natom + 1, sizeof *t->atom)) return no_memory(rt);
    t->atom = items;
    tg_term term = {.coef = 1, .degree = 1, .atom = {(uint32_t)t->natom}};
    a.self = intern(rt, 1, &term);
    if (a.self != TG_SIZE_FAIL) t->atom[t->natom++] = a;
    return a.self;
}

tg_atom *tg_poly_atom(const tg_rt *rt, tg_size s) {
    if (s >= 0) return NULL;
    const tg_poly *p = tg_poly_of(rt, s);
    bool bare = p->n == 1 && p->term[0].degree == 1 && p->term[0].coef == 1;
    return bare ? &rt->sizes->atom[p->term[0].atom[0]] : NULL;
}

tg_size tg_size_symbol(tg_rt *rt, const char *name) {
    if (!name) return new_atom(rt, (tg_atom){0});
    name = tg_intern(&rt->c, name, strlen(name));
    if (!name) return TG_SIZE_FAIL;
    for (size_t i = 0; i < rt->sizes->natom; i++)
        if (rt->sizes->atom[i].name == name) return rt->sizes->atom[i].self;
    return new_atom(rt, (tg_atom){.name = name});
}

const char *tg_size_symbol_name(tg_rt *rt, tg_size symbol) {
    const tg_atom *a = tg_poly_atom(rt, symbol);
    return a ? a->name : NULL;
}

/* ---- arithmetic on terms ---- */

/* A size as terms: those of its polynomial, or one constant put into *one. */
static int terms_of(tg_rt *rt, tg_size s, tg_term *one, const tg_term **out) {
    if (s < 0) {
        const tg_poly *p = tg_poly_of(rt, s);
        *out = p->term;
        return p->n;
    }
    *one = (tg_term){.coef = s};
    *out = one;
    return s != 0;
}

/* Graded lexicographic order: above 0 when a comes first. */
static int compare(const tg_term *a, const tg_term *b) {
    if (a->degree != b->degree) return a->degree > b->degree ? 1 : -1;
    for (int i = 0; i < a->degree; i++)
        if (a->atom[i] != b->atom[i]) return a->atom[i] < b->atom[i] ? 1 : -1;
    return 0;
}

/* out = a * b, one term each; false: too large. */
static bool term_times(const tg_term *a, const tg_term *b, tg_term *out) {
    tg_term r = {0};
    if (__builtin_mul_overflow(a->coef, b->coef, &r.coef)) return false;
    if (a->degree + b->degree > TG_POLY_DEGREE) return false;
    for (int i = 0, j = 0; i < a->degree || j < b->degree;) {
        bool left = j == b->degree || (i < a->degree && a->atom[i] <= b->atom[j]);
        r.atom[r.degree++] = left ? a->atom[i++] : b->atom[j++];
    }
    *out = r;
    return true;
}

/* out = a / b, one term each; false: not exact. */
static bool term_divide(const tg_term *a, const tg_term *b, tg_term *out) {
    tg_term r = {0};
    if (b->coef == -1 && a->coef == INT64_MIN) return false;
    if (a->coef % b->coef != 0) return false;
    r.coef = a->coef / b->coef;
    int j = 0;
    for (int i = 0; i < a->degree; i++)
        if (j < b->degree && a->atom[i] == b->atom[j])
            j++;
        else
            r.atom[r.degree++] = a->atom[i];
    if (j < b->degree) return false;
    *out = r;
    return true;
}

enum { ROOM = 2 * TG_POLY_TERMS };
typedef struct sum {
    int n;
    tg_term term[ROOM];
} sum;

/* s += t, keeping normal form; false: too large. */
static bool accumulate(sum *s, const tg_term *t) {
    int lo = 0, hi = s->n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (compare(&s->term[mid], t) > 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    size_t above = (size_t)(s->n - lo);
    if (lo < s->n && same_product(&s->term[lo], t)) {
        if (__builtin_add_overflow(s->term[lo].coef, t->coef, &s->term[lo].coef)) return false;
        if (s->term[lo].coef != 0) return true;
        memmove(&s->term[lo], &s->term[lo + 1], (above - 1) * sizeof *t);
        s->n--;
        return true;
    }
    if (s->n == ROOM) return false;
    memmove(&s->term[lo + 1], &s->term[lo], above * sizeof *t);
    s->term[lo] = *t;
    s->n++;
    return true;
}

/* s += f * t[0..n-1] */
static bool accumulate_product(sum *s, const tg_term *f, int n, const tg_term *t) {
    for (int i = 0; i < n; i++) {
        tg_term p;
        if (!term_times(f, &t[i], &p) || !accumulate(s, &p)) return false;
    }
    return true;
}

/* ---- the operations ---- */

/* a + f * b */
static tg_size combine(tg_rt *rt, tg_size a, int64_t f, tg_size b) {
    if (a == TG_SIZE_FAIL || b == TG_SIZE_FAIL) return TG_SIZE_FAIL;
    tg_term one, factor = {.coef = 1};
    const tg_term *t;
    sum s;
    s.n = 0;
    int n = terms_of(rt, a, &one, &t);
    if (!accumulate_product(&s, &factor, n, t)) return too_large(rt);
    factor.coef = f;
    n = terms_of(rt, b, &one, &t);
    if (!accumulate_product(&s, &factor, n, t)) return too_large(rt);
    return intern(rt, s.n, s.term);
}

tg_size tg_size_add(tg_rt *rt, tg_size a, tg_size b) {
    tg_size sum_known;
    if (a >= 0 && b >= 0)
        return __builtin_add_overflow(a, b, &sum_known) ? too_large(rt) : sum_known;
    return combine(rt, a, 1, b);
}

tg_size tg_size_sub(tg_rt *rt, tg_size a, tg_size b) {
    if (a >= b && b >= 0) return a - b;
    return combine(rt, a, -1, b);
}

tg_size tg_size_times(tg_rt *rt, tg_size a, tg_size b) {
    tg_size product;
    if (a == TG_SIZE_FAIL || b == TG_SIZE_FAIL) return TG_SIZE_FAIL;
    if (a >= 0 && b >= 0) return __builtin_mul_overflow(a, b, &product) ? too_large(rt) : product;
    tg_term one_a, one_b;
    const tg_term *ta, *tb;
    int na = terms_of(rt, a, &one_a, &ta), nb = terms_of(rt, b, &one_b, &tb);
    sum s;
    s.n = 0;
    for (int i = 0; i < na; i++)
        if (!accumulate_product(&s, &ta[i], nb, tb)) return too_large(rt);
    return intern(rt, s.n, s.term);
}

bool tg_size_at_most(tg_rt *rt, tg_size a, tg_size b) {
    tg_size d = tg_size_sub(rt, b, a);
    if (d == TG_SIZE_FAIL || tg_size_known(d)) return d != TG_SIZE_FAIL;
    const tg_poly *p = tg_poly_of(rt, d);
    for (int i = 0; i < p->n; i++)
        if (p->term[i].coef < 0) return false;
    return true;
}

/* Division by leading terms: exact as soon as every leading term of what remains divides. */
tg_size tg_size_divide(tg_rt *rt, tg_size a, tg_size b) {
    if (a == TG_SIZE_FAIL || b == TG_SIZE_FAIL || b == 0) return TG_SIZE_FAIL;
    if (a >= 0 && b >= 0) return a % b == 0 ? a / b : TG_SIZE_FAIL;
    tg_term one_a, one_b, unit = {.coef = 1};
    const tg_term *ta, *tb;
    int na = terms_of(rt, a, &one_a, &ta), nb = terms_of(rt, b, &one_b, &tb);
    sum rest, quotient;
    rest.n = quotient.n = 0;
    if (!accumulate_product(&rest, &unit, na, ta)) return TG_SIZE_FAIL;
    while (rest.n > 0) {
        tg_term q;
        if (!term_divide(&rest.term[0], &tb[0], &q) || !accumulate(&quotient, &q))
            return TG_SIZE_FAIL;
        if (q.coef == INT64_MIN) return TG_SIZE_FAIL;
        q.coef = -q.coef;
        if (!accumulate_product(&rest, &q, nb, tb)) return TG_SIZE_FAIL;
    }
    if (quotient.n == 1 && quotient.term[0].degree == 0 && quotient.term[0].coef < 0)
        return TG_SIZE_FAIL;
    return intern(rt, quotient.n, quotient.term);
}

/* ceil(a / k) with a = k * q + r, each coefficient of r in 0..k-1, is q + ceil(r / k). */
tg_size tg_size_ceil_div(tg_rt *rt, tg_size a, int64_t k) {
    if (a == TG_SIZE_FAIL || k <= 0) return TG_SIZE_FAIL;
    if (k == 1) return a;
    if (a >= 0) return a / k + (a % k != 0);
    const tg_poly *p = tg_poly_of(rt, a);
    sum q, r;
    q.n = r.n = 0;
    for (int i = 0; i < p->n; i++) {
        tg_term whole = p->term[i], part = whole;
        part.coef %= k;
        if (part.coef < 0) part.coef += k;
        whole.coef = whole.coef / k - (whole.coef % k < 0);
        if (whole.coef != 0) q.term[q.n++] = whole; /* the order of the terms stays */
        if (part.coef != 0) r.term[r.n++] = part;
    }
    if (r.n == 0) return intern(rt, q.n, q.term);
    if (r.n == 1 && r.term[0].degree == 0) {
        tg_term up = {.coef = 1};
        return accumulate(&q, &up) ? intern(rt, q.n, q.term) : too_large(rt);
    }
    tg_size inner = intern(rt, r.n, r.term), atom = TG_SIZE_FAIL;
    if (inner == TG_SIZE_FAIL) return TG_SIZE_FAIL;
    const tg_atom *nested = tg_poly_atom(rt, inner);
    assert(rt->sizes->atom); /* those of a */
    int64_t both;
    if (nested && nested->divisor && !__builtin_mul_overflow(nested->divisor, k, &both)) {
        k = both; /* ceil(ceil(x / m) / k) = ceil(x / (m * k)) */
        inner = nested->inner;
    }
    for (size_t i = 0; i < rt->sizes->natom && atom == TG_SIZE_FAIL; i++)
        if (rt->sizes->atom[i].divisor == k && rt->sizes->atom[i].inner == inner)
            atom = rt->sizes->atom[i].self;
    if (atom == TG_SIZE_FAIL) atom = new_atom(rt, (tg_atom){.divisor = k, .inner = inner});
    if (atom == TG_SIZE_FAIL || q.n == 0) return atom;
    tg_term one;
    const tg_term *t;
    int n = terms_of(rt, atom, &one, &t);
    tg_term unit = {.coef = 1};
    return accumulate_product(&q, &unit, n, t) ? intern(rt, q.n, q.term) : too_large(rt);
}
