/* Calls of operations, on values or into the graph.
 *
 * An operation is applied at once when all its operands are known, and becomes a node when one of
 * them is live. It is the same record either way. */
#include "interp/call.h"
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/numeric.h"
#include "interp/plain.h"
#include "interp/vmap.h"
#include "runtime/ops/attrs.h"

#include <math.h>
#include <string.h>

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

/* The parameter that an argument is for; NULL: there is none, and bind will say so. In zeros(2, n)
 * both numbers are for the shape. */
static const tg_param *param_for(const tg_op *op, int position, const char *name) {
    for (int i = 0; i < TG_MAX_PARAMS && op->param[i].name; i++) {
        if (name && strcmp(op->param[i].name, name) == 0) return &op->param[i];
        if (!name && (i == position || tg_param_spreads(op, i))) return &op->param[i];
    }
    return NULL;
}

/* ---- what bind sees of an argument ----
 *
 * A number, truth value, tensor or formula becomes an operand, and bind decides by the parameter
 * whether it is that or an attribute. Of containers it depends on the parameter p (NULL: an operand
 * is wanted): a list of tensors or an attribute such as a shape is given item by item. */

static bool describe(call_frame *f, const tg_argument *a, const tg_param *p, int depth,
                     tg_arg *out);

static bool wants_list(const tg_param *p, int depth) {
    return p && p->kind == TG_P_LIST && depth == 0;
}

static bool wants_operand(const tg_param *p) {
    return !p || p->kind == TG_P_TENSOR || p->kind == TG_P_LIST;
}

