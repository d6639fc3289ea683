/* Lowering: each node becomes a slot, and a step that computes it where one is needed.
 *
 * The shape rules are run once more, now with known sizes. A node whose operation can look at its
 * argument's elements (a transpose, a slice, an expansion) becomes a slot on the same storage: no
 * step, no memory. A node without cells beneath it is a constant: computed with the first run and
 * kept (invariant.c). Arguments of another type than the kernel wants are converted once, however
 * many want it. Scaled and accumulated matrix products become one step (fuse.c). Users are looked
 * at before arguments for that, then steps are made in the order of evaluation that schedule.c
 * chose. */
#include "runtime/plan/lower.h"

#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/print.h"

#include <string.h>

typedef tg_lowered info;
typedef tg_lowering lowering;

/* ---- looking up ---- */

static info *info_of(const lowering *l, const tg_node *x) {
    return &l->info[x->place];
}

static int uses_of(void *user, const tg_node *x) {
    return info_of(user, x)->uses;
}

static int cell_number(const lowering *l, const tg_cell *cell) {
    int lo = 0, hi = l->p->under;
    while (lo + 1 < hi) {
        int mid = lo + (hi - lo) / 2;
        if (l->p->cells[mid].serial <= cell->serial)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static tg_storage *storage_of(const lowering *l, int slot) {
    return &l->p->storage[l->p->slots[slot].storage];
}

/* ---- leaves ---- */

static int lower_tensor(lowering *l, tg_home home, int index, tg_tensor *t) {
    int storage = tg_plan_add_storage(l->rt, l->p, home, index, 0);
    if (storage < 0) return -1;
    l->p->storage[storage].tensor = home == TG_HOME_FIXED ? t : NULL;
    int slot = tg_plan_add_slot(l->rt, l->p, storage, &t->v, 0);
    bool still = home == TG_HOME_CELL && l->p->cells[index].still;
    if (slot >= 0) l->p->slots[slot].constant = home == TG_HOME_FIXED || still;
    return slot;
}

/* A slot of the loop whose body this is. */
static int lower_turn(lowering *l, const tg_cell *cell) {
    return lower_tensor(l, TG_HOME_CELL, cell_number(l, cell), tg_overrides_value(l->o, cell));
}

static int lower_leaf(lowering *l, const tg_node *x) {
    if (x->op == &tg_op_number) return tg_plan_add_number(l->rt, l->p, TG_F64, x->leaf.number);
    if (x->op == &tg_op_const) return lower_tensor(l, TG_HOME_FIXED, 0, x->leaf.tensor);
    if (tg_node_is_slot(x) && l->p->body) return lower_turn(l, x->leaf.cell);
    if (tg_node_is_slot(x) && x->leaf.cell->kind == TG_CELL_TURN) {
        tg_fail(&l->rt->c, TG_ERR_VALUE, "%s has no value while scan looks at its function",
                x->leaf.cell->name ? x->leaf.cell->name : "this");
        tg_help(&l->rt->c, "the function is called once, for its formula, and the turns come "
                           "later: write where(c, a, b) for if, and stack what is to be seen");
        return -1;
    }
    if (tg_node_is_slot(x)) {
        tg_fail(&l->rt->c, TG_ERR_VALUE,
                "%s has no value in a rule: it stands for what comes with a call",
                x->leaf.cell->name);
        return -1;
    }
    if (x->op == &tg_op_cell)
        return lower_tensor(l, TG_HOME_CELL, cell_number(l, x->leaf.cell),
                            tg_overrides_value(l->o, x->leaf.cell));
    int64_t size = tg_size_eval(l->rt, l->sizes, x->leaf.size);
    return size < 0 ? -1 : tg_plan_add_number(l->rt, l->p, TG_F64, (double)size);
}

int tg_lower_slot_of(lowering *l, const tg_node *x) {
    info *i = info_of(l, x);
    if (i->slot < 0 && x->op->class == TG_CLASS_LEAF) i->slot = lower_leaf(l, x);
    return i->slot;
}

/* ---- values and conversions ---- */

/* A new value, kept when it is a constant, else in the workspace. */
static int add_value(lowering *l, bool constant, tg_dtype t, int rank, const int64_t *dim) {
    int slot = tg_plan_add_value(l->rt, l->p, TG_HOME_WORK, 0, t, rank, dim);
    if (slot >= 0 && constant) {
        storage_of(l, slot)->home = TG_HOME_KEPT;
        l->p->slots[slot].constant = true;
    }
    return slot;
}

static tg_step new_step(tg_step_fn *run, const tg_node *node, int out, int n) {
    return (tg_step){.run = run,
                     .node = node,
                     .attrs = -1,
                     .product = -1,
                     .region = -1,
                     .loop = -1,
                     .out = out,
                     .n = n,
                     .in_place = -1};
}

static int add_copy(lowering *l, const tg_node *node, int from, int to) {
    tg_step s = new_step(tg_step_copy, node, to, 1);
    s.once = l->p->slots[to].constant;
    return tg_plan_add_step(l->rt, l->p, &s, &from);
}

/* The slot's value as type t. */
int tg_lower_slot_as(lowering *l, const tg_node *node, int slot, tg_dtype t) {
    int last = slot;
    for (int s = slot; s >= 0; last = s, s = l->p->slots[s].converted)
        if (l->p->slots[s].v.dtype == t) return s;
    const tg_slot from = l->p->slots[slot];
    int to;
    if (from.is_number) {
        to = tg_plan_add_number(l->rt, l->p, t, from.number);
    } else {
        to = add_value(l, from.constant, t, from.v.rank, from.v.dim);
        if (to >= 0 && add_copy(l, node, slot, to) < 0) return -1;
    }
    if (to >= 0) l->p->slots[last].converted = to;
    return to;
}

/* ---- the shape rule with known sizes ---- */

static bool know_attrs(lowering *l, const tg_attrs *at, tg_attrs *out) {
    *out = *at;
    for (int i = 0; i < at->n; i++) {
        if (!(at->sizes >> i & 1)) continue;
        out->v[i] = tg_size_eval(l->rt, l->sizes, at->v[i]);
        if (out->v[i] < 0) return false;
    }
    return true;
}

static bool grow_scratch(lowering *l, size_t n) {
    void *in = l->in, *want = l->want, *args = l->args;
    bool ok = tg_grow(&in, &l->cap_in, n, sizeof *l->in);
    l->in = in;
    ok = ok && tg_grow(&want, &l->cap_want, n, sizeof *l->want);
    l->want = want;
    ok = ok && tg_grow(&args, &l->cap_args, n, sizeof *l->args);
    l->args = args;
    return ok || tg_fail_memory(&l->rt->c);
}

static bool run_infer(lowering *l, const tg_node *x, const tg_attrs *at, tg_type *out) {
    for (int i = 0; i < x->n; i++) l->want[i] = l->in[i].dtype;
    *out = (tg_type){0};
    return x->op->infer(l->rt, x->op, x->n, l->in, at, out, l->want);
}

/* Types of arguments, what the kernel wants them to be, and the type of the result. `arg` are x's
 * arguments, or what a fused product takes in their place. */
static bool infer(lowering *l, const tg_node *x, tg_node *const *arg, const tg_attrs *at,
                  tg_type *out) {
    if (!grow_scratch(l, (size_t)x->n)) return false;
    for (int i = 0; i < x->n; i++) {
        int slot = tg_lower_slot_of(l, arg[i]);
        if (slot < 0) return false;
        const tg_view *v = &l->p->slots[slot].v;
        l->in[i] = arg[i]->type;
        l->in[i].rank = v->rank;
        memcpy(l->in[i].dim, v->dim, sizeof v->dim);
    }
    if (!run_infer(l, x, at, out)) return tg_plan_explain(l->rt, x);
    if (out->dtype != x->type.dtype && tg_dtype_is_float(out->dtype)) {
        /* the formula was written under another precision than the one in force now */
        tg_dtype now = l->rt->precision;
        l->rt->precision = x->type.dtype;
        bool ok = run_infer(l, x, at, out);
        l->rt->precision = now;
        if (!ok) return tg_plan_explain(l->rt, x);
    }
    for (int i = 0; i < out->rank; i++)
        if (out->dim[i] < 0)
            return tg_fail(&l->rt->c, TG_ERR_DATA, "%s: a size is not known", x->op->name);
    return true;
}

/* The arguments' slots, converted to what the kernel wants, into l->args. */
static bool convert_args(lowering *l, int n, tg_node *const *arg, bool *constant) {
    *constant = true;
    for (int i = 0; i < n; i++) {
        l->args[i] = tg_lower_slot_as(l, arg[i], tg_lower_slot_of(l, arg[i]), l->want[i]);
        if (l->args[i] < 0) return false;
        *constant = *constant && l->p->slots[l->args[i]].constant;
    }
    return true;
}

/* ---- looks ---- */

/* Addresses are not known yet; looks are taken from this one, which is never read. */
static char *const nowhere = (char *)((uintptr_t)1 << 40);

/* The node as a look at its first argument; -1 without an error when it is none. */
static int lower_look(lowering *l, const tg_node *x, const tg_attrs *at, const tg_type *type) {
    const tg_slot from = l->p->slots[l->args[0]];
    tg_view in[TG_MAX_TENSORS], out = {0};
    for (int i = 0; i < x->n; i++) in[i] = l->p->slots[l->args[i]].v;
    in[0].data = nowhere + from.offset;
    tg_view_init(&out, nowhere, type->dtype, type->rank, type->dim);
    const tg_call call = {.rt = l->rt, .op = x->op, .n = x->n, .in = in, .out = &out, .at = at};
    if (!x->op->view(&call)) return -1;
    int slot = tg_plan_add_slot(l->rt, l->p, from.storage, &out, (char *)out.data - nowhere);
    if (slot >= 0) l->p->slots[slot].constant = from.constant;
    return slot;
}

/* The slot seen in the shape of a larger result, by steps of 0 along the axes it lacks. */
static int broadcast(lowering *l, int slot, const tg_type *type) {
    const tg_slot from = l->p->slots[slot];
    tg_view v;
    tg_view_init(&v, NULL, from.v.dtype, type->rank, type->dim);
    for (int i = 0; i < type->rank; i++) {
        int j = i - (type->rank - from.v.rank);
        v.stride[i] = j < 0 || (from.v.dim[j] == 1 && type->dim[i] != 1) ? 0 : from.v.stride[j];
    }
    int out = tg_plan_add_slot(l->rt, l->p, from.storage, &v, from.offset);
    if (out >= 0) l->p->slots[out].constant = from.constant;
    return out;
}

/* ---- nodes ---- */

/* Where the value goes: into the result when the node is a root, else into memory of the plan. */
int tg_lower_out(lowering *l, const info *i, bool constant, const tg_type *t) {
    if (i->root >= 0)
        return tg_plan_add_value(l->rt, l->p, TG_HOME_RESULT, i->root, t->dtype, t->rank, t->dim);
    return add_value(l, constant, t->dtype, t->rank, t->dim);
}

static bool add_attrs(lowering *l, const tg_attrs *at, int *number) {
    tg_plan *p = l->p;
    void *items = p->attrs;
    if (!tg_grow(&items, &p->cap_attrs, p->nattrs + 1, sizeof *p->attrs))
        return tg_fail_memory(&l->rt->c);
    p->attrs = items;
    p->attrs[p->nattrs] = *at;
    *number = (int)p->nattrs++;
    return true;
}

static bool lower_plain(lowering *l, const tg_node *x, info *i) {
    tg_attrs known;
    const tg_attrs *at = x->at;
    tg_type type;
    bool constant;
    if (at->sizes) {
        if (!know_attrs(l, at, &known)) return false;
        at = &known;
    }
    if (!infer(l, x, x->arg, at, &type) || !convert_args(l, x->n, x->arg, &constant)) return false;
    if (x->op->view && x->n > 0 && x->n <= TG_MAX_TENSORS) {
        i->slot = lower_look(l, x, at, &type);
        if (i->slot >= 0) return true;
        if (l->rt->c.diag.kind != TG_ERR_NONE) return tg_plan_explain(l->rt, x);
    }
    constant = constant && x->op->class != TG_CLASS_RANDOM;
    i->slot = tg_lower_out(l, i, constant, &type);
    if (i->slot < 0) return false;
    tg_step s = new_step(tg_step_kernel, x, i->slot, x->n);
    s.op = x->op;
    s.once = l->p->slots[i->slot].constant;
    s.in_place = x->op->in_place && x->n > 0 ? 0 : -1;
    if (at != x->at && !add_attrs(l, at, &s.attrs)) return false;
    return tg_plan_add_step(l->rt, l->p, &s, l->args) >= 0;
}

static bool add_product(lowering *l, const tg_product *f, int *number) {
    tg_plan *p = l->p;
    void *items = p->products;
    if (!tg_grow(&items, &p->cap_products, p->nproducts + 1, sizeof *p->products))
        return tg_fail_memory(&l->rt->c);
    p->products = items;
    p->products[p->nproducts] = *f;
    *number = (int)p->nproducts++;
    return true;
}

static bool lower_product(lowering *l, const tg_node *x, info *i, const tg_fusion *f) {
    tg_type type;
    bool constant;
    int args[3 + TG_MAX_SCALES], n = 2;
    if (!infer(l, f->product, f->operand, f->product->at, &type) ||
        !convert_args(l, 2, f->operand, &constant))
        return false;
    memcpy(args, l->args, 2 * sizeof *args);
    tg_product g = {.alpha = f->alpha, .accumulates = f->addend != NULL};
    if (f->addend) {
        int slot = tg_lower_slot_of(l, f->addend);
        if (slot >= 0) slot = tg_lower_slot_as(l, f->addend, slot, type.dtype);
        if (slot >= 0) slot = broadcast(l, slot, &type);
        if (slot < 0) return false;
        constant = constant && l->p->slots[slot].constant;
        args[n++] = slot;
    }
    for (int k = 0; k < f->nscales; k++) {
        int slot = tg_lower_slot_of(l, f->scale[k]);
        if (slot < 0) return false;
        const tg_slot *s = &l->p->slots[slot];
        if (s->is_number) {
            g.alpha = f->divides[k] ? g.alpha / s->number : g.alpha * s->number;
            continue;
        }
        constant = constant && s->constant;
        g.divides[g.nscales++] = f->divides[k];
        args[n++] = slot;
    }
    i->slot = tg_lower_out(l, i, constant, &type);
    if (i->slot < 0) return false;
    tg_step s = new_step(tg_step_product, x, i->slot, n);
    s.once = l->p->slots[i->slot].constant;
    s.in_place = f->addend ? 2 : -1;
    return add_product(l, &g, &s.product) && tg_plan_add_step(l->rt, l->p, &s, args) >= 0;
}

/* ---- the whole ---- */

static bool find_products(lowering *l) {
    for (size_t k = l->n; k-- > 0;) {
        tg_fusion f;
        if (l->info[k].absorbed || !tg_plan_fuse(l->nodes[k], uses_of, l, &f)) continue;
        void *items = l->fusions;
        if (!tg_grow(&items, &l->cap_fusions, l->nfusions + 1, sizeof f))
            return tg_fail_memory(&l->rt->c);
        l->fusions = items;
        l->fusions[l->nfusions] = f;
        l->info[k].fusion = (int)l->nfusions++;
        for (int i = 0; i < f.nabsorbed; i++) info_of(l, f.absorbed[i])->absorbed = true;
    }
    return true;
}

/* May the slot be handed out as it is? Lifted numbers are written over when nobody holds their
 * tensor, which a mere look at it does not. */
static bool may_share(const lowering *l, int slot, const tg_node *root) {
    const tg_storage *s = storage_of(l, slot);
    const tg_view *v = &l->p->slots[slot].v;
    if (v->dtype != root->type.dtype || !tg_view_is_contiguous(v)) return false;
    if (s->home == TG_HOME_FIXED) return true;
    if (s->home != TG_HOME_CELL) return false;
    return root->op == &tg_op_cell || l->p->cells[s->index].cell->kind != TG_CELL_LIFT;
}

/* A result is the node's own storage, or what may be handed out as it is, or a copy. */
static bool lower_result(lowering *l, int k) {
    tg_plan *p = l->p;
    const tg_node *root = p->targets[k];
    int slot = tg_lower_slot_of(l, root);
    if (slot < 0) return false;
    const tg_view v = p->slots[slot].v;
    tg_plan_result *r = &p->results[k];
    *r = (tg_plan_result){.dtype = root->type.dtype, .slot = -1, .rank = v.rank};
    memcpy(r->dim, v.dim, sizeof v.dim);
    const tg_storage *s = storage_of(l, slot);
    if (s->home == TG_HOME_RESULT && s->index == k && p->slots[slot].v.dtype == r->dtype)
        return true;
    if (!p->body && may_share(l, slot, root)) {
        r->slot = slot;
        return true;
    }
    int out = tg_plan_add_value(l->rt, p, TG_HOME_RESULT, k, r->dtype, r->rank, r->dim);
    return out >= 0 && add_copy(l, root, slot, out) >= 0;
}

static bool lower_all(lowering *l) {
    for (size_t k = 0; k < l->n; k++) {
        l->info[k] = (info){.slot = -1, .root = -1, .fusion = -1};
        for (int i = 0; i < l->nodes[k]->n; i++) info_of(l, l->nodes[k]->arg[i])->uses++;
    }
    for (int k = l->p->nroots; k-- > 0;) {
        info_of(l, l->p->targets[k])->uses++;
        info_of(l, l->p->targets[k])->root = k;
    }
    if (!find_products(l)) return false;
    for (size_t k = 0; k < l->n; k++) {
        const tg_node *x = l->nodes[k];
        info *i = &l->info[k];
        if (i->absorbed || x->op->class == TG_CLASS_LEAF) continue;
        if ((k & 1023) == 0 && !tg_check_interrupt(&l->rt->c)) return false;
        if (tg_node_is_item(x)) continue; /* lowered with its loop */
        if (tg_node_is_loop(x)) {
            if (!tg_lower_loop(l, x)) return false;
            continue;
        }
        if (!(i->fusion >= 0 ? lower_product(l, x, i, &l->fusions[i->fusion])
                             : lower_plain(l, x, i)))
            return false;
    }
    for (int k = 0; k < l->p->nroots; k++)
        if (!lower_result(l, k)) return false;
    return true;
}

bool tg_plan_lower(tg_rt *rt, tg_plan *p, tg_node *const *nodes, size_t n, const tg_overrides *o,
                   const tg_size_binding *sizes) {
    lowering l = {.rt = rt, .p = p, .o = o, .sizes = sizes, .nodes = nodes, .n = n};
    l.info = tg_alloc_array(n, sizeof *l.info);
    bool ok = l.info ? lower_all(&l) : tg_fail_memory(&rt->c);
    tg_reruns_free(&l);
    tg_free(l.info);
    tg_free(l.fusions);
    tg_free(l.in);
    tg_free(l.want);
    tg_free(l.args);
    return ok;
}

/* ---- errors ---- */

/* Replaces {0}, {1}, ... in text by the printed arguments. */
static void fill_in(tg_rt *rt, const tg_node *x, char *text, size_t room) {
    tg_str s = {0};
    bool any = false;
    for (const char *p = text; *p;) {
        int k = p[1] >= '0' && p[1] <= '9' ? p[1] - '0' : -1;
        if (p[0] == '{' && k >= 0 && p[2] == '}' && k < x->n) {
            tg_node_print(rt, &s, x->arg[k], false);
            any = true;
            p += 3;
        } else {
            tg_str_addc(&s, *p++);
        }
    }
    if (any && !s.failed) {
        size_t n = s.len < room - 1 ? s.len : room - 1;
        memcpy(text, tg_str_text(&s), n);
        text[n] = 0;
    }
    tg_str_free(&s);
}

bool tg_plan_explain(tg_rt *rt, const tg_node *node) {
    tg_diag *d = &rt->c.diag;
    if (d->kind == TG_ERR_MEMORY || d->kind == TG_ERR_INTERRUPT || d->kind == TG_ERR_DEPTH)
        return false;
    tg_diag now = *d; /* printing must not lose the error if it fails itself */
    tg_str s = {0};
    bool ok = tg_node_print(rt, &s, node, false) && !s.failed;
    fill_in(rt, node, now.msg, sizeof now.msg);
    fill_in(rt, node, now.help, sizeof now.help);
    *d = now;
    if (ok) tg_note(&rt->c, "in %s", tg_str_text(&s));
    tg_str_free(&s);
    return false;
}
