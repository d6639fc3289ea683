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
    int64_t first, end; /* turns to be made: all, or a segment */
} run;

static char *arg_data(const run *r, int arg) {
    return r->outer->slots[r->arg[arg]].v.data;
}

static int64_t position_of(const tg_turns *t, int64_t n) {
    return t->reverse ? t->turns - 1 - n : n;
}

static char *out_data(const run *r, int out) {
    return r->t->again ? r->scratch + r->t->segment[out] : r->outer->slots[r->t->out[out]].v.data;
}

/* The row of an output for the n-th turn to be made. */
static char *row_of(const run *r, int out, int64_t n, size_t bytes) {
    return out_data(r, out) + (r->t->again ? n - r->first : position_of(r->t, n)) * (int64_t)bytes;
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
    if (root->home >= 0 && n + 1 < r->end)
        return row_of(r, r->t->cell[root->home].start, n + 1, root->bytes);
    return r->scratch + root->place[n & 1];
}

/* Where the first state is: where it was, or copied to where states are. */
static char *first_state(const run *r, int i) {
    const tg_turn_cell *c = &r->t->cell[i];
    const tg_view *from = &r->outer->slots[r->arg[c->arg]].v;
    bool home = c->start >= 0 && r->t->root[c->root].home == i;
    char *at = arg_data(r, c->arg);
    if (r->t->again) at += r->first / r->t->every * (int64_t)c->bytes; /* as it was marked */
    if (!home && (c->flat || r->t->again)) return at;
    char *to = home ? row_of(r, c->start, r->first, c->bytes) : r->scratch + c->first;
    if (r->t->again) {
        memcpy(to, at, c->bytes);
    } else {
        tg_view copy;
        tg_view_init(&copy, to, from->dtype, from->rank, from->dim);
        tg_view_copy(&copy, from);
    }
    return to;
}

static void begin(const run *r) {
    for (int i = 0; i < r->t->ncells; i++) {
        const tg_turn_cell *c = &r->t->cell[i];
        char **now = &r->t->now[i];
        if (c->kind == TG_TURN_STILL) *now = arg_data(r, c->arg);
        if (c->kind == TG_TURN_ROW && c->part < 0)
            *now = arg_data(r, c->arg) + position_of(r->t, r->first) * c->step;
        if (c->kind == TG_TURN_STATE && r->end > r->first) *now = first_state(r, i);
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
        if (c->kind != TG_TURN_STATE) continue;
        char *row = c->start >= 0 ? row_of(r, c->start, n, c->bytes) : r->t->now[i];
        if (row != r->t->now[i]) memcpy(row, r->t->now[i], c->bytes);
        if (c->mark >= 0 && n % r->t->every == 0)
            memcpy(out_data(r, c->mark) + n / r->t->every * (int64_t)c->bytes, r->t->now[i],
                   c->bytes);
    }
}

static bool run_segment(const run *back, int64_t n);

static bool run_turn(const run *r, int64_t n) {
    const tg_turns *t = r->t;
    if (t->rerun && !run_segment(r, n)) return false;
    for (int k = 0; k < t->nroots; k++) t->made[k] = place_of(r, k, n);
    place_slots(r, t->nmoving, t->moving);
    stack_starts(r, n);
    if (!tg_check_interrupt(&r->rt->c) || (n == r->first && !run_steps(r, 0, r->p->first)) ||
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

/* Live draws are keyed by the turn. */
static uint64_t turn_key(uint64_t outer, int64_t row) {
    uint64_t x = outer * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)row + 1;
    return x ? x : 1;
}

static bool run_turns(const run *r) {
    const uint64_t key = r->rt->turn;
    bool ok = true;
    tg_plan_place_workspace(r->p, r->scratch + r->t->work);
    begin(r);
    place_slots(r, r->t->nfixed, r->t->fixed);
    for (int64_t n = r->first; ok && n < r->end; n++) {
        r->rt->turn = turn_key(key, position_of(r->t, n));
        ok = run_turn(r, n);
    }
    r->rt->turn = key;
    return ok;
}

/* Before turn n of a backward loop: the segment of the forward loop that it comes to, if it is
 * another than that of the turn before; and its rows. */
static bool run_segment(const run *back, int64_t n) {
    const tg_turns *t = back->t, *f = t->rerun;
    const int64_t turn = f->turns - 1 - n, first = turn - turn % f->every,
                  end = first + f->every < f->turns ? first + f->every : f->turns;
    run r = *back;
    r.t = f;
    r.p = f->body->plan;
    r.first = first;
    r.end = end;
    if (turn == end - 1) {
        const uint64_t key = r.rt->turn;
        r.rt->turn = t->outer_key;
        bool ok = run_turns(&r);
        r.rt->turn = key;
        if (!ok) return false;
    }
    for (int i = 0; i < t->ncells; i++) {
        const tg_turn_cell *c = &t->cell[i];
        if (c->kind == TG_TURN_ROW && c->part >= 0) t->now[i] = row_of(&r, c->part, turn, c->bytes);
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

bool tg_step_loop(tg_rt *rt, tg_plan *outer, const tg_step *s) {
    tg_turns *t = outer->loops[s->loop];
    const run r = {.rt = rt,
                   .outer = outer,
                   .p = t->body->plan,
                   .t = t,
                   .arg = outer->args + s->arg,
                   .scratch = outer->slots[t->scratch].v.data,
                   .end = t->turns};
    t->outer_key = rt->turn;
    if (!run_turns(&r)) return false;
    finish(&r);
    return true;
}
