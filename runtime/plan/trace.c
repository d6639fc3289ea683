/* Tracing a NaN or an infinity to where it begins.
 *
 * The formula is the one that was computed, in its stable form. Its nodes are evaluated once more,
 * in blocks of bounded size, as the roots of plans, and of each only a summary is kept; then the
 * way goes from the root to an argument that is not finite, and on, until all arguments are. A NaN
 * is followed before an infinity, for an infinity beside it is often meant (a mask of -inf). That
 * costs a few evaluations, and nothing at all while everything is finite.
 *
 * The test for that is one pass over the bits: a float is finite unless all bits of its exponent
 * are set (IEEE 754, 3.4), and comparing integers in a plain loop is something that compilers turn
 * into vector code. */
#include "runtime/plan/trace.h"

#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/simplify.h"
#include "runtime/plan/program.h"

#include <math.h>
#include <string.h>

/* ---- tensors ---- */

static bool finite_doubles(const double *x, int64_t n) {
    const uint64_t exponent = UINT64_C(0x7ff) << 52;
    uint64_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bad |= (bits & exponent) == exponent;
    }
    return !bad;
}

static bool finite_floats(const float *x, int64_t n) {
    const uint32_t exponent = UINT32_C(0xff) << 23;
    uint32_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bad |= (bits & exponent) == exponent;
    }
    return !bad;
}

bool tg_view_is_finite(const tg_view *v) {
    if (!tg_dtype_is_float(v->dtype)) return true;
    int64_t n = tg_view_count(v);
    if (tg_view_is_contiguous(v))
        return v->dtype == TG_F64 ? finite_doubles(v->data, n) : finite_floats(v->data, n);
    for (int64_t i = 0; i < n; i++) {
        double x = tg_view_get(v, i);
        if (x - x != 0) return false;
    }
    return true;
}

void tg_view_summary(const tg_view *v, tg_summary *out) {
    *out =
        (tg_summary){.lo = INFINITY, .hi = -INFINITY, .count = tg_view_count(v), .rank = v->rank};
    memcpy(out->dim, v->dim, sizeof out->dim);
    int64_t first = -1;
    for (int64_t i = 0; i < out->count; i++) {
        double x = tg_view_get(v, i);
        if (x - x == 0) {
            out->lo = fmin(out->lo, x);
            out->hi = fmax(out->hi, x);
            continue;
        }
        if (first < 0) first = i;
        *(x != x ? &out->nan : x > 0 ? &out->pos : &out->neg) += 1;
    }
    if (first < 0) return;
    for (int d = v->rank - 1; d >= 0; d--) { /* there is an element, so no size is 0 */
        out->first[d] = first % v->dim[d];
        first /= v->dim[d];
    }
}

static bool is_finite(const tg_summary *s) {
    return !s->nan && !s->pos && !s->neg;
}

/* ---- the nodes of a formula, one summary each ---- */

enum { BLOCK = 64 }; /* nodes evaluated together */

typedef struct survey {
    tg_rt *rt;
    tg_overrides with;
    tg_size_binding sizes;
    tg_node **node; /* ascending id */
    size_t count;
    tg_summary *summary;
} survey;

static double bytes_of(survey *s, const tg_node *n) {
    double bytes = 8;
    for (int i = 0; i < n->type.rank; i++)
        bytes *= (double)tg_size_eval(s->rt, &s->sizes, n->type.dim[i]);
    return bytes;
}

static bool summarise(survey *s, const size_t *which, int n) {
    tg_node *root[BLOCK] = {0};
    tg_tensor *out[BLOCK] = {0};
    for (int i = 0; i < n; i++) root[i] = s->node[which[i]];
    if (n == 0) return true;
    if (!tg_plan_eval_as_is(s->rt, n, root, &s->with, out)) return false;
    for (int i = 0; i < n; i++) {
        tg_view_summary(&out[i]->v, &s->summary[which[i]]);
        tg_tensor_drop(out[i]);
    }
    return true;
}

/* A loop has no value: it is as finite as its arguments are. */
static bool summarise_loops(survey *s) {
    for (size_t i = 0; i < s->count; i++) {
        const tg_node *n = s->node[i];
        for (int k = 0; tg_node_is_loop(n) && k < n->n; k++) {
            const tg_summary *in = &s->summary[tg_nodes_find(s->node, s->count, n->arg[k])];
            s->summary[i].nan += in->nan;
            s->summary[i].pos += in->pos;
            s->summary[i].neg += in->neg;
        }
    }
    return true;
}

