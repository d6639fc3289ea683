/* Blocks of growing size in a list; a request that does not fit starts a new block. */
#include "base/arena.h"
#include "base/alloc.h"

#include <string.h>

struct tg_arena_block {
    tg_arena_block *next;
    size_t used, size;
};

enum { ALIGN = 16, FIRST = 4096, LARGEST = 1 << 20 };

static char *data_of(tg_arena_block *b) {
    return (char *)b + ((sizeof *b + ALIGN - 1) & ~(size_t)(ALIGN - 1));
}

void *tg_arena_alloc(tg_arena *a, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    tg_arena_block *b = a->head;
    if (!b || b->size - b->used < size) {
        size_t want = b && b->size < LARGEST ? b->size * 2 : b ? LARGEST : FIRST;
        if (want < size) want = size;
        b = tg_alloc(want + sizeof *b + ALIGN);
        if (!b) return NULL;
        *b = (tg_arena_block){.next = a->head, .size = want};
        a->head = b;
    }
    void *p = data_of(b) + b->used;
    b->used += size;
    a->bytes += size;
    return memset(p, 0, size);
}

char *tg_arena_copy(tg_arena *a, const char *s, size_t n) {
    char *p = n < SIZE_MAX ? tg_arena_alloc(a, n + 1) : NULL;
    if (p && n) memcpy(p, s, n);
    return p;
}

void tg_arena_free(tg_arena *a) {
    for (tg_arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        tg_free(b);
    }
    *a = (tg_arena){0};
}
