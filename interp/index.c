/* x[...]: numbers, slices, index tensors and masks.
 *
 * Numbers and slices together are one `slice` operation. Index tensors then gather along what is
 * left of their axes; several of them side by side address elements pair by pair, as in NumPy. A
 * mask is turned into the numbers of its true places. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "runtime/ops/view.h"

#include <math.h>
#include <string.h>

enum { MOST = TG_MAX_RANK + 2 };

/* One bracket, evaluated. */
typedef struct entry {
    tg_slice_item slice; /* for an index tensor: the whole axis */
    tg_value tensor;     /* an index tensor (whole numbers), or NONE */
} entry;

typedef struct index_list {
    entry e[MOST];
    int n;
    int tensors;
} index_list;

static void drop_entries(index_list *l) {
    for (int i = 0; i < l->n; i++) tg_value_drop(l->e[i].tensor);
}

static const tg_slice_item whole_axis = {.kind = TG_SLICE_RANGE, .step = 1};

/* A place or bound: a number of either sign, or a size. */
static bool bound(tg_interp *in, tg_env *env, const tg_ast *e, const char *what,
                  tg_slice_bound *out) {
    *out = (tg_slice_bound){0};
    if (!e) return true;
    tg_value v;
    bool back = e->kind == TG_AST_UNARY && e->op[0] == '-';
    if (!tg_eval(in, env, back ? e->kids[0] : e, &v)) return false;
    bool ok = true;
    if (v.tag != TG_V_NONE) {
        tg_size s;
        if (v.tag == TG_V_NUMBER && v.as.number == floor(v.as.number) && fabs(v.as.number) < 1e15) {
            *out = tg_slice_at((int64_t)v.as.number);
            if (back && out->value != 0) out->from_end = !out->from_end;
        } else if ((ok = tg_to_size(in, v, what, &s))) {
            *out = (tg_slice_bound){true, back || (s < 0 && v.tag != TG_V_FORMULA), s};
            if (s < 0 && v.tag != TG_V_FORMULA) out->value = -s;
        }
    }
    tg_value_drop(v);
    return ok || tg_blame(in, e);
}

/* The numbers of the true places of a mask, as one index for each of its axes. */
static bool mask_to_indices(tg_interp *in, const tg_view *mask, tg_value out[]) {
    int64_t count = 0, total = tg_view_count(mask), at = 0, idx[TG_MAX_RANK] = {0};
    for (int64_t i = 0; i < total; i++) count += tg_view_get(mask, i) != 0;
    for (int d = 0; d < mask->rank; d++) out[d] = TG_NONE_VALUE;
    for (int d = 0; d < mask->rank; d++) {
        tg_tensor *t = tg_tensor_new(&in->rt.c, TG_I64, 1, &count);
        if (!t) {
            while (d-- > 0) tg_value_drop(out[d]);
            return false;
        }
        out[d] = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    }
    if (total == 0) return true;
    int64_t flat = 0;
    do {
        if (tg_view_get(mask, flat++) == 0) continue;
        for (int d = 0; d < mask->rank; d++) ((int64_t *)out[d].as.tensor->v.data)[at] = idx[d];
        at++;
    } while (tg_view_step(mask, idx));
    return true;
}

static bool add_tensor(tg_interp *in, index_list *l, tg_value v) {
    if (l->n >= MOST) {
        tg_value_drop(v);
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "too many entries in the index");
    }
    l->e[l->n++] = (entry){whole_axis, v};
    l->tensors++;
    return true;
}

static bool check_whole(tg_interp *in, const tg_view *t) {
    if (!tg_dtype_is_float(t->dtype)) return true;
    int64_t n = tg_view_count(t);
    for (int64_t k = 0; k < n; k++) {
        double i = tg_view_get(t, k);
        if (i != floor(i))
            return tg_fail(&in->rt.c, TG_ERR_VALUE, "an index must be a whole number, not %g", i);
    }
    return true;
}

/* Takes v: a tensor, list, range or formula of rank 1 or more. `axis`: the next axis of the base,
 * for the shape of a mask. */
