/* Small things that all parts of the simplifier use: the cost of a formula, and tensors of equal
 * elements.
 *
 * Such a tensor is written as zeros, ones, or expand of a scalar; where elementwise arithmetic
 * stretches operands by itself, as the scalar. Which of them is simplest depends on the place, so
 * the parts go through tg_simp_scalar_of and tg_simp_uniform. */
#include "runtime/graph/simplifier.h"
#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/number.h"

#include <string.h>

bool tg_simp_is_kept(const tg_simp *s, const tg_node *n) {
    if (n->op->opaque || tg_node_is_loop(n)) return true;
    for (int i = 0; i < s->nkeep; i++)
        if (s->keep[i] == n) return true;
    return false;
}

bool tg_simp_fits(const tg_type *a, const tg_type *want) {
    if (!tg_shape_equal(a->rank, a->dim, want->rank, want->dim)) return false;
    return a->dtype == want->dtype || (a->rank == 0 && a->weak && tg_dtype_is_float(want->dtype));
}

/* 1/3 is a number that it takes an operation to write. */
static bool is_fraction(const tg_node *n) {
    double top, under;
    return tg_node_is_number(n) &&
           tg_number_fraction(tg_number_tidy(n->leaf.number, 1), &top, &under);
}

double tg_simp_cost(tg_simp *s, tg_node *n) {
    tg_memo_entry *e = tg_memo_at(s->rt, s->memo, n);
    if (!e) return -1;
    if (e->cost >= 0) return e->cost;
    tg_node **stack = NULL;
    size_t cap = 0, top = 0;
    double cost = -1;
    if (!tg_grow((void **)&stack, &cap, 64, sizeof *stack)) goto fail;
    stack[top++] = n;
    while (top) {
        tg_node *t = stack[top - 1];
        size_t before = top;
        cost = t->op->class == TG_CLASS_LEAF ? is_fraction(t) : 1;
        for (int i = 0; i < t->n; i++) {
            if (!(e = tg_memo_at(s->rt, s->memo, t->arg[i]))) goto end;
            if (t->arg[i]->label) continue; /* a name */
            if (e->cost >= 0)
                cost += e->cost;
            else if (!tg_grow((void **)&stack, &cap, top + 1, sizeof *stack))
                goto fail;
            else
                stack[top++] = t->arg[i];
        }
        if (top > before) continue; /* arguments first */
        if (!(e = tg_memo_at(s->rt, s->memo, t))) goto end;
        e->cost = cost < 1e300 ? cost : 1e300;
        top--;
    }
    tg_free(stack);
    return cost;
fail:
    tg_fail_memory(&s->rt->c);
end:
    tg_free(stack);
    return -1;
}

double tg_simp_part_cost(tg_simp *s, tg_node *n) {
    return n->label ? 0 : tg_simp_cost(s, n);
}

/* ---- constants ---- */

/* May n be computed now: a small tensor that prints in full, or a number? */
static bool is_constant(const tg_node *n) {
    enum { FEW = 8 };
    return tg_node_is_number(n) ||
           (n->op == &tg_op_const && !n->label && tg_view_count(&n->leaf.tensor->v) <= FEW);
}

static bool has_symbols(const tg_attrs *at) {
    for (int i = 0; i < at->n; i++)
        if ((at->sizes >> i & 1) && !tg_size_known(at->v[i])) return true;
    return false;
}

