/* Diagonals over leading axes: diag for a batch of matrices or vectors. diag alone cannot say it,
 * as it makes a matrix of a vector and a vector of a matrix. Where there is no batch both are
 * spelled diag. They are each other's adjoint. */
#include "runtime/ops/structure.h"

#include <string.h>

static bool infer_part(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)n, (void)at;
    int r = in[0].rank;
    if (r < 2 || in[0].dim[r - 1] != in[0].dim[r - 2])
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%s({0}) wants square matrices, but {0} has shape %s",
                       op->name, tg_shape_text(rt, r, in[0].dim));
    *out = in[0];
    out->rank--;
    tg_keep_type(rt, &in[0], out, want);
    return true;
}

static bool look_part(const tg_call *call) {
    tg_view *out = call->out;
    *out = call->in[0];
    out->rank--;
    out->stride[out->rank - 1] += call->in[0].stride[out->rank];
    return true;
}

static bool run_part(const tg_call *call) {
    tg_view diagonal;
    tg_call look = *call;
    look.out = &diagonal;
    look_part(&look);
    tg_view_copy(call->out, &diagonal);
    return true;
}

static bool infer_embed(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    (void)n, (void)at;
    int r = in[0].rank;
    if (r == 0 || r == TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%s({0}) wants vectors, but {0} has rank %d", op->name,
                       r);
    *out = in[0];
    out->dim[out->rank++] = in[0].dim[r - 1];
    tg_keep_type(rt, &in[0], out, want);
    return true;
}

static bool run_embed(const tg_call *call) {
    tg_view diagonal = *call->out;
    tg_view_clear(call->out);
    diagonal.rank--;
    diagonal.stride[diagonal.rank - 1] += call->out->stride[diagonal.rank];
    tg_view_copy(&diagonal, &call->in[0]);
    return true;
}

static const tg_op *canonical(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    (void)rt, (void)at;
    return rank == (strcmp(op->name, "diag_part") == 0 ? 2 : 1) ? tg_op_find("diag") : op;
}

static const tg_op ops[] = {
    {.name = "diag_part",
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}},
     .infer = infer_part,
     .run = run_part,
     .view = look_part,
     .canonical = canonical,
     .grad = {"diag_embed(g)"},
     .numpy = "np.diagonal({0}, axis1=-2, axis2=-1)",
     .torch = "torch.diagonal({0}, 0, -2, -1)",
     .c = "=tg_diagonal({0})",
     .doc = "The diagonals of the square matrices in the last two axes.",
     .example = "diag_part([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])",
     .value = "[[1, 4], [5, 8]]",
     .samples = "x[3,3]: diag_part(x) | x[2,3,3]: diag_part(x)"},
    {.name = "diag_embed",
     .class = TG_CLASS_LINEAR,
     .param = {{"x", TG_P_TENSOR, NULL}},
     .infer = infer_embed,
     .run = run_embed,
     .canonical = canonical,
     .grad = {"diag_part(g)"},
     .numpy = "_diag_embed({0})",
     .torch = "torch.diag_embed({0})",
     .c = "tg_diag_embed({out}, {0})",
     .doc = "The matrices that have the vectors in the last axis as their diagonals.",
     .example = "diag_embed([[1, 2], [3, 4]])",
     .value = "[[[1, 0], [0, 2]], [[3, 0], [0, 4]]]",
     .samples = "x[3]: diag_embed(x) | x[2,3]: diag_embed(x)"},
};

const tg_op_table tg_ops_diagonal = {ops, sizeof ops / sizeof *ops};
