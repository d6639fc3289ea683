/* vmap and map: a function of one example, over many.
 *
 * vmap(f) calls f once, on slots: nameless variables of the shape of one example. What comes back
 * is a formula over the slots, and tg_batch_map carries it over the axis (runtime/graph/batch.h):
 * one operation of all examples for each operation of one, no loop. As the result is a formula like
 * any other, vmap may stand inside of vmap, grad inside of it (the gradient of each example's loss)
 * and around it. The idea and its name are JAX's (J. Bradbury and others, JAX: composable
 * transformations of Python+NumPy programs, 2018).
 *
 * A slot has no value. So a function that looks at one, in an `if` say, is refused; and one that
 * prints or draws does so once. map(f, x) must do what f does for each element, as often as there
 * are elements: it takes the formula only where f does nothing but compute, and else calls it in
 * turn. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/plain.h"
#include "interp/vmap.h"
#include "runtime/graph/batch.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/substitute.h"

#include <stdio.h>
#include <string.h>

/* One leaf of the arguments that is mapped. */
typedef struct mapped {
    tg_node *slot;     /* an example, held */
    tg_node *target;   /* all of them, their axis in front, held */
    tg_node *lift;     /* the lift slot that a tensor is in, held, or NULL; */
    tg_tensor *t;      /* that tensor, held, ... */
    const char *label; /* ... and its name, if it has one */
    tg_slot_var var;
} mapped;

typedef struct job {
    tg_interp *in;
    const tg_argument *arg; /* the one that is walked over */
    int place;              /* of it, from 1 */
    bool live;              /* the result stays a formula */
    tg_size size;           /* along the axis */
    const char *from;       /* what has this size: the source text, or "argument 2" */
    char room[64];
    uint32_t assumed;
    size_t n, cap;
    mapped *leaf;
    /* of the result */
    size_t nroots, cap_roots, at;
    tg_node **root, **made;
} job;

static void free_job(job *j) {
    for (size_t i = 0; i < j->n; i++) {
        tg_node_drop(j->leaf[i].slot);
        tg_node_drop(j->leaf[i].target);
        tg_node_drop(j->leaf[i].lift);
        tg_tensor_drop(j->leaf[i].t);
    }
    tg_free(j->leaf);
    tg_free(j->root);
    tg_free(j->made);
}

/* ---- arguments ---- */

static void say_argument(const job *j, char *buf, size_t size) {
    const tg_span *s = j->arg->ast ? &j->arg->ast->span : NULL;
    if (s && s->src && s->hi - s->lo < 32 && !memchr(s->src->text + s->lo, '\n', s->hi - s->lo))
        snprintf(buf, size, "%.*s", (int)(s->hi - s->lo), s->src->text + s->lo);
    else
        snprintf(buf, size, "argument %d", j->place);
}

static bool wrong_axis(job *j, tg_value axis) {
    return tg_fail(
        &j->in->rt.c, TG_ERR_TYPE,
        "an axis of vmap is a whole number, or none for what is the same each time, not %s",
        tg_value_kind(axis));
}

/* The axis as a number of 0 on, for that many axes. */
static bool axis_of(job *j, tg_value v, int rank, const tg_type *type, int *axis) {
    int64_t k;
    if (!tg_to_int(j->in, v, "an axis of vmap", &k)) return false;
    *axis = (int)(k < 0 ? k + rank : k);
    if (k >= -rank && k < rank) return true;
    char name[40];
    say_argument(j, name, sizeof name);
    if (rank == 0)
        tg_fail(&j->in->rt.c, TG_ERR_SHAPE, "%s is one number, and has no axis to map over", name);
    else
        tg_fail(&j->in->rt.c, TG_ERR_SHAPE, "%s of shape %s has no axis %lld", name,
                tg_shape_text(&j->in->rt, type->rank, type->dim), (long long)k);
    return tg_help(&j->in->rt.c, "axis=none, or none at its place in axis=(0, none), keeps it as "
                                 "it is");
}

