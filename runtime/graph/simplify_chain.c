/* Chains of matrix products: A @ (B @ C)' @ x is the list A, C', B', x. The list is the same
 * however the product is bracketed and wherever its transposes stand, so like terms are found by
 * it, and sums of chains that begin or end alike are one chain: A @ x + x @ A is (A + A') @ x.
 *
 * A vector at the end is a column; x @ A counts as A' @ x, and is written as it was. Only matrices
 * and vectors are taken apart, not stacks of them. */
#include "runtime/graph/simplify_sum.h"

/* A search for transposes goes down a formula as a tree. Where parts are shared, as in a net with
 * shortcuts, that has more nodes with each layer: MOST_TURNED of them are met, which is more than
 * a formula has that a person would write down. */
enum { LINKS = 24, NEST = 16, MOST_TURNED = 300 };

typedef struct tg_link {
    tg_node *node;
    bool prime;
} tg_link;

typedef struct chain {
    tg_link link[LINKS];
    int n;
    bool column; /* the last link is a vector */
    bool full;   /* there were more links than fit */
} chain;

/* ---- taking apart ---- */

static bool is_prime(const tg_simp *s, const tg_node *n) {
    return n->type.rank == 2 && tg_node_is_prime(n) && !tg_simp_is_closed(s, n);
}

static bool is_product(const tg_simp *s, const tg_node *n) {
    if (n->op != s->matmul && n->op != s->matvec && n->op != s->vecmat) return false;
    return n->arg[0]->type.rank <= 2 && n->arg[1]->type.rank <= 2 && n->type.rank <= 2;
}

bool tg_chain_is(const tg_simp *s, const tg_node *n) {
    while (is_prime(s, n)) n = n->arg[0];
    return is_product(s, n);
}

static void add_link(chain *c, tg_node *n, bool prime) {
    if (c->n == LINKS)
        c->full = true;
    else
        c->link[c->n++] = (tg_link){n, prime};
}

/* Adds n, or n', to the list. A vector is added as a column: it comes last. */
static void take_apart(tg_simp *s, chain *c, tg_node *n, bool prime, int nest) {
    bool open = nest > 0 && !tg_simp_is_closed(s, n) && !c->full && tg_simp_step(s, 1);
    if (open && is_prime(s, n)) {
        take_apart(s, c, n->arg[0], !prime, nest - 1);
    } else if (open && is_product(s, n)) {
        /* x @ A is A' @ x; (A @ B)' is B' @ A' */
        bool turn = n->op == s->vecmat || (n->op == s->matmul && prime);
        bool flip = n->op == s->vecmat || (n->op == s->matmul && prime);
        take_apart(s, c, n->arg[turn], flip, nest - 1);
        take_apart(s, c, n->arg[!turn], n->op == s->matmul && prime, nest - 1);
    } else {
        add_link(c, n, prime && n->type.rank == 2);
        if (n->type.rank == 1) c->column = true;
    }
}

/* ---- building ---- */

/* n' where n has no transpose to give up. */
static tg_node *primed(tg_simp *s, tg_node *n) {
    if (is_prime(s, n)) return n->arg[0];
    return n->type.rank < 2 ? n : tg_node_call1(s->rt, "transpose", n);
}

static tg_node *link_node(tg_simp *s, tg_link l) {
    return l.prime ? primed(s, l.node) : l.node;
}

/* The links from..to - 1 as a formula: matrices from the left, before a vector from the right. */
static tg_node *build(tg_simp *s, const chain *c, int from, int to) {
    bool column = c->column && to == c->n;
    tg_node *made = link_node(s, c->link[column ? to - 1 : from]);
    if (column) {
        for (int i = to - 2; made && i >= from; i--)
            made = tg_simp_make(s, s->matvec, link_node(s, c->link[i]), made);
    } else {
        for (int i = from + 1; made && i < to; i++)
            made = tg_simp_make(s, s->matmul, made, link_node(s, c->link[i]));
    }
    return made;
}

tg_node *tg_chain_key(tg_simp *s, tg_node *n) {
    chain c = {0};
    take_apart(s, &c, n, false, NEST);
    return c.full || c.n < 2 ? n : build(s, &c, 0, c.n);
}

