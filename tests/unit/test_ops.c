/* Tests that the registry generates, one for each record: it is documented; the shape and type
 * predicted for its result, with known and with symbolic sizes, are the computed ones; a plan,
 * eager evaluation and the naive reference kernel give the same values; and what is printed is read
 * back as the same node. A record for which nothing could be checked fails. */
#include "op_cases.h"

#include "runtime/ops/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* ---- evaluating node by node, without plans ---- */

typedef struct eager {
    size_t n;
    tg_node **node;
    tg_tensor **value;
} eager;

static void eager_free(eager *e) {
    for (size_t i = 0; e->value && i < e->n; i++) tg_tensor_drop(e->value[i]);
    tg_free(e->value);
    tg_free(e->node);
}

static size_t find(const eager *e, const tg_node *x) {
    size_t i = 0;
    while (e->node[i] != x) i++;
    return i;
}

static tg_tensor *leaf_value(tg_rt *rt, const tg_node *x) {
    if (x->op == &tg_op_number) return tg_tensor_scalar(&rt->c, TG_F64, x->leaf.number);
    if (x->op == &tg_op_const) return tg_tensor_hold(x->leaf.tensor);
    return x->op == &tg_op_cell ? tg_tensor_hold(x->leaf.cell->value) : NULL;
}

/* Every node under the root, which is the last one. */
static bool eager_eval(tg_rt *rt, tg_node *root, eager *e) {
    *e = (eager){0};
    if (!tg_node_collect(rt, 1, &root, &e->node, &e->n)) return false;
    e->value = tg_alloc_array(e->n, sizeof *e->value);
    for (size_t i = 0; e->value && i < e->n; i++) {
        const tg_node *x = e->node[i];
        tg_tensor *in[16];
        bool weak[16];
        for (int k = 0; k < x->n; k++) {
            in[k] = e->value[find(e, x->arg[k])];
            weak[k] = x->arg[k]->type.weak;
        }
        e->value[i] = x->op->class == TG_CLASS_LEAF ? leaf_value(rt, x)
                                                    : tg_op_apply(rt, x->op, x->n, in, weak, x->at);
        if (!e->value[i]) return false;
    }
    return e->value != NULL;
}

/* The root once more by its reference kernel, on contiguous arguments. */
static tg_tensor *reference_value(tg_rt *rt, const eager *e) {
    const tg_node *x = e->node[e->n - 1];
    tg_type in[16], out = {0};
    tg_dtype want[16];
    tg_view view[16];
    tg_tensor *made[16] = {0}, *t = NULL;
    for (int i = 0; i < x->n; i++) {
        const tg_tensor *v = e->value[find(e, x->arg[i])];
        in[i] = x->arg[i]->type;
        memcpy(in[i].dim, v->v.dim, sizeof in[i].dim);
        want[i] = in[i].dtype;
    }
    bool ok = x->op->infer(rt, x->op, x->n, in, x->at, &out, want);
    for (int i = 0; ok && i < x->n; i++) {
        made[i] = tg_tensor_convert(&rt->c, &e->value[find(e, x->arg[i])]->v, want[i]);
        ok = made[i] != NULL;
        if (ok) view[i] = made[i]->v;
    }
    t = ok ? tg_tensor_new(&rt->c, out.dtype, out.rank, out.dim) : NULL;
    if (t) {
        const tg_call call = {
            .rt = rt, .op = x->op, .n = x->n, .in = view, .out = &t->v, .at = x->at};
        if (!x->op->reference(&call)) {
            tg_tensor_drop(t);
            t = NULL;
        }
    }
    for (int i = 0; i < x->n; i++) tg_tensor_drop(made[i]);
    return t;
}

/* ---- the checks ---- */

