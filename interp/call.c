/* Calls: of operations, on values or into the graph; of functions written in tg; of builtins.
 *
 * An operation is applied at once when all its operands are known, and becomes a node when one of
 * them is live. It is the same record either way. */
#include "interp/call.h"
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/convert.h"

#include <math.h>
#include <string.h>

/* ---- operations ---- */

enum { FEW = 8, MANY_ITEMS = 4096 };

/* What bind sees of the arguments, and the operands it may ask for: the arguments first, then the
 * items of lists. */
typedef struct call_frame {
    tg_interp *in;
    const tg_op *op;
    int noperands, cap;
    tg_argument *operand;
    tg_argument few[FEW];
    tg_arg *item[FEW]; /* allocated item arrays, freed at the end */
    int nitems;
} call_frame;

static bool add_operand(call_frame *f, tg_value v, const tg_ast *ast, int *number) {
    if (f->noperands == f->cap) {
        tg_argument *more = tg_alloc_array((size_t)f->cap * 2, sizeof *more);
        if (!more) return tg_fail_memory(&f->in->rt.c);
        memcpy(more, f->operand, (size_t)f->noperands * sizeof *more);
        if (f->operand != f->few) tg_free(f->operand);
        f->operand = more;
        f->cap *= 2;
    }
    *number = f->noperands;
    f->operand[f->noperands++] = (tg_argument){.value = tg_value_hold(v), .ast = ast};
    return true;
}

static void frame_free(call_frame *f) {
    for (int i = 0; i < f->noperands; i++) tg_value_drop(f->operand[i].value);
    if (f->operand != f->few) tg_free(f->operand);
    for (int i = 0; i < f->nitems; i++) tg_free(f->item[i]);
}

/* Does the i-th argument go to the op's list parameter, or to one that is not a tensor? */
static const tg_param *param_for(const tg_op *op, int position, const char *name) {
    for (int i = 0; i < TG_MAX_PARAMS && op->param[i].name; i++)
        if (name ? strcmp(op->param[i].name, name) == 0 : i == position) return &op->param[i];
    return NULL;
}

static bool describe(call_frame *f, const tg_argument *a, const tg_param *p, int depth,
                     tg_arg *out);

static bool describe_items(call_frame *f, int n, const tg_value *v, const tg_ast *ast,
                           const tg_param *p, int depth, tg_arg *out) {
    if (n > MANY_ITEMS || f->nitems >= FEW || depth > 2)
        return tg_fail(&f->in->rt.c, TG_ERR_VALUE, "too many items in one argument (at most %d)",
                       MANY_ITEMS);
    tg_arg *items = tg_alloc_array((size_t)n + 1, sizeof *items);
    if (!items) return tg_fail_memory(&f->in->rt.c);
    f->item[f->nitems++] = items;
    bool lists = ast && ast->kind == TG_AST_BRACKET && ast->n == n;
    for (int i = 0; i < n; i++)
        if (!describe(f, &(tg_argument){.value = v[i], .ast = lists ? ast->kids[i] : NULL}, p,
                      depth + 1, &items[i]))
            return false;
    out->n = n;
    out->items = items;
    return true;
}

/* A tensor given where a list is wanted: its rows. */
static bool describe_rows(call_frame *f, tg_tensor *t, const tg_param *p, tg_arg *out) {
    int64_t n = t->v.dim[0];
    tg_value rows;
    if (n > MANY_ITEMS)
        return tg_fail(&f->in->rt.c, TG_ERR_VALUE, "a list of %lld items is too long",
                       (long long)n);
    if (!tg_value_items(&f->in->rt.c, TG_V_LIST, (int)n, &rows)) return false;
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        tg_tensor *row = tg_tensor_row(&f->in->rt.c, t, i);
        ok = row != NULL;
        if (ok) rows.as.items->v[i] = (tg_value){.tag = TG_V_TENSOR, .as.tensor = row};
    }
    out->kind = TG_ARG_LIST;
    ok = ok && describe_items(f, (int)n, rows.as.items->v, NULL, p, 0, out);
    tg_value_drop(rows);
    return ok;
}

