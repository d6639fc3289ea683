/* Batches and one-hot seeds, carried through a formula.
 *
 * jacobian(y, x) wants the adjoint of x for each one-hot seed. The adjoint is one formula, linear
 * in the seed S; here it is evaluated, symbolically, on all one-hot seeds at once. With one leading
 * axis for each axis of S, the seeds together are S[b][i] = delta(b, i): every axis of the batch is
 * *tied* to an axis of S. A tied value is stored without the axis of the batch:
 *
 *     value[b][i] = delta(b, i[a]) * D[i],    only D is a formula.
 *
 * Operations hand ties on, resolve them by summing, or lose them (batch_tie.c). A lost tie becomes
 * an explicit axis in front of D, with the zeros written down, by diag. A value is a sum of such
 * terms, one for each pattern of ties, since the adjoint of softmax is p * S - p * (p @ S): the
 * first term stays tied and the second is an outer product. So nothing larger than the answer is
 * computed, and the answer reads diag(p) - outer(p, p).
 *
 * As the adjoint is linear in S, each operation is linear in all of its arguments that depend on S,
 * together, and may be applied pattern by pattern. The map of any formula over given axes
 * (tg_batch_map) is the same walk with one term and no ties. */
#include "runtime/graph/batch.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "runtime/graph/batch_rules.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/rule.h"

#include <string.h>

enum { EXPLICIT = -1 };

typedef struct term {
    tg_node *node;        /* explicit axes of the batch in their order, then its own */
    int tie[TG_MAX_RANK]; /* of each axis of the batch: the own axis, or EXPLICIT */
    struct term *next;
} term;

typedef struct value {
    tg_node *plain; /* the same for the whole batch; NULL: the terms */
    term *terms;
} value;

typedef struct batch {
    tg_rt *rt;
    int n; /* axes */
    tg_size dim[TG_MAX_RANK];
    tg_node **node; /* under the roots, ascending id */
    value *value;   /* of each */
    size_t count;
    tg_arena arena;
} batch;

/* ---- places ---- */

static value *value_of(const batch *b, const tg_node *n) {
    return &b->value[tg_nodes_find(b->node, b->count, n)];
}

static void *take(batch *b, size_t n, size_t size) {
    size_t bytes;
    void *p = tg_size_mul(n ? n : 1, size, &bytes) ? tg_arena_alloc(&b->arena, bytes) : NULL;
    if (!p) tg_fail_memory(&b->rt->c);
    return p;
}

/* The sizes of the explicit axes among the first `until` axes of the batch. */
static int explicit_axes(const batch *b, const term *t, int until, tg_size *dim) {
    int e = 0;
    for (int j = 0; j < until; j++) {
        if (t->tie[j] != EXPLICIT) continue;
        if (dim) dim[e] = b->dim[j];
        e++;
    }
    return e;
}

static bool same_ties(const batch *b, const term *x, const term *y) {
    return memcmp(x->tie, y->tie, (size_t)b->n * sizeof *x->tie) == 0;
}

/* ---- writing zeros down ---- */

/* Makes axis j of the batch explicit. */
static bool untie(batch *b, term *t, int j) {
    int e = explicit_axes(b, t, b->n, NULL), p = explicit_axes(b, t, j, NULL), own = t->tie[j];
    int r = t->node->type.rank;
    if (!tg_batch_has_room(b->rt, r + 1)) return false;
    tg_node *x = tg_batch_move(b->rt, t->node, e + own, r - 1);
    const tg_rule_name name = {.name = "x", .node = x};
    if (x) x = tg_rule_build(b->rt, "diag_embed(x)", 1, &name);
    if (x) x = tg_batch_move(b->rt, x, r - 1, p);
    if (x) x = tg_batch_move(b->rt, x, r, e + 1 + own);
    t->node = x;
    t->tie[j] = EXPLICIT;
    return x != NULL;
}

/* All axes of the batch are tied, each to an axis of its own: the diagonal of one large matrix. */
static bool untie_square(batch *b, term *t) {
    int perm[TG_MAX_RANK], back[TG_MAX_RANK];
    tg_size dim[2 * TG_MAX_RANK], all = 1;
    for (int j = 0; j < b->n; j++) {
        perm[j] = t->tie[j];
        back[j] = j;
        dim[j] = dim[b->n + j] = b->dim[j];
        all = tg_size_times(b->rt, all, b->dim[j]);
        if (all == TG_SIZE_FAIL) return false;
    }
    for (int j = 0; j < b->n; j++) back[b->n + t->tie[j]] = b->n + j;
    tg_node *x = tg_batch_permute(b->rt, t->node, perm);
    if (x) x = tg_batch_reshape(b->rt, x, 1, &all);
    if (x) x = tg_node_call1(b->rt, "diag", x);
    if (x) x = tg_batch_reshape(b->rt, x, 2 * b->n, dim);
    if (x) x = tg_batch_permute(b->rt, x, back);
    t->node = x;
    memset(t->tie, EXPLICIT, sizeof t->tie);
    return x != NULL;
}

