/* The functions of elementwise.def as vector code for one element type: T is the type, IS_SINGLE
 * whether it is float, and FN(name) the name with the type's suffix. Included once for float and
 * once for double, hence without a guard. The row `exp` is computed by FN(v_exp), and so on. */

typedef FN(v) FN(curve1)(FN(v));
typedef FN(v) FN(curve2)(FN(v), FN(v));
#define V FN(v)
#define M FN(i)

/* a constant of the type: one value for single, one for double */
#define FOR(single, twice) ((T)(IS_SINGLE ? (single) : (twice)))
enum { FN(DIGITS) = IS_SINGLE ? 23 : 52, FN(BIAS) = IS_SINGLE ? 127 : 1023 };
/* x + SHIFTER has x, rounded to the nearest whole number, in its last bits */
#define SHIFTER FOR(0x1.8p23, 0x1.8p52)
#define LN2_HI                                                                                     \
    FOR(0x1.62e3p-1, 6.93147180369123816490e-01) /* ends in zeros: its multiples are exact */
#define LN2_LO FOR(9.0580006145e-06, 1.90821492927058770002e-10)

#define FROM_SLEEF(NAME, ERROR)                                                                    \
    INLINE V FN(v_##NAME)(V x) {                                                                   \
        return FN(SLEEF)(NAME, ERROR)(x);                                                          \
    }
FROM_SLEEF(log, u10)
FROM_SLEEF(log2, u10)
FROM_SLEEF(log10, u10)
FROM_SLEEF(expm1, u10)
FROM_SLEEF(sin, u10)
FROM_SLEEF(cos, u10)
FROM_SLEEF(tan, u10)
FROM_SLEEF(asin, u10)
FROM_SLEEF(acos, u10)
FROM_SLEEF(atan, u10)
FROM_SLEEF(erf, u10)
#undef FROM_SLEEF

/* 2^k for a whole number k in the range of normal numbers */
INLINE V FN(power_of_2)(M k) {
    return (V)(((FN(u))k + (FN(u))((M){0} + FN(BIAS))) << FN(DIGITS));
}

/* The whole number n of n + SHIFTER; wraps around where there is none. */
INLINE M FN(whole)(V shifted) {
    return (M)((FN(u))shifted - (FN(u))FN(splat)(SHIFTER));
}

/* y 2^n, rounded once also when that is subnormal: n, between -2100 and 2100, is halved. */
INLINE V FN(scaled)(V y, V shifted, FN(lane) more) {
#if VECTOR_BYTES == 64
    return FN(scale)(y, shifted - SHIFTER + (T)more);
#else
    FN(u) n = (FN(u))FN(whole)(shifted) + (FN(u))((M){0} + more), half = ((n + 4096) >> 1) - 2048;
    return y * FN(power_of_2)((M)half) * FN(power_of_2)((M)(n - half));
#endif
}

/* e^x = 2^n (1 + p) with a whole number n and |r| <= log(2) / 2 for r = x - n log(2): returns p,
 * and n + SHIFTER in *shifted. p = e^r - 1 is r + r^2 times a polynomial through the Chebyshev
 * nodes. closely: with what rounding took from r. */
INLINE V FN(exp_reduced)(V x, V *shifted, bool closely) {
    *shifted = FN(fused)(x, FN(splat)((T)1.44269504088896340736), FN(splat)(SHIFTER));
    V n = *shifted - SHIFTER, hi = FN(fused)(n, FN(splat)(-LN2_HI), x);
    V r = FN(fused)(n, FN(splat)(-LN2_LO), hi), q;
#define TIMES_R_PLUS(c) q = FN(fused)(q, r, FN(splat)((T)(c)))
    if (IS_SINGLE) {
        q = FN(splat)((T)0.000198914875034);
        TIMES_R_PLUS(0.00139340972524);
        TIMES_R_PLUS(0.00833331047577);
        TIMES_R_PLUS(0.0416664608757);
        TIMES_R_PLUS(0.166666666821);
        TIMES_R_PLUS(0.500000001387);
    } else {
        q = FN(splat)((T)2.5100383195867021342e-08);
        TIMES_R_PLUS(2.7620085455018413559e-07);
        TIMES_R_PLUS(2.7557268464831627478e-06);
        TIMES_R_PLUS(2.4801521302241081701e-05);
        TIMES_R_PLUS(0.00019841269863050506089);
        TIMES_R_PLUS(0.0013888888917209670469);
        TIMES_R_PLUS(0.0083333333333300632639);
        TIMES_R_PLUS(0.041666666666624135873);
        TIMES_R_PLUS(0.16666666666666668517);
        TIMES_R_PLUS(0.50000000000000011102);
    }
#undef TIMES_R_PLUS
    if (!closely) return FN(fused)(r * r, q, r);
    V lost = FN(fused)(n, FN(splat)(-LN2_LO), hi - r);
    return r + FN(fused)(r * r, q, lost);
}

