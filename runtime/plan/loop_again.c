/* Which stacks of a forward loop are not made as wholes, but again, a segment at a time, when a
 * backward loop reads them.
 *
 * A backward loop that was told to save memory has a source: the loop whose items it walks over the
 * other way round. An item that only such loops read is left to them. How long a segment is: all
 * segments' first states and the stacks of one segment are there at once, T / n * states + n *
 * stacks bytes, which is least for n = sqrt(T * states / stacks). With a number of bytes nothing is
 * left to be done again where everything fits. */
#include "runtime/plan/loop.h"

#include "base/alloc.h"
#include "runtime/graph/loop.h"

#include <math.h>
#include <string.h>

/* The loop that `back` undoes: among those whose items it walks over the latest that runs the other
 * way. NULL: none. */
static const tg_node *source_of(const tg_node *back) {
    const tg_loop *l = tg_loop_of(back);
    const tg_node *found = NULL;
    for (int i = l->carries; l->again && i < l->carries + l->xs; i++) {
        const tg_node *x = back->arg[i];
        if (!tg_node_is_item(x) || !tg_item_formula(x)) continue;
        const tg_node *from = x->arg[0];
        if (tg_loop_of(from)->reverse == l->reverse) continue;
        if (!found || from->id > found->id) found = from;
    }
    return found;
}

/* Do only backward loops read the item, as a sequence, whose source the bundle is? *by: one that
 * does. */
static bool is_left(const tg_lowering *l, const tg_node *bundle, const tg_node *item,
                    const tg_node **by) {
    if (!tg_item_formula(item) || l->info[item->place].root >= 0) return false;
    for (size_t i = 0; i < l->n; i++) {
        const tg_node *user = l->nodes[i];
        const tg_loop *loop = tg_node_is_loop(user) ? tg_loop_of(user) : NULL;
        for (int k = 0; k < user->n; k++) {
            if (user->arg[k] != item) continue;
            bool row = loop && k >= loop->carries && k < loop->carries + loop->xs;
            if (!row || source_of(user) != bundle || loop->slot[k]->type.dtype != item->type.dtype)
                return false;
            *by = user;
        }
    }
    return *by != NULL;
}

static double bytes_of(tg_lowering *l, const tg_type *t, int from) {
    double bytes = (double)tg_dtype_size(t->dtype);
    for (int i = from; i < t->rank; i++) {
        int64_t n = t->dim[i];
        if (!tg_size_known(n)) n = tg_size_eval(l->rt, l->sizes, n);
        if (n < 0) return -1;
        bytes *= (double)n;
    }
    return bytes;
}

/* *every stays 0 where all is kept. False: an error. */
static bool choose_length(tg_lowering *l, const tg_node *bundle, const tg_node *by, int64_t turns,
                          size_t n, tg_node *const *item, int64_t *every) {
    const tg_loop *loop = tg_loop_of(bundle), *back = tg_loop_of(by);
    double states = 0, stacks = 0;
    for (int k = 0; k < loop->carries; k++) {
        double bytes = bytes_of(l, &loop->slot[k]->type, 0);
        if (bytes < 0) return false;
        states += bytes;
    }
    for (size_t i = 0; i < n; i++) {
        double bytes = bytes_of(l, &item[i]->type, 1);
        if (bytes < 0) return false;
        stacks += bytes;
    }
    double length = sqrt((double)turns * states / (stacks > 0 ? stacks : 1));
    if (back->memory == TG_KEEP_BYTES && (double)turns * stacks <= back->bytes) return true;
    *every = length < 1 ? 1 : length > (double)turns ? turns : (int64_t)ceil(length);
    double least = ceil((double)turns / (double)*every) * states + (double)*every * stacks;
    if (back->memory == TG_KEEP_BYTES && least > back->bytes) {
        tg_fail(&l->rt->c, TG_ERR_VALUE,
                "memory=%.15g is too little: the least possible for the turns of this scan is "
                "%.15g bytes",
                back->bytes, least);
        return false;
    }
    if (*every >= turns || least >= (double)turns * stacks) *every = 0;
    return true;
}

bool tg_rerun_decide(tg_lowering *l, const tg_node *bundle, int64_t turns, const int *arg, size_t n,
                     tg_node *const *item, tg_rerun **out) {
    const tg_node *by = NULL;
    size_t left = 0;
    *out = NULL;
    tg_node **list = tg_alloc_array(n, sizeof *list);
    if (!list) return tg_fail_memory(&l->rt->c);
    for (size_t i = 0; i < n; i++)
        if (is_left(l, bundle, item[i], &by)) list[left++] = item[i];
    int64_t every = 0;
    bool ok = left == 0 || choose_length(l, bundle, by, turns, left, list, &every);
    if (!ok || every == 0) {
        tg_free(list);
        return ok;
    }
    void *items = l->reruns;
    ok = tg_grow(&items, &l->cap_reruns, l->nreruns + 1, sizeof *l->reruns);
    l->reruns = items;
    int *args = tg_alloc_array((size_t)bundle->n, sizeof *args),
        *mark = tg_alloc_array((size_t)tg_loop_of(bundle)->carries, sizeof *mark);
    if (!ok || !args || !mark) {
        tg_free(list);
        tg_free(args);
        tg_free(mark);
        return tg_fail_memory(&l->rt->c);
    }
    if (bundle->n) memcpy(args, arg, (size_t)bundle->n * sizeof *args);
    for (int k = 0; k < tg_loop_of(bundle)->carries; k++) mark[k] = -1;
    *out = &l->reruns[l->nreruns++];
    **out = (tg_rerun){bundle, turns, every, args, left, list, mark};
    return true;
}

tg_rerun *tg_rerun_of(const tg_lowering *l, const tg_node *item) {
    for (size_t r = 0; r < l->nreruns; r++)
        for (size_t i = 0; i < l->reruns[r].nitems; i++)
            if (l->reruns[r].item[i] == item) return &l->reruns[r];
    return NULL;
}

void tg_reruns_free(tg_lowering *l) {
    for (size_t r = 0; r < l->nreruns; r++) {
        tg_free(l->reruns[r].arg);
        tg_free(l->reruns[r].item);
        tg_free(l->reruns[r].mark);
    }
    tg_free(l->reruns);
}
