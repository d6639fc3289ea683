/* Expressions. A walk over the tree: plain numbers are computed on the spot, everything else goes
 * to the operations.
 *
 * A flat sum of a million terms is a tree that leans a million deep to the left; the spine of a
 * chain of operators is therefore walked with a list, not with the stack. What really nests is
 * bounded by tg_guard. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/foreign.h"
#include "interp/index.h"
#include "interp/plain.h"
#include "interp/resolve.h"
#include "interp/scalar.h"
#include "runtime/ops/linear.h"

#include <string.h>

/* A library function's scopes end in the library, so that a user's own `sum` does not change what
 * stdlib means by sum. */
tg_value *tg_lookup_own(tg_interp *in, tg_env *env, const char *name) {
    tg_value *v;
    for (tg_env *e = env; e && e != in->globals; e = e->parent)
        if ((v = tg_env_find(e, name))) return v;
    return tg_env_find(in->globals, name);
}

tg_value *tg_lookup(tg_interp *in, tg_env *env, const char *name) {
    tg_value *v = tg_lookup_own(in, env, name);
    return v ? v : tg_env_find(in->library, name);
}

/* ---- operators ---- */

typedef struct operator_row {
    const char *symbol, *op;
} operator_row;

static const operator_row operators[] = {
    {"+", "add"}, {"-", "sub"}, {"*", "mul"},   {"/", "div"}, {"%", "mod"},
    {"^", "pow"}, {"==", "eq"}, {"!=", "ne"},   {"<", "lt"},  {"<=", "le"},
    {">", "gt"},  {">=", "ge"}, {"and", "and"}, {"or", "or"},
};

static const tg_op *operator_op(const char *symbol) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].symbol, symbol) == 0) return tg_op_find(operators[i].op);
    return NULL;
}

static TG_APART bool strings(tg_interp *in, const char *symbol, tg_value a, tg_value b,
                             tg_value *out) {
    const tg_text *s = a.as.text, *t = b.as.text;
    size_t least = s->len < t->len ? s->len : t->len;
    int order = memcmp(s->bytes, t->bytes, least);
    if (order == 0) order = s->len < t->len ? -1 : s->len > t->len;
    if (symbol[0] == '+') {
        tg_str both = {0};
        tg_str_addn(&both, s->bytes, s->len);
        tg_str_addn(&both, t->bytes, t->len);
        bool ok = both.failed ? tg_fail_memory(&in->rt.c)
                              : tg_value_string(&in->rt.c, tg_str_text(&both), both.len, out);
        tg_str_free(&both);
        return ok;
    }
    if (!strchr("=!<>", symbol[0]))
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       "strings can be joined with + and compared, not combined with %s", symbol);
    *out = tg_scalar(tg_way_of(symbol), order, 0);
    return true;
}

TG_APART bool tg_operate(tg_interp *in, const tg_ast *e, const char *symbol, tg_value a, tg_value b,
                         tg_value *out) {
    tg_way way = tg_way_of(symbol);
    if (a.tag == TG_V_NUMBER && b.tag == TG_V_NUMBER && way < TG_WAY_OTHER) {
        *out = tg_scalar(way, a.as.number, b.as.number);
        return true;
    }
    bool ok;
    tg_argument arg[2] = {{.value = a, .ast = e->kids[0]}, {.value = b, .ast = e->kids[1]}};
    tg_value held[2] = {TG_NONE_VALUE, TG_NONE_VALUE};
    if (a.tag == TG_V_STRING && b.tag == TG_V_STRING) {
        ok = strings(in, symbol, a, b, out);
    } else if (strchr("=!", symbol[0]) && tg_compares_whole(a, b)) {
        ok = tg_compare_whole(in, a, b, symbol[0] == '=', out);
    } else if (a.tag == TG_V_STRING || b.tag == TG_V_STRING) {
        ok = tg_fail(&in->rt.c, TG_ERR_TYPE, "%s has no meaning between %s and %s", symbol,
                     tg_value_kind(a), tg_value_kind(b));
        tg_help(&in->rt.c, "to put a value into text: \"{x}\"");
    } else if (symbol[0] == '@') {
        /* lists become tensors first, so that their rank is known */
        ok = true;
        for (int i = 0; i < 2 && ok; i++) {
            if (arg[i].value.tag != TG_V_LIST && arg[i].value.tag != TG_V_RANGE) continue;
            ok = tg_to_array(in, arg[i].value, "an operand of @", &held[i]);
            arg[i].value = held[i];
        }
        const tg_op *op =
            ok ? tg_op_matmul_for(tg_value_rank(arg[0].value), tg_value_rank(arg[1].value)) : NULL;
        ok = op && tg_call_op(in, op, 2, arg, out);
    } else {
        ok = tg_call_op(in, operator_op(symbol), 2, arg, out);
    }
    tg_value_drop(held[0]);
    tg_value_drop(held[1]);
    return (ok && tg_place(in, e, out)) || tg_blame_operator(in, e);
}

