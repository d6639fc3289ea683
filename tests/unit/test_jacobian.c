/* Tests of batches, generated from the registry. The Jacobian by one batched sweep is, row by row,
 * the gradient for each one-hot seed; that of a gradient is too, and is symmetric as a Hessian must
 * be; products with it are products with it; and the map of an operation over a batch, of some or
 * all of its arguments, is the operation on each. Sizes known and symbolic. */
#include "op_cases.h"

#include "runtime/graph/batch.h"
#include "runtime/graph/jacobian.h"

enum { MOST = 8192 };

static bool eval(world *w, tg_node *n, double *x, int64_t *count) {
    tg_tensor *t = NULL;
    if (!tg_plan_eval(&w->rt, 1, &n, &t)) return false;
    *count = tg_view_count(&t->v);
    for (int64_t k = 0; k < *count && k < MOST; k++) x[k] = tg_view_get(&t->v, k);
    tg_tensor_drop(t);
    return *count <= MOST;
}

static int broken(report *r, world *w, const char *what) {
    complain(r, w, what, w->rt.c.diag.msg);
    tg_clear(&w->rt.c);
    return 1;
}

static int wrong(report *r, const world *w, const char *what, const char *detail) {
    complain(r, w, what, detail);
    return 1;
}

/* An input of that type and, where sizes are known, those; values as drawn. */
static tg_node *drawn_input(world *w, const tg_type *like, const int64_t *dim) {
    tg_type type = *like;
    tg_tensor *t = tg_tensor_new(&w->rt.c, type.dtype, type.rank, dim);
    if (!t) return NULL;
    for (int64_t i = 0; i < tg_view_count(&t->v); i++) tg_view_set(&t->v, i, 2 * draw() - 1);
    tg_cell *c = tg_cell_new(&w->rt, TG_CELL_INPUT, tg_intern(&w->rt.c, "v", 1), &type, t);
    tg_tensor_drop(t);
    tg_node *n = c ? tg_node_cell(&w->rt, c) : NULL;
    tg_cell_drop(c);
    if (w->sizes) { /* the latest input tells the sizes: D3*D4 alone would not */
        tg_cell_drop(w->sizes);
        w->sizes = NULL;
        if (!make_sizes(w)) return NULL;
    }
    return n;
}

static bool shape_now(world *w, tg_node *n, int64_t *dim) {
    tg_tensor *t = NULL;
    if (!tg_plan_eval(&w->rt, 1, &n, &t)) return false;
    memcpy(dim, t->v.dim, sizeof t->v.dim);
    tg_tensor_drop(t);
    return true;
}

/* ---- Jacobians ---- */

static double jac[MOST], row[MOST];

/* Rows of the Jacobian of y by x[i], in `jac`, against gradients with one-hot seeds. */
static int compare_rows(report *r, world *w, tg_node *seed, tg_node *g, int64_t count) {
    const tg_view *v = &seed->leaf.cell->value->v;
    int64_t rows = tg_view_count(v), n = 0;
    for (int64_t b = 0; b < rows; b++) {
        for (int64_t k = 0; k < rows; k++) tg_view_set(v, k, k == b);
        if (!eval(w, g, row, &n)) return broken(r, w, "a gradient fails");
        if (n * rows != count) return broken(r, w, "the Jacobian has another size");
        for (int64_t k = 0; k < n; k++)
            if (!close_to(jac[b * n + k], row[k], 1e-9)) {
                char text[120];
                snprintf(text, sizeof text, "row %d, place %d: %.12g by the batch, %.12g by a seed",
                         (int)b, (int)k, jac[b * n + k], row[k]);
                return wrong(r, w, "the Jacobian is wrong", text);
            }
    }
    return 0;
}

/* A batch of a convolution's kernels becomes groups, whose number must be known: here sizes are
 * symbols. */
static bool wants_known_sizes(world *w) {
    if (!strstr(w->rt.c.diag.msg, "a batch of kernels")) return false;
    tg_clear(&w->rt.c);
    return true;
}

