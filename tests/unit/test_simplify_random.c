/* The simplifier against plain arithmetic, on random values.
 *
 * Each named rule of rules.def by itself: both sides, evaluated as they are written, agree where
 * its `when` says that it holds, and the simplifier does apply it. A rule for which nothing could
 * be checked fails. Then random formulas over all operations that have a derivative: the simple
 * form has the value of the formula, its gradient is the formula's, and neither is larger. Both
 * sides are evaluated node by node, without the stable forms that a plan would take.
 *
 * How close two values must be depends on the formula: sin(1e9 * x) cannot be known to nine places
 * whatever is done to it. So each formula is also evaluated with its variables moved by a part in
 * 1e9, seven orders above rounding, and in its stable form, which keeps the digits that log(1 -
 * sigmoid(x)) loses. What that changes is let pass, and the rounding of the largest value on the
 * way: (1 - sum(softmax(x))) * 1e6 is 0 at all x, but what is left of it is 1e-10 or 2e-10 by the
 * order of its sums, and moving x does not show that. A formula that jumps shows nothing, nor does
 * an element that is infinite or not a number. Most must show something, and each operation must
 * have been in one that did. */
#include "eager.h"
#include "simplify_forms.h"
#include "kinds.h"
#include "tree_size.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static tg_rt rt;
static double draw_in(double lo, double hi) {
    return lo + (hi - lo) * draw();
}

static int pick(int n) {
    return (int)(draw() * n);
}

static const char *text_of(tg_node *n) {
    static char text[2][600];
    static int turn;
    tg_str s = {0};
    tg_node_print(&rt, &s, n, false);
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "%s", tg_str_text(&s));
    tg_str_free(&s);
    return text[turn];
}

/* ---- variables ---- */

enum { CELLS = 192 };
static struct cell {
    tg_node *node; /* held */
    leaf shape;
    double *x; /* its value before it is moved */
} cells[CELLS];
static int ncells;

static bool same_shape(const leaf *a, const leaf *b) {
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0;
}

static bool has_shape(const tg_node *n, const leaf *l) {
    return tg_shape_equal(n->type.rank, n->type.dim, l->rank, l->dim);
}

/* A variable of that shape with random values of the interval. */
static struct cell *new_cell(const leaf *shape, double lo, double hi) {
    struct cell *c = &cells[ncells];
    char name[16];
    int n = snprintf(name, sizeof name, "v%d", ncells);
    assert_true(ncells++ < CELLS);
    tg_type type = {.dtype = TG_F64, .rank = shape->rank};
    memcpy(type.dim, shape->dim, sizeof type.dim);
    tg_tensor *value = tg_tensor_new(&rt.c, TG_F64, shape->rank, shape->dim);
    tg_cell *cell = tg_cell_new(&rt, TG_CELL_VAR, tg_intern(&rt.c, name, (size_t)n), &type, value);
    c->node = tg_node_hold(tg_node_cell(&rt, cell));
    c->shape = *shape;
    c->x = calloc((size_t)tg_view_count(&value->v) + 1, sizeof *c->x);
    assert_non_null(c->x);
    for (int64_t i = 0; i < tg_view_count(&value->v); i++)
        tg_view_set(&value->v, i, c->x[i] = draw_in(lo, hi));
    tg_tensor_drop(value);
    tg_cell_drop(cell);
    return c;
}

static void move_cells(double part) {
    for (int i = 0; i < ncells; i++) {
        const tg_view *v = &cells[i].node->leaf.cell->value->v;
        for (int64_t k = 0; k < tg_view_count(v); k++)
            tg_view_set(v, k, cells[i].x[k] * (1 + part * draw_in(-1, 1)));
    }
}

static void drop_cells(void) {
    for (int i = 0; i < ncells; i++) {
        tg_node_drop(cells[i].node);
        free(cells[i].x);
    }
    ncells = 0;
}

static int open_session(void **state) {
    (void)state;
    lottery = 1;
    if (!tg_rt_init(&rt)) return -1;
    tg_guard_enter(&rt.c);
    return 0;
}

