/* x[...]: numbers, slices, index tensors and masks.
 *
 * Numbers and slices together are one `slice` operation. Index tensors then gather along what is
 * left of their axes; several of them side by side address elements pair by pair, as in NumPy. A
 * mask is turned into the numbers of its true places. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/element.h"
#include "interp/index.h"

#include <math.h>
#include <string.h>

enum { MOST = TG_MAX_RANK + 2 };

/* One bracket, evaluated. */
typedef struct entry {
    tg_slice_item slice; /* for an index tensor: the whole axis */
    tg_value tensor;     /* an index tensor (whole numbers), or NONE */
} entry;

typedef struct entries {
    entry e[MOST];
    int n;
    int tensors;
    const tg_ast
        *whole; /* what stands for the base while nothing is chosen: its name in formulas */
} entries;

static void drop_entries(entries *l) {
    for (int i = 0; i < l->n; i++) tg_value_drop(l->e[i].tensor);
}

static const tg_slice_item whole_axis = {.kind = TG_SLICE_RANGE, .step = 1};

bool tg_index_bound(tg_interp *in, tg_env *env, const tg_ast *e, const char *what,
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

static bool add_tensor(tg_interp *in, entries *l, tg_value v) {
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

/* A mask, as the numbers of its true places: one index for each of its axes, from `axis` of the
 * base on, whose sizes it must have. */
static bool add_mask(tg_interp *in, entries *l, const tg_view *mask, const tg_type *base,
                     int axis) {
    for (int d = 0; d < mask->rank; d++)
        if (axis + d >= base->rank ||
            (base->dim[axis + d] >= 0 && base->dim[axis + d] != mask->dim[d]))
            return tg_fail(&in->rt.c, TG_ERR_SHAPE,
                           "a mask of shape %s does not fit a tensor of shape %s",
                           tg_shape_text(&in->rt, mask->rank, mask->dim),
                           tg_shape_text(&in->rt, base->rank, base->dim));
    tg_value place[TG_MAX_RANK];
    if (!mask_to_indices(in, mask, place)) return false;
    for (int d = 0; d < mask->rank; d++) {
        if (add_tensor(in, l, place[d])) continue;
        while (++d < mask->rank) tg_value_drop(place[d]);
        return false;
    }
    return true;
}

/* Takes v: a tensor or formula of rank 1 or more, a list or a range. `axis`: the next axis of the
 * base, for the shape of a mask. */
static bool add_index_tensor(tg_interp *in, entries *l, tg_value v, const tg_type *base, int axis) {
    tg_value array;
    bool ok = tg_to_array(in, v, "an index", &array);
    tg_value_drop(v);
    if (!ok) return false;
    if (array.tag == TG_V_FORMULA) {
        if (array.as.node->type.dtype != TG_BOOL) return add_tensor(in, l, array);
        if (tg_check_is_stand_in(array)) {
            tg_value_drop(array);
            return tg_check_give_up(in);
        }
        tg_value_drop(array);
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "a mask that depends on variables would give a result of changing size");
        return tg_help(&in->rt.c,
                       "where(mask, x, 0) keeps the size; value(mask) takes the mask as it is now");
    }
    const tg_view *t = &array.as.tensor->v;
    if (t->dtype != TG_BOOL && check_whole(in, t)) return add_tensor(in, l, array);
    ok = t->dtype == TG_BOOL && add_mask(in, l, t, base, axis);
    tg_value_drop(array);
    return ok;
}

/* One place: a number, a size, or a live number, which is an index of rank 0. Takes v. */
static bool add_place(tg_interp *in, entries *l, const tg_ast *e, tg_value v) {
    tg_size s;
    tg_slice_bound at = {0};
    bool ok = true;
    if (v.tag == TG_V_NUMBER && (ok = tg_to_size(in, v, "an index", &s))) {
        at = tg_slice_at(s);
    } else if (v.tag == TG_V_FORMULA) {
        const tg_node *n = v.as.node;
        bool back = tg_node_is(n, "neg"); /* x[-N] */
        s = tg_size_of_node(in, back ? n->arg[0] : n);
        if (s == TG_SIZE_FAIL) return add_tensor(in, l, v);
        at = (tg_slice_bound){true, back, s};
    } else if (ok) {
        ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be an index", tg_value_kind(v));
    }
    tg_value_drop(v);
    if (!ok) return tg_blame(in, e);
    l->e[l->n++] = (entry){.slice = {.kind = TG_SLICE_INDEX, .start = at, .step = 1}};
    return true;
}

/* The first entries of an index, where they are evaluated already: numbers, and at most one other
 * thing behind them. */
typedef struct early {
    int n, numbers;
    tg_value v[MOST];
} early;

/* What the i-th entry, which is neither a slice nor the like, evaluates to. */
static bool entry_value(tg_interp *in, tg_env *env, const tg_ast *e, int i, early *known,
                        tg_value *out) {
    if (!known || i >= known->n) return tg_eval(in, env, e, out);
    *out = known->v[i];
    known->v[i] = TG_NONE_VALUE;
    return true;
}

static bool read_entry(tg_interp *in, tg_env *env, const tg_ast *e, const tg_type *base, int axis,
                       int i, early *known, entries *l) {
    if (l->n >= MOST) return tg_fail(&in->rt.c, TG_ERR_VALUE, "too many entries in the index");
    tg_slice_item item = whole_axis;
    tg_slice_bound step;
    tg_value v;
    switch (e->kind) {
    case TG_AST_REST: item.kind = TG_SLICE_REST; break;
    case TG_AST_NONE: item.kind = TG_SLICE_NEWAXIS; break;
    case TG_AST_SLICE:
        if (!tg_index_bound(in, env, e->kids[0], "the start of a slice", &item.start) ||
            !tg_index_bound(in, env, e->kids[1], "the end of a slice", &item.stop) ||
            !tg_index_bound(in, env, e->kids[2], "the step of a slice", &step))
            return false;
        if (step.given) item.step = step.from_end ? -step.value : step.value;
        break;
    default:
        if (!entry_value(in, env, e, i, known, &v)) return false;
        return tg_value_rank(v) > 0 || v.tag == TG_V_LIST || v.tag == TG_V_RANGE
                   ? add_index_tensor(in, l, v, base, axis)
                   : add_place(in, l, e, v);
    }
    l->e[l->n++] = (entry){.slice = item};
    return true;
}

static bool read_entries(tg_interp *in, tg_env *env, const tg_ast *e, const tg_type *base,
                         early *known, entries *l) {
    int axis = 0, named = 0;
    for (int i = 1; i < e->n; i++)
        named += e->kids[i]->kind != TG_AST_REST && e->kids[i]->kind != TG_AST_NONE;
    for (int i = 1; i < e->n; i++) {
        int before = l->n;
        if (!read_entry(in, env, e->kids[i], base, axis, i - 1, known, l))
            return tg_blame(in, e->kids[i]);
        if (e->kids[i]->kind == TG_AST_REST)
            axis += base->rank > named ? base->rank - named : 0;
        else if (e->kids[i]->kind != TG_AST_NONE)
            axis += l->n - before;
    }
    return true;
}

/* A slice of a known tensor is a formula where a bound waits for data (x[N - 1]). `ast` names it.
 */
static bool apply_slice(tg_interp *in, const tg_ast *ast, tg_value base, const tg_attrs *at,
                        tg_value *out) {
    if (base.tag == TG_V_FORMULA || tg_attrs_open(at)) {
        tg_node *x, *n = NULL;
        const char *label = ast->kind == TG_AST_NAME ? ast->name : NULL;
        if (tg_to_node_of(in, base, "the base of an index", false, label, &x))
            n = tg_node_make(&in->rt, tg_op_slice(), 1, &x, at);
        if (n) *out = tg_value_formula(n, base.assumed);
        return n != NULL;
    }
    tg_tensor *t = tg_op_apply(&in->rt, tg_op_slice(), 1, &base.as.tensor, NULL, at);
    if (t) *out = tg_value_tensor(t);
    return t != NULL;
}

static bool call2(tg_interp *in, const char *op, tg_value a, tg_value b, tg_value *out) {
    return tg_call_op(in, tg_op_find(op), 2, (tg_argument[]){{.value = a}, {.value = b}}, out);
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

/* The shape with the axes `axis` and axis + 1 as one. */
static bool joined_shape(tg_interp *in, const tg_type *t, int axis, tg_value *out) {
    tg_value shape;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, t->rank - 1, &shape)) return false;
    bool ok = true;
    for (int d = 0, k = 0; ok && d < t->rank; d++) {
        if (d == axis + 1) continue;
        tg_size s = d == axis ? tg_size_times(&in->rt, t->dim[d], t->dim[d + 1]) : t->dim[d];
        ok = s != TG_SIZE_FAIL && tg_value_size(in, s, &shape.as.items->v[k++]);
    }
    if (ok) return tg_value_seal(&in->rt.c, shape, out);
    tg_value_drop(shape);
    return false;
}

