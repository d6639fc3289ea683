/* Memory. Every allocation of tg goes through these few functions, so that the tests can count
 * bytes, set a limit, and make the n-th request fail. None of them aborts: NULL means "no memory",
 * and the caller turns that into the error TG_ERR_MEMORY. Sizes are multiplied only by
 * tg_alloc_array, which checks for overflow. Blocks are aligned to 64 bytes, a cache line and an
 * AVX-512 register. */
#ifndef TG_BASE_ALLOC_H
#define TG_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `size` bytes, contents undefined; NULL when there are none. A size of 0 gives a valid block. */
void *tg_alloc(size_t size);
/* `count * size` zeroed bytes; NULL on overflow or when there is no memory. */
void *tg_alloc_array(size_t count, size_t size);
/* Grows or shrinks; on failure NULL is returned and the old block stays. `p` may be NULL. */
void *tg_realloc(void *p, size_t size);
void tg_free(void *p);
/* A copy of the n bytes, with a 0 behind them; NULL when there is no memory. */
char *tg_alloc_text(const char *text, size_t n);

/* a * b into *out; false on overflow. The one place where sizes are multiplied. */
bool tg_size_mul(size_t a, size_t b, size_t *out);

/* Grows *items (elements of `size` bytes, room for *cap) until `need` fit. False: no memory,
 * unchanged. */
bool tg_grow(void **items, size_t *cap, size_t need, size_t size);

typedef struct tg_alloc_stats {
    size_t live_bytes;  /* now allocated */
    size_t peak_bytes;  /* the most ever allocated since the last reset */
    size_t live_blocks; /* blocks now allocated: 0 at the end means that nothing leaked */
    uint64_t requests;  /* requests since the last reset */
} tg_alloc_stats;

tg_alloc_stats tg_alloc_get_stats(void);
void tg_alloc_reset_stats(void);       /* peak = live, requests = 0 */
void tg_alloc_note_peak(size_t bytes); /* the peak is at least that: what it was before a reset */
void tg_alloc_fail_at(
    uint64_t n); /* the n-th request from now fails, once (1 = the next); 0 = none */
void tg_alloc_limit(
    size_t bytes); /* requests that would pass this many live bytes fail; 0 = no limit */

#endif