/* All float nodes, in blocks that hold a bounded number of bytes. */
static bool summarise_all(survey *s) {
    const double most_bytes = 256e6;
    size_t block[BLOCK];
    int n = 0;
    double bytes = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!tg_dtype_is_float(s->node[i]->type.dtype)) continue;
        if (tg_node_is_loop(s->node[i])) continue;
        double more = bytes_of(s, s->node[i]);
        if (n == BLOCK || (n > 0 && bytes + more > most_bytes)) {
            if (!summarise(s, block, n)) return false;
            n = 0;
            bytes = 0;
        }
        block[n++] = i;
        bytes += more;
    }
    return summarise(s, block, n) && summarise_loops(s);
}

static bool begin(survey *s, tg_node *root) {
    tg_cell **cells;
    size_t ncells, under;
    if (!tg_node_collect(s->rt, 1, &root, &s->node, &s->count)) return false;
    s->summary = tg_alloc_array(s->count, sizeof *s->summary);
    if (!s->summary) return tg_fail_memory(&s->rt->c);
    if (!tg_plan_list_cells(s->rt, 1, &root, &s->with, &cells, &ncells, &under)) return false;
    tg_tensor **values = tg_alloc_array(ncells + 1, sizeof *values);
    bool ok = values ? true : tg_fail_memory(&s->rt->c);
    for (size_t i = 0; ok && i < ncells; i++) values[i] = tg_overrides_value(&s->with, cells[i]);
    ok = ok && tg_graph_bind_sizes(s->rt, 1, &root, (int)ncells, cells, values, &s->sizes);
    tg_free(values);
    tg_free(cells);
    return ok;
}

static void end(survey *s) {
    tg_size_binding_free(&s->sizes);
    tg_free(s->node);
    tg_free(s->summary);
}

static const tg_summary *summary_of(const survey *s, const tg_node *n) {
    return &s->summary[tg_nodes_find(s->node, s->count, n)];
}

/* ---- the way down ---- */

static bool has_nan(const tg_summary *s) {
    return s->nan > 0;
}

static bool has_infinity(const tg_summary *s) {
    return s->pos > 0 || s->neg > 0;
}

/* From n down to where none of the arguments is that way any more. */
static tg_node *descend(const survey *s, tg_node *n, bool (*is)(const tg_summary *)) {
    for (tg_node *next = n; next;) {
        n = next;
        next = NULL;
        for (int i = 0; i < n->n && !next; i++)
            if (tg_dtype_is_float(n->arg[i]->type.dtype) && is(summary_of(s, n->arg[i])))
                next = n->arg[i];
    }
    return n;
}

/* A NaN begins where it was made, or at the infinity that it was made of, if that was made too. */
static tg_node *follow(const survey *s, tg_node *root) {
    bool nan = has_nan(summary_of(s, root));
    tg_node *made = nan ? descend(s, root, has_nan) : root;
    tg_node *infinity = made->n ? descend(s, made, has_infinity) : made;
    return infinity->n ? infinity : nan ? made : NULL;
}

/* The node, among those the root is made of, whose stable form `twin` is, with a place in a text
 * where there is one; else twin. */
static bool find_written(tg_rt *rt, tg_node *root, tg_node *twin, tg_node **out) {
    tg_node **node;
    size_t count;
    *out = twin;
    if (twin->written.src) return true;
    if (!tg_node_collect(rt, 1, &root, &node, &count)) return false;
    for (size_t i = 0; i < count && !(*out)->written.src; i++)
        if (node[i]->stable == twin) *out = node[i];
    tg_free(node);
    return true;
}

bool tg_trace_culprit(tg_rt *rt, tg_node *root, int ncells, tg_cell *const *cells,
                      tg_tensor *const *values, tg_culprit *out) {
    survey s = {.rt = rt, .with = {ncells, cells, values, NULL}};
    *out = (tg_culprit){0};
    tg_node *stable = tg_node_stable(rt, root);
    bool ok = stable && begin(&s, stable) && summarise_all(&s);
    if (ok) {
        out->whole = *summary_of(&s, stable);
        tg_node *n = out->node = is_finite(summary_of(&s, stable)) ? NULL : follow(&s, stable);
        if (n) out->out = *summary_of(&s, n);
        for (int i = 0; n && i < n->n && i < TG_MAX_TENSORS; i++) {
            out->has[i] = tg_dtype_is_float(n->arg[i]->type.dtype);
            if (out->has[i]) out->in[i] = *summary_of(&s, n->arg[i]);
        }
        if (n) ok = find_written(rt, root, n, &out->written);
        if (n && ok && tg_node_is_item(n)) ok = tg_trace_turn(rt, n, &s.with, out);
    }
    end(&s);
    return ok;
}
