/* Indexing by numbers: x[2:5, :, ::2, -1, none] as one operation, and its adjoint.
 *
 * A slice is known by six things, one value an axis of x: its shape, where each axis starts, how
 * many places are taken, the step, which axes go (an index), and which axes of the result are new.
 * They are attributes of the ordinary kinds, so that the derivative can hand them on: slice and
 * unslice take the same six and each is the other's adjoint. Most adjoints have a shorter name:
 * one axis between zeros is embed, several are pad, an element or row in its place is place. With a
 * negative step, start is one more than the first place, so that no size is ever below zero, even
 * of an empty axis.
 *
 * Sizes may be symbols. Then bounds are taken to be in range and the shape rule, which runs again
 * when the sizes are known, checks. */
#include "runtime/ops/view.h"
#include "runtime/ops/attrs.h"
#include "runtime/ops/structure.h"

#include <string.h>

/* ---- the attributes ---- */

/* Places of the parts in the attributes of a slice of rank r. */
typedef struct parts {
    int rank;
    const int64_t *shape, *start, *count, *step;
    int64_t drop, insert;
    int first_start, first_count; /* where start[0] and count[0] stand, for their bits in `sizes` */
} parts;

static parts parts_of(const tg_attrs *at) {
    int r = (int)at->v[0];
    const int64_t *v = at->v;
    return (parts){
        r,     v + 1,    v + r + 2, v + 2 * r + 3, v + 3 * r + 4, v[4 * r + 4], v[4 * r + 5],
        r + 2, 2 * r + 3};
}

static bool is_dropped(const parts *p, int i) {
    return p->drop >> i & 1;
}

/* The first place that is read, of an axis of which some are. */
static int64_t first_place(const parts *p, int i) {
    return p->step[i] > 0 ? p->start[i] : p->start[i] - 1;
}

static int result_rank(const parts *p) {
    return p->rank - __builtin_popcountll((unsigned long long)p->drop) +
           __builtin_popcountll((unsigned long long)p->insert);
}

/* ---- shape rules ---- */

static bool check_range(tg_rt *rt, const parts *p, int i, tg_size dim) {
    tg_size start = p->start[i], count = p->count[i];
    if (!tg_size_known(dim) || !tg_size_known(start) || !tg_size_known(count) || count == 0)
        return true;
    int64_t step = p->step[i], first = first_place(p, i), last;
    if (__builtin_mul_overflow(count - 1, step, &last) ||
        __builtin_add_overflow(last, first, &last))
        return tg_fail(&rt->c, TG_ERR_VALUE, "the slice leaves axis %d of size %lld", i,
                       (long long)dim);
    int64_t high = first > last ? first : last;
    if (high < dim && (first < last ? first : last) >= 0) return true;
    if (is_dropped(p, i))
        return tg_fail(&rt->c, TG_ERR_VALUE, "index %lld is out of range for axis %d of size %lld",
                       (long long)first, i, (long long)dim);
    return tg_fail(
        &rt->c, TG_ERR_VALUE,
        "the slice %lld:%lld needs at least %lld places along axis %d, but its size is %lld",
        (long long)(first < last ? first : last), (long long)high + 1, (long long)high + 1, i,
        (long long)dim);
}

/* The shape of the slice of something of shape dim. */
static bool sliced_shape(tg_rt *rt, const parts *p, const tg_size *dim, tg_type *out) {
    out->rank = result_rank(p);
    if (p->insert >> (out->rank < TG_MAX_RANK ? out->rank : TG_MAX_RANK))
        return tg_fail(&rt->c, TG_ERR_VALUE,
                       "slice: insert names an axis that the result does not have");
    if (out->rank > TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "the result would have %d axes; tensors have at most %d", out->rank,
                       TG_MAX_RANK);
    int i = 0;
    for (int k = 0; k < out->rank; k++) {
        if (p->insert >> k & 1) {
            out->dim[k] = 1;
            continue;
        }
        while (is_dropped(p, i)) i++;
        out->dim[k] = p->count[i++];
    }
    for (i = 0; i < p->rank; i++)
        if (!check_range(rt, p, i, dim[i])) return false;
    return true;
}

