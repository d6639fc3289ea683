/* Eager evaluation: one operation on tensors, now. The steps are those of a plan, for one node:
 * infer the result's type, bring the arguments to the types that the kernel wants, then look (a
 * view of argument 0's buffer) or compute into a new tensor.
 *
 * Arguments that need no conversion are not copied. Single elements are converted into a local
 * cell, so that `X * 0.5` in single precision allocates nothing but its result. */
#include "runtime/ops/op.h"

#include "base/alloc.h"
#include "runtime/ops/profile.h"

#include <string.h>

/* The arguments on their way to the kernel. */
typedef struct job {
    int n;
    tg_type *type;
    tg_dtype *want;
    tg_view *view;
    tg_tensor **made; /* the converted arguments, owned; NULL where none was made */
    double *cell;     /* room for single elements, converted */
} job;

enum { FEW = TG_MAX_TENSORS };

static const tg_attrs no_attrs = {0};

static tg_type type_of(const tg_tensor *t, bool weak) {
    tg_type type = {.dtype = t->v.dtype, .weak = weak && t->v.rank == 0, .rank = t->v.rank};
    memcpy(type.dim, t->v.dim, sizeof type.dim);
    return type;
}

static bool convert(tg_rt *rt, job *j, tg_tensor *const *in) {
    for (int i = 0; i < j->n; i++) {
        const tg_view *v = &in[i]->v;
        if (v->dtype == j->want[i]) {
            j->view[i] = *v;
        } else if (tg_view_count(v) == 1) {
            tg_view_init(&j->view[i], &j->cell[i], j->want[i], v->rank, v->dim);
            tg_view_copy(&j->view[i], v);
        } else {
            j->made[i] = tg_tensor_convert(&rt->c, v, j->want[i]);
            if (!j->made[i]) return false;
            j->view[i] = j->made[i]->v;
        }
    }
    return true;
}

/* The result as a view of argument 0, or NULL when it cannot be one (then *failed tells whether
 * that is an error). */
static tg_tensor *look(tg_rt *rt, const tg_op *op, const job *j, tg_tensor *const *in,
                       const tg_attrs *at, const tg_type *type, bool *failed) {
    if (!op->view || j->n < 1) return NULL;
    tg_tensor *owner = j->made[0] ? j->made[0] : in[0];
    if (j->view[0].data == &j->cell[0]) return NULL; /* a local cell does not outlive the call */
    tg_view out;
    tg_view_init(&out, NULL, type->dtype, type->rank, type->dim);
    tg_call call = {.rt = rt, .op = op, .n = j->n, .in = j->view, .out = &out, .at = at};
    if (!op->view(&call)) return NULL;
    tg_tensor *t = tg_tensor_share(&rt->c, owner, &out);
    if (!t) *failed = true;
    return t;
}

static tg_tensor *evaluate(tg_rt *rt, const tg_op *op, job *j, tg_tensor *const *in,
                           const tg_attrs *at) {
    tg_type type = {0};
    if (!op->infer(rt, op, j->n, j->type, at, &type, j->want) || !convert(rt, j, in)) return NULL;
    bool failed = false;
    tg_tensor *out = look(rt, op, j, in, at, &type, &failed);
    if (out || failed) return out;
    out = tg_tensor_new(&rt->c, type.dtype, type.rank, type.dim);
    if (!out) return NULL;
    tg_call call = {.rt = rt, .op = op, .n = j->n, .in = j->view, .out = &out->v, .at = at};
    if (rt->profile ? tg_profile_call(&call) : op->run(&call)) return out;
    tg_tensor_drop(out);
    return NULL;
}

tg_tensor *tg_op_apply(tg_rt *rt, const tg_op *op, int n, tg_tensor *const *in, const bool *weak,
                       const tg_attrs *at) {
    tg_type few_types[FEW];
    tg_dtype few_wants[FEW];
    tg_view few_views[FEW];
    tg_tensor *few_made[FEW] = {NULL};
    double few_cells[FEW];
    job j = {n, few_types, few_wants, few_views, few_made, few_cells};
    bool many = n > FEW;
    tg_tensor *out = NULL;
    if (many) {
        size_t count = (size_t)n;
        j.type = tg_alloc_array(count, sizeof *j.type);
        j.want = tg_alloc_array(count, sizeof *j.want);
        j.view = tg_alloc_array(count, sizeof *j.view);
        j.made = tg_alloc_array(count, sizeof *j.made);
        j.cell = tg_alloc_array(count, sizeof *j.cell);
    }
    if (!j.type || !j.want || !j.view || !j.made || !j.cell) {
        tg_fail_memory(&rt->c);
    } else {
        for (int i = 0; i < n; i++) {
            j.type[i] = type_of(in[i], weak && weak[i]);
            j.want[i] = j.type[i].dtype;
            j.made[i] = NULL;
        }
        out = evaluate(rt, op, &j, in, at ? at : &no_attrs);
        for (int i = 0; i < n; i++) tg_tensor_drop(j.made[i]);
    }
    if (many) {
        tg_free(j.type);
        tg_free(j.want);
        tg_free(j.view);
        tg_free(j.made);
        tg_free(j.cell);
    }
    return out;
}
