/* Rematerialisation (Griewank & Walther 2000; Chen, Xu, Zhang & Guestrin 2016, arXiv 1604.06174).
 *
 * A gradient reads the values of the forward pass in the reverse of the order in which they were
 * made, and so all of them are there when it begins. Instead, the forward pass is cut into
 * segments. What crosses a cut is kept; the rest is forgotten, and computed again, a segment at a
 * time, when the backward pass comes to it. Nothing is computed more than twice, and the last
 * segment, which the backward pass reads first, only once. With n equal layers in segments of
 * sqrt(n), as many values are kept as a segment has: O(sqrt n) in place of O(n). What is there when
 * the backward pass begins, that is the values kept and the last segment, is what need not be
 * computed again: as long as that costs more than a quarter of the whole, up to twice the least
 * memory is taken, in more cuts and a longer last segment.
 *
 * That works on any graph. A cut is a place in the order of evaluation, and what crosses it are the
 * values made before it that the forward pass reads behind it: one in a chain, several where there
 * are branches or shortcuts. Cuts are put where little crosses. How long segments should be is
 * tried: for each length from a list, of the others and of the last, the memory that it takes is
 * estimated, what is kept plus the largest segment, and the work that it does again.
 *
 * The graph says all of this by itself: what is forgotten gets a second node, a copy over kept
 * values and other copies, which the backward pass reads instead. The copies are evaluated late
 * since the order of evaluation (schedule.c) is chosen for little memory. Random draws are the same
 * in a copy, for they are keyed by their attributes. */
#include "runtime/plan/remat.h"

#include "base/alloc.h"
#include "runtime/graph/simplify.h"

#include <string.h>

enum { NOWHERE = -1, MOST_LENGTHS = 40, MOST_TAILS = 8 };

/* From one length of segments to the next to be tried; and from one length of the last segment. */
static const double SHORTER = 0.8, LONGER = 1.4;
/* Of the work of the whole plan as much may be done again before more is kept: of the time of a
 * chain of layers that is a little more, for the values that come back from memory. */
static const double SOME = 0.25;

typedef enum part {
    OTHER,   /* neither: reads what is there */
    FORWARD, /* under the formula that was differentiated */
    BACKWARD /* under a gradient and not forward, or over a gradient */
} part;

typedef struct item {
    part part;
    bool wanted; /* in memory by the backward pass: of the owner */
    bool keep;
    bool copied;
    uint32_t owner; /* whose memory the value lives in */
    int last;       /* the last time that the forward pass reads this memory */
    int time;       /* of FORWARD: the how-manieth of these it is */
    double bytes;
    double work;
    bool stays, again; /* scratch of estimate: is kept; is read by what is done again */
    tg_node *copy;     /* what the backward pass reads: the node, or its copy */
} item;

typedef struct remat {
    tg_rt *rt;
    size_t n, m; /* nodes; those of the forward pass */
    tg_node *const *node;
    const tg_shares *shares;
    item *item;
    uint32_t *at;  /* the nodes of the forward pass, in order */
    double work;   /* of all */
    double *cross; /* cross[t]: bytes that cross a cut behind time t, those wanted anyway by half */
    double *upto;  /* upto[t]: bytes that the backward pass wants of what is made up to time t */
    bool *cut;     /* cut[t]: there is a cut behind time t */
} remat;

/* The item of what is computed for a node under the roots; NULL: it is not there. */
static item *item_of(const remat *r, tg_node *formula) {
    const tg_node *x = tg_shares_of(r->shares, formula);
    return x->place < r->n && r->node[x->place] == x ? &r->item[x->place] : NULL;
}

/* ---- what is there ---- */

/* The notes under the roots: the latest tells what to do. */
static const tg_recompute *find_wish(size_t n, tg_node *const *nodes) {
    const tg_recompute *latest = NULL;
    for (size_t i = 0; i < n; i++) {
        const tg_recompute *w = nodes[i]->recompute;
        if (w && (!latest || w->serial > latest->serial)) latest = w;
    }
    return latest;
}

