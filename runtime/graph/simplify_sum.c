/* Sums in normal form: terms, each a number (a fraction) times a core, no two cores equal.
 *
 * add, sub and neg are taken apart into that form; equal cores are collected through a hash table,
 * so a sum of n terms takes about n steps. Then, in short sums, whatever makes them shorter is
 * tried: pattern rules for two terms (sin^2 + cos^2), common operands of @, multiplying out, and a
 * factor that all terms share. What is left is built in the order of the formula, a positive term
 * first (P - Y rather than -Y + P), numbers last (log(x) + 1), unless only the number is positive
 * (1 - x). */
#include "runtime/graph/simplify_sum.h"
#include "base/alloc.h"

#include <math.h>

enum { NEST = 24, FEW = 16, PAIRS = 8 };

void tg_terms_free(tg_terms *a) {
    tg_free(a->t);
    tg_free(a->place);
    *a = (tg_terms){0};
}

/* ---- like terms ---- */

static uint32_t spot(const tg_node *key) {
    return key ? key->hash : 0;
}

static bool rehash(tg_terms *a) {
    size_t places = 64;
    while (places < 4 * a->n) places *= 2;
    size_t *place = tg_alloc_array(places, sizeof *place);
    if (!place) return false;
    for (size_t i = 0; i < a->n; i++) {
        size_t k = spot(a->t[i].key) & (places - 1);
        while (place[k]) k = (k + 1) & (places - 1);
        place[k] = i + 1;
    }
    tg_free(a->place);
    a->place = place;
    a->places = places;
    return true;
}

/* The term with that key, or a->n. */
static size_t find_term(const tg_terms *a, const tg_node *key) {
    if (!a->place) {
        size_t i = 0;
        while (i < a->n && a->t[i].key != key) i++;
        return i;
    }
    for (size_t k = spot(key) & (a->places - 1); a->place[k]; k = (k + 1) & (a->places - 1))
        if (a->t[a->place[k] - 1].key == key) return a->place[k] - 1;
    return a->n;
}

/* Is a + b, of whole numbers, as exact as they are? 1e16 + 1 is not. */
static bool is_exact(tg_ratio a, tg_ratio b) {
    if (a.n != floor(a.n) || b.n != floor(b.n)) return true;
    double sum = a.n + b.n;
    return a.d != b.d || (sum - a.n == b.n && sum - b.n == a.n);
}

static bool collect(tg_simp *s, tg_terms *a, tg_ratio c, tg_node *core, tg_node *key) {
    size_t i = find_term(a, key);
    if (core && i < a->n && !is_exact(a->t[i].c, c)) i = a->n;
    if (i < a->n) {
        a->t[i].c = tg_ratio_add(a->t[i].c, c);
        if (core && core != a->t[i].core) { /* the same in other words: the shorter stays */
            double old = tg_simp_part_cost(s, a->t[i].core), new = tg_simp_part_cost(s, core);
            if (old < 0 || new < 0) return false;
            if (new < old) a->t[i].core = core;
        }
        tg_simp_note(s, core ? TG_LAW_COLLECT : TG_LAW_ARITHMETIC);
        return true;
    }
    if (!tg_grow((void **)&a->t, &a->cap, a->n + 1, sizeof *a->t)) return tg_fail_memory(&s->rt->c);
    a->t[a->n++] = (tg_term){c, core, key};
    if (a->n <= FEW) return true;
    if (!a->place || 2 * a->n > a->places) return rehash(a) || tg_fail_memory(&s->rt->c);
    size_t k = spot(key) & (a->places - 1);
    while (a->place[k]) k = (k + 1) & (a->places - 1);
    a->place[k] = a->n;
    return true;
}

/* ---- taking apart ---- */

typedef struct item {
    tg_node *node;
    tg_ratio c;
    bool raw;
    int nest; /* as for products */
} item;

typedef struct work {
    item *items;
    size_t n, cap;
} work;

static bool push(tg_simp *s, work *w, tg_node *n, tg_ratio c, bool raw, int nest) {
    if (raw) {
        n = tg_simp_arg(s, n, &raw);
        if (!n) return false;
    }
    if (!tg_grow((void **)&w->items, &w->cap, w->n + 1, sizeof *w->items))
        return tg_fail_memory(&s->rt->c);
    w->items[w->n++] = (item){n, c, raw, nest};
    return true;
}

