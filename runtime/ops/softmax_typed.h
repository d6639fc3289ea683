/* The inner loops of softmax.c for one element type: T is the type and FN(name) the name with the
 * type's suffix. Included once for float and once for double, hence without a guard. Steps s and so
 * are in elements. */

/* The largest element, NaN when there is one; -inf of none. */
static T FN(largest)(const tg_loop *line) {
    const tg_fold *f = tg_vec_now()->fold[TG_FOLD_MAX][IS_DOUBLE];
    int64_t s = line->inner_step[0] / (int64_t)sizeof(T);
    T m = -(T)INFINITY, part;
    TG_RUNS(line, p) {
        f->run(line->inner, p[0], s, &part);
        f->row(1, &m, &part, 1);
    }
    return m;
}

/* The largest magnitude, likewise. */
static T FN(largest_size)(const tg_loop *line) {
    T m = 0;
    int64_t s = line->inner_step[0] / (int64_t)sizeof(T);
    TG_RUNS(line, p) {
        const T *e = (const T *)p[0];
        for (int64_t i = 0; i < line->inner; i++) {
            T x = fabs(e[i * s]);
            m = (m > x || m != m) ? m : x;
        }
    }
    return m;
}

/* out = e^(x - m), or x - m itself when `logs`, unless there is no out; returns the sum of the
 * e^(x - m). */
static double FN(shift)(const tg_loop *line, T m, bool out, bool logs) {
    const tg_exponents *f = &tg_vec_now()->exponents[IS_DOUBLE];
    double total = 0;
    int64_t s = line->inner_step[0] / (int64_t)sizeof(T),
            so = out ? line->inner_step[1] / (int64_t)sizeof(T) : 0;
    TG_RUNS(line, p)
    total += f->shift(line->inner, p[0], s, (double)m, out ? p[1] : NULL, so, logs);
    return total;
}

static void FN(softmax)(const tg_call *call, const tg_loop *line, char *first) {
    (void)call, (void)first;
    T total = (T)FN(shift)(line, FN(largest)(line), true, false);
    int64_t so = line->inner_step[1] / (int64_t)sizeof(T);
    TG_RUNS(line, p) {
        T *out = (T *)p[1];
        for (int64_t i = 0; i < line->inner; i++) out[i * so] /= total;
    }
}

static void FN(logsoftmax)(const tg_call *call, const tg_loop *line, char *first) {
    (void)call, (void)first;
    T log_total = (T)log(FN(shift)(line, FN(largest)(line), true, true));
    int64_t so = line->inner_step[1] / (int64_t)sizeof(T);
    TG_RUNS(line, p) {
        T *out = (T *)p[1];
        for (int64_t i = 0; i < line->inner; i++) out[i * so] -= log_total;
    }
}

static void FN(logsumexp)(const tg_call *call, const tg_loop *line, char *out) {
    (void)call;
    T m = FN(largest)(line);
    /* all -inf, an inf, a NaN, nothing at all: the differences would be NaN */
    if (m - m == 0) {
        double total = FN(shift)(line, m, false, false);
        /* the largest element alone adds 1 */
        /* cppcheck-suppress invalidFunctionArg */
        m = (T)((double)m + log(total));
    }
    *(T *)out = m;
}

/* The sum of (x * factor)^2, in pieces, so that the rounding error grows with their number only. */
static double FN(squares)(const tg_loop *line, double factor) {
    enum { PIECE = 512, LANES = 4 };
    double total = 0;
    int64_t s = line->inner_step[0] / (int64_t)sizeof(T);
    TG_RUNS(line, p) {
        const T *e = (const T *)p[0];
        for (int64_t i = 0; i < line->inner;) {
            int64_t end = line->inner - i < PIECE ? line->inner : i + PIECE;
            double lane[LANES] = {0};
            for (; i + LANES <= end; i += LANES)
                for (int k = 0; k < LANES; k++) {
                    double x = (double)e[(i + k) * s] * factor;
                    lane[k] += x * x;
                }
            for (; i < end; i++) {
                double x = (double)e[i * s] * factor;
                lane[0] += x * x;
            }
            total += (lane[0] + lane[1]) + (lane[2] + lane[3]);
        }
    }
    return total;
}

/* The norm of the line times *factor, a power of 2 with which the squares keep clear of both ends
 * of the range. */
static double FN(length)(const tg_loop *line, double *factor) {
    double sum = FN(squares)(line, 1);
    *factor = 1;
    if ((sum >= SAFE_LEAST && sum < (double)INFINITY) || sum != sum) return sqrt(sum);
    double m = line->empty ? 0 : (double)FN(largest_size)(line);
    if (m == 0 || m - m != 0) return m; /* zero, infinite or NaN */
    int e;
    frexp(m, &e);
    *factor = ldexp(1.0, e < -1023 ? 1023 : -e);
    return sqrt(FN(squares)(line, *factor));
}

static void FN(norm)(const tg_call *call, const tg_loop *line, char *out) {
    (void)call;
    double factor, n = FN(length)(line, &factor);
    *(T *)out = (T)(n / factor);
}

static void FN(unit)(const tg_call *call, const tg_loop *line, char *first) {
    (void)call, (void)first;
    double factor, n = FN(length)(line, &factor);
    int64_t s = line->inner_step[0] / (int64_t)sizeof(T),
            so = line->inner_step[1] / (int64_t)sizeof(T);
    TG_RUNS(line, p) {
        const T *e = (const T *)p[0];
        T *out = (T *)p[1];
        for (int64_t i = 0; i < line->inner; i++)
            out[i * so] = n == 0 ? 0 : (T)((double)e[i * s] * factor / n);
    }
}
