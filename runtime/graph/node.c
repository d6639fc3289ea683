/* The formula graph: making nodes.
 *
 * Hash consing (Ershov 1958; Filliatre & Conchon 2006): before a node is made it is looked for by
 * operation, arguments, attributes and type. Arguments are themselves unique, so comparing pointers
 * compares formulas, in constant time a node. The type belongs to the key because it also depends
 * on the default precision at the time of writing. Arguments are never reordered, not even of a
 * commutative operation: a formula prints as it was written.
 *
 * Invariant: graph.all lists the nodes in ascending id, so each node comes after its arguments.
 * Nothing that can be seen depends on hashes or addresses. */
#include "runtime/graph/graph.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/graph/loop.h"

#include <assert.h>
#include <string.h>

const tg_op tg_op_number = {.name = "number", .class = TG_CLASS_LEAF, .doc = "A plain number."};
const tg_op tg_op_const = {.name = "const", .class = TG_CLASS_LEAF, .doc = "A tensor known now."};
const tg_op tg_op_cell = {
    .name = "cell", .class = TG_CLASS_LEAF, .doc = "A var, an input or a slot."};
const tg_op tg_op_size = {.name = "size", .class = TG_CLASS_LEAF, .doc = "A size as a number."};

/* ---- the graph ---- */

bool tg_graph_init(tg_rt *rt) {
    tg_graph *g = tg_alloc_array(1, sizeof *g);
    if (!g) return tg_fail_memory(&rt->c);
    rt->graph = g;
    g->next_id = 1;
    g->cells.prev = g->cells.next = &g->cells;
    g->nbucket = 1024;
    g->nat_bucket = 64;
    g->bucket = tg_alloc_array(g->nbucket, sizeof(tg_node *));
    g->at_bucket = tg_alloc_array(g->nat_bucket, sizeof(tg_attrs_entry *));
    return g->bucket && g->at_bucket ? true : tg_fail_memory(&rt->c);
}

void tg_graph_free(tg_rt *rt) {
    tg_graph *g = rt->graph;
    if (!g) return;
    for (size_t i = 0; i < g->count; i++) tg_node_destroy(g, g->all[i]);
    tg_loops_free(rt);
    for (tg_cell *c = g->cells.next, *next; c != &g->cells;
         c = next) { /* held from outside: orphans */
        next = c->next;
        c->prev = c->next = c;
    }
    for (size_t i = 0; g->at_bucket && i < g->nat_bucket; i++)
        for (tg_attrs_entry *e = g->at_bucket[i], *next; e; e = next) {
            next = e->chain;
            tg_free(e);
        }
    tg_pool_free(g);
    tg_free(g->all);
    tg_free(g->bucket);
    tg_free(g->at_bucket);
    tg_free(g->stack);
    tg_free(g);
    rt->graph = NULL;
}

size_t tg_graph_count(tg_rt *rt) {
    return rt->graph->count;
}

uint64_t tg_graph_walk(tg_rt *rt) {
    return ++rt->graph->walk;
}

tg_node *tg_node_hold(tg_node *n) {
    if (n) n->holders++;
    return n;
}

void tg_node_drop(tg_node *n) {
    if (!n) return;
    assert(n->holders > 0);
    n->holders--;
}

/* ---- hashing ---- */