static bool check_parts(tg_rt *rt, const tg_op *op, const tg_attrs *at) {
    int r = (int)at->v[0];
    bool same =
        at->n == 4 * r + 6 && at->v[r + 1] == r && at->v[2 * r + 2] == r && at->v[3 * r + 3] == r;
    for (int i = 0; same && i < r; i++) same = at->v[3 * r + 4 + i] != 0;
    for (int i = 0; same && i < r; i++) /* one place of an axis that goes */
        same = !(at->v[4 * r + 4] >> i & 1) || at->v[2 * r + 3 + i] == 1;
    int64_t beyond = same ? at->v[4 * r + 4] >> r : 0;
    return (same && !beyond) || tg_fail(&rt->c, TG_ERR_VALUE,
                                        "%s: a slice has a start, a count and a step for each "
                                        "axis, and a count of 1 where the axis goes",
                                        op->name);
}

static bool infer_slice(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)n;
    if (!check_parts(rt, op, at)) return false;
    parts p = parts_of(at);
    if (!tg_shape_equal(p.rank, p.shape, in[0].rank, in[0].dim))
        return tg_fail(
            &rt->c, TG_ERR_SHAPE, "the slice is one of the shape %s, but {0} has shape %s",
            tg_shape_text(rt, p.rank, p.shape), tg_shape_text(rt, in[0].rank, in[0].dim));
    tg_keep_type(rt, &in[0], out, want);
    return sliced_shape(rt, &p, in[0].dim, out);
}

static bool infer_unslice(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    (void)n;
    if (!check_parts(rt, op, at)) return false;
    parts p = parts_of(at);
    tg_type part;
    if (!sliced_shape(rt, &p, p.shape, &part)) return false;
    if (!tg_shape_equal(part.rank, part.dim, in[0].rank, in[0].dim))
        return tg_fail(&rt->c, TG_ERR_SHAPE, "the slice has shape %s, but {0} has shape %s",
                       tg_shape_text(rt, part.rank, part.dim),
                       tg_shape_text(rt, in[0].rank, in[0].dim));
    tg_keep_type(rt, &in[0], out, want);
    return tg_shape_of_attr(rt, op, at, 0, out);
}

/* One axis of a slice. */
typedef struct axis_part {
    tg_size start, count;
    int64_t step;
    bool drop;
} axis_part;

/* Slices of the same places get the same attributes: a step over one place or none means nothing.
 */
static bool settle(tg_rt *rt, axis_part *p) {
    if (p->count == 0) p->start = 0, p->step = 1;
    if (p->count != 1 || p->step == 1) return true;
    if (p->step < 0) p->start = tg_size_sub(rt, p->start, 1);
    p->step = 1;
    return p->start != TG_SIZE_FAIL;
}

static void fill_attrs(int rank, const tg_size *dim, const axis_part *part, int64_t insert,
                       tg_attrs *at) {
    *at = (tg_attrs){0};
    int64_t drop = 0;
    for (int k = 0; k < 4; k++) {
        tg_attr_push(at, rank, false);
        for (int i = 0; i < rank; i++) {
            int64_t v = k == 0   ? dim[i]
                        : k == 1 ? part[i].start
                        : k == 2 ? part[i].count
                                 : part[i].step;
            tg_attr_push(at, v, k < 3);
        }
    }
    for (int i = 0; i < rank; i++)
        if (part[i].drop) drop |= INT64_C(1) << i;
    tg_attr_push(at, drop, false);
    tg_attr_push(at, insert, false);
}

