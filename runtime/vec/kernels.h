/* All that a level has: included by level_*.c, once each. */
#ifndef TG_VEC_KERNELS_H
#define TG_VEC_KERNELS_H

#include "runtime/vec/elementwise.h"
#include "runtime/vec/folds.h"
#include "runtime/vec/vec.h"

#define TABLE_OF(LEVEL) TABLE(LEVEL)
#define TABLE(LEVEL) tg_vec_##LEVEL
#define NAME_OF(LEVEL) NAME(LEVEL)
#define NAME(LEVEL) #LEVEL

extern const tg_vec TABLE_OF(LEVEL);
const tg_vec TABLE_OF(LEVEL) = {.name = NAME_OF(LEVEL), .elementwise = elementwise, .fold = folds};

#endif
