/* The table of assumptions: from a condition to a fact that can be used.
 *
 * Both sides are brought into the simple form that they have without any assumption, so that a fact
 * does not depend on the others. Then the condition is read: A == A' is a symmetry, Q' @ Q ==
 * eye(n) an orthogonality, a comparison with a number a bound, and any other equation a rewriting
 * of the larger side into the smaller one, so that rewriting ends.
 *
 * A condition is refused when it is false whatever the data: by itself, or with what is assumed
 * already. One that is true anyway is no assumption. */
#include "runtime/graph/assume.h"
#include "base/alloc.h"
#include "runtime/graph/print.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"

#include <math.h>
#include <string.h>

static uint32_t bit(int i) {
    return UINT32_C(1) << i;
}

bool tg_assume_init(tg_rt *rt) {
    rt->assumed = tg_alloc_array(1, sizeof *rt->assumed);
    return rt->assumed != NULL;
}

/* The text stays. */
static void let_go(tg_fact *f) {
    tg_node *held[] = {f->condition, f->left, f->right, f->key, f->to};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) tg_node_drop(held[i]);
    tg_free(f->cell);
    *f = (tg_fact){.text = f->text};
}

void tg_assume_copy_free(tg_assumed *a) {
    for (int i = 0; a && i < TG_FACTS; i++) {
        let_go(&a->fact[i]);
        tg_free(a->fact[i].text);
    }
    tg_free(a);
}

void tg_assume_free(tg_rt *rt) {
    tg_assume_copy_free(rt->assumed);
    rt->assumed = NULL;
}

/* ---- copies ---- */

static void hold(tg_fact *f) {
    tg_node *held[] = {f->condition, f->left, f->right, f->key, f->to};
    for (size_t k = 0; k < sizeof held / sizeof *held; k++) tg_node_hold(held[k]);
}

static bool copy_fact(const tg_fact *of, tg_fact *to) {
    char *text = of->text ? tg_alloc_text(of->text, strlen(of->text)) : NULL;
    tg_cell **cell = of->ncells ? tg_alloc_array(of->ncells, sizeof(tg_cell *)) : NULL;
    if ((of->text && !text) || (of->ncells && !cell)) {
        tg_free(text);
        tg_free(cell);
        return false;
    }
    if (cell) memcpy(cell, of->cell, of->ncells * sizeof(tg_cell *));
    *to = *of;
    to->text = text;
    to->cell = cell;
    hold(to);
    return true;
}

tg_assumed *tg_assume_copy(tg_rt *rt) {
    const tg_assumed *a = rt->assumed;
    tg_assumed *copy = tg_alloc_array(1, sizeof *copy);
    bool ok = copy != NULL;
    for (int i = 0; ok && i < TG_FACTS; i++) ok = copy_fact(&a->fact[i], &copy->fact[i]);
    if (!ok) {
        tg_assume_copy_free(copy);
        tg_fail_memory(&rt->c);
        return NULL;
    }
    copy->in_force = a->in_force;
    copy->noted = a->noted;
    return copy;
}

void tg_assume_exchange(tg_rt *rt, tg_assumed *copy) {
    const uint64_t changes = rt->assumed->changes;
    const tg_assumed was = *rt->assumed;
    *rt->assumed = *copy;
    *copy = was;
    rt->assumed->barred = was.barred;
    rt->assumed->changes = changes + 1;
    tg_simplify_forget(rt);
}

/* ---- asking ---- */

uint32_t tg_assume_in_force(const tg_rt *rt) {
    return rt->assumed->in_force;
}

uint32_t tg_assume_usable(const tg_rt *rt) {
    return rt->assumed->in_force & ~rt->assumed->barred;
}

const char *tg_assume_text(const tg_rt *rt, int number) {
    return rt->assumed->fact[number].text;
}

void tg_assume_note(tg_rt *rt, uint32_t which) {
    if (which & ~rt->assumed->noted) rt->assumed->changes++;
    rt->assumed->noted |= which;
}

uint32_t tg_assume_find(const tg_rt *rt, const tg_node *condition) {
    for (int i = 0; i < TG_FACTS; i++)
        if (rt->assumed->in_force & bit(i) && rt->assumed->fact[i].condition == condition)
            return bit(i);
    return 0;
}

uint32_t tg_assume_on_cell(const tg_rt *rt, const tg_cell *cell) {
    uint32_t found = 0;
    for (int i = 0; i < TG_FACTS; i++)
        for (size_t k = 0; rt->assumed->in_force & bit(i) && k < rt->assumed->fact[i].ncells; k++)
            if (rt->assumed->fact[i].cell[k] == cell) found |= bit(i);
    return found;
}

