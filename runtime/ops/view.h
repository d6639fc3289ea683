/* Operations that look at the same elements in another arrangement, and indexing by numbers. */
#ifndef TG_RUNTIME_VIEW_H
#define TG_RUNTIME_VIEW_H

#include "runtime/ops/op.h"

/* One entry between the brackets of x[2:5, ..., -1, none]. */
typedef enum tg_slice_kind {
    TG_SLICE_INDEX,   /* start: one place; the axis goes */
    TG_SLICE_RANGE,   /* start:stop:step */
    TG_SLICE_REST,    /* `...`: the axes not named, whole */
    TG_SLICE_NEWAXIS, /* `none`: a new axis of size 1 */
} tg_slice_kind;

/* A place or bound as written: a whole number, negative from the end, or a size that may be
 * symbolic. A symbolic size counts from the start; x[-N] has start = N with from_end set. */
typedef struct tg_slice_bound {
    bool given;
    bool from_end; /* counts back from the end: -1 is value = 1 */
    tg_size value;
} tg_slice_bound;

typedef struct tg_slice_item {
    tg_slice_kind kind;
    tg_slice_bound start, stop;
    int64_t step; /* of RANGE, not 0; 1 when not given */
} tg_slice_item;

static inline tg_slice_bound tg_slice_at(int64_t i) { /* a known number, either sign */
    return (tg_slice_bound){true, i < 0, i < 0 ? -i : i};
}

/* The attributes of the record `slice` for an index on a tensor of that type. Known bounds are cut
 * to the axis, as in NumPy; where the axis or a bound is symbolic they are taken to be in range,
 * and a plan whose sizes say otherwise fails with a message. Errors: a place out of range, too many
 * entries, two `...`, a step of 0, a rank above the limit. */
bool tg_slice_attrs(tg_rt *rt, const tg_type *in, int nitems, const tg_slice_item *items,
                    tg_attrs *at);

/* The elements of v that a slice (with known sizes) names: for assigning to x[...]. */
void tg_slice_view(const tg_view *v, const tg_attrs *at, tg_view *out);

const tg_op *tg_op_slice(void); /* the record */

extern const tg_op_table tg_ops_view, tg_ops_slice;

#endif
