/* Names and cells: what `=` and `:=` do.
 *
 * `:=` works in three steps. All right sides are evaluated in one pass over the shared graph. All
 * targets are checked, and a list of writes is made. Then the writes are done, which cannot fail:
 * so an error or an interrupt leaves everything as it was. */
#include "interp/store.h"
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"

#include <string.h>

tg_cell *tg_value_cell(tg_value v) {
    if (v.tag != TG_V_FORMULA || v.as.node->op != &tg_op_cell) return NULL;
    tg_cell *c = v.as.node->leaf.cell;
    return c->kind == TG_CELL_LIFT ? NULL : c;
}

static bool has_cells(tg_value v) {
    if (tg_value_cell(v)) return true;
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (has_cells(v.as.items->v[i])) return true;
    return false;
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
    const tg_op *slice = tg_op_find("narrow"), *squeeze = tg_op_find("squeeze");
    for (int i = 0; i < n; i++) {
        if (tg_is_container(v)) {
            out[i] = tg_value_hold(v.as.items->v[i]);
            continue;
        }
        tg_value row;
        tg_argument cut[4] = {{.value = v},
                              {.value = tg_value_number(0)},
                              {.value = tg_value_number(i)},
                              {.value = tg_value_number(1)}};
        bool ok = tg_call_op(in, slice, 4, cut, &row);
        if (ok) {
            tg_argument flat[2] = {{.value = row}, {.value = tg_value_number(0)}};
            ok = tg_call_op(in, squeeze, 2, flat, &out[i]);
            tg_value_drop(row);
        }
        if (ok) continue;
        while (i-- > 0) {
            tg_value_drop(out[i]);
            out[i] = TG_NONE_VALUE;
        }
        return false;
    }
    return true;
}

/* ---- definitions ---- */

/* Does a formula under some user's name, other than `name` itself, read the cell? Gives that name.
 */