/* A single start, count or step serves every axis. */
static const tg_op *canonical_slice(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    (void)rank;
    const tg_attrs given = *at;
    int n[4], v[4], r = (int)given.v[0];
    for (int k = 0; k < 4; k++) {
        v[k] = tg_op_values(op, &given, 1 + k, &n[k]);
        if (n[k] == r || n[k] == 1) continue;
        tg_fail(&rt->c, TG_ERR_VALUE, "%s: %s must have one entry for each of the %d axes",
                op->name, op->param[1 + k].name, r);
        return NULL;
    }
    axis_part part[TG_MAX_RANK];
    int64_t drop = given.v[tg_op_values(op, &given, 5, NULL)];
    for (int i = 0; i < r; i++) {
        int64_t of[4];
        for (int k = 0; k < 4; k++) of[k] = given.v[v[k] + (n[k] == 1 ? 0 : i)];
        part[i] = (axis_part){of[1], of[2], of[3], drop >> i & 1};
        if (of[0] == TG_SIZE_INFER || of[1] == TG_SIZE_INFER || of[2] == TG_SIZE_INFER ||
            of[3] == 0) {
            tg_fail(&rt->c, TG_ERR_VALUE, "%s: a size must not be negative, nor a step 0",
                    op->name);
            return NULL;
        }
        if (!settle(rt, &part[i])) return NULL;
    }
    fill_attrs(r, given.v + v[0], part, given.v[tg_op_values(op, &given, 6, NULL)], at);
    return op;
}

/* Is axis i whole? */
static bool is_whole(const parts *p, int i) {
    return p->start[i] == 0 && p->count[i] == p->shape[i] && p->step[i] == 1;
}

/* A part between zeros: embed when one axis grows, pad when several do. */
static const tg_op *canonical_unslice(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    if (!canonical_slice(rt, op, rank, at)) return NULL;
    const tg_attrs settled = *at;
    parts p = parts_of(&settled);
    int cut = 0, axis = 0;
    for (int i = 0; i < p.rank; i++) {
        tg_size n = p.shape[i], start = p.start[i], count = p.count[i];
        bool known = tg_size_known(n) && tg_size_known(start) && tg_size_known(count);
        if (p.step[i] != 1 || (known && (start > n || count > n - start))) return op;
        if (!is_whole(&p, i)) cut++, axis = i;
    }
    if (p.drop || p.insert || cut == 0) return op;
    *at = (tg_attrs){0};
    if (cut == 1) {
        tg_attr_push(at, axis, false);
        tg_attr_push(at, p.start[axis], true);
        tg_attr_push(at, p.shape[axis], true);
        return tg_op_find("embed");
    }
    const tg_op *pad = tg_op_find("pad");
    for (int after = 0; after < 2; after++) {
        tg_attr_push(at, p.rank, false);
        for (int i = 0; i < p.rank; i++) {
            tg_size n = after ? tg_size_sub(rt, p.shape[i], tg_size_add(rt, p.start[i], p.count[i]))
                              : p.start[i];
            if (n == TG_SIZE_FAIL) return NULL;
            tg_attr_push(at, n, true);
        }
    }
    tg_attr_push(at, tg_attr_bits(0), false);
    return pad->canonical(rt, pad, p.rank, at);
}

/* ---- place: the adjoint of x[i, j] ---- */

/* As unslice: the axes that the index is for are dropped, the others are whole. */
static const tg_op *canonical_place(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    (void)rank;
    const tg_attrs given = *at;
    int r, k, v = tg_op_values(op, &given, 1, &r), at_index = tg_op_values(op, &given, 2, &k),
              j = 0;
    int64_t axes = given.v[tg_op_values(op, &given, 3, NULL)];
    if (axes == 0) axes = (INT64_C(1) << k) - 1;
    if (k == 0 || axes >> r || __builtin_popcountll((unsigned long long)axes) != k) {
        tg_fail(&rt->c, TG_ERR_VALUE, "place: the index must name one place for each axis");
        return NULL;
    }
    axis_part part[TG_MAX_RANK];
    for (int i = 0; i < r; i++) {
        tg_size dim = given.v[v + i];
        if (dim == TG_SIZE_INFER) {
            tg_fail(&rt->c, TG_ERR_VALUE, "place: a size must not be negative");
            return NULL;
        }
        part[i] = (axis_part){0, dim, 1, false};
        if (!(axes >> i & 1)) continue;
        tg_size place = given.v[at_index + j++];
        if (place == TG_SIZE_INFER && dim != 0) place = tg_size_sub(rt, dim, 1);
        if (place == TG_SIZE_FAIL) return NULL;
        part[i] = (axis_part){place, 1, 1, true};
    }
    fill_attrs(r, given.v + v, part, 0, at);
    return tg_op_find("unslice");
}

