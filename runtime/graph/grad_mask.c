/* How masks pass backward. A mask says of each element whether the result depends on it, through
 * the sides that are taken. Elementwise an element counts if its result does. An operation that
 * rearranges, repeats or adds up has a rule without data: the rule, applied to the mask, says what
 * counts. In a product it is the rule with ones for the other factor. Reductions spread the mask
 * over what they reduce, what works along an axis along that axis, and of anything else all
 * elements count if any does. Each of these is exact in this sense: an element that counts has a
 * part in a value that is taken, so where that is infinite the formula itself is not finite. */
#include "runtime/graph/grad_mask.h"

#include <ctype.h>
#include <string.h>

/* Does the rule text name it, but for its shape? */
static bool sees(const char *rule, const char *name) {
    size_t length = strlen(name);
    bool of_shape = false; /* inside of shape(...), size(...) or rank(...) */
    while (*rule) {
        if (!isalpha((unsigned char)*rule) && *rule != '_') {
            of_shape = of_shape && *rule != ')';
            rule++;
            continue;
        }
        size_t n = 0;
        while (isalnum((unsigned char)rule[n]) || rule[n] == '_') n++;
        if (!of_shape && n == length && memcmp(rule, name, n) == 0) return true;
        if (rule[n] == '(')
            of_shape = (n == 5 && memcmp(rule, "shape", n) == 0) ||
                       (n == 4 && (memcmp(rule, "size", n) == 0 || memcmp(rule, "rank", n) == 0));
        rule += n;
    }
    return false;
}

static bool is_zero_rule(const char *rule) {
    return !rule || strcmp(rule, TG_GRAD_ZERO) == 0;
}

static const char *name_of(const tg_node *node, int k) {
    return node->op->param[0].kind == TG_P_LIST ? "x" : node->op->param[k].name;
}

/* Linear in each argument, with factors that are never negative: no rule sees the argument that it
 * is of, or the value. */
static bool is_multilinear(const tg_node *node) {
    for (int k = 0; k < node->n; k++) {
        const char *rule = tg_grad_rule(node, k);
        if (!rule || sees(rule, name_of(node, k)) || sees(rule, "out")) return false;
    }
    return true;
}

bool tg_mask_is_wild(const tg_node *node) {
    if (!node->op->wild) return false;
    const tg_node *last = node->arg[node->n - 1];
    if (node->n < 2 || !tg_node_is_number(last)) return true;
    double v = last->leaf.number; /* x / 2, x^2: a wild operation tamed */
    if (tg_node_is(node, "div")) return v == 0;
    return !tg_node_is(node, "pow") || v < 1 || v != (double)(int)v;
}

tg_node *tg_mask_any(tg_rt *rt, tg_node *m) {
    return m->type.rank == 0
               ? m
               : tg_rule_build(rt, "any(m)", 1, &(tg_rule_name){.name = "m", .node = m});
}

static tg_node *ones(tg_rt *rt, tg_node *like) {
    return tg_rule_build(rt, "ones_like(x)", 1, &(tg_rule_name){.name = "x", .node = like});
}

/* The rule of argument k for the mask in place of the cotangent, with ones for other arguments. */
static tg_node *by_rule(tg_rt *rt, const tg_node *node, int k, tg_node *m) {
    tg_rule_names r;
    if (!tg_grad_name(rt, node, k, &r)) return NULL;
    for (int i = 0; i < r.n; i++)
        for (int a = 0; r.name[i].node && a < node->n; a++)
            if (r.name[i].node == node->arg[a] && !is_zero_rule(tg_grad_rule(node, a))) {
                if (!(r.name[i].node = ones(rt, r.name[i].node))) return NULL;
                break;
            }
    tg_grad_name_node(&r, "g", m);
    tg_node *made = tg_rule_build(rt, tg_grad_rule(node, k), r.n, r.name);
    if (!made || made->type.dtype == TG_BOOL) return made;
    tg_node *zero = tg_node_number(rt, 0);
    return zero ? tg_node_call2(rt, "ne", made, zero) : NULL;
}

static int axis_param(const tg_op *op) {
    for (int i = 0; op->param[i].name; i++)
        if (strcmp(op->param[i].name, "axis") == 0) return i;
    return -1;
}