static bool describe_items(call_frame *f, int n, const tg_value *v, const tg_ast *ast,
                           const tg_param *p, int depth, tg_arg *out) {
    if (n > MANY_ITEMS)
        return tg_fail(&f->in->rt.c, TG_ERR_VALUE, "too many items in one argument (at most %d)",
                       MANY_ITEMS);
    if (f->nitems >= FEW || depth > 2)
        return tg_fail(&f->in->rt.c, TG_ERR_TYPE,
                       "the tuples in the arguments are nested too deep");
    tg_arg *items = tg_alloc_array((size_t)n + 1, sizeof *items);
    if (!items) return tg_fail_memory(&f->in->rt.c);
    f->item[f->nitems++] = items;
    bool written = ast && ast->kind == TG_AST_BRACKET && ast->n == n;
    for (int i = 0; i < n; i++)
        if (!describe(f, &(tg_argument){.value = v[i], .ast = written ? ast->kids[i] : NULL}, p,
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

/* A vector given for an attribute: its numbers, as a tuple. */
static bool describe_numbers(call_frame *f, const tg_view *v, const tg_param *p, int depth,
                             tg_arg *out) {
    tg_value numbers;
    int n = (int)v->dim[0];
    if (!tg_value_items(&f->in->rt.c, TG_V_TUPLE, n, &numbers)) return false;
    for (int i = 0; i < n; i++) numbers.as.items->v[i] = tg_value_number(tg_view_get(v, i));
    out->kind = TG_ARG_TUPLE;
    bool ok = describe_items(f, n, numbers.as.items->v, NULL, p, depth, out);
    tg_value_drop(numbers);
    return ok;
}

/* A list, range or tuple of numbers as one operand. */
static bool describe_array(call_frame *f, const tg_argument *a, const tg_param *p, int depth,
                           tg_arg *out) {
    tg_value list = a->value, array;
    if (list.tag == TG_V_TUPLE) list.tag = TG_V_LIST; /* prod(shape(A)) */
    if (!tg_to_array(f->in, list, "the argument", &array)) return false;
    bool ok = describe(f, &(tg_argument){a->name, array, a->ast}, p, depth, out);
    tg_value_drop(array);
    return ok;
}

/* A live number given for an attribute counts as it is now. */
static bool describe_now(call_frame *f, const tg_argument *a, const tg_param *p, int depth,
                         tg_arg *out) {
    tg_value now;
    if (!tg_value_now(f->in, a->value, &now)) return false;
    bool ok = describe(f, &(tg_argument){a->name, now, a->ast}, p, depth, out);
    tg_value_drop(now);
    return ok;
}

static bool describe_container(call_frame *f, const tg_argument *a, const tg_param *p, int depth,
                               tg_arg *out) {
    tg_value v = a->value;
    bool one = v.tag == TG_V_LIST ? wants_operand(p) && !wants_list(p, depth)
                                  : p && p->kind == TG_P_TENSOR && !tg_is_live(v);
    if (one) return describe_array(f, a, p, depth, out);
    bool list = v.tag == TG_V_LIST ? wants_operand(p) : p && p->kind == TG_P_LIST;
    out->kind = list ? TG_ARG_LIST : TG_ARG_TUPLE;
    return describe_items(f, v.as.items->n, v.as.items->v, a->ast, p, depth, out);
}

static bool describe(call_frame *f, const tg_argument *a, const tg_param *p, int depth,
                     tg_arg *out) {
    tg_value v = a->value;
    const tg_view *t;
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
    case TG_V_FORMULA:
        if (tg_value_rank(v) == 0) out->size = tg_size_of_node(f->in, v.as.node);
        out->kind = out->size == TG_SIZE_FAIL ? TG_ARG_TENSOR : TG_ARG_SIZE;
        if (out->kind == TG_ARG_TENSOR && p && p->kind != TG_P_SPEC && !wants_operand(p))
            return describe_now(f, a, p, depth, out);
        return add_operand(f, v, a->ast, &out->operand);
    case TG_V_TENSOR:
        t = &v.as.tensor->v;
        if (wants_list(p, depth)) return describe_rows(f, v.as.tensor, p, out);
        if (!wants_operand(p) && t->rank == 1) {
            if (t->dim[0] > TG_MAX_RANK) break;
            return describe_numbers(f, t, p, depth, out);
        }
        out->kind = TG_ARG_TENSOR;
        return add_operand(f, v, a->ast, &out->operand);
    case TG_V_LIST:
    case TG_V_TUPLE: return describe_container(f, a, p, depth, out);
    case TG_V_RANGE: return describe_array(f, a, p, depth, out);
    default: break;
    }
    return tg_fail(&f->in->rt.c, TG_ERR_TYPE, "%s has no meaning for %s",
                   f->op->symbol ? f->op->symbol : f->op->name, tg_value_kind(v));
}

/* ---- the call ---- */

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
        bool named = a->ast && a->ast->kind == TG_AST_NAME && a->value.tag == TG_V_TENSOR;
        const char *label = named ? tg_label_of(in, a->ast->name, a->value.as.tensor) : NULL;
        if ((arg[i] = tg_written_out(in, a->ast, a->value))) continue;
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

/* The same in a program that is only read: where nothing is live a value of the formula's type,
 * computed if it is small. */
static TG_APART bool make_checked(call_frame *f, const tg_bound *b, tg_value *out) {
    tg_value *operand = tg_alloc_array((size_t)b->n + 1, sizeof *operand), made;
    if (!operand) return tg_fail_memory(&f->in->rt.c);
    for (int i = 0; i < b->n; i++) operand[i] = f->operand[b->operand[i]].value;
    bool ok = make_formula(f, b, &made);
    if (ok && made.as.node->live) {
        *out = made;
    } else if (ok) {
        const tg_type type = made.as.node->type;
        tg_value_drop(made);
        ok = tg_check_computes(b->op, &type, b->n, operand) ? apply_now(f, b, out)
                                                            : tg_check_stand_in(f->in, &type, out);
    }
    tg_free(operand);
    return ok;
}

bool tg_attrs_open(const tg_attrs *at) {
    for (int i = 0; i < at->n; i++)
        if (at->sizes >> i & 1 && at->v[i] < 0) return true;
    return false;
}

static bool call_op(tg_interp *in, const tg_op *op, int n, const tg_argument *args, bool inside,
                    tg_value *out);

/* f over the fields of a record or the items of tuples and lists, the rest repeated:
 * params - 0.1 * grads. */
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
        if (!call_op(in, op, n, item, true, &made.as.items->v[k])) {
            tg_value_drop(made);
            return false;
        }
    }
    return tg_value_seal(&in->rt.c, made, out);
}

static bool has_shape(tg_value v) {
    return v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA;
}

/* Is the list no array, because it holds records or tuples, or tensors of unlike shapes? */
static bool is_unlike(const tg_items *list) {
    if (list->numbers) return false;
    for (int i = 0; i < list->n; i++) {
        tg_value v = list->v[i];
        if (v.tag == TG_V_TUPLE || v.tag == TG_V_RECORD) return true;
        if (v.tag == TG_V_LIST && is_unlike(v.as.items)) return true;
        if (!has_shape(v) || !has_shape(list->v[0])) continue;
        tg_type type = tg_type_of(v), first = tg_type_of(list->v[0]);
        if (!tg_type_same_shape(&type, &first)) return true;
    }
    return false;
}

/* A tuple or record among the arguments of an elementwise operation, or a list that is no array;
 * inside of such a structure any list. */
static const tg_argument *structured(const tg_op *op, int n, const tg_argument *args, bool inside) {
    for (int i = 0; op->class == TG_CLASS_ELEMENTWISE && i < n; i++) {
        tg_value v = args[i].value;
        if (v.tag == TG_V_TUPLE || v.tag == TG_V_RECORD) return &args[i];
        if (v.tag == TG_V_LIST && (inside || is_unlike(v.as.items))) return &args[i];
    }
    return NULL;
}

