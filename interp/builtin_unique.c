/* Which things there are, and which of them each thing is: unique and places.
 *
 * Both look at the numbers of a tensor, or at the strings of a list, through one hash table with
 * open addressing (Knuth, TAOCP 3, section 6.4), so that they take a time proportional to the
 * number of things. A vocabulary is made of them: its things are the unique ones of a text, and a
 * text in numbers is the places of its things among these. All NaN are one thing, and so are both
 * zeros. */
#include "base/alloc.h"
#include "base/hash.h"
#include "interp/blame.h"
#include "interp/convert.h"

#include <string.h>

enum { LOOK = 1 << 16 }; /* things between two looks for an interrupt */

/* The numbers of a tensor or the strings of a container; of either kind, if there are none. */
typedef struct things {
    int64_t n;
    bool texts;
    const tg_value *text; /* borrowed */
    tg_tensor *number;    /* owned, or NULL */
} things;

static bool has_text(tg_value v) {
    for (int i = 0; i < v.as.items->n; i++)
        if (v.as.items->v[i].tag == TG_V_STRING) return true;
    return false;
}

/* *v must stay where it is as long as the things are used. */
static bool things_of(tg_interp *in, const tg_value *v, const char *what, things *t) {
    *t = (things){.n = 1, .texts = true, .text = v};
    if (v->tag == TG_V_STRING) return true;
    bool list = v->tag == TG_V_LIST || v->tag == TG_V_TUPLE;
    if (list && has_text(*v)) {
        t->n = v->as.items->n;
        t->text = v->as.items->v;
        for (int i = 0; i < t->n; i++)
            if (t->text[i].tag != TG_V_STRING)
                return tg_fail(&in->rt.c, TG_ERR_TYPE,
                               "%s has strings and %s: it must be of one kind", what,
                               tg_value_kind(t->text[i]));
        return true;
    }
    t->texts = false;
    tg_value x = *v;
    if (x.tag == TG_V_TUPLE) x.tag = TG_V_LIST;
    if (!tg_to_tensor(in, x, what, &t->number)) {
        if (in->rt.c.diag.kind == TG_ERR_TYPE)
            tg_help(&in->rt.c, "numbers in a tensor, or strings in a list");
        return false;
    }
    t->n = tg_view_count(&t->number->v);
    return true;
}

static double number_at(const things *t, int64_t i) {
    double x = tg_view_get(&t->number->v, i);
    return x == 0 ? 0 : x; /* -0 too */
}

/* Whole numbers of 64 bits, which a double does not always hold; NULL: they are others. */
static const int64_t *whole_at(const things *t, int64_t i) {
    const tg_view *v = &t->number->v;
    return v->dtype == TG_I64 && tg_view_is_contiguous(v) ? (const int64_t *)v->data + i : NULL;
}

static uint64_t hash(const things *t, int64_t i) {
    if (t->texts) {
        const tg_text *s = t->text[i].as.text;
        uint64_t h = tg_hash_bytes(s->bytes, s->len);
        return h ^ h >> 29;
    }
    double x = number_at(t, i);
    uint64_t bits;
    if (x != x) return 1;
    memcpy(&bits, &x, sizeof bits);
    return tg_hash_mix(tg_hash_mix(14695981039346656037u, bits), bits >> 32);
}

static bool equal(const things *a, int64_t i, const things *b, int64_t j) {
    if (a->texts) {
        const tg_text *s = a->text[i].as.text, *t = b->text[j].as.text;
        return s->len == t->len && memcmp(s->bytes, t->bytes, s->len) == 0;
    }
    const int64_t *m = whole_at(a, i), *n = whole_at(b, j);
    if (m && n) return *m == *n;
    double x = number_at(a, i), y = number_at(b, j);
    return x == y || (x != x && y != y);
}

/* Is thing i before thing j in order? Strings are in the order of their code points, which is that
 * of the bytes of UTF-8; NaN comes last. */
static bool before(const things *t, int64_t i, int64_t j) {
    if (t->texts) {
        const tg_text *a = t->text[i].as.text, *b = t->text[j].as.text;
        int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
        return order < 0 || (order == 0 && a->len < b->len);
    }
    const int64_t *m = whole_at(t, i), *n = whole_at(t, j);
    if (m) return *m < *n;
    double x = number_at(t, i), y = number_at(t, j);
    return x < y || (y != y && x == x);
}

/* ---- the table ---- */

typedef struct table {
    const things *of;
    int64_t *slot;          /* 1 + a number of a kind; 0: free */
    size_t nslots;          /* a power of 2, at least twice n */
    int64_t *first, *count; /* of each kind of thing: where it stands first, and how often */
    size_t n, cap, count_cap;
} table;

static void table_free(table *t) {
    tg_free(t->slot);
    tg_free(t->first);
    tg_free(t->count);
}

