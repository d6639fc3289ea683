/* Sums at few places of a large tensor. The gradient of an embedding E[idx] is scatter_sum(g, idx,
 * n): rows of zeros, but for those that were looked up. E - rate * scatter_sum(g, idx, n) would
 * fill a tensor as large as E, scale it and subtract it; here it becomes scatter_add(E, idx, -rate
 * * g), which touches the rows that were looked up and no others, and which may be done in E's own
 * memory (update.c). What is added may be scaled by numbers and have several such sums, as of an
 * embedding that is looked up at each step of a sequence: then the indices and the rows are put one
 * behind the other, in the order in which they are written, and rows of one index are added in that
 * order. So the result has the same bits however many threads there are.
 *
 * Only sums that nobody else reads are taken: the norm of the gradient, say, wants all of it. */
#include "runtime/plan/scatter.h"

#include "base/alloc.h"
#include "runtime/graph/recompute.h"

#include <string.h>

enum { MOST_LEAVES = 1024, MOST_FACTORS = 4096, DEEPEST = 2048 };

/* A number that a term is multiplied with or divided by, and those before it. */
typedef struct factor {
    tg_node *by; /* NULL: a change of sign */
    bool divides;
    int before; /* or -1 */
} factor;

typedef struct leaf {
    const tg_node *sum; /* scatter_sum */
    int factors;        /* the last of them, or -1 */
} leaf;

typedef struct todo {
    tg_node *node;
    int factors;
} todo;

typedef struct scatterer {
    tg_rt *rt;
    size_t n;
    tg_node **node; /* under the roots, ascending id */
    tg_node **made; /* what is computed for each */
    int *uses;
    /* the terms of one sum */
    int nleaves, nfactors;
    leaf *leaf;
    factor *factor;
    todo *stack;
    const tg_node *note; /* an absorbed node that carries one about memory */
} scatterer;

static size_t find(const scatterer *s, const tg_node *x) {
    return tg_nodes_find(s->node, s->n, x);
}

/* ---- terms ---- */

static bool push_factor(scatterer *s, tg_node *by, bool divides, int *factors) {
    if (s->nfactors == MOST_FACTORS) return false;
    s->factor[s->nfactors] = (factor){by, divides, *factors};
    *factors = s->nfactors++;
    return true;
}

/* Takes the terms that x, a term of a sum of that type, consists of; `sign`: a factor, or -1.
 * False: it has others than scaled sums at places. */
static bool take_terms(scatterer *s, tg_node *x, int sign, const tg_type *type) {
    int top = 0;
    s->stack[top++] = (todo){x, sign};
    while (top > 0) {
        const todo at = s->stack[--top];
        tg_node *t = at.node;
        int factors = at.factors;
        if (s->uses[find(s, t)] != 1 || t->type.dtype != type->dtype ||
            !tg_type_same_shape(&t->type, type))
            return false;
        if (t->recompute) s->note = t;
        if (tg_node_is(t, "scatter_sum")) {
            if (s->nleaves == MOST_LEAVES || t->arg[0]->type.dtype != t->type.dtype) return false;
            s->leaf[s->nleaves++] = (leaf){t, factors};
            continue;
        }
        bool sub = tg_node_is(t, "sub"), div = tg_node_is(t, "div");
        if (tg_node_is(t, "neg")) {
            if (!push_factor(s, NULL, false, &factors)) return false;
            s->stack[top++] = (todo){t->arg[0], factors};
        } else if (sub || tg_node_is(t, "add")) {
            int second = factors;
            if (top + 2 > DEEPEST || (sub && !push_factor(s, NULL, false, &second))) return false;
            s->stack[top++] = (todo){t->arg[1], second};
            s->stack[top++] = (todo){t->arg[0], factors};
        } else if (div || tg_node_is(t, "mul")) {
            int scalar = div || t->arg[0]->type.rank > 0;
            if (t->arg[scalar]->type.rank > 0) return false;
            if (!push_factor(s, t->arg[scalar], div, &factors)) return false;
            s->stack[top++] = (todo){t->arg[1 - scalar], factors};
        } else {
            return false;
        }
    }
    return true;
}