/* i for axis a and j for axis a + 1 become i * size + j, and the two axes one. Takes base and i;
 * *base and *i are replaced. Negative places count from the end of their own axis: j modulo size.
 */
static bool join_axes(tg_interp *in, tg_value *base, int axis, tg_value *i, tg_value j) {
    enum { SHAPE, SIZE, ROW, COLUMN, SUM, FLAT, PARTS };
    tg_value part[PARTS] = {{0}}; /* all none */
    tg_type t = tg_type_of(*base);
    tg_size size = t.dim[axis + 1];
    bool ok = check_places(in, *i, t.dim[axis], axis) && check_places(in, j, size, axis + 1) &&
              joined_shape(in, &t, axis, &part[SHAPE]) && tg_value_size(in, size, &part[SIZE]) &&
              call2(in, "mul", *i, part[SIZE], &part[ROW]) &&
              call2(in, "mod", j, part[SIZE], &part[COLUMN]) &&
              call2(in, "add", part[ROW], part[COLUMN], &part[SUM]) &&
              call2(in, "reshape", *base, part[SHAPE], &part[FLAT]);
    if (ok) {
        tg_value_drop(*i);
        tg_value_drop(*base);
        *i = tg_value_hold(part[SUM]);
        *base = tg_value_hold(part[FLAT]);
    }
    for (int k = 0; k < PARTS; k++) tg_value_drop(part[k]);
    return ok;
}