static const char *reader_of(tg_interp *in, const char *name, const tg_node *leaf) {
    for (size_t i = 0; i < in->globals->n; i++) {
        const struct tg_binding *b = &in->globals->items[i];
        if (b->name != name && strcmp(b->name, "ans") != 0 && b->value.tag == TG_V_FORMULA &&
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

/* The name is about to stand for something else: formulas keep the old thing, so it must not print
 * under the name. */
static void let_go(tg_interp *in, const char *name, tg_value old) {
    tg_cell *c = tg_value_cell(old);
    if (c && c->name == name) {
        const char *reader = reader_of(in, name, old.as.node);
        if (reader)
            tg_remark(in, "%s still uses the %s that %s was; to change its value write %s := ...",
                      reader, c->kind == TG_CELL_VAR ? "var" : "input", name, name);
        c->name = NULL;
    } else if (old.tag == TG_V_FORMULA && old.as.node->op == &tg_op_size) {
        const char *input = sized_by(in, old.as.node->leaf.size);
        if (input)
            tg_remark(in, "%s keeps the size that %s was, which its data decide: %s := ...", input,
                      name, input);
    } else if (old.tag == TG_V_FORMULA && old.as.node->label == name) {
        old.as.node->label = NULL;
    } else if (old.tag == TG_V_TENSOR && old.as.tensor->refs > 1) {
        tg_node *n = tg_node_const(&in->rt, old.as.tensor, NULL);
        if (n && n->label == name) n->label = NULL;
        if (!n) tg_clear(&in->rt.c);
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
        (void *)(turns + 1); /* the one thing the evaluator writes into a tree */
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

bool tg_define(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v) {
    const char *name = target->name;
    if (!tg_env_reserve(env, 1)) {
        tg_value_drop(v);
        return tg_fail_memory(&in->rt.c);
    }
    tg_value *old = tg_env_find(env, name);
    if (old) watch_growth(in, target, *old, v);
    if (env == in->globals) {
        tg_cell *c = tg_value_cell(v);
        bool same = old && old->tag == v.tag && v.tag == TG_V_FORMULA && old->as.node == v.as.node;
        if (old && !same) let_go(in, name, *old);
        name_cells(in, name, v);
        if (v.tag == TG_V_FORMULA && !c && !v.as.node->label && worth_a_name(v.as.node))
            v.as.node->label = name;
    }
    return tg_env_set(env, name, v) || tg_fail_memory(&in->rt.c);
}

/* ---- stores ---- */

/* One write to be done: into a cell, or of a plain value under a name. */
typedef struct pending {
    tg_cell *cell;
    tg_tensor *tensor;
    tg_env *env;
    const char *name;
    tg_value value;
} pending;

typedef struct writes {
    pending *item;
    size_t n, cap;
} writes;

static bool add_write(tg_interp *in, writes *w, pending one) {
    void *p = w->item;
    bool ok = tg_grow(&p, &w->cap, w->n + 1, sizeof *w->item);
    w->item = p;
    if (ok)
        w->item[w->n++] = one;
    else
        tg_fail_memory(&in->rt.c);
    return ok;
}

static void forget(writes *w) {
    for (size_t i = 0; i < w->n; i++) {
        tg_tensor_drop(w->item[i].tensor);
        if (!w->item[i].cell) tg_value_drop(w->item[i].value);
    }
    tg_free(w->item);
}

/* Shape and type are checked; the tensor is converted to the cell's type. */
static bool write_cell(tg_interp *in, writes *w, tg_cell *c, tg_value v) {
    tg_tensor *t;
    const char *name = c->name ? c->name : "the variable";
    if (!tg_to_tensor(in, v, name, &t)) return false;
    bool fits = t->v.rank == c->type.rank;
    for (int i = 0; fits && i < t->v.rank; i++)
        fits = c->type.dim[i] < 0 || c->type.dim[i] == t->v.dim[i];
    if (!fits) {
        const char *want = tg_shape_text(&in->rt, c->type.rank, c->type.dim),
                   *have = tg_shape_text(&in->rt, t->v.rank, t->v.dim);
        if (c->type.rank == 0)
            tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s is a number, but the value has shape %s", name,
                    have);
        else if (t->v.rank == 0)
            tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s has shape %s, but the value is a number", name,
                    want);
        else
            tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s has shape %s, but the value has shape %s", name,
                    want, have);
        if (t->v.rank == 0 && c->value)
            tg_help(&in->rt.c, "to fill it write %s[...] := the number", name);
        else if (c->kind == TG_CELL_VAR)
            tg_help(&in->rt.c, "`%s = var(...)` makes a new variable of another shape", name);
        tg_tensor_drop(t);
        return false;
    }
    if (t->v.dtype != c->type.dtype) {
        tg_tensor *converted = tg_tensor_convert(&in->rt.c, &t->v, c->type.dtype);
        tg_tensor_drop(t);
        if (!(t = converted)) return false;
    }
    if (add_write(in, w, (pending){.cell = c, .tensor = t})) return true;
    tg_tensor_drop(t);
    return false;
}

/* New values into a structure that holds cells: each cell is written, each plain leaf replaced.
 * *out: the structure as the name shall hold it. */
static bool merge(tg_interp *in, writes *w, tg_value now, tg_value v, tg_value *out) {
    tg_cell *c = tg_value_cell(now);
    if (c) {
        *out = tg_value_hold(now);
        return (v.tag == TG_V_FORMULA && v.as.node == now.as.node) || write_cell(in, w, c, v);
    }
    if (!has_cells(now)) {
        *out = tg_value_hold(v);
        return true;
    }
    int n = now.as.items->n, all = n;
    bool records = now.tag == TG_V_RECORD && v.tag == TG_V_RECORD;
    if (records && v.as.items->n > n) all = v.as.items->n; /* with new fields at the end */
    if (!tg_guard(&in->rt.c)) return false;
    tg_value parts = TG_NONE_VALUE, made;
    bool ok = tg_value_items(&in->rt.c, TG_V_TUPLE, all, &parts) &&
              tg_unpack(in, v, all, parts.as.items->v);
    for (int i = 0; ok && records && i < n; i++)
        if (v.as.items->field[i] != now.as.items->field[i])
            ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "the fields do not match: %s where %s was",
                         v.as.items->field[i], now.as.items->field[i]);
    ok = ok && tg_value_items(&in->rt.c, now.tag, all, &made);
    if (ok) {
        for (int i = 0; ok && i < all; i++) {
            tg_value *slot = &made.as.items->v[i];
            if (now.tag == TG_V_RECORD)
                made.as.items->field[i] = i < n ? now.as.items->field[i] : v.as.items->field[i];
            if (i < n)
                ok = merge(in, w, now.as.items->v[i], parts.as.items->v[i], slot);
            else
                *slot = tg_value_hold(parts.as.items->v[i]);
        }
        if (!ok)
            tg_value_drop(made);
        else
            ok = tg_value_seal(&in->rt.c, made, out);
    }
    tg_value_drop(parts);
    return ok;
}

/* Where a plain name is kept: the innermost scope that has it, else the current one. */
static tg_env *home_of(tg_interp *in, tg_env *env, const char *name) {
    for (tg_env *e = env; e && e != in->library; e = e->parent)
        if (tg_env_find(e, name)) return e;
    return tg_env_find(in->globals, name) ? in->globals : env;
}

/* Takes v. */
static bool prepare(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v, writes *w) {
    if (!tg_guard(&in->rt.c)) {
        tg_value_drop(v);
        return tg_blame(in, target);
    }
    tg_value now, whole = TG_NONE_VALUE;
    bool ok;
    if (target->kind == TG_AST_NAME) {
        tg_env *home = home_of(in, env, target->name);
        tg_value *old = tg_env_find(home, target->name);
        ok = old && has_cells(*old) ? merge(in, w, *old, v, &whole) : true;
        if (old && has_cells(*old)) {
            tg_value_drop(v);
            v = whole;
        }
        if (ok && old && tg_value_cell(*old)) {
            tg_value_drop(v);
            return true;
        }
        ok = ok && add_write(in, w, (pending){.env = home, .name = target->name, .value = v});
        if (!ok) tg_value_drop(v);
        return ok || tg_blame(in, target);
    }
    if (!tg_eval(in, env, target->kids[0], &now)) {
        tg_value_drop(v);
        return false;
    }
    if (target->kind == TG_AST_INDEX) {
        tg_cell *c = tg_value_cell(now);
        tg_value base = TG_NONE_VALUE;
        ok = tg_value_now(in, now, &base) && tg_index_replace(in, env, target, base, v, &whole);
        tg_value_drop(base);
        if (ok && c) {
            ok = write_cell(in, w, c, whole);
            tg_value_drop(whole);
            tg_value_drop(v);
            tg_value_drop(now);
            return ok || tg_blame(in, target);
        }
    } else {
        tg_value *field = now.tag == TG_V_RECORD ? tg_value_field(now, target->name) : NULL;
        if (now.tag != TG_V_RECORD) {
            ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "%s has no fields, so .%s cannot be stored",
                         tg_value_kind(now), target->name);
        } else {
            int n = now.as.items->n + !field;
            ok = tg_value_items(&in->rt.c, TG_V_RECORD, n, &whole);
            for (int i = 0; ok && i < now.as.items->n; i++) {
                whole.as.items->field[i] = now.as.items->field[i];
                tg_value *slot = &whole.as.items->v[i];
                tg_value *old = &now.as.items->v[i];
                if (old != field)
                    *slot = tg_value_hold(*old);
                else
                    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): old is in an array */
                    ok = merge(in, w, *old, v, slot);
            }
            if (ok && !field) {
                whole.as.items->field[n - 1] = target->name;
                whole.as.items->v[n - 1] = tg_value_hold(v);
            }
            if (!ok)
                tg_value_drop(whole);
            else
                ok = tg_value_seal(&in->rt.c, whole, &whole);
        }
    }
    tg_value_drop(v);
    tg_value_drop(now);
    return ok ? prepare(in, env, target->kids[0], whole, w) : tg_blame(in, target);
}