static const tg_op *spell_unslice(tg_rt *rt, const tg_attrs *at, tg_attrs *spelt) {
    (void)rt;
    parts p = parts_of(at);
    int k = 0;
    if (p.drop == 0 || p.insert) return NULL;
    *spelt = (tg_attrs){0};
    tg_attr_push(spelt, p.rank, false);
    for (int i = 0; i < p.rank; i++) {
        tg_attr_push(spelt, p.shape[i], true);
        if (!is_dropped(&p, i) && !is_whole(&p, i)) return NULL;
        k += is_dropped(&p, i);
    }
    tg_attr_push(spelt, k, false);
    for (int i = 0; i < p.rank; i++)
        if (is_dropped(&p, i)) tg_attr_push(spelt, p.start[i], true);
    tg_attr_push(spelt, p.drop == (INT64_C(1) << k) - 1 ? 0 : p.drop, false);
    return tg_op_find("place");
}

/* ---- kernels ---- */

void tg_slice_view(const tg_view *v, const tg_attrs *at, tg_view *out) {
    parts p = parts_of(at);
    tg_view r = {.data = v->data, .dtype = v->dtype, .rank = result_rank(&p)};
    int64_t offset = 0;
    for (int i = 0; i < p.rank; i++)
        if (p.count[i] > 0) offset += first_place(&p, i) * v->stride[i];
    int i = 0;
    for (int k = 0; k < r.rank; k++) {
        r.dim[k] = 1;
        if (p.insert >> k & 1) continue;
        while (is_dropped(&p, i)) i++;
        r.dim[k] = p.count[i];
        r.stride[k] = v->stride[i] * p.step[i];
        i++;
    }
    if (tg_view_count(&r) > 0)
        r.data = tg_view_place(v, offset); /* of nothing there is no first element */
    *out = r;
}

static bool look_slice(const tg_call *call) {
    tg_slice_view(&call->in[0], call->at, call->out);
    return true;
}

static bool run_slice(const tg_call *call) {
    tg_view part;
    tg_slice_view(&call->in[0], call->at, &part);
    return tg_view_copy_parts(&call->rt->c, call->out, &part);
}

static bool run_unslice(const tg_call *call) {
    tg_view part;
    tg_view_clear(call->out);
    tg_slice_view(call->out, call->at, &part);
    tg_view_copy(&part, &call->in[0]);
    return true;
}

/* ---- from what is written between the brackets ---- */

/* A bound as a place; known ones on a known axis are cut to it. */
static tg_size place_of(tg_rt *rt, const tg_slice_bound *b, tg_size dim) {
    if (!tg_size_known(b->value) || !tg_size_known(dim))
        return !b->from_end ? b->value : b->value == 0 ? dim : tg_size_sub(rt, dim, b->value);
    if (b->value > dim) return b->from_end ? 0 : dim;
    return b->from_end ? dim - b->value : b->value;
}

/* high - low, at least 0 where that can be known without the sizes: when both count from the same
 * end. */
static tg_size span_of(tg_rt *rt, const tg_slice_bound *low, const tg_slice_bound *high,
                       tg_size dim) {
    if (!tg_size_known(dim) && low->from_end == high->from_end && tg_size_known(low->value) &&
        tg_size_known(high->value)) {
        int64_t span = low->from_end ? low->value - high->value : high->value - low->value;
        return span < 0 ? 0 : span;
    }
    tg_size a = place_of(rt, low, dim), b = place_of(rt, high, dim);
    if (a == TG_SIZE_FAIL || b == TG_SIZE_FAIL) return TG_SIZE_FAIL;
    if (tg_size_known(a) && tg_size_known(b) && b < a) return 0;
    return tg_size_sub(rt, b, a);
}

