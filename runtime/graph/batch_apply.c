/* One operation over leading axes. An operation's record says what its parameters mean, and so how
 * they change when axes come in front: axes move up, shapes get the sizes of the batch (or zeros
 * and ones, as the record says in `lead`), permutations keep the batch first. Elementwise
 * operations and matmul align shapes at the right, so arguments of lower rank get axes of size 1
 * behind the batch. Arguments that are the same for the whole batch stay as they are where the
 * shape rule accepts it, else they are expanded, which costs nothing. The shape rule is the judge:
 * a form that gives the expected type is taken.
 *
 * The products of vectors are the exception, as their records know no batch: a table gives what
 * they become. */
#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/batch_rules.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/ruled.h"
#include "runtime/ops/attrs.h"

#include <string.h>

/* ---- changes of shape ---- */

static tg_rule_name shape_name(const char *name, int rank, const tg_size *dim) {
    tg_rule_name r = {.name = name, .kind = TG_P_SHAPE, .n = rank, .sizes = ~UINT64_C(0)};
    memcpy(r.v, dim, (size_t)rank * sizeof *dim);
    return r;
}

static bool has_shape(const tg_node *x, int rank, const tg_size *dim) {
    return tg_shape_equal(x->type.rank, x->type.dim, rank, dim);
}

tg_node *tg_batch_reshape(tg_rt *rt, tg_node *x, int rank, const tg_size *dim) {
    if (has_shape(x, rank, dim)) return x;
    const tg_rule_name names[2] = {{.name = "x", .node = x}, shape_name("to", rank, dim)};
    return tg_rule_build(rt, "reshape(x, to)", 2, names);
}

tg_node *tg_batch_expand(tg_rt *rt, tg_node *x, int rank, const tg_size *dim) {
    if (has_shape(x, rank, dim)) return x;
    const tg_rule_name names[2] = {{.name = "x", .node = x}, shape_name("to", rank, dim)};
    return tg_rule_build(rt, "expand(x, to)", 2, names);
}

tg_node *tg_batch_permute(tg_rt *rt, tg_node *x, const int *perm) {
    tg_rule_name names[2] = {{.name = "x", .node = x},
                             {.name = "axes", .kind = TG_P_PERM, .n = x->type.rank}};
    bool same = true;
    for (int i = 0; i < x->type.rank; i++) {
        names[1].v[i] = perm[i];
        same = same && perm[i] == i;
    }
    return same ? x : tg_rule_build(rt, "transpose(x, axes=axes)", 2, names);
}

tg_node *tg_batch_move(tg_rt *rt, tg_node *x, int from, int to) {
    int perm[TG_MAX_RANK];
    for (int i = 0, k = 0; i < x->type.rank; i++) {
        if (i == to) {
            perm[i] = from;
            continue;
        }
        if (k == from) k++;
        perm[i] = k++;
    }
    return tg_batch_permute(rt, x, perm);
}

bool tg_batch_has_room(tg_rt *rt, int rank) {
    return rank <= TG_MAX_RANK ||
           tg_fail(&rt->c, TG_ERR_SHAPE,
                   "a step of this would have %d axes; tensors have at most %d", rank, TG_MAX_RANK);
}

tg_node *tg_batch_stretch(tg_rt *rt, tg_node *x, int at, int count) {
    tg_size dim[TG_MAX_RANK];
    int r = x->type.rank;
    if (count == 0) return x;
    if (!tg_batch_has_room(rt, r + count)) return NULL;
    for (int i = 0; i < at; i++) dim[i] = x->type.dim[i];
    for (int i = 0; i < count; i++) dim[at + i] = 1;
    for (int i = at; i < r; i++) dim[i + count] = x->type.dim[i];
    return tg_batch_reshape(rt, x, r + count, dim);
}

