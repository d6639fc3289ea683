/* From one kind of value to another: formulas to what they are worth now, plain values to nodes of
 * the graph.
 *
 * While the right side of `:=` is computed, a plain value that meets a formula does not become a
 * constant but a lift slot: a cell, numbered in the order of meeting, whose content is set on the
 * spot. The second turn of a loop then builds the very same nodes, finds the same plan, and only
 * the slots hold other numbers. */
#include "interp/convert.h"
#include "interp/vmap.h"
#include "interp/watch.h"
#include "base/alloc.h"
#include "interp/check.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <string.h>

bool tg_is_container(tg_value v) {
    return v.tag == TG_V_LIST || v.tag == TG_V_TUPLE || v.tag == TG_V_RECORD;
}

tg_cell *tg_value_cell(tg_value v) {
    if (v.tag != TG_V_FORMULA || v.as.node->op != &tg_op_cell) return NULL;
    tg_cell *c = v.as.node->leaf.cell;
    return c->kind == TG_CELL_LIFT || c->kind >= TG_CELL_SLOT ? NULL : c;
}

bool tg_is_live(tg_value v) {
    if (v.tag == TG_V_FORMULA) return true;
    if (!tg_is_container(v)) return false;
    for (int i = 0; i < v.as.items->n; i++)
        if (tg_is_live(v.as.items->v[i])) return true;
    return false;
}

int tg_value_rank(tg_value v) {
    return v.tag == TG_V_TENSOR    ? v.as.tensor->v.rank
           : v.tag == TG_V_FORMULA ? v.as.node->type.rank
                                   : 0;
}

tg_type tg_type_of(tg_value v) {
    if (v.tag == TG_V_FORMULA) return v.as.node->type;
    const tg_view *t = &v.as.tensor->v;
    tg_type type = {.dtype = t->dtype, .rank = t->rank};
    memcpy(type.dim, t->dim, sizeof type.dim);
    return type;
}

/* ---- formulas to values ---- */

bool tg_map_leaves(tg_interp *in, tg_value v, tg_leaf_fn *f, void *user, tg_value *out) {
    *out = TG_NONE_VALUE;
    if (!tg_is_container(v)) {
        if (f(in, v, user, out)) return true;
        *out = TG_NONE_VALUE; /* what f began is dropped already */
        return false;
    }
    if (!tg_guard(&in->rt.c)) return false;
    tg_value made;
    if (!tg_value_items(&in->rt.c, v.tag, v.as.items->n, &made)) return false;
    tg_value_nest_like(made, v);
    for (int i = 0; i < v.as.items->n; i++) {
        if (v.tag == TG_V_RECORD) made.as.items->field[i] = v.as.items->field[i];
        if (!tg_map_leaves(in, v.as.items->v[i], f, user, &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    }
    *out = made;
    return true;
}

typedef struct node_list {
    tg_node **node;
    size_t n, cap;
    tg_tensor **value;
} node_list;

static bool gather_node(tg_interp *in, tg_value v, void *user, tg_value *out) {
    node_list *l = user;
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA) return true;
    void *p = l->node;
    bool ok = tg_grow(&p, &l->cap, l->n + 1, sizeof *l->node);
    l->node = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    l->node[l->n++] = v.as.node;
    return true;
}

/* Same order as gather_node: l->n counts up again. */
static bool place_value(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)in;
    node_list *l = user;
    if (v.tag != TG_V_FORMULA) {
        *out = tg_value_hold(v);
        return true;
    }
    *out = tg_value_tensor(l->value[l->n]);
    l->value[l->n++] = NULL;
    return true;
}

/* The tensor that is already there for a cell; else NULL. */
static tg_tensor *stored(const tg_node *n) {
    return n->op == &tg_op_cell    ? n->leaf.cell->value
           : n->op == &tg_op_const ? n->leaf.tensor
                                   : NULL;
}

/* Nothing in v is what vmap maps over. */
static bool may_look(tg_interp *in, tg_value v) {
    if (v.tag == TG_V_FORMULA) return tg_vmap_may_look(in, v.as.node);
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (!may_look(in, v.as.items->v[i])) return false;
    return true;
}

