/* The kernels of skinny.c for one element type and one instruction set. Included once for each,
 * with T, BYTES   the element type, the bytes of a vector NAME(x)    a name of its own for x TARGET
 * the attribute that allows the instructions TALL       how many rows, or vectors of rows, go
 * together: TALL * WIDE sums and one column of operands fit in the registers
 *
 * A tile is computed by a function with constant sizes, inlined, so that its sums are registers.
 * Where rows are left over at the end, the tile is moved back to end with them, and only what is
 * new of it is written: each row goes through the same instructions wherever it stands. */

#define VECTOR NAME(vector)
#define LANES ((int)(BYTES / sizeof(T)))
#define INLINED static inline __attribute__((always_inline)) TARGET

typedef T VECTOR __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));

/* The sum of the lanes: parts of 16 bytes are added up, then the lanes of one. */
INLINED T NAME(total)(const VECTOR *v) {
    typedef T part __attribute__((vector_size(16)));
    union {
        VECTOR whole;
        part part[BYTES / 16];
    } u = {*v};
    part sum = u.part[0];
    for (int i = 1; i < BYTES / 16; i++) sum += u.part[i];
    T all = sum[0];
    for (int i = 1; i < (int)(16 / sizeof(T)); i++) all += sum[i];
    return all;
}

INLINED void NAME(write)(const tg_skinny *s, double beta, int64_t row, int64_t col, T sum) {
    T *out = (T *)s->out + row * s->out_row + col;
    *out = (T)s->alpha * sum + (beta == 0 ? 0 : (T)beta * *out);
}

/* ---- rows of the left operand lie in memory one after the other ---- */

/* TALL rows from `row` on times `cols` packed columns; those from `first` on are written. */
INLINED void NAME(along_tile)(const tg_skinny *s, const tg_skinny_block *k, int64_t row,
                              int64_t first, int col, int cols) {
    const T *a = (const T *)s->a + row * s->a_row + k->from;
    const T *b = (const T *)k->packed + col * k->depth;
    const VECTOR zero = {0};
    VECTOR sum[TALL][WIDE], x[TALL];
    int64_t p = 0;
    for (int r = 0; r < TALL; r++)
        for (int c = 0; c < cols; c++) sum[r][c] = zero;
    for (; p + LANES <= k->depth; p += LANES) {
        for (int r = 0; r < TALL; r++) x[r] = *(const VECTOR *)(a + r * s->a_row + p);
        for (int c = 0; c < cols; c++) {
            const VECTOR w = *(const VECTOR *)(b + c * k->depth + p);
            for (int r = 0; r < TALL; r++) sum[r][c] += x[r] * w;
        }
    }
    if (p < k->depth) { /* the rest, filled up with zeros on both sides */
        const size_t rest = (size_t)(k->depth - p) * sizeof(T);
        for (int r = 0; r < TALL; r++) {
            x[r] = zero;
            memcpy(&x[r], a + r * s->a_row + p, rest);
        }
        for (int c = 0; c < cols; c++) {
            VECTOR w = zero;
            memcpy(&w, b + c * k->depth + p, rest);
            for (int r = 0; r < TALL; r++) sum[r][c] += x[r] * w;
        }
    }
    for (int r = 0; r < TALL; r++)
        for (int c = 0; c < cols; c++)
            if (row + r >= first)
                NAME(write)(s, k->beta, row + r, col + c, NAME(total)(&sum[r][c]));
}

TARGET static void NAME(along)(const tg_skinny *s, const tg_skinny_block *k, int64_t from,
                               int64_t to) {
    for (int64_t i = from; i < to; i += TALL) {
        const int64_t row = i + TALL <= s->m ? i : s->m - TALL;
        for (int col = 0, cols; col < s->n; col += cols) {
            cols = group(s->n - col);
            switch (cols) {
            case 2: NAME(along_tile)(s, k, row, i, col, 2); break;
            case 3: NAME(along_tile)(s, k, row, i, col, 3); break;
            case 4: NAME(along_tile)(s, k, row, i, col, 4); break;
            default: NAME(along_tile)(s, k, row, i, col, WIDE);
            }
        }
    }
}

/* ---- columns of the left operand lie in memory one after the other ---- */

/* `tall` vectors of rows from `row` on times `cols` columns; rows from `first` on are written. */
INLINED void NAME(across_tile)(const tg_skinny *s, const tg_skinny_block *k, int64_t row,
                               int64_t first, int col, int cols, int tall) {
    const T *a = (const T *)s->a + row + k->from * s->a_col;
    const T *b = (const T *)s->b + k->from * s->b_row + col * s->b_col;
    const VECTOR zero = {0};
    VECTOR sum[WIDE][TALL], x[TALL];
    for (int c = 0; c < cols; c++)
        for (int r = 0; r < tall; r++) sum[c][r] = zero;
    for (int64_t p = 0; p < k->depth; p++) {
        for (int r = 0; r < tall; r++)
            x[r] = *(const VECTOR *)(a + p * s->a_col + (int64_t)r * LANES);
        for (int c = 0; c < cols; c++) {
            const VECTOR w = b[p * s->b_row + c * s->b_col] - zero;
            for (int r = 0; r < tall; r++) sum[c][r] += x[r] * w;
        }
    }
    T lane[WIDE][TALL * BYTES / sizeof(T)];
    for (int c = 0; c < cols; c++)
        for (int r = 0; r < tall; r++) memcpy(&lane[c][r * LANES], &sum[c][r], BYTES);
    for (int64_t r = first - row; r < (int64_t)tall * LANES; r++)
        for (int c = 0; c < cols; c++) NAME(write)(s, k->beta, row + r, col + c, lane[c][r]);
}

INLINED void NAME(across_columns)(const tg_skinny *s, const tg_skinny_block *k, int64_t row,
                                  int64_t first, int tall) {
    for (int col = 0, cols; col < s->n; col += cols) {
        cols = group(s->n - col);
        switch (cols) {
        case 2: NAME(across_tile)(s, k, row, first, col, 2, tall); break;
        case 3: NAME(across_tile)(s, k, row, first, col, 3, tall); break;
        case 4: NAME(across_tile)(s, k, row, first, col, 4, tall); break;
        default: NAME(across_tile)(s, k, row, first, col, WIDE, tall);
        }
    }
}

TARGET static void NAME(across)(const tg_skinny *s, const tg_skinny_block *k, int64_t from,
                                int64_t to) {
    int64_t i = from;
    for (; i + (int64_t)TALL * LANES <= to; i += (int64_t)TALL * LANES)
        NAME(across_columns)(s, k, i, i, TALL);
    for (; i < to; i += LANES)
        NAME(across_columns)(s, k, i + LANES <= s->m ? i : s->m - LANES, i, 1);
}

#undef VECTOR
#undef LANES
#undef INLINED
#undef T
#undef BYTES
#undef NAME
#undef TARGET
#undef TALL
