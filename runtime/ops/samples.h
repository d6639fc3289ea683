/* The sample calls of an operation's record, read: the leaves with their shapes, and the call over
 * them. The generated tests run them; help tells from them what becomes of shapes. */
#ifndef TG_RUNTIME_SAMPLES_H
#define TG_RUNTIME_SAMPLES_H

#include "runtime/ops/op.h"

enum { TG_SAMPLE_LEAVES = 4 };

typedef struct tg_op_leaf {
    char name[8];
    int rank;
    int64_t dim[TG_MAX_RANK];
    char kind[12]; /* what its values are like: "" anything of the interval, or a word of matrices:
                      regular, spd, small */
} tg_op_leaf;

typedef struct tg_op_sample {
    const tg_op *op;
    int n;
    tg_op_leaf leaf[TG_SAMPLE_LEAVES];
    char text[160]; /* of the call; "": the operation on the leaves themselves */
} tg_op_sample;

tg_op_leaf tg_op_sample_leaf(const char *name, const char *dims);
/* Reads "x[3,4], y[2]: text" from p up to `end`; a word after the sizes is the kind, "x[3,3] spd:
 * inv(x)". False: it is none. */
bool tg_op_sample_read(const char *p, const char *end, tg_op_sample *out);
/* Reads the next of a record's samples, which *at points into; moves *at behind it. False: there is
 * none, or one that cannot be read, and then *at stays. */
bool tg_op_sample_next(const char **at, tg_op_sample *out);

#endif