/* The slot of what is equal to thing i of x, or the free one where it would go. */
static int64_t *slot_of(const table *t, const things *x, int64_t i) {
    size_t at = (size_t)hash(x, i) & (t->nslots - 1);
    while (t->slot[at] && !equal(x, i, t->of, t->first[t->slot[at] - 1]))
        at = (at + 1) & (t->nslots - 1);
    return &t->slot[at];
}

/* Room for one kind more, and for its slot. */
static bool make_room(tg_ctx *c, table *t) {
    void *first = t->first, *count = t->count;
    bool ok = tg_grow(&first, &t->cap, t->n + 1, sizeof *t->first);
    t->first = first;
    ok = ok && tg_grow(&count, &t->count_cap, t->n + 1, sizeof *t->count);
    t->count = count;
    if (!ok) return tg_fail_memory(c);
    if (t->nslots > 2 * t->n) return true;
    int64_t *slot = tg_alloc_array(t->nslots ? 2 * t->nslots : 64, sizeof *slot);
    if (!slot) return tg_fail_memory(c);
    tg_free(t->slot);
    t->slot = slot;
    t->nslots = t->nslots ? 2 * t->nslots : 64;
    for (size_t k = 0; k < t->n; k++) {
        if (k % LOOK == 0 && !tg_check_interrupt(c)) return false;
        *slot_of(t, t->of, t->first[k]) = (int64_t)k + 1;
    }
    return true;
}

/* The kinds of things among x, in the order in which they come. Free the table also on failure. */
static bool table_fill(tg_ctx *c, table *t, const things *x) {
    *t = (table){.of = x};
    for (int64_t i = 0; i < x->n; i++) {
        if ((i % LOOK == 0 && !tg_check_interrupt(c)) || !make_room(c, t)) return false;
        int64_t *slot = slot_of(t, x, i);
        if (!*slot) {
            t->first[t->n] = i;
            t->count[t->n++] = 0;
            *slot = (int64_t)t->n;
        }
        t->count[*slot - 1]++;
    }
    return make_room(c, t); /* of nothing too */
}

/* ---- unique ---- */

/* The kinds in ascending order: their numbers, by merging runs of doubled width. NULL: an error. */
static int64_t *ordered(tg_ctx *c, const table *t) {
    size_t n = t->n;
    int64_t *x = tg_alloc_array(n + 1, sizeof *x), *to = tg_alloc_array(n + 1, sizeof *x);
    bool ok = (x && to) || tg_fail_memory(c);
    for (size_t i = 0; ok && i < n; i++) x[i] = (int64_t)i;
    for (size_t width = 1; ok && width < n; width *= 2) {
        for (size_t lo = 0; ok && lo < n; lo += 2 * width) {
            size_t mid = n - lo < width ? n : lo + width, hi = n - mid < width ? n : mid + width;
            for (size_t i = lo, j = mid, k = lo; ok && k < hi; k++) {
                bool right = i == mid || (j < hi && before(t->of, t->first[x[j]], t->first[x[i]]));
                to[k] = right ? x[j++] : x[i++];
                if (k % LOOK == 0) ok = tg_check_interrupt(c);
            }
        }
        int64_t *sorted = to;
        to = x;
        x = sorted;
    }
    tg_free(to);
    if (ok) return x;
    tg_free(x);
    return NULL;
}

/* The kinds in that order, as a list or as a vector of the tensor's type. */
static bool kinds(tg_interp *in, const table *t, const int64_t *order, tg_value *out) {
    int64_t n = (int64_t)t->n;
    if (t->of->texts) {
        if (!tg_value_items(&in->rt.c, TG_V_LIST, (int)n, out)) return false;
        for (int64_t i = 0; i < n; i++)
            out->as.items->v[i] = tg_value_hold(t->of->text[t->first[order[i]]]);
        return tg_value_seal(&in->rt.c, *out, out);
    }
    tg_tensor *made = tg_tensor_new(&in->rt.c, t->of->number->v.dtype, 1, &n);
    if (!made) return false;
    for (int64_t i = 0; i < n; i++) {
        const int64_t *whole = whole_at(t->of, t->first[order[i]]);
        if (whole)
            ((int64_t *)made->v.data)[i] = *whole;
        else
            tg_view_set(&made->v, i, number_at(t->of, t->first[order[i]]));
    }
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = made};
    return true;
}

static bool counts(tg_interp *in, const table *t, const int64_t *order, tg_value *out) {
    const int64_t n = (int64_t)t->n;
    tg_tensor *made = tg_tensor_new(&in->rt.c, TG_I64, 1, &n);
    if (!made) return false;
    int64_t *to = made->v.data;
    for (int64_t i = 0; i < n; i++) to[i] = t->count[order[i]];
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = made};
    return true;
}

