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

/* Takes a sign or scalar off *x. False: there is none. */
static bool unscale(tg_fusion *f, const tg_node **x) {
    const tg_node *n = *x;
    if (tg_node_is(n, "neg")) {
        f->alpha = -f->alpha;
        *x = n->arg[0];
        return true;
    }
    int scalar = tg_node_is(n, "div") || (tg_node_is(n, "mul") && n->arg[0]->type.rank > 0) ? 1 : 0;
    bool divides = tg_node_is(n, "div");
    if (!divides && !tg_node_is(n, "mul")) return false;
    if (!scale_by(f, n->arg[scalar], divides)) return false;
    *x = n->arg[1 - scalar];
    return true;
}

/* (-X') @ D: the sign and scalars of an operand join alpha, rather than pass over the operand. */
static void unscale_operands(const fuser *u, tg_fusion *f) {
    for (int i = 0; i < 2; i++) {
        const tg_node *x = f->product->arg[i], *inner = x;
        while (f->nabsorbed < TG_MAX_ABSORBED && u->uses(u->user, x) == 1 && unscale(f, &inner)) {
            if (!same_type(inner, x)) { /* an integer operand, made a float by the scalar */
                f->failed = true;
                return;
            }
            f->absorbed[f->nabsorbed++] = x;
            x = inner;
        }
        f->operand[i] = (tg_node *)x;
    }
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
            unscale_operands(u, f);
            return !f->failed;
        }
        if (!unscale(f, &x)) return false;
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
    if (!scaled(&u, node, node, out)) return false;
    return out->product != node ||
           out->nabsorbed > 0; /* a bare product is a kernel like any other */
}
