/* Random formulas over all operations of the registry, printed and read back by the interpreter:
 * what is read is the node that was printed. So for gradients of first and second order, with names
 * for parts of them (labels) and without, written in one line or with `where`.
 *
 * A tensor that is known when a line is read is a new tensor: two formulas count as the same when
 * they differ in equal constants only. */
#include "op_list.h"

#include "base/alloc.h"

#include "interp/interp.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/graph/rule.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static tg_state *state_of_tg;
static tg_interp *in; /* the interpreter in it, its first member */

static void run_text(const char *text) {
    if (tg_run(state_of_tg, "test", text, TG_QUIET) != TG_DONE)
        fail_msg("%s\n%s", text, tg_error(state_of_tg));
}

static int pick(int n) {
    return (int)(draw() * n);
}

/* ---- variables: one for each shape that a sample asks for, and inputs of symbolic sizes ---- */

enum { POOL = 400, TRIES = 60, FORMULAS = 6000 };

static struct {
    leaf shape;
    char name[8];
} cells[96];
static int ncells;
static tg_node *pool[POOL];
static int npool, nleaves;

static void add_cell(const leaf *l) {
    char text[160], dims[80] = "";
    for (int i = 0; i < ncells; i++)
        if (cells[i].shape.rank == l->rank &&
            memcmp(cells[i].shape.dim, l->dim, (size_t)l->rank * sizeof *l->dim) == 0)
            return;
    assert_true(ncells < 96);
    for (int k = 0; k < l->rank; k++)
        snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "%s%d", k ? ", " : "",
                 (int)l->dim[k]);
    snprintf(cells[ncells].name, sizeof cells[ncells].name, "v%d", ncells);
    snprintf(text, sizeof text, l->rank ? "v%d = var(ones(%s))" : "v%d = var(1)", ncells, dims);
    cells[ncells++].shape = *l;
    run_text(text);
}

static tg_node *node_named(const char *name) {
    const tg_value *v = tg_env_find(in->globals, tg_intern(&in->rt.c, name, strlen(name)));
    return v && v->tag == TG_V_FORMULA ? v->as.node : NULL;
}

static const char *const inputs[] = {"X", "Y", "Z", "T", "N"};
/* Tensors made of sizes that are not known yet, which are formulas for that reason. */
static const char *const created[] = {"zeros(N, 4)",  "ones(N, M)", "eye(N)",
                                      "eye(N, M)",    "arange(N)",  "linspace(0, 1, M)",
                                      "full(M, 0.5)", "zeros(M)",   "onehot(arange(N), M)"};
enum { INPUTS = sizeof inputs / sizeof *inputs, MADE = sizeof created / sizeof *created };

static void fill_pool(void) {
    npool = 0;
    for (int i = 0; i < ncells; i++) pool[npool++] = node_named(cells[i].name);
    for (int i = 0; i < INPUTS; i++) pool[npool++] = node_named(inputs[i]);
    for (int i = 0; i < MADE; i++) {
        char name[8];
        snprintf(name, sizeof name, "made%d", i);
        pool[npool] = node_named(name);
        assert_non_null(pool[npool++]);
    }
    nleaves = npool;
    static const double numbers[] = {0,    1,        -1,        2,    0.5,
                                     -0.5, 1e-300,   3,         1e20, 1.0 / 3,
                                     1e-5, INFINITY, -INFINITY, NAN,  3.14159265358979323846};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        pool[npool++] = tg_node_hold(tg_node_number(&in->rt, numbers[i]));
}

/* ---- random formulas ---- */

/* Not those whose result depends on when it is drawn; those that make tensors are in the pool. */
static bool is_tried(const tg_op *op) {
    return op->class != TG_CLASS_RANDOM && op->class != TG_CLASS_CREATE;
}

static tg_node *of_shape(const leaf *l) {
    tg_node *found = NULL;
    int seen = 0;
    for (int i = 0; i < npool; i++)
        if (pool[i]->live &&
            tg_shape_equal(pool[i]->type.rank, pool[i]->type.dim, l->rank, l->dim) &&
            pick(++seen) == 0)
            found = pool[i];
    return found;
}

