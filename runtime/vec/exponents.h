/* Sums of exponentials along lines, for one element type: T is the type and FN(name) the name with
 * the type's suffix. Included once for float and once for double, hence without a guard. Lines are
 * taken in chunks that are filled up with -inf, whose exponential is 0, to whole groups of lanes;
 * the sum is made in double, in 16 lanes folded by halves, at every level. Steps are in elements.
 */

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

/* The softmax of lines of n <= TG_SHORT elements, or its logarithm; step and out_step are those
 * from line to line. */
static void FN(short_lines)(int64_t lines, int64_t n, const void *from, int64_t step, int64_t s,
                            void *to, int64_t out_step, int64_t so, bool logs) {
    const T *x = from;
    T *out = to;
    int64_t whole = (n + LANES - 1) / LANES * LANES;
    for (int64_t i = 0; i < lines; i++, x += step, out += out_step) {
        T d[TG_SHORT], e[TG_SHORT], best[LANES];
        double lane[LANES] = {0};
        for (int64_t k = 0; k < n; k++) d[k] = x[k * s];
        for (int64_t k = n; k < whole; k++) d[k] = -(T)INFINITY;
        for (int j = 0; j < LANES; j++) best[j] = -(T)INFINITY;
        for (int64_t k = 0; k < whole; k += LANES)
            for (int j = 0; j < LANES; j++) best[j] = LARGER(best[j], d[k + j]);
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
}
#undef LARGER
