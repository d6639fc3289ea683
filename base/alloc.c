/* One header of 64 bytes before each block keeps its size, so that live bytes can be counted and a
 * limit enforced; it also keeps the block aligned. The counters are atomic: the process may hold
 * several tg states on several threads. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HEADER = 64, LARGE = 8 << 20 };

static _Atomic size_t live_bytes, peak_bytes, live_blocks, limit_bytes;
static _Atomic uint64_t requests, fail_in;

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

static void count(size_t more, size_t less) {
    size_t now =
        atomic_fetch_add_explicit(&live_bytes, more - less, memory_order_relaxed) + more - less;
    if (now > atomic_load_explicit(&peak_bytes, memory_order_relaxed)) peak_bytes = now;
}

static size_t size_of(const void *p) {
    size_t size;
    memcpy(&size, (const char *)p - HEADER, sizeof size);
    return size;
}

static void *finish(char *raw, size_t size) {
    memcpy(raw, &size, sizeof size);
    return raw + HEADER;
}

/* The system's block for `size` bytes of ours: a multiple of 64, as aligned_alloc wants. */
static bool raw_size(size_t size, size_t *out) {
    if (size > (size_t)PTRDIFF_MAX - 2 * HEADER) return false;
    *out = HEADER + ((size + HEADER - 1) & ~(size_t)(HEADER - 1));
    return true;
}

void *tg_alloc(size_t size) {
    size_t raw;
    if (!raw_size(size, &raw) || !admit(size)) return NULL;
    char *p = aligned_alloc(HEADER, raw);
    if (!p) return NULL;
    if (raw >= LARGE) ask_for_large_pages(p, raw);
    atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
    count(size, 0);
    return finish(p, size);
}

void *tg_alloc_array(size_t count, size_t size) {
    size_t bytes;
    if (!tg_size_mul(count, size, &bytes)) return NULL;
    void *p = tg_alloc(bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void *tg_realloc(void *p, size_t size) {
    if (!p) return tg_alloc(size);
    size_t old = size_of(p);
    void *q = tg_alloc(size);
    if (!q) return NULL;
    memcpy(q, p, old < size ? old : size);
    tg_free(p);
    return q;
}

void tg_free(void *p) {
    if (!p) return;
    count(0, size_of(p));
    atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
    free((char *)p - HEADER);
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
    return (tg_alloc_stats){live_bytes, peak_bytes, live_blocks, requests};
}

void tg_alloc_reset_stats(void) {
    peak_bytes = live_bytes;
    requests = 0;
}

void tg_alloc_fail_at(uint64_t n) {
    fail_in = n;
}
void tg_alloc_limit(size_t bytes) {
    limit_bytes = bytes;
}
