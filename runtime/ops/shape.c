/* The two shape rules that all elementwise operations share: which float type arithmetic gives, and
 * broadcasting.
 *
 * Broadcasting is stricter than NumPy's: one of the operands must already have the shape of the
 * result. That admits everything that textbooks write (a scalar with a matrix, a row or a column
 * with a matrix) and refuses the silent [N, 1] - [N] = [N, N], the most expensive misprint of array
 * programs. Sizes are compared as symbols: two that are provably equal are the same int64. */
#include "runtime/ops/op.h"

#include <string.h>

/* ---- types ---- */

tg_dtype tg_promote(tg_rt *rt, int n, const tg_type *in) {
    /* Tensors decide; where there are only scalars, those that are not plain numbers; else it is
     * all plain numbers. */
    bool tensors = false, numbers = true;
    for (int i = 0; i < n; i++) {
        if (in[i].rank > 0) tensors = true;
        if (!in[i].weak) numbers = false;
    }
    if (numbers) return TG_F64;
    tg_dtype best = TG_BOOL;
    for (int i = 0; i < n; i++)
        if (!in[i].weak && (in[i].rank > 0 || !tensors) && in[i].dtype > best) best = in[i].dtype;
    return tg_dtype_is_float(best) ? best : rt->precision;
}

/* ---- broadcasting ---- */

static tg_size size_from_right(const tg_type *t, int k) {
    return k < t->rank ? t->dim[t->rank - 1 - k] : 1;
}

/* Is the shape of a that of b without some of its axes, in order? Then *axis is the first that it
 * lacks. */
static bool lacks_axes(const tg_type *a, const tg_type *b, int *axis) {
    int i = 0;
    *axis = -1;
    for (int j = 0; j < b->rank; j++) {
        if (i < a->rank && a->dim[i] == b->dim[j])
            i++;
        else if (*axis < 0)
            *axis = j;
    }
    return i == a->rank && *axis >= 0 && a->rank + 1 == b->rank;
}

/* Sizes da and db of operands i and j meet on one axis and are different. */
static bool fail_sizes(tg_rt *rt, const tg_type *in, int i, int j, tg_size da, tg_size db) {
    const tg_type *a = &in[i], *b = &in[j];
    tg_str x = {0}, y = {0};
    tg_size_print(rt, &x, da);
    tg_size_print(rt, &y, db);
    tg_fail(&rt->c, TG_ERR_SHAPE, "the shapes %s and %s do not combine: the sizes %s and %s differ",
            tg_shape_text(rt, a->rank, a->dim), tg_shape_text(rt, b->rank, b->dim), tg_str_text(&x),
            tg_str_text(&y));
    tg_str_free(&x);
    tg_str_free(&y);
    int axis, small = i, large = j;
    if (a->rank > b->rank) small = j, large = i;
    if (lacks_axes(&in[small], &in[large], &axis))
        tg_help(&rt->c,
                "expand({%d}, shape({%d}), axis=%d) repeats it along axis %d; a reduction keeps "
                "that axis with keep=true",
                small, large, axis, axis);
    return false;
}

/* Every axis fits, but no operand has the shape of the result. */
static bool fail_result(tg_rt *rt, const tg_type *in, int i, int j, const tg_type *out) {
    const char *result = tg_shape_text(rt, out->rank, out->dim);
    tg_fail(&rt->c, TG_ERR_SHAPE,
            "the shapes %s and %s do not combine: neither is the shape %s of the result",
            tg_shape_text(rt, in[i].rank, in[i].dim), tg_shape_text(rt, in[j].rank, in[j].dim),
            result);
    for (int k = 0; k < 2;
         k++) { /* [N] and [N, 1]: most often a column that was meant as a vector */
        int column = k ? j : i, other = k ? i : j;
        if (in[column].rank == 2 && in[column].dim[1] == 1 && in[other].rank == 1 &&
            in[column].dim[0] == in[other].dim[0])
            return tg_help(
                &rt->c,
                "element by element: flatten({%d}); each with each, %s: outer(a, b), or expand",
                column, result);
    }
    return tg_help(&rt->c,
                   "outer(a, b) multiplies each element of a vector with each of another; if %s is "
                   "meant, write "
                   "expand({%d}, %s)",
                   result, in[i].rank < in[j].rank ? j : i, result);
}

bool tg_broadcast(tg_rt *rt, int n, const tg_type *in, tg_type *out) {
    int from[TG_MAX_RANK] = {0}; /* which operand gave the size, counted from the right */
    out->rank = 0;
    for (int i = 0; i < n; i++)
        if (in[i].rank > out->rank) out->rank = in[i].rank;
    for (int k = 0; k < out->rank; k++) {
        tg_size d = 1;
        for (int i = 0; i < n; i++) {
            tg_size own = size_from_right(&in[i], k);
            if (own == 1) continue;
            if (d != 1 && own != d) return fail_sizes(rt, in, from[k], i, d, own);
            if (d == 1) d = own, from[k] = i;
        }
        out->dim[out->rank - 1 - k] = d;
    }
    int first = -1, second = -1; /* two operands that are not scalars, to blame */
    for (int i = 0; i < n; i++) {
        if (tg_type_same_shape(&in[i], out)) return true;
        if (in[i].rank == 0) continue;
        if (first < 0)
            first = i;
        else if (second < 0)
            second = i;
    }
    return fail_result(rt, in, first, second, out);
}
