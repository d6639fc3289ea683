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
#include "runtime/plan/remat_parts.h"

#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/simplify.h"

#include <string.h>

/* The item of what is computed for a node under the roots; NULL: it is not there. */
static tg_remat_item *item_of(const tg_remat_graph *r, tg_node *formula) {
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
static bool forms_of(const tg_remat_graph *r, tg_node *x, tg_remat_item *form[2]) {
    uint32_t used;
    tg_node *simple = tg_simplify(r->rt, x, &used);
    if (!simple || !tg_node_stable(r->rt, x) || !tg_node_stable(r->rt, simple)) return false;
    form[0] = item_of(r, x->stable);
    form[1] = item_of(r, simple->stable);
    return true;
}

/* Marks what is under the formula y, as it is computed, as the forward pass. */
static bool mark_forward(tg_remat_graph *r, tg_node *y) {
    tg_node **under = NULL;
    size_t count = 0;
    bool ok = tg_node_collect(r->rt, 1, &y, &under, &count);
    for (size_t i = 0; ok && i < count; i++) {
        tg_remat_item *form[2];
        ok = forms_of(r, under[i], form);
        for (int k = 0; ok && k < 2; k++)
            if (form[k]) form[k]->part = TG_REMAT_FORWARD;
    }
    tg_free(under);
    return ok;
}

/* All notes, each once: those of one call stand at many nodes. */
static bool mark_forwards(tg_remat_graph *r) {
    const tg_recompute *done = NULL;
    for (size_t i = 0; i < r->n; i++) {
        const tg_recompute *w = r->node[i]->recompute;
        if (!w || w == done || w->mode == TG_KEEP_ALL) continue;
        if (!mark_forward(r, w->y) || (w->from != w->y && !mark_forward(r, w->from))) return false;
        done = w;
    }
    for (size_t i = r->n; i-- > 0;)
        if (r->item[i].part == TG_REMAT_FORWARD)
            for (int k = 0; k < r->node[i]->n; k++)
                r->item[r->node[i]->arg[k]->place].part = TG_REMAT_FORWARD;
    for (size_t i = 0; i < r->n; i++)
        if (!r->node[i]->live || r->node[i]->op->class == TG_CLASS_LEAF)
            r->item[i].part = TG_REMAT_OTHER;
    return true;
}

static void mark_backward(tg_remat_graph *r) {
    for (size_t i = 0; i < r->n; i++) {
        const tg_node *x = r->node[i];
        if (r->item[i].part == TG_REMAT_FORWARD) continue;
        bool over = x->recompute != NULL;
        for (int k = 0; k < x->n && !over; k++)
            over = r->item[x->arg[k]->place].part == TG_REMAT_BACKWARD;
        if (over && x->op->class != TG_CLASS_LEAF) r->item[i].part = TG_REMAT_BACKWARD;
    }
    for (size_t i = r->n; i-- > 0;) {
        const tg_node *x = r->node[i];
        if (r->item[i].part != TG_REMAT_BACKWARD) continue;
        for (int k = 0; k < x->n; k++) {
            tg_remat_item *a = &r->item[x->arg[k]->place];
            if (a->part == TG_REMAT_OTHER && x->arg[k]->live &&
                x->arg[k]->op->class != TG_CLASS_LEAF)
                a->part = TG_REMAT_BACKWARD;
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

static void measure(tg_remat_graph *r, int nroots, tg_node *const *roots,
                    const tg_size_binding *sizes) {
    for (size_t i = 0; i < r->n; i++) {
        const tg_node *x = r->node[i];
        tg_remat_item *it = &r->item[i];
        it->owner = x->n > 0 && x->op->view ? r->item[x->arg[0]->place].owner : (uint32_t)i;
        it->time = it->last = TG_REMAT_NOWHERE;
        it->work = work_of(r->rt, x, sizes);
        r->work += it->work;
        if (it->part == TG_REMAT_FORWARD) {
            it->time = (int)r->m;
            r->at[r->m++] = (uint32_t)i;
            if (it->owner == i) it->bytes = bytes_of(r->rt, x, sizes);
        }
        for (int k = 0; k < x->n; k++) {
            tg_remat_item *o = &r->item[r->item[x->arg[k]->place].owner];
            if (it->part == TG_REMAT_FORWARD) o->last = it->time;
            if (it->part == TG_REMAT_BACKWARD) o->wanted = true;
        }
    }
    for (int i = 0; i < nroots; i++) { /* results stay anyway */
        tg_remat_item *o = &r->item[r->item[roots[i]->place].owner];
        o->bytes = 0;
        o->keep = true;
    }
    for (size_t t = 0; t < r->m; t++) {
        const tg_remat_item *o = &r->item[r->at[t]];
        if (o->owner != r->at[t] || o->last <= o->time) continue;
        r->cross[o->time] += o->wanted ? o->bytes : 2 * o->bytes;
        r->cross[o->last] -= o->wanted ? o->bytes : 2 * o->bytes;
    }
    for (size_t t = 0; t < r->m; t++) r->upto[t] = tg_remat_wanted(r, t);
    for (size_t t = 1; t < r->m; t++) {
        r->cross[t] += r->cross[t - 1];
        r->upto[t] += r->upto[t - 1];
    }
}

/* ---- what is kept ---- */

static void keep_by_cuts(tg_remat_graph *r, const int *segment, int last) {
    for (size_t t = 0; t < r->m; t++) {
        tg_remat_item *it = &r->item[r->at[t]];
        if (segment[t] == last) it->keep = true;
        if (it->owner == r->at[t] && tg_remat_crosses(it, segment)) it->keep = true;
    }
}

/* Those listed, and what stands behind the last of them. */
static bool keep_listed(tg_remat_graph *r, const tg_recompute *wish) {
    int last = TG_REMAT_NOWHERE;
    for (int i = 0; i < wish->n; i++) {
        tg_remat_item *form[2];
        if (!forms_of(r, wish->keep[i], form)) return false;
        for (int k = 0; k < 2; k++) {
            if (!form[k] || form[k]->part != TG_REMAT_FORWARD) continue;
            r->item[form[k]->owner].keep = true;
            if (form[k]->time > last) last = form[k]->time;
        }
    }
    for (size_t t = 0; t < r->m; t++)
        if ((int)t > last && last != TG_REMAT_NOWHERE) r->item[r->at[t]].keep = true;
    return true;
}

static bool decide(tg_remat_graph *r, const tg_recompute *wish, tg_remat *what) {
    if (wish->mode == TG_KEEP_LISTED) {
        if (!keep_listed(r, wish)) return false;
    } else {
        int *segment = tg_alloc_array(r->m, sizeof *segment);
        if (!segment) return tg_fail_memory(&r->rt->c);
        bool ok =
            wish->mode == TG_KEEP_BYTES ? tg_remat_fit(r, what, segment) : tg_remat_cut(r, segment);
        if (ok && wish->mode != TG_KEEP_BYTES)
            keep_by_cuts(r, segment, tg_remat_segments(r, segment));
        tg_free(segment);
        if (!ok) return false;
    }
    for (size_t i = 0; i < r->n; i++) /* loops see to it themselves */
        if (tg_node_is_loop(r->node[i]) || tg_node_is_item(r->node[i])) r->item[i].keep = true;
    for (size_t i = 0; i < r->n; i++) /* a look is kept with what it looks at */
        if (r->item[r->item[i].owner].keep) r->item[i].keep = true;
    return true;
}

/* ---- the copies ---- */

static void mark_copied(tg_remat_graph *r) {
    for (size_t i = r->n; i-- > 0;) {
        const tg_remat_item *it = &r->item[i];
        if (it->part != TG_REMAT_BACKWARD && !it->copied) continue;
        for (int k = 0; k < r->node[i]->n; k++) {
            tg_remat_item *a = &r->item[r->node[i]->arg[k]->place];
            if (a->part == TG_REMAT_FORWARD && !a->keep) a->copied = true;
        }
    }
}

static bool make_copies(tg_remat_graph *r) {
    tg_node **arg = NULL;
    size_t cap = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < r->n; i++) {
        tg_remat_item *it = &r->item[i];
        tg_node *x = r->node[i];
        void *items = arg;
        bool changed = it->copied;
        it->copy = x;
        if (it->part != TG_REMAT_BACKWARD && !it->copied) continue;
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

static bool rewrite(tg_remat_graph *r, int nroots, tg_node *const *roots,
                    const tg_size_binding *sizes, tg_remat *what, tg_node **targets) {
    if (!mark_forwards(r)) return false;
    mark_backward(r);
    measure(r, nroots, roots, sizes);
    if (r->m == 0) return true;
    if (!decide(r, what->wish, what)) return false;
    mark_copied(r);
    if (!make_copies(r)) return false;
    for (int i = 0; i < nroots; i++) {
        const tg_remat_item *it = &r->item[roots[i]->place];
        if (it->part == TG_REMAT_BACKWARD) targets[i] = it->copy;
    }
    return true;
}

bool tg_plan_rematerialise(tg_rt *rt, size_t n, tg_node *const *nodes, int nroots,
                           tg_node *const *roots, const tg_size_binding *sizes,
                           const tg_shares *shares, tg_remat *what, tg_node **targets) {
    what->wish = find_wish(n, nodes);
    what->estimate = 0;
    memcpy(targets, roots, (size_t)nroots * sizeof *targets);
    if (!what->wish || what->wish->mode == TG_KEEP_ALL) return true;
    tg_remat_graph r = {.rt = rt, .n = n, .node = nodes, .shares = shares};
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
