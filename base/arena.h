/* An arena hands out memory that is freed all at once: syntax trees live in one. */
#ifndef TG_BASE_ARENA_H
#define TG_BASE_ARENA_H

#include <stddef.h>

typedef struct tg_arena_block tg_arena_block;

typedef struct tg_arena {
    tg_arena_block *head; /* the block being filled; older ones behind it */
    size_t bytes;         /* handed out so far */
} tg_arena;

/* Zeroed memory aligned to 16 bytes, owned by the arena; NULL when there is none. */
void *tg_arena_alloc(tg_arena *a, size_t size);
/* A copy of n bytes with a terminating 0. */
char *tg_arena_copy(tg_arena *a, const char *s, size_t n);
void tg_arena_free(tg_arena *a);

#endif
