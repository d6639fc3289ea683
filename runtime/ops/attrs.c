/* Attributes as text. What tg_op_bind encodes (see tg_attrs), this file finds again, compares with
 * the default and prints, so that a printed formula binds to the same attributes. A default is text
 * in the parameter; tg_attr_default gives its values. */
#include "runtime/ops/attrs.h"
#include "runtime/graph/print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool tg_param_is_tensor(tg_param_kind k) {
    return k == TG_P_TENSOR || k == TG_P_LIST;
}

static bool is_counted(tg_param_kind k) {
    return k == TG_P_SHAPE || k == TG_P_PERM || k == TG_P_SPEC;
}

bool tg_param_spreads(const tg_op *op, int i) {
    if (op->param[i].kind != TG_P_SHAPE) return false;
    int shapes = 0;
    for (const tg_param *p = op->param; p->name; p++)
        shapes += p->kind == TG_P_SHAPE || p->kind == TG_P_SPEC;
    return shapes == 1;
}

int tg_op_values(const tg_op *op, const tg_attrs *at, int i, int *n) {
    if (n) *n = 0;
    if (tg_param_is_tensor(op->param[i].kind)) return -1;
    int v = 0;
    for (int p = 0; p < i; p++) {
        if (tg_param_is_tensor(op->param[p].kind)) continue;
        v += is_counted(op->param[p].kind) ? 1 + (int)at->v[v] : 1;
    }
    bool counted = is_counted(op->param[i].kind);
    if (n) *n = counted ? (int)at->v[v] : 1;
    return counted ? v + 1 : v;
}

double tg_attr_real(const tg_attrs *at, int i) {
    if (at->sizes >> i & 1) return (double)at->v[i];
    double x;
    memcpy(&x, &at->v[i], sizeof x);
    return x;
}

int64_t tg_attr_bits(double x) {
    int64_t v;
    memcpy(&v, &x, sizeof v);
    return v;
}

void tg_attr_push(tg_attrs *at, int64_t v, bool is_size) {
    if (is_size) at->sizes |= UINT64_C(1) << at->n;
    at->v[at->n++] = v;
}

void tg_attr_default(const tg_param *p, int rank, tg_attrs *at) {
    bool none = strcmp(p->dflt, "none") == 0, empty = strcmp(p->dflt, "()") == 0;
    double x = none || empty ? 0 : strtod(p->dflt, NULL);
    switch (p->kind) {
    case TG_P_AXES:
        tg_attr_push(at,
                     none                 ? (1 << rank) - 1
                     : empty || rank == 0 ? 0 /* of a scalar: over no axes */
                                          : 1 << (x < 0 ? rank + (int)x : (int)x),
                     false);
        break;
    case TG_P_AXIS: tg_attr_push(at, x < 0 ? rank + (int64_t)x : (int64_t)x, false); break;
    case TG_P_NEWAXIS: tg_attr_push(at, x < 0 ? rank + 1 + (int64_t)x : (int64_t)x, false); break;
    case TG_P_FLAG: tg_attr_push(at, strcmp(p->dflt, "true") == 0, false); break;
    case TG_P_INT: tg_attr_push(at, (int64_t)x, false); break;
    case TG_P_SIZE: tg_attr_push(at, none ? TG_SIZE_NONE : (int64_t)x, !none); break;
    case TG_P_REAL: tg_attr_push(at, tg_attr_bits(none ? (double)NAN : x), false); break;
    case TG_P_PERM:
        tg_attr_push(at, rank, false);
        for (int i = 0; i < rank; i++) {
            bool last = rank >= 2 && i >= rank - 2;
            tg_attr_push(at, last ? 2 * rank - 3 - i : i, false);
        }
        break;
    default: tg_attr_push(at, 0, false); break;
    }
}

/* ---- the signature ---- */

