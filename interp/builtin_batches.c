/* batches: the rows of some tensors, shuffled, in portions. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "runtime/ops/random.h"

#include <math.h>
#include <string.h>

/* A new order at each pass: Fisher-Yates, drawn from the session's generator, so that one seed
 * gives one order. */
static void shuffle(tg_rt *rt, int64_t *order, int64_t n) {
    uint64_t stream = rt->stream++;
    uint32_t draw[4], key[2] = {(uint32_t)rt->seed, (uint32_t)(rt->seed >> 32)};
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        uint32_t counter[4] = {(uint32_t)i, (uint32_t)(i >> 32), (uint32_t)stream,
                               (uint32_t)(stream >> 32)};
        tg_philox(counter, key, draw);
        uint64_t r = (uint64_t)draw[0] << 32 | draw[1];
        int64_t k = (int64_t)(((__uint128_t)r * (uint64_t)(i + 1)) >> 64);
        int64_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

static tg_value stream_value(tg_stream *s) {
    return (tg_value){.tag = TG_V_STREAM, .as.stream = s};
}

static bool begin(tg_interp *in, tg_stream *s, tg_value *out) {
    (void)in;
    *out = tg_value_hold(stream_value(s));
    return true;
}

/* A pass is a stream of the same parts with an order drawn for it. */
static bool begin_shuffled(tg_interp *in, tg_stream *s, tg_value *out) {
    int64_t total = s->part[0]->v.dim[0];
    tg_stream *pass = tg_alloc_array(1, sizeof *pass);
    int64_t *order = tg_alloc_array((size_t)total, sizeof *order);
    if (!pass || !order) {
        tg_free(pass);
        tg_free(order);
        return tg_fail_memory(&in->rt.c);
    }
    *pass = *s;
    pass->refs = 1;
    pass->order = order;
    pass->rows = total;
    tg_value_hold(s->title);
    for (int i = 0; i < s->nparts; i++) tg_tensor_hold(s->part[i]);
    shuffle(&in->rt, order, total);
    *out = stream_value(pass);
    return true;
}

/* Shuffled rows lie anywhere in memory: while one is copied, a later one is on its way, a line for
 * a line. The memory is busy then all the time, and that is what a batch costs. */
enum { AHEAD = 4, LINE = 64 };

static const char *row_of(const tg_tensor *t, int64_t i, size_t bytes) {
    return (const char *)t->v.data + (size_t)i * bytes;
}

static void copy_row(char *to, const char *from, const char *later, size_t bytes) {
    size_t i = 0;
    for (; i + LINE <= bytes; i += LINE) {
        __builtin_prefetch(later + i);
        memcpy(to + i, from + i, LINE);
    }
    if (i < bytes) __builtin_prefetch(later + i);
    memcpy(to + i, from + i, bytes - i);
}

/* Rows order[from..from+n) of t, contiguous; behind the last of them it is the next batch's first
 * rows that are on their way. */
static tg_tensor *rows(tg_interp *in, const tg_stream *s, const tg_tensor *t, int64_t from,
                       int64_t n) {
    const int64_t *order = s->order, ahead = s->rows - from;
    int64_t dim[TG_MAX_RANK], inner = 1;
    memcpy(dim, t->v.dim, sizeof dim);
    dim[0] = n;
    tg_tensor *out = tg_tensor_new(&in->rt.c, t->v.dtype, t->v.rank, dim);
    if (!out || n == 0) return out;
    for (int d = 1; d < t->v.rank; d++) inner *= dim[d];
    size_t bytes = (size_t)inner * tg_dtype_size(t->v.dtype);
    char *to = out->v.data;
    if (!order) memcpy(to, row_of(t, from, bytes), (size_t)n * bytes);
    for (int64_t i = 0; order && i < n; i++, to += bytes) {
        int64_t later = i + AHEAD < ahead ? from + i + AHEAD : from + i;
        copy_row(to, row_of(t, order[from + i], bytes), row_of(t, order[later], bytes), bytes);
    }
    return out;
}

static bool next(tg_interp *in, const tg_stream *s, int64_t at, tg_value *out) {
    int64_t from = (s->first + at) * s->batch;
    int64_t n = s->rows - from < s->batch ? s->rows - from : s->batch;
    tg_value made;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, s->nparts, &made)) return false;
    for (int i = 0; i < s->nparts; i++) {
        tg_tensor *t = rows(in, s, s->part[i], from, n);
        if (!t) {
            tg_value_drop(made);
            return false;
        }
        made.as.items->v[i] = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    }
    if (s->nparts == 1) {
        *out = tg_value_hold(made.as.items->v[0]);
        tg_value_drop(made);
        return true;
    }
    return tg_value_seal(&in->rt.c, made, out);
}

/* The tensor v becomes one more part of the stream: contiguous, and as long as the first. */
static bool add_part(tg_interp *in, tg_stream *s, tg_value v) {
    tg_tensor *t;
    if (!tg_to_tensor(in, v, "what batches are drawn from", &t)) return false;
    if (!tg_view_is_contiguous(&t->v)) {
        tg_tensor *copy = tg_tensor_convert(&in->rt.c, &t->v, t->v.dtype);
        tg_tensor_drop(t);
        if (!(t = copy)) return false;
    }
    s->part[s->nparts++] = t;
    if (t->v.rank == 0)
        return tg_fail(&in->rt.c, TG_ERR_SHAPE,
                       "batches are drawn from the rows of tensors; a number has none");
    if (t->v.dim[0] == s->part[0]->v.dim[0]) return true;
    return tg_fail(&in->rt.c, TG_ERR_SHAPE,
                   "batches are drawn from tensors with the same number of rows, not %lld and %lld",
                   (long long)s->part[0]->v.dim[0], (long long)t->v.dim[0]);
}