bool tg_assume_is_orphan(const tg_rt *rt, int number) {
    const tg_fact *f = &rt->assumed->fact[number];
    for (size_t k = 0; k < f->ncells; k++)
        if (f->cell[k]->kind != TG_CELL_LIFT && !f->cell[k]->name) return true;
    return false;
}

static bool is_side(const tg_node *n, const tg_node *simple, const tg_node *raw) {
    return n == simple || n == raw;
}

/* Is the fact about the difference a - b (1) or b - a (-1)? */
static int about_difference(const tg_fact *f, const tg_node *a, const tg_node *b) {
    const tg_node *const *raw = (const tg_node *const *)f->condition->arg;
    if (f->kind != TG_FACT_BOUND || f->key) return 0;
    if (is_side(a, f->left, raw[0]) && is_side(b, f->right, raw[1])) return 1;
    return is_side(b, f->left, raw[0]) && is_side(a, f->right, raw[1]) ? -1 : 0;
}

static bool bounds(const tg_fact *f, const tg_node *n) {
    if (f->kind == TG_FACT_BOUND && !f->key)
        return tg_node_is(n, "sub") && about_difference(f, n->arg[0], n->arg[1]);
    return f->key && is_side(n, f->key, f->raw) &&
           (f->kind == TG_FACT_BOUND || (f->kind == TG_FACT_EQUAL && tg_node_is_number(f->to)));
}

uint32_t tg_assume_about(const tg_rt *rt, const tg_node *n) {
    uint32_t found = 0, left = rt->assumed->in_force;
    for (int i = 0; left; i++, left >>= 1)
        if (left & 1 && bounds(&rt->assumed->fact[i], n)) found |= bit(i);
    return found;
}

static tg_bounds negated(tg_bounds r) {
    return (tg_bounds){-r.hi, -r.lo, r.hi_open, r.lo_open, r.nonzero};
}

tg_bounds tg_assume_range(const tg_rt *rt, int number, const tg_node *n) {
    const tg_fact *f = &rt->assumed->fact[number];
    if (f->kind == TG_FACT_EQUAL)
        return (tg_bounds){.lo = f->to->leaf.number, .hi = f->to->leaf.number};
    if (f->key) return f->range;
    return about_difference(f, n->arg[0], n->arg[1]) > 0 ? f->range : negated(f->range);
}

int tg_assume_says(const tg_rt *rt, const char *op, const tg_node *a, const tg_node *b,
                   uint32_t allowed, uint32_t *used) {
    uint32_t left = allowed & rt->assumed->in_force;
    for (int i = 0; left; i++, left >>= 1) {
        const tg_fact *f = &rt->assumed->fact[i];
        int way = left & 1 ? about_difference(f, a, b) : 0;
        if (!way) continue;
        int says = tg_bounds_compare(op, way > 0 ? f->range : negated(f->range), (tg_bounds){0});
        if (!says) continue;
        *used = bit(i);
        return says;
    }
    return 0;
}

/* ---- derivatives look beside ---- */

uint32_t tg_assume_equations_on(tg_rt *rt, uint32_t which, const tg_node *x) {
    uint32_t found = 0;
    for (int i = 0; i < TG_FACTS; i++) {
        const tg_fact *f = &rt->assumed->fact[i];
        if (!(which & rt->assumed->in_force & bit(i)) || f->kind == TG_FACT_BOUND) continue;
        if (tg_node_depends(rt, f->condition, x)) found |= bit(i);
        for (size_t k = 0; x->n > 0 && k < f->ncells; k++)
            if (f->cell[k]->leaf && tg_node_depends(rt, (tg_node *)(uintptr_t)x, f->cell[k]->leaf))
                found |= bit(i);
    }
    return found;
}

uint32_t tg_assume_bar(tg_rt *rt, int n, tg_node *const *x) {
    uint32_t before = rt->assumed->barred;
    for (int i = 0; i < n && rt->assumed->in_force; i++)
        rt->assumed->barred |= tg_assume_equations_on(rt, rt->assumed->in_force, x[i]);
    return before;
}

void tg_assume_unbar(tg_rt *rt, uint32_t before) {
    rt->assumed->barred = before;
}

/* ---- dropping ---- */

