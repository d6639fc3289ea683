/* Inside of the simplifier: what simplify.c and its parts share.
 *
 * A run rewrites nodes by ascending id, so that a node's arguments are in simple form when its turn
 * comes. Each part looks at one kind of node: simplify_product.c at mul, div, neg, pow;
 * simplify_sum.c, with simplify_factor.c, at add, sub; simplify_linear.c at operations that are
 * linear in an argument; simplify_shape.c at what moves elements; simplify_rules.c at anything that
 * a named pattern describes. simplify_frame.c knows what zeros around something do to sums;
 * simplify_norm.c knows lengths and directions; simplify_parts.c has the small tools of all, and
 * simplify_spell.c writes the result. */
#ifndef TG_RUNTIME_SIMPLIFIER_H
#define TG_RUNTIME_SIMPLIFIER_H

#include "runtime/graph/rule.h"
#include "runtime/graph/simplify.h"

/* ---- the named rules ---- */

enum {
#define NAMED(id, name, when) TG_LAW_##id,
#define RULE(id, name, pattern, replacement, when) TG_LAW_##id,
#define STABLE(id, name, pattern, replacement, when) TG_LAW_##id,
#define COMPUTED(id, name, pattern, replacement, when) TG_LAW_##id,
#define GIVEN(id, name, pattern, replacement, when) TG_LAW_##id,
#define LINEAR(op, mask)
#define FRAMED(op)
#include "runtime/graph/rules.def"
    TG_LAWS
};

/* A set of them, a bit each. */
typedef struct tg_laws {
    uint64_t w[(TG_LAWS + 63) / 64];
} tg_laws;

static inline void tg_laws_add(tg_laws *to, const tg_laws *more) {
    for (size_t i = 0; i < sizeof to->w / sizeof *to->w; i++) to->w[i] |= more->w[i];
}
static inline bool tg_laws_has(const tg_laws *set, int law) {
    return set->w[law / 64] >> law % 64 & 1;
}

/* The pattern of a law, read once. */
typedef struct tg_pattern {
    const struct tg_ast *ast;   /* NULL: done by code */
    const tg_op *head, *kid[2]; /* the operations that the whole and its two operands must be, or
                                   NULL: not known */
    char kind;                  /* '+', '-', '*', '/' for sums and products; else 0 */
    short next;                 /* the next law of that kind, or -1 */
} tg_pattern;
/* The patterns of all laws. NULL: an error. */
const tg_pattern *tg_simp_patterns(tg_rt *rt);
/* The first law of that kind, or -1; once the patterns are read. */
int tg_simp_first_law(const tg_rt *rt, char kind);

/* ---- the memo: what each node was simplified to ---- */

typedef struct tg_memo_entry {
    tg_node *key;   /* NULL: an empty place */
    tg_node *val;   /* NULL: not simplified yet */
    double cost;    /* operations in the node as a tree; negative: not counted yet */
    tg_laws why;    /* the laws used in it */
    uint32_t used;  /* the assumptions used in it, a bit each */
    bool stable;    /* a stable form replaced a naive one somewhere in it */
    bool shared;    /* has had several users in one formula */
    bool inner;     /* a link of a chain that is taken apart by its last user, not by itself */
    uint64_t run;   /* the last run that met it ... */
    uint32_t users; /* ... and how many users it has there */
} tg_memo_entry;

typedef struct tg_memo {
    tg_memo_entry *slot;
    size_t cap, count; /* cap is a power of two, at most half full */
} tg_memo;

/* The memo of the session. */
tg_memo *tg_simplify_memo(tg_rt *rt);
/* The entry of n, made if need be; NULL: no memory (recorded). Valid until the next call. */
tg_memo_entry *tg_memo_at(tg_rt *rt, tg_memo *m, tg_node *n);

/* ---- a run ---- */

