/* Convolutions and pooling over the axes of a batch. Their leading axes are images already, so a
 * batch of images is more of them, and nothing changes. Where kernels differ over the batch, the
 * batch goes to the channels, each member a group of its own: a convolution in B * groups groups
 * shares nothing between them. So the gradients of single examples by a kernel are one
 * conv_weights. */
#include "runtime/graph/batch_rules.h"
#include "runtime/ops/structure.h"
#include "runtime/ops/window.h"

#include <string.h>

bool tg_batch_is_window(const tg_op *op) {
    return op->canonical == tg_window_canonical;
}

static bool is_conv(const tg_op *op) {
    return strncmp(op->name, "conv", 4) == 0;
}

/* How many axes of argument k are not leading ones. */
static int own_axes(const tg_node *node, int k) {
    bool conv = is_conv(node->op), weights = strstr(node->op->name, "weights");
    if (conv && k == 1 && !weights) return node->arg[1]->type.rank;
    return tg_window_axes(node->op) + conv;
}

int tg_batch_window_tie(const tg_node *node, int k, int axis) {
    bool leads = axis < node->arg[k]->type.rank - own_axes(node, k);
    return leads && !strstr(node->op->name, "weights") ? axis : TG_TIE_LOST;
}

typedef struct fold {
    tg_rt *rt;
    const tg_node *node;
    int e;
    const tg_size *dim;
    tg_size count; /* of the batch */
} fold;

/* x [batch, images, channels, places] to [images, batch * channels, places]. */
static tg_node *into_channels(const fold *f, tg_node *x) {
    if (!x) return NULL;
    int lead = x->type.rank - f->e - tg_window_axes(f->node->op) - 1, r = 0, perm[TG_MAX_RANK];
    tg_size dim[TG_MAX_RANK];
    for (int i = 0; i < lead; i++) perm[r++] = f->e + i;
    for (int i = 0; i < f->e; i++) perm[r++] = i;
    for (; r < x->type.rank; r++) perm[r] = r;
    x = tg_batch_permute(f->rt, x, perm);
    if (!x) return NULL;
    for (r = 0; r < lead; r++) dim[r] = x->type.dim[r];
    for (int i = lead + f->e; i < x->type.rank; i++) dim[r++] = x->type.dim[i];
    dim[lead] = tg_size_times(f->rt, f->count, dim[lead]);
    return dim[lead] == TG_SIZE_FAIL ? NULL : tg_batch_reshape(f->rt, x, r, dim);
}

/* And back. */
static tg_node *from_channels(const fold *f, tg_node *x) {
    const tg_type *own = &f->node->type;
    int lead = own->rank - tg_window_axes(f->node->op) - 1, r = 0, perm[TG_MAX_RANK];
    tg_size dim[TG_MAX_RANK];
    for (; r < lead; r++) dim[r] = own->dim[r];
    for (int i = 0; i < f->e; i++) dim[r++] = f->dim[i];
    for (int i = lead; i < own->rank; i++) dim[r++] = own->dim[i];
    x = tg_batch_reshape(f->rt, x, r, dim);
    for (int i = 0; i < f->e; i++) perm[i] = lead + i;
    for (int i = 0; i < lead; i++) perm[f->e + i] = i;
    for (int i = lead + f->e; i < r; i++) perm[i] = i;
    return x ? tg_batch_permute(f->rt, x, perm) : NULL;
}

/* [batch, out, ...] to [batch * out, ...], which are groups. */
static tg_node *merged(const fold *f, tg_node *w) {
    if (!w) return NULL;
    tg_size dim[TG_MAX_RANK];
    int r = w->type.rank - f->e;
    memcpy(dim, w->type.dim + f->e, (size_t)r * sizeof *dim);
    dim[0] = tg_size_times(f->rt, f->count, dim[0]);
    return dim[0] == TG_SIZE_FAIL ? NULL : tg_batch_reshape(f->rt, w, r, dim);
}

static tg_node *by_groups(fold *f, tg_node *const *in) {
    const tg_op *op = f->node->op;
    bool weights = strstr(op->name, "weights");
    tg_attrs at = *f->node->at; /* groups come last */
    int64_t groups;
    if (!tg_size_known(f->count) || __builtin_mul_overflow(f->count, at.v[at.n - 1], &groups)) {
        tg_fail(&f->rt->c, TG_ERR_TYPE,
                "a batch of kernels of %s must have a size that is known, but it is %s", op->name,
                tg_size_word(f->rt, f->count).text);
        tg_help(&f->rt->c, "an input of known size has none of these: input X[100, 1, 28, 28]");
        return NULL;
    }
    at.v[at.n - 1] = groups > 0 ? groups : 1;
    tg_node *arg[2] = {into_channels(f, in[0]), NULL};
    if (!arg[0] || !(arg[1] = weights ? into_channels(f, in[1]) : merged(f, in[1]))) return NULL;
    tg_node *x = tg_node_make(f->rt, op, 2, arg, &at);
    if (!x) return NULL;
    if (!weights) return from_channels(f, x);
    tg_size dim[TG_MAX_RANK];
    memcpy(dim, f->dim, (size_t)f->e * sizeof *dim);
    memcpy(dim + f->e, f->node->type.dim, (size_t)f->node->type.rank * sizeof *dim);
    return tg_batch_reshape(f->rt, x, f->e + f->node->type.rank, dim);
}

tg_node *tg_batch_window(tg_rt *rt, const tg_node *node, tg_node *const *in, const bool *has, int e,
                         const tg_size *dim) {
    tg_node *arg[TG_MAX_TENSORS] = {NULL};
    bool weights = strstr(node->op->name, "weights");
    bool images = !is_conv(node->op) || (!weights && !has[1]);
    fold f = {rt, node, e, dim, 1};
    for (int i = 0; i < e && f.count != TG_SIZE_FAIL; i++)
        f.count = tg_size_times(rt, f.count, dim[i]);
    if (f.count == TG_SIZE_FAIL) return NULL;
    for (int i = 0; i < node->n; i++) {
        const tg_type *own = &node->arg[i]->type;
        arg[i] = in[i];
        if (has[i] || (images && own_axes(node, i) == own->rank && is_conv(node->op))) continue;
        tg_size full[2 * TG_MAX_RANK];
        if (!tg_batch_has_room(rt, e + own->rank)) return NULL;
        memcpy(full, dim, (size_t)e * sizeof *dim);
        memcpy(full + e, own->dim, (size_t)own->rank * sizeof *dim);
        if (!(arg[i] = tg_batch_expand(rt, in[i], e + own->rank, full))) return NULL;
    }
    return images ? tg_node_make(rt, node->op, node->n, arg, node->at) : by_groups(&f, arg);
}
