/* Value numbering (Cocke & Schwartz 1970; Alpern, Wegman & Zadeck 1988).
 *
 * The graph has each formula once, as it is written. A gradient, which the simplifier has brought
 * to its own order of terms and factors, writes the forward pass in another way than the user: R +
 * 1 for 1 + R. Here each node gets a number, such that nodes of one number have the same value, bit
 * by bit: from its operation, its attributes, its type and the numbers of its arguments, those of
 * an operation that commutes in ascending order. Of the nodes of one number the first is computed,
 * the one that the user wrote as a rule, and stands in for the others.
 *
 * Two more things are exact. A sign is the lowest bit of a number: -x has the number of x with that
 * bit turned, products and quotients have the signs of their operands multiplied, and a - b is
 * a + (-b). A sum's sign is not taken out of it, as -(1 - 1) is a zero of the other sign, but where
 * it goes into a product of matrices: of (a - b) @ c and (b - a) @ c one is computed. And an
 * order of axes or a shape that is given to what was just given another one is given to what was
 * there first. A size is the number that it is in this plan.
 *
 * One pass over the nodes, arguments before users, with a table of the numbers by hash; a second
 * one makes the nodes that have an argument replaced. A node that carries a note about memory
 * (graph/recompute.h) hands it to what is computed in its place, which is made anew then: the note
 * must not be found by plans of the other formula. */
#include "runtime/plan/share.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/graph/recompute.h"
#include "runtime/graph/simplify.h"

#include <string.h>

enum { MINUS = 1 }; /* of a number: the value is the negative of its class's */

/* What tells a value from others. */
typedef struct key {
    const tg_op *op;
    const tg_attrs *at;
    const tg_type *type;
    uint64_t leaf; /* which one, of a leaf */
    int n;
    const uint32_t *arg; /* numbers */
} key;

typedef struct sharer {
    tg_rt *rt;
    const tg_size_binding *sizes;
    tg_shares *s;
    const tg_op *neg, *add, *sub, *mul, *div, *transpose, *reshape, *matmul, *matvec, *vecmat;
    uint32_t *number; /* of each node: twice its class, and its sign */
    uint32_t *alias; /* the number that a node has because it is another one, simplified; or NONE */
    uint32_t *first; /* first[number]: the first node that has it, or NONE */
    key *class;
    uint32_t nclasses;
    uint32_t *arg; /* of the keys */
    size_t nargs;
    uint32_t *table; /* class + 1 by hash, 0: free; its size is a power of two */
    size_t mask;
    uint32_t one; /* the number of 1, or NONE */
    bool shared;  /* some number is that of two nodes */
} sharer;

static const uint32_t NONE = UINT32_MAX;

static bool same_type(const tg_type *a, const tg_type *b) {
    return a->dtype == b->dtype && a->weak == b->weak && tg_type_same_shape(a, b);
}

/* ---- classes ---- */

static uint64_t hash_of(const key *k) {
    uint64_t h = tg_hash_mix((uintptr_t)k->op, (uintptr_t)k->at);
    h = tg_hash_mix(h, k->leaf ^ (uint64_t)k->type->dtype << 8 ^ (uint64_t)k->type->rank);
    for (int i = 0; i < k->n; i++) h = tg_hash_mix(h, k->arg[i]);
    return h;
}

static bool same_key(const key *a, const key *b) {
    return a->op == b->op && a->at == b->at && a->leaf == b->leaf && a->n == b->n &&
           same_type(a->type, b->type) &&
           (a->n == 0 || memcmp(a->arg, b->arg, (size_t)a->n * sizeof *a->arg) == 0);
}

/* Where the class of the key stands in the table, or would stand. */
static size_t place_of(const sharer *h, const key *k) {
    size_t at = hash_of(k) & h->mask;
    while (h->table[at] && !same_key(&h->class[h->table[at] - 1], k)) at = (at + 1) & h->mask;
    return at;
}

/* The class of the key, perhaps a new one, as a number without a sign. */
static uint32_t class_of(sharer *h, const key *k) {
    const size_t at = place_of(h, k);
    if (h->table[at]) return 2 * (h->table[at] - 1);
    h->class[h->nclasses] = *k;
    h->table[at] = ++h->nclasses;
    return 2 * (h->nclasses - 1);
}

/* ---- numbers ---- */

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint32_t number_of_value(sharer *h, key *k, double x) {
    const uint64_t minus = UINT64_C(1) << 63;
    const uint64_t bits = bits_of(x);
    k->op = &tg_op_number;
    k->leaf = bits & ~minus;
    uint32_t number = class_of(h, k) | (bits & minus ? MINUS : 0);
    if (x == 1) h->one = number;
    return number;
}

static uint32_t number_leaf(sharer *h, const tg_node *x, key *k) {
    if (x->op == &tg_op_number) return number_of_value(h, k, x->leaf.number);
    if (x->op == &tg_op_size) {
        int64_t size = tg_size_eval(h->rt, h->sizes, x->leaf.size);
        if (size >= 0) return number_of_value(h, k, (double)size);
        tg_clear(&h->rt->c);
    }
    k->leaf = x->id;
    return class_of(h, k);
}