static bool untie_all(batch *b, term *t) {
    bool square = t->node->type.rank == b->n && 2 * b->n <= TG_MAX_RANK;
    for (int j = 0; j < b->n; j++) square = square && t->tie[j] != EXPLICIT;
    if (square) return untie_square(b, t);
    for (int j = 0; j < b->n; j++)
        if (t->tie[j] != EXPLICIT && !untie(b, t, j)) return false;
    return true;
}

/* ---- one operation on one pattern ---- */

/* The argument at which things stand: the terms of one pattern. */
typedef struct pattern {
    const tg_node *node;
    term *in;        /* one for each argument; node NULL: not of the batch */
    tg_node **plain; /* the argument itself where it is not */
    bool *has;
    tg_node **arg;
} pattern;

static bool untie_arguments(batch *b, pattern *p, int j) {
    for (int k = 0; k < p->node->n; k++)
        if (p->has[k] && p->in[k].tie[j] != EXPLICIT && !untie(b, &p->in[k], j)) return false;
    return true;
}

/* The sum over axes of which some are tied: these are resolved one by one, then the rest is summed.
 */
static bool sum_tied(batch *b, pattern *p, term *out) {
    term t = p->in[0];
    uint64_t mask = (uint64_t)p->node->at->v[0];
    for (int j = 0; j < b->n; j++) {
        int axis = t.tie[j];
        if (axis == EXPLICIT || !(mask >> axis & 1)) continue;
        int e = explicit_axes(b, &t, b->n, NULL), at = explicit_axes(b, &t, j, NULL);
        t.node = tg_batch_contract(b->rt, p->node, 0, axis, t.node, NULL, e, at);
        if (!t.node) return false;
        t.tie[j] = EXPLICIT;
        for (int i = 0; i < b->n; i++)
            if (t.tie[i] > axis) t.tie[i]--;
        uint64_t below = mask & ((UINT64_C(1) << axis) - 1);
        mask = below | (mask >> (axis + 1)) << axis;
    }
    int e = explicit_axes(b, &t, b->n, NULL);
    for (int j = 0; j < b->n; j++) /* what is left is tied to axes that stay */
        if (t.tie[j] >= 0) t.tie[j] -= __builtin_popcountll(mask & ((UINT64_C(1) << t.tie[j]) - 1));
    if (mask) {
        const tg_attrs at = {.n = 2, .v = {(int64_t)(mask << e), 0}};
        t.node = tg_node_make(b->rt, p->node->op, 1, &t.node, &at);
    }
    if (t.node && p->node->at->v[1]) { /* keep: the axes come back with size 1 */
        tg_size dim[2 * TG_MAX_RANK];
        uint64_t kept = (uint64_t)p->node->at->v[0];
        explicit_axes(b, &t, b->n, dim);
        memcpy(dim + e, p->node->type.dim, (size_t)p->node->type.rank * sizeof *dim);
        t.node = e + p->node->type.rank <= TG_MAX_RANK
                     ? tg_batch_reshape(b->rt, t.node, e + p->node->type.rank, dim)
                     : NULL;
        if (!t.node && b->rt->c.diag.kind == TG_ERR_NONE)
            return tg_fail(&b->rt->c, TG_ERR_SHAPE, "a step of this has too many axes");
        for (int j = 0; j < b->n; j++)
            for (int i = 0; i < p->node->type.rank && t.tie[j] != EXPLICIT; i++)
                if (kept >> i & 1 && t.tie[j] >= i) t.tie[j]++;
    }
    *out = t;
    return t.node != NULL;
}

/* A product that sums over a tied axis. The other argument is the same for the whole batch. */
static bool product_tied(batch *b, pattern *p, int k, int j, term *out) {
    term t = p->in[k];
    int axis = t.tie[j], e = explicit_axes(b, &t, b->n, NULL), at = explicit_axes(b, &t, j, NULL);
    *out = t;
    for (int i = 0; i < b->n; i++)
        if (t.tie[i] != EXPLICIT && i != j) out->tie[i] = tg_batch_tie(b->rt, p->node, k, t.tie[i]);
    out->tie[j] = EXPLICIT;
    out->node = tg_batch_contract(b->rt, p->node, k, axis, t.node, p->plain[1 - k], e, at);
    return out->node != NULL;
}

