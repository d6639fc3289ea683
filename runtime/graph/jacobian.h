/* Derivatives that are more than a gradient, and products with them, as formulas (Griewank &
 * Walther 2008, ch. 3). The matrices take one batched reverse sweep each (batch.h). */
#ifndef TG_RUNTIME_JACOBIAN_H
#define TG_RUNTIME_JACOBIAN_H

#include "runtime/graph/node.h"

/* Each gives out[i] for x[i], simplified; *used gets the bits of the assumptions used, and cut[i]
 * (if cut is not NULL) the reason for a zero, as tg_grad says. */

/* d y / d x[i], of shape shape(y) + shape(x[i]). */
bool tg_jacobian(tg_rt *rt, tg_node *y, int n, tg_node *const *x, uint32_t *used, tg_node **out,
                 const char **cut);
/* d2 y / d x[i] d x[j] in out[i * n + j], of shape shape(y) + shape(x[i]) + shape(x[j]). */
bool tg_hessian(tg_rt *rt, tg_node *y, int n, tg_node *const *x, uint32_t *used, tg_node **out,
                const char **cut);
/* The derivative of y along v, where v[i] has the shape of x[i]: one formula, shaped like y. */
bool tg_jvp(tg_rt *rt, tg_node *y, int n, tg_node *const *x, tg_node *const *v, uint32_t *used,
            tg_node **out, const char **cut);
/* The Hessian of the scalar y times v: out[i] is shaped like x[i]. */
bool tg_hvp(tg_rt *rt, tg_node *y, int n, tg_node *const *x, tg_node *const *v, uint32_t *used,
            tg_node **out, const char **cut);

#endif