/* A term that is no sum: its number joins the coefficient. */
static bool add_term(tg_simp *s, tg_terms *a, work *w, item it) {
    tg_node *n = it.node;
    if (!tg_simp_is_closed(s, n) && tg_chain_is(s, n)) {
        tg_node *key = tg_chain_key(s, n);
        return key && collect(s, a, it.c, n, key);
    }
    bool product =
        n->op == s->mul || n->op == s->div || n->op == s->neg || tg_simp_single(s, n) != 0;
    if (!product || tg_simp_is_closed(s, n)) return collect(s, a, it.c, n, n);
    tg_product p = {0};
    tg_ratio c = it.c;
    bool ok = tg_product_add(s, &p, n, 1, false);
    if (ok && (p.c.n != 1 || p.c.d != 1) && p.c.d != 0 && isfinite(p.c.n)) {
        c = tg_ratio_mul(c, p.c);
        p.c = (tg_ratio){1, 1};
        n = tg_product_build(s, &p, &n->type);
        if (n) n = tg_simp_unexpand(s, n);
        ok = n != NULL;
    }
    bool sum = ok && (n->op == s->add || n->op == s->sub) && fabs(c.n) == c.d && it.nest > 0;
    if (sum) {
        ok = push(s, w, n, c, false, it.nest - 1);
    } else if (ok) {
        tg_node *key = tg_term_key(s, &p, n);
        ok = key && collect(s, a, c, n, key);
    }
    tg_product_free(&p);
    return ok;
}

static bool take_apart(tg_simp *s, tg_terms *a, work *w, item it, bool top) {
    tg_node *n = it.node;
    if (tg_node_is_number(n))
        return collect(s, a, tg_ratio_mul(it.c, tg_ratio_of(n->leaf.number)), NULL, NULL);
    if ((!top && tg_simp_is_closed(s, n)) || (!it.raw && it.nest == 0) || !tg_simp_step(s, 1))
        return collect(s, a, it.c, n, n);
    if (!top && !it.raw && tg_simp_is_shared(s, n)) return collect(s, a, it.c, n, n);
    int nest = it.raw ? NEST : it.nest - 1;
    tg_ratio minus = {-it.c.n, it.c.d};
    if (n->op == s->add || n->op == s->sub)
        return push(s, w, n->arg[1], n->op == s->add ? it.c : minus, it.raw, nest) &&
               push(s, w, n->arg[0], it.c, it.raw, nest);
    if (n->op == s->neg) return push(s, w, n->arg[0], minus, it.raw, nest);
    tg_node *scalar = tg_simp_scalar_of(s, n);
    if (scalar) return push(s, w, scalar, it.c, false, nest);
    tg_node *inner = tg_simp_unexpand(s, n);
    if (!inner) return false;
    if (inner != n) return push(s, w, inner, it.c, false, nest);
    return add_term(s, a, w, it);
}

bool tg_terms_add(tg_simp *s, tg_terms *a, tg_ratio c, tg_node *n, bool raw) {
    work w = {0};
    bool ok = tg_grow((void **)&w.items, &w.cap, 8, sizeof *w.items), top = raw;
    if (!ok) return tg_fail_memory(&s->rt->c);
    w.items[w.n++] = (item){n, c, raw, NEST};
    while (ok && w.n) {
        ok = take_apart(s, a, &w, w.items[--w.n], top);
        top = false;
    }
    tg_free(w.items);
    return ok;
}

/* ---- building ---- */

tg_node *tg_term_build(tg_simp *s, tg_ratio c, tg_node *core, const tg_type *t) {
    if (!core) return tg_node_number(s->rt, tg_ratio_value(c));
    if (c.n == 1 && c.d == 1) return core;
    tg_product p = {0};
    tg_node *made = NULL;
    if (tg_product_add(s, &p, core, 1, false)) {
        p.c = tg_ratio_mul(p.c, c);
        tg_type own = core->type;
        own.dtype = t->dtype;
        made = tg_product_build(s, &p, &own);
    }
    tg_product_free(&p);
    return made;
}

static void drop_zeros(tg_terms *a) {
    size_t left = 0;
    for (size_t i = 0; i < a->n; i++)
        if (a->t[i].c.n != 0) a->t[left++] = a->t[i];
    if (left == a->n) return;
    a->n = left;
    tg_free(a->place); /* the places have moved */
    a->place = NULL;
    a->places = 0;
}

static void move_first(tg_terms *a, size_t i) {
    tg_term t = a->t[i];
    for (; i > 0; i--) a->t[i] = a->t[i - 1];
    a->t[0] = t;
}

static bool is_full(const tg_node *n, const tg_type *t) {
    return n && tg_shape_equal(n->type.rank, n->type.dim, t->rank, t->dim);
}

/* A before A', whatever term came first. */
static void primes_last(const tg_simp *s, tg_terms *a) {
    for (size_t i = 0; i < a->n; i++) {
        const tg_node *x = a->t[i].core;
        if (!x || x->op != s->transpose || a->t[i].c.n < 0) continue;
        for (size_t k = i + 1; k < a->n; k++)
            if (a->t[k].core == x->arg[0] && a->t[k].c.n > 0) {
                tg_term t = a->t[i];
                a->t[i] = a->t[k];
                a->t[k] = t;
                break;
            }
    }
}

/* A positive term first, the number last, and where broadcasting needs it a term of the full shape
 * first. */
