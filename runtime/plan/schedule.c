/* Scheduling: an order of evaluation that keeps little alive.
 *
 * Which order of a graph needs the least memory is a hard problem (Sethi 1975), but good orders are
 * cheap. Several are made, each in time O(n log n), the peak of each is found by going through it,
 * and the best is taken. With the order of ids among them the choice is never worse than that.
 *
 * Depth first: what was computed last is used next. The roots go by ascending depth, so that in a
 * training step the update of the last layer, whose gradient is there first, is done before the
 * deltas of the layers below it. Of the arguments of a node, either the one goes first that needs
 * most memory on its way (Sethi & Ullman 1970, exact for trees), or the shallowest, or the deepest:
 * where arguments share what is under them the first of these may be wrong, so all are tried.
 *
 * Greedy: a depth-first order once more, but a node that is ready and whose evaluation frees more
 * than it makes goes at once.
 *
 * What counts are bytes of the workspace. Leaves, constants and results cost nothing; a look at
 * another value (a transpose, a slice) costs nothing and keeps that value alive; an elementwise
 * operation writes over an argument that dies there. */
#include "runtime/plan/schedule.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* A matrix product or reduction is that much deeper than its arguments, anything else by 1: the
 * updates of a layer, a few elementwise operations long, stay together. */
enum { HEAVY = 64 };

typedef struct item {
    tg_node *node;
    double bytes;   /* that evaluating it adds to the workspace */
    double need;    /* that its evaluation takes at once, if nothing under it were shared */
    int64_t depth;  /* the longest way down */
    uint32_t uses;  /* how often its memory is read, by itself or through looks */
    uint32_t owner; /* whose memory its value lives in */
} item;

typedef enum key { BY_NEED, SHALLOW_FIRST, DEEP_FIRST } key;

typedef struct kid {
    double rank; /* the lower goes first; ties: as they stand */
    uint32_t at, number;
} kid;

typedef struct scheduler {
    size_t n, nkids;
    item *item; /* in the order of ids */
    uint32_t
        *first_kid; /* kids[first_kid[i] ..]: the arguments of item i in the order of a trial */
    kid *kids;
    size_t nroots;
    kid *roots;
    uint32_t *order, *trial, *best; /* item numbers: a depth-first order, one tried, the best yet */
    uint32_t *left;                 /* scratch: readings of each item's memory still to come */
    uint32_t *stack, *next;         /* scratch of the depth-first walk */
    bool *done;
    double peak; /* of `best`; below 0: there is none yet */
} scheduler;

/* ---- the items ---- */

static double bytes_of(tg_rt *rt, const tg_node *x, const tg_size_binding *sizes) {
    double bytes = (double)tg_dtype_size(x->type.dtype);
    for (int i = 0; i < x->type.rank; i++) {
        int64_t n = x->type.dim[i];
        if (!tg_size_known(n)) n = tg_size_eval(rt, sizes, n);
        if (n < 0) {
            tg_clear(&rt->c);
            return 0;
        }
        bytes *= (double)n;
    }
    return bytes;
}

static int64_t weight(const tg_node *x) {
    switch (x->op->class) {
    case TG_CLASS_LINEAR:
    case TG_CLASS_REDUCE: return HEAVY;
    default: return 1;
    }
}

static void describe(tg_rt *rt, scheduler *s, uint32_t i, tg_node *x,
                     const tg_size_binding *sizes) {
    item *it = &s->item[i];
    *it = (item){.node = x, .owner = i};
    x->place = i;
    for (int k = 0; k < x->n; k++) {
        const item *a = &s->item[x->arg[k]->place];
        if (a->depth + weight(x) > it->depth) it->depth = a->depth + weight(x);
    }
    if (x->n > 0 && x->op->view)
        it->owner = s->item[x->arg[0]->place].owner;
    else if (x->live && x->op->class != TG_CLASS_LEAF)
        it->bytes = bytes_of(rt, x, sizes);
}

