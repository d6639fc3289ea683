/* What is kept within a number of bytes, memory=100e6, so that as little as possible is computed
 * again (remat.c says what for).
 *
 * When the backward pass comes to a segment, what is there are the values kept in the segments
 * before it and all that it wants of the segment itself; what later segments kept is gone. So the
 * first segments, before which little is kept, may be long: with room for M values, one crossing
 * each cut, they are M, M - 1, M - 2 ... layers long, M^2 / 2 layers in all, where segments of one
 * length come to M^2 / 4. Cuts are set from the front, as far apart as that allows or as a shorter
 * length from a list says.
 *
 * Then what room there is left goes to the values that save most work a byte: the value itself, and
 * what would be computed again for it alone. In a chain all save the same, and the last are taken,
 * behind which there are the fewest segments for which they would have to wait. Where a layer is
 * wide inside and narrow at its end (transformers) the narrow values save most; where a value is
 * cheap to make from another (an activation) it saves least. The length from the list with which
 * the least is computed again is taken.
 *
 * The estimate knows nothing of the gradients' own temporary values: the caller (compile.c)
 * measures the plan, and asks again with as much less or more room. */
#include "runtime/plan/remat_parts.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LENGTHS = 40, HALVINGS = 30 };
static const double SHORTER = 0.88; /* from one length of segments to the next */

/* A value that may be kept: what it saves a byte. */
typedef struct candidate {
    double gain;
    uint32_t time;
} candidate;

typedef struct budget {
    tg_remat_graph *r;
    int *segment; /* of each time */
    int last;     /* the number of the last segment */
    double room;
    size_t n;
    candidate *candidate; /* the best first */
    double *alive;        /* of each segment: bytes there when the backward pass is in it */
    double *least;        /* of each segment: the least room left in it or a later one */
} budget;

/* ---- cuts ---- */

/* The best place to end a segment that begins at `start`, behind `from` wanted bytes, and wants at
 * most `limit`: where least crosses, in its second half. r->m: there is none. */
static size_t place_of_cut(const tg_remat_graph *r, size_t start, double from, double limit) {
    size_t best = r->m;
    for (size_t t = start; t + 1 < r->m && r->upto[t] - from <= limit; t++)
        if (r->upto[t] - from >= limit / 2 && (best == r->m || r->cross[t] <= r->cross[best]))
            best = t;
    return best;
}

/* Bytes of the values of a segment that cross its end. */
static double kept_by_cut(const tg_remat_graph *r, size_t start, size_t end) {
    double bytes = 0;
    for (size_t t = start; t <= end; t++) {
        const tg_remat_item *o = &r->item[r->at[t]];
        if (o->owner == r->at[t] && o->last > (int)end) bytes += o->bytes;
    }
    return bytes;
}

/* Segments that want at most `length` bytes, and together with what is kept before them at most the
 * room. False: that cannot be. */
static bool cut_within(budget *b, double length) {
    tg_remat_graph *r = b->r;
    double kept = 0, from = 0;
    size_t start = 0;
    memset(r->cut, 0, r->m * sizeof *r->cut);
    for (;;) {
        const double limit = fmin(length, b->room - kept);
        if (r->upto[r->m - 1] - from <= limit) return true;
        const size_t end = place_of_cut(r, start, from, limit);
        if (end == r->m) return false;
        r->cut[end] = true;
        kept += kept_by_cut(r, start, end);
        from = r->upto[end];
        start = end + 1;
    }
}

/* Which values stay by the cuts alone, and what is alive in each segment. */
static void weigh(budget *b) {
    tg_remat_graph *r = b->r;
    double kept = 0;
    b->last = tg_remat_segments(r, b->segment);
    for (size_t t = 0; t < r->m;) {
        const int now = b->segment[t];
        double in = 0, more = 0;
        for (; t < r->m && b->segment[t] == now; t++) {
            tg_remat_item *o = &r->item[r->at[t]];
            const bool crossing = o->owner == r->at[t] && tg_remat_crosses(o, b->segment);
            in += crossing && !o->wanted ? o->bytes : tg_remat_wanted(r, t);
            if (crossing) more += o->bytes;
            o->stays = crossing || o->keep || now == b->last;
        }
        b->alive[now] = kept + in;
        kept += more;
    }
}

/* ---- the room that is left ---- */

static int compare(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->gain != y->gain) return x->gain < y->gain ? 1 : -1;
    return x->time < y->time ? 1 : -1;
}

/* What each wanted value saves when it is kept. saved: scratch, one for each node; readers:
 * likewise, of the forward pass. */