tg_node *tg_batch_mul(tg_rt *rt, tg_node *x, tg_node *y) {
    tg_size dim[TG_MAX_RANK];
    int r = x->type.rank;
    for (int i = 0; i < r; i++) dim[i] = x->type.dim[i] == 1 ? y->type.dim[i] : x->type.dim[i];
    if (!has_shape(x, r, dim) && !has_shape(y, r, dim)) x = tg_batch_expand(rt, x, r, dim);
    return x ? tg_node_call2(rt, "mul", x, y) : NULL;
}

/* ---- the work at hand ---- */

typedef struct job {
    tg_rt *rt;
    const tg_node *node;
    int n, e;
    const tg_size *dim; /* of the batch */
    const bool *has;
    tg_node **in; /* in the arena of nobody: the caller's copy */
    tg_size full[2 * TG_MAX_RANK];
    int rank; /* of the result, with the batch: full */
} job;

static bool fits(job *j, const tg_op *op, tg_node *const *in, const tg_attrs *at) {
    tg_type *type = tg_alloc_array((size_t)j->n + 1, sizeof *type), out = {0};
    tg_dtype *want = tg_alloc_array((size_t)j->n + 1, sizeof *want);
    bool ok = type && want;
    if (!ok) tg_fail_memory(&j->rt->c);
    for (int i = 0; ok && i < j->n; i++) type[i] = in[i]->type, want[i] = in[i]->type.dtype;
    if (ok && !op->infer(j->rt, op, j->n, type, at, &out, want)) {
        ok = false;
        if (j->rt->c.diag.kind != TG_ERR_MEMORY) tg_clear(&j->rt->c);
    }
    tg_free(type);
    tg_free(want);
    return ok && tg_shape_equal(out.rank, out.dim, j->rank, j->full);
}

static bool no_batch(const job *j) {
    const tg_op *op = j->node->op;
    return tg_fail(&j->rt->c, TG_ERR_TYPE, "a batch cannot be carried through %s",
                   op->shown ? op->shown : op->name);
}

/* in[i] with the batch in front. */
static tg_node *with_batch(job *j, int i) {
    tg_size dim[2 * TG_MAX_RANK];
    const tg_type *own = &j->node->arg[i]->type;
    if (j->has[i]) return j->in[i];
    if (!tg_batch_has_room(j->rt, j->e + own->rank)) return NULL;
    memcpy(dim, j->dim, (size_t)j->e * sizeof *dim);
    memcpy(dim + j->e, own->dim, (size_t)own->rank * sizeof *dim);
    return tg_batch_expand(j->rt, j->in[i], j->e + own->rank, dim);
}

/* ---- attributes ---- */

static int64_t implied_axes(const job *j, const tg_op *op) {
    const tg_type *in = &j->node->arg[0]->type;
    int64_t mask = 0;
    if (strcmp(op->name, "expand") == 0 && j->node->type.rank > in->rank)
        mask = (INT64_C(1) << (j->node->type.rank - in->rank)) - 1;
    if (strcmp(op->name, "squeeze") == 0)
        for (int i = 0; i < in->rank; i++)
            if (in->dim[i] == 1) mask |= INT64_C(1) << i;
    return mask;
}

/* Does a single entry of this SHAPE stand for every axis, as the width of pad? So it is where no
 * other parameter tells the axes. */
static bool serves_all_axes(const tg_op *op, int param) {
    bool shape = false;
    for (int p = 0; op->param[p].name; p++)
        shape = shape || (op->param[p].kind == TG_P_SHAPE && op->lead[p] == TG_LEAD_SIZES);
    return op->lead[param] == TG_LEAD_ZEROS && !shape;
}

