/* What einsum means, carried out with the operations that a textbook would write.
 *
 * First each operand is made small alone: repeated letters become a diagonal, letters that only it
 * has are summed. Then pairs are contracted until one tensor is left. A pair is, by its letters,
 * an elementwise product (those of one are among those of the other), a sum over such a product
 * (nothing but common letters), an outer product (nothing in common), or a matrix product: common
 * letters that stay count its batch, those that go are its inner axis, the others its rows and
 * columns, several of them flattened to one. Of the ways to order axes and to choose the left
 * factor the one with the fewest transposes is taken.
 *
 * Which pairs: up to OPTIMAL operands the order with the fewest multiplications, by dynamic
 * programming over subsets; beyond that greedily the pair that makes the least of what it takes
 * (D. Smith and J. Gray, opt_einsum, Journal of Open Source Software 3, 2018). Sizes that are not
 * known yet count as UNKNOWN. */
#include "interp/einsum.h"
#include "interp/convert.h"

#include <stdio.h>
#include <string.h>

enum { OPTIMAL = 8, UNKNOWN = 100 };

typedef tg_einsum_term term;

static tg_letters bit(int letter) {
    return UINT64_C(1) << letter;
}

static tg_letters set_of(int n, const int *letter) {
    tg_letters s = 0;
    for (int i = 0; i < n; i++) s |= bit(letter[i]);
    return s;
}

static tg_letters letters(const term *t) {
    return set_of(t->n, t->letter);
}

/* ---- operations on a term ---- */

/* The term becomes op of itself, with an attribute unless `attr` is NULL; takes `v`. */
static bool apply(tg_einsum *e, term *t, const char *op, const char *attr, tg_value v) {
    tg_argument args[2] = {t->x, {.name = attr, .value = v}};
    tg_value made;
    bool ok = tg_call_op(e->in, tg_op_find(op), attr ? 2 : 1, args, &made);
    tg_value_drop(v);
    if (!ok) return false;
    tg_value_drop(t->x.value);
    t->x = (tg_argument){.value = made};
    return true;
}

static bool numbers(tg_einsum *e, int n, const int *x, tg_value *out) {
    if (!tg_value_items(&e->in->rt.c, TG_V_TUPLE, n, out)) return false;
    for (int i = 0; i < n; i++) out->as.items->v[i] = tg_value_number(x[i]);
    return true;
}

/* Axis i becomes what axis perm[i] was. */
static bool permute(tg_einsum *e, term *t, const int *perm) {
    int was[TG_MAX_RANK], n = t->n;
    bool same = true, last_two = n >= 2;
    memcpy(was, t->letter, sizeof was);
    for (int i = 0; i < n; i++) {
        same = same && perm[i] == i;
        int swapped = i == n - 1 ? n - 2 : i == n - 2 ? n - 1 : i;
        last_two = last_two && perm[i] == swapped;
    }
    if (same) return true;
    tg_value axes = TG_NONE_VALUE;
    if (!last_two && !numbers(e, n, perm, &axes)) return false;
    if (!apply(e, t, "transpose", last_two ? NULL : "axes", axes)) return false;
    for (int i = 0; i < n; i++) t->letter[i] = was[perm[i]];
    return true;
}

static int place_of(const term *t, int letter) {
    for (int i = 0; i < t->n; i++)
        if (t->letter[i] == letter) return i;
    return -1;
}

/* Its axes in that order, which has all of its letters and perhaps others. */
static bool order(tg_einsum *e, term *t, int n, const int *letter) {
    int perm[TG_MAX_RANK] = {0}, k = 0;
    for (int i = 0; i < n; i++) {
        int at = place_of(t, letter[i]);
        if (at >= 0) perm[k++] = at;
    }
    return permute(e, t, perm);
}

static bool reshape(tg_einsum *e, term *t, int n, const tg_size *dim) {
    tg_value shape;
    if (!tg_value_items(&e->in->rt.c, TG_V_TUPLE, n, &shape)) return false;
    for (int i = 0; i < n; i++)
        if (!tg_value_size(e->in, dim[i], &shape.as.items->v[i])) {
            tg_value_drop(shape);
            return false;
        }
    return apply(e, t, "reshape", "shape", shape);
}

static bool sum_over(tg_einsum *e, term *t, tg_letters gone) {
    int axis[TG_MAX_RANK], n = 0, kept = 0;
    for (int i = 0; i < t->n; i++) {
        if (gone & bit(t->letter[i]))
            axis[n++] = i;
        else
            t->letter[kept++] = t->letter[i];
    }
    if (n == 0) return true;
    bool all = n == t->n;
    t->n = kept;
    if (all) return apply(e, t, "sum", NULL, TG_NONE_VALUE);
    tg_value axes = tg_value_number(axis[0]);
    if (n > 1 && !numbers(e, n, axis, &axes)) return false;
    return apply(e, t, "sum", "axis", axes);
}