static int close_session(void **state) {
    (void)state;
    drop_cells();
    tg_rt_free(&rt);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

/* ---- comparing ---- */

static bool had_infinity; /* on the way: was there something infinite, or not a number? */
static double largest;    /* the largest finite value on the way */

static tg_tensor *value_of(tg_node *n) {
    eager e;
    tg_tensor *t = eager_eval(&rt, n, &e) ? tg_tensor_hold(e.value[e.n - 1]) : NULL;
    had_infinity = false, largest = 0;
    for (size_t i = 0; t && i < e.n; i++)
        for (int64_t k = 0; k < tg_view_count(&e.value[i]->v); k++)
            if (!isfinite(tg_view_get(&e.value[i]->v, k)))
                had_infinity = true;
            else
                largest = fmax(largest, fabs(tg_view_get(&e.value[i]->v, k)));
    eager_free(&e);
    if (!t) fail_msg("%s: %s", text_of(n), rt.c.diag.msg);
    return t;
}

/* Element i; a scalar stands for all elements of what it is compared with. */
static double element(const tg_tensor *t, int64_t i) {
    return tg_view_get(&t->v, t->v.rank == 0 ? 0 : i);
}

typedef struct outcome {
    int shown, total; /* elements that could be compared, and all */
    double worst;     /* the largest difference in units of what is let pass: at most 1 is right */
} outcome;

/* Where an infinity or NaN was swallowed, by a quotient or a comparison say, the simple form need
 * not do the same: inf - inf may have been 0 there, and no law keeps the sign of a zero that
 * something is divided by. Then all that is asked for is that a finite value does not become a NaN.
 */
static outcome compare(tg_node *raw, tg_node *made) {
    enum { MOVES = 3 };
    double slack = rounding(&rt, raw);
    tg_node *stable = tg_node_stable(&rt, raw);
    assert_non_null(stable);
    tg_tensor *b = value_of(made), *exact = value_of(stable), *a = value_of(raw), *moved[MOVES];
    outcome o = {.total = (int)tg_view_count(&a->v)};
    bool swallowed = had_infinity;
    double noise = 1e-4 * slack * largest; /* a few units in its last place */
    for (int k = 0; k < MOVES; k++) {
        move_cells(slack < 1e-9 ? 1e-9 : slack);
        moved[k] = value_of(raw);
    }
    move_cells(0);
    for (int i = 0; i < o.total; i++) {
        double x = element(a, i), y = element(b, i), spread = fabs(x - element(exact, i));
        for (int k = 0; k < MOVES; k++) {
            double d = fabs(element(moved[k], i) - x);
            if (!(d <= spread)) spread = d; /* a NaN stays */
        }
        if (!isfinite(x) || !(spread <= 1e-4 * (1 + fabs(x)))) continue;
        double off = fabs(x - y) / (slack * (1 + fabs(x)) + spread + noise);
        if (swallowed) off = isfinite(y) ? 0 : INFINITY;
        if (!(off <= o.worst)) o.worst = off;
        o.shown++;
    }
    for (int k = 0; k < MOVES; k++) tg_tensor_drop(moved[k]);
    tg_tensor_drop(a);
    tg_tensor_drop(b);
    tg_tensor_drop(exact);
    return o;
}

/* ---- each rule by itself ---- */

typedef struct rule {
    const char *name, *pattern, *replacement, *when;
    bool stable, given;
} rule;

static const rule rules[] = {
#define NAMED(id, name, when)
#define RULE(id, name, pattern, replacement, when) {name, pattern, replacement, when, false, false},
#define STABLE(id, name, pattern, replacement, when)                                               \
    {name, pattern, replacement, when, true, false},
#define COMPUTED(id, name, pattern, replacement, when)                                             \
    {name, pattern, replacement, when, true, false},
#define GIVEN(id, name, pattern, replacement, when) {name, pattern, replacement, when, false, true},
#define LINEAR(op, mask)
#define FRAMED(op)
#include "runtime/graph/rules.def"
};

enum { RULES = sizeof rules / sizeof *rules };
/* The values that `when` allows. */
static void domain(const rule *r, double *lo, double *hi) {
    char sign[3];
    *lo = -3, *hi = 3;
    if (r->given || strcmp(r->when, "always") == 0 || strcmp(r->when, "x is finite") == 0) return;
    if (strcmp(r->when, "m is regular") == 0) return;
    if (sscanf(r->when, "%*[xy] %2[>=] %lf", sign, lo) != 2)
        fail_msg("%s: this test cannot read the condition  %s", r->name, r->when);
    *lo += 1e-3;
    *hi += *lo;
}

static void assume_parts(tg_node *condition) {
    if (tg_node_is(condition, "and")) {
        assume_parts(condition->arg[0]);
        assume_parts(condition->arg[1]);
        return;
    }
    uint32_t by;
    if (tg_assume_add(&rt, condition, &by) == TG_ASSUME_FAILED) fail_msg("%s", rt.c.diag.msg);
}

/* The rule's condition is assumed, and the variables are made to keep to it. */
static void assume_for(const rule *r, int n, const tg_rule_name *names) {
    bool negative = strcmp(r->when, "not k") == 0; /* k is z > w */
    tg_node *condition = tg_rule_build(&rt, negative ? "z <= w" : r->when, n, names);
    if (!condition) fail_msg("%s: %s", r->name, rt.c.diag.msg);
    assume_parts(condition);
    tg_cell *cell[CELLS];
    tg_tensor *value[CELLS];
    uint32_t unmet;
    for (int i = 0; i < ncells; i++) {
        cell[i] = cells[i].node->leaf.cell;
        value[i] = cell[i]->value;
    }
    assert_true(tg_assume_project(&rt, ncells, cell, value, &unmet));
    assert_int_equal(unmet, 0);
    for (int i = 0; i < ncells; i++)
        for (int64_t k = 0; k < tg_view_count(&value[i]->v); k++)
            cells[i].x[k] = tg_view_get(&value[i]->v, k);
}

/* Did the last tg_simplify use the rule? */
static bool was_used(const rule *r) {
    tg_str s = {0};
    tg_simplify_why(&rt, &s);
    bool found = strstr(tg_str_text(&s), r->name) != NULL;
    tg_str_free(&s);
    return found;
}

static tg_node *new_matrix(const rule *r, const leaf *shape) {
    leaf l = square_of(shape, strcmp(r->when, "m is regular") == 0 ? "regular" : "");
    struct cell *c = new_cell(&l, -2, 2);
    give_kind(&l, tg_view_count(&c->node->leaf.cell->value->v), c->x);
    move_cells(0);
    return c->node;
}

/* The rule for one shape of x, and one choice of axes and keep. */
static void check_instance(const rule *r, const leaf *shape, int64_t axes, bool keep, int *checked,
                           int *used) {
    double lo, hi;
    domain(r, &lo, &hi);
    tg_node *x = new_cell(shape, lo, hi)->node, *y = new_cell(shape, lo, hi)->node;
    tg_attrs none = {0};
    tg_node *both[2] = {new_cell(shape, lo, hi)->node, new_cell(shape, lo, hi)->node};
    int64_t all = (INT64_C(1) << shape->rank) - 1;
    const tg_rule_name names[] = {
        {.name = "x", .node = x},
        {.name = "y", .node = y},
        {.name = "z", .node = both[0]},
        {.name = "w", .node = both[1]},
        {.name = "v", .node = new_cell(&(leaf){.rank = 1, .dim = {3}}, lo, hi)->node},
        {.name = "m", .node = new_matrix(r, shape)},
        {.name = "n", .kind = TG_P_SIZE, .n = 1, .v = {shape->dim[0]}, .sizes = 1},
        {.name = "p", .kind = TG_P_INT, .n = 1, .v = {3}},
        {.name = "k", .node = tg_node_make(&rt, tg_op_find("gt"), 2, both, &none)},
        {.name = "c", .node = tg_node_number(&rt, draw_in(0.5, 2))},
        {.name = "s", .node = new_cell(&(leaf){.rank = 0}, lo, hi)->node},
        {.name = "axis", .kind = TG_P_AXES, .n = 1, .v = {axes}},
        {.name = "all", .kind = TG_P_AXES, .n = 1, .v = {all}},
        {.name = "keep", .kind = TG_P_FLAG, .n = 1, .v = {keep}},
        {.name = "leading", .kind = TG_P_AXES, .n = 1, .v = {axes}},
    };
    bool leading = (axes & (axes + 1)) == 0;
    int n = (int)(sizeof names / sizeof *names) - !leading;
    if (r->given) assume_for(r, n, names);
    tg_node *from = tg_rule_build(&rt, r->pattern, n, names);
    tg_node *to = from ? tg_rule_build(&rt, r->replacement, n, names) : NULL;
    if (from && !to) fail_msg("%s: %s", r->name, rt.c.diag.msg);
    tg_clear(&rt.c); /* there are no axes in a scalar */
    bool other = from && to->type.rank != from->type.rank && !tg_node_is_number(to);
    if (other) /* x @ x of matrices: not for them */
        assert_true(compare(from, tg_simplify(&rt, from, NULL)).worst <= 1);
    if (from && !other) {
        outcome o = compare(from, to);
        if (o.worst > 1) fail_msg("%s does not hold for  %s", r->name, text_of(from));
        *checked += o.shown;
        tg_node *made = tg_simplify(&rt, from, NULL);
        if (!made) fail_msg("%s: %s", text_of(from), rt.c.diag.msg);
        *used += was_used(r) || (r->stable && tg_node_stable(&rt, from) != from);
        if (compare(from, made).worst > 1)
            fail_msg("%s was simplified to %s", text_of(from), text_of(made));
    }
    tg_assume_restore(&rt, 0);
}

static void rules_hold(void **state) {
    (void)state;
    static const char *const shapes[] = {"", "1", "3", "3,3", "2,3", "2,2,2"};
    for (int i = 0; i < RULES; i++) {
        int checked = 0, used = 0;
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            leaf shape = tg_op_sample_leaf("x", shapes[k]);
            int64_t all = (INT64_C(1) << shape.rank) - 1;
            for (int64_t axes = all > 0; axes <= all; axes++)
                for (int keep = 0; keep < 2; keep++) {
                    check_instance(&rules[i], &shape, axes, keep, &checked, &used);
                    drop_cells();
                }
        }
        if (!checked) fail_msg("%s: nothing was checked", rules[i].name);
        if (!used) fail_msg("%s: the simplifier never applies it", rules[i].name);
    }
}

