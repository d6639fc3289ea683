/* Sums of exponentials along lines, for one element type: T is the type and FN(name) the name with
 * the type's suffix. Included once for float and once for double, hence without a guard. Lines are
 * taken in chunks that are filled up with -inf, whose exponential is 0, to whole groups of lanes;
 * the sum is made in double, in 16 lanes folded by halves, at every level. Steps are in elements.
 * NARROW is the longest line for which turning 16 of them costs less than folding lanes in each. */

#define LARGER(a, b) (((a) > (b) || (a) != (a)) ? (a) : (b))

/* out (unless NULL) = e^(x - m), or x - m itself when `logs`; returns the sum of the e^(x - m). */
static double FN(shift)(int64_t n, const void *from, int64_t s, double largest, void *to,
                        int64_t so, bool logs) {
    const T *x = from;
    T *out = to, m = (T)largest;
    double total = 0;
    for (int64_t i = 0; i < n; i += TG_SHORT) {
        T e[TG_SHORT];
        int64_t left = n - i < TG_SHORT ? n - i : TG_SHORT,
                whole = (left + LANES - 1) / LANES * LANES;
        double lane[LANES] = {0};
        if (s == 1)
            for (int64_t k = 0; k < left; k++) e[k] = x[i + k] - m;
        else
            for (int64_t k = 0; k < left; k++) e[k] = x[(i + k) * s] - m;
        for (int64_t k = left; k < whole; k++) e[k] = -(T)INFINITY;
        if (out && logs)
            for (int64_t k = 0; k < left; k++) out[(i + k) * so] = e[k];
        for (int64_t k = 0; k < whole; k += FN(W)) FN(store)(e + k, FN(v_exp)(FN(load)(e + k)));
        if (out && !logs)
            for (int64_t k = 0; k < left; k++) out[(i + k) * so] = e[k];
        for (int64_t k = 0; k < whole; k += LANES)
            for (int j = 0; j < LANES; j++) lane[j] += (double)e[k + j];
        for (int width = LANES / 2; width > 0; width /= 2)
            for (int j = 0; j < width; j++) lane[j] += lane[j + width];
        total += lane[0];
    }
    return total;
}

/* The same for LANES lines of n <= NARROW elements, turned: d[k] holds element k of each line, and
 * a vector runs over lines. The maximum and the sum then take no step from lane to lane. In: the
 * elements; out: the softmax or its logarithm. */
INLINE void FN(turned)(int64_t n, T (*d)[LANES], bool logs) {
    T best[LANES];
    double sum[LANES][LANES], whole[LANES];
    for (int j = 0; j < LANES; j += FN(W)) {
        FN(v) most = FN(load)(&d[0][j]);
        for (int64_t k = 1; k < n; k++) {
            FN(v) x = FN(load)(&d[k][j]);
            most = FN(pick)((most > x) | ~(most <= (T)INFINITY), most, x);
        }
        FN(store)(&best[j], most);
    }
    for (int64_t k = 0; k < n; k++) {
        T e[LANES];
        for (int j = 0; j < LANES; j += FN(W)) {
            FN(v) x = FN(load)(&d[k][j]) - FN(load)(&best[j]), power = FN(v_exp)(x);
            FN(store)(&e[j], power);
            FN(store)(&d[k][j], logs ? x : power);
        }
        if (k < LANES)
            for (int j = 0; j < LANES; j++) sum[k][j] = (double)e[j];
        else
            for (int j = 0; j < LANES; j++) sum[k % LANES][j] += (double)e[j];
    }
    /* by halves, without what is 0 because the line ends before it */
    for (int64_t width = LANES / 2, have = n < LANES ? n : LANES; width > 0; width /= 2) {
        for (int64_t k = 0; k + width < have; k++)
            for (int j = 0; j < LANES; j++) sum[k][j] += sum[k + width][j];
        if (have > width) have = width;
    }
    for (int j = 0; j < LANES; j += W_double) {
        v_double x = load_double(&sum[0][j]);
        store_double(&whole[j], logs ? v_log_double(x) : x);
    }
    T by[LANES];
    for (int j = 0; j < LANES; j++) by[j] = (T)whole[j];
    for (int64_t k = 0; k < n; k++)
        for (int j = 0; j < LANES; j++) d[k][j] = logs ? d[k][j] - by[j] : d[k][j] / by[j];
}

/* LANES lines at a time or, at the end, fewer: a lane that stands for none holds a line of before.
 */
static void FN(narrow_lines)(int64_t lines, int64_t n, const T *x, int64_t step, int64_t s, T *out,
                             int64_t out_step, int64_t so, bool logs) {
    _Alignas(64) T d[NARROW][LANES] = {{0}};
    for (; lines > 0; lines -= LANES, x += LANES * step, out += LANES * out_step) {
        int64_t m = lines < LANES ? lines : LANES;
        for (int64_t i = 0; i < m; i++)
            for (int64_t k = 0; k < n; k++) d[k][i] = x[i * step + k * s];
        FN(turned)(n, d, logs);
        for (int64_t i = 0; i < m; i++)
            for (int64_t k = 0; k < n; k++) out[i * out_step + k * so] = d[k][i];
    }
}

/* One line of n <= TG_SHORT elements, along which the vectors run. */
static void FN(short_line)(int64_t n, const T *x, int64_t s, T *out, int64_t so, bool logs) {
    int64_t whole = (n + LANES - 1) / LANES * LANES;
    T d[TG_SHORT], e[TG_SHORT], best[LANES];
    double lane[LANES] = {0};
    for (int64_t k = 0; k < n; k++) d[k] = x[k * s];
    for (int64_t k = n; k < whole; k++) d[k] = -(T)INFINITY;
    for (int j = 0; j < LANES; j += FN(W)) {
        FN(v) most = FN(splat)(-(T)INFINITY);
        for (int64_t k = 0; k < whole; k += LANES) {
            FN(v) y = FN(load)(d + k + j);
            most = FN(pick)((most > y) | ~(most <= (T)INFINITY), most, y);
        }
        FN(store)(best + j, most);
    }
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int j = 0; j < width; j++) best[j] = LARGER(best[j], best[j + width]);
    for (int64_t k = 0; k < whole; k++) d[k] -= best[0];
    for (int64_t k = 0; k < whole; k += FN(W)) FN(store)(e + k, FN(v_exp)(FN(load)(d + k)));
    for (int64_t k = 0; k < whole; k += LANES)
        for (int j = 0; j < LANES; j++) lane[j] += (double)e[k + j];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int j = 0; j < width; j++) lane[j] += lane[j + width];
    const T by = logs ? (T)log(lane[0]) : (T)lane[0];
    for (int64_t k = 0; k < whole; k++) d[k] = logs ? d[k] - by : e[k] / by;
    if (so == 1)
        memcpy(out, d, (size_t)n * sizeof(T));
    else
        for (int64_t k = 0; k < n; k++) out[k * so] = d[k];
}

/* The softmax of lines of n <= TG_SHORT elements, or its logarithm; step and out_step are those
 * from line to line. */
static void FN(short_lines)(int64_t lines, int64_t n, const void *from, int64_t step, int64_t s,
                            void *to, int64_t out_step, int64_t so, bool logs) {
    const T *x = from;
    T *out = to;
    if (n > NARROW)
        for (int64_t i = 0; i < lines; i++)
            FN(short_line)(n, x + i * step, s, out + i * out_step, so, logs);
    else if (logs)
        FN(narrow_lines)(lines, n, x, step, s, out, out_step, so, true);
    else
        FN(narrow_lines)(lines, n, x, step, s, out, out_step, so, false);
}
#undef LARGER
