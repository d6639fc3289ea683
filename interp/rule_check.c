/* Rules of the user's own against differences, once for the types of a call.
 *
 * The call is made again on fresh cells in double, of its own shapes (sizes that are not known get
 * small ones), and differentiated by them with a random cotangent. At random points, and at the
 * data there are, the slope of <g, f> along a random direction in one argument must be that of
 * central differences of fourth order, and that for -2 g twice the opposite: a rule is linear in g.
 * A point where differences of two widths disagree, where those of the two sides do (a kink), or
 * where f is not finite, says nothing and is passed over.
 *
 * B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, 1988. */
#include "base/alloc.h"
#include "base/hash.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/rule.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/graph/ruled.h"
#include "runtime/graph/substitute.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ATTEMPTS = 48, POINTS = 3, LARGE = 1 << 16 };

typedef struct check {
    tg_interp *in;
    tg_rt *rt;
    tg_node *call;  /* as it stands in the formula */
    tg_node *made;  /* on fresh cells */
    tg_node *value; /* <g, made> */
    tg_node **grad; /* by each leaf */
    tg_node **leaf; /* cells: the arguments, then g and inputs without data */
    tg_node **was;  /* what each stands for */
    int *part;      /* of an argument: which part of the call */
    size_t n, arguments, cap;
    tg_size_binding sizes;
    uint64_t lottery;
} check;

static double draw(check *k) { /* xorshift64*, Vigna 2016 */
    k->lottery ^= k->lottery >> 12, k->lottery ^= k->lottery << 25, k->lottery ^= k->lottery >> 27;
    return (double)(k->lottery * UINT64_C(0x2545F4914F6CDD1D) >> 11) * 0x1p-53;
}

/* ---- which rules are known to be right ---- */