static bool same_size(job *j, tg_size size) {
    char name[40];
    say_argument(j, name, sizeof name);
    if (j->n == 0) {
        j->size = size;
        snprintf(j->room, sizeof j->room, "%s", name);
        return true;
    }
    if (size == j->size) return true;
    tg_str a = {0}, b = {0};
    tg_size_print(&j->in->rt, &a, j->size);
    tg_size_print(&j->in->rt, &b, size);
    tg_fail(&j->in->rt.c, TG_ERR_SHAPE, "vmap goes over %s of %s, but %s of %s", tg_str_text(&a),
            j->room, tg_str_text(&b), name);
    tg_str_free(&a);
    tg_str_free(&b);
    return tg_help(&j->in->rt.c, "axis=(0, none) maps over the first argument only");
}

static tg_node *slot_for(tg_interp *in, tg_type type, int axis) {
    for (int i = axis; i + 1 < type.rank; i++) type.dim[i] = type.dim[i + 1];
    type.rank--;
    type.weak = false;
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_VAR, NULL, &type, NULL);
    tg_node *n = c ? tg_node_cell(&in->rt, c) : NULL;
    tg_cell_drop(c); /* the node holds it */
    return n;
}

/* A tensor or formula is mapped over: *out is the slot in its place. */
static bool map_leaf(job *j, tg_value v, tg_value axis, tg_value *out) {
    tg_interp *in = j->in;
    tg_value array;
    int k;
    if (!tg_to_array(in, v, "an argument", &array)) return false;
    tg_type type = tg_type_of(array);
    void *p = j->leaf;
    bool ok = axis_of(j, axis, type.rank, &type, &k) && same_size(j, type.dim[k]);
    if (ok && !tg_grow(&p, &j->cap, j->n + 1, sizeof *j->leaf)) ok = tg_fail_memory(&in->rt.c);
    j->leaf = p;
    mapped m = {0};
    if (ok && array.tag == TG_V_FORMULA) {
        m.target = array.as.node;
    } else if (ok && (m.target = tg_lift_tensor(in, array.as.tensor))) {
        bool named = j->arg->ast && j->arg->ast->kind == TG_AST_NAME;
        m.lift = tg_node_hold(m.target);
        m.t = tg_tensor_hold(array.as.tensor);
        m.label = named ? tg_label_of(in, j->arg->ast->name, m.t) : NULL;
    }
    j->assumed |= array.tag == TG_V_FORMULA ? array.assumed : 0;
    if (m.target) m.target = tg_batch_move(&in->rt, m.target, k, 0);
    m.slot = m.target ? slot_for(in, type, k) : NULL;
    tg_node_hold(m.target); /* f may run statements */
    tg_value_drop(array);
    if (!m.slot) {
        tg_node_drop(m.target);
        tg_node_drop(m.lift);
        tg_tensor_drop(m.t);
        return false;
    }
    tg_node_hold(m.slot);
    j->leaf[j->n++] = m;
    *out = tg_value_formula(m.slot, 0);
    return true;
}

static bool has_form(tg_value v, tg_value like) {
    if (!tg_is_container(v) || v.as.items->n != like.as.items->n) return false;
    for (int i = 0; v.as.items->field && like.as.items->field && i < v.as.items->n; i++)
        if (v.as.items->field[i] != like.as.items->field[i]) return false;
    return true;
}

static bool is_array(tg_value v) {
    return v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA || v.tag == TG_V_RANGE;
}

/* v with slots in place of what is mapped over. One axis serves all of a container, or it has one
 * for each of its items. */
