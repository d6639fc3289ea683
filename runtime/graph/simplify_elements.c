/* The derivative by the elements of a short vector. The sweep gives a sum of vectors, each zero but
 * for one place: 2 * place(x[0] - 1, 2, 0) + 20 * place(x[1] + 2, 2, 1). A textbook lists the
 * elements, [2 * (x[0] - 1), 20 * (x[1] + 2)], and so does a result here, where every place is
 * named, or nearly; and a short matrix, such as the second derivatives of the same, by its rows.
 *
 * A formula is listed when each of its elements is a formula of numbers: numbers in their places,
 * one-hot vectors, diagonals, what is stacked of these, and their sums and products. */
#include "runtime/graph/simplifier.h"

enum { LONGEST = 6, MOST = LONGEST * LONGEST, MOST_VISITS = 256, NEST = 24 };

/* The elements of a number, vector or matrix, row by row; NULL: 0. */
typedef struct grid {
    int rank, rows, columns; /* of a vector one row */
    tg_node *at[MOST];
} grid;

typedef struct lister {
    tg_simp *s;
    const tg_node *root;
    int visits;
    bool placed; /* something stands in a place of its own */
} lister;

static bool list(lister *e, tg_node *n, int nest, grid *out, bool *fits);

/* ---- sums and products ---- */

static int along(int size, int i) {
    return size == 1 ? 0 : i;
}

/* Element (i, k) of a larger grid that g is stretched to. */
static tg_node *stretched(const grid *g, int i, int k) {
    return g->at[along(g->rows, i) * g->columns + along(g->columns, k)];
}

/* a op b of two elements. *fits: it is a number. */
static bool combine(lister *e, const tg_op *op, tg_node *a, tg_node *b, tg_node **out, bool *fits) {
    const tg_simp *s = e->s;
    bool sum = op == s->add || op == s->sub;
    *out = NULL;
    if (op == s->div && !b) return !(*fits = false);
    if (!a && !b) return true;
    if (sum && !a)
        *out = op == s->sub ? tg_simp_make(e->s, s->neg, b, NULL) : b;
    else if (sum && !b)
        *out = a;
    else if (a && b)
        *out = tg_simp_make(e->s, op, a, b);
    else
        return true; /* 0 * x */
    return *out != NULL;
}

static bool list_binary(lister *e, tg_node *n, int nest, grid *out, bool *fits) {
    grid a, b;
    if (!list(e, n->arg[0], nest, &a, fits) || !*fits) return !*fits;
    if (!list(e, n->arg[1], nest, &b, fits) || !*fits) return !*fits;
    for (int i = 0; i < out->rows && *fits; i++)
        for (int k = 0; k < out->columns && *fits; k++)
            if (!combine(e, n->op, stretched(&a, i, k), stretched(&b, i, k),
                         &out->at[i * out->columns + k], fits))
                return false;
    return true;
}

static bool list_minus(lister *e, tg_node *n, int nest, grid *out, bool *fits) {
    grid a;
    if (!list(e, n->arg[0], nest, &a, fits) || !*fits) return !*fits;
    for (int i = 0; i < out->rows * out->columns; i++) {
        out->at[i] = a.at[i] ? tg_simp_make(e->s, e->s->neg, a.at[i], NULL) : NULL;
        if (a.at[i] && !out->at[i]) return false;
    }
    return true;
}

static bool list_outer(lister *e, tg_node *n, int nest, grid *out, bool *fits) {
    grid a, b;
    if (!list(e, n->arg[0], nest, &a, fits) || !*fits) return !*fits;
    if (!list(e, n->arg[1], nest, &b, fits) || !*fits) return !*fits;
    for (int i = 0; i < out->rows; i++)
        for (int k = 0; k < out->columns; k++)
            if (!combine(e, e->s->mul, a.at[i], b.at[k], &out->at[i * out->columns + k], fits))
                return false;
    return true;
}

/* ---- places ---- */

static bool list_stack(lister *e, tg_node *n, int nest, grid *out, bool *fits) {
    bool down = n->at->v[0] == 0; /* along the rows of the result, of a matrix */
    for (int i = 0; i < n->n; i++) {
        grid one;
        if (!list(e, n->arg[i], nest, &one, fits) || !*fits) return !*fits;
        for (int k = 0; k < one.rows * one.columns; k++)
            out->at[out->rank == 1 ? i
                    : down         ? i * out->columns + k
                                   : k * out->columns + i] = one.at[k];
    }
    e->placed = true;
    return true;
}

