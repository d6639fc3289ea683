/* A plan's steps, each timed under the formula that it computes: runs in place of the plain loop of
 * execute.c while rt->profile is set. */
#include "runtime/ops/profile.h"
#include "base/clock.h"
#include "runtime/graph/print.h"
#include "runtime/plan/region.h"

enum { FORMULA = 48 }; /* characters of a formula, about */

static const char *name_of(const tg_op *op) {
    return op ? op->shown ? op->shown : op->name : "copy";
}

const char *tg_step_kind(const tg_step *s) {
    return s->loop >= 0      ? "scan"
           : s->region >= 0  ? "fused"
           : s->product >= 0 ? "product"
                             : name_of(s->op);
}

/* What a region reads and what it leaves; its scratch memory stays in the cache. */
static tg_work work_of_region(const tg_plan *p, const tg_step *s) {
    const tg_region *r = p->regions[s->region];
    tg_work w = {p->slots[s->out].v.dtype, r->flops, 0};
    const int *arg = p->args + s->arg;
    for (int i = -1; i < s->n + s->more; i++) {
        const int slot = i < 0 ? s->out : arg[i];
        if (slot != r->scratch) w.bytes += tg_work_of_view(&p->slots[slot].v);
    }
    return w;
}

static tg_work work_of(const tg_plan *p, const tg_step *s) {
    const int *arg = p->args + s->arg;
    const tg_view *out = &p->slots[s->out].v;
    if (s->region >= 0) return work_of_region(p, s);
    if (s->product >= 0)
        return tg_work_of_product(&p->slots[arg[0]].v, &p->slots[arg[1]].v, out,
                                  p->products[s->product].accumulates);
    if (!s->op) return tg_work_of_copy(out, &p->slots[arg[0]].v);
    for (int i = 0; i < s->n; i++) p->in[i] = p->slots[arg[i]].v;
    return tg_work_of(s->op, s->n, p->in, out);
}

/* A region by the names of its members, "mul sum neg:", before the formula of the last. */
static bool describe(tg_rt *rt, const tg_plan *p, const tg_step *s, tg_str *out) {
    const tg_print_options o = {.limit = FORMULA};
    const tg_region *r = s->region >= 0 ? p->regions[s->region] : NULL;
    for (int i = 0; r && i < r->nops; i++)
        tg_str_addf(out, i + 1 < r->nops ? "%s " : "%s: ", name_of(r->ops[i]));
    return tg_node_print_with(rt, out, s->node, &o);
}

static bool run_step(tg_rt *rt, tg_plan *p, const tg_step *s) {
    if (s->loop >= 0) return s->run(rt, p, s); /* its own steps are timed */
    const double begun = tg_clock_now();
    bool is_new;
    tg_profile_entry *e = tg_profile_find(rt, tg_step_kind(s), s->op, s->node->id, &is_new);
    if (!e || (is_new && !describe(rt, p, s, &e->formula))) return false;
    const tg_work w = work_of(p, s);
    const double from = tg_clock_now();
    const bool ok = s->run(rt, p, s);
    const double to = tg_clock_now();
    tg_profile_count(rt, e, &w, to - from);
    rt->profile->aside += from - begun + (tg_clock_now() - to);
    return ok;
}

bool tg_plan_profile_steps(tg_rt *rt, tg_plan *p, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (!tg_check_interrupt(&rt->c) || !run_step(rt, p, &p->steps[i]))
            return tg_came_to(&rt->c, "step %zu of %zu: %s", i + 1, p->nsteps,
                              tg_step_kind(&p->steps[i]));
    return true;
}