/* 2^power e^x */
INLINE V FN(exp_times)(V x, FN(lane) power, bool closely) {
    x = FN(least)(FN(splat)(FOR(90, 711)), FN(most)(FN(splat)(FOR(-105, -747)), x));
    V shifted, p = FN(exp_reduced)(x, &shifted, closely);
    return FN(scaled)(1 + p, shifted, power);
}

INLINE V FN(v_exp)(V x) {
    return FN(exp_times)(x, 0, false);
}

/* Far out sinh and cosh are e^|x| / 2; SLEEF's overflow too early. */
INLINE V FN(v_sinh)(V x) {
    V size = FN(magnitude)(x), far = FN(signed)(FN(exp_times)(size, -1, true), x);
    return FN(pick)(size > FOR(10, 20), far, FN(SLEEF)(sinh, u10)(x));
}

INLINE V FN(v_cosh)(V x) {
    V size = FN(magnitude)(x);
    return FN(pick)(size > FOR(10, 20), FN(exp_times)(size, -1, true), FN(SLEEF)(cosh, u10)(x));
}

/* log(1 + f) + k log(2) for sqrt(1/2) <= 1 + f <= sqrt(2), c being what f lacks (fdlibm's log,
 * Sun 1993): with s = f / (2 + f), log(1 + f) = 2 s + 2/3 s^3 + ..., and the large part f is added
 * last. */
INLINE V FN(log_reduced)(V f, V k, V c) {
    V half = (T)0.5 * f * f, s = f / (2 + f), z = s * s, w = z * z, odd, even;
    if (IS_SINGLE) {
        even = w * ((T)0x1.99c226p-2 + w * (T)0x1.f13c4cp-3);
        odd = z * ((T)0x1.555554p-1 + w * (T)0x1.23d3dcp-2);
    } else {
        even = w * ((T)3.999999999940941908e-01 +
                    w * ((T)2.222219843214978396e-01 + w * (T)1.531383769920937332e-01));
        odd = z * ((T)6.666666666666735130e-01 +
                   w * ((T)2.857142874366239149e-01 +
                        w * ((T)1.818357216161805012e-01 + w * (T)1.479819860511658591e-01)));
    }
    return s * (half + (odd + even)) + (k * LN2_LO + c) - half + f + k * LN2_HI;
}

/* x / 2^k in [sqrt(1/2), sqrt(2)), for a positive normal x; other x may wrap around. */
INLINE V FN(split)(V x, V *k) {
    const M root = (M)FN(splat)((T)0.70710678118654752), bias = (M){0} + FN(BIAS);
    FN(u) from = (FN(u))x - (FN(u))root + ((FN(u))bias << FN(DIGITS));
    M e = (M)(from >> FN(DIGITS)) - bias;
    *k = (V)((M)FN(splat)(SHIFTER) + e) - SHIFTER;
    return (V)((FN(u))x - ((FN(u))e << FN(DIGITS)));
}

/* The logarithm of u = 1 + x, and what rounding took from u put back to the first order (fdlibm).
 */
INLINE V FN(v_log1p)(V x) {
    V u = 1 + x, k, m = FN(split)(u, &k);
    V c = FN(pick)(k >= 2, 1 - (u - x), x - (u - 1)) / u;
    M near = (x > (T)-0.2928) & (x < (T)0.4142);
    m = FN(pick)(near, x, m - 1);
    k = FN(pick)(near, FN(splat)(0), k);
    V y = FN(log_reduced)(m, k, FN(pick)(near, FN(splat)(0), c));
    y = FN(pick)(x == -1, FN(splat)(-(T)INFINITY), y);
    y = FN(pick)(x < -1, FN(splat)((T)NAN), y);
    return FN(pick)((x < (T)INFINITY) & (x != 0), y, x);
}

INLINE V FN(v_atan2)(V y, V x) {
    return FN(SLEEF)(atan2, u10)(y, x);
}

/* Small powers by what they mean; of the others, those that overflow in SLEEF are looked at again,
 * since it calls the last few numbers of the range infinite. Each lane decides for itself. */
INLINE V FN(v_pow)(V x, V y) {
    M square = y == 2, cube = y == 3, inverse = y == -1, root = y == (T)0.5;
    if (!FN(some)(~square)) return x * x; /* what is asked for most, without the division */
    V p = FN(pick)(square, x * x, FN(pick)(cube, x * x * x, 1 / x));
    if (FN(some)(root)) {
        V r = FN(pick)(x == -(T)INFINITY, FN(splat)((T)INFINITY), FN(SLEEF)(sqrt, u05)(x) + 0);
        p = FN(pick)(root, r, p);
    }
    M known = square | cube | inverse | root;
    if (!FN(some)(~known)) return p;
    V z = FN(SLEEF)(pow, u10)(x, y);
    if (FN(some)(FN(magnitude)(z) == (T)INFINITY))
        for (int k = 0; k < FN(W); k++) z[k] = isinf(z[k]) ? pow(x[k], y[k]) : z[k];
    return FN(pick)(known, p, z);
}

