/* Pooling of one plane, for one element type T (and INT, a whole number of its size, and the moves
 * of vectors of LANES elements), in functions FN(name). Each walks the windows once; what they
 * share is the place of the window's first row and column, and which of its rows and columns are in
 * the image. */

/* Of NaN and a number the larger is NaN. */
static inline T FN(larger)(T m, T a) {
    return a > m || a != a ? a : m;
}
static inline bool FN(same)(T a, T m) {
    return a == m || (a != a && m != m);
}

/* line[x] = what the rows of the windows of row o make of column x: the largest, or the sum. */
static void FN(across)(const tg_window *w, const plane *p, int64_t o, bool sums, T *line) {
    const tg_window_axis *r = &w->row;
    int64_t width = w->column.image, step = p->x_column;
    for (int64_t x = 0; x < width; x++) line[x] = sums ? 0 : -(T)INFINITY;
    for (int64_t i = 0; i < r->kernel; i++) {
        int64_t y = o * r->stride - r->padding + i * r->dilation;
        if (y < 0 || y >= r->image) continue;
        const T *from = (const T *)p->x + y * p->x_row;
        if (sums)
            for (int64_t x = 0; x < width; x++) line[x] += from[x * step];
        else if (step == 1)
            for (int64_t x = 0; x < width; x++) line[x] = FN(larger)(line[x], from[x]);
        else
            for (int64_t x = 0; x < width; x++) line[x] = FN(larger)(line[x], from[x * step]);
    }
}

static bool FN(max_pool)(const tg_window *w, const plane *p, void *room) {
    const tg_window_axis *k = &w->column;
    T *out = p->out, *line = room;
    bool pairs = k->kernel == 2 && k->stride == 2 && k->dilation == 1 && k->padding == 0;
    for (int64_t o = 0; o < w->row.out; o++, out += k->out) {
        FN(across)(w, p, o, false, line);
        if (pairs) {
            for (int64_t x = 0; x < k->out; x++) out[x] = FN(larger)(line[2 * x], line[2 * x + 1]);
            if (tg_pool_stops()) return false;
            continue;
        }
        for (int64_t x = 0, end; x < k->out;) {
            if ((end = windows_to(x, k->out, w)) == x) return false;
            for (; x < end; x++) {
                int64_t first = x * k->stride - k->padding;
                T m = -(T)INFINITY;
                for (int64_t j = 0; j < k->kernel; j++) {
                    int64_t at = first + j * k->dilation;
                    if (at >= 0 && at < k->image) m = FN(larger)(m, line[at]);
                }
                out[x] = m;
            }
        }
    }
    return true;
}

static bool FN(avg_pool)(const tg_window *w, const plane *p, void *room) {
    const tg_window_axis *k = &w->column;
    T *out = p->out, *line = room, part = 1 / (T)(w->row.kernel * k->kernel);
    for (int64_t o = 0; o < w->row.out; o++, out += k->out) {
        FN(across)(w, p, o, true, line);
        for (int64_t x = 0, to; x < k->out;) {
            if ((to = windows_to(x, k->out, w)) == x) return false;
            for (; x < to; x++) {
                int64_t first = x * k->stride - k->padding, end = first + k->kernel;
                T sum = 0;
                if (end > k->image) end = k->image;
                for (int64_t at = first < 0 ? 0 : first; at < end; at++) sum += line[at];
                out[x] = sum * part;
            }
        }
    }
    return true;
}

static bool FN(avg_unpool)(const tg_window *w, const plane *p, void *room) {
    (void)room;
    const tg_window_axis *r = &w->row, *k = &w->column;
    T *out = p->out, part = 1 / (T)(r->kernel * k->kernel);
    memset(out, 0, (size_t)(r->image * k->image) * sizeof(T));
    for (int64_t o = 0; o < r->out; o++)
        for (int64_t i = 0; i < r->kernel; i++) {
            int64_t y = o * r->stride - r->padding + i;
            if (y < 0 || y >= r->image) continue;
            const T *from = (const T *)p->x + o * p->x_row;
            T *line = out + y * k->image;
            for (int64_t x = 0, to; x < k->out;) {
                if ((to = windows_to(x, k->out, w)) == x) return false;
                for (; x < to; x++) {
                    int64_t first = x * k->stride - k->padding, end = first + k->kernel;
                    if (end > k->image) end = k->image;
                    T v = from[x * p->x_column] * part;
                    for (int64_t at = first < 0 ? 0 : first; at < end; at++) line[at] += v;
                }
            }
        }
    return true;
}