tg_node *tg_term_key(tg_simp *s, tg_product *p, tg_node *core) {
    if (p->n < 2) return core;
    for (size_t i = 0; i < p->n; i++) {
        tg_node *n = p->f[i].base;
        if (p->f[i].power == 1 && !tg_simp_is_closed(s, n) && tg_chain_is(s, n) &&
            !(p->f[i].base = tg_chain_key(s, n)))
            return NULL;
    }
    return tg_product_key(s, p, &core->type);
}

/* ---- transposes ---- */

static tg_node *push(tg_simp *s, tg_node *n, bool prime, int nest);

/* May the search meet one more node? */
static bool turn(tg_simp *s) {
    return ++s->turned <= MOST_TURNED && tg_simp_step(s, 1);
}

/* The cheaper of two; NULL: an error. */
static tg_node *cheaper(tg_simp *s, tg_node *a, tg_node *b) {
    if (!a || !b) return NULL;
    double x = tg_simp_part_cost(s, a), y = tg_simp_part_cost(s, b);
    return x < 0 || y < 0 ? NULL : y < x ? b : a;
}

/* Is n, a matrix, its own transpose by the way it is made? */
static bool is_symmetric(tg_simp *s, const tg_node *n, int nest) {
    static const char *const of_one[] = {"inv", "pinv", "expm"};
    if (nest == 0 || n->type.rank != 2 || tg_simp_is_kept(s, n) || !turn(s)) return false;
    if (n->op == s->eye) return n->type.dim[0] == n->type.dim[1];
    if (tg_node_is(n, "diag")) return true;
    if (tg_node_is(n, "outer")) return n->arg[0] == n->arg[1];
    if (is_prime(s, n)) return is_symmetric(s, n->arg[0], nest - 1);
    for (size_t i = 0; i < sizeof of_one / sizeof *of_one; i++)
        if (tg_node_is(n, of_one[i])) return is_symmetric(s, n->arg[0], nest - 1);
    if (is_product(s, n)) {
        chain a = {0};
        take_apart(s, &a, n->arg[0], false, NEST);
        take_apart(s, &a, n->arg[1], false, NEST);
        bool same = !a.full;
        for (int i = 0; same && i < a.n; i++) {
            tg_link l = a.link[i], r = a.link[a.n - 1 - i];
            same = l.node == r.node && (l.prime != r.prime || is_symmetric(s, l.node, nest - 1));
        }
        return same;
    }
    if (n->op->class != TG_CLASS_ELEMENTWISE || n->n == 0) return false;
    if (n->op == s->add)
        for (int i = 0; i < 2; i++)
            if (is_prime(s, n->arg[i]) && n->arg[i]->arg[0] == n->arg[!i]) return true;
    bool all = true;
    for (int i = 0; i < n->n && all; i++)
        all = n->arg[i]->type.rank == 0 || is_symmetric(s, n->arg[i], nest - 1);
    return all;
}

/* (a + b)' as a' + b', and so for all that works element by element on matrices and scalars. */
static tg_node *push_elements(tg_simp *s, tg_node *n, int nest) {
    tg_node *in[TG_MAX_TENSORS];
    if (n->n == 0 || n->n > TG_MAX_TENSORS) return primed(s, n);
    for (int i = 0; i < n->n; i++) {
        in[i] = n->arg[i];
        if (in[i]->type.rank == 0) continue;
        if (!tg_shape_equal(in[i]->type.rank, in[i]->type.dim, n->type.rank, n->type.dim))
            return primed(s, n);
        if (!(in[i] = push(s, in[i], true, nest - 1))) return NULL;
    }
    return cheaper(s, primed(s, n), tg_node_make(s->rt, n->op, n->n, in, n->at));
}

