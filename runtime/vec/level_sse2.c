/* The inner loops for what every x86-64 has. */
#define LEVEL sse2
#define VECTOR_BYTES 16
#include "runtime/vec/kernels.h"
