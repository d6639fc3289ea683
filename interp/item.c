/* x[...] of tuples, lists, strings and records: one place, a slice without a step, or a field by
 * its name. Places count from 0, negative ones from the end. */
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/index.h"

#include <string.h>

bool tg_item_at(tg_interp *in, tg_value v, int64_t i, tg_value *out) {
    if (tg_is_container(v)) {
        *out = tg_value_hold(v.as.items->v[i]);
        return true;
    }
    if (v.tag == TG_V_RANGE) {
        *out = tg_value_number(v.as.range->lo + (double)i);
        return true;
    }
    tg_tensor *row = tg_tensor_row(&in->rt.c, v.as.tensor, i);
    if (row) *out = tg_value_tensor(row);
    return row != NULL;
}

static bool place_in(tg_interp *in, int64_t i, int64_t n, const char *of, int64_t *out) {
    *out = i < 0 ? i + n : i;
    if (*out >= 0 && *out < n) return true;
    tg_fail(&in->rt.c, TG_ERR_VALUE, "index %lld is out of range for %s of %lld", (long long)i, of,
            (long long)n);
    return n > 0 ? tg_help(&in->rt.c, "places are counted from 0: the last is %lld, or -1",
                           (long long)n - 1)
                 : false;
}

/* As in NumPy, a slice is cut to what is there. */
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

/* The things, of a string the characters, [lo, hi). */
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

static bool slice_of(tg_interp *in, tg_env *env, const tg_ast *slice, tg_value base, int64_t n,
                     tg_value *out) {
    tg_slice_bound b[2];
    int64_t lo, hi;
    if (slice->kids[2])
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "a slice of %s takes no step", tg_value_kind(base));
    if (!tg_index_bound(in, env, slice->kids[0], "the start of a slice", &b[0]) ||
        !tg_index_bound(in, env, slice->kids[1], "the end of a slice", &b[1]))
        return false;
    clip_slice(b, n, &lo, &hi);
    return part_of(in, base, lo, hi, out);
}

/* The one index of e as a place among n. */
static bool place(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, int64_t n,
                  int64_t *out) {
    tg_value i;
    if (!tg_eval(in, env, e->kids[1], &i)) return false;
    bool ok = tg_to_int(in, i, "an index", out) && place_in(in, *out, n, tg_value_kind(base), out);
    tg_value_drop(i);
    return ok || tg_blame(in, e->kids[1]);
}

/* The interned name of a field. */
static bool field_name(tg_interp *in, tg_env *env, const tg_ast *e, const char **name) {
    static const char wanted[] = "a field of a record is named by a string: r[\"lr\"], or r.lr";
    tg_value key;
    if (e->n != 2 || e->kids[1]->kind == TG_AST_SLICE)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s", wanted);
    if (!tg_eval(in, env, e->kids[1], &key)) return false;
    bool ok = key.tag == TG_V_STRING;
    *name = ok ? tg_intern(&in->rt.c, key.as.text->bytes, key.as.text->len) : NULL;
    tg_value_drop(key);
    if (!ok) return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s", wanted);
    return *name || tg_fail_memory(&in->rt.c);
}

bool tg_index_item(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, tg_value *out) {
    if (base.tag == TG_V_RECORD) {
        const char *name;
        if (!field_name(in, env, e, &name)) return false;
        const tg_value *v = tg_value_field(base, name);
        if (v) *out = tg_value_hold(*v);
        return v || tg_blame_field(in, base, name);
    }
    if (e->n != 2)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s takes one index", tg_value_kind(base));
    bool text = base.tag == TG_V_STRING;
    int64_t at, n = text ? tg_text_length(base.as.text) : base.as.items->n;
    if (e->kids[1]->kind == TG_AST_SLICE) return slice_of(in, env, e->kids[1], base, n, out);
    if (!place(in, env, e, base, n, &at)) return false;
    if (text) return part_of(in, base, at, at + 1, out);
    *out = tg_value_hold(base.as.items->v[at]);
    return true;
}

bool tg_index_place(tg_interp *in, tg_env *env, const tg_ast *e, tg_value base, int *at,
                    const char **field) {
    const tg_items *items = base.as.items;
    if (base.tag == TG_V_RECORD) {
        if (!field_name(in, env, e, field)) return false;
        const tg_value *v = tg_value_field(base, *field);
        *at = v ? (int)(v - items->v) : items->n;
        return true;
    }
    int64_t i;
    if (e->n != 2)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s takes one index", tg_value_kind(base));
    if (e->kids[1]->kind == TG_AST_SLICE)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "one thing at a time can be stored in %s",
                       tg_value_kind(base));
    if (!place(in, env, e, base, items->n, &i)) return false;
    *at = (int)i;
    return true;
}
