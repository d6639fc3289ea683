/* Operators on two plain numbers, the innermost thing that a program does: computed on the spot, as
 * the rows of runtime/ops/elementwise.def say (tests/unit/test_scalar.c compares them). */
#ifndef TG_INTERP_SCALAR_H
#define TG_INTERP_SCALAR_H

#include "interp/value.h"
#include "runtime/vec/vec.h"

#include <math.h>

/* The ways in which an operator's node is computed (tg_ast_seen.way), the operators of numbers
 * first. */
typedef enum tg_way {
    TG_WAY_UNSEEN,
    TG_WAY_ADD,
    TG_WAY_SUB,
    TG_WAY_MUL,
    TG_WAY_DIV,
    TG_WAY_MOD,
    TG_WAY_POW,
    TG_WAY_LT,
    TG_WAY_LE,
    TG_WAY_GT,
    TG_WAY_GE,
    TG_WAY_EQ,
    TG_WAY_NE,
    TG_WAY_OTHER, /* @ */
    TG_WAY_CHAIN, /* a long row of operators, walked with a list */
    TG_WAY_LOGICAL,
} tg_way;

/* Of an operator's canonical spelling: up to TG_WAY_OTHER. */
static inline tg_way tg_way_of(const char *symbol) {
    bool equal = symbol[0] && symbol[1] == '=';
    switch (symbol[0]) {
    case '+': return TG_WAY_ADD;
    case '-': return TG_WAY_SUB;
    case '*': return TG_WAY_MUL;
    case '/': return TG_WAY_DIV;
    case '%': return TG_WAY_MOD;
    case '^': return TG_WAY_POW;
    case '<': return equal ? TG_WAY_LE : TG_WAY_LT;
    case '>': return equal ? TG_WAY_GE : TG_WAY_GT;
    case '=': return TG_WAY_EQ;
    case '!': return TG_WAY_NE;
    default: return TG_WAY_OTHER;
    }
}

/* The remainder with the sign of b. Of small whole numbers > 0 it is found without fmod. */
static inline double tg_scalar_mod(double a, double b) {
    const double most = 4294967296.0;
    if (a > 0 && a < most && b >= 1 && b < most) {
        uint64_t m = (uint64_t)a, n = (uint64_t)b;
        if ((double)m == a && (double)n == b) return (double)(m % n);
    }
    double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* To the last bit what an element of a tensor gives. */
static inline double tg_scalar_pow(double a, double b) {
    return b == 2 ? a * a : tg_vec_now()->pow(a, b);
}

/* a way b, which is one of the operators of numbers. */
static inline __attribute__((always_inline)) tg_value tg_scalar(tg_way way, double a, double b) {
    switch (way) {
    case TG_WAY_ADD: return tg_value_number(a + b);
    case TG_WAY_SUB: return tg_value_number(a - b);
    case TG_WAY_MUL: return tg_value_number(a * b);
    case TG_WAY_DIV: return tg_value_number(a / b);
    case TG_WAY_MOD: return tg_value_number(tg_scalar_mod(a, b));
    case TG_WAY_POW: return tg_value_number(tg_scalar_pow(a, b));
    case TG_WAY_LT: return tg_value_bool(a < b);
    case TG_WAY_LE: return tg_value_bool(a <= b);
    case TG_WAY_GT: return tg_value_bool(a > b);
    case TG_WAY_GE: return tg_value_bool(a >= b);
    case TG_WAY_EQ: return tg_value_bool(a == b);
    default: return tg_value_bool(a != b);
    }
}

#endif