tg_node *tg_simp_fold(tg_simp *s, tg_node *n) {
    tg_tensor *in[TG_MAX_TENSORS] = {0}, *out = NULL;
    bool weak[TG_MAX_TENSORS], constant = n->n > 0 && n->n <= TG_MAX_TENSORS, tensors = false;
    for (int i = 0; constant && i < n->n; i++) {
        constant = is_constant(n->arg[i]);
        tensors = tensors || n->arg[i]->type.rank > 0;
    }
    if (!constant || !tensors || n->type.rank > 0 || !tg_dtype_is_float(n->type.dtype) ||
        n->op->class == TG_CLASS_RANDOM || has_symbols(n->at))
        return n;
    bool ok = true;
    for (int i = 0; ok && i < n->n; i++) {
        const tg_node *x = n->arg[i];
        weak[i] = x->type.weak;
        in[i] = tg_node_is_number(x) ? tg_tensor_scalar(&s->rt->c, TG_F64, x->leaf.number)
                                     : tg_tensor_hold(x->leaf.tensor);
        ok = in[i] != NULL;
    }
    if (ok) out = tg_op_apply(s->rt, n->op, n->n, in, weak, n->at);
    tg_node *made = NULL;
    if (out)
        made = tg_node_number(s->rt, tg_view_get(&out->v, 0));
    else if (ok && s->rt->c.diag.kind != TG_ERR_MEMORY)
        tg_clear(&s->rt->c), made = n; /* an error is left for the evaluation to tell */
    for (int i = 0; i < n->n; i++) tg_tensor_drop(in[i]);
    tg_tensor_drop(out);
    if (made != n) tg_simp_note(s, TG_LAW_ARITHMETIC);
    return made;
}

/* ---- nodes ---- */

bool tg_simp_is_shared(tg_simp *s, tg_node *n) {
    enum { LARGE = 16 };
    const tg_memo_entry *e =
        n->op->class == TG_CLASS_ELEMENTWISE ? tg_memo_at(s->rt, s->memo, n) : NULL;
    return e && e->shared && tg_simp_cost(s, n) > LARGE;
}

tg_node *tg_simp_make(tg_simp *s, const tg_op *op, tg_node *a, tg_node *b) {
    static const tg_attrs none;
    tg_node *arg[2] = {a, b};
    return a && (b || op == s->neg) ? tg_node_make(s->rt, op, op == s->neg ? 1 : 2, arg, &none)
                                    : NULL;
}

static void push_shape(tg_attrs *at, const tg_type *t) {
    at->v[at->n++] = t->rank;
    for (int i = 0; i < t->rank; i++) {
        at->sizes |= UINT64_C(1) << at->n;
        at->v[at->n++] = t->dim[i];
    }
}

tg_node *tg_simp_expand(tg_simp *s, tg_node *n, const tg_type *t) {
    if (!n || tg_shape_equal(n->type.rank, n->type.dim, t->rank, t->dim)) return n;
    tg_attrs at = {0};
    push_shape(&at, t);
    at.v[at.n++] = 0;
    return tg_node_make(s->rt, s->expand, 1, &n, &at);
}

tg_node *tg_simp_uniform(tg_simp *s, tg_node *scalar, const tg_type *t) {
    if (!scalar || t->rank == 0) return scalar;
    if (tg_node_is_number(scalar) && t->dtype == s->rt->precision &&
        (scalar->leaf.number == 0 || scalar->leaf.number == 1)) {
        tg_attrs at = {0};
        push_shape(&at, t);
        return tg_node_make(s->rt, scalar->leaf.number == 0 ? s->zeros : s->ones, 0, NULL, &at);
    }
    return tg_simp_expand(s, scalar, t);
}

tg_node *tg_simp_uniform_number(tg_simp *s, double x, const tg_type *t) {
    return tg_simp_uniform(s, tg_node_number(s->rt, x), t);
}

tg_node *tg_simp_scalar_of(tg_simp *s, tg_node *n) {
    if (tg_node_is_number(n)) return n;
    if (tg_simp_is_closed(s, n)) return NULL;
    if (n->op == s->expand && n->arg[0]->type.rank == 0) return n->arg[0];
    if (n->op == s->zeros || n->op == s->zeros_like) return tg_node_number(s->rt, 0);
    if (n->op == s->ones || n->op == s->ones_like) return tg_node_number(s->rt, 1);
    if (n->op == s->div && tg_node_is_number(n->arg[1])) { /* ones(3) / 3 */
        const tg_node *top = n->type.rank > 0 ? tg_simp_scalar_of(s, n->arg[0]) : NULL;
        if (top && tg_node_is_number(top))
            return tg_node_number(s->rt, top->leaf.number / n->arg[1]->leaf.number);
    }
    return NULL;
}