/* Sizes that one statement binds must agree: X[N, ..] and Y[N, ..] of the same length. */
static bool sizes_agree(tg_interp *in, const writes *w) {
    tg_size_binding b = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < w->n; i++) {
        const tg_cell *c = w->item[i].cell;
        if (c && c->kind == TG_CELL_INPUT)
            ok = tg_size_bind(&in->rt, &b, c->name ? c->name : "the input", c->type.rank,
                              c->type.dim, w->item[i].tensor->v.rank, w->item[i].tensor->v.dim);
    }
    tg_size_binding_free(&b);
    return ok;
}

static bool commit(tg_interp *in, writes *w) {
    for (size_t i = 0; i < w->n; i++)
        if (!w->item[i].cell && !tg_env_reserve(w->item[i].env, w->n))
            return tg_fail_memory(&in->rt.c);
    for (size_t i = 0; i < w->n; i++) {
        pending *one = &w->item[i];
        if (one->cell) continue;
        tg_value *old = tg_env_find(one->env, one->name);
        if (one->env == in->globals && old && old->tag != TG_V_NUMBER) let_go(in, one->name, *old);
        tg_value v = one->value;
        one->value = TG_NONE_VALUE;
        if (!tg_env_set(one->env, one->name, v)) return tg_fail_memory(&in->rt.c);
    }
    for (size_t i = 0; i < w->n; i++) {
        pending *one = &w->item[i];
        if (!one->cell) continue;
        tg_tensor_drop(one->cell->value);
        one->cell->value = one->tensor;
        one->cell->version++;
        one->tensor = NULL;
    }
    return true;
}