static bool add_index_tensor(tg_interp *in, index_list *l, tg_value v, const tg_type *base,
                             int axis) {
    tg_dtype type = v.tag == TG_V_TENSOR    ? v.as.tensor->v.dtype
                    : v.tag == TG_V_FORMULA ? v.as.node->type.dtype
                                            : TG_F64;
    if (v.tag == TG_V_FORMULA && type != TG_BOOL) return add_tensor(in, l, v);
    if (v.tag == TG_V_FORMULA) {
        tg_value_drop(v);
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "a mask that depends on variables would give a result of changing size");
        return tg_help(&in->rt.c,
                       "where(mask, x, 0) keeps the size; value(mask) takes the mask as it is now");
    }
    tg_tensor *t;
    bool ok = tg_to_tensor(in, v, "an index", &t);
    tg_value_drop(v);
    if (!ok) return false;
    if (!check_whole(in, &t->v)) {
        tg_tensor_drop(t);
        return false;
    }
    if (t->v.dtype != TG_BOOL)
        return add_tensor(in, l, (tg_value){.tag = TG_V_TENSOR, .as.tensor = t});
    int rank = t->v.rank;
    for (int d = 0; ok && d < rank; d++)
        if (axis + d >= base->rank ||
            (base->dim[axis + d] >= 0 && base->dim[axis + d] != t->v.dim[d]))
            ok = tg_fail(&in->rt.c, TG_ERR_SHAPE,
                         "a mask of shape %s does not fit a tensor of shape %s",
                         tg_shape_text(&in->rt, rank, t->v.dim),
                         tg_shape_text(&in->rt, base->rank, base->dim));
    tg_value place[TG_MAX_RANK];
    ok = ok && mask_to_indices(in, &t->v, place);
    for (int d = 0; ok && d < rank; d++)
        if (!add_tensor(in, l, place[d])) {
            while (++d < rank) tg_value_drop(place[d]);
            ok = false;
        }
    tg_tensor_drop(t);
    return ok;
}

static bool read_entry(tg_interp *in, tg_env *env, const tg_ast *e, const tg_type *base, int axis,
                       index_list *l) {
    if (l->n >= MOST) return tg_fail(&in->rt.c, TG_ERR_VALUE, "too many entries in the index");
    entry *slot = &l->e[l->n];
    *slot = (entry){.slice = whole_axis};
    switch (e->kind) {
    case TG_AST_REST: slot->slice.kind = TG_SLICE_REST; break;
    case TG_AST_NONE: slot->slice.kind = TG_SLICE_NEWAXIS; break;
    case TG_AST_SLICE: {
        tg_slice_bound step;
        if (!bound(in, env, e->kids[0], "the start of a slice", &slot->slice.start) ||
            !bound(in, env, e->kids[1], "the end of a slice", &slot->slice.stop) ||
            !bound(in, env, e->kids[2], "the step of a slice", &step))
            return false;
        if (step.given) slot->slice.step = step.from_end ? -step.value : step.value;
        break;
    }
    default: {
        tg_value v;
        bool back = e->kind == TG_AST_UNARY && e->op[0] == '-' && e->kids[0]->kind != TG_AST_NUMBER;
        if (!tg_eval(in, env, e, &v)) return false;
        int rank = v.tag == TG_V_TENSOR    ? v.as.tensor->v.rank
                   : v.tag == TG_V_FORMULA ? v.as.node->type.rank
                                           : 0;
        if (rank > 0 || v.tag == TG_V_LIST || v.tag == TG_V_RANGE)
            return add_index_tensor(in, l, v, base, axis);
        slot->slice.kind = TG_SLICE_INDEX;
        tg_size s;
        bool ok = true;
        if (v.tag == TG_V_FORMULA && back) { /* x[-N] */
            tg_value_drop(v);
            return bound(in, env, e, "an index", &slot->slice.start) && (l->n++, true);
        }
        if (v.tag == TG_V_NUMBER || v.tag == TG_V_FORMULA) {
            ok = tg_to_size(in, v, "an index", &s);
            if (ok)
                slot->slice.start = v.tag == TG_V_NUMBER || s >= 0
                                        ? tg_slice_at(s)
                                        : (tg_slice_bound){true, false, s};
        } else {
            ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be an index", tg_value_kind(v));
        }
        tg_value_drop(v);
        if (!ok) return tg_blame(in, e);
    }
    }
    l->n++;
    return true;
}