/* How many axes of the sliced base the i-th entry stands for; `rest`: how many `...` does. */
static int axes_of(const entries *l, int i, int rest) {
    tg_slice_kind k = l->e[i].slice.kind;
    return k == TG_SLICE_INDEX ? 0 : k == TG_SLICE_REST ? rest : 1;
}

static int rest_of(const entries *l, int rank) {
    for (int i = 0; i < l->n; i++) rank -= axes_of(l, i, 0);
    return rank;
}

static bool gather(tg_interp *in, entries *l, tg_value base, tg_value idx, int axis,
                   tg_value *out) {
    tg_argument arg[] = {
        {.value = base, .ast = l->whole}, {.value = idx}, {.value = tg_value_number(axis)}};
    l->whole = NULL;
    return tg_call_op(in, tg_op_find("gather"), 3, arg, out);
}

/* Live numbers choose along their axes one by one, from the last to the first; their entries become
 * like those of known numbers. Replaces *base. */
static bool apply_live_places(tg_interp *in, tg_value *base, entries *l) {
    int rest = rest_of(l, tg_value_rank(*base)), axis = 0;
    for (int i = 0; i < l->n; i++) axis += axes_of(l, i, rest);
    for (int i = l->n; i-- > 0;) {
        entry *e = &l->e[i];
        axis -= axes_of(l, i, rest);
        if (e->tensor.tag != TG_V_FORMULA || e->tensor.as.node->type.rank > 0) continue;
        tg_value chosen;
        if (!gather(in, l, *base, e->tensor, axis, &chosen)) return false;
        tg_value_drop(*base);
        *base = chosen;
        tg_value_drop(e->tensor);
        *e = (entry){.slice = {.kind = TG_SLICE_INDEX, .step = 1}};
        l->tensors--;
    }
    return true;
}