static void push_shape(const job *j, int param, const int64_t *v, int n, uint64_t sizes,
                       tg_attrs *out) {
    const tg_op *op = j->node->op;
    int lead = op->lead[param];
    /* pad: one number for all axes */
    int copies = n == 1 && serves_all_axes(op, param) ? j->node->arg[0]->type.rank : 1;
    if (n == 0 && lead != TG_LEAD_SIZES) { /* pad's after: as before */
        tg_attr_push(out, 0, false);
        return;
    }
    tg_attr_push(out, j->e + n * copies, false);
    for (int i = 0; i < j->e; i++)
        tg_attr_push(out, lead == TG_LEAD_SIZES ? j->dim[i] : lead == TG_LEAD_ONES, true);
    for (int c = 0; c < copies; c++)
        for (int i = 0; i < n; i++) {
            bool open = lead == TG_LEAD_SIZES && v[i] == TG_SIZE_INFER;
            tg_attr_push(out, open ? j->node->type.dim[i] : v[i], open || (sizes >> i & 1));
        }
}

/* The attributes of node with the batch in front. */
static void shifted(const job *j, tg_attrs *out) {
    const tg_op *op = j->node->op;
    const tg_attrs *at = j->node->at;
    *out = (tg_attrs){0};
    for (int p = 0; op->param[p].name; p++) {
        int n, v = tg_op_values(op, at, p, &n);
        if (v < 0) continue;
        const int64_t *x = at->v + v;
        switch (op->param[p].kind) {
        case TG_P_AXES: tg_attr_push(out, (*x ? *x : implied_axes(j, op)) << j->e, false); break;
        case TG_P_AXIS:
        case TG_P_NEWAXIS: tg_attr_push(out, *x + j->e, false); break;
        case TG_P_SHAPE: push_shape(j, p, x, n, at->sizes >> v, out); break;
        case TG_P_PERM:
        case TG_P_SPEC: {
            bool perm = op->param[p].kind == TG_P_PERM;
            tg_attr_push(out, n + j->e, false);
            for (int i = 0; i < j->e; i++) tg_attr_push(out, perm ? i : 1, false);
            for (int i = 0; i < n; i++) tg_attr_push(out, perm ? x[i] + j->e : x[i], false);
            break;
        }
        default:
            for (int i = 0; i < n; i++) tg_attr_push(out, x[i], at->sizes >> (v + i) & 1);
        }
    }
}

/* ---- operations with a way of their own ---- */

/* Gives the arguments that have the batch axes of size 1 behind it, up to that rank of their own.
 */
static bool align(job *j, int rank) {
    for (int i = 0; i < j->n; i++) {
        int missing = rank - (j->in[i]->type.rank - j->e);
        if (!j->has[i] || missing <= 0) continue;
        j->in[i] = tg_batch_stretch(j->rt, j->in[i], j->e, missing);
        if (!j->in[i]) return false;
    }
    return true;
}

static tg_node *elementwise(job *j) {
    const tg_node *node = j->node;
    if (j->e == 1 && strcmp(node->op->name, "mul") == 0 && node->type.rank == 1)
        for (int i = 0; i < 2; i++)
            if (j->has[i] && !j->has[1 - i] && j->in[i]->type.rank == 1 &&
                j->in[1 - i]->type.rank == 1)
                return tg_node_call2(j->rt, "outer", j->in[i], j->in[1 - i]);
    bool scalars = true; /* one number for each of the batch: it is stretched when it must be */
    for (int i = 0; i < j->n; i++)
        scalars = scalars && j->in[i]->type.rank == (j->has[i] ? j->e : 0);
    if (scalars) return tg_node_make(j->rt, node->op, j->n, j->in, node->at);
    if (!align(j, node->type.rank)) return NULL;
    int whole = -1;
    bool there = false;
    for (int i = 0; i < j->n; i++) {
        there = there || has_shape(j->in[i], j->rank, j->full);
        if (!j->has[i] && has_shape(j->in[i], node->type.rank, node->type.dim)) whole = i;
        if (j->has[i] && whole < 0) whole = i;
    }
    if (!there) j->in[whole] = tg_batch_expand(j->rt, j->in[whole], j->rank, j->full);
    return j->in[whole] ? tg_node_make(j->rt, node->op, j->n, j->in, node->at) : NULL;
}