static bool read_entries(tg_interp *in, tg_env *env, const tg_ast *e, const tg_type *base,
                         index_list *l) {
    int axis = 0, named = 0;
    for (int i = 1; i < e->n; i++)
        named += e->kids[i]->kind != TG_AST_REST && e->kids[i]->kind != TG_AST_NONE;
    for (int i = 1; i < e->n; i++) {
        int before = l->n;
        if (!read_entry(in, env, e->kids[i], base, axis, l)) return tg_blame(in, e->kids[i]);
        if (e->kids[i]->kind == TG_AST_REST)
            axis += base->rank > named ? base->rank - named : 0;
        else if (e->kids[i]->kind != TG_AST_NONE)
            axis += l->n - before;
    }
    return true;
}

static tg_type type_of(tg_value v) {
    if (v.tag == TG_V_FORMULA) return v.as.node->type;
    tg_type t = {.dtype = v.as.tensor->v.dtype, .rank = v.as.tensor->v.rank};
    memcpy(t.dim, v.as.tensor->v.dim, sizeof t.dim);
    return t;
}

static bool apply_slice(tg_interp *in, tg_value base, const tg_attrs *at, tg_value *out) {
    if (base.tag == TG_V_FORMULA) {
        tg_node *n = tg_node_make(&in->rt, tg_op_slice(), 1, &base.as.node, at);
        if (n) *out = tg_value_formula(n, base.assumed);
        return n != NULL;
    }
    tg_tensor *t = tg_op_apply(&in->rt, tg_op_slice(), 1, &base.as.tensor, NULL, at);
    if (t) *out = tg_value_tensor(t);
    return t != NULL;
}

/* Calls an operation by name, on values; takes none of them. */
static bool call(tg_interp *in, const char *op, int n, const tg_argument *arg, tg_value *out) {
    return tg_call_op(in, tg_op_find(op), n, arg, out);
}

/* Known places must lie within the axis: once two axes are one, nobody can tell any more. */
static bool check_places(tg_interp *in, tg_value idx, tg_size size, int axis) {
    if (idx.tag != TG_V_TENSOR || size < 0) return true;
    int64_t n = tg_view_count(&idx.as.tensor->v);
    for (int64_t k = 0; k < n; k++) {
        double i = tg_view_get(&idx.as.tensor->v, k);
        if (i < -(double)size || i >= (double)size)
            return tg_fail(&in->rt.c, TG_ERR_VALUE,
                           "index %.0f is out of range for axis %d of size %lld", i, axis,
                           (long long)size);
    }
    return true;
}

/* i for axis a and j for axis a + 1 become i * size + j, and the two axes one. Takes base and i;
 * *base and *i are replaced. */
static bool join_axes(tg_interp *in, tg_value *base, int axis, tg_value *i, tg_value j) {
    tg_type t = type_of(*base);
    if (!check_places(in, *i, t.dim[axis], axis) || !check_places(in, j, t.dim[axis + 1], axis + 1))
        return false;
    tg_value shape, size = TG_NONE_VALUE, scaled = TG_NONE_VALUE, sum = TG_NONE_VALUE,
                    flat = TG_NONE_VALUE;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, t.rank - 1, &shape)) return false;
    bool ok = true;
    for (int d = 0, k = 0; ok && d < t.rank; d++) {
        if (d == axis + 1) continue;
        tg_size s = d == axis ? tg_size_times(&in->rt, t.dim[d], t.dim[d + 1]) : t.dim[d];
        tg_node *n = s == TG_SIZE_FAIL ? NULL : tg_node_size(&in->rt, s);
        ok = n != NULL;
        if (ok)
            shape.as.items->v[k++] = s >= 0 ? tg_value_number((double)s) : tg_value_formula(n, 0);
    }
    tg_node *n = ok ? tg_node_size(&in->rt, t.dim[axis + 1]) : NULL;
    ok = n != NULL;
    if (ok)
        size = t.dim[axis + 1] >= 0 ? tg_value_number((double)t.dim[axis + 1])
                                    : tg_value_formula(n, 0);
    /* negative places count from the end of their own axis */
    ok = ok && call(in, "mod", 2, (tg_argument[]){{.value = j}, {.value = size}}, &scaled);
    tg_value row = TG_NONE_VALUE;
    ok = ok && call(in, "mul", 2, (tg_argument[]){{.value = *i}, {.value = size}}, &row) &&
         call(in, "add", 2, (tg_argument[]){{.value = row}, {.value = scaled}}, &sum) &&
         call(in, "reshape", 2, (tg_argument[]){{.value = *base}, {.value = shape}}, &flat);
    tg_value_drop(row);
    tg_value_drop(scaled);
    tg_value_drop(size);
    tg_value_drop(shape);
    if (!ok) {
        tg_value_drop(sum);
        return false;
    }
    tg_value_drop(*i);
    tg_value_drop(*base);
    *i = sum;
    *base = flat;
    return true;
}

