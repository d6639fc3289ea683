/* A value of a loop that is not finite, traced into its body: to the turn in which the first such
 * value is made, and there to the part of the body that made it. All parts can be had as stacks of
 * the loop, which are made anew for this, some at a time. */
#include "runtime/plan/trace.h"

#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/substitute.h"
#include "runtime/plan/program.h"

#include <string.h>

enum { BLOCK = 16 }; /* stacks that are made together */

typedef struct search {
    tg_rt *rt;
    const tg_overrides *with;
    tg_node *item, *bundle;
    const tg_loop *loop;
    tg_node *found; /* the part that was not finite first, over the canonical slots */
    int64_t turn;   /* ... in this turn, from 0 */
} search;

/* A row of a stack. */
static tg_view row_of(const tg_tensor *t, int64_t row) {
    tg_view v = t->v;
    v.data = (char *)v.data + row * v.stride[0] * (int64_t)tg_dtype_size(v.dtype);
    v.rank--;
    memmove(v.dim, v.dim + 1, (size_t)v.rank * sizeof *v.dim);
    memmove(v.stride, v.stride + 1, (size_t)v.rank * sizeof *v.stride);
    return v;
}

static int64_t position_of(const search *s, int64_t turns, int64_t turn) {
    return s->loop->reverse ? turns - 1 - turn : turn;
}

/* The stacks of n parts of the body. */
static bool make_stacks(search *s, int n, tg_node *const *part, tg_tensor **out) {
    tg_node *root[BLOCK];
    for (int i = 0; i < n; i++)
        if (!(root[i] = tg_loop_stack(s->rt, s->bundle, part[i]))) return false;
    return tg_plan_eval_as_is(s->rt, n, root, s->with, out);
}

static void look_at(search *s, tg_node *part, const tg_tensor *t) {
    int64_t turns = t->v.dim[0], most = s->found ? s->turn + 1 : turns;
    for (int64_t turn = 0; turn < most && turn < turns; turn++) {
        tg_view row = row_of(t, position_of(s, turns, turn));
        if (tg_view_is_finite(&row)) continue;
        if (s->found && turn == s->turn && s->found->id < part->id) return;
        s->found = part;
        s->turn = turn;
        return;
    }
}

static bool is_candidate(const tg_node *n) {
    tg_type rows;
    return n->n > 0 && tg_dtype_is_float(n->type.dtype) && !tg_node_is_loop(n) &&
           tg_type_rows(&n->type, 1, &rows);
}

static bool find(search *s) {
    const tg_loop *l = s->loop;
    tg_node **root = tg_alloc_array((size_t)l->carries + 1, sizeof *root), **node = NULL;
    size_t count = 0;
    int roots = l->carries;
    if (!root) return tg_fail_memory(&s->rt->c);
    if (roots) memcpy(root, l->next, (size_t)roots * sizeof *root);
    if (tg_item_formula(s->item)) root[roots++] = tg_item_formula(s->item);
    bool ok = tg_node_collect(s->rt, roots, root, &node, &count);
    for (size_t i = 0; ok && i < count;) {
        tg_node *part[BLOCK];
        tg_tensor *out[BLOCK] = {0};
        int n = 0;
        for (; i < count && n < BLOCK; i++)
            if (is_candidate(node[i])) part[n++] = node[i];
        ok = n == 0 || make_stacks(s, n, part, out);
        for (int k = 0; ok && k < n; k++) {
            look_at(s, part[k], out[k]);
            tg_tensor_drop(out[k]);
        }
    }
    tg_free(node);
    tg_free(root);
    return ok;
}

/* What the part and its arguments are in that turn. */
static bool describe(search *s, tg_culprit *out) {
    tg_node *part[1 + TG_MAX_TENSORS] = {s->found};
    tg_tensor *value[1 + TG_MAX_TENSORS] = {0};
    int of[1 + TG_MAX_TENSORS] = {-1}, n = 1;
    for (int i = 0; i < s->found->n && i < TG_MAX_TENSORS; i++) {
        const tg_node *a = s->found->arg[i];
        tg_type rows;
        out->has[i] = false;
        if (!tg_dtype_is_float(a->type.dtype) || tg_node_is_loop(a) || tg_node_is_number(a) ||
            !tg_type_rows(&a->type, 1, &rows))
            continue;
        of[n] = i;
        part[n++] = s->found->arg[i];
    }
    if (!make_stacks(s, n, part, value)) return false;
    out->turns = value[0]->v.dim[0];
    out->turn = s->turn + 1;
    for (int k = 0; k < n; k++) {
        tg_view row = row_of(value[k], position_of(s, out->turns, s->turn));
        tg_view_summary(&row, k ? &out->in[of[k]] : &out->out);
        if (k) out->has[of[k]] = true;
        tg_tensor_drop(value[k]);
    }
    return true;
}

bool tg_trace_turn(tg_rt *rt, tg_node *item, const tg_overrides *with, tg_culprit *out) {
    search s = {.rt = rt, .with = with, .item = item, .bundle = item->arg[0]};
    s.loop = tg_loop_of(s.bundle);
    tg_loop_text t;
    if (!find(&s)) return false;
    if (!s.found) return true;
    if (!describe(&s, out) || !tg_loop_text_open(rt, item, &t)) return false;
    out->inside = tg_node_substitute_all(rt, s.found, s.loop->n, s.loop->slot, t.slot);
    tg_loop_text_close(rt, &t);
    return out->inside != NULL;
}
