/* Finding points. The formulas are copied over twins of their cells, of double precision and of
 * small known sizes. Each point is drawn anew until all roots are finite there: first from the
 * usual interval around 0, so that both sides of a kink at 0 are met; then as the last point was
 * found; then from intervals in which logarithms, roots and arc sines are at home, and positive
 * definite matrices for square cells; then from mixtures of these. Every fourth point looks
 * further out than the numbers in the formulas are, for the sake of where(x > 50, ...). Numbers
 * have two decimals, so that what is printed of a point is the point.
 *
 * Equality at one size may be chance (sum(x) / 3 is mean(x) where x has 3 elements), and some sizes
 * do not fit (x[5]): there is a list of choices, and the caller goes on to the next. */
#include "runtime/graph/sample.h"
#include "base/alloc.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/ruled.h"
#include "runtime/plan/plan.h"

#include <math.h>
#include <string.h>

enum { USUAL = 4, AGAIN = 4, MIXED = 160, LAYOUTS = 7 };
enum { FALLING = 2 }; /* the layout in which a size is less than the one before it, not more */

/* Ways to draw a cell's numbers. */
static const struct {
    double lo, hi, grain;
    bool matrix;
} way[] = {
    {-2, 2, 0.01, false},                       /* the usual */
    {0.1, 2, 0.01, false},                      /* logarithms and roots */
    {0.1, 0.9, 0.01, false},                    /* probabilities */
    {1.1, 3, 0.01, false},                      /* acosh, log(x - 1) */
    {-2, -0.1, 0.01, false},                    /* log(-x) */
    {-0.2, 0.2, 0.01, false},                   /* sums of many that must stay below 1 */
    {0.01, 0.1, 0.001, false}, {0, 0, 0, true}, /* positive definite */
};
enum { WAYS = sizeof way / sizeof *way, FAR = -1 };

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(tg_sample *s) {
    uint64_t z = s->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

double tg_sample_uniform(tg_sample *s) {
    return (double)(draw(s) >> 11) * 0x1p-53;
}

/* ---- what is under the roots ---- */

static bool add_cell(tg_sample *s, size_t *cap, tg_cell *c) {
    if (!tg_grow((void **)&s->cells, cap, s->ncells + 1, sizeof *s->cells))
        return tg_fail_memory(&s->rt->c);
    size_t at = s->ncells++;
    for (; at > 0 && s->cells[at - 1].cell->serial > c->serial; at--)
        s->cells[at] = s->cells[at - 1];
    s->cells[at] = (tg_sample_cell){.cell = c, .lo = INFINITY, .hi = -INFINITY};
    return true;
}

static tg_sample_cell *cell_of(const tg_sample *s, const tg_cell *c) {
    for (size_t i = 0; i < s->ncells; i++)
        if (s->cells[i].cell == c) return &s->cells[i];
    return NULL;
}

/* A cell that an operation wants as whole numbers holds indices. How far they may go cannot be
 * told in general: not beyond the first known size at hand. */
static void note_indices(tg_sample *s, const tg_node *n) {
    enum { MOST = 8 };
    tg_type in[MOST], out = {0};
    tg_dtype want[MOST];
    bool any = false;
    if (n->n > MOST) return;
    for (int i = 0; i < n->n; i++) {
        in[i] = n->arg[i]->type;
        want[i] = in[i].dtype;
        any = any || (n->arg[i]->op == &tg_op_cell && tg_dtype_is_float(in[i].dtype));
    }
    if (!any) return;
    if (!n->op->infer(s->rt, n->op, n->n, in, n->at, &out, want)) {
        tg_clear(&s->rt->c);
        return;
    }
    for (int i = 0; i < n->n; i++) {
        if (want[i] != TG_I64 || n->arg[i]->op != &tg_op_cell) continue;
        tg_sample_cell *c = cell_of(s, n->arg[i]->leaf.cell);
        if (c) c->below = 2;
    }
}

static void note_number(tg_sample *s, double x) {
    bool room = s->nnumbers < TG_SAMPLE_NUMBERS && isfinite(x);
    for (int i = 0; i < s->nnumbers && room; i++) room = s->number[i] != x;
    if (room) s->number[s->nnumbers++] = x;
}

static bool survey(tg_sample *s) {
    size_t cap = 0;
    s->wide = 10;
    for (size_t i = 0; i < s->count; i++) {
        const tg_node *n = s->node[i];
        if (n->op == &tg_op_cell && n->leaf.cell->kind != TG_CELL_LIFT && !tg_node_is_slot(n) &&
            !add_cell(s, &cap, n->leaf.cell))
            return false;
        if (n->op == &tg_op_number) note_number(s, fabs(n->leaf.number));
        if (n->op == &tg_op_number && fabs(n->leaf.number) * 2 > s->wide &&
            fabs(n->leaf.number) < 1e6)
            s->wide = fabs(n->leaf.number) * 2;
        for (int k = 0; k < n->type.rank; k++)
            if (!tg_size_symbols(s->rt, &s->sizes, n->type.dim[k])) return false;
        if (n->op == &tg_op_size && !tg_size_symbols(s->rt, &s->sizes, n->leaf.size)) return false;
        for (int k = 0; k < n->at->n; k++)
            if (n->at->sizes >> k & 1 && n->at->v[k] < 0 &&
                !tg_size_symbols(s->rt, &s->sizes, n->at->v[k]))
                return false;
    }
    for (size_t i = 0; i < s->count; i++) note_indices(s, s->node[i]);
    for (size_t i = 0; i < s->ncells; i++) s->assumed |= tg_assume_on_cell(s->rt, s->cells[i].cell);
    return true;
}

static void drop_values(tg_tensor **value, size_t n) {
    for (size_t i = 0; value && i < n; i++) {
        tg_tensor_drop(value[i]);
        value[i] = NULL;
    }
}

void tg_sample_end(tg_sample *s) {
    drop_values(s->value, (size_t)s->n);
    drop_values(s->split, s->ncells);
    drop_values(s->base, s->ncells);
    for (size_t i = 0; i < s->ncells; i++) tg_cell_drop(s->cells[i].twin);
    tg_size_binding_free(&s->sizes);
    tg_free(s->root);
    tg_free(s->node);
    tg_free(s->made);
    tg_free(s->cells);
    tg_free(s->value);
    tg_free(s->split);
    tg_free(s->split_size);
    tg_free(s->met);
    tg_free(s->base);
    *s = (tg_sample){0};
}

/* Of a call with a rule of the user's own the body is copied. The slots of its rule, and what is
 * over them, have no values: they are left out. */
static void leave_rules_out(tg_sample *s) {
    size_t all = s->count;
    s->count = 0;
    for (size_t i = 0; i < all; i++) {
        const tg_node *n = s->node[i];
        bool keep = !tg_node_is_slot(n);
        for (int k = 0; k < n->n && keep && !tg_node_is_ruled(n); k++)
            keep = tg_nodes_find(s->node, s->count, n->arg[k]) < s->count;
        if (keep) s->node[s->count++] = s->node[i];
    }
}

bool tg_sample_begin(tg_sample *s, tg_rt *rt, int n, tg_node *const *roots) {
    *s = (tg_sample){.rt = rt, .n = n, .state = 20};
    bool ok = tg_node_collect(rt, n, roots, &s->node, &s->count);
    if (ok) leave_rules_out(s);
    ok = ok && survey(s);
    if (ok) {
        s->root = tg_alloc_array((size_t)n, sizeof(tg_node *));
        s->value = tg_alloc_array((size_t)n, sizeof(tg_tensor *));
        s->made = tg_alloc_array(s->count, sizeof(tg_node *));
        s->split = tg_alloc_array(s->ncells, sizeof(tg_tensor *));
        s->base = tg_alloc_array(s->ncells, sizeof(tg_tensor *));
        s->met = tg_alloc_array((size_t)n, sizeof *s->met);
        s->split_size = tg_alloc_array(s->sizes.n, sizeof *s->split_size);
        ok = s->root && s->value && s->made && s->split && s->base && s->met && s->split_size
                 ? true
                 : tg_fail_memory(&rt->c);
    }
    if (!ok) {
        tg_sample_end(s);
        return false;
    }
    memcpy(s->root, roots, (size_t)n * sizeof(tg_node *));
    return true;
}

/* ---- the copies ---- */

tg_node *tg_sample_copy(const tg_sample *s, const tg_node *n) {
    size_t at = tg_nodes_find(s->node, s->count, n);
    return at < s->count ? s->made[at] : NULL;
}

static bool make_twin(tg_sample *s, tg_sample_cell *c) {
    tg_type type = c->cell->type;
    if (tg_dtype_is_float(type.dtype)) type.dtype = TG_F64;
    for (int i = 0; i < type.rank; i++) {
        type.dim[i] = tg_size_eval(s->rt, &s->sizes, type.dim[i]);
        if (type.dim[i] == TG_SIZE_FAIL) return false;
    }
    tg_cell_drop(c->twin);
    c->twin = tg_cell_new(s->rt, TG_CELL_VAR, c->cell->name, &type, NULL);
    return c->twin != NULL;
}

/* A tensor that is known stays what it is; single becomes double. */
static tg_node *known(tg_sample *s, const tg_node *n, tg_tensor *t) {
    if (n->type.weak) return tg_node_number(s->rt, tg_view_get(&t->v, 0));
    if (t->v.dtype != TG_F32) return tg_node_const(s->rt, t, NULL);
    tg_tensor *wide = tg_tensor_convert(&s->rt->c, &t->v, TG_F64);
    tg_node *made = wide ? tg_node_const(s->rt, wide, NULL) : NULL;
    tg_tensor_drop(wide);
    return made;
}

static tg_node *copy_leaf(tg_sample *s, tg_node *n) {
    if (n->op == &tg_op_const) return known(s, n, n->leaf.tensor);
    if (n->op == &tg_op_size) {
        int64_t size = tg_size_eval(s->rt, &s->sizes, n->leaf.size);
        return size < 0 ? NULL : tg_node_number(s->rt, (double)size);
    }
    if (n->op != &tg_op_cell) return n;
    tg_sample_cell *c = cell_of(s, n->leaf.cell);
    return c ? tg_node_cell(s->rt, c->twin) : known(s, n, n->leaf.cell->value);
}

static tg_node *copy_node(tg_sample *s, tg_node *n, tg_node **arg) {
    if (tg_node_is_ruled(n) || n->op == &tg_op_parameter)
        return s->made[tg_nodes_find(s->node, s->count, n->arg[0])];
    if (n->op->class == TG_CLASS_LEAF) return copy_leaf(s, n);
    tg_attrs at = *n->at;
    for (int i = 0; i < at.n; i++) {
        if (!(at.sizes >> i & 1) || at.v[i] >= 0) continue;
        at.v[i] = tg_size_eval(s->rt, &s->sizes, at.v[i]);
        if (at.v[i] == TG_SIZE_FAIL) return NULL;
    }
    for (int i = 0; i < n->n; i++) arg[i] = s->made[tg_nodes_find(s->node, s->count, n->arg[i])];
    return tg_node_make(s->rt, tg_node_is(n, "single") ? tg_op_find("double") : n->op, n->n, arg,
                        &at);
}

static bool copy_all(tg_sample *s) {
    int most = 1;
    for (size_t i = 0; i < s->count; i++)
        if (s->node[i]->n > most) most = s->node[i]->n;
    tg_node **arg = tg_alloc_array((size_t)most, sizeof(tg_node *));
    if (!arg) return tg_fail_memory(&s->rt->c);
    tg_dtype precision = s->rt->precision;
    s->rt->precision = TG_F64;
    bool ok = true;
    for (size_t i = 0; i < s->ncells && ok; i++) ok = make_twin(s, &s->cells[i]);
    for (size_t i = 0; i < s->count && ok; i++) {
        if ((i & 255) == 0) ok = tg_check_interrupt(&s->rt->c);
        ok = ok && (s->made[i] = copy_node(s, s->node[i], arg)) != NULL;
    }
    s->rt->precision = precision;
    tg_free(arg);
    return ok;
}

/* Errors that say something about the session, not about the point. */
static bool is_grave(const tg_rt *rt) {
    tg_err e = rt->c.diag.kind;
    return e == TG_ERR_MEMORY || e == TG_ERR_INTERRUPT || e == TG_ERR_DEPTH;
}

bool tg_sample_resize(tg_sample *s, int layout, bool *fits) {
    static const int first[LAYOUTS] = {3, 2, 4, 6, 10, 18, 40};
    *fits = false;
    drop_values(s->base, s->ncells);
    for (; layout < LAYOUTS && (s->sizes.n > 0 || layout == 0); layout++) {
        s->layout = layout;
        for (size_t i = 0; i < s->sizes.n; i++) {
            size_t above = layout == FALLING ? s->sizes.n - 1 - i : i;
            s->sizes.items[i].value = first[layout] + (int64_t)above;
        }
        if (copy_all(s)) {
            *fits = true;
            return true;
        }
        if (is_grave(s->rt)) return false;
        if (s->sizes.n == 0) return false; /* a defect: what was built once can be built again */
        tg_clear(&s->rt->c);
    }
    return true;
}

void tg_sample_set(tg_sample_cell *c, tg_tensor *value) {
    tg_tensor_drop(c->twin->value);
    c->twin->value = value;
    c->twin->version++;
}

bool tg_sample_at_data(tg_sample *s, bool *complete) {
    tg_size_binding known;
    *complete = true;
    for (size_t i = 0; i < s->ncells; i++) *complete = *complete && s->cells[i].cell->value;
    if (!*complete) return true;
    bool ok = tg_graph_bind_sizes(s->rt, s->n, s->root, 0, NULL, NULL, &known);
    for (size_t i = 0; ok && i < s->sizes.n; i++) {
        size_t k = 0;
        while (k < known.n && known.items[k].symbol != s->sizes.items[i].symbol) k++;
        *complete = *complete && k < known.n;
        if (k < known.n) s->sizes.items[i].value = known.items[k].value;
    }
    tg_size_binding_free(&known);
    if (!ok || !*complete) return ok;
    if (!copy_all(s)) return false;
    for (size_t i = 0; i < s->ncells; i++) {
        tg_sample_cell *c = &s->cells[i];
        tg_tensor *t = tg_tensor_convert(&s->rt->c, &c->cell->value->v, c->twin->type.dtype);
        if (!t) return false;
        tg_sample_set(c, t);
    }
    return true;
}

/* ---- points ---- */

static double number(tg_sample *s, double lo, double hi, double grain) {
    return rint((lo + (hi - lo) * tg_sample_uniform(s)) / grain) * grain;
}

static bool is_square(const tg_type *t) {
    return t->rank >= 2 && t->dim[t->rank - 1] == t->dim[t->rank - 2] && t->dim[t->rank - 1] > 0;
}

/* Sums over long axes would overflow what comes after them (exp): their terms are made smaller. */
static double spread(const tg_type *type) {
    enum { SHORT = 16 };
    int64_t most = SHORT;
    for (int i = 0; i < type->rank; i++)
        if (type->dim[i] > most) most = type->dim[i];
    return sqrt((double)SHORT / (double)most);
}

/* B @ B' / n + I / 2 in each of the last two axes, B random. */
static void fill_definite(tg_sample *s, tg_tensor *t) {
    int64_t n = t->v.dim[t->v.rank - 1], count = tg_view_count(&t->v) / (n * n);
    double *a = t->v.data;
    for (int64_t m = 0; m < count; m++, a += n * n) {
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j <= i; j++)
                a[i * n + j] = number(s, -1, 1, 0.01) / (double)n + (i == j ? 1.5 : 0);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = i + 1; j < n; j++) a[i * n + j] = a[j * n + i];
    }
}