static tg_node *general(job *j);

/* Matrices (matmul, solve), whose leading axes are a batch already and broadcast; a vector as the
 * second becomes a column. */
static tg_node *matrices(job *j) {
    const tg_node *node = j->node;
    int a = node->arg[0]->type.rank, b = node->arg[1]->type.rank;
    if (b > 1) return align(j, a > b ? a : b) ? general(j) : NULL;
    tg_node *in[2] = {j->in[0], j->in[1]};
    if (j->e == 1 && !j->has[0]) { /* the vectors of the batch are the columns of one matrix */
        in[1] = tg_node_call1(j->rt, "transpose", in[1]);
        tg_node *columns = in[1] ? tg_node_make(j->rt, node->op, 2, in, node->at) : NULL;
        return columns ? tg_node_call1(j->rt, "transpose", columns) : NULL;
    }
    in[1] = tg_batch_stretch(j->rt, in[1], in[1]->type.rank, 1);
    if (!in[1]) return NULL;
    tg_node *x = tg_node_make(j->rt, node->op, 2, in, node->at);
    return x ? tg_batch_reshape(j->rt, x, j->rank, j->full) : NULL;
}

/* tile and untile: counts belong to the last axes, and there may be more of them than axes. */
static tg_node *tiling(job *j) {
    const tg_op *op = j->node->op;
    bool back = strcmp(op->name, "untile") == 0;
    const tg_type *small = back ? &j->node->type : &j->node->arg[0]->type;
    int n, v = tg_op_values(op, j->node->at, back ? 2 : 1, &n);
    int rank = n > small->rank ? n : small->rank;
    tg_attrs at = {0};
    tg_node *x = j->in[0];
    if (!tg_batch_has_room(j->rt, j->e + rank)) return NULL;
    if (!back) x = tg_batch_stretch(j->rt, x, j->e, rank - small->rank);
    if (!x) return NULL;
    if (back) {
        tg_attr_push(&at, j->e + rank, false);
        for (int i = 0; i < j->e; i++) tg_attr_push(&at, j->dim[i], true);
        for (int i = 0; i < rank; i++)
            tg_attr_push(&at, i < rank - small->rank ? 1 : small->dim[i - rank + small->rank],
                         true);
    }
    tg_attr_push(&at, j->e + rank, false);
    for (int i = 0; i < j->e + rank - n; i++) tg_attr_push(&at, 1, true);
    for (int i = 0; i < n; i++) tg_attr_push(&at, j->node->at->v[v + i], true);
    x = tg_node_make(j->rt, op, 1, &x, &at);
    return x && back ? tg_batch_reshape(j->rt, x, j->rank, j->full) : x;
}

/* What products of vectors and diagonals become, where the first, second or both arguments have the
 * batch; `one`: where the batch is a single axis. */
static const struct vector_rule {
    const char *op, *one_first, *one_second, *first, *second, *both;
} vector_rules[] = {
    {"matvec", NULL, NULL, "squeeze(a @ unsqueeze(b, -1), axis=-1)", "b @ a'",
     "squeeze(a @ unsqueeze(b, -1), axis=-1)"},
    {"vecmat", NULL, NULL, "a @ b", "squeeze(unsqueeze(a, -2) @ b, axis=-2)",
     "squeeze(unsqueeze(a, -2) @ b, axis=-2)"},
    {"vdot", "a @ b", "b @ a", "squeeze(a @ unsqueeze(b, -1), axis=-1)",
     "squeeze(b @ unsqueeze(a, -1), axis=-1)", "sum(a * b, axis=-1)"},
    {"outer", NULL, NULL, "unsqueeze(a, -1) @ unsqueeze(b, 0)",
     "unsqueeze(a, -1) @ unsqueeze(b, -2)", "unsqueeze(a, -1) @ unsqueeze(b, -2)"},
    {"trace", NULL, NULL, "sum(diag_part(a), axis=-1)", NULL, NULL},
};

