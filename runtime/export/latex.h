/* Formulas as LaTeX, for a document that loads amsmath. */
#ifndef TG_RUNTIME_LATEX_H
#define TG_RUNTIME_LATEX_H

#include "runtime/graph/node.h"

/* Appends the formula, without dollar signs. As when printed, labelled nodes below the root are
 * names. `name`: what it is called, "cost" gives `cost = ...`; NULL: the formula alone. A sum too
 * wide for a line is broken between its terms (aligned); of a formula too long to read the rest is
 * left out as dots. */
bool tg_latex(tg_rt *rt, tg_str *s, const tg_node *n, const char *name);

/* A name of the user's in mathematics: alpha is \alpha, x1 and x_1 are x_{1}, cost is
 * \mathit{cost}. */
void tg_latex_name(tg_str *s, const char *name, size_t len);
/* 0.5, \pi, \infty, 1.5 \cdot 10^{-3} */
void tg_latex_number(tg_str *s, double x);
/* Text as tg prints it, the inside of brackets or an attribute: names, numbers and operators. */
void tg_latex_text(tg_str *s, const char *text);

#endif