/* The nodes that the formula x is computed by: as it stands, and in the simple form, in which a
 * gradient may have it. Either may be missing (NULL). False: an error. */
static bool forms_of(const remat *r, tg_node *x, item *form[2]) {
    uint32_t used;
    tg_node *simple = tg_simplify(r->rt, x, &used);
    if (!simple || !tg_node_stable(r->rt, x) || !tg_node_stable(r->rt, simple)) return false;
    form[0] = item_of(r, x->stable);
    form[1] = item_of(r, simple->stable);
    return true;
}

/* Marks what is under the formula y, as it is computed, as the forward pass. */
static bool mark_forward(remat *r, tg_node *y) {
    tg_node **under = NULL;
    size_t count = 0;
    bool ok = tg_node_collect(r->rt, 1, &y, &under, &count);
    for (size_t i = 0; ok && i < count; i++) {
        item *form[2];
        ok = forms_of(r, under[i], form);
        for (int k = 0; ok && k < 2; k++)
            if (form[k]) form[k]->part = FORWARD;
    }
    tg_free(under);
    return ok;
}

/* All notes, each once: those of one call stand at many nodes. */
static bool mark_forwards(remat *r) {
    const tg_recompute *done = NULL;
    for (size_t i = 0; i < r->n; i++) {
        const tg_recompute *w = r->node[i]->recompute;
        if (!w || w == done || w->mode == TG_KEEP_ALL) continue;
        if (!mark_forward(r, w->y) || (w->from != w->y && !mark_forward(r, w->from))) return false;
        done = w;
    }
    for (size_t i = r->n; i-- > 0;)
        if (r->item[i].part == FORWARD)
            for (int k = 0; k < r->node[i]->n; k++)
                r->item[r->node[i]->arg[k]->place].part = FORWARD;
    for (size_t i = 0; i < r->n; i++)
        if (!r->node[i]->live || r->node[i]->op->class == TG_CLASS_LEAF) r->item[i].part = OTHER;
    return true;
}

static void mark_backward(remat *r) {
    for (size_t i = 0; i < r->n; i++) {
        const tg_node *x = r->node[i];
        if (r->item[i].part == FORWARD) continue;
        bool over = x->recompute != NULL;
        for (int k = 0; k < x->n && !over; k++) over = r->item[x->arg[k]->place].part == BACKWARD;
        if (over && x->op->class != TG_CLASS_LEAF) r->item[i].part = BACKWARD;
    }
    for (size_t i = r->n; i-- > 0;) {
        const tg_node *x = r->node[i];
        if (r->item[i].part != BACKWARD) continue;
        for (int k = 0; k < x->n; k++) {
            item *a = &r->item[x->arg[k]->place];
            if (a->part == OTHER && x->arg[k]->live && x->arg[k]->op->class != TG_CLASS_LEAF)
                a->part = BACKWARD;
        }
    }
}

static double size_of(tg_rt *rt, const tg_size_binding *sizes, tg_size size) {
    int64_t n = tg_size_eval(rt, sizes, size);
    if (n < 0) tg_clear(&rt->c);
    return n < 0 ? 0 : (double)n;
}

static double elements_of(tg_rt *rt, const tg_node *x, const tg_size_binding *sizes) {
    double n = 1;
    for (int i = 0; i < x->type.rank; i++) n *= size_of(rt, sizes, x->type.dim[i]);
    return n;
}

static double bytes_of(tg_rt *rt, const tg_node *x, const tg_size_binding *sizes) {
    return elements_of(rt, x, sizes) * (double)tg_dtype_size(x->type.dtype);
}

/* In elements that a simple operation computes: about 32 operations of a product take as long. */
static double work_of(tg_rt *rt, const tg_node *x, const tg_size_binding *sizes) {
    if (x->n == 0 || x->op->view) return 0;
    const tg_type *a = &x->arg[0]->type;
    const double *cubic = x->op->cubic, out = elements_of(rt, x, sizes);
    if (a->rank == 0 || (cubic[0] == 0 && cubic[1] == 0)) return out;
    return out + (cubic[0] * elements_of(rt, x->arg[0], sizes) + cubic[1] * out) *
                     size_of(rt, sizes, a->dim[a->rank - 1]) / 32;
}

