/* Equality of formulas by normal form. First the simplifier: equal formulas are often one node
 * then. If not, the difference is multiplied out: products and all that is linear are distributed
 * over sums, bottom-up, and like terms are collected by keys in which factors and chains of @ stand
 * in one order. Formulas that are equal as polynomials in their parts have no terms left. What
 * would have too many terms stays as it is: the proof may then fail, but is never wrong. */
#include "runtime/graph/simplify_sum.h"
#include "base/alloc.h"
#include "runtime/graph/index_form.h"

#include <assert.h>
#include <math.h>

enum { MOST_TERMS = 128, MOST_NODES = 4000, MOST_STEPS = 2000000 };

typedef struct spread {
    tg_simp *s;
    tg_node **node; /* under the difference, by id */
    tg_node **val;  /* each multiplied out */
    size_t count;
} spread;

/* Adds c * n, a sum of any length, to the terms. */
static bool add_all(tg_simp *s, tg_terms *out, tg_ratio c, tg_node *n) {
    struct item {
        tg_node *node;
        tg_ratio c;
    } *stack = NULL;
    size_t cap = 0, top = 0;
    bool ok = tg_grow((void **)&stack, &cap, 8, sizeof *stack);
    if (ok) stack[top++] = (struct item){n, c};
    while (ok && top) {
        struct item it = stack[--top];
        tg_ratio minus = {-it.c.n, it.c.d};
        if (!(ok = tg_grow((void **)&stack, &cap, top + 2, sizeof *stack))) break;
        bool sum = it.node->op == s->add || it.node->op == s->sub;
        if (sum)
            stack[top++] = (struct item){it.node->arg[1], it.node->op == s->add ? it.c : minus};
        if (sum)
            stack[top++] = (struct item){it.node->arg[0], it.c};
        else if (it.node->op == s->neg)
            stack[top++] = (struct item){it.node->arg[0], minus};
        else if (!tg_terms_add(s, out, it.c, it.node, false))
            break;
        if (top == 0) {
            tg_free(stack);
            return true;
        }
    }
    tg_free(stack);
    return ok ? false : tg_fail_memory(&s->rt->c);
}

static uint64_t place_of(const tg_term *t) {
    return t->key ? t->key->id : 0;
}

/* The terms in the order of their keys. */
static tg_node *in_order(tg_simp *s, tg_terms *a, const tg_type *t) {
    size_t left = 0;
    for (size_t i = 0; i < a->n; i++)
        if (a->t[i].c.n != 0) a->t[left++] = a->t[i];
    a->n = left;
    for (size_t i = 1; i < a->n; i++) {
        tg_term one = a->t[i];
        size_t k = i;
        for (; k > 0 && place_of(&a->t[k - 1]) > place_of(&one); k--) a->t[k] = a->t[k - 1];
        a->t[k] = one;
    }
    tg_node *sum = a->n ? NULL : tg_node_number(s->rt, 0);
    for (size_t i = 0; i < a->n; i++) {
        tg_node *term = tg_term_build(s, a->t[i].c, a->t[i].core, t);
        sum = i && sum ? tg_simp_combine(s, s->add, sum, term, t) : term;
        if (!sum) return NULL;
    }
    if (!sum) return NULL;
    return sum->type.rank ? tg_simp_expand(s, sum, t) : tg_simp_uniform(s, sum, t);
}

/* A term as an argument of that type. */
static tg_node *operand(tg_simp *s, const tg_term *t, const tg_type *type) {
    tg_node *n = t->core ? t->core : tg_node_number(s->rt, 1);
    if (!n) return NULL;
    return n->type.rank ? tg_simp_expand(s, n, type) : tg_simp_uniform(s, n, type);
}

/* One pair of terms under the operation of n; y NULL: it has but one operand to distribute. */
static bool add_pair(tg_simp *s, const tg_node *n, tg_node *const *val, const tg_term *x,
                     const tg_term *y, tg_terms *out) {
    tg_ratio c = y ? tg_ratio_mul(x->c, y->c) : x->c;
    tg_node *made = NULL, *in[2] = {NULL, NULL};
    if (n->op == s->mul || n->op == s->div) {
        tg_product p = {.c = {1, 1}};
        bool ok = (!x->core || tg_product_add(s, &p, x->core, 1, false)) &&
                  (!y || !y->core || tg_product_add(s, &p, y->core, 1, false)) &&
                  (y || tg_product_add(s, &p, val[1], -1, false));
        made = ok ? tg_product_build(s, &p, &n->type) : NULL;
        tg_product_free(&p);
    } else {
        in[0] = operand(s, x, &n->arg[0]->type);
        in[1] = y ? operand(s, y, &n->arg[1]->type) : NULL;
        if (in[0] && (in[1] || !y)) made = tg_node_make(s->rt, n->op, n->n, in, n->at);
        if (made) made = tg_simp_again(s, made);
    }
    return made && add_all(s, out, c, made);
}

