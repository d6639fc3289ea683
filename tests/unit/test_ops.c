/* Tests that the registry generates, one for each record: it is documented; the shape and type
 * predicted for its result, with known and with symbolic sizes, are the computed ones; a plan,
 * eager evaluation and the naive reference kernel give the same values; and what is printed is read
 * back as the same node. A record for which nothing could be checked fails. */
#include "op_cases.h"
#include "eager.h"

#include "runtime/ops/random.h"

#include <stddef.h>

static bool tensors_agree(const tg_view *a, const tg_view *b, double tolerance) {
    if (!tg_shape_equal(a->rank, a->dim, b->rank, b->dim)) return false;
    for (int64_t i = 0; i < tg_view_count(a); i++)
        if (!close_to(tg_view_get(a, i), tg_view_get(b, i), tolerance)) return false;
    return true;
}

/* ---- values ---- */

/* The root once more by its reference kernel, on contiguous arguments. */
static tg_tensor *reference_value(tg_rt *rt, const eager *e) {
    const tg_node *x = e->node[e->n - 1];
    tg_type in[16], out = {0};
    tg_dtype want[16];
    tg_view view[16];
    tg_tensor *made[16] = {0}, *t = NULL;
    for (int i = 0; i < x->n; i++) {
        const tg_tensor *v = e->value[eager_find(e, x->arg[i])];
        in[i] = x->arg[i]->type;
        memcpy(in[i].dim, v->v.dim, sizeof in[i].dim);
        want[i] = in[i].dtype;
    }
    bool ok = x->op->infer(rt, x->op, x->n, in, x->at, &out, want);
    for (int i = 0; ok && i < x->n; i++) {
        made[i] = tg_tensor_convert(&rt->c, &e->value[eager_find(e, x->arg[i])]->v, want[i]);
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

static tg_node *with_stream(world *w, bool live) {
    tg_attrs at = *w->root->at;
    tg_random_attrs(&w->rt, &at, live);
    return tg_node_make(&w->rt, w->root->op, w->root->n, w->root->arg, &at);
}

/* A draw is a function of seed and stream, and of the tick when it is a live one: again the same,
 * and another one when these change. */
static void check_random(report *r, world *w) {
    static const char *const what[] = {"a stream",      "the same stream", "another stream",
                                       "another seed",  "another tick",    "a live one",
                                       "the same tick", "a later tick"};
    tg_node *a = with_stream(w, false), *b = with_stream(w, false), *live = with_stream(w, true);
    tg_node *drawn[] = {a, a, b, a, a, live, live, live};
    const int like[] = {0, 0, 0, 0, 0, 5, 5, 5}, same[] = {1, 1, 0, 0, 1, 1, 1, 0};
    tg_tensor *t[8] = {0};
    for (int i = 0; i < 8; i++) {
        w->rt.seed = i == 3;
        w->rt.tick = i == 4 || i == 7;
        if (!drawn[i] || !tg_plan_eval(&w->rt, 1, &drawn[i], &t[i])) {
            complain(r, w, "a draw fails", w->rt.c.diag.msg);
            break;
        }
        bool many = tg_view_count(&t[i]->v) >= 6; /* fewer may agree by chance */
        if ((same[i] || many) && tensors_agree(&t[like[i]]->v, &t[i]->v, 0) != same[i])
            complain(r, w, "the draw depends on the wrong things", what[i]);
    }
    for (int i = 0; i < 8; i++) tg_tensor_drop(t[i]);
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
            if (symbolic == 0 && is_random(w.root)) check_random(r, &w);
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
    return test_each_record("ops", check_record);
}