static bool now_one(tg_interp *in, tg_node *n, int ncells, tg_cell *const *cells,
                    tg_tensor *const *values, tg_value *out) {
    tg_tensor *t = NULL;
    if (!tg_watch_look(in, 1, &n, ncells, cells, values) ||
        !tg_plan_eval_with(&in->rt, 1, &n, ncells, cells, values, &t))
        return false;
    *out = tg_value_tensor(t);
    return true;
}

static bool now_many(tg_interp *in, tg_value v, int ncells, tg_cell *const *cells,
                     tg_tensor *const *values, tg_value *out) {
    node_list l = {0};
    tg_value skeleton = TG_NONE_VALUE;
    if (in->slot && !may_look(in, v)) return false;
    if (in->checking) {
        tg_check_now(in, v);
        return false;
    }
    if (v.tag == TG_V_FORMULA) return now_one(in, v.as.node, ncells, cells, values, out);
    bool ok = tg_map_leaves(in, v, gather_node, &l, &skeleton);
    if (ok && l.n > 0) {
        l.value = tg_alloc_array(l.n, sizeof *l.value);
        ok = l.value || tg_fail_memory(&in->rt.c);
        ok = ok && tg_watch_look(in, (int)l.n, l.node, ncells, cells, values) &&
             tg_plan_eval_with(&in->rt, (int)l.n, l.node, ncells, cells, values, l.value);
    }
    size_t total = l.n;
    l.n = 0;
    ok = ok && tg_map_leaves(in, v, place_value, &l, out);
    for (size_t i = 0; l.value && i < total; i++) tg_tensor_drop(l.value[i]);
    tg_value_drop(skeleton);
    tg_free(l.node);
    tg_free(l.value);
    return ok;
}

bool tg_value_now_with(tg_interp *in, tg_value v, int ncells, tg_cell *const *cells,
                       tg_tensor *const *values, tg_value *out) {
    return now_many(in, v, ncells, cells, values, out);
}

bool tg_value_now(tg_interp *in, tg_value v, tg_value *out) {
    if (!tg_is_live(v)) {
        *out = tg_value_hold(v);
        return true;
    }
    if (v.tag == TG_V_FORMULA && stored(v.as.node)) {
        *out = tg_value_tensor(tg_tensor_hold(stored(v.as.node)));
        return true;
    }
    return now_many(in, v, 0, NULL, NULL, out);
}

/* ---- scalars ---- */

static bool wrong_kind(tg_interp *in, tg_value v, const char *what, const char *wanted) {
    return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s must be %s, not %s", what, wanted, tg_value_kind(v));
}

bool tg_to_number(tg_interp *in, tg_value v, const char *what, double *out) {
    tg_value now;
    if (v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL) {
        *out = v.tag == TG_V_NUMBER ? v.as.number : v.as.truth;
        return true;
    }
    if (v.tag != TG_V_FORMULA && v.tag != TG_V_TENSOR) return wrong_kind(in, v, what, "a number");
    if (!tg_value_now(in, v, &now)) return false;
    bool ok = true;
    if (now.tag == TG_V_NUMBER)
        *out = now.as.number;
    else if (now.tag == TG_V_BOOL)
        *out = now.as.truth;
    else if (now.tag == TG_V_TENSOR && tg_view_count(&now.as.tensor->v) == 1)
        *out = tg_view_get(&now.as.tensor->v, 0);
    else
        ok =
            tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s must be a single number, not a tensor of shape %s",
                    what, tg_shape_text(&in->rt, now.as.tensor->v.rank, now.as.tensor->v.dim));
    tg_value_drop(now);
    return ok;
}

bool tg_to_truth(tg_interp *in, tg_value v, const char *what, bool *out) {
    if (v.tag == TG_V_BOOL) {
        *out = v.as.truth;
        return true;
    }
    if (tg_value_said(v)) return tg_to_truth(in, v.as.items->v[0], what, out);
    if (v.tag == TG_V_STRING || tg_is_container(v)) return wrong_kind(in, v, what, "true or false");
    double x;
    if (!tg_to_number(in, v, what, &x)) {
        if (in->rt.c.diag.kind == TG_ERR_SHAPE) tg_help(&in->rt.c, "say any(...) or all(...)");
        return false;
    }
    *out = x != 0;
    return true;
}

bool tg_to_int(tg_interp *in, tg_value v, const char *what, int64_t *out) {
    double x;
    if (!tg_to_number(in, v, what, &x)) return false;
    if (x != floor(x) || fabs(x) > 9007199254740992.0)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "%s must be a whole number, not %.15g", what, x);
    *out = (int64_t)x;
    return true;
}

