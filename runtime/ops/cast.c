/* Conversions between element types. To a float type a conversion is linear, and its derivative
 * passes through; to whole numbers it rounds to the nearest (ties to even), to bool it asks whether
 * x is not 0: piecewise constant. */
#include "runtime/ops/op.h"

#include <string.h>

static tg_dtype type_named(const char *name) {
    for (int t = 0; t < TG_DTYPES; t++)
        if (strcmp(tg_dtype_name((tg_dtype)t), name) == 0) return (tg_dtype)t;
    return TG_F64;
}

static bool infer(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                  tg_type *out, tg_dtype *want) {
    (void)rt, (void)n, (void)at, (void)want;
    *out = in[0];
    out->dtype = type_named(op->name);
    out->weak = false;
    return true;
}

static bool run(const tg_call *call) {
    return tg_view_copy_parts(&call->rt->c, call->out, &call->in[0]);
}

#define CAST(NAME, C, NUMPY, TORCH, GRAD, LO, HI, DOC, EXAMPLE, VALUE)                             \
    {                                                                                              \
        .name = NAME, .class = TG_CLASS_ELEMENTWISE, .param = {{"x", TG_P_TENSOR, NULL}},          \
        .infer = infer, .run = run, .grad = {GRAD}, .lo = LO, .numpy = NUMPY, .torch = TORCH,      \
        .c = C, .hi = HI, .doc = DOC, .example = EXAMPLE, .value = VALUE                           \
    }

static const tg_op ops[] = {
    CAST("double", "x", "np.asarray({0}, np.float64)", "{0!}.to(torch.float64)", "g", -2, 2,
         "x in double precision: 64 bits, 16 digits.", "double(0.5)", "0.5"),
    CAST("single", "(float)x", "np.asarray({0}, np.float32)", "{0!}.to(torch.float32)", "g", -2, 2,
         "x in single precision: 32 bits, 7 digits.", "single(0.1) == 0.1", "false"),
    CAST("int64", "rint(x)", "np.asarray(np.rint({0}), np.int64)",
         "torch.round({0}).to(torch.int64)", TG_GRAD_ZERO, 0.6, 1.4,
         "x rounded to whole numbers of 64 bits.", "int64(2.7)", "3"),
    CAST("int32", "rint(x)", "np.asarray(np.rint({0}), np.int32)",
         "torch.round({0}).to(torch.int32)", TG_GRAD_ZERO, 0.6, 1.4,
         "x rounded to whole numbers of 32 bits.", "int32(-2.7)", "-3"),
    CAST("byte", "rint(x) < 0 ? 0 : rint(x) > 255 ? 255 : rint(x)",
         "np.asarray(np.clip(np.rint({0}), 0, 255), np.uint8)",
         "torch.clamp(torch.round({0}), 0, 255).to(torch.uint8)", TG_GRAD_ZERO, 0.6, 1.4,
         "x rounded to whole numbers from 0 to 255.", "byte(2.7)", "3"),
    CAST("bool", "x != 0", "np.asarray({0}, np.bool_)", "{0!}.to(torch.bool)", TG_GRAD_ZERO, 0.5, 2,
         "Is x not 0?", "bool(2)", "true"),
};

const tg_op_table tg_ops_cast = {ops, sizeof ops / sizeof *ops};