/* The tensors of l, gathered from `base` (already sliced); takes base. */
static bool apply_tensors(tg_interp *in, tg_value base, index_list *l, tg_value *out) {
    int axis = 0, first = -1;
    tg_value idx = TG_NONE_VALUE;
    bool ok = true, gap = false;
    int rank = type_of(base).rank, named = 0;
    for (int i = 0; i < l->n; i++)
        named += l->e[i].slice.kind != TG_SLICE_REST && l->e[i].slice.kind != TG_SLICE_INDEX;
    for (int i = 0; ok && i < l->n; i++) {
        tg_slice_kind k = l->e[i].slice.kind;
        if (l->e[i].tensor.tag == TG_V_NONE) {
            gap = gap || first >= 0;
            axis += k == TG_SLICE_INDEX ? 0 : k == TG_SLICE_REST ? rank - named : 1;
        } else if (first < 0) {
            first = axis;
            idx = tg_value_hold(l->e[i].tensor);
        } else if (gap) {
            ok = tg_fail(&in->rt.c, TG_ERR_VALUE,
                         "index tensors must stand side by side in one index");
        } else {
            ok = join_axes(in, &base, first, &idx, l->e[i].tensor);
        }
    }
    ok = ok &&
         call(in, "gather", 3,
              (tg_argument[]){{.value = base}, {.value = idx}, {.value = tg_value_number(first)}},
              out);
    tg_value_drop(idx);
    tg_value_drop(base);
    return ok;
}

/* Do the numbers and slices take all there is? Then only the tensors choose. */
static bool takes_all(const index_list *l) {
    for (int i = 0; i < l->n; i++) {
        const tg_slice_item *s = &l->e[i].slice;
        bool whole = s->kind == TG_SLICE_RANGE && !s->start.given && !s->stop.given && s->step == 1;
        if (!whole && s->kind != TG_SLICE_REST) return false;
    }
    return true;
}

static bool index_tensor(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base,
                         tg_value *out) {
    index_list l = {0};
    tg_type type = type_of(base);
    bool ok = read_entries(in, env, e, &type, &l);
    tg_slice_item item[MOST];
    for (int i = 0; ok && i < l.n; i++) item[i] = l.e[i].slice;
    tg_attrs at = {0};
    tg_value sliced = TG_NONE_VALUE;
    ok = ok && tg_slice_attrs(&in->rt, &type, l.n, item, &at);
    if (ok && l.tensors > 0 && takes_all(&l))
        sliced = tg_value_hold(base);
    else
        ok = ok && apply_slice(in, base, &at, &sliced);
    if (ok && l.tensors > 0)
        ok = apply_tensors(in, sliced, &l, out);
    else if (ok)
        *out = sliced;
    drop_entries(&l);
    if (!ok) tg_blame_operands(in, 1, &(int){0}, &(tg_argument){.value = base, .ast = e->kids[0]});
    return ok;
}

/* ---- containers, strings, records ---- */

static bool place_in(tg_interp *in, int64_t i, int64_t n, const char *of, int64_t *out) {
    *out = i < 0 ? i + n : i;
    if (*out >= 0 && *out < n) return true;
    tg_fail(&in->rt.c, TG_ERR_VALUE, "index %lld is out of range for %s of %lld", (long long)i, of,
            (long long)n);
    return n > 0 ? tg_help(&in->rt.c, "places are counted from 0: the last is %lld, or -1",
                           (long long)n - 1)
                 : false;
}

static void clip_slice(const tg_slice_bound b[2], int64_t n, int64_t *lo, int64_t *hi) {
    int64_t end[2] = {0, n};
    for (int i = 0; i < 2; i++) {
        if (b[i].given) end[i] = b[i].from_end ? n - b[i].value : b[i].value;
        if (end[i] < 0) end[i] = 0;
        if (end[i] > n) end[i] = n;
    }
    *lo = end[0];
    *hi = end[1] < end[0] ? end[0] : end[1];
}