/* What becomes of the tie of batch axis j, for all arguments: an axis, TG_TIE_LOST or
 * TG_TIE_SUMMED; *at: the argument that is summed over. EXPLICIT (which is TG_TIE_LOST) in none. */
static int fate(batch *b, const pattern *p, int j, int *at) {
    int found = TG_TIE_LOST;
    bool first = true;
    for (int k = 0; k < p->node->n; k++) {
        if (!p->has[k] || p->in[k].tie[j] == EXPLICIT) continue;
        int to = tg_batch_tie(b->rt, p->node, k, p->in[k].tie[j]);
        if (!first && to != found) return TG_TIE_LOST;
        found = to;
        first = false;
        *at = k;
    }
    return found;
}

static bool apply_pattern(batch *b, pattern *p, term *out) {
    int to[TG_MAX_RANK];
    int terms = 0;
    memset(to, EXPLICIT, sizeof to);
    for (int k = 0; k < p->node->n; k++) terms += p->has[k];
    for (int j = 0; j < b->n; j++) {
        int k = 0, axis = fate(b, p, j, &k);
        for (int i = 0; i < j && axis >= 0; i++)
            if (to[i] == axis) axis = TG_TIE_LOST; /* two ties to one axis */
        if (axis == TG_TIE_SUMMED && terms == 1 && tg_node_is(p->node, "sum"))
            return sum_tied(b, p, out);
        if (axis == TG_TIE_SUMMED && terms == 1) {
            for (int i = 0; i < b->n; i++) { /* a second tie to the same axis */
                int unused = 0;
                if (i != j && fate(b, p, i, &unused) < 0 && !untie_arguments(b, p, i)) return false;
            }
            return product_tied(b, p, k, j, out);
        }
        if (axis < 0 && !untie_arguments(b, p, j)) return false;
        to[j] = axis < 0 ? EXPLICIT : axis;
    }
    tg_size dim[TG_MAX_RANK];
    int e = 0;
    for (int j = 0; j < b->n; j++)
        if (to[j] == EXPLICIT) dim[e++] = b->dim[j];
    for (int k = 0; k < p->node->n; k++) p->arg[k] = p->has[k] ? p->in[k].node : p->plain[k];
    out->node = tg_batch_apply(b->rt, p->node, p->arg, p->has, e, dim);
    memcpy(out->tie, to, sizeof to);
    return out->node != NULL;
}

/* ---- one operation ---- */

/* A term without ties may be one number for each of the batch, whatever the shape of the value is:
 * here it gets that shape. */
static bool widen(batch *b, term *t, const tg_type *own) {
    tg_size dim[2 * TG_MAX_RANK];
    int e = explicit_axes(b, t, b->n, dim);
    if (t->node->type.rank == e + own->rank) return true;
    if (!tg_batch_has_room(b->rt, e + own->rank)) return false;
    memcpy(dim + e, own->dim, (size_t)own->rank * sizeof *dim);
    t->node = tg_batch_stretch(b->rt, t->node, e, own->rank);
    if (t->node) t->node = tg_batch_expand(b->rt, t->node, e + own->rank, dim);
    return t->node != NULL;
}

static bool add_term(batch *b, value *v, term *t, const tg_type *own) {
    for (term *x = v->terms; x; x = x->next) {
        if (!same_ties(b, x, t)) continue;
        if (x->node->type.rank != t->node->type.rank && (!widen(b, x, own) || !widen(b, t, own)))
            return false;
        x->node = tg_node_call2(b->rt, "add", x->node, t->node);
        return x->node != NULL;
    }
    term *x = take(b, 1, sizeof *x), **end = &v->terms;
    if (!x) return false;
    *x = *t;
    x->next = NULL;
    while (*end) end = &(*end)->next;
    *end = x;
    return true;
}

static tg_node *zeros(tg_rt *rt, const tg_node *like) {
    tg_rule_name to = {
        .name = "to", .kind = TG_P_SHAPE, .n = like->type.rank, .sizes = ~UINT64_C(0)};
    if (like->type.rank == 0) return tg_node_number(rt, 0);
    memcpy(to.v, like->type.dim, (size_t)to.n * sizeof *like->type.dim);
    return tg_rule_build(rt,
                         like->type.dtype == rt->precision ? "zeros(to)"
                         : like->type.dtype == TG_F64      ? "double(zeros(to))"
                                                           : "single(zeros(to))",
                         1, &to);
}