/* The shape of a grid for t. False: too large, or not known. */
static bool shape_of(const tg_type *t, grid *out) {
    *out = (grid){.rank = t->rank, .rows = 1, .columns = 1};
    if (t->rank > 2) return false;
    for (int i = 0; i < t->rank; i++)
        if (!tg_size_known(t->dim[i]) || t->dim[i] < 1 || t->dim[i] > LONGEST) return false;
    if (t->rank > 0) out->columns = (int)t->dim[t->rank - 1];
    if (t->rank > 1) out->rows = (int)t->dim[0];
    return true;
}

/* place(x, shape, index, axis) */
static bool list_place(lister *e, tg_node *n, int nest, grid *out, bool *fits) {
    tg_attrs at;
    const tg_op *place = n->op->spell ? n->op->spell(e->s->rt, n->at, &at) : NULL;
    if (!(*fits = place && place == tg_op_find("place"))) return true;
    int count, index = tg_op_values(place, &at, 2, &count);
    int64_t axes = at.v[tg_op_values(place, &at, 3, NULL)];
    grid one;
    if (!list(e, n->arg[0], nest, &one, fits) || !*fits) return !*fits;
    for (int i = 0; i < count; i++) *fits = *fits && tg_size_known(at.v[index + i]);
    if (!*fits) return true;
    int i = (int)at.v[index], k = count > 1 ? (int)at.v[index + 1] : 0;
    if (out->rank == 1 || count == 2)
        out->at[out->rank == 1 ? i : i * out->columns + k] = one.at[0];
    else
        for (k = 0; k < one.columns; k++)
            out->at[axes == 2 ? k * out->columns + i : i * out->columns + k] = one.at[k];
    e->placed = true;
    return true;
}

static bool list_onehot(lister *e, const tg_node *n, grid *out, bool *fits) {
    *fits = n->type.rank == 1 && tg_node_is_number(n->arg[0]);
    if (!*fits) return true;
    double i = n->arg[0]->leaf.number;
    if (!(*fits = i >= 0 && i < out->columns)) return true;
    e->placed = true;
    return (out->at[(int)i] = tg_node_number(e->s->rt, 1)) != NULL;
}

/* eye(n), or the diagonal matrix of a. */
static bool list_diagonal(lister *e, const grid *a, grid *out) {
    for (int i = 0; i < out->rows && i < out->columns; i++) {
        tg_node *x = a ? a->at[i] : tg_node_number(e->s->rt, 1);
        if (!a && !x) return false;
        out->at[i * out->columns + i] = x;
    }
    return true;
}

/* ---- all ---- */

static bool is_reshape(const tg_node *n) {
    return tg_node_is(n, "reshape") || tg_node_is(n, "squeeze") || tg_node_is(n, "unsqueeze");
}

static bool list_moved(lister *e, tg_node *n, int nest, grid *out, bool *fits) {
    grid a;
    if (!list(e, n->arg[0], nest, &a, fits) || !*fits) return !*fits;
    if (tg_node_is(n, "diag")) {
        *fits = n->type.rank == 2;
        return list_diagonal(e, &a, out);
    }
    for (int i = 0; i < out->rows; i++)
        for (int k = 0; k < out->columns; k++) {
            int to = i * out->columns + k;
            out->at[to] =
                n->op == e->s->transpose && n->type.rank == 2 ? a.at[k * a.columns + i] : a.at[to];
        }
    return true;
}