static bool fill(tg_sample *s, tg_sample_cell *c, int how) {
    const tg_type *type = &c->twin->type;
    tg_tensor *t = tg_tensor_new(&s->rt->c, type->dtype, type->rank, type->dim);
    if (!t) return false;
    int64_t count = tg_view_count(&t->v);
    if (how != FAR && way[how].matrix && !is_square(type)) how = 1;
    c->way = how;
    double small = spread(type);
    bool whole = c->below > 0 || !tg_dtype_is_float(type->dtype);
    if (how != FAR && way[how].matrix && type->dtype == TG_F64) {
        fill_definite(s, t);
    } else {
        for (int64_t i = 0; i < count; i++) {
            double x;
            if (whole)
                x = floor(tg_sample_uniform(s) * (double)(c->below ? c->below : 2));
            else if (how == FAR)
                x = number(s, -s->wide, s->wide, 0.01);
            else
                x = number(s, way[how].lo * (how ? 1 : small), way[how].hi * (how ? 1 : small),
                           how || small == 1 ? way[how].grain : 0.001);
            tg_view_set(&t->v, i, x);
        }
    }
    tg_sample_set(c, t);
    return true;
}

/* The way for cell i at the attempt-th try; < 0 && != FAR: try no more. */
static int way_of(tg_sample *s, size_t i, int attempt) {
    if (attempt == 0 && s->points % 4 == 3) return FAR;
    if (attempt < USUAL) return 0;
    if (attempt < USUAL + AGAIN) return s->cells[i].good == FAR ? 0 : s->cells[i].good;
    attempt -= USUAL + AGAIN;
    if (attempt < 2 * WAYS) return attempt / 2;
    return (int)(draw(s) % (WAYS + 1)) + FAR;
}