static tg_node *by_rule(job *j, const char *text) {
    const tg_rule_name names[2] = {{.name = "a", .node = j->in[0]},
                                   {.name = "b", .node = j->in[j->n > 1]}};
    return tg_rule_build(j->rt, text, 2, names);
}

static const char *vector_text(const job *j) {
    for (size_t i = 0; i < sizeof vector_rules / sizeof *vector_rules; i++) {
        const struct vector_rule *r = &vector_rules[i];
        if (strcmp(j->node->op->name, r->op) != 0) continue;
        if (j->n > 1 && j->has[0] && j->has[1]) return r->both;
        if (j->has[0]) return j->e == 1 && r->one_first ? r->one_first : r->first;
        return j->e == 1 && r->one_second ? r->one_second : r->second;
    }
    if (strcmp(j->node->op->name, "diag") == 0)
        return j->node->type.rank == 2 ? "diag_embed(a)" : "diag_part(a)";
    return NULL;
}

/* All products of an element of a with one of b, place by place. */
static tg_node *kron(job *j) {
    int own = j->node->type.rank;
    tg_node *a = with_batch(j, 0), *b = a ? with_batch(j, 1) : NULL;
    for (int i = 0; b && i < own; i++) {
        a = tg_batch_stretch(j->rt, a, j->e + 2 * i + 1, 1);
        b = a ? tg_batch_stretch(j->rt, b, j->e + 2 * i, 1) : NULL;
    }
    tg_node *x = b ? tg_batch_mul(j->rt, a, b) : NULL;
    return x ? tg_batch_reshape(j->rt, x, j->rank, j->full) : NULL;
}

/* gather with indices that differ over the batch from an x that does not: their axes come in place
 * of x's axis, and then the batch goes to the front. */
static tg_node *gather_same(job *j) {
    int axis = (int)j->node->at->v[0];
    tg_node *x = tg_node_make(j->rt, j->node->op, 2, j->in, j->node->at);
    for (int i = 0; x && i < j->e; i++) x = tg_batch_move(j->rt, x, axis + i, i);
    return x;
}

/* ---- indices that differ over the batch ---- */

static tg_size count_of_batch(const job *j) {
    tg_size all = 1;
    for (int i = 0; i < j->e && all != TG_SIZE_FAIL; i++)
        all = tg_size_times(j->rt, all, j->dim[i]);
    return all;
}

/* Argument 1, indices below n, as indices into the rows of all of the batch, one behind the other.
 * Taking them from 0, 1, ..., n - 1 makes the negative ones positive, and finds those that are out
 * of range. */
static tg_node *places(job *j, tg_size n) {
    const int own = j->node->arg[1]->type.rank;
    tg_size dim[2 * TG_MAX_RANK], all = count_of_batch(j);
    tg_node *idx = all != TG_SIZE_FAIL ? with_batch(j, 1) : NULL;
    const tg_rule_name names[4] = {
        {.name = "idx", .node = idx},
        {.name = "n", .kind = TG_P_SIZE, .n = 1, .v = {n}, .sizes = 1},
        {.name = "all", .kind = TG_P_SIZE, .n = 1, .v = {all}, .sizes = 1},
        {.name = "step", .node = idx ? tg_node_size(j->rt, n) : NULL}};
    if (!names[3].node) return NULL;
    tg_node *place = tg_rule_build(j->rt, "gather(double(arange(n)), idx)", 2, names),
            *start = place ? tg_rule_build(j->rt, "double(arange(all)) * step", 4, names) : NULL;
    for (int i = 0; i < j->e + own; i++) dim[i] = i < j->e ? j->dim[i] : 1;
    start = start ? tg_batch_reshape(j->rt, start, j->e + own, dim) : NULL;
    return start ? tg_node_call2(j->rt, "add", place, start) : NULL;
}