/* The same with an answer in its place as a truth value: not same(a, b). */
static bool call_on_truth(tg_interp *in, const tg_op *op, int n, const tg_argument *args, int at,
                          tg_value *out) {
    tg_argument *moved = tg_alloc_array((size_t)n, sizeof *moved);
    if (!moved) return tg_fail_memory(&in->rt.c);
    memcpy(moved, args, (size_t)n * sizeof *args);
    moved[at].value = args[at].value.as.items->v[0];
    bool ok = tg_guard(&in->rt.c) && tg_call_op(in, op, n, moved, out);
    tg_free(moved);
    return ok;
}

/* One value for each operand of an elementwise operation, in their order: as a + b is written. */
static bool is_in_order(const tg_op *op, int n, const tg_argument *args) {
    if (op->class != TG_CLASS_ELEMENTWISE || op->canonical || n > TG_MAX_TENSORS) return false;
    for (int i = 0; i < n; i++) {
        tg_tag tag = args[i].value.tag;
        bool one = tag == TG_V_FORMULA || tag == TG_V_TENSOR || tag == TG_V_NUMBER;
        if (!one || args[i].name || !op->param[i].name || op->param[i].kind != TG_P_TENSOR)
            return false;
    }
    return !op->param[n].name;
}

/* Such arguments are bound as they stand. */
static bool bind_in_order(call_frame *f, int n, const tg_argument *args, tg_bound *b) {
    *b = (tg_bound){.op = f->op, .n = n, .operand = b->few};
    for (int i = 0; i < n; i++)
        if (!add_operand(f, args[i].value, args[i].ast, &b->few[i])) return false;
    return true;
}

static bool bind(call_frame *f, int n, const tg_argument *args, tg_bound *b) {
    tg_interp *in = f->in;
    const tg_op *op = f->op;
    if (is_in_order(op, n, args)) return bind_in_order(f, n, args, b);
    tg_arg few[FEW] = {{0}}, *arg = few;
    if (n > FEW && !(arg = tg_alloc_array((size_t)n, sizeof *arg)))
        return tg_fail_memory(&in->rt.c);
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        /* max(a, b): the second is no axis */
        bool other = op->binary && i == 1 && !args[i].name && args[i].value.tag != TG_V_TUPLE;
        ok = describe(f, &args[i], other ? NULL : param_for(op, i, args[i].name), 0, &arg[i]);
    }
    if (ok && !tg_op_bind(&in->rt, op, n, arg, rank_of, f, b)) {
        int operands[FEW];
        for (int i = 0; i < FEW; i++) operands[i] = i;
        tg_blame_operands(in, f->noperands < FEW ? f->noperands : FEW, operands, f->operand);
        ok = false;
    }
    if (arg != few) tg_free(arg);
    return ok;
}

static bool call_op(tg_interp *in, const tg_op *op, int n, const tg_argument *args, bool inside,
                    tg_value *out) {
    if (tg_numeric_call(in, op, n, args, out)) return true;
    const tg_argument *like = structured(op, n, args, inside);
    if (like && tg_value_said(like->value))
        return call_on_truth(in, op, n, args, (int)(like - args), out);
    if (like) return map_structure(in, op, n, args, like, out);
    if (op->binary && n > 2 && !args[2].name &&
        args[2].value.tag == TG_V_NUMBER) { /* max(1, 2, 3) */
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s takes two operands, or one tensor", op->name);
        return tg_help(&in->rt.c, "%s([a, b, c])", op->name);
    }
    call_frame f = {.in = in, .op = op, .cap = FEW};
    f.operand = f.few;
    tg_bound b = {0};
    bool ok = bind(&f, n, args, &b);
    if (ok && in->tracing && b.op->class == TG_CLASS_RANDOM) {
        tg_bound_free(&b);
        ok = tg_vmap_effect(in);
    }
    if (ok) {
        bool live = tg_attrs_open(&b.at) || (b.op->class == TG_CLASS_RANDOM && in->rt.live_draws);
        for (int i = 0; i < b.n; i++) live = live || tg_is_live(f.operand[b.operand[i]].value);
        ok = in->checking ? make_checked(&f, &b, out)
             : live       ? make_formula(&f, &b, out)
                          : apply_now(&f, &b, out);
        if (!ok) tg_blame_operands(in, b.n, b.operand, f.operand);
        tg_bound_free(&b);
    }
    frame_free(&f);
    return ok;
}

bool tg_call_op(tg_interp *in, const tg_op *op, int n, const tg_argument *args, tg_value *out) {
    return call_op(in, op, n, args, false, out);
}
