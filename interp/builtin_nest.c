/* The leaves of a nesting, and the way back: leaves and nest.
 *
 * Parameters are records, tuples and lists of tensors, in any depth. What is elementwise goes into
 * them by itself; what looks at all of them at once, as the norm of a gradient does, asks for the
 * leaves, and what makes other tensors of them puts these into the same form. A list becomes a
 * tuple there, as in what grad gives: a list of tensors of one shape would be stacked. */
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/index.h"

/* Of a value that nobody else holds. */
void tg_lists_to_tuples(tg_value *v) {
    if (!tg_is_container(*v)) return;
    if (v->tag == TG_V_LIST) v->tag = TG_V_TUPLE;
    for (int i = 0; i < v->as.items->n; i++) tg_lists_to_tuples(&v->as.items->v[i]);
}

/* ---- leaves ---- */

typedef struct row {
    int n;
    tg_value *v; /* NULL: they are counted only */
} row;

static bool add_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)in;
    row *r = user;
    *out = TG_NONE_VALUE;
    if (r->v) r->v[r->n] = tg_value_hold(v);
    r->n++;
    return true;
}

static bool count_leaves(tg_interp *in, tg_value v, row *r) {
    tg_value skeleton;
    bool ok = tg_map_leaves(in, v, add_leaf, r, &skeleton);
    tg_value_drop(skeleton);
    return ok;
}

static bool run_leaves(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    row counted = {0};
    tg_value made;
    if (!count_leaves(in, args[0].value, &counted) ||
        !tg_value_items(&in->rt.c, TG_V_TUPLE, counted.n, &made))
        return false;
    row filled = {.v = made.as.items->v};
    if (count_leaves(in, args[0].value, &filled)) return tg_value_seal(&in->rt.c, made, out);
    tg_value_drop(made);
    return false;
}

/* ---- vars ---- */

/* An error for what is no var. */
static bool refuse(tg_interp *in, tg_value v) {
    const tg_cell *c = tg_value_cell(v);
    const char *name = c ? c->name : v.tag == TG_V_FORMULA ? v.as.node->label : NULL;
    const char *is = c ? "an input" : tg_value_kind(v);
    if (name)
        tg_fail(&in->rt.c, TG_ERR_TYPE, "variables are wanted, and %s is %s", name, is);
    else
        tg_fail(&in->rt.c, TG_ERR_TYPE, "variables are wanted, and there is %s", is);
    return tg_help(&in->rt.c, "W = var(zeros(3)) makes one, net = var({W: zeros(3), b: 0}) two");
}

static bool run_vars(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    tg_value all;
    if (!run_leaves(in, n, args, &all)) return false;
    for (int i = 0; i < all.as.items->n; i++) {
        tg_value v = all.as.items->v[i];
        const tg_cell *c = tg_value_cell(v);
        if (c && c->kind == TG_CELL_VAR) continue;
        refuse(in, v);
        tg_value_drop(all);
        return false;
    }
    *out = all;
    return true;
}

/* ---- nest ---- */

/* What the leaves are taken from, one by one: the items of a container, the rows of a tensor. */
typedef struct source {
    tg_value of;
    int64_t at, n;
} source;

static bool put(tg_interp *in, tg_value like, source *s, tg_value *out) {
    if (!tg_is_container(like)) return tg_item_at(in, s->of, s->at++, out);
    const tg_items *form = like.as.items;
    tg_value made;
    if (!tg_guard(&in->rt.c) ||
        !tg_value_items(&in->rt.c, form->field ? TG_V_RECORD : TG_V_TUPLE, form->n, &made))
        return false;
    for (int i = 0; i < form->n; i++) {
        if (form->field) made.as.items->field[i] = form->field[i];
        if (put(in, form->v[i], s, &made.as.items->v[i])) continue;
        made.as.items->v[i] = TG_NONE_VALUE;
        tg_value_drop(made);
        return false;
    }
    return tg_value_seal(&in->rt.c, made, out);
}

static bool run_nest(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    row like = {0};
    source s = {.of = args[0].value};
    if (tg_is_container(s.of))
        s.n = s.of.as.items->n;
    else if (s.of.tag == TG_V_TENSOR)
        s.n = s.of.as.tensor->v.dim[0];
    else
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "nest wants the leaves as a tuple or a list, not %s",
                       tg_value_kind(s.of));
    if (!count_leaves(in, args[1].value, &like)) return false;
    if (like.n != s.n) {
        tg_fail(&in->rt.c, TG_ERR_VALUE, "a nesting of %d leaves cannot be made of %lld", like.n,
                (long long)s.n);
        return tg_help(&in->rt.c, "leaves(x) are those of x, in the order of nest");
    }
    return put(in, args[1].value, &s, out);
}

const tg_builtin tg_builtins_nest[] = {
    {"leaves", "leaves(x)",
     "The tuple of all that a nesting of records, tuples and lists holds, in order: of the "
     "parameters of a net all its tensors. nest(v, x) is the way back.",
     "leaves({a: 1, b: (2, {c: [3, 4]})})", "(1, 2, [3, 4])", run_leaves, true, false},
    {"vars", "vars(x)",
     "The tuple of the variables that a nesting of records, tuples and lists holds: leaves(x), and "
     "an error where one is no var. So an optimizer looks at what it is to move.",
     "vars(var({a: 1, b: [2, 3]}))", "(1, [2, 3])", run_vars, true, false},
    {"nest", "nest(things, like)",
     "The things of a tuple or list in the form of a nesting that has as many leaves. A list "
     "becomes a tuple, as in the gradients that grad gives.",
     "nest((5, 6, 7), {a: 1, b: (2, 3)})", "{a: 5, b: (6, 7)}", run_nest, true, false},
    {0},
};
