/* The statement `assume`; see builtin_assume.c. */
#ifndef TG_INTERP_ASSUME_H
#define TG_INTERP_ASSUME_H

#include "interp/interp.h"

bool tg_assume_statement(tg_interp *in, tg_env *env, const tg_ast *s);
/* Writes what is assumed, one a line. */
bool tg_assume_list(tg_interp *in);

#endif
