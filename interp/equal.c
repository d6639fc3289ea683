/* == and != of things that are compared as a whole: tuples, records, functions, none, and lists of
 * strings.
 *
 * Two tensors are compared element by element, as in all array languages; two tuples are not, so
 * that shape(A) == (2, 3) can stand in an if. They are equal when they have the same form and all
 * their parts are equal. A live part makes the answer live: a formula that says so. */
#include "interp/call.h"
#include "interp/convert.h"

#include <string.h>

static bool has_text(tg_value list) {
    for (int i = 0; i < list.as.items->n; i++)
        if (list.as.items->v[i].tag == TG_V_STRING) return true;
    return false;
}

bool tg_compares_whole(tg_value a, tg_value b) {
    return a.tag == TG_V_NONE || b.tag == TG_V_NONE ||
           (tg_value_is_function(a) && tg_value_is_function(b)) ||
           (a.tag == TG_V_TUPLE && b.tag == TG_V_TUPLE) ||
           (a.tag == TG_V_RECORD && b.tag == TG_V_RECORD) ||
           (a.tag == TG_V_LIST && b.tag == TG_V_LIST && (has_text(a) || has_text(b)));
}

/* The shape of what has elements; false for other things. */
static bool shape_of(tg_value v, int *rank, const int64_t **dim) {
    static const int64_t none[1];
    *rank = 0;
    *dim = none;
    if (v.tag == TG_V_TENSOR) {
        *rank = v.as.tensor->v.rank;
        *dim = v.as.tensor->v.dim;
    } else if (v.tag == TG_V_FORMULA) {
        *rank = v.as.node->type.rank;
        *dim = v.as.node->type.dim;
    } else {
        return v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL;
    }
    return true;
}

static bool call(tg_interp *in, const char *op, int n, tg_value a, tg_value b, tg_value *out) {
    tg_argument arg[2] = {{.value = a}, {.value = b}};
    return tg_call_op(in, tg_op_find(op), n, arg, out);
}

/* Takes `one`: *all becomes "*all and one". */
static bool also(tg_interp *in, tg_value one, tg_value *all) {
    tg_value both = *all;
    bool ok = true;
    if (one.tag == TG_V_BOOL) /* no need to ask the other */
        both = tg_value_hold(one.as.truth ? *all : one);
    else if (all->tag == TG_V_BOOL)
        both = tg_value_hold(all->as.truth ? one : *all);
    else
        ok = call(in, "and", 2, *all, one, &both);
    tg_value_drop(one);
    if (!ok) return false;
    tg_value_drop(*all);
    *all = both;
    return true;
}

/* Two things with elements, shapes and all. */
static bool elements(tg_interp *in, tg_value a, tg_value b, tg_value *all) {
    int rank_a, rank_b;
    const int64_t *dim_a, *dim_b;
    tg_value each, one;
    if (!shape_of(a, &rank_a, &dim_a) || !shape_of(b, &rank_b, &dim_b) ||
        !tg_shape_equal(rank_a, dim_a, rank_b, dim_b))
        return also(in, tg_value_bool(false), all);
    if (a.tag == TG_V_FORMULA && b.tag == TG_V_FORMULA && a.as.node == b.as.node) return true;
    if (!call(in, "eq", 2, a, b, &each)) return false;
    if (rank_a == 0) return also(in, each, all);
    bool ok = call(in, "all", 1, each, TG_NONE_VALUE, &one);
    tg_value_drop(each);
    return ok && also(in, one, all);
}

static bool same_text(tg_value a, tg_value b) {
    return a.as.text->len == b.as.text->len &&
           memcmp(a.as.text->bytes, b.as.text->bytes, a.as.text->len) == 0;
}

/* *all becomes "*all and a is b". */
static bool compare(tg_interp *in, tg_value a, tg_value b, tg_value *all) {
    if (tg_is_container(a) && a.tag == b.tag) {
        int n = a.as.items->n;
        if (n != b.as.items->n) return also(in, tg_value_bool(false), all);
        if (!tg_guard(&in->rt.c)) return false;
        for (int i = 0; i < n; i++) {
            tg_value *other =
                a.tag == TG_V_RECORD ? tg_value_field(b, a.as.items->field[i]) : &b.as.items->v[i];
            if (!other) return also(in, tg_value_bool(false), all);
            if (!compare(in, a.as.items->v[i], *other, all)) return false;
        }
        return true;
    }
    if (a.tag == TG_V_STRING && b.tag == TG_V_STRING)
        return also(in, tg_value_bool(same_text(a, b)), all);
    if (a.tag == TG_V_RANGE && b.tag == TG_V_RANGE)
        return also(
            in, tg_value_bool(a.as.range->lo == b.as.range->lo && a.as.range->hi == b.as.range->hi),
            all);
    if (a.tag == b.tag && (tg_value_is_function(a) || a.tag == TG_V_STREAM))
        return also(in, tg_value_bool(a.as.function == b.as.function), all);
    if (a.tag == TG_V_NONE || b.tag == TG_V_NONE)
        return also(in, tg_value_bool(a.tag == b.tag), all);
    return elements(in, a, b, all);
}

bool tg_compare_whole(tg_interp *in, tg_value a, tg_value b, bool equal, tg_value *out) {
    tg_value all = tg_value_bool(true);
    bool ok = compare(in, a, b, &all);
    if (ok && equal)
        *out = tg_value_hold(all);
    else
        ok = ok && call(in, "not", 1, all, TG_NONE_VALUE, out);
    tg_value_drop(all);
    return ok;
}
