/* The definition of convolutions, for the tests: every product of the trilinear form is added where
 * it belongs, one after the other. */
#include "runtime/ops/conv.h"
#include "runtime/ops/structure.h"

static int64_t step_of(const tg_view *v, int from_end) {
    return from_end <= v->rank ? v->stride[v->rank - from_end] : 0;
}

/* The window (i, j) of channel c of group g at the place (y, x) of channel o of image n. */
static void add_product(const tg_conv *v, int64_t n, int64_t g, int64_t o, int64_t c,
                        const int64_t at[4]) {
    const tg_window_axis *r = &v->window.row, *k = &v->window.column;
    int64_t row = at[2] * r->stride - r->padding + at[0] * r->dilation,
            column = at[3] * k->stride - k->padding + at[1] * k->dilation;
    if (row < 0 || row >= r->image || column < 0 || column >= k->image) return;
    int axes = v->axes;
    bool two = axes == 2;
    int64_t image = tg_window_plane(v->image, axes + 1, n) +
                    (g * v->c + c) * step_of(v->image, axes + 1) +
                    (two ? row * step_of(v->image, 2) : 0) + column * step_of(v->image, 1);
    int64_t kernel = (g * v->o + o) * v->kernel->stride[0] + c * v->kernel->stride[1] +
                     (two ? at[0] * step_of(v->kernel, 2) : 0) + at[1] * step_of(v->kernel, 1);
    int64_t out = tg_window_plane(v->out, axes + 1, n) +
                  (g * v->o + o) * step_of(v->out, axes + 1) +
                  (two ? at[2] * step_of(v->out, 2) : 0) + at[3] * step_of(v->out, 1);
    const tg_view *to = v->call->out;
    int64_t place = to == v->image ? image : to == v->kernel ? kernel : out;
    double factor = (to == v->image ? 1 : tg_view_load(v->image, image)) *
                    (to == v->kernel ? 1 : tg_view_load(v->kernel, kernel)) *
                    (to == v->out ? 1 : tg_view_load(v->out, out));
    tg_view_store(to, place, tg_view_load(to, place) + factor);
}

bool tg_conv_reference(const tg_call *call) {
    const tg_conv v = tg_conv_of(call);
    const tg_window_axis *r = &v.window.row, *k = &v.window.column;
    tg_view_clear(call->out);
    int64_t at[4];
    for (int64_t n = 0; n < v.n; n++)
        for (int64_t g = 0; g < v.groups; g++)
            for (int64_t o = 0; o < v.o; o++)
                for (int64_t c = 0; c < v.c; c++)
                    for (at[0] = 0; at[0] < r->kernel; at[0]++)
                        for (at[1] = 0; at[1] < k->kernel; at[1]++)
                            for (at[2] = 0; at[2] < r->out; at[2]++)
                                for (at[3] = 0; at[3] < k->out; at[3]++)
                                    add_product(&v, n, g, o, c, at);
    return true;
}
