/* Windows: their parameters, and the arithmetic of their sizes. An image of n places with padding p
 * in front and behind has
 *
 *     ceil((n + 2 p - d (k - 1)) / s)
 *
 * windows of k places that are d apart, one every s places; and m windows fill
 * (m - 1) s + d (k - 1) + 1 - 2 p places, or up to s - 1 more, which no window reaches. (Dumoulin &
 * Visin, A guide to convolution arithmetic for deep learning, 2016.) Both hold of symbolic sizes.
 */
#include "runtime/ops/window.h"
#include "runtime/ops/attrs.h"
#include "runtime/ops/structure.h"

#include <limits.h>
#include <string.h>

int tg_window_axes(const tg_op *op) {
    return strstr(op->name, "1d") ? 1 : 2;
}

static int param_named(const tg_op *op, const char *name) {
    for (int i = 0; op->param[i].name; i++)
        if (strcmp(op->param[i].name, name) == 0) return i;
    return -1;
}

int64_t tg_window_value(const tg_op *op, const tg_attrs *at, const char *param, int axis) {
    int i = param_named(op, param), n;
    if (i < 0) return strcmp(param, "padding") == 0 ? 0 : 1;
    int v = tg_op_values(op, at, i, &n);
    return at->v[v + (n > 1 ? axis : 0)];
}

tg_window tg_window_of(const tg_call *call, const tg_view *image, const tg_view *out,
                       const tg_view *kernel) {
    const tg_op *op = call->op;
    int axes = tg_window_axes(op);
    const tg_window_axis single = {1, 1, 1, 1, 0, 1};
    tg_window w = {single, single};
    for (int i = 0; i < axes; i++) {
        tg_window_axis *a = i == axes - 1 ? &w.column : &w.row;
        a->image = image->dim[image->rank - axes + i];
        a->out = out->dim[out->rank - axes + i];
        a->kernel = kernel ? kernel->dim[kernel->rank - axes + i]
                           : tg_window_value(op, call->at, "size", i);
        a->stride = tg_window_value(op, call->at, "stride", i);
        a->padding = tg_window_value(op, call->at, "padding", i);
        a->dilation = tg_window_value(op, call->at, "dilation", i);
    }
    return w;
}

/* ---- parameters ---- */

static bool is_per_axis(const tg_param *p) {
    return p->kind == TG_P_SPEC ||
           (p->kind == TG_P_SHAPE && strcmp(p->name, "output_padding") == 0);
}

static bool is_one_of(const char *name, const char *a, const char *b) {
    return strcmp(name, a) == 0 || strcmp(name, b) == 0;
}

static bool check_value(tg_rt *rt, const tg_op *op, const char *name, int64_t v) {
    int64_t least = is_one_of(name, "padding", "output_padding") ? 0 : 1;
    if (v < least)
        return tg_fail(&rt->c, TG_ERR_VALUE, "%s: %s must be at least %lld, but is %lld", op->name,
                       name, (long long)least, (long long)v);
    if (v > INT_MAX)
        return tg_fail(&rt->c, TG_ERR_VALUE, "%s: %s is too large: %lld", op->name, name,
                       (long long)v);
    return true;
}

/* A shape that ends with a size for each axis. */
static bool check_shape(tg_rt *rt, const tg_op *op, const char *name, const tg_attrs *at, int v,
                        int n) {
    int axes = tg_window_axes(op);
    bool ok = n >= axes;
    for (int i = n - axes; ok && i < n; i++) ok = at->v[v + i] != TG_SIZE_INFER;
    return ok || tg_fail(&rt->c, TG_ERR_VALUE, "%s: %s must be a shape that ends with %s", op->name,
                         name, axes == 1 ? "a size" : "rows and columns");
}

static int64_t default_of(const tg_param *p) {
    return p->dflt[0] == '1';
}