static bool is_logical(const tg_ast *e) {
    return e->kind == TG_AST_BINARY && (e->op[0] == 'a' || e->op[0] == 'o');
}

/* One more operand of and, or: when the left side is known it may decide alone. Takes a. */
static TG_APART bool decide(tg_interp *in, tg_env *env, const tg_ast *e, tg_value a,
                            tg_value *out) {
    tg_value b;
    bool is_or = e->op[0] == 'o', ok = true;
    *out = TG_NONE_VALUE;
    if (a.tag == TG_V_BOOL && a.as.truth == is_or) {
        *out = a;
        return true;
    }
    if (!tg_eval(in, env, e->kids[1], &b)) {
        tg_value_drop(a);
        return false;
    }
    if (a.tag == TG_V_BOOL && b.tag == TG_V_BOOL)
        *out = b;
    else
        ok = tg_operate(in, e, e->op, a, b, out);
    tg_value_drop(a);
    tg_value_drop(b);
    return ok;
}

enum { FEW_OPERATORS = 8, SHORT_ROW = 4 };

/* e and the operators from it leftwards that `belongs` accepts, the last written first; to be freed
 * unless it is `few`. NULL: no memory. */
static const tg_ast **spine_of(tg_interp *in, const tg_ast *e, bool (*belongs)(const tg_ast *),
                               const tg_ast **few, size_t *n) {
    const tg_ast **spine = few;
    size_t i = 0;
    *n = 1;
    for (const tg_ast *p = e->kids[0]; belongs(p); p = p->kids[0]) ++*n;
    if (*n > FEW_OPERATORS && !(spine = tg_alloc_array(*n, sizeof *spine))) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    spine[i++] = e;
    for (const tg_ast *p = e->kids[0]; belongs(p); p = p->kids[0]) spine[i++] = p;
    return spine;
}

static TG_APART bool logical(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    const tg_ast *few[FEW_OPERATORS];
    size_t n;
    const tg_ast **spine = spine_of(in, e, is_logical, few, &n);
    bool ok = spine && tg_eval(in, env, spine[n - 1]->kids[0], out);
    for (size_t i = n; ok && i-- > 0;) ok = decide(in, env, spine[i], *out, out);
    if (spine != few) tg_free(spine);
    return ok;
}

static bool is_chain(const tg_ast *e) {
    return e->kind == TG_AST_BINARY && e->op[0] != 'a' && e->op[0] != 'o';
}

/* How the operator e is computed. Short rows of operators may recurse. */
static TG_APART int way_of(const tg_ast *e) {
    int n = 0;
    for (const tg_ast *p = e; is_chain(p); p = p->kids[0]) n++;
    return tg_seen(e)->way = n == 0          ? TG_WAY_LOGICAL
                             : n > SHORT_ROW ? TG_WAY_CHAIN
                                             : (int)tg_way_of(e->op);
}

/* tg_eval of an operand, without a call for numbers and a call's own names. */
static inline bool operand(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    if (e->kind == TG_AST_NUMBER) {
        *out = tg_value_number(e->number);
        return true;
    }
    if (e->kind == TG_AST_NAME) {
        const tg_value *v = tg_resolve_fast(in, env, e);
        if (v && v->tag == TG_V_NUMBER) {
            *out = *v;
            return true;
        }
    }
    return tg_eval(in, env, e, out);
}

/* Takes a and b. */
static TG_APART bool pair_of_any(tg_interp *in, tg_env *env, const tg_ast *e, tg_value a,
                                 tg_value b, tg_value *out) {
    in->here = env;
    bool ok = tg_operate(in, e, e->op, a, b, out);
    tg_value_drop(b);
    tg_value_drop(a);
    return ok;
}

