/* The table of conventions. A row is checked: each spelling has the stated slope, and the slope the
 * stated slope, by the engine that answers the user. */
#include "interp/kinks.h"

const tg_kink tg_kinks[] = {
    {"the positive part",
     "relu(x) | max(x, 0) | max(0, x) | -min(-x, 0) | where(x > 0, x, 0) | clip(x, 0, inf) | "
     "clip(x, 0, 5) | x * (x > 0)",
     "0", "0", "0", NULL},
    {0},
};