static bool describe(call_frame *f, const tg_argument *a, const tg_param *p, int depth,
                     tg_arg *out) {
    tg_interp *in = f->in;
    tg_value v = a->value;
    bool tensor = !p || p->kind == TG_P_TENSOR || p->kind == TG_P_LIST;
    *out = (tg_arg){.name = a->name, .size = TG_SIZE_FAIL};
    switch (v.tag) {
    case TG_V_NONE: out->kind = TG_ARG_NONE; return true;
    case TG_V_NUMBER:
        out->kind = TG_ARG_NUMBER;
        out->number = v.as.number;
        if (v.as.number >= 0 && v.as.number == floor(v.as.number) && v.as.number < 1e15)
            out->size = (tg_size)v.as.number;
        return add_operand(f, v, a->ast, &out->operand);
    case TG_V_BOOL:
        out->kind = TG_ARG_BOOL;
        out->number = v.as.truth;
        return add_operand(f, v, a->ast, &out->operand);
    case TG_V_FORMULA: {
        out->kind = TG_ARG_TENSOR;
        if (v.as.node->type.rank == 0) out->size = tg_size_of_node(in, v.as.node);
        if (out->size != TG_SIZE_FAIL) out->kind = TG_ARG_SIZE;
        if (!tensor && out->kind == TG_ARG_TENSOR &&
            p->kind != TG_P_SPEC) { /* a live number for an attribute: as it is now */
            tg_value now;
            if (!tg_value_now(in, v, &now)) return false;
            bool ok = describe(f, &(tg_argument){a->name, now, a->ast}, p, depth, out);
            tg_value_drop(now);
            return ok;
        }
        return add_operand(f, v, a->ast, &out->operand);
    }
    case TG_V_TENSOR:
        if (p && p->kind == TG_P_LIST && depth == 0) return describe_rows(f, v.as.tensor, p, out);
        if (!tensor && v.as.tensor->v.rank == 1) {
            tg_value row;
            int64_t n = v.as.tensor->v.dim[0];
            if (n > TG_MAX_RANK) break;
            if (!tg_value_items(&in->rt.c, TG_V_TUPLE, (int)n, &row)) return false;
            for (int i = 0; i < n; i++)
                row.as.items->v[i] = tg_value_number(tg_view_get(&v.as.tensor->v, i));
            out->kind = TG_ARG_TUPLE;
            bool ok = describe_items(f, (int)n, row.as.items->v, NULL, p, depth, out);
            tg_value_drop(row);
            return ok;
        }
        out->kind = TG_ARG_TENSOR;
        return add_operand(f, v, a->ast, &out->operand);
    case TG_V_LIST:
        if (tensor && !(p && p->kind == TG_P_LIST && depth == 0)) {
            tg_node *n;
            tg_tensor *t;
            tg_value made;
            if (tg_is_live(v)) {
                if (!tg_to_node(in, v, "the argument", &n)) return false;
                made = tg_value_formula(n, 0);
            } else {
                if (!tg_to_tensor(in, v, "the argument", &t)) return false;
                made = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
            }
            out->kind = TG_ARG_TENSOR;
            bool ok = add_operand(f, made, a->ast, &out->operand);
            tg_value_drop(made);
            return ok;
        }
        out->kind = tensor ? TG_ARG_LIST : TG_ARG_TUPLE;
        return describe_items(f, v.as.items->n, v.as.items->v, a->ast, p, depth, out);
    case TG_V_TUPLE:
        if (p && p->kind == TG_P_TENSOR && !tg_is_live(v)) { /* prod(shape(A)): numbers in a row */
            tg_value list = v;
            list.tag = TG_V_LIST;
            tg_tensor *t;
            if (!tg_to_tensor(in, list, "the argument", &t)) return false;
            tg_value made = {.tag = TG_V_TENSOR, .as.tensor = t};
            out->kind = TG_ARG_TENSOR;
            bool ok = add_operand(f, made, a->ast, &out->operand);
            tg_value_drop(made);
            return ok;
        }
        out->kind = p && p->kind == TG_P_LIST ? TG_ARG_LIST : TG_ARG_TUPLE;
        return describe_items(f, v.as.items->n, v.as.items->v, a->ast, p, depth, out);
    case TG_V_RANGE: {
        tg_tensor *t;
        if (!tg_to_tensor(in, v, "the argument", &t)) return false;
        tg_value made = {.tag = TG_V_TENSOR, .as.tensor = t};
        bool ok = describe(f, &(tg_argument){a->name, made, a->ast}, p, depth, out);
        tg_value_drop(made);
        return ok;
    }
    default: break;
    }
    return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s has no meaning for %s",
                   f->op->symbol ? f->op->symbol : f->op->name, tg_value_kind(v));
}