/* The operation node is a sum of `*base` and such terms. */
static bool match(scatterer *s, const tg_node *node, tg_node **base) {
    bool sub = tg_node_is(node, "sub");
    if ((!sub && !tg_node_is(node, "add")) || node->type.rank == 0 ||
        !tg_dtype_is_float(node->type.dtype))
        return false;
    for (int k = 1; k >= 0; k--) {
        s->nleaves = s->nfactors = 0;
        s->note = NULL;
        *base = node->arg[1 - k];
        bool whole = (*base)->type.dtype == node->type.dtype &&
                     tg_type_same_shape(&(*base)->type, &node->type);
        int sign = -1;
        if (sub) push_factor(s, NULL, false, &sign);
        if (whole && take_terms(s, node->arg[k], sign, &node->type)) {
            int64_t axis = s->leaf[0].sum->at->v[1];
            for (int i = 1; i < s->nleaves; i++)
                if (axis != 0 || s->leaf[i].sum->at->v[1] != 0) return false;
            return true;
        }
        if (sub) return false;
    }
    return false;
}

/* ---- what is computed instead ---- */

static tg_node *made_for(const scatterer *s, const tg_node *x) {
    return s->made[find(s, x)];
}

/* What leaf l adds: its slices times its factors. */
static tg_node *scaled(scatterer *s, const leaf *l) {
    tg_node *x = made_for(s, l->sum->arg[0]), *by = NULL;
    bool minus = false;
    for (int f = l->factors; f >= 0; f = s->factor[f].before) {
        const factor *at = &s->factor[f];
        if (!at->by) {
            minus = !minus;
            continue;
        }
        tg_node *number = made_for(s, at->by);
        if (at->divides && !by)
            by = tg_node_call2(s->rt, "div", tg_node_number(s->rt, 1), number);
        else
            by = by ? tg_node_call2(s->rt, at->divides ? "div" : "mul", by, number) : number;
        if (!by) return NULL;
    }
    if (minus && by) by = tg_node_call1(s->rt, "neg", by);
    if (minus && !by) return tg_node_call1(s->rt, "neg", x);
    return by ? tg_node_call2(s->rt, "mul", x, by) : x;
}

static tg_node *reshaped(tg_rt *rt, tg_node *x, int rank, const tg_size *dim) {
    tg_attrs at = {.n = 1 + rank, .v = {rank}};
    for (int i = 0; i < rank; i++) {
        at.v[1 + i] = dim[i];
        at.sizes |= UINT64_C(1) << (1 + i);
    }
    return tg_node_make(rt, tg_op_find("reshape"), 1, &x, &at);
}

/* The slices of several leaves, or their indices, one behind the other along axis 0. */
static tg_node *joined(scatterer *s, bool indices) {
    tg_node **part = tg_alloc_array((size_t)s->nleaves, sizeof *part), *out = NULL;
    bool ok = part ? true : tg_fail_memory(&s->rt->c);
    for (int i = 0; ok && i < s->nleaves; i++) {
        const tg_node *idx = s->leaf[i].sum->arg[1];
        tg_node *x = indices ? made_for(s, idx) : scaled(s, &s->leaf[i]);
        tg_size dim[TG_MAX_RANK] = {1};
        int rank = 1;
        for (int k = 0; k < idx->type.rank && dim[0] != TG_SIZE_FAIL; k++)
            dim[0] = tg_size_times(s->rt, dim[0], idx->type.dim[k]);
        for (int k = idx->type.rank; x && !indices && k < x->type.rank; k++)
            dim[rank++] = x->type.dim[k];
        part[i] = x && dim[0] != TG_SIZE_FAIL ? reshaped(s->rt, x, rank, dim) : NULL;
        ok = part[i] != NULL;
    }
    if (ok) out = tg_node_make(s->rt, tg_op_find("concat"), s->nleaves, part, &(tg_attrs){.n = 1});
    tg_free(part);
    return out;
}