static TG_APART bool pair(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value a, b;
    if (!operand(in, env, e->kids[0], &a)) return false;
    if (!operand(in, env, e->kids[1], &b)) {
        tg_value_drop(a);
        return false;
    }
    if (a.tag == TG_V_NUMBER && b.tag == TG_V_NUMBER && e->seen.way < TG_WAY_OTHER) {
        *out = tg_scalar((tg_way)e->seen.way, a.as.number, b.as.number);
        return true;
    }
    return pair_of_any(in, env, e, a, b, out);
}

static TG_APART bool chain(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    const tg_ast *few[FEW_OPERATORS];
    size_t n;
    const tg_ast **spine = spine_of(in, e, is_chain, few, &n);
    tg_value sum = TG_NONE_VALUE;
    bool ok = spine && tg_eval(in, env, spine[n - 1]->kids[0], &sum);
    for (size_t i = n; ok && i-- > 0;) {
        tg_value right, next = TG_NONE_VALUE;
        ok = tg_eval(in, env, spine[i]->kids[1], &right);
        if (ok) {
            in->here = env;
            ok = tg_operate(in, spine[i], spine[i]->op, sum, right, &next);
            tg_value_drop(right);
        }
        tg_value_drop(sum);
        sum = next;
        if (ok && i % 1024 == 1023) ok = tg_check_interrupt(&in->rt.c);
    }
    if (spine != few) tg_free(spine);
    if (ok)
        *out = sum;
    else
        tg_value_drop(sum);
    return ok;
}

static TG_APART bool comparisons(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value left, all = tg_value_bool(true);
    if (!tg_eval(in, env, e->kids[0], &left)) return false;
    bool ok = true;
    for (int i = 1; ok && i < e->n; i++) {
        tg_value right, one, both;
        tg_ast pair = *e; /* stands for one link of the chain in messages */
        pair.kids = e->kids + i - 1;
        pair.n = 2;
        ok = tg_eval(in, env, e->kids[i], &right);
        if (!ok) break;
        in->here = env;
        ok = tg_operate(in, &pair, e->ops[i - 1], left, right, &one);
        if (ok && i == 1) {
            all = one;
        } else if (ok) {
            tg_argument arg[2] = {{.value = all}, {.value = one}};
            ok = tg_call_op(in, operator_op("and"), 2, arg, &both);
            tg_value_drop(one);
            tg_value_drop(all);
            all = ok ? both : TG_NONE_VALUE;
        }
        tg_value_drop(left);
        left = right;
    }
    tg_value_drop(left);
    if (ok)
        *out = all;
    else
        tg_value_drop(all);
    return ok || tg_blame(in, e);
}

static TG_APART bool unary(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value v;
    if (!tg_eval(in, env, e->kids[0], &v)) return false;
    if (e->op[0] == '-' && v.tag == TG_V_NUMBER) {
        *out = tg_value_number(-v.as.number);
        return true;
    }
    if (e->op[0] == 'n' && v.tag == TG_V_BOOL) {
        *out = tg_value_bool(!v.as.truth);
        return true;
    }
    if (e->op[0] == '+') {
        *out = v;
        return true;
    }
    tg_argument arg = {.value = v, .ast = e->kids[0]};
    bool ok = tg_call_op(in, tg_op_find(e->op[0] == '-' ? "neg" : "not"), 1, &arg, out);
    tg_value_drop(v);
    return (ok && tg_place(in, e, out)) || tg_blame(in, e);
}

static TG_APART bool prime(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value v;
    if (!tg_eval(in, env, e->kids[0], &v)) return false;
    bool ok = true;
    if (v.tag == TG_V_LIST) {
        tg_value array;
        ok = tg_to_array(in, v, "the operand of '", &array);
        tg_value_drop(v);
        if (!ok) return tg_blame(in, e);
        v = array;
    }
    if (tg_value_is_function(v)) {
        ok = tg_function_derivative(in, v, out);
    } else if (v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL ||
               ((v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA) && tg_value_rank(v) <= 1)) {
        *out = tg_value_hold(v);
    } else {
        tg_argument arg = {.value = v, .ast = e->kids[0]};
        ok = tg_call_op(in, tg_op_find("transpose"), 1, &arg, out);
    }
    tg_value_drop(v);
    return (ok && tg_place(in, e, out)) || tg_blame(in, e);
}

