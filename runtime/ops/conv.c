/* Convolutions of lines and images: conv1d and conv2d, and what differentiates them.
 *
 * A convolution is bilinear in image and kernel, so with a cotangent g it stands in the trilinear
 * form
 *
 *     sum of g[n, o, y] * w[o, c, k] * x[n, c, y * stride - padding + k * dilation]
 *
 * and each of its three factors has the form without it as its derivative: conv is the derivative
 * by g, conv_transpose by x, conv_weights by w. So three operations are closed under
 * differentiation of any order, and each one's gradients are the other two. (As everywhere in this
 * field the kernel is not flipped: it is a correlation.)
 *
 * Layout: x [..., channels, rows, columns], w [out, channels of a group, rows, columns]; leading
 * axes are images and are summed over in the weights' gradient. With groups, channels are shared
 * out in order: output channels of a group see its input channels only. A transposed convolution
 * takes the same kernel, which then stands as [in, out of a group, rows, columns].
 *
 * The gradient by the image must have the image's shape, of which the windows may have left up to
 * stride - 1 places unused. conv_back takes shapes and finds that output padding; it is never a
 * node, but bound as conv_transpose. */
#include "runtime/ops/conv.h"
#include "runtime/ops/attrs.h"
#include "runtime/ops/structure.h"

#include <string.h>

/* ---- shape rules ---- */

/* "[..., channels, rows, columns]", by what the axes are. */
static const char *layout_of(const tg_op *op) {
    return tg_window_axes(op) == 1 ? "[..., channels, places]" : "[..., channels, rows, columns]";
}

static bool check_images(tg_rt *rt, const tg_op *op, const tg_type *x, int which) {
    int axes = tg_window_axes(op);
    if (x->rank > axes) return true;
    tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants %s %s, but {%d} has shape %s", op->name,
            axes == 1 ? "lines" : "images", layout_of(op), which,
            tg_shape_text(rt, x->rank, x->dim));
    if (x->rank < axes) return false;
    return tg_help(&rt->c, "unsqueeze({%d}, 0) has one channel", which);
}

static bool check_kernel(tg_rt *rt, const tg_op *op, const tg_type *w) {
    int axes = tg_window_axes(op);
    bool back = strstr(op->name, "transpose");
    if (w->rank != axes + 2) {
        tg_fail(&rt->c, TG_ERR_SHAPE, "%s wants a kernel [%s, %s], but {1} has shape %s", op->name,
                back ? "in, out" : "out, in", axes == 1 ? "places" : "rows, columns",
                tg_shape_text(rt, w->rank, w->dim));
        if (w->rank != axes) return false;
        return tg_help(&rt->c, "reshape({1}, 1, 1, %s) is that of one channel to one",
                       axes == 1 ? "-1" : "size({1}, 0), size({1}, 1)");
    }
    for (int i = 2; i < w->rank; i++)
        if (!tg_size_known(w->dim[i]) || w->dim[i] == 0)
            return tg_fail(&rt->c, TG_ERR_SHAPE,
                           "%s: the window of the kernel {1} must be known and not empty, but its "
                           "shape is %s",
                           op->name, tg_shape_text(rt, w->rank, w->dim));
    return true;
}

/* `channels` of argument `which` are shared out to the groups. */
static bool check_groups(tg_rt *rt, const tg_op *op, tg_size channels, int64_t groups, int which) {
    bool divides = tg_size_known(channels) ? channels % groups == 0
                                           : tg_size_divide(rt, channels, groups) != TG_SIZE_FAIL;
    return divides || tg_fail(&rt->c, TG_ERR_SHAPE,
                              "%s: the %s channels of {%d} cannot be shared out to %lld groups",
                              op->name, tg_size_word(rt, channels).text, which, (long long)groups);
}