static tg_size size_within(tg_interp *in, const tg_node *n, int depth) {
    if (n->op == &tg_op_size) return n->leaf.size;
    if (n->op == &tg_op_number) {
        double x = n->leaf.number;
        return x >= 0 && x == floor(x) && x < 1e15 ? (tg_size)x : TG_SIZE_FAIL;
    }
    if (n->n != 2 || depth > 16) return TG_SIZE_FAIL;
    bool add = tg_node_is(n, "add"), sub = tg_node_is(n, "sub"), mul = tg_node_is(n, "mul"),
         div = tg_node_is(n, "div");
    if (!add && !sub && !mul && !div) return TG_SIZE_FAIL;
    tg_size a = size_within(in, n->arg[0], depth + 1), b = size_within(in, n->arg[1], depth + 1);
    if (a == TG_SIZE_FAIL || b == TG_SIZE_FAIL) return TG_SIZE_FAIL;
    return add   ? tg_size_add(&in->rt, a, b)
           : sub ? tg_size_sub(&in->rt, a, b)
           : mul ? tg_size_times(&in->rt, a, b)
                 : tg_size_divide(&in->rt, a, b);
}

tg_size tg_size_of_node(tg_interp *in, const tg_node *n) {
    return size_within(in, n, 0);
}

bool tg_to_size(tg_interp *in, tg_value v, const char *what, tg_size *out) {
    if (v.tag == TG_V_FORMULA) {
        *out = tg_size_of_node(in, v.as.node);
        if (*out != TG_SIZE_FAIL) return true;
    }
    int64_t k;
    if (!tg_to_int(in, v, what, &k)) return false;
    *out = k;
    return true;
}

/* ---- tensors ---- */

/* Numbers and truth values in a row; false without an error when there is something else. */
static bool plain_vector(tg_interp *in, tg_value v, tg_value *out, bool *is) {
    int n = v.as.items->n, truths = 0;
    for (int i = 0; i < n; i++) {
        tg_tag t = v.as.items->v[i].tag;
        if (t != TG_V_NUMBER && t != TG_V_BOOL) {
            *is = false;
            return true;
        }
        truths += t == TG_V_BOOL;
    }
    *is = true;
    tg_tensor *t =
        tg_tensor_new(&in->rt.c, n && truths == n ? TG_BOOL : in->rt.precision, 1, &(int64_t){n});
    if (!t) return false;
    for (int i = 0; i < n; i++) {
        tg_value x = v.as.items->v[i];
        tg_view_set(&t->v, i, x.tag == TG_V_NUMBER ? x.as.number : x.as.truth);
    }
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    return true;
}

static const tg_op *stack_op(void) {
    return tg_op_find("stack");
}

/* stack of the items along a new first axis; the attribute axis is 0. */
static tg_tensor *stack_tensors(tg_interp *in, int n, const tg_value *v) {
    tg_tensor **t = tg_alloc_array((size_t)n, sizeof(tg_tensor *));
    if (!t) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    for (int i = 0; i < n; i++) t[i] = v[i].as.tensor;
    tg_tensor *out = tg_op_apply(&in->rt, stack_op(), n, t, NULL, &(tg_attrs){.n = 1});
    tg_free(t);
    return out;
}

/* Is there anything but tensors of one shape? */
static bool ragged(tg_value v) {
    const tg_value *x = v.as.items->v;
    for (int i = 0; i < v.as.items->n; i++)
        if (x[i].tag != TG_V_TENSOR ||
            !tg_shape_equal(x[i].as.tensor->v.rank, x[i].as.tensor->v.dim, x[0].as.tensor->v.rank,
                            x[0].as.tensor->v.dim))
            return true;
    return false;
}

bool tg_list_settle(tg_interp *in, tg_value v, tg_value *out) {
    *out = v;
    if (v.tag != TG_V_LIST) return true;
    bool is;
    tg_value made;
    if (!plain_vector(in, v, &made, &is)) goto failed;
    if (is) {
        tg_value_drop(v);
        *out = made;
        return true;
    }
    if (ragged(v)) return true;
    tg_tensor *t = stack_tensors(in, v.as.items->n, v.as.items->v);
    if (!t) goto failed;
    tg_value_drop(v);
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    return true;
failed:
    tg_value_drop(v);
    *out = TG_NONE_VALUE;
    return false;
}