/* One past a place, as the bounds of a negative step are kept. */
static bool one_past(tg_rt *rt, tg_slice_bound *b) {
    b->value = b->from_end ? tg_size_sub(rt, b->value, 1) : tg_size_add(rt, b->value, 1);
    return b->value != TG_SIZE_FAIL;
}

static bool range_part(tg_rt *rt, const tg_slice_item *item, tg_size dim, axis_part *out) {
    if (item->step == 0) return tg_fail(&rt->c, TG_ERR_VALUE, "the step of a slice must not be 0");
    static const tg_slice_bound front = {true, false, 0}, back = {true, true, 0};
    tg_slice_bound start = item->start, stop = item->stop;
    bool down = item->step < 0;
    if (down && ((start.given && !one_past(rt, &start)) || (stop.given && !one_past(rt, &stop))))
        return false;
    if (!start.given) start = down ? back : front;
    if (!stop.given) stop = down ? front : back;
    tg_size span = down ? span_of(rt, &stop, &start, dim) : span_of(rt, &start, &stop, dim);
    if (span == TG_SIZE_FAIL) return false;
    out->start = place_of(rt, &start, dim);
    out->step = item->step;
    out->count = tg_size_ceil_div(rt, span, down ? -item->step : item->step);
    return out->start != TG_SIZE_FAIL && out->count != TG_SIZE_FAIL && settle(rt, out);
}

static bool index_part(tg_rt *rt, const tg_slice_item *item, tg_size dim, int axis,
                       axis_part *out) {
    const tg_slice_bound *b = &item->start;
    if (tg_size_known(dim) && tg_size_known(b->value) &&
        (b->from_end ? b->value > dim : b->value >= dim))
        return tg_fail(&rt->c, TG_ERR_VALUE,
                       "index %s%lld is out of range for axis %d of size %lld",
                       b->from_end ? "-" : "", (long long)b->value, axis, (long long)dim);
    *out = (axis_part){place_of(rt, b, dim), 1, 1, true};
    return out->start != TG_SIZE_FAIL;
}

bool tg_slice_attrs(tg_rt *rt, const tg_type *in, int nitems, const tg_slice_item *items,
                    tg_attrs *at) {
    int named = 0, rests = 0;
    for (int i = 0; i < nitems; i++) {
        named += items[i].kind == TG_SLICE_INDEX || items[i].kind == TG_SLICE_RANGE;
        rests += items[i].kind == TG_SLICE_REST;
    }
    if (rests > 1) return tg_fail(&rt->c, TG_ERR_VALUE, "an index can hold `...` once");
    if (named > in->rank) {
        if (in->rank == 0)
            return tg_fail(&rt->c, TG_ERR_SHAPE, "{0} is a scalar and has no axis to index");
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%d indices are too many: {0} has %d ax%s", named,
                       in->rank, in->rank == 1 ? "is" : "es");
    }
    axis_part part[TG_MAX_RANK] = {{0}};
    int64_t insert = 0;
    int axis = 0, to = 0; /* of x, and of the result */
    for (int i = 0; i <= nitems; i++) {
        if (i < nitems ? items[i].kind == TG_SLICE_REST
                       : rests == 0) { /* the axes that are not named */
            for (int k = named; k < in->rank; k++, axis++, to++)
                part[axis] = (axis_part){0, in->dim[axis], 1, false};
            continue;
        }
        if (i == nitems) break;
        bool ok = true;
        switch (items[i].kind) {
        case TG_SLICE_NEWAXIS:
            if (to < TG_MAX_RANK) insert |= INT64_C(1) << to;
            to++;
            break;
        case TG_SLICE_INDEX:
            ok = index_part(rt, &items[i], in->dim[axis], axis, &part[axis]), axis++;
            break;
        default: ok = range_part(rt, &items[i], in->dim[axis], &part[axis]), axis++, to++; break;
        }
        if (!ok) return false;
    }
    if (to > TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE,
                       "the result would have %d axes; tensors have at most %d", to, TG_MAX_RANK);
    fill_attrs(in->rank, in->dim, part, insert, at);
    return true;
}