static bool list(lister *e, tg_node *n, int nest, grid *out, bool *fits) {
    tg_simp *s = e->s;
    *fits = shape_of(&n->type, out) && ++e->visits <= MOST_VISITS && nest > 0;
    if (!*fits) return true;
    if (n->type.rank == 0) {
        out->at[0] = tg_simp_is_uniform(s, n, 0) ? NULL : n;
        return true;
    }
    if (tg_simp_is_kept(s, n) || (n->label && n != e->root)) return !(*fits = false);
    tg_node *scalar = tg_simp_scalar_of(s, n);
    if (scalar) {
        bool zero = tg_simp_is_uniform(s, scalar, 0);
        for (int i = 0; !zero && i < out->rows * out->columns; i++) out->at[i] = scalar;
        return true;
    }
    nest--;
    if (n->op == s->neg) return list_minus(e, n, nest, out, fits);
    if (n->op == s->add || n->op == s->sub || n->op == s->mul || n->op == s->div)
        return list_binary(e, n, nest, out, fits);
    if (n->op == s->eye) return list_diagonal(e, NULL, out);
    if (tg_node_is(n, "stack")) return list_stack(e, n, nest, out, fits);
    if (tg_node_is(n, "onehot")) return list_onehot(e, n, out, fits);
    if (tg_node_is(n, "outer")) return list_outer(e, n, nest, out, fits);
    if (tg_node_is(n, "unslice")) return list_place(e, n, nest, out, fits);
    if (tg_node_is(n, "diag") || n->op == s->transpose || is_reshape(n))
        return list_moved(e, n, nest, out, fits);
    return !(*fits = false);
}

/* Are nearly all rows, or nearly all columns, named? Else a few numbers stand between zeros. */
static bool is_named(const grid *g) {
    bool row[LONGEST] = {0}, column[LONGEST] = {0};
    int rows = 0, columns = 0, all = 0;
    for (int i = 0; i < g->rows; i++)
        for (int k = 0; k < g->columns; k++)
            if (g->at[i * g->columns + k]) row[i] = column[k] = true, all++;
    for (int i = 0; i < LONGEST; i++) rows += row[i], columns += column[i];
    return all >= 2 && ((g->rank == 2 && rows >= g->rows - 1) || columns >= g->columns - 1);
}

/* The constant that the numbers are; NULL without an error: not all are numbers. */
static tg_node *constant(tg_simp *s, int rank, int rows, int columns, tg_node *const *at) {
    int64_t dim[2] = {rank == 2 ? rows : columns, columns};
    for (int i = 0; i < rows * columns; i++)
        if (!tg_node_is_number(at[i])) return NULL;
    tg_tensor *t = tg_tensor_new(&s->rt->c, s->rt->precision, rank, dim);
    if (!t) return NULL;
    for (int i = 0; i < rows * columns; i++) tg_view_set(&t->v, i, at[i]->leaf.number);
    tg_node *made = tg_node_const(s->rt, t, NULL);
    tg_tensor_drop(t);
    return made;
}

static tg_node *stack(tg_simp *s, int n, tg_node *const *at) {
    return tg_node_make(s->rt, tg_op_find("stack"), n, at, &(tg_attrs){.n = 1});
}

static tg_node *write_all(tg_simp *s, grid *g) {
    tg_node *row[LONGEST] = {NULL}, *made;
    bool had = s->rt->c.diag.kind != TG_ERR_NONE;
    for (int i = 0; i < g->rows * g->columns; i++) {
        tg_node **x = &g->at[i];
        *x = *x ? tg_simp_again(s, *x) : tg_node_number(s->rt, 0);
        if (*x) *x = tg_simp_spell(s, *x);
        if (!*x) return NULL;
    }
    made = constant(s, g->rank, g->rows, g->columns, g->at);
    if (made || (!had && s->rt->c.diag.kind != TG_ERR_NONE)) return made;
    for (int i = 0; i < g->rows; i++) {
        tg_node **at = g->at + i * g->columns;
        row[i] = g->rank == 2 ? constant(s, 1, 1, g->columns, at) : NULL;
        if (!row[i] && !had && s->rt->c.diag.kind != TG_ERR_NONE) return NULL;
        if (!row[i] && !(row[i] = stack(s, g->columns, at))) return NULL;
    }
    return g->rank == 1 ? row[0] : stack(s, g->rows, row);
}

tg_node *tg_simp_elements(tg_simp *s, tg_node *n) {
    lister e = {.s = s, .root = n};
    grid all;
    bool fits;
    if (n->type.rank == 0 || n->type.rank > 2 || n->n == 0) return n;
    if (n->type.rank == 1 && (n->type.dim[0] < 2 || tg_node_is(n, "stack"))) return n;
    if (!list(&e, n, NEST, &all, &fits)) return NULL;
    if (!fits || !e.placed || !is_named(&all)) return n;
    tg_node *made = write_all(s, &all);
    double old = made ? tg_simp_cost(s, n) : -1, new = made ? tg_simp_cost(s, made) : -1;
    if (old < 0 || new < 0) return NULL;
    return new <= old &&tg_simp_fits(&made->type, &n->type) ? made : n;
}