/* The tensors of l, gathered from `base` (already sliced); takes base. */
static bool apply_tensors(tg_interp *in, tg_value base, entries *l, tg_value *out) {
    int axis = 0, first = -1;
    tg_value idx = TG_NONE_VALUE;
    bool ok = apply_live_places(in, &base, l), gap = false;
    if (ok && l->tensors == 0) {
        *out = base;
        return true;
    }
    int rest = ok ? rest_of(l, tg_value_rank(base)) : 0;
    for (int i = 0; ok && i < l->n; i++) {
        if (l->e[i].tensor.tag == TG_V_NONE) {
            gap = gap || first >= 0;
            axis += axes_of(l, i, rest);
        } else if (first < 0) {
            first = axis;
            idx = tg_value_hold(l->e[i].tensor);
        } else if (gap) {
            ok = tg_fail(&in->rt.c, TG_ERR_VALUE,
                         "index tensors must stand side by side in one index");
        } else {
            ok = join_axes(in, &base, first, &idx, l->e[i].tensor);
            l->whole = NULL;
        }
    }
    ok = ok && gather(in, l, base, idx, first, out);
    tg_value_drop(idx);
    tg_value_drop(base);
    return ok;
}

/* Do the numbers and slices take all there is? Then only the tensors choose. */
static bool takes_all(const entries *l) {
    for (int i = 0; i < l->n; i++) {
        const tg_slice_item *s = &l->e[i].slice;
        bool whole = s->kind == TG_SLICE_RANGE && !s->start.given && !s->stop.given && s->step == 1;
        if (!whole && s->kind != TG_SLICE_REST) return false;
    }
    return true;
}

static bool blame_base(tg_interp *in, const tg_ast *e, tg_value base) {
    return tg_blame_operands(in, 1, &(int){0}, &(tg_argument){.value = base, .ast = e->kids[0]});
}

static bool index_array(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, early *known,
                        tg_value *out) {
    entries l = {0};
    tg_type type = tg_type_of(base);
    bool ok = read_entries(in, env, e, &type, known, &l);
    tg_slice_item item[MOST];
    for (int i = 0; ok && i < l.n; i++) item[i] = l.e[i].slice;
    tg_attrs at = {0};
    tg_value sliced = TG_NONE_VALUE;
    ok = ok && tg_slice_attrs(&in->rt, &type, l.n, item, &at);
    if (ok && l.tensors > 0 && takes_all(&l)) {
        sliced = tg_value_hold(base);
        l.whole = e->kids[0];
    } else {
        ok = ok && apply_slice(in, e->kids[0], base, &at, &sliced);
    }
    if (ok && l.tensors > 0)
        ok = apply_tensors(in, sliced, &l, out);
    else if (ok)
        *out = sliced;
    drop_entries(&l);
    return ok || blame_base(in, e, base);
}

/* The entries of e as long as they are numbers. */
static bool read_early(tg_interp *in, tg_env *env, const tg_ast *e, early *l) {
    l->n = l->numbers = 0;
    for (int i = 1; i < e->n && i <= MOST; i++) {
        const tg_ast *kid = e->kids[i];
        if (kid->kind == TG_AST_SLICE || kid->kind == TG_AST_REST || kid->kind == TG_AST_NONE)
            break;
        if (!tg_eval(in, env, kid, &l->v[l->n])) return tg_blame(in, kid);
        if (l->v[l->n++].tag != TG_V_NUMBER) break;
        l->numbers++;
    }
    return true;
}