/* The terms of the arguments that have this pattern; zeros for those that have others. */
static bool gather(batch *b, pattern *p, const term *like) {
    bool elementwise = p->node->op->class == TG_CLASS_ELEMENTWISE;
    for (int k = 0; k < p->node->n; k++) {
        const value *v = value_of(b, p->node->arg[k]);
        const term *t = v->terms;
        while (t && !same_ties(b, t, like)) t = t->next;
        p->has[k] = t != NULL;
        if (t) p->in[k] = *t;
        if (t && !elementwise && !widen(b, &p->in[k], &p->node->arg[k]->type)) return false;
        p->plain[k] = v->plain;
        if (t || v->plain) continue;
        p->plain[k] = elementwise ? tg_node_number(b->rt, 0) : zeros(b->rt, p->node->arg[k]);
        if (!p->plain[k]) return false;
    }
    return true;
}

/* Has a term with the ties of t, which is one of argument `upto`, come before? */
static bool was_done(const batch *b, const value *const *args, int upto, const term *t) {
    for (int k = 0; k <= upto; k++)
        for (const term *x = args[k]->terms; x && (k < upto || x != t); x = x->next)
            if (same_ties(b, x, t)) return true;
    return false;
}

static bool apply_terms(batch *b, const tg_node *node, value *out) {
    size_t n = (size_t)node->n;
    pattern p = {.node = node,
                 .in = take(b, n, sizeof *p.in),
                 .plain = take(b, n, sizeof *p.plain),
                 .has = take(b, n, sizeof *p.has),
                 .arg = take(b, n, sizeof *p.arg)};
    const value **args = take(b, n, sizeof *args);
    if (!p.in || !p.plain || !p.has || !p.arg || !args) return false;
    for (int k = 0; k < node->n; k++) args[k] = value_of(b, node->arg[k]);
    for (int k = 0; k < node->n; k++)
        for (const term *t = args[k]->terms; t; t = t->next) {
            term made = {0};
            if (was_done(b, args, k, t)) continue;
            if (!gather(b, &p, t) || !apply_pattern(b, &p, &made) ||
                !add_term(b, out, &made, &node->type))
                return false;
        }
    return true;
}

/* The value of a root with all axes of the batch in front. */
static tg_node *finish(batch *b, const tg_node *root);

/* A loop with arguments of the batch: all of its items that are wanted, at once. */
static bool apply_loop(batch *b, tg_node *bundle, size_t at) {
    size_t n = (size_t)bundle->n, most = b->count - at;
    tg_node **in = take(b, n + 1, sizeof *in), **item = take(b, 2 * most, sizeof *item);
    int nitems = 0;
    if (!in || !item) return false;
    for (int k = 0; k < bundle->n; k++) {
        bool same = value_of(b, bundle->arg[k])->plain != NULL;
        in[k] = same ? NULL : finish(b, bundle->arg[k]);
        if (!same && !in[k]) return false;
    }
    for (size_t i = at; i < b->count; i++)
        if (tg_node_is_item(b->node[i]) && b->node[i]->arg[0] == bundle)
            item[nitems++] = b->node[i];
    tg_node **made = item + most;
    if (!tg_batch_loop(b->rt, bundle, in, b->n, b->dim, nitems, item, made)) return false;
    for (int i = 0; i < nitems; i++) {
        term t = {.node = made[i]};
        memset(t.tie, EXPLICIT, sizeof t.tie);
        if (!add_term(b, value_of(b, item[i]), &t, &item[i]->type)) return false;
    }
    return true;
}