typedef struct tg_simp {
    tg_rt *rt;
    tg_memo *memo;
    int nkeep; /* nodes to leave alone */
    tg_node *const *keep;
    /* of the node under way */
    tg_laws why;
    uint32_t used;
    bool stable;
    int depth; /* of replacements simplified in turn */
    /* the budget: see tg_simp_step */
    uint64_t steps, most;           /* taken in this run, and allowed; most == 0: any number */
    uint64_t node_steps, node_most; /* steps when the node under way began, and allowed for it */
    tg_node *met;                   /* where the budget was met first, or NULL */
    tg_node *under;
    struct tg_named *named;
    size_t named_count; /* the node under way */
    bool expanding;     /* products are being multiplied out: not again inside */
    int turned;         /* nodes that the search for transposes under way has met */
    const tg_op *add, *sub, *neg, *mul, *div, *pow, *expand, *zeros, *ones, *transpose, *sum, *mean,
        *sigmoid, *eye, *where, *norm, *unit, *zeros_like, *ones_like;
    const tg_op *matmul, *matvec, *vecmat, *vdot;
} tg_simp;

static inline void tg_simp_note(tg_simp *s, int law) {
    s->why.w[law / 64] |= UINT64_C(1) << law % 64;
}

/* Counts n steps of a rewrite. False: the budget of the run, or of the node under way, is spent;
 * the caller leaves what it has before it as it is, which is right but perhaps not simple. */
bool tg_simp_step(tg_simp *s, uint64_t n);

/* Kept nodes are looked at by nobody; labelled ones are not taken apart, so that they print by
 * their names. */
bool tg_simp_is_kept(const tg_simp *s, const tg_node *n);
static inline bool tg_simp_is_closed(const tg_simp *s, const tg_node *n) {
    return n->label || tg_simp_is_kept(s, n);
}

/* An argument of an unsimplified node: itself if it is an inner link (*raw is then true), else its
 * simple form. NULL: no memory. */
tg_node *tg_simp_arg(tg_simp *s, tg_node *arg, bool *raw);
/* Is n large and used in several places? It is then not taken apart: each user would build its own
 * copy of it. */
bool tg_simp_is_shared(tg_simp *s, tg_node *n);
/* Simplifies a node made by a rewrite, whose parts may be new. */
tg_node *tg_simp_again(tg_simp *s, tg_node *n);
/* The number of operations of n as a tree, in which named parts are names. Negative: no memory. */
double tg_simp_cost(tg_simp *s, tg_node *n);
/* The same where n is a part of something: nothing for a named one. */
double tg_simp_part_cost(tg_simp *s, tg_node *n);

/* Same shape; a plain number may stand for a scalar of any float type. */
bool tg_simp_fits(const tg_type *a, const tg_type *want);
/* A tensor of that shape, each element the scalar; a scalar stays itself. */
tg_node *tg_simp_uniform(tg_simp *s, tg_node *scalar, const tg_type *t);
tg_node *tg_simp_uniform_number(tg_simp *s, double x, const tg_type *t);
/* The scalar that every element of n is, or NULL (no error): numbers, zeros, ones, expand of a
 * scalar. Zero and one are made numbers. */
tg_node *tg_simp_scalar_of(tg_simp *s, tg_node *n);
bool tg_simp_is_uniform(const tg_simp *s, const tg_node *n, double x);
/* n stretched to the shape of t. */
tg_node *tg_simp_expand(tg_simp *s, tg_node *n, const tg_type *t);
/* Is n a reduction with the attributes axis and keep? */
bool tg_simp_has_keep(const tg_node *n);
/* What n stretches, where elementwise arithmetic would stretch it by itself; else n. NULL: an
 * error. */
tg_node *tg_simp_unexpand(tg_simp *s, tg_node *n);
/* op(a, b) where a and b broadcast to a part of t's shape: a is expanded where neither has the
 * shape of the result. */
tg_node *tg_simp_combine(tg_simp *s, const tg_op *op, tg_node *a, tg_node *b, const tg_type *t);
/* The number that n, of small tensors without names and numbers, is; else n. */
tg_node *tg_simp_fold(tg_simp *s, tg_node *n);
/* op(a, b, ...) without attributes. */
tg_node *tg_simp_make(tg_simp *s, const tg_op *op, tg_node *a, tg_node *b);

/* ---- products (simplify_product.c) ---- */

