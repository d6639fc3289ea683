/* Hashing of text, for every table that is looked up by a name, and of numbers: FNV-1a (Fowler,
 * Noll, Vo), 64 bits. */
#ifndef TG_BASE_HASH_H
#define TG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t tg_hash_bytes(const char *s, size_t n) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return h;
}

static inline uint64_t tg_hash_text(const char *s) {
    return tg_hash_bytes(s, strlen(s));
}

/* A hash that takes in one number more: FNV's step for a word, and its high bits into the low. */
static inline uint64_t tg_hash_mix(uint64_t h, uint64_t x) {
    h = (h ^ x) * 1099511628211u;
    return h ^ h >> 29;
}

#endif