static bool walk(batch *b) {
    for (size_t i = 0; i < b->count; i++) {
        tg_node *node = b->node[i];
        value *v = &b->value[i];
        if ((i & 63) == 0 && !tg_check_interrupt(&b->rt->c)) return false;
        if (v->plain || v->terms) continue; /* given */
        bool same = true;
        for (int k = 0; k < node->n; k++) same = same && value_of(b, node->arg[k])->plain != NULL;
        bool ok = true;
        if (same)
            v->plain = node;
        else
            ok = tg_node_is_loop(node) ? apply_loop(b, node, i) : apply_terms(b, node, v);
        if (!ok) return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool begin(batch *b, tg_rt *rt, int n, tg_node *const *roots) {
    *b = (batch){.rt = rt};
    if (!tg_node_collect(rt, n, roots, &b->node, &b->count)) return false;
    b->value = tg_alloc_array(b->count, sizeof *b->value);
    return b->value || tg_fail_memory(&rt->c);
}

static void end(batch *b) {
    tg_free(b->node);
    tg_free(b->value);
    tg_arena_free(&b->arena);
}

static tg_node *finish(batch *b, const tg_node *root) {
    const value *v = value_of(b, root);
    tg_size dim[2 * TG_MAX_RANK];
    int rank = b->n + root->type.rank;
    if (rank > TG_MAX_RANK) {
        tg_fail(&b->rt->c, TG_ERR_SHAPE, "the result would have %d axes; tensors have at most %d",
                rank, TG_MAX_RANK);
        return NULL;
    }
    memcpy(dim, b->dim, (size_t)b->n * sizeof *dim);
    memcpy(dim + b->n, root->type.dim, (size_t)root->type.rank * sizeof *dim);
    if (v->plain) return tg_batch_expand(b->rt, v->plain, rank, dim);
    tg_node *sum = NULL;
    for (const term *t = v->terms; t; t = t->next) {
        term x = *t;
        if (!widen(b, &x, &root->type) || !untie_all(b, &x)) return NULL;
        sum = sum ? tg_node_call2(b->rt, "add", sum, x.node) : x.node;
        if (!sum) return NULL;
    }
    return sum;
}

static bool finish_all(batch *b, int n, tg_node *const *roots, tg_node **out) {
    if (!walk(b)) return false;
    for (int i = 0; i < n; i++)
        if (!(out[i] = finish(b, roots[i]))) return false;
    return true;
}

/* All one-hot seeds: ones, tied. An axis of size 1 has but one place, and needs no tie. */
static bool seed_value(batch *b, const tg_node *seed, value *v) {
    term t = {0};
    tg_size dim[2 * TG_MAX_RANK];
    int e = 0;
    for (int j = 0; j < b->n; j++) {
        t.tie[j] = b->dim[j] == 1 ? EXPLICIT : j;
        if (b->dim[j] == 1) dim[e++] = 1;
    }
    memcpy(dim + e, b->dim, (size_t)b->n * sizeof *dim);
    if (e + b->n > TG_MAX_RANK) return tg_fail(&b->rt->c, TG_ERR_SHAPE, "too many axes of size 1");
    tg_rule_name to = {.name = "to", .kind = TG_P_SHAPE, .n = e + b->n, .sizes = ~UINT64_C(0)};
    memcpy(to.v, dim, (size_t)to.n * sizeof *dim);
    t.node = b->n == 0 ? tg_node_number(b->rt, 1)
                       : tg_rule_build(b->rt,
                                       seed->type.dtype == b->rt->precision ? "ones(to)"
                                       : seed->type.dtype == TG_F64         ? "double(ones(to))"
                                                                            : "single(ones(to))",
                                       1, &to);
    return t.node && add_term(b, v, &t, &seed->type);
}

bool tg_batch_onehot(tg_rt *rt, int n, tg_node *const *roots, tg_node *seed, tg_node **out) {
    batch b;
    bool ok = begin(&b, rt, n, roots);
    if (ok) {
        b.n = seed->type.rank;
        memcpy(b.dim, seed->type.dim, (size_t)b.n * sizeof *b.dim);
        size_t at = tg_nodes_find(b.node, b.count, seed);
        ok = at == b.count || seed_value(&b, seed, &b.value[at]);
        ok = ok && finish_all(&b, n, roots, out);
    }
    end(&b);
    return ok;
}

bool tg_batch_map(tg_rt *rt, int naxes, const tg_size *dim, int nfrom, tg_node *const *from,
                  tg_node *const *to, int n, tg_node *const *roots, tg_node **out) {
    batch b;
    bool ok = begin(&b, rt, n, roots);
    b.n = naxes;
    memcpy(b.dim, dim, (size_t)naxes * sizeof *dim);
    for (int i = 0; ok && i < nfrom; i++) {
        size_t at = tg_nodes_find(b.node, b.count, from[i]);
        term t = {.node = to[i]};
        memset(t.tie, EXPLICIT, sizeof t.tie);
        if (at < b.count) ok = add_term(&b, &b.value[at], &t, &from[i]->type);
    }
    ok = ok && finish_all(&b, n, roots, out);
    end(&b);
    return ok;
}