/* Bytes that the backward pass wants of the value made at time t. */
static double wanted_at(const remat *r, size_t t) {
    const item *o = &r->item[r->at[t]];
    return o->owner == r->at[t] && o->wanted ? o->bytes : 0;
}

static void measure(remat *r, int nroots, tg_node *const *roots, const tg_size_binding *sizes) {
    for (size_t i = 0; i < r->n; i++) {
        const tg_node *x = r->node[i];
        item *it = &r->item[i];
        it->owner = x->n > 0 && x->op->view ? r->item[x->arg[0]->place].owner : (uint32_t)i;
        it->time = it->last = NOWHERE;
        it->work = work_of(r->rt, x, sizes);
        r->work += it->work;
        if (it->part == FORWARD) {
            it->time = (int)r->m;
            r->at[r->m++] = (uint32_t)i;
            if (it->owner == i) it->bytes = bytes_of(r->rt, x, sizes);
        }
        for (int k = 0; k < x->n; k++) {
            item *o = &r->item[r->item[x->arg[k]->place].owner];
            if (it->part == FORWARD) o->last = it->time;
            if (it->part == BACKWARD) o->wanted = true;
        }
    }
    for (int i = 0; i < nroots; i++) { /* results stay anyway */
        item *o = &r->item[r->item[roots[i]->place].owner];
        o->bytes = 0;
        o->keep = true;
    }
    for (size_t t = 0; t < r->m; t++) {
        const item *o = &r->item[r->at[t]];
        if (o->owner != r->at[t] || o->last <= o->time) continue;
        r->cross[o->time] += o->wanted ? o->bytes : 2 * o->bytes;
        r->cross[o->last] -= o->wanted ? o->bytes : 2 * o->bytes;
    }
    for (size_t t = 0; t < r->m; t++) r->upto[t] = wanted_at(r, t);
    for (size_t t = 1; t < r->m; t++) {
        r->cross[t] += r->cross[t - 1];
        r->upto[t] += r->upto[t - 1];
    }
}

/* ---- cuts ---- */

/* Cuts such that segments of about `length` bytes lie between them, where least crosses, and behind
 * the last of them no less than `tail` bytes. */
static void make_cuts(remat *r, double length, double tail) {
    double from = 0;
    size_t best = r->m;
    memset(r->cut, 0, r->m * sizeof *r->cut);
    for (size_t t = 0; t + 1 < r->m; t++) {
        if (r->upto[t] - from < length / 2) continue;
        if (best == r->m || r->cross[t] <= r->cross[best]) best = t;
        if (r->upto[t] - from < length) continue;
        if (r->upto[r->m - 1] - r->upto[best] < tail) return;
        r->cut[best] = true;
        t = best; /* the next segment begins behind the cut */
        from = r->upto[t];
        best = r->m;
    }
}

/* Does the value made by item i cross one of the cuts? segment[t]: the number of t's segment. */
static bool crosses(const item *o, const int *segment) {
    return o->last > o->time && segment[o->last] != segment[o->time];
}

static int number_segments(const remat *r, int *segment) {
    int now = 0;
    for (size_t t = 0; t < r->m; t++) {
        segment[t] = now;
        now += r->cut[t];
    }
    return now;
}

/* The work to make again what the backward pass reads of the forward one and `stays` does not say
 * is there. */
static double work_again(remat *r) {
    double work = 0;
    for (size_t t = 0; t < r->m; t++) {
        item *it = &r->item[r->at[t]];
        it->again = r->item[it->owner].wanted;
    }
    for (size_t t = r->m; t-- > 0;) {
        const item *it = &r->item[r->at[t]];
        const tg_node *x = r->node[r->at[t]];
        if (it->stays || !it->again) continue;
        work += it->work;
        for (int k = 0; k < x->n; k++) r->item[x->arg[k]->place].again = true;
    }
    return work;
}