static tg_node *random_node(void) {
    static op_case cases[MOST_CASES];
    static int nops;
    if (!nops)
        while (tg_op_at(nops)) nops++;
    const tg_op *op = tg_op_at(pick(nops));
    if (!is_tried(op)) return NULL;
    tg_node *arg[MOST_LEAVES], *made;
    static const tg_attrs none;
    if (op->class == TG_CLASS_ELEMENTWISE) {
        int n = tensor_params(op);
        bool live = false;
        for (int i = 0; i < n; i++) {
            /* numbers are few, and late ones are made of others */
            arg[i] = pool[draw() < 0.5 ? pick(npool) : npool - 1 - pick(npool < 20 ? npool : 20)];
            live = live || arg[i]->live;
        }
        return live ? tg_node_make(&in->rt, op, n, arg, &none) : NULL;
    }
    int n = list_cases(op, cases);
    if (n <= 0) return NULL;
    const op_case *c = &cases[pick(n)];
    tg_rule_name names[MOST_LEAVES];
    for (int i = 0; i < c->n; i++) {
        names[i] = (tg_rule_name){.name = c->leaf[i].name, .node = of_shape(&c->leaf[i])};
        if (!names[i].node) return NULL;
    }
    made = tg_rule_build(&in->rt, c->text, c->n, names);
    return made && made->live ? made : NULL;
}

/* ---- reading back ---- */

static bool equal_constants(tg_node *a, tg_node *b) {
    tg_tensor *t[2] = {NULL, NULL};
    bool same = tg_shape_equal(a->type.rank, a->type.dim, b->type.rank, b->type.dim);
    for (int i = 0; same && i < 2; i++) same = tg_plan_eval(&in->rt, 1, i ? &b : &a, &t[i]);
    for (int64_t k = 0; same && k < tg_view_count(&t[0]->v); k++) {
        double x = tg_view_get(&t[0]->v, k), y = tg_view_get(&t[1]->v, k);
        same = x == y || (x != x && y != y);
    }
    tg_tensor_drop(t[0]);
    tg_tensor_drop(t[1]);
    tg_clear(&in->rt.c);
    return same;
}

static int steps; /* left: the formulas that are compared may be large as trees */

/* narrow(x, 1, 2, 2) is written as the part that it is, x[:, 2:4], and this is a slice. */
static bool is_part(const tg_node *a, const tg_node *b) {
    return tg_node_is(a, "narrow") && tg_node_is(b, "slice") &&
           tg_shape_equal(a->type.rank, a->type.dim, b->type.rank, b->type.dim);
}

static bool equal(tg_node *a, tg_node *b) {
    if (a == b) return true;
    if (steps-- <= 0) return false;
    if (!a->live && !b->live) return equal_constants(a, b);
    if (is_part(a, b)) return equal(a->arg[0], b->arg[0]);
    if (a->op != b->op || a->n != b->n || a->n == 0 || a->at != b->at) return false;
    for (int i = 0; i < a->n; i++)
        if (!equal(a->arg[i], b->arg[i])) return false;
    return true;
}

static long read_back, identical, with_where, failures;

static void check_text(tg_node *n, const tg_print_options *o) {
    tg_str s = {0};
    tg_str_add(&s, "back = ");
    assert_true(tg_node_print_with(&in->rt, &s, n, o));
    const char *text = tg_str_text(&s);
    if (!strstr(text, "(...")) {
        bool ok = tg_run(state_of_tg, "test", text, TG_QUIET) == TG_DONE;
        tg_node *back = ok ? node_named("back") : NULL;
        read_back++;
        identical += back == n;
        with_where += strstr(text, " where\n") != NULL;
        steps = 1000000;
        if (!back || !equal(n, back)) {
            if (failures++ < 12) {
                fprintf(stderr, "%s\n  %s\n", text + 7,
                        ok ? "reads back as" : tg_error(state_of_tg));
                tg_str again = {0};
                if (back) tg_node_print(&in->rt, &again, back, o->unfold != 0);
                fprintf(stderr, "  %s\n", tg_str_text(&again));
                tg_str_free(&again);
            }
        }
    }
    tg_str_free(&s);
}

