/* What the simplifier makes of assumptions.
 *
 * An equation rewrites the node that is its larger side, or a sum or mean of the same elements:
 * when the rows of Y sum to 1, sum(Y) is their number. A symmetry rewrites transposes; which
 * formulas it makes symmetric, S + S' or A @ S @ A' or inv(S), is found by walking a formula and
 * its mirror image side by side. Under an orthogonality, a chain of matrix products is taken apart
 * into its factors, where Q' and Q next to each other are struck out; and lengths do not see Q.
 *
 * Bounds are used by the rules that ask for them (GIVEN in rules.def), through tg_simp_certain. */
#include "runtime/graph/simplifier.h"
#include "runtime/graph/assume.h"
#include "runtime/ops/linear.h"

#include <string.h>

static uint32_t bit(int i) {
    return UINT32_C(1) << i;
}

static const tg_fact *usable(const tg_simp *s, int i, tg_fact_kind kind) {
    const tg_fact *f = &s->rt->assumed->fact[i];
    return tg_assume_usable(s->rt) & bit(i) && f->kind == kind ? f : NULL;
}

bool tg_simp_certain(tg_simp *s, const char *op, const tg_node *a, const tg_node *b) {
    uint32_t used;
    if (tg_prove(s->rt, op, a, b, tg_assume_usable(s->rt), &used) != 1) return false;
    s->used |= used;
    return true;
}

bool tg_simp_is_certain(tg_simp *s, const tg_node *n, bool truth) {
    bool both = tg_node_is(n, truth ? "and" : "or");
    if (!tg_guard(&s->rt->c)) return false;
    if (tg_node_is(n, "not")) return tg_simp_is_certain(s, n->arg[0], !truth);
    if (both)
        return tg_simp_is_certain(s, n->arg[0], truth) && tg_simp_is_certain(s, n->arg[1], truth);
    if (tg_node_is(n, "and") || tg_node_is(n, "or"))
        return tg_simp_is_certain(s, n->arg[0], truth) || tg_simp_is_certain(s, n->arg[1], truth);
    const char *op = n->op->symbol;
    if (n->n != 2 || !op || !strchr("=!<>", op[0])) return false;
    uint32_t used;
    if (tg_prove(s->rt, op, n->arg[0], n->arg[1], tg_assume_usable(s->rt), &used) !=
        (truth ? 1 : -1))
        return false;
    s->used |= used;
    return true;
}

/* ---- equations ---- */

/* The product of the sizes of the axes in the mask, as a formula. */
static tg_node *count_of(tg_simp *s, const tg_node *x, int64_t axes) {
    tg_size n = 1;
    for (int i = 0; i < x->type.rank; i++)
        if (axes >> i & 1) n = tg_size_times(s->rt, n, x->type.dim[i]);
    return n == TG_SIZE_FAIL ? NULL : tg_node_size(s->rt, n);
}

static bool is_total(const tg_simp *s, const tg_node *n) {
    return n->op == s->sum || n->op == s->mean;
}

