/* Binding: the arguments of a call, matched to the parameters of an operation and encoded as
 * attributes. Three steps: match decides which arguments each parameter gets; encode turns a value
 * into attributes, with axes counted from 0; the operation's `canonical` settles spellings. The
 * interpreter, the rules of derivatives and the tests all bind here, so that a message is worded
 * once. */
#include "runtime/ops/attrs.h"
#include "runtime/ops/random.h"
#include "base/alloc.h"
#include "base/nearest.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct binder {
    tg_rt *rt;
    const tg_op *op;
    const tg_arg *args;
    int nargs;
    int first[TG_MAX_PARAMS]; /* of each parameter: its first argument, -1 when left out ... */
    int count[TG_MAX_PARAMS]; /* ... and how many it gathers */
    int rank;                 /* of the first tensor argument */
} binder;

static const char *shown(const tg_op *op) {
    return op->shown ? op->shown : op->name;
}

/* Adds the signature to the pending error. */
static bool help_signature(const binder *b) {
    tg_str s = {0};
    tg_op_signature(&s, b->op);
    if (!s.failed) tg_help(&b->rt->c, "%s", tg_str_text(&s));
    tg_str_free(&s);
    return false;
}

static bool wrong(const binder *b, const tg_param *p, const char *wants) {
    tg_fail(&b->rt->c, TG_ERR_TYPE, "%s: %s must be %s", shown(b->op), p->name, wants);
    return help_signature(b);
}

/* ---- did you mean ---- */

const char *tg_param_elsewhere(const char *name) {
    static const char *const word[][2] = {{"dim", "axis"},
                                          {"dims", "axis"},
                                          {"axes", "axis"},
                                          {"dimension", "axis"},
                                          {"in_axes", "axis"},
                                          {"in_dims", "axis"},
                                          {"out_axes", "out"},
                                          {"out_dims", "out"},
                                          {"keepdims", "keep"},
                                          {"keepdim", "keep"},
                                          {"lr", "rate"},
                                          {"learning_rate", "rate"},
                                          {"weight_decay", "decay"},
                                          {"betas", "beta1"},
                                          {"eps", "epsilon"},
                                          {"max_norm", "clip"},
                                          {"input_size", "inputs"},
                                          {"in_features", "inputs"},
                                          {"in_channels", "inputs"},
                                          {"out_channels", "outputs"},
                                          {"units", "outputs"},
                                          {"out_features", "outputs"},
                                          {"hidden_size", "hidden"},
                                          {"kernel_size", "window"},
                                          {"num_heads", "heads"},
                                          {"label_smoothing", "smoothing"},
                                          {"train", "training"},
                                          {"drop_last", "partial"},
                                          {"h0", "state"},
                                          {"hx", "state"}};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strcmp(word[i][0], name) == 0) return word[i][1];
    return name;
}

static bool fail_unknown(const binder *b, const char *name) {
    tg_nearest near = tg_nearest_of_few(tg_param_elsewhere(name));
    for (const tg_param *p = b->op->param; p->name; p++) tg_nearest_offer(&near, p->name);
    tg_fail(&b->rt->c, TG_ERR_NAME, "%s has no parameter %s%s%s%s", shown(b->op), name,
            near.best ? "; did you mean " : "", near.best ? near.best : "", near.best ? "?" : "");
    return help_signature(b);
}

/* ---- which arguments a parameter gets ---- */

static bool is_number(const tg_arg *a) {
    return a->kind == TG_ARG_NUMBER || a->kind == TG_ARG_SIZE;
}

/* Required parameters from p on that no argument names. */
static int required_from(const binder *b, int p) {
    int n = 0;
    for (; b->op->param[p].name; p++) n += !b->op->param[p].dflt && b->first[p] < 0;
    return n;
}

static int positional_from(const binder *b, int i) {
    int n = 0;
    for (; i < b->nargs; i++) n += !b->args[i].name;
    return n;
}

/* How many of the arguments from i on belong to the gathering parameter p. */
static int gathered(const binder *b, int p, int i) {
    int n = 1;
    if (b->op->param[p].kind == TG_P_LIST) {
        if (b->args[i].kind != TG_ARG_TENSOR) return 1;
        while (i + n < b->nargs && !b->args[i + n].name && b->args[i + n].kind == TG_ARG_TENSOR)
            n++;
    } else if (tg_param_spreads(b->op, p) && is_number(&b->args[i])) {
        int most = positional_from(b, i) - required_from(b, p + 1);
        while (n < most && i + n < b->nargs && !b->args[i + n].name && is_number(&b->args[i + n]))
            n++;
    }
    return n;
}

