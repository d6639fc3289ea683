/* A large matrix product as parts for several threads.
 *
 * The result is cut into tiles, each a product of some rows of A and some columns of B. BLAS packs
 * its operands anew for each tile, which costs by the sum of a tile's sides what its product brings
 * by their area: so tiles are few, as square as can be, and not under some millions of
 * multiplications. A small result of a long inner axis, X' @ D over a whole data set, is cut along
 * that axis instead, and the partial sums are added in their order. Nothing of this looks at the
 * number of threads, and BLAS itself has only one: a product has the same bits at any number. A
 * very long inner axis is taken in several passes, so that no part runs for long and an interrupt
 * is seen soon.
 *
 * K. Goto, R. van de Geijn, Anatomy of high-performance matrix multiplication, 2008, on what is
 * packed and why. */
#include "base/alloc.h"
#include "runtime/ops/gemm.h"
#include "runtime/ops/linear.h"
#include "runtime/pool/pool.h"

#include <limits.h>

enum {
    MOST_SIDE = 1024,    /* of a tile: some tens of milliseconds for ... */
    MOST_DEPTH = 1024,   /* ... so many inner elements at a time */
    MOST_PIECE = 32768,  /* of an inner axis that is cut */
    LEAST_SIDE = 64,     /* narrower tiles are not cut */
    GRAIN = 16,          /* a side that is cut is a multiple: whole registers of BLAS's kernels */
    LONG_AXIS = 8192,    /* an inner axis that is worth cutting ... */
    FEW = 1 << 16,       /* ... for a result of at most so many elements */
    THIN = 16,           /* columns under which the time is that of reading A, as of so many */
    PER_NANOSECOND = 50, /* multiplications in single precision */
};

typedef struct tiling {
    tg_dtype t;
    tg_matrix a, b, out; /* [m, k], [k, n], [m, n]; out by rows */
    double alpha, beta;
    double work;         /* multiplications in all, about */
    int64_t rows, cols;  /* of a tile */
    int64_t from, depth; /* the inner elements of this pass, or of a piece */
    char *partial;       /* of the second and later pieces: [pieces - 1, m, n] */
} tiling;

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t parts_of(int64_t size, int64_t part) {
    return (size + part - 1) / part;
}

static tg_matrix part_of(const tiling *w, const tg_matrix *m, int64_t row, int64_t rows,
                         int64_t col, int64_t cols) {
    tg_matrix p = *m;
    int64_t offset = row * m->row_step + col * m->col_step;
    p.data = (char *)m->data + offset * (int64_t)tg_dtype_size(w->t);
    p.rows = rows, p.cols = cols;
    return p;
}

/* ---- how it is cut: by sizes alone ---- */

/* About the multiplications of a product, as time goes. */
static double work_of(const tg_matrix *a, const tg_matrix *out) {
    int64_t thin = least(out->rows, out->cols), wide = out->rows + out->cols - thin;
    return (double)a->cols * (double)wide * (double)(thin < THIN ? THIN : thin);
}

static int parts_for(double work) {
    return work < 8e6 ? 1 : work < 32e6 ? 2 : work < 4e9 ? 4 : 8;
}

static int64_t half(int64_t side) {
    return (side / 2 + GRAIN - 1) / GRAIN * GRAIN;
}

static void cut_tiles(tiling *w) {
    w->rows = w->out.rows, w->cols = w->out.cols;
    for (int parts = parts_for(w->work); parts > 1; parts /= 2) {
        int64_t *side = w->cols >= w->rows ? &w->cols : &w->rows;
        if (*side >= 2 * LEAST_SIDE) *side = half(*side);
    }
    if (w->work < 8e6) return;
    while (w->rows > MOST_SIDE) w->rows = half(w->rows);
    while (w->cols > MOST_SIDE) w->cols = half(w->cols);
}

static bool is_cut_along(const tiling *w) {
    int64_t k = w->a.cols;
    return k >= LONG_AXIS && k > w->out.rows && k > w->out.cols &&
           w->out.rows * w->out.cols <= FEW && parts_for(w->work) > 1;
}

static double cost_of(const tiling *w) {
    return w->work / (w->t == TG_F32 ? PER_NANOSECOND : PER_NANOSECOND / 2);
}

/* ---- tiles ---- */