static bool fail_channels(tg_rt *rt, const tg_op *op, tg_size has, tg_size wants, int64_t groups) {
    if (groups > 1)
        tg_fail(&rt->c, TG_ERR_SHAPE,
                "%s: {0} has %s channel%s, but {1} is a kernel for %lld groups of %s", op->name,
                tg_size_word(rt, has).text, has == 1 ? "" : "s", (long long)groups,
                tg_size_word(rt, tg_size_divide(rt, wants, groups)).text);
    else
        tg_fail(&rt->c, TG_ERR_SHAPE, "%s: {0} has %s channel%s, but {1} is a kernel for %s",
                op->name, tg_size_word(rt, has).text, has == 1 ? "" : "s",
                tg_size_word(rt, wants).text);
    if (groups == 1 && tg_size_known(has) && tg_size_known(wants) && wants > 0 && has > wants &&
        has % wants == 0)
        return tg_help(&rt->c, "groups=%lld gives each output channel %s of them",
                       (long long)(has / wants), tg_size_word(rt, wants).text);
    return tg_help(&rt->c, strstr(op->name, "transpose")
                               ? "its axes are [in, out of a group, window]"
                               : "its axes are [out, in of a group, window]");
}

static void product_type(tg_rt *rt, const tg_type *in, tg_type *out, tg_dtype *want) {
    out->dtype = want[0] = want[1] = tg_promote(rt, 2, in);
    out->weak = false;
}

/* x's leading axes, then that many channels. */
static void lead_of(const tg_type *x, int axes, tg_size channels, tg_type *out) {
    out->rank = x->rank;
    memcpy(out->dim, x->dim, (size_t)(x->rank - axes - 1) * sizeof *out->dim);
    out->dim[x->rank - axes - 1] = channels;
}

static bool infer_conv(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                       tg_type *out, tg_dtype *want) {
    (void)n;
    if (!check_images(rt, op, &in[0], 0) || !check_kernel(rt, op, &in[1])) return false;
    int axes = tg_window_axes(op), first = in[0].rank - axes;
    int64_t groups = tg_window_value(op, at, "groups", 0);
    tg_size channels = tg_size_times(rt, in[1].dim[1], groups);
    if (channels == TG_SIZE_FAIL) return false;
    if (in[0].dim[first - 1] != channels)
        return fail_channels(rt, op, in[0].dim[first - 1], channels, groups);
    if (!check_groups(rt, op, in[1].dim[0], groups, 1)) return false;
    lead_of(&in[0], axes, in[1].dim[0], out);
    for (int i = 0; i < axes; i++) {
        out->dim[first + i] =
            tg_window_count(rt, op, at, i, in[0].dim[first + i], in[1].dim[2 + i]);
        if (out->dim[first + i] == TG_SIZE_FAIL) return false;
    }
    product_type(rt, in, out, want);
    return true;
}

static bool infer_transpose(tg_rt *rt, const tg_op *op, int n, const tg_type *in,
                            const tg_attrs *at, tg_type *out, tg_dtype *want) {
    (void)n;
    if (!check_images(rt, op, &in[0], 0) || !check_kernel(rt, op, &in[1])) return false;
    int axes = tg_window_axes(op), first = in[0].rank - axes;
    int64_t groups = tg_window_value(op, at, "groups", 0);
    if (in[0].dim[first - 1] != in[1].dim[0])
        return fail_channels(rt, op, in[0].dim[first - 1], in[1].dim[0], 1);
    if (!check_groups(rt, op, in[1].dim[0], groups, 1)) return false;
    tg_size channels = tg_size_times(rt, in[1].dim[1], groups);
    if (channels == TG_SIZE_FAIL) return false;
    lead_of(&in[0], axes, channels, out);
    for (int i = 0; i < axes; i++) {
        tg_size more = tg_window_value(op, at, "output_padding", i),
                size = tg_window_extent(rt, op, at, i, in[0].dim[first + i], in[1].dim[2 + i]);
        int64_t stride = tg_window_value(op, at, "stride", i);
        if (tg_size_known(more) && more >= stride) {
            tg_fail(&rt->c, TG_ERR_VALUE,
                    "%s: output_padding must be less than the stride %lld, but is %lld", op->name,
                    (long long)stride, (long long)more);
            return tg_help(&rt->c, "it chooses among the sizes of which a convolution of this "
                                   "stride makes the same; pad adds more");
        }
        if (size != TG_SIZE_FAIL) size = tg_size_add(rt, size, more);
        if (size == TG_SIZE_FAIL) return false;
        if (size == 0)
            return tg_fail(&rt->c, TG_ERR_SHAPE, "%s: the padding leaves nothing of the result",
                           op->name);
        out->dim[first + i] = size;
    }
    product_type(rt, in, out, want);
    return true;
}