static uint64_t mix(uint64_t h, uint64_t x) {
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static uint32_t fold(uint64_t h) {
    return (uint32_t)(h ^ h >> 32);
}

/* The attributes as the one copy of their value; NULL: no memory. */
static const tg_attrs *intern_attrs(tg_rt *rt, const tg_attrs *at) {
    tg_graph *g = rt->graph;
    if (!at || at->n == 0) return &g->empty.at;
    assert(at->n <= TG_MAX_ATTRS);
    size_t bytes = (size_t)at->n * sizeof at->v[0];
    uint64_t h = mix((uint64_t)at->n, at->sizes);
    for (int i = 0; i < at->n; i++) h = mix(h, (uint64_t)at->v[i]);
    tg_attrs_entry *e = g->at_bucket[fold(h) & (g->nat_bucket - 1)];
    for (; e; e = e->chain)
        if (e->hash == fold(h) && e->at.n == at->n && e->at.sizes == at->sizes &&
            memcmp(e->at.v, at->v, bytes) == 0)
            return &e->at;
    if (g->at_count >= g->nat_bucket) { /* without memory the chains just grow longer */
        tg_attrs_entry **bucket = tg_alloc_array(g->nat_bucket * 2, sizeof(tg_attrs_entry *));
        size_t mask = g->nat_bucket * 2 - 1;
        for (size_t i = 0; bucket && i < g->nat_bucket; i++)
            for (tg_attrs_entry *p = g->at_bucket[i], *next; p; p = next) {
                next = p->chain;
                p->chain = bucket[p->hash & mask];
                bucket[p->hash & mask] = p;
            }
        if (bucket) {
            tg_free(g->at_bucket);
            g->at_bucket = bucket;
            g->nat_bucket = mask + 1;
        }
    }
    e = tg_alloc_array(1, sizeof *e);
    if (!e) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    e->hash = fold(h);
    e->at.n = at->n;
    e->at.sizes = at->sizes;
    memcpy(e->at.v, at->v, bytes);
    tg_attrs_entry **head = &g->at_bucket[e->hash & (g->nat_bucket - 1)];
    e->chain = *head;
    *head = e;
    g->at_count++;
    return &e->at;
}

static bool same_type(const tg_type *a, const tg_type *b) {
    return a->dtype == b->dtype && a->weak == b->weak && a->rank == b->rank &&
           memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0;
}

static void grow_buckets(tg_graph *g) {
    size_t want = g->nbucket * 2;
    tg_node **bucket = tg_alloc_array(want, sizeof(tg_node *));
    if (!bucket) return; /* longer chains */
    for (size_t i = 0; i < g->count; i++) {
        tg_node *n = g->all[i], **head = &bucket[n->hash & (want - 1)];
        n->chain = *head;
        *head = n;
    }
    tg_free(g->bucket);
    g->bucket = bucket;
    g->nbucket = want;
}

/* ---- making ---- */

/* A new node, not yet in the table. */
static tg_node *fresh(tg_rt *rt, const tg_op *op, int n, uint32_t hash) {
    tg_graph *g = rt->graph;
    void *items = g->all;
    tg_node *node = NULL;
    if (tg_grow(&items, &g->all_cap, g->count + 1, sizeof(tg_node *))) {
        g->all = items;
        node = tg_pool_get(g, n);
    }
    if (!node) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    node->op = op;
    node->n = n;
    node->hash = hash;
    node->at = &g->empty.at;
    return node;
}

static tg_node *enter(tg_graph *g, tg_node *node) {
    if (g->count >= g->nbucket) grow_buckets(g);
    tg_node **head = &g->bucket[node->hash & (g->nbucket - 1)];
    node->id = g->next_id++;
    node->chain = *head;
    *head = node;
    g->all[g->count++] = node;
    return node;
}

static tg_node *chain_of(tg_graph *g, uint32_t hash) {
    return g->bucket[hash & (g->nbucket - 1)];
}

static bool is_live(const tg_op *op, int n, tg_node *const *args, const tg_attrs *at) {
    for (int i = 0; i < n; i++)
        if (args[i]->live) return true;
    for (int i = 0; i < at->n; i++)
        if (at->sizes >> i & 1 && at->v[i] < 0) return true;
    if (op == &tg_op_loop) {
        const tg_loop *l = (const tg_loop *)(intptr_t)at->v[0];
        return l->draws || l->open_sizes;
    }
    return op->class == TG_CLASS_RANDOM && at->n > 0 && at->v[at->n - 1] == 1;
}

static bool infer(tg_rt *rt, const tg_op *op, int n, tg_node *const *args, const tg_attrs *at,
                  tg_type *out) {
    enum { FEW = 8 };
    tg_type few_types[FEW], *in = few_types;
    tg_dtype few_wants[FEW], *want = few_wants;
    if (n > FEW) {
        in = tg_alloc_array((size_t)n, sizeof *in);
        want = tg_alloc_array((size_t)n, sizeof *want);
    }
    bool ok = in && want;
    if (!ok) tg_fail_memory(&rt->c);
    for (int i = 0; ok && i < n; i++) {
        in[i] = args[i]->type;
        want[i] = in[i].dtype;
    }
    *out = (tg_type){0};
    ok = ok && op->infer(rt, op, n, in, at, out, want);
    if (n > FEW) {
        tg_free(in);
        tg_free(want);
    }
    return ok;
}

tg_node *tg_node_make(tg_rt *rt, const tg_op *op, int n, tg_node *const *args, const tg_attrs *at) {
    tg_graph *g = rt->graph;
    tg_type type;
    assert(op->class != TG_CLASS_LEAF);
    at = intern_attrs(rt, at);
    if (!at || !infer(rt, op, n, args, at, &type)) return NULL;
    uint64_t h = tg_hash_text(op->name);
    for (int i = 0; i < n; i++) h = mix(h, args[i]->id);
    uint32_t hash = fold(mix(h, tg_attrs_entry_of(at)->hash));
    for (tg_node *p = chain_of(g, hash); p; p = p->chain)
        if (p->hash == hash && p->op == op && p->n == n && p->at == at &&
            same_type(&p->type, &type) &&
            (n == 0 || memcmp(p->arg, args, (size_t)n * sizeof(tg_node *)) == 0))
            return p;
    tg_node *node = fresh(rt, op, n, hash);
    if (!node) return NULL;
    node->at = at;
    node->type = type;
    node->live = is_live(op, n, args, at);
    if (n) memcpy(node->arg, args, (size_t)n * sizeof(tg_node *));
    return enter(g, node);
}

tg_node *tg_node_again(tg_rt *rt, const tg_node *of, tg_node *const *args) {
    uint64_t id = rt->graph->next_id;
    tg_node *node = fresh(rt, of->op, of->n, fold(mix(mix(5, id), of->hash)));
    if (!node) return NULL;
    node->at = of->at;
    node->type = of->type;
    node->live = of->live;
    node->label = of->label;
    node->backward = of->backward;
    node->written = of->written;
    if (node->written.src) tg_source_hold((tg_source *)node->written.src);
    if (of->n) memcpy(node->arg, args, (size_t)of->n * sizeof(tg_node *));
    return enter(rt->graph, node);
}

/* Numbers are told apart by their bits: -0 is not 0, and all NaNs are one. */
static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return x == x ? bits : UINT64_C(0x7FF8) << 48;
}

