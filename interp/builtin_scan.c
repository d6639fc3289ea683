/* scan(f, init, xs): a loop as one node of the formula (runtime/graph/loop.h).
 *
 * f is called once, on slots: a formula for each leaf of the state, and one for each leaf of a row
 * of xs. What it gives are formulas over them, the body of the loop. State, rows and results may be
 * any nesting of tensors; inside, the leaves stand in a row, in order.
 *
 * A state that begins as a plain number takes the type that f gives it: slots of that type are put
 * in the place of the first ones, until the types agree. Where neither init nor xs nor anything
 * that f takes from elsewhere is live, the loop is run at once, with its arguments in lift slots
 * (convert.c), so that the next one like it finds its plan.
 *
 * The interface is that of lax.scan in JAX (Bradbury et al. 2018). */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/store.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/substitute.h"
#include "runtime/plan/plan.h"

#include <stdio.h>
#include <string.h>

enum { PATH = 96 };

/* Leaves in a row, with the places that they have. */
typedef struct leaves {
    tg_node **node; /* held */
    char (*path)[PATH];
    size_t n, cap_node, cap_path;
} leaves;

typedef struct scan {
    tg_interp *in;
    tg_value f, init, xs;
    const char *state_name, *row_name;
    tg_size turns;
    bool reverse;
    tg_recompute_mode memory;
    double bytes;
    leaves first, sequence; /* of init and xs */
    leaves state, row;      /* slots */
    leaves next, out;
    tg_value result; /* of f */
    uint32_t assumed;
    int level;
    tg_node **last, **stacked;
    size_t place; /* of the leaf that is being placed */
    tg_node **item;
    tg_tensor **value; /* of the items, where the loop was run; else NULL */
    bool stand_in;     /* it would be, but the program is only read */
} scan;

/* ---- leaves ---- */

static void free_leaves(leaves *l) {
    for (size_t i = 0; i < l->n; i++) tg_node_drop(l->node[i]);
    tg_free(l->node);
    tg_free(l->path);
}

static bool add_leaf(tg_interp *in, leaves *l, tg_node *n, const char *path) {
    void *nodes = l->node, *paths = l->path;
    bool ok = tg_grow(&nodes, &l->cap_node, l->n + 1, sizeof *l->node);
    l->node = nodes;
    ok = ok && tg_grow(&paths, &l->cap_path, l->n + 1, sizeof *l->path);
    l->path = paths;
    if (!ok) return tg_fail_memory(&in->rt.c);
    snprintf(l->path[l->n], PATH, "%s", path);
    l->node[l->n++] = tg_node_hold(n);
    return true;
}

/* The shape of what is one array: a number, a tensor, a list of such of one shape. */
static bool is_array(tg_value v, tg_type *t) {
    *t = (tg_type){0};
    if (v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA) *t = tg_type_of(v);
    if (v.tag != TG_V_LIST)
        return v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL || v.tag == TG_V_TENSOR ||
               v.tag == TG_V_FORMULA;
    for (int i = 0; i < v.as.items->n; i++) {
        tg_type item;
        if (!is_array(v.as.items->v[i], &item)) return false;
        if (i && !tg_type_same_shape(&item, t)) return false;
        *t = item;
    }
    if (v.as.items->n == 0 || t->rank == TG_MAX_RANK) return false;
    memmove(t->dim + 1, t->dim, (size_t)t->rank * sizeof *t->dim);
    t->dim[0] = v.as.items->n;
    t->rank++;
    return true;
}

static bool is_nest(tg_value v) {
    tg_type t;
    return tg_is_container(v) && !is_array(v, &t);
}

static void add_step(char *to, const char *path, tg_value nest, int i) {
    if (nest.tag == TG_V_RECORD)
        snprintf(to, PATH, "%.60s.%.30s", path, nest.as.items->field[i]);
    else
        snprintf(to, PATH, "%.80s[%d]", path, i);
}

