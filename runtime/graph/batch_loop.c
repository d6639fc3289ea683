/* A loop over a batch: the loop whose state, rows and invariants have the axes of the batch, where
 * they depend on it. What a state depends on is found by going round until nothing is added: a
 * state that begins the same for the whole batch is not any more when a turn adds something of the
 * batch to it. Then the body is carried over the batch like any formula (tg_batch_map), a turn at a
 * time for all of the batch. Sequences are walked over along their first axis, so the axes of the
 * batch stand behind it there, and in what is stacked. */
#include "base/alloc.h"
#include "runtime/graph/batch_rules.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/substitute.h"

#include <string.h>

typedef struct job {
    tg_rt *rt;
    tg_node *bundle;
    const tg_loop *loop;
    tg_node *const *in; /* of each argument: over the batch, or NULL where it is the same */
    int e;
    const tg_size *dim;
    int nitems;
    tg_node *const *item;
    int level;
    int nroots;      /* the next states, then what the items stack */
    tg_node **root;  /* over `slot`, then what is made of them */
    tg_node **slot;  /* of the open body */
    tg_node **given; /* over the batch: slots, and for invariants the arguments */
    tg_node **from, **to;
    bool *varies, *root_varies;
    tg_node **out, **last; /* of the loop over the batch */
} job;

static bool over_batch(const job *j, const tg_type *own, tg_type *t) {
    *t = *own;
    t->weak = false;
    if (!tg_batch_has_room(j->rt, own->rank + j->e)) return false;
    memmove(t->dim + j->e, t->dim, (size_t)own->rank * sizeof *t->dim);
    memcpy(t->dim, j->dim, (size_t)j->e * sizeof *t->dim);
    t->rank += j->e;
    return true;
}

/* ---- what depends on the batch ---- */

/* Does n depend on a slot that varies? */
static bool depends(job *j, tg_node *n, bool *yes) {
    *yes = false;
    for (int i = 0; i < j->loop->n && !*yes; i++)
        *yes = j->varies[i] && tg_node_depends(j->rt, n, j->slot[i]);
    return j->rt->c.diag.kind == TG_ERR_NONE;
}

static bool find_varying(job *j) {
    for (int i = 0; i < j->loop->n; i++) j->varies[i] = j->in[i] != NULL;
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < j->loop->carries; i++) {
            bool yes;
            if (j->varies[i]) continue;
            if (!depends(j, j->root[i], &yes)) return false;
            j->varies[i] = yes;
            more = more || yes;
        }
    }
    for (int i = 0; i < j->nroots; i++) {
        if (i < j->loop->carries)
            j->root_varies[i] = j->varies[i];
        else if (!depends(j, j->root[i], &j->root_varies[i]))
            return false;
    }
    return true;
}

/* ---- the body ---- */

/* The slots of the loop over the batch; its invariants are the arguments themselves. */
static bool make_slots(job *j) {
    const int first = j->loop->carries + j->loop->xs;
    for (int i = 0; i < j->loop->n; i++) {
        tg_type t;
        if (i >= first)
            j->given[i] = j->varies[i] ? j->in[i] : j->bundle->arg[i];
        else if (!j->varies[i])
            j->given[i] = j->slot[i];
        else if (!over_batch(j, &j->slot[i]->type, &t))
            return false;
        else
            j->given[i] = tg_loop_slot(j->rt, j->level, i, &t, NULL);
        if (!j->given[i]) return false;
    }
    return true;
}

static int pairs(const job *j, bool varying) {
    int n = 0;
    for (int i = 0; i < j->loop->n; i++) {
        if (j->varies[i] != varying || j->given[i] == j->slot[i]) continue;
        j->from[n] = j->slot[i];
        j->to[n++] = j->given[i];
    }
    return n;
}

static bool carry_body(job *j) {
    int n = pairs(j, true);
    for (int i = 0; i < j->nroots; i++)
        if (j->root_varies[i] &&
            !tg_batch_map(j->rt, j->e, j->dim, n, j->from, j->to, 1, &j->root[i], &j->root[i]))
            return false;
    n = pairs(j, false);
    for (int i = 0; i < j->nroots; i++)
        if (!(j->root[i] = tg_node_substitute_all(j->rt, j->root[i], n, j->from, j->to)))
            return false;
    return true;
}

/* ---- the loop ---- */

/* x with its first `count` axes behind the next one. */
static tg_node *behind(job *j, tg_node *x, int count) {
    int perm[TG_MAX_RANK];
    for (int i = 0; i < x->type.rank; i++) perm[i] = i == 0 ? count : i <= count ? i - 1 : i;
    return tg_batch_permute(j->rt, x, perm);
}

