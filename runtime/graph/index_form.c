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
 * polynomials of its arguments. */
#include "runtime/graph/index_form.h"
#include "base/alloc.h"
#include "runtime/graph/index_poly.h"
#include "runtime/graph/ruled.h"

#include <math.h>
#include <string.h>

enum { MOST_NODES = 600 };

static tg_poly *poly_of(tg_poly *all, tg_node *const *node, size_t count, const tg_node *n) {
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
static void add_atom(tg_former *w, tg_poly *out, const tg_node *n, int id) {
    tg_index_factor f = {.atom = id, .rank = n->type.rank, .power = 1};
    for (int i = 0; i < f.rank; i++) f.at[i] = (signed char)(n->type.dim[i] == 1 ? TG_ONLY : i);
    if (id < 0)
        out->failed = true;
    else
        tg_poly_add_factor(w, out, (tg_ratio){1, 1}, &f);
}

/* A constant of few elements is known by them, any other leaf by itself. */
static void leaf_atom(tg_former *w, tg_poly *out, const tg_node *n) {
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
    add_atom(w, out, n, tg_index_intern(w, &key));
}

/* The operation as it is, known by the polynomials of its arguments. */
static void call_atom(tg_former *w, tg_poly *out, const tg_node *n, tg_poly *const *arg) {
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
        tg_poly_write(arg[k], &key);
        tg_str_addc(&key, ')');
    }
    add_atom(w, out, n, tg_index_intern(w, &key));
}

/* The last axes of argument k are those of the result. */
static void from_right(const tg_node *n, int k, tg_wiring *x) {
    int extra = n->type.rank - n->arg[k]->type.rank;
    for (int i = 0; i < n->arg[k]->type.rank; i++) x->at[k][i] = (signed char)(i + extra);
}

static void bind(tg_wiring *x, tg_size size) {
    x->dim[x->bound++] = size;
}

/* @ and outer, as sums over what they share. False: n is none of these. */
static bool wire_product(const tg_simp *s, const tg_node *n, tg_wiring *x) {
    const tg_type *a = &n->arg[0]->type, *b = n->n > 1 ? &n->arg[1]->type : a;
    if (tg_node_is(n, "outer") && a->rank == 1 && b->rank == 1) {
        x->at[1][0] = 1;
    } else if (n->op == s->vdot) {
        bind(x, a->dim[0]);
        x->at[0][0] = x->at[1][0] = TG_BOUND;
    } else if (n->op == s->matvec && a->rank == 2 && b->rank == 1) {
        bind(x, b->dim[0]);
        x->at[0][1] = x->at[1][0] = TG_BOUND;
    } else if (n->op == s->vecmat && a->rank == 1 && b->rank == 2) {
        bind(x, a->dim[0]);
        x->at[0][0] = x->at[1][0] = TG_BOUND;
        x->at[1][1] = 0;
    } else if (n->op == s->matmul && a->rank >= 2 && b->rank >= 2) {
        bind(x, a->dim[a->rank - 1]);
        from_right(n, 0, x);
        from_right(n, 1, x);
        x->at[0][a->rank - 1] = x->at[1][b->rank - 2] = TG_BOUND;
    } else {
        return false;
    }
    return true;
}

