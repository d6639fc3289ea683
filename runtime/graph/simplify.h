/* The simplifier: bottom-up over the shared graph, memoised. It ends, never makes a formula larger,
 * and aims at the form a textbook prints. Pattern rules are data with names in
 * runtime/graph/rules.def. */
#ifndef TG_RUNTIME_SIMPLIFY_H
#define TG_RUNTIME_SIMPLIFY_H

#include "runtime/graph/node.h"

/* What n was simplified to as a part of some formula, where that is the same value for all
 * arguments: factors and terms in another order, numbers multiplied, shapes changed at once. NULL:
 * it was not, or by a law with conditions, or an assumption. */
tg_node *tg_simplified_part(const tg_rt *rt, const tg_node *n);
bool tg_simplify_init(tg_rt *rt);
void tg_simplify_free(tg_rt *rt);
/* The simplified formula; NULL: an error. *used (may be NULL) gets the bit mask of assumptions that
 * were used. */
tg_node *tg_simplify(tg_rt *rt, tg_node *n, uint32_t *used);
/* The same with some parts left alone, as if they were leaves (they are about to be differentiated
 * by). */
tg_node *tg_simplify_around(tg_rt *rt, tg_node *n, int nkeep, tg_node *const *keep, uint32_t *used);
/* The formula with naive parts in their stable form (log of a softmax, log of a sum of
 * exponentials, exp(x) - 1) and nothing else changed: what evaluation computes. Remembered in the
 * node. NULL: an error. */
tg_node *tg_node_stable(tg_rt *rt, tg_node *n);
/* Forgets all simple forms: what is assumed has changed. */
void tg_simplify_forget(tg_rt *rt);
/* Do a and b have one normal form: is their difference zero after simplifying, multiplying out,
 * distributing products over sums and collecting? *same is true only when that is proved; *used
 * (may be NULL) gets the assumptions that the proof needs. False: an error. */
bool tg_simplify_same(tg_rt *rt, tg_node *a, tg_node *b, bool *same, uint32_t *used);
/* Where the last tg_simplify met its budget of rewrites: appends one sentence and returns true. The
 * formula is right then, but may not be simple. */
bool tg_simplify_budget_met(tg_rt *rt, tg_str *out);
/* The steps that the last tg_simplify took. */
uint64_t tg_simplify_steps(const tg_rt *rt);
/* The names of the rules applied in the last tg_simplify, for why(e): appended one a line. */
void tg_simplify_why(tg_rt *rt, tg_str *out);

/* ---- why.c: what was done, and where ---- */

/* Simplifies n anew and appends a line for each law that the result owes to, and one for the first
 * place of it, indented: what stood there = what it became. False: an error. *any: there was one.
 */
bool tg_why_simple(tg_rt *rt, tg_node *n, tg_str *out, bool *any);
/* The same for the stable forms in which n is computed: the places only. */
bool tg_why_stable(tg_rt *rt, tg_node *n, tg_str *out, bool *any);

#endif