static void check_documented(report *r) {
    const tg_op *op = r->op;
    if (!op->doc || !*op->doc)
        complain(r, NULL, "no doc", NULL);
    else if (!strchr(".?", op->doc[strlen(op->doc) - 1]))
        complain(r, NULL, "the doc is no sentence", op->doc);
    if (!op->example || !*op->example) complain(r, NULL, "no example", NULL);
    if (!op->value || !*op->value) complain(r, NULL, "no value of the example", NULL);
    if (!op->infer) complain(r, NULL, "no shape rule", NULL);
    if (!op->run) complain(r, NULL, "no kernel", NULL);
    if (!op->param[0].name && op->class != TG_CLASS_CREATE && op->class != TG_CLASS_RANDOM)
        complain(r, NULL, "no parameters", NULL);
    if (op->lo > op->hi) complain(r, NULL, "the interval is empty", NULL);
    tg_str s = {0};
    tg_op_signature(&s, op);
    const char *name = op->shown ? op->shown : op->name;
    if (strncmp(tg_str_text(&s), name, strlen(name)) != 0)
        complain(r, NULL, "signature", tg_str_text(&s));
    tg_str_free(&s);
    if (tg_op_find(op->name) != op) complain(r, NULL, "is not found by its name", NULL);
}

static void check_value(report *r, world *w, const tg_tensor *planned, double tolerance) {
    eager e;
    if (!eager_eval(&w->rt, w->root, &e)) {
        complain(r, w, "eager evaluation fails", w->rt.c.diag.msg);
    } else {
        const tg_tensor *t = e.value[e.n - 1];
        if (t->v.dtype != planned->v.dtype)
            complain(r, w, "eager and planned types differ", tg_dtype_name(t->v.dtype));
        if (!tensors_agree(&t->v, &planned->v, tolerance))
            complain(r, w, "eager and planned values differ", NULL);
        if (w->root->op->reference) {
            tg_tensor *ref = reference_value(&w->rt, &e);
            if (!ref)
                complain(r, w, "the reference kernel fails", w->rt.c.diag.msg);
            else if (!tensors_agree(&t->v, &ref->v, planned->v.dtype == TG_F32 ? 1e-5 : 1e-12))
                complain(r, w, "the reference kernel gives other values", NULL);
            tg_tensor_drop(ref);
        }
    }
    eager_free(&e);
}

/* The predicted type against the tensor, sizes by their symbols' names. */
static bool as_predicted(world *w, const tg_type *type, const tg_view *v) {
    if (type->dtype != v->dtype || type->rank != v->rank) return false;
    tg_size_binding b = {0};
    bool ok = true;
    for (int i = 0; ok && i < w->c.n; i++) {
        const tg_cell *cell = w->leaf[i]->leaf.cell;
        ok = tg_size_bind(&w->rt, &b, cell->name, cell->type.rank, cell->type.dim,
                          w->c.leaf[i].rank, w->c.leaf[i].dim);
    }
    if (ok && w->sizes)
        ok = tg_size_bind(&w->rt, &b, "sizes", 4, w->sizes->type.dim, 4, w->sizes->value->v.dim);
    for (int i = 0; ok && i < v->rank; i++)
        ok = tg_size_eval(&w->rt, &b, type->dim[i]) == v->dim[i];
    tg_size_binding_free(&b);
    return ok;
}

static bool is_random(const tg_node *x) {
    return x->op->class == TG_CLASS_RANDOM;
}

/* What is printed reads back as the same node; of a random operation, as one of the same kind with
 * a stream of its own. */
static void check_printed(report *r, world *w) {
    tg_str s = {0};
    tg_node_print(&w->rt, &s, w->root, false);
    tg_node *back = build_text(w, tg_str_text(&s));
    bool same = back == w->root || (back && is_random(back) && back->op == w->root->op &&
                                    memcmp(&back->type, &w->root->type, sizeof back->type) == 0);
    if (!back)
        complain(r, w, "what is printed cannot be read", tg_str_text(&s));
    else if (!same)
        complain(r, w, "what is printed is another formula", tg_str_text(&s));
    if (!back && w->rt.c.diag.msg[0]) fprintf(stderr, "    %s\n", w->rt.c.diag.msg);
    tg_clear(&w->rt.c);
    tg_str_free(&s);
}

/* A draw is a function of seed and stream: again the same, and another one under another seed or
 * stream. */
