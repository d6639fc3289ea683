/* The functions of elementwise.def as vector code for one element type: T is the type and FN(name)
 * the name with the type's suffix. Included once for float and once for double, hence without a
 * guard. The row `exp` is computed by FN(v_exp), and so on. */

typedef FN(v) FN(curve1)(FN(v));
typedef FN(v) FN(curve2)(FN(v), FN(v));
#define V FN(v)
#define M FN(i)

#define FROM_SLEEF(NAME, ERROR)                                                                    \
    INLINE V FN(v_##NAME)(V x) {                                                                   \
        return FN(SLEEF)(NAME, ERROR)(x);                                                          \
    }
FROM_SLEEF(exp, u10)
FROM_SLEEF(log, u10)
FROM_SLEEF(log2, u10)
FROM_SLEEF(log10, u10)
FROM_SLEEF(log1p, u10)
FROM_SLEEF(expm1, u10)
FROM_SLEEF(sin, u10)
FROM_SLEEF(cos, u10)
FROM_SLEEF(tan, u10)
FROM_SLEEF(asin, u10)
FROM_SLEEF(acos, u10)
FROM_SLEEF(atan, u10)
FROM_SLEEF(sinh, u10)
FROM_SLEEF(cosh, u10)
FROM_SLEEF(erf, u10)
#undef FROM_SLEEF

INLINE V FN(v_atan2)(V y, V x) {
    return FN(SLEEF)(atan2, u10)(y, x);
}

/* Squares are exact to the last bit, in a vector of exponents too. */
INLINE V FN(v_pow)(V x, V y) {
    return FN(pick)(y == 2, x * x, FN(SLEEF)(pow, u10)(x, y));
}

/* e^-|x| never overflows; where x < 0 the function is e^x / (1 + e^x). */
INLINE V FN(v_sigmoid)(V x) {
    V e = FN(v_exp)(-FN(magnitude)(x));
    return FN(pick)(x < 0, e, FN(splat)(1)) / (1 + e);
}

INLINE V FN(v_softplus)(V x) {
    return FN(pick)(x > 0, x, FN(splat)(0)) + FN(v_log1p)(FN(v_exp)(-FN(magnitude)(x)));
}

INLINE V FN(v_gelu)(V x) {
    return x * (FN(SLEEF)(erfc, u15)(x * (T)-0.70710678118654752) / 2);
}

INLINE V FN(tanh_near)(V x) {
    V z = x * x;
    if (sizeof(T) == sizeof(float)) {
        V p = (T)-5.70498872745e-3 * z + (T)2.06390887954e-2;
        p = (p * z - (T)5.37397155531e-2) * z + (T)1.33314422036e-1;
        p = p * z - (T)3.33332819422e-1;
        return x + x * (p * z);
    }
    V p = (T)-9.64399179425052238628e-1 * z - (T)9.92877231001918586564e1;
    V q = (z + (T)1.12811678491632931402e2) * z + (T)2.23548839060100448583e3;
    p = p * z - (T)1.61468768441708447952e3;
    q = q * z + (T)4.84406305325125486048e3;
    return x + x * (z * p / q);
}

/* Near 0 an odd approximation, after Cephes (Moshier 1989); beyond it 1 - 2 / (e^2|x| + 1). */
INLINE V FN(v_tanh)(V x) {
    V size = FN(magnitude)(x);
    V far = 1 - 2 / (FN(v_exp)(size + size) + 1);
    return FN(pick)(size < (T)0.625, FN(tanh_near)(x), FN(signed)(far, x));
}

#undef V
#undef M