/* ---- random formulas ---- */

enum { CALLS = 1600 };
enum { RECORD, FORM }; /* kinds */
typedef struct producer {
    op_case c;
    leaf result;
    int kind;
} producer;

static producer calls[CALLS];
static int ncalls;
static bool is_differentiable(const tg_op *op) {
    bool some = false;
    for (int i = 0; i < TG_MAX_TENSORS; i++)
        some = some || (op->grad[i] && strcmp(op->grad[i], TG_GRAD_ZERO) != 0);
    return some;
}

/* The formula of a call on the given arguments. NULL: it cannot be built. */
static tg_node *make_call(const op_case *c, tg_node *const *arg) {
    static const tg_attrs none;
    tg_rule_name names[MOST_LEAVES] = {0};
    for (int i = 0; i < c->n; i++)
        names[i] = (tg_rule_name){.name = c->leaf[i].name, .node = arg[i]};
    return c->text[0] ? tg_rule_build(&rt, c->text, c->n, names)
                      : tg_node_make(&rt, c->op, c->n, arg, &none);
}

/* A variable of that shape: there are two of each. */
static tg_node *variable(const leaf *shape) {
    struct cell *found[2] = {NULL, NULL};
    for (int i = 0; i < ncells; i++)
        if (same_shape(&cells[i].shape, shape)) found[found[0] != NULL] = &cells[i];
    for (int k = 0; k < 2; k++)
        if (!found[k]) found[k] = new_cell(shape, 0.3, 1.2);
    return found[pick(2)]->node;
}

