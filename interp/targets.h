/* What check and derive differentiate, and by what: a formula and the variables in a value, or a
 * function and variables made for its arguments. */
#ifndef TG_INTERP_TARGETS_H
#define TG_INTERP_TARGETS_H

#include "interp/interp.h"

enum { TG_MOST_PARAMETERS = 8 };

typedef struct tg_targets {
    tg_node *y; /* held by y_value */
    size_t n, cap;
    tg_node **x;         /* held by the caller's argument, or by made[] */
    const char **x_name; /* what the user calls each */
    char name[80];       /* of y: "cost", "f(t)"; "y" or another free one where it has none */
    tg_value y_value;
    int nmade;
    tg_value made[TG_MOST_PARAMETERS];
} tg_targets;

/* y and x as given to a builtin called `what`. Free in any case. */
bool tg_targets_find(tg_interp *in, const char *what, const tg_argument *y, const tg_argument *x,
                     tg_targets *out);
void tg_targets_free(tg_targets *t);
/* y has no axes; or an error that says what to write instead, {0} and {1} being y and x. */
bool tg_targets_scalar(tg_interp *in, const char *what, const tg_targets *t);
/* Is that a name of the user's? */
bool tg_targets_taken(tg_interp *in, const char *name);
/* Fresh variables for the arguments that a function must be given, the first with the value of x
 * (NULL: none has a value) into made[*n], also on failure; the caller drops them. */
bool tg_function_variables(tg_interp *in, const char *what, tg_value f, const tg_argument *x,
                           int *n, tg_value *made);
bool tg_function_apply(tg_interp *in, tg_value f, int n, const tg_value *value, tg_value *out);
/* How many that is; -1: not to be told. */
int tg_function_arity(tg_value f);
const char *tg_function_parameter(tg_value f, int i);

#endif