/* Why a list is no tensor. */
static void help_list(tg_interp *in, tg_value v) {
    const tg_items *items = v.as.items;
    if (items->n == 1 && items->v[0].tag == TG_V_RANGE)
        tg_help(&in->rt.c, "[%g..%g] is a list with a range in it; the numbers are (%g..%g)",
                items->v[0].as.range->lo, items->v[0].as.range->hi, items->v[0].as.range->lo,
                items->v[0].as.range->hi);
    else
        tg_help(&in->rt.c, "the items of a tensor must all have the same shape");
}

bool tg_to_tensor(tg_interp *in, tg_value v, const char *what, tg_tensor **out) {
    tg_value now, settled;
    if (!tg_value_now(in, v, &now) || !tg_list_settle(in, now, &settled)) return false;
    bool ok = true;
    switch (settled.tag) {
    case TG_V_NUMBER:
        ok = (*out = tg_tensor_scalar(&in->rt.c, TG_F64, settled.as.number)) != NULL;
        break;
    case TG_V_BOOL:
        ok = (*out = tg_tensor_scalar(&in->rt.c, TG_BOOL, settled.as.truth)) != NULL;
        break;
    case TG_V_TENSOR: *out = tg_tensor_hold(settled.as.tensor); break;
    case TG_V_RANGE: {
        int64_t n;
        ok = tg_range_count(&in->rt.c, settled.as.range, &n) &&
             (*out = tg_tensor_new(&in->rt.c, in->rt.precision, 1, &n)) != NULL;
        for (int64_t i = 0; ok && i < n; i++)
            tg_view_set(&(*out)->v, i, settled.as.range->lo + (double)i);
        break;
    }
    default:
        ok = wrong_kind(in, settled, what, "a number or a tensor");
        if (settled.tag == TG_V_LIST) help_list(in, settled);
    }
    tg_value_drop(settled);
    return ok;
}

/* ---- nodes ---- */

static bool same_type(const tg_type *a, const tg_type *b) {
    return a->dtype == b->dtype && a->weak == b->weak &&
           tg_shape_equal(a->rank, a->dim, b->rank, b->dim);
}

/* The next lift slot, of that type. */
static tg_cell *next_lift(tg_interp *in, const tg_type *type) {
    void *p = in->lifts;
    bool ok = tg_grow(&p, &in->lifts_cap, in->lift_next + 1, sizeof(tg_cell *));
    in->lifts = p;
    if (!ok) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    if (in->lift_next == in->nlifts) in->lifts[in->nlifts++] = NULL;
    tg_cell **slot = &in->lifts[in->lift_next++];
    if (*slot && same_type(&(*slot)->type, type)) return *slot;
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_LIFT, NULL, type, NULL);
    if (!c) return NULL;
    tg_cell_drop(*slot);
    return *slot = c;
}

tg_node *tg_lift_number(tg_interp *in, double x) {
    tg_cell *c = next_lift(in, &(tg_type){.dtype = TG_F64, .weak = true});
    if (!c) return NULL;
    if (c->value && c->value->refs == 1) {
        tg_view_set(&c->value->v, 0, x);
    } else {
        tg_tensor *t = tg_tensor_scalar(&in->rt.c, TG_F64, x);
        if (!t) return NULL;
        tg_tensor_drop(c->value);
        c->value = t;
    }
    c->version++;
    return tg_node_cell(&in->rt, c);
}

tg_node *tg_lift_tensor(tg_interp *in, tg_tensor *t) {
    tg_type type = tg_type_of((tg_value){.tag = TG_V_TENSOR, .as.tensor = t});
    tg_cell *c = next_lift(in, &type);
    if (!c) return NULL;
    tg_tensor_hold(t);
    tg_tensor_drop(c->value);
    c->value = t;
    c->version++;
    return tg_node_cell(&in->rt, c);
}

void tg_lift_retire(tg_interp *in) {
    for (size_t i = 0; i < in->nlifts; i++) {
        tg_cell_drop(in->lifts[i]);
        in->lifts[i] = NULL;
    }
}

