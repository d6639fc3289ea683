/* The last touch on a result: how it is written. Inside, a scalar factor stands before a matrix
 * product as a whole, 2 * (A' @ r), so that products are recognised. A textbook writes 2 * A' @ r,
 * which reads (2 * A') @ r; the plan makes either one call of gemm. So in the terms of a result,
 * and nowhere deeper, scalar factors and signs move to the leftmost operand. A product that is used
 * in other places too stays whole, for it would be computed twice. The direction of something
 * short, unit(x), is written x / norm(x), and a new axis x[:, none]. */
#include "runtime/graph/simplifier.h"
#include "base/alloc.h"
#include "runtime/ops/view.h"

enum { DEPTH = 32 };

typedef struct speller {
    tg_simp *s;
    tg_node *root;
    bool failed; /* no memory to tell who uses what */
} speller;

static bool is_matrix_product(const speller *p, const tg_node *n) {
    const tg_simp *s = p->s;
    return !n->label &&
           (n->op == s->matmul || n->op == s->matvec || n->op == s->vecmat || n->op == s->vdot);
}

/* Is n used once in the result? */
static bool used_once(speller *p, const tg_node *n) {
    size_t uses;
    if (!tg_node_uses(p->s->rt, p->root, n, &uses)) p->failed = true;
    return !p->failed && uses == 1;
}

/* Is n made of scalars only? */
static bool is_scalar(const tg_node *n) {
    return n->type.rank == 0;
}

/* May a factor stand before the leftmost operand of the product n? Not before one that would take
 * it in. */
static bool takes(speller *p, const tg_node *n, int depth) {
    const tg_node *left = n->arg[0];
    if (!used_once(p, n)) return false;
    if (depth > 0 && is_matrix_product(p, left) && used_once(p, left))
        return takes(p, left, depth - 1);
    const tg_op *op = left->op;
    return left->label || (op != p->s->expand && op != p->s->ones && op != p->s->zeros &&
                           op != p->s->div && op != p->s->neg);
}

/* factor * n, or -n when factor is NULL, with the factor at the leftmost operand of the product n.
 */
static tg_node *into(speller *p, tg_node *factor, tg_node *n, int depth) {
    tg_node *left = n->arg[0], *in[2] = {NULL, n->arg[1]};
    if (depth > 0 && is_matrix_product(p, left) && used_once(p, left))
        in[0] = into(p, factor, left, depth - 1);
    else
        in[0] = factor ? tg_simp_make(p->s, p->s->mul, factor, left)
                       : tg_simp_make(p->s, p->s->neg, left, NULL);
    return in[0] ? tg_node_make(p->s->rt, n->op, 2, in, n->at) : NULL;
}

static tg_node *spell(speller *p, tg_node *n, int depth);

static tg_node *with_args(speller *p, tg_node *n, tg_node *a, tg_node *b) {
    if (!a || (n->n == 2 && !b)) return NULL;
    return a == n->arg[0] && (n->n < 2 || b == n->arg[1]) ? n : tg_simp_make(p->s, n->op, a, b);
}

/* -(a * b) is -a * b */
static tg_node *spell_minus(speller *p, tg_node *n, int depth) {
    tg_node *x = n->arg[0];
    if (is_matrix_product(p, x)) return takes(p, x, depth) ? into(p, NULL, x, depth) : n;
    if (x->label || (x->op != p->s->mul && x->op != p->s->div)) return n;
    tg_node *a = tg_simp_make(p->s, p->s->neg, x->arg[0], NULL);
    if (a) a = spell(p, a, depth - 1);
    return a ? tg_simp_make(p->s, x->op, a, x->arg[1]) : NULL;
}

/* The number of elements that the sum n adds up for each of its own. */
static tg_node *addends(const tg_simp *s, const tg_node *n) {
    const tg_type *t = &n->arg[0]->type;
    tg_size size = 1;
    for (int i = 0; i < t->rank && size != TG_SIZE_FAIL; i++)
        if (n->at->v[0] >> i & 1) size = tg_size_times(s->rt, size, t->dim[i]);
    return size == TG_SIZE_FAIL ? NULL : tg_node_size(s->rt, size);
}

/* mean(x) for the sum n when it is divided by `count`; else n. */
static tg_node *as_mean(speller *p, tg_node *n, const tg_node *count) {
    if (n->label || n->op != p->s->sum) return n;
    const tg_node *all = addends(p->s, n);
    if (!all) return NULL;
    return all == count ? tg_node_make(p->s->rt, p->s->mean, 1, n->arg, n->at) : n;
}

/* In a sum: x - sum(x) / n is x - mean(x), and sum(a * x) * x / n is mean(a * x) * x. */
static tg_node *spell_mean(speller *p, tg_node *n) {
    tg_simp *s = p->s;
    if (n->label || n->op != s->div) return n;
    tg_node *x = n->arg[0], *made = as_mean(p, x, n->arg[1]);
    if (made != x) return made;
    if (x->op != s->mul || x->label) return n;
    for (int i = 0; i < 2; i++) {
        if (!(made = as_mean(p, x->arg[i], n->arg[1]))) return NULL;
        if (made != x->arg[i])
            return tg_simp_make(s, s->mul, i ? x->arg[0] : made, i ? made : x->arg[1]);
    }
    return n;
}

