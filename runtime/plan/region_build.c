/* The program of a region: its values, instructions, registers and blocks.
 *
 * An operand in memory is read where it stands when its elements lie side by side in every block,
 * or are one and the same; else it is gathered into a register first, once for all blocks where it
 * is the same in all of them (a row of biases under many short rows). Results that are needed
 * outside are written to their place at once and read from there by later instructions; all others
 * live in registers, assigned by liveness (Poletto & Sarkar 1999), each as long as a block. The
 * length of a block is what lets all registers stay in the first-level cache.
 *
 * How blocks are cut, and which of them make a part for a thread, depends on sizes alone. */
#include "runtime/plan/region.h"

#include "base/alloc.h"

#include <string.h>

enum {
    CACHE = 32 << 10,  /* bytes for all registers */
    LEAST_BLOCK = 256, /* elements, unless rows are longer or there are fewer */
    MOST_BLOCK = 2048,
    LONG_ROW = 512, /* rows from this length on are worked on one by one */
    MOST_PARTS = 32,
    PART_COST = 250000, /* nanoseconds at least in a part */
};

typedef struct builder {
    tg_rt *rt;
    tg_plan *p;
    const tg_grouping *all;
    const tg_group *g;
    const bool *needed;
    tg_region *r;
    int split;       /* the axes from here on are the columns */
    bool single;     /* no block has more than one row */
    int *own;        /* of each member: the value of its result, or -1 */
    int *last;       /* of each value: the last instruction that uses it */
    int *reg;        /* of each value: its register's number, or -1 */
    int *bytes;      /* of each value in a register: the size of an element */
    bool *per_row;   /* of each value: a register of row values */
    bool *busy;      /* registers in use: full ones, then row ones */
    int nfull, nrow; /* registers of either kind */
    size_t size;     /* the largest size of an element in a register */
} builder;

/* ---- looking up ---- */

static const tg_view *view_of(const builder *b, int slot) {
    return &b->p->slots[slot].v;
}

static tg_space space_of(const builder *b, int t) {
    return (tg_space)b->all->space[t];
}

static bool on_rows(tg_space s, const tg_step *step) {
    return s == TG_SPACE_ROWS_TOTAL || (s == TG_SPACE_ROW && !(step->op && step->op->lines));
}

