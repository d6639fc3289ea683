/* Which operations compute with plain numbers is asked of their shape rules, as of all others, and
 * remembered: a table of a few places, each for the last operation that fell there. */
#include "interp/numeric.h"

#include <string.h>

static tg_inner_fn *find_kernel(tg_interp *in, const tg_op *op, int n, bool *truth) {
    tg_type type[TG_MAX_TENSORS], given = {.dtype = TG_F64, .weak = true};
    tg_dtype want[TG_MAX_TENSORS];
    tg_type result = {0};
    *truth = false;
    if (op->binary && n == 2) op = tg_op_find(op->binary); /* max(a, b) */
    int params = 0;
    while (params < TG_MAX_PARAMS && op->param[params].name) params++;
    if (op->class != TG_CLASS_ELEMENTWISE || params != n || n > TG_MAX_TENSORS) return NULL;
    for (int i = 0; i < n; i++) {
        if (op->param[i].kind != TG_P_TENSOR) return NULL;
        type[i] = given;
        want[i] = TG_F64;
    }
    bool ok = op->infer(&in->rt, op, n, type, &(tg_attrs){0}, &result, want);
    if (!ok) tg_clear(&in->rt.c);
    for (int i = 0; ok && i < n; i++) ok = want[i] == TG_F64;
    *truth = result.dtype == TG_BOOL;
    ok = ok && (*truth || (result.dtype == TG_F64 && result.weak));
    return ok ? tg_elementwise_inner(op, TG_F64) : NULL;
}

tg_inner_fn *tg_numeric_kernel(tg_interp *in, const tg_op *op, int n, bool *truth) {
    enum { PLACES = sizeof in->numeric / sizeof *in->numeric };
    tg_numeric *at = &in->numeric[((uintptr_t)op / sizeof *op + (uintptr_t)n) % PLACES];
    if (at->op != op || at->n != n) {
        tg_inner_fn *kernel = find_kernel(in, op, n, truth);
        *at = (tg_numeric){.op = op, .n = n, .truth = *truth, .kernel = kernel};
    }
    *truth = at->truth;
    return at->kernel;
}

bool tg_numeric_call(tg_interp *in, const tg_op *op, int n, const tg_argument *args,
                     tg_value *out) {
    double x[TG_MAX_TENSORS] = {0};
    bool truth;
    if (n < 1 || n > TG_MAX_TENSORS) return false;
    for (int i = 0; i < n; i++) {
        if (args[i].value.tag != TG_V_NUMBER || args[i].name) return false;
        x[i] = args[i].value.as.number;
    }
    tg_inner_fn *kernel = tg_numeric_kernel(in, op, n, &truth);
    if (!kernel) return false;
    const double y = tg_numeric_run(kernel, truth, x);
    *out = truth ? tg_value_bool(y != 0) : tg_value_number(y);
    return true;
}
