/* Pattern rules: rows of rules.def, matched against nodes. A pattern is a tg expression; its tree
 * is walked beside the formula's. A name stands for any formula, the same node wherever it occurs
 * (formulas are hash-consed, so "the same" is a comparison of pointers); operands of commutative
 * operations are tried both ways. Patterns are small, and so is the recursion. */
#include "runtime/graph/simplifier.h"
#include "runtime/ops/attrs.h"
#include "runtime/ops/linear.h"

#include <string.h>

typedef struct rule {
    const char *name, *pattern, *replacement; /* pattern NULL: done by code */
    bool stable;
    bool computed;    /* stable, and for values only: not for formulas that are shown */
    const char *when; /* to be proved first; NULL: nothing */
} rule;

static const rule rules[TG_LAWS] = {
#define NAMED(id, name, when) {name, NULL, NULL, false, false, NULL},
#define RULE(id, name, pattern, replacement, when) {name, pattern, replacement, false, false, NULL},
#define STABLE(id, name, pattern, replacement, when)                                               \
    {name, pattern, replacement, true, false, NULL},
#define COMPUTED(id, name, pattern, replacement, when)                                             \
    {name, pattern, replacement, true, true, NULL},
#define GIVEN(id, name, pattern, replacement, when)                                                \
    {name, pattern, replacement, false, false, when},
#define LINEAR(op, mask)
#define FRAMED(op)
#include "runtime/graph/rules.def"
};

/* Is `made` worth having in place of the operation on a and b? */
static bool is_shorter(tg_simp *s, tg_node *a, tg_node *b, tg_node *made, bool *failed) {
    double x = tg_simp_part_cost(s, a), y = tg_simp_part_cost(s, b), z = tg_simp_part_cost(s, made);
    *failed = x < 0 || y < 0 || z < 0;
    return !*failed && z <= x + y + 1;
}

const char *tg_simp_law_name(int law) {
    return rules[law].name;
}

enum { NAMES = 8 };

typedef struct match {
    tg_simp *s;
    int n;
    tg_rule_name name[NAMES];
    bool failed; /* an error, not a mismatch */
    bool named;  /* a part with a name was looked into */
    int nest;
} match;

static bool matches(match *m, const tg_ast *pattern, tg_node *n);

/* ---- names ---- */

static tg_rule_name *bound(match *m, const char *name) {
    for (int i = 0; i < m->n; i++)
        if (strcmp(m->name[i].name, name) == 0) return &m->name[i];
    return NULL;
}

static bool bind_node(match *m, const char *name, tg_node *n) {
    if (strcmp(name, "c") == 0 && !tg_node_is_number(n)) return false;
    if (strcmp(name, "s") == 0 && n->type.rank > 0) return false;
    if (strcmp(name, "v") == 0 && n->type.rank != 1) return false;
    if (strcmp(name, "m") == 0 && n->type.rank < 2) return false;
    if (strcmp(name, "k") == 0 && n->type.dtype != TG_BOOL) return false;
    const tg_rule_name *b = bound(m, name);
    if (b) return b->node == n;
    if (m->n == NAMES) return false;
    m->name[m->n++] = (tg_rule_name){.name = name, .node = n};
    return true;
}

/* An attribute against what the pattern says: a name, true, false or a number. */
static bool match_attr(match *m, const tg_ast *pattern, const tg_node *n) {
    for (int i = 0; n->op->param[i].name; i++) {
        if (strcmp(n->op->param[i].name, pattern->name) != 0) continue;
        tg_rule_name v;
        tg_rule_attr(n->op, n->at, i, &v);
        const tg_ast *want = pattern->kids[0];
        if (want->kind == TG_AST_UNARY) return v.n == 1 && (double)-v.v[0] == want->kids[0]->number;
        if (want->kind != TG_AST_NAME) return v.n == 1 && (double)v.v[0] == want->number;
        if (strcmp(want->name, "all") == 0 && v.v[0] != (INT64_C(1) << n->arg[0]->type.rank) - 1)
            return false;
        if (strcmp(want->name, "leading") == 0 && (v.v[0] & (v.v[0] + 1)) != 0) return false;
        const tg_rule_name *b = bound(m, want->name);
        if (b)
            return b->kind == v.kind && b->n == v.n &&
                   memcmp(b->v, v.v, (size_t)v.n * sizeof *v.v) == 0;
        if (m->n == NAMES) return false;
        v.name = want->name;
        m->name[m->n++] = v;
        return true;
    }
    return false;
}