void tg_assume_drop(tg_rt *rt, uint32_t which) {
    tg_assumed *a = rt->assumed;
    which &= a->in_force;
    for (int i = 0; i < TG_FACTS; i++) {
        if (!(which & bit(i))) continue;
        let_go(&a->fact[i]);
        if (a->noted & bit(i)) continue;
        tg_free(a->fact[i].text);
        a->fact[i].text = NULL;
    }
    a->in_force &= ~which;
    if (!which) return;
    a->changes++;
    tg_simplify_forget(rt);
}

void tg_assume_restore(tg_rt *rt, uint32_t in_force) {
    tg_assume_drop(rt, rt->assumed->in_force & ~in_force);
}

/* ---- reading a condition ---- */

static tg_node *plain(tg_rt *rt, tg_node *n) {
    return n ? tg_simplify_around(rt, n, 0, NULL, NULL) : NULL;
}

static tg_node *mirrored(tg_rt *rt, tg_node *n) {
    return plain(rt, tg_node_call1(rt, "transpose", n));
}

static bool is_matrix(const tg_node *n) {
    return n->type.rank >= 2 && tg_dtype_is_float(n->type.dtype);
}

static bool is_square(const tg_node *n) {
    return is_matrix(n) && n->type.dim[n->type.rank - 1] == n->type.dim[n->type.rank - 2];
}

/* A for A', -A and -A'. */
static tg_node *stripped(tg_node *n) {
    while (tg_node_is(n, "neg") || (tg_node_is(n, "transpose") && n->type.rank == 2)) n = n->arg[0];
    return n;
}

/* A == A' and A == -A'. *sign stays 0 where it is neither. */
static bool read_mirror(tg_rt *rt, tg_fact *f, double *sign) {
    *sign = 0;
    if (!is_square(f->left) || !is_square(f->right)) return true;
    tg_node *m = mirrored(rt, f->left), *minus = NULL;
    if (!m) return false;
    if (m == f->right) *sign = 1;
    if (*sign == 0) {
        minus = plain(rt, tg_node_call1(rt, "neg", m));
        if (!minus) return false;
        if (minus == f->right) *sign = -1;
    }
    f->to = m;
    return true;
}

static bool is_identity(const tg_node *n) {
    return tg_node_is(n, "eye") && n->type.dim[0] == n->type.dim[1];
}

/* Q' @ Q == eye(n): left and right become the factors. */
static bool read_orthogonal(tg_rt *rt, tg_fact *f, bool *is) {
    tg_node *product = is_identity(f->right) ? f->left : is_identity(f->left) ? f->right : NULL;
    *is = false;
    if (!product || !tg_node_is(product, "matmul")) return true;
    tg_node *m = mirrored(rt, product->arg[0]);
    if (!m) return false;
    if (m != product->arg[1]) return true;
    f->left = product->arg[0];
    f->right = product->arg[1];
    return *is = true;
}

static bool is_known(const tg_node *n) {
    return tg_node_is_number(n) || n->op == &tg_op_const;
}

/* Is a to be replaced by b? */
static bool is_larger(tg_rt *rt, tg_node *a, tg_node *b) {
    if (a->type.rank != b->type.rank) return a->type.rank > b->type.rank;
    if (is_known(a) || is_known(b)) return is_known(b);
    return tg_node_ops(rt, a) >= tg_node_ops(rt, b);
}

static tg_bounds shifted(tg_bounds r, double by) {
    r.lo += by, r.hi += by;
    r.nonzero = !tg_bounds_has((tg_bounds){r.lo, r.hi, r.lo_open, r.hi_open, false}, 0);
    return r;
}

static tg_bounds scaled(tg_bounds r, double by) {
    bool nonzero = r.nonzero;
    if (by < 0) r = negated(r), by = -by;
    r.lo *= by, r.hi *= by, r.nonzero = nonzero;
    return r;
}

/* 2 * x + 1 > 3 is about x. */
static tg_node *peel(tg_node *n, tg_bounds *r) {
    while (n->n == 2 || tg_node_is(n, "neg")) {
        if (tg_node_is(n, "neg")) {
            *r = negated(*r);
            n = n->arg[0];
            continue;
        }
        int at = tg_node_is_number(n->arg[0]) ? 0 : 1;
        if (!tg_node_is_number(n->arg[at])) break;
        double c = n->arg[at]->leaf.number;
        bool hole = r->nonzero && r->lo < 0 && r->hi > 0; /* x != 0 does not shift */
        if (tg_node_is(n, "mul") && c != 0 && isfinite(1 / c))
            *r = scaled(*r, 1 / c);
        else if (tg_node_is(n, "div") && at == 1 && c != 0)
            *r = scaled(*r, c);
        else if (tg_node_is(n, "add") && !hole)
            *r = shifted(*r, -c);
        else if (tg_node_is(n, "sub") && at == 1 && !hole)
            *r = shifted(*r, c);
        else if (tg_node_is(n, "sub") && !hole)
            *r = shifted(negated(*r), c);
        else
            break;
        n = n->arg[1 - at];
    }
    return n;
}

