/* Rules as text. An operation's derivative is a tg expression over its parameters, `out` and `g`;
 * the simplifier's rewrites are pairs of expressions. The text goes through the language's own
 * parser, once, and this file walks the tree and makes nodes.
 *
 * A value on the way is a node or an attribute (axes, a shape, a flag). An attribute that meets
 * arithmetic becomes a number or a size; arithmetic on numbers and sizes is done at once, because a
 * result may have to serve as an attribute again
 * (`narrow(g, axis, start, start + count)`), which a formula cannot. */
#include "runtime/graph/rule.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "grammar/parse.h"
#include "runtime/ops/attrs.h"
#include "runtime/ops/linear.h"
#include "runtime/ops/view.h"

#include <math.h>
#include <string.h>

/* ---- the kept parses: a hash table by text ---- */

typedef struct parsed {
    char *text; /* owned; NULL: an empty place */
    uint32_t hash;
    tg_unit *unit;
} parsed;

struct tg_rules {
    parsed *slot;
    size_t cap, count; /* cap is a power of two, at most half full */
};

bool tg_rules_init(tg_rt *rt) {
    rt->rules = tg_alloc_array(1, sizeof *rt->rules);
    return rt->rules != NULL;
}

void tg_rules_free(tg_rt *rt) {
    struct tg_rules *r = rt->rules;
    if (!r) return;
    for (size_t i = 0; i < r->cap; i++) {
        if (!r->slot[i].text) continue;
        tg_free(r->slot[i].text);
        tg_unit_drop(r->slot[i].unit);
    }
    tg_free(r->slot);
    tg_free(r);
    rt->rules = NULL;
}

static parsed *find(const struct tg_rules *r, const char *text, uint32_t h) {
    for (size_t i = h & (r->cap - 1);; i = (i + 1) & (r->cap - 1)) {
        parsed *p = &r->slot[i];
        if (!p->text || (p->hash == h && strcmp(p->text, text) == 0)) return p;
    }
}

static bool make_room(struct tg_rules *r) {
    if (r->count * 2 < r->cap) return true;
    struct tg_rules bigger = {.cap = r->cap ? r->cap * 2 : 64};
    bigger.slot = tg_alloc_array(bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot) return false;
    for (size_t i = 0; i < r->cap; i++)
        if (r->slot[i].text) *find(&bigger, r->slot[i].text, r->slot[i].hash) = r->slot[i];
    bigger.count = r->count;
    tg_free(r->slot);
    *r = bigger;
    return true;
}

const tg_ast *tg_rule_parse(tg_rt *rt, const char *text) {
    struct tg_rules *r = rt->rules;
    uint32_t h = (uint32_t)tg_hash_text(text);
    parsed *p = r->cap ? find(r, text, h) : NULL;
    if (p && p->text) return p->unit->statements[0];
    size_t len = strlen(text);
    parsed made = {.text = tg_alloc(len + 1), .hash = h};
    tg_source *src = tg_source_new("<rule>", text, len);
    if (!made.text || !src || !make_room(r)) {
        tg_free(made.text);
        if (src) tg_source_drop(src);
        tg_fail_memory(&rt->c);
        return NULL;
    }
    memcpy(made.text, text, len + 1);
    tg_parse_status status = tg_parse_expression(&rt->c, src, &made.unit);
    tg_source_drop(src); /* the unit holds it */
    if (status != TG_PARSE_OK) {
        tg_free(made.text);
        tg_note(&rt->c, "in the rule  %s", text);
        return NULL;
    }
    *find(r, text, h) = made;
    r->count++;
    return made.unit->statements[0];
}

/* ---- building ---- */

typedef struct value {
    tg_node *node; /* NULL: an attribute, or none */
    bool none;     /* the word `none` */
    tg_param_kind kind;
    uint64_t sizes; /* bit i: v[i] is a size */
    int n;
    int64_t v[TG_MAX_ATTRS];
} value;