/* ---- and back into writing ---- */

/* A place as it would be written: from the end when it is a known number away from a symbolic one.
 */
static void print_place(tg_rt *rt, tg_str *s, tg_size place, tg_size dim) {
    if (!tg_size_known(dim) && !tg_size_known(place)) {
        for (int64_t back = 1; back <= 8; back++) { /* further ones are written out, N - 9 */
            tg_size again = tg_size_add(rt, place, back);
            if (again != dim) continue;
            tg_str_addf(s, "-%lld", (long long)back);
            return;
        }
    }
    tg_size_print(rt, s, place);
}

static bool print_axis(tg_rt *rt, tg_str *s, const parts *p, int i) {
    tg_size dim = p->shape[i], start = p->start[i], count = p->count[i];
    int64_t step = p->step[i];
    if (is_dropped(p, i)) {
        print_place(rt, s, start, dim);
        return true;
    }
    if (step > 0) {
        tg_size left = tg_size_known(dim) && tg_size_known(start) && start > dim
                           ? TG_SIZE_FAIL
                           : tg_size_sub(rt, dim, start);
        bool to_end =
            left != TG_SIZE_FAIL && tg_size_ceil_div(rt, left, step) == count && count != 0;
        if (start != 0) print_place(rt, s, start, dim);
        tg_str_addc(s, ':');
        if (!to_end) {
            tg_size stop =
                count == 0 ? start
                           : tg_size_add(rt, start,
                                         tg_size_sub(rt, tg_size_times(rt, count, step), step - 1));
            if (stop == TG_SIZE_FAIL) return false;
            print_place(rt, s, stop, dim);
        }
        if (step != 1) tg_str_addf(s, ":%lld", (long long)step);
        return true;
    }
    bool to_front = tg_size_ceil_div(rt, start, -step) == count; /* the count is not 0 */
    if (start != dim || !to_front) print_place(rt, s, tg_size_sub(rt, start, 1), dim);
    tg_str_addc(s, ':');
    if (!to_front) { /* just below the last place */
        tg_size below = tg_size_sub(
            rt, start, tg_size_add(rt, tg_size_times(rt, tg_size_sub(rt, count, 1), -step), 2));
        if (below == TG_SIZE_FAIL) return false;
        print_place(rt, s, below, dim);
    }
    tg_str_addf(s, ":%lld", (long long)step);
    return true;
}

/* Trailing axes that are whole are not written, but for the first of all. */
static bool print_slice(tg_rt *rt, tg_str *s, const tg_attrs *at, int rank) {
    (void)rank;
    parts p = parts_of(at);
    int last = p.rank - 1, to = 0, total = result_rank(&p);
    while (last > 0 && !is_dropped(&p, last) && p.start[last] == 0 && p.step[last] == 1 &&
           p.count[last] == p.shape[last])
        last--;
    tg_str_addc(s, '[');
    bool first = true;
    for (int i = 0; i < p.rank || to < total;) {
        bool fresh = to < total && (p.insert >> to & 1);
        if (!fresh && i > last && !(p.insert >> to)) break;
        if (!first) tg_str_add(s, ", ");
        first = false;
        if (fresh) {
            tg_str_add(s, "none");
            to++;
            continue;
        }
        if (!print_axis(rt, s, &p, i)) return false;
        to += !is_dropped(&p, i);
        i++;
    }
    tg_str_addc(s, ']');
    return true;
}

/* ---- the records ---- */

