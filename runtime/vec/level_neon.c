/* The inner loops for 64-bit ARM, whose vector unit is no option. */
#define LEVEL neon
#define VECTOR_BYTES 16
#include "runtime/vec/kernels.h"