static bool map_argument(job *j, tg_value v, tg_value axis, tg_value *out) {
    tg_interp *in = j->in;
    bool nest = tg_is_container(v), given = tg_is_container(axis);
    if (!tg_guard(&in->rt.c)) return false;
    *out = TG_NONE_VALUE;
    if (given && (!nest || !has_form(axis, v)))
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       "the axes do not have the form of the argument: %s and %s",
                       tg_value_kind(axis), tg_value_kind(v));
    if (!given && axis.tag != TG_V_NONE && axis.tag != TG_V_NUMBER) return wrong_axis(j, axis);
    bool plain = v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL;
    if (axis.tag != TG_V_NONE && !nest && (is_array(v) || plain)) {
        if (!plain) return map_leaf(j, v, axis, out);
        int unused;
        return axis_of(j, axis, 0, NULL, &unused);
    }
    if (axis.tag == TG_V_NONE || !nest) { /* the same each time; so are texts and functions */
        *out = tg_value_hold(v);
        return true;
    }
    tg_value made;
    if (!tg_value_items(&in->rt.c, v.tag, v.as.items->n, &made)) return false;
    for (int i = 0; i < v.as.items->n; i++) {
        if (v.as.items->field) made.as.items->field[i] = v.as.items->field[i];
        if (!map_argument(j, v.as.items->v[i], given ? axis.as.items->v[i] : axis,
                          &made.as.items->v[i])) {
            made.as.items->v[i] = TG_NONE_VALUE;
            tg_value_drop(made);
            return false;
        }
    }
    return tg_value_seal(&in->rt.c, made, out);
}

/* ---- the result ---- */

static bool is_stack(tg_value v) {
    const tg_items *items = v.as.items;
    if (v.tag != TG_V_LIST || items->n == 0) return false;
    for (int i = 0; i < items->n; i++) {
        tg_value x = items->v[i], first = items->v[0];
        bool array = is_array(x) || x.tag == TG_V_NUMBER || x.tag == TG_V_BOOL;
        if (!array || x.tag == TG_V_RANGE || tg_value_rank(x) != tg_value_rank(first)) return false;
        tg_type a = {0}, b = {0};
        if (is_array(x)) a = tg_type_of(x);
        if (is_array(first)) b = tg_type_of(first);
        if (!tg_type_same_shape(&a, &b)) return false;
    }
    return true;
}

/* [x, 2 * x] of known values would be a tensor, and so it is here: a list of one shape is stacked.
 */
static bool stack_lists(tg_interp *in, tg_value v, tg_value *out) {
    *out = TG_NONE_VALUE;
    if (!tg_is_container(v)) {
        *out = tg_value_hold(v);
        return true;
    }
    tg_value made;
    if (!tg_guard(&in->rt.c) || !tg_value_items(&in->rt.c, v.tag, v.as.items->n, &made))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < v.as.items->n; i++) {
        if (v.as.items->field) made.as.items->field[i] = v.as.items->field[i];
        ok = stack_lists(in, v.as.items->v[i], &made.as.items->v[i]);
    }
    ok = ok && tg_value_seal(&in->rt.c, made, &made);
    if (ok && !is_stack(made)) {
        *out = made;
        return true;
    }
    ok = ok && tg_to_array(in, made, "the function's value", out);
    tg_value_drop(made);
    return ok;
}

static bool add_root(job *j, tg_node *n) {
    void *p = j->root;
    bool ok = tg_grow(&p, &j->cap_roots, j->nroots + 1, sizeof *j->root);
    j->root = p;
    if (!ok) return tg_fail_memory(&j->in->rt.c);
    j->root[j->nroots++] = n;
    return true;
}

static bool gather_root(tg_interp *in, tg_value v, void *user, tg_value *out) {
    job *j = user;
    tg_node *n;
    *out = TG_NONE_VALUE;
    if (!is_array(v) && v.tag != TG_V_NUMBER && v.tag != TG_V_BOOL) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "the function that vmap maps gives %s, not a tensor",
                tg_value_kind(v));
        return tg_help(&in->rt.c, "it must give a number or a tensor for each, or a list, tuple or "
                                  "record of these");
    }
    j->assumed |= v.tag == TG_V_FORMULA ? v.assumed : 0;
    return tg_to_node(in, v, "the function's value", &n) && add_root(j, n);
}

static bool out_axis(job *j, tg_value axis, int rank, int *k) {
    int64_t x;
    if (axis.tag != TG_V_NUMBER)
        return tg_fail(&j->in->rt.c, TG_ERR_TYPE, "out of vmap is a whole number, not %s",
                       tg_value_kind(axis));
    if (!tg_to_int(j->in, axis, "out", &x)) return false;
    *k = (int)(x < 0 ? x + rank : x);
    return (x >= -rank && x < rank) ||
           tg_fail(&j->in->rt.c, TG_ERR_SHAPE, "the result has %d %s, and no axis %lld", rank,
                   rank == 1 ? "axis" : "axes", (long long)x);
}

