/* Counting what operations do. Their records say how many floating-point operations a call takes
 * (tg_op.effort and cubic); bytes are those of the operands and the result, each once, as if
 * caches were perfect: what must be moved, not what is. */
#include "runtime/ops/profile.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"

/* ---- work ---- */

/* Elements that lie in different places: an axis of step 0 repeats. */
static double distinct(const tg_view *v) {
    double n = 1;
    for (int i = 0; i < v->rank; i++)
        if (v->stride[i] != 0 || v->dim[i] == 0) n *= (double)v->dim[i];
    return n;
}

double tg_work_of_view(const tg_view *v) {
    return distinct(v) * (double)tg_dtype_size(v->dtype);
}

double tg_op_flops(const tg_op *op, int n, const tg_view *in, const tg_view *out) {
    if (op->flops) return op->flops(in, out);
    const double made = (double)tg_view_count(out), read = n > 0 ? (double)tg_view_count(in) : 0;
    const double last = n > 0 && in->rank > 0 ? (double)in->dim[in->rank - 1] : 1;
    const bool cubic = op->cubic[0] > 0 || op->cubic[1] > 0;
    const bool counts = op->class == TG_CLASS_ELEMENTWISE || op->class == TG_CLASS_REDUCE;
    const double effort = op->effort > 0 ? op->effort : counts && !cubic ? 1 : 0;
    return effort * (read > made ? read : made) +
           (op->cubic[0] * read + op->cubic[1] * made) * last;
}

tg_work tg_work_of(const tg_op *op, int n, const tg_view *in, const tg_view *out) {
    const double made = (double)tg_view_count(out) * (double)tg_dtype_size(out->dtype);
    const bool picks = op->class == TG_CLASS_INDEX || op->class == TG_CLASS_VIEW;
    tg_work w = {tg_dtype_is_float(out->dtype) || n == 0 ? out->dtype : in[0].dtype,
                 tg_op_flops(op, n, in, out), made};
    for (int i = 0; i < n; i++) { /* of what is picked from, no more than is taken */
        double bytes = tg_work_of_view(&in[i]);
        w.bytes += picks && i == 0 && bytes > made ? made : bytes;
    }
    return w;
}

tg_work tg_work_of_product(const tg_view *a, const tg_view *b, const tg_view *out, bool adds) {
    const double count = (double)tg_view_count(out);
    const double inner = a->rank > 0 ? (double)a->dim[a->rank - 1] : 1;
    return (tg_work){out->dtype, 2 * count * inner + (adds ? count : 0),
                     tg_work_of_view(a) + tg_work_of_view(b) +
                         (adds ? 2 : 1) * tg_work_of_view(out)};
}

tg_work tg_work_of_copy(const tg_view *out, const tg_view *in) {
    return (tg_work){out->dtype, 0, tg_work_of_view(in) + tg_work_of_view(out)};
}

/* ---- entries ---- */

void tg_profile_free(tg_profile *p) {
    for (size_t i = 0; i < p->n; i++) tg_str_free(&p->entries[i].formula);
    tg_free(p->entries);
    *p = (tg_profile){0};
}

tg_profile_entry *tg_profile_find(tg_rt *rt, const char *kind, const void *id, uint64_t number,
                                  bool *is_new) {
    tg_profile *p = rt->profile;
    *is_new = false;
    for (size_t i = 0; i < p->n; i++) { /* they come in turn, so the next is a good guess */
        tg_profile_entry *e = &p->entries[p->next];
        p->next = p->next + 1 < p->n ? p->next + 1 : 0;
        if (e->id == id && e->number == number && e->kind == kind) return e;
    }
    void *items = p->entries;
    bool ok = tg_grow(&items, &p->cap, p->n + 1, sizeof *p->entries);
    p->entries = items;
    if (!ok) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    *is_new = true;
    p->entries[p->n] = (tg_profile_entry){.kind = kind, .id = id, .number = number};
    return &p->entries[p->n++];
}

void tg_profile_count(tg_rt *rt, tg_profile_entry *e, const tg_work *w, double seconds) {
    e->calls++;
    e->seconds += seconds;
    e->flops += w->flops;
    e->bytes += w->bytes;
    e->least += tg_machine_least(&rt->profile->machine, w->dtype, w->flops, w->bytes);
}

/* ---- operations on plain values ---- */

static uint64_t hash_shapes(int n, const tg_view *in) {
    uint64_t h = tg_hash_bytes(NULL, 0);
    for (int i = 0; i < n; i++) {
        h = tg_hash_mix(tg_hash_mix(h, (uint64_t)in[i].rank), (uint64_t)in[i].dtype);
        for (int d = 0; d < in[i].rank; d++) h = tg_hash_mix(h, (uint64_t)in[i].dim[d]);
    }
    return h;
}

/* "[100, 784], [784, 10]" */
static void add_shapes(int n, const tg_view *in, tg_str *out) {
    for (int i = 0; i < n; i++) {
        tg_str_add(out, i ? ", [" : "[");
        for (int d = 0; d < in[i].rank; d++)
            tg_str_addf(out, d ? ", %lld" : "%lld", (long long)in[i].dim[d]);
        tg_str_addc(out, ']');
    }
}

bool tg_profile_call(const tg_call *call) {
    const tg_op *op = call->op;
    const double begun = tg_clock_now();
    bool is_new;
    tg_profile_entry *e =
        tg_profile_find(call->rt, op->name, op, hash_shapes(call->n, call->in), &is_new);
    if (!e) return false;
    if (is_new) add_shapes(call->n, call->in, &e->formula);
    const tg_work w = tg_work_of(op, call->n, call->in, call->out);
    const double from = tg_clock_now();
    bool ok = op->run(call);
    const double to = tg_clock_now();
    tg_profile_count(call->rt, e, &w, to - from);
    call->rt->profile->aside += from - begun + (tg_clock_now() - to);
    return ok;
}