/* n, or n', with its transposes where there are fewest. */
static tg_node *push(tg_simp *s, tg_node *n, bool prime, int nest) {
    if (n->type.rank != 2 || nest == 0 || !turn(s)) return prime ? primed(s, n) : n;
    if (tg_simp_is_closed(s, n)) return prime && !is_symmetric(s, n, NEST) ? primed(s, n) : n;
    if (is_prime(s, n)) return push(s, n->arg[0], !prime, nest - 1);
    if (prime && is_symmetric(s, n, NEST)) prime = false;
    if (n->op == s->matmul && is_product(s, n)) {
        tg_node *a = push(s, n->arg[prime], prime, nest - 1),
                *b = a ? push(s, n->arg[!prime], prime, nest - 1) : NULL,
                *made = b ? tg_simp_make(s, s->matmul, a, b) : NULL;
        return prime ? cheaper(s, primed(s, n), made) : made;
    }
    if (!prime) return n;
    return n->op->class == TG_CLASS_ELEMENTWISE ? push_elements(s, n, nest) : primed(s, n);
}

/* A search of its own. */
static tg_node *search(tg_simp *s, tg_node *n, bool prime) {
    const int outer = s->turned;
    s->turned = 0;
    tg_node *made = push(s, n, prime, NEST);
    s->turned = outer;
    return made;
}

tg_node *tg_chain_prime(tg_simp *s, tg_node *n) {
    return search(s, n, true);
}

tg_node *tg_chain_transposes(tg_simp *s, tg_node *n) {
    tg_node *made;
    if (n->type.rank == 2) {
        made = search(s, n, false);
    } else {
        tg_node *a = search(s, n->arg[0], false), *b = a ? search(s, n->arg[1], false) : NULL;
        made = b ? tg_simp_make(s, n->op, a, b) : NULL;
    }
    if (!made) return NULL;
    double old = tg_simp_part_cost(s, n), new = tg_simp_part_cost(s, made);
    if (old < 0 || new < 0) return NULL;
    if (new >= old) made = n;
    if (n->op == s->matmul && !(made = tg_chain_pull(s, made))) return NULL;
    if (made != n) tg_simp_note(s, TG_LAW_TRANSPOSE);
    return made;
}

tg_node *tg_chain_pull(tg_simp *s, tg_node *n) {
    if (n->type.rank != 2 || !tg_simp_step(s, 1)) return n;
    tg_node *t = tg_chain_prime(s, n);
    if (!t) return NULL;
    double old = tg_simp_part_cost(s, n), new = tg_simp_part_cost(s, t);
    if (old < 0 || new < 0) return NULL;
    bool begun = false; /* a part of it has been turned already */
    for (int i = 0; i < n->n; i++)
        begun = begun || (is_prime(s, n->arg[i]) && tg_chain_is(s, n->arg[i]));
    return new + 1 <= old - (begun ? 1 : 2) ? primed(s, t) : n;
}

/* ---- sums of chains ---- */

/* c * x + d * y, simplified. */
static tg_node *joined(tg_simp *s, tg_ratio d, tg_node *x, tg_node *y) {
    tg_terms a = {0};
    tg_node *made = NULL;
    bool expanding = s->expanding;
    s->expanding = true;
    if (tg_terms_add(s, &a, (tg_ratio){1, 1}, x, false) && tg_terms_add(s, &a, d, y, false))
        made = tg_terms_build(s, &a, &x->type);
    s->expanding = expanding;
    tg_terms_free(&a);
    return made ? tg_simp_expand(s, made->type.rank ? made : tg_simp_uniform(s, made, &x->type),
                                 &x->type)
                : NULL;
}

static bool same_link(tg_link a, tg_link b) {
    return a.node == b.node && a.prime == b.prime;
}

/* M @ v, or v @ M' when that is shorter or `row` asks for it. */
static tg_node *apply(tg_simp *s, tg_node *m, tg_node *v, bool row) {
    tg_node *t = m ? tg_chain_prime(s, m) : NULL;
    if (!t || !v) return NULL;
    double a = tg_simp_part_cost(s, m), b = tg_simp_part_cost(s, t);
    if (a < 0 || b < 0) return NULL;
    return b < a || (row && b == a) ? tg_simp_make(s, s->vecmat, v, t)
                                    : tg_simp_make(s, s->matvec, m, v);
}

/* ---- what a chain costs ---- */

/* a * b, where a failure is no error: sizes too large to tell. */
static tg_size times(tg_simp *s, tg_size a, tg_size b) {
    return a == TG_SIZE_FAIL || b == TG_SIZE_FAIL ? TG_SIZE_FAIL : tg_size_times(s->rt, a, b);
}