static bool multiply_tile(void *user, int64_t i) {
    const tiling *w = user;
    int64_t across = parts_of(w->out.cols, w->cols);
    int64_t row = i / across * w->rows, col = i % across * w->cols;
    int64_t rows = least(w->rows, w->out.rows - row), cols = least(w->cols, w->out.cols - col);
    tg_matrix a = part_of(w, &w->a, row, rows, w->from, w->depth),
              b = part_of(w, &w->b, w->from, w->depth, col, cols),
              out = part_of(w, &w->out, row, rows, col, cols);
    return tg_matrix_multiply(w->t, &a, &b, &out, w->alpha, w->from == 0 ? w->beta : 1);
}

static bool multiply_tiles(tg_rt *rt, tiling *w) {
    int64_t tiles = parts_of(w->out.rows, w->rows) * parts_of(w->out.cols, w->cols);
    double cost = cost_of(w);
    int64_t passes = tiles > 1 ? parts_of(w->a.cols, MOST_DEPTH) : 1;
    w->depth = passes > 1 ? MOST_DEPTH : w->a.cols;
    for (w->from = 0; w->from < w->a.cols; w->from += w->depth) {
        w->depth = least(w->depth, w->a.cols - w->from);
        if (!tg_pool_run(rt, tiles, cost / (double)passes, multiply_tile, w)) return false;
    }
    return true;
}

/* ---- pieces of the inner axis ---- */

static tg_matrix partial_of(const tiling *w, int64_t piece) {
    int64_t rows = w->out.rows, cols = w->out.cols;
    tg_matrix m = {.rows = rows, .cols = cols, .row_step = cols, .col_step = 1};
    m.data = w->partial + (piece - 1) * rows * cols * (int64_t)tg_dtype_size(w->t);
    return m;
}

static bool multiply_piece(void *user, int64_t i) {
    const tiling *w = user;
    int64_t from = i * w->depth, depth = least(w->depth, w->a.cols - from);
    tg_matrix a = part_of(w, &w->a, 0, w->a.rows, from, depth),
              b = part_of(w, &w->b, from, depth, 0, w->b.cols),
              out = i == 0 ? w->out : partial_of(w, i);
    return tg_matrix_multiply(w->t, &a, &b, &out, w->alpha, i == 0 ? w->beta : 0);
}

#define ADD(T, to, from)                                                                           \
    for (int64_t i = 0; i < to.rows; i++)                                                          \
        for (int64_t j = 0; j < to.cols; j++)                                                      \
    ((T *)to.data)[i * to.row_step + j * to.col_step] += ((const T *)from.data)[i * to.cols + j]

/* Says how many pieces there are, and sets how deep they are. */
static int64_t cut_pieces(tiling *w) {
    int64_t pieces = parts_for(w->work), most = parts_of(w->a.cols, MOST_PIECE);
    if (pieces < most) pieces = most;
    w->depth = parts_of(w->a.cols, pieces);
    return parts_of(w->a.cols, w->depth);
}

static size_t partial_bytes(const tiling *w, int64_t pieces) {
    return (size_t)((pieces - 1) * w->out.rows * w->out.cols) * tg_dtype_size(w->t);
}

static bool multiply_pieces(tg_rt *rt, tiling *w) {
    int64_t pieces = cut_pieces(w);
    w->partial = tg_alloc(partial_bytes(w, pieces));
    if (!w->partial) return tg_pool_no_memory(rt);
    bool ok = tg_pool_run(rt, pieces, cost_of(w), multiply_piece, w);
    for (int64_t piece = 1; ok && piece < pieces; piece++) {
        const tg_matrix from = partial_of(w, piece);
        if (w->t == TG_F64)
            ADD(double, w->out, from);
        else
            ADD(float, w->out, from);
    }
    tg_free(w->partial);
    return ok;
}

/* ---- the product ---- */

/* a, b and out are as they shall be multiplied, out by rows. What a and b become is left in them.
 */