/* ---- by the places of the largest ---- */

/* The window (o, x): its largest element, and how many places have it. */
static T FN(best)(const tg_window *w, const plane *p, int64_t o, int64_t x, int64_t *count) {
    const tg_window_axis *r = &w->row, *k = &w->column;
    T m = -(T)INFINITY;
    *count = 0;
    for (int64_t i = 0; i < r->kernel; i++) {
        int64_t y = o * r->stride - r->padding + i * r->dilation;
        if (y < 0 || y >= r->image) continue;
        const T *line = (const T *)p->image + y * p->image_row;
        for (int64_t j = 0; j < k->kernel; j++) {
            int64_t at = x * k->stride - k->padding + j * k->dilation;
            if (at < 0 || at >= k->image) continue;
            T a = line[at * p->image_column];
            if (FN(same)(a, m)) {
                ++*count;
            } else if (FN(larger)(m, a) == a || a != a) {
                m = a;
                *count = 1;
            }
        }
    }
    return m;
}

/* Adds v to the places of the window (o, x) that have m: of image to out. */
static void FN(put)(const tg_window *w, const plane *p, int64_t o, int64_t x, T m, T v) {
    const tg_window_axis *r = &w->row, *k = &w->column;
    for (int64_t i = 0; i < r->kernel; i++) {
        int64_t y = o * r->stride - r->padding + i * r->dilation;
        if (y < 0 || y >= r->image) continue;
        const T *line = (const T *)p->image + y * p->image_row;
        T *out = (T *)p->out + y * k->image;
        for (int64_t j = 0; j < k->kernel; j++) {
            int64_t at = x * k->stride - k->padding + j * k->dilation;
            if (at >= 0 && at < k->image && FN(same)(line[at * p->image_column], m)) out[at] += v;
        }
    }
}

/* Windows of two by two side by side, whole: each place is written once, LANES windows at a time.
 * False: there is a NaN among them, which is left to others. */
static bool FN(unpool_line)(int64_t n, const T *up, const T *down, const T *g, T *to, T *under) {
    typedef T vector __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
    typedef INT mask __attribute__((vector_size(16)));
    mask nan = {0};
    for (int64_t x = 0; x < n; x += LANES) {
        if (x + LANES > n) x = n - LANES; /* again, to end with the line */
        vector u = *(const vector *)(up + 2 * x), v = *(const vector *)(up + 2 * x + LANES),
               w = *(const vector *)(down + 2 * x), y = *(const vector *)(down + 2 * x + LANES);
        vector a = EVENS(u, v), b = ODDS(u, v), c = EVENS(w, y), d = ODDS(w, y);
        mask k = a > b, l = c > d;
        vector m = (vector)(((mask)a & k) | ((mask)b & ~k)),
               o = (vector)(((mask)c & l) | ((mask)d & ~l));
        k = m > o;
        m = (vector)(((mask)m & k) | ((mask)o & ~k));
        mask ka = a >= m, kb = b >= m, kc = c >= m, kd = d >= m;
        nan |= ~((a <= m) & (b <= m) & (c <= m) & (d <= m));
        vector part =
            *(const vector *)(g + x) / __builtin_convertvector(-(ka + kb + kc + kd), vector);
        a = (vector)((mask)part & ka), b = (vector)((mask)part & kb);
        c = (vector)((mask)part & kc), d = (vector)((mask)part & kd);
        *(vector *)(to + 2 * x) = FIRST(a, b), *(vector *)(to + 2 * x + LANES) = SECOND(a, b);
        *(vector *)(under + 2 * x) = FIRST(c, d), *(vector *)(under + 2 * x + LANES) = SECOND(c, d);
    }
    bool any = false;
    for (int i = 0; i < LANES; i++) any = any || nan[i];
    return !any;
}