/* Bytes: what is kept, and the most that a segment wants; *again: the work that is done twice. */
static double estimate(remat *r, int *segment, double *again) {
    double kept = 0, in = 0, most = 0;
    int last = number_segments(r, segment);
    for (size_t t = 0; t < r->m; t++) {
        item *o = &r->item[r->at[t]];
        if (t > 0 && segment[t] != segment[t - 1]) in = 0;
        bool crossing = o->owner == r->at[t] && crosses(o, segment);
        if (crossing)
            kept += o->bytes;
        else
            in += wanted_at(r, t);
        if (in > most) most = in;
        o->stays = crossing || o->keep || segment[t] == last;
    }
    *again = work_again(r);
    return kept + most;
}

/* A way to cut: the lengths of segments and of the last, in bytes, and what comes of it. */
typedef struct way {
    double length, tail, peak, again;
} way;

static void try_way(remat *r, int *segment, way *w) {
    make_cuts(r, w->length, w->tail);
    w->peak = estimate(r, segment, &w->again);
}

/* Is w better than the best yet, when the least memory is `least`? */
static bool is_better(const remat *r, const way *w, const way *best, double least) {
    const double little = 1.2 * least, most = 2 * least, some = SOME * r->work;
    if (w->peak > most) return false;
    if (w->again > some || best->again > some) return w->again < best->again;
    if (w->peak <= little && best->peak <= little) return w->again < best->again;
    return w->peak < best->peak;
}

/* Among the ways to cut the one of least memory that does not do too much again; of those near to
 * it the one that does least. `trial` asks for a length by its number instead; *more: there is one
 * behind it. False: no memory. */
static bool choose_cuts(remat *r, int *segment, int trial, bool *more) {
    enum { WAYS = MOST_LENGTHS * MOST_TAILS };
    double total = r->upto[r->m - 1], length = total, tail = 0, least = -1;
    *more = trial >= 0 && trial + 1 < MOST_LENGTHS;
    if (trial >= 0) {
        for (int i = 0; i < trial; i++) length *= SHORTER;
        make_cuts(r, length, 0);
        return true;
    }
    way *all = tg_alloc_array(WAYS, sizeof *all), *best = all;
    if (!all) return tg_fail_memory(&r->rt->c);
    for (int i = 0; i < WAYS; i++) {
        const bool first = i % MOST_TAILS == 0;
        if (first && i > 0) length *= SHORTER;
        tail = first ? 0 : tail == 0 ? length : tail * LONGER;
        all[i] = (way){.length = length, .tail = tail};
        try_way(r, segment, &all[i]);
        if (least < 0 || all[i].peak < least) least = all[i].peak;
    }
    for (int i = 0; i < WAYS; i++)
        if (best->peak > 2 * least || is_better(r, &all[i], best, least)) best = &all[i];
    make_cuts(r, best->length, best->tail);
    tg_free(all);
    return true;
}

/* ---- what is kept ---- */

static void keep_by_cuts(remat *r, const int *segment, int last) {
    for (size_t t = 0; t < r->m; t++) {
        item *it = &r->item[r->at[t]];
        if (segment[t] == last) it->keep = true;
        if (it->owner == r->at[t] && crosses(it, segment)) it->keep = true;
    }
}

/* Those listed, and what stands behind the last of them. */
static bool keep_listed(remat *r, const tg_recompute *wish) {
    int last = NOWHERE;
    for (int i = 0; i < wish->n; i++) {
        item *form[2];
        if (!forms_of(r, wish->keep[i], form)) return false;
        for (int k = 0; k < 2; k++) {
            if (!form[k] || form[k]->part != FORWARD) continue;
            r->item[form[k]->owner].keep = true;
            if (form[k]->time > last) last = form[k]->time;
        }
    }
    for (size_t t = 0; t < r->m; t++)
        if ((int)t > last && last != NOWHERE) r->item[r->at[t]].keep = true;
    return true;
}