/* ---- formulas ---- */

/* -x in its normal forms: neg(x), or a product with a negative number. */
static bool match_minus(match *m, const tg_ast *pattern, tg_node *n) {
    if (n->op == m->s->neg) return matches(m, pattern->kids[0], n->arg[0]);
    if (n->op != m->s->mul && n->op != m->s->div) return false;
    tg_product p = {0};
    tg_node *rest = NULL;
    bool ok = tg_product_add(m->s, &p, n, 1, false);
    if (ok && p.c.n < 0) {
        p.c.n = -p.c.n;
        rest = tg_product_build(m->s, &p, &n->type);
        ok = rest != NULL;
    }
    tg_product_free(&p);
    if (!ok) m->failed = true;
    return rest && matches(m, pattern->kids[0], rest);
}

static bool match_binary(match *m, const tg_ast *pattern, tg_node *n) {
    if (n->n != 2) return false;
    const tg_op *op = tg_rule_operator(pattern, n->arg[0]->type.rank, n->arg[1]->type.rank);
    if (n->op != op) return false;
    int before = m->n;
    for (int turn = 0; turn < (op->commutes && pattern->op[0] != '@' ? 2 : 1); turn++) {
        if (matches(m, pattern->kids[0], n->arg[turn]) &&
            matches(m, pattern->kids[1], n->arg[1 - turn]))
            return true;
        if (m->failed) return false;
        m->n = before;
    }
    return false;
}

static bool mentions(const tg_ast *pattern, const char *param) {
    for (int i = 1; i < pattern->n; i++)
        if (pattern->kids[i]->kind == TG_AST_ARG && strcmp(pattern->kids[i]->name, param) == 0)
            return true;
    return false;
}

/* What the pattern does not mention is at its default, as in any call. */
static bool match_defaults(const tg_ast *pattern, const tg_node *n) {
    if (n->op->class == TG_CLASS_ELEMENTWISE) return true;
    for (int i = 0; n->op->param[i].name; i++) {
        const tg_param *p = &n->op->param[i];
        if (tg_param_is_tensor(p->kind) || mentions(pattern, p->name)) continue;
        if (!tg_attr_is_default(n->op, i, n->n ? n->arg[0]->type.rank : 0, n->at)) return false;
    }
    return true;
}

/* The name in a call: max is maximum where it has two operands. */
static bool is_called(const tg_node *n, const char *name) {
    if (strcmp(n->op->name, name) == 0) return true;
    return n->op->class == TG_CLASS_ELEMENTWISE && n->op->shown && strcmp(n->op->shown, name) == 0;
}

static bool match_call(match *m, const tg_ast *pattern, tg_node *n) {
    if (!is_called(n, pattern->kids[0]->name)) return false;
    if (!match_defaults(pattern, n)) return false;
    int arg = 0;
    for (int i = 1; i < pattern->n; i++) {
        const tg_ast *k = pattern->kids[i];
        if (k->kind == TG_AST_ARG) {
            if (!match_attr(m, k, n)) return false;
        } else if (arg >= n->n || !matches(m, k, n->arg[arg++])) {
            return false;
        }
    }
    return arg == n->n;
}

/* x': the last two axes are swapped. */
static bool match_prime(match *m, const tg_ast *pattern, tg_node *n) {
    int rank = n->type.rank;
    if (n->op != m->s->transpose || rank < 2) return false;
    for (int i = 0; i < rank; i++)
        if (n->at->v[i + 1] != (i < rank - 2 ? i : 2 * rank - 3 - i)) return false;
    return matches(m, pattern->kids[0], n->arg[0]);
}

