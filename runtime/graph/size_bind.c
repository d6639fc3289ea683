/* Symbolic sizes meet data: binding symbols, evaluating, listing, and printing.
 *
 * Evaluation is checked at each step. ceil atoms can nest as deeply as a program slices, and can
 * share parts, so their values are kept for the length of one evaluation (the atom's `seen` and
 * `value`): the cost is that of the parts, not of the paths. */
#include "runtime/graph/poly.h"
#include "base/alloc.h"

#include <assert.h>
#include <string.h>

void tg_size_binding_free(tg_size_binding *b) {
    tg_free(b->items);
    *b = (tg_size_binding){0};
}

static struct tg_size_bound *find(const tg_size_binding *b, tg_size symbol) {
    for (size_t i = 0; b && i < b->n; i++)
        if (b->items[i].symbol == symbol) return &b->items[i];
    return NULL;
}

static bool add(tg_rt *rt, tg_size_binding *b, struct tg_size_bound item) {
    void *items = b->items;
    if (!tg_grow(&items, &b->cap, b->n + 1, sizeof *b->items)) return tg_fail_memory(&rt->c);
    b->items = items;
    b->items[b->n++] = item;
    return true;
}

/* ---- evaluation ---- */

static bool eval(tg_rt *rt, const tg_size_binding *b, tg_size s, int64_t *out);

static bool too_large(tg_rt *rt) {
    return tg_fail(&rt->c, TG_ERR_SHAPE, "a size is too large");
}

static bool eval_atom(tg_rt *rt, const tg_size_binding *b, uint32_t number, int64_t *out) {
    tg_atom a = rt->sizes->atom[number];
    if (a.seen == rt->sizes->walk) {
        *out = a.value;
        return true;
    }
    if (a.divisor == 0) {
        const struct tg_size_bound *bound = find(b, a.self);
        if (!bound)
            return tg_fail(&rt->c, TG_ERR_DATA, "the size %s is not known yet: no data are bound",
                           a.name ? a.name : "?");
        a.value = bound->value;
    } else {
        if (!tg_guard(&rt->c) || !eval(rt, b, a.inner, &a.value)) return false;
        a.value = a.value / a.divisor + (a.value % a.divisor > 0);
    }
    a.seen = rt->sizes->walk;
    rt->sizes->atom[number] = a;
    *out = a.value;
    return true;
}

static bool eval_term(tg_rt *rt, const tg_size_binding *b, const tg_term *t, int64_t *out) {
    int64_t product = t->coef;
    for (int i = 0; i < t->degree; i++) {
        int64_t v = 0;
        if (!eval_atom(rt, b, t->atom[i], &v)) return false;
        if (__builtin_mul_overflow(product, v, &product)) return too_large(rt);
    }
    *out = product;
    return true;
}

static bool eval(tg_rt *rt, const tg_size_binding *b, tg_size s, int64_t *out) {
    if (s >= 0) {
        *out = s;
        return true;
    }
    const tg_poly *p = tg_poly_of(rt, s);
    int64_t total = 0, v = 0;
    for (int i = 0; i < p->n; i++) {
        if (!eval_term(rt, b, &p->term[i], &v)) return false;
        if (__builtin_add_overflow(total, v, &total)) return too_large(rt);
    }
    *out = total;
    return true;
}

int64_t tg_size_eval(tg_rt *rt, const tg_size_binding *b, tg_size s) {
    int64_t v = 0;
    if (s >= 0 || s == TG_SIZE_FAIL) return s;
    rt->sizes->walk++;
    if (!eval(rt, b, s, &v)) return TG_SIZE_FAIL;
    if (v >= 0) return v;
    tg_fail(&rt->c, TG_ERR_SHAPE, "a size would be negative: %s is %lld", tg_shape_text(rt, 1, &s),
            (long long)v);
    return TG_SIZE_FAIL;
}

static bool list(tg_rt *rt, tg_size_binding *set, tg_size s) {
    if (s >= 0) return true;
    for (int i = 0; i < tg_poly_of(rt, s)->n; i++) {
        const tg_term *t = &tg_poly_of(rt, s)->term[i];
        for (int j = 0; j < t->degree; j++) {
            tg_atom *a = &rt->sizes->atom[t->atom[j]];
            if (a->seen == rt->sizes->walk) continue;
            a->seen = rt->sizes->walk;
            if (a->divisor) {
                if (!tg_guard(&rt->c) || !list(rt, set, a->inner)) return false;
            } else if (!find(set, a->self) &&
                       !add(rt, set, (struct tg_size_bound){a->self, -1, NULL})) {
                return false;
            }
        }
    }
    return true;
}