bool tg_simp_is_uniform(const tg_simp *s, const tg_node *n, double x) {
    if (tg_node_is_number(n)) return n->leaf.number == x;
    if (tg_simp_is_closed(s, n)) return false;
    if (n->op == s->expand) return tg_node_is_number(n->arg[0]) && n->arg[0]->leaf.number == x;
    if (n->op == s->zeros || n->op == s->zeros_like) return x == 0;
    return (n->op == s->ones || n->op == s->ones_like) && x == 1;
}

bool tg_simp_has_keep(const tg_node *n) {
    const tg_param *p = n->op->param;
    return n->op->class == TG_CLASS_REDUCE && n->n == 1 && n->at->n == 2 &&
           p[1].kind == TG_P_AXES && p[2].kind == TG_P_FLAG;
}

/* Does n stretch its argument by the usual broadcasting from the right? */
static bool stretches_plainly(const tg_node *n) {
    const tg_type *a = &n->arg[0]->type, *t = &n->type;
    int64_t axes = n->at->v[n->at->n - 1];
    int extra = t->rank - a->rank;
    return axes == 0 || extra == 0 || a->rank == 0 || axes == (INT64_C(1) << extra) - 1;
}

/* Elementwise arithmetic of such things, norm(x, keep=true) > 0, is one number too. */
static tg_node *one_number(tg_simp *s, tg_node *n) {
    tg_node *in[TG_MAX_TENSORS];
    if (n->n == 0 || n->n > TG_MAX_TENSORS || n->type.rank == 0) return n;
    for (int i = 0; i < n->type.rank; i++)
        if (n->type.dim[i] != 1) return n;
    for (int i = 0; i < n->n; i++) {
        in[i] = n->arg[i]->op->class == TG_CLASS_ELEMENTWISE ? n->arg[i]
                                                             : tg_simp_unexpand(s, n->arg[i]);
        if (!in[i] || in[i]->type.rank > 0) return in[i] ? n : NULL;
    }
    return tg_node_make(s->rt, n->op, n->n, in, n->at);
}

tg_node *tg_simp_unexpand(tg_simp *s, tg_node *n) {
    if (tg_simp_is_closed(s, n)) return n;
    if (n->op->class == TG_CLASS_ELEMENTWISE) return one_number(s, n);
    if (n->op == s->expand && stretches_plainly(n)) return n->arg[0];
    int rank = n->type.rank;
    if (!tg_simp_has_keep(n) || rank == 0 || !n->at->v[1] ||
        n->at->v[0] != (INT64_C(1) << rank) - 1)
        return n;
    tg_attrs at = {.n = 2, .v = {n->at->v[0], 0}}; /* all axes kept with size 1: a scalar will do */
    return tg_node_make(s->rt, n->op, 1, n->arg, &at);
}

/* Does b, broadcast from the right, fit into the shape of a? */
static bool covers(const tg_type *a, const tg_type *b) {
    int extra = a->rank - b->rank;
    if (extra < 0) return false;
    for (int i = 0; i < b->rank; i++)
        if (b->dim[i] != 1 && b->dim[i] != a->dim[i + extra]) return false;
    return true;
}

tg_node *tg_simp_combine(tg_simp *s, const tg_op *op, tg_node *a, tg_node *b, const tg_type *t) {
    if (!a || !b) return NULL;
    if (!covers(&a->type, &b->type) && !covers(&b->type, &a->type)) a = tg_simp_expand(s, a, t);
    return tg_simp_make(s, op, a, b);
}
