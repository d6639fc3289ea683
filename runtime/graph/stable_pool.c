/* Pooling computed in a better order. The largest element does not mind what rises: adding what is
 * the same for all places of a plane, or relu, can wait until there are fewer elements, and so can
 * the slope of relu on the way back:
 *
 *     max_pool(relu(z))                     = relu(max_pool(z))
 *     max_pool(c + b)                       = max_pool(c) + b
 *     max_unpool(g, relu(z)) * (z > 0)      = max_unpool(g * (max_pool(z) > 0), z)
 *     max_unpool(g, c + b)                  = max_unpool(g, c)
 *     sum(max_unpool(g, c)) over the planes = sum(g) over them
 *
 * All hold at ties too: where the largest of z is not above zero, no place has a part; elsewhere
 * relu changes none of the largest. */
#include "runtime/graph/rule.h"
#include "runtime/graph/simplifier.h"
#include "runtime/ops/attrs.h"
#include "runtime/ops/window.h"

#include <string.h>

/* The axes of max_pool1d and max_pool2d, or of their unpool; 0: it is none. */
static int pools(const tg_node *n, bool back) {
    const char *word = back ? "max_unpool" : "max_pool";
    size_t length = strlen(word);
    if (strncmp(n->op->name, word, length) != 0 || n->op->name[length] < '0' ||
        n->op->name[length] > '9')
        return 0;
    return tg_window_axes(n->op);
}

/* z = c + b with b the same for all places of a plane, which c has all. Then *c and *b. */
static bool is_shifted(const tg_node *z, int axes, tg_node **c, tg_node **b) {
    if (!tg_node_is(z, "add")) return false;
    for (int k = 0; k < 2; k++) {
        tg_node *x = z->arg[k], *y = z->arg[1 - k];
        bool flat = tg_type_same_shape(&x->type, &z->type);
        for (int i = 1; i <= axes && i <= y->type.rank; i++)
            flat = flat && y->type.dim[y->type.rank - i] == 1 && x->type.dim[x->type.rank - i] != 1;
        if (!flat) continue;
        *c = x, *b = y;
        return true;
    }
    return false;
}

/* max_pool(z) by the attributes of a pool or unpool, which are the same. */
static tg_node *pool_of(tg_rt *rt, int axes, tg_node *z, const tg_attrs *at) {
    tg_node *c, *b;
    const tg_op *op = tg_op_find(axes == 1 ? "max_pool1d" : "max_pool2d");
    if (tg_node_is(z, "relu")) {
        z = pool_of(rt, axes, z->arg[0], at);
        return z ? tg_node_call1(rt, "relu", z) : NULL;
    }
    if (!is_shifted(z, axes, &c, &b)) return tg_node_make(rt, op, 1, &z, at);
    c = tg_node_make(rt, op, 1, &c, at);
    return c ? tg_node_call2(rt, "add", c, b) : NULL;
}

static tg_node *unpool_of(tg_rt *rt, const tg_node *like, int axes, tg_node *g, tg_node *z) {
    tg_node *c, *b, *in[2] = {g, is_shifted(z, axes, &c, &b) ? c : z};
    return tg_node_make(rt, like->op, 2, in, like->at);
}

/* max_unpool(g, relu(z)) * (z > 0), in either order. NULL without an error: it is not. */
static tg_node *masked(tg_rt *rt, const tg_node *n, bool *failed) {
    for (int k = 0; k < 2; k++) {
        const tg_node *u = n->arg[k], *mask = n->arg[1 - k];
        int axes = pools(u, true);
        if (!axes || !tg_node_is(u->arg[1], "relu") || !tg_node_is(mask, "gt")) continue;
        tg_node *z = u->arg[1]->arg[0];
        if (mask->arg[0] != z || !tg_node_is_number(mask->arg[1]) || mask->arg[1]->leaf.number != 0)
            continue;
        tg_node *best = pool_of(rt, axes, z, u->at);
        tg_node *g = best ? tg_node_call2(rt, "gt", best, mask->arg[1]) : NULL;
        if (g) g = tg_node_call2(rt, "mul", u->arg[0], g);
        if (g) g = unpool_of(rt, u, axes, g, z);
        *failed = !g;
        return g;
    }
    return NULL;
}

/* Does every window see a place? */
static bool are_seeing(const tg_node *u, int axes) {
    for (int i = 0; i < axes; i++)
        if (tg_window_value(u->op, u->at, "padding", i) > 0 &&
            tg_window_value(u->op, u->at, "dilation", i) > 1)
            return false;
    return true;
}

/* A sum, or sum of a sum, over the planes of max_unpool. */
static tg_node *summed(tg_rt *rt, tg_node *n, bool *failed) {
    tg_node *inner = tg_node_is(n->arg[0], "sum") ? n->arg[0] : NULL,
            *u = inner ? inner->arg[0] : n->arg[0];
    int axes = pools(u, true), rank = u->type.rank;
    if (!axes || !are_seeing(u, axes)) return NULL;
    int64_t left = ((INT64_C(1) << axes) - 1) << (rank - axes), over = n->at->v[0];
    if (inner) { /* axes of the outer sum, counted as before the inner one */
        over = inner->at->v[0];
        for (int i = 0, k = 0; i < rank; i++) {
            bool gone = inner->at->v[0] >> i & 1 && !inner->at->v[1];
            if (!gone && (n->at->v[0] >> k++ & 1)) over |= INT64_C(1) << i;
        }
    }
    if (left & ~over) return NULL;
    tg_node *made = u->arg[0];
    if (inner) made = tg_node_make(rt, inner->op, 1, &made, inner->at);
    if (made) made = tg_node_make(rt, n->op, 1, &made, n->at);
    *failed = !made;
    return made;
}

tg_node *tg_stable_pool(tg_rt *rt, tg_node *n, bool *failed) {
    tg_node *c, *b, *made = NULL;
    *failed = false;
    if (n->n == 2 && tg_node_is(n, "mul")) return masked(rt, n, failed);
    if (n->n == 1 && tg_node_is(n, "sum")) return summed(rt, n, failed);
    int axes = pools(n, false);
    if (axes && (tg_node_is(n->arg[0], "relu") || is_shifted(n->arg[0], axes, &c, &b)))
        made = pool_of(rt, axes, n->arg[0], n->at);
    else if ((axes = pools(n, true)) && is_shifted(n->arg[1], axes, &c, &b))
        made = unpool_of(rt, n, axes, n->arg[0], n->arg[1]);
    else
        return NULL;
    *failed = !made;
    return made;
}
