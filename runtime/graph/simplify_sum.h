/* Sums in normal form, shared by simplify_sum.c and simplify_factor.c. */
#ifndef TG_RUNTIME_SIMPLIFY_SUM_H
#define TG_RUNTIME_SIMPLIFY_SUM_H

#include "runtime/graph/simplifier.h"

typedef struct tg_term {
    tg_ratio c;
    tg_node *core; /* NULL: the number 1 */
    tg_node *key;  /* the core with its factors by id: a * b and b * a are like terms */
} tg_term;

typedef struct tg_terms {
    tg_term *t;
    size_t n, cap;
    size_t *place; /* hash table over the cores of a long sum: index + 1 */
    size_t places;
} tg_terms;

void tg_terms_free(tg_terms *a);
/* a += c * n, n taken apart and like terms collected. raw: n has not been simplified. */
bool tg_terms_add(tg_simp *s, tg_terms *a, tg_ratio c, tg_node *n, bool raw);
/* The sum as a formula, after all that shortens it; its shape may still want stretching to t. NULL:
 * an error. */
tg_node *tg_terms_build(tg_simp *s, tg_terms *a, const tg_type *t);
/* The terms as a formula and nothing else tried. The terms are put in order. */
tg_node *tg_terms_plain(tg_simp *s, tg_terms *a, const tg_type *t);
/* One term: c * core. */
tg_node *tg_term_build(tg_simp *s, tg_ratio c, tg_node *core, const tg_type *t);

/* What stands for core when like terms are looked for: factors by id, chains of @ flat. p: the
 * factors of core, changed. */
tg_node *tg_term_key(tg_simp *s, tg_product *p, tg_node *core);

/* ---- simplify_factor.c: each sets *made when it applies, and leaves it NULL otherwise. False: an
 * error ---- */

/* Products multiplied out, where the whole is shorter then. */
bool tg_terms_expand(tg_simp *s, tg_terms *a, const tg_type *t, tg_node **made);
/* The sum over one denominator, where *made, the sum as it is, is longer. */
bool tg_terms_over(tg_simp *s, const tg_terms *a, const tg_type *t, tg_node **made);
/* A factor that all terms share, put before or under the sum. */
bool tg_terms_common(tg_simp *s, tg_terms *a, const tg_type *t, tg_node **made);
/* A @ x + B @ x = (A + B) @ x: changes the terms (simplify_chain.c). */
bool tg_terms_operands(tg_simp *s, tg_terms *a, bool *changed);

#endif