#define SLICE_PARAMS                                                                               \
    {                                                                                              \
        {"x", TG_P_TENSOR, NULL}, {"shape", TG_P_SHAPE, NULL}, {"start", TG_P_SHAPE, NULL},        \
            {"count", TG_P_SHAPE, NULL}, {"step", TG_P_SPEC, NULL}, {"drop", TG_P_AXES, "()"}, {   \
            "insert", TG_P_AXES, "()"                                                              \
        }                                                                                          \
    }

static const tg_op ops[] = {
    {.name = "slice",
     .class = TG_CLASS_VIEW,
     .param = SLICE_PARAMS,
     .lead = {[2] = TG_LEAD_ZEROS},
     .canonical = canonical_slice,
     .infer = infer_slice,
     .run = run_slice,
     .view = look_slice,
     .grad = {"unslice(g, shape, start, count, step, drop=drop, insert=insert)"},
     .style = TG_PRINT_INDEX,
     .print = print_slice,
     .numpy = "{0!}{index} | _slice({0}, {start}, {count}, {step}, {drop}, {insert})",
     .torch = "{0!}{index} | _slice({0}, {start}, {count}, {step}, {drop}, {insert})",
     .c = "=!tg_slice(&{out}, {0}, {start}, {count}, {step}, {drop}, {insert})",
     .doc = "What x[2:5, -1, none] means: of each axis of a shape, count places from start on in "
            "steps; axes are dropped and inserted.",
     .example = "slice([1, 2, 3, 4], 4, 0, 2, 2)",
     .value = "[1, 3]",
     .samples = "x[4,5]: slice(x, (4, 5), (1, 0), (2, 3), (1, 2)) | x[4,5]: slice(x, (4, 5), (3, "
                "5), (1, 5), (1, -1), drop=0, insert=1) | "
                "x[4]: slice(x, 4, 4, 2, -2, insert=(0, 2))"},
    {.name = "unslice",
     .class = TG_CLASS_VIEW,
     .param = SLICE_PARAMS,
     .lead = {[2] = TG_LEAD_ZEROS},
     .canonical = canonical_unslice,
     .spell = spell_unslice,
     .infer = infer_unslice,
     .run = run_unslice,
     .grad = {"slice(g, shape, start, count, step, drop=drop, insert=insert)"},
     .numpy = "_unslice({0}, {shape}, {start}, {count}, {step})",
     .torch = "_unslice({0}, {shape}, {start}, {count}, {step})",
     .c = "!tg_unslice({out}, {0}, {start}, {count}, {step}, {drop}, {insert})",
     .doc = "The adjoint of slice: zeros of that shape, with x in the places that the slice names.",
     .example = "unslice([1, 3], 4, 0, 2, 2)",
     .value = "[1, 0, 3, 0]",
     .samples = "x[2]: unslice(x, 4, 0, 2, 2) | x[3]: unslice(x, (3, 4), (3, 1), (3, 1), (-1, 1), "
                "drop=1)"},
    /* never a node, but bound as unslice: the derivative is for readers */
    {.name = "place",
     .class = TG_CLASS_VIEW,
     .param = {{"x", TG_P_TENSOR, NULL},
               {"shape", TG_P_SHAPE, NULL},
               {"index", TG_P_SHAPE, NULL},
               {"axis", TG_P_AXES, "()"}},
     .canonical = canonical_place,
     .infer = infer_unslice,
     .run = run_unslice,
     .grad = {"g[index]"},
     TG_NO_SPELLINGS,
     .doc = "Zeros of a shape with x in one place: the element or row that the index names along "
            "the axes, by default the first ones.",
     .example = "place([1, 2], (3, 2), 1)",
     .value = "[[0, 0], [1, 2], [0, 0]]",
     .samples = "x[]: place(x, 3, 1) | x[3]: place(x, (2, 3), 1) | x[2]: place(x, (2, 3), 0, "
                "axis=1) | x[]: place(x, (2, 3), (1, 0))"},
};

const tg_op_table tg_ops_slice = {ops, sizeof ops / sizeof *ops};

const tg_op *tg_op_slice(void) {
    return &ops[0];
}