static bool run_unique(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    things x;
    table t = {0};
    bool with_counts = false;
    tg_value pair = TG_NONE_VALUE;
    if (args[1].value.tag != TG_V_NONE && !tg_to_truth(in, args[1].value, "counts", &with_counts))
        return false;
    int64_t *order = NULL;
    if (args[0].value.tag == TG_V_STRING) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "unique wants a tensor or a list of strings, not a string");
        return tg_help(&in->rt.c,
                       "unique(codes(s)) are its characters, unique(words(s)) its words");
    }
    bool ok = things_of(in, &args[0].value, "the argument of unique", &x) &&
              table_fill(&in->rt.c, &t, &x) && (order = ordered(&in->rt.c, &t)) != NULL;
    if (ok && with_counts) {
        ok = tg_value_items(&in->rt.c, TG_V_TUPLE, 2, &pair);
        if (ok) {
            ok = kinds(in, &t, order, &pair.as.items->v[0]) &&
                 counts(in, &t, order, &pair.as.items->v[1]);
            if (ok)
                ok = tg_value_seal(&in->rt.c, pair, out);
            else
                tg_value_drop(pair);
        }
    } else if (ok) {
        ok = kinds(in, &t, order, out);
    }
    tg_free(order);
    table_free(&t);
    tg_tensor_drop(x.number);
    return ok;
}

/* ---- places ---- */

static bool not_found(tg_interp *in, const things *x, int64_t i, const things *among) {
    if (x->texts)
        tg_fail(&in->rt.c, TG_ERR_VALUE, "\"%.40s\" is not among the %lld things",
                x->text[i].as.text->bytes, (long long)among->n);
    else
        tg_fail(&in->rt.c, TG_ERR_VALUE, "%.15g is not among the %lld things", number_at(x, i),
                (long long)among->n);
    return tg_help(&in->rt.c, "places(x, among, missing=-1) gives a number for what is not there");
}

/* The numbers into the tensor `made`, whose elements are those of x in row-major order. */
static bool fill_places(tg_interp *in, const things *x, const table *t, const tg_argument *missing,
                        int64_t *made) {
    int64_t other = 0;
    bool lenient = missing->value.tag != TG_V_NONE;
    if (lenient && !tg_to_int(in, missing->value, "missing", &other)) return false;
    for (int64_t i = 0; i < x->n; i++) {
        if (i % LOOK == 0 && !tg_check_interrupt(&in->rt.c)) return false;
        int64_t k = t->n > 0 ? *slot_of(t, x, i) : 0;
        if (!k && !lenient) return not_found(in, x, i, t->of);
        made[i] = k ? t->first[k - 1] : other;
    }
    return true;
}

static bool run_places(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    things x = {0}, among = {0};
    table t = {0};
    tg_tensor *made = NULL;
    bool ok = things_of(in, &args[0].value, "the first argument of places", &x) &&
              things_of(in, &args[1].value, "the second argument of places", &among);
    if (ok && x.n > 0 && among.n > 0 && x.texts != among.texts) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "places looks for %s among %s",
                x.texts ? "strings" : "numbers", among.texts ? "strings" : "numbers");
        tg_help(&in->rt.c, "codes(s) are the characters of a string as numbers");
        ok = false;
    }
    ok = ok && table_fill(&in->rt.c, &t, &among);
    if (ok) {
        bool one = args[0].value.tag == TG_V_STRING;
        made = x.number ? tg_tensor_new(&in->rt.c, TG_I64, x.number->v.rank, x.number->v.dim)
                        : tg_tensor_new(&in->rt.c, TG_I64, one ? 0 : 1, &x.n);
        ok = made && fill_places(in, &x, &t, &args[2], made->v.data);
    }
    table_free(&t);
    tg_tensor_drop(x.number);
    tg_tensor_drop(among.number);
    if (ok)
        *out = tg_value_tensor(made);
    else
        tg_tensor_drop(made);
    return ok;
}

const tg_builtin tg_builtins_unique[] = {
    {"unique", "unique(x, counts=false)",
     "The different numbers of a tensor, or strings of a list, in ascending order; with "
     "counts=true "
     "also how often each is there. places(x, unique(x)) tells which of them each one is.",
     "unique([3, 1, 3, 2, 1], counts=true)", "([1, 2, 3], [2, 1, 2])", run_unique, false, false},
    {"places", "places(x, among, missing=none)",
     "Where each number of x stands among others, or each string in a list: among[places(x, "
     "among)] "
     "is x. What stands there twice counts where it is first; what is not there is an error, or "
     "the number `missing`.",
     "places([30, 10, 30], [10, 20, 30])", "[2, 0, 2]", run_places, false, false},
    {0},
};
