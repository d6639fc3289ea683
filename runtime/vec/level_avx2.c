/* The inner loops for AVX2 and FMA. */
#define LEVEL avx2
#define VECTOR_BYTES 32
#include "runtime/vec/kernels.h"
