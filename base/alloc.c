/* One header of 64 bytes before each block keeps its size, so that live bytes can be counted and a
 * limit enforced; it also keeps the block aligned. The counters are atomic: the process may hold
 * several tg states on several threads; blocks that are live are counted as requests less frees,
 * which takes one atomic operation fewer.
 *
 * Small blocks come from malloc, a little larger than asked for, and are aligned here: the system's
 * malloc keeps a list of small blocks for each thread, which its aligned_alloc (glibc before 2.41)
 * goes past. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HEADER = 64,
    SMALL = 896, /* with what is added for header and alignment, malloc's lists go as far */
    LARGE = 8 << 20,
};

typedef struct header {
    size_t size; /* that was asked for */
    void *raw;   /* what the system gave */
} header;
_Static_assert(sizeof(header) <= HEADER, "the header must fit before the block");

static _Atomic size_t live_bytes, peak_bytes, limit_bytes;
static _Atomic uint64_t requests, refused, frees; /* since the start */
static _Atomic uint64_t requests_before;          /* those before the last reset */
static _Atomic uint64_t fail_in;

/* A data set is read all over, row by row at random: with pages of 2 MB the processor finds them
 * without a walk through its tables, and the system hands out fewer. Only a wish: nothing depends
 * on it. */
static void ask_for_large_pages(char *p, size_t size) {
    enum { PAGE = 4096 };
    uintptr_t lo = ((uintptr_t)p + PAGE - 1) & ~(uintptr_t)(PAGE - 1),
              hi = (uintptr_t)(p + size) & ~(uintptr_t)(PAGE - 1);
    if (hi > lo) madvise((void *)lo, hi - lo, MADV_HUGEPAGE);
}

/* Counts a request for `more` further bytes; false when it must fail. */
static bool admit(size_t more) {
    atomic_fetch_add_explicit(&requests, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_in, memory_order_relaxed) != 0 &&
        atomic_fetch_sub_explicit(&fail_in, 1, memory_order_relaxed) == 1)
        return false;
    size_t limit = atomic_load_explicit(&limit_bytes, memory_order_relaxed);
    return limit == 0 || more <= limit - (live_bytes < limit ? live_bytes : limit);
}

static void *refuse(void) {
    atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
    return NULL;
}

static void count(size_t more, size_t less) {
    size_t now =
        atomic_fetch_add_explicit(&live_bytes, more - less, memory_order_relaxed) + more - less;
    if (now > atomic_load_explicit(&peak_bytes, memory_order_relaxed)) peak_bytes = now;
}

static header *header_of(const void *p) {
    return (header *)((char *)p - HEADER);
}

/* What the system gave, and the place in it behind the header. */
typedef struct block {
    char *raw, *p;
} block;

static block behind_header(char *raw) {
    return (block){raw, raw ? raw + HEADER + (-(uintptr_t)raw & (HEADER - 1)) : NULL};
}

static block take_small(size_t size) {
    return behind_header(malloc(size + HEADER + HEADER - 1));
}

/* A multiple of 64, as aligned_alloc wants. */
static block take_aligned(size_t size) {
    size_t whole = HEADER + ((size + HEADER - 1) & ~(size_t)(HEADER - 1));
    char *raw = aligned_alloc(HEADER, whole);
    if (raw && whole >= LARGE) ask_for_large_pages(raw, whole);
    return behind_header(raw);
}

/* Pages fresh from the system are zero, and are not touched for it. */
static block take_zeros(size_t size) {
    char *raw = calloc(size + HEADER + HEADER - 1, 1);
    if (raw && size >= LARGE) ask_for_large_pages(raw, size);
    return behind_header(raw);
}

static void *take(size_t size, block (*how)(size_t)) {
    if (!admit(size) || size > (size_t)PTRDIFF_MAX - 2 * HEADER) return refuse();
    block b = how(size);
    if (!b.p) return refuse();
    *header_of(b.p) = (header){size, b.raw};
    count(size, 0);
    return b.p;
}

void *tg_alloc(size_t size) {
    return take(size, size <= SMALL ? take_small : take_aligned);
}

void *tg_alloc_array(size_t count, size_t size) {
    size_t bytes;
    if (!tg_size_mul(count, size, &bytes)) return NULL;
    if (bytes >= LARGE) return take(bytes, take_zeros);
    void *p = tg_alloc(bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void *tg_realloc(void *p, size_t size) {
    if (!p) return tg_alloc(size);
    size_t old = header_of(p)->size;
    void *q = tg_alloc(size);
    if (!q) return NULL;
    memcpy(q, p, old < size ? old : size);
    tg_free(p);
    return q;
}

void tg_free(void *p) {
    if (!p) return;
    count(0, header_of(p)->size);
    atomic_fetch_add_explicit(&frees, 1, memory_order_relaxed);
    free(header_of(p)->raw);
}

char *tg_alloc_text(const char *text, size_t n) {
    char *copy = tg_alloc(n + 1);
    if (!copy) return NULL;
    memcpy(copy, text, n);
    copy[n] = 0;
    return copy;
}

bool tg_size_mul(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}

bool tg_grow(void **items, size_t *cap, size_t need, size_t size) {
    if (need <= *cap) return true;
    size_t want = *cap < 8 ? 8 : *cap + *cap / 2, bytes;
    if (want < need) want = need;
    if (!tg_size_mul(want, size, &bytes)) return false;
    void *p = tg_realloc(*items, bytes);
    if (!p) return false;
    *items = p;
    *cap = want;
    return true;
}

tg_alloc_stats tg_alloc_get_stats(void) {
    size_t live_blocks = (size_t)(requests - refused - frees);
    return (tg_alloc_stats){live_bytes, peak_bytes, live_blocks, requests - requests_before};
}

void tg_alloc_reset_stats(void) {
    peak_bytes = live_bytes;
    requests_before = requests;
}

void tg_alloc_note_peak(size_t bytes) {
    if (bytes > peak_bytes) peak_bytes = bytes;
}

void tg_alloc_fail_at(uint64_t n) {
    fail_in = n;
}
void tg_alloc_limit(size_t bytes) {
    limit_bytes = bytes;
}