static bool multiply(tg_rt *rt, tg_dtype t, tg_matrix *a, tg_matrix *b, const tg_matrix *out,
                     double alpha, double beta) {
    tiling w = {.t = t, .out = *out, .alpha = alpha, .beta = beta, .work = work_of(a, out)};
    if (parts_for(w.work) == 1)
        return tg_matrix_multiply(t, a, b, out, alpha, beta) || tg_pool_no_memory(rt);
    if (!tg_matrix_lay_out(a, t) || !tg_matrix_lay_out(b, t)) return tg_pool_no_memory(rt);
    w.a = *a, w.b = *b;
    if (is_cut_along(&w)) return multiply_pieces(rt, &w);
    cut_tiles(&w);
    return multiply_tiles(rt, &w);
}

/* out = a @ b as matrices: a vector on the left is a row, on the right a column. */
typedef struct operands {
    tg_matrix a, b, out;
} operands;

static operands operands_of(const tg_view *va, const tg_view *vb, const tg_view *vout) {
    bool row = va->rank == 1, column = vb->rank == 1;
    operands o = {.a = {va->data, row ? 1 : va->dim[0], va->dim[va->rank - 1],
                        row ? 0 : va->stride[0], va->stride[va->rank - 1], NULL},
                  .b = {vb->data, vb->dim[0], column ? 1 : vb->dim[1], vb->stride[0],
                        column ? 0 : vb->stride[1], NULL}};
    o.out = (tg_matrix){vout->data,
                        o.a.rows,
                        o.b.cols,
                        row ? 0 : vout->stride[0],
                        column ? 0 : vout->stride[vout->rank - 1],
                        NULL};
    return o;
}

/* Brings the result to lie by rows: as out' = b' @ a' where it lies by columns. False: it does
 * neither, and must be made in other memory. */
static bool turn(operands *o) {
    if (tg_matrix_is_by_rows(&o->out)) return true;
    const operands t = {tg_matrix_transposed(o->b), tg_matrix_transposed(o->a),
                        tg_matrix_transposed(o->out)};
    if (!tg_matrix_is_by_rows(&t.out)) return false;
    *o = t;
    return true;
}

static bool multiply_into(tg_rt *rt, tg_dtype t, operands *o, double alpha, double beta) {
    if (turn(o)) return multiply(rt, t, &o->a, &o->b, &o->out, alpha, beta);
    tg_matrix made = o->out;
    bool ok = tg_matrix_to_scratch(&made, t, beta != 0)
                  ? multiply(rt, t, &o->a, &o->b, &made, alpha, beta)
                  : tg_pool_no_memory(rt);
    if (ok) {
        tg_view from = tg_matrix_view(&made, t), to = tg_matrix_view(&o->out, t);
        tg_view_copy(&to, &from);
    }
    tg_free(made.scratch);
    return ok;
}

bool tg_linear_gemm(tg_rt *rt, const tg_view *va, const tg_view *vb, tg_view *vout, double alpha,
                    double beta) {
    operands o = operands_of(va, vb, vout);
    if (o.a.rows > INT_MAX || o.a.cols > INT_MAX || o.b.cols > INT_MAX)
        return tg_pool_no_memory(rt);
    if (o.out.rows == 0 || o.out.cols == 0) return true;
    if (o.a.cols == 0) {
        tg_matrix_scale(&o.out, vout->dtype, beta);
        return true;
    }
    bool ok = multiply_into(rt, vout->dtype, &o, alpha, beta);
    tg_free(o.a.scratch);
    tg_free(o.b.scratch);
    return ok;
}

static size_t copy_bytes(const tg_matrix *m, tg_dtype t) {
    return (size_t)m->rows * (size_t)m->cols * tg_dtype_size(t);
}

size_t tg_linear_gemm_room(const tg_view *va, const tg_view *vb, const tg_view *vout) {
    operands o = operands_of(va, vb, vout);
    tg_dtype t = vout->dtype;
    if (o.out.rows == 0 || o.out.cols == 0 || o.a.cols == 0) return 0;
    size_t bytes = turn(&o) ? 0 : copy_bytes(&o.out, t);
    if (!tg_matrix_is_laid_out(&o.a)) bytes += copy_bytes(&o.a, t);
    if (!tg_matrix_is_laid_out(&o.b)) bytes += copy_bytes(&o.b, t);
    tiling w = {.t = t, .a = o.a, .out = o.out, .work = work_of(&o.a, &o.out)};
    return is_cut_along(&w) ? bytes + partial_bytes(&w, cut_pieces(&w)) : bytes;
}
