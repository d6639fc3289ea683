/* Running a region: its instructions for one block after another, block after block of a part, part
 * after part on any thread. Parts share nothing they write; their partial sums are joined in order
 * at the end. */
#include "runtime/plan/region.h"

#include "runtime/pool/pool.h"

#include <string.h>

typedef struct job {
    tg_rt *rt;
    const tg_plan *p;
    const tg_region *r;
    char *scratch; /* of all parts */
} job;

/* Rows r .. r + nr and columns c .. c + nc. */
typedef struct block {
    int64_t r, nr, c, nc;
} block;

static tg_view flat(void *data, tg_dtype t, int64_t n, int64_t step) {
    tg_view v = {.data = data, .dtype = t, .rank = 1};
    v.dim[0] = n;
    v.stride[0] = step / (int64_t)tg_dtype_size(t);
    return v;
}

static tg_view plane(void *data, tg_dtype t, const block *b, int64_t row, int64_t col) {
    int64_t size = (int64_t)tg_dtype_size(t);
    tg_view v = {.data = data, .dtype = t, .rank = 2};
    v.dim[0] = b->nr, v.dim[1] = b->nc;
    v.stride[0] = row / size, v.stride[1] = col / size;
    return v;
}

/* ---- gathering ---- */

/* Bytes to the i-th place of a walk over axes in row-major order. */
static int64_t offset_of(const tg_region_axes *a, int64_t i) {
    int64_t at = 0;
    for (int k = a->n - 1; k >= 0; k--) {
        at += i % a->dim[k] * a->stride[k];
        i /= a->dim[k];
    }
    return at;
}

static void gather_row(const tg_region_axes *a, const block *b, char *to, const char *from,
                       size_t size) {
    for (int64_t j = 0; j < b->nc; j++)
        memcpy(to + j * (int64_t)size, from + offset_of(a, b->c + j), size);
}

static void gather(const tg_region_gather *g, const char *base, tg_dtype t, const block *b,
                   char *to) {
    int64_t size = (int64_t)tg_dtype_size(t);
    char *from = (char *)(uintptr_t)base;
    if (g->row.n <= 1 && g->col.n <= 1) {
        int64_t row = g->row.n ? g->row.stride[0] : 0, col = g->col.n ? g->col.stride[0] : 0;
        tg_view src = plane(from + b->r * row + b->c * col, t, b, row, col);
        tg_view dst = plane(to, t, b, b->nc * size, size);
        tg_view_copy(&dst, &src);
        return;
    }
    for (int64_t i = 0; i < b->nr; i++, to += b->nc * size) {
        char *row = from + offset_of(&g->row, b->r + i);
        if (g->col.n > 1) {
            gather_row(&g->col, b, to, row, (size_t)size);
            continue;
        }
        int64_t col = g->col.n ? g->col.stride[0] : 0;
        tg_view src = flat(row + b->c * col, t, b->nc, col), dst = flat(to, t, b->nc, size);
        tg_view_copy(&dst, &src);
    }
}

/* ---- instructions ---- */

static char *place(const tg_region *r, char *const *base, const block *b, int value) {
    const tg_region_value *v = &r->value[value];
    return base[value] + b->r * v->row + b->c * v->col;
}

static void map(const tg_region *r, char *const *base, const block *b, const tg_region_instr *in) {
    char *p[5];
    int64_t step[5];
    for (int k = 0; k < in->n; k++) {
        p[k] = place(r, base, b, in->value[k]);
        step[k] = r->value[in->value[k]].step;
    }
    in->inner(in->rows ? b->nr : b->nr * b->nc, p, step);
}

static void convert(const tg_region *r, char *const *base, const block *b,
                    const tg_region_instr *in) {
    int64_t n = in->rows ? b->nr : b->nr * b->nc;
    tg_view to = flat(place(r, base, b, in->value[0]), in->to, n, r->value[in->value[0]].step);
    tg_view from = flat(place(r, base, b, in->value[1]), in->from, n, r->value[in->value[1]].step);
    tg_view_copy(&to, &from);
}

/* Each row's one element, along the row. */
#define REPEAT(T)                                                                                  \
    do {                                                                                           \
        T *restrict row = (T *)(void *)to;                                                         \
        const T *restrict one = (const T *)(const void *)from;                                     \
        for (int64_t i = 0; i < b->nr; i++, row += b->nc)                                          \
            for (int64_t j = 0; j < b->nc; j++) row[j] = one[i];                                   \
    } while (0)

static void repeat(const tg_region *r, char *const *base, const block *b,
                   const tg_region_instr *in) {
    char *to = place(r, base, b, in->value[0]);
    const char *from = place(r, base, b, in->value[1]);
    switch (tg_dtype_size(in->to)) {
    case sizeof(uint64_t): REPEAT(uint64_t); break;
    case sizeof(uint32_t): REPEAT(uint32_t); break;
    default: REPEAT(uint8_t);
    }
}

static void lines(const job *j, char *const *base, const block *b, const tg_region_instr *in) {
    static const tg_attrs along = {.n = 2, .v = {2, 0}}; /* axis 1, not kept */
    int64_t from_size = (int64_t)tg_dtype_size(in->from), to_size = (int64_t)tg_dtype_size(in->to);
    tg_view from =
        plane(place(j->r, base, b, in->value[1]), in->from, b, b->nc * from_size, from_size);
    char *p = place(j->r, base, b, in->value[0]);
    tg_view to =
        in->full ? plane(p, in->to, b, b->nc * to_size, to_size) : flat(p, in->to, b->nr, to_size);
    const tg_call call = {.rt = j->rt, .op = in->op, .n = 1, .in = &from, .out = &to, .at = &along};
    in->op->run(&call); /* rows are not empty: it cannot fail */
}