static bool flatten(scan *s, tg_value v, const char *path, const char *what, leaves *l) {
    tg_interp *in = s->in;
    if (!tg_guard(&in->rt.c)) return false;
    if (is_nest(v)) {
        for (int i = 0; i < v.as.items->n; i++) {
            char part[PATH];
            add_step(part, path, v, i);
            if (!flatten(s, v.as.items->v[i], part, what, l)) return false;
        }
        return true;
    }
    tg_node *n;
    bool fits = v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL || v.tag == TG_V_TENSOR ||
                v.tag == TG_V_FORMULA || v.tag == TG_V_LIST || v.tag == TG_V_RANGE;
    if (!fits)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s is made of tensors and numbers; %s is %s", what,
                       path, tg_value_kind(v));
    if (v.tag == TG_V_FORMULA) s->assumed |= v.assumed;
    return tg_to_node(in, v, path, &n) && add_leaf(in, l, n, path);
}

/* ---- the arguments ---- */

/* The names of f's two parameters. */
static bool read_function(scan *s) {
    tg_interp *in = s->in;
    s->state_name = s->row_name = NULL;
    if (!tg_value_is_function(s->f)) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "scan calls a function f(state, x) in each turn, not %s",
                tg_value_kind(s->f));
        return tg_help(&in->rt.c, "scan((s, x) -> (s + x, s), 0, xs) has all partial sums of xs");
    }
    const tg_function *f = s->f.tag == TG_V_FUNCTION ? s->f.as.function : NULL;
    if (!f || !f->def) return true;
    int n = f->def->n - 1, required = 0;
    for (int i = 0; i < n; i++) required += f->def->kids[i]->n == 0 || !f->def->kids[i]->kids[0];
    if (n < 2 || required > 2) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "scan calls f(state, x), and this function takes %d argument%s", n,
                n == 1 ? "" : "s");
        return tg_help(&in->rt.c, "several parts of a state, or of a row, are a tuple or a record: "
                                  "(s, x) -> ({h: s.h + x, n: s.n + 1}, s.h)");
    }
    s->state_name = f->def->kids[0]->name;
    s->row_name = f->def->kids[1]->name;
    return true;
}

/* How many turns: as long as the sequences, or as length= says. */
static bool read_turns(scan *s, tg_value length) {
    tg_interp *in = s->in;
    tg_size given = TG_SIZE_NONE;
    if (length.tag != TG_V_NONE) {
        if (!tg_to_size(in, length, "length", &given)) return false;
        /* as a size, a number below zero would be one that is not known yet */
        if (length.tag == TG_V_NUMBER && length.as.number < 0)
            return tg_fail(&in->rt.c, TG_ERR_VALUE, "length= is a number of turns, 0 or more");
    }
    for (size_t i = 0; i < s->sequence.n; i++) {
        const tg_type *t = &s->sequence.node[i]->type, *first = &s->sequence.node[0]->type;
        if (t->rank == 0) {
            tg_fail(&in->rt.c, TG_ERR_SHAPE, "scan walks along axis 0 of %s, which is one number",
                    s->sequence.path[i]);
            return tg_help(&in->rt.c, "length=10 makes turns without a sequence");
        }
        if (t->dim[0] == first->dim[0]) continue;
        return tg_fail(&in->rt.c, TG_ERR_SHAPE,
                       "the sequences of scan differ in length: %s is %s, %s is %s",
                       s->sequence.path[0], tg_shape_text(&in->rt, first->rank, first->dim),
                       s->sequence.path[i], tg_shape_text(&in->rt, t->rank, t->dim));
    }
    if (s->sequence.n == 0 && given == TG_SIZE_NONE) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "scan needs xs to walk along, or length=");
        return tg_help(&in->rt.c, "scan((s, x) -> (s / 2, s), 1, length=10)");
    }
    s->turns = s->sequence.n ? s->sequence.node[0]->type.dim[0] : given;
    if (given == TG_SIZE_NONE || given == s->turns) return true;
    const tg_type *t = &s->sequence.node[0]->type;
    return tg_fail(&in->rt.c, TG_ERR_SHAPE, "length= and the length of xs differ: xs is %s",
                   tg_shape_text(&in->rt, t->rank, t->dim));
}