/* An option of which it can only be said that it is true or false; true when it is not given. */
static bool option(tg_interp *in, tg_value v, const char *name, bool *out) {
    *out = true;
    return v.tag == TG_V_NONE || tg_to_truth(in, v, name, out);
}

/* The rows are taken in that order, which may leave some out and name others twice. */
static bool set_order(tg_interp *in, tg_stream *s, tg_value v) {
    enum { LOOK = 1 << 16 }; /* numbers from one look for an interrupt to the next */
    int64_t total = s->part[0]->v.dim[0];
    tg_tensor *t;
    if (!tg_to_tensor(in, v, "order", &t)) return false;
    bool ok = t->v.rank == 1;
    if (!ok)
        tg_fail(&in->rt.c, TG_ERR_SHAPE,
                "order must be a vector of row numbers, not a tensor of %d axes", t->v.rank);
    s->rows = ok ? t->v.dim[0] : 0;
    s->order = tg_alloc_array((size_t)s->rows, sizeof *s->order);
    if (ok && !s->order) ok = tg_fail_memory(&in->rt.c);
    for (int64_t i = 0; ok && i < s->rows; i++) {
        double x = tg_view_get(&t->v, i);
        if (i % LOOK == 0) ok = tg_check_interrupt(&in->rt.c);
        if (ok && !(x >= 0 && x < (double)total && x == floor(x)))
            ok = tg_fail(&in->rt.c, TG_ERR_VALUE,
                         "order has %g at %lld, which is none of the rows 0 to %lld", x,
                         (long long)i, (long long)total - 1);
        if (ok) s->order[i] = (int64_t)x;
    }
    tg_tensor_drop(t);
    return ok;
}

/* How many batches there are, and where the pass begins. */
static bool set_range(tg_interp *in, tg_stream *s, bool partial, const tg_argument *from) {
    int64_t all = s->rows / s->batch + (partial && s->rows % s->batch != 0);
    if (from->ast && !tg_to_int(in, from->value, "from", &s->first)) return false;
    s->count = all - s->first;
    return (s->first >= 0 && s->first <= all) ||
           tg_fail(&in->rt.c, TG_ERR_VALUE, "there are batches 0 to %lld; from cannot be %lld",
                   (long long)all - 1, (long long)s->first);
}

/* args: shuffle, partial, title, order and from, then what the dots stand for: the tensors and the
 * rows a batch.
 */
static bool run_batches(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    enum { OPTIONS = 5 };
    bool mix, partial, given = args[3].ast && args[3].value.tag != TG_V_NONE;
    int64_t batch;
    int nparts = n - OPTIONS - 1;
    if (!option(in, args[0].value, "shuffle", &mix) ||
        !option(in, args[1].value, "partial", &partial))
        return false;
    if (given && args[0].ast && mix)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "with an order= nothing is shuffled");
    if (args[2].value.tag != TG_V_NONE && args[2].value.tag != TG_V_STRING)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "the title must be a string, not %s",
                       tg_value_kind(args[2].value));
    for (int i = OPTIONS; i < n; i++)
        if (args[i].name) {
            tg_fail(&in->rt.c, TG_ERR_TYPE, "batches has no argument named %s", args[i].name);
            static const char *const option_names[] = {"shuffle", "partial", "title",
                                                       "order",   "from",    NULL};
            return tg_help_choice(in, args[i].name, option_names,
                                  "the number of rows comes last: batches(images, labels, 100)");
        }
    if (nparts < 1 || nparts > 4) {
        tg_fail(&in->rt.c, TG_ERR_TYPE,
                "batches wants one to four tensors and then the number of rows a batch");
        return tg_help(&in->rt.c, "for X, Y := batches(images, labels, 100) { ... }");
    }
    if (!tg_to_int(in, args[n - 1].value, "the number of rows a batch", &batch))
        return tg_help(&in->rt.c, "it comes last: batches(images, labels, 100)");
    if (batch < 1) return tg_fail(&in->rt.c, TG_ERR_VALUE, "a batch must have at least one row");
    tg_stream *s = tg_alloc_array(1, sizeof *s);
    if (!s) return tg_fail_memory(&in->rt.c);
    *s = (tg_stream){.refs = 1,
                     .begin = mix && !given ? begin_shuffled : begin,
                     .next = next,
                     .batch = batch,
                     .title = tg_value_hold(args[2].value)};
    for (int i = 0; i < nparts; i++)
        if (!add_part(in, s, args[OPTIONS + i].value)) {
            tg_value_drop(stream_value(s));
            return false;
        }
    s->rows = s->part[0]->v.dim[0];
    if ((given && !set_order(in, s, args[3].value)) || !set_range(in, s, partial, &args[4])) {
        tg_value_drop(stream_value(s));
        return false;
    }
    *out = stream_value(s);
    return true;
}

const tg_builtin tg_builtins_batches[] = {
    {"batches", "batches(..., shuffle=true, partial=true, title=none, order=none, from=0)",
     "The rows of some tensors in batches, for a loop: batches(images, labels, 100). Shuffled anew "
     "at each pass by the seed; the last "
     "batch may be smaller, unless partial=false. With order, a vector of row numbers, they come "
     "in "
     "that order, and with from= the first batches are left out: so an epoch that was stopped goes "
     "on. A bar shows how far the loop is, with the title "
     "before it (see progress).",
     "for b in batches([1, 2, 3], 2, shuffle=false) { print(b) }", "[1, 2]\n[3]", run_batches,
     false, false},
    {0},
};