static int rank_of(void *user, int operand) {
    const call_frame *f = user;
    return tg_value_rank(f->operand[operand].value);
}

/* A literal keeps its place in the formula as a number; anything else may be lifted. */
static bool is_literal(const tg_ast *e) {
    while (e && e->kind == TG_AST_UNARY) e = e->kids[0];
    return e && (e->kind == TG_AST_NUMBER || e->kind == TG_AST_BRACKET);
}

static bool make_formula(call_frame *f, const tg_bound *b, tg_value *out) {
    tg_interp *in = f->in;
    tg_node *few[TG_MAX_TENSORS], **arg = few;
    uint32_t assumed = 0;
    if (b->n > TG_MAX_TENSORS && !(arg = tg_alloc_array((size_t)b->n, sizeof(tg_node *))))
        return tg_fail_memory(&in->rt.c);
    bool ok = true;
    for (int i = 0; ok && i < b->n; i++) {
        const tg_argument *a = &f->operand[b->operand[i]];
        const char *label = a->ast && a->ast->kind == TG_AST_NAME ? a->ast->name : NULL;
        ok = tg_to_node_of(in, a->value, "the argument", is_literal(a->ast), label, &arg[i]);
        if (a->value.tag == TG_V_FORMULA) assumed |= a->value.assumed;
    }
    tg_node *n = ok ? tg_node_make(&in->rt, b->op, b->n, arg, &b->at) : NULL;
    if (arg != few) tg_free(arg);
    if (!n) return false;
    *out = tg_value_formula(n, assumed);
    return true;
}

static bool apply_now(call_frame *f, const tg_bound *b, tg_value *out) {
    tg_interp *in = f->in;
    tg_tensor *few[TG_MAX_TENSORS], **arg = few;
    bool few_weak[TG_MAX_TENSORS], *weak = few_weak;
    if (b->n > TG_MAX_TENSORS) {
        arg = tg_alloc_array((size_t)b->n, sizeof(tg_tensor *));
        weak = tg_alloc_array((size_t)b->n, sizeof(bool));
    }
    bool ok = arg && weak ? true : tg_fail_memory(&in->rt.c);
    int n = 0;
    for (; ok && n < b->n; n++) {
        tg_value v = f->operand[b->operand[n]].value;
        weak[n] = v.tag == TG_V_NUMBER;
        ok = tg_to_tensor(in, v, "the argument", &arg[n]);
        if (!ok) break;
    }
    tg_tensor *t = ok ? tg_op_apply(&in->rt, b->op, b->n, arg, weak, &b->at) : NULL;
    for (int i = 0; i < n; i++) tg_tensor_drop(arg[i]);
    if (b->n > TG_MAX_TENSORS) {
        tg_free(arg);
        tg_free(weak);
    }
    if (!t) return false;
    *out = tg_value_tensor(t);
    return true;
}

static bool has_open_sizes(const tg_attrs *at) {
    for (int i = 0; i < at->n; i++)
        if (at->sizes >> i & 1 && at->v[i] < 0) return true;
    return false;
}