static bool part_of(tg_interp *in, tg_value base, int64_t lo, int64_t hi, tg_value *out) {
    if (base.tag == TG_V_STRING) {
        const char *s = base.as.text->bytes, *end = s + base.as.text->len, *from = NULL;
        int64_t k = 0;
        for (; s < end && k < hi; k++) {
            if (k == lo) from = s;
            s += tg_utf8_next(s, (size_t)(end - s), NULL);
        }
        if (!from) from = s;
        return tg_value_string(&in->rt.c, from, (size_t)(s - from), out);
    }
    tg_value made;
    if (!tg_value_items(&in->rt.c, base.tag, (int)(hi - lo), &made)) return false;
    for (int64_t i = lo; i < hi; i++) made.as.items->v[i - lo] = tg_value_hold(base.as.items->v[i]);
    return tg_value_seal(&in->rt.c, made, out);
}

static int64_t characters(const tg_text *t) {
    int64_t n = 0;
    for (size_t i = 0; i < t->len; n++) i += (size_t)tg_utf8_next(t->bytes + i, t->len - i, NULL);
    return n;
}

static bool index_container(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base,
                            tg_value *out) {
    if (e->n != 2)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s takes one index", tg_value_kind(base));
    const tg_ast *k = e->kids[1];
    int64_t n = base.tag == TG_V_STRING ? characters(base.as.text) : base.as.items->n, lo, hi;
    if (k->kind == TG_AST_SLICE) {
        tg_slice_bound b[2];
        if (k->kids[2])
            return tg_fail(&in->rt.c, TG_ERR_TYPE, "a slice of %s takes no step",
                           tg_value_kind(base));
        if (!bound(in, env, k->kids[0], "the start of a slice", &b[0]) ||
            !bound(in, env, k->kids[1], "the end of a slice", &b[1]))
            return false;
        clip_slice(b, n, &lo, &hi);
        return part_of(in, base, lo, hi, out);
    }
    tg_value i;
    if (!tg_eval(in, env, k, &i)) return false;
    bool ok = tg_to_int(in, i, "an index", &lo) && place_in(in, lo, n, tg_value_kind(base), &lo);
    tg_value_drop(i);
    if (!ok) return tg_blame(in, k);
    if (base.tag == TG_V_STRING) return part_of(in, base, lo, lo + 1, out);
    *out = tg_value_hold(base.as.items->v[lo]);
    return true;
}

static bool index_record(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base,
                         tg_value *out) {
    tg_value key;
    if (!tg_eval(in, env, e->kids[1], &key)) return false;
    bool ok = true;
    if (key.tag == TG_V_STRING && e->n == 2) {
        const char *name = tg_intern(&in->rt.c, key.as.text->bytes, key.as.text->len);
        tg_value *v = name ? tg_value_field(base, name) : NULL;
        ok = v != NULL;
        if (v)
            *out = tg_value_hold(*v);
        else if (name)
            tg_fail(&in->rt.c, TG_ERR_NAME, "there is no field %s", name);
    } else {
        ok = tg_fail(&in->rt.c, TG_ERR_TYPE,
                     "a field of a record is named by a string: r[\"lr\"], or r.lr");
    }
    tg_value_drop(key);
    return ok;
}