static bool infer_weights(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                          tg_type *out, tg_dtype *want) {
    (void)n;
    if (!check_images(rt, op, &in[0], 0) || !check_images(rt, op, &in[1], 1)) return false;
    int axes = tg_window_axes(op), first = in[0].rank - axes;
    int64_t groups = tg_window_value(op, at, "groups", 0);
    tg_type fits = in[1];
    if (!check_groups(rt, op, in[0].dim[first - 1], groups, 0) ||
        !check_groups(rt, op, in[1].dim[in[1].rank - axes - 1], groups, 1))
        return false;
    tg_size channels = in[1].dim[in[1].rank - axes - 1];
    lead_of(&in[0], axes, channels, &fits);
    out->rank = axes + 2;
    out->dim[0] = channels;
    out->dim[1] = tg_size_divide(rt, in[0].dim[first - 1], groups);
    for (int i = 0; i < axes; i++) {
        out->dim[2 + i] = tg_window_value(op, at, "size", i);
        fits.dim[first + i] = tg_window_count(rt, op, at, i, in[0].dim[first + i], out->dim[2 + i]);
        if (fits.dim[first + i] == TG_SIZE_FAIL) return false;
    }
    if (!tg_type_same_shape(&fits, &in[1]))
        return tg_fail(&rt->c, TG_ERR_SHAPE, "%s: {1} must have the shape %s, but has %s", op->name,
                       tg_shape_text(rt, fits.rank, fits.dim),
                       tg_shape_text(rt, in[1].rank, in[1].dim));
    product_type(rt, in, out, want);
    return true;
}

/* ---- conv_back, as conv_transpose ---- */

static const tg_op *canonical_back(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at) {
    if (!tg_window_canonical(rt, op, rank, at)) return NULL;
    const tg_attrs given = *at;
    int axes = tg_window_axes(op), n;
    int image = tg_op_values(op, &given, 2, &n), kernel = tg_op_values(op, &given, 3, &n);
    const char *const params[] = {"stride", "padding", "output_padding", "dilation"};
    *at = (tg_attrs){0};
    for (size_t k = 0; k < sizeof params / sizeof *params; k++) {
        bool rest = strcmp(params[k], "output_padding") == 0;
        tg_attr_push(at, axes, false);
        for (int i = 0; i < axes; i++) {
            tg_size v = tg_window_value(op, &given, params[k], i);
            if (rest) {
                tg_size size = given.v[image + i], window = given.v[kernel + i];
                if (!tg_size_known(window) || window == 0) {
                    tg_fail(&rt->c, TG_ERR_VALUE, "%s: the window of the kernel must be known",
                            op->name);
                    return NULL;
                }
                tg_size out = tg_window_count(rt, op, &given, i, size, window);
                v = out == TG_SIZE_FAIL ? out : tg_window_extent(rt, op, &given, i, out, window);
                v = v == TG_SIZE_FAIL ? v : tg_size_sub(rt, size, v);
                if (v == TG_SIZE_FAIL) return NULL;
            }
            tg_attr_push(at, v, rest);
        }
    }
    tg_attr_push(at, tg_window_value(op, &given, "groups", 0), false);
    return tg_op_find(axes == 1 ? "conv_transpose1d" : "conv_transpose2d");
}

/* ---- what they cost ---- */