static void check_random(report *r, world *w, const tg_tensor *first) {
    tg_tensor *again = NULL, *other = NULL, *seeded = NULL;
    tg_node *fresh = build_text(w, w->c.text);
    bool ok = fresh && tg_plan_eval(&w->rt, 1, &w->root, &again) &&
              tg_plan_eval(&w->rt, 1, &fresh, &other);
    w->rt.seed++;
    ok = ok && tg_plan_eval(&w->rt, 1, &w->root, &seeded);
    w->rt.seed--;
    if (!ok) {
        complain(r, w, "a second draw fails", w->rt.c.diag.msg);
    } else {
        if (!tensors_agree(&first->v, &again->v, 0))
            complain(r, w, "the same stream gives other numbers", NULL);
        bool many = tg_view_count(&first->v) >= 6; /* fewer may agree by chance */
        if (many && fresh == w->root) complain(r, w, "two draws share a stream", NULL);
        if (many && tensors_agree(&first->v, &other->v, 0))
            complain(r, w, "another stream gives the same numbers", NULL);
        if (many && tensors_agree(&first->v, &seeded->v, 0))
            complain(r, w, "another seed gives the same numbers", NULL);
    }
    tg_tensor_drop(again);
    tg_tensor_drop(other);
    tg_tensor_drop(seeded);
}

static bool uses_op(world *w, const tg_op *op) {
    tg_node **node = NULL;
    size_t n = 0;
    bool found = false;
    if (tg_node_collect(&w->rt, 1, &w->root, &node, &n))
        for (size_t i = 0; i < n; i++) found = found || node[i]->op == op;
    tg_free(node);
    return found;
}

/* One case with the first `symbolic` axes of each leaf symbolic. False: it cannot be built so. */
static bool check_case(report *r, const op_case *c, int symbolic, tg_dtype t) {
    world w;
    if (!world_open(&w)) {
        complain(r, NULL, "no memory", NULL);
        return true;
    }
    bool built = world_build(&w, c, symbolic, t);
    if (!built && symbolic == 0) complain(r, &w, "cannot be built", w.rt.c.diag.msg);
    /* an operation that is a mere spelling of others never appears itself */
    if (built && !c->op->canonical && !uses_op(&w, c->op))
        complain(r, &w, "the case does not use it", w.root->op->name);
    if (built) {
        tg_tensor *out = NULL;
        if (!tg_plan_eval(&w.rt, 1, &w.root, &out)) {
            complain(r, &w, "evaluation fails", w.rt.c.diag.msg);
        } else {
            if (!as_predicted(&w, &w.root->type, &out->v))
                complain(r, &w, "the predicted shape or type is wrong",
                         tg_shape_text(&w.rt, w.root->type.rank, w.root->type.dim));
            if (symbolic == 0) check_value(r, &w, out, 0);
            if (symbolic == 0 && is_random(w.root)) check_random(r, &w, out);
        }
        tg_tensor_drop(out);
        check_printed(r, &w);
    }
    world_close(&w);
    return built;
}

static void check_record(void **state) {
    report r = {.op = *state};
    size_t blocks = tg_alloc_get_stats().live_blocks;
    op_case cases[MOST_CASES];
    int n = list_cases(r.op, cases), symbolic = 0;
    bool leaves = false;
    check_documented(&r);
    for (int i = 0; i < n; i++) {
        check_case(&r, &cases[i], 0, TG_F64);
        check_case(&r, &cases[i], 0, TG_F32);
        leaves = leaves || cases[i].n > 0;
        /* where not all sizes can be symbolic, perhaps the first of each leaf, or with the
         * attributes' sizes */
        if (cases[i].n > 0)
            symbolic += check_case(&r, &cases[i], TG_MAX_RANK, TG_F64) ||
                        check_case(&r, &cases[i], 1, TG_F64) ||
                        check_case(&r, &cases[i], SYMBOLIC_TOO, TG_F64);
    }
    if (n < 0) complain(&r, NULL, "its samples cannot be read", r.op->samples);
    if (n == 0) complain(&r, NULL, "nothing was checked: it has no samples", NULL);
    if (leaves && symbolic == 0) complain(&r, NULL, "no case works with symbolic sizes", NULL);
    assert_int_equal(tg_alloc_get_stats().live_blocks, blocks);
    assert_int_equal(r.failures, 0);
}

int main(void) {
    static struct CMUnitTest tests[512];
    size_t n = 0;
    for (const tg_op *op; (op = tg_op_at((int)n)) && n < 512; n++)
        tests[n] = (struct CMUnitTest){
            .name = op->name, .test_func = check_record, .initial_state = (void *)(uintptr_t)op};
    return _cmocka_run_group_tests("ops", tests, n, NULL, NULL);
}