static void check_node(tg_node *n) {
    tg_node_hold(n);
    check_text(n, &(tg_print_options){.unfold = TG_UNFOLD_ALL, .limit = 4000});
    check_text(n, &(tg_print_options){.width = 40, .limit = 4000});
    tg_node_drop(n);
}

/* Gives every fifth part a name, under which the interpreter knows it too. */
static void name_part(tg_node *n, int i) {
    char name[16];
    if (n->label || n->n == 0 || i % 5) return;
    snprintf(name, sizeof name, "part%d", i);
    const char *interned = tg_intern(&in->rt.c, name, strlen(name));
    n->label = interned;
    assert_true(tg_env_set(in->globals, interned, tg_value_formula(n, 0)));
}

static tg_node *slope_of(tg_node *n, bool simplify) {
    tg_node *x = NULL, *y = n, *g;
    for (int i = 0; i < nleaves && !x; i++) {
        tg_node *cell = pool[(i * 7 + 3) % nleaves];
        if (cell->op == &tg_op_cell && tg_node_depends(&in->rt, n, cell)) x = cell;
    }
    if (!x || !tg_dtype_is_float(n->type.dtype)) return NULL;
    if (n->type.rank > 0) y = tg_node_call1(&in->rt, "sum", n);
    tg_grad_options o = {.simplify = simplify};
    return y && tg_grad(&in->rt, y, 1, &x, &o, &g, NULL) && g->live && g->n ? g : NULL;
}

static void random_formulas_read_back(void **state) {
    (void)state;
    fill_pool();
    for (int i = 0; i < FORMULAS; i++) {
        tg_node *n = NULL;
        for (int tries = 0; tries < TRIES && !n; tries++) {
            tg_clear(&in->rt.c);
            n = random_node();
            if (n && tg_node_ops(&in->rt, n) > 60) n = NULL;
        }
        tg_clear(&in->rt.c);
        assert_non_null(n);
        check_node(n);
        if (npool == POOL) { /* begin anew, with the leaves and numbers that are there */
            for (int k = nleaves + 15; k < npool; k++) tg_node_drop(pool[k]);
            npool = nleaves + 15;
        }
        pool[npool++] = tg_node_hold(n);
        name_part(n, i);
        if (i % 4) continue;
        tg_node *g = tg_node_hold(slope_of(n, i % 8 == 0)), *h = NULL;
        tg_clear(&in->rt.c);
        if (g && tg_node_ops(&in->rt, g) < 200) {
            check_node(g);
            if (i % 16 == 0) h = tg_node_hold(slope_of(g, true));
            tg_clear(&in->rt.c);
            if (h && tg_node_ops(&in->rt, h) < 200) check_node(h);
        }
        tg_node_drop(g);
        tg_node_drop(h);
    }
    for (int k = nleaves; k < npool; k++) tg_node_drop(pool[k]);
    fprintf(stderr, "%ld texts read back, %ld the very node, %ld with where, %ld wrong\n",
            read_back, identical, with_where, failures);
    assert_int_equal(failures, 0);
    assert_true(read_back > 2 * FORMULAS && with_where > 50);
}

static int setup(void **state) {
    lottery = 7;
    ncells = 0;
    read_back = identical = with_where = failures = 0;
    state_of_tg = tg_open(NULL);
    if (!state_of_tg) return -1;
    in = (tg_interp *)(void *)state_of_tg;
    run_text(*state);
    run_text("input X[N, 4], Y[N, M], Z[M], T[4, N]");
    for (int i = 0; i < MADE; i++) {
        char text[64];
        snprintf(text, sizeof text, "made%d = %s", i, created[i]);
        run_text(text);
    }
    static op_case cases[MOST_CASES];
    for (int i = 0; tg_op_at(i); i++) {
        int n = list_cases(tg_op_at(i), cases);
        for (int k = 0; k < n; k++)
            for (int l = 0; l < cases[k].n; l++) add_cell(&cases[k].leaf[l]);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    tg_close(state_of_tg);
    return tg_alloc_get_stats().live_blocks == 0 ? 0 : -1;
}

int main(void) {
    static char both[2][32] = {"precision double", "precision single"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(random_formulas_read_back, setup, teardown,
                                                 both[0]),
        cmocka_unit_test_prestate_setup_teardown(random_formulas_read_back, setup, teardown,
                                                 both[1]),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