static int check_jacobian(report *r, world *w, tg_node *y) {
    int64_t dim[TG_MAX_RANK], count;
    tg_node *x[MOST_LEAVES], *g[MOST_LEAVES], *j[MOST_LEAVES];
    uint32_t used = 0;
    int n = 0;
    if (!tg_dtype_is_float(y->type.dtype)) return 0;
    for (int i = 0; i < w->c.n; i++)
        if (w->leaf[i]->type.dtype == TG_F64 && w->leaf[i]->type.rank + y->type.rank <= TG_MAX_RANK)
            x[n++] = w->leaf[i];
    for (int k = 0; k < y->type.rank; k++) /* a seed of size D3*D4 does not tell D3 */
        if (y->type.dim[k] < 0 && !tg_size_symbol_name(&w->rt, y->type.dim[k])) return 0;
    if (n == 0) return 0;
    tg_node *seed = shape_now(w, y, dim) ? drawn_input(w, &y->type, dim) : NULL;
    const tg_grad_options opt = {.seed = seed};
    if (!seed || !tg_grad(&w->rt, y, n, x, &opt, g, NULL)) return broken(r, w, "no gradient");
    if (!tg_jacobian(&w->rt, y, n, x, &used, j, NULL))
        return wants_known_sizes(w) ? 0 : broken(r, w, "no Jacobian");
    for (int i = 0; i < n; i++) {
        int rank = y->type.rank + x[i]->type.rank;
        bool shaped = j[i]->type.rank == rank;
        for (int k = 0; shaped && k < rank; k++)
            shaped = j[i]->type.dim[k] ==
                     (k < y->type.rank ? y->type.dim[k] : x[i]->type.dim[k - y->type.rank]);
        if (!shaped) return wrong(r, w, "the Jacobian has another shape", NULL);
        if (!eval(w, j[i], jac, &count)) return broken(r, w, "the Jacobian fails");
        compare_rows(r, w, seed, g[i], count);
    }
    return 1;
}

/* jac @ v and v @ jac are what jvp and vjp say, of the last argument. */
static int check_products(report *r, world *w, tg_node *y) {
    static double v[MOST], out[MOST];
    int64_t dim[TG_MAX_RANK], count, rows, cols, n;
    uint32_t used = 0;
    tg_node *x = w->leaf[w->c.n - 1], *j, *along;
    if (x->type.dtype != TG_F64 || !tg_dtype_is_float(y->type.dtype)) return 0;
    if (x->type.rank + y->type.rank > TG_MAX_RANK || !shape_now(w, x, dim)) return 0;
    tg_node *u = drawn_input(w, &x->type, dim);
    if (!u || !tg_jacobian(&w->rt, y, 1, &x, &used, &j, NULL) ||
        !tg_jvp(&w->rt, y, 1, &x, &u, &used, &along, NULL) || !eval(w, u, v, &cols) ||
        !eval(w, j, jac, &count) || !eval(w, along, out, &rows))
        return wants_known_sizes(w) ? 0 : broken(r, w, "no product with the Jacobian");
    for (int64_t b = 0; b < rows; b++) {
        double sum = 0;
        for (n = 0; n < cols; n++) sum += jac[b * cols + n] * v[n];
        if (!close_to(sum, out[b], 1e-9)) return wrong(r, w, "jvp is not J @ v", NULL);
    }
    return 0;
}

/* The gradient's Jacobian: rows as before, symmetric, and hvp is the product with it. */
static int check_second(report *r, world *w) {
    static double v[MOST], out[MOST];
    int64_t dim[TG_MAX_RANK], count, cols, n;
    uint32_t used = 0;
    tg_node *x = w->leaf[0], *g, *h, *along, *y = w->root;
    if (x->type.dtype != TG_F64 || !tg_dtype_is_float(y->type.dtype)) return 0;
    if (2 * x->type.rank > TG_MAX_RANK || !shape_now(w, y, dim)) return 0;
    tg_node *weight = drawn_input(w, &y->type, dim);
    tg_node *f = weight ? tg_node_call2(&w->rt, "mul", weight, y) : NULL;
    f = f && f->type.rank ? tg_node_call1(&w->rt, "sum", f) : f;
    const tg_grad_options opt = {.simplify = true};
    if (!f || !tg_grad(&w->rt, f, 1, &x, &opt, &g, NULL)) return broken(r, w, "no gradient");
    check_jacobian(r, w, g);
    tg_node *u = shape_now(w, x, dim) ? drawn_input(w, &x->type, dim) : NULL;
    if (!u || !tg_hessian(&w->rt, f, 1, &x, &used, &h, NULL) ||
        !tg_hvp(&w->rt, f, 1, &x, &u, &used, &along, NULL) || !eval(w, h, jac, &count) ||
        !eval(w, u, v, &cols) || !eval(w, along, out, &n))
        return broken(r, w, "no Hessian");
    for (int64_t b = 0; b < cols; b++) {
        double sum = 0;
        for (int64_t k = 0; k < cols; k++) {
            sum += jac[b * cols + k] * v[k];
            if (!close_to(jac[b * cols + k], jac[k * cols + b], 1e-8))
                return wrong(r, w, "the Hessian is not symmetric", NULL);
        }
        if (!close_to(sum, out[b], 1e-8)) return wrong(r, w, "hvp is not H @ v", NULL);
    }
    return 0;
}