static bool match(binder *b) {
    int np = 0;
    for (; b->op->param[np].name; np++) b->first[np] = -1, b->count[np] = 0;
    for (int i = 0; i < b->nargs; i++) {
        const char *name = b->args[i].name;
        if (!name) continue;
        int p = 0;
        while (p < np && strcmp(b->op->param[p].name, name) != 0) p++;
        if (p == np) return fail_unknown(b, name);
        if (b->first[p] >= 0) {
            tg_fail(&b->rt->c, TG_ERR_TYPE, "%s: %s is given twice", shown(b->op), name);
            return help_signature(b);
        }
        b->first[p] = i, b->count[p] = 1;
    }
    int p = 0;
    for (int i = 0; i < b->nargs;) {
        if (b->args[i].name) {
            i++;
            continue;
        }
        if (p < np && b->first[p] >= 0 && !b->args[b->first[p]].name) p++;
        if (p < np && b->first[p] >= 0) {
            tg_fail(&b->rt->c, TG_ERR_TYPE, "%s: %s is given twice, by place and by name",
                    shown(b->op), b->op->param[p].name);
            return help_signature(b);
        }
        if (p == np) {
            tg_fail(&b->rt->c, TG_ERR_TYPE, "%s takes at most %d argument%s", shown(b->op), np,
                    np == 1 ? "" : "s");
            return help_signature(b);
        }
        b->first[p] = i;
        b->count[p] = gathered(b, p, i);
        i += b->count[p];
    }
    for (p = 0; p < np; p++)
        if (b->first[p] < 0 && !b->op->param[p].dflt) {
            tg_fail(&b->rt->c, TG_ERR_TYPE, "%s needs the argument %s", shown(b->op),
                    b->op->param[p].name);
            return help_signature(b);
        }
    return true;
}

/* ---- the tensors ---- */

static bool is_operand(const tg_arg *a) {
    return a->kind == TG_ARG_TENSOR || a->kind == TG_ARG_NUMBER || a->kind == TG_ARG_BOOL ||
           a->kind == TG_ARG_SIZE;
}

static bool bind_list(binder *b, int p, tg_bound *out) {
    const tg_arg *items = &b->args[b->first[p]];
    int n = b->count[p];
    if (items->kind == TG_ARG_LIST || items->kind == TG_ARG_TUPLE)
        n = items->n, items = items->items;
    if (n == 0) return wrong(b, &b->op->param[p], "a list of at least one tensor");
    for (int i = 0; i < n; i++)
        if (!is_operand(&items[i])) return wrong(b, &b->op->param[p], "a list of tensors");
    if (n > TG_MAX_TENSORS) {
        out->operand = tg_alloc_array((size_t)n, sizeof *out->operand);
        if (!out->operand) {
            out->operand = out->few;
            return tg_fail_memory(&b->rt->c);
        }
    }
    for (int i = 0; i < n; i++) out->operand[i] = items[i].operand;
    out->n = n;
    return true;
}

static bool bind_tensors(binder *b, tg_bound *out) {
    for (int p = 0; b->op->param[p].name; p++) {
        const tg_param *param = &b->op->param[p];
        if (param->kind == TG_P_LIST) return bind_list(b, p, out);
        if (param->kind != TG_P_TENSOR) continue;
        const tg_arg *a = &b->args[b->first[p]];
        if (!is_operand(a))
            return wrong(b, param,
                         a->kind == TG_ARG_TUPLE  ? "a tensor, not a tuple"
                         : a->kind == TG_ARG_LIST ? "a tensor, not a list"
                                                  : "a tensor, not none");
        out->operand[out->n++] = a->operand;
    }
    return true;
}

/* ---- the attributes ---- */

static bool whole(double x) {
    return x == floor(x) && fabs(x) < 9e15;
}

static bool integer_of(const binder *b, const tg_param *p, const tg_arg *a, int64_t *v) {
    if (a->kind == TG_ARG_SIZE && tg_size_known(a->size)) {
        *v = a->size;
        return true;
    }
    if (a->kind == TG_ARG_TENSOR)
        return wrong(b, p, "a number that is known when the line is entered");
    if (a->kind != TG_ARG_NUMBER || !whole(a->number)) return wrong(b, p, "a whole number");
    *v = (int64_t)a->number;
    return true;
}

