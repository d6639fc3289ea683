/* What `:=` does.
 *
 * It works in three steps. All right sides are evaluated in one pass over the shared graph. All
 * targets are checked, and a list of writes is made. Then the writes are done, which cannot fail:
 * so an error or an interrupt leaves everything as it was.
 *
 * A target is a path: a name, then fields and indices. It is followed to its end, the value is put
 * in there, and the changed thing is the value for the path without its last step, up to the name;
 * a var or input on the way takes the value itself. Each target starts from what the ones before it
 * are going to write, so that x[0], x[1] := 5, 6 changes both; indices are read from what is there
 * now. */
#include "interp/store.h"
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/element.h"
#include "interp/index.h"
#include "interp/nonfinite.h"
#include "interp/resolve.h"
#include "runtime/graph/assume.h"

#include <string.h>

/* One write to be done: a tensor into a cell, or (cell NULL) a value under a name. */
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
        tg_value_drop(w->item[i].value);
    }
    tg_free(w->item);
}

/* ---- what is there, with the writes to come ---- */

/* Where a plain name is kept: the innermost scope that has it, else the current one. What the
 * library keeps to itself is never a name of the user's. */
tg_env *tg_store_home(tg_interp *in, tg_env *env, const char *name) {
    tg_env *e = env;
    for (; e && e != in->library; e = e->parent)
        if (tg_env_find(e, name)) return e;
    return !e && tg_env_find(in->globals, name) ? in->globals : env;
}

static tg_tensor *coming_tensor(const writes *w, const tg_cell *c) {
    for (size_t i = w->n; i-- > 0;)
        if (w->item[i].cell == c) return w->item[i].tensor;
    return NULL;
}

static const tg_value *coming_value(const writes *w, const tg_env *env, const char *name) {
    for (size_t i = w->n; i-- > 0;)
        if (!w->item[i].cell && w->item[i].env == env && w->item[i].name == name)
            return &w->item[i].value;
    return NULL;
}

/* Takes v: a var or input that is about to be written becomes what it will hold. */
static tg_value opened(const writes *w, tg_value v) {
    const tg_cell *c = tg_value_cell(v);
    tg_tensor *t = c ? coming_tensor(w, c) : NULL;
    if (!t) return v;
    tg_value_drop(v);
    return tg_value_tensor(tg_tensor_hold(t));
}

/* What the path e leads to, with the writes to come. A var or input is given as itself. */
static bool follow(tg_interp *in, tg_env *env, const tg_ast *e, const writes *w, tg_value *out) {
    if (w->n == 0) return tg_eval(in, env, e, out);
    if (!tg_guard(&in->rt.c)) return tg_blame(in, e);
    if (e->kind == TG_AST_NAME) {
        const tg_value *v = coming_value(w, tg_store_home(in, env, e->name), e->name);
        if (!v) return tg_eval(in, env, e, out);
        *out = tg_value_hold(*v);
        return true;
    }
    tg_value base;
    if (!follow(in, env, e->kids[0], w, &base)) return false;
    base = opened(w, base);
    bool ok = e->kind == TG_AST_FIELD ? tg_field_of(in, e, base, out)
                                      : tg_index_of(in, env, e, base, out);
    tg_value_drop(base);
    return ok || tg_blame(in, e);
}

/* ---- into cells ---- */

bool tg_store_fits(const tg_cell *c, int rank, const int64_t *dim) {
    bool ok = rank == c->type.rank;
    for (int i = 0; ok && i < rank; i++) ok = c->type.dim[i] < 0 || c->type.dim[i] == dim[i];
    return ok;
}

static bool misfit(tg_interp *in, const tg_cell *c, const char *name, int rank,
                   const int64_t *dim) {
    const char *want = tg_shape_text(&in->rt, c->type.rank, c->type.dim),
               *have = tg_shape_text(&in->rt, rank, dim);
    if (c->type.rank == 0)
        tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s is a number, but the value has shape %s", name, have);
    else if (rank == 0)
        tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s has shape %s, but the value is a number", name, want);
    else
        tg_fail(&in->rt.c, TG_ERR_SHAPE, "%s has shape %s, but the value has shape %s", name, want,
                have);
    if (rank == 0 && c->type.rank > 0 && (c->value || in->checking))
        return tg_help(&in->rt.c, "to fill it write %s[...] := the number", name);
    return c->kind == TG_CELL_VAR && !strpbrk(name, ".[")
               ? tg_help(&in->rt.c, "`%s = var(...)` makes a new variable of another shape", name)
               : false;
}