static bool lacks_rule(const tg_op *op) {
    for (int i = 0; op->param[i].name; i++)
        if ((op->param[i].kind == TG_P_TENSOR || op->param[i].kind == TG_P_LIST) &&
            i < TG_MAX_TENSORS && !op->grad[i])
            return true;
    return false;
}

/* ---- the map over a batch ---- */

enum { BATCH = 2 };

/* Maps root over BATCH values of the leaves of `mask`, and compares with root on each. */
static int check_map(report *r, world *w, unsigned mask) {
    tg_node *from[MOST_LEAVES], *to[MOST_LEAVES], *mapped;
    int which[MOST_LEAVES], n = 0;
    int64_t one = 0, all = 0;
    static const tg_size batch[1] = {BATCH};
    for (int i = 0; i < w->c.n; i++) {
        if (!(mask >> i & 1)) continue;
        tg_type type = w->leaf[i]->type;
        int64_t dim[TG_MAX_RANK] = {BATCH};
        if (type.rank == TG_MAX_RANK) return 0;
        memmove(type.dim + 1, type.dim, (size_t)type.rank++ * sizeof *type.dim);
        type.dim[0] = BATCH;
        memcpy(dim + 1, w->c.leaf[i].dim, sizeof dim - sizeof *dim);
        from[n] = w->leaf[i];
        to[n] = drawn_input(w, &type, dim);
        if (!to[n]) return broken(r, w, "no memory");
        which[n++] = i;
    }
    if (!tg_batch_map(&w->rt, 1, batch, n, from, to, 1, &w->root, &mapped) &&
        w->rt.c.diag.kind == TG_ERR_TYPE && strstr(w->rt.c.diag.msg, r->op->name)) {
        tg_clear(&w->rt.c); /* refused by name */
        return 0;
    }
    if (w->rt.c.diag.kind != TG_ERR_NONE) return broken(r, w, "no map over a batch");
    for (int k = 0; k < n; k++) { /* the values moved a little from one of the batch to the next */
        const tg_view *v = &to[k]->leaf.cell->value->v;
        int64_t count = w->count[which[k]];
        bool flags = v->dtype == TG_BOOL;
        for (int64_t i = 0; i < BATCH * count; i++) {
            double x = w->x[which[k]][i % count];
            tg_view_set(v, i, flags && i >= count ? 1 - x : x * (i < count ? 1 : 0.97));
        }
    }
    if (!eval(w, mapped, jac, &all)) return broken(r, w, "the map fails");
    for (int b = 0; b < BATCH; b++) {
        for (int k = 0; k < n; k++) {
            const tg_view *v = &to[k]->leaf.cell->value->v, *x = &from[k]->leaf.cell->value->v;
            for (int64_t i = 0; i < w->count[which[k]]; i++)
                tg_view_set(x, i, tg_view_get(v, b * w->count[which[k]] + i));
        }
        if (!eval(w, w->root, row, &one)) return broken(r, w, "the operation fails");
        if (one * BATCH != all) return wrong(r, w, "the map has another size", NULL);
        for (int64_t i = 0; i < one; i++)
            if (!close_to(jac[b * one + i], row[i], 1e-9))
                return wrong(r, w, "the map is wrong", NULL);
    }
    store_values(w, -1, 0, NULL);
    return 0;
}

/* ---- each record ---- */

static void check_record(void **state) {
    report r = {.op = *state};
    size_t blocks = tg_alloc_get_stats().live_blocks;
    op_case cases[MOST_CASES];
    int n = list_cases(r.op, cases), checked = 0;
    for (int i = 0; i < n; i++) {
        for (int symbolic = 0; symbolic >= SYMBOLIC_TOO; symbolic--) {
            world w;
            if (cases[i].n == 0) continue;
            bool built = world_open(&w) && world_build(&w, &cases[i], symbolic, TG_F64);
            if (!built && symbolic) { /* not every sample can be said of symbols */
                tg_clear(&w.rt.c);
            } else if (!built) {
                complain(&r, &w, "cannot be built", w.rt.c.diag.msg);
            } else {
                bool repeated = symbolic && r.op->param[0].kind == TG_P_LIST; /* [x, y, x] */
                for (unsigned mask = 1; !repeated && mask < 1U << w.c.n; mask++)
                    check_map(&r, &w, mask);
                checked++;
            }
            if (built && !lacks_rule(r.op)) {
                check_jacobian(&r, &w, w.root);
                check_products(&r, &w, w.root);
                if (!symbolic) check_second(&r, &w);
            }
            world_close(&w);
        }
    }
    if (r.op->param[0].name && n > 0 && cases[0].n > 0 && checked == 0)
        complain(&r, NULL, "nothing was checked", NULL);
    assert_int_equal(tg_alloc_get_stats().live_blocks, blocks);
    assert_int_equal(r.failures, 0);
}

int main(void) {
    return test_each_record("jacobian", check_record);
}
