/* All that a level has: included by level_*.c, once each. */
#ifndef TG_VEC_KERNELS_H
#define TG_VEC_KERNELS_H

#include "runtime/vec/elementwise.h"
#include "runtime/vec/folds.h"
#include "runtime/vec/pieces.h"
#include "runtime/vec/vec.h"

enum { NARROW = 32 };
#define T float
#define FN(name) name##_float
#include "runtime/vec/exponents.h"
#undef T
#undef FN
#define T double
#define FN(name) name##_double
#include "runtime/vec/exponents.h"
#undef T
#undef FN
static const tg_exponents exponents[] = {{shift_float, short_lines_float},
                                         {shift_double, short_lines_double}};

static double one_pow(double x, double y) {
    return v_pow_double(splat_double(x), splat_double(y))[0];
}

#define TABLE_OF(LEVEL) TABLE(LEVEL)
#define TABLE(LEVEL) tg_vec_##LEVEL
#define NAME_OF(LEVEL) NAME(LEVEL)
#define NAME(LEVEL) #LEVEL

extern const tg_vec TABLE_OF(LEVEL);
const tg_vec TABLE_OF(LEVEL) = {.name = NAME_OF(LEVEL),
                                .bytes = VECTOR_BYTES,
                                .elementwise = elementwise,
                                .fold = folds,
                                .exponents = exponents,
                                .pieces = pieces,
                                .pow = one_pow};

#endif