static tg_acc *accumulators(const tg_region *r, char *scratch, int sum) {
    return (tg_acc *)(void *)(scratch + r->sum[sum].at);
}

static void add(const tg_region *r, char *const *base, char *scratch, const block *b,
                const tg_region_instr *in) {
    const tg_piece_loops *f = tg_pieces_loops(r->sum[in->number].pieces);
    tg_acc *acc = accumulators(r, scratch, in->number);
    const void *x = place(r, base, b, in->value[1]);
    int64_t n = in->rows ? b->nr : b->nr * b->nc;
    int which = in->from == TG_F32 ? 0 : 1;
    if (in->kind == TG_REGION_ADD)
        f->add[which](n, x, acc);
    else
        f->rows[which](b->nr, b->nc, x, acc + b->c);
}

/* ---- parts ---- */

static void start_sums(const tg_region *r, char *scratch) {
    for (int i = 0; i < r->nsums; i++) {
        tg_acc *acc = accumulators(r, scratch, i);
        for (int64_t k = 0; k < r->sum[i].width; k++) acc[k] = (tg_acc){r->sum[i].pieces->empty, 0};
    }
}

static block block_at(const tg_region *r, int64_t i) {
    int64_t pieces = (r->cols + r->block_cols - 1) / r->block_cols;
    block b = {i / pieces * r->block_rows, r->block_rows, i % pieces * r->block_cols,
               r->block_cols};
    if (b.nr > r->rows - b.r) b.nr = r->rows - b.r;
    if (b.nc > r->cols - b.c) b.nc = r->cols - b.c;
    return b;
}

static void run_block(const job *j, char *const *base, char *scratch, const block *b) {
    const tg_region *r = j->r;
    for (int i = 0; i < r->ninstr; i++) {
        const tg_region_instr *in = &r->instr[i];
        switch (in->kind) {
        case TG_REGION_MAP: map(r, base, b, in); break;
        case TG_REGION_CONVERT: convert(r, base, b, in); break;
        case TG_REGION_GATHER:
            if (!in->once)
                gather(&r->gather[in->number], j->p->slots[r->gather[in->number].slot].v.data,
                       in->to, b, base[in->value[0]]);
            break;
        case TG_REGION_REPEAT: repeat(r, base, b, in); break;
        case TG_REGION_LINES: lines(j, base, b, in); break;
        case TG_REGION_ADD:
        case TG_REGION_ADD_ROWS: add(r, base, scratch, b, in); break;
        }
    }
}

static bool run_part(void *user, int64_t part) {
    const job *j = user;
    const tg_region *r = j->r;
    char *base[TG_REGION_VALUES], *scratch = j->scratch + part * (int64_t)r->scratch_bytes;
    for (int i = 0; i < r->nvalues; i++)
        base[i] =
            r->value[i].slot >= 0 ? j->p->slots[r->value[i].slot].v.data : scratch + r->value[i].at;
    start_sums(r, scratch);
    const block whole = {0, r->block_rows, 0, r->block_cols};
    for (int i = 0; i < r->ninstr && r->ngather; i++) {
        const tg_region_instr *in = &r->instr[i];
        if (in->once)
            gather(&r->gather[in->number], j->p->slots[r->gather[in->number].slot].v.data, in->to,
                   &whole, base[in->value[0]]);
    }
    if (r->blocks == 1) {
        run_block(j, base, scratch, &whole);
        return true;
    }
    int64_t end = (part + 1) * r->per_part < r->blocks ? (part + 1) * r->per_part : r->blocks;
    for (int64_t i = part * r->per_part; i < end; i++) {
        const block b = block_at(r, i);
        run_block(j, base, scratch, &b);
    }
    return true;
}

/* ---- the whole ---- */

static void finish_sum(const job *j, const tg_region_sum *sum) {
    const tg_view *out = &j->p->slots[sum->slot].v;
    tg_acc *acc = (tg_acc *)(void *)(j->scratch + sum->at);
    for (int64_t part = 1; part < j->r->parts; part++)
        tg_pieces_loops(sum->pieces)
            ->join(sum->width, acc,
                   (tg_acc *)(void *)(j->scratch + part * (int64_t)j->r->scratch_bytes + sum->at));
    double count = sum->pieces->mean ? (double)sum->count : 1;
    for (int64_t k = 0; k < sum->width; k++) {
        double x = (acc[k].hi + acc[k].lo) / count;
        if (out->dtype == TG_F32)
            ((float *)out->data)[k] = (float)x;
        else
            ((double *)out->data)[k] = x;
    }
}

bool tg_step_region(tg_rt *rt, tg_plan *p, const tg_step *s) {
    const tg_region *r = p->regions[s->region];
    job j = {rt, p, r, r->scratch >= 0 ? p->slots[r->scratch].v.data : NULL};
    if (r->parts == 1)
        run_part(&j, 0);
    else if (!tg_pool_run(rt, r->parts, r->cost, run_part, &j))
        return false;
    for (int i = 0; i < r->nsums; i++) finish_sum(&j, &r->sum[i]);
    return true;
}