static bool read_memory(scan *s, tg_value v) {
    tg_interp *in = s->in;
    s->memory = TG_KEEP_ALL;
    if (v.tag == TG_V_NONE) return true;
    if (v.tag == TG_V_NUMBER) {
        s->memory = TG_KEEP_BYTES;
        s->bytes = v.as.number;
        return s->bytes > 0 ||
               tg_fail(&in->rt.c, TG_ERR_VALUE, "memory= is a number of bytes above 0");
    }
    const char *word = v.tag == TG_V_STRING ? v.as.text->bytes : NULL;
    if (word && strcmp(word, "sqrt") == 0) s->memory = TG_KEEP_SQRT;
    if (word && (s->memory == TG_KEEP_SQRT || strcmp(word, "speed") == 0)) return true;
    tg_fail(&in->rt.c, TG_ERR_VALUE, "memory= is \"sqrt\" or \"speed\", not %s%s%s",
            word ? "\"" : "", word ? word : tg_value_kind(v), word ? "\"" : "");
    static const char *const choices[] = {"sqrt", "speed", NULL};
    return tg_help_choice(in, word, choices, "or a number of bytes");
}

static bool read_arguments(scan *s, const tg_argument *args) {
    tg_interp *in = s->in;
    s->f = args[0].value, s->init = args[1].value, s->xs = args[2].value;
    if (!read_function(s) || !flatten(s, s->init, "init", "the state of scan", &s->first))
        return false;
    if (s->xs.tag != TG_V_NONE && !flatten(s, s->xs, "xs", "what scan walks along", &s->sequence))
        return false;
    if (args[4].value.tag != TG_V_NONE && !tg_to_truth(in, args[4].value, "reverse", &s->reverse))
        return false;
    return read_turns(s, args[3].value) && read_memory(s, args[5].value);
}

/* ---- f is called ---- */

static bool make_slot(scan *s, leaves *l, const tg_type *type, const char *name, const char *path,
                      int number) {
    tg_interp *in = s->in;
    char text[2 * PATH];
    const char *rest = strpbrk(path, ".["); /* behind "init" or "xs" */
    snprintf(text, sizeof text, "%s%s", name, rest ? rest : "");
    const char *interned = tg_intern(&in->rt.c, text, strlen(text));
    tg_node *n = interned ? tg_loop_slot(&in->rt, s->level, number, type, interned) : NULL;
    if (!n && !interned) tg_fail_memory(&in->rt.c);
    return n && add_leaf(in, l, n, interned);
}

static bool make_slots(scan *s) {
    int number = 0;
    for (size_t i = 0; i < s->first.n; i++)
        if (!make_slot(s, &s->state, &s->first.node[i]->type, s->state_name ? s->state_name : "s",
                       s->first.path[i], number++))
            return false;
    for (size_t i = 0; i < s->sequence.n; i++) {
        tg_type row;
        tg_type_row(&s->sequence.node[i]->type, &row);
        if (!make_slot(s, &s->row, &row, s->row_name ? s->row_name : "x", s->sequence.path[i],
                       number++))
            return false;
    }
    return true;
}