/* Shape and type are checked; the tensor is converted to the cell's type. */
static bool write_cell(tg_interp *in, writes *w, tg_cell *c, tg_value v) {
    tg_tensor *t;
    const char *name = c->name ? c->name : "the variable";
    tg_type type;
    if (in->checking && tg_check_type(in, v, &type)) /* of a program that is only read: no more */
        return tg_store_fits(c, type.rank, type.dim) || misfit(in, c, name, type.rank, type.dim);
    if (!tg_to_tensor(in, v, name, &t)) return false;
    if (!tg_store_fits(c, t->v.rank, t->v.dim)) {
        misfit(in, c, name, t->v.rank, t->v.dim);
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

static bool has_cells(tg_value v) {
    if (tg_value_cell(v)) return true;
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (has_cells(v.as.items->v[i])) return true;
    return false;
}

static bool merge_items(tg_interp *in, writes *w, tg_value now, tg_value v, tg_value *out);

/* A new value for what may hold cells: each cell is written, each plain leaf replaced. *out: what
 * stands there afterwards; owned, also after a failure. */
static bool merge(tg_interp *in, writes *w, tg_value now, tg_value v, tg_value *out) {
    tg_cell *c = tg_value_cell(now);
    if (!c && has_cells(now)) return merge_items(in, w, now, v, out);
    *out = tg_value_hold(c ? now : v);
    bool itself = c && v.tag == TG_V_FORMULA && v.as.node == now.as.node;
    return !c || itself || write_cell(in, w, c, v);
}

/* Do the fields of v begin as those of `now` do? */
static bool in_order(const tg_items *now, const tg_items *v) {
    for (int i = 0; i < now->n; i++)
        if (i >= v->n || now->field[i] != v->field[i]) return false;
    return true;
}

/* v with the fields that `now` has first, in that order. *out owned. */
static bool put_in_order(tg_interp *in, tg_value now, tg_value v, tg_value *out) {
    const tg_items *old = now.as.items, *new = v.as.items;
    tg_value made;
    for (int i = 0; i < old->n; i++)
        if (!tg_value_field(v, old->field[i]))
            return tg_fail(&in->rt.c, TG_ERR_TYPE, "the fields do not match: %s is missing",
                           old->field[i]);
    if (!tg_value_items(&in->rt.c, TG_V_RECORD, new->n, &made)) return false;
    for (int i = 0; i < old->n; i++) {
        made.as.items->field[i] = old->field[i];
        made.as.items->v[i] = tg_value_hold(*tg_value_field(v, old->field[i]));
    }
    for (int i = 0, next = old->n; i < new->n; i++) {
        if (tg_value_field(now, new->field[i])) continue;
        made.as.items->field[next] = new->field[i];
        made.as.items->v[next++] = tg_value_hold(new->v[i]);
    }
    return tg_value_seal(&in->rt.c, made, out);
}

/* Fields are matched by name; a record may be given new ones behind those it has. */
static bool merge_items(tg_interp *in, writes *w, tg_value now, tg_value v, tg_value *out) {
    int n = now.as.items->n, all = n;
    bool records = now.tag == TG_V_RECORD && v.tag == TG_V_RECORD;
    if (records && v.as.items->n > n) all = v.as.items->n;
    if (!tg_guard(&in->rt.c)) return false;
    tg_value parts, made;
    if (records && !in_order(now.as.items, v.as.items)) {
        if (!put_in_order(in, now, v, &parts)) return false;
        bool ok = merge_items(in, w, now, parts, out);
        tg_value_drop(parts);
        return ok;
    }
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, all, &parts)) return false;
    bool ok =
        tg_unpack(in, v, all, parts.as.items->v) && tg_value_items(&in->rt.c, now.tag, all, &made);
    if (ok) {
        for (int i = 0; ok && i < all; i++) {
            tg_value *slot = &made.as.items->v[i];
            if (now.tag == TG_V_RECORD)
                made.as.items->field[i] = (i < n ? now : v).as.items->field[i];
            if (i < n)
                ok = merge(in, w, now.as.items->v[i], parts.as.items->v[i], slot);
            else
                *slot = tg_value_hold(parts.as.items->v[i]);
        }
        if (ok)
            ok = tg_value_seal(&in->rt.c, made, out);
        else
            tg_value_drop(made);
    }
    tg_value_drop(parts);
    return ok;
}

