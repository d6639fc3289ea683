/* The inner loops for AVX-512 (F, DQ, BW, VL). */
#define LEVEL avx512
#define VECTOR_BYTES 64
#include "runtime/vec/kernels.h"