typedef struct builder {
    tg_rt *rt;
    int n;
    const tg_rule_name *names;
    tg_arena arena; /* argument lists */
} builder;

static bool build(builder *b, const tg_ast *a, value *out);

static bool fault(builder *b, const char *what, const char *name) {
    return tg_fail(&b->rt->c, TG_ERR_NAME, "a rule uses %s %s", what, name);
}

static bool give(value *out, tg_node *n) {
    *out = (value){.node = n};
    return n != NULL;
}

/* A formula is wanted: an attribute of one value becomes a number or a size. */
static tg_node *as_node(builder *b, const value *v) {
    if (v->node) return v->node;
    if (v->none || v->n != 1) {
        tg_fail(&b->rt->c, TG_ERR_TYPE, "a rule uses a list as a number");
        return NULL;
    }
    if ((v->sizes & 1) && v->v[0] != TG_SIZE_NONE) return tg_node_size(b->rt, v->v[0]);
    if (v->kind == TG_P_REAL) {
        double x;
        memcpy(&x, &v->v[0], sizeof x);
        return tg_node_number(b->rt, x);
    }
    return tg_node_number(b->rt, (double)v->v[0]);
}

static bool find_name(builder *b, const char *name, value *out) {
    for (int i = 0; i < b->n; i++) {
        const tg_rule_name *r = &b->names[i];
        if (strcmp(r->name, name) != 0) continue;
        *out = (value){.node = r->node, .kind = r->kind, .sizes = r->sizes, .n = r->n};
        if (!r->node) memcpy(out->v, r->v, (size_t)r->n * sizeof *r->v);
        return true;
    }
    if (strcmp(name, "pi") == 0) return give(out, tg_node_number(b->rt, 3.141592653589793));
    if (strcmp(name, "e") == 0) return give(out, tg_node_number(b->rt, 2.718281828459045));
    return fault(b, "the unknown name", name);
}

/* ---- operators ---- */

const tg_op *tg_rule_operator(const tg_ast *a, int rank_a, int rank_b) {
    static const char *const names[][2] = {
        {"+", "add"}, {"-", "sub"}, {"*", "mul"},   {"/", "div"}, {"%", "mod"},
        {"^", "pow"}, {"==", "eq"}, {"!=", "ne"},   {"<", "lt"},  {"<=", "le"},
        {">", "gt"},  {">=", "ge"}, {"and", "and"}, {"or", "or"},
    };
    if (a->kind == TG_AST_UNARY) return tg_op_find(a->op[0] == '-' ? "neg" : "not");
    if (strcmp(a->op, "@") == 0) return tg_op_matmul_for(rank_a, rank_b);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(a->op, names[i][0]) == 0) return tg_op_find(names[i][1]);
    return NULL;
}

static bool fold_numbers(const char *op, double x, double y, double *z) {
    switch (op[0]) {
    case '+': *z = x + y; return true;
    case '-': *z = x - y; return true;
    case '*': *z = x * y; return true;
    case '/': *z = x / y; return true;
    case '^': *z = pow(x, y); return true;
    case '=': *z = x == y; return true;
    case '!': *z = x != y; return true;
    case '<': *z = op[1] ? x <= y : x < y; return true;
    case '>': *z = op[1] ? x >= y : x > y; return true;
    case 'a': *z = x != 0 && y != 0; return true;
    case 'o': *z = x != 0 || y != 0; return true;
    default: return false;
    }
}

/* A known or symbolic size: TG_SIZE_FAIL when the node is neither. */
static tg_size size_of(const tg_node *n) {
    if (n->op == &tg_op_size) return n->leaf.size;
    if (!tg_node_is_number(n)) return TG_SIZE_FAIL;
    double x = n->leaf.number;
    return x >= 0 && x <= 9e15 && x == floor(x) ? (tg_size)x : TG_SIZE_FAIL;
}