bool tg_eval_index(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value base;
    if (!tg_eval(in, env, e->kids[0], &base)) return false;
    bool ok;
    switch (base.tag) {
    case TG_V_TENSOR:
    case TG_V_FORMULA: ok = index_tensor(in, env, e, base, out); break;
    case TG_V_TUPLE:
    case TG_V_STRING: ok = index_container(in, env, e, base, out); break;
    case TG_V_RECORD: ok = index_record(in, env, e, base, out); break;
    case TG_V_LIST:
        if (e->n == 2 && e->kids[1]->kind != TG_AST_BRACKET) {
            ok = index_container(in, env, e, base, out);
            break;
        }
        /* [x, y][[1, 0]]: an index into a live vector */
        /* fall through */
    case TG_V_RANGE: {
        tg_node *n = NULL;
        tg_tensor *t = NULL;
        ok = tg_is_live(base) ? tg_to_node(in, base, "the list", &n)
                              : tg_to_tensor(in, base, "the list", &t);
        tg_value made = n ? tg_value_formula(n, 0) : (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
        ok = ok && index_tensor(in, env, e, made, out);
        if (n || t) tg_value_drop(made);
        break;
    }
    default: ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be indexed", tg_value_kind(base));
    }
    tg_value_drop(base);
    return ok;
}

/* ---- x[i] := e ---- */

/* The elements that the index names, found by indexing the flat places 0, 1, 2, ... the same way.
 */
static bool places(tg_interp *in, tg_env *env, const tg_ast *e, const tg_view *shape,
                   tg_tensor **out) {
    tg_tensor *all = tg_tensor_new(&in->rt.c, TG_I64, shape->rank, shape->dim);
    if (!all) return false;
    for (int64_t i = 0, n = tg_view_count(shape); i < n; i++) ((int64_t *)all->v.data)[i] = i;
    tg_value base = {.tag = TG_V_TENSOR, .as.tensor = all}, picked = TG_NONE_VALUE;
    bool ok = index_tensor(in, env, e, base, &picked) && tg_to_tensor(in, picked, "the index", out);
    tg_value_drop(picked);
    tg_value_drop(base);
    return ok;
}

/* A value that fits the places: a scalar, the same shape, or one that stretches to it. */
static bool fit_value(tg_interp *in, tg_tensor *t, const tg_view *to, tg_view *out) {
    *out = t->v;
    int lead = to->rank - t->v.rank;
    for (int d = 0; d < to->rank; d++) {
        int64_t have = d >= lead && lead >= 0 ? t->v.dim[d - lead] : 1;
        if (lead < 0 || (have != 1 && have != to->dim[d]))
            return tg_fail(&in->rt.c, TG_ERR_SHAPE,
                           "a value of shape %s does not fit the place of shape %s",
                           tg_shape_text(&in->rt, t->v.rank, t->v.dim),
                           tg_shape_text(&in->rt, to->rank, to->dim));
        out->dim[d] = to->dim[d];
        out->stride[d] = have == 1 ? 0 : t->v.stride[d - lead];
    }
    out->rank = to->rank;
    return true;
}

static bool replace_in_tensor(tg_interp *in, tg_env *env, const tg_ast *e, tg_tensor *base,
                              tg_value value, tg_value *out) {
    tg_tensor *where = NULL, *what = NULL, *copy = NULL;
    tg_view from;
    bool ok = places(in, env, e, &base->v, &where) && tg_to_tensor(in, value, "the value", &what) &&
              fit_value(in, what, &where->v, &from);
    if (ok) ok = (copy = tg_tensor_convert(&in->rt.c, &base->v, base->v.dtype)) != NULL;
    for (int64_t i = 0, n = ok ? tg_view_count(&where->v) : 0; i < n; i++)
        tg_view_set(&copy->v, (int64_t)tg_view_get(&where->v, i), tg_view_get(&from, i));
    tg_tensor_drop(where);
    tg_tensor_drop(what);
    if (ok) *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = copy};
    return ok;
}

static bool replace_in_container(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base,
                                 tg_value value, tg_value *out) {
    tg_value key, made;
    int64_t at = -1;
    if (e->n != 2)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s takes one index", tg_value_kind(base));
    if (e->kids[1]->kind == TG_AST_SLICE)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "one thing at a time can be stored in %s",
                       tg_value_kind(base));
    if (!tg_eval(in, env, e->kids[1], &key)) return false;
    bool ok = true;
    if (base.tag == TG_V_RECORD && key.tag == TG_V_STRING) {
        for (int i = 0; i < base.as.items->n; i++)
            if (strcmp(base.as.items->field[i], key.as.text->bytes) == 0) at = i;
        if (at < 0)
            ok = tg_fail(&in->rt.c, TG_ERR_NAME, "there is no field %s", key.as.text->bytes);
    } else {
        ok = tg_to_int(in, key, "an index", &at) &&
             place_in(in, at, base.as.items->n, tg_value_kind(base), &at);
    }
    tg_value_drop(key);
    if (!ok || !tg_value_items(&in->rt.c, base.tag, base.as.items->n, &made)) return false;
    for (int i = 0; i < base.as.items->n; i++) {
        made.as.items->v[i] = tg_value_hold(i == at ? value : base.as.items->v[i]);
        if (base.tag == TG_V_RECORD) made.as.items->field[i] = base.as.items->field[i];
    }
    return tg_value_seal(&in->rt.c, made, out);
}

bool tg_index_replace(tg_interp *in, tg_env *env, const tg_ast *index, tg_value base,
                      tg_value value, tg_value *out) {
    if (base.tag == TG_V_TENSOR)
        return replace_in_tensor(in, env, index, base.as.tensor, value, out);
    if (tg_is_container(base)) return replace_in_container(in, env, index, base, value, out);
    return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s has no places to store into", tg_value_kind(base));
}