static tg_node *scatter(scatterer *s, tg_node *base) {
    const leaf *first = &s->leaf[0];
    bool one = s->nleaves == 1;
    tg_node *arg[3] = {made_for(s, base), one ? made_for(s, first->sum->arg[1]) : joined(s, true),
                       one ? scaled(s, first) : joined(s, false)};
    const tg_attrs at = {.n = 1, .v = {first->sum->at->v[1]}};
    if (!arg[1] || !arg[2]) return NULL;
    tg_node *n = tg_node_make(s->rt, tg_op_find("scatter_add"), 3, arg, &at);
    if (!n || !s->note) return n;
    n = tg_node_again(s->rt, n, arg); /* the note is for this plan alone */
    if (n) tg_recompute_inherit(n, s->note);
    return n;
}

/* The node over what is computed for its arguments. */
static tg_node *over_made(scatterer *s, tg_node *x, tg_node **arg) {
    bool changed = false;
    for (int k = 0; k < x->n; k++) {
        arg[k] = made_for(s, x->arg[k]);
        changed = changed || arg[k] != x->arg[k];
    }
    tg_node *n = changed ? tg_node_again(s->rt, x, arg) : x;
    if (n && changed) tg_recompute_inherit(n, x);
    return n;
}

/* ---- the whole ---- */

static bool prepare(scatterer *s, int nroots, tg_node *const *roots) {
    s->made = tg_alloc_array(s->n, sizeof *s->made);
    s->uses = tg_alloc_array(s->n, sizeof *s->uses);
    s->leaf = tg_alloc_array(MOST_LEAVES, sizeof *s->leaf);
    s->factor = tg_alloc_array(MOST_FACTORS, sizeof *s->factor);
    s->stack = tg_alloc_array(DEEPEST, sizeof *s->stack);
    if (!s->made || !s->uses || !s->leaf || !s->factor || !s->stack)
        return tg_fail_memory(&s->rt->c);
    for (int i = 0; i < nroots; i++) s->uses[find(s, roots[i])]++;
    for (size_t i = 0; i < s->n; i++)
        for (int k = 0; k < s->node[i]->n; k++) s->uses[find(s, s->node[i]->arg[k])]++;
    return true;
}

static bool make_all(scatterer *s) {
    int most = 1;
    for (size_t i = 0; i < s->n; i++)
        if (s->node[i]->n > most) most = s->node[i]->n;
    tg_node **arg = tg_alloc_array((size_t)most, sizeof *arg), *base;
    bool ok = arg ? true : tg_fail_memory(&s->rt->c);
    for (size_t i = 0; ok && i < s->n; i++) {
        const tg_type *type = &s->node[i]->type;
        bool sum = match(s, s->node[i], &base);
        s->made[i] = sum ? scatter(s, base) : over_made(s, s->node[i], arg);
        if (s->made[i] && sum && s->made[i]->type.dtype != type->dtype)
            s->made[i] = over_made(s, s->node[i], arg);
        ok = s->made[i] != NULL;
    }
    tg_free(arg);
    return ok;
}

bool tg_plan_scatter(tg_rt *rt, int nroots, tg_node *const *roots, tg_node **targets) {
    scatterer s = {.rt = rt};
    bool any = false, ok = tg_node_collect(rt, nroots, roots, &s.node, &s.n);
    memcpy(targets, roots, (size_t)nroots * sizeof *roots);
    for (size_t i = 0; ok && i < s.n; i++) any = any || tg_node_is(s.node[i], "scatter_sum");
    if (ok && any) {
        ok = prepare(&s, nroots, roots) && make_all(&s);
        for (int i = 0; ok && i < nroots; i++) targets[i] = made_for(&s, roots[i]);
    }
    tg_free(s.node);
    tg_free(s.made);
    tg_free(s.uses);
    tg_free(s.leaf);
    tg_free(s.factor);
    tg_free(s.stack);
    return ok;
}