/* An axis of something of that rank, which `whose` names. */
static bool axis_of(const binder *b, const tg_param *p, const tg_arg *a, int rank,
                    const char *whose, int64_t *axis) {
    if (!integer_of(b, p, a, axis)) return false;
    int64_t v = *axis;
    if (v < 0) *axis += rank;
    if (*axis >= 0 && *axis < rank) return true;
    if (rank == 0)
        return tg_fail(&b->rt->c, TG_ERR_VALUE,
                       "%s: %s %lld is out of range: %s is a scalar and has no axes", shown(b->op),
                       p->name, (long long)v, whose);
    tg_fail(&b->rt->c, TG_ERR_VALUE, "%s: %s %lld is out of range: %s has rank %d", shown(b->op),
            p->name, (long long)v, whose, rank);
    if (rank == 1) return tg_help(&b->rt->c, "the only axis is 0");
    return tg_help(&b->rt->c, "axes count from 0 to %d, or from -1 back to -%d", rank - 1, rank);
}

/* One value, or the items of a tuple or list. */
static const tg_arg *items_of(const tg_arg *a, int *n) {
    bool many = a->kind == TG_ARG_TUPLE || a->kind == TG_ARG_LIST;
    *n = many ? a->n : 1;
    return many ? a->items : a;
}

/* Axes counted from the front may lie beyond a given shape: what new axes a slice inserts is for
 * its shape rule to judge. */
static bool encode_axes(const binder *b, const tg_param *p, const tg_arg *a, int rank,
                        bool of_shape, tg_attrs *at) {
    int n;
    const tg_arg *items = items_of(a, &n);
    int64_t mask = 0;
    for (int i = 0; i < n; i++) {
        int64_t axis = 0;
        bool from_front = of_shape && items[i].kind == TG_ARG_NUMBER && items[i].number >= 0;
        if (!axis_of(b, p, &items[i], from_front ? TG_MAX_RANK : rank,
                     of_shape ? "the shape" : "{0}", &axis))
            return false;
        if (mask >> axis & 1)
            return tg_fail(&b->rt->c, TG_ERR_VALUE, "%s: axis %lld is named twice", shown(b->op),
                           (long long)axis);
        mask |= INT64_C(1) << axis;
    }
    tg_attr_push(at, mask, false);
    return true;
}

static bool encode_size(const binder *b, const tg_param *p, const tg_arg *a, tg_attrs *at) {
    if (a->kind == TG_ARG_SIZE) {
        tg_attr_push(at, a->size, true);
        return true;
    }
    if (a->kind == TG_ARG_TENSOR)
        return wrong(b, p, "a number or a size that is known when the line is entered");
    int64_t v = 0;
    if (!integer_of(b, p, a, &v)) return false;
    if (v < 0 && !(v == -1 && p->kind == TG_P_SHAPE))
        return tg_fail(&b->rt->c, TG_ERR_VALUE, "%s: %s must not be negative, but is %lld",
                       shown(b->op), p->name, (long long)v);
    tg_attr_push(at, v < 0 ? TG_SIZE_INFER : v, v >= 0);
    return true;
}

/* SHAPE and SPEC; `n` arguments from a on, or the items of one. */
static bool encode_shape(const binder *b, const tg_param *p, const tg_arg *a, int n, tg_attrs *at) {
    const tg_arg *items = a;
    if (n == 1) items = items_of(a, &n);
    if (n > TG_MAX_RANK)
        return tg_fail(&b->rt->c, TG_ERR_VALUE,
                       "%s: %s has %d entries, but tensors have at most %d axes", shown(b->op),
                       p->name, n, TG_MAX_RANK);
    tg_attr_push(at, n, false);
    for (int i = 0; i < n; i++) {
        int64_t v = 0;
        if (p->kind == TG_P_SHAPE) {
            if (!encode_size(b, p, &items[i], at)) return false;
        } else {
            if (!integer_of(b, p, &items[i], &v)) return false;
            tg_attr_push(at, v, false);
        }
    }
    return true;
}

static bool encode_perm(const binder *b, const tg_param *p, const tg_arg *a, tg_attrs *at) {
    int n;
    const tg_arg *items = items_of(a, &n);
    if (n != b->rank)
        return tg_fail(&b->rt->c, TG_ERR_VALUE,
                       "%s: %s must list each axis of {0} once: it has %d, not %d", shown(b->op),
                       p->name, b->rank, n);
    int seen = 0;
    tg_attr_push(at, n, false);
    for (int i = 0; i < n; i++) {
        int64_t axis = 0;
        if (!axis_of(b, p, &items[i], n, "{0}", &axis)) return false;
        if (seen >> axis & 1)
            return tg_fail(&b->rt->c, TG_ERR_VALUE, "%s: axis %lld is named twice", shown(b->op),
                           (long long)axis);
        seen |= 1 << axis;
        tg_attr_push(at, axis, false);
    }
    return true;
}

