/* Formulas as text.
 *
 * Brackets are set by precedence only where the text would otherwise parse to another formula: + -
 * * / % @ group from the left, ^ from the right, comparisons not at all. A right operand that would
 * begin with a minus sign gets brackets too: a - (-b).
 *
 * A formula is a graph; written out as a tree it can be exponentially longer, and a long sum leans
 * to the left as deep as it is long. A text is first tried as it is. When it becomes too long, a
 * plan (print_plan.c) tells the length of each part without writing it: parts that occur several
 * times get names, and what is still too long is left out where it is longest, so that the outline
 * of the whole remains. Recursion is bounded by the depth, and the cost by what is printed. */
#include "runtime/graph/print_plan.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/number.h"
#include "runtime/graph/ruled.h"
#include "base/alloc.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LIMIT = 2000,
    DEPTH = 500,       /* operations around one that is printed */
    DEEPEST = 5000,    /* ... of a text with a higher limit */
    TOLERANCE = 10,    /* columns that a line may be wider than asked before it is broken */
    LEAST = 30,        /* characters that are worth beginning a part for */
    COUNTED = 2000000, /* nodes that are looked at to count what is left out */
    PART_LEAST = 300   /* characters that each named part may have in any case */
};

/* Precedences, as in op.h; POSTFIX and ATOM bind closer than any operator. */
enum {
    COMPARE = 4,
    ADDITIVE = 5,
    PRODUCT = 6,
    NEGATION = 7,
    POWER = 8,
    POSTFIX = 9,
    ATOM = 10,
    ALWAYS = 11
};

typedef struct printer {
    tg_rt *rt;
    tg_str *s;
    const tg_node *root;
    const tg_print_plan *plan; /* NULL: lengths are not known, and nothing has a chosen name */
    const tg_print_options *o;
    bool unfold;
    int depth;       /* the most */
    int raw;         /* how many raw(...) are around */
    size_t end;      /* the length at which to stop */
    bool cut;        /* something was left out */
    bool stopped;    /* nothing more is printed */
    uint64_t walk;   /* stamps what was printed */
    bool redrawn;    /* a draw was printed twice, which reads as two draws */
    size_t counting; /* nodes that may still be looked at to count */
} printer;

/* ---- how a node prints ---- */

static bool is_leaf(const tg_node *n) {
    return n->op->class == TG_CLASS_LEAF;
}

/* The name that stands for n, or NULL when it is written out. Inside raw the name of a gradient
 * would stand for what the gradient was (tg_grad_raw). */
static const char *name_of(const printer *p, const tg_node *n) {
    if (n->op == &tg_op_cell) return n->leaf.cell->name;
    if (n->op == &tg_op_const) return n->label;
    if (is_leaf(n) || n == p->root) return NULL;
    const tg_print_part *part = p->plan ? tg_print_plan_find(p->plan, n) : NULL;
    if (part && part->name[0]) return part->name;
    if (part && part->outside) return part->outside;
    if (!n->label || p->unfold || tg_print_is_open(p->root, n) || (p->raw && n->origin))
        return NULL;
    return part && !part->label ? NULL : n->label;
}

/* The tensor that a leaf prints as, or NULL. */
static const tg_view *value_of(const tg_node *n) {
    if (n->op == &tg_op_const) return &n->leaf.tensor->v;
    if (n->op != &tg_op_cell || n->leaf.cell->kind != TG_CELL_LIFT || !n->leaf.cell->value)
        return NULL;
    return &n->leaf.cell->value->v;
}

/* A size prints as a sum, a product, a power or one word. */
static int size_precedence(tg_rt *rt, tg_size size) {
    tg_str s = {0};
    tg_size_print(rt, &s, size);
    int prec = ATOM, open = 0;
    for (const char *t = tg_str_text(&s); *t; t++) {
        open += (*t == '(') - (*t == ')');
        int here = open        ? ATOM
                   : *t == ' ' ? ADDITIVE
                   : *t == '*' ? PRODUCT
                   : *t == '-' ? NEGATION
                   : *t == '^' ? POWER
                               : ATOM;
        if (here < prec) prec = here;
    }
    tg_str_free(&s);
    return prec;
}