/* ---- one operand ---- */

/* Letters that it has twice become its last axis, once. */
static bool take_diagonals(tg_einsum *e, term *t, tg_letters kept) {
    for (int i = 0; i < t->n; i++) {
        int perm[TG_MAX_RANK], n = 0, k = i + 1;
        while (k < t->n && t->letter[k] != t->letter[i]) k++;
        if (k == t->n) continue;
        int letter = t->letter[i];
        for (int j = 0; j < t->n; j++)
            if (j != i && j != k) perm[n++] = j;
        perm[n++] = i;
        perm[n] = k;
        bool trace = t->n == 2 && !(kept & bit(letter));
        if (!permute(e, t, perm) ||
            !apply(e, t, trace ? "trace" : "diag_part", NULL, TG_NONE_VALUE))
            return false;
        t->n -= trace ? 2 : 1;
        i = -1; /* from the start, as axes have moved */
    }
    return true;
}

/* ---- a pair ---- */

static bool has(tg_letters s, int letter) {
    return s >> letter & 1;
}

/* The letters of s in the order in which they stand in the list. */
static int pick(tg_letters s, int n, const int *list, int *out) {
    int k = 0;
    for (int i = 0; i < n; i++)
        if (has(s, list[i])) out[k++] = list[i];
    return k;
}

static tg_size size_of(tg_einsum *e, int n, const int *letter) {
    tg_size s = 1;
    for (int i = 0; i < n && s != TG_SIZE_FAIL; i++)
        s = tg_size_times(&e->in->rt, s, e->size[letter[i]]);
    return s;
}

/* l becomes op of l and r; r is used up. */
static bool combine(tg_einsum *e, const char *op, term *l, term *r) {
    const tg_argument args[2] = {l->x, r->x};
    tg_value made;
    if (!tg_call_op(e->in, tg_op_find(op), 2, args, &made)) return false;
    tg_value_drop(l->x.value);
    tg_value_drop(r->x.value);
    l->x = (tg_argument){.value = made};
    r->x = (tg_argument){0};
    return true;
}

/* Axes of size 1 where t, which is in the order of that list, lacks its letters; none in front. */
static bool stretch(tg_einsum *e, term *t, int n, const int *letter) {
    int first = 0;
    while (first < n && place_of(t, letter[first]) < 0) first++;
    for (int i = first; i < n; i++) {
        int at = i - first;
        if (place_of(t, letter[i]) >= 0) continue;
        for (int k = t->n++; k > at; k--) t->letter[k] = t->letter[k - 1];
        t->letter[at] = letter[i];
        if (!apply(e, t, "unsqueeze", "axis", tg_value_number(at))) return false;
    }
    return true;
}

/* a * b, where the letters of one are among those of the other. */
static bool multiply(tg_einsum *e, term *a, term *b) {
    bool a_leads = (letters(b) & ~letters(a)) == 0;
    const tg_letters all = letters(a) | letters(b);
    if (all == letters(a) && all == letters(b) && e->nout == a->n)
        a_leads = memcmp(b->letter, e->out, (size_t)b->n * sizeof *b->letter) != 0;
    term *whole = a_leads ? a : b, *part = a_leads ? b : a;
    int letter[TG_MAX_RANK], n = whole->n;
    memcpy(letter, whole->letter, sizeof letter);
    if (!order(e, part, n, letter) || !stretch(e, part, n, letter) || !combine(e, "mul", a, b))
        return false;
    a->n = n;
    memcpy(a->letter, letter, sizeof letter);
    return true;
}

/* How the axes of a matrix product stand. */
typedef struct layout {
    bool swap; /* b is the left factor */
    int nbatch, nrows, ninner, ncols;
    int batch[TG_MAX_RANK], rows[TG_MAX_RANK], inner[TG_MAX_RANK], cols[TG_MAX_RANK];
    /* Without a batch one of the factors may be a stack of matrices, and the product one for each:
     * then all rows but the last, or all columns but the last, come in front. */
    bool stacked_rows, stacked_cols;
    int nresult, result[TG_MAX_RANK];
    int moves; /* transposes, all in all */
} layout;

static void append(int *n, int *list, int count, const int *from) {
    for (int i = 0; i < count && *n < TG_MAX_RANK; i++) list[(*n)++] = from[i];
}