/* gather: the rows of all of the batch in one long tensor, of which the places choose. */
static tg_node *gather_each(job *j) {
    const int axis = (int)j->node->at->v[0], own = j->node->arg[1]->type.rank,
              rank = j->node->arg[0]->type.rank;
    const tg_size n = j->node->arg[0]->type.dim[axis];
    tg_size dim[2 * TG_MAX_RANK];
    int perm[2 * TG_MAX_RANK] = {0}, k = 0;
    tg_node *x = with_batch(j, 0), *place = x ? places(j, n) : NULL;
    x = place ? tg_batch_move(j->rt, x, j->e + axis, j->e) : NULL;
    if (!x) return NULL;
    dim[0] = tg_size_times(j->rt, count_of_batch(j), n);
    if (dim[0] == TG_SIZE_FAIL) return NULL;
    memcpy(dim + 1, x->type.dim + j->e + 1, (size_t)(rank - 1) * sizeof *dim);
    x = tg_batch_reshape(j->rt, x, rank, dim);
    x = x ? tg_node_call2(j->rt, "gather", x, place) : NULL;
    for (int i = 0; i < j->e; i++) perm[k++] = i;
    for (int i = 0; i < axis; i++) perm[k++] = j->e + own + i;
    for (int i = 0; i < own; i++) perm[k++] = j->e + i;
    for (int i = axis; i < rank - 1; i++) perm[k++] = j->e + own + i;
    return x ? tg_batch_permute(j->rt, x, perm) : NULL;
}

/* scatter_sum of argument `slices` into n places along an axis: into the rows of all of the batch.
 */
static tg_node *scatter_each(job *j, int slices, tg_size n, int axis) {
    const int own = j->node->arg[1]->type.rank, rank = j->node->arg[slices]->type.rank;
    tg_size dim[2 * TG_MAX_RANK];
    int perm[2 * TG_MAX_RANK] = {0}, k = 0;
    tg_node *x = with_batch(j, slices), *place = x ? places(j, n) : NULL;
    for (int i = 0; i < j->e; i++) perm[k++] = i;
    for (int i = 0; i < own; i++) perm[k++] = j->e + axis + i;
    for (int i = 0; i < rank; i++)
        if (i < axis || i >= axis + own) perm[k++] = j->e + i;
    x = place ? tg_batch_permute(j->rt, x, perm) : NULL;
    const tg_size rows = tg_size_times(j->rt, count_of_batch(j), n);
    if (!x || rows == TG_SIZE_FAIL) return NULL;
    const tg_rule_name names[3] = {
        {.name = "x", .node = x},
        {.name = "idx", .node = place},
        {.name = "n", .kind = TG_P_SIZE, .n = 1, .v = {rows}, .sizes = 1}};
    memcpy(dim, j->dim, (size_t)j->e * sizeof *dim);
    dim[j->e] = n;
    memcpy(dim + j->e + 1, x->type.dim + j->e + own, (size_t)(rank - own) * sizeof *dim);
    x = tg_rule_build(j->rt, "scatter_sum(x, idx, n)", 3, names);
    x = x ? tg_batch_reshape(j->rt, x, j->e + 1 + rank - own, dim) : NULL;
    return x ? tg_batch_move(j->rt, x, j->e, j->e + axis) : NULL;
}

static tg_node *scatter_add_each(job *j) {
    const int axis = (int)j->node->at->v[0];
    tg_node *x = with_batch(j, 0),
            *sum = x ? scatter_each(j, 2, j->node->arg[0]->type.dim[axis], axis) : NULL;
    return sum ? tg_node_call2(j->rt, "add", x, sum) : NULL;
}

/* ---- the general way ---- */

/* Does argument i only choose places, so that the record gives it a derivative of zero? */
static bool only_chooses(const tg_op *op, int i) {
    const char *rule = i < TG_MAX_TENSORS ? op->grad[i] : NULL;
    return op->param[0].kind != TG_P_LIST && i > 0 && rule && strcmp(rule, TG_GRAD_ZERO) == 0;
}