static bool all_finite(const tg_tensor *t) {
    if (!tg_dtype_is_float(t->v.dtype)) return true;
    int64_t count = tg_view_count(&t->v);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(tg_view_get(&t->v, i))) return false;
    return true;
}

/* One root; *finite: it can be computed here, and is finite. */
static bool eval_root(tg_sample *s, int i, bool *finite) {
    tg_node *n = tg_sample_copy(s, s->root[i]);
    tg_tensor *t = NULL;
    *finite = false;
    if (!tg_plan_eval(s->rt, 1, &n, &t)) {
        if (is_grave(s->rt)) return false;
        tg_clear(&s->rt->c); /* a singular matrix, an index too large: not in the domain */
        return true;
    }
    *finite = all_finite(t);
    tg_tensor_drop(s->value[i]);
    s->value[i] = t;
    return true;
}

bool tg_sample_eval(tg_sample *s, bool *finite) {
    int good = 0, bad = -1;
    drop_values(s->value, (size_t)s->n);
    for (int i = 0; i < s->n; i++) {
        bool yes;
        if (!eval_root(s, i, &yes)) return false;
        if (yes) good++;
        s->met[i] = s->met[i] || yes;
        if (!yes && bad < 0) bad = i;
    }
    *finite = good == s->n;
    if (good == 0 || good == s->n || s->quiet || s->nsplit++ > 0) return true;
    s->split_root = bad;
    for (size_t i = 0; i < s->ncells; i++) s->split[i] = tg_tensor_hold(s->cells[i].twin->value);
    for (size_t i = 0; i < s->sizes.n; i++) s->split_size[i] = s->sizes.items[i].value;
    return true;
}