static bool FN(unpool_pairs)(const tg_window *w, const plane *p) {
    const tg_window_axis *r = &w->row, *k = &w->column;
    for (int64_t o = 0; o < r->out; o++) {
        const T *up = (const T *)p->image + 2 * o * p->image_row, *down = up + p->image_row,
                *g = (const T *)p->x + o * p->x_row;
        T *to = (T *)p->out + 2 * o * k->image, *under = to + k->image;
        if (tg_pool_stops()) return false;
        if (k->out < LANES || !FN(unpool_line)(k->out, up, down, g, to, under)) {
            memset(to, 0, (size_t)(2 * k->image) * sizeof(T));
            for (int64_t x = 0; x < k->out; x++) {
                int64_t count;
                T m = FN(best)(w, p, o, x, &count);
                FN(put)(w, p, o, x, m, g[x] / (T)count);
            }
            continue;
        }
        for (int64_t x = 2 * k->out; x < k->image; x++) to[x] = under[x] = 0;
    }
    T *rest = (T *)p->out + 2 * r->out * k->image;
    memset(rest, 0, (size_t)((r->image - 2 * r->out) * k->image) * sizeof(T));
    return true;
}

static bool FN(max_unpool)(const tg_window *w, const plane *p, void *room) {
    (void)room;
    const tg_window_axis *r = &w->row, *k = &w->column;
    if (are_pairs(r) && are_pairs(k) && p->image_column == 1 && p->x_column == 1)
        return FN(unpool_pairs)(w, p);
    memset(p->out, 0, (size_t)(r->image * k->image) * sizeof(T));
    for (int64_t o = 0; o < r->out; o++)
        for (int64_t x = 0, to; x < k->out;) {
            if ((to = windows_to(x, k->out, w)) == x) return false;
            for (; x < to; x++) {
                int64_t count;
                T m = FN(best)(w, p, o, x, &count), g;
                if (count == 0) continue;
                g = ((const T *)p->x)[o * p->x_row + x * p->x_column];
                FN(put)(w, p, o, x, m, g / (T)count);
            }
        }
    return true;
}

/* The sum of x over the places of the window (o, x) that have m. */
static T FN(sum)(const tg_window *w, const plane *p, int64_t o, int64_t x, T m) {
    const tg_window_axis *r = &w->row, *k = &w->column;
    T sum = 0;
    for (int64_t i = 0; i < r->kernel; i++) {
        int64_t y = o * r->stride - r->padding + i * r->dilation;
        if (y < 0 || y >= r->image) continue;
        const T *line = (const T *)p->image + y * p->image_row,
                *from = (const T *)p->x + y * p->x_row;
        for (int64_t j = 0; j < k->kernel; j++) {
            int64_t at = x * k->stride - k->padding + j * k->dilation;
            if (at >= 0 && at < k->image && FN(same)(line[at * p->image_column], m))
                sum += from[at * p->x_column];
        }
    }
    return sum;
}

static bool FN(max_pick)(const tg_window *w, const plane *p, void *room) {
    (void)room;
    const tg_window_axis *r = &w->row, *k = &w->column;
    T *out = p->out;
    for (int64_t o = 0; o < r->out; o++)
        for (int64_t x = 0, to; x < k->out;) {
            if ((to = windows_to(x, k->out, w)) == x) return false;
            for (; x < to; x++) {
                int64_t count;
                T m = FN(best)(w, p, o, x, &count);
                *out++ = count ? FN(sum)(w, p, o, x, m) / (T)count : 0;
            }
        }
    return true;
}

#undef T
#undef INT
#undef LANES
#undef EVENS
#undef ODDS
#undef FIRST
#undef SECOND
#undef FN
