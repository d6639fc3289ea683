/* Transpositions, reshapings and their kin: the result is a look at the argument's elements with
 * other sizes and strides, and moves none. Only where strides cannot say it (reshape of a
 * transposed matrix) are elements copied. All are linear; the adjoint of each is another of them.
 * Sizes may be symbolic: counts of elements are compared as polynomials. */
#include "runtime/ops/view.h"
#include "runtime/ops/structure.h"

#include <string.h>

/* ---- shared ---- */

bool tg_shape_of_attr(tg_rt *rt, const tg_op *op, const tg_attrs *at, int i, tg_type *out) {
    out->rank = (int)at->v[i];
    for (int k = 0; k < out->rank; k++) {
        out->dim[k] = at->v[i + 1 + k];
        if (out->dim[k] == TG_SIZE_INFER)
            return tg_fail(&rt->c, TG_ERR_VALUE, "%s: a size must not be negative", op->name);
    }
    return true;
}

/* The kernel of an operation whose view never fails. */
static bool copy_view(const tg_call *call) {
    tg_view look = *call->out;
    tg_call by_view = *call;
    by_view.out = &look;
    call->op->view(&by_view);
    return tg_view_copy_parts(&call->rt->c, call->out, &look);
}

static bool same_type(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                      tg_type *out, tg_dtype *want) {
    (void)op, (void)n, (void)at;
    *out = in[0];
    tg_keep_type(rt, &in[0], out, want);
    return true;
}

/* Number of elements; TG_SIZE_FAIL with an error when it is too large. */
static tg_size count_of(tg_rt *rt, int rank, const tg_size *dim) {
    tg_size n = 1;
    for (int i = 0; i < rank && n != TG_SIZE_FAIL; i++) n = tg_size_times(rt, n, dim[i]);
    return n;
}

static int bits(int64_t mask) {
    return __builtin_popcountll((unsigned long long)mask);
}

/* ---- transpose ---- */

static bool check_perm(tg_rt *rt, const tg_op *op, const tg_type *in, const tg_attrs *at) {
    if (at->v[0] == in->rank) return true;
    return tg_fail(&rt->c, TG_ERR_SHAPE, "%s: axes must list each axis of {0} once: it has %d",
                   op->name, in->rank);
}

static bool infer_transpose(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                            const tg_attrs *at, tg_type *out, tg_dtype *want) {
    if (!check_perm(rt, op, &in[0], at) || !same_type(rt, op, n, in, at, out, want)) return false;
    for (int i = 0; i < out->rank; i++) out->dim[i] = in[0].dim[at->v[1 + i]];
    return true;
}

static bool look_transpose(const tg_call *call) {
    const tg_view *in = &call->in[0];
    *call->out = *in;
    for (int i = 0; i < in->rank; i++) {
        int64_t from = call->at->v[1 + i];
        call->out->dim[i] = in->dim[from];
        call->out->stride[i] = in->stride[from];
    }
    return true;
}

static bool infer_untranspose(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                              const tg_attrs *at, tg_type *out, tg_dtype *want) {
    if (!check_perm(rt, op, &in[0], at) || !same_type(rt, op, n, in, at, out, want)) return false;
    for (int i = 0; i < out->rank; i++) out->dim[at->v[1 + i]] = in[0].dim[i];
    return true;
}

static bool look_untranspose(const tg_call *call) {
    const tg_view *in = &call->in[0];
    *call->out = *in;
    for (int i = 0; i < in->rank; i++) {
        int64_t to = call->at->v[1 + i];
        call->out->dim[to] = in->dim[i];
        call->out->stride[to] = in->stride[i];
    }
    return true;
}

static const tg_op *canonical_untranspose(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    (void)rt, (void)op;
    tg_attrs inverse = *at;
    for (int i = 0; i < rank; i++) inverse.v[1 + at->v[1 + i]] = i;
    *at = inverse;
    return tg_op_find("transpose");
}

/* ---- reshape, flatten, squeeze, unsqueeze ---- */

static bool fail_reshape(tg_rt *rt, const tg_type *to, tg_size have, tg_size need) {
    return tg_fail(&rt->c, TG_ERR_SHAPE,
                   "{0} cannot be reshaped to %s: that has %s elements, and {0} has %s",
                   tg_shape_text(rt, to->rank, to->dim), tg_size_word(rt, need).text,
                   tg_size_word(rt, have).text);
}