static bool in_order(const term *t, int n, const int *list) {
    int k = 0;
    for (int i = 0; i < n; i++)
        if (place_of(t, list[i]) >= 0 && t->letter[k++] != list[i]) return false;
    return true;
}

/* The axes of the left factor, and of the right one, in order. */
static int left_of(const layout *w, int *list) {
    int n = 0;
    append(&n, list, w->nbatch, w->batch);
    append(&n, list, w->nrows, w->rows);
    append(&n, list, w->ninner, w->inner);
    return n;
}

static int right_of(const layout *w, int *list) {
    int n = 0, stacked = w->stacked_cols ? w->ncols - 1 : 0;
    append(&n, list, w->nbatch, w->batch);
    append(&n, list, stacked, w->cols);
    append(&n, list, w->ninner, w->inner);
    append(&n, list, w->ncols - stacked, w->cols + stacked);
    return n;
}

/* The layout with the inner letters in the order of l, or of r. `last`: the result is that of all.
 */
static void lay_out(const tg_einsum *e, const term *l, const term *r, tg_letters kept, bool last,
                    bool inner_of_r, layout *w) {
    tg_letters L = letters(l), R = letters(r);
    const int *list_l = last ? e->out : l->letter, *list_r = last ? e->out : r->letter;
    int n_l = last ? e->nout : l->n, n_r = last ? e->nout : r->n, list[TG_MAX_RANK];
    *w = (layout){0};
    w->nbatch = pick(L & R & kept, n_l, list_l, w->batch);
    w->nrows = pick(L & ~R, n_l, list_l, w->rows);
    w->ncols = pick(R & ~L, n_r, list_r, w->cols);
    w->ninner = inner_of_r ? pick(L & R & ~kept, r->n, r->letter, w->inner)
                           : pick(L & R & ~kept, l->n, l->letter, w->inner);
    if (w->nbatch == 0 && w->nrows > 0 && w->ncols > 0) {
        bool stack_cols = last && w->nrows == 1 && w->ncols > 1 && e->nout > 1 &&
                          e->out[e->nout - 2] == w->rows[0];
        w->stacked_cols = stack_cols;
        w->stacked_rows = !stack_cols && w->nrows > 1;
    }
    int front = w->stacked_cols ? w->ncols - 1 : 0;
    append(&w->nresult, w->result, w->nbatch, w->batch);
    append(&w->nresult, w->result, front, w->cols);
    append(&w->nresult, w->result, w->nrows, w->rows);
    append(&w->nresult, w->result, w->ncols - front, w->cols + front);
    w->moves = !in_order(l, left_of(w, list), list);
    w->moves += !in_order(r, right_of(w, list), list);
    w->moves += last && memcmp(w->result, e->out, (size_t)w->nresult * sizeof *w->result) != 0;
}

/* The factor in that order, its rows (or columns) and inner letters flattened to one axis each;
 * `first` of the groups is in front and stays as it is. */
static bool flatten(tg_einsum *e, term *t, int n, const int *list, int first, int second) {
    tg_size dim[TG_MAX_RANK + 1] = {0};
    if (!order(e, t, n, list)) return false;
    int third = n - first - second, r = 0;
    if (second <= 1 && third <= 1) return true;
    for (int i = 0; i < first; i++) dim[r++] = e->size[list[i]];
    if (second > 0 && (dim[r++] = size_of(e, second, list + first)) == TG_SIZE_FAIL) return false;
    if (third > 0 && (dim[r++] = size_of(e, third, list + first + second)) == TG_SIZE_FAIL)
        return false;
    return reshape(e, t, r, dim);
}

static const char *product_of(int rank_l, int rank_r) {
    if (rank_l == 1) return rank_r == 1 ? "vdot" : "vecmat";
    return rank_r == 1 ? "matvec" : "matmul";
}