/* The point counts: what it says of the domain. */
static void accept(tg_sample *s) {
    s->points++;
    for (size_t i = 0; i < s->ncells; i++) {
        tg_sample_cell *c = &s->cells[i];
        int64_t count = tg_view_count(&c->twin->value->v);
        tg_tensor_drop(s->base[i]);
        s->base[i] = tg_tensor_hold(c->twin->value);
        for (int64_t k = 0; k < count; k++) {
            double x = tg_view_get(&c->twin->value->v, k);
            c->lo = fmin(c->lo, x);
            c->hi = fmax(c->hi, x);
        }
        c->good = c->way;
        if (c->way > 0 || s->rejected > 0) c->narrowed = true;
        if (c->way > 0 && way[c->way].matrix) c->matrix = true;
    }
}

bool tg_sample_project(tg_sample *s, bool *obeys) {
    uint32_t unmet = 0;
    tg_cell **cell = tg_alloc_array(s->ncells, sizeof *cell);
    tg_tensor **value = tg_alloc_array(s->ncells, sizeof *value);
    bool ok = cell && value ? true : tg_fail_memory(&s->rt->c);
    for (size_t i = 0; ok && i < s->ncells; i++) {
        cell[i] = s->cells[i].cell;
        value[i] = s->cells[i].twin->value;
    }
    ok = ok && tg_assume_project(s->rt, (int)s->ncells, cell, value, &unmet);
    tg_free(cell);
    tg_free(value);
    *obeys = (unmet & s->assumed) == 0;
    return ok;
}

