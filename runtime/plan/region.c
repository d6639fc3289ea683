/* What forming and building a region share: strides of operands over the iteration shape. Axes
 * merge where an outer step is the inner one's times its size, as in tensor/loop.c, but here for a
 * range of axes at a time, since rows and columns are walked apart. */
#include "runtime/plan/region.h"

#include "base/alloc.h"

void tg_region_strides(const tg_view *v, int rank, const int64_t *dim, int64_t *stride) {
    int64_t size = (int64_t)tg_dtype_size(v->dtype);
    for (int i = 0; i < rank; i++) {
        int j = i - (rank - v->rank);
        stride[i] = j < 0 || (v->dim[j] == 1 && dim[i] != 1) ? 0 : v->stride[j] * size;
    }
}

void tg_region_merge(int from, int to, const int64_t *dim, const int64_t *stride,
                     tg_region_axes *out) {
    out->n = 0;
    for (int i = from; i < to; i++) {
        if (dim[i] == 1) continue;
        int top = out->n - 1;
        if (top >= 0 && out->stride[top] == stride[i] * dim[i]) {
            out->dim[top] *= dim[i];
            out->stride[top] = stride[i];
        } else {
            out->dim[out->n] = dim[i];
            out->stride[out->n++] = stride[i];
        }
    }
}

void tg_region_free(tg_region *r) {
    if (!r) return;
    tg_free(r->value);
    tg_free(r->instr);
    tg_free(r->gather);
    tg_free(r->sum);
    tg_free(r->over);
    tg_free(r->ops);
    tg_free(r);
}

size_t tg_region_bytes(const tg_region *r) {
    return sizeof *r + (size_t)r->nvalues * sizeof *r->value +
           (size_t)r->ninstr * sizeof *r->instr + (size_t)r->ngather * sizeof *r->gather +
           (size_t)r->nsums * sizeof *r->sum + r->cap_overs * sizeof *r->over +
           (size_t)r->nops * sizeof *r->ops;
}