static const tg_node *seen_through(const printer *p, const tg_node *n) {
    return tg_print_seen(n, p->unfold ? TG_UNFOLD_ALL : 0);
}

/* For a reader, who need not have the same operation again, a part that narrow takes is x[:, 2:4].
 */
static bool is_window(const printer *p, const tg_node *n) {
    if (p->o->width <= 0 || !tg_node_is(n, "narrow")) return false;
    const int64_t *v = n->at->v;
    return tg_size_known(v[1]) && tg_size_known(v[2]) && v[2] != n->arg[0]->type.dim[v[0]];
}

static int precedence(const printer *p, const tg_node *n) {
    n = seen_through(p, n);
    if (name_of(p, n)) return ATOM;
    if (n->op == &tg_op_number)
        return signbit(n->leaf.number) && !isnan(n->leaf.number) ? NEGATION : ATOM;
    if (n->op == &tg_op_size) return size_precedence(p->rt, n->leaf.size);
    const tg_view *v = value_of(n);
    if (v) return v->rank == 0 && signbit(tg_view_get(v, 0)) ? NEGATION : ATOM;
    if (is_window(p, n)) return POSTFIX;
    switch (n->op->style) {
    case TG_PRINT_INFIX:
    case TG_PRINT_PREFIX: return is_leaf(n) ? ATOM : n->op->precedence;
    case TG_PRINT_PRIME: return tg_node_is_prime(n) ? POSTFIX : ATOM;
    case TG_PRINT_INDEX: return POSTFIX;
    default: return ATOM;
    }
}

static bool is_power(const tg_op *op) {
    return op->precedence == POWER;
}

static int left_min(const tg_op *op) {
    return is_power(op) ? POSTFIX : op->precedence == COMPARE ? COMPARE + 1 : op->precedence;
}

/* Does the text of n, where at least `min` is wanted, begin with a minus sign? */
static bool begins_with_minus(const printer *p, const tg_node *n, int min) {
    for (int i = 0; i < DEPTH; i++) {
        n = seen_through(p, n);
        int prec = precedence(p, n);
        if (prec < min || prec == ATOM) return false;
        if (is_leaf(n)) return prec == NEGATION;
        if (n->op->style == TG_PRINT_PREFIX) return prec == NEGATION;
        min = n->op->style == TG_PRINT_INFIX ? left_min(n->op) : POSTFIX;
        n = n->arg[0];
    }
    return false;
}

/* ---- the text ---- */

static void put(printer *p, const char *text) {
    if (!p->stopped) tg_str_add(p->s, text);
}

/* Where a node is printed: how deep, and how many characters it may take. */
typedef struct place {
    int depth;
    double room;
} place;

static void print_node(printer *p, const tg_node *n, int min, place at);

static double length_of(const printer *p, const tg_node *n) {
    n = seen_through(p, n);
    const tg_print_part *part = p->plan ? tg_print_plan_find(p->plan, n) : NULL;
    return !part ? 0 : part->name[0] && n != p->root ? 2 : part->len;
}

/* The place of argument i of n, which is at `at`. What is short gets all that it needs, and the
 * others share the rest. */
static place place_of(const printer *p, const tg_node *n, int i, place at) {
    place in = {at.depth + 1, at.room};
    double all = length_of(p, n);
    if (!p->plan || all <= at.room) return in;
    int shown;
    tg_node *const *args = tg_node_shown_arguments(n, &shown);
    double rest = at.room - 8, most = rest / shown;
    if (shown <= TG_MAX_TENSORS) {
        for (int round = 0; round < shown; round++) {
            double left = rest;
            int large = 0;
            for (int k = 0; k < shown; k++) {
                double len = length_of(p, args[k]);
                if (len > most)
                    large++;
                else
                    left -= len;
            }
            if (large) most = left / large;
        }
    }
    double len = length_of(p, args[i]);
    in.room = len < most ? len : most;
    return in;
}