static bool matches(match *m, const tg_ast *pattern, tg_node *n) {
    switch (pattern->kind) {
    case TG_AST_NAME: return bind_node(m, pattern->name, n);
    case TG_AST_NUMBER: return tg_simp_is_uniform(m->s, n, pattern->number);
    default: break;
    }
    if (tg_simp_is_kept(m->s, n)) return false;
    m->named = m->named || (n->label && m->nest > 0);
    m->nest++;
    switch (pattern->kind) {
    case TG_AST_UNARY: return match_minus(m, pattern, n);
    case TG_AST_BINARY: return match_binary(m, pattern, n);
    case TG_AST_CALL: return match_call(m, pattern, n);
    case TG_AST_PRIME: return match_prime(m, pattern, n);
    default: return false;
    }
}

/* ---- what must be certain first ---- */

static bool is_logic(const tg_ast *a, const char *word) {
    return (a->kind == TG_AST_BINARY || a->kind == TG_AST_UNARY) && strcmp(a->op, word) == 0;
}

static tg_node *side(match *m, const tg_ast *a) {
    if (a->kind == TG_AST_NUMBER) return tg_node_number(m->s->rt, a->number);
    const tg_rule_name *b = a->kind == TG_AST_NAME ? bound(m, a->name) : NULL;
    return b ? b->node : NULL;
}

static bool holds(match *m, const tg_ast *when) {
    if (is_logic(when, "and")) return holds(m, when->kids[0]) && holds(m, when->kids[1]);
    bool negative = is_logic(when, "not");
    if (negative) when = when->kids[0];
    if (when->kind == TG_AST_NAME) {
        tg_node *k = side(m, when);
        return k && tg_simp_is_certain(m->s, k, !negative);
    }
    tg_node *a = side(m, when->kids[0]), *b = side(m, when->kids[1]);
    return a && b && tg_simp_certain(m->s, when->op, a, b);
}

/* Is what the rule needs certain? */
static bool given(match *m, const rule *r) {
    if (!r->when) return true;
    const tg_ast *when = tg_rule_parse(m->s->rt, r->when);
    if (!when) return !(m->failed = true);
    uint32_t used = m->s->used;
    if (holds(m, when)) return true;
    m->s->used = used;
    return false;
}

/* What the rule makes of the match. NULL with m->failed: an error; NULL without: the rule does not
 * hold here (a vector's rule, a matrix). */
static tg_node *replace(match *m, const rule *r) {
    if (!given(m, r)) return NULL;
    tg_node *made = tg_rule_build(m->s->rt, r->replacement, m->n, m->name);
    if (made) return made;
    tg_err kind = m->s->rt->c.diag.kind;
    m->failed = kind == TG_ERR_MEMORY || kind == TG_ERR_DEPTH || kind == TG_ERR_INTERRUPT;
    if (!m->failed) tg_clear(&m->s->rt->c);
    return NULL;
}

/* The operation that a call names, where there is but one of that name. */
static const tg_op *head_of(const tg_ast *a) {
    if (a->kind != TG_AST_CALL) return NULL;
    const tg_op *op = tg_op_find(a->kids[0]->name);
    return op && !op->binary ? op : NULL;
}

bool tg_simp_read_pattern(tg_rt *rt, int law, tg_pattern *out) {
    *out = (tg_pattern){0};
    if (!rules[law].pattern) return true;
    const tg_ast *a = tg_rule_parse(rt, rules[law].pattern);
    if (!a) return false;
    out->ast = a;
    out->head = head_of(a);
    if (a->kind != TG_AST_BINARY || rules[law].computed) return true;
    if (strchr("+-*/", a->op[0])) out->kind = a->op[0];
    for (int i = 0; i < 2; i++) out->kid[i] = head_of(a->kids[i]);
    return true;
}

/* Can the pattern fit at all? Most cannot, by their first word. */
static bool begins_like(const tg_pattern *p, const tg_simp *s, const tg_node *n) {
    const tg_ast *a = p->ast;
    if (p->head) return p->head == n->op;
    if (a->kind == TG_AST_CALL) return is_called(n, a->kids[0]->name);
    if (a->kind == TG_AST_BINARY)
        return n->n == 2 && n->op->style == TG_PRINT_INFIX && a->op[0] == n->op->symbol[0];
    if (a->kind == TG_AST_PRIME) return n->op == s->transpose;
    return a->kind != TG_AST_UNARY || n->op == s->neg;
}

