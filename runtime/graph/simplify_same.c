/* Equality of formulas by normal form. First the simplifier: equal formulas are often one node
 * then. Otherwise their difference is zero. */
#include "runtime/graph/simplifier.h"

bool tg_simplify_same(tg_rt *rt, tg_node *a, tg_node *b, bool *same, uint32_t *used) {
    uint32_t more[3] = {0};
    *same = false;
    tg_node *x = tg_simplify(rt, a, &more[0]), *y = x ? tg_simplify(rt, b, &more[1]) : NULL;
    if (!y) return false;
    *same = x == y;
    bool comparable = tg_shape_equal(a->type.rank, a->type.dim, b->type.rank, b->type.dim) &&
                      tg_dtype_is_float(a->type.dtype) && tg_dtype_is_float(b->type.dtype);
    if (!*same && comparable) {
        tg_node *d = tg_node_call2(rt, "sub", a, b);
        tg_simp s = {.rt = rt};
        tg_simp_name_ops(&s);
        if (!d || !(d = tg_simplify(rt, d, &more[2]))) return false;
        *same = tg_simp_is_uniform(&s, d, 0);
    }
    if (used) *used = *same ? more[0] | more[1] | more[2] : 0;
    return true;
}