static int compare_kids(const void *a, const void *b) {
    const kid *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void sort_kids(kid *k, size_t n) {
    if (n == 2) {
        if (compare_kids(&k[0], &k[1]) > 0) {
            kid swap = k[0];
            k[0] = k[1];
            k[1] = swap;
        }
    } else if (n > 2) {
        qsort(k, n, sizeof *k, compare_kids);
    }
}

/* What evaluating x takes at once when the arguments are made in the order of their kids: each
 * stays while the next are made. */
static double need_of(const scheduler *s, const item *x, const kid *k, size_t n) {
    double held = 0, need = 0;
    for (size_t i = 0; i < n; i++) {
        const item *a = &s->item[k[i].at];
        if (held + a->need > need) need = held + a->need;
        held += s->item[a->owner].bytes;
    }
    return held + x->bytes > need ? held + x->bytes : need;
}

/* The arguments of all nodes in the order that the key asks for. */
static void order_kids(scheduler *s, key by) {
    size_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        item *x = &s->item[i];
        size_t first = at;
        s->first_kid[i] = (uint32_t)at;
        for (int k = 0; k < x->node->n; k++) {
            uint32_t a = x->node->arg[k]->place;
            const item *arg = &s->item[a];
            double rank = by == BY_NEED ? s->item[arg->owner].bytes - arg->need
                                        : (double)(by == DEEP_FIRST ? -arg->depth : arg->depth);
            s->kids[at++] = (kid){rank, a, (uint32_t)k};
        }
        sort_kids(s->kids + first, at - first);
        if (by == BY_NEED) x->need = need_of(s, x, s->kids + first, at - first);
    }
    s->first_kid[s->n] = (uint32_t)at;
}

/* ---- trying an order ---- */

/* The bytes that die when x has been evaluated, for which `left` has been counted down already. */
static double dying(const scheduler *s, const item *x, double *largest) {
    double bytes = 0;
    *largest = 0;
    for (int k = 0; k < x->node->n; k++) {
        uint32_t o = s->item[x->node->arg[k]->place].owner;
        if (s->left[o] != 0) continue;
        bool again = false;
        for (int j = 0; j < k && j < 8; j++)
            again = again || s->item[x->node->arg[j]->place].owner == o;
        if (again) continue;
        bytes += s->item[o].bytes;
        if (s->item[o].bytes > *largest) *largest = s->item[o].bytes;
    }
    return bytes;
}

static void count_down(const scheduler *s, const item *x) {
    for (int k = 0; k < x->node->n; k++) s->left[s->item[x->node->arg[k]->place].owner]--;
}

static double peak_of(const scheduler *s, const uint32_t *order) {
    double now = 0, peak = 0, largest;
    for (size_t i = 0; i < s->n; i++) s->left[i] = s->item[i].uses;
    for (size_t i = 0; i < s->n; i++) {
        const item *x = &s->item[order[i]];
        count_down(s, x);
        double freed = dying(s, x, &largest);
        double over = x->node->op->in_place ? (largest < x->bytes ? largest : x->bytes) : 0;
        if (now + x->bytes - over > peak) peak = now + x->bytes - over;
        now += x->bytes - freed;
    }
    return peak;
}

/* An order that is better by little is not worth leaving an earlier one for: those come in the
 * order of how well they keep together what is used together. */
static void try_order(scheduler *s, const uint32_t *order) {
    double peak = peak_of(s, order);
    if (s->peak >= 0 && peak >= 0.99 * s->peak) return;
    s->peak = peak;
    memcpy(s->best, order, s->n * sizeof *order);
}

/* ---- depth first ---- */

static void depth_first(scheduler *s) {
    size_t made = 0, top = 0;
    memset(s->done, 0, s->n * sizeof *s->done);
    memcpy(s->next, s->first_kid, s->n * sizeof *s->next);
    for (size_t r = 0; r < s->nroots; r++) {
        if (s->done[s->roots[r].at]) continue;
        s->stack[top++] = s->roots[r].at;
        while (top > 0) {
            uint32_t x = s->stack[top - 1];
            while (s->next[x] < s->first_kid[x + 1] && s->done[s->kids[s->next[x]].at])
                s->next[x]++;
            if (s->next[x] < s->first_kid[x + 1]) {
                s->stack[top++] = s->kids[s->next[x]++].at;
            } else {
                s->done[x] = true;
                s->order[made++] = x;
                top--;
            }
        }
    }
}

/* ---- greedy ---- */

/* Binary heaps of places in the depth-first order. */
typedef struct heap {
    uint32_t *item;
    size_t n;
} heap;

static void heap_add(heap *h, uint32_t x) {
    size_t i = h->n++;
    for (; i > 0 && h->item[(i - 1) / 2] > x; i = (i - 1) / 2) h->item[i] = h->item[(i - 1) / 2];
    h->item[i] = x;
}

static uint32_t heap_take(heap *h) {
    uint32_t least = h->item[0], x = h->item[--h->n];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < h->n; i = k) {
        if (k + 1 < h->n && h->item[k + 1] < h->item[k]) k++;
        if (h->item[k] >= x) break;
        h->item[i] = h->item[k];
    }
    if (h->n > 0) h->item[i] = x;
    return least;
}