static uint64_t mix(uint64_t h, uint64_t x) {
    h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static uint64_t mix_type(uint64_t h, const tg_type *t) {
    h = mix(h, (uint64_t)t->dtype << 8 | (uint64_t)t->rank);
    for (int i = 0; i < t->rank; i++) h = mix(h, (uint64_t)t->dim[i]);
    return h;
}

static uint64_t key_of(const tg_node *call) {
    tg_ruled r = tg_ruled_of(call);
    uint64_t h = mix(r.serial, 1);
    for (int i = 0; i < r.n; i++) h = mix_type(h, &r.part[i]->type);
    return mix_type(h, &call->type);
}

static bool is_known(const tg_interp *in, uint64_t key) {
    for (size_t i = 0; i < in->nchecked; i++)
        if (in->checked[i] == key) return true;
    return false;
}

static bool remember(tg_interp *in, uint64_t key) {
    void *p = in->checked;
    bool ok = tg_grow(&p, &in->checked_cap, in->nchecked + 1, sizeof *in->checked);
    in->checked = p;
    if (!ok) return tg_fail_memory(&in->rt.c);
    in->checked[in->nchecked++] = key;
    return true;
}

static void forget(tg_interp *in, uint64_t key) {
    for (size_t i = 0; i < in->nchecked; i++)
        if (in->checked[i] == key) in->checked[i] = in->checked[--in->nchecked];
}

/* ---- the call on fresh cells ---- */

static bool add_leaf(check *k, tg_node *was, const tg_type *type, int part) {
    void *leaf = k->leaf, *old = k->was, *parts = k->part;
    size_t cap = k->cap;
    bool ok = tg_grow(&leaf, &cap, k->n + 1, sizeof *k->leaf);
    k->leaf = leaf;
    cap = k->cap;
    ok = ok && tg_grow(&old, &cap, k->n + 1, sizeof *k->was);
    k->was = old;
    cap = k->cap;
    ok = ok && tg_grow(&parts, &cap, k->n + 1, sizeof *k->part);
    k->part = parts;
    k->cap = cap;
    if (!ok) return tg_fail_memory(&k->rt->c);
    tg_type t = *type;
    t.dtype = TG_F64;
    tg_cell *c = tg_cell_new(k->rt, TG_CELL_INPUT, NULL, &t, NULL);
    tg_node *n = c ? tg_node_cell(k->rt, c) : NULL;
    tg_cell_drop(c);
    if (!n) return false;
    k->leaf[k->n] = tg_node_hold(n);
    k->was[k->n] = was;
    k->part[k->n++] = part;
    return true;
}

/* Inputs without data that the body or the rule reads by itself. */
static bool add_inputs(check *k) {
    tg_ruled r = tg_ruled_of(k->call);
    tg_node **node;
    size_t count;
    if (!tg_node_collect(k->rt, 1, &k->call, &node, &count)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        if (node[i]->op == &tg_op_cell && node[i] != r.g && node[i] != r.out &&
            node[i]->leaf.cell->kind == TG_CELL_INPUT && !node[i]->leaf.cell->value)
            ok = add_leaf(k, node[i], &node[i]->type, -1);
    tg_free(node);
    return ok;
}

/* A size for each symbol that the data do not tell. */
static bool choose_sizes(check *k) {
    if (!tg_graph_bind_sizes(k->rt, 1, &k->call, 0, NULL, NULL, &k->sizes)) return false;
    size_t known = k->sizes.n;
    for (size_t i = 0; i < k->n; i++)
        for (int d = 0; d < k->leaf[i]->type.rank; d++)
            if (!tg_size_symbols(k->rt, &k->sizes, k->leaf[i]->type.dim[d])) return false;
    for (size_t i = known; i < k->sizes.n; i++) k->sizes.items[i].value = 2 + (int64_t)(i % 3);
    return true;
}

static bool make_values(check *k) {
    for (size_t i = 0; i < k->n; i++) {
        tg_cell *c = k->leaf[i]->leaf.cell;
        int64_t dim[TG_MAX_RANK];
        for (int d = 0; d < c->type.rank; d++) {
            dim[d] = tg_size_eval(k->rt, &k->sizes, c->type.dim[d]);
            if (dim[d] < 0) return false;
        }
        c->value = tg_tensor_new(&k->rt->c, TG_F64, c->type.rank, dim);
        if (!c->value) return false;
    }
    return true;
}

/* The call with other parameters: of what is in it, since the call itself is closed. */
static tg_node *rebuilt(check *k, int pairs, tg_node *const *from, tg_node *const *to) {
    tg_node **arg = tg_alloc_array((size_t)k->call->n, sizeof(tg_node *)), *made = NULL;
    if (!arg) {
        tg_fail_memory(&k->rt->c);
        return NULL;
    }
    bool ok = true;
    for (int i = 0; ok && i < k->call->n; i++)
        ok = (arg[i] = tg_node_substitute_all(k->rt, k->call->arg[i], pairs, from, to)) != NULL;
    if (ok) made = tg_node_make(k->rt, k->call->op, k->call->n, arg, k->call->at);
    tg_free(arg);
    return made;
}

static bool make_formulas(check *k) {
    tg_ruled r = tg_ruled_of(k->call);
    for (int i = 0; i < r.n; i++)
        if (tg_ruled_into(k->call, i + (int)(r.part - k->call->arg)) &&
            !add_leaf(k, r.part[i], &r.part[i]->type, i))
            return false;
    k->arguments = k->n;
    if (!add_leaf(k, NULL, &k->call->type, -1) || !add_inputs(k)) return false;
    tg_node **from = tg_alloc_array(2 * k->n, sizeof(tg_node *)), **to = from ? from + k->n : NULL;
    if (!from) return tg_fail_memory(&k->rt->c);
    int pairs = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < k->n; i++) {
        if (i == k->arguments) continue;
        from[pairs] = k->was[i];
        to[pairs] = i < k->arguments ? tg_ruled_parameter(k->rt, k->leaf[i]) : k->leaf[i];
        ok = to[pairs++] != NULL;
    }
    tg_node *made = ok ? rebuilt(k, pairs, from, to) : NULL;
    tg_free(from);
    k->made = tg_node_hold(made);
    tg_node *weighed = made ? tg_node_call2(k->rt, "mul", made, k->leaf[k->arguments]) : NULL;
    k->value = weighed ? tg_node_hold(tg_node_call1(k->rt, "sum", weighed)) : NULL;
    k->grad = k->value ? tg_alloc_array(k->arguments + 1, sizeof(tg_node *)) : NULL;
    if (!k->value) return false;
    if (!k->grad) return tg_fail_memory(&k->rt->c);
    const tg_grad_options opt = {.seed = k->leaf[k->arguments]};
    return tg_grad(k->rt, k->made, (int)k->arguments, k->leaf, &opt, k->grad, NULL);
}

/* ---- points ---- */

static const tg_view *value_of(const check *k, size_t i) {
    return &k->leaf[i]->leaf.cell->value->v;
}

static void fill(check *k, size_t i, double lo, double hi) {
    const tg_view *v = value_of(k, i);
    for (int64_t e = 0; e < tg_view_count(v); e++) tg_view_set(v, e, lo + (hi - lo) * draw(k));
}

static void draw_point(check *k, int attempt) {
    static const double range[][2] = {{-2, 2},  {0.3, 3},   {0.05, 0.95}, {-0.95, 0.95},
                                      {1.1, 4}, {-3, -0.3}, {0.5, 20},    {-10, 10}};
    const double *at = range[attempt % (int)(sizeof range / sizeof *range)];
    for (size_t i = 0; i < k->n; i++) fill(k, i, at[0], at[1]);
    fill(k, k->arguments, -1, 1);
    const tg_view *g = value_of(k, k->arguments);
    if (g->rank > 0) return;
    /* away from 0, and from 1, at which a rule that forgets g, or squares it, would be right */
    tg_view_set(g, 0, (draw(k) < 0.5 ? -1 : 1) * (0.3 + 0.5 * draw(k)));
}

/* The arguments as the data have them. *there: they have. */
static bool draw_data(check *k, bool *there) {
    tg_ruled r = tg_ruled_of(k->call);
    tg_str needs = {0};
    *there = false;
    tg_node **x = tg_alloc_array(k->arguments, sizeof(tg_node *));
    tg_tensor **t = tg_alloc_array(k->arguments, sizeof(tg_tensor *));
    bool ok = x && t ? true : tg_fail_memory(&k->rt->c);
    for (size_t i = 0; ok && i < k->arguments; i++) x[i] = r.part[k->part[i]];
    ok = ok && tg_node_needs(k->rt, (int)k->arguments, x, &needs);
    if (ok && needs.len == 0) {
        *there = tg_plan_eval(k->rt, (int)k->arguments, x, t);
        if (!*there) {
            ok = k->rt->c.diag.kind != TG_ERR_MEMORY && k->rt->c.diag.kind != TG_ERR_INTERRUPT;
            if (ok) tg_clear(&k->rt->c); /* an argument without a value: an index out of range */
        }
    }
    for (size_t i = 0; *there && i < k->arguments; i++) {
        const tg_view *to = value_of(k, i);
        if (tg_shape_equal(to->rank, to->dim, t[i]->v.rank, t[i]->v.dim))
            tg_view_copy(to, &t[i]->v);
        else
            *there = false;
    }
    for (size_t i = 0; t && i < k->arguments; i++) tg_tensor_drop(t[i]);
    tg_str_free(&needs);
    tg_free(x);
    tg_free(t);
    return ok;
}

/* ---- differences ---- */

typedef struct line { /* through the point, in one argument */
    const tg_view *x;
    double *at, *u; /* the point and the direction */
    int64_t n;
} line;

static bool eval_at(check *k, const line *l, double t, double *out) {
    tg_tensor *y = NULL;
    for (int64_t e = 0; e < l->n; e++) tg_view_set(l->x, e, l->at[e] + t * l->u[e]);
    if (!tg_plan_eval(k->rt, 1, &k->value, &y)) return false;
    *out = tg_view_get(&y->v, 0);
    tg_tensor_drop(y);
    return true;
}

/* The slope by differences of width h, how far the slopes to both sides differ, and the size of
 * what was subtracted. */
static bool difference(check *k, const line *l, double h, double *slope, double *bend,
                       double *size) {
    double y[5];
    *size = 0;
    for (int i = 0; i < 5; i++) {
        if (!eval_at(k, l, (i - 2) * h, &y[i])) return false;
        *size = fmax(*size, fabs(y[i]));
        if (!isfinite(y[i])) *size = INFINITY;
    }
    *slope = (8 * (y[3] - y[1]) - (y[4] - y[0])) / (12 * h);
    *bend = (y[3] + y[1] - 2 * y[2]) / h;
    return true;
}

/* The slope at the point; *known: differences can tell it. */
static bool slope_along(check *k, const line *l, double h, double *slope, double *slack,
                        bool *known) {
    double finer, bend, fine_bend, size, size2;
    if (!difference(k, l, h, slope, &bend, &size) ||
        !difference(k, l, h / 4, &finer, &fine_bend, &size2))
        return false;
    *slack = 1e-6 * (fabs(*slope) + fabs(finer)) + 1e-11 * size / h + 1e-12;
    *known = isfinite(size) && isfinite(size2) && fabs(*slope - finer) <= *slack &&
             fabs(fine_bend) <= 0.5 * fabs(bend) + *slack;
    return true;
}

/* <gradient by argument i, u> */
static bool slope_by_rule(check *k, size_t i, const line *l, double *out) {
    tg_tensor *t = NULL;
    if (!tg_plan_eval(k->rt, 1, &k->grad[i], &t)) return false;
    *out = 0;
    for (int64_t e = 0; e < l->n; e++)
        if (l->u[e] != 0) *out += l->u[e] * tg_view_get(&t->v, e);
    tg_tensor_drop(t);
    return true;
}

/* ---- the verdict ---- */

static void name_part(const tg_ruled *r, int part, char *out, size_t room) {
    const char *at = r->names;
    for (; part > 0; part--) at += strcspn(at, ",") + 1;
    snprintf(out, room, "%.*s", (int)strcspn(at, ","), at);
}

/* "x = 0.7, y = [1, 2], g = 0.4": large ones without their elements. */
static void add_point(check *k, tg_str *s) {
    tg_ruled r = tg_ruled_of(k->call);
    for (size_t i = 0; i <= k->arguments; i++) {
        char name[80] = "g";
        const tg_view *v = value_of(k, i);
        int64_t count = tg_view_count(v);
        if (i < k->arguments)
            name_part(&r, k->part[i], name, sizeof name);
        else if (v->rank)
            continue; /* said as "a random g" */
        tg_str_addf(s, "%s%s = ", i ? ", " : "", name);
        if (v->rank > 1 || count > 6) {
            tg_str_add(s, tg_shape_text(k->rt, v->rank, v->dim));
            tg_str_add(s, " random numbers");
            continue;
        }
        if (v->rank) tg_str_addc(s, '[');
        for (int64_t e = 0; e < count; e++)
            tg_str_addf(s, "%s%.5g", e ? ", " : "", tg_view_get(v, e));
        if (v->rank) tg_str_addc(s, ']');
    }
}

static bool end_wrong(check *k, size_t i) {
    tg_ruled r = tg_ruled_of(k->call);
    tg_str at = {0};
    add_point(k, &at);
    tg_note(&k->rt->c, "at %s", tg_str_text(&at));
    tg_str_free(&at);
    if (value_of(k, k->arguments)->rank || value_of(k, i)->rank)
        tg_note(&k->rt->c, "along a random direction%s",
                value_of(k, k->arguments)->rank ? ", for a random g" : "");
    if (!tg_node_depends(k->rt, k->grad[i], k->leaf[k->arguments]))
        return tg_help(&k->rt->c,
                       "the rule does not use g, the incoming cotangent: write g * (...), or with "
                       "g where it belongs");
    return tg_help(&k->rt->c,
                   "where it is meant to differ from the slope: rule %.*s(...) unchecked "
                   "= ...",
                   (int)strcspn(r.text, "("), r.text);
}

static bool wrong(check *k, size_t i, double rule, double differences) {
    tg_ruled r = tg_ruled_of(k->call);
    char name[80];
    name_part(&r, k->part[i], name, sizeof name);
    tg_fail(&k->rt->c, TG_ERR_VALUE,
            "the rule of %.*s is wrong in %s: it gives the slope %.6g, and differences give %.6g",
            (int)strcspn(r.text, "("), r.text, name, rule, differences);
    return end_wrong(k, i);
}

static bool bent(check *k, size_t i, double once, double more) {
    tg_ruled r = tg_ruled_of(k->call);
    char name[80];
    name_part(&r, k->part[i], name, sizeof name);
    tg_fail(&k->rt->c, TG_ERR_VALUE,
            "the rule of %.*s is not linear in g: for %s it gives %.6g, and with -2 * g not %.6g "
            "but %.6g",
            (int)strcspn(r.text, "("), r.text, name, once, -2 * once, more);
    return end_wrong(k, i);
}

static void scale_g(check *k, double by) {
    const tg_view *g = value_of(k, k->arguments);
    for (int64_t e = 0; e < tg_view_count(g); e++) tg_view_set(g, e, by * tg_view_get(g, e));
}

/* A rule of g^2, of abs(g), or of g clipped, may be right for this g. `once` is what it gives. */
static bool check_linear(check *k, size_t i, const line *l, double once, double slack) {
    double more;
    scale_g(k, -2);
    bool ok = slope_by_rule(k, i, l, &more);
    scale_g(k, -0.5);
    if (!ok || !isfinite(once) || !isfinite(more) ||
        fabs(more + 2 * once) <= 1e-7 * fabs(once) + 20 * slack)
        return ok;
    return bent(k, i, once, more);
}

/* One argument at the point that the cells hold. */
static bool check_argument(check *k, size_t i, bool *known) {
    line l = {.x = value_of(k, i)};
    l.n = tg_view_count(l.x);
    l.at = tg_alloc_array((size_t)(2 * l.n + 1), sizeof *l.at);
    if (!l.at) return tg_fail_memory(&k->rt->c);
    l.u = l.at + l.n;
    double most = 0, differences, slack, rule;
    for (int64_t e = 0; e < l.n; e++) {
        l.at[e] = tg_view_get(l.x, e);
        l.u[e] = l.x->rank ? 2 * draw(k) - 1 : 1;
        most = fmax(most, fabs(l.at[e]));
    }
    double h = 1e-3 * (most > 0 && isfinite(most) ? fmin(most, 1e6) : 1);
    bool ok = slope_by_rule(k, i, &l, &rule) && slope_along(k, &l, h, &differences, &slack, known);
    for (int64_t e = 0; e < l.n; e++) tg_view_set(l.x, e, l.at[e]);
    if (ok && *known)
        ok = fabs(rule - differences) <= 10 * slack ? check_linear(k, i, &l, rule, slack)
                                                    : wrong(k, i, rule, differences);
    tg_free(l.at);
    return ok;
}

static bool check_point(check *k, bool *known) {
    *known = true;
    for (size_t i = 0; i < k->arguments; i++) {
        bool one;
        if (!check_argument(k, i, &one)) return false;
        *known = *known && one;
    }
    return true;
}

static bool check_points(check *k) {
    int usable = 0;
    bool known, there;
    int64_t elements = 0;
    for (size_t i = 0; i < k->n; i++) elements += tg_view_count(value_of(k, i));
    int wanted = elements > LARGE ? 1 : POINTS;
    for (int a = 0; a < ATTEMPTS && usable < wanted; a++) {
        if (!tg_check_interrupt(&k->rt->c)) return false;
        draw_point(k, a);
        if (!check_point(k, &known)) return false;
        usable += known;
    }
    draw_point(k, 0);
    if (!draw_data(k, &there) || (there && !check_point(k, &known))) return false;
    if (usable == 0 && !(there && known)) {
        tg_ruled r = tg_ruled_of(k->call);
        tg_remark(k->in,
                  "the rule of %.*s could not be compared with differences: no point was "
                  "found where they tell the slope",
                  (int)strcspn(r.text, "("), r.text);
    }
    return true;
}

static void end(check *k) {
    for (size_t i = 0; i < k->n; i++) { /* nothing may take them for inputs of the user's */
        tg_cell *c = k->leaf[i]->leaf.cell;
        c->kind = TG_CELL_LIFT;
        tg_tensor_drop(c->value);
        c->value = NULL;
        tg_node_drop(k->leaf[i]);
    }
    tg_node_drop(k->made);
    tg_node_drop(k->value);
    tg_size_binding_free(&k->sizes);
    tg_free(k->leaf);
    tg_free(k->was);
    tg_free(k->part);
    tg_free(k->grad);
}

bool tg_rule_check(tg_rt *rt, tg_node *call) {
    tg_interp *in = (tg_interp *)((char *)rt - offsetof(tg_interp, rt));
    uint64_t key = key_of(call);
    if (tg_ruled_of(call).unchecked || is_known(in, key)) return true;
    if (!remember(in, key)) return false;
    check k = {
        .in = in, .rt = rt, .call = call, .lottery = tg_hash_text(tg_ruled_of(call).text) | 1};
    tg_dtype precision = rt->precision;
    rt->precision = TG_F64;
    bool ok = make_formulas(&k) && choose_sizes(&k) && make_values(&k) && check_points(&k);
    rt->precision = precision;
    end(&k);
    if (!ok) forget(in, key);
    return ok;
}