static void add_call(const op_case *c, int kind) {
    tg_node *arg[MOST_LEAVES];
    for (int i = 0; i < c->n; i++) arg[i] = variable(&c->leaf[i]);
    tg_node *n = make_call(c, arg);
    if (!n) fail_msg("%s: %s", c->op ? c->op->name : c->text, rt.c.diag.msg);
    if (!tg_dtype_is_float(n->type.dtype)) return;
    producer p = {.c = *c, .kind = kind, .result = {.rank = n->type.rank}};
    memcpy(p.result.dim, n->type.dim, sizeof p.result.dim);
    assert_true(ncalls < CALLS);
    calls[ncalls++] = p;
}

static void list_forms(void) {
    static const char *const shapes[] = {"", "3", "2,3", "3,3"};
    op_case c = {0};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            c = (op_case){
                .n = 2,
                .leaf = {tg_op_sample_leaf("x", shapes[k]), tg_op_sample_leaf("y", shapes[k])}};
            bool sums =
                strstr(forms[i], "sum(") || strstr(forms[i], "mean(") || strstr(forms[i], "norm(");
            snprintf(c.text, sizeof c.text, "%s", forms[i]);
            if (k > 0 || !sums) add_call(&c, FORM);
        }
    for (const char *p = shaped_forms; *p;) {
        size_t len = strcspn(p, "|");
        c = (op_case){0};
        assert_true(tg_op_sample_read(p, p + len, &c));
        add_call(&c, FORM);
        p += len + (p[len] == '|');
    }
}