typedef struct greedy {
    scheduler *s;
    uint32_t *pos;     /* of item i in s->order */
    uint32_t *waiting; /* arguments of item i that are not there yet */
    uint32_t *users;   /* the users of item i are user[users[i] .. users[i + 1]) */
    uint32_t *user;
    uint64_t *readers; /* of the memory of item i: the sum of the numbers of those still to come */
    double *gain;      /* what dies with item i */
    heap ready, eager; /* items that are ready; those of them that free more than they make */
} greedy;

/* When all readings of a memory that are left are by one item, evaluating that frees it. */
static void note_last(greedy *g, uint32_t owner) {
    scheduler *s = g->s;
    uint32_t left = s->left[owner];
    if (left == 0 || s->item[owner].bytes == 0 || g->readers[owner] % left != 0) return;
    uint64_t x = g->readers[owner] / left;
    uint32_t mine = 0;
    if (x >= s->n || s->done[x]) return;
    const tg_node *node = s->item[x].node;
    for (int k = 0; k < node->n; k++) mine += s->item[node->arg[k]->place].owner == owner;
    if (mine != left) return;
    g->gain[x] += s->item[owner].bytes;
    if (g->waiting[x] == 0 && g->gain[x] > s->item[x].bytes) heap_add(&g->eager, g->pos[x]);
}

static void become_ready(greedy *g, uint32_t x) {
    heap_add(&g->ready, g->pos[x]);
    if (g->gain[x] > g->s->item[x].bytes) heap_add(&g->eager, g->pos[x]);
}

static void evaluate(greedy *g, uint32_t x) {
    scheduler *s = g->s;
    const tg_node *node = s->item[x].node;
    s->done[x] = true;
    for (int k = 0; k < node->n; k++) {
        uint32_t o = s->item[node->arg[k]->place].owner;
        s->left[o]--;
        g->readers[o] -= x;
    }
    for (int k = 0; k < node->n; k++) note_last(g, s->item[node->arg[k]->place].owner);
    if (s->item[x].owner == x) note_last(g, x);
    for (uint32_t k = g->users[x]; k < g->users[x + 1]; k++)
        if (--g->waiting[g->user[k]] == 0) become_ready(g, g->user[k]);
}

static void run_greedy(greedy *g) {
    scheduler *s = g->s;
    memset(s->done, 0, s->n * sizeof *s->done);
    memset(g->readers, 0, s->n * sizeof *g->readers);
    memset(g->gain, 0, s->n * sizeof *g->gain);
    g->ready.n = g->eager.n = 0;
    for (size_t i = 0; i < s->n; i++) {
        g->pos[s->order[i]] = (uint32_t)i;
        s->left[i] = s->item[i].uses;
        g->waiting[i] = (uint32_t)s->item[i].node->n;
        const tg_node *node = s->item[i].node;
        for (int k = 0; k < node->n; k++) g->readers[s->item[node->arg[k]->place].owner] += i;
    }
    for (size_t i = 0; i < s->n; i++)
        if (g->waiting[i] == 0) become_ready(g, (uint32_t)i);
    for (size_t made = 0; made < s->n;) {
        uint32_t x = s->order[heap_take(g->eager.n ? &g->eager : &g->ready)];
        if (s->done[x]) continue;
        s->trial[made++] = x;
        evaluate(g, x);
    }
}

static void list_users(greedy *g) {
    scheduler *s = g->s;
    for (size_t i = 0; i < s->n; i++)
        for (int k = 0; k < s->item[i].node->n; k++) g->users[s->item[i].node->arg[k]->place + 1]++;
    for (size_t i = 0; i < s->n; i++) g->users[i + 1] += g->users[i];
    memcpy(s->next, g->users, s->n * sizeof *s->next);
    for (size_t i = 0; i < s->n; i++)
        for (int k = 0; k < s->item[i].node->n; k++)
            g->user[s->next[s->item[i].node->arg[k]->place]++] = (uint32_t)i;
}