bool tg_sample_next(tg_sample *s, bool *found) {
    *found = false;
    bool obeys;
    for (int attempt = 0; attempt < USUAL + AGAIN + 2 * WAYS + MIXED && !*found; attempt++) {
        if (!tg_check_interrupt(&s->rt->c)) return false;
        for (size_t i = 0; i < s->ncells; i++)
            if (!fill(s, &s->cells[i], way_of(s, i, attempt))) return false;
        if (!tg_sample_project(s, &obeys)) return false;
        s->obeyed += obeys;
        if (obeys && !tg_sample_eval(s, found)) return false;
        s->rejected += !*found;
    }
    if (*found) accept(s);
    return true;
}

double tg_sample_work(const tg_sample *s) {
    double work = 0;
    for (size_t i = 0; i < s->count; i++) {
        double elements = 1;
        for (int k = 0; k < s->made[i]->type.rank; k++) elements *= (double)s->made[i]->type.dim[k];
        work += elements;
    }
    return work;
}

/* The largest finite magnitude in t, if that is more than *most. */
static void raise_by(const tg_tensor *t, double *most) {
    for (int64_t k = 0, count = tg_view_count(&t->v); k < count; k++) {
        double x = fabs(tg_view_get(&t->v, k));
        if (isfinite(x) && x > *most) *most = x;
    }
}

