/* A region: several steps made into one, which runs them all over one block of elements after
 * another, small enough for the cache. What only they need of each other is never stored.
 *
 * A region has one iteration shape, looked at as rows and columns: a value is full (an element for
 * each row and column) or has an element for each row; reductions over all, or over the rows, are
 * complete only when the last block is done, and so nobody inside can read them. A block is a range
 * of rows and columns: some whole rows, or a piece of one row. region_form.c decides which steps
 * go together, region_build.c writes the region's program, region_run.c runs it. */
#ifndef TG_RUNTIME_REGION_H
#define TG_RUNTIME_REGION_H

#include "runtime/ops/elementwise.h"
#include "runtime/ops/pieces.h"
#include "runtime/plan/program.h"

enum {
    TG_REGION_MEMBERS = 192, /* at most so many steps in one region */
    TG_REGION_VALUES = 512,  /* and so many values */
};

/* What a step of the program is to its region. */
typedef enum tg_space {
    TG_SPACE_FULL,       /* its result has an element for each row and column */
    TG_SPACE_ROW,        /* for each row */
    TG_SPACE_COLUMNS,    /* a reduction over the rows: for each column, known at the end */
    TG_SPACE_TOTAL,      /* a reduction of full values to one, known at the end */
    TG_SPACE_ROWS_TOTAL, /* the same of row values */
} tg_space;

/* A group of steps that become a region. */
typedef struct tg_group {
    int n, cap;
    int *member; /* numbers of steps, ascending */
    int rank;    /* of the iteration shape */
    int64_t dim[TG_MAX_RANK];
    int split;       /* axes from here on are columns; -1: any will do */
    bool once;       /* made of steps that run with the first run only */
    bool whole;      /* a block must have whole rows */
    int first, last; /* the first and last member */
} tg_group;

/* An operand of the instructions: memory of the plan, or a register. In a block that begins at row
 * r and column c it stands at base + r * row + c * col. */
typedef struct tg_region_value {
    int slot;         /* of the plan; -1: a register */
    size_t at;        /* of a register: offset in the scratch */
    int64_t row, col; /* bytes; 0 in registers */
    int64_t step;     /* bytes from one element of the block to the next: its size, or 0 */
} tg_region_value;

/* A walk over some axes: merged where the strides allow. Strides are in bytes. */
typedef struct tg_region_axes {
    int n;
    int64_t dim[TG_MAX_RANK], stride[TG_MAX_RANK];
} tg_region_axes;

typedef enum tg_region_kind {
    TG_REGION_MAP,     /* an elementwise operation's inner loop */
    TG_REGION_CONVERT, /* to another type, or a copy */
    TG_REGION_GATHER,  /* memory that blocks do not find side by side, into a register */
    TG_REGION_REPEAT,  /* row values, each repeated along its row */
    TG_REGION_LINES,   /* an operation on each row */
    TG_REGION_ADD,     /* a block's part of a reduction of all */
    TG_REGION_ADD_ROWS /* the same of one over the rows */
} tg_region_kind;

typedef struct tg_region_instr {
    tg_region_kind kind;
    bool rows;          /* on row values: an element for each row */
    bool once;          /* GATHER: the same in all blocks, once for each part */
    bool full;          /* LINES: the result is as long as the row */
    tg_dtype from, to;  /* of operand 1 and of the result */
    int n, value[5];    /* the result, then the operands */
    tg_inner_fn *inner; /* MAP */
    const tg_op *op;    /* LINES */
    int number;         /* GATHER: of the gathered memory; ADD, ADD_ROWS: of the reduction */
} tg_region_instr;

typedef struct tg_region_gather {
    int slot;
    tg_region_axes row, col; /* steps over the iteration shape */
} tg_region_gather;

typedef struct tg_region_sum {
    const tg_pieces *pieces;
    int slot;      /* the result */
    int64_t width; /* results: 1, or the columns */
    int64_t count; /* elements in each */
    size_t at;     /* its accumulators, from the start of a part's scratch */
} tg_region_sum;

/* The result in that slot may be written over what the storage holds, if that dies here: each
 * element is read before the result's is written. */
typedef struct tg_region_over {
    int out, storage;
} tg_region_over;

struct tg_region {
    int nvalues, ninstr, ngather, nsums;
    size_t novers, cap_overs;
    tg_region_over *over;
    tg_region_value *value;
    tg_region_instr *instr;
    tg_region_gather *gather;
    tg_region_sum *sum;
    int scratch;          /* the slot of the scratch memory of all parts, or -1 */
    size_t scratch_bytes; /* of one part */
    int64_t rows, cols;   /* the iteration shape */
    int64_t block_rows, block_cols;
    int64_t blocks;          /* how many there are ... */
    int64_t parts, per_part; /* ... and in how many parts they are handed to threads */
    double cost;             /* nanoseconds, roughly */
    int nops;                /* for profiles: the members' operations, NULL for a copy ... */
    const tg_op **ops;
    double flops; /* ... and what they take together */
};

/* region_form.c: groups of the program's steps, then the program with regions in their place. */
bool tg_plan_form_regions(tg_rt *rt, tg_plan *p);
/* The space of a member's result, by the number of the step. */
typedef struct tg_grouping {
    int *writer;          /* of each storage: the step that writes it, or -1 */
    int *group;           /* of each step: its group, or -1 */
    unsigned char *space; /* of each step in a group: tg_space */
    tg_group *groups;
    int ngroups;
} tg_grouping;

/* region_build.c: adds to p the region of a group, and to *s and args (as many as are needed) the
 * step that runs it: `needed` tells for a storage whether a step outside reads it, or a result. */
bool tg_region_build(tg_rt *rt, tg_plan *p, const tg_grouping *all, const tg_group *g,
                     const bool *needed);
void tg_region_free(tg_region *r);
size_t tg_region_bytes(const tg_region *r);

/* region_run.c */
tg_step_fn tg_step_region;

/* Strides in bytes of a slot seen in the iteration shape of rank `rank`: 0 where it is repeated. */
void tg_region_strides(const tg_view *v, int rank, const int64_t *dim, int64_t *stride);
/* The axes from `from` to `to` with their strides, merged. */
void tg_region_merge(int from, int to, const int64_t *dim, const int64_t *stride,
                     tg_region_axes *out);

#endif
