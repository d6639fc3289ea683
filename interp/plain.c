/* Plain values that come from an expression, as the formulas that they are. Arithmetic on known
 * tensors is done at once, which is right for numbers but loses the form: of `(1 - y) * log(1 - s)`
 * with data y only the numbers of 1 - y would be left, and its gradient would not be the one of the
 * textbook. So where a plain value meets a formula, the expression that gave it is evaluated again
 * with its known tensors as constants of a formula (`in->writing_out`). That is done only for the
 * scope the expression stands in, and only if it can be done without being noticed. */
#include "interp/plain.h"

#include "interp/convert.h"
#include "runtime/ops/op.h"

#include <string.h>

static bool is_plain(tg_interp *in, tg_env *env, const tg_ast *e, int depth) {
    if (!e) return true;
    if (depth == 0) return false;
    switch (e->kind) {
    case TG_AST_CALL: {
        const tg_ast *f = e->kids[0];
        const tg_value *v = f->kind == TG_AST_NAME ? tg_lookup(in, env, f->name) : NULL;
        if (!v || v->tag != TG_V_OP || v->as.op->class == TG_CLASS_RANDOM) return false;
        break;
    }
    case TG_AST_NUMBER:
    case TG_AST_BOOL:
    case TG_AST_NAME:
    case TG_AST_BRACKET:
    case TG_AST_UNARY:
    case TG_AST_BINARY:
    case TG_AST_PRIME:
    case TG_AST_ARG:
    case TG_AST_INDEX:
    case TG_AST_SLICE:
    case TG_AST_REST:
    case TG_AST_FIELD: break;
    default: return false;
    }
    for (int i = 0; i < e->n; i++)
        if (!is_plain(in, env, e->kids[i], depth - 1)) return false;
    return true;
}

enum { DEEPEST = 100 }; /* levels of an expression that is evaluated again */

bool tg_is_plain(tg_interp *in, tg_env *env, const tg_ast *e) {
    return is_plain(in, env, e, DEEPEST);
}

const char *tg_label_of(tg_interp *in, const char *name, const tg_tensor *t) {
    const tg_value *v = tg_env_find(in->globals, name);
    return v && v->tag == TG_V_TENSOR && v->as.tensor == t ? name : NULL;
}

/* Does some tensor of rank 1 or more stand there by a name of the user's? */
static bool names_tensor(tg_interp *in, const tg_ast *e) {
    if (!e) return false;
    if (e->kind == TG_AST_NAME) {
        const tg_value *v = tg_env_find(in->globals, e->name);
        return v && v->tag == TG_V_TENSOR;
    }
    for (int i = e->kind == TG_AST_CALL; i < e->n; i++)
        if (names_tensor(in, e->kids[i])) return true;
    return false;
}

static bool same_type(const tg_type *a, const tg_view *v) {
    if (a->dtype != v->dtype || a->rank != v->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != v->dim[i]) return false;
    return true;
}

tg_node *tg_written_out(tg_interp *in, const tg_ast *e, tg_value v) {
    if (v.tag != TG_V_TENSOR || !e || !e->span.src || in->computing || in->writing_out ||
        !in->here || in->rt.c.diag.kind != TG_ERR_NONE)
        return NULL;
    bool composed = e->kind == TG_AST_CALL || e->kind == TG_AST_UNARY || e->kind == TG_AST_BINARY ||
                    e->kind == TG_AST_PRIME || e->kind == TG_AST_INDEX;
    if (!composed || !tg_is_plain(in, in->here, e) || !names_tensor(in, e)) return NULL;
    tg_env *here = in->here;
    tg_value formula;
    in->writing_out = true;
    bool ok = tg_eval(in, here, e, &formula);
    in->writing_out = false;
    in->here = here;
    if (!ok) {
        tg_clear(&in->rt.c);
        return NULL;
    }
    tg_node *n = formula.tag == TG_V_FORMULA && same_type(&formula.as.node->type, &v.as.tensor->v)
                     ? formula.as.node
                     : NULL;
    tg_value_drop(formula); /* nodes live until the end of the statement */
    return n;
}