/* The same of some nodes: all at once, since each by itself computes again what is under it; and
 * one by one where one cannot be computed. */
static bool raise_to(tg_rt *rt, int n, tg_node *const *node, double *most) {
    enum { ATONCE = 1024 };
    tg_node *some[ATONCE];
    tg_tensor *t[ATONCE] = {NULL};
    for (int i = 0, many; i < n; i += many) {
        int floats = 0;
        many = n - i < ATONCE ? n - i : ATONCE;
        for (int k = 0; k < many; k++)
            if (tg_dtype_is_float(node[i + k]->type.dtype) && !tg_node_is_loop(node[i + k]))
                some[floats++] = node[i + k];
        if (floats == 0) continue;
        if (tg_plan_eval(rt, floats, some, t)) {
            for (int k = 0; k < floats; k++) {
                raise_by(t[k], most);
                tg_tensor_drop(t[k]);
                t[k] = NULL;
            }
            continue;
        }
        if (is_grave(rt)) return false;
        tg_clear(&rt->c);
        for (int k = 0; n > 1 && k < floats; k++)
            if (!raise_to(rt, 1, &some[k], most)) return false;
    }
    return true;
}

bool tg_sample_scale(tg_sample *s, const tg_node *root, double *scale) {
    tg_node **node = s->made, *copy = root ? tg_sample_copy(s, root) : NULL;
    size_t count = s->count;
    bool ok = true;
    *scale = 0;
    if (copy && !tg_node_collect(s->rt, 1, &copy, &node, &count)) return false;
    if (count) ok = raise_to(s->rt, (int)count, node, scale);
    if (copy) tg_free(node);
    return ok;
}
