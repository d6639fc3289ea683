/* Vectors of the level that is being compiled, and SLEEF's functions for it: v_float and v_double
 * hold W_float and W_double elements, i_float and i_double the results of comparing them, all ones
 * or all zeros in each lane,
 * u_float and u_double the same without a sign.
 *
 * Of SLEEF's variants the deterministic ones are taken (finz: with fused multiply-adds, cinz:
 * without), in which a lane's result does not depend on what the other lanes hold. */
#ifndef TG_VEC_LANES_H
#define TG_VEC_LANES_H

#ifndef VECTOR_BYTES /* for readers and tools that look at this file alone */
#define VECTOR_BYTES 16
#define LEVEL any
#endif

#include <sleef.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef float v_float __attribute__((vector_size(VECTOR_BYTES)));
typedef double v_double __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t i_float __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t i_double __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t u_float __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t u_double __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t lane_float;
typedef int64_t lane_double;
enum { W_float = VECTOR_BYTES / sizeof(float), W_double = VECTOR_BYTES / sizeof(double) };

/* SLEEF_float(exp, u10) is the function whose error is at most 1.0 ulp. */
#if VECTOR_BYTES == 64
#define SLEEF_float(name, error) Sleef_finz_##name##f16_##error##avx512f
#define SLEEF_double(name, error) Sleef_finz_##name##d8_##error##avx512f
#elif VECTOR_BYTES == 32
#define SLEEF_float(name, error) Sleef_finz_##name##f8_##error##avx2
#define SLEEF_double(name, error) Sleef_finz_##name##d4_##error##avx2
#elif defined(__aarch64__)
#define SLEEF_float(name, error) Sleef_finz_##name##f4_##error##advsimd
#define SLEEF_double(name, error) Sleef_finz_##name##d2_##error##advsimd
#else
#define SLEEF_float(name, error) Sleef_cinz_##name##f4_##error##sse2
#define SLEEF_double(name, error) Sleef_cinz_##name##d2_##error##sse2
#endif

#define INLINE static inline __attribute__((always_inline))

#define LANES(T)                                                                                   \
    INLINE v_##T load_##T(const T *p) {                                                            \
        v_##T v;                                                                                   \
        memcpy(&v, p, sizeof v);                                                                   \
        return v;                                                                                  \
    }                                                                                              \
    INLINE void store_##T(T *p, v_##T v) {                                                         \
        memcpy(p, &v, sizeof v);                                                                   \
    }                                                                                              \
    INLINE v_##T splat_##T(T x) {                                                                  \
        return x - (v_##T){0};                                                                     \
    }                                                                                              \
    /* yes where m is all ones, no where it is zero */                                             \
    INLINE v_##T pick_##T(i_##T m, v_##T yes, v_##T no) {                                          \
        return (v_##T)((m & (i_##T)yes) | (~m & (i_##T)no));                                       \
    }                                                                                              \
    INLINE v_##T magnitude_##T(v_##T x) {                                                          \
        return (v_##T)((i_##T)x & ~(i_##T)splat_##T((T)-0.0));                                     \
    }                                                                                              \
    /* the size of x, which is not negative, with the sign of s */                                 \
    INLINE v_##T signed_##T(v_##T x, v_##T s) {                                                    \
        return (v_##T)((i_##T)x | ((i_##T)s & (i_##T)splat_##T((T)-0.0)));                         \
    }
LANES(float)
LANES(double)

/* a b + c, rounded once where the level has it in one instruction, twice at SSE2; the lesser and
 * the greater of two, or b if one is NaN; at AVX-512, x 2^n. */
#if VECTOR_BYTES == 64
#define INTRINSIC(name, suffix) _mm512_##name##_##suffix
#elif VECTOR_BYTES == 32
#define INTRINSIC(name, suffix) _mm256_##name##_##suffix
#elif defined(__x86_64__)
#define INTRINSIC(name, suffix) _mm_##name##_##suffix
#endif
#define ARITHMETIC(T, FUSED, MIN, MAX)                                                             \
    INLINE v_##T fused_##T(v_##T a, v_##T b, v_##T c) {                                            \
        return FUSED;                                                                              \
    }                                                                                              \
    INLINE v_##T least_##T(v_##T a, v_##T b) {                                                     \
        return MIN;                                                                                \
    }                                                                                              \
    INLINE v_##T most_##T(v_##T a, v_##T b) {                                                      \
        return MAX;                                                                                \
    }
#ifdef INTRINSIC
#if VECTOR_BYTES > 16
#define FUSES
#define FUSED(suffix) INTRINSIC(fmadd, suffix)(a, b, c)
#else
#define FUSED(suffix) a *b + c
#endif
ARITHMETIC(float, FUSED(ps), INTRINSIC(min, ps)(a, b), INTRINSIC(max, ps)(a, b))
ARITHMETIC(double, FUSED(pd), INTRINSIC(min, pd)(a, b), INTRINSIC(max, pd)(a, b))
#elif defined(__aarch64__)
#define FUSES
ARITHMETIC(float, (v_float)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b),
           pick_float(a < b, a, b), pick_float(a > b, a, b))
ARITHMETIC(double, (v_double)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b),
           pick_double(a < b, a, b), pick_double(a > b, a, b))
#else
ARITHMETIC(float, a *b + c, pick_float(a < b, a, b), pick_float(a > b, a, b))
ARITHMETIC(double, a *b + c, pick_double(a < b, a, b), pick_double(a > b, a, b))
#endif
#if VECTOR_BYTES == 64
INLINE v_float scale_float(v_float x, v_float n) {
    return _mm512_scalef_ps(x, n);
}
INLINE v_double scale_double(v_double x, v_double n) {
    return _mm512_scalef_pd(x, n);
}
#endif

/* Is any lane of the mask all ones? */
INLINE bool some_double(i_double m) {
#if VECTOR_BYTES == 64
    return _mm512_movepi64_mask((__m512i)m) != 0;
#elif VECTOR_BYTES == 32
    return _mm256_movemask_pd((__m256d)m) != 0;
#else
    return (m[0] | m[1]) != 0;
#endif
}
INLINE bool some_float(i_float m) {
    i_double pairs = (i_double)m;
    return some_double(pairs | (i_double)((u_double)pairs << 32));
}

#endif