static void print_cell(printer *p, const tg_cell *c) {
    if (c->kind == TG_CELL_INPUT) {
        put(p, "input");
        return;
    }
    if (c->kind == TG_CELL_VAR) put(p, "var(");
    if (c->value) {
        tg_print_tensor(p->rt, p->s, &c->value->v);
    } else {
        put(p, "<");
        tg_shape_print(p->rt, p->s, c->type.rank, c->type.dim);
        put(p, ">");
    }
    if (c->kind == TG_CELL_VAR) put(p, ")");
}

/* A number of a formula; pi keeps its name. */
static void print_plain(tg_str *s, double x) {
    static const double pi = 3.14159265358979323846;
    if (x == pi || x == -pi)
        tg_str_add(s, x < 0 ? "-pi" : "pi");
    else
        tg_number_print(s, x);
}

static void print_leaf(printer *p, const tg_node *n) {
    if (n->op == &tg_op_number)
        print_plain(p->s, n->leaf.number);
    else if (n->op == &tg_op_size)
        tg_size_print(p->rt, p->s, n->leaf.size);
    else if (n->op == &tg_op_const)
        tg_print_tensor(p->rt, p->s, &n->leaf.tensor->v);
    else
        print_cell(p, n->leaf.cell);
}

static void print_call(printer *p, const tg_node *n, place at) {
    tg_attrs spelt;
    const tg_op *shorter = n->op->spell ? n->op->spell(p->rt, n->at, &spelt) : NULL;
    const tg_op *op = shorter ? shorter : n->op;
    bool list = op->param[0].kind == TG_P_LIST;
    if (tg_print_is_fresh(n)) put(p, "fresh(");
    put(p, op->shown ? op->shown : op->name);
    put(p, list ? "([" : "(");
    for (int i = 0; i < n->n && !p->stopped; i++) {
        if (i > 0) put(p, ", ");
        print_node(p, n->arg[i], 0, place_of(p, n, i, at));
    }
    if (list) put(p, "]");
    if (!p->stopped)
        tg_op_print_attrs(p->rt, p->s, op, n->n > 0 ? n->arg[0]->type.rank : 0,
                          shorter ? &spelt : n->at, n->n == 0);
    put(p, tg_print_is_fresh(n) ? "))" : ")");
}

static void print_infix(printer *p, const tg_node *n, place at) {
    const tg_op *op = n->op;
    int min = is_power(op) ? POWER : op->precedence + 1;
    bool arithmetic = op->precedence == ADDITIVE || op->precedence == PRODUCT;
    if (arithmetic && begins_with_minus(p, n->arg[1], min)) min = ALWAYS;
    /* (x @ A @ x) * x: not all readers have @ and * on one level */
    const tg_node *left = seen_through(p, n->arg[0]);
    bool product = op->symbol[0] == '*' && left->op->style == TG_PRINT_INFIX &&
                   left->op->symbol[0] == '@' && !name_of(p, left);
    print_node(p, n->arg[0], product ? ALWAYS : left_min(op), place_of(p, n, 0, at));
    if (!is_power(op)) put(p, " ");
    put(p, op->symbol);
    if (!is_power(op)) put(p, " ");
    double top, under;
    if (is_power(op) && n->arg[1]->op == &tg_op_number && !p->stopped &&
        tg_number_fraction(n->arg[1]->leaf.number, &top, &under)) {
        tg_str_addf(p->s, "(%g/%g)", top, under); /* x^(1/3) */
        return;
    }
    print_node(p, n->arg[1], min, place_of(p, n, 1, at));
}

static void print_prefix(printer *p, const tg_node *n, place at) {
    const tg_op *op = n->op;
    bool word = isalpha((unsigned char)op->symbol[0]) != 0;
    int min = word ? op->precedence : op->precedence + 1;
    put(p, op->symbol);
    if (word) put(p, " ");
    print_node(p, n->arg[0], min, place_of(p, n, 0, at));
}

/* f(x, 2): the text of the call, \1 standing for the parts in turn. */
static void print_ruled(printer *p, const tg_node *n, place at) {
    int part = 0, parts;
    tg_node *const *args = tg_node_shown_arguments(n, &parts);
    for (const char *t = tg_ruled_of(n).text; *t && !p->stopped; t++) {
        if (*t == 1) {
            print_node(p, args[part], 0, place_of(p, n, part, at));
            part++;
        } else {
            tg_str_addc(p->s, *t);
        }
    }
}