/* Can its operands be a and b? */
static bool may_be_of(const tg_pattern *p, const tg_node *a, const tg_node *b) {
    return (!p->kid[0] || p->kid[0] == a->op) && (!p->kid[1] || p->kid[1] == b->op);
}

tg_node *tg_simp_rule(tg_simp *s, tg_node *n, int *law, bool *stable) {
    *law = -1;
    *stable = false;
    if (n->n == 0 || tg_simp_is_kept(s, n)) return n;
    const tg_pattern *p = tg_simp_patterns(s->rt);
    if (!p) return NULL;
    for (int i = 0; i < TG_LAWS; i++) {
        if (!p[i].ast || rules[i].computed || p[i].kind == '+' || p[i].kind == '-' ||
            !begins_like(&p[i], s, n))
            continue;
        match m = {.s = s};
        bool fits = matches(&m, p[i].ast, n);
        tg_node *made = fits ? replace(&m, &rules[i]) : NULL;
        if (m.failed) return NULL;
        if (!made || !tg_simp_fits(&made->type, &n->type)) {
            /* a number in place of a tensor takes its shape */
            made = made && tg_node_is_number(made) ? tg_simp_uniform(s, made, &n->type) : NULL;
            if (!made) continue;
        }
        if (m.named && !rules[i].stable) { /* names stay, unless it gets shorter without them */
            double old = tg_simp_cost(s, n), new = tg_simp_part_cost(s, made);
            if (old < 0 || new < 0) return NULL;
            if (new >= old) continue;
        }
        *law = i;
        *stable = rules[i].stable;
        return made;
    }
    return n;
}

tg_node *tg_simp_stable(tg_simp *s, tg_node *n) {
    const tg_pattern *p = tg_simp_patterns(s->rt);
    if (!p) return NULL;
    for (int i = 0; n->n > 0 && i < TG_LAWS; i++) {
        if (!rules[i].stable || !begins_like(&p[i], s, n)) continue;
        match m = {.s = s};
        tg_node *made = matches(&m, p[i].ast, n) ? replace(&m, &rules[i]) : NULL;
        if (m.failed) return NULL;
        if (made && tg_simp_fits(&made->type, &n->type)) return made;
    }
    return n;
}

/* What one of the laws listed under that operator makes of a and b, or, where `turns`, of b and a.
 * NULL without an error (*failed) when none fits. */
static tg_node *by_laws_of(tg_simp *s, char operator, bool turns, tg_node *a, tg_node *b,
                           bool *failed) {
    const tg_pattern *all = tg_simp_patterns(s->rt);
    if ((*failed = !all)) return NULL;
    for (int i = tg_simp_first_law(s->rt, operator); i >= 0; i = all[i].next) {
        const tg_ast *p = all[i].ast;
        for (int turn = 0; turn < (turns ? 2 : 1); turn++) {
            if (!may_be_of(&all[i], turn ? b : a, turn ? a : b)) continue;
            match m = {.s = s};
            bool fits =
                matches(&m, p->kids[0], turn ? b : a) && matches(&m, p->kids[1], turn ? a : b);
            tg_node *made = fits ? replace(&m, &rules[i]) : NULL;
            if ((*failed = m.failed)) return NULL;
            if (!made) continue;
            if (!(made = tg_simp_again(s, made))) {
                *failed = true;
                return NULL;
            }
            if (!rules[i].stable && !is_shorter(s, a, b, made, failed)) {
                if (*failed) return NULL;
                continue;
            }
            tg_simp_note(s, i);
            s->stable = s->stable || rules[i].stable;
            return made;
        }
    }
    return NULL;
}

tg_node *tg_simp_pair(tg_simp *s, tg_node *a, double sign, tg_node *b, bool *failed) {
    return by_laws_of(s, sign < 0 ? '-' : '+', sign > 0, a, b, failed);
}

tg_node *tg_simp_factors(tg_simp *s, tg_node *a, tg_node *b, bool over, bool *failed) {
    return by_laws_of(s, over ? '/' : '*', !over, a, b, failed);
}