/* What was made of the leaves of v, in their order, with the axis where `axis` wants it. */
static bool place(job *j, tg_value v, tg_value axis, tg_value *out) {
    tg_interp *in = j->in;
    *out = TG_NONE_VALUE;
    if (!tg_guard(&in->rt.c)) return false;
    if (!tg_is_container(v)) {
        tg_node *n = j->made[j->at++];
        int k;
        if (!out_axis(j, axis, n->type.rank, &k)) return false;
        if (!(n = tg_batch_move(&in->rt, n, 0, k))) return false;
        uint32_t used = 0;
        if (v.derived && !(n = tg_simplify(&in->rt, n, &used))) return false;
        *out = tg_value_formula(n, j->assumed | used);
        return true;
    }
    bool given = tg_is_container(axis);
    if (given && !has_form(axis, v))
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       "out does not have the form of the result: %s and %s", tg_value_kind(axis),
                       tg_value_kind(v));
    tg_value made;
    if (!tg_value_items(&in->rt.c, v.tag, v.as.items->n, &made)) return false;
    for (int i = 0; i < v.as.items->n; i++) {
        if (v.as.items->field) made.as.items->field[i] = v.as.items->field[i];
        if (!place(j, v.as.items->v[i], given ? axis.as.items->v[i] : axis, &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    }
    return tg_value_seal(&in->rt.c, made, out);
}

/* Does what was made depend on anything but plain values? */
static bool find_live(job *j) {
    tg_node **node;
    size_t count;
    if (!tg_node_collect(&j->in->rt, (int)j->nroots, j->made, &node, &count)) return false;
    for (size_t i = 0; i < count; i++) {
        const tg_node *n = node[i];
        bool cell = n->op == &tg_op_cell && n->leaf.cell->kind != TG_CELL_LIFT &&
                    n->leaf.cell->kind != TG_CELL_SLOT;
        bool draw = n->op->class == TG_CLASS_RANDOM && n->live;
        j->live = j->live || cell || draw || n->op == &tg_op_size;
    }
    tg_free(node);
    return true;
}

/* A formula that stays holds the tensors themselves: lift slots are used again. */
static bool settle_lifts(job *j) {
    tg_rt *rt = &j->in->rt;
    tg_node **from = tg_alloc_array(2 * j->n, sizeof(tg_node *)), **to = from ? from + j->n : NULL;
    int pairs = 0;
    bool ok = from ? true : tg_fail_memory(&rt->c);
    for (size_t i = 0; ok && i < j->n; i++) {
        if (!j->leaf[i].lift) continue;
        from[pairs] = j->leaf[i].lift;
        ok = (to[pairs++] = tg_node_const(rt, j->leaf[i].t, j->leaf[i].label)) != NULL;
    }
    for (size_t i = 0; ok && pairs > 0 && i < j->nroots; i++)
        ok = (j->made[i] = tg_node_substitute_all(rt, j->made[i], pairs, from, to)) != NULL;
    tg_free(from);
    return ok;
}

static bool carry(job *j, tg_value y, tg_value axis, tg_value *out) {
    tg_interp *in = j->in;
    tg_value skeleton = TG_NONE_VALUE;
    bool ok = tg_map_leaves(in, y, gather_root, j, &skeleton);
    tg_value_drop(skeleton);
    if (!ok) return false;
    tg_node **from = tg_alloc_array(2 * j->n, sizeof(tg_node *)), **to = from ? from + j->n : NULL;
    j->made = tg_alloc_array(j->nroots + 1, sizeof(tg_node *));
    ok = from && j->made ? true : tg_fail_memory(&in->rt.c);
    for (size_t i = 0; ok && i < j->n; i++) {
        from[i] = j->leaf[i].slot;
        to[i] = j->leaf[i].target;
    }
    ok = ok &&
         tg_batch_map(&in->rt, 1, &j->size, (int)j->n, from, to, (int)j->nroots, j->root, j->made);
    tg_free(from);
    ok = ok && find_live(j) && (!j->live || in->computing || settle_lifts(j));
    return ok && place(j, y, axis, out);
}

/* ---- a call ---- */

static bool call_on_slots(job *j, tg_value f, int n, const tg_argument *args, tg_value *y) {
    tg_interp *in = j->in;
    const tg_slot_var *outer = in->slot;
    for (size_t i = 0; i < j->n; i++) {
        j->leaf[i].var = (tg_slot_var){j->leaf[i].slot, in->slot, true};
        in->slot = &j->leaf[i].var;
    }
    in->no_code++;
    tg_value given;
    bool ok = tg_call_value(in, f, n, args, &given) && stack_lists(in, given, y);
    tg_value_drop(given);
    in->no_code--;
    in->slot = outer;
    return ok;
}

/* A formula where something is live, and while `:=` computes; else the values. */
static bool finish(job *j, tg_value made, tg_value *out) {
    tg_interp *in = j->in;
    if (j->live || in->computing) {
        *out = made;
        return true;
    }
    bool ok = in->checking ? tg_check_freeze(in, made, out) : tg_value_now(in, made, out);
    tg_value_drop(made);
    return ok;
}

static bool axes_for(tg_interp *in, tg_value axis, int n) {
    if (axis.tag != TG_V_TUPLE || axis.as.items->n == n) return true;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "vmap was given axes for %d argument%s, and the call has %d",
            axis.as.items->n, axis.as.items->n == 1 ? "" : "s", n);
    return tg_help(&in->rt.c, "axis=(0, none) is for two arguments, of which the first is mapped");
}