/* Is a transpose over one that it undoes? */
static bool is_undone(const sharer *h, const tg_node *x) {
    const tg_node *inner = x->arg[0];
    if (x->op != h->transpose || inner->op != h->transpose) return false;
    const int64_t *outer_axis = x->at->v + 1, *inner_axis = inner->at->v + 1;
    for (int i = 0; i < x->type.rank; i++)
        if (inner_axis[outer_axis[i]] != i) return false;
    return true;
}

/* Is it a product of matrices? */
static bool is_product(const sharer *h, const tg_op *op) {
    return op == h->matmul || op == h->matvec || op == h->vecmat;
}

/* Of a - b, an operand of such a product, the number -(b - a) where b - a is there already. */
static uint32_t number_turned(sharer *h, const tg_node *x) {
    const uint32_t number = h->number[x->place];
    if (x->op != h->sub || number & MINUS) return number;
    uint32_t arg[2] = {h->number[x->arg[1]->place], h->number[x->arg[0]->place] ^ MINUS};
    key k = {.op = h->add, .at = x->at, .type = &x->type, .n = 2, .arg = arg};
    if (arg[0] > arg[1]) {
        uint32_t swap = arg[0];
        arg[0] = arg[1];
        arg[1] = swap;
    }
    const size_t at = place_of(h, &k);
    return h->table[at] && 2 * (h->table[at] - 1) < number ? (2 * (h->table[at] - 1)) ^ MINUS
                                                           : number;
}

/* Brings the arguments of the key into their order, and takes out its sign. */
static uint32_t take_sign(const sharer *h, key *k, uint32_t *arg) {
    uint32_t sign = 0;
    if (tg_dtype_is_float(k->type->dtype)) {
        if (k->op == h->sub) {
            k->op = h->add;
            arg[1] ^= MINUS;
        }
        if (k->op == h->mul || k->op == h->div || is_product(h, k->op)) {
            sign = (arg[0] ^ arg[1]) & MINUS;
            arg[0] &= ~(uint32_t)MINUS;
            arg[1] &= ~(uint32_t)MINUS;
        }
    }
    if (k->op->commutes && !k->op->zero_sided && k->n == 2 && arg[0] > arg[1]) {
        uint32_t swap = arg[0];
        arg[0] = arg[1];
        arg[1] = swap;
    }
    return sign;
}

static uint32_t number_call(sharer *h, const tg_node *x, key *k) {
    uint32_t *arg = h->arg + h->nargs;
    if (is_undone(h, x)) return h->number[x->arg[0]->arg[0]->place];
    if (x->op == h->reshape && same_type(&x->type, &x->arg[0]->type))
        return h->number[x->arg[0]->place];
    for (int i = 0; i < x->n; i++)
        arg[i] = is_product(h, x->op) ? number_turned(h, x->arg[i]) : h->number[x->arg[i]->place];
    if (x->op == h->neg && tg_dtype_is_float(x->type.dtype) &&
        same_type(&x->type, &x->arg[0]->type))
        return arg[0] ^ MINUS;
    /* times 1, over 1 */
    if ((x->op == h->mul || x->op == h->div) && arg[1] == h->one &&
        same_type(&x->type, &x->arg[0]->type))
        return arg[0];
    if (x->op == h->mul && arg[0] == h->one && same_type(&x->type, &x->arg[1]->type)) return arg[1];
    if (x->op == h->reshape && x->arg[0]->op == h->reshape)
        arg[0] = h->number[x->arg[0]->arg[0]->place];
    k->arg = arg;
    h->nargs += (size_t)x->n;
    uint32_t sign = take_sign(h, k, arg);
    return class_of(h, k) | sign;
}

/* What the simplifier made of x, to be used in a gradient, has the value of x: where it stands
 * among the nodes it gets its number. What a user wrote is never computed in other words. */
static uint32_t number_simplified(sharer *h, const tg_node *x, size_t i, uint32_t number) {
    if (h->alias[i] != NONE) return h->alias[i];
    const tg_node *simple = x->backward || x->op->opaque ? NULL : tg_simplified_part(h->rt, x);
    if (!simple || simple == x || !simple->backward || !same_type(&simple->type, &x->type))
        return number;
    const size_t at = tg_nodes_find(h->s->node, h->s->n, simple);
    if (at > i && at < h->s->n) h->alias[at] = number;
    return number;
}

static bool number_all(sharer *h) {
    for (size_t i = 0; i < h->s->n; i++) {
        tg_node *x = h->s->node[i];
        key k = {.op = x->op, .at = x->at, .type = &x->type, .n = x->n, .arg = h->arg + h->nargs};
        if ((i & 1023) == 0 && !tg_check_interrupt(&h->rt->c)) return false;
        x->place = (uint32_t)i;
        uint32_t v = x->op->class == TG_CLASS_LEAF ? number_leaf(h, x, &k) : number_call(h, x, &k);
        if (x->op->class != TG_CLASS_LEAF) v = number_simplified(h, x, i, v);
        h->number[i] = v;
        h->shared = h->shared || (is_product(h, x->op) && h->first[v ^ MINUS] != NONE);
        if (h->first[v] == NONE)
            h->first[v] = (uint32_t)i;
        else
            h->shared = true;
    }
    return true;
}