/* The place of step t among the members, or -1. */
static int member_of(const builder *b, int t) {
    if (t < 0 || b->all->group[t] != b->all->group[b->g->member[0]]) return -1;
    int lo = 0, hi = b->g->n;
    while (lo + 1 < hi) {
        int mid = lo + (hi - lo) / 2;
        if (b->g->member[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static int producer(const builder *b, int slot) {
    return member_of(b, b->all->writer[b->p->slots[slot].storage]);
}

/* ---- rows and columns ---- */

/* Do the axes from `split` on merge into one for the operands of all members? */
static bool merges_from(const builder *b, int split) {
    for (int i = 0; i < b->g->n; i++) {
        const tg_step *s = &b->p->steps[b->g->member[i]];
        for (int k = 0; k < s->n; k++) {
            int64_t stride[TG_MAX_RANK];
            tg_region_axes axes;
            int slot = b->p->args[s->arg + k];
            if (producer(b, slot) >= 0) continue;
            tg_region_strides(view_of(b, slot), b->g->rank, b->g->dim, stride);
            tg_region_merge(split, b->g->rank, b->g->dim, stride, &axes);
            if (axes.n > 1) return false;
        }
    }
    return true;
}

static void choose_rows(builder *b) {
    const tg_group *g = b->g;
    b->split = g->split;
    if (b->split < 0) {
        b->split = g->rank;
        while (b->split > 0 && merges_from(b, b->split - 1)) b->split--;
    }
    b->r->rows = b->r->cols = 1;
    for (int i = 0; i < g->rank; i++) *(i < b->split ? &b->r->rows : &b->r->cols) *= g->dim[i];
    b->single = b->r->rows == 1 || b->r->cols >= LONG_ROW;
}

/* ---- values ---- */

static int add_value(builder *b, const tg_region_value *v) {
    int i = b->r->nvalues++;
    b->r->value[i] = *v;
    b->last[i] = b->reg[i] = -1;
    return i;
}

/* A row value has one element in a block of one row: as an operand it is the same for all columns.
 */
static int64_t row_step(const builder *b, size_t size) {
    return b->single ? 0 : (int64_t)size;
}

static int add_register(builder *b, tg_dtype t, bool per_row) {
    size_t size = tg_dtype_size(t);
    int64_t step = per_row ? row_step(b, size) : (int64_t)size;
    int i = add_value(b, &(tg_region_value){.slot = -1, .step = step});
    b->per_row[i] = per_row;
    b->bytes[i] = (int)size;
    if (!per_row && size > b->size) b->size = size;
    return i;
}

static tg_region_instr *add_instr(builder *b, tg_region_kind kind, int out) {
    tg_region_instr *i = &b->r->instr[b->r->ninstr++];
    *i = (tg_region_instr){.kind = kind, .n = 1, .value = {out}};
    return i;
}

static int find_value(const builder *b, const tg_region_value *v) {
    for (int i = 0; i < b->r->nvalues; i++) {
        const tg_region_value *w = &b->r->value[i];
        if (w->slot == v->slot && w->row == v->row && w->col == v->col && w->step == v->step)
            return i;
    }
    return -1;
}

static int direct(builder *b, int slot, int64_t row, int64_t col, int64_t step) {
    const tg_region_value v = {.slot = slot, .row = row, .col = col, .step = step};
    int i = find_value(b, &v);
    return i >= 0 ? i : add_value(b, &v);
}

/* The elements of a slot, for row values. */
static int row_operand(builder *b, int slot, const tg_view *like) {
    int64_t stride[TG_MAX_RANK];
    tg_region_axes axes;
    tg_region_strides(view_of(b, slot), like->rank, like->dim, stride);
    tg_region_merge(0, like->rank, like->dim, stride, &axes);
    int64_t step = axes.n ? axes.stride[0] : 0;
    return direct(b, slot, step, 0, step);
}

static int gather(builder *b, int slot, const tg_region_axes *row, const tg_region_axes *col) {
    bool same = !b->single;
    for (int i = 0; i < row->n; i++) same = same && row->stride[i] == 0;
    for (int i = 0; i < b->r->ninstr; i++) { /* an operand used twice is gathered once */
        const tg_region_instr *in = &b->r->instr[i];
        if (in->kind == TG_REGION_GATHER && b->r->gather[in->number].slot == slot)
            return in->value[0];
    }
    tg_region_gather *from = &b->r->gather[b->r->ngather];
    *from = (tg_region_gather){.slot = slot, .row = *row, .col = *col};
    int out = add_register(b, view_of(b, slot)->dtype, false);
    tg_region_instr *i = add_instr(b, TG_REGION_GATHER, out);
    i->once = same;
    i->to = view_of(b, slot)->dtype;
    i->number = b->r->ngather++;
    return out;
}

/* The elements of a slot, for full values. dense: side by side in each block. */
static int full_operand(builder *b, int slot, bool dense) {
    const tg_view *v = view_of(b, slot);
    int64_t stride[TG_MAX_RANK], size = (int64_t)tg_dtype_size(v->dtype), rows = b->r->rows;
    tg_region_axes row, col;
    tg_region_strides(v, b->g->rank, b->g->dim, stride);
    tg_region_merge(0, b->split, b->g->dim, stride, &row);
    tg_region_merge(b->split, b->g->rank, b->g->dim, stride, &col);
    if (row.n > 1 || col.n > 1) return gather(b, slot, &row, &col);
    int64_t by_row = row.n ? row.stride[0] : 0, by_col = col.n ? col.stride[0] : 0;
    if (b->r->cols == 1 && rows > 1) by_col = by_row; /* a column of single elements */
    if (by_row == 0 && by_col == 0 && !dense) return direct(b, slot, 0, 0, 0);
    if (by_col == size && (rows == 1 || by_row == b->r->cols * size))
        return direct(b, slot, by_row, by_col, size);
    if (b->single && (by_col == size || (by_col == 0 && !dense)))
        return direct(b, slot, by_row, by_col, by_col);
    return gather(b, slot, &row, &col);
}

/* Row values, each repeated along its row. */
static int repeated(builder *b, int value, tg_dtype t) {
    for (int i = 0; i < b->r->ninstr; i++)
        if (b->r->instr[i].kind == TG_REGION_REPEAT && b->r->instr[i].value[1] == value)
            return b->r->instr[i].value[0];
    int out = add_register(b, t, false);
    tg_region_instr *i = add_instr(b, TG_REGION_REPEAT, out);
    i->to = t;
    i->n = 2;
    i->value[1] = value;
    return out;
}

static int operand(builder *b, const tg_step *s, tg_space space, int k) {
    int slot = b->p->args[s->arg + k], m = producer(b, slot);
    if (m >= 0) {
        bool narrow = space_of(b, b->g->member[m]) == TG_SPACE_ROW;
        if (!narrow || b->single || on_rows(space, s)) return b->own[m];
        return repeated(b, b->own[m], view_of(b, slot)->dtype);
    }
    if (on_rows(space, s)) {
        const tg_view *like = space == TG_SPACE_ROW ? view_of(b, s->out) : view_of(b, slot);
        return row_operand(b, slot, like);
    }
    return full_operand(b, slot, s->op && s->op->lines);
}

/* Where a member's result goes. */
static int result(builder *b, const tg_step *s, tg_space space) {
    const tg_view *v = view_of(b, s->out);
    int64_t size = (int64_t)tg_dtype_size(v->dtype);
    bool row = space == TG_SPACE_ROW;
    int64_t next = b->r->rows == 1 ? 0 : row ? size : b->r->cols * size; /* row */
    if (!b->needed[b->p->slots[s->out].storage]) return add_register(b, v->dtype, row);
    return direct(b, s->out, next, row ? 0 : size, row ? row_step(b, (size_t)size) : size);
}

/* ---- instructions ---- */

static void add_sum(builder *b, const tg_step *s, tg_space space, int in) {
    tg_region_sum *sum = &b->r->sum[b->r->nsums];
    bool columns = space == TG_SPACE_COLUMNS;
    *sum = (tg_region_sum){
        .pieces = s->op->pieces,
        .slot = s->out,
        .width = columns ? b->r->cols : 1,
        .count = columns || space == TG_SPACE_ROWS_TOTAL ? b->r->rows : b->r->rows * b->r->cols};
    tg_region_instr *i = add_instr(b, columns ? TG_REGION_ADD_ROWS : TG_REGION_ADD, -1);
    i->n = 2;
    i->value[1] = in;
    i->from = view_of(b, b->p->args[s->arg])->dtype;
    i->rows = space == TG_SPACE_ROWS_TOTAL;
    i->number = b->r->nsums++;
}

static void add_member(builder *b, int m) {
    int t = b->g->member[m], in[4] = {-1, -1, -1, -1};
    const tg_step *s = &b->p->steps[t];
    tg_space space = space_of(b, t);
    for (int k = 0; k < s->n; k++) in[k] = operand(b, s, space, k);
    b->own[m] = -1;
    if (space != TG_SPACE_FULL && space != TG_SPACE_ROW) {
        add_sum(b, s, space, in[0]);
        return;
    }
    b->own[m] = result(b, s, space);
    bool lines = s->op && s->op->lines;
    tg_dtype from = view_of(b, b->p->args[s->arg + s->n - 1])->dtype;
    tg_inner_fn *inner = s->op && !lines ? tg_elementwise_inner(s->op, from) : NULL;
    tg_region_instr *i = add_instr(b,
                                   lines   ? TG_REGION_LINES
                                   : inner ? TG_REGION_MAP
                                           : TG_REGION_CONVERT,
                                   b->own[m]);
    i->inner = inner;
    i->op = s->op;
    i->from = from;
    i->to = view_of(b, s->out)->dtype;
    i->rows = on_rows(space, s);
    i->full = lines && space == TG_SPACE_FULL;
    i->n = s->n + 1;
    memcpy(i->value + 1, in, (size_t)s->n * sizeof *in);
}

/* ---- registers ---- */

static bool is_register(const builder *b, int value) {
    return value >= 0 && b->r->value[value].slot < 0;
}

/* An operation may write over its first operand when that dies there. */
static bool takes_over(const builder *b, int i) {
    const tg_region_instr *in = &b->r->instr[i];
    if (in->kind != TG_REGION_MAP || !in->op->in_place) return false;
    int out = in->value[0], x = in->value[1];
    if (!is_register(b, x) || b->last[x] != i || b->per_row[x] != b->per_row[out] ||
        b->bytes[x] != b->bytes[out])
        return false;
    for (int k = 2; k < in->n; k++)
        if (in->value[k] == x) return false;
    return true;
}

static void find_last_uses(builder *b) {
    for (int i = 0; i < b->r->ninstr; i++) {
        const tg_region_instr *in = &b->r->instr[i];
        for (int k = 0; k < in->n; k++)
            if (in->value[k] >= 0 && b->last[in->value[k]] < b->r->ninstr)
                b->last[in->value[k]] = in->once ? b->r->ninstr : i;
    }
}

static bool *registers_like(builder *b, int value) {
    return b->busy + (b->per_row[value] ? TG_REGION_VALUES : 0);
}

static void take_register(builder *b, int value) {
    bool *busy = registers_like(b, value);
    int n = 0, *count = b->per_row[value] ? &b->nrow : &b->nfull;
    while (busy[n]) n++;
    busy[n] = true;
    if (n + 1 > *count) *count = n + 1;
    b->reg[value] = n;
}

static void assign_registers(builder *b) {
    find_last_uses(b);
    for (int i = 0; i < b->r->ninstr; i++)
        if (b->r->instr[i].once) take_register(b, b->r->instr[i].value[0]);
    for (int i = 0; i < b->r->ninstr; i++) {
        const tg_region_instr *in = &b->r->instr[i];
        int out = in->value[0],
            over = in->once || !is_register(b, out) || !takes_over(b, i) ? -1 : in->value[1];
        if (over >= 0)
            b->reg[out] = b->reg[over];
        else if (is_register(b, out) && !in->once)
            take_register(b, out);
        for (int k = 1; k < in->n; k++) {
            int x = in->value[k];
            if (is_register(b, x) && b->last[x] == i && x != over)
                registers_like(b, x)[b->reg[x]] = false;
        }
    }
}

/* ---- results in the place of operands ---- */

static int storage_of_value(const builder *b, int value) {
    int slot = value < 0 ? -1 : b->r->value[value].slot;
    return slot < 0 ? -1 : b->p->slots[slot].storage;
}

static bool same_places(const builder *b, int value, int other) {
    const tg_region_value *v = &b->r->value[value], *w = &b->r->value[other];
    return v->row == w->row && v->col == w->col && v->step == w->step &&
           b->p->slots[v->slot].offset == 0 &&
           tg_dtype_size(view_of(b, v->slot)->dtype) == tg_dtype_size(view_of(b, w->slot)->dtype);
}

/* May operation `in` write its result over its operand k? */
static bool writes_over(const builder *b, const tg_region_instr *in, int k) {
    return k == 1 && in->kind == TG_REGION_MAP && in->op->in_place &&
           view_of(b, b->r->value[in->value[0]].slot)->dtype ==
               view_of(b, b->r->value[in->value[1]].slot)->dtype;
}

/* The storage that operand k of instruction j is the first to read, when it comes from outside
 * and all who read it do so at the same places; *last: the last that does. -1: none. */
static int read_storage(const builder *b, int j, int k, int *last) {
    const int value = b->r->instr[j].value[k], storage = storage_of_value(b, value);
    if (storage < 0 || b->p->storage[storage].home != TG_HOME_WORK ||
        member_of(b, b->all->writer[storage]) >= 0)
        return -1;
    for (int i = 0; i < b->r->ninstr; i++) {
        const tg_region_instr *in = &b->r->instr[i];
        if (in->kind == TG_REGION_GATHER &&
            b->p->slots[b->r->gather[in->number].slot].storage == storage)
            return -1;
        for (int m = 1; m < in->n; m++) {
            if (storage_of_value(b, in->value[m]) != storage) continue;
            if (i < j || (i == j && m < k) || !same_places(b, in->value[m], value)) return -1;
            *last = i;
        }
    }
    return storage;
}

/* Is each element of the storage, which `value` reads, read before instruction i writes its result
 * in its place? */
static bool is_read_before(const builder *b, int i, int storage, int value, int last) {
    const tg_region_instr *in = &b->r->instr[i];
    for (int k = 1; i == last && k < in->n; k++)
        if (storage_of_value(b, in->value[k]) == storage && !writes_over(b, in, k)) return false;
    return same_places(b, value, in->value[0]);
}

static bool add_over(builder *b, int out, int storage) {
    tg_region *r = b->r;
    void *items = r->over;
    if (!tg_grow(&items, &r->cap_overs, r->novers + 1, sizeof *r->over))
        return tg_fail_memory(&b->rt->c);
    r->over = items;
    r->over[r->novers++] = (tg_region_over){out, storage};
    return true;
}

static bool find_overs_of(builder *b, int storage, int value, int last) {
    const tg_plan *p = b->p;
    for (int i = last; i < b->r->ninstr; i++) {
        int result = b->r->instr[i].value[0], out = storage_of_value(b, result);
        if (out >= 0 && p->storage[out].home == TG_HOME_WORK &&
            p->storage[storage].bytes == p->storage[out].bytes &&
            is_read_before(b, i, storage, value, last) &&
            !add_over(b, b->r->value[result].slot, storage))
            return false;
    }
    return true;
}

static bool find_overs(builder *b) {
    for (int j = 0; j < b->r->ninstr; j++)
        for (int k = 1; k < b->r->instr[j].n; k++) {
            int last = j, storage = read_storage(b, j, k, &last);
            if (storage >= 0 && !find_overs_of(b, storage, b->r->instr[j].value[k], last))
                return false;
        }
    return true;
}

/* ---- blocks, parts and scratch ---- */

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t divided(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

static size_t lines(int64_t n, size_t size) { /* whole cache lines */
    return ((size_t)n * size + 63) & ~(size_t)63;
}

static void cut_blocks(builder *b) {
    tg_region *r = b->r;
    int64_t most = CACHE / (int64_t)((size_t)(b->nfull ? b->nfull : 1) * (b->size ? b->size : 8));
    most = most < LEAST_BLOCK ? LEAST_BLOCK : smaller(most & ~(int64_t)63, MOST_BLOCK);
    r->block_rows = b->single ? 1 : smaller(r->rows, most / r->cols > 1 ? most / r->cols : 1);
    r->block_cols = b->single && !b->g->whole ? smaller(r->cols, most) : r->cols;
    r->blocks = divided(r->rows, r->block_rows) * divided(r->cols, r->block_cols);
    r->cost = (double)r->rows * (double)r->cols * (double)r->ninstr * 0.5;
    double parts = r->cost / PART_COST;
    r->parts = smaller(r->blocks, parts < 1 ? 1 : parts > MOST_PARTS ? MOST_PARTS : (int64_t)parts);
    r->per_part = divided(r->blocks, r->parts);
    r->parts = divided(r->blocks, r->per_part);
}

/* Offsets in the scratch of one part: registers, then accumulators. */
static void lay_out_scratch(builder *b) {
    tg_region *r = b->r;
    size_t full = lines(r->block_rows * r->block_cols, b->size), row = lines(r->block_rows, 8);
    for (int i = 0; i < r->nvalues; i++) {
        if (r->value[i].slot >= 0) continue;
        size_t n = (size_t)b->reg[i];
        r->value[i].at = b->per_row[i] ? (size_t)b->nfull * full + n * row : n * full;
    }
    r->scratch_bytes = (size_t)b->nfull * full + (size_t)b->nrow * row;
    for (int i = 0; i < r->nsums; i++) {
        r->sum[i].at = r->scratch_bytes;
        r->scratch_bytes += lines(r->sum[i].width, sizeof(tg_acc));
    }
}

/* ---- the step ---- */

static int list_slot(int *list, int n, int slot) {
    for (int i = 0; i < n; i++)
        if (list[i] == slot) return n;
    list[n] = slot;
    return n + 1;
}

/* What is read and, behind that, what is written. The scratch is both, for it lives as long as the
 * step. */
static bool add_step(builder *b, int *args) {
    const tg_step *last = &b->p->steps[b->g->last];
    tg_region *r = b->r;
    int reads = 0, writes = 0;
    if (r->scratch_bytes) {
        int64_t bytes = (int64_t)r->scratch_bytes * r->parts;
        r->scratch = tg_plan_add_value(b->rt, b->p, TG_HOME_WORK, 0, TG_U8, 1, &bytes);
        if (r->scratch < 0) return false;
        last = &b->p->steps[b->g->last];
        args[reads++] = r->scratch;
    }
    for (int i = 0; i < b->g->n; i++) {
        const tg_step *s = &b->p->steps[b->g->member[i]];
        for (int k = 0; k < s->n; k++) {
            int slot = b->p->args[s->arg + k];
            if (producer(b, slot) < 0) reads = list_slot(args, reads, slot);
        }
    }
    int *out = args + reads;
    for (int i = 0; i < b->g->n; i++) {
        const tg_step *s = &b->p->steps[b->g->member[i]];
        if (b->needed[b->p->slots[s->out].storage]) out[writes++] = s->out;
    }
    if (r->scratch_bytes) out[writes++] = r->scratch;
    tg_step s = {.run = tg_step_region,
                 .node = last->node,
                 .attrs = -1,
                 .product = -1,
                 .region = (int)b->p->nregions,
                 .loop = -1,
                 .out = out[0],
                 .n = reads,
                 .more = writes - 1,
                 .in_place = -1,
                 .once = b->g->once};
    memmove(out, out + 1, (size_t)(writes - 1) * sizeof *out);
    return tg_plan_add_step(b->rt, b->p, &s, args) >= 0;
}

/* ---- the whole ---- */

static void count_members(builder *b) {
    tg_region *r = b->r;
    for (int m = 0; m < b->g->n; m++) {
        const tg_step *s = &b->p->steps[b->g->member[m]];
        tg_view in[TG_MAX_TENSORS];
        int n = s->n < TG_MAX_TENSORS ? s->n : TG_MAX_TENSORS;
        for (int i = 0; i < n; i++) in[i] = *view_of(b, b->p->args[s->arg + i]);
        r->ops[r->nops++] = s->op;
        if (s->op) r->flops += tg_op_flops(s->op, n, in, view_of(b, s->out));
    }
}

static void *shrunk(void *items, int n, size_t size) {
    void *p = tg_realloc(items, (size_t)n * size);
    return p ? p : items;
}

static bool build(builder *b, int weight) {
    tg_region *r = b->r;
    size_t n = (size_t)weight;
    r->value = tg_alloc_array(n, sizeof *r->value);
    r->instr = tg_alloc_array(n, sizeof *r->instr);
    r->gather = tg_alloc_array(n, sizeof *r->gather);
    r->sum = tg_alloc_array((size_t)b->g->n, sizeof *r->sum);
    r->ops = tg_alloc_array((size_t)b->g->n, sizeof *r->ops);
    int *room = tg_alloc_array(4 * n + (size_t)b->g->n + 2, sizeof *room);
    bool *flags = tg_alloc_array(n + 2 * TG_REGION_VALUES, sizeof *flags);
    bool ok = r->value && r->instr && r->gather && r->sum && r->ops && room && flags;
    if (ok) {
        b->own = room;
        b->last = b->own + b->g->n;
        b->reg = b->last + n;
        b->bytes = b->reg + n;
        b->per_row = flags;
        b->busy = flags + n;
        count_members(b);
        choose_rows(b);
        for (int m = 0; m < b->g->n; m++) add_member(b, m);
        assign_registers(b);
        cut_blocks(b);
        lay_out_scratch(b);
        r->value = shrunk(r->value, r->nvalues, sizeof *r->value);
        r->instr = shrunk(r->instr, r->ninstr, sizeof *r->instr);
        r->gather = shrunk(r->gather, r->ngather, sizeof *r->gather);
        r->sum = shrunk(r->sum, r->nsums, sizeof *r->sum);
    }
    ok = ok ? find_overs(b) && add_step(b, b->bytes + n) : tg_fail_memory(&b->rt->c);
    tg_free(room);
    tg_free(flags);
    return ok;
}

bool tg_region_build(tg_rt *rt, tg_plan *p, const tg_grouping *all, const tg_group *g,
                     const bool *needed) {
    void *items = p->regions;
    if (!tg_grow(&items, &p->cap_regions, p->nregions + 1, sizeof *p->regions))
        return tg_fail_memory(&rt->c);
    p->regions = items;
    builder b = {.rt = rt, .p = p, .all = all, .g = g, .needed = needed};
    int weight = 0;
    for (int i = 0; i < g->n; i++) weight += 1 + p->steps[g->member[i]].n;
    b.r = tg_alloc_array(1, sizeof *b.r);
    if (!b.r) return tg_fail_memory(&rt->c);
    b.r->scratch = -1;
    if (!build(&b, weight)) {
        tg_region_free(b.r);
        return false;
    }
    p->regions[p->nregions++] = b.r;
    return true;
}
