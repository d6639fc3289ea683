/* raw(x): x, computed as it is written. To evaluation it is a look at the elements of its argument;
 * what it is for is that nobody rewrites what stands inside it: the simplifier takes it for a leaf
 * (tg_op.opaque), the stable forms stop at it, and the derivative of a formula with raw in it is
 * left unsimplified, inside a raw of its own (grad.c). */
#include "runtime/ops/structure.h"

static bool infer_raw(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                      tg_type *out, tg_dtype *want) {
    (void)op, (void)n, (void)at;
    *out = in[0];
    tg_keep_type(rt, &in[0], out, want);
    return true;
}

static bool look_raw(const tg_call *call) {
    *call->out = call->in[0];
    return true;
}

static bool run_raw(const tg_call *call) {
    tg_view_copy(call->out, &call->in[0]);
    return true;
}

static const tg_op ops[] = {
    {.name = "raw",
     .class = TG_CLASS_VIEW,
     .param = {{"x", TG_P_TENSOR, NULL}},
     .infer = infer_raw,
     .run = run_raw,
     .view = look_raw,
     .opaque = true,
     .grad = {"g"},
     .latex = "{0}",
     .numpy = "{0}",
     .torch = "{0}",
     .c = "={0}",
     .doc = "x computed as it is written: neither simplified nor brought to a stable form, and its "
            "derivative neither. A gradient inside it is the one before simplifying.",
     .example = "raw([1, 2])",
     .value = "[1, 2]",
     .samples = "x[3,4]: raw(x) | x[]: raw(x)"},
};

const tg_op_table tg_ops_raw = {ops, sizeof ops / sizeof *ops};