/* (a, b), or a where there is one. */
static void print_row(printer *p, int n, tg_node *const *nodes, place at) {
    if (n != 1) put(p, "(");
    for (int i = 0; i < n && !p->stopped; i++) {
        if (i > 0) put(p, ", ");
        print_node(p, nodes[i], 0, at);
    }
    if (n != 1) put(p, ")");
}

/* { Z = x + h @ W; (tanh(Z), Z) }: the parts of the body that occur several times, before what it
 * gives. False: there are none. */
static bool print_parts(printer *p, const tg_print_plan *plan, place at) {
    const tg_node *whole = p->root;
    if (plan->names == 0) return false;
    put(p, "{ ");
    for (size_t i = 0; i < plan->n; i++) {
        const tg_print_part *part = &plan->part[i];
        if (!part->name[0]) continue;
        put(p, part->name);
        put(p, " = ");
        p->root = part->node;
        print_node(p, part->node, 0, at);
        put(p, "; ");
    }
    p->root = whole;
    return true;
}

/* What a turn gives, `n` nodes: the state and, if there is one, the out. */
static void print_body(printer *p, const tg_loop *l, int n, const tg_loop_text *t, place at) {
    const tg_print_plan *around = p->plan;
    tg_print_plan plan = {0};
    bool named = around && p->o->width > 0;
    if (named && (!tg_print_plan_body(p->rt, n, t->next, around, &plan) ||
                  !tg_print_plan_name(p->rt, &plan, p->o)))
        p->s->failed = true;
    if (named && plan.n > 0) p->plan = &plan;
    named = named && print_parts(p, &plan, at);
    put(p, "(");
    print_row(p, l->carries, t->next, at);
    put(p, ", ");
    if (n > l->carries)
        print_node(p, t->next[l->carries], 0, at);
    else
        put(p, "none");
    put(p, named ? ") }" : ")");
    p->plan = around;
    tg_print_plan_free(&plan);
}

/* scan((h, x) -> (tanh(h @ W + x), h), h0, X)[1]: the function, what it begins with, what it walks
 * over, and which of the results this is. */
static void print_item(printer *p, const tg_node *n, place at) {
    const tg_node *bundle = n->arg[0];
    const tg_loop *l = tg_loop_of(bundle);
    const tg_node *formula = tg_item_formula(n);
    const place in = {at.depth + 1, at.room};
    tg_loop_text t;
    if (!tg_loop_text_open(p->rt, n, &t)) {
        p->s->failed = true;
        return;
    }
    if (!p->stopped) tg_str_addf(p->s, "scan((%s, %s) -> ", t.state, t.row);
    print_body(p, l, l->carries + (formula != NULL), &t, in);
    put(p, ", ");
    print_row(p, l->carries, bundle->arg, in);
    if (l->xs) {
        put(p, ", ");
        print_row(p, l->xs, bundle->arg + l->carries, in);
    } else if (!p->stopped) {
        put(p, ", length=");
        tg_size_print(p->rt, p->s, tg_loop_turns(bundle));
    }
    if (l->reverse) put(p, ", reverse=true");
    put(p, formula ? ")[1]" : ")[0]");
    if (!formula && l->carries > 1 && !p->stopped) tg_str_addf(p->s, "[%d]", tg_item_carry(n));
    tg_loop_text_close(p->rt, &t);
}

/* x[:, 2:4], or x[:, 2:] up to the end. */
static void print_window(printer *p, const tg_node *n, place at) {
    const int64_t *v = n->at->v, total = n->arg[0]->type.dim[v[0]];
    print_node(p, n->arg[0], POSTFIX, place_of(p, n, 0, at));
    if (p->stopped) return;
    tg_str_add(p->s, "[");
    for (int64_t i = 0; i < v[0]; i++) tg_str_add(p->s, ":, ");
    if (v[1] > 0) tg_str_addf(p->s, "%lld", (long long)v[1]);
    tg_str_add(p->s, ":");
    if (v[1] + v[2] != total) tg_str_addf(p->s, "%lld", (long long)(v[1] + v[2]));
    tg_str_add(p->s, "]");
}