static double flops(const tg_view *w, const tg_view *out) {
    return 2 * (double)tg_view_count(out) * (double)tg_view_count(w) /
           (double)(w->dim[0] > 0 ? w->dim[0] : 1);
}

static double flops_conv(const tg_view *in, const tg_view *out) {
    return flops(&in[1], out);
}
static double flops_transpose(const tg_view *in, const tg_view *out) {
    (void)out;
    return flops(&in[1], &in[0]);
}
static double flops_weights(const tg_view *in, const tg_view *out) {
    return flops(out, &in[1]);
}

/* ---- the records ---- */

#define SPELL(word)                                                                                \
    static const tg_op *spell_##word(tg_rt *rt, const tg_attrs *at, tg_attrs *spelt) {             \
        (void)rt;                                                                                  \
        return tg_window_spell(tg_op_find(#word), at, spelt);                                      \
    }
SPELL(conv1d)
SPELL(conv_transpose1d)
SPELL(conv_weights1d)
SPELL(conv2d)
SPELL(conv_transpose2d)
SPELL(conv_weights2d)

#define STEPS                                                                                      \
    {"stride", TG_P_SPEC, "1"}, {                                                                  \
        "padding", TG_P_SPEC, "0"                                                                  \
    }
#define SHARES                                                                                     \
    {"dilation", TG_P_SPEC, "1"}, {                                                                \
        "groups", TG_P_INT, "1"                                                                    \
    }
#define SAME "stride=stride, padding=padding, dilation=dilation, groups=groups)"
#define CONV                                                                                       \
    .class = TG_CLASS_LINEAR, .canonical = tg_window_canonical, .takes_room = true,                \
    .reference = tg_conv_reference, .lo = -1, .hi = 1
/* The window of a kernel, by its number of axes. */
#define WINDOW1(w) "size(" w ", -1)"
#define WINDOW2(w) "(size(" w ", -2), size(" w ", -1))"

#define RECORDS(D, N, WINDOW, KIND)                                                                \
    {.name = "conv" D,                                                                             \
     .taught = "convolution",                                                                      \
     CONV,                                                                                         \
     .param = {{"x", TG_P_TENSOR, NULL}, {"w", TG_P_TENSOR, NULL}, STEPS, SHARES},                 \
     .infer = infer_conv,                                                                          \
     .run = tg_conv_run,                                                                           \
     .spell = spell_conv##N,                                                                       \
     .flops = flops_conv,                                                                          \
     .grad = {"conv_back" D "(g, w, shape(x), shape(w), " SAME,                                    \
              "conv_weights" D "(x, g, " WINDOW("w") ", " SAME},                                   \
     .numpy = "_conv({0}, {1}, {stride}, {padding}, {dilation}, {groups})",                        \
     .torch = "_conv({0}, {1}, {stride}, {padding}, {dilation}, {groups})",                        \
     .c = "tg_conv({0}, {1}, {out}, {stride}, {padding}, {dilation}, {groups}, 0)",                \
     DOC_CONV_##KIND},                                                                             \
        {.name = "conv_transpose" D,                                                               \
         .taught = "convolution",                                                                  \
         CONV,                                                                                     \
         .param = {{"x", TG_P_TENSOR, NULL},                                                       \
                   {"w", TG_P_TENSOR, NULL},                                                       \
                   STEPS,                                                                          \
                   {"output_padding", TG_P_SHAPE, "0"},                                            \
                   SHARES},                                                                        \
         .infer = infer_transpose,                                                                 \
         .run = tg_conv_transpose_run,                                                             \
         .spell = spell_conv_transpose##N,                                                         \
         .flops = flops_transpose,                                                                 \
         .grad = {"conv" D "(g, w, " SAME, "conv_weights" D "(g, x, " WINDOW("w") ", " SAME},      \
         .numpy = "_conv_transpose({0}, {1}, {stride}, {padding}, {dilation}, {groups}, "          \
                  "{result})",                                                                     \
         .torch = "_conv_transpose({0}, {1}, {stride}, {padding}, {dilation}, {groups}, "          \
                  "{result})",                                                                     \
         .c = "tg_conv({out}, {1}, {0}, {stride}, {padding}, {dilation}, {groups}, 1)",            \
         DOC_TRANSPOSE_##KIND},                                                                    \
        {.name = "conv_weights" D,                                                                 \
         .taught = "convolution",                                                                  \
         CONV,                                                                                     \
         .param = {{"x", TG_P_TENSOR, NULL},                                                       \
                   {"y", TG_P_TENSOR, NULL},                                                       \
                   {"size", TG_P_SPEC, NULL},                                                      \
                   STEPS,                                                                          \
                   SHARES},                                                                        \
         .infer = infer_weights,                                                                   \
         .run = tg_conv_weights_run,                                                               \
         .spell = spell_conv_weights##N,                                                           \
         .flops = flops_weights,                                                                   \
         .grad = {"conv_back" D "(y, g, shape(x), shape(g), " SAME, "conv" D "(x, g, " SAME},      \
         .numpy = "_conv_weights({0}, {1}, {stride}, {padding}, {dilation}, {groups}, {result})",  \
         .torch = "_conv_weights({0}, {1}, {stride}, {padding}, {dilation}, {groups}, {result})",  \
         .c = "tg_conv({0}, {out}, {1}, {stride}, {padding}, {dilation}, {groups}, 2)",            \
         DOC_WEIGHTS_##KIND},                                                                      \
    {                                                                                              \
        .name = "conv_back" D, .class = TG_CLASS_LINEAR, .canonical = canonical_back,              \
        .param = {{"x", TG_P_TENSOR, NULL},                                                        \
                  {"w", TG_P_TENSOR, NULL},                                                        \
                  {"image", TG_P_SHAPE, NULL},                                                     \
                  {"kernel", TG_P_SHAPE, NULL},                                                    \
                  STEPS,                                                                           \
                  SHARES},                                                                         \
        .infer = infer_transpose, .run = tg_conv_transpose_run,                                    \
        .grad = {"conv" D "(g, w, " SAME, "conv_weights" D "(g, x, " WINDOW("w") ", " SAME},       \
        TG_NO_SPELLINGS, DOC_BACK_##KIND                                                           \
    }

#define DOC_CONV_LINE                                                                              \
    .doc = "The convolution of lines [..., channels, places] with a kernel [out, channels / "      \
           "groups, places], which is not flipped: windows begin every `stride` places.",          \
    .example = "conv1d([[1, 2, 4, 8]], [[[-1, 1]]])", .value = "[[1, 2, 4]]",                      \
    .samples = "x[2,2,5], y[3,2,2]: conv1d(x, y) | x[4,6], y[2,2,3]: conv1d(x, y, stride=2, "      \
               "padding=1, groups=2)"
#define DOC_TRANSPOSE_LINE                                                                         \
    .doc = "The transposed convolution of lines: each element adds its multiple of the kernel "    \
           "[in, out / groups, places] to the result, `stride` places on; the adjoint of conv1d.", \
    .example = "conv_transpose1d([[1, 2]], [[[1, 1, 1]]], stride=2)",                              \
    .value = "[[1, 1, 3, 2, 2]]",                                                                  \
    .samples = "x[2,3], y[2,3,2]: conv_transpose1d(x, y) | x[2,4,3], y[4,1,3]: "                   \
               "conv_transpose1d(x, y, stride=2, padding=1, output_padding=1, groups=2)"
#define DOC_WEIGHTS_LINE                                                                           \
    .doc = "The gradient of conv1d by its kernel, which has `size` places: the sum over all "      \
           "windows of what they see, times y.",                                                   \
    .example = "conv_weights1d([[1, 2, 4, 8]], [[1, 1, 1]], 2)", .value = "[[[7, 14]]]",           \
    .samples = "x[2,2,5], y[2,3,4]: conv_weights1d(x, y, 2) | x[4,6], y[2,3]: conv_weights1d(x, "  \
               "y, 3, stride=2, padding=1, groups=2)"
#define DOC_BACK_LINE                                                                              \
    .doc = "The gradient of conv1d by its lines: the conv_transpose1d whose result has the shape " \
           "`image`, by a kernel of the shape `kernel`.",                                          \
    .example = "conv_back1d([[1, 2]], [[[1, 1]]], [1, 5], [1, 1, 2], stride=2)",                   \
    .value = "[[1, 1, 2, 2, 0]]",                                                                  \
    .samples = "x[3,2], y[3,2,2]: conv_back1d(x, y, (2, 4), (3, 2, 2), stride=2)"
#define DOC_CONV_IMAGE                                                                             \
    .doc = "The convolution of images [..., channels, rows, columns] with a kernel [out, "         \
           "channels / groups, rows, columns], which is not flipped: windows begin every "         \
           "`stride` places; each number may be a pair (rows, columns).",                          \
    .example = "conv2d([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], [[[[1, 0], [0, -1]]]])",               \
    .value = "[[[-4, -4], [-4, -4]]]",                                                             \
    .samples = "x[2,2,4,3], y[3,2,2,2]: conv2d(x, y) | x[1,3,4], y[2,1,2,3]: conv2d(x, y, "        \
               "stride=(2, 1), padding=(1, 2), dilation=(1, 2)) | x[2,2,3,3], y[4,1,2,2]: "        \
               "conv2d(x, y, stride=2, padding=1, groups=2)"
#define DOC_TRANSPOSE_IMAGE                                                                        \
    .doc = "The transposed convolution of images: each element adds its multiple of the kernel "   \
           "[in, out / groups, rows, columns] to the result, `stride` places on; the adjoint of "  \
           "conv2d.",                                                                              \
    .example = "conv_transpose2d([[[1, 2], [3, 4]]], [[[[1, 1], [1, 1]]]], stride=2)",             \
    .value = "[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]",                         \
    .samples = "x[2,2,3], y[2,3,2,2]: conv_transpose2d(x, y) | x[1,4,2,2], y[4,1,3,2]: "           \
               "conv_transpose2d(x, y, stride=(2, 1), padding=1, output_padding=(1, 0), "          \
               "dilation=(1, 2), groups=2)"
#define DOC_WEIGHTS_IMAGE                                                                          \
    .doc = "The gradient of conv2d by its kernel, whose window has the size `size`: the sum over " \
           "all windows of what they see, times y.",                                               \
    .example = "conv_weights2d([[[1, 2], [3, 4]]], [[[1, 1], [1, 1]]], 1)", .value = "[[[[10]]]]", \
    .samples =                                                                                     \
        "x[2,2,4,3], y[2,3,4,3]: conv_weights2d(x, y, 3, padding=1) | x[4,4,3], y[2,2,1]: "        \
        "conv_weights2d(x, "                                                                       \
        "y, (2, 3), stride=(2, 1), padding=(1, 0), dilation=(2, 1), groups=2) | x[1,3,4], "        \
        "y[2,2,4]: conv_weights2d(x, y, (2, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2))"
#define DOC_BACK_IMAGE                                                                             \
    .doc = "The gradient of conv2d by its images: the conv_transpose2d whose result has the "      \
           "shape `image`, by a kernel of the shape `kernel`.",                                    \
    .example = "conv_back2d([[[1]]], [[[[1, 2], [3, 4]]]], [1, 3, 3], [1, 1, 2, 2], stride=2)",    \
    .value = "[[[1, 2, 0], [3, 4, 0], [0, 0, 0]]]",                                                \
    .samples = "x[3,2,1], y[3,2,2,2]: conv_back2d(x, y, (2, 4, 3), (3, 2, 2, 2), stride=2)"

static const tg_op ops[] = {
    RECORDS("1d", 1d, WINDOW1, LINE),
    RECORDS("2d", 2d, WINDOW2, IMAGE),
};

const tg_op_table tg_ops_conv = {ops, sizeof ops / sizeof *ops};