static bool fail_infer(tg_rt *rt, tg_size have, tg_size rest) {
    return tg_fail(&rt->c, TG_ERR_SHAPE,
                   "the size for -1 cannot be found: {0} has %s elements, which %s does not divide",
                   tg_size_word(rt, have).text, tg_size_word(rt, rest).text);
}

static bool infer_reshape(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    if (!same_type(rt, op, n, in, at, out, want)) return false;
    int open = -1;
    tg_size have = count_of(rt, in[0].rank, in[0].dim), rest = 1;
    out->rank = (int)at->v[0];
    for (int i = 0; i < out->rank && rest != TG_SIZE_FAIL; i++) {
        out->dim[i] = at->v[1 + i];
        if (out->dim[i] != TG_SIZE_INFER) {
            rest = tg_size_times(rt, rest, out->dim[i]);
        } else {
            if (open >= 0) return tg_fail(&rt->c, TG_ERR_VALUE, "reshape: only one size can be -1");
            open = i;
        }
    }
    if (have == TG_SIZE_FAIL || rest == TG_SIZE_FAIL) return false;
    if (open < 0) return have == rest || fail_reshape(rt, out, have, rest);
    if (rest == 0) return fail_infer(rt, have, rest);
    out->dim[open] = tg_size_divide(rt, have, rest);
    return out->dim[open] != TG_SIZE_FAIL || fail_infer(rt, have, rest);
}

static bool look_reshape(const tg_call *call) {
    const tg_view *in = &call->in[0];
    if (!tg_view_is_contiguous(in)) return false;
    tg_view out;
    tg_view_init(&out, in->data, in->dtype, call->out->rank, call->out->dim);
    *call->out = out;
    return true;
}

/* The result lies in row-major order, so it can be seen in the argument's shape and filled. */
static bool run_reshape(const tg_call *call) {
    tg_view same;
    tg_view_init(&same, call->out->data, call->out->dtype, call->in[0].rank, call->in[0].dim);
    return tg_view_copy_parts(&call->rt->c, &same, &call->in[0]);
}

static bool infer_flatten(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    if (!same_type(rt, op, n, in, at, out, want)) return false;
    out->rank = 1;
    out->dim[0] = count_of(rt, in[0].rank, in[0].dim);
    return out->dim[0] != TG_SIZE_FAIL;
}

static bool infer_squeeze(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    if (!same_type(rt, op, n, in, at, out, want)) return false;
    out->rank = 0;
    for (int i = 0; i < in[0].rank; i++) {
        bool named = at->v[0] >> i & 1;
        if (named && in[0].dim[i] != 1)
            return tg_fail(&rt->c, TG_ERR_SHAPE,
                           "squeeze drops axes of size 1, but axis %d of {0} has size %s", i,
                           tg_size_word(rt, in[0].dim[i]).text);
        if (!named && (at->v[0] || in[0].dim[i] != 1)) out->dim[out->rank++] = in[0].dim[i];
    }
    return true;
}

static bool look_squeeze(const tg_call *call) {
    *call->out = call->in[0];
    for (int i = call->in[0].rank - 1; i >= 0; i--)
        if (call->at->v[0] ? (call->at->v[0] >> i & 1) : (call->in[0].dim[i] == 1))
            tg_view_drop_axis(call->out, i);
    return true;
}

static bool infer_unsqueeze(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                            const tg_attrs *at, tg_type *out, tg_dtype *want) {
    if (!same_type(rt, op, n, in, at, out, want)) return false;
    if (in[0].rank == TG_MAX_RANK)
        return tg_fail(&rt->c, TG_ERR_SHAPE, "{0} has %d axes already, the most a tensor can have",
                       TG_MAX_RANK);
    int axis = (int)at->v[0];
    out->rank++;
    for (int i = out->rank - 1; i > axis; i--) out->dim[i] = out->dim[i - 1];
    out->dim[axis] = 1;
    return true;
}

static bool look_unsqueeze(const tg_call *call) {
    tg_view *out = call->out;
    *out = call->in[0];
    int axis = (int)call->at->v[0];
    out->rank++;
    for (int i = out->rank - 1; i > axis; i--)
        out->dim[i] = out->dim[i - 1], out->stride[i] = out->stride[i - 1];
    out->dim[axis] = 1;
    out->stride[axis] = 0;
    return true;
}

/* ---- expand ---- */

