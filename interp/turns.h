/* How far a loop came, for the message of an interrupt: "turn 57 of 100 (epoch = 57)". */
#ifndef TG_INTERP_TURNS_H
#define TG_INTERP_TURNS_H

#include "interp/interp.h"

/* Says so of a pending interrupt: `loop`, which runs in env, is in its `turn` (from 1; 0: nobody
 * counted) of `n` (negative: nobody knows). Other errors stay as they are. */
void tg_turns_tell(tg_interp *in, tg_env *env, const tg_ast *loop, int64_t turn, int64_t n);

#endif