/* [x, 2*x]: a live vector. */
static tg_node *stack_nodes(tg_interp *in, tg_value v, const char *what) {
    int n = v.as.items->n;
    tg_node **args = tg_alloc_array((size_t)n, sizeof(tg_node *));
    tg_node *out = NULL;
    if (!args) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    int i = 0;
    while (i < n && tg_to_node(in, v.as.items->v[i], what, &args[i])) i++;
    if (i == n) out = tg_node_make(&in->rt, stack_op(), n, args, &(tg_attrs){.n = 1});
    tg_free(args);
    return out;
}

/* A constant prints as the name that it was called by if that is the user's: one of a function or a
 * `where` means nothing outside. tg_let_go takes it back. */
static const char *lasting(tg_interp *in, const char *name, const tg_tensor *t) {
    const tg_value *v = name ? tg_env_find(in->globals, name) : NULL;
    return v && v->tag == TG_V_TENSOR && v->as.tensor == t ? name : NULL;
}

/* Is t the identity matrix? Most others are found out by their first elements. */
static bool is_identity(const tg_view *t) {
    if (t->rank != 2 || t->dim[0] != t->dim[1] || t->dim[0] == 0) return false;
    for (int64_t i = 0; i < tg_view_count(t); i++)
        if (tg_view_get(t, i) != (i % (t->dim[0] + 1) == 0)) return false;
    return true;
}

/* A constant without a name. The identity is known as such to the simplifier, and prints as eye(n).
 */
static tg_node *constant(tg_interp *in, tg_tensor *t) {
    if (t->v.dtype != in->rt.precision || !is_identity(&t->v))
        return tg_node_const(&in->rt, t, NULL);
    const tg_attrs at = {.n = 2, .sizes = 1, .v = {t->v.dim[0], TG_SIZE_NONE}};
    return tg_node_make(&in->rt, tg_op_find("eye"), 0, NULL, &at);
}

bool tg_to_node_of(tg_interp *in, tg_value v, const char *what, bool literal, const char *label,
                   tg_node **out) {
    bool lift = in->computing && !literal;
    switch (v.tag) {
    case TG_V_FORMULA: *out = v.as.node; return true;
    case TG_V_NUMBER:
        *out = lift ? tg_lift_number(in, v.as.number) : tg_node_number(&in->rt, v.as.number);
        return *out != NULL;
    case TG_V_BOOL: *out = tg_node_number(&in->rt, v.as.truth); return *out != NULL;
    case TG_V_TENSOR:
        label = lasting(in, label, v.as.tensor);
        *out = lift    ? tg_lift_tensor(in, v.as.tensor)
               : label ? tg_node_const(&in->rt, v.as.tensor, label)
                       : constant(in, v.as.tensor);
        return *out != NULL;
    case TG_V_LIST:
        if (tg_is_live(v)) return (*out = stack_nodes(in, v, what)) != NULL;
        break;
    default: break;
    }
    tg_tensor *t;
    if (!tg_to_tensor(in, v, what, &t)) return false;
    *out = lift ? tg_lift_tensor(in, t) : tg_node_const(&in->rt, t, NULL);
    tg_tensor_drop(t);
    return *out != NULL;
}

/* The assumptions that v rests on. */
static uint32_t assumptions(tg_value v) {
    uint32_t all = v.tag == TG_V_FORMULA ? v.assumed : 0;
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        all |= assumptions(v.as.items->v[i]);
    return all;
}

bool tg_to_array(tg_interp *in, tg_value v, const char *what, tg_value *out) {
    if (v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA) {
        *out = tg_value_hold(v);
        return true;
    }
    if (tg_is_live(v)) {
        tg_node *n;
        if (!tg_to_node(in, v, what, &n)) return false;
        *out = tg_value_formula(n, assumptions(v));
        return true;
    }
    tg_type type;
    if (in->checking && v.tag == TG_V_RANGE && tg_check_type(in, v, &type))
        return tg_check_stand_in(in, &type, out); /* it may be a long one */
    tg_tensor *t;
    if (!tg_to_tensor(in, v, what, &t)) return false;
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    return true;
}

bool tg_value_size(tg_interp *in, tg_size s, tg_value *out) {
    if (s >= 0) {
        *out = tg_value_number((double)s);
        return true;
    }
    tg_node *n = tg_node_size(&in->rt, s);
    if (n) *out = tg_value_formula(n, 0);
    return n != NULL;
}

bool tg_to_node(tg_interp *in, tg_value v, const char *what, tg_node **out) {
    return tg_to_node_of(in, v, what, false, NULL, out);
}