static bool greedy_init(greedy *g, scheduler *s) {
    size_t n = s->n;
    *g = (greedy){.s = s};
    g->pos = tg_alloc_array(n, sizeof *g->pos);
    g->waiting = tg_alloc_array(n, sizeof *g->waiting);
    g->users = tg_alloc_array(n + 1, sizeof *g->users);
    g->user = tg_alloc_array(s->nkids, sizeof *g->user);
    g->readers = tg_alloc_array(n, sizeof *g->readers);
    g->gain = tg_alloc_array(n, sizeof *g->gain);
    g->ready.item = tg_alloc_array(n, sizeof *g->ready.item);
    /* an item comes when it is ready, and once more for each argument whose last reader it is */
    g->eager.item = tg_alloc_array(n + s->nkids, sizeof *g->eager.item);
    if (!g->pos || !g->waiting || !g->users || !g->user || !g->readers || !g->gain ||
        !g->ready.item || !g->eager.item)
        return false;
    list_users(g);
    return true;
}

static void greedy_free(greedy *g) {
    tg_free(g->pos);
    tg_free(g->waiting);
    tg_free(g->users);
    tg_free(g->user);
    tg_free(g->readers);
    tg_free(g->gain);
    tg_free(g->ready.item);
    tg_free(g->eager.item);
}

/* ---- the whole ---- */

static bool allocate(scheduler *s) {
    s->item = tg_alloc_array(s->n, sizeof *s->item);
    s->first_kid = tg_alloc_array(s->n + 1, sizeof *s->first_kid);
    s->kids = tg_alloc_array(s->nkids, sizeof *s->kids);
    s->roots = tg_alloc_array(s->nroots, sizeof *s->roots);
    s->order = tg_alloc_array(s->n, sizeof *s->order);
    s->trial = tg_alloc_array(s->n, sizeof *s->trial);
    s->best = tg_alloc_array(s->n, sizeof *s->best);
    s->left = tg_alloc_array(s->n, sizeof *s->left);
    s->stack = tg_alloc_array(s->n, sizeof *s->stack);
    s->next = tg_alloc_array(s->n, sizeof *s->next);
    s->done = tg_alloc_array(s->n, sizeof *s->done);
    return s->item && s->first_kid && s->kids && s->roots && s->order && s->trial && s->best &&
           s->left && s->stack && s->next && s->done;
}

static void release(scheduler *s) {
    tg_free(s->item);
    tg_free(s->first_kid);
    tg_free(s->kids);
    tg_free(s->roots);
    tg_free(s->order);
    tg_free(s->trial);
    tg_free(s->best);
    tg_free(s->left);
    tg_free(s->stack);
    tg_free(s->next);
    tg_free(s->done);
}

static void prepare(tg_rt *rt, scheduler *s, tg_node **nodes, tg_node *const *roots,
                    const tg_size_binding *sizes) {
    for (size_t i = 0; i < s->n; i++) describe(rt, s, (uint32_t)i, nodes[i], sizes);
    for (size_t i = 0; i < s->nroots; i++) {
        item *x = &s->item[roots[i]->place];
        x->bytes = 0; /* results have memory of their own */
        s->roots[i] = (kid){(double)x->depth, roots[i]->place, (uint32_t)i};
    }
    sort_kids(s->roots, s->nroots);
    for (size_t i = 0; i < s->n; i++)
        for (int k = 0; k < nodes[i]->n; k++)
            s->item[s->item[nodes[i]->arg[k]->place].owner].uses++;
}

static bool search(scheduler *s) {
    greedy g;
    bool ok = greedy_init(&g, s);
    for (int by = BY_NEED; ok && by <= DEEP_FIRST; by++) {
        order_kids(s, (key)by);
        depth_first(s);
        try_order(s, s->order);
        run_greedy(&g);
        try_order(s, s->trial);
    }
    for (size_t i = 0; ok && i < s->n; i++) s->order[i] = (uint32_t)i;
    if (ok) try_order(s, s->order);
    greedy_free(&g);
    return ok;
}

bool tg_plan_schedule(tg_rt *rt, size_t n, tg_node **nodes, int nroots, tg_node *const *roots,
                      const tg_size_binding *sizes, double *peak) {
    scheduler s = {.n = n, .nroots = (size_t)nroots, .peak = -1};
    for (size_t i = 0; i < n; i++) s.nkids += (size_t)nodes[i]->n;
    if (n > UINT32_MAX / 2 || s.nkids > UINT32_MAX / 2)
        return tg_fail(&rt->c, TG_ERR_VALUE, "the formula is too large");
    bool ok = allocate(&s);
    if (ok) {
        prepare(rt, &s, nodes, roots, sizes);
        ok = search(&s);
    }
    for (size_t i = 0; ok && i < n; i++) {
        nodes[i] = s.item[s.best[i]].node;
        nodes[i]->place = (uint32_t)i;
    }
    if (peak) *peak = s.peak;
    release(&s);
    return ok || tg_fail_memory(&rt->c);
}
