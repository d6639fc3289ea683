/* The nodes of calls with a rule of the user's own; ruled.h says what they are.
 *
 * Arguments of such a node: the body, the slots g and out, the parts, and a result for each part. A
 * part without a derivative has for result a parameter marked as absent, which nothing else makes.
 * All being arguments, they are collected, substituted and simplified with the call; two equal
 * calls are one node. */
#include "runtime/graph/ruled.h"
#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/substitute.h"

#include <string.h>

enum { BODY, G, OUT, PARTS = TG_RULED_PARTS };
enum { TEXT, NAMES, SERIAL, UNCHECKED, ATTRS };

static bool infer_same(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)rt, (void)op, (void)n, (void)at, (void)want;
    *out = in[0];
    return true;
}

const tg_op tg_op_ruled = {.name = "call of a function with a rule",
                           .class = TG_CLASS_INDEX,
                           .infer = infer_same,
                           .doc = "A call of a function with a rule."};
const tg_op tg_op_parameter = {.name = "parameter",
                               .class = TG_CLASS_INDEX,
                               .infer = infer_same,
                               .grad = {TG_GRAD_ZERO},
                               .doc = "An argument inside of such a function."};

tg_node *tg_ruled_parameter(tg_rt *rt, tg_node *argument) {
    return tg_node_make(rt, &tg_op_parameter, 1, &argument, &(tg_attrs){.n = 1, .v = {0}});
}

static tg_node *absent(tg_rt *rt, tg_node *part) {
    return tg_node_make(rt, &tg_op_parameter, 1, &part, &(tg_attrs){.n = 1, .v = {1}});
}

static bool is_absent(const tg_node *n) {
    return n->op == &tg_op_parameter && n->at->v[0] == 1;
}

tg_node *tg_ruled_make(tg_rt *rt, const tg_ruled *r) {
    tg_attrs at = {.n = ATTRS};
    at.v[TEXT] = (int64_t)(intptr_t)r->text;
    at.v[NAMES] = (int64_t)(intptr_t)r->names;
    at.v[SERIAL] = (int64_t)r->serial;
    at.v[UNCHECKED] = r->unchecked;
    int n = PARTS + 2 * r->n;
    tg_node **arg = tg_alloc_array((size_t)n, sizeof(tg_node *)), *made = NULL;
    if (!arg) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    arg[BODY] = r->body, arg[G] = r->g, arg[OUT] = r->out;
    bool ok = true;
    for (int i = 0; ok && i < r->n; i++) {
        arg[PARTS + i] = r->part[i];
        arg[PARTS + r->n + i] = r->result[i] ? r->result[i] : absent(rt, r->part[i]);
        ok = arg[PARTS + r->n + i] != NULL;
    }
    if (ok) made = tg_node_make(rt, &tg_op_ruled, n, arg, &at);
    tg_free(arg);
    return made;
}

tg_ruled tg_ruled_of(const tg_node *n) {
    int parts = (n->n - PARTS) / 2;
    return (tg_ruled){.text = (const char *)(intptr_t)n->at->v[TEXT],
                      .names = (const char *)(intptr_t)n->at->v[NAMES],
                      .serial = (uint64_t)n->at->v[SERIAL],
                      .unchecked = n->at->v[UNCHECKED] != 0,
                      .body = n->arg[BODY],
                      .g = n->arg[G],
                      .out = n->arg[OUT],
                      .n = parts,
                      .part = n->arg + PARTS,
                      .result = n->arg + PARTS + parts};
}

tg_node *tg_ruled_into(const tg_node *n, int k) {
    int parts = (n->n - PARTS) / 2;
    if (k == BODY) return n->arg[BODY];
    if (k < PARTS || k >= PARTS + parts || n->arg[k]->op != &tg_op_parameter) return NULL;
    return is_absent(n->arg[k + parts]) ? NULL : n->arg[k]->arg[0];
}

tg_node *tg_ruled_adjoint(tg_rt *rt, tg_node *n, int k, tg_node *g) {
    return tg_ruled_instance(rt, n, tg_ruled_of(n).result[k - PARTS], g);
}