static bool make_loop(job *j) {
    const tg_loop *l = j->loop;
    const int n = l->carries + l->xs;
    tg_node **arg = j->to; /* the state that it begins with, and the sequences */
    for (int i = 0; i < n; i++) {
        tg_type t;
        arg[i] = j->in[i] ? j->in[i] : j->bundle->arg[i];
        if (i < l->carries && j->varies[i] && !j->in[i]) {
            if (!over_batch(j, &j->slot[i]->type, &t)) return false;
            arg[i] = tg_loop_fit(j->rt, tg_batch_expand(j->rt, arg[i], t.rank, t.dim), &t);
        } else if (i >= l->carries && j->varies[i]) {
            arg[i] = behind(j, arg[i], j->e);
        }
        if (!arg[i]) return false;
    }
    const tg_loop_spec spec = {.carries = l->carries,
                               .xs = l->xs,
                               .carry = j->given,
                               .row = j->given + l->carries,
                               .init = arg,
                               .sequence = arg + l->carries,
                               .next = j->root,
                               .turns = tg_loop_turns(j->bundle),
                               .reverse = l->reverse,
                               .again = l->again,
                               .memory = l->memory,
                               .bytes = l->bytes,
                               .state_name = l->state_name,
                               .row_name = l->row_name,
                               .nout = j->nroots - l->carries,
                               .out = j->root + l->carries};
    return tg_loop_make(j->rt, &spec, j->last, j->out) != NULL;
}

/* Item i of the old loop, as the new one gives it, with the axes of the batch in front. */
static tg_node *place(job *j, int i, int *stack) {
    const bool last = !tg_item_formula(j->item[i]);
    const int root = last ? tg_item_carry(j->item[i]) : j->loop->carries + *stack;
    tg_node *x = last ? j->last[root] : j->out[(*stack)++];
    tg_type t;
    if (!j->root_varies[root])
        return over_batch(j, &j->item[i]->type, &t) ? tg_batch_expand(j->rt, x, t.rank, t.dim)
                                                    : NULL;
    for (int k = 0; !last && x && k < j->e; k++) x = tg_batch_move(j->rt, x, k + 1, k);
    return x;
}

static bool carry(job *j, tg_node **made) {
    const tg_loop *l = j->loop;
    tg_node **formula = tg_alloc_array((size_t)j->nitems + 1, sizeof *formula);
    int stacks = 0, stack = 0;
    if (!formula) return tg_fail_memory(&j->rt->c);
    for (int i = 0; i < j->nitems; i++)
        if (tg_item_formula(j->item[i])) formula[stacks++] = tg_item_formula(j->item[i]);
    j->nroots = l->carries + stacks;
    bool ok = tg_loop_open(j->rt, l, j->level, j->slot, stacks, formula, j->root) &&
              find_varying(j) && make_slots(j) && carry_body(j) && make_loop(j);
    tg_free(formula);
    for (int i = 0; ok && i < j->nitems; i++) ok = (made[i] = place(j, i, &stack)) != NULL;
    return ok;
}

bool tg_batch_loop(tg_rt *rt, tg_node *bundle, tg_node *const *in, int e, const tg_size *dim,
                   int nitems, tg_node *const *item, tg_node **made) {
    const tg_loop *l = tg_loop_of(bundle);
    size_t n = (size_t)l->n, roots = (size_t)(l->carries + nitems);
    job j = {.rt = rt,
             .bundle = bundle,
             .loop = l,
             .in = in,
             .e = e,
             .dim = dim,
             .nitems = nitems,
             .item = item};
    tg_node **room = tg_alloc_array(4 * n + 3 * roots + 1, sizeof *room);
    bool *flags = tg_alloc_array(n + roots + 1, sizeof *flags),
         ok = room && flags && tg_guard(&rt->c);
    if (!room || !flags) tg_fail_memory(&rt->c);
    if (ok && (j.level = tg_loop_enter(rt)) > 0) {
        j.slot = room, j.given = room + n, j.from = room + 2 * n, j.to = room + 3 * n;
        j.root = room + 4 * n, j.out = j.root + roots, j.last = j.out + roots;
        j.varies = flags, j.root_varies = flags + n;
        ok = carry(&j, made);
        tg_loop_leave(rt);
    } else {
        ok = false;
    }
    tg_free(room);
    tg_free(flags);
    return ok;
}