/* A number as a fraction, so that 2 * x / 3 keeps both. d > 0. */
typedef struct tg_ratio {
    double n, d;
} tg_ratio;
tg_ratio tg_ratio_of(double x);
tg_ratio tg_ratio_mul(tg_ratio a, tg_ratio b);
tg_ratio tg_ratio_div(tg_ratio a, tg_ratio b);
tg_ratio tg_ratio_add(tg_ratio a, tg_ratio b);
static inline double tg_ratio_value(tg_ratio a) {
    return a.n / a.d;
}

typedef struct tg_factor {
    tg_node *base;
    double power;
} tg_factor;

typedef struct tg_product {
    tg_ratio c;
    tg_factor *f;
    size_t n, cap;
} tg_product;

void tg_product_free(tg_product *p);
/* p *= n^power, n taken apart. raw: n has not been simplified. False: no memory. */
bool tg_product_add(tg_simp *s, tg_product *p, tg_node *n, double power, bool raw);
/* p as a formula of that shape. NULL: an error. */
tg_node *tg_product_build(tg_simp *s, tg_product *p, const tg_type *t);
/* p with its factors in the order of their ids: equal products have equal keys. p is changed. */
tg_node *tg_product_key(tg_simp *s, tg_product *p, const tg_type *t);
/* n = (what is returned) * (*p): p gets the number and the factors of rank 0, if n has rank > 0; of
 * a scalar, the number only. only_fixed: no factor that a derivative may be taken by. */
tg_node *tg_product_split(tg_simp *s, tg_node *n, bool only_fixed, tg_product *p);
/* -n when that needs no more operations than n; else NULL without an error. */
tg_node *tg_simp_negated(tg_simp *s, tg_node *n, int depth);
tg_node *tg_simp_product(tg_simp *s, tg_node *n);

/* ---- products with names (simplify_named.c) ---- */

/* Lists the named products under n, by which equal ones are written from now on. */
bool tg_named_begin(tg_simp *s, tg_node *n);
void tg_named_end(tg_simp *s);
/* Puts names for what p has of them. */
bool tg_product_names(tg_simp *s, tg_product *p);

/* ---- chains of @ (simplify_chain.c) ---- */

/* Is n a product of several by @, or the transpose of one? */
bool tg_chain_is(const tg_simp *s, const tg_node *n);
/* The same for all bracketings of a chain and all places of its transposes. NULL: an error. */
tg_node *tg_chain_key(tg_simp *s, tg_node *n);
/* n with its transposes moved where there are fewest, or n. NULL: an error. */
tg_node *tg_chain_transposes(tg_simp *s, tg_node *n);
/* (n')' with the outer transpose left standing, where that is shorter by two: A' @ B' + B' @ A' is
 * (A @ B + B @ A)'. Else n. */
tg_node *tg_chain_pull(tg_simp *s, tg_node *n);
/* n' for a matrix n, transposes moved inward where that leaves fewer. */
tg_node *tg_chain_prime(tg_simp *s, tg_node *n);

/* ---- the rest ---- */

tg_node *tg_simp_sum(tg_simp *s, tg_node *n); /* simplify_sum.c: add and sub */
tg_node *tg_simp_linear(tg_simp *s, tg_node *n,
                        int mask);         /* simplify_linear.c: arguments in simple form already */
int tg_simp_linear_mask(const tg_node *n); /* the arguments that n is linear in */
tg_node *tg_simp_structure(tg_simp *s, tg_node *n); /* simplify_shape.c: n or something shorter */
/* Joins what of a product is a direction, x / norm(x), or a length times it (simplify_norm.c). */
bool tg_product_norms(tg_simp *s, tg_product *p);
/* What cancels in quotients (simplify_quotient.c): roots, logistic functions, and sums divided by
 * another factor, which are multiplied out. False: an error. */
bool tg_product_roots(tg_simp *s, tg_product *p);
bool tg_product_logistic(tg_simp *s, tg_product *p);
bool tg_product_cancel(tg_simp *s, tg_product *p, const tg_type *t);
/* Is n the direction of a name, or of something as short as A @ x - b? */
bool tg_simp_is_short_unit(tg_simp *s, const tg_node *n);
/* x / norm(x) for unit(x). */
tg_node *tg_simp_over_norm(tg_simp *s, tg_node *n);
/* c when n is the number c between zeros, which c * onehot(i, n) says too; else 0. */
double tg_simp_single(const tg_simp *s, const tg_node *n);
/* simplify_frame.c: does n put zeros around its argument? Then n, and a sum of all elements, each
 * itself or something shorter. */