static tg_size plus(tg_simp *s, tg_size a, tg_size b) {
    return a == TG_SIZE_FAIL || b == TG_SIZE_FAIL ? TG_SIZE_FAIL : tg_size_add(s->rt, a, b);
}

/* The multiplications in n, down to the operands of its chain. */
static tg_size work(tg_simp *s, const tg_node *n, int nest) {
    tg_size sum = 0;
    if (n->type.rank > 2 || nest == 0 || tg_simp_is_closed(s, n)) return 0;
    bool linear = is_product(s, n) || n->op == s->transpose || n->op == s->add || n->op == s->sub ||
                  n->op == s->mul || n->op == s->neg;
    if (!linear) return 0;
    if (is_product(s, n)) {
        const tg_type *a = &n->arg[0]->type, *b = &n->arg[1]->type;
        sum = a->dim[a->rank - 1];
        if (a->rank == 2) sum = times(s, sum, a->dim[0]);
        if (b->rank == 2) sum = times(s, sum, b->dim[1]);
    }
    for (int i = 0; i < n->n; i++) sum = plus(s, sum, work(s, n->arg[i], nest - 1));
    return sum;
}

/* first links of x, then `mid`, then its last links. */
static tg_node *around(tg_simp *s, const chain *x, int first, tg_node *mid, int last, bool row) {
    if (x->column) {
        tg_node *v = last ? build(s, x, x->n - last, x->n) : mid;
        if (last) v = apply(s, mid, v, row);
        for (int i = first - 1; v && i >= 0; i--) v = apply(s, link_node(s, x->link[i]), v, row);
        return v;
    }
    tg_node *made = first ? build(s, x, 0, first) : mid;
    if (made && first) made = tg_simp_make(s, s->matmul, made, mid);
    for (int i = x->n - last; made && i < x->n; i++)
        made = tg_simp_make(s, s->matmul, made, link_node(s, x->link[i]));
    return made;
}

/* outer(a, b) + d * outer(a, c) */
static tg_node *join_outer(tg_simp *s, tg_node *x, tg_ratio d, tg_node *y) {
    for (int i = 0; i < 2; i++) {
        if (x->arg[i] != y->arg[i]) continue;
        tg_node *sum = joined(s, d, x->arg[!i], y->arg[!i]);
        if (!sum) return NULL;
        return i ? tg_simp_make(s, x->op, sum, x->arg[1]) : tg_simp_make(s, x->op, x->arg[0], sum);
    }
    return x;
}

/* x + d * y as one chain; x itself when they do not begin or end alike. NULL: an error. */
static tg_node *join_chains(tg_simp *s, tg_node *x, tg_ratio d, tg_node *y) {
    chain a = {0}, b = {0};
    int first = 0, last = 0;
    if (x->type.rank == 2 && tg_node_is(x, "outer") && y->op == x->op && !tg_simp_is_closed(s, x) &&
        !tg_simp_is_closed(s, y))
        return join_outer(s, x, d, y);
    if (!tg_chain_is(s, x) || !tg_chain_is(s, y) || tg_simp_is_closed(s, x) ||
        tg_simp_is_closed(s, y))
        return x;
    take_apart(s, &a, x, false, NEST);
    take_apart(s, &b, y, false, NEST);
    if (a.full || b.full || a.n < 2 || b.n < 2 || a.column != b.column) return x;
    int most = (a.n < b.n ? a.n : b.n) - 1;
    while (last < most && same_link(a.link[a.n - 1 - last], b.link[b.n - 1 - last])) last++;
    while (first < most - last && same_link(a.link[first], b.link[first])) first++;
    if (first + last == 0) return x;
    tg_node *u = build(s, &a, first, a.n - last), *v = u ? build(s, &b, first, b.n - last) : NULL;
    if (!v) return NULL;
    if (!tg_shape_equal(u->type.rank, u->type.dim, v->type.rank, v->type.dim)) return x;
    tg_node *mid = joined(s, d, u, v);
    bool row = x->op == s->vecmat && y->op == s->vecmat;
    tg_node *made = mid ? around(s, &a, first, mid, last, row) : NULL;
    if (!made) return NULL;
    tg_size before = plus(s, work(s, x, NEST), work(s, y, NEST)), after = work(s, made, NEST);
    bool worse =
        after == TG_SIZE_FAIL || before == TG_SIZE_FAIL || !tg_size_at_most(s->rt, after, before);
    if (s->rt->c.diag.kind == TG_ERR_MEMORY) return NULL;
    if (worse) tg_clear(&s->rt->c); /* sizes too large to tell are no error */
    return worse ? x : made;
}