/* `op` seen from the other side: 0 < x is x > 0. */
static const char *turned(const char *op) {
    return op[0] == '<' ? (op[1] ? ">=" : ">") : op[0] == '>' ? (op[1] ? "<=" : "<") : op;
}

static void read_bound(tg_fact *f, const char *op) {
    f->kind = TG_FACT_BOUND;
    bool right = tg_node_is_number(f->right);
    tg_node *number = right ? f->right : tg_node_is_number(f->left) ? f->left : NULL;
    if (number) {
        double c = number->leaf.number;
        tg_bounds to =
            tg_bounds_of_comparison(right ? op : turned(op), (tg_bounds){.lo = c, .hi = c});
        tg_node *key = right ? f->left : f->right;
        if (strcmp(op, "!=") != 0 || c == 0) {
            f->raw = f->condition->arg[right ? 0 : 1];
            f->range = to;
            f->key = peel(key, &f->range);
            if (f->key != key) f->raw = f->key;
            return;
        }
    }
    f->range = tg_bounds_of_comparison(op, (tg_bounds){0});
}

/* Can `to` stand where key stands? */
static bool fits(tg_rt *rt, const tg_fact *f) {
    const tg_type *t = &f->key->type;
    if (f->to->type.rank == 0 || tg_shape_equal(f->to->type.rank, f->to->type.dim, t->rank, t->dim))
        return true;
    tg_rule_name names[2] = {
        {.name = "x", .node = f->to},
        {.name = "to", .kind = TG_P_SHAPE, .n = t->rank, .sizes = ~UINT64_C(0)}};
    memcpy(names[1].v, t->dim, (size_t)t->rank * sizeof *t->dim);
    if (tg_rule_build(rt, "expand(x, to)", 2, names)) return true;
    if (rt->c.diag.kind != TG_ERR_SHAPE) return false;
    return tg_fail(&rt->c, TG_ERR_SHAPE, "the sides of an equation that is assumed need one shape");
}

static bool read_fact(tg_rt *rt, tg_fact *f, const char *op) {
    f->left = plain(rt, f->condition->arg[0]);
    f->right = f->left ? plain(rt, f->condition->arg[1]) : NULL;
    if (!f->right) return false;
    if (strcmp(op, "==") != 0) {
        read_bound(f, op);
        return true;
    }
    bool orthogonal;
    if (!read_mirror(rt, f, &f->sign)) return false;
    if (f->sign != 0) {
        f->kind = TG_FACT_MIRROR;
        f->key = stripped(f->left);
        f->raw = stripped(f->condition->arg[0]);
        if (f->key != f->left) f->to = mirrored(rt, f->key);
        return f->to != NULL;
    }
    if (!read_orthogonal(rt, f, &orthogonal)) return false;
    if (orthogonal) {
        f->kind = TG_FACT_ORTHOGONAL;
        return true;
    }
    bool left = is_larger(rt, f->left, f->right);
    f->kind = TG_FACT_EQUAL;
    f->key = left ? f->left : f->right;
    f->to = left ? f->right : f->left;
    f->raw = f->condition->arg[left ? 0 : 1];
    return rt->c.diag.kind == TG_ERR_NONE && fits(rt, f);
}

/* ---- true anyway, or false ---- */

static const char *symbol_of(const tg_node *condition) {
    const char *s = condition->op->symbol;
    return condition->n == 2 && s && strchr("=!<>", s[0]) ? s : NULL;
}

static void add_texts(const tg_rt *rt, uint32_t which, tg_str *out) {
    for (int i = 0, n = 0; i < TG_FACTS; i++)
        if (which & bit(i)) tg_str_addf(out, "%s%s", n++ ? " and " : "", tg_assume_text(rt, i));
}

