/* Errors in the user's own terms: source text for operands, shapes below the carets. */
#ifndef TG_INTERP_BLAME_H
#define TG_INTERP_BLAME_H

#include "interp/interp.h"

/* Gives the pending error a place unless it has one. Returns false. */
bool tg_blame(tg_interp *in, const tg_ast *e);
/* The same for an operator: caret at the operator, tildes under the operands. */
bool tg_blame_operator(tg_interp *in, const tg_ast *e);
/* Puts the source text of args[operand[i]] for {i} in message and help, and the operands' shapes
 * below. Returns false. */
bool tg_blame_operands(tg_interp *in, int n, const int *operand, const tg_argument *args);
/* Formulas in *v that know no place yet were written as e. What the library is made of is placed
 * where the user called it. False: no memory; *v is dropped then. */
bool tg_place(tg_interp *in, const tg_ast *e, tg_value *v);
bool tg_is_library_text(const tg_source *src);
/* An unknown name, with the nearest known one as help. Returns false. */
bool tg_blame_name(tg_interp *in, tg_env *env, const char *name);
/* To be called where np.sum or np.linalg.inv, which is e, has failed for its first name: the help
 * becomes what tg has for the last. */
void tg_blame_prefix(tg_interp *in, const tg_ast *e);
/* The record has no field of that name. Returns false. */
bool tg_blame_field(tg_interp *in, tg_value record, const char *name);
/* Adds to the pending error which of the choices, a list that ends with NULL, `word` was meant to
 * be; the other help where none is near, or word is NULL. Returns false. */
bool tg_help_choice(tg_interp *in, const char *word, const char *const *choices,
                    const char *otherwise);
/* Holds a text that goes out of use while the pending error may point into it. Without memory for
 * that the error loses its place instead. */
void tg_blame_keep(tg_interp *in, tg_source *src);
/* Lets these texts go: the error has been reported. */
void tg_blame_release(tg_interp *in);
/* A remark that is not an error, on the echo at the prompt and on standard error in a script. */
void tg_remark(tg_interp *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a text of several lines; it is up to the caller not to repeat it. */
void tg_remark_text(tg_interp *in, const char *text);
/* Has nothing been remarked under that key since the session was entered? From now on it has. */
bool tg_remark_is_new(tg_interp *in, uint64_t key);

#endif