/* `axis` of a tuple is for each argument; else all have the same. */
static bool call(job *j, tg_value f, tg_value axis, tg_value axis_out, int n,
                 const tg_argument *args, tg_value *out) {
    tg_interp *in = j->in;
    enum { MOST = 16 };
    tg_argument moved[MOST] = {{0}};
    tg_value y = TG_NONE_VALUE, made = TG_NONE_VALUE;
    size_t lift = in->lift_next;
    if (n > MOST) return tg_fail(&in->rt.c, TG_ERR_TYPE, "vmap takes at most %d arguments", MOST);
    bool ok = axes_for(in, axis, n);
    for (int i = 0; ok && i < n; i++) {
        tg_value settled;
        j->arg = &args[i];
        j->place = i + 1;
        ok = tg_list_settle(in, tg_value_hold(args[i].value), &settled);
        if (!ok) break;
        moved[i].name = args[i].name;
        ok = map_argument(j, settled, axis.tag == TG_V_TUPLE ? axis.as.items->v[i] : axis,
                          &moved[i].value);
        tg_value_drop(settled);
    }
    if (ok && j->n == 0) {
        ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "vmap has nothing to map over");
        tg_help(&in->rt.c, "at least one argument must be a tensor with an axis that is not none");
    }
    ok = ok && call_on_slots(j, f, n, moved, &y) && carry(j, y, axis_out, &made) &&
         finish(j, made, out);
    if (!in->computing) in->lift_next = lift;
    for (int i = 0; i < n; i++) tg_value_drop(moved[i].value);
    tg_value_drop(y);
    return ok;
}

bool tg_vmap_call(tg_interp *in, tg_value f, tg_value given, int n, const tg_argument *args,
                  tg_value *out) {
    job j = {.in = in};
    bool ok = tg_guard(&in->rt.c) &&
              call(&j, f, given.as.items->v[0], given.as.items->v[1], n, args, out);
    free_job(&j);
    return ok;
}

bool tg_vmap_may_look(tg_interp *in, const tg_node *n) {
    for (const tg_slot_var *s = in->slot; s; s = s->outer) {
        if (!s->mapped || !tg_node_depends(&in->rt, (tg_node *)(uintptr_t)n, s->node)) continue;
        tg_fail(&in->rt.c, TG_ERR_DATA,
                "vmap calls the function once for all, so that it cannot look at this value");
        return tg_help(&in->rt.c, "where(c, a, b) chooses for each; map(f, x) calls f for each");
    }
    return in->rt.c.diag.kind == TG_ERR_NONE;
}

bool tg_vmap_effect(tg_interp *in) {
    return tg_fail(&in->rt.c, TG_ERR_TYPE, "this is to be done for each element");
}

