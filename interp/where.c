/* e where R = e1, S = e2: the parts get their values in the order of writing, in a scope of their
 * own around which is the scope of e. They are values like any other: a part that is a formula
 * becomes part of the formula e, and leaves no name behind. */
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/resolve.h"

static bool define_parts(tg_interp *in, tg_env *scope, const tg_ast *e) {
    for (int i = 1; i < e->n; i++) {
        tg_value v;
        for (int k = 1; k < i; k++)
            if (e->kids[k]->name == e->kids[i]->name) {
                tg_fail(&in->rt.c, TG_ERR_NAME, "the part %s is given twice", e->kids[i]->name);
                return tg_blame(in, e->kids[i]);
            }
        if (!tg_eval(in, scope, e->kids[i]->kids[0], &v)) return false;
        if (!tg_env_set(scope, e->kids[i]->name, v)) return tg_fail_memory(&in->rt.c);
    }
    return true;
}

TG_APART bool tg_eval_where(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out) {
    const tg_frame *frame = tg_frame_of(in, in->unit, e);
    tg_env *scope = frame ? tg_env_new_call(in, frame, env == in->globals ? NULL : env) : NULL;
    if (!scope) return tg_fail_memory(&in->rt.c);
    bool ok = define_parts(in, scope, e) && tg_eval(in, scope, e->kids[0], out);
    tg_scope_leave(in, scope);
    return ok;
}