static tg_node *general(job *j) {
    tg_attrs at;
    const tg_op *op = j->node->op;
    shifted(j, &at);
    if (op->canonical && (op->class == TG_CLASS_VIEW || op->class == TG_CLASS_INDEX)) {
        op = op->canonical(j->rt, op, j->in[0]->type.rank, &at);
        if (!op) return NULL;
    }
    for (int attempt = 0; attempt < 3; attempt++) {
        for (int i = 0; attempt > 0 && i < j->n; i++) {
            if (attempt == 1 && only_chooses(j->node->op, i)) continue;
            j->in[i] = with_batch(j, i);
            if (!j->in[i]) return NULL;
        }
        if (fits(j, op, j->in, &at)) return tg_node_make(j->rt, op, j->n, j->in, &at);
        if (j->rt->c.diag.kind == TG_ERR_MEMORY) return NULL;
    }
    no_batch(j);
    return NULL;
}

static tg_node *apply(job *j) {
    const char *name = j->node->op->name, *text = vector_text(j);
    if (j->node->op == &tg_op_parameter)
        return tg_node_make(j->rt, j->node->op, j->n, j->in, j->node->at);
    if (j->node->op->class == TG_CLASS_ELEMENTWISE) return elementwise(j);
    if (tg_batch_is_window(j->node->op))
        return tg_batch_window(j->rt, j->node, j->in, j->has, j->e, j->dim);
    if (text) return by_rule(j, text);
    if (strcmp(name, "kron") == 0) return kron(j);
    if (j->node->op->class == TG_CLASS_LINEAR && j->n == 2) return matrices(j);
    if (strcmp(name, "tile") == 0 || strcmp(name, "untile") == 0) return tiling(j);
    if (strcmp(name, "gather") == 0 && j->has[1])
        return j->has[0] ? gather_each(j) : gather_same(j);
    if (strcmp(name, "scatter_sum") == 0 && j->has[1])
        return scatter_each(j, 0, j->node->at->v[0], (int)j->node->at->v[1]);
    if (strcmp(name, "scatter_add") == 0 && j->has[1]) return scatter_add_each(j);
    if (strcmp(name, "flatten") == 0) return tg_batch_reshape(j->rt, j->in[0], j->rank, j->full);
    if (strcmp(name, "squeeze") == 0 && j->node->arg[0]->type.rank == j->node->type.rank)
        return j->in[0];
    return general(j);
}

tg_node *tg_batch_apply(tg_rt *rt, const tg_node *node, tg_node *const *in, const bool *has, int e,
                        const tg_size *dim) {
    if (e == 0) return tg_node_make(rt, node->op, node->n, in, node->at);
    if (tg_node_is_loop(node) || tg_node_is_item(node)) {
        tg_fail(&rt->c, TG_ERR_TYPE, "a batch does not go through a scan yet");
        tg_help(&rt->c, "give the state and xs the axis of the batch, or take one example at a "
                        "time");
        return NULL;
    }
    job j = {.rt = rt, .node = node, .n = node->n, .e = e, .dim = dim, .has = has};
    j.rank = e + node->type.rank;
    if (!tg_batch_has_room(rt, j.rank)) return NULL;
    if (tg_node_is_ruled(node)) return tg_batch_ruled(rt, node, in, has, e, dim);
    memcpy(j.full, dim, (size_t)e * sizeof *dim);
    memcpy(j.full + e, node->type.dim, (size_t)node->type.rank * sizeof *dim);
    j.in = tg_alloc_array((size_t)node->n, sizeof *j.in);
    if (!j.in) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    memcpy(j.in, in, (size_t)node->n * sizeof *j.in);
    tg_node *out = apply(&j);
    tg_free(j.in);
    return out;
}