/* ---- what is computed ---- */

/* The latest note of the nodes of each number, by a node that carries it. */
static tg_node **list_notes(sharer *h) {
    tg_node **note = tg_alloc_array(2 * h->s->n, sizeof *note);
    for (size_t i = 0; note && i < h->s->n; i++) {
        tg_node *x = h->s->node[i], **n = &note[h->number[i]];
        if (x->recompute && (!*n || (*n)->recompute->serial < x->recompute->serial)) *n = x;
    }
    if (!note) tg_fail_memory(&h->rt->c);
    return note;
}

/* The first node of its number over what is computed for its arguments. */
static tg_node *make(sharer *h, tg_node *x, tg_node *note, tg_node **arg) {
    bool changed = note && note->recompute != x->recompute && x->n > 0;
    for (int k = 0; k < x->n; k++) {
        arg[k] = h->s->to[x->arg[k]->place];
        changed = changed || arg[k] != x->arg[k];
    }
    tg_node *made = changed ? tg_node_again(h->rt, x, arg) : x;
    if (made && note) tg_recompute_inherit(made, note);
    return made;
}

static bool make_all(sharer *h) {
    int most = 0;
    for (size_t i = 0; i < h->s->n; i++)
        if (h->s->node[i]->n > most) most = h->s->node[i]->n;
    tg_node **note = list_notes(h), **arg = tg_alloc_array((size_t)most, sizeof *arg);
    h->s->to = tg_alloc_array(h->s->n, sizeof *h->s->to);
    bool ok = note && arg && h->s->to ? true : tg_fail_memory(&h->rt->c);
    for (size_t i = 0; ok && i < h->s->n; i++) {
        const uint32_t number = h->number[i], first = h->first[number];
        const uint32_t turned = h->first[number ^ MINUS];
        tg_node *x = h->s->node[i];
        if (first < i)
            h->s->to[i] = h->s->to[first];
        else if (turned < i && is_product(h, x->op))
            h->s->to[i] = tg_node_call1(h->rt, "neg", h->s->to[turned]);
        else
            h->s->to[i] = make(h, x, note[number], arg);
        ok = h->s->to[i] != NULL;
    }
    tg_free(note);
    tg_free(arg);
    return ok;
}

/* ---- the whole ---- */

static bool prepare(sharer *h) {
    const size_t n = h->s->n;
    size_t kids = 0;
    for (size_t i = 0; i < n; i++) kids += (size_t)h->s->node[i]->n;
    for (h->mask = 16; h->mask < 2 * n; h->mask *= 2) {}
    h->number = tg_alloc_array(n, sizeof *h->number);
    h->first = tg_alloc_array(2 * n, sizeof *h->first);
    h->alias = tg_alloc_array(n, sizeof *h->alias);
    h->class = tg_alloc_array(n, sizeof *h->class);
    h->arg = tg_alloc_array(kids, sizeof *h->arg);
    h->table = tg_alloc_array(h->mask, sizeof *h->table);
    h->mask--;
    if (!h->number || !h->alias || !h->first || !h->class || !h->arg || !h->table)
        return tg_fail_memory(&h->rt->c);
    memset(h->first, 0xff, 2 * n * sizeof *h->first);
    memset(h->alias, 0xff, n * sizeof *h->alias);
    return true;
}

static void name_ops(sharer *h) {
    h->neg = tg_op_find("neg");
    h->add = tg_op_find("add");
    h->sub = tg_op_find("sub");
    h->mul = tg_op_find("mul");
    h->div = tg_op_find("div");
    h->transpose = tg_op_find("transpose");
    h->reshape = tg_op_find("reshape");
    h->matmul = tg_op_find("matmul");
    h->matvec = tg_op_find("matvec");
    h->vecmat = tg_op_find("vecmat");
}

bool tg_plan_share(tg_rt *rt, int nroots, tg_node *const *roots, const tg_size_binding *sizes,
                   tg_node **targets, tg_shares *out) {
    *out = (tg_shares){0};
    sharer h = {.rt = rt, .sizes = sizes, .s = out, .one = NONE};
    name_ops(&h);
    bool ok = tg_node_collect(rt, nroots, roots, &out->node, &out->n) && prepare(&h) &&
              number_all(&h) && (!h.shared || make_all(&h));
    for (int i = 0; ok && i < nroots; i++) targets[i] = tg_shares_of(out, roots[i]);
    tg_free(h.number);
    tg_free(h.first);
    tg_free(h.alias);
    tg_free(h.class);
    tg_free(h.arg);
    tg_free(h.table);
    return ok;
}

void tg_shares_free(tg_shares *s) {
    tg_free(s->node);
    tg_free(s->to);
}

tg_node *tg_shares_of(const tg_shares *s, tg_node *x) {
    if (!s->to) return x;
    const size_t i = tg_nodes_find(s->node, s->n, x);
    return i < s->n ? s->to[i] : x;
}