const tg_op *tg_window_canonical(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    (void)rank;
    const tg_attrs given = *at;
    int axes = tg_window_axes(op);
    *at = (tg_attrs){0};
    for (int i = 0; op->param[i].name; i++) {
        const tg_param *p = &op->param[i];
        int n, v = tg_op_values(op, &given, i, &n);
        if (v < 0) continue;
        if (!is_per_axis(p)) {
            if (p->kind == TG_P_INT && !check_value(rt, op, p->name, given.v[v])) return NULL;
            if (p->kind == TG_P_SHAPE) {
                if (!check_shape(rt, op, p->name, &given, v, n)) return NULL;
                v += n - axes, n = axes; /* of a whole shape the last sizes */
                tg_attr_push(at, n, false);
            }
            for (int k = 0; k < n; k++)
                tg_attr_push(at, given.v[v + k], given.sizes >> (v + k) & 1);
            continue;
        }
        if (n > 1 && n != axes) {
            tg_fail(&rt->c, TG_ERR_VALUE, "%s: %s must be %s, but has %d entries", op->name,
                    p->name, axes == 1 ? "a number" : "a number or a pair (rows, columns)", n);
            return NULL;
        }
        tg_attr_push(at, axes, false);
        for (int k = 0; k < axes; k++) {
            bool follows = n == 0 && strcmp(p->dflt, "none") == 0;
            int64_t x = follows  ? tg_window_value(op, &given, "size", k)
                        : n == 0 ? default_of(p)
                                 : given.v[v + (n > 1 ? k : 0)];
            bool known = p->kind != TG_P_SHAPE || tg_size_known(x) || x == TG_SIZE_INFER;
            if (x == TG_SIZE_INFER) x = -1;
            if (known && !check_value(rt, op, p->name, x)) return NULL;
            tg_attr_push(at, x, p->kind == TG_P_SHAPE);
        }
    }
    return op;
}

const tg_op *tg_window_spell(const tg_op *op, const tg_attrs *at, tg_attrs *spelt) {
    *spelt = (tg_attrs){0};
    for (int i = 0; op->param[i].name; i++) {
        const tg_param *p = &op->param[i];
        int n, v = tg_op_values(op, at, i, &n);
        if (v < 0) continue;
        bool sizes = p->kind == TG_P_SHAPE, follows = p->dflt && strcmp(p->dflt, "none") == 0;
        if (is_per_axis(p)) {
            bool same = true, silent = p->dflt;
            for (int k = 0; k < n; k++) {
                int64_t x = at->v[v + k];
                same = same && x == at->v[v];
                silent =
                    silent && x == (follows ? tg_window_value(op, at, "size", k) : default_of(p));
            }
            n = silent ? 0 : same ? 1 : n;
        }
        if (is_per_axis(p) || sizes) tg_attr_push(spelt, n, false);
        for (int k = 0; k < n; k++) tg_attr_push(spelt, at->v[v + k], at->sizes >> (v + k) & 1);
    }
    return op;
}

/* ---- sizes ---- */

static const char *axis_word(const tg_op *op, int axis) {
    return tg_window_axes(op) == 1 ? "places" : axis == 0 ? "rows" : "columns";
}

tg_size tg_window_count(tg_rt *rt, const tg_op *op, const tg_attrs *at, int axis, tg_size image,
                        int64_t kernel) {
    int64_t padding = tg_window_value(op, at, "padding", axis),
            reach = tg_window_value(op, at, "dilation", axis) * (kernel - 1);
    tg_size room = tg_size_add(rt, image, 2 * padding);
    if (room == TG_SIZE_FAIL) return TG_SIZE_FAIL;
    if (tg_size_known(room) && room <= reach) {
        tg_fail(&rt->c, TG_ERR_SHAPE, "%s: the window covers %lld %s, but {0} has %lld%s", op->name,
                (long long)reach + 1, axis_word(op, axis), (long long)room,
                padding ? " with its padding" : "");
        if (strstr(op->name, "conv"))
            tg_help(&rt->c, "padding=%lld is the least that makes room",
                    (long long)(padding + (reach + 2 - room) / 2));
        return TG_SIZE_FAIL;
    }
    room = tg_size_sub(rt, room, reach);
    return room == TG_SIZE_FAIL
               ? room
               : tg_size_ceil_div(rt, room, tg_window_value(op, at, "stride", axis));
}

tg_size tg_window_extent(tg_rt *rt, const tg_op *op, const tg_attrs *at, int axis, tg_size out,
                         int64_t kernel) {
    int64_t stride = tg_window_value(op, at, "stride", axis),
            more = tg_window_value(op, at, "dilation", axis) * (kernel - 1) + 1 - stride -
                   2 * tg_window_value(op, at, "padding", axis);
    if (out == 0) return 0;
    tg_size size = tg_size_times(rt, out, stride);
    if (size == TG_SIZE_FAIL) return size;
    if (tg_size_known(size) && size + more < 0) return 0;
    return more < 0 ? tg_size_sub(rt, size, -more) : tg_size_add(rt, size, more);
}

/* ---- places ---- */

int64_t tg_window_planes(const tg_view *v, int own) {
    int64_t n = 1;
    for (int i = 0; i < v->rank - own; i++) n *= v->dim[i];
    return n;
}

int64_t tg_window_plane(const tg_view *v, int own, int64_t i) {
    int64_t offset = 0;
    for (int k = v->rank - own - 1; k >= 0; k--) {
        offset += i % v->dim[k] * v->stride[k];
        i /= v->dim[k];
    }
    return offset;
}