tg_node *tg_ruled_instance(tg_rt *rt, tg_node *n, tg_node *formula, tg_node *g) {
    tg_ruled r = tg_ruled_of(n);
    size_t room = (size_t)r.n + 2;
    tg_node **from = tg_alloc_array(2 * room, sizeof(tg_node *)), **to = from ? from + room : NULL;
    int pairs = 0;
    if (!from) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    for (int i = 0; i < r.n; i++) {
        if (r.part[i]->op != &tg_op_parameter) continue;
        from[pairs] = r.part[i];
        to[pairs++] = r.part[i]->arg[0];
    }
    from[pairs] = r.g, to[pairs++] = g;
    from[pairs] = r.out, to[pairs++] = n;
    tg_node *made = tg_node_substitute_all(rt, formula, pairs, from, to);
    tg_free(from);
    return made;
}

bool tg_ruled_owns(const tg_node *n, const tg_node *part) {
    if (!tg_node_is_ruled(n) || part->op != &tg_op_parameter) return false;
    tg_ruled r = tg_ruled_of(n);
    for (int i = 0; i < r.n; i++)
        if (r.part[i] == part) return true;
    return false;
}

bool tg_ruled_is_pointwise(tg_rt *rt, const tg_node *n, int k, bool *yes) {
    tg_ruled r = tg_ruled_of(n);
    tg_node *result = r.result[k - PARTS], **node;
    size_t count;
    *yes = false;
    const tg_type *t = &n->type;
    if (!tg_shape_equal(result->type.rank, result->type.dim, t->rank, t->dim)) return true;
    if (!tg_node_collect(rt, 1, &result, &node, &count)) return false;
    *yes = true;
    for (size_t i = 0; *yes && i < count; i++) {
        const tg_node *x = node[i];
        if (x->op->class == TG_CLASS_LEAF || x->op == &tg_op_parameter) continue;
        bool over = false; /* over g: what does not see it is data */
        if (!tg_node_depends(rt, node[i], r.g)) continue;
        for (int a = 0; a < x->n; a++)
            over =
                over || tg_shape_equal(x->arg[a]->type.rank, x->arg[a]->type.dim, t->rank, t->dim);
        *yes = x->op->class == TG_CLASS_ELEMENTWISE && over;
    }
    tg_free(node);
    return true;
}

tg_node *const *tg_node_shown_arguments(const tg_node *node, int *n) {
    if (tg_node_is_item(node)) node = node->arg[0];
    bool ruled = tg_node_is_ruled(node);
    *n = ruled ? (node->n - PARTS) / 2 : node->n;
    return node->arg + (ruled ? PARTS : 0);
}

tg_node *tg_ruled_bodies(tg_rt *rt, tg_node *n) {
    tg_node **node, **made = NULL, **arg = NULL;
    size_t count, most = 1;
    bool any = false;
    if (!tg_node_collect(rt, 1, &n, &node, &count)) return NULL;
    for (size_t i = 0; i < count; i++) {
        any = any || tg_node_is_ruled(node[i]) || node[i]->op == &tg_op_parameter;
        if ((size_t)node[i]->n > most) most = (size_t)node[i]->n;
    }
    if (any) {
        made = tg_alloc_array(count, sizeof *made);
        arg = tg_alloc_array(most, sizeof *arg);
    }
    bool ok = !any || (made && arg) ? true : tg_fail_memory(&rt->c);
    for (size_t i = 0; any && ok && i < count; i++) {
        const tg_node *x = node[i];
        bool changed = false;
        for (int k = 0; k < x->n; k++) {
            size_t lo = 0, hi = i;
            while (hi - lo > 1) { /* by id, which ascends */
                size_t mid = lo + (hi - lo) / 2;
                if (node[mid]->id <= x->arg[k]->id)
                    lo = mid;
                else
                    hi = mid;
            }
            arg[k] = made[lo];
            changed = changed || arg[k] != x->arg[k];
        }
        if (tg_node_is_ruled(x) || x->op == &tg_op_parameter)
            made[i] = arg[BODY];
        else
            made[i] = changed ? tg_node_make(rt, x->op, x->n, arg, x->at) : node[i];
        ok = made[i] != NULL;
    }
    tg_node *out = !ok ? NULL : any ? made[count - 1] : n;
    tg_free(arg);
    tg_free(made);
    tg_free(node);
    return out;
}

bool tg_ruled_fits(const tg_type *have, const tg_type *want) {
    int least = have->rank < want->rank ? have->rank : want->rank;
    for (int i = 1; i <= least; i++) {
        tg_size a = have->dim[have->rank - i], b = want->dim[want->rank - i];
        if (a != b && a != 1 && b != 1) return false;
    }
    return true;
}