/* Sums, differences and products of sizes stay sizes. *made is NULL when they cannot. */
static bool fold_sizes(builder *b, const char *op, const tg_node *x, const tg_node *y,
                       tg_node **made) {
    *made = NULL;
    tg_size p = size_of(x), q = size_of(y), r;
    if (p == TG_SIZE_FAIL || q == TG_SIZE_FAIL) return true;
    switch (op[0]) {
    case '+': r = tg_size_add(b->rt, p, q); break;
    case '-': r = tg_size_sub(b->rt, p, q); break;
    case '*': r = tg_size_times(b->rt, p, q); break;
    default: return true;
    }
    if (r == TG_SIZE_FAIL) return false;
    *made = tg_node_size(b->rt, r);
    return *made != NULL;
}

static bool build_binary(builder *b, const tg_ast *a, value *out) {
    value l, r;
    if (!build(b, a->kids[0], &l) || !build(b, a->kids[1], &r)) return false;
    tg_node *arg[2] = {as_node(b, &l), NULL};
    if (!arg[0] || !(arg[1] = as_node(b, &r))) return false;
    if (tg_node_is_number(arg[0]) && tg_node_is_number(arg[1])) {
        double z;
        if (fold_numbers(a->op, arg[0]->leaf.number, arg[1]->leaf.number, &z))
            return give(out, tg_node_number(b->rt, z));
    } else {
        tg_node *made;
        if (!fold_sizes(b, a->op, arg[0], arg[1], &made)) return false;
        if (made) return give(out, made);
    }
    const tg_op *op = tg_rule_operator(a, arg[0]->type.rank, arg[1]->type.rank);
    if (!op) return fault(b, "the operator", a->op);
    static const tg_attrs none;
    return give(out, tg_node_make(b->rt, op, 2, arg, &none));
}

static bool build_unary(builder *b, const tg_ast *a, value *out) {
    value v;
    if (!build(b, a->kids[0], &v)) return false;
    tg_node *x = as_node(b, &v);
    if (!x) return false;
    bool neg = a->op[0] == '-';
    if (tg_node_is_number(x))
        return give(out, tg_node_number(b->rt, neg ? -x->leaf.number : (x->leaf.number == 0)));
    return give(out, tg_node_call1(b->rt, neg ? "neg" : "not", x));
}

static bool build_prime(builder *b, const tg_ast *a, value *out) {
    value v;
    if (!build(b, a->kids[0], &v)) return false;
    tg_node *x = as_node(b, &v);
    if (!x) return false;
    return give(out, x->type.rank <= 1 ? x : tg_node_call1(b->rt, "transpose", x));
}

/* ---- calls ---- */

static bool build_size(builder *b, const tg_node *x, const value *axis, value *out) {
    tg_size s = 1;
    int64_t mask = (1 << x->type.rank) - 1;
    if (axis && axis->node) {
        bool back = tg_node_is_number(axis->node) && axis->node->leaf.number < 0;
        tg_size i = back ? x->type.rank + (tg_size)axis->node->leaf.number : size_of(axis->node);
        if (i < 0 || i >= x->type.rank)
            return tg_fail(&b->rt->c, TG_ERR_VALUE, "a rule names an axis that is not there");
        mask = INT64_C(1) << i;
    } else if (axis && !axis->none && axis->n == 1) {
        mask = axis->kind == TG_P_AXES ? axis->v[0] : INT64_C(1) << axis->v[0];
    }
    for (int i = 0; i < x->type.rank; i++) {
        if (mask >> i & 1) s = tg_size_times(b->rt, s, x->type.dim[i]);
        if (s == TG_SIZE_FAIL) return false;
    }
    return give(out, tg_node_size(b->rt, s));
}

