/* Operations that put zeros around their argument, as the adjoints of indexing do, and what sums
 * make of them: zeros add nothing, and times zero is zero. So the derivative of softmax(v)[0],
 * where every element meets a vector of zeros with a single one, comes out as (onehot(0, n) -
 * softmax(v)[0]) * softmax(v). Arguments are in simple form. */
#include "runtime/graph/simplifier.h"

#include <string.h>

bool tg_simp_is_framed(const tg_node *n) {
    static const char *const names[] = {
#define NAMED(id, name, when)
#define RULE(id, name, pattern, replacement, when)
#define STABLE(id, name, pattern, replacement, when)
#define COMPUTED(id, name, pattern, replacement, when)
#define GIVEN(id, name, pattern, replacement, when)
#define LINEAR(op, mask)
#define FRAMED(op) op,
#include "runtime/graph/rules.def"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tg_node_is(n, names[i])) return true;
    return false;
}

/* A size among the attributes of n, as a rule may name it. */
static tg_rule_name size_name(const char *name, tg_size size) {
    return (tg_rule_name){.name = name, .kind = TG_P_SIZE, .n = 1, .v = {size}, .sizes = 1};
}

static tg_size first_size(const tg_node *n, int param) {
    return n->at->v[tg_op_values(n->op, n->at, param, NULL)];
}

double tg_simp_single(const tg_simp *s, const tg_node *n) {
    if (n->type.rank != 1 || !tg_node_is(n, "unslice") || tg_simp_is_closed(s, n)) return 0;
    return tg_node_is_number(n->arg[0]) ? n->arg[0]->leaf.number : 0;
}

/* A single 1 in a vector of zeros. */
static tg_node *single(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    if (n->type.rank != 1 || x->type.rank != 0 || !tg_simp_is_uniform(s, x, 1) ||
        n->type.dtype != s->rt->precision)
        return n;
    enum { START = 2 }; /* among the parameters of unslice */
    const tg_rule_name names[] = {size_name("i", first_size(n, START)),
                                  size_name("n", n->type.dim[0])};
    tg_simp_note(s, TG_LAW_ONEHOT);
    return tg_rule_build(s->rt, "onehot(i, n)", 2, names);
}

/* Each element of a permutation is put somewhere: equal ones give themselves. */
static tg_node *permuted(tg_simp *s, tg_node *n) {
    const tg_node *idx = n->arg[1];
    tg_node *scalar = tg_simp_scalar_of(s, n->arg[0]);
    int64_t axis = n->at->v[0];
    if (!scalar || !tg_node_is(idx, "argsort") || idx->at->v[0] != axis ||
        n->type.dim[axis] != idx->type.dim[axis])
        return n;
    tg_simp_note(s, TG_LAW_UNIFORM);
    return tg_simp_uniform(s, scalar, &n->type);
}

tg_node *tg_simp_frame(tg_simp *s, tg_node *n) {
    if (!n) return NULL;
    if (tg_node_is(n, "unslice")) {
        tg_node *made = single(s, n);
        return made == n ? tg_simp_select(s, n) : made;
    }
    if (tg_node_is(n, "embed")) return tg_simp_placed(s, n);
    return tg_node_is(n, "put_along") ? permuted(s, n) : n;
}

/* ---- sums ---- */

/* The sum of all elements of x. */
static tg_node *total(tg_simp *s, tg_node *x) {
    tg_attrs at = {.n = 2, .v = {(INT64_C(1) << x->type.rank) - 1, 0}};
    return x->type.rank == 0 ? x : tg_node_make(s->rt, s->sum, 1, &x, &at);
}

static bool is_onehot(const tg_node *n) {
    return tg_node_is(n, "onehot") && n->arg[0]->type.rank == 0;
}

/* Is n x between zeros, with nothing moved but in one piece? */
static bool is_piece(const tg_simp *s, const tg_node *n) {
    return !tg_simp_is_closed(s, n) &&
           (tg_node_is(n, "unslice") || tg_node_is(n, "embed") || is_onehot(n));
}

/* The elements of x where the piece n stands. */
static tg_node *under(tg_simp *s, tg_node *n, tg_node *x) {
    tg_rule_name names[5] = {{.name = "x", .node = x}, {.name = "piece", .node = n->arg[0]}};
    if (tg_node_is(n, "unslice")) return tg_node_make(s->rt, tg_op_find("slice"), 1, &x, n->at);
    if (is_onehot(n)) return tg_rule_build(s->rt, "x[piece]", 2, names);
    tg_rule_attr(n->op, n->at, 1, &names[2]);
    tg_rule_attr(n->op, n->at, 2, &names[3]);
    return tg_rule_build(s->rt, "narrow(x, axis, start, size(piece, axis))", 4, names);
}

/* sum(piece * rest), where only the elements of rest under the piece matter. */
static tg_node *sum_of_product(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0], *made = n, *rest, *part;
    tg_product p = {0};
    if (x->op != s->mul && x->op != s->div) return n;
    if (!tg_product_add(s, &p, x, 1, false)) return NULL;
    size_t i = 0;
    while (i < p.n && !(p.f[i].power == 1 && is_piece(s, p.f[i].base) &&
                        tg_simp_fits(&p.f[i].base->type, &x->type)))
        i++;
    if (i < p.n && p.n > 1 && p.c.d != 0) {
        tg_node *piece = p.f[i].base;
        p.f[i].power = 0;
        tg_simp_note(s, TG_LAW_ONEHOT);
        made = NULL;
        rest = tg_product_build(s, &p, &x->type);
        part = rest ? under(s, piece, rest) : NULL;
        if (part && !is_onehot(piece)) part = tg_simp_make(s, s->mul, piece->arg[0], part);
        if (part && (part = total(s, part))) made = tg_simp_again(s, part);
    }
    tg_product_free(&p);
    return made;
}

tg_node *tg_simp_sum_of_frame(tg_simp *s, tg_node *n) {
    tg_node *x = n->arg[0];
    if (tg_simp_is_closed(s, x)) return n;
    bool diagonal = tg_node_is(x, "diag") && x->type.rank == 2;
    if (!is_piece(s, x) && !diagonal) return sum_of_product(s, n);
    tg_simp_note(s, TG_LAW_ONEHOT);
    return is_onehot(x) ? tg_node_number(s->rt, 1) : total(s, x->arg[0]);
}
