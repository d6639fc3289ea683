/* Matrix products with what stands around them. BLAS computes C := alpha * A @ B + beta * C at the
 * price of A @ B, so a scale factor costs nothing as alpha, and an addend nothing but its copy into
 * C. That covers the two formulas most often run, X @ W + b and W - rate * (X' @ D) / N: one call
 * each. (Dongarra et al. 1990, the level 3 BLAS.)
 *
 * A product is absorbed only when nobody else uses it, or any of the scaled forms on the way to it.
 * Scalars known only at run time, as a learning rate, are read then. */
#include "runtime/plan/program.h"

typedef struct fuser {
    int (*uses)(void *user, const tg_node *x);
    void *user;
} fuser;

static bool same_type(const tg_node *a, const tg_node *b) {
    return a->type.dtype == b->type.dtype &&
           tg_shape_equal(a->type.rank, a->type.dim, b->type.rank, b->type.dim);
}

static bool is_product(const tg_node *x) {
    if (!tg_dtype_is_float(x->type.dtype)) return false;
    if (tg_node_is(x, "matmul")) return x->arg[0]->type.rank == 2 && x->arg[1]->type.rank == 2;
    return tg_node_is(x, "matvec") || tg_node_is(x, "vecmat");
}

/* Multiplies f by the scalar s, or divides it. */
static bool scale_by(tg_fusion *f, tg_node *s, bool divides) {
    if (s->type.rank != 0 || f->nscales == TG_MAX_SCALES) return false;
    f->scale[f->nscales] = s;
    f->divides[f->nscales++] = divides;
    return true;
}

/* x as a scaled product. x itself is absorbed too unless it is `top`. */
static bool scaled(const fuser *u, const tg_node *x, const tg_node *top, tg_fusion *f) {
    for (;;) {
        if (x != top) {
            if (f->nabsorbed == TG_MAX_ABSORBED || u->uses(u->user, x) != 1 || !same_type(x, top))
                return false;
            f->absorbed[f->nabsorbed++] = x;
        }
        if (is_product(x)) {
            f->product = x;
            return true;
        }
        if (tg_node_is(x, "neg")) {
            f->alpha = -f->alpha;
            x = x->arg[0];
        } else if (tg_node_is(x, "div")) {
            if (x->arg[1]->type.rank != 0 || !scale_by(f, x->arg[1], true)) return false;
            x = x->arg[0];
        } else if (tg_node_is(x, "mul")) {
            int scalar = x->arg[0]->type.rank == 0 ? 0 : 1;
            if (x->arg[scalar]->type.rank != 0 || !scale_by(f, x->arg[scalar], false)) return false;
            x = x->arg[1 - scalar];
        } else {
            return false;
        }
    }
}

static void start(tg_fusion *f, double alpha, tg_node *addend) {
    *f = (tg_fusion){.alpha = alpha, .addend = addend};
}

bool tg_plan_fuse(const tg_node *node, int (*uses)(void *user, const tg_node *x), void *user,
                  tg_fusion *out) {
    const fuser u = {uses, user};
    if (node->type.rank == 0) return false;
    if (tg_node_is(node, "add")) {
        start(out, 1, node->arg[1]);
        if (scaled(&u, node->arg[0], node, out)) return true;
        start(out, 1, node->arg[0]);
        return scaled(&u, node->arg[1], node, out);
    }
    if (tg_node_is(node, "sub")) {
        start(out, -1, node->arg[0]);
        return scaled(&u, node->arg[1], node, out);
    }
    start(out, 1, NULL);
    return !is_product(node) && scaled(&u, node, node, out);
}