/* A container like v with the next slots in the place of its leaves. */
static bool nest_slots(scan *s, tg_value v, const leaves *l, size_t *next, tg_value *out) {
    tg_interp *in = s->in;
    *out = TG_NONE_VALUE;
    if (!is_nest(v)) {
        *out = tg_value_formula(l->node[(*next)++], s->assumed);
        return true;
    }
    tg_value made;
    if (!tg_guard(&in->rt.c) || !tg_value_items(&in->rt.c, v.tag, v.as.items->n, &made))
        return false;
    tg_value_nest_like(made, v);
    for (int i = 0; i < v.as.items->n; i++) {
        if (v.tag == TG_V_RECORD) made.as.items->field[i] = v.as.items->field[i];
        if (!nest_slots(s, v.as.items->v[i], l, next, &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    }
    *out = made;
    return true;
}

static bool call_function(scan *s) {
    tg_interp *in = s->in;
    tg_value state = TG_NONE_VALUE, row = TG_NONE_VALUE;
    size_t at = 0, from = 0;
    bool ok = nest_slots(s, s->init, &s->state, &at, &state) &&
              (s->sequence.n == 0 || nest_slots(s, s->xs, &s->row, &from, &row));
    const tg_argument args[2] = {{.value = state}, {.value = row}};
    ok = ok && tg_call_value(in, s->f, 2, args, &s->result);
    tg_value_drop(state);
    tg_value_drop(row);
    if (!ok) return false;
    if (s->result.tag == TG_V_TUPLE && s->result.as.items->n == 2) return true;
    tg_fail(&in->rt.c, TG_ERR_TYPE,
            "the function of scan gives a pair, (state, out), and this is %s%s",
            tg_value_kind(s->result), s->result.tag == TG_V_TUPLE ? " of another length" : "");
    return tg_help(&in->rt.c, "(state, none) where nothing is to be stacked");
}

/* ---- the new state ---- */

static bool other_form(scan *s, const char *path, tg_value was, tg_value is) {
    tg_interp *in = s->in;
    tg_fail(&in->rt.c, TG_ERR_TYPE,
            "the state has another form after a turn: %s is %s at first and %s then", path,
            tg_value_kind(was), tg_value_kind(is));
    return tg_help(&in->rt.c, "f gives back a state like the one it gets");
}

/* Lays the new state beside the first one. */
static bool match_state(scan *s, tg_value was, tg_value is, const char *path) {
    tg_interp *in = s->in;
    tg_node *n;
    char part[PATH];
    if (!tg_guard(&in->rt.c)) return false;
    if (!is_nest(was)) {
        const tg_node *first = s->first.node[s->next.n];
        bool numbers = is.tag == TG_V_LIST && first->type.rank > 0;
        bool fits = is.tag == TG_V_NUMBER || is.tag == TG_V_BOOL || is.tag == TG_V_TENSOR ||
                    is.tag == TG_V_FORMULA || numbers;
        if (!fits) return other_form(s, path, was, is);
        if (is.tag == TG_V_FORMULA) s->assumed |= is.assumed;
        if (!tg_to_node(in, is, path, &n)) return false;
        if (tg_type_same_shape(&n->type, &first->type)) return add_leaf(in, &s->next, n, path);
        tg_fail(&in->rt.c, TG_ERR_SHAPE,
                "the state has another shape after a turn: %s is %s at first and %s then", path,
                tg_shape_text(&in->rt, first->type.rank, first->type.dim),
                tg_shape_text(&in->rt, n->type.rank, n->type.dim));
        return tg_help(&in->rt.c,
                       "init has the shape that the state keeps: zeros(%s) for one that "
                       "begins with 0",
                       n->type.rank ? "..." : "");
    }
    if (!is_nest(is) || is.tag != was.tag || is.as.items->n != was.as.items->n) {
        if (!is_nest(is) || is.tag != was.tag) return other_form(s, path, was, is);
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       "the state has another form after a turn: %s has %d parts at first and %d "
                       "then",
                       path, was.as.items->n, is.as.items->n);
    }
    for (int i = 0; i < was.as.items->n; i++) {
        tg_value item = is.as.items->v[i];
        add_step(part, path, was, i);
        if (was.tag == TG_V_RECORD) {
            const tg_value *field = tg_value_field(is, was.as.items->field[i]);
            if (!field)
                return tg_fail(&in->rt.c, TG_ERR_TYPE, "the state has no %s after a turn", part);
            item = *field;
        }
        if (!match_state(s, was.as.items->v[i], item, part)) return false;
    }
    return true;
}

/* The type that a carry of type `has` gets when a turn makes `made` of it. */
static tg_type joined(const tg_type *has, const tg_type *made) {
    tg_type t = *has;
    if (made->weak) return t;
    if (has->weak || made->dtype > has->dtype) t.dtype = made->dtype;
    t.weak = false;
    return t;
}

static bool exchange(scan *s, leaves *l, tg_node *from, tg_node *to) {
    for (size_t i = 0; i < l->n; i++) {
        tg_node *n = tg_node_substitute(&s->in->rt, l->node[i], from, to);
        if (!n) return false;
        tg_node_hold(n);
        tg_node_drop(l->node[i]);
        l->node[i] = n;
    }
    return true;
}

/* Slots of the types that the states come to have. */
static bool settle_types(scan *s) {
    enum { ROUNDS = 4 };
    tg_rt *rt = &s->in->rt;
    for (int round = 0, changed = 1; changed && round < ROUNDS; round++) {
        changed = 0;
        for (size_t k = 0; k < s->state.n; k++) {
            tg_node *was = s->state.node[k];
            tg_type t = joined(&was->type, &s->next.node[k]->type);
            if (t.dtype == was->type.dtype && t.weak == was->type.weak) continue;
            tg_node *slot = tg_loop_slot(rt, s->level, (int)k, &t, s->state.path[k]);
            if (!slot || !exchange(s, &s->next, was, slot) || !exchange(s, &s->out, was, slot))
                return false;
            tg_node_hold(slot);
            tg_node_drop(was);
            s->state.node[k] = slot;
            changed = 1;
        }
    }
    for (size_t k = 0; k < s->next.n; k++) {
        tg_node *n = tg_loop_fit(rt, s->next.node[k], &s->state.node[k]->type);
        if (!n) return false;
        tg_node_hold(n);
        tg_node_drop(s->next.node[k]);
        s->next.node[k] = n;
    }
    return true;
}

/* ---- the loop ---- */

static bool make_loop(scan *s, tg_node **bundle) {
    s->last = tg_alloc_array(s->first.n, sizeof *s->last);
    s->stacked = tg_alloc_array(s->out.n, sizeof *s->stacked);
    if (!s->last || !s->stacked) return tg_fail_memory(&s->in->rt.c);
    const tg_loop_spec spec = {.carries = (int)s->state.n,
                               .xs = (int)s->row.n,
                               .carry = s->state.node,
                               .row = s->row.node,
                               .init = s->first.node,
                               .sequence = s->sequence.node,
                               .next = s->next.node,
                               .turns = s->turns,
                               .reverse = s->reverse,
                               .memory = s->memory,
                               .bytes = s->bytes,
                               .state_name = s->state_name,
                               .row_name = s->row_name,
                               .nout = (int)s->out.n,
                               .out = s->out.node};
    *bundle = tg_loop_make(&s->in->rt, &spec, s->last, s->stacked);
    return *bundle != NULL;
}

/* Nothing is live: the values now. Constants come in by lift slots. */
static bool run_now(scan *s, tg_node *bundle) {
    tg_interp *in = s->in;
    size_t nlast = s->state.n, n = nlast + s->out.n, lift = in->lift_next;
    tg_node **arg = tg_alloc_array((size_t)bundle->n, sizeof *arg), **root = NULL;
    root = tg_alloc_array(n, sizeof *root);
    s->value = tg_alloc_array(n, sizeof *s->value);
    bool ok = arg && root && s->value ? true : tg_fail_memory(&in->rt.c);
    for (int i = 0; ok && i < bundle->n; i++) {
        tg_node *a = bundle->arg[i];
        arg[i] = a->op == &tg_op_const  ? tg_lift_tensor(in, a->leaf.tensor)
                 : tg_node_is_number(a) ? tg_lift_number(in, a->leaf.number)
                                        : a;
        ok = arg[i] != NULL;
    }
    tg_node *lifted = ok ? tg_node_make(&in->rt, bundle->op, bundle->n, arg, bundle->at) : NULL;
    ok = lifted != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        const tg_node *item = i < nlast ? s->last[i] : s->stacked[i - nlast];
        ok = (root[i] = tg_node_make(&in->rt, item->op, 1, &lifted, item->at)) != NULL;
    }
    ok = ok && tg_plan_eval(&in->rt, (int)n, root, s->value);
    in->lift_next = lift;
    tg_free(arg);
    tg_free(root);
    return ok;
}