/* shape, size, rank, live. *done is false for other names. */
static bool build_query(builder *b, const tg_ast *a, value *out, bool *done) {
    const char *f = a->kids[0]->name;
    bool shape = strcmp(f, "shape") == 0, size = strcmp(f, "size") == 0,
         rank = strcmp(f, "rank") == 0;
    *done = shape || size || rank || strcmp(f, "live") == 0;
    if (!*done) return true;
    value x, axis;
    if (a->n < 2 || a->n > (size ? 3 : 2)) return fault(b, "the wrong number of arguments for", f);
    if (!build(b, a->kids[1], &x)) return false;
    tg_node *node = as_node(b, &x);
    if (!node) return false;
    if (shape) {
        *out = (value){.kind = TG_P_SHAPE, .sizes = ~UINT64_C(0), .n = node->type.rank};
        memcpy(out->v, node->type.dim, (size_t)node->type.rank * sizeof *out->v);
        return true;
    }
    if (rank) return give(out, tg_node_number(b->rt, node->type.rank));
    if (!size) return give(out, tg_node_number(b->rt, node->live));
    if (a->n == 2) return build_size(b, node, NULL, out);
    const tg_ast *k = a->kids[2];
    return build(b, k->kind == TG_AST_ARG ? k->kids[0] : k, &axis) &&
           build_size(b, node, &axis, out);
}

typedef struct operands {
    tg_node **node;
    int n, cap;
} operands;

static int rank_of(void *user, int operand) {
    return ((operands *)user)->node[operand]->type.rank;
}

static bool add_operand(builder *b, operands *o, tg_node *n) {
    if (o->n == o->cap) {
        int cap = o->cap ? 2 * o->cap : 8;
        tg_node **p = tg_arena_alloc(&b->arena, (size_t)cap * sizeof *p);
        if (!p) return tg_fail_memory(&b->rt->c);
        if (o->n) memcpy(p, o->node, (size_t)o->n * sizeof *p);
        o->node = p;
        o->cap = cap;
    }
    o->node[o->n++] = n;
    return true;
}

static bool arg_of_node(builder *b, operands *o, tg_node *n, tg_arg *out) {
    out->operand = o->n;
    out->kind = TG_ARG_TENSOR;
    if (tg_node_is_number(n)) {
        out->kind = TG_ARG_NUMBER;
        out->number = n->leaf.number;
    } else if (n->op == &tg_op_size) {
        out->kind = TG_ARG_SIZE;
        out->size = n->leaf.size;
    }
    return add_operand(b, o, n);
}

static tg_arg *make_items(builder *b, tg_arg *out, int n) {
    tg_arg *items = tg_arena_alloc(&b->arena, (size_t)(n ? n : 1) * sizeof *items);
    if (!items) tg_fail_memory(&b->rt->c);
    out->n = n;
    out->items = items;
    return items;
}

/* One encoded attribute value, given back to tg_op_bind as a caller would spell it. */
static bool arg_of_number(builder *b, operands *o, int64_t v, bool size, tg_arg *out) {
    tg_node *n;
    if (size && v != TG_SIZE_NONE && v != TG_SIZE_INFER)
        n = tg_node_size(b->rt, v);
    else
        n = tg_node_number(b->rt, v == TG_SIZE_INFER ? -1 : (double)v);
    return n && arg_of_node(b, o, n, out);
}