/* The axes of the result that the argument lacks; none named: the leading ones. */
static int64_t lacking(int rank, const tg_attrs *at) {
    int extra = (int)at->v[0] - rank;
    int64_t mask = at->v[1 + at->v[0]];
    if (extra <= 0) return 0;
    return mask ? mask : (INT64_C(1) << extra) - 1;
}

/* Leading axes and no axes are both left unnamed, so that equal expansions have equal attributes.
 */
static const tg_op *canonical_expand(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    int extra = (int)at->v[0] - rank;
    int64_t *mask = &at->v[1 + at->v[0]];
    if (extra <= 0) *mask = 0;
    if (*mask == 0) return op;
    if (*mask >> at->v[0]) {
        tg_fail(&rt->c, TG_ERR_VALUE, "expand: axis is out of range: the shape has %d axes",
                (int)at->v[0]);
        return NULL;
    }
    if (bits(*mask) != extra) {
        tg_fail(&rt->c, TG_ERR_VALUE,
                "expand: axis names %d axes, but {0} lacks %d of the shape's %d", bits(*mask),
                extra, (int)at->v[0]);
        return NULL;
    }
    if (*mask == (INT64_C(1) << extra) - 1) *mask = 0;
    return op;
}

static bool fail_expand(tg_rt *rt, const tg_type *in, const tg_type *out) {
    tg_fail(&rt->c, TG_ERR_SHAPE, "{0} of shape %s does not expand to %s",
            tg_shape_text(rt, in->rank, in->dim), tg_shape_text(rt, out->rank, out->dim));
    return in->rank < out->rank
               ? tg_help(&rt->c, "axis= names the axes of the result that {0} lacks")
               : false;
}

static bool infer_expand(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    if (!same_type(rt, op, n, in, at, out, want) || !tg_shape_of_attr(rt, op, at, 0, out))
        return false;
    int64_t mask = lacking(in[0].rank, at);
    if (out->rank - bits(mask) != in[0].rank) return fail_expand(rt, &in[0], out);
    for (int i = 0, j = 0; i < out->rank; i++) {
        if (mask >> i & 1) continue;
        tg_size have = in[0].dim[j++];
        if (have != 1 && have != out->dim[i]) return fail_expand(rt, &in[0], out);
    }
    return true;
}

static bool look_expand(const tg_call *call) {
    const tg_view *in = &call->in[0];
    int64_t mask = lacking(in->rank, call->at);
    tg_view out = {.data = in->data, .dtype = in->dtype, .rank = (int)call->at->v[0]};
    for (int i = 0, j = 0; i < out.rank; i++) {
        out.dim[i] = call->at->v[1 + i];
        if (mask >> i & 1) continue;
        out.stride[i] = in->dim[j] == 1 ? 0 : in->stride[j];
        j++;
    }
    *call->out = out;
    return true;
}

/* ---- flip ---- */

static bool look_flip(const tg_call *call) {
    tg_view *out = call->out;
    *out = call->in[0];
    for (int i = 0; i < out->rank; i++) {
        if (!(call->at->v[0] >> i & 1)) continue;
        if (out->dim[i] > 1) out->data = tg_view_place(out, (out->dim[i] - 1) * out->stride[i]);
        out->stride[i] = -out->stride[i];
    }
    return true;
}

/* ---- narrow, and embed its adjoint ---- */

/* Both: axis, start, and count or total. */
static bool check_part(tg_rt *rt, const tg_op *op, tg_size start, tg_size count, tg_size total,
                       int axis) {
    if (!tg_size_known(start) || !tg_size_known(count) || !tg_size_known(total)) return true;
    if (count <= total && start <= total - count) return true;
    return tg_fail(&rt->c, TG_ERR_VALUE,
                   "%s: places %lld to %lld are out of range for axis %d of size %lld", op->name,
                   (long long)start, (long long)start + (long long)count - 1, axis,
                   (long long)total);
}

static bool infer_narrow(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want) {
    int axis = (int)at->v[0];
    if (!same_type(rt, op, n, in, at, out, want) ||
        !check_part(rt, op, at->v[1], at->v[2], in[0].dim[axis], axis))
        return false;
    out->dim[axis] = at->v[2];
    return true;
}

static bool look_narrow(const tg_call *call) {
    *call->out = tg_view_narrow(&call->in[0], (int)call->at->v[0], call->at->v[1], call->at->v[2]);
    return true;
}

