/* What names stand for: `=`.
 *
 * A definition binds a name, and tells the graph of it: a var or input gets its name, a formula
 * that is worth one its label, by which it is printed. When a name comes to stand for something
 * else, the old thing must no longer print under it; what still uses the old thing is announced. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/index.h"
#include "interp/module.h"
#include "interp/store.h"
#include "runtime/ops/view.h"
#include "runtime/graph/assume.h"

#include <string.h>

/* The i-th part along the first axis, as a formula: v[i]. */
static bool formula_row(tg_interp *in, tg_value v, int i, tg_value *out) {
    const tg_slice_item item = {.kind = TG_SLICE_INDEX, .start = tg_slice_at(i), .step = 1};
    tg_attrs at = {0};
    if (!tg_slice_attrs(&in->rt, &v.as.node->type, 1, &item, &at)) return false;
    tg_node *n = tg_node_make(&in->rt, tg_op_slice(), 1, &v.as.node, &at);
    if (n) *out = tg_value_formula(n, v.assumed);
    return n != NULL;
}

bool tg_unpack(tg_interp *in, tg_value v, int n, tg_value *out) {
    int64_t have = tg_is_container(v)                                  ? v.as.items->n
                   : v.tag == TG_V_TENSOR                              ? v.as.tensor->v.dim[0]
                   : v.tag == TG_V_FORMULA && v.as.node->type.rank > 0 ? v.as.node->type.dim[0]
                                                                       : -1;
    if (have < 0)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be taken apart into %d names",
                       tg_value_kind(v), n);
    if (have != n)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "there are %d names but %lld value%s", n,
                       (long long)have, have == 1 ? "" : "s");
    for (int i = 0; i < n; i++) {
        bool ok =
            v.tag == TG_V_FORMULA ? formula_row(in, v, i, &out[i]) : tg_item_at(in, v, i, &out[i]);
        if (ok) continue;
        while (i-- > 0) {
            tg_value_drop(out[i]);
            out[i] = TG_NONE_VALUE;
        }
        return false;
    }
    return true;
}

/* Does a formula under some user's name, other than `name` itself, read the cell? Gives that name.
 */
static const char *reader_of(tg_interp *in, const char *name, const tg_node *leaf) {
    for (size_t i = 0; i < in->globals->n; i++) {
        const struct tg_binding *b = &in->globals->items[i];
        if (b->name != name && !tg_module_names_answer(b->name) && b->value.tag == TG_V_FORMULA &&
            b->value.as.node != leaf && tg_node_depends(&in->rt, b->value.as.node, leaf))
            return b->name;
    }
    return NULL;
}

/* The name of an input that was declared with that size. */
static const char *sized_by(const tg_interp *in, tg_size size) {
    for (size_t i = 0; i < in->globals->n; i++) {
        const struct tg_binding *b = &in->globals->items[i];
        const tg_cell *c = tg_value_cell(b->value);
        for (int k = 0; c && k < c->type.rank; k++)
            if (c->type.dim[k] == size) return b->name;
    }
    return NULL;
}

/* What is assumed of a cell stays with it when its name goes on to something else. */
static void tell_assumptions(tg_interp *in, const tg_cell *c, const char *name) {
    uint32_t on = tg_assume_on_cell(&in->rt, c);
    for (int i = 0; i < TG_FACTS; i++)
        if (on >> i & 1)
            tg_remark(in, "the assumption %s stays with the %s that %s was",
                      tg_assume_text(&in->rt, i), c->kind == TG_CELL_VAR ? "var" : "input", name);
}

void tg_let_go(tg_interp *in, const char *name, tg_value old) {
    tg_cell *c = tg_value_cell(old);
    if (c && c->name == name) {
        const char *reader = reader_of(in, name, old.as.node);
        if (reader)
            tg_remark(in,
                      "%s still uses the %s that %s was; to change its value write %s := ..., to "
                      "let formulas mean the new %s :rebind %s",
                      reader, c->kind == TG_CELL_VAR ? "var" : "input", name, name, name, name);
        tell_assumptions(in, c, name);
        c->was = name;
        c->name = NULL;
    } else if (old.tag == TG_V_FORMULA && old.as.node->op == &tg_op_size) {
        const char *input = sized_by(in, old.as.node->leaf.size);
        if (input)
            tg_remark(in, "%s keeps the size that %s was, which its data decide: %s := ...", input,
                      name, input);
    } else if (old.tag == TG_V_FORMULA && old.as.node->label == name) {
        old.as.node->label = NULL;
    } else if (old.tag == TG_V_TENSOR && old.as.tensor->refs > 1) {
        tg_node *n = tg_node_of_const(&in->rt, old.as.tensor);
        if (n && n->label == name) n->label = NULL;
    }
}

/* Is the cell called p.w, for a name p? */
static bool is_part_of(const tg_cell *c, const char *name) {
    size_t len = strlen(name);
    return c && c->name && strncmp(c->name, name, len) == 0 && strchr(".[", c->name[len]);
}