/* ---- literals and containers ---- */

static TG_APART bool items(tg_interp *in, tg_env *env, const tg_ast *e, tg_tag tag, tg_value *out) {
    tg_value made;
    if (!tg_value_items(&in->rt.c, tag, e->n, &made)) return false;
    for (int i = 0; i < e->n; i++) {
        const tg_ast *x = e->kids[i];
        if (tag == TG_V_RECORD) {
            made.as.items->field[i] = x->name;
            for (int k = 0; k < i; k++)
                if (made.as.items->field[k] == x->name) {
                    tg_value_drop(made);
                    tg_fail(&in->rt.c, TG_ERR_NAME, "the field %s is given twice", x->name);
                    return tg_blame(in, x);
                }
            x = x->kids[0];
        }
        if (!tg_eval(in, env, x, &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    }
    return tg_value_seal(&in->rt.c, made, out) || tg_blame(in, e);
}

bool tg_eval_bracket(tg_interp *in, tg_env *env, const tg_ast *e, bool settle, tg_value *out) {
    if (!items(in, env, e, TG_V_LIST, out)) return false;
    if (!settle) return true;
    if (!tg_list_settle(in, *out, out)) return tg_blame(in, e);
    bool rows = out->tag == TG_V_LIST && e->n > 0 && !tg_is_live(*out);
    for (int i = 0; rows && i < e->n; i++)
        rows = e->kids[i]->kind == TG_AST_BRACKET && out->as.items->v[i].tag == TG_V_TENSOR;
    if (!rows) return true;
    tg_value_drop(*out);
    *out = TG_NONE_VALUE;
    tg_fail(&in->rt.c, TG_ERR_SHAPE, "the rows have different lengths");
    tg_help(&in->rt.c, "a list of unlike tensors is a tuple: ([1, 2], [3])");
    return tg_blame(in, e);
}

static TG_APART bool string(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_str s = {0};
    bool ok = true;
    for (int i = 0; ok && i < e->n; i++) {
        const tg_ast *part = e->kids[i];
        if (part->kind == TG_AST_TEXT) {
            tg_str_addn(&s, part->name, part->len);
            continue;
        }
        tg_value v;
        ok = tg_eval(in, env, part->kids[0], &v);
        if (!ok) break;
        ok = tg_show_value(in, v, part->name, &s) || tg_blame(in, part);
        tg_value_drop(v);
    }
    if (ok)
        ok = s.failed ? tg_fail_memory(&in->rt.c)
                      : tg_value_string(&in->rt.c, tg_str_text(&s), s.len, out);
    tg_str_free(&s);
    return ok;
}

static TG_APART bool range(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    double end[2];
    for (int i = 0; i < 2; i++) {
        tg_value v;
        if (!tg_eval(in, env, e->kids[i], &v)) return false;
        bool ok = tg_to_number(in, v, "an end of a range", &end[i]);
        tg_value_drop(v);
        if (!ok) return tg_blame(in, e->kids[i]);
    }
    return tg_value_range(&in->rt.c, end[0], end[1], out) || tg_blame(in, e);
}

/* x.sum(): the call that is meant. */
static void help_call(tg_interp *in, const tg_ast *e) {
    const tg_value *v = tg_env_find(in->library, e->name);
    const char *more = v->tag == TG_V_BUILTIN ? strchr(v->as.builtin->signature, ',') : NULL;
    if (more && !strchr(more, '=')) /* append(list, x) */
        tg_help(&in->rt.c, "write %s", v->as.builtin->signature);
    else
        tg_help(&in->rt.c, "write %s(x)", e->name);
}

bool tg_field_of(tg_interp *in, const tg_ast *e, tg_value base, tg_value *out) {
    const tg_value *v = base.tag == TG_V_RECORD ? tg_value_field(base, e->name) : NULL;
    if (v) {
        *out = tg_value_hold(*v);
        return true;
    }
    if (base.tag != TG_V_RECORD) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "%s has no fields, so .%s has no meaning",
                tg_value_kind(base), e->name);
        if (strcmp(e->name, "T") == 0)
            tg_help(&in->rt.c, "the transpose is x'");
        else if (tg_env_find(in->library, e->name)) /* x.sum(), x.shape */
            help_call(in, e);
        else if (tg_foreign_word(e->name)) /* cost.backward(), x.item() */
            tg_help(&in->rt.c, "in tg: %s", tg_foreign_word(e->name));
        return tg_blame(in, e);
    }
    tg_blame_field(in, base, e->name);
    return tg_blame(in, e);
}

