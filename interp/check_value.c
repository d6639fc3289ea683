/* What is known of values when nothing is computed.
 *
 * A stand-in is the node of a lift cell without a value: of a type, not live, and nobody's
 * variable. It is what a computed tensor or number is in a check. Types are exact or not claimed at
 * all: a value whose shape is not known is TG_V_UNKNOWN as a whole, also a container that holds
 * one.
 *
 * Where two ways meet, a name stands for what is true of both (the join of abstract interpretation:
 * Cousot and Cousot 1977): the same value, else a stand-in of the common type, else the unknown. */
#include "interp/check.h"
#include "base/alloc.h"
#include "interp/convert.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <string.h>

bool tg_check_give_up(tg_interp *in) {
    return tg_fail(&in->rt.c, TG_ERR_UNKNOWN, "this is not known before the program runs");
}

static const tg_value unknown = {.tag = TG_V_UNKNOWN};

/* ---- data of inputs ---- */

bool tg_check_give_data(tg_interp *in, const tg_cell *input) {
    tg_checker *k = in->checking;
    void *p = k->stored;
    bool ok = tg_grow(&p, &k->stored_cap, k->nstored + 1, sizeof *k->stored);
    k->stored = p;
    if (ok) k->stored[k->nstored++] = input->serial;
    return ok || tg_fail_memory(&in->rt.c);
}

static bool has_data(const tg_checker *k, const tg_cell *c) {
    for (size_t i = 0; i < k->nstored; i++)
        if (k->stored[i] == c->serial) return true;
    return c->kind != TG_CELL_INPUT || !c->name;
}

static bool has_data_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)user;
    *out = TG_NONE_VALUE;
    if (v.tag != TG_V_FORMULA || !v.as.node->live) return true;
    tg_node **node;
    size_t n;
    tg_str names = {0};
    if (!tg_node_collect(&in->rt, 1, &v.as.node, &node, &n)) return false;
    for (size_t i = 0; i < n; i++)
        if (node[i]->op == &tg_op_cell && !has_data(in->checking, node[i]->leaf.cell))
            tg_str_addf(&names, "%s%s", names.len ? ", " : "", node[i]->leaf.cell->name);
    tg_free(node);
    bool ok = !names.failed ? names.len == 0 || tg_plan_lacks_data(&in->rt, v.as.node, &names)
                            : tg_fail_memory(&in->rt.c);
    tg_str_free(&names);
    return ok;
}

bool tg_check_has_data(tg_interp *in, tg_value v) {
    tg_value skeleton;
    if (in->checking->unsure > 0) return true;
    if (!tg_map_leaves(in, v, has_data_leaf, NULL, &skeleton)) return false;
    tg_value_drop(skeleton);
    return true;
}

void tg_check_now(tg_interp *in, tg_value v) {
    if (tg_check_has_data(in, v)) tg_check_give_up(in);
}

/* ---- stand-ins ---- */

bool tg_check_is_stand_in(tg_value v) {
    return v.tag == TG_V_FORMULA && !v.as.node->live;
}

bool tg_check_has_stand_in(tg_value v) {
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (tg_check_has_stand_in(v.as.items->v[i])) return true;
    return tg_check_is_stand_in(v);
}

bool tg_check_stand_in(tg_interp *in, const tg_type *type, tg_value *out) {
    for (int i = 0; i < type->rank; i++)
        if (type->dim[i] < 0) return tg_check_give_up(in);
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_LIFT, NULL, type, NULL);
    tg_node *n = c ? tg_node_cell(&in->rt, c) : NULL;
    tg_cell_drop(c);
    if (n) *out = tg_value_formula(n, 0);
    return n != NULL;
}

bool tg_check_type(tg_interp *in, tg_value v, tg_type *type) {
    switch (v.tag) {
    case TG_V_NUMBER: *type = (tg_type){.dtype = TG_F64, .weak = true}; return true;
    case TG_V_BOOL: *type = (tg_type){.dtype = TG_BOOL}; return true;
    case TG_V_TENSOR:
    case TG_V_FORMULA: *type = tg_type_of(v); return true;
    case TG_V_LIST: {
        tg_node *n;
        if (tg_to_node(in, v, "the value", &n)) {
            *type = n->type;
            return true;
        }
        break;
    }
    case TG_V_RANGE: {
        int64_t n;
        *type = (tg_type){.dtype = in->rt.precision, .rank = 1};
        if (tg_range_count(&in->rt.c, v.as.range, &n)) {
            type->dim[0] = n;
            return true;
        }
        break;
    }
    default: break;
    }
    tg_clear(&in->rt.c);
    return false;
}

static bool freeze_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)user;
    if (v.tag == TG_V_UNKNOWN) return tg_check_give_up(in);
    if (v.tag == TG_V_FORMULA) return tg_check_stand_in(in, &v.as.node->type, out);
    *out = tg_value_hold(v);
    return true;
}

bool tg_check_freeze(tg_interp *in, tg_value v, tg_value *out) {
    if (tg_map_leaves(in, v, freeze_leaf, NULL, out)) return true;
    if (in->rt.c.diag.kind != TG_ERR_UNKNOWN) return false;
    tg_clear(&in->rt.c);
    *out = unknown;
    return true;
}