static bool infer_embed(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                        tg_type *out, tg_dtype *want) {
    int axis = (int)at->v[0];
    if (!same_type(rt, op, n, in, at, out, want) ||
        !check_part(rt, op, at->v[1], in[0].dim[axis], at->v[2], axis))
        return false;
    out->dim[axis] = at->v[2];
    return true;
}

static bool run_embed(const tg_call *call) {
    int axis = (int)call->at->v[0];
    tg_view part = tg_view_narrow(call->out, axis, call->at->v[1], call->in[0].dim[axis]);
    tg_view_clear(call->out);
    tg_view_copy(&part, &call->in[0]);
    return true;
}

/* ---- the records ---- */

#define X                                                                                          \
    { "x", TG_P_TENSOR, NULL }

static const tg_op ops[] = {
    {.name = "transpose",
     .class = TG_CLASS_VIEW,
     .param = {X, {"axes", TG_P_PERM, "none"}},
     .infer = infer_transpose,
     .run = copy_view,
     .view = look_transpose,
     .grad = {"untranspose(g, axes=axes)"},
     .style = TG_PRINT_PRIME,
     .symbol = "'",
     .latex = "{0}^{\\top}",
     .numpy = "{0!}{T} | np.transpose({0}, {axes})",
     .torch = "{0!}{T} | torch.permute({0}, {axes})",
     .c = "=tg_transposed({0}, {axes})",
     .doc = "The axes in another order; without one, the last two are swapped, which is also "
            "written x'.",
     .example = "transpose([[1, 2], [3, 4]])",
     .value = "[[1, 3], [2, 4]]",
     .samples = "x[3,4]: transpose(x) | x[2,3,4]: transpose(x, axes=(2, 0, 1)) | x[2,3,4]: x'"},
    {.name = "untranspose",
     .class = TG_CLASS_VIEW,
     .param = {X, {"axes", TG_P_PERM, "none"}},
     .infer = infer_untranspose,
     .run = copy_view,
     .view = look_untranspose,
     .canonical = canonical_untranspose,
     .grad = {"transpose(g, axes=axes)"},
     TG_NO_SPELLINGS,
     .doc = "Undoes transpose(x, axes): axis axes[i] of the result is axis i of x.",
     .example = "untranspose([[1, 2], [3, 4]], axes=(1, 0))",
     .value = "[[1, 3], [2, 4]]",
     .samples = "x[2,3,4]: untranspose(x, axes=(2, 0, 1))"},
    {.name = "reshape",
     .class = TG_CLASS_VIEW,
     .param = {X, {"shape", TG_P_SHAPE, NULL}},
     .infer = infer_reshape,
     .run = run_reshape,
     .view = look_reshape,
     .grad = {"reshape(g, shape(x))"},
     .numpy = "np.reshape({0}, {result})",
     .torch = "torch.reshape({0}, {result})",
     .c = "!tg_reshape({out}, {0})",
     .doc = "The same elements in row-major order in another shape; one size may be -1 and follows "
            "from the others.",
     .example = "reshape([1, 2, 3, 4], 2, 2)",
     .value = "[[1, 2], [3, 4]]",
     .samples = "x[3,4]: reshape(x, 2, 6) | x[3,4]: reshape(x', 2, -1)"},
    {.name = "flatten",
     .class = TG_CLASS_VIEW,
     .param = {X},
     .infer = infer_flatten,
     .run = run_reshape,
     .view = look_reshape,
     .grad = {"reshape(g, shape(x))"},
     .numpy = "np.reshape({0}, {result})",
     .torch = "torch.reshape({0}, {result})",
     .c = "!tg_reshape({out}, {0})",
     .doc = "The elements in row-major order as a vector.",
     .example = "flatten([[1, 2], [3, 4]])",
     .value = "[1, 2, 3, 4]",
     .samples = "x[3,4]: flatten(x)"},
    {.name = "squeeze",
     .class = TG_CLASS_VIEW,
     .param = {X, {"axis", TG_P_AXES, "()"}},
     .infer = infer_squeeze,
     .run = copy_view,
     .view = look_squeeze,
     .grad = {"reshape(g, shape(x))"},
     .numpy = "np.reshape({0}, {result})",
     .torch = "torch.reshape({0}, {result})",
     .c = "!tg_reshape({out}, {0})",
     .doc = "Without the named axes, which have size 1; without a name, all axes of size 1 go.",
     .example = "squeeze([[1, 2, 3]])",
     .value = "[1, 2, 3]",
     .samples = "x[1,3,1]: squeeze(x) | x[1,3,1]: squeeze(x, axis=0)"},
    {.name = "unsqueeze",
     .class = TG_CLASS_VIEW,
     .param = {X, {"axis", TG_P_NEWAXIS, NULL}},
     .infer = infer_unsqueeze,
     .run = copy_view,
     .view = look_unsqueeze,
     .grad = {"squeeze(g, axis=axis)"},
     .numpy = "np.reshape({0}, {result})",
     .torch = "torch.reshape({0}, {result})",
     .c = "!tg_reshape({out}, {0})",
     .doc = "With a new axis of size 1 at that place.",
     .example = "unsqueeze([1, 2, 3], 0)",
     .value = "[[1, 2, 3]]",
     .samples = "x[3,4]: unsqueeze(x, 1) | x[3]: unsqueeze(x, -1)"},
    {.name = "expand",
     .class = TG_CLASS_VIEW,
     .param = {X, {"shape", TG_P_SHAPE, NULL}, {"axis", TG_P_AXES, "()"}},
     .infer = infer_expand,
     .run = copy_view,
     .view = look_expand,
     .canonical = canonical_expand,
     .grad = {"where(axis == 0 or rank(x) == rank(g), g, sum(g, axis=axis))"},
     .numpy = "_expand({0}, {shape}, {axis})",
     .torch = "_expand({0}, {shape}, {axis})",
     .c = "=tg_expanded({0}, {rank}, {shape}, {axis})",
     .doc = "x repeated to a shape; axis names the axes of the result that x lacks, by default the "
            "leading ones.",
     .example = "expand([1, 2], (2, 2), axis=1)",
     .value = "[[1, 1], [2, 2]]",
     .samples =
         "x[4]: expand(x, 3, 4) | x[3]: expand(x, (3, 4), axis=1) | x[3,1]: expand(x, 3, 4)"},
    {.name = "flip",
     .class = TG_CLASS_VIEW,
     .param = {X, {"axis", TG_P_AXES, "none"}},
     .infer = same_type,
     .run = copy_view,
     .view = look_flip,
     .grad = {"flip(g, axis=axis)"},
     .numpy = "np.flip({0}, {axis})",
     .torch = "torch.flip({0}, _axes({axis}))",
     .c = "=tg_flipped({0}, {axis})",
     .doc = "The elements in reverse order along an axis, some axes or all.",
     .example = "flip([1, 2, 3])",
     .value = "[3, 2, 1]",
     .samples = "x[3,4]: flip(x) | x[3,4]: flip(x, axis=1)"},
    {.name = "narrow",
     .class = TG_CLASS_VIEW,
     .param =
         {X, {"axis", TG_P_AXIS, NULL}, {"start", TG_P_SIZE, NULL}, {"count", TG_P_SIZE, NULL}},
     .infer = infer_narrow,
     .run = copy_view,
     .view = look_narrow,
     .grad = {"embed(g, axis, start, size(x, axis))"},
     .numpy = "{0!}{index} | _narrow({0}, {axis}, {start}, {count})",
     .torch = "{0!}{index} | _narrow({0}, {axis}, {start}, {count})",
     .c = "=!tg_narrow(&{out}, {0}, {axis}, {start}, {count})",
     .doc = "The part of x with count places of an axis from start on.",
     .example = "narrow([1, 2, 3, 4], 0, 1, 2)",
     .value = "[2, 3]",
     .samples = "x[3,5]: narrow(x, 1, 2, 3)"},
    {.name = "embed",
     .class = TG_CLASS_VIEW,
     .param =
         {X, {"axis", TG_P_AXIS, NULL}, {"start", TG_P_SIZE, NULL}, {"total", TG_P_SIZE, NULL}},
     .infer = infer_embed,
     .run = run_embed,
     .grad = {"narrow(g, axis, start, size(x, axis))"},
     .numpy = "_embed({0}, {axis}, {start}, {total})",
     .torch = "_embed({0}, {axis}, {start}, {total})",
     .c = "!tg_embed({out}, {0}, {axis}, {start})",
     .doc = "x between zeros: an axis grows to total places, of which x takes those from start on.",
     .example = "embed([1, 2], 0, 1, 4)",
     .value = "[0, 1, 2, 0]",
     .samples = "x[3,2]: embed(x, 1, 1, 4)"},
};

const tg_op_table tg_ops_view = {ops, sizeof ops / sizeof *ops};