static tg_node *spell(speller *p, tg_node *n, int depth) {
    const tg_simp *s = p->s;
    if (depth == 0 || (n->label && n != p->root)) return n;
    if (tg_simp_is_short_unit(p->s, n)) return tg_simp_over_norm(p->s, n);
    if (n->op->class != TG_CLASS_ELEMENTWISE) return n;
    if (n->op == s->neg) return spell_minus(p, n, depth);
    if (n->op == s->add || n->op == s->sub) {
        tg_node *a = spell_mean(p, n->arg[0]), *b = a ? spell_mean(p, n->arg[1]) : NULL;
        a = b ? spell(p, a, depth - 1) : NULL;
        return with_args(p, n, a, a ? spell(p, b, depth - 1) : NULL);
    }
    if (n->op == s->where) {
        tg_node *a = spell(p, n->arg[1], depth - 1), *b = a ? spell(p, n->arg[2], depth - 1) : NULL,
                *in[3] = {n->arg[0], a, b};
        return b ? tg_node_make(s->rt, s->where, 3, in, n->at) : NULL;
    }
    if (n->op == s->mul && is_scalar(n->arg[0]) && is_matrix_product(p, n->arg[1]) &&
        takes(p, n->arg[1], depth))
        return into(p, n->arg[0], n->arg[1], depth);
    if (n->op == s->mul || n->op == s->div) {
        tg_node *b = n->arg[1];
        if (n->op == s->mul && b->op == s->unit) b = spell(p, b, depth - 1);
        /* 2 * (x @ A @ x) * x, not (2 * x @ A @ x) * x */
        const tg_node *a = n->arg[0];
        bool number = n->op == s->mul && a->op == s->mul && a->arg[1]->op == s->vdot;
        return with_args(p, n, number ? n->arg[0] : spell(p, n->arg[0], depth - 1), b);
    }
    return n;
}

/* ---- shapes ---- */

/* The new axes that n makes, if it is a reshape. */
static int new_axes(const tg_node *n) {
    return n->n == 1 && tg_node_is(n, "reshape") ? n->type.rank - n->arg[0]->type.rank : 0;
}

/* x[:, none] for reshape(x, n, 1), which has but new axes of size 1; else n. */
static tg_node *with_new_axes(tg_simp *s, tg_node *n, tg_node *x) {
    tg_slice_item item[TG_MAX_RANK];
    int k = 0, added = new_axes(n);
    if (added <= 0 || x->type.rank == 0) return n;
    for (int i = 0; i < n->type.rank; i++) {
        bool same = k < x->type.rank && x->type.dim[k] == n->type.dim[i];
        if (!same && (n->type.dim[i] != 1 || added-- == 0)) return n;
        item[i] =
            (tg_slice_item){.kind = same ? TG_SLICE_RANGE : TG_SLICE_NEWAXIS, .step = same ? 1 : 0};
        k += same;
    }
    tg_attrs at;
    if (k < x->type.rank) return n;
    if (!tg_slice_attrs(s->rt, &x->type, n->type.rank, item, &at)) return NULL;
    return tg_node_make(s->rt, tg_op_slice(), 1, &x, &at);
}

/* x / norm(x) for the direction of something short that stands by itself before or behind an @. */
static tg_node *with_norm(speller *p, const tg_node *n, tg_node *x) {
    tg_simp *s = p->s;
    bool product = n->op == s->matvec || n->op == s->vecmat || n->op == s->vdot;
    return product && tg_simp_is_short_unit(s, x) && used_once(p, x) ? tg_simp_over_norm(s, x) : x;
}

static bool is_spelt(const tg_node *n) {
    return n->spelt;
}

/* Notes where these two ways of writing change nothing, so that the formulas of many results, which
 * have most of their nodes in common, are looked through once. */
static bool note_spelt(tg_simp *s, tg_node *n) {
    tg_node **node;
    size_t count;
    if (!tg_node_collect_unless(s->rt, n, is_spelt, &node, &count)) return false;
    for (size_t i = 0; i < count; i++) {
        tg_node *x = node[i];
        x->spelt = x->op != s->unit && new_axes(x) <= 0;
        for (int k = 0; k < x->n; k++) x->spelt = x->spelt && x->arg[k]->spelt;
    }
    tg_free(node);
    return true;
}

/* n with these two ways of writing all over it, but for the insides of names. */
static tg_node *spell_parts(tg_simp *s, tg_node *n) {
    speller p = {.s = s, .root = n};
    tg_node **node, **to, *in[TG_MAX_TENSORS], *made = NULL;
    size_t count;
    if (!note_spelt(s, n)) return NULL;
    if (n->spelt) return n;
    if (!tg_node_collect(s->rt, 1, &n, &node, &count)) return NULL;
    if (!(to = tg_alloc_array(count, sizeof *to))) {
        tg_free(node);
        tg_fail_memory(&s->rt->c);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        tg_node *x = to[i] = made = node[i];
        bool changed = false, closed = (x->label && x != n) || x->n > TG_MAX_TENSORS;
        for (int k = 0; !closed && made && k < x->n; k++) {
            size_t lo = 0, hi = i;
            while (lo + 1 < hi) {
                size_t mid = lo + (hi - lo) / 2;
                if (node[mid]->id <= x->arg[k]->id)
                    lo = mid;
                else
                    hi = mid;
            }
            in[k] = with_norm(&p, x, to[lo]);
            made = in[k];
            changed = changed || in[k] != x->arg[k];
        }
        if (made && changed) made = tg_node_make(s->rt, x->op, x->n, in, x->at);
        if (!changed && made) made = x;
        if (made && !closed && x->n == 1) made = with_new_axes(s, made, made->arg[0]);
        if (!(to[i] = made)) break;
    }
    tg_free(to);
    tg_free(node);
    return made;
}

tg_node *tg_simp_spell(tg_simp *s, tg_node *n) {
    tg_node *list = tg_simp_elements(s, n);
    if (list != n) return list;
    speller p = {.s = s, .root = n};
    tg_node *made = spell(&p, n, DEPTH);
    if (p.failed || !made) return NULL;
    return spell_parts(s, tg_simp_fits(&made->type, &n->type) ? made : n);
}
