/* Where the forward pass is cut for memory="sqrt" (remat.c says what for).
 *
 * A cut is a place in the order of evaluation, and what crosses it are the values made before it
 * that the forward pass reads behind it: one in a chain, several where there are branches or
 * shortcuts. Cuts are put where little crosses. How long segments should be is tried: for each
 * length from a list, of the others and of the last, the memory that it takes is estimated, what
 * is kept plus the largest segment, and the work that it does again. */
#include "runtime/plan/remat_parts.h"

#include "base/alloc.h"

#include <string.h>

enum { MOST_LENGTHS = 40, MOST_TAILS = 8 };

/* From one length of segments to the next to be tried; and from one length of the last segment. */
static const double SHORTER = 0.8, LONGER = 1.4;
/* Of the work of the whole plan as much may be done again before more is kept: of the time of a
 * chain of layers that is a little more, for the values that come back from memory. */
static const double SOME = 0.25;

double tg_remat_wanted(const tg_remat_graph *r, size_t t) {
    const tg_remat_item *o = &r->item[r->at[t]];
    return o->owner == r->at[t] && o->wanted ? o->bytes : 0;
}

/* Cuts such that segments of about `length` bytes lie between them, where least crosses, and behind
 * the last of them no less than `tail` bytes. */
static void make_cuts(tg_remat_graph *r, double length, double tail) {
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

bool tg_remat_crosses(const tg_remat_item *o, const int *segment) {
    return o->last > o->time && segment[o->last] != segment[o->time];
}

int tg_remat_segments(const tg_remat_graph *r, int *segment) {
    int now = 0;
    for (size_t t = 0; t < r->m; t++) {
        segment[t] = now;
        now += r->cut[t];
    }
    return now;
}

double tg_remat_again(tg_remat_graph *r) {
    double work = 0;
    for (size_t t = 0; t < r->m; t++) {
        tg_remat_item *it = &r->item[r->at[t]];
        it->again = r->item[it->owner].wanted;
    }
    for (size_t t = r->m; t-- > 0;) {
        const tg_remat_item *it = &r->item[r->at[t]];
        const tg_node *x = r->node[r->at[t]];
        if (it->stays || !it->again) continue;
        work += it->work;
        for (int k = 0; k < x->n; k++) r->item[x->arg[k]->place].again = true;
    }
    return work;
}

/* Bytes: what is kept, and the most that a segment wants; *again: the work that is done twice. */
static double estimate(tg_remat_graph *r, int *segment, double *again) {
    double kept = 0, in = 0, most = 0;
    int last = tg_remat_segments(r, segment);
    for (size_t t = 0; t < r->m; t++) {
        tg_remat_item *o = &r->item[r->at[t]];
        if (t > 0 && segment[t] != segment[t - 1]) in = 0;
        bool crossing = o->owner == r->at[t] && tg_remat_crosses(o, segment);
        if (crossing)
            kept += o->bytes;
        else
            in += tg_remat_wanted(r, t);
        if (in > most) most = in;
        o->stays = crossing || o->keep || segment[t] == last;
    }
    *again = tg_remat_again(r);
    return kept + most;
}

/* A way to cut: the lengths of segments and of the last, in bytes, and what comes of it. */
typedef struct way {
    double length, tail, peak, again;
} way;

static void try_way(tg_remat_graph *r, int *segment, way *w) {
    make_cuts(r, w->length, w->tail);
    w->peak = estimate(r, segment, &w->again);
}

/* Is w better than the best yet, when the least memory is `least`? */
static bool is_better(const tg_remat_graph *r, const way *w, const way *best, double least) {
    const double little = 1.2 * least, most = 2 * least, some = SOME * r->work;
    if (w->peak > most) return false;
    if (w->again > some || best->again > some) return w->again < best->again;
    if (w->peak <= little && best->peak <= little) return w->again < best->again;
    return w->peak < best->peak;
}

bool tg_remat_cut(tg_remat_graph *r, int *segment) {
    enum { WAYS = MOST_LENGTHS * MOST_TAILS };
    double length = r->upto[r->m - 1], tail = 0, least = -1;
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