/* The axes of x that n keeps, in their order, but for those of size 1. */
static bool wire_reshape(const tg_node *n, tg_wiring *x) {
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

static void wire_expand(const tg_node *n, tg_wiring *x) {
    int64_t added = n->at->v[n->at->n - 1];
    int extra = n->type.rank - n->arg[0]->type.rank, k = 0;
    if (extra == 0) added = 0;
    if (extra > 0 && added == 0) added = (INT64_C(1) << extra) - 1;
    for (int i = 0; i < n->type.rank; i++)
        if (!(added >> i & 1)) x->at[0][k++] = (signed char)i;
}

/* A reduction: the axes in the mask are bound. */
static void wire_reduce(const tg_node *n, tg_wiring *x) {
    const tg_type *from = &n->arg[0]->type;
    for (int i = 0, k = 0; i < from->rank; i++) {
        if (n->at->v[0] >> i & 1) {
            x->at[0][i] = (signed char)(TG_BOUND + x->bound);
            bind(x, from->dim[i]);
            k += n->at->v[1] != 0;
        } else {
            x->at[0][i] = (signed char)k++;
        }
    }
}

/* Operations of one argument that move, repeat or add up elements. False: n is none of these. */
static bool wire_one(const tg_simp *s, const tg_node *n, tg_wiring *x) {
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
        x->at[0][0] = x->at[0][1] = TG_BOUND;
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

static void add_number(tg_former *w, tg_poly *out, double x) {
    tg_index_term *t = tg_term_new(w);
    if (!t) {
        out->failed = true;
        return;
    }
    t->c = tg_ratio_of(x);
    tg_poly_collect(w, out, t);
}

/* mean is the sum divided by the number of elements. */
static void divide_by_count(tg_former *w, tg_poly *out, const tg_wiring *x) {
    tg_poly sum = *out, count = {0}, over = {0};
    tg_wiring same = {0}, none = {.bound = x->bound};
    memcpy(none.dim, x->dim, sizeof none.dim);
    for (int i = 0; i < TG_MAX_RANK; i++) same.at[0][i] = (signed char)i;
    tg_poly one = {0};
    add_number(w, &one, 1);
    tg_poly_multiply(w, &count, (tg_ratio){1, 1}, &one, NULL, &none);
    tg_poly_raise(w, &over, &count, -1, 0);
    *out = (tg_poly){0};
    tg_poly_multiply(w, out, (tg_ratio){1, 1}, &sum, &over, &same);
}

static void norm_of(tg_former *w, tg_poly *out, const tg_node *n, const tg_poly *a) {
    tg_poly squares = {0};
    tg_wiring x = {0};
    wire_reduce(n, &x);
    memcpy(x.at[1], x.at[0], sizeof x.at[1]);
    tg_poly_multiply(w, &squares, (tg_ratio){1, 1}, a, a, &x);
    tg_poly_raise(w, out, &squares, 0.5, n->type.rank);
}

/* The polynomial of n, in which arg[k] is that of its argument k. */
static void form(tg_former *w, tg_poly *out, const tg_node *n, tg_poly *const *arg) {
    const tg_simp *s = w->s;
    tg_wiring x = {0};
    bool number = tg_dtype_is_float(n->type.dtype), done = true;
    tg_ratio one = {1, 1}, minus = {-1, 1};
    if (tg_node_is_number(n) && isfinite(n->leaf.number)) {
        add_number(w, out, n->leaf.number);
    } else if (n->n == 0 && (n->op == s->zeros || n->op == s->ones)) {
        add_number(w, out, n->op == s->ones);
    } else if (n->op == s->eye && n->type.dim[0] == n->type.dim[1] && n->type.dim[0] != 1) {
        tg_index_factor f = {.atom = TG_DELTA, .rank = 2, .power = 1, .at = {0, 1}};
        tg_poly_add_factor(w, out, one, &f);
    } else if (n->n == 0) {
        leaf_atom(w, out, n);
    } else if (!number || n->n > 2 || n->op->opaque || tg_node_is_ruled(n)) {
        done = false;
    } else if (n->op == s->add || n->op == s->sub || n->op == s->neg) {
        from_right(n, 0, &x);
        tg_poly_multiply(w, out, n->op == s->neg ? minus : one, arg[0], NULL, &x);
        if (n->n == 2) {
            from_right(n, 1, &x);
            memcpy(x.at[0], x.at[1], sizeof x.at[0]);
            tg_poly_multiply(w, out, n->op == s->sub ? minus : one, arg[1], NULL, &x);
        }
    } else if (n->op == s->mul || n->op == s->div) {
        tg_poly over = {0};
        from_right(n, 0, &x);
        from_right(n, 1, &x);
        if (n->op == s->div) tg_poly_raise(w, &over, arg[1], -1, n->arg[1]->type.rank);
        tg_poly_multiply(w, out, one, arg[0], n->op == s->div ? &over : arg[1], &x);
    } else if (n->op == s->pow && tg_node_is_number(n->arg[1])) {
        tg_poly_raise(w, out, arg[0], n->arg[1]->leaf.number, n->type.rank);
    } else if (tg_node_is(n, "sqrt")) {
        tg_poly_raise(w, out, arg[0], 0.5, n->type.rank);
    } else if (tg_node_is(n, "exp")) {
        tg_poly_exp(w, out, arg[0]);
    } else if (tg_node_is(n, "log")) {
        done = tg_poly_log(w, out, arg[0]);
    } else if (n->op == s->norm) {
        norm_of(w, out, n, arg[0]);
    } else if (n->n == 2 && wire_product(s, n, &x)) {
        tg_poly_multiply(w, out, one, arg[0], arg[1], &x);
    } else if (n->n == 1 && wire_one(s, n, &x)) {
        tg_poly_multiply(w, out, one, arg[0], NULL, &x);
        if (n->op == s->mean && !out->failed) divide_by_count(w, out, &x);
    } else {
        done = false;
    }
    if (done && !out->failed) return;
    *out = (tg_poly){0};
    call_atom(w, out, n, arg);
}

bool tg_index_vanishes(tg_simp *s, tg_node *d, bool *vanishes) {
    tg_former w = {.s = s};
    tg_node **node;
    size_t count;
    *vanishes = false;
    if (!tg_node_collect(s->rt, 1, &d, &node, &count)) return false;
    tg_poly *all = NULL, **arg = NULL;
    bool ok = count <= MOST_NODES;
    if (ok) {
        tg_str delta = {0};
        tg_str_add(&delta, "delta");
        ok = tg_index_intern(&w, &delta) == TG_DELTA;
    }
    if (ok) all = tg_alloc_array(count, sizeof *all);
    if (ok && !all) w.failed = !tg_fail_memory(&s->rt->c);
    for (size_t i = 0; i < count && all && !w.failed; i++) {
        const tg_node *n = node[i];
        arg = tg_index_take(&w, ((size_t)n->n + 1) * sizeof *arg);
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