tg_node *tg_node_number(tg_rt *rt, double x) {
    uint64_t bits = bits_of(x);
    uint32_t hash = fold(mix(1, bits));
    for (tg_node *p = chain_of(rt->graph, hash); p; p = p->chain)
        if (p->hash == hash && p->op == &tg_op_number && bits_of(p->leaf.number) == bits) return p;
    tg_node *node = fresh(rt, &tg_op_number, 0, hash);
    if (!node) return NULL;
    node->leaf.number = x;
    node->type = (tg_type){.dtype = TG_F64, .weak = true};
    return enter(rt->graph, node);
}

static uint32_t hash_of_const(const tg_tensor *t) {
    return fold(mix(2, (uint64_t)(uintptr_t)t));
}

tg_node *tg_node_of_const(const tg_rt *rt, const tg_tensor *t) {
    const uint32_t hash = hash_of_const(t);
    for (tg_node *p = chain_of(rt->graph, hash); p; p = p->chain)
        if (p->hash == hash && p->op == &tg_op_const && p->leaf.tensor == t) return p;
    return NULL;
}

tg_node *tg_node_const(tg_rt *rt, tg_tensor *t, const char *label) {
    tg_node *node = tg_node_of_const(rt, t);
    if (node) {
        if (!node->label) node->label = label;
        return node;
    }
    node = fresh(rt, &tg_op_const, 0, hash_of_const(t));
    if (!node) return NULL;
    node->leaf.tensor = tg_tensor_hold(t);
    rt->graph->bytes += tg_node_bytes(node);
    node->label = label;
    node->type = (tg_type){.dtype = t->v.dtype, .rank = t->v.rank};
    memcpy(node->type.dim, t->v.dim, sizeof node->type.dim);
    return enter(rt->graph, node);
}

tg_node *tg_node_cell(tg_rt *rt, tg_cell *cell) {
    if (cell->leaf) return cell->leaf;
    tg_node *node = fresh(rt, &tg_op_cell, 0, fold(mix(3, cell->serial)));
    if (!node) return NULL;
    node->leaf.cell = tg_cell_hold(cell);
    node->type = cell->type;
    node->live = cell->kind != TG_CELL_LIFT;
    cell->leaf = node;
    return enter(rt->graph, node);
}

tg_node *tg_node_size(tg_rt *rt, tg_size s) {
    if (s == TG_SIZE_FAIL) return NULL;
    if (tg_size_known(s)) return tg_node_number(rt, (double)s);
    uint32_t hash = fold(mix(4, (uint64_t)s));
    for (tg_node *p = chain_of(rt->graph, hash); p; p = p->chain)
        if (p->hash == hash && p->op == &tg_op_size && p->leaf.size == s) return p;
    tg_node *node = fresh(rt, &tg_op_size, 0, hash);
    if (!node) return NULL;
    node->leaf.size = s;
    node->type = (tg_type){.dtype = TG_F64, .weak = true};
    node->live = true;
    return enter(rt->graph, node);
}

/* ---- by name ---- */

static int rank_of_arg(void *args, int operand) {
    return ((tg_node *const *)args)[operand]->type.rank;
}

static tg_node *call(tg_rt *rt, const char *name, int n, tg_node **args) {
    const tg_op *op = tg_op_find(name);
    if (!op) {
        tg_fail(&rt->c, TG_ERR_NAME, "there is no operation %s", name);
        return NULL;
    }
    tg_arg given[2];
    for (int i = 0; i < n; i++) {
        if (!args[i]) return NULL; /* the error is recorded */
        given[i] = (tg_arg){.kind = TG_ARG_TENSOR, .operand = i};
    }
    tg_bound b;
    if (!tg_op_bind(rt, op, n, given, rank_of_arg, args, &b)) return NULL;
    tg_node *bound[2] = {NULL, NULL}, *made = NULL;
    assert(b.n <= 2);
    for (int i = 0; i < b.n; i++) bound[i] = args[b.operand[i]];
    made = tg_node_make(rt, b.op, b.n, bound, &b.at);
    tg_bound_free(&b);
    return made;
}

tg_node *tg_node_call1(tg_rt *rt, const char *op, tg_node *a) {
    return call(rt, op, 1, &a);
}

tg_node *tg_node_call2(tg_rt *rt, const char *op, tg_node *a, tg_node *b) {
    return call(rt, op, 2, (tg_node *[]){a, b});
}