/* ---- targets ---- */

/* A closure made on the right side may keep formulas that hold the statement's lift slots. */
static bool keeps_scope(tg_value v) {
    if (v.tag == TG_V_FUNCTION) {
        const tg_function *f = v.as.function;
        while (f->primal) f = f->primal;
        if (f->by) return keeps_scope(f->native);
        return f->env != NULL;
    }
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (keeps_scope(v.as.items->v[i])) return true;
    return false;
}

/* Takes v. */
static bool write_name(tg_interp *in, tg_env *env, const char *name, tg_value v, writes *w) {
    tg_env *home = tg_store_home(in, env, name);
    const struct tg_binding *bound = tg_env_binding(home, name);
    const tg_value *old = bound && !bound->alias ? &bound->value : NULL;
    tg_value whole = TG_NONE_VALUE;
    if (old && has_cells(*old)) {
        bool ok = merge(in, w, *old, v, &whole);
        tg_value_drop(v);
        v = whole;
        if (!ok || tg_value_cell(*old)) { /* the name goes on standing for its cell */
            tg_value_drop(v);
            return ok;
        }
    }
    if (keeps_scope(v)) tg_lift_retire(in);
    if (add_write(in, w, (pending){.env = home, .name = name, .value = v})) return true;
    tg_value_drop(v);
    return false;
}

/* A copy of the container with v at its at-th place, which is behind the last for a new `field`. */
static bool replace_item(tg_interp *in, writes *w, tg_value base, int at, const char *field,
                         tg_value v, tg_value *out) {
    const tg_items *items = base.as.items;
    int n = at == items->n ? at + 1 : items->n;
    tg_value made;
    if (!tg_value_items(&in->rt.c, base.tag, n, &made)) return false;
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        tg_value *slot = &made.as.items->v[i];
        if (base.tag == TG_V_RECORD)
            made.as.items->field[i] = i < items->n ? items->field[i] : field;
        if (i == at && i < items->n)
            ok = merge(in, w, items->v[i], v, slot);
        else
            *slot = tg_value_hold(i == at ? v : items->v[i]);
    }
    if (ok) return tg_value_seal(&in->rt.c, made, out);
    tg_value_drop(made);
    return false;
}

/* The last step of a path into a container: the place, or for a new field of a record its name and
 * the place behind the last. */
static bool last_step(tg_interp *in, tg_env *env, const tg_ast *target, tg_value base, int *at,
                      const char **field) {
    *field = target->name;
    if (target->kind == TG_AST_INDEX) return tg_index_place(in, env, target, base, at, field);
    if (base.tag != TG_V_RECORD)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s has no fields, so .%s cannot be stored",
                       tg_value_kind(base), target->name);
    const tg_value *old = tg_value_field(base, target->name);
    if (!old && has_cells(base)) { /* a slip of the pen would train nothing */
        tg_value none;
        return tg_field_of(in, target, base, &none);
    }
    *at = old ? (int)(old - base.as.items->v) : base.as.items->n;
    return true;
}

/* Puts v at the end of the path. *whole: what the path without its last step shall stand for; none
 * when that is a cell, which is written. */
static bool put_in(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v, writes *w,
                   tg_value *whole) {
    tg_value base = TG_NONE_VALUE, now;
    *whole = TG_NONE_VALUE;
    if (!follow(in, env, target->kids[0], w, &base)) return false;
    bool ok;
    if (target->kind == TG_AST_FIELD || tg_is_container(base)) {
        int at = 0;
        const char *field = NULL;
        ok = last_step(in, env, target, base, &at, &field) &&
             replace_item(in, w, base, at, field, v, whole);
    } else {
        tg_cell *c = tg_value_cell(base);
        base = opened(w, base);
        ok = tg_value_now(in, base, &now);
        if (ok) {
            ok = tg_index_replace(in, env, target, now, v, whole);
            tg_value_drop(now);
        }
        if (ok && c) {
            ok = write_cell(in, w, c, *whole);
            tg_value_drop(*whole);
            *whole = TG_NONE_VALUE;
        }
    }
    tg_value_drop(base);
    return ok;
}

