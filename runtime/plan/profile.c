/* A plan's steps, each timed under the formula that it computes: runs in place of the plain loop of
 * execute.c while rt->profile is set. */
#include "runtime/ops/profile.h"
#include "runtime/graph/print.h"
#include "runtime/plan/program.h"

enum { FORMULA = 48 }; /* characters of a formula, about */

static const char *kind_of(const tg_step *s) {
    if (s->product >= 0) return "product";
    return s->op ? s->op->shown ? s->op->shown : s->op->name : "copy";
}

static tg_work work_of(const tg_plan *p, const tg_step *s) {
    const int *arg = p->args + s->arg;
    const tg_view *out = &p->slots[s->out].v;
    if (s->product >= 0)
        return tg_work_of_product(&p->slots[arg[0]].v, &p->slots[arg[1]].v, out,
                                  p->products[s->product].accumulates);
    if (!s->op) return tg_work_of_copy(out, &p->slots[arg[0]].v);
    for (int i = 0; i < s->n; i++) p->in[i] = p->slots[arg[i]].v;
    return tg_work_of(s->op, s->n, p->in, out);
}

static bool name_formula(tg_rt *rt, const tg_node *node, tg_str *out) {
    const tg_print_options o = {.limit = FORMULA};
    return tg_node_print_with(rt, out, node, &o);
}

static bool run_step(tg_rt *rt, tg_plan *p, const tg_step *s) {
    const double begun = tg_profile_now();
    bool is_new;
    tg_profile_entry *e = tg_profile_find(rt, kind_of(s), s->op, s->node->id, &is_new);
    if (!e || (is_new && !name_formula(rt, s->node, &e->formula))) return false;
    const tg_work w = work_of(p, s);
    const double from = tg_profile_now();
    const bool ok = s->run(rt, p, s);
    const double to = tg_profile_now();
    tg_profile_count(rt, e, &w, to - from);
    rt->profile->aside += from - begun + (tg_profile_now() - to);
    return ok;
}

bool tg_plan_profile_steps(tg_rt *rt, tg_plan *p, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (!tg_check_interrupt(&rt->c) || !run_step(rt, p, &p->steps[i])) return false;
    return true;
}