static bool matrix_product(tg_einsum *e, term *l, term *r, const layout *w) {
    int list[TG_MAX_RANK] = {0}, n = left_of(w, list), loose = w->stacked_rows ? w->nrows - 1 : 0;
    bool vector_l = w->nrows == 0, vector_r = w->ncols == 0, batch = w->nbatch > 0;
    if (vector_r && !batch && w->nrows > 1) loose = w->nrows - 1; /* a stack times a vector */
    if (!flatten(e, l, n, list, w->nbatch + loose, w->nrows - loose)) return false;
    n = right_of(w, list);
    int front = w->stacked_cols ? w->ncols - 1 : 0;
    if (!flatten(e, r, n, list, w->nbatch + front, w->ninner)) return false;
    if (batch && vector_l && !apply(e, l, "unsqueeze", "axis", tg_value_number(-2))) return false;
    if (batch && vector_r && !apply(e, r, "unsqueeze", "axis", tg_value_number(-1))) return false;
    const char *op =
        batch || w->ninner == 0 ? "matmul" : product_of(vector_l ? 1 : 2, vector_r ? 1 : 2);
    if (w->ninner == 0) { /* an outer product for each of the batch */
        if (!apply(e, l, "unsqueeze", "axis", tg_value_number(-1)) ||
            !apply(e, r, "unsqueeze", "axis", tg_value_number(-2)))
            return false;
    }
    if (!combine(e, op, l, r)) return false;
    if (batch && vector_l && !apply(e, l, "squeeze", "axis", tg_value_number(-2))) return false;
    if (batch && vector_r && !apply(e, l, "squeeze", "axis", tg_value_number(-1))) return false;
    l->n = w->nresult;
    memcpy(l->letter, w->result, sizeof w->result);
    bool merged_rows = w->nrows - loose > 1, merged_cols = w->ncols - front > 1;
    if (!merged_rows && !merged_cols) return true;
    tg_size dim[TG_MAX_RANK];
    for (int i = 0; i < w->nresult; i++) dim[i] = e->size[w->result[i]];
    return reshape(e, l, w->nresult, dim);
}

/* Two tensors without a common letter. */
static bool outer(tg_einsum *e, term *l, term *r) {
    int n = 0, list[TG_MAX_RANK];
    tg_size dim[TG_MAX_RANK];
    append(&n, list, l->n, l->letter);
    append(&n, list, r->n, r->letter);
    bool flat = l->n == 1 && r->n == 1;
    if (l->n > 1 && !apply(e, l, "flatten", NULL, TG_NONE_VALUE)) return false;
    if (r->n > 1 && !apply(e, r, "flatten", NULL, TG_NONE_VALUE)) return false;
    if (!combine(e, "outer", l, r)) return false;
    l->n = n;
    memcpy(l->letter, list, sizeof list);
    for (int i = 0; i < n; i++) dim[i] = e->size[list[i]];
    return flat || reshape(e, l, n, dim);
}

/* Does what is first in the result stand in b? */
static bool b_comes_first(const tg_einsum *e, const term *a, const term *b) {
    for (int i = 0; i < e->nout; i++) {
        bool in_a = place_of(a, e->out[i]) >= 0, in_b = place_of(b, e->out[i]) >= 0;
        if (in_a != in_b) return in_b;
    }
    return false;
}

static bool too_many_axes(tg_einsum *e, int n) {
    return tg_fail(&e->in->rt.c, TG_ERR_SHAPE,
                   "a step of this would have %d axes; tensors have at most %d", n, TG_MAX_RANK);
}

/* a becomes the product of both, summed over the letters that are not kept; b is used up. */
static bool contract(tg_einsum *e, term *a, term *b, tg_letters kept, bool last) {
    tg_letters A = letters(a), B = letters(b), gone = A & B & ~kept;
    int most = __builtin_popcountll((A | B) & kept);
    if (most > TG_MAX_RANK) return too_many_axes(e, most);
    bool nested = (A & ~B) == 0 || (B & ~A) == 0;
    if (A == B && gone && !(a->n == 1)) return multiply(e, a, b) && sum_over(e, a, gone);
    if (!gone && nested) return multiply(e, a, b);
    term result, *l = a, *r = b;
    if (!gone && !(A & B)) {
        if (b_comes_first(e, a, b)) l = b, r = a;
        if (!outer(e, l, r)) return false;
    } else {
        layout best = {0}, w;
        for (int i = 0; i < 4; i++) {
            bool swap = i >= 2;
            lay_out(e, swap ? b : a, swap ? a : b, kept, last, i & 1, &w);
            w.swap = swap;
            if (i == 0 || w.moves < best.moves) best = w;
        }
        if (best.swap) l = b, r = a;
        if (!matrix_product(e, l, r, &best)) return false;
    }
    result = *l;
    *l = (term){0};
    *a = result;
    return true;
}

/* ---- the order of several ---- */

static double count_of(const tg_einsum *e, tg_letters s) {
    double n = 1;
    for (int i = 0; i < TG_EINSUM_LETTERS; i++)
        if (has(s, i)) n *= tg_size_known(e->size[i]) ? (double)e->size[i] : UNKNOWN;
    return n;
}

