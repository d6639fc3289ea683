/* Running a loop: the body's steps, once for each turn. Between turns only addresses change: those
 * of the rows, of the states and of the results. There is a look at the interrupt flag in each
 * turn, and nothing is allocated. */
#include "runtime/plan/loop.h"

#include "base/alloc.h"

#include <string.h>

typedef struct run {
    tg_rt *rt;
    tg_plan *outer, *p;
    const tg_turns *t;
    const int *arg; /* the step's arguments */
    char *scratch;
} run;

static char *arg_data(const run *r, int arg) {
    return r->outer->slots[r->arg[arg]].v.data;
}

static char *out_data(const run *r, int out) {
    return r->outer->slots[r->t->out[out]].v.data;
}

/* The row of an output for the n-th turn to be made. */
static char *row_of(const run *r, int out, int64_t n, size_t bytes) {
    return out_data(r, out) + (r->t->reverse ? r->t->turns - 1 - n : n) * (int64_t)bytes;
}

/* The output that takes the last value of root k at once, or NULL. */
static char *last_place(const run *r, int k) {
    for (int i = 0; i < r->t->nlast; i++)
        if (r->t->cell[r->t->last[i].cell].root == k) return out_data(r, r->t->last[i].out);
    return NULL;
}

/* Where turn n puts root k. */
static char *place_of(const run *r, int k, int64_t n) {
    const tg_turn_root *root = &r->t->root[k];
    if (root->stack >= 0) return row_of(r, root->stack, n, root->bytes);
    char *last = n == r->t->turns - 1 ? last_place(r, k) : NULL;
    if (last) return last;
    if (root->home >= 0 && n < r->t->turns - 1)
        return row_of(r, r->t->cell[root->home].start, n + 1, root->bytes);
    return r->scratch + root->place[n & 1];
}

/* The first states: read where they are, or copied to where states are. */
static void begin_states(const run *r) {
    for (int i = 0; i < r->t->ncells; i++) {
        const tg_turn_cell *c = &r->t->cell[i];
        char *at = arg_data(r, c->arg);
        if (c->kind == TG_TURN_STATE && r->t->turns > 0) {
            bool home = c->start >= 0 && r->t->root[c->root].home == i;
            if (home || !c->flat) {
                const tg_view *from = &r->outer->slots[r->arg[c->arg]].v;
                tg_view to;
                at = home ? row_of(r, c->start, 0, c->bytes) : r->scratch + c->first;
                tg_view_init(&to, at, from->dtype, from->rank, from->dim);
                tg_view_copy(&to, from);
            }
        }
        if (c->kind == TG_TURN_ROW && r->t->reverse) at += (r->t->turns - 1) * c->step;
        r->t->now[i] = at;
    }
}

static void place_slots(const run *r, int n, const int *list) {
    for (int i = 0; i < n; i++) {
        tg_slot *s = &r->p->slots[list[i]];
        const tg_storage *where = &r->p->storage[s->storage];
        s->v.data =
            (where->home == TG_HOME_CELL ? r->t->now : r->t->made)[where->index] + s->offset;
    }
}

static bool run_steps(const run *r, size_t from, size_t to) {
    if (r->rt->profile) return tg_plan_profile_steps(r->rt, r->p, from, to);
    r->rt->plans->stats.steps += to - from;
    for (size_t i = from; i < to; i++)
        if (!r->p->steps[i].run(r->rt, r->p, &r->p->steps[i])) return false;
    return true;
}

/* What states are when a turn begins, for those that are not there in their stack already. */
static void stack_starts(const run *r, int64_t n) {
    for (int i = 0; i < r->t->ncells; i++) {
        const tg_turn_cell *c = &r->t->cell[i];
        if (c->kind != TG_TURN_STATE || c->start < 0) continue;
        char *row = row_of(r, c->start, n, c->bytes);
        if (row != r->t->now[i]) memcpy(row, r->t->now[i], c->bytes);
    }
}

static bool run_turn(const run *r, int64_t n) {
    const tg_turns *t = r->t;
    for (int k = 0; k < t->nroots; k++) t->made[k] = place_of(r, k, n);
    place_slots(r, t->nmoving, t->moving);
    stack_starts(r, n);
    if (!tg_check_interrupt(&r->rt->c) || (n == 0 && !run_steps(r, 0, r->p->first)) ||
        !run_steps(r, r->p->first, r->p->nsteps))
        return tg_came_to(&r->rt->c, "turn %lld of %lld of scan", (long long)n + 1,
                          (long long)t->turns);
    for (int i = 0; i < t->ncells; i++) {
        const tg_turn_cell *c = &t->cell[i];
        if (c->kind == TG_TURN_STATE) t->now[i] = t->made[c->root];
        if (c->kind == TG_TURN_ROW) t->now[i] += t->reverse ? -c->step : c->step;
    }
    return true;
}

/* Last states that are not in their place already. */
static void finish(const run *r) {
    for (int i = 0; i < r->t->nlast; i++) {
        const tg_turn_last *l = &r->t->last[i];
        const tg_turn_cell *c = &r->t->cell[l->cell];
        char *to = out_data(r, l->out), *from = r->t->now[l->cell];
        if (r->t->turns == 0) {
            const tg_view *first = &r->outer->slots[r->arg[c->arg]].v;
            tg_view copy;
            tg_view_init(&copy, to, first->dtype, first->rank, first->dim);
            tg_view_copy(&copy, first);
        } else if (to != from) {
            memcpy(to, from, c->bytes);
        }
    }
}

/* Live draws are keyed by the turn. */
static uint64_t turn_key(uint64_t outer, int64_t row) {
    uint64_t x = outer * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)row + 1;
    return x ? x : 1;
}

bool tg_step_loop(tg_rt *rt, tg_plan *outer, const tg_step *s) {
    const tg_turns *t = outer->loops[s->loop];
    const run r = {.rt = rt,
                   .outer = outer,
                   .p = t->body->plan,
                   .t = t,
                   .arg = outer->args + s->arg,
                   .scratch = outer->slots[t->scratch].v.data};
    const uint64_t key = rt->turn;
    bool ok = true;
    tg_plan_place_workspace(r.p, r.scratch);
    begin_states(&r);
    place_slots(&r, t->nfixed, t->fixed);
    for (int64_t n = 0; ok && n < t->turns; n++) {
        rt->turn = turn_key(key, t->reverse ? t->turns - 1 - n : n);
        ok = run_turn(&r, n);
    }
    rt->turn = key;
    if (ok) finish(&r);
    return ok;
}