static TG_APART bool field(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value base;
    if (!tg_eval(in, env, e->kids[0], &base)) {
        tg_blame_prefix(in, e);
        return false;
    }
    bool ok = tg_field_of(in, e, base, out);
    tg_value_drop(base);
    return ok;
}

static TG_APART bool name(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    const tg_value *v = tg_resolve_fast(in, env, e);
    if (!v) {
        tg_blame_name(in, env, e->name);
        return tg_blame(in, e);
    }
    if (v->tag == TG_V_UNKNOWN) return tg_check_give_up(in);
    if (in->raw && v->tag == TG_V_FORMULA) return tg_raw_origin(in, *v, out) || tg_blame(in, e);
    tg_node *n = NULL;
    if (in->writing_out && v->tag == TG_V_TENSOR && tg_label_of(in, e->name, v->as.tensor)) {
        n = tg_node_const(&in->rt, v->as.tensor, e->name);
        if (!n) return tg_blame(in, e);
    }
    *out = n ? tg_value_formula(n, 0) : tg_value_hold(*v);
    return true;
}

/* A block or `if` where a value is wanted. */
static TG_APART bool block_value(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    tg_value last = TG_NONE_VALUE;
    tg_flow flow = in->checking ? tg_check_exec(in, env, e, &last) : tg_exec(in, env, e, &last);
    if (last.tag == TG_V_UNKNOWN && flow != TG_FLOW_ERROR) return tg_check_give_up(in);
    if (flow == TG_FLOW_NEXT) {
        *out = last;
        return true;
    }
    tg_value_drop(last);
    if (flow != TG_FLOW_ERROR) {
        tg_value_drop(in->returned);
        in->returned = TG_NONE_VALUE;
        tg_fail(&in->rt.c, TG_ERR_SYNTAX,
                "return, break and continue cannot leave from inside an expression");
    }
    return tg_blame(in, e);
}

bool tg_eval(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    if (!tg_guard(&in->rt.c)) return tg_blame(in, e);
    *out = TG_NONE_VALUE;
    switch (e->kind) {
    case TG_AST_NUMBER: *out = tg_value_number(e->number); return true;
    case TG_AST_BOOL: *out = tg_value_bool(e->number != 0); return true;
    case TG_AST_NONE: return true;
    case TG_AST_STRING: return string(in, env, e, out);
    case TG_AST_NAME: return name(in, env, e, out);
    case TG_AST_BRACKET: return tg_eval_bracket(in, env, e, true, out);
    case TG_AST_TUPLE: return items(in, env, e, TG_V_TUPLE, out);
    case TG_AST_RECORD: return items(in, env, e, TG_V_RECORD, out);
    case TG_AST_UNARY: return unary(in, env, e, out);
    case TG_AST_BINARY: {
        int way = e->seen.way ? e->seen.way : way_of(e);
        return way < TG_WAY_CHAIN    ? pair(in, env, e, out)
               : way == TG_WAY_CHAIN ? chain(in, env, e, out)
                                     : logical(in, env, e, out);
    }
    case TG_AST_COMPARE: return comparisons(in, env, e, out);
    case TG_AST_RANGE: return range(in, env, e, out);
    case TG_AST_PRIME: return prime(in, env, e, out);
    case TG_AST_CALL:
        return (tg_eval_call(in, env, e, out) && tg_place(in, e, out)) || tg_blame(in, e);
    case TG_AST_INDEX:
        return (tg_eval_index(in, env, e, out) && tg_place(in, e, out)) || tg_blame(in, e);
    case TG_AST_FIELD: return field(in, env, e, out);
    case TG_AST_WHERE: return tg_eval_where(in, env, e, out);
    case TG_AST_LAMBDA: return tg_function_new(in, env, e, out) || tg_blame(in, e);
    case TG_AST_BLOCK:
    case TG_AST_IF: return block_value(in, env, e, out);
    default:
        tg_fail(&in->rt.c, TG_ERR_SYNTAX,
                "this is a statement, and cannot stand where a value is wanted");
        return tg_blame(in, e);
    }
}