static void print_operation(printer *p, const tg_node *n, place at) {
    if (is_window(p, n)) {
        print_window(p, n, at);
        return;
    }
    if (tg_node_is_item(n)) {
        print_item(p, n, at);
        return;
    }
    if (tg_node_is_ruled(n)) {
        print_ruled(p, n, at);
        return;
    }
    switch (n->op->style) {
    case TG_PRINT_INFIX: print_infix(p, n, at); return;
    case TG_PRINT_PREFIX: print_prefix(p, n, at); return;
    case TG_PRINT_PRIME:
        if (!tg_node_is_prime(n)) break;
        print_node(p, n->arg[0], POSTFIX, place_of(p, n, 0, at));
        put(p, "'");
        return;
    case TG_PRINT_INDEX:
        print_node(p, n->arg[0], POSTFIX, place_of(p, n, 0, at));
        if (!p->stopped && !n->op->print(p->rt, p->s, n->at, n->arg[0]->type.rank))
            p->s->failed = true;
        return;
    default: break;
    }
    print_call(p, n, at);
}

/* How many operations are written out under n, shared ones once; 0: there are too many to count. */
static size_t count_under(printer *p, const tg_node *n) {
    uint64_t walk = tg_graph_walk(p->rt);
    void *items = NULL;
    size_t found = 0, cap = 0;
    bool ok = tg_grow(&items, &cap, 1, sizeof(tg_node *));
    if (ok) ((tg_node **)items)[found++] = (tg_node *)(uintptr_t)n;
    for (size_t i = 0; ok && i < found; i++) {
        const tg_node *node = seen_through(p, ((tg_node **)items)[i]);
        int shown;
        tg_node *const *args = tg_node_shown_arguments(node, &shown);
        for (int k = 0; ok && k < shown; k++) {
            tg_node *arg = (tg_node *)(uintptr_t)seen_through(p, args[k]);
            if (arg->seen == walk || is_leaf(arg) || name_of(p, arg)) continue;
            arg->seen = walk;
            ok = found < p->counting && tg_grow(&items, &cap, found + 1, sizeof(tg_node *));
            if (ok) ((tg_node **)items)[found++] = arg;
        }
    }
    p->counting -= found < p->counting ? found : p->counting;
    tg_free(items);
    return ok ? found : 0;
}

static void leave_out(printer *p, const tg_node *n) {
    size_t count = p->plan ? count_under(p, n) : 0;
    p->cut = true;
    put(p, "(...");
    if (count > 0 && !p->stopped)
        tg_str_addf(p->s, " %zu operation%s", count, count == 1 ? "" : "s");
    put(p, ")");
}

static void mark(const printer *p, const tg_node *n, size_t lo, bool closed) {
    if (p->o->mark && !p->stopped) p->o->mark(p->o->user, n, lo, p->s->len, closed);
}

static void print_node(printer *p, const tg_node *n, int min, place at) {
    if (p->stopped) return;
    n = seen_through(p, n);
    size_t lo = p->s->len;
    const char *name = name_of(p, n);
    if (name && p->s->len < p->end) {
        put(p, name);
        mark(p, n, lo, true);
        return;
    }
    bool room = at.depth <= p->depth && (at.room >= LEAST || length_of(p, n) <= at.room);
    if (p->s->len >= p->end || (!room && !is_leaf(n))) {
        bool full = p->s->len >= p->end;
        leave_out(p, n);
        p->stopped = full;
        return;
    }
    int prec = precedence(p, n);
    bool brackets = prec < min;
    if (brackets) put(p, "(");
    if (is_leaf(n)) {
        print_leaf(p, n);
    } else {
        if (!p->plan) {
            p->redrawn = p->redrawn || (tg_print_is_fresh(n) && n->seen == p->walk);
            ((tg_node *)(uintptr_t)n)->seen = p->walk; /* the stamp is no part of the formula */
        }
        p->raw += n->op->opaque;
        print_operation(p, n, at);
        p->raw -= n->op->opaque;
    }
    if (brackets) put(p, ")");
    mark(p, n, lo, brackets || prec >= POSTFIX);
}