bool tg_simp_is_framed(const tg_node *n);
tg_node *tg_simp_frame(tg_simp *s, tg_node *n);
tg_node *tg_simp_sum_of_frame(tg_simp *s, tg_node *n);
/* One of the named rules applied at the top of n, or n itself (simplify_rules.c). NULL: an error.
 * *law: which, or -1. */
tg_node *tg_simp_rule(tg_simp *s, tg_node *n, int *law, bool *stable);
/* n by the first stable rule that fits it, else n itself; NULL: an error. */
tg_node *tg_simp_stable(tg_simp *s, tg_node *n);
/* n, over computed forms, with pooling before what can wait (stable_pool.c). NULL without *failed:
 * it has nothing of the kind. */
tg_node *tg_stable_pool(tg_rt *rt, tg_node *n, bool *failed);
/* n by an equation that is assumed of it, else n itself (simplify_assume.c). NULL: an error. */
tg_node *tg_simp_assumed(tg_simp *s, tg_node *n);
/* simplify_shape.c: the identity matrix; a change of shape alone; x in that shape. */
bool tg_simp_is_eye(const tg_simp *s, const tg_node *n);
bool tg_simp_is_reshape(const tg_node *n);
/* Is n a slice, or what undoes one, that changes but the shape? (simplify_select.c) */
bool tg_simp_only_shapes(const tg_node *n);
tg_node *tg_simp_reshaped(tg_simp *s, tg_node *x, const tg_type *t);
/* simplify_reduce.c: sum and mean over axes; c * x in the shape t. */
tg_node *tg_simp_sum_over(tg_simp *s, tg_node *n);
tg_node *tg_simp_mean(tg_simp *s, tg_node *n);
tg_node *tg_simp_multiple(tg_simp *s, tg_node *c, tg_node *x, const tg_type *t);
/* n, or what it is where it takes one place of an axis of something known (simplify_select.c). */
tg_node *tg_simp_select(tg_simp *s, tg_node *n);
/* An embed, or the place that says the same. */
tg_node *tg_simp_placed(tg_simp *s, tg_node *n);
/* The argument of the transpose n where it is symmetric, else n; NULL: an error. */
tg_node *tg_simp_symmetric(tg_simp *s, tg_node *n);
/* Is `a op b` certain, for each element? The assumptions needed become those of the node under way.
 */
bool tg_simp_certain(tg_simp *s, const char *op, const tg_node *a, const tg_node *b);
/* Is the truth value n certain to be `truth`, in each element? */
bool tg_simp_is_certain(tg_simp *s, const tg_node *n, bool truth);
/* Fills in the operations that the parts compare with. */
void tg_simp_name_ops(tg_simp *s);
/* a + sign * b by one of the rules whose pattern is a sum or difference; NULL without an error when
 * none fits. */
tg_node *tg_simp_pair(tg_simp *s, tg_node *a, double sign, tg_node *b, bool *failed);
/* The same for a * b, or a / b when `over`, by a rule whose pattern is a product or quotient. */
tg_node *tg_simp_factors(tg_simp *s, tg_node *a, tg_node *b, bool over, bool *failed);
const char *tg_simp_law_name(int law);
/* Has the last simplification used it? */
bool tg_simplify_used(const tg_rt *rt, int law);
bool tg_simp_read_pattern(tg_rt *rt, int law, tg_pattern *out);
/* n, or the list of its elements, [2 * x[0], 20 * x[1]], where it is a sum of vectors with one
 * number each (simplify_elements.c). NULL: an error. */
tg_node *tg_simp_elements(tg_simp *s, tg_node *n);
/* The simple form n, a whole result, as it is written: 2 * A' @ x for 2 * (A' @ x)
 * (simplify_spell.c). NULL: an error. */
tg_node *tg_simp_spell(tg_simp *s, tg_node *n);

#endif
