/* The kernel of conv_gather.c for one element type and one instruction set. Included once for each,
 * with T, BYTES   the element type, the bytes of a vector; NAME(x)    a name of its own for x;
 * TARGET     the attribute that allows the instructions; TALL(v)    how many rows of the result go
 * together with v vectors, so that all sums are registers. */

#define VECTOR NAME(vector)
#define LANES ((int)(BYTES / sizeof(T)))
#define INLINED static inline __attribute__((always_inline)) TARGET

typedef T VECTOR __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));

/* `tall` rows of the result from `row` on, over the inner elements `from` to `end`. */
INLINED void NAME(tile)(const tg_gather *g, int64_t row, int64_t from, int64_t end, int tall,
                        int vectors) {
    const VECTOR zero = {0};
    VECTOR sum[8][TG_GATHER_VECTORS], x[TG_GATHER_VECTORS];
    const T *at[8], *panel = (const T *)g->panel + from * vectors * LANES;
    T *out = (T *)g->out + row * vectors * LANES;
    for (int r = 0; r < tall; r++) at[r] = (const T *)g->image + g->base[row + r];
    for (int r = 0; r < tall; r++)
        for (int v = 0; v < vectors; v++) sum[r][v] = zero;
    for (int64_t k = from; k < end; k++, panel += vectors * LANES) {
        const int64_t offset = g->offset[k];
        for (int v = 0; v < vectors; v++) x[v] = *(const VECTOR *)(panel + v * LANES);
        for (int r = 0; r < tall; r++) {
            const VECTOR w = at[r][offset] - zero;
            for (int v = 0; v < vectors; v++) sum[r][v] += x[v] * w;
        }
    }
    for (int r = 0; r < tall; r++)
        for (int v = 0; v < vectors; v++) {
            VECTOR *to = (VECTOR *)(out + (r * vectors + v) * LANES);
            if (from > 0 || g->add) sum[r][v] += *to;
            *to = sum[r][v];
        }
}

INLINED void NAME(block)(const tg_gather *g, int64_t from, int64_t end, int vectors) {
    int64_t row = 0;
    for (; row + TALL(vectors) <= g->rows; row += TALL(vectors))
        NAME(tile)(g, row, from, end, TALL(vectors), vectors);
    for (; row + 2 <= g->rows; row += 2) NAME(tile)(g, row, from, end, 2, vectors);
    if (row < g->rows) NAME(tile)(g, row, from, end, 1, vectors);
}

TARGET static void NAME(run)(const tg_gather *g, int vectors) {
    const int64_t depth = PANEL_BYTES / (vectors * BYTES);
    for (int64_t from = 0; from < g->depth; from += depth) {
        const int64_t end = from + depth < g->depth ? from + depth : g->depth;
        switch (vectors) {
        case 1: NAME(block)(g, from, end, 1); break;
        case 2: NAME(block)(g, from, end, 2); break;
        case 3: NAME(block)(g, from, end, 3); break;
        default: NAME(block)(g, from, end, 4);
        }
    }
}

#undef VECTOR
#undef LANES
#undef INLINED
#undef T
#undef BYTES
#undef NAME
#undef TARGET
#undef TALL
