/* Sums over the turns of a loop, taken out of it.
 *
 * An invariant V gets the sum of its adjoints in all turns. Where these are products of matrices,
 * x' @ y in each turn, and x and y can be had as stacks, the sum is one product: of all turns' rows
 * of x with those of y. Written is sum(X' @ Y, axis=0) over the stacks, which is computed as one
 * product of two matrices (stable.c). What is linear around a product goes out with it: sums,
 * transposes, factors that do not change. A sum without a product (of a bias) goes out where the
 * stack that it is of is there for a product anyway; else it stays in the loop, as a state. */
#include "runtime/graph/loop_grad.h"
#include "runtime/graph/rule.h"

#include "base/alloc.h"

/* Depends n on a state or row of the forward loop, on one of the backward loop? */
static bool is_among(tg_rt *rt, tg_node *n, size_t count, tg_node *const *slots) {
    for (size_t i = 0; i < count; i++)
        if (tg_node_depends(rt, n, slots[i])) return true;
    return false;
}

static bool is_backward(const tg_loop_back *b, tg_node *n) {
    return is_among(b->rt, n, b->carry.n, b->carry.item) ||
           is_among(b->rt, n, b->row.n, b->row.item);
}

static bool is_outside(const tg_loop_back *b, tg_node *n) {
    size_t turned = (size_t)(b->loop->carries + b->loop->xs);
    return !is_among(b->rt, n, turned, b->slot) && !is_backward(b, n);
}

static size_t place(const tg_node_list *l, const tg_node *n) {
    size_t i = 0;
    while (i < l->n && l->item[i] != n) i++;
    return i;
}

/* The stack of n if there is one already; NULL: no. */
static tg_node *stack_there(const tg_loop_back *b, const tg_node *n) {
    size_t i = place(&b->asked, n), k = place(&b->row, n);
    return i < b->asked.n ? b->asked_as.item[i] : k < b->row.n ? b->rows.item[k] : NULL;
}

static bool append(tg_rt *rt, tg_node_list *l, tg_node *n) {
    void *p = l->item;
    bool ok = tg_grow(&p, &l->cap, l->n + 1, sizeof(tg_node *));
    l->item = p;
    if (!ok) return tg_fail_memory(&rt->c);
    l->item[l->n++] = n;
    return true;
}

/* The stack of n, asked of the loop that has it: for the time being a slot where that is the
 * backward one. NULL: an error, or it would have too many axes. */
static tg_node *ask(tg_loop_back *b, tg_node *n) {
    tg_type rows;
    tg_node *there = stack_there(b, n);
    if (there || !tg_type_rows(&n->type, tg_loop_turns(b->bundle), &rows)) return there;
    if (!is_backward(b, n)) return tg_loop_saved(b, n);
    tg_node *slot = tg_loop_slot(b->rt, b->level + 1, b->numbers++, &rows, NULL);
    return slot && append(b->rt, &b->asked, n) && append(b->rt, &b->asked_as, slot) ? slot : NULL;
}

static tg_node *build(tg_loop_back *b, const char *text, tg_node *x, tg_node *y) {
    const tg_rule_name names[2] = {{.name = "x", .node = x}, {.name = "y", .node = y}};
    return x && (y || text[0] == 's') ? tg_rule_build(b->rt, text, y ? 2 : 1, names) : NULL;
}

static tg_node *outside(tg_loop_back *b, tg_node *n);

static tg_node *product_outside(tg_loop_back *b, tg_node *n) {
    tg_node *x = n->arg[0], *y = n->arg[1], *part;
    bool fixed[2] = {is_outside(b, x), is_outside(b, y)};
    if (fixed[0] || fixed[1]) {
        if (!(part = outside(b, fixed[0] ? y : x))) return NULL;
        tg_node *arg[2] = {fixed[0] ? x : part, fixed[0] ? part : y};
        return tg_node_make(b->rt, n->op, 2, arg, n->at);
    }
    if (tg_node_is(n, "outer")) {
        tg_node *rows = ask(b, x);
        return rows ? build(b, "x' @ y", rows, ask(b, y)) : NULL;
    }
    if (!tg_node_is(n, "matmul") || n->type.rank != 2) return NULL;
    x = tg_node_is_prime(x) ? x->arg[0] : tg_node_call1(b->rt, "transpose", x);
    tg_node *rows = x ? ask(b, x) : NULL;
    return rows ? build(b, "sum(x' @ y, axis=0)", rows, ask(b, y)) : NULL;
}

static tg_node *reduction_outside(tg_loop_back *b, tg_node *n) {
    tg_node *rows = stack_there(b, n->arg[0]);
    if (!rows || n->at->v[1]) return NULL;
    const tg_attrs at = {.n = 2, .v = {n->at->v[0] << 1 | 1, 0}};
    return tg_node_make(b->rt, n->op, 1, &rows, &at);
}

/* The sum of n over all turns; NULL: it stays in the loop, or an error. */
static tg_node *outside(tg_loop_back *b, tg_node *n) {
    tg_node *rows = stack_there(b, n), *part[2];
    if (!tg_guard(&b->rt->c) || is_outside(b, n)) return NULL;
    if (rows) return build(b, "sum(x, axis=0)", rows, NULL);
    if (n->n == 1 && (n->op->class == TG_CLASS_VIEW || tg_node_is(n, "neg"))) {
        part[0] = outside(b, n->arg[0]);
        return part[0] ? tg_node_make(b->rt, n->op, 1, part, n->at) : NULL;
    }
    if (tg_node_is(n, "add") || tg_node_is(n, "sub")) {
        for (int i = 0; i < 2; i++) {
            if (!tg_type_same_shape(&n->arg[i]->type, &n->type)) return NULL;
            if (!(part[i] = outside(b, n->arg[i]))) return NULL;
        }
        return tg_node_make(b->rt, n->op, 2, part, n->at);
    }
    bool times = tg_node_is(n, "mul"), over = tg_node_is(n, "div");
    if (times || over) {
        bool fixed[2] = {is_outside(b, n->arg[0]), is_outside(b, n->arg[1])};
        if (over ? !fixed[1] : !fixed[0] && !fixed[1]) return NULL;
    }
    if (times || over || (n->op->class == TG_CLASS_LINEAR && n->n == 2))
        return product_outside(b, n);
    if (tg_node_is(n, "sum")) return reduction_outside(b, n);
    return NULL;
}

bool tg_loop_hoist(tg_loop_back *b) {
    const tg_loop *l = b->loop;
    if (b->memory != TG_KEEP_ALL) return true; /* whole stacks are what is not wanted */
    for (int pass = 0; pass < 2; pass++) /* the second finds the stacks that the first asked for */
        for (int i = l->carries + l->xs; i < l->n; i++) {
            if (!b->into[i] || b->outside[i]) continue;
            b->outside[i] = outside(b, b->into[i]);
            if (b->rt->c.diag.kind != TG_ERR_NONE) return false;
        }
    return true;
}