/* p = p - 0.1 * grad(L, p), where p := ... was meant. Names that only look into a record of another
 * name, as in for p in net.layers, may go on to something else. */
static void let_go_parts(tg_interp *in, const char *name, tg_value old) {
    for (int i = 0; tg_is_container(old) && i < old.as.items->n; i++) {
        tg_value part = old.as.items->v[i];
        if (!is_part_of(tg_value_cell(part), name)) continue;
        const char *reader = reader_of(in, name, part.as.node);
        if (!reader) continue;
        tg_remark(in, "%s still uses the vars in what %s was; to change them write %s := ...",
                  reader, name, name);
        return;
    }
}

/* The cells in what the name was are not called p.w any more. */
static void unname_parts(const char *name, tg_value old) {
    for (int i = 0; tg_is_container(old) && i < old.as.items->n; i++) {
        tg_cell *c = tg_value_cell(old.as.items->v[i]);
        if (is_part_of(c, name)) c->name = NULL;
        unname_parts(name, old.as.items->v[i]);
    }
}

enum { GROWN = 1000, LOOK_DEPTH = 4 };

static bool contains(const tg_node *n, const tg_node *part, int depth) {
    if (n == part) return true;
    for (int i = 0; depth > 0 && i < n->n; i++)
        if (contains(n->arg[i], part, depth - 1)) return true;
    return false;
}

/* total = total + cost, turn after turn: counted at the place in the source. */
static void watch_growth(tg_interp *in, const tg_ast *target, tg_value old, tg_value v) {
    if (old.tag != TG_V_FORMULA || v.tag != TG_V_FORMULA || tg_value_cell(old)) return;
    intptr_t turns = (intptr_t)target->note;
    if (turns > GROWN || old.as.node == v.as.node || !contains(v.as.node, old.as.node, LOOK_DEPTH))
        return;
    ((tg_ast *)target)->note =
        (void *)(turns + 1); /* with `seen`, all that the evaluator writes into a tree */
    if (turns == GROWN)
        tg_remark(in,
                  "the formula %s has grown by itself %d times; to add up values write %s := ...",
                  target->name, GROWN, target->name);
}

/* The cells in a record or tuple are called params.W, pair[0]. One for whose name there is no
 * memory has none. */
static void name_cells(tg_interp *in, const char *name, tg_value v) {
    tg_cell *c = tg_value_cell(v);
    if (c && !c->name) c->name = name;
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++) {
        tg_value x = v.as.items->v[i];
        if (!tg_is_live(x)) continue;
        tg_str s = {0};
        if (v.tag == TG_V_RECORD)
            tg_str_addf(&s, "%s.%s", name, v.as.items->field[i]);
        else
            tg_str_addf(&s, "%s[%d]", name, i);
        const char *part = s.failed ? NULL : tg_intern(&in->rt.c, tg_str_text(&s), s.len);
        tg_str_free(&s);
        if (part)
            name_cells(in, part, x);
        else
            tg_clear(&in->rt.c);
    }
}

/* An elementwise operation on names is as short as a name, and easier to read: y = x^2 does not
 * make 1 / x^2 print as 1 / y. */
static bool worth_a_name(const tg_node *n) {
    for (int i = 0; i < n->n; i++)
        if (n->arg[i]->n > 0) return true;
    return n->n > 0 && n->op->class != TG_CLASS_ELEMENTWISE;
}

/* sin = 3: from here on sin is no function. Said where a name of tg's first becomes something that
 * cannot be called. */
static void tell_hidden(tg_interp *in, const char *name, tg_value v) {
    const tg_value *hidden = tg_lookup(in, in->globals, name);
    bool called = hidden && (hidden->tag == TG_V_OP || hidden->tag == TG_V_BUILTIN ||
                             hidden->tag == TG_V_FUNCTION);
    if (called && v.tag != TG_V_FUNCTION && v.tag != TG_V_OP && v.tag != TG_V_BUILTIN)
        tg_remark(in, "%s is %s from here on, and hides the function %s of tg", name,
                  tg_value_kind(v), name);
}

bool tg_define(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v) {
    const char *name = target->name;
    if (!tg_env_reserve(env, 1)) {
        tg_value_drop(v);
        return tg_fail_memory(&in->rt.c);
    }
    tg_value *old = tg_env_find(env, name);
    if (old) watch_growth(in, target, *old, v);
    if (env == in->globals && !old) tell_hidden(in, name, v);
    if (env == in->globals) {
        tg_cell *c = tg_value_cell(v);
        bool same = old && old->tag == v.tag && v.tag == TG_V_FORMULA && old->as.node == v.as.node;
        if (old && !same) {
            tg_let_go(in, name, *old);
            let_go_parts(in, name, *old);
            unname_parts(name, *old);
        }
        name_cells(in, name, v);
        if (v.tag == TG_V_FORMULA && !c && !v.as.node->label && worth_a_name(v.as.node))
            v.as.node->label = name;
    }
    return tg_env_set(env, name, v) || tg_fail_memory(&in->rt.c);
}