/* Mixes an operation with `axis` only along it? Its shape, or without it. */
static bool is_along_axis(const tg_node *node) {
    return node->n == 1 && node->op->class == TG_CLASS_REDUCE && axis_param(node->op) >= 0;
}

static bool has_shape_of(const tg_node *node, int k) {
    const tg_type *a = &node->type, *b = &node->arg[k]->type;
    return tg_shape_equal(a->rank, a->dim, b->rank, b->dim);
}

/* The mask spread along the axis. */
static tg_node *along_axis(tg_rt *rt, const tg_node *node, tg_node *m) {
    tg_rule_names r;
    if (!tg_grad_name(rt, node, 0, &r)) return NULL;
    tg_grad_name_node(&r, "m", m);
    return tg_rule_build(rt,
                         has_shape_of(node, 0) ? "any(m, axis=axis, keep=true)"
                                               : "expand(m, shape(x), axis=axis)",
                         r.n, r.name);
}

tg_node *tg_mask_reach(tg_rt *rt, const tg_node *node, int k, tg_node *m) {
    const tg_type *t = &node->arg[k]->type;
    if (m->type.rank == 0) return m;
    if (node->op->class == TG_CLASS_ELEMENTWISE) return tg_grad_fit(rt, m, t);
    bool along = is_along_axis(node), linear = is_multilinear(node);
    if (!along && !linear) return tg_mask_any(rt, m);
    m = tg_grad_stretch(rt, m, &node->type);
    if (m) m = linear ? by_rule(rt, node, k, m) : along_axis(rt, node, m);
    return m ? tg_grad_fit(rt, m, t) : NULL;
}

bool tg_mask_matters(const tg_node *node, int k, bool (*wild)(void *user, const tg_node *n),
                     void *user) {
    const char *rule = tg_grad_rule(node, k);
    if (is_zero_rule(rule)) return false;
    if (tg_mask_is_wild(node)) return true;
    if (sees(rule, "out") && wild(user, node)) return true;
    for (int i = 0; i < node->n; i++)
        if (sees(rule, name_of(node, i)) && wild(user, node->arg[i])) return true;
    return false;
}

bool tg_mask_guard(tg_rt *rt, const tg_node *node, int k, tg_node *m, tg_rule_names *r,
                   bool *wrap) {
    *wrap = node->op->class == TG_CLASS_ELEMENTWISE;
    if (*wrap || m->type.rank == 0) return *wrap = true;
    bool along = is_along_axis(node), linear = is_multilinear(node);
    if (!along && !linear) return *wrap = true;
    const char *rule = tg_grad_rule(node, k);
    for (int i = 0; i < r->n; i++) {
        tg_node *at = r->name[i].node, *reach = NULL;
        if (!at || !tg_dtype_is_float(at->type.dtype) || !sees(rule, r->name[i].name)) continue;
        if (at == node) {
            reach = has_shape_of(node, 0) ? tg_mask_reach(rt, node, 0, m) : m;
        } else {
            for (int a = 0; a < node->n && !reach; a++)
                if (node->arg[a] == at && !(reach = tg_mask_reach(rt, node, a, m))) return false;
        }
        if (!reach || !(r->name[i].node = tg_mask_apply(rt, reach, at))) return false;
    }
    return true;
}

tg_node *tg_mask_apply(tg_rt *rt, tg_node *m, tg_node *n) {
    tg_node *branch[3] = {m, n, tg_node_number(rt, 0)};
    return branch[2] ? tg_node_make(rt, tg_op_find("where"), 3, branch, &(tg_attrs){0}) : NULL;
}

static bool opposite(const tg_node *a, const tg_node *b) {
    if (tg_node_is(a, "any") && tg_node_is(b, "any")) a = a->arg[0], b = b->arg[0];
    return (tg_node_is(a, "not") && a->arg[0] == b) || (tg_node_is(b, "not") && b->arg[0] == a);
}

tg_node *tg_mask_either(tg_rt *rt, tg_node *a, tg_node *b, bool *ok) {
    *ok = true;
    if (!a || !b || opposite(a, b)) return NULL;
    if (a == b) return a;
    tg_node *made = tg_node_call2(rt, "or", a, b);
    *ok = made != NULL;
    return made;
}