static void find_gains(budget *b, double *saved, uint32_t *readers) {
    tg_remat_graph *r = b->r;
    for (size_t t = 0; t < r->m; t++) {
        const tg_node *x = r->node[r->at[t]];
        for (int k = 0; k < x->n; k++) readers[x->arg[k]->place]++;
    }
    for (size_t t = 0; t < r->m; t++) {
        const uint32_t i = r->at[t];
        const tg_node *x = r->node[i];
        saved[i] = r->item[i].work;
        for (int k = 0; k < x->n; k++) {
            const uint32_t a = x->arg[k]->place;
            const tg_remat_item *it = &r->item[a];
            if (it->part == TG_REMAT_FORWARD && readers[a] == 1 && !r->item[it->owner].wanted)
                saved[i] += saved[a];
        }
        if (tg_remat_wanted(r, t) > 0)
            b->candidate[b->n++] = (candidate){saved[i] / r->item[i].bytes, (uint32_t)t};
    }
    qsort(b->candidate, b->n, sizeof *b->candidate, compare);
}

/* Keeps what is worth most, as long as there is room in all segments that it waits for. */
static void fill(budget *b) {
    tg_remat_graph *r = b->r;
    if (b->last == 0) return;
    for (int j = b->last; j >= 0; j--) {
        b->least[j] = b->room - b->alive[j];
        if (j < b->last && b->least[j + 1] < b->least[j]) b->least[j] = b->least[j + 1];
    }
    for (size_t k = 0; k < b->n && b->least[b->last] > 0; k++) {
        tg_remat_item *o = &r->item[r->at[b->candidate[k].time]];
        const int in = b->segment[b->candidate[k].time];
        if (o->stays || in == b->last || b->least[in + 1] < o->bytes) continue;
        o->stays = true;
        for (int j = in + 1; j <= b->last; j++) {
            b->alive[j] += o->bytes;
            b->least[j] -= o->bytes;
        }
        for (int j = in; j >= 0 && b->least[j] > b->least[j + 1]; j--)
            b->least[j] = b->least[j + 1];
    }
}

/* ---- the whole ---- */

static bool try_length(budget *b, double length) {
    if (!cut_within(b, length)) return false;
    weigh(b);
    fill(b);
    return true;
}

static double peak_of(const budget *b) {
    double most = 0;
    for (int j = 0; j <= b->last; j++)
        if (b->alive[j] > most) most = b->alive[j];
    return most;
}

/* Is the room too little for any cuts? Then the least for which there are some. */
static void find_room(budget *b) {
    const double most = b->r->upto[b->r->m - 1];
    if (b->room > most) b->room = most;
    if (cut_within(b, b->room)) return;
    double low = b->room > 0 ? b->room : 1, high = most;
    for (int i = 0; i < HALVINGS && high > 1.001 * low; i++) {
        b->room = sqrt(low * high);
        *(cut_within(b, b->room) ? &high : &low) = b->room;
    }
    b->room = high;
}

static void choose(budget *b) {
    double length, best = 0, least = INFINITY;
    find_room(b);
    length = b->room;
    for (int i = 0; i < MOST_LENGTHS; i++) {
        const double again = try_length(b, length) ? tg_remat_again(b->r) : INFINITY;
        if (again < least) {
            least = again;
            best = length;
        }
        length *= SHORTER;
    }
    try_length(b, best);
    for (size_t t = 0; t < b->r->m; t++)
        if (b->r->item[b->r->at[t]].stays) b->r->item[b->r->at[t]].keep = true;
}

bool tg_remat_fit(tg_remat_graph *r, tg_remat *what, int *segment) {
    what->estimate = r->upto[r->m - 1];
    if (what->room >= what->estimate) {
        for (size_t t = 0; t < r->m; t++) r->item[r->at[t]].keep = true;
        return true;
    }
    budget b = {.r = r, .segment = segment, .room = what->room};
    double *saved = tg_alloc_array(r->n, sizeof *saved);
    uint32_t *readers = tg_alloc_array(r->n, sizeof *readers);
    b.candidate = tg_alloc_array(r->m, sizeof *b.candidate);
    b.alive = tg_alloc_array(r->m, sizeof *b.alive);
    b.least = tg_alloc_array(r->m, sizeof *b.least);
    bool ok = saved && readers && b.candidate && b.alive && b.least;
    if (ok) {
        find_gains(&b, saved, readers);
        choose(&b);
        what->estimate = peak_of(&b);
    }
    tg_free(saved);
    tg_free(readers);
    tg_free(b.candidate);
    tg_free(b.alive);
    tg_free(b.least);
    return ok || tg_fail_memory(&r->rt->c);
}