/* Convolution and pooling stay out: their images have sizes that nothing else gives. */
static bool is_of_windows(const tg_op *op) {
    return strncmp(op->name, "conv", 4) == 0 || strstr(op->name, "pool") ||
           strncmp(op->name, "max_pick", 8) == 0;
}

static void list_calls(void) {
    const tg_op *op;
    op_case some[MOST_CASES];
    ncalls = 0;
    list_forms();
    for (int i = 0; (op = tg_op_at(i)); i++)
        for (int k = 0, n = is_differentiable(op) && !is_of_windows(op) ? list_cases(op, some) : 0;
             k < n; k++)
            add_call(&some[k], RECORD);
}

/* The operation's interval, where it is not all that a formula here is likely to be. */
static tg_node *into_domain(const tg_op *op, tg_node *x) {
    if (op->class != TG_CLASS_ELEMENTWISE || (op->lo <= -2 && op->hi >= 2)) return x;
    char text[96];
    snprintf(text, sizeof text, "%.4f + %.4f * sigmoid(x)", op->lo, op->hi - op->lo);
    return tg_rule_build(&rt, text, 1, &(tg_rule_name){.name = "x", .node = x});
}

static tg_node *formula(const leaf *shape, int depth);

/* One of the calls that give that shape: a form half the time. */
static const producer *choose(const leaf *shape) {
    int kind = pick(2), start = pick(ncalls), any = -1;
    for (int i = 0; i < ncalls; i++) {
        int at = (start + i * 7) % ncalls; /* calls of one record stand side by side */
        if (!same_shape(&calls[at].result, shape)) continue;
        if (calls[at].kind == kind) return &calls[at];
        if (any < 0) any = at;
    }
    return any < 0 ? NULL : &calls[any];
}

static tg_node *apply(const producer *p, int depth) {
    tg_node *arg[MOST_LEAVES];
    for (int i = 0; i < p->c.n; i++) {
        bool again = i > 0 && same_shape(&p->c.leaf[i], &p->c.leaf[0]) && pick(4) == 0;
        arg[i] = again ? arg[0] : formula(&p->c.leaf[i], depth - 1);
        /* atan2 jumps from 0 to pi between (0, 0) and (0, -0), and no law keeps the sign of a 0 */
        bool inside = pick(4) > 0 || p->c.op == tg_op_find("atan2");
        if (arg[i] && *p->c.leaf[i].kind)
            arg[i] = into_kind(&rt, &p->c.leaf[i], arg[i]);
        else if (arg[i] && p->kind == RECORD && inside)
            arg[i] = into_domain(p->c.op, arg[i]);
        if (!arg[i]) return NULL;
    }
    return make_call(&p->c, arg);
}

static tg_node *formula(const leaf *shape, int depth) {
    static const double numbers[] = {-1, 0, 1, 2, 0.5};
    if (depth == 0 || pick(8) == 0)
        return shape->rank == 0 && pick(4) == 0 ? tg_node_number(&rt, numbers[pick(5)])
                                                : variable(shape);
    for (int tries = 0; tries < 4; tries++) {
        const producer *p = choose(shape);
        tg_node *n = p ? apply(p, depth) : NULL;
        if (n && has_shape(n, shape) && tg_dtype_is_float(n->type.dtype)) return n;
        tg_clear(&rt.c); /* a number is not differentiable, an index not a float ... */
    }
    return variable(shape);
}