static bool contradicts(tg_rt *rt, const char *text, uint32_t by) {
    tg_str s = {0};
    add_texts(rt, by, &s);
    bool plural = by & (by - 1);
    if (s.failed)
        tg_fail_memory(&rt->c);
    else if (by)
        tg_fail(&rt->c, TG_ERR_VALUE, "%s contradicts the assumption%s %s", text, plural ? "s" : "",
                tg_str_text(&s));
    else
        tg_fail(&rt->c, TG_ERR_VALUE, "%s never holds", text);
    if (by && !s.failed) tg_help(&rt->c, "unassume(%s) drops it", plural ? "..." : tg_str_text(&s));
    tg_str_free(&s);
    return false;
}

/* 1: the condition holds anyway; -1: it cannot; 0: neither is known. -2: an error. */
static int judge(tg_rt *rt, tg_node *condition, const char *op, uint32_t *by) {
    uint32_t used[2] = {0};
    tg_node *side[2];
    for (int i = 0; i < 2; i++)
        if (!(side[i] = tg_simplify_around(rt, condition->arg[i], 0, NULL, &used[i]))) return -2;
    *by = used[0] | used[1];
    bool equal = op[0] == '=' || op[1] == '=';
    if (op[0] != '!' && side[0] == side[1]) return equal ? 1 : -1;
    int says = tg_prove(rt, op, condition->arg[0], condition->arg[1], tg_assume_usable(rt), by);
    if (says) return says;
    uint32_t more = 0;
    says = tg_prove(rt, op, side[0], side[1], tg_assume_usable(rt), &more);
    *by = used[0] | used[1] | more;
    return says;
}

/* ---- adding ---- */

/* A number for the text: the one it had when it was dropped, else a free one. */
static int free_number(tg_rt *rt, const char *text) {
    const tg_assumed *a = rt->assumed;
    for (int i = 0; i < TG_FACTS; i++)
        if (!(a->in_force & bit(i)) && a->fact[i].text && strcmp(a->fact[i].text, text) == 0)
            return i;
    for (int i = 0; i < TG_FACTS; i++)
        if (!a->fact[i].text) return i;
    tg_fail(&rt->c, TG_ERR_VALUE, "there are already %d assumptions, the most there can be",
            TG_FACTS);
    tg_help(&rt->c, "unassume(...) drops those that are not needed any more");
    return -1;
}

static bool settle(tg_rt *rt, tg_fact *f, const char *op, const char *text) {
    /* what is read now is held at the end: nothing is swept before */
    uint32_t barred = rt->assumed->barred;
    rt->assumed->barred = UINT32_MAX;
    size_t count;
    bool ok =
        read_fact(rt, f, op) && tg_graph_cells(rt, 1, &f->condition, &f->cell, &count, &f->ncells);
    rt->assumed->barred = barred;
    if (!ok) {
        tg_free(f->cell);
        return false;
    }
    int i = free_number(rt, text);
    tg_fact *slot = i < 0 ? NULL : &rt->assumed->fact[i];
    if (slot && !slot->text) {
        slot->text = tg_alloc_text(text, strlen(text));
        if (!slot->text) tg_fail_memory(&rt->c);
    }
    if (!slot || !slot->text) {
        tg_free(f->cell);
        return false;
    }
    f->text = slot->text;
    hold(f);
    *slot = *f;
    rt->assumed->in_force |= bit(i);
    rt->assumed->changes++;
    tg_simplify_forget(rt);
    return true;
}

tg_assume_outcome tg_assume_add(tg_rt *rt, tg_node *condition, uint32_t *by) {
    const char *op = symbol_of(condition);
    *by = 0;
    if (!op) {
        tg_fail(&rt->c, TG_ERR_TYPE, "an assumption is an equation or a comparison");
        tg_help(&rt->c, "for example: assume sum(Y, axis=1) == 1, or assume x > 0");
        return TG_ASSUME_FAILED;
    }
    *by = tg_assume_find(rt, condition);
    if (*by) return TG_ASSUME_KNOWN;
    int says = judge(rt, condition, op, by);
    if (says == -2) return TG_ASSUME_FAILED;
    if (says == 1) return TG_ASSUME_KNOWN;
    tg_str text = {0};
    tg_fact f = {.condition = condition};
    bool ok = tg_node_print(rt, &text, condition, false);
    if (ok && text.failed) ok = tg_fail_memory(&rt->c);
    if (ok)
        ok = says == -1 ? contradicts(rt, tg_str_text(&text), *by)
                        : settle(rt, &f, op, tg_str_text(&text));
    tg_str_free(&text);
    return ok ? TG_ASSUME_ADDED : TG_ASSUME_FAILED;
}