bool tg_size_symbols(tg_rt *rt, tg_size_binding *set, tg_size s) {
    rt->sizes->walk++;
    return list(rt, set, s);
}

/* ---- binding ---- */

static bool mismatch(tg_rt *rt, const char *from, int rank, const tg_size *declared,
                     int actual_rank, const int64_t *actual) {
    const char *want = tg_shape_text(rt, rank, declared);
    return tg_fail(&rt->c, TG_ERR_SHAPE, "%s is declared %s but the data are %s",
                   from ? from : "the input", want, tg_shape_text(rt, actual_rank, actual));
}

static bool bind_symbol(tg_rt *rt, tg_size_binding *b, const char *from, const tg_atom *a,
                        int64_t value) {
    const struct tg_size_bound *old = find(b, a->self);
    if (!old) return add(rt, b, (struct tg_size_bound){a->self, value, from});
    if (old->value == value) return true;
    return tg_fail(&rt->c, TG_ERR_SHAPE, "%s is %lld in %s but %lld in %s", a->name ? a->name : "?",
                   (long long)old->value, old->from ? old->from : "one input", (long long)value,
                   from ? from : "another");
}

/* The only unbound symbol of p, when p is linear in it and it stands in one term: its term. */
static const tg_term *solvable(tg_rt *rt, const tg_size_binding *b, const tg_poly *p) {
    const tg_term *found = NULL;
    for (int i = 0; i < p->n; i++)
        for (int j = 0; j < p->term[i].degree; j++) {
            const tg_atom *a = &rt->sizes->atom[p->term[i].atom[j]];
            if (a->divisor) return NULL;
            if (find(b, a->self)) continue;
            if (found) return NULL;
            found = &p->term[i];
        }
    return found;
}

/* A compound dim: checked, or solved for what is missing in it. *fits: false when no value fits. */
static bool bind_compound(tg_rt *rt, tg_size_binding *b, const char *from, tg_size s,
                          int64_t actual, bool *fits) {
    tg_size_binding symbols = {0};
    const tg_poly *p = tg_poly_of(rt, s);
    bool open = false;
    if (!tg_size_symbols(rt, &symbols, s)) {
        tg_size_binding_free(&symbols);
        return false;
    }
    for (size_t i = 0; i < symbols.n; i++) open = open || !find(b, symbols.items[i].symbol);
    tg_size_binding_free(&symbols);
    rt->sizes->walk++;
    if (!open) {
        int64_t v = 0;
        if (!eval(rt, b, s, &v)) return false;
        *fits = v == actual;
        return true;
    }
    const tg_term *t = solvable(rt, b, p);
    if (!t) return true;
    int64_t rest = actual, factor = t->coef, v = 0;
    for (int i = 0; i < p->n; i++) {
        if (&p->term[i] == t) continue;
        if (!eval_term(rt, b, &p->term[i], &v)) return false;
        if (__builtin_sub_overflow(rest, v, &rest)) return too_large(rt);
    }
    const tg_atom *missing = NULL;
    for (int j = 0; j < t->degree; j++) {
        const tg_atom *a = &rt->sizes->atom[t->atom[j]];
        const struct tg_size_bound *bound = find(b, a->self);
        if (!bound)
            missing = a;
        else if (__builtin_mul_overflow(factor, bound->value, &factor))
            return too_large(rt);
    }
    if (factor == 0) {
        *fits = rest == 0;
        return true;
    }
    *fits = factor != -1 ? rest % factor == 0 && rest / factor >= 0 : rest <= 0 && rest > INT64_MIN;
    if (!*fits) return true;
    assert(missing); /* solvable found it */
    return bind_symbol(rt, b, from, missing, factor != -1 ? rest / factor : -rest);
}