static bool decide(remat *r, const tg_recompute *wish, tg_remat *what) {
    if (wish->mode == TG_KEEP_LISTED) {
        if (!keep_listed(r, wish)) return false;
    } else {
        int *segment = tg_alloc_array(r->m, sizeof *segment);
        if (!segment) return tg_fail_memory(&r->rt->c);
        bool ok =
            choose_cuts(r, segment, wish->mode == TG_KEEP_BYTES ? what->trial : -1, &what->more);
        if (ok) keep_by_cuts(r, segment, number_segments(r, segment));
        tg_free(segment);
        if (!ok) return false;
    }
    for (size_t i = 0; i < r->n; i++) /* a look is kept with what it looks at */
        if (r->item[r->item[i].owner].keep) r->item[i].keep = true;
    return true;
}

/* ---- the copies ---- */

static void mark_copied(remat *r) {
    for (size_t i = r->n; i-- > 0;) {
        const item *it = &r->item[i];
        if (it->part != BACKWARD && !it->copied) continue;
        for (int k = 0; k < r->node[i]->n; k++) {
            item *a = &r->item[r->node[i]->arg[k]->place];
            if (a->part == FORWARD && !a->keep) a->copied = true;
        }
    }
}

static bool make_copies(remat *r) {
    tg_node **arg = NULL;
    size_t cap = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < r->n; i++) {
        item *it = &r->item[i];
        tg_node *x = r->node[i];
        void *items = arg;
        bool changed = it->copied;
        it->copy = x;
        if (it->part != BACKWARD && !it->copied) continue;
        if ((i & 1023) == 0 && !tg_check_interrupt(&r->rt->c)) ok = false;
        if (!tg_grow(&items, &cap, (size_t)x->n, sizeof *arg)) ok = tg_fail_memory(&r->rt->c);
        arg = items;
        for (int k = 0; ok && k < x->n; k++) {
            arg[k] = r->item[x->arg[k]->place].copy;
            changed = changed || arg[k] != x->arg[k];
        }
        if (ok && changed) ok = (it->copy = tg_node_again(r->rt, x, arg)) != NULL;
    }
    tg_free(arg);
    return ok;
}

/* ---- the whole ---- */

static bool rewrite(remat *r, int nroots, tg_node *const *roots, const tg_size_binding *sizes,
                    tg_remat *what, tg_node **targets) {
    if (!mark_forwards(r)) return false;
    mark_backward(r);
    measure(r, nroots, roots, sizes);
    if (r->m == 0) return true;
    if (!decide(r, what->wish, what)) return false;
    mark_copied(r);
    if (!make_copies(r)) return false;
    for (int i = 0; i < nroots; i++) {
        const item *it = &r->item[roots[i]->place];
        if (it->part == BACKWARD) targets[i] = it->copy;
    }
    return true;
}

bool tg_plan_rematerialise(tg_rt *rt, size_t n, tg_node *const *nodes, int nroots,
                           tg_node *const *roots, const tg_size_binding *sizes,
                           const tg_shares *shares, tg_remat *what, tg_node **targets) {
    what->wish = find_wish(n, nodes);
    what->more = false;
    memcpy(targets, roots, (size_t)nroots * sizeof *targets);
    if (!what->wish || what->wish->mode == TG_KEEP_ALL) return true;
    remat r = {.rt = rt, .n = n, .node = nodes, .shares = shares};
    r.item = tg_alloc_array(n, sizeof *r.item);
    r.at = tg_alloc_array(n, sizeof *r.at);
    r.cross = tg_alloc_array(n, sizeof *r.cross);
    r.upto = tg_alloc_array(n, sizeof *r.upto);
    r.cut = tg_alloc_array(n, sizeof *r.cut);
    bool ok = r.item && r.at && r.cross && r.upto && r.cut ? true : tg_fail_memory(&rt->c);
    ok = ok && rewrite(&r, nroots, roots, sizes, what, targets);
    tg_free(r.item);
    tg_free(r.at);
    tg_free(r.cross);
    tg_free(r.upto);
    tg_free(r.cut);
    return ok;
}
