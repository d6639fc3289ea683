/* Loop nests over several views. Merging adjacent axes (an outer axis whose step is the inner one's
 * step times its size, for every operand) is the classical loop collapsing of array languages;
 * NumPy's nditer does the same. Nothing here allocates. */
#include "runtime/tensor/loop.h"

#include <assert.h>
#include <string.h>

void tg_loop_init(tg_loop *l, int n, const tg_view *const *v) {
    assert(n >= 1 && n <= TG_LOOP_OPERANDS);
    const tg_view *out = v[0];
    int64_t dim[TG_MAX_RANK + 1] = {0}, step[TG_MAX_RANK + 1][TG_LOOP_OPERANDS];
    int top = 0; /* axes gathered so far, outermost first */

    l->n = n;
    l->empty = false;
    for (int i = 0; i < n; i++) l->base[i] = v[i]->data;
    for (int a = 0; a < out->rank; a++) {
        int64_t d = out->dim[a], s[TG_LOOP_OPERANDS];
        if (d == 0) l->empty = true;
        if (d == 1) continue;
        bool joins = top > 0;
        for (int i = 0; i < n; i++) {
            int own =
                a - (out->rank - v[i]->rank); /* the operand's own axis, aligned at the right */
            s[i] = own < 0 || (v[i]->dim[own] == 1 && d != 1)
                       ? 0
                       : v[i]->stride[own] * (int64_t)tg_dtype_size(v[i]->dtype);
            if (joins && step[top - 1][i] != s[i] * d) joins = false;
        }
        if (joins) {
            dim[top - 1] *= d;
            memcpy(step[top - 1], s, sizeof s);
        } else {
            dim[top] = d;
            memcpy(step[top++], s, sizeof s);
        }
    }
    l->rank = top > 0 ? top - 1 : 0;
    l->inner = top > 0 ? dim[top - 1] : 1;
    for (int i = 0; i < n; i++) l->inner_step[i] = top > 0 ? step[top - 1][i] : 0;
    for (int a = 0; a < l->rank; a++) {
        l->dim[a] = dim[a];
        memcpy(l->step[a], step[a], sizeof step[a]);
    }
}

bool tg_loop_start(const tg_loop *l, int64_t *idx, char **p) {
    if (l->empty) return false;
    for (int a = 0; a < l->rank; a++) idx[a] = 0;
    for (int i = 0; i < l->n; i++) p[i] = l->base[i];
    return true;
}

bool tg_loop_next(const tg_loop *l, int64_t *idx, char **p) {
    for (int a = l->rank - 1; a >= 0; a--) {
        if (++idx[a] < l->dim[a]) {
            for (int i = 0; i < l->n; i++) p[i] += l->step[a][i];
            return true;
        }
        idx[a] = 0;
        for (int i = 0; i < l->n; i++) p[i] -= l->step[a][i] * (l->dim[a] - 1);
    }
    return false;
}