/* `to` in the shape of n. */
static tg_node *shaped(tg_simp *s, tg_node *to, const tg_type *t, bool stretch) {
    if (to->type.rank == 0) return tg_simp_uniform(s, to, t);
    if (tg_shape_equal(to->type.rank, to->type.dim, t->rank, t->dim)) return to;
    tg_rule_name names[2] = {
        {.name = "x", .node = to},
        {.name = "to", .kind = TG_P_SHAPE, .n = t->rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[1].v, t->dim, (size_t)t->rank * sizeof *t->dim);
    return tg_rule_build(s->rt, stretch ? "expand(x, to)" : "reshape(x, to)", 2, names);
}

/* Is n a reduction of what the key reduces, whose value the key's tells? */
static bool tells_reduction(const tg_simp *s, const tg_fact *f, const tg_node *n) {
    const tg_node *key = f->key;
    if (key->op->class != TG_CLASS_REDUCE || n->op->class != TG_CLASS_REDUCE || key->n != 1 ||
        n->n != 1 || key->arg[0] != n->arg[0] || key->at->n != 2 || n->at->n != 2)
        return false;
    int64_t had = key->at->v[0], now = n->at->v[0];
    bool totals = is_total(s, key) && is_total(s, n);
    if (!totals && (n->op != key->op || had != now)) return false;
    return (had & now) == had && (had == now || f->to->type.rank == 0);
}

static tg_node *from_reduction(tg_simp *s, const tg_fact *f, const tg_node *n) {
    const tg_node *key = f->key;
    int64_t had = key->at->v[0], now = n->at->v[0];
    tg_node *made = shaped(s, f->to, &n->type, false);
    if (!made || (n->op == key->op && (had == now || key->op == s->mean))) return made;
    /* sums: more axes, that many times as much; between sum and mean, the count of the key's axes
     */
    tg_node *k = NULL;
    const tg_op *op = s->mul;
    if (key->op == s->sum && n->op == s->sum)
        k = count_of(s, n->arg[0], now & ~had);
    else if (key->op == s->sum)
        k = count_of(s, n->arg[0], had), op = s->div;
    else
        k = count_of(s, n->arg[0], now);
    return k ? tg_simp_make(s, op, made, k) : NULL;
}

static tg_node *by_equation(tg_simp *s, tg_node *n) {
    for (int i = 0; i < TG_FACTS; i++) {
        const tg_fact *f = usable(s, i, TG_FACT_EQUAL);
        if (!f) continue;
        bool whole = n == f->key || n == f->raw;
        if (!whole && !tells_reduction(s, f, n)) continue;
        tg_node *made = whole ? shaped(s, f->to, &n->type, true) : from_reduction(s, f, n);
        if (!made) return NULL;
        s->used |= bit(i);
        return made;
    }
    return n;
}

/* ---- symmetry ---- */

enum { FACTORS = 24, DEEP = 10 };

/* A matrix, or its transpose, or a vector. */
typedef struct factor {
    tg_node *node;
    bool primed;
} factor;

typedef struct chain {
    int n;
    factor f[FACTORS];
    bool full; /* there were more */
} chain;

/* Swaps the two axes of a matrix. */
static bool is_prime(const tg_node *n) {
    return n->type.rank == 2 && tg_node_is_prime(n);
}

static void add_factor(tg_simp *s, chain *c, tg_node *n, bool primed, int depth) {
    bool open = depth < DEEP && !tg_simp_is_kept(s, n);
    if (open && is_prime(n)) {
        add_factor(s, c, n->arg[0], !primed, depth + 1);
    } else if (open && (n->op == s->matvec || n->op == s->vecmat || n->op == s->vdot ||
                        (n->op == s->matmul && n->type.rank == 2))) {
        /* a vector on the left of a product is a row, which is primed, on the right a column */
        int first = primed && n->op != s->vdot;
        bool turned[2] = {primed, primed};
        if (n->op == s->vdot) turned[0] = true, turned[1] = false;
        if (n->op == s->vecmat && primed) turned[0] = true, turned[1] = false, first = 0;
        if (n->op == s->vecmat && !primed) turned[0] = false, turned[1] = true, first = 1;
        add_factor(s, c, n->arg[first], turned[first], depth + 1);
        add_factor(s, c, n->arg[1 - first], turned[1 - first], depth + 1);
    } else if (c->n == FACTORS) {
        c->full = true;
    } else {
        c->f[c->n++] = (factor){n, primed && n->type.rank == 2};
    }
}

/* Is b = sign * a'? */
static bool mirrors(tg_simp *s, tg_node *a, tg_node *b, double *sign, uint32_t *used, int depth);

static bool chains_mirror(tg_simp *s, tg_node *a, tg_node *b, double *sign, uint32_t *used,
                          int depth) {
    chain x = {0}, y = {0};
    add_factor(s, &x, a, false, 0);
    add_factor(s, &y, b, false, 0);
    if (x.full || y.full || x.n != y.n || x.n < 2) return false;
    for (int i = 0; i < x.n; i++) {
        factor f = x.f[i], g = y.f[x.n - 1 - i];
        if (f.node == g.node && f.primed != g.primed) continue;
        double one = 1;
        if (f.primed != g.primed || !mirrors(s, f.node, g.node, &one, used, depth + 1))
            return false;
        *sign *= one;
    }
    return true;
}

/* op(a1, a2) against op(b1, b2), element by element. */
static bool elements_mirror(tg_simp *s, tg_node *a, tg_node *b, double *sign, uint32_t *used,
                            int depth) {
    bool linear = a->op == s->add || a->op == s->sub;
    double total = 1, first = 0;
    for (int i = 0; i < a->n; i++) {
        double one = 1;
        tg_node *x = a->arg[i], *y = b->arg[i];
        if (x->type.rank == 0 && x == y && !linear) continue;
        if (x->type.rank != a->type.rank || y->type.rank != a->type.rank ||
            !tg_shape_equal(x->type.rank, x->type.dim, a->type.rank, a->type.dim) ||
            !mirrors(s, x, y, &one, used, depth + 1))
            return false;
        if (linear && first != 0 && one != first) return false;
        if (one < 0 && !linear && a->op != s->mul && a->op != s->div && a->op != s->neg)
            return false;
        first = one;
        total *= one;
    }
    *sign *= linear ? first : total;
    return true;
}

static bool mirrors(tg_simp *s, tg_node *a, tg_node *b, double *sign, uint32_t *used, int depth) {
    if (depth > DEEP || a->type.rank != 2 || b->type.rank != 2) return false;
    if ((is_prime(a) && a->arg[0] == b) || (is_prime(b) && b->arg[0] == a)) return true;
    for (int i = 0; a == b && i < TG_FACTS; i++) {
        const tg_fact *f = usable(s, i, TG_FACT_MIRROR);
        if (!f || (a != f->key && a != f->raw)) continue;
        *sign *= f->sign;
        *used |= bit(i);
        return true;
    }
    if (is_prime(a) && is_prime(b)) return mirrors(s, a->arg[0], b->arg[0], sign, used, depth + 1);
    if (a->op != b->op || a->n != b->n || tg_simp_is_kept(s, a) || tg_simp_is_kept(s, b))
        return false;
    if (a->op == s->matmul) return chains_mirror(s, a, b, sign, used, depth);
    if (a->op == s->eye) return a == b && a->type.dim[0] == a->type.dim[1];
    if (tg_node_is(a, "outer")) return a->arg[0] == b->arg[1] && a->arg[1] == b->arg[0];
    if (tg_node_is(a, "diag")) return a == b;
    if (tg_node_is(a, "inv") || tg_node_is(a, "pinv") || tg_node_is(a, "expm")) {
        double one = 1;
        if (a->at != b->at || !mirrors(s, a->arg[0], b->arg[0], &one, used, depth + 1))
            return false;
        if (one < 0 && tg_node_is(a, "expm")) return false;
        *sign *= one;
        return true;
    }
    return a->op->class == TG_CLASS_ELEMENTWISE && a->n > 0 &&
           elements_mirror(s, a, b, sign, used, depth);
}

/* x' @ K @ x is 0, where K' = -K. */
static bool is_null_form(tg_simp *s, tg_node *n, uint32_t *used) {
    if (n->op != s->vdot) return false;
    for (int k = 0; k < 2; k++) {
        tg_node *x = n->arg[k], *y = n->arg[1 - k];
        if (y->op != s->matvec && y->op != s->vecmat) continue;
        int matrix = y->op == s->matvec ? 0 : 1;
        double sign = 1;
        if (y->arg[1 - matrix] == x && mirrors(s, y->arg[matrix], y->arg[matrix], &sign, used, 0) &&
            sign < 0)
            return true;
    }
    return false;
}

static tg_node *by_symmetry(tg_simp *s, tg_node *n) {
    uint32_t used = 0;
    double sign = 1;
    tg_node *made = n;
    for (int i = 0; i < TG_FACTS; i++) {
        const tg_fact *f = usable(s, i, TG_FACT_MIRROR);
        if (!f || n != f->to) continue;
        made = f->key, sign = f->sign, used = bit(i);
    }
    if (!used && is_prime(n) && mirrors(s, n->arg[0], n->arg[0], &sign, &used, 0))
        made = n->arg[0];
    else if (!used && n->op == s->vecmat && n->arg[1]->type.rank == 2 &&
             mirrors(s, n->arg[1], n->arg[1], &sign, &used, 0) && used)
        made = tg_simp_make(s, s->matvec, n->arg[1], n->arg[0]);
    else if (!used && tg_node_is(n, "trace") && n->type.rank == 0 &&
             mirrors(s, n->arg[0], n->arg[0], &sign, &used, 0) && used && sign < 0)
        made = tg_node_number(s->rt, 0), sign = 1;
    else if (!used && is_null_form(s, n, &used) && used)
        made = tg_node_number(s->rt, 0), sign = 1;
    if (made == n) return n;
    s->used |= used;
    return made && sign < 0 ? tg_simp_make(s, s->neg, made, NULL) : made;
}

tg_node *tg_simp_symmetric(tg_simp *s, tg_node *n) {
    uint32_t used = 0;
    double sign = 1;
    if (!tg_assume_usable(s->rt) || !is_prime(n) || tg_simp_is_kept(s, n)) return n;
    if (!mirrors(s, n->arg[0], n->arg[0], &sign, &used, 0) || !used) return n;
    s->used |= used;
    tg_simp_note(s, TG_LAW_ASSUMED);
    return sign < 0 ? tg_simp_make(s, s->neg, n->arg[0], NULL) : n->arg[0];
}

/* ---- orthogonality ---- */

static factor factor_of(tg_node *n) {
    bool primed = is_prime(n);
    return (factor){primed ? n->arg[0] : n, primed};
}

static bool same_factor(tg_simp *s, factor a, factor b, uint32_t *used) {
    double sign = 1;
    uint32_t more = 0;
    if (a.node != b.node) return false;
    if (a.primed == b.primed) return true;
    if (!mirrors(s, a.node, a.node, &sign, &more, 0) || sign < 0) return false;
    *used |= more;
    return true;
}

static bool is_square(const tg_node *n) {
    return n->type.rank == 2 && n->type.dim[0] == n->type.dim[1];
}

/* Is a @ b the identity? */
static bool is_unit_pair(tg_simp *s, factor a, factor b, uint32_t *used) {
    for (int i = 0; i < TG_FACTS; i++) {
        const tg_fact *f = usable(s, i, TG_FACT_ORTHOGONAL);
        if (!f || f->left->type.rank != 2) continue;
        factor l = factor_of(f->left), r = factor_of(f->right);
        uint32_t more = bit(i);
        if ((same_factor(s, a, l, &more) && same_factor(s, b, r, &more)) ||
            (is_square(f->left) && same_factor(s, a, r, &more) && same_factor(s, b, l, &more))) {
            *used |= more;
            return true;
        }
    }
    return false;
}

static tg_node *node_of(tg_simp *s, factor f) {
    return f.primed ? tg_node_call1(s->rt, "transpose", f.node) : f.node;
}

/* a @ b. */
static tg_node *multiplied(tg_simp *s, tg_node *a, tg_node *b) {
    const tg_op *op = a->type.rank == 2 ? (b->type.rank == 2 ? s->matmul : s->matvec)
                                        : (b->type.rank == 2 ? s->vecmat : s->vdot);
    return tg_simp_make(s, op, a, b);
}

/* From the side where a vector stands, so that no product of matrices is made that was not there.
 */
static tg_node *rebuilt(tg_simp *s, const chain *c) {
    bool from_left = c->f[0].node->type.rank == 1 || c->f[c->n - 1].node->type.rank == 2;
    tg_node *made = node_of(s, c->f[from_left ? 0 : c->n - 1]);
    for (int i = 1; made && i < c->n; i++) {
        tg_node *next = node_of(s, c->f[from_left ? i : c->n - 1 - i]);
        made = !next ? NULL : from_left ? multiplied(s, made, next) : multiplied(s, next, made);
    }
    return made;
}

static void strike(chain *c, int at, int n) {
    c->n -= n;
    memmove(c->f + at, c->f + at + n, (size_t)(c->n - at) * sizeof *c->f);
}

static bool is_matrix_product(const tg_simp *s, const tg_node *n) {
    return n->op == s->matvec || n->op == s->vecmat || n->op == s->vdot ||
           (n->op == s->matmul && n->type.rank == 2);
}

/* Strikes out Q' @ Q in a chain of products. */
static tg_node *without_units(tg_simp *s, tg_node *n) {
    chain c = {0};
    uint32_t used = 0;
    add_factor(s, &c, n, false, 0);
    if (c.full) return n;
    for (int i = 0; i + 1 < c.n;) {
        if (!is_unit_pair(s, c.f[i], c.f[i + 1], &used)) {
            i++;
            continue;
        }
        strike(&c, i, 2);
        if (i > 0) i--;
    }
    if (!used) return n;
    s->used |= used;
    if (c.n > 0) return rebuilt(s, &c);
    return tg_rule_build(
        s->rt, "eye(n)", 1,
        &(tg_rule_name){.name = "n", .kind = TG_P_SIZE, .n = 1, .sizes = 1, .v = {n->type.dim[0]}});
}

/* Q @ x without the Q, for the length of all of it or, of a matrix, of its columns; x itself where
 * there is no such Q. */
static tg_node *without_turn(tg_simp *s, tg_node *x, bool columns, uint32_t *used) {
    chain c = {0};
    bool struck = false;
    if (!is_matrix_product(s, x) || x->type.rank == 0) return x;
    add_factor(s, &c, x, false, 0);
    if (c.full) return x;
    for (bool more = true; more && c.n > 1;) {
        factor l = c.f[0], r = c.f[c.n - 1];
        l.primed = !l.primed, r.primed = !r.primed;
        more = false;
        if (l.node->type.rank == 2 && is_unit_pair(s, l, c.f[0], used))
            strike(&c, 0, 1), more = true;
        else if (!columns && r.node->type.rank == 2 && is_unit_pair(s, c.f[c.n - 1], r, used))
            strike(&c, c.n - 1, 1), more = true;
        struck = struck || more;
    }
    return struck ? rebuilt(s, &c) : x;
}

/* norm(Q @ x) and sum((Q @ x)^2). */
static tg_node *by_length(tg_simp *s, tg_node *n) {
    if (n->n != 1 || (n->op != s->norm && n->op != s->sum)) return n;
    tg_node *x = n->arg[0];
    bool squares = n->op == s->sum && x->op == s->pow && tg_simp_is_uniform(s, x->arg[1], 2);
    if (n->op == s->sum && !squares) return n;
    if (squares) x = x->arg[0];
    int64_t axes = n->at->v[0];
    bool all = axes == (INT64_C(1) << x->type.rank) - 1;
    if (!all && !(x->type.rank == 2 && axes == 1)) return n;
    uint32_t used = 0;
    tg_node *made = without_turn(s, x, !all, &used);
    if (!made || made == x) return made ? n : NULL;
    s->used |= used;
    tg_rule_name names[] = {
        {.name = "x", .node = made},
        {.name = "axis",
         .kind = TG_P_AXES,
         .n = 1,
         .v = {all ? (INT64_C(1) << made->type.rank) - 1 : axes}},
        {.name = "to", .kind = TG_P_SHAPE, .n = n->type.rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[2].v, n->type.dim, (size_t)n->type.rank * sizeof *n->type.dim);
    made = tg_rule_build(s->rt, squares ? "sum(x^2, axis=axis)" : "norm(x, axis=axis)", 2, names);
    return made ? shaped(s, made, &n->type, false) : NULL;
}

/* inv(Q) = Q', det(Q)^2 = 1, abs(det(Q)) = 1. */
static tg_node *by_inverse(tg_simp *s, tg_node *n) {
    bool inverse = tg_node_is(n, "inv"), magnitude = tg_node_is(n, "abs");
    bool square = n->op == s->pow && tg_simp_is_uniform(s, n->arg[1], 2);
    if (!inverse && !magnitude && !square) return n;
    tg_node *q = n->arg[0];
    if (!inverse && (!tg_node_is(q, "det") || q->type.rank > 0)) return n;
    if (!inverse) q = q->arg[0];
    if (!is_square(q)) return n;
    factor f = factor_of(q), g = {f.node, !f.primed};
    uint32_t used = 0;
    if (!is_unit_pair(s, f, g, &used)) return n;
    s->used |= used;
    return inverse ? node_of(s, g) : tg_node_number(s->rt, 1);
}

static tg_node *by_orthogonality(tg_simp *s, tg_node *n) {
    bool any = false;
    for (int i = 0; i < TG_FACTS; i++) any = any || usable(s, i, TG_FACT_ORTHOGONAL);
    if (!any) return n;
    if (is_matrix_product(s, n)) return without_units(s, n);
    tg_node *made = by_length(s, n);
    return made == n ? by_inverse(s, n) : made;
}

/* ---- all ---- */

tg_node *tg_simp_assumed(tg_simp *s, tg_node *n) {
    if (!tg_assume_usable(s->rt) || tg_simp_is_kept(s, n)) return n;
    tg_node *made = by_equation(s, n);
    if (!made) return NULL;
    if (made == n && n->n > 0) made = by_symmetry(s, n);
    if (made == n && n->n > 0) made = by_orthogonality(s, n);
    if (!made) return NULL;
    if (made == n) return n;
    if (!tg_simp_fits(&made->type, &n->type)) return n;
    tg_simp_note(s, TG_LAW_ASSUMED);
    return made;
}