static int formulas, failures, shown_elements, all_elements;
static void report(const char *what, tg_node *raw, tg_node *made) {
    failures++;
    print_error("formula %d, %s\n    %s\n    became %s\n", formulas, what, text_of(raw),
                made ? text_of(made) : rt.c.diag.msg);
    tg_clear(&rt.c);
}

static bool agree(const char *what, tg_node *raw, tg_node *made) {
    if (made && !tg_shape_equal(raw->type.rank, raw->type.dim, made->type.rank, made->type.dim))
        return report("another shape", raw, made), false;
    outcome o = made ? compare(raw, made) : (outcome){.worst = INFINITY};
    if (!(o.worst <= 1)) report(what, raw, made);
    shown_elements += o.shown;
    all_elements += o.total;
    return o.shown > 0;
}

static tg_node *check_simplify(const char *what, tg_node *raw) {
    tg_node *made = tg_simplify(&rt, raw, NULL);
    /* a stable form may be an operation longer than what it replaces, while a shorter one of
     * another part was not taken */
    tg_node *stable = tg_node_stable(&rt, raw);
    double limit = fmax(tree_size(&rt, raw), tree_size(&rt, stable)) + 1;
    if (made && tree_size(&rt, made) > limit) report("it grew", raw, made);
    agree(what, raw, made);
    return made;
}

/* Marks the operations under n. */
static void mark_seen(tg_node *n, bool *seen) {
    tg_node **node;
    size_t count;
    assert_true(tg_node_collect(&rt, 1, &n, &node, &count));
    for (int i = 0; tg_op_at(i); i++)
        for (size_t k = 0; k < count; k++) seen[i] = seen[i] || node[k]->op == tg_op_at(i);
    tg_free(node);
}

/* The gradients by all variables that the formula uses. */
static bool check_gradients(tg_node *y) {
    const tg_grad_options raw_options = {0};
    tg_node **node, *x[CELLS], *raw[CELLS], *made[CELLS];
    size_t count;
    int n = 0;
    bool shown = false;
    assert_true(tg_node_collect(&rt, 1, &y, &node, &count));
    for (size_t i = 0; i < count; i++)
        if (node[i]->op == &tg_op_cell) x[n++] = node[i];
    tg_free(node);
    if (!tg_grad(&rt, y, n, x, &raw_options, raw, NULL) || !tg_grad(&rt, y, n, x, NULL, made, NULL))
        return report("no gradient", y, NULL), false;
    for (int i = 0; i < n; i++) {
        shown = agree("its gradient is another", raw[i], made[i]) || shown;
        check_simplify("the gradient has another value", raw[i]);
    }
    return shown;
}

/* Each call is the outermost one of ROUNDS formulas. */
static void random_formulas_keep_their_values(void **state) {
    (void)state;
    enum { ROUNDS = 8, DEPTH = 4, MOST_RECORDS = 256 };
    static bool seen[MOST_RECORDS];
    list_calls();
    for (formulas = 0; formulas < ROUNDS * ncalls && failures < 8; formulas++) {
        lottery = (uint64_t)formulas * 1000003;
        tg_node *n = apply(&calls[formulas % ncalls], DEPTH);
        tg_clear(&rt.c);
        if (!n || !tg_dtype_is_float(n->type.dtype)) continue; /* a sum of plain numbers ... */
        tg_node_hold(n);
        check_simplify("it has another value", n);
        tg_node *y = n->type.rank > 0 ? tg_node_call1(&rt, "sum", n) : n;
        if (y && check_gradients(y)) mark_seen(n, seen);
        tg_node_drop(n);
        tg_graph_collect(&rt, false);
    }
    assert_int_equal(failures, 0);
    print_message("%d formulas: %d of %d elements could be compared\n", formulas, shown_elements,
                  all_elements);
    assert_true(shown_elements > 0.9 * all_elements);
    for (int i = 0; tg_op_at(i); i++)
        if (is_differentiable(tg_op_at(i)) && !tg_op_at(i)->canonical && !seen[i])
            fail_msg("%s was in none of the formulas", tg_op_at(i)->name);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_session, close_session)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(rules_hold), TEST(random_formulas_keep_their_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