/* Adds the writes for one target. Takes v. */
static bool prepare(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v, writes *w) {
    while (target->kind != TG_AST_NAME) {
        tg_value whole;
        bool ok = put_in(in, env, target, v, w, &whole);
        tg_value_drop(v);
        if (!ok) return tg_blame(in, target);
        if (whole.tag == TG_V_NONE) return true;
        v = whole;
        target = target->kids[0];
    }
    return write_name(in, env, target->name, v, w) || tg_blame(in, target);
}

/* ---- the statement ---- */

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

/* What is assumed of the cells must hold for what they are about to be given. */
static bool keep_to_assumptions(tg_interp *in, const writes *w) {
    enum { FEW = 16 };
    tg_cell *few_cells[FEW], **cell = few_cells;
    tg_tensor *few_values[FEW], **value = few_values;
    uint32_t which = 0;
    if (!tg_assume_in_force(&in->rt)) return true;
    for (size_t i = 0; i < w->n; i++)
        if (w->item[i].cell) which |= tg_assume_on_cell(&in->rt, w->item[i].cell);
    if (!which) return true;
    if (w->n > FEW) {
        cell = tg_alloc_array(w->n, sizeof *cell);
        value = tg_alloc_array(w->n, sizeof *value);
    }
    bool ok = cell && value ? true : tg_fail_memory(&in->rt.c);
    int n = 0;
    for (size_t i = w->n; ok && i-- > 0;) { /* of several writes into one cell the last counts */
        const pending *one = &w->item[i];
        if (!one->cell || coming_tensor(w, one->cell) != one->tensor) continue;
        cell[n] = one->cell;
        value[n++] = one->tensor;
    }
    ok = ok && tg_assume_check(&in->rt, which, n, cell, value);
    if (cell != few_cells) tg_free(cell);
    if (value != few_values) tg_free(value);
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
        if (one->env == in->globals && old && old->tag != TG_V_NUMBER)
            tg_let_go(in, one->name, *old);
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

/* ---- one element ---- */

/* An index that may be evaluated twice: no call in it. */
static bool is_plain_index(const tg_ast *e, int depth) {
    if (e->kind == TG_AST_NAME || e->kind == TG_AST_NUMBER) return true;
    if ((e->kind != TG_AST_UNARY && e->kind != TG_AST_BINARY) || depth == 0) return false;
    for (int i = 0; i < e->n; i++)
        if (!is_plain_index(e->kids[i], depth - 1)) return false;
    return true;
}

/* How far x[i, j] is from the first element of a tensor. False: leave it to the general way, which
 * also words the errors. */
static bool place_of(tg_interp *in, tg_env *env, const tg_ast *e, const tg_view *v,
                     int64_t *offset) {
    double place[TG_MAX_RANK];
    if (e->n - 1 != v->rank) return false;
    for (int d = 0; d < v->rank; d++) {
        tg_value i;
        if (!is_plain_index(e->kids[d + 1], 3)) return false;
        if (!tg_eval(in, env, e->kids[d + 1], &i)) {
            tg_clear(&in->rt.c);
            return false;
        }
        place[d] = i.as.number;
        tg_value_drop(i);
        if (i.tag != TG_V_NUMBER) return false;
    }
    return tg_element_at(v, v->rank, place, offset);
}

/* x[i] := number, in place: where the name alone holds a plain tensor, no copy of it is needed, and
 * filling a vector in a loop takes time in proportion to its length. */
static bool store_element(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v) {
    if (target->kind != TG_AST_INDEX || target->kids[0]->kind != TG_AST_NAME ||
        (v.tag != TG_V_NUMBER && v.tag != TG_V_BOOL))
        return false;
    const char *name = target->kids[0]->name;
    tg_value *held = tg_env_find(tg_store_home(in, env, name), name);
    if (!held || held->tag != TG_V_TENSOR) return false;
    tg_tensor *t = held->as.tensor;
    int64_t at;
    if (!tg_element_is_own(t) || !place_of(in, env, target, &t->v, &at)) return false;
    held = tg_env_find(tg_store_home(in, env, name), name);
    if (!held || held->tag != TG_V_TENSOR || held->as.tensor != t) return false;
    tg_view_store(&t->v, at, v.tag == TG_V_BOOL ? v.as.truth : v.as.number);
    return true;
}

bool tg_store_all(tg_interp *in, tg_env *env, int n, tg_ast *const *targets, tg_value *values) {
    writes w = {0};
    bool ok = true;
    if (n == 1 && store_element(in, env, targets[0], values[0])) return true;
    for (int i = 0; i < n; i++) {
        tg_value v = values[i];
        values[i] = TG_NONE_VALUE;
        if (ok)
            ok = prepare(in, env, targets[i], v, &w);
        else
            tg_value_drop(v);
    }
    ok = ok && sizes_agree(in, &w) && keep_to_assumptions(in, &w) && commit(in, &w);
    forget(&w);
    return ok;
}

/* One right side; op= combines it with the target. */
static bool one_side(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *out) {
    tg_value now, side;
    if (!s->op) return tg_eval(in, env, s->kids[1], out);
    if (!tg_eval(in, env, s->kids[1], &side)) return false;
    bool ok = tg_eval(in, env, s->kids[0], &now);
    if (ok) {
        ok = tg_operate(in, s, s->op, now, side, out);
        tg_value_drop(now);
    }
    tg_value_drop(side);
    return ok;
}

/* The right sides as one tuple. */
static bool right_sides(tg_interp *in, tg_env *env, const tg_ast *s, tg_value tuple) {
    int n = s->n - s->ntargets;
    for (int i = 0; i < n; i++)
        if (!tg_eval(in, env, s->kids[s->ntargets + i], &tuple.as.items->v[i])) return false;
    return true;
}

/* A finite number into a name that is one already, or into an element of a tensor: there is nothing
 * else to look at. False: that is not so. */
static inline bool store_number(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v) {
    if (v.tag == TG_V_NUMBER ? v.as.number - v.as.number != 0 : v.tag != TG_V_BOOL) return false;
    if (target->kind != TG_AST_NAME) return store_element(in, env, target, v);
    if (v.tag != TG_V_NUMBER) return false;
    struct tg_binding *b = tg_resolve_stored(in, env, target);
    if (!b || b->value.tag != TG_V_NUMBER) return false;
    *b = (struct tg_binding){.name = target->name, .value = v};
    return true;
}

bool tg_store_sides(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *sides) {
    const bool outer = in->computing, single = s->n == 2;
    const size_t lift = in->lift_next;
    *sides = TG_NONE_VALUE;
    if (!single && !tg_value_items(&in->rt.c, TG_V_TUPLE, s->n - s->ntargets, sides)) return false;
    in->computing = true;
    const bool ok = single ? one_side(in, env, s, sides) : right_sides(in, env, s, *sides);
    in->computing = outer;
    in->lift_next = lift;
    if (ok) return true;
    tg_value_drop(*sides);
    *sides = TG_NONE_VALUE;
    return false;
}

bool tg_store_statement(tg_interp *in, tg_env *env, const tg_ast *s) {
    bool outer = in->computing, ok;
    size_t lift = in->lift_next;
    tg_value one = TG_NONE_VALUE, tuple, values = TG_NONE_VALUE;
    in->rt.tick++;
    in->computing = true;
    bool single = s->n == 2, done = false;
    ok = !single || one_side(in, env, s, &one);
    if (ok && single && store_number(in, env, s->kids[0], one)) {
        in->computing = outer;
        in->lift_next = lift;
        return true;
    }
    if (ok && tg_value_items(&in->rt.c, TG_V_TUPLE, s->n - s->ntargets, &tuple)) {
        if (single) tuple.as.items->v[0] = one;
        ok = (single || right_sides(in, env, s, tuple)) && tg_store_keeps_slope(in, tuple) &&
             tg_store_update(in, env, s, tuple, &done) &&
             (done ||
              (tg_value_now(in, tuple, &values) && tg_nonfinite_stored(in, env, s, tuple, values)));
        tg_value_drop(tuple);
    } else if (ok) {
        tg_value_drop(one);
        ok = false;
    }
    in->computing = outer;
    in->lift_next = lift;
    if (done) return ok || tg_blame(in, s);
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
