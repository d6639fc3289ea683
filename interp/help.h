/* ?name: what a name means. */
#ifndef TG_INTERP_HELP_H
#define TG_INTERP_HELP_H

#include "interp/interp.h"

/* Writes the help on the name of a statement ?name: an operation, a function, a topic. */
bool tg_help_statement(tg_interp *in, tg_env *env, const tg_ast *s);

#endif
