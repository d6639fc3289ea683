/* Jacobians, Hessians and products with them, all by reverse mode.
 *
 * A Jacobian is the adjoint of x for each one-hot cotangent of y: the adjoint is taken once, for a
 * cell as the cotangent, and carried through the batch of all one-hot ones (batch.c). The formula
 * is simplified before that, and once more after it.
 *
 * A product J @ v is reverse mode twice: J' @ u is linear in u, so that its gradient by u, with the
 * weights v, is J @ v. The simplifier removes u, and what is left is what forward mode would have
 * built (J. Townsend, A new trick for calculating Jacobian vector products, 2017). The Hessian
 * times v is the gradient of the number grad @ v, with v held (B. Pearlmutter, Fast exact
 * multiplication by the Hessian, Neural Computation 6, 1994): v is a cell meanwhile, as it may
 * itself depend on x. */
#include "runtime/graph/jacobian.h"
#include "base/alloc.h"
#include "runtime/graph/batch.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/substitute.h"

#include <string.h>

/* A new variable of that type, as a node. */
static tg_node *fresh(tg_rt *rt, const tg_type *like) {
    tg_type type = *like;
    type.weak = false;
    if (!tg_dtype_is_float(type.dtype)) type.dtype = rt->precision;
    tg_cell *c = tg_cell_new(rt, TG_CELL_VAR, NULL, &type, NULL);
    tg_node *n = c ? tg_node_cell(rt, c) : NULL;
    tg_cell_drop(c); /* the node holds it */
    return n;
}

static tg_node *simplified(tg_rt *rt, tg_node *n, uint32_t *used) {
    uint32_t here = 0;
    n = n ? tg_simplify(rt, n, &here) : NULL;
    *used |= here;
    return n;
}

static bool gradient(tg_rt *rt, tg_node *y, int n, tg_node *const *x, tg_node *seed, uint32_t *used,
                     tg_node **out, const char **cut) {
    uint32_t here = 0;
    const tg_grad_options opt = {.seed = seed, .simplify = true, .used = &here};
    bool ok = tg_grad(rt, y, n, x, &opt, out, cut);
    *used |= here;
    return ok;
}

bool tg_jacobian(tg_rt *rt, tg_node *y, int n, tg_node *const *x, uint32_t *used, tg_node **out,
                 const char **cut) {
    if (y->type.rank == 0) return gradient(rt, y, n, x, NULL, used, out, cut);
    tg_node *seed = fresh(rt, &y->type);
    if (!seed || !gradient(rt, y, n, x, seed, used, out, cut)) return false;
    if (!tg_batch_onehot(rt, n, out, seed, out)) return false;
    for (int i = 0; i < n; i++)
        if (!(out[i] = simplified(rt, out[i], used))) return false;
    return true;
}

bool tg_hessian(tg_rt *rt, tg_node *y, int n, tg_node *const *x, uint32_t *used, tg_node **out,
                const char **cut) {
    tg_node **first = tg_alloc_array((size_t)n + 1, sizeof(tg_node *));
    bool ok = first ? true : tg_fail_memory(&rt->c);
    ok = ok && tg_jacobian(rt, y, n, x, used, first, cut);
    for (int i = 0; ok && i < n; i++)
        ok = tg_jacobian(rt, first[i], n, x, used, out + (ptrdiff_t)i * n, NULL);
    tg_free(first);
    return ok;
}

/* sum(a[0] * b[0]) + ... ; b[i] is shaped like a[i]. */
static tg_node *inner(tg_rt *rt, int n, tg_node *const *a, tg_node *const *b) {
    tg_node *sum = NULL;
    for (int i = 0; i < n; i++) {
        tg_node *part = tg_node_call2(rt, "mul", a[i], b[i]);
        if (part && part->type.rank > 0) part = tg_node_call1(rt, "sum", part);
        sum = part && sum ? tg_node_call2(rt, "add", sum, part) : part;
        if (!sum) return NULL;
    }
    return sum ? sum : tg_node_number(rt, 0);
}

bool tg_jvp(tg_rt *rt, tg_node *y, int n, tg_node *const *x, tg_node *const *v, uint32_t *used,
            tg_node **out, const char **cut) {
    tg_node **back = tg_alloc_array((size_t)n + 1, sizeof(tg_node *)), *u = fresh(rt, &y->type);
    bool ok = back ? u != NULL : tg_fail_memory(&rt->c);
    ok = ok && gradient(rt, y, n, x, u, used, back, cut);
    tg_node *along = ok ? inner(rt, n, back, v) : NULL;
    tg_free(back);
    return along && gradient(rt, along, 1, &u, NULL, used, out, NULL);
}

bool tg_hvp(tg_rt *rt, tg_node *y, int n, tg_node *const *x, tg_node *const *v, uint32_t *used,
            tg_node **out, const char **cut) {
    tg_node **first = tg_alloc_array((size_t)n + 1, sizeof(tg_node *));
    tg_node **cell = tg_alloc_array((size_t)n + 1, sizeof(tg_node *)), *along = NULL;
    bool ok = first && cell ? true : tg_fail_memory(&rt->c);
    ok = ok && gradient(rt, y, n, x, NULL, used, first, cut);
    for (int i = 0; ok && i < n; i++) ok = (cell[i] = fresh(rt, &v[i]->type)) != NULL;
    ok = ok && (along = inner(rt, n, first, cell)) != NULL;
    ok = ok && gradient(rt, along, n, x, NULL, used, out, NULL);
    for (int i = 0; ok && i < n; i++) {
        for (int k = 0; ok && k < n; k++)
            ok = (out[i] = tg_node_substitute(rt, out[i], cell[k], v[k])) != NULL;
        ok = ok && (out[i] = simplified(rt, out[i], used)) != NULL;
    }
    tg_free(first);
    tg_free(cell);
    return ok;
}