static bool arg_of_attr(builder *b, operands *o, const value *v, tg_arg *out) {
    if (v->none || (v->kind == TG_P_SIZE && v->v[0] == TG_SIZE_NONE)) {
        out->kind = TG_ARG_NONE;
        return true;
    }
    if (v->kind == TG_P_FLAG) {
        tg_node *n = tg_node_number(b->rt, (double)v->v[0]);
        if (!n || !arg_of_node(b, o, n, out)) return false;
        out->kind = TG_ARG_BOOL;
        return true;
    }
    if (v->kind == TG_P_AXES) {
        int n = 0;
        out->kind = TG_ARG_TUPLE;
        tg_arg *items = make_items(b, out, TG_MAX_RANK);
        if (!items) return false;
        for (int i = 0; i < TG_MAX_RANK; i++)
            if ((v->v[0] >> i & 1) && !arg_of_number(b, o, i, false, &items[n++])) return false;
        out->n = n;
        return true;
    }
    if (v->kind == TG_P_SHAPE || v->kind == TG_P_PERM || v->kind == TG_P_SPEC) {
        out->kind = TG_ARG_TUPLE;
        tg_arg *items = make_items(b, out, v->n);
        if (!items) return false;
        for (int i = 0; i < v->n; i++)
            if (!arg_of_number(b, o, v->v[i], v->sizes >> i & 1, &items[i])) return false;
        return true;
    }
    tg_node *n = as_node(b, v);
    return n && arg_of_node(b, o, n, out);
}

static bool build_arg(builder *b, operands *o, const tg_ast *a, tg_arg *out) {
    if (a->kind == TG_AST_ARG) {
        out->name = a->name;
        return build_arg(b, o, a->kids[0], out);
    }
    if (a->kind == TG_AST_BRACKET || a->kind == TG_AST_TUPLE) {
        out->kind = a->kind == TG_AST_TUPLE ? TG_ARG_TUPLE : TG_ARG_LIST;
        tg_arg *items = make_items(b, out, a->n);
        if (!items) return false;
        for (int i = 0; i < a->n; i++)
            if (!build_arg(b, o, a->kids[i], &items[i])) return false;
        return true;
    }
    value v;
    if (!build(b, a, &v)) return false;
    if (!v.node) return arg_of_attr(b, o, &v, out);
    if (!arg_of_node(b, o, v.node, out)) return false;
    if (a->kind == TG_AST_BOOL) out->kind = TG_ARG_BOOL;
    return true;
}

/* where(1, a, b) is a: rules choose by rank, size or live. *done: it was so. */
static bool build_choice(builder *b, const tg_ast *a, value *out, bool *done) {
    *done = false;
    if (strcmp(a->kids[0]->name, "where") != 0 || a->n != 4) return true;
    value c;
    if (!build(b, a->kids[1], &c)) return false;
    tg_node *n = as_node(b, &c);
    if (!n) return false;
    if (!tg_node_is_number(n)) return true;
    *done = true;
    return build(b, a->kids[n->leaf.number != 0 ? 2 : 3], out);
}

static bool build_call(builder *b, const tg_ast *a, value *out) {
    if (a->kids[0]->kind != TG_AST_NAME) return fault(b, "a call of", "something without a name");
    bool done;
    if (!build_query(b, a, out, &done)) return false;
    if (done) return true;
    if (!build_choice(b, a, out, &done)) return false;
    if (done) return true;
    const tg_op *op = tg_op_find(a->kids[0]->name);
    if (!op) return fault(b, "the unknown operation", a->kids[0]->name);
    operands o = {0};
    tg_arg list, *args = make_items(b, &list, a->n - 1);
    if (!args) return false;
    for (int i = 1; i < a->n; i++)
        if (!build_arg(b, &o, a->kids[i], &args[i - 1])) return false;
    tg_bound bound;
    if (!tg_op_bind(b->rt, op, a->n - 1, args, rank_of, &o, &bound)) return false;
    tg_node **in = tg_arena_alloc(&b->arena, (size_t)(bound.n ? bound.n : 1) * sizeof *in);
    if (!in) {
        tg_bound_free(&bound);
        return tg_fail_memory(&b->rt->c);
    }
    for (int i = 0; i < bound.n; i++) in[i] = o.node[bound.operand[i]];
    bool ok = give(out, tg_node_make(b->rt, bound.op, bound.n, in, &bound.at));
    tg_bound_free(&bound);
    return ok;
}

/* ---- x[2:5, -1, ...] ---- */