/* The next item in the place of a leaf. */
static bool place(scan *s, tg_value like, tg_value *out) {
    tg_interp *in = s->in;
    *out = TG_NONE_VALUE;
    if (!is_nest(like)) {
        if (like.tag == TG_V_NONE) return true;
        size_t i = s->place++;
        if (s->stand_in) return tg_check_stand_in(in, &s->item[i]->type, out);
        if (s->value) {
            *out = tg_value_tensor(s->value[i]);
            s->value[i] = NULL;
        } else {
            *out = tg_value_formula(s->item[i], s->assumed);
        }
        return true;
    }
    tg_value made;
    if (!tg_guard(&in->rt.c) || !tg_value_items(&in->rt.c, like.tag, like.as.items->n, &made))
        return false;
    tg_value_nest_like(made, like);
    for (int i = 0; i < like.as.items->n; i++) {
        if (like.tag == TG_V_RECORD) made.as.items->field[i] = like.as.items->field[i];
        if (!place(s, like.as.items->v[i], &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    }
    *out = made;
    return true;
}

static bool give(scan *s, tg_value *out) {
    tg_ctx *c = &s->in->rt.c;
    size_t nlast = s->state.n, n = nlast + s->out.n;
    tg_value pair;
    s->item = tg_alloc_array(n, sizeof *s->item);
    if (!s->item) return tg_fail_memory(c);
    for (size_t i = 0; i < n; i++) s->item[i] = i < nlast ? s->last[i] : s->stacked[i - nlast];
    if (!tg_value_items(c, TG_V_TUPLE, 2, &pair)) return false;
    bool ok = place(s, s->init, &pair.as.items->v[0]) &&
              place(s, s->result.as.items->v[1], &pair.as.items->v[1]);
    if (!ok) {
        tg_value_drop(pair);
        return false;
    }
    return tg_value_seal(c, pair, out);
}

static bool trace(scan *s, tg_node **bundle) {
    s->level = tg_loop_enter(&s->in->rt);
    if (!s->level) return false;
    const char *name = s->state_name ? s->state_name : "the state";
    bool ok = make_slots(s) && call_function(s) &&
              match_state(s, s->init, s->result.as.items->v[0], name);
    if (ok && s->result.as.items->v[1].tag != TG_V_NONE)
        ok = flatten(s, s->result.as.items->v[1], "out", "what scan stacks", &s->out);
    ok = ok && settle_types(s) && make_loop(s, bundle);
    tg_loop_leave(&s->in->rt);
    return ok;
}

static bool run_scan(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    scan s = {.in = in};
    tg_node *bundle = NULL;
    bool ok = read_arguments(&s, args) && trace(&s, &bundle);
    s.stand_in = ok && in->checking && !bundle->live;
    ok = ok && (bundle->live || s.stand_in || run_now(&s, bundle)) && give(&s, out);
    leaves *all[] = {&s.first, &s.sequence, &s.state, &s.row, &s.next, &s.out};
    for (size_t i = 0; s.value && i < s.next.n + s.out.n; i++) tg_tensor_drop(s.value[i]);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free_leaves(all[i]);
    tg_value_drop(s.result);
    tg_free(s.last);
    tg_free(s.stacked);
    tg_free(s.item);
    tg_free(s.value);
    return ok;
}

const tg_builtin tg_builtins_scan[] = {
    {"scan", "scan(f, init, xs=none, length=none, reverse=false, memory=\"speed\")",
     "A loop as one formula: state, out = f(state, x) for each row x of xs, beginning with the "
     "state init. Gives the last state and the stacked outs. State, x and out may be any nesting "
     "of tensors; length= says how many turns there are where there is no xs, reverse=true begins "
     "with the last row. memory=\"sqrt\" keeps less for the gradient and computes the turns "
     "again.",
     "scan((s, x) -> (s + x, s * x), 0, [1, 2, 3])", "(6, [0, 2, 9])", run_scan, false, false},
    {0},
};