static void order(tg_terms *a, const tg_type *t) {
    for (size_t i = 0; i + 1 < a->n; i++) {
        if (a->t[i].core) continue;
        tg_term number = a->t[i];
        for (; i + 1 < a->n; i++) a->t[i] = a->t[i + 1];
        a->t[i] = number;
    }
    size_t first = 0, small = 0;
    while (first < a->n && a->t[first].c.n < 0) first++;
    if (first < a->n && first > 0) move_first(a, first);
    for (size_t i = 0; i < a->n && !is_full(a->t[i].core, t); i++)
        small += a->t[i].core && a->t[i].core->type.rank > 0;
    if (small < 2) return;
    for (size_t i = 0; i < a->n; i++)
        if (is_full(a->t[i].core, t)) {
            move_first(a, i);
            return;
        }
}

tg_node *tg_terms_plain(tg_simp *s, tg_terms *a, const tg_type *t) {
    if (a->n <= FEW) primes_last(s, a);
    order(a, t);
    tg_node *sum = tg_term_build(s, a->t[0].c, a->t[0].core, t);
    for (size_t i = 1; i < a->n && sum; i++) {
        tg_ratio c = a->t[i].c;
        bool minus = c.n < 0;
        if (minus) c.n = -c.n;
        tg_node *term = tg_term_build(s, c, a->t[i].core, t);
        sum = term ? tg_simp_combine(s, minus ? s->sub : s->add, sum, term, t) : NULL;
    }
    return sum;
}

/* ---- rules for two terms ---- */

static tg_node *core_or_one(tg_simp *s, const tg_term *t) {
    return t->core ? t->core : tg_node_number(s->rt, 1);
}

/* Term i and sign * term j, put together by a rule; term i is then the result and j is gone. */
static bool join(tg_simp *s, tg_terms *a, size_t i, size_t j, bool *changed) {
    tg_ratio r = tg_ratio_div(a->t[j].c, a->t[i].c);
    if (r.d != 1 || fabs(r.n) != 1) return true;
    tg_node *x = core_or_one(s, &a->t[i]), *y = x ? core_or_one(s, &a->t[j]) : NULL;
    if (!y) return false;
    bool failed = false;
    tg_ratio c = a->t[i].c;
    tg_node *made = tg_simp_pair(s, x, r.n, y, &failed);
    if (!made && !failed && r.n < 0) {
        made = tg_simp_pair(s, y, r.n, x, &failed);
        c = a->t[j].c;
    }
    if (!made) return !failed;
    a->t[i].c = a->t[j].c = (tg_ratio){0, 1};
    drop_zeros(a);
    *changed = true;
    return tg_terms_add(s, a, c, made, false);
}

static bool join_pairs(tg_simp *s, tg_terms *a) {
    bool changed = true;
    while (changed && a->n >= 2 && a->n <= PAIRS) {
        changed = false;
        for (size_t i = 0; i < a->n && !changed; i++)
            for (size_t j = i + 1; j < a->n && !changed; j++)
                if (!join(s, a, i, j, &changed)) return false;
        drop_zeros(a);
    }
    return true;
}

/* ---- the whole ---- */

tg_node *tg_terms_build(tg_simp *s, tg_terms *a, const tg_type *t) {
    if (!tg_guard(&s->rt->c)) return NULL;
    drop_zeros(a);
    bool may = tg_simp_step(s, a->n);
    if (may && !join_pairs(s, a)) return NULL;
    for (bool changed = may && a->n >= 2 && a->n <= FEW; changed;) {
        if (!tg_terms_operands(s, a, &changed)) return NULL;
        drop_zeros(a);
        changed = changed && a->n >= 2;
    }
    if (a->n == 0) return tg_node_number(s->rt, 0);
    if (a->n == 1) return tg_term_build(s, a->t[0].c, a->t[0].core, t);
    tg_node *made = NULL;
    if (may && a->n <= FEW && !tg_terms_expand(s, a, t, &made)) return NULL;
    if (!made && !tg_terms_common(s, a, t, &made)) return NULL;
    if (!made) made = tg_terms_plain(s, a, t);
    return made && (!may || tg_terms_over(s, a, t, &made)) ? made : NULL;
}

tg_node *tg_simp_sum(tg_simp *s, tg_node *n) {
    tg_terms a = {0};
    tg_node *made = NULL;
    if (tg_terms_add(s, &a, (tg_ratio){1, 1}, n, true)) made = tg_terms_build(s, &a, &n->type);
    tg_terms_free(&a);
    if (made && made->type.rank == 2 && (made->op == s->add || made->op == s->sub)) {
        tg_node *pulled = tg_chain_pull(s, made);
        if (pulled && pulled != made) tg_simp_note(s, TG_LAW_TRANSPOSE);
        made = pulled;
    }
    if (!made) return NULL;
    return made->type.rank == 0 ? tg_simp_uniform(s, made, &n->type)
                                : tg_simp_expand(s, made, &n->type);
}