/* ---- the whole ---- */

/* As it is. False, and nothing written: it is too long, or too wide, or says less than it should.
 */
static bool print_short(tg_rt *rt, tg_str *s, const tg_node *n, const tg_print_options *o,
                        size_t limit) {
    size_t before = s->len;
    if (o->width > 0 && (size_t)o->width * 4 < limit) limit = (size_t)o->width * 4;
    printer p = {.rt = rt,
                 .s = s,
                 .root = n,
                 .o = o,
                 .unfold = o->unfold != 0,
                 .depth = DEPTH,
                 .end = before + limit,
                 .walk = tg_graph_walk(rt)};
    if (o->unfold == 0 || o->unfold == TG_UNFOLD_ALL) {
        print_node(&p, n, 0, (place){0, HUGE_VAL});
        bool wide = o->width > 0 && s->text &&
                    tg_utf8_width(s->text + before, s->len - before) + o->indent > o->width;
        if (!p.cut && !wide && !(p.redrawn && o->width > 0)) return true;
    }
    if (s->text) s->text[s->len = before] = 0;
    return false;
}

/* By plan: the formula, and a line for each part that has a name. */
static void print_planned(printer *p, const tg_print_options *o, size_t limit) {
    const tg_print_plan *plan = p->plan;
    const tg_node *whole = p->root;
    double all = plan->part[plan->n - 1].len, share = HUGE_VAL;
    for (size_t i = 0; i < plan->n; i++)
        if (plan->part[i].name[0]) all += plan->part[i].len;
    if (all > (double)limit) share = (double)limit / (plan->names + 1);
    if (share < PART_LEAST && plan->names > 0) share = PART_LEAST;
    print_node(p, whole, 0, (place){0, share});
    int left = plan->names;
    if (left > 0) put(p, " where");
    for (size_t i = 0; i < plan->n && left > 0; i++) {
        const tg_print_part *part = &plan->part[i];
        if (!part->name[0]) continue;
        put(p, "\n");
        if (!p->stopped) tg_str_repeat(p->s, ' ', o->indent + 2);
        put(p, part->name);
        put(p, " = ");
        p->root = part->node;
        print_node(p, part->node, 0, (place){0, share});
        if (--left > 0) put(p, ",");
    }
    p->root = whole;
}

bool tg_node_print_with(tg_rt *rt, tg_str *s, const tg_node *n, const tg_print_options *o) {
    size_t limit = o->limit ? o->limit : LIMIT;
    if (!tg_guard(&rt->c)) return false;
    if (print_short(rt, s, n, o, limit)) return !s->failed || tg_fail_memory(&rt->c);
    tg_print_plan plan;
    size_t from = s->len;
    bool ok = tg_print_plan_make(rt, (tg_node *)(uintptr_t)n, o->unfold, &plan) &&
              (o->width == 0 || tg_print_plan_name(rt, &plan, o));
    if (ok) {
        size_t deep = limit / 4;
        printer p = {.rt = rt,
                     .s = s,
                     .root = n,
                     .o = o,
                     .plan = &plan,
                     .unfold = o->unfold == TG_UNFOLD_ALL,
                     .depth = deep < DEPTH     ? DEPTH
                              : deep > DEEPEST ? DEEPEST
                                               : (int)deep,
                     .end = s->len + 2 * limit + (size_t)plan.names * PART_LEAST,
                     .counting = COUNTED};
        print_planned(&p, o, limit);
    }
    tg_print_plan_free(&plan);
    if (ok && o->width > 0) tg_print_wrap(s, from, o->width + TOLERANCE, o->indent);
    return ok && (!s->failed || tg_fail_memory(&rt->c));
}

bool tg_node_print(tg_rt *rt, tg_str *s, const tg_node *n, bool unfold) {
    tg_print_options o = {.unfold = unfold ? TG_UNFOLD_ALL : 0};
    return tg_node_print_with(rt, s, n, &o);
}