/* ---- map ---- */

/* Below these a call for each takes no longer than a formula for all. */
enum { LEAST_NUMBERS = 256, LEAST_ROWS = 8 };

/* Elements of a vector are numbers to f, and so doubles; rows keep their type. */
static bool suits(const tg_interp *in, const tg_view *v) {
    if (!tg_dtype_is_float(v->dtype) || in->checking || in->slot || in->tracing) return false;
    if (v->rank > 1) return v->dim[0] >= LEAST_ROWS;
    return v->dim[0] >= LEAST_NUMBERS && v->dtype == TG_F64 && in->rt.precision == TG_F64;
}

bool tg_vmap_try(tg_interp *in, tg_value f, tg_value x, tg_value *out, bool *done) {
    job j = {.in = in};
    tg_value y = TG_NONE_VALUE, made = TG_NONE_VALUE, at = TG_NONE_VALUE;
    const size_t lift = in->lift_next;
    *done = false;
    if (!suits(in, &x.as.tensor->v)) return true;
    tg_argument arg = {.value = x};
    j.arg = &arg;
    bool computing = in->computing;
    in->tracing++;
    in->computing = false;
    bool ok = map_leaf(&j, x, tg_value_number(0), &at) &&
              call_on_slots(&j, f, 1, &(tg_argument){.value = at}, &y);
    in->tracing--;
    ok = ok && y.tag == TG_V_FORMULA && carry(&j, y, tg_value_number(0), &made);
    bool stays = ok && j.live && !computing; /* it reads variables, and goes on following them */
    if (stays)
        *out = tg_value_hold(made);
    else
        ok = ok && tg_value_now(in, made, out);
    if (ok && !stays && y.as.node->type.rank == 0 && out->tag == TG_V_TENSOR &&
        out->as.tensor->v.dtype != TG_BOOL && out->as.tensor->v.dtype != in->rt.precision) {
        tg_tensor *t = tg_tensor_convert(&in->rt.c, &out->as.tensor->v, in->rt.precision);
        tg_value_drop(*out);
        *out = t ? (tg_value){.tag = TG_V_TENSOR, .as.tensor = t} : TG_NONE_VALUE;
        ok = t != NULL;
    }
    in->computing = computing;
    in->lift_next = lift;
    *done = ok;
    if (!ok && in->rt.c.diag.kind != TG_ERR_INTERRUPT && in->rt.c.diag.kind != TG_ERR_MEMORY)
        tg_clear(&in->rt.c);
    tg_value_drop(made);
    tg_value_drop(y);
    tg_value_drop(at);
    free_job(&j);
    return in->rt.c.diag.kind == TG_ERR_NONE;
}

/* ---- the builtin ---- */

static bool run_vmap(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value axis =
        args[1].ast || args[1].value.tag != TG_V_NONE ? args[1].value : tg_value_number(0);
    tg_value axis_out = args[2].value.tag != TG_V_NONE ? args[2].value : tg_value_number(0), given;
    if (!tg_value_is_function(args[0].value)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "vmap wants a function, not %s",
                tg_value_kind(args[0].value));
        return tg_help(&in->rt.c, "vmap(f)(x), or vmap(x -> x @ w)(X)");
    }
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, 2, &given)) return false;
    given.as.items->v[0] = tg_value_hold(axis);
    given.as.items->v[1] = tg_value_hold(axis_out);
    if (!tg_value_seal(&in->rt.c, given, &given)) return false;
    bool ok = tg_function_by(in, &tg_builtins_vmap[0], args[0].value, out);
    if (ok)
        out->as.function->given = given;
    else
        tg_value_drop(given);
    return ok;
}

const tg_builtin tg_builtins_vmap[] = {
    {"vmap", "vmap(f, axis=0, out=0)",
     "The function of one example f as a function of many, which stand along an axis of its "
     "arguments: one number for all, none for what is the same each time, or a tuple with one for "
     "each argument. The results stand along the axis `out`.",
     "vmap((a, b) -> a @ b)([[1, 2], [3, 4]], [[1, 1], [0, 1]])", "[3, 4]", run_vmap, false, false},
    {0},
};