/* What of the letters of the terms in `of` is wanted outside: by the result or another term. */
static tg_letters wanted(const tg_einsum *e, const tg_letters *of_term, unsigned of) {
    tg_letters inside = 0, outside = set_of(e->nout, e->out);
    for (int i = 0; i < e->nterms; i++) {
        if (of >> i & 1)
            inside |= of_term[i];
        else
            outside |= of_term[i];
    }
    return inside & outside;
}

/* The best way to part each set of terms in two. `cost` counts multiplications; where it is the
 * same, terms stay in the order in which they were written, and products grow at the left. */
static void best_partings(const tg_einsum *e, unsigned *part) {
    tg_letters of_term[OPTIMAL] = {0};
    double cost[1 << OPTIMAL];
    for (int i = 0; i < e->nterms; i++) of_term[i] = letters(&e->term[i]);
    for (unsigned set = 1; set < 1u << e->nterms; set++) {
        cost[set] = 0;
        part[set] = 0;
        if ((set & (set - 1)) == 0) continue;
        bool first = true, was_straight = false;
        unsigned low = set & -set;
        for (unsigned l = (set - 1) & set; l; l = (l - 1) & set) {
            if (!(l & low)) continue;
            unsigned r = set & ~l;
            tg_letters both = wanted(e, of_term, l) | wanted(e, of_term, r);
            double c = cost[l] + cost[r] + count_of(e, both);
            bool straight = l < (r & -r); /* all of l were written before r */
            if (first || c < cost[set] || (c == cost[set] && straight && !was_straight)) {
                cost[set] = c;
                part[set] = l;
                was_straight = straight;
                first = false;
            }
        }
    }
}

/* Contracts the terms of the set, into the first of them. */
static bool contract_set(tg_einsum *e, const tg_letters *of_term, const unsigned *part,
                         unsigned set, int *at) {
    *at = __builtin_ctz(set);
    if ((set & (set - 1)) == 0) return true;
    int l = 0, r = 0;
    bool last = set == (1u << e->nterms) - 1;
    return contract_set(e, of_term, part, part[set], &l) &&
           contract_set(e, of_term, part, set & ~part[set], &r) &&
           contract(e, &e->term[l], &e->term[r], wanted(e, of_term, set), last);
}

/* The letters that are wanted besides by terms a and b. */
static tg_letters wanted_besides(const tg_einsum *e, int a, int b) {
    tg_letters s = set_of(e->nout, e->out);
    for (int i = 0; i < e->nterms; i++)
        if (i != a && i != b) s |= letters(&e->term[i]);
    return s;
}

static bool contract_greedily(tg_einsum *e) {
    while (e->nterms > 1) {
        int a = 0, b = 1;
        double least = 0;
        if (!tg_check_interrupt(&e->in->rt.c)) return false;
        for (int i = 0; i < e->nterms; i++)
            for (int k = i + 1; k < e->nterms; k++) {
                tg_letters A = letters(&e->term[i]), B = letters(&e->term[k]);
                double grows = count_of(e, (A | B) & wanted_besides(e, i, k)) - count_of(e, A) -
                               count_of(e, B);
                if ((i == 0 && k == 1) || grows < least) least = grows, a = i, b = k;
            }
        if (!contract(e, &e->term[a], &e->term[b], wanted_besides(e, a, b), e->nterms == 2))
            return false;
        e->nterms--;
        memmove(&e->term[b], &e->term[b + 1], (size_t)(e->nterms - b) * sizeof *e->term);
        e->term[e->nterms] = (term){0};
    }
    return true;
}

static bool contract_all(tg_einsum *e) {
    unsigned part[1 << OPTIMAL];
    tg_letters of_term[OPTIMAL] = {0};
    int at;
    if (e->nterms > OPTIMAL) return contract_greedily(e);
    for (int i = 0; i < e->nterms; i++) of_term[i] = letters(&e->term[i]);
    best_partings(e, part);
    return contract_set(e, of_term, part, (1u << e->nterms) - 1, &at);
}

bool tg_einsum_compute(tg_einsum *e, tg_value *out) {
    tg_letters result = set_of(e->nout, e->out);
    for (int i = 0; i < e->nterms; i++) {
        tg_letters kept = result;
        for (int k = 0; k < e->nterms; k++)
            if (k != i) kept |= letters(&e->term[k]);
        if (!take_diagonals(e, &e->term[i], kept) ||
            !sum_over(e, &e->term[i], letters(&e->term[i]) & ~kept))
            return false;
    }
    if (!contract_all(e) || !order(e, &e->term[0], e->nout, e->out)) return false;
    *out = e->term[0].x.value;
    e->term[0].x = (tg_argument){0};
    return true;
}