/* sigmoid(|x|) = 1 / (1 + e) and *small = sigmoid(-|x|) = e / (1 + e) with e = e^-|x|, which never
 * overflows. What rounding gave to the denominator d is taken into account to the first order, as
 * is, where that can be had, what the quotient leaves over of 1. */
INLINE V FN(sigmoids)(V x, V *small) {
    V e = FN(v_exp)(-FN(magnitude)(x)), d = 1 + e, given = (d - 1) - e, y = 1 / d;
#ifdef FUSES
    y = y - y * (FN(fused)(d, y, FN(splat)(-1)) - given * y);
    *small = e * y;
#else
    *small = e / d;
    *small = *small + *small * (given * y);
    y = y + y * (given * y);
#endif
    return y;
}

INLINE V FN(v_sigmoid)(V x) {
    V small, large = FN(sigmoids)(x, &small);
    return FN(pick)(x < 0, small, large);
}

INLINE V FN(v_softplus)(V x) {
    return FN(pick)(x > 0, x, FN(splat)(0)) + FN(v_log1p)(FN(v_exp)(-FN(magnitude)(x)));
}

/* The first half of the digits. */
INLINE V FN(head)(V x) {
    return (V)((M)x & ~((M){0} + (((FN(lane))1 << (FN(DIGITS) / 2 + 1)) - 1)));
}

/* a b - p, p being a b rounded: by Dekker's product (1971) where nothing fuses. */
INLINE V FN(residue)(V a, V b, V p) {
#ifdef FUSES
    return FN(fused)(a, b, -p);
#else
    V ah = FN(head)(a), al = a - ah, bh = FN(head)(b), bl = b - bh;
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
#endif
}

/* x erfc(t) / 2 with t = -x sqrt(1/2). As erfc(t) is about e^-t^2, it magnifies the rounding of t;
 * with what was lost there its slope puts that right.
 *
 * Where the result comes near the end of the range, it is -e^(-x^2/2) (1 - 1/x^2 + 3/x^4 - ...) /
 * sqrt(2 pi), computed with a factor of 2^64 that is taken away last. */
INLINE V FN(v_gelu)(V x) {
    const V root = FN(splat)((T)-0.70710678118654752440);
    const T beyond = FOR(-1.2101617e-8, 4.8336466567264567e-17); /* of the root, lost in T */
    V t = x * root, lost = FN(residue)(x, root, t) + x * beyond;
    V half = (T)0.5 * x, c = FN(SLEEF)(erfc, u15)(t), y = half * c;
    V slope = FN(v_exp)(-t * t) * (T)1.1283791670955126;
    M near = FN(magnitude)(x) < 64; /* elsewhere what was lost may be NaN */
    y += FN(pick)(near, FN(residue)(half, c, y) - half * (slope * lost), FN(splat)(0));
    M far = (x < FOR(-12, -36)) & (x > -64);
    if (!FN(some)(far)) return y;
    const V scale = FN(splat)((T)-0.39894228040143267794);
    const T of_scale = FOR(-2.841305708e-08, -6.24733783486133503e-17); /* lost in T, by its size */
    V h = -half * x, rest = FN(residue)(-half, x, h);
    const T k = FOR(0x1.62e430p5, 0x1.62e42fefa39efp5); /* 64 log(2) */
    V up = h + k, w = 1 / (x * x);
    rest += (h - up) + k + FOR(-1.218978752e-07, 1.4841899608616317e-15) + of_scale;
    V series = w * (w * (3 - w * (15 - w * (105 - w * (945 - w * 10395)))) - 1);
    V e = FN(exp_times)(up, 0, true), z = e * scale;
    z += FN(residue)(e, scale, z) + z * (rest + series);
    return FN(pick)(far, z * (T)0x1p-64, y);
}

/* -t / (2 + t) with the sign of x, where t = e^(-2|x|) - 1. What rounding took from t and from the
 * denominator d is put back into the quotient y, whose 1 / d is (1 - y) / 2. */
INLINE V FN(v_tanh)(V x) {
    V size = FN(least)(FN(splat)(FOR(10, 20)), FN(magnitude)(x)), shifted;
    V p = FN(exp_reduced)((T)-2 * size, &shifted, true);
    /* the bits of n + SHIFTER end in n, and all others drop out of the shift */
    V power = FN(power_of_2)((M)shifted), from = power - 1;
    V t = FN(fused)(p, power, from), lost = FN(fused)(p, power, from - t);
    V d = 2 + t, y = t / d, rest = FN(fused)(((d - 2) - t) - lost, y, lost);
    y = FN(fused)(rest, FN(fused)(y, FN(splat)((T)-0.5), FN(splat)((T)0.5)), y);
    return FN(signed)(FN(magnitude)(y), x);
}

#undef V
#undef M
#undef FOR
#undef SHIFTER
#undef LN2_HI
#undef LN2_LO