/* f over the fields of a record or the items of tuples, the rest repeated: params - 0.1 * grads. */
static bool map_structure(tg_interp *in, const tg_op *op, int n, const tg_argument *args,
                          const tg_argument *like, tg_value *out) {
    if (!tg_guard(&in->rt.c)) return false;
    tg_items *form = like->value.as.items;
    for (int i = 0; i < n; i++) {
        tg_value v = args[i].value;
        if (!tg_is_container(v)) continue;
        bool same = v.as.items->n == form->n;
        for (int k = 0; same && form->field && v.as.items->field && k < form->n; k++)
            same = form->field[k] == v.as.items->field[k];
        if (!same)
            return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s of %d and %s of %d items do not match",
                           tg_value_kind(like->value), form->n, tg_value_kind(v), v.as.items->n);
    }
    tg_argument item[TG_MAX_TENSORS];
    tg_value made;
    if (n > TG_MAX_TENSORS) n = TG_MAX_TENSORS;
    if (!tg_value_items(&in->rt.c, like->value.tag, form->n, &made)) return false;
    for (int k = 0; k < form->n; k++) {
        for (int i = 0; i < n; i++) {
            item[i] = args[i];
            if (tg_is_container(args[i].value)) {
                item[i].value = args[i].value.as.items->v[k];
                item[i].ast = NULL;
            }
        }
        if (form->field) made.as.items->field[k] = form->field[k];
        if (!tg_call_op(in, op, n, item, &made.as.items->v[k])) {
            tg_value_drop(made);
            return false;
        }
    }
    return tg_value_seal(&in->rt.c, made, out);
}

/* A tuple or record among the arguments of an elementwise operation. */
static const tg_argument *structured(const tg_op *op, int n, const tg_argument *args) {
    for (int i = 0; op->class == TG_CLASS_ELEMENTWISE && i < n; i++)
        if (args[i].value.tag == TG_V_TUPLE || args[i].value.tag == TG_V_RECORD) return &args[i];
    return NULL;
}

bool tg_call_op(tg_interp *in, const tg_op *op, int n, const tg_argument *args, tg_value *out) {
    const tg_argument *like = structured(op, n, args);
    if (like) return map_structure(in, op, n, args, like, out);
    if (op->binary && n > 2 && !args[2].name &&
        args[2].value.tag == TG_V_NUMBER) { /* max(1, 2, 3) */
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s takes two operands, or one tensor", op->name);
        return tg_help(&in->rt.c, "%s([a, b, c])", op->name);
    }
    call_frame f = {.in = in, .op = op, .cap = FEW};
    f.operand = f.few;
    tg_arg few[FEW], *arg = few;
    if (n > FEW && !(arg = tg_alloc_array((size_t)n, sizeof *arg)))
        return tg_fail_memory(&in->rt.c);
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        /* max(a, b): the second is no axis */
        bool other = op->binary && i == 1 && !args[i].name && args[i].value.tag != TG_V_TUPLE;
        ok = describe(&f, &args[i], other ? NULL : param_for(op, i, args[i].name), 0, &arg[i]);
    }
    tg_bound b = {0};
    if (ok) {
        ok = tg_op_bind(&in->rt, op, n, arg, rank_of, &f, &b);
        int operands[FEW];
        for (int i = 0; i < FEW; i++) operands[i] = i;
        if (!ok) tg_blame_operands(in, f.noperands < FEW ? f.noperands : FEW, operands, f.operand);
    }
    if (ok) {
        bool live = has_open_sizes(&b.at) || (b.op->class == TG_CLASS_RANDOM && in->rt.live_draws);
        for (int i = 0; i < b.n; i++) live = live || tg_is_live(f.operand[b.operand[i]].value);
        ok = live ? make_formula(&f, &b, out) : apply_now(&f, &b, out);
        if (!ok) tg_blame_operands(in, b.n, b.operand, f.operand);
        tg_bound_free(&b);
    }
    frame_free(&f);
    if (arg != few) tg_free(arg);
    return ok;
}