/* ---- joining ---- */

static bool same_number(double a, double b) {
    return a == b ? !signbit(a) == !signbit(b) : isnan(a) && isnan(b);
}

static bool same(tg_value a, tg_value b) {
    if (a.tag != b.tag) return false;
    switch (a.tag) {
    case TG_V_NONE:
    case TG_V_UNKNOWN: return true;
    case TG_V_NUMBER: return same_number(a.as.number, b.as.number);
    case TG_V_BOOL: return a.as.truth == b.as.truth;
    case TG_V_STRING:
        return a.as.text->len == b.as.text->len &&
               memcmp(a.as.text->bytes, b.as.text->bytes, a.as.text->len) == 0;
    case TG_V_RANGE:
        return same_number(a.as.range->lo, b.as.range->lo) &&
               same_number(a.as.range->hi, b.as.range->hi);
    case TG_V_TENSOR: return a.as.tensor == b.as.tensor;
    case TG_V_FORMULA: return a.as.node == b.as.node;
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD: return a.as.items == b.as.items;
    case TG_V_FUNCTION: return a.as.function == b.as.function;
    case TG_V_OP: return a.as.op == b.as.op;
    case TG_V_BUILTIN: return a.as.builtin == b.as.builtin;
    case TG_V_STREAM: return a.as.stream == b.as.stream;
    }
    return false;
}

static bool is_array(tg_value v) {
    return v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL || v.tag == TG_V_TENSOR ||
           v.tag == TG_V_FORMULA;
}

static bool joinable(tg_value a, tg_value b) {
    if (a.tag != b.tag || !tg_is_container(a) || a.as.items->n != b.as.items->n) return false;
    for (int i = 0; a.tag == TG_V_RECORD && i < a.as.items->n; i++)
        if (a.as.items->field[i] != b.as.items->field[i]) return false;
    return true;
}

/* Numbers, tensors and formulas of one shape. A live formula of that shape speaks for both. */
static bool join_arrays(tg_interp *in, tg_value a, tg_value b, tg_value *out) {
    tg_type s, t;
    if (!tg_check_type(in, a, &s) || !tg_check_type(in, b, &t) || !tg_type_same_shape(&s, &t)) {
        *out = unknown;
        return true;
    }
    bool live_b = b.tag == TG_V_FORMULA && b.as.node->live,
         live_a = a.tag == TG_V_FORMULA && a.as.node->live;
    if (live_a || live_b)
        *out = tg_value_hold(live_b ? b : a);
    else if (s.dtype != t.dtype)
        *out = unknown;
    else if (tg_check_is_stand_in(a))
        *out = tg_value_hold(a);
    else
        return tg_check_stand_in(in, &t, out);
    return true;
}

bool tg_check_alike(tg_value a, tg_value b) {
    if (is_array(a) && is_array(b)) {
        if (tg_value_rank(a) == 0 && tg_value_rank(b) == 0) return a.tag == b.tag;
        if (tg_value_rank(a) == 0 || tg_value_rank(b) == 0) return false;
        const tg_type s = tg_type_of(a), t = tg_type_of(b);
        return tg_type_same_shape(&s, &t);
    }
    if (!joinable(a, b)) return same(a, b);
    for (int i = 0; i < a.as.items->n; i++)
        if (!tg_check_alike(a.as.items->v[i], b.as.items->v[i])) return false;
    return true;
}

static bool join_items(tg_interp *in, tg_value a, tg_value b, tg_value *out) {
    tg_value made;
    bool known = true;
    if (!tg_guard(&in->rt.c) || !tg_value_items(&in->rt.c, a.tag, a.as.items->n, &made))
        return false;
    for (int i = 0; known && i < a.as.items->n; i++) {
        if (a.tag == TG_V_RECORD) made.as.items->field[i] = a.as.items->field[i];
        if (!tg_check_join(in, a.as.items->v[i], b.as.items->v[i], &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
        known = made.as.items->v[i].tag != TG_V_UNKNOWN;
    }
    if (known) return tg_value_seal(&in->rt.c, made, out);
    tg_value_drop(made);
    *out = unknown;
    return true;
}

bool tg_check_join(tg_interp *in, tg_value a, tg_value b, tg_value *out) {
    *out = unknown;
    if (same(a, b))
        *out = tg_value_hold(a);
    else if (is_array(a) && is_array(b))
        return join_arrays(in, a, b, out);
    else if (joinable(a, b))
        return join_items(in, a, b, out);
    return true;
}

/* ---- operations ---- */

enum { SMALL = 4096 };

static bool is_small(int rank, const tg_size *dim) {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0 || dim[i] > SMALL) return false;
        n *= dim[i];
        if (n > SMALL) return false;
    }
    return true;
}

bool tg_check_computes(const tg_op *op, const tg_type *type, int n, const tg_value *operand) {
    if (op->class == TG_CLASS_RANDOM || !is_small(type->rank, type->dim)) return false;
    for (int i = 0; i < n; i++)
        if (operand[i].tag == TG_V_FORMULA ||
            (operand[i].tag == TG_V_TENSOR &&
             !is_small(operand[i].as.tensor->v.rank, operand[i].as.tensor->v.dim)))
            return false;
    return true;
}