static bool build_bound(builder *b, const tg_ast *a, tg_slice_bound *out) {
    if (!a) return true;
    bool back = a->kind == TG_AST_UNARY && a->op[0] == '-';
    value v;
    if (!build(b, back ? a->kids[0] : a, &v)) return false;
    tg_node *n = as_node(b, &v);
    if (!n) return false;
    *out = (tg_slice_bound){.given = true, .from_end = back, .value = size_of(n)};
    return out->value != TG_SIZE_FAIL || fault(b, "an index that is no size in", "[]");
}

static bool build_item(builder *b, const tg_ast *a, tg_slice_item *out) {
    *out = (tg_slice_item){.step = 1};
    if (a->kind == TG_AST_REST) return out->kind = TG_SLICE_REST, true;
    if (a->kind == TG_AST_NONE) return out->kind = TG_SLICE_NEWAXIS, true;
    if (a->kind != TG_AST_SLICE) return build_bound(b, a, &out->start);
    out->kind = TG_SLICE_RANGE;
    tg_slice_bound step = {0};
    if (!build_bound(b, a->kids[0], &out->start) || !build_bound(b, a->kids[1], &out->stop) ||
        !build_bound(b, a->kids[2], &step))
        return false;
    if (step.given) out->step = step.from_end ? -step.value : step.value;
    return true;
}

static bool build_index(builder *b, const tg_ast *a, value *out) {
    value x;
    if (!build(b, a->kids[0], &x)) return false;
    tg_node *base = as_node(b, &x);
    tg_slice_item *items = tg_arena_alloc(&b->arena, (size_t)a->n * sizeof *items);
    if (!items) return tg_fail_memory(&b->rt->c);
    for (int i = 1; base && i < a->n; i++)
        if (!build_item(b, a->kids[i], &items[i - 1])) return false;
    tg_attrs at = {0};
    return base && tg_slice_attrs(b->rt, &base->type, a->n - 1, items, &at) &&
           give(out, tg_node_make(b->rt, tg_op_slice(), 1, &base, &at));
}

static bool build(builder *b, const tg_ast *a, value *out) {
    if (!tg_guard(&b->rt->c)) return false;
    switch (a->kind) {
    case TG_AST_NUMBER:
    case TG_AST_BOOL: return give(out, tg_node_number(b->rt, a->number));
    case TG_AST_NONE: *out = (value){.none = true}; return true;
    case TG_AST_NAME: return find_name(b, a->name, out);
    case TG_AST_UNARY: return build_unary(b, a, out);
    case TG_AST_BINARY: return build_binary(b, a, out);
    case TG_AST_PRIME: return build_prime(b, a, out);
    case TG_AST_CALL: return build_call(b, a, out);
    case TG_AST_INDEX: return build_index(b, a, out);
    default:
        return tg_fail(&b->rt->c, TG_ERR_SYNTAX,
                       "a rule is an expression of names, numbers, operators, calls and indices");
    }
}

tg_node *tg_rule_build(tg_rt *rt, const char *text, int n, const tg_rule_name *names) {
    const tg_ast *a = tg_rule_parse(rt, text);
    if (!a) return NULL;
    builder b = {.rt = rt, .n = n, .names = names};
    value v;
    tg_node *made = build(&b, a, &v) ? as_node(&b, &v) : NULL;
    tg_arena_free(&b.arena);
    if (!made && rt->c.diag.kind != TG_ERR_MEMORY && rt->c.diag.kind != TG_ERR_DEPTH)
        tg_note(&rt->c, "in the rule  %s", text);
    return made;
}

void tg_rule_attr(const tg_op *op, const tg_attrs *at, int i, tg_rule_name *out) {
    int n, v = tg_op_values(op, at, i, &n);
    *out = (tg_rule_name){.name = op->param[i].name, .kind = op->param[i].kind, .n = n};
    memcpy(out->v, at->v + v, (size_t)n * sizeof *out->v);
    out->sizes = n > 0 ? at->sizes >> v : 0;
}