/* The chain among the factors of a core, the others multiplied in *rest. NULL: none, or an error
 * (*rest is then NULL too and *ok false). */
static tg_node *chain_of(tg_simp *s, tg_node *core, tg_product *rest, bool *ok) {
    *rest = (tg_product){.c = {1, 1}};
    if (!core || tg_simp_is_closed(s, core)) return core;
    if (core->op != s->mul && core->op != s->div) return core;
    if (!(*ok = tg_product_add(s, rest, core, 1, false))) return NULL;
    for (size_t i = 0; i < rest->n; i++) {
        tg_factor *f = &rest->f[i];
        bool found = tg_chain_is(s, f->base) || tg_node_is(f->base, "outer");
        if (f->power != 1 || !found || tg_simp_is_closed(s, f->base) ||
            !tg_shape_equal(f->base->type.rank, f->base->type.dim, core->type.rank, core->type.dim))
            continue;
        f->power = 0;
        return f->base;
    }
    return NULL;
}

static bool same_rest(const tg_product *a, const tg_product *b) {
    size_t left = 0;
    for (size_t k = 0; k < b->n; k++) left += b->f[k].power != 0;
    for (size_t i = 0; i < a->n; i++) {
        if (a->f[i].power == 0) continue;
        bool found = false;
        for (size_t k = 0; k < b->n && !found; k++)
            found = b->f[k].base == a->f[i].base && b->f[k].power == a->f[i].power;
        if (!found) return false;
        left--;
    }
    return left == 0;
}

/* Joins terms i and j if they share an operand. */
static bool join(tg_simp *s, tg_terms *a, size_t i, size_t j, bool *changed) {
    tg_ratio d = tg_ratio_div(a->t[j].c, a->t[i].c);
    tg_node *x = a->t[i].core, *y = a->t[j].core, *made = NULL;
    tg_product more = {0}, other = {0};
    bool ok = true;
    if (!x || !y) return true;
    tg_node *u = chain_of(s, x, &more, &ok), *v = ok ? chain_of(s, y, &other, &ok) : NULL;
    if (u && v && same_rest(&more, &other)) {
        tg_ratio number = tg_ratio_div(other.c, more.c);
        made = join_chains(s, u, tg_ratio_mul(d, number), v);
        ok = made != NULL;
        if (made == u) made = NULL;
        if (made && u != x) {
            ok = tg_product_add(s, &more, made, 1, false);
            made = ok ? tg_product_build(s, &more, &x->type) : NULL;
            ok = made != NULL;
        }
    }
    tg_product_free(&more);
    tg_product_free(&other);
    if (!ok) return false;
    if (!made) return true;
    double before = tg_simp_part_cost(s, x), also = tg_simp_part_cost(s, y),
           after = tg_simp_part_cost(s, made);
    if (before < 0 || also < 0 || after < 0) return false;
    if (after > before + also + 1) return true;
    tg_ratio c = a->t[i].c;
    a->t[i].c = a->t[j].c = (tg_ratio){0, 1};
    *changed = true;
    tg_simp_note(s, TG_LAW_COMMON_OPERAND);
    /* the joined product takes the place of the first of the two */
    tg_node *again = tg_simp_again(s, made);
    if (!again) return false;
    size_t count = a->n;
    if (!tg_terms_add(s, a, c, again, false)) return false;
    if (a->n == count + 1 && !a->place) {
        tg_term t = a->t[count];
        a->t[count] = a->t[i];
        a->t[i] = t;
    }
    return true;
}

bool tg_terms_operands(tg_simp *s, tg_terms *a, bool *changed) {
    *changed = false;
    for (size_t i = 0; i < a->n && !*changed; i++)
        for (size_t j = i + 1; j < a->n && !*changed; j++)
            if (!join(s, a, i, j, changed)) return false;
    return true;
}