/* x[i, j] of a plain tensor, for as many axes as there are numbers; *done: it is that. */
static bool part_at(tg_interp *in, tg_tensor *t, const early *l, tg_value *out, bool *done) {
    double place[MOST];
    int64_t offset;
    for (int i = 0; i < l->numbers; i++) place[i] = l->v[i].as.number;
    *done = l->numbers <= t->v.rank && tg_element_at(&t->v, l->numbers, place, &offset);
    if (!*done) return true;
    if (l->numbers == t->v.rank) {
        const double x = tg_view_load(&t->v, offset);
        *out = t->v.dtype == TG_BOOL ? tg_value_bool(x != 0) : tg_value_number(x);
        return true;
    }
    tg_view part = {.dtype = t->v.dtype, .rank = t->v.rank - l->numbers};
    part.data = (char *)t->v.data + offset * (int64_t)tg_dtype_size(part.dtype);
    for (int d = 0; d < part.rank; d++) {
        part.dim[d] = t->v.dim[d + l->numbers];
        part.stride[d] = t->v.stride[d + l->numbers];
    }
    tg_tensor *shared = tg_tensor_share(&in->rt.c, t, &part);
    if (shared) *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = shared};
    return shared != NULL;
}

static bool index_tensor(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base,
                         tg_value *out) {
    early l;
    bool done = false, ok = read_early(in, env, e, &l);
    if (!ok) blame_base(in, e, base);
    if (ok && l.numbers == e->n - 1 && l.numbers > 0)
        ok = part_at(in, base.as.tensor, &l, out, &done);
    if (ok && !done) ok = index_array(in, env, e, base, &l, out);
    for (int i = l.numbers; i < l.n; i++) tg_value_drop(l.v[i]);
    return ok;
}

/* A list or range stands for the tensor or formula of its items. */
static bool index_list(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, tg_value *out) {
    tg_value made;
    if (!tg_to_array(in, base, "the list", &made)) return false;
    bool ok = index_array(in, env, e, made, NULL, out);
    tg_value_drop(made);
    return ok;
}

bool tg_index_of(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, tg_value *out) {
    switch (base.tag) {
    case TG_V_TENSOR: return index_tensor(in, env, e, base, out);
    case TG_V_FORMULA: return index_array(in, env, e, base, NULL, out);
    case TG_V_RANGE: return index_list(in, env, e, base, out);
    case TG_V_LIST: /* [x, y][[1, 0]]: an index into a live vector */
        return e->n == 2 && e->kids[1]->kind != TG_AST_BRACKET
                   ? tg_index_item(in, env, e, base, out)
                   : index_list(in, env, e, base, out);
    case TG_V_TUPLE:
    case TG_V_STRING:
    case TG_V_RECORD: return tg_index_item(in, env, e, base, out);
    default: return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be indexed", tg_value_kind(base));
    }
}

bool tg_eval_index(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value base;
    if (!tg_eval(in, env, e->kids[0], &base)) return false;
    bool ok = tg_index_of(in, env, e, base, out);
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
    bool ok =
        index_array(in, env, e, base, NULL, &picked) && tg_to_tensor(in, picked, "the index", out);
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

bool tg_index_replace(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, tg_value value,
                      tg_value *out) {
    if (base.tag != TG_V_TENSOR)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s has no places to store into",
                       tg_value_kind(base));
    const tg_view *old = &base.as.tensor->v;
    tg_tensor *where = NULL, *what = NULL, *copy = NULL;
    tg_view from;
    bool ok = places(in, env, e, old, &where) && tg_to_tensor(in, value, "the value", &what) &&
              fit_value(in, what, &where->v, &from);
    if (ok) ok = (copy = tg_tensor_convert(&in->rt.c, old, old->dtype)) != NULL;
    for (int64_t i = 0, n = ok ? tg_view_count(&where->v) : 0; i < n; i++)
        tg_view_set(&copy->v, (int64_t)tg_view_get(&where->v, i), tg_view_get(&from, i));
    tg_tensor_drop(where);
    tg_tensor_drop(what);
    if (ok) *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = copy};
    return ok;
}