static bool encode_one(const binder *b, const tg_param *p, const tg_arg *a, tg_attrs *at) {
    int64_t v = 0;
    switch (p->kind) {
    case TG_P_AXIS:
    case TG_P_NEWAXIS:
        if (!axis_of(b, p, a, b->rank + (p->kind == TG_P_NEWAXIS),
                     p->kind == TG_P_AXIS ? "{0}" : "the result", &v))
            return false;
        tg_attr_push(at, v, false);
        return true;
    case TG_P_FLAG:
        if (a->kind != TG_ARG_BOOL &&
            !(a->kind == TG_ARG_NUMBER && (a->number == 0 || a->number == 1)))
            return wrong(b, p, "true or false");
        tg_attr_push(at, a->number != 0, false);
        return true;
    case TG_P_INT:
        if (!integer_of(b, p, a, &v)) return false;
        tg_attr_push(at, v, false);
        return true;
    case TG_P_REAL:
        if (a->kind == TG_ARG_SIZE) {
            tg_attr_push(at, a->size, true);
            return true;
        }
        if (a->kind != TG_ARG_NUMBER && a->kind != TG_ARG_BOOL)
            return wrong(b, p, "a number that is known when the line is entered");
        tg_attr_push(at, tg_attr_bits(a->number), false);
        return true;
    default: return encode_size(b, p, a, at);
    }
}

static bool encode(const binder *b, tg_attrs *at) {
    int shape_rank = -1; /* the number of entries of the SHAPE before */
    for (int i = 0; b->op->param[i].name; i++) {
        const tg_param *p = &b->op->param[i];
        if (tg_param_is_tensor(p->kind)) continue;
        const tg_arg *a = b->first[i] < 0 ? NULL : &b->args[b->first[i]];
        int rank = p->kind == TG_P_AXES && shape_rank >= 0 ? shape_rank : b->rank, start = at->n;
        if (a && a->kind == TG_ARG_NONE && !p->dflt) return wrong(b, p, "given, and not none");
        bool ok = true;
        if (!a || a->kind == TG_ARG_NONE) {
            if (p->kind == TG_P_AXIS && rank == 0) {
                tg_arg d = {.kind = TG_ARG_NUMBER, .number = strtod(p->dflt, NULL)};
                int64_t axis;
                return axis_of(b, p, &d, 0, "{0}", &axis);
            }
            tg_attr_default(p, rank, at);
        } else if (p->kind == TG_P_AXES)
            ok = encode_axes(b, p, a, rank, shape_rank >= 0, at);
        else if (p->kind == TG_P_SHAPE || p->kind == TG_P_SPEC)
            ok = encode_shape(b, p, a, b->count[i], at);
        else if (p->kind == TG_P_PERM)
            ok = encode_perm(b, p, a, at);
        else
            ok = encode_one(b, p, a, at);
        if (!ok) return false;
        if (p->kind == TG_P_SHAPE) shape_rank = (int)at->v[start];
    }
    return true;
}

/* max(a, b): two arguments by place, and the second is no axis. */
static bool means_binary(const tg_op *op, int nargs, const tg_arg *args) {
    return op->binary && nargs == 2 && !args[0].name && !args[1].name && is_operand(&args[0]) &&
           is_operand(&args[1]);
}

bool tg_op_bind(tg_rt *rt, const tg_op *op, int nargs, const tg_arg *args,
                int (*rank_of)(void *user, int operand), void *user, tg_bound *out) {
    memset(out, 0, sizeof *out);
    out->operand = out->few;
    if (means_binary(op, nargs, args)) op = tg_op_find(op->binary);
    binder b = {.rt = rt, .op = op, .args = args, .nargs = nargs};
    out->op = op;
    if (!match(&b) || !bind_tensors(&b, out)) goto failed;
    if (out->n > 0) b.rank = rank_of(user, out->operand[0]);
    if (!encode(&b, &out->at)) goto failed;
    if (op->canonical) {
        out->op = op->canonical(rt, op, b.rank, &out->at);
        if (!out->op) goto failed;
    }
    if (out->op->class == TG_CLASS_RANDOM) tg_random_attrs(rt, &out->at, rt->live_draws);
    if (out->op->class == TG_CLASS_RANDOM && rt->live_draws) rt->drew_live = true;
    return true;
failed:
    tg_bound_free(out);
    return false;
}

void tg_bound_free(tg_bound *b) {
    if (b->operand != b->few) tg_free(b->operand);
    b->operand = b->few;
    b->n = 0;
}