bool tg_size_bind(tg_rt *rt, tg_size_binding *b, const char *from, int rank,
                  const tg_size *declared, int actual_rank, const int64_t *actual) {
    bool fits = rank == actual_rank;
    for (int i = 0; fits && i < rank; i++) fits = declared[i] < 0 || declared[i] == actual[i];
    for (int i = 0; fits && i < rank; i++) {
        const tg_atom *a = tg_poly_atom(rt, declared[i]);
        if (a && !a->divisor && !bind_symbol(rt, b, from, a, actual[i])) return false;
    }
    for (int i = 0; fits && i < rank; i++) {
        const tg_atom *a = tg_poly_atom(rt, declared[i]);
        if (declared[i] >= 0 || (a && !a->divisor)) continue;
        if (!bind_compound(rt, b, from, declared[i], actual[i], &fits)) return false;
    }
    return fits || mismatch(rt, from, rank, declared, actual_rank, actual);
}

/* ---- printing ---- */

/* Appends one term without its sign; ceil atoms print unfolded to a depth of 4. */
static void print_term(tg_rt *rt, tg_str *s, const tg_term *t, int depth);

static void print(tg_rt *rt, tg_str *s, tg_size size, int depth) {
    if (size >= 0) {
        tg_str_addf(s, "%lld", (long long)size);
        return;
    }
    if (size == -1 ||
        (size_t)(-2 - size) >= rt->sizes->npoly) { /* marks of shape rules, not sizes */
        tg_str_add(s, "-1");
        return;
    }
    const tg_poly *p = tg_poly_of(rt, size);
    int first = 0; /* the first positive term leads: 5 - N, not -N + 5 */
    while (first < p->n && p->term[first].coef < 0) first++;
    if (first == p->n) first = 0;
    if (p->term[first].coef < 0) tg_str_addc(s, '-');
    print_term(rt, s, &p->term[first], depth);
    for (int i = 0; i < p->n; i++) {
        if (i == first) continue;
        tg_str_add(s, p->term[i].coef < 0 ? " - " : " + ");
        print_term(rt, s, &p->term[i], depth);
    }
}

static void print_term(tg_rt *rt, tg_str *s, const tg_term *t, int depth) {
    uint64_t coef = t->coef < 0 ? 0 - (uint64_t)t->coef : (uint64_t)t->coef;
    if (coef != 1 || t->degree == 0) tg_str_addf(s, "%llu", (unsigned long long)coef);
    for (int i = 0, power; i < t->degree; i += power) {
        const tg_atom *a = &rt->sizes->atom[t->atom[i]];
        for (power = 1; i + power < t->degree && t->atom[i + power] == t->atom[i];) power++;
        if (i > 0 || coef != 1) tg_str_addc(s, '*');
        if (a->divisor == 0) {
            tg_str_add(s, a->name ? a->name : "?");
        } else if (depth == 0) {
            tg_str_add(s, "ceil(...)");
        } else {
            bool several = tg_poly_of(rt, a->inner)->n > 1;
            tg_str_add(s, several ? "ceil((" : "ceil(");
            print(rt, s, a->inner, depth - 1);
            tg_str_addf(s, "%s / %lld)", several ? ")" : "", (long long)a->divisor);
        }
        if (power > 1) tg_str_addf(s, "^%d", power);
    }
}

enum { SHOWN_DEPTH = 4 };

void tg_size_print(tg_rt *rt, tg_str *s, tg_size size) {
    print(rt, s, size, SHOWN_DEPTH);
}

void tg_shape_print(tg_rt *rt, tg_str *s, int rank, const tg_size *dim) {
    tg_str_addc(s, '[');
    for (int i = 0; i < rank; i++) {
        if (i > 0) tg_str_add(s, ", ");
        tg_size_print(rt, s, dim[i]);
    }
    tg_str_addc(s, ']');
}

const char *tg_shape_text(tg_rt *rt, int rank, const tg_size *dim) {
    enum { BUFFERS = 8, LENGTH = 256 };
    static _Thread_local char ring[BUFFERS][LENGTH];
    static _Thread_local unsigned turn;
    char *text = ring[turn++ % BUFFERS];
    tg_str s = {0};
    tg_shape_print(rt, &s, rank, dim);
    if (s.failed || s.len >= LENGTH)
        strcpy(text, "[...]");
    else
        memcpy(text, tg_str_text(&s), s.len + 1);
    tg_str_free(&s);
    return text;
}