void tg_op_signature(tg_str *s, const tg_op *op) {
    tg_str_add(s, op->shown ? op->shown : op->name);
    tg_str_addc(s, '(');
    for (int i = 0; op->param[i].name; i++) {
        const tg_param *p = &op->param[i];
        if (i) tg_str_add(s, ", ");
        if (p->kind == TG_P_LIST)
            tg_str_addf(s, "[%s, ...]", p->name);
        else
            tg_str_add(s, p->name);
        if (tg_param_spreads(op, i))
            tg_str_add(s, "...");
        else if (p->dflt)
            tg_str_addf(s, "=%s", p->dflt);
    }
    tg_str_addc(s, ')');
}

/* ---- printing ---- */

static void print_size(tg_rt *rt, tg_str *s, const tg_attrs *at, int i) {
    if (at->sizes >> i & 1)
        tg_size_print(rt, s, at->v[i]);
    else if (at->v[i] == TG_SIZE_INFER)
        tg_str_add(s, "-1");
    else if (at->v[i] == TG_SIZE_NONE)
        tg_str_add(s, "none");
    else
        tg_str_addf(s, "%lld", (long long)at->v[i]);
}

static void print_tuple(tg_rt *rt, tg_str *s, const tg_attrs *at, int at_i, int n) {
    if (n != 1) tg_str_addc(s, '(');
    for (int i = 0; i < n; i++) {
        if (i) tg_str_add(s, ", ");
        print_size(rt, s, at, at_i + i);
    }
    if (n != 1) tg_str_addc(s, ')');
}

static void print_axes(tg_str *s, int64_t mask) {
    bool one = mask && !(mask & (mask - 1)), first = true;
    if (!one) tg_str_addc(s, '(');
    for (int i = 0; i < 32; i++)
        if (mask >> i & 1) {
            tg_str_addf(s, first ? "%d" : ", %d", i);
            first = false;
        }
    if (!one) tg_str_addc(s, ')');
}

static void print_value(tg_rt *rt, tg_str *s, const tg_param *p, const tg_attrs *at, int v, int n) {
    switch (p->kind) {
    case TG_P_AXES: print_axes(s, at->v[v]); break;
    case TG_P_FLAG: tg_str_add(s, at->v[v] ? "true" : "false"); break;
    case TG_P_REAL:
        if (at->sizes >> v & 1)
            tg_size_print(rt, s, at->v[v]);
        else if (isnan(tg_attr_real(at, v)) && p->dflt && strcmp(p->dflt, "none") == 0)
            tg_str_add(s, "none");
        else
            tg_number_print(s, tg_attr_real(at, v));
        break;
    case TG_P_SHAPE:
    case TG_P_PERM:
    case TG_P_SPEC: print_tuple(rt, s, at, v, n); break;
    default: print_size(rt, s, at, v); break;
    }
}

bool tg_attr_is_default(const tg_op *op, int i, int rank, const tg_attrs *at) {
    const tg_param *p = &op->param[i];
    if (!p->dflt) return false;
    tg_attrs d = {0};
    tg_attr_default(p, rank, &d);
    int n, v = tg_op_values(op, at, i, &n);
    bool counted = is_counted(p->kind);
    if (d.n != n + counted) return false;
    return memcmp(d.v + counted, at->v + v, (size_t)n * sizeof *d.v) == 0;
}

void tg_op_print_attrs(tg_rt *rt, tg_str *s, const tg_op *op, int rank, const tg_attrs *at,
                       bool first) {
    bool named = false; /* once one is left out, those behind it need their names */
    for (int i = 0; op->param[i].name; i++) {
        const tg_param *p = &op->param[i];
        if (tg_param_is_tensor(p->kind)) continue;
        if (tg_attr_is_default(op, i, rank, at)) {
            named = true;
            continue;
        }
        int n, v = tg_op_values(op, at, i, &n);
        if (!first) tg_str_add(s, ", ");
        first = false;
        bool last = !op->param[i + 1].name;
        if (tg_param_spreads(op, i) && !named && last &&
            n > 0) { /* zeros(2, 3), reshape(x, -1, 784) */
            for (int k = 0; k < n; k++) {
                if (k) tg_str_add(s, ", ");
                print_size(rt, s, at, v + k);
            }
            continue;
        }
        if (p->dflt || named) tg_str_addf(s, "%s=", p->name);
        print_value(rt, s, p, at, v, n);
    }
}
