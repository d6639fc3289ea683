/* Forgets the row macros of elementwise.def, so that it can be expanded once more. No include
 * guard: it is meant to be repeated. */
#undef ARITH1
#undef ARITH2
#undef ARITH3
#undef CURVE1
#undef CURVE2
#undef COMPARE
#undef CHOOSE
#undef LOGIC1
#undef LOGIC2