bool tg_store_all(tg_interp *in, tg_env *env, int n, tg_ast *const *targets, tg_value *values) {
    writes w = {0};
    bool ok = true;
    for (int i = 0; i < n; i++) {
        tg_value v = values[i];
        values[i] = TG_NONE_VALUE;
        if (ok)
            ok = prepare(in, env, targets[i], v, &w);
        else
            tg_value_drop(v);
    }
    ok = ok && sizes_agree(in, &w) && commit(in, &w);
    forget(&w);
    return ok;
}

/* The right sides as one tuple; op= first combines with the target. */
static bool right_sides(tg_interp *in, tg_env *env, const tg_ast *s, tg_value tuple) {
    static const char *const ops[][2] = {{"+", "add"}, {"-", "sub"}, {"*", "mul"}, {"/", "div"}};
    int n = s->n - s->ntargets;
    for (int i = 0; i < n; i++) {
        tg_value *slot = &tuple.as.items->v[i];
        if (!tg_eval(in, env, s->kids[s->ntargets + i], slot)) return false;
        if (!s->op) continue;
        tg_value now, sum;
        if (!tg_eval(in, env, s->kids[0], &now)) return false;
        const char *op = "add";
        for (size_t k = 0; k < sizeof ops / sizeof *ops; k++)
            if (strcmp(ops[k][0], s->op) == 0) op = ops[k][1];
        tg_argument arg[2] = {{.value = now, .ast = s->kids[0]},
                              {.value = *slot, .ast = s->kids[1]}};
        bool ok;
        if (now.tag == TG_V_NUMBER && slot->tag == TG_V_NUMBER) {
            double a = now.as.number, b = slot->as.number;
            sum = tg_value_number(s->op[0] == '+'   ? a + b
                                  : s->op[0] == '-' ? a - b
                                  : s->op[0] == '*' ? a * b
                                                    : a / b);
            ok = true;
        } else if (now.tag == TG_V_STRING && slot->tag == TG_V_STRING && s->op[0] == '+') {
            tg_str text = {0};
            tg_str_addn(&text, now.as.text->bytes, now.as.text->len);
            tg_str_addn(&text, slot->as.text->bytes, slot->as.text->len);
            ok = text.failed ? tg_fail_memory(&in->rt.c)
                             : tg_value_string(&in->rt.c, tg_str_text(&text), text.len, &sum);
            tg_str_free(&text);
        } else {
            ok = tg_call_op(in, tg_op_find(op), 2, arg, &sum);
        }
        tg_value_drop(now);
        if (!ok) return tg_blame(in, s);
        tg_value_drop(*slot);
        *slot = sum;
    }
    return true;
}

bool tg_store_statement(tg_interp *in, tg_env *env, const tg_ast *s) {
    bool outer = in->computing, ok;
    int lift = in->lift_next;
    tg_value tuple, values = TG_NONE_VALUE;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, s->n - s->ntargets, &tuple)) return tg_blame(in, s);
    in->rt.tick++;
    in->computing = true;
    ok = right_sides(in, env, s, tuple) && tg_value_now(in, tuple, &values);
    in->computing = outer;
    in->lift_next = lift;
    tg_value_drop(tuple);
    if (ok && s->n - s->ntargets == 1 && s->ntargets > 1) {
        tg_value parts = TG_NONE_VALUE;
        ok = tg_value_items(&in->rt.c, TG_V_TUPLE, s->ntargets, &parts) &&
             tg_unpack(in, values.as.items->v[0], s->ntargets, parts.as.items->v);
        tg_value_drop(values);
        values = parts;
    }
    /* stored containers stay what they are; a settled list is a tensor */
    for (int i = 0; ok && i < s->ntargets; i++)
        ok = tg_list_settle(in, values.as.items->v[i], &values.as.items->v[i]);
    ok = ok && tg_store_all(in, env, s->ntargets, s->kids, values.as.items->v);
    tg_value_drop(values);
    return ok || tg_blame(in, s);
}