/* n over its multiplied out arguments, distributed where it is linear in them. NULL: an error. */
static tg_node *multiplied_out(tg_simp *s, tg_node *n, tg_node **val) {
    tg_terms x = {0}, y = {0}, out = {0};
    tg_node *made = NULL;
    int mask = n->op == s->mul ? 3 : n->op == s->div ? 1 : tg_simp_linear_mask(n);
    bool sum = n->op == s->add || n->op == s->sub || n->op == s->neg;
    bool linear = (mask == 1 && (n->n == 1 || n->op == s->div)) || (mask == 3 && n->n == 2);
    bool ok = true;
    if (sum) {
        tg_ratio second = {n->op == s->sub ? -1 : 1, 1}, first = {n->op == s->neg ? -1 : 1, 1};
        ok = add_all(s, &out, first, val[0]) && (n->n < 2 || add_all(s, &out, second, val[1]));
    } else if (linear) {
        ok = add_all(s, &x, (tg_ratio){1, 1}, val[0]) &&
             (mask == 1 || add_all(s, &y, (tg_ratio){1, 1}, val[1]));
        linear = x.n * (mask == 3 ? y.n : 1) <= MOST_TERMS && tg_simp_step(s, 1);
        for (size_t i = 0; ok && linear && i < x.n; i++)
            for (size_t k = 0; ok && k < (mask == 3 ? y.n : 1); k++)
                ok = add_pair(s, n, val, &x.t[i], mask == 3 ? &y.t[k] : NULL, &out);
    }
    if (ok && (sum || linear))
        made = in_order(s, &out, &n->type);
    else if (ok && n->n <= TG_MAX_TENSORS)
        made = tg_node_make(s->rt, n->op, n->n, val, n->at);
    else if (ok)
        made = n;
    tg_terms_free(&x);
    tg_terms_free(&y);
    tg_terms_free(&out);
    return made;
}

/* Writes whole powers of sums as products: (a + b)^2. */
static tg_node *as_product(tg_simp *s, tg_node *n, tg_node *base) {
    double k = n->op == s->pow && tg_node_is_number(n->arg[1]) ? n->arg[1]->leaf.number : 0;
    assert(base);
    if ((k != 2 && k != 3) || (base->op != s->add && base->op != s->sub)) return NULL;
    tg_node *square = tg_simp_make(s, s->mul, base, base), *val[2] = {base, base};
    if (square) square = multiplied_out(s, square, val);
    if (k == 2 || !square) return square;
    val[1] = square;
    tg_node *cube = tg_simp_make(s, s->mul, base, square);
    return cube ? multiplied_out(s, cube, val) : NULL;
}

static bool spread_all(spread *w) {
    tg_node *in[TG_MAX_TENSORS] = {NULL};
    for (size_t i = 0; i < w->count; i++) {
        tg_node *n = w->node[i];
        w->val[i] = n;
        if (n->n == 0 || n->n > TG_MAX_TENSORS) continue;
        for (int k = 0; k < n->n; k++) {
            size_t lo = 0, hi = i;
            while (lo + 1 < hi) {
                size_t mid = (lo + hi) / 2;
                if (w->node[mid]->id <= n->arg[k]->id)
                    lo = mid;
                else
                    hi = mid;
            }
            in[k] = w->val[lo];
        }
        tg_node *power = as_product(w->s, n, in[0]);
        if (!power && w->s->rt->c.diag.kind != TG_ERR_NONE) return false;
        w->val[i] = power ? power : multiplied_out(w->s, n, in);
        if (!w->val[i] || !tg_check_interrupt(&w->s->rt->c)) return false;
    }
    return true;
}

/* Is the difference d nothing when it is multiplied out? */
static bool vanishes(tg_rt *rt, tg_simp *s, tg_node *d, bool *same) {
    spread w = {.s = s};
    if (!tg_node_collect(rt, 1, &d, &w.node, &w.count)) return false;
    bool ok = true;
    if (w.count <= MOST_NODES) {
        w.val = tg_alloc_array(w.count, sizeof *w.val);
        ok = w.val ? spread_all(&w) : tg_fail_memory(&rt->c);
        if (ok) *same = tg_simp_is_uniform(s, w.val[w.count - 1], 0);
    }
    tg_free(w.val);
    tg_free(w.node);
    return ok;
}

bool tg_simplify_same(tg_rt *rt, tg_node *a, tg_node *b, bool *same, uint32_t *used) {
    uint32_t more[3] = {0};
    *same = false;
    tg_node *x = tg_simplify(rt, a, &more[0]), *y = x ? tg_simplify(rt, b, &more[1]) : NULL;
    if (!y) return false;
    *same = x == y;
    bool comparable = tg_shape_equal(a->type.rank, a->type.dim, b->type.rank, b->type.dim) &&
                      tg_dtype_is_float(a->type.dtype) && tg_dtype_is_float(b->type.dtype);
    if (!*same && comparable) {
        tg_node *d = tg_node_call2(rt, "sub", a, b);
        tg_memo own = {0};
        tg_simp s = {.rt = rt, .memo = &own, .most = MOST_STEPS, .node_most = MOST_STEPS};
        tg_simp_name_ops(&s);
        if (!d || !(d = tg_simplify(rt, d, &more[2]))) return false;
        *same = tg_simp_is_uniform(&s, d, 0);
        bool ok =
            *same || !(d = tg_node_call2(rt, "sub", x, y)) ? d != NULL : vanishes(rt, &s, d, same);
        if (ok && !*same) ok = tg_index_vanishes(&s, d, same);
        tg_free(own.slot);
        if (!ok) return false;
        more[2] |= s.used;
    }
    if (used) *used = *same ? more[0] | more[1] | more[2] : 0;
    return true;
}
